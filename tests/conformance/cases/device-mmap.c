/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mmap of a device's file: only BARs, only shared, only within the BAR's pages. A mapping counts
 * as the open file: the group stays busy while it lives.
 */
#include "lib.h"

#define REGION(index) ((off_t)(index) << 40)
#define RW	      (PROT_READ | PROT_WRITE)

static int device;

static void *try_map(off_t at, size_t len, int prot, int flags, const char *what)
{
	void *p = mmap(NULL, len, prot, flags, device, at);

	say_call(p == MAP_FAILED ? -1 : 0, "mmap 0x%zx bytes, %s", len, what);
	return p;
}

static void try(off_t at, size_t len, int prot, int flags, const char *what)
{
	void *p = try_map(at, len, prot, flags, what);

	if (p != MAP_FAILED)
		munmap(p, len);
}

static void regions(void)
{
	uint32_t index;

	section("regions");
	for (index = 0; index < 10; index++) {
		struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

		if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0) {
			say("region %u: %s", index, errno_name(errno));
			continue;
		}
		say("region %u: %s", index,
		    info.flags & VFIO_REGION_INFO_FLAG_MMAP ? "can be mapped"
							    : "can not be mapped");
		try(REGION(index), info.size > 0 ? info.size : PAGE, RW, MAP_SHARED, "the whole");
	}
}

static void caps(void)
{
	struct {
		struct vfio_region_info info;
		uint8_t rest[256];
	} b = {.info = {.argsz = sizeof(b), .index = 3}};
	struct vfio_info_cap_header head;
	uint32_t at;

	section("capabilities of the region with the MSI-X table");
	IOCTL(device, VFIO_DEVICE_GET_REGION_INFO, &b);
	note("argsz %u flags 0x%x cap_offset %u", b.info.argsz == sizeof(b) ? 0 : b.info.argsz,
	     b.info.flags, b.info.cap_offset);
	for (at = b.info.cap_offset; at != 0 && at < 200; at = head.next) {
		memcpy(&head, (uint8_t *)&b + at, sizeof(head));
		note("capability %u version %u next %u", head.id, head.version, head.next);
	}
	b.info.argsz = sizeof(b.info);
	say_call(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &b), "REGION_INFO argsz 32");
	note("argsz %u flags 0x%x cap_offset %u", b.info.argsz, b.info.flags, b.info.cap_offset);
}

static void ranges(off_t size)
{
	section("ranges of a BAR of 0x%llx bytes", (unsigned long long)size);
	try(REGION(0), PAGE, RW, MAP_SHARED, "the first page");
	try(REGION(0) + size - (off_t)PAGE, PAGE, RW, MAP_SHARED, "the last page");
	try(REGION(0) + size, PAGE, RW, MAP_SHARED, "at the end");
	try(REGION(0) + size - (off_t)PAGE, 2 * PAGE, RW, MAP_SHARED, "across the end");
	try(REGION(0), (size_t)size + PAGE, RW, MAP_SHARED, "a page more than there is");
	try(REGION(0), 1, RW, MAP_SHARED, "one byte is a page");
	try(REGION(0) + 1, PAGE, RW, MAP_SHARED, "offset not aligned");
	try(REGION(0), 0, RW, MAP_SHARED, "nothing");

	section("protection and kind");
	try(REGION(0), PAGE, PROT_READ, MAP_SHARED, "to read");
	try(REGION(0), PAGE, PROT_WRITE, MAP_SHARED, "to write");
	try(REGION(0), PAGE, PROT_NONE, MAP_SHARED, "neither");
	try(REGION(0), PAGE, RW | PROT_EXEC, MAP_SHARED, "to execute, too");
	try(REGION(0), PAGE, RW, MAP_PRIVATE, "private");
}

static void busy(void)
{
	struct vfio_user u;
	void *map;
	int group;

	section("a mapping keeps device and group busy");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	map = try_map(REGION(0), PAGE, RW, MAP_SHARED, "the first page");
	vfio_user_close(&u);
	group = open_group(edu);
	say_call(munmap(map, PAGE), "munmap");
	group = open_group(edu);
	close(group);
}

static void with_cdev(void)
{
	int iommufd = must_open("/dev/iommu");

	section("by cdev");
	device = open_cdev(edu);
	try(REGION(0), PAGE, RW, MAP_SHARED, "not bound");
	must_bind(device, iommufd);
	try(REGION(0), PAGE, RW, MAP_SHARED, "bound");
	try(REGION(0), PAGE, RW | PROT_EXEC, MAP_SHARED, "to execute, too");
	close(device);
	close(iommufd);
}

int main(void)
{
	struct vfio_user u;

	case_begin();
	pci_all_to_vfio(pf, edu, NULL);
	vfio_user_open(&u, pf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	regions();
	caps();
	ranges(0x20000);
	vfio_user_close(&u);
	busy();
	with_cdev();
	return 0;
}
