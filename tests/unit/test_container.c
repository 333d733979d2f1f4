/* SPDX-License-Identifier: BSD-3-Clause */
/* core/vfio/container.c: the container before, with and after its IOMMU. */
#include "container_fixture.h"
#include "core/iommu/requester.h"

static void test_version_and_limits(void **state)
{
	struct svf_call call = test_call(f.machine);
	struct svf_file *file;

	(void)state;
	assert_int_equal(test_ioctl_value(f.file, VFIO_GET_API_VERSION, 0), 0);
	f.machine->limits.files = 1;
	assert_int_equal(svf_container_open(f.machine, &call, &file), -EMFILE);
	assert_non_null(strstr(call.reason, "no more than 1 open files"));
	assert_int_equal(svf_file_read(f.file, &call, NULL, 0, 0), -EINVAL);
}

/* extension, before SET_IOMMU, after */
static void test_check_extension(void **state)
{
	static const struct {
		uint64_t extension;
		long before, after;
	} cases[] = {
		{0, 0, 0},
		{VFIO_TYPE1_IOMMU, 1, 1},
		{VFIO_SPAPR_TCE_IOMMU, 0, 0},
		{VFIO_TYPE1v2_IOMMU, 1, 1},
		{VFIO_DMA_CC_IOMMU, 0, 0},
		{VFIO_EEH, 0, 0},
		{6, 0, 0}, /* was nesting */
		{VFIO_SPAPR_TCE_v2_IOMMU, 0, 0},
		{VFIO_NOIOMMU_IOMMU, 0, 0},
		{VFIO_UNMAP_ALL, 1, 1},
		{VFIO_UPDATE_VADDR, 0, 1},
		{11, 0, 0},
		{1ull << 32 | VFIO_TYPE1_IOMMU, 0, 0},
		{UINT64_MAX, 0, 0},
	};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++)
		assert_int_equal(test_ioctl_value(f.file, VFIO_CHECK_EXTENSION, cases[i].extension),
				 cases[i].before);
	set_iommu(VFIO_TYPE1_IOMMU);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++)
		assert_int_equal(test_ioctl_value(f.file, VFIO_CHECK_EXTENSION, cases[i].extension),
				 cases[i].after);
}

/*
 * No-IOMMU is offered while the parameter is set and no group says otherwise, and never to be had.
 * /
 */
static void test_noiommu(void **state)
{
	(void)state;
	f.machine->params.enable_unsafe_noiommu_mode = true;
	assert_int_equal(test_ioctl_value(f.file, VFIO_CHECK_EXTENSION, VFIO_NOIOMMU_IOMMU), 1);
	assert_int_equal(attach_group(0), 0);
	assert_int_equal(test_ioctl_value(f.file, VFIO_CHECK_EXTENSION, VFIO_NOIOMMU_IOMMU), 0);
	assert_fails(test_ioctl_value(f.file, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU), ENODEV,
		     "no-IOMMU type");
}

static void test_set_iommu(void **state)
{
	(void)state;
	assert_fails(test_ioctl_value(f.file, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), EINVAL,
		     "no group is in the container");
	assert_int_equal(attach_group(0), 0);
	assert_fails(test_ioctl_value(f.file, VFIO_SET_IOMMU, 0), ENODEV, "0 is no IOMMU type");
	assert_fails(test_ioctl_value(f.file, VFIO_SET_IOMMU, VFIO_SPAPR_TCE_IOMMU), ENODEV,
		     "2 is no IOMMU type");
	assert_fails(test_ioctl_value(f.file, VFIO_SET_IOMMU, VFIO_UPDATE_VADDR), ENODEV,
		     "10 is no IOMMU type");
	/* An extension that type1 has, and is no type. */
	assert_fails(test_ioctl_value(f.file, VFIO_SET_IOMMU, VFIO_UNMAP_ALL), EINVAL,
		     "9 is no IOMMU type");
	assert_null(f.container->type1);
	assert_int_equal(test_ioctl_value(f.file, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	assert_true(f.container->type1->v2);
	assert_ptr_equal(f.fn[0]->requester->space, &f.container->type1->space);
	assert_fails(test_ioctl_value(f.file, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), EINVAL,
		     "set already, to type1v2");
	assert_fails(test_ioctl_value(f.file, VFIO_SET_IOMMU, 99), EINVAL, "set already");
}

/*
 * Every command of the IOMMU is EINVAL without one, known or not, and before its argument is looked
 * at.
 */
static void test_commands_without_iommu(void **state)
{
	static const uint32_t commands[] = {VFIO_IOMMU_GET_INFO, VFIO_IOMMU_MAP_DMA,
					    VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_DIRTY_PAGES};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(commands); i++)
		assert_fails(test_ioctl_value(f.file, commands[i], 0), EINVAL, "IOMMU is not set");
	assert_fails(test_ioctl_value(f.file, VFIO_IOMMU_ENABLE, 0), EINVAL,
		     "no IOMMU set that could have it");
	set_iommu(VFIO_TYPE1_IOMMU);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(commands) - 1; i++)
		assert_fails(test_ioctl_value(f.file, commands[i], 0), EFAULT, "cannot read");
	assert_fails(test_ioctl_value(f.file, VFIO_IOMMU_ENABLE, 0), ENOTTY, "neither");
	assert_fails(test_ioctl_value(f.file, VFIO_GROUP_GET_STATUS, 0), ENOTTY, "neither");
}

