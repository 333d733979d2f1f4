/* SPDX-License-Identifier: BSD-3-Clause */
/* core/iommufd/{device,hw_pagetable,hw_info,pages,dirty,viommu}.c: devices, groups, HWPTs. */
#include "core/iommu/requester.h"
#include "iommufd.h"

#include "core/pci/driver.h"

static int bind_error(struct fixture *f, struct svf_ictx *ictx, struct svf_function *fn)
{
	struct svf_call call = test_call(f->machine);
	struct svf_idevice *idevice;
	uint32_t id;
	int err = svf_idevice_bind(ictx, fn, &call, &idevice, &id);

	assert_true(err < 0);
	assert_true(call.reason[0]);
	return err;
}

static void test_bind(void **state)
{
	struct fixture *f = *state;
	struct svf_file *other = test_iommufd_open(f->machine);
	struct svf_ictx *other_ictx = svf_container_of(other, struct svf_ictx, file);
	struct svf_idevice *one, *two;

	assert_false(svf_ictx_has_group(f->ictx, f->shared[0]->group));
	one = device_bind(f, f->shared[0]);
	assert_ptr_equal(f->shared[0]->group->owner, f->ictx);
	assert_true(svf_ictx_has_group(f->ictx, f->shared[1]->group));
	assert_false(svf_ictx_has_group(other_ictx, f->shared[1]->group));
	assert_false(svf_ictx_has_group(NULL, f->shared[1]->group));
	/* Another context cannot have the other device of the group, this one can. */
	assert_int_equal(bind_error(f, other_ictx, f->shared[1]), -EPERM);
	two = device_bind(f, f->shared[1]);
	svf_idevice_unbind(one);
	assert_int_equal(bind_error(f, other_ictx, f->shared[0]), -EPERM);
	svf_idevice_unbind(two);
	assert_null(f->shared[0]->group->owner);
	assert_false(svf_ictx_has_group(f->ictx, f->shared[0]->group));
	svf_file_close(other);
}

static void test_bind_not_viable(void **state)
{
	struct fixture *f = *state;
	struct svf_call call = test_call(f->machine);

	assert_int_equal(svf_iommu_group_use_kernel_dma(f->a->group, &call), 0);
	assert_int_equal(bind_error(f, f->ictx, f->a), -EPERM);
	assert_int_equal(f->machine->used.objects, 0);
	svf_iommu_group_unuse_kernel_dma(f->a->group);
}

static void test_bind_without_group(void **state)
{
	struct fixture *f = *state;

	svf_iommu_group_remove_function(f->b);
	assert_int_equal(bind_error(f, f->ictx, f->b), -ENODEV);
}

static void test_attach(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *one = device_bind(f, f->a), *two = device_bind(f, f->b);
	uint32_t ioas = ioas_alloc(f), id = ioas, other = ioas;
	uint8_t byte = 7;

	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0), 0);
	assert_int_equal(svf_dma_write(f->a, 0, &byte, 1), -EFAULT);
	assert_int_equal(device_attach(f, one, &id), 0);
	assert_int_equal(id, ioas + 1);
	assert_int_equal(svf_dma_write(f->a, 0, &byte, 1), 0);
	assert_int_equal(f->memory[0], 7);
	assert_int_equal(svf_dma_write(f->b, 0, &byte, 1), -EFAULT);
	/* The HWPT that was made is used again. */
	assert_int_equal(device_attach(f, two, &other), 0);
	assert_int_equal(other, id);
	svf_idevice_detach(one);
	svf_idevice_detach(one);
	assert_int_equal(svf_dma_write(f->a, 0, &byte, 1), -EFAULT);
	assert_int_equal(svf_dma_write(f->b, 0, &byte, 1), 0);
	assert_int_equal(object_destroy(f, id), -EBUSY);
	svf_idevice_unbind(two);
	assert_int_equal(object_destroy(f, id), -ENOENT);
	svf_idevice_unbind(one);
}

