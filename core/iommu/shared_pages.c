/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See shared_pages.h. A run knows how many mappings have it, and how many of them begin at its first page
 * and end at its last: two runs side by side are one when no mapping ends and none begins between
 * them. Removing never needs memory, since the ends of a mapping are ends of runs.
 */
#include "core/iommu/shared_pages.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/compiler.h"

struct run {
	struct svf_itree_node node; /* pages */
	unsigned int mappings, starts, ends;
};

struct svf_shared_pages *svf_shared_pages_alloc(void)
{
	struct svf_shared_pages *pages = calloc(1, sizeof(*pages));

	if (pages)
		pages->refs = 1;
	return pages;
}

struct svf_shared_pages *svf_shared_pages_get(struct svf_shared_pages *pages)
{
	pages->refs++;
	return pages;
}

void svf_shared_pages_put(struct svf_shared_pages *pages)
{
	if (!pages || --pages->refs)
		return;
	assert(!pages->runs.root);
	free(pages);
}

static struct run *run_at(const struct svf_shared_pages *pages, uint64_t page)
{
	struct svf_itree_node *node = svf_itree_first(&pages->runs, page, page);

	return node ? svf_container_of(node, struct run, node) : NULL;
}

static int insert(struct svf_shared_pages *pages, uint64_t first, uint64_t last,
		  const struct run *like)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return -ENOMEM;
	*run = *like;
	run->node.first = first;
	run->node.last = last;
	if (!svf_itree_insert(&pages->runs, &run->node))
		assert(!"the pages were in no run");
	return 0;
}

/* So that a run begins at page, if it is in one. */
static int split(struct svf_shared_pages *pages, uint64_t page)
{
	struct run *run = run_at(pages, page), right;
	uint64_t last;
	int err;

	if (!run || run->node.first == page)
		return 0;
	last = run->node.last;
	right = (struct run){.mappings = run->mappings, .ends = run->ends};
	run->node.last = page - 1;
	err = insert(pages, page, last, &right);
	if (err)
		run->node.last = last;
	else
		run->ends = 0;
	return err;
}

/* The run that begins at page goes into the one before it, unless a mapping ends between them. */
static void merge(struct svf_shared_pages *pages, uint64_t page)
{
	struct run *right = run_at(pages, page), *left = page ? run_at(pages, page - 1) : NULL;

	if (!left || !right || left == right || left->ends || right->starts)
		return;
	assert(left->mappings == right->mappings);
	svf_itree_remove(&pages->runs, &right->node);
	left->node.last = right->node.last;
	left->ends = right->ends;
	free(right);
}

/* Runs that no mapping has, for what is in none yet. */
static int fill(struct svf_shared_pages *pages, struct svf_page_range range)
{
	static const struct run nobody;
	uint64_t page = range.first;
	int err = 0;

	while (!err && page <= range.last) {
		const struct svf_itree_node *next = svf_itree_first(&pages->runs, page, range.last);
		uint64_t last = next ? next->first - 1 : range.last;

		if (!next || next->first > page)
			err = insert(pages, page, last, &nobody);
		page = next ? next->last + 1 : range.last + 1;
	}
	return err;
}

/* Away with those that no mapping has. Return: their pages. */
static uint64_t sweep(struct svf_shared_pages *pages, struct svf_page_range range)
{
	struct svf_itree_node *node = svf_itree_first(&pages->runs, range.first, range.last), *next;
	uint64_t count = 0;

	for (; node && node->first <= range.last; node = next) {
		struct run *run = svf_container_of(node, struct run, node);

		next = svf_itree_next(node);
		if (run->mappings)
			continue;
		count += node->last - node->first + 1;
		svf_itree_remove(&pages->runs, node);
		free(run);
	}
	merge(pages, range.first);
	merge(pages, range.last + 1);
	return count;
}

/* One mapping more or less has the range. Return: pages that none had before, or has then. */
static uint64_t count_mapping(struct svf_shared_pages *pages, struct svf_page_range range,
			      bool more)
{
	struct svf_itree_node *node = svf_itree_first(&pages->runs, range.first, range.last);
	const unsigned int change = more ? 1 : -1u;
	uint64_t count = 0;

	run_at(pages, range.first)->starts += change;
	run_at(pages, range.last)->ends += change;
	for (; node && node->first <= range.last; node = svf_itree_next(node)) {
		struct run *run = svf_container_of(node, struct run, node);

		if (more ? !run->mappings : run->mappings == 1)
			count += node->last - node->first + 1;
		run->mappings += change;
	}
	return count;
}

int svf_shared_pages_add(struct svf_shared_pages *pages, struct svf_page_range range, uint64_t *ret)
{
	int err = split(pages, range.first);

	if (!err)
		err = split(pages, range.last + 1);
	if (!err)
		err = fill(pages, range);
	if (err) {
		sweep(pages, range);
		return err;
	}
	*ret = count_mapping(pages, range, true);
	return 0;
}

uint64_t svf_shared_pages_remove(struct svf_shared_pages *pages, struct svf_page_range range)
{
	count_mapping(pages, range, false);
	return sweep(pages, range);
}

int svf_shared_pages_cut(struct svf_shared_pages *pages, uint64_t page)
{
	int err = split(pages, page);

	if (err)
		return err;
	run_at(pages, page - 1)->ends++;
	run_at(pages, page)->starts++;
	return 0;
}

void svf_shared_pages_join(struct svf_shared_pages *pages, uint64_t page)
{
	run_at(pages, page - 1)->ends--;
	run_at(pages, page)->starts--;
	merge(pages, page);
}
