/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decoding, by Zydis, which allocates nothing and may be used in a signal handler. See decode.h.
 *
 * What an instruction does is a row of the table; which operand is memory and which is not follows
 * from the operands themselves.
 */
#include "preload/decode.h"

#include <string.h>

#include <Zydis/Zydis.h>

enum family {
	MOVE,
	MOVE_SIGN,
	MOVE_SWAP,
	ALU,
	UNARY,
	BIT,
	SELECT,
	SET,
	EXCHANGE,
	EXCHANGE_ADD,
	COMPARE_EXCHANGE,
	STRING_MOVE,
	STRING_STORE,
	STRING_LOAD,
	BLOCK,
	VECTOR,	     /* the register whole, as far as the operand goes */
	VECTOR_HIGH, /* its second eight bytes, the others stay */
	VECTOR_LOW,  /* its first eight bytes, the others stay */
};

static const struct row {
	ZydisMnemonic mnemonic;
	enum family family;
	int detail; /* enum svf_alu, or a condition */
} rows[] = {
#define ROW(name, family, ...)                                                                     \
	{                                                                                          \
		ZYDIS_MNEMONIC_##name, family, ##__VA_ARGS__                                       \
	}
	ROW(MOV, MOVE, 0),
	ROW(MOVZX, MOVE, 0),
	ROW(MOVNTI, MOVE, 0),
	ROW(MOVDIRI, MOVE, 0),
	ROW(MOVSX, MOVE_SIGN, 0),
	ROW(MOVSXD, MOVE_SIGN, 0),
	ROW(ADD, ALU, SVF_ALU_ADD),
	ROW(OR, ALU, SVF_ALU_OR),
	ROW(ADC, ALU, SVF_ALU_ADC),
	ROW(SBB, ALU, SVF_ALU_SBB),
	ROW(AND, ALU, SVF_ALU_AND),
	ROW(SUB, ALU, SVF_ALU_SUB),
	ROW(XOR, ALU, SVF_ALU_XOR),
	ROW(CMP, ALU, SVF_ALU_CMP),
	ROW(TEST, ALU, SVF_ALU_TEST),
	ROW(INC, UNARY, SVF_ALU_INC),
	ROW(DEC, UNARY, SVF_ALU_DEC),
	ROW(NEG, UNARY, SVF_ALU_NEG),
	ROW(NOT, UNARY, SVF_ALU_NOT),
	ROW(SHL, ALU, SVF_ALU_SHL),
	ROW(SHR, ALU, SVF_ALU_SHR),
	ROW(SAR, ALU, SVF_ALU_SAR),
	ROW(ROL, ALU, SVF_ALU_ROL),
	ROW(ROR, ALU, SVF_ALU_ROR),
	ROW(RCL, ALU, SVF_ALU_RCL),
	ROW(RCR, ALU, SVF_ALU_RCR),
	ROW(IMUL, ALU, SVF_ALU_IMUL),
	ROW(BT, BIT, SVF_ALU_BT),
	ROW(BTS, BIT, SVF_ALU_BTS),
	ROW(BTR, BIT, SVF_ALU_BTR),
	ROW(BTC, BIT, SVF_ALU_BTC),
	ROW(MOVBE, MOVE_SWAP, 0),
	ROW(XCHG, EXCHANGE, 0),
	ROW(XADD, EXCHANGE_ADD, 0),
	ROW(CMPXCHG, COMPARE_EXCHANGE, 0),
#define CONDITION(name, number) ROW(CMOV##name, SELECT, number), ROW(SET##name, SET, number)
	CONDITION(O, 0),
	CONDITION(NO, 1),
	CONDITION(B, 2),
	CONDITION(NB, 3),
	CONDITION(Z, 4),
	CONDITION(NZ, 5),
	CONDITION(BE, 6),
	CONDITION(NBE, 7),
	CONDITION(S, 8),
	CONDITION(NS, 9),
	CONDITION(P, 10),
	CONDITION(NP, 11),
	CONDITION(L, 12),
	CONDITION(NL, 13),
	CONDITION(LE, 14),
	CONDITION(NLE, 15),
#undef CONDITION
	ROW(LODSB, STRING_LOAD, 0),
	ROW(LODSW, STRING_LOAD, 0),
	ROW(LODSD, STRING_LOAD, 0),
	ROW(LODSQ, STRING_LOAD, 0),
	ROW(MOVSB, STRING_MOVE, 0),
	ROW(MOVSW, STRING_MOVE, 0),
	ROW(MOVSQ, STRING_MOVE, 0),
	ROW(STOSB, STRING_STORE, 0),
	ROW(STOSW, STRING_STORE, 0),
	ROW(STOSD, STRING_STORE, 0),
	ROW(STOSQ, STRING_STORE, 0),
	ROW(MOVDIR64B, BLOCK, 0),
	ROW(MOVSD, VECTOR, 0), /* or the string instruction of that name */
	ROW(MOVSS, VECTOR, 0),
	ROW(MOVD, VECTOR, 0),
	ROW(MOVQ, VECTOR, 0),
	ROW(MOVAPS, VECTOR, 0),
	ROW(MOVAPD, VECTOR, 0),
	ROW(MOVUPS, VECTOR, 0),
	ROW(MOVUPD, VECTOR, 0),
	ROW(MOVDQA, VECTOR, 0),
	ROW(MOVDQU, VECTOR, 0),
	ROW(LDDQU, VECTOR, 0),
	ROW(MOVNTPS, VECTOR, 0),
	ROW(MOVNTPD, VECTOR, 0),
	ROW(MOVNTDQ, VECTOR, 0),
	ROW(MOVNTDQA, VECTOR, 0),
	ROW(MOVHPS, VECTOR_HIGH, 0),
	ROW(MOVHPD, VECTOR_HIGH, 0),
	ROW(MOVLPS, VECTOR_LOW, 0),
	ROW(MOVLPD, VECTOR_LOW, 0),
	ROW(VMOVSD, VECTOR, 0),
	ROW(VMOVSS, VECTOR, 0),
	ROW(VMOVD, VECTOR, 0),
	ROW(VMOVQ, VECTOR, 0),
	ROW(VMOVAPS, VECTOR, 0),
	ROW(VMOVAPD, VECTOR, 0),
	ROW(VMOVUPS, VECTOR, 0),
	ROW(VMOVUPD, VECTOR, 0),
	ROW(VMOVDQA, VECTOR, 0),
	ROW(VMOVDQU, VECTOR, 0),
	ROW(VMOVDQA32, VECTOR, 0),
	ROW(VMOVDQA64, VECTOR, 0),
	ROW(VMOVDQU8, VECTOR, 0),
	ROW(VMOVDQU16, VECTOR, 0),
	ROW(VMOVDQU32, VECTOR, 0),
	ROW(VMOVDQU64, VECTOR, 0),
	ROW(VLDDQU, VECTOR, 0),
	ROW(VMOVNTPS, VECTOR, 0),
	ROW(VMOVNTPD, VECTOR, 0),
	ROW(VMOVNTDQ, VECTOR, 0),
	ROW(VMOVNTDQA, VECTOR, 0),
#undef ROW
};

