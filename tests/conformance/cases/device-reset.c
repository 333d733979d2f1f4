/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resets: VFIO_DEVICE_RESET of functions that can and cannot; who is affected by a reset of the
 * bus (GET_PCI_HOT_RESET_INFO) by group and by cdev; the checks of PCI_HOT_RESET. A hot reset
 * itself needs a real bridge and is not made.
 */
#include "lib.h"

#define MAX_DEPENDENT 16

union info_buffer {
	struct vfio_pci_hot_reset_info info;
	uint8_t bytes[sizeof(struct vfio_pci_hot_reset_info) +
		      MAX_DEPENDENT * sizeof(struct vfio_pci_dependent_device)];
};

static const char *owner(const struct vfio_pci_dependent_device *d, uint32_t flags, int group)
{
	if (!(flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID))
		return (int)d->group_id == group ? "the same group" : "another group";
	if (d->devid == VFIO_PCI_DEVID_OWNED)
		return "owned";
	return (int)d->devid == VFIO_PCI_DEVID_NOT_OWNED ? "not owned" : "a device id";
}

static void hot_reset_info(int device, int group, uint32_t room)
{
	union info_buffer b;
	struct vfio_pci_dependent_device d;
	uint32_t i;
	int ret;

	memset(&b, 0, sizeof(b));
	b.info.argsz = (uint32_t)(sizeof(b.info) + room * sizeof(d));
	ret = say_call(ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &b),
		       "HOT_RESET_INFO with room for %u", room);
	note("flags 0x%x count %u", b.info.flags, b.info.count);
	if (ret < 0)
		return;
	for (i = 0; i < b.info.count && i < MAX_DEPENDENT; i++) {
		memcpy(&d, b.bytes + sizeof(b.info) + i * sizeof(d), sizeof(d));
		note("%04x:%02x:%02x.%x: %s", d.segment, d.bus, d.devfn >> 3, d.devfn & 7,
		     owner(&d, b.info.flags, group));
	}
}

static void hot_reset(int device, uint32_t argsz, uint32_t flags, uint32_t count, const int *fds,
		      const char *what)
{
	struct {
		struct vfio_pci_hot_reset head;
		int32_t fds[4];
	} arg = {.head = {.argsz = argsz, .flags = flags, .count = count}};

	if (fds != NULL)
		memcpy(arg.fds, fds, (count < 4 ? count : 4) * sizeof(*fds));
	say_call(ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &arg), "PCI_HOT_RESET %s", what);
}

static void by_group(const char *bdf, const char *what)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_user u;

	section("%s, %s", bdf, what);
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	IOCTL(u.device, VFIO_DEVICE_GET_INFO, &info);
	note("flag RESET: %d", info.flags & VFIO_DEVICE_FLAGS_RESET ? 1 : 0);
	IOCTL(u.device, VFIO_DEVICE_RESET, 0);
	hot_reset_info(u.device, pci_group(bdf), 0);
	hot_reset_info(u.device, pci_group(bdf), 1);
	hot_reset_info(u.device, pci_group(bdf), MAX_DEPENDENT);
	vfio_user_close(&u);
}

static void by_cdev(void)
{
	int iommufd = must_open("/dev/iommu"), cdev = must_open_cdev(multi0), second;

	section("by cdev");
	must_bind(cdev, iommufd);
	hot_reset_info(cdev, 0, MAX_DEPENDENT);
	second = must_open_cdev(multi1);
	must_bind(second, iommufd);
	note("the other function bound to the same iommufd");
	hot_reset_info(cdev, 0, MAX_DEPENDENT);
	hot_reset(cdev, 12, 0, 1, &second, "a cdev's fd in the list");
	close(second);
	close(cdev);
	close(iommufd);
}

static void checks(void)
{
	struct vfio_user u;
	int fds[4] = {999, 999, 999, 999};
	int other = must_open_group(edu), null_dev = must_open("/dev/null");
	void *nowhere = NULL;

	section("checks of PCI_HOT_RESET, by group");
	vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
	IOCTL(u.device, VFIO_DEVICE_PCI_HOT_RESET, nowhere);
	IOCTL(u.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, nowhere);
	hot_reset(u.device, 11, 0, 1, &u.group, "argsz 11");
	hot_reset(u.device, 12, 1, 1, &u.group, "a flag");
	hot_reset(u.device, 12, 0, 0, NULL, "no group");
	hot_reset(u.device, 28, 0, 17, fds, "17 groups");
	hot_reset(u.device, 28, 0, ~0u, fds, "~0 groups");
	hot_reset(u.device, 16, 0, 1, fds, "no such fd");
	hot_reset(u.device, 16, 0, 1, &null_dev, "/dev/null");
	hot_reset(u.device, 16, 0, 1, &u.container, "the container");
	hot_reset(u.device, 16, 0, 1, &u.device, "the device");
	hot_reset(u.device, 16, 0, 1, &other, "another group");
	vfio_user_close(&u);
	close(other);
	close(null_dev);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(pf, edu, conv0, conv1, multi0, multi1, NULL);
	by_group(pf, "PCIe with FLR, alone below its port");
	by_group(multi0, "PCIe, two functions");
	by_group(conv0, "conventional, below a bridge");
	by_group(edu, "conventional, on the root bus");
	by_cdev();
	checks();
	return 0;
}
