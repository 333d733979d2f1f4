/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cdev and VFIO_DEVICE_BIND_IOMMUFD: before it the file answers EINVAL to everything, its
 * arguments are checked in the order argsz, flags, iommufd, and a file can be bound once. A device
 * is bound through one file at a time.
 */
#include "lib.h"

static int iommufd;

static int bind_fd(int cdev, int fd, uint32_t argsz, uint32_t flags, const char *what)
{
	struct vfio_device_bind_iommufd bind = {.argsz = argsz, .flags = flags, .iommufd = fd};

	return say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "BIND %s", what);
}

static void before_bind(int cdev)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = 1};
	struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};
	uint32_t id;

	section("before BIND");
	IOCTL(cdev, VFIO_DEVICE_GET_INFO, &info);
	IOCTL(cdev, VFIO_DEVICE_RESET, 0);
	IOCTL(cdev, VFIO_DEVICE_FEATURE, 0);
	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	IOCTL(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
	IOCTL(cdev, VFIO_GROUP_GET_STATUS, 0);
	say_call(ioctl(cdev, 0x1234, 0), "an ioctl of another type");
	say_call(pread(cdev, &id, sizeof(id), (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40), "pread");
	say_call(pwrite(cdev, &id, sizeof(id), (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40),
		 "pwrite");
}

static void form(int cdev)
{
	int null_dev = must_open("/dev/null"), container = must_open("/dev/vfio/vfio");
	void *nowhere = NULL;

	section("form of BIND");
	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, nowhere);
	bind_fd(cdev, iommufd, 0, 0, "argsz 0");
	bind_fd(cdev, iommufd, 12, 0, "argsz 12");
	bind_fd(cdev, iommufd, 15, 0, "argsz 15");
	bind_fd(cdev, iommufd, 24, 2, "unknown flag");
	bind_fd(cdev, iommufd, 24, 1u << 31, "unknown flag 31");
	bind_fd(cdev, -1, 24, 0, "iommufd -1");
	bind_fd(cdev, -2, 24, 0, "iommufd -2");
	bind_fd(cdev, 999, 24, 0, "no such fd");
	bind_fd(cdev, null_dev, 24, 0, "/dev/null");
	bind_fd(cdev, container, 24, 0, "a container");
	bind_fd(cdev, cdev, 24, 0, "itself");
	bind_fd(cdev, -1, 24, 2, "unknown flag and iommufd -1");
	bind_fd(cdev, 999, 12, 2, "argsz 12, unknown flag, no such fd");
	close(null_dev);
	close(container);
}

static void long_argsz(void)
{
	struct {
		struct vfio_device_bind_iommufd bind;
		uint8_t tail[64];
	} arg = {.bind = {.argsz = sizeof(arg), .iommufd = iommufd}};
	int cdev = must_open_cdev(edu);

	section("argsz and what it covers");
	arg.tail[63] = 1;
	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &arg);
	close(cdev);
	cdev = must_open_cdev(edu);
	arg.tail[63] = 0;
	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &arg);
	close(cdev);
	cdev = must_open_cdev(edu);
	bind_fd(cdev, iommufd, 16, 0, "argsz 16");
	close(cdev);
}

static void bound(int cdev)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
	struct vfio_device_info info = {.argsz = sizeof(info)};
	int second;

	section("bound");
	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	note("device id is %s", bind.out_devid != 0 ? "not 0" : "0");
	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	bind_fd(cdev, -1, 24, 0, "again, iommufd -1");
	bind_fd(cdev, iommufd, 12, 0, "again, argsz 12");
	IOCTL(cdev, VFIO_DEVICE_GET_INFO, &info);
	note("flags 0x%x regions %u interrupts %u", info.flags & ~VFIO_DEVICE_FLAGS_CAPS,
	     info.num_regions, info.num_irqs);
	IOCTL(cdev, VFIO_DEVICE_RESET, 0);
	IOCTL(cdev, VFIO_GROUP_GET_STATUS, 0);

	section("a second file of the same device");
	second = open_cdev(edu);
	bind_fd(second, iommufd, 24, 0, "to the same iommufd");
	bind_fd(second, must_open("/dev/iommu"), 24, 0, "to another iommufd");
	IOCTL(second, VFIO_DEVICE_GET_INFO, &info);
	note("the first is closed");
	CLOSE(cdev);
	bind_fd(second, iommufd, 24, 0, "to the same iommufd");
	note("closing the iommufd's file does not unbind");
	CLOSE(iommufd);
	IOCTL(second, VFIO_DEVICE_GET_INFO, &info);
	CLOSE(second);
}

static void destroyed_object(void)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
	struct iommu_destroy destroy = {.size = sizeof(destroy)};
	int cdev = must_open_cdev(edu);

	section("the device's object in the iommufd");
	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	destroy.id = bind.out_devid;
	IOCTL(iommufd, IOMMU_DESTROY, &destroy);
	CLOSE(cdev);
	IOCTL(iommufd, IOMMU_DESTROY, &destroy);
}

static void several_functions(void)
{
	int first, second, other = must_open("/dev/iommu");

	section("a group of two functions");
	first = open_cdev(multi0);
	second = open_cdev(multi1);
	bind_fd(first, iommufd, 24, 0, "the first");
	bind_fd(second, other, 24, 0, "the second, to another iommufd");
	bind_fd(second, iommufd, 24, 0, "the second, to the same");
	CLOSE(first);
	CLOSE(second);

	section("a group that is not viable");
	pci_bind(multi1, "e1000e");
	first = open_cdev(multi0);
	bind_fd(first, iommufd, 24, 0, "the first");
	CLOSE(first);
	close(other);
}

int main(void)
{
	int cdev;

	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, NULL);
	iommufd = must_open("/dev/iommu");
	cdev = open_cdev(edu);
	before_bind(cdev);
	form(cdev);
	bound(cdev);
	iommufd = must_open("/dev/iommu");
	long_argsz();
	destroyed_object();
	several_functions();
	return 0;
}
