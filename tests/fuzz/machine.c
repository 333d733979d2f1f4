/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machines of the command fuzzer, as tables. Their BARs are small, as each program begins with
 * a machine of its own, and limits are low, so that programs reach them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pci/topology.h"
#include "tests/fuzz/fuzz.h"

#define NODES	8
#define OPTIONS 8
#define PARAMS	4

struct row {
	enum svf_topology_kind kind;
	int parent; /* index of the node whose bus it is on; -1: a root */
	bool multifunction;
	uint8_t devfn;
	uint8_t alias; /* devfn under which it does DMA, too; 0: none */
	const char *model, *driver;
	const char *options[OPTIONS]; /* "key=value" */
};

static const struct machine {
	const char *params[PARAMS];
	struct row rows[NODES];
} machines[] = {
	/* A PF with two VFs, a function of its own, and a conventional one with INTx. */
	{{"vfio_iommu_type1.dma_entry_limit=16"},
	 {{.model = "null", .parent = -1, .options = {"vfs=2", "bar0=4K", "vfbar0=4K"}},
	  {.model = "null", .parent = -1, .options = {"totalvfs=0", "bar0=8K", "msi=4"}},
	  {.model = "null",
	   .parent = -1,
	   .options = {"totalvfs=0", "bar0=4K", "intx=A", "pcie=off"}}}},
	/* Groups of more than one: two functions without ACS, two behind a conventional bridge. */
	{{"softvfio.enforce_memlock=on", "softvfio.exact_dirty=on", "vfio_pci.disable_idle_d3=on"},
	 {{.kind = SVF_TOPOLOGY_ROOT_PORT, .parent = -1},
	  {.kind = SVF_TOPOLOGY_PCIE_PCI_BRIDGE, .parent = 0},
	  {.model = "null",
	   .parent = 1,
	   .options = {"totalvfs=0", "bar0=4K", "pcie=off", "flr=off"}},
	  {.model = "null",
	   .parent = 1,
	   .driver = "pci-stub",
	   .options = {"totalvfs=0", "bar0=4K", "pcie=off"}},
	  {.kind = SVF_TOPOLOGY_ROOT_PORT, .parent = -1},
	  {.model = "null",
	   .parent = 4,
	   .multifunction = true,
	   .options = {"totalvfs=0", "bar0=4K", "pm=off", "flr=off"}},
	  {.model = "null",
	   .parent = 4,
	   .multifunction = true,
	   .devfn = 1,
	   .options = {"totalvfs=0", "bar0=4K"}}}},
	/* Two PFs, one on a native driver; a VGA device with an I/O BAR and a ROM. */
	{{"vfio_pci.nointxmask=on"},
	 {{.model = "null",
	   .parent = -1,
	   .driver = "igb",
	   .options = {"vfs=1", "bar0=4K", "vfbar0=4K", "vendor=8086", "device=10c9"}},
	  {.model = "null",
	   .parent = -1,
	   .driver = "",
	   .options = {"totalvfs=4", "bar0=4K", "vfbar0=4K", "msix=2"}},
	  {.model = "null",
	   .parent = -1,
	   .options = {"totalvfs=0", "bar0=32:io", "bar1=4K", "msix=0", "msi=1", "class=030000",
		       "romsize=2048"}}}},
	/* Devices attached by themselves: two behind a conventional bridge, one that is alone, two aliases. */
	{{"softvfio.group_attach=per-device"},
	 {{.kind = SVF_TOPOLOGY_ROOT_PORT, .parent = -1},
	  {.kind = SVF_TOPOLOGY_PCIE_PCI_BRIDGE, .parent = 0},
	  {.model = "null", .parent = 1, .options = {"totalvfs=0", "bar0=4K", "pcie=off"}},
	  {.model = "null", .parent = 1, .options = {"totalvfs=0", "bar0=4K", "pcie=off"}},
	  {.kind = SVF_TOPOLOGY_ROOT_PORT, .parent = -1},
	  {.model = "null",
	   .parent = 4,
	   .multifunction = true,
	   .options = {"totalvfs=0", "bar0=4K"}},
	  {.model = "null",
	   .parent = 4,
	   .multifunction = true,
	   .devfn = 1,
	   .options = {"totalvfs=0", "bar0=4K"}},
	  {.model = "null",
	   .parent = 4,
	   .multifunction = true,
	   .devfn = 2,
	   .alias = 1,
	   .options = {"totalvfs=0", "bar0=4K"}}}},
	/* No IOMMU: a PF with a VF, and a function of its own. */
	{{"softvfio.iommu=off", "vfio.enable_unsafe_noiommu_mode=on"},
	 {{.model = "null", .parent = -1, .options = {"vfs=1", "bar0=4K", "vfbar0=4K"}},
	  {.model = "null", .parent = -1, .options = {"totalvfs=0", "bar0=4K"}}}},
};

/* Everything svf_machine_build() reads, gone when it has returned. */
struct storage {
	struct svf_topology topology;
	struct svf_topology_node nodes[NODES];
	struct svf_topology_option options[NODES * OPTIONS + PARAMS];
	char texts[NODES * OPTIONS + PARAMS][64];
	unsigned int count;
};

static void add_option(struct storage *s, struct svf_list *list, const char *text)
{
	struct svf_topology_option *option = &s->options[s->count];
	char *copy = s->texts[s->count++], *equals;

	snprintf(copy, sizeof(s->texts[0]), "%s", text);
	equals = strchr(copy, '=');
	*equals = '\0';
	*option = (struct svf_topology_option){.key = copy, .value = equals + 1};
	svf_list_add_tail(list, &option->link);
}

static void add_node(struct storage *s, const struct row *row, unsigned int i)
{
	struct svf_topology_node *node = &s->nodes[i];

	*node = (struct svf_topology_node){
		.kind = row->model ? SVF_TOPOLOGY_DEVICE : row->kind,
		.model = row->model,
		.driver = row->driver,
		.acs = row->multifunction ? 0 : -1,
		.has_slot = row->multifunction,
		.devfn = row->devfn,
	};
	node->dma_aliases[0] = row->alias ? 1ull << row->alias : 0;
	svf_list_init(&node->children);
	svf_list_init(&node->options);
	for (int n = 0; n < OPTIONS && row->options[n]; n++)
		add_option(s, &node->options, row->options[n]);
	svf_list_add_tail(row->parent < 0 ? &s->topology.roots : &s->nodes[row->parent].children,
			  &node->link);
}

struct svf_machine *fuzz_machine(unsigned int which)
{
	const struct machine *description = &machines[which % SVF_ARRAY_SIZE(machines)];
	struct svf_machine *machine = test_machine();
	struct svf_topology_error error;
	struct storage s = {0};

	svf_list_init(&s.topology.roots);
	svf_list_init(&s.topology.params);
	for (int i = 0; i < PARAMS && description->params[i]; i++)
		add_option(&s, &s.topology.params, description->params[i]);
	for (unsigned int i = 0; i < NODES; i++) {
		const struct row *row = &description->rows[i];

		if (row->model || row->kind != SVF_TOPOLOGY_DEVICE)
			add_node(&s, row, i);
	}
	if (svf_machine_build(machine, &s.topology, &error)) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
	return machine;
}
