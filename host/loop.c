/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop; see loop.h for what a handler may do. */
#include "host/loop.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int svf_loop_init(struct svf_loop *loop)
{
	loop->quit = false;
	loop->busy = false;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void svf_loop_fini(struct svf_loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int svf_loop_add(struct svf_loop *loop, struct svf_source *source, int fd, uint32_t events,
		 void (*ready)(struct svf_source *source, uint32_t events))
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	source->fd = fd;
	source->ready = ready;
	return 0;
}

void svf_loop_modify(struct svf_loop *loop, struct svf_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	int err = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);

	/* It is in the loop, and a change of events allocates nothing. */
	assert(!err);
	(void)err;
}

void svf_loop_remove(struct svf_loop *loop, struct svf_source *source)
{
	if (source->fd < 0)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->fd = -1;
}

int svf_loop_run(struct svf_loop *loop, void (*before)(void *arg), void (*after)(void *arg),
		 void *arg)
{
	while (!loop->quit) {
		struct epoll_event event;
		int n = epoll_wait(loop->epoll_fd, &event, 1, loop->busy ? 0 : -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		before(arg);
		if (n == 1) {
			struct svf_source *source = event.data.ptr;

			source->ready(source, event.events);
		}
		after(arg);
	}
	return 0;
}
