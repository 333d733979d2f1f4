/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FAULT_QUEUE_ALLOC and the file it gives: the queue is held by its file, and by page tables made with it.
 * Without a page request nothing can be read and nothing answered. A device that makes none cannot be
 * attached to a page table with a queue.
 */
#include <poll.h>

#include "lib.h"

static int iommufd;

static int queue_alloc(uint32_t flags, uint32_t *id, const char *what)
{
	struct iommu_fault_alloc alloc = {.size = sizeof(alloc), .flags = flags};

	if (say_call(ioctl(iommufd, IOMMU_FAULT_QUEUE_ALLOC, &alloc), "FAULT_QUEUE_ALLOC %s", what))
		return -1;
	*id = alloc.out_fault_id;
	return (int)alloc.out_fault_fd;
}

static void destroy(uint32_t id, const char *what)
{
	struct iommu_destroy d = {.size = sizeof(d), .id = id};

	say_call(ioctl(iommufd, IOMMU_DESTROY, &d), "DESTROY %s", what);
}

static void events(int fd, const char *what)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

	say_call(poll(&p, 1, 0), "poll %s", what);
	note("events %#x", (unsigned)p.revents);
}

static void file(int fd)
{
	struct iommu_hwpt_page_response response[2] = {{.cookie = 1}};
	struct iommu_hwpt_pgfault fault[4];

	section("the file");
	note("close-on-exec %d, flags %#x", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL) & O_ACCMODE);
	events(fd, "without a page request");
	say_call(read(fd, fault, sizeof(fault)), "read");
	say_call(read(fd, fault, sizeof(fault[0])), "read one");
	say_call(read(fd, fault, 1), "read a byte");
	say_call(pread(fd, fault, sizeof(fault), 8), "pread");
	say_call(write(fd, response, sizeof(response[0])), "write an answer");
	say_call(write(fd, response, sizeof(response)), "write two");
	say_call(write(fd, response, 1), "write a byte");
	say_call(write(fd, response, 12), "write one and a half");
	response[0].code = 7;
	say_call(write(fd, response, sizeof(response[0])), "write an unknown answer");
	say_call(pwrite(fd, response, sizeof(response[0]), 8), "pwrite");
	say_call(lseek(fd, 0, SEEK_SET), "lseek");
	say_call(ioctl(fd, IOMMU_DESTROY, response), "ioctl");
	say_call(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0, "mmap");
}

static uint32_t hwpt_alloc(uint32_t dev, uint32_t pt, uint32_t flags, uint32_t fault,
			   const char *what)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = flags,
		.dev_id = dev,
		.pt_id = pt,
		.fault_id = fault,
	};

	say_call(ioctl(iommufd, IOMMU_HWPT_ALLOC, &alloc), "HWPT_ALLOC %s", what);
	return alloc.out_hwpt_id;
}

static void page_tables(int cdev, uint32_t dev, uint32_t ioas, uint32_t queue)
{
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach)};
	uint32_t hwpt;

	section("a page table with a queue");
	hwpt_alloc(dev, ioas, IOMMU_HWPT_FAULT_ID_VALID, 12345, "with no such queue");
	hwpt_alloc(dev, ioas, IOMMU_HWPT_FAULT_ID_VALID, ioas, "with an IOAS as queue");
	hwpt_alloc(dev, ioas, IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_NEST_PARENT, queue,
		   "as a parent");
	hwpt_alloc(dev, ioas, 0, 12345, "without the flag: the queue is not looked at");
	hwpt = hwpt_alloc(dev, ioas, IOMMU_HWPT_FAULT_ID_VALID, queue, "with the queue");
	attach.pt_id = hwpt;
	say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "ATTACH");
	destroy(queue, "the queue");
	destroy(hwpt, "the page table");
}

int main(void)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	uint32_t ioas, queue = 0, second = 0;
	int cdev, fd, other;

	case_begin();
	pci_all_to_vfio(edu, NULL);
	iommufd = must_open("/dev/iommu");
	ioas = must_ioas(iommufd);
	cdev = must_open_cdev(edu);
	bind.iommufd = iommufd;
	if (ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		die("BIND");
	section("FAULT_QUEUE_ALLOC");
	queue_alloc(1, &queue, "with an unknown flag");
	fd = queue_alloc(0, &queue, "");
	other = queue_alloc(0, &second, "a second");
	note("ids %s", queue != second ? "differ" : "are the same");
	file(fd);
	page_tables(cdev, bind.out_devid, ioas, queue);
	section("its end");
	destroy(queue, "while its file is open");
	close(fd);
	destroy(queue, "then");
	destroy(queue, "again");
	close(iommufd);
	close(cdev);
	section("the file when the iommufd is closed");
	events(other, "of the second");
	close(other);
	return 0;
}
