/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ioat model, driven as a driver does: registers through the VFIO device, descriptors and data in
 * the client's memory. What copies and fills must leave there is computed beside it.
 */
#include "vfio_fixture.h"

#include <linux/pci_regs.h>
#include <stdlib.h>

#include "topo_fixture.h"

#define DEVICE "0000:01:00.0"
#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX

/* Registers of the device, and of its channel. */
#define CHANCNT	   0x00
#define XFERCAP	   0x01
#define INTRCTRL   0x03
#define ATTNSTATUS 0x04
#define CBVER	   0x08
#define DMACAP	   0x10
#define CHANCTRL   0x80
#define CHANCMD	   0x84
#define DMACOUNT   0x86
#define CHANSTS	   0x88
#define CHAINADDR  0x90
#define CHANCMP	   0x98
#define CHANERR	   0xa8
#define CHANERRMSK 0xac

enum { ACTIVE, DONE, SUSPENDED, HALTED, ARMED };

#define SUSPEND	  0x04
#define RESET	  0x20

#define FILL	  (1u << 24)
#define UNKNOWN	  (0x87u << 24)
#define INT	  0x01u
#define WRITE	  0x08u
#define NULL_DESC 0x20u

/* Memory of the client, mapped at IOVA: data, then descriptors, then the completion. */
#define IOVA	   0x100000ull
#define DATA	   (256u << 10)
#define CHAIN	   (IOVA + DATA)
#define CHAIN_MAX  64u
#define COMPLETION (CHAIN + CHAIN_MAX * 64)
#define SIZE	   (DATA + (64u << 10))
#define READ_ONLY  0x800000ull /* one page, which the device can only read */
#define NOWHERE	   0x40000000ull
#define MAX	   (16u << 10) /* of one descriptor */

struct descriptor {
	uint32_t size, control;
	uint64_t source, destination, next, rest[4];
};

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;
static uint8_t *memory;
static struct descriptor *chain;
static uint64_t now;

static void map(void *vaddr, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map arg = {.argsz = sizeof(arg),
					       .flags = flags,
					       .vaddr = (uint64_t)(uintptr_t)vaddr,
					       .iova = iova,
					       .size = size};

	assert_int_equal(test_ioctl(client.container, VFIO_IOMMU_MAP_DMA, &arg, sizeof(arg)), 0);
}

static void unmap(uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap arg = {.argsz = sizeof(arg), .iova = iova, .size = size};

	assert_int_equal(test_ioctl(client.container, VFIO_IOMMU_UNMAP_DMA, &arg, sizeof(arg)), 0);
}

