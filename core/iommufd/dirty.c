/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty tracking and invalidation of HWPTs, neither of which the software IOMMU has: arguments are
 * checked in the kernel's order, and what is left is -EOPNOTSUPP for dirty tracking, and -EINVAL
 * for invalidating a HWPT that is no user's page table. GET_HW_INFO says so beforehand.
 */
#include <errno.h>

#include "base/checked.h"
#include "core/iommufd/objects.h"
#include "uapi/iommufd.h"

#define INVALIDATE_ENTRIES_MAX (1u << 19)

static int not_tracked(struct svf_ucmd *ucmd, uint32_t id)
{
	return svf_fail(ucmd->call, -EOPNOTSUPP,
			"HWPT %u does not track dirty pages; the software IOMMU cannot", id);
}

int svf_hwpt_set_dirty_tracking(struct svf_ucmd *ucmd)
{
	const struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;

	if (cmd->flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known", cmd->flags);
	if (!svf_hwpt_lookup(ucmd, cmd->hwpt_id))
		return -ENOENT;
	return not_tracked(ucmd, cmd->hwpt_id);
}

static int check_bitmap(struct svf_call *call, const struct svf_ioas *ioas,
			const struct iommu_hwpt_get_dirty_bitmap *cmd)
{
	uint64_t last, mask = svf_ioas_alignment(ioas) - 1;

	if (!cmd->length)
		return svf_fail(call, -EINVAL, "length is 0");
	if (!svf_range_last(cmd->iova, cmd->length, &last))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64",
				cmd->length, cmd->iova);
	if (!cmd->page_size)
		return svf_fail(call, -EINVAL, "page_size is 0");
	mask |= cmd->page_size - 1;
	if ((cmd->iova & mask) || ((last + 1) & mask))
		return svf_fail(call, -EINVAL,
				"IOVA 0x%lx-0x%lx does not begin and end at pages of 0x%lx",
				cmd->iova, last, cmd->page_size);
	return 0;
}

int svf_hwpt_get_dirty_bitmap(struct svf_ucmd *ucmd)
{
	const struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;
	struct svf_hwpt *hwpt;
	int err;

	if ((cmd->flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) || cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"flags 0x%x or reserved bits are not known", cmd->flags);
	hwpt = svf_hwpt_lookup(ucmd, cmd->hwpt_id);
	if (!hwpt)
		return -ENOENT;
	err = check_bitmap(ucmd->call, hwpt->ioas, cmd);
	return err ? err : not_tracked(ucmd, cmd->hwpt_id);
}

static int check_invalidate(struct svf_ucmd *ucmd, const struct iommu_hwpt_invalidate *cmd)
{
	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	if (cmd->entry_num &&
	    (!cmd->data_uptr || !cmd->entry_len || cmd->entry_len > SVF_IOMMU_PAGE_SIZE ||
	     cmd->entry_num > INVALIDATE_ENTRIES_MAX))
		return svf_fail(ucmd->call, -EINVAL, "%u entries of %u bytes at 0x%lx",
				cmd->entry_num, cmd->entry_len, cmd->data_uptr);
	if (!svf_iobject_lookup(ucmd->ictx, cmd->hwpt_id, SVF_IOBJECT_ANY))
		return svf_fail(ucmd->call, -ENOENT, "this iommufd has no object %u", cmd->hwpt_id);
	return svf_fail(ucmd->call, -EINVAL, "object %u is neither a nested HWPT nor a vIOMMU",
			cmd->hwpt_id);
}

/* How many entries were done is answered on failure too: none. */
int svf_hwpt_invalidate(struct svf_ucmd *ucmd)
{
	struct iommu_hwpt_invalidate *cmd = ucmd->cmd;
	int err = check_invalidate(ucmd, cmd), copy_err;

	cmd->entry_num = 0;
	copy_err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	return copy_err ? copy_err : err;
}
