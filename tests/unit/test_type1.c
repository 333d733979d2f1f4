/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core/vfio/type1.c: every errno of MAP and UNMAP with its reason, v1 against v2, limits, giving up
 * addresses.
 */
#include "container_fixture.h"

#define RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

/* Memory of the client at a fixed place, only ever checked, never touched. */
#define FAR	 0x100000000ull
#define FAR_SIZE (1ull << 42)

static long map_dma(uint32_t flags, uint64_t vaddr, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = flags, .vaddr = vaddr, .iova = iova, .size = size};

	return test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map));
}

/* Return: the size unmapped, or a negative errno. */
static long unmap_dma(uint32_t flags, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .flags = flags, .iova = iova, .size = size};
	long ret = test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap));

	return ret ? ret : (long)unmap.size;
}

static struct svf_type1 *type1(void)
{
	return f.container->type1;
}

static void start(uint64_t type)
{
	set_iommu(type);
	test_user_add(FAR, FAR_SIZE, true);
}

static void test_map_checks(void **state)
{
	static const struct {
		uint32_t flags;
		uint64_t vaddr, iova, size;
		int err;
		const char *reason;
	} cases[] = {
		/*
		 * In the order in which they are found: each has the later mistakes as well, where
		 * it can.
		 */
		{0, 1, 1, 0, EINVAL, "size is 0"},
		{0, 1, UINT64_MAX - 1, PAGE, EOVERFLOW, "IOVA 0xfffffffffffffffe plus size 0x1000"},
		{0, UINT64_MAX - 1, 1, PAGE, EOVERFLOW, "vaddr 0xfffffffffffffffe plus size"},
		{0, 1, 1, PAGE, EINVAL, "neither READ nor WRITE"},
		{RW | VFIO_DMA_MAP_FLAG_VADDR, 1, 1, PAGE, EINVAL, "FLAG_VADDR goes without"},
		{RW, FAR + 1, 0, PAGE, EINVAL, "must be multiples"},
		{RW, FAR, 1, PAGE, EINVAL, "must be multiples"},
		{RW, FAR, 0, PAGE - 1, EINVAL, "must be multiples"},
		{RW, FAR, SVF_MSI_WINDOW_FIRST, PAGE, EINVAL,
		 "not within 0x0-0xfedfffff or 0xfef00000-0xffffffffffff"},
		{RW, FAR, SVF_MSI_WINDOW_LAST + 1 - PAGE, PAGE, EINVAL, "not within"},
		{RW, FAR, SVF_MSI_WINDOW_FIRST - PAGE, 2 * PAGE, EINVAL, "not within"},
		{RW, FAR, 0, 1ull << 33, EINVAL, "not within"},
		{RW, FAR, SVF_IOVA_LAST + 1 - PAGE, 2 * PAGE, EINVAL, "not within"},
		{RW, FAR, 0ull - PAGE, PAGE, EINVAL, "not within"},
		{RW, 0, 0, PAGE, EFAULT, "0x0-0xfff is not all memory that the caller can write"},
		{VFIO_DMA_MAP_FLAG_READ, FAR - PAGE, 0, 2 * PAGE, EFAULT, "can read"},
		{RW, FAR + FAR_SIZE - PAGE, 0, 2 * PAGE, EFAULT, "can write"},
	};

	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++)
		assert_fails(map_dma(cases[i].flags, cases[i].vaddr, cases[i].iova, cases[i].size),
			     cases[i].err, cases[i].reason);
	assert_int_equal(type1()->space.count, 0);
	assert_int_equal(type1()->dma_avail, 65535);
}

static void test_map_argument(void **state)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = 31, .flags = 1u << 3 | RW, .vaddr = FAR, .size = PAGE};

	(void)state;
	start(VFIO_TYPE1_IOMMU);
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, 31), EFAULT,
		     "cannot read 32 bytes");
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map)), EINVAL,
		     "argsz is 31, less than 32");
	map.argsz = 4096;
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map)), EINVAL,
		     "unknown flags 0x8");
	map.flags = RW;
	assert_int_equal(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map)), 0);
}

