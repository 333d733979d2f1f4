/* SPDX-License-Identifier: BSD-3-Clause */
/* DEVICE_RESET, and the hot reset of everything behind a port. */
#include "vfio_fixture.h"

#include "core/iommufd/iommufd.h"
#include "core/pci/bus.h"

/*
 * One with all ways of reset; two functions without any of their own; one on the root bus, without.
 */
#define ALONE	 "0000:01:00.0"
#define TWO_0	 "0000:02:00.0"
#define TWO_1	 "0000:02:00.1"
#define ROOT	 "0000:00:1e.0"
#define OTHER_FD 10
#define GROUP_FD 11

static struct svf_machine *machine;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(ROOT " totalvfs=0 flr=off pm=off; " ALONE " vfs=1; " TWO_0
					 " totalvfs=0 flr=off pm=off; " TWO_1
					 " totalvfs=0 flr=off pm=off");
	test_fd_other(OTHER_FD);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static long reset(struct svf_file *file)
{
	return test_ioctl_value(file, VFIO_DEVICE_RESET, 0);
}

static void by_itself(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, ALONE);

	(void)state;
	test_put(file, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
	test_put(file, 0, 0, 4, 0x1234);
	assert_int_equal(reset(file), 0);
	assert_int_equal(test_get(file, 0, 0, 4), 0);
	assert_int_equal(test_get(file, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2), 6);
	svf_file_close(file);
	test_client_close(&client);
}

static void from_low_power(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, ALONE);
	struct svf_function *fn = test_fn(machine, ALONE);
	struct svf_call call = test_call(machine);
	unsigned int ctrl = fn->cap_pm + 4u;

	(void)state;
	assert_int_equal(svf_sriov_set_numvfs(fn, &call, 0), 0);
	test_put(file, VFIO_PCI_CONFIG_REGION_INDEX, ctrl, 2, 3);
	assert_int_equal(reset(file), 0);
	assert_int_equal(test_get(file, VFIO_PCI_CONFIG_REGION_INDEX, ctrl, 2) & 3, 0);
	svf_file_close(file);
	test_client_close(&client);
}

static void not_by_itself(void **state)
{
	static const char *const addresses[] = {TWO_0, TWO_1, ROOT};

	(void)state;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(addresses); i++) {
		struct vfio_device_info info = {.argsz = sizeof(info)};
		struct test_client client;
		struct svf_file *file = test_open_device(&client, machine, addresses[i]);

		assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_INFO, &info, sizeof(info)), 0);
		assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_PCI);
		assert_fails(reset(file), EINVAL, "cannot be reset by itself");
		svf_file_close(file);
		test_client_close(&client);
	}
}

struct reset_info {
	struct vfio_pci_hot_reset_info head;
	struct vfio_pci_dependent_device devices[4];
};

static long get_info(struct svf_file *file, uint32_t room, struct reset_info *ret)
{
	*ret = (struct reset_info){
		.head = {.argsz = (uint32_t)(12 + 8 * room), .flags = 99, .count = 99}};
	return test_ioctl(file, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, ret, sizeof(*ret));
}

static void info_by_group(void **state)
{
	unsigned int id = test_fn(machine, TWO_0)->group->id;
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, TWO_0);
	struct reset_info info;

	(void)state;
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, 0), EFAULT,
		     "cannot read 12");
	info.head.argsz = 11;
	assert_fails(test_ioctl(file, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info, sizeof(info)),
		     EINVAL, "argsz 11");
	assert_fails(get_info(file, 1, &info), ENOSPC, "no room for the 2 devices");
	assert_int_equal(info.head.count, 2);
	assert_int_equal(info.head.flags, 0);
	assert_int_equal(get_info(file, 4, &info), 0);
	assert_int_equal(info.head.count, 2);
	assert_int_equal(info.head.flags, 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(info.devices[i].group_id, id);
		assert_int_equal(info.devices[i].bus, 2);
		assert_int_equal(info.devices[i].devfn, i);
	}
	assert_int_equal(info.devices[2].bus, 0);
	svf_file_close(file);
	test_client_close(&client);
}

