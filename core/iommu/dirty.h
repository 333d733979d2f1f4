/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which pages of an IOVA space devices have written, while somebody wants to know: embedded in
 * struct svf_iova_space. Off, it costs nothing.
 *
 * Bits are kept for pages of SVF_IOMMU_PAGE_SIZE, by IOVA, in chunks that exist only where something
 * was written: marking is logarithmic in their number, whatever the size of the space. Bounded by the
 * machine's limit on chunks; where there is none left, or no memory, every page counts as written from
 * then on until tracking is stopped, so that no write is ever missed.
 */
#ifndef SVF_CORE_IOMMU_DIRTY_H
#define SVF_CORE_IOMMU_DIRTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/itree.h"

struct svf_machine;

struct svf_dirty {
	struct svf_itree chunks;
	unsigned int count; /* of chunks */
	bool on;
	bool all; /* on, and a write could not be recorded */
};

/* From now on writes are marked; none is so far. Does nothing when it is on. */
void svf_dirty_start(struct svf_dirty *dirty);
/* Forgets all. */
void svf_dirty_stop(struct svf_dirty *dirty, struct svf_machine *machine);

/* A device writes some of the bytes from first to last. Only while on. */
void svf_dirty_mark(struct svf_dirty *dirty, struct svf_machine *machine, uint64_t first,
		    uint64_t last);
/* The pages from first to last, whole ones, count as not written. */
void svf_dirty_clear(struct svf_dirty *dirty, struct svf_machine *machine, uint64_t first,
		     uint64_t last);
/*
 * Whether a page from *first to last may have been written; *first is moved on to where the first may be.
 */
bool svf_dirty_next(const struct svf_dirty *dirty, uint64_t *first, uint64_t last);
/*
 * Sets bit n in words for each page n from first on, to last, that was written, counted from bit
 * number shift, less than 64, of the first word. Other bits are left alone. dirty->all is the caller's to
 * look at.
 */
void svf_dirty_collect(const struct svf_dirty *dirty, uint64_t first, uint64_t last,
		       uint64_t *words, unsigned int shift);

#endif
