/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Polled doorbells of the NVMe model: they are memory, looked at by a timer, which is slow when there is
 * nothing to do and stands still when the controller is not enabled.
 */
#include <linux/pci_regs.h>

#include "nvme_host.h"
#include "topo_fixture.h"

#define PF    "0000:01:00.0"
#define VF0   "0000:01:00.1"
#define MS    UINT64_C(1000000)
#define WORDS "at=" PF " model=nvme doorbells=polled queues=4 totalvfs=2 vfs=1 vfonline=on stride=2"

static struct nvme_host pf, vf;

static int setup(void **state)
{
	struct svf_machine *machine = test_device_machine(WORDS);

	(void)state;
	host_open(&pf, machine, PF " vf_token=" TOKEN_A);
	host_open(&vf, machine, VF0 " vf_token=" TOKEN_A);
	/* Longer than the timer ever takes. */
	pf.settle_ns = vf.settle_ns = 20 * MS;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&vf);
	host_close(&pf);
	test_machine_end(pf.machine);
	return 0;
}

static void test_commands(void **state)
{
	struct nvme_host *hosts[] = {&pf, &vf};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(host_enable(hosts[i]), NVME_CSTS_RDY);
		assert_int_equal(host_identify(hosts[i], 1, 0), NVME_SUCCESS);
		assert_int_equal(host_page_get(hosts[i], 78, 2), i);
		/* Twice, so that the second queue begins with a doorbell that the first has left. */
		for (unsigned int k = 0; k < 2; k++) {
			host_make_queue(hosts[i], 1);
			for (unsigned int n = 0; n < HOST_ENTRIES + 5; n++)
				assert_int_equal(host_run(hosts[i], 1, (uint32_t[16]){0x7f}),
						 NVME_INVALID_OPCODE);
			assert_int_equal(host_run(hosts[i], 0,
						  (uint32_t[16]){NVME_ADMIN_DELETE_SQ, [10] = 1}),
					 NVME_SUCCESS);
			assert_int_equal(host_run(hosts[i], 0,
						  (uint32_t[16]){NVME_ADMIN_DELETE_CQ, [10] = 1}),
					 NVME_SUCCESS);
		}
	}
}

/* Nothing happens within the write itself, and a doorbell reads as what was written. */
static void test_doorbells_are_memory(void **state)
{
	uint16_t cid;

	(void)state;
	host_enable(&pf);
	host_submit(&pf, 0, (uint32_t[16]){0x7f});
	host_ring(&pf, 0);
	assert_int_equal(host_get(&pf, NVME_DOORBELLS), 1);
	assert_false(host_poll(&pf, 0, &cid));
	host_settle(&pf);
	assert_true(host_poll(&pf, 0, &cid));
}

static void test_wrong_value_is_told_once(void **state)
{
	uint16_t cid;

	(void)state;
	host_enable(&pf);
	for (unsigned int i = 0; i < 3; i++)
		host_submit(&pf, 0, (uint32_t[16]){NVME_ADMIN_ASYNC_EVENT_REQUEST});
	host_ring(&pf, 0);
	host_settle(&pf);
	host_put(&pf, NVME_DOORBELLS, 999);
	host_settle(&pf);
	assert_true(host_poll(&pf, 0, &cid));
	assert_int_equal(pf.result, 0x010100);
	assert_int_equal(host_log_page(&pf, 0x000f0001, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&pf, 0, 8), 1);
	assert_false(host_poll(&pf, 0, &cid));
}

/* How often the timer goes off in a second without a command. */
static unsigned int wake_ups(void)
{
	return host_pass(&pf, 1000 * MS);
}

static void test_idle(void **state)
{
	(void)state;
	assert_int_equal(wake_ups(), 0);
	host_enable(&pf);
	host_settle(&pf);
	assert_in_range(wake_ups(), 50, 100);
	host_put(&pf, NVME_CC, 0);
	assert_int_equal(wake_ups(), 0);
	host_enable(&pf);
	assert_int_equal(test_ioctl_value(pf.file, VFIO_DEVICE_RESET, 0), 0);
	assert_int_equal(wake_ups(), 0);
}

static void test_refused_option(void **state)
{
	struct test_topology t;

	(void)state;
	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" PF " model=nvme doorbells=both");
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	assert_non_null(strstr(t.error.text, "trapped or polled"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doorbells_are_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_value_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test(test_refused_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
