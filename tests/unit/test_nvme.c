/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The NVMe model's controller, driven as a driver does: registers through the VFIO device, queues in
 * the client's memory.
 */
#include "vfio_fixture.h"

#include <linux/pci_regs.h>
#include <stdlib.h>

#include "models/nvme/spec.h"
#include "topo_fixture.h"

#define DEVICE "0000:01:00.0"
#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX
#define IOVA   0x100000u

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;

static int setup(void **state)
{
	(void)state;
	machine = test_device_machine("at=" DEVICE " model=nvme");
	file = test_open_device(&client, machine, DEVICE);
	test_put(file, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_file_close(file);
	test_client_close(&client);
	test_machine_end(machine);
	return 0;
}

static uint32_t get(uint64_t offset)
{
	return test_get(file, 0, offset, 4);
}

static void put(uint64_t offset, uint32_t value)
{
	test_put(file, 0, offset, 4, value);
}

static void set_admin_queues(uint32_t aqa, uint32_t asq, uint32_t acq)
{
	put(NVME_AQA, aqa);
	put(NVME_ASQ, asq);
	put(NVME_ASQ + 4, 0);
	put(NVME_ACQ, acq);
	put(NVME_ACQ + 4, 0);
}

static void test_what_a_driver_finds(void **state)
{
	(void)state;
	assert_int_equal(test_get(file, CONFIG, PCI_CLASS_REVISION, 4) >> 8, 0x010802);
	assert_int_equal(get(NVME_VS), NVME_VERSION);
	/* CAP: 1024 entries, contiguous, ten seconds; no stride, the NVM command set, 4 to 64 KiB. */
	assert_int_equal(get(NVME_CAP), 0x140103ff);
	assert_int_equal(get(NVME_CAP + 4), 0x00400020);
	put(NVME_CAP, 0);
	put(NVME_VS, 0);
	assert_int_equal(get(NVME_CAP), 0x140103ff);
	assert_int_equal(get(NVME_VS), NVME_VERSION);
	assert_int_equal(get(NVME_CSTS), 0);
	assert_int_equal(get(0x3ffc), 0);
}

static void test_enable(void **state)
{
	(void)state;
	set_admin_queues(0x001f001f, IOVA, IOVA + 4096);
	assert_int_equal(get(NVME_ASQ), IOVA);
	put(NVME_CC, 0x00460001);
	assert_int_equal(get(NVME_CSTS), NVME_CSTS_RDY);
	put(NVME_CC, 0x00464001);
	assert_int_equal(get(NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_SHST_DONE);
	put(NVME_CC, 0x00460000);
	assert_int_equal(get(NVME_CSTS), 0);
	assert_int_equal(get(NVME_AQA), 0x001f001f);
	/* The mask of interrupts reads alike in both registers, and goes with a reset. */
	put(NVME_INTMS, 0xf0);
	put(NVME_INTMC, 0x30);
	assert_int_equal(get(NVME_INTMS), 0xc0);
	assert_int_equal(get(NVME_INTMC), 0xc0);
	put(NVME_CC, 0x00460001);
	assert_int_equal(test_ioctl_value(file, VFIO_DEVICE_RESET, 0), 0);
	assert_int_equal(get(NVME_CSTS), 0);
	assert_int_equal(get(NVME_CC), 0);
	assert_int_equal(get(NVME_INTMS), 0);
	assert_int_equal(get(NVME_ASQ), 0);
}

static void test_cannot_enable(void **state)
{
	static const struct {
		uint32_t cc, asq;
	} cases[] = {
		{0x00460011, IOVA},	     /* another command set */
		{0x00460801, IOVA},	     /* weighted round robin */
		{0x00460281, IOVA},	     /* pages of 128 KiB */
		{0x00460081, IOVA + 0x1000}, /* of 8 KiB, to which the queue is not aligned */
	};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		set_admin_queues(0x001f001f, cases[i].asq, IOVA + 0x10000);
		put(NVME_CC, cases[i].cc);
		assert_int_equal(get(NVME_CSTS), NVME_CSTS_CFS);
		put(NVME_CC, 0);
		assert_int_equal(get(NVME_CSTS), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_a_driver_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_enable, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
