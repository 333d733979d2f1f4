/* SPDX-License-Identifier: BSD-3-Clause */
/* core/iommufd/vfio_compat.c: container commands on /dev/iommu. */
#include "iommufd.h"

#include <stdlib.h>

static long vfio_ioas(struct fixture *f, uint16_t op, uint32_t *id)
{
	struct iommu_vfio_ioas cmd = {.size = sizeof(cmd), .op = op, .ioas_id = *id};
	long ret = COMMAND(f, IOMMU_VFIO_IOAS, &cmd);

	*id = cmd.ioas_id;
	return ret;
}

/* As a group's SET_CONTAINER does. */
static uint32_t compat_create(struct fixture *f)
{
	struct svf_call call = test_call(f->machine);
	uint32_t id;

	assert_int_equal(svf_vfio_compat_ioas_create(f->ictx, &call), 0);
	assert_int_equal(svf_vfio_compat_ioas_id(f->ictx, &call, &id), 0);
	return id;
}

static long map_dma(struct fixture *f, uint32_t flags, const void *p, uint64_t size, uint64_t iova)
{
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = flags,
		.vaddr = user(p),
		.iova = iova,
		.size = size,
	};

	return COMMAND(f, VFIO_IOMMU_MAP_DMA, &cmd);
}

#define MAP_RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

/* *unmapped: what the command wrote. */
static long unmap_dma(struct fixture *f, uint32_t flags, uint64_t iova, uint64_t size,
		      uint64_t *unmapped)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd), .flags = flags, .iova = iova, .size = size};
	long ret = COMMAND(f, VFIO_IOMMU_UNMAP_DMA, &cmd);

	*unmapped = cmd.size;
	return ret;
}

static void test_vfio_ioas(void **state)
{
	struct fixture *f = *state;
	struct iommu_vfio_ioas reserved = {.size = sizeof(reserved), .op = 9, .reserved = 1};
	struct svf_call call = test_call(f->machine);
	uint32_t id = 9, ioas;

	assert_int_equal(COMMAND(f, IOMMU_VFIO_IOAS, &reserved), -EOPNOTSUPP);
	assert_int_equal(vfio_ioas(f, 3, &id), -EOPNOTSUPP);
	assert_int_equal(vfio_ioas(f, IOMMU_VFIO_IOAS_GET, &id), -ENODEV);
	assert_int_equal(vfio_ioas(f, IOMMU_VFIO_IOAS_SET, &id), -ENOENT);
	assert_int_equal(svf_vfio_compat_ioas_id(f->ictx, &call, &id), -ENODEV);
	ioas = id = ioas_alloc(f);
	assert_int_equal(vfio_ioas(f, IOMMU_VFIO_IOAS_SET, &id), 0);
	id = 0;
	assert_int_equal(vfio_ioas(f, IOMMU_VFIO_IOAS_GET, &id), 0);
	assert_int_equal(id, ioas);
	/* A group's container takes the one that is set. */
	assert_int_equal(compat_create(f), ioas);
	assert_int_equal(vfio_ioas(f, IOMMU_VFIO_IOAS_CLEAR, &id), 0);
	assert_int_equal(vfio_ioas(f, IOMMU_VFIO_IOAS_GET, &id), -ENODEV);
	id = compat_create(f);
	assert_int_not_equal(id, ioas);
	assert_int_equal(object_destroy(f, id), 0);
	assert_int_equal(vfio_ioas(f, IOMMU_VFIO_IOAS_GET, &id), -ENODEV);
}

static void test_without_ioas(void **state)
{
	struct fixture *f = *state;
	struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
	uint64_t unmapped;

	assert_int_equal(test_ioctl_value(f->file, VFIO_GET_API_VERSION, 0), 0);
	assert_int_equal(test_ioctl_value(f->file, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
	assert_int_equal(test_ioctl_value(f->file, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU),
			 -ENODEV);
	assert_int_equal(test_ioctl_value(f->file, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), -ENODEV);
	assert_int_equal(test_ioctl_value(f->file, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU), -EINVAL);
	assert_int_equal(COMMAND(f, VFIO_IOMMU_GET_INFO, &info), -ENODEV);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, PAGE, 0), -ENODEV);
	assert_int_equal(unmap_dma(f, 0, 0, PAGE, &unmapped), -ENODEV);
}

