/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * -d MODEL[@BDF][,KEY[=VALUE]]... and --param MODULE.NAME=VALUE. A comma within a value is written
 * twice, as with QEMU. A comma that is not doubled ends the word, so that every text has one
 * reading.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/topology/reader.h"

#define SVF_SPEC_KEYS "driver, acs, dma-alias, "

/* The next word of *text, its doubled commas made single in place. NULL: there is none. */
static char *svf_spec_word(char **text)
{
	char *word = *text, *to = word;

	if (!word)
		return NULL;
	for (char *from = word;; from++) {
		if (from[0] == ',' && from[1] == ',') {
			from++;
		} else if (*from == ',' || !*from) {
			*text = *from ? from + 1 : NULL;
			*to = '\0';
			return word;
		}
		*to++ = *from;
	}
}

static int svf_spec_set(struct svf_topology_reader *reader, struct svf_topology_node *node,
			const char *key, const char *value)
{
	const struct svf_mark at = {0};

	if (!strcmp(key, "driver"))
		return svf_reader_set_driver(reader, node, value, at);
	if (!strcmp(key, "acs"))
		return svf_reader_set_acs(reader, node, value, at);
	if (!strcmp(key, "dma-alias"))
		return svf_reader_set_dma_alias(reader, node, value, at);
	return svf_reader_set_option(reader, node, key, value, at, SVF_SPEC_KEYS, NULL);
}

static int svf_spec_parse(struct svf_topology_reader *reader, char *text)
{
	const struct svf_mark at = {0};
	struct svf_topology_node *node;
	char *word, *value, *address, *name;
	int ret;

	word = svf_spec_word(&text);
	/* In the folder of a model's file an @ means nothing. */
	name = strrchr(word, '/');
	address = strchr(name ? name : word, '@');
	if (address)
		*address++ = '\0';
	ret = svf_reader_add_node(reader, &reader->topology->roots, at, &node);
	if (!ret)
		ret = svf_reader_set_model(reader, node, word, at, NULL);
	if (!ret && address)
		ret = svf_reader_set_address(reader, node, address, at);
	while (!ret && (word = svf_spec_word(&text))) {
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		ret = svf_spec_set(reader, node, word, value ? value : "");
	}
	return ret;
}

int svf_topology_add_spec(struct svf_topology *topology, const char *spec,
			  struct svf_topology_error *error)
{
	struct svf_topology_reader reader;
	char *text, *prefix;
	int ret = -ENOMEM;

	text = strdup(spec);
	prefix = malloc(strlen(spec) + sizeof("-d "));
	if (text && prefix) {
		strcpy(stpcpy(prefix, "-d "), spec);
		svf_reader_init(&reader, topology, error, prefix);
		ret = svf_spec_parse(&reader, text);
	}
	free(prefix);
	free(text);
	return ret;
}

int svf_topology_add_param(struct svf_topology *topology, const char *param,
			   struct svf_topology_error *error)
{
	const struct svf_mark at = {0};
	const char *value = strchr(param, '=');
	struct svf_topology_reader reader;
	char *key;
	int ret;

	svf_reader_init(&reader, topology, error, "--param");
	if (!value || value == param)
		return svf_reader_fail(&reader, at, "'%.80s' is not MODULE.NAME=VALUE", param);
	key = strndup(param, (size_t)(value - param));
	if (!key)
		return -ENOMEM;
	ret = svf_reader_add_option(&topology->params, key, value + 1, at);
	free(key);
	return ret;
}
