/* SPDX-License-Identifier: BSD-3-Clause */
/* core/iommufd/main.c and option.c: sizes of commands, ids, holding and ending of objects, options.
 */
#include "iommufd.h"

#include <stdlib.h>

static void test_sizes(void **state)
{
	struct fixture *f = *state;
	struct {
		struct iommu_ioas_alloc cmd;
		uint32_t tail[40];
	} arg;

	memset(&arg, 0, sizeof(arg));
	arg.cmd.size = 11;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &arg), -EINVAL);
	arg.cmd.size = 0;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &arg), -EINVAL);

	/* A younger caller: fine as long as it asks for nothing new. */
	arg.cmd.size = sizeof(arg);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &arg), 0);
	assert_int_equal(arg.cmd.out_ioas_id, 1);
	arg.tail[39] = 1;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &arg), -E2BIG);
	arg.cmd.size = sizeof(arg) - 4;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &arg), 0);
	arg.tail[39] = 0;
	arg.cmd.size = UINT32_MAX;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &arg), -EFAULT);

	/* The structure ends where the caller's memory does not. */
	arg.cmd.size = sizeof(arg.cmd);
	assert_int_equal(command(f, IOMMU_IOAS_ALLOC, &arg, 3), -EFAULT);
	assert_int_equal(command(f, IOMMU_IOAS_ALLOC, &arg, 11), -EFAULT);
	arg.cmd.size = sizeof(arg);
	assert_int_equal(command(f, IOMMU_IOAS_ALLOC, &arg, sizeof(arg) - 1), -EFAULT);
	assert_int_equal(test_ioctl_value(f->file, IOMMU_IOAS_ALLOC, 0), -EFAULT);
}

/* Longer than a page is nothing special; far longer is not read to its end. */
static void test_long_structure(void **state)
{
	struct fixture *f = *state;
	size_t size = 0x180000;
	struct iommu_ioas_alloc *cmd = test_user_alloc(size);

	cmd->size = 2 * PAGE;
	assert_int_equal(test_ioctl_value(f->file, IOMMU_IOAS_ALLOC, user(cmd)), 0);
	((uint8_t *)cmd)[2 * PAGE - 1] = 1;
	assert_int_equal(test_ioctl_value(f->file, IOMMU_IOAS_ALLOC, user(cmd)), -E2BIG);
	((uint8_t *)cmd)[2 * PAGE - 1] = 0;
	cmd->size = 0x100000 + sizeof(*cmd);
	assert_int_equal(test_ioctl_value(f->file, IOMMU_IOAS_ALLOC, user(cmd)), 0);
	cmd->size = (uint32_t)size;
	assert_int_equal(test_ioctl_value(f->file, IOMMU_IOAS_ALLOC, user(cmd)), -E2BIG);
	cmd->size = (uint32_t)size + 1;
	assert_int_equal(test_ioctl_value(f->file, IOMMU_IOAS_ALLOC, user(cmd)), -EFAULT);
}

static void test_size_before_arguments(void **state)
{
	struct fixture *f = *state;
	/* HWPT_ALLOC's oldest form is 24 bytes; what is missing counts as 0. */
	struct iommu_hwpt_alloc cmd = {.size = 23, .flags = UINT32_MAX};

	assert_int_equal(COMMAND(f, IOMMU_HWPT_ALLOC, &cmd), -EINVAL);
	cmd.size = 24;
	cmd.data_type = 7;
	assert_int_equal(command(f, IOMMU_HWPT_ALLOC, &cmd, 24), -ENOENT);
}

static void test_unknown_command(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(test_ioctl_value(f->file, SVF_IO(0x96), 0), -ENOTTY);
	assert_int_equal(test_ioctl_value(f->file, VFIO_GROUP_GET_STATUS, 0), -ENOTTY);
	assert_int_equal(test_ioctl_value(f->file, VFIO_IOMMU_DIRTY_PAGES, 0), -ENOTTY);
}

static void test_answer_cannot_be_written(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_alloc cmd = {.size = sizeof(cmd)};
	unsigned int objects = f->machine->used.objects;

	test_user_add(user(&cmd), sizeof(cmd), false);
	assert_int_equal(test_ioctl_value(f->file, IOMMU_IOAS_ALLOC, user(&cmd)), -EFAULT);
	test_user_remove(user(&cmd), sizeof(cmd));
	assert_int_equal(f->machine->used.objects, objects);
	assert_int_equal(object_destroy(f, 1), -ENOENT);
}

