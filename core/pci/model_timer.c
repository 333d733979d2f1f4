/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers of models: those of core/timer.h, with a beat, owned by their function.
 *
 * A model may have a client's register decide on the period, so the shortest one is bounded here. A
 * periodic timer is started again before the model hears of it, which can then stop it.
 */
#include <stdlib.h>

#include "core/machine.h"
#include "core/pci/function.h"
#include "include/softvfio/model.h"

struct svf_model_timer {
	struct svf_list link; /* fn->model_timers */
	struct svf_timer timer;
	struct svf_function *fn;
	void (*fired)(struct svf_function *fn, void *arg);
	void *arg;
	uint64_t when_ns, period_ns; /* period 0: once */
};

static void arm(struct svf_model_timer *timer)
{
	svf_timer_arm(&timer->fn->machine->timers, &timer->timer, timer->when_ns);
}

/* The next moment of the beat that is still to come. */
static void go_on(struct svf_model_timer *timer, uint64_t now_ns)
{
	uint64_t periods = (now_ns - timer->when_ns) / timer->period_ns + 1;

	timer->when_ns += periods * timer->period_ns;
	arm(timer);
}

static void fired(struct svf_timer *base)
{
	struct svf_model_timer *timer = svf_container_of(base, struct svf_model_timer, timer);

	if (timer->period_ns)
		go_on(timer, svf_model_now(timer->fn));
	timer->fired(timer->fn, timer->arg);
}

struct svf_model_timer *svf_model_add_timer(struct svf_function *fn,
					    void (*callback)(struct svf_function *fn, void *arg),
					    void *arg)
{
	struct svf_model_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	svf_timer_init(&timer->timer, fired);
	timer->fn = fn;
	timer->fired = callback;
	timer->arg = arg;
	svf_list_add_tail(&fn->model_timers, &timer->link);
	return timer;
}

void svf_model_timer_start(struct svf_model_timer *timer, uint64_t delay_ns, uint64_t period_ns)
{
	uint64_t now = svf_model_now(timer->fn);

	if (period_ns && period_ns < SVF_MODEL_PERIOD_MIN)
		period_ns = SVF_MODEL_PERIOD_MIN;
	/* So far away that adding one to the other cannot come around. */
	if (delay_ns > SVF_TIME_NEVER / 4)
		delay_ns = SVF_TIME_NEVER / 4;
	if (period_ns > SVF_TIME_NEVER / 4)
		period_ns = SVF_TIME_NEVER / 4;
	timer->when_ns = now + delay_ns;
	timer->period_ns = period_ns;
	arm(timer);
}

void svf_model_timer_stop(struct svf_model_timer *timer)
{
	svf_timer_disarm(&timer->fn->machine->timers, &timer->timer);
}

uint64_t svf_model_now(const struct svf_function *fn)
{
	return fn->machine->timers.now_ns;
}

void svf_function_free_timers(struct svf_function *fn)
{
	struct svf_model_timer *timer, *next;

	svf_list_for_each_safe(timer, next, &fn->model_timers, link) {
		svf_model_timer_stop(timer);
		svf_list_del(&timer->link);
		free(timer);
	}
}
