/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOMMU_IOAS_ALLOW_IOVAS: the user names the ranges that matter to it. They guide the choice of an
 * IOVA when MAP is not given one, and a device that cannot use all of them cannot attach: a VMM
 * makes sure so that a later hotplug does not break its guest. A MAP with FIXED_IOVA is not bound
 * by them.
 *
 * A new list replaces the old one, or is refused as a whole.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/iommufd/objects.h"
#include "uapi/iommufd.h"

/*
 * The kernel's bound is the memory of the caller's cgroup; this is far above what a VMM, that has
 * learnt them from IOVA_RANGES or its memory map, passes.
 */
#define ALLOWED_MAX 4096u

void svf_allowed_fini(struct svf_itree *allowed)
{
	struct svf_itree_node *node;

	while ((node = svf_itree_first(allowed, 0, UINT64_MAX))) {
		svf_itree_remove(allowed, node);
		free(svf_container_of(node, struct svf_allowed, node));
	}
}

static int add_range(struct svf_itree *allowed, struct svf_call *call,
		     const struct iommu_iova_range *range)
{
	struct svf_allowed *node;

	if (range->start >= range->last)
		return svf_fail(call, -EINVAL, "the range 0x%lx-0x%lx is empty or of one byte",
				range->start, range->last);
	if (svf_itree_first(allowed, range->start, range->last))
		return svf_fail(call, -EINVAL,
				"the range 0x%lx-0x%lx overlaps one before it in the list",
				range->start, range->last);
	node = calloc(1, sizeof(*node));
	if (!node)
		return svf_fail(call, -ENOMEM, "out of memory for allowed ranges");
	node->node.first = range->start;
	node->node.last = range->last;
	if (!svf_itree_insert(allowed, &node->node))
		free(node); /* cannot be: it overlaps none */
	return 0;
}

static int load(struct svf_itree *allowed, struct svf_call *call, uint64_t addr, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct iommu_iova_range range;
		int err;

		if (i == ALLOWED_MAX)
			return svf_fail(call, -ENOMEM, "no more than %u allowed ranges, not %u",
					ALLOWED_MAX, count);
		err = svf_copy_from_user(call, &range, addr + i * sizeof(range), sizeof(range));
		if (!err)
			err = add_range(allowed, call, &range);
		if (err)
			return err;
	}
	return 0;
}

static int check_usable(const struct svf_ioas *ioas, struct svf_call *call,
			const struct svf_itree *allowed)
{
	const struct svf_itree_node *node = svf_itree_first(allowed, 0, UINT64_MAX);
	struct svf_iova_range reserved;

	for (; node; node = svf_itree_next(node))
		if (svf_ioas_first_reserved(ioas, node->first, node->last, &reserved))
			return svf_fail(call, -EADDRINUSE,
					"the range 0x%lx-0x%lx touches the reserved 0x%lx-0x%lx",
					node->first, node->last, reserved.first, reserved.last);
	return 0;
}

int svf_ioas_allow_iovas(struct svf_ucmd *ucmd)
{
	const struct iommu_ioas_allow_iovas *cmd = ucmd->cmd;
	struct svf_itree allowed = {0}, old;
	struct svf_ioas *ioas;
	int err;

	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	ioas = svf_ioas_lookup(ucmd, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	err = load(&allowed, ucmd->call, cmd->allowed_iovas, cmd->num_iovas);
	if (!err)
		err = check_usable(ioas, ucmd->call, &allowed);
	if (err) {
		svf_allowed_fini(&allowed);
		return err;
	}
	old = ioas->allowed;
	ioas->allowed = allowed;
	svf_allowed_fini(&old);
	return 0;
}
