/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Admin commands: the table of them, and those that make and end queues and commands.
 *
 * Firmware cannot be changed (Identify says so), so its commands are invalid opcodes, as all others that
 * the table does not have.
 */
#include "models/nvme/admin.h"

#include <string.h>

#include "models/nvme/queues.h"

/* Commands Supported and Effects. */
#define SUPPORTED	  0x00001u
#define CHANGES_LBAS	  0x00002u
#define CHANGES_NAMESPACE 0x00004u
#define ALONE		  0x20000u /* no other command, to any namespace, while it runs */

/* Queue ids and sizes in dword 10, of commands that create or delete one. */
static uint16_t queue_id(const struct nvme_request *rq)
{
	return (uint16_t)rq->dw[10];
}

static unsigned int queue_entries(const struct nvme_request *rq)
{
	return (rq->dw[10] >> 16) + 1;
}

/* Of an entry, as a power of two, by CC. */
static unsigned int entry_shift(const struct nvme_controller *c, bool submission)
{
	uint32_t cc = (uint32_t)svf_nvme_get(c->registers + NVME_CC, 4);

	return submission ? NVME_CC_IOSQES(cc) : NVME_CC_IOCQES(cc);
}

/* What is the same for both kinds: size, and memory in one piece from the beginning of a page on. */
static enum nvme_step check_memory(struct nvme_request *rq, bool submission)
{
	const struct nvme_controller *c = rq->controller;
	unsigned int entries = queue_entries(rq);

	if (entries < 2 || entries > NVME_ENTRIES_MAX)
		return svf_nvme_end_at(rq, NVME_INVALID_QUEUE_SIZE, 42);
	if (entry_shift(c, submission) != (submission ? 6 : 4))
		return svf_nvme_end(rq, NVME_INVALID_QUEUE_SIZE);
	if (!(rq->dw[11] & 1))
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 44);
	if (rq->prp1 & ((UINT64_C(1) << c->page_shift) - 1))
		return svf_nvme_end_at(rq, NVME_PRP_OFFSET_INVALID, 24);
	return svf_nvme_end(rq, NVME_SUCCESS);
}

static enum nvme_step create_cq(struct nvme_request *rq)
{
	struct nvme_controller *c = rq->controller;
	uint16_t id = queue_id(rq), vector = (uint16_t)(rq->dw[11] >> 16);
	bool interrupts = rq->dw[11] & 2;

	if (!id || id >= c->queues->limit || svf_nvme_cq_lookup(c, id))
		return svf_nvme_end_at(rq, NVME_INVALID_QUEUE_ID, 40);
	if (check_memory(rq, false) == NVME_DONE && rq->status)
		return NVME_DONE;
	if (vector >= c->queues->vectors)
		return svf_nvme_end_at(rq, NVME_INVALID_INTERRUPT_VECTOR, 46);
	svf_nvme_cq_open(c, id, rq->prp1, queue_entries(rq), interrupts, vector);
	c->admin->queues_made = true;
	return svf_nvme_end(rq, NVME_SUCCESS);
}

/* Priority is of weighted round robin, which there is not, and then means nothing. */
static enum nvme_step create_sq(struct nvme_request *rq)
{
	struct nvme_controller *c = rq->controller;
	uint16_t id = queue_id(rq), cq = (uint16_t)(rq->dw[11] >> 16);

	if (!id || id >= c->queues->limit || svf_nvme_sq_lookup(c, id))
		return svf_nvme_end_at(rq, NVME_INVALID_QUEUE_ID, 40);
	if (!cq || cq >= c->queues->limit)
		return svf_nvme_end_at(rq, NVME_INVALID_QUEUE_ID, 46);
	if (!svf_nvme_cq_lookup(c, cq))
		return svf_nvme_end_at(rq, NVME_CQ_INVALID, 46);
	if (check_memory(rq, true) == NVME_DONE && rq->status)
		return NVME_DONE;
	svf_nvme_sq_open(c, id, cq, rq->prp1, queue_entries(rq));
	c->admin->queues_made = true;
	return svf_nvme_end(rq, NVME_SUCCESS);
}

static enum nvme_step delete_sq(struct nvme_request *rq)
{
	struct nvme_sq *sq = svf_nvme_sq_lookup(rq->controller, queue_id(rq));

