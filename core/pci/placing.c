/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pass 1 of building: each node of the description becomes a function on a bus.
 *
 * Where it goes: at the slot or address that the node gives, else at the next free place of its
 * bus. Behind a port there is one device, so the next place is its next function; elsewhere it is
 * the next free device. A device that is described beside the ports, without a slot on bus 00, is
 * plugged into a root port that is made for it; devices that name the same bus share one.
 *
 * What may stand where is what the buses carry: ports on links of PCI Express, conventional bridges
 * on conventional buses, downstream ports on the bus inside a switch and nothing else there.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "core/machine.h"
#include "core/pci/build.h"
#include "core/pci/bus.h"
#include "core/pci/function.h"
#include "core/pci/options.h"
#include "core/pci/ports.h"
#include "include/softvfio/builtin.h"

/* In the header type register: the device has more than one function. */
#define MULTIFUNCTION 0x80u

/* What a bus is, by the bridge it is behind. */
enum place {
	PLACE_ROOT = 1,
	PLACE_LINK = 2,		/* behind a root or downstream port */
	PLACE_SWITCH = 4,	/* inside a switch */
	PLACE_CONVENTIONAL = 8, /* behind a bridge to conventional PCI */
};

static const struct kind {
	const char *name;
	unsigned int allowed; /* places it may stand in */
	enum place behind;    /* what its own bus is */
	const char *where;    /* allowed, in words */
} kinds[] = {
	[SVF_TOPOLOGY_DEVICE] =
		{"a device", PLACE_ROOT | PLACE_LINK | PLACE_CONVENTIONAL, 0,
		 "on the root bus, behind a root or downstream port or on a conventional bus"},
	[SVF_TOPOLOGY_ROOT_PORT] = {"a root port", PLACE_ROOT, PLACE_LINK, "on the root bus"},
	[SVF_TOPOLOGY_SWITCH_UPSTREAM] = {"a switch upstream port", PLACE_LINK, PLACE_SWITCH,
					  "behind a root or downstream port"},
	[SVF_TOPOLOGY_SWITCH_DOWNSTREAM] = {"a switch downstream port", PLACE_SWITCH, PLACE_LINK,
					    "below a switch upstream port"},
	[SVF_TOPOLOGY_PCIE_PCI_BRIDGE] = {"a PCIe-to-PCI bridge", PLACE_LINK, PLACE_CONVENTIONAL,
					  "behind a root or downstream port"},
	/* On a link: one that hides its PCI Express capability. */
	[SVF_TOPOLOGY_PCI_BRIDGE] = {"a PCI bridge", PLACE_ROOT | PLACE_LINK | PLACE_CONVENTIONAL,
				     PLACE_CONVENTIONAL,
				     "on the root bus, behind a root or downstream port or on a "
				     "conventional bus"},
};

static int fail_node(struct svf_build *build, const struct svf_topology_node *node, int err,
		     const char *text)
{
	return svf_build_fail(build, err, node->line, node->column, "%s", text);
}

/* --- places on a bus --- */

static struct svf_function *at(const struct svf_bus *bus, unsigned int devfn)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->bdf.devfn == devfn)
			return fn;
	}
	return NULL;
}

static bool device_is_free(const struct svf_bus *bus, unsigned int device)
{
	for (unsigned int f = 0; f < 8; f++) {
		if (at(bus, svf_devfn(device, f)))
			return false;
	}
	return true;
}

/* 256: none. Ports may share a device when the devices of the root bus run out. */
static unsigned int next_free(const struct svf_bus *bus, enum place place,
			      enum svf_topology_kind kind)
{
	unsigned int first = place == PLACE_ROOT ? 1 : 0;

