/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues: fetching commands, posting their completions.
 *
 * Submission queues are served in turn, one command or one slice of a command each time, admin queue
 * included. A command is fetched only when a request is free and its completion queue has an entry
 * for it, which is then kept for it: so a completion always has a place, and a host that leaves its
 * completion queue full stops only the queues that complete there.
 *
 * Serving begins within the write of a doorbell and goes on, when a slice's work is used up, by
 * svf_model_defer(). Nothing runs while no queue is active: one is from the write of its doorbell until
 * it is found empty, or its completion queue full.
 *
 * Commands that wait (for a file) and those that are in the middle of their work are requests under way;
 * further commands of the same queue overtake those that wait.
 *
 * Entries are read and completions written several at a time, as each access to the host's memory has its
 * cost; all completions of a slice are in memory when it ends, and then the interrupts are sent.
 *
 * A queue's memory that cannot be read or written is fatal (CSTS.CFS): everything stops.
 */
#include "models/nvme/queues.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "models/nvme/admin.h"

#define WRITE_AFTER (256u << 10) /* of a slice: completions wait for others no longer than that */
#define COST_MIN    4096u	 /* of a command, against the slice: entries, lists, interrupt */

/* Of a completion's status: do not retry; there is more in the error log. */
#define DNR  0x4000u
#define MORE 0x2000u

int svf_nvme_queues_alloc(struct nvme_controller *c, unsigned int count)
{
	struct nvme_queues *q = calloc(1, sizeof(*q));

	assert(count <= NVME_QUEUES_MAX);
	c->queues = q;
	if (!q)
		return -ENOMEM;
	q->count = count;
	q->limit = count;
	q->sqs = calloc(count, sizeof(q->sqs[0]));
	q->cqs = calloc(count, sizeof(q->cqs[0]));
	for (unsigned int i = 0; i < NVME_REQUESTS_MAX; i++) {
		q->requests[i].next = q->free;
		q->free = &q->requests[i];
	}
	return q->sqs && q->cqs ? 0 : -ENOMEM;
}

void svf_nvme_queues_destroy(struct nvme_controller *c)
{
	if (!c->queues)
		return;
	if (c->queues->sqs && c->queues->cqs)
		svf_nvme_queues_stop(c);
	free(c->queues->sqs);
	free(c->queues->cqs);
	free(c->queues);
	c->queues = NULL;
}

/* --- requests --- */

static void make_ready(struct nvme_sq *sq, struct nvme_request *rq)
{
	rq->state = NVME_REQUEST_READY;
	rq->controller->queues->ready++;
	rq->next = NULL;
	*sq->last = rq;
	sq->last = &rq->next;
}

static struct nvme_request *take_ready(struct nvme_sq *sq)
{
	struct nvme_request *rq = sq->first;

	if (!rq)
		return NULL;
	rq->controller->queues->ready--;
	sq->first = rq->next;
	if (!sq->first)
		sq->last = &sq->first;
	return rq;
}

static void remove_ready(struct nvme_sq *sq, const struct nvme_request *rq)
{
	struct nvme_request **p = &sq->first;

	while (*p != rq)
		p = &(*p)->next;
	*p = rq->next;
	if (!*p)
		sq->last = p;
	rq->controller->queues->ready--;
}

static void release(struct nvme_queues *q, struct nvme_request *rq)
{
	rq->state = NVME_REQUEST_FREE;
	rq->next = q->free;
	q->free = rq;
}

/* --- completions --- */

static void fatal(struct nvme_controller *c)
{
	svf_nvme_queues_stop(c);
	svf_nvme_fatal(c);
}

static unsigned int room(const struct nvme_cq *cq)
{
	uint32_t used = (cq->tail + cq->entries - cq->head) % cq->entries;

	return cq->entries - 1 - used - cq->reserved;
}

/* Return: false after a fatal error. */
static bool write_completions(struct nvme_controller *c, struct nvme_cq *cq)
{
	/* Of one batch, which does not go around the end of the queue. */
	uint32_t end = cq->tail ? cq->tail : cq->entries;
	uint64_t at = cq->base + (uint64_t)(end - cq->unwritten) * NVME_CQE_BYTES;
	size_t len = (size_t)cq->unwritten * NVME_CQE_BYTES;

	cq->unwritten = 0;
	if (!len || !svf_dma_write(c->fn, at, cq->batch, len))
		return true;
	fatal(c);
	return false;
}

