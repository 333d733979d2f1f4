/* SPDX-License-Identifier: BSD-3-Clause */
/* From description to machine: places, numbers, drivers at start, and each mistake with its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "core/iommu/group.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "topo_fixture.h"

static struct test_topology t;

static int setup(void **state)
{
	test_topology_init(&t);
	return 0;
}

static struct svf_topology_node *device(const char *words)
{
	return test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, words);
}

static void test_devices_get_ports(void **state)
{
	struct svf_machine *machine;

	device("");
	device("at=0000:05:00.0");
	device("slot=3.0");
	device("");
	machine = test_topology_machine(&t);
	/* Buses asked for keep their numbers, the others take the lowest. */
	assert_true(test_exists(machine, "0000:01:00.0"));
	assert_true(test_exists(machine, "0000:05:00.0"));
	assert_true(test_exists(machine, "0000:02:00.0"));
	/* Ports stand where no slot was asked for. */
	assert_true(test_at(machine, "0000:00:01.0")->interconnect);
	assert_true(test_at(machine, "0000:00:02.0")->interconnect);
	assert_false(test_at(machine, "0000:00:03.0")->interconnect);
	assert_true(test_at(machine, "0000:00:04.0")->interconnect);
	/* In order of discovery: all of bus 00, then what is behind. */
	assert_int_equal(test_at(machine, "0000:00:00.0")->group->id, 0);
	assert_int_equal(test_at(machine, "0000:00:04.0")->group->id, 4);
	assert_int_equal(test_at(machine, "0000:01:00.0")->group->id, 5);
	test_machine_end(machine);
}

static void test_functions_of_one_device(void **state)
{
	struct svf_function *zero;
	struct svf_machine *machine;

	device("at=0000:05:00.1");
	device("at=0000:05:00.0");
	device("at=0000:06:00.0 acs=on");
	device("at=0000:06:00.1 acs=on");
	machine = test_topology_machine(&t);
	zero = test_at(machine, "0000:05:00.0");
	assert_int_equal(zero->config[PCI_HEADER_TYPE], 0x80);
	assert_ptr_equal(zero->group, test_at(machine, "0000:05:00.1")->group);
	assert_ptr_not_equal(test_at(machine, "0000:06:00.0")->group,
			     test_at(machine, "0000:06:00.1")->group);
	test_machine_end(machine);
}

static void test_conventional_bus_is_one_group(void **state)
{
	struct svf_topology_node *port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "slot=4.0");
	struct svf_topology_node *bridge = test_node(&t, port, SVF_TOPOLOGY_PCIE_PCI_BRIDGE, "");
	struct svf_function *a, *b, *br;
	struct svf_machine *machine;

	test_node(&t, bridge, SVF_TOPOLOGY_DEVICE, "at=0000:09:00.0");
	test_node(&t, bridge, SVF_TOPOLOGY_DEVICE, "");
	machine = test_topology_machine(&t);
	a = test_at(machine, "0000:09:00.0");
	b = test_at(machine, "0000:09:01.0");
	br = a->bus->bridge;
	assert_int_equal(a->cap_exp, 0);
	assert_int_equal(a->config_size, 256);
	assert_int_equal(a->sriov.cap, 0);
	assert_ptr_equal(a->group, b->group);
	assert_ptr_equal(a->group, br->group);
	/* A bridge is no port: it has no driver. */
	assert_null(br->driver);
	assert_int_equal(br->bdf.bus, 8);
	assert_int_equal(br->config[PCI_SECONDARY_BUS], 9);
	test_machine_end(machine);
}

static void test_switch(void **state)
{
	struct svf_topology_node *port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "");
	struct svf_topology_node *up = test_node(&t, port, SVF_TOPOLOGY_SWITCH_UPSTREAM, "");
	struct svf_machine *machine;
	struct svf_function *root;

	for (int i = 0; i < 2; i++)
		test_node(&t, test_node(&t, up, SVF_TOPOLOGY_SWITCH_DOWNSTREAM, ""),
			  SVF_TOPOLOGY_DEVICE, "");
	machine = test_topology_machine(&t);
	root = test_at(machine, "0000:00:01.0");
	assert_int_equal(root->config[PCI_SECONDARY_BUS], 1);
	assert_int_equal(root->config[PCI_SUBORDINATE_BUS], 4);
	assert_true(test_exists(machine, "0000:02:00.0"));
	assert_true(test_exists(machine, "0000:02:01.0"));
	assert_string_equal(test_at(machine, "0000:02:01.0")->driver->name, "pcieport");
	assert_ptr_not_equal(test_at(machine, "0000:03:00.0")->group,
			     test_at(machine, "0000:04:00.0")->group);
	test_machine_end(machine);
}

