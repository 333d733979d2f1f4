/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA of functions: translation, permission, faults.
 *
 * A transfer is a list of segments. Each is cut at the borders of mappings, and of pages where a
 * client's table comes first; each piece is translated by what the function's requester is attached
 * to (translation.h), and goes to the memory of the process that made the mapping or to a BAR's. Pieces of clients' memory are collected, and
 * transferred together. The first piece that cannot be translated, or whose memory is no longer
 * there, is an IOMMU fault and ends the transfer; what went before has been transferred, in order,
 * as with real hardware.
 *
 * Nothing of a transfer is left when the function returns, and nothing is unmapped before: so an
 * UNMAP that has returned is one that no device can be in the middle of.
 */
#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/iommu/fault.h"
#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/iommu/requester.h"
#include "core/iommu/translation.h"
#include "core/machine.h"
#include "core/pci/function.h"
#include "include/softvfio/model.h"

#define PIECES 32u
#define BUFFER 4096u

struct transfer {
	struct svf_function *fn;
	const struct svf_translation *via;
	struct svf_translation plain; /* what via is, unless it is a HWPT's */
	bool write;
	unsigned int count; /* of pieces collected */
	struct svf_mm_piece pieces[PIECES];
	/* Where each is mapped. */
	struct place {
		uint64_t iova, address; /* of the device's; in the space */
		const struct svf_mapping *map;
	} places[PIECES];
};

static int fail(const struct transfer *t, enum svf_fault_kind kind, const struct place *place)
{
	const struct svf_dma_fault fault = {
		.fn = t->fn,
		.kind = kind,
		.write = t->write,
		.iova = place->iova,
		.address = place->address,
		.map = place->map,
		.nested = t->via->stage1,
	};

	return svf_dma_fault_report(&fault);
}

/* Of the pieces collected, done bytes were there. */
static int fail_gone(const struct transfer *t, uint64_t done)
{
	struct place place;
	unsigned int i = 0;

	while (done >= t->pieces[i].len)
		done -= t->pieces[i++].len;
	place = t->places[i];
	place.iova += done;
	place.address += done;
	return fail(t, SVF_FAULT_GONE, &place);
}

/* Transfers the pieces collected. */
static int flush(struct transfer *t)
{
	uint64_t all = 0, done;
	int err = 0;

	if (!t->count)
		return 0;
	for (unsigned int i = 0; i < t->count; i++)
		all += t->pieces[i].len;
	done = t->fn->machine->port->mm_transfer(t->pieces, t->count, t->write);
	if (done < all)
		err = fail_gone(t, done);
	t->count = 0;
	return err;
}

static int copy_ram(struct transfer *t, const struct place *place, uint8_t *ours, uint64_t len)
{
	const struct svf_mapping *map = place->map;
	uint64_t offset = map->offset + (place->address - map->node.first);
	uint8_t *ram;
	int err = flush(t);

	if (err)
		return err;
	if (!map->ram || map->ram->hidden)
		return fail(t, SVF_FAULT_GONE, place);
	assert(offset <= map->ram->size && len <= map->ram->size - offset);
	ram = map->ram->base + offset;
	memcpy(t->write ? ram : ours, t->write ? ours : ram, len);
	return 0;
}

static struct svf_mm_piece piece_of(const struct svf_mapping *map, uint64_t iova, uint8_t *ours,
				    uint64_t len)
{
	return (struct svf_mm_piece){
		.mm = map->mm,
		.addr = map->vaddr + (iova - map->node.first),
		.backing = map->backing,
		.offset = map->offset + (iova - map->node.first),
		.ours = ours,
		.len = len,
	};
}

static int add_piece(struct transfer *t, const struct place *place, uint8_t *ours, uint64_t len)
{
	if (!place->map->mm)
		return copy_ram(t, place, ours, len);
	t->pieces[t->count] = piece_of(place->map, place->address, ours, len);
	t->places[t->count] = *place;
	return ++t->count == PIECES ? flush(t) : 0;
}

/* Translates what place->iova begins, *ret_len bytes. On failure the fault has been reported. */
static int translate(struct transfer *t, struct place *place, uint64_t *ret_len)
{
	struct svf_translated at;
	enum svf_fault_kind kind;
	bool good = svf_translate(t->via, place->iova, t->write, &at, &kind);
	int err;

	place->address = at.address;
	place->map = at.map;
	if (good) {
		/* Of all addresses there are it would be 0. */
		*ret_len = at.last - at.address + 1;
		return 0;
	}
	err = flush(t);
	return err ? err : fail(t, kind, place);
}

/* Translates, and makes *len the part of it that is translated alike. */
static int locate(struct transfer *t, struct place *place, uint64_t *len)
{
	uint64_t alike = 0;
	int err = translate(t, place, &alike);

	if (!err && alike - 1 < *len - 1)
		*len = alike;
	return err;
}

/* The place behind len bytes, of which some are left. Only a client's table has a page that ends all addresses. */
static int advance(struct transfer *t, struct place *place, uint64_t len, uint64_t left)
{
	int err;

	place->iova += len;
	if (place->iova || !left)
		return 0;
	err = flush(t);
	return err ? err : fail(t, SVF_FAULT_NOT_CANONICAL, place);
}

/* Translated is written, for the IOMMU: it does not know what becomes of it. */
static void mark(const struct transfer *t, const struct place *place, uint64_t len)
{
	if (t->write)
		svf_translation_mark(t->via, place->address, place->address + len - 1);
}

