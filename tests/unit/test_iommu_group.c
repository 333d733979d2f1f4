/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core/iommu/group.c: grouping against what a real Linux 7.3 made of the same topology, and
 * ownership.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/iommu/requester.h"
#include "core/pci/driver.h"
#include "pci.h"
#include "port.h"

static int setup(void **state)
{
	*state = test_machine();
	return 0;
}

static int teardown(void **state)
{
	test_pci_end(*state);
	test_machine_end(*state);
	return 0;
}

/*
 * A QEMU q35 with root ports that have ACS: an SR-IOV NIC and an NVMe with VFs in the slot of their
 * PF, a bridge to conventional PCI, and a two-function NIC without ACS; VFs made last.
 */
static void test_like_linux(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0), *bus1, *bus2, *bus3, *bus4, *bus5;
	struct svf_function *rp[4], *bridge, *fn[24] = {0};
	static const unsigned int want[] = {0, 1,  2,  3,  4,  5,  6,  7,  7,  7, 8,
					    9, 10, 10, 10, 11, 11, 12, 13, 14, 15};
	unsigned int n = 0;

	fn[n++] = test_function(root, 0, 0, TEST_PCI_DEVICE, 0);
	fn[n++] = test_function(root, 1, 0, TEST_PCI_DEVICE, 0);
	fn[n++] = rp[0] = test_function(root, 2, 0, TEST_ROOT_PORT, TEST_ACS);
	fn[n++] = rp[1] = test_function(root, 3, 0, TEST_ROOT_PORT, TEST_ACS);
	fn[n++] = rp[2] = test_function(root, 4, 0, TEST_ROOT_PORT, TEST_ACS);
	fn[n++] = test_function(root, 5, 0, TEST_PCI_DEVICE, 0);
	fn[n++] = rp[3] = test_function(root, 6, 0, TEST_ROOT_PORT, TEST_ACS);
	fn[n++] = test_function(root, 0x1f, 0, TEST_PCI_DEVICE, TEST_MULTIFUNCTION);
	fn[n++] = test_function(root, 0x1f, 2, TEST_PCI_DEVICE, 0);
	fn[n++] = test_function(root, 0x1f, 3, TEST_PCI_DEVICE, 0);
	bus1 = test_bus(*state, rp[0], 1);
	fn[n++] = test_function(bus1, 0, 0, TEST_ENDPOINT, 0);
	bus2 = test_bus(*state, rp[1], 2);
	fn[n++] = test_function(bus2, 0, 0, TEST_ENDPOINT, 0);
	bus3 = test_bus(*state, rp[2], 3);
	fn[n++] = bridge = test_function(bus3, 0, 0, TEST_PCIE_TO_PCI, 0);
	bus4 = test_bus(*state, bridge, 4);
	fn[n++] = test_function(bus4, 0, 0, TEST_PCI_DEVICE, 0);
	fn[n++] = test_function(bus4, 1, 0, TEST_PCI_DEVICE, 0);
	bus5 = test_bus(*state, rp[3], 5);
	fn[n++] = test_function(bus5, 0, 0, TEST_ENDPOINT, TEST_MULTIFUNCTION);
	fn[n++] = test_function(bus5, 0, 1, TEST_ENDPOINT, TEST_MULTIFUNCTION);
	fn[n++] = test_function(bus1, 0x10, 0, TEST_VF, 0);
	fn[n++] = test_function(bus1, 0x10, 2, TEST_VF, 0);
	fn[n++] = test_function(bus2, 0, 1, TEST_VF, 0);
	fn[n++] = test_function(bus2, 0, 2, TEST_VF, 0);
	assert_int_equal(n, SVF_ARRAY_SIZE(want));
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(fn[i]->group->id, want[i]);
	assert_true(test_log_has("pci 0000:01:10.2: Adding to iommu group 13"));
	assert_ptr_equal(svf_iommu_group_lookup(*state, 10), bridge->group);
	assert_null(svf_iommu_group_lookup(*state, 16));
}

