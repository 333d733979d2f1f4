/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio ls: the namespaces of this user that run; root sees everybody's.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/control.h"

struct svf_ls_options {
	bool json;
};

static const struct svf_option svf_ls_options[] = {
	{"json", 'j', SVF_OPTION_FLAG, offsetof(struct svf_ls_options, json), NULL,
	 "print JSON: an array of the hosts' descriptions"},
	SVF_OPTION_END,
};

static void svf_ls_print(const json_t *infos)
{
	const json_t *info;
	size_t i;

	printf("%-20s %8s %8s %8s %8s\n", "NAME", "PID", "DEVICES", "CLIENTS", "UPTIME");
	json_array_foreach(infos, i, info)
	{
		printf("%-20s %8" JSON_INTEGER_FORMAT " %8zu %8zu %7.0fs\n",
		       json_string_value(json_object_get(info, "name")),
		       json_integer_value(json_object_get(info, "pid")),
		       json_array_size(json_object_get(info, "devices")),
		       json_array_size(json_object_get(info, "clients")),
		       json_number_value(json_object_get(info, "uptime")));
	}
}

/* A host that does not answer has ended meanwhile, or was said not to. */
static json_t *svf_ls_collect(const struct svf_control_list *list)
{
	json_t *infos = json_array(), *info;

	for (size_t i = 0; infos && i < list->count; i++) {
		if (svf_control_call(list->peer[i].fd, "info", -1, &info))
			continue;
		json_object_del(info, "ok");
		/* As seen from here, which may be another PID namespace than the host's. */
		json_object_set_new(info, "pid", json_integer(list->peer[i].pid));
		json_object_set_new(info, "uid", json_integer(list->peer[i].uid));
		json_array_append_new(infos, info);
	}
	return infos;
}

static int svf_ls_run(void *target, int argc, char **argv)
{
	const struct svf_ls_options *options = target;
	struct svf_control_list list;
	int status = SVF_EXIT_OK;
	json_t *infos;

	(void)argc;
	(void)argv;
	if (svf_control_list(NULL, &list))
		return SVF_EXIT_FAILURE;
	infos = svf_ls_collect(&list);
	if (options->json)
		status = svf_json_print(infos);
	else
		svf_ls_print(infos);
	json_decref(infos);
	svf_control_list_fini(&list);
	return status;
}

const struct svf_verb svf_verb_ls = {
	.name = "ls",
	.usage = "[OPTION]...",
	.summary = "list the namespaces that run",
	.text = "Lists your namespaces, those of start as well as those of run and shell. Root "
		"sees everybody's.",
	.examples = "  softvfio ls\n"
		    "  softvfio ls --json | jq '.[].devices'\n",
	.options = {svf_ls_options},
	.target_size = sizeof(struct svf_ls_options),
	.failure = SVF_EXIT_FAILURE,
	.run = svf_ls_run,
};
