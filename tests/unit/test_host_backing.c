/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared memory of clients, reached through the file behind it: which memory has one, what the host may
 * map of it, and what becomes of the device's access when the client takes away or changes what is there. The
 * client is this process itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/machine.h"
#include "host/client/backing.h"
#include "host/client/memfile.h"
#include "host/client/mm.h"
#include "host/host.h"

#define PAGE  4096ul
#define PAGES 16ul
#define SIZE  (PAGES * PAGE)

struct fixture {
	struct svf_host host;
	struct svf_machine machine;
	struct svf_mm *mm;
	int fd;	      /* a memfd */
	char *shared; /* all of it */
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct svf_call call = {.machine = &f->machine, .pid = getpid()};

	svf_list_init(&f->host.mms);
	svf_list_init(&f->host.rams);
	svf_list_init(&f->host.helper.queue);
	f->host.fuse.dev = (dev_t)-1;
	f->host.bounds.mms = 2;
	f->host.watch.active = true;
	f->machine.host = &f->host;
	f->mm = svf_host_mm_get(&call);
	assert_non_null(f->mm);
	f->fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(f->fd, (off_t)SIZE), 0);
	f->shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_ptr_not_equal(f->shared, MAP_FAILED);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	munmap(f->shared, SIZE);
	close(f->fd);
	svf_host_mm_put(f->mm);
	svf_host_mms_fini(&f->host);
	assert_int_equal(f->host.backed.files, 0);
	assert_int_equal(f->host.backed.bytes, 0);
	while (!svf_list_empty(&f->host.helper.queue)) {
		struct svf_job *job = svf_list_first(&f->host.helper.queue, struct svf_job, link);

		svf_list_del(&job->link);
		close(job->fd);
		free(job);
	}
	test_free(f);
	return 0;
}

/* What MAP_DMA finds. */
static struct svf_mm_range check(struct fixture *f, const void *at, size_t len, bool write)
{
	uint64_t first = (uintptr_t)at;
	struct svf_mm_range range;

	assert_int_equal(svf_host_mm_check(f->mm, first, first + len - 1, write, &range), 0);
	return range;
}

/* A device's access, offset bytes into what was mapped at `at`. Return: bytes that were there. */
static uint64_t access_at(struct fixture *f, const struct svf_mm_range *range, const void *at,
			  uint64_t offset, void *ours, uint64_t len, bool write)
{
	const struct svf_mm_piece piece = {
		.mm = f->mm,
		.addr = (uintptr_t)at + offset,
		.backing = range->backing,
		.offset = range->offset + offset,
		.ours = ours,
		.len = len,
	};

	return svf_host_mm_transfer(&piece, 1, write);
}

static void test_direct(void **state)
{
	struct fixture *f = *state;
	char buf[2 * PAGE], *at = f->shared + 3 * PAGE + 5;
	struct svf_mm_range range = check(f, at, 4 * PAGE, true), again;

	assert_non_null(range.backing);
	assert_int_equal(range.offset, 3 * PAGE + 5);
	/* Nothing is mapped before a device comes. */
	assert_int_equal(f->host.backed.files, 0);
	memset(buf, 'w', sizeof(buf));
	assert_int_equal(access_at(f, &range, at, 100, buf, sizeof(buf), true), sizeof(buf));
	assert_int_equal(f->host.backed.files, 1);
	assert_int_equal(f->host.backed.bytes, SIZE);
	assert_int_equal(at[99], 0);
	assert_memory_equal(at + 100, buf, sizeof(buf));
	assert_int_equal(at[100 + sizeof(buf)], 0);
	memset(at, 'r', 8);
	assert_int_equal(access_at(f, &range, at, 0, buf, 8, false), 8);
	assert_memory_equal(buf, "rrrrrrrr", 8);
	/* Another mapping of the same file shares it. */
	again = check(f, f->shared, SIZE, true);
	assert_ptr_equal(again.backing, range.backing);
	svf_backing_put(again.backing);
	svf_backing_put(range.backing);
}

