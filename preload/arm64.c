/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads and stores of AArch64, decoded by the tables of the architecture's encoding index; see arm64.h.
 *
 * Of the 32 bits, 29 to 27 and 25 to 24 say which class it is, 26 whether registers are vectors, 31 to 30 mostly the
 * size and 23 to 22 what is done. Forms that the architecture leaves unallocated, prefetches, and a base written back
 * that is also transferred (whose result is unpredictable), are not known.
 */
#include "preload/arm64.h"

#include <string.h>

static uint32_t field(uint32_t code, unsigned int last, unsigned int first)
{
	return code >> first & ((2u << (last - first)) - 1);
}

static int64_t signed_field(uint32_t code, unsigned int last, unsigned int first)
{
	unsigned int bits = last - first + 1;

	return (int64_t)((uint64_t)field(code, last, first) << (64 - bits)) >> (64 - bits);
}

/* Size and what is done, of the forms for one register. */
static bool take_operation(uint32_t code, struct svf_arm64_insn *insn)
{
	uint32_t size = field(code, 31, 30), operation = field(code, 23, 22);

	insn->vector = field(code, 26, 26);
	if (insn->vector) {
		size |= (operation & 2) << 1;
		insn->load = operation & 1;
		insn->size = (uint8_t)(1u << (size & 7));
		return size <= 4;
	}
	insn->load = operation;
	insn->sign = operation & 2;
	insn->wide = operation == 2 || size == 3;
	insn->size = (uint8_t)(1u << size);
	/* A prefetch, and signs that are not there to extend. */
	return !(operation == 2 && size == 3) && !(operation == 3 && size >= 2);
}

/* An offset of 12 bits, counted in sizes. */
static bool decode_unsigned(uint32_t code, struct svf_arm64_insn *insn)
{
	insn->offset = (int64_t)field(code, 21, 10) * insn->size;
	insn->before = true;
	return true;
}

/* One of 9 bits, counted in bytes: unscaled, behind, unprivileged, in front. */
static bool decode_signed(uint32_t code, struct svf_arm64_insn *insn)
{
	uint32_t kind = field(code, 11, 10);

	insn->offset = signed_field(code, 20, 12);
	insn->before = kind != 1;
	insn->writeback = kind & 1;
	return kind != 2 || !insn->vector;
}

static bool decode_register(uint32_t code, struct svf_arm64_insn *insn)
{
	insn->index = (int8_t)field(code, 20, 16);
	insn->extend = (uint8_t)field(code, 15, 13);
	insn->shift = field(code, 12, 12) ? (uint8_t)__builtin_ctz(insn->size) : 0;
	insn->before = true;
	return insn->extend & 2;
}

static bool decode_single(uint32_t code, struct svf_arm64_insn *insn)
{
	if (!take_operation(code, insn))
		return false;
	if (field(code, 24, 24))
		return decode_unsigned(code, insn);
	if (!field(code, 21, 21))
		return decode_signed(code, insn);
	return field(code, 11, 10) == 2 && decode_register(code, insn);
}

static bool decode_pair(uint32_t code, struct svf_arm64_insn *insn)
{
	uint32_t size = field(code, 31, 30), kind = field(code, 24, 23);

	insn->vector = field(code, 26, 26);
	insn->load = field(code, 22, 22);
	insn->reg2 = (int8_t)field(code, 14, 10);
	insn->size = (uint8_t)(insn->vector ? 4u << size : size == 2 ? 8 : 4);
	insn->sign = !insn->vector && size == 1;
	insn->wide = insn->sign || size == 2;
	insn->offset = signed_field(code, 21, 15) * insn->size;
	insn->before = kind != 1;
	insn->writeback = kind & 1;
	/* One that extends signs is a load, and not one that hints. */
	if (size == 3 || (insn->sign && (!insn->load || !kind)))
		return false;
	return !insn->load || insn->reg != insn->reg2;
}

static bool decode_literal(uint32_t code, struct svf_arm64_insn *insn)
{
	uint32_t size = field(code, 31, 30);

	insn->vector = field(code, 26, 26);
	insn->load = true;
	insn->base = SVF_ARM64_NONE;
	insn->offset = signed_field(code, 23, 5) * 4;
	insn->before = true;
	insn->size = (uint8_t)(insn->vector ? 4u << size : size == 1 ? 8 : 4);
	insn->sign = !insn->vector && size == 2;
	insn->wide = size;
	return size != 3;
}

