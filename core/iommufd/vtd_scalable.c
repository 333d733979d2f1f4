/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VT-d of the machine's functions in scalable mode (params.iommu_scalable): first-stage tables
 * of four and five levels, second-stage tables with dirty tracking, and nesting.
 *
 * As the kernel's driver has it, a HWPT without flags is a first-stage table: its upper half is that
 * of a processor, so it reaches 2^47, half as far as a second-stage one; what may be written may be
 * read. NEST_PARENT and DIRTY_TRACKING make a second-stage table. A parent takes no mapping
 * that is only to be read, because of an erratum that the driver always assumes.
 *
 * A nested HWPT is described by the address of a table of the client's, how wide its addresses are
 * and a few flags, none of which is looked at before ATTACH. The table is walked for each
 * transaction (core/iommu/stage1.c), nothing of it is cached: HWPT_INVALIDATE checks what it is given
 * and has nothing to do.
 */
#include <errno.h>

#include "core/iommufd/hwpt.h"
#include "core/iommufd/viommu.h"
#include "core/machine.h"
#include "uapi/iommufd.h"

/*
 * Capability and extended capability register (VT-d specification, 11.4.2 and 11.4.3): those of
 * legacy mode, first-stage tables of five levels and with pages of 1 GiB (56, 60); nesting (26),
 * the extended accessed flag (34), scalable mode (43), second-stage accessed and dirty bits (45),
 * second-stage and first-stage translation (46, 47), coherent walks (48).
 */
#define VTD_CAP	   (0x00d2008c222f0686ull | 1ull << 56 | 1ull << 60)
#define ECAP_NEST  (1ull << 26)
#define ECAP_EAFS  (1ull << 34)
#define ECAP_SMTS  (1ull << 43)
#define ECAP_SSADS (1ull << 45)
#define ECAP_SSTS  (1ull << 46)
#define ECAP_FSTS  (1ull << 47)
#define ECAP_SMPWC (1ull << 48)
#define VTD_ECAP                                                                                   \
	(0x0000000000f00f4aull | ECAP_NEST | ECAP_EAFS | ECAP_SMTS | ECAP_SSADS | ECAP_SSTS |      \
	 ECAP_FSTS | ECAP_SMPWC)

#define WIDTH_4_LEVELS 48u
#define WIDTH_5_LEVELS 57u

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
	return IOMMU_HW_CAP_DIRTY_TRACKING | IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED;
}

static int alloc_paging(struct svf_idevice *idevice, struct svf_call *call, uint32_t flags,
			const struct svf_user_data *data, struct svf_hwpt *hwpt)
{
	bool second = flags & (IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING);

	(void)idevice;
	if (data)
		return svf_fail(call, -EOPNOTSUPP, "a HWPT of an IOAS takes no data, type %u",
				data->type);
	hwpt->domain = (struct svf_domain){
		.aperture = {0, second ? SVF_IOVA_LAST : SVF_FIRST_STAGE_LAST},
		.page_sizes = SVF_IOMMU_PAGE_SIZES,
		.needs_write = flags & IOMMU_HWPT_ALLOC_NEST_PARENT,
	};
	if (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING)
		hwpt->dirty_unit = SVF_IOMMU_PAGE_SIZE;
	hwpt->via = (struct svf_translation){
		.space = &hwpt->ioas->space,
		.tables = second ? SVF_TABLES_SECOND : SVF_TABLES_FIRST,
		.dirty = &hwpt->dirty,
	};
	return 0;
}

/* --- nesting --- */

static int alloc_nested(struct svf_call *call, uint32_t flags, const struct svf_user_data *data,
			struct svf_hwpt *hwpt)
{
	struct iommu_hwpt_vtd_s1 s1;
	int err;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x are not known", flags);
	if (data->type != IOMMU_HWPT_DATA_VTD_S1)
		return svf_fail(call, -EOPNOTSUPP,
				"data of type 0x%x; the IOMMU is a VT-d and takes "
				"IOMMU_HWPT_DATA_VTD_S1",
				data->type);
	err = svf_user_data_copy(call, data, IOMMU_HWPT_DATA_VTD_S1, &s1, sizeof(s1), sizeof(s1));
	if (err)
		return err;
	hwpt->stage1 = (struct svf_stage1){
		.table = s1.pgtbl_addr,
		.levels = s1.addr_width == WIDTH_5_LEVELS ? 5 : 4,
		.extended_accessed = s1.flags & IOMMU_VTD_S1_EAFE,
	};
	hwpt->stage1_flags = s1.flags;
	hwpt->stage1_width = s1.addr_width;
	hwpt->via = hwpt->parent->via;
	hwpt->via.stage1 = &hwpt->stage1;
	return 0;
}

