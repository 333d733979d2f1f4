/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients' address spaces, kept while something of them is mapped for DMA; theory in mm.c. */
#ifndef SVF_HOST_CLIENT_MM_H
#define SVF_HOST_CLIENT_MM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "core/port.h"
#include "host/client/process.h"

struct svf_filemem;
struct svf_host;

struct svf_mm {
	struct svf_list link; /* host->mms */
	struct svf_host *host;
	unsigned int refs;
	pid_t pid;		  /* of the process, when it was made */
	int pidfd;		  /* of it; tells whether pid is still its number */
	int mem_fd;		  /* /proc/PID/mem */
	int maps_fd;		  /* /proc/PID/maps */
	struct svf_filemem *file; /* of a file, and then nothing above but host and refs; NULL */
	struct svf_list backings; /* struct svf_backing.link */
	unsigned int backing_count;
	uint64_t locked_pages; /* charged by mm_account */
	uint64_t random_at;    /* AT_RANDOM of the program that runs in it, */
	unsigned char random[SVF_PROCESS_RANDOM_SIZE]; /* and what was there */
};

struct svf_mm *svf_host_mm_get(struct svf_call *call);
struct svf_mm *svf_host_mm_ref(struct svf_mm *mm);
void svf_host_mm_put(struct svf_mm *mm);
/* Lets go what is kept for the next caller. */
void svf_host_mms_fini(struct svf_host *host);
int svf_host_mm_check(struct svf_mm *mm, uint64_t first, uint64_t last, bool write,
		      struct svf_mm_range *ret);
uint64_t svf_host_mm_transfer(const struct svf_mm_piece *pieces, unsigned int count, bool write);
uint64_t svf_host_mm_copy(const struct svf_mm_piece *to, const struct svf_mm_piece *from,
			  bool *ret_source);
void svf_host_mm_gone(struct svf_mm *mm, uint64_t addr, char *text, size_t size);
/* One piece. Return: 0, -EFAULT when any byte could not be transferred. */
int svf_host_mm_read(struct svf_mm *mm, void *dst, uint64_t addr, size_t len);
int svf_host_mm_write(struct svf_mm *mm, uint64_t addr, const void *src, size_t len);
int svf_host_mm_account(struct svf_mm *mm, int64_t pages, uint64_t *ret_limit);
bool svf_host_mm_locate(struct svf_mm *mm, struct svf_mm *other, uint64_t addr, uint64_t *ret_addr,
			uint64_t *ret_len);

/* Whether the process of thread tid has the preload object mapped for execution. */
bool svf_mm_has_preload(struct svf_host *host, pid_t tid);

#endif
