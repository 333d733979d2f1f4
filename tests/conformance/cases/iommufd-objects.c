/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ids and lives of objects: an id is the lowest that is free, and an object whose id cannot be told is taken
 * back. There can be more of them than fit in a page or a table of 4,096.
 */
#include "lib.h"

#define MANY 5000u

static int iommufd;
static uint8_t *readonly; /* a page */

static uint32_t ioas_alloc(void)
{
	struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
		die("IOAS_ALLOC");
	return alloc.out_ioas_id;
}

static int destroy(uint32_t id)
{
	struct iommu_destroy d = {.size = sizeof(d), .id = id};

	return ioctl(iommufd, IOMMU_DESTROY, &d);
}

/* The next id: that of a new IOAS, which goes again. */
static uint32_t next_id(void)
{
	uint32_t id = ioas_alloc();

	destroy(id);
	return id;
}

/* The command with a structure that cannot be written. */
static void unwritable(int fd, unsigned long cmd, const void *arg, size_t size, const char *what)
{
	uint32_t before = next_id();
	int next_fd = dup(fd);

	close(next_fd);
	mprotect(readonly, PAGE, PROT_READ | PROT_WRITE);
	memcpy(readonly, arg, size);
	mprotect(readonly, PAGE, PROT_READ);
	say_call(ioctl(fd, cmd, readonly), "%s, unwritable", what);
	note("the next id is %s", next_id() == before ? "the same" : "another");
	fd = dup(iommufd);
	note("the next descriptor is %s", fd == next_fd ? "the same" : "another");
	close(fd);
}

static void taken_back(int cdev)
{
	struct iommu_ioas_alloc ioas = {.size = sizeof(ioas)};
	struct iommu_fault_alloc fault = {.size = sizeof(fault)};
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
	struct iommu_hwpt_alloc hwpt = {.size = sizeof(hwpt)};
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach)};
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE,
		.user_va = (uintptr_t)pages(1),
		.length = PAGE,
	};

	section("an answer that cannot be written");
	unwritable(iommufd, IOMMU_IOAS_ALLOC, &ioas, sizeof(ioas), "IOAS_ALLOC");
	unwritable(iommufd, IOMMU_FAULT_QUEUE_ALLOC, &fault, sizeof(fault), "FAULT_QUEUE_ALLOC");
	unwritable(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind), "BIND");
	IOCTL(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	hwpt.dev_id = bind.out_devid;
	hwpt.pt_id = attach.pt_id = map.ioas_id = ioas_alloc();
	unwritable(iommufd, IOMMU_HWPT_ALLOC, &hwpt, sizeof(hwpt), "HWPT_ALLOC");
	unwritable(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, sizeof(attach), "ATTACH");
	unwritable(iommufd, IOMMU_IOAS_MAP, &map, sizeof(map), "IOAS_MAP");
	IOCTL(iommufd, IOMMU_IOAS_MAP, &map);
	note("the mapping before %s", map.iova == PAGE ? "is gone" : "stays");
	say_call(destroy(hwpt.pt_id), "DESTROY the IOAS, which nobody holds");
}

static void many(void)
{
	uint32_t first = ioas_alloc(), i, wrong = 0;

	section("many");
	for (i = 1; i < MANY; i++)
		wrong += ioas_alloc() != first + i;
	note("of %u IOASes %u have another id than the next", MANY, wrong);
	for (i = 0; i < MANY; i += 2)
		wrong += destroy(first + i) != 0;
	for (i = 0; i < MANY; i += 2)
		wrong += ioas_alloc() != first + i;
	note("of every second, made anew, %u have another id than the lowest free", wrong);
	for (i = 0; i < MANY; i++)
		wrong += destroy(first + i) != 0;
	note("%u could not be destroyed", wrong);
	say_call(destroy(first), "DESTROY the first again");
	for (i = 0; i < MANY; i++)
		ioas_alloc();
	say_call(close(iommufd), "close with all of them");
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, NULL);
	iommufd = must_open("/dev/iommu");
	readonly = pages(1);
	taken_back(must_open_cdev(edu));
	many();
	return 0;
}
