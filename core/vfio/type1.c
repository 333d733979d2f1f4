/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Type1: mapping and unmapping, as Linux's drivers/vfio/vfio_iommu_type1.c.
 *
 * A mapping is made whole or not at all, of memory that is there when it is made, and never
 * overlaps another. What may be unmapped depends on the version the user asked for:
 *   v1  a range takes every mapping that begins in it, whole, but if it begins inside a mapping,
 *	 nothing, and both is success;
 *   v2  a range takes the mappings inside it, and -EINVAL if it begins or ends inside one.
 * Unmapping what is not mapped is success with size 0 in both.
 *
 * Giving up addresses (UNMAP with VADDR, then MAP with VADDR) is for a process that execs itself:
 * mapping and DMA stay, the user's address of it is replaced. Here DMA goes through the user's
 * address; it goes to the old one until the new one is given.
 *
 * Bounds: dma_entry_limit mappings for each container, as in Linux; the machine's on all together.
 * With params.enforce_memlock mappings are charged to the process's RLIMIT_MEMLOCK.
 */
#include "core/vfio/type1.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/checked.h"
#include "core/command.h"
#include "core/iommu/group.h"
#include "core/machine.h"

const struct vfio_iova_range *svf_type1_ranges(const struct svf_machine *machine)
{
	static const struct vfio_iova_range legacy[SVF_TYPE1_RANGES] = {
		{.start = 0, .end = SVF_MSI_WINDOW_FIRST - 1},
		{.start = SVF_MSI_WINDOW_LAST + 1, .end = SVF_IOVA_LAST},
	};
	static const struct vfio_iova_range scalable[SVF_TYPE1_RANGES] = {
		{.start = 0, .end = SVF_MSI_WINDOW_FIRST - 1},
		{.start = SVF_MSI_WINDOW_LAST + 1, .end = SVF_FIRST_STAGE_LAST},
	};

	return machine->params.iommu_scalable ? scalable : legacy;
}

#define MAP_FLAGS (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE | VFIO_DMA_MAP_FLAG_VADDR)
#define UNMAP_FLAGS                                                                                \
	(VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP | VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR)

#define MAP_MIN_SIZE   svf_offsetofend(struct vfio_iommu_type1_dma_map, size)
#define UNMAP_MIN_SIZE svf_offsetofend(struct vfio_iommu_type1_dma_unmap, size)

int svf_type1_alloc(struct svf_machine *machine, struct svf_call *call, bool v2,
		    struct svf_type1 **ret)
{
	struct svf_type1 *type1 = calloc(1, sizeof(*type1));

	if (!type1)
		return svf_fail(call, -ENOMEM, "out of memory for a type1 IOMMU");
	svf_iova_space_init(&type1->space, machine);
	type1->v2 = v2;
	type1->dma_avail = machine->params.dma_entry_limit;
	*ret = type1;
	return 0;
}

static void mapping_remove(struct svf_type1 *type1, struct svf_mapping *map)
{
	type1->vaddr_invalid -= map->vaddr_invalid;
	type1->dma_avail++;
	type1->mapped -= map->node.last - map->node.first + 1;
	svf_iova_space_unmap(&type1->space, map);
}

static void unmap_all(struct svf_type1 *type1)
{
	type1->dma_avail += type1->space.count;
	type1->vaddr_invalid = 0;
	type1->mapped = 0;
	svf_iova_space_unmap_all(&type1->space);
}

void svf_type1_destroy(struct svf_type1 *type1)
{
	if (!type1)
		return;
	svf_iova_space_fini(&type1->space);
	free(type1);
}

int svf_type1_attach_group(struct svf_type1 *type1, struct svf_call *call,
			   struct svf_iommu_group *group)
{
	if (type1->vaddr_invalid)
		return svf_fail(call, -EBUSY,
				"%u mappings have given up their address; give them new ones with "
				"VFIO_DMA_MAP_FLAG_VADDR first",
				type1->vaddr_invalid);
	svf_iommu_group_set_space(group, &type1->space);
	return 0;
}