/* A root port without ACS shares a group with all behind it; with ACS there but off, too. */
static void test_port_without_acs(void **state)
{
	static const unsigned int flags[] = {0, TEST_ACS_OFF};
	struct svf_bus *root = test_bus(*state, NULL, 0);

	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(flags); i++) {
		struct svf_function *port = test_function(root, i, 0, TEST_ROOT_PORT, flags[i]);
		struct svf_bus *bus = test_bus(*state, port, (uint8_t)(i + 1));

		assert_int_equal(port->group->id, i);
		assert_ptr_equal(test_function(bus, 0, 0, TEST_ENDPOINT, 0)->group, port->group);
		assert_ptr_equal(test_function(bus, 0x10, 0, TEST_VF, 0)->group, port->group);
	}
}

/* Controls that a port does not implement count as on. */
static void test_port_with_part_of_acs(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);
	struct svf_function *port = test_function(root, 0, 0, TEST_ROOT_PORT, TEST_ACS_PARTLY);
	struct svf_bus *bus = test_bus(*state, port, 1);

	assert_ptr_not_equal(test_function(bus, 0, 0, TEST_ENDPOINT, 0)->group, port->group);
}

/* One downstream port without ACS joins what is behind it; the other ports stay apart. */
static void test_switch(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0), *up, *down;
	struct svf_function *rp = test_function(root, 1, 0, TEST_ROOT_PORT, TEST_ACS), *upstream,
			    *isolated, *open, *behind;

	up = test_bus(*state, rp, 1);
	upstream = test_function(up, 0, 0, TEST_UPSTREAM, 0);
	down = test_bus(*state, upstream, 2);
	isolated = test_function(down, 0, 0, TEST_DOWNSTREAM, TEST_ACS);
	open = test_function(down, 1, 0, TEST_DOWNSTREAM, 0);
	behind = test_function(test_bus(*state, isolated, 3), 0, 0, TEST_ENDPOINT, 0);
	assert_ptr_not_equal(behind->group, isolated->group);
	behind = test_function(test_bus(*state, open, 4), 0, 0, TEST_ENDPOINT, 0);
	assert_ptr_equal(behind->group, open->group);
	assert_ptr_not_equal(open->group, isolated->group);
	assert_ptr_not_equal(open->group, upstream->group);
}

static void test_multifunction_with_acs(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);
	struct svf_function *rp = test_function(root, 1, 0, TEST_ROOT_PORT, TEST_ACS), *f0, *f1,
			    *f2;
	struct svf_bus *bus = test_bus(*state, rp, 1);

	f0 = test_function(bus, 0, 0, TEST_ENDPOINT, TEST_MULTIFUNCTION | TEST_ACS);
	f1 = test_function(bus, 0, 1, TEST_ENDPOINT, TEST_ACS);
	f2 = test_function(bus, 0, 2, TEST_ENDPOINT, 0);
	assert_ptr_not_equal(f0->group, f1->group);
	assert_ptr_not_equal(f0->group, f2->group);
	assert_ptr_equal(test_function(bus, 0, 3, TEST_ENDPOINT, TEST_ACS_OFF)->group, f2->group);
}

/* The address of DMA behind bridges to conventional PCI is that of the topmost. */
static void test_requester_id(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);
	struct svf_function *rp = test_function(root, 1, 0, TEST_ROOT_PORT, TEST_ACS), *bridge,
			    *inner, *leaf;
	struct svf_bdf id;

	bridge = test_function(test_bus(*state, rp, 1), 0, 0, TEST_PCIE_TO_PCI, 0);
	inner = test_function(test_bus(*state, bridge, 2), 3, 0, TEST_PCI_BRIDGE, 0);
	leaf = test_function(test_bus(*state, inner, 3), 4, 1, TEST_PCI_DEVICE, 0);
	id = svf_iommu_requester_id(leaf);
	assert_int_equal(svf_bdf_compare(id, (struct svf_bdf){.bus = 2}), 0);
	id = svf_iommu_requester_id(bridge);
	assert_int_equal(svf_bdf_compare(id, bridge->bdf), 0);
	assert_ptr_equal(leaf->group, bridge->group);
}

