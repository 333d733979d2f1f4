/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOMMU_GET_HW_INFO: what kind of IOMMU stands before a device. It is the VT-d that sysfs shows as
 * /sys/class/iommu/dmar0, with the same two registers: version 1, legacy mode, caching mode,
 * 48 bits of IOVA in four levels, pages of 4 KiB, 2 MiB and 1 GiB, 65536 domains; interrupt
 * remapping, no scalable mode, no nesting, no snoop control, no dirty tracking, no page requests,
 * no ATS.
 *
 * The caller's buffer is filled up to its length, with zeroes behind our data, and told ours.
 */
#include <errno.h>

#include "core/iommu/group.h"
#include "core/iommufd/objects.h"
#include "core/pci/function.h"
#include "uapi/iommufd.h"

/* Capability and extended capability register (VT-d specification, 11.4.2 and 11.4.3). */
#define VTD_CAP	 0x00d2008c222f0686ull
#define VTD_ECAP 0x0000000000f00f4aull

/*
 * How much of a caller's longer buffer is cleared, bytes. The kernel clears whatever length it is
 * told; no kind of IOMMU has data of this size.
 */
#define CLEAR_MAX 0x10000u

static int clear_user(struct svf_call *call, uint64_t addr, uint32_t len)
{
	static const uint8_t zeroes[256];

	if (len > CLEAR_MAX)
		return svf_fail(call, -EFAULT,
				"%u bytes of buffer are more than this command clears, %u", len,
				CLEAR_MAX);
	while (len) {
		uint32_t piece = len < sizeof(zeroes) ? len : (uint32_t)sizeof(zeroes);
		int err = svf_copy_to_user(call, addr, zeroes, piece);

		if (err)
			return err;
		addr += piece;
		len -= piece;
	}
	return 0;
}

static int fill_data(struct svf_call *call, uint64_t addr, uint32_t len)
{
	const struct iommu_hw_info_vtd vtd = {
		.flags = IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17,
		.cap_reg = VTD_CAP,
		.ecap_reg = VTD_ECAP,
	};
	uint32_t copied = len < sizeof(vtd) ? len : (uint32_t)sizeof(vtd);
	int err = svf_copy_to_user(call, addr, &vtd, copied);

	return err ? err : clear_user(call, addr + copied, len - copied);
}

int svf_get_hw_info(struct svf_ucmd *ucmd)
{
	struct iommu_hw_info *cmd = ucmd->cmd;
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
	if (idevice->fn->group->noiommu)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"no IOMMU stands before " SVF_BDF_FMT,
				SVF_BDF_ARG(idevice->fn->bdf));
	if (cmd->in_data_type != IOMMU_HW_INFO_TYPE_NONE &&
	    cmd->in_data_type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"the IOMMU is a VT-d (type %u), not of type %u",
				IOMMU_HW_INFO_TYPE_INTEL_VTD, cmd->in_data_type);
	err = fill_data(ucmd->call, cmd->data_uptr, cmd->data_len);
	if (err)
		return err;
	cmd->out_data_type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
	cmd->data_len = sizeof(struct iommu_hw_info_vtd);
	cmd->out_capabilities = IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	cmd->out_max_pasid_log2 = 0;
	return svf_ucmd_respond(ucmd, sizeof(*cmd));
}
