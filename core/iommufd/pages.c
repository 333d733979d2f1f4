/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands for the pinning of pages.
 *
 * The kernel pins the memory of a mapping when the first domain of its IOAS comes, or at MAP when
 * there is one, and unpins it when the last goes. Pinning fails for memory that is not there, that
 * may not be written although it was mapped writeable, and for device memory: a BAR that a process
 * has mmapped is no memory to iommufd (type1 takes it). Here nothing is pinned, the device reaches
 * the client's memory as it is when it reaches for it, but the same things are refused at the same
 * moments, and the pages are charged to the process then, if the machine enforces RLIMIT_MEMLOCK.
 *
 * Mappings that are copies of each other are charged once, see core/iommu/shared_pages.h. What an
 * access pins is not charged.
 */
#include <errno.h>

#include "core/iommufd/objects.h"
#include "core/machine.h"

#define PAGE_MASK ((uint64_t)SVF_IOMMU_PAGE_SIZE - 1)

/* On success *ret may hold a reference. */
static int check(struct svf_machine *machine, struct svf_call *call, const struct svf_mapping *map,
		 uint64_t iova_first, uint64_t iova_last, struct svf_mm_range *ret)
{
	uint64_t first = (map->vaddr + (iova_first - map->node.first)) & ~PAGE_MASK;
	uint64_t last = (map->vaddr + (iova_last - map->node.first)) | PAGE_MASK;
	int err;

	err = machine->port->mm_check(map->mm, first, last, map->writable, ret);
	if (err == -EINVAL)
		return svf_fail(call, err,
				"bytes 0x%lx-0x%lx, mapped at IOVA 0x%lx, are not all in the file, "
				"or it is none that DMA can reach (a memfd, on tmpfs or hugetlbfs)",
				first, last, iova_first);
	if (err)
		return svf_fail(call, err,
				"addresses 0x%lx-0x%lx, mapped at IOVA 0x%lx, are not all %s "
				"memory of the process",
				first, last, iova_first, map->writable ? "writable" : "readable");
	if (ret->ram)
		return svf_fail(call, -EFAULT,
				"addresses 0x%lx-0x%lx are a mapped BAR, which iommufd cannot map "
				"for DMA; type1 can",
				first, last);
	return 0;
}

int svf_mapping_check(struct svf_machine *machine, struct svf_call *call,
		      const struct svf_mapping *map, uint64_t iova_first, uint64_t iova_last)
{
	struct svf_mm_range range;
	int err = check(machine, call, map, iova_first, iova_last, &range);

	if (!err)
		machine->port->backing_put(range.backing);
	return err;
}

/* What is behind the memory now is what devices reach from now on. */
static int find_backing(struct svf_machine *machine, struct svf_call *call, struct svf_mapping *map)
{
	struct svf_mm_range range;
	int err = check(machine, call, map, map->node.first, map->node.last, &range);

	if (err)
		return err;
	machine->port->backing_put(map->backing);
	map->backing = range.backing;
	/* The range begins with the page that the mapping begins in. */
	map->offset = range.offset + (map->vaddr & PAGE_MASK);
	return 0;
}

/* --- all mappings together --- */

void svf_outline_add(struct svf_ioas *ioas, const struct svf_mapping *map)
{
	struct svf_outline *o = &ioas->outline;
	uint64_t last = map->vaddr + (map->node.last - map->node.first);

	if (!ioas->space.count)
		*o = (struct svf_outline){.mm = map->mm, .first = map->vaddr, .last = last};
	o->several |= map->mm != o->mm;
	o->odd |= !map->prot;
	o->backed |= !!map->backing;
	o->writable |= map->writable;
	o->low_bits |= map->vaddr | map->node.first | (map->node.last + 1);
	o->first = map->vaddr < o->first ? map->vaddr : o->first;
	o->last = last > o->last ? last : o->last;
}

bool svf_outline_is_aligned(const struct svf_ioas *ioas, uint64_t alignment)
{
	return !(ioas->outline.low_bits & (alignment - 1));
}

bool svf_outline_can_be_pinned(const struct svf_ioas *ioas)
{
	const struct svf_machine *machine = ioas->space.machine;
	const struct svf_outline *o = &ioas->outline;
	struct svf_mm_range range;

	if (!ioas->space.count)
		return true;
	if (o->several || o->odd || o->backed || machine->params.enforce_memlock)
		return false;
	if (machine->port->mm_check(o->mm, o->first & ~PAGE_MASK, o->last | PAGE_MASK, o->writable,
				    &range))
		return false;
	machine->port->backing_put(range.backing);
	return !range.some_shared;
}

/* --- one by one --- */

static int charge(struct svf_machine *machine, struct svf_call *call, struct svf_mapping *map)
{
	if (machine->params.enforce_memlock && svf_mapping_charge(machine, map, NULL))
		return svf_fail(
			call, -ENOMEM,
			"%ld pages at IOVA 0x%lx would pass the process's RLIMIT_MEMLOCK; raise it",
			svf_mapping_pages(map), map->node.first);
	return 0;
}

int svf_mapping_pin(struct svf_machine *machine, struct svf_call *call, struct svf_mapping *map,
		    bool known)
{
	int err = known ? 0 : find_backing(machine, call, map);

	if (err)
		return err;
	/* A container's MAP_DMA lets this pass, and no page table can express it. */
	if (!map->prot)
		return svf_fail(call, -EINVAL,
				"the mapping at IOVA 0x%lx is neither readable nor writable",
				map->node.first);
	return charge(machine, call, map);
}

void svf_mapping_unpin(struct svf_machine *machine, struct svf_mapping *map)
{
	svf_mapping_uncharge(machine, map);
	machine->port->backing_put(map->backing);
	map->backing = NULL;
}
