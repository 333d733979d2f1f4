/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mock IOMMU of the kernel's selftests: pages of 2 KiB, half of the CPU's, an aperture that
 * begins above 0, dirty tracking, nesting with four words that stand for a cache, PASIDs, page
 * requests, vIOMMUs with queues. Nothing does DMA behind it: its devices are nowhere else.
 *
 * The table of kind HUGE has no aperture and pages of 1 MiB and 4 KiB. A page is the unit in which
 * writes are known: with large pages 1 MiB of kind HUGE, 4 KiB otherwise, since memory is not known
 * here to be contiguous beyond that.
 */
#include <errno.h>
#include <string.h>

#include "core/iommufd/selftest.h"
#include "core/machine.h"
#include "uapi/iommufd.h"

/* What a table with 56 bits of IOVA can reach. */
#define TABLE_LAST 0x00ffffffffffffffull
/* Each power of two from MOCK_PAGE_SIZE up to 64 GiB. */
#define DEFAULT_PAGE_SIZES 0x0000001ffffff800ull

static void hw_info(void *data)
{
	const struct iommu_test_hw_info info = {.test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL};

	memcpy(data, &info, sizeof(info));
}

static uint64_t capabilities(const struct svf_idevice *idevice)
{
	bool dirty = !(idevice->mock->flags & MOCK_FLAGS_DEVICE_NO_DIRTY);

	return IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED | (dirty ? IOMMU_HW_CAP_DIRTY_TRACKING : 0);
}

/* --- HWPTs --- */

static int set_domain(struct svf_hwpt *hwpt, struct svf_call *call, uint32_t kind)
{
	switch (kind) {
	case MOCK_IOMMUPT_DEFAULT:
		hwpt->domain = (struct svf_domain){
			.aperture = {MOCK_APERTURE_START, MOCK_APERTURE_LAST},
			.page_sizes = DEFAULT_PAGE_SIZES,
		};
		return 0;
	case MOCK_IOMMUPT_HUGE:
		hwpt->domain = (struct svf_domain){
			.aperture = {0, TABLE_LAST},
			.page_sizes = MOCK_HUGE_PAGE_SIZE | SVF_IOMMU_PAGE_SIZE,
		};
		return 0;
	default:
		return svf_fail(call, -EOPNOTSUPP, "page table of unknown kind %u", kind);
	}
}

static int alloc_paging(struct svf_idevice *idevice, struct svf_call *call, uint32_t flags,
			const struct svf_user_data *data, struct svf_hwpt *hwpt)
{
	struct iommu_hwpt_selftest config = {0};
	bool huge;
	int err = 0;

	(void)idevice;
	if (data && data->type != IOMMU_HWPT_DATA_SELFTEST)
		return svf_fail(call, -EOPNOTSUPP, "data of type 0x%x", data->type);
	if (data)
		err = svf_user_data_copy(call, data, IOMMU_HWPT_DATA_SELFTEST, &config,
					 sizeof(config),
					 svf_offsetofend(struct iommu_hwpt_selftest, iotlb));
	if (!err)
		err = set_domain(hwpt, call, config.pagetable_type);
	if (err || !(flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING))
		return err;
	huge = config.pagetable_type == MOCK_IOMMUPT_HUGE && !hwpt->ioas->disable_large_pages;
	hwpt->dirty_unit = huge ? MOCK_HUGE_PAGE_SIZE : SVF_IOMMU_PAGE_SIZE;
	return 0;
}

static int fill_nested(struct svf_call *call, uint32_t flags, const struct svf_user_data *data,
		       struct svf_hwpt *hwpt)
{
	struct iommu_hwpt_selftest config;
	int err;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x are not known", flags);
	if (data->type != IOMMU_HWPT_DATA_SELFTEST)
		return svf_fail(call, -EOPNOTSUPP, "data of type 0x%x", data->type);
	err = svf_user_data_copy(call, data, IOMMU_HWPT_DATA_SELFTEST, &config, sizeof(config),
				 svf_offsetofend(struct iommu_hwpt_selftest, iotlb));
	if (err)
		return err;
	for (unsigned int i = 0; i < SVF_IOTLB_ENTRIES; i++)
		hwpt->iotlb[i] = config.iotlb;
	return 0;
}

/* One entry of an array, as long as the user says its entries are. */
static int copy_entry(struct svf_call *call, const struct svf_user_array *array, uint32_t i,
		      void *dst, uint32_t size)
{
	const struct svf_user_data data = {
		.type = array->type,
		.len = array->entry_len,
		.uptr = array->uptr + (uint64_t)array->entry_len * i,
	};

	return svf_user_data_copy(call, &data, array->type, dst, size, size);
}

