/* SPDX-License-Identifier: BSD-3-Clause */
/* core/vfio/type1_dirty.c: DIRTY_PAGES and UNMAP with a bitmap. */
#include "container_fixture.h"

#define FAR	 0x100000000ull
#define FAR_SIZE (1ull << 44)
#define START	 VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP	 VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
#define GET	 VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP

struct get {
	struct vfio_iommu_type1_dirty_bitmap head;
	uint64_t iova, size;
	struct vfio_bitmap bitmap;
};

struct unmap {
	struct vfio_iommu_type1_dma_unmap head;
	struct vfio_bitmap bitmap;
};

static uint64_t *words; /* a page of the client's */

static long map_dma(uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
					       .flags = VFIO_DMA_MAP_FLAG_READ,
					       .vaddr = FAR,
					       .iova = iova,
					       .size = size};

	return test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map));
}

static long dirty_pages(uint32_t flags)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {.argsz = sizeof(dirty), .flags = flags};

	return test_ioctl(f.file, VFIO_IOMMU_DIRTY_PAGES, &dirty, sizeof(dirty));
}

static long get_bitmap(uint64_t iova, uint64_t size, uint64_t bitmap_size)
{
	struct get get = {
		.head = {.argsz = sizeof(get), .flags = GET},
		.iova = iova,
		.size = size,
		.bitmap = {.pgsize = PAGE, .size = bitmap_size, .data = (uint64_t)(uintptr_t)words},
	};

	return test_ioctl(f.file, VFIO_IOMMU_DIRTY_PAGES, &get, sizeof(get));
}

static long unmap_bitmap(struct unmap *unmap)
{
	return test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, unmap, sizeof(*unmap));
}

/* Memory that a device can write. */
static void map_memory(void *memory, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
					       .flags = VFIO_DMA_MAP_FLAG_READ |
							VFIO_DMA_MAP_FLAG_WRITE,
					       .vaddr = (uint64_t)(uintptr_t)memory,
					       .iova = iova,
					       .size = size};

	assert_int_equal(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map)), 0);
}

static long unmap_plain(uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = size};

	return test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap));
}

/* Of pages, at most 64. */
static void expect_dirty(uint64_t first_page, uint64_t pages, uint64_t bits)
{
	words[0] = 0;
	assert_int_equal(get_bitmap(first_page * PAGE, pages * PAGE, 8), 0);
	assert_int_equal(words[0], bits);
}

static void start(void)
{
	set_iommu(VFIO_TYPE1v2_IOMMU);
	test_user_add(FAR, FAR_SIZE, true);
	words = test_user_alloc(PAGE);
	memset(words, 0x55, PAGE);
}

static void test_head(void **state)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {.argsz = 7, .flags = 1u << 3};

	(void)state;
	start();
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_DIRTY_PAGES, &dirty, 7), EFAULT,
		     "cannot read 8 bytes");
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_DIRTY_PAGES, &dirty, sizeof(dirty)), EINVAL,
		     "argsz is 7");
	assert_fails(dirty_pages(1u << 3), EINVAL, "unknown flags 0x8");
	assert_fails(dirty_pages(0), EINVAL, "not exactly one");
	assert_fails(dirty_pages(START | STOP), EINVAL, "not exactly one");
	assert_fails(dirty_pages(GET), EINVAL, "argsz is 8, less than 48 with GET_BITMAP");
}

static void test_v1(void **state)
{
	(void)state;
	set_iommu(VFIO_TYPE1_IOMMU);
	assert_fails(test_ioctl_value(f.file, VFIO_IOMMU_DIRTY_PAGES, 0), EACCES,
		     "dirty pages need type1v2");
}

static void test_start_stop(void **state)
{
	(void)state;
	start();
	assert_int_equal(map_dma(0, 2 * PAGE), 0);
	assert_fails(get_bitmap(0, 2 * PAGE, 8), EINVAL, "use START first");
	assert_int_equal(dirty_pages(STOP), 0);
	assert_int_equal(dirty_pages(START), 0);
	assert_int_equal(dirty_pages(START), 0);
	assert_int_equal(get_bitmap(0, 2 * PAGE, 8), 0);
	assert_int_equal(words[0], 3);
	assert_int_equal(dirty_pages(STOP), 0);
	assert_fails(get_bitmap(0, 2 * PAGE, 8), EINVAL, "use START first");
}

