/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGSEGV and SIGILL, shared between the trap and the client.
 *
 * From the first trapped mapping on the process's handlers of the two are ours. The client goes on
 * as if it had them: its sigaction is remembered and answered here, and a fault that is not the
 * trap's is handed to its handler, with the mask and flags it asked for, or ends the process as the
 * kernel would have ended it. The alternate stack is used when the client's handler asks for it.
 *
 * A blocked SIGSEGV is deadly when a fault raises it. So the two are never really blocked, from the
 * start of the process on, since masks of other threads cannot be changed later. What the client
 * believes must go wherever its masks go: to new threads, through siglongjmp, into handlers and back out of
 * them. So a mask says it itself, by a stand-in: SIGSTKFLT, which Linux never sends, is blocked where
 * SIGSEGV is believed to be. What the client asks of SIGSTKFLT is forgotten, and SIGILL is believed to be
 * what SIGSEGV is. A SIGSEGV that is sent (kill) while it is believed to be blocked is delivered all the same.
 *
 * Masks that pselect and epoll_pwait put on for as long as they wait are the client's own: a handler
 * that runs meanwhile must not meet a trapped page if they block SIGSEGV.
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

#include "preload/stack.h"
#include "preload/trap.h"

/* glibc's own sigaction, which it also exports under this name. */
extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

static const int ours[] = {SIGSEGV, SIGILL};
#define OURS (sizeof(ours) / sizeof(ours[0]))

static struct {
	atomic_flag locked;
	_Atomic bool taken;
	_Atomic pid_t
		process; /* whose handlers they are: a child of vfork has this memory, and its own */
	struct sigaction client[OURS];
} state;

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

/* --- masks --- */

#define BIT(number) (1ull << ((number)-1))
#define TAKEN	    (BIT(SIGSEGV) | BIT(SIGILL))
#define STAND_IN    BIT(SIGSTKFLT)

/* What is really blocked where the client wants this. */
static uint64_t to_real(uint64_t wanted)
{
	return (wanted & ~(TAKEN | STAND_IN)) | (wanted & BIT(SIGSEGV) ? STAND_IN : 0);
}

/* And back. A mask that has SIGTRAP, as hardly one has, is one of all signals. */
static uint64_t to_believed(uint64_t real)
{
	uint64_t rest = real & ~(TAKEN | STAND_IN);

	if (!(real & (BIT(SIGSEGV) | STAND_IN)))
		return rest;
	return rest | (real & BIT(SIGTRAP) ? TAKEN | STAND_IN : BIT(SIGSEGV));
}

