/* SPDX-License-Identifier: BSD-3-Clause */
/* core/iommu/iova_space.c and dma.c: mappings, and what a device reaches through them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/iommu/requester.h"
#include "pci.h"
#include "port.h"

#define PAGE 4096u

/* A function attached to a space, and two pages of a client. */
static struct {
	struct svf_machine *machine;
	struct svf_function *fn;
	struct svf_iova_space space;
	uint8_t *memory;
} t;

static int setup(void **state)
{
	(void)state;
	t.machine = test_machine();
	t.fn = test_function(test_bus(t.machine, NULL, 0), 3, 0, TEST_PCI_DEVICE, 0);
	svf_iova_space_init(&t.space, t.machine);
	svf_iommu_group_set_space(t.fn->group, &t.space);
	t.memory = test_user_alloc(2 * PAGE);
	test_log_clear();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_iommu_group_set_space(t.fn->group, NULL);
	svf_iova_space_fini(&t.space);
	assert_int_equal(t.machine->used.mappings, 0);
	test_pci_end(t.machine);
	test_machine_end(t.machine);
	return 0;
}

static int map(uint64_t iova, size_t len, const void *memory, unsigned int prot)
{
	struct svf_call call = test_call(t.machine);
	struct svf_mapping m = {
		.node = {.first = iova, .last = iova + len - 1},
		.prot = prot,
		.mm = t.machine->port->mm_get(&call),
		.vaddr = (uint64_t)(uintptr_t)memory,
	};
	int err = svf_iova_space_map(&t.space, &m);

	if (err)
		t.machine->port->mm_put(m.mm);
	return err;
}

static int map_ram(uint64_t iova, size_t len, const struct svf_ram *ram, uint64_t offset)
{
	struct svf_mapping m = {
		.node = {.first = iova, .last = iova + len - 1},
		.prot = SVF_MAP_READ | SVF_MAP_WRITE,
		.ram = ram,
		.offset = offset,
	};

	return svf_iova_space_map(&t.space, &m);
}

static void test_map_unmap(void **state)
{
	struct svf_mapping *m;

	(void)state;
	assert_int_equal(map(PAGE, PAGE, t.memory, SVF_MAP_READ), 0);
	assert_int_equal(map(PAGE, PAGE, t.memory, SVF_MAP_READ), -EEXIST);
	assert_int_equal(map(0, 8 * PAGE, t.memory, SVF_MAP_READ), -EEXIST);
	assert_int_equal(map(2 * PAGE, PAGE, t.memory, SVF_MAP_READ), 0);
	assert_int_equal(t.space.count, 2);
	assert_int_equal(t.machine->used.mappings, 2);
	m = svf_iova_space_first(&t.space, 0, UINT64_MAX);
	assert_int_equal(m->node.first, PAGE);
	svf_iova_space_unmap(&t.space, m);
	assert_null(svf_iova_space_first(&t.space, 0, 2 * PAGE - 1));
	assert_int_equal(t.space.count, 1);
}

static void test_machine_limit(void **state)
{
	(void)state;
	t.machine->limits.mappings = 1;
	assert_int_equal(map(0, PAGE, t.memory, SVF_MAP_READ), 0);
	assert_int_equal(map(PAGE, PAGE, t.memory, SVF_MAP_READ), -ENOMEM);
	svf_iova_space_unmap(&t.space, svf_iova_space_first(&t.space, 0, 0));
	assert_int_equal(map(PAGE, PAGE, t.memory, SVF_MAP_READ), 0);
}

/* Two neighbouring IOVAs, the memory the other way round. */
static void test_dma_across_mappings(void **state)
{
	uint8_t buf[16];

	(void)state;
	assert_int_equal(map(0x10000, PAGE, t.memory + PAGE, SVF_MAP_READ | SVF_MAP_WRITE), 0);
	assert_int_equal(map(0x11000, PAGE, t.memory, SVF_MAP_READ | SVF_MAP_WRITE), 0);
	memset(buf, 0xa5, sizeof(buf));
	assert_int_equal(svf_dma_write(t.fn, 0x10ff8, buf, sizeof(buf)), 0);
	assert_memory_equal(t.memory + 2 * PAGE - 8, buf, 8);
	assert_memory_equal(t.memory, buf, 8);
	assert_int_equal(t.memory[8], 0);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(svf_dma_read(t.fn, 0x10ff8, buf, sizeof(buf)), 0);
	assert_int_equal(buf[0] + buf[15], 2 * 0xa5);
	assert_int_equal(svf_dma_read(t.fn, 0x50000, buf, 0), 0);
	assert_int_equal(t.fn->requester->faults, 0);
	assert_int_equal(test_log_count(), 0);
}

