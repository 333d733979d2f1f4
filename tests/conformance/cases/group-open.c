/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The group file: it can be open once; what each command of it answers before and after a container
 * is set; the files that are and are not a container; when the container can be taken away.
 *
 * Order of checks in SET_CONTAINER: pointer (EFAULT), fd open (EBADF), group without container
 * (EINVAL), kind of file (EBADFD).
 */
#include "lib.h"

static void show_status(int group)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	if (IOCTL(group, VFIO_GROUP_GET_STATUS, &status) == 0)
		note("flags:%s%s", status.flags & VFIO_GROUP_FLAGS_VIABLE ? " VIABLE" : "",
		     status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET ? " CONTAINER_SET" : "");
}

static void open_rules(void)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	struct vfio_group_status short_status = {.argsz = sizeof(status) - 1};
	int group, second;
	void *nowhere = NULL;

	section("one open file per group");
	group = open_group(edu);
	second = open_group(edu);
	note("a copy of the file is the same open file");
	second = dup(group);
	CLOSE(group);
	open_group(edu);
	CLOSE(second);
	group = open_group(edu);

	section("status");
	show_status(group);
	IOCTL(group, VFIO_GROUP_GET_STATUS, &short_status);
	IOCTL(group, VFIO_GROUP_GET_STATUS, nowhere);
	IOCTL(group, VFIO_GET_API_VERSION, 0);
	IOCTL(group, VFIO_DEVICE_GET_INFO, 0);
	CLOSE(group);
}

static void set_container_fds(int group)
{
	int container, minus_one = -1, closed_fd = 999, null_dev, eventfd_fd, iommufd;
	int *nowhere = NULL;

	section("what is and is not a container");
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, nowhere);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &minus_one);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &closed_fd);
	null_dev = must_open("/dev/null");
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &null_dev);
	eventfd_fd = eventfd(0, EFD_CLOEXEC);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &eventfd_fd);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &group);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	show_status(group);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &null_dev);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &closed_fd);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	show_status(group);
	CLOSE(container);

	section("an iommufd is accepted in the place of a container");
	iommufd = open_iommufd();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	show_status(group);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(iommufd);
	close(null_dev);
	close(eventfd_fd);
}

static void device_before_each_step(int group)
{
	int container, device, second;
	const char *nowhere = NULL;

	section("GET_DEVICE_FD before each step");
	group_get_device(group, edu);
	group_get_device(group, "no such device");
	group_get_device(group, pf);
	IOCTL(group, VFIO_GROUP_GET_DEVICE_FD, nowhere);
	container = open_container();
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	group_get_device(group, edu);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	group_get_device(group, "");
	group_get_device(group, pf);
	device = group_get_device(group, edu);

	section("the device keeps the container");
	second = group_get_device(group, edu);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(device);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	note("closing the container's file does not free it while the group has it");
	CLOSE(container);
	show_status(group);
	device = group_get_device(group, edu);
	CLOSE(device);
	CLOSE(second);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	show_status(group);
}

static void device_outlives_group_file(void)
{
	struct vfio_user u;

	section("the group is busy until its last device is closed");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	close(u.group);
	close(u.container);
	open_group(edu);
	IOCTL(u.device, VFIO_DEVICE_RESET, 0);
	close(u.device);
	u.group = open_group(edu);
	show_status(u.group);
	CLOSE(u.group);
}

int main(void)
{
	int group;

	case_begin();
	pci_all_to_vfio(edu, pf, NULL);
	open_rules();
	group = must_open_group(edu);
	set_container_fds(group);
	device_before_each_step(group);
	close(group);
	device_outlives_group_file();
	return 0;
}
