/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every byte of the config space of every function, as a device's user can change it. Each byte of
 * the header and of the capabilities is written with ones, zeroes and each bit alone, read after
 * each write, and put back; shown are the bits that can be changed, for rows of 16 bytes that have
 * any. What differs from "what was written is what is read" is said: bits that read otherwise with
 * other bits beside them, bytes that cannot be put back, other bytes that changed. The same again by
 * 2 and 4 bytes where that gives other bits. Then reads of 1 to 9 bytes at every offset, which must
 * show what the bytes alone show, and accesses that straddle registers or the end.
 *
 * Bytes that belong to no capability that VFIO shows are handed to the device, which may keep
 * registers there: they are only read. So are the bits of a capability that VFIO hands on (see
 * handed_on[]), which the device may or may not keep.
 */
#include "lib.h"

#define CONFIG_OFFSET ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define MAX_SIZE      4096
#define ROW	      16
#define MAX_READ      9
#define MAX_LINKS     48

#define CAP_HEADER    0 /* of ours */
#define CAP_PM	      1
#define CAP_MSI	      5
#define CAP_EXPRESS   0x10
#define CAP_MSIX      0x11
#define CAP_AER	      1

static int device;
static unsigned int size;
/* For each byte: whether VFIO shows what is there, and the bits that it decides. */
static bool shown[MAX_SIZE];
static uint8_t decided[MAX_SIZE];

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

static void snapshot(uint8_t *bytes)
{
	if (pread(device, bytes, size, CONFIG_OFFSET) != (ssize_t)size)
		die("config read: %s", errno_name(errno));
}

/* Bits of capabilities that are written to the device, for it to keep or not. */
static const struct {
	uint8_t id, extended, offset, bits;
} handed_on[] = {
	{CAP_HEADER, 0, 4, 0x40}, /* parity error response */
	{CAP_EXPRESS, 0, 8, 0x1f},    {CAP_EXPRESS, 0, 9, 0x0d}, {CAP_EXPRESS, 0, 0x28, 0xdf},
	{CAP_EXPRESS, 0, 0x29, 0xff}, {CAP_PM, 0, 5, 0x7e},
};

static void cover(unsigned int at, unsigned int length, unsigned int id, bool extended)
{
	unsigned int i;

	for (i = 0; i < length && at + i < size; i++) {
		shown[at + i] = true;
		decided[at + i] = 0xff;
	}
	for (i = 0; i < ARRAY_SIZE(handed_on); i++) {
		if (handed_on[i].id == id && handed_on[i].extended == extended &&
		    handed_on[i].offset < length)
			decided[at + handed_on[i].offset] &= (uint8_t)~handed_on[i].bits;
	}
}

/* Bytes of the capability at an offset, 0: not walked. */
static unsigned int cap_length(unsigned int at)
{
	unsigned int flags = get(at + 2, 2);

	switch (get(at, 1)) {
	case CAP_PM:
		return 8;
	case CAP_MSI:
		return (flags & 0x100 ? 20u : 10u) + (flags & 0x80 ? 4u : 0u);
	case CAP_EXPRESS:
		if ((flags & 0xf) < 2)
			return (flags & 0xf0) == 0x90 ? 0xc : 0x14;
		return (flags & 0xf0) == 0x90 ? 0x2c : 0x34;
	case CAP_MSIX:
		return 12;
	default:
		return 0;
	}
}

static unsigned int extended_length(unsigned int id)
{
	static const uint8_t lengths[] = {
		[CAP_AER] = 0x2c, [3] = 12, [0xe] = 8, [0xf] = 8, [0x10] = 0x40};

	return id < ARRAY_SIZE(lengths) ? lengths[id] : 0;
}

