/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The measured client, run by bench/run in a namespace with two devices:
 *
 *	client first	opens the first device by its group; prints the monotonic clock, ns
 *	client calls	prints "NAME NS NOOP-NS" for each measured call
 *	client fill N	makes N mappings in one container; prints "total NS", then "map LAST-NS
 *FIRST-NS": a MAP where N - 1 others are, and one where there is none; holds them until it is sent a
 *line; then unmaps all with one call and prints "unmap NS LONGEST-NS": that call, and the longest no-op
 *of another thread during it and after
 *
 * What is compared is measured in turns, a few calls of the one and a few of the other, so that
 * both see the same machine, whatever else it does. Each call is timed alone and the median taken:
 * one that was interrupted counts as one, however long that was.
 *
 * A no-op is an ioctl that the host answers at once: a round trip through FUSE, below which no call
 * can go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
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

#define DRIVER	"/sys/bus/pci/drivers/vfio-pci"
#define DEVICES 2
#define TURNS	200
#define IN_TURN 16
#define SAMPLES (TURNS * IN_TURN)
#define PAGE	4096u
#define AFTER	1000 /* no-ops after an UNMAP of all */
#define LIMIT	"/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"
#define IOVA	0x100000000ull

struct bench {
	char bdf[DEVICES][NAME_MAX + 1];
	int container[DEVICES];
	int device; /* the first */
	int iommufd;
	uint32_t ioas; /* the second device is attached to it */
	void *page;
	uint64_t last_iova; /* of the mapping that comes after all others of container 0 */
};

typedef void measured(const struct bench *b);

static void die(const char *what)
{
	fprintf(stderr, "bench-client: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void must(int result, const char *what)
{
	if (result < 0)
		die(what);
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

static unsigned long long median(uint64_t *samples)
{
	qsort(samples, SAMPLES, sizeof(*samples), compare);
	return samples[SAMPLES / 2];
}

/* The first functions that are bound, in order of address. */
static void find_devices(struct bench *b)
{
	struct dirent **entries;
	int n = scandir(DRIVER, &entries, NULL, alphasort), found = 0;

	must(n, DRIVER);
	for (int i = 0; i < n; i++) {
		if (strchr(entries[i]->d_name, ':') && found < DEVICES)
			strcpy(b->bdf[found++], entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	errno = ENODEV;
	if (found < DEVICES)
		die("two devices bound to vfio-pci are needed");
}

/* A container with the group of device i in it. Return: the group. */
static int open_container(struct bench *b, int i)
{
	char path[PATH_MAX], target[PATH_MAX] = "";
	int group;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", b->bdf[i]);
	must((int)readlink(path, target, sizeof(target) - 1), path);
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(target, '/') + 1);
	b->container[i] = open("/dev/vfio/vfio", O_RDWR);
	must(b->container[i], "/dev/vfio/vfio");
	group = open(path, O_RDWR);
	must(group, path);
	must(ioctl(group, VFIO_GROUP_SET_CONTAINER, &b->container[i]), "VFIO_GROUP_SET_CONTAINER");
	must(ioctl(b->container[i], VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "VFIO_SET_IOMMU");
	return group;
}

static void open_first(struct bench *b)
{
	int group;

	find_devices(b);
	group = open_container(b, 0);
	b->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, b->bdf[0]);
	must(b->device, "VFIO_GROUP_GET_DEVICE_FD");
}

static int open_cdev(const struct bench *b, int i)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n, fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", b->bdf[i]);
	n = scandir(path, &entries, NULL, alphasort);
	must(n, path);
	/* The last in order of names; "." and ".." come before it. */
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entries[n - 1]->d_name);
	while (n)
		free(entries[--n]);
	free(entries);
	fd = open(path, O_RDWR);
	must(fd, path);
	return fd;
}

static void open_iommufd(struct bench *b)
{
	struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach)};
	int device = open_cdev(b, 1);

	b->iommufd = open("/dev/iommu", O_RDWR);
	must(b->iommufd, "/dev/iommu");
	must(ioctl(b->iommufd, IOMMU_IOAS_ALLOC, &alloc), "IOMMU_IOAS_ALLOC");
	b->ioas = alloc.out_ioas_id;
	bind.iommufd = b->iommufd;
	must(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind), "VFIO_DEVICE_BIND_IOMMUFD");
	attach.pt_id = b->ioas;
	must(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach),
	     "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
}

static void map_at(const struct bench *b, int i, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)b->page,
		.iova = iova,
		.size = PAGE,
	};

	must(ioctl(b->container[i], VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA");
}

static void unmap_at(const struct bench *b, int i, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = PAGE,
	};

	must(ioctl(b->container[i], VFIO_IOMMU_UNMAP_DMA, &unmap), "VFIO_IOMMU_UNMAP_DMA");
}

static void call_noop(const struct bench *b)
{
	must(ioctl(b->device, SVF_NOOP, 0), "SVF_NOOP");
}

static void call_info(const struct bench *b)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};

	must(ioctl(b->device, VFIO_DEVICE_GET_INFO, &info), "VFIO_DEVICE_GET_INFO");
}

