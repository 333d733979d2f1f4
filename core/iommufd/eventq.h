/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues that a client reads: fault queues, with the page requests of devices, which are answered by
 * writing; and the event queues of vIOMMUs. Each is an object and an open file. The file holds
 * the object and the context, so that DESTROY of a queue that is open is -EBUSY.
 */
#ifndef SVF_CORE_IOMMUFD_EVENTQ_H
#define SVF_CORE_IOMMUFD_EVENTQ_H

#include "core/iommufd/objects.h"

struct svf_igroup;
struct svf_viommu;

/* What both have. */
struct svf_eventq {
	struct svf_iobject obj;
	struct svf_ictx *ictx;	      /* a reference while open */
	struct svf_eventq_file *file; /* while open; NULL */
	struct svf_list deliver;      /* what is to be read */
};

struct svf_fault {
	struct svf_eventq queue; /* of struct svf_fault_group.link */
	struct svf_ictx *ictx;
	struct svf_idtable responses; /* struct svf_fault_group by cookie: to be answered */
	unsigned int pending;	      /* in both */
};

struct svf_veventq {
	struct svf_eventq queue;   /* of struct svf_vevent.link */
	struct svf_list link;	   /* viommu->veventqs */
	struct svf_viommu *viommu; /* held */
	uint32_t type, depth;
	uint32_t num_events, sequence;
	bool lost; /* events were dropped; told after those that are in the queue */
	uint32_t lost_sequence;
};

void svf_fault_fini(struct svf_iobject *object);
void svf_veventq_fini(struct svf_iobject *object);

/* For commands: NULL comes with a reason, for -ENOENT. */
struct svf_fault *svf_fault_lookup(struct svf_ucmd *ucmd, uint32_t id);

/* A page request of a device, on its way to whoever answers. */
struct svf_page_request {
	uint32_t dev_id, pasid, grpid, perm;
	uint64_t addr;
	bool pasid_valid;
};
/*
 * To the queue; igroup and handle_pasid say which attachment it came through. Not delivered, and so
 * answered as invalid at once, when there is no memory or too many wait.
 */
void svf_fault_report(struct svf_fault *fault, const struct svf_page_request *request,
		      const struct svf_igroup *igroup, uint32_t handle_pasid);
/* The attachment ends: what came through it is answered as invalid. fault may be NULL. */
void svf_fault_auto_respond(struct svf_fault *fault, const struct svf_igroup *igroup,
			    uint32_t handle_pasid);

/* -EOPNOTSUPP: no queue of the type; -ENOMEM: it is told that an event was lost. */
int svf_viommu_report_event(struct svf_viommu *viommu, struct svf_call *call, uint32_t type,
			    const void *data, size_t len) SVF_MUST_CHECK;

#endif
