/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interpreter of scenarios, see scenario.h. A line is cut into words (quoted text and {...}
 * stay whole); a table maps the first word to its statement. Everything a scenario names - files,
 * memory, events - is in one table of names, and is closed at the end in reverse order.
 */
#include "tests/scenario/internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "core/iommu/group.h"
#include "core/pci/function.h"

#define FIRST_FD 10
#define PAGE	 4096u

void scenario_fail(struct scenario *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	if (s->quiet)
		return;
	printf("%s:%u: ", s->path, s->line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static const struct {
	const char *name;
	long value;
} results[] = {
	{"BLOCKED", SVF_BLOCKED},    {"EPERM", -EPERM},
	{"ENOENT", -ENOENT},	     {"EIO", -EIO},
	{"E2BIG", -E2BIG},	     {"EBADF", -EBADF},
	{"EAGAIN", -EAGAIN},	     {"ENOMEM", -ENOMEM},
	{"EACCES", -EACCES},	     {"EFAULT", -EFAULT},
	{"EBUSY", -EBUSY},	     {"EEXIST", -EEXIST},
	{"ENODEV", -ENODEV},	     {"EINVAL", -EINVAL},
	{"EMFILE", -EMFILE},	     {"ENOTTY", -ENOTTY},
	{"ENOSPC", -ENOSPC},	     {"ERANGE", -ERANGE},
	{"EOVERFLOW", -EOVERFLOW},   {"EBADFD", -EBADFD},
	{"EMSGSIZE", -EMSGSIZE},     {"EOPNOTSUPP", -EOPNOTSUPP},
	{"EADDRINUSE", -EADDRINUSE},
};

static const char *result_name(long value, char buf[24])
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(results); i++) {
		if (results[i].value == value)
			return results[i].name;
	}
	snprintf(buf, 24, "%ld", value);
	return buf;
}

static bool parse_result(const char *word, long *ret)
{
	char *end;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(results); i++) {
		if (strcmp(results[i].name, word) == 0) {
			*ret = results[i].value;
			return true;
		}
	}
	*ret = strtol(word, &end, 0);
	return !*end && end != word;
}

struct name *scenario_name(struct scenario *s, const char *text)
{
	for (unsigned int i = s->names_count; i-- > 0;) {
		if (strcmp(s->names[i].text, text) == 0)
			return &s->names[i];
	}
	return NULL;
}

struct name *scenario_add_name(struct scenario *s, const char *text, enum name_kind kind)
{
	struct name *name = &s->names[s->names_count];

	if (s->names_count == MAX_NAMES) {
		scenario_fail(s, "too many names");
		return NULL;
	}
	snprintf(name->text, sizeof(name->text), "%s", text);
	name->kind = kind;
	name->fd = FIRST_FD + (int)s->names_count++;
	name->process = s->process;
	return name;
}

/* What of its BARs is mapped goes first, as in a host. */
static void unmap_bars(struct scenario *s, const struct name *file)
{
	for (unsigned int i = 0; i < s->names_count; i++) {
		struct name *name = &s->names[i];

		if (!name->bar || name->user != file)
			continue;
		test_process(name->process);
		test_user_remove((uintptr_t)name->memory, name->size);
		test_process(s->process);
		name->bar = false;
	}
}

void scenario_close(struct scenario *s, struct name *name)
{
	if (name->kind != NAME_FILE || !name->file)
		return;
	unmap_bars(s, name);
	test_fd_close(name->fd);
	svf_file_close(name->file);
	name->file = NULL;
}

struct svf_file *scenario_file(struct scenario *s, const char *text)
{
	struct name *name = scenario_name(s, text);

	if (!name || name->kind != NAME_FILE || !name->file) {
		EXPECT(s, false, "no open file is named %s", text);
		return NULL;
	}
	return name->file;
}

struct svf_function *scenario_function(struct scenario *s, const char *text)
{
	struct svf_bdf bdf;
	struct svf_function *fn =
		svf_bdf_parse(text, &bdf) ? svf_function_lookup(s->machine, bdf) : NULL;

	EXPECT(s, fn, "there is no function %s", text);
	return fn;
}

char *scenario_unquote(char *word)
{
	size_t length = strlen(word);

	if (length >= 2 && word[0] == '"' && word[length - 1] == '"') {
		word[length - 1] = '\0';
		return word + 1;
	}
	return NULL;
}

