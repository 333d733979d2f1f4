/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions on memory, carried out piece by piece: address, read, compute, write, registers,
 * flags, instruction pointer. See execute.h.
 *
 * Memory comes before registers, so that an access which fails leaves the registers alone.
 * Arithmetic is done by the same instruction of the processor, on a register, which also makes the
 * flags. A locked instruction is not atomic: nobody but the device is at the other end.
 */
#include "preload/execute.h"

#include <asm/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* CF, PF, AF, ZF, SF, OF */
#define ARITHMETIC_FLAGS 0x8d5ull
#define DIRECTION_FLAG	 0x400ull
/* A copy of a string goes through a buffer of this size. */
#define CHUNK 512u

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* --- registers --- */

static greg_t *general(ucontext_t *context, int reg)
{
	static const unsigned char place[16] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
		REG_R8,	 REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};

	return &context->uc_mcontext.gregs[place[reg]];
}

static uint64_t read_register(ucontext_t *context, const struct svf_insn *insn)
{
	uint64_t value = (uint64_t)*general(context, insn->reg);

	return insn->high ? value >> 8 : value;
}

/* Writing 32 bits clears the upper half; 8 and 16 leave the rest. */
static void write_register(ucontext_t *context, const struct svf_insn *insn, uint64_t value)
{
	uint8_t *at = (uint8_t *)general(context, insn->reg);

	if (insn->reg_size == 4)
		value = (uint32_t)value;
	memcpy(at + insn->high, &value, insn->reg_size < 4 ? insn->reg_size : 8);
}

static uint64_t segment_base(char segment)
{
	unsigned long base = 0;

	if (segment)
		syscall(SYS_arch_prctl, segment == 'f' ? ARCH_GET_FS : ARCH_GET_GS, &base);
	return base;
}

static uint64_t operand_address(const struct svf_insn *insn, ucontext_t *context)
{
	uint64_t address = (uint64_t)insn->displacement;

	if (insn->base == SVF_REG_RIP)
		address += (uint64_t)context->uc_mcontext.gregs[REG_RIP] + insn->length;
	else if (insn->base != SVF_REG_NONE)
		address += (uint64_t)*general(context, insn->base);
	if (insn->index != SVF_REG_NONE)
		address += (uint64_t)*general(context, insn->index) * insn->scale;
	if (insn->address32)
		address = (uint32_t)address;
	return address + segment_base(insn->segment);
}

static uint64_t extend(uint64_t value, unsigned int size, bool sign)
{
	unsigned int unused = 64 - 8 * size;

	value <<= unused;
	return sign ? (uint64_t)((int64_t)value >> unused) : value >> unused;
}

static uint64_t source(const struct svf_insn *insn, ucontext_t *context)
{
	return insn->has_immediate ? (uint64_t)insn->immediate : read_register(context, insn);
}

/* --- arithmetic --- */

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

/* *value op= operand. Return: the flags, of which the arithmetic ones count. */
static uint64_t compute(enum svf_alu alu, unsigned int size, uint64_t *value, uint64_t operand,
			uint64_t flags)
{
	flags &= ARITHMETIC_FLAGS;
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
	}
	return flags & ARITHMETIC_FLAGS;
}

static bool has_result(enum svf_alu alu)
{
	return alu != SVF_ALU_CMP && alu != SVF_ALU_TEST;
}

static void set_flags(ucontext_t *context, uint64_t flags)
{
	greg_t *at = &context->uc_mcontext.gregs[REG_EFL];

	*at = (greg_t)(((uint64_t)*at & ~ARITHMETIC_FLAGS) | flags);
}

/* --- instructions --- */

static int execute_alu(const struct svf_insn *insn, ucontext_t *context,
		       const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t address = operand_address(insn, context), in_memory = 0, value, operand, flags;
	bool to_memory = insn->kind == SVF_INSN_ALU_MEMORY;
	bool has_source = insn->has_immediate || insn->reg != SVF_REG_NONE;
	int err = memory->read(address, &in_memory, insn->size, ret_fault);

	if (err)
		return err;
	value = to_memory ? in_memory : read_register(context, insn);
	operand = !to_memory ? in_memory : has_source ? source(insn, context) : 0;
	flags = compute(insn->alu, insn->size, &value, operand,
			(uint64_t)context->uc_mcontext.gregs[REG_EFL]);
	if (to_memory && has_result(insn->alu))
		err = memory->write(address, &value, insn->size, ret_fault);
	if (err)
		return err;
	if (!to_memory && has_result(insn->alu))
		write_register(context, insn, value);
	set_flags(context, flags);
	return 0;
}

static int execute_move(const struct svf_insn *insn, ucontext_t *context,
			const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t address = operand_address(insn, context), value = 0;
	int err;

	if (insn->kind == SVF_INSN_STORE) {
		value = source(insn, context);
		return memory->write(address, &value, insn->size, ret_fault);
	}
	err = memory->read(address, &value, insn->size, ret_fault);
	if (!err)
		write_register(context, insn, extend(value, insn->size, insn->sign));
	return err;
}

