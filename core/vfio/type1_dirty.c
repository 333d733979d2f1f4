/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty pages: VFIO_IOMMU_DIRTY_PAGES, and the bitmap of UNMAP.
 *
 * Linux's type1 cannot ask the IOMMU which pages a device has written. While a device is attached
 * that pins its memory for good, as every vfio-pci device does, it reports all pages of every
 * mapping as dirty, each time. Only such devices exist here, and no mapping outlives them, so that
 * is the whole truth: nothing has to be recorded, START and STOP set and clear a flag.
 *
 * The bitmap is the caller's, made of 64-bit words. Words that only lie between mappings are left
 * alone; to a word in which a mapping begins behind the first bit its bits are added.
 */
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "core/command.h"
#include "core/vfio/type1.h"

#define DIRTY_FLAGS                                                                                \
	(VFIO_IOMMU_DIRTY_PAGES_FLAG_START | VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP |                    \
	 VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP)

#define DIRTY_MIN_SIZE svf_offsetofend(struct vfio_iommu_type1_dirty_bitmap, flags)

/* Addresses from here on are never a process's, on x86-64 with five levels of page tables. */
#define USER_ADDRESS_END 0xfffffffffff000ull

/* Behind the head of DIRTY_PAGES with GET_BITMAP. */
struct dirty_get {
	uint64_t iova;
	uint64_t size;
	struct vfio_bitmap bitmap;
};

int svf_type1_check_bitmap(struct svf_call *call, const struct vfio_bitmap *bitmap, uint64_t size)
{
	uint64_t pages, needed, end;

	if (__builtin_add_overflow(bitmap->data, bitmap->size, &end) || end > USER_ADDRESS_END)
		return svf_fail(
			call, -EINVAL,
			"the bitmap, %lu bytes at 0x%lx, is not in the caller's address space",
			(unsigned long)bitmap->size, (unsigned long)bitmap->data);
	pages = bitmap->pgsize ? size >> __builtin_ctzll(bitmap->pgsize) : size;
	needed = ((pages + 63) & ~63ull) / 8;
	if (!pages || !bitmap->size || bitmap->size > SVF_DIRTY_BITMAP_MAX || bitmap->size < needed)
		return svf_fail(
			call, -EINVAL,
			"a bitmap of %lu bytes is not one for %lu pages; it needs %lu, at most %lu",
			(unsigned long)bitmap->size, (unsigned long)pages, (unsigned long)needed,
			(unsigned long)SVF_DIRTY_BITMAP_MAX);
	return 0;
}

/*
 * Writes whole words from addr on: bits first to first + count - 1 set, first being below 64, the
 * others 0, but for those of the first word that keep has.
 */
static int write_ones(struct svf_call *call, uint64_t addr, uint64_t keep, uint64_t first,
		      uint64_t count)
{
	uint64_t words[64], bits = first + count;

	while (bits) {
		size_t n = 0;

		for (; n < SVF_ARRAY_SIZE(words) && bits; n++) {
			uint64_t here = bits < 64 ? bits : 64;

			words[n] = (~0ull >> (64 - here) & ~0ull << first) | keep;
			bits -= here;
			first = 0;
			keep = 0;
		}
		if (svf_copy_to_user(call, addr, words, n * sizeof(words[0])))
			return -EFAULT;
		addr += n * sizeof(words[0]);
	}
	return 0;
}

int svf_type1_report_dirty(struct svf_call *call, const struct vfio_bitmap *bitmap, uint64_t base,
			   const struct svf_mapping *map)
{
	uint64_t bit = (map->node.first - base) / SVF_IOMMU_PAGE_SIZE;
	uint64_t addr = bitmap->data + bit / 64 * sizeof(uint64_t), keep = 0;

	if (bit % 64 && svf_copy_from_user(call, &keep, addr, sizeof(keep)))
		return -EFAULT;
	return write_ones(call, addr, keep, bit % 64, (uint64_t)svf_mapping_pages(map));
}

static int dirty_start(struct svf_type1 *type1, struct svf_call *call)
{
	struct svf_itree_node *node = svf_itree_first(&type1->space.tree, 0, UINT64_MAX);

	if (type1->dirty_tracking)
		return 0;
	for (; node; node = svf_itree_next(node))
		if ((node->last - node->first) / SVF_IOMMU_PAGE_SIZE >= SVF_DIRTY_PAGES_MAX)
			return svf_fail(call, -EINVAL,
					"the mapping at IOVA 0x%lx-0x%lx has more than %lu pages",
					(unsigned long)node->first, (unsigned long)node->last,
					(unsigned long)SVF_DIRTY_PAGES_MAX);
	type1->dirty_tracking = true;
	return 0;
}