static void test_check_extension(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t id = compat_create(f);
	static const struct {
		uint64_t extension;
		long value;
	} cases[] = {
		{VFIO_TYPE1_IOMMU, 1},
		{VFIO_TYPE1v2_IOMMU, 1},
		{VFIO_UNMAP_ALL, 1},
		{VFIO_NOIOMMU_IOMMU, 1},
		{VFIO_DMA_CC_IOMMU, 1},
		{VFIO_UPDATE_VADDR, 0},
		{VFIO_SPAPR_TCE_v2_IOMMU, 0},
		{6, 0},
		{UINT64_MAX, 0},
	};

	for (size_t i = 0; i < SVF_ARRAY_SIZE(cases); i++)
		assert_int_equal(test_ioctl_value(f->file, VFIO_CHECK_EXTENSION,
						  cases[i].extension),
				 cases[i].value);
	/* With a HWPT in use that does not force coherency. */
	assert_int_equal(device_attach(f, idevice, &id), 0);
	assert_int_equal(test_ioctl_value(f->file, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 0);
	svf_idevice_unbind(idevice);
}

static void test_map(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t id = compat_create(f);
	struct vfio_iommu_type1_dma_map small = {
		.argsz = sizeof(small) - 1, .flags = MAP_RW, .size = PAGE};

	assert_int_equal(COMMAND(f, VFIO_IOMMU_MAP_DMA, &small), -EINVAL);
	assert_int_equal(command(f, VFIO_IOMMU_MAP_DMA, &small, sizeof(small) - 1), -EFAULT);
	assert_int_equal(map_dma(f, MAP_RW | VFIO_DMA_MAP_FLAG_VADDR, f->memory, PAGE, 0), -EINVAL);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, 0, 0), -EINVAL);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, UINT64_MAX, 0), -EOVERFLOW);
	assert_int_equal(device_attach(f, idevice, &id), 0);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, PAGE, 0xfee00000), -EINVAL);
	assert_int_equal(map_dma(f, 0, f->memory, PAGE, 0), -EINVAL);
	assert_int_equal(map_dma(f, 0, (void *)0x10000, PAGE, 0), -EFAULT);
	assert_int_equal(map_dma(f, VFIO_DMA_MAP_FLAG_READ, f->memory, PAGE, 0), 0);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, PAGE, 0), -EEXIST);
	assert_int_equal(svf_dma_write(f->a, 0, &(uint8_t){0}, 1), -EFAULT);
	assert_int_equal(svf_dma_read(f->a, 0, &(uint8_t){0}, 1), 0);
	svf_idevice_unbind(idevice);
}

/* Neither readable nor writeable passes while nobody has to make a page table of it. */
static void test_map_without_rights(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t id = compat_create(f);

	assert_int_equal(map_dma(f, 0, f->memory, PAGE, 0), 0);
	assert_int_equal(device_attach(f, idevice, &id), -EINVAL);
	svf_idevice_unbind(idevice);
}

