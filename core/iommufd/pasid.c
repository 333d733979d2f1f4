/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attachments under a PASID (Process Address Space ID): a device whose transactions carry one can
 * have a HWPT for each, beside the one for those without.
 *
 * All of them must have been made for it (IOMMU_HWPT_ALLOC_PASID), the one without a PASID too,
 * while there is any with. An attachment under a PASID brings no reserved ranges: messages of
 * interrupts carry none. ATTACH of a PASID that is attached is -EBUSY; REPLACE changes it, and
 * leaves what was there when the IOMMU refuses.
 *
 * Like the one without, an attachment under a PASID is of the group: others of it can join, with the
 * same HWPT, and the last to detach ends it. A device without PASIDs can be attached under any, which
 * changes nothing for it, as in the kernel.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/iommufd/eventq.h"
#include "core/iommufd/hwpt.h"

static struct svf_pasid *pasid_lookup(const struct svf_igroup *igroup, uint32_t pasid)
{
	struct svf_itree_node *node = svf_itree_first(&igroup->pasids, pasid, pasid);

	return node ? svf_container_of(node, struct svf_pasid, node) : NULL;
}

struct svf_hwpt *svf_igroup_hwpt(const struct svf_igroup *igroup, uint32_t pasid)
{
	const struct svf_pasid *attachment;

	if (pasid == SVF_NO_PASID)
		return igroup->hwpt;
	attachment = pasid_lookup(igroup, pasid);
	return attachment ? attachment->hwpt : NULL;
}

int svf_pasid_compatible(const struct svf_hwpt *hwpt, struct svf_call *call,
			 const struct svf_igroup *igroup, uint32_t pasid)
{
	if (pasid == SVF_NO_PASID && !igroup->pasids.root)
		return 0;
	if (!hwpt->pasid_compat)
		return svf_fail(call, -EINVAL,
				"HWPT %u cannot be used beside PASIDs; allocate it with "
				"IOMMU_HWPT_ALLOC_PASID",
				hwpt->obj.id);
	if (pasid != SVF_NO_PASID && igroup->hwpt && !igroup->hwpt->pasid_compat)
		return svf_fail(call, -EINVAL,
				"the device is attached to HWPT %u, which cannot be used beside "
				"PASIDs",
				igroup->hwpt->obj.id);
	return 0;
}

/* The IOMMU takes transactions with the PASID to hwpt. */
static int move_pasid(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice,
		      uint32_t pasid, struct svf_hwpt *old)
{
	int err = svf_pasid_compatible(hwpt, call, idevice->igroup, pasid);

	if (err)
		return err;
	if (hwpt->ops != idevice->ops)
		return svf_fail(call, -EINVAL, "HWPT %u is a table of another IOMMU", hwpt->obj.id);
	/* A device that sends none has nothing to be moved; the kernel lets it have one. */
	if (!idevice->max_pasids)
		return 0;
	if (pasid >= idevice->max_pasids)
		return svf_fail(call, -EINVAL, "PASID %u is beyond the %u of the device", pasid,
				idevice->max_pasids);
	return idevice->ops->attach(idevice, call, pasid, hwpt, old);
}

static struct svf_pasid_device *device_lookup(const struct svf_pasid *attachment,
					      const struct svf_idevice *idevice)
{
	struct svf_itree_node *node =
		svf_itree_first(&attachment->devices, idevice->obj.id, idevice->obj.id);

	return node ? svf_container_of(node, struct svf_pasid_device, node) : NULL;
}

bool svf_idevice_has_pasid(const struct svf_idevice *idevice, uint32_t pasid)
{
	const struct svf_pasid *attachment = pasid_lookup(idevice->igroup, pasid);

	return attachment && device_lookup(attachment, idevice);
}

uint32_t svf_pasid_first(const struct svf_idevice *idevice)
{
	struct svf_itree_node *node;

	for (node = svf_itree_first(&idevice->igroup->pasids, 0, UINT64_MAX); node;
	     node = svf_itree_next(node))
		if (device_lookup(svf_container_of(node, struct svf_pasid, node), idevice))
			return (uint32_t)node->first;
	return SVF_NO_PASID;
}

static int fail_memory(struct svf_call *call)
{
	return svf_fail(call, -ENOMEM, "out of memory for an attachment");
}

