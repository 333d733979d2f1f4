/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host/topology*.c: what -d, --param and topology files mean, and what is said of those that mean
 * nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/pci/topology.h"
#include "host/topology/topology.h"

static struct svf_topology topology;
static struct svf_topology_error error;

static int setup(void **state)
{
	(void)state;
	svf_topology_init(&topology);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_topology_fini(&topology);
	return 0;
}

static struct svf_topology_node *nth(const struct svf_list *nodes, unsigned int n)
{
	struct svf_topology_node *node;

	svf_list_for_each(node, nodes, link) {
		if (!n--)
			return node;
	}
	fail_msg("too few nodes");
	return NULL;
}

static unsigned int count(const struct svf_list *list)
{
	unsigned int n = 0;

	for (const struct svf_list *it = list->next; it != list; it = it->next)
		n++;
	return n;
}

static const char *option(const struct svf_list *options, const char *key)
{
	const struct svf_topology_option *it;

	svf_list_for_each(it, options, link) {
		if (!strcmp(it->key, key))
			return it->value;
	}
	return NULL;
}

static int spec(const char *text)
{
	return svf_topology_add_spec(&topology, text, &error);
}

static int yaml(const char *text)
{
	return svf_topology_parse(&topology, "folder/machine.yaml", text, strlen(text), &error);
}

static void assert_refused_at(const char *text, unsigned int line, unsigned int column,
			      const char *why)
{
	char said[512];
	char place[64];

	assert_int_equal(yaml(text), -EINVAL);
	svf_topology_error_format(&topology, &error, said, sizeof(said));
	snprintf(place, sizeof(place), "folder/machine.yaml:%u:%u: ", line, column);
	if (strncmp(said, place, strlen(place)) || !strstr(said, why))
		fail_msg("of '%s' was said '%s', not '%s%s'", text, said, place, why);
	svf_topology_fini(&topology);
	svf_topology_init(&topology);
}

/* --- -d --- */

static void test_spec_plain(void **state)
{
	const struct svf_topology_node *node;

	(void)state;
	assert_int_equal(spec("null"), 0);
	node = nth(&topology.roots, 0);
	assert_int_equal(node->kind, SVF_TOPOLOGY_DEVICE);
	assert_string_equal(node->model, "null");
	assert_false(node->has_slot);
	assert_false(node->has_bdf);
	assert_null(node->driver);
	assert_int_equal(node->acs, -1);
	assert_true(svf_list_empty(&node->options));
	assert_int_equal(node->line, 0);
}

static void test_spec_everything(void **state)
{
	const struct svf_topology_node *node;

	(void)state;
	assert_int_equal(spec("null@0001:a3:1f.7,vfs=2,driver=pci-stub,flr,acs=off"), 0);
	node = nth(&topology.roots, 0);
	assert_true(node->has_bdf);
	assert_int_equal(node->bdf.domain, 1);
	assert_int_equal(node->bdf.bus, 0xa3);
	assert_int_equal(node->bdf.devfn, 0xff);
	assert_string_equal(node->driver, "pci-stub");
	assert_int_equal(node->acs, 0);
	assert_string_equal(option(&node->options, "vfs"), "2");
	assert_string_equal(option(&node->options, "flr"), "");
	assert_int_equal(count(&node->options), 2);
}

static void test_spec_addresses(void **state)
{
	static const char *const bad[] = {
		"null@",	 "null@:",	  "null@1:",	    "null@00:20.0",
		"null@00:00.8",	 "null@100:00.0", "null@0:0:0:0.0", "null@10000:00:00.0",
		"null@00:00.0x", "null@-1:00.0",  "null@00:00.",    "null@ 00:00.0",
	};

	(void)state;
	assert_int_equal(spec("null@03:01.2"), 0);
	assert_true(nth(&topology.roots, 0)->has_bdf);
	assert_int_equal(nth(&topology.roots, 0)->bdf.bus, 3);
	assert_int_equal(nth(&topology.roots, 0)->devfn, 1 << 3 | 2);
	assert_int_equal(spec("null@1e.1"), 0);
	assert_false(nth(&topology.roots, 1)->has_bdf);
	assert_true(nth(&topology.roots, 1)->has_slot);
	assert_int_equal(nth(&topology.roots, 1)->devfn, 0x1e << 3 | 1);
	for (size_t i = 0; i < SVF_ARRAY_SIZE(bad); i++) {
		assert_int_equal(spec(bad[i]), -EINVAL);
		assert_non_null(strstr(error.text, "is not an address"));
		assert_non_null(strstr(error.text, bad[i]));
	}
}

