/* SPDX-License-Identifier: BSD-3-Clause */
/* host/share.c: no process takes the last open file from its neighbours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/host.h"

#define LIMIT 10

static struct svf_machine machine;
static struct svf_host host;

static int setup(void **state)
{
	(void)state;
	machine = (struct svf_machine){.limits.files = LIMIT};
	memset(&host, 0, sizeof(host));
	host.machine = &machine;
	svf_shares_init(&host.shares);
	return 0;
}

static int check(pid_t tid, struct svf_call *call)
{
	*call = (struct svf_call){.pid = tid};
	return svf_share_check(&host, call);
}

static void test_half_is_the_most_of_one(void **state)
{
	struct svf_share *shares[LIMIT];
	struct svf_call call;
	unsigned int held = 0;

	(void)state;
	while (check(getpid(), &call) == 0) {
		shares[held] = svf_share_take(&host, getpid());
		assert_non_null(shares[held]);
		machine.used.files = ++held;
	}
	assert_int_equal(held, LIMIT / 2);
	assert_int_equal(check(getpid(), &call), -EMFILE);
	assert_non_null(strstr(call.reason, "has opened 5 files"));
	/* Another process: init is always there. */
	assert_int_equal(check(1, &call), 0);
	while (held)
		svf_share_release(shares[--held]);
	machine.used.files = 0;
	assert_int_equal(check(getpid(), &call), 0);
}

static void test_nothing_left(void **state)
{
	struct svf_call call;

	(void)state;
	machine.used.files = LIMIT;
	assert_int_equal(check(1, &call), -EMFILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_half_is_the_most_of_one, setup),
		cmocka_unit_test_setup(test_nothing_left, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
