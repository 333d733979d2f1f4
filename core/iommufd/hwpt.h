/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HWPTs, the devices that attach to them, and what the IOMMU in front of a device can do.
 *
 * A paging HWPT is one domain: the mappings of its IOAS, in a table of the IOMMU. A nested one is a
 * table of the user's own, which the IOMMU walks before that of the parent.
 *
 * Two IOMMUs exist: the VT-d of the machine's functions, which in scalable mode
 * (vtd_scalable.c) has more to offer than in legacy mode (vtd.c); and the one of the kernel's
 * selftests, of devices that are nowhere else (selftest_iommu.c); and there are machines without one
 * (hwpt_noiommu.c). A struct svf_iommu_ops is the driver of one.
 */
#ifndef SVF_CORE_IOMMUFD_HWPT_H
#define SVF_CORE_IOMMUFD_HWPT_H

#include "core/iommu/dirty.h"
#include "core/iommu/translation.h"
#include "core/iommufd/objects.h"

struct svf_fault;
struct svf_requester;
struct svf_mock_device;
struct svf_user_array;
struct svf_vdevice;
struct svf_viommu;

#define SVF_IOTLB_ENTRIES 4

struct svf_hwpt {
	struct svf_iobject obj;
	const struct svf_iommu_ops *ops;
	struct svf_ioas *ioas;	    /* paging: held; nested: that of the parent */
	struct svf_list ioas_link;  /* paging: ioas->hwpts, while a domain of it */
	struct svf_hwpt *parent;    /* nested: held, or by its vIOMMU */
	struct svf_viommu *viommu;  /* nested, held; may be NULL */
	struct svf_fault *fault;    /* held: where page requests go; NULL */
	struct svf_domain domain;   /* paging */
	struct svf_dirty dirty;	    /* paging */
	uint64_t dirty_unit;	    /* bytes that are dirty together; 0: cannot track dirty pages */
	struct svf_translation via; /* what its devices' DMA goes through; of the machine's IOMMU */
	struct svf_stage1 stage1;   /* nested, of VT-d */
	uint64_t stage1_flags;	    /* IOMMU_VTD_S1_*, as given */
	uint32_t stage1_width;	    /* of addresses, bits, as given */
	uint32_t iotlb[SVF_IOTLB_ENTRIES]; /* nested, of the selftests: what stands for a cache */
	bool auto_domain; /* made by ATTACH to an IOAS; goes with its last device */
	bool nest_parent, pasid_compat;
};

/*
 * A requester (core/iommu/requester.h) with devices bound to this context: all of them share one
 * attachment. It is an IOMMU group's only one, unless the machine attaches devices by themselves.
 */
struct svf_igroup {
	struct svf_list link;		 /* ictx->groups */
	struct svf_requester *requester; /* NULL: of a device of the selftests, alone in it */
	struct svf_hwpt *hwpt;		 /* NULL: DMA blocked */
	struct svf_itree pasids;	 /* struct svf_pasid.node */
	unsigned int refs;		 /* devices bound */
	unsigned int attached;		 /* devices attached */
};

/* An attachment of a group with a PASID; see pasid.c. */
struct svf_pasid {
	struct svf_itree_node node; /* first and last are the PASID */
	struct svf_itree devices;   /* struct svf_pasid_device.node; never empty */
	struct svf_hwpt *hwpt;	    /* held once for each of them */
};
struct svf_pasid_device {
	struct svf_itree_node node; /* first and last are the device's id */
};

struct svf_idevice {
	struct svf_iobject obj;
	struct svf_ictx *ictx; /* a reference, but for devices of the selftests */
	const struct svf_iommu_ops *ops;
	struct svf_function *fn;      /* NULL: of the selftests */
	struct svf_mock_device *mock; /* of the selftests; NULL */
	struct svf_igroup *igroup;
	struct svf_vdevice *vdevice; /* NULL: there is none */
	uint32_t max_pasids;	     /* 0: the device has none */
	bool attached;		     /* without a PASID */
};

struct svf_iommu_ops {
	uint32_t hw_info_type, hw_info_size; /* IOMMU_HW_INFO_TYPE_*, bytes */
	void (*hw_info)(void *data);	     /* NULL: there is no IOMMU */
	uint64_t (*capabilities)(const struct svf_idevice *idevice); /* IOMMU_HW_CAP_* */
	/* IOVA that a device cannot use, whatever it is attached to. */
	const struct svf_iova_range *reserved;
	unsigned int reserved_count;

