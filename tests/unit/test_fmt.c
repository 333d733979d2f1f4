/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base/fmt.c: the verbs of the subset print what printf prints, and what does not fit is cut.
 * Each row is held against its text and, where the C library has the same verb, against snprintf.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fmt.h"

#define SAME(expected, ...)                                                                        \
	do {                                                                                       \
		char ours[256], libc[256];                                                         \
                                                                                                   \
		snprintf(libc, sizeof(libc), __VA_ARGS__);                                         \
		assert_int_equal(svf_fmt(ours, sizeof(ours), __VA_ARGS__), strlen(expected));      \
		assert_string_equal(ours, expected);                                               \
		assert_string_equal(libc, expected);                                               \
	} while (0)

static void strings(void **state)
{
	(void)state;
	SAME("plain 100%", "plain 100%%");
	SAME("<text>", "<%s>", "text");
	SAME("<>", "<%s>", "");
	SAME("<  text>", "<%6s>", "text");
	SAME("<text  >", "<%-6s>", "text");
	SAME("<longer>", "<%3s>", "longer");
	SAME("<lon>", "<%.3s>", "longer");
	SAME("<>", "<%.s>", "longer");
	SAME("<  lo>", "<%4.2s>", "longer");
	SAME("<lon>", "<%.*s>", 3, "longer");
	SAME("<longer>", "<%.*s>", 30, "longer");
	SAME("<>", "<%.*s>", 0, "longer");
	SAME("<x|  y|z  >", "<%c|%3c|%-3c>", 'x', 'y', 'z');
}

/* A precision is a promise that nothing behind it is read: the bytes have no end of their own. */
static void precision_needs_no_end(void **state)
{
	const char bytes[4] = {'a', 'b', 'c', 'd'};
	char text[8];

	(void)state;
	assert_int_equal(svf_fmt(text, sizeof(text), "%.*s", 4, bytes), 4);
	assert_string_equal(text, "abcd");
}

static void numbers(void **state)
{
	(void)state;
	SAME("0 7 -7", "%d %d %d", 0, 7, -7);
	SAME("-2147483648 2147483647", "%d %i", INT_MIN, INT_MAX);
	SAME("-9223372036854775808", "%ld", LONG_MIN);
	SAME("9223372036854775807", "%lld", LLONG_MAX);
	SAME("4294967295 ffffffff", "%u %x", UINT_MAX, UINT_MAX);
	SAME("18446744073709551615", "%lu", ULONG_MAX);
	SAME("ffffffffffffffff", "%llx", ULLONG_MAX);
	SAME("18446744073709551615 0", "%zu %zu", SIZE_MAX, (size_t)0);
	SAME("255 ff", "%hhu %hhx", (uint8_t)255, (uint8_t)255);
	SAME("65535 abcd", "%hu %hx", (uint16_t)65535, (uint16_t)0xabcd);
}

static void padding(void **state)
{
	(void)state;
	SAME("0000:01:10.0", "%04x:%02x:%02x.%x", 0u, 1u, 0x10u, 0u);
	SAME("<   42>", "<%5d>", 42);
	SAME("<42   >", "<%-5d>", 42);
	SAME("<  -42>", "<%5d>", -42);
	SAME("<-42  >", "<%-5d>", -42);
	SAME("<00042>", "<%05d>", 42);
	SAME("<-0042>", "<%05d>", -42);
	SAME("<-42>", "<%03d>", -42);
	SAME("<123456>", "<%03u>", 123456u);
	SAME("<00000000deadbeef>", "<%016lx>", 0xdeadbeeful);
}

/* Each buffer size up to more than enough: the length is the whole text's, the rest is untouched.
 */
static void cut(void **state)
{
	static const char whole[] = "PF 0000:03:00.0";
	char text[sizeof(whole) + 4];

	(void)state;
	for (size_t size = 1; size < sizeof(text); size++) {
		size_t fits = size - 1 < sizeof(whole) - 1 ? size - 1 : sizeof(whole) - 1;

		memset(text, '#', sizeof(text));
		assert_int_equal(svf_fmt(text, size, "PF %04x:%02x:%02x.%u", 0u, 3u, 0u, 0u),
				 sizeof(whole) - 1);
		assert_memory_equal(text, whole, fits);
		assert_int_equal(text[fits], '\0');
		for (size_t i = fits + 1; i < sizeof(text); i++)
			assert_int_equal(text[i], '#');
	}
}

static size_t through_va_list(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t length;

	va_start(ap, fmt);
	length = svf_vfmt(buf, size, fmt, ap);
	va_end(ap);
	return length;
}

static void arguments_as_a_list(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(through_va_list(text, sizeof(text), "%s %lu %.*s %c", "a", 1ul << 40, 2,
					 "xyz", '!'),
			 20);
	assert_string_equal(text, "a 1099511627776 xy !");
}

/* A verb outside the subset is our own bug and ends the process, in every kind of build. */
static void unknown_verb(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		char text[8];

		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		through_va_list(text, sizeof(text), "%q", 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),	cmocka_unit_test(precision_needs_no_end),
		cmocka_unit_test(numbers),	cmocka_unit_test(padding),
		cmocka_unit_test(cut),		cmocka_unit_test(arguments_as_a_list),
		cmocka_unit_test(unknown_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
