/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An instruction that accesses memory, reduced to what carrying it out needs. Known are those that
 * compilers and C libraries use on device memory: moves of all widths, sign and zero extension,
 * arithmetic and logic with a memory operand, XCHG, string moves, and vector loads and stores.
 */
#ifndef SVF_PRELOAD_DECODE_H
#define SVF_PRELOAD_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SVF_INSN_MAX 15u /* bytes of the longest instruction */

enum svf_insn_kind {
	SVF_INSN_LOAD,	       /* register = memory, extended as `sign` says */
	SVF_INSN_STORE,	       /* memory = register or immediate */
	SVF_INSN_ALU_MEMORY,   /* memory = memory op source */
	SVF_INSN_ALU_REGISTER, /* register = register op memory */
	SVF_INSN_EXCHANGE,
	SVF_INSN_STRING_MOVE,  /* MOVS */
	SVF_INSN_STRING_STORE, /* STOS */
	SVF_INSN_BLOCK,	       /* 64 bytes from the memory operand to the address in a register */
	SVF_INSN_VECTOR_LOAD,
	SVF_INSN_VECTOR_STORE,
};

enum svf_alu {
	SVF_ALU_ADD,
	SVF_ALU_OR,
	SVF_ALU_ADC,
	SVF_ALU_SBB,
	SVF_ALU_AND,
	SVF_ALU_SUB,
	SVF_ALU_XOR,
	SVF_ALU_CMP,  /* as SUB, without a result */
	SVF_ALU_TEST, /* as AND, without a result */
	SVF_ALU_INC,
	SVF_ALU_DEC,
	SVF_ALU_NEG,
	SVF_ALU_NOT,
};

#define SVF_REG_NONE (-1)
#define SVF_REG_RIP  (-2)

struct svf_insn {
	enum svf_insn_kind kind;
	enum svf_alu alu;
	uint8_t length; /* of the encoding, bytes */
	uint8_t size;	/* of the memory operand, or of one element of a string, bytes */

	/* The memory operand. Registers are numbered as the encoding does: 0 RAX, 1 RCX, ... 15 R15. */
	int8_t base, index; /* or SVF_REG_NONE; base: or SVF_REG_RIP */
	uint8_t scale;
	char segment; /* 'f', 'g', or 0 */
	bool address32;
	int64_t displacement;

	/* The other operand. */
	bool has_immediate;
	int64_t immediate;
	int8_t reg;	  /* general or vector register */
	uint8_t reg_size; /* bytes */
	bool high;	  /* AH, CH, DH, BH: reg is 0 to 3 */
	bool sign;	  /* LOAD: sign-extend */

	bool repeat;	   /* a string instruction with REP */
	bool zero_upper;   /* VECTOR_LOAD: clears the register above what it loads, to its end */
	bool direct;	   /* a direct store, which not every processor has */
	uint8_t vector_at; /* VECTOR_*: first byte of the register */
	bool half;	   /* VECTOR_LOAD: the other half of the lower 16 bytes stays */
};

/*
 * code: SVF_INSN_MAX bytes, or as many as can be read. ret_name: what to call an unknown one, never
 * NULL. Return: whether it is known.
 */
bool svf_decode(const uint8_t *code, size_t len, struct svf_insn *ret, const char **ret_name);

#endif
