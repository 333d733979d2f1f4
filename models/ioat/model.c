/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intel I/OAT (QuickData), a DMA engine: one channel that copies and fills memory as a chain of
 * 64-byte descriptors in memory says. Version 3.3, as in Sky Lake-E.
 *
 * Registers are an array of bytes that always holds what software would read; a table says which
 * bits software can write and what else a write does. The channel's states:
 *
 *	HALTED		after reset or an error; a chain address arms it, once CHANERR is clear
 *	ARMED		has a chain address, nothing of it is done yet
 *	ACTIVE		works until as many descriptors are done as DMACOUNT says
 *	DONE		they are
 *	SUSPENDED	by command; a new chain address or DMACOUNT ends it
 *
 * DMACOUNT counts from the write of the chain address on, modulo 65536. What it asks for can be
 * gigabytes, so work is done in slices: the first within the write, which for most copies is all
 * there is, the others by svf_model_defer(). A slice ends with the descriptor that uses up its
 * budget; nothing of a descriptor is left for later, so reset and suspend fall between two.
 *
 * Nothing in a descriptor or a register can do more than halt the channel with a bit in CHANERR.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "models/registry.h"

#define BAR_BYTES   0x4000u
#define MSIX_TABLE  0x2000u
#define MSIX_PBA    0x3000u
#define REGISTERS   0x100u /* bytes; behind them BAR 0 reads as zeroes */

#define CLASS_DMA   0x088000u
#define DEVICE_SKX  0x2021u
#define VERSION_3_3 0x33u

/* Of the device. */
#define CHANCNT	   0x00u
#define XFERCAP	   0x01u
#define GENCTRL	   0x02u
#define INTRCTRL   0x03u
#define ATTNSTATUS 0x04u
#define CBVER	   0x08u
#define INTRDELAY  0x0cu
#define DMACAP	   0x10u
/* Of the channel. */
#define CHANCTRL	0x80u
#define CHANCMD		0x84u
#define DMACOUNT	0x86u
#define CHANSTS		0x88u
#define CHAINADDR	0x90u
#define CHANCMP		0x98u
#define CDAR		0xa0u
#define CHANERR		0xa8u
#define CHANERRMSK	0xacu

#define INTR_MASTER	0x01u /* one interrupt for all channels; a read clears it */
#define INTR_STATUS	0x02u
#define INTR_PENDING	0x04u
#define INTR_MSIX	0x08u /* each channel has a vector of its own */

#define CAP_FILL	0x40u

#define CTRL_INT_OFF	0x0001u /* set when an interrupt was sent; writing it clears it */
#define CTRL_ERR_WRITE	0x0004u /* completion is written on an error, too */
#define CTRL_ERR_INT	0x0010u
#define CTRL_WRITABLE	0xf33cu

#define CMD_SUSPEND	0x04u
#define CMD_RESET	0x20u

#define STATE_MASK	0x07u
#define DESC_MASK	(~(uint64_t)0x3f)

#define ERR_SOURCE	0x0001u
#define ERR_DESTINATION 0x0002u
#define ERR_NEXT	0x0004u /* the descriptor cannot be read */
#define ERR_NEXT_ALIGN	0x0008u
#define ERR_CHAIN	0x0010u
#define ERR_CONTROL	0x0400u
#define ERR_LENGTH	0x0800u
#define ERR_COMPLETION	0x1000u

/* A descriptor: offsets in it, bits of its control word. */
#define DESC_BYTES	 64u
#define DESC_SIZE	 0u
#define DESC_CONTROL	 4u
#define DESC_SOURCE	 8u /* of a fill: the eight bytes to fill with */
#define DESC_DESTINATION 16u
#define DESC_NEXT	 24u
#define CONTROL_INT	 0x01u
#define CONTROL_WRITE	 0x08u /* write completion */
#define CONTROL_NULL	 0x20u /* move nothing */
#define CONTROL_OP(c)	 ((c) >> 24)
#define OP_COPY		 0x00u
#define OP_FILL		 0x01u

