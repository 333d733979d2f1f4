/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The compatibility container: container commands on /dev/iommu, for clients that know groups and
 * containers only. They work on one IOAS of the context, made by GROUP_SET_CONTAINER or chosen by
 * IOMMU_VFIO_IOAS; without one they are -ENODEV.
 *
 * It is not type1: mappings follow iommufd's rules. The differences that clients see: no bound on
 * mappings (DMA_AVAIL is 2^32 - 1), BAR memory cannot be mapped, no dirty tracking, UNMAP of part
 * of a mapping is -ENOENT; with TYPE1 (v1) mappings are cut instead, for which large pages are
 * given up, and that has to happen before anything is mapped through a device's HWPT.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "core/iommufd/hwpt.h"
#include "core/machine.h"
#include "uapi/iommufd.h"
#include "uapi/vfio.h"

static struct svf_ictx *ictx_of(struct svf_file *file)
{
	return svf_container_of(file, struct svf_ictx, file);
}

/* NULL comes with a reason, for -ENODEV. */
static struct svf_ioas *compat_ioas(struct svf_ictx *ictx, struct svf_call *call)
{
	if (!ictx->vfio_ioas)
		svf_fail(call, -ENODEV,
			 "the iommufd has no IOAS for container commands; set it as a group's "
			 "container first");
	return ictx->vfio_ioas;
}

int svf_vfio_compat_ioas_id(struct svf_ictx *ictx, struct svf_call *call, uint32_t *ret)
{
	const struct svf_ioas *ioas = compat_ioas(ictx, call);

	if (!ioas)
		return -ENODEV;
	*ret = ioas->obj.id;
	return 0;
}

int svf_vfio_compat_ioas_create(struct svf_ictx *ictx, struct svf_call *call)
{
	struct svf_ioas *ioas;
	int err;

	if (ictx->no_iommu_mode)
		return svf_fail(call, -EINVAL, "the iommufd is used without an IOMMU already");
	if (ictx->vfio_ioas)
		return 0;
	err = svf_ioas_alloc(ictx, call, &ioas);
	if (err)
		return err;
	svf_iobject_finalize(&ioas->obj);
	ictx->vfio_ioas = ioas;
	return 0;
}

int svf_vfio_compat_set_no_iommu(struct svf_ictx *ictx, struct svf_call *call)
{
	if (ictx->vfio_ioas)
		return svf_fail(call, -EINVAL,
				"the iommufd has an IOAS for container commands, and the group no "
				"IOMMU; use another iommufd");
	ictx->no_iommu_mode = true;
	return 0;
}

int svf_vfio_ioas(struct svf_ucmd *ucmd)
{
	struct iommu_vfio_ioas *cmd = ucmd->cmd;
	struct svf_ioas *ioas;

	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	switch (cmd->op) {
	case IOMMU_VFIO_IOAS_GET:
		ioas = compat_ioas(ucmd->ictx, ucmd->call);
		if (!ioas)
			return -ENODEV;
		cmd->ioas_id = ioas->obj.id;
		return svf_ucmd_respond(ucmd, sizeof(*cmd));
	case IOMMU_VFIO_IOAS_SET:
		ioas = svf_ioas_lookup(ucmd, cmd->ioas_id);
		if (!ioas)
			return -ENOENT;
		ucmd->ictx->vfio_ioas = ioas;
		return 0;
	case IOMMU_VFIO_IOAS_CLEAR:
		ucmd->ictx->vfio_ioas = NULL;
		return 0;
	default:
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"operation %u is neither GET (0), SET (1) nor CLEAR (2)", cmd->op);
	}
}

long svf_vfio_compat_get_api_version(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	(void)file;
	(void)call;
	(void)arg;
	return VFIO_API_VERSION;
}

long svf_vfio_compat_check_extension(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_ictx *ictx = ictx_of(file);
	const struct svf_ioas *ioas;

	switch (arg) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return !ictx->no_iommu_mode;
	case VFIO_NOIOMMU_IOMMU:
		return 1;
	case VFIO_DMA_CC_IOMMU:
		/* The IOMMU has no snoop control (hw_info.c), so no HWPT enforces coherency. */
		ioas = compat_ioas(ictx, call);
		return ioas ? svf_list_empty(&ioas->hwpts) : -ENODEV;
	default:
		return 0;
	}
}

