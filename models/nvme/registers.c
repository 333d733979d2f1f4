/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BAR 0 of a controller: properties, and what writing them does.
 *
 * No read has an effect, so software loads registers from memory; c->registers is what they are, and every
 * change goes to both. A table says which bits software can write and what else a write does.
 *
 * The controller's states: disabled (CC.EN 0); ready (CSTS.RDY 1); failed (CSTS.CFS 1), after a fatal
 * error or an enabling that asks for what there is not: it does nothing more until CC.EN is cleared
 * or the function is reset; a secondary controller that is offline is failed, too, and stays so; shut down (CSTS.SHST 2), which only CC.EN cleared and set again ends.
 */
#include <string.h>

#include "models/nvme/queues.h"
#include "models/nvme/virt.h"

#define PAGE_SHIFT_MAX 16u

/* CAP: contiguous queues, the NVM command set, at most ten seconds until ready. */
#define CAP_CQR		  (UINT64_C(1) << 16)
#define CAP_TO(n)	  ((uint64_t)(n) << 24)
#define CAP_DSTRD(n)	  ((uint64_t)(n) << 32)
#define CAP_CSS_NVM	  (UINT64_C(1) << 37)
#define CAP_MPSMAX(shift) ((uint64_t)((shift)-12) << 52)

static uint32_t get32(const struct nvme_controller *c, unsigned int offset)
{
	return (uint32_t)svf_nvme_get(c->registers + offset, 4);
}

static void put32(struct nvme_controller *c, unsigned int offset, uint32_t value)
{
	svf_nvme_put(c->registers + offset, 4, value);
	svf_nvme_put(c->shown + offset, 4, value);
}

/* --- enabling --- */

/* Of the admin queues: in AQA, from the bit on. */
static unsigned int admin_entries(const struct nvme_controller *c, unsigned int bit)
{
	return (get32(c, NVME_AQA) >> bit & 0xfff) + 1;
}

static bool can_start(const struct nvme_controller *c, uint32_t cc)
{
	uint64_t page = UINT64_C(4096) << NVME_CC_MPS(cc);

	return !svf_nvme_is_offline(c) && NVME_CC_CSS(cc) == 0 && NVME_CC_AMS(cc) == 0 &&
	       12 + NVME_CC_MPS(cc) <= PAGE_SHIFT_MAX && admin_entries(c, 0) >= 2 &&
	       admin_entries(c, 16) >= 2 && svf_nvme_get(c->registers + NVME_ASQ, 8) % page == 0 &&
	       svf_nvme_get(c->registers + NVME_ACQ, 8) % page == 0;
}

static void start(struct nvme_controller *c, uint32_t cc)
{
	if (!can_start(c, cc)) {
		put32(c, NVME_CSTS, NVME_CSTS_CFS);
		return;
	}
	c->page_shift = 12 + NVME_CC_MPS(cc);
	svf_nvme_queues_start(c, svf_nvme_get(c->registers + NVME_ASQ, 8), admin_entries(c, 0),
			      svf_nvme_get(c->registers + NVME_ACQ, 8), admin_entries(c, 16));
	put32(c, NVME_CSTS, NVME_CSTS_RDY);
}

/* The admin queue's registers stay as they are. */
static void stop(struct nvme_controller *c)
{
	svf_nvme_shutdown_drop(c);
	svf_nvme_queues_stop(c);
	svf_nvme_admin_reset(c);
	svf_nvme_virt_set_limits(c);
	put32(c, NVME_CSTS, svf_nvme_is_offline(c) ? NVME_CSTS_CFS : 0);
	put32(c, NVME_INTMS, 0);
	put32(c, NVME_INTMC, 0);
}

void svf_nvme_fatal(struct nvme_controller *c)
{
	put32(c, NVME_CSTS, get32(c, NVME_CSTS) | NVME_CSTS_CFS);
}

void svf_nvme_set_shutdown_status(struct nvme_controller *c, uint32_t status)
{
	put32(c, NVME_CSTS, (get32(c, NVME_CSTS) & ~NVME_CSTS_SHST) | status);
}

void svf_nvme_controller_reset(struct nvme_controller *c)
{
	memset(c->registers, 0, sizeof(c->registers));
	svf_nvme_put(c->registers + NVME_CAP, 8,
		     (NVME_ENTRIES_MAX - 1) | CAP_CQR | CAP_TO(20) | CAP_CSS_NVM |
			     CAP_DSTRD(c->subsystem->stride) | CAP_MPSMAX(PAGE_SHIFT_MAX));
	put32(c, NVME_VS, NVME_VERSION);
	c->page_shift = 12;
	stop(c);
	memcpy(c->shown, c->registers, sizeof(c->registers));
}

