/* SPDX-License-Identifier: BSD-3-Clause */
/* Stacks of our own; see stack.h. */
#include "preload/stack.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* As many accesses may be under way at once, and more on the stacks they came from. */
#define STACKS 16u
#define SIZE   16384u

static struct {
	atomic_flag busy[STACKS];
	_Alignas(16) uint8_t memory[STACKS][SIZE];
} stacks;

struct call {
	svf_stack_call *run;
	int *number;
	siginfo_t *info;
	void *context;
	bool result;
};

static void make_call(struct call *call)
{
	call->result = call->run(call->number, call->info, call->context);
}

static void call_on(uint8_t *top, struct call *call)
{
	register struct call *argument __asm__("rdi") = call;
	register uint8_t *stack __asm__("rbx") = top;
	register void (*function)(struct call *) __asm__("rax") = make_call;

	__asm__ volatile("xchg %%rbx, %%rsp\n\t"
			 "call *%%rax\n\t"
			 "mov %%rbx, %%rsp"
			 : "+r"(argument), "+r"(stack), "+r"(function)
			 :
			 : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0",
			   "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

bool svf_stack_run(svf_stack_call *run, int *number, siginfo_t *info, void *context)
{
	struct call call = {.run = run, .number = number, .info = info, .context = context};

	for (size_t i = 0; i < STACKS; i++) {
		if (atomic_flag_test_and_set_explicit(&stacks.busy[i], memory_order_acquire))
			continue;
		call_on(stacks.memory[i] + SIZE, &call);
		atomic_flag_clear_explicit(&stacks.busy[i], memory_order_release);
		return call.result;
	}
	make_call(&call);
	return call.result;
}

void svf_stacks_forked(void)
{
	for (size_t i = 0; i < STACKS; i++)
		atomic_flag_clear(&stacks.busy[i]);
}
