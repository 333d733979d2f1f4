/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HWPTs. A paging one is a domain that holds the mappings of its IOAS from its making to its end; it
 * is made by HWPT_ALLOC and stays until DESTROY, or by ATTACH to an IOAS and goes with its last
 * device. A nested one lies over a parent that was made for that, or over a vIOMMU.
 *
 * What kinds there are, and what flags they take, is the IOMMU's to say (struct svf_iommu_ops):
 * the software IOMMU of the machine's functions is a VT-d in legacy mode, see vtd.c, without
 * nesting, dirty tracking and page requests, or in scalable mode, see vtd_scalable.c.
 */
#include <errno.h>

#include "core/iommufd/eventq.h"
#include "core/iommufd/hwpt.h"
#include "core/iommufd/viommu.h"
#include "core/machine.h"
#include "uapi/iommufd.h"

#define KNOWN_FLAGS                                                                                \
	(IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |                          \
	 IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)
#define NESTED_FLAGS	       (IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)

#define INVALIDATE_ENTRIES_MAX (1u << 19)

struct svf_hwpt *svf_hwpt_lookup_paging(struct svf_ucmd *ucmd, uint32_t id)
{
	struct svf_iobject *object = svf_ucmd_lookup(ucmd, id, SVF_IOBJECT_HWPT_PAGING);

	return object ? svf_container_of(object, struct svf_hwpt, obj) : NULL;
}

static int check_flags(struct svf_call *call, const struct svf_idevice *idevice, uint32_t flags)
{
	if (flags & ~KNOWN_FLAGS)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x are not known",
				flags & ~KNOWN_FLAGS);
	if (flags && !idevice->ops->hw_info)
		return svf_fail(call, -EOPNOTSUPP,
				"without an IOMMU a HWPT has no flags, and not 0x%x", flags);
	if ((flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) &&
	    !(idevice->ops->capabilities(idevice) & IOMMU_HW_CAP_DIRTY_TRACKING))
		return svf_fail(call, -EOPNOTSUPP,
				"the IOMMU does not track dirty pages of this device; see "
				"GET_HW_INFO");
	if ((flags & IOMMU_HWPT_FAULT_ID_VALID) && (flags & IOMMU_HWPT_ALLOC_NEST_PARENT))
		return svf_fail(call, -EOPNOTSUPP,
				"a nesting parent has no fault queue; the nested HWPT has");
	return 0;
}

int svf_hwpt_alloc(struct svf_ioas *ioas, struct svf_call *call, struct svf_idevice *idevice,
		   uint32_t flags, const struct svf_user_data *data, bool attach, uint32_t pasid,
		   struct svf_hwpt **ret)
{
	struct svf_iobject *object;
	struct svf_hwpt *hwpt;
	int err;

	err = check_flags(call, idevice, flags);
	if (!err)
		err = svf_iobject_alloc(ioas->ictx, call, sizeof(*hwpt), SVF_IOBJECT_HWPT_PAGING,
					&object);
	if (err)
		return err;
	hwpt = svf_container_of(object, struct svf_hwpt, obj);
	hwpt->ops = idevice->ops;
	hwpt->ioas = ioas;
	hwpt->pasid_compat = flags & IOMMU_HWPT_ALLOC_PASID;
	hwpt->nest_parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	svf_list_init(&hwpt->ioas_link);
	err = idevice->ops->alloc_paging(idevice, call, flags & ~IOMMU_HWPT_FAULT_ID_VALID, data,
					 hwpt);
	if (err)
		goto err_abort;
	if (attach) {
		err = svf_hwpt_attach_device(hwpt, call, idevice, pasid);
		if (err)
			goto err_abort;
	}
	err = svf_ioas_add_domain(ioas, call, &hwpt->domain);
	if (err)
		goto err_detach;
	ioas->obj.users++;
	svf_list_add_tail(&ioas->hwpts, &hwpt->ioas_link);
	*ret = hwpt;
	return 0;

err_detach:
	if (attach && svf_hwpt_detach_device(idevice, pasid))
		hwpt->obj.users--;
err_abort:
	svf_iobject_abort(ioas->ictx, &hwpt->obj);
	return err;
}

static void put_fault(struct svf_hwpt *hwpt)
{
	if (hwpt->fault)
		hwpt->fault->queue.obj.users--;
}

