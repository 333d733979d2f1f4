/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers of models, with made-up time: once, periodic and late, stopped, and gone with the function. */
#include "port.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "include/softvfio/model.h"
#include "topo_fixture.h"

#define MS UINT64_C(1000000)

struct bell {
	struct svf_model_timer *timer;
	unsigned int rung, last; /* last: stops itself with that ring; 0: never */
	uint64_t at;
};

static struct svf_machine *machine;
static struct svf_function *fn;
static struct bell bell, other;

static void ring(struct svf_function *of, void *arg)
{
	struct bell *b = arg;

	assert_ptr_equal(of, fn);
	b->rung++;
	b->at = svf_model_now(of);
	if (b->rung == b->last)
		svf_model_timer_stop(b->timer);
}

static int setup(void **state)
{
	(void)state;
	machine = test_device_machine("vfs=0");
	fn = test_at(machine, "0000:01:00.0");
	svf_machine_advance(machine, 1000 * MS);
	bell = (struct bell){.timer = svf_model_add_timer(fn, ring, &bell)};
	other = (struct bell){.timer = svf_model_add_timer(fn, ring, &other)};
	assert_true(bell.timer && other.timer);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static void test_once(void **state)
{
	(void)state;
	assert_int_equal(svf_model_now(fn), 1000 * MS);
	svf_model_timer_start(bell.timer, 5 * MS, 0);
	assert_int_equal(svf_machine_advance(machine, 1005 * MS - 1), 1005 * MS);
	assert_int_equal(bell.rung, 0);
	assert_true(svf_machine_advance(machine, 1005 * MS) == SVF_TIME_NEVER);
	svf_machine_advance(machine, 9000 * MS);
	assert_int_equal(bell.rung, 1);
	assert_int_equal(bell.at, 1005 * MS);
	/* Soon is not now. */
	svf_model_timer_start(bell.timer, 0, 0);
	assert_int_equal(bell.rung, 1);
	svf_machine_advance(machine, 9000 * MS);
	assert_int_equal(bell.rung, 2);
}

static void test_periodic(void **state)
{
	(void)state;
	svf_model_timer_start(bell.timer, 2 * MS, 10 * MS);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(svf_machine_advance(machine, (1002 + 10 * i) * MS),
				 (1012 + 10 * i) * MS);
		assert_int_equal(bell.rung, i + 1);
	}
	/* Late by three and a half periods: one call, and the beat is kept. */
	assert_int_equal(svf_machine_advance(machine, 2037 * MS), 2042 * MS);
	assert_int_equal(bell.rung, 101);
	assert_int_equal(svf_machine_advance(machine, 2042 * MS), 2052 * MS);
	svf_model_timer_stop(bell.timer);
	assert_true(svf_machine_advance(machine, 5000 * MS) == SVF_TIME_NEVER);
	assert_int_equal(bell.rung, 102);
	svf_model_timer_stop(bell.timer);
}

static void test_stops_itself(void **state)
{
	(void)state;
	bell.last = 3;
	svf_model_timer_start(bell.timer, MS, MS);
	svf_model_timer_start(other.timer, MS, MS);
	for (unsigned int i = 1; i <= 10; i++)
		svf_machine_advance(machine, (1000 + i) * MS);
	assert_int_equal(bell.rung, 3);
	assert_int_equal(other.rung, 10);
}

static void test_bounds(void **state)
{
	(void)state;
	/* A period that a client chose cannot keep the machine busy. */
	svf_model_timer_start(bell.timer, 0, 1);
	assert_int_equal(svf_machine_advance(machine, 1000 * MS), 1000 * MS + SVF_MODEL_PERIOD_MIN);
	svf_model_timer_start(bell.timer, UINT64_MAX, UINT64_MAX);
	svf_machine_advance(machine, 100000 * MS);
	assert_int_equal(bell.rung, 1);
	/* Started again: what it was to do is forgotten. */
	svf_model_timer_start(bell.timer, MS, MS);
	svf_model_timer_start(bell.timer, 50 * MS, 0);
	assert_int_equal(svf_machine_advance(machine, 100010 * MS), 100050 * MS);
	/* It ends running, with its function. */
	svf_model_timer_start(other.timer, MS, MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_periodic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stops_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
