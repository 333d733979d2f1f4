/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The objects of an iommufd context, and how they hold each other:
 *
 *	device --attached--> HWPT --filled from--> IOAS <--attached-- access
 *	   |                  ^ ^ ^                 ^
 *	   |	  nested HWPT-+ | +--vIOMMU <--+-- vDEVICE, event queue, hardware queue
 *	   |			fault queue    |
 *	   +-- igroup (one a requester)	       +-- by the requester's space
 *
 * users counts who holds an object; DESTROY of a held one is -EBUSY. A device is held by the
 * driver that bound it, a HWPT by each device attached to it and each nested HWPT and vIOMMU over
 * it, an IOAS by each of its HWPTs and accesses, a queue by its open file.
 *
 * An object is allocated with its id, filled in, answered to the caller, and only then finalized:
 * before that no lookup finds it, and whatever fails ends in abort. Destroying never fails.
 *
 * A tombstone is what a vDEVICE becomes whose device goes first: its id stays taken, so that
 * whoever still has it in hand cannot destroy somebody else's object by it.
 *
 * This header has what all objects share, and the IOAS; the others have headers of their own.
 */
#ifndef SVF_CORE_IOMMUFD_OBJECTS_H
#define SVF_CORE_IOMMUFD_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/itree.h"
#include "base/list.h"
#include "core/call.h"
#include "core/iommu/iova_space.h"
#include "core/iommufd/iommufd.h"

enum svf_iobject_type {
	SVF_IOBJECT_ANY, /* for lookup only */
	SVF_IOBJECT_DEVICE,
	SVF_IOBJECT_IOAS,
	SVF_IOBJECT_HWPT_PAGING,
	SVF_IOBJECT_HWPT_NESTED,
	SVF_IOBJECT_ACCESS,
	SVF_IOBJECT_FAULT,
	SVF_IOBJECT_VIOMMU,
	SVF_IOBJECT_VDEVICE,
	SVF_IOBJECT_VEVENTQ,
	SVF_IOBJECT_HW_QUEUE,
	SVF_IOBJECT_SELFTEST,
	SVF_IOBJECT_TOMBSTONE,
};

/* First member of every object. */
struct svf_iobject {
	enum svf_iobject_type type;
	uint32_t id;
	unsigned int users;
	bool finalized;
};

/* An inclusive range of IOVA. */
struct svf_iova_range {
	uint64_t first, last;
};

/*
 * What is true of all mappings of an IOAS together, so that not each has to be looked at: pages.c. It may be
 * more than what is there, as it forgets only when nothing is.
 */
struct svf_outline {
	struct svf_mm *mm;    /* whose memory; no reference, some mapping has one */
	uint64_t first, last; /* of it, inclusive */
	uint64_t low_bits;    /* all that are set in an IOVA or address where one begins or ends */
	bool several;	      /* memory of several */
	bool odd;	      /* one that no page table can express */
	bool backed;	      /* one has svf_mapping.backing */
	bool writable;	      /* one is */
};

struct svf_ioas {
	struct svf_iobject obj;
	struct svf_ictx *ictx;
	struct svf_iova_space space;
	struct svf_list hwpts;	  /* struct svf_hwpt.ioas_link: domains */
	struct svf_list accesses; /* struct svf_access.link */
	struct svf_list reserved; /* struct svf_reserved, see reserved.c */
	unsigned int reserved_count;
	struct svf_itree allowed; /* struct svf_allowed.node; empty: everything is allowed */
	unsigned int domains; /* HWPTs that are filled: memory is checked and charged while > 0 */
	struct svf_outline outline;
	unsigned int writing_domains; /* of domains, those that need_write */
	uint64_t mapped;	      /* bytes */
	uint64_t alignment; /* what IOVA, length and user address must be multiples of, bytes */
	bool disable_large_pages;
};

