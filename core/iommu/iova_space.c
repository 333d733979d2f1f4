/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOVA spaces. A mapping is one allocation, owned by the tree it is in from map to unmap, and
 * holds a reference to the address space whose memory it maps. Unmapping never fails and never
 * allocates.
 *
 * A space can have millions of mappings, and to free them takes time. So all of them are taken out at once
 * by taking away the root of their tree: from then on nothing leads to them. The tree becomes a stack of
 * trees, linked by the parents, which mean nothing any more; the next mapping to be freed is the top,
 * and leaves its two children in its place. What they hold counts until it is given back, so
 * whoever finds no room frees all of them first: nobody can tell when it is done.
 *
 * Two bounds: the machine's on all mappings together, here; and type1's on those of one container,
 * in core/vfio/type1.c.
 *
 * BAR memory belongs to a function and may go while it is mapped. It can be mapped only in a
 * space that somebody is attached to, so that walking the groups finds every such mapping.
 */
#include "core/iommu/iova_space.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/iommu/group.h"
#include "core/iommu/requester.h"
#include "core/iommu/shared_pages.h"
#include "core/machine.h"

/* So few are freed on the spot. */
#define UNMAP_AT_ONCE 4096u

void svf_iova_space_init(struct svf_iova_space *space, struct svf_machine *machine)
{
	memset(space, 0, sizeof(*space));
	space->machine = machine;
}

void svf_iova_space_fini(struct svf_iova_space *space)
{
	assert(!space->attached);
	svf_dirty_stop(&space->dirty, space->machine);
	svf_iova_space_unmap_all(space);
}

static struct svf_mapping *mapping_of(struct svf_itree_node *node)
{
	return node ? svf_container_of(node, struct svf_mapping, node) : NULL;
}

struct svf_mapping *svf_iova_space_first(const struct svf_iova_space *space, uint64_t first,
					 uint64_t last)
{
	return mapping_of(svf_itree_first(&space->tree, first, last));
}

static bool has_room(const struct svf_iova_space *space)
{
	const struct svf_machine *machine = space->machine;

	return svf_share_left(space->count, machine->used.mappings, machine->limits.mappings);
}

static struct svf_mapping *mapping_alloc(struct svf_iova_space *space)
{
	struct svf_mapping *map = has_room(space) ? calloc(1, sizeof(*map)) : NULL;

	if (map || !space->machine->unmapped)
		return map;
	svf_mappings_reap(space->machine, UINT_MAX);
	return has_room(space) ? calloc(1, sizeof(*map)) : NULL;
}

int svf_iova_space_map(struct svf_iova_space *space, const struct svf_mapping *map)
{
	struct svf_machine *machine = space->machine;
	struct svf_mapping *new;

	assert(map->ram ? !map->mm && space->attached : !!map->mm);
	new = mapping_alloc(space);
	if (!new)
		return -ENOMEM;
	*new = *map;
	if (!svf_itree_insert(&space->tree, &new->node)) {
		free(new);
		return -EEXIST;
	}
	space->count++;
	space->ram_count += !!new->ram;
	machine->used.mappings++;
	return 0;
}

static struct svf_page_range page_range(const struct svf_mapping *map)
{
	uint64_t last = map->vaddr + (map->node.last - map->node.first);

	return (struct svf_page_range){map->vaddr / SVF_IOMMU_PAGE_SIZE,
				       last / SVF_IOMMU_PAGE_SIZE};
}

int64_t svf_mapping_pages(const struct svf_mapping *map)
{
	struct svf_page_range range = page_range(map);

	return (int64_t)(range.last - range.first + 1);
}

int svf_mapping_charge(struct svf_machine *machine, struct svf_mapping *map, uint64_t *ret_limit)
{
	uint64_t count = (uint64_t)svf_mapping_pages(map);
	int err = map->pages ? svf_shared_pages_add(map->pages, page_range(map), &count) : 0;

	if (err)
		return err;
	err = count ? svf_mm_charge(machine, map->mm, (int64_t)count, ret_limit) : 0;
	if (err && map->pages)
		svf_shared_pages_remove(map->pages, page_range(map));
	map->accounted = !err;
	return err;
}

