/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The NVMe model's controller: registers, queues, doorbells, interrupts. Everything is done as a driver
 * does it, through the VFIO device and memory that is mapped for it.
 */
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "include/softvfio/model.h"
#include "nvme_host.h"
#include "topo_fixture.h"

#define DEVICE "0000:01:00.0"
#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX

static struct nvme_host host;

static int setup(void **state)
{
	(void)state;
	host_open(&host, test_device_machine("at=" DEVICE " model=nvme queues=6"), DEVICE);
	return 0;
}

static int setup_enabled(void **state)
{
	setup(state);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&host);
	test_machine_end(host.machine);
	return 0;
}

/* --- registers --- */

static void test_what_a_driver_finds(void **state)
{
	(void)state;
	assert_int_equal(test_get(host.file, CONFIG, PCI_CLASS_REVISION, 4) >> 8, 0x010802);
	assert_int_equal(host_get(&host, NVME_VS), NVME_VERSION);
	/* CAP: 1024 entries, contiguous, ten seconds; no stride, the NVM command set, 4 to 64 KiB. */
	assert_int_equal(host_get(&host, NVME_CAP), 0x140103ff);
	assert_int_equal(host_get(&host, NVME_CAP + 4), 0x00400020);
	host_put(&host, NVME_CAP, 0);
	host_put(&host, NVME_VS, 0);
	assert_int_equal(host_get(&host, NVME_CAP), 0x140103ff);
	assert_int_equal(host_get(&host, NVME_VS), NVME_VERSION);
	assert_int_equal(host_get(&host, NVME_CSTS), 0);
	assert_int_equal(host_get(&host, 0x3ffc), 0);
}

static void test_enable(void **state)
{
	(void)state;
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	assert_int_equal(host_get(&host, NVME_ASQ), HOST_IOVA);
	host_put(&host, NVME_CC, HOST_CC | 0x4000);
	assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_SHST_DONE);
	host_put(&host, NVME_CC, HOST_CC & ~1u);
	assert_int_equal(host_get(&host, NVME_CSTS), 0);
	assert_int_equal(host_get(&host, NVME_AQA), (HOST_ENTRIES - 1) << 16 | (HOST_ENTRIES - 1));
	/* The mask of interrupts reads alike in both registers, and goes with a reset. */
	host_put(&host, NVME_INTMS, 0xf0);
	host_put(&host, NVME_INTMC, 0x30);
	assert_int_equal(host_get(&host, NVME_INTMS), 0xc0);
	assert_int_equal(host_get(&host, NVME_INTMC), 0xc0);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	assert_int_equal(test_ioctl_value(host.file, VFIO_DEVICE_RESET, 0), 0);
	assert_int_equal(host_get(&host, NVME_CSTS), 0);
	assert_int_equal(host_get(&host, NVME_CC), 0);
	assert_int_equal(host_get(&host, NVME_INTMS), 0);
	assert_int_equal(host_get(&host, NVME_ASQ), 0);
}

static void test_cannot_enable(void **state)
{
	static const struct {
		uint32_t cc, aqa, asq;
	} cases[] = {
		{0x00460011, 0x001f001f, HOST_IOVA},	      /* another command set */
		{0x00460801, 0x001f001f, HOST_IOVA},	      /* weighted round robin */
		{0x00460281, 0x001f001f, HOST_IOVA},	      /* pages of 128 KiB */
		{0x00460081, 0x001f001f, HOST_IOVA + 0x1000}, /* of 8 KiB, the queue not aligned */
		{0x00460001, 0x00000001, HOST_IOVA},	      /* a queue of one entry */
		{0x00460001, 0x00010000, HOST_IOVA},
	};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		host_put(&host, NVME_AQA, cases[i].aqa);
		host_put64(&host, NVME_ASQ, cases[i].asq);
		host_put64(&host, NVME_ACQ, HOST_IOVA + 0x10000);
		host_put(&host, NVME_CC, cases[i].cc);
		assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_CFS);
		host_put(&host, NVME_CC, 0);
		assert_int_equal(host_get(&host, NVME_CSTS), 0);
	}
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
}

/* --- queues --- */