static void test_spec_dma_alias(void **state)
{
	const struct svf_topology_node *node;

	(void)state;
	assert_int_equal(spec("null,dma-alias=10.0+1f.7"), 0);
	node = nth(&topology.roots, 0);
	assert_true(node->dma_aliases[2] == 1ull);
	assert_true(node->dma_aliases[3] == 1ull << 63);
	assert_true(node->dma_aliases[0] == 0 && node->dma_aliases[1] == 0);
}

static void test_spec_refused(void **state)
{
	static const char *const bad_aliases[] = {"",	  "1",	  "20.0",     "1.8",
						  "1.0+", "+1.0", "01.0 02.0"};

	(void)state;
	assert_int_equal(spec("nil"), -EINVAL);
	assert_string_equal(
		error.text,
		"-d nil: there is no model 'nil'; models are: null, ioat, edu, nvme, or "
		"the name of a file, with a slash in it");
	assert_int_equal(spec("./nil.so"), -EINVAL);
	assert_string_equal(error.text, "-d ./nil.so: models cannot be loaded from files here");
	assert_int_equal(spec(""), -EINVAL);
	assert_int_equal(spec("null,colour=red"), -EINVAL);
	assert_non_null(strstr(error.text,
			       "model null has no 'colour'; known are: driver, acs, dma-alias, "));
	assert_int_equal(spec("null,"), -EINVAL);
	assert_int_equal(spec("null,acs=maybe"), -EINVAL);
	for (size_t i = 0; i < SVF_ARRAY_SIZE(bad_aliases); i++) {
		char text[64];

		snprintf(text, sizeof(text), "null,dma-alias=%s", bad_aliases[i]);
		assert_int_equal(spec(text), -EINVAL);
		assert_non_null(strstr(error.text, "is not device and function on the same bus"));
	}
	assert_int_equal(spec("null,id=8086:1"), -EINVAL);
	assert_int_equal(spec("null,driver=../x"), -EINVAL);
	assert_int_equal(error.line, 0);
}

static void test_spec_driver_none(void **state)
{
	(void)state;
	assert_int_equal(spec("null,driver=none"), 0);
	assert_string_equal(nth(&topology.roots, 0)->driver, "");
}

static void test_spec_count_is_bounded(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SVF_TOPOLOGY_NODES_MAX; i++)
		assert_int_equal(spec("null"), 0);
	assert_int_equal(spec("null"), -EINVAL);
	assert_int_equal(count(&topology.roots), SVF_TOPOLOGY_NODES_MAX);
}

static void test_spec_file(void **state)
{
	char path[] = "/tmp/test-topology,XXXXXX", text[256];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "00: 86 80\n", 10), 10);
	/* A comma of the name is written twice. */
	snprintf(text, sizeof(text), "null,dump=/tmp/test-topology,,%s,vfs=1",
		 strchr(path, ',') + 1);
	assert_int_equal(spec(text), 0);
	assert_string_equal(option(&nth(&topology.roots, 0)->options, "dump"), "00: 86 80\n");
	assert_string_equal(option(&nth(&topology.roots, 0)->options, "vfs"), "1");
	assert_int_equal(write(fd, "\0", 1), 1);
	assert_int_equal(spec(text), -EINVAL);
	assert_int_equal(ftruncate(fd, SVF_TOPOLOGY_FILE_MAX + 1), 0);
	assert_int_equal(spec(text), -EINVAL);
	assert_non_null(strstr(error.text, "File too large"));
	close(fd);
	unlink(path);
	assert_int_equal(spec(text), -EINVAL);
	assert_non_null(strstr(error.text, "No such file or directory"));
	assert_int_equal(spec("null,dump=/tmp"), -EINVAL);
	assert_non_null(strstr(error.text, "Is a directory"));
	assert_int_equal(spec("null,dump=/dev/zero"), -EINVAL);
}

