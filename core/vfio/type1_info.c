/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_IOMMU_GET_INFO: page sizes, and a chain of capabilities behind the structure: dirty
 * tracking, mappings left, usable IOVA ranges.
 *
 * Callers come with structures of two ages (with and without cap_offset) and ask twice: first with
 * an argsz that has no room for the chain, to learn how much it needs. argsz says at the end what
 * was needed, cap_offset is 0 unless the chain was written.
 */
#include <errno.h>
#include <string.h>

#include "core/command.h"
#include "core/vfio/type1.h"

#define INFO_MIN_SIZE svf_offsetofend(struct vfio_iommu_type1_info, iova_pgsizes)

/* The chain in the order the kernel has it; every member begins at a multiple of 8. */
struct info_caps {
	struct vfio_iommu_type1_info_cap_migration migration;
	struct vfio_iommu_type1_info_dma_avail dma_avail;
	uint32_t pad;
	struct {
		struct vfio_info_cap_header header;
		uint32_t nr_iovas;
		uint32_t reserved;
		struct vfio_iova_range ranges[SVF_TYPE1_RANGES];
	} iova;
};

_Static_assert(sizeof(struct info_caps) == 32 + 16 + 16 + 16 * SVF_TYPE1_RANGES, "no holes");

/* Where in the caller's memory a capability is, counted from the structure's beginning. */
#define CAP_OFFSET(cap)                                                                            \
	((uint32_t)(sizeof(struct vfio_iommu_type1_info) + offsetof(struct info_caps, cap)))

static void fill_caps(const struct svf_type1 *type1, struct info_caps *caps)
{
	memset(caps, 0, sizeof(*caps));
	caps->migration.header =
		(struct vfio_info_cap_header){.id = VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION,
					      .version = 1,
					      .next = CAP_OFFSET(dma_avail)};
	caps->migration.pgsize_bitmap = SVF_IOMMU_PAGE_SIZE;
	caps->migration.max_dirty_bitmap_size = SVF_DIRTY_BITMAP_MAX;
	caps->dma_avail.header = (struct vfio_info_cap_header){
		.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, .version = 1, .next = CAP_OFFSET(iova)};
	caps->dma_avail.avail = type1->dma_avail;
	caps->iova.header = (struct vfio_info_cap_header){
		.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1};
	caps->iova.nr_iovas = SVF_TYPE1_RANGES;
	memcpy(caps->iova.ranges, svf_type1_ranges(type1->space.machine),
	       sizeof(caps->iova.ranges));
}

long svf_type1_get_info(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_type1 *type1 = svf_type1_of_file(file, call);
	struct vfio_iommu_type1_info info = {0};
	struct info_caps caps;
	size_t size;
	int err;

	if (!type1)
		return -EINVAL;
	err = svf_copy_from_user(call, &info, arg, INFO_MIN_SIZE);
	if (err)
		return err;
	if (info.argsz < INFO_MIN_SIZE)
		return svf_fail(call, -EINVAL, "argsz is %u, less than %zu", info.argsz,
				INFO_MIN_SIZE);
	size = info.argsz < sizeof(info) ? info.argsz : sizeof(info);
	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = SVF_IOMMU_PAGE_SIZES;
	if (info.argsz < sizeof(info) + sizeof(caps)) {
		info.argsz = sizeof(info) + sizeof(caps);
	} else {
		fill_caps(type1, &caps);
		err = svf_copy_to_user(call, arg + sizeof(info), &caps, sizeof(caps));
		if (err)
			return err;
		info.cap_offset = sizeof(info);
	}
	return svf_copy_to_user(call, arg, &info, size);
}