static void enable(void)
{
	test_put(file, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static int setup(void **state)
{
	(void)state;
	machine = test_device_machine("at=" DEVICE " model=ioat");
	file = test_open_device(&client, machine, DEVICE);
	memory = test_user_alloc(SIZE);
	chain = (struct descriptor *)(void *)(memory + DATA);
	map(memory, IOVA, SIZE, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
	map(memory, READ_ONLY, 4096, VFIO_DMA_MAP_FLAG_READ);
	enable();
	now = 1;
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

static uint32_t get(uint64_t offset, unsigned int size)
{
	return test_get(file, 0, offset, size);
}

static void put(uint64_t offset, unsigned int size, uint32_t value)
{
	test_put(file, 0, offset, size, value);
}

static void put64(uint64_t offset, uint64_t value)
{
	put(offset, 4, (uint32_t)value);
	put(offset + 4, 4, (uint32_t)(value >> 32));
}

static uint64_t status(void)
{
	return get(CHANSTS, 4) | (uint64_t)get(CHANSTS + 4, 4) << 32;
}

static unsigned int state_now(void)
{
	return get(CHANSTS, 4) & 7;
}

static uint64_t completion(void)
{
	uint64_t value;

	memcpy(&value, memory + (COMPLETION - IOVA), sizeof(value));
	return value;
}

/* Slices until there is nothing left to do, or limit. Return: how many. */
static unsigned int advance(unsigned int limit)
{
	unsigned int slices = 0;

	while (slices < limit && svf_timers_next(&machine->timers) != SVF_TIME_NEVER) {
		svf_machine_advance(machine, now);
		slices++;
		now += 2;
	}
	return slices;
}

static void reset_channel(void)
{
	put(CHANERR, 4, get(CHANERR, 4));
	put(CHANCMD, 1, RESET);
	assert_int_equal(get(CHANCMD, 1), 0);
	assert_int_equal(state_now(), HALTED);
}

static void set(unsigned int i, uint32_t control, uint64_t source, uint64_t destination,
		uint32_t size)
{
	chain[i] = (struct descriptor){.size = size,
				       .control = control,
				       .source = source,
				       .destination = destination,
				       .next = CHAIN + (i + 1) % CHAIN_MAX * 64};
}

static void arm(uint64_t address)
{
	put64(CHAINADDR, address);
	assert_int_equal(status(), ARMED);
}

/* The first count descriptors of the chain. */
static void run(unsigned int count)
{
	arm(CHAIN);
	put(DMACOUNT, 2, count);
	advance(1000);
}

/* Behind a bridge to conventional PCI it is a conventional function. */
static void test_on_a_conventional_bus(void **state)
{
	struct test_topology t;
	struct svf_topology_node *bridge;
	struct svf_machine *other;
	struct svf_function *fn;

	(void)state;
	test_topology_init(&t);
	bridge = test_node(&t, test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, ""),
			   SVF_TOPOLOGY_PCIE_PCI_BRIDGE, "at=0000:02:00.0");
	test_node(&t, bridge, SVF_TOPOLOGY_DEVICE, "at=0000:03:01.0 model=ioat");
	other = test_topology_machine(&t);
	fn = test_at(other, "0000:03:01.0");
	assert_int_equal(fn->cap_exp, 0);
	assert_int_equal(fn->ext_aer, 0);
	assert_true(fn->cap_msix && fn->cap_pm);
	assert_int_equal(fn->config_size, SVF_PCI_CONFIG_SIZE);
	test_machine_end(other);
}

static void test_what_a_driver_finds(void **state)
{
	(void)state;
	assert_int_equal(test_get(file, CONFIG, 0, 4), 0x20218086);
	assert_int_equal(test_get(file, CONFIG, PCI_CLASS_REVISION, 4) >> 8, 0x088000);
	assert_int_equal(get(CHANCNT, 1), 1);
	assert_int_equal(1u << get(XFERCAP, 1), MAX);
	assert_int_equal(get(CBVER, 1), 0x33);
	assert_int_equal(get(DMACAP, 4), 0x40);
	assert_int_equal(state_now(), HALTED);
	/* What nothing is behind reads as zeroes, also across the end of the registers. */
	assert_int_equal(get(0x3ffc, 4), 0);
	put(CHANCNT, 4, 0xffffffff);
	assert_int_equal(get(CHANCNT, 1), 1);
	/* Error registers in config space that drivers clear. */
	assert_int_equal(test_get(file, CONFIG, 0x148, 4), 0);
	assert_int_equal(test_get(file, CONFIG, 0x180, 4), 0);
}

/* --- data --- */

/* One random operation, and what it does to expected. */
static void make_random(unsigned int i, uint8_t *expected)
{
	uint32_t size = (uint32_t)rand() % (rand() % 8 ? 300 : MAX) + 1;
	uint32_t from = (uint32_t)rand() % (DATA - size), to = (uint32_t)rand() % (DATA - size);
	uint64_t pattern = (uint64_t)rand() << 32 | (uint64_t)rand();

	switch (rand() % 8) {
	case 0:
		set(i, NULL_DESC, NOWHERE, NOWHERE, size);
		return;
	case 1:
	case 2:
		set(i, FILL, pattern, IOVA + to, size);
		for (uint32_t k = 0; k < size; k++)
			expected[to + k] = (uint8_t)(pattern >> k % 8 * 8);
		return;
	default:
		set(i, 0, IOVA + from, IOVA + to, size);
		memmove(expected + to, expected + from, size);
	}
}

/* SOFTVFIO_TEST_NIGHTLY: a million operations. */
static void test_random_chains(void **state)
{
	unsigned int rounds = getenv("SOFTVFIO_TEST_NIGHTLY") ? 31250 : 2500;
	static uint8_t expected[DATA];

	(void)state;
	srand(1);
	for (unsigned int i = 0; i < DATA; i++)
		memory[i] = expected[i] = (uint8_t)rand();
	for (unsigned int round = 0; round < rounds; round++) {
		unsigned int count = (unsigned int)rand() % CHAIN_MAX + 1;

		for (unsigned int i = 0; i < count; i++)
			make_random(i, expected);
		run(count);
		assert_int_equal(status(), (CHAIN + (count - 1) * 64) | DONE);
		assert_memory_equal(memory, expected, DATA);
		put(CHANCMD, 1, SUSPEND);
		assert_int_equal(state_now(), SUSPENDED);
	}
}

static void test_count_goes_on(void **state)
{
	(void)state;
	put64(CHANCMP, COMPLETION);
	memset(memory, 'x', 64);
	for (unsigned int i = 0; i < CHAIN_MAX; i++)
		set(i, WRITE, IOVA, IOVA + 4096 + i * 64, 64);
	arm(CHAIN);
	/* A ring: the count runs on beyond its end and, past 65535, from zero. */
	for (unsigned int count = 61; count < 70000; count += 61) {
		put(DMACOUNT, 2, count & 0xffff);
		assert_int_equal(completion(), (CHAIN + (count - 1) % CHAIN_MAX * 64) | DONE);
	}
	assert_memory_equal(memory + 4096, memory, 64);
	/* A chain address that comes while there is work is not taken. */
	put(DMACOUNT, 2, get(DMACOUNT, 2) - 1);
	assert_int_equal(state_now(), ACTIVE);
	put64(CHAINADDR, NOWHERE);
	assert_int_equal(state_now(), ACTIVE);
	assert_true(advance(1000) > 10);
	assert_int_equal(state_now(), DONE);
}

/* --- errors --- */

static void test_errors(void **state)
{
	static const struct {
		uint64_t first;
		struct descriptor descriptor;
		uint32_t error;
	} cases[] = {
		{CHAIN, {.size = 8, .source = NOWHERE, .destination = IOVA}, 0x1},
		{CHAIN, {.size = 8, .source = IOVA + SIZE - 7, .destination = IOVA}, 0x1},
		{CHAIN, {.size = 8, .source = IOVA, .destination = NOWHERE}, 0x2},
		{CHAIN, {.size = 8, .source = IOVA, .destination = READ_ONLY}, 0x2},
		{CHAIN, {.size = 8, .source = IOVA, .destination = UINT64_MAX - 3}, 0x2},
		{CHAIN, {.size = 8, .control = FILL, .destination = READ_ONLY}, 0x2},
		{NOWHERE, {0}, 0x4},
		{CHAIN, {.control = NULL_DESC, .next = NOWHERE}, 0x4},
		{CHAIN, {.control = NULL_DESC, .next = CHAIN + 8}, 0x8},
		{CHAIN + 8, {0}, 0x10},
		{CHAIN,
		 {.size = 8, .control = UNKNOWN, .source = IOVA, .destination = IOVA},
		 0x400},
		{CHAIN, {.size = 0, .source = IOVA, .destination = IOVA}, 0x800},
		{CHAIN, {.size = MAX + 1, .source = IOVA, .destination = IOVA}, 0x800},
	};

	(void)state;
	put64(CHANCMP, COMPLETION);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		chain[0] = cases[i].descriptor;
		put(CHANCTRL, 2, 0x4);
		put64(CHANCMP, COMPLETION);
		arm(cases[i].first);
		put(DMACOUNT, 2, 2);
		assert_int_equal(advance(1000), 0);
		assert_int_equal(get(CHANERR, 4), cases[i].error);
		assert_int_equal(state_now(), HALTED);
		/* It is told with the last descriptor that was done. */
		assert_int_equal(completion(), status());
		/* Until the error is cleared nothing gets the channel out of it. */
		put(CHANCMD, 1, SUSPEND);
		put64(CHAINADDR, CHAIN);
		put(DMACOUNT, 2, 3);
		put(CHANCMD, 1, RESET);
		put64(CHAINADDR, CHAIN);
		assert_int_equal(status(), HALTED);
		put(CHANERR, 4, cases[i].error);
		assert_int_equal(get(CHANERR, 4), 0);
		memset(memory + (COMPLETION - IOVA), 0, 8);
		memory[0] = (uint8_t)('A' + i);
		set(0, 0, IOVA, IOVA + 100, 1);
		run(1);
		assert_int_equal(state_now(), DONE);
		assert_int_equal(memory[100], 'A' + i);
		reset_channel();
	}
}

static void test_completion_goes_nowhere(void **state)
{
	(void)state;
	put64(CHANCMP, NOWHERE);
	put(CHANCTRL, 2, 0x4);
	set(0, WRITE, IOVA, IOVA + 100, 1);
	run(1);
	assert_int_equal(get(CHANERR, 4), 0x1000);
	assert_int_equal(state_now(), HALTED);
}

static void test_without_bus_mastering(void **state)
{
	(void)state;
	set(0, 0, IOVA, IOVA + 100, 1);
	test_put(file, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	run(1);
	assert_int_equal(get(CHANERR, 4), 0x4);
	reset_channel();
	enable();
	run(1);
	assert_int_equal(state_now(), DONE);
}

/* --- long work --- */

/* 65535 times 16 KiB, as one descriptor that is its own next. */
static void start_storm(void)
{
	set(0, 0, IOVA, IOVA + MAX, MAX);
	chain[0].next = CHAIN;
	arm(CHAIN);
	put(DMACOUNT, 2, 65535);
	assert_int_equal(state_now(), ACTIVE);
}

static void test_long_work_is_done_in_slices(void **state)
{
	unsigned int slices;

	(void)state;
	start_storm();
	slices = advance(10000);
	/* 1 GiB, 2 MiB at a time; the first was done within the write. */
	assert_int_equal(slices, 511);
	assert_int_equal(status(), CHAIN | DONE);
}

static void test_suspend_in_the_middle(void **state)
{
	(void)state;
	start_storm();
	assert_int_equal(advance(10), 10);
	put(CHANCMD, 1, SUSPEND);
	memset(memory, 1, MAX);
	memset(memory + MAX, 2, MAX);
	assert_int_equal(advance(10), 1);
	assert_int_equal(state_now(), SUSPENDED);
	assert_int_equal(memory[MAX], 2);
	put(DMACOUNT, 2, 65535);
	assert_int_equal(state_now(), ACTIVE);
	advance(10000);
	assert_int_equal(state_now(), DONE);
	assert_int_equal(memory[MAX], 1);
}

static void test_unmapped_in_the_middle(void **state)
{
	(void)state;
	start_storm();
	advance(10);
	unmap(IOVA, SIZE);
	memset(memory + MAX, 2, MAX);
	assert_int_equal(advance(10), 1);
	assert_int_equal(state_now(), HALTED);
	assert_int_equal(get(CHANERR, 4), 0x4);
	assert_int_equal(memory[MAX], 2);
	assert_true(
		test_log_has("DMAR: [DMA Read NO_PASID] Request device [0000:01:00.0] fault addr"));
}

static void test_reset_in_the_middle(void **state)
{
	(void)state;
	put(CHANERRMSK, 4, 0xff);
	start_storm();
	assert_int_equal(test_ioctl_value(file, VFIO_DEVICE_RESET, 0), 0);
	enable();
	assert_int_equal(status(), HALTED);
	assert_int_equal(get(CHANERRMSK, 4), 0);
	assert_int_equal(get(XFERCAP, 1), 14);
	assert_int_equal(advance(10), 1);
	assert_int_equal(get(CHANERR, 4), 0);
	start_storm();
	/* And the machine ends with work left to do. */
}

/* --- interrupts --- */

static struct svf_event *set_event(uint32_t index)
{
	struct svf_event *event = test_event();
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} arg = {.set = {.argsz = sizeof(arg),
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			 .index = index,
			 .count = 1},
		 .fd = 20};

	test_fd_event(20, event);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_SET_IRQS, &arg, sizeof(arg)), 0);
	return event;
}

