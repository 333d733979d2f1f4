/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The container file: what it answers without a group, with one, and with an IOMMU type; every
 * extension number; every type. A type can be set once, when a group is there, and CHECK_EXTENSION
 * answers for all types before, for the chosen one after.
 */
#include "lib.h"

#define LAST_EXTENSION 20

static void extensions(int container)
{
	unsigned long n;

	for (n = 0; n <= LAST_EXTENSION; n++)
		say_call(ioctl(container, VFIO_CHECK_EXTENSION, n), "CHECK_EXTENSION %lu", n);
	say_call(ioctl(container, VFIO_CHECK_EXTENSION, ~0ul), "CHECK_EXTENSION ~0");
}

static void version(int container)
{
	IOCTL(container, VFIO_GET_API_VERSION, 0);
	IOCTL(container, VFIO_GET_API_VERSION, 12345);
}

/* Commands of a type, none of which may be taken before there is one. */
static void type_commands(int container)
{
	struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map)};
	struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof(unmap)};
	struct vfio_iommu_type1_dirty_bitmap dirty = {.argsz = sizeof(dirty)};

	IOCTL(container, VFIO_IOMMU_GET_INFO, &info);
	IOCTL(container, VFIO_IOMMU_MAP_DMA, &map);
	IOCTL(container, VFIO_IOMMU_UNMAP_DMA, &unmap);
	IOCTL(container, VFIO_IOMMU_DIRTY_PAGES, &dirty);
	IOCTL(container, VFIO_IOMMU_ENABLE, 0);
	IOCTL(container, VFIO_GROUP_GET_STATUS, 0);
	IOCTL(container, VFIO_DEVICE_BIND_IOMMUFD, 0);
	say_call(ioctl(container, 0x1234), "an ioctl of another type");
}

static void types(int container)
{
	static const unsigned long bad[] = {0, 2, 4, 5, 6, 7, 8, 9, 10, 11, 100, ~0ul};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		say_call(ioctl(container, VFIO_SET_IOMMU, bad[i]), "SET_IOMMU %ld", (long)bad[i]);
}

int main(void)
{
	int container, group, device;
	char byte;

	case_begin();
	pci_bind(edu, "vfio-pci");

	section("no group");
	container = open_container();
	version(container);
	extensions(container);
	types(container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	type_commands(container);

	section("a group, no type");
	group = open_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	version(container);
	types(container);
	type_commands(container);

	section("type1v2");
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);
	IOCTL(container, VFIO_SET_IOMMU, 100);
	version(container);
	extensions(container);
	type_commands(container);

	section("not a file to read, write or map");
	say_call(read(container, &byte, 1), "read");
	say_call(write(container, &byte, 1), "write");
	say_call(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, container, 0) == MAP_FAILED ? -1 : 0,
		 "mmap");
	say_call(read(group, &byte, 1), "read of the group");
	say_call(write(group, &byte, 1), "write of the group");

	section("the type goes with the last group");
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	type_commands(container);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);
	extensions(container);
	device = group_get_device(group, edu);
	CLOSE(device);
	CLOSE(group);
	type_commands(container);
	CLOSE(container);
	return 0;
}
