/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The description a machine is built from: a tree of ports, bridges and devices, as read from -d
 * options or a topology file. Plain data; the reader owns it and may free it after
 * svf_machine_build(). line and column say where it was written, for messages (0: unknown).
 */
#ifndef SVF_CORE_PCI_TOPOLOGY_H
#define SVF_CORE_PCI_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/call.h"
#include "core/pci/bdf.h"

enum svf_topology_kind {
	SVF_TOPOLOGY_DEVICE, /* an endpoint of a model */
	SVF_TOPOLOGY_ROOT_PORT,
	SVF_TOPOLOGY_SWITCH_UPSTREAM,
	SVF_TOPOLOGY_SWITCH_DOWNSTREAM,
	SVF_TOPOLOGY_PCIE_PCI_BRIDGE, /* to conventional PCI */
	SVF_TOPOLOGY_PCI_BRIDGE,      /* conventional to conventional */
};

struct svf_model_loader;
struct svf_model_ops;

struct svf_topology_option {
	struct svf_list link;
	const char *key, *value; /* value "" for a bare key */
	unsigned int line, column;
};

struct svf_topology_node {
	struct svf_list link; /* parent's children, or the topology's roots (functions of bus 00) */
	struct svf_list children; /* what is on the bus behind a port or bridge */
	enum svf_topology_kind kind;
	const char *model;		 /* SVF_TOPOLOGY_DEVICE: "null", ... */
	const struct svf_model_ops *ops; /* of a model that is not built in; NULL: by its name */
	bool has_slot;			 /* devfn is given; otherwise the next free device number */
	uint8_t devfn;
	bool has_bdf; /* the whole address is given (-d null@0000:03:00.0): bus number included */
	struct svf_bdf bdf;
	const char *driver; /* bound at start; NULL: the default (vfio-pci for devices), "": none */
	int acs; /* 1 on, 0 off, -1 the kind's default: on for ports, a model's as the model has it */
	uint64_t dma_aliases[4]; /* a bit per devfn of its bus under which it does DMA, too */
	bool has_id;		 /* a port's or bridge's vendor and device id are given */
	uint16_t vendor, device;
	struct svf_list options; /* the model's */
	unsigned int line, column;
};

struct svf_topology {
	struct svf_list roots;	/* struct svf_topology_node.link */
	struct svf_list params; /* struct svf_topology_option: "vfio_pci.enable_sriov" = "0", ... */
	const char *file;	/* for messages; NULL: the command line */
	struct svf_model_loader *loader; /* of whoever reads it, for models in files; NULL: none */
};

/*
 * Where something is wrong: line and column of the node or option, text as for svf_fail.
 */
struct svf_topology_error {
	unsigned int line, column;
	char text[SVF_REASON_SIZE];
};

struct svf_machine;

/*
 * Builds buses, functions, BAR addresses, groups, VFs and driver bindings into an empty machine. A
 * device among the roots without an address, or with has_bdf on a bus above 0, gets a root port of
 * its own, as a PCIe slot on a board. Return: 0; -EINVAL, -ENOMEM, -EEXIST (two functions at one
 * address) with *error filled; the machine is then to be destroyed.
 */
int svf_machine_build(struct svf_machine *machine, const struct svf_topology *topology,
		      struct svf_topology_error *error) SVF_MUST_CHECK;

/* Ends everything svf_machine_build() made, also half-way. All files must have been closed. */
void svf_machine_unbuild(struct svf_machine *machine);

#endif