static void test_param(void **state)
{
	(void)state;
	assert_int_equal(svf_topology_add_param(&topology, "vfio_pci.enable_sriov=a=b", &error), 0);
	assert_string_equal(option(&topology.params, "vfio_pci.enable_sriov"), "a=b");
	assert_int_equal(svf_topology_add_param(&topology, "vfio_pci.enable_sriov", &error),
			 -EINVAL);
	assert_int_equal(svf_topology_add_param(&topology, "=1", &error), -EINVAL);
	assert_int_equal(count(&topology.params), 1);
}

/* --- files --- */

static void test_yaml_device(void **state)
{
	const struct svf_topology_node *node;

	(void)state;
	assert_int_equal(yaml("params: {vfio_pci.enable_sriov: false}\n"
			      "group-attach: per-device\n"
			      "devices:\n"
			      "  - model: null\n"
			      "    address: 05:00.1\n"
			      "    driver: none\n"
			      "    vfs: 0x2\n"
			      "    'flr': \"off\"\n"
			      "    msix:\n"),
			 0);
	assert_string_equal(option(&topology.params, "vfio_pci.enable_sriov"), "false");
	assert_string_equal(option(&topology.params, "softvfio.group_attach"), "per-device");
	assert_int_equal(count(&topology.roots), 1);
	node = nth(&topology.roots, 0);
	assert_int_equal(node->line, 4);
	assert_int_equal(node->column, 5);
	/* A number of base 60 in YAML 1.1; not here. */
	assert_int_equal(node->bdf.bus, 5);
	assert_int_equal(node->bdf.devfn, 1);
	assert_string_equal(node->driver, "");
	assert_string_equal(option(&node->options, "vfs"), "0x2");
	assert_string_equal(option(&node->options, "flr"), "off");
	assert_string_equal(option(&node->options, "msix"), "");
}

static void test_yaml_option_place(void **state)
{
	const struct svf_topology_option *first;

	(void)state;
	assert_int_equal(yaml("devices:\n- {model: null,  vfs: 3}\n"), 0);
	first = svf_list_first(&nth(&topology.roots, 0)->options, struct svf_topology_option, link);
	assert_int_equal(first->line, 2);
	assert_int_equal(first->column, 18);
}

static void test_yaml_tree(void **state)
{
	const struct svf_topology_node *root, *upstream;

	(void)state;
	assert_int_equal(
		yaml("devices:\n"
		     "- port: root-port\n"
		     "  address: 1c.2\n"
		     "  acs: off\n"
		     "  devices:\n"
		     "  - port: switch-upstream\n"
		     "    devices:\n"
		     "    - port: switch-downstream\n"
		     "      acs: on\n"
		     "      devices: [{bridge: pcie-pci-bridge, devices: [{bridge: pci-bridge}]}]\n"
		     "    - {port: switch-downstream}\n"
		     "- model: null\n"),
		0);
	assert_int_equal(count(&topology.roots), 2);
	root = nth(&topology.roots, 0);
	assert_int_equal(root->kind, SVF_TOPOLOGY_ROOT_PORT);
	assert_int_equal(root->devfn, 0x1c << 3 | 2);
	assert_int_equal(root->acs, 0);
	upstream = nth(&root->children, 0);
	assert_int_equal(upstream->kind, SVF_TOPOLOGY_SWITCH_UPSTREAM);
	assert_int_equal(count(&upstream->children), 2);
	assert_int_equal(nth(&upstream->children, 0)->acs, 1);
	assert_int_equal(nth(&upstream->children, 1)->acs, -1);
	assert_int_equal(nth(&nth(&upstream->children, 0)->children, 0)->kind,
			 SVF_TOPOLOGY_PCIE_PCI_BRIDGE);
}