static void test_msix(void **state)
{
	struct svf_event *event = set_event(VFIO_PCI_MSIX_IRQ_INDEX);

	(void)state;
	put(INTRCTRL, 1, 0x8);
	put(CHANCTRL, 2, 0x1);
	set(0, 0, IOVA, IOVA + 100, 1);
	run(1);
	assert_int_equal(test_event_signals(event), 0);
	/* Three ask for it, one is sent, until it is armed again. */
	for (unsigned int i = 0; i < 3; i++)
		set(i, INT, IOVA, IOVA + 100, 1);
	run(3);
	assert_int_equal(test_event_signals(event), 1);
	assert_int_equal(get(CHANCTRL, 2), 1);
	put(CHANCTRL, 2, 0x1);
	assert_int_equal(get(CHANCTRL, 2), 0);
	run(1);
	assert_int_equal(test_event_signals(event), 2);
	/* An error sends one when that was asked for and is not masked. */
	set(0, INT, NOWHERE, IOVA, 1);
	put(CHANCTRL, 2, 0x1);
	run(1);
	assert_int_equal(test_event_signals(event), 2);
	reset_channel();
	put(CHANCTRL, 2, 0x11);
	put(CHANERRMSK, 4, 0x1);
	run(1);
	assert_int_equal(test_event_signals(event), 2);
	reset_channel();
	put(CHANCTRL, 2, 0x11);
	run(1);
	assert_int_equal(test_event_signals(event), 3);
	/* Neither way of interrupts is on. */
	reset_channel();
	put(INTRCTRL, 1, 0);
	set(0, INT, IOVA, IOVA + 100, 1);
	run(1);
	assert_int_equal(test_event_signals(event), 3);
}

