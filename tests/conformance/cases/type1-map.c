/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_IOMMU_MAP_DMA: flags, sizes, alignment, overlap (EEXIST), the reserved window of message
 * interrupts (EINVAL), the end of the address space, and what memory can be mapped (EFAULT). A
 * failed call leaves nothing behind.
 */
#include "lib.h"

#define READ  VFIO_DMA_MAP_FLAG_READ
#define WRITE VFIO_DMA_MAP_FLAG_WRITE
#define VADDR VFIO_DMA_MAP_FLAG_VADDR

static int container;
static uint8_t *memory; /* 16 pages */

static int map(uint32_t flags, const void *vaddr, uint64_t iova, uint64_t size, const char *what)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = flags,
					     .vaddr = (uintptr_t)vaddr,
					     .iova = iova,
					     .size = size};

	return say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP %s", what);
}

static void unmap_all(void)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u),
					       .flags = VFIO_DMA_UNMAP_FLAG_ALL};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP all");
	note("size 0x%llx", (unsigned long long)u.size);
}

static void form(void)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = READ,
					     .vaddr = (uintptr_t)memory,
					     .iova = IOVA(0),
					     .size = PAGE};
	void *nowhere = NULL;

	section("form");
	IOCTL(container, VFIO_IOMMU_MAP_DMA, nowhere);
	m.argsz = sizeof(m) - 1;
	IOCTL(container, VFIO_IOMMU_MAP_DMA, &m);
	m.argsz = 0;
	IOCTL(container, VFIO_IOMMU_MAP_DMA, &m);
	m.argsz = sizeof(m) + 64;
	say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP with a long argsz");
	unmap_all();
}

static void flags(void)
{
	section("flags");
	map(0, memory, IOVA(0), PAGE, "no flag");
	map(READ, memory, IOVA(0), PAGE, "READ");
	map(WRITE, memory, IOVA(1), PAGE, "WRITE");
	map(READ | WRITE, memory, IOVA(2), PAGE, "READ WRITE, memory mapped twice");
	map(READ | 8, memory, IOVA(3), PAGE, "READ and bit 3");
	map(READ | 1u << 31, memory, IOVA(3), PAGE, "READ and bit 31");
	map(VADDR, memory, IOVA(0), PAGE, "VADDR of a mapping that has one");
	map(VADDR | READ, memory, IOVA(0), PAGE, "VADDR READ");
	map(VADDR, memory, IOVA(9), PAGE, "VADDR of nothing");
	unmap_all();
}

static void sizes(void)
{
	section("size and alignment");
	map(READ, memory, IOVA(0), 0, "size 0");
	map(READ, memory, IOVA(0), 1, "size 1");
	map(READ, memory, IOVA(0), PAGE - 1, "size one byte less than a page");
	map(READ, memory, IOVA(0), PAGE + 1, "size one byte more than a page");
	map(READ, memory, IOVA(0) + 1, PAGE, "iova not aligned");
	map(READ, memory, IOVA(0) + 512, PAGE, "iova aligned to 512");
	map(READ, memory + 1, IOVA(0), PAGE, "vaddr not aligned");
	map(READ, memory + 512, IOVA(0), PAGE, "vaddr aligned to 512");
	map(READ, memory, IOVA(0) + 1, 0, "size 0 and iova not aligned");
	map(READ, memory, IOVA(0), PAGE, "one page");
	unmap_all();
}

static void overlap(void)
{
	section("overlap");
	map(READ, memory, IOVA(4), 4 * PAGE, "pages 4-7");
	map(READ, memory, IOVA(4), 4 * PAGE, "pages 4-7");
	map(READ, memory, IOVA(4), PAGE, "page 4");
	map(READ, memory, IOVA(7), PAGE, "page 7");
	map(READ, memory, IOVA(0), 16 * PAGE, "pages 0-15");
	map(READ, memory, IOVA(0), 5 * PAGE, "pages 0-4");
	map(READ, memory, IOVA(7), 2 * PAGE, "pages 7-8");
	map(READ, memory, IOVA(3), PAGE, "page 3");
	map(READ, memory, IOVA(8), PAGE, "page 8");
	map(READ, NULL, IOVA(5), PAGE, "page 5, bad memory: overlap is seen first");
	map(READ, memory, IOVA(5), PAGE + 1, "page 5, odd size: alignment is seen first");
	unmap_all();
}