static void test_attach_to_what(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *one = device_bind(f, f->a), *two = device_bind(f, f->b);
	uint32_t id = UINT32_MAX;

	assert_int_equal(device_attach(f, one, &id), -ENOENT);
	id = 0;
	assert_int_equal(device_attach(f, one, &id), -ENOENT);
	id = 2; /* the other device */
	assert_int_equal(device_attach(f, one, &id), -EINVAL);
	id = ioas_alloc(f);
	assert_int_equal(device_replace(f, one, &id), -EINVAL);
	assert_int_equal(f->machine->used.objects, 3);
	svf_idevice_unbind(one);
	svf_idevice_unbind(two);
}

static void test_replace(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t first = ioas_alloc(f), second = ioas_alloc(f), id = first, old;

	assert_int_equal(map_fixed(f, second, f->memory, PAGE, 0), 0);
	f->memory[0] = 9;
	assert_int_equal(device_attach(f, idevice, &id), 0);
	old = id;
	id = first;
	assert_int_equal(device_replace(f, idevice, &id), 0);
	assert_int_equal(id, old);
	id = second;
	assert_int_equal(device_replace(f, idevice, &id), 0);
	assert_int_not_equal(id, old);
	assert_int_equal(object_destroy(f, old), -ENOENT);
	assert_int_equal(object_destroy(f, first), 0);
	assert_int_equal(svf_dma_read(f->a, 0, &(uint8_t){0}, 1), 0);
	svf_idevice_unbind(idevice);
	assert_int_equal(object_destroy(f, second), 0);
}

/* A replace that fails leaves everything as it was. */
static void test_replace_refused(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t first = ioas_alloc(f), second = ioas_alloc(f), id = first, hwpt;

	assert_int_equal(device_attach(f, idevice, &id), 0);
	hwpt = id;
	assert_int_equal(map_fixed(f, first, f->memory, PAGE, 0), 0);
	assert_int_equal(map_fixed(f, second, f->memory, PAGE, 0xfee00000), 0);
	id = second;
	assert_int_equal(device_replace(f, idevice, &id), -EADDRINUSE);
	assert_int_equal(f->machine->used.objects, 4);
	assert_int_equal(ioas_unmap(f, second, 0, UINT64_MAX), PAGE);
	assert_int_equal(map_fixed(f, second, (void *)0x10000, PAGE, 0), 0);
	assert_int_equal(device_replace(f, idevice, &id), -EFAULT);
	assert_int_equal(svf_dma_read(f->a, 0, &(uint8_t){0}, 1), 0);
	assert_int_equal(object_destroy(f, hwpt), -EBUSY);
	assert_int_equal(object_destroy(f, second), 0);
	svf_idevice_unbind(idevice);
}

static void test_shared_group(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *one = device_bind(f, f->shared[0]), *two = device_bind(f, f->shared[1]);
	uint32_t first = ioas_alloc(f), second = ioas_alloc(f), id = first, other = second;

	assert_int_equal(map_fixed(f, second, f->memory, PAGE, 0), 0);
	assert_int_equal(device_attach(f, one, &id), 0);
	assert_int_equal(device_attach(f, two, &other), -EINVAL);
	assert_int_equal(device_replace(f, two, &other), -EINVAL);
	other = first;
	assert_int_equal(device_attach(f, two, &other), 0);
	assert_int_equal(other, id);
	/* Replacing for one moves both. */
	other = second;
	assert_int_equal(svf_dma_read(f->shared[0], 0, &(uint8_t){0}, 1), -EFAULT);
	assert_int_equal(device_replace(f, two, &other), 0);
	assert_int_equal(svf_dma_read(f->shared[0], 0, &(uint8_t){0}, 1), 0);
	assert_int_equal(object_destroy(f, first), 0);
	assert_int_equal(object_destroy(f, other), -EBUSY);
	svf_idevice_detach(one);
	assert_int_equal(svf_dma_read(f->shared[0], 0, &(uint8_t){0}, 1), 0);
	svf_idevice_detach(two);
	assert_int_equal(svf_dma_read(f->shared[0], 0, &(uint8_t){0}, 1), -EFAULT);
	assert_int_equal(object_destroy(f, second), 0);
	svf_idevice_unbind(one);
	svf_idevice_unbind(two);
}

