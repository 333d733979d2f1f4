/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stacks of our own, for carrying out an access in a signal handler: the client's may be an alternate one
 * with room for little more than the signal's frame.
 */
#ifndef SVF_PRELOAD_STACK_H
#define SVF_PRELOAD_STACK_H

#include <signal.h>
#include <stdbool.h>

typedef bool svf_stack_call(int *number, siginfo_t *info, void *context);

/*
 * run(number, info, context) on a stack of ours, or where there is none left on the caller's. All signals are
 * blocked, and it returns.
 */
bool svf_stack_run(svf_stack_call *run, int *number, siginfo_t *info, void *context);

/* In a child of fork(): what other threads had is free. */
void svf_stacks_forked(void);

#endif
