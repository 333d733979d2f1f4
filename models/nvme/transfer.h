/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A command's data buffer: the pieces of the host's memory that its PRPs or SGL name, gone through once,
 * from its beginning, in as many steps as one likes.
 */
#ifndef SVF_MODELS_NVME_TRANSFER_H
#define SVF_MODELS_NVME_TRANSFER_H

#include "models/nvme/nvme.h"

/* Entries of a PRP list, or descriptors of an SGL segment, read ahead. */
#define NVME_TRANSFER_AHEAD 512u /* bytes */

struct nvme_transfer {
	struct nvme_request *rq;
	bool to_host;
	uint64_t left; /* bytes of data that no piece below was found for */

	/* The piece that comes next, or what is left of it. */
	uint64_t at, len;
	bool skipped; /* a bit bucket: its data goes nowhere */

	/* Of PRPs: how many of the command's two are used up. Of an SGL: whether its first descriptor is. */
	unsigned int used;
	uint64_t list;	      /* of the next entry or descriptor in a list or segment */
	uint32_t descriptors; /* from there to the end of the segment */
	bool last;	      /* it is the last segment */
	unsigned int seen;    /* descriptors of all segments */

	uint8_t ahead[NVME_TRANSFER_AHEAD]; /* from list on */
	uint32_t ahead_at, ahead_len;
};

void svf_nvme_transfer_init(struct nvme_transfer *t, struct nvme_request *rq, uint64_t len,
			    bool to_host);
/*
 * Moves the next len bytes of the data, which there must be: from buf to the host or the other way.
 * Return: enum nvme_status; after an error the transfer is over, some of it may have been moved.
 */
uint16_t svf_nvme_transfer_move(struct nvme_transfer *t, void *buf,
				uint64_t len) SVF_MODEL_MUST_CHECK;

#endif
