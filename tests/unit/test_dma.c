/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core/iommu/dma.c, fault.c and unmapped.c: DMA in several pieces, and what is said of one that fails:
 * which device, where, in which direction, and who took the memory away when.
 */
#include <stdio.h>
#include <stdlib.h>

#include "container_fixture.h"
#include "core/iommu/requester.h"
#include "include/softvfio/model.h"

#define PAGES 16u
#define IOVA  0x100000ull
#define RW    (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
#define MS    1000000u
#define MANY  100u /* segments, more than are transferred together */

static void map(void *memory, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map arg = {.argsz = sizeof(arg),
					       .flags = flags,
					       .vaddr = (uint64_t)(uintptr_t)memory,
					       .iova = iova,
					       .size = size};

	assert_int_equal(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &arg, sizeof(arg)), 0);
}

static void unmap(uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap arg = {.argsz = sizeof(arg), .iova = iova, .size = size};

	assert_int_equal(test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &arg, sizeof(arg)), 0);
}

/* Pages of a client, each its own mapping, in the opposite order; the device sees them in a row. */
static uint8_t *map_backwards(void)
{
	uint8_t *memory = test_user_alloc(PAGES * PAGE);

	set_iommu(VFIO_TYPE1v2_IOMMU);
	test_log_clear();
	for (unsigned int i = 0; i < PAGES; i++)
		map(memory + (PAGES - 1 - i) * PAGE, IOVA + i * PAGE, PAGE, RW);
	return memory;
}

static uint8_t *at(uint8_t *memory, uint64_t offset)
{
	return memory + (PAGES - 1 - offset / PAGE) * PAGE + offset % PAGE;
}

static void test_vectored(void **state)
{
	uint8_t *memory = map_backwards(), expected[PAGES * PAGE] = {0}, buf[MANY][300];
	struct svf_dma_segment segments[MANY];

	(void)state;
	srand(1);
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < MANY; i++) {
			size_t len = (size_t)rand() % sizeof(buf[0]);
			uint64_t offset = (uint64_t)rand() % (PAGES * PAGE - sizeof(buf[0]));

			segments[i] = (struct svf_dma_segment){IOVA + offset, buf[i], len};
			memset(buf[i], rand(), len);
			memcpy(expected + offset, buf[i], len);
		}
		assert_int_equal(svf_dma_writev(f.fn[0], segments, MANY), 0);
		for (uint64_t i = 0; i < PAGES * PAGE; i++)
			assert_int_equal(*at(memory, i), expected[i]);
		memset(buf, 0, sizeof(buf));
		assert_int_equal(svf_dma_readv(f.fn[0], segments, MANY), 0);
		for (unsigned int i = 0; i < MANY; i++)
			assert_memory_equal(buf[i], expected + (segments[i].iova - IOVA),
					    segments[i].len);
	}
	assert_int_equal(svf_dma_readv(f.fn[0], NULL, 0), 0);
	assert_int_equal(test_log_count(), 0);
}

/* What comes before the fault is transferred, and nothing behind it. */
static void test_vectored_fault(void **state)
{
	uint8_t *memory = map_backwards(), ones[8];
	const struct svf_dma_segment segments[] = {
		{IOVA + 8, ones, 8},
		{IOVA + 3 * PAGE - 4, ones, 8},
		{IOVA + 16, ones, 8},
	};

	(void)state;
	memset(ones, 1, sizeof(ones));
	unmap(IOVA + 3 * PAGE, PAGE);
	assert_int_equal(svf_dma_writev(f.fn[0], segments, 3), -EFAULT);
	assert_memory_equal(at(memory, 8), ones, 8);
	assert_memory_equal(at(memory, 3 * PAGE - 4), ones, 4);
	assert_int_equal(*at(memory, 16), 0);
	assert_int_equal(f.fn[0]->requester->faults, 1);
	assert_string_equal(test_log_line(0),
			    "DMAR: [DMA Write NO_PASID] Request device [0000:00:01.0] fault addr "
			    "0x103000 [fault reason 0x05] not mapped for writing");
}

static void copies(uint64_t to, uint64_t from, size_t len)
{
	bool source;

	assert_int_equal(svf_dma_copy(f.fn[0], IOVA + to, IOVA + from, len, &source), 0);
}

