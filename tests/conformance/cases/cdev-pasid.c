/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ATTACH and DETACH with a PASID, of devices that have none. PASID 0 is none to iommufd: it attaches the
 * device, and the two ways exclude each other. Another one wants a page table made for it, and that the
 * device without a PASID is attached to one, too, if at all; for a device that has no PASIDs nothing more
 * happens. The devices of a group share the attachment of a PASID.
 */
#include "lib.h"

static int iommufd;

static uint32_t attach(int cdev, uint32_t pt, int64_t pasid, const char *what)
{
	struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = pt};

	if (pasid >= 0) {
		a.flags = VFIO_DEVICE_ATTACH_PASID;
		a.pasid = (uint32_t)pasid;
	}
	say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH %s", what);
	return a.pt_id;
}

static void detach(int cdev, int64_t pasid, const char *what)
{
	struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};

	if (pasid >= 0) {
		d.flags = VFIO_DEVICE_DETACH_PASID;
		d.pasid = (uint32_t)pasid;
	}
	say_call(ioctl(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "DETACH %s", what);
}

static void destroy(uint32_t id, const char *what)
{
	struct iommu_destroy d = {.size = sizeof(d), .id = id};

	say_call(ioctl(iommufd, IOMMU_DESTROY, &d), "DESTROY %s", what);
}

static uint32_t hwpt_alloc(uint32_t dev, uint32_t ioas, uint32_t flags)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc), .flags = flags, .dev_id = dev, .pt_id = ioas};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &alloc))
		die("HWPT_ALLOC");
	return alloc.out_hwpt_id;
}

static uint32_t bind(int cdev)
{
	struct vfio_device_bind_iommufd b = {.argsz = sizeof(b), .iommufd = iommufd};

	if (ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &b))
		die("BIND");
	return b.out_devid;
}

static void zero(int cdev, uint32_t ioas)
{
	section("PASID 0");
	attach(cdev, ioas, 0, "with PASID 0");
	attach(cdev, ioas, 0, "again");
	attach(cdev, ioas, -1, "without");
	detach(cdev, -1, "without");
	destroy(ioas, "the IOAS");
	detach(cdev, 0, "with PASID 0");
	detach(cdev, 0, "again");
	attach(cdev, ioas, -1, "without");
	attach(cdev, ioas, 0, "with PASID 0");
	detach(cdev, 0, "with PASID 0");
	destroy(ioas, "the IOAS");
	detach(cdev, -1, "without");
}

static void one(int cdev, uint32_t dev, uint32_t ioas)
{
	uint32_t plain = hwpt_alloc(dev, ioas, 0);
	uint32_t first = hwpt_alloc(dev, ioas, IOMMU_HWPT_ALLOC_PASID);
	uint32_t second = hwpt_alloc(dev, ioas, IOMMU_HWPT_ALLOC_PASID);

	section("PASID 1");
	attach(cdev, ioas, 1, "to an IOAS");
	attach(cdev, plain, 1, "to a page table not made for it");
	attach(cdev, 12345, 1, "to nothing");
	attach(cdev, dev, 1, "to a device");
	attach(cdev, first, 1, "to one that is");
	attach(cdev, second, 1, "to the next: replaced");
	destroy(first, "the first");
	destroy(second, "the next");
	attach(cdev, plain, 1, "back to the one not made for it");
	attach(cdev, second, 2, "PASID 2 to the next");
	attach(cdev, second, 0xfffff, "PASID 0xfffff");
	attach(cdev, second, 0x100000, "PASID 0x100000");
	attach(cdev, second, 0x7fffffff, "PASID 0x7fffffff");
	attach(cdev, second, 0x80000000, "PASID 0x80000000");
	attach(cdev, ioas, -1, "without PASID to the IOAS");
	attach(cdev, plain, -1, "without to the plain one");
	attach(cdev, second, -1, "without to the next");
	attach(cdev, plain, -1, "without to the plain one: replaced");
	detach(cdev, 1, "PASID 1");
	detach(cdev, 3, "PASID 3");
	destroy(second, "the next");
	detach(cdev, 2, "PASID 2");
	detach(cdev, -1, "without");
	attach(cdev, plain, -1, "without to the plain one");
	detach(cdev, 0xfffff, "PASID 0xfffff");
	detach(cdev, 0x100000, "PASID 0x100000");
	detach(cdev, 0x7fffffff, "PASID 0x7fffffff");
	attach(cdev, plain, -1, "without to the plain one");
	attach(cdev, second, 1, "PASID 1 beside it");
	detach(cdev, -1, "without");
	destroy(plain, "the plain one");
	destroy(second, "the next");
}

static void group(int cdev0, int cdev1, uint32_t dev, uint32_t ioas)
{
	uint32_t first = hwpt_alloc(dev, ioas, IOMMU_HWPT_ALLOC_PASID);
	uint32_t second = hwpt_alloc(dev, ioas, IOMMU_HWPT_ALLOC_PASID);

	section("two devices of a group");
	attach(cdev0, first, 1, "PASID 1 of the one");
	attach(cdev1, second, 1, "PASID 1 of the other, to another");
	attach(cdev1, first, 1, "PASID 1 of the other, to the same");
	attach(cdev1, second, 1, "the other replaces");
	destroy(first, "the first");
	detach(cdev0, 1, "the one");
	destroy(second, "the next");
	close(cdev1);
	destroy(second, "the next, the other closed");
}

int main(void)
{
	int cdev, other;
	uint32_t ioas, dev;

	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, NULL);
	iommufd = must_open("/dev/iommu");
	ioas = must_ioas(iommufd);
	cdev = must_open_cdev(edu);
	dev = bind(cdev);
	zero(cdev, ioas);
	ioas = must_ioas(iommufd);
	one(cdev, dev, ioas);
	cdev = must_open_cdev(multi0);
	other = must_open_cdev(multi1);
	dev = bind(cdev);
	bind(other);
	group(cdev, other, dev, ioas);
	return 0;
}
