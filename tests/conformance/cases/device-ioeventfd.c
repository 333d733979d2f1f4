/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_DEVICE_IOEVENTFD: a write to a BAR that is made whenever an eventfd is signalled. The order
 * of checks is: head, region, range, MSI-X table; then the same (place, size and value) exists
 * already; then there is nothing to remove; then there are a thousand; then the descriptor. What a
 * register shows after a write is the device's choice, so that it is compared with the same value
 * written by hand.
 */
#include "lib.h"

#define BAR(n, offset) ((uint64_t)(n) << 40 | (offset))
/* A register of edu's that keeps what is written, if by 32 bits. */
#define REGISTER   4
#define MAX_WRITES 1000
#define CONFIG	   BAR(VFIO_PCI_CONFIG_REGION_INDEX, 0)
#define CAP_MSIX   0x11
#define MAX_LINKS  48

static int device;

static int ioeventfd_size(uint32_t argsz, uint32_t flags, uint64_t offset, uint64_t data,
			  int32_t fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = argsz, .flags = flags, .offset = offset, .data = data, .fd = fd};

	return ioctl(device, VFIO_DEVICE_IOEVENTFD, &arg);
}

static int ioeventfd(uint32_t flags, uint64_t offset, uint64_t data, int32_t fd, const char *what)
{
	return say_call(
		ioeventfd_size(sizeof(struct vfio_device_ioeventfd), flags, offset, data, fd),
		"IOEVENTFD flags %u, region %u offset 0x%llx data 0x%llx, %s", flags,
		(unsigned int)(offset >> 40), (unsigned long long)(offset & ((1ull << 40) - 1)),
		(unsigned long long)data, what);
}

static void signal_event(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		die("write to an eventfd: %s", errno_name(errno));
}

static uint32_t get(void)
{
	uint32_t value;

	if (pread(device, &value, sizeof(value), (off_t)BAR(0, REGISTER)) != sizeof(value))
		die("BAR read: %s", errno_name(errno));
	return value;
}

static void put(uint32_t value)
{
	if (pwrite(device, &value, sizeof(value), (off_t)BAR(0, REGISTER)) != sizeof(value))
		die("BAR write: %s", errno_name(errno));
}

static void set_command(uint16_t value)
{
	if (pwrite(device, &value, sizeof(value), (off_t)CONFIG + 4) != sizeof(value))
		die("config write: %s", errno_name(errno));
}

/* Whether the register holds value, as one sees by writing it. */
static bool holds(uint32_t value)
{
	uint32_t now = get();

	put(value);
	return now == get();
}

/* Signals fd with another value in the register, and says whether value has come. */
static void fires(int fd, uint32_t value, const char *what)
{
	put(~value);
	signal_event(fd);
	say("%s: %s", what, holds(value) ? "written" : "not written");
}

static void head(int event)
{
	void *nowhere = NULL;

	section("head");
	IOCTL(device, VFIO_DEVICE_IOEVENTFD, nowhere);
	say_call(ioeventfd_size(27, 4, BAR(0, REGISTER), 1, event), "argsz 27");
	ioeventfd(0, BAR(0, REGISTER), 1, event, "an eventfd");
	ioeventfd(3, BAR(0, REGISTER), 1, event, "an eventfd");
	ioeventfd(12, BAR(0, REGISTER), 1, event, "an eventfd");
	ioeventfd(16, BAR(0, REGISTER), 1, event, "an eventfd");
	ioeventfd(20, BAR(0, REGISTER), 1, event, "an eventfd");
	ioeventfd(4, BAR(0, REGISTER), 1, -2, "-2");
	ioeventfd(16, BAR(9, REGISTER), 1, -2, "-2");
}

