/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core/file.c: dispatch by kind of file, what a number gives that is no command of the kind, and
 * the gate of device files.
 */
#include "vfio_fixture.h"

#define A "0000:01:00.0"

static struct svf_machine *machine;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(A);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(machine->used.files, 0);
	test_machine_end(machine);
	return 0;
}

/* Commands of no kind of file, of other kinds, and of other drivers. */
static const uint32_t foreign[] = {
	0,	     SVF_IO(0),		  SVF_IO(99), SVF_IO(121), SVF_IO(0x96),
	SVF_IO(255), 0x5401 /* TCGETS */, UINT32_MAX};

static void unknown_to_a_container(void **state)
{
	struct test_client client;

	(void)state;
	test_client_open(&client, test_fn(machine, A));
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(foreign); i++)
		assert_fails(test_ioctl_value(client.container, foreign[i], 0), ENOTTY,
			     "container");
	assert_fails(test_ioctl_value(client.container, VFIO_GROUP_GET_STATUS, 0), ENOTTY,
		     "container");
	/* Without its IOMMU a container says otherwise. */
	assert_int_equal(test_ioctl_value(client.group, VFIO_GROUP_UNSET_CONTAINER, 0), 0);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(foreign); i++)
		assert_fails(test_ioctl_value(client.container, foreign[i], 0), EINVAL,
			     "no IOMMU set");
	test_client_close(&client);
}

static void unknown_to_a_group(void **state)
{
	struct test_client client;

	(void)state;
	test_client_open(&client, test_fn(machine, A));
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(foreign); i++)
		assert_fails(test_ioctl_value(client.group, foreign[i], 0), ENOTTY,
			     "a group has no command");
	assert_fails(test_ioctl_value(client.group, VFIO_IOMMU_MAP_DMA, 0), ENOTTY, "0x3b71");
	test_client_close(&client);
}

static void unknown_to_iommufd(void **state)
{
	struct svf_call call = test_call(machine);
	struct svf_file *file = NULL;

	(void)state;
	assert_int_equal(svf_iommufd_open(machine, &call, &file), 0);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(foreign); i++)
		assert_fails(test_ioctl_value(file, foreign[i], 0), ENOTTY,
			     "iommufd has no command");
	svf_file_close(file);
}

static void unknown_to_a_device(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, A);

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(foreign); i++)
		assert_fails(test_ioctl_value(file, foreign[i], 0), ENOTTY,
			     "a vfio-pci device has no command");
	assert_fails(test_ioctl_value(file, VFIO_GROUP_GET_STATUS, 0), ENOTTY, "0x3b67");
	svf_file_close(file);
	test_client_close(&client);
}

/* No command but BIND is heard, known or not, and the argument is not looked at. */
static void gate_closed(struct svf_file *file)
{
	struct svf_call call = test_call(machine);
	uint8_t bytes[4];

	for (size_t i = 0; i < svf_commands_count; i++) {
		const struct svf_command *row = &svf_commands[i];

		if (row->kind == SVF_FILE_DEVICE && row->number != VFIO_DEVICE_BIND_IOMMUFD)
			assert_fails(test_ioctl_value(file, row->number, 0), EINVAL,
				     "no security context");
	}
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(foreign); i++)
		assert_fails(test_ioctl_value(file, foreign[i], 0), EINVAL, "no security context");
	assert_int_equal(svf_file_read(file, &call, bytes, sizeof(bytes), 0), -EINVAL);
	assert_non_null(strstr(call.reason, "no security context"));
	call.reason[0] = '\0';
	assert_int_equal(svf_file_write(file, &call, bytes, sizeof(bytes), 0), -EINVAL);
	assert_non_null(strstr(call.reason, "no security context"));
}

static void gate_of_a_cdev(void **state)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = IOMMUFD_FD};
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct svf_call call = test_call(machine);
	struct svf_file *cdev = NULL, *iommufd = NULL;

	(void)state;
	assert_int_equal(svf_iommufd_open(machine, &call, &iommufd), 0);
	test_fd_file(IOMMUFD_FD, iommufd);
	assert_int_equal(test_cdev_open(test_fn(machine, A), &cdev), 0);
	gate_closed(cdev);
	/* BIND is heard, and one that fails opens nothing. */
	assert_int_equal(test_ioctl_value(cdev, VFIO_DEVICE_BIND_IOMMUFD, 0), -EFAULT);
	bind.iommufd = -1;
	assert_true(test_ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind)) < 0);
	gate_closed(cdev);

	bind.iommufd = IOMMUFD_FD;
	assert_int_equal(test_ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind)), 0);
	assert_int_equal(test_ioctl(cdev, VFIO_DEVICE_GET_INFO, &info, sizeof(info)), 0);
	assert_int_equal(test_ioctl_value(cdev, foreign[0], 0), -ENOTTY);
	svf_file_close(cdev);
	svf_file_close(iommufd);
}

/* A descriptor from a group comes with its security context. */
static void gate_of_a_group_file(void **state)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, A);

	(void)state;
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_INFO, &info, sizeof(info)), 0);
	assert_int_equal(test_get(file, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2), 0x1b36);
	svf_file_close(file);
	test_client_close(&client);
}

static void neither_read_nor_written(struct svf_file *file)
{
	struct svf_call call = test_call(machine);
	uint8_t byte = 0;

	assert_int_equal(svf_file_read(file, &call, &byte, 1, 0), -EINVAL);
	assert_non_null(strstr(call.reason, "cannot be read"));
	assert_int_equal(svf_file_write(file, &call, &byte, 1, 0), -EINVAL);
	assert_non_null(strstr(call.reason, "cannot be written"));
}

/* Containers, groups and iommufd files. */
static void files_for_commands_only(void **state)
{
	struct svf_call call = test_call(machine);
	struct test_client client;

	(void)state;
	test_client_open(&client, test_fn(machine, A));
	assert_int_equal(svf_iommufd_open(machine, &call, &client.iommufd), 0);
	neither_read_nor_written(client.container);
	neither_read_nor_written(client.group);
	neither_read_nor_written(client.iommufd);
	test_client_close(&client);
}

/* Every file that could not be opened ends like one that could. */
static void closing_nothing(void **state)
{
	(void)state;
	svf_file_close(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unknown_to_a_container),  TEST(unknown_to_a_group), TEST(unknown_to_iommufd),
		TEST(unknown_to_a_device),     TEST(gate_of_a_cdev),	 TEST(gate_of_a_group_file),
		TEST(files_for_commands_only), TEST(closing_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