void svf_type1_detach_group(struct svf_type1 *type1, struct svf_iommu_group *group)
{
	assert(group->space == &type1->space);
	svf_iommu_group_set_space(group, NULL);
	if (!type1->space.attached)
		unmap_all(type1);
}

int svf_type1_check_extension(const struct svf_type1 *type1, uint64_t extension)
{
	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return 1;
	case VFIO_UPDATE_VADDR:
		return type1 != NULL;
	default:
		/*
		 * Among them VFIO_DMA_CC_IOMMU: this IOMMU has nothing that would block no-snoop. /
		 */
		return 0;
	}
}

bool svf_type1_bisects(const struct svf_type1 *type1, uint64_t first, uint64_t last)
{
	const struct svf_mapping *map = svf_iova_space_first(&type1->space, first, first);

	if (map && map->node.first != first)
		return true;
	map = svf_iova_space_first(&type1->space, last, last);
	return map && map->node.last != last;
}

static bool range_usable(const struct svf_type1 *type1, uint64_t first, uint64_t last)
{
	const struct vfio_iova_range *ranges = svf_type1_ranges(type1->space.machine);

	for (unsigned int i = 0; i < SVF_TYPE1_RANGES; i++)
		if (first >= ranges[i].start && last <= ranges[i].end)
			return true;
	return false;
}

static unsigned int prot_of_flags(uint32_t flags)
{
	return (flags & VFIO_DMA_MAP_FLAG_READ ? SVF_MAP_READ : 0) |
	       (flags & VFIO_DMA_MAP_FLAG_WRITE ? SVF_MAP_WRITE : 0);
}

/* What can be said of a MAP without looking at what is mapped. */
static int check_map(struct svf_call *call, const struct vfio_iommu_type1_dma_map *arg,
		     uint64_t *ret_last)
{
	unsigned int prot = prot_of_flags(arg->flags);
	bool set_vaddr = arg->flags & VFIO_DMA_MAP_FLAG_VADDR;
	uint64_t last;

	if (!arg->size)
		return svf_fail(call, -EINVAL, "size is 0");
	if (!svf_range_last(arg->iova, arg->size, ret_last))
		return svf_fail(call, -EOVERFLOW, "IOVA 0x%lx plus size 0x%lx passes 2^64",
				(unsigned long)arg->iova, (unsigned long)arg->size);
	if (!svf_range_last(arg->vaddr, arg->size, &last))
		return svf_fail(call, -EOVERFLOW, "vaddr 0x%lx plus size 0x%lx passes 2^64",
				(unsigned long)arg->vaddr, (unsigned long)arg->size);
	if (prot && set_vaddr)
		return svf_fail(call, -EINVAL,
				"VFIO_DMA_MAP_FLAG_VADDR goes without READ and WRITE");
	if (!prot && !set_vaddr)
		return svf_fail(call, -EINVAL, "neither READ nor WRITE in flags; DMA needs one");
	if (!svf_is_aligned(arg->size | arg->iova | arg->vaddr, SVF_IOMMU_PAGE_SIZE))
		return svf_fail(call, -EINVAL,
				"iova 0x%lx, vaddr 0x%lx and size 0x%lx must be multiples of the "
				"page size, %u",
				(unsigned long)arg->iova, (unsigned long)arg->vaddr,
				(unsigned long)arg->size, SVF_IOMMU_PAGE_SIZE);
	return 0;
}

/* Whether there is room for a new mapping at [first, last]; touched is what is there, or NULL. */
static int check_place(struct svf_type1 *type1, struct svf_call *call,
		       const struct svf_mapping *touched, uint64_t first, uint64_t last)
{
	if (touched)
		return svf_fail(
			call, -EEXIST,
			"IOVA 0x%lx-0x%lx overlaps the mapping at 0x%lx-0x%lx; unmap that first",
			(unsigned long)first, (unsigned long)last,
			(unsigned long)touched->node.first, (unsigned long)touched->node.last);
	if (!type1->dma_avail)
		return svf_fail(call, -ENOSPC,
				"the container has %u mappings, vfio_iommu_type1.dma_entry_limit; "
				"map larger pieces or raise it",
				type1->space.count);
	if (!range_usable(type1, first, last))
		return svf_fail(call, -EINVAL,
				"IOVA 0x%lx-0x%lx is not within 0x0-0x%lx or 0x%lx-0x%lx, the "
				"usable ranges of VFIO_IOMMU_GET_INFO",
				(unsigned long)first, (unsigned long)last,
				(unsigned long)SVF_MSI_WINDOW_FIRST - 1,
				(unsigned long)SVF_MSI_WINDOW_LAST + 1,
				(unsigned long)svf_type1_ranges(type1->space.machine)[1].end);
	return 0;
}

