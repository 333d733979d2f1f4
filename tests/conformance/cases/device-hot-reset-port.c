/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hot reset of what is behind a PCI Express port: two functions in one group, one alone behind a
 * port without hot-plug, a PF with its VFs. The VFs are on the PF's bus and would be reset with it,
 * and a VF is never one of those that a hot reset can be made of.
 *
 * machine: slot
 */
#include "lib.h"

#define CONFIG_OFFSET ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define MAX_DEPENDENT 16

static const char multi_a[] = "0000:01:00.0", multi_b[] = "0000:01:00.1";
static const char alone[] = "0000:02:00.0", with_vfs[] = "0000:03:00.0";

static int hot_reset(int device, uint32_t count, const int *fds, const char *what)
{
	struct {
		struct vfio_pci_hot_reset head;
		int32_t fds[4];
	} arg = {.head = {.argsz = (uint32_t)(sizeof(arg.head) + count * sizeof(int32_t)),
			  .count = count}};

	memcpy(arg.fds, fds, count * sizeof(*fds));
	return say_call(ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &arg), "PCI_HOT_RESET, %s", what);
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

static void leave_marks(int device)
{
	put(device, 0x3c, 0x5a, 1);
	put(device, 4, 6, 2);
}

static void view(int device, const char *what)
{
	note("%s: command %04x, interrupt line %02x", what, get(device, 4, 2),
	     get(device, 0x3c, 1));
}

static void info(int device)
{
	struct {
		struct vfio_pci_hot_reset_info head;
		struct vfio_pci_dependent_device devices[MAX_DEPENDENT];
	} arg = {.head.argsz = sizeof(arg)};
	unsigned int i;

	say_call(ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &arg), "HOT_RESET_INFO");
	note("flags 0x%x", arg.head.flags);
	for (i = 0; i < arg.head.count && i < MAX_DEPENDENT; i++) {
		uint32_t id = arg.devices[i].devid;

		if (!(arg.head.flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID))
			note("%02x:%02x.%x", arg.devices[i].bus, arg.devices[i].devfn >> 3,
			     arg.devices[i].devfn & 7);
		else
			note("%02x:%02x.%x %s", arg.devices[i].bus, arg.devices[i].devfn >> 3,
			     arg.devices[i].devfn & 7,
			     id == VFIO_PCI_DEVID_OWNED		       ? "owned"
			     : (int32_t)id == VFIO_PCI_DEVID_NOT_OWNED ? "not owned"
								       : "a device id");
	}
}

static unsigned int find_cap(int device, uint8_t id)
{
	unsigned int at = get(device, 0x34, 1), links;

	for (links = 0; at != 0 && links < 48; links++) {
		if (get(device, at, 1) == id)
			return at;
		at = get(device, at + 1, 1);
	}
	die("no capability %02x", id);
}

static void one_group(void)
{
	struct vfio_user u;
	int second;
	unsigned int pm;

	section("two functions, one group");
	pci_all_to_vfio(multi_a, multi_b, NULL);
	vfio_user_open(&u, multi_a, VFIO_TYPE1v2_IOMMU);
	second = group_get_device(u.group, multi_b);
	leave_marks(u.device);
	leave_marks(second);
	info(u.device);
	hot_reset(u.device, 1, &u.group, "the group");
	view(u.device, "the first");
	view(second, "the second");
	pm = find_cap(second, 1);
	put(second, pm + 4, 3, 2);
	note("the second's power state: %u", get(second, pm + 4, 2) & 3);
	hot_reset(u.device, 1, &u.group, "the second in D3hot");
	note("the second's power state: %u", get(second, pm + 4, 2) & 3);
	view(second, "the second");
	close(second);
	vfio_user_close(&u);
	pci_bind(multi_b, "pci-stub");
	vfio_user_open(&u, multi_a, VFIO_TYPE1v2_IOMMU);
	hot_reset(u.device, 1, &u.group, "the second with pci-stub");
	vfio_user_close(&u);
	pci_bind(multi_b, "vfio-pci");
}

static void by_cdev(void)
{
	int iommufd = must_open("/dev/iommu"), another = must_open("/dev/iommu");
	int first = must_open_cdev(multi_a), second, group;

	section("two functions, by cdev");
	must_bind(first, iommufd);
	info(first);
	hot_reset(first, 0, NULL, "the second not bound");
	second = must_open_cdev(multi_b);
	must_bind(second, iommufd);
	info(first);
	hot_reset(first, 0, NULL, "both bound");
	close(second);
	pci_bind(multi_b, NULL);
	info(first);
	hot_reset(first, 0, NULL, "the second without driver");
	close(first);
	close(another);
	close(iommufd);
	pci_bind(multi_b, "vfio-pci");
	group = must_open_group(multi_a);
	close(group);
}

static void single(void)
{
	struct vfio_user u;

	section("alone behind a port");
	pci_all_to_vfio(alone, NULL);
	vfio_user_open(&u, alone, VFIO_TYPE1v2_IOMMU);
	leave_marks(u.device);
	info(u.device);
	hot_reset(u.device, 1, &u.group, "the group");
	view(u.device, "after it");
	hot_reset(u.device, 2, (int[]){u.group, u.group}, "more groups than functions");
	vfio_user_close(&u);
}

static void vfs(void)
{
	struct vfio_user u;
	const char *vf;
	int device;

	section("a PF with two VFs");
	pci_bind(with_vfs, "vfio-pci");
	pci_numvfs(with_vfs, 2);
	vf = pci_vf(with_vfs, 0);
	vfio_user_open(&u, with_vfs, VFIO_TYPE1v2_IOMMU);
	info(u.device);
	hot_reset(u.device, 1, &u.group, "the PF's group");
	vfio_user_close(&u);
	pci_numvfs(with_vfs, 0);
	pci_bind(with_vfs, "igb");
	pci_numvfs(with_vfs, 2);
	vf = pci_vf(with_vfs, 0);
	pci_bind(vf, "vfio-pci");
	section("a VF");
	vfio_user_open(&u, vf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	info(device);
	hot_reset(device, 1, &u.group, "its group");
	vfio_user_close(&u);
}

int main(void)
{
	case_begin();
	one_group();
	by_cdev();
	single();
	vfs();
	return 0;
}