static int execute_exchange(const struct svf_insn *insn, ucontext_t *context,
			    const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t address = operand_address(insn, context), old = 0;
	uint64_t value = read_register(context, insn);
	int err = memory->read(address, &old, insn->size, ret_fault);

	if (!err)
		err = memory->write(address, &value, insn->size, ret_fault);
	if (!err)
		write_register(context, insn, old);
	return err;
}

static int execute_block(const struct svf_insn *insn, ucontext_t *context,
			 const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t to = (uint64_t)*general(context, insn->reg);
	uint8_t block[64];
	int err = memory->read(operand_address(insn, context), block, sizeof(block), ret_fault);

	if (insn->address32)
		to = (uint32_t)to;
	return err ? err : memory->write(to, block, sizeof(block), ret_fault);
}

static int execute_vector(const struct svf_insn *insn, ucontext_t *context,
			  const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t address = operand_address(insn, context);
	bool load = insn->kind == SVF_INSN_VECTOR_LOAD;
	/* Scalar loads of the old encoding clear the rest of the lower 16 bytes, but for halves. */
	size_t whole =
		insn->reg_size == 16 && insn->size < 16 && !insn->zero_upper ? 16 : insn->size;
	uint8_t bytes[64] = {0};
	int err;

	if (insn->reg_size <
	    16) { /* MOVD and MOVQ between memory and a general register do not exist */
		*ret_fault = address;
		return SIGILL;
	}
	if (!load) {
		if (!svf_vector_read(context, insn->reg, insn->vector_at, bytes, insn->size))
			return SIGILL;
		return memory->write(address, bytes, insn->size, ret_fault);
	}
	err = memory->read(address, bytes, insn->size, ret_fault);
	if (err)
		return err;
	if (insn->half)
		whole = insn->size;
	return svf_vector_write(context, insn->reg, insn->vector_at, bytes, whole, insn->zero_upper)
		       ? 0
		       : SIGILL;
}

/*
 * A run of elements that lie in ascending order, as much as fits the buffer; one element when they
 * descend or, for a move, when what is written may be read again.
 */
static uint64_t run_length(const struct svf_insn *insn, uint64_t count, uint64_t from, uint64_t to,
			   bool down)
{
	uint64_t most = CHUNK / insn->size;

	if (down || (insn->kind == SVF_INSN_STRING_MOVE && to - from < CHUNK))
		most = 1;
	return count < most ? count : most;
}

static int execute_string(const struct svf_insn *insn, ucontext_t *context,
			  const struct svf_memory *memory, uint64_t *ret_fault)
{
	greg_t *rsi = general(context, RSI), *rdi = general(context, RDI),
	       *rcx = general(context, RCX);
	bool down = (uint64_t)context->uc_mcontext.gregs[REG_EFL] & DIRECTION_FLAG;
	bool move = insn->kind == SVF_INSN_STRING_MOVE;
	uint64_t left = insn->repeat ? (uint64_t)*rcx : 1;
	uint8_t buffer[CHUNK];

	while (left) {
		uint64_t n = run_length(insn, left, (uint64_t)*rsi, (uint64_t)*rdi, down);
		int64_t step = (int64_t)(n * insn->size) * (down ? -1 : 1);
		int err = 0;

		if (move)
			err = memory->read((uint64_t)*rsi, buffer, n * insn->size, ret_fault);
		else
			for (uint64_t i = 0; i < n; i++)
				memcpy(buffer + i * insn->size, general(context, RAX), insn->size);
		if (!err)
			err = memory->write((uint64_t)*rdi, buffer, n * insn->size, ret_fault);
		if (err)
			return err;
		if (move)
			*rsi += step;
		*rdi += step;
		left -= n;
		if (insn->repeat)
			*rcx = (greg_t)left;
	}
	return 0;
}

int svf_execute(const struct svf_insn *insn, ucontext_t *context, const struct svf_memory *memory,
		uint64_t *ret_fault)
{
	static int (*const execute[])(const struct svf_insn *, ucontext_t *,
				      const struct svf_memory *, uint64_t *) = {
		[SVF_INSN_LOAD] = execute_move,		  [SVF_INSN_STORE] = execute_move,
		[SVF_INSN_ALU_MEMORY] = execute_alu,	  [SVF_INSN_ALU_REGISTER] = execute_alu,
		[SVF_INSN_EXCHANGE] = execute_exchange,	  [SVF_INSN_STRING_MOVE] = execute_string,
		[SVF_INSN_STRING_STORE] = execute_string, [SVF_INSN_BLOCK] = execute_block,
		[SVF_INSN_VECTOR_LOAD] = execute_vector,  [SVF_INSN_VECTOR_STORE] = execute_vector,
	};
	int err = execute[insn->kind](insn, context, memory, ret_fault);

	if (!err)
		context->uc_mcontext.gregs[REG_RIP] += insn->length;
	return err;
}
