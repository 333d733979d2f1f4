/* SPDX-License-Identifier: BSD-3-Clause */
#include "topo_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/pci/bdf.h"

/* Tests run at the root of the repository unless the build says where it is. */
#ifndef SVF_SOURCE_ROOT
#define SVF_SOURCE_ROOT "."
#endif

void test_topology_init(struct test_topology *t)
{
	memset(t, 0, sizeof(*t));
	svf_list_init(&t->topology.roots);
	svf_list_init(&t->topology.params);
}

void test_topology_fini(struct test_topology *t)
{
	for (unsigned int i = 0; i < t->node_count; i++)
		free(t->words[i]);
	t->node_count = 0;
}

static struct svf_topology_option *new_option(struct test_topology *t, const char *key,
					      const char *value)
{
	struct svf_topology_option *option = &t->options[t->option_count++];

	assert_true(t->option_count <= TEST_OPTIONS);
	option->key = key;
	option->value = value;
	option->line = t->node_count;
	option->column = t->option_count;
	return option;
}

void test_option(struct test_topology *t, struct svf_topology_node *node, const char *key,
		 const char *value)
{
	svf_list_add_tail(&node->options, &new_option(t, key, value)->link);
}

void test_param(struct test_topology *t, const char *key, const char *value)
{
	svf_list_add_tail(&t->topology.params, &new_option(t, key, value)->link);
}

static void set_slot(struct svf_topology_node *node, const char *text)
{
	unsigned int device, function;

	assert_int_equal(sscanf(text, "%x.%u", &device, &function), 2);
	node->has_slot = true;
	node->devfn = svf_devfn(device, function);
}

static void set_word(struct test_topology *t, struct svf_topology_node *node, char *word)
{
	char *value = strchr(word, '=');

	assert_non_null(value);
	*value++ = '\0';
	if (strcmp(word, "at") == 0)
		node->has_bdf = svf_bdf_parse(value, &node->bdf);
	else if (strcmp(word, "slot") == 0)
		set_slot(node, value);
	else if (strcmp(word, "driver") == 0)
		node->driver = strcmp(value, "none") ? value : "";
	else if (strcmp(word, "acs") == 0)
		node->acs = strcmp(value, "on") == 0;
	else if (strcmp(word, "model") == 0)
		node->model = value;
	else
		test_option(t, node, word, value);
}

struct svf_topology_node *test_node(struct test_topology *t, struct svf_topology_node *parent,
				    enum svf_topology_kind kind, const char *words)
{
	struct svf_topology_node *node = &t->nodes[t->node_count];
	char *copy = strdup(words), *save, *word;

	assert_true(t->node_count < TEST_NODES && copy);
	t->words[t->node_count++] = copy;
	svf_list_init(&node->children);
	svf_list_init(&node->options);
	node->kind = kind;
	node->model = "null";
	node->acs = -1;
	node->line = t->node_count;
	node->column = 1;
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		set_word(t, node, word);
	svf_list_add_tail(parent ? &parent->children : &t->topology.roots, &node->link);
	return node;
}

struct svf_machine *test_topology_machine(struct test_topology *t)
{
	struct svf_machine *machine = test_machine();

	if (svf_machine_build(machine, &t->topology, &t->error))
		fail_msg("line %u: %s", t->error.line, t->error.text);
	test_topology_fini(t);
	return machine;
}

struct svf_machine *test_device_machine(const char *words)
{
	struct test_topology t;

	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, words);
	return test_topology_machine(&t);
}

int test_topology_refused(struct test_topology *t)
{
	struct svf_machine *machine = test_machine();
	int err = svf_machine_build(machine, &t->topology, &t->error);

	test_machine_end(machine);
	test_topology_fini(t);
	return err;
}

bool test_exists(struct svf_machine *machine, const char *address)
{
	struct svf_bdf bdf;

	assert_true(svf_bdf_parse(address, &bdf));
	return svf_function_lookup(machine, bdf) != NULL;
}

struct svf_function *test_at(struct svf_machine *machine, const char *address)
{
	struct svf_bdf bdf;
	struct svf_function *fn = NULL;

	if (svf_bdf_parse(address, &bdf))
		fn = svf_function_lookup(machine, bdf);
	if (!fn)
		fail_msg("no function at %s", address);
	return fn;
}

char *test_repository_file(const char *name)
{
	char path[512];
	char *text;
	long size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", SVF_SOURCE_ROOT, name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s", path);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	text = calloc(1, (size_t)size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, file), size);
	fclose(file);
	return text;
}
