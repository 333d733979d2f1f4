/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A command's data buffer.
 *
 * PRPs: pages of the host's memory, of which only the first may begin elsewhere than at its beginning.
 * The second of the command's two is the second page or, when there are more than two, a list of the rest;
 * the last entry of a page full of list names the page with the next part of it.
 *
 * SGL: a descriptor says where data is and how much, or where the next segment of descriptors is, which is
 * then the last of its segment. A bit bucket takes data that the host does not want; where the host gives
 * the data there is nothing that it could give, and it counts as empty. An SGL may be longer than the
 * data.
 *
 * Lists are read as far as they are needed, in the middle of the transfer: what is wrong behind the end
 * of the data is never seen, and what is wrong before it leaves the beginning moved. Chains can be as
 * long as the host likes, but each page of a PRP list names data, and the descriptors of an SGL are
 * counted.
 */
#include "models/nvme/transfer.h"

#include <string.h>

#define PRP_BYTES	 8u
#define DESCRIPTOR_BYTES 16u
#define DESCRIPTORS_MAX	 65536u
#define SEGMENTS	 64u /* of one DMA transfer */

enum descriptor_type { DATA_BLOCK = 0, BIT_BUCKET = 1, SEGMENT = 2, LAST_SEGMENT = 3 };

struct descriptor {
	uint64_t address;
	uint32_t len;
	uint8_t type, subtype;
};

void svf_nvme_transfer_init(struct nvme_transfer *t, struct nvme_request *rq, uint64_t len,
			    bool to_host)
{
	/* Not all of it: what was read ahead is large. */
	t->rq = rq;
	t->to_host = to_host;
	t->left = len;
	t->at = t->len = 0;
	t->skipped = false;
	t->used = 0;
	t->list = 0;
	t->descriptors = 0;
	t->last = false;
	t->seen = 0;
	t->ahead_at = t->ahead_len = 0;
}

/* --- lists --- */

static void go_to_list(struct nvme_transfer *t, uint64_t address)
{
	t->list = address;
	t->ahead_at = t->ahead_len = 0;
}

/* The next size bytes of the list, of which there are count entries from here on. NULL: no access. */
static const uint8_t *read_entry(struct nvme_transfer *t, unsigned int size, uint64_t count)
{
	const uint8_t *entry;

	if (t->ahead_at == t->ahead_len) {
		uint64_t want = count < sizeof(t->ahead) / size ? count : sizeof(t->ahead) / size;

		t->ahead_at = 0;
		t->ahead_len = (uint32_t)(want * size);
		if (svf_dma_read(t->rq->controller->fn, t->list, t->ahead, t->ahead_len)) {
			t->ahead_len = 0;
			return NULL;
		}
	}
	entry = t->ahead + t->ahead_at;
	t->ahead_at += size;
	t->list += size;
	return entry;
}

/* --- PRPs --- */

static uint16_t next_list_entry(struct nvme_transfer *t, uint64_t page, uint64_t *ret)
{
	uint64_t entries = (page - t->list % page) / PRP_BYTES;
	uint64_t needed = (t->left + page - 1) / page;
	const uint8_t *entry = read_entry(t, PRP_BYTES, needed < entries ? needed : entries);

	if (!entry)
		return NVME_DATA_TRANSFER_ERROR;
	*ret = svf_nvme_get(entry, PRP_BYTES);
	return *ret % page ? NVME_PRP_OFFSET_INVALID : NVME_SUCCESS;
}

static uint16_t next_in_list(struct nvme_transfer *t, uint64_t page)
{
	bool chained = t->list % page == page - PRP_BYTES && t->left > page;
	uint16_t status = next_list_entry(t, page, &t->at);

	if (!status && chained) {
		go_to_list(t, t->at);
		status = next_list_entry(t, page, &t->at);
	}
	t->len = t->left < page ? t->left : page;
	return status;
}

static uint16_t next_prp(struct nvme_transfer *t)
{
	uint64_t page = UINT64_C(1) << t->rq->controller->page_shift;

	if (t->used == 0) {
		t->at = t->rq->prp1;
		t->len = page - t->at % page;
		t->used = 1;
		return t->at % 4 ? NVME_PRP_OFFSET_INVALID : NVME_SUCCESS;
	}
	if (t->used == 1 && t->left <= page) {
		t->at = t->rq->prp2;
		t->len = page;
		t->used = 2;
		return t->at % page ? NVME_PRP_OFFSET_INVALID : NVME_SUCCESS;
	}
	if (t->used == 1) {
		t->used = 2;
		go_to_list(t, t->rq->prp2);
		if (t->list % PRP_BYTES)
			return NVME_PRP_OFFSET_INVALID;
	}
	return next_in_list(t, page);
}

/* --- SGLs --- */

