/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core/iommu/requester.c: who shares an attachment with whom, in both models, while functions come
 * and go; and what a container does to all of a group.
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
#include "pci.h"
#include "port.h"

static int setup(void **state)
{
	struct svf_machine *machine = test_machine();

	machine->params.per_device = true;
	*state = machine;
	return 0;
}

static int teardown(void **state)
{
	test_pci_end(*state);
	test_machine_end(*state);
	return 0;
}

/* A port without ACS, and a bus behind it whose functions are all in its group. */
static struct svf_bus *one_group(struct svf_machine *machine)
{
	struct svf_bus *root = test_bus(machine, NULL, 0);

	return test_bus(machine, test_function(root, 1, 0, TEST_ROOT_PORT, 0), 1);
}

/* The function again, with an alias: as a rescan finds it. */
static int rejoin(struct svf_function *fn, unsigned int device)
{
	svf_iommu_group_remove_function(fn);
	if (device)
		svf_function_add_dma_alias(fn, svf_devfn(device, 0));
	return svf_iommu_group_add_function(fn);
}

static void test_shared(void **state)
{
	struct svf_machine *machine = *state;
	struct svf_function *a, *b;
	char text[SVF_REQUESTER_TEXT_SIZE];
	struct svf_bus *bus;

	machine->params.per_device = false;
	bus = one_group(machine);
	a = test_function(bus, 0, 0, TEST_ENDPOINT, 0);
	b = test_function(bus, 1, 0, TEST_ENDPOINT, 0);
	assert_ptr_equal(a->group, b->group);
	assert_ptr_equal(a->requester, b->requester);
	/* The port is in it too. */
	assert_int_equal(a->requester->functions, 3);
	assert_string_equal(svf_requester_sharing(a, text, sizeof(text)),
			    "IOMMU group 0 has one attachment for all its devices");
}

static void test_own_ids(void **state)
{
	struct svf_bus *bus = one_group(*state);
	struct svf_function *a = test_function(bus, 0, 0, TEST_ENDPOINT, TEST_MULTIFUNCTION);
	struct svf_function *b = test_function(bus, 0, 1, TEST_ENDPOINT, TEST_MULTIFUNCTION);

	assert_ptr_equal(a->group, b->group);
	assert_ptr_not_equal(a->requester, b->requester);
	assert_ptr_equal(a->requester->group, a->group);
	assert_int_equal(a->requester->functions, 1);
}

static void test_bridge_to_conventional(void **state)
{
	struct svf_bus *bus = one_group(*state), *behind, *deeper;
	struct svf_function *bridge = test_function(bus, 0, 0, TEST_PCIE_TO_PCI, 0), *pci, *a, *b;
	char text[SVF_REQUESTER_TEXT_SIZE];

	behind = test_bus(*state, bridge, 2);
	a = test_function(behind, 0, 0, TEST_PCI_DEVICE, 0);
	b = test_function(behind, 1, 0, TEST_PCI_DEVICE, 0);
	pci = test_function(behind, 2, 0, TEST_PCI_BRIDGE, 0);
	deeper = test_bus(*state, pci, 3);
	assert_ptr_equal(a->requester, b->requester);
	assert_ptr_equal(a->requester, pci->requester);
	assert_ptr_equal(a->requester, test_function(deeper, 4, 0, TEST_PCI_DEVICE, 0)->requester);
	/* The bridge itself is no conventional device. */
	assert_ptr_equal(bridge->group, a->group);
	assert_ptr_not_equal(bridge->requester, a->requester);
	assert_string_equal(svf_requester_sharing(a, text, sizeof(text)),
			    "DMA of 0000:02:00.0 and of 0000:03:04.0 arrives under one requester "
			    "id, 0000:02:00.0, of the bridge 0000:01:00.0");
}

