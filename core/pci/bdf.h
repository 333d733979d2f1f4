/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of PCI functions: domain, bus, device, function. */
#ifndef SVF_CORE_PCI_BDF_H
#define SVF_CORE_PCI_BDF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct svf_bdf {
	uint16_t domain;
	uint8_t bus;
	uint8_t devfn; /* device << 3 | function; with ARI the whole byte is the function */
};

#define SVF_BDF_FMT	  "%04x:%02x:%02x.%x"
#define SVF_BDF_ARG(b)	  (b).domain, (b).bus, (b).devfn >> 3, (b).devfn & 7u
#define SVF_BDF_TEXT_SIZE 16 /* "0000:00:00.0" and its NUL, with room */

static inline uint8_t svf_devfn(unsigned int device, unsigned int function)
{
	return (uint8_t)(device << 3 | function);
}

static inline int svf_bdf_compare(struct svf_bdf a, struct svf_bdf b)
{
	uint32_t x = (uint32_t)a.domain << 16 | (uint32_t)a.bus << 8 | a.devfn;
	uint32_t y = (uint32_t)b.domain << 16 | (uint32_t)b.bus << 8 | b.devfn;

	return x < y ? -1 : x > y;
}

/* Reads "DDDD:BB:dd.f" exactly (nothing may follow). False when it is not one. */
bool svf_bdf_parse(const char *text, struct svf_bdf *ret) SVF_MUST_CHECK;

#endif