static void places(int event)
{
	section("places");
	ioeventfd(4, BAR(VFIO_PCI_ROM_REGION_INDEX, 0), 1, event, "an eventfd");
	ioeventfd(4, BAR(VFIO_PCI_CONFIG_REGION_INDEX, 0), 1, event, "an eventfd");
	ioeventfd(4, BAR(VFIO_PCI_VGA_REGION_INDEX, 0xa0000), 1, event, "an eventfd");
	ioeventfd(4, BAR(9, 0), 1, event, "an eventfd");
	ioeventfd(4, ~0ull, 1, event, "an eventfd");
	ioeventfd(4, BAR(1, 0), 1, event, "a region that is not there");
	ioeventfd(4, BAR(0, 0xfffff), 1, event, "over the end");
	ioeventfd(4, BAR(0, 0x100000), 1, event, "behind the end");
	ioeventfd(8, BAR(0, 0xffffc), 1, event, "over the end");
	ioeventfd(4, BAR(0, 0xfffff), 1, 999, "over the end, no such fd");
	ioeventfd(1, BAR(0, 0xfffff), 1, event, "the last byte");
	ioeventfd(1, BAR(0, 0xfffff), 1, -1, "removed");
	ioeventfd(4, BAR(0, 0x81), 1, event, "unaligned");
	ioeventfd(4, BAR(0, 0x81), 1, -1, "removed");
}

static void descriptors(int event)
{
	int null_dev = must_open("/dev/null");

	section("descriptors");
	ioeventfd(4, BAR(0, REGISTER), 1, 999, "no such fd");
	ioeventfd(4, BAR(0, REGISTER), 1, null_dev, "/dev/null");
	ioeventfd(4, BAR(0, REGISTER), 1, device, "the device");
	ioeventfd(4, BAR(0, REGISTER), 1, -1, "to remove");
	ioeventfd(4, BAR(0, REGISTER), 1, event, "an eventfd");
	ioeventfd(4, BAR(0, REGISTER), 1, event, "the same again");
	ioeventfd(4, BAR(0, REGISTER), 1, 999, "the same, no such fd");
	ioeventfd(2, BAR(0, REGISTER), 1, -1, "to remove");
	ioeventfd(4, BAR(0, REGISTER), 2, -1, "to remove");
	ioeventfd(4, BAR(0, REGISTER + 4), 1, -1, "to remove");
	ioeventfd(4, BAR(0, REGISTER), 1 | 1ull << 32, -1, "to remove");
	ioeventfd(4, BAR(0, REGISTER), 1, -1, "to remove");
	ioeventfd(4, BAR(0, REGISTER), 1, -1, "to remove");
	close(null_dev);
}

static void firing(int event, int other)
{
	section("firing");
	ioeventfd(4, BAR(0, REGISTER), 0x11223344, event, "an eventfd");
	fires(event, 0x11223344, "signalled");
	fires(event, 0x11223344, "signalled again");
	put(0);
	say("the signal is taken: %d", !eventfd_taken(event));
	fires(other, 0x11223344, "another eventfd");
	say("its signal is taken: %d", !eventfd_taken(other));

	ioeventfd(4, BAR(0, REGISTER), 0x55667788, other, "another value, another eventfd");
	fires(event, 0x11223344, "the first");
	fires(other, 0x55667788, "the second");
	ioeventfd(4, BAR(0, REGISTER), 0x11223344, -1, "the first removed");
	fires(event, 0x11223344, "the first");
	say("its signal is taken: %d", !eventfd_taken(event));
	fires(other, 0x55667788, "the second");

	note("one that is signalled before");
	signal_event(event);
	put(0);
	ioeventfd(4, BAR(0, REGISTER), 0x99aabbcc, event, "an eventfd");
	say("%s", holds(0x99aabbcc) ? "written" : "not written");
	fires(event, 0x99aabbcc, "signalled");
	ioeventfd(4, BAR(0, REGISTER), 0x99aabbcc, -1, "removed");

	note("data above the size");
	ioeventfd(4, BAR(0, REGISTER), 0xdead00000042, event, "an eventfd");
	fires(event, 0x42, "signalled");
	ioeventfd(4, BAR(0, REGISTER), 0xdead00000042, -1, "removed");
}

static void decoding_off(int event)
{
	section("memory decoding off");
	ioeventfd(4, BAR(0, REGISTER), 0x1234, event, "an eventfd");
	put(0);
	set_command(0);
	signal_event(event);
	ioeventfd(4, BAR(0, 0x10), 0x1234, event, "a second");
	set_command(2);
	say("signalled while off: %s", holds(0x1234) ? "written" : "not written");
	fires(event, 0x1234, "signalled while on");
}

