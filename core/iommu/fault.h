/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said when DMA fails: a kernel message in the form that Linux's VT-d driver gives it, one
 * more with what that driver cannot know (who unmapped the address, what became of the memory), and
 * both for `softvfio why`.
 *
 * A device can fault as fast as it can run, so a requester's faults are thinned out: the first ten are
 * told, then those whose number is a power of two. Attaching it elsewhere starts the count
 * again.
 */
#ifndef SVF_CORE_IOMMU_FAULT_H
#define SVF_CORE_IOMMU_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct svf_function;
struct svf_mapping;

enum svf_fault_kind {
	SVF_FAULT_BLOCKED, /* the function's requester is attached to nothing */
	SVF_FAULT_BEYOND,  /* the address has more bits than the IOMMU translates */
	SVF_FAULT_UNMAPPED,
	SVF_FAULT_GONE, /* mapped, but the memory behind it is not there any more */
};

/* map: what is mapped at iova, if anything. Return: -EFAULT. */
int svf_dma_fault_report(struct svf_function *fn, enum svf_fault_kind kind, bool write,
			 uint64_t iova, const struct svf_mapping *map);

#endif
