/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which IOMMU group a function belongs to, as Linux computes it for PCI when a function is found:
 *
 *   1. If DMA from it reaches the IOMMU under another requester id, because a bridge to
 *      conventional PCI is above it, that bridge stands for it; the group of anything met on the
 *      way is its group.
 *   2. From there upwards, as long as ACS is not enabled on every port up to the root, it can be
 *      reached from beside; it joins the group of the first bridge that has one.
 *   3. Functions of the same bus that use each other's requester id (DMA aliases: quirks.c, or the
 *      option dma-alias) share a group, as do functions of one slot that ACS does not keep apart,
 *      and whatever is aliased to those in turn.
 *   4. Otherwise it has a group of its own.
 *
 * ACS counts as enabled when Source Validation, Request and Completion Redirect and Upstream
 * Forwarding are on, as far as the function implements them; single-function endpoints need
 * none, conventional PCI never has it, some devices are known to need none (quirks.c). A VF counts
 * as a single function. Nothing is ever regrouped: a function that comes later (a VF) is placed among
 * the groups there are.
 */
#include "core/iommu/grouping.h"

#include <linux/pci.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/iommu/group.h"
#include "core/iommu/requester.h"
#include "core/pci/bus.h"
#include "core/pci/function.h"
#include "core/pci/quirks.h"

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
	if (svf_quirks_isolated(fn))
		return true;
	if (!fn->cap_exp)
		return false;
	switch (fn->pcie_type) {
	case PCI_EXP_TYPE_PCIE_BRIDGE:
	case PCI_EXP_TYPE_PCI_BRIDGE:
	case PCI_EXP_TYPE_RC_EC:
		return false;
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
		return acs_controls_on(fn);
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_LEG_END:
	case PCI_EXP_TYPE_UPSTREAM:
	case PCI_EXP_TYPE_RC_END:
		return !is_multifunction(fn) || acs_controls_on(fn);
	default:
		return true;
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

static bool is_pcie_to_pci(const struct svf_function *bridge)
{
	return bridge->cap_exp ? bridge->pcie_type == PCI_EXP_TYPE_PCI_BRIDGE
			       : svf_quirks_hides_express(bridge);
}

static struct svf_function *alias_above(const struct svf_function *fn)
{
	struct svf_function *bridge;

	for (bridge = fn->bus->bridge; bridge; bridge = bridge->bus->bridge)
		if (speaks_for_others(bridge))
			return bridge;
	return NULL;
}

/* The topmost of them, whose requester id arrives in the end. */
const struct svf_function *svf_iommu_requester_bridge(const struct svf_function *fn)
{
	const struct svf_function *bridge, *top = NULL;

	for (bridge = alias_above(fn); bridge; bridge = alias_above(bridge))
		top = bridge;
	return top;
}

struct svf_bdf svf_iommu_requester_id(const struct svf_function *fn)
{
	const struct svf_function *bridge = svf_iommu_requester_bridge(fn);

	if (!bridge)
		return fn->bdf;
	/* Such a bridge uses device 0, function 0 of the bus below it. */
	if (bridge->subordinate && is_pcie_to_pci(bridge))
		return (struct svf_bdf){.domain = bridge->bdf.domain,
					.bus = bridge->subordinate->number};
	return bridge->bdf;
}

void svf_iommu_requester_ids(const struct svf_function *fn, struct svf_requester_ids *ret)
{
	const struct svf_function *bridge = svf_iommu_requester_bridge(fn);
	const struct svf_function *source = bridge ? bridge : fn;
	struct svf_bdf id = svf_iommu_requester_id(fn);

	*ret = (struct svf_requester_ids){.domain = id.domain, .bus = id.bus};
	if (id.bus == source->bdf.bus)
		memcpy(ret->devfn, source->dma_aliases, sizeof(ret->devfn));
	ret->devfn[id.devfn / 64] |= 1ull << id.devfn % 64;
}

/* --- step 3: aliases and neighbours of one bus --- */

/* Which functions of the bus have been looked at; two with aliases to each other are no loop. */
struct seen {
	bool devfn[256];
};

static bool same_bus(const struct svf_function *a, const struct svf_function *b)
{
	return a != b && a->bdf.bus == b->bdf.bus;
}

static bool are_aliases(const struct svf_function *a, const struct svf_function *b)
{
	return svf_function_has_dma_alias(a, b->bdf.devfn) ||
	       svf_function_has_dma_alias(b, a->bdf.devfn);
}

static struct svf_iommu_group *group_of_slot(const struct svf_function *fn, struct seen *seen);

/* Its own group, that of an alias, or of what is not kept apart from an alias. */
static struct svf_iommu_group *group_of_aliases(const struct svf_function *fn, struct seen *seen)
{
	struct svf_iommu_group *group = NULL;
	const struct svf_function *other;

	if (seen->devfn[fn->bdf.devfn])
		return NULL;
	seen->devfn[fn->bdf.devfn] = true;
	if (fn->group)
		return fn->group;
	svf_list_for_each(other, &fn->bus->functions, bus_link) {
		if (!same_bus(other, fn) || !are_aliases(fn, other))
			continue;
		group = group_of_aliases(other, seen);
		if (!group)
			group = group_of_slot(other, seen);
		if (group)
			break;
	}
	return group;
}

/* Of a function of its slot that is not kept apart from it, or of an alias of such a one. */
static struct svf_iommu_group *group_of_slot(const struct svf_function *fn, struct seen *seen)
{
	struct svf_iommu_group *group = NULL;
	const struct svf_function *other;

	if (!is_multifunction(fn) || is_isolated(fn))
		return NULL;
	svf_list_for_each(other, &fn->bus->functions, bus_link) {
		if (!same_bus(other, fn) || is_isolated(other) ||
		    PCI_SLOT(other->bdf.devfn) != PCI_SLOT(fn->bdf.devfn))
			continue;
		group = group_of_aliases(other, seen);
		if (group)
			break;
	}
	return group;
}

/* --- all steps --- */

struct svf_iommu_group *svf_grouping_lookup(struct svf_function *fn)
{
	struct svf_function *top = fn, *above;
	struct svf_iommu_group *group;
	struct seen seen = {0};
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
	group = group_of_aliases(top, &seen);
	return group ? group : group_of_slot(top, &seen);
}