/* What an IOAS without devices let pass comes out at ATTACH. */
static void test_attach_looks(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f);
	static const struct {
		uint64_t vaddr, length, iova;
		int err;
	} cases[] = {
		{0x20000, PAGE, 0xfee00000, -EADDRINUSE}, {0x20000, PAGE, 1ul << 48, -EADDRINUSE},
		{0x20000, PAGE, 1, -EADDRINUSE},	  {0x20000, PAGE - 1, 0, -EADDRINUSE},
		{0x20001, PAGE, 0, -EADDRINUSE},	  {0x20000, PAGE, 0, -EFAULT},
	};

	for (size_t i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		uint32_t id = ioas;

		assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0x100000), 0);
		assert_int_equal(map_fixed(f, ioas, (void *)cases[i].vaddr, cases[i].length,
					   cases[i].iova),
				 0);
		assert_int_equal(device_attach(f, idevice, &id), cases[i].err);
		assert_int_equal(id, ioas);
		assert_int_equal(f->machine->used.objects, 2);
		assert_null(f->a->requester->space);
		assert_true(ioas_unmap(f, ioas, 0, UINT64_MAX) > 0);
	}
	svf_idevice_unbind(idevice);
}

/* Memory that is not all beside each other, with something between that nothing is mapped of. */
static void test_attach_looks_between(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	const uint64_t low = 0x10000, between = 0x20000, high = 0x30000;
	struct svf_ram ram = {.base = (uint8_t *)(uintptr_t)between, .size = PAGE};
	uint32_t ioas = ioas_alloc(f), id = ioas;

	test_user_add(low, PAGE, true);
	test_user_add(high, PAGE, true);
	assert_int_equal(map_fixed(f, ioas, (void *)low, PAGE, 0), 0);
	assert_int_equal(map_fixed(f, ioas, (void *)high, PAGE, PAGE), 0);
	assert_int_equal(device_attach(f, idevice, &id), 0);
	svf_idevice_detach(idevice);
	/* All of it is there, part of it is a BAR, which is none of what is mapped. */
	test_user_add(low + PAGE, between - low - PAGE, true);
	test_user_add(between + PAGE, high - between - PAGE, true);
	test_user_add_ram(&ram, 0, PAGE);
	id = ioas;
	assert_int_equal(device_attach(f, idevice, &id), 0);
	svf_idevice_detach(idevice);
	/* And then is. */
	assert_int_equal(map_fixed(f, ioas, (void *)between, PAGE, 0x100000), 0);
	id = ioas;
	assert_int_equal(device_attach(f, idevice, &id), -EFAULT);
	assert_int_equal(ioas_unmap(f, ioas, 0x100000, PAGE), PAGE);
	id = ioas;
	assert_int_equal(device_attach(f, idevice, &id), 0);
	svf_idevice_detach(idevice);
	assert_int_equal(ioas_unmap(f, ioas, 0, UINT64_MAX), 2 * PAGE);
	assert_int_equal(ioas_unmap(f, ioas, 0, UINT64_MAX), 0);
	test_user_remove(low, PAGE);
	test_user_remove(high, PAGE);
	test_user_remove(low + PAGE, between - low - PAGE);
	test_user_remove(between + PAGE, high - between - PAGE);
	test_user_remove(between, PAGE);
	svf_idevice_unbind(idevice);
}