static void info_on_the_root_bus(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, ROOT);
	struct vfio_pci_hot_reset arg = {.argsz = sizeof(arg), .count = 1};
	struct reset_info info;

	(void)state;
	assert_fails(get_info(file, 4, &info), ENODEV, "without a bridge");
	assert_int_equal(info.head.count, 99);
	assert_fails(test_ioctl(file, VFIO_DEVICE_PCI_HOT_RESET, &arg, sizeof(arg)), ENODEV,
		     "without a bridge");
	svf_file_close(file);
	test_client_close(&client);
}

static long hot_reset(struct svf_file *file, uint32_t count, const int32_t *fds)
{
	struct {
		struct vfio_pci_hot_reset head;
		int32_t fds[4];
	} arg = {.head = {.argsz = sizeof(arg), .count = count}};

	if (count && count <= 4)
		memcpy(arg.fds, fds, count * sizeof(*fds));
	return test_ioctl(file, VFIO_DEVICE_PCI_HOT_RESET, &arg, sizeof(arg));
}

static void hot_by_group(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, TWO_0), *second = NULL;
	struct vfio_pci_hot_reset head = {.argsz = 12, .count = 1};
	const int32_t good[] = {GROUP_FD, GROUP_FD, GROUP_FD}, none = 99, other = OTHER_FD,
		      container = CONTAINER_FD;

	(void)state;
	assert_int_equal(test_get_device(client.group, TWO_1, &second), 0);
	test_fd_file(GROUP_FD, client.group);
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_PCI_HOT_RESET, 0), EFAULT,
		     "cannot read 12");
	assert_fails(test_ioctl(file, VFIO_DEVICE_PCI_HOT_RESET, &head, sizeof(head)), EFAULT,
		     "cannot read 4");
	head.argsz = 11;
	assert_fails(test_ioctl(file, VFIO_DEVICE_PCI_HOT_RESET, &head, sizeof(head)), EINVAL,
		     "argsz 11");
	head = (struct vfio_pci_hot_reset){.argsz = 12, .flags = 1};
	assert_fails(test_ioctl(file, VFIO_DEVICE_PCI_HOT_RESET, &head, sizeof(head)), EINVAL,
		     "flags 0x1");
	assert_fails(hot_reset(file, 0, NULL), EINVAL, "with the files of all groups");
	assert_fails(hot_reset(file, 3, good), EINVAL, "3 groups are given, but only 2");
	assert_fails(hot_reset(file, 1, &none), EBADF, "not open");
	assert_fails(hot_reset(file, 1, &other), EINVAL, "no group");
	assert_fails(hot_reset(file, 1, &container), EINVAL, "no group");
	test_put(file, 0, 0, 4, 0x1234);
	test_put(second, 0, 0, 4, 0x5678);
	test_put(second, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
	test_fd_restart(true);
	assert_int_equal(hot_reset(file, 2, good), 0);
	test_fd_restart(false);
	assert_int_equal(test_get(file, 0, 0, 4), 0);
	assert_int_equal(test_get(second, 0, 0, 4), 0);
	assert_int_equal(test_get(second, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2), 6);
	svf_file_close(file);
	svf_file_close(second);
	test_client_close(&client);
}

static void hot_of_others(void **state)
{
	struct test_client client, alone;
	struct svf_file *file = test_open_device(&client, machine, TWO_0);
	struct svf_call call = test_call(machine);
	const int32_t fd = GROUP_FD;

	(void)state;
	test_client_open(&alone, test_fn(machine, ALONE));
	test_fd_file(GROUP_FD, alone.group);
	assert_fails(hot_reset(file, 1, &fd), EINVAL, "is not yours: give its group's file");
	/* The second function leaves vfio-pci: nobody may reset it any more. */
	assert_int_equal(svf_function_release_driver(test_fn(machine, TWO_1), &call), 0);
	test_fd_file(GROUP_FD, client.group);
	assert_fails(hot_reset(file, 1, &fd), EINVAL,
		     "0000:02:00.1 would be reset too, and is not a device of vfio-pci");
	svf_file_close(file);
	test_client_close(&client);
	test_client_close(&alone);
}