void svf_nvme_controller_state_changed(struct nvme_controller *c)
{
	put32(c, NVME_CC, 0);
	stop(c);
}

/* --- what writes do: before is what the register held --- */

static void write_cc(struct nvme_controller *c, uint32_t before, uint32_t written)
{
	uint32_t cc = get32(c, NVME_CC);

	(void)written;
	if ((cc & NVME_CC_EN) && !(before & NVME_CC_EN))
		start(c, cc);
	else if (!(cc & NVME_CC_EN) && (before & NVME_CC_EN))
		stop(c);
	if (NVME_CC_SHN(cc) && !NVME_CC_SHN(before))
		svf_nvme_shutdown_begin(c);
}

/* Both registers read as the mask. */
static void set_mask(struct nvme_controller *c, uint32_t mask)
{
	put32(c, NVME_INTMS, mask);
	put32(c, NVME_INTMC, mask);
}

static void write_intms(struct nvme_controller *c, uint32_t before, uint32_t written)
{
	set_mask(c, before | written);
	svf_nvme_interrupts_update(c);
}

static void write_intmc(struct nvme_controller *c, uint32_t before, uint32_t written)
{
	set_mask(c, before & ~written);
	svf_nvme_interrupts_unmasked(c, before & written);
}

/*
 * What software can write. written(): the mask's bits are in place; it is told what was written,
 * zeroes for bytes that were not.
 */
static const struct nvme_register {
	uint16_t offset;
	uint32_t mask;
	void (*written)(struct nvme_controller *c, uint32_t before, uint32_t written);
} nvme_registers[] = {
	{NVME_INTMS, 0, write_intms},	  {NVME_INTMC, 0, write_intmc},
	{NVME_AQA, 0x0fff0fff, NULL},	  {NVME_ASQ, 0xfffff000, NULL},
	{NVME_ASQ + 4, 0xffffffff, NULL}, {NVME_ACQ, 0xfffff000, NULL},
	{NVME_ACQ + 4, 0xffffffff, NULL}, {NVME_CC, NVME_CC_WRITABLE, write_cc},
};

#define REGISTER_COUNT (sizeof(nvme_registers) / sizeof(nvme_registers[0]))

static void write_register(struct nvme_controller *c, const struct nvme_register *r,
			   uint64_t offset, const uint8_t *bytes, size_t len)
{
	uint32_t before = get32(c, r->offset), value = before, written = 0;

	for (unsigned int k = 0; k < 4; k++) {
		uint64_t at = r->offset + k;
		uint32_t byte = 0xffu << 8 * k;

		if (at < offset || at >= offset + len)
			continue;
		written |= (uint32_t)bytes[at - offset] << 8 * k;
		value = (value & ~(byte & r->mask)) | (written & byte & r->mask);
	}
	put32(c, r->offset, value);
	if (r->written)
		r->written(c, before, written);
}

/* What is wrong with a write that is no doorbell's at all is told to nobody. */
static void write_doorbell(struct nvme_controller *c, uint64_t offset, const uint8_t *bytes,
			   size_t len)
{
	unsigned int shift = 2 + c->subsystem->stride;

	if (len == 4 && offset < NVME_DOORBELL_BYTES && !(offset & ((1u << shift) - 1)))
		svf_nvme_doorbell(c, (unsigned int)(offset >> shift),
				  (uint32_t)svf_nvme_get(bytes, 4));
}

void svf_nvme_bar_write(struct svf_function *fn, unsigned int bar, uint64_t offset, const void *buf,
			size_t len)
{
	struct nvme_controller *c = svf_model_state(fn);

	(void)bar;
	if (offset >= NVME_DOORBELLS) {
		write_doorbell(c, offset - NVME_DOORBELLS, buf, len);
		return;
	}
	for (unsigned int i = 0; i < REGISTER_COUNT; i++) {
		const struct nvme_register *r = &nvme_registers[i];

		if (offset < r->offset + 4u && r->offset < offset + len)
			write_register(c, r, offset, buf, len);
	}
}

/* Of doorbells, as everything else is memory: they cannot be read. */
void svf_nvme_bar_read(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf,
		       size_t len)
{
	(void)fn;
	(void)bar;
	(void)offset;
	memset(buf, 0, len);
}
