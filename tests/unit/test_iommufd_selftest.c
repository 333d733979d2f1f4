/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * core/iommufd/{access,dirty,eventq,pasid,reserved,selftest*,viommu}.c, driven by the test command as
 * the kernel's selftests drive them, where those do not reach: order of checks, what is left after
 * a failure, descriptors that cannot be handed over.
 */
#include "iommufd.h"

#include "uapi/iommufd_test.h"

#define TEST_CMD(f, cmd) COMMAND(f, IOMMU_TEST_CMD, cmd)
#define BASE		 MOCK_APERTURE_START

static int setup(void **state)
{
	int ret = fixture_setup(state);
	struct fixture *f = *state;

	f->machine->params.iommufd_test = true;
	return ret;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

/* A mock device attached to the IOAS. */
static struct iommu_test_cmd mock_device(struct fixture *f, uint32_t pt_id, uint32_t flags)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.id = pt_id,
		.mock_domain.dev_flags = flags,
	};

	assert_int_equal(TEST_CMD(f, &cmd), 0);
	return cmd;
}

static long hwpt_alloc(struct fixture *f, uint32_t dev, uint32_t pt, uint32_t flags, uint32_t *ret)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .dev_id = dev, .pt_id = pt};
	long err = COMMAND(f, IOMMU_HWPT_ALLOC, &cmd);

	*ret = cmd.out_hwpt_id;
	return err;
}

static long nested_alloc(struct fixture *f, uint32_t dev, uint32_t pt, uint32_t flags,
			 uint32_t fault, uint32_t *ret)
{
	struct iommu_hwpt_selftest data = {.iotlb = 7};
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = dev,
		.pt_id = pt,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = user(&data),
		.fault_id = fault,
	};
	long err;

	test_user_add(user(&data), sizeof(data), true);
	err = COMMAND(f, IOMMU_HWPT_ALLOC, &cmd);
	test_user_remove(user(&data), sizeof(data));
	*ret = cmd.out_hwpt_id;
	return err;
}

static uint32_t fault_alloc(struct fixture *f, struct svf_file **ret)
{
	struct iommu_fault_alloc cmd = {.size = sizeof(cmd)};

	assert_int_equal(COMMAND(f, IOMMU_FAULT_QUEUE_ALLOC, &cmd), 0);
	*ret = test_fd_lookup((int)cmd.out_fault_fd);
	return cmd.out_fault_id;
}

static ssize_t read_file(struct svf_file *file, void *buf, size_t len)
{
	struct svf_call call = test_call(file->machine);
	ssize_t ret = svf_file_read(file, &call, buf, len, 0);

	assert_int_equal(ret < 0, call.reason[0] != '\0');
	return ret;
}

static ssize_t write_file(struct svf_file *file, const void *buf, size_t len)
{
	struct svf_call call = test_call(file->machine);
	ssize_t ret = svf_file_write(file, &call, buf, len, 0);

	assert_int_equal(ret < 0, call.reason[0] != '\0');
	return ret;
}

/* Without the parameter the command does not exist, whatever its argument. */
static void test_off(void **state)
{
	struct fixture *f = *state;

	f->machine->params.iommufd_test = false;
	assert_int_equal(test_ioctl_value(f->file, IOMMU_TEST_CMD, 0), -ENOTTY);
	f->machine->params.iommufd_test = true;
	assert_int_equal(test_ioctl_value(f->file, IOMMU_TEST_CMD, 0), -EFAULT);
}

static void test_unknown_operation(void **state)
{
	struct fixture *f = *state;
	struct iommu_test_cmd cmd = {.size = sizeof(cmd), .op = 0};

	assert_int_equal(TEST_CMD(f, &cmd), -EOPNOTSUPP);
	cmd.op = UINT32_MAX;
	assert_int_equal(TEST_CMD(f, &cmd), -EOPNOTSUPP);
}

