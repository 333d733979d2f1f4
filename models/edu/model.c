/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edu: the device that driver courses begin with, 1234:11e8. See README.md for its registers.
 *
 * It does two things that take time, and each has a timer: a factorial, and a DMA transfer between memory
 * and a buffer of its own. Bits of the status and command registers say that one is under way; until
 * it is over, what would begin another is ignored. A transfer is done at once when its time has come, so
 * that a buffer is never seen half-written.
 *
 * Interrupts are a register of bits, each set by a cause and cleared by the driver. INTx shows that there is
 * one; an MSI is sent when a bit is set.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "models/registry.h"

#define BAR_BYTES      (1u << 20)
#define BUFFER	       0x40000u /* where in the device's own addresses the buffer is */
#define BUFFER_BYTES   4096u

#define IDENTIFICATION 0x010000edu /* version 1.0 */

/* Registers. */
#define ID		 0x00u
#define LIVENESS	 0x04u
#define FACTORIAL	 0x08u
#define STATUS		 0x20u
#define INTERRUPT_STATUS 0x24u
#define INTERRUPT_RAISE	 0x60u
#define INTERRUPT_ACK	 0x64u
#define DMA_SOURCE	 0x80u
#define DMA_DESTINATION	 0x88u
#define DMA_COUNT	 0x90u
#define DMA_COMMAND	 0x98u
#define REGISTERS	 0xa0u /* bytes */

#define STATUS_COMPUTING 0x01u
#define STATUS_INTERRUPT 0x80u

#define DMA_RUN		 0x01u
#define DMA_FROM_DEVICE	 0x02u
#define DMA_INTERRUPT	 0x04u

#define CAUSE_FACTORIAL	 0x001u
#define CAUSE_DMA	 0x100u

/* From here on a factorial has 2 to the power of 32 as a factor. */
#define FACTORIAL_ZERO 34u

enum { OPT_DMA_BITS, OPT_LATENCY };

static const struct svf_model_option edu_options[] = {
	[OPT_DMA_BITS] = {"dmabits", SVF_OPTION_NUMBER, 0, "N", "28", 12, 64,
			  "address bits that a transfer has; those above are lost"},
	[OPT_LATENCY] = {"latency", SVF_OPTION_NUMBER, 0, "US", "100", 0, 10000000,
			 "microseconds that a factorial or a transfer takes"},
	{0},
};

struct edu {
	uint64_t dma_mask, latency_ns;
	struct svf_model_timer *factorial_timer, *dma_timer;
	uint8_t registers[REGISTERS]; /* as they read, little-endian */
	uint8_t buffer[BUFFER_BYTES];
};

static uint64_t get(const struct edu *edu, unsigned int offset, unsigned int size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | edu->registers[offset + size];
	return value;
}

static void put(struct edu *edu, unsigned int offset, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++, value >>= 8)
		edu->registers[offset + i] = (uint8_t)value;
}

/* --- interrupts --- */

static bool uses_msi(const struct svf_function *fn)
{
	unsigned int msi = svf_model_find_cap(fn, PCI_CAP_ID_MSI);

	return svf_model_config(fn)[msi + PCI_MSI_FLAGS] & PCI_MSI_FLAGS_ENABLE;
}

static void raise_interrupt(struct svf_function *fn, struct edu *edu, uint32_t causes)
{
	uint32_t pending = (uint32_t)get(edu, INTERRUPT_STATUS, 4) | causes;

	put(edu, INTERRUPT_STATUS, pending);
	if (!pending)
		return;
	if (uses_msi(fn))
		svf_model_raise_msi(fn, 0);
	else
		svf_model_set_intx(fn, true);
}

static void write_raise(struct svf_function *fn, struct edu *edu, uint32_t value)
{
	raise_interrupt(fn, edu, value);
}

static void write_ack(struct svf_function *fn, struct edu *edu, uint32_t value)
{
	uint32_t pending = (uint32_t)get(edu, INTERRUPT_STATUS, 4) & ~value;

	put(edu, INTERRUPT_STATUS, pending);
	if (!pending)
		svf_model_set_intx(fn, false);
}

/* --- factorial --- */

