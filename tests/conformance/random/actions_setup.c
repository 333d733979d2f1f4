/* SPDX-License-Identifier: BSD-3-Clause */
/* Drivers and VFs by sysfs; opening, closing and duplicating files. */
#include "generate.h"

#include <stdio.h>
#include <string.h>

static bool wants_driver(const struct generator *g, int site)
{
	return g->model.present[site] && g->model.driver[site] == DRIVER_NONE;
}

static bool has_driver(const struct generator *g, int site)
{
	return g->model.driver[site] != DRIVER_NONE;
}

static bool can_unbind(const struct generator *g, int site)
{
	return has_driver(g, site) && !model_in_use(&g->model, site);
}

static bool is_present(const struct generator *g, int site)
{
	return g->model.present[site];
}

static bool is_pf(const struct generator *g, int site)
{
	(void)g;
	return site == SITE_PF || site == SITE_NVME;
}

static bool sysfs(struct op *op, enum op_kind kind, int site, const char *attribute)
{
	op->kind = kind;
	op->site = site;
	op->attribute = attribute;
	return site != NO_SITE;
}

static bool make_bind(struct generator *g, struct op *op)
{
	const char *driver = "vfio-pci";

	if (!sysfs(op, OP_BIND, pick_site(g, wants_driver), NULL))
		return false;
	if (chance(g, 12))
		driver = "pci-stub";
	else if (chance(g, 8))
		driver = sites[op->site].native;
	snprintf(op->text, sizeof(op->text), "%s", driver);
	return true;
}

static bool make_unbind(struct generator *g, struct op *op)
{
	if (!sysfs(op, OP_SYSFS_WRITE, pick_site(g, can_unbind), "driver/unbind"))
		return false;
	snprintf(op->text, sizeof(op->text), "%s", sites[op->site].bdf);
	return true;
}

static bool make_driver_bind(struct generator *g, struct op *op)
{
	static const char *const files[] = {"drivers/vfio-pci/bind", "drivers/vfio-pci/bind",
					    "drivers/pci-stub/bind", "drivers/vfio-pci/unbind",
					    "drivers_probe"};

	if (!sysfs(op, OP_SYSFS_WRITE, pick_site(g, is_present), ONE_OF(g, files)))
		return false;
	if (sites[op->site].group >= sites[SITE_NVME].group &&
	    sites[op->site].group <= sites[SITE_NVF1].group &&
	    strcmp(op->attribute, "drivers_probe") == 0)
		op->attribute = files[0]; /* it could be the driver nvme: see commands.c */
	snprintf(op->text, sizeof(op->text), "%s%s", sites[op->site].bdf,
		 chance(g, 20) ? "\n" : "");
	return true;
}

static bool make_override(struct generator *g, struct op *op)
{
	static const char *const drivers[] = {"vfio-pci", "vfio-pci\n", "pci-stub", "\n",
					      "nonsense", " vfio-pci",	"(null)"};

	if (!sysfs(op, OP_SYSFS_WRITE, pick_site(g, is_present), "driver_override"))
		return false;
	snprintf(op->text, sizeof(op->text), "%s", ONE_OF(g, drivers));
	return true;
}

static bool make_numvfs(struct generator *g, struct op *op)
{
	static const char *const good[] = {"2", "2\n", "1", "0", "0", "2"};
	static const char *const bad[] = {"9",	 "-1",	"x",	       "65536",
					  "2 2", "0x2", "99999999999", "3"};

	if (!sysfs(op, OP_SYSFS_WRITE, pick_site(g, is_pf), "sriov_numvfs"))
		return false;
	snprintf(op->text, sizeof(op->text), "%s",
		 chance(g, 85) ? ONE_OF(g, good) : ONE_OF(g, bad));
	return true;
}

static bool make_sysfs_read(struct generator *g, struct op *op)
{
	static const char *const attributes[] = {
		"driver",	    "driver", "driver_override",	 "sriov_numvfs",
		"iommu_group/type", "enable", "sriov_drivers_autoprobe", "sriov_totalvfs"};

	if (!sysfs(op, OP_SYSFS_READ, pick_site(g, is_present), ONE_OF(g, attributes)))
		return false;
	/* A bridge is enabled when a function behind it was, ever: also by an earlier sequence. */
	return op->site != SITE_BRIDGE || strcmp(op->attribute, "enable") != 0;
}

/* The bridge is softvfio's own, and has not the ways to be reset that QEMU's has. */
static bool make_sysfs_reset(struct generator *g, struct op *op)
{
	if (!sysfs(op, OP_SYSFS_WRITE, pick_site(g, is_present), "reset") ||
	    op->site == SITE_BRIDGE)
		return false;
	snprintf(op->text, sizeof(op->text), "%s", chance(g, 80) ? "1" : "0");
	return true;
}

static bool make_sysfs_switch(struct generator *g, struct op *op)
{
	static const char *const values[] = {"1", "0", "1\n", "0", "2", "", "y"};
	bool autoprobe = chance(g, 40);

	if (!sysfs(op, OP_SYSFS_WRITE, pick_site(g, autoprobe ? is_pf : is_present),
		   autoprobe ? "sriov_drivers_autoprobe" : "enable") ||
	    op->site == SITE_BRIDGE)
		return false;
	snprintf(op->text, sizeof(op->text), "%s", ONE_OF(g, values));
	return true;
}

static bool make_open(struct generator *g, struct op *op)
{
	static const enum class classes_to_open[] = {CLASS_CONTAINER, CLASS_CONTAINER, CLASS_GROUP,
						     CLASS_GROUP,     CLASS_GROUP,     CLASS_CDEV,
						     CLASS_IOMMUFD};
	enum class class = ONE_OF(g, classes_to_open);

	op->kind = OP_OPEN;
	op->slot = model_free_slot(&g->model, class);
	if (g->model.slots[op->slot] != NULL)
		return false;
	if (class == CLASS_GROUP || class == CLASS_CDEV)
		op->site = pick_site(g, is_present);
	return true;
}

static bool make_close(struct generator *g, struct op *op)
{
	op->kind = OP_CLOSE;
	op->slot = any_slot(g);
	return g->model.slots[op->slot] != NULL;
}

static bool make_dup(struct generator *g, struct op *op)
{
	op->kind = OP_DUP;
	op->slot = any_slot(g);
	if (g->model.slots[op->slot] == NULL)
		return false;
	op->slot2 = model_free_slot(&g->model, slot_class(op->slot));
	return g->model.slots[op->slot2] == NULL;
}

const struct action setup_actions[] = {
	{8, make_bind},	  {3, make_unbind},	{2, make_driver_bind},	{2, make_override},
	{4, make_numvfs}, {3, make_sysfs_read}, {1, make_sysfs_reset},	{10, make_open},
	{8, make_close},  {3, make_dup},	{1, make_sysfs_switch},
};
const size_t nr_setup_actions = ARRAY_SIZE(setup_actions);
