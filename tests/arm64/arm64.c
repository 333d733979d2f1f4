/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AArch64 loads and stores on a trapped page against an AArch64 processor's own execution on plain memory, here
 * the one that qemu-aarch64 is: registers, vectors and memory must come out the same. Encodings are random words
 * of the classes that hold loads and stores. What is known must be an instruction to the processor, too.
 *
 * How one is run: as in tests/unit/test_preload_execute.c, by the context of a signal handler, and a breakpoint
 * behind the instruction. Handlers have a stack of their own, as the stack pointer may be a base.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <asm/sigcontext.h>

#include "preload/arm64.h"

#define PAGE	   4096u
#define AREA	   (2 * PAGE)
#define ROUNDS	   4000u
#define BREAKPOINT 0xd4200000u

struct result {
	uint64_t general[31], sp;
	uint8_t vectors[32][16], memory[AREA];
	int signal;
};

static struct {
	uint8_t *plain, *trapped, *behind; /* behind: what is under the trapped pages */
	uint32_t *code;
	sigjmp_buf back;
	struct result start; /* without memory */
	struct result *result;
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

static void fail(uint32_t code, const char *what)
{
	printf("%08x: %s\n", code, what);
	exit(1);
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

static const struct svf_memory memory = {.read = read_memory, .write = write_memory};

/* --- running --- */

static struct fpsimd_context *vectors_of(ucontext_t *context)
{
	struct _aarch64_ctx *head = (struct _aarch64_ctx *)context->uc_mcontext.__reserved;

	while (head->magic && head->magic != FPSIMD_MAGIC)
		head = (struct _aarch64_ctx *)((uint8_t *)head + head->size);
	if (!head->magic)
		abort();
	return (struct fpsimd_context *)head;
}

static void on_enter(int number, siginfo_t *info, void *arg)
{
	ucontext_t *context = arg;

	(void)number;
	(void)info;
	for (int i = 0; i < 31; i++)
		context->uc_mcontext.regs[i] = t.start.general[i];
	context->uc_mcontext.sp = t.start.sp;
	context->uc_mcontext.pc = (uintptr_t)t.code;
	memcpy(vectors_of(context)->vregs, t.start.vectors, sizeof(t.start.vectors));
}

static void keep(ucontext_t *context, int number)
{
	for (int i = 0; i < 31; i++)
		t.result->general[i] = context->uc_mcontext.regs[i];
	t.result->sp = context->uc_mcontext.sp;
	memcpy(t.result->vectors, vectors_of(context)->vregs, sizeof(t.result->vectors));
	t.result->signal = number;
	siglongjmp(t.back, 1);
}

/* The breakpoint, or what should not happen. */
static void on_end(int number, siginfo_t *info, void *arg)
{
	(void)info;
	keep(arg, number);
}

static void on_segv(int number, siginfo_t *info, void *arg)
{
	ucontext_t *context = arg;
	unsigned long long general[31], sp = context->uc_mcontext.sp, pc = context->uc_mcontext.pc;
	struct svf_arm64_state state = {.general = (uint64_t *)general,
					.sp = (uint64_t *)&sp,
					.pc = (uint64_t *)&pc,
					.vectors = vectors_of(context)->vregs};
	struct svf_arm64_insn insn;
	uint64_t fault;

	(void)info;
	for (int i = 0; i < 31; i++)
		general[i] = context->uc_mcontext.regs[i];
	if (t.traps++ || !svf_arm64_decode(*t.code, &insn) ||
	    svf_arm64_execute(&insn, &state, &memory, &fault))
		keep(context, number);
	for (int i = 0; i < 31; i++)
		context->uc_mcontext.regs[i] = general[i];
	context->uc_mcontext.sp = sp;
	context->uc_mcontext.pc = pc;
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigfillset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void run(const uint8_t *contents, struct result *result)
{
	t.result = result;
	t.traps = 0;
	if (!sigsetjmp(t.back, 1))
		raise(SIGUSR1);
	memcpy(result->memory, contents, AREA);
}

/* --- instructions --- */

/* A random word of one of the classes. */
static uint32_t pick(void)
{
	static const struct {
		uint32_t mask, value;
	} classes[] = {
		{0x3b000000, 0x39000000}, /* one register, unsigned offset */
		{0x3b200000, 0x38000000}, /* unscaled, behind, unprivileged, in front */
		{0x3b200c00, 0x38200800}, /* a register as offset */
		{0x3a000000, 0x28000000}, /* a pair */
		{0x3fbffc00, 0x089ffc00}, /* ordered */
	};
	unsigned int i = (unsigned int)(rnd() % (sizeof(classes) / sizeof(classes[0])));

	return ((uint32_t)rnd() & ~classes[i].mask) | classes[i].value;
}

static uint64_t *base_register(const struct svf_arm64_insn *insn)
{
	return insn->base == 31 ? &t.start.sp : &t.start.general[insn->base];
}

/* Whether it can be run in two places and give the same: a pointer into one of them is no data. */
static bool is_comparable(const struct svf_arm64_insn *insn)
{
	if (insn->base == SVF_ARM64_NONE || insn->base == insn->index)
		return false;
	return insn->load || insn->vector ||
	       (insn->base != insn->reg && insn->base != insn->reg2) || insn->base == 31;
}

/* The base such that it accesses offset of an area. */
static void aim(const struct svf_arm64_insn *insn, const uint8_t *area, uint64_t offset,
		int64_t index)
{
	uint64_t address = (uintptr_t)area + offset;

	if (insn->index != SVF_ARM64_NONE && insn->index != 31) {
		/* The upper half counts for nothing where 32 bits are extended. */
		t.start.general[insn->index] =
			insn->extend & 1 ? (uint64_t)index
					 : ((uint64_t)index & 0xffffffff) | 0x5a5a5a5a00000000;
		address -= (uint64_t)index << insn->shift;
	}
	if (insn->before)
		address -= (uint64_t)insn->offset;
	*base_register(insn) = address;
}

static void randomise(void)
{
	for (int i = 0; i < 31; i++)
		t.start.general[i] = rnd();
	t.start.sp = (uintptr_t)t.plain;
	for (size_t i = 0; i < sizeof(t.start.vectors); i++)
		((uint8_t *)t.start.vectors)[i] = (uint8_t)rnd();
	for (size_t i = 0; i < AREA; i += 8) {
		uint64_t value = rnd();

		memcpy(t.plain + i, &value, 8);
	}
	memcpy(t.behind, t.plain, AREA);
}

static void compare(uint32_t code, const struct result *own, const struct result *ours)
{
	uint64_t apart = (uintptr_t)t.trapped - (uintptr_t)t.plain;

	if (own->signal != SIGTRAP)
		fail(code, "the processor does not know it");
	if (ours->signal != SIGTRAP || t.traps != 1)
		fail(code, "not carried out");
	for (int i = 0; i < 31; i++) {
		if (own->general[i] != ours->general[i] &&
		    ours->general[i] - own->general[i] != apart)
			fail(code, "a register differs");
	}
	if (own->sp != ours->sp && ours->sp - own->sp != apart)
		fail(code, "the stack pointer differs");
	if (memcmp(own->vectors, ours->vectors, sizeof(own->vectors)))
		fail(code, "a vector differs");
	if (memcmp(own->memory, ours->memory, AREA))
		fail(code, "memory differs");
}

/* Return: whether it was one that can be compared. */
static bool try_one(uint32_t code)
{
	static struct result own, ours;
	struct svf_arm64_insn insn;
	uint64_t offset = 1024 + rnd() % (AREA - 2048);
	int64_t index = (int64_t)(rnd() % 120) - 60;

	if (!svf_arm64_decode(code, &insn) || !is_comparable(&insn))
		return false;
	if (insn.index != SVF_ARM64_NONE && !(insn.extend & 4) && index < 0)
		index = -index;
	/* The stack pointer must be aligned, and ordered accesses. */
	if (insn.base == 31 || (code >> 24 & 0x3f) == 8)
		offset &= ~15ull;
	if (insn.base == 31) {
		index &= ~15ll;
		if (insn.offset % 16)
			return false;
	}
	randomise();
	t.code[0] = code;
	t.code[1] = BREAKPOINT;
	__builtin___clear_cache((char *)t.code, (char *)(t.code + 2));
	aim(&insn, t.plain, offset, index);
	run(t.plain, &own);
	aim(&insn, t.trapped, offset, index);
	run(t.behind, &ours);
	compare(code, &own, &ours);
	return true;
}

/* --- what cannot be compared --- */

static void literals(void)
{
	static const uint64_t data[4] = {0x8877665544332211, 0xffeeddccbbaa9988, 1, 2};
	unsigned long long general[31] = {0}, sp = 0, pc = (uintptr_t)data - 16;
	uint8_t vectors[32][16] = {{0}};
	struct svf_arm64_state state = {.general = (uint64_t *)general,
					.sp = (uint64_t *)&sp,
					.pc = (uint64_t *)&pc,
					.vectors = vectors};
	/* ldr x1, .+16; ldrsw x2, .+20; ldr w3, .+8; ldr q4, .+4 */
	static const uint32_t codes[] = {0x58000081, 0x980000a2, 0x18000043, 0x9c000024};
	struct svf_arm64_insn insn;
	uint64_t fault;

	for (int i = 0; i < 4; i++) {
		if (!svf_arm64_decode(codes[i], &insn) ||
		    svf_arm64_execute(&insn, &state, &memory, &fault))
			fail(codes[i], "a literal");
	}
	if (general[1] != data[0] || general[2] != 0xffffffffbbaa9988 || general[3] != 0x44332211 ||
	    memcmp(vectors[4], data, 16))
		fail(0, "contents of literals");
}

/* Atomics, exclusives, prefetches, what is unpredictable, and no loads or stores at all. */
static void unknown(void)
{
	static const uint32_t codes[] = {
		0xb8210041, /* ldadd w1, w1, [x2] */
		0x885f7c41, /* ldxr w1, [x2] */
		0xf9800040, /* prfm pldl1keep, [x2] */
		0xf8408442, /* ldr x2, [x2], #8 */
		0xa9400441, /* ldp x1, x1, [x2] */
		0x8b020020, /* add x0, x1, x2 */
		0xd503201f, /* nop */
		0x00000000,
	};
	struct svf_arm64_insn insn;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (svf_arm64_decode(codes[i], &insn))
			fail(codes[i], "is taken for a load or store");
	}
}

static void prepare(void)
{
	static uint8_t stack[65536];
	stack_t with = {.ss_sp = stack, .ss_size = sizeof(stack)};
	int fd = memfd_create("pages", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, AREA))
		exit(2);
	t.behind = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	t.trapped = mmap(NULL, AREA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	t.plain = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	t.code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (t.behind == MAP_FAILED || t.trapped == MAP_FAILED || t.plain == MAP_FAILED ||
	    t.code == MAP_FAILED || sigaltstack(&with, NULL))
		exit(2);
	handle(SIGUSR1, on_enter);
	handle(SIGSEGV, on_segv);
	handle(SIGTRAP, on_end);
	handle(SIGILL, on_end);
	handle(SIGBUS, on_end);
}

int main(void)
{
	unsigned int done = 0;

	prepare();
	literals();
	unknown();
	t.random = 0x9e3779b97f4a7c15ull;
	while (done < ROUNDS)
		done += try_one(pick());
	printf("%u instructions\n", done);
	return 0;
}