static const struct row *find_row(ZydisMnemonic mnemonic)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].mnemonic == mnemonic)
			return &rows[i];
	}
	return NULL;
}

/* Number of a general register of any width, SVF_REG_NONE for no register or another kind. */
static int8_t general_register(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
		return SVF_REG_NONE;
	return ZydisRegisterGetId(whole);
}

static bool is_high_byte(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_AH || reg == ZYDIS_REGISTER_CH || reg == ZYDIS_REGISTER_DH ||
	       reg == ZYDIS_REGISTER_BH;
}

/* Bytes of a vector register, 0 for another. */
static uint8_t vector_size(ZydisRegister reg)
{
	switch (ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_XMM:
		return 16;
	case ZYDIS_REGCLASS_YMM:
		return 32;
	case ZYDIS_REGCLASS_ZMM:
		return 64;
	default:
		return 0;
	}
}

static bool take_memory(const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *operand,
			struct svf_insn *insn)
{
	const ZydisDecodedOperandMem *mem = &operand->mem;

	if (mem->type != ZYDIS_MEMOP_TYPE_MEM)
		return false;
	insn->size = (uint8_t)(operand->size / 8);
	insn->base = SVF_REG_NONE;
	insn->index = SVF_REG_NONE;
	insn->address32 = zi->address_width == 32;
	if (mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP)
		insn->base = SVF_REG_RIP;
	else if (mem->base != ZYDIS_REGISTER_NONE)
		insn->base = general_register(mem->base);
	if (mem->index != ZYDIS_REGISTER_NONE)
		insn->index = general_register(mem->index);
	insn->scale = mem->scale;
	insn->displacement = mem->disp.has_displacement ? mem->disp.value : 0;
	if (mem->segment == ZYDIS_REGISTER_FS)
		insn->segment = 'f';
	else if (mem->segment == ZYDIS_REGISTER_GS)
		insn->segment = 'g';
	return true;
}