	if (!sq || !queue_id(rq))
		return svf_nvme_end_at(rq, NVME_INVALID_QUEUE_ID, 40);
	svf_nvme_sq_close(rq->controller, sq);
	return svf_nvme_end(rq, NVME_SUCCESS);
}

static enum nvme_step delete_cq(struct nvme_request *rq)
{
	struct nvme_cq *cq = svf_nvme_cq_lookup(rq->controller, queue_id(rq));

	if (!cq || !queue_id(rq))
		return svf_nvme_end_at(rq, NVME_INVALID_QUEUE_ID, 40);
	if (cq->sqs)
		return svf_nvme_end_at(rq, NVME_INVALID_QUEUE_DELETION, 40);
	svf_nvme_cq_close(rq->controller, cq);
	return svf_nvme_end(rq, NVME_SUCCESS);
}

/* What is still in its queue, or done, is not aborted: dword 0 says 1 then. */
static enum nvme_step abort_command(struct nvme_request *rq)
{
	struct nvme_controller *c = rq->controller;
	struct nvme_sq *sq = svf_nvme_sq_lookup(c, rq->dw[10] & 0xffff);
	uint16_t cid = (uint16_t)(rq->dw[10] >> 16);
	bool aborted;

	if (!sq)
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 40);
	aborted = sq->id ? svf_nvme_sq_abort(c, sq, cid) : svf_nvme_events_abort(c, cid);
	rq->result = !aborted;
	return svf_nvme_end(rq, NVME_SUCCESS);
}

/* --- the table --- */

static const struct nvme_admin_command {
	uint8_t opcode;
	bool primary; /* not of VFs */
	uint32_t effects;
	enum nvme_step (*execute)(struct nvme_request *rq);
} nvme_admin_commands[] = {
	{NVME_ADMIN_DELETE_SQ, false, SUPPORTED, delete_sq},
	{NVME_ADMIN_CREATE_SQ, false, SUPPORTED, create_sq},
	{NVME_ADMIN_GET_LOG_PAGE, false, SUPPORTED, svf_nvme_get_log_page},
	{NVME_ADMIN_DELETE_CQ, false, SUPPORTED, delete_cq},
	{NVME_ADMIN_CREATE_CQ, false, SUPPORTED, create_cq},
	{NVME_ADMIN_IDENTIFY, false, SUPPORTED, svf_nvme_identify},
	{NVME_ADMIN_ABORT, false, SUPPORTED, abort_command},
	{NVME_ADMIN_SET_FEATURES, false, SUPPORTED, svf_nvme_set_features},
	{NVME_ADMIN_GET_FEATURES, false, SUPPORTED, svf_nvme_get_features},
	{NVME_ADMIN_ASYNC_EVENT_REQUEST, false, SUPPORTED, svf_nvme_async_event_request},
	{NVME_ADMIN_VIRTUALIZATION, true, SUPPORTED, svf_nvme_virtualization},
	{NVME_ADMIN_FORMAT_NVM, false, SUPPORTED | CHANGES_LBAS | CHANGES_NAMESPACE | ALONE,
	 svf_nvme_namespace_format},
};

#define COMMAND_COUNT (sizeof(nvme_admin_commands) / sizeof(nvme_admin_commands[0]))

static bool is_available(const struct nvme_controller *c, const struct nvme_admin_command *command)
{
	return !command->primary || (c->id == 0 && c->subsystem->total_vfs);
}

enum nvme_step svf_nvme_admin_execute(struct nvme_request *rq)
{
	for (unsigned int i = 0; i < COMMAND_COUNT; i++) {
		const struct nvme_admin_command *command = &nvme_admin_commands[i];

		if (command->opcode == rq->opcode && is_available(rq->controller, command))
			return command->execute(rq);
	}
	return svf_nvme_end_at(rq, NVME_INVALID_OPCODE, 0);
}

void svf_nvme_admin_effects(const struct nvme_controller *c, uint8_t *page)
{
	for (unsigned int i = 0; i < COMMAND_COUNT; i++) {
		const struct nvme_admin_command *command = &nvme_admin_commands[i];

		if (is_available(c, command))
			svf_nvme_put(page + 4 * command->opcode, 4, command->effects);
	}
}

void svf_nvme_admin_reset(struct nvme_controller *c)
{
	memset(&c->admin->events, 0, sizeof(c->admin->events));
	memset(c->admin->logs.changed, 0, sizeof(c->admin->logs.changed));
	c->admin->queues_made = false;
	svf_nvme_features_reset(c);
}
