/* SPDX-License-Identifier: BSD-3-Clause */
/* sriov_numvfs: what VFs are like, whose driver they get, each refusal, and removal that waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/file.h"
#include "core/iommu/group.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "core/vfio/device.h"
#include "topo_fixture.h"
#include "uapi/iommufd.h"
#include "uapi/vfio.h"

#define PF "0000:03:00.0"

static struct svf_machine *machine;
static struct svf_function *pf;
static struct svf_call call;

static void build(const char *words)
{
	machine = test_device_machine(words);
	pf = test_at(machine, PF);
	call = test_call(machine);
}

static int set(unsigned int num)
{
	call = test_call(machine);
	return svf_sriov_set_numvfs(pf, &call, num);
}

#define assert_refused(num, err, part)                                                             \
	do {                                                                                       \
		assert_int_equal(set(num), -(err));                                                \
		if (!strstr(call.reason, part))                                                    \
			fail_msg("reason is \"%s\"", call.reason);                                 \
	} while (0)

static void test_made_and_removed(void **state)
{
	struct svf_function *vf;
	const uint8_t *cap;

	build("at=" PF);
	cap = pf->config + pf->sriov.cap;
	assert_int_equal(set(2), 0);
	assert_true(test_exists(machine, "0000:03:10.0"));
	assert_true(test_exists(machine, "0000:03:10.2"));
	assert_false(test_exists(machine, "0000:03:10.1"));
	assert_int_equal(svf_get_le16(cap + PCI_SRIOV_NUM_VF), 2);
	assert_int_equal(svf_get_le16(cap + PCI_SRIOV_CTRL) & 9,
			 PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);

	vf = test_at(machine, "0000:03:10.2");
	assert_ptr_equal(vf->physfn, pf);
	assert_int_equal(vf->vf_index, 1);
	assert_int_equal(svf_get_le32(vf->config), 0xffffffff);
	assert_int_equal(svf_function_vendor(vf), svf_function_vendor(pf));
	assert_int_equal(svf_function_class(vf), svf_function_class(pf));
	assert_int_equal(vf->bars[0].address, pf->sriov.vf_bars[0].address + vf->bars[0].size);
	assert_int_equal(svf_get_le64(vf->config + PCI_BASE_ADDRESS_0), 0);
	assert_true(svf_function_memory_enabled(vf));
	assert_int_equal(vf->config_size, 4096);
	assert_ptr_not_equal(vf->group, pf->group);

	assert_int_equal(set(2), 0);
	assert_refused(3, EBUSY, "write 0 to sriov_numvfs first");
	assert_true(test_log_has("vfio-pci " PF
				 ": 2 VFs already enabled. Disable before enabling 3 VFs"));
	assert_int_equal(set(0), 0);
	assert_false(test_exists(machine, "0000:03:10.0"));
	assert_int_equal(svf_get_le16(cap + PCI_SRIOV_CTRL) & 9, 0);
	assert_int_equal(pf->sriov.num_vfs, 0);
	assert_int_equal(set(8), 0);
	test_machine_end(machine);
}

static void test_vfs_of_vfio_are_captured(void **state)
{
	struct svf_function *vf;

	build("at=" PF " vfs=1");
	vf = test_at(machine, "0000:03:10.0");
	assert_string_equal(vf->driver_override, "vfio-pci");
	assert_string_equal(vf->driver->name, "vfio-pci");
	assert_true(
		test_log_has("vfio-pci " PF ": Captured SR-IOV VF 0000:03:10.0 driver_override"));
	/* Another driver is told of. */
	assert_int_equal(svf_driver_unbind(vf->driver, &call, "0000:03:10.0"), 0);
	assert_int_equal(svf_function_set_driver_override(vf, &call, "pci-stub"), 0);
	assert_int_equal(
		svf_driver_bind(svf_driver_lookup(machine, "pci-stub"), &call, "0000:03:10.0"), 0);
	assert_true(test_log_has(
		"VF 0000:03:10.0 bound to driver pci-stub while PF bound to driver vfio-pci"));
	test_machine_end(machine);
}

