/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci.h"

#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/iommu/group.h"

#define ACS_AT	       0x100u
#define ACS_ALL	       0x1du /* SV, RR, CR, UF */
#define ACS_SV	       0x01u
#define COMMAND_MASTER 0x04u

static const struct {
	bool pcie, bridge;
	uint8_t type; /* device/port type */
} kinds[] = {
	[TEST_PCI_DEVICE] = {false, false, 0}, [TEST_PCI_BRIDGE] = {false, true, 0},
	[TEST_ENDPOINT] = {true, false, 0},    [TEST_ROOT_PORT] = {true, true, 4},
	[TEST_UPSTREAM] = {true, true, 5},     [TEST_DOWNSTREAM] = {true, true, 6},
	[TEST_PCIE_TO_PCI] = {true, true, 7},  [TEST_VF] = {true, false, 0},
};

struct svf_bus *test_bus(struct svf_machine *machine, struct svf_function *bridge, uint8_t number)
{
	struct svf_bus *bus = calloc(1, sizeof(*bus));

	assert(bus);
	svf_list_init(&bus->functions);
	bus->machine = machine;
	bus->bridge = bridge;
	bus->number = number;
	bus->last = number;
	if (bridge)
		bridge->subordinate = bus;
	svf_list_add_tail(&machine->buses, &bus->machine_link);
	return bus;
}

static struct svf_function *last_endpoint(struct svf_machine *machine)
{
	struct svf_function *fn, *found = NULL;

	svf_list_for_each(fn, &machine->functions, machine_link)
		if (fn->cap_exp && !fn->interconnect && !fn->physfn)
			found = fn;
	return found;
}

static void add_acs(struct svf_function *fn, unsigned int flags)
{
	uint8_t *acs = fn->config + ACS_AT;

	if (!(flags & (TEST_ACS | TEST_ACS_OFF | TEST_ACS_PARTLY)))
		return;
	fn->ext_acs = ACS_AT;
	svf_put_le16(acs + 4, flags & TEST_ACS_PARTLY ? ACS_SV : ACS_ALL);
	svf_put_le16(acs + 6, flags & TEST_ACS ? ACS_ALL : flags & TEST_ACS_PARTLY ? ACS_SV : 0);
}

struct svf_function *test_function(struct svf_bus *bus, unsigned int device, unsigned int function,
				   enum test_function_kind kind, unsigned int flags)
{
	struct svf_function *fn = calloc(1, sizeof(*fn));
	int err;

	assert(fn);
	fn->machine = bus->machine;
	fn->bus = bus;
	fn->bdf = (struct svf_bdf){
		.domain = bus->domain, .bus = bus->number, .devfn = svf_devfn(device, function)};
	fn->config_size = SVF_PCIE_CONFIG_SIZE;
	fn->cap_exp = kinds[kind].pcie ? 0x40 : 0;
	fn->pcie_type = kinds[kind].type;
	fn->interconnect = kinds[kind].bridge;
	fn->config[0x04] = COMMAND_MASTER;
	fn->config[0x0e] = (uint8_t)(kinds[kind].bridge | (flags & TEST_MULTIFUNCTION ? 0x80 : 0));
	if (kind == TEST_VF)
		fn->physfn = last_endpoint(bus->machine);
	add_acs(fn, flags);
	svf_list_init(&fn->group_link);
	svf_list_add_tail(&bus->machine->functions, &fn->machine_link);
	svf_list_add_tail(&bus->functions, &fn->bus_link);
	err = svf_iommu_group_add_function(fn);
	assert(!err);
	return fn;
}

void test_pci_end(struct svf_machine *machine)
{
	struct svf_function *fn, *next_fn;
	struct svf_bus *bus, *next_bus;

	svf_list_for_each_safe(fn, next_fn, &machine->functions, machine_link) {
		svf_iommu_group_remove_function(fn);
		svf_list_del(&fn->bus_link);
		svf_list_del(&fn->machine_link);
		free(fn);
	}
	svf_list_for_each_safe(bus, next_bus, &machine->buses, machine_link) {
		svf_list_del(&bus->machine_link);
		free(bus);
	}
	assert(svf_list_empty(&machine->groups));
}
