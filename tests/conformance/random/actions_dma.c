/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls on containers: information, mappings, dirty pages. An iommufd serves as container as well. */
#include "generate.h"

#include "uapi/vfio.h"

#define IOVA_BASE 0x10000000u

static bool is_set_up(const struct object *container)
{
	return container->iommu != 0;
}

static bool has_maps(const struct object *container)
{
	return container->nr_maps > 0;
}

/* A container, or an iommufd that is used as one. */
static unsigned pick_container(struct generator *g, bool (*wanted)(const struct object *))
{
	enum class first = chance(g, 75) ? CLASS_CONTAINER : CLASS_IOMMUFD;
	unsigned slot = pick_slot(g, first, wanted);

	if (slot == NO_SLOT)
		slot = pick_slot(g, first == CLASS_CONTAINER ? CLASS_IOMMUFD : CLASS_CONTAINER,
				 wanted);
	return slot;
}

static uint64_t any_iova(struct generator *g)
{
	static const uint64_t odd[] = {
		0,
		0xfee00000,
		0xfedff000,
		0xfef00000,
		0x1000,
		0xfffffffff000,
		0x1000000000000,
		0xfffffffffffff000,
		0x7ffffffff000,
		0x10000800,
	};

	return chance(g, 90) ? IOVA_BASE + (uint64_t)below(g, 24) * PAGE : ONE_OF(g, odd);
}

static uint64_t any_size(struct generator *g)
{
	static const uint64_t odd[] = {0,	 1,	     0x800,	      0x40000,
				       0x200000, 0x40000000, 0x1000000000000, 0xfffffffffffff000};

	return chance(g, 90) ? (uint64_t)(1 + below(g, 5)) * PAGE : ONE_OF(g, odd);
}

static bool make_information(struct generator *g, struct op *op)
{
	static const uint32_t sizes[] = {16, 24, 24, 48, 108, 128, 200, 400};
	unsigned slot = pick_container(g, chance(g, 80) ? is_set_up : NULL);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, VFIO_IOMMU_GET_INFO, CLASS_CONTAINER, slot);
	put32(op, any_argsz(g, ONE_OF(g, sizes)));
	put32(op, 0);
	put64(op, 0);
	put64(op, 0);
	return true;
}

static bool make_version(struct generator *g, struct op *op)
{
	unsigned slot = pick_container(g, NULL);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, chance(g, 20) ? VFIO_GET_API_VERSION : VFIO_CHECK_EXTENSION, CLASS_CONTAINER,
		 slot);
	op->value = below(g, 14);
	return true;
}

static bool make_map(struct generator *g, struct op *op)
{
	unsigned slot = pick_container(g, is_set_up);
	uint32_t flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	uint64_t size = any_size(g);

	if (slot == NO_SLOT)
		return false;
	if (chance(g, 20))
		flags = below(g, 16);
	op_ioctl(op, VFIO_IOMMU_MAP_DMA, CLASS_CONTAINER, slot);
	put32(op, any_argsz(g, 32));
	put32(op, flags);
	/* Mostly memory that can be written, sometimes none or what lies over an edge. */
	if (chance(g, 85))
		put_memory(op, (uint64_t)below(g, MEMORY_PAGES - 8) * PAGE);
	else
		put_memory(op, (uint64_t)(MEMORY_PAGES - 3 + below(g, 16)) * PAGE);
	put64(op, any_iova(g));
	put64(op, size);
	return true;
}

/* Some part of a mapping, or all of it, or more. */
static void any_range(struct generator *g, const struct object *container, uint64_t *iova,
		      uint64_t *size)
{
	const struct range *range;

	*iova = any_iova(g);
	*size = any_size(g);
	if (container == NULL || container->nr_maps == 0 || chance(g, 20))
		return;
	range = &container->maps[below(g, container->nr_maps)];
	*iova = range->iova;
	*size = range->size;
	if (chance(g, 15))
		*iova += PAGE;
	if (chance(g, 15))
		*size += PAGE;
	if (chance(g, 15))
		*size -= PAGE;
	if (chance(g, 15)) {
		*iova = IOVA_BASE;
		*size = 32 * PAGE;
	}
}

static void put_bitmap(struct generator *g, struct op *op, uint64_t size)
{
	static const uint64_t sizes[] = {0, 1, 7, 8, 8, 16, 64, 0x20000000, 0x20000001, ~0ull};
	uint64_t pages = size / PAGE;

	put64(op, chance(g, 92) ? PAGE : chance(g, 50) ? 8192 : below(g, 9000));
	put64(op, chance(g, 80) ? (pages + 63) / 64 * 8 : ONE_OF(g, sizes));
	put_memory(op, chance(g, 92) ? MEMORY_BITMAP : (MEMORY_PAGES + 2) * PAGE);
}

static bool make_unmap(struct generator *g, struct op *op)
{
	static const uint32_t odd[] = {VFIO_DMA_UNMAP_FLAG_VADDR,
				       VFIO_DMA_UNMAP_FLAG_ALL,
				       VFIO_DMA_UNMAP_FLAG_ALL,
				       VFIO_DMA_UNMAP_FLAG_ALL | VFIO_DMA_UNMAP_FLAG_VADDR,
				       VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
				       VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
				       VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
				       VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP |
					       VFIO_DMA_UNMAP_FLAG_ALL,
				       8};
	unsigned slot = pick_container(g, chance(g, 80) ? has_maps : is_set_up);
	uint64_t iova, size;
	uint32_t flags = 0;

	if (slot == NO_SLOT)
		return false;
	if (chance(g, 35))
		flags = ONE_OF(g, odd);
	any_range(g, g->model.slots[slot], &iova, &size);
	if (flags & VFIO_DMA_UNMAP_FLAG_ALL && chance(g, 80))
		iova = size = 0;
	op_ioctl(op, VFIO_IOMMU_UNMAP_DMA, CLASS_CONTAINER, slot);
	put32(op, any_argsz(g, flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP ? 48 : 24));
	put32(op, flags);
	put64(op, iova);
	put64(op, size);
	if (flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
		put_bitmap(g, op, size);
	return true;
}

static bool make_dirty(struct generator *g, struct op *op)
{
	static const uint32_t all[] = {
		VFIO_IOMMU_DIRTY_PAGES_FLAG_START,	VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
		VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP,	VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP, VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
	};
	unsigned slot = pick_container(g, chance(g, 70) ? has_maps : is_set_up);
	uint32_t flags = chance(g, 92) ? ONE_OF(g, all) : below(g, 16);
	bool bitmap = flags & VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
	uint64_t iova, size;

	if (slot == NO_SLOT)
		return false;
	any_range(g, g->model.slots[slot], &iova, &size);
	op_ioctl(op, VFIO_IOMMU_DIRTY_PAGES, CLASS_CONTAINER, slot);
	put32(op, any_argsz(g, bitmap ? 48 : 8));
	put32(op, flags);
	if (!bitmap)
		return true;
	put64(op, iova);
	put64(op, size);
	put_bitmap(g, op, size);
	return true;
}

static bool make_other(struct generator *g, struct op *op)
{
	unsigned slot = pick_container(g, NULL);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, chance(g, 50) ? VFIO_IOMMU_ENABLE : VFIO_IOMMU_DISABLE, CLASS_CONTAINER, slot);
	return true;
}

const struct action dma_actions[] = {
	{4, make_information}, {3, make_version}, {12, make_map},
	{9, make_unmap},       {5, make_dirty},	  {1, make_other},
};
const size_t nr_dma_actions = ARRAY_SIZE(dma_actions);