static int charge(struct svf_machine *machine, struct svf_call *call, struct svf_mm *mm,
		  int64_t pages, uint64_t *ret_limit)
{
	if (svf_mm_charge(machine, mm, pages, ret_limit))
		return svf_fail(call, -ENOMEM,
				"%ld pages more are over RLIMIT_MEMLOCK; raise it (ulimit -l)",
				(long)pages);
	return 0;
}

/* As charge(), of what is to be pinned: the kernel, which pins page by page, says so in its log. */
static int charge_pinned(struct svf_machine *machine, struct svf_call *call, struct svf_mm *mm,
			 int64_t pages)
{
	uint64_t limit = 0;
	int err = charge(machine, call, mm, pages, &limit);

	if (err)
		svf_log(machine, "vfio_pin_pages_remote: RLIMIT_MEMLOCK (%lu) exceeded",
			(unsigned long)(limit / SVF_IOMMU_PAGE_SIZE * SVF_IOMMU_PAGE_SIZE));
	return err;
}

/*
 * Memory that can be used up to address bad only. If the limit is met before that, the kernel does not
 * get as far as to find it out.
 */
static int fail_bad_memory(struct svf_machine *machine, struct svf_call *call, struct svf_mm *mm,
			   uint64_t vaddr, uint64_t bad)
{
	int64_t good = (int64_t)((bad - vaddr) / SVF_IOMMU_PAGE_SIZE);
	int err;

	if (!machine->params.enforce_memlock || !good)
		return -EFAULT;
	err = charge_pinned(machine, call, mm, good);
	if (err)
		return err;
	if (machine->port->mm_account(mm, -good, NULL))
		assert(!"uncharging failed");
	return -EFAULT;
}

static struct svf_mm *caller_mm(struct svf_call *call)
{
	struct svf_mm *mm = call->machine->port->mm_get(call);

	if (!mm)
		svf_fail(call, -ENOMEM, "the caller's address space is not to be had");
	return mm;
}

/*
 * What pinning is in the kernel: the memory must be there, and is charged. Fills in the source of
 * map, whose range and prot are set; on success map holds a reference and the charge.
 */
static int mapping_pin(struct svf_machine *machine, struct svf_call *call, struct svf_mapping *map,
		       uint64_t vaddr)
{
	uint64_t last = vaddr + (map->node.last - map->node.first);
	struct svf_mm *mm = caller_mm(call);
	struct svf_mm_range range;
	int err;

	if (!mm)
		return -ENOMEM;
	err = machine->port->mm_check(mm, vaddr, last, map->prot & SVF_MAP_WRITE, &range);
	if (err) {
		err = fail_bad_memory(machine, call, mm, vaddr, range.bad);
		if (err == -EFAULT)
			svf_fail(call, err, "0x%lx-0x%lx is not all memory that the caller can %s",
				 (unsigned long)vaddr, (unsigned long)last,
				 map->prot & SVF_MAP_WRITE ? "write" : "read");
		goto put_mm;
	}
	map->vaddr = vaddr;
	if (range.ram) {
		map->ram = range.ram;
		map->offset = range.offset;
		machine->port->mm_put(mm);
		return 0;
	}
	if (machine->params.enforce_memlock) {
		err = charge_pinned(machine, call, mm, svf_mapping_pages(map));
		if (err)
			goto put_backing;
		map->accounted = true;
	}
	map->mm = mm;
	map->backing = range.backing;
	map->offset = range.offset;
	return 0;

put_backing:
	machine->port->backing_put(range.backing);
put_mm:
	machine->port->mm_put(mm);
	return err;
}

