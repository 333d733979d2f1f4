/* SPDX-License-Identifier: BSD-3-Clause */
/* The VFIO group: each step refused without the one before it, and who keeps what open. */
#include "vfio_fixture.h"

#include "core/iommu/requester.h"
#include "core/iommufd/iommufd.h"
#include "core/vfio/container.h"

#define A  "0000:01:00.0"
#define A1 "0000:01:00.1"

static struct svf_machine *machine;
static struct svf_function *fn;
static unsigned int id;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(A " totalvfs=0; " A1 " totalvfs=0; 0000:02:00.0 totalvfs=0");
	fn = test_fn(machine, A);
	id = fn->group->id;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static struct svf_file *open_container(void)
{
	struct svf_call call = test_call(machine);
	struct svf_file *file;

	assert_int_equal(svf_container_open(machine, &call, &file), 0);
	test_fd_file(CONTAINER_FD, file);
	return file;
}

static struct svf_file *open_iommufd(void)
{
	struct svf_call call = test_call(machine);
	struct svf_file *file;

	assert_int_equal(svf_iommufd_open(machine, &call, &file), 0);
	test_fd_file(IOMMUFD_FD, file);
	return file;
}

static struct svf_file *open_group(void)
{
	struct svf_file *file = NULL;

	assert_int_equal(test_group_open(machine, id, &file), 0);
	return file;
}

static long set_container(struct svf_file *group, int32_t fd)
{
	return test_ioctl(group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd));
}

static long status(struct svf_file *group, uint32_t *ret_flags)
{
	struct vfio_group_status arg = {.argsz = sizeof(arg), .flags = 0xffff};
	long err = test_ioctl(group, VFIO_GROUP_GET_STATUS, &arg, sizeof(arg));

	*ret_flags = arg.flags;
	return err;
}

static int unbind(struct svf_function *function)
{
	struct svf_call call = test_call(machine);

	return svf_function_release_driver(function, &call);
}

static void opened_once(void **state)
{
	struct svf_file *file = open_group(), *second = NULL;

	(void)state;
	assert_int_equal(test_group_open(machine, id, &second), -EBUSY);
	assert_int_equal(test_group_open(machine, 4711, &second), -ENODEV);
	svf_file_close(file);
	file = open_group();
	svf_file_close(file);
	assert_int_equal(machine->used.files, 0);
}

static void cannot_be_read(void **state)
{
	struct svf_file *file = open_group();
	char c = 0;

	(void)state;
	assert_int_equal(test_read(file, 0, &c, 1), -EINVAL);
	assert_int_equal(test_write(file, 0, &c, 1), -EINVAL);
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_GET_INFO, 0), ENOTTY, "no command");
	svf_file_close(file);
}

static void set_container_errors(void **state)
{
	struct svf_file *file = open_group(), *container;

	(void)state;
	test_fd_other(7);
	assert_fails(test_ioctl_value(file, VFIO_GROUP_SET_CONTAINER, 0), EFAULT,
		     "cannot read 4 bytes");
	assert_fails(set_container(file, -1), EBADF, "not open");
	assert_fails(set_container(file, 99), EBADF, "descriptor 99");
	assert_fails(set_container(file, 7), EBADFD, "neither a container");
	assert_fails(test_ioctl_value(file, VFIO_GROUP_UNSET_CONTAINER, 0), EINVAL, "no container");
	container = open_container();
	test_fd_restart(true);
	assert_int_equal(set_container(file, CONTAINER_FD), 0);
	assert_fails(set_container(file, 99), EBADF, "not open");
	assert_fails(set_container(file, 7), EINVAL, "has a container already");
	test_fd_restart(false);
	assert_int_equal(test_ioctl_value(file, VFIO_GROUP_UNSET_CONTAINER, 0), 0);
	assert_int_equal(set_container(file, CONTAINER_FD), 0);
	svf_file_close(file);
	svf_file_close(container);
}

/*
 * Both functions of the device share the group: it is viable while neither has a driver that does
 * DMA.
 */