static void test_copy(void **state)
{
	uint8_t *memory = map_backwards(), expected[PAGES * PAGE];
	const uint64_t half = PAGES * PAGE / 2;

	(void)state;
	srand(1);
	for (uint64_t i = 0; i < PAGES * PAGE; i++)
		*at(memory, i) = expected[i] = (uint8_t)rand();
	for (unsigned int round = 0; round < 200; round++) {
		size_t len = (size_t)rand() % (3 * PAGE);
		uint64_t from = (uint64_t)rand() % (half - len),
			 to = (uint64_t)rand() % (half - len);

		if (rand() % 2)
			from += half;
		else
			to += half;
		copies(to, from, len);
		memcpy(expected + to, expected + from, len);
	}
	for (uint64_t i = 0; i < PAGES * PAGE; i++)
		assert_int_equal(*at(memory, i), expected[i]);
	assert_int_equal(test_log_count(), 0);
}

/* Which side it was that failed, and how far it went. */
static void test_copy_fails(void **state)
{
	uint8_t *memory = map_backwards();
	bool source = false;

	(void)state;
	memset(at(memory, 0), 1, PAGE);
	unmap(IOVA + PAGE, PAGE);
	assert_int_equal(svf_dma_copy(f.fn[0], IOVA + 8 * PAGE, IOVA + PAGE - 8, 16, &source),
			 -EFAULT);
	assert_true(source);
	assert_int_equal(*at(memory, 8 * PAGE + 7), 1);
	assert_int_equal(*at(memory, 8 * PAGE + 8), 0);
	assert_int_equal(svf_dma_copy(f.fn[0], IOVA + PAGE, IOVA, 8, &source), -EFAULT);
	assert_false(source);
	assert_true(test_log_has("DMA Read at IOVA 0x101000: IOVA 0x101000-0x101fff was unmapped"));
	assert_true(
		test_log_has("DMA Write at IOVA 0x101000: IOVA 0x101000-0x101fff was unmapped"));
	assert_int_equal(f.fn[0]->requester->faults, 2);
}

/* From memory to a BAR, on to memory, and when the BAR is gone. */
static void test_copy_by_bar(void **state)
{
	uint8_t *memory = map_backwards();
	struct svf_ram *ram;
	bool source = false;

	(void)state;
	assert_int_equal(f.machine->port->ram_alloc(f.machine, 4 * PAGE, &ram), 0);
	test_user_add_ram(ram, 0, 4 * PAGE);
	map(ram->base, IOVA + PAGES * PAGE, 4 * PAGE, RW);
	for (uint64_t i = 0; i < 3 * PAGE; i++)
		*at(memory, i) = (uint8_t)(i * 7 >> 4);
	copies(PAGES * PAGE + 100, 0, 3 * PAGE);
	copies(8 * PAGE, PAGES * PAGE + 100, 3 * PAGE);
	for (uint64_t i = 0; i < 3 * PAGE; i++)
		assert_int_equal(*at(memory, 8 * PAGE + i), (uint8_t)(i * 7 >> 4));
	svf_iova_space_detach_ram(f.machine, ram);
	f.machine->port->ram_free(f.machine, ram);
	assert_int_equal(svf_dma_copy(f.fn[0], IOVA, IOVA + PAGES * PAGE, 8, &source), -EFAULT);
	assert_true(source);
	assert_int_equal(svf_dma_copy(f.fn[0], IOVA + PAGES * PAGE, IOVA, 8, &source), -EFAULT);
	assert_false(source);
}

/* Memory that the client has taken away behind the mapping's back: the byte that is missing is named. */
static void test_memory_gone(void **state)
{
	uint8_t *memory = test_user_alloc(4 * PAGE), buf[64];
	const struct svf_dma_segment segments[] = {{IOVA, buf, 8}, {IOVA + 2 * PAGE - 8, buf, 16}};
	char told[128];

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	test_log_clear();
	map(memory, IOVA, 4 * PAGE, RW);
	test_user_remove((uint64_t)(uintptr_t)memory, 4 * PAGE);
	test_user_add((uint64_t)(uintptr_t)memory, 2 * PAGE, true);
	assert_int_equal(svf_dma_readv(f.fn[0], segments, 2), -EFAULT);
	assert_int_equal(f.fn[0]->requester->faults, 1);
	assert_string_equal(test_log_line(0),
			    "DMAR: [DMA Read NO_PASID] Request device [0000:00:01.0] fault addr "
			    "0x102000 [fault reason 0x06] the memory mapped there is gone");
	snprintf(told, sizeof(told),
		 "softvfio: 0000:00:01.0: DMA Read at IOVA 0x102000: there is nothing at 0x%lx",
		 (unsigned long)(uintptr_t)(memory + 2 * PAGE));
	assert_string_equal(test_log_line(1), told);
	unmap(IOVA, 4 * PAGE);
	test_user_remove((uint64_t)(uintptr_t)memory, 2 * PAGE);
	test_user_add((uint64_t)(uintptr_t)memory, 4 * PAGE, true);
}

