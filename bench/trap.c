/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an access to a trapped register costs, run by bench/run in a namespace with one device, whose BAR 0
 * has a trapped page and behind it memory:
 *
 *	trap BDF	prints "NAME NS" for each of: a load and a store that are trapped, a SIGSEGV
 *			that is answered by a handler which does nothing, pread and pwrite of the same
 *			register, a load from memory of the BAR
 *
 * All are measured in turns, and each call is timed alone, as in client.c. The plain SIGSEGV needs a handler of its
 * own in the place of the preload's; the two change places between turns, by system calls that the preload does
 * not see.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

#include "tests/system/client.h"

#define TURNS	200
#define IN_TURN 16
#define SAMPLES (TURNS * IN_TURN)
#define PAGE	4096u
#define LOADS	1000 /* of memory are timed together */

/* As the kernel has it. */
struct kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static struct client_device device = CLIENT_DEVICE_NONE;
static struct vfio_region_info bar;
static volatile uint32_t *registers, *memory, *nothing;
static struct kernel_action of_preload, of_ours;

static void die(const char *what)
{
	fprintf(stderr, "bench-trap: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void use(const struct kernel_action *action)
{
	if (syscall(SYS_rt_sigaction, SIGSEGV, action, NULL, sizeof(action->mask)))
		die("rt_sigaction");
}

/* The load is over, without a result. */
static void skip(int number, siginfo_t *info, void *arg)
{
	ucontext_t *context = arg;

	(void)number;
	(void)info;
	context->uc_mcontext.gregs[REG_RIP] += 2;
}

static void segv(void)
{
	uint32_t value;

	__asm__ volatile("movl (%1), %0" : "=a"(value) : "D"(nothing));
}

static void load(void)
{
	(void)registers[0];
}

static void store(void)
{
	registers[0] = 1;
}

static void read_file(void)
{
	uint32_t value;

	if (pread(device.fd, &value, sizeof(value), (off_t)bar.offset) != sizeof(value))
		die("pread");
}

static void write_file(void)
{
	uint32_t value = 1;

	if (pwrite(device.fd, &value, sizeof(value), (off_t)bar.offset) != sizeof(value))
		die("pwrite");
}

static void load_memory(void)
{
	for (unsigned int i = 0; i < LOADS; i++)
		(void)memory[i % 16];
}

static struct measured {
	const char *name;
	void (*call)(void);
	unsigned int times; /* that one call does it */
	uint64_t samples[SAMPLES];
} all[] = {
	{"trapped_load", load, 1, {0}}, {"trapped_store", store, 1, {0}},
	{"sigsegv", segv, 1, {0}},	{"pread", read_file, 1, {0}},
	{"pwrite", write_file, 1, {0}}, {"memory_load", load_memory, LOADS, {0}},
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void turn(struct measured *m, int first)
{
	use(m->call == segv ? &of_ours : &of_preload);
	for (int i = first; i < first + IN_TURN; i++) {
		uint64_t start = now_ns();

		m->call();
		m->samples[i] = now_ns() - start;
	}
}

static void prepare(const char *bdf)
{
	if (client_open_by_group(&device, bdf, NULL) ||
	    client_region(device.fd, VFIO_PCI_BAR0_REGION_INDEX, &bar))
		die(bdf);
	registers = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd,
			 (off_t)bar.offset);
	nothing = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (registers == MAP_FAILED || nothing == MAP_FAILED)
		die("mmap");
	memory = registers + PAGE / sizeof(*registers);
	if (syscall(SYS_rt_sigaction, SIGSEGV, NULL, &of_preload, sizeof(of_preload.mask)))
		die("rt_sigaction");
	of_ours = of_preload;
	of_ours.handler = skip;
}

int main(int argc, char **argv)
{
	size_t count = sizeof(all) / sizeof(all[0]);

	if (argc != 2)
		return 2;
	prepare(argv[1]);
	for (int first = 0; first < SAMPLES; first += IN_TURN) {
		for (size_t i = 0; i < count; i++)
			turn(&all[i], first);
	}
	for (size_t i = 0; i < count; i++) {
		qsort(all[i].samples, SAMPLES, sizeof(all[i].samples[0]), compare);
		printf("%s %g\n", all[i].name, (double)all[i].samples[SAMPLES / 2] / all[i].times);
	}
	return 0;
}
