/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VFIO group: an IOMMU group as users of /dev/vfio/N see it. It exists while a member is a
 * VFIO device. Opened by at most one file at a time, and not while a member is bound through its
 * cdev.
 *
 * Steps, each refused with its own errno when an earlier one is missing: open the group, set a
 * container (or an iommufd in its compatibility mode), set the container's IOMMU, get a device fd.
 */
#ifndef SVF_CORE_VFIO_GROUP_H
#define SVF_CORE_VFIO_GROUP_H

#include "base/list.h"
#include "core/call.h"
#include "core/file.h"

struct svf_container;
struct svf_device;
struct svf_ictx;
struct svf_iommu_group;

struct svf_group {
	struct svf_iommu_group
		*iommu_group;	 /* NULL once the last member has left; the open file may remain */
	struct svf_list devices; /* struct svf_device.group_link */
	struct svf_list container_link;	     /* container->groups */
	struct svf_file *opened_file;	     /* the one open group file, or NULL */
	struct svf_container *container;     /* set by SET_CONTAINER, a reference */
	struct svf_ictx *iommufd;	     /* set by SET_CONTAINER with /dev/iommu, a reference */
	unsigned int container_users;	     /* open devices that rely on container */
	unsigned int cdev_device_open_count; /* members bound through their cdevs */
	unsigned int drivers; /* members that are VFIO devices, also while they unregister */
	unsigned int refs;    /* those, and the open file */
	bool noiommu; /* its one device has no IOMMU before it: CAP_SYS_RAWIO at every step */
};

/* A function became a VFIO device / is one no more. */
int svf_group_join(struct svf_device *device) SVF_MUST_CHECK;
void svf_group_leave(struct svf_device *device);

/* cdev.c: a member is bound through its cdev (-EBUSY while the group's file is open) / no more. */
int svf_group_block(struct svf_group *group, struct svf_call *call) SVF_MUST_CHECK;
void svf_group_unblock(struct svf_group *group);

/*
 * device.c: the first open of a device through the group's container keeps the group's file open,
 * whatever the client does with its descriptors. -EINVAL before SET_IOMMU.
 */
int svf_group_use_container(struct svf_group *group, struct svf_call *call) SVF_MUST_CHECK;
void svf_group_unuse_container(struct svf_group *group);

/* Of a file of kind SVF_FILE_GROUP. */
struct svf_group *svf_group_of_file(struct svf_file *file);

/* NULL: no VFIO group has the id. */
struct svf_group *svf_group_lookup(struct svf_machine *machine, unsigned int id);

#endif
