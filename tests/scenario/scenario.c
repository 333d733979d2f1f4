/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interpreter of scenarios, see scenario.h. A line is cut into words (quoted text and {...}
 * stay whole); a table maps the first word to its statement. Everything a scenario names - files,
 * memory, events - is in one table of names, and is closed at the end in reverse order.
 */
#include "tests/scenario/scenario.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "core/command.h"
#include "core/iommu/group.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/pci/topology.h"
#include "core/vfio/device.h"
#include "tests/unit/port.h"

#define MAX_WORDS  64
#define MAX_NAMES  64
#define MAX_STRUCT 512
#define FIRST_FD   10

enum name_kind { NAME_FILE, NAME_MEMORY, NAME_EVENT };

struct name {
	char text[32];
	enum name_kind kind;
	int fd;
	struct svf_file *file; /* NULL: closed */
	void *memory;
	struct svf_event *event;
	unsigned int seen; /* signals counted so far */
};

struct scenario {
	const char *path;
	unsigned int line;
	bool tolerant, failed;
	struct svf_machine *machine;
	struct svf_topology topology;
	bool built;
	struct name names[MAX_NAMES];
	unsigned int names_count, log_seen;
	char *words[MAX_WORDS];
	unsigned int count;
	char reason[SVF_REASON_SIZE];
};

