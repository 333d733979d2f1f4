/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iommufd, measured; run by bench/run in a namespace with a null device and an edu device:
 *
 *	iommufd calls	prints "NAME NS OTHER-NS": a call, and what it is compared with
 *	iommufd areas N	fills an IOAS with N areas, each of one page; prints "NAME NS OTHER-NS" for what is done
 *			with that IOAS, and with one that has one area; last "total NS UNMAP-NS": to fill it, and to
 *			unmap all with one call
 *	iommufd dirty	prints "NAME NS OTHER-NS": GET_DIRTY_BITMAP of 64 GiB, and of 64 KiB; of which no page
 *			was written, and, of the 64 GiB, every 256 MiB one
 *
 * What a call changes is undone before the next, and that is not timed.
 */
#include "timing.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uapi/iommufd.h"
#include "uapi/softvfio.h"
#include "uapi/vfio.h"

#define DEVICES	     "/sys/bus/pci/devices"
#define PAGE	     4096ull
#define HUGE	     (2ull << 20)
#define IOVA	     0x100000000ull
#define FAR	     (1ull << 46) /* beyond all others */
#define TURNS	     100
#define SAMPLES	     (TURNS * IN_TURN)
#define DIRTY_BIG    (64ull << 30)
#define DIRTY_SMALL  (64ull << 10)
#define DIRTY_WRITES 256

struct bench {
	int iommufd;
	int null, edu; /* cdevs, bound */
	uint32_t null_id, edu_id;
	uint32_t ioas, one; /* the measured IOAS, and one to compare it with */
	uint32_t hwpt;
	uint8_t *memory; /* HUGE, aligned */
	uint64_t length; /* of a MAP */
	uint64_t last;	 /* IOVA of the area that comes after all others */
	uint64_t *bitmap;
};

typedef void step(const struct bench *b);

/* --- calls of iommufd --- */

static uint32_t ioas_alloc(const struct bench *b)
{
	struct iommu_ioas_alloc cmd = {.size = sizeof(cmd)};

	must(ioctl(b->iommufd, IOMMU_IOAS_ALLOC, &cmd), "IOMMU_IOAS_ALLOC");
	return cmd.out_ioas_id;
}

static void map_at(const struct bench *b, uint32_t ioas, const void *memory, uint64_t length,
		   uint64_t iova)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_READABLE,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = length,
		.iova = iova,
	};

	must(ioctl(b->iommufd, IOMMU_IOAS_MAP, &cmd), "IOMMU_IOAS_MAP");
}

static void unmap_at(const struct bench *b, uint32_t ioas, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .iova = iova, .length = length};

	must(ioctl(b->iommufd, IOMMU_IOAS_UNMAP, &cmd), "IOMMU_IOAS_UNMAP");
}

/* A page that is mapped at IOVA from, in another IOAS at FAR. */
static void copy_from(const struct bench *b, uint32_t ioas, uint32_t to, uint64_t from)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_READABLE,
		.src_ioas_id = ioas,
		.dst_ioas_id = to,
		.src_iova = from,
		.dst_iova = FAR,
		.length = PAGE,
	};

	must(ioctl(b->iommufd, IOMMU_IOAS_COPY, &cmd), "IOMMU_IOAS_COPY");
}

static void attach(int device, uint32_t pt)
{
	struct vfio_device_attach_iommufd_pt cmd = {.argsz = sizeof(cmd), .pt_id = pt};

	must(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd), "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
}

static void detach(int device)
{
	struct vfio_device_detach_iommufd_pt cmd = {.argsz = sizeof(cmd)};

	must(ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd), "VFIO_DEVICE_DETACH_IOMMUFD_PT");
}

/* --- beginning --- */

/* The first device with that id, bound to our iommufd. */
static int open_device(const struct bench *b, const char *id, uint32_t *ret_id)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = b->iommufd};
	char path[PATH_MAX], text[16] = "";
	DIR *folder = opendir(DEVICES), *names;
	struct dirent *entry, *name;
	int fd = -1;

	while (folder && (entry = readdir(folder)) && fd < 0) {
		snprintf(path, sizeof(path), DEVICES "/%s/device", entry->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ||
		    strncmp(text, id, strlen(id))) {
			close(fd);
			fd = -1;
			continue;
		}
		close(fd);
		snprintf(path, sizeof(path), DEVICES "/%s/vfio-dev", entry->d_name);
		names = opendir(path);
		while (names && (name = readdir(names)) && name->d_name[0] == '.')
			;
		must(names && name ? 0 : -1, path);
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name->d_name);
		closedir(names);
		fd = open(path, O_RDWR);
		must(fd, path);
	}
	closedir(folder);
	must(fd, id);
	must(ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind), "VFIO_DEVICE_BIND_IOMMUFD");
	*ret_id = bind.out_devid;
	return fd;
}

