/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VFIO ABI as softvfio speaks it: command numbers, structure layouts and flag values, by the
 * kernel's own names so that a reader needs no dictionary. It is stated here and not taken from
 * <linux/vfio.h> because distributions ship headers of many ages, and the ABI served is Linux
 * 7.3's wherever softvfio is built. A test compares every number and layout below with the
 * system's header as far as that one knows it.
 *
 * All structures are for LP64, where every member is naturally aligned without padding surprises;
 * 32-bit callers are not served.
 */
#ifndef SVF_UAPI_VFIO_H
#define SVF_UAPI_VFIO_H

#include <stdint.h>

#define VFIO_API_VERSION 0

/* Every command is type ';' without size or direction bits. */
#define SVF_IO(nr) ((uint32_t)(';' << 8 | (nr)))

/* IOMMU models and extensions, the argument of VFIO_CHECK_EXTENSION and VFIO_SET_IOMMU. */
#define VFIO_TYPE1_IOMMU	1
#define VFIO_SPAPR_TCE_IOMMU	2
#define VFIO_TYPE1v2_IOMMU	3
#define VFIO_DMA_CC_IOMMU	4
#define VFIO_EEH		5
#define VFIO_SPAPR_TCE_v2_IOMMU 7
#define VFIO_NOIOMMU_IOMMU	8
#define VFIO_UNMAP_ALL		9
#define VFIO_UPDATE_VADDR	10

/* Container */
#define VFIO_GET_API_VERSION   SVF_IO(100)
#define VFIO_CHECK_EXTENSION   SVF_IO(101)
#define VFIO_SET_IOMMU	       SVF_IO(102)
#define VFIO_IOMMU_GET_INFO    SVF_IO(112)
#define VFIO_IOMMU_MAP_DMA     SVF_IO(113)
#define VFIO_IOMMU_UNMAP_DMA   SVF_IO(114)
#define VFIO_IOMMU_ENABLE      SVF_IO(115)
#define VFIO_IOMMU_DISABLE     SVF_IO(116)
#define VFIO_IOMMU_DIRTY_PAGES SVF_IO(117)

/* Group */
#define VFIO_GROUP_GET_STATUS	   SVF_IO(103)
#define VFIO_GROUP_SET_CONTAINER   SVF_IO(104)
#define VFIO_GROUP_UNSET_CONTAINER SVF_IO(105)
#define VFIO_GROUP_GET_DEVICE_FD   SVF_IO(106)

/* Device */
#define VFIO_DEVICE_GET_INFO		   SVF_IO(107)
#define VFIO_DEVICE_GET_REGION_INFO	   SVF_IO(108)
#define VFIO_DEVICE_GET_IRQ_INFO	   SVF_IO(109)
#define VFIO_DEVICE_SET_IRQS		   SVF_IO(110)
#define VFIO_DEVICE_RESET		   SVF_IO(111)
#define VFIO_DEVICE_GET_PCI_HOT_RESET_INFO SVF_IO(112)
#define VFIO_DEVICE_PCI_HOT_RESET	   SVF_IO(113)
#define VFIO_DEVICE_QUERY_GFX_PLANE	   SVF_IO(114)
#define VFIO_DEVICE_GET_GFX_DMABUF	   SVF_IO(115)
#define VFIO_DEVICE_IOEVENTFD		   SVF_IO(116)
#define VFIO_DEVICE_FEATURE		   SVF_IO(117)
#define VFIO_DEVICE_BIND_IOMMUFD	   SVF_IO(118)
#define VFIO_DEVICE_ATTACH_IOMMUFD_PT	   SVF_IO(119)
#define VFIO_DEVICE_DETACH_IOMMUFD_PT	   SVF_IO(120)
#define VFIO_MIG_GET_PRECOPY_INFO	   SVF_IO(121)

/* Head of every element of a capability chain; next is an offset from the chain's structure. */
struct vfio_info_cap_header {
	uint16_t id;
	uint16_t version;
	uint32_t next;
};

