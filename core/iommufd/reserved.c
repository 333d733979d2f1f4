/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reserved ranges of an IOAS: where a domain's aperture does not reach, where a device has its MSI
 * window, and what a test reserves. They come and go with domains and devices, overlap each other
 * freely, and are usually few and the same ones again: each is kept once, with a count of who
 * reserved exactly it, in order of where it begins.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/iommufd/objects.h"

/* Different ranges in one IOAS. Domains and devices bring a handful. */
#define RESERVED_MAX 1024u

struct svf_reserved {
	struct svf_list link; /* ioas->reserved */
	struct svf_iova_range range;
	unsigned int count;
};

/* Nothing may be mapped or allowed in a range that becomes reserved. */
static int check_reservable(struct svf_ioas *ioas, struct svf_call *call, uint64_t first,
			    uint64_t last, const char *what)
{
	const struct svf_mapping *map = svf_iova_space_first(&ioas->space, first, last);
	const struct svf_itree_node *allowed;

	if (map)
		return svf_fail(
			call, -EADDRINUSE,
			"IOAS %u has a mapping at IOVA 0x%lx-0x%lx, in the range 0x%lx-0x%lx %s",
			ioas->obj.id, map->node.first, map->node.last, first, last, what);
	allowed = svf_itree_first(&ioas->allowed, first, last);
	if (allowed)
		return svf_fail(call, -EADDRINUSE,
				"ALLOW_IOVAS promised IOVA 0x%lx-0x%lx of IOAS %u, in the range "
				"0x%lx-0x%lx %s",
				allowed->first, allowed->last, ioas->obj.id, first, last, what);
	return 0;
}

static bool is_same(const struct svf_reserved *reserved, uint64_t first, uint64_t last)
{
	return reserved->range.first == first && reserved->range.last == last;
}

int svf_ioas_reserve(struct svf_ioas *ioas, struct svf_call *call, uint64_t first, uint64_t last,
		     const char *what)
{
	struct svf_reserved *reserved, *new;
	int err = check_reservable(ioas, call, first, last, what);

	if (err)
		return err;
	svf_list_for_each(reserved, &ioas->reserved, link) {
		if (is_same(reserved, first, last)) {
			reserved->count++;
			return 0;
		}
		if (reserved->range.first > first)
			break;
	}
	new = ioas->reserved_count < RESERVED_MAX ? calloc(1, sizeof(*new)) : NULL;
	if (!new)
		return svf_fail(call, -ENOMEM,
				"no room for one more reserved range; IOAS %u has %u", ioas->obj.id,
				ioas->reserved_count);
	new->range = (struct svf_iova_range){first, last};
	new->count = 1;
	/* Before the one that begins behind it, or at the end of the list. */
	svf_list_add_tail(&reserved->link, &new->link);
	ioas->reserved_count++;
	return 0;
}

static void drop(struct svf_ioas *ioas, struct svf_reserved *reserved)
{
	svf_list_del(&reserved->link);
	ioas->reserved_count--;
	free(reserved);
}

void svf_ioas_unreserve(struct svf_ioas *ioas, uint64_t first, uint64_t last)
{
	struct svf_reserved *reserved;

	svf_list_for_each(reserved, &ioas->reserved, link) {
		if (!is_same(reserved, first, last))
			continue;
		if (--reserved->count == 0)
			drop(ioas, reserved);
		return;
	}
	assert(!"never reserved");
}

void svf_ioas_reserved_fini(struct svf_ioas *ioas)
{
	struct svf_reserved *reserved, *tmp;

	svf_list_for_each_safe(reserved, tmp, &ioas->reserved, link)
		drop(ioas, reserved);
}

bool svf_ioas_first_reserved(const struct svf_ioas *ioas, uint64_t first, uint64_t last,
			     struct svf_iova_range *ret)
{
	const struct svf_reserved *reserved;

	svf_list_for_each(reserved, &ioas->reserved, link) {
		if (reserved->range.last < first || reserved->range.first > last)
			continue;
		*ret = reserved->range;
		return true;
	}
	return false;
}

bool svf_ioas_next_usable(const struct svf_ioas *ioas, uint64_t position,
			  struct svf_iova_range *ret)
{
	struct svf_iova_range reserved;

	while (svf_ioas_first_reserved(ioas, position, position, &reserved)) {
		if (reserved.last == UINT64_MAX)
			return false;
		position = reserved.last + 1;
	}
	ret->first = position;
	ret->last = UINT64_MAX;
	if (svf_ioas_first_reserved(ioas, position, UINT64_MAX, &reserved))
		ret->last = reserved.first - 1;
	return true;
}
