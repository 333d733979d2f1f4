/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, bridges and the host bridge: functions that no model makes. */
#ifndef SVF_CORE_PCI_PORTS_H
#define SVF_CORE_PCI_PORTS_H

#include <stdbool.h>

#include "core/pci/topology.h"

struct svf_function;

/*
 * Fills config space of a port or bridge; kind is not SVF_TOPOLOGY_DEVICE. acs: the port isolates
 * what is behind it.
 */
void svf_port_build(struct svf_function *fn, enum svf_topology_kind kind, bool acs);

/* Gives it the ids of another make, before it is finalized. */
void svf_port_set_id(struct svf_function *fn, uint16_t vendor, uint16_t device);

/* The host bridge at 00:00.0. */
void svf_host_bridge_build(struct svf_function *fn);

/*
 * ACS of a function of a multifunction device: peers cannot reach it past the IOMMU. False: config
 * space is full.
 */
bool svf_function_add_acs(struct svf_function *fn) SVF_MUST_CHECK;

#endif
