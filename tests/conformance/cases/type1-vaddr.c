/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Giving up addresses (UNMAP with VADDR) and new ones (MAP with VADDR): whole mappings, all or none
 * of a range, by type1 as by type1v2 with its own rule of what a range takes; what may be done
 * meanwhile; another process that takes mappings over; one that is gone.
 */
#include "lib.h"

#define READ  VFIO_DMA_MAP_FLAG_READ
#define ALL   VFIO_DMA_UNMAP_FLAG_ALL
#define VADDR VFIO_DMA_UNMAP_FLAG_VADDR
#define SET   VFIO_DMA_MAP_FLAG_VADDR

static int container;
static uint8_t *memory;

static void map_at(uint32_t flags, const void *at, unsigned int page, unsigned int nr_pages,
		   const char *what)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = flags,
					     .vaddr = (uintptr_t)at,
					     .iova = IOVA(page),
					     .size = nr_pages * PAGE};

	say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP%s pages %u-%u%s",
		 flags & SET ? " VADDR" : "", page, page + nr_pages - 1, what);
}

static void map(unsigned int page, unsigned int nr_pages)
{
	map_at(READ, memory, page, nr_pages, "");
}

static void set(unsigned int page, unsigned int nr_pages)
{
	map_at(SET, memory, page, nr_pages, "");
}

static void unmap(uint32_t flags, unsigned int page, unsigned int nr_pages)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u),
					       .flags = flags,
					       .iova = flags & ALL ? 0 : IOVA(page),
					       .size = flags & ALL ? 0 : nr_pages * PAGE};
	int ret = ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u);

	if (flags & ALL)
		say_call(ret, "UNMAP%s all", flags & VADDR ? " VADDR" : "");
	else
		say_call(ret, "UNMAP%s pages %u-%u", flags & VADDR ? " VADDR" : "", page,
			 page + nr_pages - 1);
	if (ret == 0)
		note("size 0x%llx", (unsigned long long)u.size);
}

static void ranges(void)
{
	section("ranges");
	unmap(VADDR, 0, 4);
	unmap(VADDR | ALL, 0, 0);
	map(0, 2);
	map(2, 2);
	map(8, 4);
	unmap(VADDR, 0, 1);
	unmap(VADDR, 1, 3);
	unmap(VADDR, 0, 3);
	unmap(VADDR, 4, 4);
	unmap(VADDR, 0, 4);
	note("one of the range is given up already: nothing happens");
	unmap(VADDR, 0, 12);
	unmap(VADDR, 8, 4);
	unmap(VADDR | ALL, 0, 0);
	set(0, 4);
	set(0, 1);
	set(1, 1);
	set(0, 2);
	set(0, 2);
	set(2, 2);
	set(8, 4);
	set(4, 4);
	set(20, 4);
	set(7, 2);
	unmap(ALL, 0, 0);
	set(0, 2);
}

static void meanwhile(void)
{
	struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
	struct vfio_iommu_type1_dirty_bitmap dirty = {.argsz = sizeof(dirty), .flags = 1};
	int group;

	section("meanwhile");
	map(0, 2);
	map(2, 2);
	unmap(VADDR, 0, 2);
	map(0, 1);
	map(16, 2);
	say_call(ioctl(container, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR),
		 "CHECK_EXTENSION UPDATE_VADDR");
	say_call(ioctl(container, VFIO_IOMMU_GET_INFO, &info), "GET_INFO");
	say_call(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &dirty), "DIRTY_PAGES START");
	group = open_group(multi0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	set(0, 2);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	unmap(VADDR, 2, 2);
	note("a group may leave");
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	note("unmapping ends it");
	unmap(0, 2, 2);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(group);
	unmap(ALL, 0, 0);
}

static void addresses(void)
{
	uint8_t *hole = pages(PAGE);

	section("which addresses");
	munmap(hole, PAGE);
	map(0, 1);
	unmap(VADDR, 0, 1);
	map_at(SET, memory + 1, 0, 1, ", not aligned");
	map_at(SET, (void *)(~0ull - PAGE + 1), 0, 2, ", across 2^64");
	map_at(SET | READ, memory, 0, 1, ", with READ");
	map_at(SET | VFIO_DMA_MAP_FLAG_WRITE, memory, 0, 1, ", with WRITE");
	map_at(SET, hole, 0, 1, ", nothing is there");
	unmap(VADDR, 0, 1);
	map_at(SET, NULL, 0, 1, ", NULL");
	unmap(ALL, 0, 0);
}

static void processes(void)
{
	pid_t child;
	int status;

	section("another process");
	map(0, 2);
	unmap(VADDR, 0, 2);
	child = fork();
	if (child == 0) {
		set(0, 2);
		unmap(VADDR, 0, 2);
		set(0, 2);
		map(4, 2);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		die("fork");
	note("it is gone, and its mappings are there");
	map(0, 2);
	map(4, 2);
	unmap(VADDR | ALL, 0, 0);
	set(0, 2);
	set(4, 2);
	unmap(ALL, 0, 0);
}

static void one_type(uint32_t type, const char *name)
{
	struct vfio_user u;

	section("type %s", name);
	vfio_user_open(&u, edu, type);
	container = u.container;
	ranges();
	meanwhile();
	addresses();
	processes();
	vfio_user_close(&u);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, NULL);
	memory = pages(16 * PAGE);
	one_type(VFIO_TYPE1v2_IOMMU, "type1v2");
	one_type(VFIO_TYPE1_IOMMU, "type1");
	return 0;
}
