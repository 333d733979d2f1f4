/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of an IOAS: what may be mapped where, and what may come to it.
 *
 * An IOAS without a domain is bare: any byte of the 64 bits can be mapped, at any alignment, and
 * nobody looks at the memory. Each domain (HWPT) brings an aperture and an alignment, the smallest
 * page of its table, each attached device its reserved ranges; what has been mapped or allowed
 * there before makes them -EADDRINUSE, and then the memory of every mapping must be there, see
 * pages.c. So an ATTACH may fail for a MAP that succeeded long ago. An access that pins asks for
 * whole pages.
 *
 * Mappings are unmapped whole or not at all. Only the compatibility container of TYPE1 (v1) cuts
 * mappings, after it has given up large pages; a mapping that is cut keeps its charge, in parts.
 *
 * The mappings are in an IOVA space, which the devices of attached groups translate by: an IOAS
 * needs no page table besides, however many HWPTs it has.
 */
#include <assert.h>
#include <errno.h>

#include "base/checked.h"
#include "core/iommu/shared_pages.h"
#include "core/iommufd/access.h"
#include "core/iommufd/hwpt.h"
#include "core/machine.h"

static struct svf_mapping *mapping_next(const struct svf_mapping *map)
{
	struct svf_itree_node *node = svf_itree_next(&map->node);

	return node ? svf_container_of(node, struct svf_mapping, node) : NULL;
}

static uint64_t smallest_page(const struct svf_domain *domain)
{
	return domain->page_sizes & -domain->page_sizes;
}

/* Whether a MAP or COPY may go to the place it asks for. */
static int check_iova(struct svf_ioas *ioas, struct svf_call *call, uint64_t iova, uint64_t length)
{
	struct svf_iova_range reserved;
	const struct svf_mapping *map;
	uint64_t last;

	if (!svf_is_aligned(iova, ioas->alignment))
		return svf_fail(call, -EINVAL, "IOVA 0x%lx is not a multiple of 0x%lx", iova,
				ioas->alignment);
	if (!svf_range_last(iova, length, &last))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64", length,
				iova);
	if (svf_ioas_first_reserved(ioas, iova, last, &reserved))
		return svf_fail(call, -EINVAL, "IOVA 0x%lx-0x%lx touches the reserved 0x%lx-0x%lx",
				iova, last, reserved.first, reserved.last);
	map = svf_iova_space_first(&ioas->space, iova, last);
	if (map)
		return svf_fail(call, -EEXIST,
				"IOVA 0x%lx-0x%lx overlaps the mapping 0x%lx-0x%lx; unmap it first",
				iova, last, map->node.first, map->node.last);
	return 0;
}

static int place(struct svf_ioas *ioas, struct svf_call *call,
		 const struct svf_ioas_map_request *request, uint64_t vaddr, uint64_t *ret)
{
	if (!svf_is_aligned(request->length, ioas->alignment) || !request->length)
		return svf_fail(call, -EINVAL, "length 0x%lx is not a multiple of 0x%lx, and not 0",
				request->length, ioas->alignment);
	if (!request->fixed)
		return svf_ioas_alloc_iova(ioas, call, vaddr, request->length, ret);
	*ret = request->iova;
	return check_iova(ioas, call, request->iova, request->length);
}

static int check_vaddr(struct svf_ioas *ioas, struct svf_call *call, uint64_t vaddr)
{
	if (svf_is_aligned(vaddr, ioas->alignment))
		return 0;
	return svf_fail(call, -EINVAL, "user address 0x%lx is not a multiple of 0x%lx", vaddr,
			ioas->alignment);
}

/* The table of a nesting parent holds nothing that cannot be written. */
static int check_writable(struct svf_call *call, const struct svf_mapping *map)
{
	if (map->prot & SVF_MAP_WRITE)
		return 0;
	return svf_fail(call, -EINVAL,
			"the mapping at IOVA 0x%lx cannot be written, and a HWPT that is a nesting "
			"parent takes no such mapping",
			map->node.first);
}