static void find_capabilities(void)
{
	unsigned int at = get(0x34, 1), links;

	memset(shown, 0, sizeof(shown));
	cover(0, 0x40, CAP_HEADER, false);
	for (links = 0; at != 0 && links < MAX_LINKS; links++) {
		say("capability %02x, %u bytes", get(at, 1), cap_length(at));
		cover(at, cap_length(at), get(at, 1), false);
		at = get(at + 1, 1);
	}
	at = size > 256 ? 256 : 0;
	for (links = 0; at != 0 && links < MAX_LINKS; links++) {
		uint32_t head = get(at, 4);

		say("extended capability %04x, %u bytes", head & 0xffff,
		    extended_length(head & 0xffff));
		cover(at, extended_length(head & 0xffff), head & 0xffff, true);
		at = head >> 20;
	}
}

/* The bits of len bytes at an offset that can be changed; *ret_odd: the first pattern that reads otherwise. */
static uint32_t changeable(unsigned int at, size_t len, uint32_t *ret_odd, bool *ret_stuck)
{
	uint32_t all = 0xffffffffu >> (32 - 8 * len), before = get(at, len), zeroes, ones;
	unsigned int bit;

	put(at, all, len);
	ones = get(at, len);
	put(at, 0, len);
	zeroes = get(at, len);
	*ret_odd = 0;
	for (bit = 0; bit < 8 * len; bit++) {
		uint32_t pattern = 1u << bit;

		put(at, pattern, len);
		if (*ret_odd == 0 && get(at, len) != (zeroes | (ones & pattern)))
			*ret_odd = pattern;
	}
	put(at, before, len);
	*ret_stuck = get(at, len) != before;
	return ones ^ zeroes;
}

static void show_row(unsigned int at, const uint8_t *bits, const char *what)
{
	char text[ROW * 3 + 1];
	static const uint8_t none[ROW];
	unsigned int i;

	if (memcmp(bits, none, ROW) == 0)
		return;
	for (i = 0; i < ROW; i++)
		snprintf(text + 3 * i, 4, " %02x", bits[i]);
	say("%03x:%s%s", at, text, what);
}

static void show_changes(const uint8_t *before)
{
	static uint8_t now[MAX_SIZE];
	unsigned int i;

	snapshot(now);
	for (i = 0; i < size; i++) {
		if (now[i] != before[i])
			note("%03x: %02x became %02x", i, before[i], now[i]);
	}
}

/* bits: filled with those that bytes show. */
static void walk_bytes(uint8_t *bits)
{
	static uint8_t before[MAX_SIZE];
	unsigned int at;

	for (at = 0; at < size; at++) {
		uint32_t odd = 0;
		bool stuck = false;

		if (at % ROW == 0)
			snapshot(before);
		bits[at] = 0;
		if (shown[at])
			bits[at] = (uint8_t)changeable(at, 1, &odd, &stuck) & decided[at];
		if (odd != 0)
			note("%03x: not plain from %02x on", at, odd);
		if (stuck)
			note("%03x: cannot be put back", at);
		if (at % ROW == ROW - 1) {
			show_row(at - ROW + 1, bits + at - ROW + 1, "");
			show_changes(before);
		}
	}
}

static void walk_wide(const uint8_t *bytes, size_t len)
{
	unsigned int at;

	for (at = 0; at + len <= size; at += (unsigned int)len) {
		uint32_t want = 0, bits, own = 0, odd;
		bool stuck;

		if (!shown[at] || !shown[at + len - 1])
			continue;
		memcpy(&want, bytes + at, len);
		memcpy(&own, decided + at, len);
		bits = changeable(at, len, &odd, &stuck) & own;
		if (bits != want)
			say("%03x by %zu: %0*x, by bytes %0*x", at, len, (int)len * 2, bits,
			    (int)len * 2, want);
		if (odd != 0)
			note("%03x: not plain from %0*x on", at, (int)len * 2, odd);
		if (stuck)
			note("%03x: cannot be put back", at);
	}
}