static void limit(int event)
{
	unsigned int i;

	section("how many");
	for (i = 0; i < MAX_WRITES + 1; i++) {
		if (ioeventfd_size(32, 4, BAR(0, 0x10), i, event) < 0)
			break;
	}
	say("%u, then %s", i, errno_name(errno));
	ioeventfd(4, BAR(0, 0x10), MAX_WRITES, 999, "no such fd");
	ioeventfd(4, BAR(0, 0x10), 7, event, "the same again");
	ioeventfd(4, BAR(0, 0x10), MAX_WRITES, -1, "to remove");
	ioeventfd(4, BAR(0, 0x10), 7, -1, "removed");
	ioeventfd(4, BAR(0, 0x10), MAX_WRITES, event, "in its place");
}

static void closed(struct vfio_user *u, int event)
{
	section("closed and opened again");
	vfio_user_close(u);
	vfio_user_open(u, edu, VFIO_TYPE1v2_IOMMU);
	device = u->device;
	fires(event, 7, "signalled");
	say("the signal is taken: %d", !eventfd_taken(event));
	ioeventfd(4, BAR(0, 0x10), MAX_WRITES, -1, "to remove");
	ioeventfd(4, BAR(0, REGISTER), 7, event, "an eventfd");
	fires(event, 7, "signalled");
}

static uint32_t config_get(unsigned int at, size_t len)
{
	uint32_t value = 0;

	if (pread(device, &value, len, (off_t)CONFIG + at) != (ssize_t)len)
		die("config read at 0x%x: %s", at, errno_name(errno));
	return value;
}

static unsigned int find_msix(void)
{
	unsigned int at = config_get(0x34, 1), links;

	for (links = 0; at != 0 && links < MAX_LINKS; links++) {
		if (config_get(at, 1) == CAP_MSIX)
			return at;
		at = config_get(at + 1, 1);
	}
	die("no MSI-X");
}

static void msix_table(int event)
{
	unsigned int msix = find_msix();
	uint32_t vectors = (config_get(msix + 2, 2) & 0x7ff) + 1, place = config_get(msix + 4, 4);
	uint64_t table = BAR(place & 7, place & ~7u), end = table + (uint64_t)vectors * 16;

	section("the MSI-X table of <pf>");
	say_call(ioeventfd_size(32, 4, table, 1, event), "its first entry");
	say_call(ioeventfd_size(32, 4, end - 4, 1, event), "its last four bytes");
	say_call(ioeventfd_size(32, 8, end - 4, 1, event), "eight bytes over its end");
	say_call(ioeventfd_size(32, 4, end, 1, event), "behind it");
	say_call(ioeventfd_size(32, 4, end, 1, -1), "removed");
}

static void io_bar(int event)
{
	section("an I/O BAR, of <conv0>");
	ioeventfd(4, BAR(1, 0), 1, event, "an eventfd");
	signal_event(event);
	ioeventfd(4, BAR(1, 0), 1, -1, "removed");
	ioeventfd(4, BAR(1, 0x3e), 1, event, "over the end");
	ioeventfd(1, BAR(1, 0x3f), 1, event, "the last byte");
	ioeventfd(8, BAR(1, 0), 1, event, "by 64 bits");
}

int main(void)
{
	int event = eventfd(0, EFD_CLOEXEC), other = eventfd(0, EFD_CLOEXEC);
	struct vfio_user u;

	case_begin();
	pci_all_to_vfio(edu, pf, conv0, conv1, NULL);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	head(event);
	places(event);
	descriptors(event);
	firing(event, other);
	decoding_off(event);
	vfio_user_close(&u);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	limit(event);
	closed(&u, event);
	vfio_user_close(&u);
	vfio_user_open(&u, pf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	msix_table(event);
	vfio_user_close(&u);
	vfio_user_open(&u, conv0, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	io_bar(event);
	vfio_user_close(&u);
	close(other);
	close(event);
	return 0;
}
