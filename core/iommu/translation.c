/* SPDX-License-Identifier: BSD-3-Clause */
/* Translation of one address; see translation.h. */
#include "core/iommu/translation.h"

#include "core/iommu/iova_space.h"

static bool is_interrupt(uint64_t address)
{
	return address >= SVF_MSI_WINDOW_FIRST && address <= SVF_MSI_WINDOW_LAST;
}

/* A first-stage entry that is present can be read, whatever was asked of MAP. */
static bool check_first(const struct svf_mapping *map, uint64_t address, bool write,
			enum svf_fault_kind *fault)
{
	if (!svf_stage1_is_canonical(address, 4))
		*fault = SVF_FAULT_NOT_CANONICAL;
	else if (!map)
		*fault = SVF_FAULT_FS_NOT_PRESENT;
	else if (write && !(map->prot & SVF_MAP_WRITE))
		*fault = SVF_FAULT_FS_READ_ONLY;
	else
		return true;
	return false;
}

static bool check_mapping(enum svf_tables tables, const struct svf_mapping *map, uint64_t address,
			  bool write, enum svf_fault_kind *fault)
{
	bool scalable = tables == SVF_TABLES_SECOND;

	if (tables == SVF_TABLES_FIRST)
		return check_first(map, address, write, fault);
	if (address > SVF_IOVA_LAST && tables != SVF_TABLES_NONE)
		*fault = scalable ? SVF_FAULT_SM_BEYOND : SVF_FAULT_BEYOND;
	else if (!map || !(map->prot & (write ? SVF_MAP_WRITE : SVF_MAP_READ)))
		*fault = scalable ? SVF_FAULT_SS_PERMISSION : SVF_FAULT_UNMAPPED;
	else
		return true;
	return false;
}

bool svf_translate(const struct svf_translation *translation, uint64_t iova, bool write,
		   struct svf_translated *ret, enum svf_fault_kind *fault)
{
	struct svf_stage1_page page = {.address = iova, .left = UINT64_MAX};
	const struct svf_mapping *map;

	ret->map = NULL;
	ret->address = iova;
	*fault = SVF_FAULT_INTERRUPT;
	if (translation->tables >= SVF_TABLES_FIRST && is_interrupt(iova))
		return false;
	if (translation->stage1) {
		if (!svf_stage1_walk(translation, iova, write, &page, fault))
			return false;
		if (is_interrupt(page.address))
			return false;
	}
	map = svf_iova_space_first(translation->space, page.address, page.address);
	ret->map = map;
	ret->address = page.address;
	if (!check_mapping(translation->tables, map, page.address, write, fault))
		return false;
	ret->last = map->node.last;
	if (page.left <= map->node.last - page.address)
		ret->last = page.address + (page.left - 1);
	return true;
}

void svf_translation_mark(const struct svf_translation *translation, uint64_t first, uint64_t last)
{
	struct svf_iova_space *space = translation->space;

	if (space->dirty.on)
		svf_dirty_mark(&space->dirty, space->machine, first, last);
	if (translation->dirty && translation->dirty->on)
		svf_dirty_mark(translation->dirty, space->machine, first, last);
}