static void test_vfs_of_a_native_driver(void **state)
{
	struct svf_function *vf;

	build("at=" PF " driver=igb vendor=8086 device=10c9 vfdevice=10ca");
	assert_int_equal(set(1), 0);
	vf = test_at(machine, "0000:03:10.0");
	assert_null(vf->driver_override);
	assert_string_equal(vf->driver->name, "igbvf");
	assert_int_equal(set(0), 0);

	pf->sriov.drivers_autoprobe = false;
	assert_int_equal(set(1), 0);
	vf = test_at(machine, "0000:03:10.0");
	assert_null(vf->driver);
	/* Not even by name, until there is an override. */
	assert_int_equal(svf_driver_bind(svf_driver_lookup(machine, "igbvf"), &call,
					 "0000:03:10.0"),
			 -ENODEV);
	assert_non_null(strstr(call.reason, "sriov_drivers_autoprobe"));
	assert_int_equal(svf_function_set_driver_override(vf, &call, "igbvf"), 0);
	assert_int_equal(
		svf_driver_bind(svf_driver_lookup(machine, "igbvf"), &call, "0000:03:10.0"), 0);
	/* igb takes its VFs along when it leaves. */
	assert_int_equal(svf_driver_unbind(pf->driver, &call, PF), 0);
	assert_false(test_exists(machine, "0000:03:10.0"));
	test_machine_end(machine);
}

static void test_refused_in_the_order_of_linux(void **state)
{
	build("at=" PF " driver=none");
	assert_refused(9, ERANGE, "can have 8 (sriov_totalvfs)");
	assert_int_equal(set(0), 0);
	assert_refused(1, ENOENT, "has no driver");
	assert_true(test_log_has("pci " PF ": no driver bound to device; cannot configure SR-IOV"));
	test_machine_end(machine);

	build("at=" PF " driver=e1000e vendor=8086 device=10d3");
	assert_refused(1, ENOENT, "does not support SR-IOV");
	assert_true(test_log_has("e1000e " PF
				 ": driver does not support SR-IOV configuration via sysfs"));
	test_machine_end(machine);

	build("at=" PF);
	machine->params.enable_sriov = false;
	assert_int_equal(set(1), -ENOENT);
	assert_string_not_equal(call.reason, "");
	assert_int_equal(pf->sriov.num_vfs, 0);
	test_machine_end(machine);
}

static void test_vfs_beyond_the_bus(void **state)
{
	build("at=" PF " totalvfs=100 offset=250 stride=10");
	/* 250 + 99 * 10 = 0x4d8: four more bus numbers are kept. */
	assert_int_equal(pf->bus->last, 7);
	assert_int_equal(pf->bus->bridge->config[PCI_SUBORDINATE_BUS], 7);
	assert_int_equal(set(100), 0);
	assert_true(test_exists(machine, "0000:03:1f.2"));
	assert_true(test_exists(machine, "0000:04:00.4"));
	assert_true(test_exists(machine, "0000:07:1b.0"));
	assert_ptr_equal(svf_bus_lookup(machine, 0, 7), pf->bus);
	assert_int_equal(set(0), 0);
	/* Were the numbers not there, the kernel would say so. */
	pf->bus->last = 3;
	assert_refused(100, ENOMEM, "beyond those kept for the PF");
	assert_true(test_log_has("can't enable 100 VFs (bus 07 out of range of [bus 03-03])"));
	pf->bus->last = 7;
	test_machine_end(machine);
}

static void test_vf_where_a_function_is(void **state)
{
	struct test_topology t;

	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" PF " offset=1 stride=1");
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=0000:03:00.1 totalvfs=0");
	machine = test_topology_machine(&t);
	pf = test_at(machine, PF);
	assert_refused(1, EEXIST, "VF 0 would be at 0000:03:00.1");
	assert_int_equal(pf->sriov.num_vfs, 0);
	test_machine_end(machine);
}

/* --- removal that waits --- */

static struct svf_file *iommufd;

