/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_IOMMU_UNMAP_DMA. Type1v2 takes away whole mappings only: a range that cuts one is EINVAL
 * and takes nothing. Type1 takes a mapping away when the range has its first page, and says how
 * much that was. A range with no mapping in it is no mistake: 0 bytes.
 */
#include "lib.h"

#define ALL   VFIO_DMA_UNMAP_FLAG_ALL
#define VADDR VFIO_DMA_UNMAP_FLAG_VADDR
#define DIRTY VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP

static int container;
static uint8_t *memory;

static void map(unsigned int first_page, unsigned int nr_pages)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = VFIO_DMA_MAP_FLAG_READ,
					     .vaddr = (uintptr_t)memory,
					     .iova = IOVA(first_page),
					     .size = nr_pages * PAGE};

	say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP pages %u-%u", first_page,
		 first_page + nr_pages - 1);
}

static void unmap_raw(uint32_t flags, uint64_t iova, uint64_t size, const char *what)
{
	struct vfio_iommu_type1_dma_unmap u = {
		.argsz = sizeof(u), .flags = flags, .iova = iova, .size = size};
	int ret;

	ret = say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP %s", what);
	if (ret == 0 || u.size != size)
		note("size 0x%llx", (unsigned long long)u.size);
}

static void unmap(unsigned int first_page, unsigned int nr_pages)
{
	char what[64];

	snprintf(what, sizeof(what), "pages %u-%u", first_page, first_page + nr_pages - 1);
	unmap_raw(0, IOVA(first_page), nr_pages * PAGE, what);
}

static void form(void)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = IOVA(0), .size = PAGE};
	void *nowhere = NULL;

	section("form");
	IOCTL(container, VFIO_IOMMU_UNMAP_DMA, nowhere);
	u.argsz = sizeof(u) - 1;
	IOCTL(container, VFIO_IOMMU_UNMAP_DMA, &u);
	u.argsz = sizeof(u) + 8;
	IOCTL(container, VFIO_IOMMU_UNMAP_DMA, &u);
	unmap_raw(8, IOVA(0), PAGE, "unknown flag");
	unmap_raw(0, IOVA(0), 0, "size 0");
	unmap_raw(0, IOVA(0) + 1, PAGE, "iova not aligned");
	unmap_raw(0, IOVA(0), PAGE + 1, "size not aligned");
	unmap_raw(0, IOVA(0), 512, "512 bytes");
	unmap_raw(0, ~0ull - PAGE + 1, 2 * PAGE, "across 2^64");
	unmap_raw(0, ~0ull - PAGE + 1, PAGE, "the last page of 2^64");
	unmap_raw(0, 0, ~0ull, "all but a byte");
	unmap_raw(0, 0, ~0ull - PAGE + 1, "0 to the last page of 2^64");
}

static void ranges(void)
{
	section("ranges");
	unmap(0, 1);
	map(4, 4);
	unmap(4, 4);
	unmap(4, 4);
	map(4, 4);
	unmap(4, 1);
	unmap(7, 1);
	unmap(5, 2);
	unmap(6, 4);
	unmap(2, 4);
	unmap(4, 4);
	map(4, 4);
	unmap(0, 16);

	section("several mappings");
	map(0, 2);
	map(4, 2);
	map(8, 2);
	unmap(0, 6);
	unmap(0, 16);
	map(0, 2);
	map(2, 2);
	map(4, 2);
	unmap(0, 3);
	unmap(3, 3);
	unmap(1, 5);
	unmap(0, 6);
	unmap(0, 6);
}

static void all(void)
{
	section("flag ALL");
	map(0, 2);
	map(8, 2);
	unmap_raw(ALL, IOVA(0), 0, "ALL with iova");
	unmap_raw(ALL, 0, PAGE, "ALL with size");
	unmap_raw(ALL, 0, 0, "ALL");
	unmap_raw(ALL, 0, 0, "ALL again");
}

static void vaddr(void)
{
	section("flag VADDR");
	map(0, 2);
	unmap_raw(VADDR, IOVA(0), 2 * PAGE, "VADDR");
	unmap_raw(ALL | VADDR, 0, 0, "ALL VADDR");
	unmap_raw(VADDR | DIRTY, IOVA(0), 2 * PAGE, "VADDR DIRTY");
	unmap_raw(ALL, 0, 0, "ALL");
}

static void dirty(void)
{
	struct {
		struct vfio_iommu_type1_dma_unmap u;
		struct vfio_bitmap bitmap;
	} arg = {.u = {.argsz = sizeof(arg), .flags = DIRTY, .iova = IOVA(0), .size = 2 * PAGE}};
	struct vfio_iommu_type1_dirty_bitmap track = {.argsz = sizeof(track)};
	uint64_t bits = 0;

	section("flag GET_DIRTY_BITMAP");
	map(0, 2);
	unmap_raw(DIRTY, IOVA(0), 2 * PAGE, "DIRTY without a bitmap");
	unmap_raw(DIRTY | ALL, 0, 0, "DIRTY ALL");
	arg.bitmap.pgsize = PAGE;
	arg.bitmap.size = 8;
	arg.bitmap.data = (uintptr_t)&bits;
	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg), "UNMAP DIRTY, tracking is off");
	track.flags = 0;
	say_call(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &track), "DIRTY_PAGES no flag");
	track.flags = 3;
	say_call(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &track), "DIRTY_PAGES START STOP");
	track.flags = 8;
	say_call(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &track), "DIRTY_PAGES unknown flag");
	track.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP;
	say_call(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &track), "DIRTY_PAGES STOP, is off");
	track.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
	say_call(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &track), "DIRTY_PAGES GET, no bitmap");
	unmap_raw(ALL, 0, 0, "ALL");
}

static void one_type(uint32_t type, const char *name)
{
	struct vfio_user u;

	section("type %s", name);
	vfio_user_open(&u, edu, type);
	container = u.container;
	form();
	ranges();
	all();
	vaddr();
	dirty();
	vfio_user_close(&u);
}

int main(void)
{
	case_begin();
	pci_bind(edu, "vfio-pci");
	memory = pages(16 * PAGE);
	one_type(VFIO_TYPE1v2_IOMMU, "type1v2");
	one_type(VFIO_TYPE1_IOMMU, "type1");
	return 0;
}
