/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/client/procmap.c: the text of /proc/PID/maps, which is read where the kernel has no PROCMAP_QUERY. It
 * must say what the kernel says to the query, and must be read right wherever its lines fall.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/client/procmap.h"

#define PAGE 4096ul

static int text_file(const char *text)
{
	int fd = memfd_create("maps", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void assert_same(const struct svf_vma *a, const struct svf_vma *b)
{
	assert_int_equal(a->first, b->first);
	assert_int_equal(a->last, b->last);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->dev, b->dev);
	assert_int_equal(a->inode, b->inode);
	assert_int_equal(a->offset, b->offset);
}

/* Every mapping of this process in its turn, by both ways. Return: how many. */
static unsigned int walk(int fd, bool executable)
{
	struct svf_vma query = {.last = UINT64_MAX}, text = query;
	unsigned int count = 0;
	int err;

	do {
		err = svf_procmap_next_text(fd, text.last + 1, executable, &text);
		assert_int_equal(svf_procmap_next(fd, query.last + 1, executable, &query), err);
		assert_same(&query, &text);
		count += !err;
	} while (!err);
	assert_int_equal(err, -ENOENT);
	return count;
}

static void the_text_says_what_the_query_says(void **state)
{
	int fd = svf_procmap_open(getpid()), file = text_file("x");
	char *shared = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, file, (off_t)PAGE);
	char *none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct svf_vma vma;

	(void)state;
	assert_true(fd >= 0);
	assert_true(shared != MAP_FAILED && none != MAP_FAILED);
	assert_true(walk(fd, false) > 10);
	assert_true(walk(fd, true) > 0);
	assert_int_equal(svf_procmap_next_text(fd, (uintptr_t)shared + PAGE, false, &vma), 0);
	assert_int_equal(vma.first, (uintptr_t)shared);
	assert_int_equal(vma.last, (uintptr_t)shared + 4 * PAGE - 1);
	assert_int_equal(vma.flags, SVF_VMA_READ | SVF_VMA_SHARED);
	assert_int_equal(vma.offset, PAGE);
	assert_int_equal(svf_procmap_next_text(fd, (uintptr_t)none, false, &vma), 0);
	assert_int_equal(vma.flags, 0);
	munmap(shared, 4 * PAGE);
	munmap(none, PAGE);
	close(file);
	close(fd);
}

/* The first line has a name of every length around that of a piece, so the second begins anywhere. */
static void lines_may_fall_anywhere(void **state)
{
	static char text[8192 + 256];
	struct svf_vma vma;

	(void)state;
	for (size_t length = 4096 - 300; length < 4096 + 100; length++) {
		int n = snprintf(text, sizeof(text),
				 "00001000-00002000 r--p 00000000 00:00 0 %*s\n", (int)length,
				 "/a name that is long");
		int fd;

		snprintf(text + n, sizeof(text) - (size_t)n,
			 "7f0000003000-7f0000005000 rwxs 00006000 fd:01 1234   /b\n");
		fd = text_file(text);
		assert_int_equal(svf_procmap_next_text(fd, 0x2000, false, &vma), 0);
		assert_int_equal(vma.first, 0x7f0000003000);
		assert_int_equal(vma.last, 0x7f0000004fff);
		assert_int_equal(vma.flags,
				 SVF_VMA_READ | SVF_VMA_WRITE | SVF_VMA_EXEC | SVF_VMA_SHARED);
		assert_int_equal(vma.offset, 0x6000);
		assert_int_equal(vma.dev, makedev(0xfd, 1));
		assert_int_equal(vma.inode, 1234);
		close(fd);
	}
}

static void the_one_that_covers_or_the_next(void **state)
{
	int fd = text_file("00001000-00002000 r-xp 00000000 00:00 0\n"
			   "00002000-00004000 rw-p 00000000 fd:01 7 /a\n"
			   "00008000-00009000 r-xp 00000000 fd:01 7 /a\n");
	struct svf_vma vma;

	(void)state;
	assert_int_equal(svf_procmap_next_text(fd, 0x1fff, false, &vma), 0);
	assert_int_equal(vma.first, 0x1000);
	assert_int_equal(svf_procmap_next_text(fd, 0x3fff, false, &vma), 0);
	assert_int_equal(vma.first, 0x2000);
	assert_int_equal(svf_procmap_next_text(fd, 0x4000, false, &vma), 0);
	assert_int_equal(vma.first, 0x8000);
	/* Of a file, with permission to execute. */
	assert_int_equal(svf_procmap_next_text(fd, 0, true, &vma), 0);
	assert_int_equal(vma.first, 0x8000);
	assert_int_equal(svf_procmap_next_text(fd, 0x9000, false, &vma), -ENOENT);
	close(fd);
}

/* What is left of a process that is gone reads so. */
static void an_empty_text_is_no_process(void **state)
{
	int fd = text_file("");
	struct svf_vma vma;

	(void)state;
	assert_int_equal(svf_procmap_next_text(fd, 0, false, &vma), -ESRCH);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_says_what_the_query_says),
		cmocka_unit_test(lines_may_fall_anywhere),
		cmocka_unit_test(the_one_that_covers_or_the_next),
		cmocka_unit_test(an_empty_text_is_no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