/* Takes over the references of map, also on failure. known: the memory was looked at before. */
static int insert(struct svf_ioas *ioas, struct svf_call *call, struct svf_mapping *map, bool known)
{
	struct svf_machine *machine = ioas->space.machine;
	int err = 0;

	if (ioas->domains)
		err = svf_mapping_pin(machine, call, map, known);
	if (!err && ioas->writing_domains)
		err = check_writable(call, map);
	if (!err) {
		svf_outline_add(ioas, map);
		err = svf_iova_space_map(&ioas->space, map);
		if (!err) {
			ioas->mapped += map->node.last - map->node.first + 1;
			return 0;
		}
		svf_fail(call, err, "no room for one more DMA mapping; there are %u of at most %u",
			 machine->used.mappings, machine->limits.mappings);
	}
	svf_mapping_fini(machine, map);
	return err;
}

int svf_ioas_map(struct svf_ioas *ioas, struct svf_call *call,
		 const struct svf_ioas_map_request *request, uint64_t *ret_iova)
{
	struct svf_mapping map = {
		.prot = request->prot,
		.vaddr = request->vaddr,
		.writable = request->prot & SVF_MAP_WRITE,
		.of_file = request->file,
	};
	uint64_t end, iova = 0;
	int err;

	if (__builtin_add_overflow(request->vaddr, request->length, &end))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from user address 0x%lx pass 2^64",
				request->length, request->vaddr);
	if (!request->length || request->length > UINT64_MAX - SVF_IOMMU_PAGE_SIZE)
		return svf_fail(call, -EINVAL, "a mapping cannot have length 0x%lx",
				request->length);
	err = place(ioas, call, request, request->vaddr, &iova);
	if (!err)
		err = check_vaddr(ioas, call, request->vaddr);
	if (err)
		return err;
	map.node.first = iova;
	map.node.last = iova + (request->length - 1);
	map.mm = request->file ? ioas->space.machine->port->mm_ref(request->file)
			       : ioas->space.machine->port->mm_get(call);
	if (!map.mm)
		return svf_fail(call, -ENOMEM, "the process's address space cannot be had");
	err = insert(ioas, call, &map, false);
	if (!err)
		*ret_iova = iova;
	return err;
}

int svf_ioas_get_pages(struct svf_ioas *src, struct svf_call *call, uint64_t first, uint64_t length)
{
	uint64_t last, position = first;

	if (!length)
		return svf_fail(call, -EINVAL, "length is 0");
	if (!svf_range_last(first, length, &last))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64", length,
				first);
	for (;;) {
		const struct svf_mapping *map =
			svf_iova_space_first(&src->space, position, position);

		if (!map)
			return svf_fail(call, -ENOENT,
					"IOVA 0x%lx of IOAS %u, in 0x%lx-0x%lx, is not mapped",
					position, src->obj.id, first, last);
		if (map->node.last >= last)
			return 0;
		position = map->node.last + 1;
	}
}

/* The part of the mapping at src_iova that a copy of at most length bytes to dst_iova takes. */
static struct svf_mapping slice(struct svf_ioas *src, uint64_t src_iova, uint64_t dst_iova,
				uint64_t length, unsigned int prot)
{
	const struct svf_mapping *map = svf_iova_space_first(&src->space, src_iova, src_iova);
	uint64_t span = map->node.last - src_iova;

	if (span > length - 1)
		span = length - 1;
	return (struct svf_mapping){
		.node = {.first = dst_iova, .last = dst_iova + span},
		.prot = prot,
		.mm = map->mm,
		.vaddr = map->vaddr + (src_iova - map->node.first),
		.backing = map->backing,
		.offset = map->offset + (src_iova - map->node.first),
		.writable = map->writable,
		.of_file = map->of_file,
		.pages = map->pages,
	};
}

/* Of a copy of another mapping. */
static void take_references(struct svf_machine *machine, struct svf_mapping *map)
{
	map->mm = machine->port->mm_ref(map->mm);
	if (map->backing)
		map->backing = machine->port->backing_ref(map->backing);
	if (map->pages)
		svf_shared_pages_get(map->pages);
}