static int map_new(struct svf_type1 *type1, struct svf_call *call, struct svf_mapping *map,
		   uint64_t vaddr)
{
	struct svf_machine *machine = type1->space.machine;
	int err = mapping_pin(machine, call, map, vaddr);

	if (err)
		return err;
	if (type1->dirty_tracking && svf_mapping_pages(map) > (int64_t)SVF_DIRTY_PAGES_MAX)
		err = svf_fail(
			call, -EINVAL,
			"a mapping of more than %lu pages cannot have its dirty pages tracked",
			(unsigned long)SVF_DIRTY_PAGES_MAX);
	else
		err = svf_iova_space_map(&type1->space, map);
	if (err) {
		svf_mapping_fini(machine, map);
		if (err == -ENOMEM)
			svf_fail(call, err,
				 "out of memory for mappings; all containers and IOASes together "
				 "have %u",
				 machine->used.mappings);
		return err;
	}
	type1->dma_avail--;
	type1->mapped += map->node.last - map->node.first + 1;
	return 0;
}

/* The caller becomes the owner of a mapping's memory: of its address, and of its charge. */
static int change_owner(struct svf_machine *machine, struct svf_call *call, struct svf_mapping *map)
{
	struct svf_mm *mm = caller_mm(call);
	struct svf_mapping old = *map;
	int err;

	if (!mm)
		return -ENOMEM;
	if (map->accounted && mm != map->mm) {
		err = charge(machine, call, mm, svf_mapping_pages(map), NULL);
		if (err) {
			machine->port->mm_put(mm);
			return err;
		}
	}
	/* A file stays what it is, as the pages do that a kernel has pinned. */
	old.backing = NULL;
	if (mm == map->mm)
		machine->port->mm_put(mm);
	else
		svf_mapping_fini(machine, &old);
	map->mm = mm;
	return 0;
}

/*
 * MAP with VADDR: a new address for a mapping whose old one was given up. The new one is not looked
 * at before DMA uses it.
 */
static int map_set_vaddr(struct svf_type1 *type1, struct svf_call *call, struct svf_mapping *map,
			 const struct vfio_iommu_type1_dma_map *arg, uint64_t last)
{
	int err;

	if (!map)
		return svf_fail(call, -ENOENT, "nothing is mapped at IOVA 0x%lx-0x%lx",
				(unsigned long)arg->iova, (unsigned long)last);
	if (!map->vaddr_invalid || map->node.first != arg->iova || map->node.last != last)
		return svf_fail(call, -EINVAL,
				"IOVA 0x%lx-0x%lx is not exactly one mapping whose address was "
				"given up with VFIO_DMA_UNMAP_FLAG_VADDR",
				(unsigned long)arg->iova, (unsigned long)last);
	/* BAR memory stays what it is, whoever has it mapped. */
	if (map->mm) {
		err = change_owner(type1->space.machine, call, map);
		if (err)
			return err;
	}
	map->vaddr = arg->vaddr;
	map->vaddr_invalid = false;
	type1->vaddr_invalid--;
	return 0;
}

long svf_type1_map_dma(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_type1 *type1 = svf_type1_of_file(file, call);
	struct vfio_iommu_type1_dma_map map;
	struct svf_mapping *touched, new = {0};
	uint64_t last = 0;
	int err;

	if (!type1)
		return -EINVAL;
	err = svf_copy_from_user(call, &map, arg, MAP_MIN_SIZE);
	if (err)
		return err;
	if (map.argsz < MAP_MIN_SIZE)
		return svf_fail(call, -EINVAL, "argsz is %u, less than %zu", map.argsz,
				MAP_MIN_SIZE);
	if (map.flags & ~MAP_FLAGS)
		return svf_fail(call, -EINVAL, "unknown flags 0x%x", map.flags & ~MAP_FLAGS);
	err = check_map(call, &map, &last);
	if (err)
		return err;
	touched = svf_iova_space_first(&type1->space, map.iova, last);
	if (map.flags & VFIO_DMA_MAP_FLAG_VADDR)
		return map_set_vaddr(type1, call, touched, &map, last);
	err = check_place(type1, call, touched, map.iova, last);
	if (err)
		return err;
	new.node.first = map.iova;
	new.node.last = last;
	new.prot = prot_of_flags(map.flags);
	return map_new(type1, call, &new, map.vaddr);
}

