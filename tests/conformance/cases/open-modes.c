/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files opened read-only or write-only, descriptors that are closed on exec, and who may open at
 * all.
 */
#include "lib.h"

static int open_mode(const char *path, int flags, const char *what)
{
	return say_fd(open(path, flags | O_CLOEXEC), "open(%s)", what);
}

static void container_and_group(void)
{
	char path[64];
	int container, group, device;

	section("container and group, read-only");
	container = open_mode("/dev/vfio/vfio", O_RDONLY, "/dev/vfio/vfio, O_RDONLY");
	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_group(edu));
	group = open_mode(path, O_RDONLY, "the group, O_RDONLY");
	IOCTL(container, VFIO_GET_API_VERSION, 0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	IOCTL(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	device = group_get_device(group, edu);
	say("the device's file is %s",
	    (fcntl(device, F_GETFL) & O_ACCMODE) == O_RDWR ? "O_RDWR" : "not O_RDWR");
	say("the device's file is%s closed on exec",
	    fcntl(device, F_GETFD) & FD_CLOEXEC ? "" : " not");
	CLOSE(device);
	CLOSE(group);
	CLOSE(container);
	group = open_mode(path, O_WRONLY, "the group, O_WRONLY");
	CLOSE(group);
	open_mode(path, O_RDWR | O_DIRECTORY, "the group, O_DIRECTORY");
	open_mode(path, O_RDWR | O_CREAT | O_EXCL, "the group, O_CREAT O_EXCL");
}

static void cdevs(void)
{
	const off_t config = (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40;
	int iommufd, cdev, by_number;
	char path[128];
	uint32_t id = 0;

	section("cdev and iommufd, read-only");
	iommufd = open_mode("/dev/iommu", O_RDONLY, "/dev/iommu, O_RDONLY");
	by_number = must_open_cdev(edu);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", by_number);
	cdev = open_mode(path, O_RDONLY, "the cdev, O_RDONLY");
	CLOSE(by_number);
	must_bind(cdev, iommufd);
	say_call(pread(cdev, &id, 4, config), "pread config");
	say_call(pwrite(cdev, &id, 1, config + 0x3c), "pwrite config");
	say_call(pread(cdev, &id, 4, 0), "pread BAR0");
	IOCTL(cdev, VFIO_DEVICE_RESET, 0);
	CLOSE(cdev);
	CLOSE(iommufd);
}

int main(void)
{
	case_begin();
	pci_bind(edu, "vfio-pci");
	container_and_group();
	cdevs();
	return 0;
}