void svf_mapping_uncharge(struct svf_machine *machine, struct svf_mapping *map)
{
	uint64_t count = (uint64_t)svf_mapping_pages(map);

	if (!map->accounted)
		return;
	if (map->pages)
		count = svf_shared_pages_remove(map->pages, page_range(map));
	/* The host's bug if it cannot take back what it has given. */
	if (count && machine->port->mm_account(map->mm, -(int64_t)count, NULL))
		assert(!"uncharging failed");
	map->accounted = false;
}

int svf_mapping_share(struct svf_mapping *map)
{
	struct svf_shared_pages *pages;
	uint64_t count;

	if (map->pages)
		return 0;
	pages = svf_shared_pages_alloc();
	if (!pages)
		return -ENOMEM;
	if (map->accounted && svf_shared_pages_add(pages, page_range(map), &count)) {
		svf_shared_pages_put(pages);
		return -ENOMEM;
	}
	map->pages = pages;
	return 0;
}

void svf_mapping_fini(struct svf_machine *machine, struct svf_mapping *map)
{
	if (!map->mm)
		return;
	svf_mapping_uncharge(machine, map);
	svf_shared_pages_put(map->pages);
	machine->port->backing_put(map->backing);
	machine->port->mm_put(map->mm);
}

/* map is in no tree. */
static void mapping_free(struct svf_machine *machine, struct svf_mapping *map)
{
	machine->used.mappings--;
	svf_mapping_fini(machine, map);
	free(map);
}

void svf_iova_space_unmap(struct svf_iova_space *space, struct svf_mapping *map)
{
	struct svf_machine *machine = space->machine;

	if (space->dirty.on)
		svf_dirty_clear(&space->dirty, machine, map->node.first, map->node.last);
	svf_unmapped_add(&space->unmapped, machine, map->node.first, map->node.last);
	svf_itree_remove(&space->tree, &map->node);
	space->count--;
	space->ram_count -= !!map->ram;
	mapping_free(machine, map);
}

static void push_unmapped(struct svf_machine *machine, struct svf_itree_node *node)
{
	if (!node)
		return;
	node->parent = machine->unmapped;
	machine->unmapped = node;
}

void svf_iova_space_unmap_all(struct svf_iova_space *space)
{
	const struct svf_mapping *first = svf_iova_space_first(space, 0, UINT64_MAX);
	const struct svf_itree_node *last = space->tree.root;
	unsigned int count = space->count;

	while (last && last->right)
		last = last->right;
	if (first)
		svf_unmapped_add(&space->unmapped, space->machine, first->node.first, last->last);
	if (space->dirty.on)
		svf_dirty_clear(&space->dirty, space->machine, 0, UINT64_MAX);
	push_unmapped(space->machine, space->tree.root);
	space->tree.root = NULL;
	space->count = 0;
	space->ram_count = 0;
	if (count <= UNMAP_AT_ONCE)
		svf_mappings_reap(space->machine, count);
}

bool svf_mappings_reap(struct svf_machine *machine, unsigned int count)
{
	while (machine->unmapped && count--) {
		struct svf_itree_node *node = machine->unmapped;

		machine->unmapped = node->parent;
		push_unmapped(machine, node->left);
		push_unmapped(machine, node->right);
		mapping_free(machine, mapping_of(node));
	}
	return machine->unmapped;
}

int svf_mm_charge(struct svf_machine *machine, struct svf_mm *mm, int64_t pages,
		  uint64_t *ret_limit)
{
	int err = machine->port->mm_account(mm, pages, ret_limit);

	if (!err || !machine->unmapped)
		return err;
	svf_mappings_reap(machine, UINT_MAX);
	return machine->port->mm_account(mm, pages, ret_limit);
}

static void detach_ram(struct svf_iova_space *space, const struct svf_ram *ram)
{
	struct svf_itree_node *node = svf_itree_first(&space->tree, 0, UINT64_MAX);

	for (; node && space->ram_count; node = svf_itree_next(node)) {
		struct svf_mapping *map = mapping_of(node);

		if (map->ram != ram)
			continue;
		map->ram = NULL;
		space->ram_count--;
	}
}

void svf_iova_space_detach_ram(struct svf_machine *machine, const struct svf_ram *ram)
{
	struct svf_iommu_group *group;
	struct svf_requester *requester;

	svf_list_for_each(group, &machine->groups, link)
		svf_list_for_each(requester, &group->requesters, link)
			if (requester->space && requester->space->ram_count)
				detach_ram(requester->space, ram);
}
