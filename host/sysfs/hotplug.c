/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Removing functions and finding them again: remove and rescan of functions, rescan of a bus and of
 * all. pci_bus/, which has the rescan of a bus, goes with the bridge; VFs have neither file.
 */
#include <errno.h>
#include <stdio.h>

#include "core/call.h"
#include "core/machine.h"
#include "core/pci/bus.h"
#include "core/pci/function.h"
#include "core/pci/hotplug.h"
#include "host/sysfs/sysfs.h"

/* As kstrtoul reads it, with one error for all that is not a number. 0: nothing is to be done. */
static int read_wish(struct svf_call *call, const char *text, bool *ret)
{
	uint64_t number;

	if (svf_sysfs_parse_number(text, UINT64_MAX, &number))
		return svf_fail(call, -EINVAL, "not a number; write 1");
	*ret = number != 0;
	return 0;
}

static int store_remove(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			const char *text, size_t len)
{
	bool wish;
	int err = read_wish(call, text, &wish);

	return err || !wish ? err : svf_function_remove(object, call);
}

static int store_function_rescan(struct svf_host *host, void *object, uintptr_t arg,
				 struct svf_call *call, const char *text, size_t len)
{
	struct svf_function *fn = object;
	bool wish;
	int err = read_wish(call, text, &wish);

	return err || !wish ? err : svf_bus_rescan(fn->machine, fn->bus, call);
}

static int store_bus_rescan(struct svf_host *host, void *object, uintptr_t arg,
			    struct svf_call *call, const char *text, size_t len)
{
	struct svf_bus *bus = object;
	bool wish;
	int err = read_wish(call, text, &wish);

	return err || !wish ? err : svf_bus_rescan(bus->machine, bus, call);
}

static int store_rescan(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			const char *text, size_t len)
{
	bool wish;
	int err = read_wish(call, text, &wish);

	return err || !wish ? err : svf_bus_rescan(object, NULL, call);
}

static bool may_be_removed(const struct svf_function *fn)
{
	return !fn->physfn && !fn->leaving;
}

static bool is_no_vf(const struct svf_function *fn)
{
	return !fn->physfn;
}

const struct svf_sysfs_row svf_sysfs_function_hotplug[] = {
	{.attr = {.name = "remove", .mode = 0220, .store = store_remove, .outlives = true},
	 .when = may_be_removed},
	{.attr = {.name = "rescan", .mode = 0200, .store = store_function_rescan, .outlives = true},
	 .when = is_no_vf},
};
const size_t svf_sysfs_function_hotplug_count = SVF_ARRAY_SIZE(svf_sysfs_function_hotplug);

const struct svf_attr svf_sysfs_rescan_attr = {
	.name = "rescan", .mode = 0200, .store = store_rescan};

static ssize_t show_nothing(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			    size_t size)
{
	return 0;
}

void svf_sysfs_state_pci_bus(struct svf_tree *tree, struct svf_tree_node *dir,
			     struct svf_tree_node *class, const char *path, struct svf_bus *bus,
			     unsigned int depth)
{
	static const struct svf_attr rescan = {
		.name = "rescan", .mode = 0200, .store = store_bus_rescan, .outlives = true};
	static const struct svf_attr uevent = {
		.name = "uevent", .mode = 0444, .show = show_nothing};
	struct svf_tree_node *bus_dir;
	char name[16];

	snprintf(name, sizeof(name), "%04x:%02x", bus->domain, bus->number);
	bus_dir = svf_tree_dir(tree, svf_tree_dir(tree, dir, "pci_bus"), name);
	svf_tree_attr(tree, bus_dir, rescan.name, &rescan, bus, 0);
	svf_tree_attr(tree, bus_dir, uevent.name, &uevent, bus, 0);
	if (bus->bridge)
		svf_sysfs_link(tree, bus_dir, "device", 3, SVF_BDF_FMT,
			       SVF_BDF_ARG(bus->bridge->bdf));
	else
		svf_sysfs_link(tree, bus_dir, "device", 3, "pci%s", name);
	svf_sysfs_link(tree, bus_dir, "subsystem", depth + 2, "class/pci_bus");
	svf_sysfs_link(tree, class, name, 2, "devices/%s/pci_bus/%s", path, name);
}
