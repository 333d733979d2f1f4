/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGBUS on guarded memory; see guard.h.
 *
 * The signal is synchronous, raised by the instruction that touches the memory, and the list is
 * changed by code that touches none: so the handler finds it whole. mmap is a plain system call, and
 * allowed here. Any other SIGBUS is a fault of our own and ends the process as it always does.
 */
#include "host/client/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

static struct svf_list guards = {&guards, &guards};

static struct svf_guard *lookup(uintptr_t address)
{
	struct svf_guard *guard;

	svf_list_for_each(guard, &guards, link) {
		if (address - (uintptr_t)guard->base < guard->size)
			return guard;
	}
	return NULL;
}

static void caught(int number, siginfo_t *info, void *context)
{
	struct svf_guard *guard = lookup((uintptr_t)info->si_addr);
	int saved = errno;

	(void)context;
	if (guard &&
	    mmap(guard->base, guard->size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED)
		guard->lost = true;
	else
		signal(number, SIG_DFL); /* and the instruction is run again */
	errno = saved;
}

int svf_guard_init(struct svf_guard *guard, void *base, size_t size)
{
	struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};

	if (sigaction(SIGBUS, &action, NULL))
		return -errno;
	*guard = (struct svf_guard){.base = base, .size = size};
	svf_list_add_tail(&guards, &guard->link);
	return 0;
}

void svf_guard_fini(struct svf_guard *guard)
{
	svf_list_del(&guard->link);
}
