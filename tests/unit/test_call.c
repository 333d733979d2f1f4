/* SPDX-License-Identifier: BSD-3-Clause */
/* core/call.c: reasons, copies from and to the caller, strings, descriptors. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/call.h"
#include "core/file.h"
#include "port.h"

#define PAGE 4096u

static struct svf_machine *machine;
static struct svf_call call;

static int setup(void **state)
{
	(void)state;
	machine = test_machine();
	call = test_call(machine);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static uint64_t user(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static void reasons(void **state)
{
	char longer[SVF_REASON_SIZE + 100];

	(void)state;
	assert_int_equal(svf_fail(&call, -EACCES, "group %u is %s", 7u, "in use"), -EACCES);
	assert_string_equal(call.reason, "group 7 is in use");
	assert_int_equal(svf_fail(&call, -EINVAL, "later ones replace it"), -EINVAL);
	assert_string_equal(call.reason, "later ones replace it");

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(svf_fail(&call, -ENOMEM, "%s", longer), -ENOMEM);
	assert_int_equal(strlen(call.reason), SVF_REASON_SIZE - 1);

	assert_int_equal(svf_fail(NULL, -EBUSY, "nobody asked %d", 1), -EBUSY);
}

static void copies(void **state)
{
	uint8_t *memory = test_user_alloc(PAGE), mine[16] = "0123456789abcde", back[16] = {0};

	(void)state;
	assert_int_equal(svf_copy_to_user(&call, user(memory), mine, sizeof(mine)), 0);
	assert_memory_equal(memory, mine, sizeof(mine));
	assert_int_equal(svf_copy_from_user(&call, back, user(memory), sizeof(back)), 0);
	assert_memory_equal(back, mine, sizeof(mine));
	assert_string_equal(call.reason, "");
}

/* The last byte counts, a right to read is none to write, and nothing can be read at NULL. */
static void bad_addresses(void **state)
{
	uint8_t *memory = test_user_alloc(PAGE), mine[16] = {0};
	static uint8_t constant[16];

	(void)state;
	test_user_add(user(constant), sizeof(constant), false);
	assert_int_equal(svf_copy_from_user(&call, mine, user(memory) + PAGE - 15, 16), -EFAULT);
	assert_non_null(strstr(call.reason, "cannot read 16 bytes"));
	assert_int_equal(svf_copy_to_user(&call, user(memory) + PAGE - 15, mine, 16), -EFAULT);
	assert_non_null(strstr(call.reason, "cannot write 16 bytes"));
	assert_int_equal(svf_copy_from_user(&call, mine, user(constant), 16), 0);
	assert_int_equal(svf_copy_to_user(&call, user(constant), mine, 16), -EFAULT);
	assert_int_equal(svf_copy_from_user(&call, mine, 0, 1), -EFAULT);
	assert_string_equal(call.reason, "cannot read 1 bytes at address 0x0 of the caller");
}

/* No byte, no address: the port is not even asked. */
static void nothing_to_copy(void **state)
{
	(void)state;
	assert_int_equal(svf_copy_from_user(&call, NULL, 0xdead, 0), 0);
	assert_int_equal(svf_copy_to_user(&call, 0xdead, NULL, 0), 0);
	assert_int_equal(test_copies(), 0);
}

/* The string's end falls before, on and behind the borders between the pieces it is read in. */
static void strings_at_all_places(void **state)
{
	char *memory = test_user_alloc(PAGE), expected[200], got[256];

	(void)state;
	for (unsigned int i = 0; i < sizeof(expected); i++)
		expected[i] = (char)('a' + i % 26);
	for (unsigned int start = 0; start < 70; start++) {
		for (unsigned int length = 0; length < sizeof(expected); length++) {
			memset(memory, 0xff, PAGE);
			memcpy(memory + start, expected, length);
			memory[start + length] = '\0';
			memset(got, '#', sizeof(got));
			assert_int_equal(svf_copy_string_from_user(&call, got, user(memory) + start,
								   sizeof(got)),
					 length);
			assert_memory_equal(got, expected, length);
			assert_int_equal(got[length], '\0');
		}
	}
}

/* What follows the NUL need not be there: the string is the last thing of its mapping. */
static void string_at_the_end_of_a_mapping(void **state)
{
	char *memory = test_user_alloc(PAGE), got[256];

	(void)state;
	for (unsigned int length = 0; length < 200; length++) {
		memset(memory, 'x', PAGE - 1);
		memory[PAGE - 1] = '\0';
		assert_int_equal(svf_copy_string_from_user(
					 &call, got, user(memory) + PAGE - 1 - length, sizeof(got)),
				 length);
		assert_int_equal(strlen(got), length);
	}
}