static int invalidate_iotlb(struct svf_hwpt *hwpt, struct svf_call *call,
			    const struct iommu_hwpt_invalidate_selftest *entry)
{
	if (entry->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x are not known", entry->flags);
	if (entry->iotlb_id >= SVF_IOTLB_ENTRIES)
		return svf_fail(call, -EINVAL, "there is no cache entry %u", entry->iotlb_id);
	if (entry->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL)
		memset(hwpt->iotlb, 0, sizeof(hwpt->iotlb));
	else
		hwpt->iotlb[entry->iotlb_id] = 0;
	return 0;
}

static int invalidate_nested(struct svf_hwpt *hwpt, struct svf_call *call,
			     const struct svf_user_array *array, uint32_t *ret_done)
{
	struct iommu_hwpt_invalidate_selftest entry;

	if (array->type != IOMMU_HWPT_INVALIDATE_DATA_SELFTEST)
		return svf_fail(call, -EINVAL, "data of type 0x%x", array->type);
	for (uint32_t i = 0; i < array->entry_num; i++) {
		int err = copy_entry(call, array, i, &entry, sizeof(entry));

		if (!err)
			err = invalidate_iotlb(hwpt, call, &entry);
		if (err)
			return err;
		++*ret_done;
	}
	return 0;
}

/* --- attaching --- */

/* A test has asked for the second attachment to this PASID in a row to fail. */
static int check_reserved_pasid(struct svf_mock_device *mock, struct svf_call *call, uint32_t pasid,
				const struct svf_hwpt *hwpt)
{
	bool fail = mock->fail_reserved_pasid;

	if (pasid != IOMMU_TEST_PASID_RESERVED)
		return 0;
	mock->fail_reserved_pasid = hwpt && !fail;
	if (hwpt && fail)
		return svf_fail(call, -ENOMEM, "PASID %u fails every other time", pasid);
	return 0;
}

static int attach(struct svf_idevice *idevice, struct svf_call *call, uint32_t pasid,
		  struct svf_hwpt *hwpt, struct svf_hwpt *old)
{
	struct svf_mock_device *mock = idevice->mock;
	struct svf_viommu *viommu = hwpt ? hwpt->viommu : NULL;
	const struct svf_vdevice *vdevice = idevice->vdevice;

	(void)old;
	if (pasid != SVF_NO_PASID)
		return check_reserved_pasid(mock, call, pasid, hwpt);
	if (hwpt && hwpt->dirty_unit && (mock->flags & MOCK_FLAGS_DEVICE_NO_DIRTY))
		return svf_fail(call, -EINVAL, "HWPT %u tracks dirty pages, and the device cannot",
				hwpt->obj.id);
	if (viommu && (!vdevice || vdevice->viommu != viommu))
		return svf_fail(call, -ENOENT,
				"the device has no vDEVICE in vIOMMU %u; allocate one first",
				viommu->obj.id);
	mock->viommu = viommu;
	mock->virt_id = viommu ? vdevice->virt_id : 0;
	return 0;
}

/* --- vIOMMUs --- */

static int viommu_check(struct svf_call *call, uint32_t type)
{
	if (type != IOMMU_VIOMMU_TYPE_SELFTEST)
		return svf_fail(call, -EOPNOTSUPP, "the IOMMU has no vIOMMU of type 0x%x", type);
	return 0;
}

static int invalidate_cache(const struct svf_viommu *viommu, struct svf_call *call,
			    const struct iommu_viommu_invalidate_selftest *entry)
{
	const struct svf_vdevice *vdevice;
	uint32_t *cache;

	if (entry->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x are not known", entry->flags);
	if (entry->cache_id >= MOCK_DEV_CACHE_NUM)
		return svf_fail(call, -EINVAL, "there is no cache entry %u", entry->cache_id);
	vdevice = svf_viommu_find_vdevice(viommu, entry->vdev_id);
	if (!vdevice)
		return svf_fail(call, -EINVAL, "vIOMMU %u has no vDEVICE 0x%x", viommu->obj.id,
				entry->vdev_id);
	cache = vdevice->idevice->mock->cache;
	if (entry->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL)
		memset(cache, 0, MOCK_DEV_CACHE_NUM * sizeof(cache[0]));
	else
		cache[entry->cache_id] = 0;
	return 0;
}

/* A shorter entry is extended by zeroes, a longer one may have only zeroes behind. */
static int copy_cache_entry(struct svf_call *call, const struct svf_user_array *array, uint32_t i,
			    struct iommu_viommu_invalidate_selftest *entry)
{
	uint64_t at = array->uptr + (uint64_t)array->entry_len * i;
	uint32_t known =
		array->entry_len < sizeof(*entry) ? array->entry_len : (uint32_t)sizeof(*entry);
	int err;

	memset(entry, 0, sizeof(*entry));
	err = svf_copy_from_user(call, entry, at, known);
	for (uint32_t n = known; !err && n < array->entry_len; n++) {
		uint8_t byte = 0;

		err = svf_copy_from_user(call, &byte, at + n, 1);
		if (byte)
			err = svf_fail(call, -E2BIG, "byte %u of entry %u is not zero", n, i);
	}
	return err;
}

static int viommu_invalidate(struct svf_viommu *viommu, struct svf_call *call,
			     const struct svf_user_array *array, uint32_t *ret_done)
{
	struct iommu_viommu_invalidate_selftest entry;

	if (array->type != IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST)
		return svf_fail(call, -EINVAL, "data of type 0x%x", array->type);
	/* All are read before the first is carried out. */
	for (uint32_t i = 0; i < array->entry_num; i++) {
		int err = copy_cache_entry(call, array, i, &entry);

		if (err)
			return err;
	}
	for (uint32_t i = 0; i < array->entry_num; i++) {
		int err = copy_cache_entry(call, array, i, &entry);

		if (!err)
			err = invalidate_cache(viommu, call, &entry);
		if (err)
			return err;
		++*ret_done;
	}
	return 0;
}

static int check_hw_queue_type(struct svf_call *call, uint32_t type)
{
	if (type != IOMMU_HW_QUEUE_TYPE_SELFTEST)
		return svf_fail(call, -EOPNOTSUPP, "the vIOMMU has no queue of type 0x%x", type);
	return 0;
}

/* Queues come in order, each held by the next. */
static int hw_queue_init(struct svf_hw_queue *queue, struct svf_call *call)
{
	struct svf_viommu *viommu = queue->viommu;

	if (queue->index >= IOMMU_TEST_HW_QUEUE_MAX)
		return svf_fail(call, -EINVAL, "queue %u, of %u", queue->index,
				IOMMU_TEST_HW_QUEUE_MAX);
	if (viommu->hw_queues[queue->index])
		return svf_fail(call, -EEXIST, "vIOMMU %u has a queue %u already", viommu->obj.id,
				queue->index);
	if (queue->index && !viommu->hw_queues[queue->index - 1])
		return svf_fail(call, -EIO, "queue %u comes before queue %u", queue->index - 1,
				queue->index);
	if (queue->index) {
		queue->prev = viommu->hw_queues[queue->index - 1];
		queue->prev->obj.users++;
	}
	viommu->hw_queues[queue->index] = queue;
	queue->placed = true;
	return 0;
}

static const struct svf_viommu_ops viommu_ops = {
	.alloc_nested = fill_nested,
	.invalidate = viommu_invalidate,
	.check_hw_queue_type = check_hw_queue_type,
	.hw_queue_init = hw_queue_init,
};

/* Two pages that the user can map, with what it gave in the first word. */
static int give_memory(struct svf_viommu *viommu, struct svf_call *call,
		       const struct svf_user_data *data)
{
	struct svf_machine *machine = viommu->ictx->file.machine;
	struct iommu_viommu_selftest config;
	int err;

	err = svf_user_data_copy(call, data, IOMMU_VIOMMU_TYPE_SELFTEST, &config, sizeof(config),
				 svf_offsetofend(struct iommu_viommu_selftest, out_data));
	if (err)
		return err;
	err = machine->port->ram_alloc(machine, 2 * SVF_IOMMU_PAGE_SIZE, &viommu->ram);
	if (err)
		return svf_fail(call, err, "out of memory for what a vIOMMU shows");
	viommu->mmap_offset = svf_ictx_mmap_offset(viommu->ictx, viommu->ram->size);
	memcpy(viommu->ram->base, &config.in_data, sizeof(config.in_data));
	config.out_data = config.in_data;
	config.out_mmap_length = viommu->ram->size;
	config.out_mmap_offset = viommu->mmap_offset;
	return svf_copy_to_user(call, data->uptr, &config,
				data->len < sizeof(config) ? data->len : sizeof(config));
}

static int viommu_init(struct svf_viommu *viommu, struct svf_call *call,
		       const struct svf_user_data *data)
{
	viommu->ops = &viommu_ops;
	return data ? give_memory(viommu, call, data) : 0;
}

const struct svf_iommu_ops svf_mock_ops = {
	.hw_info_type = IOMMU_HW_INFO_TYPE_SELFTEST,
	.hw_info_size = sizeof(struct iommu_test_hw_info),
	.hw_info = hw_info,
	.capabilities = capabilities,
	.alloc_paging = alloc_paging,
	.alloc_nested = fill_nested,
	.invalidate_nested = invalidate_nested,
	.attach = attach,
	.viommu_check = viommu_check,
	.viommu_init = viommu_init,
};