static void test_drivers_at_start(void **state)
{
	struct svf_machine *machine;

	device("at=0000:01:00.0");
	device("at=0000:02:00.0 driver=nvme class=010802");
	device("at=0000:03:00.0 driver=nvme");
	device("at=0000:04:00.0 driver=none class=010802");
	device("at=0000:05:00.0 driver=none vfs=1");
	machine = test_topology_machine(&t);
	assert_string_equal(test_at(machine, "0000:01:00.0")->driver->name, "vfio-pci");
	assert_string_equal(test_at(machine, "0000:01:00.0")->driver_override, "vfio-pci");
	assert_string_equal(test_at(machine, "0000:02:00.0")->driver->name, "nvme");
	assert_null(test_at(machine, "0000:02:00.0")->driver_override);
	assert_string_equal(test_at(machine, "0000:03:00.0")->driver_override, "nvme");
	assert_null(test_at(machine, "0000:04:00.0")->driver);
	assert_null(test_at(machine, "0000:05:10.0")->driver);
	test_machine_end(machine);
}

static void test_parameters(void **state)
{
	struct svf_machine *machine;

	test_param(&t, "vfio_pci.enable_sriov", "N");
	test_param(&t, "vfio_iommu_type1.dma_entry_limit", "100");
	test_param(&t, "softvfio.exact_dirty", "on");
	test_param(&t, "softvfio.group_attach", "per-device");
	device("");
	machine = test_topology_machine(&t);
	assert_false(machine->params.enable_sriov);
	assert_int_equal(machine->params.dma_entry_limit, 100);
	assert_true(machine->params.exact_dirty);
	assert_true(machine->params.per_device);
	test_machine_end(machine);
}

static void test_as_many_as_there_are_buses(void **state)
{
	static struct test_topology many;
	struct svf_machine *machine;

	test_topology_init(&many);
	for (unsigned int i = 0; i < TEST_NODES; i++)
		test_node(&many, NULL, SVF_TOPOLOGY_DEVICE, "");
	machine = test_topology_machine(&many);
	/* 31 devices on bus 00; more ports are further functions. */
	assert_true(test_at(machine, "0000:00:1f.0")->interconnect);
	assert_true(test_at(machine, "0000:00:01.1")->interconnect);
	assert_true(test_exists(machine, "0000:40:00.0"));
	test_machine_end(machine);
}

#define NONE SVF_TOPOLOGY_DEVICE

