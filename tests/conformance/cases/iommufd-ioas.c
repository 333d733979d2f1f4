/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOAS objects: IOVA_RANGES before and after a device is attached, ALLOW_IOVAS, DESTROY, OPTION
 * and VFIO_IOAS. An IOAS without a device has all of 2^64 and an alignment of 1; a device takes
 * its reserved ranges out of it.
 */
#include "lib.h"

static int iommufd;

static void alloc(uint32_t flags, const char *what)
{
	struct iommu_ioas_alloc a = {.size = sizeof(a), .flags = flags};

	say_call(ioctl(iommufd, IOMMU_IOAS_ALLOC, &a), "IOAS_ALLOC %s", what);
}

static void ranges(uint32_t ioas, uint32_t room, const char *what)
{
	struct iommu_iova_range r[8];
	struct iommu_ioas_iova_ranges arg = {.size = sizeof(arg),
					     .ioas_id = ioas,
					     .num_iovas = room,
					     .allowed_iovas = (uintptr_t)r};
	uint32_t i;
	int ret;

	memset(r, 0xee, sizeof(r));
	ret = say_call(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &arg), "IOVA_RANGES %s, room for %u",
		       what, room);
	if (ret < 0 && errno != EMSGSIZE)
		return;
	note("number %u alignment %llu", arg.num_iovas, (unsigned long long)arg.out_iova_alignment);
	for (i = 0; i < arg.num_iovas && i < room && i < ARRAY_SIZE(r); i++)
		note("0x%llx-0x%llx", (unsigned long long)r[i].start,
		     (unsigned long long)r[i].last);
}

static void ranges_form(uint32_t ioas)
{
	struct iommu_ioas_iova_ranges arg = {.size = sizeof(arg), .ioas_id = ioas};

	section("IOVA_RANGES, form");
	arg.reserved = 1;
	say_call(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &arg), "reserved is not 0");
	arg.reserved = 0;
	arg.num_iovas = 1;
	say_call(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &arg), "array at NULL");
	arg.num_iovas = 0;
	say_call(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &arg), "no array");
	note("number %u", arg.num_iovas);
	arg.ioas_id = 12345;
	say_call(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &arg), "no such IOAS");
	arg.ioas_id = 0;
	say_call(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &arg), "id 0");
}

static void allow(uint32_t ioas, const struct iommu_iova_range *r, uint32_t n, const char *what)
{
	struct iommu_ioas_allow_iovas arg = {.size = sizeof(arg),
					     .ioas_id = ioas,
					     .num_iovas = n,
					     .allowed_iovas = (uintptr_t)r};

	say_call(ioctl(iommufd, IOMMU_IOAS_ALLOW_IOVAS, &arg), "ALLOW_IOVAS %s", what);
}

static void map_fixed(uint32_t ioas, uint64_t iova, void *memory, const char *what)
{
	struct iommu_ioas_map map = {.size = sizeof(map),
				     .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				     .ioas_id = ioas,
				     .user_va = (uintptr_t)memory,
				     .length = PAGE,
				     .iova = iova};

	say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &map), "MAP fixed %s", what);
}

static void map_anywhere(uint32_t ioas, void *memory, uint64_t first, uint64_t last)
{
	struct iommu_ioas_map map = {.size = sizeof(map),
				     .flags = IOMMU_IOAS_MAP_READABLE,
				     .ioas_id = ioas,
				     .user_va = (uintptr_t)memory,
				     .length = PAGE};
	int ret;

	ret = say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &map), "MAP anywhere");
	if (ret == 0)
		note("%s 0x%llx-0x%llx", map.iova >= first && map.iova <= last ? "in" : "not in",
		     (unsigned long long)first, (unsigned long long)last);
}

