/* SPDX-License-Identifier: BSD-3-Clause */
/* Eventfds that the core listens to; see event_watch.h. */
#include "host/event_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/compiler.h"
#include "host/host.h"

struct svf_event_watch {
	struct svf_source source;
	struct svf_event *event;
	void (*fired)(void *arg);
	void *arg;
};

/* The counter may have been taken by somebody else since: the read must not wait for the next. */
static void watch_ready(struct svf_source *source, uint32_t events)
{
	struct svf_event_watch *watch = svf_container_of(source, struct svf_event_watch, source);
	uint64_t count;
	struct iovec iov = {.iov_base = &count, .iov_len = sizeof(count)};

	(void)events;
	if (preadv2(source->fd, &iov, 1, -1, RWF_NOWAIT) == sizeof(count))
		watch->fired(watch->arg);
}

int svf_host_event_watch(struct svf_event *event, void (*fired)(void *arg), void *arg,
			 struct svf_event_watch **ret)
{
	struct svf_event_watch *watch = calloc(1, sizeof(*watch));
	int fd = fcntl(event->fd, F_DUPFD_CLOEXEC, 0);

	if (!watch || fd < 0 ||
	    svf_loop_add(&event->host->loop, &watch->source, fd, EPOLLIN, watch_ready)) {
		free(watch);
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	watch->event = svf_host_event_get(event);
	watch->fired = fired;
	watch->arg = arg;
	*ret = watch;
	return 0;
}

void svf_host_event_unwatch(struct svf_event_watch *watch)
{
	int fd = watch->source.fd;

	svf_loop_remove(&watch->event->host->loop, &watch->source);
	close(fd);
	svf_host_event_put(watch->event);
	free(watch);
}
