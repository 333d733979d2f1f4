/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The test command of iommufd, as Linux 7.3 has it when it is built with CONFIG_IOMMUFD_TEST: what
 * the kernel's own selftests (tools/testing/selftests/iommu) drive iommufd with. It makes devices
 * behind an IOMMU that does not exist, looks into page tables and stands for a driver that reaches
 * the memory of an IOAS without DMA. Served only when the parameter softvfio.iommufd_test is on.
 */
#ifndef SVF_UAPI_IOMMUFD_TEST_H
#define SVF_UAPI_IOMMUFD_TEST_H

#include <stdint.h>

#include "uapi/iommufd.h"

#define IOMMU_TEST_CMD SVF_IO(0xa0)

enum {
	IOMMU_TEST_OP_ADD_RESERVED = 1,
	IOMMU_TEST_OP_MOCK_DOMAIN,
	IOMMU_TEST_OP_MD_CHECK_MAP,
	IOMMU_TEST_OP_MD_CHECK_REFS,
	IOMMU_TEST_OP_CREATE_ACCESS,
	IOMMU_TEST_OP_DESTROY_ACCESS_PAGES,
	IOMMU_TEST_OP_ACCESS_PAGES,
	IOMMU_TEST_OP_ACCESS_RW,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT,
	IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
	IOMMU_TEST_OP_ACCESS_REPLACE_IOAS,
	IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
	IOMMU_TEST_OP_DIRTY,
	IOMMU_TEST_OP_MD_CHECK_IOTLB,
	IOMMU_TEST_OP_TRIGGER_IOPF,
	IOMMU_TEST_OP_DEV_CHECK_CACHE,
	IOMMU_TEST_OP_TRIGGER_VEVENT,
	IOMMU_TEST_OP_PASID_ATTACH,
	IOMMU_TEST_OP_PASID_REPLACE,
	IOMMU_TEST_OP_PASID_DETACH,
	IOMMU_TEST_OP_PASID_CHECK_HWPT,
	IOMMU_TEST_OP_DMABUF_GET,
	IOMMU_TEST_OP_DMABUF_REVOKE,
};

/* Kinds of the mock IOMMU's page table, and what they can map. */
#define MOCK_IOMMUPT_DEFAULT 0
#define MOCK_IOMMUPT_HUGE    1
#define MOCK_APERTURE_START  0x1000000ull
#define MOCK_APERTURE_LAST   0x7fffffffull
#define MOCK_PAGE_SIZE	     2048u
#define MOCK_HUGE_PAGE_SIZE  (512u * MOCK_PAGE_SIZE)

/* access_pages.flags */
#define MOCK_FLAGS_ACCESS_WRITE (1u << 0)
#define MOCK_FLAGS_ACCESS_SYZ	(1u << 16)
/* access_rw.flags */
#define MOCK_ACCESS_RW_WRITE	 (1u << 0)
#define MOCK_ACCESS_RW_SLOW_PATH (1u << 2)
/* create_access.flags */
#define MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES (1u << 0)
/* mock_domain_flags.dev_flags */
#define MOCK_FLAGS_DEVICE_NO_DIRTY   (1u << 0)
#define MOCK_FLAGS_DEVICE_PASID	     (1u << 2)

#define MOCK_NESTED_DOMAIN_IOTLB_NUM 4
#define MOCK_DEV_CACHE_NUM	     4
#define MOCK_PASID_WIDTH	     20
/* The second time that something is attached to this PASID fails. */
#define IOMMU_TEST_PASID_RESERVED 1024