	if (place == PLACE_LINK) {
		for (unsigned int f = 0; f < 8; f++) {
			if (!at(bus, f))
				return f;
		}
		return 256;
	}
	for (unsigned int d = first; d < 32; d++) {
		if (device_is_free(bus, d))
			return svf_devfn(d, 0);
	}
	for (unsigned int devfn = first << 3; kind == SVF_TOPOLOGY_ROOT_PORT && devfn < 256;
	     devfn++) {
		struct svf_function *zero = at(bus, devfn & ~7u);

		if (!at(bus, devfn) && zero && zero->interconnect)
			return devfn;
	}
	return 256;
}

static int choose_devfn(struct svf_build *build, const struct svf_topology_node *node,
			struct svf_bus *bus, enum place place, uint8_t *ret)
{
	unsigned int devfn;

	if (node && node->has_bdf)
		devfn = node->bdf.devfn;
	else if (node && node->has_slot)
		devfn = node->devfn;
	else
		devfn = next_free(bus, place, node ? node->kind : SVF_TOPOLOGY_ROOT_PORT);
	if (devfn > 255)
		return svf_build_fail(build, -EINVAL, node ? node->line : 0,
				      node ? node->column : 0,
				      place == PLACE_LINK
					      ? "the device behind a port has 8 functions already"
					      : "no free device number on the bus");
	if (at(bus, devfn))
		return svf_build_fail(build, -EEXIST, node->line, node->column,
				      "there is another function at %02x.%x of the same bus",
				      devfn >> 3, devfn & 7);
	if (place == PLACE_LINK && devfn > 7)
		return svf_build_fail(
			build, -EINVAL, node->line, node->column,
			"device %02x behind a port: there is only device 00, with 8 functions",
			devfn >> 3);
	*ret = (uint8_t)devfn;
	return 0;
}

/* A node with a whole address decides the number of its bus. */
static int want_bus(struct svf_build *build, const struct svf_topology_node *node,
		    struct svf_bus *bus)
{
	uint8_t number = node->bdf.bus;

	if (!node->has_bdf)
		return 0;
	if (node->bdf.domain != bus->domain)
		return svf_build_fail(build, -EINVAL, node->line, node->column,
				      "PCI domain %04x: there is only domain 0000",
				      node->bdf.domain);
	if (bus->bridge ? number == 0 || (bus->wanted && bus->wanted != number) : number != 0)
		return svf_build_fail(build, -EINVAL, node->line, node->column,
				      "bus %02x: the bus it stands on has number %02x", number,
				      bus->wanted);
	if (bus->bridge)
		bus->wanted = number;
	return 0;
}

/* --- functions --- */

static int add_function(struct svf_build *build, const struct svf_topology_node *node,
			enum svf_topology_kind kind, struct svf_bus *bus, uint8_t devfn,
			struct svf_plan **ret)
{
	struct svf_plan *plan = calloc(1, sizeof(*plan));
	int err;

	if (!plan)
		return -ENOMEM;
	err = svf_function_alloc(build->machine, bus, devfn, &plan->fn);
	if (err) {
		free(plan);
		return err;
	}
	svf_bus_add_function(bus, plan->fn);
	plan->node = node;
	plan->kind = kind;
	svf_list_init(&plan->link);
	svf_list_add_tail(&build->plans, &plan->link);
	*ret = plan;
	return 0;
}

static int add_port(struct svf_build *build, const struct svf_topology_node *node,
		    enum svf_topology_kind kind, struct svf_bus *bus, uint8_t devfn,
		    struct svf_bus **ret)
{
	bool acs = !node || node->acs != 0;
	struct svf_plan *plan;
	struct svf_bus *behind;
	int err = add_function(build, node, kind, bus, devfn, &plan);

	if (err)
		return err;
	svf_port_build(plan->fn, kind, acs);
	if (node && node->has_id)
		svf_port_set_id(plan->fn, node->vendor, node->device);
	behind = svf_bus_alloc(build->machine, plan->fn, bus->domain, 0,
			       kinds[kind].behind != PLACE_CONVENTIONAL);
	if (!behind)
		return -ENOMEM;
	plan->fn->subordinate = behind;
	*ret = behind;
	return 0;
}

