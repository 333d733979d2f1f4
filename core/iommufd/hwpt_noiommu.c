/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices of a machine without an IOMMU: a HWPT is a table for looking up physical addresses, with
 * nothing that it cannot hold and no flags.
 *
 * An attached device is not confined by its IOAS on a real machine: it reaches the physical addresses that
 * IOAS_NOIOMMU_GET_PA tells. Here those are the IOVAs, so that it reaches what the IOAS maps and nothing
 * else.
 */
#include <errno.h>

#include "core/iommufd/hwpt.h"

static uint64_t capabilities(const struct svf_idevice *idevice)
{
	(void)idevice;
	return 0;
}

static int alloc_paging(struct svf_idevice *idevice, struct svf_call *call, uint32_t flags,
			const struct svf_user_data *data, struct svf_hwpt *hwpt)
{
	(void)idevice;
	if (flags || data)
		return svf_fail(call, -EOPNOTSUPP,
				"without an IOMMU a HWPT takes no flags and no data");
	hwpt->domain = (struct svf_domain){
		.aperture = {0, UINT64_MAX},
		.page_sizes = SVF_IOMMU_PAGE_SIZES,
	};
	return 0;
}

static int attach(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
		  struct svf_hwpt *hwpt, struct svf_hwpt *old)
{
	(void)idevice;
	(void)call;
	(void)pasid;
	(void)hwpt;
	(void)old;
	return 0;
}

const struct svf_iommu_ops svf_noiommu_ops = {
	.capabilities = capabilities,
	.alloc_paging = alloc_paging,
	.attach = attach,
};
