/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pread and pwrite on a device's file: the region is the offset's bits 40 and up. An access that
 * begins beyond a region is EINVAL (a BAR) or EFAULT (configuration space), one that goes across
 * the end of a BAR is cut short, a BAR is only there while the command register has its decoding
 * on (EIO). What a BAR's registers hold is not looked at.
 */
#include "lib.h"

#define REGION(index) ((off_t)(index) << 40)
#define CONFIG	      REGION(VFIO_PCI_CONFIG_REGION_INDEX)
#define BUFFER	      8192

static int device;
static uint8_t buffer[BUFFER];
static void *volatile nowhere; /* NULL, but the compiler must not know */

static void rd(off_t at, size_t len, const char *what)
{
	say_call(pread(device, buffer, len, at), "pread %zu bytes, %s", len, what);
}

static void wr(off_t at, size_t len, const char *what)
{
	say_call(pwrite(device, buffer, len, at), "pwrite %zu bytes, %s", len, what);
}

static void put_command(uint16_t value)
{
	if (pwrite(device, &value, sizeof(value), CONFIG + 4) != sizeof(value))
		die("command register: %s", errno_name(errno));
}

static void config(size_t size)
{
	section("configuration space of %zu bytes", size);
	rd(CONFIG, 1, "at 0");
	rd(CONFIG, 2, "at 0");
	rd(CONFIG, 4, "at 0");
	rd(CONFIG, 8, "at 0");
	rd(CONFIG + 1, 4, "at 1");
	rd(CONFIG + 3, 3, "at 3");
	rd(CONFIG, 64, "at 0");
	rd(CONFIG, size, "at 0");
	rd(CONFIG, size + 1, "at 0: one more than there is");
	rd(CONFIG + (off_t)size - 1, 1, "the last");
	rd(CONFIG + (off_t)size - 2, 4, "across the end");
	rd(CONFIG + (off_t)size, 1, "at the end");
	rd(CONFIG + (off_t)size + 4096, 4, "far beyond the end");
	rd(CONFIG, 0, "at 0");
	rd(CONFIG + (off_t)size, 0, "at the end");
	memset(buffer, 0, sizeof(buffer));
	wr(CONFIG, 4, "read-only identity");
	wr(CONFIG + 0x3c, 1, "interrupt line");
	wr(CONFIG + (off_t)size - 2, 4, "across the end");
	wr(CONFIG + (off_t)size, 1, "at the end");
	wr(CONFIG, 0, "at 0");
	say_call(pread(device, nowhere, 4, CONFIG), "pread to NULL");
	say_call(pwrite(device, nowhere, 4, CONFIG + 0x3c), "pwrite from NULL");
	say_call(pread(device, nowhere, 0, CONFIG), "pread of nothing to NULL");
}

static void memory_bar(off_t size)
{
	section("a memory BAR of 0x%llx bytes", (unsigned long long)size);
	rd(REGION(0), 4, "at 0");
	rd(REGION(0) + 4, 8, "at 4");
	rd(REGION(0) + 1, 1, "at 1");
	rd(REGION(0) + 1, 4, "at 1");
	rd(REGION(0) + 2, 7, "at 2");
	rd(REGION(0), 0, "at 0");
	rd(REGION(0), 256, "at 0");
	rd(REGION(0) + size - 4, 4, "the last dword");
	rd(REGION(0) + size - 2, 4, "across the end");
	rd(REGION(0) + size - 4, 64, "across the end");
	rd(REGION(0) + size, 4, "at the end");
	rd(REGION(0) + size, 0, "at the end");
	rd(REGION(0) + 2 * size, 4, "far beyond the end");
	memset(buffer, 0, sizeof(buffer));
	wr(REGION(0) + 4, 4, "at 4");
	wr(REGION(0) + size - 2, 4, "across the end");
	wr(REGION(0) + size, 4, "at the end");
	say_call(pread(device, nowhere, 4, REGION(0)), "pread to NULL");
	say_call(pwrite(device, nowhere, 4, REGION(0) + 4), "pwrite from NULL");
}

static void decoding(void)
{
	section("decoding");
	put_command(0);
	rd(REGION(0), 4, "memory BAR, decoding off");
	wr(REGION(0) + 4, 4, "memory BAR, decoding off");
	rd(REGION(0) + (1 << 20), 4, "at the end, decoding off");
	put_command(1);
	rd(REGION(0), 4, "memory BAR, I/O decoding on");
	put_command(2);
	rd(REGION(0), 4, "memory BAR, memory decoding on");
	rd(CONFIG, 4, "configuration space");
}

static void other_regions(void)
{
	section("regions that are not there");
	rd(REGION(1), 4, "a BAR of size 0");
	wr(REGION(1), 4, "a BAR of size 0");
	rd(REGION(VFIO_PCI_ROM_REGION_INDEX), 4, "ROM");
	wr(REGION(VFIO_PCI_ROM_REGION_INDEX), 4, "ROM");
	rd(REGION(VFIO_PCI_VGA_REGION_INDEX), 4, "VGA");
	rd(REGION(VFIO_PCI_VGA_REGION_INDEX) + 0xa0000, 4, "VGA at 0xa0000");
	rd(REGION(9), 4, "index 9");
	rd(REGION(100), 4, "index 100");
	wr(REGION(9), 4, "index 9");
	rd(-1, 4, "a negative offset");
	say_call(lseek(device, 0, SEEK_SET), "lseek");
	say_call(read(device, buffer, 4), "read without offset");
	say_call(write(device, buffer, 4), "write without offset");
}

static void io_bar(void)
{
	struct vfio_user u;

	section("an I/O BAR of 32 bytes");
	vfio_user_open(&u, pf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	rd(REGION(2), 4, "at 0");
	rd(REGION(2), 8, "at 0");
	rd(REGION(2) + 28, 4, "the last dword");
	rd(REGION(2) + 30, 4, "across the end");
	rd(REGION(2) + 32, 1, "at the end");
	put_command(2);
	rd(REGION(2), 4, "I/O decoding off, memory decoding on");
	rd(REGION(0), 4, "memory BAR");
	put_command(1);
	rd(REGION(2), 4, "I/O decoding on, memory decoding off");
	rd(REGION(0), 4, "memory BAR");

	section("the BAR with the MSI-X table");
	put_command(3);
	rd(REGION(3), 4, "the table");
	rd(REGION(3), 16, "an entry");
	wr(REGION(3) + 12, 4, "vector control");
	rd(REGION(3) + 0x2000, 4, "the pending bits");
	rd(REGION(3) + 0x1000, 4, "between them");
	config(4096);
	vfio_user_close(&u);
}

int main(void)
{
	struct vfio_user u;

	case_begin();
	pci_all_to_vfio(edu, pf, NULL);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	config(256);
	memory_bar(1 << 20);
	decoding();
	other_regions();
	vfio_user_close(&u);
	io_bar();
	return 0;
}
