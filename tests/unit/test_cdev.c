/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's own node: BIND, ATTACH, DETACH, and how it excludes the group's. */
#include "vfio_fixture.h"

#include "core/iommu/requester.h"
#include "core/iommufd/iommufd.h"

#define A	 "0000:01:00.0"
#define A1	 "0000:01:00.1"
#define PF	 "0000:02:00.0"
#define OTHER_FD 10

static struct svf_machine *machine;
static struct svf_function *fn;
static struct svf_file *iommufd, *cdev;

static struct svf_file *open_iommufd(int fd)
{
	struct svf_call call = test_call(machine);
	struct svf_file *file;

	assert_int_equal(svf_iommufd_open(machine, &call, &file), 0);
	test_fd_file(fd, file);
	return file;
}

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(A " totalvfs=0; " A1 " totalvfs=0; " PF);
	fn = test_fn(machine, A);
	iommufd = open_iommufd(IOMMUFD_FD);
	test_fd_other(OTHER_FD);
	assert_int_equal(test_cdev_open(fn, &cdev), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_file_close(cdev);
	svf_file_close(iommufd);
	assert_int_equal(machine->used.files, 0);
	assert_int_equal(fn->group->owner_count, 0);
	test_machine_end(machine);
	return 0;
}

static long bind_to(struct svf_file *file, int32_t fd, uint32_t *ret_id)
{
	struct vfio_device_bind_iommufd arg = {.argsz = sizeof(arg), .iommufd = fd};
	long err = test_ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &arg, sizeof(arg));

	if (ret_id)
		*ret_id = arg.out_devid;
	return err;
}

static uint32_t ioas_alloc(void)
{
	struct iommu_ioas_alloc arg = {.size = sizeof(arg)};

	assert_int_equal(test_ioctl(iommufd, IOMMU_IOAS_ALLOC, &arg, sizeof(arg)), 0);
	return arg.out_ioas_id;
}

static long destroy(uint32_t id)
{
	struct iommu_destroy arg = {.size = sizeof(arg), .id = id};

	return test_ioctl(iommufd, IOMMU_DESTROY, &arg, sizeof(arg));
}

static long attach(struct svf_file *file, uint32_t id, uint32_t *ret_id)
{
	struct vfio_device_attach_iommufd_pt arg = {.argsz = 12, .pt_id = id};
	long err = test_ioctl(file, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg, 12);

	if (ret_id)
		*ret_id = arg.pt_id;
	return err;
}

static long detach(struct svf_file *file)
{
	struct vfio_device_detach_iommufd_pt arg = {.argsz = 8};

	return test_ioctl(file, VFIO_DEVICE_DETACH_IOMMUFD_PT, &arg, 8);
}

static void before_bind(void **state)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	char c = 0;

	(void)state;
	assert_fails(test_ioctl(cdev, VFIO_DEVICE_GET_INFO, &info, sizeof(info)), EINVAL,
		     "no security context");
	assert_fails(test_ioctl_value(cdev, VFIO_DEVICE_RESET, 0), EINVAL, "no security context");
	assert_fails(test_ioctl_value(cdev, 0x4711, 0), EINVAL, "no security context");
	assert_fails(attach(cdev, 1, NULL), EINVAL, "no security context");
	assert_int_equal(test_read(cdev, 7ull << 40, &c, 1), -EINVAL);
	assert_int_equal(test_write(cdev, 7ull << 40, &c, 1), -EINVAL);
}

static long bind_form(uint32_t argsz, uint32_t flags, int32_t fd, uint64_t extra)
{
	struct {
		struct vfio_device_bind_iommufd bind;
		uint64_t extra;
	} arg = {.bind = {.argsz = argsz, .flags = flags, .iommufd = fd}, .extra = extra};

	return test_ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &arg, sizeof(arg));
}

/* Zeroes behind the structure for as long as anybody looks. */
static long bind_long(void)
{
	struct vfio_device_bind_iommufd *bind = test_user_alloc(0x20000);

	*bind = (struct vfio_device_bind_iommufd){.argsz = UINT32_MAX, .iommufd = IOMMUFD_FD};
	return test_ioctl_value(cdev, VFIO_DEVICE_BIND_IOMMUFD, (uintptr_t)bind);
}