/* main.c */
/* size bytes, zeroed, with an id. Return: 0, -ENOMEM. */
int svf_iobject_alloc(struct svf_ictx *ictx, struct svf_call *call, size_t size,
		      enum svf_iobject_type type, struct svf_iobject **ret) SVF_MUST_CHECK;
/* From now on it can be found. */
void svf_iobject_finalize(struct svf_iobject *object);
/* Undoes alloc; what the object holds has been let go already. */
void svf_iobject_abort(struct svf_ictx *ictx, struct svf_iobject *object);
/* Ends an object that nobody holds, finalized or not. */
void svf_iobject_destroy(struct svf_ictx *ictx, struct svf_iobject *object);
/* As svf_iobject_destroy, but the id stays taken until the context ends. */
void svf_iobject_tombstone(struct svf_ictx *ictx, struct svf_iobject *object);
/* Finalized, and of the type; NULL. */
struct svf_iobject *svf_iobject_lookup(struct svf_ictx *ictx, uint32_t id,
				       enum svf_iobject_type type);
const char *svf_iobject_name(enum svf_iobject_type type);
/* As svf_iobject_lookup, for commands: NULL comes with a reason, for -ENOENT. */
struct svf_iobject *svf_ucmd_lookup(struct svf_ucmd *ucmd, uint32_t id, enum svf_iobject_type type);
struct svf_ioas *svf_ioas_lookup(struct svf_ucmd *ucmd, uint32_t id);
/* Answers with the first size bytes of ucmd->cmd, or as many as the caller's structure has. */
int svf_ucmd_respond(struct svf_ucmd *ucmd, size_t size) SVF_MUST_CHECK;

/* A structure of the caller's that only the driver of an IOMMU knows. */
struct svf_user_data {
	uint32_t type, len;
	uint64_t uptr;
};
/*
 * Copies it, of the type and of at least min bytes, into size bytes, extended by zeroes. Return:
 * 0, -EINVAL for another type or size, -EFAULT.
 */
int svf_user_data_copy(struct svf_call *call, const struct svf_user_data *data, uint32_t type,
		       void *dst, uint32_t size, uint32_t min) SVF_MUST_CHECK;

/* ioas.c */
int svf_ioas_alloc(struct svf_ictx *ictx, struct svf_call *call,
		   struct svf_ioas **ret) SVF_MUST_CHECK;
void svf_ioas_fini(struct svf_iobject *object);

/* reserved.c */
/*
 * Nothing can be mapped in a reserved range, and nothing may be there yet: -EADDRINUSE, -ENOMEM.
 * Whoever reserves takes exactly the same range back. what: for the reason, "that ...".
 */
int svf_ioas_reserve(struct svf_ioas *ioas, struct svf_call *call, uint64_t first, uint64_t last,
		     const char *what) SVF_MUST_CHECK;
void svf_ioas_unreserve(struct svf_ioas *ioas, uint64_t first, uint64_t last);
/* The reserved range that begins lowest of those that touch [first, last]. False: none. */
bool svf_ioas_first_reserved(const struct svf_ioas *ioas, uint64_t first, uint64_t last,
			     struct svf_iova_range *ret);
/* What can be used at or behind position, up to the next reserved range. False: no more. */
bool svf_ioas_next_usable(const struct svf_ioas *ioas, uint64_t position,
			  struct svf_iova_range *ret);
void svf_ioas_reserved_fini(struct svf_ioas *ioas);

/* io_pagetable.c */
/* A MAP of the caller's memory, or of a file. */
struct svf_ioas_map_request {
	uint64_t vaddr, length; /* bytes; of a file: vaddr is an offset in it */
	uint64_t iova;		/* where, if fixed */
	unsigned int prot;	/* SVF_MAP_* */
	bool fixed;
	struct svf_mm *file; /* not the caller's memory but this, borrowed */
};
int svf_ioas_map(struct svf_ioas *ioas, struct svf_call *call,
		 const struct svf_ioas_map_request *request, uint64_t *ret_iova) SVF_MUST_CHECK;

