/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a description to a machine.
 *
 * Building goes in passes over the same tree, as firmware and kernel do it at boot:
 *
 *	1. functions	each node becomes a function with config space, BARs and capabilities, each
 *bridge a bus
 *	2. numbers	buses get their numbers (numbering.c), functions their addresses
 *	3. memory	BARs and bridge windows get theirs (bars.c)
 *	4. discovery	functions are published bus by bus and join their IOMMU groups
 *	5. drivers	everything is bound as described, VFs that are to exist from the start are
 *made
 *
 * Until pass 4 nothing is visible, and an error in any pass leaves a machine that only
 * svf_machine_unbuild() may touch. A user's mistake is told with line and column of what is wrong.
 */
#include "core/pci/topology.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "core/machine.h"
#include "core/pci/bars.h"
#include "core/pci/build.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/pci/parse.h"

int svf_build_fail(struct svf_build *build, int err, unsigned int line, unsigned int column,
		   const char *fmt, ...)
{
	va_list ap;

	build->error->line = line;
	build->error->column = column;
	va_start(ap, fmt);
	svf_vfmt(build->error->text, sizeof(build->error->text), fmt, ap);
	va_end(ap);
	return err;
}

/* --- module parameters --- */

enum param_kind { PARAM_BOOL, PARAM_NUMBER, PARAM_ATTACH, PARAM_KINDS };

/* What a value was not, when it was none. */
static const char *const param_errors[PARAM_KINDS] = {
	[PARAM_BOOL] = "neither on nor off",
	[PARAM_NUMBER] = "not a number",
	[PARAM_ATTACH] = "neither shared nor per-device",
};

static const struct {
	const char *name;
	size_t offset;
	enum param_kind kind;
} params[] = {
	{"vfio_pci.enable_sriov", offsetof(struct svf_params, enable_sriov), PARAM_BOOL},
	{"vfio_pci.disable_idle_d3", offsetof(struct svf_params, disable_idle_d3), PARAM_BOOL},
	{"vfio_pci.disable_vga", offsetof(struct svf_params, disable_vga), PARAM_BOOL},
	{"vfio_pci.nointxmask", offsetof(struct svf_params, nointxmask), PARAM_BOOL},
	{"vfio_iommu_type1.dma_entry_limit", offsetof(struct svf_params, dma_entry_limit),
	 PARAM_NUMBER},
	{"vfio.enable_unsafe_noiommu_mode", offsetof(struct svf_params, enable_unsafe_noiommu_mode),
	 PARAM_BOOL},
	{"softvfio.enforce_memlock", offsetof(struct svf_params, enforce_memlock), PARAM_BOOL},
	{"softvfio.exact_dirty", offsetof(struct svf_params, exact_dirty), PARAM_BOOL},
	{"softvfio.group_attach", offsetof(struct svf_params, per_device), PARAM_ATTACH},
	{"softvfio.iommu", offsetof(struct svf_params, iommu), PARAM_BOOL},
	{"softvfio.iommu_scalable", offsetof(struct svf_params, iommu_scalable), PARAM_BOOL},
	{"softvfio.iommufd_test", offsetof(struct svf_params, iommufd_test), PARAM_BOOL},
};

/* As the kernel reads parameters: Y and N too. */
static bool read_param_bool(const char *text, bool *ret)
{
	if (strcmp(text, "Y") == 0 || strcmp(text, "y") == 0)
		text = "1";
	else if (strcmp(text, "N") == 0 || strcmp(text, "n") == 0)
		text = "0";
	return svf_parse_bool(text, ret);
}

/* Whether devices attach by themselves. */
static bool read_param_attach(const char *text, bool *ret)
{
	*ret = strcmp(text, "per-device") == 0;
	return *ret || strcmp(text, "shared") == 0;
}