/* An UNMAP after its checks. */
struct unmap {
	uint64_t first, last;
	uint32_t flags;
	struct vfio_bitmap bitmap; /* with GET_DIRTY_BITMAP */
};

/* What an UNMAP says, without looking at what is mapped; in and out as the kernel orders it. */
static int copy_in_unmap(struct svf_call *call, uint64_t arg,
			 struct vfio_iommu_type1_dma_unmap *unmap, struct vfio_bitmap *bitmap)
{
	int err = svf_copy_from_user(call, unmap, arg, UNMAP_MIN_SIZE);
	bool dirty;

	if (err)
		return err;
	if (unmap->argsz < UNMAP_MIN_SIZE)
		return svf_fail(call, -EINVAL, "argsz is %u, less than %zu", unmap->argsz,
				UNMAP_MIN_SIZE);
	if (unmap->flags & ~UNMAP_FLAGS)
		return svf_fail(call, -EINVAL, "unknown flags 0x%x", unmap->flags & ~UNMAP_FLAGS);
	dirty = unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
	if (!dirty)
		return 0;
	if (unmap->flags & (VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR))
		return svf_fail(call, -EINVAL,
				"GET_DIRTY_BITMAP goes neither with ALL nor with VADDR");
	if (unmap->argsz < UNMAP_MIN_SIZE + sizeof(*bitmap))
		return svf_fail(call, -EINVAL, "argsz is %u, less than %zu with a bitmap",
				unmap->argsz, UNMAP_MIN_SIZE + sizeof(*bitmap));
	err = svf_copy_from_user(call, bitmap, arg + UNMAP_MIN_SIZE, sizeof(*bitmap));
	return err ? err : svf_type1_check_bitmap(call, bitmap, unmap->size);
}

static int check_unmap_range(struct svf_call *call, const struct vfio_iommu_type1_dma_unmap *unmap,
			     uint64_t *ret_last)
{
	if (!svf_is_aligned(unmap->iova, SVF_IOMMU_PAGE_SIZE))
		return svf_fail(call, -EINVAL, "iova 0x%lx is no multiple of the page size, %u",
				(unsigned long)unmap->iova, SVF_IOMMU_PAGE_SIZE);
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap->iova || unmap->size)
			return svf_fail(call, -EINVAL,
					"VFIO_DMA_UNMAP_FLAG_ALL goes with iova 0 and size 0");
		*ret_last = UINT64_MAX;
		return 0;
	}
	if (!unmap->size || !svf_is_aligned(unmap->size, SVF_IOMMU_PAGE_SIZE))
		return svf_fail(call, -EINVAL,
				"size 0x%lx is 0 or no multiple of the page size, %u",
				(unsigned long)unmap->size, SVF_IOMMU_PAGE_SIZE);
	if (!svf_range_last(unmap->iova, unmap->size, ret_last))
		return svf_fail(call, -EOVERFLOW, "IOVA 0x%lx plus size 0x%lx passes 2^64",
				(unsigned long)unmap->iova, (unsigned long)unmap->size);
	return 0;
}

static int check_unmap(const struct svf_type1 *type1, struct svf_call *call,
		       const struct unmap *unmap)
{
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) {
		if (!type1->dirty_tracking)
			return svf_fail(call, -EINVAL,
					"dirty pages are not tracked; use VFIO_IOMMU_DIRTY_PAGES "
					"START first");
		if (unmap->bitmap.pgsize != SVF_IOMMU_PAGE_SIZE)
			return svf_fail(call, -EINVAL, "the bitmap's pgsize is %lu, not %u",
					(unsigned long)unmap->bitmap.pgsize, SVF_IOMMU_PAGE_SIZE);
	}
	if (type1->v2 && !(unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) &&
	    svf_type1_bisects(type1, unmap->first, unmap->last))
		return svf_fail(call, -EINVAL,
				"IOVA 0x%lx-0x%lx begins or ends inside a mapping; type1v2 unmaps "
				"whole mappings only",
				(unsigned long)unmap->first, (unsigned long)unmap->last);
	return 0;
}

