/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads and stores on a BAR whose registers see each access: what a program does around them must go on
 * as on a real one.
 *
 *	trap BDF
 *
 * BAR 0 of the function keeps what is written to it. Prints a line for each part, "part: ok" or what
 * was wrong.
 */
#include "trap.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* --- mappings --- */

static void many_mappings(void)
{
	volatile uint32_t *maps[200];
	bool good = true;

	for (unsigned int i = 0; i < 200; i++) {
		maps[i] = map_bar(0, PAGE, PROT_READ | PROT_WRITE, 0, NULL);
		good = good && maps[i] != MAP_FAILED;
	}
	check(good, "mappings", "200 of one page");
	for (unsigned int i = 0; good && i < 200; i++)
		maps[i][i] = i;
	for (unsigned int i = 0; good && i < 200; i++)
		good = maps[199 - i][i] == i;
	check(good, "mappings", "they show the same registers");
	for (unsigned int i = 0; i < 200; i++)
		munmap((void *)(uintptr_t)maps[i], PAGE);
}

/* The signal that a load from there raises, 0: none. */
static int load(volatile uint32_t *at)
{
	int number = sigsetjmp(back, 1);

	if (!number)
		(void)*at;
	return number;
}

static int store(volatile uint32_t *at)
{
	int number = sigsetjmp(back, 1);

	if (!number)
		*at = 1;
	return number;
}

static void partly(void)
{
	uint8_t *area = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *moved;
	volatile uint32_t *word;

	handle(SIGSEGV, jump, 0);
	check(map_bar(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_FIXED, area) == area, "partly",
	      "over a reservation");
	*(volatile uint32_t *)(area + 3 * PAGE) = 33;
	munmap(area + PAGE, PAGE);
	check(load((volatile uint32_t *)(area + PAGE)) == SIGSEGV, "partly",
	      "a page in the middle is gone");
	check(load((volatile uint32_t *)area) == 0, "partly", "the one before it is not");
	check(*(volatile uint32_t *)(area + 3 * PAGE) == 33, "partly", "nor the last");
	word = mmap(area, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0);
	*word = 44;
	check(*word == 44 && by_file(0) != 44, "partly", "memory over registers");
	mprotect(area + 2 * PAGE, PAGE, PROT_READ);
	check(store((volatile uint32_t *)(area + 2 * PAGE)) == SIGSEGV &&
		      caught.si_code == SEGV_ACCERR,
	      "partly", "a store after mprotect to read-only");
	check(load((volatile uint32_t *)(area + 2 * PAGE)) == 0, "partly", "but a load");
	check(store((volatile uint32_t *)(area + 3 * PAGE)) == 0, "partly",
	      "the next page is as it was");
	moved = mremap(area + 3 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area + PAGE);
	check(moved == area + PAGE && *(volatile uint32_t *)moved == by_file(3 * PAGE), "partly",
	      "mremap");
	munmap(area, 4 * PAGE);
	check(load((volatile uint32_t *)(area + 2 * PAGE)) == SIGSEGV &&
		      caught.si_code == SEGV_MAPERR,
	      "partly", "all of it is gone");
}

static void write_only(void)
{
	volatile uint32_t *only = map_bar(0, PAGE, PROT_WRITE, 0, NULL);

	only[3] = 77;
	check(by_file(12) == 77, "write-only", "a store");
	munmap((void *)(uintptr_t)only, PAGE);
}

static void refused(void)
{
	check(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, device.fd, (off_t)bar.offset) ==
			      MAP_FAILED &&
		      errno == EINVAL,
	      "refused", "a private mapping");
	check(map_bar(bar.size, PAGE, PROT_READ, 0, NULL) == MAP_FAILED && errno == EINVAL,
	      "refused", "behind the end");
}

/* --- signals --- */

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
	munmap((void *)(uintptr_t)hole, PAGE);
	check(signal(SIGSEGV, SIG_IGN) == SIG_DFL && raise(SIGSEGV) == 0 &&
		      signal(SIGSEGV, SIG_DFL) == SIG_IGN,
	      "handlers", "ignored when it is sent");
}

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

static void alternate_stack(void)
{
	static uint8_t stack[65536];
	stack_t with = {.ss_sp = stack, .ss_size = sizeof(stack)},
		without = {.ss_flags = SS_DISABLE};

	sigaltstack(&with, NULL);
	registers[22] = 22;
	check(registers[22] == 22, "alternate stack", "an access");
	sigaltstack(&without, NULL);
}

