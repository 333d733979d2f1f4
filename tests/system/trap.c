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
#include <sched.h>
#include <stdatomic.h>

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

/* What a program may say of its memory changes nothing. */
static void advised(void)
{
	static const int advices[] = {MADV_DONTNEED, MADV_WILLNEED, MADV_RANDOM,
				      MADV_DONTDUMP, MADV_HUGEPAGE, MADV_FREE};
	volatile uint32_t *map = map_bar(0, PAGE, PROT_READ | PROT_WRITE, 0, NULL);
	bool good = true;

	map[6] = 66;
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		(void)!madvise((void *)(uintptr_t)map, PAGE, advices[i]);
		good = good && map[6] == 66;
	}
	check(good, "advised", "the same registers");
	munmap((void *)(uintptr_t)map, PAGE);
}

/* Code at one place that changes, as a compiler's does that runs with the program. */
static void changing_code(void)
{
	/* mov (%rdi), %eax; mov 4(%rdi), %eax; movb (%rdi), %al; each with a ret */
	static const uint8_t codes[][4] = {
		{0x8b, 0x07, 0xc3}, {0x8b, 0x47, 0x04, 0xc3}, {0x8a, 0x07, 0xc3}};
	uint8_t *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const uint32_t want[] = {0x11111111, 0x22222222, 0x11};
	bool good = true;

	registers[0] = 0x11111111;
	registers[1] = 0x22222222;
	for (unsigned int i = 0; i < 30; i++) {
		/* At the end of the page, too. */
		uint8_t *at = code + (i & 1 ? PAGE - 4 : 0);
		uint32_t (*run)(volatile uint32_t *);
		uint32_t value;

		memcpy(at, codes[i % 3], 4);
		memcpy(&run, &at, sizeof(run));
		value = run(registers);
		good = good && (i % 3 == 2 ? value & 0xff : value) == want[i % 3];
	}
	check(good, "changing code", "each is what it is now");
	munmap(code, PAGE);
}

static void write_only(void)
{
	volatile uint32_t *only = map_bar(0, PAGE, PROT_WRITE, 0, NULL);

	only[3] = 77;
	check(by_file(12) == 77, "write-only", "a store");
	check(only[3] == 77, "write-only", "the processor reads where it may write");
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

/* --- processes --- */

static void access_in_child(void)
{
	registers[24] = 24;
	_exit(registers[24] == 24 ? 7 : 8);
}

static void unknown_instruction(void)
{
	signal(SIGSEGV, SIG_DFL);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	__asm__ volatile("fldl %0" : : "m"(registers[4]));
}

static void vforked(void)
{
	int status = 0;
	pid_t pid = vfork();

	if (!pid) {
		registers[25] = 25;
		_exit(registers[25] == 25 ? 7 : 8);
	}
	waitpid(pid, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7 && registers[25] == 25, "processes",
	      "a child of vfork");
}

static int cloned_main(void *arg)
{
	(void)arg;
	registers[26] = 26;
	return registers[26] == 26 ? 7 : 8;
}

/* With a copy of the memory, and with the same memory but neither descriptors nor handlers in common. */
static void cloned(int flags, const char *what)
{
	static uint8_t stack[65536] __attribute__((aligned(16)));
	int status = 0;
	pid_t pid = clone(cloned_main, stack + sizeof(stack), flags | SIGCHLD, NULL);

	waitpid(pid, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7 && registers[26] == 26, "processes",
	      what);
}

static atomic_bool stop;

static void *keep_on(void *arg)
{
	while (!atomic_load(&stop))
		__atomic_add_fetch(&registers[27], 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void unmap_in_child(void)
{
	registers[28]++;
	__atomic_add_fetch(&registers[28], 1, __ATOMIC_SEQ_CST);
	munmap((void *)(uintptr_t)registers, bar.size);
	_exit(7);
}

/* The child has none of the other threads, whatever they were at. */
static void forked_among_threads(void)
{
	pthread_t ids[3];
	bool good = true;

	for (unsigned int i = 0; i < 3; i++)
		pthread_create(&ids[i], NULL, keep_on, NULL);
	for (unsigned int i = 0; i < 40; i++) {
		int status = in_child(unmap_in_child);

		good = good && WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(ids[i], NULL);
	check(good, "processes", "forks while others access registers");
}

static void processes(void)
{
	int status = in_child(access_in_child);

	check(WIFEXITED(status) && WEXITSTATUS(status) == 7 && registers[24] == 24, "processes",
	      "a child uses them");
	status = in_child(unknown_instruction);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "processes",
	      "an unknown instruction ends one");
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
	advised();
	changing_code();
	refused();
	processes();
	vforked();
	cloned(0, "a clone");
	cloned(CLONE_VM, "a clone that shares the memory");
	forked_among_threads();
	threads();
	locked();
	decoding();
	status = in_child(close_all);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "all closed", "in a child");
	closed(argv[1]);
	printf("%d wrong\n", failures);
	return failures > 0;
}
