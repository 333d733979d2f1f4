/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A requester: functions of an IOMMU group whose DMA is translated by one space, and what that is.
 *
 * An IOMMU tells DMA apart by requester id. What has one of its own could be attached by itself,
 * whatever group it is in: a group says who can reach whom without the IOMMU, not whom the IOMMU
 * can tell apart. Linux attaches whole groups all the same, and so does a machine here: a group
 * has one requester. With params.per_device a group has as many as it has requester ids that no
 * two functions share: those behind a bridge to conventional PCI have that bridge's, and aliases
 * have each other's; they are one requester.
 *
 *	group --owner: one iommufd or container, in both models
 *	  +-- requester --space--> what its functions reach	group-attach=shared: exactly one
 *	  +-- requester --space-->				group-attach=per-device: one an id
 *
 * A function is in one requester from joining its group to leaving it. A requester ends with its
 * last function; who attaches it (users) has a function of it bound, so it is not in use then.
 */
#ifndef SVF_CORE_IOMMU_REQUESTER_H
#define SVF_CORE_IOMMU_REQUESTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "core/call.h"
#include "core/iommu/unmapped.h"
#include "core/pci/bdf.h"

struct svf_function;
struct svf_iommu_group;
struct svf_iova_space;
struct svf_translation;

/* Requester ids of one bus, a bit for each devfn. */
struct svf_requester_ids {
	uint16_t domain;
	uint8_t bus;
	uint64_t devfn[4];
};

struct svf_requester {
	struct svf_list link; /* group->requesters */
	struct svf_iommu_group *group;
	struct svf_requester_ids ids; /* of a group that has several requesters */
	unsigned int functions;
	unsigned int users; /* that attach it by itself: iommufd contexts */

	struct svf_iova_space *space; /* what translates its DMA; NULL: blocked */
	/* How; NULL: as the IOMMU does for a container. To be set after the space. */
	const struct svf_translation *via;
	uint64_t faults;	  /* IOMMU faults since it was last attached somewhere else */
	struct svf_deed detached; /* by whom, while space is NULL */
};

/*
 * The requester ids of fn: its own and its aliases, or those of the bridge to conventional PCI
 * above it, which speaks for all that is behind it; and that bridge, the topmost, NULL: none.
 * Of the ids DMA arrives with one at the IOMMU.
 */
void svf_iommu_requester_ids(const struct svf_function *fn, struct svf_requester_ids *ret);
struct svf_bdf svf_iommu_requester_id(const struct svf_function *fn);
const struct svf_function *svf_iommu_requester_bridge(const struct svf_function *fn);

/*
 * Puts a function that joins the group into its requester there. 0, -ENOMEM; -EBUSY: its ids are
 * those of several requesters, which users have attached apart.
 */
int svf_requester_join(struct svf_iommu_group *group, struct svf_function *fn) SVF_MUST_CHECK;
void svf_requester_leave(struct svf_function *fn);

/* Attaches it to a space / blocks it. Replacing is detach and attach in one. */
void svf_requester_set_space(struct svf_requester *requester, struct svf_iova_space *space);

/*
 * Why fn cannot be attached by itself, "it ...", with who is in its way: for the reason of a
 * refusal. At least one other function is in its requester. Return: text.
 */
#define SVF_REQUESTER_TEXT_SIZE 160
const char *svf_requester_sharing(const struct svf_function *fn, char *text, size_t size);

#endif
