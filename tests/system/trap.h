/* SPDX-License-Identifier: BSD-3-Clause */
/* What the programs that load from and store to a trapped BAR share. */
#ifndef TESTS_SYSTEM_TRAP_H
#define TESTS_SYSTEM_TRAP_H

#include "client.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define PAGE 4096u

static struct client_device device = CLIENT_DEVICE_NONE;
static struct vfio_region_info bar;
static volatile uint32_t *registers;
static int failures;

static inline void check(bool good, const char *part, const char *what)
{
	if (!good) {
		printf("%s: %s\n", part, what);
		failures++;
	}
}

static inline void *map_bar(uint64_t at, size_t size, int prot, int flags, void *where)
{
	return mmap(where, size, prot, MAP_SHARED | flags, device.fd, (off_t)(bar.offset + at));
}

static inline uint32_t by_file(uint64_t at)
{
	uint32_t value = 0;

	if (pread(device.fd, &value, sizeof(value), (off_t)(bar.offset + at)) != sizeof(value))
		return 0xdead0000;
	return value;
}

static sigjmp_buf back;
static siginfo_t caught;
static volatile sig_atomic_t count;

static inline void jump(int number, siginfo_t *info, void *context)
{
	(void)context;
	caught = *info;
	siglongjmp(back, number);
}

static inline void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	sigaction(number, &action, NULL);
}

/* The signal that a load from there raises, 0: none. */
static inline int load(volatile uint32_t *at)
{
	int number = sigsetjmp(back, 1);

	if (!number)
		(void)*at;
	return number;
}

static inline int store(volatile uint32_t *at)
{
	int number = sigsetjmp(back, 1);

	if (!number)
		*at = 1;
	return number;
}

/* How a child ends, as wait() says. */
static inline int in_child(void (*run)(void))
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

/* The function's BAR 0, mapped whole. Return: 0, or the status to exit with. */
static inline int open_bar(int argc, char **argv)
{
	if (argc != 2 || client_open_by_group(&device, argv[1], NULL) ||
	    client_region(device.fd, VFIO_PCI_BAR0_REGION_INDEX, &bar)) {
		fprintf(stderr, "usage: %s BDF\n", argv[0]);
		return 2;
	}
	if (!(bar.flags & VFIO_REGION_INFO_FLAG_MMAP)) {
		printf("BAR 0 is not mappable\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	registers = map_bar(0, bar.size, PROT_READ | PROT_WRITE, 0, NULL);
	if (registers == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	return 0;
}

#endif
