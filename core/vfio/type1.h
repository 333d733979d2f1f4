/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The type1 IOMMU of a container, from SET_IOMMU until the last group leaves. container.c makes and
 * ends it; the container's commands that need it are in type1.c, type1_info.c and type1_dirty.c.
 */
#ifndef SVF_CORE_VFIO_TYPE1_H
#define SVF_CORE_VFIO_TYPE1_H

#include <stdbool.h>
#include <stdint.h>

#include "core/call.h"
#include "core/file.h"
#include "core/iommu/iova_space.h"
#include "uapi/vfio.h"

struct svf_iommu_group;

struct svf_type1 {
	struct svf_iova_space space;
	bool v2;
	bool dirty_tracking;	    /* between DIRTY_PAGES START and STOP */
	uint64_t mapped;	    /* bytes of IOVA */
	unsigned int dma_avail;	    /* mappings that may still be made */
	unsigned int vaddr_invalid; /* mappings whose address is given up */
};

/* What groups leave usable of the IOVA space, in order. The same for every group. */
#define SVF_TYPE1_RANGES 2
const struct vfio_iova_range *svf_type1_ranges(const struct svf_machine *machine);

/* A bitmap of one bit for each page can have INT_MAX bits. */
#define SVF_DIRTY_PAGES_MAX  0x7fffffffull
#define SVF_DIRTY_BITMAP_MAX (1ull << 28) /* bytes */

/* Empty. Return: 0, -ENOMEM. */
int svf_type1_alloc(struct svf_machine *machine, struct svf_call *call, bool v2,
		    struct svf_type1 **ret) SVF_MUST_CHECK;
/* Ends all mappings; no group may be attached. */
void svf_type1_destroy(struct svf_type1 *type1);

/* All mappings hold for the group from now on. -EBUSY while addresses of mappings are given up. */
int svf_type1_attach_group(struct svf_type1 *type1, struct svf_call *call,
			   struct svf_iommu_group *group) SVF_MUST_CHECK;
/* The group's DMA is blocked again; with the last group all mappings end. */
void svf_type1_detach_group(struct svf_type1 *type1, struct svf_iommu_group *group);

/* CHECK_EXTENSION; type1 NULL: none is set yet. */
int svf_type1_check_extension(const struct svf_type1 *type1, uint64_t extension);

/* The container's, or NULL with a reason when none is set (the commands are -EINVAL then). */
struct svf_type1 *svf_type1_of_file(struct svf_file *file, struct svf_call *call);

/*
 * For type1.c, in type1_dirty.c. check: whether the bitmap is one for size bytes of IOVA. -EINVAL.
 * report: writes the bits of the dirty pages of map into the bitmap, whose first bit is for base. -EFAULT.
 */
int svf_type1_check_bitmap(struct svf_call *call, const struct vfio_bitmap *bitmap,
			   uint64_t size) SVF_MUST_CHECK;
int svf_type1_report_dirty(const struct svf_type1 *type1, struct svf_call *call,
			   const struct vfio_bitmap *bitmap, uint64_t base,
			   const struct svf_mapping *map) SVF_MUST_CHECK;
/* Whether [first, last] begins or ends inside a mapping. */
bool svf_type1_bisects(const struct svf_type1 *type1, uint64_t first, uint64_t last);

#endif