long svf_vfio_compat_set_iommu(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_ictx *ictx = ictx_of(file);
	struct svf_ioas *ioas;

	if (arg == VFIO_NOIOMMU_IOMMU && ictx->no_iommu_mode)
		return svf_call_rawio(call) ? 0 : svf_fail_rawio(call);
	if ((arg != VFIO_TYPE1_IOMMU && arg != VFIO_TYPE1v2_IOMMU) || ictx->no_iommu_mode)
		return svf_fail(call, -EINVAL, "IOMMU type %lu is %s", arg,
				ictx->no_iommu_mode ? "not that of groups without an IOMMU, 8"
						    : "neither TYPE1 (1) nor TYPE1v2 (3)");
	ioas = compat_ioas(ictx, call);
	if (!ioas)
		return -ENODEV;
	return arg == VFIO_TYPE1_IOMMU ? svf_ioas_disable_large_pages(ioas, call) : 0;
}

/*
 * Capabilities of GET_INFO: a chain behind the structure. One that does not fit is left out, its
 * place being told by the one before it, and argsz then says how much room all need.
 */
struct capability_fill {
	struct svf_call *call;
	uint64_t user;	/* of the structure */
	uint32_t argsz; /* room for everything, bytes */
	uint32_t total; /* used or needed so far, bytes */
	uint32_t last;	/* offset of the capability before, 0: none */
};

static int add_capability(struct capability_fill *fill, const void *capability, uint32_t size)
{
	int err = 0;

	if (fill->argsz > fill->total && fill->argsz - fill->total >= size)
		err = svf_copy_to_user(fill->call, fill->user + fill->total, capability, size);
	if (!err && fill->last && fill->argsz >= fill->total)
		err = svf_copy_to_user(fill->call,
				       fill->user + fill->last +
					       offsetof(struct vfio_info_cap_header, next),
				       &fill->total, sizeof(fill->total));
	if (err)
		return err;
	fill->last = fill->total;
	fill->total += (size + 7u) & ~7u;
	return 0;
}

static int add_dma_avail(struct capability_fill *fill)
{
	const struct vfio_iommu_type1_info_dma_avail capability = {
		.header = {.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, .version = 1},
		.avail = UINT32_MAX,
	};

	return add_capability(fill, &capability, sizeof(capability));
}

/* struct vfio_iommu_type1_info_cap_iova_range with its ranges is head_size and more. */
static int add_iova_ranges(struct capability_fill *fill, const struct svf_ioas *ioas)
{
	const uint32_t head_size = sizeof(struct vfio_iommu_type1_info_cap_iova_range);
	struct vfio_iommu_type1_info_cap_iova_range *capability;
	struct svf_iova_range usable = {0, 0};
	uint32_t room = ioas->reserved_count + 1, count = 0, size;
	bool more;
	int err;

	capability = calloc(1, head_size + room * sizeof(capability->iova_ranges[0]));
	if (!capability)
		return svf_fail(fill->call, -ENOMEM, "out of memory for %u IOVA ranges", room);
	for (more = svf_ioas_next_usable(ioas, 0, &usable); more; count++) {
		capability->iova_ranges[count] =
			(struct vfio_iova_range){usable.first, usable.last};
		more = usable.last != UINT64_MAX &&
		       svf_ioas_next_usable(ioas, usable.last + 1, &usable);
	}
	capability->header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	capability->header.version = 1;
	capability->nr_iovas = count;
	size = head_size + count * (uint32_t)sizeof(capability->iova_ranges[0]);
	err = add_capability(fill, capability, size);
	free(capability);
	return err;
}

/* What all domains can map, from a page on; without one, every size. */
static uint64_t page_sizes(const struct svf_ioas *ioas)
{
	const uint64_t page = SVF_IOMMU_PAGE_SIZE;
	uint64_t sizes = UINT64_MAX;
	const struct svf_hwpt *hwpt;

	svf_list_for_each(hwpt, &ioas->hwpts, ioas_link)
		sizes &= hwpt->domain.page_sizes;
	if (sizes & (page - 1))
		sizes = (sizes & ~(page - 1)) | page;
	return sizes > ioas->alignment ? sizes : ioas->alignment;
}