/* Where an option stands, or the node when it is not one the user wrote. */
static int fail_option(struct svf_build *build, const struct svf_topology_node *node,
		       const struct svf_model_error *error,
		       const struct svf_topology_option *option)
{
	const struct svf_topology_option *it;

	svf_list_for_each(it, &node->options, link) {
		if (!option && error->option && strcmp(it->key, error->option) == 0)
			option = it;
	}
	return svf_build_fail(build, -EINVAL, option && option->line ? option->line : node->line,
			      option && option->line ? option->column : node->column, "%s",
			      error->text);
}

static unsigned int initial_vfs(const struct svf_model_ops *model,
				const struct svf_option_value *values)
{
	for (unsigned int i = 0; model->vfs_option && model->options[i].name; i++) {
		if (strcmp(model->options[i].name, model->vfs_option) == 0 && values[i].set)
			return (unsigned int)values[i].number;
	}
	return 0;
}

static int create_model(struct svf_build *build, const struct svf_plan *plan,
			const struct svf_model_ops *model, unsigned int *ret_vfs)
{
	const struct svf_topology_node *node = plan->node;
	const struct svf_topology_option *option = NULL;
	struct svf_model_error error = {NULL, ""};
	struct svf_option_value *values;
	int err;

	if (model->version != SVF_MODEL_VERSION || model->size < sizeof(*model))
		return svf_build_fail(build, -EINVAL, node->line, node->column,
				      "model %s was compiled for another version of softvfio",
				      model->name);
	err = svf_options_parse(model, &node->options, &values, &error, &option);
	if (!err) {
		plan->fn->model = model;
		err = model->create(plan->fn, values, &error);
		*ret_vfs = initial_vfs(model, values);
		free(values);
	}
	if (err && err != -ENOMEM)
		return fail_option(build, node, &error, option);
	return err;
}

static int fail_model(struct svf_build *build, const struct svf_topology_node *node)
{
	char names[160] = "";
	size_t used = 0;

	for (unsigned int i = 0; svf_models[i] && used < sizeof(names); i++)
		used += svf_fmt(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
				svf_models[i]->name);
	return svf_build_fail(build, -EINVAL, node->line, node->column,
			      "there is no model '%s'; models are %s",
			      node->model ? node->model : "", names);
}

static int add_device(struct svf_build *build, const struct svf_topology_node *node,
		      struct svf_bus *bus, uint8_t devfn)
{
	const struct svf_model_ops *model = node->ops;
	struct svf_plan *plan;
	int err;

	if (!model && node->model)
		model = svf_model_lookup(node->model);
	if (!model)
		return fail_model(build, node);
	err = add_function(build, node, SVF_TOPOLOGY_DEVICE, bus, devfn, &plan);
	if (!err)
		err = create_model(build, plan, model, &plan->vfs);
	if (err)
		return err;
	memcpy(plan->fn->dma_aliases, node->dma_aliases, sizeof(node->dma_aliases));
	plan->fn->acs_off = node->acs == 0;
	if (node->acs == 1 && !svf_function_add_acs(plan->fn))
		return fail_node(
			build, node, -EINVAL,
			"acs=on: config space has no room for the capability, or is conventional");
	return 0;
}

/* --- the tree --- */

static int add_node(struct svf_build *build, const struct svf_topology_node *node,
		    struct svf_bus *bus, enum place place);

static int add_children(struct svf_build *build, const struct svf_topology_node *node,
			struct svf_bus *bus)
{
	const struct svf_topology_node *child;

	svf_list_for_each(child, &node->children, link) {
		int err = add_node(build, child, bus, kinds[node->kind].behind);

		if (err)
			return err;
	}
	return 0;
}

static int add_node(struct svf_build *build, const struct svf_topology_node *node,
		    struct svf_bus *bus, enum place place)
{
	const struct kind *kind = &kinds[node->kind];
	struct svf_bus *behind;
	uint8_t devfn;
	int err;