static void test_get_checks(void **state)
{
	struct get get = {.head = {.argsz = sizeof(get), .flags = GET}, .size = PAGE};

	(void)state;
	start();
	assert_int_equal(map_dma(4 * PAGE, 4 * PAGE), 0);
	assert_int_equal(dirty_pages(START), 0);
	assert_fails(get_bitmap(1, 0, 8), EINVAL, "size is 0");
	assert_fails(get_bitmap(0ull - PAGE, 2 * PAGE, 8), EOVERFLOW, "passes 2^64");
	assert_fails(get_bitmap(0, PAGE, 0), EINVAL,
		     "a bitmap of 0 bytes is not one for 1 pages; it needs 8");
	assert_fails(get_bitmap(0, 65 * PAGE, 8), EINVAL, "it needs 16");
	assert_fails(get_bitmap(0, PAGE, (1ull << 28) + 1), EINVAL, "at most 268435456");
	assert_fails(get_bitmap(0, PAGE, 1ull << 56), EINVAL, "not in the caller's address space");
	assert_fails(get_bitmap(0, PAGE - 1, 8), EINVAL,
		     "a bitmap of 8 bytes is not one for 0 pages");
	assert_fails(get_bitmap(1, PAGE, 8), EINVAL, "must be multiples");
	assert_fails(get_bitmap(0, 5 * PAGE, 8), EINVAL, "begins or ends inside a mapping");
	assert_fails(get_bitmap(5 * PAGE, 5 * PAGE, 8), EINVAL, "begins or ends inside a mapping");
	get.bitmap = (struct vfio_bitmap){.pgsize = 2 * PAGE, .size = 8};
	get.size = 4 * PAGE;
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_DIRTY_PAGES, &get, sizeof(get)), EINVAL,
		     "pgsize is 8192, not 4096");
	get.bitmap = (struct vfio_bitmap){.pgsize = 0, .size = PAGE};
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_DIRTY_PAGES, &get, sizeof(get)), EINVAL,
		     "pgsize is 0, not 4096");
	/* A bitmap at address 0. */
	get.bitmap = (struct vfio_bitmap){.pgsize = PAGE, .size = 8};
	get.size = 8 * PAGE;
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_DIRTY_PAGES, &get, sizeof(get)), EFAULT,
		     "address 0x0 of the caller");
}

/*
 * Mappings at pages 2-3, 62-65 and 200-201 of the range: the first word is shared by two, and words
 * 1 and 3 end with one; word 2 lies between and keeps what it had.
 */
static void test_get_layout(void **state)
{
	(void)state;
	start();
	assert_int_equal(map_dma(0x100000 + 2 * PAGE, 2 * PAGE), 0);
	assert_int_equal(map_dma(0x100000 + 62 * PAGE, 4 * PAGE), 0);
	assert_int_equal(map_dma(0x100000 + 200 * PAGE, 2 * PAGE), 0);
	assert_int_equal(map_dma(0, PAGE), 0);
	assert_int_equal(dirty_pages(START), 0);
	words[0] = 3;
	assert_int_equal(get_bitmap(0x100000, 256 * PAGE, 32), 0);
	assert_int_equal(words[0], 3ull << 62 | 0xfull);
	assert_int_equal(words[1], 3);
	assert_int_equal(words[2], 0x5555555555555555);
	/* 200 = 3 * 64 + 8: what the caller has in that word stays. */
	assert_int_equal(words[3], 0x5555555555555755);
	assert_int_equal(words[4], 0x5555555555555555);
}

/* More words than are written at once. */
static void test_get_long(void **state)
{
	(void)state;
	start();
	assert_int_equal(map_dma(PAGE, 300 * 64 * PAGE), 0);
	assert_int_equal(dirty_pages(START), 0);
	words[0] = 0;
	assert_int_equal(get_bitmap(0, 301 * 64 * PAGE, 301 * 8), 0);
	assert_int_equal(words[0], ~1ull);
	for (unsigned int i = 1; i < 300; i++)
		assert_int_equal(words[i], ~0ull);
	assert_int_equal(words[300], 1);
	assert_int_equal(words[301], 0x5555555555555555);
}