/* The mapping an UNMAP begins with, or NULL. */
static struct svf_mapping *unmap_first(const struct svf_type1 *type1, const struct unmap *unmap)
{
	struct svf_mapping *map = svf_iova_space_first(&type1->space, unmap->first, unmap->last);

	/* Of v1 only: v2 has been refused. */
	return map && map->node.first < unmap->first ? NULL : map;
}

static struct svf_mapping *unmap_next(const struct svf_mapping *map, const struct unmap *unmap)
{
	struct svf_itree_node *next = svf_itree_next(&map->node);

	return next && next->first <= unmap->last ? svf_container_of(next, struct svf_mapping, node)
						  : NULL;
}

/* UNMAP with VADDR: all of the range's mappings give up their address, or none. */
static int give_up_vaddr(struct svf_type1 *type1, struct svf_call *call, const struct unmap *unmap,
			 uint64_t *ret_size)
{
	struct svf_mapping *map;
	uint64_t size = 0;

	for (map = unmap_first(type1, unmap); map; map = unmap_next(map, unmap))
		if (map->vaddr_invalid)
			return svf_fail(
				call, -EINVAL,
				"the mapping at IOVA 0x%lx-0x%lx has given up its address already",
				(unsigned long)map->node.first, (unsigned long)map->node.last);
	for (map = unmap_first(type1, unmap); map; map = unmap_next(map, unmap)) {
		map->vaddr_invalid = true;
		type1->vaddr_invalid++;
		size += map->node.last - map->node.first + 1;
	}
	*ret_size = size;
	return 0;
}

/* Whether the range takes every mapping there is. */
static bool takes_all(const struct svf_type1 *type1, const struct unmap *unmap)
{
	const struct svf_itree_node *first = svf_itree_first(&type1->space.tree, 0, UINT64_MAX);
	const struct svf_itree_node *last = type1->space.tree.root;

	while (last && last->right)
		last = last->right;
	return first && first->first >= unmap->first && last->first <= unmap->last;
}

static int unmap_range(struct svf_type1 *type1, struct svf_call *call, const struct unmap *unmap,
		       uint64_t *ret_size)
{
	struct svf_mapping *map, *next;
	uint64_t size = 0;

	if (!(unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) && takes_all(type1, unmap)) {
		*ret_size = type1->mapped;
		unmap_all(type1);
		return 0;
	}
	for (map = unmap_first(type1, unmap); map; map = next) {
		next = unmap_next(map, unmap);
		if (unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) {
			int err = svf_type1_report_dirty(type1, call, &unmap->bitmap, unmap->first,
							 map);

			/* As in the kernel, what was reported before stays unmapped. */
			if (err)
				return err;
		}
		size += map->node.last - map->node.first + 1;
		mapping_remove(type1, map);
	}
	*ret_size = size;
	return 0;
}

long svf_type1_unmap_dma(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_type1 *type1 = svf_type1_of_file(file, call);
	struct vfio_iommu_type1_dma_unmap head;
	struct unmap unmap = {0};
	int err;

	if (!type1)
		return -EINVAL;
	err = copy_in_unmap(call, arg, &head, &unmap.bitmap);
	if (!err)
		err = check_unmap_range(call, &head, &unmap.last);
	if (err)
		return err;
	unmap.first = head.iova;
	unmap.flags = head.flags;
	err = check_unmap(type1, call, &unmap);
	if (err)
		return err;
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_VADDR)
		err = give_up_vaddr(type1, call, &unmap, &head.size);
	else
		err = unmap_range(type1, call, &unmap, &head.size);
	return err ? err : svf_copy_to_user(call, arg, &head, UNMAP_MIN_SIZE);
}
