/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Choosing an IOVA for a MAP or COPY without FIXED_IOVA. The choice is the kernel's, because
 * clients see it: the lowest place in the allowed ranges (all, when none are set, less a page at
 * either end, so never 0) that is neither mapped nor reserved, with as much of the user
 * address's alignment kept as the length makes useful, 2 MiB at most, and the user address's offset
 * in its page. A hole of a single byte is passed over.
 *
 * The search walks all mappings below the place it finds: linear in their number, whose bound is
 * the machine's, as it is in the kernel.
 */
#include <errno.h>

#include "base/checked.h"
#include "core/iommufd/objects.h"

#define HUGE_PAGE_SIZE 0x200000u
#define LOWEST	       ((uint64_t)SVF_IOMMU_PAGE_SIZE)
#define HIGHEST	       (UINT64_MAX - SVF_IOMMU_PAGE_SIZE)

/* What is to be placed. */
struct placing {
	uint64_t length, alignment, page_offset;
};

static uint64_t round_up_power_of_two(uint64_t value)
{
	return value <= 1 ? 1 : 1ull << (64 - __builtin_clzll(value - 1));
}

/* Moves range->first up to the first place in the range. False: there is none. */
static bool fit(const struct placing *placing, struct svf_iova_range *range)
{
	uint64_t first;

	if (__builtin_add_overflow(range->first, placing->alignment - 1, &first))
		return false;
	first &= ~(placing->alignment - 1);
	first |= placing->page_offset;
	if (first >= range->last || range->last - first < placing->length - 1)
		return false;
	range->first = first;
	return true;
}

/* A place between what is mapped and reserved in *range. */
static bool fit_hole(const struct svf_ioas *ioas, const struct placing *placing,
		     struct svf_iova_range range, uint64_t *ret)
{
	const struct svf_itree_node *map =
		svf_itree_first(&ioas->space.tree, range.first, range.last);
	uint64_t position = range.first;

	for (;;) {
		struct svf_iova_range hole = {position, range.last}, used;
		bool any = svf_ioas_first_reserved(ioas, position, range.last, &used);

		if (map && map->first <= range.last && (!any || map->first < used.first)) {
			used = (struct svf_iova_range){map->first, map->last};
			map = svf_itree_next(map);
			any = true;
		}
		if (any)
			hole.last = used.first - 1;
		if ((!any || used.first > position) && fit(placing, &hole)) {
			*ret = hole.first;
			return true;
		}
		if (!any || used.last >= range.last)
			return false;
		position = used.last + 1;
	}
}

/*
 * The next allowed range at or after position, adjacent ones taken together, within LOWEST to
 * HIGHEST. False: no more.
 */
static bool next_allowed(const struct svf_ioas *ioas, uint64_t position, struct svf_iova_range *ret)
{
	const struct svf_itree_node *node;

	if (position > HIGHEST)
		return false;
	*ret = (struct svf_iova_range){position, HIGHEST};
	if (!ioas->allowed.root)
		return true;
	node = svf_itree_first(&ioas->allowed, position, HIGHEST);
	if (!node)
		return false;
	if (node->first > position)
		ret->first = node->first;
	ret->last = node->last;
	while (ret->last < HIGHEST && (node = svf_itree_next(node)) && node->first == ret->last + 1)
		ret->last = node->last;
	if (ret->last > HIGHEST)
		ret->last = HIGHEST;
	return true;
}

static int placing_init(const struct svf_ioas *ioas, struct svf_call *call, uint64_t vaddr,
			uint64_t length, struct placing *ret)
{
	uint64_t alignment;

	if (!length || length >= UINT64_MAX / 2)
		return svf_fail(call, -EOVERFLOW,
				"length 0x%lx is more than an IOVA can be chosen for", length);
	alignment = round_up_power_of_two(length);
	if (vaddr && (vaddr & -vaddr) < alignment)
		alignment = vaddr & -vaddr;
	if (alignment > HUGE_PAGE_SIZE)
		alignment = HUGE_PAGE_SIZE;
	if (alignment < ioas->alignment)
		return svf_fail(call, -EINVAL,
				"user address 0x%lx and length 0x%lx must be multiples of 0x%lx",
				vaddr, length, ioas->alignment);
	*ret = (struct placing){length, alignment, vaddr % SVF_IOMMU_PAGE_SIZE};
	return 0;
}

int svf_ioas_alloc_iova(struct svf_ioas *ioas, struct svf_call *call, uint64_t vaddr,
			uint64_t length, uint64_t *ret)
{
	struct svf_iova_range allowed = {0, LOWEST - 1};
	struct placing placing = {0};
	int err;

	err = placing_init(ioas, call, vaddr, length, &placing);
	if (err)
		return err;
	while (next_allowed(ioas, allowed.last + 1, &allowed)) {
		struct svf_iova_range range = allowed;

		if (fit(&placing, &range) && fit_hole(ioas, &placing, range, ret))
			return 0;
	}
	return svf_fail(call, -ENOSPC, "no free 0x%lx bytes of IOVA in what is allowed to IOAS %u",
			length, ioas->obj.id);
}
