/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capabilities in a function's config space: adding them while it is built, and knowing which of
 * their bits software may write.
 */
#ifndef SVF_CORE_PCI_CAPS_H
#define SVF_CORE_PCI_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct svf_function;

/*
 * Appends a capability of len bytes (header included) to the list; the bytes behind its header are
 * zero. Return: its offset, or 0 when config space is full.
 */
unsigned int svf_caps_add(struct svf_function *fn, uint8_t id, unsigned int len) SVF_MUST_CHECK;
unsigned int svf_caps_add_ext(struct svf_function *fn, uint16_t id, unsigned int version,
			      unsigned int len) SVF_MUST_CHECK;

/*
 * A register of known layout. wmask: bits software may change; w1c: bits that a written one clears.
 * lost: a reset loses it even when the kernel saves and restores config space around the reset.
 */
struct svf_reg {
	uint16_t offset; /* from the start of config space once handed to a visitor */
	uint8_t size;	 /* bytes: 1, 2 or 4 */
	uint32_t wmask, w1c;
	bool lost;
};

/* Calls visit for each register of known layout in the header and in every capability present. */
void svf_caps_for_each_reg(struct svf_function *fn,
			   void (*visit)(struct svf_function *fn, const struct svf_reg *reg,
					 void *arg),
			   void *arg);

/*
 * Fills in what follows from the finished config space: masks, offsets of capabilities, kind of
 * port, ways to reset by itself.
 */
void svf_caps_scan(struct svf_function *fn);

#endif
