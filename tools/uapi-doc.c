/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * usage: uapi-doc docs/uapi-notes.md tests/conformance/cases >docs/uapi.md
 *
 * Prints the notes, each line "@container@", "@group@", "@device@" or "@iommufd@" replaced by what
 * the table of commands says of that kind of file, and "@tests@" by which conformance cases issue each
 * command. A lint test compares the result with docs/uapi.md, so that the page cannot lag behind the
 * code.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Flags that a command takes; what each is called behind the prefix. */
#define FLAGS(command, prefix, ...)                                                                \
	{                                                                                          \
#command, #prefix, #__VA_ARGS__                                                    \
	}
static const struct {
	const char *command, *prefix, *names;
} flags[] = {
	FLAGS(VFIO_IOMMU_MAP_DMA, VFIO_DMA_MAP_FLAG_, READ, WRITE, VADDR),
	FLAGS(VFIO_IOMMU_UNMAP_DMA, VFIO_DMA_UNMAP_FLAG_, GET_DIRTY_BITMAP, ALL, VADDR),
	FLAGS(VFIO_IOMMU_DIRTY_PAGES, VFIO_IOMMU_DIRTY_PAGES_FLAG_, START, STOP, GET_BITMAP),
	FLAGS(VFIO_DEVICE_SET_IRQS, VFIO_IRQ_SET_, DATA_NONE, DATA_BOOL, DATA_EVENTFD, ACTION_MASK,
	      ACTION_UNMASK, ACTION_TRIGGER),
	FLAGS(VFIO_DEVICE_IOEVENTFD, VFIO_DEVICE_IOEVENTFD_, 8, 16, 32, 64),
	FLAGS(VFIO_DEVICE_FEATURE, VFIO_DEVICE_FEATURE_, GET, SET, PROBE),
	FLAGS(VFIO_DEVICE_BIND_IOMMUFD, VFIO_DEVICE_BIND_FLAG_, TOKEN),
	FLAGS(VFIO_DEVICE_ATTACH_IOMMUFD_PT, VFIO_DEVICE_ATTACH_, PASID),
	FLAGS(VFIO_DEVICE_DETACH_IOMMUFD_PT, VFIO_DEVICE_DETACH_, PASID),
	FLAGS(IOMMU_IOAS_MAP, IOMMU_IOAS_MAP_, FIXED_IOVA, WRITEABLE, READABLE),
	FLAGS(IOMMU_IOAS_MAP_FILE, IOMMU_IOAS_MAP_, FIXED_IOVA, WRITEABLE, READABLE),
	FLAGS(IOMMU_IOAS_COPY, IOMMU_IOAS_MAP_, FIXED_IOVA, WRITEABLE, READABLE),
	FLAGS(IOMMU_HWPT_ALLOC, IOMMU_HWPT_, ALLOC_NEST_PARENT, ALLOC_DIRTY_TRACKING,
	      FAULT_ID_VALID, ALLOC_PASID),
	FLAGS(IOMMU_GET_HW_INFO, IOMMU_HW_INFO_FLAG_, INPUT_TYPE),
	FLAGS(IOMMU_HWPT_SET_DIRTY_TRACKING, IOMMU_HWPT_DIRTY_TRACKING_, ENABLE),
	FLAGS(IOMMU_HWPT_GET_DIRTY_BITMAP, IOMMU_HWPT_GET_DIRTY_BITMAP_, NO_CLEAR),
};

static void print_flags(const struct svf_command *row)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(flags); i++)
		if (strcmp(flags[i].command, row->name) == 0 &&
		    (row->kind != SVF_FILE_IOMMUFD || *row->name == 'I'))
			printf(" %s: %s", flags[i].prefix, flags[i].names);
}

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
	printf(" |");
	print_flags(row);
	printf(" |%s%s |%s |\n", *row->errnos ? " " : "", row->errnos,
	       row->flags & SVF_COMMAND_RETURNS_FD ? " returns a descriptor" : "");
}

static void print_kind(enum svf_file_kind kind)
{
	puts("| Command | Number | Argument | Bytes | Flags | Errnos | Notes |");
	puts("|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < svf_commands_count; i++)
		if (svf_commands[i].kind == kind)
			print_row(&svf_commands[i]);
}

/* --- which cases issue a command --- */

static struct dirent **cases;
static int case_count;
static const char *cases_folder;

static int is_case(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 2 && strcmp(entry->d_name + len - 2, ".c") == 0 &&
	       strncmp(entry->d_name, "lib", 3) != 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len)
		if (!isalnum((unsigned char)at[len]) && at[len] != '_')
			return true;
	return false;
}

static bool case_has(const char *name, const char *command)
{
	static char text[1 << 18];
	char path[512];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", cases_folder, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return has_word(text, command);
}

/* A container's commands on an iommufd are issued by the cases named for that. */
static bool is_of_kind(const char *name, const struct svf_command *row)
{
	bool compat = strncmp(name, "iommufd-", 8) == 0;

	if (row->kind == SVF_FILE_IOMMUFD)
		return compat || *row->name == 'I';
	return !compat || row->kind == SVF_FILE_DEVICE;
}

static const char *const kind_names[] = {
	[SVF_FILE_CONTAINER] = "container",
	[SVF_FILE_GROUP] = "group",
	[SVF_FILE_DEVICE] = "device",
	[SVF_FILE_IOMMUFD] = "iommufd",
};

static void print_tests_of(const struct svf_command *row)
{
	unsigned int found = 0;

	printf("| %s | %s |", kind_names[row->kind], row->name);
	for (int i = 0; i < case_count; i++) {
		const char *name = cases[i]->d_name;

		if (!is_of_kind(name, row) || !case_has(name, row->name))
			continue;
		printf(" %.*s", (int)strlen(name) - 2, name);
		found++;
	}
	puts(found ? " |" : " none |");
}

static void print_tests(void)
{
	puts("| File | Command | Cases of tests/conformance |");
	puts("|---|---|---|");
	for (size_t i = 0; i < svf_commands_count; i++)
		print_tests_of(&svf_commands[i]);
}

static bool print_place(const char *line)
{
	if (strcmp(line, "@tests@\n") == 0) {
		print_tests();
		return true;
	}
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
	FILE *notes = argc == 3 ? fopen(argv[1], "re") : NULL;
	char line[512];
	bool bad;

	if (notes) {
		cases_folder = argv[2];
		case_count = scandir(cases_folder, &cases, is_case, alphasort);
	}
	if (!notes || case_count < 0) {
		fprintf(stderr, "uapi-doc: %s\n",
			argc == 3 ? strerror(errno)
				  : "the notes and the folder of cases are wanted");
		return 2;
	}
	puts("<!-- Made by tools/uapi-doc from core/command.c and docs/uapi-notes.md: edit those. "
	     "-->");
	while (fgets(line, sizeof(line), notes))
		if (!print_place(line))
			fputs(line, stdout);
	bad = ferror(notes);
	fclose(notes);
	while (case_count > 0)
		free(cases[--case_count]);
	free(cases);
	return bad || fflush(stdout) || ferror(stdout);
}
