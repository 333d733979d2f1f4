/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host drivers and what the driver core does with them: matching by dynamic and static ids and
 * driver_override, probe on creation, bind and unbind by sysfs.
 *
 * Only vfio-pci does something with a function (it makes it a VFIO device). The others are
 * placeholders: they are there to be bound, to own the function's DMA and to keep a group from
 * being viable, as a real igb or nvme driver would.
 */
#ifndef SVF_CORE_PCI_DRIVER_H
#define SVF_CORE_PCI_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/call.h"

struct svf_function;
struct svf_machine;

/* SVF_ID_ANY in vendor, device, subvendor or subdevice matches everything. */
#define SVF_ID_ANY 0xffffffffu

struct svf_pci_id {
	struct svf_list link;
	uint32_t vendor, device, subvendor, subdevice, class_code, class_mask;
	bool dynamic; /* from new_id: remove_id may take it away */
};

struct svf_driver {
	struct svf_list link; /* machine->drivers */
	const char *name;     /* as in /sys/bus/pci/drivers */
	const char *module;   /* as in /sys/module; NULL: built in */
	bool vfio;	      /* makes VFIO devices */
	bool managed_dma;   /* does no DMA of its own (pci-stub, pcieport, vfio-pci): leaves a group
			       viable */
	bool override_only; /* binds only by driver_override or new_id */
	struct svf_list ids; /* struct svf_pci_id.link; static first, then new_id's */
	/*
	 * NULL: takes whatever matches. probe: 0 or a negative errno; -ENODEV and -ENXIO say that
	 * the function is not meant. remove: 0, or SVF_BLOCKED, to be called again.
	 */
	int (*probe)(struct svf_function *fn, struct svf_call *call);
	int (*remove)(struct svf_function *fn, struct svf_call *call);
	unsigned int max_vfs; /* of sriov_totalvfs while bound; 0: as the function says */
	/* sriov_configure: 0 the driver lets VFs be made; its errno otherwise; NULL: -ENOENT. */
	int (*sriov_configure)(struct svf_function *fn, struct svf_call *call, unsigned int num);
};

/*
 * Fills machine->drivers with all host drivers there are / empties it. No function may be bound any
 * more.
 */
int svf_drivers_init(struct svf_machine *machine) SVF_MUST_CHECK;
void svf_drivers_fini(struct svf_machine *machine);

/* Whether the driver would take the function: its driver_override, else the driver's ids. */
bool svf_driver_matches(const struct svf_driver *driver, const struct svf_function *fn);

struct svf_driver *svf_driver_lookup(struct svf_machine *machine, const char *name);

/*
 * The sysfs stores; each takes the text as written, one trailing newline allowed, and answers with
 * the kernel's errno and a reason; SVF_BLOCKED while the function's users must leave first.
 */
int svf_driver_bind(struct svf_driver *driver, struct svf_call *call,
		    const char *text) SVF_MUST_CHECK;
int svf_driver_unbind(struct svf_driver *driver, struct svf_call *call,
		      const char *text) SVF_MUST_CHECK;
int svf_driver_new_id(struct svf_driver *driver, struct svf_call *call,
		      const char *text) SVF_MUST_CHECK;
int svf_driver_remove_id(struct svf_driver *driver, struct svf_call *call,
			 const char *text) SVF_MUST_CHECK;
int svf_drivers_probe(struct svf_machine *machine, struct svf_call *call,
		      const char *text) SVF_MUST_CHECK;
int svf_function_set_driver_override(struct svf_function *fn, struct svf_call *call,
				     const char *text) SVF_MUST_CHECK;

/*
 * Bind this driver, which matches. *ret_fatal: the function's DMA cannot be used, so no other
 * driver may be tried either; false with an error: this driver's probe failed. Return: 0; -EBUSY
 * (bound already, or a user owns the group), -ENODEV, or the probe's errno.
 */
int svf_driver_attach(struct svf_driver *driver, struct svf_function *fn, struct svf_call *call,
		      bool *ret_fatal) SVF_MUST_CHECK;

/*
 * Bind the best driver, as device_attach. Return: 0 (bound or nobody wanted it) or why the probe
 * failed.
 */
int svf_function_probe(struct svf_function *fn, struct svf_call *call) SVF_MUST_CHECK;
/* As device_release_driver. 0, SVF_BLOCKED. A function without a driver: 0. */
int svf_function_release_driver(struct svf_function *fn, struct svf_call *call) SVF_MUST_CHECK;

#endif
