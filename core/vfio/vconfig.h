/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtualised config space: what the user of a device file sees and may write, on top of the
 * physical one. See vconfig.c for the theory and vconfig_perm.c for the rules.
 */
#ifndef SVF_CORE_VFIO_VCONFIG_H
#define SVF_CORE_VFIO_VCONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "core/call.h"

struct svf_device;
struct svf_function;

/*
 * A register of a capability: which of its bits are the user's own copy, and which the user may
 * write.
 */
struct svf_vreg {
	uint16_t offset; /* from the start of the capability */
	uint8_t size;	 /* bytes: 1, 2 or 4 */
	uint32_t virt;	 /* read from and written to the copy; the others reach the function */
	uint32_t write;
};

/* What else a write to a capability does. */
enum svf_veffect {
	SVF_VEFFECT_NONE,
	SVF_VEFFECT_PM,	 /* power state */
	SVF_VEFFECT_MSI, /* enable and queue size, bounded */
	SVF_VEFFECT_VPD, /* the data behind the address register */
	SVF_VEFFECT_EXP, /* FLR, read request size */
	SVF_VEFFECT_AF,	 /* FLR */
};

struct svf_vrule {
	uint8_t id;
	uint16_t length; /* bytes, 0: length_of() says it */
	bool writable;	 /* all of it may be written, and goes to the function */
	enum svf_veffect effect;
	const struct svf_vreg *regs;
	unsigned int nregs;
	/*
	 * Bytes, of the capability at an offset of the physical config space; 0: it stays hidden.
	 */
	unsigned int (*length_of)(const struct svf_function *fn, unsigned int at);
	/* Instead of regs, where they depend on the capability. */
	const struct svf_vreg *(*regs_of)(const struct svf_function *fn, unsigned int at,
					  unsigned int *ret_count);
};

/* The header, offsets 0 to 63. */
extern const struct svf_vrule svf_vrule_header;
/* The rule of a capability, or NULL: users do not see it. */
const struct svf_vrule *svf_vrule_cap(uint8_t id);
const struct svf_vrule *svf_vrule_ext_cap(uint16_t id);

/* A part of config space with one meaning. Accesses are cut at its ends. */
struct svf_vcap {
	const struct svf_vrule *rule; /* NULL: the place of a hidden first extended capability */
	uint16_t first;
};

#define SVF_VCONFIG_CAPS   250 /* an owner fits a byte; more capabilities than that are not shown */
#define SVF_VCONFIG_NOBODY 0xff

struct svf_vconfig {
	unsigned int size; /* of config space, bytes */
	unsigned int ncaps;
	struct svf_vcap caps[SVF_VCONFIG_CAPS]; /* [0]: the header */
	uint32_t physical_bars[7];		/* as they were at open; the last is the ROM's */
	uint16_t read_request; /* PCIe: the user's read request size, as in the register */
	bool bars_dirty;       /* written since the copies were last made to look like BARs */
	/* Four planes of size bytes behind the structure. */
	uint8_t *value;	       /* the user's own copy */
	uint8_t *virt, *write; /* bits, see struct svf_vreg */
	uint8_t *owner;	       /* index into caps, or SVF_VCONFIG_NOBODY */
};

/*
 * For a device whose function has been enabled; sees its physical config space. NULL: out of
 * memory.
 */
struct svf_vconfig *svf_vconfig_alloc(struct svf_device *device);
void svf_vconfig_destroy(struct svf_vconfig *vconfig);

/* Any length and alignment. Return: len, or -EFAULT when it passes the end. */
ssize_t svf_vconfig_read(struct svf_device *device, struct svf_call *call, void *buf, size_t len,
			 uint64_t offset);
ssize_t svf_vconfig_write(struct svf_device *device, struct svf_call *call, const void *buf,
			  size_t len, uint64_t offset);

/* The user's command register, of which memory enable and INTx disable matter elsewhere. */
uint16_t svf_vconfig_command(const struct svf_vconfig *vconfig);

/*
 * vconfig_write.c: what a write of len bytes (1, 2 or 4, aligned, within one capability) does
 * beyond the bits.
 */
void svf_vconfig_before_write(struct svf_device *device, unsigned int pos, uint32_t value);
void svf_vconfig_after_write(struct svf_device *device, const struct svf_vcap *cap,
			     unsigned int pos, unsigned int len, uint32_t value);

#endif