static void test_ids(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_alloc flags = {.size = sizeof(flags), .flags = 1};

	assert_int_equal(ioas_alloc(f), 1);
	assert_int_equal(ioas_alloc(f), 2);
	assert_int_equal(ioas_alloc(f), 3);
	assert_int_equal(object_destroy(f, 2), 0);
	assert_int_equal(object_destroy(f, 2), -ENOENT);
	assert_int_equal(object_destroy(f, 0), -ENOENT);
	assert_int_equal(object_destroy(f, UINT32_MAX), -ENOENT);
	assert_int_equal(ioas_alloc(f), 2);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &flags), -EOPNOTSUPP);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_alloc cmd = {.size = sizeof(cmd)};
	struct svf_call call = test_call(f->machine);
	struct svf_file *file = NULL;
	struct svf_idevice *idevice;
	uint32_t id;

	f->machine->limits.objects = 1;
	assert_int_equal(ioas_alloc(f), 1);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOC, &cmd), -ENOMEM);
	assert_int_equal(svf_idevice_bind(f->ictx, f->a, &call, &idevice, &id), -ENOMEM);
	assert_false(f->a->group->owner);
	f->machine->limits.files = 1;
	assert_true(svf_iommufd_open(f->machine, &call, &file) < 0);
	assert_null(file);
	assert_true(call.reason[0]);
}

static void test_busy(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), hwpt = ioas;

	assert_int_equal(object_destroy(f, 1), -EBUSY); /* the device */
	assert_int_equal(device_attach(f, idevice, &hwpt), 0);
	assert_int_equal(object_destroy(f, ioas), -EBUSY);
	assert_int_equal(object_destroy(f, hwpt), -EBUSY);
	svf_idevice_detach(idevice);
	assert_int_equal(object_destroy(f, hwpt), -ENOENT);
	assert_int_equal(object_destroy(f, ioas), 0);
	svf_idevice_unbind(idevice);
	assert_int_equal(object_destroy(f, 1), -ENOENT);
}

/* The context outlives its file while a device is bound, and takes everything with it at last. */
static void test_close_before_unbind(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), hwpt = ioas;

	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, PAGE), 0);
	assert_int_equal(device_attach(f, idevice, &hwpt), 0);
	svf_file_close(f->file);
	assert_int_equal(f->machine->used.objects, 3);
	assert_ptr_equal(svf_idevice_ictx(idevice), f->ictx);
	svf_idevice_unbind(idevice);
	assert_int_equal(f->machine->used.objects, 0);
	assert_int_equal(f->machine->used.mappings, 0);
	f->file = test_iommufd_open(f->machine);
}

static long option(struct fixture *f, uint32_t id, uint16_t op, uint32_t object, uint64_t *value)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = id,
		.op = op,
		.object_id = object,
		.val64 = *value,
	};
	long ret = COMMAND(f, IOMMU_OPTION, &cmd);

	*value = cmd.val64;
	return ret;
}

static void test_rlimit_mode(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 7;

	assert_int_equal(option(f, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 0, &value), 0);
	assert_int_equal(value, 0);
	value = 2;
	assert_int_equal(option(f, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_SET, 0, &value),
			 -EINVAL);
	value = 1;
	assert_int_equal(option(f, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_SET, 0, &value), 0);
	value = 7;
	assert_int_equal(option(f, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 0, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(option(f, IOMMU_OPTION_RLIMIT_MODE, 2, 0, &value), -EOPNOTSUPP);
	assert_int_equal(option(f, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 1, &value),
			 -EOPNOTSUPP);
	assert_int_equal(option(f, 2, IOMMU_OPTION_OP_GET, 0, &value), -EOPNOTSUPP);
	ioas_alloc(f);
	value = 5; /* busy comes before the value */
	assert_int_equal(option(f, IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_SET, 0, &value),
			 -EBUSY);
}

static void test_huge_pages(void **state)
{
	struct fixture *f = *state;
	struct iommu_option reserved = {.size = sizeof(reserved), .reserved = 1};
	struct iommu_ioas_iova_ranges ranges;
	struct iommu_iova_range range;
	uint32_t ioas = ioas_alloc(f);
	uint64_t value = 0;

	assert_int_equal(COMMAND(f, IOMMU_OPTION, &reserved), -EOPNOTSUPP);
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, ioas + 1, &value),
			 -ENOENT);
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, ioas, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, 5, ioas, &value), -EOPNOTSUPP);
	value = 2;
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET, ioas, &value),
			 -EINVAL);

	assert_int_equal(map_fixed(f, ioas, f->memory, 1, 3), 0);
	value = 0;
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET, ioas, &value),
			 -EADDRINUSE);
	assert_int_equal(ioas_unmap(f, ioas, 3, 1), 1);
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET, ioas, &value), 0);
	assert_int_equal(iova_ranges(f, ioas, &range, 1, &ranges), 0);
	assert_int_equal(ranges.out_iova_alignment, PAGE);
	assert_int_equal(map_fixed(f, ioas, f->memory, 1, 3), -EINVAL);
	value = 1;
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET, ioas, &value), 0);
	assert_int_equal(iova_ranges(f, ioas, &range, 1, &ranges), 0);
	assert_int_equal(ranges.out_iova_alignment, 1);
}