/* Each alone in an empty space, so that it is the place that counts. */
static void edge(uint64_t iova, uint64_t size, const char *what)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u),
					       .flags = VFIO_DMA_UNMAP_FLAG_ALL};

	map(READ, memory, iova, size, what);
	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u) < 0)
		die("UNMAP_DMA: %s", errno_name(errno));
}

static void edges(void)
{
	section("the reserved window and the end of the address space");
	edge(0, PAGE, "at 0");
	edge(0xfee00000, PAGE, "at 0xfee00000");
	edge(0xfeeff000, PAGE, "at 0xfeeff000");
	edge(0xfedff000, PAGE, "at 0xfedff000");
	edge(0xfedfe000, 4 * PAGE, "from below into the window");
	edge(0xfeefe000, 4 * PAGE, "from the window to above");
	edge(0xfef00000, PAGE, "at 0xfef00000");
	edge(1ull << 32, PAGE, "at 2^32");
	edge((1ull << 39) - PAGE, PAGE, "the page below 2^39");
	edge((1ull << 47) - PAGE, PAGE, "the page below 2^47");
	edge((1ull << 48) - PAGE, PAGE, "the page below 2^48");
	edge(1ull << 48, PAGE, "at 2^48");
	edge((1ull << 48) - PAGE, 2 * PAGE, "across 2^48");
	edge((1ull << 57) - PAGE, PAGE, "the page below 2^57");
	edge(~0ull - PAGE + 1, PAGE, "the last page of 2^64");
	edge(~0ull - PAGE + 1, 2 * PAGE, "across 2^64");
	edge(IOVA(0), ~0ull - PAGE + 1, "almost 2^64 bytes");
	edge(IOVA(0), 1ull << 63, "2^63 bytes");
	map(READ, (void *)(~0ull - PAGE + 1), IOVA(0), 2 * PAGE, "vaddr wraps");
}

static void memories(void)
{
	uint8_t *hole = pages(4 * PAGE), *read_only, *none, *shared_ro;
	int fd = memfd_create("case", MFD_CLOEXEC);

	section("memory");
	munmap(hole + 2 * PAGE, PAGE);
	map(READ, hole, IOVA(0), 2 * PAGE, "up to a hole");
	map(READ, hole, IOVA(4), 4 * PAGE, "across a hole");
	map(READ, hole + 2 * PAGE, IOVA(8), PAGE, "a hole");
	map(READ, NULL, IOVA(8), PAGE, "NULL");
	map(READ, (void *)0xffff800000000000ull, IOVA(8), PAGE, "the kernel's");
	note("nothing is left of the failed ones");
	map(READ, memory, IOVA(4), 4 * PAGE, "pages 4-7");

	read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map(READ, read_only, IOVA(16), PAGE, "READ, read-only private memory");
	map(WRITE, read_only, IOVA(17), PAGE, "WRITE, read-only private memory");
	map(READ | WRITE, read_only, IOVA(18), PAGE, "READ WRITE, read-only private memory");
	none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map(READ, none, IOVA(19), PAGE, "READ, PROT_NONE memory");
	if (ftruncate(fd, PAGE) < 0)
		die("ftruncate");
	shared_ro = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	map(READ, shared_ro, IOVA(20), PAGE, "READ, a file mapped read-only");
	map(READ | WRITE, shared_ro, IOVA(21), PAGE, "READ WRITE, a file mapped read-only");
	map(READ, shared_ro + PAGE, IOVA(22), PAGE, "READ, beyond the end of the file");
	unmap_all();
}

static void both_types(uint32_t type, const char *name)
{
	struct vfio_user u;

	section("type %s", name);
	vfio_user_open(&u, edu, type);
	container = u.container;
	form();
	flags();
	sizes();
	overlap();
	edges();
	memories();
	vfio_user_close(&u);
}

int main(void)
{
	case_begin();
	pci_bind(edu, "vfio-pci");
	memory = pages(16 * PAGE);
	both_types(VFIO_TYPE1v2_IOMMU, "type1v2");
	both_types(VFIO_TYPE1_IOMMU, "type1");
	return 0;
}
