/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An instruction that accesses memory, reduced to what carrying it out needs. Known are those that
 * compilers and C libraries use on device memory: moves of all widths, sign and zero extension,
 * arithmetic, logic, shifts and bit tests with a memory operand, conditional moves, the exchanging ones,
 * string moves, and vector loads and stores, masked ones too.
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
	SVF_INSN_SELECT,       /* register = condition ? memory : register */
	SVF_INSN_SET,	       /* memory = condition */
	SVF_INSN_EXCHANGE,
	SVF_INSN_EXCHANGE_ADD,
	SVF_INSN_COMPARE_EXCHANGE,
	SVF_INSN_STRING_MOVE,  /* MOVS */
	SVF_INSN_STRING_STORE, /* STOS */
	SVF_INSN_STRING_LOAD,  /* LODS */
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
	SVF_ALU_SHL, /* from here to RCR: by a count */
	SVF_ALU_SHR,
	SVF_ALU_SAR,
	SVF_ALU_ROL,
	SVF_ALU_ROR,
	SVF_ALU_RCL,
	SVF_ALU_RCR,
	SVF_ALU_BT, /* from here on: not of bytes; without a result */
	SVF_ALU_BTS,
	SVF_ALU_BTR,
	SVF_ALU_BTC,
	SVF_ALU_IMUL,
};

#define SVF_REG_NONE (-1)
#define SVF_REG_RIP  (-2)

struct svf_insn {
	enum svf_insn_kind kind;
	enum svf_alu alu;
	uint8_t condition; /* of SELECT and SET; see alu.h */
	uint8_t length;	   /* of the encoding, bytes */
	uint8_t size;	   /* of the memory operand, or of one element of a string, bytes */

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
	bool swap;	  /* LOAD, STORE: the bytes come in the other order */
	bool bit_string;  /* ALU_MEMORY: reg is the number of a bit, counted from the operand on */

	bool locked;	   /* no other locked one may come in between */
	bool repeat;	   /* a string instruction with REP */
	bool zero_upper;   /* VECTOR_LOAD: clears the register above what it loads, to its end */
	bool direct;	   /* a direct store, which not every processor has */
	uint8_t vector_at; /* VECTOR_*: first byte of the register */
	bool half;	   /* VECTOR_LOAD: the other half of the lower 16 bytes stays */
	uint8_t mask;	   /* VECTOR_*: mask register whose bits choose elements; 0: all */
	uint8_t element;   /* with a mask: bytes of an element */
	bool zero_masked;  /* VECTOR_LOAD with a mask: the other elements become zero */
};

/* code: SVF_INSN_MAX bytes, or as many as can be read. Return: whether it is known. */
bool svf_decode(const uint8_t *code, size_t len, struct svf_insn *ret);

/*
 * What a person calls the instruction, known or not, which lies at an address. Return: how many of its bytes
 * belong to it; all, where they are none.
 */
size_t svf_decode_text(const uint8_t *code, size_t len, uint64_t address, char *buf, size_t size);

#endif