/*
 * COPY in two steps: whether all of the source is mapped, -ENOENT; and the same memory again in
 * dst, where request->vaddr is not used.
 */
int svf_ioas_get_pages(struct svf_ioas *src, struct svf_call *call, uint64_t first,
		       uint64_t length) SVF_MUST_CHECK;
int svf_ioas_map_copy(struct svf_ioas *dst, struct svf_call *call, struct svf_ioas *src,
		      uint64_t src_first, const struct svf_ioas_map_request *request,
		      uint64_t *ret_iova) SVF_MUST_CHECK;

/*
 * Removes the mappings inside [first, last]; at the first that is partly outside it stops with
 * -ENOENT, at the first that a hardware queue is in with -EBUSY, those before it are gone.
 * *unmapped is written in all cases: bytes.
 */
int svf_ioas_unmap(struct svf_ioas *ioas, struct svf_call *call, uint64_t first, uint64_t last,
		   uint64_t *unmapped) SVF_MUST_CHECK;
/* Splits the mapping that holds iova behind it, unless it ends or begins there. */
int svf_ioas_cut(struct svf_ioas *ioas, struct svf_call *call, uint64_t iova) SVF_MUST_CHECK;

/*
 * What the table of a HWPT can hold comes: all mappings must suit it and their memory be there.
 * -EADDRINUSE, -EFAULT, -EINVAL, -ENOMEM. Taken back with the same domain.
 */
struct svf_domain {
	struct svf_iova_range aperture;
	uint64_t page_sizes; /* bitmap */
	bool needs_write;    /* what cannot be written cannot be mapped: -EINVAL */
};
int svf_ioas_add_domain(struct svf_ioas *ioas, struct svf_call *call,
			const struct svf_domain *domain) SVF_MUST_CHECK;
void svf_ioas_remove_domain(struct svf_ioas *ioas, const struct svf_domain *domain);
/* After a domain or access came or went. A higher alignment may fail: -EADDRINUSE. */
int svf_ioas_update_alignment(struct svf_ioas *ioas, struct svf_call *call) SVF_MUST_CHECK;
void svf_ioas_relax_alignment(struct svf_ioas *ioas);
/* IOMMU_OPTION_HUGE_PAGES. */
int svf_ioas_disable_large_pages(struct svf_ioas *ioas, struct svf_call *call) SVF_MUST_CHECK;
void svf_ioas_enable_large_pages(struct svf_ioas *ioas);

/* allowed.c */
struct svf_allowed {
	struct svf_itree_node node;
};
void svf_allowed_fini(struct svf_itree *allowed);

/* iova_alloc.c: a free place for length bytes of memory at vaddr. -EOVERFLOW, -EINVAL, -ENOSPC. */
int svf_ioas_alloc_iova(struct svf_ioas *ioas, struct svf_call *call, uint64_t vaddr,
			uint64_t length, uint64_t *ret) SVF_MUST_CHECK;

/* pages.c: what the kernel does by pinning: the memory is there and charged. */
int svf_mapping_pin(struct svf_machine *machine, struct svf_call *call, struct svf_mapping *map,
		    bool known) SVF_MUST_CHECK;
void svf_mapping_unpin(struct svf_machine *machine, struct svf_mapping *map);
/* Before map comes into the IOAS. */
void svf_outline_add(struct svf_ioas *ioas, const struct svf_mapping *map);
/* Whether all mappings certainly begin and end at multiples of alignment, and so does their memory. */
bool svf_outline_is_aligned(const struct svf_ioas *ioas, uint64_t alignment);
/* Whether svf_mapping_pin() would certainly succeed with each of them and change nothing. */
bool svf_outline_can_be_pinned(const struct svf_ioas *ioas);
/* The first part of svf_mapping_pin() only, for the bytes of map at IOVA [first, last]. -EFAULT, -EINVAL. */
int svf_mapping_check(struct svf_machine *machine, struct svf_call *call,
		      const struct svf_mapping *map, uint64_t first, uint64_t last) SVF_MUST_CHECK;

#endif
