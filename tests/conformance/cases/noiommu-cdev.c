/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * machine: noiommu
 *
 * A machine without an IOMMU: iommufd in place of the container, and cdevs, which are called noiommu-vfioN. An IOAS that such a device is attached to translates nothing; it has no reserved
 * ranges, and tells physical addresses by IOAS_NOIOMMU_GET_PA.
 */
#include "noiommu.h"

static void set_iommu(int iommufd, unsigned long type)
{
	say_call(ioctl(iommufd, VFIO_SET_IOMMU, type), "ioctl(iommufd, VFIO_SET_IOMMU, %lu)", type);
}

static void check_extensions(int iommufd)
{
	static const unsigned long types[] = {VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU,
					      VFIO_NOIOMMU_IOMMU, VFIO_UNMAP_ALL};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		say_call(ioctl(iommufd, VFIO_CHECK_EXTENSION, types[i]),
			 "ioctl(iommufd, VFIO_CHECK_EXTENSION, %lu)", types[i]);
}

static void compat_ioas(int iommufd, uint16_t op, uint32_t id)
{
	struct iommu_vfio_ioas cmd = {.size = sizeof(cmd), .op = op, .ioas_id = id};

	say_call(ioctl(iommufd, IOMMU_VFIO_IOAS, &cmd), "ioctl(iommufd, IOMMU_VFIO_IOAS, %s)",
		 op == IOMMU_VFIO_IOAS_GET   ? "GET"
		 : op == IOMMU_VFIO_IOAS_SET ? "SET"
					     : "CLEAR");
}

static void group_with_iommufd(void)
{
	struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
	int iommufd, group, device, cdev;

	section("a group with an iommufd in place of the container");
	iommufd = open_iommufd();
	set_iommu(iommufd, VFIO_NOIOMMU_IOMMU);
	check_extensions(iommufd);
	group = open_noiommu_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	show_status(group);
	check_extensions(iommufd);
	compat_ioas(iommufd, IOMMU_VFIO_IOAS_GET, 0);
	set_iommu(iommufd, VFIO_TYPE1_IOMMU);
	IOCTL(iommufd, VFIO_IOMMU_GET_INFO, &info);
	note("a device needs no SET_IOMMU");
	set_iommu(iommufd, VFIO_NOIOMMU_IOMMU);
	set_iommu(iommufd, VFIO_NOIOMMU_IOMMU);
	device = group_get_device(group, edu);
	cdev = group_get_device(group, edu);
	CLOSE(cdev);
	cdev = open_noiommu_cdev(edu);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	group_get_device(group, edu);
	CLOSE(device);
	CLOSE(group);
	CLOSE(cdev);

	section("not with an IOAS for compatibility");
	compat_ioas(iommufd, IOMMU_VFIO_IOAS_SET, must_ioas(iommufd));
	group = open_noiommu_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	CLOSE(group);
	CLOSE(iommufd);
	iommufd = open_iommufd();
	group = open_noiommu_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	compat_ioas(iommufd, IOMMU_VFIO_IOAS_SET, must_ioas(iommufd));
	set_iommu(iommufd, VFIO_NOIOMMU_IOMMU);
	set_iommu(iommufd, VFIO_TYPE1_IOMMU);
	group_get_device(group, edu);
	compat_ioas(iommufd, IOMMU_VFIO_IOAS_CLEAR, 0);
	device = group_get_device(group, edu);
	CLOSE(device);
	CLOSE(group);
	CLOSE(iommufd);
}

static uint32_t bind(int cdev, int iommufd)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};

	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	return bind.out_devid;
}

static void attach(int cdev, uint32_t pt_id)
{
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = pt_id};

	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

static void detach(int cdev)
{
	struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};

	IOCTL(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

static void show_ranges(int iommufd, uint32_t ioas)
{
	struct iommu_iova_range range[4];
	struct iommu_ioas_iova_ranges ranges = {.size = sizeof(ranges),
						.ioas_id = ioas,
						.num_iovas = ARRAY_SIZE(range),
						.allowed_iovas = (uintptr_t)range};

	if (IOCTL(iommufd, IOMMU_IOAS_IOVA_RANGES, &ranges) < 0)
		return;
	note("alignment %llu", (unsigned long long)ranges.out_iova_alignment);
	for (uint32_t i = 0; i < ranges.num_iovas && i < ARRAY_SIZE(range); i++)
		note("0x%llx to 0x%llx", (unsigned long long)range[i].start,
		     (unsigned long long)range[i].last);
}

static void map(int iommufd, uint32_t ioas, uint64_t iova, void *memory, size_t n)
{
	struct iommu_ioas_map cmd = {.size = sizeof(cmd),
				     .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
					      IOMMU_IOAS_MAP_WRITEABLE,
				     .ioas_id = ioas,
				     .user_va = (uintptr_t)memory,
				     .length = n,
				     .iova = iova};

	say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &cmd),
		 "ioctl(iommufd, IOMMU_IOAS_MAP, 0x%llx, %zu)", (unsigned long long)iova, n);
}