static void test_aliases(void **state)
{
	struct svf_bus *bus = one_group(*state);
	struct svf_function *a = test_function(bus, 0, 0, TEST_ENDPOINT, 0);
	struct svf_function *b = test_function(bus, 1, 0, TEST_ENDPOINT, 0);
	struct svf_function *c = test_function(bus, 2, 0, TEST_ENDPOINT, 0);
	char text[SVF_REQUESTER_TEXT_SIZE];

	assert_int_equal(rejoin(b, 0), 0);
	assert_ptr_not_equal(a->requester, b->requester);
	assert_int_equal(rejoin(b, 0x1e), 0);
	assert_ptr_not_equal(a->requester, b->requester);
	/* An id that no function has is shared all the same. */
	assert_int_equal(rejoin(c, 0x1e), 0);
	assert_ptr_equal(b->requester, c->requester);
	assert_string_equal(svf_requester_sharing(c, text, sizeof(text)),
			    "DMA of 0000:01:02.0 and of 0000:01:01.0 arrives under a common "
			    "requester id: they are DMA aliases");
	/* One that has both of them makes three one. */
	assert_int_equal(rejoin(a, 1), 0);
	assert_ptr_equal(a->requester, c->requester);
	assert_int_equal(a->requester->functions, 3);
	/* And it stays known while it is away. */
	svf_iommu_group_remove_function(a);
	assert_ptr_equal(b->requester, c->requester);
	assert_int_equal(svf_iommu_group_add_function(a), 0);
	assert_ptr_equal(a->requester, c->requester);
}

/* What attaches one of two does not let the other in; what attaches both keeps their alias out. */
static void test_merge_of_users(void **state)
{
	struct svf_bus *bus = one_group(*state);
	struct svf_function *a = test_function(bus, 0, 0, TEST_ENDPOINT, 0);
	struct svf_function *b = test_function(bus, 1, 0, TEST_ENDPOINT, 0);
	struct svf_function *c = test_function(bus, 2, 0, TEST_ENDPOINT, 0);
	struct svf_requester *of_a = a->requester, *of_b = b->requester;
	struct svf_iova_space space;

	svf_iova_space_init(&space, *state);
	of_a->users = of_b->users = 1;
	svf_requester_set_space(of_b, &space);
	assert_int_equal(rejoin(c, 0), 0);
	svf_function_add_dma_alias(c, svf_devfn(0, 0));
	assert_int_equal(rejoin(c, 1), -EBUSY);
	assert_null(c->group);
	assert_null(c->requester);
	of_a->users = 0;
	assert_int_equal(svf_iommu_group_add_function(c), 0);
	assert_ptr_equal(c->requester, of_b);
	assert_ptr_equal(a->requester, of_b);
	assert_int_equal(of_b->functions, 3);
	assert_ptr_equal(of_b->space, &space);
	assert_int_equal(space.attached, 1);
	svf_requester_set_space(of_b, NULL);
	of_b->users = 0;
	svf_iova_space_fini(&space);
}

static void test_of_a_container(void **state)
{
	struct svf_bus *bus = one_group(*state);
	struct svf_function *a = test_function(bus, 0, 0, TEST_ENDPOINT, 0), *b;
	struct svf_iova_space space;

	svf_iova_space_init(&space, *state);
	svf_iommu_group_set_space(a->group, &space);
	assert_ptr_equal(a->requester->space, &space);
	/* The port has one too, and who comes later. */
	assert_int_equal(space.attached, 2);
	b = test_function(bus, 1, 0, TEST_ENDPOINT, 0);
	assert_ptr_not_equal(a->requester, b->requester);
	assert_ptr_equal(b->requester->space, &space);
	assert_int_equal(space.attached, 3);
	svf_iommu_group_remove_function(b);
	assert_int_equal(space.attached, 2);
	svf_iommu_group_set_space(a->group, NULL);
	assert_null(a->requester->space);
	assert_int_equal(space.attached, 0);
	assert_int_equal(svf_iommu_group_add_function(b), 0);
	assert_null(b->requester->space);
	svf_iova_space_fini(&space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bridge_to_conventional, setup, teardown),
		cmocka_unit_test_setup_teardown(test_aliases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merge_of_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_a_container, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
