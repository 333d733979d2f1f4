/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty tracking: which pages devices have written to, as the table of a HWPT knows it.
 *
 * The software IOMMU of the machine's functions can in scalable mode; otherwise GET_HW_INFO says so
 * beforehand and both commands are -EOPNOTSUPP. The mock IOMMU of the selftests can.
 *
 * A HWPT that can has a sparse set of bits of its own (core/iommu/dirty.h), in pages of 4 KiB; where
 * its table has larger ones, all bits of one go together. A bit stands for what is mapped: UNMAP
 * takes it away. Turning tracking on begins with none.
 *
 * GET_DIRTY_BITMAP adds to the user's bitmap and never clears there. As in the kernel it ends at the
 * first IOVA that is not mapped, and a bitmap that cannot be written is no error: it then tells
 * nothing.
 */
#include <errno.h>

#include "base/checked.h"
#include "core/iommufd/hwpt.h"
#include "uapi/iommufd.h"

#define PAGE_MASK ((uint64_t)SVF_IOMMU_PAGE_SIZE - 1)
/* Pages whose bits are taken at once. */
#define WINDOW_WORDS 64u
#define WINDOW	     (WINDOW_WORDS * 64ull * SVF_IOMMU_PAGE_SIZE)

static struct svf_machine *machine_of(const struct svf_hwpt *hwpt)
{
	return hwpt->ioas->ictx->file.machine;
}

bool svf_hwpt_tracks_dirty(const struct svf_hwpt *hwpt)
{
	return hwpt->dirty_unit && hwpt->dirty.on;
}

void svf_hwpt_set_dirty(struct svf_hwpt *hwpt, uint64_t iova)
{
	uint64_t first = iova & ~(hwpt->dirty_unit - 1);

	if (svf_hwpt_tracks_dirty(hwpt) && svf_iova_space_first(&hwpt->ioas->space, iova, iova))
		svf_dirty_mark(&hwpt->dirty, machine_of(hwpt), first,
			       first + (hwpt->dirty_unit - 1));
}

static void forget(struct svf_hwpt *hwpt, uint64_t first, uint64_t last)
{
	svf_dirty_clear(&hwpt->dirty, machine_of(hwpt), first & ~PAGE_MASK, last | PAGE_MASK);
}

void svf_ioas_forget_dirty(struct svf_ioas *ioas, uint64_t first, uint64_t last)
{
	struct svf_hwpt *hwpt;

	svf_list_for_each(hwpt, &ioas->hwpts, ioas_link)
		if (svf_hwpt_tracks_dirty(hwpt))
			forget(hwpt, first, last);
}

void svf_hwpt_stop_dirty(struct svf_hwpt *hwpt)
{
	if (hwpt->dirty_unit)
		svf_dirty_stop(&hwpt->dirty, machine_of(hwpt));
}

static int not_tracked(struct svf_ucmd *ucmd, uint32_t id)
{
	return svf_fail(ucmd->call, -EOPNOTSUPP,
			"HWPT %u does not track dirty pages; allocate it with "
			"IOMMU_HWPT_ALLOC_DIRTY_TRACKING, where the IOMMU can",
			id);
}

