/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions beyond plain memory BARs: expansion ROMs, I/O BARs, a memory BAR of less than a page, legacy
 * VGA. What is said of each, how reads are cut at its ends, what is left of it without decoding, and
 * whether it can be mapped. What a device answers is its own affair, but an I/O BAR that is not
 * decoded reads as ones, a ROM begins with a signature, and behind its last image it reads as ones.
 * And the file "rom" of sysfs, which is empty until it is asked for.
 *
 * machine: regions
 */
#include "lib.h"

#define REGION(n)   ((off_t)(n) << 40)
#define CONFIG	    REGION(VFIO_PCI_CONFIG_REGION_INDEX)
#define ROM	    REGION(VFIO_PCI_ROM_REGION_INDEX)
#define VGA	    REGION(VFIO_PCI_VGA_REGION_INDEX)
#define REGIONS	    10
#define MAX_IMAGES  16
#define ROM_SECTOR  512
#define COMMAND_IO  1
#define COMMAND_MEM 2
#define DECODE	    (COMMAND_IO | COMMAND_MEM)

static const char vga[] = "0000:00:07.0", small[] = "0000:00:03.0", rom[] = "0000:00:04.0";
static const char plain[] = "0000:00:08.0", both[] = "0000:00:06.0";

static int device;

static void set_command(uint16_t value)
{
	if (pwrite(device, &value, sizeof(value), CONFIG + 4) != sizeof(value))
		die("config write: %s", errno_name(errno));
}

static struct vfio_region_info get_info(uint32_t index)
{
	struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		info.size = 0;
	return info;
}

static void infos(void)
{
	struct vfio_region_info info;
	uint32_t i;

	for (i = 0; i < REGIONS; i++) {
		info = (struct vfio_region_info){.argsz = sizeof(info), .index = i};
		say_call(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), "region %u", i);
		note("flags 0x%x size 0x%llx offset 0x%llx argsz %u cap_offset %u", info.flags,
		     (unsigned long long)info.size, (unsigned long long)info.offset, info.argsz,
		     info.cap_offset);
	}
}

static void read_at(const char *what, off_t offset, size_t len)
{
	uint8_t bytes[64];

	say_call(pread(device, bytes, len, offset), "read of %zu, %s", len, what);
}

static void cuts(uint32_t index)
{
	struct vfio_region_info info = get_info(index);
	off_t end = REGION(index) + (off_t)info.size;

	if (info.size == 0) {
		note("region %u", index);
		read_at("at its beginning", REGION(index), 4);
		return;
	}
	note("region %u", index);
	read_at("at its beginning", REGION(index), 4);
	read_at("4 before its end", end - 4, 16);
	read_at("the last byte", end - 1, 2);
	read_at("at its end", end, 1);
	read_at("nothing, at its end", end, 0);
}

static void ones(uint32_t index, const char *what)
{
	uint8_t bytes[8] = {0};
	ssize_t n = pread(device, bytes, sizeof(bytes), REGION(index));
	static const uint8_t all[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	say_call(n, "read of region %u, %s", index, what);
	if (n == sizeof(bytes) && index != VFIO_PCI_ROM_REGION_INDEX)
		note("ones: %s", memcmp(bytes, all, sizeof(all)) == 0 ? "yes" : "no");
}

static void decoding(const char *what, uint16_t command, bool say_ones)
{
	uint32_t i;

	set_command(command);
	for (i = 0; i <= VFIO_PCI_ROM_REGION_INDEX; i++) {
		struct vfio_region_info info = get_info(i);
		uint8_t bytes[8];

		if (info.size == 0)
			continue;
		if (say_ones)
			ones(i, what);
		else
			say_call(pread(device, bytes, sizeof(bytes), REGION(i)),
				 "read of region %u, %s", i, what);
		if (i == VFIO_PCI_ROM_REGION_INDEX)
			note("its size is still said: %d", info.size != 0);
	}
	set_command(DECODE);
}

static void maps(void)
{
	uint32_t i;

	for (i = 0; i < REGIONS; i++) {
		void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, REGION(i));

		say_call(p == MAP_FAILED ? -1 : 0, "mmap of a page of region %u", i);
		if (p != MAP_FAILED)
			munmap(p, PAGE);
	}
	for (i = 0; i < REGIONS; i++) {
		struct vfio_region_info info = get_info(i);
		void *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, device,
			       REGION(i) + (off_t)(info.size & ~(PAGE - 1)));

		if (info.flags & VFIO_REGION_INFO_FLAG_MMAP)
			say_call(p == MAP_FAILED ? -1 : 0, "mmap over the end of region %u", i);
		if (p != MAP_FAILED)
			munmap(p, 2 * PAGE);
	}
}

/* The end of the last image, by what images say of themselves. */
static off_t images_end(void)
{
	off_t at = 0;
	int i;

	for (i = 0; i < MAX_IMAGES; i++) {
		uint8_t head[0x1a], data[0x18];

		if (pread(device, head, sizeof(head), ROM + at) != sizeof(head) ||
		    head[0] != 0x55 || head[1] != 0xaa)
			break;
		if (pread(device, data, sizeof(data), ROM + at + (head[0x18] | head[0x19] << 8)) !=
		    sizeof(data))
			break;
		at += (off_t)(data[0x10] | data[0x11] << 8) * ROM_SECTOR;
		if (data[0x15] & 0x80)
			break;
	}
	return at;
}

