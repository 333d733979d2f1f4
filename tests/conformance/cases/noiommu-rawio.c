/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * machine: noiommu
 *
 * Where a device without an IOMMU needs CAP_SYS_RAWIO: to open the group and the cdev, to put the group into a
 * container, to set its IOMMU, and for the first device of a group; not for what has been opened. An iommufd in place
 * of the container needs it for the device only. The case drops the capability and takes it back, so it cannot run
 * without.
 */
#include "noiommu.h"

static void set_iommu(int container, unsigned long type)
{
	say_call(ioctl(container, VFIO_SET_IOMMU, type), "ioctl(container, VFIO_SET_IOMMU, %lu)",
		 type);
}

static void without_rawio(void)
{
	int container, group, device;

	section("CAP_SYS_RAWIO");
	container = open_container();
	rawio(false);
	group = open_noiommu_group(edu);
	rawio(true);
	group = open_noiommu_group(edu);
	rawio(false);
	open_noiommu_group(edu);
	show_status(group);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	rawio(true);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	rawio(false);
	set_iommu(container, VFIO_NOIOMMU_IOMMU);
	set_iommu(container, VFIO_TYPE1_IOMMU);
	group_get_device(group, edu);
	rawio(true);
	set_iommu(container, VFIO_NOIOMMU_IOMMU);
	rawio(false);
	group_get_device(group, edu);
	group_get_device(group, nvme);
	rawio(true);
	device = group_get_device(group, edu);
	rawio(false);
	IOCTL(device, VFIO_DEVICE_RESET, 0);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(device);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(group);
	CLOSE(container);
	rawio(true);
}

static void with_iommufd(void)
{
	int iommufd, group, device;

	section("an iommufd in place of the container");
	iommufd = open_iommufd();
	group = open_noiommu_group(edu);
	rawio(false);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	set_iommu(iommufd, VFIO_NOIOMMU_IOMMU);
	set_iommu(iommufd, VFIO_TYPE1_IOMMU);
	group_get_device(group, edu);
	rawio(true);
	device = group_get_device(group, edu);
	rawio(false);
	note("the second of a device is not asked");
	CLOSE(group_get_device(group, edu));
	CLOSE(device);
	CLOSE(group);
	CLOSE(iommufd);
	rawio(true);
}

static void cdev(void)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	int iommufd, cdev;

	section("a cdev");
	iommufd = open_iommufd();
	bind.iommufd = iommufd;
	rawio(false);
	open_noiommu_cdev(edu);
	rawio(true);
	cdev = open_noiommu_cdev(edu);
	rawio(false);
	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	note("bound, it keeps the group from being opened; the missing right is seen first");
	open_noiommu_group(edu);
	rawio(true);
	open_noiommu_group(edu);
	CLOSE(cdev);
	CLOSE(iommufd);
}

int main(void)
{
	case_begin();
	rawio(true);
	must_enable();
	pci_all_to_vfio(edu, nvme, NULL);
	without_rawio();
	with_iommufd();
	cdev();
	return 0;
}