static struct svf_file *open_vf(struct svf_function *vf)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind), .iommufd = 4, .flags = VFIO_DEVICE_BIND_FLAG_TOKEN};
	struct {
		struct vfio_device_feature head;
		uint8_t uuid[16];
	} set_token = {.head = {.argsz = sizeof(set_token),
				.flags =
					VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN},
		       .uuid = {1, 2, 3}};
	struct svf_file *pf_file, *file;
	struct vfio_device_bind_iommufd bind_pf = {.argsz = 16, .iommufd = 4};

	call = test_call(machine);
	assert_int_equal(svf_iommufd_open(machine, &call, &iommufd), 0);
	test_fd_file(4, iommufd);
	assert_int_equal(svf_cdev_open(machine, &call, pf->device->minor, &pf_file), 0);
	assert_int_equal(test_ioctl(pf_file, VFIO_DEVICE_BIND_IOMMUFD, &bind_pf, sizeof(bind_pf)),
			 0);
	assert_int_equal(test_ioctl(pf_file, VFIO_DEVICE_FEATURE, &set_token, sizeof(set_token)),
			 0);
	svf_file_close(pf_file);

	test_user_add((uint64_t)(uintptr_t)set_token.uuid, 16, false);
	bind.token_uuid_ptr = (uint64_t)(uintptr_t)set_token.uuid;
	assert_int_equal(svf_cdev_open(machine, &call, vf->device->minor, &file), 0);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind)), 0);
	test_user_remove((uint64_t)(uintptr_t)set_token.uuid, 16);
	return file;
}

static void test_removal_waits_for_users(void **state)
{
	struct svf_file *file;
	unsigned int wakes;

	build("at=" PF " vfs=3");
	file = open_vf(test_at(machine, "0000:03:10.2"));
	assert_int_equal(set(0), SVF_BLOCKED);
	/* The first is gone, the second waits, the third is still there. */
	assert_false(test_exists(machine, "0000:03:10.0"));
	assert_true(test_at(machine, "0000:03:10.2")->removing);
	assert_false(test_at(machine, "0000:03:10.4")->removing);
	assert_int_equal(pf->sriov.num_vfs, 3);
	assert_null(pf->sriov.vfs[0]);

	/* Whoever needs the lock of the PF or of that VF waits too. */
	assert_int_equal(set(0), SVF_BLOCKED);
	assert_int_equal(set(1), SVF_BLOCKED);
	assert_int_equal(svf_driver_bind(svf_driver_lookup(machine, "vfio-pci"), &call,
					 "0000:03:10.2"),
			 SVF_BLOCKED);
	assert_int_equal(svf_driver_unbind(svf_driver_lookup(machine, "vfio-pci"), &call, PF),
			 SVF_BLOCKED);
	assert_int_equal(svf_function_reset(pf, &call), -EAGAIN);
	assert_int_equal(set(9), -ERANGE);

	wakes = test_wakes();
	svf_file_close(file);
	assert_true(test_wakes() > wakes);
	assert_int_equal(set(0), 0);
	assert_false(test_exists(machine, "0000:03:10.2"));
	assert_false(test_exists(machine, "0000:03:10.4"));
	assert_int_equal(pf->sriov.num_vfs, 0);
	svf_file_close(iommufd);
	test_machine_end(machine);
}

static void test_unbinding_the_pf_waits_for_users_of_vfs(void **state)
{
	struct svf_driver *vfio;
	struct svf_file *file;

	build("at=" PF " vfs=1");
	vfio = svf_driver_lookup(machine, "vfio-pci");
	file = open_vf(test_at(machine, "0000:03:10.0"));
	assert_int_equal(svf_driver_unbind(vfio, &call, PF), SVF_BLOCKED);
	assert_true(pf->removing);
	assert_int_equal(set(0), SVF_BLOCKED);
	svf_file_close(file);
	assert_int_equal(svf_driver_unbind(vfio, &call, PF), 0);
	assert_null(pf->driver);
	assert_null(pf->device);
	assert_false(test_exists(machine, "0000:03:10.0"));
	svf_file_close(iommufd);
	test_machine_end(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_and_removed),
		cmocka_unit_test(test_vfs_of_vfio_are_captured),
		cmocka_unit_test(test_vfs_of_a_native_driver),
		cmocka_unit_test(test_refused_in_the_order_of_linux),
		cmocka_unit_test(test_vfs_beyond_the_bus),
		cmocka_unit_test(test_vf_where_a_function_is),
		cmocka_unit_test(test_removal_waits_for_users),
		cmocka_unit_test(test_unbinding_the_pf_waits_for_users_of_vfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
