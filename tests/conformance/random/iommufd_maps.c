/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls on an iommufd about mappings: of its own, and those of a container, which it serves as well. */
#include "iommufd.h"

#include <string.h>

#include "uapi/iommufd.h"
#include "uapi/vfio.h"

#define IOVA_BASE 0x10000000u
#define FIXED	  IOMMU_IOAS_MAP_FIXED_IOVA
#define RW	  (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

static uint64_t any_iova(struct generator *g)
{
	static const uint64_t odd[] = {
		0,
		1,
		0x800,
		0x10000800,
		0x10000001,
		0xfee00000,
		0xfedff000,
		0xfef00000,
		0x7ffffffff000,
		0xfffffffff000,
		0x7fffffffff000,
		0x1000000000000,
		0xfffffffffffff000,
		0xffffffffffffffff,
	};

	return chance(g, 88) ? IOVA_BASE + (uint64_t)below(g, 24) * PAGE : ONE_OF(g, odd);
}

static uint64_t any_size(struct generator *g)
{
	static const uint64_t odd[] = {
		0,
		1,
		0x800,
		0x1001,
		0x40000,
		0x200000,
		0x40000000,
		0x1000000000000,
		1ull << 63,
		0x7fffffffffffffff,
		0xfffffffffffff000,
		0xffffffffffffffff,
	};

	return chance(g, 88) ? (uint64_t)(1 + below(g, 5)) * PAGE : ONE_OF(g, odd);
}

/*
 * Of a mapping that an access may reach: Linux loses count of the pages of one that is larger than all
 * memory, and then reads and writes others.
 */
static uint64_t any_mapping_size(struct iommufd *x)
{
	uint64_t size = any_size(&x->g);

	return x->test && size > 0x40000000 ? PAGE : size;
}

static uint32_t any_map_flags(struct generator *g)
{
	if (chance(g, 12))
		return below(g, 16);
	return RW | (chance(g, 65) ? FIXED : 0);
}

/* Mostly memory that can be written, sometimes none or what lies over an edge, or not at a page. */
static uint64_t any_memory(struct generator *g)
{
	uint64_t at = (uint64_t)below(g, MEMORY_PAGES - 8) * PAGE;

	if (chance(g, 12))
		at = (uint64_t)(MEMORY_PAGES - 3 + below(g, 16)) * PAGE;
	return chance(g, 92) ? at : at + 1 + below(g, PAGE - 1);
}

/* Keeps the IOVA that a MAP or COPY gives in one variable after the other. */
static void keep_iova(struct iommufd *x, struct op *op, unsigned offset)
{
	op->keep = (struct keep){true, offset, x->nr_kept++ % NR_IOVAS};
}

static bool make_map(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_IOAS_MAP, slot, sizeof(struct iommu_ioas_map)))
		return false;
	put32(op, any_map_flags(g));
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	put32(op, chance(g, 1));
	put_memory(op, any_memory(g));
	put64(op, any_mapping_size(x));
	put64(op, any_iova(g));
	keep_iova(x, op, 32);
	return true;
}

static bool make_map_file(struct iommufd *x, struct op *op)
{
	static const enum class odd[] = {CLASS_EVENTFD, CLASS_NULL, CLASS_CLOSED, CLASS_IOMMUFD};
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);
	const struct class_info *info = &classes[CLASS_MEMORY];

	if (!command(op, IOMMU_IOAS_MAP_FILE, slot, sizeof(struct iommu_ioas_map_file)))
		return false;
	put32(op, any_map_flags(g));
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	if (chance(g, 6))
		info = &classes[ONE_OF(g, odd)];
	put_fd(op, info->first + (chance(g, 15) && info->count > 1));
	put64(op, (uint64_t)below(g, 14) * PAGE + (chance(g, 8) ? below(g, PAGE) : 0));
	put64(op, any_mapping_size(x));
	put64(op, any_iova(g));
	keep_iova(x, op, 32);
	return true;
}

/* Puts some mapping's IOVA, or near it, or any other; its size is given back. */
static uint64_t put_mapping(struct generator *g, struct op *op, const struct variable *ioas)
{
	const struct mapped *map;
	uint64_t add, size;

	if (ioas == NULL || ioas->nr_maps == 0 || chance(g, 7)) {
		put64(op, any_iova(g));
		return any_size(g);
	}
	map = &ioas->maps[below(g, ioas->nr_maps)];
	add = chance(g, 8) ? PAGE : 0;
	size = map->size;
	if (map->chosen)
		put_fixup(op, FIX_IOVA, map->iova, add);
	else
		put64(op, map->iova + add);
	if (chance(g, 12))
		size += chance(g, 50) ? PAGE : -(uint64_t)PAGE;
	return chance(g, 4) ? 24 * PAGE : size;
}

static const struct variable *known(const struct iommufd *x, unsigned variable)
{
	return variable == NO_VARIABLE ? NULL : &x->variables[variable];
}

