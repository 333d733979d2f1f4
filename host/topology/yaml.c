/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From libyaml's events to a tree.
 *
 * Every scalar is text as written: that "05:00.0" is a number of base 60 to other readers, and "on"
 * a truth value, does not matter here. What would make a file say something other than it seems to
 * is refused: aliases (which also blow up), anchors, tags, a second document, a key twice. Depth,
 * number of values and entries of a mapping are bounded, so that no text of SVF_TOPOLOGY_FILE_MAX
 * bytes costs more than a moment.
 */
#include "host/topology/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Each level of devices is a list and a mapping; a few more for what is wrong at the bottom. */
#define SVF_YAML_DEPTH_MAX   (2 * SVF_TOPOLOGY_DEPTH_MAX + 8)
#define SVF_YAML_VALUES_MAX  32768u
#define SVF_YAML_ENTRIES_MAX 256u

struct svf_yaml_parser {
	yaml_parser_t yaml;
	struct svf_topology_reader *reader;
	const char *text;
	unsigned int values, depth;
};

static struct svf_mark svf_yaml_mark(yaml_mark_t mark)
{
	return (struct svf_mark){.line = (unsigned int)mark.line + 1,
				 .column = (unsigned int)mark.column + 1};
}

const char *svf_yaml_kind_name(enum svf_yaml_kind kind)
{
	static const char *const names[] = {"a value", "a list", "a mapping"};

	return names[kind];
}

void svf_yaml_destroy(struct svf_yaml *yaml)
{
	struct svf_yaml *child, *next;

	if (!yaml)
		return;
	svf_list_for_each_safe(child, next, &yaml->children, link)
		svf_yaml_destroy(child);
	svf_list_del(&yaml->link);
	free(yaml->text);
	free(yaml->key);
	free(yaml);
}

struct svf_yaml *svf_yaml_lookup(const struct svf_yaml *mapping, const char *key)
{
	struct svf_yaml *child;

	svf_list_for_each(child, &mapping->children, link) {
		if (!strcmp(child->key, key))
			return child;
	}
	return NULL;
}

/* libyaml counts bytes, not lines, when the text is not UTF-8. */
static struct svf_mark svf_yaml_offset_mark(const char *text, size_t offset)
{
	struct svf_mark at = {.line = 1, .column = 1};

	for (size_t i = 0; i < offset; i++) {
		at.column = text[i] == '\n' ? 1 : at.column + 1;
		at.line += text[i] == '\n';
	}
	return at;
}

static int svf_yaml_syntax(struct svf_yaml_parser *parser)
{
	const yaml_parser_t *yaml = &parser->yaml;

	if (yaml->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (yaml->error == YAML_READER_ERROR)
		return svf_reader_fail(parser->reader,
				       svf_yaml_offset_mark(parser->text, yaml->problem_offset),
				       "%s", yaml->problem);
	return svf_reader_fail(parser->reader, svf_yaml_mark(yaml->problem_mark), "%s%s%s",
			       yaml->problem, yaml->context ? " " : "",
			       yaml->context ? yaml->context : "");
}

/* What an event may not carry. Return: the word for it, or NULL. */
static const char *svf_yaml_refused(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "an alias";
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.anchor)
			return "an anchor";
		return event->data.scalar.tag ? "a tag" : NULL;
	case YAML_SEQUENCE_START_EVENT:
		if (event->data.sequence_start.anchor)
			return "an anchor";
		return event->data.sequence_start.tag ? "a tag" : NULL;
	case YAML_MAPPING_START_EVENT:
		if (event->data.mapping_start.anchor)
			return "an anchor";
		return event->data.mapping_start.tag ? "a tag" : NULL;
	default:
		return NULL;
	}
}

static int svf_yaml_next(struct svf_yaml_parser *parser, yaml_event_t *ret)
{
	const char *refused;
	int err;

	if (!yaml_parser_parse(&parser->yaml, ret))
		return svf_yaml_syntax(parser);
	refused = svf_yaml_refused(ret);
	if (!refused)
		return 0;
	err = svf_reader_fail(parser->reader, svf_yaml_mark(ret->start_mark),
			      "%s of YAML is not known here; write the value itself", refused);
	yaml_event_delete(ret);
	return err;
}

