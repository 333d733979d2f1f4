/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long mappings and containers live: mappings go with the last group of the container, not
 * before; a group that joins gets the mappings that are there; a container without a file lives on
 * in its groups; without an open device everything can be mapped all the same.
 */
#include "lib.h"

static uint8_t *memory;

static int map(int container, unsigned int page)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = VFIO_DMA_MAP_FLAG_READ,
					     .vaddr = (uintptr_t)memory,
					     .iova = IOVA(page),
					     .size = PAGE};

	return say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP page %u", page);
}

static void how_many(int container)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u),
					       .flags = VFIO_DMA_UNMAP_FLAG_ALL};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP all");
	note("size 0x%llx", (unsigned long long)u.size);
}

static void last_group(void)
{
	int container, group;

	section("mappings go with the last group");
	container = open_container();
	group = open_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	map(container, 0);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	how_many(container);
	map(container, 0);
	note("closing the group's file takes it out, too");
	CLOSE(group);
	map(container, 1);
	group = open_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	how_many(container);
	CLOSE(group);
	CLOSE(container);
}

static void two_groups(void)
{
	int container, a, b, device;

	section("two groups");
	container = open_container();
	a = open_group(edu);
	b = open_group(multi0);
	IOCTL(a, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	map(container, 0);
	map(container, 1);
	IOCTL(b, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(a, VFIO_GROUP_UNSET_CONTAINER, 0);
	map(container, 1);
	map(container, 2);
	device = group_get_device(b, multi0);
	IOCTL(a, VFIO_GROUP_SET_CONTAINER, &container);
	how_many(container);
	CLOSE(device);
	CLOSE(a);
	CLOSE(b);
	CLOSE(container);
}

static void no_file(void)
{
	int container, again, group, device;

	section("a container without a file");
	container = open_container();
	group = open_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	map(container, 0);
	again = dup(container);
	CLOSE(container);
	note("a copy of the file");
	map(again, 1);
	CLOSE(again);
	device = group_get_device(group, edu);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(device);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(group);
}

static void memory_goes(void)
{
	uint8_t *mine = pages(2 * PAGE);
	struct vfio_user u;
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = VFIO_DMA_MAP_FLAG_READ,
					     .vaddr = (uintptr_t)mine,
					     .iova = IOVA(0),
					     .size = 2 * PAGE};
	struct vfio_iommu_type1_dma_unmap um = {
		.argsz = sizeof(um), .iova = IOVA(0), .size = 2 * PAGE};

	section("the memory is taken away first");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	IOCTL(u.container, VFIO_IOMMU_MAP_DMA, &m);
	say_call(munmap(mine, 2 * PAGE), "munmap");
	IOCTL(u.container, VFIO_IOMMU_MAP_DMA, &m);
	IOCTL(u.container, VFIO_IOMMU_UNMAP_DMA, &um);
	note("size 0x%llx", (unsigned long long)um.size);
	IOCTL(u.container, VFIO_IOMMU_MAP_DMA, &m);
	vfio_user_close(&u);
}

/* A child has the container's file; its own memory is what it maps. */
static void child(void)
{
	struct vfio_user u;
	pid_t pid;
	int status;

	section("a child maps and ends");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	map(u.container, 0);
	pid = fork();
	if (pid == 0) {
		map(u.container, 1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	map(u.container, 1);
	how_many(u.container);
	vfio_user_close(&u);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, NULL);
	memory = pages(PAGE);
	last_group();
	two_groups();
	no_file();
	memory_goes();
	child();
	return 0;
}
