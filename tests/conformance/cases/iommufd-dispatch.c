/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How an iommufd takes a command: the first four bytes are the structure's size. Shorter than the
 * command's first version is EINVAL; longer than what the kernel knows is fine when the rest is
 * zero, else E2BIG; the pointer is looked at first (EFAULT). A number that is no command is
 * ENOTTY. What comes after these checks is each command's own answer to a structure of zeroes.
 */
#include "lib.h"

#define BUFFER 8192

static const struct {
	const char *name;
	unsigned long cmd;
	uint32_t min_size;
	uint32_t size;
} commands[] = {
	{"DESTROY", IOMMU_DESTROY, 8, sizeof(struct iommu_destroy)},
	{"IOAS_ALLOC", IOMMU_IOAS_ALLOC, 12, sizeof(struct iommu_ioas_alloc)},
	{"IOAS_ALLOW_IOVAS", IOMMU_IOAS_ALLOW_IOVAS, 24, sizeof(struct iommu_ioas_allow_iovas)},
	{"IOAS_COPY", IOMMU_IOAS_COPY, 40, sizeof(struct iommu_ioas_copy)},
	{"IOAS_IOVA_RANGES", IOMMU_IOAS_IOVA_RANGES, 32, sizeof(struct iommu_ioas_iova_ranges)},
	{"IOAS_MAP", IOMMU_IOAS_MAP, 40, sizeof(struct iommu_ioas_map)},
	{"IOAS_UNMAP", IOMMU_IOAS_UNMAP, 24, sizeof(struct iommu_ioas_unmap)},
	{"OPTION", IOMMU_OPTION, 24, sizeof(struct iommu_option)},
	{"VFIO_IOAS", IOMMU_VFIO_IOAS, 12, sizeof(struct iommu_vfio_ioas)},
	{"HWPT_ALLOC", IOMMU_HWPT_ALLOC, 24, sizeof(struct iommu_hwpt_alloc)},
	{"GET_HW_INFO", IOMMU_GET_HW_INFO, 32, sizeof(struct iommu_hw_info)},
	{"HWPT_SET_DIRTY_TRACKING", IOMMU_HWPT_SET_DIRTY_TRACKING, 16,
	 sizeof(struct iommu_hwpt_set_dirty_tracking)},
	{"HWPT_GET_DIRTY_BITMAP", IOMMU_HWPT_GET_DIRTY_BITMAP, 48,
	 sizeof(struct iommu_hwpt_get_dirty_bitmap)},
	{"HWPT_INVALIDATE", IOMMU_HWPT_INVALIDATE, 32, sizeof(struct iommu_hwpt_invalidate)},
	{"FAULT_QUEUE_ALLOC", IOMMU_FAULT_QUEUE_ALLOC, 16, sizeof(struct iommu_fault_alloc)},
	{"IOAS_MAP_FILE", IOMMU_IOAS_MAP_FILE, 40, sizeof(struct iommu_ioas_map_file)},
	{"VIOMMU_ALLOC", IOMMU_VIOMMU_ALLOC, 24, sizeof(struct iommu_viommu_alloc)},
	{"VDEVICE_ALLOC", IOMMU_VDEVICE_ALLOC, 24, sizeof(struct iommu_vdevice_alloc)},
	{"IOAS_CHANGE_PROCESS", IOMMU_IOAS_CHANGE_PROCESS, 8,
	 sizeof(struct iommu_ioas_change_process)},
	{"VEVENTQ_ALLOC", IOMMU_VEVENTQ_ALLOC, 28, sizeof(struct iommu_veventq_alloc)},
	{"HW_QUEUE_ALLOC", IOMMU_HW_QUEUE_ALLOC, 40, sizeof(struct iommu_hw_queue_alloc)},
	{"IOAS_NOIOMMU_GET_PA", IOMMU_IOAS_NOIOMMU_GET_PA, 40,
	 sizeof(struct iommu_ioas_noiommu_get_pa)},
	{"TEST_CMD, of a kernel built for tests", SVF_IO(0xa0), 68, 72},
};

static uint8_t *buffer; /* followed by a page that is not there */
static int iommufd;

static void call(size_t n, uint32_t size, uint32_t tail, const char *what)
{
	uint8_t *arg = buffer;

	memset(buffer, 0, BUFFER);
	memcpy(arg, &size, sizeof(size));
	if (tail != 0)
		arg[tail] = 1;
	say_call(ioctl(iommufd, commands[n].cmd, arg), "%s, %s", commands[n].name, what);
}

static void one_command(size_t n)
{
	const uint32_t min_size = commands[n].min_size, size = commands[n].size;
	uint8_t *edge = buffer + BUFFER - 4;

	section("%s", commands[n].name);
	call(n, 0, 0, "size 0");
	call(n, 4, 0, "size 4");
	call(n, min_size - 1, 0, "a byte short");
	call(n, min_size, 0, "the shortest");
	call(n, size, 0, "the whole");
	call(n, size + 8, 0, "eight bytes more, zero");
	call(n, size + 8, size, "eight bytes more, the first is not zero");
	call(n, size + 8, size + 7, "eight bytes more, the last is not zero");
	call(n, (uint32_t)PAGE, 0, "a page");
	call(n, (uint32_t)PAGE + 1, 0, "more than a page");
	call(n, ~0u, 0, "size ~0");
	say_call(ioctl(iommufd, commands[n].cmd, NULL), "%s, NULL", commands[n].name);
	memcpy(edge, &size, sizeof(size));
	say_call(ioctl(iommufd, commands[n].cmd, edge), "%s, all but the size is not there",
		 commands[n].name);
}

static void numbers(void)
{
	static const struct {
		unsigned long cmd;
		const char *what;
	} odd[] = {
		{SVF_IO(0x7f), "0x7f"},
		{SVF_IO(0x96), "0x96"},
		{SVF_IO(0xff), "0xff"},
		{0x81, "IOAS_ALLOC's number without type"},
		{'k' << 8 | 0x81, "IOAS_ALLOC's number, another type"},
		{_IOC(_IOC_READ | _IOC_WRITE, ';', 0x81, 12), "IOAS_ALLOC with direction and size"},
		{VFIO_DEVICE_GET_INFO, "VFIO_DEVICE_GET_INFO"},
		{VFIO_GROUP_GET_STATUS, "VFIO_GROUP_GET_STATUS"},
		{VFIO_DEVICE_BIND_IOMMUFD, "VFIO_DEVICE_BIND_IOMMUFD"},
	};
	size_t i;

	section("numbers that are no command");
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		uint32_t size = 12;

		memset(buffer, 0, BUFFER);
		memcpy(buffer, &size, sizeof(size));
		say_call(ioctl(iommufd, odd[i].cmd, buffer), "%s", odd[i].what);
	}
	say_call(read(iommufd, buffer, 4), "read");
	say_call(write(iommufd, buffer, 4), "write");
	say_call(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, iommufd, 0) == MAP_FAILED ? -1 : 0,
		 "mmap");
}

int main(void)
{
	size_t n;

	case_begin();
	iommufd = open_iommufd();
	buffer = pages(BUFFER + PAGE);
	munmap(buffer + BUFFER, PAGE);
	for (n = 0; n < ARRAY_SIZE(commands); n++)
		one_command(n);
	numbers();
	return 0;
}