static void test_yaml_syntax(void **state)
{
	(void)state;
	assert_refused_at("", 1, 1, "the file is empty");
	assert_refused_at("# nothing\n", 1, 1, "the file is empty");
	assert_refused_at("devices:\n\t- model: null\n", 2, 1, "");
	assert_refused_at("devices: [\n", 2, 1, "");
	assert_refused_at("devices: []\n---\ndevices: []\n", 2, 1, "a second document");
	assert_refused_at("devices: []\nx: \xff\n", 2, 4, "");
	assert_refused_at("devices: []\nparams: {a: \"\\0\"}\n", 2, 13, "NUL");
}

static void test_yaml_refused_features(void **state)
{
	(void)state;
	assert_refused_at("params: &x {}\n", 1, 9, "an anchor");
	assert_refused_at("params: {a: &x 1}\n", 1, 13, "an anchor");
	assert_refused_at("params: *x\n", 1, 9, "");
	assert_refused_at("devices: !!set []\n", 1, 10, "a tag");
	assert_refused_at("devices: []\ndevices: []\n", 2, 1, "'devices' is given twice");
	assert_refused_at("? [a]\n: b\n", 1, 3, "a key must be a word");
}

static void test_yaml_shapes(void **state)
{
	(void)state;
	assert_refused_at("[]\n", 1, 1, "a machine must be a mapping, not a list");
	assert_refused_at("devises: []\n", 1, 1,
			  "unknown key 'devises'; known are: params, devices, group-attach");
	assert_refused_at("devices: {}\n", 1, 10, "devices must be a list");
	assert_refused_at("devices: [null]\n", 1, 11, "a device must be a mapping, not a value");
	assert_refused_at("params: []\n", 1, 9, "params must be a mapping");
	assert_refused_at("group-attach: []\n", 1, 15, "group-attach must be a value, not a list");
	assert_refused_at("params: {a: []}\n", 1, 13, "a must be a value");
	assert_refused_at("devices: [{address: 1}]\n", 1, 11,
			  "one of the keys model, port and bridge");
	assert_refused_at("devices:\n- model: null\n  port: root-port\n", 3, 3,
			  "'port' beside 'model'");
	assert_refused_at("devices:\n- model: null\n  dma-alias: 7\n", 3, 14, "such as 01.0");
	assert_refused_at("devices:\n- port: root-port\n  id: 8086\n", 3, 7, "such as 8086:a290");
	assert_refused_at("devices:\n- port: root-port\n  dma-alias: 1.0\n", 3, 3, "unknown key");
	assert_refused_at("devices:\n- model: [null]\n", 2, 10, "model must be a value");
}

static void test_yaml_words(void **state)
{
	(void)state;
	assert_refused_at("devices:\n- model: nil\n", 2, 10,
			  "there is no model 'nil'; models are: null");
	assert_refused_at("devices:\n- port: star-port\n", 2, 9,
			  "there are: root-port, switch-upstream, switch-d");
	assert_refused_at("devices:\n- bridge: root-port\n", 2, 11,
			  "there are: pcie-pci-bridge, pci-bridge");
	assert_refused_at("devices:\n- model: null\n  colour: red\n", 3, 3,
			  "model null has no 'colour'; known are: model, ");
	assert_refused_at("devices:\n- port: root-port\n  vfs: 1\n", 3, 3,
			  "unknown key 'vfs'; known are: port, ");
	assert_refused_at("devices:\n- model: null\n  devices: []\n", 3, 3,
			  "only a port or bridge has devices");
	assert_refused_at("devices:\n- model: null\n  address: here\n", 3, 12,
			  "'here' is not an address");
	assert_refused_at("devices:\n- model: null\n  acs: 7\n", 3, 8, "acs is on or off");
	/* Relative to the file. */
	assert_refused_at("devices:\n- model: null\n  dump: gone.txt\n", 3, 3,
			  "cannot read folder/gone.txt: No such");
}

