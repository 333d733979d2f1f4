/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of written pages; see dirty.h. A chunk has the bits of CHUNK_PAGES pages, which begin at a
 * multiple of their size. It is made by the first write there and goes when all its pages are cleared
 * at once, or with the record.
 */
#include "core/iommu/dirty.h"

#include <assert.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "core/iommu/iova_space.h"
#include "core/machine.h"

#define CHUNK_WORDS 64u
#define CHUNK_PAGES (CHUNK_WORDS * 64u)
#define CHUNK_SIZE  ((uint64_t)CHUNK_PAGES * SVF_IOMMU_PAGE_SIZE) /* 16 MiB of IOVA */

struct chunk {
	struct svf_itree_node node;
	uint64_t words[CHUNK_WORDS];
};

static struct chunk *chunk_of(struct svf_itree_node *node)
{
	return node ? svf_container_of(node, struct chunk, node) : NULL;
}

/* Pages of one chunk by their numbers in it: [*first, *last], of the part of the IOVA range there. */
static void pages_within(const struct chunk *chunk, uint64_t first, uint64_t last,
			 unsigned int *ret_first, unsigned int *ret_last)
{
	uint64_t from = first > chunk->node.first ? first : chunk->node.first;
	uint64_t to = last < chunk->node.last ? last : chunk->node.last;

	*ret_first = (unsigned int)((from - chunk->node.first) / SVF_IOMMU_PAGE_SIZE);
	*ret_last = (unsigned int)((to - chunk->node.first) / SVF_IOMMU_PAGE_SIZE);
}

/* Of the pages from first to last, those whose bits are in the given word. */
static uint64_t word_mask(unsigned int word, unsigned int first, unsigned int last)
{
	uint64_t mask = ~0ull;

	if (first / 64 == word)
		mask &= ~0ull << first % 64;
	if (last / 64 == word)
		mask &= ~0ull >> (63 - last % 64);
	return mask;
}

void svf_dirty_start(struct svf_dirty *dirty)
{
	dirty->on = true;
}

static void chunk_free(struct svf_dirty *dirty, struct svf_machine *machine, struct chunk *chunk)
{
	svf_itree_remove(&dirty->chunks, &chunk->node);
	dirty->count--;
	machine->used.dirty_chunks--;
	free(chunk);
}

void svf_dirty_stop(struct svf_dirty *dirty, struct svf_machine *machine)
{
	struct chunk *chunk;

	while ((chunk = chunk_of(svf_itree_first(&dirty->chunks, 0, UINT64_MAX))))
		chunk_free(dirty, machine, chunk);
	dirty->on = false;
	dirty->all = false;
}

/* The one that has the page at iova, made if it is not there; NULL when it cannot be. */
static struct chunk *chunk_get(struct svf_dirty *dirty, struct svf_machine *machine, uint64_t iova)
{
	struct chunk *chunk = chunk_of(svf_itree_first(&dirty->chunks, iova, iova));

	if (chunk)
		return chunk;
	if (!svf_share_left(dirty->count, machine->used.dirty_chunks, machine->limits.dirty_chunks))
		return NULL;
	chunk = calloc(1, sizeof(*chunk));
	if (!chunk)
		return NULL;
	chunk->node.first = iova / CHUNK_SIZE * CHUNK_SIZE;
	chunk->node.last = chunk->node.first + CHUNK_SIZE - 1;
	if (!svf_itree_insert(&dirty->chunks, &chunk->node))
		assert(!"chunks overlap");
	dirty->count++;
	machine->used.dirty_chunks++;
	return chunk;
}

void svf_dirty_mark(struct svf_dirty *dirty, struct svf_machine *machine, uint64_t first,
		    uint64_t last)
{
	assert(dirty->on && first <= last);
	while (!dirty->all) {
		struct chunk *chunk = chunk_get(dirty, machine, first);
		unsigned int from, to;

		if (!chunk) {
			dirty->all = true;
			return;
		}
		pages_within(chunk, first, last, &from, &to);
		for (unsigned int word = from / 64; word <= to / 64; word++)
			chunk->words[word] |= word_mask(word, from, to);
		if (chunk->node.last >= last)
			return;
		first = chunk->node.last + 1;
	}
}

void svf_dirty_clear(struct svf_dirty *dirty, struct svf_machine *machine, uint64_t first,
		     uint64_t last)
{
	struct svf_itree_node *node = svf_itree_first(&dirty->chunks, first, last), *next;

	for (; node && node->first <= last; node = next) {
		struct chunk *chunk = chunk_of(node);
		unsigned int from, to;

		next = svf_itree_next(node);
		if (node->first >= first && node->last <= last) {
			chunk_free(dirty, machine, chunk);
			continue;
		}
		pages_within(chunk, first, last, &from, &to);
		for (unsigned int word = from / 64; word <= to / 64; word++)
			chunk->words[word] &= ~word_mask(word, from, to);
	}
}

bool svf_dirty_next(const struct svf_dirty *dirty, uint64_t *first, uint64_t last)
{
	const struct svf_itree_node *node;

	if (dirty->all)
		return true;
	node = svf_itree_first(&dirty->chunks, *first, last);
	if (node && node->first > *first)
		*first = node->first;
	return node;
}

/* Adds the bits of one word at a bit number of words, which may begin before the first. */
static void add_bits(uint64_t *words, int64_t at, uint64_t bits)
{
	if (!bits)
		return;
	if (at < 0) {
		words[0] |= bits >> -at;
		return;
	}
	words[at / 64] |= bits << at % 64;
	/* Only where there are such bits is there such a word. */
	if (at % 64 && bits >> (64 - at % 64))
		words[at / 64 + 1] |= bits >> (64 - at % 64);
}

void svf_dirty_collect(const struct svf_dirty *dirty, uint64_t first, uint64_t last,
		       uint64_t *words, unsigned int shift)
{
	struct svf_itree_node *node = svf_itree_first(&dirty->chunks, first, last);

	assert(shift < 64);
	for (; node && node->first <= last; node = svf_itree_next(node)) {
		const struct chunk *chunk = chunk_of(node);
		unsigned int from, to;
		int64_t at;

		pages_within(chunk, first, last, &from, &to);
		/* Where bit 0 of the chunk would be; before the first word's where first is inside. */
		at = ((int64_t)chunk->node.first - (int64_t)first) / (int64_t)SVF_IOMMU_PAGE_SIZE +
		     shift;
		for (unsigned int word = from / 64; word <= to / 64; word++)
			add_bits(words, at + (int64_t)word * 64,
				 chunk->words[word] & word_mask(word, from, to));
	}
}
