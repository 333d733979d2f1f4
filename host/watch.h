/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The watch: what keeps a client from stopping the loop with its own memory.
 *
 * The loop copies from and to clients' memory. If a client has mapped one of our own files there
 * (mmap of an attribute, MAP_PRIVATE), the copy faults, the kernel asks the filesystem for the
 * page, and the loop, which is the filesystem, waits for itself: for ever, were it not for this
 * third thread. When the loop has been in one and the same copy for two ticks, the watch takes the
 * requests from /dev/fuse in its place: a read by the loop's own thread is failed, so that the copy
 * ends with EFAULT; every other request is kept and goes to the loop when it is free.
 *
 * The loop announces copies by two stores. A host that has nothing to do has no ticks either.
 *
 * Not covered: memory behind somebody else's filesystem or userfaultfd that does not answer.
 */
#ifndef SVF_HOST_WATCH_H
#define SVF_HOST_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "host/loop.h"

struct svf_host;

struct svf_watch {
	struct svf_host *host;
	pthread_t thread;
	bool running;
	pid_t loop_tid;
	atomic_uint copies; /* begun and ended by the loop: odd while it is in one */
	atomic_bool active; /* there has been a copy since the last tick */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool asleep, stop;	  /* under lock */
	struct svf_list rescued;  /* struct rescued.link, under lock */
	struct svf_source source; /* an eventfd: there are rescued requests */
	int event_fd;
};

int svf_watch_init(struct svf_watch *watch, struct svf_host *host) SVF_MUST_CHECK;
void svf_watch_fini(struct svf_watch *watch);

/* Starts the ticks. */
void svf_watch_wake(struct svf_watch *watch);

/* Around each access to a client's memory, by the loop's thread alone. */
static inline void svf_watch_begin_copy(struct svf_watch *watch)
{
	atomic_store_explicit(&watch->copies,
			      atomic_load_explicit(&watch->copies, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	if (!atomic_load_explicit(&watch->active, memory_order_relaxed))
		svf_watch_wake(watch);
}

static inline void svf_watch_end_copy(struct svf_watch *watch)
{
	atomic_store_explicit(&watch->copies,
			      atomic_load_explicit(&watch->copies, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

#endif
