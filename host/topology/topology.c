/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Topologies as read: nodes and options are allocated one by one and own copies of their words, so
 * that a topology outlives command line and file. A reader adds to lists that are valid at every
 * moment; when it fails half-way, fini frees what there is.
 */
#include "host/topology/topology.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/pci/parse.h"
#include "host/topology/model_file.h"
#include "host/topology/reader.h"
#include "include/softvfio/builtin.h"

void svf_topology_init(struct svf_topology *topology)
{
	*topology = (struct svf_topology){0};
	svf_list_init(&topology->roots);
	svf_list_init(&topology->params);
}

static void svf_topology_free_options(struct svf_list *options)
{
	struct svf_topology_option *option, *next;

	svf_list_for_each_safe(option, next, options, link) {
		svf_list_del(&option->link);
		free((char *)option->key);
		free((char *)option->value);
		free(option);
	}
}

/* As deep as SVF_TOPOLOGY_DEPTH_MAX. */
static void svf_topology_free_nodes(struct svf_list *nodes)
{
	struct svf_topology_node *node, *next;

	svf_list_for_each_safe(node, next, nodes, link) {
		svf_list_del(&node->link);
		svf_topology_free_nodes(&node->children);
		svf_topology_free_options(&node->options);
		free((char *)node->model);
		free((char *)node->driver);
		free(node);
	}
}

void svf_topology_fini(struct svf_topology *topology)
{
	svf_topology_free_nodes(&topology->roots);
	svf_topology_free_options(&topology->params);
	free((char *)topology->file);
	topology->file = NULL;
}

void svf_topology_error_format(const struct svf_topology *topology,
			       const struct svf_topology_error *error, char *buf, size_t size)
{
	if (topology->file && error->line)
		snprintf(buf, size, "%s:%u:%u: %s", topology->file, error->line, error->column,
			 error->text);
	else
		snprintf(buf, size, "%s", error->text);
}

static unsigned int svf_topology_count(const struct svf_list *nodes)
{
	const struct svf_topology_node *node;
	unsigned int count = 0;

	svf_list_for_each(node, nodes, link)
		count += 1 + svf_topology_count(&node->children);
	return count;
}

void svf_reader_init(struct svf_topology_reader *reader, struct svf_topology *topology,
		     struct svf_topology_error *error, const char *prefix)
{
	*reader = (struct svf_topology_reader){
		.topology = topology,
		.error = error,
		.nodes = svf_topology_count(&topology->roots),
		.prefix = prefix,
	};
	/* Until something else is wrong. */
	*error = (struct svf_topology_error){.text = "out of memory"};
}

