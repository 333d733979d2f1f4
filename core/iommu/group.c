/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOMMU groups: how functions are put into them, and who owns their DMA.
 *
 * Grouping is what Linux computes for PCI, step by step for one new function:
 *   1. If DMA from it reaches the IOMMU under another requester id, because a bridge to
 *      conventional PCI is above it, that bridge stands for it; the group of anything met on the
 *      way is its group.
 *   2. From there upwards, as long as ACS is not enabled on every port up to the root, it can be
 *      reached from beside; it joins the group of the first bridge that has one.
 *   3. Functions of one slot that ACS does not keep apart share a group.
 *   4. Otherwise it has a group of its own.
 * ACS counts as enabled when Source Validation, Request and Completion Redirect and Upstream
 * Forwarding are on, as far as the function implements them; single-function endpoints need
 * none, conventional PCI never has it. A VF counts as a single function. Nothing is ever regrouped:
 * a function that comes later (a VF) is placed among the groups there are.
 *
 * Linux's exceptions for particular devices (requester id quirks, devices known to be isolated
 * without an ACS capability) are not mirrored: a software device says what it is.
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
#include <linux/pci.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/iommu/iova_space.h"
#include "core/machine.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"

/* PCI_HEADER_TYPE_MFD, which headers before Linux 6.7 lack. */
#define HEADER_MULTIFUNCTION 0x80u

/* The controls that isolation needs. */
#define ACS_ISOLATION (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

static bool is_multifunction(const struct svf_function *fn)
{
	if (fn->physfn)
		return false;
	return (fn->config[PCI_HEADER_TYPE] & HEADER_MULTIFUNCTION) || PCI_FUNC(fn->bdf.devfn);
}

static bool acs_controls_on(const struct svf_function *fn)
{
	uint16_t need, on;

	if (!fn->ext_acs)
		return false;
	need = ACS_ISOLATION & svf_get_le16(fn->config + fn->ext_acs + PCI_ACS_CAP);
	on = svf_get_le16(fn->config + fn->ext_acs + PCI_ACS_CTRL);
	return (on & need) == need;
}

/* Whether ACS, or having nobody beside it, keeps the function's DMA from its neighbours. */
static bool is_isolated(const struct svf_function *fn)
{
	if (!fn->cap_exp)
		return false;
	switch (fn->pcie_type) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
		return acs_controls_on(fn);
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_LEG_END:
	case PCI_EXP_TYPE_UPSTREAM:
	case PCI_EXP_TYPE_RC_END:
		return !is_multifunction(fn) || acs_controls_on(fn);
	default:
		return false;
	}
}

static bool path_is_isolated(const struct svf_function *bridge)
{
	for (; bridge; bridge = bridge->bus->bridge)
		if (!is_isolated(bridge))
			return false;
	return true;
}

/* Whether requests from behind the bridge arrive above it under a requester id of the bridge's. */
static bool speaks_for_others(const struct svf_function *bridge)
{
	return !bridge->cap_exp || bridge->pcie_type == PCI_EXP_TYPE_PCI_BRIDGE ||
	       bridge->pcie_type == PCI_EXP_TYPE_PCIE_BRIDGE;
}

static struct svf_function *alias_above(const struct svf_function *fn)
{
	struct svf_function *bridge;

	for (bridge = fn->bus->bridge; bridge; bridge = bridge->bus->bridge)
		if (speaks_for_others(bridge))
			return bridge;
	return NULL;
}

struct svf_bdf svf_iommu_requester_id(const struct svf_function *fn)
{
	struct svf_bdf id = fn->bdf;
	const struct svf_function *bridge;

	for (bridge = alias_above(fn); bridge; bridge = alias_above(bridge)) {
		id = bridge->bdf;
		/* The bridge uses device 0, function 0 of the bus below it. */
		if (bridge->cap_exp && bridge->pcie_type == PCI_EXP_TYPE_PCI_BRIDGE &&
		    bridge->subordinate)
			id = (struct svf_bdf){.domain = id.domain,
					      .bus = bridge->subordinate->number};
	}
	return id;
}

/* Step 3: a function of top's slot that is not kept apart from it and has a group. */
static struct svf_iommu_group *group_of_slot(const struct svf_function *top)
{
	struct svf_function *other;

	if (!is_multifunction(top) || is_isolated(top))
		return NULL;
	svf_list_for_each(other, &top->bus->functions, bus_link)
		if (other != top && other->group &&
		    PCI_SLOT(other->bdf.devfn) == PCI_SLOT(top->bdf.devfn) && !is_isolated(other))
			return other->group;
	return NULL;
}

/* Steps 1 to 3. NULL: a new group is needed. */
static struct svf_iommu_group *group_find(struct svf_function *fn)
{
	struct svf_function *top = fn, *above;
	struct svf_bus *bus;

	for (above = alias_above(fn); above; above = alias_above(above)) {
		top = above;
		if (top->group)
			return top->group;
	}
	for (bus = top->bus; bus->bridge && !path_is_isolated(bus->bridge);
	     bus = bus->bridge->bus) {
		top = bus->bridge;
		if (top->group)
			return top->group;
	}
	return group_of_slot(top);
}

static int group_alloc(struct svf_machine *machine, struct svf_iommu_group **ret)
{
	struct svf_iommu_group *group = calloc(1, sizeof(*group)), *it;

	if (!group)
		return -ENOMEM;
	group->machine = machine;
	svf_list_init(&group->functions);
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

struct svf_iommu_group *svf_iommu_group_lookup(struct svf_machine *machine, unsigned int id)
{
	struct svf_iommu_group *group;

	svf_list_for_each(group, &machine->groups, link)
		if (group->id == id)
			return group;
	return NULL;
}

int svf_iommu_group_add_function(struct svf_function *fn)
{
	struct svf_iommu_group *group = group_find(fn);
	int err;

	assert(!fn->group);
	if (!group) {
		err = group_alloc(fn->machine, &group);
		if (err)
			return err;
	}
	fn->group = group;
	svf_list_add_tail(&group->functions, &fn->group_link);
	svf_log(fn->machine, "pci " SVF_BDF_FMT ": Adding to iommu group %u", SVF_BDF_ARG(fn->bdf),
		group->id);
	return 0;
}

void svf_iommu_group_remove_function(struct svf_function *fn)
{
	struct svf_iommu_group *group = fn->group;

	if (!group)
		return;
	svf_log(fn->machine, "pci " SVF_BDF_FMT ": Removing from iommu group %u",
		SVF_BDF_ARG(fn->bdf), group->id);
	svf_list_del(&fn->group_link);
	fn->group = NULL;
	if (!svf_list_empty(&group->functions))
		return;
	/* Its owner held a device of it open, and a function with an open device does not go. */
	assert(!group->owner_count && !group->space && !group->vfio);
	svf_list_del(&group->link);
	free(group);
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
	if (group->space == space)
		return;
	if (group->space)
		group->space->attached--;
	if (space)
		space->attached++;
	group->space = space;
	group->faults = 0;
}