static void *map_memory(uint64_t size, int flags)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags,
			    -1, 0);

	must(memory == MAP_FAILED ? -1 : 0, "mmap");
	return memory;
}

static void begin(struct bench *b)
{
	b->iommufd = open("/dev/iommu", O_RDWR);
	must(b->iommufd, "/dev/iommu");
	b->null = open_device(b, "0x0005", &b->null_id);
	b->edu = open_device(b, "0x11e8", &b->edu_id);
	b->ioas = ioas_alloc(b);
	b->one = ioas_alloc(b);
	b->memory = map_memory(2 * HUGE, MAP_POPULATE);
	b->memory += -(uintptr_t)b->memory % HUGE;
}

/* --- measuring --- */

static void turn(const struct bench *b, step *call, step *undo, uint64_t *samples)
{
	for (int i = 0; i < IN_TURN; i++) {
		uint64_t start = now_ns();

		call(b);
		samples[i] = now_ns() - start;
		if (undo)
			undo(b);
	}
}

/* Two calls beside each other. */
static void measure(const struct bench *b, const char *name, step *call, step *undo, step *other,
		    step *undo_other)
{
	static uint64_t ours[SAMPLES], theirs[SAMPLES];

	for (int i = 0; i < SAMPLES; i += IN_TURN) {
		turn(b, other, undo_other, theirs + i);
		turn(b, call, undo, ours + i);
	}
	printf("%s %llu %llu\n", name, median(ours, SAMPLES), median(theirs, SAMPLES));
}

/* --- calls --- */

static void noop(const struct bench *b)
{
	must(ioctl(b->null, SVF_NOOP, 0), "SVF_NOOP");
}

static void map_unmap(const struct bench *b)
{
	map_at(b, b->one, b->memory, b->length, IOVA);
	unmap_at(b, b->one, IOVA, b->length);
}

static void copy_unmap(const struct bench *b)
{
	copy_from(b, b->ioas, b->one, IOVA);
	unmap_at(b, b->one, FAR, PAGE);
}

static void run_calls(struct bench *b)
{
	attach(b->null, b->one);
	map_at(b, b->ioas, b->memory, HUGE, IOVA);
	b->length = HUGE;
	measure(b, "ioas_map_unmap_2m", map_unmap, NULL, noop, NULL);
	measure(b, "ioas_copy_unmap_4k", copy_unmap, NULL, noop, NULL);
}

/* --- areas --- */

static void map_last(const struct bench *b)
{
	map_at(b, b->ioas, b->memory, PAGE, b->last);
}

static void unmap_last(const struct bench *b)
{
	unmap_at(b, b->ioas, b->last, PAGE);
}

static void map_first(const struct bench *b)
{
	map_at(b, b->one, b->memory, PAGE, IOVA + PAGE);
}

static void unmap_first(const struct bench *b)
{
	unmap_at(b, b->one, IOVA + PAGE, PAGE);
}

/* Of the area in the middle, to where all others are and back. */
static void copy_many(const struct bench *b)
{
	copy_from(b, b->ioas, b->ioas, IOVA + (b->last - IOVA) / 2 / PAGE * PAGE);
}

static void unmap_copy_many(const struct bench *b)
{
	unmap_at(b, b->ioas, FAR, PAGE);
}

static void copy_one(const struct bench *b)
{
	copy_from(b, b->one, b->one, IOVA);
}

static void unmap_copy_one(const struct bench *b)
{
	unmap_at(b, b->one, FAR, PAGE);
}

/* n - 1 areas that the IOAS cannot join: each is an area of its own, as made by a MAP of its own. */
static void fill(struct bench *b, uint64_t n)
{
	b->last = IOVA + (n - 1) * PAGE;
	for (uint64_t iova = IOVA; iova < b->last; iova += PAGE)
		map_at(b, b->ioas, b->memory, PAGE, iova);
	map_at(b, b->one, b->memory, PAGE, IOVA);
}

static void attach_many(const struct bench *b)
{
	attach(b->null, b->ioas);
}

