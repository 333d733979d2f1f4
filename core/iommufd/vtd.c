/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The software IOMMU of the machine's functions, as its driver shows it to iommufd: the VT-d that
 * sysfs shows as /sys/class/iommu/dmar0, with the same two registers: version 1, legacy mode,
 * caching mode, 48 bits of IOVA in four levels, pages of 4 KiB, 2 MiB and 1 GiB, 65536 domains;
 * interrupt remapping, no scalable mode, no nesting, no snoop control, no dirty tracking, no page
 * requests, no ATS, no PASIDs, no vIOMMU.
 *
 * In scalable mode it is another one, vtd_scalable.c.
 *
 * ALLOC_PASID is taken, as the kernel's driver does without being able to make use of it. A HWPT
 * with a fault queue can be made, and no device attached to it: none makes page requests.
 */
#include <errno.h>

#include "core/iommufd/hwpt.h"
#include "uapi/iommufd.h"

/* Capability and extended capability register (VT-d specification, 11.4.2 and 11.4.3). */
#define VTD_CAP	 0x00d2008c222f0686ull
#define VTD_ECAP 0x0000000000f00f4aull

static void hw_info(void *data)
{
	struct iommu_hw_info_vtd *vtd = data;

	*vtd = (struct iommu_hw_info_vtd){
		.flags = IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17,
		.cap_reg = VTD_CAP,
		.ecap_reg = VTD_ECAP,
	};
}

static uint64_t capabilities(const struct svf_idevice *idevice)
{
	(void)idevice;
	return IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
}

static int alloc_paging(struct svf_idevice *idevice, struct svf_call *call, uint32_t flags,
			const struct svf_user_data *data, struct svf_hwpt *hwpt)
{
	(void)idevice;
	if (flags & IOMMU_HWPT_ALLOC_NEST_PARENT)
		return svf_fail(call, -EOPNOTSUPP, "the software IOMMU does not nest page tables");
	if (data)
		return svf_fail(call, -EOPNOTSUPP, "a HWPT of an IOAS takes no data, type %u",
				data->type);
	hwpt->domain = (struct svf_domain){
		.aperture = {0, SVF_IOVA_LAST},
		.page_sizes = SVF_IOMMU_PAGE_SIZES,
	};
	return 0;
}

/* Reached only with a parent, and none can be made. */
static int alloc_nested(struct svf_call *call, uint32_t flags, const struct svf_user_data *data,
			struct svf_hwpt *hwpt)
{
	(void)flags;
	(void)data;
	(void)hwpt;
	return svf_fail(call, -EOPNOTSUPP, "the software IOMMU does not nest page tables");
}

static int attach(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
		  struct svf_hwpt *hwpt, struct svf_hwpt *old)
{
	(void)idevice;
	(void)pasid;
	(void)old;
	if (hwpt && hwpt->fault)
		return svf_fail(call, -ENODEV,
				"HWPT %u has a fault queue, and the device makes no page requests",
				hwpt->obj.id);
	return 0;
}

static const struct svf_iova_range reserved[] = {
	{SVF_MSI_WINDOW_FIRST, SVF_MSI_WINDOW_LAST},
};

const struct svf_iommu_ops svf_vtd_ops = {
	.hw_info_type = IOMMU_HW_INFO_TYPE_INTEL_VTD,
	.hw_info_size = sizeof(struct iommu_hw_info_vtd),
	.hw_info = hw_info,
	.capabilities = capabilities,
	.reserved = reserved,
	.reserved_count = SVF_ARRAY_SIZE(reserved),
	.alloc_paging = alloc_paging,
	.alloc_nested = alloc_nested,
	.attach = attach,
};
