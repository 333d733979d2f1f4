/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several groups in one container: the IOMMU is set for all, one that comes later has all mappings,
 * one that leaves takes nothing with it, the last one takes the IOMMU, its version and all mappings.
 * Two containers share nothing.
 */
#include "lib.h"

static uint8_t *memory;

static int map(int container, unsigned int page, const char *name)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = VFIO_DMA_MAP_FLAG_READ,
					     .vaddr = (uintptr_t)memory,
					     .iova = IOVA(page),
					     .size = PAGE};

	return say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP page %u, %s", page, name);
}

static void unmap_all(int container)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u),
					       .flags = VFIO_DMA_UNMAP_FLAG_ALL};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP all");
	note("size 0x%llx", (unsigned long long)u.size);
}

static void show(int container)
{
	struct {
		struct vfio_iommu_type1_info info;
		uint8_t rest[256];
	} b = {.info = {.argsz = sizeof(b)}};
	struct vfio_iommu_type1_info_dma_avail *avail;

	if (say_call(ioctl(container, VFIO_IOMMU_GET_INFO, &b), "GET_INFO") < 0)
		return;
	/* The second capability: see type1-info. */
	avail = (void *)((uint8_t *)&b + 56);
	note("mappings left %u", avail->avail);
}

static void one_container(void)
{
	int container = open_container(), first = open_group(edu), second = open_group(multi0);

	IOCTL(first, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(second, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(second, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	map(container, 0, "two groups");
	map(container, 1, "two groups");
	show(container);

	section("one leaves");
	IOCTL(second, VFIO_GROUP_UNSET_CONTAINER, 0);
	map(container, 0, "mapped already");
	show(container);

	section("and comes back");
	IOCTL(second, VFIO_GROUP_SET_CONTAINER, &container);
	map(container, 0, "mapped already");
	map(container, 2, "a new one");
	show(container);

	section("the first one leaves");
	CLOSE(first);
	map(container, 2, "mapped already");
	show(container);
	unmap_all(container);
	map(container, 0, "again");

	section("and the last one");
	CLOSE(second);
	map(container, 1, "no group");
	show(container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);

	section("another one, another version");
	first = open_group(edu);
	IOCTL(first, VFIO_GROUP_SET_CONTAINER, &container);
	map(container, 0, "IOMMU not set");
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);
	show(container);
	map(container, 0, "nothing is left of what was");
	unmap_all(container);
	close(first);
	close(container);
}

static void two_containers(void)
{
	struct vfio_user u, v;

	section("two containers");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	vfio_user_open(&v, multi0, VFIO_TYPE1_IOMMU);
	map(u.container, 0, "the first container");
	map(v.container, 0, "the second container");
	unmap_all(u.container);
	map(v.container, 0, "the second container");
	IOCTL(v.group, VFIO_GROUP_SET_CONTAINER, &u.container);
	unmap_all(v.container);
	vfio_user_close(&v);
	vfio_user_close(&u);
}

/* The mappings live as long as the group is in the container, not as long as somebody has it open. */
static void closed_container(void)
{
	int container = open_container(), group = open_group(edu), device;

	section("the container is closed while a device is open");
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	map(container, 0, "");
	device = group_get_device(group, edu);
	CLOSE(container);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(device);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	show(container);
	close(group);
	close(container);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, NULL);
	memory = pages(PAGE);
	one_container();
	two_containers();
	closed_container();
	return 0;
}