static void test_map_edges(void **state)
{
	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	assert_int_equal(map_dma(RW, FAR, 0, PAGE), 0);
	assert_int_equal(map_dma(RW, FAR, SVF_MSI_WINDOW_FIRST - PAGE, PAGE), 0);
	assert_int_equal(map_dma(RW, FAR, SVF_MSI_WINDOW_LAST + 1, PAGE), 0);
	assert_int_equal(map_dma(RW, FAR, SVF_IOVA_LAST + 1 - PAGE, PAGE), 0);
	assert_fails(map_dma(RW, 0, SVF_IOVA_LAST + 1 - PAGE, PAGE), EEXIST,
		     "overlaps the mapping at 0xfffffffff000-0xffffffffffff; unmap that first");
	/* An overlap is found before a range that is not usable. */
	assert_fails(map_dma(RW, FAR, 0, 1ull << 33), EEXIST, "overlaps");
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 4 * PAGE);
	assert_int_equal(type1()->dma_avail, 65535);
}

/* Write permission is needed for WRITE only. */
static void test_map_read_only_memory(void **state)
{
	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	test_user_add(FAR, PAGE, false);
	assert_fails(map_dma(RW, FAR, 0, PAGE), EFAULT, "can write");
	assert_fails(map_dma(VFIO_DMA_MAP_FLAG_WRITE, FAR, 0, PAGE), EFAULT, "can write");
	assert_int_equal(map_dma(VFIO_DMA_MAP_FLAG_READ, FAR, 0, PAGE), 0);
}

static void test_map_bar(void **state)
{
	struct svf_ram *ram;
	uint32_t value = 0x12345678;
	uint64_t addr;

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	f.machine->params.enforce_memlock = true;
	assert_int_equal(f.machine->port->ram_alloc(f.machine, 4 * PAGE, &ram), 0);
	test_user_add_ram(ram, PAGE, 2 * PAGE);
	addr = (uint64_t)(uintptr_t)ram->base;
	assert_int_equal(map_dma(RW, addr + 2 * PAGE, 0x1000, PAGE), 0);
	assert_int_equal(test_locked_pages(0), 0);
	assert_int_equal(svf_dma_write(f.fn[0], 0x1008, &value, sizeof(value)), 0);
	assert_memory_equal(ram->base + 2 * PAGE + 8, &value, sizeof(value));
	/* A new address for a BAR's memory changes nothing of it. */
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_VADDR, 0x1000, PAGE), PAGE);
	assert_int_equal(map_dma(VFIO_DMA_MAP_FLAG_VADDR, FAR, 0x1000, PAGE), 0);
	assert_int_equal(svf_dma_write(f.fn[0], 0x1008, &value, sizeof(value)), 0);
	svf_iova_space_detach_ram(f.machine, ram);
	f.machine->port->ram_free(f.machine, ram);
	assert_int_equal(svf_dma_write(f.fn[0], 0x1008, &value, sizeof(value)), -EFAULT);
	assert_int_equal(unmap_dma(0, 0x1000, PAGE), PAGE);
}

/*
 * Peer to peer: one function's DMA into the memory of another's BAR, which is as much a mapping's
 * memory as any: READ and WRITE are kept apart, and where the BAR ends, it ends.
 */
