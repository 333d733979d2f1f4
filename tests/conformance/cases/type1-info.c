/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_IOMMU_GET_INFO: page sizes and the chain of capabilities (IOVA ranges, migration, mappings
 * left). A caller whose buffer is too short for the chain gets the size it should have and no
 * chain; one that does not even reach cap_offset still gets the rest.
 */
#include "lib.h"

#define BUFFER 1024

union info_buffer {
	struct vfio_iommu_type1_info info;
	uint8_t bytes[BUFFER];
};

static void show_ranges(const uint8_t *cap)
{
	struct vfio_iommu_type1_info_cap_iova_range ranges;
	struct vfio_iova_range range;
	uint32_t i;

	memcpy(&ranges, cap, sizeof(ranges));
	for (i = 0; i < ranges.nr_iovas; i++) {
		memcpy(&range, cap + sizeof(ranges) + i * sizeof(range), sizeof(range));
		note("  0x%llx-0x%llx", (unsigned long long)range.start,
		     (unsigned long long)range.end);
	}
}

static void show_cap(const uint8_t *cap)
{
	struct vfio_iommu_type1_info_cap_migration migration;
	struct vfio_iommu_type1_info_dma_avail avail;
	struct vfio_info_cap_header head;

	memcpy(&head, cap, sizeof(head));
	note("capability %u version %u next %u", head.id, head.version, head.next);
	switch (head.id) {
	case VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE:
		show_ranges(cap);
		break;
	case VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION:
		memcpy(&migration, cap, sizeof(migration));
		note("  flags 0x%x page sizes 0x%llx largest bitmap %llu", migration.flags,
		     (unsigned long long)migration.pgsize_bitmap,
		     (unsigned long long)migration.max_dirty_bitmap_size);
		break;
	case VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL:
		memcpy(&avail, cap, sizeof(avail));
		note("  mappings left %u", avail.avail);
		break;
	default:
		break;
	}
}

static void get_info(int container, uint32_t argsz)
{
	union info_buffer b;
	uint32_t offset;
	int ret, links = 0;

	memset(&b, 0xff, sizeof(b));
	b.info.argsz = argsz;
	b.info.flags = 0;
	ret = say_call(ioctl(container, VFIO_IOMMU_GET_INFO, &b), "GET_INFO argsz %u", argsz);
	if (ret < 0)
		return;
	note("argsz %u flags 0x%x page sizes 0x%llx", b.info.argsz, b.info.flags,
	     (unsigned long long)b.info.iova_pgsizes);
	if (argsz < 24) {
		note("cap_offset is %s", b.info.cap_offset == ~0u ? "untouched" : "written");
		return;
	}
	note("cap_offset %u pad 0x%x", b.info.cap_offset, b.info.pad);
	if (argsz > BUFFER)
		return;
	for (offset = b.info.cap_offset; offset != 0 && links < 8; links++) {
		struct vfio_info_cap_header head;

		if (offset > BUFFER - 64)
			break;
		show_cap(b.bytes + offset);
		memcpy(&head, b.bytes + offset, sizeof(head));
		offset = head.next;
	}
}

static void sizes(int container)
{
	static const uint32_t argsz[] = {0, 8, 15, 16, 17, 20, 23, 24, 32, 100, 127, 128, 512};
	void *nowhere = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(argsz); i++)
		get_info(container, argsz[i]);
	IOCTL(container, VFIO_IOMMU_GET_INFO, nowhere);
}

static void one_type(uint32_t type, const char *name)
{
	struct vfio_user u;
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
					       .flags = VFIO_DMA_MAP_FLAG_READ,
					       .iova = IOVA(0),
					       .size = PAGE};

	section("%s", name);
	vfio_user_open(&u, edu, type);
	sizes(u.container);
	note("one mapping fewer");
	map.vaddr = (uintptr_t)pages(PAGE);
	if (ioctl(u.container, VFIO_IOMMU_MAP_DMA, &map) < 0)
		die("MAP_DMA: %s", errno_name(errno));
	get_info(u.container, 512);
	vfio_user_close(&u);
}

int main(void)
{
	case_begin();
	pci_bind(edu, "vfio-pci");
	one_type(VFIO_TYPE1v2_IOMMU, "type1v2");
	one_type(VFIO_TYPE1_IOMMU, "type1");
	return 0;
}
