/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of functions, and the other small texts that core/pci reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/pci/bdf.h"
#include "core/pci/parse.h"

static void test_bdf_reads_what_sysfs_writes(void **state)
{
	struct svf_bdf bdf;

	assert_true(svf_bdf_parse("0001:a2:1f.7", &bdf));
	assert_int_equal(bdf.domain, 1);
	assert_int_equal(bdf.bus, 0xa2);
	assert_int_equal(bdf.devfn, 0xff);
}

static void test_bdf_refuses_everything_else(void **state)
{
	static const char *const wrong[] = {
		"",
		"0000",
		"0000:00:00",
		"0000:00:00.",
		"0000:00:00.8",
		"0000:00:20.0",
		"000:00:00.0",
		"00000:00:00.0",
		"0000:00:00.00",
		"0000:00:00.0 ",
		"0000-00:00.0",
		"0000:0g:00.0",
	};
	struct svf_bdf bdf;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(wrong); i++)
		assert_false(svf_bdf_parse(wrong[i], &bdf));
}

static void test_bdf_order(void **state)
{
	struct svf_bdf low = {0, 1, 0x10}, high = {0, 1, 0x11}, domain = {1, 0, 0};

	assert_int_equal(svf_bdf_compare(low, high), -1);
	assert_int_equal(svf_bdf_compare(high, low), 1);
	assert_int_equal(svf_bdf_compare(low, low), 0);
	assert_int_equal(svf_bdf_compare(high, domain), -1);
}

static void test_sizes(void **state)
{
	uint64_t size = 7;

	assert_true(svf_parse_size("64K", 3, &size));
	assert_int_equal(size, 65536);
	assert_true(svf_parse_size("3Gx", 2, &size));
	assert_int_equal(size, 3ull << 30);
	assert_false(svf_parse_size("64KK", 4, &size));
	assert_false(svf_parse_size("", 0, &size));
	assert_false(svf_parse_size("K", 1, &size));
	assert_false(svf_parse_size("18446744073709551616", 20, &size));
	assert_false(svf_parse_size("17179869184T", 12, &size));
	assert_int_equal(size, 3ull << 30);
}

static void test_numbers(void **state)
{
	const char *text = "10c9 rest";
	uint64_t value;

	assert_true(svf_parse_number("0x10", &value));
	assert_int_equal(value, 16);
	assert_true(svf_parse_number("10", &value));
	assert_int_equal(value, 10);
	assert_false(svf_parse_number("0x", &value));
	assert_false(svf_parse_number("10 ", &value));
	assert_false(svf_parse_number("-1", &value));
	assert_true(svf_parse_hex_prefix(&text, &value));
	assert_int_equal(value, 0x10c9);
	assert_string_equal(text, " rest");
	text = "11112222333344445";
	assert_false(svf_parse_hex_prefix(&text, &value));
}

static void test_names_with_newline(void **state)
{
	assert_true(svf_text_equal("igb", "igb"));
	assert_true(svf_text_equal("igb\n", "igb"));
	assert_false(svf_text_equal("igb\n\n", "igb"));
	assert_false(svf_text_equal("igbvf", "igb"));
	assert_false(svf_text_equal("ig", "igb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bdf_reads_what_sysfs_writes),
		cmocka_unit_test(test_bdf_refuses_everything_else),
		cmocka_unit_test(test_bdf_order),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names_with_newline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