/* Text of a port in a port in a port... */
static char *nested(unsigned int depth)
{
	char *text = calloc(depth + 1, 64), *end = text;

	assert_non_null(text);
	end = stpcpy(end, "devices: ");
	for (unsigned int i = 1; i < depth; i++)
		end = stpcpy(end, "[{port: root-port, devices: ");
	end = stpcpy(end, "[]");
	for (unsigned int i = 1; i < depth; i++)
		end = stpcpy(end, "}]");
	return text;
}

static void test_yaml_depth_is_bounded(void **state)
{
	char *text = nested(SVF_TOPOLOGY_DEPTH_MAX);

	(void)state;
	assert_int_equal(yaml(text), 0);
	free(text);
	text = nested(SVF_TOPOLOGY_DEPTH_MAX + 1);
	assert_int_equal(yaml(text), -EINVAL);
	assert_non_null(strstr(error.text, "above each other"));
	free(text);
	text = malloc(100001);
	assert_non_null(text);
	memset(text, '[', 100000);
	text[100000] = '\0';
	assert_int_equal(yaml(text), -EINVAL);
	assert_non_null(strstr(error.text, "nested too deep"));
	free(text);
}

static void test_yaml_counts_are_bounded(void **state)
{
	const char item[] = "- {model: null}\n";
	char *text = malloc(sizeof(item) * (SVF_TOPOLOGY_NODES_MAX + 2) + 16), *end;

	(void)state;
	assert_non_null(text);
	end = stpcpy(text, "devices:\n");
	for (unsigned int i = 0; i < SVF_TOPOLOGY_NODES_MAX + 1; i++)
		end = stpcpy(end, item);
	assert_refused_at(text, SVF_TOPOLOGY_NODES_MAX + 2, 3, "more than 1024 devices");
	free(text);
	text = malloc(300 * 16 + 16);
	assert_non_null(text);
	end = stpcpy(text, "params:\n");
	for (unsigned int i = 0; i < 300; i++)
		end += sprintf(end, " a%u: 1\n", i);
	assert_refused_at(text, 258, 2, "more than 256 keys");
	free(text);
}

static void test_read(void **state)
{
	(void)state;
	assert_int_equal(svf_topology_read(&topology, "/nowhere/machine.yaml", &error), -EINVAL);
	assert_string_equal(error.text,
			    "cannot read /nowhere/machine.yaml: No such file or directory");
	assert_int_equal(svf_topology_read(&topology, "/dev/zero", &error), -EINVAL);
}

/* The examples that documentation names, and what the conformance cases run on. */
static void test_shipped_files(void **state)
{
	const char *root = getenv("SOFTVFIO_SOURCE_ROOT");
	char path[4096];

	(void)state;
	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/examples/topology.yaml", root);
	if (svf_topology_read(&topology, path, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.text);
	assert_int_equal(count(&topology.roots), 5);
	svf_topology_fini(&topology);
	svf_topology_init(&topology);
	snprintf(path, sizeof(path), "%s/tests/conformance/machine.yaml", root);
	if (svf_topology_read(&topology, path, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.text);
	assert_int_equal(count(&topology.roots), 9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spec_plain),
		TEST(test_spec_everything),
		TEST(test_spec_addresses),
		TEST(test_spec_dma_alias),
		TEST(test_spec_refused),
		TEST(test_spec_driver_none),
		TEST(test_spec_count_is_bounded),
		TEST(test_spec_file),
		TEST(test_param),
		TEST(test_yaml_device),
		TEST(test_yaml_option_place),
		TEST(test_yaml_tree),
		TEST(test_yaml_syntax),
		TEST(test_yaml_refused_features),
		TEST(test_yaml_shapes),
		TEST(test_yaml_words),
		TEST(test_yaml_depth_is_bounded),
		TEST(test_yaml_counts_are_bounded),
		TEST(test_read),
		TEST(test_shipped_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
