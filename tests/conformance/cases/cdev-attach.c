/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ATTACH and DETACH of a bound cdev: to an IOAS or a page table (HWPT), replacing one by another,
 * and what of it the functions of one group share. ATTACH to an IOAS gives back the id of the page
 * table made for it.
 */
#include "lib.h"

static int iommufd;

static uint32_t attach(int cdev, uint32_t pt, const char *what)
{
	struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = pt};
	int ret;

	ret = say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH %s", what);
	if (ret == 0)
		note("gives %s", a.pt_id == pt ? "the same id" : "another id");
	return ret == 0 ? a.pt_id : 0;
}

static void detach(int cdev, const char *what)
{
	struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};

	say_call(ioctl(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "DETACH %s", what);
}

static void destroy(uint32_t id, const char *what)
{
	struct iommu_destroy d = {.size = sizeof(d), .id = id};

	say_call(ioctl(iommufd, IOMMU_DESTROY, &d), "DESTROY %s", what);
}

static void form(int cdev, uint32_t ioas)
{
	struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = ioas};
	struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};
	void *nowhere = NULL;
	uint32_t n;

	section("form");
	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, nowhere);
	IOCTL(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, nowhere);
	for (n = 7; n <= 12; n++) {
		a.argsz = d.argsz = n;
		say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH argsz %u", n);
		say_call(ioctl(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "DETACH argsz %u", n);
		a.pt_id = ioas;
	}
	a.argsz = sizeof(a);
	d.argsz = sizeof(d);
	a.flags = d.flags = 2;
	say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH unknown flag");
	say_call(ioctl(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "DETACH unknown flag");
	a.flags = VFIO_DEVICE_ATTACH_PASID;
	d.flags = VFIO_DEVICE_DETACH_PASID;
	a.pasid = d.pasid = 1;
	say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH PASID 1");
	say_call(ioctl(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "DETACH PASID 1");
	a.argsz = 12;
	say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH PASID 1, argsz 12");
}

static void replacing(int cdev, uint32_t devid, uint32_t ioas)
{
	uint32_t other = must_ioas(iommufd), hwpt, second;

	section("attached, replaced, detached");
	detach(cdev, "not attached");
	attach(cdev, 0, "id 0");
	attach(cdev, ~0u, "id ~0");
	attach(cdev, 12345, "no such id");
	attach(cdev, devid, "the device itself");
	hwpt = attach(cdev, ioas, "an IOAS");
	destroy(ioas, "the IOAS");
	destroy(hwpt, "the page table");
	destroy(devid, "the device");
	second = attach(cdev, ioas, "the same IOAS");
	note("the page table is %s", second == hwpt ? "the same" : "another");
	attach(cdev, hwpt, "its page table by id");
	second = attach(cdev, other, "another IOAS");
	destroy(hwpt, "the old page table");
	attach(cdev, 12345, "no such id");
	destroy(second, "the new page table: still attached");
	detach(cdev, "");
	destroy(second, "the new page table");
	detach(cdev, "again");
	destroy(ioas, "the IOAS");
	destroy(other, "the other IOAS");
	destroy(other, "it again");
}

static void one_group(void)
{
	uint32_t ioas = must_ioas(iommufd), other = must_ioas(iommufd), hwpt, second;
	int a = must_open_cdev(multi0), b = must_open_cdev(multi1);

	section("two functions of one group");
	must_bind(a, iommufd);
	must_bind(b, iommufd);
	hwpt = attach(a, ioas, "the first to an IOAS");
	attach(b, other, "the second to another");
	second = attach(b, ioas, "the second to the same");
	note("the page table is %s", second == hwpt ? "the same" : "another");
	attach(a, other, "the first again, to another: replaced for both");
	second = attach(b, other, "the second to that one");
	destroy(ioas, "the first IOAS");
	detach(a, "the first");
	destroy(other, "the other IOAS");
	CLOSE(a);
	detach(b, "the second");
	CLOSE(b);
	destroy(other, "the other IOAS");
}

/* Reserved ranges, alignment and memory are checked when the first device comes. */
static void attach_to_a_used_ioas(int cdev)
{
	struct iommu_ioas_map map = {.size = sizeof(map),
				     .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				     .user_va = (uintptr_t)pages(PAGE),
				     .length = PAGE};
	static const struct {
		uint64_t iova;
		uint64_t length;
		const char *what;
	} places[] = {
		{0x10000000, PAGE, "an ordinary page"},
		{0xfee00000, PAGE, "a page in the reserved window"},
		{0x10000000, 256, "256 bytes"},
		{0x1000000000000, PAGE, "a page at 2^48"},
	};
	size_t i;

	section("an IOAS that has mappings before its first device");
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		map.ioas_id = must_ioas(iommufd);
		map.iova = places[i].iova;
		map.length = places[i].length;
		say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &map), "MAP %s", places[i].what);
		attach(cdev, map.ioas_id, "to it");
		detach(cdev, "");
		destroy(map.ioas_id, "the IOAS");
	}
	map.ioas_id = must_ioas(iommufd);
	map.iova = 0x10000000;
	map.user_va = 0;
	map.length = PAGE;
	say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &map), "MAP a bad address");
	attach(cdev, map.ioas_id, "to it");
}

static void closing(void)
{
	uint32_t ioas = must_ioas(iommufd);
	int cdev = must_open_cdev(edu);

	section("closing an attached device detaches it");
	must_bind(cdev, iommufd);
	attach(cdev, ioas, "to an IOAS");
	destroy(ioas, "the IOAS");
	CLOSE(cdev);
	destroy(ioas, "the IOAS");
}

int main(void)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	int cdev;

	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, NULL);
	iommufd = must_open("/dev/iommu");
	cdev = must_open_cdev(edu);
	bind.iommufd = iommufd;
	if (ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
		die("BIND: %s", errno_name(errno));
	form(cdev, must_ioas(iommufd));
	replacing(cdev, bind.out_devid, must_ioas(iommufd));
	attach_to_a_used_ioas(cdev);
	close(cdev);
	closing();
	one_group();
	return 0;
}