static void test_unmap(void **state)
{
	struct fixture *f = *state;
	struct vfio_iommu_type1_dma_unmap small = {.argsz = sizeof(small) - 1};
	uint64_t unmapped;

	compat_create(f);
	assert_int_equal(COMMAND(f, VFIO_IOMMU_UNMAP_DMA, &small), -EINVAL);
	assert_int_equal(unmap_dma(f, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, 0, PAGE, &unmapped),
			 -EINVAL);
	assert_int_equal(unmap_dma(f, 0, 0, PAGE, &unmapped), 0);
	assert_int_equal(unmapped, 0);
	assert_int_equal(unmap_dma(f, 0, 0, 0, &unmapped), -EINVAL);
	assert_int_equal(unmap_dma(f, 0, UINT64_MAX, 2, &unmapped), -EOVERFLOW);
	assert_int_equal(unmapped, 0);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, 4 * PAGE, 0), 0);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, PAGE, 8 * PAGE), 0);
	assert_int_equal(unmap_dma(f, 0, 0, PAGE, &unmapped), -ENOENT);
	assert_int_equal(unmapped, 0);
	assert_int_equal(unmap_dma(f, 0, 0, 5 * PAGE, &unmapped), 0);
	assert_int_equal(unmapped, 4 * PAGE);
	assert_int_equal(unmap_dma(f, VFIO_DMA_UNMAP_FLAG_ALL, 0, 1, &unmapped), -EINVAL);
	assert_int_equal(unmap_dma(f, VFIO_DMA_UNMAP_FLAG_ALL, 1, 0, &unmapped), -EINVAL);
	assert_int_equal(unmap_dma(f, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0, &unmapped), 0);
	assert_int_equal(unmapped, PAGE);
	assert_int_equal(unmap_dma(f, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0, &unmapped), 0);
	assert_int_equal(unmapped, 0);
}

/* TYPE1 (v1) unmaps part of a mapping by cutting it. */
static void test_cut(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t id = compat_create(f);
	uint64_t unmapped;
	uint8_t byte;

	f->machine->params.enforce_memlock = true;
	assert_int_equal(test_ioctl_value(f->file, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	assert_int_equal(device_attach(f, idevice, &id), 0);
	assert_int_equal(test_ioctl_value(f->file, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), 0);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, 4 * PAGE, 4 * PAGE), 0);
	assert_int_equal(test_locked_pages(0), 4);
	f->memory[0] = 1;
	f->memory[3 * PAGE] = 4;
	assert_int_equal(unmap_dma(f, 0, 5 * PAGE, 2 * PAGE, &unmapped), 0);
	assert_int_equal(unmapped, 2 * PAGE);
	assert_int_equal(f->machine->used.mappings, 2);
	assert_int_equal(test_locked_pages(0), 2);
	assert_int_equal(svf_dma_read(f->a, 4 * PAGE, &byte, 1), 0);
	assert_int_equal(byte, 1);
	assert_int_equal(svf_dma_read(f->a, 5 * PAGE, &byte, 1), -EFAULT);
	assert_int_equal(svf_dma_read(f->a, 7 * PAGE, &byte, 1), 0);
	assert_int_equal(byte, 4);
	assert_int_equal(unmap_dma(f, 0, 4 * PAGE, PAGE / 2, &unmapped), -EINVAL);
	/* The unmap may span a hole, and more than is mapped. */
	assert_int_equal(unmap_dma(f, 0, 0, 16 * PAGE, &unmapped), 0);
	assert_int_equal(unmapped, 2 * PAGE);
	assert_int_equal(test_locked_pages(0), 0);
	svf_idevice_unbind(idevice);
}

static void test_cut_needs_room(void **state)
{
	struct fixture *f = *state;
	uint64_t unmapped;

	compat_create(f);
	assert_int_equal(test_ioctl_value(f->file, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), 0);
	f->machine->limits.mappings = 1;
	assert_int_equal(map_dma(f, MAP_RW, f->memory, 4 * PAGE, 0), 0);
	assert_int_equal(unmap_dma(f, 0, PAGE, PAGE, &unmapped), -ENOMEM);
	assert_int_equal(unmap_dma(f, 0, 0, 4 * PAGE, &unmapped), 0);
	assert_int_equal(unmapped, 4 * PAGE);
}

static void test_set_iommu(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t id = compat_create(f);

	assert_int_equal(test_ioctl_value(f->file, VFIO_SET_IOMMU, 2), -EINVAL);
	assert_int_equal(device_attach(f, idevice, &id), 0);
	assert_int_equal(map_dma(f, MAP_RW, f->memory, PAGE, 0), 0);
	/* Mapped in large pages perhaps: too late for v1. */
	assert_int_equal(test_ioctl_value(f->file, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), -EINVAL);
	assert_int_equal(test_ioctl_value(f->file, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), 0);
	svf_idevice_unbind(idevice);
}

