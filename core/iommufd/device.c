/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices bound to a context. Binding claims the IOMMU group, so that all its members belong to
 * one context; from then on their DMA is blocked until attached.
 *
 * All devices of a requester (core/iommu/requester.h) share one attachment: as in Linux those of a
 * group, or, on a machine that attaches devices by themselves, those that the IOMMU cannot tell
 * apart. The first to attach chooses the HWPT, others must choose the same (-EINVAL), and the
 * requester is blocked again when the last has detached. Replacing moves all of it, whichever of
 * its devices asks.
 *
 * ATTACH to an IOAS takes the HWPT that an earlier ATTACH made for it, or makes one. HWPTs
 * made by the user are never taken for that.
 *
 * A device whose transactions carry PASIDs has an attachment for each, see pasid.c. A device of the
 * kernel's selftests (selftest.c) is in no group but its own, which only this context knows.
 *
 * Without an IOMMU there is nothing to claim, see hwpt_noiommu.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/iommu/group.h"
#include "core/iommu/requester.h"
#include "core/iommufd/eventq.h"
#include "core/iommufd/hwpt.h"
#include "core/iommufd/viommu.h"
#include "core/machine.h"
#include "core/pci/function.h"

struct svf_idevice *svf_idevice_lookup(struct svf_ucmd *ucmd, uint32_t id)
{
	struct svf_iobject *object = svf_ucmd_lookup(ucmd, id, SVF_IOBJECT_DEVICE);

	return object ? svf_container_of(object, struct svf_idevice, obj) : NULL;
}

static struct svf_igroup *igroup_lookup(const struct svf_ictx *ictx,
					const struct svf_requester *requester)
{
	struct svf_igroup *igroup;

	svf_list_for_each(igroup, &ictx->groups, link)
		if (igroup->requester == requester)
			return igroup;
	return NULL;
}

static int igroup_get(struct svf_ictx *ictx, struct svf_call *call, struct svf_requester *requester,
		      struct svf_igroup **ret)
{
	struct svf_igroup *igroup = requester ? igroup_lookup(ictx, requester) : NULL;

