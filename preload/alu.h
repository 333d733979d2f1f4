/* SPDX-License-Identifier: BSD-3-Clause */
/* What the processor computes, and the flags that come of it. */
#ifndef SVF_PRELOAD_ALU_H
#define SVF_PRELOAD_ALU_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/decode.h"

/*
 * *value op= operand, of size bytes; operand is of no account to an operation of one. flags: the
 * register before. Return: the arithmetic flags after it, no others.
 */
uint64_t svf_alu_compute(enum svf_alu alu, unsigned int size, uint64_t *value, uint64_t operand,
			 uint64_t flags);
/* Whether anything but flags comes of it. */
bool svf_alu_has_result(enum svf_alu alu);
/* Whether a condition, numbered 0 (overflow) to 15 (greater) as instructions encode it, holds. */
bool svf_alu_condition(unsigned int condition, uint64_t flags);

#endif
