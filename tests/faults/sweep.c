/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fault sweep: each scenario is run again and again, and in the n-th run its n-th allocation
 * fails, once; then the same with its n-th copy from or to the client. What must hold is that
 * nothing crashes, nothing leaks (the port's end and LeakSanitizer see to that), no invariant
 * breaks and every errno has a reason; results may differ from the scenario's, since something did fail.
 *
 * At the end it says in how many runs each command met a failure. Every command of iommufd must be called
 * by some scenario, and each that copies or allocates must have met one.
 *
 * The allocations counted are those of base, core and models, which call calloc and realloc only; the
 * linker diverts these here (--wrap). The test's own memory comes from malloc.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/command.h"
#include "core/file.h"
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

/* --- which commands met failures --- */

#define COMMANDS_MAX 128

static struct {
	unsigned long calls, events, failures;
} seen[COMMANDS_MAX];

static unsigned long (*events_now)(void);
static unsigned long events_before;

static void before_command(const struct svf_command *command)
{
	(void)command;
	events_before = events_now();
}

static void after_command(const struct svf_command *command)
{
	size_t row = (size_t)(command - svf_commands);
	unsigned long events = events_now();

	seen[row].calls++;
	seen[row].events += events - events_before;
	seen[row].failures += events_before < nth && nth <= events;
}

/* Return: whether the sweep was complete. */
static bool report(void)
{
	bool complete = true;

	for (size_t i = 0; i < svf_commands_count; i++) {
		const struct svf_command *command = &svf_commands[i];

		if (command->kind != SVF_FILE_IOMMUFD)
			continue;
		printf("%s: %lu failures\n", command->name, seen[i].failures);
		if (seen[i].calls && (seen[i].failures || !seen[i].events))
			continue;
		printf("%s is not swept: no scenario %s\n", command->name,
		       seen[i].calls ? "lets it fail" : "calls it");
		complete = false;
	}
	return complete;
}

static bool broken; /* a scenario did not even hold what must hold with a failure */

/* Until a run is over before its n-th event. Return: how many failures were injected. */
static unsigned long sweep(const char *path, void (*arm)(void), unsigned long (*count)(void))
{
	nth = 0;
	events_now = count;
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

	scenario_before = before_command;
	scenario_after = after_command;
	if (svf_commands_count > COMMANDS_MAX)
		return 1;
	for (int i = 1; i < argc; i++) {
		unsigned long in_allocations = sweep(argv[i], arm_allocation, count_allocations);
		unsigned long in_copies = sweep(argv[i], arm_copy, test_copies);

		printf("%s: %lu allocations and %lu copies failed in turn\n", argv[i],
		       in_allocations, in_copies);
		injected += in_allocations + in_copies;
	}
	/* A sweep that injected nothing has proved nothing. */
	return !report() || broken || injected == 0;
}
