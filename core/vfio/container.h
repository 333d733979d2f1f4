/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VFIO container, /dev/vfio/vfio: holds groups and, from SET_IOMMU on, a type1 IOMMU whose
 * mappings all its groups share. Reference counted: by its file, and by each group in it.
 */
#ifndef SVF_CORE_VFIO_CONTAINER_H
#define SVF_CORE_VFIO_CONTAINER_H

#include "base/list.h"
#include "core/call.h"
#include "core/file.h"

struct svf_group;
struct svf_type1;

struct svf_container {
	struct svf_file file;	/* kind SVF_FILE_CONTAINER */
	struct svf_list groups; /* struct svf_group.container_link */
	unsigned int refs;
	/* What SET_IOMMU has set, until the last group leaves: one of them or none. */
	struct svf_type1 *type1;
	bool noiommu_set;
	bool noiommu; /* the groups in it are of devices without an IOMMU; all or none are */
};

/* file.c: whether the container itself has the command, or what has been set as its IOMMU. */
bool svf_container_hears(const struct svf_file *file, uint32_t command);

/*
 * For group.c. attach: claims the IOMMU group (-EPERM when it is not to be had) and, when the IOMMU
 * is set already, attaches the group to it, so that all mappings hold for it from then on (-EBUSY
 * while addresses of mappings are given up). On success group->container is set, with a reference,
 * and container_users is 0.
 */
int svf_container_attach_group(struct svf_container *container, struct svf_group *group,
			       struct svf_call *call) SVF_MUST_CHECK;
/* Undoes attach, including group->container; no device of the group may be in use. */
void svf_container_detach_group(struct svf_group *group);
/*
 * A device of the group is opened / closed: -EINVAL before SET_IOMMU. Counts
 * group->container_users, which is the number of devices open, one less than the kernel's count of
 * that name.
 */
int svf_container_use(struct svf_group *group, struct svf_call *call) SVF_MUST_CHECK;
void svf_container_unuse(struct svf_group *group);

#endif
