/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The container's commands on /dev/iommu: the same as on /dev/vfio/vfio where that is possible, on
 * the IOAS that VFIO_IOAS sets or that SET_CONTAINER makes. A map with neither READ nor WRITE is
 * left out: it is EINVAL, but makes Linux 7.3 write a warning with a backtrace.
 */
#include "lib.h"

#define READ VFIO_DMA_MAP_FLAG_READ
#define ALL  VFIO_DMA_UNMAP_FLAG_ALL

static int iommufd;
static uint8_t *memory;

static void commands(const char *when)
{
	struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
					       .flags = READ,
					       .vaddr = (uintptr_t)memory,
					       .iova = IOVA(100),
					       .size = PAGE};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = IOVA(100), .size = PAGE};
	struct vfio_iommu_type1_dirty_bitmap dirty = {.argsz = sizeof(dirty)};
	unsigned long n;

	section("%s", when);
	IOCTL(iommufd, VFIO_GET_API_VERSION, 0);
	for (n = 0; n <= 12; n++)
		say_call(ioctl(iommufd, VFIO_CHECK_EXTENSION, n), "CHECK_EXTENSION %lu", n);
	IOCTL(iommufd, VFIO_IOMMU_GET_INFO, &info);
	IOCTL(iommufd, VFIO_IOMMU_MAP_DMA, &map);
	IOCTL(iommufd, VFIO_IOMMU_UNMAP_DMA, &unmap);
	IOCTL(iommufd, VFIO_IOMMU_DIRTY_PAGES, &dirty);
	IOCTL(iommufd, VFIO_IOMMU_ENABLE, 0);
}

static void set_iommu(void)
{
	static const unsigned long types[] = {0,
					      2,
					      4,
					      7,
					      8,
					      9,
					      10,
					      100,
					      VFIO_TYPE1v2_IOMMU,
					      VFIO_TYPE1_IOMMU,
					      VFIO_TYPE1v2_IOMMU};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		say_call(ioctl(iommufd, VFIO_SET_IOMMU, types[i]), "SET_IOMMU %lu", types[i]);
}

static void info(uint32_t argsz)
{
	union {
		struct vfio_iommu_type1_info info;
		uint8_t bytes[512];
	} b;
	struct vfio_iommu_type1_info_cap_iova_range ranges;
	struct vfio_info_cap_header head;
	struct vfio_iova_range range;
	uint32_t at, i;
	int ret;

	memset(&b, 0, sizeof(b));
	b.info.argsz = argsz;
	ret = say_call(ioctl(iommufd, VFIO_IOMMU_GET_INFO, &b), "GET_INFO argsz %u", argsz);
	if (ret < 0)
		return;
	note("argsz %u flags 0x%x page sizes 0x%llx cap_offset %u", b.info.argsz, b.info.flags,
	     (unsigned long long)b.info.iova_pgsizes, b.info.cap_offset);
	for (at = b.info.cap_offset; at != 0 && at < 400; at = head.next) {
		memcpy(&head, b.bytes + at, sizeof(head));
		note("capability %u version %u next %u", head.id, head.version, head.next);
		if (head.id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			continue;
		memcpy(&ranges, b.bytes + at, sizeof(ranges));
		for (i = 0; i < ranges.nr_iovas; i++) {
			memcpy(&range, b.bytes + at + sizeof(ranges) + i * sizeof(range),
			       sizeof(range));
			note("  0x%llx-0x%llx", (unsigned long long)range.start,
			     (unsigned long long)range.end);
		}
	}
}

static void infos(void)
{
	static const uint32_t argsz[] = {0, 15, 16, 20, 24, 100, 512};
	size_t i;

	section("GET_INFO");
	for (i = 0; i < ARRAY_SIZE(argsz); i++)
		info(argsz[i]);
}

static void map(uint32_t flags, const void *va, uint64_t iova, uint64_t size, const char *what)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = flags,
					     .vaddr = (uintptr_t)va,
					     .iova = iova,
					     .size = size};

	say_call(ioctl(iommufd, VFIO_IOMMU_MAP_DMA, &m), "MAP %s", what);
}

