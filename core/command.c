/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of commands, see core/command.h. Ordered by kind and number, so that lookup is a
 * binary search; a unit test checks the order.
 */
#include "core/command.h"

#include "base/compiler.h"
#include "uapi/iommufd_test.h"
#include "uapi/vfio.h"

/* A command that copies in and out itself. */
#define ROW(kind_, name_, min_, size_, flags_, handler_, errnos_)                                  \
	{                                                                                          \
		.kind = SVF_FILE_##kind_, .number = name_, .name = #name_, .min_size = min_,       \
		.size = size_, .flags = flags_, .handler = handler_, .errnos = errnos_             \
	}
/* One of iommufd's own: copied in by svf_iommufd_command(). last: the member that was there first. */
#define OP_ROW(name_, text_, type_, last_, flags_, op_, errnos_)                                   \
	{                                                                                          \
		.kind = SVF_FILE_IOMMUFD, .number = name_, .name = text_,                          \
		.min_size = svf_offsetofend(struct type_, last_), .size = sizeof(struct type_),    \
		.flags = flags_, .op = op_, .errnos = errnos_                                      \
	}
#define OP(name_, type_, last_, op_, errnos_) OP_ROW(name_, #name_, type_, last_, 0, op_, errnos_)
#define OP_FLAGS(name_, type_, last_, flags_, op_, errnos_)                                        \
	OP_ROW(name_, #name_, type_, last_, flags_, op_, errnos_)

const struct svf_command svf_commands[] = {
	ROW(CONTAINER, VFIO_GET_API_VERSION, 0, 0, SVF_COMMAND_ARG_NONE,
	    svf_container_get_api_version, ""),
	ROW(CONTAINER, VFIO_CHECK_EXTENSION, 0, 0, SVF_COMMAND_ARG_VALUE,
	    svf_container_check_extension, ""),
	ROW(CONTAINER, VFIO_SET_IOMMU, 0, 0, SVF_COMMAND_ARG_VALUE, svf_container_set_iommu,
	    "EINVAL ENODEV ENOMEM EPERM"),
	ROW(CONTAINER, VFIO_IOMMU_GET_INFO, 16, sizeof(struct vfio_iommu_type1_info), 0,
	    svf_type1_get_info, "EFAULT EINVAL ENOTTY"),
	ROW(CONTAINER, VFIO_IOMMU_MAP_DMA, 32, sizeof(struct vfio_iommu_type1_dma_map), 0,
	    svf_type1_map_dma, "EFAULT EINVAL EOVERFLOW EEXIST ENOENT ENOSPC ENOMEM ENOTTY"),
	ROW(CONTAINER, VFIO_IOMMU_UNMAP_DMA, 24, sizeof(struct vfio_iommu_type1_dma_unmap), 0,
	    svf_type1_unmap_dma, "EFAULT EINVAL EOVERFLOW ENOTTY"),
	ROW(CONTAINER, VFIO_IOMMU_DIRTY_PAGES, 8, sizeof(struct vfio_iommu_type1_dirty_bitmap), 0,
	    svf_type1_dirty_pages, "EACCES EFAULT EINVAL EOVERFLOW ENOTTY"),

	ROW(GROUP, VFIO_GROUP_GET_STATUS, 8, sizeof(struct vfio_group_status), 0,
	    svf_group_get_status, "EFAULT EINVAL ENODEV"),
	ROW(GROUP, VFIO_GROUP_SET_CONTAINER, 4, 4, 0, svf_group_set_container,
	    "EFAULT EBADF EBADFD EINVAL ENODEV EPERM EBUSY ENOMEM"),
	ROW(GROUP, VFIO_GROUP_UNSET_CONTAINER, 0, 0, SVF_COMMAND_ARG_NONE,
	    svf_group_unset_container, "EINVAL EBUSY"),
	ROW(GROUP, VFIO_GROUP_GET_DEVICE_FD, 0, 0, SVF_COMMAND_RETURNS_FD, svf_group_get_device_fd,
	    "EFAULT EINVAL ENODEV EACCES EPERM EADDRINUSE EAGAIN EMFILE ENOMEM EOPNOTSUPP"),

	ROW(DEVICE, VFIO_DEVICE_GET_INFO, 16, sizeof(struct vfio_device_info), 0,
	    svf_device_get_info, "EFAULT EINVAL"),
	ROW(DEVICE, VFIO_DEVICE_GET_REGION_INFO, 32, sizeof(struct vfio_region_info), 0,
	    svf_device_get_region_info, "EFAULT EINVAL ENOMEM"),
	ROW(DEVICE, VFIO_DEVICE_GET_IRQ_INFO, 16, sizeof(struct vfio_irq_info), 0,
	    svf_device_get_irq_info, "EFAULT EINVAL"),
	ROW(DEVICE, VFIO_DEVICE_SET_IRQS, 20, sizeof(struct vfio_irq_set), 0, svf_device_set_irqs,
	    "EFAULT EINVAL ENOTTY ERANGE EBADF EBUSY ENOMEM"),
	ROW(DEVICE, VFIO_DEVICE_RESET, 0, 0, SVF_COMMAND_ARG_NONE, svf_device_reset,
	    "EINVAL EAGAIN ENOTTY"),
	ROW(DEVICE, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, 12, sizeof(struct vfio_pci_hot_reset_info),
	    0, svf_device_get_hot_reset_info, "EFAULT EINVAL ENODEV ENOSPC EPERM ENOMEM"),
	ROW(DEVICE, VFIO_DEVICE_PCI_HOT_RESET, 12, sizeof(struct vfio_pci_hot_reset), 0,
	    svf_device_hot_reset, "EFAULT EINVAL ENODEV EBADF EPERM EAGAIN ENOMEM ENOTTY"),
	ROW(DEVICE, VFIO_DEVICE_IOEVENTFD, 28, sizeof(struct vfio_device_ioeventfd), 0,
	    svf_device_ioeventfd, "EFAULT EINVAL EEXIST ENODEV ENOSPC EBADF ENOMEM"),
	ROW(DEVICE, VFIO_DEVICE_FEATURE, 8, sizeof(struct vfio_device_feature), 0,
	    svf_device_feature, "EFAULT EINVAL ENOTTY EBADF ENODEV"),
	ROW(DEVICE, VFIO_DEVICE_BIND_IOMMUFD, 16, sizeof(struct vfio_device_bind_iommufd), 0,
	    svf_device_bind_iommufd,
	    "EFAULT E2BIG EINVAL EBADF EBADFD EBUSY EPERM EACCES EAGAIN ENODEV ENOMEM"),
	ROW(DEVICE, VFIO_DEVICE_ATTACH_IOMMUFD_PT, 12, sizeof(struct vfio_device_attach_iommufd_pt),
	    0, svf_device_attach_iommufd_pt,
	    "EFAULT EINVAL ENOENT EADDRINUSE EBUSY ENOSPC ENODEV ENOMEM EOPNOTSUPP ENOTTY"),
	ROW(DEVICE, VFIO_DEVICE_DETACH_IOMMUFD_PT, 8, sizeof(struct vfio_device_detach_iommufd_pt),
	    0, svf_device_detach_iommufd_pt, "EFAULT EINVAL EOPNOTSUPP ENOTTY"),

	ROW(IOMMUFD, VFIO_GET_API_VERSION, 0, 0, SVF_COMMAND_ARG_NONE,
	    svf_vfio_compat_get_api_version, ""),
	ROW(IOMMUFD, VFIO_CHECK_EXTENSION, 0, 0, SVF_COMMAND_ARG_VALUE,
	    svf_vfio_compat_check_extension, "ENODEV"),
	ROW(IOMMUFD, VFIO_SET_IOMMU, 0, 0, SVF_COMMAND_ARG_VALUE, svf_vfio_compat_set_iommu,
	    "EINVAL ENODEV EPERM"),
	ROW(IOMMUFD, VFIO_IOMMU_GET_INFO, 16, sizeof(struct vfio_iommu_type1_info), 0,
	    svf_vfio_compat_get_info, "EFAULT EINVAL ENODEV"),
	ROW(IOMMUFD, VFIO_IOMMU_MAP_DMA, 32, sizeof(struct vfio_iommu_type1_dma_map), 0,
	    svf_vfio_compat_map_dma, "EFAULT EINVAL EOVERFLOW EEXIST ENODEV ENOMEM"),
	ROW(IOMMUFD, VFIO_IOMMU_UNMAP_DMA, 24, sizeof(struct vfio_iommu_type1_dma_unmap), 0,
	    svf_vfio_compat_unmap_dma, "EFAULT EINVAL EOVERFLOW ENODEV ENOENT ENOMEM"),
	OP(IOMMU_DESTROY, iommu_destroy, id, svf_iommufd_destroy_object, "EINVAL ENOENT EBUSY"),
	OP(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, out_ioas_id, svf_ioas_alloc_ioctl,
	   "EOPNOTSUPP ENOMEM EFAULT"),
	OP(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, allowed_iovas, svf_ioas_allow_iovas,
	   "EOPNOTSUPP ENOENT EINVAL EFAULT EADDRINUSE ENOMEM"),
	OP(IOMMU_IOAS_COPY, iommu_ioas_copy, src_iova, svf_ioas_copy,
	   "EOPNOTSUPP EINVAL EOVERFLOW ENOENT EPERM EEXIST EFAULT ENOSPC ENOMEM"),
	OP(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, out_iova_alignment, svf_ioas_iova_ranges,
	   "EOPNOTSUPP ENOENT EMSGSIZE EFAULT"),
	OP(IOMMU_IOAS_MAP, iommu_ioas_map, iova, svf_ioas_map_ioctl,
	   "EOPNOTSUPP EINVAL EOVERFLOW ENOENT EEXIST EFAULT ENOSPC ENOMEM"),
	OP(IOMMU_IOAS_UNMAP, iommu_ioas_unmap, length, svf_ioas_unmap_ioctl,
	   "EINVAL EOVERFLOW ENOENT EBUSY EFAULT"),
	OP(IOMMU_OPTION, iommu_option, val64, svf_iommufd_option,
	   "EOPNOTSUPP EINVAL ENOENT EBUSY EADDRINUSE"),
	OP(IOMMU_VFIO_IOAS, iommu_vfio_ioas, reserved, svf_vfio_ioas, "EOPNOTSUPP ENOENT ENODEV"),
	OP(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, reserved, svf_hwpt_alloc_ioctl,
	   "EOPNOTSUPP EINVAL ENOENT EADDRINUSE EFAULT E2BIG ENOMEM"),
	OP(IOMMU_GET_HW_INFO, iommu_hw_info, reserved, svf_get_hw_info,
	   "EOPNOTSUPP EINVAL ENOENT EFAULT"),
	OP(IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking, reserved,
	   svf_hwpt_set_dirty_tracking, "EOPNOTSUPP ENOENT"),
	OP(IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap, data,
	   svf_hwpt_get_dirty_bitmap, "EOPNOTSUPP ENOENT EINVAL EOVERFLOW"),
	OP(IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate, reserved, svf_hwpt_invalidate,
	   "EOPNOTSUPP EINVAL ENOENT EFAULT E2BIG"),
	OP_FLAGS(IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc, out_fault_fd, SVF_COMMAND_RETURNS_FD,
		 svf_fault_queue_alloc, "EOPNOTSUPP EFAULT EMFILE ENOMEM"),
	OP(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, iova, svf_ioas_map_file,
	   "EOPNOTSUPP EOVERFLOW EINVAL ENOENT EBADF EEXIST EFAULT EMFILE ENOSPC ENOMEM"),
	OP(IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc, out_viommu_id, svf_viommu_alloc,
	   "EOPNOTSUPP ENOENT EINVAL EFAULT ENOMEM"),
	OP(IOMMU_VDEVICE_ALLOC, iommu_vdevice_alloc, virt_id, svf_vdevice_alloc,
	   "ENOENT EINVAL EEXIST EFAULT ENOMEM"),
	OP(IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process, reserved, svf_ioas_change_process,
	   "EOPNOTSUPP EINVAL ENOMEM"),
	OP_FLAGS(IOMMU_VEVENTQ_ALLOC, iommu_veventq_alloc, out_veventq_fd, SVF_COMMAND_RETURNS_FD,
		 svf_veventq_alloc, "EOPNOTSUPP EINVAL ENOENT EEXIST EFAULT EMFILE ENOMEM"),
	OP(IOMMU_HW_QUEUE_ALLOC, iommu_hw_queue_alloc, length, svf_hw_queue_alloc,
	   "EOPNOTSUPP EINVAL EOVERFLOW ERANGE ENOENT EPERM EADDRINUSE EEXIST EIO EFAULT ENOMEM"),
	OP(IOMMU_IOAS_NOIOMMU_GET_PA, iommu_ioas_noiommu_get_pa, out_phys, svf_ioas_noiommu_get_pa,
	   "EOPNOTSUPP EINVAL EOVERFLOW ENOENT EPERM"),
	OP_FLAGS(IOMMU_TEST_CMD, iommu_test_cmd, last, SVF_COMMAND_RETURNS_FD | SVF_COMMAND_TEST,
		 svf_iommufd_test,
		 "EOPNOTSUPP EINVAL EOVERFLOW ENOENT EADDRINUSE EBUSY EBADFD EBADE EPERM EFAULT "
		 "EIO ENODEV ENOTTY ENOMEM"),
};
const size_t svf_commands_count = SVF_ARRAY_SIZE(svf_commands);

/* Kind in the high half, number in the low one: one key to search by. */
static uint64_t key(enum svf_file_kind kind, uint32_t number)
{
	return (uint64_t)kind << 32 | number;
}

const struct svf_command *svf_command_lookup(enum svf_file_kind kind, uint32_t number)
{
	uint64_t wanted = key(kind, number);
	size_t low = 0, high = svf_commands_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct svf_command *row = &svf_commands[middle];

		if (key(row->kind, row->number) == wanted)
			return row;
		if (key(row->kind, row->number) < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