/* Each row is one command; what is not said is right. */
static void test_create_and_delete_queues(void **state)
{
	static const struct {
		uint32_t opcode, dword10, dword11;
		uint64_t prp1;
		uint16_t status;
	} cases[] = {
		{NVME_ADMIN_CREATE_CQ, 0x001f0000, 3, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_CREATE_CQ, 0x001f0007, 3, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_CREATE_CQ, 0x00000001, 3, 0, NVME_INVALID_QUEUE_SIZE},
		{NVME_ADMIN_CREATE_CQ, 0x04000001, 3, 0, NVME_INVALID_QUEUE_SIZE},
		{NVME_ADMIN_CREATE_CQ, 0x001f0001, 2, 0, NVME_INVALID_FIELD},
		{NVME_ADMIN_CREATE_CQ, 0x001f0001, 3, 8, NVME_PRP_OFFSET_INVALID},
		{NVME_ADMIN_CREATE_CQ, 0x001f0001, 0x01000003, 0, NVME_INVALID_INTERRUPT_VECTOR},
		{NVME_ADMIN_CREATE_CQ, 0x03ff0001, 3, 0, NVME_SUCCESS},
		{NVME_ADMIN_CREATE_CQ, 0x001f0001, 3, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_CREATE_SQ, 0x001f0000, 0x10001, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_CREATE_SQ, 0x001f0007, 0x10001, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_CREATE_SQ, 0x001f0002, 0x00001, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_CREATE_SQ, 0x001f0002, 0x70001, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_CREATE_SQ, 0x001f0002, 0x60001, 0, NVME_CQ_INVALID},
		{NVME_ADMIN_CREATE_SQ, 0x00000002, 0x10001, 0, NVME_INVALID_QUEUE_SIZE},
		{NVME_ADMIN_CREATE_SQ, 0xffff0002, 0x10001, 0, NVME_INVALID_QUEUE_SIZE},
		{NVME_ADMIN_CREATE_SQ, 0x001f0002, 0x10000, 0, NVME_INVALID_FIELD},
		{NVME_ADMIN_CREATE_SQ, 0x001f0002, 0x10001, 2048, NVME_PRP_OFFSET_INVALID},
		/* A priority means nothing without weighted round robin. */
		{NVME_ADMIN_CREATE_SQ, 0x001f0002, 0x10005, 0, NVME_SUCCESS},
		{NVME_ADMIN_CREATE_SQ, 0x001f0002, 0x10001, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_DELETE_CQ, 0, 0, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_DELETE_CQ, 2, 0, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_DELETE_CQ, 0xffff, 0, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_DELETE_CQ, 1, 0, 0, NVME_INVALID_QUEUE_DELETION},
		{NVME_ADMIN_DELETE_SQ, 0, 0, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_DELETE_SQ, 1, 0, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_DELETE_SQ, 2, 0, 0, NVME_SUCCESS},
		{NVME_ADMIN_DELETE_SQ, 2, 0, 0, NVME_INVALID_QUEUE_ID},
		{NVME_ADMIN_DELETE_CQ, 1, 0, 0, NVME_SUCCESS},
		{NVME_ADMIN_DELETE_CQ, 1, 0, 0, NVME_INVALID_QUEUE_ID},
	};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		const uint32_t command[16] = {
			cases[i].opcode,
			[6] = (uint32_t)(HOST_IOVA + HOST_FREE + cases[i].prp1),
			[10] = cases[i].dword10,
			[11] = cases[i].dword11,
		};

		if (host_run(&host, 0, command) != cases[i].status)
			fail_msg("row %u: status %x", i, host.status);
	}
}

static void test_entry_sizes(void **state)
{
	const uint32_t create_cq[16] = {
		NVME_ADMIN_CREATE_CQ, [6] = (uint32_t)host_cq_iova(1), [10] = 0x001f0001, [11] = 3};

	(void)state;
	host_put(&host, NVME_CC, 0x00360001);
	assert_int_equal(host_run(&host, 0, create_cq), NVME_INVALID_QUEUE_SIZE);
	host_put(&host, NVME_CC, HOST_CC);
	assert_int_equal(host_run(&host, 0, create_cq), NVME_SUCCESS);
}