static void test_dma_faults(void **state)
{
	uint64_t value = 0x1122334455667788;

	(void)state;
	assert_int_equal(map(0x10000, PAGE, t.memory, SVF_MAP_READ), 0);
	assert_int_equal(map(0x20000, PAGE, t.memory, SVF_MAP_WRITE), 0);
	assert_int_equal(svf_dma_write(t.fn, 0x10008, &value, sizeof(value)), -EFAULT);
	assert_string_equal(test_log_line(0),
			    "DMAR: [DMA Write NO_PASID] Request device [0000:00:03.0] fault addr "
			    "0x10000 [fault reason 0x05] not mapped for writing");
	assert_int_equal(svf_dma_read(t.fn, 0x20000, &value, sizeof(value)), -EFAULT);
	assert_non_null(strstr(test_log_line(1), "[DMA Read NO_PASID]"));
	assert_non_null(strstr(test_log_line(1), "fault addr 0x20000 [fault reason 0x06]"));
	assert_int_equal(svf_dma_read(t.fn, UINT64_MAX, &value, sizeof(value)), -EFAULT);
	assert_non_null(strstr(test_log_line(2), "[fault reason 0x04]"));
	/* What can be reached before the fault is. */
	assert_int_equal(svf_dma_write(t.fn, 0x20ffc, &value, sizeof(value)), -EFAULT);
	assert_memory_equal(t.memory + PAGE - 4, &value, 4);
	assert_int_equal(t.memory[PAGE], 0);
	assert_non_null(strstr(test_log_line(3), "fault addr 0x21000"));
	assert_int_equal(t.fn->requester->faults, 4);
}

static void test_dma_blocked(void **state)
{
	uint8_t byte = 1;

	(void)state;
	assert_int_equal(map(0, PAGE, t.memory, SVF_MAP_READ | SVF_MAP_WRITE), 0);
	t.fn->config[4] = 0;
	assert_int_equal(svf_dma_write(t.fn, 0, &byte, 1), -EFAULT);
	assert_int_equal(t.fn->requester->faults, 0);
	t.fn->config[4] = 4;
	svf_iommu_group_set_space(t.fn->group, NULL);
	assert_int_equal(svf_dma_write(t.fn, 0, &byte, 1), -EFAULT);
	assert_int_equal(t.fn->requester->faults, 1);
	assert_non_null(strstr(test_log_line(0), "[fault reason 0x02]"));
	svf_iommu_group_set_space(t.fn->group, &t.space);
	assert_int_equal(t.fn->requester->faults, 0);
	assert_int_equal(svf_dma_write(t.fn, 0, &byte, 1), 0);
	assert_int_equal(t.memory[0], 1);
}

/* The client has unmapped its memory behind a mapping's back. */
static void test_dma_memory_gone(void **state)
{
	uint8_t byte;

	(void)state;
	assert_int_equal(map(0, PAGE, t.memory + 2 * PAGE, SVF_MAP_READ), 0);
	assert_int_equal(svf_dma_read(t.fn, 0, &byte, 1), -EFAULT);
	assert_int_equal(t.fn->requester->faults, 1);
	assert_true(test_log_has("the memory mapped there is gone"));
}

static void test_fault_messages_are_bounded(void **state)
{
	uint8_t byte;

	(void)state;
	for (unsigned int i = 0; i < 5000; i++)
		assert_int_equal(svf_dma_read(t.fn, 0, &byte, 1), -EFAULT);
	assert_int_equal(t.fn->requester->faults, 5000);
	/* 1 to 10, then 16, 32, ... 4096 */
	assert_int_equal(test_log_count(), 10 + 9);
}

static void test_ram(void **state)
{
	struct svf_ram *ram;
	uint32_t value = 0xdeadbeef;

	(void)state;
	assert_int_equal(t.machine->port->ram_alloc(t.machine, 2 * PAGE, &ram), 0);
	assert_int_equal(map_ram(0x10000, PAGE, ram, PAGE), 0);
	assert_int_equal(map(0x20000, PAGE, t.memory, SVF_MAP_READ), 0);
	assert_int_equal(t.space.ram_count, 1);
	assert_int_equal(svf_dma_write(t.fn, 0x10004, &value, sizeof(value)), 0);
	assert_memory_equal(ram->base + PAGE + 4, &value, sizeof(value));
	/* The function behind it goes: the mapping stays and leads nowhere. */
	svf_iova_space_detach_ram(t.machine, ram);
	t.machine->port->ram_free(t.machine, ram);
	assert_int_equal(t.space.ram_count, 0);
	assert_int_equal(t.space.count, 2);
	assert_int_equal(svf_dma_write(t.fn, 0x10004, &value, sizeof(value)), -EFAULT);
	assert_int_equal(t.fn->requester->faults, 1);
	assert_true(test_log_has("it was a BAR of a function that is gone or decodes no memory"));
	assert_int_equal(svf_dma_read(t.fn, 0x20000, &value, sizeof(value)), 0);
	svf_iova_space_unmap(&t.space, svf_iova_space_first(&t.space, 0x10000, 0x10000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_map_unmap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_machine_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_across_mappings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_blocked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma_memory_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fault_messages_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ram, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