/* A mock device is ended by its own id; what it was given goes with it. */
static void test_mock_device(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	struct iommu_test_cmd cmd = mock_device(f, ioas, 0);
	struct iommu_test_cmd bad = {.size = sizeof(bad),
				     .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
				     .id = ioas,
				     .mock_domain.dev_flags = 2};

	assert_int_equal(f->machine->used.objects, 4);
	assert_int_equal(object_destroy(f, cmd.mock_domain.out_idev_id), -EBUSY);
	assert_int_equal(object_destroy(f, cmd.mock_domain.out_hwpt_id), -EBUSY);
	assert_int_equal(TEST_CMD(f, &bad), -EINVAL);
	bad.mock_domain.dev_flags = 0;
	bad.id = cmd.mock_domain.out_idev_id;
	assert_int_equal(TEST_CMD(f, &bad), -EINVAL);
	bad.id = 77;
	assert_int_equal(TEST_CMD(f, &bad), -ENOENT);
	assert_int_equal(f->machine->used.objects, 4);
	assert_int_equal(object_destroy(f, cmd.mock_domain.out_stdev_id), 0);
	assert_int_equal(f->machine->used.objects, 1);
}

/* A function and a mock device never share a HWPT: each IOMMU has tables of its own. */
static void test_two_iommus(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), pt = ioas, other;
	struct iommu_test_cmd mock = mock_device(f, ioas, 0);
	struct iommu_iova_range ranges[4];
	struct iommu_ioas_iova_ranges answer;

	assert_int_equal(device_attach(f, idevice, &pt), 0);
	assert_int_not_equal(pt, mock.mock_domain.out_hwpt_id);
	/* Both reserve: the mock aperture has no MSI window in it. */
	assert_int_equal(iova_ranges(f, ioas, ranges, 4, &answer), 0);
	assert_int_equal(answer.num_iovas, 1);
	assert_int_equal(ranges[0].start, MOCK_APERTURE_START);
	assert_int_equal(answer.out_iova_alignment, PAGE);
	other = mock.mock_domain.out_hwpt_id;
	assert_int_equal(device_replace(f, idevice, &other), -EINVAL);
	svf_idevice_unbind(idevice);
	assert_int_equal(iova_ranges(f, ioas, ranges, 4, &answer), 0);
	assert_int_equal(answer.out_iova_alignment, MOCK_PAGE_SIZE);
}

static long add_reserved(struct fixture *f, uint32_t ioas, uint64_t start, uint64_t length)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_ADD_RESERVED,
		.id = ioas,
		.add_reserved = {start, length},
	};

	return TEST_CMD(f, &cmd);
}

/* Reserved ranges overlap freely, and what lies between all of them can be used. */
static void test_reserved(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	struct iommu_iova_range ranges[4];
	struct iommu_ioas_iova_ranges answer;

	assert_int_equal(add_reserved(f, ioas, 0, 0), -EINVAL);
	assert_int_equal(add_reserved(f, ioas, 2, UINT64_MAX), -EOVERFLOW);
	assert_int_equal(add_reserved(f, 99, 0, 1), -ENOENT);
	assert_int_equal(add_reserved(f, ioas, 0x1000, 0x2000), 0);
	assert_int_equal(add_reserved(f, ioas, 0x2000, 0x3000), 0);
	assert_int_equal(add_reserved(f, ioas, 0x2000, 0x3000), 0);
	assert_int_equal(add_reserved(f, ioas, 0x1800, 0x100), 0);
	assert_int_equal(add_reserved(f, ioas, UINT64_MAX, 1), 0);
	assert_int_equal(iova_ranges(f, ioas, ranges, 4, &answer), 0);
	assert_int_equal(answer.num_iovas, 2);
	assert_int_equal(ranges[0].last, 0xfff);
	assert_int_equal(ranges[1].start, 0x5000);
	assert_int_equal(ranges[1].last, UINT64_MAX - 1);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0x4000), -EINVAL);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0x5000), 0);
	assert_int_equal(add_reserved(f, ioas, 0x5fff, 1), -EADDRINUSE);
}

/* No more different ranges than the bound; the same one again costs nothing. */
static void test_reserved_bound(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	long ret = 0;
	uint64_t n = 0;

	while (!ret)
		ret = add_reserved(f, ioas, n++ * 16, 1);
	assert_int_equal(ret, -ENOMEM);
	assert_int_equal(n, 1025);
	assert_int_equal(add_reserved(f, ioas, 0, 1), 0);
}

static long create_access(struct fixture *f, uint32_t ioas, uint32_t flags, int *ret)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_CREATE_ACCESS,
		.id = ioas,
		.create_access.flags = flags,
	};
	long err = TEST_CMD(f, &cmd);

	*ret = (int)cmd.create_access.out_access_fd;
	return err;
}

static void close_fd(int fd)
{
	svf_file_close(test_fd_lookup(fd));
	test_fd_close(fd);
}

