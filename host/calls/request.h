/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A request: a call of a client from its arrival to its answer.
 *
 * It is run at once and nearly always answered at once. Three things hold it up, see core/call.h:
 *
 *	parked	 the core must know what a descriptor of the caller's is, and the helper is finding
 *		 out (fds.c). Run again from its beginning when that is known.
 *	blocked	 the core waits for something to happen in the machine. Run again after each wake().
 *	settling it found something taken that may have been a dead client's; see settle.h.
 *
 * The caller cannot give up while its request is blocked, as it cannot in the kernel: a signal, even
 * SIGKILL, reaches it with the answer. The core is told of it, because it changes what is logged.
 */
#ifndef SVF_HOST_CALLS_REQUEST_H
#define SVF_HOST_CALLS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "core/call.h"

struct fuse_req;
struct svf_file;
struct svf_host;
struct svf_host_ram;
struct svf_listener;
struct svf_open;
struct svf_request;
struct svf_tree_node;

/* Bytes of the caller's memory, read before they are asked for; see user.c. */
struct svf_user_ahead {
	uint64_t addr;
	size_t len; /* 0: none */
	unsigned char bytes[64];
};

struct svf_request_ops {
	/* Does it. Return: >= 0, negative errno, SVF_RESTART or SVF_BLOCKED. */
	long (*run)(struct svf_request *request);
	/*
	 * Answers the caller. true: done with; false: the request is kept by somebody (inject.c)
	 * who ends it.
	 */
	bool (*reply)(struct svf_request *request, long result);
	/* The call as one would write it. */
	void (*describe)(const struct svf_request *request, char *buf, size_t size);
};

struct svf_request {
	struct svf_list link; /* parked, blocked or settling */
	struct svf_host *host;
	const struct svf_request_ops *ops;
	uint64_t id;
	struct svf_call call; /* call.host is this request, call.pid the calling thread */
	bool abandoned;	      /* answered already; carried on for its effects */

	struct fuse_req *fuse;	       /* where it came from: FUSE, or else */
	uint64_t fuse_unique;	       /* the kernel's number of it; 0: not from FUSE */
	struct svf_listener *listener; /* a seccomp listener, a reference, */
	uint64_t notification;	       /* and the notification's id */

	struct svf_list fetched; /* struct svf_fetched: the caller's descriptors, fds.c */
	unsigned int fetched_count;
	bool again;		    /* has run before: fetched may hold answers */
	unsigned int settle_rounds; /* how often it was kept by settle.c */
	struct svf_user_ahead ahead;

	struct svf_open *open; /* what it is about, a reference; NULL for opens and notifications */
	struct svf_file *file; /* of a notification: what it is about; of an open: what it gave */
	struct svf_tree_node *node; /* what is to be opened, a reference */
	int fd_number;		    /* of a notification: the file, as the caller numbers it */
	bool pass;		    /* of a notification: not ours, let the kernel do it */
	uint32_t command;	    /* ioctl */
	uint64_t arg;
	int flags;	/* of an open */
	const void *in; /* bytes of a write: data, or the transport's until it is held up */
	void *data;	/* owned: bytes of a held-up write, room for those of a read */
	size_t len;
	uint64_t offset;
	struct svf_host_ram *ret_ram; /* to be injected in place of a file */
};

struct svf_requests {
	struct svf_list parked, blocked;
	unsigned int count; /* of all that are held up */
	uint64_t next_id;
};

void svf_requests_init(struct svf_requests *requests);
void svf_requests_fini(struct svf_host *host);

/*
 * A new request of thread tid. Return: NULL when out of memory. Ended by svf_request_run() or
 * svf_request_end().
 */
struct svf_request *svf_request_alloc(struct svf_host *host, const struct svf_request_ops *ops,
				      pid_t tid);
/* Runs and, unless it is held up, answers and frees it. */
void svf_request_run(struct svf_request *request);
/* Answers with result and frees it. */
void svf_request_finish(struct svf_request *request, long result);
/* Frees it, unanswered. */
void svf_request_end(struct svf_request *request);

/*
 * Before a call that may be SVF_BLOCKED half-way begins: that it can be held up then. Return: 0,
 * -EAGAIN, -ENOMEM.
 */
int svf_request_may_wait(struct svf_request *request) SVF_MUST_CHECK;
/* Keeps it on a list until it is run again or ended. Return: 0, -EAGAIN, -ENOMEM. */
int svf_request_hold(struct svf_request *request, struct svf_list *list) SVF_MUST_CHECK;
/* Ends all of a list. */
void svf_requests_end_all(struct svf_list *list);
/* Runs every blocked request again. */
void svf_requests_wake(struct svf_host *host);
/* The caller got a signal. */
void svf_request_interrupt(struct svf_request *request);
/* A parked request by its id; NULL: it is gone. */
struct svf_request *svf_request_lookup(struct svf_host *host, uint64_t id);

#endif
