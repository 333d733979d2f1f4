/* SPDX-License-Identifier: BSD-3-Clause */
/* core/iommu/dirty.c: records of written pages, against a plain bitmap, and their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/iommu/dirty.h"
#include "core/iommu/iova_space.h"
#include "port.h"

#define PAGE  ((uint64_t)SVF_IOMMU_PAGE_SIZE)
#define BASE  (0x7fffull << 32) /* some chunks above and below are used */
#define PAGES (3 * 4096u)	/* three chunks */
#define STEPS 20000u

static struct {
	struct svf_machine *machine;
	struct svf_dirty dirty;
	bool written[PAGES];
	uint64_t words[PAGES / 64 + 2];
	uint64_t random;
} t;

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.machine = test_machine();
	t.random = 88172645463325252ull;
	svf_dirty_start(&t.dirty);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_dirty_stop(&t.dirty, t.machine);
	assert_int_equal(t.dirty.count, 0);
	assert_int_equal(t.machine->used.dirty_chunks, 0);
	test_machine_end(t.machine);
	return 0;
}

static unsigned int below(unsigned int n)
{
	t.random ^= t.random << 13;
	t.random ^= t.random >> 7;
	t.random ^= t.random << 17;
	return (unsigned int)(t.random >> 33) % n;
}

static void mark(uint64_t first, uint64_t last)
{
	svf_dirty_mark(&t.dirty, t.machine, first, last);
}

static void check(unsigned int first, unsigned int last, unsigned int shift)
{
	memset(t.words, 0, sizeof(t.words));
	svf_dirty_collect(&t.dirty, BASE + first * PAGE, BASE + (last + 1) * PAGE - 1, t.words,
			  shift);
	for (unsigned int bit = 0; bit < sizeof(t.words) * 8; bit++) {
		bool is = t.words[bit / 64] >> bit % 64 & 1;
		unsigned int page = first + bit - shift;

		assert_int_equal(is, bit >= shift && page <= last && t.written[page]);
	}
}

/* Marks, clears and looks at random, most of it short, some across chunks. */
static void test_random(void **state)
{
	(void)state;
	for (unsigned int step = 0; step < STEPS; step++) {
		unsigned int first = below(PAGES), most = step % 16 ? 70 : PAGES;
		unsigned int left = PAGES - first, last = first + below(left < most ? left : most);

		switch (step % 3) {
		case 0:
			mark(BASE + first * PAGE + below(4096), BASE + last * PAGE + 4095);
			memset(t.written + first, 1, last - first + 1);
			break;
		case 1:
			svf_dirty_clear(&t.dirty, t.machine, BASE + first * PAGE,
					BASE + last * PAGE + 4095);
			memset(t.written + first, 0, last - first + 1);
			break;
		default:
			if (step % 64 == 2)
				check(first, last, below(64));
			break;
		}
	}
	check(0, PAGES - 1, 0);
}

static void test_edges(void **state)
{
	(void)state;
	mark(0, 0);
	mark(UINT64_MAX, UINT64_MAX);
	assert_int_equal(t.dirty.count, 2);
	svf_dirty_collect(&t.dirty, 0, PAGE - 1, t.words, 63);
	assert_int_equal(t.words[0], 1ull << 63);
	svf_dirty_collect(&t.dirty, UINT64_MAX - 2 * PAGE + 1, UINT64_MAX, t.words + 1, 0);
	assert_int_equal(t.words[1], 2);
	/* One page of a chunk, then the whole: only that frees it. */
	svf_dirty_clear(&t.dirty, t.machine, 0, PAGE - 1);
	assert_int_equal(t.dirty.count, 2);
	svf_dirty_clear(&t.dirty, t.machine, 0, UINT64_MAX);
	assert_int_equal(t.dirty.count, 0);
	/* The last byte of one chunk and the first of the next. */
	mark(BASE - 1, BASE);
	assert_int_equal(t.dirty.count, 2);
}

/* Out of chunks: all counts as written, until it is stopped. */
static void test_bound(void **state)
{
	(void)state;
	t.machine->limits.dirty_chunks = 3;
	mark(0, 0);
	mark(BASE, BASE);
	assert_false(t.dirty.all);
	mark(2 * BASE, 2 * BASE);
	assert_true(t.dirty.all);
	mark(3 * BASE, 3 * BASE);
	assert_int_equal(t.dirty.count, 2);
	svf_dirty_stop(&t.dirty, t.machine);
	assert_false(t.dirty.all);
	assert_false(t.dirty.on);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_random), TEST(test_edges), TEST(test_bound)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
