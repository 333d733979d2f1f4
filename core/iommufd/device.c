/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices bound to a context. Binding claims the IOMMU group, so that all its members belong to
 * one context; from then on their DMA is blocked until attached.
 *
 * All devices of a group share one attachment, because the IOMMU cannot tell them apart. The first
 * to attach chooses the HWPT, others must choose the same (-EINVAL), and the group is blocked again
 * when the last has detached. Replacing moves the whole group, whichever of its devices asks.
 *
 * ATTACH to an IOAS takes the HWPT that an earlier ATTACH made for it, or makes one. HWPTs
 * made by the user are never taken for that.
 *
 * Without an IOMMU there is nothing to claim, and an attached device is not confined by its IOAS on a real
 * machine: it reaches the physical addresses that IOAS_NOIOMMU_GET_PA tells. Here those are the IOVAs, so
 * that it reaches what the IOAS maps and nothing else.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/iommu/group.h"
#include "core/iommufd/objects.h"
#include "core/machine.h"
#include "core/pci/function.h"

static struct svf_igroup *igroup_lookup(const struct svf_ictx *ictx, const void *group)
{
	struct svf_igroup *igroup;

	svf_list_for_each(igroup, &ictx->groups, link)
		if (igroup->group == group)
			return igroup;
	return NULL;
}

static int igroup_get(struct svf_ictx *ictx, struct svf_call *call, struct svf_iommu_group *group,
		      struct svf_igroup **ret)
{
	struct svf_igroup *igroup = igroup_lookup(ictx, group);

	if (!igroup) {
		igroup = calloc(1, sizeof(*igroup));
		if (!igroup)
			return svf_fail(call, -ENOMEM,
					"out of memory for an IOMMU group of the iommufd");
		igroup->group = group;
		svf_list_add_tail(&ictx->groups, &igroup->link);
	}
	igroup->refs++;
	*ret = igroup;
	return 0;
}

static void igroup_put(struct svf_igroup *igroup)
{
	if (--igroup->refs)
		return;
	assert(!igroup->attached && !igroup->hwpt);
	svf_list_del(&igroup->link);
	free(igroup);
}

bool svf_ictx_has_group(struct svf_ictx *ictx, const void *iommu_group)
{
	return ictx && iommu_group && igroup_lookup(ictx, iommu_group);
}

static int claim(struct svf_idevice *idevice, struct svf_call *call)
{
	int err;

	if (!idevice->fn->group)
		return svf_fail(call, -ENODEV, "the device is in no IOMMU group");
	err = igroup_get(idevice->ictx, call, idevice->fn->group, &idevice->igroup);
	if (err || idevice->fn->group->noiommu)
		return err;
	err = svf_iommu_group_claim(idevice->fn->group, call, idevice->ictx);
	if (err)
		igroup_put(idevice->igroup);
	/* The claim has recorded who has the group. */
	return err == -EBUSY ? -EPERM : err;
}

int svf_idevice_bind(struct svf_ictx *ictx, struct svf_function *fn, struct svf_call *call,
		     struct svf_idevice **ret, uint32_t *ret_id)
{
	struct svf_iobject *object;
	struct svf_idevice *idevice;
	int err;

	err = svf_iobject_alloc(ictx, call, sizeof(*idevice), SVF_IOBJECT_DEVICE, &object);
	if (err)
		return err;
	idevice = svf_container_of(object, struct svf_idevice, obj);
	idevice->ictx = ictx;
	idevice->fn = fn;
	err = claim(idevice, call);
	if (err) {
		svf_iobject_abort(ictx, object);
		return err;
	}
	svf_ictx_get(ictx);
	object->users++;
	svf_iobject_finalize(object);
	*ret = idevice;
	*ret_id = object->id;
	return 0;
}

void svf_idevice_fini(struct svf_iobject *object)
{
	struct svf_idevice *idevice = svf_container_of(object, struct svf_idevice, obj);

	if (!idevice->igroup->group->noiommu)
		svf_iommu_group_release(idevice->igroup->group);
	igroup_put(idevice->igroup);
}

void svf_idevice_unbind(struct svf_idevice *idevice)
{
	struct svf_ictx *ictx;

	if (!idevice)
		return;
	svf_idevice_detach(idevice);
	ictx = idevice->ictx;
	idevice->obj.users--;
	svf_iobject_destroy(ictx, &idevice->obj);
	svf_ictx_put(ictx);
}

struct svf_ictx *svf_idevice_ictx(struct svf_idevice *idevice)
{
	return idevice ? idevice->ictx : NULL;
}

int svf_hwpt_attach_device(struct svf_hwpt *hwpt, struct svf_call *call,
			   struct svf_idevice *idevice)
{
	struct svf_igroup *igroup = idevice->igroup;
	int err;