static int add_device(struct svf_pasid *attachment, struct svf_call *call,
		      const struct svf_idevice *idevice)
{
	struct svf_pasid_device *device = calloc(1, sizeof(*device));

	if (!device)
		return fail_memory(call);
	device->node.first = idevice->obj.id;
	device->node.last = idevice->obj.id;
	if (!svf_itree_insert(&attachment->devices, &device->node))
		assert(!"the device was not there");
	attachment->hwpt->obj.users++;
	return 0;
}

/* A further device of the group. */
static int join(struct svf_pasid *attachment, struct svf_hwpt *hwpt, struct svf_call *call,
		const struct svf_idevice *idevice, uint32_t pasid)
{
	if (device_lookup(attachment, idevice))
		return svf_fail(call, -EBUSY,
				"PASID %u is attached to HWPT %u; replace that, or detach it first",
				pasid, attachment->hwpt->obj.id);
	if (attachment->hwpt != hwpt)
		return svf_fail(call, -EINVAL,
				"PASID %u of the IOMMU group is attached to HWPT %u; attach this "
				"device to that",
				pasid, attachment->hwpt->obj.id);
	return add_device(attachment, call, idevice);
}

int svf_pasid_attach(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice,
		     uint32_t pasid)
{
	struct svf_igroup *igroup = idevice->igroup;
	struct svf_pasid *attachment = pasid_lookup(igroup, pasid);
	struct svf_itree_node *device;
	int err;

	if (attachment)
		return join(attachment, hwpt, call, idevice, pasid);
	attachment = calloc(1, sizeof(*attachment));
	if (!attachment)
		return fail_memory(call);
	attachment->node.first = pasid;
	attachment->node.last = pasid;
	attachment->hwpt = hwpt;
	err = add_device(attachment, call, idevice);
	if (err)
		goto err_free;
	err = move_pasid(hwpt, call, idevice, pasid, NULL);
	if (err)
		goto err_remove;
	if (!svf_itree_insert(&igroup->pasids, &attachment->node))
		assert(!"the PASID was free");
	return 0;

err_remove:
	hwpt->obj.users--;
	device = svf_itree_first(&attachment->devices, 0, UINT64_MAX);
	svf_itree_remove(&attachment->devices, device);
	free(svf_container_of(device, struct svf_pasid_device, node));
err_free:
	free(attachment);
	return err;
}

int svf_pasid_replace(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice,
		      uint32_t pasid)
{
	struct svf_pasid *attachment = pasid_lookup(idevice->igroup, pasid);
	struct svf_itree_node *node;
	struct svf_hwpt *old;
	int err;

	if (!attachment || !device_lookup(attachment, idevice))
		return svf_fail(call, -EINVAL,
				"PASID %u is not attached, so there is nothing to replace", pasid);
	old = attachment->hwpt;
	if (hwpt == old)
		return 0;
	err = move_pasid(hwpt, call, idevice, pasid, old);
	if (err)
		return err;
	svf_fault_auto_respond(old->fault, idevice->igroup, pasid);
	attachment->hwpt = hwpt;
	for (node = svf_itree_first(&attachment->devices, 0, UINT64_MAX); node;
	     node = svf_itree_next(node)) {
		hwpt->obj.users++;
		svf_hwpt_put(old);
	}
	return 0;
}

struct svf_hwpt *svf_pasid_detach(struct svf_idevice *idevice, uint32_t pasid)
{
	struct svf_pasid *attachment = pasid_lookup(idevice->igroup, pasid);
	struct svf_pasid_device *device = attachment ? device_lookup(attachment, idevice) : NULL;
	struct svf_hwpt *hwpt;

	if (!device)
		return NULL;
	hwpt = attachment->hwpt;
	svf_itree_remove(&attachment->devices, &device->node);
	free(device);
	if (attachment->devices.root)
		return hwpt;
	svf_itree_remove(&idevice->igroup->pasids, &attachment->node);
	free(attachment);
	if (idevice->max_pasids && idevice->ops->attach(idevice, NULL, pasid, NULL, hwpt))
		assert(!"blocking failed");
	svf_fault_auto_respond(hwpt->fault, idevice->igroup, pasid);
	return hwpt;
}