static void form_of_bind(void **state)
{
	struct svf_file *container;
	struct svf_call call = test_call(machine);

	(void)state;
	assert_int_equal(svf_container_open(machine, &call, &container), 0);
	test_fd_file(CONTAINER_FD, container);
	test_fd_file(7, cdev);
	assert_fails(test_ioctl_value(cdev, VFIO_DEVICE_BIND_IOMMUFD, 0), EFAULT, "cannot read 4");
	assert_fails(bind_form(15, 0, IOMMUFD_FD, 0), EINVAL, "argsz 15");
	assert_fails(bind_form(24, 2, IOMMUFD_FD, 0), EINVAL, "unknown flags 0x2");
	assert_fails(bind_form(24, 0, -1, 0), EINVAL, "descriptor -1");
	assert_fails(bind_form(24, 0, 99, 0), EBADF, "descriptor 99");
	assert_fails(bind_form(24, 0, OTHER_FD, 0), EBADFD, "no iommufd");
	assert_fails(bind_form(24, 0, CONTAINER_FD, 0), EBADFD, "no iommufd");
	assert_fails(bind_form(24, 0, 7, 0), EBADFD, "no iommufd");
	assert_fails(bind_form(32, 0, IOMMUFD_FD, 1), E2BIG, "not zero");
	assert_fails(bind_form(UINT32_MAX, 0, IOMMUFD_FD, 0), EFAULT, "cannot read");
	assert_fails(bind_form(40, 0, IOMMUFD_FD, 0), EFAULT, "cannot read");
	assert_fails(bind_long(), E2BIG, "more than");
	assert_int_equal(fn->device->group->cdev_device_open_count, 0);
	assert_int_equal(bind_form(32, 0, IOMMUFD_FD, 0), 0);
	assert_fails(bind_form(24, 0, IOMMUFD_FD, 0), EINVAL, "bound to an iommufd already");
	svf_file_close(container);
}

static void shortest_bind(void **state)
{
	struct vfio_device_bind_iommufd arg = {.argsz = 16, .iommufd = IOMMUFD_FD};

	(void)state;
	test_fd_restart(true);
	assert_int_equal(test_ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &arg, 16), 0);
	assert_int_not_equal(arg.out_devid, 0);
}

/* The id cannot be written back: all is as before. */
static void bind_undone(void **state)
{
	struct svf_file *group = NULL;
	unsigned long copies = test_copies();

	(void)state;
	assert_int_equal(bind_to(cdev, IOMMUFD_FD, NULL), 0);
	copies = test_copies() - copies;
	svf_file_close(cdev);
	assert_int_equal(test_cdev_open(fn, &cdev), 0);
	test_fail_copy(copies);
	assert_fails(bind_to(cdev, IOMMUFD_FD, NULL), EFAULT, "cannot write 4");
	assert_int_equal(fn->group->owner_count, 0);
	assert_null(fn->device->idevice);
	assert_int_equal(test_group_open(machine, fn->group->id, &group), 0);
	svf_file_close(group);
}

static void second_file(void **state)
{
	struct svf_file *second, *other = open_iommufd(5);

	(void)state;
	assert_int_equal(test_cdev_open(fn, &second), 0);
	assert_int_equal(bind_to(cdev, IOMMUFD_FD, NULL), 0);
	assert_fails(bind_to(second, IOMMUFD_FD, NULL), EINVAL, "open already");
	assert_fails(bind_to(second, 5, NULL), EINVAL, "open already");
	svf_file_close(cdev);
	assert_int_equal(bind_to(second, 5, NULL), 0);
	svf_file_close(other);
	assert_int_equal(test_get(second, 7, 0, 2), 0x1b36);
	cdev = second;
}

static void group_of_two(void **state)
{
	struct svf_file *other = open_iommufd(5), *second;

	(void)state;
	assert_int_equal(test_cdev_open(test_fn(machine, A1), &second), 0);
	assert_int_equal(bind_to(cdev, IOMMUFD_FD, NULL), 0);
	assert_fails(bind_to(second, 5, NULL), EPERM, "");
	assert_int_equal(bind_to(second, IOMMUFD_FD, NULL), 0);
	assert_int_equal(fn->device->group->cdev_device_open_count, 2);
	svf_file_close(second);
	svf_file_close(other);
}