/* Where it is differs, and so does how much is contiguous beyond a page. */
static void get_pa(int iommufd, uint32_t ioas, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_noiommu_get_pa cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .iova = iova, .length = length};

	say_call(ioctl(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd),
		 "ioctl(iommufd, IOMMU_IOAS_NOIOMMU_GET_PA, 0x%llx, %llu)",
		 (unsigned long long)iova, (unsigned long long)length);
	if (errno == 0)
		note("offset in the page 0x%llx, at most what was asked for: %s, at least 1: %s",
		     (unsigned long long)cmd.out_phys % PAGE, cmd.length <= length ? "yes" : "no",
		     cmd.length > 0 ? "yes" : "no");
}

static void pa(int iommufd, uint32_t ioas, uint64_t iova, uint64_t length)
{
	errno = 0;
	get_pa(iommufd, ioas, iova, length);
}

static void hwpt(int iommufd, uint32_t device, uint32_t ioas, uint32_t flags, uint32_t *ret)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .dev_id = device, .pt_id = ioas};

	say_call(ioctl(iommufd, IOMMU_HWPT_ALLOC, &cmd),
		 "ioctl(iommufd, IOMMU_HWPT_ALLOC, flags %u)", flags);
	if (ret != NULL)
		*ret = cmd.out_hwpt_id;
}

static void hw_info(int iommufd, uint32_t device)
{
	struct iommu_hw_info cmd = {.size = sizeof(cmd), .dev_id = device};

	IOCTL(iommufd, IOMMU_GET_HW_INFO, &cmd);
}

static void destroy(int iommufd, uint32_t id, const char *what)
{
	struct iommu_destroy cmd = {.size = sizeof(cmd), .id = id};

	say_call(ioctl(iommufd, IOMMU_DESTROY, &cmd), "ioctl(iommufd, IOMMU_DESTROY, %s)", what);
}

static void cdevs(void)
{
	uint32_t ioas, other, device, second, pt;
	int iommufd, cdev, cdev2, cdev3, group;
	void *memory = pages(4 * PAGE);

	section("a cdev");
	iommufd = open_iommufd();
	ioas = must_ioas(iommufd);
	other = must_ioas(iommufd);
	cdev = open_noiommu_cdev(edu);
	device = bind(cdev, iommufd);
	note("bound, it keeps the group from being opened");
	group = open_noiommu_group(edu);
	bind(cdev, iommufd);
	cdev2 = open_noiommu_cdev(edu);
	bind(cdev2, iommufd);
	hw_info(iommufd, device);
	show_ranges(iommufd, ioas);
	map(iommufd, ioas, IOVA(0), memory, 2 * PAGE);
	pa(iommufd, ioas, IOVA(0), PAGE);
	attach(cdev, ioas);
	show_ranges(iommufd, ioas);
	pa(iommufd, ioas, IOVA(0), 1);
	pa(iommufd, ioas, IOVA(0) + 0x123, PAGE);
	pa(iommufd, ioas, IOVA(1) + 0x123, 4 * PAGE);
	pa(iommufd, ioas, IOVA(2), PAGE);
	pa(iommufd, ioas, IOVA(0), 0);
	pa(iommufd, device, IOVA(0), 1);
	pa(iommufd, ioas, UINT64_MAX, 2);
	map(iommufd, ioas, 0xfee00000, (char *)memory + 2 * PAGE, PAGE);
	pa(iommufd, ioas, 0xfee00000, 1);
	map(iommufd, ioas, 1ull << 60, (char *)memory + 3 * PAGE, PAGE);
	pa(iommufd, ioas, 1ull << 60, 1);
	attach(cdev, other);
	pa(iommufd, ioas, IOVA(0), 1);
	detach(cdev);
	attach(cdev, ioas);

	section("HWPTs");
	hwpt(iommufd, device, other, 0, &pt);
	hwpt(iommufd, device, other, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, NULL);
	hwpt(iommufd, device, other, IOMMU_HWPT_ALLOC_NEST_PARENT, NULL);
	hwpt(iommufd, device, other, IOMMU_HWPT_ALLOC_PASID, NULL);
	attach(cdev, pt);
	destroy(iommufd, pt, "HWPT");
	note("a second device");
	cdev3 = open_noiommu_cdev(nvme);
	second = bind(cdev3, iommufd);
	hw_info(iommufd, second);
	attach(cdev3, pt);
	attach(cdev3, ioas);
	attach(cdev, ioas);
	destroy(iommufd, pt, "HWPT");
	detach(cdev3);
	destroy(iommufd, ioas, "IOAS");
	detach(cdev);
	destroy(iommufd, device, "device");
	CLOSE(cdev);
	CLOSE(cdev2);
	CLOSE(cdev3);
	group = open_noiommu_group(edu);
	note("the group's file is open: the cdev is not bound");
	cdev = open_noiommu_cdev(edu);
	bind(cdev, iommufd);
	CLOSE(group);
	bind(cdev, iommufd);
	CLOSE(cdev);
	CLOSE(iommufd);
}

int main(void)
{
	case_begin();
	must_enable();
	pci_all_to_vfio(edu, nvme, NULL);
	group_with_iommufd();
	cdevs();
	return 0;
}
