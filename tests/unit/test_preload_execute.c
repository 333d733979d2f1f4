/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Instructions on a trapped page against the processor's own execution on plain memory: registers,
 * flags, vector registers and memory must come out the same. Encodings, operands and contents are
 * random, from a seed that is printed when something differs.
 *
 * How one is run: a signal handler is used as a door. Its context is set to random registers and to a
 * page with the instruction and a breakpoint behind it; the breakpoint's handler keeps the context and
 * goes back. On the page without access SIGSEGV comes in between, and is answered by the code under
 * test, whose memory is a second mapping of the same pages.
 */
#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include <Zydis/Zydis.h>

#include "preload/execute.h"

#define PAGE   4096u
#define AREA   (2 * PAGE)
#define ROUNDS 30000u
#define FLAGS  0x8d5

enum { GPR = 16 };

struct result {
	greg_t gregs[NGREG];
	uint8_t vectors[32][64];
	uint8_t memory[AREA];
};

static struct {
	uint8_t *code, *plain, *trapped, *behind; /* behind: what is under the trapped pages */
	sigjmp_buf back;
	greg_t gregs[NGREG]; /* to begin with */
	uint8_t vectors[32][64];
	struct result *result;
	const char *unknown;
	char name[96];
	unsigned int traps;
	uint64_t random;
} t;

static uint64_t rnd(void)
{
	t.random ^= t.random << 13;
	t.random ^= t.random >> 7;
	t.random ^= t.random << 17;
	return t.random;
}

/* --- memory of the code under test --- */

static uint8_t *reach(uint64_t address, size_t len)
{
	uint64_t offset = address - (uintptr_t)t.trapped;

	return offset < AREA && len <= AREA - offset ? t.behind + offset
						     : (uint8_t *)(uintptr_t)address;
}

static int read_memory(uint64_t address, void *dst, size_t len, uint64_t *ret_fault)
{
	(void)ret_fault;
	memcpy(dst, reach(address, len), len);
	return 0;
}

static int write_memory(uint64_t address, const void *src, size_t len, uint64_t *ret_fault)
{
	(void)ret_fault;
	memcpy(reach(address, len), src, len);
	return 0;
}

static int check_write(uint64_t address, size_t len, uint64_t *ret_fault)
{
	(void)address;
	(void)len;
	(void)ret_fault;
	return 0;
}

static const struct svf_memory memory = {
	.read = read_memory, .write = write_memory, .check_write = check_write};

/* --- running --- */

static void on_segv(int number, siginfo_t *info, void *arg)
{
	ucontext_t *context = arg;
	const uint8_t *code = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP];
	struct svf_insn insn;
	uint64_t fault;

	(void)info;
	t.traps++;
	if (!svf_decode(code, SVF_INSN_MAX, &insn)) {
		svf_decode_text(code, SVF_INSN_MAX, 0, t.name, sizeof(t.name));
		t.unknown = t.name;
		siglongjmp(t.back, 1);
	}
	if (svf_execute(&insn, context, &memory, &fault)) {
		t.unknown = "failed";
		siglongjmp(t.back, number);
	}
}

static void on_enter(int number, siginfo_t *info, void *arg)
{
	ucontext_t *context = arg;
	greg_t stack = context->uc_mcontext.gregs[REG_RSP];

	(void)number;
	(void)info;
	for (int i = 0; i < REG_RIP; i++)
		context->uc_mcontext.gregs[i] = t.gregs[i];
	context->uc_mcontext.gregs[REG_RSP] = stack;
	context->uc_mcontext.gregs[REG_RIP] = t.gregs[REG_RIP];
	context->uc_mcontext.gregs[REG_EFL] = t.gregs[REG_EFL];
	/* As much of them as the processor has. */
	for (int i = 0; i < 32; i++) {
		for (unsigned int at = 0; at < 64; at += 16)
			svf_vector_write(context, i, at, t.vectors[i] + at, 16, false);
	}
}