static struct iommu_test_cmd access_pages(int fd, uint64_t iova, uint64_t length, const void *p)
{
	return (struct iommu_test_cmd){
		.size = sizeof(struct iommu_test_cmd),
		.op = IOMMU_TEST_OP_ACCESS_PAGES,
		.id = (uint32_t)fd,
		.access_pages = {.iova = iova, .length = length, .uptr = user(p)},
	};
}

static void test_access(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	struct iommu_test_cmd cmd, drop;
	int fd, rw;

	assert_int_equal(create_access(f, ioas, 2, &fd), -EOPNOTSUPP);
	assert_int_equal(create_access(f, 99, 0, &fd), -ENOENT);
	assert_int_equal(f->machine->used.objects, 1);
	assert_int_equal(create_access(f, ioas, 0, &rw), 0);
	/* Bytes that are not pages are fine for it, and not for one that pins. */
	assert_int_equal(map_fixed(f, ioas, f->memory + 1, 5, BASE + 1), 0);
	assert_int_equal(create_access(f, ioas, 1, &fd), -EADDRINUSE);
	assert_int_equal(ioas_unmap(f, ioas, BASE + 1, 5), 5);
	assert_int_equal(create_access(f, ioas, 1, &fd), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory + 1, 5, BASE + 1), -EINVAL);
	assert_int_equal(object_destroy(f, ioas), -EBUSY);

	assert_int_equal(map_fixed(f, ioas, f->memory, 2 * PAGE, BASE), 0);
	cmd = access_pages(rw, BASE, PAGE, f->memory);
	assert_int_equal(TEST_CMD(f, &cmd), -EOPNOTSUPP);
	cmd = access_pages(444, BASE, PAGE, f->memory);
	assert_int_equal(TEST_CMD(f, &cmd), -EBADFD);
	cmd = access_pages(fd, BASE, 0, f->memory);
	assert_int_equal(TEST_CMD(f, &cmd), -EINVAL);
	cmd = access_pages(fd, BASE + 1, PAGE, f->memory);
	assert_int_equal(TEST_CMD(f, &cmd), -EINVAL);
	cmd = access_pages(fd, BASE + PAGE, 2 * PAGE, f->memory + PAGE);
	assert_int_equal(TEST_CMD(f, &cmd), -ENOENT);
	cmd = access_pages(fd, BASE, PAGE, f->memory + PAGE);
	assert_int_equal(TEST_CMD(f, &cmd), -EBADE);
	cmd = access_pages(fd, BASE, PAGE, f->memory);
	assert_int_equal(TEST_CMD(f, &cmd), 0);
	/* UNMAP takes it away. */
	assert_int_equal(ioas_unmap(f, ioas, BASE, 2 * PAGE), 2 * PAGE);
	drop = (struct iommu_test_cmd){
		.size = sizeof(drop), .op = IOMMU_TEST_OP_DESTROY_ACCESS_PAGES, .id = (uint32_t)fd};
	drop.destroy_access_pages.access_pages_id = cmd.access_pages.out_access_pages_id;
	assert_int_equal(TEST_CMD(f, &drop), -ENOENT);
	close_fd(fd);
	close_fd(rw);
	assert_int_equal(object_destroy(f, ioas), 0);
}

/* The access holds the context: it goes on when the iommufd is closed. */
static void test_access_outlives_file(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	int fd;

	assert_int_equal(create_access(f, ioas, 0, &fd), 0);
	svf_file_close(f->file);
	assert_int_equal(f->machine->used.objects, 2);
	close_fd(fd);
	assert_int_equal(f->machine->used.objects, 0);
	f->file = test_iommufd_open(f->machine);
}

static long access_rw(struct fixture *f, int fd, uint64_t iova, void *buf, uint64_t length,
		      uint32_t flags)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_ACCESS_RW,
		.id = (uint32_t)fd,
		.access_rw = {iova, length, user(buf), flags},
	};
	long ret;

	test_user_add(user(buf), (size_t)length, true);
	ret = TEST_CMD(f, &cmd);
	test_user_remove(user(buf), (size_t)length);
	return ret;
}

