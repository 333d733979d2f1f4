/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VFIO device: a function bound to vfio-pci. Made by the driver's probe, ended by its remove,
 * which waits until every file is closed.
 *
 * A device file gives no access before its security context stands: for a group file that is the
 * container with its IOMMU set, for a cdev a successful BIND. Until then every command but BIND is
 * -EINVAL. All device files of one device share its state (config view, interrupts); the first open
 * resets and prepares it, the last close resets it again and drops the interrupts.
 */
#ifndef SVF_CORE_VFIO_DEVICE_H
#define SVF_CORE_VFIO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/uuid.h"
#include "core/call.h"
#include "core/file.h"
#include "core/timer.h"
#include "uapi/vfio.h"

struct svf_function;
struct svf_group;
struct svf_ictx;
struct svf_idevice;
struct svf_irqs;
struct svf_event;
struct svf_ram;
struct svf_saved_state;
struct svf_vconfig;

/* The token a PF on vfio-pci shares with the users of its VFs. */
struct svf_vf_token {
	struct svf_uuid uuid;
	unsigned int users; /* VFs open now */
};

/* Waiting until the users of a device let it go: they are asked now and then. */
struct svf_release_wait {
	struct svf_timer timer; /* the next time to ask */
	unsigned int requests;	/* how often they have been asked */
	uint64_t call_id;	/* of the call whose task waits for them */
	bool deaf; /* that task has got a signal; the wait is not for signals any more */
};

struct svf_device {
	struct svf_function *fn;
	struct svf_list group_link; /* group->devices, until it unregisters */
	struct svf_group *group;
	unsigned int minor;	      /* N of /dev/vfio/devices/vfioN */
	struct svf_list files;	      /* struct svf_device_file.device_link: those with access */
	unsigned int file_count;      /* open files, also without access; unregister waits */
	unsigned int open_count;      /* files with access */
	bool unregistering;	      /* the driver is leaving; no new opens */
	struct svf_release_wait wait; /* while unregistering and in use */
	bool cdev_opened;	      /* open through its cdev */
	bool noiommu;		      /* no IOMMU stands before it */
	struct svf_idevice *idevice;  /* bound to an iommufd */
	/* Open through a group whose container is an iommufd, without an IOMMU: bound to nothing. */
	bool unbound;
	uint32_t devid; /* id of idevice there */
	bool iommufd_attached;
	bool pasid_0_attached;	       /* the same by ATTACH with PASID 0 */
	struct svf_vf_token *vf_token; /* of a PF; NULL otherwise */

	/* While open. */
	struct svf_vconfig *vconfig;
	struct svf_irqs *irqs;
	struct svf_saved_state *open_state; /* config space as it was when the first user came */
	bool reset_works;   /* the function could be reset when the first user came */
	bool intx_maskable; /* INTx is masked by the command register, as PCI 2.3 has it */
	bool intx_hidden;   /* a part whose INTx is broken: shown without */
	bool virq_disabled; /* the user's view of the command register disables INTx */

	bool needs_reset; /* closed without a reset that worked */
	uint8_t msi_qmax; /* log2 of the MSI vectors last enabled: what the user may configure */
	struct svf_list ioeventfds; /* struct svf_ioeventfd.link */
	unsigned int ioeventfd_count;
	bool low_power;		      /* DEVICE_FEATURE LOW_POWER_ENTRY is in force */
	struct svf_event *wake_event; /* signalled when an access ends low_power; NULL: none */
};

struct svf_device_file {
	struct svf_file file;	     /* kind SVF_FILE_DEVICE */
	struct svf_list device_link; /* device->files, once access is granted */
	struct svf_device *device;
	struct svf_group *group;  /* opened through it; NULL: cdev */
	struct svf_ictx *iommufd; /* cdev: bound to it, a reference */
	bool access_granted;
};

/*
 * vfio-pci's probe and remove. A PF has no VFs any more at remove. remove: SVF_BLOCKED while files
 * are open (the request interrupt is signalled).
 */
int svf_device_register(struct svf_function *fn, struct svf_call *call) SVF_MUST_CHECK;
int svf_device_unregister(struct svf_function *fn, struct svf_call *call) SVF_MUST_CHECK;

/* vfio-pci's sriov_configure. */
int svf_device_sriov_configure(struct svf_function *fn, struct svf_call *call,
			       unsigned int num) SVF_MUST_CHECK;

/* By minor of its cdev; NULL. */
struct svf_device *svf_device_lookup_minor(struct svf_machine *machine, unsigned int minor);

/*
 * device.c: a file of the device, without access; -ENOMEM, -EMFILE. The device cannot go before it
 * is closed. destroy: of one that was not handed out.
 */
int svf_device_file_alloc(struct svf_device *device, struct svf_call *call,
			  struct svf_device_file **ret) SVF_MUST_CHECK;
void svf_device_file_destroy(struct svf_device_file *df);

/*
 * device.c, for group.c and cdev.c: df, whose group or iommufd is set, uses the device / no longer.
 * The first use claims the IOMMU group's security context and resets and prepares the function, the
 * last one undoes that.
 */
int svf_device_open(struct svf_device_file *df, struct svf_call *call) SVF_MUST_CHECK;
void svf_device_close(struct svf_device_file *df);

/* What the close of a device file does beyond its memory, for each of its two origins. */
void svf_group_close_device(struct svf_device_file *df);
void svf_cdev_close_device(struct svf_device_file *df);

/* cdev.c: ATTACH and DETACH without PASID, also for group.c's compatibility mode. */
int svf_device_attach_pt(struct svf_device *device, struct svf_call *call,
			 uint32_t *pt_id) SVF_MUST_CHECK;
void svf_device_detach_pt(struct svf_device *device);

/*
 * The device behind a file of kind SVF_FILE_DEVICE, for commands and accesses: ends its low-power
 * state, as every access of a user does.
 */
struct svf_device *svf_device_of_file(struct svf_file *file);

/* power.c: clients' mappings of BARs answer, or not, as the function decodes memory now. */
void svf_device_follow_memory(struct svf_device *device);

/* irqs.c: an uncorrectable error was reported by the function. */
void svf_device_report_error(struct svf_function *fn);

/* What the first pages of a mapping show, as far as they are alike. */
struct svf_device_map {
	const struct svf_ram *ram; /* borrowed; NULL: each access is made by read or write */
	uint64_t offset;	   /* in ram, bytes */
	uint64_t length;	   /* bytes, up to that of the mapping */
	bool loads_only;	   /* of ram: stores are made by write */
};

/*
 * mmap.c: what a mapping of [offset, offset + length) of the device file shows. -EINVAL when it cannot be mapped,
 * all of it.
 */
int svf_device_mmap(struct svf_file *file, struct svf_call *call, uint64_t offset, uint64_t length,
		    bool shared, struct svf_device_map *ret) SVF_MUST_CHECK;

/*
 * match.c: a match string "0000:01:10.0 vf_token=UUID" against the device. Return: 1 it is this
 * device and the token is in order; 0 another device; -EINVAL, -EACCES.
 */
int svf_device_match(struct svf_device *device, struct svf_call *call,
		     const char *text) SVF_MUST_CHECK;

/*
 * token.c: whether a user who gave this token (NULL: none) may open the device; sets a PF's token
 * where the rules say so. Return: 0, -EINVAL, -EACCES.
 */
int svf_vf_token_check(struct svf_device *device, struct svf_call *call,
		       const struct svf_uuid *token) SVF_MUST_CHECK;

#endif