/* Before the host is told that there is something, or given the time to look. */
static void write_all_completions(struct nvme_controller *c)
{
	struct nvme_queues *q = c->queues;
	unsigned int id = svf_nvme_idset_next(&q->signals, 0);

	for (; id < q->count; id = svf_nvme_idset_next(&q->signals, id + 1)) {
		if (!write_completions(c, &q->cqs[id]))
			return;
	}
}

/* There is room. */
static void post(struct nvme_controller *c, uint16_t id, const uint32_t entry[4])
{
	struct nvme_cq *cq = &c->queues->cqs[id];
	uint8_t *bytes = cq->batch[cq->unwritten++];

	for (unsigned int i = 0; i < 4; i++)
		svf_nvme_put(bytes + 4 * i, 4, entry[i]);
	bytes[14] = (uint8_t)((bytes[14] & ~1u) | cq->phase);
	if (++cq->tail == cq->entries) {
		cq->tail = 0;
		cq->phase = !cq->phase;
	}
	svf_nvme_idset_add(&c->queues->signals, id);
	if (cq->unwritten == NVME_BATCH || !cq->tail)
		write_completions(c, cq);
}

/* What may go well another time. */
static bool can_retry(uint16_t status)
{
	switch (status) {
	case NVME_DATA_TRANSFER_ERROR:
	case NVME_INTERNAL_ERROR:
	case NVME_ABORT_REQUESTED:
	case NVME_ABORTED_SQ_DELETION:
	case NVME_NAMESPACE_NOT_READY:
	case NVME_FORMAT_IN_PROGRESS:
	case NVME_COMMAND_INTERRUPTED:
	case NVME_AER_LIMIT_EXCEEDED:
	case NVME_ABORT_LIMIT_EXCEEDED:
		return true;
	default:
		return false;
	}
}

static uint32_t status_bits(uint16_t status)
{
	uint32_t bits = status;

	if (status && !can_retry(status))
		bits |= DNR;
	return bits << 17;
}

static void complete(struct nvme_controller *c, struct nvme_request *rq)
{
	const struct nvme_sq *sq = rq->sq;
	uint32_t entry[4] = {rq->result, 0, (uint32_t)sq->id << 16 | sq->head,
			     rq->cid | status_bits(rq->status)};

	c->queues->cqs[sq->cq].reserved--;
	if (rq->status) {
		svf_nvme_log_error(c, rq);
		entry[3] |= MORE << 17;
	}
	release(c->queues, rq);
	post(c, sq->cq, entry);
}

bool svf_nvme_complete_admin(struct nvme_controller *c, uint16_t cid, uint16_t status,
			     uint32_t result)
{
	const uint32_t entry[4] = {result, 0, c->queues->sqs[0].head, cid | status_bits(status)};

	if (!c->queues->running)
		return false;
	if (!room(&c->queues->cqs[0])) {
		c->queues->cqs[0].full = true;
		return false;
	}
	post(c, 0, entry);
	if (c->queues->running)
		write_completions(c, &c->queues->cqs[0]);
	return true;
}

/* --- fetching --- */

static void decode(struct nvme_request *rq, const uint8_t *bytes)
{
	for (unsigned int i = 0; i < 16; i++)
		rq->dw[i] = (uint32_t)svf_nvme_get(bytes + 4 * i, 4);
	rq->opcode = (uint8_t)rq->dw[0];
	rq->cid = (uint16_t)(rq->dw[0] >> 16);
	rq->nsid = rq->dw[1];
	rq->prp1 = rq->dw[6] | (uint64_t)rq->dw[7] << 32;
	rq->prp2 = rq->dw[8] | (uint64_t)rq->dw[9] << 32;
	rq->sgl = NVME_PSDT(rq->dw[0]);
	rq->location = NVME_NO_LOCATION;
}

/* The next entries, as many as fit and come one after the other. Return: 0, -EFAULT. */
static int read_ahead(struct nvme_controller *c, struct nvme_sq *sq)
{
	uint32_t end = sq->tail > sq->head ? sq->tail : sq->entries;
	unsigned int count = end - sq->head < NVME_BATCH ? end - sq->head : NVME_BATCH;
	int err = svf_dma_read(c->fn, sq->base + (uint64_t)sq->head * NVME_SQE_BYTES,
			       sq->batch[NVME_BATCH - count], (size_t)count * NVME_SQE_BYTES);

	if (!err)
		sq->ahead = count;
	return err;
}