static int add_segment(struct transfer *t, uint64_t iova, uint8_t *ours, size_t len)
{
	struct place place = {.iova = iova};
	int err = 0;

	while (len && !err) {
		uint64_t piece = len;

		err = locate(t, &place, &piece);
		if (err)
			return err;
		mark(t, &place, piece);
		err = add_piece(t, &place, ours, piece);
		ours += piece;
		len -= piece;
		if (!err)
			err = advance(t, &place, piece, len);
	}
	return err;
}

/* What requesters of a container are attached to, or one that no IOMMU stands before. */
static struct svf_translation plain_translation(const struct svf_requester *requester)
{
	const struct svf_iommu_group *group = requester->group;
	enum svf_tables tables =
		group->machine->params.iommu_scalable ? SVF_TABLES_FIRST : SVF_TABLES_LEGACY;

	return (struct svf_translation){
		.space = requester->space,
		.tables = group->noiommu ? SVF_TABLES_NONE : tables,
	};
}

/* The arrays need no values. Return: 0, -EFAULT: nothing of the function's leaves it. */
static int begin(struct transfer *t, struct svf_function *fn, uint64_t iova, bool write)
{
	const struct svf_requester *requester = fn->requester;

	if (!(svf_get_le16(fn->config + PCI_COMMAND) & PCI_COMMAND_MASTER) || !fn->group)
		return -EFAULT;
	t->plain = plain_translation(requester);
	t->fn = fn;
	t->via = requester->via ? requester->via : &t->plain;
	t->write = write;
	t->count = 0;
	if (requester->space)
		return 0;
	return fail(t,
		    t->plain.tables == SVF_TABLES_FIRST ? SVF_FAULT_SM_BLOCKED : SVF_FAULT_BLOCKED,
		    &(struct place){.iova = iova});
}

static int transfer(struct svf_function *fn, const struct svf_dma_segment *segments,
		    unsigned int count, bool write)
{
	struct transfer t;
	int err = begin(&t, fn, count ? segments[0].iova : 0, write);

	for (unsigned int i = 0; i < count && !err; i++)
		err = add_segment(&t, segments[i].iova, segments[i].buf, segments[i].len);
	return err ? err : flush(&t);
}

/* One to the other, where a BAR's memory is at either end. */
static int copy_by_buffer(struct transfer *in, uint64_t from, struct transfer *out, uint64_t to,
			  uint64_t len, bool *ret_source)
{
	uint8_t buffer[BUFFER];
	int err = 0;

	while (len && !err) {
		uint64_t n = len < BUFFER ? len : BUFFER;

		err = add_segment(in, from, buffer, n);
		if (!err)
			err = flush(in);
		*ret_source = err;
		if (!err)
			err = add_segment(out, to, buffer, n);
		if (!err)
			err = flush(out);
		from += n;
		to += n;
		len -= n;
	}
	return err;
}

static int copy_piece(struct transfer *in, const struct place *from, struct transfer *out,
		      const struct place *to, uint64_t len, bool *ret_source)
{
	const struct svf_mm_piece read = piece_of(from->map, from->address, NULL, len);
	const struct svf_mm_piece written = piece_of(to->map, to->address, NULL, len);
	struct place gone;
	uint64_t done;

	if (!from->map->mm || !to->map->mm)
		return copy_by_buffer(in, from->iova, out, to->iova, len, ret_source);
	mark(out, to, len);
	done = in->fn->machine->port->mm_copy(&written, &read, ret_source);
	if (done == len)
		return 0;
	gone = *ret_source ? *from : *to;
	gone.iova += done;
	gone.address += done;
	return fail(*ret_source ? in : out, SVF_FAULT_GONE, &gone);
}

int svf_dma_copy(struct svf_function *fn, uint64_t to, uint64_t from, size_t len, bool *ret_source)
{
	struct place source = {.iova = from}, target = {.iova = to};
	struct transfer in, out;
	int err = begin(&in, fn, from, false);

	*ret_source = err;
	if (!err)
		err = begin(&out, fn, to, true);
	while (len && !err) {
		uint64_t piece = len;

		*ret_source = true;
		err = locate(&in, &source, &piece);
		if (err)
			return err;
		*ret_source = false;
		err = locate(&out, &target, &piece);
		if (err)
			return err;
		err = copy_piece(&in, &source, &out, &target, piece, ret_source);
		len -= piece;
		if (!err)
			err = advance(&out, &target, piece, len);
		if (err)
			return err;
		*ret_source = true;
		err = advance(&in, &source, piece, len);
	}
	return err;
}

int svf_dma_read(struct svf_function *fn, uint64_t iova, void *dst, size_t len)
{
	return svf_dma_readv(fn, &(struct svf_dma_segment){iova, dst, len}, 1);
}

int svf_dma_write(struct svf_function *fn, uint64_t iova, const void *src, size_t len)
{
	/* buf is only read from. */
	return svf_dma_writev(fn, &(struct svf_dma_segment){iova, (uint8_t *)(uintptr_t)src, len},
			      1);
}

int svf_dma_readv(struct svf_function *fn, const struct svf_dma_segment *segments,
		  unsigned int count)
{
	return transfer(fn, segments, count, false);
}

int svf_dma_writev(struct svf_function *fn, const struct svf_dma_segment *segments,
		   unsigned int count)
{
	return transfer(fn, segments, count, true);
}

int svf_mapping_copy(struct svf_machine *machine, const struct svf_mapping *map, uint64_t iova,
		     void *ours, uint64_t len, bool write)
{
	const struct svf_mm_piece piece = piece_of(map, iova, ours, len);

	return machine->port->mm_transfer(&piece, 1, write) == len ? 0 : -EFAULT;
}