static void test_peer_to_peer(void **state)
{
	uint8_t *memory = test_user_alloc(PAGE), buf[8] = "12345678";
	struct svf_ram *ram;
	uint64_t bar;

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	assert_int_equal(attach_group(1), 0);
	assert_int_equal(f.machine->port->ram_alloc(f.machine, 2 * PAGE, &ram), 0);
	test_user_add_ram(ram, 0, 2 * PAGE);
	bar = (uint64_t)(uintptr_t)ram->base;
	assert_int_equal(map_dma(VFIO_DMA_MAP_FLAG_READ, bar, 0x1000, PAGE), 0);
	assert_int_equal(map_dma(VFIO_DMA_MAP_FLAG_WRITE, bar + PAGE, 0x2000, PAGE), 0);
	assert_int_equal(map_dma(RW, (uint64_t)(uintptr_t)memory, 0x3000, PAGE), 0);
	memset(ram->base, 'r', 2 * PAGE);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(svf_dma_read(f.fn[i], 0x1000, buf, 8), 0);
		assert_memory_equal(buf, "rrrrrrrr", 8);
		assert_int_equal(svf_dma_write(f.fn[i], 0x1000, "w", 1), -EFAULT);
		assert_int_equal(svf_dma_read(f.fn[i], 0x2000, buf, 8), -EFAULT);
		/* From the BAR on into memory, in one transfer. */
		assert_int_equal(svf_dma_write(f.fn[i], 0x2ffc, "wwwwmmmm", 8), 0);
	}
	assert_int_equal(ram->base[0], 'r');
	assert_memory_equal(ram->base + 2 * PAGE - 5, "rwwww", 5);
	assert_memory_equal(memory, "mmmm", 5);
	assert_true(test_log_has("[DMA Write NO_PASID]"));
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 3 * PAGE);
	f.machine->port->ram_free(f.machine, ram);
}

static void test_entry_limit(void **state)
{
	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	for (uint64_t i = 0; i < 65535; i++)
		assert_int_equal(map_dma(RW, FAR + i * PAGE, i * PAGE, PAGE), 0);
	assert_int_equal(f.machine->used.mappings, 65535);
	/* Found after an overlap, before an unusable range. */
	assert_fails(map_dma(RW, FAR, 0, PAGE), EEXIST, "overlaps");
	assert_fails(map_dma(RW, FAR, SVF_MSI_WINDOW_FIRST, PAGE), ENOSPC,
		     "the container has 65535 mappings, vfio_iommu_type1.dma_entry_limit");
	assert_int_equal(unmap_dma(0, 1000 * PAGE, PAGE), PAGE);
	assert_int_equal(map_dma(RW, FAR, 1ull << 40, PAGE), 0);
	assert_int_equal(map_dma(RW, FAR, 1ull << 41, PAGE), -ENOSPC);
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 65535l * PAGE);
	assert_int_equal(type1()->space.count, 0);
	assert_int_equal(type1()->dma_avail, 65535);
}

static void map_many(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(map_dma(RW, FAR + i * PAGE, i * PAGE, PAGE), 0);
}

/* Many mappings are freed a slice at a time, and when somebody needs what they hold. */
static void test_unmap_many(void **state)
{
	uint8_t byte;

	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	f.machine->params.enforce_memlock = true;
	test_lock_limit(0, 10000);
	map_many(10000);
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 10000l * PAGE);
	assert_int_equal(svf_dma_read(f.fn[0], 0, &byte, 1), -EFAULT);
	assert_int_equal(f.machine->used.mappings, 10000);
	assert_true(svf_mappings_reap(f.machine, 1000));
	assert_int_equal(f.machine->used.mappings, 9000);
	assert_int_equal(test_locked_pages(0), 9000);
	/* The limit of locked memory. */
	assert_int_equal(map_dma(RW, FAR, 0, 2000 * PAGE), 0);
	assert_int_equal(f.machine->used.mappings, 1);
	assert_int_equal(test_locked_pages(0), 2000);
	assert_false(svf_mappings_reap(f.machine, 1000));
	/* The machine's; a range that has all of them is as good as all. */
	assert_int_equal(unmap_dma(0, 0, 2000 * PAGE), 2000 * PAGE);
	map_many(5000);
	assert_int_equal(unmap_dma(0, 0, 6000 * PAGE), 5000 * PAGE);
	assert_int_equal(f.machine->used.mappings, 5000);
	f.machine->limits.mappings = 5000;
	map_many(1);
	assert_int_equal(f.machine->used.mappings, 1);
	/* And the last group's leaving; test_machine_end() looks for what is left. */
	f.machine->limits.mappings = 20000;
	assert_int_equal(unmap_dma(0, 0, PAGE), PAGE);
	map_many(5000);
}