static bool make_unmap(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x), ioas;
	uint64_t size;

	if (!command(op, IOMMU_IOAS_UNMAP, slot, sizeof(struct iommu_ioas_unmap)))
		return false;
	ioas = pick_variable(x, KIND_IOAS, ictx_of(x, slot));
	if (ioas == NO_VARIABLE || (x->variables[ioas].nr_maps == 0 && chance(g, 75)))
		return false;
	put_id(x, op, ioas);
	if (chance(g, 6)) {
		put64(op, 0);
		put64(op, UINT64_MAX);
		return true;
	}
	size = put_mapping(g, op, known(x, ioas));
	put64(op, size);
	return true;
}

static bool make_copy(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x), src, at;
	const struct object *ictx;
	struct op source = {.len = 0};
	uint64_t size;

	if (!command(op, IOMMU_IOAS_COPY, slot, sizeof(struct iommu_ioas_copy)))
		return false;
	ictx = ictx_of(x, slot);
	src = pick_variable(x, KIND_IOAS, ictx);
	if (src == NO_VARIABLE || (x->variables[src].nr_maps == 0 && chance(g, 80)))
		return false;
	put32(op, any_map_flags(g));
	put_object(x, op, KIND_IOAS, ictx);
	put_id(x, op, src);
	size = put_mapping(g, &source, known(x, src));
	put64(op, size);
	put64(op, any_iova(g));
	at = op->len;
	put64(op, 0);
	memcpy(op->bytes + at, source.bytes, 8);
	if (source.nr_fixups > 0) {
		op->fixups[op->nr_fixups] = source.fixups[0];
		op->fixups[op->nr_fixups++].offset = at;
	}
	keep_iova(x, op, 24);
	return true;
}

static bool make_iova_ranges(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_IOAS_IOVA_RANGES, slot, sizeof(struct iommu_ioas_iova_ranges)))
		return false;
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	put32(op, chance(g, 70) ? 8 : below(g, 4));
	put32(op, chance(g, 2));
	put_memory(op, chance(g, 92) ? MEMORY_BITMAP : (MEMORY_PAGES + 2) * PAGE);
	put64(op, 0);
	return true;
}

/* Ranges around where mappings are; some overlap, some are empty. */
static bool make_allow(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x), i, nr = below(g, 4);
	uint64_t range[2];

	if (!command(op, IOMMU_IOAS_ALLOW_IOVAS, slot, sizeof(struct iommu_ioas_allow_iovas)))
		return false;
	for (i = 0; i < nr; i++) {
		range[0] = chance(g, 85) ? IOVA_BASE + (uint64_t)below(g, 24) * PAGE : any_iova(g);
		range[1] = range[0] + (uint64_t)below(g, 64) * PAGE - 1;
		memcpy(op->aux + op->nr_aux, range, sizeof(range));
		op->nr_aux += (unsigned)sizeof(range);
	}
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	put32(op, chance(g, 96) ? nr : ~0u);
	put32(op, chance(g, 2));
	put_memory(op, chance(g, 94) ? MEMORY_BITMAP : (MEMORY_PAGES + 12) * PAGE);
	return true;
}

static bool make_change_process(struct iommufd *x, struct op *op)
{
	if (!command(op, IOMMU_IOAS_CHANGE_PROCESS, pick_iommufd(x),
		     sizeof(struct iommu_ioas_change_process)))
		return false;
	put32(op, chance(&x->g, 4));
	return true;
}

static bool make_noiommu_pa(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x), ioas;
	uint64_t size;

	if (!command(op, IOMMU_IOAS_NOIOMMU_GET_PA, slot, sizeof(struct iommu_ioas_noiommu_get_pa)))
		return false;
	ioas = pick_variable(x, KIND_IOAS, ictx_of(x, slot));
	put32(op, chance(&x->g, 3));
	put_id(x, op, ioas);
	put32(op, 0);
	size = put_mapping(&x->g, op, known(x, ioas));
	put64(op, size);
	put64(op, 0);
	return true;
}

/* As a container */

static bool has_vfio_ioas(const struct object *ictx)
{
	return ictx->iommu != 0;
}

static bool on_container(struct iommufd *x, struct op *op, uint32_t nr)
{
	unsigned slot = pick_slot(&x->g, CLASS_IOMMUFD, chance(&x->g, 85) ? has_vfio_ioas : NULL);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, nr, CLASS_CONTAINER, slot);
	return true;
}

static bool make_container_map(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;

	if (!on_container(x, op, VFIO_IOMMU_MAP_DMA))
		return false;
	put32(op, any_argsz(g, 32));
	put32(op, chance(g, 85) ? 3 : 1 + below(g, 7));
	put_memory(op, any_memory(g));
	put64(op, any_iova(g));
	put64(op, any_mapping_size(x));
	return true;
}

