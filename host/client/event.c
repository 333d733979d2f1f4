/* SPDX-License-Identifier: BSD-3-Clause */
/* Eventfds of clients; see event.h for how they are signalled. */
#include "host/client/event.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/host.h"

void svf_signaller_init(struct svf_signaller *signaller)
{
	*signaller = (struct svf_signaller){.ready_fd = -1};
}

void svf_signaller_fini(struct svf_signaller *signaller)
{
	if (signaller->context)
		syscall(SYS_io_destroy, signaller->context);
	if (signaller->ready_fd >= 0)
		close(signaller->ready_fd);
	svf_signaller_init(signaller);
}

/* At the first signal, so that hosts whose clients use no interrupts pay nothing. */
static bool signaller_works(struct svf_signaller *signaller)
{
	if (signaller->tried)
		return signaller->works;
	signaller->tried = true;
	signaller->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signaller->ready_fd < 0 || syscall(SYS_io_setup, 1, &signaller->context))
		return false;
	signaller->works = true;
	return true;
}

/* False when the kernel would not: the caller tries another way. */
static bool signal_async(struct svf_signaller *signaller, int fd)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL,
		.aio_fildes = (uint32_t)signaller->ready_fd,
		.aio_buf = POLLOUT,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (uint32_t)fd,
	};
	struct iocb *list[] = {&iocb};
	struct timespec zero = {0};
	struct io_event done;

	if (syscall(SYS_io_submit, signaller->context, 1, list) != 1)
		return false;
	/* It is complete already; taking it out keeps the ring empty. */
	syscall(SYS_io_getevents, signaller->context, 0, 1, &done, &zero);
	return true;
}

static void signal_by_write(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
	const uint64_t one = 1;
	ssize_t n;

	/*
	 * A counter that is full has not been looked at since 2^64 signals; one more says nothing
	 * new.
	 */
	if (poll(&pollfd, 1, 0) != 1 || !(pollfd.revents & POLLOUT))
		return;
	n = write(fd, &one, sizeof(one));
	(void)n;
}

struct svf_event *svf_host_event_alloc(struct svf_host *host, int fd)
{
	struct svf_event *event;

	if (host->event_count >= host->bounds.events)
		return NULL;
	event = malloc(sizeof(*event));
	if (!event)
		return NULL;
	*event = (struct svf_event){.host = host, .fd = fd, .refs = 1};
	host->event_count++;
	return event;
}

struct svf_event *svf_host_event_get(struct svf_event *event)
{
	event->refs++;
	return event;
}

void svf_host_event_put(struct svf_event *event)
{
	if (!event || --event->refs)
		return;
	event->host->event_count--;
	close(event->fd);
	free(event);
}

void svf_host_event_signal(struct svf_event *event)
{
	struct svf_signaller *signaller = &event->host->signaller;

	if (!signaller_works(signaller) || !signal_async(signaller, event->fd))
		signal_by_write(event->fd);
}
