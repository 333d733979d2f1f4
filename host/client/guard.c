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
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u

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

/* Of this thread's copy. */
static _Thread_local volatile bool in_copy;
static _Thread_local sigjmp_buf copy_failed;

static void caught(int number, siginfo_t *info, void *context)
{
	struct svf_guard *guard = lookup((uintptr_t)info->si_addr);
	int saved = errno;

	(void)context;
	if (in_copy) {
		in_copy = false;
		siglongjmp(copy_failed, 1);
	}
	if (guard &&
	    mmap(guard->base, guard->size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED)
		guard->lost = true;
	else
		signal(number, SIG_DFL); /* and the instruction is run again */
	errno = saved;
}

int svf_guard_install(void)
{
	/* A copy that fails does not return from the handler: the signal must not stay blocked. */
	struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};

	return sigaction(SIGBUS, &action, NULL) ? -errno : 0;
}

int svf_guard_init(struct svf_guard *guard, void *base, size_t size)
{
	int err = svf_guard_install();

	if (err)
		return err;
	*guard = (struct svf_guard){.base = base, .size = size};
	svf_list_add_tail(&guards, &guard->link);
	return 0;
}

void svf_guard_fini(struct svf_guard *guard)
{
	svf_list_del(&guard->link);
}

static bool copy(void *dst, const void *src, size_t len)
{
	/* The mask is not saved: nothing changes it. */
	if (sigsetjmp(copy_failed, 0))
		return false;
	in_copy = true;
	__asm__ volatile("" ::: "memory");
	memmove(dst, src, len);
	__asm__ volatile("" ::: "memory");
	in_copy = false;
	return true;
}

/* To the end of the page, on either side. */
static size_t in_page(const void *dst, const void *src)
{
	size_t a = PAGE - (uintptr_t)dst % PAGE, b = PAGE - (uintptr_t)src % PAGE;

	return a < b ? a : b;
}

size_t svf_guard_copy(void *dst, const void *src, size_t len)
{
	size_t done = 0;

	if (copy(dst, src, len))
		return len;
	while (done < len) {
		char *to = (char *)dst + done;
		const char *from = (const char *)src + done;
		size_t n = in_page(to, from);

		n = n < len - done ? n : len - done;
		if (!copy(to, from, n))
			break;
		done += n;
	}
	return done;
}
