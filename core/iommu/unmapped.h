/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was unmapped lately in an IOVA space, by whom and when: so that a device that goes on using
 * an address which has been taken away from it can be told who took it. Embedded in struct
 * svf_iova_space; of fixed size, the oldest goes for the newest.
 *
 * One command is one entry, however many mappings it unmaps.
 */
#ifndef SVF_CORE_IOMMU_UNMAPPED_H
#define SVF_CORE_IOMMU_UNMAPPED_H

#include <stddef.h>
#include <stdint.h>

struct svf_machine;

#define SVF_UNMAPPED_ENTRIES 8u
#define SVF_DEED_SIZE	     128u /* bytes of its text, with the NUL */

/* What the client that is being served does, and when. */
struct svf_deed {
	uint64_t number; /* of the request; 0: nothing was done yet */
	uint64_t at_ns;	 /* struct svf_timers.now_ns */
	int32_t pid;	 /* of the calling thread; 0: no call, a descriptor was closed */
	char comm[16];
	const char *command;
};

struct svf_unmapped {
	uint64_t first, last; /* IOVA, inclusive */
	struct svf_deed by;
};

struct svf_unmap_history {
	struct svf_unmapped entries[SVF_UNMAPPED_ENTRIES];
	unsigned int next; /* to be written */
};

/* What is being done now. */
struct svf_deed svf_deed_now(const struct svf_machine *machine);
/* "0.250 s before, by VFIO_IOMMU_UNMAP_DMA of qemu[1234]" */
void svf_deed_describe(const struct svf_deed *deed, const struct svf_machine *machine,
		       char text[SVF_DEED_SIZE]);

void svf_unmapped_add(struct svf_unmap_history *history, const struct svf_machine *machine,
		      uint64_t first, uint64_t last);
/* The last that iova was in, or NULL. */
const struct svf_unmapped *svf_unmapped_lookup(const struct svf_unmap_history *history,
					       uint64_t iova);

#endif
