/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RLIMIT_MEMLOCK, for a process without CAP_IPC_LOCK: a container charges what is mapped (ENOMEM),
 * an IOAS what is mapped while a device is attached, and at ATTACH all that is there.
 */
#include "lib.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define LIMIT_PAGES 16

static uint8_t *memory; /* 64 pages */

static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (syscall(SYS_capset, &head, none) < 0)
		die("capset: %s", errno_name(errno));
}

static void set_limit(unsigned int nr_pages)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		die("getrlimit: %s", errno_name(errno));
	limit.rlim_cur = nr_pages * PAGE;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		die("setrlimit: %s", errno_name(errno));
	say("RLIMIT_MEMLOCK: %u pages", nr_pages);
}

static void map(int container, unsigned int page, unsigned int nr_pages)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = VFIO_DMA_MAP_FLAG_READ,
					     .vaddr = (uintptr_t)memory + page * PAGE,
					     .iova = IOVA(page),
					     .size = nr_pages * PAGE};

	say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP pages %u-%u", page,
		 page + nr_pages - 1);
}

static void unmap(int container, unsigned int page, unsigned int nr_pages)
{
	struct vfio_iommu_type1_dma_unmap u = {
		.argsz = sizeof(u), .iova = IOVA(page), .size = nr_pages * PAGE};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP pages %u-%u", page,
		 page + nr_pages - 1);
}

static void container(void)
{
	struct vfio_user u;

	section("a container");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	map(u.container, 0, LIMIT_PAGES + 1);
	map(u.container, 0, LIMIT_PAGES);
	map(u.container, LIMIT_PAGES, 1);
	unmap(u.container, 0, LIMIT_PAGES);
	map(u.container, 0, LIMIT_PAGES - 1);
	map(u.container, LIMIT_PAGES, 1);
	map(u.container, LIMIT_PAGES + 1, 1);
	set_limit(LIMIT_PAGES + 1);
	map(u.container, LIMIT_PAGES + 1, 1);
	set_limit(0);
	map(u.container, LIMIT_PAGES + 2, 1);
	set_limit(LIMIT_PAGES);
	vfio_user_close(&u);
	note("closing gives it back");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	map(u.container, 0, LIMIT_PAGES);
	vfio_user_close(&u);
}

static void ioas_map(int iommufd, uint32_t ioas, unsigned int page, unsigned int nr_pages)
{
	struct iommu_ioas_map m = {.size = sizeof(m),
				   .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				   .ioas_id = ioas,
				   .user_va = (uintptr_t)memory + page * PAGE,
				   .length = nr_pages * PAGE,
				   .iova = IOVA(page)};

	say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "IOAS_MAP pages %u-%u", page,
		 page + nr_pages - 1);
}

static void ioas_unmap(int iommufd, uint32_t ioas, unsigned int page, unsigned int nr_pages)
{
	struct iommu_ioas_unmap u = {
		.size = sizeof(u), .ioas_id = ioas, .iova = IOVA(page), .length = nr_pages * PAGE};

	say_call(ioctl(iommufd, IOMMU_IOAS_UNMAP, &u), "IOAS_UNMAP pages %u-%u", page,
		 page + nr_pages - 1);
}

static void iommufd(void)
{
	int fd = must_open("/dev/iommu"), cdev = must_open_cdev(edu);
	uint32_t ioas = must_ioas(fd);
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = ioas};

	section("an IOAS");
	must_bind(cdev, fd);
	ioas_map(fd, ioas, 0, LIMIT_PAGES + 1);
	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	ioas_unmap(fd, ioas, 0, LIMIT_PAGES + 1);
	ioas_map(fd, ioas, 0, LIMIT_PAGES);
	attach.pt_id = ioas;
	IOCTL(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
	ioas_map(fd, ioas, LIMIT_PAGES, 1);
	ioas_unmap(fd, ioas, 0, LIMIT_PAGES);
	ioas_map(fd, ioas, 0, LIMIT_PAGES + 1);
	ioas_map(fd, ioas, 0, LIMIT_PAGES - 1);
	ioas_map(fd, ioas, LIMIT_PAGES, 1);
	ioas_map(fd, ioas, LIMIT_PAGES + 1, 1);
	close(cdev);
	close(fd);
}

int main(void)
{
	case_begin();
	pci_bind(edu, "vfio-pci");
	memory = pages(64 * PAGE);
	drop_capabilities();
	set_limit(LIMIT_PAGES);
	container();
	iommufd();
	return 0;
}