static void read_fails(uint64_t iova, const char *told)
{
	uint8_t byte;

	assert_int_equal(svf_dma_read(f.fn[0], iova, &byte, 1), -EFAULT);
	assert_string_equal(test_dma_failure(), told);
}

static void test_who_unmapped(void **state)
{
	uint8_t *memory = test_user_alloc(4 * PAGE);

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	test_log_clear();
	svf_machine_advance(f.machine, 5000 * (uint64_t)MS);
	for (unsigned int i = 0; i < 4; i++)
		map(memory, IOVA + i * PAGE, PAGE, RW);
	read_fails(IOVA + 4 * PAGE, "0000:00:01.0: DMA Read at IOVA 0x104000: not mapped for "
				    "reading");
	/* One command, one entry. */
	unmap(IOVA, 2 * PAGE);
	svf_machine_advance(f.machine, 5250 * (uint64_t)MS);
	test_process(1);
	unmap(IOVA + 3 * PAGE, PAGE);
	svf_machine_advance(f.machine, 6000 * (uint64_t)MS);
	read_fails(IOVA + 8, "0000:00:01.0: DMA Read at IOVA 0x100008: not mapped for reading: "
			     "IOVA 0x100000-0x101fff was unmapped 1.000 s before, by "
			     "VFIO_IOMMU_UNMAP_DMA of test[1000]");
	read_fails(IOVA + 3 * PAGE,
		   "0000:00:01.0: DMA Read at IOVA 0x103000: not mapped for reading: "
		   "IOVA 0x103000-0x103fff was unmapped 0.750 s before, by "
		   "VFIO_IOMMU_UNMAP_DMA of test[1001]");
	assert_true(test_log_has("softvfio: 0000:00:01.0: DMA Read at IOVA 0x103000: IOVA "
				 "0x103000-0x103fff was unmapped 0.750 s before"));
	/* Mapped again, it is no longer true; and of an address the newest counts. */
	test_process(0);
	map(memory, IOVA, PAGE, VFIO_DMA_MAP_FLAG_WRITE);
	read_fails(IOVA + 8, "0000:00:01.0: DMA Read at IOVA 0x100008: not mapped for reading");
	unmap(IOVA, PAGE);
	read_fails(IOVA + 8, "0000:00:01.0: DMA Read at IOVA 0x100008: not mapped for reading: "
			     "IOVA 0x100000-0x100fff was unmapped 0.000 s before, by "
			     "VFIO_IOMMU_UNMAP_DMA of test[1000]");
}

/* The oldest goes. */
static void test_history_is_bounded(void **state)
{
	uint8_t *memory = test_user_alloc(PAGE);

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	test_log_clear();
	for (uint64_t i = 0; i <= SVF_UNMAPPED_ENTRIES; i++) {
		map(memory, IOVA + i * PAGE, PAGE, RW);
		unmap(IOVA + i * PAGE, PAGE);
	}
	read_fails(IOVA, "0000:00:01.0: DMA Read at IOVA 0x100000: not mapped for reading");
	read_fails(IOVA + PAGE, "0000:00:01.0: DMA Read at IOVA 0x101000: not mapped for reading: "
				"IOVA 0x101000-0x101fff was unmapped 0.000 s before, by "
				"VFIO_IOMMU_UNMAP_DMA of test[1000]");
}

/* All mappings at once, and with the attachment. */
static void test_who_unmapped_all(void **state)
{
	struct vfio_iommu_type1_dma_unmap all = {.argsz = sizeof(all),
						 .flags = VFIO_DMA_UNMAP_FLAG_ALL};
	uint8_t *memory = test_user_alloc(2 * PAGE);

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	test_log_clear();
	map(memory, IOVA, PAGE, RW);
	map(memory, IOVA + 8 * PAGE, PAGE, RW);
	assert_int_equal(test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &all, sizeof(all)), 0);
	read_fails(IOVA + 8 * PAGE,
		   "0000:00:01.0: DMA Read at IOVA 0x108000: not mapped for reading: "
		   "IOVA 0x100000-0x108fff was unmapped 0.000 s before, by "
		   "VFIO_IOMMU_UNMAP_DMA of test[1000]");
	svf_container_detach_group(&f.group[0]);
	read_fails(IOVA, "0000:00:01.0: DMA Read at IOVA 0x100000: the device is attached to no "
			 "IOVA space: it was detached 0.000 s before, by a close");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vectored, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_vectored_fault, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_copy, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_copy_fails, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_copy_by_bar, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_memory_gone, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_who_unmapped, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_history_is_bounded, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_who_unmapped_all, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