	if (!igroup) {
		igroup = calloc(1, sizeof(*igroup));
		if (!igroup)
			return svf_fail(call, -ENOMEM,
					"out of memory for an IOMMU group of the iommufd");
		igroup->requester = requester;
		if (requester)
			requester->users++;
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
	assert(!igroup->attached && !igroup->hwpt && !igroup->pasids.root);
	if (igroup->requester)
		igroup->requester->users--;
	svf_list_del(&igroup->link);
	free(igroup);
}

bool svf_ictx_has_group(struct svf_ictx *ictx, const void *iommu_group)
{
	const struct svf_igroup *igroup;

	if (!ictx || !iommu_group)
		return false;
	svf_list_for_each(igroup, &ictx->groups, link)
		if (igroup->requester && igroup->requester->group == iommu_group)
			return true;
	return false;
}

static int claim(struct svf_idevice *idevice, struct svf_call *call)
{
	int err;

	if (!idevice->fn->group)
		return svf_fail(call, -ENODEV, "the device is in no IOMMU group");
	err = igroup_get(idevice->ictx, call, idevice->fn->requester, &idevice->igroup);
	if (err || idevice->fn->group->noiommu)
		return err;
	err = svf_iommu_group_claim(idevice->fn->group, call, idevice->ictx);
	if (err)
		igroup_put(idevice->igroup);
	/* The claim has recorded who has the group. */
	return err == -EBUSY ? -EPERM : err;
}

static const struct svf_iommu_ops *ops_of(const struct svf_function *fn)
{
	if (fn->group && fn->group->noiommu)
		return &svf_noiommu_ops;
	return fn->machine->params.iommu_scalable ? &svf_vtd_scalable_ops : &svf_vtd_ops;
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
	idevice->ops = ops_of(fn);
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

int svf_idevice_bind_mock(struct svf_ictx *ictx, struct svf_mock_device *mock, uint32_t max_pasids,
			  struct svf_call *call, struct svf_idevice **ret)
{
	struct svf_iobject *object;
	struct svf_idevice *idevice;
	int err;

	err = svf_iobject_alloc(ictx, call, sizeof(*idevice), SVF_IOBJECT_DEVICE, &object);
	if (err)
		return err;
	idevice = svf_container_of(object, struct svf_idevice, obj);
	err = igroup_get(ictx, call, NULL, &idevice->igroup);
	if (err) {
		svf_iobject_abort(ictx, object);
		return err;
	}
	/* No reference to the context: it ends the device itself. */
	idevice->ictx = ictx;
	idevice->ops = &svf_mock_ops;
	idevice->mock = mock;
	idevice->max_pasids = max_pasids;
	object->users++;
	svf_iobject_finalize(object);
	*ret = idevice;
	return 0;
}

void svf_idevice_fini(struct svf_iobject *object)
{
	struct svf_idevice *idevice = svf_container_of(object, struct svf_idevice, obj);

	const struct svf_requester *requester = idevice->igroup->requester;

	if (requester && !requester->group->noiommu)
		svf_iommu_group_release(requester->group);
	igroup_put(idevice->igroup);
}

static void detach_all(struct svf_idevice *idevice)
{
	uint32_t pasid;

	svf_idevice_detach(idevice);
	while ((pasid = svf_pasid_first(idevice)) != SVF_NO_PASID)
		svf_idevice_detach_pasid(idevice, pasid);
}

void svf_idevice_unbind(struct svf_idevice *idevice)
{
	struct svf_ictx *ictx;
	bool counted;

	if (!idevice)
		return;
	detach_all(idevice);
	if (idevice->vdevice)
		svf_iobject_tombstone(idevice->ictx, &idevice->vdevice->obj);
	ictx = idevice->ictx;
	counted = !idevice->mock;
	idevice->obj.users--;
	svf_iobject_destroy(ictx, &idevice->obj);
	if (counted)
		svf_ictx_put(ictx);
}

struct svf_ictx *svf_idevice_ictx(struct svf_idevice *idevice)
{
	return idevice ? idevice->ictx : NULL;
}

/* --- attachments without a PASID --- */

static void unreserve(struct svf_ioas *ioas, const struct svf_iommu_ops *ops, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		svf_ioas_unreserve(ioas, ops->reserved[i].first, ops->reserved[i].last);
}

/* What devices of that kind cannot use, for so many of them. */
static int reserve(struct svf_ioas *ioas, struct svf_call *call, const struct svf_iommu_ops *ops,
		   unsigned int devices)
{
	unsigned int done = 0;

	for (; devices; devices--, done++) {
		for (unsigned int i = 0; i < ops->reserved_count; i++) {
			int err = svf_ioas_reserve(ioas, call, ops->reserved[i].first,
						   ops->reserved[i].last,
						   "that is the device's MSI window");

			if (!err)
				continue;
			unreserve(ioas, ops, i);
			while (done--)
				unreserve(ioas, ops, ops->reserved_count);
			return err;
		}
	}
	return 0;
}

static void unreserve_devices(struct svf_ioas *ioas, const struct svf_iommu_ops *ops,
			      unsigned int devices)
{
	while (devices--)
		unreserve(ioas, ops, ops->reserved_count);
}

static void set_space(struct svf_igroup *igroup, struct svf_hwpt *hwpt)
{
	igroup->hwpt = hwpt;
	if (!igroup->requester)
		return;
	svf_requester_set_space(igroup->requester,
				hwpt ? &svf_hwpt_paging(hwpt)->ioas->space : NULL);
	igroup->requester->via = hwpt && hwpt->via.space ? &hwpt->via : NULL;
}

/* The IOMMU takes the requester to the HWPT, from what it was attached to. */
static int move_requester(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice)
{
	struct svf_igroup *igroup = idevice->igroup;
	struct svf_hwpt *old = igroup->hwpt;
	int err = svf_pasid_compatible(hwpt, call, igroup, SVF_NO_PASID);

	if (!err && hwpt->ops != idevice->ops)
		err = svf_fail(call, -EINVAL, "HWPT %u is a table of another IOMMU", hwpt->obj.id);
	if (!err)
		err = idevice->ops->attach(idevice, call, SVF_NO_PASID, hwpt, old);
	if (err)
		return err;
	if (old)
		svf_fault_auto_respond(old->fault, igroup, SVF_NO_PASID);
	set_space(igroup, hwpt);
	return 0;
}

static int fail_shared(const struct svf_idevice *idevice, struct svf_call *call)
{
	const struct svf_hwpt *hwpt = idevice->igroup->hwpt;
	char text[SVF_REQUESTER_TEXT_SIZE];

	return svf_fail(call, -EINVAL, "%s, to HWPT %u of IOAS %u; attach this one to that",
			svf_requester_sharing(idevice->fn, text, sizeof(text)), hwpt->obj.id,
			hwpt->ioas->obj.id);
}

int svf_hwpt_attach_device(struct svf_hwpt *hwpt, struct svf_call *call,
			   struct svf_idevice *idevice, uint32_t pasid)
{
	struct svf_igroup *igroup = idevice->igroup;
	struct svf_ioas *ioas = svf_hwpt_paging(hwpt)->ioas;
	int err;

	if (pasid != SVF_NO_PASID)
		return svf_pasid_attach(hwpt, call, idevice, pasid);
	/* By the other of ATTACH with PASID 0 and without any. */
	if (idevice->attached)
		return svf_fail(call, -EBUSY, "the device is attached to HWPT %u; detach it first",
				igroup->hwpt->obj.id);
	if (igroup->hwpt && igroup->hwpt != hwpt)
		return fail_shared(idevice, call);
	err = reserve(ioas, call, idevice->ops, 1);
	if (err)
		return err;
	err = igroup->hwpt ? 0 : move_requester(hwpt, call, idevice);
	if (err) {
		unreserve_devices(ioas, idevice->ops, 1);
		return err;
	}
	igroup->attached++;
	hwpt->obj.users++;
	idevice->attached = true;
	return 0;
}

struct svf_hwpt *svf_hwpt_detach_device(struct svf_idevice *idevice, uint32_t pasid)
{
	struct svf_igroup *igroup = idevice->igroup;
	struct svf_hwpt *hwpt = igroup->hwpt;

	if (pasid != SVF_NO_PASID)
		return svf_pasid_detach(idevice, pasid);
	if (!idevice->attached)
		return NULL;
	idevice->attached = false;
	if (--igroup->attached == 0) {
		if (idevice->ops->attach(idevice, NULL, SVF_NO_PASID, NULL, hwpt))
			assert(!"blocking failed");
		set_space(igroup, NULL);
		svf_fault_auto_respond(hwpt->fault, igroup, SVF_NO_PASID);
	}
	unreserve_devices(svf_hwpt_paging(hwpt)->ioas, idevice->ops, 1);
	return hwpt;
}

void svf_idevice_detach_pasid(struct svf_idevice *idevice, uint32_t pasid)
{
	struct svf_hwpt *hwpt = svf_hwpt_detach_device(idevice, pasid);

	if (hwpt)
		svf_hwpt_put(hwpt);
}

void svf_idevice_detach(struct svf_idevice *idevice)
{
	svf_idevice_detach_pasid(idevice, SVF_NO_PASID);
}

/* Moves the whole requester from its HWPT to another. */
static int replace_hwpt(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice,
			uint32_t pasid)
{
	struct svf_igroup *igroup = idevice->igroup;
	struct svf_hwpt *old = igroup->hwpt;
	struct svf_ioas *ioas = svf_hwpt_paging(hwpt)->ioas, *old_ioas;
	int err = 0;

	if (pasid != SVF_NO_PASID)
		return svf_pasid_replace(hwpt, call, idevice, pasid);
	if (!idevice->attached)
		return svf_fail(call, -EINVAL,
				"the device is not attached, so there is nothing to replace");
	if (hwpt == old)
		return 0;
	old_ioas = svf_hwpt_paging(old)->ioas;
	if (ioas != old_ioas)
		err = reserve(ioas, call, idevice->ops, igroup->attached);
	if (err)
		return err;
	err = move_requester(hwpt, call, idevice);
	if (ioas != old_ioas)
		unreserve_devices(err ? ioas : old_ioas, idevice->ops, igroup->attached);
	if (err)
		return err;
	hwpt->obj.users += igroup->attached;
	old->obj.users -= igroup->attached - 1;
	svf_hwpt_put(old);
	return 0;
}

/* --- what ATTACH and REPLACE are told to take --- */

typedef int change_fn(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice,
		      uint32_t pasid);

/* A change of a device's attachment under a PASID. */
struct change {
	struct svf_idevice *idevice;
	struct svf_call *call;
	uint32_t pasid;
	change_fn *apply;
};

/* A HWPT that an earlier ATTACH to the IOAS made, if the device can use it. -EINVAL: none. */
static int change_to_auto(const struct change *change, struct svf_ioas *ioas, uint32_t *pt_id)
{
	struct svf_hwpt *hwpt;

	svf_list_for_each(hwpt, &ioas->hwpts, ioas_link) {
		uint32_t id = hwpt->obj.id;
		int err;

		if (!hwpt->auto_domain)
			continue;
		err = change->apply(hwpt, change->call, change->idevice, change->pasid);
		if (!err)
			*pt_id = id;
		if (err != -EINVAL)
			return err;
	}
	return -EINVAL;
}

static int change_to_ioas(const struct change *change, struct svf_ioas *ioas, uint32_t *pt_id)
{
	bool attach = change->apply == svf_hwpt_attach_device;
	struct svf_hwpt *hwpt;
	int err;

	err = change_to_auto(change, ioas, pt_id);
	if (err != -EINVAL)
		return err;
	err = svf_hwpt_alloc(ioas, change->call, change->idevice, 0, NULL, attach, change->pasid,
			     &hwpt);
	if (err)
		return err;
	if (!attach) {
		err = change->apply(hwpt, change->call, change->idevice, change->pasid);
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

static int change_pt(const struct change *change, uint32_t *pt_id)
{
	struct svf_iobject *pt = svf_iobject_lookup(change->idevice->ictx, *pt_id, SVF_IOBJECT_ANY);
	int err;

	if (!pt)
		return svf_fail(change->call, -ENOENT,
				"the iommufd the device is bound to has no object %u", *pt_id);
	if (svf_iobject_is_hwpt(pt))
		return change->apply(svf_container_of(pt, struct svf_hwpt, obj), change->call,
				     change->idevice, change->pasid);
	if (pt->type != SVF_IOBJECT_IOAS)
		return svf_fail(change->call, -EINVAL,
				"object %u is of type %s, and a device is attached to an IOAS or a "
				"HWPT",
				*pt_id, svf_iobject_name(pt->type));
	err = change_to_ioas(change, svf_container_of(pt, struct svf_ioas, obj), pt_id);
	/* A HWPT that was tried in vain has left a reason. */
	if (!err)
		change->call->reason[0] = '\0';
	return err;
}

int svf_idevice_attach_pasid(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
			     uint32_t *pt_id)
{
	const struct change change = {idevice, call, pasid, svf_hwpt_attach_device};

	return change_pt(&change, pt_id);
}

int svf_idevice_replace_pasid(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
			      uint32_t *pt_id)
{
	const struct change change = {idevice, call, pasid, replace_hwpt};

	return change_pt(&change, pt_id);
}

int svf_idevice_attach(struct svf_idevice *idevice, struct svf_call *call, uint32_t *pt_id)
{
	return svf_idevice_attach_pasid(idevice, call, SVF_NO_PASID, pt_id);
}

int svf_idevice_replace(struct svf_idevice *idevice, struct svf_call *call, uint32_t *pt_id)
{
	return svf_idevice_replace_pasid(idevice, call, SVF_NO_PASID, pt_id);
}