struct vfio_group_status {
	uint32_t argsz;
	uint32_t flags;
};
#define VFIO_GROUP_FLAGS_VIABLE	       (1u << 0)
#define VFIO_GROUP_FLAGS_CONTAINER_SET (1u << 1)

struct vfio_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
	uint32_t cap_offset;
	uint32_t pad;
};
#define VFIO_DEVICE_FLAGS_RESET		     (1u << 0)
#define VFIO_DEVICE_FLAGS_PCI		     (1u << 1)
#define VFIO_DEVICE_FLAGS_CAPS		     (1u << 7)
#define VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP 5

struct vfio_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};
#define VFIO_REGION_INFO_FLAG_READ	   (1u << 0)
#define VFIO_REGION_INFO_FLAG_WRITE	   (1u << 1)
#define VFIO_REGION_INFO_FLAG_MMAP	   (1u << 2)
#define VFIO_REGION_INFO_FLAG_CAPS	   (1u << 3)
#define VFIO_REGION_INFO_CAP_SPARSE_MMAP   1
#define VFIO_REGION_INFO_CAP_TYPE	   2
#define VFIO_REGION_INFO_CAP_MSIX_MAPPABLE 3

struct vfio_region_sparse_mmap_area {
	uint64_t offset;
	uint64_t size;
};
struct vfio_region_info_cap_sparse_mmap {
	struct vfio_info_cap_header header;
	uint32_t nr_areas;
	uint32_t reserved;
	struct vfio_region_sparse_mmap_area areas[];
};

struct vfio_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};
#define VFIO_IRQ_INFO_EVENTFD	 (1u << 0)
#define VFIO_IRQ_INFO_MASKABLE	 (1u << 1)
#define VFIO_IRQ_INFO_AUTOMASKED (1u << 2)
#define VFIO_IRQ_INFO_NORESIZE	 (1u << 3)

struct vfio_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
	uint8_t data[];
};
#define VFIO_IRQ_SET_DATA_NONE	      (1u << 0)
#define VFIO_IRQ_SET_DATA_BOOL	      (1u << 1)
#define VFIO_IRQ_SET_DATA_EVENTFD     (1u << 2)
#define VFIO_IRQ_SET_DATA_TYPE_MASK   (7u << 0)
#define VFIO_IRQ_SET_ACTION_MASK      (1u << 3)
#define VFIO_IRQ_SET_ACTION_UNMASK    (1u << 4)
#define VFIO_IRQ_SET_ACTION_TRIGGER   (1u << 5)
#define VFIO_IRQ_SET_ACTION_TYPE_MASK (7u << 3)

/* Region and interrupt indexes of a vfio-pci device. */
enum {
	VFIO_PCI_BAR0_REGION_INDEX,
	VFIO_PCI_BAR5_REGION_INDEX = 5,
	VFIO_PCI_ROM_REGION_INDEX,
	VFIO_PCI_CONFIG_REGION_INDEX,
	VFIO_PCI_VGA_REGION_INDEX,
	VFIO_PCI_NUM_REGIONS
};
enum {
	VFIO_PCI_INTX_IRQ_INDEX,
	VFIO_PCI_MSI_IRQ_INDEX,
	VFIO_PCI_MSIX_IRQ_INDEX,
	VFIO_PCI_ERR_IRQ_INDEX,
	VFIO_PCI_REQ_IRQ_INDEX,
	VFIO_PCI_NUM_IRQS
};

struct vfio_pci_dependent_device {
	union {
		uint32_t group_id;
		uint32_t devid;
	};
	uint16_t segment;
	uint8_t bus;
	uint8_t devfn;
};
#define VFIO_PCI_DEVID_OWNED	 0
#define VFIO_PCI_DEVID_NOT_OWNED (-1)

struct vfio_pci_hot_reset_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t count;
	struct vfio_pci_dependent_device devices[];
};
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID	     (1u << 0)
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED (1u << 1)

struct vfio_pci_hot_reset {
	uint32_t argsz;
	uint32_t flags;
	uint32_t count;
	int32_t group_fds[];
};