/* Whether all can be copied; from then on it is shared. */
static int check_slices(struct svf_ioas *dst, struct svf_call *call, struct svf_ioas *src,
			uint64_t src_first, const struct svf_ioas_map_request *request)
{
	for (uint64_t done = 0; done < request->length;) {
		struct svf_mapping map =
			slice(src, src_first + done, 0, request->length - done, request->prot);
		int err;

		if ((request->prot & SVF_MAP_WRITE) && !map.writable)
			return svf_fail(call, -EPERM,
					"IOVA 0x%lx of IOAS %u was not mapped writeable, so "
					"neither can a copy be",
					(src_first + done), src->obj.id);
		err = check_vaddr(dst, call, map.vaddr);
		if (err)
			return err;
		if (svf_mapping_share(
			    svf_iova_space_first(&src->space, src_first + done, src_first + done)))
			return svf_fail(call, -ENOMEM, "out of memory to share a mapping");
		done += map.node.last + 1;
	}
	return 0;
}

/* Everything in a range that a failed copy has filled. */
static void unmap_one(struct svf_ioas *ioas, struct svf_mapping *map)
{
	ioas->mapped -= map->node.last - map->node.first + 1;
	svf_iova_space_unmap(&ioas->space, map);
}

static void unmap_all_in(struct svf_ioas *ioas, uint64_t first, uint64_t last)
{
	struct svf_mapping *map;

	while ((map = svf_iova_space_first(&ioas->space, first, last)))
		unmap_one(ioas, map);
}

int svf_ioas_map_copy(struct svf_ioas *dst, struct svf_call *call, struct svf_ioas *src,
		      uint64_t src_first, const struct svf_ioas_map_request *request,
		      uint64_t *ret_iova)
{
	struct svf_machine *machine = dst->space.machine;
	struct svf_mapping map = slice(src, src_first, 0, request->length, request->prot);
	uint64_t iova = 0;
	int err;

	err = place(dst, call, request, map.vaddr, &iova);
	if (!err)
		err = check_slices(dst, call, src, src_first, request);
	if (err)
		return err;
	for (uint64_t done = 0; done < request->length;) {
		map = slice(src, src_first + done, iova + done, request->length - done,
			    request->prot);
		take_references(machine, &map);
		err = insert(dst, call, &map, src->domains);
		if (err) {
			if (done)
				unmap_all_in(dst, iova, iova + (done - 1));
			return err;
		}
		done += map.node.last - map.node.first + 1;
	}
	*ret_iova = iova;
	return 0;
}

/* With nobody to be told of each mapping, and no charge to be given back before this call ends. */
static bool can_unmap_at_once(const struct svf_ioas *ioas)
{
	return svf_list_empty(&ioas->accesses) && !ioas->space.machine->params.enforce_memlock;
}

static void unmap_at_once(struct svf_ioas *ioas)
{
	svf_ioas_forget_dirty(ioas, 0, UINT64_MAX);
	svf_iova_space_unmap_all(&ioas->space);
	ioas->mapped = 0;
}

int svf_ioas_unmap(struct svf_ioas *ioas, struct svf_call *call, uint64_t first, uint64_t last,
		   uint64_t *unmapped)
{
	struct svf_mapping *map = svf_iova_space_first(&ioas->space, first, last);

	*unmapped = 0;
	if (first == 0 && last == UINT64_MAX && can_unmap_at_once(ioas)) {
		*unmapped = ioas->mapped;
		unmap_at_once(ioas);
		return 0;
	}
	while (map && map->node.first <= last) {
		struct svf_mapping *next = mapping_next(map);
		int err = svf_ioas_check_locked(ioas, call, map->node.first, map->node.last);

		if (err)
			return err;
		if (map->node.first < first || map->node.last > last)
			return svf_fail(call, -ENOENT,
					"IOVA 0x%lx-0x%lx cuts the mapping 0x%lx-0x%lx; unmap "
					"whole mappings",
					first, last, map->node.first, map->node.last);
		svf_ioas_notify_unmap(ioas, map->node.first, map->node.last);
		svf_ioas_forget_dirty(ioas, map->node.first, map->node.last);
		*unmapped += map->node.last - map->node.first + 1;
		unmap_one(ioas, map);
		map = next;
	}
	return 0;
}

