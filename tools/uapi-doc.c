/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * usage: uapi-doc docs/uapi-notes.md >docs/uapi.md
 *
 * Prints the notes, each line "@container@", "@group@", "@device@" or "@iommufd@" replaced by what
 * the table of commands says of that kind of file. A lint test compares the result with
 * docs/uapi.md, so that the page cannot lag behind the code.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "core/command.h"

static const struct {
	const char *line;
	enum svf_file_kind kind;
} places[] = {
	{"@container@\n", SVF_FILE_CONTAINER},
	{"@group@\n", SVF_FILE_GROUP},
	{"@device@\n", SVF_FILE_DEVICE},
	{"@iommufd@\n", SVF_FILE_IOMMUFD},
};

static const char *argument(const struct svf_command *row)
{
	if (row->flags & SVF_COMMAND_ARG_NONE)
		return "none";
	if (row->flags & SVF_COMMAND_ARG_VALUE)
		return "number";
	if (row->size == sizeof(int))
		return "pointer to a descriptor";
	return row->size ? "structure" : "string";
}

static void print_row(const struct svf_command *row)
{
	printf("| %s | %u, 0x%x | %s |", row->name, row->number & 0xff, row->number, argument(row));
	if (row->min_size != row->size)
		printf(" %u to", row->min_size);
	if (row->size)
		printf(" %u", row->size);
	printf(" |%s%s |%s |\n", *row->errnos ? " " : "", row->errnos,
	       row->flags & SVF_COMMAND_RETURNS_FD ? " returns a descriptor" : "");
}

static void print_kind(enum svf_file_kind kind)
{
	puts("| Command | Number | Argument | Bytes | Errnos | Notes |");
	puts("|---|---|---|---|---|---|");
	for (size_t i = 0; i < svf_commands_count; i++)
		if (svf_commands[i].kind == kind)
			print_row(&svf_commands[i]);
}

static bool print_place(const char *line)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(places); i++) {
		if (strcmp(line, places[i].line) != 0)
			continue;
		print_kind(places[i].kind);
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	FILE *notes = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[512];
	bool bad;

	if (!notes) {
		fprintf(stderr, "uapi-doc: %s\n", argc == 2 ? strerror(errno) : "one file is wanted");
		return 2;
	}
	puts("<!-- Made by tools/uapi-doc from core/command.c and docs/uapi-notes.md: edit those. -->");
	while (fgets(line, sizeof(line), notes))
		if (!print_place(line))
			fputs(line, stdout);
	bad = ferror(notes);
	fclose(notes);
	return bad || fflush(stdout) || ferror(stdout);
}
