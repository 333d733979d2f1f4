/* SPDX-License-Identifier: BSD-3-Clause */
/* Carrying out a decoded instruction on the state that a signal handler was given. */
#ifndef SVF_PRELOAD_EXECUTE_H
#define SVF_PRELOAD_EXECUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "preload/decode.h"
#include "preload/memory.h"

/*
 * Registers, flags and memory become what they are after the instruction, the instruction pointer
 * included. A repeated string instruction is carried out whole. Return: 0, or a signal's number: the
 * state is then that before the instruction, or for a string before the element that failed.
 */
int svf_execute(const struct svf_insn *insn, ucontext_t *context, const struct svf_memory *memory,
		uint64_t *ret_fault);

/* vector.c: the bits of mask register k. False: the processor has none. */
bool svf_vector_mask(const ucontext_t *context, unsigned int k, uint64_t *ret);
/* vector.c: bytes [at, at + len) of a vector register, len up to 64; upper: those above become 0. */
bool svf_vector_read(const ucontext_t *context, int reg, unsigned int at, void *dst, size_t len);
bool svf_vector_write(ucontext_t *context, int reg, unsigned int at, const void *src, size_t len,
		      bool zero_upper);

#endif
