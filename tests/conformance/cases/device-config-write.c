/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device's user can change in configuration space: each dword of the header and of the
 * capabilities is read, written with ones, read, written with zeroes, read, and put back. A dword
 * that never changes has one value in its line. BARs show their sizes that way. Then the fields
 * with a meaning: command, power state, MSI and MSI-X enable.
 *
 * Shown are the bits that VFIO decides. Left out are those it hands to the device, whose own affair
 * they are (most of the device control registers, AER, what belongs to no capability), and those
 * that firmware had set before (addresses, decoding, the interrupt line). A VF's capabilities are
 * left out, too: which it has, and where, is its own choice.
 */
#include "lib.h"

#define CONFIG_OFFSET ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define HEADER_END    0x40
#define EXTENDED      0x100
#define MAX_LINKS     48
#define CAP_PM	      1
#define CAP_MSI	      5
#define CAP_EXPRESS   0x10
#define CAP_MSIX      0x11
#define CAP_ARI	      0xe
#define CAP_SRIOV     0x10

static int device;

static uint32_t get(unsigned int at, size_t len)
{
	uint32_t value = 0;

	if (pread(device, &value, len, CONFIG_OFFSET + at) != (ssize_t)len)
		die("config read at 0x%x: %s", at, errno_name(errno));
	return value;
}

static void put(unsigned int at, uint32_t value, size_t len)
{
	if (pwrite(device, &value, len, CONFIG_OFFSET + at) != (ssize_t)len)
		die("config write at 0x%x: %s", at, errno_name(errno));
}

/* at: the dword; bits: those that VFIO decides; firmware: those of them that were set before. */
static void probe(unsigned int at, uint32_t bits, uint32_t firmware)
{
	uint32_t before = get(at, 4), ones, zeroes;
	bool same;

	put(at, ~0u, 4);
	ones = get(at, 4);
	put(at, 0, 4);
	zeroes = get(at, 4);
	put(at, before, 4);
	same = get(at, 4) == before;
	before &= bits;
	ones &= bits;
	zeroes &= bits;
	if (ones != before || zeroes != before)
		say("%02x: %08x ones %08x zeroes %08x%s", at, before & ~firmware, ones, zeroes,
		    same ? "" : " cannot be put back");
	else if ((before & ~firmware) != 0)
		say("%02x: %08x", at, before & ~firmware);
}

static void header(bool is_vf)
{
	unsigned int at;

	for (at = 0; at < HEADER_END; at += 4) {
		if (at == 4)
			probe(at, 0xffff0407, is_vf ? 0 : 3);
		else if (at >= 0x10 && at < 0x28)
			probe(at, ~0u, is_vf ? 0 : ~0xfu);
		else if (at == 0x3c)
			probe(at, ~0u, is_vf ? 0 : 0xff);
		else if (at == 0xc)
			probe(at, 0xffff0000, 0); /* without cache line size and latency */
		else if (at != 0x34)
			probe(at, ~0u, 0);
	}
}

/* Bytes of the capability at an offset, 0 when it is of an unknown kind. */
static unsigned int cap_length(unsigned int at)
{
	unsigned int flags;

	switch (get(at, 1)) {
	case CAP_PM:
		return 8;
	case CAP_MSI:
		flags = get(at + 2, 2);
		return (flags & 0x100 ? 20u : 10u) + (flags & 0x80 ? 4u : 0u);
	case CAP_EXPRESS:
		return (get(at + 2, 1) & 0xf) < 2 ? 0x14 : 0x3c;
	case CAP_MSIX:
		return 12;
	default:
		return 0;
	}
}

/* The bits of a capability's dword that VFIO decides. */
static uint32_t cap_bits(unsigned int id, unsigned int offset, unsigned int length)
{
	if (id == CAP_PM && offset == 4)
		return 3; /* power state */
	if (id == CAP_EXPRESS && offset == 8)
		return 0xf0e0; /* FLR, largest payload and read request */
	if (id == CAP_EXPRESS && offset == 0x28)
		return 0; /* device control 2 */
	if (offset + 4 > length)
		return 0xffff;
	return ~0u;
}

static void capabilities(void)
{
	unsigned int at = get(0x34, 1), links, i;

	for (links = 0; at != 0 && links < MAX_LINKS; links++) {
		unsigned int id = get(at, 1), length = cap_length(at);

		say("capability %02x", id);
		for (i = 0; i < length; i += 4)
			probe(at + i, cap_bits(id, i, length), 0);
		at = get(at + 1, 1);
	}
}

static unsigned int extended_cap_length(unsigned int id)
{
	switch (id) {
	case CAP_ARI:
		return 8;
	case CAP_SRIOV:
		return 0x40;
	default:
		return 0;
	}
}

