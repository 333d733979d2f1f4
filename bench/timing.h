/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the measured clients time: calls that are compared are made in turns, a few of the one and a few of
 * the other, so that both see the same machine, whatever else it does. Each call is timed alone and the
 * median taken: one that was interrupted counts as one, however long that was.
 */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IN_TURN 16

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

static inline void must(int result, const char *what)
{
	if (result < 0)
		die(what);
}

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static inline int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static inline unsigned long long median(uint64_t *samples, size_t count)
{
	qsort(samples, count, sizeof(*samples), compare_ns);
	return samples[count / 2];
}

#endif
