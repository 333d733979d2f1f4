/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual IOMMUs and what hangs on them. The software IOMMU offers none: the kernel's VT-d driver
 * has no type of vIOMMU either, so VIOMMU_ALLOC is -EOPNOTSUPP for every device, and the commands
 * that need a vIOMMU find none, -ENOENT, once their arguments are in order. No id can be that of a
 * vIOMMU, a fault queue or an event queue.
 */
#include <errno.h>

#include "base/checked.h"
#include "core/iommufd/objects.h"
#include "uapi/iommufd.h"

#define VEVENTQ_DEPTH_MAX (1u << 19)

static int no_viommu(struct svf_ucmd *ucmd, uint32_t id)
{
	return svf_fail(ucmd->call, -ENOENT, "object %u is no vIOMMU; the software IOMMU has none",
			id);
}

int svf_viommu_alloc(struct svf_ucmd *ucmd)
{
	const struct iommu_viommu_alloc *cmd = ucmd->cmd;

	if (cmd->flags || cmd->type == IOMMU_VIOMMU_TYPE_DEFAULT)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x or type %u is not known",
				cmd->flags, cmd->type);
	if (!svf_idevice_lookup(ucmd, cmd->dev_id))
		return -ENOENT;
	return svf_fail(ucmd->call, -EOPNOTSUPP, "the software IOMMU has no vIOMMU of type %u",
			cmd->type);
}

int svf_vdevice_alloc(struct svf_ucmd *ucmd)
{
	const struct iommu_vdevice_alloc *cmd = ucmd->cmd;

	return no_viommu(ucmd, cmd->viommu_id);
}

int svf_hw_queue_alloc(struct svf_ucmd *ucmd)
{
	const struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	uint64_t last;

	if (cmd->flags || cmd->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x or type %u is not known",
				cmd->flags, cmd->type);
	if (!cmd->length)
		return svf_fail(ucmd->call, -EINVAL, "length is 0");
	if (!svf_range_last(cmd->nesting_parent_iova, cmd->length, &last))
		return svf_fail(ucmd->call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64",
				cmd->length, cmd->nesting_parent_iova);
	return no_viommu(ucmd, cmd->viommu_id);
}

int svf_veventq_alloc(struct svf_ucmd *ucmd)
{
	const struct iommu_veventq_alloc *cmd = ucmd->cmd;

	if (cmd->flags || cmd->reserved || cmd->type == IOMMU_VEVENTQ_TYPE_DEFAULT)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x or type %u is not known",
				cmd->flags, cmd->type);
	if (!cmd->veventq_depth || cmd->veventq_depth > VEVENTQ_DEPTH_MAX)
		return svf_fail(ucmd->call, -EINVAL,
				"a queue of %u events; 1 to %u can be asked for",
				cmd->veventq_depth, VEVENTQ_DEPTH_MAX);
	return no_viommu(ucmd, cmd->viommu_id);
}

/*
 * TODO: fault queues. Linux makes one on any machine; it needs a descriptor of a kind that the
 * core does not have yet, and a device with page requests to be of use: attaching to a HWPT with
 * a fault queue is -ENODEV for every device without.
 */
int svf_fault_queue_alloc(struct svf_ucmd *ucmd)
{
	const struct iommu_fault_alloc *cmd = ucmd->cmd;

	if (cmd->flags)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known", cmd->flags);
	return svf_fail(ucmd->call, -EOPNOTSUPP,
			"fault queues are not implemented; no device here makes page requests");
}