static void test_machine_limit(void **state)
{
	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	f.machine->params.enforce_memlock = true;
	f.machine->limits.mappings = 1;
	assert_int_equal(map_dma(RW, FAR, 0, PAGE), 0);
	assert_fails(map_dma(RW, FAR, PAGE, PAGE), ENOMEM,
		     "all containers and IOASes together have 1");
	assert_int_equal(test_locked_pages(0), 1);
	assert_int_equal(type1()->dma_avail, 65534);
}

static void test_memlock(void **state)
{
	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	test_lock_limit(0, 10);
	/* Not charged unless asked for. */
	assert_int_equal(map_dma(RW, FAR, 0, 20 * PAGE), 0);
	assert_int_equal(unmap_dma(0, 0, 20 * PAGE), 20 * PAGE);
	f.machine->params.enforce_memlock = true;
	assert_fails(map_dma(RW, FAR, 0, 11 * PAGE), ENOMEM,
		     "11 pages more are over RLIMIT_MEMLOCK; raise it (ulimit -l)");
	assert_int_equal(map_dma(RW, FAR, 0, 6 * PAGE), 0);
	assert_int_equal(map_dma(RW, FAR, 6 * PAGE, 4 * PAGE), 0);
	assert_int_equal(test_locked_pages(0), 10);
	assert_int_equal(unmap_dma(0, 0, 6 * PAGE), 6 * PAGE);
	assert_int_equal(test_locked_pages(0), 4);
	assert_true(test_log_has("vfio_pin_pages_remote: RLIMIT_MEMLOCK (40960) exceeded"));
}

/* Memory of which the last pages are bad: what comes first, they or the limit, is what is said. */
static void test_memlock_and_bad_memory(void **state)
{
	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	f.machine->params.enforce_memlock = true;
	test_lock_limit(0, 10);
	assert_fails(map_dma(RW, FAR + FAR_SIZE - 10 * PAGE, 0, 12 * PAGE), EFAULT,
		     "not all memory");
	assert_int_equal(test_locked_pages(0), 0);
	assert_fails(map_dma(RW, FAR + FAR_SIZE - 11 * PAGE, 0, 12 * PAGE), ENOMEM,
		     "RLIMIT_MEMLOCK");
	assert_int_equal(test_locked_pages(0), 0);
	test_lock_limit(0, 0);
	assert_fails(map_dma(RW, FAR + FAR_SIZE, 0, 12 * PAGE), EFAULT, "not all memory");
}

static void test_unmap_argument(void **state)
{
	struct vfio_iommu_type1_dma_unmap unmap = {.argsz = 23, .flags = 1u << 3, .size = PAGE};

	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &unmap, 20), EFAULT,
		     "cannot read 24 bytes");
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap)), EINVAL,
		     "argsz is 23");
	unmap.argsz = sizeof(unmap);
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap)), EINVAL,
		     "unknown flags 0x8");
	assert_fails(unmap_dma(0, 1, PAGE), EINVAL, "iova 0x1 is no multiple");
	assert_fails(unmap_dma(0, 0, 0), EINVAL, "size 0x0 is 0 or no multiple");
	assert_fails(unmap_dma(0, 0, PAGE + 1), EINVAL, "size 0x1001 is 0 or no multiple");
	assert_fails(unmap_dma(0, 0ull - PAGE, 2 * PAGE), EOVERFLOW, "passes 2^64");
	assert_fails(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, 0, PAGE), EINVAL, "iova 0 and size 0");
	assert_fails(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, PAGE, 0), EINVAL, "iova 0 and size 0");
	/* Nothing there: success. */
	assert_int_equal(unmap_dma(0, 0ull - PAGE, PAGE), 0);
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 0);
}

