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
 * Memory may also be behind userfaultfd or somebody else's filesystem, and whoever is to answer
 * there may not do so. The kernel does not let the copy be called off. So after SVF_WATCH_FAIL_NS
 * the call is answered EFAULT in the loop's place, without which its caller could not even be
 * killed, and after SVF_WATCH_KILL_NS the caller is: better it than everybody. Its end releases the
 * copy. Not covered: the other side is held by a process that lives on.
 */
#ifndef SVF_HOST_CLIENT_WATCH_H
#define SVF_HOST_CLIENT_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "host/loop.h"

struct svf_host;

#define SVF_WATCH_FAIL_NS INT64_C(5000000000)
#define SVF_WATCH_KILL_NS INT64_C(10000000000)
/* In svf_watch.copies, set by the watch before it answers the call: the copy has failed, whatever it brings. */
#define SVF_WATCH_GIVEN_UP (1u << 31)

struct svf_watch {
	struct svf_host *host;
	pthread_t thread;
	bool running;
	pid_t loop_tid;
	atomic_uint copies; /* begun and ended by the loop: odd while it is in one; see GIVEN_UP */
	bool caller_gone;   /* the loop's: the call it runs has been answered in its place */
	atomic_bool active; /* there has been a copy since the last tick */
	_Atomic pid_t caller;		 /* whose call the loop runs */
	_Atomic uint64_t caller_request; /* the kernel's number of it; 0: it came by a listener */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool asleep, stop;	  /* under lock */
	struct svf_list rescued;  /* struct rescued.link, under lock */
	struct svf_source source; /* an eventfd: there are rescued requests */
	int event_fd;
};

int svf_watch_init(struct svf_watch *watch, struct svf_host *host) SVF_MUST_CHECK;
void svf_watch_fini(struct svf_watch *watch);

/* By the loop, before it runs a call. request: the kernel's number of it, or 0. */
static inline void svf_watch_caller(struct svf_watch *watch, pid_t tid, uint64_t request)
{
	atomic_store_explicit(&watch->caller, tid, memory_order_relaxed);
	atomic_store_explicit(&watch->caller_request, request, memory_order_relaxed);
	watch->caller_gone = false;
}

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

/*
 * Return: whether the copy counts. It does not when the watch has given it up: the caller has then been
 * answered, may be gone, and its number may be another's; nothing of it may be touched any more.
 */
static inline SVF_MUST_CHECK bool svf_watch_end_copy(struct svf_watch *watch)
{
	unsigned int in_copy =
		atomic_load_explicit(&watch->copies, memory_order_relaxed) & ~SVF_WATCH_GIVEN_UP;
	unsigned int out = (in_copy + 1) & ~SVF_WATCH_GIVEN_UP;

	if (atomic_compare_exchange_strong(&watch->copies, &in_copy, out))
		return true;
	atomic_store(&watch->copies, out);
	watch->caller_gone = true;
	return false;
}

#endif