struct vfio_device_ioeventfd {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t data;
	int32_t fd;
	uint32_t reserved;
};

struct vfio_device_feature {
	uint32_t argsz;
	uint32_t flags;
	uint8_t data[];
};
#define VFIO_DEVICE_FEATURE_MASK			0xffffu
#define VFIO_DEVICE_FEATURE_GET				(1u << 16)
#define VFIO_DEVICE_FEATURE_SET				(1u << 17)
#define VFIO_DEVICE_FEATURE_PROBE			(1u << 18)

#define VFIO_DEVICE_FEATURE_PCI_VF_TOKEN		0
#define VFIO_DEVICE_FEATURE_MIGRATION			1
#define VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE		2
#define VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY		3
#define VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP 4
#define VFIO_DEVICE_FEATURE_LOW_POWER_EXIT		5
#define VFIO_DEVICE_FEATURE_DMA_LOGGING_START		6
#define VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP		7
#define VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT		8
#define VFIO_DEVICE_FEATURE_MIG_DATA_SIZE		9
#define VFIO_DEVICE_FEATURE_BUS_MASTER			10
#define VFIO_DEVICE_FEATURE_DMA_BUF			11
#define VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2		12
#define VFIO_DEVICE_FEATURE_ZPCI_ERROR			13

struct vfio_device_feature_bus_master {
	uint32_t op;
};
#define VFIO_DEVICE_FEATURE_CLEAR_MASTER 0
#define VFIO_DEVICE_FEATURE_SET_MASTER	 1

struct vfio_device_bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token_uuid_ptr;
};
#define VFIO_DEVICE_BIND_FLAG_TOKEN (1u << 0)

struct vfio_device_attach_iommufd_pt {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id;
	uint32_t pasid;
};
#define VFIO_DEVICE_ATTACH_PASID (1u << 0)

struct vfio_device_detach_iommufd_pt {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pasid;
};
#define VFIO_DEVICE_DETACH_PASID (1u << 0)

struct vfio_iommu_type1_info {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova_pgsizes;
	uint32_t cap_offset;
	uint32_t pad;
};
#define VFIO_IOMMU_INFO_PGSIZES		     (1u << 0)
#define VFIO_IOMMU_INFO_CAPS		     (1u << 1)
#define VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE 1
#define VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION  2
#define VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL	     3

struct vfio_iova_range {
	uint64_t start;
	uint64_t end; /* inclusive */
};
struct vfio_iommu_type1_info_cap_iova_range {
	struct vfio_info_cap_header header;
	uint32_t nr_iovas;
	uint32_t reserved;
	struct vfio_iova_range iova_ranges[];
};
struct vfio_iommu_type1_info_cap_migration {
	struct vfio_info_cap_header header;
	uint32_t flags;
	uint64_t pgsize_bitmap;
	uint64_t max_dirty_bitmap_size; /* bytes */
};
struct vfio_iommu_type1_info_dma_avail {
	struct vfio_info_cap_header header;
	uint32_t avail;
};

struct vfio_iommu_type1_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t vaddr;
	uint64_t iova;
	uint64_t size;
};
#define VFIO_DMA_MAP_FLAG_READ	(1u << 0)
#define VFIO_DMA_MAP_FLAG_WRITE (1u << 1)
#define VFIO_DMA_MAP_FLAG_VADDR (1u << 2)

struct vfio_bitmap {
	uint64_t pgsize;
	uint64_t size; /* bytes */
	uint64_t data; /* user pointer */
};
struct vfio_iommu_type1_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
	uint8_t data[];
};
#define VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP (1u << 0)
#define VFIO_DMA_UNMAP_FLAG_ALL		     (1u << 1)
#define VFIO_DMA_UNMAP_FLAG_VADDR	     (1u << 2)

struct vfio_iommu_type1_dirty_bitmap {
	uint32_t argsz;
	uint32_t flags;
	uint8_t data[];
};
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_START      (1u << 0)
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP       (1u << 1)
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP (1u << 2)

#endif
