/* SPDX-License-Identifier: BSD-3-Clause */
/* Random data buffers of NVMe commands; see nvme_buffer.h. */
#include "nvme_buffer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "nvme_host.h"

#define PAGE 4096u

struct maker {
	struct nvme_buffer *buffer;
	const struct nvme_window *window;
	size_t next_page, next_list; /* of the window's pages */
	size_t first_page;
};

static size_t below(size_t n)
{
	return (size_t)rand() % n;
}

static uint64_t iova_of(const struct maker *m, const uint8_t *at)
{
	return HOST_IOVA + (uint64_t)(at - m->window->host->memory);
}

/* Each page once: in a stride through the window that has no common divisor with it. */
static uint8_t *take_page(struct maker *m)
{
	size_t page = (m->first_page + m->next_page++ * 7) % m->window->data_pages;

	assert(m->next_page <= m->window->data_pages && m->window->data_pages % 7);
	return m->window->host->memory + m->window->data + page * PAGE;
}

static uint8_t *take_list(struct maker *m)
{
	assert(m->next_list < m->window->list_pages);
	return m->window->host->memory + m->window->lists + m->next_list++ * PAGE;
}

static void add_piece(struct maker *m, uint8_t *at, size_t len)
{
	assert(m->buffer->count < NVME_BUFFER_PIECES);
	m->buffer->pieces[m->buffer->count++] = (struct nvme_piece){at, len};
}

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void put_pointer(uint32_t command[16], unsigned int dword, uint64_t value)
{
	command[dword] = (uint32_t)value;
	command[dword + 1] = (uint32_t)(value >> 32);
}

/* --- PRPs --- */

static size_t add_page(struct maker *m, size_t offset, size_t left, uint64_t *ret)
{
	size_t len = left < PAGE - offset ? left : PAGE - offset;
	uint8_t *at = take_page(m) + offset;

	add_piece(m, at, len);
	*ret = iova_of(m, at);
	return len;
}

/* A list that begins anywhere in its page, often so near its end that it is chained. */
static uint64_t make_list(struct maker *m, size_t left)
{
	size_t slot = below(2) ? PAGE / 8 - 1 - below(4) : below(PAGE / 8);
	uint8_t *list = take_list(m);
	uint64_t begin = iova_of(m, list) + slot * 8, entry;

	while (left) {
		if (slot == PAGE / 8 - 1 && left > PAGE) {
			uint8_t *next = take_list(m);

			put64(list + slot * 8, iova_of(m, next));
			list = next;
			slot = 0;
		}
		left -= add_page(m, 0, left, &entry);
		put64(list + slot++ * 8, entry);
	}
	return begin;
}

static void make_prps(struct maker *m, size_t len, uint32_t command[16])
{
	size_t offset = below(3) ? 0 : below(PAGE / 4) * 4, left;
	uint64_t entry = 0;

	left = len - add_page(m, offset, len, &entry);
	put_pointer(command, 6, entry);
	if (left > PAGE)
		entry = make_list(m, left);
	else if (left)
		add_page(m, 0, left, &entry);
	else
		entry = (uint64_t)rand(); /* not used */
	put_pointer(command, 8, entry);
}

/* --- SGLs --- */

struct descriptor {
	uint64_t address;
	uint32_t len;
	uint8_t reserved[3], type;
};

#define DESCRIPTORS 600u

