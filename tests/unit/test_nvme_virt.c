/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Secondary controllers of the NVMe model: resources given by Virtualization Management, coming online and
 * going offline, VFs that work like the PF.
 */
#include <stdlib.h>

#include "nvme_host.h"
#include "topo_fixture.h"

#define PF  "0000:01:00.0"
#define VF0 "0000:01:00.1"
#define VF1 "0000:01:00.2"

enum { PRIMARY = 0x1, OFFLINE = 0x7, ASSIGN = 0x8, ONLINE = 0x9 };
enum { VQ, VI };

static struct nvme_host pf, vf;

static void open_all(const char *words)
{
	struct svf_machine *machine = test_device_machine(words);

	host_open(&pf, machine, PF " vf_token=" TOKEN_A);
	host_open(&vf, machine, VF0 " vf_token=" TOKEN_A);
	assert_int_equal(host_enable(&pf), NVME_CSTS_RDY);
}

static int setup(void **state)
{
	(void)state;
	open_all("at=" PF " model=nvme queues=4 totalvfs=4 vfs=2 vfqueues=2");
	return 0;
}

static int setup_online(void **state)
{
	(void)state;
	open_all("at=" PF " model=nvme queues=4 totalvfs=4 vfs=2 vfqueues=2 vfonline=on");
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

static uint16_t manage(unsigned int action, unsigned int resource, unsigned int id,
		       unsigned int count)
{
	const uint32_t command[16] = {
		NVME_ADMIN_VIRTUALIZATION, [10] = id << 16 | resource << 8 | action, [11] = count};

	return host_run(&pf, 0, command);
}

static void bring_online(unsigned int id)
{
	assert_int_equal(manage(ASSIGN, VQ, id, 3), NVME_SUCCESS);
	assert_int_equal(pf.result, 3);
	assert_int_equal(manage(ASSIGN, VI, id, 2), NVME_SUCCESS);
	assert_int_equal(manage(ONLINE, 0, id, 0), NVME_SUCCESS);
}

static void test_offline(void **state)
{
	(void)state;
	assert_int_equal(host_get(&vf, NVME_CSTS), NVME_CSTS_CFS);
	assert_int_equal(host_enable(&vf), NVME_CSTS_CFS);
	host_put(&vf, NVME_CC, 0);
	assert_int_equal(host_get(&vf, NVME_CSTS), NVME_CSTS_CFS);
	assert_int_equal(test_ioctl_value(vf.file, VFIO_DEVICE_RESET, 0), 0);
	assert_int_equal(host_get(&vf, NVME_CSTS), NVME_CSTS_CFS);
	host_put(&vf, NVME_DOORBELLS, 1);
}

static void test_online(void **state)
{
	(void)state;
	bring_online(1);
	assert_int_equal(host_get(&vf, NVME_CSTS), 0);
	assert_int_equal(host_enable(&vf), NVME_CSTS_RDY);
	assert_int_equal(host_identify(&vf, 1, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&vf, 78, 2), 1);	  /* CNTLID */
	assert_int_equal(host_page_get(&vf, 76, 1), 0x6); /* CMIC */
	assert_int_equal(host_page_get(&vf, 256, 2) & 0x80, 0);
	assert_int_equal(host_set_feature(&vf, NVME_FEATURE_NUMBER_OF_QUEUES, 0x50005),
			 NVME_SUCCESS);
	assert_int_equal(vf.result, 0x10001);
	host_make_queue(&vf, 1);
	host_make_queue(&vf, 2);
	assert_int_equal(host_run(&vf, 2, (uint32_t[16]){0x7f}), NVME_INVALID_OPCODE);
	assert_int_equal(host_run(&vf, 0, (uint32_t[16]){NVME_ADMIN_VIRTUALIZATION}),
			 NVME_INVALID_OPCODE);
	assert_int_equal(host_identify(&vf, 0x14, 0), NVME_INVALID_FIELD);
	assert_int_equal(host_identify(&vf, 0x15, 0), NVME_INVALID_FIELD);
	/* Offline, and back: as after a reset. */
	assert_int_equal(manage(OFFLINE, 0, 1, 0), NVME_SUCCESS);
	assert_int_equal(host_get(&vf, NVME_CSTS), NVME_CSTS_CFS);
	assert_int_equal(manage(ONLINE, 0, 1, 0), NVME_SUCCESS);
	assert_int_equal(host_get(&vf, NVME_CSTS), 0);
	assert_int_equal(host_get(&vf, NVME_CC), 0);
	assert_int_equal(host_enable(&vf), NVME_CSTS_RDY);
	host_make_queue(&vf, 1);
}

static void test_vector_beyond_those_given(void **state)
{
	uint32_t command[16] = {NVME_ADMIN_CREATE_CQ, [6] = (uint32_t)host_cq_iova(1),
				[10] = 0x001f0001, [11] = 2u << 16 | 3};

	(void)state;
	bring_online(1);
	host_enable(&vf);
	assert_int_equal(host_run(&vf, 0, command), NVME_INVALID_INTERRUPT_VECTOR);
	command[11] = 1u << 16 | 3;
	assert_int_equal(host_run(&vf, 0, command), NVME_SUCCESS);
	command[10] = 0x001f0003;
	assert_int_equal(host_run(&vf, 0, command), NVME_INVALID_QUEUE_ID);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(manage(0, 0, 1, 0), NVME_INVALID_FIELD);
	assert_int_equal(manage(2, 0, 1, 0), NVME_INVALID_FIELD);
	assert_int_equal(manage(ONLINE, 0, 0, 0), NVME_INVALID_CONTROLLER_ID);
	assert_int_equal(manage(ONLINE, 0, 5, 0), NVME_INVALID_CONTROLLER_ID);
	assert_int_equal(manage(PRIMARY, VQ, 1, 1), NVME_INVALID_CONTROLLER_ID);
	assert_int_equal(manage(ASSIGN, 2, 1, 1), NVME_INVALID_RESOURCE_ID);
	assert_int_equal(manage(ASSIGN, VQ, 1, 4), NVME_INVALID_NUMBER_OF_RESOURCES);
	/* Not without queues and vectors, nor one whose VF does not exist. */
	assert_int_equal(manage(ONLINE, 0, 1, 0), NVME_INVALID_SECONDARY_STATE);
	assert_int_equal(manage(ASSIGN, VQ, 1, 2), NVME_SUCCESS);
	assert_int_equal(manage(ONLINE, 0, 1, 0), NVME_INVALID_SECONDARY_STATE);
	assert_int_equal(manage(ASSIGN, VI, 1, 1), NVME_SUCCESS);
	assert_int_equal(manage(ONLINE, 0, 1, 0), NVME_SUCCESS);
	assert_int_equal(manage(ASSIGN, VI, 1, 2), NVME_INVALID_SECONDARY_STATE);
	assert_int_equal(manage(ASSIGN, VQ, 3, 2), NVME_SUCCESS);
	assert_int_equal(manage(ASSIGN, VI, 3, 2), NVME_SUCCESS);
	assert_int_equal(manage(ONLINE, 0, 3, 0), NVME_INVALID_SECONDARY_STATE);
}

/* 12 flexible queue pairs, 4 for each VF. */
static void test_resources_are_shared(void **state)
{
	(void)state;
	assert_int_equal(manage(PRIMARY, VQ, 0, 13), NVME_INVALID_NUMBER_OF_RESOURCES);
	assert_int_equal(manage(PRIMARY, VQ, 0, 11), NVME_SUCCESS);
	assert_int_equal(pf.result, 11);
	assert_int_equal(manage(ASSIGN, VQ, 1, 2), NVME_INVALID_NUMBER_OF_RESOURCES);
	assert_int_equal(manage(ASSIGN, VQ, 1, 1), NVME_SUCCESS);
	assert_int_equal(manage(PRIMARY, VQ, 0, 12), NVME_INVALID_NUMBER_OF_RESOURCES);
	/* The primary has them from its next reset on. */
	assert_int_equal(host_get_feature(&pf, NVME_FEATURE_NUMBER_OF_QUEUES, 0), NVME_SUCCESS);
	assert_int_equal(pf.result, 0x30003);
	host_put(&pf, NVME_CC, 0);
	assert_int_equal(host_enable(&pf), NVME_CSTS_RDY);
	assert_int_equal(host_get_feature(&pf, NVME_FEATURE_NUMBER_OF_QUEUES, 0), NVME_SUCCESS);
	assert_int_equal(pf.result, 0xe000e);
	assert_int_equal(host_identify(&pf, 0x14, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&pf, 4, 1), 3);
	assert_int_equal(host_page_get(&pf, 32, 4), 12); /* VQFRT */
	assert_int_equal(host_page_get(&pf, 36, 4), 1);	 /* VQRFA */
	assert_int_equal(host_page_get(&pf, 40, 2), 11); /* VQRFAP */
	assert_int_equal(host_page_get(&pf, 42, 2), 5);	 /* VQPRT */
	assert_int_equal(host_page_get(&pf, 44, 2), 3);	 /* VQFRSM */
	assert_int_equal(host_page_get(&pf, 64, 4), 12); /* VIFRT */
	assert_int_equal(host_page_get(&pf, 72, 2), 0);	 /* VIRFAP */
}

static void test_list(void **state)
{
	(void)state;
	bring_online(2);
	assert_int_equal(host_identify(&pf, 0x15, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&pf, 0, 1), 4);
	assert_int_equal(host_page_get(&pf, 32, 2), 1);
	assert_int_equal(host_page_get(&pf, 36, 1), 0);
	assert_int_equal(host_page_get(&pf, 64, 2), 2);
	assert_int_equal(host_page_get(&pf, 66, 2), 0);
	assert_int_equal(host_page_get(&pf, 68, 1), 1);
	assert_int_equal(host_page_get(&pf, 72, 2), 2);
	assert_int_equal(host_page_get(&pf, 74, 2), 3);
	assert_int_equal(host_page_get(&pf, 76, 2), 2);
	assert_int_equal(host_identify(&pf, 0x00040015, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&pf, 0, 1), 1);
	assert_int_equal(host_page_get(&pf, 32, 2), 4);
}

/* A reset of a VF leaves it online; one of the PF takes all offline, who keep what they were given. */
static void test_resets(void **state)
{
	(void)state;
	bring_online(1);
	host_enable(&vf);
	assert_int_equal(test_ioctl_value(vf.file, VFIO_DEVICE_RESET, 0), 0);
	assert_int_equal(host_get(&vf, NVME_CSTS), 0);
	test_put(vf.file, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
	assert_int_equal(host_enable(&vf), NVME_CSTS_RDY);
	assert_int_equal(test_ioctl_value(pf.file, VFIO_DEVICE_RESET, 0), 0);
	assert_int_equal(host_get(&vf, NVME_CSTS), NVME_CSTS_CFS);
	test_put(pf.file, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
	assert_int_equal(host_enable(&pf), NVME_CSTS_RDY);
	assert_int_equal(manage(ONLINE, 0, 1, 0), NVME_SUCCESS);
	assert_int_equal(host_get(&vf, NVME_CSTS), 0);
}

static void test_online_from_the_start(void **state)
{
	(void)state;
	assert_int_equal(host_enable(&vf), NVME_CSTS_RDY);
	host_make_queue(&vf, 2);
	assert_int_equal(test_ioctl_value(pf.file, VFIO_DEVICE_RESET, 0), 0);
	assert_int_equal(host_get(&vf, NVME_CSTS), 0);
	test_put(vf.file, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
	assert_int_equal(host_enable(&vf), NVME_CSTS_RDY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_offline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_online, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vector_beyond_those_given, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resources_are_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_online_from_the_start, setup_online, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
