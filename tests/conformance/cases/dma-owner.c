/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who owns the DMA of a group, and when: a container from SET_CONTAINER, an iommufd from the first device that it has, as
 * long as any claim lasts. Meanwhile no native driver binds to a member (EBUSY), but vfio-pci and pci-stub do; and no
 * other owner comes (EPERM). GET_STATUS shows it as it is at that moment. A group moves between containers once its
 * devices are closed, and goes when the last of its file and its devices does, whatever became of the container's file.
 */
#include "lib.h"

static void status(int group)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0)
		say("status: %s", errno_name(errno));
	else
		say("status:%s%s", status.flags & VFIO_GROUP_FLAGS_VIABLE ? " VIABLE" : "",
		    status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET ? " CONTAINER_SET" : "");
}

/* Whether a driver can have multi1 just now; unbound again. */
static void try_driver(const char *driver)
{
	sysfs_write(driver, "devices/%s/driver_override", multi1);
	if (sysfs_write(multi1, "drivers/%s/bind", driver) == 0)
		pci_bind(multi1, NULL);
}

static void bind(const char *name, int cdev, int iommufd)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};

	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "BIND of %s", name);
}

static void set_iommu(int container)
{
	IOCTL(container, VFIO_SET_IOMMU, (unsigned long)VFIO_TYPE1v2_IOMMU);
}

static void live_status(void)
{
	int group, container;

	section("status follows the drivers of the members");
	pci_bind(multi1, NULL);
	group = open_group(multi0);
	status(group);
	pci_bind(multi1, "e1000e");
	status(group);
	pci_bind(multi1, "pci-stub");
	status(group);
	pci_bind(multi1, "e1000e");
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	pci_bind(multi1, "vfio-pci");
	status(group);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	status(group);
	pci_bind(multi1, NULL);
	status(group);
	try_driver("e1000e");
	try_driver("pci-stub");
	try_driver("vfio-pci");
	CLOSE(container);
	status(group);
	try_driver("e1000e");
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	status(group);
	try_driver("e1000e");
	CLOSE(group);
}

static void last_of_all(void)
{
	int group, container, device;

	section("owned until the last of group and device");
	pci_bind(multi1, NULL);
	container = open_container();
	group = open_group(multi0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	set_iommu(container);
	device = group_get_device(group, multi0);
	CLOSE(container);
	CLOSE(group);
	try_driver("e1000e");
	group = open_group(multi0);
	CLOSE(device);
	try_driver("e1000e");
	group = open_group(multi0);
	status(group);
	CLOSE(group);
}

static void two_containers(void)
{
	int first, second, group, other, device;

	section("a group moves to another container");
	first = open_container();
	second = open_container();
	group = open_group(multi0);
	other = open_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &first);
	set_iommu(first);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &second);
	device = group_get_device(group, multi0);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(device);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	note("the container it has left has nothing any more, the other is set up by another "
	     "group");
	IOCTL(first, VFIO_IOMMU_GET_INFO, 0);
	IOCTL(other, VFIO_GROUP_SET_CONTAINER, &second);
	set_iommu(second);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &second);
	device = group_get_device(group, multi0);
	note("it comes back to the first");
	CLOSE(device);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &first);
	group_get_device(group, multi0);
	set_iommu(first);
	device = group_get_device(group, multi0);
	CLOSE(other);
	IOCTL(second, VFIO_IOMMU_GET_INFO, 0);
	CLOSE(first);
	CLOSE(second);
	CLOSE(device);
	CLOSE(group);
}

static void cdevs(void)
{
	int first, second, cdev0, cdev1, group;

	section("cdevs: one iommufd for the group, counted");
	pci_bind(multi1, "vfio-pci");
	first = open_iommufd();
	second = open_iommufd();
	cdev0 = open_cdev(multi0);
	cdev1 = open_cdev(multi1);
	group = open_group(multi0);
	status(group);
	bind("multi0", cdev0, first);
	CLOSE(group);
	bind("multi0", cdev0, first);
	bind("multi1 to another iommufd", cdev1, second);
	bind("multi1", cdev1, first);
	open_group(multi0);
	CLOSE(cdev1);
	pci_bind(multi1, NULL);
	try_driver("e1000e");
	try_driver("pci-stub");
	note("the iommufd's file goes first");
	CLOSE(first);
	try_driver("e1000e");
	pci_bind(multi1, "vfio-pci");
	cdev1 = open_cdev(multi1);
	bind("multi1 to another iommufd", cdev1, second);
	CLOSE(cdev0);
	bind("multi1 to another iommufd", cdev1, second);
	cdev0 = open_cdev(multi0);
	CLOSE(cdev1);
	pci_bind(multi1, "e1000e");
	bind("multi0 beside a native driver", cdev0, second);
	pci_bind(multi1, NULL);
	bind("multi0", cdev0, second);
	CLOSE(cdev0);
	CLOSE(second);
}

static void group_with_iommufd(void)
{
	int iommufd, group, device, again, container;

	section("a group with an iommufd: owned from its first device on");
	pci_bind(multi1, NULL);
	iommufd = open_iommufd();
	group = open_group(multi0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	status(group);
	pci_bind(multi1, "e1000e");
	status(group);
	group_get_device(group, multi0);
	pci_bind(multi1, NULL);
	device = group_get_device(group, multi0);
	try_driver("e1000e");
	note("its file does not wait for the device");
	CLOSE(group);
	group = open_group(multi0);
	status(group);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	again = group_get_device(group, multi0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	status(group);
	again = group_get_device(group, multi0);
	CLOSE(device);
	try_driver("e1000e");
	CLOSE(again);
	try_driver("e1000e");
	status(group);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	status(group);
	CLOSE(group);
	CLOSE(container);
	CLOSE(iommufd);
}

static void bridge_group(void)
{
	int group, container;

	section("behind a bridge: the members and the bridge");
	pci_bind(conv0, "vfio-pci");
	pci_bind(conv1, NULL);
	group = open_group(conv0);
	status(group);
	sysfs_write("pci-stub", "devices/%s/driver_override", bridge);
	sysfs_write(bridge, "drivers/pci-stub/bind");
	status(group);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	sysfs_write(bridge, "drivers/pci-stub/unbind");
	sysfs_write(bridge, "drivers/pci-stub/bind");
	sysfs_write(bridge, "drivers/pci-stub/unbind");
	sysfs_write("\n", "devices/%s/driver_override", bridge);
	CLOSE(group);
	CLOSE(container);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(multi0, edu, NULL);
	live_status();
	last_of_all();
	two_containers();
	cdevs();
	group_with_iommufd();
	bridge_group();
	return 0;
}
