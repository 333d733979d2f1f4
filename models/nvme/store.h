/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks kept in memory: size bytes that read as zeroes until they are written. Memory is taken for what
 * was written, NVME_STORE_CHUNK bytes at a time, and given back by clearing.
 */
#ifndef SVF_MODELS_NVME_STORE_H
#define SVF_MODELS_NVME_STORE_H

#include <stdint.h>

#include "include/softvfio/model.h"

#define NVME_STORE_CHUNK (64u << 10)

struct nvme_store {
	uint64_t size;
	uint8_t ***leaves; /* tables of chunks; NULL: nothing of it was written */
	uint64_t used;	   /* chunks there are */
};

/* Return: 0, -ENOMEM. */
int svf_nvme_store_init(struct nvme_store *store, uint64_t size) SVF_MODEL_MUST_CHECK;
/* One that is all zeroes does no harm. */
void svf_nvme_store_fini(struct nvme_store *store);

/*
 * The bytes at offset, for reading; *ret_len: how many of the len wanted there are in one piece. They are
 * valid until the store is written to or cleared.
 */
const uint8_t *svf_nvme_store_peek(const struct nvme_store *store, uint64_t offset, uint64_t len,
				   uint64_t *ret_len);
/* The same, for writing. NULL: out of memory. */
uint8_t *svf_nvme_store_reserve(struct nvme_store *store, uint64_t offset, uint64_t len,
				uint64_t *ret_len);
/*
 * Makes len bytes zeroes, as far as budget, which goes down by about as many bytes as the work is worth,
 * allows. Return: how many were done, at least one when len is not 0.
 */
uint64_t svf_nvme_store_clear(struct nvme_store *store, uint64_t offset, uint64_t len,
			      uint64_t budget, uint64_t *spent);

#endif