static int check_get(const struct svf_type1 *type1, struct svf_call *call,
		     const struct dirty_get *get, uint64_t *ret_last)
{
	int err;

	if (!get->size)
		return svf_fail(call, -EINVAL, "size is 0");
	if (!svf_range_last(get->iova, get->size, ret_last))
		return svf_fail(call, -EOVERFLOW, "IOVA 0x%lx plus size 0x%lx passes 2^64",
				(unsigned long)get->iova, (unsigned long)get->size);
	err = svf_type1_check_bitmap(call, &get->bitmap, get->size);
	if (err)
		return err;
	if (get->bitmap.pgsize != SVF_IOMMU_PAGE_SIZE)
		return svf_fail(call, -EINVAL, "the bitmap's pgsize is %lu, not %u",
				(unsigned long)get->bitmap.pgsize, SVF_IOMMU_PAGE_SIZE);
	if (!svf_is_aligned(get->iova | get->size, SVF_IOMMU_PAGE_SIZE))
		return svf_fail(call, -EINVAL,
				"iova 0x%lx and size 0x%lx must be multiples of the page size, %u",
				(unsigned long)get->iova, (unsigned long)get->size,
				SVF_IOMMU_PAGE_SIZE);
	if (!type1->dirty_tracking)
		return svf_fail(call, -EINVAL, "dirty pages are not tracked; use START first");
	if (svf_type1_bisects(type1, get->iova, *ret_last))
		return svf_fail(call, -EINVAL, "IOVA 0x%lx-0x%lx begins or ends inside a mapping",
				(unsigned long)get->iova, (unsigned long)*ret_last);
	return 0;
}

static int dirty_get_bitmap(const struct svf_type1 *type1, struct svf_call *call, uint64_t arg,
			    uint32_t argsz)
{
	struct svf_itree_node *node;
	struct dirty_get get;
	uint64_t last = 0;
	int err;

	if (argsz - DIRTY_MIN_SIZE < sizeof(get))
		return svf_fail(call, -EINVAL, "argsz is %u, less than %zu with GET_BITMAP", argsz,
				DIRTY_MIN_SIZE + sizeof(get));
	err = svf_copy_from_user(call, &get, arg + DIRTY_MIN_SIZE, sizeof(get));
	if (!err)
		err = check_get(type1, call, &get, &last);
	if (err)
		return err;
	node = svf_itree_first(&type1->space.tree, get.iova, last);
	for (; node && node->first <= last; node = svf_itree_next(node)) {
		err = svf_type1_report_dirty(call, &get.bitmap, get.iova,
					     svf_container_of(node, struct svf_mapping, node));
		if (err)
			return err;
	}
	return 0;
}

long svf_type1_dirty_pages(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_type1 *type1 = svf_type1_of_file(file, call);
	struct vfio_iommu_type1_dirty_bitmap dirty;
	int err;

	if (!type1)
		return -EINVAL;
	if (!type1->v2)
		return svf_fail(call, -EACCES,
				"dirty pages need type1v2; set the container's IOMMU to "
				"VFIO_TYPE1v2_IOMMU (3)");
	err = svf_copy_from_user(call, &dirty, arg, DIRTY_MIN_SIZE);
	if (err)
		return err;
	if (dirty.argsz < DIRTY_MIN_SIZE)
		return svf_fail(call, -EINVAL, "argsz is %u, less than %zu", dirty.argsz,
				DIRTY_MIN_SIZE);
	if (dirty.flags & ~DIRTY_FLAGS)
		return svf_fail(call, -EINVAL, "unknown flags 0x%x", dirty.flags & ~DIRTY_FLAGS);
	switch (dirty.flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
		return dirty_start(type1, call);
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		type1->dirty_tracking = false;
		return 0;
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		return dirty_get_bitmap(type1, call, arg, dirty.argsz);
	default:
		return svf_fail(call, -EINVAL,
				"flags 0x%x are not exactly one of START, STOP and GET_BITMAP",
				dirty.flags);
	}
}
