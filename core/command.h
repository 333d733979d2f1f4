/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one table of commands. Dispatch, the names in `softvfio why`, the fuzzer's dictionary and
 * docs/uapi.md come from it. Numbers collide between kinds of file (113 is MAP_DMA on a container
 * and PCI_HOT_RESET on a device), so a command is (kind, number), never a number alone.
 */
#ifndef SVF_CORE_COMMAND_H
#define SVF_CORE_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "core/file.h"

struct svf_ucmd;

#define SVF_COMMAND_RETURNS_FD                                                                     \
	(1u << 0) /* makes a descriptor: must come through the seccomp listener */
#define SVF_COMMAND_ARG_VALUE (1u << 1) /* the argument is a number, not a pointer */
#define SVF_COMMAND_ARG_NONE  (1u << 2) /* the argument is not looked at */
#define SVF_COMMAND_TEST      (1u << 3) /* not there unless softvfio.iommufd_test is on */

struct svf_command {
	enum svf_file_kind kind;
	uint32_t number;
	const char *name; /* as the uAPI header spells it */
	uint16_t
		min_size; /* of the structure behind the argument: the oldest that is served, bytes */
	uint16_t size;	  /* of the structure as of Linux 7.3, bytes; 0: none */
	unsigned int flags;
	/* Does the whole call, copying in and out itself. NULL for iommufd's own commands. */
	long (*handler)(struct svf_file *file, struct svf_call *call, uint64_t arg);
	/* iommufd's own commands: the structure has been copied in, extended by zeroes, see iommufd/main.c. */
	int (*op)(struct svf_ucmd *ucmd);
	const char *
		errnos; /* those the command itself can give, separated by blanks, for docs/uapi.md */
};

/* The row, or NULL when the kind has no such command. */
const struct svf_command *svf_command_lookup(enum svf_file_kind kind, uint32_t number);

/* All rows, for documents, tests and the fuzzer. */
extern const struct svf_command svf_commands[];
extern const size_t svf_commands_count;

/*
 * Handlers, each in the file of its object.
 * core/vfio/container.c and type1.c: struct vfio_container. Unknown commands before SET_IOMMU and
 * after it have errnos of their own, hence the handler of last resort.
 */
long svf_container_get_api_version(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_container_check_extension(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_container_set_iommu(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_type1_get_info(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_type1_map_dma(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_type1_unmap_dma(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_type1_dirty_pages(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_container_unknown(struct svf_file *file, struct svf_call *call, uint64_t arg);
/* core/vfio/group.c */
long svf_group_get_status(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_group_set_container(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_group_unset_container(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_group_get_device_fd(struct svf_file *file, struct svf_call *call, uint64_t arg);
/* core/vfio: device.c, regions.c, irqs.c, reset.c, features.c, cdev.c */
long svf_device_get_info(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_get_region_info(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_get_irq_info(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_set_irqs(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_reset(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_get_hot_reset_info(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_hot_reset(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_ioeventfd(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_feature(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_bind_iommufd(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_attach_iommufd_pt(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_device_detach_iommufd_pt(struct svf_file *file, struct svf_call *call, uint64_t arg);
/* core/iommufd: main.c (copies in, calls op), ioas.c, option.c, hwpt.c, vfio_compat.c */
long svf_iommufd_command(struct svf_file *file, struct svf_call *call,
			 const struct svf_command *command, uint64_t arg);
int svf_iommufd_destroy_object(struct svf_ucmd *ucmd);
int svf_ioas_alloc_ioctl(struct svf_ucmd *ucmd);
int svf_ioas_iova_ranges(struct svf_ucmd *ucmd);
int svf_ioas_allow_iovas(struct svf_ucmd *ucmd);
int svf_ioas_map_ioctl(struct svf_ucmd *ucmd);
int svf_ioas_copy(struct svf_ucmd *ucmd);
int svf_ioas_unmap_ioctl(struct svf_ucmd *ucmd);
int svf_iommufd_option(struct svf_ucmd *ucmd);
int svf_vfio_ioas(struct svf_ucmd *ucmd);
int svf_hwpt_alloc_ioctl(struct svf_ucmd *ucmd);
int svf_get_hw_info(struct svf_ucmd *ucmd);
int svf_ioas_map_file(struct svf_ucmd *ucmd);
int svf_ioas_change_process(struct svf_ucmd *ucmd);
int svf_ioas_noiommu_get_pa(struct svf_ucmd *ucmd);
int svf_hwpt_set_dirty_tracking(struct svf_ucmd *ucmd);
int svf_hwpt_get_dirty_bitmap(struct svf_ucmd *ucmd);
int svf_hwpt_invalidate(struct svf_ucmd *ucmd);
int svf_fault_queue_alloc(struct svf_ucmd *ucmd);
int svf_viommu_alloc(struct svf_ucmd *ucmd);
int svf_vdevice_alloc(struct svf_ucmd *ucmd);
int svf_veventq_alloc(struct svf_ucmd *ucmd);
int svf_hw_queue_alloc(struct svf_ucmd *ucmd);
int svf_iommufd_test(struct svf_ucmd *ucmd);
/* Container commands on /dev/iommu. */
long svf_vfio_compat_get_api_version(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_vfio_compat_check_extension(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_vfio_compat_set_iommu(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_vfio_compat_get_info(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_vfio_compat_map_dma(struct svf_file *file, struct svf_call *call, uint64_t arg);
long svf_vfio_compat_unmap_dma(struct svf_file *file, struct svf_call *call, uint64_t arg);

#endif