/* Entries the queues go around several times, also with all that fit at once. */
static void test_queues_are_rings(void **state)
{
	const uint32_t unknown[16] = {0x7f};
	uint16_t cid = 0, expected;

	(void)state;
	host_make_queue(&host, 1);
	for (unsigned int round = 0; round < 200; round++) {
		unsigned int count = round % (HOST_ENTRIES - 1) + 1;

		expected = (uint16_t)(host.cid + 1);
		for (unsigned int i = 0; i < count; i++)
			host_submit(&host, 1, unknown);
		host_ring(&host, 1);
		host_settle(&host);
		for (unsigned int i = 0; i < count; i++) {
			assert_true(host_poll(&host, 1, &cid));
			assert_int_equal(cid, expected++);
			assert_int_equal(host.status, NVME_INVALID_OPCODE);
			assert_false(host.retry);
		}
		assert_false(host_poll(&host, 1, &cid));
	}
}

/* A host that does not take completions holds up its own queue, and no other. */
static void test_full_completion_queue(void **state)
{
	const uint32_t unknown[16] = {0x7f};
	uint16_t cid = 0;
	unsigned int done = 0;

	(void)state;
	host_make_queue(&host, 1);
	host_make_queue(&host, 2);
	for (unsigned int k = 0; k < 2; k++) {
		for (unsigned int i = 0; i < HOST_ENTRIES - 1; i++)
			host_submit(&host, 1, unknown);
		host_ring(&host, 1);
		host_settle(&host);
	}
	assert_int_equal(host_run(&host, 2, unknown), NVME_INVALID_OPCODE);
	while (host_poll(&host, 1, &cid))
		done++;
	assert_int_equal(done, 2 * (HOST_ENTRIES - 1));
}

/* Other addresses than those of doorbells are nothing, also when they are between two. */
static void test_stride(void **state)
{
	const uint32_t unknown[16] = {0x7f};
	uint16_t cid;

	(void)state;
	host_open(&host,
		  test_device_machine("at=" DEVICE " model=nvme queues=6 stride=4 totalvfs=0"),
		  DEVICE);
	assert_int_equal(host.stride, 4);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	for (unsigned int id = 1; id <= 6; id++)
		host_make_queue(&host, id);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(host_run(&host, 6, unknown), NVME_INVALID_OPCODE);
	host_submit(&host, 0, unknown);
	for (unsigned int offset = 4; offset < 64; offset += 4)
		host_put(&host, NVME_DOORBELLS + offset, host.queues[0].tail);
	assert_false(host_poll(&host, 0, &cid));
	host_ring(&host, 0);
	assert_true(host_poll(&host, 0, &cid));
}

static void test_stride_is_too_long(void **state)
{
	struct test_topology t;

	(void)state;
	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" DEVICE " model=nvme queues=6 stride=4");
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	assert_non_null(strstr(t.error.text, "doorbells of 47 queue pairs"));
}

/* --- shutdown --- */

#define FILE_BYTES (1u << 20)

static uint8_t file_bytes[FILE_BYTES];

static int setup_with_file(void **state)
{
	(void)state;
	test_storage(file_bytes, FILE_BYTES, true);
	host_open(&host, test_device_machine("at=" DEVICE " model=nvme file=f"), DEVICE);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	return 0;
}

static int teardown_with_file(void **state)
{
	teardown(state);
	test_storage(NULL, 0, false);
	return 0;
}

static void test_shutdown_flushes(void **state)
{
	(void)state;
	host_put(&host, NVME_CC, HOST_CC | 0x4000);
	assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_SHST_OCCURRING);
	/* Asked once more, it is the same shutdown. */
	host_put(&host, NVME_CC, HOST_CC);
	host_put(&host, NVME_CC, HOST_CC | 0x8000);
	assert_int_equal(test_storage_run(8), 1);
	assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_SHST_DONE);
	assert_int_equal(test_storage_count(SVF_STORAGE_FLUSH, false), 1);
}

static void test_shutdown_fails(void **state)
{
	(void)state;
	test_storage_fail(1, -EIO);
	host_put(&host, NVME_CC, HOST_CC | 0x4000);
	assert_int_equal(test_storage_run(8), 1);
	assert_int_equal(host_get(&host, NVME_CSTS),
			 NVME_CSTS_RDY | NVME_CSTS_SHST_OCCURRING | NVME_CSTS_CFS);
}

/* The answer comes to a controller that has begun anew, or to none at all. */
static void test_reset_while_shutting_down(void **state)
{
	(void)state;
	host_put(&host, NVME_CC, HOST_CC | 0x4000);
	host_put(&host, NVME_CC, 0);
	assert_int_equal(host_get(&host, NVME_CSTS), 0);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	assert_int_equal(test_storage_run(8), 1);
	assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY);
	host_put(&host, NVME_CC, HOST_CC | 0x4000);
}

