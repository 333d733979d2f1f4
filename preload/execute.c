/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions on memory, carried out piece by piece: address, read, compute, write, registers,
 * flags, instruction pointer. See execute.h.
 *
 * Memory comes before registers, so that an access which fails leaves the registers alone.
 * What reads and writes is checked for being allowed to write before it reads: a register may act
 * when it is read. A locked instruction is a read and a write to the device, as on a bus; whoever
 * calls svf_execute keeps other locked ones of the process from coming in between.
 */
#include "preload/execute.h"

#include <asm/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/alu.h"

/* CF, PF, AF, ZF, SF, OF */
#define ARITHMETIC_FLAGS 0x8d5ull
#define DIRECTION_FLAG	 0x400ull
/* A copy of a string goes through a buffer of this size, and never over the end of a page at once. */
#define CHUNK 512u
#define PAGE  4096u

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

static uint64_t extend(uint64_t value, unsigned int size, bool sign)
{
	unsigned int unused = 64 - 8 * size;

	value <<= unused;
	return sign ? (uint64_t)((int64_t)value >> unused) : value >> unused;
}

/* Which operand, counted in bytes from the one that is encoded, holds a bit of a string. */
static uint64_t bit_place(const struct svf_insn *insn, uint64_t bit)
{
	unsigned int bits = 8u * insn->size;

	return (uint64_t)((int64_t)extend(bit, insn->size, true) >> __builtin_ctz(bits)) *
	       insn->size;
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
	if (insn->bit_string)
		address += bit_place(insn, (uint64_t)*general(context, insn->reg));
	if (insn->address32)
		address = (uint32_t)address;
	return address + segment_base(insn->segment);
}

static uint64_t source(const struct svf_insn *insn, ucontext_t *context)
{
	return insn->has_immediate ? (uint64_t)insn->immediate : read_register(context, insn);
}

/* --- instructions --- */

static void set_flags(ucontext_t *context, uint64_t flags)
{
	greg_t *at = &context->uc_mcontext.gregs[REG_EFL];

	*at = (greg_t)(((uint64_t)*at & ~ARITHMETIC_FLAGS) | flags);
}

static uint64_t get_flags(const ucontext_t *context)
{
	return (uint64_t)context->uc_mcontext.gregs[REG_EFL];
}

/* What is to be written is read first, which must not happen where it may not be written. */
static int read_to_change(const struct svf_insn *insn, const struct svf_memory *memory,
			  uint64_t address, uint64_t *ret, uint64_t *ret_fault)
{
	int err = memory->check_write(address, insn->size, ret_fault);

	*ret = 0;
	return err ? err : memory->read(address, ret, insn->size, ret_fault);
}

static int execute_alu_memory(const struct svf_insn *insn, ucontext_t *context,
			      const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t address = operand_address(insn, context), value = 0, operand = 0, flags;
	bool writes = svf_alu_has_result(insn->alu);
	int err = writes ? read_to_change(insn, memory, address, &value, ret_fault)
			 : memory->read(address, &value, insn->size, ret_fault);

	if (err)
		return err;
	if (insn->has_immediate || insn->reg != SVF_REG_NONE)
		operand = source(insn, context);
	flags = svf_alu_compute(insn->alu, insn->size, &value, operand, get_flags(context));
	if (writes)
		err = memory->write(address, &value, insn->size, ret_fault);
	if (!err)
		set_flags(context, flags);
	return err;
}

static int execute_alu_register(const struct svf_insn *insn, ucontext_t *context,
				const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t value = read_register(context, insn), operand = 0;
	int err = memory->read(operand_address(insn, context), &operand, insn->size, ret_fault);

	if (err)
		return err;
	set_flags(context,
		  svf_alu_compute(insn->alu, insn->size, &value, operand, get_flags(context)));
	if (svf_alu_has_result(insn->alu))
		write_register(context, insn, value);
	return 0;
}

static int execute_select(const struct svf_insn *insn, ucontext_t *context,
			  const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t value = 0;
	int err = memory->read(operand_address(insn, context), &value, insn->size, ret_fault);

	if (err)
		return err;
	if (!svf_alu_condition(insn->condition, get_flags(context)))
		value = read_register(context, insn);
	write_register(context, insn, value);
	return 0;
}

static int execute_set(const struct svf_insn *insn, ucontext_t *context,
		       const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint8_t value = svf_alu_condition(insn->condition, get_flags(context));

	return memory->write(operand_address(insn, context), &value, 1, ret_fault);
}

