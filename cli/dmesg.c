/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio dmesg: what the kernel would have logged, in dmesg's form.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/control.h"

struct svf_dmesg_options {
	bool json;
};

static const struct svf_option svf_dmesg_options[] = {
	{"json", 'j', SVF_OPTION_FLAG, offsetof(struct svf_dmesg_options, json), NULL,
	 "print JSON: an array of messages"},
	SVF_OPTION_END,
};

static void svf_dmesg_print(const json_t *messages)
{
	const json_t *message;
	const char *text;
	size_t i;

	json_array_foreach(messages, i, message)
	{
		text = json_string_value(json_object_get(message, "text"));
		printf("[%12.6f] %s\n", json_number_value(json_object_get(message, "time")),
		       text ? text : "");
	}
}

static int svf_dmesg_run(void *target, int argc, char **argv)
{
	const struct svf_dmesg_options *options = target;
	json_t *answer;
	int status = SVF_EXIT_OK;

	if (svf_control_ask(argc ? argv[0] : NULL, "dmesg", &answer))
		return SVF_EXIT_FAILURE;
	if (options->json)
		status = svf_json_print(json_object_get(answer, "messages"));
	else
		svf_dmesg_print(json_object_get(answer, "messages"));
	json_decref(answer);
	return status;
}

const struct svf_verb svf_verb_dmesg = {
	.name = "dmesg",
	.usage = "[OPTION]... [NAME]",
	.summary = "print the kernel messages of a namespace",
	.text = "Prints what a kernel would have logged in the namespace NAME. NAME may be left "
		"out inside a namespace, or\n"
		"when only one runs.",
	.examples = "  softvfio dmesg\n"
		    "  softvfio dmesg lab | grep vfio\n",
	.options = {svf_dmesg_options},
	.target_size = sizeof(struct svf_dmesg_options),
	.max_operands = 1,
	.failure = SVF_EXIT_FAILURE,
	.run = svf_dmesg_run,
};
