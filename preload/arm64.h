/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads and stores of AArch64: those of one register or a pair, general or vector, with all ways to address memory,
 * and the ordered ones (LDAR, STLR). What reads and writes at once, exclusives and atomics, makes no sense on a device.
 *
 * The rest of the preload knows x86-64 alone; this part is built and tested by itself.
 */
#ifndef SVF_PRELOAD_ARM64_H
#define SVF_PRELOAD_ARM64_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/memory.h"

#define SVF_ARM64_NONE (-1)

struct svf_arm64_insn {
	bool load, vector;
	bool sign;	       /* a load extends the sign, */
	bool wide;	       /* to 64 bits rather than 32 */
	uint8_t size;	       /* of each register in memory: 1, 2, 4, 8; of vectors 16 too */
	int8_t reg, reg2;      /* 31: zero, where general; reg2 or SVF_ARM64_NONE: no pair */
	int8_t base;	       /* 31: the stack pointer; SVF_ARM64_NONE: the program counter */
	int8_t index;	       /* or SVF_ARM64_NONE */
	uint8_t extend, shift; /* of the index: as encoded (2 UXTW, 3 LSL, 6 SXTW, 7 SXTX), bits */
	int64_t offset;
	bool before,
		writeback; /* the offset counts for the access; the base becomes base + offset */
};

/* Registers as a signal handler is given them. */
struct svf_arm64_state {
	uint64_t *general; /* 31 */
	uint64_t *sp, *pc;
	void *vectors; /* 32 of 16 bytes */
};

/* Return: whether it is known. */
bool svf_arm64_decode(uint32_t code, struct svf_arm64_insn *ret);

/* As svf_execute(). */
int svf_arm64_execute(const struct svf_arm64_insn *insn, const struct svf_arm64_state *state,
		      const struct svf_memory *memory, uint64_t *ret_fault);

#endif