static void on_trap(int number, siginfo_t *info, void *arg)
{
	const ucontext_t *context = arg;

	(void)info;
	memcpy(t.result->gregs, context->uc_mcontext.gregs, sizeof(t.result->gregs));
	memset(t.result->vectors, 0, sizeof(t.result->vectors));
	for (int i = 0; i < 32; i++) {
		for (unsigned int at = 0; at < 64; at += 16)
			svf_vector_read(context, i, at, t.result->vectors[i] + at, 16);
	}
	siglongjmp(t.back, number);
}

/* Runs the code with the general registers that point into the area moved to `area`. */
static void run(uint8_t *area, uint8_t *contents, struct result *result)
{
	t.result = result;
	t.unknown = NULL;
	if (sigsetjmp(t.back, 1) == 0)
		raise(SIGUSR1);
	memcpy(result->memory, contents, AREA);
	(void)area;
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	sigfillset(&action.sa_mask);
	assert_int_equal(sigaction(number, &action, NULL), 0);
}

/* --- instructions --- */

enum form {
	REG_MEM,
	MEM_REG,
	MEM_IMM,
	MEM_IMM8,
	MEM_CL,
	MEM_BIT, /* the number of a bit in a register, near enough */
	MEM_ONLY,
	EXTEND,
	VEC_MEM,
	MEM_VEC,
	MASKED_LOAD,
	ZEROED_LOAD,
	MASKED_STORE,
};

