/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: one epoll instance, one thread. A source is a descriptor and what to do when it
 * is ready, embedded in whatever owns the descriptor.
 *
 * One event is taken at a time: a handler may then remove, close and free any source, its own too,
 * with nothing stale left in hand. epoll keeps ready descriptors in a queue, so nobody starves.
 */
#ifndef SVF_HOST_LOOP_H
#define SVF_HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct svf_source {
	int fd; /* -1: not in the loop */
	void (*ready)(struct svf_source *source, uint32_t events);
};

struct svf_loop {
	int epoll_fd;
	bool quit; /* set by anybody: return after the event in hand */
	bool busy; /* set by after(): do not wait for the next event, there is work left */
};

int svf_loop_init(struct svf_loop *loop) SVF_MUST_CHECK;
void svf_loop_fini(struct svf_loop *loop);

/* Watches fd, which stays the caller's, for events (EPOLLIN, ...). Return: 0, -ENOMEM, -ENOSPC. */
int svf_loop_add(struct svf_loop *loop, struct svf_source *source, int fd, uint32_t events,
		 void (*ready)(struct svf_source *source, uint32_t events)) SVF_MUST_CHECK;
/* Other events for a source that is in the loop. */
void svf_loop_modify(struct svf_loop *loop, struct svf_source *source, uint32_t events);
/*
 * Stops watching; to be called before the descriptor is closed. A source that is not in does no
 * harm.
 */
void svf_loop_remove(struct svf_loop *loop, struct svf_source *source);

/*
 * Until quit. before(arg) and after(arg) are called around each event, after(arg) again and again
 * while busy. Return: 0, or why epoll failed.
 */
int svf_loop_run(struct svf_loop *loop, void (*before)(void *arg), void (*after)(void *arg),
		 void *arg) SVF_MUST_CHECK;

#endif
