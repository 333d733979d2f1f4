/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RLIMIT_MEMLOCK and IOMMU_IOAS_COPY: the memory of one IOAS_MAP is charged once, however often it is copied
 * and to whichever IOAS, as long as any of them that a device is attached to has it. Two IOAS_MAPs of the
 * same memory are two charges. The process has no CAP_IPC_LOCK.
 */
#include "lib.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define LIMIT_PAGES 16

static uint8_t *memory; /* 64 pages */
static int fd;

static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	struct rlimit limit;

	if (syscall(SYS_capset, &head, none) < 0)
		die("capset: %s", errno_name(errno));
	getrlimit(RLIMIT_MEMLOCK, &limit);
	limit.rlim_cur = LIMIT_PAGES * PAGE;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		die("setrlimit: %s", errno_name(errno));
}

static void map(uint32_t ioas, unsigned int page, unsigned int nr, unsigned int at)
{
	struct iommu_ioas_map m = {.size = sizeof(m),
				   .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				   .ioas_id = ioas,
				   .user_va = (uintptr_t)memory + page * PAGE,
				   .length = nr * PAGE,
				   .iova = IOVA(at)};

	say_call(ioctl(fd, IOMMU_IOAS_MAP, &m), "MAP %u pages from %u at %u", nr, page, at);
}

static void copy(uint32_t dst, uint32_t src, unsigned int from, unsigned int nr, unsigned int at)
{
	struct iommu_ioas_copy c = {.size = sizeof(c),
				    .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				    .dst_ioas_id = dst,
				    .src_ioas_id = src,
				    .length = nr * PAGE,
				    .dst_iova = IOVA(at),
				    .src_iova = IOVA(from)};

	say_call(ioctl(fd, IOMMU_IOAS_COPY, &c), "COPY %u pages from %u to %u%s", nr, from, at,
		 dst == src ? "" : " of the other");
}

static void unmap(uint32_t ioas, unsigned int page, unsigned int nr)
{
	struct iommu_ioas_unmap u = {
		.size = sizeof(u), .ioas_id = ioas, .iova = IOVA(page), .length = nr * PAGE};

	say_call(ioctl(fd, IOMMU_IOAS_UNMAP, &u), "UNMAP %u pages at %u", nr, page);
}

/* How many pages more can be mapped. */
static void left(uint32_t ioas)
{
	struct iommu_ioas_map m = {.size = sizeof(m),
				   .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				   .ioas_id = ioas,
				   .user_va = (uintptr_t)memory,
				   .iova = IOVA(1000)};
	struct iommu_ioas_unmap u = {.size = sizeof(u), .ioas_id = ioas, .iova = IOVA(1000)};
	unsigned int nr = LIMIT_PAGES;

	for (; nr > 0; nr--) {
		m.length = u.length = nr * PAGE;
		if (ioctl(fd, IOMMU_IOAS_MAP, &m) == 0)
			break;
	}
	if (nr > 0)
		ioctl(fd, IOMMU_IOAS_UNMAP, &u);
	note("%u pages left", nr);
}

static uint32_t attached_ioas(const char *bdf, int *cdev)
{
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach)};
	uint32_t ioas = must_ioas(fd);

	*cdev = must_open_cdev(bdf);
	must_bind(*cdev, fd);
	attach.pt_id = ioas;
	if (ioctl(*cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		die("ATTACH");
	return ioas;
}

static void within(uint32_t ioas)
{
	section("within an IOAS");
	map(ioas, 0, 10, 0);
	left(ioas);
	copy(ioas, ioas, 0, 10, 20);
	left(ioas);
	copy(ioas, ioas, 2, 4, 40);
	unmap(ioas, 0, 10);
	left(ioas);
	unmap(ioas, 20, 10);
	left(ioas);
	copy(ioas, ioas, 41, 3, 50);
	copy(ioas, ioas, 40, 1, 60);
	unmap(ioas, 40, 4);
	left(ioas);
	unmap(ioas, 60, 1);
	left(ioas);
	unmap(ioas, 50, 3);
	left(ioas);
	map(ioas, 0, 4, 0);
	map(ioas, 0, 4, 10);
	left(ioas);
	unmap(ioas, 0, 20);
	left(ioas);
}

static void between(uint32_t ioas, int cdev, uint32_t other)
{
	struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = ioas};
	uint32_t bare = must_ioas(fd);

	section("between two");
	map(ioas, 0, 10, 0);
	copy(other, ioas, 0, 10, 5);
	left(other);
	unmap(ioas, 0, 10);
	left(ioas);
	copy(ioas, other, 5, 2, 0);
	unmap(other, 5, 10);
	left(ioas);
	section("from and to one without a device");
	copy(bare, ioas, 0, 2, 0);
	unmap(ioas, 0, 2);
	left(ioas);
	map(bare, 4, 20, 4);
	left(ioas);
	copy(ioas, bare, 4, 20, 0);
	copy(ioas, bare, 4, 6, 0);
	left(ioas);
	copy(other, bare, 8, 6, 0);
	left(ioas);
	IOCTL(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
	left(other);
	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	left(other);
	copy(ioas, ioas, 0, 6, 30);
	IOCTL(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
	left(other);
	unmap(other, 0, 6);
	left(other);
}

int main(void)
{
	uint32_t ioas, other;
	int cdev, second;

	case_begin();
	pci_all_to_vfio(edu, pf, NULL);
	memory = pages(64 * PAGE);
	drop_capabilities();
	fd = must_open("/dev/iommu");
	ioas = attached_ioas(edu, &cdev);
	other = attached_ioas(pf, &second);
	within(ioas);
	between(ioas, cdev, other);
	return 0;
}
