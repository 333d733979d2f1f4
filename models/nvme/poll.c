/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Polled doorbells: they are memory that the host writes without the model being told, and a timer looks
 * what has changed.
 *
 * It looks often while something changes, and from then on half as often each time that nothing has, down
 * to POLL_MAX_NS: an idle controller costs a wake-up now and then, and its next command may come that
 * late. A controller that is not enabled is not looked at.
 *
 * What is written into a doorbell that belongs to no queue is never seen. Of one that does, only changes
 * count, so a wrong value is told once.
 */
#include <errno.h>
#include <string.h>

#include "models/nvme/queues.h"

#define POLL_MIN_NS 20000u
#define POLL_MAX_NS 10000000u

/* Written by another process at any time: the acquire is for the queue entries that were before it. */
static uint32_t load(const struct nvme_controller *c, unsigned int index)
{
	const uint32_t *doorbells = (const uint32_t *)(const void *)c->queues->doorbells;

	return __atomic_load_n(doorbells + ((size_t)index << c->subsystem->stride),
			       __ATOMIC_ACQUIRE);
}

/* Return: whether it has changed. */
static bool look(struct nvme_controller *c, unsigned int index, uint32_t *seen)
{
	uint32_t value = load(c, index);

	if (value == *seen)
		return false;
	*seen = value;
	svf_nvme_doorbell(c, index, value);
	return true;
}

/* Completion queues first, for the room that they give. */
static bool look_at_all(struct nvme_controller *c)
{
	struct nvme_queues *q = c->queues;
	bool changed = false;

	for (unsigned int i = 0; i < q->count; i++) {
		if (q->cqs[i].entries)
			changed |= look(c, 2 * i + 1, &q->cqs[i].seen);
	}
	for (unsigned int i = 0; i < q->count; i++) {
		if (q->sqs[i].entries)
			changed |= look(c, 2 * i, &q->sqs[i].seen);
	}
	return changed;
}

static void fired(struct svf_function *fn, void *arg)
{
	struct nvme_controller *c = svf_model_state(fn);
	struct nvme_queues *q = c->queues;

	(void)arg;
	if (!q->running)
		return;
	if (look_at_all(c))
		q->interval_ns = POLL_MIN_NS;
	else if (q->interval_ns < POLL_MAX_NS)
		q->interval_ns *= 2;
	/* What it has found may have been fatal. */
	if (q->running)
		svf_model_timer_start(q->timer, q->interval_ns, 0);
}

int svf_nvme_poll_init(struct nvme_controller *c)
{
	struct nvme_queues *q = c->queues;

	q->doorbells = svf_model_ram(c->fn, 0) + NVME_DOORBELLS;
	q->timer = svf_model_add_timer(c->fn, fired, NULL);
	return q->timer ? 0 : -ENOMEM;
}

void svf_nvme_poll_clear(struct nvme_controller *c, unsigned int index)
{
	if (c->queues->doorbells)
		memset(c->queues->doorbells + ((size_t)4 * index << c->subsystem->stride), 0, 4);
}

void svf_nvme_poll_start(struct nvme_controller *c)
{
	struct nvme_queues *q = c->queues;

	if (!q->timer)
		return;
	q->interval_ns = POLL_MIN_NS;
	svf_model_timer_start(q->timer, q->interval_ns, 0);
}

void svf_nvme_poll_stop(struct nvme_controller *c)
{
	if (c->queues->timer)
		svf_model_timer_stop(c->queues->timer);
}
