/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asynchronous events.
 *
 * The host leaves requests with the controller, at most NVME_AERS_MAX, each of which is completed by an
 * event. When one of a type was told, no other of that type is until the host has read the log page
 * that it named. Events that wait are one of a kind, so there are few.
 */
#include <string.h>

#include "models/nvme/admin.h"
#include "models/nvme/queues.h"

enum nvme_step svf_nvme_async_event_request(struct nvme_request *rq)
{
	struct nvme_events *events = &rq->controller->admin->events;

	if (events->outstanding == NVME_AERS_MAX)
		return svf_nvme_end(rq, NVME_AER_LIMIT_EXCEEDED);
	events->cids[events->outstanding++] = rq->cid;
	return NVME_HELD;
}

static bool is_masked(const struct nvme_events *events, const struct nvme_event *event)
{
	return events->masked >> event->type & 1;
}

/* Return: whether there was room in the admin completion queue. */
static bool tell(struct nvme_controller *c, struct nvme_event event)
{
	struct nvme_events *events = &c->admin->events;
	uint16_t cid = events->cids[0];

	if (!svf_nvme_complete_admin(c, cid, NVME_SUCCESS,
				     event.type | (uint32_t)event.info << 8 |
					     (uint32_t)event.log << 16))
		return false;
	events->outstanding--;
	memmove(events->cids, events->cids + 1, events->outstanding * sizeof(events->cids[0]));
	events->masked |= 1u << event.type;
	return true;
}

void svf_nvme_events_deliver(struct nvme_controller *c)
{
	struct nvme_events *events = &c->admin->events;
	unsigned int i = 0;

	while (i < events->count && events->outstanding) {
		struct nvme_event event = events->pending[i];

		if (is_masked(events, &event)) {
			i++;
			continue;
		}
		if (!tell(c, event))
			return;
		events->count--;
		memmove(&events->pending[i], &events->pending[i + 1],
			(events->count - i) * sizeof(event));
	}
	svf_nvme_interrupts_update(c);
}

void svf_nvme_event(struct nvme_controller *c, struct nvme_event event)
{
	struct nvme_events *events = &c->admin->events;

	if (!c->queues->running)
		return;
	for (unsigned int i = 0; i < events->count; i++) {
		if (memcmp(&events->pending[i], &event, sizeof(event)) == 0)
			return;
	}
	if (events->count == NVME_EVENTS_MAX)
		return;
	events->pending[events->count++] = event;
	svf_nvme_events_deliver(c);
}

static uint8_t type_of_log(uint8_t log)
{
	switch (log) {
	case NVME_LOG_ERROR:
		return NVME_EVENT_ERROR;
	case NVME_LOG_HEALTH:
		return NVME_EVENT_HEALTH;
	default:
		return NVME_EVENT_NOTICE;
	}
}

void svf_nvme_events_unmask(struct nvme_controller *c, uint8_t log)
{
	c->admin->events.masked &= ~(1u << type_of_log(log));
	svf_nvme_events_deliver(c);
}

bool svf_nvme_events_abort(struct nvme_controller *c, uint16_t cid)
{
	struct nvme_events *events = &c->admin->events;
	unsigned int i = 0;

	while (i < events->outstanding && events->cids[i] != cid)
		i++;
	if (i == events->outstanding || !svf_nvme_complete_admin(c, cid, NVME_ABORT_REQUESTED, 0))
		return false;
	events->outstanding--;
	memmove(events->cids + i, events->cids + i + 1,
		(events->outstanding - i) * sizeof(events->cids[0]));
	return true;
}

void svf_nvme_namespace_changed(struct nvme_controller *by, uint32_t nsid)
{
	const struct nvme_subsystem *subsystem = by->subsystem;

	for (unsigned int i = 0; i <= subsystem->total_vfs; i++) {
		struct nvme_controller *c = subsystem->controllers[i];

		if (!c || c == by || nsid > NVME_CHANGED_MAX)
			continue;
		c->admin->logs.changed[nsid / 64] |= UINT64_C(1) << nsid % 64;
		if (c->admin->features.async_events & NVME_ASYNC_NAMESPACE)
			svf_nvme_event(c, (struct nvme_event){NVME_EVENT_NOTICE,
							      NVME_EVENT_NAMESPACE_CHANGED,
							      NVME_LOG_CHANGED_NAMESPACES});
	}
}
