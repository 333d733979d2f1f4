/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals of a program that loads from and stores to a trapped BAR: its own handlers, masks and stacks, of
 * SIGSEGV and others, are as if nothing were trapped.
 *
 *	trap-signals BDF
 *
 * BAR 0 of the function keeps what is written to it. Prints what is wrong, and "N wrong".
 */
#include "trap.h"

#include <poll.h>
#include <pthread.h>
#include <sys/auxv.h>

/* An alternate stack, and what lies below it. */
static uint8_t guard[256 + 65536] __attribute__((aligned(64)));

static bool killed_by(int status, int number)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == number;
}

/* --- handlers --- */

static void nested(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	registers[16]++;
	count++;
}

/* The handler runs, not jumps: the access is made again afterwards, and succeeds. */
static void repair(int number, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);

	(void)number;
	(void)context;
	registers[17] = 17;
	mmap((void *)page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	     -1, 0);
	count++;
}

static void jump_plainly(int number)
{
	siglongjmp(back, number);
}

/* What signal() is when a program asks for standard C alone. */
extern sighandler_t __sysv_signal(int number, sighandler_t handler);

static void own_handlers(void)
{
	volatile uint32_t *hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction old;

	handle(SIGSEGV, jump, SA_ONSTACK);
	check(!sigaction(SIGSEGV, NULL, &old) && old.sa_sigaction == jump &&
		      old.sa_flags & SA_ONSTACK,
	      "handlers", "sigaction tells the client's own");
	check(load(hole) == SIGSEGV && caught.si_addr == hole, "handlers", "a fault of its own");
	count = 0;
	handle(SIGSEGV, repair, 0);
	*hole = 5;
	check(count == 1 && *hole == 5 && registers[17] == 17, "handlers", "one that returns");
	munmap((void *)(uintptr_t)hole, PAGE);
	hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	handle(SIGSEGV, jump, (int)SA_RESETHAND);
	check(load(hole) == SIGSEGV && !sigaction(SIGSEGV, NULL, &old) && old.sa_handler == SIG_DFL,
	      "handlers", "one for once only");
	check(__sysv_signal(SIGSEGV, jump_plainly) == SIG_DFL && !sigaction(SIGSEGV, NULL, &old) &&
		      old.sa_handler == jump_plainly && old.sa_flags & SA_NODEFER &&
		      load(hole) == SIGSEGV,
	      "handlers", "System V's");
	munmap((void *)(uintptr_t)hole, PAGE);
	check(signal(SIGSEGV, SIG_IGN) == SIG_DFL && raise(SIGSEGV) == 0 &&
		      signal(SIGSEGV, SIG_DFL) == SIG_IGN,
	      "handlers", "ignored when it is sent");
}

/* Once out of a handler by a jump, the next fault comes like the first. */
static void jumps(void)
{
	volatile uint32_t *hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool good = true;

	handle(SIGSEGV, jump, 0);
	for (unsigned int i = 0; i < 20; i++) {
		good = good && load(hole) == SIGSEGV && store(hole) == SIGSEGV;
		registers[18] = i;
		good = good && registers[18] == i;
	}
	check(good, "jumps", "fault, access, fault");
	munmap((void *)(uintptr_t)hole, PAGE);
}

static void fault_again(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	registers[19] = 19;
	if (++count == 3)
		_exit(7);
	*(volatile int *)8 = 1;
}

static void fault_in_handler(void)
{
	handle(SIGSEGV, fault_again, 0);
	*(volatile int *)8 = 1;
}

static void fault_in_handler_undeferred(void)
{
	handle(SIGSEGV, fault_again, SA_NODEFER);
	*(volatile int *)8 = 1;
}

static void fault_without_handler(void)
{
	signal(SIGSEGV, SIG_DFL);
	*(volatile int *)8 = 1;
}

static void fault_while_blocked(void)
{
	sigset_t all;

	handle(SIGSEGV, jump, 0);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	*(volatile int *)8 = 1;
}

static void bus_error_ignored(void)
{
	signal(SIGBUS, SIG_IGN);
	close_range(3, ~0u, 0);
	(void)registers[0];
}

static void deadly(void)
{
	static const struct {
		void (*run)(void);
		const char *what;
		int number; /* 0: it exits with 7 */
	} all[] = {
		{fault_without_handler, "a fault", SIGSEGV},
		{fault_while_blocked, "a fault while it is blocked", SIGSEGV},
		{fault_in_handler, "a fault in its handler", SIGSEGV},
		{fault_in_handler_undeferred, "the same with SA_NODEFER", 0},
		{bus_error_ignored, "a device that does not answer, ignored", SIGBUS},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int status;

		count = 0;
		status = in_child(all[i].run);
		check(all[i].number ? killed_by(status, all[i].number)
				    : WIFEXITED(status) && WEXITSTATUS(status) == 7,
		      "deadly", all[i].what);
	}
}

/* --- masks --- */

