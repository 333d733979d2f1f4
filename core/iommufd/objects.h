/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The objects of an iommufd context, and how they hold each other:
 *
 *	device --attached--> HWPT --filled from--> IOAS
 *	   |                                        ^
 *	   +-- igroup (one for each IOMMU group) ---+ by the group's space
 *
 * users counts who holds an object; DESTROY of a held one is -EBUSY. A device is held by the VFIO
 *device that bound it, a HWPT by each device attached to it, an IOAS by each of its HWPTs.
 *
 * An object is allocated with its id, filled in, answered to the caller, and only then finalized:
 * before that no lookup finds it, and whatever fails ends in abort. Destroying never fails.
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

struct svf_iommu_group;

enum svf_iobject_type {
	SVF_IOBJECT_ANY, /* for lookup only */
	SVF_IOBJECT_DEVICE,
	SVF_IOBJECT_IOAS,
	SVF_IOBJECT_HWPT,
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

#define SVF_IOAS_RESERVED_MAX 2 /* MSI window, above the aperture */
#define SVF_IOAS_USABLE_MAX   3

/*
 * An IOAS. Its reserved ranges follow from two counts, because the software IOMMU is one for all
 * devices: every domain reserves what lies above the aperture, every attached device the MSI
 * window.
 */
struct svf_ioas {
	struct svf_iobject obj;
	struct svf_ictx *ictx;
	struct svf_iova_space space;
	struct svf_list hwpts;	  /* struct svf_hwpt.ioas_link */
	struct svf_itree allowed; /* struct svf_allowed.node; empty: everything is allowed */
	unsigned int domains; /* HWPTs that are filled: memory is checked and charged while > 0 */
	unsigned int msi_reserved; /* devices attached */
	bool disable_large_pages;
};

/* A HWPT: one domain, holding every mapping of its IOAS from its making on. */
struct svf_hwpt {
	struct svf_iobject obj;
	struct svf_list ioas_link; /* ioas->hwpts, while a domain of it */
	struct svf_ioas *ioas;	   /* held */
	bool auto_domain;	   /* made by ATTACH to an IOAS; goes with its last device */
};

/* An IOMMU group with devices bound to this context: all of them share one attachment. */
struct svf_igroup {
	struct svf_list link; /* ictx->groups */
	struct svf_iommu_group *group;
	struct svf_hwpt *hwpt; /* NULL: DMA blocked */
	unsigned int refs;     /* devices bound */
	unsigned int attached; /* devices attached */
};

struct svf_idevice {
	struct svf_iobject obj;
	struct svf_ictx *ictx; /* a reference */
	struct svf_function *fn;
	struct svf_igroup *igroup;
	bool attached;
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
/* Finalized, and of the type; NULL. */
struct svf_iobject *svf_iobject_lookup(struct svf_ictx *ictx, uint32_t id,
				       enum svf_iobject_type type);
/* As svf_iobject_lookup, for commands: NULL comes with a reason, for -ENOENT. */
struct svf_ioas *svf_ioas_lookup(struct svf_ucmd *ucmd, uint32_t id);
struct svf_idevice *svf_idevice_lookup(struct svf_ucmd *ucmd, uint32_t id);
struct svf_hwpt *svf_hwpt_lookup(struct svf_ucmd *ucmd, uint32_t id);
/* Answers with the first size bytes of ucmd->cmd, or as many as the caller's structure has. */
int svf_ucmd_respond(struct svf_ucmd *ucmd, size_t size) SVF_MUST_CHECK;

/* ioas.c */
int svf_ioas_alloc(struct svf_ictx *ictx, struct svf_call *call,
		   struct svf_ioas **ret) SVF_MUST_CHECK;
void svf_ioas_fini(struct svf_iobject *object);

/* io_pagetable.c */
/* What IOVA, length and user address must be multiples of: 1 or the page size, bytes. */
uint64_t svf_ioas_alignment(const struct svf_ioas *ioas);
/* Reserved ranges and what lies between them, in order. Return: how many. */
unsigned int svf_ioas_reserved(const struct svf_ioas *ioas,
			       struct svf_iova_range ranges[SVF_IOAS_RESERVED_MAX]);
unsigned int svf_ioas_usable(const struct svf_ioas *ioas,
			     struct svf_iova_range ranges[SVF_IOAS_USABLE_MAX]);

/* A MAP of the caller's memory. */
struct svf_ioas_map_request {
	uint64_t vaddr, length; /* bytes */
	uint64_t iova;		/* where, if fixed */
	unsigned int prot;	/* SVF_MAP_* */
	bool fixed;
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
 * -ENOENT, those before it are gone. *unmapped is written in both cases: bytes.
 */
int svf_ioas_unmap(struct svf_ioas *ioas, struct svf_call *call, uint64_t first, uint64_t last,
		   uint64_t *unmapped) SVF_MUST_CHECK;
/* Splits the mapping that holds iova behind it, unless it ends or begins there. */
int svf_ioas_cut(struct svf_ioas *ioas, struct svf_call *call, uint64_t iova) SVF_MUST_CHECK;

/*
 * A domain comes: all mappings must suit it and their memory be there. -EADDRINUSE, -EFAULT,
 * -EINVAL, -ENOMEM.
 */
int svf_ioas_add_domain(struct svf_ioas *ioas, struct svf_call *call) SVF_MUST_CHECK;
void svf_ioas_remove_domain(struct svf_ioas *ioas);
/* A device comes, with the ranges it cannot use. -EADDRINUSE. */
int svf_ioas_reserve_device(struct svf_ioas *ioas, struct svf_call *call,
			    unsigned int devices) SVF_MUST_CHECK;
void svf_ioas_unreserve_device(struct svf_ioas *ioas, unsigned int devices);
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

/* hw_pagetable.c */
/* attach: with the device attached to it, as for a HWPT that ATTACH makes. */
int svf_hwpt_alloc(struct svf_ioas *ioas, struct svf_call *call, struct svf_idevice *idevice,
		   bool attach, struct svf_hwpt **ret) SVF_MUST_CHECK;
void svf_hwpt_fini(struct svf_iobject *object);
/* A device lets go; a HWPT made by ATTACH ends with the last. */
void svf_hwpt_put(struct svf_hwpt *hwpt);

/* device.c */
int svf_hwpt_attach_device(struct svf_hwpt *hwpt, struct svf_call *call,
			   struct svf_idevice *idevice) SVF_MUST_CHECK;
/* Without letting go of the HWPT, which is returned; NULL: was not attached. */
struct svf_hwpt *svf_hwpt_detach_device(struct svf_idevice *idevice);
void svf_idevice_fini(struct svf_iobject *object);

#endif
