/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pass 2 of building: bus numbers.
 *
 * Numbers are given depth first, as firmware does: a bridge's own bus, then what is behind it, so
 * that each bridge forwards one range. A PF whose VFs reach beyond its bus gets the numbers after
 * it kept free. What hangs below one port of the root bus is one block of consecutive numbers;
 * blocks that contain a bus whose number was asked for are placed first, where that number comes
 * out, and the others take the lowest gaps that are left.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "core/pci/build.h"
#include "core/pci/bus.h"
#include "core/pci/function.h"

#define BUSES 256u

/* Bus numbers that VFs of functions on the bus need beyond the bus's own. */
static unsigned int extra_buses(const struct svf_bus *bus)
{
	const struct svf_function *fn;
	unsigned int max = 0;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		const struct svf_sriov *sriov = &fn->sriov;
		unsigned int last;

		if (!sriov->cap)
			continue;
		last = (fn->bdf.devfn + sriov->offset + sriov->stride * (sriov->total_vfs - 1u)) >>
		       8;
		if (last > max)
			max = last;
	}
	return max;
}

static bool has_wanted(const struct svf_bus *bus)
{
	const struct svf_function *fn;

	if (bus->wanted)
		return true;
	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->subordinate && has_wanted(fn->subordinate))
			return true;
	}
	return false;
}

/*
 * Numbers the bus and everything behind it from first on. False: that does not give each the number
 * it wants, or numbers run out.
 */
static bool number_block(struct svf_bus *bus, unsigned int first, unsigned int *ret_last)
{
	unsigned int number = bus->wanted ? bus->wanted : first;
	unsigned int last = number + extra_buses(bus);
	struct svf_function *fn;

	if (number < first || last >= BUSES)
		return false;
	bus->number = (uint8_t)number;
	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->subordinate && !number_block(fn->subordinate, last + 1, &last))
			return false;
	}
	bus->last = (uint8_t)last;
	*ret_last = last;
	return true;
}

static bool is_free(const bool used[BUSES], unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++) {
		if (used[i])
			return false;
	}
	return true;
}

/*
 * A block with a wanted number begins as late as it can, so that no numbers lie idle before that
 * one.
 */
static bool place_block(struct svf_bus *bus, bool used[BUSES], bool wanted)
{
	unsigned int last;

	for (unsigned int i = 1; i < BUSES; i++) {
		unsigned int first = wanted ? BUSES - i : i;

		if (!number_block(bus, first, &last) || !is_free(used, bus->number, last))
			continue;
		memset(used + bus->number, true, last - bus->number + 1);
		return true;
	}
	return false;
}

static int place_blocks(struct svf_build *build, bool used[BUSES], bool wanted)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &build->root->functions, bus_link) {
		struct svf_bus *bus = fn->subordinate;

		if (!bus || has_wanted(bus) != wanted || place_block(bus, used, wanted))
			continue;
		if (wanted)
			return svf_build_fail(build, -EINVAL, 0, 0,
					      "the bus numbers asked for behind 00:%02x.%x do not "
					      "fit: each bridge forwards one "
					      "range of numbers that no other has, VFs included",
					      fn->bdf.devfn >> 3, fn->bdf.devfn & 7);
		return svf_build_fail(build, -EINVAL, 0, 0, "more than 255 bus numbers are needed");
	}
	return 0;
}

/* Makes the numbers known: to the machine's list of buses, to functions and to bridges. */
static void settle(struct svf_bus *bus)
{
	struct svf_function *fn;

	svf_bus_set_numbers(bus, bus->number, bus->last);
	svf_list_for_each(fn, &bus->functions, bus_link) {
		struct svf_bus *behind = fn->subordinate;

		if (!behind)
			continue;
		settle(behind);
		fn->config[PCI_PRIMARY_BUS] = bus->number;
		fn->config[PCI_SECONDARY_BUS] = behind->number;
		fn->config[PCI_SUBORDINATE_BUS] = behind->last;
	}
}

int svf_build_numbers(struct svf_build *build)
{
	bool used[BUSES] = {[0] = true};
	struct svf_function *fn;
	int err;

	if (extra_buses(build->root))
		return svf_build_fail(build, -EINVAL, 0, 0,
				      "VFs of a function on bus 00 would be on other buses; plug "
				      "it into a root port");
	err = place_blocks(build, used, true);
	if (!err)
		err = place_blocks(build, used, false);
	if (err)
		return err;
	svf_list_for_each(fn, &build->root->functions, bus_link) {
		if (fn->subordinate && fn->subordinate->last > build->root->last)
			build->root->last = fn->subordinate->last;
	}
	settle(build->root);
	return 0;
}