int svf_ioas_cut(struct svf_ioas *ioas, struct svf_call *call, uint64_t iova)
{
	struct svf_mapping *map = svf_iova_space_first(&ioas->space, iova, iova), right;
	struct svf_machine *machine = ioas->space.machine;
	uint64_t alignment = ioas->alignment, last;
	struct svf_shared_pages *shared;
	int err;

	if (!map || iova == map->node.first || iova == map->node.last)
		return 0;
	last = map->node.last;
	right = *map;
	right.node.first = iova + 1;
	right.vaddr += right.node.first - map->node.first;
	right.offset += right.node.first - map->node.first;
	if (!svf_is_aligned(right.node.first, alignment) || !svf_is_aligned(right.vaddr, alignment))
		return svf_fail(call, -EINVAL,
				"the mapping 0x%lx-0x%lx can be cut at multiples of 0x%lx only, "
				"not at 0x%lx",
				map->node.first, last, alignment, right.node.first);
	if (svf_ioas_pinned(ioas, map->node.first, last))
		return svf_fail(call, -EINVAL,
				"the mapping 0x%lx-0x%lx is pinned and cannot be cut",
				map->node.first, last);
	shared = map->accounted ? map->pages : NULL;
	err = shared ? svf_shared_pages_cut(shared, right.vaddr / SVF_IOMMU_PAGE_SIZE) : 0;
	if (err)
		return svf_fail(call, err, "out of memory to cut a mapping that has copies");
	/* The left part stays in its place in the tree, and the charge is divided with the pages. */
	map->node.last = iova;
	take_references(machine, &right);
	svf_outline_add(ioas, &right);
	err = svf_iova_space_map(&ioas->space, &right);
	if (!err)
		return 0;
	map->node.last = last;
	right.accounted = false; /* the left part has the charge of both */
	svf_mapping_fini(machine, &right);
	if (shared)
		svf_shared_pages_join(shared, right.vaddr / SVF_IOMMU_PAGE_SIZE);
	return svf_fail(call, err, "no room for one more DMA mapping to cut one in two");
}

/* Whether every mapping suits a higher alignment. */
static int check_alignment(struct svf_ioas *ioas, struct svf_call *call, uint64_t alignment)
{
	const struct svf_mapping *map;

	if (alignment <= ioas->alignment || svf_outline_is_aligned(ioas, alignment))
		return 0;
	for (map = svf_iova_space_first(&ioas->space, 0, UINT64_MAX); map; map = mapping_next(map))
		if (!svf_is_aligned(map->node.first, alignment) ||
		    !svf_is_aligned(map->node.last + 1, alignment) ||
		    !svf_is_aligned(map->vaddr, alignment))
			return svf_fail(call, -EADDRINUSE,
					"the mapping of IOAS %u at IOVA 0x%lx-0x%lx is not aligned "
					"to 0x%lx bytes",
					ioas->obj.id, map->node.first, map->node.last, alignment);
	return 0;
}

/* What large pages, domains and accesses together ask for. */
static uint64_t wanted_alignment(const struct svf_ioas *ioas)
{
	uint64_t alignment = ioas->disable_large_pages ? SVF_IOMMU_PAGE_SIZE : 1;
	const struct svf_access *access;
	const struct svf_hwpt *hwpt;

	svf_list_for_each(hwpt, &ioas->hwpts, ioas_link)
		if (smallest_page(&hwpt->domain) > alignment)
			alignment = smallest_page(&hwpt->domain);
	svf_list_for_each(access, &ioas->accesses, link)
		if (access->alignment > alignment)
			alignment = access->alignment;
	return alignment;
}

int svf_ioas_update_alignment(struct svf_ioas *ioas, struct svf_call *call)
{
	uint64_t alignment = wanted_alignment(ioas);
	int err = check_alignment(ioas, call, alignment);

	if (!err)
		ioas->alignment = alignment;
	return err;
}

void svf_ioas_relax_alignment(struct svf_ioas *ioas)
{
	/* Something went, so it cannot have become higher. */
	ioas->alignment = wanted_alignment(ioas);
}

