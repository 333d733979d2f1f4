/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An IOMMU group: the functions that cannot be told apart, or kept apart, by the IOMMU. Membership
 * follows topology, ACS and DMA aliases as Linux computes it.
 *
 * DMA ownership, as in Linux since 5.18. A group is in one of three states:
 *   - kernel: owner_count > 0 with owner NULL: members are bound to drivers that do DMA themselves;
 *   - user: owner is an opaque pointer (a group file or an iommufd); no such driver may bind;
 *   - free: nobody.
 * While a user owns it every member is DMA-blocked until attached to a space. Ownership is the
 * whole group's always; attachment is the group's or its requesters' (requester.h).
 */
#ifndef SVF_CORE_IOMMU_GROUP_H
#define SVF_CORE_IOMMU_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/call.h"
#include "core/pci/bdf.h"

struct svf_function;
struct svf_iova_space;
struct svf_machine;

struct svf_iommu_group {
	struct svf_list link;	   /* machine->groups */
	struct svf_list functions; /* struct svf_function.group_link, in order of joining */
	struct svf_machine *machine;
	unsigned int id;
	bool noiommu; /* of one function that no IOMMU stands before: made by vfio-pci, for its users */

	const void *owner;	  /* identity only, never followed */
	unsigned int owner_count; /* claims of owner, or drivers' uses of kernel DMA */

	/* What DMA of the members is translated by, see requester.h: blocked without a space. */
	struct svf_list requesters;   /* struct svf_requester.link */
	struct svf_iova_space *space; /* of a container: of all members, those yet to come too */

	/* The VFIO group, core/vfio/group.c: exists while a member is a VFIO device. */
	struct svf_group *vfio;
};

struct svf_iommu_group *svf_iommu_group_lookup(struct svf_machine *machine, unsigned int id);

/*
 * Puts a function, whose bus and config space are complete, into its group: an existing one or a
 * new. 0, -ENOMEM, -EBUSY (svf_requester_join).
 */
int svf_iommu_group_add_function(struct svf_function *fn) SVF_MUST_CHECK;
/* Puts one that is in no group, on a machine without an IOMMU, into a group of its own. */
int svf_iommu_group_add_noiommu(struct svf_function *fn) SVF_MUST_CHECK;
/* Takes it out; the last one out frees the group. */
void svf_iommu_group_remove_function(struct svf_function *fn);

/* A native driver that does DMA binds / unbinds. -EBUSY when a user owns the group. */
int svf_iommu_group_use_kernel_dma(struct svf_iommu_group *group,
				   struct svf_call *call) SVF_MUST_CHECK;
void svf_iommu_group_unuse_kernel_dma(struct svf_iommu_group *group);

/*
 * A user claims every member. Claims by the same owner count. -EBUSY when the kernel or another
 * owner has it; callers turn that into the errno of their interface (EPERM in cdev and container).
 */
int svf_iommu_group_claim(struct svf_iommu_group *group, struct svf_call *call,
			  const void *owner) SVF_MUST_CHECK;
void svf_iommu_group_release(struct svf_iommu_group *group);
/* Whether owner could claim it now, or has it. */
bool svf_iommu_group_claimable(const struct svf_iommu_group *group, const void *owner);

/*
 * Attaches all members, and whoever joins, to a space / back to blocked. Replacing is detach and
 * attach in one.
 */
void svf_iommu_group_set_space(struct svf_iommu_group *group, struct svf_iova_space *space);

#endif
