/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core/iommu/grouping.c and core/pci/quirks.c where the conformance case pci-groups does not reach:
 * devices that QEMU does not have, chains of aliases, port types that are rare.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "core/iommu/group.h"
#include "core/iommu/grouping.h"
#include "core/iommu/requester.h"
#include "core/pci/quirks.h"
#include "pci.h"
#include "port.h"

#define TYPE_ROOT_ENDPOINT   0x9u
#define TYPE_EVENT_COLLECTOR 0xau
#define TYPE_RESERVED	     0xfu

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

static void set_ids(struct svf_function *fn, uint16_t vendor, uint16_t device)
{
	svf_put_le16(fn->config, vendor);
	svf_put_le16(fn->config + 2, device);
}

/* Known to be isolated, by id and kind of function. */
static const struct {
	enum test_function_kind kind;
	uint16_t vendor, device;
	bool isolated;
} known[] = {
	{TEST_ENDPOINT, 0x8086, 0x10c8, false},	  {TEST_ENDPOINT, 0x8086, 0x10c9, true},
	{TEST_ENDPOINT, 0x8086, 0x10ca, false},	  {TEST_ENDPOINT, 0x8088, 0x010f, true},
	{TEST_ENDPOINT, 0x8088, 0x0110, false},	  {TEST_ROOT_PORT, 0x8086, 0x1c10, true},
	{TEST_DOWNSTREAM, 0x8086, 0x1c10, false}, {TEST_ENDPOINT, 0x8086, 0x1c10, false},
	{TEST_ROOT_PORT, 0x1d17, 0x0710, true},	  {TEST_DOWNSTREAM, 0x1d17, 0x0752, true},
	{TEST_ROOT_PORT, 0x1d17, 0x0753, false},  {TEST_ROOT_PORT, 0x1d17, 0x0722, false},
};

static void test_known_to_be_isolated(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);

	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(known); i++) {
		struct svf_function *fn = test_function(root, i, 0, known[i].kind, 0);

		set_ids(fn, known[i].vendor, known[i].device);
		if (svf_quirks_isolated(fn) != known[i].isolated)
			fail_msg("%04x:%04x", known[i].vendor, known[i].device);
	}
}

/* Which functions of its bus a function with the id does DMA as. */
static const struct {
	uint16_t vendor, device;
	unsigned int slot, function;
	uint8_t alias; /* 0: none */
	const char *message;
} aliases[] = {
	{0x1b4b, 0x9123, 1, 0, 0x09, "pci 0000:00:01.0: Enabling fixed DMA alias to 01.1"},
	{0x1b4b, 0x9123, 2, 1, 0, NULL},
	{0x1180, 0xe476, 3, 3, 0x18, "pci 0000:00:03.3: Enabling fixed DMA alias to 03.0"},
	{0x1180, 0xe476, 4, 0, 0, NULL},
	{0x8086, 0x2264, 5, 0, 0x93, "pci 0000:00:05.0: Enabling fixed DMA alias to 12.3"},
	{0x8086, 0x2954, 6, 0, 0xfc,
	 "pci 0000:00:06.0: Enabling fixed DMA alias for devfn range from 1f.0 to 1f.4"},
	{0x9005, 0x0285, 7, 0, 0, NULL},
};

static bool has_any_alias(const struct svf_function *fn)
{
	for (unsigned int devfn = 0; devfn < 256; devfn++)
		if (svf_function_has_dma_alias(fn, (uint8_t)devfn))
			return true;
	return false;
}

static void test_known_aliases(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);

	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(aliases); i++) {
		struct svf_function *fn =
			test_function(root, aliases[i].slot, aliases[i].function, TEST_ENDPOINT, 0);

		set_ids(fn, aliases[i].vendor, aliases[i].device);
		svf_quirks_add_dma_aliases(fn);
		assert_int_equal(has_any_alias(fn), aliases[i].alias != 0);
		if (!aliases[i].alias)
			continue;
		assert_true(svf_function_has_dma_alias(fn, aliases[i].alias));
		assert_true(test_log_has(aliases[i].message));
	}
}

/* Only two subsystems of Adaptec's controller. */
static void test_alias_of_a_subsystem(void **state)
{
	struct svf_function *fn =
		test_function(test_bus(*state, NULL, 0), 0xe, 0, TEST_PCI_DEVICE, 0);

	set_ids(fn, 0x9005, 0x0285);
	svf_put_le16(fn->config + 0x2c, 0x9005);
	svf_put_le16(fn->config + 0x2e, 0x02ba);
	svf_quirks_add_dma_aliases(fn);
	assert_false(svf_function_has_dma_alias(fn, 0x08));
	svf_put_le16(fn->config + 0x2e, 0x02bb);
	svf_quirks_add_dma_aliases(fn);
	assert_true(svf_function_has_dma_alias(fn, 0x08));
}