/* --- what is fatal --- */

static void expect_fatal(void)
{
	assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_CFS);
	/* Nothing happens any more until the controller is reset. */
	host_submit(&host, 0, (uint32_t[16]){0x7f});
	host_ring(&host, 0);
	assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_CFS);
	host_put(&host, NVME_CC, 0);
	assert_int_equal(host_get(&host, NVME_CSTS), 0);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	assert_int_equal(host_run(&host, 0, (uint32_t[16]){0x7f}), NVME_INVALID_OPCODE);
}

static void test_admin_queue_goes_nowhere(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		host_enable(&host);
		host_put(&host, NVME_CC, 0);
		host_put64(&host, i ? NVME_ACQ : NVME_ASQ, HOST_NOWHERE);
		host_put(&host, NVME_CC, HOST_CC);
		assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY);
		host_submit(&host, 0, (uint32_t[16]){0x7f});
		host_ring(&host, 0);
		expect_fatal();
		host_put(&host, NVME_CC, 0);
	}
}

static void test_io_queue_goes_nowhere(void **state)
{
	uint32_t create_cq[16] = {
		NVME_ADMIN_CREATE_CQ, [6] = (uint32_t)HOST_NOWHERE, [10] = 0x001f0001, [11] = 3};
	uint32_t create_sq[16] = {NVME_ADMIN_CREATE_SQ, [6] = (uint32_t)host_sq_iova(1),
				  [10] = 0x001f0001, [11] = 0x10001};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(host_run(&host, 0, create_cq), NVME_SUCCESS);
		assert_int_equal(host_run(&host, 0, create_sq), NVME_SUCCESS);
		host.queues[1].tail = 0;
		host_submit(&host, 1, (uint32_t[16]){0x7f});
		host_ring(&host, 1);
		expect_fatal();
		create_cq[6] = (uint32_t)host_cq_iova(1);
		create_sq[6] = (uint32_t)HOST_NOWHERE;
	}
}

static void test_without_bus_mastering(void **state)
{
	(void)state;
	test_put(host.file, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	host_submit(&host, 0, (uint32_t[16]){0x7f});
	host_ring(&host, 0);
	assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_CFS);
	test_put(host.file, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	expect_fatal();
}

/* --- interrupts --- */

static struct svf_event *set_event(uint32_t index, uint32_t vector)
{
	struct svf_event *event = test_event();
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} arg = {.set = {.argsz = sizeof(arg),
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			 .index = index,
			 .start = vector,
			 .count = 1},
		 .fd = 20};

	test_fd_event(20, event);
	assert_int_equal(test_ioctl(host.file, VFIO_DEVICE_SET_IRQS, &arg, sizeof(arg)), 0);
	return event;
}

/* Queue 1, completing in a queue with this vector, or without interrupts. */
static void make_queue_with_vector(unsigned int vector, bool interrupts)
{
	const uint32_t create_cq[16] = {
		NVME_ADMIN_CREATE_CQ, [6] = (uint32_t)host_cq_iova(1),
		[10] = (HOST_ENTRIES - 1) << 16 | 1, [11] = vector << 16 | (interrupts ? 3 : 1)};
	const uint32_t create_sq[16] = {NVME_ADMIN_CREATE_SQ, [6] = (uint32_t)host_sq_iova(1),
					[10] = (HOST_ENTRIES - 1) << 16 | 1, [11] = 0x10001};

	memset(host.memory + (host_sq_iova(1) - HOST_IOVA), 0, 8192);
	host.queues[1] = (struct nvme_host_queue){.phase = 1};
	assert_int_equal(host_run(&host, 0, create_cq), NVME_SUCCESS);
	assert_int_equal(host_run(&host, 0, create_sq), NVME_SUCCESS);
}

static void submit_and_ring(unsigned int count)
{
	while (count--)
		host_submit(&host, 1, (uint32_t[16]){0x7f});
	host_ring(&host, 1);
	host_settle(&host);
}