static void allowing(void)
{
	const struct iommu_iova_range two[] = {{0x1000000, 0x1ffffff}, {0x8000000, 0x8ffffff}};
	const struct iommu_iova_range unsorted[] = {{0x8000000, 0x8ffffff}, {0x1000000, 0x1ffffff}};
	const struct iommu_iova_range overlapping[] = {{0, 0xfffff}, {0x80000, 0x1fffff}};
	const struct iommu_iova_range backwards = {0x2000, 0x1000};
	const struct iommu_iova_range one = {0x5000000, 0x5ffffff};
	void *memory = pages(PAGE);
	uint32_t ioas = must_ioas(iommufd);
	struct iommu_ioas_allow_iovas arg = {.size = sizeof(arg), .ioas_id = ioas, .reserved = 1};

	section("ALLOW_IOVAS");
	allow(ioas, two, 2, "two ranges");
	ranges(ioas, 8, "all ranges stay usable");
	map_anywhere(ioas, memory, two[0].start, two[1].last);
	map_fixed(ioas, 0x3000000, memory, "outside");
	map_fixed(ioas, 0x1000000, memory, "inside");
	allow(ioas, &one, 1, "that leave out a mapping");
	allow(ioas, overlapping, 2, "that overlap");
	allow(ioas, &backwards, 1, "a range backwards");
	allow(12345, two, 2, "of no such IOAS");
	allow(ioas, NULL, 1, "array at NULL");
	say_call(ioctl(iommufd, IOMMU_IOAS_ALLOW_IOVAS, &arg), "ALLOW_IOVAS reserved is not 0");
	allow(ioas, unsorted, 2, "not sorted");
	allow(ioas, NULL, 0, "none: no limit");

	section("a device whose reserved range is allowed");
	ioas = must_ioas(iommufd);
	allow(ioas, &(struct iommu_iova_range){0xfee00000, 0xfeefffff}, 1, "the reserved window");
}

static void with_device(void)
{
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach)};
	struct iommu_destroy destroy = {.size = sizeof(destroy)};
	uint32_t ioas = must_ioas(iommufd), window = must_ioas(iommufd);
	int cdev = must_open_cdev(edu);

	section("a device attached");
	must_bind(cdev, iommufd);
	attach.pt_id = ioas;
	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	ranges(ioas, 8, "attached");
	ranges(ioas, 1, "attached");
	ranges(ioas, 0, "attached");
	map_fixed(ioas, 0xfee00000, pages(PAGE), "in the reserved window");
	map_fixed(ioas, 1ull << 48, pages(PAGE), "at 2^48");
	map_fixed(ioas, IOVA(0) + 512, pages(PAGE), "not aligned");
	map_fixed(ioas, IOVA(0), pages(PAGE) + 512, "address not aligned");
	map_fixed(ioas, IOVA(0), pages(PAGE), "aligned");
	allow(ioas, &(struct iommu_iova_range){0xfee00000, 0xfeefffff}, 1, "the reserved window");
	allow(ioas, &(struct iommu_iova_range){0xfe000000, 0xffffffff}, 1, "more than that");
	destroy.id = ioas;
	IOCTL(iommufd, IOMMU_DESTROY, &destroy);
	CLOSE(cdev);
	IOCTL(iommufd, IOMMU_DESTROY, &destroy);
	IOCTL(iommufd, IOMMU_DESTROY, &destroy);
	destroy.id = 0;
	IOCTL(iommufd, IOMMU_DESTROY, &destroy);

	note("the window allowed first, then a device");
	allow(window, &(struct iommu_iova_range){0xfee00000, 0xfeefffff}, 1, "the window");
	cdev = must_open_cdev(edu);
	must_bind(cdev, iommufd);
	attach.pt_id = window;
	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	CLOSE(cdev);
}

static void option(uint32_t id, uint16_t op, uint32_t object, uint64_t val, const char *what)
{
	struct iommu_option o = {
		.size = sizeof(o), .option_id = id, .op = op, .object_id = object, .val64 = val};
	int ret;

	ret = say_call(ioctl(iommufd, IOMMU_OPTION, &o), "OPTION %s", what);
	if (ret == 0 && op == IOMMU_OPTION_OP_GET)
		note("value %llu", (unsigned long long)o.val64);
}

