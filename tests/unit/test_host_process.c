/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another process as the host sees it: its mappings, its memory, its descriptors, its eventfds.
 * The other process is a child that does what it is told through a pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/machine.h"
#include "host/client/backing.h"
#include "host/client/mm.h"
#include "host/client/procmap.h"
#include "host/client/ram.h"
#include "host/host.h"

#define PAGE		 4096ul
#define LOCK_LIMIT_PAGES 8

struct fixture {
	struct svf_host *host;
	struct svf_machine machine;
	struct svf_ram *ram;
	char *area; /* four pages at the same address in parent and child */
	pid_t child;
	int orders, answers;
};

/* Shares the address space of its parent, arg, until that ends, whatever program it runs. */
static int share_memory(void *arg)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != (pid_t)(intptr_t)arg)
		return 1;
	for (;;)
		pause();
}

/*
 * In the child. 'x': exec a program that waits; 's': the same, but leave the address space to
 * another process; 'u': make a user namespace, and wait; anything else: leave.
 */
static _Noreturn void child_main(int orders, int answers)
{
	const struct rlimit limit = {LOCK_LIMIT_PAGES * PAGE, LOCK_LIMIT_PAGES * PAGE};
	static char stack[16384] __attribute__((aligned(16)));
	char order = 'q';

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		_exit(1);
	if (write(answers, "r", 1) != 1 || read(orders, &order, 1) != 1)
		_exit(1);
	if (order == 'u' &&
	    (unshare(CLONE_NEWUSER) || write(answers, "u", 1) != 1 || read(orders, &order, 1) != 1))
		_exit(1);
	if (order == 's' &&
	    clone(share_memory, stack + sizeof(stack), CLONE_VM, (void *)(intptr_t)getpid()) < 0)
		_exit(1);
	if (order == 'x' || order == 's')
		execl("/bin/sh", "sh", "-c", "echo x >&4; read line <&3", NULL);
	_exit(0);
}

/* Page 0 of the area: written; 1: read-only; 2: not mapped; 3: memory of a BAR. */
static void make_area(struct fixture *f)
{
	struct svf_host_ram *ram = svf_container_of(f->ram, struct svf_host_ram, ram);

	f->area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(f->area, MAP_FAILED);
	memset(f->area, 'p', PAGE);
	assert_int_equal(mprotect(f->area + PAGE, PAGE, PROT_READ), 0);
	assert_int_equal(munmap(f->area + 2 * PAGE, PAGE), 0);
	assert_ptr_equal(mmap(f->area + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED, ram->fd, PAGE),
			 f->area + 3 * PAGE);
}

static void spawn(struct fixture *f)
{
	int orders[2], answers[2];
	char answer;

	assert_int_equal(pipe(orders), 0);
	assert_int_equal(pipe(answers), 0);
	f->child = fork();
	assert_true(f->child >= 0);
	if (!f->child) {
		dup2(orders[0], 3);
		dup2(answers[1], 4);
		close_range(5, ~0u, 0);
		child_main(3, 4);
	}
	close(orders[0]);
	close(answers[1]);
	f->orders = orders[1];
	f->answers = answers[0];
	assert_int_equal(read(f->answers, &answer, 1), 1);
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->host = test_calloc(1, sizeof(*f->host));
	svf_list_init(&f->host->mms);
	svf_list_init(&f->host->rams);
	svf_signaller_init(&f->host->signaller);
	f->host->fuse.dev = (dev_t)-1; /* there is no filesystem of ours */
	f->host->bounds.mms = 2;
	f->host->bounds.events = 1;
	f->host->watch.active = true; /* no thread is there to be told */
	f->machine.host = f->host;
	assert_int_equal(svf_host_ram_alloc(&f->machine, 2 * PAGE, &f->ram), 0);
	make_area(f);
	spawn(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kill(f->child, SIGKILL);
	waitpid(f->child, NULL, 0);
	close(f->orders);
	close(f->answers);
	munmap(f->area, 2 * PAGE);
	munmap(f->area + 3 * PAGE, PAGE);
	svf_host_mms_fini(f->host);
	svf_host_ram_free(&f->machine, f->ram);
	svf_signaller_fini(&f->host->signaller);
	assert_int_equal(f->host->mm_count, 0);
	assert_int_equal(f->host->event_count, 0);
	test_free(f->host);
	test_free(f);
	return 0;
}

static struct svf_mm *mm_of_child(struct fixture *f)
{
	struct svf_call call = {.machine = &f->machine, .pid = f->child};

	return svf_host_mm_get(&call);
}

static void test_memory(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f);
	uint64_t at = (uintptr_t)f->area;
	char buf[8];

	assert_non_null(mm);
	assert_int_equal(svf_host_mm_write(mm, at + 8, "to child", 8), 0);
	assert_int_equal(svf_host_mm_read(mm, buf, at + 8, 8), 0);
	assert_memory_equal(buf, "to child", 8);
	/* Its memory, not ours. */
	assert_memory_equal(f->area + 8, "pppppppp", 8);
	/* One byte too many is an error, whatever was copied. */
	assert_int_equal(svf_host_mm_read(mm, buf, at + 2 * PAGE - 4, 8), -EFAULT);
	assert_int_equal(svf_host_mm_write(mm, at + 2 * PAGE, buf, 1), -EFAULT);
	assert_int_equal(svf_host_mm_read(mm, buf, UINT64_MAX - 3, 8), -EFAULT);
	svf_host_mm_put(mm);
}