/* Memory that has no file, or no one file, behind it. */
static void test_none(void **state)
{
	struct fixture *f = *state;
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	char *area =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *sysv = shmat(id, NULL, 0);

	assert_int_equal(shmctl(id, IPC_RMID, NULL), 0);
	assert_ptr_not_equal(area, MAP_FAILED);
	assert_ptr_not_equal(sysv, (char *)-1);
	assert_null(check(f, area, PAGE, true).backing);
	/* Its inode number is an id of its own kind. */
	assert_null(check(f, sysv, PAGE, true).backing);
	/* A private mapping of a file, whose pages part from it when written. */
	assert_ptr_equal(mmap(area + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
			      f->fd, 0),
			 area + PAGE);
	assert_null(check(f, area + PAGE, PAGE, true).backing);
	/* Pages of the file that are not in its order. */
	for (unsigned int i = 2; i < 4; i++)
		assert_ptr_equal(mmap(area + i * PAGE, PAGE, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_FIXED, f->fd, (off_t)((4 - i) * PAGE)),
				 area + i * PAGE);
	assert_null(check(f, area + 2 * PAGE, 2 * PAGE, true).backing);
	assert_int_equal(f->mm->backing_count, 0);
	munmap(area, 4 * PAGE);
	shmdt(sysv);
}

/* In order they are one, also where they are several mappings. */
static void test_several_mappings(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range;

	assert_int_equal(mprotect(f->shared + PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	range = check(f, f->shared, SIZE, true);
	assert_non_null(range.backing);
	svf_backing_put(range.backing);
}

/* What is mapped over the addresses later is not the device's: the file still is. */
static void test_mapped_over(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true);
	char byte = 'f', *moved;

	moved = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_ptr_equal(mmap(f->shared, SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			 f->shared);
	memset(f->shared, 'n', SIZE);
	assert_int_equal(access_at(f, &range, f->shared, 7, &byte, 1, true), 1);
	assert_int_equal(moved[7], 'f');
	assert_int_equal(f->shared[7], 'n');
	assert_int_equal(munmap(f->shared, SIZE), 0);
	assert_int_equal(access_at(f, &range, f->shared, 7, &byte, 1, false), 1);
	assert_int_equal(byte, 'f');
	svf_backing_put(range.backing);
	munmap(moved, SIZE);
}

/* The client cuts its file off, and makes it longer again; the host lives, and no byte is made up. */
static void test_cut_off(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true);
	char buf[SIZE];

	memset(f->shared, 'c', SIZE);
	assert_int_equal(access_at(f, &range, f->shared, 0, buf, SIZE, false), SIZE);
	assert_int_equal(ftruncate(f->fd, (off_t)(4 * PAGE + 1)), 0);
	memset(buf, '-', SIZE);
	/* The page that holds the end is there. */
	assert_int_equal(access_at(f, &range, f->shared, 10, buf, SIZE - 10, false), 5 * PAGE - 10);
	assert_int_equal(buf[5 * PAGE - 10], '-');
	assert_int_equal(access_at(f, &range, f->shared, 5 * PAGE, buf, 1, true), 0);
	assert_int_equal(access_at(f, &range, f->shared, 5 * PAGE, buf, 1, false), 0);
	assert_int_equal(ftruncate(f->fd, (off_t)SIZE), 0);
	assert_int_equal(access_at(f, &range, f->shared, 5 * PAGE, buf, 1, false), 1);
	assert_int_equal(buf[0], 0);
	/* A hole reads as zeroes. */
	f->shared[0] = 'c';
	assert_int_equal(fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), 0);
	assert_int_equal(access_at(f, &range, f->shared, 0, buf, 1, false), 1);
	assert_int_equal(buf[0], 0);
	svf_backing_put(range.backing);
}

