/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A DMA engine: QEMU's edu where a kernel is recorded, ioat on softvfio; the vendor id tells which.
 * All that a case asks of it is a copy of one word from IOVA to IOVA.
 *
 * The memory that it can use is a struct memory, mapped whole at MEMORY in an IOAS. What an engine
 * needs there beside source and destination (ioat a descriptor) is in it.
 */
#ifndef CONFORMANCE_ENGINE_H
#define CONFORMANCE_ENGINE_H

#include "lib.h"

#include <linux/pci_regs.h>
#include <sched.h>

/* edu reaches no more than 28 bits. */
#define MEMORY 0x1000000ull

struct memory {
	uint64_t source, destination;
	uint64_t unused[6];
	struct {
		uint32_t size, control;
		uint64_t source, destination, next, rest[4];
	} descriptor; /* of ioat, at a multiple of 64 */
};

struct engine {
	int cdev;
	bool edu;
	uint64_t config, bar; /* where the regions are */
};

static inline uint64_t engine_region(int cdev, uint32_t index)
{
	struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

	if (ioctl(cdev, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
		die("region %u: %s", index, errno_name(errno));
	return info.offset;
}

static inline uint32_t engine_get(const struct engine *engine, uint64_t at, size_t size)
{
	uint32_t value = 0;

	if (pread(engine->cdev, &value, size, (off_t)at) != (ssize_t)size)
		die("register at 0x%lx: %s", (unsigned long)at, errno_name(errno));
	return value;
}

static inline void engine_put(const struct engine *engine, uint64_t at, size_t size, uint32_t value)
{
	if (pwrite(engine->cdev, &value, size, (off_t)at) != (ssize_t)size)
		die("register at 0x%lx: %s", (unsigned long)at, errno_name(errno));
}

/* Of a bound cdev, with bus mastering on. */
static inline struct engine engine_of(int cdev)
{
	struct engine engine = {.cdev = cdev};

	engine.config = engine_region(cdev, VFIO_PCI_CONFIG_REGION_INDEX);
	engine.bar = engine_region(cdev, VFIO_PCI_BAR0_REGION_INDEX);
	engine.edu = engine_get(&engine, engine.config + PCI_VENDOR_ID, 2) != 0x8086;
	engine_put(&engine, engine.config + PCI_COMMAND, 2,
		   PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return engine;
}

/* --- edu: by way of a buffer of its own --- */

#define EDU_SOURCE	0x80u
#define EDU_DESTINATION 0x88u
#define EDU_COUNT	0x90u
#define EDU_COMMAND	0x98u
#define EDU_BUFFER	0x40000u
#define EDU_START	1u
#define EDU_TO_MEMORY	2u

static inline void edu_move(const struct engine *engine, uint32_t from, uint32_t to,
			    uint32_t command)
{
	engine_put(engine, engine->bar + EDU_SOURCE, 4, from);
	engine_put(engine, engine->bar + EDU_DESTINATION, 4, to);
	engine_put(engine, engine->bar + EDU_COUNT, 4, sizeof(uint64_t));
	engine_put(engine, engine->bar + EDU_COMMAND, 4, EDU_START | command);
	while (engine_get(engine, engine->bar + EDU_COMMAND, 4) & EDU_START)
		sched_yield();
}

/* --- ioat: a chain of one descriptor, which is in the memory --- */

#define IOAT_COMMAND  0x84u
#define IOAT_COUNT    0x86u
#define IOAT_STATUS   0x88u
#define IOAT_CHAIN    0x90u
#define IOAT_ERROR    0xa8u
#define IOAT_RESET    0x20u
#define IOAT_STATE    7u
#define IOAT_FINISHED 1u
#define IOAT_HALTED   3u

static inline void ioat_copy(const struct engine *engine)
{
	uint64_t channel = engine->bar;
	uint32_t state;

	engine_put(engine, channel + IOAT_ERROR, 4, engine_get(engine, channel + IOAT_ERROR, 4));
	engine_put(engine, channel + IOAT_COMMAND, 1, IOAT_RESET);
	engine_put(engine, channel + IOAT_CHAIN, 4,
		   (uint32_t)(MEMORY + offsetof(struct memory, descriptor)));
	engine_put(engine, channel + IOAT_CHAIN + 4, 4, 0);
	engine_put(engine, channel + IOAT_COUNT, 2, 1);
	do {
		state = engine_get(engine, channel + IOAT_STATUS, 4) & IOAT_STATE;
	} while (state != IOAT_FINISHED && state != IOAT_HALTED);
}

/* memory->destination = memory->source, by DMA, in whatever memory the engine reaches. */
static inline void engine_copy(const struct engine *engine)
{
	const uint32_t source = (uint32_t)(MEMORY + offsetof(struct memory, source));
	const uint32_t destination = (uint32_t)(MEMORY + offsetof(struct memory, destination));

	if (!engine->edu) {
		ioat_copy(engine);
		return;
	}
	edu_move(engine, source, EDU_BUFFER, 0);
	edu_move(engine, EDU_BUFFER, destination, EDU_TO_MEMORY);
}

/* Memory for an engine, mapped at MEMORY in the IOAS. */
static inline struct memory *engine_memory(int iommufd, uint32_t ioas)
{
	struct memory *memory = pages(PAGE);
	struct iommu_ioas_map map = {.size = sizeof(map),
				     .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
					      IOMMU_IOAS_MAP_WRITEABLE,
				     .ioas_id = ioas,
				     .user_va = (uintptr_t)memory,
				     .length = PAGE,
				     .iova = MEMORY};

	if (ioctl(iommufd, IOMMU_IOAS_MAP, &map) < 0)
		die("MAP: %s", errno_name(errno));
	memset(memory, 0, sizeof(*memory));
	memory->descriptor.size = sizeof(uint64_t);
	memory->descriptor.source = MEMORY + offsetof(struct memory, source);
	memory->descriptor.destination = MEMORY + offsetof(struct memory, destination);
	memory->descriptor.next = MEMORY + offsetof(struct memory, descriptor);
	return memory;
}

#endif