static void test_memlock(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *one = device_bind(f, f->a), *two = device_bind(f, f->b);
	uint32_t ioas = ioas_alloc(f), id = ioas;

	f->machine->params.enforce_memlock = true;
	test_lock_limit(0, 3);
	assert_int_equal(map_fixed(f, ioas, f->memory, 2 * PAGE, 0), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, 2 * PAGE, 2 * PAGE), 0);
	assert_int_equal(test_locked_pages(0), 0);
	assert_int_equal(device_attach(f, one, &id), -ENOMEM);
	assert_int_equal(test_locked_pages(0), 0);
	assert_int_equal(ioas_unmap(f, ioas, 0, 2 * PAGE), 2 * PAGE);
	assert_int_equal(device_attach(f, one, &id), 0);
	assert_int_equal(test_locked_pages(0), 2);
	assert_int_equal(map_fixed(f, ioas, f->memory, 2 * PAGE, 0), -ENOMEM);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0), 0);
	assert_int_equal(test_locked_pages(0), 3);
	assert_int_equal(ioas_unmap(f, ioas, 0, PAGE), PAGE);
	assert_int_equal(test_locked_pages(0), 2);
	/* A second device costs nothing; the last one's going gives back. */
	id = ioas;
	assert_int_equal(device_attach(f, two, &id), 0);
	assert_int_equal(test_locked_pages(0), 2);
	svf_idevice_unbind(one);
	assert_int_equal(test_locked_pages(0), 2);
	svf_idevice_unbind(two);
	assert_int_equal(test_locked_pages(0), 0);
}

static long hwpt_alloc(struct fixture *f, uint32_t flags, uint32_t dev, uint32_t pt, uint32_t *ret)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .dev_id = dev, .pt_id = pt};
	long err = COMMAND(f, IOMMU_HWPT_ALLOC, &cmd);

	*ret = cmd.out_hwpt_id;
	return err;
}

static void test_hwpt_alloc(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), hwpt, second, id;
	struct iommu_ioas_iova_ranges ranges;
	struct iommu_iova_range range[3];

	assert_int_equal(hwpt_alloc(f, 0, 1, ioas, &hwpt), 0);
	/* A domain is there, a device not yet: the aperture holds, the MSI window is free. */
	assert_int_equal(iova_ranges(f, ioas, range, 3, &ranges), 0);
	assert_int_equal(ranges.num_iovas, 1);
	assert_int_equal(range[0].last, 0xfffffffffffful);
	assert_int_equal(map_fixed(f, ioas, (void *)0x10000, PAGE, 0), -EFAULT);
	assert_int_equal(object_destroy(f, ioas), -EBUSY);
	assert_int_equal(hwpt_alloc(f, IOMMU_HWPT_ALLOC_PASID, 1, ioas, &second), 0);

	id = hwpt;
	assert_int_equal(device_attach(f, idevice, &id), 0);
	assert_int_equal(id, hwpt);
	assert_int_equal(iova_ranges(f, ioas, range, 3, &ranges), 0);
	assert_int_equal(ranges.num_iovas, 2);
	id = second;
	assert_int_equal(device_replace(f, idevice, &id), 0);
	assert_int_equal(object_destroy(f, hwpt), 0);
	/* ATTACH to the IOAS makes its own and does not take the user's, which stays. */
	id = ioas;
	assert_int_equal(device_replace(f, idevice, &id), 0);
	assert_int_not_equal(id, second);
	svf_idevice_detach(idevice);
	assert_int_equal(object_destroy(f, id), -ENOENT);
	assert_int_equal(object_destroy(f, second), 0);
	assert_int_equal(iova_ranges(f, ioas, range, 3, &ranges), 0);
	assert_int_equal(range[0].last, UINT64_MAX);
	svf_idevice_unbind(idevice);
}