static int check_nested(const struct svf_hwpt *hwpt, struct svf_call *call)
{
	if (hwpt->stage1_width != WIDTH_4_LEVELS && hwpt->stage1_width != WIDTH_5_LEVELS)
		return svf_fail(call, -EINVAL,
				"HWPT %u was allocated with addresses of %u bits; a first-stage "
				"table has 48, of four levels, or 57, of five",
				hwpt->obj.id, hwpt->stage1_width);
	if (hwpt->stage1_flags & IOMMU_VTD_S1_SRE)
		return svf_fail(call, -EINVAL,
				"HWPT %u was allocated with IOMMU_VTD_S1_SRE, and the IOMMU has no "
				"supervisor requests",
				hwpt->obj.id);
	return 0;
}

static int attach(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
		  struct svf_hwpt *hwpt, struct svf_hwpt *old)
{
	(void)idevice;
	(void)pasid;
	(void)old;
	if (!hwpt)
		return 0;
	if (hwpt->fault)
		return svf_fail(call, -ENODEV,
				"HWPT %u has a fault queue, and the device makes no page requests",
				hwpt->obj.id);
	return hwpt->parent ? check_nested(hwpt, call) : 0;
}

static int check_entry(struct svf_call *call, const struct iommu_hwpt_vtd_s1_invalidate *entry)
{
	if ((entry->flags & ~IOMMU_VTD_INV_FLAGS_LEAF) || entry->reserved)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x or reserved bits are not known",
				entry->flags);
	if (entry->addr % SVF_IOMMU_PAGE_SIZE)
		return svf_fail(call, -EINVAL, "address 0x%lx is not that of a page", entry->addr);
	if (entry->npages == UINT64_MAX && entry->addr)
		return svf_fail(call, -EINVAL,
				"2^64 - 1 pages, which is everything, from 0x%lx and not 0",
				entry->addr);
	return 0;
}

static int invalidate_nested(struct svf_hwpt *hwpt, struct svf_call *call,
			     const struct svf_user_array *array, uint32_t *ret_done)
{
	(void)hwpt;
	if (array->type != IOMMU_HWPT_INVALIDATE_DATA_VTD_S1)
		return svf_fail(call, -EINVAL,
				"data of type 0x%x; the IOMMU is a VT-d and takes "
				"IOMMU_HWPT_INVALIDATE_DATA_VTD_S1",
				array->type);
	for (uint32_t i = 0; i < array->entry_num; i++) {
		const struct svf_user_data data = {
			.type = array->type,
			.len = array->entry_len,
			.uptr = array->uptr + (uint64_t)array->entry_len * i,
		};
		struct iommu_hwpt_vtd_s1_invalidate entry;
		int err = svf_user_data_copy(call, &data, array->type, &entry, sizeof(entry),
					     sizeof(entry));

		if (!err)
			err = check_entry(call, &entry);
		if (err)
			return err;
		++*ret_done;
	}
	return 0;
}

static const struct svf_iova_range reserved[] = {
	{SVF_MSI_WINDOW_FIRST, SVF_MSI_WINDOW_LAST},
};

const struct svf_iommu_ops svf_vtd_scalable_ops = {
	.hw_info_type = IOMMU_HW_INFO_TYPE_INTEL_VTD,
	.hw_info_size = sizeof(struct iommu_hw_info_vtd),
	.hw_info = hw_info,
	.capabilities = capabilities,
	.reserved = reserved,
	.reserved_count = SVF_ARRAY_SIZE(reserved),
	.alloc_paging = alloc_paging,
	.alloc_nested = alloc_nested,
	.invalidate_nested = invalidate_nested,
	.attach = attach,
};