/* How a child ends, as wait() says. */
static int in_child(void (*run)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct rlimit none = {0};

		setrlimit(RLIMIT_CORE, &none);
		run();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void access_in_child(void)
{
	registers[24] = 24;
	_exit(registers[24] == 24 ? 7 : 8);
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

static void unknown_instruction(void)
{
	dup2(STDOUT_FILENO, STDERR_FILENO);
	__asm__ volatile("fldl %0" : : "m"(registers[4]));
}

static void processes(void)
{
	int status = in_child(access_in_child);

	check(WIFEXITED(status) && WEXITSTATUS(status) == 7 && registers[24] == 24, "processes",
	      "a child uses them");
	status = in_child(fault_without_handler);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "processes",
	      "a fault ends a child");
	status = in_child(fault_while_blocked);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "processes", "a blocked one too");
	status = in_child(unknown_instruction);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "processes",
	      "so does an unknown instruction");
}

/* --- threads --- */

#define THREADS 4
#define ROUNDS	400

static void *count_up(void *arg)
{
	volatile uint32_t *own = &registers[32 + (uintptr_t)arg];

	for (unsigned int i = 0; i < ROUNDS; i++)
		*own += 1;
	return NULL;
}

static void *count_locked(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < ROUNDS; i++)
		__atomic_add_fetch(&registers[40], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* No locked instruction is lost, where plain ones would be. */
static void locked(void)
{
	pthread_t ids[THREADS];

	registers[40] = 0;
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_create(&ids[i], NULL, count_locked, NULL);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	check(registers[40] == THREADS * ROUNDS, "threads", "locked instructions");
}

/* Maps and unmaps meanwhile. */
static void *remap(void *arg)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		volatile uint32_t *map = map_bar(PAGE, PAGE, PROT_READ | PROT_WRITE, 0, NULL);

		if (map == MAP_FAILED)
			return arg;
		map[i % 8] = i;
		munmap((void *)(uintptr_t)map, PAGE);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t ids[THREADS + 1];
	void *result = NULL;
	bool good = true;

	for (uintptr_t i = 0; i < THREADS; i++) {
		registers[32 + i] = 0;
		pthread_create(&ids[i], NULL, count_up, (void *)i);
	}
	pthread_create(&ids[THREADS], NULL, remap, &device);
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(ids[i], NULL);
		good = good && registers[32 + i] == ROUNDS;
	}
	pthread_join(ids[THREADS], &result);
	check(good, "threads", "four at once");
	check(!result, "threads", "while another maps and unmaps");
}

/* --- the device does not answer --- */

static void set_decoding(bool on)
{
	struct vfio_region_info config;
	uint16_t command;

	client_region(device.fd, VFIO_PCI_CONFIG_REGION_INDEX, &config);
	if (pread(device.fd, &command, 2, (off_t)config.offset + 4) != 2)
		return;
	command = (uint16_t)(on ? command | 2 : command & ~2);
	if (pwrite(device.fd, &command, 2, (off_t)config.offset + 4) != 2)
		failures++;
}

static void decoding(void)
{
	handle(SIGBUS, jump, 0);
	set_decoding(false);
	check(load(&registers[1]) == SIGBUS && caught.si_addr == &registers[1], "decoding",
	      "off: SIGBUS");
	set_decoding(true);
	check(load(&registers[1]) == 0, "decoding", "on again");
}

/* A mapping outlives the descriptor it was made with, and keeps the group. */
static void closed(const char *bdf)
{
	client_close(&device);
	registers[3] = 9;
	check(registers[3] == 9, "closed", "an access by the mapping");
	check(client_group_open(bdf) == -EBUSY, "closed", "the group is in use");
	munmap((void *)(uintptr_t)registers, bar.size);
	device.group = client_group_open(bdf);
	check(device.group >= 0, "closed", "and free after munmap");
	client_close(&device);
}

/* Descriptors that a program did not open, but closes: the device is gone, nobody else is hurt. */
static void close_all(void)
{
	int other;

	handle(SIGBUS, jump, 0);
	close_range(3, ~0u, 0);
	other = memfd_create("other", 0);
	for (int fd = 3; fd < 1024; fd++)
		dup2(other, fd);
	check(store(&registers[0]) == SIGBUS, "all closed", "SIGBUS");
	check(lseek(other, 0, SEEK_END) == 0, "all closed", "another file is not written");
	_exit(failures);
}

int main(int argc, char **argv)
{
	int status;

	status = open_bar(argc, argv);
	if (status)
		return status;
	many_mappings();
	partly();
	write_only();
	refused();
	own_handlers();
	masks();
	alternate_stack();
	processes();
	threads();
	locked();
	decoding();
	status = in_child(close_all);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "all closed", "in a child");
	closed(argv[1]);
	printf("%d wrong\n", failures);
	return failures > 0;
}
