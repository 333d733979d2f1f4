/* SPDX-License-Identifier: BSD-3-Clause */
/* host/client/kvm.c: which files of ours were added to which KVM device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "core/file.h"
#include "host/client/kvm.h"

#define PID    100
#define NUMBER 20

static struct svf_kvm kvm;
static struct svf_file files[SVF_KVM_USES_MAX + 1];

static int setup(void **state)
{
	(void)state;
	svf_kvm_init(&kvm);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_kvm_fini(&kvm);
	assert_int_equal(kvm.count, 0);
	return 0;
}

static void a_file_once_in_each_device(void **state)
{
	(void)state;
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[0]), 0);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[0]), -EEXIST);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[1]), 0);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER + 1, &files[0]), 0);
	assert_int_equal(svf_kvm_add(&kvm, PID + 1, NUMBER, &files[0]), 0);
	assert_int_equal(kvm.count, 4);
}

static void only_what_was_added_can_be_removed(void **state)
{
	(void)state;
	assert_int_equal(svf_kvm_remove(&kvm, PID, NUMBER, &files[0]), -ENOENT);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[0]), 0);
	assert_int_equal(svf_kvm_remove(&kvm, PID, NUMBER + 1, &files[0]), -ENOENT);
	assert_int_equal(svf_kvm_remove(&kvm, PID + 1, NUMBER, &files[0]), -ENOENT);
	assert_int_equal(svf_kvm_remove(&kvm, PID, NUMBER, &files[1]), -ENOENT);
	assert_int_equal(svf_kvm_remove(&kvm, PID, NUMBER, &files[0]), 0);
	assert_int_equal(svf_kvm_remove(&kvm, PID, NUMBER, &files[0]), -ENOENT);
}

static void a_closed_file_is_forgotten(void **state)
{
	(void)state;
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[0]), 0);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER + 1, &files[0]), 0);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[1]), 0);
	svf_kvm_forget(&kvm, NULL);
	svf_kvm_forget(&kvm, &files[0]);
	assert_int_equal(kvm.count, 1);
	/* Another file at the same address is another file. */
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[0]), 0);
	assert_int_equal(svf_kvm_remove(&kvm, PID, NUMBER, &files[1]), 0);
}

static void there_is_an_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < SVF_KVM_USES_MAX; i++)
		assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[i]), 0);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[SVF_KVM_USES_MAX]), -ENOMEM);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[7]), -EEXIST);
	svf_kvm_forget(&kvm, &files[7]);
	assert_int_equal(svf_kvm_add(&kvm, PID, NUMBER, &files[SVF_KVM_USES_MAX]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_once_in_each_device, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_was_added_can_be_removed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_closed_file_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(there_is_an_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
