/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Binding and unbinding through sysfs: who matches whom, and each refusal with its errno and its
 * reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "core/iommu/group.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "topo_fixture.h"

#define IGB   "0000:01:00.0"
#define PLAIN "0000:02:00.0"

static struct svf_machine *machine;
static struct svf_function *igb, *plain;
static struct svf_call call;

static int setup(void **state)
{
	struct test_topology t;

	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE,
		  "at=" IGB " driver=igb vendor=8086 device=10c9 class=020000");
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE,
		  "at=" PLAIN " driver=none vendor=1234 device=5678");
	machine = test_topology_machine(&t);
	igb = test_at(machine, IGB);
	plain = test_at(machine, PLAIN);
	call = test_call(machine);
	return 0;
}

static int teardown(void **state)
{
	test_machine_end(machine);
	return 0;
}

static struct svf_driver *driver(const char *name)
{
	struct svf_driver *d = svf_driver_lookup(machine, name);

	assert_non_null(d);
	return d;
}

static const char *bound(const struct svf_function *fn)
{
	return fn->driver ? fn->driver->name : "";
}

/* The store gave err, and its reason says part. */
#define assert_refused(store, err, part)                                                           \
	do {                                                                                       \
		call = test_call(machine);                                                         \
		assert_int_equal(store, -(err));                                                   \
		if (!strstr(call.reason, part))                                                    \
			fail_msg("reason is \"%s\"", call.reason);                                 \
	} while (0)

static void test_start(void **state)
{
	assert_string_equal(bound(igb), "igb");
	assert_null(igb->driver_override);
	assert_string_equal(bound(plain), "");
	/* The port made for it, by class. */
	assert_string_equal(bound(igb->bus->bridge), "pcieport");
	assert_int_equal(igb->group->owner_count, 1);
}

static void test_bind_and_unbind(void **state)
{
	assert_int_equal(svf_driver_unbind(driver("igb"), &call, IGB "\n"), 0);
	assert_string_equal(bound(igb), "");
	assert_int_equal(igb->group->owner_count, 0);
	assert_int_equal(svf_driver_bind(driver("igb"), &call, IGB), 0);
	assert_string_equal(bound(igb), "igb");
	assert_int_equal(igb->group->owner_count, 1);
}

static void test_bind_refused(void **state)
{
	assert_refused(svf_driver_bind(driver("igb"), &call, "0000:09:00.0"), ENODEV,
		       "no PCI function");
	assert_refused(svf_driver_bind(driver("igb"), &call, "01:00.0"), ENODEV, "full address");
	assert_refused(svf_driver_bind(driver("igb"), &call, IGB "\n\n"), ENODEV,
		       "no PCI function");
	assert_refused(svf_driver_bind(driver("igb"), &call, ""), ENODEV, "no PCI function");
	assert_refused(svf_driver_bind(driver("igb"), &call, PLAIN), ENODEV,
		       "has no id for 1234:5678");
	assert_refused(svf_driver_bind(driver("vfio-pci"), &call, PLAIN), ENODEV,
		       "driver_override");
	assert_refused(svf_driver_bind(driver("igb"), &call, IGB), EBUSY, "bound to igb");
	assert_refused(svf_driver_unbind(driver("e1000e"), &call, IGB), ENODEV,
		       "bound to igb, not to e1000e");
	assert_refused(svf_driver_unbind(driver("igb"), &call, PLAIN), ENODEV, "no driver");
}

static void test_override(void **state)
{
	assert_int_equal(svf_function_set_driver_override(plain, &call, "vfio-pci\n"), 0);
	assert_string_equal(plain->driver_override, "vfio-pci");
	assert_refused(svf_driver_bind(driver("pci-stub"), &call, PLAIN), ENODEV,
		       "is vfio-pci, not pci-stub");
	assert_int_equal(svf_drivers_probe(machine, &call, PLAIN), 0);
	assert_string_equal(bound(plain), "vfio-pci");
	assert_non_null(plain->device);
	assert_int_equal(svf_driver_unbind(driver("vfio-pci"), &call, PLAIN), 0);
	assert_null(plain->device);
	assert_int_equal(svf_function_set_driver_override(plain, &call, "\n"), 0);
	assert_null(plain->driver_override);
	/* An override keeps a driver off whose id fits. */
	assert_int_equal(svf_driver_unbind(driver("igb"), &call, IGB), 0);
	assert_int_equal(svf_function_set_driver_override(igb, &call, "none"), 0);
	assert_refused(svf_driver_bind(driver("igb"), &call, IGB), ENODEV, "is none, not igb");
	assert_int_equal(svf_drivers_probe(machine, &call, IGB), 0);
	assert_string_equal(bound(igb), "");
}