/* NULL: there is nothing to be fetched now. */
static struct nvme_request *fetch(struct nvme_controller *c, struct nvme_sq *sq)
{
	struct nvme_queues *q = c->queues;
	struct nvme_cq *cq = &q->cqs[sq->cq];
	struct nvme_request *rq = q->free;

	assert(rq);
	if (sq->head == sq->tail)
		return NULL;
	if (!room(cq)) {
		cq->full = true;
		return NULL;
	}
	if (!sq->ahead && read_ahead(c, sq)) {
		fatal(c);
		return NULL;
	}
	sq->head = (sq->head + 1) % sq->entries;
	cq->reserved++;
	q->free = rq->next;
	memset(rq, 0, sizeof(*rq));
	rq->controller = c;
	rq->sq = sq;
	rq->state = NVME_REQUEST_READY;
	decode(rq, sq->batch[NVME_BATCH - sq->ahead--]);
	return rq;
}

/* --- carrying out --- */

static enum nvme_step execute(struct nvme_request *rq)
{
	unsigned int psdt = NVME_PSDT(rq->dw[0]);

	if (NVME_FUSE(rq->dw[0]))
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 1);
	/* SGLs are for I/O commands. */
	if (psdt == 3 || (psdt && rq->sq->id == 0))
		return svf_nvme_end_at(rq, NVME_INVALID_FIELD, 1 | 6 << 8);
	return rq->sq->id ? svf_nvme_io_execute(rq) : svf_nvme_admin_execute(rq);
}

static void step(struct nvme_controller *c, struct nvme_request *rq)
{
	struct nvme_sq *sq = rq->sq;
	enum nvme_step result = execute(rq);

	if (rq->state == NVME_REQUEST_STOPPED) {
		/* What it did was fatal. */
		if (result == NVME_AGAIN || result == NVME_WAITING)
			svf_nvme_io_cancel(rq);
		release(c->queues, rq);
		return;
	}
	switch (result) {
	case NVME_DONE:
		complete(c, rq);
		break;
	case NVME_HELD:
		c->queues->cqs[sq->cq].reserved--;
		release(c->queues, rq);
		svf_nvme_events_deliver(c);
		break;
	case NVME_AGAIN:
		make_ready(sq, rq);
		break;
	case NVME_WAITING:
		/* Unless what it waited for came before it could say so. */
		if (rq->state == NVME_REQUEST_RESUMED)
			make_ready(sq, rq);
		else
			rq->state = NVME_REQUEST_WAITING;
		break;
	}
}

/* One command or a slice of one. Return: what it counts. */
static uint64_t serve(struct nvme_controller *c, unsigned int id)
{
	struct nvme_sq *sq = &c->queues->sqs[id];
	struct nvme_request *rq = take_ready(sq);
	uint64_t before, spent;

	if (!rq && !c->queues->free)
		return 0;
	if (!rq)
		rq = fetch(c, sq);
	if (!rq) {
		svf_nvme_idset_remove(&c->queues->active, id);
		return 0;
	}
	before = rq->spent;
	rq->state = NVME_REQUEST_RUNNING;
	step(c, rq);
	/* Released or not, its memory is there and nobody else has had it yet. */
	spent = rq->spent - before;
	return spent > COST_MIN ? spent : COST_MIN;
}

/* In turn. NVME_QUEUES_MAX: none has anything to do. */
static unsigned int next_sq(struct nvme_queues *q)
{
	unsigned int id = svf_nvme_idset_next(&q->active, q->turn);

	if (id == NVME_QUEUES_MAX)
		id = svf_nvme_idset_next(&q->active, 0);
	q->turn = id == NVME_QUEUES_MAX ? 0 : id + 1;
	return id;
}

static void defer(struct nvme_controller *c)
{
	if (!c->queues->deferred)
		svf_model_defer(c->fn);
	c->queues->deferred = true;
}

