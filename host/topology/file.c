/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Topology files: what the YAML tree means. A file has the keys "params", "devices" and
 * "group-attach", which is a parameter that describes the machine rather than a module. Each
 * device is a mapping whose kind is said by exactly one of the keys model, port and bridge; the
 * other keys are the table's below and, for a model, its options. softvfio(7) has the grammar and
 * an example.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/topology/yaml.h"

struct svf_kind_word {
	const char *key, *word; /* "port: root-port" */
	enum svf_topology_kind kind;
};

static const struct svf_kind_word svf_kind_words[] = {
	{"port", "root-port", SVF_TOPOLOGY_ROOT_PORT},
	{"port", "switch-upstream", SVF_TOPOLOGY_SWITCH_UPSTREAM},
	{"port", "switch-downstream", SVF_TOPOLOGY_SWITCH_DOWNSTREAM},
	{"bridge", "pcie-pci-bridge", SVF_TOPOLOGY_PCIE_PCI_BRIDGE},
	{"bridge", "pci-bridge", SVF_TOPOLOGY_PCI_BRIDGE},
};

/* The keys that say what a node is, and what else goes with them. */
static const struct {
	const char *key;
	const char *others; /* known keys beside the model's, for messages */
	bool has_devices;
} svf_kind_keys[] = {
	{"model", "model, address, driver, acs, dma-alias, ", false},
	{"port", "port, address, driver, acs, id, devices", true},
	{"bridge", "bridge, address, driver, acs, id, devices", true},
};

struct svf_file_reader {
	struct svf_topology_reader base;
	const char *path;
	unsigned int depth;
};

static int svf_yaml_want(struct svf_file_reader *reader, const struct svf_yaml *yaml,
			 enum svf_yaml_kind kind, const char *what)
{
	if (yaml->kind == kind)
		return 0;
	return svf_reader_fail(&reader->base, yaml->at, "%s must be %s, not %s", what,
			       svf_yaml_kind_name(kind), svf_yaml_kind_name(yaml->kind));
}

static int svf_file_params(struct svf_file_reader *reader, const struct svf_yaml *params)
{
	const struct svf_yaml *param;
	int err = svf_yaml_want(reader, params, SVF_YAML_MAPPING, "params");

	if (err)
		return err;
	svf_list_for_each(param, &params->children, link) {
		err = svf_yaml_want(reader, param, SVF_YAML_SCALAR, param->key);
		if (!err)
			err = svf_reader_add_option(&reader->base.topology->params, param->key,
						    param->text, param->key_at);
		if (err)
			return err;
	}
	return 0;
}

static int svf_file_devices(struct svf_file_reader *reader, const struct svf_yaml *devices,
			    struct svf_list *siblings);

/* Which row of svf_kind_keys a node is. Return: its index or -EINVAL. */
static int svf_node_kind_key(struct svf_file_reader *reader, const struct svf_yaml *yaml)
{
	const struct svf_yaml *found;
	int row = -1;

	for (int i = 0; i < (int)SVF_ARRAY_SIZE(svf_kind_keys); i++) {
		found = svf_yaml_lookup(yaml, svf_kind_keys[i].key);
		if (!found)
			continue;
		if (row >= 0)
			return svf_reader_fail(&reader->base, found->key_at,
					       "'%s' beside '%s'; a device is one of them",
					       svf_kind_keys[i].key, svf_kind_keys[row].key);
		row = i;
	}
	if (row < 0)
		return svf_reader_fail(&reader->base, yaml->at,
				       "a device needs one of the keys model, port and bridge");
	return row;
}

static int svf_node_set_bridge(struct svf_file_reader *reader, struct svf_topology_node *node,
			       const struct svf_yaml *yaml)
{
	char names[128];
	size_t used = 0;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(svf_kind_words); i++) {
		if (strcmp(svf_kind_words[i].key, yaml->key))
			continue;
		if (!strcmp(svf_kind_words[i].word, yaml->text)) {
			node->kind = svf_kind_words[i].kind;
			return 0;
		}
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", svf_kind_words[i].word);
	}
	return svf_reader_fail(&reader->base, yaml->at, "there is no %s '%.40s'; there are: %s",
			       yaml->key, yaml->text, names);
}

static const struct {
	const char *key;
	bool of_device, of_port;
	int (*set)(struct svf_topology_reader *reader, struct svf_topology_node *node,
		   const char *text, struct svf_mark at);
} svf_node_setters[] = {
	{"address", true, true, svf_reader_set_address},
	{"driver", true, true, svf_reader_set_driver},
	{"acs", true, true, svf_reader_set_acs},
	{"dma-alias", true, false, svf_reader_set_dma_alias},
	{"id", false, true, svf_reader_set_id},
};

/* One key of a node that is neither its kind nor "devices". */
static int svf_node_set(struct svf_file_reader *reader, struct svf_topology_node *node,
			const struct svf_yaml *yaml, const char *known)
{
	bool device = node->kind == SVF_TOPOLOGY_DEVICE;
	int err = svf_yaml_want(reader, yaml, SVF_YAML_SCALAR, yaml->key);

	if (err)
		return err;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(svf_node_setters); i++) {
		if (!strcmp(svf_node_setters[i].key, yaml->key) &&
		    (device ? svf_node_setters[i].of_device : svf_node_setters[i].of_port))
			return svf_node_setters[i].set(&reader->base, node, yaml->text, yaml->at);
	}
	if (device)
		return svf_reader_set_option(&reader->base, node, yaml->key, yaml->text,
					     yaml->key_at, known, reader->path);
	return svf_reader_fail(&reader->base, yaml->key_at, "unknown key '%.40s'; known are: %s",
			       yaml->key, known);
}

