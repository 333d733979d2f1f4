/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accesses: how a driver that does no DMA of its own (a mediated device) reaches the memory of an
 * IOAS: it reads and writes, or pins a range and keeps it. Whoever pins must let go when it is
 * told so by unmap(), because UNMAP does not wait. An internal access belongs to a hardware queue
 * and cannot be told: UNMAP of what it pins is -EBUSY.
 */
#ifndef SVF_CORE_IOMMUFD_ACCESS_H
#define SVF_CORE_IOMMUFD_ACCESS_H

#include "core/iommufd/objects.h"

struct svf_access;

struct svf_access_ops {
	bool needs_pin_pages; /* the IOAS then maps whole pages only */
	/* Everything pinned that touches [first, last] must be unpinned now. */
	void (*unmap)(struct svf_access *access, uint64_t first, uint64_t last);
};

struct svf_access {
	struct svf_iobject obj;
	struct svf_ictx *ictx;		  /* a reference, unless internal */
	const struct svf_access_ops *ops; /* NULL: internal */
	void *data;			  /* the driver's */
	struct svf_ioas *ioas;		  /* held; NULL: attached to none */
	struct svf_list link;		  /* ioas->accesses */
	struct svf_list pins;		  /* struct svf_pin.link */
	uint64_t alignment;
};

/* A pinned range, embedded in what the driver keeps of it. */
struct svf_pin {
	struct svf_list link;
	struct svf_iova_range range;
};

/* users is 1: the driver's, until svf_access_destroy(). */
int svf_access_create(struct svf_ictx *ictx, struct svf_call *call,
		      const struct svf_access_ops *ops, void *data,
		      struct svf_access **ret) SVF_MUST_CHECK;
void svf_access_destroy(struct svf_access *access);
void svf_access_fini(struct svf_iobject *object);
/* Also from one IOAS to another, NULL: to none, which never fails. -EADDRINUSE. */
int svf_access_change_ioas(struct svf_access *access, struct svf_call *call,
			   struct svf_ioas *ioas) SVF_MUST_CHECK;

/* Pins pin->range. -EINVAL, -ENOENT, -EPERM, -EFAULT. */
int svf_access_pin(struct svf_access *access, struct svf_call *call, struct svf_pin *pin,
		   bool write) SVF_MUST_CHECK;
void svf_access_unpin(struct svf_pin *pin);
int svf_access_rw(struct svf_access *access, struct svf_call *call, uint64_t iova, void *buf,
		  uint64_t length, bool write) SVF_MUST_CHECK;

/* Before [first, last], a whole mapping, is unmapped: -EBUSY, or everybody has let go of it. */
int svf_ioas_check_locked(struct svf_ioas *ioas, struct svf_call *call, uint64_t first,
			  uint64_t last) SVF_MUST_CHECK;
void svf_ioas_notify_unmap(struct svf_ioas *ioas, uint64_t first, uint64_t last);
/* Whether something in [first, last] is pinned. */
bool svf_ioas_pinned(const struct svf_ioas *ioas, uint64_t first, uint64_t last);

#endif