static bool make_container_unmap(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned ioas = pick_variable(x, KIND_IOAS, NULL);
	bool all = chance(g, 12);
	uint64_t size;

	if (!on_container(x, op, VFIO_IOMMU_UNMAP_DMA))
		return false;
	put32(op, any_argsz(g, 24));
	put32(op, all ? VFIO_DMA_UNMAP_FLAG_ALL : chance(g, 94) ? 0 : below(g, 8));
	if (all && chance(g, 85)) {
		put64(op, 0);
		put64(op, 0);
		return true;
	}
	size = put_mapping(g, op, known(x, ioas));
	put64(op, size);
	return true;
}

static bool make_container_info(struct iommufd *x, struct op *op)
{
	static const uint32_t sizes[] = {16, 20, 24, 40, 48, 64, 108, 128, 200, 400};

	if (!on_container(x, op, VFIO_IOMMU_GET_INFO))
		return false;
	put32(op, any_argsz(&x->g, ONE_OF(&x->g, sizes)));
	put32(op, 0);
	put64(op, 0);
	put64(op, 0);
	return true;
}

static bool make_container_other(struct iommufd *x, struct op *op)
{
	static const uint32_t commands_there[] = {VFIO_GET_API_VERSION, VFIO_CHECK_EXTENSION,
						  VFIO_CHECK_EXTENSION, VFIO_SET_IOMMU,
						  VFIO_SET_IOMMU,	VFIO_IOMMU_ENABLE};

	if (!on_container(x, op, ONE_OF(&x->g, commands_there)))
		return false;
	op->value = below(&x->g, 14);
	if (op->command->nr == VFIO_SET_IOMMU && chance(&x->g, 85))
		op->value = chance(&x->g, 70) ? VFIO_TYPE1v2_IOMMU : VFIO_TYPE1_IOMMU;
	return true;
}

static bool make_container_dirty(struct iommufd *x, struct op *op)
{
	if (!on_container(x, op, VFIO_IOMMU_DIRTY_PAGES))
		return false;
	put32(op, any_argsz(&x->g, 8));
	put32(op, 1u << below(&x->g, 4));
	return true;
}

const struct iommufd_action iommufd_maps[] = {
	{12, make_map},
	{5, make_map_file},
	{8, make_unmap},
	{7, make_copy},
	{5, make_iova_ranges},
	{4, make_allow},
	{1, make_change_process},
	{1, make_noiommu_pa},
	{4, make_container_map},
	{3, make_container_unmap},
	{2, make_container_info},
	{2, make_container_other},
	{1, make_container_dirty},
};
const size_t nr_iommufd_maps = ARRAY_SIZE(iommufd_maps);

/* What they do */

static void add_map(struct variable *ioas, const struct op *op, uint32_t flags, unsigned iova_at,
		    unsigned length_at)
{
	struct mapped map = {.chosen = !(flags & FIXED)};
	unsigned i;

	if (ioas == NULL || ioas->kind != KIND_IOAS || ioas->nr_maps == MAX_MAPS || !(flags & RW))
		return;
	memcpy(&map.size, op->bytes + length_at, 8);
	memcpy(&map.iova, op->bytes + iova_at, 8);
	if (map.chosen)
		map.iova = op->keep.variable;
	for (i = 0; i < ioas->nr_maps; i++)
		if (!map.chosen && !ioas->maps[i].chosen &&
		    map.iova < ioas->maps[i].iova + ioas->maps[i].size &&
		    ioas->maps[i].iova < map.iova + map.size)
			return;
	ioas->maps[ioas->nr_maps++] = map;
}

static void apply_unmap(struct variable *ioas, const struct op *op)
{
	uint64_t iova, size;
	unsigned i;

	if (ioas == NULL)
		return;
	memcpy(&iova, op->bytes + 8, 8);
	memcpy(&size, op->bytes + 16, 8);
	for (i = ioas->nr_maps; i-- > 0;)
		if (size == UINT64_MAX || (!ioas->maps[i].chosen && ioas->maps[i].iova == iova) ||
		    (ioas->maps[i].chosen && op->nr_fixups > 1 &&
		     ioas->maps[i].iova == op->fixups[1].value))
			ioas->maps[i] = ioas->maps[--ioas->nr_maps];
}

void maps_apply(struct iommufd *x, const struct op *op)
{
	uint32_t flags;

	memcpy(&flags, op->bytes + 4, 4);
	switch (op->command->nr) {
	case IOMMU_IOAS_MAP:
	case IOMMU_IOAS_MAP_FILE:
		add_map(variable_at(x, op, 8), op, flags, 32, 24);
		break;
	case IOMMU_IOAS_COPY:
		add_map(variable_at(x, op, 8), op, flags, 24, 16);
		break;
	case IOMMU_IOAS_UNMAP:
		apply_unmap(variable_at(x, op, 4), op);
		break;
	}
}
