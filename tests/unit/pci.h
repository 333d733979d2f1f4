/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buses and functions put together by hand, for tests of what depends on topology but not on how
 * it came about. A function has no BARs and no model; its config space holds the header type and an
 * ACS capability. They are the test's: test_pci_end() takes all of them out of the machine again,
 * groups included.
 */
#ifndef SVF_TESTS_UNIT_PCI_H
#define SVF_TESTS_UNIT_PCI_H

#include <stdint.h>

#include "core/machine.h"
#include "core/pci/bus.h"
#include "core/pci/function.h"

enum test_function_kind {
	TEST_PCI_DEVICE, /* conventional */
	TEST_PCI_BRIDGE, /* conventional */
	TEST_ENDPOINT,
	TEST_ROOT_PORT,
	TEST_UPSTREAM,
	TEST_DOWNSTREAM,
	TEST_PCIE_TO_PCI,
	TEST_VF, /* of the last endpoint added */
};

#define TEST_MULTIFUNCTION (1u << 0) /* in the header type */
#define TEST_ACS	   (1u << 1) /* SV, RR, CR and UF there and on */
#define TEST_ACS_OFF	   (1u << 2) /* there, all off */
#define TEST_ACS_PARTLY	   (1u << 3) /* only SV there and on */

/* bridge NULL: a root bus. */
struct svf_bus *test_bus(struct svf_machine *machine, struct svf_function *bridge, uint8_t number);
/* In its group already; bus mastering on. */
struct svf_function *test_function(struct svf_bus *bus, unsigned int device, unsigned int function,
				   enum test_function_kind kind, unsigned int flags);
void test_pci_end(struct svf_machine *machine);

#endif
