/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fault sweep: each scenario is run again and again, and in the n-th run its n-th allocation
 * fails, once; then the same with its n-th copy from or to the client. What must hold is that
 * nothing crashes, nothing leaks (the port's end and LeakSanitizer see to that), no invariant
 * breaks and every errno has a reason; results may differ from the scenario's, since something did fail.
 *
 * The allocations counted are those of base, core and models, which call calloc and realloc only; the
 * linker diverts these here (--wrap). The test's own memory comes from malloc.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/scenario/scenario.h"
#include "tests/unit/port.h"

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned long allocations; /* since armed */
static unsigned long failing;	  /* the one that fails, from 1; 0: none */

static bool fails_now(void)
{
	return ++allocations == failing;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails_now() ? NULL : __real_realloc(old, size);
}

static unsigned long nth;

static void arm_allocation(void)
{
	allocations = 0;
	failing = nth;
}

static void arm_copy(void)
{
	test_fail_copy(nth);
}

static unsigned long count_allocations(void)
{
	return allocations;
}

static bool broken; /* a scenario did not even hold what must hold with a failure */

/* Until a run is over before its n-th event. Return: how many failures were injected. */
static unsigned long sweep(const char *path, void (*arm)(void), unsigned long (*count)(void))
{
	nth = 0;
	do {
		nth++;
		broken |= !scenario_run(path, arm);
		failing = 0;
	} while (count() >= nth);
	return nth - 1;
}

int main(int argc, char **argv)
{
	unsigned long injected = 0;

	for (int i = 1; i < argc; i++) {
		unsigned long in_allocations = sweep(argv[i], arm_allocation, count_allocations);
		unsigned long in_copies = sweep(argv[i], arm_copy, test_copies);

		printf("%s: %lu allocations and %lu copies failed in turn\n", argv[i],
		       in_allocations, in_copies);
		injected += in_allocations + in_copies;
	}
	/* A sweep that injected nothing has proved nothing. */
	return broken || injected == 0;
}