/* The text of a scalar event, the caller's. */
static int svf_yaml_text(struct svf_yaml_parser *parser, const yaml_event_t *event, char **ret)
{
	const char *value = (const char *)event->data.scalar.value;

	if (strlen(value) != event->data.scalar.length)
		return svf_reader_fail(parser->reader, svf_yaml_mark(event->start_mark),
				       "a NUL character");
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int svf_yaml_value(struct svf_yaml_parser *parser, const yaml_event_t *event,
			  struct svf_yaml **ret);

static int svf_yaml_key(struct svf_yaml_parser *parser, struct svf_yaml *mapping,
			const yaml_event_t *event, char **ret)
{
	int err;

	if (event->type != YAML_SCALAR_EVENT)
		return svf_reader_fail(parser->reader, svf_yaml_mark(event->start_mark),
				       "a key must be a word");
	err = svf_yaml_text(parser, event, ret);
	if (err || !svf_yaml_lookup(mapping, *ret))
		return err;
	err = svf_reader_fail(parser->reader, svf_yaml_mark(event->start_mark),
			      "'%.40s' is given twice", *ret);
	free(*ret);
	return err;
}

/* One child of a sequence or mapping, whose first event is given. */
static int svf_yaml_child(struct svf_yaml_parser *parser, struct svf_yaml *parent,
			  yaml_event_t *event)
{
	struct svf_mark at = svf_yaml_mark(event->start_mark);
	struct svf_yaml *child;
	yaml_event_t value;
	char *key = NULL;
	int err;

	if (parent->kind == SVF_YAML_SEQUENCE) {
		err = svf_yaml_value(parser, event, &child);
	} else {
		err = svf_yaml_key(parser, parent, event, &key);
		if (err)
			return err;
		err = svf_yaml_next(parser, &value);
		if (!err) {
			err = svf_yaml_value(parser, &value, &child);
			yaml_event_delete(&value);
		}
	}
	if (err) {
		free(key);
		return err;
	}
	child->key = key;
	child->key_at = at;
	svf_list_add_tail(&parent->children, &child->link);
	return 0;
}

static int svf_yaml_children(struct svf_yaml_parser *parser, struct svf_yaml *parent)
{
	yaml_event_type_t end = parent->kind == SVF_YAML_SEQUENCE ? YAML_SEQUENCE_END_EVENT
								  : YAML_MAPPING_END_EVENT;
	unsigned int entries = 0;
	yaml_event_t event;
	int err;

	for (;;) {
		err = svf_yaml_next(parser, &event);
		if (err)
			return err;
		if (event.type == end)
			break;
		if (parent->kind == SVF_YAML_MAPPING && ++entries > SVF_YAML_ENTRIES_MAX)
			err = svf_reader_fail(parser->reader, svf_yaml_mark(event.start_mark),
					      "more than %u keys", SVF_YAML_ENTRIES_MAX);
		else
			err = svf_yaml_child(parser, parent, &event);
		yaml_event_delete(&event);
		if (err)
			return err;
	}
	yaml_event_delete(&event);
	return 0;
}

static int svf_yaml_fill(struct svf_yaml_parser *parser, const yaml_event_t *event,
			 struct svf_yaml *yaml)
{
	int err;

	if (event->type == YAML_SCALAR_EVENT)
		return svf_yaml_text(parser, event, &yaml->text);
	yaml->kind =
		event->type == YAML_SEQUENCE_START_EVENT ? SVF_YAML_SEQUENCE : SVF_YAML_MAPPING;
	if (parser->depth >= SVF_YAML_DEPTH_MAX)
		return svf_reader_fail(parser->reader, yaml->at, "nested too deep");
	parser->depth++;
	err = svf_yaml_children(parser, yaml);
	parser->depth--;
	return err;
}

static int svf_yaml_value(struct svf_yaml_parser *parser, const yaml_event_t *event,
			  struct svf_yaml **ret)
{
	struct svf_yaml *yaml;
	int err;

	if (parser->values >= SVF_YAML_VALUES_MAX)
		return svf_reader_fail(parser->reader, svf_yaml_mark(event->start_mark),
				       "more than %u values", SVF_YAML_VALUES_MAX);
	yaml = calloc(1, sizeof(*yaml));
	if (!yaml)
		return -ENOMEM;
	parser->values++;
	svf_list_init(&yaml->link);
	svf_list_init(&yaml->children);
	yaml->at = svf_yaml_mark(event->start_mark);
	err = svf_yaml_fill(parser, event, yaml);
	if (err)
		svf_yaml_destroy(yaml);
	else
		*ret = yaml;
	return err;
}

/* The next event, whose kind is all that matters. */
static int svf_yaml_skip(struct svf_yaml_parser *parser, yaml_event_type_t *ret_type,
			 struct svf_mark *ret_at)
{
	yaml_event_t event;
	int err = svf_yaml_next(parser, &event);

	if (err)
		return err;
	*ret_type = event.type;
	*ret_at = svf_yaml_mark(event.start_mark);
	yaml_event_delete(&event);
	return 0;
}

/* Stream start, then a document start or the end of the stream. */
static int svf_yaml_begin(struct svf_yaml_parser *parser, bool *ret_empty)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	struct svf_mark at;
	int err = svf_yaml_skip(parser, &type, &at);

	if (!err)
		err = svf_yaml_skip(parser, &type, &at);
	*ret_empty = type == YAML_STREAM_END_EVENT;
	return err;
}

static int svf_yaml_end(struct svf_yaml_parser *parser)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	struct svf_mark at;
	int err = svf_yaml_skip(parser, &type, &at);

	if (!err)
		err = svf_yaml_skip(parser, &type, &at);
	if (!err && type != YAML_STREAM_END_EVENT)
		err = svf_reader_fail(parser->reader, at,
				      "a second document; a file describes one machine");
	return err;
}

static int svf_yaml_document(struct svf_yaml_parser *parser, struct svf_yaml **ret)
{
	struct svf_yaml *yaml = NULL;
	yaml_event_t event;
	bool empty;
	int err = svf_yaml_begin(parser, &empty);

	if (err || empty) {
		*ret = NULL;
		return err;
	}
	err = svf_yaml_next(parser, &event);
	if (err)
		return err;
	err = svf_yaml_value(parser, &event, &yaml);
	yaml_event_delete(&event);
	if (!err)
		err = svf_yaml_end(parser);
	if (err)
		svf_yaml_destroy(yaml);
	else
		*ret = yaml;
	return err;
}

int svf_yaml_parse(struct svf_topology_reader *reader, const char *text, size_t len,
		   struct svf_yaml **ret)
{
	struct svf_yaml_parser parser = {.reader = reader, .text = text};
	int err;

	if (!yaml_parser_initialize(&parser.yaml))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser.yaml, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&parser.yaml, YAML_UTF8_ENCODING);
	err = svf_yaml_document(&parser, ret);
	yaml_parser_delete(&parser.yaml);
	return err;
}