struct full_info {
	struct vfio_iommu_type1_info info;
	struct vfio_iommu_type1_info_dma_avail avail;
	uint32_t pad;
	struct {
		struct vfio_info_cap_header header;
		uint32_t nr_iovas, reserved;
		struct vfio_iova_range ranges[3];
	} iova;
};

static void test_get_info(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t id = compat_create(f);
	struct full_info info = {.info.argsz = 15};

	assert_int_equal(COMMAND(f, VFIO_IOMMU_GET_INFO, &info), -EINVAL);
	info.info.argsz = 16;
	assert_int_equal(command(f, VFIO_IOMMU_GET_INFO, &info, 16), 0);
	assert_int_equal(info.info.argsz, 24 + 16 + 32);
	assert_int_equal(info.info.flags, VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS);
	assert_int_equal(info.info.iova_pgsizes, ~(PAGE - 1));
	assert_int_equal(device_attach(f, idevice, &id), 0);
	info.info.argsz = sizeof(info);
	assert_int_equal(COMMAND(f, VFIO_IOMMU_GET_INFO, &info), 0);
	assert_int_equal(info.info.argsz, 24 + 16 + 48);
	assert_int_equal(info.info.iova_pgsizes, SVF_IOMMU_PAGE_SIZES);
	assert_int_equal(info.info.cap_offset, 24);
	assert_int_equal(info.avail.header.id, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	assert_int_equal(info.avail.header.version, 1);
	assert_int_equal(info.avail.header.next, 40);
	assert_int_equal(info.avail.avail, UINT32_MAX);
	assert_int_equal(info.iova.header.id, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	assert_int_equal(info.iova.header.version, 1);
	assert_int_equal(info.iova.header.next, 0);
	assert_int_equal(info.iova.nr_iovas, 2);
	assert_int_equal(info.iova.ranges[0].end, SVF_MSI_WINDOW_FIRST - 1);
	assert_int_equal(info.iova.ranges[1].start, SVF_MSI_WINDOW_LAST + 1);
	assert_int_equal(info.iova.ranges[1].end, SVF_IOVA_LAST);
	svf_idevice_unbind(idevice);
}

/* With room for the first capability only, it is written, and the offset of the chain is not told.
 */
static void test_get_info_small(void **state)
{
	struct fixture *f = *state;
	struct full_info info;

	compat_create(f);
	for (uint32_t argsz = 16; argsz < 72; argsz++) {
		memset(&info, 0xee, sizeof(info));
		info.info.argsz = argsz;
		assert_int_equal(command(f, VFIO_IOMMU_GET_INFO, &info, argsz), 0);
		assert_int_equal(info.info.argsz, 72);
		if (argsz >= 20)
			assert_int_equal(info.info.cap_offset, 0);
		assert_int_equal(info.avail.avail, argsz >= 36 ? UINT32_MAX : 0xeeeeeeee);
		assert_int_equal(info.avail.header.next, argsz >= 40   ? 40
							 : argsz >= 36 ? 0
								       : 0xeeeeeeee);
		assert_int_equal(info.iova.header.id, 0xeeee);
	}
	info.info.argsz = 72;
	assert_int_equal(command(f, VFIO_IOMMU_GET_INFO, &info, 71), -EFAULT);
	info.info.argsz = 72;
	assert_int_equal(command(f, VFIO_IOMMU_GET_INFO, &info, 72), 0);
	assert_int_equal(info.info.cap_offset, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_vfio_ioas),
		FIXTURE_TEST(test_without_ioas),
		FIXTURE_TEST(test_check_extension),
		FIXTURE_TEST(test_map),
		FIXTURE_TEST(test_map_without_rights),
		FIXTURE_TEST(test_unmap),
		FIXTURE_TEST(test_cut),
		FIXTURE_TEST(test_cut_needs_room),
		FIXTURE_TEST(test_set_iommu),
		FIXTURE_TEST(test_get_info),
		FIXTURE_TEST(test_get_info_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
