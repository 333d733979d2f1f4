/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eventfds that the core listens to; see event_watch.h.
 *
 * A client's eventfd comes as another descriptor each time it is named, and may be watched many
 * times: the thousand ioeventfds of a device may share one. So watches hang on the file, which is
 * known by the number that the kernel gives it, and only files are in epoll (which takes one file
 * no more than 500 times behind another epoll descriptor).
 *
 * Files are watched edge-triggered: the kernel queues one event for each write. Acting upon one
 * watch may end others, or itself.
 */
#include "host/client/event_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/compiler.h"
#include "host/host.h"

#define BATCH 64
#define NO_ID -1

struct watched_file {
	struct svf_list link; /* event_watches.files */
	struct svf_list watches;
	struct svf_event *event; /* a reference; its descriptor is the one in epoll */
	int id;
	bool early; /* signalled before it was watched: fires, and the count is left alone */
};

struct svf_event_watch {
	struct svf_list link;	    /* file->watches */
	struct svf_list fired_link; /* event_watches.fired, or empty */
	struct watched_file *file;
	void (*fired)(void *arg);
	void *arg;
};

void svf_event_watches_init(struct svf_event_watches *watches)
{
	watches->source.fd = -1;
	svf_list_init(&watches->files);
	svf_list_init(&watches->fired);
}

void svf_event_watches_fini(struct svf_host *host)
{
	int fd = host->event_watches.source.fd;

	svf_loop_remove(&host->loop, &host->event_watches.source);
	if (fd >= 0)
		close(fd);
}

static void fire_later(struct svf_event_watches *watches, struct svf_event_watch *watch)
{
	if (svf_list_empty(&watch->fired_link))
		svf_list_add_tail(&watches->fired, &watch->fired_link);
}

/* The read must not wait: the client may have taken the count. */
static void take_count(const struct watched_file *file)
{
	uint64_t count;
	struct iovec iov = {.iov_base = &count, .iov_len = sizeof(count)};
	ssize_t n = preadv2(file->event->fd, &iov, 1, -1, RWF_NOWAIT);

	(void)n;
}

static void file_ready(struct svf_event_watches *watches, struct watched_file *file)
{
	struct svf_event_watch *watch;

	if (!file->early)
		take_count(file);
	file->early = false;
	svf_list_for_each(watch, &file->watches, link)
		fire_later(watches, watch);
}

/* No more events than there are files, however fast clients signal. */
static void collect(struct svf_event_watches *watches)
{
	struct epoll_event events[BATCH];
	unsigned int left = watches->file_count;
	int n = BATCH;

	while (left && n == BATCH) {
		n = epoll_wait(watches->source.fd, events, left < BATCH ? (int)left : BATCH, 0);
		for (int i = 0; i < n; i++)
			file_ready(watches, events[i].data.ptr);
		left -= n > 0 ? (unsigned int)n : 0;
	}
}

void svf_event_watches_run(struct svf_host *host)
{
	struct svf_event_watches *watches = &host->event_watches;

	if (!watches->file_count)
		return;
	collect(watches);
	while (!svf_list_empty(&watches->fired)) {
		struct svf_event_watch *watch =
			svf_list_first(&watches->fired, struct svf_event_watch, fired_link);

		svf_list_del(&watch->fired_link);
		watch->fired(watch->arg);
	}
}

static void watches_ready(struct svf_source *source, uint32_t events)
{
	(void)events;
	svf_event_watches_run(svf_container_of(source, struct svf_host, event_watches.source));
}

/* At the first watch, so that hosts whose clients use none pay nothing. */
static int watches_start(struct svf_host *host)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return -ENOMEM;
	if (svf_loop_add(&host->loop, &host->event_watches.source, fd, EPOLLIN, watches_ready)) {
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

/* --- files --- */

/* The kernel's number of an eventfd, the same for all its descriptors; NO_ID: it says none. */
static int file_id(int fd)
{
	static const char key[] = "eventfd-id:";
	char path[40], text[512];
	const char *line;
	ssize_t n;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return NO_ID;
	n = read(info, text, sizeof(text) - 1);
	close(info);
	if (n <= 0)
		return NO_ID;
	text[n] = '\0';
	line = strstr(text, key);
	return line ? (int)strtol(line + sizeof(key) - 1, NULL, 10) : NO_ID;
}

static struct watched_file *file_lookup(const struct svf_event_watches *watches, int id)
{
	struct watched_file *file;

	if (id == NO_ID)
		return NULL;
	svf_list_for_each(file, &watches->files, link) {
		if (file->id == id)
			return file;
	}
	return NULL;
}

static bool is_signalled(const struct svf_event *event)
{
	struct pollfd pollfd = {.fd = event->fd, .events = POLLIN};

	return poll(&pollfd, 1, 0) == 1;
}

static struct watched_file *file_alloc(struct svf_event *event, int id)
{
	struct svf_event_watches *watches = &event->host->event_watches;
	struct watched_file *file = calloc(1, sizeof(*file));
	struct epoll_event events = {.events = EPOLLIN | EPOLLET, .data.ptr = file};

	if (!file)
		return NULL;
	file->early = is_signalled(event);
	if (epoll_ctl(watches->source.fd, EPOLL_CTL_ADD, event->fd, &events)) {
		free(file);
		return NULL;
	}
	file->id = id;
	file->event = svf_host_event_get(event);
	svf_list_init(&file->watches);
	svf_list_add_tail(&watches->files, &file->link);
	watches->file_count++;
	return file;
}

static void file_destroy(struct watched_file *file)
{
	struct svf_event_watches *watches = &file->event->host->event_watches;

	epoll_ctl(watches->source.fd, EPOLL_CTL_DEL, file->event->fd, NULL);
	svf_list_del(&file->link);
	watches->file_count--;
	svf_host_event_put(file->event);
	free(file);
}

/* --- the port --- */

int svf_host_event_watch(struct svf_event *event, void (*fired)(void *arg), void *arg,
			 struct svf_event_watch **ret)
{
	struct svf_event_watches *watches = &event->host->event_watches;
	struct svf_event_watch *watch;
	struct watched_file *file;
	int id = file_id(event->fd);

	if (watches->source.fd < 0 && watches_start(event->host))
		return -ENOMEM;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	svf_list_init(&watch->fired_link);
	file = file_lookup(watches, id);
	if (file && is_signalled(file->event))
		fire_later(watches, watch);
	if (!file)
		file = file_alloc(event, id);
	if (!file) {
		free(watch);
		return -ENOMEM;
	}
	watch->file = file;
	watch->fired = fired;
	watch->arg = arg;
	svf_list_add_tail(&file->watches, &watch->link);
	*ret = watch;
	return 0;
}

void svf_host_event_unwatch(struct svf_event_watch *watch)
{
	struct watched_file *file = watch->file;

	svf_list_del(&watch->link);
	svf_list_del(&watch->fired_link);
	if (svf_list_empty(&file->watches))
		file_destroy(file);
	free(watch);
}
