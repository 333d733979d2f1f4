/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the vfio-pci driver share among themselves; nobody else includes this. The
 * objects are in device.h, group.h and vconfig.h.
 */
#ifndef SVF_CORE_VFIO_VFIO_PCI_H
#define SVF_CORE_VFIO_VFIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "core/call.h"
#include "core/machine.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"

/* A kernel message about a function, as the driver's own begin: "vfio-pci 0000:01:00.0: ...". */
#define svf_device_log(fn, fmt, ...)                                                               \
	svf_log((fn)->machine, "vfio-pci " SVF_BDF_FMT ": " fmt, SVF_BDF_ARG((fn)->bdf),           \
		##__VA_ARGS__)

/* An offset in a device file: the region's index above, the offset in the region below. */
#define SVF_REGION_SHIFT 40
#define SVF_REGION_MASK	 ((1ull << SVF_REGION_SHIFT) - 1)

/* device.c: counts an open file of any kind, -EMFILE when there are too many. */
int svf_file_charge(struct svf_machine *machine, struct svf_call *call) SVF_MUST_CHECK;
void svf_file_uncharge(struct svf_machine *machine);

/*
 * power.c. Setting a state, 0 (D0) to 3 (D3hot), that the function does not have, or one that may
 * not be reached from here, changes nothing, as the kernel ignores it.
 */
void svf_device_set_power_state(struct svf_device *device, unsigned int state);
/* Whether the user's accesses to memory BARs reach the function; otherwise they are -EIO. */
bool svf_device_memory_enabled(const struct svf_device *device);
/* An access of the user: ends the low-power state that has a wake-up event, and signals that. */
void svf_device_low_power_wake(struct svf_device *device);
void svf_device_low_power_exit(struct svf_device *device);
int svf_device_low_power_entry(struct svf_device *device, struct svf_call *call,
			       struct svf_event *wake_event) SVF_MUST_CHECK;

/* power.c: what software may write of the first 256 bytes of config space, to be put back later. */
struct svf_saved_state *svf_state_save(const struct svf_function *fn); /* NULL: out of memory */
void svf_state_restore(struct svf_function *fn, const struct svf_saved_state *state);
void svf_state_destroy(struct svf_saved_state *state);

/* The bits of the physical command register in mask become those of value. */
void svf_device_set_command(struct svf_function *fn, uint16_t mask, uint16_t value);

/* reset.c: of the function in use, state kept. -EAGAIN while its driver is being taken away. */
int svf_device_try_reset(struct svf_device *device, struct svf_call *call) SVF_MUST_CHECK;
/* At the last close of a function that cannot be reset alone: its bus, when nobody else is on it.
 */
void svf_device_try_bus_reset(struct svf_device *device);

/* regions.c: of files of kind SVF_FILE_DEVICE. */
ssize_t svf_device_read(struct svf_file *file, struct svf_call *call, void *buf, size_t len,
			uint64_t offset);
ssize_t svf_device_write(struct svf_file *file, struct svf_call *call, const void *buf, size_t len,
			 uint64_t offset);

/*
 * regions.c: the part of a BAR that holds the MSI-X table, as [*ret_first, *ret_end). False when it
 * holds none.
 */
bool svf_device_msix_table(const struct svf_function *fn, unsigned int bar, uint64_t *ret_first,
			   uint64_t *ret_end);
/*
 * mmap.c: the first part of a BAR at or behind offset, where a part ends or 0, that the caller can map. Return: whether
 * there is one. For callers whose mmap works.
 */
struct svf_bar;
struct vfio_region_sparse_mmap_area;
bool svf_device_mmap_area(const struct svf_bar *bar, const struct svf_call *call, uint64_t offset,
			  struct vfio_region_sparse_mmap_area *ret);
/* regions.c: width bytes to a place of a BAR, 0 to 5; dropped while it does not answer. */
void svf_device_write_bar(struct svf_device *device, unsigned int bar, uint64_t pos,
			  const uint8_t *data, unsigned int width);

/* ioeventfd.c: ends them all. */
void svf_ioeventfds_destroy(struct svf_device *device);

/* irqs.c */
#define SVF_MSIX_MAX_VECTORS 2048u

struct svf_irqs {
	unsigned int type; /* VFIO_PCI_{INTX,MSI,MSIX}_IRQ_INDEX in use, VFIO_PCI_NUM_IRQS: none */
	unsigned int
		allocated; /* MSI: vectors that exist since it was enabled; MSI-X may grow later */
	unsigned int size; /* of vectors: all the function has */
	struct svf_event *
		*vectors; /* events of MSI and MSI-X vectors, NULL: not signalled anywhere */
	bool *made;	  /* MSI-X: vectors that are allocated */
	struct svf_event *intx;
	struct svf_event_watch *unmask; /* of INTx, by an eventfd of the user's; NULL: none */
	bool intx_masked;
	struct svf_event *err, *req;
};

struct svf_irqs *svf_irqs_alloc(void); /* NULL: out of memory */
/* *slot becomes another event, or NULL, with a reference of its own. */
void svf_irqs_set_event(struct svf_device *device, struct svf_event **slot,
			struct svf_event *event);
/* Of MSI or MSI-X while it is enabled; event may be NULL. */
void svf_irqs_set_vector(struct svf_device *device, unsigned int vector, struct svf_event *event);
/*
 * Only while none of INTx, MSI and MSI-X is in use. event may be NULL. vectors: 1 up to what there
 * are.
 */
void svf_irqs_enable_intx(struct svf_device *device, struct svf_event *event);
int svf_irqs_enable_messages(struct svf_device *device, struct svf_call *call, bool msix,
			     unsigned int vectors) SVF_MUST_CHECK;
void svf_irqs_mask_intx(struct svf_device *device);
void svf_irqs_unmask_intx(struct svf_device *device);
/* INTx is unmasked whenever the user signals event, until it is disabled. -EBUSY when one does
 * that. */
int svf_irqs_watch_unmask(struct svf_device *device, struct svf_call *call,
			  struct svf_event *event) SVF_MUST_CHECK;
void svf_irqs_unwatch_unmask(struct svf_device *device);
void svf_irqs_signal_intx(struct svf_device *device);
/* Takes back the delivery in use. */
void svf_irqs_disable(struct svf_device *device);
/* Disables, drops the events of ERR and REQ, frees. */
void svf_irqs_destroy(struct svf_device *device);
/* Interrupts of an index that the device has: what GET_IRQ_INFO counts. */
unsigned int svf_irqs_count(const struct svf_device *device, unsigned int index);
/* The user's INTx disable bit changed. */
void svf_irqs_intx_follow(struct svf_device *device, bool disable);
/* False when no request event is set. */
bool svf_irqs_signal_request(struct svf_device *device);

#endif
