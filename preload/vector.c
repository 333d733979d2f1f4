/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vector registers in the state that a signal handler is given: the XSAVE area in its standard
 * form. Registers 0 to 15 lie in three parts (16 bytes, 16 more, 32 more), 16 to 31 in one. A part
 * whose bit in the header is clear is not stored, and reads as zeroes.
 */
#include <cpuid.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/execute.h"

#define LEGACY_XMM 160u
#define SOFTWARE   464u /* what the kernel says about the area */
#define HEADER	   512u
#define MAGIC	   0x46505853u
#define NOWHERE	   UINT64_MAX

enum {
	PART_SSE = 1,
	PART_AVX = 2,  /* bytes 16 to 31 of registers 0 to 15 */
	PART_MASK = 5, /* the eight mask registers, of 8 bytes */
	PART_ZMM = 6,  /* bytes 32 to 63 of them */
	PART_HI16 = 7, /* registers 16 to 31 */
	PARTS
};

struct software {
	uint32_t magic, extended_size;
	uint64_t features;
	uint32_t size;
};

/* What the area has beyond the legacy part: false, nothing. */
static bool is_extended(const uint8_t *area, struct software *ret)
{
	memcpy(ret, area + SOFTWARE, sizeof(*ret));
	return ret->magic == MAGIC;
}

/*
 * Offset of a part's end in the upper half, of its beginning in the lower; 0: the processor has none. Asked for
 * once: the instruction takes a detour through the hypervisor, where there is one.
 */
static uint64_t part_place(unsigned int part)
{
	static _Atomic uint64_t places[PARTS];
	uint64_t place = atomic_load_explicit(&places[part], memory_order_relaxed);
	unsigned int size, offset, ecx, edx;

	if (place)
		return place == NOWHERE ? 0 : place;
	place = NOWHERE;
	if (__get_cpuid_count(0xd, part, &size, &offset, &ecx, &edx) && size)
		place = (uint64_t)(offset + size) << 32 | offset;
	atomic_store_explicit(&places[part], place, memory_order_relaxed);
	return place == NOWHERE ? 0 : place;
}

/* Where the part is in the area, 0: nowhere. */
static size_t part_offset(const uint8_t *area, unsigned int part)
{
	struct software software;
	uint64_t place;

	if (part == PART_SSE)
		return LEGACY_XMM;
	place = part_place(part);
	if (!place || !is_extended(area, &software) || !(software.features >> part & 1) ||
	    place >> 32 > software.size)
		return 0;
	return (uint32_t)place;
}

/* The piece of a register that holds byte at. */
struct piece {
	unsigned int part, first, size; /* of the register's bytes */
	size_t stride;			/* from register to register in the part */
};

static struct piece piece_of(int reg, unsigned int at)
{
	if (reg >= 16)
		return (struct piece){PART_HI16, 0, 64, 64};
	if (at < 16)
		return (struct piece){PART_SSE, 0, 16, 16};
	if (at < 32)
		return (struct piece){PART_AVX, 16, 16, 16};
	return (struct piece){PART_ZMM, 32, 32, 32};
}

static bool is_stored(const uint8_t *area, unsigned int part)
{
	struct software software;
	uint64_t stored;

	if (!is_extended(area, &software))
		return true;
	memcpy(&stored, area + HEADER, sizeof(stored));
	return stored >> part & 1;
}

/* As it was, all zeroes, but now in the area. */
static void store_part(uint8_t *area, const struct piece *piece)
{
	uint64_t stored;

	memset(area + part_offset(area, piece->part), 0, 16 * piece->stride);
	memcpy(&stored, area + HEADER, sizeof(stored));
	stored |= 1ull << piece->part;
	memcpy(area + HEADER, &stored, sizeof(stored));
}

static uint8_t *piece_at(uint8_t *area, int reg, const struct piece *piece)
{
	size_t offset = part_offset(area, piece->part);

	return offset ? area + offset + (size_t)(reg % 16) * piece->stride : NULL;
}

bool svf_vector_read(const ucontext_t *context, int reg, unsigned int at, void *dst, size_t len)
{
	uint8_t *area = (uint8_t *)context->uc_mcontext.fpregs, *to = dst;

	while (len) {
		struct piece piece = piece_of(reg, at);
		size_t n = piece.first + piece.size - at;
		const uint8_t *from = piece_at(area, reg, &piece);

		if (!from)
			return false;
		n = n < len ? n : len;
		if (is_stored(area, piece.part))
			memcpy(to, from + (at - piece.first), n);
		else
			memset(to, 0, n);
		at += (unsigned int)n;
		to += n;
		len -= n;
	}
	return true;
}

bool svf_vector_mask(const ucontext_t *context, unsigned int k, uint64_t *ret)
{
	const uint8_t *area = (const uint8_t *)context->uc_mcontext.fpregs;
	size_t offset = part_offset(area, PART_MASK);

	if (!offset)
		return false;
	*ret = 0;
	if (is_stored(area, PART_MASK))
		memcpy(ret, area + offset + k * sizeof(*ret), sizeof(*ret));
	return true;
}

static bool write_bytes(uint8_t *area, int reg, unsigned int at, const uint8_t *src, size_t len)
{
	while (len) {
		struct piece piece = piece_of(reg, at);
		size_t n = piece.first + piece.size - at;
		uint8_t *to = piece_at(area, reg, &piece);

		if (!to)
			return false;
		if (!is_stored(area, piece.part))
			store_part(area, &piece);
		n = n < len ? n : len;
		memcpy(to + (at - piece.first), src, n);
		at += (unsigned int)n;
		src += n;
		len -= n;
	}
	return true;
}

/* Parts that the processor does not have hold nothing to clear. */
static void zero_above(uint8_t *area, int reg, unsigned int at)
{
	static const uint8_t zeroes[64];

	while (at < 64) {
		struct piece piece = piece_of(reg, at);
		unsigned int end = piece.first + piece.size;

		if (part_offset(area, piece.part))
			write_bytes(area, reg, at, zeroes, end - at);
		at = end;
	}
}

bool svf_vector_write(ucontext_t *context, int reg, unsigned int at, const void *src, size_t len,
		      bool zero_upper)
{
	uint8_t *area = (uint8_t *)context->uc_mcontext.fpregs;

	if (!write_bytes(area, reg, at, src, len))
		return false;
	if (zero_upper)
		zero_above(area, reg, at + (unsigned int)len);
	return true;
}