static void slice(struct nvme_controller *c)
{
	struct nvme_queues *q = c->queues;
	uint64_t spent = 0, written = 0;

	/* When all requests wait, the first to be resumed has it go on. */
	while (q->running && (q->free || q->ready) && spent < NVME_SLICE) {
		unsigned int id = next_sq(q);

		if (id == NVME_QUEUES_MAX)
			break;
		spent += serve(c, id);
		if (q->running && spent - written >= WRITE_AFTER) {
			write_all_completions(c);
			written = spent;
		}
	}
	if (q->running)
		write_all_completions(c);
	if (q->running && spent >= NVME_SLICE)
		defer(c);
	svf_nvme_interrupts_update(c);
}

void svf_nvme_work(struct svf_function *fn)
{
	struct nvme_controller *c = svf_model_state(fn);

	c->queues->deferred = false;
	slice(c);
}

void svf_nvme_request_resume(struct nvme_request *rq)
{
	struct nvme_controller *c = rq->controller;

	if (rq->state == NVME_REQUEST_RUNNING) {
		rq->state = NVME_REQUEST_RESUMED;
		return;
	}
	assert(rq->state == NVME_REQUEST_WAITING);
	make_ready(rq->sq, rq);
	svf_nvme_idset_add(&c->queues->active, rq->sq->id);
	defer(c);
}

/* --- doorbells --- */

static void ring_sq(struct nvme_controller *c, struct nvme_sq *sq, uint32_t value)
{
	uint32_t added = (value + sq->entries - sq->tail) % sq->entries;
	uint32_t free_entries = (sq->head + sq->entries - sq->tail - 1) % sq->entries;

	if (value >= sq->entries || added > free_entries) {
		svf_nvme_doorbell_error(c, sq->id, NVME_EVENT_INVALID_DOORBELL_VALUE);
		return;
	}
	sq->tail = value;
	svf_nvme_idset_add(&c->queues->active, sq->id);
	if (!c->queues->deferred)
		slice(c);
}

static void wake_sqs_of(struct nvme_controller *c, unsigned int cq)
{
	for (unsigned int i = 0; i < c->queues->count; i++) {
		if (c->queues->sqs[i].entries && c->queues->sqs[i].cq == cq)
			svf_nvme_idset_add(&c->queues->active, i);
	}
	if (cq == 0)
		svf_nvme_events_deliver(c);
	if (!c->queues->deferred)
		slice(c);
}

static void ring_cq(struct nvme_controller *c, unsigned int id, uint32_t value)
{
	struct nvme_cq *cq = &c->queues->cqs[id];
	uint32_t used = (cq->tail + cq->entries - cq->head) % cq->entries;

	if (value >= cq->entries || (value + cq->entries - cq->head) % cq->entries > used) {
		svf_nvme_doorbell_error(c, (uint16_t)id, NVME_EVENT_INVALID_DOORBELL_VALUE);
		return;
	}
	cq->head = value;
	if (cq->full) {
		cq->full = false;
		wake_sqs_of(c, id);
	}
	svf_nvme_interrupts_update(c);
}

void svf_nvme_doorbell(struct nvme_controller *c, unsigned int index, uint32_t value)
{
	unsigned int id = index / 2;
	bool submission = index % 2 == 0;

	if (!c->queues->running)
		return;
	value &= 0xffff;
	if (submission && svf_nvme_sq_lookup(c, id))
		ring_sq(c, &c->queues->sqs[id], value);
	else if (!submission && svf_nvme_cq_lookup(c, id))
		ring_cq(c, id, value);
	else
		svf_nvme_doorbell_error(c, (uint16_t)id, NVME_EVENT_INVALID_DOORBELL);
}

/* --- making and ending them --- */

struct nvme_sq *svf_nvme_sq_lookup(struct nvme_controller *c, unsigned int id)
{
	struct nvme_queues *q = c->queues;

	return id < q->count && q->sqs[id].entries ? &q->sqs[id] : NULL;
}

struct nvme_cq *svf_nvme_cq_lookup(struct nvme_controller *c, unsigned int id)
{
	struct nvme_queues *q = c->queues;

	return id < q->count && q->cqs[id].entries ? &q->cqs[id] : NULL;
}

