/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The iommufd ABI as softvfio speaks it, Linux 7.3's; see uapi/vfio.h for why it is stated here.
 * Every structure begins with its own size: a shorter one is an older caller, a longer one must
 * end in zeroes.
 */
#ifndef SVF_UAPI_IOMMUFD_H
#define SVF_UAPI_IOMMUFD_H

#include <stdint.h>

#include "uapi/vfio.h"

#define IOMMU_DESTROY		      SVF_IO(0x80)
#define IOMMU_IOAS_ALLOC	      SVF_IO(0x81)
#define IOMMU_IOAS_ALLOW_IOVAS	      SVF_IO(0x82)
#define IOMMU_IOAS_COPY		      SVF_IO(0x83)
#define IOMMU_IOAS_IOVA_RANGES	      SVF_IO(0x84)
#define IOMMU_IOAS_MAP		      SVF_IO(0x85)
#define IOMMU_IOAS_UNMAP	      SVF_IO(0x86)
#define IOMMU_OPTION		      SVF_IO(0x87)
#define IOMMU_VFIO_IOAS		      SVF_IO(0x88)
#define IOMMU_HWPT_ALLOC	      SVF_IO(0x89)
#define IOMMU_GET_HW_INFO	      SVF_IO(0x8a)
#define IOMMU_HWPT_SET_DIRTY_TRACKING SVF_IO(0x8b)
#define IOMMU_HWPT_GET_DIRTY_BITMAP   SVF_IO(0x8c)
#define IOMMU_HWPT_INVALIDATE	      SVF_IO(0x8d)
#define IOMMU_FAULT_QUEUE_ALLOC	      SVF_IO(0x8e)
#define IOMMU_IOAS_MAP_FILE	      SVF_IO(0x8f)
#define IOMMU_VIOMMU_ALLOC	      SVF_IO(0x90)
#define IOMMU_VDEVICE_ALLOC	      SVF_IO(0x91)
#define IOMMU_IOAS_CHANGE_PROCESS     SVF_IO(0x92)
#define IOMMU_VEVENTQ_ALLOC	      SVF_IO(0x93)
#define IOMMU_HW_QUEUE_ALLOC	      SVF_IO(0x94)
#define IOMMU_IOAS_NOIOMMU_GET_PA     SVF_IO(0x95)

struct iommu_destroy {
	uint32_t size;
	uint32_t id;
};

struct iommu_ioas_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t out_ioas_id;
};

struct iommu_iova_range {
	uint64_t start;
	uint64_t last; /* inclusive */
};

struct iommu_ioas_iova_ranges {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas;
	uint32_t reserved;
	uint64_t allowed_iovas; /* user pointer to struct iommu_iova_range[num_iovas] */
	uint64_t out_iova_alignment;
};

struct iommu_ioas_allow_iovas {
	uint32_t size;
	uint32_t ioas_id;
	uint32_t num_iovas;
	uint32_t reserved;
	uint64_t allowed_iovas;
};

#define IOMMU_IOAS_MAP_FIXED_IOVA (1u << 0)
#define IOMMU_IOAS_MAP_WRITEABLE  (1u << 1)
#define IOMMU_IOAS_MAP_READABLE	  (1u << 2)

struct iommu_ioas_map {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	uint32_t reserved;
	uint64_t user_va;
	uint64_t length;
	uint64_t iova;
};

struct iommu_ioas_map_file {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	int32_t fd;
	uint64_t start;
	uint64_t length;
	uint64_t iova;
};

struct iommu_ioas_copy {
	uint32_t size;
	uint32_t flags;
	uint32_t dst_ioas_id;
	uint32_t src_ioas_id;
	uint64_t length;
	uint64_t dst_iova;
	uint64_t src_iova;
};

struct iommu_ioas_unmap {
	uint32_t size;
	uint32_t ioas_id;
	uint64_t iova;
	uint64_t length;
};

#define IOMMU_OPTION_RLIMIT_MODE 0
#define IOMMU_OPTION_HUGE_PAGES	 1
#define IOMMU_OPTION_OP_SET	 0
#define IOMMU_OPTION_OP_GET	 1

struct iommu_option {
	uint32_t size;
	uint32_t option_id;
	uint16_t op;
	uint16_t reserved;
	uint32_t object_id;
	uint64_t val64;
};

#define IOMMU_VFIO_IOAS_GET   0
#define IOMMU_VFIO_IOAS_SET   1
#define IOMMU_VFIO_IOAS_CLEAR 2

struct iommu_vfio_ioas {
	uint32_t size;
	uint32_t ioas_id;
	uint16_t op;
	uint16_t reserved;
};

#define IOMMU_HWPT_ALLOC_NEST_PARENT	(1u << 0)
#define IOMMU_HWPT_ALLOC_DIRTY_TRACKING (1u << 1)
#define IOMMU_HWPT_FAULT_ID_VALID	(1u << 2)
#define IOMMU_HWPT_ALLOC_PASID		(1u << 3)
#define IOMMU_HWPT_DATA_NONE		0
#define IOMMU_HWPT_DATA_VTD_S1		1

struct iommu_hwpt_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t dev_id;
	uint32_t pt_id;
	uint32_t out_hwpt_id;
	uint32_t reserved;
	uint32_t data_type;
	uint32_t data_len;
	uint64_t data_uptr;
	uint32_t fault_id;
	uint32_t reserved2;
};

