/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls on groups and on cdevs, and the way to an open device. */
#include "generate.h"

#include <stdio.h>
#include <string.h>

#include "uapi/vfio.h"

static const char *const tokens[] = {
	"11111111-2222-3333-4444-555555555555",
	"deadbeef-0123-4567-89ab-cdef01234567",
};

static bool without_container(const struct object *group)
{
	return group->owner == NULL;
}

static bool with_container(const struct object *group)
{
	return group->owner != NULL;
}

static bool with_iommu(const struct object *group)
{
	return group->owner != NULL && group->owner->iommu != 0;
}

static bool can_set_iommu(const struct object *container)
{
	return container->groups > 0 && container->iommu == 0;
}

/* " vf_token=..." or nothing, so that it is right more often than not. */
static void add_token(struct generator *g, struct op *op)
{
	static const char *const odd[] = {
		" vf_token=11111111-2222-3333-4444-55555555555",
		" vf_token=11111111-2222-3333-4444-555555555555 ",
		"  vf_token=11111111-2222-3333-4444-555555555555",
		" vf_token=11111111-2222-3333-4444-555555555555"
		" vf_token=11111111-2222-3333-4444-555555555555",
		" vf_token=DEADBEEF-0123-4567-89AB-CDEF01234567",
		" vf_token=",
		" vf_token",
		" nonsense=1",
		" ",
	};
	size_t used = strlen(op->text);
	bool sriov = sites[op->site].pf != NO_SITE || op->site == SITE_PF || op->site == SITE_NVME;

	if (chance(g, 6))
		snprintf(op->text + used, sizeof(op->text) - used, "%s", ONE_OF(g, odd));
	else if (chance(g, sriov ? 75 : 3))
		snprintf(op->text + used, sizeof(op->text) - used, " vf_token=%s",
			 tokens[chance(g, 15)]);
}

/* A function of the group's that vfio-pci has, or another one. */
static int site_of_group(struct generator *g, const struct object *group)
{
	int tries, site;

	for (tries = 0; tries < 20; tries++) {
		site = (int)below(g, NR_SITES);
		if (sites[site].group == sites[group->site].group &&
		    (g->model.driver[site] == DRIVER_VFIO || chance(g, 5)))
			return site;
	}
	return group->site;
}

static bool get_device(struct generator *g, struct op *op, unsigned slot)
{
	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_GROUP_GET_DEVICE_FD, CLASS_GROUP, slot);
	op->slot2 = model_free_slot(&g->model, CLASS_DEVICE);
	op->site = site_of_group(g, g->model.slots[slot]);
	snprintf(op->text, sizeof(op->text), "%s", sites[op->site].bdf);
	add_token(g, op);
	return g->model.slots[op->slot2] == NULL;
}

static bool make_get_device(struct generator *g, struct op *op)
{
	return get_device(g, op, pick_slot(g, CLASS_GROUP, chance(g, 90) ? with_iommu : NULL));
}

static bool set_container(struct generator *g, struct op *op, unsigned slot, bool iommufd)
{
	unsigned container = pick_slot(g, iommufd ? CLASS_IOMMUFD : CLASS_CONTAINER, NULL);

	if (slot == NO_SLOT || container == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_GROUP_SET_CONTAINER, CLASS_GROUP, slot);
	put_fd(op, container);
	return true;
}

static bool make_set_container(struct generator *g, struct op *op)
{
	unsigned slot = pick_slot(g, CLASS_GROUP, chance(g, 90) ? without_container : NULL);

	return set_container(g, op, slot, chance(g, 25));
}

static bool make_unset_container(struct generator *g, struct op *op)
{
	unsigned slot = pick_slot(g, CLASS_GROUP, chance(g, 80) ? with_container : NULL);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_GROUP_UNSET_CONTAINER, CLASS_GROUP, slot);
	return true;
}

static bool make_status(struct generator *g, struct op *op)
{
	unsigned slot = pick_slot(g, CLASS_GROUP, NULL);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_GROUP_GET_STATUS, CLASS_GROUP, slot);
	put32(op, any_argsz(g, 8));
	put32(op, 0);
	return true;
}

static bool set_iommu(struct generator *g, struct op *op, unsigned slot)
{
	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_SET_IOMMU, CLASS_CONTAINER, slot);
	op->value = chance(g, 75) ? VFIO_TYPE1v2_IOMMU : VFIO_TYPE1_IOMMU;
	if (chance(g, 8))
		op->value = below(g, 12);
	return true;
}

static bool make_set_iommu(struct generator *g, struct op *op)
{
	bool any = chance(g, 15);
	unsigned slot = pick_slot(g, CLASS_CONTAINER, any ? NULL : can_set_iommu);

	if (slot == NO_SLOT)
		slot = pick_slot(g, CLASS_IOMMUFD, any ? NULL : can_set_iommu);
	return set_iommu(g, op, slot);
}

static bool make_cdev_bind(struct generator *g, struct op *op)
{
	unsigned slot = pick_slot(g, CLASS_CDEV, NULL), iommufd = pick_slot(g, CLASS_IOMMUFD, NULL);

	if (slot == NO_SLOT || iommufd == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_DEVICE_BIND_IOMMUFD, CLASS_CDEV, slot);
	put32(op, any_argsz(g, chance(g, 50) ? 16 : 24));
	put32(op, 0);
	put_fd(op, iommufd);
	put32(op, 0);
	put64(op, 0);
	return true;
}

static bool make_cdev_attach(struct generator *g, struct op *op)
{
	unsigned slot = pick_slot(g, CLASS_CDEV, NULL);
	bool attach = chance(g, 60);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, attach ? VFIO_DEVICE_ATTACH_IOMMUFD_PT : VFIO_DEVICE_DETACH_IOMMUFD_PT,
		 CLASS_CDEV, slot);
	put32(op, any_argsz(g, attach ? 12 : 8));
	put32(op, 0);
	put32(op, attach ? below(g, 4) : 0);
	put32(op, 0);
	return true;
}

const struct action group_actions[] = {
	{8, make_get_device}, {8, make_set_container}, {3, make_unset_container}, {4, make_status},
	{5, make_set_iommu},  {3, make_cdev_bind},     {1, make_cdev_attach},
};
const size_t nr_group_actions = ARRAY_SIZE(group_actions);

/* Progress */

static bool has_closed_group(const struct generator *g, int site)
{
	return model_has_group(&g->model, site) && g->model.group_open[sites[site].group] == NULL;
}

static bool open_class(struct generator *g, struct op *op, enum class class, int site)
{
	op->kind = OP_OPEN;
	op->slot = model_free_slot(&g->model, class);
	op->site = site;
	return g->model.slots[op->slot] == NULL;
}

bool make_progress(struct generator *g, struct op *op)
{
	unsigned slot;
	int site;

	if (pick_slot(g, CLASS_CONTAINER, NULL) == NO_SLOT)
		return open_class(g, op, CLASS_CONTAINER, NO_SITE);
	slot = pick_slot(g, CLASS_GROUP, without_container);
	if (slot != NO_SLOT)
		return set_container(g, op, slot, false);
	slot = pick_slot(g, CLASS_CONTAINER, can_set_iommu);
	if (slot != NO_SLOT)
		return set_iommu(g, op, slot);
	slot = pick_slot(g, CLASS_GROUP, with_iommu);
	if (slot != NO_SLOT && chance(g, 60))
		return get_device(g, op, slot);
	site = pick_site(g, has_closed_group);
	if (site != NO_SITE)
		return open_class(g, op, CLASS_GROUP, site);
	return false;
}