/* VFs share their PF's bus, and are not in its set. */
static void hot_of_a_pf_with_vfs(void **state)
{
	struct svf_function *pf = test_fn(machine, ALONE);
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, ALONE);
	struct svf_call call = test_call(machine);
	struct reset_info info;
	const int32_t fd = GROUP_FD;

	(void)state;
	test_fd_file(GROUP_FD, client.group);
	assert_int_equal(get_info(file, 4, &info), 0);
	assert_int_equal(info.head.count, pf->sriov.vfs[0]->bus == pf->bus ? 2 : 1);
	if (pf->sriov.vfs[0]->bus == pf->bus)
		assert_fails(hot_reset(file, 1, &fd), EINVAL, "would be reset too");
	assert_int_equal(svf_sriov_set_numvfs(pf, &call, 0), 0);
	assert_int_equal(hot_reset(file, 1, &fd), 0);
	svf_file_close(file);
	test_client_close(&client);
}

static struct svf_file *open_bound(const char *address)
{
	struct vfio_device_bind_iommufd arg = {.argsz = sizeof(arg), .iommufd = IOMMUFD_FD};
	struct svf_file *file = NULL;

	assert_int_equal(test_cdev_open(test_fn(machine, address), &file), 0);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &arg, sizeof(arg)), 0);
	return file;
}

static void by_cdev(void **state)
{
	const uint32_t flags =
		VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	struct svf_call call = test_call(machine);
	struct svf_file *iommufd, *file, *second;
	struct reset_info info;
	const int32_t fd = IOMMUFD_FD;

	(void)state;
	assert_int_equal(svf_iommufd_open(machine, &call, &iommufd), 0);
	test_fd_file(IOMMUFD_FD, iommufd);
	file = open_bound(TWO_0);
	assert_int_equal(get_info(file, 4, &info), 0);
	assert_int_equal(info.head.flags, flags);
	assert_int_equal(info.devices[0].devid, test_fn(machine, TWO_0)->device->devid);
	assert_int_equal(info.devices[1].devid, VFIO_PCI_DEVID_OWNED);
	assert_fails(hot_reset(file, 1, &fd), EINVAL, "with no group files");
	test_put(file, 0, 0, 4, 0x1234);
	assert_int_equal(hot_reset(file, 0, NULL), 0);
	assert_int_equal(test_get(file, 0, 0, 4), 0);
	second = open_bound(TWO_1);
	assert_int_equal(get_info(file, 4, &info), 0);
	assert_int_equal(info.devices[1].devid, test_fn(machine, TWO_1)->device->devid);
	svf_file_close(second);
	/* Without vfio-pci nobody owns it. */
	assert_int_equal(svf_function_release_driver(test_fn(machine, TWO_1), &call), 0);
	assert_int_equal(get_info(file, 4, &info), 0);
	assert_int_equal(info.head.flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID);
	assert_int_equal(info.devices[1].devid, (uint32_t)VFIO_PCI_DEVID_NOT_OWNED);
	assert_fails(hot_reset(file, 0, NULL), EINVAL, "not a device of vfio-pci");
	svf_file_close(file);
	svf_file_close(iommufd);
}

/* Functions that cannot be reset alone are reset together, when the last user of any has gone. */
static void after_the_last_close(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, TWO_0), *second = NULL;
	struct svf_function *fn = test_fn(machine, TWO_0);
	uint32_t value = 0;

	(void)state;
	assert_int_equal(test_get_device(client.group, TWO_1, &second), 0);
	test_put(file, 0, 0, 4, 0x1234);
	svf_file_close(file);
	assert_true(fn->device->needs_reset);
	svf_bar_read(fn, 0, 0, &value, 4);
	assert_int_equal(value, 0x1234);
	svf_file_close(second);
	assert_false(fn->device->needs_reset);
	svf_bar_read(fn, 0, 0, &value, 4);
	assert_int_equal(value, 0);
	test_client_close(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(from_low_power, setup, teardown),
		cmocka_unit_test_setup_teardown(not_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(info_by_group, setup, teardown),
		cmocka_unit_test_setup_teardown(info_on_the_root_bus, setup, teardown),
		cmocka_unit_test_setup_teardown(hot_by_group, setup, teardown),
		cmocka_unit_test_setup_teardown(hot_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(hot_of_a_pf_with_vfs, setup, teardown),
		cmocka_unit_test_setup_teardown(by_cdev, setup, teardown),
		cmocka_unit_test_setup_teardown(after_the_last_close, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
