/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA of functions: translation, permission, faults.
 *
 * A transfer is a list of segments. Each is cut at the borders of mappings; each piece is
 * translated by the space the function's requester is attached to, and goes to the memory of the
 * process that made the mapping or to a BAR's. Pieces of clients' memory are collected, and
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
#include "core/machine.h"
#include "core/pci/function.h"
#include "include/softvfio/model.h"

#define PIECES 32u
#define BUFFER 4096u

struct transfer {
	struct svf_function *fn;
	bool write;
	unsigned int count; /* of pieces collected */
	struct svf_mm_piece pieces[PIECES];
	/* Where each is mapped. */
	struct {
		uint64_t iova;
		const struct svf_mapping *map;
	} places[PIECES];
};

static int fail(const struct transfer *t, enum svf_fault_kind kind, uint64_t iova,
		const struct svf_mapping *map)
{
	return svf_dma_fault_report(t->fn, kind, t->write, iova, map);
}

/* Of the pieces collected, done bytes were there. */
static int fail_gone(const struct transfer *t, uint64_t done)
{
	unsigned int i = 0;

	while (done >= t->pieces[i].len)
		done -= t->pieces[i++].len;
	return fail(t, SVF_FAULT_GONE, t->places[i].iova + done, t->places[i].map);
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

static int copy_ram(struct transfer *t, const struct svf_mapping *map, uint64_t iova, uint8_t *ours,
		    uint64_t len)
{
	uint64_t offset = map->offset + (iova - map->node.first);
	uint8_t *ram;
	int err = flush(t);

	if (err)
		return err;
	if (!map->ram || map->ram->hidden)
		return fail(t, SVF_FAULT_GONE, iova, map);
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

static int add_piece(struct transfer *t, const struct svf_mapping *map, uint64_t iova,
		     uint8_t *ours, uint64_t len)
{
	if (!map->mm)
		return copy_ram(t, map, iova, ours, len);
	t->pieces[t->count] = piece_of(map, iova, ours, len);
	t->places[t->count].iova = iova;
	t->places[t->count].map = map;
	return ++t->count == PIECES ? flush(t) : 0;
}

/* What the IOMMU makes of an address. On failure the fault has been reported. */
static int translate(struct transfer *t, uint64_t iova, const struct svf_mapping **ret)
{
	const struct svf_mapping *map = svf_iova_space_first(t->fn->requester->space, iova, iova);
	enum svf_fault_kind kind = SVF_FAULT_UNMAPPED;
	int err;

	*ret = map;
	if (iova > SVF_IOVA_LAST && !t->fn->group->noiommu)
		kind = SVF_FAULT_BEYOND;
	else if (map && map->prot & (t->write ? SVF_MAP_WRITE : SVF_MAP_READ))
		return 0;
	err = flush(t);
	return err ? err : fail(t, kind, iova, map);
}

/* Translates, and makes *len the part of it that *ret covers; marks it as written if it is. */
static int locate(struct transfer *t, uint64_t iova, uint64_t *len, const struct svf_mapping **ret)
{
	int err = translate(t, iova, ret);

	if (!err && (*ret)->node.last - iova < *len - 1)
		*len = (*ret)->node.last - iova + 1;
	return err;
}

/* Translated is written, for the IOMMU: it does not know what becomes of it. */
static void mark(const struct transfer *t, uint64_t iova, uint64_t len)
{
	struct svf_dirty *dirty = &t->fn->requester->space->dirty;

	if (t->write && dirty->on)
		svf_dirty_mark(dirty, t->fn->machine, iova, iova + len - 1);
}

static int add_segment(struct transfer *t, uint64_t iova, uint8_t *ours, size_t len)
{
	int err = 0;

	while (len && !err) {
		const struct svf_mapping *map;
		uint64_t piece = len;

		err = locate(t, iova, &piece, &map);
		if (err)
			return err;
		mark(t, iova, piece);
		err = add_piece(t, map, iova, ours, piece);
		iova += piece;
		ours += piece;
		len -= piece;
	}
	return err;
}

/* The arrays need no values. Return: 0, -EFAULT: nothing of the function's leaves it. */
static int begin(struct transfer *t, struct svf_function *fn, uint64_t iova, bool write)
{
	t->fn = fn;
	t->write = write;
	t->count = 0;
	if (!(svf_get_le16(fn->config + PCI_COMMAND) & PCI_COMMAND_MASTER) || !fn->group)
		return -EFAULT;
	return fn->requester->space ? 0 : fail(t, SVF_FAULT_BLOCKED, iova, NULL);
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

static int copy_piece(struct transfer *in, const struct svf_mapping *source, uint64_t from,
		      struct transfer *out, const struct svf_mapping *target, uint64_t to,
		      uint64_t len, bool *ret_source)
{
	const struct svf_mm_piece read = piece_of(source, from, NULL, len);
	const struct svf_mm_piece written = piece_of(target, to, NULL, len);
	uint64_t done;

	if (!source->mm || !target->mm)
		return copy_by_buffer(in, from, out, to, len, ret_source);
	mark(out, to, len);
	done = in->fn->machine->port->mm_copy(&written, &read, ret_source);
	if (done == len)
		return 0;
	return *ret_source ? fail(in, SVF_FAULT_GONE, from + done, source)
			   : fail(out, SVF_FAULT_GONE, to + done, target);
}

int svf_dma_copy(struct svf_function *fn, uint64_t to, uint64_t from, size_t len, bool *ret_source)
{
	struct transfer in, out;
	int err = begin(&in, fn, from, false);

	*ret_source = err;
	if (!err)
		err = begin(&out, fn, to, true);
	while (len && !err) {
		const struct svf_mapping *source, *target;
		uint64_t piece = len;

		*ret_source = true;
		err = locate(&in, from, &piece, &source);
		if (err)
			return err;
		*ret_source = false;
		err = locate(&out, to, &piece, &target);
		if (err)
			return err;
		err = copy_piece(&in, source, from, &out, target, to, piece, ret_source);
		from += piece;
		to += piece;
		len -= piece;
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