static void test_hwpt_alloc_refused(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), hwpt;
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .dev_id = 9, .pt_id = 9, .reserved = 1, .data_len = 8};

	assert_int_equal(COMMAND(f, IOMMU_HWPT_ALLOC, &cmd), -EOPNOTSUPP);
	cmd.reserved = 0;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_ALLOC, &cmd), -EINVAL);
	cmd.data_type = 1;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_ALLOC, &cmd), -ENOENT);
	cmd.dev_id = 1;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_ALLOC, &cmd), -EINVAL);
	cmd.pt_id = ioas;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_ALLOC, &cmd), -EOPNOTSUPP);
	assert_int_equal(hwpt_alloc(f, 1u << 4, 1, ioas, &hwpt), -EOPNOTSUPP);
	assert_int_equal(hwpt_alloc(f, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, 1, ioas, &hwpt),
			 -EOPNOTSUPP);
	assert_int_equal(hwpt_alloc(f, IOMMU_HWPT_ALLOC_NEST_PARENT, 1, ioas, &hwpt), -EOPNOTSUPP);
	assert_int_equal(hwpt_alloc(f, IOMMU_HWPT_FAULT_ID_VALID, 1, ioas, &hwpt), -ENOENT);
	assert_int_equal(hwpt_alloc(f, 0, 1, 1, &hwpt), -EINVAL);
	assert_int_equal(hwpt_alloc(f, 0, ioas, ioas, &hwpt), -ENOENT);
	assert_int_equal(map_fixed(f, ioas, (void *)0x10000, PAGE, 0), 0);
	assert_int_equal(hwpt_alloc(f, 0, 1, ioas, &hwpt), -EFAULT);
	assert_int_equal(ioas_unmap(f, ioas, 0, PAGE), PAGE);
	assert_int_equal(f->machine->used.objects, 2);

	assert_int_equal(hwpt_alloc(f, 0, 1, ioas, &hwpt), 0);
	cmd.pt_id = hwpt;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_ALLOC, &cmd), -EINVAL);
	assert_int_equal(hwpt_alloc(f, 0, 1, hwpt, &hwpt), -EOPNOTSUPP);
	svf_idevice_unbind(idevice);
}

static void test_hw_info(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	struct {
		struct iommu_hw_info_vtd vtd;
		uint64_t behind[2];
	} data;
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd), .flags = 2, .dev_id = 9, .data_uptr = user(&data)};

	memset(&data, 0xff, sizeof(data));
	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), -EOPNOTSUPP);
	cmd.flags = 0;
	cmd.reserved[2] = 1;
	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), -EOPNOTSUPP);
	cmd.reserved[2] = 0;
	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), -ENOENT);
	cmd.dev_id = 1;
	cmd.in_data_type = 2;
	cmd.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE;
	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), -EOPNOTSUPP);
	cmd.flags = 0; /* the type is then not looked at */
	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), 0);
	assert_int_equal(cmd.out_data_type, IOMMU_HW_INFO_TYPE_INTEL_VTD);
	assert_int_equal(cmd.data_len, sizeof(data.vtd));
	assert_int_equal(cmd.out_capabilities, IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED);

	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), -EFAULT);
	cmd.data_len = sizeof(data.vtd) + 8;
	test_user_add(user(&data), sizeof(data), true);
	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), 0);
	assert_int_equal(data.vtd.cap_reg >> 16 & 0x3f, 47); /* MGAW: 48 bits */
	assert_int_equal(data.behind[0], 0);
	assert_int_equal(data.behind[1], UINT64_MAX);
	cmd.data_len = sizeof(data) + 1;
	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), -EFAULT);
	cmd.data_len = UINT32_MAX;
	assert_int_equal(COMMAND(f, IOMMU_GET_HW_INFO, &cmd), -EFAULT);
	test_user_remove(user(&data), sizeof(data));
	svf_idevice_unbind(idevice);
}

