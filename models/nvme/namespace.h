/* SPDX-License-Identifier: BSD-3-Clause */
/* What a namespace is, for the files that carry out commands on it. */
#ifndef SVF_MODELS_NVME_NAMESPACE_H
#define SVF_MODELS_NVME_NAMESPACE_H

#include "models/nvme/nvme.h"
#include "models/nvme/store.h"

struct nvme_namespace {
	struct nvme_namespaces *all;
	uint32_t nsid;
	unsigned int block_shift; /* of a logical block: 9 or 12 */
	uint64_t bytes;		  /* a multiple of 4096 */
	bool formatting;
	/* Its data: in the file, from there on; or in memory, when there is no file. */
	struct svf_storage *file;
	uint64_t file_offset;
	struct nvme_store store;
};

static inline uint64_t svf_nvme_namespace_blocks(const struct nvme_namespace *ns)
{
	return ns->bytes >> ns->block_shift;
}

/* The file that all namespaces of a controller are in, NULL when they are in memory. */
struct svf_storage *svf_nvme_namespaces_file(const struct nvme_controller *c);

/* Whether dword 10 of Format NVM asks for something that there is. Return: enum nvme_status. */
uint16_t svf_nvme_namespace_check_format(uint32_t dword);
/* The format that it asks for, when the data has been cleared. */
void svf_nvme_namespace_set_format(struct nvme_namespace *ns, uint32_t dword);

#endif
