/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requesters: who is in which, and what it is attached to. See requester.h.
 *
 * One that joins may have the ids of several requesters (a function that is an alias of two
 * others comes last). These are made one then, which is possible as long as at most one of them is
 * in use: so it is at boot and after a rescan of a bus. Otherwise the newcomer is refused, because
 * its DMA would be translated by two spaces. Nothing is ever made two again: what is away comes
 * back.
 *
 * A container attaches whole groups (group->space); what comes later is attached as they are.
 */
#include "core/iommu/requester.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/machine.h"
#include "core/pci/function.h"

static bool intersect(const struct svf_requester_ids *a, const struct svf_requester_ids *b)
{
	if (a->domain != b->domain || a->bus != b->bus)
		return false;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(a->devfn); i++)
		if (a->devfn[i] & b->devfn[i])
			return true;
	return false;
}

static void add_ids(struct svf_requester_ids *to, const struct svf_requester_ids *ids)
{
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(to->devfn); i++)
		to->devfn[i] |= ids->devfn[i];
}

/* A group without an IOMMU has one function; nobody tells its DMA apart from anything. */
static bool is_whole_group(const struct svf_iommu_group *group)
{
	return group->noiommu || !group->machine->params.per_device;
}

/* The first that a function with the ids belongs to, behind after (NULL: of all). */
static struct svf_requester *lookup(const struct svf_iommu_group *group,
				    const struct svf_requester_ids *ids,
				    const struct svf_requester *after)
{
	struct svf_requester *it;
	bool behind = !after;

	svf_list_for_each(it, &group->requesters, link) {
		if (behind && (is_whole_group(group) || intersect(&it->ids, ids)))
			return it;
		behind |= it == after;
	}
	return NULL;
}

static struct svf_requester *requester_alloc(struct svf_iommu_group *group,
					     const struct svf_requester_ids *ids)
{
	struct svf_requester *requester = calloc(1, sizeof(*requester));

	if (!requester)
		return NULL;
	requester->group = group;
	requester->ids = *ids;
	svf_list_add_tail(&group->requesters, &requester->link);
	svf_requester_set_space(requester, group->space);
	return requester;
}

static void requester_free(struct svf_requester *requester)
{
	svf_requester_set_space(requester, NULL);
	svf_list_del(&requester->link);
	free(requester);
}

/* All of from is in to. */
static void merge(struct svf_requester *to, struct svf_requester *from)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &to->group->functions, group_link)
		if (fn->requester == from)
			fn->requester = to;
	add_ids(&to->ids, &from->ids);
	to->functions += from->functions;
	requester_free(from);
}

/* The one of several that stays: which is in use, if any is. NULL: more than one is. */
static struct svf_requester *keeper(const struct svf_iommu_group *group,
				    const struct svf_requester_ids *ids,
				    struct svf_requester *first)
{
	struct svf_requester *it = first, *keep = first;

	while ((it = lookup(group, ids, it))) {
		if (it->users && keep->users)
			return NULL;
		if (it->users)
			keep = it;
	}
	return keep;
}

int svf_requester_join(struct svf_iommu_group *group, struct svf_function *fn)
{
	struct svf_requester *requester, *other, *next;
	struct svf_requester_ids ids;

	svf_iommu_requester_ids(fn, &ids);
	requester = lookup(group, &ids, NULL);
	if (!requester)
		requester = requester_alloc(group, &ids);
	else
		requester = keeper(group, &ids, requester);
	if (!requester)
		return lookup(group, &ids, NULL) ? -EBUSY : -ENOMEM;
	for (other = lookup(group, &ids, NULL); other; other = next) {
		next = lookup(group, &ids, other);
		if (other != requester)
			merge(requester, other);
	}
	add_ids(&requester->ids, &ids);
	requester->functions++;
	fn->requester = requester;
	return 0;
}

void svf_requester_leave(struct svf_function *fn)
{
	struct svf_requester *requester = fn->requester;

	fn->requester = NULL;
	if (--requester->functions == 0)
		requester_free(requester);
}

void svf_requester_set_space(struct svf_requester *requester, struct svf_iova_space *space)
{
	requester->via = NULL;
	if (requester->space == space)
		return;
	if (requester->space)
		requester->space->attached--;
	if (space)
		space->attached++;
	requester->space = space;
	requester->faults = 0;
	if (!space)
		requester->detached = svf_deed_now(requester->group->machine);
}

/* --- reasons --- */

/* Another of its requester, one that can be attached if there is any. */
static const struct svf_function *sharer(const struct svf_function *fn)
{
	const struct svf_function *other, *found = fn;

	svf_list_for_each(other, &fn->group->functions, group_link) {
		if (other == fn || other->requester != fn->requester)
			continue;
		if (other->device)
			return other;
		found = other;
	}
	return found;
}

const char *svf_requester_sharing(const struct svf_function *fn, char *text, size_t size)
{
	const struct svf_function *other = sharer(fn), *bridge = svf_iommu_requester_bridge(fn);
	struct svf_bdf id = svf_iommu_requester_id(fn);

	if (is_whole_group(fn->group))
		svf_fmt(text, size, "IOMMU group %u has one attachment for all its devices",
			fn->group->id);
	else if (bridge)
		svf_fmt(text, size,
			"DMA of " SVF_BDF_FMT " and of " SVF_BDF_FMT
			" arrives under one requester id, " SVF_BDF_FMT
			", of the bridge " SVF_BDF_FMT,
			SVF_BDF_ARG(fn->bdf), SVF_BDF_ARG(other->bdf), SVF_BDF_ARG(id),
			SVF_BDF_ARG(bridge->bdf));
	else
		svf_fmt(text, size,
			"DMA of " SVF_BDF_FMT " and of " SVF_BDF_FMT
			" arrives under a common requester id: they are DMA aliases",
			SVF_BDF_ARG(fn->bdf), SVF_BDF_ARG(other->bdf));
	return text;
}
