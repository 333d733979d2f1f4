/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The measured client of the benchmark, run inside a namespace by bench/run. Two jobs:
 *
 *	client first		opens the first VFIO device by the group and prints the monotonic clock, ns
 *	client calls		measures calls, each beside the no-op on the same file in alternating
 *				batches, so that both see the same machine; prints "name ns" lines: the medians
 *	client fill N		maps N pages one by one; prints the medians of the first and last tenth
 *
 * A no-op is an ioctl that the host answers at once: what a round trip costs and no call can go below.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "uapi/iommufd.h"
#include "uapi/softvfio.h"
#include "uapi/vfio.h"

#define BATCHES 41
#define CALLS	200 /* in a batch */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

struct setup {
	char bdf[NAME_MAX + 1];
	int container, group, device, iommufd;
	uint32_t ioas;
	void *page;
};

/* The first function that is a VFIO device, in order of address. */
static void find_device(struct setup *s, int *group)
{
	struct dirent **entries;
	int n = scandir("/sys/bus/pci/drivers/vfio-pci", &entries, NULL, alphasort);
	char path[PATH_MAX], target[PATH_MAX] = "";

	for (int i = 0; i < n; i++) {
		if (strchr(entries[i]->d_name, ':') && !*s->bdf)
			snprintf(s->bdf, sizeof(s->bdf), "%s", entries[i]->d_name);
		free(entries[i]);
	}
	if (n < 0 || !*s->bdf)
		die("no device is bound to vfio-pci");
	free(entries);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", s->bdf);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		die(path);
	*group = atoi(strrchr(target, '/') + 1);
}

static void open_device(struct setup *s)
{
	char path[64];
	int group;

	find_device(s, &group);
	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	s->container = open("/dev/vfio/vfio", O_RDWR);
	s->group = open(path, O_RDWR);
	if (s->container < 0 || s->group < 0 || ioctl(s->group, VFIO_GROUP_SET_CONTAINER, &s->container) ||
	    ioctl(s->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die(path);
	s->device = ioctl(s->group, VFIO_GROUP_GET_DEVICE_FD, s->bdf);
	if (s->device < 0)
		die("VFIO_GROUP_GET_DEVICE_FD");
}

static void open_iommufd(struct setup *s)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	s->iommufd = open("/dev/iommu", O_RDWR);
	if (s->iommufd < 0 || ioctl(s->iommufd, IOMMU_IOAS_ALLOC, &alloc))
		die("/dev/iommu");
	s->ioas = alloc.out_ioas_id;
	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (s->page == MAP_FAILED)
		die("mmap");
}

static int call_noop(struct setup *s)
{
	return ioctl(s->device, SVF_NOOP, 0);
}

static int call_info(struct setup *s)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return ioctl(s->device, VFIO_DEVICE_GET_INFO, &info);
}

static int call_config(struct setup *s)
{
	uint32_t value;

	return pread(s->device, &value, sizeof(value), (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) != 4;
}

static int call_type1(struct setup *s)
{
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof(map), .flags = 3, .vaddr = (uintptr_t)s->page,
						.iova = 0x100000, .size = 4096 };
	struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap), .iova = 0x100000, .size = 4096 };

	return ioctl(s->container, VFIO_IOMMU_MAP_DMA, &map) || ioctl(s->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

static int call_ioas(struct setup *s)
{
	struct iommu_ioas_map map = { .size = sizeof(map), .flags = 7, .ioas_id = s->ioas,
				      .user_va = (uintptr_t)s->page, .length = 4096, .iova = 0x100000 };
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .ioas_id = s->ioas, .iova = 0x100000,
					  .length = 4096 };

	return ioctl(s->iommufd, IOMMU_IOAS_MAP, &map) || ioctl(s->iommufd, IOMMU_IOAS_UNMAP, &unmap);
}

static uint64_t batch(struct setup *s, int (*call)(struct setup *))
{
	uint64_t start = now_ns();

	for (int i = 0; i < CALLS; i++) {
		if (call(s))
			die("a measured call failed");
	}
	return (now_ns() - start) / CALLS;
}

static void measure(struct setup *s, const char *name, int (*call)(struct setup *))
{
	uint64_t of_call[BATCHES], of_noop[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		of_noop[i] = batch(s, call_noop);
		of_call[i] = batch(s, call);
	}
	printf("%s %llu %llu\n", name, (unsigned long long)median(of_call, BATCHES),
	       (unsigned long long)median(of_noop, BATCHES));
}

static void run_calls(struct setup *s)
{
	measure(s, "get_info", call_info);
	measure(s, "config_read_4", call_config);
	measure(s, "type1_map_unmap_4k", call_type1);
	measure(s, "ioas_map_unmap_4k", call_ioas);
}

static void run_fill(struct setup *s, size_t n)
{
	uint64_t *each = calloc(n, sizeof(*each));
	uint64_t total = now_ns();

	for (size_t i = 0; i < n; i++) {
		struct vfio_iommu_type1_dma_map map = { .argsz = sizeof(map), .flags = 3,
							.vaddr = (uintptr_t)s->page,
							.iova = 0x100000000 + i * 4096, .size = 4096 };
		uint64_t start = now_ns();

		if (ioctl(s->container, VFIO_IOMMU_MAP_DMA, &map))
			die("VFIO_IOMMU_MAP_DMA");
		each[i] = now_ns() - start;
	}
	total = now_ns() - total;
	printf("fill_total %llu\n", (unsigned long long)total);
	printf("fill_last_first %llu %llu\n", (unsigned long long)median(each + n - n / 10, n / 10),
	       (unsigned long long)median(each, n / 10));
	fflush(stdout);
	/* The maps are held while the caller looks at the host's memory. */
	(void)!getchar();
	free(each);
}

int main(int argc, char **argv)
{
	struct setup s = { .iommufd = -1 };

	if (argc < 2)
		return 2;
	open_device(&s);
	if (strcmp(argv[1], "first") == 0) {
		printf("%llu\n", (unsigned long long)now_ns());
		return 0;
	}
	open_iommufd(&s);
	if (strcmp(argv[1], "calls") == 0)
		run_calls(&s);
	else if (strcmp(argv[1], "fill") == 0 && argc == 3)
		run_fill(&s, strtoul(argv[2], NULL, 0));
	else
		return 2;
	return 0;
}
