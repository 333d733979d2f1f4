/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An IOVA space: the mappings a type1 container or an IOAS holds, and that the devices attached to
 * it can reach, and nothing else. An interval tree of mappings that never overlap; cost of every
 * operation is logarithmic in their number.
 *
 * type1 and iommufd differ in their rules (what may be unmapped, which errno for what), not in
 * this: they check, then call here.
 */
#ifndef SVF_CORE_IOMMU_IOVA_SPACE_H
#define SVF_CORE_IOMMU_IOVA_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/itree.h"
#include "core/iommu/dirty.h"
#include "core/iommu/unmapped.h"

struct svf_function;
struct svf_machine;
struct svf_mm;
struct svf_ram;
struct svf_shared_pages;

#define SVF_MAP_READ  (1u << 0) /* the device may read */
#define SVF_MAP_WRITE (1u << 1) /* the device may write */

/* There may be a million of these: the order of members leaves no holes. */
struct svf_mapping {
	struct svf_itree_node node; /* first, last: IOVA, inclusive */
	unsigned int prot;	    /* SVF_MAP_* */
	bool accounted;		    /* charged to mm's locked memory */
	bool writable;	    /* iommufd: given for writing, so a COPY of it may be written too */
	bool of_file;	    /* iommufd: mm is a file's, vaddr an offset in it */
	bool vaddr_invalid; /* type1: its address was given up and awaits another; DMA goes on */
	struct svf_mm *mm;  /* whose memory, a reference; NULL when ram */
	uint64_t vaddr;	    /* of first, in mm */
	struct svf_backing *backing;	/* the file behind mm's memory, a reference; NULL */
	const struct svf_ram *ram;	/* peer-to-peer: a BAR's memory instead of mm */
	uint64_t offset;		/* of first, in backing or ram */
	struct svf_shared_pages *pages; /* iommufd: with copies of it, a reference; NULL: none */
};

struct svf_iova_space {
	struct svf_itree tree; /* of struct svf_mapping.node */
	struct svf_machine *machine;
	unsigned int count;	/* mappings */
	unsigned int ram_count; /* those of BAR memory; 0 unless somebody is attached */
	unsigned int attached;	/* requesters, see requester.h */
	struct svf_dirty dirty; /* pages that devices have written; off unless somebody asks */
	struct svf_unmap_history unmapped;
};

/* What a mapping is charged as, in pages of SVF_IOMMU_PAGE_SIZE. */
int64_t svf_mapping_pages(const struct svf_mapping *map);
/*
 * Charges map->mm for what of it is not charged yet, and notes it in map. *ret_limit may be NULL.
 * -ENOMEM. Giving it back never fails.
 */
int svf_mapping_charge(struct svf_machine *machine, struct svf_mapping *map,
		       uint64_t *ret_limit) SVF_MUST_CHECK;
void svf_mapping_uncharge(struct svf_machine *machine, struct svf_mapping *map);
/* From now on map may have copies, which share its charge. -ENOMEM. */
int svf_mapping_share(struct svf_mapping *map) SVF_MUST_CHECK;
/* Gives back the references and the charge that map holds. Never fails. */
void svf_mapping_fini(struct svf_machine *machine, struct svf_mapping *map);

void svf_iova_space_init(struct svf_iova_space *space, struct svf_machine *machine);
/* Frees all mappings; nobody may be attached. */
void svf_iova_space_fini(struct svf_iova_space *space);

/*
 * Inserts a copy of *map (node.first, node.last, prot, mm, vaddr, backing, ram, offset, accounted set;
 * takes over the references and the charge on success). BAR memory only while somebody is
 * attached. -EEXIST on any overlap, -ENOMEM, also when the machine's limit is reached.
 */
int svf_iova_space_map(struct svf_iova_space *space, const struct svf_mapping *map) SVF_MUST_CHECK;
/* The first mapping, in order of IOVA, that touches [first, last], or NULL. */
struct svf_mapping *svf_iova_space_first(const struct svf_iova_space *space, uint64_t first,
					 uint64_t last);
/* Removes and frees one. When this returns, no device reaches it any more. */
void svf_iova_space_unmap(struct svf_iova_space *space, struct svf_mapping *map);
/*
 * All at once. When this returns, no device reaches any of them; what many of them hold is given back
 * later, a slice at a time.
 */
void svf_iova_space_unmap_all(struct svf_iova_space *space);

/*
 * Gives back what so many mappings hold that were unmapped at once. The host calls it between events
 * while it returns true: there are more.
 */
bool svf_mappings_reap(struct svf_machine *machine, unsigned int count);
/*
 * As svf_port_ops.mm_account, of pages to be charged: what unmapped mappings still hold is given back
 * first when it would fail.
 */
int svf_mm_charge(struct svf_machine *machine, struct svf_mm *mm, int64_t pages,
		  uint64_t *ret_limit) SVF_MUST_CHECK;

/*
 * The memory of a BAR is about to be freed: mappings of it stay, as they do in Linux when the
 * function behind them goes, but lead nowhere.
 */
void svf_iova_space_detach_ram(struct svf_machine *machine, const struct svf_ram *ram);

/*
 * The usable IOVA ranges of the software IOMMU: 48 bits without the MSI window
 * 0xfee00000-0xfeefffff.
 */
#define SVF_IOVA_LAST 0x0000ffffffffffffull
/* Of a first-stage table, in scalable mode: its other half are addresses with all upper bits set. */
#define SVF_FIRST_STAGE_LAST 0x00007fffffffffffull
#define SVF_MSI_WINDOW_FIRST 0xfee00000ull
#define SVF_MSI_WINDOW_LAST  0xfeefffffull
#define SVF_IOMMU_PAGE_SIZE  4096u
/* Page sizes of the hardware tables: 4 KiB, 2 MiB, 1 GiB. */
#define SVF_IOMMU_PAGE_SIZES 0x40201000ull

/*
 * DMA by a function. Without bus mastering nothing leaves the function. Otherwise its requester must be
 * attached and every byte mapped with the permission, and there, or an IOMMU fault is logged and
 * counted (fault.h) and nothing is transferred beyond that. Return: 0, -EFAULT.
 */
int svf_dma_read(struct svf_function *fn, uint64_t iova, void *dst, size_t len) SVF_MUST_CHECK;
int svf_dma_write(struct svf_function *fn, uint64_t iova, const void *src,
		  size_t len) SVF_MUST_CHECK;
/* Between us and the client's memory behind map, which covers all of it. Return: 0, -EFAULT. */
int svf_mapping_copy(struct svf_machine *machine, const struct svf_mapping *map, uint64_t iova,
		     void *ours, uint64_t len, bool write) SVF_MUST_CHECK;

#endif
