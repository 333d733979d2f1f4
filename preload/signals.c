/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGSEGV and SIGILL, shared between the trap and the client.
 *
 * From the first trapped mapping on the process's handlers of the two are ours. The client goes on
 * as if it had them: its sigaction is remembered and answered here, and a fault that is not the
 * trap's is handed to its handler, with the mask and flags it asked for, or ends the process as the
 * kernel would have ended it.
 *
 * A blocked SIGSEGV is deadly when a fault raises it. So the two are never really blocked, from the
 * start of the process on, since masks of other threads cannot be changed later; what the client
 * believes is kept for each thread, and decides what becomes of a fault that is its own.
 */
#include "preload/signals.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "preload/trap.h"

/* glibc's own sigaction, which it also exports under this name. */
extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

static const int ours[] = {SIGSEGV, SIGILL};
#define OURS (sizeof(ours) / sizeof(ours[0]))

static struct {
	atomic_flag locked;
	_Atomic bool taken;
	struct sigaction client[OURS];
} state;

/* What the client of this thread believes to be blocked. */
static __thread bool believed[OURS] __attribute__((tls_model("initial-exec")));

static int index_of(int number)
{
	for (size_t i = 0; i < OURS; i++) {
		if (ours[i] == number)
			return (int)i;
	}
	return -1;
}

static long set_mask(int how, const uint64_t *set, uint64_t *old)
{
	return syscall(SYS_rt_sigprocmask, how, set, old, sizeof(*set));
}

static void lock(uint64_t *ret_saved)
{
	uint64_t all = ~0ull;

	set_mask(SIG_SETMASK, &all, ret_saved);
	while (atomic_flag_test_and_set_explicit(&state.locked, memory_order_acquire))
		;
}

static void unlock(const uint64_t *saved)
{
	atomic_flag_clear_explicit(&state.locked, memory_order_release);
	set_mask(SIG_SETMASK, saved, NULL);
}

/* --- handing on --- */

/* As if nobody had handled it: the instruction is run again, or the signal sent again. */
static void end_by(int number, const siginfo_t *info)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	__sigaction(number, &action, NULL);
	if (info->si_code <= 0 || number == SIGBUS)
		syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), number);
}

static void call_client(int index, int number, siginfo_t *info, ucontext_t *context)
{
	struct sigaction action = state.client[index];
	uint64_t mask, wanted;

	if (action.sa_flags & (int)SA_RESETHAND)
		state.client[index].sa_handler = SIG_DFL;
	memcpy(&mask, &context->uc_sigmask, sizeof(mask));
	memcpy(&wanted, &action.sa_mask, sizeof(wanted));
	mask |= wanted;
	for (size_t i = 0; i < OURS; i++)
		mask &= ~(1ull << (ours[i] - 1));
	set_mask(SIG_SETMASK, &mask, NULL);
	if (action.sa_flags & SA_SIGINFO)
		action.sa_sigaction(number, info, context);
	else
		action.sa_handler(number);
}

static void deliver(int number, siginfo_t *info, ucontext_t *context)
{
	int index = index_of(number);
	bool sent = info->si_code <= 0;

	/* A device that does not answer: SIGBUS is the client's own all the time, but deadly when blocked. */
	if (index < 0) {
		if (sigismember(&context->uc_sigmask, number)) {
			end_by(number, info);
			sigdelset(&context->uc_sigmask, number);
			return;
		}
		syscall(SYS_rt_tgsigqueueinfo, syscall(SYS_getpid), syscall(SYS_gettid), number,
			info);
		return;
	}
	if (sent && state.client[index].sa_handler == SIG_IGN)
		return;
	if (state.client[index].sa_handler == SIG_DFL ||
	    state.client[index].sa_handler == SIG_IGN || (!sent && believed[index]))
		end_by(number, info);
	else
		call_client(index, number, info, context);
}

static void caught(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	if (info->si_code <= 0 || !svf_trap_handle(&number, info, context))
		deliver(number, info, context);
	errno = saved;
}

int svf_signals_take(void)
{
	struct sigaction action = {.sa_sigaction = caught,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	uint64_t saved;
	int err = 0;

	sigfillset(&action.sa_mask);
	lock(&saved);
	for (size_t i = 0; i < OURS && !state.taken && !err; i++)
		err = __sigaction(ours[i], &action, &state.client[i]) ? errno : 0;
	if (!err)
		state.taken = true;
	unlock(&saved);
	return err;
}

/* --- the client's calls --- */

/* Of its mask only what the trap can live with is real. */
static struct sigaction without_ours(const struct sigaction *action)
{
	struct sigaction copy = *action;

	for (size_t i = 0; i < OURS; i++)
		sigdelset(&copy.sa_mask, ours[i]);
	return copy;
}

int svf_preload_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction copy;
	int index = index_of(number);
	uint64_t saved;

	if (index < 0 || !state.taken) {
		if (!action)
			return __sigaction(number, NULL, old);
		copy = without_ours(action);
		return __sigaction(number, &copy, old);
	}
	lock(&saved);
	copy = state.client[index];
	if (action)
		state.client[index] = *action;
	unlock(&saved);
	if (old)
		*old = copy;
	return 0;
}

static void believe(int how, uint64_t set)
{
	for (size_t i = 0; i < OURS; i++) {
		bool in = set >> (ours[i] - 1) & 1;

		if (how == SIG_SETMASK)
			believed[i] = in;
		else if (in)
			believed[i] = how == SIG_BLOCK;
	}
}

/* glibc's own signals, which nobody may block. */
#define LIBC_SIGNALS (3ull << 31)

int svf_preload_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	uint64_t wanted = 0, real, before = 0, was = 0;
	long err;

	for (size_t i = 0; i < OURS; i++)
		was |= (uint64_t)believed[i] << (ours[i] - 1);
	if (set)
		memcpy(&wanted, set, sizeof(wanted));
	real = wanted;
	if (how != SIG_UNBLOCK)
		real &= ~LIBC_SIGNALS;
	for (size_t i = 0; i < OURS && how != SIG_UNBLOCK; i++)
		real &= ~(1ull << (ours[i] - 1));
	err = set_mask(how, set ? &real : NULL, &before);
	if (err)
		return errno;
	if (set)
		believe(how, wanted);
	if (old) {
		before |= was;
		memset(old, 0, sizeof(*old));
		memcpy(old, &before, sizeof(before));
	}
	return 0;
}