static void __attribute__((format(printf, 2, 3))) fail(struct scenario *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	printf("%s:%u: ", s->path, s->line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* A mistake of the scenario itself, or a result that is not the stated one. */
#define EXPECT(s, condition, ...)                                                                  \
	do {                                                                                       \
		if (!(condition) && !(s)->tolerant)                                                \
			fail(s, __VA_ARGS__);                                                      \
	} while (0)

static const struct {
	const char *name;
	long value;
} results[] = {
	{ "BLOCKED", SVF_BLOCKED },  { "EPERM", -EPERM },     { "ENOENT", -ENOENT },
	{ "EIO", -EIO },	     { "E2BIG", -E2BIG },     { "EBADF", -EBADF },
	{ "EAGAIN", -EAGAIN },	     { "ENOMEM", -ENOMEM },   { "EACCES", -EACCES },
	{ "EFAULT", -EFAULT },	     { "EBUSY", -EBUSY },     { "EEXIST", -EEXIST },
	{ "ENODEV", -ENODEV },	     { "EINVAL", -EINVAL },   { "EMFILE", -EMFILE },
	{ "ENOTTY", -ENOTTY },	     { "ENOSPC", -ENOSPC },   { "ERANGE", -ERANGE },
	{ "EOVERFLOW", -EOVERFLOW }, { "EBADFD", -EBADFD },   { "EMSGSIZE", -EMSGSIZE },
	{ "EOPNOTSUPP", -EOPNOTSUPP }, { "EADDRINUSE", -EADDRINUSE },
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

static struct name *name_lookup(struct scenario *s, const char *text)
{
	for (unsigned int i = s->names_count; i-- > 0;) {
		if (strcmp(s->names[i].text, text) == 0)
			return &s->names[i];
	}
	return NULL;
}

static struct name *name_add(struct scenario *s, const char *text, enum name_kind kind)
{
	struct name *name = &s->names[s->names_count];

	if (s->names_count == MAX_NAMES) {
		fail(s, "too many names");
		return NULL;
	}
	snprintf(name->text, sizeof(name->text), "%s", text);
	name->kind = kind;
	name->fd = FIRST_FD + (int)s->names_count++;
	return name;
}

static void name_set_file(struct name *name, struct svf_file *file)
{
	name->file = file;
	test_fd_file(name->fd, file);
}

static struct svf_file *file_of(struct scenario *s, const char *text)
{
	struct name *name = name_lookup(s, text);

	if (!name || name->kind != NAME_FILE || !name->file) {
		EXPECT(s, false, "no open file is named %s", text);
		return NULL;
	}
	return name->file;
}

static struct svf_function *function_of(struct scenario *s, const char *text)
{
	struct svf_bdf bdf;
	struct svf_function *fn = svf_bdf_parse(text, &bdf) ? svf_function_lookup(s->machine, bdf) : NULL;

	EXPECT(s, fn, "there is no function %s", text);
	return fn;
}

static char *unquoted(char *word)
{
	size_t length = strlen(word);

	if (length >= 2 && word[0] == '"' && word[length - 1] == '"') {
		word[length - 1] = '\0';
		return word + 1;
	}
	return NULL;
}

/* Compares with "= RESULT ["PART"]" at the end of the line, from word i; 0 when it is not there. */
static void check_result(struct scenario *s, unsigned int i, long value)
{
	char a[24], b[24], *part;
	long wanted = 0;

	if (i < s->count && strcmp(s->words[i], "=") == 0) {
		if (i + 1 >= s->count || !parse_result(s->words[i + 1], &wanted)) {
			fail(s, "what follows = is no result");
			return;
		}
		i += 2;
	}
	EXPECT(s, value == wanted, "gave %s, not %s (%s)", result_name(value, a), result_name(wanted, b),
	       s->reason);
	EXPECT(s, value >= 0 || value == SVF_BLOCKED || s->reason[0], "gave %s without a reason",
	       result_name(value, a));
	if (i < s->count) {
		part = unquoted(s->words[i]);
		if (!part)
			fail(s, "%s: not understood", s->words[i]);
		else
			EXPECT(s, strstr(s->reason, part), "the reason is \"%s\", without \"%s\"", s->reason,
			       part);
	}
}

/* The machine is built by the first statement that needs it. */
static bool build(struct scenario *s)
{
	struct svf_topology_error error = { 0 };

	if (s->built)
		return true;
	s->built = true;
	if (svf_machine_build(s->machine, &s->topology, &error) == 0)
		return true;
	EXPECT(s, false, "the machine cannot be built: %s", error.text);
	return false;
}

static struct svf_topology_option *option_alloc(char *text)
{
	struct svf_topology_option *option = malloc(sizeof(*option));
	char *equals = strchr(text, '=');

	*option = (struct svf_topology_option){ .key = text, .value = "" };
	if (equals) {
		*equals = '\0';
		option->value = equals + 1;
	}
	return option;
}

static void do_device(struct scenario *s)
{
	struct svf_topology_node *node = malloc(sizeof(*node));
	char *at = strchr(s->words[1], '@');

	*node = (struct svf_topology_node){ .kind = SVF_TOPOLOGY_DEVICE, .acs = -1 };
	svf_list_init(&node->children);
	svf_list_init(&node->options);
	svf_list_add_tail(&s->topology.roots, &node->link);
	if (at) {
		*at = '\0';
		node->has_bdf = svf_bdf_parse(at + 1, &node->bdf);
	}
	node->model = strdup(s->words[1]);
	for (unsigned int i = 2; i < s->count; i++) {
		if (strncmp(s->words[i], "driver=", 7) == 0)
			node->driver = strdup(s->words[i] + 7);
		else
			svf_list_add_tail(&node->options, &option_alloc(strdup(s->words[i]))->link);
	}
}

static void do_param(struct scenario *s)
{
	svf_list_add_tail(&s->topology.params, &option_alloc(strdup(s->words[1]))->link);
}

static int open_kind(struct scenario *s, struct svf_call *call, struct svf_file **ret)
{
	const char *kind = s->words[2];
	struct svf_function *fn;

	if (strcmp(kind, "container") == 0)
		return svf_container_open(s->machine, call, ret);
	if (strcmp(kind, "iommufd") == 0)
		return svf_iommufd_open(s->machine, call, ret);
	fn = s->count > 3 ? function_of(s, s->words[3]) : NULL;
	if (!fn)
		return svf_fail(call, -ENOENT, "no such function");
	if (strcmp(kind, "group") == 0)
		return svf_group_open(s->machine, call, fn->group->id, ret);
	if (!fn->device)
		return svf_fail(call, -ENOENT, "the function is no VFIO device");
	return svf_cdev_open(s->machine, call, fn->device->minor, ret);
}

static void do_open(struct scenario *s)
{
	struct svf_call call = test_call(s->machine);
	struct svf_file *file = NULL;
	struct name *name;
	unsigned int result = 3;
	int err = open_kind(s, &call, &file);

	memcpy(s->reason, call.reason, sizeof(s->reason));
	if (s->count > 3 && strcmp(s->words[3], "=") != 0)
		result = 4;
	name = err ? NULL : name_add(s, s->words[1], NAME_FILE);
	if (name)
		name_set_file(name, file);
	else if (!err)
		svf_file_close(file);
	check_result(s, result, err);
}

/* One value of a field. */
static uint64_t value_of(struct scenario *s, const char *text, size_t struct_size)
{
	char inner[64];
	struct name *name;
	struct svf_function *fn;
	char *end;
	uint64_t value;

	if (strcmp(text, "size") == 0)
		return struct_size;
	if (*text == '@') {
		name = name_lookup(s, text + 1);
		EXPECT(s, name && name->kind == NAME_MEMORY, "no memory is named %s", text + 1);
		return name ? (uintptr_t)name->memory : 0;
	}
	if (sscanf(text, "fd(%63[^)])", inner) == 1) {
		name = name_lookup(s, inner);
		EXPECT(s, name, "nothing is named %s", inner);
		return name ? (uint64_t)name->fd : UINT64_MAX;
	}
	if (sscanf(text, "group(%63[^)])", inner) == 1) {
		fn = function_of(s, inner);
		return fn ? fn->group->id : 0;
	}
	value = strtoull(text, &end, 0);
	if (*end || end == text)
		fail(s, "%s is no value", text);
	return value;
}

static size_t field_size(const char *field)
{
	static const struct {
		const char *prefix;
		size_t size;
	} types[] = { { "u8", 1 }, { "u16", 2 }, { "u32", 4 }, { "u64", 8 } };

	for (size_t i = 0; i < SVF_ARRAY_SIZE(types); i++) {
		size_t length = strlen(types[i].prefix);

		if (strncmp(field, types[i].prefix, length) == 0 && strchr(":@", field[length]))
			return types[i].size;
	}
	return 0;
}

static size_t hex_bytes(struct scenario *s, const char *text, uint8_t *out, size_t max)
{
	size_t n = 0;
	unsigned int byte;

	for (; *text && n < max; text += 2, n++) {
		if (sscanf(text, "%2x", &byte) != 1 || !text[1]) {
			fail(s, "%s: not pairs of hex digits", text);
			break;
		}
		out[n] = (uint8_t)byte;
	}
	return n;
}

/* "{ u32:1 u64:@m }" into memory, in two passes since "size" is known only after the first. */
static size_t fill_struct(struct scenario *s, const char *text, uint8_t *out)
{
	size_t total = 0, size;

	for (int pass = 0; pass < 2; pass++) {
		char *copy = strdup(text), *save = NULL;
		size_t at = 0;

		for (char *f = strtok_r(copy, "{} \t", &save); f; f = strtok_r(NULL, "{} \t", &save)) {
			if (strncmp(f, "hex:", 4) == 0) {
				at += hex_bytes(s, f + 4, out + at, MAX_STRUCT - at);
				continue;
			}
			size = field_size(f);
			if (!size || at + size > MAX_STRUCT) {
				fail(s, "%s: no field", f);
				break;
			}
			if (pass) {
				uint64_t value = value_of(s, strchr(f, ':') + 1, total);

				memcpy(out + at, &value, size);
			}
			at += size;
		}
		total = at;
		free(copy);
	}
	return total;
}

/* "out u32@4=3 ..." from word i on. Return: the first word after it. */
static unsigned int check_out(struct scenario *s, unsigned int i, const uint8_t *data, size_t size)
{
	if (i >= s->count || strcmp(s->words[i], "out") != 0)
		return i;
	for (i++; i < s->count && strchr(s->words[i], '@') && strchr(s->words[i], '='); i++) {
		char *word = s->words[i], *equals = strchr(word, '=');
		size_t field = field_size(word), offset = strtoul(strchr(word, '@') + 1, NULL, 0);
		uint64_t value = 0, wanted;

		if (!field || offset + field > size || equals == word) {
			fail(s, "%s: no field of the structure", word);
			return i;
		}
		memcpy(&value, data + offset, field);
		wanted = value_of(s, equals + 1, size);
		EXPECT(s, value == wanted, "%.*s is 0x%llx, not 0x%llx", (int)(equals - word), word,
		       (unsigned long long)value, (unsigned long long)wanted);
	}
	return i;
}

static uint32_t command_number(struct scenario *s, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 0);

	for (size_t i = 0; i < svf_commands_count; i++) {
		if (strcmp(svf_commands[i].name, text) == 0)
			return svf_commands[i].number;
	}
	if (*end || end == text)
		fail(s, "there is no command %s", text);
	return (uint32_t)number;
}

/* As test_ioctl(), but keeps the file that the command returns. */
static long call_ioctl(struct scenario *s, struct svf_file *file, uint32_t command, uint64_t arg,
		       struct svf_file **ret_file)
{
	struct svf_call call = test_call(s->machine);
	long ret;

	call.can_return_fd = true;
	do
		ret = svf_file_ioctl(file, &call, command, arg);
	while (ret == SVF_RESTART);
	memcpy(s->reason, call.reason, sizeof(s->reason));
	*ret_file = ret >= 0 ? call.ret_file : NULL;
	return ret;
}

static void keep_file(struct scenario *s, struct svf_file *file, const char *text)
{
	struct name *name = file && text ? name_add(s, text, NAME_FILE) : NULL;

	if (name)
		name_set_file(name, file);
	else
		svf_file_close(file);
}

static void do_ioctl(struct scenario *s)
{
	struct svf_file *file = file_of(s, s->words[1]), *new_file = NULL;
	uint32_t command = command_number(s, s->words[2]);
	char *word = s->words[3], *text;
	uint8_t *data = test_user_alloc(4096);
	const char *new_name = NULL;
	unsigned int i = 4;
	uint64_t arg = (uintptr_t)data;
	size_t size = 0;
	long ret;

	if (!file || s->failed)
		return;
	text = unquoted(word);
	if (text)
		strcpy((char *)data, text);
	else if (*word == '{')
		size = fill_struct(s, word, data);
	else
		arg = strcmp(word, "none") == 0 ? 0 : value_of(s, word, 0);
	if (i + 1 < s->count && strcmp(s->words[i], "->") == 0) {
		new_name = s->words[i + 1];
		i += 2;
	}
	ret = call_ioctl(s, file, command, arg, &new_file);
	keep_file(s, new_file, new_name);
	check_result(s, check_out(s, i, data, size), ret);
}

static void do_read(struct scenario *s)
{
	struct svf_file *file = file_of(s, s->words[1]);
	struct svf_call call = test_call(s->machine);
	size_t len = strtoul(s->words[3], NULL, 0);
	uint8_t data[MAX_STRUCT] = { 0 }, wanted[MAX_STRUCT];
	unsigned int i = 4;
	ssize_t n;

	if (!file || len > sizeof(data))
		return;
	n = svf_file_read(file, &call, data, len, strtoull(s->words[2], NULL, 0));
	memcpy(s->reason, call.reason, sizeof(s->reason));
	if (i < s->count && strcmp(s->words[i], ":") == 0) {
		size_t at = 0;

		for (i++; i < s->count && strcmp(s->words[i], "=") != 0; i++)
			at += hex_bytes(s, s->words[i], wanted + at, sizeof(wanted) - at);
		EXPECT(s, n == (ssize_t)at && memcmp(data, wanted, at) == 0,
		       "read %zd bytes, %02x %02x %02x %02x ..., not as stated", n, data[0], data[1], data[2],
		       data[3]);
	}
	if (i < s->count)
		check_result(s, i, n);
	else
		EXPECT(s, n == (ssize_t)len, "read %zd bytes (%s)", n, s->reason);
}

static void do_write(struct scenario *s)
{
	struct svf_file *file = file_of(s, s->words[1]);
	struct svf_call call = test_call(s->machine);
	uint8_t data[MAX_STRUCT];
	unsigned int i = 3;
	size_t len = 0;
	ssize_t n;

	if (!file)
		return;
	for (; i < s->count && strcmp(s->words[i], "=") != 0; i++)
		len += hex_bytes(s, s->words[i], data + len, sizeof(data) - len);
	n = svf_file_write(file, &call, data, len, strtoull(s->words[2], NULL, 0));
	memcpy(s->reason, call.reason, sizeof(s->reason));
	if (i < s->count)
		check_result(s, i, n);
	else
		EXPECT(s, n == (ssize_t)len, "wrote %zd bytes (%s)", n, s->reason);
}

static void name_close(struct name *name)
{
	if (name->kind == NAME_FILE && name->file) {
		test_fd_close(name->fd);
		svf_file_close(name->file);
		name->file = NULL;
	}
}

static void do_close(struct scenario *s)
{
	struct name *name = name_lookup(s, s->words[1]);

	EXPECT(s, name && name->file, "no open file is named %s", s->words[1]);
	if (name)
		name_close(name);
}

static void do_memory(struct scenario *s)
{
	struct name *name = name_add(s, s->words[1], NAME_MEMORY);

	if (name)
		name->memory = test_user_alloc(strtoul(s->words[2], NULL, 0));
}

static void do_event(struct scenario *s)
{
	struct name *name = name_add(s, s->words[1], NAME_EVENT);

	if (!name)
		return;
	name->event = test_event();
	test_fd_event(name->fd, name->event);
}

static void do_signals(struct scenario *s)
{
	struct name *name = name_lookup(s, s->words[1]);
	unsigned int wanted = (unsigned int)strtoul(s->words[2], NULL, 0), signals;

	if (!name || name->kind != NAME_EVENT) {
		fail(s, "no event is named %s", s->words[1]);
		return;
	}
	signals = test_event_signals(name->event) - name->seen;
	name->seen += signals;
	EXPECT(s, signals == wanted, "%u signals, not %u", signals, wanted);
}

static void do_numvfs(struct scenario *s)
{
	struct svf_function *fn = function_of(s, s->words[1]);
	struct svf_call call = test_call(s->machine);
	int err;

	if (!fn)
		return;
	err = svf_sriov_set_numvfs(fn, &call, (unsigned int)strtoul(s->words[2], NULL, 0));
	memcpy(s->reason, call.reason, sizeof(s->reason));
	check_result(s, 3, err);
}

static void do_bind(struct scenario *s)
{
	struct svf_driver *driver = svf_driver_lookup(s->machine, s->words[2]);
	struct svf_call call = test_call(s->machine);
	int err = driver ? svf_driver_bind(driver, &call, s->words[1]) : -ENOENT;

	memcpy(s->reason, call.reason, sizeof(s->reason));
	check_result(s, 3, err);
}

static void do_unbind(struct scenario *s)
{
	struct svf_function *fn = function_of(s, s->words[1]);
	struct svf_call call = test_call(s->machine);
	int err = fn && fn->driver ? svf_driver_unbind(fn->driver, &call, s->words[1]) : -ENODEV;

	memcpy(s->reason, call.reason, sizeof(s->reason));
	check_result(s, 2, err);
}

static void do_override(struct scenario *s)
{
	struct svf_function *fn = function_of(s, s->words[1]);
	struct svf_call call = test_call(s->machine);
	int err = fn ? svf_function_set_driver_override(fn, &call, s->words[2]) : -ENODEV;

	memcpy(s->reason, call.reason, sizeof(s->reason));
	check_result(s, 3, err);
}

static void do_process(struct scenario *s)
{
	test_process((unsigned int)strtoul(s->words[1], NULL, 0));
}

static void do_log(struct scenario *s)
{
	char *part = unquoted(s->words[1]);
	bool found = false;

	for (; s->log_seen < test_log_count(); s->log_seen++)
		found |= part && strstr(test_log_line(s->log_seen), part);
	EXPECT(s, found, "no kernel message has \"%s\"", part);
}

static const struct {
	const char *word;
	void (*run)(struct scenario *s);
	unsigned int min_words;
	bool before_build;
} statements[] = {
	{ "device", do_device, 2, true },	{ "param", do_param, 2, true },
	{ "open", do_open, 3, false },		{ "ioctl", do_ioctl, 4, false },
	{ "read", do_read, 4, false },		{ "write", do_write, 4, false },
	{ "close", do_close, 2, false },	{ "memory", do_memory, 3, false },
	{ "event", do_event, 2, false },	{ "signals", do_signals, 3, false },
	{ "numvfs", do_numvfs, 3, false },	{ "bind", do_bind, 3, false },
	{ "unbind", do_unbind, 2, false },	{ "override", do_override, 3, false },
	{ "process", do_process, 2, false },	{ "log", do_log, 2, false },
};

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
	for (size_t i = 0; i < SVF_ARRAY_SIZE(statements); i++) {
		if (strcmp(statements[i].word, s->words[0]) != 0)
			continue;
		s->reason[0] = '\0';
		if (s->count < statements[i].min_words)
			fail(s, "%s needs more words", s->words[0]);
		else if (statements[i].before_build || build(s))
			statements[i].run(s);
		return;
	}
	fail(s, "%s: no such statement", s->words[0]);
}

static void options_free(struct svf_list *options)
{
	struct svf_topology_option *option, *tmp;

	svf_list_for_each_safe(option, tmp, options, link) {
		free((char *)option->key);
		free(option);
	}
}

static void topology_free(struct svf_topology *topology)
{
	struct svf_topology_node *node, *tmp;

	options_free(&topology->params);
	svf_list_for_each_safe(node, tmp, &topology->roots, link) {
		options_free(&node->options);
		free((char *)node->driver);
		free((char *)node->model);
		free(node);
	}
}

bool scenario_run(const char *path, void (*arm)(void))
{
	struct scenario *s = malloc(sizeof(*s));
	FILE *file = fopen(path, "r");
	char line[1024];
	bool failed;

	if (!file) {
		perror(path);
		free(s);
		return false;
	}
	memset(s, 0, sizeof(*s));
	s->path = path;
	s->tolerant = arm;
	s->machine = test_machine();
	svf_list_init(&s->topology.roots);
	svf_list_init(&s->topology.params);
	if (arm)
		arm();
	while (!s->failed && fgets(line, sizeof(line), file)) {
		s->line++;
		run_line(s, line);
	}
	fclose(file);
	for (unsigned int i = s->names_count; i-- > 0;)
		name_close(&s->names[i]);
	test_machine_end(s->machine);
	topology_free(&s->topology);
	failed = s->failed;
	free(s);
	return !failed;
}