static void call_config(const struct bench *b)
{
	uint32_t value;

	must((int)pread(b->device, &value, sizeof(value),
			(off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40),
	     "read of config space");
}

static void call_type1(const struct bench *b)
{
	map_at(b, 0, IOVA);
	unmap_at(b, 0, IOVA);
}

static void call_ioas(const struct bench *b)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_READABLE,
		.ioas_id = b->ioas,
		.user_va = (uintptr_t)b->page,
		.length = PAGE,
		.iova = IOVA,
	};
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = b->ioas,
		.iova = IOVA,
		.length = PAGE,
	};

	must(ioctl(b->iommufd, IOMMU_IOAS_MAP, &map), "IOMMU_IOAS_MAP");
	must(ioctl(b->iommufd, IOMMU_IOAS_UNMAP, &unmap), "IOMMU_IOAS_UNMAP");
}

static void call_map_last(const struct bench *b)
{
	map_at(b, 0, b->last_iova);
}

static void undo_map_last(const struct bench *b)
{
	unmap_at(b, 0, b->last_iova);
}

static void call_map_first(const struct bench *b)
{
	map_at(b, 1, IOVA);
}

static void undo_map_first(const struct bench *b)
{
	unmap_at(b, 1, IOVA);
}

/* One turn; what is undone after each call is not timed. */
static void turn(const struct bench *b, measured *call, measured *undo, uint64_t *samples)
{
	for (int i = 0; i < IN_TURN; i++) {
		uint64_t start = now_ns();

		call(b);
		samples[i] = now_ns() - start;
		if (undo)
			undo(b);
	}
}

static void measure(const struct bench *b, const char *name, measured *call)
{
	static uint64_t of_call[SAMPLES], of_noop[SAMPLES];

	for (int i = 0; i < SAMPLES; i += IN_TURN) {
		turn(b, call_noop, NULL, of_noop + i);
		turn(b, call, NULL, of_call + i);
	}
	printf("%s %llu %llu\n", name, median(of_call), median(of_noop));
}

static void run_calls(struct bench *b)
{
	open_iommufd(b);
	measure(b, "get_info", call_info);
	measure(b, "config_read_4", call_config);
	measure(b, "type1_map_unmap_4k", call_type1);
	measure(b, "ioas_map_unmap_4k", call_ioas);
}

/* What another client sees while one unmaps all that it has. */
struct onlooker {
	const struct bench *b;
	atomic_int calls;
	atomic_bool stop;
	uint64_t longest;
};

static void *look_on(void *arg)
{
	struct onlooker *o = arg;

	while (!atomic_load(&o->stop)) {
		uint64_t start = now_ns(), took;

		call_noop(o->b);
		took = now_ns() - start;
		o->longest = took > o->longest ? took : o->longest;
		atomic_fetch_add(&o->calls, 1);
	}
	return NULL;
}

static void wait_for_calls(struct onlooker *o, int calls)
{
	calls += atomic_load(&o->calls);
	while (atomic_load(&o->calls) < calls)
		sched_yield();
}

static void unmap_all(const struct bench *b)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = VFIO_DMA_UNMAP_FLAG_ALL,
	};
	struct onlooker o = {.b = b};
	pthread_t thread;
	uint64_t start;

	errno = pthread_create(&thread, NULL, look_on, &o);
	must(-errno, "pthread_create");
	wait_for_calls(&o, 1);
	start = now_ns();
	must(ioctl(b->container[0], VFIO_IOMMU_UNMAP_DMA, &unmap), "VFIO_IOMMU_UNMAP_DMA");
	start = now_ns() - start;
	wait_for_calls(&o, AFTER);
	atomic_store(&o.stop, true);
	pthread_join(thread, NULL);
	printf("unmap %llu %llu\n", (unsigned long long)start, (unsigned long long)o.longest);
}

/* Containers whose IOMMU is set from now on take n mappings. */
static void set_limit(uint64_t n)
{
	FILE *file = fopen(LIMIT, "w");

	if (!file || fprintf(file, "%llu", (unsigned long long)n) < 0 || fclose(file))
		die(LIMIT);
}

static void run_fill(struct bench *b, uint64_t n)
{
	static uint64_t of_last[SAMPLES], of_first[SAMPLES];
	uint64_t start;

	open_container(b, 1);
	start = now_ns();
	for (uint64_t i = 0; i < n - 1; i++)
		map_at(b, 0, IOVA + i * PAGE);
	printf("total %llu\n", (unsigned long long)(now_ns() - start));
	b->last_iova = IOVA + (n - 1) * PAGE;
	for (int i = 0; i < SAMPLES; i += IN_TURN) {
		turn(b, call_map_first, undo_map_first, of_first + i);
		turn(b, call_map_last, undo_map_last, of_last + i);
	}
	map_at(b, 0, b->last_iova);
	printf("map %llu %llu\n", median(of_last), median(of_first));
	fflush(stdout);
	getchar();
	unmap_all(b);
}

int main(int argc, char **argv)
{
	struct bench b = {.iommufd = -1};

	if (argc < 2)
		return 2;
	if (argc == 3)
		set_limit(strtoull(argv[2], NULL, 10));
	open_first(&b);
	if (!strcmp(argv[1], "first")) {
		printf("%llu\n", (unsigned long long)now_ns());
		return 0;
	}
	b.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b.page == MAP_FAILED)
		die("mmap");
	if (!strcmp(argv[1], "calls"))
		run_calls(&b);
	else if (!strcmp(argv[1], "fill") && argc == 3)
		run_fill(&b, strtoull(argv[2], NULL, 10));
	else
		return 2;
	return 0;
}
