/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The watch; see watch.h. What it says to the kernel is the FUSE protocol itself: a header in, a
 * header out.
 */
#include "host/client/watch.h"

#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/files/fuse.h"
#include "host/host.h"
#include "host/thread.h"

#define TICK_NS	   100000000L
#define NS_PER_S   1000000000L
#define POLL_MS	   10
#define STACK_SIZE (128u << 10)

struct rescued {
	struct svf_list link;
	size_t len;
	char bytes[];
};

static bool stuck_in(struct svf_watch *watch, unsigned int copy)
{
	return (copy & 1) && (atomic_load(&watch->copies) & ~SVF_WATCH_GIVEN_UP) == copy;
}

static void fail_request(const struct svf_watch *watch, uint64_t unique, int err)
{
	struct fuse_out_header out = {.len = sizeof(out), .error = err, .unique = unique};
	ssize_t n = write(watch->host->options.fuse_fd, &out, sizeof(out));

	(void)n; /* the kernel has given the request up meanwhile */
}

static void keep_request(struct svf_watch *watch, const char *bytes, size_t len, uint64_t unique)
{
	struct rescued *rescued = malloc(sizeof(*rescued) + len);
	const uint64_t one = 1;
	ssize_t n;

	if (!rescued) {
		fail_request(watch, unique, -ENOMEM);
		return;
	}
	rescued->len = len;
	memcpy(rescued->bytes, bytes, len);
	pthread_mutex_lock(&watch->lock);
	svf_list_add_tail(&watch->rescued, &rescued->link);
	pthread_mutex_unlock(&watch->lock);
	n = write(watch->event_fd, &one, sizeof(one));
	(void)n;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* What has been done about a copy that takes long. */
struct patience {
	int64_t begun;
	int pidfd; /* of the calling process, from the moment its call has been answered; or -1 */
	bool failed, killed;
};

/*
 * Once it is answered the caller may be gone and its number in use again, hence the pidfd, and hence the
 * mark that keeps the loop from going on with it. A caller that came by a listener can be killed without an answer.
 */
static void fail_call(struct svf_watch *watch, unsigned int copy, struct patience *patience)
{
	uint64_t request = atomic_load(&watch->caller_request);
	pid_t pid;

	patience->failed = true;
	if (!svf_process_of(atomic_load(&watch->caller), &pid))
		patience->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (request &&
	    atomic_compare_exchange_strong(&watch->copies, &copy, copy | SVF_WATCH_GIVEN_UP))
		fail_request(watch, request, -EFAULT);
}

static void lose_patience(struct svf_watch *watch, unsigned int copy, struct patience *patience)
{
	int64_t taken = now_ns() - patience->begun;

	if (taken >= SVF_WATCH_FAIL_NS && !patience->failed)
		fail_call(watch, copy, patience);
	if (taken >= SVF_WATCH_KILL_NS && !patience->killed) {
		patience->killed = true;
		if (patience->pidfd >= 0)
			syscall(SYS_pidfd_send_signal, patience->pidfd, SIGKILL, NULL, 0);
	}
}

/* Stands in for the loop until it is out of the copy. */
static void rescue(struct svf_watch *watch, unsigned int copy)
{
	struct patience patience = {.begun = now_ns(), .pidfd = -1};
	struct pollfd pollfd = {.fd = watch->host->options.fuse_fd, .events = POLLIN};
	char *buffer = malloc(SVF_FUSE_REQUEST_MAX);
	struct fuse_in_header in;

	while (buffer && stuck_in(watch, copy)) {
		ssize_t n;

		lose_patience(watch, copy, &patience);
		if (poll(&pollfd, 1, POLL_MS) < 1)
			continue;
		n = read(pollfd.fd, buffer, SVF_FUSE_REQUEST_MAX);
		if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOENT)
			break; /* the filesystem is gone, and with it what the loop waits for */
		if (n < (ssize_t)sizeof(in))
			continue;
		memcpy(&in, buffer, sizeof(in));
		if (in.opcode == FUSE_READ && (pid_t)in.pid == watch->loop_tid)
			fail_request(watch, in.unique, -EIO);
		else
			keep_request(watch, buffer, (size_t)n, in.unique);
	}
	if (patience.pidfd >= 0)
		close(patience.pidfd);
	free(buffer);
}