static void viability(void **state)
{
	struct svf_function *other = test_fn(machine, A1);
	struct svf_file *file = open_group(), *container = open_container();
	struct svf_call call = test_call(machine);
	uint32_t flags;

	(void)state;
	assert_ptr_equal(other->group, fn->group);
	assert_int_equal(status(file, &flags), 0);
	assert_int_equal(flags, VFIO_GROUP_FLAGS_VIABLE);
	assert_int_equal(svf_iommu_group_use_kernel_dma(fn->group, &call), 0);
	assert_int_equal(status(file, &flags), 0);
	assert_int_equal(flags, 0);
	assert_fails(set_container(file, CONTAINER_FD), EPERM, "");
	svf_iommu_group_unuse_kernel_dma(fn->group);
	assert_int_equal(set_container(file, CONTAINER_FD), 0);
	assert_int_equal(status(file, &flags), 0);
	assert_int_equal(flags, VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
	assert_int_equal(svf_iommu_group_use_kernel_dma(fn->group, &call), -EBUSY);
	svf_file_close(file);
	svf_file_close(container);
}

static void status_errors(void **state)
{
	struct svf_file *file = open_group();
	struct vfio_group_status arg = {.argsz = 7};

	(void)state;
	assert_fails(test_ioctl_value(file, VFIO_GROUP_GET_STATUS, 16), EFAULT, "cannot read");
	assert_fails(test_ioctl(file, VFIO_GROUP_GET_STATUS, &arg, sizeof(arg)), EINVAL, "argsz 7");
	svf_file_close(file);
}

static void steps_to_a_device(void **state)
{
	struct svf_file *file = open_group(), *container = open_container(), *device = NULL;
	struct svf_call call = test_call(machine);

	(void)state;
	assert_int_equal(test_get_device(file, A, &device), -EINVAL);
	assert_int_equal(set_container(file, CONTAINER_FD), 0);
	assert_int_equal(test_get_device(file, A, &device), -EINVAL);
	assert_int_equal(test_ioctl_value(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	assert_int_equal(test_get_device(file, "0000:02:00.0", &device), -ENODEV);
	call.can_return_fd = false;
	assert_int_equal(svf_file_ioctl(file, &call, VFIO_GROUP_GET_DEVICE_FD, 0), -EOPNOTSUPP);
	assert_int_equal(test_get_device(file, A, &device), 0);
	assert_fails(test_ioctl_value(file, VFIO_GROUP_UNSET_CONTAINER, 0), EBUSY, "1 devices");
	svf_file_close(device);
	assert_int_equal(test_ioctl_value(file, VFIO_GROUP_UNSET_CONTAINER, 0), 0);
	svf_file_close(file);
	svf_file_close(container);
}

/* The client closes the group first: it stays, for the device. */
static void device_keeps_group_open(void **state)
{
	struct test_client client;
	struct svf_file *device = test_open_device(&client, machine, A), *again = NULL;

	(void)state;
	svf_file_close(client.group);
	client.group = NULL;
	svf_file_close(client.container);
	client.container = NULL;
	assert_int_equal(test_group_open(machine, id, &again), -EBUSY);
	assert_int_equal(test_get(device, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2), 0x1b36);
	svf_file_close(device);
	assert_int_equal(machine->used.files, 0);
	assert_int_equal(test_group_open(machine, id, &again), 0);
	svf_file_close(again);
}

/* Several files of one device: the first prepares it, the last lets it go. */
static void device_opened_twice(void **state)
{
	struct test_client client;
	struct svf_file *one = test_open_device(&client, machine, A), *two = NULL;

	(void)state;
	test_put(one, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2, 6);
	assert_int_equal(test_get_device(client.group, A, &two), 0);
	assert_int_equal(test_get(two, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2), 6);
	svf_file_close(one);
	assert_int_equal(test_get(two, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2), 6);
	svf_file_close(two);
	assert_int_equal(test_get_device(client.group, A, &one), 0);
	assert_int_equal(test_get(one, VFIO_PCI_CONFIG_REGION_INDEX, 4, 2) & 4, 0);
	svf_file_close(one);
	test_client_close(&client);
}

static void last_member_leaves(void **state)
{
	struct svf_file *file = open_group(), *container = open_container(), *device = NULL,
			*fresh = NULL;
	struct svf_call call = test_call(machine);
	uint32_t flags;

	(void)state;
	assert_int_equal(set_container(file, CONTAINER_FD), 0);
	assert_int_equal(unbind(fn), 0);
	assert_int_equal(test_get_device(file, A, &device), -ENODEV);
	assert_int_equal(unbind(test_fn(machine, A1)), 0);
	assert_null(fn->group->vfio);
	assert_fails(status(file, &flags), ENODEV, "bound to vfio-pci any more");
	assert_fails(set_container(file, CONTAINER_FD), ENODEV, "open the group anew");
	assert_int_equal(test_group_open(machine, id, &fresh), -ENODEV);
	/* Bound again it is another group, of the same name. */
	assert_int_equal(svf_driver_bind(svf_driver_lookup(machine, "vfio-pci"), &call, A), 0);
	assert_int_equal(test_group_open(machine, id, &fresh), 0);
	assert_fails(status(file, &flags), ENODEV, "");
	assert_int_equal(status(fresh, &flags), 0);
	svf_file_close(file);
	svf_file_close(fresh);
	svf_file_close(container);
}

/* With an iommufd the group is claimed by its first device, and the group's file may go before. */
static void through_iommufd(void **state)
{
	struct svf_file *file = open_group(), *iommufd = open_iommufd(), *device = NULL,
			*again = NULL;
	uint32_t flags;

	(void)state;
	assert_int_equal(set_container(file, IOMMUFD_FD), 0);
	assert_fails(set_container(file, IOMMUFD_FD), EINVAL, "already");
	assert_int_equal(status(file, &flags), 0);
	assert_int_equal(flags, VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
	assert_int_equal(test_get_device(file, A, &device), 0);
	assert_true(fn->device->iommufd_attached);
	assert_non_null(fn->requester->space);
	svf_file_close(file);
	svf_file_close(iommufd);
	assert_int_equal(test_group_open(machine, id, &again), 0);
	assert_int_equal(set_container(again, IOMMUFD_FD), 0);
	svf_file_close(again);
	assert_int_equal(test_get(device, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2), 0x1b36);
	svf_file_close(device);
	assert_int_equal(fn->group->owner_count, 0);
	assert_int_equal(machine->used.files, 0);
}

static void too_many_files(void **state)
{
	struct svf_file *file = NULL, *second = NULL;

	(void)state;
	machine->limits.files = 1;
	file = open_group();
	assert_int_equal(test_cdev_open(fn, &second), -EMFILE);
	svf_file_close(file);
	assert_int_equal(test_cdev_open(fn, &second), 0);
	assert_int_equal(test_group_open(machine, id, &file), -EMFILE);
	svf_file_close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opened_once, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot_be_read, setup, teardown),
		cmocka_unit_test_setup_teardown(set_container_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(viability, setup, teardown),
		cmocka_unit_test_setup_teardown(status_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(steps_to_a_device, setup, teardown),
		cmocka_unit_test_setup_teardown(device_keeps_group_open, setup, teardown),
		cmocka_unit_test_setup_teardown(device_opened_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(last_member_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(through_iommufd, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
