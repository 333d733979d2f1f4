/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What there is on the machine to make calls on, see random.h. The fields of a structure are
 * named here once more, because both explaining a call and spoiling it need them.
 */
#include "random.h"

#include "uapi/iommufd_test.h"
#include "uapi/vfio.h"

/* Not the driver nvme: on QEMU's VFs it fails, at a time of its own. */
const struct site_info sites[NR_SITES] = {
	[SITE_PF] = {"pf", "0000:01:00.0", NO_SITE, 0, "igb"},
	[SITE_VF0] = {"vf0", "0000:01:10.0", SITE_PF, 1, "igbvf"},
	[SITE_VF1] = {"vf1", "0000:01:10.2", SITE_PF, 2, "igbvf"},
	[SITE_NVME] = {"nvme", "0000:02:00.0", NO_SITE, 3, "pci-stub"},
	[SITE_NVF0] = {"nvf0", "0000:02:00.1", SITE_NVME, 4, "pci-stub"},
	[SITE_NVF1] = {"nvf1", "0000:02:00.2", SITE_NVME, 5, "pci-stub"},
	[SITE_EDU] = {"edu", "0000:00:05.0", NO_SITE, 6, "pci-stub"},
	[SITE_BRIDGE] = {"bridge", "0000:03:00.0", NO_SITE, 7, "pci-stub"},
	[SITE_CONV0] = {"conv0", "0000:04:00.0", NO_SITE, 7, "pci-stub"},
	[SITE_CONV1] = {"conv1", "0000:04:01.0", NO_SITE, 7, "pci-stub"},
	[SITE_MULTI0] = {"multi0", "0000:05:00.0", NO_SITE, 8, "e1000e"},
	[SITE_MULTI1] = {"multi1", "0000:05:00.1", NO_SITE, 8, "e1000e"},
};

const struct class_info legacy_classes[NR_CLASSES] = {
	[CLASS_CONTAINER] = {'c', 0, 3}, [CLASS_IOMMUFD] = {'i', 3, 1},
	[CLASS_GROUP] = {'g', 4, 5},	 [CLASS_DEVICE] = {'d', 9, 6},
	[CLASS_CDEV] = {'v', 15, 2},	 [CLASS_EVENTFD] = {'e', 17, 4},
	[CLASS_NULL] = {'n', 21, 1},	 [CLASS_CLOSED] = {'x', 22, 2},
};
const struct class_info iommufd_classes[NR_CLASSES] = {
	[CLASS_IOMMUFD] = {'i', 0, 3}, [CLASS_GROUP] = {'g', 3, 2},  [CLASS_DEVICE] = {'d', 5, 2},
	[CLASS_CDEV] = {'v', 7, 5},    [CLASS_QUEUE] = {'q', 12, 4}, [CLASS_EVENTFD] = {'e', 16, 1},
	[CLASS_MEMORY] = {'m', 17, 2}, [CLASS_NULL] = {'n', 19, 1},  [CLASS_CLOSED] = {'x', 20, 4},
};
const struct class_info test_classes[NR_CLASSES] = {
	[CLASS_IOMMUFD] = {'i', 0, 2},	[CLASS_QUEUE] = {'q', 2, 6},
	[CLASS_ACCESS] = {'a', 8, 4},	[CLASS_CDEV] = {'v', 12, 1},
	[CLASS_EVENTFD] = {'e', 16, 1}, [CLASS_MEMORY] = {'m', 17, 2},
	[CLASS_NULL] = {'n', 19, 1},	[CLASS_CLOSED] = {'x', 20, 4},
};
const struct class_info *classes = legacy_classes;

enum class slot_class(unsigned slot) {
	unsigned i;

	for (i = 0; i < NR_CLASSES - 1; i++) if (slot - classes[i].first < classes[i].count) break;
	return (enum class)i;
}

#define C(name, on, fields, flags)                                                                 \
	{                                                                                          \
#name, name, CLASS_##on, fields, flags                                             \
	}

