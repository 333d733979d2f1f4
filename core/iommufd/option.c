/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOMMU_OPTION. RLIMIT_MODE says whether locked memory is charged to the user or to the process;
 * it is kept and given back, and here both are the process (the port knows no users). It cannot
 * change once there is an object. The kernel asks for CAP_SYS_RESOURCE; a client of a software host
 * is taken to have it.
 *
 * HUGE_PAGES is a property of one IOAS, and turning it off asks of all mappings to be page-aligned.
 * A value is written back after SET too, as in the kernel.
 */
#include <errno.h>
#include <stddef.h>

#include "core/iommufd/objects.h"
#include "uapi/iommufd.h"

static int check_bool(struct svf_call *call, const struct iommu_option *cmd)
{
	if (cmd->val64 > 1)
		return svf_fail(call, -EINVAL, "value %lu, where 0 or 1 belongs", cmd->val64);
	return 0;
}

static int unknown_op(struct svf_call *call, const struct iommu_option *cmd)
{
	return svf_fail(call, -EOPNOTSUPP, "operation %u is neither SET (0) nor GET (1)", cmd->op);
}

static int option_rlimit_mode(struct svf_ucmd *ucmd, struct iommu_option *cmd)
{
	struct svf_ictx *ictx = ucmd->ictx;
	int err;

	if (cmd->object_id)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"RLIMIT_MODE is of the whole iommufd; object_id must be 0");
	if (cmd->op == IOMMU_OPTION_OP_GET) {
		cmd->val64 = ictx->account_mm;
		return 0;
	}
	if (cmd->op != IOMMU_OPTION_OP_SET)
		return unknown_op(ucmd->call, cmd);
	if (ictx->objects.used)
		return svf_fail(
			ucmd->call, -EBUSY,
			"RLIMIT_MODE can change only while the iommufd has no objects; it has %u",
			ictx->objects.used);
	err = check_bool(ucmd->call, cmd);
	if (!err)
		ictx->account_mm = cmd->val64;
	return err;
}

static int option_huge_pages(struct svf_ucmd *ucmd, struct iommu_option *cmd)
{
	struct svf_ioas *ioas;
	int err;

	ioas = svf_ioas_lookup(ucmd, cmd->object_id);
	if (!ioas)
		return -ENOENT;
	if (cmd->op == IOMMU_OPTION_OP_GET) {
		cmd->val64 = !ioas->disable_large_pages;
		return 0;
	}
	if (cmd->op != IOMMU_OPTION_OP_SET)
		return unknown_op(ucmd->call, cmd);
	err = check_bool(ucmd->call, cmd);
	if (err)
		return err;
	if (cmd->val64 == 0)
		return svf_ioas_disable_large_pages(ioas, ucmd->call);
	svf_ioas_enable_large_pages(ioas);
	return 0;
}

int svf_iommufd_option(struct svf_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;
	int err;

	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	switch (cmd->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		err = option_rlimit_mode(ucmd, cmd);
		break;
	case IOMMU_OPTION_HUGE_PAGES:
		err = option_huge_pages(ucmd, cmd);
		break;
	default:
		return svf_fail(ucmd->call, -EOPNOTSUPP, "option %u is not known", cmd->option_id);
	}
	if (err)
		return err;
	return svf_copy_to_user(ucmd->call, ucmd->ubuffer + offsetof(struct iommu_option, val64),
				&cmd->val64, sizeof(cmd->val64));
}