/* The mappings before end (NULL: all). */
static void unpin_until(struct svf_ioas *ioas, const struct svf_mapping *end)
{
	struct svf_mapping *map = svf_iova_space_first(&ioas->space, 0, UINT64_MAX);

	for (; map && map != end; map = mapping_next(map))
		svf_mapping_unpin(ioas->space.machine, map);
}

/* Everything there is goes into the domain's table; its memory is pinned by the first domain. */
static int fill(struct svf_ioas *ioas, struct svf_call *call, const struct svf_domain *domain)
{
	struct svf_mapping *map = svf_iova_space_first(&ioas->space, 0, UINT64_MAX);
	bool pin = !ioas->domains;

	/* What all of it has in common may say that pinning has nothing to do. */
	pin = pin && !svf_outline_can_be_pinned(ioas);
	if (!pin && !domain->needs_write)
		return 0;
	for (; map; map = mapping_next(map)) {
		int err = pin ? svf_mapping_pin(ioas->space.machine, call, map, false) : 0;

		if (!err && domain->needs_write) {
			err = check_writable(call, map);
			if (err && pin)
				svf_mapping_unpin(ioas->space.machine, map);
		}
		if (err) {
			if (pin)
				unpin_until(ioas, map);
			return err;
		}
		ioas->outline.backed |= !!map->backing;
	}
	return 0;
}

static void unreserve_outside(struct svf_ioas *ioas, const struct svf_iova_range *aperture)
{
	if (aperture->first)
		svf_ioas_unreserve(ioas, 0, aperture->first - 1);
	if (aperture->last != UINT64_MAX)
		svf_ioas_unreserve(ioas, aperture->last + 1, UINT64_MAX);
}

static int reserve_outside(struct svf_ioas *ioas, struct svf_call *call,
			   const struct svf_iova_range *aperture)
{
	static const char what[] = "that the IOMMU does not reach";
	int err;

	if (aperture->first) {
		err = svf_ioas_reserve(ioas, call, 0, aperture->first - 1, what);
		if (err)
			return err;
	}
	if (aperture->last == UINT64_MAX)
		return 0;
	err = svf_ioas_reserve(ioas, call, aperture->last + 1, UINT64_MAX, what);
	if (err && aperture->first)
		svf_ioas_unreserve(ioas, 0, aperture->first - 1);
	return err;
}

int svf_ioas_add_domain(struct svf_ioas *ioas, struct svf_call *call,
			const struct svf_domain *domain)
{
	uint64_t alignment = smallest_page(domain);
	int err;

	assert(alignment && alignment <= SVF_IOMMU_PAGE_SIZE);
	err = check_alignment(ioas, call, alignment);
	if (!err)
		err = reserve_outside(ioas, call, &domain->aperture);
	if (err)
		return err;
	err = fill(ioas, call, domain);
	if (err) {
		unreserve_outside(ioas, &domain->aperture);
		return err;
	}
	if (alignment > ioas->alignment)
		ioas->alignment = alignment;
	ioas->domains++;
	ioas->writing_domains += domain->needs_write;
	return 0;
}

void svf_ioas_remove_domain(struct svf_ioas *ioas, const struct svf_domain *domain)
{
	assert(ioas->domains);
	unreserve_outside(ioas, &domain->aperture);
	ioas->writing_domains -= domain->needs_write;
	if (--ioas->domains == 0 && ioas->space.machine->params.enforce_memlock)
		unpin_until(ioas, NULL);
	svf_ioas_relax_alignment(ioas);
}

int svf_ioas_disable_large_pages(struct svf_ioas *ioas, struct svf_call *call)
{
	int err;

	if (ioas->disable_large_pages)
		return 0;
	if (ioas->domains && ioas->space.count)
		return svf_fail(call, -EINVAL,
				"IOAS %u has mappings that the IOMMU holds already, perhaps in "
				"large pages; unmap them first",
				ioas->obj.id);
	ioas->disable_large_pages = true;
	err = svf_ioas_update_alignment(ioas, call);
	if (err)
		ioas->disable_large_pages = false;
	return err;
}

void svf_ioas_enable_large_pages(struct svf_ioas *ioas)
{
	ioas->disable_large_pages = false;
	svf_ioas_relax_alignment(ioas);
}