static void excludes_the_group(void **state)
{
	struct svf_file *group = NULL;

	(void)state;
	assert_int_equal(test_group_open(machine, fn->group->id, &group), 0);
	assert_fails(bind_to(cdev, IOMMUFD_FD, NULL), EBUSY, "is open through /dev/vfio/");
	svf_file_close(group);
	assert_int_equal(bind_to(cdev, IOMMUFD_FD, NULL), 0);
	assert_int_equal(test_group_open(machine, fn->group->id, &group), -EBUSY);
	svf_file_close(cdev);
	assert_int_equal(test_group_open(machine, fn->group->id, &group), 0);
	svf_file_close(group);
	assert_int_equal(test_cdev_open(fn, &cdev), 0);
}

static void from_the_group(void **state)
{
	struct test_client client;
	struct svf_file *device = test_open_device(&client, machine, PF);

	(void)state;
	assert_fails(bind_to(device, IOMMUFD_FD, NULL), EINVAL, "came from its group");
	assert_fails(attach(device, 1, NULL), ENOTTY, "came from its group");
	assert_fails(detach(device), ENOTTY, "came from its group");
	svf_file_close(device);
	test_client_close(&client);
}

static void attached(void **state)
{
	uint32_t first = ioas_alloc(), second = ioas_alloc(), hwpt, id;

	(void)state;
	assert_int_equal(bind_to(cdev, IOMMUFD_FD, &id), 0);
	assert_int_equal(detach(cdev), 0);
	assert_fails(attach(cdev, 0xffffffff, NULL), ENOENT, "");
	assert_fails(attach(cdev, id, NULL), EINVAL, "");
	assert_null(fn->requester->space);
	assert_int_equal(attach(cdev, first, &hwpt), 0);
	assert_int_not_equal(hwpt, first);
	assert_non_null(fn->requester->space);
	assert_fails(destroy(first), EBUSY, "");
	assert_int_equal(attach(cdev, second, &hwpt), 0);
	assert_int_equal(destroy(first), 0);
	assert_fails(destroy(second), EBUSY, "");
	assert_int_equal(detach(cdev), 0);
	assert_int_equal(detach(cdev), 0);
	assert_null(fn->requester->space);
	assert_int_equal(destroy(second), 0);
	assert_fails(destroy(id), EBUSY, "");
}

static long attach_form(uint32_t argsz, uint32_t flags, uint32_t pasid)
{
	struct vfio_device_attach_iommufd_pt arg = {
		.argsz = argsz, .flags = flags, .pt_id = 1, .pasid = pasid};

	return test_ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg, sizeof(arg));
}

static long detach_form(uint32_t argsz, uint32_t flags, uint32_t pasid)
{
	struct vfio_device_detach_iommufd_pt arg = {.argsz = argsz, .flags = flags, .pasid = pasid};

	return test_ioctl(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &arg, sizeof(arg));
}

static void form_of_attach(void **state)
{
	(void)state;
	assert_int_equal(ioas_alloc(), 1);
	assert_int_equal(bind_to(cdev, IOMMUFD_FD, NULL), 0);
	assert_fails(test_ioctl_value(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, 0), EFAULT,
		     "cannot read 12");
	assert_fails(test_ioctl_value(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, 0), EFAULT,
		     "cannot read 8");
	assert_fails(attach_form(11, 0, 0), EINVAL, "argsz 11");
	assert_fails(detach_form(7, 0, 0), EINVAL, "argsz 7");
	assert_fails(attach_form(16, 2, 0), EINVAL, "unknown flags");
	assert_fails(detach_form(12, 2, 0), EINVAL, "unknown flags");
	assert_fails(attach_form(12, VFIO_DEVICE_ATTACH_PASID, 1), EINVAL, "end of pasid");
	assert_fails(attach_form(16, VFIO_DEVICE_ATTACH_PASID, 1), EINVAL, "beside PASIDs");
	assert_fails(attach_form(16, VFIO_DEVICE_ATTACH_PASID, 1u << 31), ENOSPC, "31 bits");
	assert_fails(detach_form(8, VFIO_DEVICE_DETACH_PASID, 1), EINVAL, "end of pasid");
	assert_int_equal(detach_form(12, VFIO_DEVICE_DETACH_PASID, 1), 0);
	assert_int_equal(attach_form(12, 0, 0), 0);
}

