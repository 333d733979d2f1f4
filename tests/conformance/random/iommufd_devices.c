/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls on cdevs and groups of functions that an iommufd gets, and opening and closing. */
#include "iommufd.h"

#include <stdio.h>
#include <string.h>

#include "uapi/iommufd.h"
#include "uapi/vfio.h"

struct bound *bound_find(struct iommufd *x, const struct object *cdev)
{
	unsigned i;

	for (i = 0; i < x->nr_bound; i++)
		if (x->bound[i].cdev == cdev)
			return &x->bound[i];
	return NULL;
}

static unsigned pick_cdev(struct iommufd *x, bool bound)
{
	unsigned i, slot;

	for (i = 0; i < 8; i++) {
		slot = pick_slot(&x->g, CLASS_CDEV, NULL);
		if (slot == NO_SLOT || (bound_find(x, x->g.model.slots[slot]) != NULL) == bound)
			return slot;
	}
	return slot;
}

static bool bind_cdev(struct iommufd *x, struct op *op, unsigned slot)
{
	struct generator *g = &x->g;
	unsigned iommufd = pick_iommufd(x);

	if (slot == NO_SLOT || iommufd == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_DEVICE_BIND_IOMMUFD, CLASS_CDEV, slot);
	put32(op, any_argsz(g, chance(g, 70) ? 16 : 24));
	put32(op, chance(g, 4) ? 1 + below(g, 3) : 0);
	put_fd(op, iommufd);
	put32(op, 0);
	put_memory(op, 0);
	keep_id(x, op, 12);
	return true;
}

static bool make_bind_cdev(struct iommufd *x, struct op *op)
{
	return bind_cdev(x, op, pick_cdev(x, chance(&x->g, 10)));
}

static bool attach(struct iommufd *x, struct op *op, unsigned slot)
{
	struct generator *g = &x->g;
	const struct bound *bound;
	bool pasid = chance(g, 3);

	if (slot == NO_SLOT)
		return false;
	bound = bound_find(x, x->g.model.slots[slot]);
	op_ioctl(op, VFIO_DEVICE_ATTACH_IOMMUFD_PT, CLASS_CDEV, slot);
	put32(op, any_argsz(g, pasid || chance(g, 10) ? 16 : 12));
	put32(op, chance(g, 97) ? pasid : below(g, 4));
	put_object(x, op, chance(g, 70) ? KIND_IOAS : KIND_HWPT,
		   bound != NULL ? bound->ictx : NULL);
	put32(op, below(g, 3));
	if (chance(g, 40))
		keep_id(x, op, 8);
	return true;
}

static bool make_attach(struct iommufd *x, struct op *op)
{
	return attach(x, op, pick_cdev(x, chance(&x->g, 93)));
}

static bool make_detach(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_cdev(x, chance(g, 93));
	bool pasid = chance(g, 6);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_DEVICE_DETACH_IOMMUFD_PT, CLASS_CDEV, slot);
	put32(op, any_argsz(g, pasid || chance(g, 10) ? 12 : 8));
	put32(op, chance(g, 97) ? pasid : below(g, 4));
	put32(op, below(g, 3));
	return true;
}

/* Files */

static bool has_cdev(const struct generator *g, int site)
{
	return g->model.driver[site] == DRIVER_VFIO && g->model.open_devices[site] == 0;
}

static bool open_class(struct generator *g, struct op *op, enum class class, int site)
{
	op->kind = OP_OPEN;
	op->slot = model_free_slot(&g->model, class);
	op->site = site;
	return g->model.slots[op->slot] == NULL;
}

static bool make_open(struct iommufd *x, struct op *op)
{
	static const enum class to_open[] = {CLASS_IOMMUFD, CLASS_IOMMUFD, CLASS_CDEV,
					     CLASS_CDEV,    CLASS_CDEV,	   CLASS_GROUP};
	enum class class = ONE_OF(&x->g, to_open);
	int site = NO_SITE;

	if (class == CLASS_CDEV && x->groups && chance(&x->g, 80))
		class = CLASS_GROUP;

	if (class != CLASS_IOMMUFD) {
		site = pick_site(&x->g, chance(&x->g, 85) ? has_cdev : NULL);
		if (site == NO_SITE)
			return false;
	}
	return open_class(&x->g, op, class, site);
}

static bool make_close(struct iommufd *x, struct op *op)
{
	op->kind = OP_CLOSE;
	op->slot = any_slot(&x->g);
	return x->g.model.slots[op->slot] != NULL;
}

static bool make_dup(struct iommufd *x, struct op *op)
{
	op->kind = OP_DUP;
	op->slot = any_slot(&x->g);
	if (x->g.model.slots[op->slot] == NULL)
		return false;
	op->slot2 = model_free_slot(&x->g.model, slot_class(op->slot));
	return x->g.model.slots[op->slot2] == NULL;
}

/* Groups: an iommufd as their container */

static bool without_container(const struct object *group)
{
	return group->owner == NULL;
}

static bool with_container(const struct object *group)
{
	return group->owner != NULL;
}

static bool set_container(struct iommufd *x, struct op *op, unsigned slot)
{
	unsigned iommufd = pick_iommufd(x);

	if (slot == NO_SLOT || iommufd == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_GROUP_SET_CONTAINER, CLASS_GROUP, slot);
	put_fd(op, iommufd);
	return true;
}

static bool make_set_container(struct iommufd *x, struct op *op)
{
	return set_container(x, op, pick_slot(&x->g, CLASS_GROUP, without_container));
}

static bool make_unset_container(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_slot(&x->g, CLASS_GROUP, NULL);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_GROUP_UNSET_CONTAINER, CLASS_GROUP, slot);
	return true;
}

