/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vIOMMUs: the part of an IOMMU that a guest is given, over a nesting parent HWPT; vDEVICEs, what a
 * device is called in it; hardware queues that the guest fills and the IOMMU reads.
 */
#ifndef SVF_CORE_IOMMUFD_VIOMMU_H
#define SVF_CORE_IOMMUFD_VIOMMU_H

#include "core/iommufd/access.h"
#include "core/iommufd/hwpt.h"

struct svf_hw_queue;
struct svf_ram;

struct svf_user_array {
	uint32_t type, entry_len, entry_num;
	uint64_t uptr;
};

struct svf_viommu_ops {
	int (*alloc_nested)(struct svf_call *call, uint32_t flags, const struct svf_user_data *data,
			    struct svf_hwpt *hwpt);
	/* *ret_done: entries carried out, also on failure. */
	int (*invalidate)(struct svf_viommu *viommu, struct svf_call *call,
			  const struct svf_user_array *array, uint32_t *ret_done);
	int (*check_hw_queue_type)(struct svf_call *call, uint32_t type);
	/* queue->index is what the user said. May make it depend on another, which is then held. */
	int (*hw_queue_init)(struct svf_hw_queue *queue, struct svf_call *call);
};

#define SVF_VIOMMU_HW_QUEUES 2

struct svf_viommu {
	struct svf_iobject obj;
	struct svf_ictx *ictx;
	const struct svf_iommu_ops *iommu;
	const struct svf_viommu_ops *ops;
	uint32_t type;
	struct svf_hwpt *hwpt;	  /* the nesting parent, held */
	struct svf_list vdevices; /* struct svf_vdevice.link */
	struct svf_list veventqs; /* struct svf_veventq.link */
	struct svf_hw_queue *hw_queues[SVF_VIOMMU_HW_QUEUES];
	struct svf_ram *ram;  /* owned: what mmap of the iommufd gives; NULL: nothing */
	uint64_t mmap_offset; /* where, bytes */
};

struct svf_vdevice {
	struct svf_iobject obj;
	struct svf_list link;	   /* viommu->vdevices */
	struct svf_viommu *viommu; /* held */
	struct svf_idevice *idevice;
	uint64_t virt_id;
};

struct svf_hw_queue {
	struct svf_iobject obj;
	struct svf_viommu *viommu; /* held */
	struct svf_access *access; /* owned; NULL: not yet */
	struct svf_pin pin;
	struct svf_hw_queue *prev; /* held; NULL */
	uint64_t base_addr, length;
	uint32_t type, index;
	bool placed; /* in viommu->hw_queues */
};

void svf_viommu_fini(struct svf_iobject *object);
/* -EBUSY while the user has its memory mapped. */
int svf_viommu_check_mapped(struct svf_iobject *object, struct svf_call *call) SVF_MUST_CHECK;
/* main.c: where in the iommufd's file the vIOMMU's memory is to be mapped from, bytes. */
uint64_t svf_ictx_mmap_offset(struct svf_ictx *ictx, uint64_t size);
void svf_vdevice_fini(struct svf_iobject *object);
void svf_hw_queue_fini(struct svf_iobject *object);

struct svf_viommu *svf_viommu_lookup(struct svf_ucmd *ucmd, uint32_t id);
struct svf_vdevice *svf_viommu_find_vdevice(const struct svf_viommu *viommu, uint64_t virt_id);

#endif
