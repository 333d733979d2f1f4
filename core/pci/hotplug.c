/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hot removal by hand, and finding again, as Linux's remove.c and the scanning half of probe.c.
 *
 * What is removed is the kernel's knowledge of a function, not the function: its hardware stays in
 * its slot (bus->absent), with its model and what is in config space. Found again, it is as new to
 * the kernel: without driver_override, without VFs, in whatever IOMMU group it then fits, under the
 * lowest number that is free; its driver is looked for as at any function's coming. VFs are not
 * found by a scan, having no ids in config space.
 *
 * Removing goes in two passes over the function and all behind it. Stopping takes the drivers away,
 * in the opposite order of discovery, so that VFs come before their PF and functions before the
 * bridge above them, and may have to wait for users at each. Then all of it goes at once. When a
 * removal that has waited is run again it begins from its start: what is stopped stays so, and a
 * driver that somebody has bound meanwhile leaves again.
 *
 * One removal at a time: whoever else would add or remove functions waits, as do changes of
 * sriov_numvfs, which are removals of VFs.
 */
#include "core/pci/hotplug.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/iommu/group.h"
#include "core/machine.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"

/* --- one at a time --- */

bool svf_hotplug_lock(struct svf_function *fn, bool numvfs)
{
	struct svf_hotplug *lock = &fn->machine->hotplug;

	if (lock->fn && (lock->fn != fn || lock->numvfs != numvfs))
		return false;
	*lock = (struct svf_hotplug){fn, numvfs};
	return true;
}

void svf_hotplug_unlock(struct svf_machine *machine)
{
	machine->hotplug = (struct svf_hotplug){NULL, false};
	machine->port->wake(machine);
}

/* --- removing --- */

/* The one of the functions on the bus that was discovered last before that moment, or NULL. */
static struct svf_function *discovered_before(const struct svf_bus *bus, uint64_t moment)
{
	struct svf_function *fn, *last = NULL;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->discovered < moment && (!last || fn->discovered > last->discovered))
			last = fn;
	}
	return last;
}

/* 0; SVF_BLOCKED when the next driver waits for users. Stopping a PF ends its VFs. */
static int stop(struct svf_function *fn, struct svf_call *call)
{
	uint64_t moment = UINT64_MAX;
	int err;

	while (fn->subordinate) {
		struct svf_function *child = discovered_before(fn->subordinate, moment);

		if (!child)
			break;
		moment = child->discovered;
		err = stop(child, call);
		if (err)
			return err;
	}
	err = svf_function_release_driver(fn, call);
	/* VFs that a driver left behind would be without a parent. */
	return err ? err : svf_sriov_disable(fn, call);
}

/* What only the kernel knew of it is forgotten; the hardware stays on its bus, unseen. */
static void forget(struct svf_function *fn)
{
	assert(!fn->driver && !fn->device && !fn->sriov.num_vfs && !fn->physfn);
	if (fn->group)
		svf_iommu_group_remove_function(fn);
	free(fn->driver_override);
	fn->driver_override = NULL;
	fn->enables = 0;
	fn->leaving = false;
	fn->discovered = 0;
	svf_list_del(&fn->machine_link);
	svf_list_del(&fn->bus_link);
	svf_list_add_tail(&fn->bus->absent, &fn->bus_link);
}

static void remove_tree(struct svf_function *fn)
{
	struct svf_bus *bus = fn->subordinate;

	while (bus && !svf_list_empty(&bus->functions))
		remove_tree(svf_list_first(&bus->functions, struct svf_function, bus_link));
	forget(fn);
}

int svf_function_remove(struct svf_function *fn, struct svf_call *call)
{
	struct svf_machine *machine = fn->machine;
	int err;

	/* Removed by another while this one waited. */
	if (call->again && !fn->leaving)
		return 0;
	/* From here on nobody else can ask for it: the file has gone. */
	if (!fn->leaving)
		machine->port->tree_changed(machine);
	fn->leaving = true;
	if (!svf_hotplug_lock(fn, false))
		return SVF_BLOCKED;
	err = stop(fn, call);
	if (err)
		return err;
	remove_tree(fn);
	svf_hotplug_unlock(machine);
	machine->port->tree_changed(machine);
	return 0;
}

/* --- finding --- */

static void log_found(const struct svf_function *fn)
{
	svf_log(fn->machine, "pci " SVF_BDF_FMT ": [%04x:%04x] type %02x class 0x%06x",
		SVF_BDF_ARG(fn->bdf), svf_function_vendor(fn), svf_function_device_id(fn),
		fn->interconnect ? 1u : 0u, svf_function_class(fn));
}

/* Without memory, or a requester (svf_requester_join), it stays unseen until the next scan. */
static void discover(struct svf_function *fn)
{
	int err;

	svf_list_del(&fn->bus_link);
	log_found(fn);
	fn->sriov.drivers_autoprobe = true;
	err = svf_function_discover(fn);
	if (!err)
		return;
	svf_log(fn->machine, "pci " SVF_BDF_FMT ": %s", SVF_BDF_ARG(fn->bdf),
		err == -EBUSY ? "has the requester ids of devices that are attached apart"
			      : "out of memory for a function that was found");
	svf_list_del(&fn->bus_link);
	svf_list_add_tail(&fn->bus->absent, &fn->bus_link);
}

static void scan(struct svf_bus *bus)
{
	struct svf_list found;
	struct svf_function *fn;

	svf_list_init(&found);
	while (!svf_list_empty(&bus->absent)) {
		struct svf_function *first = NULL;

		svf_list_for_each(fn, &bus->absent, bus_link) {
			if (!first || fn->bdf.devfn < first->bdf.devfn)
				first = fn;
		}
		svf_list_del(&first->bus_link);
		svf_list_add_tail(&found, &first->bus_link);
	}
	while (!svf_list_empty(&found))
		discover(svf_list_first(&found, struct svf_function, bus_link));
	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->subordinate)
			scan(fn->subordinate);
	}
}

/* Those found by the scan that began then, a bus before what is behind it. */
static void probe_found(struct svf_bus *bus, uint64_t since, struct svf_call *call)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		/* That no driver takes it is not an error of the scan. */
		if (fn->discovered > since && svf_function_probe(fn, call))
			call->reason[0] = '\0';
	}
	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->subordinate)
			probe_found(fn->subordinate, since, call);
	}
}

static void rescan(struct svf_bus *bus, struct svf_call *call)
{
	struct svf_machine *machine = bus->machine;
	uint64_t since = machine->discoveries;

	scan(bus);
	if (machine->drivers_autoprobe)
		probe_found(bus, since, call);
	if (machine->discoveries != since)
		machine->port->tree_changed(machine);
}

int svf_bus_rescan(struct svf_machine *machine, struct svf_bus *bus, struct svf_call *call)
{
	struct svf_bus *root;

	if (machine->hotplug.fn)
		return SVF_BLOCKED;
	if (bus) {
		rescan(bus, call);
		return 0;
	}
	svf_list_for_each(root, &machine->buses, machine_link) {
		if (!root->bridge)
			rescan(root, call);
	}
	return 0;
}
