/* SPDX-License-Identifier: BSD-3-Clause */
/* What time it is; see clock.h. Time that the system sleeps does not count, as in the kernel. */
#include "host/clock.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/host.h"

/* That it has gone off is all there is to know: the time was told already. */
static void gone_off(struct svf_source *source, uint32_t events)
{
	struct svf_clock *clock = svf_container_of(source, struct svf_clock, source);
	uint64_t times;
	ssize_t n = read(source->fd, &times, sizeof(times));

	(void)events;
	(void)n; /* it may have been set anew meanwhile */
	clock->set_ns = SVF_TIME_NEVER;
}

int svf_clock_init(struct svf_host *host)
{
	struct svf_clock *clock = &host->clock;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int err;

	clock->set_ns = SVF_TIME_NEVER;
	if (fd < 0)
		return -errno;
	err = svf_loop_add(&host->loop, &clock->source, fd, EPOLLIN, gone_off);
	if (err)
		close(fd);
	return err;
}

void svf_clock_fini(struct svf_host *host)
{
	int fd = host->clock.source.fd;

	if (fd < 0)
		return;
	svf_loop_remove(&host->loop, &host->clock.source);
	close(fd);
}

void svf_clock_tell(struct svf_host *host)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	svf_machine_advance(host->machine,
			    (uint64_t)now.tv_sec * SVF_NS_PER_SEC + (uint64_t)now.tv_nsec);
}

void svf_clock_set(struct svf_host *host)
{
	uint64_t next = svf_timers_next(&host->machine->timers);
	struct itimerspec when = {0};

	if (next == host->clock.set_ns)
		return;
	if (next != SVF_TIME_NEVER) {
		when.it_value.tv_sec = (time_t)(next / SVF_NS_PER_SEC);
		when.it_value.tv_nsec = (long)(next % SVF_NS_PER_SEC);
	}
	/* All zeroes would stop it; no machine waits for the moment at which the system began. */
	if (timerfd_settime(host->clock.source.fd, TFD_TIMER_ABSTIME, &when, NULL))
		assert(false);
	host->clock.set_ns = next;
}
