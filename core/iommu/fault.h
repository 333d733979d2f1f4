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

	/* In scalable mode each kind of table fails in its own ways. */
	SVF_FAULT_SM_BLOCKED,
	SVF_FAULT_SM_BEYOND,
	SVF_FAULT_INTERRUPT,	 /* an address of interrupts, not of memory */
	SVF_FAULT_SS_PERMISSION, /* second stage: not mapped, or not for that */
	SVF_FAULT_NOT_CANONICAL, /* first stage: bits beyond its width are not all its topmost */
	SVF_FAULT_FS_NOT_PRESENT,
	SVF_FAULT_FS_RESERVED,
	SVF_FAULT_FS_SUPERVISOR, /* not for users */
	SVF_FAULT_FS_READ_ONLY,
	/* A first-stage table of a client, or what an entry of it refers to: */
	SVF_FAULT_FS_BEYOND,	   /* has an address of too many bits */
	SVF_FAULT_FS_TOP_BLOCKED,  /* cannot be read in the second stage: the topmost table */
	SVF_FAULT_FS_BLOCKED,	   /* ... another */
	SVF_FAULT_FS_NOT_WRITABLE, /* ... nor may its accessed and dirty bits be set there */
	SVF_FAULT_FS_TOP_ACCESS,   /* is memory that is no longer there: the topmost table */
	SVF_FAULT_FS_ACCESS,	   /* ... another */
};

struct svf_dma_fault {
	struct svf_function *fn;
	enum svf_fault_kind kind;
	bool write;
	uint64_t iova;
	uint64_t address;	       /* in the space, as far as it was known */
	const struct svf_mapping *map; /* what is mapped there; NULL */
	bool nested;		       /* by a client's table */
};

/* Return: -EFAULT. */
int svf_dma_fault_report(const struct svf_dma_fault *fault);

#endif