/*
 * a does DMA as b, too; b is not kept from c; c does DMA as d, too: whichever comes last finds the group
 * of the others, although those in between have none yet.
 */
static void test_chain(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);
	struct svf_function *a, *b, *c, *d;

	a = test_function(root, 5, 0, TEST_ENDPOINT, 0);
	d = test_function(root, 7, 0, TEST_ENDPOINT, 0);
	assert_ptr_not_equal(a->group, d->group);
	b = test_function(root, 6, 0, TEST_ENDPOINT, TEST_MULTIFUNCTION);
	c = test_function(root, 6, 1, TEST_ENDPOINT, TEST_MULTIFUNCTION);
	svf_iommu_group_remove_function(a);
	svf_iommu_group_remove_function(b);
	svf_iommu_group_remove_function(c);
	assert_null(svf_grouping_lookup(a));
	svf_function_add_dma_alias(a, b->bdf.devfn);
	assert_null(svf_grouping_lookup(a));
	svf_function_add_dma_alias(c, d->bdf.devfn);
	assert_ptr_equal(svf_grouping_lookup(a), d->group);
	/* And round in a circle. */
	svf_function_add_dma_alias(b, a->bdf.devfn);
	svf_function_add_dma_alias(d, b->bdf.devfn);
	assert_ptr_equal(svf_grouping_lookup(a), d->group);
	assert_ptr_equal(svf_grouping_lookup(b), d->group);
	assert_ptr_equal(svf_grouping_lookup(c), d->group);
}

/* An alias is of the same bus; a VF beyond the bus number of its PF has another. */
static void test_alias_of_another_bus(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);
	struct svf_function *rp = test_function(root, 1, 0, TEST_ROOT_PORT, TEST_ACS), *pf, *vf;
	struct svf_bus *bus = test_bus(*state, rp, 1);

	pf = test_function(bus, 0, 0, TEST_ENDPOINT, 0);
	svf_function_add_dma_alias(pf, svf_devfn(1, 0));
	vf = test_function(bus, 1, 0, TEST_VF, 0);
	assert_ptr_equal(vf->group, pf->group);
	svf_iommu_group_remove_function(vf);
	vf->bdf.bus = 2;
	assert_null(svf_grouping_lookup(vf));
}

/* Whether two functions of a device are grouped, the first being of a type. */
static bool grouped(struct svf_bus *bus, unsigned int device, uint8_t type, uint16_t vendor)
{
	struct svf_function *f0, *f1;
	bool ret;

	f0 = test_function(bus, device, 0, TEST_ENDPOINT, TEST_MULTIFUNCTION);
	f0->pcie_type = type;
	set_ids(f0, vendor, 0x4321);
	f1 = test_function(bus, device, 1, TEST_ENDPOINT, 0);
	ret = f0->group == f1->group;
	return ret;
}

/* An event collector never has ACS; a type that nobody knows counts as isolated. */
static void test_rare_types(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);

	assert_true(grouped(root, 1, TYPE_EVENT_COLLECTOR, 0));
	assert_false(grouped(root, 2, TYPE_RESERVED, 0));
	assert_true(grouped(root, 3, TYPE_ROOT_ENDPOINT, 0x1022));
	assert_false(grouped(root, 4, TYPE_ROOT_ENDPOINT, 0x8086));
}

/* A bridge that hides its Express capability speaks as function 0 of its bus, if it is known to. */
static void test_hidden_express(void **state)
{
	struct svf_bus *root = test_bus(*state, NULL, 0);
	struct svf_function *rp = test_function(root, 1, 0, TEST_ROOT_PORT, TEST_ACS), *bridge,
			    *leaf;
	struct svf_bdf id;

	bridge = test_function(test_bus(*state, rp, 1), 0, 0, TEST_PCI_BRIDGE, 0);
	leaf = test_function(test_bus(*state, bridge, 2), 4, 0, TEST_PCI_DEVICE, 0);
	id = svf_iommu_requester_id(leaf);
	assert_int_equal(svf_bdf_compare(id, bridge->bdf), 0);
	set_ids(bridge, 0x1b21, 0x1080);
	id = svf_iommu_requester_id(leaf);
	assert_int_equal(svf_bdf_compare(id, (struct svf_bdf){.bus = 2}), 0);
	rp->cap_exp = 0;
	assert_false(svf_quirks_hides_express(bridge));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_known_to_be_isolated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_known_aliases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alias_of_a_subsystem, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alias_of_another_bus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rare_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hidden_express, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