static void test_dirty_tracking(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), hwpt;
	struct iommu_hwpt_set_dirty_tracking set = {
		.size = sizeof(set), .flags = 2, .hwpt_id = ioas};
	struct iommu_hwpt_get_dirty_bitmap get = {.size = sizeof(get), .flags = 2, .hwpt_id = ioas};

	assert_int_equal(hwpt_alloc(f, 0, 1, ioas, &hwpt), 0);
	assert_int_equal(COMMAND(f, IOMMU_HWPT_SET_DIRTY_TRACKING, &set), -EOPNOTSUPP);
	set.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_SET_DIRTY_TRACKING, &set), -ENOENT);
	set.hwpt_id = hwpt;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_SET_DIRTY_TRACKING, &set), -EOPNOTSUPP);

	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), -EOPNOTSUPP);
	get.flags = 0;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), -ENOENT);
	get.hwpt_id = hwpt;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), -EINVAL);
	get.length = PAGE;
	get.iova = UINT64_MAX;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), -EOVERFLOW);
	get.iova = 0;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), -EINVAL);
	get.page_size = 2 * PAGE;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), -EINVAL);
	get.page_size = PAGE;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), -EOPNOTSUPP);
	svf_idevice_unbind(idevice);
}

static void test_invalidate(void **state)
{
	struct fixture *f = *state;
	struct iommu_hwpt_invalidate cmd = {.size = sizeof(cmd), .reserved = 1, .entry_num = 1};

	assert_int_equal(COMMAND(f, IOMMU_HWPT_INVALIDATE, &cmd), -EOPNOTSUPP);
	assert_int_equal(cmd.entry_num, 0);
	cmd.reserved = 0;
	cmd.entry_num = 1;
	assert_int_equal(COMMAND(f, IOMMU_HWPT_INVALIDATE, &cmd), -EINVAL);
	assert_int_equal(COMMAND(f, IOMMU_HWPT_INVALIDATE, &cmd), -ENOENT);
	cmd.hwpt_id = ioas_alloc(f);
	assert_int_equal(COMMAND(f, IOMMU_HWPT_INVALIDATE, &cmd), -EINVAL);
	test_user_add(user(&cmd), sizeof(cmd), false);
	assert_int_equal(test_ioctl_value(f->file, IOMMU_HWPT_INVALIDATE, user(&cmd)), -EFAULT);
	test_user_remove(user(&cmd), sizeof(cmd));
}

static long map_file(struct fixture *f, uint32_t ioas, uint64_t start, uint64_t length,
		     uint64_t iova)
{
	struct iommu_ioas_map_file cmd = {.size = sizeof(cmd),
					  .flags = FIXED,
					  .ioas_id = ioas,
					  .fd = 9,
					  .start = start,
					  .length = length,
					  .iova = iova};

	return COMMAND(f, IOMMU_IOAS_MAP_FILE, &cmd);
}

/* A file's bytes by their offsets, whoever maps it and for as long as it is mapped. */
static void test_map_file(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), pt = ioas;
	struct iommu_ioas_change_process change = {.size = sizeof(change)};
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = FIXED,
		.src_ioas_id = ioas,
		.dst_ioas_id = ioas,
		.length = PAGE,
		.src_iova = PAGE,
		.dst_iova = 8 * PAGE,
	};
	static uint8_t bytes[2 * PAGE];
	uint8_t byte = 7;

	test_fd_memory(9, bytes, sizeof(bytes));
	assert_int_equal(map_file(f, ioas, PAGE, PAGE, PAGE), 0);
	test_fd_close(9);
	assert_int_equal(device_attach(f, idevice, &pt), 0);
	assert_int_equal(svf_dma_write(f->a, PAGE + 1, &byte, 1), 0);
	assert_int_equal(bytes[PAGE + 1], 7);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_COPY, &copy), 0);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_CHANGE_PROCESS, &change), 0);
	assert_int_equal(ioas_unmap(f, ioas, PAGE, PAGE), PAGE);
	byte = 0;
	assert_int_equal(svf_dma_read(f->a, 8 * PAGE + 1, &byte, 1), 0);
	assert_int_equal(byte, 7);
	/* With a domain the bytes must be there, and start where a page does. */
	test_fd_memory(9, bytes, sizeof(bytes));
	assert_int_equal(map_file(f, ioas, PAGE, 2 * PAGE, 16 * PAGE), -EINVAL);
	assert_int_equal(map_file(f, ioas, 1, PAGE, 16 * PAGE), -EINVAL);
	test_fd_other(10);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 32 * PAGE), 0);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_CHANGE_PROCESS, &change), -EINVAL);
	svf_idevice_unbind(idevice);
}