	assert(!idevice->attached);
	if (igroup->hwpt && igroup->hwpt != hwpt)
		return svf_fail(call, -EINVAL,
				"a device of the same IOMMU group %u is attached to HWPT %u of "
				"IOAS %u; attach this one to that",
				igroup->group->id, igroup->hwpt->obj.id,
				igroup->hwpt->ioas->obj.id);
	err = svf_ioas_reserve_device(hwpt->ioas, call, 1);
	if (err)
		return err;
	if (!igroup->hwpt) {
		igroup->hwpt = hwpt;
		svf_iommu_group_set_space(igroup->group, &hwpt->ioas->space);
	}
	igroup->attached++;
	hwpt->obj.users++;
	idevice->attached = true;
	return 0;
}

struct svf_hwpt *svf_hwpt_detach_device(struct svf_idevice *idevice)
{
	struct svf_igroup *igroup = idevice->igroup;
	struct svf_hwpt *hwpt = igroup->hwpt;

	if (!idevice->attached)
		return NULL;
	idevice->attached = false;
	if (--igroup->attached == 0) {
		igroup->hwpt = NULL;
		svf_iommu_group_set_space(igroup->group, NULL);
	}
	svf_ioas_unreserve_device(hwpt->ioas, 1);
	return hwpt;
}

void svf_idevice_detach(struct svf_idevice *idevice)
{
	struct svf_hwpt *hwpt = svf_hwpt_detach_device(idevice);

	if (hwpt)
		svf_hwpt_put(hwpt);
}

/* Moves the whole group from its HWPT to another. */
static int replace_hwpt(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice)
{
	struct svf_igroup *igroup = idevice->igroup;
	struct svf_hwpt *old = igroup->hwpt;
	int err;

	if (!idevice->attached)
		return svf_fail(call, -EINVAL,
				"the device is not attached, so there is nothing to replace");
	if (hwpt == old)
		return 0;
	if (hwpt->ioas != old->ioas) {
		err = svf_ioas_reserve_device(hwpt->ioas, call, igroup->attached);
		if (err)
			return err;
		svf_ioas_unreserve_device(old->ioas, igroup->attached);
		svf_iommu_group_set_space(igroup->group, &hwpt->ioas->space);
	}
	igroup->hwpt = hwpt;
	hwpt->obj.users += igroup->attached;
	old->obj.users -= igroup->attached - 1;
	svf_hwpt_put(old);
	return 0;
}

typedef int change_fn(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice);

/* A HWPT that an earlier ATTACH to the IOAS made, if the device can use it. -EINVAL: none. */
static int change_to_auto(struct svf_ioas *ioas, struct svf_call *call, struct svf_idevice *idevice,
			  change_fn *change, uint32_t *pt_id)
{
	struct svf_hwpt *hwpt;

	svf_list_for_each(hwpt, &ioas->hwpts, ioas_link) {
		uint32_t id = hwpt->obj.id;
		int err;

		if (!hwpt->auto_domain)
			continue;
		err = change(hwpt, call, idevice);
		if (!err)
			*pt_id = id;
		if (err != -EINVAL)
			return err;
	}
	return -EINVAL;
}

static int change_to_ioas(struct svf_ioas *ioas, struct svf_call *call, struct svf_idevice *idevice,
			  change_fn *change, uint32_t *pt_id)
{
	bool attach = change == svf_hwpt_attach_device;
	struct svf_hwpt *hwpt;
	int err;

	err = change_to_auto(ioas, call, idevice, change, pt_id);
	if (err != -EINVAL)
		return err;
	err = svf_hwpt_alloc(ioas, call, idevice, attach, &hwpt);
	if (err)
		return err;
	if (!attach) {
		err = change(hwpt, call, idevice);
		if (err) {
			svf_iobject_destroy(ioas->ictx, &hwpt->obj);
			return err;
		}
	}
	hwpt->auto_domain = true;
	*pt_id = hwpt->obj.id;
	svf_iobject_finalize(&hwpt->obj);
	return 0;
}

static int change_pt(struct svf_idevice *idevice, struct svf_call *call, change_fn *change,
		     uint32_t *pt_id)
{
	struct svf_iobject *pt = svf_iobject_lookup(idevice->ictx, *pt_id, SVF_IOBJECT_ANY);

	if (!pt)
		return svf_fail(call, -ENOENT,
				"the iommufd the device is bound to has no object %u", *pt_id);
	switch (pt->type) {
	case SVF_IOBJECT_HWPT:
		return change(svf_container_of(pt, struct svf_hwpt, obj), call, idevice);
	case SVF_IOBJECT_IOAS:
		return change_to_ioas(svf_container_of(pt, struct svf_ioas, obj), call, idevice,
				      change, pt_id);
	default:
		return svf_fail(
			call, -EINVAL,
			"object %u is a device, and a device is attached to an IOAS or a HWPT",
			*pt_id);
	}
}

int svf_idevice_attach(struct svf_idevice *idevice, struct svf_call *call, uint32_t *pt_id)
{
	return change_pt(idevice, call, svf_hwpt_attach_device, pt_id);
}

int svf_idevice_replace(struct svf_idevice *idevice, struct svf_call *call, uint32_t *pt_id)
{
	return change_pt(idevice, call, replace_hwpt, pt_id);
}