void svf_hwpt_paging_fini(struct svf_iobject *object)
{
	struct svf_hwpt *hwpt = svf_container_of(object, struct svf_hwpt, obj);

	svf_list_del(&hwpt->ioas_link);
	svf_ioas_remove_domain(hwpt->ioas, &hwpt->domain);
	svf_hwpt_stop_dirty(hwpt);
	put_fault(hwpt);
	hwpt->ioas->obj.users--;
}

void svf_hwpt_nested_fini(struct svf_iobject *object)
{
	struct svf_hwpt *hwpt = svf_container_of(object, struct svf_hwpt, obj);

	put_fault(hwpt);
	if (hwpt->viommu)
		hwpt->viommu->obj.users--;
	else
		hwpt->parent->obj.users--;
}

void svf_hwpt_put(struct svf_hwpt *hwpt)
{
	hwpt->obj.users--;
	if (hwpt->auto_domain && !hwpt->obj.users)
		svf_iobject_destroy(hwpt->ioas->ictx, &hwpt->obj);
}

static int check_nested_flags(struct svf_call *call, uint32_t flags,
			      const struct svf_user_data *data)
{
	if (flags & ~NESTED_FLAGS)
		return svf_fail(call, -EOPNOTSUPP, "a nested HWPT does not take flags 0x%x",
				flags & ~NESTED_FLAGS);
	if (!data->len)
		return svf_fail(call, -EOPNOTSUPP,
				"a nested HWPT is described by data, and there is none");
	return 0;
}

/* viommu may be NULL. */
static int alloc_nested(struct svf_ictx *ictx, struct svf_call *call, struct svf_hwpt *parent,
			struct svf_viommu *viommu, uint32_t flags, const struct svf_user_data *data,
			struct svf_hwpt **ret)
{
	struct svf_iobject *object;
	struct svf_hwpt *hwpt;
	int err;

	err = svf_iobject_alloc(ictx, call, sizeof(*hwpt), SVF_IOBJECT_HWPT_NESTED, &object);
	if (err)
		return err;
	hwpt = svf_container_of(object, struct svf_hwpt, obj);
	hwpt->ops = parent->ops;
	hwpt->ioas = parent->ioas;
	hwpt->parent = parent;
	hwpt->viommu = viommu;
	hwpt->pasid_compat = flags & IOMMU_HWPT_ALLOC_PASID;
	svf_list_init(&hwpt->ioas_link);
	flags &= ~IOMMU_HWPT_FAULT_ID_VALID;
	err = viommu ? viommu->ops->alloc_nested(call, flags, data, hwpt)
		     : parent->ops->alloc_nested(call, flags, data, hwpt);
	if (err) {
		svf_iobject_abort(ictx, object);
		return err;
	}
	if (viommu)
		viommu->obj.users++;
	else
		parent->obj.users++;
	*ret = hwpt;
	return 0;
}

static int alloc_over_parent(struct svf_ucmd *ucmd, struct svf_hwpt *parent,
			     const struct svf_idevice *idevice, const struct svf_user_data *data,
			     struct svf_hwpt **ret)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	int err = check_nested_flags(ucmd->call, cmd->flags, data);

	if (err)
		return err;
	if (!idevice->ops->alloc_nested)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "without an IOMMU there is no nesting");
	if (parent->auto_domain || !parent->nest_parent || parent->ops != idevice->ops)
		return svf_fail(ucmd->call, -EINVAL,
				"HWPT %u cannot be a parent; allocate one with "
				"IOMMU_HWPT_ALLOC_NEST_PARENT for this device",
				parent->obj.id);
	return alloc_nested(ucmd->ictx, ucmd->call, parent, NULL, cmd->flags, data, ret);
}

static int alloc_over_viommu(struct svf_ucmd *ucmd, struct svf_viommu *viommu,
			     const struct svf_idevice *idevice, const struct svf_user_data *data,
			     struct svf_hwpt **ret)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	int err;

	if (viommu->iommu != idevice->ops)
		return svf_fail(ucmd->call, -EINVAL, "vIOMMU %u is of another IOMMU than device %u",
				viommu->obj.id, idevice->obj.id);
	err = check_nested_flags(ucmd->call, cmd->flags, data);
	if (err)
		return err;
	return alloc_nested(ucmd->ictx, ucmd->call, viommu->hwpt, viommu, cmd->flags, data, ret);
}