/* Bytes of the pieces that were transferred. */
static uint64_t transfer(struct svf_mm *mm, const uint64_t *addresses, unsigned int count,
			 char *ours, uint64_t len, bool write)
{
	struct svf_mm_piece pieces[4];

	for (unsigned int i = 0; i < count; i++)
		pieces[i] = (struct svf_mm_piece){
			.mm = mm, .addr = addresses[i], .ours = ours + i * len, .len = len};
	return svf_host_mm_transfer(pieces, count, write);
}

static void test_pieces(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f);
	uint64_t at = (uintptr_t)f->area;
	const uint64_t scattered[] = {at + 100, at + 8, at + 50, at + 58};
	const uint64_t in_a_row[] = {at + 100, at + 104, at + 108};
	const uint64_t partly[] = {at + 200, at + 2 * PAGE - 4, at + 100};
	char buf[32];

	assert_int_equal(transfer(mm, scattered, 4, (char[]){"onetwothrfou"}, 3, true), 12);
	assert_int_equal(transfer(mm, scattered, 4, buf, 3, false), 12);
	assert_memory_equal(buf, "onetwothrfou", 12);
	assert_int_equal(transfer(mm, in_a_row, 3, (char[]){"fivesix seve"}, 4, true), 12);
	assert_int_equal(transfer(mm, in_a_row, 3, buf, 4, false), 12);
	assert_memory_equal(buf, "fivesix seve", 12);
	/* The second runs into what is not mapped, and the third is not begun. */
	memset(buf, '-', sizeof(buf));
	assert_int_equal(transfer(mm, partly, 3, buf, 8, false), 8 + 4);
	assert_memory_equal(buf + 16, "--------", 8);
	/* Protected pages are reached as if they were pinned. */
	assert_int_equal(svf_host_mm_write(mm, at + PAGE, "pinned", 6), 0);
	assert_int_equal(svf_host_mm_read(mm, buf, at + PAGE, 6), 0);
	assert_memory_equal(buf, "pinned", 6);
	svf_host_mm_put(mm);
}

/* Memory of a program is never that of the next, also where it is reached by the process's number. */
static void test_pieces_of_another_program(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f), *after;
	uint64_t stack[2];
	char buf[16];

	assert_int_equal(write(f->orders, "x", 1), 1);
	assert_int_equal(read(f->answers, buf, 1), 1);
	after = mm_of_child(f);
	stack[0] = after->random_at + 8;
	stack[1] = after->random_at;
	assert_int_equal(transfer(after, stack, 2, buf, 8, false), 16);
	assert_memory_equal(buf + 8, after->random, 8);
	assert_int_equal(transfer(mm, stack, 2, buf, 8, false), 0);
	svf_host_mm_put(after);
	svf_host_mm_put(mm);
}

/* What is said of memory that is not there. */
static void test_gone(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f);
	char text[128], expected[128];

	svf_host_mm_gone(mm, 0x1000, text, sizeof(text));
	snprintf(
		expected, sizeof(expected),
		"process %d has unmapped its address 0x1000, cut the file behind it short, or runs "
		"another program",
		(int)f->child);
	assert_string_equal(text, expected);
	kill(f->child, SIGKILL);
	waitpid(f->child, NULL, 0);
	assert_int_equal(svf_host_mm_read(mm, text, (uintptr_t)f->area, 1), -EFAULT);
	svf_host_mm_gone(mm, 0x1000, text, sizeof(text));
	snprintf(expected, sizeof(expected), "process %d, whose memory it was, has ended",
		 (int)f->child);
	assert_string_equal(text, expected);
	svf_host_mm_put(mm);
}

