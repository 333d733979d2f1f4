/* SPDX-License-Identifier: BSD-3-Clause */
/* base/uuid.c: text to bytes and back, and texts that are no UUID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/uuid.h"

static const char text[] = "01234567-89ab-cdef-fedc-ba9876543210";
static const struct svf_uuid uuid = {{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc,
				      0xba, 0x98, 0x76, 0x54, 0x32, 0x10}};

/* Bytes stand in the order of the text, not as the little-endian integers of a GUID. */
static void both_ways(void **state)
{
	char back[SVF_UUID_TEXT_LEN + 1];
	struct svf_uuid parsed;

	(void)state;
	assert_true(svf_uuid_parse(text, &parsed));
	assert_memory_equal(&parsed, &uuid, sizeof(uuid));
	svf_uuid_format(&uuid, back);
	assert_string_equal(back, text);
}

static void either_case(void **state)
{
	struct svf_uuid parsed;

	(void)state;
	assert_true(svf_uuid_parse("01234567-89AB-cDeF-FEDC-BA9876543210", &parsed));
	assert_true(svf_uuid_equal(&parsed, &uuid));
}

static void what_follows_is_not_looked_at(void **state)
{
	struct svf_uuid parsed;

	(void)state;
	assert_true(svf_uuid_parse("01234567-89ab-cdef-fedc-ba9876543210 and more", &parsed));
	assert_true(svf_uuid_parse("01234567-89ab-cdef-fedc-ba98765432100", &parsed));
	assert_true(svf_uuid_equal(&parsed, &uuid));
}

/* In place of each character in turn, everything that could not stand there. */
static void wrong_characters(void **state)
{
	static const char wrong[] = "gG/:@`{ -x0";

	(void)state;
	for (size_t i = 0; i < SVF_UUID_TEXT_LEN; i++) {
		for (const char *c = wrong; *c; c++) {
			char broken[sizeof(text)];
			struct svf_uuid parsed = uuid;

			if ((text[i] == '-') == (*c == '-') && (*c == '-' || *c == '0'))
				continue;
			memcpy(broken, text, sizeof(text));
			broken[i] = *c;
			assert_false(svf_uuid_parse(broken, &parsed));
			assert_true(svf_uuid_equal(&parsed, &uuid));
		}
	}
}

/* Each beginning, in memory that ends with it, so that a sanitizer sees a read too far. */
static void too_short(void **state)
{
	(void)state;
	for (size_t length = 0; length < SVF_UUID_TEXT_LEN; length++) {
		char *beginning = strndup(text, length);
		struct svf_uuid parsed;

		assert_non_null(beginning);
		assert_false(svf_uuid_parse(beginning, &parsed));
		free(beginning);
	}
}

static void other_forms(void **state)
{
	struct svf_uuid parsed;

	(void)state;
	assert_false(svf_uuid_parse("0123456789abcdeffedcba9876543210----", &parsed));
	assert_false(svf_uuid_parse("{01234567-89ab-cdef-fedc-ba9876543210}", &parsed));
	assert_false(svf_uuid_parse("0x234567-89ab-cdef-fedc-ba9876543210", &parsed));
	assert_false(svf_uuid_parse(" 01234567-89ab-cdef-fedc-ba9876543210", &parsed));
}

static void equality(void **state)
{
	(void)state;
	assert_true(svf_uuid_equal(&uuid, &uuid));
	for (unsigned int bit = 0; bit < 8 * sizeof(uuid.b); bit++) {
		struct svf_uuid other = uuid;

		other.b[bit / 8] = (uint8_t)(other.b[bit / 8] ^ 1u << bit % 8);
		assert_false(svf_uuid_equal(&uuid, &other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(either_case),
		cmocka_unit_test(what_follows_is_not_looked_at),
		cmocka_unit_test(wrong_characters),
		cmocka_unit_test(too_short),
		cmocka_unit_test(other_forms),
		cmocka_unit_test(equality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
