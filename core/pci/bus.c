/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buses. The machine keeps them in order of number, each bus keeps its functions in order of
 * devfn. A PF whose VFs reach beyond its bus number has further numbers kept free behind its bus
 * (bus->last); those carry no svf_bus of their own: the VFs hang on the PF's bus, as in Linux their
 * virtual bus has no bridge and no windows either.
 */
#include "core/pci/bus.h"

#include <assert.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/pci/function.h"

static bool bus_before(const struct svf_bus *a, const struct svf_bus *b)
{
	return a->domain < b->domain || (a->domain == b->domain && a->number < b->number);
}

static void link_in_order(struct svf_bus *bus)
{
	struct svf_bus *next;

	svf_list_for_each(next, &bus->machine->buses, machine_link) {
		if (bus_before(bus, next))
			break;
	}
	svf_list_add_tail(&next->machine_link, &bus->machine_link);
}

struct svf_bus *svf_bus_alloc(struct svf_machine *machine, struct svf_function *bridge,
			      uint16_t domain, uint8_t number, bool express)
{
	struct svf_bus *bus = calloc(1, sizeof(*bus));

	if (!bus)
		return NULL;
	svf_list_init(&bus->machine_link);
	svf_list_init(&bus->functions);
	svf_list_init(&bus->absent);
	bus->machine = machine;
	bus->bridge = bridge;
	bus->domain = domain;
	bus->number = number;
	bus->last = number;
	bus->express = express;
	link_in_order(bus);
	return bus;
}

void svf_bus_set_numbers(struct svf_bus *bus, uint8_t number, uint8_t last)
{
	struct svf_function *fn;

	bus->number = number;
	bus->last = last;
	svf_list_for_each(fn, &bus->functions, bus_link)
		fn->bdf.bus = number;
	svf_list_del(&bus->machine_link);
	link_in_order(bus);
}

void svf_bus_destroy(struct svf_bus *bus)
{
	if (!bus)
		return;
	assert(svf_list_empty(&bus->functions) && svf_list_empty(&bus->absent));
	svf_list_del(&bus->machine_link);
	free(bus);
}

struct svf_bus *svf_bus_lookup(struct svf_machine *machine, uint16_t domain, uint8_t number)
{
	struct svf_bus *bus, *found = NULL;

	/*
	 * The last one that starts at or before the number: a bridge's own bus or one kept behind
	 * it.
	 */
	svf_list_for_each(bus, &machine->buses, machine_link) {
		if (bus->domain == domain && bus->number <= number && number <= bus->last)
			found = bus;
	}
	return found;
}

void svf_bus_add_function(struct svf_bus *bus, struct svf_function *fn)
{
	struct svf_function *next;

	svf_list_for_each(next, &bus->functions, bus_link) {
		if (svf_bdf_compare(fn->bdf, next->bdf) < 0)
			break;
	}
	svf_list_add_tail(&next->bus_link, &fn->bus_link);
}
