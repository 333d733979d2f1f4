/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data buffers of NVMe commands in every shape that PRPs and SGLs allow, at random places of a window of
 * the client's memory. What a command reads or writes is gathered from and scattered to the same places
 * by the test's own list of pieces.
 */
#ifndef SVF_TESTS_UNIT_NVME_BUFFER_H
#define SVF_TESTS_UNIT_NVME_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NVME_BUFFER_PIECES 1024u

/* Where a buffer may be: offsets in the host's memory, multiples of 4096. */
struct nvme_host;

struct nvme_window {
	const struct nvme_host *host;
	size_t data, data_pages; /* each page is used once at most */
	size_t lists, list_pages;
};

struct nvme_piece {
	uint8_t *at; /* NULL: a bit bucket */
	size_t len;
};

struct nvme_buffer {
	struct nvme_piece pieces[NVME_BUFFER_PIECES];
	unsigned int count;
};

/*
 * A random buffer of len bytes, which fit into half of the window; its PRPs or SGL are put into the
 * command. to_host: of a command that reads.
 */
void nvme_buffer_make(struct nvme_buffer *buffer, const struct nvme_window *window, size_t len,
		      bool to_host, uint32_t command[16]);
/* The data that is there; nothing of what went into bit buckets is known, and is left alone. */
void nvme_buffer_get(const struct nvme_buffer *buffer, uint8_t *dst);
void nvme_buffer_set(const struct nvme_buffer *buffer, const uint8_t *src);
/* Whether the buffer holds these bytes. */
bool nvme_buffer_has(const struct nvme_buffer *buffer, const uint8_t *bytes);

#endif