/* The bytes of a MOVBE. */
static uint64_t swap(uint64_t value, unsigned int size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

static int execute_move(const struct svf_insn *insn, ucontext_t *context,
			const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t address = operand_address(insn, context), value = 0;
	int err;

	if (insn->kind == SVF_INSN_STORE) {
		value = source(insn, context);
		if (insn->swap)
			value = swap(value, insn->size);
		return memory->write(address, &value, insn->size, ret_fault);
	}
	err = memory->read(address, &value, insn->size, ret_fault);
	if (err)
		return err;
	value = insn->swap ? swap(value, insn->size) : extend(value, insn->size, insn->sign);
	write_register(context, insn, value);
	return 0;
}

static int execute_exchange(const struct svf_insn *insn, ucontext_t *context,
			    const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t address = operand_address(insn, context), old, flags = 0;
	uint64_t value = read_register(context, insn);
	int err = read_to_change(insn, memory, address, &old, ret_fault);

	if (err)
		return err;
	if (insn->kind == SVF_INSN_EXCHANGE_ADD)
		flags = svf_alu_compute(SVF_ALU_ADD, insn->size, &value, old, get_flags(context));
	err = memory->write(address, &value, insn->size, ret_fault);
	if (err)
		return err;
	write_register(context, insn, old);
	if (insn->kind == SVF_INSN_EXCHANGE_ADD)
		set_flags(context, flags);
	return 0;
}

/* When it is not equal the old value is written back, as the processor does. */
static int execute_compare_exchange(const struct svf_insn *insn, ucontext_t *context,
				    const struct svf_memory *memory, uint64_t *ret_fault)
{
	struct svf_insn accumulator = {.reg = RAX, .reg_size = insn->size};
	uint64_t address = operand_address(insn, context), old, expected, flags, value;
	int err = read_to_change(insn, memory, address, &old, ret_fault);
	bool equal;

	if (err)
		return err;
	expected = extend(read_register(context, &accumulator), insn->size, false);
	equal = expected == old;
	flags = svf_alu_compute(SVF_ALU_CMP, insn->size, &expected, old, get_flags(context));
	value = equal ? read_register(context, insn) : old;
	err = memory->write(address, &value, insn->size, ret_fault);
	if (err)
		return err;
	if (!equal)
		write_register(context, &accumulator, old);
	set_flags(context, flags);
	return 0;
}

static int execute_block(const struct svf_insn *insn, ucontext_t *context,
			 const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t to = (uint64_t)*general(context, insn->reg);
	uint8_t block[64];
	int err = memory->read(operand_address(insn, context), block, sizeof(block), ret_fault);

	if (insn->address32)
		to = (uint32_t)to;
	if (!err && to % sizeof(block)) {
		*ret_fault = 0;
		return SIGSEGV;
	}
	return err ? err : memory->write(to, block, sizeof(block), ret_fault);
}

/* Where the first run of chosen elements at or behind *at begins; its length, 0: no more. */
static size_t masked_run(const struct svf_insn *insn, uint64_t mask, size_t *at)
{
	size_t end;

	while (*at < insn->size && !(mask >> (*at / insn->element) & 1))
		*at += insn->element;
	for (end = *at; end < insn->size && mask >> (end / insn->element) & 1;)
		end += insn->element;
	return end - *at;
}

/* Elements that are not chosen are neither read nor written, and cause no fault. */
static int masked_access(const struct svf_insn *insn, uint64_t mask, uint64_t address,
			 uint8_t *bytes, const struct svf_memory *memory, uint64_t *ret_fault)
{
	bool load = insn->kind == SVF_INSN_VECTOR_LOAD;
	size_t at = 0, n;
	int err = 0;

	for (; !err && (n = masked_run(insn, mask, &at)); at += n)
		err = load ? memory->read(address + at, bytes + at, n, ret_fault)
			   : memory->write(address + at, bytes + at, n, ret_fault);
	return err;
}

static int execute_masked(const struct svf_insn *insn, ucontext_t *context,
			  const struct svf_memory *memory, uint64_t *ret_fault)
{
	bool load = insn->kind == SVF_INSN_VECTOR_LOAD;
	uint8_t bytes[64] = {0};
	uint64_t mask;
	int err;

	if (!svf_vector_mask(context, insn->mask, &mask))
		return SIGILL;
	if (!(load && insn->zero_masked) &&
	    !svf_vector_read(context, insn->reg, 0, bytes, insn->size))
		return SIGILL;
	err = masked_access(insn, mask, operand_address(insn, context), bytes, memory, ret_fault);
	if (err || !load)
		return err;
	return svf_vector_write(context, insn->reg, 0, bytes, insn->size, true) ? 0 : SIGILL;
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

	if (insn->mask)
		return execute_masked(insn, context, memory, ret_fault);
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

static uint64_t elements_in_page(uint64_t address, unsigned int size)
{
	return (PAGE - address % PAGE) / size;
}

/*
 * How many elements are accessed at once: as many as fit the buffer, up to the end of a page, so that
 * a fault leaves the rest undone. One, where one that is written may be read again, where they descend or
 * lie across pages, and where they are 2 or 4 bytes, the width of registers, which the device is to see.
 * Bytes are taken together, as memcpy and memset mean them.
 */
static uint64_t run_length(const struct svf_insn *insn, uint64_t count, uint64_t from, uint64_t to,
			   bool down)
{
	uint64_t most = CHUNK / insn->size, n;

	if (down || insn->size == 2 || insn->size == 4)
		return 1;
	if (insn->kind == SVF_INSN_STRING_MOVE && to - from < CHUNK)
		return 1;
	if (insn->kind != SVF_INSN_STRING_STORE) {
		n = elements_in_page(from, insn->size);
		most = n < most ? n : most;
	}
	if (insn->kind != SVF_INSN_STRING_LOAD) {
		n = elements_in_page(to, insn->size);
		most = n < most ? n : most;
	}
	most = count < most ? count : most;
	return most ? most : 1;
}

/* Elements from memory or the accumulator, to memory or the accumulator. */
static int string_run(const struct svf_insn *insn, uint64_t n, uint64_t from, uint64_t to,
		      uint8_t *accumulator, const struct svf_memory *memory, uint64_t *ret_fault)
{
	size_t len = (size_t)n * insn->size;
	uint8_t buffer[CHUNK];
	int err = 0;

	if (insn->kind == SVF_INSN_STRING_STORE)
		for (size_t at = 0; at < len; at += insn->size)
			memcpy(buffer + at, accumulator, insn->size);
	else
		err = memory->read(from, buffer, len, ret_fault);
	if (!err && insn->kind != SVF_INSN_STRING_LOAD)
		err = memory->write(to, buffer, len, ret_fault);
	if (!err && insn->kind == SVF_INSN_STRING_LOAD) {
		memcpy(accumulator, buffer + len - insn->size, insn->size);
		if (insn->size == 4)
			memset(accumulator + 4, 0, 4);
	}
	return err;
}

static int execute_string(const struct svf_insn *insn, ucontext_t *context,
			  const struct svf_memory *memory, uint64_t *ret_fault)
{
	greg_t *rsi = general(context, RSI), *rdi = general(context, RDI),
	       *rcx = general(context, RCX);
	bool down = get_flags(context) & DIRECTION_FLAG;
	uint64_t left = insn->repeat ? (uint64_t)*rcx : 1;

	while (left) {
		uint64_t n = run_length(insn, left, (uint64_t)*rsi, (uint64_t)*rdi, down);
		int64_t step = (int64_t)(n * insn->size) * (down ? -1 : 1);
		int err = string_run(insn, n, (uint64_t)*rsi, (uint64_t)*rdi,
				     (uint8_t *)general(context, RAX), memory, ret_fault);

		if (err)
			return err;
		if (insn->kind != SVF_INSN_STRING_STORE)
			*rsi += step;
		if (insn->kind != SVF_INSN_STRING_LOAD)
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
		[SVF_INSN_LOAD] = execute_move,
		[SVF_INSN_STORE] = execute_move,
		[SVF_INSN_ALU_MEMORY] = execute_alu_memory,
		[SVF_INSN_ALU_REGISTER] = execute_alu_register,
		[SVF_INSN_SELECT] = execute_select,
		[SVF_INSN_SET] = execute_set,
		[SVF_INSN_EXCHANGE] = execute_exchange,
		[SVF_INSN_EXCHANGE_ADD] = execute_exchange,
		[SVF_INSN_COMPARE_EXCHANGE] = execute_compare_exchange,
		[SVF_INSN_STRING_MOVE] = execute_string,
		[SVF_INSN_STRING_STORE] = execute_string,
		[SVF_INSN_STRING_LOAD] = execute_string,
		[SVF_INSN_BLOCK] = execute_block,
		[SVF_INSN_VECTOR_LOAD] = execute_vector,
		[SVF_INSN_VECTOR_STORE] = execute_vector,
	};
	int err = execute[insn->kind](insn, context, memory, ret_fault);

	if (!err)
		context->uc_mcontext.gregs[REG_RIP] += insn->length;
	return err;
}