static void rom_contents(void)
{
	uint8_t bytes[32];
	off_t end = images_end();
	struct vfio_region_info info = get_info(VFIO_PCI_ROM_REGION_INDEX);
	unsigned int i, count = 0;

	if (pread(device, bytes, 2, ROM) != 2)
		die("ROM read: %s", errno_name(errno));
	say("begins with %02x %02x, ends within: %d", bytes[0], bytes[1],
	    end > 0 && end < (off_t)info.size);
	if (pread(device, bytes, sizeof(bytes), ROM + end - 8) != sizeof(bytes))
		die("ROM read: %s", errno_name(errno));
	for (i = 8; i < sizeof(bytes); i++)
		count += bytes[i] == 0xff;
	say("ones behind the last image: %u of 24", count);
	say_call(pwrite(device, bytes, 4, ROM), "write of 4");
	say_call(pwrite(device, bytes, 0, ROM), "write of 0");
}

static uint32_t rom_register(uint32_t write)
{
	uint32_t value;

	if (pwrite(device, &write, sizeof(write), CONFIG + 0x30) != sizeof(write) ||
	    pread(device, &value, sizeof(value), CONFIG + 0x30) != sizeof(value))
		die("config access: %s", errno_name(errno));
	return value;
}

static void rom_bar(void)
{
	note("the register: ones %08x", rom_register(~0u));
	note("zeroes %08x", rom_register(0));
	note("enabled %08x", rom_register(1));
	read_at("with the user's enable bit", ROM, 4);
	note("disabled %08x", rom_register(0));
	read_at("without it", ROM, 4);
}

static void sysfs_rom(const char *bdf)
{
	char path[128], bytes[4];
	int fd;

	section("sysfs rom of %s", bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/rom", bdf);
	fd = open(path, O_RDWR);
	say_fd(fd, "open");
	if (fd < 0)
		return;
	say("its size: 0x%llx", (unsigned long long)lseek(fd, 0, SEEK_END));
	say_call(pread(fd, bytes, 2, 0), "read, not enabled");
	say_call(pwrite(fd, "1", 1, 0), "write of 1");
	say_call(pread(fd, bytes, 2, 0), "read");
	note("%02x %02x", (uint8_t)bytes[0], (uint8_t)bytes[1]);
	say_call(pread(fd, bytes, 1, (off_t)1 << 30), "read far behind");
	say_call(pwrite(fd, "0\n", 2, 0), "write of 0 and a newline");
	say_call(pread(fd, bytes, 2, 0), "read");
	say_call(pwrite(fd, "0", 1, 0), "write of 0");
	say_call(pread(fd, bytes, 2, 0), "read");
	close(fd);
}

static void legacy_vga(void)
{
	static const struct {
		off_t at;
		size_t len;
	} reads[] = {
		{0, 1},	      {0x3af, 4},   {0x3b0, 4},	  {0x3b9, 8},	{0x3bb, 1},   {0x3bc, 1},
		{0x3bf, 4},   {0x3c0, 8},   {0x3d4, 2},	  {0x3df, 4},	{0x3e0, 1},   {0x9ffff, 4},
		{0xa0000, 8}, {0xa0001, 7}, {0xbfffe, 8}, {0xbffff, 1}, {0xc0000, 1},
	};
	uint8_t bytes[8] = {0};
	uint16_t command;
	unsigned int i;

	section("%s: legacy VGA", vga);
	for (i = 0; i < ARRAY_SIZE(reads); i++)
		say_call(pread(device, bytes, reads[i].len, VGA + reads[i].at),
			 "read of %zu at %llx", reads[i].len, (unsigned long long)reads[i].at);
	say_call(pwrite(device, bytes, 4, VGA + 0x9ffff), "write of 4 at 9ffff");
	say_call(pwrite(device, bytes, 8, VGA + 0xbfffc), "write of 8 at bfffc");
	say_call(pwrite(device, bytes, 1, VGA + 0x3e0), "write of 1 at 3e0");
	set_command(0);
	say_call(pread(device, bytes, 4, VGA + 0xa0000), "read of memory, decoding off");
	say_call(pread(device, bytes, 1, VGA + 0x3c0), "read of ports, decoding off");
	if (pread(device, &command, 2, CONFIG + 4) != 2)
		die("config read: %s", errno_name(errno));
	note("command %04x", command & DECODE);
	set_command(DECODE);
}

static void one_device(const char *bdf, const char *what, bool has_rom)
{
	struct vfio_user u;
	uint32_t i;

	section("%s, %s", bdf, what);
	pci_all_to_vfio(bdf, NULL);
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	infos();
	for (i = 0; i < VFIO_PCI_CONFIG_REGION_INDEX; i++)
		cuts(i);
	read_at("of region 9", REGION(9), 4);
	if (has_rom) {
		section("%s: ROM", bdf);
		rom_contents();
		rom_bar();
	}
	section("%s: decoding", bdf);
	decoding("nothing decoded", 0, true);
	decoding("I/O decoded", COMMAND_IO, false);
	decoding("memory decoded", COMMAND_MEM, false);
	section("%s: mapping", bdf);
	maps();
	if (bdf == vga)
		legacy_vga();
	vfio_user_close(&u);
}

int main(void)
{
	case_begin();
	one_device(small, "an I/O BAR and one of less than a page", true);
	one_device(rom, "a ROM", true);
	one_device(plain, "no ROM", false);
	one_device(both, "memory and I/O", false);
	one_device(vga, "VGA", true);
	sysfs_rom(small);
	sysfs_rom(plain);
	return 0;
}