/* Many small mappings: their bits travel together, up to a gap. */
static void test_get_many(void **state)
{
	unsigned long before;

	(void)state;
	start();
	for (uint64_t page = 0; page < 1000; page++)
		assert_int_equal(map_dma(page * PAGE, PAGE), 0);
	assert_int_equal(unmap_plain(500 * PAGE, PAGE), 0);
	assert_int_equal(map_dma(2000 * PAGE, PAGE), 0);
	assert_int_equal(dirty_pages(START), 0);
	before = test_copies();
	assert_int_equal(get_bitmap(0, 2048 * PAGE, 256), 0);
	/* Two for the arguments, two to write, one for what the last word has. */
	assert_int_equal(test_copies() - before, 5);
	for (unsigned int i = 0; i < 15; i++)
		assert_int_equal(words[i], i == 7 ? ~(1ull << (500 % 64)) : ~0ull);
	assert_int_equal(words[15], ~0ull >> (64 - 1000 % 64));
	assert_int_equal(words[16], 0x5555555555555555);
	assert_int_equal(words[31], 0x5555555555555555 | 1ull << (2000 % 64));
}

/* A bitmap that cannot be written to its end: nothing is forgotten. */
static void test_exact_fault(void **state)
{
	struct get get = {.head = {.argsz = sizeof(get), .flags = GET},
			  .size = 2 * PAGE,
			  .bitmap = {.pgsize = PAGE, .size = 8, .data = PAGE}};
	uint8_t *memory = test_user_alloc(2 * PAGE), byte = 0;

	(void)state;
	start();
	f.machine->params.exact_dirty = true;
	map_memory(memory, 0, 2 * PAGE);
	assert_int_equal(dirty_pages(START), 0);
	assert_int_equal(svf_dma_write(f.fn[0], PAGE, &byte, 1), 0);
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_DIRTY_PAGES, &get, sizeof(get)), EFAULT,
		     "0x1000 of the caller");
	expect_dirty(0, 2, 1u << 1);
}

static void test_unmap_checks(void **state)
{
	struct unmap unmap = {
		.head = {.argsz = sizeof(unmap),
			 .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
			 .size = PAGE},
		.bitmap = {.pgsize = PAGE, .size = 8},
	};

	(void)state;
	start();
	unmap.bitmap.data = (uint64_t)(uintptr_t)words;
	assert_fails(unmap_bitmap(&unmap), EINVAL, "not tracked");
	unmap.head.flags |= VFIO_DMA_UNMAP_FLAG_ALL;
	assert_fails(unmap_bitmap(&unmap), EINVAL, "goes neither with ALL nor with VADDR");
	unmap.head.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP | VFIO_DMA_UNMAP_FLAG_VADDR;
	assert_fails(unmap_bitmap(&unmap), EINVAL, "goes neither with ALL nor with VADDR");
	unmap.head.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
	unmap.head.argsz = sizeof(unmap) - 1;
	assert_fails(unmap_bitmap(&unmap), EINVAL, "argsz is 47, less than 48 with a bitmap");
	unmap.head.argsz = sizeof(unmap);
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap.head)), EFAULT,
		     "cannot read 24 bytes");
	unmap.bitmap.size = 0;
	assert_fails(unmap_bitmap(&unmap), EINVAL, "a bitmap of 0 bytes");
	unmap.bitmap.size = 8;
	assert_int_equal(dirty_pages(START), 0);
	unmap.bitmap.pgsize = PAGE / 2;
	assert_fails(unmap_bitmap(&unmap), EINVAL, "pgsize is 2048, not 4096");
}

static void test_unmap_reports(void **state)
{
	struct unmap unmap = {
		.head = {.argsz = sizeof(unmap),
			 .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
			 .size = 64 * PAGE},
		.bitmap = {.pgsize = PAGE, .size = 8},
	};

	(void)state;
	start();
	unmap.bitmap.data = (uint64_t)(uintptr_t)words;
	assert_int_equal(map_dma(0, PAGE), 0);
	assert_int_equal(map_dma(8 * PAGE, 8 * PAGE), 0);
	assert_int_equal(dirty_pages(START), 0);
	assert_int_equal(unmap_bitmap(&unmap), 0);
	assert_int_equal(unmap.head.size, 9 * PAGE);
	assert_int_equal(words[0], 0xff01);
	assert_int_equal(f.container->type1->space.count, 0);
	/* The bitmap cannot be written: the mapping stays. */
	assert_int_equal(map_dma(0, PAGE), 0);
	unmap.bitmap.data = PAGE;
	assert_fails(unmap_bitmap(&unmap), EFAULT, "0x1000 of the caller");
	assert_int_equal(f.container->type1->space.count, 1);
}

