/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers as a pairing heap: a tree in which no child is due before its parent. Arming is one
 * comparison; taking one out, from wherever it is, merges its children in pairs, which costs the
 * logarithm of the number of timers on the average over all calls. There is no recursion and no
 * memory beside the timers themselves.
 */
#include "core/timer.h"

#include <assert.h>
#include <stddef.h>

static bool is_before(const struct svf_timer *a, const struct svf_timer *b)
{
	return a->when_ns < b->when_ns || (a->when_ns == b->when_ns && a->order < b->order);
}

/* Two heaps, or NULL, become one. Roots have no siblings. */
static struct svf_timer *join(struct svf_timer *a, struct svf_timer *b)
{
	struct svf_timer *swap = a;

	if (!a || !b)
		return a ? a : b;
	if (is_before(b, a)) {
		a = b;
		b = swap;
	}
	b->prev = a;
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	a->child = b;
	return a;
}

/* Takes the first of a list of siblings off, as a root. */
static struct svf_timer *take_first(struct svf_timer **list)
{
	struct svf_timer *first = *list;

	if (!first)
		return NULL;
	*list = first->next;
	first->next = NULL;
	first->prev = NULL;
	return first;
}

/* All children of one become one heap: in pairs from the first, then the pairs from the last. */
static struct svf_timer *join_siblings(struct svf_timer *list)
{
	struct svf_timer *pairs = NULL, *root = NULL;

	while (list) {
		struct svf_timer *first = take_first(&list);
		struct svf_timer *pair = join(first, take_first(&list));

		pair->next = pairs;
		pairs = pair;
	}
	while (pairs)
		root = join(root, take_first(&pairs));
	return root;
}

static void unlink_child(struct svf_timer *timer)
{
	if (timer->prev->child == timer)
		timer->prev->child = timer->next;
	else
		timer->prev->next = timer->next;
	if (timer->next)
		timer->next->prev = timer->prev;
}

static void take_out(struct svf_timers *timers, struct svf_timer *timer)
{
	struct svf_timer *children = join_siblings(timer->child);

	if (timer == timers->root) {
		timers->root = children;
	} else {
		unlink_child(timer);
		timers->root = join(timers->root, children);
	}
	timer->child = NULL;
	timer->next = NULL;
	timer->prev = NULL;
	timer->when_ns = SVF_TIME_NEVER;
}

void svf_timer_init(struct svf_timer *timer, void (*fired)(struct svf_timer *timer))
{
	*timer = (struct svf_timer){.when_ns = SVF_TIME_NEVER, .fired = fired};
}

void svf_timer_disarm(struct svf_timers *timers, struct svf_timer *timer)
{
	if (svf_timer_is_armed(timer))
		take_out(timers, timer);
}

void svf_timer_arm(struct svf_timers *timers, struct svf_timer *timer, uint64_t when_ns)
{
	svf_timer_disarm(timers, timer);
	if (when_ns == SVF_TIME_NEVER)
		return;
	if (timers->firing && when_ns <= timers->now_ns)
		when_ns = timers->now_ns + 1;
	timer->when_ns = when_ns;
	timer->order = timers->next_order++;
	timers->root = join(timers->root, timer);
}

void svf_timer_arm_after(struct svf_timers *timers, struct svf_timer *timer, uint64_t delay_ns)
{
	uint64_t left = SVF_TIME_NEVER - timers->now_ns;

	svf_timer_arm(timers, timer, delay_ns < left ? timers->now_ns + delay_ns : SVF_TIME_NEVER);
}

uint64_t svf_timers_next(const struct svf_timers *timers)
{
	return timers->root ? timers->root->when_ns : SVF_TIME_NEVER;
}

uint64_t svf_timers_advance(struct svf_timers *timers, uint64_t now_ns)
{
	assert(!timers->firing && now_ns < SVF_TIME_NEVER - 1);
	if (now_ns > timers->now_ns)
		timers->now_ns = now_ns;
	timers->firing = true;
	while (timers->root && timers->root->when_ns <= timers->now_ns) {
		struct svf_timer *due = timers->root;

		take_out(timers, due);
		due->fired(due);
	}
	timers->firing = false;
	return svf_timers_next(timers);
}