static void test_access_rw(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	uint64_t iova = BASE + 2 * PAGE;
	char buf[8] = "abcdefg";
	int fd;

	assert_int_equal(create_access(f, ioas, 0, &fd), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory + PAGE, PAGE, BASE), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, BASE + PAGE), 0);
	assert_int_equal(ioas_map(f, ioas, IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA,
				  user(f->memory), PAGE, &iova),
			 0);
	/* Over the border of two mappings. */
	assert_int_equal(access_rw(f, fd, BASE + PAGE - 4, buf, 8, MOCK_ACCESS_RW_WRITE), 0);
	assert_memory_equal(f->memory + 2 * PAGE - 4, "abcd", 4);
	assert_memory_equal(f->memory, "efg", 4);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(access_rw(f, fd, BASE + PAGE - 4, buf, 8, 0), 0);
	assert_string_equal(buf, "abcdefg");
	assert_int_equal(access_rw(f, fd, BASE + 2 * PAGE, buf, 1, MOCK_ACCESS_RW_WRITE), -EPERM);
	assert_int_equal(access_rw(f, fd, BASE + 3 * PAGE - 4, buf, 8, 0), -ENOENT);
	assert_int_equal(access_rw(f, fd, BASE, buf, 1, 2), -EOPNOTSUPP);
	/* The n-th mapping and an offset in it. */
	assert_int_equal(access_rw(f, fd, 3ull << 32 | 1, buf, 4, MOCK_FLAGS_ACCESS_SYZ), 0);
	assert_memory_equal(buf, f->memory + 3, 4);
	close_fd(fd);
}

static void test_check_map(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	struct iommu_test_cmd mock = mock_device(f, ioas, 0);
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MD_CHECK_MAP,
		.id = mock.mock_domain.out_hwpt_id,
		.check_map = {BASE, 2 * PAGE, user(f->memory)},
	};
	struct iommu_test_cmd refs = {
		.size = sizeof(refs),
		.op = IOMMU_TEST_OP_MD_CHECK_REFS,
		.check_refs = {2 * PAGE, user(f->memory), 1},
	};
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = FIXED,
		.src_ioas_id = ioas,
		.dst_ioas_id = ioas,
		.length = PAGE,
		.src_iova = BASE,
		.dst_iova = BASE + 8 * PAGE,
	};

	assert_int_equal(TEST_CMD(f, &cmd), -EINVAL);
	assert_int_equal(TEST_CMD(f, &refs), -EIO);
	assert_int_equal(map_fixed(f, ioas, f->memory, 2 * PAGE, BASE), 0);
	assert_int_equal(TEST_CMD(f, &cmd), 0);
	assert_int_equal(TEST_CMD(f, &refs), 0);
	/* A copy shares the pages, a second MAP does not. */
	assert_int_equal(COMMAND(f, IOMMU_IOAS_COPY, &copy), 0);
	assert_int_equal(TEST_CMD(f, &refs), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, 2 * PAGE, BASE + 4 * PAGE), 0);
	assert_int_equal(TEST_CMD(f, &refs), -EIO);
	refs.check_refs.refs = 2;
	assert_int_equal(TEST_CMD(f, &refs), 0);
	cmd.check_map.uptr += PAGE;
	assert_int_equal(TEST_CMD(f, &cmd), -EINVAL);
	cmd.check_map.uptr = 0x10000;
	assert_int_equal(TEST_CMD(f, &cmd), -EFAULT);
	cmd.check_map.uptr = user(f->memory) + 1;
	assert_int_equal(TEST_CMD(f, &cmd), -EINVAL);
}