static void unmap(uint32_t flags, uint64_t iova, uint64_t size, const char *what)
{
	struct vfio_iommu_type1_dma_unmap u = {
		.argsz = sizeof(u), .flags = flags, .iova = iova, .size = size};
	int ret;

	ret = say_call(ioctl(iommufd, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP %s", what);
	if (ret == 0 || u.size != size)
		note("size 0x%llx", (unsigned long long)u.size);
}

static void mappings(const char *type)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m) - 1, .flags = READ};

	section("%s", type);
	IOCTL(iommufd, VFIO_IOMMU_MAP_DMA, &m);
	map(READ | 8, memory, IOVA(0), PAGE, "unknown flag");
	map(VFIO_DMA_MAP_FLAG_VADDR, memory, IOVA(0), PAGE, "VADDR");
	map(READ, memory, IOVA(0), 0, "size 0");
	map(READ, memory, IOVA(0), 100, "100 bytes");
	map(READ, memory, IOVA(0) + 1, PAGE, "iova not aligned");
	map(READ, memory + 1, IOVA(0), PAGE, "address not aligned");
	map(READ, memory, 0xfee00000, PAGE, "in the reserved window");
	map(READ, memory, 1ull << 48, PAGE, "at 2^48");
	map(READ, memory, ~0ull - PAGE + 1, 2 * PAGE, "across 2^64");
	map(READ, NULL, IOVA(0), PAGE, "NULL");
	map(READ, memory, IOVA(4), 4 * PAGE, "pages 4-7");
	map(READ, memory, IOVA(7), 2 * PAGE, "pages 7-8");
	unmap(8, IOVA(4), 4 * PAGE, "unknown flag");
	unmap(0, IOVA(0), 0, "size 0");
	unmap(0, IOVA(0) + 1, PAGE, "iova not aligned");
	unmap(0, IOVA(12), PAGE, "of nothing");
	unmap(0, IOVA(4), PAGE, "page 4");
	unmap(0, IOVA(7), PAGE, "page 7");
	unmap(0, IOVA(5), 2 * PAGE, "pages 5-6");
	unmap(0, IOVA(2), 4 * PAGE, "pages 2-5");
	unmap(0, IOVA(4), 4 * PAGE, "pages 4-7");
	map(READ, memory, IOVA(0), PAGE, "page 0");
	map(READ, memory, IOVA(2), PAGE, "page 2");
	unmap(ALL, IOVA(0), 0, "ALL with iova");
	unmap(ALL, 0, PAGE, "ALL with size");
	unmap(ALL, 0, 0, "ALL");
	unmap(ALL, 0, 0, "ALL again");
	unmap(VFIO_DMA_UNMAP_FLAG_VADDR, IOVA(0), PAGE, "VADDR");
	unmap(VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, IOVA(0), PAGE, "DIRTY");
}

static void with_group(unsigned long type, const char *name)
{
	int group, device;

	iommufd = open_iommufd();
	group = must_open_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	say_call(ioctl(iommufd, VFIO_SET_IOMMU, type), "SET_IOMMU %s", name);
	device = group_get_device(group, edu);
	infos();
	mappings(name);
	close(device);
	close(group);
	CLOSE(iommufd);
}

int main(void)
{
	struct iommu_vfio_ioas v = {.size = sizeof(v), .op = IOMMU_VFIO_IOAS_SET};
	int group;

	case_begin();
	pci_bind(edu, "vfio-pci");
	memory = pages(16 * PAGE);
	iommufd = open_iommufd();
	commands("no IOAS");
	set_iommu();
	v.ioas_id = must_ioas(iommufd);
	IOCTL(iommufd, IOMMU_VFIO_IOAS, &v);
	commands("an IOAS, no device");
	set_iommu();
	CLOSE(iommufd);

	iommufd = open_iommufd();
	group = must_open_group(edu);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	commands("a group, no device open");
	set_iommu();
	close(group);
	CLOSE(iommufd);

	with_group(VFIO_TYPE1v2_IOMMU, "type1v2");
	with_group(VFIO_TYPE1_IOMMU, "type1");
	return 0;
}