int svf_reader_fail(struct svf_topology_reader *reader, struct svf_mark at, const char *fmt, ...)
{
	struct svf_topology_error *error = reader->error;
	va_list ap;
	int len;

	error->line = at.line;
	error->column = at.column;
	/* A long -d leaves room for what is wrong with it. */
	len = snprintf(error->text, sizeof(error->text), "%.120s%s", reader->prefix,
		       *reader->prefix ? ": " : "");
	va_start(ap, fmt);
	vsnprintf(error->text + len, sizeof(error->text) - (size_t)len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int svf_reader_add_node(struct svf_topology_reader *reader, struct svf_list *siblings,
			struct svf_mark at, struct svf_topology_node **ret)
{
	struct svf_topology_node *node;

	if (reader->nodes >= SVF_TOPOLOGY_NODES_MAX)
		return svf_reader_fail(reader, at, "more than %u devices, ports and bridges",
				       SVF_TOPOLOGY_NODES_MAX);
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	svf_list_init(&node->children);
	svf_list_init(&node->options);
	node->acs = -1;
	node->line = at.line;
	node->column = at.column;
	svf_list_add_tail(siblings, &node->link);
	reader->nodes++;
	*ret = node;
	return 0;
}

int svf_reader_add_option(struct svf_list *options, const char *key, const char *value,
			  struct svf_mark at)
{
	struct svf_topology_option *option = calloc(1, sizeof(*option));

	if (!option)
		return -ENOMEM;
	svf_list_add_tail(options, &option->link);
	option->line = at.line;
	option->column = at.column;
	option->key = strdup(key);
	option->value = strdup(value);
	return option->key && option->value ? 0 : -ENOMEM;
}

/* Copies text into a member that owns its string. */
static int svf_text_set(const char **member, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free((char *)*member);
	*member = copy;
	return 0;
}

/* "a, b, c" of the names of all models. */
static const char *svf_models_list(char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; svf_models[i] && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "",
					 svf_models[i]->name);
	return buf;
}

/* name, or the file of that name in the folder of base. */
static void svf_path_resolve(char ret[PATH_MAX], const char *base, const char *name)
{
	const char *slash = base ? strrchr(base, '/') : NULL;
	int folder = slash && *name != '/' ? (int)(slash + 1 - base) : 0;

	snprintf(ret, PATH_MAX, "%.*s%s", folder, base ? base : "", name);
}

static int svf_reader_load_model(struct svf_topology_reader *reader, struct svf_topology_node *node,
				 const char *name, struct svf_mark at, const char *base)
{
	struct svf_model_loader *loader = reader->topology->loader;
	char path[PATH_MAX], why[SVF_REASON_SIZE];

	if (!loader)
		return svf_reader_fail(reader, at, "models cannot be loaded from files here");
	svf_path_resolve(path, base, name);
	node->ops = loader->load(loader, path, why, sizeof(why));
	return node->ops ? 0 : svf_reader_fail(reader, at, "%s", why);
}

int svf_reader_set_model(struct svf_topology_reader *reader, struct svf_topology_node *node,
			 const char *text, struct svf_mark at, const char *base)
{
	char names[128];
	int err = 0;

	if (svf_model_is_file(text))
		err = svf_reader_load_model(reader, node, text, at, base);
	else
		node->ops = svf_model_lookup(text);
	if (err)
		return err;
	if (!node->ops)
		return svf_reader_fail(reader, at,
				       "there is no model '%.40s'; models are: %s, or the name of "
				       "a file, with a slash in it",
				       text, svf_models_list(names, sizeof(names)));
	node->kind = SVF_TOPOLOGY_DEVICE;
	return svf_text_set(&node->model, text);
}

/* Hexadecimal digits up to a stop, at most max. Return: what follows them, or NULL. */
static const char *svf_address_number(const char *text, unsigned int max, unsigned int *ret)
{
	char *end;
	unsigned long value;

	if (!strchr("0123456789abcdefABCDEF", *text) || !*text)
		return NULL;
	value = strtoul(text, &end, 16);
	if (value > max)
		return NULL;
	*ret = (unsigned int)value;
	return end;
}

/* "DD" or "DD.F", exactly. */
static bool svf_address_slot(const char *text, uint8_t *ret_devfn)
{
	unsigned int device = 0, function = 0;

	text = svf_address_number(text, 0x1f, &device);
	if (text && *text == '.')
		text = svf_address_number(text + 1, 7, &function);
	if (!text || *text)
		return false;
	*ret_devfn = svf_devfn(device, function);
	return true;
}

/* "BB:DD.F" or "DDDD:BB:DD.F", exactly. */
static bool svf_address_bdf(const char *text, struct svf_bdf *ret)
{
	unsigned int first = 0, second = 0;
	bool domain;

	text = svf_address_number(text, 0xffff, &first);
	if (!text || *text != ':')
		return false;
	domain = strchr(text + 1, ':');
	if (domain)
		text = svf_address_number(text + 1, 0xff, &second);
	if (!text || *text != ':' || (!domain && first > 0xff))
		return false;
	ret->domain = (uint16_t)(domain ? first : 0);
	ret->bus = (uint8_t)(domain ? second : first);
	return svf_address_slot(text + 1, &ret->devfn);
}

int svf_reader_set_address(struct svf_topology_reader *reader, struct svf_topology_node *node,
			   const char *text, struct svf_mark at)
{
	if (svf_address_bdf(text, &node->bdf)) {
		node->has_bdf = true;
		node->devfn = node->bdf.devfn;
	} else if (!svf_address_slot(text, &node->devfn)) {
		return svf_reader_fail(
			reader, at,
			"'%.40s' is not an address; write 0000:03:00.0, 03:00.0, or 00.0 for "
			"device and function on the bus",
			text);
	}
	node->has_slot = true;
	return 0;
}

/* "DD.F" at the beginning of text. Return: what follows, nothing or a '+'; NULL: it is something else. */
static const char *svf_alias_slot(const char *text, uint8_t *ret_devfn)
{
	unsigned int device = 0, function = 0;

	text = svf_address_number(text, 0x1f, &device);
	if (!text || *text != '.')
		return NULL;
	text = svf_address_number(text + 1, 7, &function);
	if (!text || (*text && *text != '+'))
		return NULL;
	*ret_devfn = svf_devfn(device, function);
	return text;
}

int svf_reader_set_dma_alias(struct svf_topology_reader *reader, struct svf_topology_node *node,
			     const char *text, struct svf_mark at)
{
	const char *rest = text;
	uint8_t devfn;

	do {
		rest = svf_alias_slot(rest, &devfn);
		if (!rest)
			return svf_reader_fail(
				reader, at,
				"'%.40s' is not device and function on the same bus, "
				"such as 01.0, or several with + in between",
				text);
		node->dma_aliases[devfn / 64] |= 1ull << devfn % 64;
	} while (*rest++);
	return 0;
}

int svf_reader_set_id(struct svf_topology_reader *reader, struct svf_topology_node *node,
		      const char *text, struct svf_mark at)
{
	unsigned int vendor = 0, device = 0;
	const char *rest = svf_address_number(text, 0xfffe, &vendor);

	if (rest && *rest == ':')
		rest = svf_address_number(rest + 1, 0xffff, &device);
	else
		rest = NULL;
	if (!rest || *rest)
		return svf_reader_fail(reader, at,
				       "'%.40s' is not a vendor and device id, such as 8086:a290",
				       text);
	node->has_id = true;
	node->vendor = (uint16_t)vendor;
	node->device = (uint16_t)device;
	return 0;
}

int svf_reader_set_driver(struct svf_topology_reader *reader, struct svf_topology_node *node,
			  const char *text, struct svf_mark at)
{
	if (strchr(text, '/') || strlen(text) > 64)
		return svf_reader_fail(reader, at, "'%.40s' cannot be the name of a driver", text);
	return svf_text_set(&node->driver, strcmp(text, "none") ? text : "");
}

int svf_reader_set_acs(struct svf_topology_reader *reader, struct svf_topology_node *node,
		       const char *text, struct svf_mark at)
{
	bool on;

	if (svf_parse_bool(text, &on)) {
		node->acs = on;
		return 0;
	}
	return svf_reader_fail(reader, at, "acs is on or off, not '%.40s'", text);
}

static int svf_reader_unknown(struct svf_topology_reader *reader, const struct svf_model_ops *model,
			      const char *key, struct svf_mark at, const char *known)
{
	char names[SVF_REASON_SIZE];
	size_t used = 0;

	names[0] = '\0';
	for (const struct svf_model_option *o = model->options;
	     o && o->name && used < sizeof(names); o++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", o->name);
	return svf_reader_fail(reader, at, "model %s has no '%.40s'; known are: %s%s", model->name,
			       key, known, names);
}

static const struct svf_model_option *svf_model_option_lookup(const struct svf_model_ops *model,
							      const char *key)
{
	for (const struct svf_model_option *o = model->options; o && o->name; o++) {
		if (!strcmp(o->name, key))
			return o;
	}
	return NULL;
}

static int svf_hex_read(const char *path, size_t max, char **ret_text);

static int svf_reader_set_file(struct svf_topology_reader *reader, struct svf_topology_node *node,
			       const char *key, const char *name, bool binary, struct svf_mark at,
			       const char *base)
{
	char path[PATH_MAX], *text;
	size_t len;
	int ret;

	svf_path_resolve(path, base, name);
	if (binary)
		ret = svf_hex_read(path, SVF_TOPOLOGY_FILE_MAX, &text);
	else
		ret = svf_text_read(path, SVF_TOPOLOGY_FILE_MAX, &text, &len);
	if (ret == -ENOMEM)
		return ret;
	if (ret)
		return svf_reader_fail(reader, at, "%s: cannot read %.120s: %s", key, path,
				       strerror(-ret));
	ret = svf_reader_add_option(&node->options, key, text, at);
	free(text);
	return ret;
}

/* A file of the model's own: its name alone, from wherever the host opens it. */
static int svf_reader_set_storage(struct svf_topology_node *node, const char *key, const char *name,
				  struct svf_mark at, const char *base)
{
	char path[PATH_MAX];

	svf_path_resolve(path, base, name);
	return svf_reader_add_option(&node->options, key, path, at);
}

int svf_reader_set_option(struct svf_topology_reader *reader, struct svf_topology_node *node,
			  const char *key, const char *value, struct svf_mark at, const char *known,
			  const char *base)
{
	const struct svf_model_ops *model = node->ops;
	const struct svf_model_option *option = svf_model_option_lookup(model, key);

	if (!option)
		return svf_reader_unknown(reader, model, key, at, known);
	if (option->flags & SVF_OPTION_FILE)
		return svf_reader_set_file(reader, node, key, value,
					   option->flags & SVF_OPTION_BINARY, at, base);
	if (option->flags & SVF_OPTION_STORAGE)
		return svf_reader_set_storage(node, key, value, at, base);
	return svf_reader_add_option(&node->options, key, value, at);
}

static int svf_file_read_fd(int fd, size_t max, char **ret_bytes, size_t *ret_len)
{
	struct stat st;
	char *bytes;
	ssize_t len;

	if (fstat(fd, &st))
		return -errno;
	/* A pipe or device might never end. */
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -ESPIPE;
	if ((size_t)st.st_size > max)
		return -EFBIG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	/* One call suffices for a regular file; what was cut off meanwhile shows in the text. */
	len = read(fd, bytes, (size_t)st.st_size);
	if (len < 0) {
		free(bytes);
		return -EIO;
	}
	bytes[len] = '\0';
	*ret_bytes = bytes;
	*ret_len = (size_t)len;
	return 0;
}

static int svf_file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int ret;

	if (fd < 0)
		return -errno;
	ret = svf_file_read_fd(fd, max, ret_bytes, ret_len);
	close(fd);
	return ret;
}

int svf_text_read(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
	char *text;
	size_t len;
	int ret = svf_file_read(path, max, &text, &len);

	if (ret)
		return ret;
	if (memchr(text, '\0', len)) {
		free(text);
		return -EILSEQ;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

static int svf_hex_read(const char *path, size_t max, char **ret_text)
{
	static const char digits[] = "0123456789abcdef";
	char *bytes = NULL, *text;
	size_t len = 0;
	int ret = svf_file_read(path, max, &bytes, &len);

	if (ret)
		return ret;
	text = malloc(2 * len + 1);
	for (size_t i = 0; text && i < len; i++) {
		text[2 * i] = digits[(uint8_t)bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	free(bytes);
	if (!text)
		return -ENOMEM;
	text[2 * len] = '\0';
	*ret_text = text;
	return 0;
}