/* What is dirty is told once, adds to the user's bits, and goes with the mapping. */
static void test_dirty(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f), hwpt;
	struct iommu_test_cmd mock = mock_device(f, ioas, 0);
	struct iommu_hwpt_set_dirty_tracking set = {.size = sizeof(set), .flags = 1};
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get), .iova = BASE, .length = 4 * PAGE, .page_size = PAGE};
	struct iommu_test_cmd dirty = {.size = sizeof(dirty), .op = IOMMU_TEST_OP_DIRTY};
	uint8_t bits = 5, told = 0x80;

	test_user_add(user(&bits), 1, true);
	test_user_add(user(&told), 1, true);
	assert_int_equal(map_fixed(f, ioas, f->memory, 4 * PAGE, BASE), 0);
	assert_int_equal(hwpt_alloc(f, mock.mock_domain.out_idev_id, ioas,
				    IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt),
			 0);
	set.hwpt_id = get.hwpt_id = hwpt;
	dirty.id = hwpt;
	dirty.dirty.iova = BASE;
	dirty.dirty.length = 4 * PAGE;
	dirty.dirty.page_size = PAGE;
	dirty.dirty.uptr = user(&bits);
	get.data = user(&told);
	assert_int_equal(TEST_CMD(f, &dirty), -EINVAL);
	assert_int_equal(COMMAND(f, IOMMU_HWPT_SET_DIRTY_TRACKING, &set), 0);
	assert_int_equal(TEST_CMD(f, &dirty), 0);
	assert_int_equal(dirty.dirty.out_nr_dirty, 2);
	get.flags = IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	assert_int_equal(told, 0x85);
	get.flags = 0;
	told = 0;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	assert_int_equal(told, 5);
	told = 0;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	assert_int_equal(told, 0);

	assert_int_equal(TEST_CMD(f, &dirty), 0);
	assert_int_equal(ioas_unmap(f, ioas, BASE, 4 * PAGE), 4 * PAGE);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, BASE), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, BASE + 2 * PAGE), 0);
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	assert_int_equal(told, 0);
	/* It ends at the first hole. */
	assert_int_equal(TEST_CMD(f, &dirty), 0);
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	assert_int_equal(told, 1);
	/* A write for which there is no room on record counts as one to every page. */
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, BASE + PAGE), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, BASE + 3 * PAGE), 0);
	assert_int_equal(COMMAND(f, IOMMU_HWPT_SET_DIRTY_TRACKING, &set), 0);
	f->machine->limits.dirty_chunks = 0;
	bits = 2;
	assert_int_equal(TEST_CMD(f, &dirty), 0);
	told = 0;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	assert_int_equal(told, 0xf);
	/* A bitmap that cannot be written is told of by nothing. */
	get.data = 0x10000;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	test_user_remove(user(&told), 1);
	test_user_remove(user(&bits), 1);
}

static long trigger_iopf(struct fixture *f, uint32_t dev, uint32_t pasid)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_TRIGGER_IOPF,
		.trigger_iopf = {.dev_id = dev, .pasid = pasid, .grpid = 2, .addr = 0x5000},
	};

	return TEST_CMD(f, &cmd);
}

static long replace(struct fixture *f, uint32_t stdev, uint32_t pt)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd),
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
		.id = stdev,
		.mock_domain_replace.pt_id = pt,
	};

	return TEST_CMD(f, &cmd);
}

static void test_fault_queue(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f), parent, hwpt, id;
	struct iommu_test_cmd mock = mock_device(f, ioas, 0);
	uint32_t dev = mock.mock_domain.out_idev_id, stdev = mock.mock_domain.out_stdev_id;
	struct iommu_hwpt_pgfault fault[2];
	struct iommu_hwpt_page_response response = {.code = 9};
	struct svf_file *file;
	unsigned int ready;

	id = fault_alloc(f, &file);
	assert_int_equal(hwpt_alloc(f, dev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent), 0);
	assert_int_equal(nested_alloc(f, dev, parent, IOMMU_HWPT_FAULT_ID_VALID, id, &hwpt), 0);
	assert_int_equal(object_destroy(f, id), -EBUSY);
	assert_int_equal(replace(f, stdev, hwpt), 0);
	assert_int_equal(svf_file_poll(file), SVF_POLL_OUT);
	assert_int_equal(read_file(file, fault, sizeof(fault)), 0);
	assert_int_equal(read_file(file, fault, 1), -ESPIPE);
	ready = test_ready();
	assert_int_equal(trigger_iopf(f, dev, 0), 0);
	assert_int_equal(trigger_iopf(f, dev, 3), 0);
	assert_int_equal(test_ready(), ready + 2);
	assert_int_equal(svf_file_poll(file), SVF_POLL_OUT | SVF_POLL_IN);
	assert_int_equal(read_file(file, fault, 0), -EINVAL);
	assert_int_equal(read_file(file, fault, sizeof(fault[0])), sizeof(fault[0]));
	assert_int_equal(fault[0].dev_id, dev);
	assert_int_equal(fault[0].flags, IOMMU_PGFAULT_FLAGS_LAST_PAGE);
	assert_int_equal(read_file(file, fault, sizeof(fault)), sizeof(fault[0]));
	assert_int_equal(fault[0].pasid, 3);
	assert_int_equal(fault[0].cookie, 2);

	response.cookie = 2;
	assert_int_equal(write_file(file, &response, 5), -ESPIPE);
	assert_int_equal(write_file(file, &response, sizeof(response)), -EINVAL);
	response.code = IOMMUFD_PAGE_RESP_INVALID;
	assert_int_equal(write_file(file, &response, sizeof(response)), sizeof(response));
	assert_int_equal(write_file(file, &response, sizeof(response)), -EINVAL);
	/* What the detached came through is answered; nothing is left to answer. */
	assert_int_equal(trigger_iopf(f, dev, 0), 0);
	assert_int_equal(replace(f, stdev, parent), 0);
	assert_int_equal(svf_file_poll(file), SVF_POLL_OUT);
	response.cookie = 1;
	assert_int_equal(write_file(file, &response, sizeof(response)), -EINVAL);
	assert_int_equal(trigger_iopf(f, dev, 0), 0);
	assert_int_equal(svf_file_poll(file), SVF_POLL_OUT);
	svf_file_close(file);
	assert_int_equal(object_destroy(f, id), -EBUSY);
	assert_int_equal(object_destroy(f, hwpt), 0);
	assert_int_equal(object_destroy(f, id), 0);
}

