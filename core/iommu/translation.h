/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of an address of a device's: the mapping of an IOVA space that it is in, or a fault.
 *
 * A space is all there is in legacy mode. In scalable mode (params.iommu_scalable) it is what a
 * first-stage table says, or a second-stage one, which fault in different words and differ in what
 * they can express; and a client may put a first-stage table of its own before it: nesting.
 *
 *	device --IOVA--> stage 1: tables in the client's memory --guest address--> space --> memory
 *	                            |  their addresses, too, are guest addresses    ^
 *	                            +-----------------------------------------------+
 *
 * Nothing of the client's tables is cached: each transaction walks them. So invalidation has
 * nothing to do, and an entry takes effect at once, as it may on hardware.
 */
#ifndef SVF_CORE_IOMMU_TRANSLATION_H
#define SVF_CORE_IOMMU_TRANSLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/iommu/fault.h"

struct svf_dirty;
struct svf_function;
struct svf_iova_space;
struct svf_machine;
struct svf_mapping;

/* A first-stage table in a client's memory, of processors' format. */
struct svf_stage1 {
	uint64_t table;		/* guest address of the topmost, and bits that are ignored */
	unsigned int levels;	/* 4 or 5 */
	bool extended_accessed; /* entries have a second accessed bit, which is set with the first */
};

enum svf_tables {
	SVF_TABLES_NONE, /* there is no IOMMU; what is mapped is all the memory there is */
	SVF_TABLES_LEGACY,
	SVF_TABLES_FIRST,
	SVF_TABLES_SECOND,
};

/* What a HWPT makes of addresses. */
struct svf_translation {
	struct svf_iova_space *space;
	enum svf_tables tables;	 /* that stand for the space */
	struct svf_dirty *dirty; /* where else writes are marked than in the space's; NULL */
	const struct svf_stage1 *stage1; /* before it; NULL: none */
};

struct svf_translated {
	const struct svf_mapping *map;
	uint64_t address; /* in map's space */
	uint64_t last;	  /* what is translated alike, up to that in map's space */
};

/* Of one address. False: *fault; ret->map and ret->address are what was found until then. */
bool svf_translate(const struct svf_translation *translation, uint64_t iova, bool write,
		   struct svf_translated *ret, enum svf_fault_kind *fault);
/* A device writes [first, last] of the space. */
void svf_translation_mark(const struct svf_translation *translation, uint64_t first, uint64_t last);

/* A walk found: */
struct svf_stage1_page {
	uint64_t address; /* guest's, of what was asked for */
	uint64_t left;	  /* bytes of the page behind that */
};
/* stage1.c: sets accessed and dirty bits in the client's tables. False: *fault. */
bool svf_stage1_walk(const struct svf_translation *translation, uint64_t address, bool write,
		     struct svf_stage1_page *ret, enum svf_fault_kind *fault);

bool svf_stage1_is_canonical(uint64_t address, unsigned int levels);

#endif
