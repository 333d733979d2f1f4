/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eventfds of clients. The descriptor we hold is fetched from the client and shares its open file,
 * its O_NONBLOCK flag included, so that write(2) would block the loop when a client has filled the
 * counter, whatever we looked at before.
 *
 * The kernel's own way to signal an eventfd never blocks, and it can be asked for: a completed
 * asynchronous request signals its aio_resfd. So an event is signalled by a poll request on a
 * descriptor that is always writable, which completes as it is submitted. Where asynchronous I/O is
 * not to be had: poll, then write.
 */
#ifndef SVF_HOST_CLIENT_EVENT_H
#define SVF_HOST_CLIENT_EVENT_H

#include <stdbool.h>

#include "base/compiler.h"

struct svf_host;

struct svf_event {
	struct svf_host *host;
	int fd;
	unsigned int refs;
};

struct svf_signaller {
	unsigned long context; /* of io_setup */
	int ready_fd;	       /* an eventfd of ours: always writable */
	bool tried, works;
};

/* Takes fd over. NULL: out of memory or too many; fd is then still the caller's. */
struct svf_event *svf_host_event_alloc(struct svf_host *host, int fd);
struct svf_event *svf_host_event_get(struct svf_event *event);
void svf_host_event_put(struct svf_event *event);
void svf_host_event_signal(struct svf_event *event);

void svf_signaller_init(struct svf_signaller *signaller);
void svf_signaller_fini(struct svf_signaller *signaller);

#endif
