/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts, by what the host has enabled in config space.
 *
 * A completion queue with news (queues->signals) has its vector's message sent once, when the slice ends
 * that brought them. With MSI a vector in the mask (INTMS) is not sent, but when it leaves the mask
 * while its queues hold completions; with MSI-X the mask is not used. INTx is a level: some queue with
 * interrupts holds completions, and its vector is not in the mask.
 */
#include <linux/pci_regs.h>

#include "models/nvme/queues.h"

enum mode { MODE_INTX, MODE_MSI, MODE_MSIX };

/* *ret_messages: of MSI, how many the host has enabled. */
static enum mode mode_of(const struct nvme_controller *c, unsigned int *ret_messages)
{
	const uint8_t *config = svf_model_config(c->fn);
	unsigned int msix = svf_model_find_cap(c->fn, PCI_CAP_ID_MSIX);
	unsigned int msi = svf_model_find_cap(c->fn, PCI_CAP_ID_MSI);

	if (msix && (svf_nvme_get(config + msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_ENABLE))
		return MODE_MSIX;
	if (!msi || !(config[msi + PCI_MSI_FLAGS] & PCI_MSI_FLAGS_ENABLE))
		return MODE_INTX;
	*ret_messages = 1u << ((config[msi + PCI_MSI_FLAGS] & PCI_MSI_FLAGS_QSIZE) >> 4);
	return MODE_MSI;
}

/* The mask has 32 bits; vectors above have none. */
static bool is_masked(const struct nvme_controller *c, unsigned int vector)
{
	uint32_t mask = (uint32_t)svf_nvme_get(c->registers + NVME_INTMS, 4);

	return vector < 32 && (mask >> vector & 1);
}

static bool holds_completions(const struct nvme_cq *cq)
{
	return cq->entries && cq->interrupts && cq->head != cq->tail;
}

static void update_level(struct nvme_controller *c)
{
	bool level = false;

	for (unsigned int i = 0; i < c->queues->count && !level; i++) {
		const struct nvme_cq *cq = &c->queues->cqs[i];

		level = holds_completions(cq) && !is_masked(c, cq->vector);
	}
	if (level != c->queues->level)
		svf_model_set_intx(c->fn, level);
	c->queues->level = level;
}

static void lower_level(struct nvme_controller *c)
{
	if (c->queues->level)
		svf_model_set_intx(c->fn, false);
	c->queues->level = false;
}

void svf_nvme_interrupts_update(struct nvme_controller *c)
{
	struct nvme_queues *q = c->queues;
	unsigned int messages = 1;
	enum mode mode = mode_of(c, &messages);
	unsigned int id = svf_nvme_idset_next(&q->signals, 0);

	/* A VF has no INTx. */
	if (mode == MODE_INTX && c->id == 0)
		update_level(c);
	else
		lower_level(c);
	for (; id < NVME_QUEUES_MAX; id = svf_nvme_idset_next(&q->signals, id + 1)) {
		const struct nvme_cq *cq = &q->cqs[id];

		svf_nvme_idset_remove(&q->signals, id);
		if (!cq->interrupts || mode == MODE_INTX)
			continue;
		if (mode == MODE_MSIX)
			svf_model_raise_msi(c->fn, cq->vector);
		else if (!is_masked(c, cq->vector))
			svf_model_raise_msi(c->fn, cq->vector % messages);
	}
}

void svf_nvme_interrupts_unmasked(struct nvme_controller *c, uint32_t vectors)
{
	for (unsigned int i = 0; i < c->queues->count; i++) {
		const struct nvme_cq *cq = &c->queues->cqs[i];

		if (holds_completions(cq) && cq->vector < 32 && (vectors >> cq->vector & 1))
			svf_nvme_idset_add(&c->queues->signals, i);
	}
	svf_nvme_interrupts_update(c);
}

/* The host may have gone from one way of interrupts to another. */
void svf_nvme_config_write(struct svf_function *fn, unsigned int offset, unsigned int len)
{
	(void)offset;
	(void)len;
	svf_nvme_interrupts_update(svf_model_state(fn));
}