struct iommu_test_cmd {
	uint32_t size;
	uint32_t op;
	uint32_t id; /* of what op says: an IOAS, a HWPT, a device, the descriptor of an access */
	uint32_t reserved;
	union {
		struct {
			uint64_t start;
			uint64_t length;
		} add_reserved;
		struct {
			uint32_t out_stdev_id;
			uint32_t out_hwpt_id;
			uint32_t out_idev_id;
			uint32_t dev_flags; /* MOCK_DOMAIN_FLAGS only */
		} mock_domain;
		struct {
			uint32_t pt_id;
		} mock_domain_replace;
		struct {
			uint64_t iova;
			uint64_t length;
			uint64_t uptr;
		} check_map;
		struct {
			uint64_t length;
			uint64_t uptr;
			uint32_t refs;
		} check_refs;
		struct {
			uint32_t out_access_fd;
			uint32_t flags;
		} create_access;
		struct {
			uint32_t access_pages_id;
		} destroy_access_pages;
		struct {
			uint32_t flags;
			uint32_t out_access_pages_id;
			uint64_t iova;
			uint64_t length;
			uint64_t uptr;
		} access_pages;
		struct {
			uint64_t iova;
			uint64_t length;
			uint64_t uptr;
			uint32_t flags;
		} access_rw;
		struct {
			uint32_t limit;
		} memory_limit;
		struct {
			uint32_t ioas_id;
		} access_replace_ioas;
		struct {
			uint32_t flags;
			uint64_t iova;
			uint64_t length;
			uint64_t page_size;
			uint64_t uptr;
			uint64_t out_nr_dirty;
		} dirty;
		struct {
			uint32_t id;
			uint32_t iotlb;
		} check_iotlb;
		struct {
			uint32_t dev_id;
			uint32_t pasid;
			uint32_t grpid;
			uint32_t perm;
			uint64_t addr;
		} trigger_iopf;
		struct {
			uint32_t id;
			uint32_t cache;
		} check_dev_cache;
		struct {
			uint32_t dev_id;
		} trigger_vevent;
		struct {
			uint32_t pasid;
			uint32_t pt_id; /* ATTACH and REPLACE */
		} pasid_attach;
		struct {
			uint32_t pasid;
			uint32_t hwpt_id; /* 0: none may be attached */
		} pasid_check;
		struct {
			uint32_t length;
			uint32_t open_flags;
		} dmabuf_get;
		struct {
			int32_t dmabuf_fd;
			uint32_t revoked;
		} dmabuf_revoke;
	};
	uint32_t last;
};

#define IOMMU_HW_INFO_TYPE_SELFTEST   0xfeedbeefu
#define IOMMU_HW_INFO_SELFTEST_REGVAL 0xdeadbeefu

struct iommu_test_hw_info {
	uint32_t flags;
	uint32_t test_reg;
};

#define IOMMU_HWPT_DATA_SELFTEST     0xdeadu
#define IOMMU_TEST_DEV_CACHE_DEFAULT 0xbaddadu

struct iommu_hwpt_selftest {
	uint32_t iotlb; /* what each entry of a nested HWPT's cache begins with */
	uint32_t pagetable_type;
};

#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST   0xdeadbeefu
#define IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST 0xdeadbeefu
#define IOMMU_TEST_INVALIDATE_FLAG_ALL	      (1u << 0)

struct iommu_hwpt_invalidate_selftest {
	uint32_t flags;
	uint32_t iotlb_id;
};

struct iommu_viommu_invalidate_selftest {
	uint32_t flags;
	uint32_t vdev_id;
	uint32_t cache_id;
};

#define IOMMU_VIOMMU_TYPE_SELFTEST 0xdeadbeefu

struct iommu_viommu_selftest {
	uint32_t in_data;
	uint32_t out_data; /* in_data, given back */
	uint64_t out_mmap_offset;
	uint64_t out_mmap_length;
};

#define IOMMU_VEVENTQ_TYPE_SELFTEST 0xbeefbeefu

struct iommu_viommu_event_selftest {
	uint32_t virt_id;
};

#define IOMMU_HW_QUEUE_TYPE_SELFTEST 0xdeadbeefu
#define IOMMU_TEST_HW_QUEUE_MAX	     2

#endif