static void test_viommu(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	struct iommu_viommu_alloc viommu = {.size = sizeof(viommu), .dev_id = 9};
	struct iommu_vdevice_alloc vdevice = {.size = sizeof(vdevice), .viommu_id = 1, .dev_id = 1};
	struct iommu_veventq_alloc veventq = {.size = sizeof(veventq)};
	struct iommu_hw_queue_alloc queue = {.size = sizeof(queue)};
	struct iommu_fault_alloc fault = {.size = sizeof(fault), .flags = 1};

	assert_int_equal(COMMAND(f, IOMMU_VIOMMU_ALLOC, &viommu), -EOPNOTSUPP);
	viommu.type = 1;
	assert_int_equal(COMMAND(f, IOMMU_VIOMMU_ALLOC, &viommu), -ENOENT);
	viommu.dev_id = 1;
	assert_int_equal(COMMAND(f, IOMMU_VIOMMU_ALLOC, &viommu), -EOPNOTSUPP);
	assert_int_equal(COMMAND(f, IOMMU_VDEVICE_ALLOC, &vdevice), -ENOENT);
	assert_int_equal(COMMAND(f, IOMMU_VEVENTQ_ALLOC, &veventq), -EOPNOTSUPP);
	veventq.type = 1;
	assert_int_equal(COMMAND(f, IOMMU_VEVENTQ_ALLOC, &veventq), -EINVAL);
	veventq.veventq_depth = 1;
	assert_int_equal(COMMAND(f, IOMMU_VEVENTQ_ALLOC, &veventq), -ENOENT);
	assert_int_equal(COMMAND(f, IOMMU_HW_QUEUE_ALLOC, &queue), -EOPNOTSUPP);
	queue.type = 1;
	assert_int_equal(COMMAND(f, IOMMU_HW_QUEUE_ALLOC, &queue), -EINVAL);
	queue.length = 2;
	queue.nesting_parent_iova = UINT64_MAX;
	assert_int_equal(COMMAND(f, IOMMU_HW_QUEUE_ALLOC, &queue), -EOVERFLOW);
	queue.length = 1;
	assert_int_equal(COMMAND(f, IOMMU_HW_QUEUE_ALLOC, &queue), -ENOENT);
	assert_int_equal(COMMAND(f, IOMMU_FAULT_QUEUE_ALLOC, &fault), -EOPNOTSUPP);
	svf_idevice_unbind(idevice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_bind),
		FIXTURE_TEST(test_bind_not_viable),
		FIXTURE_TEST(test_bind_without_group),
		FIXTURE_TEST(test_attach),
		FIXTURE_TEST(test_attach_to_what),
		FIXTURE_TEST(test_replace),
		FIXTURE_TEST(test_replace_refused),
		FIXTURE_TEST(test_shared_group),
		FIXTURE_TEST(test_attach_looks),
		FIXTURE_TEST(test_attach_looks_between),
		FIXTURE_TEST(test_memlock),
		FIXTURE_TEST(test_hwpt_alloc),
		FIXTURE_TEST(test_hwpt_alloc_refused),
		FIXTURE_TEST(test_hw_info),
		FIXTURE_TEST(test_map_file),
		FIXTURE_TEST(test_dirty_tracking),
		FIXTURE_TEST(test_invalidate),
		FIXTURE_TEST(test_viommu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
