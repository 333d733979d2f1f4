/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver of the tutorial's device. It is a plain VFIO client that knows nothing of softvfio.
 *
 *	try BDF TICKS		with an address as 0000:01:00.0
 *
 * Maps a page for the device, lets it tick, waits for the interrupts and prints what the device has
 * written to the page when there were TICKS of them.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define IOVA	   0x100000
#define COMMAND	   0x04 /* in config space */
#define BUS_MASTER 0x04
#define PERIOD	   0x04 /* in BAR 0 */
#define COUNT	   0x08
#define ADDRESS	   0x10

static int device;

static int must(int result, const char *what)
{
	if (result >= 0)
		return result;
	perror(what);
	exit(1);
}

static int open_device(const char *bdf, int *ret_container)
{
	char path[PATH_MAX], group[PATH_MAX] = "";
	int container, fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	must((int)readlink(path, group, sizeof(group) - 1), path);
	snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(group, '/'));
	container = must(open("/dev/vfio/vfio", O_RDWR), "/dev/vfio/vfio");
	fd = must(open(path, O_RDWR), path);
	must(ioctl(fd, VFIO_GROUP_SET_CONTAINER, &container), "VFIO_GROUP_SET_CONTAINER");
	must(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "VFIO_SET_IOMMU");
	*ret_container = container;
	return must(ioctl(fd, VFIO_GROUP_GET_DEVICE_FD, bdf), "VFIO_GROUP_GET_DEVICE_FD");
}

/* Where a register is in the device's file. */
static off_t at(uint32_t region, off_t offset)
{
	struct vfio_region_info info = {.argsz = sizeof(info), .index = region};

	must(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), "VFIO_DEVICE_GET_REGION_INFO");
	return (off_t)info.offset + offset;
}

static void write_register(uint32_t region, off_t offset, uint64_t value, size_t size)
{
	must((int)pwrite(device, &value, size, at(region, offset)), "a write of a register");
}

static uint32_t *map_page(int container)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = IOVA,
		.size = 4096,
	};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(page == MAP_FAILED ? -1 : 0, "mmap");
	map.vaddr = (uintptr_t)page;
	must(ioctl(container, VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA");
	return page;
}

static int enable_msi(void)
{
	struct {
		struct vfio_irq_set header;
		int32_t fd;
	} set = {
		.header = {.argsz = sizeof(set),
			   .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			   .index = VFIO_PCI_MSI_IRQ_INDEX,
			   .count = 1},
		.fd = must(eventfd(0, EFD_CLOEXEC), "eventfd"),
	};

	must(ioctl(device, VFIO_DEVICE_SET_IRQS, &set), "VFIO_DEVICE_SET_IRQS");
	return set.fd;
}

int main(int argc, char **argv)
{
	uint64_t wanted = argc == 3 ? strtoull(argv[2], NULL, 0) : 0, interrupts = 0, more;
	volatile uint32_t *page;
	uint32_t count = 0;
	int container, event;

	must(argc == 3 ? 0 : -1, "usage: try BDF TICKS");
	device = open_device(argv[1], &container);
	page = map_page(container);
	event = enable_msi();
	write_register(VFIO_PCI_CONFIG_REGION_INDEX, COMMAND, BUS_MASTER | 2, 2);
	write_register(VFIO_PCI_BAR0_REGION_INDEX, ADDRESS, IOVA, 8);
	write_register(VFIO_PCI_BAR0_REGION_INDEX, PERIOD, 1000, 4);
	while (interrupts < wanted && read(event, &more, sizeof(more)) == sizeof(more))
		interrupts += more;
	write_register(VFIO_PCI_BAR0_REGION_INDEX, PERIOD, 0, 4);
	must((int)pread(device, &count, sizeof(count), at(VFIO_PCI_BAR0_REGION_INDEX, COUNT)),
	     "a read of a register");
	printf("%s: %s\n", argv[1], *page == count ? "memory and register agree" : "they differ");
	printf("at least %u ticks: %s\n", (unsigned int)wanted, count >= wanted ? "yes" : "no");
	return 0;
}