static void test_override_of_a_page(void **state)
{
	static char text[SVF_DRIVER_OVERRIDE_SIZE + 1];

	memset(text, 'x', sizeof(text) - 1);
	text[SVF_DRIVER_OVERRIDE_SIZE - 1] = '\0';
	assert_refused(svf_function_set_driver_override(plain, &call, text), EINVAL,
		       "4095 characters");
	assert_null(plain->driver_override);
	text[SVF_DRIVER_OVERRIDE_SIZE - 2] = '\0';
	assert_int_equal(svf_function_set_driver_override(plain, &call, text), 0);
	assert_int_equal(strlen(plain->driver_override), 4094);
}

static void test_new_id(void **state)
{
	struct svf_driver *stub = driver("pci-stub");

	assert_refused(svf_driver_new_id(stub, &call, "1234"), EINVAL, "vendor and device");
	assert_refused(svf_driver_new_id(stub, &call, "hello 5678"), EINVAL, "vendor and device");
	assert_refused(svf_driver_new_id(driver("igb"), &call, "8086 10c9"), EEXIST, "static ids");
	assert_refused(svf_driver_new_id(driver("igb"), &call, "8086 1 2 3 0 0 5"), EINVAL,
		       "driver_data 0x5");
	assert_int_equal(svf_driver_new_id(stub, &call, "1234 5678\n"), 0);
	assert_string_equal(bound(plain), "pci-stub");
	assert_true(test_log_has("pci-stub " PLAIN ": claimed by stub"));
	assert_refused(svf_driver_new_id(stub, &call, "1234 5678"), EEXIST, "before");
	/* With driver_data nobody looks whether it is there. */
	assert_int_equal(svf_driver_new_id(stub, &call, "1234 5678 ffffffff ffffffff 0 0 7"), 0);
}

static void test_remove_id(void **state)
{
	struct svf_driver *stub = driver("pci-stub");

	assert_int_equal(svf_driver_new_id(stub, &call, "1234 5678"), 0);
	assert_refused(svf_driver_remove_id(stub, &call, "1234"), EINVAL, "vendor and device");
	assert_refused(svf_driver_remove_id(stub, &call, "1234 5679"), ENODEV,
		       "given no id 1234:5679");
	assert_int_equal(svf_driver_remove_id(stub, &call, "1234 5678"), 0);
	assert_refused(svf_driver_remove_id(stub, &call, "1234 5678"), ENODEV, "given no id");
	/* A static id is not to be taken away, and the function stays bound. */
	assert_refused(svf_driver_remove_id(driver("igb"), &call, "8086 10c9"), ENODEV,
		       "given no id");
	assert_string_equal(bound(plain), "pci-stub");
}

static void test_vfio_takes_new_id_without_override(void **state)
{
	assert_int_equal(svf_driver_new_id(driver("vfio-pci"), &call, "1234 5678"), 0);
	assert_string_equal(bound(plain), "vfio-pci");
}

static void test_native_driver_in_a_group_of_a_user(void **state)
{
	int owner;

	assert_int_equal(svf_driver_unbind(driver("igb"), &call, IGB), 0);
	assert_int_equal(svf_iommu_group_claim(igb->group, &call, &owner), 0);
	assert_refused(svf_driver_bind(driver("igb"), &call, IGB), EBUSY, "");
	/* drivers_probe has one errno for everything. */
	assert_refused(svf_drivers_probe(machine, &call, IGB), EINVAL, "");
	assert_string_equal(bound(igb), "");
	/* One that leaves DMA alone may bind. */
	assert_int_equal(svf_function_set_driver_override(igb, &call, "pci-stub"), 0);
	assert_int_equal(svf_driver_bind(driver("pci-stub"), &call, IGB), 0);
	svf_iommu_group_release(igb->group);
}

static void test_probe_that_refuses(void **state)
{
	/* The host bridge is no port, whatever somebody overrides. */
	struct svf_function *host = test_at(machine, "0000:00:00.0");

	assert_int_equal(svf_function_set_driver_override(host, &call, "pcieport"), 0);
	assert_refused(svf_driver_bind(driver("pcieport"), &call, "0000:00:00.0"), ENODEV,
		       "no PCI Express port");
	/* When drivers are looked for, a probe that refuses is no error. */
	assert_int_equal(svf_drivers_probe(machine, &call, "0000:00:00.0"), 0);
	assert_string_equal(bound(host), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		T(test_start),
		T(test_bind_and_unbind),
		T(test_bind_refused),
		T(test_override),
		T(test_override_of_a_page),
		T(test_new_id),
		T(test_remove_id),
		T(test_vfio_takes_new_id_without_override),
		T(test_native_driver_in_a_group_of_a_user),
		T(test_probe_that_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
