/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Moving data between the host's memory and a namespace.
 *
 * A piece is at most BUFFER bytes. With blocks in memory a piece is moved between the store and the host's
 * memory directly, and done. With a file it has two halves, with the access to the file in between, which
 * may take time: then the request waits, and is resumed by the file's answer.
 *
 * The request can be dropped while its access to the file is under way. The buffer then belongs to that
 * access and is freed with its answer.
 */
#include "models/nvme/data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER (64u << 10)

struct nvme_data {
	struct nvme_request *rq; /* NULL: dropped, while an access is under way */
	struct nvme_namespace *ns;
	enum nvme_data_kind kind;
	bool durable;
	uint64_t offset, left; /* in the namespace, bytes */
	struct nvme_transfer transfer;

	/* Of the file. */
	struct svf_storage_request access;
	bool under_way; /* it has been submitted, and not answered */
	bool answered;	/* the piece's first half is done, with err */
	int err;
	size_t piece;

	/* Further ranges. */
	uint8_t *ranges;
	unsigned int range, range_count;

	uint8_t *buffer;  /* BUFFER bytes, or as many as there is data; NULL: none was needed yet */
	uint8_t *buffer2; /* the same, for COMPARE */
};

static void data_free(struct nvme_data *d)
{
	free(d->ranges);
	free(d->buffer);
	free(d->buffer2);
	free(d);
}

static uint64_t data_size(const struct nvme_data *d)
{
	return d->left < BUFFER ? d->left : BUFFER;
}

static bool has_buffer(struct nvme_data *d, uint8_t **buffer)
{
	if (!*buffer)
		*buffer = calloc(1, data_size(d));
	return *buffer;
}

static bool needs_buffer(const struct nvme_data *d)
{
	return d->kind == NVME_DATA_COMPARE || (d->kind <= NVME_DATA_VERIFY && d->ns->file);
}

uint16_t svf_nvme_data_begin(struct nvme_request *rq, enum nvme_data_kind kind, uint64_t offset,
			     uint64_t len, bool durable)
{
	struct nvme_data *d = calloc(1, sizeof(*d));

	if (!d)
		return NVME_INTERNAL_ERROR;
	d->rq = rq;
	d->ns = rq->ns;
	d->kind = kind;
	d->durable = durable;
	d->offset = offset;
	d->left = len;
	svf_nvme_transfer_init(&d->transfer, rq, len, kind == NVME_DATA_READ);
	if (len && needs_buffer(d) &&
	    (!has_buffer(d, &d->buffer) ||
	     (kind == NVME_DATA_COMPARE && !has_buffer(d, &d->buffer2)))) {
		data_free(d);
		return NVME_INTERNAL_ERROR;
	}
	rq->data = d;
	return NVME_SUCCESS;
}

uint16_t svf_nvme_data_add_ranges(struct nvme_request *rq, const uint8_t *ranges,
				  unsigned int count)
{
	struct nvme_data *d = rq->data;

	d->ranges = calloc(count, NVME_RANGE_BYTES);
	if (!d->ranges)
		return NVME_INTERNAL_ERROR;
	memcpy(d->ranges, ranges, (size_t)count * NVME_RANGE_BYTES);
	d->range_count = count;
	return NVME_SUCCESS;
}

/* --- the file --- */

static uint16_t status_of(const struct nvme_data *d, int err)
{
	if (!err)
		return NVME_SUCCESS;
	if (err == -ENOSPC || err == -EDQUOT)
		return NVME_CAPACITY_EXCEEDED;
	return d->kind == NVME_DATA_READ || d->kind == NVME_DATA_COMPARE ||
			       d->kind == NVME_DATA_VERIFY
		       ? NVME_UNRECOVERED_READ_ERROR
		       : NVME_WRITE_FAULT;
}

static void access_done(struct svf_storage_request *access, int err)
{
	struct nvme_data *d = access->owner;

	d->under_way = false;
	d->answered = true;
	d->err = err;
	if (d->rq)
		svf_nvme_request_resume(d->rq);
	else
		data_free(d);
}

/* The first half of a piece. Return: whether it has been answered already. */
static bool submit(struct nvme_data *d, enum svf_storage_op op, uint64_t len)
{
	d->piece = len;
	d->access = (struct svf_storage_request){
		.op = op,
		/* What came before the last piece is then durable, too. */
		.durable = d->durable && len == d->left && d->range == d->range_count,
		.offset = d->ns ? d->ns->file_offset + d->offset : 0,
		.len = len,
		.buf = d->buffer,
		.done = access_done,
		.owner = d,
	};
	d->under_way = true;
	d->err = svf_storage_submit(svf_nvme_namespaces_file(d->rq->controller), &d->access);
	if (d->err == -EINPROGRESS)
		return false;
	d->under_way = false;
	d->answered = true;
	return true;
}

/* --- pieces: each does one, or half of one, and says how --- */

static void advance(struct nvme_data *d, uint64_t len)
{
	d->offset += len;
	d->left -= len;
	d->rq->spent += len;
	d->answered = false;
}

static uint16_t move(struct nvme_data *d, void *bytes, uint64_t len)
{
	uint16_t status = svf_nvme_transfer_move(&d->transfer, bytes, len);

	if (!status)
		advance(d, len);
	return status;
}

