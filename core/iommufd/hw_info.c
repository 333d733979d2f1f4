/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOMMU_GET_HW_INFO: what kind of IOMMU stands before a device, in the words of its driver (vtd.c).
 *
 * The caller's buffer is filled up to its length, with zeroes behind our data, and told ours.
 */
#include <errno.h>

#include "core/iommufd/hwpt.h"
#include "uapi/iommufd.h"

/*
 * How much of a caller's longer buffer is cleared, bytes. The kernel clears whatever length it is
 * told; no kind of IOMMU has data of this size.
 */
#define CLEAR_MAX  0x10000u

#define DATA_WORDS 8 /* of any kind of IOMMU, 8 bytes each */

static int clear_user(struct svf_call *call, uint64_t addr, uint32_t len)
{
	static const uint8_t zeroes[256];
	uint32_t left = len < CLEAR_MAX ? len : CLEAR_MAX;

	while (left) {
		uint32_t piece = left < sizeof(zeroes) ? left : (uint32_t)sizeof(zeroes);
		int err = svf_copy_to_user(call, addr, zeroes, piece);

		if (err)
			return err;
		addr += piece;
		left -= piece;
	}
	if (len > CLEAR_MAX)
		return svf_fail(call, -EFAULT,
				"%u bytes of buffer are more than this command clears, %u", len,
				CLEAR_MAX);
	return 0;
}

static int fill_data(struct svf_call *call, const struct svf_iommu_ops *ops, uint64_t addr,
		     uint32_t len)
{
	uint64_t data[DATA_WORDS] = {0};
	uint32_t copied = len < ops->hw_info_size ? len : ops->hw_info_size;
	int err;

	ops->hw_info(data);
	err = svf_copy_to_user(call, addr, data, copied);
	return err ? err : clear_user(call, addr + copied, len - copied);
}

static uint8_t log2_of(uint32_t power)
{
	return power ? (uint8_t)__builtin_ctz(power) : 0;
}

int svf_get_hw_info(struct svf_ucmd *ucmd)
{
	struct iommu_hw_info *cmd = ucmd->cmd;
	const struct svf_iommu_ops *ops;
	struct svf_idevice *idevice;
	int err;

	if (cmd->flags & ~IOMMU_HW_INFO_FLAG_INPUT_TYPE)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known", cmd->flags);
	if (cmd->reserved[0] || cmd->reserved[1] || cmd->reserved[2])
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	if (!(cmd->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE))
		cmd->in_data_type = IOMMU_HW_INFO_TYPE_NONE;
	idevice = svf_idevice_lookup(ucmd, cmd->dev_id);
	if (!idevice)
		return -ENOENT;
	ops = idevice->ops;
	if (!ops->hw_info)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "no IOMMU stands before device %u",
				idevice->obj.id);
	if (cmd->in_data_type != IOMMU_HW_INFO_TYPE_NONE && cmd->in_data_type != ops->hw_info_type)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "the IOMMU is of type 0x%x, not 0x%x",
				ops->hw_info_type, cmd->in_data_type);
	err = fill_data(ucmd->call, ops, cmd->data_uptr, cmd->data_len);
	if (err)
		return err;
	cmd->out_data_type = ops->hw_info_type;
	cmd->data_len = ops->hw_info_size;
	cmd->out_capabilities = ops->capabilities(idevice);
	cmd->out_max_pasid_log2 = log2_of(idevice->max_pasids);
	return svf_ucmd_respond(ucmd, sizeof(*cmd));
}
