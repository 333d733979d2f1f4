/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers of the machine. The core has no clock: the host says what time it is by
 * svf_machine_advance() (machine.h), and what is due then happens.
 *
 * Time is a number of nanoseconds since some moment that the host chose. It never goes back. A
 * timer is embedded in what it is for, costs no memory of its own and cannot fail to be armed.
 */
#ifndef SVF_CORE_TIMER_H
#define SVF_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define SVF_TIME_NEVER UINT64_MAX
#define SVF_NS_PER_SEC UINT64_C(1000000000)

struct svf_timer {
	/* In the heap: the first child, and the siblings; prev of a first child is its parent. */
	struct svf_timer *child, *next, *prev;
	uint64_t when_ns; /* SVF_TIME_NEVER: not armed */
	uint64_t order;	  /* among timers of one moment: in order of arming */
	/* It is not armed any more and may be armed again, or its owner freed. */
	void (*fired)(struct svf_timer *timer);
};

struct svf_timers {
	struct svf_timer *root; /* the next to fire */
	uint64_t now_ns;
	uint64_t next_order;
	bool firing;
};

void svf_timer_init(struct svf_timer *timer, void (*fired)(struct svf_timer *timer));

/*
 * Fires when the time is when_ns or later; a timer that is armed already is moved. At a moment that
 * is not in the future: with the next advance. SVF_TIME_NEVER: as disarm.
 */
void svf_timer_arm(struct svf_timers *timers, struct svf_timer *timer, uint64_t when_ns);
/* The same, counted from now; beyond the end of time is never. */
void svf_timer_arm_after(struct svf_timers *timers, struct svf_timer *timer, uint64_t delay_ns);
/* One that is not armed does no harm. To be called before its owner is freed. */
void svf_timer_disarm(struct svf_timers *timers, struct svf_timer *timer);

static inline bool svf_timer_is_armed(const struct svf_timer *timer)
{
	return timer->when_ns != SVF_TIME_NEVER;
}

/* When the next one is due, SVF_TIME_NEVER when none is armed. */
uint64_t svf_timers_next(const struct svf_timers *timers);

/*
 * It is now_ns: what is due fires, in order of time. What is armed meanwhile for now or earlier
 * fires with the next advance, so that each timer fires at most once. Return: svf_timers_next().
 */
uint64_t svf_timers_advance(struct svf_timers *timers, uint64_t now_ns);

#endif
