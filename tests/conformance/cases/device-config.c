/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration space as a device's user sees it: the dump of each kind of function right after
 * opening. It is not the physical one: a VF has vendor, device and command of its own making, BARs
 * are the user's, capabilities that are not the user's business are hidden. Rows of zeroes are left
 * out. What firmware had set is shown as zero: addresses in BARs, decoding, the interrupt line. Of
 * a VF only the header is looked at: which capabilities it has, and where, is the device's choice.
 */
#include "lib.h"

#define CONFIG_OFFSET ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define ROW	      16

static void dump_header(int device)
{
	uint32_t value;
	unsigned int at;

	for (at = 0; at < 0x40; at += 4) {
		if (at == 0x34) /* where the capabilities begin */
			continue;
		if (pread(device, &value, 4, CONFIG_OFFSET + at) != 4)
			die("config read at 0x%x: %s", at, errno_name(errno));
		say("%02x: %08x", at, value);
	}
}

/* Offset of the SR-IOV capability, 0 without it. */
static size_t find_sriov(const uint8_t *config, size_t size)
{
	size_t at = 0x100, links;
	uint32_t head;

	for (links = 0; at >= 0x100 && at + 0x40 <= size && links < 48; links++) {
		memcpy(&head, config + at, sizeof(head));
		if ((head & 0xffff) == 0x10)
			return at;
		at = head >> 20;
	}
	return 0;
}

/* Addresses of count BARs from first on: the type bits stay. */
static void hide_addresses(uint8_t *first, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++, first += 4) {
		bool wide = (first[0] & 7) == 4;

		first[0] &= first[0] & 1 ? 3 : 0xf;
		memset(first + 1, 0, 3);
		if (wide && ++i < count) {
			first += 4;
			memset(first, 0, 4);
		}
	}
}

static void hide_firmware(uint8_t *config, size_t size)
{
	size_t sriov = find_sriov(config, size);

	config[4] &= 0xfc;
	config[5] &= 0xfe; /* SERR# */
	config[0x3c] = 0;
	hide_addresses(config + 0x10, 6);
	if (sriov != 0)
		hide_addresses(config + sriov + 0x24, 6);
}

static void dump(int device, size_t size)
{
	static uint8_t config[4096];
	static const uint8_t zeroes[ROW];
	char text[ROW * 3 + 1];
	size_t at, i;

	if (size > sizeof(config) || pread(device, config, size, CONFIG_OFFSET) != (ssize_t)size)
		die("config read: %s", errno_name(errno));
	hide_firmware(config, size);
	for (at = 0; at < size; at += ROW) {
		if (memcmp(config + at, zeroes, ROW) == 0)
			continue;
		for (i = 0; i < ROW; i++)
			snprintf(text + 3 * i, 4, " %02x", config[at + i]);
		say("%02zx:%s", at, text);
	}
}

static void one_device(const char *bdf, const char *what, bool header_only)
{
	struct vfio_region_info info = {.argsz = sizeof(info),
					.index = VFIO_PCI_CONFIG_REGION_INDEX};
	struct vfio_user u;

	section("%s, %s", bdf, what);
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	if (ioctl(u.device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		die("REGION_INFO: %s", errno_name(errno));
	say("%llu bytes", (unsigned long long)info.size);
	if (header_only)
		dump_header(u.device);
	else
		dump(u.device, info.size);
	vfio_user_close(&u);
}

int main(void)
{
	const char *vf;

	case_begin();
	pci_all_to_vfio(nvme, edu, conv0, conv1, multi0, multi1, pf, NULL);
	one_device(pf, "PCIe with SR-IOV", false);
	one_device(nvme, "PCIe with a 64-bit BAR", false);
	one_device(multi0, "PCIe, one of two functions", false);
	one_device(conv0, "conventional", false);
	one_device(edu, "conventional with MSI", false);
	pci_bind(pf, "igb");
	pci_numvfs(pf, 1);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	one_device(vf, "a virtual function", true);
	return 0;
}