static const struct template
{
	ZydisMnemonic mnemonic;
	enum form form;
	uint8_t sizes;	      /* of the memory operand: a bit each, bytes */
	ZydisRegister vector; /* the first of the class that is used */
}
templates[] = {
#define ALU(name)                                                                                  \
	{ZYDIS_MNEMONIC_##name, REG_MEM, 15, 0}, {ZYDIS_MNEMONIC_##name, MEM_REG, 15, 0},          \
	{                                                                                          \
		ZYDIS_MNEMONIC_##name, MEM_IMM, 15, 0                                              \
	}
	ALU(MOV),
	ALU(ADD),
	ALU(OR),
	ALU(ADC),
	ALU(SBB),
	ALU(AND),
	ALU(SUB),
	ALU(XOR),
	ALU(CMP),
#undef ALU
	{ZYDIS_MNEMONIC_TEST, MEM_REG, 15, 0},
	{ZYDIS_MNEMONIC_TEST, MEM_IMM, 15, 0},
	{ZYDIS_MNEMONIC_INC, MEM_ONLY, 15, 0},
	{ZYDIS_MNEMONIC_DEC, MEM_ONLY, 15, 0},
	{ZYDIS_MNEMONIC_NEG, MEM_ONLY, 15, 0},
	{ZYDIS_MNEMONIC_NOT, MEM_ONLY, 15, 0},
	{ZYDIS_MNEMONIC_XCHG, MEM_REG, 15, 0},
	{ZYDIS_MNEMONIC_XADD, MEM_REG, 15, 0},
	{ZYDIS_MNEMONIC_CMPXCHG, MEM_REG, 15, 0},
#define SHIFT(name)                                                                                \
	{ZYDIS_MNEMONIC_##name, MEM_IMM8, 15, 0},                                                  \
	{                                                                                          \
		ZYDIS_MNEMONIC_##name, MEM_CL, 15, 0                                               \
	}
	SHIFT(SHL),
	SHIFT(SHR),
	SHIFT(SAR),
	SHIFT(ROL),
	SHIFT(ROR),
	SHIFT(RCL),
	SHIFT(RCR),
#undef SHIFT
#define BIT(name)                                                                                  \
	{ZYDIS_MNEMONIC_##name, MEM_IMM8, 14, 0},                                                  \
	{                                                                                          \
		ZYDIS_MNEMONIC_##name, MEM_BIT, 14, 0                                              \
	}
	BIT(BT),
	BIT(BTS),
	BIT(BTR),
	BIT(BTC),
#undef BIT
	{ZYDIS_MNEMONIC_IMUL, REG_MEM, 14, 0},
	{ZYDIS_MNEMONIC_MOVBE, REG_MEM, 14, 0},
	{ZYDIS_MNEMONIC_MOVBE, MEM_REG, 14, 0},
#define CONDITION(name)                                                                            \
	{ZYDIS_MNEMONIC_CMOV##name, REG_MEM, 14, 0},                                               \
	{                                                                                          \
		ZYDIS_MNEMONIC_SET##name, MEM_ONLY, 1, 0                                           \
	}
	CONDITION(O),
	CONDITION(NO),
	CONDITION(B),
	CONDITION(NB),
	CONDITION(Z),
	CONDITION(NZ),
	CONDITION(BE),
	CONDITION(NBE),
	CONDITION(S),
	CONDITION(NS),
	CONDITION(P),
	CONDITION(NP),
	CONDITION(L),
	CONDITION(NL),
	CONDITION(LE),
	CONDITION(NLE),
#undef CONDITION
	{ZYDIS_MNEMONIC_MOVNTI, MEM_REG, 12, 0},
	{ZYDIS_MNEMONIC_MOVZX, EXTEND, 3, 0},
	{ZYDIS_MNEMONIC_MOVSX, EXTEND, 3, 0},
	{ZYDIS_MNEMONIC_MOVSXD, EXTEND, 4, 0},
#define VECTOR(name, size, class)                                                                  \
	{ZYDIS_MNEMONIC_##name, VEC_MEM, size, ZYDIS_REGISTER_##class##0},                         \
	{                                                                                          \
		ZYDIS_MNEMONIC_##name, MEM_VEC, size, ZYDIS_REGISTER_##class##0                    \
	}
	VECTOR(MOVUPS, 16, XMM),
	VECTOR(MOVDQU, 16, XMM),
	VECTOR(MOVAPS, 16, XMM),
	VECTOR(MOVSS, 4, XMM),
	VECTOR(MOVSD, 8, XMM),
	VECTOR(MOVD, 4, XMM),
	VECTOR(MOVQ, 8, XMM),
	VECTOR(MOVHPS, 8, XMM),
	VECTOR(MOVLPS, 8, XMM),
	VECTOR(VMOVDQU, 16, XMM),
	VECTOR(VMOVDQU, 32, YMM),
	VECTOR(VMOVSS, 4, XMM),
	VECTOR(VMOVD, 4, XMM),
	VECTOR(VMOVDQU64, 32, YMM),
	VECTOR(VMOVDQU8, 64, ZMM),
#define MASKED(name, size, class)                                                                  \
	{ZYDIS_MNEMONIC_##name, MASKED_LOAD, size, ZYDIS_REGISTER_##class##0},                     \
		{ZYDIS_MNEMONIC_##name, ZEROED_LOAD, size, ZYDIS_REGISTER_##class##0},             \
	{                                                                                          \
		ZYDIS_MNEMONIC_##name, MASKED_STORE, size, ZYDIS_REGISTER_##class##0               \
	}
	MASKED(VMOVDQU8, 64, ZMM),
	MASKED(VMOVDQU8, 16, XMM),
	MASKED(VMOVDQU16, 32, YMM),
	MASKED(VMOVDQU32, 64, ZMM),
	MASKED(VMOVDQU64, 32, YMM),
	MASKED(VMOVUPS, 64, ZMM),
	MASKED(VMOVUPD, 16, XMM),
	{ZYDIS_MNEMONIC_MOVNTDQ, MEM_VEC, 16, ZYDIS_REGISTER_XMM0},
	{ZYDIS_MNEMONIC_LDDQU, VEC_MEM, 16, ZYDIS_REGISTER_XMM0},
#undef VECTOR
};

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl");
}

static bool is_masked(const struct template *row)
{
	return row->form == MASKED_LOAD || row->form == ZEROED_LOAD || row->form == MASKED_STORE;
}

static bool has_movbe(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_MOVBE;
}

static bool processor_has(const struct template *row)
{
	if (row->mnemonic == ZYDIS_MNEMONIC_VMOVDQU64 || row->mnemonic == ZYDIS_MNEMONIC_VMOVDQU8 ||
	    is_masked(row))
		return has_avx512();
	if (row->mnemonic == ZYDIS_MNEMONIC_MOVBE)
		return has_movbe();
	if (row->mnemonic == ZYDIS_MNEMONIC_VMOVDQU || row->mnemonic == ZYDIS_MNEMONIC_VMOVSS ||
	    row->mnemonic == ZYDIS_MNEMONIC_VMOVD)
		return __builtin_cpu_supports("avx2");
	return true;
}

static unsigned int pick_size(const struct template *row)
{
	unsigned int size = 1;

	if (row->vector)
		return row->sizes;
	do
		size = 1u << rnd() % 4;
	while (!(row->sizes & size));
	return size;
}

/* A general register of a width, never the stack pointer or one that addresses memory. */
static ZydisRegister pick_register(unsigned int size, ZydisRegister base, ZydisRegister index)
{
	static const ZydisRegister first[] = {[1] = ZYDIS_REGISTER_AL,
					      [2] = ZYDIS_REGISTER_AX,
					      [4] = ZYDIS_REGISTER_EAX,
					      [8] = ZYDIS_REGISTER_RAX};

	for (;;) {
		unsigned int n = (unsigned int)(rnd() % (size == 1 ? 20 : 16));
		ZydisRegister reg = (ZydisRegister)(first[size] + n);
		ZydisRegister whole =
			ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

		if (whole != ZYDIS_REGISTER_RSP && whole != base && whole != index)
			return reg;
	}
}

static const unsigned char gregs_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
					   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
					   REG_R12, REG_R13, REG_R14, REG_R15};

/* An operand at `offset` of an area that base points to: the code is the same for both areas. */
static ZydisEncoderOperand pick_memory(unsigned int size, ZydisRegister *ret_base,
				       ZydisRegister *ret_index, uint8_t *area, uint64_t offset)
{
	ZydisEncoderOperand operand = {.type = ZYDIS_OPERAND_TYPE_MEMORY};
	int64_t displacement = (int64_t)(rnd() % 3 ? rnd() % 256 : rnd() % 100000) - 100;
	uint64_t address = (uintptr_t)area + offset - (uint64_t)displacement;

	*ret_base = *ret_index = ZYDIS_REGISTER_NONE;
	operand.mem.size = (ZyanU16)size;
	operand.mem.displacement = displacement;
	if (rnd() % 2) {
		*ret_index = pick_register(8, ZYDIS_REGISTER_NONE, ZYDIS_REGISTER_NONE);
		operand.mem.index = *ret_index;
		operand.mem.scale = (ZyanU8)(1u << rnd() % 4);
		t.gregs[gregs_of[ZydisRegisterGetId(*ret_index)]] = (greg_t)(rnd() % 5000);
		address -= (uint64_t)t.gregs[gregs_of[ZydisRegisterGetId(*ret_index)]] *
			   operand.mem.scale;
	}
	*ret_base = pick_register(8, ZYDIS_REGISTER_NONE, *ret_index);
	operand.mem.base = *ret_base;
	t.gregs[gregs_of[ZydisRegisterGetId(*ret_base)]] = (greg_t)address;
	return operand;
}

static ZydisEncoderOperand reg_operand(ZydisRegister reg)
{
	ZydisEncoderOperand operand = {.type = ZYDIS_OPERAND_TYPE_REGISTER};

	operand.reg.value = reg;
	return operand;
}

static ZydisEncoderOperand immediate(unsigned int size)
{
	ZydisEncoderOperand operand = {.type = ZYDIS_OPERAND_TYPE_IMMEDIATE};

	operand.imm.s = size == 1 ? (int8_t)rnd() : size == 2 ? (int16_t)rnd() : (int32_t)rnd();
	return operand;
}

static ZydisEncoderOperand vector_operand(const struct template *row)
{
	uint64_t registers = has_avx512() && (row->sizes == 64 || is_masked(row)) ? 32 : 16;

	return reg_operand((ZydisRegister)(row->vector + (unsigned int)(rnd() % registers)));
}

static ZydisEncoderOperand pick_other(const struct template *row, unsigned int size,
				      ZydisRegister base, ZydisRegister index)
{
	ZydisEncoderOperand operand;

	if (row->vector)
		return vector_operand(row);
	switch (row->form) {
	case MEM_IMM:
		return immediate(size);
	case MEM_IMM8:
		operand = (ZydisEncoderOperand){.type = ZYDIS_OPERAND_TYPE_IMMEDIATE};
		operand.imm.u = rnd() % 128;
		return operand;
	case MEM_CL:
		return reg_operand(ZYDIS_REGISTER_CL);
	case EXTEND:
		return reg_operand(pick_register(
			size == 4 ? 8 : size * 2 + (unsigned int)(rnd() % 2) * size * 2, base,
			index));
	default:
		return reg_operand(pick_register(size, base, index));
	}
}

/* Registers that an instruction takes for something have what makes sense. */
static bool prepare(const struct template *row, const ZydisEncoderOperand *other,
		    ZydisRegister base, ZydisRegister index, uint64_t offset)
{
	if (row->form == MEM_CL)
		return base != ZYDIS_REGISTER_RCX && index != ZYDIS_REGISTER_RCX;
	if ((is_masked(row) || row->mnemonic == ZYDIS_MNEMONIC_CMPXCHG) &&
	    (base == ZYDIS_REGISTER_RAX || index == ZYDIS_REGISTER_RAX))
		return false;
	if (row->form == MEM_BIT)
		t.gregs[gregs_of[ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(
			ZYDIS_MACHINE_MODE_LONG_64, other->reg.value))]] =
			(greg_t)(rnd() % 1600) - 800;
	/* What is compared is equal, sometimes. */
	if (row->mnemonic == ZYDIS_MNEMONIC_CMPXCHG && rnd() % 2)
		memcpy(&t.gregs[REG_RAX], t.behind + offset, 8);
	return true;
}

static bool can_lock(const struct template *row)
{
	switch (row->mnemonic) {
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_XOR:
		return row->form != REG_MEM;
	case ZYDIS_MNEMONIC_INC:
	case ZYDIS_MNEMONIC_NOT:
	case ZYDIS_MNEMONIC_XADD:
	case ZYDIS_MNEMONIC_CMPXCHG:
	case ZYDIS_MNEMONIC_BTS:
		return true;
	default:
		return false;
	}
}

/* With a mask, the code that sets mask register 1 from RAX comes first. */
static uint8_t *put_mask(const struct template *row, ZydisEncoderRequest *request)
{
	static const uint8_t kmovq[] = {0xc4, 0xe1, 0xfb, 0x92, 0xc8};

	if (!is_masked(row))
		return t.code;
	memcpy(t.code, kmovq, sizeof(kmovq));
	request->evex.zeroing_mask = row->form == ZEROED_LOAD;
	request->operands[2] = request->operands[1];
	request->operands[1] = reg_operand(ZYDIS_REGISTER_K1);
	request->operand_count = 3;
	return t.code + sizeof(kmovq);
}

static bool encode(const struct template *row, uint8_t *area, uint64_t offset, unsigned int size)
{
	ZydisEncoderRequest request = {.machine_mode = ZYDIS_MACHINE_MODE_LONG_64,
				       .mnemonic = row->mnemonic};
	ZyanUSize len = SVF_INSN_MAX;
	ZydisRegister base, index;
	ZydisEncoderOperand mem = pick_memory(size, &base, &index, area, offset);
	ZydisEncoderOperand other = pick_other(row, size, base, index);
	bool load = row->form == REG_MEM || row->form == EXTEND || row->form == VEC_MEM ||
		    row->form == MASKED_LOAD || row->form == ZEROED_LOAD;
	uint8_t *code;

	if (!prepare(row, &other, base, index, offset))
		return false;
	if (can_lock(row) && rnd() % 2)
		request.prefixes = ZYDIS_ATTRIB_HAS_LOCK;
	request.operand_count = row->form == MEM_ONLY ? 1 : 2;
	request.operands[0] = load ? other : mem;
	request.operands[1] = load ? mem : other;
	code = put_mask(row, &request);
	/* AH and its like cannot be encoded beside the newer registers. */
	if (ZYAN_FAILED(ZydisEncoderEncodeInstruction(&request, code, &len)))
		return false;
	code[len] = 0xcc;
	return true;
}

/* --- the comparison --- */

static void randomise(void)
{
	for (int i = 0; i < REG_RIP; i++)
		t.gregs[i] = (greg_t)rnd();
	t.gregs[REG_RIP] = (greg_t)(uintptr_t)t.code;
	t.gregs[REG_EFL] = (greg_t)(0x202 | (rnd() & FLAGS));
	for (size_t i = 0; i < sizeof(t.vectors); i++)
		((uint8_t *)t.vectors)[i] = (uint8_t)rnd();
	for (size_t i = 0; i < AREA; i += 8) {
		uint64_t value = rnd();

		memcpy(t.plain + i, &value, 8);
	}
	memcpy(t.behind, t.plain, AREA);
}

/* Flags that the instruction leaves undefined are not compared. */
static greg_t defined_flags(ZydisMnemonic mnemonic)
{
	const greg_t carry = 1, adjust = 0x10, overflow = 0x800;

	switch (mnemonic) {
	case ZYDIS_MNEMONIC_SHL:
	case ZYDIS_MNEMONIC_SHR:
	case ZYDIS_MNEMONIC_SAR:
	case ZYDIS_MNEMONIC_ROL:
	case ZYDIS_MNEMONIC_ROR:
	case ZYDIS_MNEMONIC_RCL:
	case ZYDIS_MNEMONIC_RCR:
		return FLAGS & ~(adjust | overflow);
	case ZYDIS_MNEMONIC_BT:
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTC:
		return carry;
	case ZYDIS_MNEMONIC_IMUL:
		return carry | overflow;
	default:
		return FLAGS;
	}
}

static void compare(const struct result *own, const struct result *ours, greg_t flags,
		    uint64_t seed)
{
	for (int i = 0; i < REG_RIP; i++) {
		greg_t a = own->gregs[i], b = ours->gregs[i];

		if (i == REG_RSP || a == b)
			continue;
		/* What pointed into one area points into the other. */
		if (b - a != (greg_t)((uintptr_t)t.trapped - (uintptr_t)t.plain))
			fail_msg("seed 0x%lx: register %d is %llx, not %llx", (unsigned long)seed,
				 i, (long long)b, (long long)a);
	}
	if ((own->gregs[REG_EFL] ^ ours->gregs[REG_EFL]) & flags)
		fail_msg("seed 0x%lx: flags are %llx, not %llx", (unsigned long)seed,
			 ours->gregs[REG_EFL] & FLAGS, own->gregs[REG_EFL] & FLAGS);
	if (memcmp(own->vectors, ours->vectors, sizeof(own->vectors)) ||
	    memcmp(own->memory, ours->memory, AREA)) {
		svf_decode_text(t.code, SVF_INSN_MAX, 0, t.name, sizeof(t.name));
		print_error("seed 0x%lx: %s\n", (unsigned long)seed, t.name);
	}
	assert_memory_equal(own->vectors, ours->vectors, sizeof(own->vectors));
	assert_memory_equal(own->memory, ours->memory, AREA);
}

static void shift_pointers(const greg_t *from)
{
	for (int i = 0; i < REG_RIP; i++)
		t.gregs[i] = from[i];
}

static void test_random(void **state)
{
	static struct result own, ours;
	unsigned int done = 0;

	(void)state;
	t.random = 0x9e3779b97f4a7c15ull;
	while (done < ROUNDS) {
		const struct template *row =
			&templates[rnd() % (sizeof(templates) / sizeof(templates[0]))];
		unsigned int size = pick_size(row);
		uint64_t offset, seed = t.random;
		greg_t plain_gregs[NGREG];
		bool aligned = row->mnemonic == ZYDIS_MNEMONIC_MOVAPS ||
			       row->mnemonic == ZYDIS_MNEMONIC_MOVNTDQ;

		if (!processor_has(row))
			continue;
		offset = row->form == MEM_BIT ? 128 + rnd() % (AREA - 256) : rnd() % (AREA - 64);
		if (aligned)
			offset &= ~15ull;
		randomise();
		memcpy(plain_gregs, t.gregs, sizeof(plain_gregs));
		{
			uint64_t again = t.random;

			if (!encode(row, t.plain, offset, size))
				continue;
			run(t.plain, t.plain, &own);
			assert_null(t.unknown);
			shift_pointers(plain_gregs);
			t.random = again;
			assert_true(encode(row, t.trapped, offset, size));
			t.traps = 0;
			run(t.trapped, t.behind, &ours);
		}
		if (t.unknown)
			fail_msg("seed 0x%lx: %s", (unsigned long)seed, t.unknown);
		/* A mask may choose nothing. */
		if (!is_masked(row))
			assert_int_not_equal(t.traps, 0);
		compare(&own, &ours, defined_flags(row->mnemonic), seed);
		done++;
	}
}

/* REP MOVS and STOS: which direction, how many, overlapping, from and to the trapped pages. */
static void test_strings(void **state)
{
	static struct result own, ours;
	static const uint8_t forms[][3] = {{0xf3, 0xa4},       {0xf3, 0xa5},
					   {0xf3, 0x48, 0xa5}, {0xf3, 0x66, 0xa5},
					   {0xf3, 0xaa},       {0xf3, 0xab},
					   {0xf3, 0x48, 0xab}, {0xa4},
					   {0x48, 0xab},       {0xac},
					   {0x66, 0xad},       {0xad},
					   {0x48, 0xad},       {0xf3, 0x48, 0xad}};

	(void)state;
	t.random = 0xd1b54a32d192ed03ull;
	for (unsigned int done = 0; done < 4000; done++) {
		const uint8_t *form = forms[rnd() % (sizeof(forms) / sizeof(forms[0]))];
		uint64_t count = rnd() % 200, from = 1600 + rnd() % 4900, to = 1600 + rnd() % 4900;
		uint64_t seed = t.random;
		bool down = rnd() % 4 == 0;

		randomise();
		memset(t.code, 0xcc, 8);
		memcpy(t.code, form, form[2] ? 3 : form[1] ? 2 : 1);
		t.gregs[REG_RCX] = (greg_t)count;
		t.gregs[REG_EFL] |= down ? 0x400 : 0;
		t.gregs[REG_RSI] = (greg_t)(uintptr_t)(t.plain + from);
		t.gregs[REG_RDI] = (greg_t)(uintptr_t)(t.plain + to);
		run(t.plain, t.plain, &own);
		t.gregs[REG_RSI] = (greg_t)(uintptr_t)(t.trapped + from);
		t.gregs[REG_RDI] = (greg_t)(uintptr_t)(t.trapped + to);
		run(t.trapped, t.behind, &ours);
		assert_null(t.unknown);
		compare(&own, &ours, FLAGS, seed);
	}
}

/* Not every processor has these, so there may be nothing to compare with. */
static void test_direct_stores(void **state)
{
	static const uint8_t movdir64b[] = {0x66, 0x0f, 0x38, 0xf8, 0x0e}; /* (%rsi), to rcx */
	static const uint8_t movdiri[] = {0x48, 0x0f, 0x38, 0xf9, 0x06};   /* %rax, (%rsi) */
	ucontext_t context = {0};
	struct svf_insn insn;
	uint64_t fault;

	(void)state;
	t.random = 88172645463325252ull;
	randomise();
	context.uc_mcontext.gregs[REG_RSI] = (greg_t)(uintptr_t)(t.plain + 100);
	context.uc_mcontext.gregs[REG_RCX] = (greg_t)(uintptr_t)(t.trapped + 192);
	assert_true(svf_decode(movdir64b, sizeof(movdir64b), &insn));
	assert_true(insn.direct);
	assert_int_equal(svf_execute(&insn, &context, &memory, &fault), 0);
	assert_memory_equal(t.behind + 192, t.plain + 100, 64);
	assert_int_equal(context.uc_mcontext.gregs[REG_RIP], sizeof(movdir64b));
	context.uc_mcontext.gregs[REG_RCX]++;
	assert_int_equal(svf_execute(&insn, &context, &memory, &fault), SIGSEGV);
	assert_int_equal(fault, 0);
	context.uc_mcontext.gregs[REG_RSI] = (greg_t)(uintptr_t)(t.trapped + 8);
	context.uc_mcontext.gregs[REG_RAX] = 0x1234567890abcdef;
	assert_true(svf_decode(movdiri, sizeof(movdiri), &insn));
	assert_int_equal(svf_execute(&insn, &context, &memory, &fault), 0);
	assert_memory_equal(t.behind + 8, &context.uc_mcontext.gregs[REG_RAX], 8);
}

static void test_unknown(void **state)
{
	static const uint8_t fxsave[] = {0x0f, 0xae, 0x00, 0xcc}, junk[] = {0x06, 0xcc};
	struct svf_insn insn;
	char text[96];

	(void)state;
	assert_false(svf_decode(fxsave, sizeof(fxsave), &insn));
	assert_int_equal(svf_decode_text(fxsave, sizeof(fxsave), 0x1000, text, sizeof(text)), 3);
	assert_string_equal(text, "fxsave [rax]");
	assert_false(svf_decode(junk, sizeof(junk), &insn));
	assert_int_equal(svf_decode_text(junk, sizeof(junk), 0x1000, text, sizeof(text)), 2);
	assert_string_equal(text, "which is none");
	svf_decode_text(junk, sizeof(junk), 0x1000, text, 3);
	assert_string_equal(text, "wh");
}

static int setup(void **state)
{
	int fd = memfd_create("pages", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, AREA), 0);
	t.behind = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	t.trapped = mmap(NULL, AREA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	t.plain = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	t.code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	assert_ptr_not_equal(t.behind, MAP_FAILED);
	assert_ptr_not_equal(t.trapped, MAP_FAILED);
	assert_ptr_not_equal(t.plain, MAP_FAILED);
	assert_ptr_not_equal(t.code, MAP_FAILED);
	close(fd);
	return 0;
}

/* Each test: cmocka takes the signals for itself before it. */
static void with_handlers(void (*test)(void **state), void **state)
{
	handle(SIGUSR1, on_enter);
	handle(SIGSEGV, on_segv);
	handle(SIGTRAP, on_trap);
	test(state);
}

static void random_instructions(void **state)
{
	with_handlers(test_random, state);
}

static void strings(void **state)
{
	with_handlers(test_strings, state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_instructions),
		cmocka_unit_test(strings),
		cmocka_unit_test(test_direct_stores),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
