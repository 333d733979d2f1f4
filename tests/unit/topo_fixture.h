/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Machines from short descriptions, for the tests of core/pci: what a topology file says, as C.
 *
 *	test_topology_init(&t);
 *	port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "acs=off");
 *	test_node(&t, port, SVF_TOPOLOGY_DEVICE, "at=0000:03:00.0 driver=igb vfs=2");
 *	machine = test_topology_machine(&t);
 *
 * at=, slot= (DEVICE.FUNCTION), driver= (none: no driver), acs= and model= (null) are the node's;
 *everything else is an option of the model. A value cannot hold a blank; test_option() gives it any
 *text.
 */
#ifndef SVF_TESTS_UNIT_TOPO_FIXTURE_H
#define SVF_TESTS_UNIT_TOPO_FIXTURE_H

#include "core/machine.h"
#include "core/pci/function.h"
#include "core/pci/topology.h"
#include "port.h"

#define TEST_NODES   64
#define TEST_OPTIONS 128

struct test_topology {
	struct svf_topology topology;
	struct svf_topology_node nodes[TEST_NODES];
	struct svf_topology_option options[TEST_OPTIONS];
	char *words[TEST_NODES];
	unsigned int node_count, option_count;
	struct svf_topology_error error; /* of the last build */
};

void test_topology_init(struct test_topology *t);
void test_topology_fini(struct test_topology *t);

struct svf_topology_node *test_node(struct test_topology *t, struct svf_topology_node *parent,
				    enum svf_topology_kind kind, const char *words);
void test_option(struct test_topology *t, struct svf_topology_node *node, const char *key,
		 const char *value);
void test_param(struct test_topology *t, const char *key, const char *value);

/* Builds it and ends the description; the test fails when it cannot be built. */
struct svf_machine *test_topology_machine(struct test_topology *t);
/* The same for one device: its words. */
struct svf_machine *test_device_machine(const char *words);
/* The errno that building gives, with t->error; the machine is gone again. Ends the description. */
int test_topology_refused(struct test_topology *t);

/* The function at an address; the test fails when there is none. */
struct svf_function *test_at(struct svf_machine *machine, const char *address);
bool test_exists(struct svf_machine *machine, const char *address);

/* The content of a file of the repository, to be freed. name is relative to its root. */
char *test_repository_file(const char *name);

#endif
