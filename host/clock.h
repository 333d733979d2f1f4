/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine's time (core/timer.h): before each event it is told what time it is, and one timerfd
 * wakes the loop when it next wants to be told. While nothing waits there are no ticks.
 */
#ifndef SVF_HOST_CLOCK_H
#define SVF_HOST_CLOCK_H

#include <stdint.h>

#include "host/loop.h"

struct svf_host;

struct svf_clock {
	struct svf_source source; /* a timerfd */
	uint64_t set_ns;	  /* when it goes off, SVF_TIME_NEVER: not set */
};

/* Return: 0, -errno. */
int svf_clock_init(struct svf_host *host) SVF_MUST_CHECK;
void svf_clock_fini(struct svf_host *host);

/* Before an event is acted on. */
void svf_clock_tell(struct svf_host *host);
/* After it: the timerfd is set to what the machine waits for now. */
void svf_clock_set(struct svf_host *host);

#endif
