/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * States the whole tree of names from the machine: /sys/devices with its functions in the order
 * of the buses, /sys/bus/pci with links to them, and what vfio.c and modules.c add.
 *
 * svf_tree_* take NULL for a parent that could not be made, so memory running out needs no check here;
 * svf_tree_end() tells.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "core/iommu/group.h"
#include "core/machine.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"
#include "host/sysfs.h"
#include "host/sysfs/sysfs.h"

unsigned int svf_sysfs_function_path(const struct svf_function *fn, char *buf, size_t size)
{
	const struct svf_function *bridge = fn->bus->bridge;
	unsigned int depth = 1;
	size_t n;

	if (bridge)
		depth = svf_sysfs_function_path(bridge, buf, size);
	else
		snprintf(buf, size, "pci%04x:%02x", fn->bus->domain, fn->bus->number);
	n = strlen(buf);
	snprintf(buf + n, size - n, "/" SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
	return depth + 1;
}

struct svf_tree_node *svf_sysfs_link(struct svf_tree *tree, struct svf_tree_node *dir,
				     const char *name, unsigned int up, const char *fmt, ...)
{
	char target[1024];
	size_t n = 0;
	va_list ap;

	for (; up && n < sizeof(target) / 2; up--, n += 3)
		memcpy(target + n, "../", 3);
	va_start(ap, fmt);
	vsnprintf(target + n, sizeof(target) - n, fmt, ap);
	va_end(ap);
	return svf_tree_link(tree, dir, name, target);
}

static void state_rows(struct svf_tree *tree, struct svf_tree_node *dir, struct svf_function *fn,
		       const struct svf_sysfs_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!rows[i].when || rows[i].when(fn))
			svf_tree_attr(tree, dir, rows[i].attr.name, &rows[i].attr, fn, 0);
	}
}

static void state_attributes(struct svf_tree *tree, struct svf_tree_node *dir,
			     struct svf_function *fn)
{
	state_rows(tree, dir, fn, svf_sysfs_function_ids, svf_sysfs_function_ids_count);
	state_rows(tree, dir, fn, svf_sysfs_function_hw, svf_sysfs_function_hw_count);
	state_rows(tree, dir, fn, svf_sysfs_function_resource, svf_sysfs_function_resource_count);
	state_rows(tree, dir, fn, svf_sysfs_function_sriov, svf_sysfs_function_sriov_count);
	state_rows(tree, dir, fn, svf_sysfs_function_hotplug, svf_sysfs_function_hotplug_count);
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		if (fn->bars[i].size)
			svf_tree_attr(tree, dir, svf_sysfs_resource_attrs[i].name,
				      &svf_sysfs_resource_attrs[i], fn, i);
	}
}

static void state_sriov_links(struct svf_tree *tree, struct svf_tree_node *dir,
			      const struct svf_function *fn)
{
	char name[32];

	if (fn->physfn && !fn->unlinked)
		svf_sysfs_link(tree, dir, "physfn", 1, SVF_BDF_FMT, SVF_BDF_ARG(fn->physfn->bdf));
	for (unsigned int i = 0; fn->sriov.vfs && i < fn->sriov.num_vfs; i++) {
		if (!fn->sriov.vfs[i] || fn->sriov.vfs[i]->unlinked)
			continue;
		snprintf(name, sizeof(name), "virtfn%u", i);
		svf_sysfs_link(tree, dir, name, 1, SVF_BDF_FMT, SVF_BDF_ARG(fn->sriov.vfs[i]->bdf));
	}
}

/* A driver that waits for users before it leaves is not shown any more. */
static const struct svf_driver *shown_driver(const struct svf_function *fn)
{
	return fn->removing ? NULL : fn->driver;
}

/* depth: of the function's folder below /sys. */
static void state_links(struct svf_tree *tree, struct svf_tree_node *dir,
			const struct svf_function *fn, unsigned int depth)
{
	svf_sysfs_link(tree, dir, "subsystem", depth, "bus/pci");
	if (shown_driver(fn))
		svf_sysfs_link(tree, dir, "driver", depth, "bus/pci/drivers/%s", fn->driver->name);
	if (fn->group) {
		svf_sysfs_link(tree, dir, "iommu_group", depth, "kernel/iommu_groups/%u",
			       fn->group->id);
		if (!fn->group->noiommu)
			svf_sysfs_link(tree, dir, "iommu", depth - 1, "virtual/iommu/dmar0");
	}
	state_sriov_links(tree, dir, fn);
}