static void test_check(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f);
	uint64_t at = (uintptr_t)f->area;
	struct svf_mm_range range;

	assert_int_equal(svf_host_mm_check(mm, at, at + PAGE - 1, true, &range), 0);
	assert_null(range.ram);
	assert_int_equal(svf_host_mm_check(mm, at, at + 2 * PAGE - 1, false, &range), 0);
	assert_int_equal(svf_host_mm_check(mm, at, at + 2 * PAGE - 1, true, &range), -EFAULT);
	assert_int_equal(svf_host_mm_check(mm, at, at + 2 * PAGE, false, &range), -EFAULT);
	assert_int_equal(svf_host_mm_check(mm, UINT64_MAX, UINT64_MAX, false, &range), -EFAULT);
	assert_int_equal(svf_host_mm_check(mm, at + 3 * PAGE + 16, at + 4 * PAGE - 1, true, &range),
			 0);
	assert_ptr_equal(range.ram, f->ram);
	assert_int_equal(range.offset, PAGE + 16);
	svf_host_mm_put(mm);
}

/* Pages charged to an address space, not to each use of it. */
static void test_account(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f), *again = mm_of_child(f);
	uint64_t limit;

	assert_ptr_equal(mm, again);
	assert_int_equal(svf_host_mm_account(mm, LOCK_LIMIT_PAGES, NULL), 0);
	assert_int_equal(mm->locked_pages, LOCK_LIMIT_PAGES);
	assert_int_equal(svf_host_mm_account(again, 1, &limit),
			 svf_process_capable(f->child, CAP_IPC_LOCK) ? 0 : -ENOMEM);
	assert_int_equal(svf_host_mm_account(mm, -LOCK_LIMIT_PAGES - 1, NULL), 0);
	assert_int_equal(mm->locked_pages, 0);
	svf_host_mm_put(again);
	svf_host_mm_put(mm);
}

/* In a user namespace of its own a process has all capabilities, and none that count. */
static void test_capable(void **state)
{
	struct fixture *f = *state;
	char answer;

	/* As root or not: one that we have ourselves. */
	assert_int_equal(svf_process_capable(f->child, CAP_IPC_LOCK),
			 svf_process_capable(getpid(), CAP_IPC_LOCK));
	assert_int_equal(write(f->orders, "u", 1), 1);
	assert_int_equal(read(f->answers, &answer, 1), 1);
	assert_false(svf_process_capable(f->child, CAP_IPC_LOCK));
}

/* What the process has locked itself counts. By system call: the sanitizer's mlock() does nothing. */
static void test_locked(void **state)
{
	struct fixture *f = *state;
	uint64_t before = svf_process_locked(getpid());

	assert_int_equal(syscall(SYS_mlock, f->area, PAGE), 0);
	assert_int_equal(svf_process_locked(getpid()), before + PAGE);
	assert_int_equal(syscall(SYS_munlock, f->area, PAGE), 0);
	assert_int_equal(svf_process_locked(f->child), 0);
}

static void test_exec_ends_it(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f), *after;
	uint64_t at = (uintptr_t)f->area;
	struct svf_mm_range range;
	char buf[4];

	assert_int_equal(svf_host_mm_read(mm, buf, at, 4), 0);
	assert_int_equal(write(f->orders, "x", 1), 1);
	assert_int_equal(read(f->answers, buf, 1), 1);
	assert_int_equal(svf_host_mm_read(mm, buf, at, 4), -EFAULT);
	assert_int_equal(svf_host_mm_check(mm, at, at, false, &range), -EFAULT);
	after = mm_of_child(f);
	assert_non_null(after);
	assert_ptr_not_equal(after, mm);
	/* The bound: two are held. */
	assert_int_equal(f->host->mm_count, 2);
	svf_host_mm_put(after);
	svf_host_mm_put(mm);
}

/* What was mapped of the old address space goes on; what is mapped now is of the new program. */
static void test_exec_with_sharer(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f), *after;
	uint64_t at = (uintptr_t)f->area;
	char buf[4];

	assert_int_equal(write(f->orders, "s", 1), 1);
	assert_int_equal(read(f->answers, buf, 1), 1);
	assert_int_equal(svf_host_mm_read(mm, buf, at, 4), 0);
	after = mm_of_child(f);
	assert_ptr_not_equal(after, mm);
	assert_int_equal(svf_host_mm_read(after, buf, at, 4), -EFAULT);
	svf_host_mm_put(after);
	svf_host_mm_put(mm);
}

/* The last that is let go is kept, one only, and gives way when there are too many. */
static void test_idle(void **state)
{
	struct fixture *f = *state;
	struct svf_mm *mm = mm_of_child(f), *own;
	struct svf_call call = {.machine = &f->machine, .pid = getpid()};

	svf_host_mm_put(mm);
	assert_ptr_equal(f->host->idle_mm, mm);
	assert_ptr_equal(mm_of_child(f), mm);
	assert_null(f->host->idle_mm);
	svf_host_mm_put(mm);
	own = svf_host_mm_get(&call);
	assert_ptr_not_equal(own, mm);
	svf_host_mm_put(own);
	assert_ptr_equal(f->host->idle_mm, own);
	assert_int_equal(f->host->mm_count, 1);
	f->host->bounds.mms = 1;
	mm = mm_of_child(f);
	assert_non_null(mm);
	assert_int_equal(f->host->mm_count, 1);
	assert_null(svf_host_mm_get(&call));
	svf_host_mm_put(mm);
}

