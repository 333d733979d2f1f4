/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that several mappings share, for what it is charged as.
 *
 * Mappings that IOMMU_IOAS_COPY made have the memory of one MAP; a page of it is charged once, as long as
 * any of those mappings is charged that has it. A mapping that was never copied needs none of this.
 *
 * Pages are numbered by their address; runs of them that the same mappings have are kept together, so
 * that there are at most twice as many runs as charged mappings.
 */
#ifndef SVF_CORE_IOMMU_SHARED_PAGES_H
#define SVF_CORE_IOMMU_SHARED_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/itree.h"

struct svf_shared_pages {
	unsigned int refs;     /* mappings */
	struct svf_itree runs; /* struct run: the pages that are charged */
};

/* Pages, inclusive. */
struct svf_page_range {
	uint64_t first, last;
};

/* With one reference. NULL: out of memory. */
struct svf_shared_pages *svf_shared_pages_alloc(void);
struct svf_shared_pages *svf_shared_pages_get(struct svf_shared_pages *pages);
/* NULL: nothing happens. Whoever puts has charged nothing any more. */
void svf_shared_pages_put(struct svf_shared_pages *pages);

/* A mapping of the range is charged. *ret: pages that were not charged before. -ENOMEM. */
int svf_shared_pages_add(struct svf_shared_pages *pages, struct svf_page_range range,
			 uint64_t *ret) SVF_MUST_CHECK;
/* No more. Return: pages that are not charged any more. */
uint64_t svf_shared_pages_remove(struct svf_shared_pages *pages, struct svf_page_range range);

/* A charged mapping becomes two, the second beginning at page; and the other way round. */
int svf_shared_pages_cut(struct svf_shared_pages *pages, uint64_t page) SVF_MUST_CHECK;
void svf_shared_pages_join(struct svf_shared_pages *pages, uint64_t page);

#endif