static void test_attach_needs_ownership(void **state)
{
	struct svf_call call = test_call(f.machine);
	int stranger;

	(void)state;
	assert_int_equal(svf_iommu_group_claim(f.fn[0]->group, &call, &stranger), 0);
	assert_int_equal(svf_container_attach_group(f.container, &f.group[0], &call), -EPERM);
	assert_non_null(strstr(call.reason, "owned by another VFIO user"));
	assert_null(f.group[0].container);
	svf_iommu_group_release(f.fn[0]->group);
	assert_int_equal(attach_group(0), 0);
	assert_ptr_equal(f.fn[0]->group->owner, &f.group[0]);
}

/* The last group takes the IOMMU and the mappings with it; a container may begin anew. */
static void test_groups_come_and_go(void **state)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uint64_t)(uintptr_t)test_user_alloc(PAGE),
		.size = PAGE,
	};
	uint8_t byte;

	(void)state;
	set_iommu(VFIO_TYPE1_IOMMU);
	assert_int_equal(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map)), 0);
	assert_int_equal(attach_group(1), 0);
	assert_int_equal(svf_dma_read(f.fn[1], 0, &byte, 1), 0);
	assert_int_equal(f.container->type1->space.attached, 2);
	svf_container_detach_group(&f.group[0]);
	assert_null(f.fn[0]->group->owner);
	assert_int_equal(svf_dma_read(f.fn[0], 0, &byte, 1), -EFAULT);
	assert_int_equal(svf_dma_read(f.fn[1], 0, &byte, 1), 0);
	svf_container_detach_group(&f.group[1]);
	assert_null(f.container->type1);
	assert_int_equal(f.machine->used.mappings, 0);
	set_iommu(VFIO_TYPE1v2_IOMMU);
	assert_int_equal(f.container->type1->space.count, 0);
}

static void test_use(void **state)
{
	struct svf_call call = test_call(f.machine);

	(void)state;
	assert_int_equal(attach_group(0), 0);
	assert_int_equal(svf_container_use(&f.group[0], &call), -EINVAL);
	assert_non_null(strstr(call.reason, "VFIO_SET_IOMMU first"));
	assert_int_equal(test_ioctl_value(f.file, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), 0);
	assert_int_equal(svf_container_use(&f.group[0], &call), 0);
	assert_int_equal(f.group[0].container_users, 1);
	svf_container_unuse(&f.group[0]);
	assert_int_equal(f.group[0].container_users, 0);
}

/* The file is closed first: mappings live on until the group leaves. */
static void test_outlives_its_file(void **state)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uint64_t)(uintptr_t)test_user_alloc(PAGE),
		.size = PAGE,
	};
	struct svf_call call = test_call(f.machine);
	struct svf_file *other;
	uint8_t byte;

	(void)state;
	set_iommu(VFIO_TYPE1_IOMMU);
	assert_int_equal(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map)), 0);
	assert_int_equal(svf_container_open(f.machine, &call, &other), 0);
	svf_file_close(f.file);
	f.file = other;
	assert_int_equal(svf_dma_read(f.fn[0], 0, &byte, 1), 0);
	svf_container_detach_group(&f.group[0]);
	assert_int_equal(f.machine->used.mappings, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_version_and_limits),
		TEST(test_check_extension),
		TEST(test_noiommu),
		TEST(test_set_iommu),
		TEST(test_commands_without_iommu),
		TEST(test_attach_needs_ownership),
		TEST(test_groups_come_and_go),
		TEST(test_use),
		TEST(test_outlives_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