int svf_hwpt_set_dirty_tracking(struct svf_ucmd *ucmd)
{
	const struct iommu_hwpt_set_dirty_tracking *cmd = ucmd->cmd;
	struct svf_hwpt *hwpt;

	if (cmd->flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known", cmd->flags);
	hwpt = svf_hwpt_lookup_paging(ucmd, cmd->hwpt_id);
	if (!hwpt)
		return -ENOENT;
	if (!hwpt->dirty_unit)
		return not_tracked(ucmd, cmd->hwpt_id);
	svf_hwpt_stop_dirty(hwpt);
	if (cmd->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		svf_dirty_start(&hwpt->dirty);
	return 0;
}

/*
 * The user's bitmap, a piece of which is in hand: bit n stands for the n-th page from iova on.
 */
struct user_bitmap {
	struct svf_call *call;
	uint64_t data;	     /* user address */
	uint64_t iova, size; /* of the bitmap: first IOVA; bytes */
	unsigned int page_shift;
	uint64_t piece; /* of PIECE bytes in hand, by number */
	bool loaded, unusable;
	uint8_t bytes[512];
};

#define PIECE ((uint64_t)sizeof(((struct user_bitmap *)0)->bytes))

static size_t piece_size(const struct user_bitmap *bitmap)
{
	uint64_t left = bitmap->size - bitmap->piece * PIECE;

	return (size_t)(left < PIECE ? left : PIECE);
}

static void flush(struct user_bitmap *bitmap)
{
	if (bitmap->loaded && !bitmap->unusable &&
	    svf_copy_to_user(bitmap->call, bitmap->data + bitmap->piece * PIECE, bitmap->bytes,
			     piece_size(bitmap)))
		bitmap->unusable = true;
	bitmap->loaded = false;
}

static void load(struct user_bitmap *bitmap, uint64_t piece)
{
	if (bitmap->loaded && bitmap->piece == piece)
		return;
	flush(bitmap);
	bitmap->piece = piece;
	bitmap->loaded = true;
	if (svf_copy_from_user(bitmap->call, bitmap->bytes, bitmap->data + piece * PIECE,
			       piece_size(bitmap)))
		bitmap->unusable = true;
}

static void set_bits(struct user_bitmap *bitmap, uint64_t first, uint64_t last)
{
	uint64_t bit = (first - bitmap->iova) >> bitmap->page_shift;
	uint64_t end = (last - bitmap->iova) >> bitmap->page_shift;

	while (bit <= end) {
		bool all = bit % 8 == 0 && end - bit >= 7;

		load(bitmap, bit / 8 / PIECE);
		bitmap->bytes[bit / 8 % PIECE] |= (uint8_t)(all ? 0xffu : 1u << bit % 8);
		bit += all ? 8 : 1;
	}
}

static int check_bitmap(struct svf_call *call, const struct svf_ioas *ioas,
			const struct iommu_hwpt_get_dirty_bitmap *cmd, uint64_t *ret_last)
{
	uint64_t last, mask = ioas->alignment - 1;

	if (!cmd->length)
		return svf_fail(call, -EINVAL, "length is 0");
	if (!svf_range_last(cmd->iova, cmd->length, &last))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64",
				cmd->length, cmd->iova);
	if (!cmd->page_size)
		return svf_fail(call, -EINVAL, "page_size is 0");
	mask |= cmd->page_size - 1;
	if ((cmd->iova & mask) || ((last + 1) & mask))
		return svf_fail(call, -EINVAL,
				"IOVA 0x%lx-0x%lx does not begin and end at pages of 0x%lx",
				cmd->iova, last, cmd->page_size);
	*ret_last = last;
	return 0;
}

/* 64 pages from IOVA at on, a bit for each, as far as they are in [first, last]. */
static void report_word(struct user_bitmap *bitmap, uint64_t at, uint64_t word, uint64_t first,
			uint64_t last)
{
	for (; word; word &= word - 1) {
		uint64_t page = at + (uint64_t)__builtin_ctzll(word) * SVF_IOMMU_PAGE_SIZE;

		set_bits(bitmap, page > first ? page : first,
			 (page | PAGE_MASK) < last ? page | PAGE_MASK : last);
	}
}

/*
 * The dirty pages of a mapping, as far as they are in [first, last]. What was never written costs
 * nothing, however much it is.
 */
static void report_mapping(const struct svf_hwpt *hwpt, struct user_bitmap *bitmap, uint64_t first,
			   uint64_t last)
{
	uint64_t at = first & ~PAGE_MASK, end;

	if (hwpt->dirty.all) {
		set_bits(bitmap, first, last);
		return;
	}
	for (; svf_dirty_next(&hwpt->dirty, &at, last); at = end + 1) {
		uint64_t words[WINDOW_WORDS] = {0};

		end = last - at < WINDOW ? last : at + (WINDOW - 1);
		svf_dirty_collect(&hwpt->dirty, at, end | PAGE_MASK, words, 0);
		for (unsigned int n = 0; n < WINDOW_WORDS; n++)
			report_word(bitmap, at + n * 64ull * SVF_IOMMU_PAGE_SIZE, words[n], first,
				    last);
		if (end == last)
			return;
	}
}

static void report(struct svf_hwpt *hwpt, struct svf_call *call,
		   const struct iommu_hwpt_get_dirty_bitmap *cmd, uint64_t last)
{
	bool clear = !(cmd->flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR);
	struct user_bitmap bitmap = {
		.call = call,
		.data = cmd->data,
		.iova = cmd->iova,
		.page_shift = (unsigned int)__builtin_ctzll(cmd->page_size),
	};
	uint64_t position = cmd->iova;

	bitmap.size = ((cmd->length - 1) >> bitmap.page_shift) / 8 + 1;
	for (;;) {
		const struct svf_mapping *map =
			svf_iova_space_first(&hwpt->ioas->space, position, position);
		uint64_t end;

		if (!map)
			break;
		end = map->node.last < last ? map->node.last : last;
		report_mapping(hwpt, &bitmap, position, end);
		if (clear)
			forget(hwpt, position, end);
		if (map->node.last >= last)
			break;
		position = map->node.last + 1;
	}
	flush(&bitmap);
	/* Not told, as in the kernel. */
	call->reason[0] = '\0';
}

int svf_hwpt_get_dirty_bitmap(struct svf_ucmd *ucmd)
{
	const struct iommu_hwpt_get_dirty_bitmap *cmd = ucmd->cmd;
	struct svf_hwpt *hwpt;
	uint64_t last = 0;
	int err;

	if ((cmd->flags & ~IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) || cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"flags 0x%x or reserved bits are not known", cmd->flags);
	hwpt = svf_hwpt_lookup_paging(ucmd, cmd->hwpt_id);
	if (!hwpt)
		return -ENOENT;
	err = check_bitmap(ucmd->call, hwpt->ioas, cmd, &last);
	if (err)
		return err;
	if (!hwpt->dirty_unit)
		return not_tracked(ucmd, cmd->hwpt_id);
	if (svf_hwpt_tracks_dirty(hwpt))
		report(hwpt, ucmd->call, cmd, last);
	return 0;
}
