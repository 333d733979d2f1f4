/* SPDX-License-Identifier: BSD-3-Clause */
/* base/idtable.c against an array, on random operations. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/idtable.h"

#define MAX   100u
#define STEPS 20000u

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static uint32_t model_lowest_free(void *const model[MAX + 1])
{
	for (uint32_t id = 1; id <= MAX; id++)
		if (!model[id])
			return id;
	return 0;
}

static void test_random(void **state)
{
	struct svf_idtable table;
	void *model[MAX + 1] = {0};
	char objects[64];
	uint32_t seed = 7;

	(void)state;
	svf_idtable_init(&table);
	for (unsigned int step = 0; step < STEPS; step++) {
		uint32_t id = next_random(&seed) % (MAX + 2);

		assert_ptr_equal(svf_idtable_lookup(&table, id), id <= MAX ? model[id] : NULL);
		/*
		 * Long runs of adding and of removing, so that it is full and empty now and then. /
		 */
		if (step / 500 % 2 && id <= MAX && model[id]) {
			svf_idtable_remove(&table, id);
			model[id] = NULL;
		} else if (step / 500 % 2 == 0) {
			void *object = &objects[next_random(&seed) % sizeof(objects)];
			uint32_t want = model_lowest_free(model);
			int64_t got = svf_idtable_add(&table, object, MAX);

			assert_int_equal(got, want ? (int64_t)want : -ENOMEM);
			model[want] = want ? object : NULL;
		}
	}
	svf_idtable_fini(&table);
	assert_null(svf_idtable_lookup(&table, 1));
}

static void test_ids_out_of_range(void **state)
{
	struct svf_idtable table;
	int object;

	(void)state;
	svf_idtable_init(&table);
	assert_null(svf_idtable_lookup(&table, 0));
	assert_null(svf_idtable_lookup(&table, UINT32_MAX));
	assert_int_equal(svf_idtable_add(&table, &object, 1), 1);
	assert_int_equal(svf_idtable_add(&table, &object, 1), -ENOMEM);
	assert_null(svf_idtable_lookup(&table, 0));
	assert_null(svf_idtable_lookup(&table, UINT32_MAX));
	svf_idtable_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_ids_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
