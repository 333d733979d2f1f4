/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * uapi/: every number, and the layout of every structure, is the system's. Both tables come from
 * one list in one order; the system's lacks the sections that are younger than its headers, whose
 * number is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "uapi_table.h"

/* The ABI that we state is that of 7.3; in headers after it a structure may have grown at its end.
 */
#define STATED_VERSION ((7u << 16) + (3u << 8) + 255u)

static const struct uapi_entry *find(const char *name)
{
	for (size_t i = 0; i < uapi_ours_count; i++)
		if (!strcmp(uapi_ours[i].name, name))
			return &uapi_ours[i];
	return NULL;
}

static bool may_have_grown(const struct uapi_entry *system)
{
	return uapi_system_version > STATED_VERSION && !strncmp(system->name, "sizeof", 6);
}

static void same_as_the_system(void **state)
{
	unsigned int wrong = 0;

	(void)state;
	/* What the headers of Debian 12 have is always compared. */
	assert_true(uapi_system_count >= 200);
	for (size_t i = 0; i < uapi_system_count; i++) {
		const struct uapi_entry *system = &uapi_system[i], *ours = find(system->name);

		assert_non_null(ours);
		if (ours->value == system->value ||
		    (may_have_grown(system) && ours->value < system->value))
			continue;
		print_error("%s: ours is %#lx, the system's %#lx\n", ours->name, ours->value,
			    system->value);
		wrong++;
	}
	print_message("%zu of %zu compared with the headers of Linux %u.%u\n", uapi_system_count,
		      uapi_ours_count, uapi_system_version >> 16, uapi_system_version >> 8 & 0xff);
	assert_int_equal(wrong, 0);
}

/* A name that is there twice hides a mistake in its second place. */
static void each_name_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < uapi_ours_count; i++)
		assert_ptr_equal(find(uapi_ours[i].name), &uapi_ours[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_the_system),
		cmocka_unit_test(each_name_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