static void options(void)
{
	const uint16_t get = IOMMU_OPTION_OP_GET, set = IOMMU_OPTION_OP_SET;
	struct iommu_option o = {.size = sizeof(o), .reserved = 1, .op = get};
	uint32_t ioas;
	int used = iommufd;

	section("OPTION");
	iommufd = must_open("/dev/iommu");
	option(0, get, 0, 0, "RLIMIT_MODE get");
	option(0, set, 0, 1, "RLIMIT_MODE set 1");
	option(0, get, 0, 0, "RLIMIT_MODE get");
	option(0, set, 0, 2, "RLIMIT_MODE set 2");
	option(0, set, 1, 1, "RLIMIT_MODE of an object");
	option(0, 2, 0, 0, "RLIMIT_MODE operation 2");
	option(1, get, 0, 0, "HUGE_PAGES of object 0");
	option(2, get, 0, 0, "unknown option");
	say_call(ioctl(iommufd, IOMMU_OPTION, &o), "OPTION reserved is not 0");
	ioas = must_ioas(iommufd);
	option(0, set, 0, 0, "RLIMIT_MODE set 0, an object exists");
	option(1, get, ioas, 0, "HUGE_PAGES get");
	option(1, set, ioas, 0, "HUGE_PAGES set 0");
	option(1, get, ioas, 0, "HUGE_PAGES get");
	option(1, set, ioas, 1, "HUGE_PAGES set 1");
	option(1, set, ioas, 2, "HUGE_PAGES set 2");
	option(1, 2, ioas, 0, "HUGE_PAGES operation 2");
	option(1, get, 12345, 0, "HUGE_PAGES of no such object");
	CLOSE(iommufd);
	iommufd = used;
}

static void vfio_ioas(uint16_t op, uint32_t id, const char *what)
{
	struct iommu_vfio_ioas v = {.size = sizeof(v), .ioas_id = id, .op = op};
	int ret;

	ret = say_call(ioctl(iommufd, IOMMU_VFIO_IOAS, &v), "VFIO_IOAS %s", what);
	if (ret == 0 && op == IOMMU_VFIO_IOAS_GET)
		note("an id %s", v.ioas_id != 0 ? "is given" : "is not given");
}

static void compat_ioas(void)
{
	struct iommu_vfio_ioas v = {.size = sizeof(v), .op = IOMMU_VFIO_IOAS_GET, .reserved = 1};
	struct iommu_destroy destroy = {.size = sizeof(destroy)};
	uint32_t ioas = must_ioas(iommufd);

	section("VFIO_IOAS");
	vfio_ioas(IOMMU_VFIO_IOAS_GET, 0, "get, none set");
	vfio_ioas(IOMMU_VFIO_IOAS_CLEAR, 0, "clear, none set");
	vfio_ioas(IOMMU_VFIO_IOAS_SET, 12345, "set to no such IOAS");
	vfio_ioas(IOMMU_VFIO_IOAS_SET, ioas, "set");
	vfio_ioas(IOMMU_VFIO_IOAS_GET, 0, "get");
	vfio_ioas(3, 0, "operation 3");
	say_call(ioctl(iommufd, IOMMU_VFIO_IOAS, &v), "VFIO_IOAS reserved is not 0");
	destroy.id = ioas;
	IOCTL(iommufd, IOMMU_DESTROY, &destroy);
	vfio_ioas(IOMMU_VFIO_IOAS_GET, 0, "get");
	vfio_ioas(IOMMU_VFIO_IOAS_CLEAR, 0, "clear");
	vfio_ioas(IOMMU_VFIO_IOAS_GET, 0, "get");
}

int main(void)
{
	uint32_t ioas;

	case_begin();
	pci_bind(edu, "vfio-pci");
	iommufd = open_iommufd();
	alloc(0, "");
	alloc(1, "flag 0");
	alloc(1u << 31, "flag 31");
	ioas = must_ioas(iommufd);
	ranges(ioas, 8, "no device");
	ranges(ioas, 1, "no device");
	ranges(ioas, 0, "no device");
	ranges_form(ioas);
	allowing();
	with_device();
	options();
	compat_ioas();
	return 0;
}