/* The caller's structure cannot be written: unmapped all the same, as in the kernel. */
static void test_unmap_answer_fails(void **state)
{
	struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof(unmap), .size = PAGE};

	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	assert_int_equal(map_dma(RW, FAR, 0, PAGE), 0);
	test_fail_copy(2);
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_UNMAP_DMA, &unmap, sizeof(unmap)), EFAULT,
		     "cannot write 24 bytes");
	assert_int_equal(type1()->space.count, 0);
}

/* Three mappings of two pages at 2, 4 and 8. */
static void map_three(void)
{
	assert_int_equal(map_dma(RW, FAR, 2 * PAGE, 2 * PAGE), 0);
	assert_int_equal(map_dma(RW, FAR, 4 * PAGE, 2 * PAGE), 0);
	assert_int_equal(map_dma(RW, FAR, 8 * PAGE, 2 * PAGE), 0);
}

static void test_unmap_v2(void **state)
{
	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	map_three();
	assert_fails(unmap_dma(0, 2 * PAGE, PAGE), EINVAL, "begins or ends inside a mapping");
	assert_fails(unmap_dma(0, 3 * PAGE, PAGE), EINVAL, "inside a mapping");
	assert_fails(unmap_dma(0, 0, 5 * PAGE), EINVAL, "inside a mapping");
	assert_fails(unmap_dma(0, 3 * PAGE, 20 * PAGE), EINVAL, "inside a mapping");
	assert_int_equal(type1()->space.count, 3);
	assert_int_equal(unmap_dma(0, 6 * PAGE, 2 * PAGE), 0);
	assert_int_equal(unmap_dma(0, 0, 7 * PAGE), 4 * PAGE);
	assert_int_equal(unmap_dma(0, 8 * PAGE, 2 * PAGE), 2 * PAGE);
}

static void test_unmap_v1(void **state)
{
	(void)state;
	start(VFIO_TYPE1_IOMMU);
	map_three();
	/* From inside of a mapping: nothing, though the next one begins in the range. */
	assert_int_equal(unmap_dma(0, 3 * PAGE, 3 * PAGE), 0);
	/* The first page takes the whole mapping; so does a range that ends inside one. */
	assert_int_equal(unmap_dma(0, 2 * PAGE, PAGE), 2 * PAGE);
	assert_int_equal(unmap_dma(0, 0, 9 * PAGE), 4 * PAGE);
	assert_int_equal(type1()->space.count, 0);
	map_three();
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 6 * PAGE);
}

static void test_vaddr(void **state)
{
	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	map_three();
	assert_fails(map_dma(VFIO_DMA_MAP_FLAG_VADDR, FAR, 0, PAGE), ENOENT,
		     "nothing is mapped at IOVA 0x0-0xfff");
	assert_fails(map_dma(VFIO_DMA_MAP_FLAG_VADDR, FAR, 2 * PAGE, 2 * PAGE), EINVAL,
		     "not exactly one mapping");
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_VADDR, 4 * PAGE, 2 * PAGE), 2 * PAGE);
	/* All or none. */
	assert_fails(unmap_dma(VFIO_DMA_UNMAP_FLAG_VADDR | VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), EINVAL,
		     "at IOVA 0x4000-0x5fff has given up its address already");
	assert_int_equal(type1()->vaddr_invalid, 1);
	assert_int_equal(attach_group(1), -EBUSY);
	assert_null(f.fn[1]->group->owner);
	assert_fails(map_dma(VFIO_DMA_MAP_FLAG_VADDR, FAR, 4 * PAGE, PAGE), EINVAL,
		     "not exactly one mapping");
	assert_int_equal(map_dma(VFIO_DMA_MAP_FLAG_VADDR, FAR, 4 * PAGE, 2 * PAGE), 0);
	assert_int_equal(type1()->vaddr_invalid, 0);
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_VADDR | VFIO_DMA_UNMAP_FLAG_ALL, 0, 0),
			 6 * PAGE);
	assert_int_equal(type1()->vaddr_invalid, 3);
	assert_int_equal(unmap_dma(0, 2 * PAGE, 2 * PAGE), 2 * PAGE);
	assert_int_equal(type1()->vaddr_invalid, 2);
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 4 * PAGE);
	assert_int_equal(type1()->vaddr_invalid, 0);
	assert_int_equal(attach_group(1), 0);
}