static void test_msix(void **state)
{
	struct svf_event *first = set_event(VFIO_PCI_MSIX_IRQ_INDEX, 0);
	struct svf_event *third = set_event(VFIO_PCI_MSIX_IRQ_INDEX, 3);
	uint16_t cid;

	(void)state;
	make_queue_with_vector(3, true);
	assert_int_equal(test_event_signals(first), 2);
	assert_int_equal(test_event_signals(third), 0);
	/* INTMS is not for MSI-X. */
	host_put(&host, NVME_INTMS, 0xffffffff);
	/* What one slice completes takes one message. */
	submit_and_ring(20);
	assert_int_equal(test_event_signals(third), 1);
	submit_and_ring(1);
	assert_int_equal(test_event_signals(third), 2);
	while (host_poll(&host, 1, &cid))
		;
	assert_int_equal(test_event_signals(third), 2);
	assert_int_equal(test_event_signals(first), 2);
	assert_false(test_get(host.file, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
}

static void test_queue_without_interrupts(void **state)
{
	struct svf_event *event = set_event(VFIO_PCI_MSIX_IRQ_INDEX, 3);

	(void)state;
	make_queue_with_vector(3, false);
	submit_and_ring(5);
	assert_int_equal(test_event_signals(event), 0);
}

static void test_msi(void **state)
{
	struct svf_event *event = set_event(VFIO_PCI_MSI_IRQ_INDEX, 0);
	unsigned int before;

	(void)state;
	make_queue_with_vector(0, true);
	before = test_event_signals(event);
	submit_and_ring(1);
	assert_int_equal(test_event_signals(event), before + 1);
	host_put(&host, NVME_INTMS, 1);
	submit_and_ring(1);
	assert_int_equal(test_event_signals(event), before + 1);
	host_put(&host, NVME_INTMC, 1);
	assert_int_equal(test_event_signals(event), before + 2);
}

static bool line(void)
{
	return test_get(host.file, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT;
}

static void test_intx(void **state)
{
	struct svf_event *event = set_event(VFIO_PCI_INTX_IRQ_INDEX, 0);
	uint16_t cid;

	(void)state;
	assert_false(line());
	host_submit(&host, 0, (uint32_t[16]){0x7f});
	host_submit(&host, 0, (uint32_t[16]){0x7f});
	host_ring(&host, 0);
	assert_int_equal(test_event_signals(event), 1);
	assert_true(line());
	host_put(&host, NVME_INTMS, 1);
	assert_false(line());
	host_put(&host, NVME_INTMC, 1);
	assert_true(line());
	assert_true(host_poll(&host, 0, &cid));
	assert_true(line());
	assert_true(host_poll(&host, 0, &cid));
	assert_false(line());
	/* A reset of the controller ends it, too. */
	host_submit(&host, 0, (uint32_t[16]){0x7f});
	host_ring(&host, 0);
	assert_true(line());
	host_put(&host, NVME_CC, 0);
	assert_false(line());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_a_driver_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create_and_delete_queues, setup_enabled,
						teardown),
		cmocka_unit_test_setup_teardown(test_entry_sizes, setup_enabled, teardown),
		cmocka_unit_test_setup_teardown(test_queues_are_rings, setup_enabled, teardown),
		cmocka_unit_test_setup_teardown(test_full_completion_queue, setup_enabled,
						teardown),
		cmocka_unit_test_teardown(test_stride, teardown),
		cmocka_unit_test(test_stride_is_too_long),
		cmocka_unit_test_setup_teardown(test_shutdown_flushes, setup_with_file,
						teardown_with_file),
		cmocka_unit_test_setup_teardown(test_shutdown_fails, setup_with_file,
						teardown_with_file),
		cmocka_unit_test_setup_teardown(test_reset_while_shutting_down, setup_with_file,
						teardown_with_file),
		cmocka_unit_test_setup_teardown(test_admin_queue_goes_nowhere, setup_enabled,
						teardown),
		cmocka_unit_test_setup_teardown(test_io_queue_goes_nowhere, setup_enabled,
						teardown),
		cmocka_unit_test_setup_teardown(test_without_bus_mastering, setup_enabled,
						teardown),
		cmocka_unit_test_setup_teardown(test_msix, setup_enabled, teardown),
		cmocka_unit_test_setup_teardown(test_queue_without_interrupts, setup_enabled,
						teardown),
		cmocka_unit_test_setup_teardown(test_msi, setup_enabled, teardown),
		cmocka_unit_test_setup_teardown(test_intx, setup_enabled, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
