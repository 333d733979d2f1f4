/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HWPTs: one domain each, which holds the mappings of its IOAS from its making to its end. A HWPT
 * is made by HWPT_ALLOC and stays until DESTROY, or by ATTACH to an IOAS and goes with its last
 * device.
 *
 * The software IOMMU is a VT-d of version 1 in legacy mode, see hw_info.c: no nesting, no dirty
 * tracking, no page requests. Flags that ask for those, or data for a user's own page table,
 * are -EOPNOTSUPP. ALLOC_PASID is taken, as the kernel's driver does without being able to make use
 * of it.
 */
#include <errno.h>

#include "core/iommu/group.h"
#include "core/iommufd/objects.h"
#include "core/machine.h"
#include "uapi/iommufd.h"

#define KNOWN_FLAGS                                                                                \
	(IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |                          \
	 IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)

int svf_hwpt_alloc(struct svf_ioas *ioas, struct svf_call *call, struct svf_idevice *idevice,
		   bool attach, struct svf_hwpt **ret)
{
	struct svf_iobject *object;
	struct svf_hwpt *hwpt;
	int err;

	err = svf_iobject_alloc(ioas->ictx, call, sizeof(*hwpt), SVF_IOBJECT_HWPT, &object);
	if (err)
		return err;
	hwpt = svf_container_of(object, struct svf_hwpt, obj);
	hwpt->ioas = ioas;
	svf_list_init(&hwpt->ioas_link);
	if (attach) {
		err = svf_hwpt_attach_device(hwpt, call, idevice);
		if (err)
			goto err_abort;
	}
	err = svf_ioas_add_domain(ioas, call);
	if (err)
		goto err_detach;
	ioas->obj.users++;
	svf_list_add_tail(&ioas->hwpts, &hwpt->ioas_link);
	*ret = hwpt;
	return 0;

err_detach:
	if (attach && svf_hwpt_detach_device(idevice))
		hwpt->obj.users--;
err_abort:
	svf_iobject_abort(ioas->ictx, &hwpt->obj);
	return err;
}

void svf_hwpt_fini(struct svf_iobject *object)
{
	struct svf_hwpt *hwpt = svf_container_of(object, struct svf_hwpt, obj);

	svf_list_del(&hwpt->ioas_link);
	svf_ioas_remove_domain(hwpt->ioas);
	hwpt->ioas->obj.users--;
}

void svf_hwpt_put(struct svf_hwpt *hwpt)
{
	hwpt->obj.users--;
	if (hwpt->auto_domain && !hwpt->obj.users)
		svf_iobject_destroy(hwpt->ioas->ictx, &hwpt->obj);
}

static int check_paging_flags(struct svf_call *call, const struct svf_idevice *idevice,
			      const struct iommu_hwpt_alloc *cmd)
{
	if (cmd->flags & ~KNOWN_FLAGS)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x are not known",
				cmd->flags & ~KNOWN_FLAGS);
	if (idevice->igroup->group->noiommu && cmd->flags)
		return svf_fail(call, -EOPNOTSUPP,
				"without an IOMMU a HWPT has no flags, and not 0x%x", cmd->flags);
	if (cmd->flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING)
		return svf_fail(call, -EOPNOTSUPP,
				"the software IOMMU does not track dirty pages; see GET_HW_INFO");
	if (cmd->flags & IOMMU_HWPT_ALLOC_NEST_PARENT)
		return svf_fail(call, -EOPNOTSUPP, "the software IOMMU does not nest page tables");
	if (cmd->data_len)
		return svf_fail(call, -EOPNOTSUPP, "a HWPT of an IOAS takes no data, type %u",
				cmd->data_type);
	return 0;
}

/* A HWPT below another: the parent would have to be made with NEST_PARENT, and none can be. */
static int refuse_nested(struct svf_call *call, const struct iommu_hwpt_alloc *cmd)
{
	if ((cmd->flags & ~(IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)) || !cmd->data_len)
		return svf_fail(
			call, -EOPNOTSUPP,
			"pt_id %u is a HWPT, and a HWPT below it needs data and no flags 0x%x",
			cmd->pt_id, cmd->flags);
	return svf_fail(call, -EINVAL,
			"HWPT %u cannot be a parent: the software IOMMU does not nest", cmd->pt_id);
}

static int alloc_and_respond(struct svf_ucmd *ucmd, struct svf_ioas *ioas,
			     struct svf_idevice *idevice)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct svf_hwpt *hwpt;
	int err;

	err = svf_hwpt_alloc(ioas, ucmd->call, idevice, false, &hwpt);
	if (err)
		return err;
	if (cmd->flags & IOMMU_HWPT_FAULT_ID_VALID) {
		err = svf_fail(ucmd->call, -ENOENT, "there is no fault queue %u", cmd->fault_id);
	} else {
		cmd->out_hwpt_id = hwpt->obj.id;
		err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (err)
		svf_iobject_destroy(ucmd->ictx, &hwpt->obj);
	else
		svf_iobject_finalize(&hwpt->obj);
	return err;
}

int svf_hwpt_alloc_ioctl(struct svf_ucmd *ucmd)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct svf_idevice *idevice;
	struct svf_iobject *pt;
	int err;

	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	if ((cmd->data_type == IOMMU_HWPT_DATA_NONE) != !cmd->data_len)
		return svf_fail(ucmd->call, -EINVAL,
				"data type %u does not go with %u bytes of data", cmd->data_type,
				cmd->data_len);
	idevice = svf_idevice_lookup(ucmd, cmd->dev_id);
	if (!idevice)
		return -ENOENT;
	pt = svf_iobject_lookup(ucmd->ictx, cmd->pt_id, SVF_IOBJECT_ANY);
	if (pt && pt->type == SVF_IOBJECT_HWPT)
		return refuse_nested(ucmd->call, cmd);
	if (!pt || pt->type != SVF_IOBJECT_IOAS)
		return svf_fail(ucmd->call, -EINVAL, "pt_id %u is no IOAS and no HWPT", cmd->pt_id);
	err = check_paging_flags(ucmd->call, idevice, cmd);
	if (err)
		return err;
	return alloc_and_respond(ucmd, svf_container_of(pt, struct svf_ioas, obj), idevice);
}
