/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eventfds that clients signal and the core listens to. A watch has a descriptor of its own in the
 * loop, so that one eventfd can be watched several times and also be signalled.
 */
#ifndef SVF_HOST_EVENT_WATCH_H
#define SVF_HOST_EVENT_WATCH_H

struct svf_event;
struct svf_event_watch;

/* As struct svf_port_ops says. */
int svf_host_event_watch(struct svf_event *event, void (*fired)(void *arg), void *arg,
			 struct svf_event_watch **ret);
void svf_host_event_unwatch(struct svf_event_watch *watch);

#endif