static void extended_capabilities(void)
{
	unsigned int at = EXTENDED, links, i;

	for (links = 0; at != 0 && links < MAX_LINKS; links++) {
		uint32_t head = get(at, 4);
		unsigned int id = head & 0xffff;

		say("extended capability %04x", id);
		for (i = 0; i < extended_cap_length(id); i += 4)
			probe(at + i, ~0u, id == CAP_SRIOV && i >= 0x24 && i < 0x3c ? ~0xfu : 0);
		at = head >> 20;
	}
}

static bool is_extended(void)
{
	struct vfio_region_info info = {.argsz = sizeof(info),
					.index = VFIO_PCI_CONFIG_REGION_INDEX};

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		die("REGION_INFO: %s", errno_name(errno));
	return info.size > EXTENDED;
}

/* The capability's offset, 0 without it. */
static unsigned int find_cap(uint8_t id)
{
	unsigned int at = get(0x34, 1), links;

	for (links = 0; at != 0 && links < MAX_LINKS; links++) {
		if (get(at, 1) == id)
			return at;
		at = get(at + 1, 1);
	}
	return 0;
}

static void write_and_show(const char *what, unsigned int at, uint32_t value, size_t len)
{
	put(at, value, len);
	say("%s: wrote %0*x, reads %0*x", what, (int)len * 2, value, (int)len * 2, get(at, len));
}

static void power(void)
{
	unsigned int pm = find_cap(CAP_PM);

	if (pm == 0)
		return;
	write_and_show("power state D3hot", pm + 4, 3, 2);
	write_and_show("power state D0", pm + 4, 0, 2);
	write_and_show("power state D1", pm + 4, 1, 2);
	write_and_show("power state D0", pm + 4, 0, 2);
}

static void message_interrupts(void)
{
	unsigned int msi = find_cap(CAP_MSI), msix = find_cap(CAP_MSIX);
	uint32_t before;

	if (msi != 0) {
		before = get(msi + 2, 2);
		write_and_show("MSI enable, none set up", msi + 2, before | 1, 2);
		write_and_show("MSI, more vectors", msi + 2, before | 0x70, 2);
		put(msi + 2, before, 2);
	}
	if (msix != 0) {
		before = get(msix + 2, 2);
		write_and_show("MSI-X enable, none set up", msix + 2, before | 0x8000, 2);
		write_and_show("MSI-X function mask", msix + 2, before | 0x4000, 2);
		put(msix + 2, before, 2);
	}
}

static void one_device(const char *bdf, const char *what)
{
	struct vfio_user u;
	uint32_t bar0, line;

	section("%s, %s: header", bdf, what);
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	bar0 = get(0x10, 4);
	line = get(0x3c, 1);
	header(false);
	section("%s: capabilities", bdf);
	capabilities();
	if (is_extended())
		extended_capabilities();
	section("%s: fields", bdf);
	write_and_show("command: all", 4, 0x7, 2);
	write_and_show("command: none", 4, 0, 2);
	write_and_show("command: interrupt disable", 4, 0x400, 2);
	write_and_show("command: memory by a byte", 4, 2, 1);
	write_and_show("interrupt line", 0x3c, 0x42, 1);
	power();
	message_interrupts();
	vfio_user_close(&u);

	note("opened again: everything is as at first");
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	say("command %04x BAR0 %s, interrupt line %s", get(4, 2) & 0x404,
	    get(0x10, 4) == bar0 ? "as it was" : "another",
	    get(0x3c, 1) == line ? "as it was" : "another");
	vfio_user_close(&u);
}

static void virtual_function(const char *vf)
{
	struct vfio_user u;

	section("%s, a virtual function: header", vf);
	vfio_user_open(&u, vf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	header(true);
	section("%s: fields", vf);
	write_and_show("command: all", 4, 0x7, 2);
	write_and_show("command: none", 4, 0, 2);
	write_and_show("command: memory by a byte", 4, 2, 1);
	write_and_show("vendor", 0, 0x1234, 2);
	vfio_user_close(&u);
}

static void bytes_of_a_bar(void)
{
	struct vfio_user u;

	section("<edu>: BAR0 by bytes and words");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	write_and_show("byte 0", 0x10, 0xff, 1);
	write_and_show("byte 3", 0x13, 0x12, 1);
	write_and_show("bytes 2-3", 0x12, 0xabcd, 2);
	say("the whole: %08x", get(0x10, 4));
	vfio_user_close(&u);
}

int main(void)
{
	const char *vf;

	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, pf, NULL);
	one_device(edu, "conventional with MSI");
	one_device(multi0, "PCIe, one of two functions");
	one_device(pf, "PCIe with SR-IOV");
	bytes_of_a_bar();
	pci_bind(pf, "igb");
	pci_numvfs(pf, 1);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	virtual_function(vf);
	return 0;
}
