/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk of a first-stage table that a client keeps (VT-d specification, 3.6 and 9.8): four or
 * five levels of 512 entries of eight bytes, pages of 4 KiB, 2 MiB and 1 GiB.
 *
 * Every address in it is a guest address, which the space translates: of the topmost table, of
 * each other, of the page. Each table is read there with the space's permission to read. What
 * tables say may be anything: a walk ends after its levels, wherever they lead, and it reads eight
 * bytes a level.
 *
 * A transaction without a PASID is a user's: every entry must be one of users', and for a write every
 * entry writable. Only when nothing refuses it are the accessed bits of the entries on the way
 * set, and the dirty bit of the last; they lie in the lowest byte of an entry (the extended accessed bit
 * in the next), and no more than these is written. Hardware does it in one atomic step; here the
 * entry is read again before, and the walk begins anew when it has changed. A client that changes
 * it in between nevertheless (which a processor's locked instruction would see) loses that byte of it.
 */
#include <string.h>

#include "base/bytes.h"
#include "core/iommu/iova_space.h"
#include "core/iommu/translation.h"

#define PRESENT		  (1ull << 0)
#define WRITABLE	  (1ull << 1)
#define USER		  (1ull << 2)
#define ACCESSED	  (1ull << 5)
#define DIRTY		  (1ull << 6)
#define LARGE		  (1ull << 7)
#define EXTENDED_ACCESSED (1ull << 10)
#define ADDRESS_MASK	  0x000ffffffffff000ull

#define TABLE_SHIFT	  12u
#define INDEX_BITS	  9u
#define LEVELS_MAX	  5u
#define LARGEST_LEVEL	  3u /* whose entries can be pages */
/* Entries that change while they are looked at, before a walk gives up as if they were not there. */
#define ATTEMPTS 4u

struct entry {
	uint64_t at; /* guest address */
	uint64_t value;
};

struct walk {
	const struct svf_translation *translation;
	uint64_t address;
	bool write;
	enum svf_fault_kind fault;
	unsigned int count;
	struct entry entries[LEVELS_MAX];
};

bool svf_stage1_is_canonical(uint64_t address, unsigned int levels)
{
	unsigned int bits = TABLE_SHIFT + INDEX_BITS * levels;
	int64_t shifted = (int64_t)(address << (64 - bits));

	return (uint64_t)(shifted >> (64 - bits)) == address;
}

static bool fail(struct walk *walk, enum svf_fault_kind fault)
{
	walk->fault = fault;
	return false;
}

static unsigned int shift_of(unsigned int level)
{
	return TABLE_SHIFT + INDEX_BITS * (level - 1);
}

static bool copy_entry(const struct walk *walk, const struct svf_mapping *map, uint64_t at,
		       void *bytes, uint64_t len, bool write)
{
	return !svf_mapping_copy(walk->translation->space->machine, map, at, bytes, len, write);
}

static bool read_entry(struct walk *walk, uint64_t at, struct entry *ret)
{
	const struct svf_mapping *map;
	bool top = !walk->count;
	uint8_t bytes[8];

	if (at > SVF_IOVA_LAST)
		return fail(walk, SVF_FAULT_FS_BEYOND);
	map = svf_iova_space_first(walk->translation->space, at, at);
	/* Mappings are of whole pages, so it is all in this one. */
	if (!map || !(map->prot & SVF_MAP_READ) || map->node.last - at < sizeof(bytes) - 1)
		return fail(walk, top ? SVF_FAULT_FS_TOP_BLOCKED : SVF_FAULT_FS_BLOCKED);
	if (!copy_entry(walk, map, at, bytes, sizeof(bytes), false))
		return fail(walk, top ? SVF_FAULT_FS_TOP_ACCESS : SVF_FAULT_FS_ACCESS);
	ret->at = at;
	ret->value = svf_get_le64(bytes);
	return true;
}

static bool is_page(uint64_t value, unsigned int level)
{
	return level == 1 || (level <= LARGEST_LEVEL && (value & LARGE));
}

/* Address bits of a large page below its size; bit 12 of them is a memory type. */
static bool check_reserved(uint64_t value, unsigned int level)
{
	if (level > LARGEST_LEVEL)
		return !(value & LARGE);
	if (level == 1 || !(value & LARGE))
		return true;
	return !(value & ((1ull << shift_of(level)) - 1) & ~((1ull << 13) - 1));
}

/* Down to the entry of a page, whose level is returned; 0: a fault. */
static unsigned int descend(struct walk *walk, const struct svf_stage1 *stage1)
{
	uint64_t table = stage1->table & ~(uint64_t)(SVF_IOMMU_PAGE_SIZE - 1);

	walk->count = 0;
	for (unsigned int level = stage1->levels;; level--) {
		uint64_t index = walk->address >> shift_of(level) & ((1u << INDEX_BITS) - 1);
		struct entry *entry = &walk->entries[walk->count];

		if (!read_entry(walk, table + index * 8, entry))
			return 0;
		walk->count++;
		if (!(entry->value & PRESENT)) {
			fail(walk, SVF_FAULT_FS_NOT_PRESENT);
			return 0;
		}
		if (!check_reserved(entry->value, level)) {
			fail(walk, SVF_FAULT_FS_RESERVED);
			return 0;
		}
		if (is_page(entry->value, level))
			return level;
		table = entry->value & ADDRESS_MASK;
	}
}

static bool check_permission(struct walk *walk)
{
	uint64_t all = ~0ull;

	for (unsigned int i = 0; i < walk->count; i++)
		all &= walk->entries[i].value;
	if (!(all & USER))
		return fail(walk, SVF_FAULT_FS_SUPERVISOR);
	if (walk->write && !(all & WRITABLE))
		return fail(walk, SVF_FAULT_FS_READ_ONLY);
	return true;
}

enum marked { MARKED, CHANGED, FAILED };

static enum marked mark_entry(struct walk *walk, const struct entry *entry, uint64_t bits)
{
	uint64_t first = entry->at, value = entry->value | bits;
	unsigned int len = bits & EXTENDED_ACCESSED ? 2 : 1;
	const struct svf_mapping *map;
	struct entry again;
	uint8_t bytes[2];

	if (value == entry->value)
		return MARKED;
	map = svf_iova_space_first(walk->translation->space, first, first);
	if (!(map->prot & SVF_MAP_WRITE)) {
		fail(walk, SVF_FAULT_FS_NOT_WRITABLE);
		return FAILED;
	}
	if (!read_entry(walk, first, &again))
		return FAILED;
	if (again.value != entry->value)
		return CHANGED;
	svf_put_le16(bytes, (uint16_t)value);
	svf_translation_mark(walk->translation, first, first + 7);
	if (copy_entry(walk, map, first, bytes, len, true))
		return MARKED;
	fail(walk, SVF_FAULT_FS_ACCESS);
	return FAILED;
}

static enum marked mark(struct walk *walk, const struct svf_stage1 *stage1)
{
	uint64_t accessed = ACCESSED | (stage1->extended_accessed ? EXTENDED_ACCESSED : 0);

	for (unsigned int i = 0; i < walk->count; i++) {
		bool dirty = walk->write && i + 1 == walk->count;
		enum marked marked =
			mark_entry(walk, &walk->entries[i], accessed | (dirty ? DIRTY : 0));

		if (marked != MARKED)
			return marked;
	}
	return MARKED;
}

static bool try_walk(struct walk *walk, const struct svf_stage1 *stage1,
		     struct svf_stage1_page *ret, bool *changed)
{
	unsigned int level = descend(walk, stage1);
	uint64_t size, page;
	enum marked marked;

	if (!level)
		return false;
	size = 1ull << shift_of(level);
	page = walk->entries[walk->count - 1].value & ADDRESS_MASK & ~(size - 1);
	if (page > SVF_IOVA_LAST)
		return fail(walk, SVF_FAULT_FS_BEYOND);
	if (!check_permission(walk))
		return false;
	marked = mark(walk, stage1);
	*changed = marked == CHANGED;
	if (marked != MARKED)
		return false;
	ret->address = page | (walk->address & (size - 1));
	ret->left = size - (walk->address & (size - 1));
	return true;
}

bool svf_stage1_walk(const struct svf_translation *translation, uint64_t address, bool write,
		     struct svf_stage1_page *ret, enum svf_fault_kind *fault)
{
	const struct svf_stage1 *stage1 = translation->stage1;
	struct walk walk = {
		.translation = translation,
		.address = address,
		.write = write,
		.fault = SVF_FAULT_FS_NOT_PRESENT,
	};

	if (!svf_stage1_is_canonical(address, stage1->levels)) {
		*fault = SVF_FAULT_NOT_CANONICAL;
		return false;
	}
	for (unsigned int i = 0; i < ATTEMPTS; i++) {
		bool changed = false;

		if (try_walk(&walk, stage1, ret, &changed))
			return true;
		if (!changed)
			break;
	}
	*fault = walk.fault;
	return false;
}