static void walk_reads(void)
{
	static uint8_t all[MAX_SIZE];
	uint8_t got[MAX_READ];
	unsigned int at, len, wrong = 0;

	for (at = 0; at < size; at++)
		all[at] = (uint8_t)get(at, 1);
	for (at = 0; at < size; at++) {
		for (len = 1; len <= MAX_READ && at + len <= size; len++) {
			if (pread(device, got, len, CONFIG_OFFSET + at) != (ssize_t)len ||
			    memcmp(got, all + at, len) != 0)
				wrong++;
		}
	}
	say("reads of 1 to %d bytes everywhere: %u differ from bytes", MAX_READ, wrong);
}

/* Unaligned and longer than a dword: bytes that are the user's own, cut as they come. */
static void straddling(void)
{
	uint8_t bytes[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, got[12];

	say_call(pwrite(device, bytes, 3, CONFIG_OFFSET + 0x3b), "write of 3 at 3b");
	note("interrupt line %02x", get(0x3c, 1));
	say_call(pwrite(device, bytes, 12, CONFIG_OFFSET + 0x0f), "write of 12 at 0f");
	if (pread(device, got, 12, CONFIG_OFFSET + 0x0f) != 12)
		die("config read");
	note("bytes 10 to 14: %02x %02x %02x %02x %02x", got[1] & 0xf, got[2], got[3], got[4],
	     got[5] & 0xf);
}

static void ends(void)
{
	uint8_t bytes[16], *nowhere = (uint8_t *)PAGE;

	say_call(pread(device, bytes, 1, CONFIG_OFFSET + size - 1), "read of 1 at the end - 1");
	say_call(pread(device, bytes, 2, CONFIG_OFFSET + size - 1), "read of 2 at the end - 1");
	say_call(pread(device, bytes, 1, CONFIG_OFFSET + size), "read of 1 at the end");
	say_call(pread(device, bytes, 0, CONFIG_OFFSET + size), "read of 0 at the end");
	say_call(pread(device, bytes, 16, CONFIG_OFFSET + size - 8), "read of 16 at the end - 8");
	say_call(pwrite(device, bytes, 2, CONFIG_OFFSET + size - 1), "write of 2 at the end - 1");
	say_call(pwrite(device, bytes, 1, CONFIG_OFFSET + size), "write of 1 at the end");
	say_call(pread(device, nowhere, 4, CONFIG_OFFSET), "read to nowhere");
	say_call(pwrite(device, nowhere, 4, CONFIG_OFFSET), "write from nowhere");
}

/*
 * Of a VF the header: which capabilities it has, and where, is its own choice. Whether it has the bits
 * for I/O space, SERR# and the cache line size is, too; the specification gives it none.
 */
static void one_device(const char *bdf, bool is_vf)
{
	struct vfio_region_info info = {.argsz = sizeof(info),
					.index = VFIO_PCI_CONFIG_REGION_INDEX};
	static uint8_t bits[MAX_SIZE];
	struct vfio_user u;

	section("%s", bdf);
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		die("REGION_INFO: %s", errno_name(errno));
	size = (unsigned int)info.size;
	if (is_vf) {
		size = 0x40;
		cover(0, size, CAP_HEADER, false);
		decided[4] &= 0xfe;
		decided[5] &= 0xfe;
		decided[0xc] = 0;
	} else {
		find_capabilities();
	}
	walk_bytes(bits);
	walk_wide(bits, 2);
	walk_wide(bits, 4);
	walk_reads();
	size = (unsigned int)info.size;
	ends();
	straddling();
	vfio_user_close(&u);
}

int main(void)
{
	const char *vf;

	case_begin();
	pci_all_to_vfio(pf, nvme, edu, conv0, conv1, multi0, multi1, NULL);
	one_device(edu, false);
	one_device(conv0, false);
	one_device(conv1, false);
	one_device(nvme, false);
	one_device(multi0, false);
	one_device(multi1, false);
	one_device(pf, false);
	pci_bind(pf, "igb");
	pci_numvfs(pf, 1);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	one_device(vf, true);
	return 0;
}