static bool take_other(const ZydisDecodedOperand *operand, struct svf_insn *insn)
{
	ZydisRegister reg;

	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		insn->has_immediate = true;
		insn->immediate = operand->imm.value.s;
		return true;
	}
	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	reg = operand->reg.value;
	insn->reg_size = vector_size(reg);
	if (insn->reg_size) {
		insn->reg = ZydisRegisterGetId(reg);
		return true;
	}
	insn->reg_size = (uint8_t)(operand->size / 8);
	insn->reg = general_register(reg);
	insn->high = is_high_byte(reg);
	if (insn->high)
		insn->reg = (int8_t)(reg - ZYDIS_REGISTER_AH);
	return insn->reg != SVF_REG_NONE;
}

static bool decode_string(const ZydisDecodedInstruction *zi, const struct row *row,
			  struct svf_insn *insn)
{
	insn->kind = row->family == STRING_STORE  ? SVF_INSN_STRING_STORE
		     : row->family == STRING_LOAD ? SVF_INSN_STRING_LOAD
						  : SVF_INSN_STRING_MOVE;
	insn->size = (uint8_t)(zi->operand_width / 8);
	insn->repeat = zi->attributes &
		       (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
	if (zi->mnemonic == ZYDIS_MNEMONIC_MOVSB || zi->mnemonic == ZYDIS_MNEMONIC_STOSB ||
	    zi->mnemonic == ZYDIS_MNEMONIC_LODSB)
		insn->size = 1;
	/* Nobody uses RSI relative to FS or GS, or addresses of 32 bits, with these. */
	return zi->address_width == 64 &&
	       !(zi->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS));
}

/* Which elements a masked move accesses. False: not in a way that is known. */
static bool take_mask(const ZydisDecodedInstruction *zi, uint16_t element_bits,
		      struct svf_insn *insn)
{
	if (zi->avx.broadcast.mode)
		return false;
	if (zi->avx.mask.mode <= ZYDIS_MASK_MODE_DISABLED)
		return true;
	insn->mask = (uint8_t)(zi->avx.mask.reg - ZYDIS_REGISTER_K0);
	insn->element = (uint8_t)(element_bits / 8);
	insn->zero_masked = zi->avx.mask.mode == ZYDIS_MASK_MODE_ZEROING;
	return insn->mask < 8 && insn->element && insn->size % insn->element == 0 &&
	       (zi->avx.mask.mode == ZYDIS_MASK_MODE_MERGING || insn->zero_masked);
}

static bool decode_vector(const ZydisDecodedInstruction *zi, const struct row *row, bool to_memory,
			  uint16_t element_bits, struct svf_insn *insn)
{
	insn->kind = to_memory ? SVF_INSN_VECTOR_STORE : SVF_INSN_VECTOR_LOAD;
	insn->zero_upper = zi->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY;
	insn->vector_at = row->family == VECTOR_HIGH ? 8 : 0;
	insn->half = row->family != VECTOR;
	return take_mask(zi, element_bits, insn);
}

