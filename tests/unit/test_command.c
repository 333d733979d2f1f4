/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core/command.c: what must hold for every row of the table, so that dispatch finds it, documents
 * and messages can print it, and the launcher lets it through.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "core/command.h"
#include "uapi/softvfio.h"
#include "uapi/vfio.h"

#define for_each_row(row) for (row = svf_commands; row < svf_commands + svf_commands_count; row++)

static const unsigned int known_flags =
	SVF_COMMAND_RETURNS_FD | SVF_COMMAND_ARG_VALUE | SVF_COMMAND_ARG_NONE | SVF_COMMAND_TEST;

/* A row that is wrong is named: a number of the table says nothing to a reader. */
#define ROW_HOLDS(row, condition)                                                                  \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("%s (kind %d): not %s", (row)->name, (int)(row)->kind,            \
				 #condition);                                                      \
	} while (0)

static void sorted(void **state)
{
	(void)state;
	assert_true(svf_commands_count > 40);
	for (size_t i = 1; i < svf_commands_count; i++) {
		const struct svf_command *row = &svf_commands[i], *before = row - 1;

		ROW_HOLDS(row, before->kind < row->kind ||
				       (before->kind == row->kind && before->number < row->number));
	}
}

static void every_row_is_found(void **state)
{
	const struct svf_command *row;

	(void)state;
	for_each_row(row) ROW_HOLDS(row, svf_command_lookup(row->kind, row->number) == row);
}

/* Only rows are found: of all numbers of VFIO's type, for each kind, as many as there are rows. */
static void nothing_else_is_found(void **state)
{
	static const enum svf_file_kind kinds[] = {SVF_FILE_CONTAINER, SVF_FILE_GROUP,
						   SVF_FILE_DEVICE, SVF_FILE_IOMMUFD};
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(kinds); i++) {
		for (uint32_t nr = 0; nr < 256; nr++)
			found += svf_command_lookup(kinds[i], SVF_IO(nr)) != NULL;
		assert_null(svf_command_lookup(kinds[i], 0));
		assert_null(svf_command_lookup(kinds[i], UINT32_MAX));
		/* The same number with a direction and a size, as _IOWR would make it. */
		assert_null(svf_command_lookup(kinds[i], 0xc0100000u | SVF_IO(0x81)));
	}
	assert_int_equal(found, svf_commands_count);
}

/* Numbers mean something else on another kind of file. */
static void numbers_collide(void **state)
{
	(void)state;
	assert_string_equal(svf_command_lookup(SVF_FILE_CONTAINER, SVF_IO(113))->name,
			    "VFIO_IOMMU_MAP_DMA");
	assert_string_equal(svf_command_lookup(SVF_FILE_DEVICE, SVF_IO(113))->name,
			    "VFIO_DEVICE_PCI_HOT_RESET");
	assert_null(svf_command_lookup(SVF_FILE_GROUP, SVF_IO(113)));
}

static void one_way_to_serve_it(void **state)
{
	const struct svf_command *row;

	(void)state;
	for_each_row(row)
	{
		ROW_HOLDS(row, !row->handler != !row->op);
		ROW_HOLDS(row, !row->op || row->kind == SVF_FILE_IOMMUFD);
	}
}

/* The name says to whom a command belongs; type ';' without size or direction, as FUSE needs it. */
static void names_and_numbers(void **state)
{
	const struct svf_command *row;

	(void)state;
	for_each_row(row)
	{
		ROW_HOLDS(row, !strncmp(row->name, row->op ? "IOMMU_" : "VFIO_", row->op ? 6 : 5));
		ROW_HOLDS(row, row->number >> 8 == ';');
		ROW_HOLDS(row,
			  row->op ? (row->number & 0xff) >= 0x80 : (row->number & 0xff) >= 100);
	}
}

static void sizes_and_flags(void **state)
{
	const struct svf_command *row;

	(void)state;
	for_each_row(row)
	{
		const bool no_structure =
			row->flags & (SVF_COMMAND_ARG_VALUE | SVF_COMMAND_ARG_NONE);

		ROW_HOLDS(row, row->min_size <= row->size);
		ROW_HOLDS(row, !row->min_size == !row->size);
		ROW_HOLDS(row, row->min_size % 4 == 0 && row->size % 4 == 0);
		ROW_HOLDS(row, !(row->flags & ~known_flags));
		ROW_HOLDS(row, (row->flags & (SVF_COMMAND_ARG_VALUE | SVF_COMMAND_ARG_NONE)) !=
				       (SVF_COMMAND_ARG_VALUE | SVF_COMMAND_ARG_NONE));
		ROW_HOLDS(row, !no_structure || !row->size);
		/* Without a structure and without a flag the argument is a string: GET_DEVICE_FD's.
		 */
		ROW_HOLDS(row,
			  no_structure || row->size || row->number == VFIO_GROUP_GET_DEVICE_FD);
		/* iommufd's own begin with the size and at least one member. */
		ROW_HOLDS(row, !row->op || row->min_size >= 8);
	}
}

static int errno_by_name(const char *name, size_t length)
{
	for (int err = 1; err < 200; err++) {
		const char *known = strerrorname_np(err);

		if (known && strlen(known) == length && !memcmp(known, name, length))
			return err;
	}
	return 0;
}

/* Words separated by one blank, each an errno, none twice. */
static void check_errnos(const struct svf_command *row)
{
	unsigned char seen[200] = {0};
	const char *word = row->errnos;

	while (*word) {
		size_t length = strcspn(word, " ");
		int err = errno_by_name(word, length);

		if (!err || seen[err])
			fail_msg("%s: \"%s\" at \"%s\"", row->name, row->errnos, word);
		seen[err] = 1;
		word += length;
		if (*word)
			ROW_HOLDS(row, *++word);
	}
	/* A handler copies its structure itself; for iommufd's own, EFAULT is every command's. */
	ROW_HOLDS(row, !row->handler || !row->size || seen[EFAULT]);
}

static void errnos(void **state)
{
	const struct svf_command *row;

	(void)state;
	for_each_row(row)
	{
		assert_non_null(row->errnos);
		check_errnos(row);
	}
}

/* FUSE cannot make a descriptor: a command that does so must be on the listener's list. */
static void commands_that_return_descriptors_are_listened_to(void **state)
{
	static const uint32_t listened[] = SVF_LISTENED_COMMANDS;
	const struct svf_command *row;
	size_t rows = 0, others = 0;

	(void)state;
	for_each_row(row)
	{
		bool on_list = false;

		for (size_t i = 0; i < SVF_ARRAY_SIZE(listened); i++)
			on_list |= listened[i] == row->number;
		ROW_HOLDS(row, on_list == !!(row->flags & SVF_COMMAND_RETURNS_FD));
		rows += on_list;
	}
	for (size_t i = 0; i < SVF_ARRAY_SIZE(listened); i++)
		others += listened[i] >> 8 == 0xf5 || listened[i] == KVM_SET_DEVICE_ATTR;
	assert_int_equal(rows + others, SVF_ARRAY_SIZE(listened));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted),
		cmocka_unit_test(every_row_is_found),
		cmocka_unit_test(nothing_else_is_found),
		cmocka_unit_test(numbers_collide),
		cmocka_unit_test(one_way_to_serve_it),
		cmocka_unit_test(names_and_numbers),
		cmocka_unit_test(sizes_and_flags),
		cmocka_unit_test(errnos),
		cmocka_unit_test(commands_that_return_descriptors_are_listened_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