#define IOMMU_HW_INFO_TYPE_NONE		      0
#define IOMMU_HW_INFO_TYPE_INTEL_VTD	      1
#define IOMMU_HW_INFO_FLAG_INPUT_TYPE	      (1u << 0)
#define IOMMU_HW_CAP_DIRTY_TRACKING	      (1u << 0)
#define IOMMU_HW_CAP_PCI_PASID_EXEC	      (1u << 1)
#define IOMMU_HW_CAP_PCI_PASID_PRIV	      (1u << 2)
#define IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED    (1u << 3)
#define IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 (1u << 0)

struct iommu_hw_info_vtd {
	uint32_t flags;
	uint32_t reserved;
	uint64_t cap_reg;
	uint64_t ecap_reg;
};

/* The first-stage table of a nested HWPT, in the words of VT-d. */
#define IOMMU_VTD_S1_SRE  (1u << 0)
#define IOMMU_VTD_S1_EAFE (1u << 1)
#define IOMMU_VTD_S1_WPE  (1u << 2)

struct iommu_hwpt_vtd_s1 {
	uint64_t flags;
	uint64_t pgtbl_addr;
	uint32_t addr_width;
	uint32_t reserved;
};

struct iommu_hw_info {
	uint32_t size;
	uint32_t flags;
	uint32_t dev_id;
	uint32_t data_len;
	uint64_t data_uptr;
	union {
		uint32_t in_data_type;
		uint32_t out_data_type;
	};
	uint8_t out_max_pasid_log2;
	uint8_t reserved[3];
	uint64_t out_capabilities;
};

struct iommu_ioas_change_process {
	uint32_t size;
	uint32_t reserved;
};

struct iommu_ioas_noiommu_get_pa {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	uint32_t reserved;
	uint64_t iova;
	uint64_t length;
	uint64_t out_phys;
};

#define IOMMU_HWPT_DIRTY_TRACKING_ENABLE (1u << 0)

struct iommu_hwpt_set_dirty_tracking {
	uint32_t size;
	uint32_t flags;
	uint32_t hwpt_id;
	uint32_t reserved;
};

#define IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR (1u << 0)

struct iommu_hwpt_get_dirty_bitmap {
	uint32_t size;
	uint32_t hwpt_id;
	uint32_t flags;
	uint32_t reserved;
	uint64_t iova;
	uint64_t length;
	uint64_t page_size;
	uint64_t data; /* user pointer */
};

struct iommu_hwpt_invalidate {
	uint32_t size;
	uint32_t hwpt_id;
	uint64_t data_uptr;
	uint32_t data_type;
	uint32_t entry_len;
	uint32_t entry_num;
	uint32_t reserved;
};

#define IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 0
#define IOMMU_VTD_INV_FLAGS_LEAF	  (1u << 0)

/* addr 0 with npages 2^64 - 1 is everything. */
struct iommu_hwpt_vtd_s1_invalidate {
	uint64_t addr;
	uint64_t npages;
	uint32_t flags;
	uint32_t reserved;
};

struct iommu_fault_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t out_fault_id;
	uint32_t out_fault_fd;
};

#define IOMMU_PGFAULT_FLAGS_PASID_VALID (1u << 0)
#define IOMMU_PGFAULT_FLAGS_LAST_PAGE	(1u << 1)

/* What is read from the queue: one page request. */
struct iommu_hwpt_pgfault {
	uint32_t flags;
	uint32_t dev_id;
	uint32_t pasid;
	uint32_t grpid;
	uint32_t perm;
	uint32_t reserved;
	uint64_t addr;
	uint32_t length;
	uint32_t cookie;
};

#define IOMMUFD_PAGE_RESP_SUCCESS 0
#define IOMMUFD_PAGE_RESP_INVALID 1

/* What is written to it: the answer to one. */
struct iommu_hwpt_page_response {
	uint32_t cookie;
	uint32_t code;
};

#define IOMMU_VIOMMU_TYPE_DEFAULT 0

struct iommu_viommu_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t type;
	uint32_t dev_id;
	uint32_t hwpt_id;
	uint32_t out_viommu_id;
	uint32_t data_len;
	uint32_t reserved;
	uint64_t data_uptr;
};

struct iommu_vdevice_alloc {
	uint32_t size;
	uint32_t viommu_id;
	uint32_t dev_id;
	uint32_t out_vdevice_id;
	uint64_t virt_id;
};

#define IOMMU_VEVENTQ_TYPE_DEFAULT 0

struct iommu_veventq_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t viommu_id;
	uint32_t type;
	uint32_t veventq_depth;
	uint32_t out_veventq_id;
	uint32_t out_veventq_fd;
	uint32_t reserved;
};

#define IOMMU_VEVENTQ_FLAG_LOST_EVENTS (1u << 0)

/* Before each event that is read from the queue, or alone: events were lost. */
struct iommufd_vevent_header {
	uint32_t flags;
	uint32_t sequence;
};

#define IOMMU_HW_QUEUE_TYPE_DEFAULT 0

struct iommu_hw_queue_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t viommu_id;
	uint32_t type;
	uint32_t index;
	uint32_t out_hw_queue_id;
	uint64_t nesting_parent_iova;
	uint64_t length;
};

#endif