/* A client that cannot be given a descriptor, or whose memory cannot be written, has nothing. */
static void test_queue_without_descriptor(void **state)
{
	struct fixture *f = *state;
	struct iommu_fault_alloc cmd = {.size = sizeof(cmd)};
	struct svf_call call = test_call(f->machine);

	test_user_add(user(&cmd), sizeof(cmd), true);
	call.can_return_fd = false;
	assert_int_equal(svf_file_ioctl(f->file, &call, IOMMU_FAULT_QUEUE_ALLOC, user(&cmd)),
			 -EOPNOTSUPP);
	assert_int_equal(f->machine->used.objects, 0);
	call = test_call(f->machine);
	assert_int_equal(svf_file_ioctl(f->file, &call, IOMMU_FAULT_QUEUE_ALLOC, user(&cmd)), 0);
	/* The host could not hand it over. */
	assert_int_equal(object_destroy(f, cmd.out_fault_id), -ENOENT);
	svf_file_close(call.ret_file);
	assert_int_equal(f->machine->used.objects, 0);
	test_user_remove(user(&cmd), sizeof(cmd));
	test_user_add(user(&cmd), sizeof(cmd), false);
	assert_int_equal(test_ioctl_value(f->file, IOMMU_FAULT_QUEUE_ALLOC, user(&cmd)), -EFAULT);
	test_user_remove(user(&cmd), sizeof(cmd));
	assert_int_equal(f->machine->used.objects, 0);
}

/* A real device makes no page requests: the HWPT can be made, and nothing attached to it. */
static void test_fault_queue_real(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), id, pt;
	struct iommu_hwpt_alloc cmd = {.size = sizeof(cmd),
				       .flags = IOMMU_HWPT_FAULT_ID_VALID,
				       .dev_id = 1,
				       .pt_id = ioas};
	struct svf_file *file;

	id = fault_alloc(f, &file);
	cmd.fault_id = id;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_ALLOC, &cmd), 0);
	pt = cmd.out_hwpt_id;
	assert_int_equal(device_attach(f, idevice, &pt), -ENODEV);
	svf_file_close(file);
	svf_idevice_unbind(idevice);
}

static uint32_t viommu_alloc(struct fixture *f, uint32_t dev, uint32_t hwpt)
{
	struct iommu_viommu_alloc cmd = {.size = sizeof(cmd),
					 .type = IOMMU_VIOMMU_TYPE_SELFTEST,
					 .dev_id = dev,
					 .hwpt_id = hwpt};

	assert_int_equal(COMMAND(f, IOMMU_VIOMMU_ALLOC, &cmd), 0);
	return cmd.out_viommu_id;
}

static long vdevice_alloc(struct fixture *f, uint32_t viommu, uint32_t dev, uint64_t virt,
			  uint32_t *ret)
{
	struct iommu_vdevice_alloc cmd = {
		.size = sizeof(cmd), .viommu_id = viommu, .dev_id = dev, .virt_id = virt};
	long err = COMMAND(f, IOMMU_VDEVICE_ALLOC, &cmd);

	*ret = cmd.out_vdevice_id;
	return err;
}