/* PASID 0 is none to iommufd, and still of its own to the cdev. */
static void pasid_0(void **state)
{
	(void)state;
	assert_int_equal(ioas_alloc(), 1);
	assert_int_equal(bind_to(cdev, IOMMUFD_FD, NULL), 0);
	assert_int_equal(attach_form(16, VFIO_DEVICE_ATTACH_PASID, 0), 0);
	assert_non_null(fn->requester->space);
	assert_int_equal(attach_form(16, VFIO_DEVICE_ATTACH_PASID, 0), 0);
	assert_fails(attach_form(12, 0, 0), EBUSY, "detach it first");
	assert_int_equal(detach_form(8, 0, 0), 0);
	assert_non_null(fn->requester->space);
	assert_int_equal(detach_form(12, VFIO_DEVICE_DETACH_PASID, 0), 0);
	assert_null(fn->requester->space);
	assert_int_equal(attach_form(12, 0, 0), 0);
	assert_fails(attach_form(16, VFIO_DEVICE_ATTACH_PASID, 0), EBUSY, "detach it first");
	assert_int_equal(detach_form(12, VFIO_DEVICE_DETACH_PASID, 0), 0);
	assert_non_null(fn->requester->space);
}

/* The id of the page table cannot be written back: not attached. */
static void attach_undone(void **state)
{
	uint32_t ioas = ioas_alloc();

	(void)state;
	assert_int_equal(bind_to(cdev, IOMMUFD_FD, NULL), 0);
	test_fail_copy(2);
	assert_fails(attach(cdev, ioas, NULL), EFAULT, "cannot write 4");
	assert_null(fn->requester->space);
	assert_int_equal(destroy(ioas), 0);
}

static void token(void **state)
{
	struct vfio_device_bind_iommufd arg = {.argsz = sizeof(arg),
					       .flags = VFIO_DEVICE_BIND_FLAG_TOKEN,
					       .iommufd = IOMMUFD_FD,
					       .token_uuid_ptr = 16};
	uint8_t *uuid = test_user_alloc(16);
	struct svf_function *pf = test_fn(machine, PF);
	struct svf_file *file;

	(void)state;
	memset(uuid, 0x5a, 16);
	assert_fails(test_ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &arg, sizeof(arg)), EFAULT,
		     "cannot read 16");
	arg.token_uuid_ptr = (uint64_t)(uintptr_t)uuid;
	/* The token comes before the iommufd is looked at. */
	arg.iommufd = OTHER_FD;
	assert_fails(test_ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &arg, sizeof(arg)), EINVAL,
		     "neither a PF nor a VF");
	arg.iommufd = IOMMUFD_FD;
	assert_int_equal(test_cdev_open(pf, &file), 0);
	test_fd_restart(true);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &arg, sizeof(arg)), 0);
	assert_int_equal(pf->device->vf_token->uuid.b[3], 0x5a);
	svf_file_close(file);
}

static void node_without_device(void **state)
{
	struct svf_call call = test_call(machine);
	struct svf_file *file = NULL;

	(void)state;
	assert_int_equal(svf_cdev_open(machine, &call, 77, &file), -ENODEV);
	assert_non_null(strstr(call.reason, "vfio77 is gone"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(before_bind, setup, teardown),
		cmocka_unit_test_setup_teardown(form_of_bind, setup, teardown),
		cmocka_unit_test_setup_teardown(shortest_bind, setup, teardown),
		cmocka_unit_test_setup_teardown(bind_undone, setup, teardown),
		cmocka_unit_test_setup_teardown(second_file, setup, teardown),
		cmocka_unit_test_setup_teardown(group_of_two, setup, teardown),
		cmocka_unit_test_setup_teardown(excludes_the_group, setup, teardown),
		cmocka_unit_test_setup_teardown(from_the_group, setup, teardown),
		cmocka_unit_test_setup_teardown(attached, setup, teardown),
		cmocka_unit_test_setup_teardown(form_of_attach, setup, teardown),
		cmocka_unit_test_setup_teardown(pasid_0, setup, teardown),
		cmocka_unit_test_setup_teardown(attach_undone, setup, teardown),
		cmocka_unit_test_setup_teardown(token, setup, teardown),
		cmocka_unit_test_setup_teardown(node_without_device, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