static uint64_t copy(struct fixture *f, const struct svf_mm_range *range, char *to, char *from,
		     uint64_t len, bool *ret_source)
{
	const struct svf_mm_piece in = {.mm = f->mm,
					.addr = (uintptr_t)from,
					.backing = range->backing,
					.offset = (uint64_t)(from - f->shared),
					.len = len};
	const struct svf_mm_piece out = {.mm = f->mm, .addr = (uintptr_t)to, .len = len};
	const struct svf_mm_piece out_shared = {.mm = f->mm,
						.addr = (uintptr_t)to,
						.backing = range->backing,
						.offset = (uint64_t)(to - f->shared),
						.len = len};
	bool is_shared = to >= f->shared && to < f->shared + SIZE;

	return svf_host_mm_copy(is_shared ? &out_shared : &out, &in, ret_source);
}

/* Within shared memory and out of it, and where either side ends. */
static void test_copy(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true);
	char *private =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool source = false;

	for (size_t i = 0; i < SIZE; i++)
		f->shared[i] = (char)(i * 3 >> 2);
	assert_int_equal(copy(f, &range, f->shared + 8 * PAGE, f->shared + 5, 2 * PAGE, &source),
			 2 * PAGE);
	assert_memory_equal(f->shared + 8 * PAGE, f->shared + 5, 2 * PAGE);
	assert_int_equal(copy(f, &range, private, f->shared, SIZE, &source), SIZE);
	assert_memory_equal(private, f->shared, SIZE);
	munmap(private + PAGE, SIZE - PAGE);
	assert_int_equal(copy(f, &range, private + 8, f->shared, SIZE, &source), PAGE - 8);
	assert_false(source);
	assert_int_equal(ftruncate(f->fd, (off_t)(4 * PAGE)), 0);
	assert_int_equal(copy(f, &range, f->shared + 3 * PAGE, f->shared, 2 * PAGE, &source), PAGE);
	assert_false(source);
	assert_int_equal(copy(f, &range, f->shared, f->shared + 3 * PAGE, 2 * PAGE, &source), PAGE);
	assert_true(source);
	assert_int_equal(copy(f, &range, private, f->shared + 4 * PAGE - 6, 8, &source), 6);
	assert_true(source);
	munmap(private, PAGE);
	svf_backing_put(range.backing);
}

/* A file that has become longer since it was mapped here. */
static void test_grown(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true), more;
	char *longer, buf[SIZE];

	assert_int_equal(access_at(f, &range, f->shared, 0, buf, 1, false), 1);
	assert_int_equal(ftruncate(f->fd, (off_t)(2 * SIZE)), 0);
	longer = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	more = check(f, longer, 2 * SIZE, true);
	assert_ptr_equal(more.backing, range.backing);
	memset(longer + SIZE, 'g', SIZE);
	for (unsigned int i = 0; i < 16; i++) {
		assert_int_equal(access_at(f, &more, longer, SIZE, buf, SIZE, false), SIZE);
		assert_memory_equal(buf, longer + SIZE, SIZE);
	}
	assert_int_equal(f->host.backed.bytes, 2 * SIZE);
	svf_backing_put(more.backing);
	svf_backing_put(range.backing);
	munmap(longer, 2 * SIZE);
}

/* The host has no more right than the client's descriptor: here, to read. */
static void test_read_only(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range;
	char path[32], byte = 'x', *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	f->shared[0] = 'o';
	munmap(f->shared, SIZE);
	assert_int_equal(dup2(fd, f->fd), f->fd);
	assert_int_equal(svf_host_mm_check(f->mm, (uintptr_t)at, (uintptr_t)at + PAGE - 1, true,
					   &range),
			 -EFAULT);
	range = check(f, at, SIZE, false);
	assert_int_equal(access_at(f, &range, at, 0, &byte, 1, false), 1);
	assert_int_equal(byte, 'o');
	assert_int_equal(f->host.backed.files, 1);
	assert_false(range.backing->writable);
	/* No device writes what is mapped for reading; if one did, it could not. */
	assert_int_equal(access_at(f, &range, at, 0, &byte, 1, true), 0);
	assert_int_equal(at[0], 'o');
	svf_backing_put(range.backing);
	munmap(at, SIZE);
	close(fd);
	f->shared = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, f->fd, 0);
}

