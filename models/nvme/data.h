/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine behind commands that move or clear data: it works on one range of a namespace after the other,
 * piece by piece, in slices, and waits for the file when there is one.
 */
#ifndef SVF_MODELS_NVME_DATA_H
#define SVF_MODELS_NVME_DATA_H

#include "models/nvme/namespace.h"
#include "models/nvme/transfer.h"

#define NVME_RANGES_MAX	 256u /* of Dataset Management */
#define NVME_RANGE_BYTES 16u

enum nvme_data_kind {
	NVME_DATA_READ,	   /* to the host */
	NVME_DATA_WRITE,   /* from the host */
	NVME_DATA_COMPARE, /* with the host's */
	NVME_DATA_VERIFY,  /* read, and that is all */
	NVME_DATA_ZERO,
	NVME_DATA_TRIM,
	NVME_DATA_FLUSH, /* no range */
};

/*
 * Begins work for the request (rq->data is then set) on len bytes from offset of its namespace; it is called once, and then
 * svf_nvme_data_run(). durable: it is on stable storage when it is done. Return: enum nvme_status.
 */
uint16_t svf_nvme_data_begin(struct nvme_request *rq, enum nvme_data_kind kind, uint64_t offset,
			     uint64_t len, bool durable) SVF_MODEL_MUST_CHECK;
/*
 * Further ranges, for TRIM, to be done when the first is: count entries as Dataset Management has them,
 * checked, copied. Return: enum nvme_status.
 */
uint16_t svf_nvme_data_add_ranges(struct nvme_request *rq, const uint8_t *ranges,
				  unsigned int count) SVF_MODEL_MUST_CHECK;
/* Goes on, to the end or as far as the slice or the file allows; sets rq->status when done. */
enum nvme_step svf_nvme_data_run(struct nvme_request *rq);
/* Ends it wherever it is; nothing happens when it was not begun. */
void svf_nvme_data_drop(struct nvme_request *rq);

#endif
