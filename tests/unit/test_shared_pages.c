/* SPDX-License-Identifier: BSD-3-Clause */
/* core/iommu/shared_pages.c: random mappings of some pages, cut and joined too, against a plain count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/iommu/shared_pages.h"

#define PAGES	 64u
#define MAPPINGS 24u
#define STEPS	 200000u

static struct {
	struct svf_shared_pages *pages;
	unsigned int counts[PAGES];
	struct svf_page_range mappings[MAPPINGS];
	bool used[MAPPINGS];
	uint64_t random;
} t;

static unsigned int below(unsigned int n)
{
	t.random ^= t.random << 13;
	t.random ^= t.random >> 7;
	t.random ^= t.random << 17;
	return (unsigned int)(t.random >> 33) % n;
}

/* Return: pages that are or were in no other. */
static unsigned int count(struct svf_page_range range, int change)
{
	unsigned int alone = 0;

	for (uint64_t page = range.first; page <= range.last; page++) {
		alone += t.counts[page] == (change < 0);
		t.counts[page] += (unsigned int)change;
	}
	return alone;
}

static void add(unsigned int i)
{
	uint64_t first = below(PAGES), charged;

	t.mappings[i] = (struct svf_page_range){first, first + below(PAGES - (unsigned int)first)};
	assert_int_equal(svf_shared_pages_add(t.pages, t.mappings[i], &charged), 0);
	assert_int_equal(charged, count(t.mappings[i], 1));
	t.used[i] = true;
}

static void take_away(unsigned int i)
{
	assert_int_equal(svf_shared_pages_remove(t.pages, t.mappings[i]), count(t.mappings[i], -1));
	t.used[i] = false;
}

/* In two, of which the second takes the place of a free one; or joined again at once. */
static void cut(unsigned int i, unsigned int other)
{
	struct svf_page_range *range = &t.mappings[i];
	uint64_t page;

	if (range->first == range->last)
		return;
	page = range->first + 1 + below((unsigned int)(range->last - range->first));
	assert_int_equal(svf_shared_pages_cut(t.pages, page), 0);
	if (t.used[other]) {
		svf_shared_pages_join(t.pages, page);
		return;
	}
	t.mappings[other] = (struct svf_page_range){page, range->last};
	t.used[other] = true;
	range->last = page - 1;
}

/* Runs are what is charged, and end only where a mapping does. */
static void check(void)
{
	struct svf_itree_node *node = svf_itree_first(&t.pages->runs, 0, UINT64_MAX);
	unsigned int runs = 0, mappings = 0;

	for (uint64_t page = 0; page < PAGES; page++)
		assert_int_equal(t.counts[page] > 0,
				 svf_itree_first(&t.pages->runs, page, page) != NULL);
	for (; node; node = svf_itree_next(node))
		runs++;
	for (unsigned int i = 0; i < MAPPINGS; i++)
		mappings += t.used[i];
	assert_true(runs <= 2 * mappings);
}

static void random_mappings(void **state)
{
	(void)state;
	t.random = 88172645463325252ull;
	t.pages = svf_shared_pages_alloc();
	assert_non_null(t.pages);
	for (unsigned int step = 0; step < STEPS; step++) {
		unsigned int i = below(MAPPINGS);

		if (!t.used[i])
			add(i);
		else if (below(2))
			cut(i, below(MAPPINGS));
		else
			take_away(i);
		check();
	}
	for (unsigned int i = 0; i < MAPPINGS; i++)
		if (t.used[i])
			take_away(i);
	assert_null(t.pages->runs.root);
	svf_shared_pages_put(svf_shared_pages_get(t.pages));
	svf_shared_pages_put(t.pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_mappings)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