static void test_huge_pages_with_domain(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), hwpt = ioas;
	uint64_t value = 0;

	assert_int_equal(device_attach(f, idevice, &hwpt), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0), 0);
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET, ioas, &value),
			 -EINVAL);
	assert_int_equal(ioas_unmap(f, ioas, 0, PAGE), PAGE);
	assert_int_equal(option(f, IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_SET, ioas, &value), 0);
	svf_idevice_unbind(idevice);
}

/* Commands of all kinds, each as if it came right. Return: how many failed with -EFAULT. */
static int run_all(struct fixture *f)
{
	struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};
	struct iommu_ioas_map map = {
		.size = sizeof(map), .flags = FIXED, .user_va = user(f->memory)};
	struct iommu_ioas_copy copy = {.size = sizeof(copy), .flags = RW, .length = PAGE};
	struct iommu_option opt = {.size = sizeof(opt), .option_id = IOMMU_OPTION_HUGE_PAGES};
	struct iommu_hwpt_alloc hwpt = {.size = sizeof(hwpt), .dev_id = 1};
	struct iommu_hw_info info = {.size = sizeof(info), .dev_id = 1, .data_len = 64};
	struct iommu_vfio_ioas vfio = {.size = sizeof(vfio), .op = IOMMU_VFIO_IOAS_SET};
	struct iommu_ioas_unmap unmap = {.size = sizeof(unmap), .length = PAGE};
	struct vfio_iommu_type1_info *type1 = (void *)(f->memory + PAGE);
	struct iommu_iova_range range = {0, 0xffff};
	struct iommu_ioas_iova_ranges ranges;
	int faults = 0;

	faults += COMMAND(f, IOMMU_IOAS_ALLOC, &alloc) == -EFAULT;
	alloc.out_ioas_id += !alloc.out_ioas_id;
	faults += allow_iovas(f, alloc.out_ioas_id, &range, 1) == -EFAULT;
	map.ioas_id = copy.src_ioas_id = copy.dst_ioas_id = hwpt.pt_id = alloc.out_ioas_id;
	vfio.ioas_id = unmap.ioas_id = opt.object_id = alloc.out_ioas_id;
	map.length = PAGE;
	faults += COMMAND(f, IOMMU_IOAS_MAP, &map) == -EFAULT;
	faults += COMMAND(f, IOMMU_IOAS_COPY, &copy) == -EFAULT;
	opt.val64 = 1;
	faults += COMMAND(f, IOMMU_OPTION, &opt) == -EFAULT;
	faults += COMMAND(f, IOMMU_HWPT_ALLOC, &hwpt) == -EFAULT;
	info.data_uptr = user(f->memory + PAGE);
	faults += COMMAND(f, IOMMU_GET_HW_INFO, &info) == -EFAULT;
	faults += COMMAND(f, IOMMU_VFIO_IOAS, &vfio) == -EFAULT;
	type1->argsz = 512;
	faults += test_ioctl_value(f->file, VFIO_IOMMU_GET_INFO, user(type1)) == -EFAULT;
	faults += iova_ranges(f, alloc.out_ioas_id, &range, 1, &ranges) == -EFAULT;
	faults += COMMAND(f, IOMMU_IOAS_UNMAP, &unmap) == -EFAULT;
	return faults;
}

/* Each copy from or to the client fails in turn: that command is -EFAULT, and nothing is left
 * behind. */
static void test_each_copy_fails(void **state)
{
	struct fixture *f = *state;
	unsigned long n, copies = 0;

	for (n = 0; n <= copies; n++) {
		struct svf_idevice *idevice = device_bind(f, f->a);
		unsigned long before = test_copies();

		test_fail_copy(n);
		assert_int_equal(run_all(f), n ? 1 : 0);
		test_fail_copy(0);
		if (!n)
			copies = test_copies() - before;
		svf_idevice_unbind(idevice);
		svf_file_close(f->file);
		assert_int_equal(f->machine->used.objects, 0);
		assert_int_equal(f->machine->used.mappings, 0);
		f->file = test_iommufd_open(f->machine);
		f->ictx = svf_container_of(f->file, struct svf_ictx, file);
	}
	assert_true(n > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_sizes),
		FIXTURE_TEST(test_long_structure),
		FIXTURE_TEST(test_size_before_arguments),
		FIXTURE_TEST(test_unknown_command),
		FIXTURE_TEST(test_answer_cannot_be_written),
		FIXTURE_TEST(test_ids),
		FIXTURE_TEST(test_limits),
		FIXTURE_TEST(test_busy),
		FIXTURE_TEST(test_close_before_unbind),
		FIXTURE_TEST(test_rlimit_mode),
		FIXTURE_TEST(test_huge_pages),
		FIXTURE_TEST(test_huge_pages_with_domain),
		FIXTURE_TEST(test_each_copy_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
