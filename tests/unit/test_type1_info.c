/* SPDX-License-Identifier: BSD-3-Clause */
/* core/vfio/type1_info.c: GET_INFO for callers of every size, byte for byte. */
#include "container_fixture.h"

struct answer {
	struct vfio_iommu_type1_info info;
	struct vfio_iommu_type1_info_cap_migration migration;
	struct vfio_iommu_type1_info_dma_avail dma_avail;
	uint32_t pad;
	struct vfio_info_cap_header header;
	uint32_t nr_iovas, reserved;
	struct vfio_iova_range ranges[2];
};

static long get_info(struct answer *answer, uint32_t argsz)
{
	memset(answer, 0xff, sizeof(*answer));
	answer->info.argsz = argsz;
	return test_ioctl(f.file, VFIO_IOMMU_GET_INFO, answer, sizeof(*answer));
}

static void test_too_small(void **state)
{
	struct answer answer;

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	assert_fails(get_info(&answer, 15), EINVAL, "argsz is 15, less than 16");
	assert_fails(test_ioctl(f.file, VFIO_IOMMU_GET_INFO, &answer, 15), EFAULT,
		     "cannot read 16 bytes");
}

/* The oldest structure ends before cap_offset, and nothing is written behind it. */
static void test_oldest(void **state)
{
	struct answer answer;

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	assert_int_equal(get_info(&answer, 16), 0);
	assert_int_equal(answer.info.argsz, sizeof(answer));
	assert_int_equal(answer.info.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
	assert_int_equal(answer.info.iova_pgsizes, 0x40201000);
	assert_int_equal(answer.info.cap_offset, UINT32_MAX);
}

static void test_no_room_for_caps(void **state)
{
	struct answer answer;

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	assert_int_equal(get_info(&answer, sizeof(answer) - 1), 0);
	assert_int_equal(answer.info.argsz, sizeof(answer));
	assert_int_equal(answer.info.cap_offset, 0);
	assert_int_equal(answer.migration.header.id, UINT16_MAX);
}

static void test_caps(void **state)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uint64_t)(uintptr_t)test_user_alloc(PAGE),
		.size = PAGE,
	};
	struct answer answer;

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	assert_int_equal(test_ioctl(f.file, VFIO_IOMMU_MAP_DMA, &map, sizeof(map)), 0);
	assert_int_equal(get_info(&answer, sizeof(answer) + 100), 0);
	assert_int_equal(answer.info.argsz, sizeof(answer) + 100);
	assert_int_equal(answer.info.cap_offset, 24);
	assert_int_equal(answer.migration.header.id, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	assert_int_equal(answer.migration.header.version, 1);
	assert_int_equal(answer.migration.header.next, 56);
	assert_int_equal(answer.migration.flags, 0);
	assert_int_equal(answer.migration.pgsize_bitmap, 4096);
	assert_int_equal(answer.migration.max_dirty_bitmap_size, 1 << 28);
	assert_int_equal(answer.dma_avail.header.id, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	assert_int_equal(answer.dma_avail.header.next, 72);
	assert_int_equal(answer.dma_avail.avail, 65534);
	assert_int_equal(answer.pad, 0);
	assert_int_equal(answer.header.id, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	assert_int_equal(answer.header.version, 1);
	assert_int_equal(answer.header.next, 0);
	assert_int_equal(answer.nr_iovas, 2);
	assert_int_equal(answer.ranges[0].start, 0);
	assert_int_equal(answer.ranges[0].end, 0xfedfffff);
	assert_int_equal(answer.ranges[1].start, 0xfef00000);
	assert_int_equal(answer.ranges[1].end, 0xffffffffffff);
}

static void test_answer_cannot_be_written(void **state)
{
	struct answer answer;

	(void)state;
	set_iommu(VFIO_TYPE1v2_IOMMU);
	for (unsigned long n = 1; n <= 3; n++) {
		test_fail_copy(n);
		assert_fails(get_info(&answer, sizeof(answer)), EFAULT, "of the caller");
	}
	assert_int_equal(get_info(&answer, sizeof(answer)), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_too_small),
		TEST(test_oldest),
		TEST(test_no_room_for_caps),
		TEST(test_caps),
		TEST(test_answer_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