/* LDAR, STLR and their limited forms: the host sees accesses in order anyway. */
static bool decode_ordered(uint32_t code, struct svf_arm64_insn *insn)
{
	insn->size = (uint8_t)(1u << field(code, 31, 30));
	insn->load = field(code, 22, 22);
	insn->wide = insn->size == 8;
	return field(code, 26, 26) == 0 && field(code, 23, 23) && !field(code, 21, 21) &&
	       field(code, 20, 16) == 31 && field(code, 14, 10) == 31;
}

static bool is_predictable(const struct svf_arm64_insn *insn)
{
	if (!insn->writeback || insn->vector || insn->base == 31)
		return true;
	return insn->base != insn->reg && insn->base != insn->reg2;
}

bool svf_arm64_decode(uint32_t code, struct svf_arm64_insn *ret)
{
	bool known = false;

	*ret = (struct svf_arm64_insn){.reg = (int8_t)field(code, 4, 0),
				       .reg2 = SVF_ARM64_NONE,
				       .base = (int8_t)field(code, 9, 5),
				       .index = SVF_ARM64_NONE};
	switch (field(code, 29, 27)) {
	case 7:
		known = !field(code, 25, 25) && decode_single(code, ret);
		break;
	case 5:
		known = !field(code, 25, 25) && decode_pair(code, ret);
		break;
	case 3:
		known = !field(code, 25, 24) && decode_literal(code, ret);
		break;
	case 1:
		known = !field(code, 25, 24) && decode_ordered(code, ret);
		break;
	}
	return known && is_predictable(ret);
}

/* --- carrying out --- */

static uint64_t base_of(const struct svf_arm64_insn *insn, const struct svf_arm64_state *state)
{
	if (insn->base == SVF_ARM64_NONE)
		return *state->pc;
	return insn->base == 31 ? *state->sp : state->general[insn->base];
}

static uint64_t index_of(const struct svf_arm64_insn *insn, const struct svf_arm64_state *state)
{
	uint64_t value;

	if (insn->index == SVF_ARM64_NONE)
		return 0;
	value = insn->index == 31 ? 0 : state->general[insn->index];
	if (insn->extend == 2)
		value = (uint32_t)value;
	else if (insn->extend == 6)
		value = (uint64_t)(int64_t)(int32_t)value;
	return value << insn->shift;
}

static void put_register(const struct svf_arm64_insn *insn, const struct svf_arm64_state *state,
			 int reg, const uint8_t *bytes)
{
	unsigned int unused = 64 - 8u * insn->size;
	uint64_t value = 0;

	if (insn->vector) {
		memset((uint8_t *)state->vectors + 16 * reg, 0, 16);
		memcpy((uint8_t *)state->vectors + 16 * reg, bytes, insn->size);
		return;
	}
	if (reg == 31)
		return;
	memcpy(&value, bytes, insn->size);
	if (insn->sign)
		value = (uint64_t)((int64_t)(value << unused) >> unused);
	state->general[reg] = insn->wide ? value : (uint32_t)value;
}

static void get_register(const struct svf_arm64_insn *insn, const struct svf_arm64_state *state,
			 int reg, uint8_t *bytes)
{
	if (insn->vector)
		memcpy(bytes, (uint8_t *)state->vectors + 16 * reg, insn->size);
	else if (reg != 31)
		memcpy(bytes, &state->general[reg], insn->size);
}

int svf_arm64_execute(const struct svf_arm64_insn *insn, const struct svf_arm64_state *state,
		      const struct svf_memory *memory, uint64_t *ret_fault)
{
	uint64_t base = base_of(insn, state), moved = base + (uint64_t)insn->offset;
	uint64_t address = (insn->before ? moved : base) + index_of(insn, state);
	size_t size = insn->size, len = insn->reg2 == SVF_ARM64_NONE ? size : 2 * size;
	uint8_t bytes[32] = {0};
	int err;

	if (!insn->load) {
		get_register(insn, state, insn->reg, bytes);
		if (len > size)
			get_register(insn, state, insn->reg2, bytes + size);
		err = memory->write(address, bytes, len, ret_fault);
	} else {
		err = memory->read(address, bytes, len, ret_fault);
	}
	if (err)
		return err;
	if (insn->load) {
		put_register(insn, state, insn->reg, bytes);
		if (len > size)
			put_register(insn, state, insn->reg2, bytes + size);
	}
	if (insn->writeback)
		*(insn->base == 31 ? state->sp : &state->general[insn->base]) = moved;
	*state->pc += 4;
	return 0;
}
