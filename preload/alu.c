/* SPDX-License-Identifier: BSD-3-Clause */
/* Arithmetic, done by the instruction of the same name on a register, which makes the flags, too. See alu.h. */
#include "preload/alu.h"

#include <stdint.h>

/* CF, PF, AF, ZF, SF, OF */
#define ARITHMETIC_FLAGS 0x8d5ull

/* The stack below is the caller's red zone: step over it. */
#define BINARY(instruction, type)                                                                  \
	do {                                                                                       \
		type d = (type)*value, s = (type)operand;                                          \
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"                                      \
				 "push %[f]\n\tpopf\n\t" instruction " %[s], %[d]\n\t"             \
				 "pushf\n\tpop %[f]\n\t"                                           \
				 "lea 128(%%rsp), %%rsp"                                           \
				 : [d] "+r"(d), [f] "+r"(flags)                                    \
				 : [s] "r"(s)                                                      \
				 : "cc", "memory");                                                \
		*value = d;                                                                        \
	} while (0)

#define UNARY(instruction, type)                                                                   \
	do {                                                                                       \
		type d = (type)*value;                                                             \
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"                                      \
				 "push %[f]\n\tpopf\n\t" instruction " %[d]\n\t"                   \
				 "pushf\n\tpop %[f]\n\t"                                           \
				 "lea 128(%%rsp), %%rsp"                                           \
				 : [d] "+r"(d), [f] "+r"(flags)                                    \
				 :                                                                 \
				 : "cc", "memory");                                                \
		*value = d;                                                                        \
	} while (0)

#define BY_SIZE(kind, instruction)                                                                 \
	do {                                                                                       \
		if (size == 1)                                                                     \
			kind(instruction "b", uint8_t);                                            \
		else if (size == 2)                                                                \
			kind(instruction "w", uint16_t);                                           \
		else if (size == 4)                                                                \
			kind(instruction "l", uint32_t);                                           \
		else                                                                               \
			kind(instruction "q", uint64_t);                                           \
	} while (0)

/* Those of one operand or two. */
static uint64_t compute(enum svf_alu alu, unsigned int size, uint64_t *value, uint64_t operand,
			uint64_t flags)
{
	switch (alu) {
	case SVF_ALU_ADD:
		BY_SIZE(BINARY, "add");
		break;
	case SVF_ALU_OR:
		BY_SIZE(BINARY, "or");
		break;
	case SVF_ALU_ADC:
		BY_SIZE(BINARY, "adc");
		break;
	case SVF_ALU_SBB:
		BY_SIZE(BINARY, "sbb");
		break;
	case SVF_ALU_AND:
		BY_SIZE(BINARY, "and");
		break;
	case SVF_ALU_SUB:
		BY_SIZE(BINARY, "sub");
		break;
	case SVF_ALU_XOR:
		BY_SIZE(BINARY, "xor");
		break;
	case SVF_ALU_CMP:
		BY_SIZE(BINARY, "cmp");
		break;
	case SVF_ALU_TEST:
		BY_SIZE(BINARY, "test");
		break;
	case SVF_ALU_INC:
		BY_SIZE(UNARY, "inc");
		break;
	case SVF_ALU_DEC:
		BY_SIZE(UNARY, "dec");
		break;
	case SVF_ALU_NEG:
		BY_SIZE(UNARY, "neg");
		break;
	case SVF_ALU_NOT:
		BY_SIZE(UNARY, "not");
		break;
	default:
		break;
	}
	return flags;
}

/* By a count in CL. */
#define SHIFT(instruction, type)                                                                   \
	do {                                                                                       \
		type d = (type)*value;                                                             \
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"                                      \
				 "push %[f]\n\tpopf\n\t" instruction " %%cl, %[d]\n\t"             \
				 "pushf\n\tpop %[f]\n\t"                                           \
				 "lea 128(%%rsp), %%rsp"                                           \
				 : [d] "+r"(d), [f] "+r"(flags)                                    \
				 : "c"((uint8_t)operand)                                           \
				 : "cc", "memory");                                                \
		*value = d;                                                                        \
	} while (0)

static uint64_t shift(enum svf_alu alu, unsigned int size, uint64_t *value, uint64_t operand,
		      uint64_t flags)
{
	switch (alu) {
	case SVF_ALU_SHL:
		BY_SIZE(SHIFT, "shl");
		break;
	case SVF_ALU_SHR:
		BY_SIZE(SHIFT, "shr");
		break;
	case SVF_ALU_SAR:
		BY_SIZE(SHIFT, "sar");
		break;
	case SVF_ALU_ROL:
		BY_SIZE(SHIFT, "rol");
		break;
	case SVF_ALU_ROR:
		BY_SIZE(SHIFT, "ror");
		break;
	case SVF_ALU_RCL:
		BY_SIZE(SHIFT, "rcl");
		break;
	case SVF_ALU_RCR:
		BY_SIZE(SHIFT, "rcr");
		break;
	default:
		break;
	}
	return flags;
}

/* Those that have no form for bytes. */
#define BY_WORDS(kind, instruction)                                                                \
	do {                                                                                       \
		if (size == 2)                                                                     \
			kind(instruction "w", uint16_t);                                           \
		else if (size == 4)                                                                \
			kind(instruction "l", uint32_t);                                           \
		else                                                                               \
			kind(instruction "q", uint64_t);                                           \
	} while (0)

static uint64_t words(enum svf_alu alu, unsigned int size, uint64_t *value, uint64_t operand,
		      uint64_t flags)
{
	switch (alu) {
	case SVF_ALU_BT:
		BY_WORDS(BINARY, "bt");
		break;
	case SVF_ALU_BTS:
		BY_WORDS(BINARY, "bts");
		break;
	case SVF_ALU_BTR:
		BY_WORDS(BINARY, "btr");
		break;
	case SVF_ALU_BTC:
		BY_WORDS(BINARY, "btc");
		break;
	case SVF_ALU_IMUL:
		BY_WORDS(BINARY, "imul");
		break;
	default:
		break;
	}
	return flags;
}

uint64_t svf_alu_compute(enum svf_alu alu, unsigned int size, uint64_t *value, uint64_t operand,
			 uint64_t flags)
{
	flags &= ARITHMETIC_FLAGS;
	if (alu >= SVF_ALU_BT)
		flags = words(alu, size, value, operand, flags);
	else if (alu >= SVF_ALU_SHL)
		flags = shift(alu, size, value, operand, flags);
	else
		flags = compute(alu, size, value, operand, flags);
	return flags & ARITHMETIC_FLAGS;
}

bool svf_alu_has_result(enum svf_alu alu)
{
	return alu != SVF_ALU_CMP && alu != SVF_ALU_TEST && alu != SVF_ALU_BT;
}

bool svf_alu_condition(unsigned int condition, uint64_t flags)
{
	bool carry = flags & 1, parity = flags & 4, zero = flags & 0x40, sign = flags & 0x80,
	     overflow = flags & 0x800;
	const bool holds[8] = {
		overflow,
		carry,
		zero,
		carry || zero,
		sign,
		parity,
		sign != overflow,
		zero || sign != overflow,
	};

	return holds[condition >> 1 & 7] != (condition & 1);
}