long svf_vfio_compat_get_info(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	const uint32_t min = svf_offsetofend(struct vfio_iommu_type1_info, iova_pgsizes);
	struct vfio_iommu_type1_info info = {0};
	struct capability_fill fill = {.call = call, .user = arg, .total = sizeof(info)};
	struct svf_ioas *ioas;
	int err;

	err = svf_copy_from_user(call, &info, arg, min);
	if (err)
		return err;
	if (info.argsz < min)
		return svf_fail(call, -EINVAL, "argsz is %u, and at least %u is needed", info.argsz,
				min);
	ioas = compat_ioas(ictx_of(file), call);
	if (!ioas)
		return -ENODEV;
	fill.argsz = info.argsz;
	err = add_dma_avail(&fill);
	if (!err)
		err = add_iova_ranges(&fill, ioas);
	if (err)
		return err;
	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = page_sizes(ioas);
	info.cap_offset = fill.argsz >= fill.total ? sizeof(info) : 0;
	info.argsz = fill.total;
	return svf_copy_to_user(call, arg, &info,
				fill.argsz < sizeof(info) ? fill.argsz : sizeof(info));
}

static int check_argsz(struct svf_call *call, uint32_t argsz, size_t min, uint32_t unknown_flags)
{
	if (argsz < min)
		return svf_fail(call, -EINVAL, "argsz is %u, and at least %zu is needed", argsz,
				min);
	if (unknown_flags)
		return svf_fail(call, -EINVAL, "flags 0x%x are not served by iommufd's container",
				unknown_flags);
	return 0;
}

long svf_vfio_compat_map_dma(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	const uint32_t known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct vfio_iommu_type1_dma_map map;
	struct svf_ioas_map_request request;
	struct svf_ioas *ioas;
	uint64_t iova = 0;
	int err;

	err = svf_copy_from_user(call, &map, arg, sizeof(map));
	if (!err)
		err = check_argsz(call, map.argsz, sizeof(map), map.flags & ~known);
	if (err)
		return err;
	ioas = compat_ioas(ictx_of(file), call);
	if (!ioas)
		return -ENODEV;
	request = (struct svf_ioas_map_request){
		.vaddr = map.vaddr,
		.length = map.size,
		.iova = map.iova,
		.prot = (map.flags & VFIO_DMA_MAP_FLAG_READ ? SVF_MAP_READ : 0) |
			(map.flags & VFIO_DMA_MAP_FLAG_WRITE ? SVF_MAP_WRITE : 0),
		.fixed = true,
	};
	return svf_ioas_map(ioas, call, &request, &iova);
}

/* TYPE1 (v1): where the range begins or ends within a mapping, that one is cut first. */
static int cut_ends(struct svf_ioas *ioas, struct svf_call *call, uint64_t iova, uint64_t size)
{
	int err = svf_ioas_cut(ioas, call, iova + size - 1);

	if (!err && iova)
		err = svf_ioas_cut(ioas, call, iova - 1);
	return err;
}

static int unmap_range(struct svf_ioas *ioas, struct svf_call *call, uint64_t iova, uint64_t size,
		       uint64_t *unmapped)
{
	uint64_t last;

	if (!size)
		return svf_fail(call, -EINVAL, "size is 0");
	if (!svf_range_last(iova, size, &last))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64", size,
				iova);
	return svf_ioas_unmap(ioas, call, iova, last, unmapped);
}

long svf_vfio_compat_unmap_dma(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	uint64_t unmapped = 0;
	struct svf_ioas *ioas;
	int err, copy_err;

	err = svf_copy_from_user(call, &unmap, arg, sizeof(unmap));
	if (!err)
		err = check_argsz(call, unmap.argsz, sizeof(unmap),
				  unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL);
	if (err)
		return err;
	ioas = compat_ioas(ictx_of(file), call);
	if (!ioas)
		return -ENODEV;
	if (unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap.iova || unmap.size)
			return svf_fail(call, -EINVAL, "with FLAG_ALL iova and size must be 0");
		err = svf_ioas_unmap(ioas, call, 0, UINT64_MAX, &unmapped);
	} else {
		if (ioas->disable_large_pages)
			err = cut_ends(ioas, call, unmap.iova, unmap.size);
		if (err)
			return err;
		err = unmap_range(ioas, call, unmap.iova, unmap.size, &unmapped);
	}
	unmap.size = unmapped;
	copy_err = svf_copy_to_user(call, arg, &unmap, sizeof(unmap));
	return copy_err ? copy_err : err;
}
