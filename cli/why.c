/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio why: the calls that failed lately, each with the reason that the kernel would not give.
 */
#include <stdio.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/control.h"

struct svf_why_options {
	bool json;
};

static const struct svf_option svf_why_options[] = {
	{"json", 'j', SVF_OPTION_FLAG, offsetof(struct svf_why_options, json), NULL,
	 "print JSON: an array of calls"},
	SVF_OPTION_END,
};

static const char *svf_json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

void svf_why_print(const json_t *calls, FILE *out)
{
	const json_t *call;
	char clock[16];
	json_int_t pid;
	struct tm tm;
	time_t when;
	size_t i;

	json_array_foreach(calls, i, call)
	{
		when = (time_t)json_number_value(json_object_get(call, "time"));
		if (!localtime_r(&when, &tm) || !strftime(clock, sizeof(clock), "%H:%M:%S", &tm))
			clock[0] = '\0';
		pid = json_integer_value(json_object_get(call, "pid"));
		fprintf(out, "%s %s", clock, svf_json_text(call, "comm"));
		if (pid)
			fprintf(out, "[%" JSON_INTEGER_FORMAT "]", pid);
		fprintf(out, ": %s = -1 %s: %s\n", svf_json_text(call, "call"),
			svf_json_text(call, "errno"), svf_json_text(call, "reason"));
	}
}

static int svf_why_run(void *target, int argc, char **argv)
{
	const struct svf_why_options *options = target;
	json_t *answer;
	int status = SVF_EXIT_OK;

	if (svf_control_ask(argc ? argv[0] : NULL, "why", &answer))
		return SVF_EXIT_FAILURE;
	if (options->json)
		status = svf_json_print(json_object_get(answer, "calls"));
	else
		svf_why_print(json_object_get(answer, "calls"), stdout);
	json_decref(answer);
	return status;
}

const struct svf_verb svf_verb_why = {
	.name = "why",
	.usage = "[OPTION]... [NAME]",
	.summary = "say why recent calls failed",
	.text = "Prints the calls that failed lately in the namespace NAME, oldest first: time, "
		"process, call, errno, and the\n"
		"reason with what to do about it. NAME may be left out inside a namespace, or when "
		"only one runs.",
	.examples = "  softvfio why\n"
		    "  softvfio why --json lab\n",
	.options = {svf_why_options},
	.target_size = sizeof(struct svf_why_options),
	.max_operands = 1,
	.failure = SVF_EXIT_FAILURE,
	.run = svf_why_run,
};