/* Sealed against new writable mappings: written through the client's own, which is older. */
static void test_sealed(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true);
	char byte = 's';

	assert_int_equal(fcntl(f->fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	assert_int_equal(access_at(f, &range, f->shared, 0, &byte, 1, true), 1);
	assert_int_equal(f->shared[0], 's');
	assert_false(range.backing->base && range.backing->writable);
	svf_backing_put(range.backing);
}

/* While a device can reach a file it cannot be sealed, as with pinned pages; afterwards it can. */
static void test_seal_after_use(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true);
	char byte = 's';

	assert_int_equal(access_at(f, &range, f->shared, 0, &byte, 1, true), 1);
	munmap(f->shared, SIZE);
	assert_int_equal(fcntl(f->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(errno, EBUSY);
	svf_backing_put(range.backing);
	assert_int_equal(fcntl(f->fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	f->shared = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, f->fd, 0);
}

/* No descriptor of it is left: through the process, as private memory. */
static void test_closed(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true);
	char byte = 'c';

	close(f->fd);
	f->fd = -1;
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(access_at(f, &range, f->shared, i, &byte, 1, true), 1);
	assert_int_equal(f->shared[99], 'c');
	assert_int_equal(f->host.backed.files, 0);
	svf_backing_put(range.backing);
}

/* A file that is no memory is not mapped, wherever it may be. */
static void test_other_files(void **state)
{
	struct fixture *f = *state;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0), buf[4];
	struct svf_mm_range range = check(f, at, PAGE, false);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(access_at(f, &range, at, 0, buf, 4, false), 4);
	assert_memory_equal(buf, "\177ELF", 4);
	assert_int_equal(f->host.backed.files, svf_memfile_is_memory(getpid(), st.st_dev));
	svf_backing_put(range.backing);
	munmap(at, PAGE);
	close(fd);
}

static void test_bounds(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true);
	char byte = 'b';

	f->host.backed.bytes = (UINT64_C(16) << 40) - SIZE + 1;
	assert_int_equal(access_at(f, &range, f->shared, 0, &byte, 1, true), 1);
	assert_int_equal(f->shared[0], 'b');
	assert_null(range.backing->base);
	f->host.backed.bytes = 0;
	/* It is tried again, after a while. */
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(access_at(f, &range, f->shared, 0, &byte, 1, true), 1);
	assert_non_null(range.backing->base);
	svf_backing_put(range.backing);
}

/* A file of 1 EiB, which nobody has the addresses for. */
static void test_too_large(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range;
	char byte = 'l';

	assert_int_equal(ftruncate(f->fd, (off_t)1 << 60), 0);
	range = check(f, f->shared, SIZE, true);
	assert_int_equal(access_at(f, &range, f->shared, 0, &byte, 1, true), 1);
	assert_int_equal(f->shared[0], 'l');
	assert_int_equal(f->host.backed.files, 0);
	svf_backing_put(range.backing);
}

/* The address space is let go; what is mapped for DMA stays. */
static void test_outlives_process(void **state)
{
	struct fixture *f = *state;
	struct svf_mm_range range = check(f, f->shared, SIZE, true);
	struct svf_mm_range late;
	char byte = 'o';
	int fd = memfd_create("late", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, (off_t)PAGE), 0);
	munmap(f->shared, SIZE);
	f->shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	late = check(f, f->shared, PAGE, true);
	assert_int_equal(access_at(f, &range, f->shared, 0, &byte, 1, true), 1);
	svf_backings_orphan(f->mm);
	assert_int_equal(f->mm->backing_count, 0);
	assert_true(svf_backing_reach(range.backing, 0, SIZE, true));
	/* Of a process that is gone nothing is looked for any more. */
	assert_false(svf_backing_reach(late.backing, 0, PAGE, true));
	svf_backing_put(late.backing);
	svf_backing_put(range.backing);
	close(fd);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_direct),		T(test_none),	   T(test_several_mappings),
		T(test_mapped_over),	T(test_cut_off),   T(test_copy),
		T(test_grown),		T(test_read_only), T(test_sealed),
		T(test_seal_after_use), T(test_closed),	   T(test_other_files),
		T(test_bounds),		T(test_too_large), T(test_outlives_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