/* An id in a vIOMMU is given once, and a real device is in none. */
static void test_vdevice(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), parent, viommu, one, two;
	struct iommu_test_cmd a = mock_device(f, ioas, 0), b = mock_device(f, ioas, 0);

	assert_int_equal(hwpt_alloc(f, a.mock_domain.out_idev_id, ioas,
				    IOMMU_HWPT_ALLOC_NEST_PARENT, &parent),
			 0);
	viommu = viommu_alloc(f, a.mock_domain.out_idev_id, parent);
	assert_int_equal(vdevice_alloc(f, viommu, 1, 5, &one), -EINVAL);
	assert_int_equal(vdevice_alloc(f, viommu, a.mock_domain.out_idev_id, 5, &one), 0);
	assert_int_equal(vdevice_alloc(f, viommu, b.mock_domain.out_idev_id, 5, &two), -EEXIST);
	assert_int_equal(vdevice_alloc(f, viommu, b.mock_domain.out_idev_id, 6, &two), 0);
	/* The vDEVICE goes with its device, and its id stays taken. */
	assert_int_equal(object_destroy(f, a.mock_domain.out_stdev_id), 0);
	assert_int_equal(object_destroy(f, one), -ENOENT);
	assert_int_not_equal(ioas_alloc(f), one);
	assert_int_equal(object_destroy(f, viommu), -EBUSY);
	assert_int_equal(object_destroy(f, two), 0);
	assert_int_equal(object_destroy(f, viommu), 0);
	svf_idevice_unbind(idevice);
}

static void trigger_vevent(struct fixture *f, uint32_t dev)
{
	struct iommu_test_cmd cmd = {.size = sizeof(cmd),
				     .op = IOMMU_TEST_OP_TRIGGER_VEVENT,
				     .trigger_vevent.dev_id = dev};

	assert_int_equal(TEST_CMD(f, &cmd), 0);
}

struct event {
	struct iommufd_vevent_header header;
	struct iommu_viommu_event_selftest data;
};

/* Full at two: the third is lost, which is told after them, and not when a later one shows it. */
static void test_veventq(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f), parent, viommu, nested, vdevice;
	struct iommu_test_cmd mock = mock_device(f, ioas, 0);
	uint32_t dev = mock.mock_domain.out_idev_id;
	struct iommu_veventq_alloc cmd = {
		.size = sizeof(cmd), .type = IOMMU_VEVENTQ_TYPE_SELFTEST, .veventq_depth = 2};
	struct event events[4];
	struct svf_file *file;

	assert_int_equal(hwpt_alloc(f, dev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent), 0);
	viommu = viommu_alloc(f, dev, parent);
	assert_int_equal(nested_alloc(f, dev, viommu, 0, 0, &nested), 0);
	assert_int_equal(vdevice_alloc(f, viommu, dev, 0x99, &vdevice), 0);
	assert_int_equal(replace(f, mock.mock_domain.out_stdev_id, nested), 0);
	cmd.viommu_id = viommu;
	assert_int_equal(COMMAND(f, IOMMU_VEVENTQ_ALLOC, &cmd), 0);
	file = test_fd_lookup((int)cmd.out_veventq_fd);
	assert_int_equal(COMMAND(f, IOMMU_VEVENTQ_ALLOC, &cmd), -EEXIST);
	assert_int_equal(svf_file_poll(file), 0);
	for (int i = 0; i < 3; i++)
		trigger_vevent(f, dev);
	assert_int_equal(svf_file_poll(file), SVF_POLL_IN);
	assert_int_equal(write_file(file, events, 4), -EINVAL);
	assert_int_equal(read_file(file, events, 7), -EINVAL);
	assert_int_equal(read_file(file, events, 8), -EINVAL);
	/* Room for two events and not for what comes behind. */
	assert_int_equal(read_file(file, events, 2 * sizeof(events[0]) + 4), 24);
	assert_int_equal(events[1].header.sequence, 1);
	assert_int_equal(events[1].data.virt_id, 0x99);
	assert_int_equal(svf_file_poll(file), SVF_POLL_IN);
	assert_int_equal(read_file(file, events, sizeof(events)), 8);
	assert_int_equal(events[0].header.flags, IOMMU_VEVENTQ_FLAG_LOST_EVENTS);
	assert_int_equal(events[0].header.sequence, 2);
	trigger_vevent(f, dev);
	trigger_vevent(f, dev);
	trigger_vevent(f, dev);
	assert_int_equal(read_file(file, events, sizeof(events[0])), 12);
	trigger_vevent(f, dev);
	assert_int_equal(read_file(file, events, sizeof(events)), 24);
	assert_int_equal(events[0].header.sequence, 4);
	assert_int_equal(events[1].header.sequence, 6);
	svf_file_close(file);
}