static uint16_t compare(struct nvme_data *d, const uint8_t *bytes, uint64_t len)
{
	uint16_t status = svf_nvme_transfer_move(&d->transfer, d->buffer2, len);

	if (!status && memcmp(bytes, d->buffer2, len))
		status = NVME_COMPARE_FAILURE;
	if (!status)
		advance(d, len);
	return status;
}

static uint16_t memory_piece(struct nvme_data *d)
{
	struct nvme_store *store = &d->ns->store;
	uint64_t len = 0;
	uint8_t *bytes;

	switch (d->kind) {
	case NVME_DATA_READ:
		/* Only read from: the cast is for the direction in which they are written. */
		bytes = (uint8_t *)(uintptr_t)svf_nvme_store_peek(store, d->offset, data_size(d),
								  &len);
		return move(d, bytes, len);
	case NVME_DATA_WRITE:
		bytes = svf_nvme_store_reserve(store, d->offset, data_size(d), &len);
		return bytes ? move(d, bytes, len) : NVME_CAPACITY_EXCEEDED;
	case NVME_DATA_COMPARE: {
		const uint8_t *there = svf_nvme_store_peek(store, d->offset, data_size(d), &len);

		return compare(d, there, len);
	}
	case NVME_DATA_ZERO:
	case NVME_DATA_TRIM:
		len = svf_nvme_store_clear(store, d->offset, d->left, NVME_SLICE, &d->rq->spent);
		d->offset += len;
		d->left -= len;
		return NVME_SUCCESS;
	case NVME_DATA_VERIFY:
	case NVME_DATA_FLUSH:
		break;
	}
	d->left = 0;
	return NVME_SUCCESS;
}

/* The second half: the file has answered. */
static uint16_t file_answer(struct nvme_data *d)
{
	if (d->err)
		return status_of(d, d->err);
	if (d->kind == NVME_DATA_READ)
		return move(d, d->buffer, d->piece);
	if (d->kind == NVME_DATA_COMPARE)
		return compare(d, d->buffer, d->piece);
	advance(d, d->piece);
	return NVME_SUCCESS;
}

/* Sets *ret_wait when the answer takes time. */
static uint16_t file_piece(struct nvme_data *d, bool *ret_wait)
{
	static const enum svf_storage_op ops[] = {
		[NVME_DATA_READ] = SVF_STORAGE_READ,	[NVME_DATA_WRITE] = SVF_STORAGE_WRITE,
		[NVME_DATA_COMPARE] = SVF_STORAGE_READ, [NVME_DATA_VERIFY] = SVF_STORAGE_READ,
		[NVME_DATA_ZERO] = SVF_STORAGE_ZERO,	[NVME_DATA_TRIM] = SVF_STORAGE_TRIM,
		[NVME_DATA_FLUSH] = SVF_STORAGE_FLUSH,
	};
	uint64_t len = d->kind <= NVME_DATA_VERIFY ? data_size(d) : d->left;
	uint16_t status;

	if (d->answered)
		return file_answer(d);
	if (d->kind == NVME_DATA_WRITE) {
		status = svf_nvme_transfer_move(&d->transfer, d->buffer, len);
		if (status)
			return status;
	}
	*ret_wait = !submit(d, ops[d->kind], len);
	return NVME_SUCCESS;
}

/* Whether there is another range that is not empty, which is then the one in hand. */
static bool next_range(struct nvme_data *d)
{
	while (!d->left && d->range < d->range_count) {
		const uint8_t *range = d->ranges + (size_t)d->range++ * NVME_RANGE_BYTES;

		d->left = svf_nvme_get(range + 4, 4) << d->ns->block_shift;
		d->offset = svf_nvme_get(range + 8, 8) << d->ns->block_shift;
	}
	return d->left;
}

static enum nvme_step end(struct nvme_data *d, uint16_t status)
{
	struct nvme_request *rq = d->rq;

	rq->data = NULL;
	data_free(d);
	return svf_nvme_end(rq, status);
}

enum nvme_step svf_nvme_data_run(struct nvme_request *rq)
{
	struct nvme_data *d = rq->data;
	bool file = svf_nvme_namespaces_file(rq->controller);
	uint64_t budget = rq->spent + NVME_SLICE;
	/* Like a piece of nothing: until its answer has been looked at. */
	bool flush = d->kind == NVME_DATA_FLUSH && file;

	while (flush || next_range(d)) {
		bool wait = d->under_way;
		uint16_t status = NVME_SUCCESS;

		if (!wait && rq->spent >= budget)
			return NVME_AGAIN;
		if (!wait)
			status = file ? file_piece(d, &wait) : memory_piece(d);
		if (status)
			return end(d, status);
		if (wait)
			return NVME_WAITING;
		flush = flush && d->answered;
	}
	return end(d, NVME_SUCCESS);
}

void svf_nvme_data_drop(struct nvme_request *rq)
{
	struct nvme_data *d = rq->data;

	if (!d)
		return;
	rq->data = NULL;
	d->rq = NULL;
	if (!d->under_way)
		data_free(d);
}
