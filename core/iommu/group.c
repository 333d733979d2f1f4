/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOMMU groups: their members, and who owns their DMA. Which group a function joins is computed in
 * grouping.c.
 *
 * Ids are the lowest free ones, as Linux gives them out: remove the VFs and make them again, and
 * they are in groups of the same numbers.
 *
 * Ownership: claim and release count for one owner; the kernel's own drivers share a group among
 * themselves but never with a user.
 */
#include "core/iommu/group.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/iommu/grouping.h"
#include "core/iommu/iova_space.h"
#include "core/iommu/requester.h"
#include "core/machine.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"

static int group_alloc(struct svf_machine *machine, struct svf_iommu_group **ret)
{
	struct svf_iommu_group *group = calloc(1, sizeof(*group)), *it;

	if (!group)
		return -ENOMEM;
	group->machine = machine;
	svf_list_init(&group->functions);
	svf_list_init(&group->requesters);
	svf_list_for_each(it, &machine->groups, link) {
		if (it->id != group->id)
			break;
		group->id++;
	}
	/* Before the first group with a higher id, or at the end: the list stays in order. */
	svf_list_add_tail(&it->link, &group->link);
	*ret = group;
	return 0;
}

static void group_free(struct svf_iommu_group *group)
{
	/* Its owner held a device of it open, and a function with an open device does not go. */
	assert(!group->owner_count && !group->space && !group->vfio);
	assert(svf_list_empty(&group->requesters));
	svf_list_del(&group->link);
	free(group);
}

struct svf_iommu_group *svf_iommu_group_lookup(struct svf_machine *machine, unsigned int id)
{
	struct svf_iommu_group *group;

	svf_list_for_each(group, &machine->groups, link)
		if (group->id == id)
			return group;
	return NULL;
}

/* Who does it, for messages: vfio-pci or nobody yet. */
static const char *actor(const struct svf_iommu_group *group)
{
	return group->noiommu ? "vfio-pci" : "pci";
}

/* The group may be one that was made for it. */
static int join(struct svf_iommu_group *group, struct svf_function *fn)
{
	int err = svf_requester_join(group, fn);

	if (err) {
		if (svf_list_empty(&group->functions))
			group_free(group);
		return err;
	}
	fn->group = group;
	svf_list_add_tail(&group->functions, &fn->group_link);
	svf_log(fn->machine, "%s " SVF_BDF_FMT ": Adding to iommu group %u", actor(group),
		SVF_BDF_ARG(fn->bdf), group->id);
	return 0;
}

int svf_iommu_group_add_function(struct svf_function *fn)
{
	struct svf_iommu_group *group = svf_grouping_lookup(fn);
	int err;

	assert(!fn->group);
	if (!group) {
		err = group_alloc(fn->machine, &group);
		if (err)
			return err;
	}
	return join(group, fn);
}

int svf_iommu_group_add_noiommu(struct svf_function *fn)
{
	struct svf_iommu_group *group;
	int err;

	assert(!fn->group && !fn->machine->params.iommu);
	err = group_alloc(fn->machine, &group);
	if (err)
		return err;
	group->noiommu = true;
	return join(group, fn);
}

void svf_iommu_group_remove_function(struct svf_function *fn)
{
	struct svf_iommu_group *group = fn->group;

	if (!group)
		return;
	svf_log(fn->machine, "%s " SVF_BDF_FMT ": Removing from iommu group %u", actor(group),
		SVF_BDF_ARG(fn->bdf), group->id);
	svf_list_del(&fn->group_link);
	svf_requester_leave(fn);
	fn->group = NULL;
	if (svf_list_empty(&group->functions))
		group_free(group);
}

int svf_iommu_group_use_kernel_dma(struct svf_iommu_group *group, struct svf_call *call)
{
	if (group->owner)
		return svf_fail(call, -EBUSY,
				"IOMMU group %u is owned by a VFIO user; close its group and "
				"device files first",
				group->id);
	group->owner_count++;
	return 0;
}

void svf_iommu_group_unuse_kernel_dma(struct svf_iommu_group *group)
{
	assert(group->owner_count && !group->owner);
	group->owner_count--;
}

/* A member whose driver does DMA itself, or NULL. */
static const struct svf_function *kernel_user(const struct svf_iommu_group *group)
{
	const struct svf_function *fn;

	svf_list_for_each(fn, &group->functions, group_link)
		if (fn->driver && !fn->driver->managed_dma)
			return fn;
	return NULL;
}

static int claim_refused(const struct svf_iommu_group *group, struct svf_call *call)
{
	const struct svf_function *fn = kernel_user(group);

	if (group->owner)
		return svf_fail(call, -EBUSY,
				"IOMMU group %u is already owned by another VFIO user", group->id);
	if (!fn)
		return svf_fail(call, -EBUSY,
				"IOMMU group %u is not viable: a driver of it does DMA", group->id);
	return svf_fail(call, -EBUSY,
			"IOMMU group %u is not viable: " SVF_BDF_FMT
			" is bound to %s; unbind it or bind it to vfio-pci",
			group->id, SVF_BDF_ARG(fn->bdf), fn->driver->name);
}

bool svf_iommu_group_claimable(const struct svf_iommu_group *group, const void *owner)
{
	return group->owner_count == 0 || (owner && group->owner == owner);
}

int svf_iommu_group_claim(struct svf_iommu_group *group, struct svf_call *call, const void *owner)
{
	assert(owner);
	if (!svf_iommu_group_claimable(group, owner))
		return claim_refused(group, call);
	group->owner = owner;
	group->owner_count++;
	return 0;
}

void svf_iommu_group_release(struct svf_iommu_group *group)
{
	assert(group->owner && group->owner_count);
	if (--group->owner_count == 0)
		group->owner = NULL;
}

void svf_iommu_group_set_space(struct svf_iommu_group *group, struct svf_iova_space *space)
{
	struct svf_requester *requester;

	group->space = space;
	svf_list_for_each(requester, &group->requesters, link)
		svf_requester_set_space(requester, space);
}