static void factorial_done(struct svf_function *fn, void *arg)
{
	struct edu *edu = arg;
	uint32_t n = (uint32_t)get(edu, FACTORIAL, 4), product = n < FACTORIAL_ZERO;
	uint32_t status = (uint32_t)get(edu, STATUS, 4);

	for (uint32_t i = 2; product && i <= n; i++)
		product *= i;
	put(edu, FACTORIAL, product);
	put(edu, STATUS, status & ~STATUS_COMPUTING);
	if (status & STATUS_INTERRUPT)
		raise_interrupt(fn, edu, CAUSE_FACTORIAL);
}

static void write_factorial(struct svf_function *fn, struct edu *edu, uint32_t value)
{
	uint32_t status = (uint32_t)get(edu, STATUS, 4);

	(void)fn;
	if (status & STATUS_COMPUTING)
		return;
	put(edu, FACTORIAL, value);
	put(edu, STATUS, status | STATUS_COMPUTING);
	svf_model_timer_start(edu->factorial_timer, edu->latency_ns, 0);
}

/* --- DMA --- */

/* The part of the buffer that begins at an address of the device's own; NULL: it is not all in it. */
static uint8_t *part_of_buffer(struct edu *edu, uint64_t address, uint64_t count)
{
	if (address < BUFFER || address - BUFFER > BUFFER_BYTES ||
	    count > BUFFER + BUFFER_BYTES - address)
		return NULL;
	return edu->buffer + (address - BUFFER);
}

/* Return: 0, negative when memory could not be reached, or it is not about the buffer. */
static int transfer(struct svf_function *fn, struct edu *edu)
{
	uint64_t source = get(edu, DMA_SOURCE, 8), destination = get(edu, DMA_DESTINATION, 8);
	uint64_t count = get(edu, DMA_COUNT, 8);
	bool out = get(edu, DMA_COMMAND, 4) & DMA_FROM_DEVICE;
	uint8_t *buffer = part_of_buffer(edu, out ? source : destination, count);

	if (!buffer)
		return -EINVAL;
	if (out)
		return svf_dma_write(fn, destination & edu->dma_mask, buffer, (size_t)count);
	return svf_dma_read(fn, source & edu->dma_mask, buffer, (size_t)count);
}

static void dma_done(struct svf_function *fn, void *arg)
{
	struct edu *edu = arg;
	uint32_t command = (uint32_t)get(edu, DMA_COMMAND, 4);

	/* It has no register for errors: one that fails is over like any other. */
	(void)transfer(fn, edu);
	put(edu, DMA_COMMAND, command & ~DMA_RUN);
	if (command & DMA_INTERRUPT)
		raise_interrupt(fn, edu, CAUSE_DMA);
}

static void write_command(struct svf_function *fn, struct edu *edu, uint32_t value)
{
	(void)fn;
	if (!(value & DMA_RUN))
		return;
	put(edu, DMA_COMMAND, value & (DMA_RUN | DMA_FROM_DEVICE | DMA_INTERRUPT));
	svf_model_timer_start(edu->dma_timer, edu->latency_ns, 0);
}

/* --- registers --- */

static void write_liveness(struct svf_function *fn, struct edu *edu, uint32_t value)
{
	(void)fn;
	put(edu, LIVENESS, ~value);
}

static void write_status(struct svf_function *fn, struct edu *edu, uint32_t value)
{
	uint32_t computing = (uint32_t)get(edu, STATUS, 4) & STATUS_COMPUTING;

	(void)fn;
	put(edu, STATUS, computing | (value & STATUS_INTERRUPT));
}

#define STORED	 0x1u /* reads as what was written */
#define HIDDEN	 0x2u /* reads as ones */
#define TRANSFER 0x4u /* not written while a transfer is under way */

/* written(): is told the low 4 bytes, when they were written. */
static const struct edu_register {
	uint16_t offset;
	uint8_t size, flags;
	void (*written)(struct svf_function *fn, struct edu *edu, uint32_t value);
} edu_registers[] = {
	{ID, 4, 0, NULL},
	{LIVENESS, 4, 0, write_liveness},
	{FACTORIAL, 4, 0, write_factorial},
	{STATUS, 4, 0, write_status},
	{INTERRUPT_STATUS, 4, 0, NULL},
	{INTERRUPT_RAISE, 4, HIDDEN, write_raise},
	{INTERRUPT_ACK, 4, HIDDEN, write_ack},
	{DMA_SOURCE, 8, STORED | TRANSFER, NULL},
	{DMA_DESTINATION, 8, STORED | TRANSFER, NULL},
	{DMA_COUNT, 8, STORED | TRANSFER, NULL},
	{DMA_COMMAND, 8, TRANSFER, write_command},
};