static void state_bus_pci(struct svf_tree *tree, const struct svf_function *fn, const char *path,
			  struct svf_tree_node *devices, struct svf_tree_node *drivers)
{
	char name[SVF_BDF_TEXT_SIZE];

	snprintf(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
	svf_sysfs_link(tree, devices, name, 3, "devices/%s", path);
	if (shown_driver(fn))
		svf_sysfs_link(tree, svf_tree_dir(tree, drivers, fn->driver->name), name, 4,
			       "devices/%s", path);
}

/* The folder of a function: those of the bridges above it have been stated already, or are stated again. */
static struct svf_tree_node *function_dir(struct svf_tree *tree, struct svf_tree_node *devices,
					  const struct svf_function *fn)
{
	const struct svf_function *bridge = fn->bus->bridge;
	struct svf_tree_node *parent;
	char name[SVF_BDF_TEXT_SIZE];

	if (bridge) {
		parent = function_dir(tree, devices, bridge);
	} else {
		snprintf(name, sizeof(name), "pci%04x:%02x", fn->bus->domain, fn->bus->number);
		parent = svf_tree_dir(tree, devices, name);
	}
	snprintf(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
	return svf_tree_dir(tree, parent, name);
}

static void state_drivers(struct svf_tree *tree, struct svf_machine *machine,
			  struct svf_tree_node *drivers)
{
	struct svf_driver *driver;

	svf_list_for_each(driver, &machine->drivers, link) {
		struct svf_tree_node *dir = svf_tree_dir(tree, drivers, driver->name);

		for (size_t i = 0; i < svf_sysfs_driver_attrs_count; i++)
			svf_tree_attr(tree, dir, svf_sysfs_driver_attrs[i].name,
				      &svf_sysfs_driver_attrs[i], driver, 0);
		if (driver->module)
			svf_sysfs_link(tree, dir, "module", 4, "module/%s", driver->module);
	}
}

static void state_functions(struct svf_tree *tree, struct svf_machine *machine,
			    struct svf_tree_node *sys, struct svf_tree_node *bus_devices,
			    struct svf_tree_node *bus_drivers)
{
	struct svf_tree_node *devices = svf_tree_dir(tree, sys, "devices");
	struct svf_tree_node *class =
		svf_tree_dir(tree, svf_tree_dir(tree, sys, "class"), "pci_bus");
	struct svf_function *fn;
	struct svf_bus *bus;
	char path[512];

	svf_list_for_each(bus, &machine->buses, machine_link) {
		if (bus->bridge)
			continue;
		snprintf(path, sizeof(path), "pci%04x:%02x", bus->domain, bus->number);
		svf_sysfs_state_pci_bus(tree, svf_tree_dir(tree, devices, path), class, path, bus,
					2);
	}

	svf_list_for_each(fn, &machine->functions, machine_link) {
		struct svf_tree_node *dir = function_dir(tree, devices, fn);
		unsigned int depth = svf_sysfs_function_path(fn, path, sizeof(path)) + 1;

		state_attributes(tree, dir, fn);
		state_links(tree, dir, fn, depth);
		if (fn->device && !fn->device->unregistering)
			svf_sysfs_state_vfio_dev(tree, dir, fn, depth);
		if (fn->subordinate)
			svf_sysfs_state_pci_bus(tree, dir, class, path, fn->subordinate, depth);
		state_bus_pci(tree, fn, path, bus_devices, bus_drivers);
	}
}

void svf_sysfs_state(struct svf_tree *tree, struct svf_machine *machine)
{
	struct svf_tree_node *sys = svf_tree_dir(tree, svf_tree_root(tree), "sys");
	struct svf_tree_node *pci = svf_tree_dir(tree, svf_tree_dir(tree, sys, "bus"), "pci");
	struct svf_tree_node *devices = svf_tree_dir(tree, pci, "devices");
	struct svf_tree_node *drivers = svf_tree_dir(tree, pci, "drivers");

	svf_tree_dir(tree, pci, "slots");
	for (size_t i = 0; i < svf_sysfs_bus_attrs_count; i++)
		svf_tree_attr(tree, pci, svf_sysfs_bus_attrs[i].name, &svf_sysfs_bus_attrs[i],
			      machine, 0);
	svf_tree_attr(tree, pci, svf_sysfs_rescan_attr.name, &svf_sysfs_rescan_attr, machine, 0);
	state_drivers(tree, machine, drivers);
	state_functions(tree, machine, sys, devices, drivers);
	svf_sysfs_state_vfio(tree, machine, sys);
	svf_sysfs_state_modules(tree, machine, sys);
}