/* Another process takes a mapping over, with its charge. */
static void test_vaddr_changes_owner(void **state)
{
	uint8_t *memory = test_user_alloc(PAGE), *other, byte = 0;

	(void)state;
	test_memory_shared(false);
	set_iommu(VFIO_TYPE1v2_IOMMU);
	f.machine->params.enforce_memlock = true;
	memory[0] = 1;
	assert_int_equal(map_dma(RW, (uint64_t)(uintptr_t)memory, 0, PAGE), 0);
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_VADDR, 0, PAGE), PAGE);
	assert_int_equal(svf_dma_read(f.fn[0], 0, &byte, 1), 0);
	assert_int_equal(byte, 1);
	test_process(1);
	other = test_user_alloc(PAGE);
	other[0] = 2;
	test_lock_limit(1, 0);
	assert_fails(map_dma(VFIO_DMA_MAP_FLAG_VADDR, (uint64_t)(uintptr_t)other, 0, PAGE), ENOMEM,
		     "RLIMIT_MEMLOCK");
	assert_int_equal(test_locked_pages(0), 1);
	test_lock_limit(1, 1);
	assert_int_equal(map_dma(VFIO_DMA_MAP_FLAG_VADDR, (uint64_t)(uintptr_t)other, 0, PAGE), 0);
	assert_int_equal(test_locked_pages(0), 0);
	assert_int_equal(test_locked_pages(1), 1);
	assert_int_equal(svf_dma_read(f.fn[0], 0, &byte, 1), 0);
	assert_int_equal(byte, 2);
	test_process(0);
}

/* Of a file's memory a device goes on reaching what was mapped, wherever it is to be found now. */
static void test_vaddr_of_shared(void **state)
{
	uint8_t *memory = test_user_alloc(PAGE), byte = 0;

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	memory[0] = 1;
	assert_int_equal(map_dma(RW, (uint64_t)(uintptr_t)memory, 0, PAGE), 0);
	assert_int_equal(unmap_dma(VFIO_DMA_UNMAP_FLAG_VADDR, 0, PAGE), PAGE);
	assert_int_equal(map_dma(VFIO_DMA_MAP_FLAG_VADDR, FAR, 0, PAGE), 0);
	assert_int_equal(svf_dma_read(f.fn[0], 0, &byte, 1), 0);
	assert_int_equal(byte, 1);
	assert_int_equal(unmap_dma(0, 0, PAGE), PAGE);
}

/* Each user copy of a MAP, UNMAP pair fails once; nothing is half done. */
static void test_copies_fail(void **state)
{
	(void)state;
	start(VFIO_TYPE1v2_IOMMU);
	test_fail_copy(1);
	assert_int_equal(map_dma(RW, FAR, 0, PAGE), -EFAULT);
	assert_int_equal(type1()->space.count, 0);
	assert_int_equal(map_dma(RW, FAR, 0, PAGE), 0);
	test_fail_copy(1);
	assert_int_equal(unmap_dma(0, 0, PAGE), -EFAULT);
	assert_int_equal(type1()->space.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_map_checks),
		TEST(test_map_argument),
		TEST(test_map_edges),
		TEST(test_map_read_only_memory),
		TEST(test_map_bar),
		TEST(test_peer_to_peer),
		TEST(test_entry_limit),
		TEST(test_machine_limit),
		TEST(test_memlock),
		TEST(test_memlock_and_bad_memory),
		TEST(test_unmap_many),
		TEST(test_unmap_argument),
		TEST(test_unmap_answer_fails),
		TEST(test_unmap_v2),
		TEST(test_unmap_v1),
		TEST(test_vaddr),
		TEST(test_vaddr_changes_owner),
		TEST(test_vaddr_of_shared),
		TEST(test_copies_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
