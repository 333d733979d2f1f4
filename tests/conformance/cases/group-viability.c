/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of several functions belongs to one user. It is viable while each function in it has no
 * driver, a bridge's driver, pci-stub or vfio-pci; once a user has it, no other driver can be
 * bound to one of them. The devices of two groups can share a container; a device is opened
 * through its own group only.
 */
#include "lib.h"

static void show_status(int group)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	if (IOCTL(group, VFIO_GROUP_GET_STATUS, &status) == 0)
		note("flags:%s%s", status.flags & VFIO_GROUP_FLAGS_VIABLE ? " VIABLE" : "",
		     status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET ? " CONTAINER_SET" : "");
}

static void with_second_function(const char *driver)
{
	int group, container;

	section("multi0 on vfio-pci, multi1 %s%s", driver != NULL ? "on " : "without driver",
		driver != NULL ? driver : "");
	pci_bind(multi1, driver);
	group = open_group(multi0);
	show_status(group);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	show_status(group);
	if (IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0) {
		close(group_get_device(group, multi0));
		close(group_get_device(group, multi1));
	}
	close(group);
	close(container);
}

static void bound_while_owned(void)
{
	struct vfio_user u;
	int device;

	section("binding while a user has the group");
	pci_bind(multi1, NULL);
	vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
	sysfs_write("e1000e", "devices/%s/driver_override", multi1);
	sysfs_write(multi1, "drivers/e1000e/bind");
	sysfs_write(multi1, "drivers_probe");
	sysfs_link("devices/%s/driver", multi1);
	sysfs_write("pci-stub", "devices/%s/driver_override", multi1);
	sysfs_write(multi1, "drivers/pci-stub/bind");
	sysfs_link("devices/%s/driver", multi1);
	sysfs_write(multi1, "drivers/pci-stub/unbind");
	sysfs_write("vfio-pci", "devices/%s/driver_override", multi1);
	sysfs_write(multi1, "drivers/vfio-pci/bind");
	device = group_get_device(u.group, multi1);
	if (device >= 0)
		close(device);
	vfio_user_close(&u);
}

static void claimed_by_set_container(void)
{
	int group, container;

	section("the group is claimed by SET_CONTAINER, not by opening its file");
	pci_bind(multi1, NULL);
	group = open_group(multi0);
	sysfs_write("e1000e", "devices/%s/driver_override", multi1);
	sysfs_write(multi1, "drivers/e1000e/bind");
	show_status(group);
	sysfs_write(multi1, "drivers/e1000e/unbind");
	show_status(group);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	sysfs_write(multi1, "drivers/e1000e/bind");
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	sysfs_write(multi1, "drivers/e1000e/bind");
	sysfs_write(multi1, "drivers/e1000e/unbind");
	CLOSE(group);
	CLOSE(container);
}

static void shared_container(void)
{
	int container, group_a, group_b, device_a, device_b;

	section("two groups, one container");
	container = open_container();
	group_a = open_group(edu);
	group_b = open_group(multi0);
	IOCTL(group_a, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	device_b = group_get_device(group_b, multi0);
	IOCTL(group_b, VFIO_GROUP_SET_CONTAINER, &container);
	device_a = group_get_device(group_a, edu);
	device_b = group_get_device(group_b, multi0);
	group_get_device(group_a, multi0);
	CLOSE(device_a);
	IOCTL(group_a, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(device_b);
	IOCTL(group_b, VFIO_GROUP_UNSET_CONTAINER, 0);
	note("the last group has gone: the container has no IOMMU type any more");
	IOCTL(container, VFIO_IOMMU_GET_INFO, 0);
	IOCTL(group_a, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);
	CLOSE(container);
	CLOSE(group_a);
	CLOSE(group_b);
}

static void below_a_bridge(void)
{
	int group, container, device;

	section("a bridge and two conventional functions: the bridge needs no driver");
	pci_all_to_vfio(conv0, conv1, NULL);
	say("conv0 and conv1 are in %s",
	    pci_group(conv0) == pci_group(conv1) ? "one group" : "two");
	say("the bridge is in %s", pci_group(conv0) == pci_group(bridge) ? "it, too" : "another");
	group = open_group(conv0);
	show_status(group);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	device = group_get_device(group, conv0);
	close(group_get_device(group, conv1));
	group_get_device(group, bridge);
	CLOSE(device);
	CLOSE(group);
	CLOSE(container);
	note("vfio-pci takes no bridge");
	sysfs_write("vfio-pci", "devices/%s/driver_override", bridge);
	sysfs_write(bridge, "drivers/vfio-pci/bind");
	sysfs_link("devices/%s/driver", bridge);
	sysfs_write("\n", "devices/%s/driver_override", bridge);
}

static void driver_lost(void)
{
	int group, container;

	section("a group whose functions have lost their driver");
	group = open_group(edu);
	pci_bind(edu, NULL);
	show_status(group);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	group_get_device(group, edu);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(group);
	CLOSE(container);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(multi0, edu, NULL);
	with_second_function(NULL);
	with_second_function("pci-stub");
	with_second_function("vfio-pci");
	with_second_function("e1000e");
	bound_while_owned();
	claimed_by_set_container();
	pci_bind(multi1, "vfio-pci");
	shared_container();
	below_a_bridge();
	driver_lost();
	return 0;
}