/* A file's pages beyond its end are mapped and not there; the same of a BAR. */
static void test_beyond_end(void **state)
{
	struct fixture *f = *state;
	struct svf_host_ram *ram = svf_container_of(f->ram, struct svf_host_ram, ram);
	struct svf_call call = {.machine = &f->machine, .pid = getpid()};
	int fd = memfd_create("test", MFD_CLOEXEC);
	char *file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *bar = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ram->fd, 0);
	uint64_t at = (uintptr_t)file, bar_at = (uintptr_t)bar;
	struct svf_mm *mm = svf_host_mm_get(&call);
	struct svf_mm_range range;

	assert_ptr_not_equal(file, MAP_FAILED);
	assert_ptr_not_equal(bar, MAP_FAILED);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(svf_host_mm_check(mm, at, at + PAGE - 1, true, &range), 0);
	svf_backing_put(range.backing);
	assert_int_equal(svf_host_mm_check(mm, at + PAGE, at + 2 * PAGE - 1, false, &range),
			 -EFAULT);
	assert_int_equal(svf_host_mm_check(mm, at, at + 2 * PAGE - 1, false, &range), -EFAULT);
	assert_int_equal(svf_host_mm_check(mm, bar_at, bar_at + 2 * PAGE - 1, true, &range), 0);
	assert_int_equal(svf_host_mm_check(mm, bar_at, bar_at + 3 * PAGE - 1, true, &range),
			 -EFAULT);
	svf_host_mm_put(mm);
	munmap(file, 2 * PAGE);
	munmap(bar, 3 * PAGE);
	close(fd);
}

static void test_mappings(void **state)
{
	struct fixture *f = *state;
	uint64_t at = (uintptr_t)f->area;
	int fd = svf_procmap_open(f->child);
	struct svf_vma vma;

	assert_true(fd >= 0);
	assert_int_equal(svf_procmap_next(fd, at + PAGE, false, &vma), 0);
	assert_int_equal(vma.first, at + PAGE);
	assert_int_equal(vma.last, at + 2 * PAGE - 1);
	assert_int_equal(vma.flags, SVF_VMA_READ);
	assert_int_equal(vma.inode, 0);
	/* In the hole: the next above. */
	assert_int_equal(svf_procmap_next(fd, at + 2 * PAGE, false, &vma), 0);
	assert_int_equal(vma.first, at + 3 * PAGE);
	assert_int_equal(vma.flags, SVF_VMA_READ | SVF_VMA_WRITE | SVF_VMA_SHARED);
	assert_int_equal(vma.offset, PAGE);
	assert_int_equal(svf_procmap_next(fd, 0, true, &vma), 0);
	assert_true(vma.flags & SVF_VMA_EXEC);
	assert_int_not_equal(vma.inode, 0);
	assert_int_equal(svf_procmap_next(fd, UINT64_MAX, false, &vma), -ENOENT);
	close(fd);
	assert_int_equal(svf_procmap_open(0), -ENOENT);
}

static void test_fetch(void **state)
{
	struct fixture *f = *state;
	struct stat ours, theirs;
	int fd = svf_process_fetch(f->child, 4);
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &theirs), 0);
	assert_int_equal(fstat(f->answers, &ours), 0);
	assert_int_equal(theirs.st_ino, ours.st_ino);
	close(fd);
	assert_int_equal(svf_process_fetch(f->child, 77), -EBADF);
	assert_int_equal(svf_process_fetch(f->child, -1), -EBADF);
	assert_int_equal(svf_process_of(f->child, &pid), 0);
	assert_int_equal(pid, f->child);
	assert_int_equal(svf_process_of(INT32_MAX, &pid), -ESRCH);
}

static void test_event(void **state)
{
	struct fixture *f = *state;
	int fd = eventfd(0, EFD_CLOEXEC);
	struct svf_event *event = svf_host_event_alloc(f->host, fd);
	eventfd_t value;

	assert_non_null(event);
	assert_null(svf_host_event_alloc(f->host, 0));
	svf_host_event_signal(event);
	svf_host_event_signal(event);
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(value, 2);
	/* Full: a write(2) of 1 would wait for ever. */
	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	svf_host_event_signal(event);
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_true(value >= UINT64_MAX - 1);
	svf_host_event_put(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces_of_another_program, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_account, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_with_sharer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_beyond_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mappings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