static bool set_param(struct svf_params *p, size_t i, const char *text)
{
	char *field = (char *)p + params[i].offset;
	uint64_t number;
	bool on;

	if (params[i].kind != PARAM_NUMBER) {
		if (params[i].kind == PARAM_ATTACH ? !read_param_attach(text, &on)
						   : !read_param_bool(text, &on))
			return false;
		memcpy(field, &on, sizeof(on));
		return true;
	}
	if (!svf_parse_number(text, &number) || number > UINT32_MAX)
		return false;
	memcpy(field, &(unsigned int){(unsigned int)number}, sizeof(unsigned int));
	return true;
}

static int apply_param(struct svf_build *build, const struct svf_topology_option *param)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(params); i++) {
		if (strcmp(params[i].name, param->key) != 0)
			continue;
		if (set_param(&build->machine->params, i, param->value))
			return 0;
		return svf_build_fail(build, -EINVAL, param->line, param->column, "%s=%s: %s",
				      param->key, param->value, param_errors[params[i].kind]);
	}
	return svf_build_fail(build, -EINVAL, param->line, param->column,
			      "unknown module parameter '%s'; there are vfio_pci.enable_sriov, "
			      "vfio_pci.disable_idle_d3, "
			      "vfio_pci.disable_vga, vfio_pci.nointxmask, "
			      "vfio_iommu_type1.dma_entry_limit, vfio.enable_unsafe_noiommu_mode, "
			      "softvfio.enforce_memlock, softvfio.exact_dirty, "
			      "softvfio.group_attach, softvfio.iommu, softvfio.iommu_scalable and "
			      "softvfio.iommufd_test",
			      param->key);
}

static int apply_params(struct svf_build *build)
{
	const struct svf_topology_option *param;

	svf_list_for_each(param, &build->topology->params, link) {
		int err = apply_param(build, param);

		if (err)
			return err;
	}
	return 0;
}

/* --- memory --- */

static int assign_memory(struct svf_build *build)
{
	static const char *const names[] = {
		[SVF_WINDOW_IO] = ("I/O ports: BARs of kind io take more than 60 KiB, or more than "
				   "15 ports have one behind them"),
		[SVF_WINDOW_MEM] = "memory below 4 GiB: make large BARs 64:pref",
		[SVF_WINDOW_PREF] = "memory above 4 GiB: BARs take more than 4 TiB",
	};
	unsigned int full;

	if (!svf_bars_assign(build->root, &full))
		return 0;
	return svf_build_fail(build, -EINVAL, 0, 0, "no room for all BARs in %s", names[full]);
}

/* --- discovery --- */

