/* SPDX-License-Identifier: BSD-3-Clause */
/* The edu model, driven as a driver does, with made-up time. */
#include "vfio_fixture.h"

#include <linux/pci_regs.h>
#include <stdlib.h>

#include "topo_fixture.h"

#define DEVICE	    "0000:01:00.0"
#define CONFIG	    VFIO_PCI_CONFIG_REGION_INDEX
#define EVENT_FD    7

#define ID	    0x00
#define LIVENESS    0x04
#define FACTORIAL   0x08
#define STATUS	    0x20
#define CAUSES	    0x24
#define RAISE	    0x60
#define ACK	    0x64
#define SOURCE	    0x80
#define DESTINATION 0x88
#define COUNT	    0x90
#define COMMAND	    0x98

#define RUN	    1u
#define OUT	    2u
#define INTERRUPT   4u

#define BUFFER	    0x40000u
#define IOVA	    0x100000u
#define SIZE	    0x4000u
#define NOWHERE	    0x8000000u
#define LATENCY	    (5 * UINT64_C(1000000))

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;
static struct svf_event *event;
static uint8_t *memory;
static uint64_t now;

static uint32_t get(uint64_t offset)
{
	return test_get(file, 0, offset, 4);
}

static void put(uint64_t offset, uint32_t value)
{
	test_put(file, 0, offset, 4, value);
}

static void put64(uint64_t offset, uint64_t value)
{
	uint64_t at = offset; /* region 0 */

	assert_int_equal(test_write(file, at, &value, sizeof(value)), sizeof(value));
}

static void wait_for_it(void)
{
	now += LATENCY;
	svf_machine_advance(machine, now);
}

static void trigger(uint32_t index, bool on)
{
	struct {
		struct vfio_irq_set header;
		int32_t fd;
	} set = {.header = {.argsz = sizeof(set),
			    .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			    .index = index,
			    .count = 1},
		 .fd = EVENT_FD};

	if (!on) {
		set.header.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
		set.header.count = 0;
	}
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_SET_IRQS, &set, sizeof(set)), 0);
}

static int setup_with(const char *words)
{
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
					       .flags = VFIO_DMA_MAP_FLAG_READ |
							VFIO_DMA_MAP_FLAG_WRITE,
					       .iova = IOVA,
					       .size = SIZE};

	machine = test_device_machine(words);
	file = test_open_device(&client, machine, DEVICE);
	memory = test_user_alloc(SIZE);
	map.vaddr = (uint64_t)(uintptr_t)memory;
	assert_int_equal(test_ioctl(client.container, VFIO_IOMMU_MAP_DMA, &map, sizeof(map)), 0);
	test_put(file, CONFIG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	event = test_event();
	test_fd_event(EVENT_FD, event);
	now = 1000;
	svf_machine_advance(machine, now);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with("at=" DEVICE " model=edu latency=5000");
}

static int setup_wide(void **state)
{
	(void)state;
	return setup_with("at=" DEVICE " model=edu latency=5000 dmabits=64");
}

static int teardown(void **state)
{
	(void)state;
	svf_file_close(file);
	test_client_close(&client);
	test_machine_end(machine);
	return 0;
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(test_get(file, CONFIG, 0, 4), 0x11e81234);
	assert_int_equal(get(ID), 0x010000ed);
	put(ID, 0);
	assert_int_equal(get(ID), 0x010000ed);
	put(LIVENESS, 0x12345678);
	assert_int_equal(get(LIVENESS), ~0x12345678u);
	/* Accesses that no register takes. */
	assert_int_equal(test_get(file, 0, LIVENESS, 2), 0xffff);
	test_put(file, 0, LIVENESS, 1, 0);
	assert_int_equal(get(LIVENESS), ~0x12345678u);
	put64(ID, 0);
	assert_int_equal(get(LIVENESS), ~0x12345678u);
	assert_int_equal(get(RAISE), 0xffffffff);
	assert_int_equal(get(0x0c), 0xffffffff);
	assert_int_equal(get(0xa0), 0xffffffff);
	assert_int_equal(get((1 << 20) - 4), 0xffffffff);
	/* Both halves, and all of it. */
	put64(SOURCE, 0x1122334455667788);
	assert_int_equal(get(SOURCE), 0x55667788);
	put(SOURCE + 4, 7);
	assert_int_equal(get(SOURCE + 4), 7);
	assert_int_equal(get(SOURCE), 0x55667788);
	assert_int_equal(test_get(file, 0, SOURCE + 2, 2), 0xffff);
}