void scenario_check(struct scenario *s, unsigned int i, long value)
{
	char a[24], b[24], *part;
	long wanted = 0;

	if (i < s->count && strcmp(s->words[i], "=") == 0) {
		if (i + 1 >= s->count || !parse_result(s->words[i + 1], &wanted)) {
			scenario_fail(s, "what follows = is no result");
			return;
		}
		i += 2;
	}
	EXPECT(s, value == wanted, "gave %s, not %s (%s)", result_name(value, a),
	       result_name(wanted, b), s->reason);
	/* This holds whatever was made to fail. */
	if (value < 0 && value != SVF_BLOCKED && !s->reason[0]) {
		s->broken = true;
		scenario_fail(s, "gave %s without a reason", result_name(value, a));
	}
	if (i < s->count) {
		part = scenario_unquote(s->words[i]);
		if (!part)
			scenario_fail(s, "%s: not understood", s->words[i]);
		else
			EXPECT(s, strstr(s->reason, part), "the reason is \"%s\", without \"%s\"",
			       s->reason, part);
	}
}

void scenario_check_call(struct scenario *s, unsigned int i, const struct svf_call *call,
			 long value)
{
	memcpy(s->reason, call->reason, sizeof(s->reason));
	scenario_check(s, i, value);
}

/* The machine is built by the first statement that needs it. */
static bool build(struct scenario *s)
{
	struct svf_topology_error error = {0};

	if (s->built)
		return true;
	s->built = true;
	if (svf_machine_build(s->machine, &s->topology, &error) == 0)
		return true;
	EXPECT(s, false, "the machine cannot be built: %s", error.text);
	return false;
}

uint64_t scenario_value(struct scenario *s, const char *text, size_t struct_size)
{
	char inner[64];
	struct name *name;
	struct svf_function *fn;
	char *end;
	uint64_t value;

	if (strcmp(text, "size") == 0)
		return struct_size;
	if (*text == '@') {
		name = scenario_name(s, text + 1);
		EXPECT(s, name && name->kind == NAME_MEMORY, "no memory is named %s", text + 1);
		return name ? (uintptr_t)name->memory : 0;
	}
	if (sscanf(text, "fd(%63[^)])", inner) == 1) {
		name = scenario_name(s, inner);
		EXPECT(s, name, "nothing is named %s", inner);
		return name ? (uint64_t)name->fd : UINT64_MAX;
	}
	if (sscanf(text, "group(%63[^)])", inner) == 1) {
		fn = scenario_function(s, inner);
		return fn && fn->group ? fn->group->id : 0;
	}
	value = strtoull(text, &end, 0);
	if (*end || end == text)
		scenario_fail(s, "%s is no value", text);
	return value;
}

static size_t field_size(const char *field)
{
	static const struct {
		const char *prefix;
		size_t size;
	} types[] = {{"u8", 1}, {"u16", 2}, {"u32", 4}, {"u64", 8}};

	for (size_t i = 0; i < SVF_ARRAY_SIZE(types); i++) {
		size_t length = strlen(types[i].prefix);

		if (strncmp(field, types[i].prefix, length) == 0 && strchr(":@", field[length]))
			return types[i].size;
	}
	return 0;
}

size_t scenario_hex(struct scenario *s, const char *text, uint8_t *out, size_t max)
{
	size_t n = 0;
	unsigned int byte;

	for (; *text && n < max; text += 2, n++) {
		if (sscanf(text, "%2x", &byte) != 1 || !text[1]) {
			scenario_fail(s, "%s: not pairs of hex digits", text);
			break;
		}
		out[n] = (uint8_t)byte;
	}
	return n;
}

/* In two passes, since "size" is known only after the first. */
size_t scenario_struct(struct scenario *s, const char *text, uint8_t *out)
{
	size_t total = 0, size;

	for (int pass = 0; pass < 2; pass++) {
		char *copy = strdup(text), *save = NULL;
		size_t at = 0;

		for (char *f = strtok_r(copy, "{} \t", &save); f;
		     f = strtok_r(NULL, "{} \t", &save)) {
			if (strncmp(f, "hex:", 4) == 0) {
				at += scenario_hex(s, f + 4, out + at, MAX_STRUCT - at);
				continue;
			}
			size = field_size(f);
			if (!size || at + size > MAX_STRUCT) {
				scenario_fail(s, "%s: no field", f);
				break;
			}
			if (pass) {
				uint64_t value = scenario_value(s, strchr(f, ':') + 1, total);

				memcpy(out + at, &value, size);
			}
			at += size;
		}
		total = at;
		free(copy);
	}
	return total;
}