	/*
	 * Fills in domain and dirty_unit of a new HWPT. data may be NULL. Return: 0, -EOPNOTSUPP, -EINVAL,
	 * -EFAULT, -ENOMEM.
	 */
	int (*alloc_paging)(struct svf_idevice *idevice, struct svf_call *call, uint32_t flags,
			    const struct svf_user_data *data, struct svf_hwpt *hwpt);
	/* A nested one, whose parent and viommu are set. NULL: there are none. */
	int (*alloc_nested)(struct svf_call *call, uint32_t flags, const struct svf_user_data *data,
			    struct svf_hwpt *hwpt);
	/* Of a nested one; *ret_done: entries carried out, also on failure. NULL with alloc_nested. */
	int (*invalidate_nested)(struct svf_hwpt *hwpt, struct svf_call *call,
				 const struct svf_user_array *array, uint32_t *ret_done);
	/*
	 * The device's transactions, those with the PASID, go through hwpt from now on (NULL: are
	 * blocked, which never fails) and no more through old.
	 */
	int (*attach)(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
		      struct svf_hwpt *hwpt, struct svf_hwpt *old);
	/* NULL: there are no vIOMMUs. Type not known: -EOPNOTSUPP. */
	int (*viommu_check)(struct svf_call *call, uint32_t type);
	int (*viommu_init)(struct svf_viommu *viommu, struct svf_call *call,
			   const struct svf_user_data *data);
};

extern const struct svf_iommu_ops svf_vtd_ops;
extern const struct svf_iommu_ops svf_vtd_scalable_ops;
extern const struct svf_iommu_ops svf_noiommu_ops;
extern const struct svf_iommu_ops svf_mock_ops;

static inline bool svf_iobject_is_hwpt(const struct svf_iobject *object)
{
	return object->type == SVF_IOBJECT_HWPT_PAGING || object->type == SVF_IOBJECT_HWPT_NESTED;
}

/* The one whose mappings translate in the end. */
static inline struct svf_hwpt *svf_hwpt_paging(struct svf_hwpt *hwpt)
{
	return hwpt->parent ? hwpt->parent : hwpt;
}

/* hw_pagetable.c */
/* Lookups for commands: NULL comes with a reason, for -ENOENT. */
struct svf_hwpt *svf_hwpt_lookup_paging(struct svf_ucmd *ucmd, uint32_t id);
/*
 * Of the IOAS; attach: with the device attached to it under the PASID, as for one that ATTACH
 * makes.
 */
int svf_hwpt_alloc(struct svf_ioas *ioas, struct svf_call *call, struct svf_idevice *idevice,
		   uint32_t flags, const struct svf_user_data *data, bool attach, uint32_t pasid,
		   struct svf_hwpt **ret) SVF_MUST_CHECK;
void svf_hwpt_paging_fini(struct svf_iobject *object);
void svf_hwpt_nested_fini(struct svf_iobject *object);
/* A device lets go; a HWPT made by ATTACH ends with the last. */
void svf_hwpt_put(struct svf_hwpt *hwpt);

/* dirty.c */
/* A write arrived at the IOVA; counts only while tracking is on and something is mapped there. */
void svf_hwpt_set_dirty(struct svf_hwpt *hwpt, uint64_t iova);
void svf_hwpt_stop_dirty(struct svf_hwpt *hwpt);
bool svf_hwpt_tracks_dirty(const struct svf_hwpt *hwpt);
/* What was mapped at [first, last] is no more. */
void svf_ioas_forget_dirty(struct svf_ioas *ioas, uint64_t first, uint64_t last);

/* device.c */
struct svf_idevice *svf_idevice_lookup(struct svf_ucmd *ucmd, uint32_t id);
/* A device of the selftests, in a group of its own. */
int svf_idevice_bind_mock(struct svf_ictx *ictx, struct svf_mock_device *mock, uint32_t max_pasids,
			  struct svf_call *call, struct svf_idevice **ret) SVF_MUST_CHECK;
int svf_hwpt_attach_device(struct svf_hwpt *hwpt, struct svf_call *call,
			   struct svf_idevice *idevice, uint32_t pasid) SVF_MUST_CHECK;
/* Without letting go of the HWPT, which is returned; NULL: was not attached. */
struct svf_hwpt *svf_hwpt_detach_device(struct svf_idevice *idevice, uint32_t pasid);
void svf_idevice_fini(struct svf_iobject *object);

/* pasid.c */
/* What is attached under it, the group's own HWPT for SVF_NO_PASID; NULL: nothing. */
struct svf_hwpt *svf_igroup_hwpt(const struct svf_igroup *igroup, uint32_t pasid);
/* Whether the HWPT may stand beside what is attached under other PASIDs. -EINVAL. */
int svf_pasid_compatible(const struct svf_hwpt *hwpt, struct svf_call *call,
			 const struct svf_igroup *igroup, uint32_t pasid) SVF_MUST_CHECK;
int svf_pasid_attach(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice,
		     uint32_t pasid) SVF_MUST_CHECK;
int svf_pasid_replace(struct svf_hwpt *hwpt, struct svf_call *call, struct svf_idevice *idevice,
		      uint32_t pasid) SVF_MUST_CHECK;
struct svf_hwpt *svf_pasid_detach(struct svf_idevice *idevice, uint32_t pasid);
/* Some PASID under which the device itself is attached; SVF_NO_PASID: none. */
uint32_t svf_pasid_first(const struct svf_idevice *idevice);

#endif
