/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An Intel I/OAT engine driven by hand, through reads and writes of its BAR: what the programs share
 * that look at a device's DMA. A check prints "ok NAME" or "not ok NAME: WHAT".
 *
 * Whoever includes it opens the device, maps a page of descriptors at CHAIN_IOVA, and says so in
 * `chain` and, with ioat_start(), to the device.
 */
#ifndef TESTS_SYSTEM_IOAT_H
#define TESTS_SYSTEM_IOAT_H

#include <sched.h>

#include "client.h"

/* Registers of the channel. */
#define CHANCMD	       0x84
#define DMACOUNT       0x86
#define CHANSTS	       0x88
#define CHAINADDR      0x90
#define CHANERR	       0xa8
#define ACTIVE	       0
#define DONE	       1
#define HALTED	       3
#define RESET	       0x20
#define NO_SOURCE      0x1
#define NO_DESTINATION 0x2
#define FILL	       (1u << 24)

#define PAGE	       4096ul
#define COMMAND	       0x04 /* PCI_COMMAND: memory and bus master */
#define CHAIN_IOVA     0x100000ull
#define CHAIN_MAX      64u

struct descriptor {
	uint32_t size, control;
	uint64_t source, destination, next, rest[4];
};

static struct client_device device = CLIENT_DEVICE_NONE;
static uint64_t bar;
static struct descriptor *chain;
static int failures;

static inline void report(const char *name, bool good, const char *what, uint64_t value)
{
	if (good)
		printf("ok %s\n", name);
	else
		printf("not ok %s: %s 0x%llx\n", name, what, (unsigned long long)value);
	failures += !good;
}

static inline void must(int ret, const char *what)
{
	if (ret >= 0)
		return;
	printf("not ok %s: %s\n", what, strerror(-ret));
	exit(1);
}

static inline void put(uint64_t offset, uint64_t value, size_t size)
{
	must(pwrite(device.fd, &value, size, (off_t)(bar + offset)) == (ssize_t)size ? 0 : -errno,
	     "writing a register");
}

static inline uint64_t get(uint64_t offset, size_t size)
{
	uint64_t value = 0;

	must(pread(device.fd, &value, size, (off_t)(bar + offset)) == (ssize_t)size ? 0 : -errno,
	     "reading a register");
	return value;
}

static inline char *memory(size_t size, int fd)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	must(at == MAP_FAILED ? -errno : 0, "mmap");
	return at;
}

/* Lets the device, which is open, be a master of the bus, and finds its registers. */
static inline void ioat_start(void)
{
	struct vfio_region_info info;
	uint16_t command = 6;

	must(client_region(device.fd, VFIO_PCI_CONFIG_REGION_INDEX, &info), "config space");
	must(pwrite(device.fd, &command, 2, (off_t)(info.offset + COMMAND)) == 2 ? 0 : -errno,
	     "bus mastering");
	must(client_region(device.fd, 0, &info), "BAR 0");
	bar = info.offset;
}

static inline void set(unsigned int i, uint32_t control, uint64_t source, uint64_t destination,
		       uint64_t size)
{
	chain[i] = (struct descriptor){.size = (uint32_t)size,
				       .control = control,
				       .source = source,
				       .destination = destination,
				       .next = CHAIN_IOVA + (i + 1) % CHAIN_MAX * 64};
}

static inline void begin(unsigned int count)
{
	put(CHANERR, get(CHANERR, 4), 4);
	put(CHANCMD, RESET, 1);
	put(CHAINADDR, CHAIN_IOVA, 8);
	put(DMACOUNT, count, 2);
}

/* Return: the state that the channel ends in. */
static inline unsigned int finished(void)
{
	unsigned int state;

	while ((state = get(CHANSTS, 4) & 7) == ACTIVE)
		sched_yield();
	return state;
}

static inline void fails(const char *name, uint64_t source, uint64_t destination, uint64_t error)
{
	set(0, 0, source, destination, 1024);
	begin(1);
	report(name, finished() == HALTED && get(CHANERR, 4) == error, "CHANERR", get(CHANERR, 4));
}

static inline void works(const char *name, uint64_t source, uint64_t destination)
{
	set(0, 0, source, destination, 1024);
	begin(1);
	report(name, finished() == DONE, "CHANERR", get(CHANERR, 4));
}

#endif