#define REGISTER_COUNT (sizeof(edu_registers) / sizeof(edu_registers[0]))

/* The register that an access is to: 4 bytes, or all 8. NULL: none, or not so. */
static const struct edu_register *find(uint64_t offset, size_t len)
{
	for (unsigned int i = 0; i < REGISTER_COUNT; i++) {
		const struct edu_register *r = &edu_registers[i];

		if (offset >= r->offset && offset < r->offset + (uint64_t)r->size)
			return len == 4 || len == r->size ? r : NULL;
	}
	return NULL;
}

static void edu_bar_read(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf,
			 size_t len)
{
	const struct edu *edu = svf_model_state(fn);
	const struct edu_register *r = find(offset, len);

	(void)bar;
	if (r && !(r->flags & HIDDEN))
		memcpy(buf, edu->registers + offset, len);
	else
		memset(buf, 0xff, len);
}

static void edu_bar_write(struct svf_function *fn, unsigned int bar, uint64_t offset,
			  const void *buf, size_t len)
{
	struct edu *edu = svf_model_state(fn);
	const struct edu_register *r = find(offset, len);
	uint32_t value;

	(void)bar;
	if (!r || ((r->flags & TRANSFER) && get(edu, DMA_COMMAND, 4) & DMA_RUN))
		return;
	if (r->flags & STORED)
		memcpy(edu->registers + offset, buf, len);
	if (!r->written || offset != r->offset)
		return;
	memcpy(&value, buf, sizeof(value));
	r->written(fn, edu, value);
}

/* --- life --- */

static void edu_reset(struct svf_function *fn)
{
	struct edu *edu = svf_model_state(fn);

	svf_model_timer_stop(edu->factorial_timer);
	svf_model_timer_stop(edu->dma_timer);
	memset(edu->registers, 0, sizeof(edu->registers));
	memset(edu->buffer, 0, sizeof(edu->buffer));
	put(edu, ID, IDENTIFICATION);
}

static int edu_create(struct svf_function *fn, const struct svf_option_value *values,
		      struct svf_model_error *error)
{
	const struct svf_model_bar bar = {.type = SVF_MODEL_BAR_MEM32, .size = BAR_BYTES};
	struct edu *edu = calloc(1, sizeof(*edu));
	int err;

	if (!edu)
		return -ENOMEM;
	svf_model_set_state(fn, edu);
	edu->factorial_timer = svf_model_add_timer(fn, factorial_done, edu);
	edu->dma_timer = svf_model_add_timer(fn, dma_done, edu);
	if (!edu->factorial_timer || !edu->dma_timer)
		return -ENOMEM;
	edu->dma_mask = UINT64_MAX >> (64 - values[OPT_DMA_BITS].number);
	edu->latency_ns = values[OPT_LATENCY].number * 1000;
	svf_model_set_ids(fn, &(struct svf_model_ids){.vendor = 0x1234,
						      .device = 0x11e8,
						      .subvendor = 0x1af4,
						      .subdevice = 0x1100,
						      .class_code = 0x00ff00,
						      .revision = 0x10});
	svf_model_set_pin(fn, 1);
	edu_reset(fn);
	err = svf_model_add_bar(fn, 0, &bar, 0, error);
	if (!err && !svf_model_add_msi(fn, 1))
		err = svf_model_fail(error, -EINVAL, NULL, "no room for its MSI capability");
	return err;
}

static void edu_destroy(struct svf_function *fn)
{
	free(svf_model_state(fn));
}

const struct svf_model_ops svf_model_edu = {
	.size = sizeof(struct svf_model_ops),
	.version = SVF_MODEL_VERSION,
	.name = "edu",
	.help = "the teaching device 1234:11e8: factorials, interrupts, DMA to and from a buffer",
	.options = edu_options,
	.create = edu_create,
	.destroy = edu_destroy,
	.reset = edu_reset,
	.bar_read = edu_bar_read,
	.bar_write = edu_bar_write,
};