static const struct {
	enum svf_topology_kind parent; /* NONE: among the roots */
	enum svf_topology_kind kind;
	const char *first, *second; /* NULL: only one */
	int err;
	unsigned int line; /* the parent, if any, is on line 1 */
	const char *part;
} refused[] = {
	{NONE, SVF_TOPOLOGY_DEVICE, "model=nonsense", NULL, -EINVAL, 1,
	 "there is no model 'nonsense'; models are null"},
	{NONE, SVF_TOPOLOGY_DEVICE, "driver=nonsense", NULL, -EINVAL, 1,
	 "there is no driver 'nonsense'"},
	{NONE, SVF_TOPOLOGY_DEVICE, "driver=pcieport", NULL, -EINVAL, 1, "does not take"},
	{NONE, SVF_TOPOLOGY_DEVICE, "at=0000:05:00.0", "at=0000:05:00.0", -EEXIST, 2,
	 "another function at 00.0"},
	{NONE, SVF_TOPOLOGY_DEVICE, "slot=2.0", "slot=2.0", -EEXIST, 2, "another function at 02.0"},
	{NONE, SVF_TOPOLOGY_DEVICE, "at=0000:05:00.1", NULL, -EINVAL, 1, "without a function 0"},
	{NONE, SVF_TOPOLOGY_DEVICE, "at=0000:05:01.0", NULL, -EINVAL, 1, "there is only device 00"},
	{NONE, SVF_TOPOLOGY_DEVICE, "at=0001:05:00.0", NULL, -EINVAL, 1, "only domain 0000"},
	{NONE, SVF_TOPOLOGY_DEVICE, "slot=2.0 offset=256", NULL, -EINVAL, 0,
	 "plug it into a root port"},
	{NONE, SVF_TOPOLOGY_DEVICE, "acs=on pcie=off", NULL, -EINVAL, 1, "acs=on"},
	{NONE, SVF_TOPOLOGY_SWITCH_UPSTREAM, "", NULL, -EINVAL, 1,
	 "only behind a root or downstream port"},
	{NONE, SVF_TOPOLOGY_SWITCH_DOWNSTREAM, "", NULL, -EINVAL, 1,
	 "only below a switch upstream port"},
	{SVF_TOPOLOGY_ROOT_PORT, SVF_TOPOLOGY_ROOT_PORT, "", NULL, -EINVAL, 2,
	 "only on the root bus"},
	{SVF_TOPOLOGY_SWITCH_UPSTREAM, SVF_TOPOLOGY_PCI_BRIDGE, "", NULL, -EINVAL, 1,
	 "only behind a root or downstream port"},
	{SVF_TOPOLOGY_PCI_BRIDGE, SVF_TOPOLOGY_PCIE_PCI_BRIDGE, "", NULL, -EINVAL, 2,
	 "cannot stand here"},
	{SVF_TOPOLOGY_PCI_BRIDGE, SVF_TOPOLOGY_DEVICE, "pcie=on", NULL, -EINVAL, 2,
	 "conventional PCI bus"},
	{SVF_TOPOLOGY_ROOT_PORT, SVF_TOPOLOGY_DEVICE, "at=0000:05:00.0", "at=0000:06:00.1", -EINVAL,
	 3, "has number 05"},
	{SVF_TOPOLOGY_ROOT_PORT, SVF_TOPOLOGY_DEVICE, "at=0000:00:00.0", NULL, -EINVAL, 2,
	 "bus 00"},
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(refused); i++) {
		struct svf_topology_node *parent = NULL;

		test_topology_init(&t);
		if (refused[i].parent != NONE)
			parent = test_node(&t, NULL, refused[i].parent, "");
		test_node(&t, parent, refused[i].kind, refused[i].first);
		if (refused[i].second)
			test_node(&t, parent, refused[i].kind, refused[i].second);
		assert_int_equal(test_topology_refused(&t), refused[i].err);
		if (!strstr(t.error.text, refused[i].part) || t.error.line != refused[i].line)
			fail_msg("%zu: line %u: \"%s\"", i, t.error.line, t.error.text);
	}
}

static void test_numbers_that_do_not_fit(void **state)
{
	struct svf_topology_node *port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "");
	struct svf_topology_node *up =
		test_node(&t, port, SVF_TOPOLOGY_SWITCH_UPSTREAM, "at=0000:05:00.0");
	struct svf_topology_node *down = test_node(&t, up, SVF_TOPOLOGY_SWITCH_DOWNSTREAM, "");

	test_node(&t, down, SVF_TOPOLOGY_DEVICE, "at=0000:04:00.0");
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	assert_non_null(strstr(t.error.text, "do not fit"));
}

static void test_unknown_parameter(void **state)
{
	test_param(&t, "vfio_pci.nonsense", "1");
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	assert_non_null(strstr(t.error.text, "vfio_pci.enable_sriov"));
}

static void test_unknown_group_attach(void **state)
{
	test_param(&t, "softvfio.group_attach", "on");
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	assert_string_equal(t.error.text,
			    "softvfio.group_attach=on: neither shared nor per-device");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup(test, setup)
		T(test_devices_get_ports),
		T(test_functions_of_one_device),
		T(test_conventional_bus_is_one_group),
		T(test_switch),
		T(test_drivers_at_start),
		T(test_parameters),
		T(test_as_many_as_there_are_buses),
		T(test_refused),
		T(test_numbers_that_do_not_fit),
		T(test_unknown_parameter),
		T(test_unknown_group_attach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