/* Memory of a vIOMMU: where it was told to be, whole; its owner is busy while it is mapped. */
static void test_mmap(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f), parent;
	struct iommu_test_cmd mock = mock_device(f, ioas, 0);
	struct iommu_viommu_selftest data[2] = {{.in_data = 0xbeef}, {.in_data = 1}};
	struct iommu_viommu_alloc cmd = {.size = sizeof(cmd),
					 .type = IOMMU_VIOMMU_TYPE_SELFTEST,
					 .dev_id = mock.mock_domain.out_idev_id,
					 .data_len = sizeof(data[0])};
	struct svf_call call = test_call(f->machine);
	struct svf_ram *ram = NULL;

	assert_int_equal(hwpt_alloc(f, cmd.dev_id, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent), 0);
	cmd.hwpt_id = parent;
	test_user_add(user(data), sizeof(data), true);
	for (unsigned int i = 0; i < 2; i++) {
		cmd.data_uptr = user(&data[i]);
		assert_int_equal(COMMAND(f, IOMMU_VIOMMU_ALLOC, &cmd), 0);
	}
	assert_int_equal(data[0].out_data, 0xbeef);
	assert_int_equal(data[0].out_mmap_offset, PAGE);
	assert_int_equal(data[1].out_mmap_offset, 3 * PAGE);
	assert_int_equal(svf_ictx_mmap(f->file, &call, 0, 2 * PAGE, &ram), -ENXIO);
	assert_int_equal(svf_ictx_mmap(f->file, &call, PAGE, PAGE, &ram), -ENXIO);
	assert_int_equal(svf_ictx_mmap(f->file, &call, 2 * PAGE, 2 * PAGE, &ram), -ENXIO);
	assert_int_equal(svf_ictx_mmap(f->file, &call, 3 * PAGE, 2 * PAGE, &ram), 0);
	assert_int_equal(ram->base[0], 1);
	test_ram_in_use(true);
	assert_int_equal(object_destroy(f, cmd.out_viommu_id), -EBUSY);
	test_ram_in_use(false);
	assert_int_equal(object_destroy(f, cmd.out_viommu_id), 0);
	test_user_remove(user(data), sizeof(data));
}

static long pasid_op(struct fixture *f, uint32_t op, uint32_t stdev, uint32_t pasid, uint32_t pt)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd), .op = op, .id = stdev, .pasid_attach = {pasid, pt}};

	return TEST_CMD(f, &cmd);
}

/* PASIDs go with their device, and beyond its width there are none. */
static void test_pasid(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f), hwpt, plain;
	struct iommu_test_cmd mock = mock_device(f, ioas, MOCK_FLAGS_DEVICE_PASID);
	uint32_t stdev = mock.mock_domain.out_stdev_id, dev = mock.mock_domain.out_idev_id;

	assert_int_equal(hwpt_alloc(f, dev, ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt), 0);
	assert_int_equal(hwpt_alloc(f, dev, ioas, 0, &plain), 0);
	/* What it has without a PASID was not made for that. */
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_ATTACH, stdev, 5, hwpt), -EINVAL);
	assert_int_equal(replace(f, stdev, hwpt), 0);
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_ATTACH, stdev, 1u << 20, hwpt), -EINVAL);
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_ATTACH, stdev, 5, plain), -EINVAL);
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_ATTACH, stdev, 5, hwpt), 0);
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_ATTACH, stdev, 5, hwpt), -EBUSY);
	assert_int_equal(replace(f, stdev, plain), -EINVAL);
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_CHECK_HWPT, stdev, 5, hwpt), 0);
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_CHECK_HWPT, stdev, 6, hwpt), -EINVAL);
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_CHECK_HWPT, stdev, 5, 0), -EINVAL);
	assert_int_equal(pasid_op(f, IOMMU_TEST_OP_PASID_REPLACE, stdev, 6, hwpt), -EINVAL);
	assert_int_equal(object_destroy(f, hwpt), -EBUSY);
	assert_int_equal(object_destroy(f, stdev), 0);
	assert_int_equal(object_destroy(f, hwpt), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_off),
		TEST(test_unknown_operation),
		TEST(test_mock_device),
		TEST(test_two_iommus),
		TEST(test_reserved),
		TEST(test_reserved_bound),
		TEST(test_access),
		TEST(test_access_outlives_file),
		TEST(test_access_rw),
		TEST(test_check_map),
		TEST(test_dirty),
		TEST(test_fault_queue),
		TEST(test_queue_without_descriptor),
		TEST(test_fault_queue_real),
		TEST(test_vdevice),
		TEST(test_veventq),
		TEST(test_mmap),
		TEST(test_pasid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