/* VFs that come back are in groups of the same numbers. */
static void test_ids_are_reused(void **state)
{
	struct svf_machine *machine = *state;
	struct svf_bus *root = test_bus(machine, NULL, 0);
	struct svf_function *a = test_function(root, 1, 0, TEST_PCI_DEVICE, 0);
	struct svf_function *b = test_function(root, 2, 0, TEST_PCI_DEVICE, 0);

	assert_int_equal(a->group->id, 0);
	svf_iommu_group_remove_function(a);
	assert_true(test_log_has("pci 0000:00:01.0: Removing from iommu group 0"));
	assert_null(svf_iommu_group_lookup(*state, 0));
	assert_int_equal(b->group->id, 1);
	assert_int_equal(test_function(root, 3, 0, TEST_PCI_DEVICE, 0)->group->id, 0);
	assert_int_equal(test_function(root, 4, 0, TEST_PCI_DEVICE, 0)->group->id, 2);
	assert_int_equal(svf_list_first(&machine->groups, struct svf_iommu_group, link)->id, 0);
}

static void test_ownership(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);
	struct svf_function *fn = test_function(root, 1, 0, TEST_PCI_DEVICE, TEST_MULTIFUNCTION);
	struct svf_function *other = test_function(root, 1, 1, TEST_PCI_DEVICE, 0);
	struct svf_driver native = {.name = "e1000e"};
	struct svf_iommu_group *group = fn->group;
	struct svf_call call = test_call(*state);
	int user, stranger;

	assert_ptr_equal(other->group, group);
	assert_int_equal(svf_iommu_group_claim(group, &call, &user), 0);
	assert_int_equal(svf_iommu_group_claim(group, &call, &user), 0);
	assert_true(svf_iommu_group_claimable(group, &user));
	assert_false(svf_iommu_group_claimable(group, &stranger));
	assert_int_equal(svf_iommu_group_claim(group, &call, &stranger), -EBUSY);
	assert_non_null(strstr(call.reason, "IOMMU group 0 is already owned by another VFIO user"));
	assert_int_equal(svf_iommu_group_use_kernel_dma(group, &call), -EBUSY);
	assert_non_null(strstr(call.reason, "owned by a VFIO user"));
	svf_iommu_group_release(group);
	assert_int_equal(svf_iommu_group_claim(group, &call, &stranger), -EBUSY);
	svf_iommu_group_release(group);
	assert_int_equal(svf_iommu_group_use_kernel_dma(group, &call), 0);
	assert_int_equal(svf_iommu_group_use_kernel_dma(group, &call), 0);
	other->driver = &native;
	assert_int_equal(svf_iommu_group_claim(group, &call, &user), -EBUSY);
	assert_non_null(
		strstr(call.reason, "not viable: 0000:00:01.1 is bound to e1000e; unbind it"));
	assert_false(svf_iommu_group_claimable(group, NULL));
	svf_iommu_group_unuse_kernel_dma(group);
	assert_false(svf_iommu_group_claimable(group, &user));
	svf_iommu_group_unuse_kernel_dma(group);
	other->driver = NULL;
	assert_int_equal(svf_iommu_group_claim(group, &call, &stranger), 0);
	svf_iommu_group_release(group);
}

static void test_space(void **state)
{
	struct svf_function *fn =
		test_function(test_bus(*state, NULL, 0), 1, 0, TEST_PCI_DEVICE, 0);
	struct svf_iova_space a, b;

	svf_iova_space_init(&a, *state);
	svf_iova_space_init(&b, *state);
	svf_iommu_group_set_space(fn->group, &a);
	svf_iommu_group_set_space(fn->group, &a);
	assert_int_equal(a.attached, 1);
	svf_iommu_group_set_space(fn->group, &b);
	assert_int_equal(a.attached, 0);
	assert_int_equal(b.attached, 1);
	svf_iommu_group_set_space(fn->group, NULL);
	assert_int_equal(b.attached, 0);
	svf_iova_space_fini(&a);
	svf_iova_space_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_like_linux, setup, teardown),
		cmocka_unit_test_setup_teardown(test_port_without_acs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_port_with_part_of_acs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_switch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_multifunction_with_acs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_requester_id, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids_are_reused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ownership, setup, teardown),
		cmocka_unit_test_setup_teardown(test_space, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
