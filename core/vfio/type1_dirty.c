/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty pages: VFIO_IOMMU_DIRTY_PAGES, and the bitmap of UNMAP.
 *
 * Linux's type1 cannot ask the IOMMU which pages a device has written. While a device is attached
 * that pins its memory for good, as every vfio-pci device does, it reports all pages of every
 * mapping as dirty, each time. Only such devices exist here, and no mapping outlives them, so that
 * is the whole truth: nothing has to be recorded, START and STOP set and clear a flag.
 *
 * With params.exact_dirty it is the pages that devices really wrote since they were reported last, as
 * an IOMMU with dirty bits in its tables knows them: core/iommu/dirty.c. Everything else stays the same.
 * Which of the two it is, START decides, for as long as tracking is on.
 *
 * The bitmap is the caller's, made of 64-bit words. Words that only lie between mappings are left
 * alone; to a word in which a mapping begins behind the first bit its bits are added.
 */
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "core/command.h"
#include "core/machine.h"
#include "core/vfio/type1.h"

#define DIRTY_FLAGS                                                                                \
	(VFIO_IOMMU_DIRTY_PAGES_FLAG_START | VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP |                    \
	 VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP)

#define DIRTY_MIN_SIZE svf_offsetofend(struct vfio_iommu_type1_dirty_bitmap, flags)

/* Addresses from here on are never a process's, on x86-64 with five levels of page tables. */
#define USER_ADDRESS_END 0xfffffffffff000ull

/* Of a bitmap, written at once: 8 KiB. Twice that are on the stack. */
#define BLOCK_WORDS 1024u

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
 * The caller's bitmap, being written: each copy costs a system call, and mappings may be many and small.
 * So words that follow each other are collected first.
 */
struct writer {
	struct svf_call *call;
	uint64_t bitmap;       /* its address */
	uint64_t first, count; /* words that are held */
	uint64_t words[BLOCK_WORDS];
};

/* Sets bits shift to shift + count - 1 of words that are 0. */
static void set_bits(uint64_t *words, unsigned int shift, uint64_t count)
{
	uint64_t end = shift + count;

	memset(words, 0xff, end / 64 * sizeof(words[0]));
	if (end % 64)
		words[end / 64] = ~0ull >> (64 - end % 64);
	words[0] &= ~0ull << shift;
}

/* The bits of pages pages from iova on, from bit shift of words, which are 0. */
static void dirty_bits(const struct svf_type1 *type1, uint64_t iova, uint64_t pages,
		       uint64_t *words, unsigned int shift)
{
	const struct svf_dirty *dirty = &type1->space.dirty;

	if (dirty->on && !dirty->all)
		svf_dirty_collect(dirty, iova, iova + pages * SVF_IOMMU_PAGE_SIZE - 1, words,
				  shift);
	else
		set_bits(words, shift, pages);
}

/* Writes what is there, so that the next word may be any. */
static int flush(struct writer *writer)
{
	uint64_t addr = writer->bitmap + writer->first * sizeof(writer->words[0]);
	size_t count = writer->count;

	writer->count = 0;
	if (!count)
		return 0;
	return svf_copy_to_user(writer->call, addr, writer->words,
				count * sizeof(writer->words[0]));
}

/*
 * Makes word the last one that is held, at least, and says where it is. keep: what it has so far is
 * to be kept, ours or the caller's; else it is 0.
 */
static int take_word(struct writer *writer, uint64_t word, bool keep, uint64_t **ret)
{
	uint64_t at = word - writer->first;
	int err = 0;

	if (writer->count && at == writer->count - 1) {
		*ret = &writer->words[at];
		return 0;
	}
	if (writer->count && (at != writer->count || at == BLOCK_WORDS))
		err = flush(writer);
	if (err)
		return err;
	if (!writer->count)
		writer->first = word;
	at = word - writer->first;
	writer->words[at] = 0;
	if (keep && svf_copy_from_user(writer->call, &writer->words[at],
				       writer->bitmap + word * sizeof(word), sizeof(word)))
		return -EFAULT;
	writer->count = at + 1;
	*ret = &writer->words[at];
	return 0;
}

/* The bits of one mapping, whose first page has bit number bit. */
static int write_mapping(struct writer *writer, const struct svf_type1 *type1,
			 const struct svf_mapping *map, uint64_t bit)
{
	uint64_t left = (uint64_t)svf_mapping_pages(map), iova = map->node.first;

	while (left) {
		unsigned int shift = bit % 64;
		uint64_t *words, bits[BLOCK_WORDS], room, pages;
		int err = take_word(writer, bit / 64, shift, &words);

		if (err)
			return err;
		room = (BLOCK_WORDS - (bit / 64 - writer->first)) * 64 - shift;
		pages = left < room ? left : room;
		memset(bits, 0, (shift + pages + 63) / 64 * sizeof(bits[0]));
		dirty_bits(type1, iova, pages, bits, shift);
		words[0] |= bits[0];
		memcpy(words + 1, bits + 1, ((shift + pages + 63) / 64 - 1) * sizeof(bits[0]));
		writer->count += (shift + pages + 63) / 64 - 1;
		iova += pages * SVF_IOMMU_PAGE_SIZE;
		bit += pages;
		left -= pages;
	}
	return 0;
}

int svf_type1_report_dirty(const struct svf_type1 *type1, struct svf_call *call,
			   const struct vfio_bitmap *bitmap, uint64_t base,
			   const struct svf_mapping *map)
{
	struct writer writer = {.call = call, .bitmap = bitmap->data};
	int err =
		write_mapping(&writer, type1, map, (map->node.first - base) / SVF_IOMMU_PAGE_SIZE);

	return err ? err : flush(&writer);
}

static int report_range(const struct svf_type1 *type1, struct svf_call *call,
			const struct dirty_get *get, uint64_t last)
{
	struct writer writer = {.call = call, .bitmap = get->bitmap.data};
	struct svf_itree_node *node = svf_itree_first(&type1->space.tree, get->iova, last);

	for (; node && node->first <= last; node = svf_itree_next(node)) {
		int err = write_mapping(&writer, type1,
					svf_container_of(node, struct svf_mapping, node),
					(node->first - get->iova) / SVF_IOMMU_PAGE_SIZE);

		if (err)
			return err;
	}
	return flush(&writer);
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
	if (type1->space.machine->params.exact_dirty)
		svf_dirty_start(&type1->space.dirty);
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

static int dirty_get_bitmap(struct svf_type1 *type1, struct svf_call *call, uint64_t arg,
			    uint32_t argsz)
{
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
	err = report_range(type1, call, &get, last);
	if (err)
		return err;
	if (type1->space.dirty.on)
		svf_dirty_clear(&type1->space.dirty, type1->space.machine, get.iova, last);
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
		svf_dirty_stop(&type1->space.dirty, type1->space.machine);
		return 0;
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		return dirty_get_bitmap(type1, call, arg, dirty.argsz);
	default:
		return svf_fail(call, -EINVAL,
				"flags 0x%x are not exactly one of START, STOP and GET_BITMAP",
				dirty.flags);
	}
}