unsigned int scenario_check_out(struct scenario *s, unsigned int i, const uint8_t *data,
				size_t size)
{
	if (i >= s->count || strcmp(s->words[i], "out") != 0)
		return i;
	for (i++; i < s->count && strchr(s->words[i], '@') && strchr(s->words[i], '='); i++) {
		char *word = s->words[i], *equals = strchr(word, '=');
		size_t field = field_size(word), offset = strtoul(strchr(word, '@') + 1, NULL, 0);
		uint64_t value = 0, wanted;

		if (!field || offset > size || field > size - offset || equals == word) {
			scenario_fail(s, "%s: no field of the structure", word);
			return i;
		}
		memcpy(&value, data + offset, field);
		wanted = scenario_value(s, equals + 1, size);
		EXPECT(s, value == wanted, "%.*s is 0x%llx, not 0x%llx", (int)(equals - word), word,
		       (unsigned long long)value, (unsigned long long)wanted);
	}
	return i;
}

/* Cuts at blanks; "..." and {...} are one word each. A # outside them ends the line. */
static void split(struct scenario *s, char *p)
{
	s->count = 0;
	while (s->count < MAX_WORDS) {
		while (isspace((unsigned char)*p))
			p++;
		if (!*p || *p == '#')
			return;
		s->words[s->count++] = p;
		if (*p == '"' || *p == '{') {
			char *end = strchr(p + 1, *p == '"' ? '"' : '}');

			p = end ? end + 1 : p + strlen(p);
		} else {
			while (*p && !isspace((unsigned char)*p))
				p++;
		}
		if (*p)
			*p++ = '\0';
	}
}

static void run_line(struct scenario *s, char *text)
{
	split(s, text);
	if (!s->count)
		return;
	for (size_t i = 0; i < scenario_statements_count; i++) {
		if (strcmp(scenario_statements[i].word, s->words[0]) != 0)
			continue;
		s->reason[0] = '\0';
		if (s->count < scenario_statements[i].min_words)
			scenario_fail(s, "%s needs more words", s->words[0]);
		else if (scenario_statements[i].before_build || build(s))
			scenario_statements[i].run(s);
		return;
	}
	scenario_fail(s, "%s: no such statement", s->words[0]);
}

static void options_free(struct svf_list *options)
{
	struct svf_topology_option *option, *tmp;

	svf_list_for_each_safe(option, tmp, options, link) {
		free((char *)option->key);
		free(option);
	}
}

static void nodes_free(struct svf_list *nodes)
{
	struct svf_topology_node *node, *tmp;

	svf_list_for_each_safe(node, tmp, nodes, link) {
		nodes_free(&node->children);
		options_free(&node->options);
		free((char *)node->driver);
		free((char *)node->model);
		free(node);
	}
}

static struct scenario *scenario_begin(const char *path)
{
	struct scenario *s = malloc(sizeof(*s));

	memset(s, 0, sizeof(*s));
	s->path = path;
	s->machine = test_machine();
	s->scratch = aligned_alloc(PAGE, SCRATCH);
	svf_list_init(&s->topology.roots);
	svf_list_init(&s->topology.params);
	return s;
}

static void run_lines(struct scenario *s, FILE *file)
{
	char line[1024];

	while (!s->failed && fgets(line, sizeof(line), file)) {
		s->line++;
		run_line(s, line);
	}
	fclose(file);
}

static void scenario_end(struct scenario *s)
{
	for (unsigned int i = s->names_count; i-- > 0;)
		scenario_close(s, &s->names[i]);
	test_machine_end(s->machine);
	free(s->scratch);
	options_free(&s->topology.params);
	nodes_free(&s->topology.roots);
	free(s);
}

bool scenario_run(const char *path, void (*arm)(void))
{
	FILE *file = fopen(path, "r");
	struct scenario *s;
	bool failed;

	if (!file) {
		perror(path);
		return false;
	}
	s = scenario_begin(path);
	s->tolerant = arm;
	if (arm)
		arm();
	run_lines(s, file);
	failed = s->failed;
	scenario_end(s);
	return !failed;
}

bool scenario_fuzz(const char *text, size_t size)
{
	FILE *file = size ? fmemopen((void *)text, size, "r") : NULL;
	struct scenario *s;
	bool broken;

	if (!file)
		return true;
	s = scenario_begin("input");
	s->tolerant = s->quiet = true;
	run_lines(s, file);
	broken = s->broken;
	scenario_end(s);
	return !broken;
}