/*
 * Of a slice, in bytes: about a millisecond's work. A descriptor counts as COST_MIN at least, for its
 * own transfer; the last one of a slice may go beyond the budget by up to 1 MiB.
 */
#define BUDGET	 (2u << 20)
#define COST_MIN 4096u
#define BUFFER	 (64u << 10)

enum state { ACTIVE, DONE, SUSPENDED, HALTED, ARMED };

enum { OPT_XFERCAP };

static const struct svf_model_option ioat_options[] = {
	[OPT_XFERCAP] = {"xfercap", SVF_OPTION_NUMBER, 0, "N", "14", 12, 20,
			 "a descriptor moves up to 2 to the power of N bytes"},
	{0},
};

struct ioat {
	uint8_t registers[REGISTERS];
	uint64_t next; /* the descriptor to be done next */
	uint16_t done; /* descriptors since the chain address was written */
	uint8_t buffer[BUFFER];
};

/* --- registers --- */

static uint64_t get(const uint8_t *bytes, unsigned int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static void put(uint8_t *bytes, unsigned int size, uint64_t value)
{
	for (unsigned int i = 0; i < size; i++, value >>= 8)
		bytes[i] = (uint8_t)value;
}

static enum state state_of(const struct ioat *ioat)
{
	return ioat->registers[CHANSTS] & STATE_MASK;
}

static void set_state(struct ioat *ioat, enum state state)
{
	ioat->registers[CHANSTS] = (uint8_t)((ioat->registers[CHANSTS] & ~STATE_MASK) | state);
}

/* --- interrupts --- */

/* INTx and the bits of INTRCTRL that tell of it follow from the rest. */
static void settle_interrupt(struct svf_function *fn, struct ioat *ioat)
{
	uint8_t *control = &ioat->registers[INTRCTRL];
	bool attention = get(&ioat->registers[ATTNSTATUS], 4);

	*control &= INTR_MASTER | INTR_MSIX;
	if (attention)
		*control |= INTR_STATUS;
	if (attention && (*control & INTR_MASTER))
		*control |= INTR_PENDING;
	svf_model_set_intx(fn, (*control & INTR_PENDING) && !(*control & INTR_MSIX));
}

/* At most one until software has armed it again. */
static void interrupt(struct svf_function *fn, struct ioat *ioat)
{
	if (ioat->registers[CHANCTRL] & CTRL_INT_OFF)
		return;
	ioat->registers[CHANCTRL] |= CTRL_INT_OFF;
	ioat->registers[ATTNSTATUS] |= 1;
	settle_interrupt(fn, ioat);
	if (ioat->registers[INTRCTRL] & (INTR_MASTER | INTR_MSIX))
		svf_model_raise_msi(fn, 0);
}

/* --- descriptors --- */

static void halt(struct svf_function *fn, struct ioat *ioat, uint32_t error)
{
	uint8_t *registers = ioat->registers;

	put(registers + CHANERR, 4, get(registers + CHANERR, 4) | error);
	set_state(ioat, HALTED);
	/* Where completion itself is what failed, nothing more can be said about it. */
	if ((registers[CHANCTRL] & CTRL_ERR_WRITE) && error != ERR_COMPLETION &&
	    svf_dma_write(fn, get(registers + CHANCMP, 8), registers + CHANSTS, 8))
		put(registers + CHANERR, 4, get(registers + CHANERR, 4) | ERR_COMPLETION);
	if ((registers[CHANCTRL] & CTRL_ERR_INT) && (error & ~get(registers + CHANERRMSK, 4)))
		interrupt(fn, ioat);
}

/* Return: 0 or a bit of CHANERR. */
static uint32_t copy(struct svf_function *fn, const uint8_t *desc)
{
	uint64_t source = get(desc + DESC_SOURCE, 8), to = get(desc + DESC_DESTINATION, 8);
	bool source_failed;

	if (!svf_dma_copy(fn, to, source, get(desc + DESC_SIZE, 4), &source_failed))
		return 0;
	return source_failed ? ERR_SOURCE : ERR_DESTINATION;
}

static uint32_t fill(struct svf_function *fn, struct ioat *ioat, const uint8_t *desc)
{
	uint64_t to = get(desc + DESC_DESTINATION, 8);
	uint32_t left = (uint32_t)get(desc + DESC_SIZE, 4);
	uint32_t used = left < BUFFER ? left : BUFFER;

	/* BUFFER is a multiple of the pattern's eight bytes, so each piece begins with its first. */
	for (uint32_t i = 0; i < used; i++)
		ioat->buffer[i] = desc[DESC_SOURCE + i % 8];
	while (left) {
		uint32_t len = left < BUFFER ? left : BUFFER;

		if (svf_dma_write(fn, to, ioat->buffer, len))
			return ERR_DESTINATION;
		to += len;
		left -= len;
	}
	return 0;
}

static uint32_t move(struct svf_function *fn, struct ioat *ioat, const uint8_t *desc)
{
	uint32_t control = (uint32_t)get(desc + DESC_CONTROL, 4);
	uint64_t size = get(desc + DESC_SIZE, 4);

	if (CONTROL_OP(control) > OP_FILL)
		return ERR_CONTROL;
	if (control & CONTROL_NULL)
		return 0;
	if (!size || size > UINT64_C(1) << ioat->registers[XFERCAP])
		return ERR_LENGTH;
	return CONTROL_OP(control) == OP_FILL ? fill(fn, ioat, desc) : copy(fn, desc);
}

static uint32_t complete(struct svf_function *fn, struct ioat *ioat, const uint8_t *desc)
{
	uint8_t *registers = ioat->registers;
	uint32_t control = (uint32_t)get(desc + DESC_CONTROL, 4);
	uint64_t status = ioat->next & DESC_MASK;

	ioat->done++;
	status |= ioat->done == get(registers + DMACOUNT, 2) ? DONE : ACTIVE;
	put(registers + CHANSTS, 8, status);
	ioat->next = get(desc + DESC_NEXT, 8);
	put(registers + CDAR, 8, ioat->next);
	if ((control & CONTROL_WRITE) &&
	    svf_dma_write(fn, get(registers + CHANCMP, 8), registers + CHANSTS, 8))
		return ERR_COMPLETION;
	if (control & CONTROL_INT)
		interrupt(fn, ioat);
	return 0;
}

/* Does one descriptor. Return: what it counts against the budget. */
static uint32_t step(struct svf_function *fn, struct ioat *ioat)
{
	uint8_t desc[DESC_BYTES];
	uint32_t error = 0, size;

	if (ioat->next % DESC_BYTES)
		error = ioat->done ? ERR_NEXT_ALIGN : ERR_CHAIN;
	else if (svf_dma_read(fn, ioat->next, desc, sizeof(desc)))
		error = ERR_NEXT;
	if (!error)
		error = move(fn, ioat, desc);
	if (!error)
		error = complete(fn, ioat, desc);
	if (error) {
		halt(fn, ioat, error);
		return COST_MIN;
	}
	size = (uint32_t)get(desc + DESC_SIZE, 4);
	/* A null descriptor's size means nothing. */
	if (size > UINT32_C(1) << ioat->registers[XFERCAP])
		return COST_MIN;
	return size > COST_MIN ? size : COST_MIN;
}

/* One slice. */
static void ioat_work(struct svf_function *fn)
{
	struct ioat *ioat = svf_model_state(fn);
	uint32_t used = 0;

	while (state_of(ioat) == ACTIVE && used < BUDGET)
		used += step(fn, ioat);
	if (state_of(ioat) == ACTIVE)
		svf_model_defer(fn);
}

/* --- what writes do --- */

static void write_intrctrl(struct svf_function *fn, struct ioat *ioat, uint64_t written)
{
	(void)written;
	settle_interrupt(fn, ioat);
}

static void write_chanctrl(struct svf_function *fn, struct ioat *ioat, uint64_t written)
{
	(void)fn;
	if (written & CTRL_INT_OFF)
		ioat->registers[CHANCTRL] &= (uint8_t)~CTRL_INT_OFF;
}

static void reset_channel(struct ioat *ioat)
{
	uint64_t error = get(ioat->registers + CHANERR, 4);

	memset(ioat->registers + CHANCTRL, 0, REGISTERS - CHANCTRL);
	put(ioat->registers + CHANERR, 4, error);
	set_state(ioat, HALTED);
	ioat->next = 0;
	ioat->done = 0;
}

static void write_chancmd(struct svf_function *fn, struct ioat *ioat, uint64_t written)
{
	(void)fn;
	if (written & CMD_RESET)
		reset_channel(ioat);
	else if ((written & CMD_SUSPEND) && state_of(ioat) != HALTED)
		set_state(ioat, SUSPENDED);
}

/* While the channel works it keeps to the chain that it has. */
static void write_chainaddr(struct svf_function *fn, struct ioat *ioat, uint64_t written)
{
	(void)fn;
	(void)written;
	if (state_of(ioat) == ACTIVE || get(ioat->registers + CHANERR, 4))
		return;
	ioat->next = get(ioat->registers + CHAINADDR, 8);
	ioat->done = 0;
	put(ioat->registers + CDAR, 8, ioat->next);
	put(ioat->registers + DMACOUNT, 2, 0);
	put(ioat->registers + CHANSTS, 8, ARMED);
}

static void write_dmacount(struct svf_function *fn, struct ioat *ioat, uint64_t written)
{
	enum state before = state_of(ioat);

	(void)written;
	if (before == HALTED)
		return;
	if (get(ioat->registers + DMACOUNT, 2) != ioat->done)
		set_state(ioat, ACTIVE);
	else if (ioat->done)
		set_state(ioat, DONE);
	/* A slice that is due already goes on with the new count. */
	if (before != ACTIVE && state_of(ioat) == ACTIVE)
		ioat_work(fn);
}

static void write_chanerr(struct svf_function *fn, struct ioat *ioat, uint64_t written)
{
	(void)fn;
	put(ioat->registers + CHANERR, 4, get(ioat->registers + CHANERR, 4) & ~written);
}

/*
 * What software can write, in the order in which one write that covers several takes effect.
 * written(): the mask's bits are in place; it is told what was written, zeroes for bytes that were not.
 */
static const struct ioat_register {
	uint16_t offset;
	uint8_t size;
	uint64_t mask;
	void (*written)(struct svf_function *fn, struct ioat *ioat, uint64_t written);
} ioat_registers[] = {
	{GENCTRL, 1, 0x01, NULL},
	{INTRCTRL, 1, INTR_MASTER | INTR_MSIX, write_intrctrl},
	{INTRDELAY, 2, 0x3fff, NULL},
	{CHANCMP, 8, ~(uint64_t)0x7, NULL},
	{CHANERR, 4, 0, write_chanerr},
	{CHANERRMSK, 4, 0xffffffff, NULL},
	{CHANCMD, 1, 0, write_chancmd},
	{CHANCTRL, 2, CTRL_WRITABLE, write_chanctrl},
	{CHAINADDR, 8, UINT64_MAX, write_chainaddr},
	{DMACOUNT, 2, 0xffff, write_dmacount},
};

#define REGISTER_COUNT (sizeof(ioat_registers) / sizeof(ioat_registers[0]))

static bool overlaps(uint64_t offset, size_t len, uint64_t first, size_t size)
{
	return offset < first + size && first < offset + len;
}

static void ioat_bar_write(struct svf_function *fn, unsigned int bar, uint64_t offset,
			   const void *buf, size_t len)
{
	struct ioat *ioat = svf_model_state(fn);
	const uint8_t *bytes = buf;

	(void)bar;
	for (unsigned int i = 0; i < REGISTER_COUNT; i++) {
		const struct ioat_register *r = &ioat_registers[i];
		uint64_t written = 0;

		if (!overlaps(offset, len, r->offset, r->size))
			continue;
		for (unsigned int k = 0; k < r->size; k++) {
			uint8_t *byte = &ioat->registers[r->offset + k];
			uint8_t mask = (uint8_t)(r->mask >> 8 * k);
			uint64_t at = r->offset + k;

			if (at < offset || at >= offset + len)
				continue;
			*byte = (uint8_t)((*byte & ~mask) | (bytes[at - offset] & mask));
			written |= (uint64_t)bytes[at - offset] << 8 * k;
		}
		if (r->written)
			r->written(fn, ioat, written);
	}
}

static void ioat_bar_read(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf,
			  size_t len)
{
	struct ioat *ioat = svf_model_state(fn);

	(void)bar;
	memset(buf, 0, len);
	if (offset >= REGISTERS)
		return;
	memcpy(buf, ioat->registers + offset, len < REGISTERS - offset ? len : REGISTERS - offset);
	if (overlaps(offset, len, INTRCTRL, 1))
		ioat->registers[INTRCTRL] &= (uint8_t)~INTR_MASTER;
	if (overlaps(offset, len, ATTNSTATUS, 4))
		put(ioat->registers + ATTNSTATUS, 4, 0);
	settle_interrupt(fn, ioat);
}

/* --- life --- */

static void ioat_reset(struct svf_function *fn)
{
	struct ioat *ioat = svf_model_state(fn);

	ioat->registers[GENCTRL] = 0;
	ioat->registers[INTRCTRL] = 0;
	put(ioat->registers + ATTNSTATUS, 4, 0);
	put(ioat->registers + INTRDELAY, 2, 0);
	put(ioat->registers + CHANERR, 4, 0);
	reset_channel(ioat);
	settle_interrupt(fn, ioat);
}

static int add_caps(struct svf_function *fn, struct svf_model_error *error)
{
	bool express = svf_model_is_express(fn);

	/* On a conventional bus, where there was no such device, its DMA is what is of interest. */
	if (svf_model_add_msix(fn, 1, 0, MSIX_TABLE, MSIX_PBA) &&
	    (!express || svf_model_add_pcie(fn, true)) && svf_model_add_pm(fn, false) &&
	    (!express || svf_model_add_aer(fn)))
		return 0;
	return svf_model_fail(error, -EINVAL, NULL, "no room for its capabilities");
}

static int ioat_create(struct svf_function *fn, const struct svf_option_value *values,
		       struct svf_model_error *error)
{
	const struct svf_model_bar bar = {.type = SVF_MODEL_BAR_MEM64, .size = BAR_BYTES};
	struct ioat *ioat = calloc(1, sizeof(*ioat));
	int err;

	if (!ioat)
		return -ENOMEM;
	svf_model_set_state(fn, ioat);
	svf_model_set_ids(fn, &(struct svf_model_ids){.vendor = 0x8086,
						      .device = DEVICE_SKX,
						      .subvendor = 0x8086,
						      .subdevice = DEVICE_SKX,
						      .class_code = CLASS_DMA,
						      .revision = 4});
	svf_model_set_pin(fn, 1);
	ioat->registers[CHANCNT] = 1;
	ioat->registers[XFERCAP] = (uint8_t)values[OPT_XFERCAP].number;
	ioat->registers[CBVER] = VERSION_3_3;
	put(ioat->registers + DMACAP, 4, CAP_FILL);
	reset_channel(ioat);
	err = svf_model_add_bar(fn, 0, &bar, 0, error);
	return err ? err : add_caps(fn, error);
}

static void ioat_destroy(struct svf_function *fn)
{
	free(svf_model_state(fn));
}

const struct svf_model_ops svf_model_ioat = {
	.size = sizeof(struct svf_model_ops),
	.version = SVF_MODEL_VERSION,
	.name = "ioat",
	.help = "a DMA engine, Intel I/OAT: copies and fills memory, MSI-X",
	.options = ioat_options,
	.create = ioat_create,
	.destroy = ioat_destroy,
	.reset = ioat_reset,
	.bar_read = ioat_bar_read,
	.bar_write = ioat_bar_write,
	.work = ioat_work,
};
