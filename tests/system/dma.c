/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA between a client's memory and a device, an Intel I/OAT engine with xfercap=20, driven by hand:
 *
 *	dma random COUNT SEED BDF	copies and fills of random sizes and places, in shared and in private
 *					memory and from one to the other, compared with an array
 *	dma gone BDF			memory that is taken away from the device in each way there is
 *
 * Prints "ok NAME" or "not ok NAME: WHAT" for each check.
 */
#include <sys/wait.h>

#include "ioat.h"

#define DATA_IOVA  0x10000000ull
#define AREA	   (256ul << 10) /* of each kind */
#define OTHER_IOVA 0x40000000ull
#define LARGE	   (16ul << 20)
#define MIB	   (1ul << 20)

static int memory_file(size_t size)
{
	int fd = memfd_create("dma", MFD_CLOEXEC);

	must(ftruncate(fd, (off_t)size) ? -errno : 0, "memfd");
	return fd;
}

static void start(const char *bdf)
{
	must(client_open_by_group(&device, bdf, NULL), "opening the device");
	ioat_start();
	chain = (struct descriptor *)(void *)memory(PAGE, -1);
	must(client_map(&device, chain, PAGE, CHAIN_IOVA), "mapping descriptors");
}

/* --- random --- */

static uint8_t expected[2 * AREA];

static void make_random(unsigned int i, uint64_t *seed)
{
	uint64_t size = client_random(seed) % (client_random(seed) % 16 ? 300 : 40000) + 1;
	uint64_t to = client_random(seed) % (2 * AREA - size), from, pattern = client_random(seed);

	if (client_random(seed) % 4 == 0) {
		set(i, FILL, pattern, DATA_IOVA + to, size);
		for (uint64_t k = 0; k < size; k++)
			expected[to + k] = (uint8_t)(pattern >> k % 8 * 8);
		return;
	}
	do
		from = client_random(seed) % (2 * AREA - size);
	while (from < to + size && to < from + size);
	set(i, 0, DATA_IOVA + from, DATA_IOVA + to, size);
	memcpy(expected + to, expected + from, size);
}

static void random_data(unsigned long count, uint64_t seed)
{
	char *private = memory(AREA, -1), *shared = memory(AREA, memory_file(AREA));

	must(client_map(&device, private, AREA, DATA_IOVA), "mapping private memory");
	must(client_map(&device, shared, AREA, DATA_IOVA + AREA), "mapping shared memory");
	for (size_t i = 0; i < 2 * AREA; i++)
		expected[i] = (uint8_t)client_random(&seed);
	memcpy(private, expected, AREA);
	memcpy(shared, expected + AREA, AREA);
	for (unsigned long done = 0; done < count && !failures;) {
		unsigned int n = (unsigned int)(client_random(&seed) % CHAIN_MAX) + 1;

		for (unsigned int i = 0; i < n; i++)
			make_random(i, &seed);
		begin(n);
		if (finished() != DONE)
			report("a chain", false, "CHANERR", get(CHANERR, 4));
		else if (memcmp(private, expected, AREA) || memcmp(shared, expected + AREA, AREA))
			report("the data", false, "other after operation", done);
		done += n;
	}
	report("random operations", !failures, "failures", (uint64_t)failures);
}

/* --- gone --- */

/* One copy of a page between an address and the page of descriptors, whose second half is free. */
#define SPARE (CHAIN_IOVA + PAGE / 2)

static void munmapped(void)
{
	char *page = memory(PAGE, -1);

	must(client_map(&device, page, PAGE, DATA_IOVA), "MAP");
	works("private memory", DATA_IOVA, SPARE);
	munmap(page, PAGE);
	fails("munmap, read", DATA_IOVA, SPARE, NO_SOURCE);
	fails("munmap, write", SPARE, DATA_IOVA, NO_DESTINATION);
	must(client_unmap(&device, PAGE, DATA_IOVA), "UNMAP");
}

static void cut_off(void)
{
	int fd = memory_file(PAGE);
	char *page = memory(PAGE, fd);

	must(client_map(&device, page, PAGE, DATA_IOVA), "MAP");
	works("shared memory", DATA_IOVA, SPARE);
	must(ftruncate(fd, 0), "ftruncate");
	fails("file cut off", SPARE, DATA_IOVA, NO_DESTINATION);
	must(ftruncate(fd, (off_t)PAGE), "ftruncate");
	works("file made longer again", SPARE, DATA_IOVA);
	munmap(page, PAGE);
	close(fd);
	works("file of which the client has nothing left", SPARE, DATA_IOVA);
	must(client_unmap(&device, PAGE, DATA_IOVA), "UNMAP");
}

static void process_ended(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	must(pid, "fork");
	if (!pid)
		_exit(client_map(&device, memory(PAGE, -1), PAGE, DATA_IOVA) ? 1 : 0);
	waitpid(pid, &status, 0);
	must(status ? -EIO : 0, "MAP by a child");
	fails("process ended", DATA_IOVA, SPARE, NO_SOURCE);
	must(client_unmap(&device, PAGE, DATA_IOVA), "UNMAP");
}

/* Nothing of it is changed after UNMAP has returned, though the device was in the middle of it. */
static void in_flight(const char *name, int fd)
{
	char *area = memory(LARGE, fd);
	size_t i;

	must(client_map(&device, area, LARGE / 2, DATA_IOVA), "MAP");
	must(client_map(&device, area + LARGE / 2, LARGE / 2, OTHER_IOVA), "MAP");
	memset(area, 's', LARGE / 2);
	for (i = 0; i < CHAIN_MAX; i++)
		set((unsigned int)i, 0, DATA_IOVA + i % 8 * MIB, OTHER_IOVA + i % 8 * MIB, MIB);
	begin(60000);
	must(client_unmap(&device, LARGE / 2, OTHER_IOVA), "UNMAP");
	memset(area + LARGE / 2, 'x', LARGE / 2);
	report(name, finished() == HALTED && get(CHANERR, 4) == NO_DESTINATION, "CHANERR",
	       get(CHANERR, 4));
	for (i = LARGE / 2; i < LARGE && area[i] == 'x'; i++)
		;
	report(name, i == LARGE, "written after UNMAP, at", i - LARGE / 2);
	must(client_unmap(&device, LARGE / 2, DATA_IOVA), "UNMAP");
	munmap(area, LARGE);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "random")) {
		start(argv[4]);
		random_data(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	} else if (argc == 3 && !strcmp(argv[1], "gone")) {
		start(argv[2]);
		munmapped();
		cut_off();
		process_ended();
		in_flight("UNMAP of private memory in flight", -1);
		in_flight("UNMAP of shared memory in flight", memory_file(LARGE));
	} else {
		fprintf(stderr, "usage: dma random COUNT SEED BDF | gone BDF\n");
		return 2;
	}
	client_close(&device);
	return failures ? 1 : 0;
}