static void string_without_end(void **state)
{
	char *memory = test_user_alloc(PAGE), got[64 + 1];

	(void)state;
	memset(memory, 'x', PAGE);
	got[64] = '#';
	/* The bound holds wherever the string begins, and nothing is stored beyond it. */
	for (unsigned int start = 0; start < 64; start++) {
		assert_int_equal(svf_copy_string_from_user(&call, got, user(memory) + start, 64),
				 -EINVAL);
		assert_string_equal(call.reason, "the string has no end within 64 bytes");
		assert_int_equal(got[64], '#');
	}
	/* Its NUL in the last byte that is looked at is one, a byte later it is not. */
	memory[63] = '\0';
	assert_int_equal(svf_copy_string_from_user(&call, got, user(memory), 64), 63);
	assert_int_equal(svf_copy_string_from_user(&call, got, user(memory), 63), -EINVAL);
	/* It runs out of the mapping before the bound is reached. */
	assert_int_equal(svf_copy_string_from_user(&call, got, user(memory) + PAGE - 32, 64),
			 -EFAULT);
	assert_int_equal(svf_copy_string_from_user(&call, got, 0, 64), -EFAULT);
}

/* Each copy of a string that takes several can be the one that fails. */
static void string_copy_fails(void **state)
{
	char *memory = test_user_alloc(PAGE), got[256];

	(void)state;
	memset(memory, 'x', 150);
	for (unsigned long n = 1; n <= 3; n++) {
		test_fail_copy(n);
		assert_int_equal(svf_copy_string_from_user(&call, got, user(memory), sizeof(got)),
				 -EFAULT);
	}
	test_fail_copy(4);
	assert_int_equal(svf_copy_string_from_user(&call, got, user(memory), sizeof(got)), 150);
}

static void descriptors(void **state)
{
	struct svf_event *event = test_event();
	struct svf_file *file = NULL;
	struct svf_fd fd;

	(void)state;
	assert_int_equal(svf_iommufd_open(machine, &call, &file), 0);
	test_fd_other(3);
	test_fd_event(4, event);
	test_fd_file(5, file);

	assert_int_equal(svf_call_fd(&call, 3, &fd), 0);
	assert_int_equal(fd.kind, SVF_FD_OTHER);
	assert_int_equal(svf_call_fd(&call, 4, &fd), 0);
	assert_int_equal(fd.kind, SVF_FD_EVENT);
	assert_ptr_equal(fd.event, event);
	assert_int_equal(svf_call_fd(&call, 5, &fd), 0);
	assert_int_equal(fd.kind, SVF_FD_FILE);
	assert_ptr_equal(fd.file, file);

	/* What is borrowed is not kept. */
	assert_int_equal(test_event_refs(event), 0);
	svf_file_close(file);
}

/* The words are the handler's: it knows what the number was meant to be. */
static void bad_descriptors(void **state)
{
	static const int bad[] = {-1, -2, INT32_MIN, 0, 9, TEST_FDS, INT32_MAX};
	struct svf_fd fd = {.kind = SVF_FD_EVENT};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(bad); i++)
		assert_int_equal(svf_call_fd(&call, bad[i], &fd), -EBADF);
	assert_int_equal(fd.kind, SVF_FD_EVENT);
	assert_string_equal(call.reason, "");
}

/* A host that must find out first says so once for each number, also for those that are not open.
 */
static void restarted(void **state)
{
	struct svf_fd fd;

	(void)state;
	test_fd_other(3);
	test_fd_restart(true);
	assert_int_equal(svf_call_fd(&call, 3, &fd), SVF_RESTART);
	assert_int_equal(svf_call_fd(&call, 4, &fd), SVF_RESTART);
	assert_int_equal(svf_call_fd(&call, 3, &fd), 0);
	assert_int_equal(svf_call_fd(&call, 4, &fd), -EBADF);
	/* -1 is known to be none without a question. */
	assert_int_equal(svf_call_fd(&call, -1, &fd), -EBADF);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reasons),
		TEST(copies),
		TEST(bad_addresses),
		TEST(nothing_to_copy),
		TEST(strings_at_all_places),
		TEST(string_at_the_end_of_a_mapping),
		TEST(string_without_end),
		TEST(string_copy_fails),
		TEST(descriptors),
		TEST(bad_descriptors),
		TEST(restarted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