static void masks(void)
{
	sigset_t all, old, now;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	registers[20] = 20;
	check(registers[20] == 20, "masks", "with all signals blocked");
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	check(sigismember(&now, SIGSEGV) && sigismember(&now, SIGTERM), "masks",
	      "they look blocked");
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigprocmask(SIG_BLOCK, NULL, &now);
	check(!sigismember(&now, SIGSEGV) && !sigismember(&now, SIGTERM), "masks",
	      "and are not any more");
	count = 0;
	registers[16] = 0;
	handle(SIGUSR1, nested, 0);
	for (unsigned int i = 0; i < 50; i++) {
		raise(SIGUSR1);
		registers[21] = i;
	}
	check(count == 50 && registers[16] == 50, "masks", "registers in a signal handler");
}

/* A handler that runs with everything blocked while the program waits. */
static void waiting(void)
{
	struct timespec none = {0};
	sigset_t set, before;

	handle(SIGUSR1, nested, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &before);
	count = 0;
	registers[16] = 0;
	sigfillset(&set);
	sigdelset(&set, SIGUSR1);
	raise(SIGUSR1);
	check(sigsuspend(&set) == -1 && errno == EINTR && count == 1 && registers[16] == 1,
	      "waiting", "sigsuspend");
	raise(SIGUSR1);
	check(ppoll(NULL, 0, &none, &set) == -1 && errno == EINTR && count == 2 &&
		      registers[16] == 2,
	      "waiting", "ppoll");
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* All masks of a handler's, too: as they were asked for, and without harm. */
static void in_handlers(void)
{
	struct sigaction action = {.sa_sigaction = nested, .sa_flags = SA_SIGINFO}, old;

	sigfillset(&action.sa_mask);
	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGUSR2, NULL, &old);
	check(sigismember(&old.sa_mask, SIGSEGV) && sigismember(&old.sa_mask, SIGHUP), "masks",
	      "of a handler");
	count = 0;
	raise(SIGUSR2);
	check(count == 1, "masks", "registers in a handler that blocks everything");
	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGUSR2, NULL, &old);
	check(!sigismember(&old.sa_mask, SIGSEGV), "masks", "of another");
}

static void *blocked_thread(void *arg)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	registers[23] = 23;
	return sigismember(&now, SIGSEGV) && registers[23] == 23 ? arg : NULL;
}

/* A thread begins with its maker's mask. */
static void inherited(void)
{
	pthread_t id;
	sigset_t all, before;
	void *result;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_create(&id, NULL, blocked_thread, guard);
	pthread_join(id, &result);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	check(result == guard, "masks", "of a new thread");
}

/* --- stacks --- */

static void *handler_at;

static void note_stack(int number, siginfo_t *info, void *context)
{
	handler_at = __builtin_frame_address(0);
	jump(number, info, context);
}

static bool on_stack(const stack_t *stack)
{
	return handler_at >= stack->ss_sp &&
	       (uint8_t *)handler_at < (uint8_t *)stack->ss_sp + stack->ss_size;
}

static void on_alternate_stack(int number)
{
	(void)number;
	registers[22]++;
}

/* size bytes, in front of which nothing may be written. */
static void alternate_stack(size_t size, const char *part)
{
	stack_t with = {.ss_sp = guard + 256, .ss_size = size}, without = {.ss_flags = SS_DISABLE};
	struct sigaction action = {.sa_handler = on_alternate_stack, .sa_flags = SA_ONSTACK};

	memset(guard, 0x5e, 256);
	check(!sigaltstack(&with, NULL), part, "sigaltstack");
	handle(SIGSEGV, note_stack, SA_ONSTACK);
	registers[22] = 22;
	check(registers[22] == 22, part, "an access");
	check(load((volatile uint32_t *)8) == SIGSEGV && on_stack(&with), part,
	      "a fault is handled on it");
	handle(SIGSEGV, note_stack, 0);
	check(load((volatile uint32_t *)8) == SIGSEGV && !on_stack(&with), part,
	      "or not, without SA_ONSTACK");
	registers[22] = 21;
	if (size >= 16384) {
		sigaction(SIGUSR1, &action, NULL);
		raise(SIGUSR1);
		check(registers[22] == 22, part, "an access from a handler on it");
	}
	for (unsigned int i = 0; i < 256; i++)
		check(guard[i] == 0x5e, part, "nothing is written below it");
	sigaltstack(&without, NULL);
}

int main(int argc, char **argv)
{
	int status = open_bar(argc, argv);

	if (status)
		return status;
	own_handlers();
	jumps();
	deadly();
	masks();
	waiting();
	in_handlers();
	inherited();
	alternate_stack(65536, "alternate stack");
	/* A frame of the largest kind, and little more. */
	alternate_stack(getauxval(AT_MINSIGSTKSZ) + 1024, "small alternate stack");
	printf("%d wrong\n", failures);
	return failures > 0;
}