static bool get_device(struct iommufd *x, struct op *op, unsigned slot)
{
	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_GROUP_GET_DEVICE_FD, CLASS_GROUP, slot);
	op->slot2 = model_free_slot(&x->g.model, CLASS_DEVICE);
	op->site = x->g.model.slots[slot]->site;
	snprintf(op->text, sizeof(op->text), "%s", sites[op->site].bdf);
	return x->g.model.slots[op->slot2] == NULL;
}

static bool make_get_device(struct iommufd *x, struct op *op)
{
	return get_device(x, op,
			  pick_slot(&x->g, CLASS_GROUP, chance(&x->g, 85) ? with_container : NULL));
}

const struct iommufd_action iommufd_devices[] = {
	{6, make_bind_cdev},	 {10, make_attach},	    {5, make_detach},
	{6, make_open},		 {3, make_close},	    {2, make_dup},
	{2, make_set_container}, {1, make_unset_container}, {2, make_get_device},
};
const size_t nr_iommufd_devices = ARRAY_SIZE(iommufd_devices);

/* Progress */

static unsigned pick_unattached(struct iommufd *x)
{
	unsigned i, slot;
	const struct bound *bound;

	for (i = 0; i < classes[CLASS_CDEV].count; i++) {
		slot = classes[CLASS_CDEV].first + i;
		bound = x->g.model.slots[slot] != NULL ? bound_find(x, x->g.model.slots[slot])
						       : NULL;
		if (bound != NULL && bound->pt == NO_VARIABLE)
			return slot;
	}
	return NO_SLOT;
}

static unsigned pick_unbound(struct iommufd *x)
{
	unsigned i, slot;

	for (i = 0; i < classes[CLASS_CDEV].count; i++) {
		slot = classes[CLASS_CDEV].first + i;
		if (x->g.model.slots[slot] != NULL && bound_find(x, x->g.model.slots[slot]) == NULL)
			return slot;
	}
	return NO_SLOT;
}

static bool has_closed_group(const struct generator *g, int site)
{
	return model_has_group(&g->model, site) && g->model.group_open[sites[site].group] == NULL;
}

static bool progress_by_group(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_slot(&x->g, CLASS_GROUP, without_container);
	int site;

	if (slot != NO_SLOT)
		return set_container(x, op, slot);
	slot = pick_slot(&x->g, CLASS_GROUP, with_container);
	if (slot != NO_SLOT && chance(&x->g, 60))
		return get_device(x, op, slot);
	site = pick_site(&x->g, has_closed_group);
	return site != NO_SITE && open_class(&x->g, op, CLASS_GROUP, site);
}

bool iommufd_progress(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);
	int site;

	if (slot == NO_SLOT)
		return open_class(g, op, CLASS_IOMMUFD, NO_SITE);
	if (pick_variable(x, KIND_IOAS, ictx_of(x, slot)) == NO_VARIABLE) {
		command(op, IOMMU_IOAS_ALLOC, slot, sizeof(struct iommu_ioas_alloc));
		put32(op, 0);
		put32(op, 0);
		keep_id(x, op, 8);
		return true;
	}
	if (x->groups && progress_by_group(x, op))
		return true;
	slot = pick_unattached(x);
	if (slot != NO_SLOT)
		return attach(x, op, slot);
	slot = pick_unbound(x);
	if (slot != NO_SLOT)
		return bind_cdev(x, op, slot);
	site = pick_site(g, has_cdev);
	return site != NO_SITE && chance(g, 60) && open_class(g, op, CLASS_CDEV, site);
}

/* What they do */

static void apply_bind(struct iommufd *x, const struct op *op)
{
	const struct object *cdev = x->g.model.slots[op->slot], *ictx;

	if (cdev == NULL || bound_find(x, cdev) != NULL || x->nr_bound == MAX_BOUND ||
	    op->nr_fixups == 0)
		return;
	ictx = x->g.model.slots[op->fixups[0].value];
	if (ictx == NULL || ictx->class != CLASS_IOMMUFD)
		return;
	x->bound[x->nr_bound++] = (struct bound){cdev, ictx, op->keep.variable, NO_VARIABLE};
	x->variables[op->keep.variable] = (struct variable){.kind = KIND_DEVICE, .ictx = ictx};
}

static void apply_detach(struct iommufd *x, struct bound *bound)
{
	if (bound->pt != NO_VARIABLE && x->variables[bound->pt].users > 0)
		x->variables[bound->pt].users--;
	bound->pt = NO_VARIABLE;
}

static void apply_attach(struct iommufd *x, const struct op *op, struct bound *bound)
{
	struct variable *pt = variable_at(x, op, 8);

	if (pt == NULL)
		return;
	apply_detach(x, bound);
	bound->pt = (unsigned)(pt - x->variables);
	pt->users++;
	if (op->keep.offset != 0 && pt->kind == KIND_IOAS)
		x->variables[op->keep.variable] =
			(struct variable){.kind = KIND_HWPT, .ictx = bound->ictx};
}

void devices_apply(struct iommufd *x, const struct op *op)
{
	struct bound *bound;

	if (op->command->nr == VFIO_DEVICE_BIND_IOMMUFD) {
		apply_bind(x, op);
		return;
	}
	bound = x->g.model.slots[op->slot] != NULL ? bound_find(x, x->g.model.slots[op->slot])
						   : NULL;
	if (bound == NULL)
		return;
	if (op->command->nr == VFIO_DEVICE_ATTACH_IOMMUFD_PT)
		apply_attach(x, op, bound);
	else
		apply_detach(x, bound);
}