/* A piece of at most left bytes: in one page, or a bit bucket, or empty. Return: bytes of data. */
static size_t make_descriptor(struct maker *m, size_t left, bool to_host, struct descriptor *ret)
{
	size_t offset = below(PAGE), len = PAGE - offset;

	*ret = (struct descriptor){.address = (uint64_t)rand()};
	if (below(8) == 0) {
		ret->type = below(2) ? 0x10 : 0x00;
		if (!to_host && ret->type)
			ret->len = (uint32_t)rand();
		if (!to_host || !ret->type)
			return 0;
		ret->len = (uint32_t)(below(PAGE) + 1);
		ret->len = ret->len < left ? ret->len : (uint32_t)left;
		add_piece(m, NULL, ret->len);
		return ret->len;
	}
	/* Mostly whole pages, so that a long buffer has enough of them. */
	if (left > 16 * PAGE || below(4)) {
		offset = 0;
		len = PAGE;
	}
	len = len < left ? len : left;
	ret->len = (uint32_t)len;
	add_piece(m, take_page(m) + offset, len);
	ret->address = iova_of(m, m->buffer->pieces[m->buffer->count - 1].at);
	/* One that is longer than the data that is left. */
	if (len == left && below(2) == 0)
		ret->len += 512;
	return len;
}

static unsigned int make_descriptors(struct maker *m, size_t len, bool to_host,
				     struct descriptor all[DESCRIPTORS])
{
	unsigned int count = 0;

	while (len) {
		assert(count < DESCRIPTORS);
		len -= make_descriptor(m, len, to_host, &all[count++]);
	}
	return count;
}

/* In segments of random lengths; first is the command's descriptor, which names the first of them. */
static void make_segments(struct maker *m, const struct descriptor *all, unsigned int count,
			  struct descriptor *first)
{
	struct descriptor *link = first;

	while (count) {
		size_t room = PAGE / sizeof(*all);
		size_t wanted = below(4) ? room : below(room - 1) + 2;
		bool last = count <= wanted;
		size_t here = last ? count : wanted - 1;
		uint8_t *list = take_list(m);

		memcpy(list, all, here * sizeof(*all));
		link->address = iova_of(m, list);
		link->type = last ? 0x30 : 0x20;
		link->len = (uint32_t)((here + !last) * sizeof(*all));
		link = (struct descriptor *)(void *)list + here;
		if (!last)
			*link = (struct descriptor){0};
		all += here;
		count -= (unsigned int)here;
	}
}

static void make_sgl(struct maker *m, size_t len, bool to_host, uint32_t command[16])
{
	static struct descriptor all[DESCRIPTORS];
	unsigned int count = make_descriptors(m, len, to_host, all);
	struct descriptor first = {0};

	if (count == 1 && below(2))
		first = all[0];
	else
		make_segments(m, all, count, &first);
	command[0] |= 1u << 14;
	memcpy(command + 6, &first, sizeof(first));
}

void nvme_buffer_make(struct nvme_buffer *buffer, const struct nvme_window *window, size_t len,
		      bool to_host, uint32_t command[16])
{
	struct maker m = {
		.buffer = buffer, .window = window, .first_page = below(window->data_pages)};

	buffer->count = 0;
	if (below(2))
		make_prps(&m, len, command);
	else
		make_sgl(&m, len, to_host, command);
}

void nvme_buffer_get(const struct nvme_buffer *buffer, uint8_t *dst)
{
	for (unsigned int i = 0; i < buffer->count; i++) {
		if (buffer->pieces[i].at)
			memcpy(dst, buffer->pieces[i].at, buffer->pieces[i].len);
		dst += buffer->pieces[i].len;
	}
}

void nvme_buffer_set(const struct nvme_buffer *buffer, const uint8_t *src)
{
	for (unsigned int i = 0; i < buffer->count; i++) {
		if (buffer->pieces[i].at)
			memcpy(buffer->pieces[i].at, src, buffer->pieces[i].len);
		src += buffer->pieces[i].len;
	}
}

bool nvme_buffer_has(const struct nvme_buffer *buffer, const uint8_t *bytes)
{
	for (unsigned int i = 0; i < buffer->count; i++) {
		if (buffer->pieces[i].at &&
		    memcmp(buffer->pieces[i].at, bytes, buffer->pieces[i].len))
			return false;
		bytes += buffer->pieces[i].len;
	}
	return true;
}