static void detach_many(const struct bench *b)
{
	detach(b->null);
}

static void attach_one(const struct bench *b)
{
	attach(b->edu, b->one);
}

static void detach_one(const struct bench *b)
{
	detach(b->edu);
}

static void run_attach(const struct bench *b)
{
	measure(b, "attach", attach_many, detach_many, attach_one, detach_one);
	attach_many(b);
	attach_one(b);
	measure(b, "detach", detach_many, attach_many, detach_one, attach_one);
}

static void run_areas(struct bench *b, uint64_t n)
{
	uint64_t start = now_ns(), total, unmap;

	fill(b, n);
	total = now_ns() - start;
	measure(b, "map", map_last, unmap_last, map_first, unmap_first);
	map_last(b);
	map_first(b);
	measure(b, "unmap_one", unmap_last, map_last, unmap_first, map_first);
	measure(b, "copy", copy_many, unmap_copy_many, copy_one, unmap_copy_one);
	run_attach(b);
	start = now_ns();
	unmap_at(b, b->ioas, 0, UINT64_MAX);
	unmap = now_ns() - start;
	printf("total %llu %llu\n", (unsigned long long)total, (unsigned long long)unmap);
}

/* --- dirty pages --- */

static void write_register(const struct bench *b, uint64_t at, uint64_t value, size_t size)
{
	must((int)pwrite(b->edu, &value, size, (off_t)at), "a write to the edu device");
}

/* The edu device writes a few bytes there (see models/edu/README.md). */
static void device_write(const struct bench *b, uint64_t iova)
{
	uint32_t command = 1;

	write_register(b, 0x80, 0x40000, 8);
	write_register(b, 0x88, iova, 8);
	write_register(b, 0x90, 8, 8);
	write_register(b, 0x98, 3, 8);
	while (command & 1)
		must((int)pread(b->edu, &command, sizeof(command), 0x98), "a read");
}

static void begin_dirty(struct bench *b)
{
	struct iommu_hwpt_alloc alloc = {.size = sizeof(alloc),
					 .flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
					 .dev_id = b->edu_id,
					 .pt_id = b->ioas};
	struct iommu_hwpt_set_dirty_tracking set = {.size = sizeof(set),
						    .flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE};

	must(ioctl(b->iommufd, IOMMU_HWPT_ALLOC, &alloc), "IOMMU_HWPT_ALLOC, dirty tracking");
	b->hwpt = set.hwpt_id = alloc.out_hwpt_id;
	attach(b->edu, b->hwpt);
	map_at(b, b->ioas, map_memory(DIRTY_BIG, MAP_NORESERVE), DIRTY_BIG, IOVA);
	must(ioctl(b->iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &set),
	     "IOMMU_HWPT_SET_DIRTY_TRACKING");
	b->bitmap = map_memory(DIRTY_BIG / PAGE / 8, MAP_POPULATE);
	/* Memory and bus master. */
	write_register(b, ((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + 4, 6, 2);
}

static void get_dirty(const struct bench *b, uint64_t length)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = b->hwpt,
		.flags = IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
		.iova = IOVA,
		.length = length,
		.page_size = PAGE,
		.data = (uintptr_t)b->bitmap,
	};

	must(ioctl(b->iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd), "IOMMU_HWPT_GET_DIRTY_BITMAP");
}

static void dirty_big(const struct bench *b)
{
	get_dirty(b, DIRTY_BIG);
}

static void dirty_small(const struct bench *b)
{
	get_dirty(b, DIRTY_SMALL);
}

static void run_dirty(struct bench *b)
{
	begin_dirty(b);
	measure(b, "dirty_clean", dirty_big, NULL, dirty_small, NULL);
	for (uint64_t i = 0; i < DIRTY_WRITES; i++)
		device_write(b, IOVA + i * (DIRTY_BIG / DIRTY_WRITES));
	measure(b, "dirty_written", dirty_big, NULL, dirty_small, NULL);
}

int main(int argc, char **argv)
{
	struct bench b = {.length = PAGE};

	if (argc < 2)
		return 2;
	begin(&b);
	if (!strcmp(argv[1], "calls"))
		run_calls(&b);
	else if (!strcmp(argv[1], "areas") && argc == 3)
		run_areas(&b, strtoull(argv[2], NULL, 10));
	else if (!strcmp(argv[1], "dirty"))
		run_dirty(&b);
	else
		return 2;
	return 0;
}