/* A bitmap has at most INT_MAX bits. */
static void test_huge_mapping(void **state)
{
	(void)state;
	start();
	assert_int_equal(dirty_pages(START), 0);
	f.machine->params.enforce_memlock = true;
	assert_fails(map_dma(1ull << 44, 1ull << 43), EINVAL, "more than 2147483647 pages");
	assert_int_equal(test_locked_pages(0), 0);
	assert_int_equal(map_dma(1ull << 44, (1ull << 43) - PAGE), 0);
	assert_int_equal(dirty_pages(STOP), 0);
	assert_int_equal(map_dma(1ull << 45, 1ull << 43), 0);
	assert_fails(dirty_pages(START), EINVAL, "has more than 2147483647 pages");
}

/* With exact_dirty: what devices wrote since it was asked last, and nothing that they read. */
static void test_exact(void **state)
{
	struct unmap unmap = {
		.head = {.argsz = sizeof(unmap),
			 .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
			 .iova = 16 * PAGE,
			 .size = 8 * PAGE},
		.bitmap = {.pgsize = PAGE, .size = 8},
	};
	uint8_t *memory = test_user_alloc(32 * PAGE), byte[2] = {0};

	(void)state;
	start();
	unmap.bitmap.data = (uint64_t)(uintptr_t)words;
	f.machine->params.exact_dirty = true;
	map_memory(memory, 0, 16 * PAGE);
	map_memory(memory, 16 * PAGE, 8 * PAGE);
	/* Before START nothing is marked. */
	assert_int_equal(svf_dma_write(f.fn[0], 0, byte, 1), 0);
	assert_int_equal(dirty_pages(START), 0);
	expect_dirty(0, 24, 0);
	assert_int_equal(svf_dma_read(f.fn[0], 2 * PAGE, byte, 1), 0);
	assert_int_equal(svf_dma_write(f.fn[0], 3 * PAGE, byte, 1), 0);
	assert_int_equal(svf_dma_write(f.fn[0], 16 * PAGE - 1, byte, 2), 0);
	/* A fault writes nothing. */
	assert_int_equal(svf_dma_write(f.fn[0], 24 * PAGE, byte, 1), -EFAULT);
	expect_dirty(0, 24, 1u << 3 | 1u << 15 | 1u << 16);
	expect_dirty(0, 24, 0);
	/* What is not asked for stays. */
	assert_int_equal(svf_dma_write(f.fn[0], 20 * PAGE, byte, 1), 0);
	expect_dirty(0, 16, 0);
	assert_int_equal(unmap_bitmap(&unmap), 0);
	assert_int_equal(words[0], 1u << 4);
	/* A mapping that is made anew has not been written. */
	map_memory(memory, 16 * PAGE, 8 * PAGE);
	assert_int_equal(svf_dma_write(f.fn[0], 17 * PAGE, byte, 1), 0);
	assert_int_equal(unmap_plain(16 * PAGE, 8 * PAGE), 0);
	map_memory(memory, 16 * PAGE, 8 * PAGE);
	expect_dirty(0, 24, 0);
	/* Nor is anything known after STOP. */
	assert_int_equal(svf_dma_write(f.fn[0], 5 * PAGE, byte, 1), 0);
	assert_int_equal(dirty_pages(STOP), 0);
	assert_int_equal(f.machine->used.dirty_chunks, 0);
	assert_int_equal(dirty_pages(START), 0);
	expect_dirty(0, 24, 0);
}

/* No memory for the record: all that is mapped is dirty. */
static void test_exact_bound(void **state)
{
	uint8_t *memory = test_user_alloc(PAGE), byte = 0;

	(void)state;
	start();
	f.machine->params.exact_dirty = true;
	f.machine->limits.dirty_chunks = 0;
	map_memory(memory, PAGE, PAGE);
	assert_int_equal(dirty_pages(START), 0);
	expect_dirty(0, 4, 0);
	assert_int_equal(svf_dma_write(f.fn[0], PAGE, &byte, 1), 0);
	expect_dirty(0, 4, 1u << 1);
	expect_dirty(0, 4, 1u << 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_head),	 TEST(test_v1),
		TEST(test_start_stop),	 TEST(test_get_checks),
		TEST(test_get_layout),	 TEST(test_get_long),
		TEST(test_unmap_checks), TEST(test_unmap_reports),
		TEST(test_huge_mapping), TEST(test_exact),
		TEST(test_exact_bound),	 TEST(test_get_many),
		TEST(test_exact_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
