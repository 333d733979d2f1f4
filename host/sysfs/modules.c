/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /sys/module: the modules a client looks for before it tries, and their parameters. Parameters that a
 * client may change act on the machine at once, as on a kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "core/call.h"
#include "core/machine.h"
#include "core/pci/driver.h"
#include "host/sysfs/sysfs.h"

/* arg: offset of the bool in struct svf_params. */
static ssize_t show_bool(struct svf_host *host, void *object, uintptr_t arg, char *buf, size_t size)
{
	const struct svf_machine *machine = object;

	return svf_sysfs_emit(buf, size, "%c\n",
			      *(const bool *)((const char *)&machine->params + arg) ? 'Y' : 'N');
}

static int store_bool(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
		      const char *text, size_t len)
{
	struct svf_machine *machine = object;

	if (svf_sysfs_parse_bool(text, (bool *)((char *)&machine->params + arg)))
		return svf_fail(call, -EINVAL, "not a truth value; write Y or N");
	return 0;
}

static ssize_t show_uint(struct svf_host *host, void *object, uintptr_t arg, char *buf, size_t size)
{
	const struct svf_machine *machine = object;
	const char *params = (const char *)&machine->params;

	return svf_sysfs_emit(buf, size, "%u\n",
			      *(const unsigned int *)(const void *)(params + arg));
}

static int store_uint(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
		      const char *text, size_t len)
{
	struct svf_machine *machine = object;
	char *params = (char *)&machine->params;
	uint64_t value;
	int err = svf_sysfs_parse_number(text, UINT32_MAX, &value);

	if (err)
		return svf_fail(call, err, "not a number from 0 to 4294967295");
	*(unsigned int *)(void *)(params + arg) = (unsigned int)value;
	return 0;
}

static const struct svf_attr bool_rw = {.mode = 0644, .show = show_bool, .store = store_bool};
static const struct svf_attr bool_ro = {.mode = 0444, .show = show_bool};
static const struct svf_attr uint_rw = {.mode = 0644, .show = show_uint, .store = store_uint};

/* A module's folder, and at most one parameter of it in a row; rows of one module add up. */
static const struct {
	const char *module, *parameter;
	const struct svf_attr *attr;
	size_t offset;
} rows[] = {
	{"vfio", "enable_unsafe_noiommu_mode", &bool_rw,
	 offsetof(struct svf_params, enable_unsafe_noiommu_mode)},
	{"vfio_pci", "enable_sriov", &bool_rw, offsetof(struct svf_params, enable_sriov)},
	{"vfio_pci", "disable_idle_d3", &bool_ro, offsetof(struct svf_params, disable_idle_d3)},
	{"vfio_pci", "disable_vga", &bool_ro, offsetof(struct svf_params, disable_vga)},
	{"vfio_pci", "nointxmask", &bool_ro, offsetof(struct svf_params, nointxmask)},
	{"vfio_pci_core", NULL, NULL, 0},
	{"vfio_iommu_type1", "allow_unsafe_interrupts", &bool_rw,
	 offsetof(struct svf_params, allow_unsafe_interrupts)},
	{"vfio_iommu_type1", "disable_hugepages", &bool_rw,
	 offsetof(struct svf_params, disable_hugepages)},
	{"vfio_iommu_type1", "dma_entry_limit", &uint_rw,
	 offsetof(struct svf_params, dma_entry_limit)},
	{"iommufd", NULL, NULL, 0},
};

/* /sys/module/M/drivers/pci:D and the way back, /sys/bus/pci/drivers/D/module, which state.c makes. */
static void state_driver_module(struct svf_tree *tree, struct svf_tree_node *module,
				const struct svf_driver *driver)
{
	struct svf_tree_node *dir = svf_tree_dir(tree, module, driver->module);
	char name[64];

	snprintf(name, sizeof(name), "pci:%s", driver->name);
	svf_sysfs_link(tree, svf_tree_dir(tree, dir, "drivers"), name, 3, "bus/pci/drivers/%s",
		       driver->name);
}

void svf_sysfs_state_modules(struct svf_tree *tree, struct svf_machine *machine,
			     struct svf_tree_node *sys)
{
	struct svf_tree_node *module = svf_tree_dir(tree, sys, "module");
	const struct svf_driver *driver;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(rows); i++) {
		struct svf_tree_node *dir = svf_tree_dir(tree, module, rows[i].module);

		if (rows[i].parameter)
			svf_tree_attr(tree, svf_tree_dir(tree, dir, "parameters"),
				      rows[i].parameter, rows[i].attr, machine, rows[i].offset);
	}
	svf_list_for_each(driver, &machine->drivers, link) {
		if (driver->module)
			state_driver_module(tree, module, driver);
	}
}
