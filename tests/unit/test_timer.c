/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers, with made-up time: order, moving, taking out, what fires when, against a plain list. */
#include "port.h"

#include <stdlib.h>
#include <string.h>

#include "core/timer.h"
#include "vfio_fixture.h"

#define COUNT 300u

struct alarm {
	struct svf_timer timer;
	unsigned int fired;
	uint64_t at;	   /* the time when it last fired */
	uint64_t again_ns; /* arms itself for this moment, when it fires; 0: not */
};

static struct svf_timers timers;
static struct alarm alarms[COUNT];
static unsigned int sequence[4 * COUNT], sequence_len;

static void fired(struct svf_timer *timer)
{
	struct alarm *alarm = svf_container_of(timer, struct alarm, timer);

	assert_false(svf_timer_is_armed(timer));
	alarm->fired++;
	alarm->at = timers.now_ns;
	if (sequence_len < SVF_ARRAY_SIZE(sequence))
		sequence[sequence_len++] = (unsigned int)(alarm - alarms);
	if (alarm->again_ns)
		svf_timer_arm(&timers, timer, alarm->again_ns);
}

static int setup(void **state)
{
	(void)state;
	memset(&timers, 0, sizeof(timers));
	memset(alarms, 0, sizeof(alarms));
	sequence_len = 0;
	for (unsigned int i = 0; i < COUNT; i++)
		svf_timer_init(&alarms[i].timer, fired);
	return 0;
}

static void none(void **state)
{
	(void)state;
	assert_true(svf_timers_next(&timers) == SVF_TIME_NEVER);
	assert_true(svf_timers_advance(&timers, 100) == SVF_TIME_NEVER);
	svf_timer_disarm(&timers, &alarms[0].timer);
	svf_timer_arm(&timers, &alarms[0].timer, SVF_TIME_NEVER);
	assert_false(svf_timer_is_armed(&alarms[0].timer));
}

static void at_its_time(void **state)
{
	(void)state;
	svf_timer_arm(&timers, &alarms[0].timer, 10);
	assert_true(svf_timer_is_armed(&alarms[0].timer));
	assert_int_equal(svf_timers_next(&timers), 10);
	assert_int_equal(svf_timers_advance(&timers, 9), 10);
	assert_int_equal(alarms[0].fired, 0);
	assert_true(svf_timers_advance(&timers, 10) == SVF_TIME_NEVER);
	assert_int_equal(alarms[0].fired, 1);
	/* Late is not never. */
	svf_timer_arm_after(&timers, &alarms[0].timer, 5);
	assert_int_equal(svf_timers_next(&timers), 15);
	svf_timers_advance(&timers, 1000);
	assert_int_equal(alarms[0].fired, 2);
	assert_int_equal(alarms[0].at, 1000);
	/* Time does not go back. */
	svf_timers_advance(&timers, 3);
	svf_timer_arm_after(&timers, &alarms[0].timer, 1);
	assert_int_equal(svf_timers_next(&timers), 1001);
	svf_timer_arm_after(&timers, &alarms[0].timer, SVF_TIME_NEVER - 5);
	assert_false(svf_timer_is_armed(&alarms[0].timer));
}

static void moved_and_taken_out(void **state)
{
	(void)state;
	svf_timer_arm(&timers, &alarms[0].timer, 10);
	svf_timer_arm(&timers, &alarms[1].timer, 20);
	svf_timer_arm(&timers, &alarms[2].timer, 30);
	svf_timer_arm(&timers, &alarms[0].timer, 25);
	assert_int_equal(svf_timers_next(&timers), 20);
	svf_timer_disarm(&timers, &alarms[2].timer);
	svf_timers_advance(&timers, 100);
	assert_int_equal(sequence_len, 2);
	assert_int_equal(sequence[0], 1);
	assert_int_equal(sequence[1], 0);
}

static void one_moment_in_order_of_arming(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < COUNT; i++)
		svf_timer_arm(&timers, &alarms[(i * 7) % COUNT].timer, 5);
	svf_timers_advance(&timers, 5);
	assert_int_equal(sequence_len, COUNT);
	for (unsigned int i = 0; i < COUNT; i++)
		assert_int_equal(sequence[i], (i * 7) % COUNT);
}

/* One that arms itself again for a moment gone by does not keep the machine busy. */
static void again_is_later(void **state)
{
	(void)state;
	alarms[0].again_ns = 1;
	svf_timer_arm(&timers, &alarms[0].timer, 10);
	assert_int_equal(svf_timers_advance(&timers, 10), 11);
	assert_int_equal(alarms[0].fired, 1);
	svf_timers_advance(&timers, 10);
	assert_int_equal(alarms[0].fired, 1);
	svf_timers_advance(&timers, 11);
	assert_int_equal(alarms[0].fired, 2);
}

/* The earliest of those armed, by looking at all of them. */
static uint64_t model_next(void)
{
	uint64_t next = SVF_TIME_NEVER;

	for (unsigned int i = 0; i < COUNT; i++) {
		if (alarms[i].timer.when_ns < next)
			next = alarms[i].timer.when_ns;
	}
	return next;
}

static void against_a_list(void **state)
{
	uint64_t now = 0;

	(void)state;
	srandom(7);
	for (unsigned int step = 0; step < 20000; step++) {
		struct svf_timer *timer = &alarms[(unsigned long)random() % COUNT].timer;
		unsigned int what = (unsigned int)random() % 8;

		if (what < 5)
			svf_timer_arm(&timers, timer, now + (unsigned long)random() % 1000);
		else if (what < 7)
			svf_timer_disarm(&timers, timer);
		else
			svf_timers_advance(&timers, now += (unsigned long)random() % 50);
		assert_true(svf_timers_next(&timers) == model_next());
		if (what == 7)
			assert_true(model_next() > now);
	}
	svf_timers_advance(&timers, now + 1000);
	assert_true(svf_timers_next(&timers) == SVF_TIME_NEVER);
}

/* The same by the machine, which is what a host calls. */
static void of_the_machine(void **state)
{
	struct svf_machine *machine = test_machine();

	(void)state;
	assert_true(svf_machine_advance(machine, 5) == SVF_TIME_NEVER);
	assert_int_equal(machine->timers.now_ns, 5);
	test_machine_end(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(none, setup),
		cmocka_unit_test_setup(at_its_time, setup),
		cmocka_unit_test_setup(moved_and_taken_out, setup),
		cmocka_unit_test_setup(one_moment_in_order_of_arming, setup),
		cmocka_unit_test_setup(again_is_later, setup),
		cmocka_unit_test_setup(against_a_list, setup),
		cmocka_unit_test_setup(of_the_machine, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
