/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of BARs and windows of bridges: nothing overlaps, and each bridge forwards what is
 * behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pci/bars.h"
#include "core/pci/bus.h"
#include "topo_fixture.h"

static bool overlap(const struct svf_resource *a, const struct svf_resource *b)
{
	/* Ports and memory are different spaces: flag bit 8 says which. */
	return (a->flags & 0x100) == (b->flags & 0x100) && a->first <= b->last &&
	       b->first <= a->last;
}

/* Resources of functions that are no VFs, whose BARs lie in those of their PF. */
static void check_disjoint(struct svf_machine *machine)
{
	struct svf_resource seen[256];
	unsigned int count = 0;
	struct svf_function *fn;

	svf_list_for_each(fn, &machine->functions, machine_link) {
		for (unsigned int i = 0; i < 13 && !fn->physfn; i++) {
			if (!svf_function_resource(fn, i, &seen[count]))
				continue;
			for (unsigned int j = 0; j < count; j++)
				assert_false(overlap(&seen[j], &seen[count]));
			assert_true(++count < 256);
		}
	}
	assert_true(count > 4);
}

/*
 * Which window of a bridge a resource goes through: 13 ports, 14 memory, 15 prefetchable above 4
 * GiB.
 */
static unsigned int window_of(const struct svf_resource *r)
{
	if (r->flags & 0x100)
		return 13;
	return (r->flags & 0x102000) == 0x102000 ? 15 : 14;
}

static void check_windows(struct svf_machine *machine)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &machine->functions, machine_link) {
		struct svf_resource r, w;

		for (unsigned int i = 0; i < 13; i++) {
			const struct svf_function *bridge = fn->bus->bridge;

			if (!svf_function_resource(fn, i, &r))
				continue;
			for (; bridge; bridge = bridge->bus->bridge) {
				assert_true(svf_function_resource(bridge, window_of(&r), &w));
				assert_in_range(r.first, w.first, w.last);
				assert_in_range(r.last, w.first, w.last);
			}
		}
	}
}

static void test_tree(void **state)
{
	struct svf_topology_node *port, *up, *down, *bridge;
	struct svf_machine *machine;
	struct test_topology t;

	test_topology_init(&t);
	port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "");
	up = test_node(&t, port, SVF_TOPOLOGY_SWITCH_UPSTREAM, "");
	for (int i = 0; i < 3; i++) {
		down = test_node(&t, up, SVF_TOPOLOGY_SWITCH_DOWNSTREAM, "");
		test_node(&t, down, SVF_TOPOLOGY_DEVICE,
			  "bar0=16M:64:pref bar2=64:io bar3=128 bar4=4M:64 msix=0");
		test_node(&t, down, SVF_TOPOLOGY_DEVICE, "bar0=8M:32:pref totalvfs=64");
	}
	bridge = test_node(&t, NULL, SVF_TOPOLOGY_PCI_BRIDGE, "");
	bridge = test_node(&t, bridge, SVF_TOPOLOGY_PCI_BRIDGE, "");
	test_node(&t, bridge, SVF_TOPOLOGY_DEVICE, "bar5=256:io");
	test_node(&t, bridge, SVF_TOPOLOGY_DEVICE, "");
	machine = test_topology_machine(&t);
	check_disjoint(machine);
	check_windows(machine);
	test_machine_end(machine);
}

static void test_registers_hold_addresses(void **state)
{
	struct svf_machine *machine = test_device_machine("at=0000:01:00.0 bar2=64:io");
	struct svf_function *fn = test_at(machine, "0000:01:00.0");
	struct svf_function *port = fn->bus->bridge;
	struct svf_resource w;

	assert_int_equal(svf_get_le64(fn->config + PCI_BASE_ADDRESS_0), fn->bars[0].address | 0xc);
	assert_int_equal(svf_get_le32(fn->config + PCI_BASE_ADDRESS_2), fn->bars[2].address | 1);
	assert_true(svf_function_resource(port, 15, &w));
	assert_int_equal(svf_get_le16(port->config + PCI_PREF_MEMORY_BASE),
			 (w.first >> 16 & 0xfff0) | 1);
	assert_int_equal(svf_get_le32(port->config + PCI_PREF_BASE_UPPER32), w.first >> 32);
	assert_int_equal(w.flags, 0x102201);
	test_machine_end(machine);
}

static void test_flags_are_those_of_sysfs(void **state)
{
	struct svf_machine *machine = test_device_machine(
		"at=0000:01:00.0 bar0=4K:64:pref bar2=4K bar3=32:io bar4=4K:64 msixbar=2 msix=1");
	struct svf_function *fn = test_at(machine, "0000:01:00.0");
	static const uint64_t flags[] = {0x14220c, 0, 0x40200, 0x40101, 0x140204, 0};
	struct svf_resource r;

	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(svf_function_resource(fn, i, &r), flags[i] != 0);
		if (flags[i])
			assert_int_equal(r.flags, flags[i]);
	}
	assert_false(svf_function_resource(fn, 6, &r));
	assert_true(svf_function_resource(fn, 7, &r));
	assert_int_equal(r.last - r.first + 1, 8 * 65536);
	test_machine_end(machine);
}

static void test_small_bars_have_pages_of_their_own(void **state)
{
	struct svf_machine *machine =
		test_device_machine("at=0000:01:00.0 bar0=16 bar1=16 bar2=512");
	struct svf_function *fn = test_at(machine, "0000:01:00.0");

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(fn->bars[i].address % 4096, 0);
	assert_int_not_equal(fn->bars[0].address, fn->bars[1].address);
	test_machine_end(machine);
}

static void test_no_room(void **state)
{
	struct test_topology t;

	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "bar0=512M");
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "bar0=512M");
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	assert_non_null(strstr(t.error.text, "below 4 GiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_registers_hold_addresses),
		cmocka_unit_test(test_flags_are_those_of_sysfs),
		cmocka_unit_test(test_small_bars_have_pages_of_their_own),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
