/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HWPT_ALLOC and GET_HW_INFO, as QEMU uses them: a page table made for a device and an IOAS by the
 * user, attached by its id and replaced by another; and what the IOMMU tells of itself.
 */
#include "lib.h"

static int iommufd;

static uint32_t hwpt_alloc(struct iommu_hwpt_alloc alloc, const char *what)
{
	alloc.size = sizeof(alloc);
	say_call(ioctl(iommufd, IOMMU_HWPT_ALLOC, &alloc), "HWPT_ALLOC %s", what);
	return alloc.out_hwpt_id;
}

static void attach(int cdev, uint32_t pt, const char *what)
{
	struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = pt};

	say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH %s", what);
}

static void destroy(uint32_t id, const char *what)
{
	struct iommu_destroy d = {.size = sizeof(d), .id = id};

	say_call(ioctl(iommufd, IOMMU_DESTROY, &d), "DESTROY %s", what);
}

static void page_tables(int cdev, uint32_t dev, uint32_t ioas)
{
	struct iommu_hwpt_alloc good = {.dev_id = dev, .pt_id = ioas}, bad;
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.ioas_id = ioas,
		.user_va = (uintptr_t)pages(1),
		.length = PAGE,
		.iova = 0xfee00000,
	};
	uint32_t first, second;

	section("HWPT_ALLOC");
	bad = good;
	bad.dev_id = 12345;
	hwpt_alloc(bad, "no such device");
	bad = good;
	bad.pt_id = 12345;
	hwpt_alloc(bad, "no such IOAS");
	bad = good;
	bad.dev_id = ioas;
	hwpt_alloc(bad, "an IOAS as the device");
	bad = good;
	bad.pt_id = dev;
	hwpt_alloc(bad, "a device as the IOAS");
	bad = good;
	bad.flags = 1u << 31;
	hwpt_alloc(bad, "unknown flag");
	bad = good;
	bad.reserved = 1;
	hwpt_alloc(bad, "reserved is not 0");
	bad = good;
	bad.data_len = 8;
	hwpt_alloc(bad, "data without a type");
	bad = good;
	bad.data_type = 77;
	hwpt_alloc(bad, "unknown type of data");
	first = hwpt_alloc(good, "");
	second = hwpt_alloc(good, "a second");
	destroy(ioas, "the IOAS");
	attach(cdev, first, "to the first");
	attach(cdev, second, "to the second: replaced");
	destroy(first, "the first");
	destroy(second, "the second");
	IOCTL(iommufd, IOMMU_IOAS_MAP, &map);
	destroy(dev, "the device");
}

static void hw_info(uint32_t dev, uint32_t ioas)
{
	struct {
		struct iommu_hw_info_vtd vtd;
		uint64_t rest[4];
	} data = {.rest = {1, 1, 1, 1}};
	struct iommu_hw_info good = {.size = sizeof(good), .dev_id = dev}, info = good;

	section("GET_HW_INFO");
	info.data_len = sizeof(data.vtd);
	info.data_uptr = (uintptr_t)&data;
	if (!IOCTL(iommufd, IOMMU_GET_HW_INFO, &info))
		note("data %s", info.out_data_type && info.data_len ? "there is" : "there is none");
	info = good;
	info.flags = 1u << 31;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &info), "GET_HW_INFO unknown flag");
	info = good;
	info.reserved[0] = 1;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &info), "GET_HW_INFO reserved is not 0");
	info = good;
	info.dev_id = 12345;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &info), "GET_HW_INFO no such device");
	info.dev_id = ioas;
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &info), "GET_HW_INFO of an IOAS");
	info = good;
	info.data_len = sizeof(data);
	say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &info), "GET_HW_INFO length without pointer");
	info.data_uptr = (uintptr_t)&data;
	if (!say_call(ioctl(iommufd, IOMMU_GET_HW_INFO, &info),
		      "GET_HW_INFO more room than needed"))
		note("the rest is %s", data.rest[0] || data.rest[3] ? "as it was" : "zero");
}

int main(void)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	uint32_t ioas;
	int cdev;

	case_begin();
	pci_all_to_vfio(edu, NULL);
	iommufd = must_open("/dev/iommu");
	ioas = must_ioas(iommufd);
	cdev = must_open_cdev(edu);
	bind.iommufd = iommufd;
	if (ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		die("BIND");
	page_tables(cdev, bind.out_devid, ioas);
	hw_info(bind.out_devid, ioas);
	return 0;
}