static bool finish(const ZydisDecodedInstruction *zi, const struct row *row, bool to_memory,
		   uint16_t element_bits, struct svf_insn *insn)
{
	switch (row->family) {
	case MOVE:
	case MOVE_SIGN:
	case MOVE_SWAP:
		insn->kind = to_memory ? SVF_INSN_STORE : SVF_INSN_LOAD;
		insn->sign = row->family == MOVE_SIGN;
		insn->swap = row->family == MOVE_SWAP;
		return true;
	case ALU:
	case UNARY:
	case BIT:
		insn->kind = to_memory ? SVF_INSN_ALU_MEMORY : SVF_INSN_ALU_REGISTER;
		insn->alu = (enum svf_alu)row->detail;
		insn->bit_string = row->family == BIT && !insn->has_immediate;
		return true;
	case SELECT:
	case SET:
		insn->kind = row->family == SET ? SVF_INSN_SET : SVF_INSN_SELECT;
		insn->condition = (uint8_t)row->detail;
		return true;
	case EXCHANGE:
		insn->kind = SVF_INSN_EXCHANGE;
		insn->locked = true;
		return true;
	case EXCHANGE_ADD:
		insn->kind = SVF_INSN_EXCHANGE_ADD;
		return true;
	case COMPARE_EXCHANGE:
		insn->kind = SVF_INSN_COMPARE_EXCHANGE;
		return true;
	case BLOCK:
		insn->kind = SVF_INSN_BLOCK;
		return true;
	case VECTOR:
	case VECTOR_HIGH:
	case VECTOR_LOW:
		return decode_vector(zi, row, to_memory, element_bits, insn);
	default:
		return false;
	}
}

bool svf_decode(const uint8_t *code, size_t len, struct svf_insn *ret)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction zi;
	ZydisDecoder decoder;
	const struct row *row;
	bool memory = false, other = false, to_memory = false;
	uint16_t element_bits = 0;

	if (ZYAN_FAILED(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, len, &zi, operands)))
		return false;
	row = find_row(zi.mnemonic);
	if (!row)
		return false;
	*ret = (struct svf_insn){
		.length = zi.length,
		.reg = SVF_REG_NONE,
		.direct = zi.mnemonic == ZYDIS_MNEMONIC_MOVDIRI ||
			  zi.mnemonic == ZYDIS_MNEMONIC_MOVDIR64B,
		.locked = zi.attributes & ZYDIS_ATTRIB_HAS_LOCK,
	};
	if (zi.meta.category == ZYDIS_CATEGORY_STRINGOP)
		return decode_string(&zi, row, ret);
	for (ZyanU8 i = 0; i < zi.operand_count_visible; i++) {
		if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY) {
			if (memory || !take_memory(&zi, &operands[i], ret))
				return false;
			memory = true;
			to_memory = i == 0;
			element_bits = operands[i].element_size;
		} else if (operands[i].encoding != ZYDIS_OPERAND_ENCODING_MASK) {
			if (other || !take_other(&operands[i], ret))
				return false;
			other = true;
		}
	}
	if (!memory || (!other && row->family != UNARY && row->family != SET))
		return false;
	return finish(&zi, row, to_memory, element_bits, ret);
}

size_t svf_decode_text(const uint8_t *code, size_t len, uint64_t address, char *buf, size_t size)
{
	static const char none[] = "which is none";
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction zi;
	ZydisFormatter formatter;
	ZydisDecoder decoder;

	if (ZYAN_SUCCESS(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) &&
	    ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &zi, operands)) &&
	    ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)) &&
	    ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
		    &formatter, &zi, operands, zi.operand_count_visible, buf, size, address, NULL)))
		return zi.length;
	memcpy(buf, none, size < sizeof(none) ? size : sizeof(none));
	buf[size - 1] = 0;
	return len;
}