void svf_nvme_sq_open(struct nvme_controller *c, uint16_t id, uint16_t cq, uint64_t base,
		      unsigned int entries)
{
	struct nvme_sq *sq = &c->queues->sqs[id];

	*sq = (struct nvme_sq){.base = base, .entries = entries, .id = id, .cq = cq};
	sq->last = &sq->first;
	c->queues->cqs[cq].sqs++;
	svf_nvme_poll_clear(c, 2u * id);
}

void svf_nvme_cq_open(struct nvme_controller *c, uint16_t id, uint64_t base, unsigned int entries,
		      bool interrupts, uint16_t vector)
{
	c->queues->cqs[id] = (struct nvme_cq){.base = base,
					      .entries = entries,
					      .vector = vector,
					      .interrupts = interrupts,
					      .phase = true};
	svf_nvme_poll_clear(c, 2u * id + 1);
}

/* Ends a request that is under way, whose handler is not running. */
static void drop(struct nvme_request *rq)
{
	if (rq->state == NVME_REQUEST_READY)
		remove_ready(rq->sq, rq);
	svf_nvme_io_cancel(rq);
}

static bool is_under_way(const struct nvme_request *rq, const struct nvme_sq *sq)
{
	return rq->sq == sq &&
	       (rq->state == NVME_REQUEST_READY || rq->state == NVME_REQUEST_WAITING);
}

/* Those with the command id, or all: any 0x10000. Return: how many. */
static unsigned int abort_requests(struct nvme_controller *c, struct nvme_sq *sq, uint32_t cid,
				   uint16_t status)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < NVME_REQUESTS_MAX && sq->entries; i++) {
		struct nvme_request *rq = &c->queues->requests[i];

		if (!is_under_way(rq, sq) || (cid <= 0xffff && rq->cid != cid))
			continue;
		drop(rq);
		rq->status = status;
		complete(c, rq);
		found++;
	}
	/* Before the completion of the command that asked for it. */
	if (sq->entries)
		write_completions(c, &c->queues->cqs[sq->cq]);
	return found;
}

bool svf_nvme_sq_abort(struct nvme_controller *c, struct nvme_sq *sq, uint16_t cid)
{
	return abort_requests(c, sq, cid, NVME_ABORT_REQUESTED);
}

void svf_nvme_sq_close(struct nvme_controller *c, struct nvme_sq *sq)
{
	abort_requests(c, sq, 0x10000, NVME_ABORTED_SQ_DELETION);
	/* A fatal error on the way has closed everything. */
	if (!sq->entries)
		return;
	c->queues->cqs[sq->cq].sqs--;
	sq->entries = 0;
	svf_nvme_idset_remove(&c->queues->active, sq->id);
}

void svf_nvme_cq_close(struct nvme_controller *c, struct nvme_cq *cq)
{
	unsigned int id = (unsigned int)(cq - c->queues->cqs);

	assert(!cq->sqs && !cq->reserved);
	cq->entries = 0;
	svf_nvme_idset_remove(&c->queues->signals, id);
}

void svf_nvme_queues_start(struct nvme_controller *c, uint64_t asq, unsigned int sq_entries,
			   uint64_t acq, unsigned int cq_entries)
{
	svf_nvme_cq_open(c, 0, acq, cq_entries, true, 0);
	svf_nvme_sq_open(c, 0, 0, asq, sq_entries);
	c->queues->running = true;
	svf_nvme_poll_start(c);
}

void svf_nvme_queues_stop(struct nvme_controller *c)
{
	struct nvme_queues *q = c->queues;

	for (unsigned int i = 0; i < NVME_REQUESTS_MAX; i++) {
		struct nvme_request *rq = &q->requests[i];

		if (rq->state == NVME_REQUEST_RUNNING || rq->state == NVME_REQUEST_RESUMED)
			rq->state = NVME_REQUEST_STOPPED;
		if (rq->state != NVME_REQUEST_READY && rq->state != NVME_REQUEST_WAITING)
			continue;
		svf_nvme_io_cancel(rq);
		release(q, rq);
	}
	q->ready = 0;
	memset(q->sqs, 0, q->count * sizeof(q->sqs[0]));
	memset(q->cqs, 0, q->count * sizeof(q->cqs[0]));
	memset(&q->active, 0, sizeof(q->active));
	memset(&q->signals, 0, sizeof(q->signals));
	q->running = false;
	svf_nvme_poll_stop(c);
	svf_nvme_interrupts_update(c);
}