/* All functions of a bus before those behind them, which is the order that numbers IOMMU groups. */
static int discover(struct svf_build *build, struct svf_bus *bus)
{
	struct svf_function *fn;
	int err;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		err = svf_function_finalize(fn);
		if (err)
			return err;
	}
	svf_list_for_each(fn, &bus->functions, bus_link) {
		err = fn->subordinate ? discover(build, fn->subordinate) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* --- drivers --- */

static int bind_to(struct svf_build *build, const struct svf_plan *plan, struct svf_driver *driver)
{
	const struct svf_topology_node *node = plan->node;
	struct svf_function *fn = plan->fn;
	bool fatal;
	int err = 0;

	/* As an administrator does it: the override only where the driver would not come by itself. */
	if (!svf_driver_matches(driver, fn))
		err = svf_function_set_driver_override(fn, &build->call, driver->name);
	if (!err)
		err = svf_driver_attach(driver, fn, &build->call, &fatal);
	if (err && err != -ENOMEM)
		return svf_build_fail(build, -EINVAL, node->line, node->column,
				      "driver %s does not take " SVF_BDF_FMT ": %s", driver->name,
				      SVF_BDF_ARG(fn->bdf), build->call.reason);
	return err;
}

static int bind_plan(struct svf_build *build, const struct svf_plan *plan)
{
	const char *name = plan->node ? plan->node->driver : NULL;
	struct svf_driver *driver;

	if (!name && plan->kind != SVF_TOPOLOGY_DEVICE)
		return svf_function_probe(plan->fn, &build->call) == -ENOMEM ? -ENOMEM : 0;
	if (!name)
		name = "vfio-pci";
	if (!name[0])
		return 0;
	driver = svf_driver_lookup(build->machine, name);
	if (!driver)
		return svf_build_fail(
			build, -EINVAL, plan->node->line, plan->node->column,
			"there is no driver '%s'; see /sys/bus/pci/drivers for those there are",
			name);
	return bind_to(build, plan, driver);
}

static int make_vfs(struct svf_build *build, const struct svf_plan *plan)
{
	struct svf_function *pf = plan->fn;
	int err;

	if (!plan->vfs)
		return 0;
	err = svf_sriov_enable(pf, &build->call, plan->vfs);
	if (err && err != -ENOMEM)
		return svf_build_fail(build, -EINVAL, plan->node->line, plan->node->column,
				      "%u VFs of " SVF_BDF_FMT ": %s", plan->vfs,
				      SVF_BDF_ARG(pf->bdf), build->call.reason);
	return err;
}

static int for_each_plan(struct svf_build *build,
			 int (*step)(struct svf_build *, const struct svf_plan *))
{
	const struct svf_plan *plan;

	svf_list_for_each(plan, &build->plans, link) {
		int err = step(build, plan);

		if (err)
			return err;
	}
	return 0;
}

/* --- all passes --- */

static int run_passes(struct svf_build *build)
{
	int err;

	err = apply_params(build);
	if (!err)
		err = svf_drivers_init(build->machine);
	if (!err)
		err = svf_build_functions(build);
	if (!err)
		err = svf_build_numbers(build);
	if (!err)
		err = assign_memory(build);
	if (!err)
		err = discover(build, build->root);
	if (!err)
		err = for_each_plan(build, bind_plan);
	if (!err)
		err = for_each_plan(build, make_vfs);
	return err;
}

int svf_machine_build(struct svf_machine *machine, const struct svf_topology *topology,
		      struct svf_topology_error *error)
{
	struct svf_build build = {.machine = machine, .topology = topology, .error = error};
	struct svf_plan *plan, *next;
	int err;

	*error = (struct svf_topology_error){0};
	build.call.machine = machine;
	svf_list_init(&build.plans);
	err = run_passes(&build);
	svf_list_for_each_safe(plan, next, &build.plans, link) {
		svf_list_del(&plan->link);
		free(plan);
	}
	if (err == -ENOMEM && !error->text[0])
		svf_fmt(error->text, sizeof(error->text), "out of memory");
	return err;
}

/* --- the end --- */

static void destroy_bus(struct svf_bus *bus)
{
	struct svf_function *fn, *next;

	svf_list_for_each_safe(fn, next, &bus->functions, bus_link) {
		if (fn->subordinate)
			destroy_bus(fn->subordinate);
		if (svf_list_empty(&fn->machine_link))
			svf_function_abort(fn);
		else
			svf_function_destroy(fn);
	}
	svf_list_for_each_safe(fn, next, &bus->absent, bus_link) {
		if (fn->subordinate)
			destroy_bus(fn->subordinate);
		svf_function_abort(fn);
	}
	svf_bus_destroy(bus);
}

/* With no file open nothing can hold a driver or a VF back. */
static void release_all(struct svf_machine *machine)
{
	struct svf_call call = {.machine = machine};
	struct svf_function *fn;
	int err = 0;

	svf_list_for_each(fn, &machine->functions, machine_link) {
		if (fn->physfn)
			continue;
		err = svf_sriov_disable(fn, &call);
		if (!err)
			err = svf_function_release_driver(fn, &call);
		assert(!err);
	}
}

void svf_machine_unbuild(struct svf_machine *machine)
{
	release_all(machine);
	while (!svf_list_empty(&machine->buses)) {
		struct svf_bus *bus;

		/* The first in order is a root bus; those behind it go with it. */
		bus = svf_list_first(&machine->buses, struct svf_bus, machine_link);
		while (bus->bridge)
			bus = bus->bridge->bus;
		destroy_bus(bus);
	}
	svf_drivers_fini(machine);
}
