/* SPDX-License-Identifier: BSD-3-Clause */
/* A PCI bus: a root bus of a host bridge, or the one behind a bridge or port. */
#ifndef SVF_CORE_PCI_BUS_H
#define SVF_CORE_PCI_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct svf_function;
struct svf_machine;

/* Address space that a bus takes up, and its bridge forwards. */
enum svf_window_kind { SVF_WINDOW_IO, SVF_WINDOW_MEM, SVF_WINDOW_PREF, SVF_WINDOWS };

struct svf_window {
	uint64_t first, last; /* first > last: none */
	uint64_t size,
		align; /* bytes, as computed bottom up before addresses are given; size 0: none */
};

struct svf_bus {
	struct svf_list machine_link; /* machine->buses, in order of domain and number */
	struct svf_list functions;    /* struct svf_function.bus_link, in order of devfn */
	struct svf_list absent;	      /* those that were removed: there, and not to be seen */
	struct svf_machine *machine;
	struct svf_function *bridge; /* whose secondary bus this is; NULL: root bus */
	uint16_t domain;
	uint8_t number, last; /* last: highest bus number behind it */
	bool express;	      /* PCIe link; false: conventional PCI */
	uint8_t wanted;	      /* while building: the number it must get, 0: any */
	struct svf_window windows[SVF_WINDOWS];
};

/* Puts a bus into the machine. NULL when out of memory. */
struct svf_bus *svf_bus_alloc(struct svf_machine *machine, struct svf_function *bridge,
			      uint16_t domain, uint8_t number, bool express) SVF_MUST_CHECK;
/* Gives it another number and range, and its functions with it; before they are published. */
void svf_bus_set_numbers(struct svf_bus *bus, uint8_t number, uint8_t last);
/* The bus must be empty. Takes NULL. */
void svf_bus_destroy(struct svf_bus *bus);
/* By domain and number, or NULL. Numbers kept for VFs belong to the bus of the PF. */
struct svf_bus *svf_bus_lookup(struct svf_machine *machine, uint16_t domain, uint8_t number);
/* Puts a function among bus->functions, in order. */
void svf_bus_add_function(struct svf_bus *bus, struct svf_function *fn);

/*
 * Secondary bus reset: every function on the bus and behind it, with config space saved and
 * restored around it as the kernel's hot reset does.
 */
void svf_bus_reset(struct svf_bus *bus);

#endif