static int svf_node_set_kind(struct svf_file_reader *reader, struct svf_topology_node *node,
			     const struct svf_yaml *kind)
{
	int err = svf_yaml_want(reader, kind, SVF_YAML_SCALAR, kind->key);

	if (err)
		return err;
	if (!strcmp(kind->key, "model"))
		return svf_reader_set_model(&reader->base, node, kind->text, kind->at,
					    reader->path);
	return svf_node_set_bridge(reader, node, kind);
}

static int svf_file_node(struct svf_file_reader *reader, const struct svf_yaml *yaml,
			 struct svf_list *siblings)
{
	struct svf_topology_node *node;
	const struct svf_yaml *child;
	int row, err = svf_yaml_want(reader, yaml, SVF_YAML_MAPPING, "a device");

	if (err)
		return err;
	row = svf_node_kind_key(reader, yaml);
	if (row < 0)
		return row;
	err = svf_reader_add_node(&reader->base, siblings, yaml->at, &node);
	if (!err)
		err = svf_node_set_kind(reader, node,
					svf_yaml_lookup(yaml, svf_kind_keys[row].key));
	if (err)
		return err;
	svf_list_for_each(child, &yaml->children, link) {
		if (!strcmp(child->key, svf_kind_keys[row].key))
			continue;
		if (!strcmp(child->key, "devices") && !svf_kind_keys[row].has_devices)
			err = svf_reader_fail(&reader->base, child->key_at,
					      "only a port or bridge has devices below it");
		else if (!strcmp(child->key, "devices"))
			err = svf_file_devices(reader, child, &node->children);
		else
			err = svf_node_set(reader, node, child, svf_kind_keys[row].others);
		if (err)
			return err;
	}
	return 0;
}

static int svf_file_devices(struct svf_file_reader *reader, const struct svf_yaml *devices,
			    struct svf_list *siblings)
{
	const struct svf_yaml *device;
	int err = svf_yaml_want(reader, devices, SVF_YAML_SEQUENCE, "devices");

	if (err)
		return err;
	if (reader->depth >= SVF_TOPOLOGY_DEPTH_MAX)
		return svf_reader_fail(&reader->base, devices->at,
				       "more than %u ports and bridges above each other",
				       SVF_TOPOLOGY_DEPTH_MAX);
	reader->depth++;
	svf_list_for_each(device, &devices->children, link) {
		err = svf_file_node(reader, device, siblings);
		if (err)
			return err;
	}
	reader->depth--;
	return 0;
}

static int svf_file_group_attach(struct svf_file_reader *reader, const struct svf_yaml *yaml)
{
	int err = svf_yaml_want(reader, yaml, SVF_YAML_SCALAR, yaml->key);

	return err ? err
		   : svf_reader_add_option(&reader->base.topology->params, "softvfio.group_attach",
					   yaml->text, yaml->at);
}

static int svf_file_machine(struct svf_file_reader *reader, const struct svf_yaml *machine)
{
	const struct svf_yaml *child;
	int err = svf_yaml_want(reader, machine, SVF_YAML_MAPPING, "a machine");

	if (err)
		return err;
	svf_list_for_each(child, &machine->children, link) {
		if (!strcmp(child->key, "params"))
			err = svf_file_params(reader, child);
		else if (!strcmp(child->key, "devices"))
			err = svf_file_devices(reader, child, &reader->base.topology->roots);
		else if (!strcmp(child->key, "group-attach"))
			err = svf_file_group_attach(reader, child);
		else
			err = svf_reader_fail(&reader->base, child->key_at,
					      "unknown key '%.40s'; known are: params, devices, "
					      "group-attach",
					      child->key);
		if (err)
			return err;
	}
	return 0;
}

int svf_topology_parse(struct svf_topology *topology, const char *path, const char *text,
		       size_t len, struct svf_topology_error *error)
{
	struct svf_file_reader reader = {.path = path};
	const struct svf_mark start = {.line = 1, .column = 1};
	struct svf_yaml *machine;
	int err;

	svf_reader_init(&reader.base, topology, error, "");
	if (!topology->file)
		topology->file = strdup(path);
	if (!topology->file)
		return -ENOMEM;
	err = svf_yaml_parse(&reader.base, text, len, &machine);
	if (err)
		return err;
	if (machine)
		err = svf_file_machine(&reader, machine);
	else
		err = svf_reader_fail(&reader.base, start,
				      "the file is empty; a machine has devices:");
	svf_yaml_destroy(machine);
	return err;
}

int svf_topology_read(struct svf_topology *topology, const char *path,
		      struct svf_topology_error *error)
{
	const struct svf_mark nowhere = {0};
	struct svf_topology_reader reader;
	char *text;
	size_t len;
	int err = svf_text_read(path, SVF_TOPOLOGY_FILE_MAX, &text, &len);

	if (err == -ENOMEM)
		return err;
	if (err) {
		svf_reader_init(&reader, topology, error, "");
		return svf_reader_fail(&reader, nowhere, "cannot read %.160s: %s", path,
				       strerror(-err));
	}
	err = svf_topology_parse(topology, path, text, len, error);
	free(text);
	return err;
}
