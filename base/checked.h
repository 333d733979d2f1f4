/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checked arithmetic at the edge where a client's start and length become first and last.
 * Inside, ranges are inclusive, so that the last byte of the address space needs no special case.
 */
#ifndef SVF_BASE_CHECKED_H
#define SVF_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* False when start + length - 1 passes 2^64 or length is 0. */
static inline SVF_MUST_CHECK bool svf_range_last(uint64_t start, uint64_t length,
						 uint64_t *ret_last)
{
	return length && !__builtin_add_overflow(start, length - 1, ret_last);
}

static inline bool svf_is_aligned(uint64_t value, uint64_t power_of_two)
{
	return (value & (power_of_two - 1)) == 0;
}

static inline bool svf_is_power_of_two(uint64_t value)
{
	return value && (value & (value - 1)) == 0;
}

#endif
