/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies by an ioat device, driven by DPDK's own driver for it, beside memcpy of the same bytes: run by
 * bench/run in a namespace with such a device.
 *
 *	bench-ioat BDF	prints "MEMORY SIZE DEVICE-NS MEMCPY-NS" for each kind of memory and size
 *
 * MEMORY is "shared" (what DPDK allocates: a memfd) or "private" (anonymous memory, made known to
 * DPDK). Both copy through the same two areas, from one to the other, going on behind what was copied
 * before; in turns, so that both see the same machine. Short copies are given to the device in bursts,
 * as programs do.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <rte_dmadev.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_pause.h>
#include <rte_vfio.h>

#define AREA  (16u << 20)
#define RING  512
#define TURNS 31

static const struct {
	uint32_t size;
	unsigned int burst, bursts; /* in a turn */
} sizes[] = {{64, 32, 32}, {4096, 32, 8}, {1 << 20, 16, 1}};

struct area {
	char *from, *to;
};

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "bench-ioat: %s: %s\n", what, strerror(-result));
	exit(EXIT_FAILURE);
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

/* Where the n-th copy of that size is. */
static size_t place(unsigned int n, uint32_t size)
{
	return (size_t)n * size % AREA;
}

static void wait_for(int16_t dev, unsigned int count)
{
	while (count) {
		bool failed = false;

		count -= rte_dma_completed(dev, 0, (uint16_t)count, NULL, &failed);
		must(failed ? -EIO : 0, "copy");
		/* The host may be on the other thread of our core. */
		rte_pause();
	}
}

/* Return: ns of one copy. */
static uint64_t by_device(int16_t dev, const struct area *area, unsigned int s)
{
	uint32_t size = sizes[s].size;
	uint64_t begin = now_ns();

	for (unsigned int b = 0; b < sizes[s].bursts; b++) {
		for (unsigned int i = 0; i < sizes[s].burst; i++) {
			size_t at = place(b * sizes[s].burst + i, size);

			must(rte_dma_copy(dev, 0, (rte_iova_t)(area->from + at),
					  (rte_iova_t)(area->to + at), size, 0),
			     "rte_dma_copy");
		}
		must(rte_dma_submit(dev, 0), "rte_dma_submit");
		wait_for(dev, sizes[s].burst);
	}
	return (now_ns() - begin) / (sizes[s].burst * sizes[s].bursts);
}

static uint64_t by_memcpy(const struct area *area, unsigned int s)
{
	unsigned int count = sizes[s].burst * sizes[s].bursts;
	uint64_t begin = now_ns();

	for (unsigned int i = 0; i < count; i++) {
		size_t at = place(i, sizes[s].size);

		memcpy(area->to + at, area->from + at, sizes[s].size);
		/* Each is done. */
		__asm__ volatile("" ::: "memory");
	}
	return (now_ns() - begin) / count;
}

static void measure(int16_t dev, const struct area *area, const char *memory)
{
	uint64_t device[TURNS], cpu[TURNS];

	for (size_t i = 0; i < AREA; i++)
		area->from[i] = (char)(i * 7 >> 3);
	for (unsigned int s = 0; s < RTE_DIM(sizes); s++) {
		memset(area->to, 0, AREA);
		by_device(dev, area, s);
		if (memcmp(area->from, area->to, sizes[s].size * sizes[s].burst))
			must(-EIO, "the copy is another");
		for (unsigned int i = 0; i < TURNS; i++) {
			device[i] = by_device(dev, area, s);
			cpu[i] = by_memcpy(area, s);
		}
		qsort(device, TURNS, sizeof(*device), compare);
		qsort(cpu, TURNS, sizeof(*cpu), compare);
		printf("%s %" PRIu32 " %" PRIu64 " %" PRIu64 "\n", memory, sizes[s].size,
		       device[TURNS / 2], cpu[TURNS / 2]);
	}
}

static int16_t start_device(const char *name)
{
	const struct rte_dma_conf conf = {.nb_vchans = 1};
	const struct rte_dma_vchan_conf channel = {.direction = RTE_DMA_DIR_MEM_TO_MEM,
						   .nb_desc = RING};
	int dev = rte_dma_get_dev_id_by_name(name);

	must(dev, name);
	must(rte_dma_configure((int16_t)dev, &conf), "rte_dma_configure");
	must(rte_dma_vchan_setup((int16_t)dev, 0, &channel), "rte_dma_vchan_setup");
	must(rte_dma_start((int16_t)dev), "rte_dma_start");
	return (int16_t)dev;
}

/* Anonymous memory, mapped for the device. */
static struct area private_area(void)
{
	char *base =
		mmap(NULL, 2 * AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(base == MAP_FAILED ? -ENOMEM : 0, "mmap");
	memset(base, 0, 2 * AREA);
	must(rte_vfio_container_dma_map(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)base,
					(uintptr_t)base, 2 * AREA),
	     "rte_vfio_container_dma_map");
	return (struct area){base, base + AREA};
}

int main(int argc, char **argv)
{
	char *eal[] = {argv[0],
		       "--no-huge",
		       "-m",
		       "128",
		       "--no-shconf",
		       "--no-telemetry",
		       "--log-level=*:error",
		       "-l",
		       "0",
		       "-a",
		       argc > 1 ? argv[1] : "",
		       NULL};
	struct area area;
	int16_t dev;

	must(argc == 2 ? 0 : -EINVAL, "usage: bench-ioat BDF");
	must(rte_eal_init(RTE_DIM(eal) - 1, eal), "rte_eal_init");
	dev = start_device(argv[1]);
	area = (struct area){rte_malloc(NULL, AREA, 4096), rte_malloc(NULL, AREA, 4096)};
	must(area.from && area.to ? 0 : -ENOMEM, "rte_malloc");
	measure(dev, &area, "shared");
	area = private_area();
	measure(dev, &area, "private");
	return 0;
}