static void test_intx(void **state)
{
	struct svf_event *event = set_event(VFIO_PCI_INTX_IRQ_INDEX);

	(void)state;
	put(INTRCTRL, 1, 0x1);
	set(0, INT, IOVA, IOVA + 100, 1);
	run(1);
	assert_int_equal(test_event_signals(event), 1);
	assert_true(test_get(file, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	/* The read that tells of it takes the enable away, which ends it until it is given back. */
	assert_int_equal(get(INTRCTRL, 1), 0x7);
	assert_int_equal(get(INTRCTRL, 1), 0x2);
	assert_false(test_get(file, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	put(INTRCTRL, 1, 0x1);
	assert_true(test_get(file, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	assert_int_equal(get(ATTNSTATUS, 4), 1);
	assert_int_equal(get(ATTNSTATUS, 4), 0);
	assert_false(test_get(file, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
}

/* --- anything at all --- */

static void write_garbage(void)
{
	static const unsigned int useful[] = {CHANCTRL, CHANCMD, DMACOUNT, CHAINADDR,
					      CHANCMP,	CHANERR, INTRCTRL, CHANSTS};
	unsigned int size = 1u << rand() % 3;
	uint64_t offset = rand() % 4 ? useful[rand() % 8] : (unsigned int)rand() % 0x4000;
	uint32_t value = (uint32_t)rand() << 1;

	offset -= offset % size;
	if (rand() % 2)
		value = (uint32_t)CHAIN + (uint32_t)rand() % 4096;
	put(offset, size, value);
	(void)get(offset, size);
}

static void test_garbage(void **state)
{
	(void)state;
	srand(2);
	for (unsigned int i = 0; i < 30000; i++) {
		if (i % 16 == 0) {
			for (unsigned int k = 0; k < CHAIN_MAX * 16; k++)
				((uint32_t *)(void *)chain)[k] = (uint32_t)rand() >> rand() % 32;
			chain[0].next = CHAIN;
			chain[1].next = CHAIN;
		}
		write_garbage();
		/* However much it was asked for, one slice at a time. */
		advance(1);
	}
	put(CHANCMD, 1, SUSPEND);
	advance(1);
	reset_channel();
	test_random_chains(state);
}

static void test_options(void **state)
{
	struct test_topology t;
	uint8_t xfercap = 0;

	(void)state;
	machine = test_device_machine("at=" DEVICE " model=ioat xfercap=20");
	svf_bar_read(test_at(machine, DEVICE), 0, XFERCAP, &xfercap, 1);
	assert_int_equal(xfercap, 20);
	test_machine_end(machine);
	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" DEVICE " model=ioat xfercap=21");
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	assert_non_null(strstr(t.error.text, "12 to 20"));
}

#define DRIVEN(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRIVEN(test_what_a_driver_finds),
		DRIVEN(test_random_chains),
		DRIVEN(test_count_goes_on),
		DRIVEN(test_errors),
		DRIVEN(test_completion_goes_nowhere),
		DRIVEN(test_without_bus_mastering),
		DRIVEN(test_long_work_is_done_in_slices),
		DRIVEN(test_suspend_in_the_middle),
		DRIVEN(test_unmapped_in_the_middle),
		DRIVEN(test_reset_in_the_middle),
		DRIVEN(test_msix),
		DRIVEN(test_intx),
		DRIVEN(test_garbage),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_on_a_conventional_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
