/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_DEVICE_PCI_HOT_RESET that is made: the secondary bus of a bridge is reset when every function
 * behind it is the user's. By group that is with the files of all groups, by cdev without any file
 * when all are bound to one iommufd. A function with another driver, or with none, is nobody's.
 * Afterwards the user's view of config space is as before, and BARs are as after power-on.
 */
#include "lib.h"

#define CONFIG_OFFSET ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define MARK	      0x5a

static int hot_reset_call(int device, uint32_t count, const int *fds)
{
	struct {
		struct vfio_pci_hot_reset head;
		int32_t fds[4];
	} arg = {.head = {.argsz = (uint32_t)(sizeof(arg.head) + count * sizeof(int32_t)),
			  .count = count}};

	memcpy(arg.fds, fds, count * sizeof(*fds));
	return ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &arg);
}

static int hot_reset(int device, uint32_t count, const int *fds, const char *what)
{
	return say_call(hot_reset_call(device, count, fds), "PCI_HOT_RESET, %s", what);
}

static uint32_t get(int device, unsigned int at, size_t len)
{
	uint32_t value = 0;

	if (pread(device, &value, len, CONFIG_OFFSET + at) != (ssize_t)len)
		die("config read at 0x%x: %s", at, errno_name(errno));
	return value;
}

static void put(int device, unsigned int at, uint32_t value, size_t len)
{
	if (pwrite(device, &value, len, CONFIG_OFFSET + at) != (ssize_t)len)
		die("config write at 0x%x: %s", at, errno_name(errno));
}

/* What of a user's config space lives on. */
static void view(int device, const char *what)
{
	note("%s: command %04x, interrupt line %02x, BAR0 as it was left: %d", what,
	     get(device, 4, 2), get(device, 0x3c, 1), get(device, 0x10, 4) >> 28 == 0xa);
}

static void leave_marks(int device)
{
	put(device, 0x10, 0xa0000000, 4);
	put(device, 0x3c, MARK, 1);
	put(device, 4, 6, 2);
}

static void by_group(void)
{
	struct vfio_user u;
	int second, other = must_open_group(edu);
	int both[2];

	section("two conventional functions in one group");
	vfio_user_open(&u, conv0, VFIO_TYPE1v2_IOMMU);
	both[0] = u.group;
	both[1] = other;
	leave_marks(u.device);
	hot_reset(u.device, 1, &u.group, "the group");
	view(u.device, "after it");
	hot_reset(u.device, 2, both, "the group and another");
	hot_reset(u.device, 1, &other, "another group");
	both[1] = u.group;
	hot_reset(u.device, 2, both, "the group twice");
	second = group_get_device(u.group, conv1);
	leave_marks(second);
	hot_reset(u.device, 1, &u.group, "both open");
	view(u.device, "the first");
	view(second, "the second");
	hot_reset(second, 1, &u.group, "by the second");
	put(u.device, 4, 0, 2);
	hot_reset(u.device, 1, &u.group, "memory decoding off");
	view(u.device, "the first");
	close(second);
	vfio_user_close(&u);
	close(other);
}

static void with_others(void)
{
	struct vfio_user u;

	section("the other function without driver, and with another driver");
	pci_bind(conv1, NULL);
	vfio_user_open(&u, conv0, VFIO_TYPE1v2_IOMMU);
	hot_reset(u.device, 1, &u.group, "the other without driver");
	pci_bind(conv1, "pci-stub");
	hot_reset(u.device, 1, &u.group, "the other with pci-stub");
	vfio_user_close(&u);
	pci_bind(conv1, "vfio-pci");
}

static void by_cdev(void)
{
	int iommufd = must_open("/dev/iommu"), another = must_open("/dev/iommu");
	int first = must_open_cdev(conv0), second = must_open_cdev(conv1);

	section("by cdev");
	must_bind(first, iommufd);
	leave_marks(first);
	hot_reset(first, 0, NULL, "the other not bound");
	view(first, "after it");
	must_bind(second, iommufd);
	hot_reset(first, 0, NULL, "both bound");
	hot_reset(first, 1, &second, "with a cdev's file");
	close(second);
	close(first);
	close(another);
	close(iommufd);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, conv0, conv1, NULL);
	by_group();
	with_others();
	by_cdev();
	return 0;
}
