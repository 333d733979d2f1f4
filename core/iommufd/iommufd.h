/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * iommufd: one context per open of /dev/iommu, holding objects by id: IOASes, HWPTs made for them,
 * devices bound to it. Objects that others use are busy; the last close of the context ends them
 * all.
 *
 * This header is what the rest of the core needs; the objects themselves are in iommufd/objects.h.
 */
#ifndef SVF_CORE_IOMMUFD_IOMMUFD_H
#define SVF_CORE_IOMMUFD_IOMMUFD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/idtable.h"
#include "base/list.h"
#include "core/call.h"
#include "core/command.h"
#include "core/file.h"

struct svf_device;
struct svf_function;
struct svf_idevice;
struct svf_ioas;
struct svf_ram;

struct svf_ictx {
	struct svf_file file;	      /* kind SVF_FILE_IOMMUFD */
	struct svf_idtable objects;   /* struct svf_iobject */
	struct svf_list machine_link; /* machine->contexts */
	struct svf_list groups;	      /* struct svf_igroup.link: IOMMU groups with a bound device */
	unsigned int refs;	      /* the file, groups in compatibility mode, bound devices */
	struct svf_ioas *vfio_ioas;   /* of the compatibility container */
	bool no_iommu_mode;
	bool account_mm; /* IOMMU_OPTION_RLIMIT_MODE: charge the process, not the user */
};

/* A command of iommufd's own: its structure, copied in and extended by zeroes. */
struct svf_ucmd {
	struct svf_ictx *ictx;
	struct svf_call *call;
	const struct svf_command *command;
	uint64_t ubuffer;   /* the caller's structure */
	uint32_t user_size; /* as the caller gave it, bytes */
	void *cmd;	    /* the structure, in buffer */
	uint64_t buffer[9];
};

struct svf_ictx *svf_ictx_get(struct svf_ictx *ictx);
void svf_ictx_put(struct svf_ictx *ictx);

/*
 * Binding claims the function's group for the context (-EPERM when another has it or it is not
 * viable) and makes a device object, whose id it returns. From then on the device is DMA-blocked
 * until attached.
 */
int svf_idevice_bind(struct svf_ictx *ictx, struct svf_function *fn, struct svf_call *call,
		     struct svf_idevice **ret, uint32_t *ret_id) SVF_MUST_CHECK;
void svf_idevice_unbind(struct svf_idevice *idevice);
struct svf_ictx *svf_idevice_ictx(struct svf_idevice *idevice);

/* *pt_id: an IOAS (an HWPT is made or found for it and its id put back) or an HWPT. */
int svf_idevice_attach(struct svf_idevice *idevice, struct svf_call *call,
		       uint32_t *pt_id) SVF_MUST_CHECK;
int svf_idevice_replace(struct svf_idevice *idevice, struct svf_call *call,
			uint32_t *pt_id) SVF_MUST_CHECK;
void svf_idevice_detach(struct svf_idevice *idevice);

/* Attachments without a PASID have this one. */
#define SVF_NO_PASID 0u

/* As above, for transactions with a PASID. Attaching what is attached is -EBUSY. */
int svf_idevice_attach_pasid(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
			     uint32_t *pt_id) SVF_MUST_CHECK;
int svf_idevice_replace_pasid(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
			      uint32_t *pt_id) SVF_MUST_CHECK;
void svf_idevice_detach_pasid(struct svf_idevice *idevice, uint32_t pasid);
/* pasid.c: whether the device itself is attached under the PASID, which is not SVF_NO_PASID. */
bool svf_idevice_has_pasid(const struct svf_idevice *idevice, uint32_t pasid);

/* Compatibility mode, for group.c: the container's IOAS, made if there is none / looked up. */
int svf_vfio_compat_ioas_create(struct svf_ictx *ictx, struct svf_call *call) SVF_MUST_CHECK;
/* The group has no IOMMU: from now on neither has the container. -EINVAL when it has an IOAS. */
int svf_vfio_compat_set_no_iommu(struct svf_ictx *ictx, struct svf_call *call) SVF_MUST_CHECK;
int svf_vfio_compat_ioas_id(struct svf_ictx *ictx, struct svf_call *call,
			    uint32_t *ret) SVF_MUST_CHECK;

/*
 * What mmap of an iommufd's file is for: memory that a vIOMMU shows, exactly as its offset and length
 * were told. -EINVAL, -EPERM, -ENXIO.
 */
int svf_ictx_mmap(struct svf_file *file, struct svf_call *call, uint64_t offset, uint64_t length,
		  struct svf_ram **ret) SVF_MUST_CHECK;

/* Whether the context has bound any member of the IOMMU group (hot reset by "dev_set owned"). */
bool svf_ictx_has_group(struct svf_ictx *ictx, const void *iommu_group);

#endif