/* With the lock held. */
static void wait_tick(struct svf_watch *watch)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += TICK_NS;
	if (until.tv_nsec >= NS_PER_S) {
		until.tv_nsec -= NS_PER_S;
		until.tv_sec++;
	}
	while (!watch->stop &&
	       pthread_cond_timedwait(&watch->wake, &watch->lock, &until) != ETIMEDOUT)
		;
}

static void *watch_main(void *arg)
{
	struct svf_watch *watch = arg;
	unsigned int copy = 0;

	pthread_mutex_lock(&watch->lock);
	while (!watch->stop) {
		if (!atomic_exchange(&watch->active, false) && !(copy & 1)) {
			watch->asleep = true;
			pthread_cond_wait(&watch->wake, &watch->lock);
			watch->asleep = false;
			continue;
		}
		copy = atomic_load(&watch->copies);
		wait_tick(watch);
		if (!stuck_in(watch, copy) || watch->stop)
			continue;
		pthread_mutex_unlock(&watch->lock);
		rescue(watch, copy);
		pthread_mutex_lock(&watch->lock);
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

void svf_watch_wake(struct svf_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	atomic_store(&watch->active, true);
	if (watch->asleep)
		pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
}

static struct rescued *take_rescued(struct svf_watch *watch)
{
	struct rescued *rescued = NULL;

	pthread_mutex_lock(&watch->lock);
	if (!svf_list_empty(&watch->rescued)) {
		rescued = svf_list_first(&watch->rescued, struct rescued, link);
		svf_list_del(&rescued->link);
	}
	pthread_mutex_unlock(&watch->lock);
	return rescued;
}

static void rescued_ready(struct svf_source *source, uint32_t events)
{
	struct svf_watch *watch = svf_container_of(source, struct svf_watch, source);
	struct rescued *rescued;
	uint64_t count;
	ssize_t n;

	(void)events;
	n = read(watch->event_fd, &count, sizeof(count));
	(void)n;
	while ((rescued = take_rescued(watch))) {
		svf_fuse_process(watch->host, rescued->bytes, rescued->len);
		free(rescued);
	}
}

int svf_watch_init(struct svf_watch *watch, struct svf_host *host)
{
	pthread_condattr_t attr;
	int err;

	watch->host = host;
	watch->loop_tid = gettid();
	svf_list_init(&watch->rescued);
	pthread_mutex_init(&watch->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->wake, &attr);
	pthread_condattr_destroy(&attr);
	watch->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (watch->event_fd < 0)
		return -errno;
	err = svf_loop_add(&host->loop, &watch->source, watch->event_fd, EPOLLIN, rescued_ready);
	if (!err)
		err = svf_thread_start(&watch->thread, STACK_SIZE, watch_main, watch);
	watch->running = !err;
	return err;
}

void svf_watch_fini(struct svf_watch *watch)
{
	struct rescued *rescued;

	if (!watch->host)
		return;
	if (watch->running) {
		pthread_mutex_lock(&watch->lock);
		watch->stop = true;
		pthread_cond_signal(&watch->wake);
		pthread_mutex_unlock(&watch->lock);
		pthread_join(watch->thread, NULL);
	}
	while ((rescued = take_rescued(watch)))
		free(rescued);
	svf_loop_remove(&watch->host->loop, &watch->source);
	if (watch->event_fd >= 0)
		close(watch->event_fd);
	pthread_mutex_destroy(&watch->lock);
	pthread_cond_destroy(&watch->wake);
}