/* The command's own descriptor, or the next of the segment. */
static uint16_t next_descriptor(struct nvme_transfer *t, struct descriptor *ret)
{
	uint8_t own[DESCRIPTOR_BYTES];
	const uint8_t *bytes = own;

	if (!t->used) {
		svf_nvme_put(own, 8, t->rq->prp1);
		svf_nvme_put(own + 8, 8, t->rq->prp2);
		t->used = 1;
		t->last = true;
	} else if (!t->descriptors) {
		return t->last ? NVME_DATA_SGL_LENGTH_INVALID : NVME_INVALID_SGL_SEGMENT_DESCRIPTOR;
	} else {
		bytes = read_entry(t, DESCRIPTOR_BYTES, t->descriptors);
		t->descriptors--;
	}
	if (!bytes)
		return NVME_DATA_TRANSFER_ERROR;
	if (++t->seen > DESCRIPTORS_MAX)
		return NVME_INVALID_NUMBER_OF_SGL_DESCRIPTORS;
	t->rq->spent += DESCRIPTOR_BYTES;
	ret->address = svf_nvme_get(bytes, 8);
	ret->len = (uint32_t)svf_nvme_get(bytes + 8, 4);
	ret->type = bytes[15] >> 4;
	ret->subtype = bytes[15] & 0xf;
	return NVME_SUCCESS;
}

static uint16_t enter_segment(struct nvme_transfer *t, const struct descriptor *d)
{
	/* In the command itself it stands alone. */
	if (t->seen > 1 && (t->descriptors || t->last))
		return NVME_INVALID_NUMBER_OF_SGL_DESCRIPTORS;
	if (!d->len || d->len % DESCRIPTOR_BYTES)
		return NVME_INVALID_SGL_SEGMENT_DESCRIPTOR;
	go_to_list(t, d->address);
	t->descriptors = d->len / DESCRIPTOR_BYTES;
	t->last = d->type == LAST_SEGMENT;
	return NVME_SUCCESS;
}

static uint16_t next_sgl(struct nvme_transfer *t)
{
	struct descriptor d;

	do {
		uint16_t status = next_descriptor(t, &d);

		if (status)
			return status;
		if (d.subtype || d.type > LAST_SEGMENT)
			return NVME_SGL_DESCRIPTOR_TYPE_INVALID;
		if (d.type >= SEGMENT) {
			status = enter_segment(t, &d);
			if (status)
				return status;
		}
	} while (d.type >= SEGMENT || !d.len || (d.type == BIT_BUCKET && !t->to_host));
	t->at = d.address;
	t->len = d.len;
	t->skipped = d.type == BIT_BUCKET;
	return NVME_SUCCESS;
}

/* --- moving --- */

static uint16_t next_piece(struct nvme_transfer *t)
{
	uint16_t status = t->rq->sgl ? next_sgl(t) : next_prp(t);

	if (status)
		return status;
	if (t->len > t->left)
		t->len = t->left;
	t->left -= t->len;
	return NVME_SUCCESS;
}

/* Takes up to len bytes; pieces that follow each other in the host's memory are one. */
static uint16_t gather(struct nvme_transfer *t, uint8_t *buf, uint64_t len,
		       struct svf_dma_segment segments[SEGMENTS], unsigned int *ret_count,
		       uint64_t *ret_len)
{
	struct svf_dma_segment *previous = NULL;

	*ret_count = 0;
	*ret_len = 0;
	while (*ret_len < len) {
		uint64_t piece = len - *ret_len;
		uint16_t status = t->len ? NVME_SUCCESS : next_piece(t);

		if (status)
			return status;
		piece = piece < t->len ? piece : t->len;
		if (t->skipped) {
			previous = NULL;
		} else if (previous && previous->iova + previous->len == t->at) {
			previous->len += piece;
		} else if (*ret_count == SEGMENTS) {
			return NVME_SUCCESS;
		} else {
			previous = &segments[(*ret_count)++];
			*previous = (struct svf_dma_segment){t->at, buf + *ret_len, piece};
		}
		t->at += piece;
		t->len -= piece;
		*ret_len += piece;
	}
	return NVME_SUCCESS;
}

uint16_t svf_nvme_transfer_move(struct nvme_transfer *t, void *buf, uint64_t len)
{
	struct svf_function *fn = t->rq->controller->fn;
	struct svf_dma_segment segments[SEGMENTS];
	uint8_t *bytes = buf;

	while (len) {
		unsigned int count;
		uint64_t done;
		uint16_t status = gather(t, bytes, len, segments, &count, &done);
		int err = t->to_host ? svf_dma_writev(fn, segments, count)
				     : svf_dma_readv(fn, segments, count);

		if (err)
			return NVME_DATA_TRANSFER_ERROR;
		if (status)
			return status;
		bytes += done;
		len -= done;
	}
	return NVME_SUCCESS;
}

uint16_t svf_nvme_send(struct nvme_request *rq, const void *src, size_t len)
{
	struct nvme_transfer t;

	svf_nvme_transfer_init(&t, rq, len, true);
	/* Only read: the cast is for the other direction. */
	return svf_nvme_transfer_move(&t, (void *)(uintptr_t)src, len);
}

uint16_t svf_nvme_receive(struct nvme_request *rq, void *dst, size_t len)
{
	struct nvme_transfer t;

	svf_nvme_transfer_init(&t, rq, len, false);
	return svf_nvme_transfer_move(&t, dst, len);
}
