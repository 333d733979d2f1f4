/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two interfaces exclude each other: while a cdev of a group is bound its group file cannot be
 * opened, while the group file is open no cdev of it can be bound. Opening a cdev's file is no use
 * yet.
 */
#include "lib.h"

static int iommufd;

static int bind_cdev(int cdev)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};

	return IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static void group_first(void)
{
	int group, container, device, cdev;

	section("the group file is open");
	group = open_group(edu);
	cdev = open_cdev(edu);
	bind_cdev(cdev);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	device = group_get_device(group, edu);
	bind_cdev(cdev);
	CLOSE(group);
	note("the device is still open");
	bind_cdev(cdev);
	CLOSE(device);
	bind_cdev(cdev);
	CLOSE(container);
	CLOSE(cdev);
}

static void cdev_first(void)
{
	int group, cdev;

	section("a cdev is open");
	cdev = open_cdev(edu);
	group = open_group(edu);
	CLOSE(group);
	bind_cdev(cdev);
	open_group(edu);
	CLOSE(cdev);
	group = open_group(edu);
	CLOSE(group);
}

static void other_function(void)
{
	int group, cdev;

	section("another function of the group");
	cdev = open_cdev(multi1);
	bind_cdev(cdev);
	open_group(multi0);
	CLOSE(cdev);
	group = open_group(multi0);
	cdev = open_cdev(multi1);
	bind_cdev(cdev);
	CLOSE(cdev);
	CLOSE(group);
}

static void group_with_iommufd(void)
{
	struct iommu_vfio_ioas ioas = {.size = sizeof(ioas), .op = IOMMU_VFIO_IOAS_GET};
	int group, device, second;

	section("a group whose container is an iommufd");
	group = open_group(edu);
	IOCTL(iommufd, IOMMU_VFIO_IOAS, &ioas);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	IOCTL(iommufd, IOMMU_VFIO_IOAS, &ioas);
	device = group_get_device(group, edu);
	second = group_get_device(group, edu);
	IOCTL(iommufd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	note("the devices keep working");
	IOCTL(device, VFIO_DEVICE_RESET, 0);
	group_get_device(group, edu);
	CLOSE(second);
	CLOSE(device);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	CLOSE(group);

	section("not a viable group");
	pci_bind(multi1, "e1000e");
	group = open_group(multi0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	group_get_device(group, multi0);
	CLOSE(group);
}

static void opening(void)
{
	int a, b;

	section("a cdev can be opened many times");
	a = open_cdev(edu);
	b = open_cdev(edu);
	CLOSE(a);
	CLOSE(b);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, NULL);
	iommufd = must_open("/dev/iommu");
	opening();
	group_first();
	cdev_first();
	other_function();
	group_with_iommufd();
	return 0;
}