const struct command commands[] = {
	C(VFIO_GET_API_VERSION, CONTAINER, NULL, 0),
	C(VFIO_CHECK_EXTENSION, CONTAINER, NULL, 0),
	C(VFIO_SET_IOMMU, CONTAINER, NULL, 0),
	C(VFIO_IOMMU_GET_INFO, CONTAINER, "argsz4 flags4 pgsizes8 cap_offset4 pad4", 0),
	C(VFIO_IOMMU_MAP_DMA, CONTAINER, "argsz4 flags4 vaddr8 iova8 size8", 0),
	C(VFIO_IOMMU_UNMAP_DMA, CONTAINER,
	  "argsz4 flags4 iova8 size8 bitmap_pgsize8 bitmap_size8 bitmap_data8", COMMAND_BITMAP),
	C(VFIO_IOMMU_ENABLE, CONTAINER, NULL, 0),
	C(VFIO_IOMMU_DISABLE, CONTAINER, NULL, 0),
	C(VFIO_IOMMU_DIRTY_PAGES, CONTAINER,
	  "argsz4 flags4 iova8 size8 bitmap_pgsize8 bitmap_size8 bitmap_data8", COMMAND_BITMAP),
	C(VFIO_GROUP_GET_STATUS, GROUP, "argsz4 flags4", 0),
	C(VFIO_GROUP_SET_CONTAINER, GROUP, "fd4", 0),
	C(VFIO_GROUP_UNSET_CONTAINER, GROUP, NULL, 0),
	C(VFIO_GROUP_GET_DEVICE_FD, GROUP, "", COMMAND_FD),
	C(VFIO_DEVICE_GET_INFO, DEVICE, "argsz4 flags4 regions4 irqs4 cap_offset4 pad4", 0),
	C(VFIO_DEVICE_GET_REGION_INFO, DEVICE, "argsz4 flags4 index4 cap_offset4 size8 offset8", 0),
	C(VFIO_DEVICE_GET_IRQ_INFO, DEVICE, "argsz4 flags4 index4 count4", 0),
	C(VFIO_DEVICE_SET_IRQS, DEVICE, "argsz4 flags4 index4 start4 count4", 0),
	C(VFIO_DEVICE_RESET, DEVICE, NULL, 0),
	C(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, DEVICE, "argsz4 flags4 count4", COMMAND_HOT_INFO),
	C(VFIO_DEVICE_PCI_HOT_RESET, DEVICE, "argsz4 flags4 count4", 0),
	C(VFIO_DEVICE_QUERY_GFX_PLANE, DEVICE, "argsz4 flags4", 0),
	C(VFIO_DEVICE_GET_GFX_DMABUF, DEVICE, "plane4", 0),
	C(VFIO_DEVICE_IOEVENTFD, DEVICE, "argsz4 flags4 offset8 data8 fd4 pad4", 0),
	C(VFIO_DEVICE_FEATURE, DEVICE, "argsz4 flags4", 0),
	C(VFIO_DEVICE_BIND_IOMMUFD, CDEV, "argsz4 flags4 iommufd4 devid4 token8", COMMAND_ID),
	C(VFIO_DEVICE_ATTACH_IOMMUFD_PT, CDEV, "argsz4 flags4 pt4 pasid4", 0),
	C(VFIO_DEVICE_DETACH_IOMMUFD_PT, CDEV, "argsz4 flags4 pasid4", 0),
	C(VFIO_MIG_GET_PRECOPY_INFO, DEVICE, "argsz4 flags4 initial8 dirty8", 0),
	C(IOMMU_DESTROY, IOMMUFD, "size4 id4", 0),
	C(IOMMU_IOAS_ALLOC, IOMMUFD, "size4 flags4 ioas4", 0),
	C(IOMMU_IOAS_ALLOW_IOVAS, IOMMUFD, "size4 ioas4 num4 reserved4 ranges8", 0),
	C(IOMMU_IOAS_COPY, IOMMUFD, "size4 flags4 dst4 src4 length8 dst_iova8 src_iova8", 0),
	C(IOMMU_IOAS_IOVA_RANGES, IOMMUFD, "size4 ioas4 num4 reserved4 ranges8 alignment8",
	  COMMAND_AUX),
	C(IOMMU_IOAS_MAP, IOMMUFD, "size4 flags4 ioas4 reserved4 va8 length8 iova8", 0),
	C(IOMMU_IOAS_UNMAP, IOMMUFD, "size4 ioas4 iova8 length8", 0),
	C(IOMMU_OPTION, IOMMUFD, "size4 option4 op2 reserved2 object4 val8", 0),
	C(IOMMU_VFIO_IOAS, IOMMUFD, "size4 ioas4 op2 reserved2", 0),
	C(IOMMU_HWPT_ALLOC, IOMMUFD,
	  "size4 flags4 dev4 pt4 hwpt4 reserved4 type4 len4 data8 fault4 reserved4", 0),
	C(IOMMU_GET_HW_INFO, IOMMUFD, "size4 flags4 dev4 len4 data8 type4 pasid1 reserved3 caps8",
	  COMMAND_AUX),
	C(IOMMU_HWPT_SET_DIRTY_TRACKING, IOMMUFD, "size4 flags4 hwpt4 reserved4", 0),
	C(IOMMU_HWPT_GET_DIRTY_BITMAP, IOMMUFD,
	  "size4 hwpt4 flags4 reserved4 iova8 length8 page8 data8", COMMAND_AUX),
	C(IOMMU_HWPT_INVALIDATE, IOMMUFD, "size4 hwpt4 data8 type4 len4 num4 reserved4", 0),
	C(IOMMU_FAULT_QUEUE_ALLOC, IOMMUFD, "size4 flags4 fault4 fd4", 0),
	C(IOMMU_IOAS_MAP_FILE, IOMMUFD, "size4 flags4 ioas4 fd4 start8 length8 iova8", 0),
	C(IOMMU_VIOMMU_ALLOC, IOMMUFD, "size4 flags4 type4 dev4 hwpt4 viommu4 len4 reserved4 data8",
	  0),
	C(IOMMU_VDEVICE_ALLOC, IOMMUFD, "size4 viommu4 dev4 vdevice4 virt8", 0),
	C(IOMMU_IOAS_CHANGE_PROCESS, IOMMUFD, "size4 reserved4", 0),
	C(IOMMU_VEVENTQ_ALLOC, IOMMUFD, "size4 flags4 viommu4 type4 depth4 veventq4 fd4 reserved4",
	  0),
	C(IOMMU_HW_QUEUE_ALLOC, IOMMUFD, "size4 flags4 viommu4 type4 index4 queue4 iova8 length8",
	  0),
	C(IOMMU_IOAS_NOIOMMU_GET_PA, IOMMUFD, "size4 flags4 ioas4 reserved4 iova8 length8 phys8",
	  0),
	C(IOMMU_TEST_CMD, IOMMUFD, "size4 op4 id4 reserved4", COMMAND_AUX),
};
const size_t nr_commands = ARRAY_SIZE(commands);

const struct command *command_find(uint32_t nr, enum class on)
{
	size_t i;

	for (i = 0; i < nr_commands; i++)
		if (commands[i].nr == nr && commands[i].on == on)
			return &commands[i];
	return NULL;
}
