/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eventfds that clients signal and the core listens to.
 *
 * To the kernel's VFIO a signal is acted upon within the client's write to the eventfd. Here it is
 * acted upon at the latest before the client's next request is answered, so that a client that
 * signals and then asks sees what the signal did: all watches are in an epoll descriptor of their
 * own, which is looked at before each request, and which wakes the loop when there is none.
 *
 * Each write to an eventfd is one event, whatever it adds: all watches of that eventfd fire, by
 * whatever descriptor they were made, and the count is taken. Writes that come faster than they are
 * looked at are one event.
 */
#ifndef SVF_HOST_CLIENT_EVENT_WATCH_H
#define SVF_HOST_CLIENT_EVENT_WATCH_H

#include "base/list.h"
#include "host/loop.h"

struct svf_event;
struct svf_event_watch;
struct svf_host;

/* Part of the host. */
struct svf_event_watches {
	struct svf_source source; /* the epoll descriptor of all watches; -1: there was none yet */
	struct svf_list files;	  /* struct watched_file.link */
	struct svf_list fired;	  /* struct svf_event_watch.fired_link: to be acted upon */
	unsigned int file_count;
};

void svf_event_watches_init(struct svf_event_watches *watches);
void svf_event_watches_fini(struct svf_host *host);
/* Acts upon what was signalled before. From outside any call of the core. */
void svf_event_watches_run(struct svf_host *host);

/* As struct svf_port_ops says. */
int svf_host_event_watch(struct svf_event *event, void (*fired)(void *arg), void *arg,
			 struct svf_event_watch **ret);
void svf_host_event_unwatch(struct svf_event_watch *watch);

#endif