	if (!(kind->allowed & place))
		return svf_build_fail(build, -EINVAL, node->line, node->column,
				      "%s cannot stand here, only %s", kind->name, kind->where);
	err = want_bus(build, node, bus);
	if (!err)
		err = choose_devfn(build, node, bus, place, &devfn);
	if (err)
		return err;
	if (node->kind == SVF_TOPOLOGY_DEVICE)
		return add_device(build, node, bus, devfn);
	err = add_port(build, node, node->kind, bus, devfn, &behind);
	return err ? err : add_children(build, node, behind);
}

/* The bus behind a root port of its own, for a device without a place on the root bus. */
static int make_slot(struct svf_build *build, const struct svf_topology_node *node,
		     struct svf_bus **ret)
{
	struct svf_bus *bus;
	uint8_t devfn;
	int err;

	svf_list_for_each(bus, &build->machine->buses, machine_link) {
		if (node->has_bdf && bus->wanted == node->bdf.bus) {
			*ret = bus;
			return 0;
		}
	}
	err = choose_devfn(build, NULL, build->root, PLACE_ROOT, &devfn);
	return err ? err : add_port(build, NULL, SVF_TOPOLOGY_ROOT_PORT, build->root, devfn, ret);
}

static bool needs_slot(const struct svf_topology_node *node)
{
	if (node->kind != SVF_TOPOLOGY_DEVICE)
		return false;
	return node->has_bdf ? node->bdf.bus != 0 : !node->has_slot;
}

/* A bus that a nested node wants is a slot for a device beside it only if it is a link. */
static enum place place_behind(const struct svf_build *build, const struct svf_bus *bus)
{
	const struct svf_plan *plan;

	svf_list_for_each(plan, &build->plans, link) {
		if (plan->fn == bus->bridge)
			return kinds[plan->kind].behind;
	}
	return PLACE_ROOT;
}

static int add_roots(struct svf_build *build, bool slots)
{
	const struct svf_topology_node *node;
	int err = 0;

	svf_list_for_each(node, &build->topology->roots, link) {
		struct svf_bus *bus = build->root;

		if (needs_slot(node) != slots)
			continue;
		if (slots)
			err = make_slot(build, node, &bus);
		if (!err)
			err = add_node(build, node, bus, place_behind(build, bus));
		if (err)
			return err;
	}
	return 0;
}

/* --- what functions of one device have to do with one another --- */

static unsigned int functions_of(const struct svf_bus *bus, unsigned int device)
{
	unsigned int n = 0;

	for (unsigned int f = 0; f < 8; f++)
		n += at(bus, svf_devfn(device, f)) != NULL;
	return n;
}

static int check_devices(struct svf_build *build)
{
	const struct svf_plan *plan;

	svf_list_for_each(plan, &build->plans, link) {
		struct svf_function *fn = plan->fn;
		unsigned int device = fn->bdf.devfn >> 3;

		if (!at(fn->bus, svf_devfn(device, 0)))
			return svf_build_fail(build, -EINVAL, plan->node->line, plan->node->column,
					      "function %u without a function 0 of the same device "
					      "is not found; describe "
					      "function 0 too",
					      fn->bdf.devfn & 7);
		if (functions_of(fn->bus, device) > 1)
			fn->config[PCI_HEADER_TYPE] |= (uint8_t)MULTIFUNCTION;
	}
	return 0;
}

static int add_host_bridge(struct svf_build *build)
{
	struct svf_function *fn;
	int err = svf_function_alloc(build->machine, build->root, svf_devfn(0, 0), &fn);

	if (err)
		return err;
	svf_bus_add_function(build->root, fn);
	svf_host_bridge_build(fn);
	return 0;
}

int svf_build_functions(struct svf_build *build)
{
	int err;

	build->root = svf_bus_alloc(build->machine, NULL, 0, 0, true);
	if (!build->root)
		return -ENOMEM;
	err = add_host_bridge(build);
	/* Places that are given first, so that what is made takes none of them. */
	if (!err)
		err = add_roots(build, false);
	if (!err)
		err = add_roots(build, true);
	return err ? err : check_devices(build);
}