static int alloc_over(struct svf_ucmd *ucmd, struct svf_iobject *pt, struct svf_idevice *idevice,
		      struct svf_hwpt **ret)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	const struct svf_user_data data = {cmd->data_type, cmd->data_len, cmd->data_uptr};

	switch (pt ? pt->type : SVF_IOBJECT_ANY) {
	case SVF_IOBJECT_IOAS:
		return svf_hwpt_alloc(svf_container_of(pt, struct svf_ioas, obj), ucmd->call,
				      idevice, cmd->flags, data.len ? &data : NULL, false,
				      SVF_NO_PASID, ret);
	case SVF_IOBJECT_HWPT_PAGING:
		return alloc_over_parent(ucmd, svf_container_of(pt, struct svf_hwpt, obj), idevice,
					 &data, ret);
	case SVF_IOBJECT_VIOMMU:
		return alloc_over_viommu(ucmd, svf_container_of(pt, struct svf_viommu, obj),
					 idevice, &data, ret);
	default:
		return svf_fail(ucmd->call, -EINVAL,
				"pt_id %u is no IOAS, no paging HWPT and no vIOMMU", cmd->pt_id);
	}
}

static int take_fault(struct svf_ucmd *ucmd, struct svf_hwpt *hwpt)
{
	const struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct svf_fault *fault;

	if (!(cmd->flags & IOMMU_HWPT_FAULT_ID_VALID))
		return 0;
	fault = svf_fault_lookup(ucmd, cmd->fault_id);
	if (!fault)
		return -ENOENT;
	fault->queue.obj.users++;
	hwpt->fault = fault;
	return 0;
}

int svf_hwpt_alloc_ioctl(struct svf_ucmd *ucmd)
{
	struct iommu_hwpt_alloc *cmd = ucmd->cmd;
	struct svf_idevice *idevice;
	struct svf_hwpt *hwpt;
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
	err = alloc_over(ucmd, svf_iobject_lookup(ucmd->ictx, cmd->pt_id, SVF_IOBJECT_ANY), idevice,
			 &hwpt);
	if (err)
		return err;
	err = take_fault(ucmd, hwpt);
	if (!err) {
		cmd->out_hwpt_id = hwpt->obj.id;
		err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (err)
		svf_iobject_destroy(ucmd->ictx, &hwpt->obj);
	else
		svf_iobject_finalize(&hwpt->obj);
	return err;
}

/* --- HWPT_INVALIDATE: caches of nested HWPTs, and what vIOMMUs have --- */

static int invalidate(struct svf_ucmd *ucmd, const struct iommu_hwpt_invalidate *cmd,
		      uint32_t *ret_done)
{
	const struct svf_user_array array = {cmd->data_type, cmd->entry_len, cmd->entry_num,
					     cmd->data_uptr};
	struct svf_iobject *pt;

	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	if (cmd->entry_num &&
	    (!cmd->data_uptr || !cmd->entry_len || cmd->entry_len > SVF_IOMMU_PAGE_SIZE ||
	     cmd->entry_num > INVALIDATE_ENTRIES_MAX))
		return svf_fail(ucmd->call, -EINVAL, "%u entries of %u bytes at 0x%lx",
				cmd->entry_num, cmd->entry_len, cmd->data_uptr);
	pt = svf_ucmd_lookup(ucmd, cmd->hwpt_id, SVF_IOBJECT_ANY);
	if (!pt)
		return -ENOENT;
	if (pt->type == SVF_IOBJECT_HWPT_NESTED) {
		struct svf_hwpt *hwpt = svf_container_of(pt, struct svf_hwpt, obj);

		return hwpt->ops->invalidate_nested(hwpt, ucmd->call, &array, ret_done);
	}
	if (pt->type == SVF_IOBJECT_VIOMMU) {
		struct svf_viommu *viommu = svf_container_of(pt, struct svf_viommu, obj);

		return viommu->ops->invalidate(viommu, ucmd->call, &array, ret_done);
	}
	return svf_fail(ucmd->call, -EINVAL, "object %u is neither a nested HWPT nor a vIOMMU",
			cmd->hwpt_id);
}

/* How many entries were done is answered on failure too. */
int svf_hwpt_invalidate(struct svf_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	uint32_t done = 0;
	int err = invalidate(ucmd, cmd, &done), copy_err;

	cmd->entry_num = done;
	copy_err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	return copy_err ? copy_err : err;
}
