/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks in memory: a table of leaves, each a table of chunks, all of which may be absent. What is absent
 * reads as zeroes.
 */
#include "models/nvme/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK	    NVME_STORE_CHUNK
#define LEAF_CHUNKS 512u
#define LEAF_BYTES  ((uint64_t)LEAF_CHUNKS * CHUNK)
#define CHUNK_COST  4096u /* of giving one back */
#define LEAF_COST   64u	  /* of finding that there is none */

/* What absent chunks read as; never written. */
static uint8_t store_zeroes[CHUNK];

static uint64_t leaf_count(const struct nvme_store *store)
{
	return (store->size + LEAF_BYTES - 1) / LEAF_BYTES;
}

int svf_nvme_store_init(struct nvme_store *store, uint64_t size)
{
	*store = (struct nvme_store){.size = size};
	store->leaves = calloc(leaf_count(store) + 1, sizeof(*store->leaves));
	return store->leaves ? 0 : -ENOMEM;
}

void svf_nvme_store_fini(struct nvme_store *store)
{
	for (uint64_t i = 0; store->leaves && i < leaf_count(store); i++) {
		for (unsigned int k = 0; store->leaves[i] && k < LEAF_CHUNKS; k++)
			free(store->leaves[i][k]);
		free(store->leaves[i]);
	}
	free(store->leaves);
	*store = (struct nvme_store){0};
}

static uint64_t within_chunk(uint64_t offset, uint64_t len)
{
	uint64_t room = CHUNK - offset % CHUNK;

	return len < room ? len : room;
}

static uint8_t *chunk_at(const struct nvme_store *store, uint64_t offset)
{
	uint8_t **leaf = store->leaves[offset / LEAF_BYTES];

	return leaf ? leaf[offset % LEAF_BYTES / CHUNK] : NULL;
}

const uint8_t *svf_nvme_store_peek(const struct nvme_store *store, uint64_t offset, uint64_t len,
				   uint64_t *ret_len)
{
	const uint8_t *chunk = chunk_at(store, offset);

	*ret_len = within_chunk(offset, len);
	return (chunk ? chunk : store_zeroes) + offset % CHUNK;
}

uint8_t *svf_nvme_store_reserve(struct nvme_store *store, uint64_t offset, uint64_t len,
				uint64_t *ret_len)
{
	uint8_t ***leaf = &store->leaves[offset / LEAF_BYTES];
	uint8_t **chunk;

	if (!*leaf)
		*leaf = calloc(LEAF_CHUNKS, sizeof(**leaf));
	if (!*leaf)
		return NULL;
	chunk = &(*leaf)[offset % LEAF_BYTES / CHUNK];
	if (!*chunk) {
		*chunk = calloc(1, CHUNK);
		if (!*chunk)
			return NULL;
		store->used++;
	}
	*ret_len = within_chunk(offset, len);
	return *chunk + offset % CHUNK;
}

/* Up to the end of one chunk, or of one leaf that is not there. Return: bytes done. */
static uint64_t clear_piece(struct nvme_store *store, uint64_t offset, uint64_t len,
			    uint64_t *spent)
{
	uint8_t **leaf = store->leaves[offset / LEAF_BYTES];
	uint64_t piece = within_chunk(offset, len);
	uint8_t **chunk;

	*spent += LEAF_COST;
	if (!leaf) {
		uint64_t room = LEAF_BYTES - offset % LEAF_BYTES;

		return len < room ? len : room;
	}
	chunk = &leaf[offset % LEAF_BYTES / CHUNK];
	if (!*chunk)
		return piece;
	if (piece == CHUNK) {
		free(*chunk);
		*chunk = NULL;
		store->used--;
		*spent += CHUNK_COST;
	} else {
		memset(*chunk + offset % CHUNK, 0, piece);
		*spent += piece;
	}
	return piece;
}

uint64_t svf_nvme_store_clear(struct nvme_store *store, uint64_t offset, uint64_t len,
			      uint64_t budget, uint64_t *spent)
{
	uint64_t limit = *spent + budget, done = 0;

	do
		done += clear_piece(store, offset + done, len - done, spent);
	while (done < len && *spent < limit);
	return done;
}
