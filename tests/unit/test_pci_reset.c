/* SPDX-License-Identifier: BSD-3-Clause */
/* Ways to reset, what a reset through the kernel keeps, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "core/pci/bus.h"
#include "core/pci/reset.h"
#include "topo_fixture.h"

#define DEVICE "0000:01:00.0"

static struct svf_machine *machine;
static struct svf_function *fn;
static struct svf_call call;

static void build(const char *words)
{
	machine = test_device_machine(words);
	fn = test_at(machine, DEVICE);
	call = test_call(machine);
}

static void test_methods(void **state)
{
	static const struct {
		const char *words;
		unsigned int methods;
	} cases[] = {
		{"at=" DEVICE, SVF_RESET_FLR | SVF_RESET_BUS},
		{"at=" DEVICE " flr=off", SVF_RESET_BUS},
		{"at=" DEVICE " pcie=off", SVF_RESET_AF_FLR | SVF_RESET_BUS},
		{"at=" DEVICE " pcie=off flr=off pm=off", SVF_RESET_BUS},
	};

	for (size_t i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		build(cases[i].words);
		assert_int_equal(fn->reset_methods, cases[i].methods);
		assert_true(svf_function_can_reset(fn));
		assert_int_equal(svf_function_reset(fn, &call), 0);
		test_machine_end(machine);
	}
}

static void test_no_method(void **state)
{
	struct test_topology t;

	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "slot=5.0 flr=off");
	machine = test_topology_machine(&t);
	fn = test_at(machine, "0000:00:05.0");
	call = test_call(machine);
	assert_int_equal(fn->reset_methods, 0);
	assert_false(svf_function_can_reset(fn));
	assert_int_equal(svf_function_reset(fn, &call), -ENOTTY);
	assert_non_null(strstr(call.reason, "no FLR"));
	test_machine_end(machine);
}

static void test_bus_method_of_the_first_of_two(void **state)
{
	struct svf_function *second;
	struct test_topology t;

	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" DEVICE " flr=off");
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=0000:01:00.1 flr=off");
	machine = test_topology_machine(&t);
	fn = test_at(machine, DEVICE);
	second = test_at(machine, "0000:01:00.1");
	/* Found while it was alone, and useless now; the kernel shows it all the same. */
	assert_int_equal(fn->reset_methods, SVF_RESET_BUS);
	assert_int_equal(second->reset_methods, 0);
	assert_int_equal(svf_function_reset(fn, &call), -ENOTTY);
	test_machine_end(machine);
}

static void test_what_is_kept(void **state)
{
	unsigned int devctl, pmcsr, msi;
	uint8_t before[SVF_PCIE_CONFIG_SIZE];

	build("at=" DEVICE " bar3=32:io");
	devctl = fn->cap_exp + PCI_EXP_DEVCTL;
	pmcsr = fn->cap_pm + PCI_PM_CTRL;
	msi = fn->cap_msi + PCI_MSI_ADDRESS_LO;
	svf_config_write(fn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	svf_config_write(fn, devctl, 2, 0x283f);
	svf_config_write(fn, msi, 4, 0xfee00000);
	memcpy(before, fn->config, sizeof(before));
	svf_config_write(fn, pmcsr, 2, PCI_PM_CTRL_PME_ENABLE);
	memset(fn->bars[0].ram->base, 0x55, 4096);
	svf_bar_write(fn, 3, 4, "abcd", 4);

	assert_int_equal(svf_function_reset(fn, &call), 0);
	/* All but PMCSR is as it was; contents are not. */
	assert_memory_equal(fn->config, before, sizeof(before));
	assert_int_equal(fn->bars[0].ram->base[4095], 0);
	svf_bar_read(fn, 3, 4, before, 4);
	assert_memory_equal(before, "\0\0\0\0", 4);
	test_machine_end(machine);
}

static void test_hardware_keeps_nothing(void **state)
{
	build("at=" DEVICE);
	svf_config_write(fn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	svf_function_hw_reset(fn);
	assert_int_equal(svf_config_read(fn, PCI_COMMAND, 2), 0);
	assert_int_equal(svf_config_read(fn, PCI_BASE_ADDRESS_0, 4), 0xc);
	assert_int_equal(svf_config_read(fn, fn->sriov.cap + PCI_SRIOV_BAR, 4), 0xc);
	/* Identity and capabilities are not state. */
	assert_int_equal(svf_function_vendor(fn), 0x1b36);
	assert_int_equal(svf_config_find_cap(fn, PCI_CAP_ID_EXP), fn->cap_exp);
	test_machine_end(machine);
}

static void test_vfs_live_on_when_their_pf_is_reset(void **state)
{
	struct svf_function *vf;

	build("at=" DEVICE " vfs=2");
	vf = test_at(machine, "0000:01:10.2");
	memset(vf->bars[0].ram->base, 0x55, 16);
	assert_int_equal(svf_function_reset(fn, &call), 0);
	assert_true(svf_function_memory_enabled(vf));
	assert_int_equal(svf_config_read(fn, fn->sriov.cap + PCI_SRIOV_NUM_VF, 2), 2);
	assert_int_equal(vf->bars[0].ram->base[0], 0);
	/* A VF is reset by itself, and only it. */
	memset(fn->bars[0].ram->base, 0x55, 16);
	assert_int_equal(svf_function_reset(vf, &call), 0);
	assert_int_equal(fn->bars[0].ram->base[0], 0x55);
	test_machine_end(machine);
}

static void test_secondary_bus_reset(void **state)
{
	struct svf_function *port;
	uint32_t control;

	build("at=" DEVICE);
	port = fn->bus->bridge;
	svf_config_write(fn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	svf_bus_reset(fn->bus);
	assert_int_equal(svf_config_read(fn, PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
	/* By setpci on the port, without the kernel around it. */
	control = svf_config_read(port, PCI_BRIDGE_CONTROL, 2);
	svf_config_write(port, PCI_BRIDGE_CONTROL, 2, control | PCI_BRIDGE_CTL_BUS_RESET);
	assert_int_equal(svf_config_read(fn, PCI_COMMAND, 2), 0);
	test_machine_end(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_no_method),
		cmocka_unit_test(test_bus_method_of_the_first_of_two),
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_hardware_keeps_nothing),
		cmocka_unit_test(test_vfs_live_on_when_their_pf_is_reset),
		cmocka_unit_test(test_secondary_bus_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