static void test_factorial(void **state)
{
	uint32_t expected = 1;

	(void)state;
	for (uint32_t n = 0; n < 60; n++) {
		if (n)
			expected *= n;
		put(FACTORIAL, n);
		assert_int_equal(get(STATUS), 1);
		put(FACTORIAL, 3); /* too early */
		assert_int_equal(get(FACTORIAL), n);
		wait_for_it();
		assert_int_equal(get(STATUS), 0);
		assert_int_equal(get(FACTORIAL), expected);
	}
	put(FACTORIAL, UINT32_MAX);
	wait_for_it();
	assert_int_equal(get(FACTORIAL), 0);
	assert_int_equal(get(CAUSES), 0);
}

static void test_interrupts(void **state)
{
	(void)state;
	trigger(VFIO_PCI_INTX_IRQ_INDEX, true);
	put(STATUS, 0xffffffff);
	assert_int_equal(get(STATUS), 0x80);
	put(FACTORIAL, 5);
	assert_int_equal(test_event_signals(event), 0);
	wait_for_it();
	assert_int_equal(test_event_signals(event), 1);
	assert_int_equal(get(CAUSES), 1);
	put(RAISE, 0xf0);
	assert_int_equal(get(CAUSES), 0xf1);
	put(ACK, 0xf1);
	assert_int_equal(get(CAUSES), 0);
	assert_false(test_get(file, CONFIG, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	trigger(VFIO_PCI_INTX_IRQ_INDEX, false);
	/* A message for each cause, and no line. */
	trigger(VFIO_PCI_MSI_IRQ_INDEX, true);
	put(RAISE, 2);
	put(RAISE, 4);
	put(RAISE, 0);
	assert_int_equal(get(CAUSES), 6);
	assert_int_equal(test_event_signals(event), 4);
	put(ACK, 6);
	put(RAISE, 0);
	assert_int_equal(test_event_signals(event), 4);
}

static void run(uint64_t source, uint64_t destination, uint64_t count, uint32_t command)
{
	put64(SOURCE, source);
	put64(DESTINATION, destination);
	put64(COUNT, count);
	put64(COMMAND, command | RUN);
	assert_int_equal(get(COMMAND), command | RUN);
	/* While it runs nothing changes it. */
	put64(SOURCE, 0);
	put64(COUNT, 1);
	put64(COMMAND, RUN | OUT);
	wait_for_it();
	assert_int_equal(get(COMMAND), command);
}

static void test_dma(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SIZE; i++)
		memory[i] = (uint8_t)rand();
	trigger(VFIO_PCI_MSI_IRQ_INDEX, true);
	run(IOVA + 5, BUFFER, 4096, INTERRUPT);
	assert_int_equal(get(CAUSES), 0x100);
	assert_int_equal(test_event_signals(event), 1);
	run(BUFFER + 1, IOVA + 0x2003, 4095, OUT);
	assert_memory_equal(memory + 0x2003, memory + 6, 4095);
	/* Address bits beyond 28 are lost. */
	memset(memory, 0, 4096);
	run(BUFFER, 0xabcd0000000 + IOVA, 100, OUT);
	assert_memory_equal(memory + 1, memory + 0x2003, 99);
	assert_int_equal(test_event_signals(event), 1);
}

static void test_dma_refused(void **state)
{
	static const struct {
		uint64_t source, count;
	} cases[] = {
		{BUFFER - 1, 1},
		{BUFFER + 4096, 1},
		{BUFFER + 1, 4096},
		{BUFFER, 4097},
		{BUFFER, UINT64_MAX},
		{BUFFER + 4095, UINT64_MAX},
		{UINT64_MAX, 1},
		{UINT64_MAX, UINT64_MAX},
		{0, 1},
		{BUFFER + 4096, UINT64_MAX},
	};

	(void)state;
	memset(memory, 'x', SIZE);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++)
		run(cases[i].source, IOVA, cases[i].count, OUT);
	for (unsigned int i = 0; i < SIZE; i++)
		assert_int_equal(memory[i], 'x');
	/* Memory that is not mapped: over, and the IOMMU has told. */
	test_log_clear();
	run(BUFFER, NOWHERE, 8, OUT);
	run(NOWHERE, BUFFER, 8, 0);
	assert_true(test_log_has("not mapped for writing"));
	assert_true(test_log_has("not mapped for reading"));
	/* One that ends with the reset is never done. */
	put64(SOURCE, BUFFER);
	put64(DESTINATION, IOVA);
	put64(COUNT, 8);
	put64(COMMAND, RUN | OUT);
	assert_int_equal(test_ioctl_value(file, VFIO_DEVICE_RESET, 0), 0);
	wait_for_it();
	assert_int_equal(memory[0], 'x');
	assert_int_equal(get(COMMAND), 0);
	assert_int_equal(get(ID), 0x010000ed);
	/* One that is under way when the function goes. */
	put64(COMMAND, RUN);
}

static void test_all_address_bits(void **state)
{
	(void)state;
	test_log_clear();
	run(BUFFER, 0xab0000000 + IOVA, 100, OUT);
	assert_true(test_log_has("not mapped for writing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_factorial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_address_bits, setup_wide, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