static uint64_t mask_of(const sigset_t *set)
{
	uint64_t mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

static sigset_t set_of(uint64_t mask)
{
	sigset_t set;

	sigemptyset(&set);
	memcpy(&set, &mask, sizeof(mask));
	return set;
}

sigset_t svf_signals_real_mask(const sigset_t *wanted)
{
	return set_of(to_real(mask_of(wanted)));
}

/* A sigaction of the client's, or what it is told of one. */
static void translate_action(struct sigaction *action, uint64_t (*translate)(uint64_t))
{
	action->sa_mask = set_of(translate(mask_of(&action->sa_mask)));
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

/* With the mask of the interrupted code, the handler's own, and the signal itself. */
static void call_client(int index, int number, siginfo_t *info, ucontext_t *context)
{
	struct sigaction action = state.client[index];
	uint64_t wanted = mask_of(&action.sa_mask), mask;

	if (action.sa_flags & (int)SA_RESETHAND)
		state.client[index].sa_handler = SIG_DFL;
	if (!(action.sa_flags & SA_NODEFER))
		wanted |= BIT(number);
	mask = mask_of(&context->uc_sigmask) | to_real(wanted);
	mask &= ~TAKEN;
	set_mask(SIG_SETMASK, &mask, NULL);
	if (action.sa_flags & SA_SIGINFO)
		action.sa_sigaction(number, info, context);
	else
		action.sa_handler(number);
}

/*
 * A device that does not answer. SIGBUS is the client's own all the time: it is sent, and comes before the
 * instruction is run again. A fault that cannot be delivered is deadly.
 */
static void deliver_bus(int number, siginfo_t *info, ucontext_t *context)
{
	struct sigaction action;

	if (sigismember(&context->uc_sigmask, number) || __sigaction(number, NULL, &action) ||
	    action.sa_handler == SIG_IGN) {
		end_by(number, info);
		sigdelset(&context->uc_sigmask, number);
		return;
	}
	syscall(SYS_rt_tgsigqueueinfo, syscall(SYS_getpid), syscall(SYS_gettid), number, info);
}

static void deliver(int number, siginfo_t *info, ucontext_t *context)
{
	bool sent = info->si_code <= 0, blocked = mask_of(&context->uc_sigmask) & STAND_IN;
	int index = index_of(number);
	void (*handler)(int);

	if (index < 0) {
		deliver_bus(number, info, context);
		return;
	}
	handler = state.client[index].sa_handler;
	if (sent && handler == SIG_IGN)
		return;
	if (handler == SIG_DFL || handler == SIG_IGN || (!sent && blocked))
		end_by(number, info);
	else
		call_client(index, number, info, context);
}

static void caught(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	if (info->si_code <= 0 || !svf_stack_run(svf_trap_handle, &number, info, context))
		deliver(number, info, context);
	errno = saved;
}

/* --- taking the signals --- */

static int install(int number, int client_flags, struct sigaction *old)
{
	struct sigaction action = {.sa_sigaction = caught,
				   .sa_flags =
					   SA_SIGINFO | SA_RESTART | (client_flags & SA_ONSTACK)};

	sigfillset(&action.sa_mask);
	return __sigaction(number, &action, old) ? errno : 0;
}

static int take(int index)
{
	struct sigaction *client = &state.client[index];
	int err = __sigaction(ours[index], NULL, client) ? errno : 0;

	translate_action(client, to_believed);
	return err ? err : install(ours[index], client->sa_flags, NULL);
}

int svf_signals_take(void)
{
	uint64_t saved;
	int err = 0;

	lock(&saved);
	for (size_t i = 0; i < OURS && !state.taken && !err; i++)
		err = take((int)i);
	if (!err && !state.taken) {
		state.process = getpid();
		state.taken = true;
		/* Whoever started the program may have blocked them. */
		saved = to_real(to_believed(saved));
	}
	unlock(&saved);
	return err;
}

void svf_signals_forked(void)
{
	state.process = getpid();
}

/* --- the client's calls --- */

/* The process's real one, with masks as the trap can live with them. */
static int real_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction copy;
	int ret;

	if (action) {
		copy = *action;
		translate_action(&copy, to_real);
	}
	ret = __sigaction(number, action ? &copy : NULL, old);
	if (!ret && old)
		translate_action(old, to_believed);
	return ret;
}

int svf_preload_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	struct sigaction copy;
	int index = index_of(number), err = 0;
	uint64_t saved;

	if (index < 0 || !state.taken || state.process != getpid())
		return real_sigaction(number, action, old);
	lock(&saved);
	copy = state.client[index];
	if (action && (action->sa_flags ^ copy.sa_flags) & SA_ONSTACK)
		err = install(number, action->sa_flags, NULL);
	if (action && !err)
		state.client[index] = *action;
	unlock(&saved);
	if (err) {
		errno = err;
		return -1;
	}
	if (old)
		*old = copy;
	return 0;
}

/* glibc's own signals, which nobody may block. */
#define LIBC_SIGNALS (3ull << 31)

int svf_preload_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	uint64_t wanted = set ? mask_of(set) : 0, real = to_real(wanted), before = 0;

	/* Unblocking what was blocked before the process began is right. */
	if (how == SIG_UNBLOCK)
		real |= wanted & TAKEN;
	else
		real &= ~LIBC_SIGNALS;
	if (set_mask(how, set ? &real : NULL, &before))
		return errno;
	if (old)
		*old = set_of(to_believed(before));
	return 0;
}
