/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio exec: a command in a namespace that runs already. The launcher stays outside; only CMD's
 * process joins the namespaces of the host, so that stopping the namespace ends CMD and we can say
 * so.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/control.h"
#include "cli/launch/launch.h"

struct svf_exec_options {
	bool no_preload;
};

static const struct svf_option svf_exec_options[] = {
	{"no-preload", '\0', SVF_OPTION_FLAG, offsetof(struct svf_exec_options, no_preload), NULL,
	 "do without the preload: BARs cannot be mapped"},
	SVF_OPTION_END,
};

static int svf_exec_run(void *target, int argc, char **argv)
{
	const struct svf_exec_options *options = target;
	char **words = argv + 1;
	pid_t host;
	int control;

	if (argc > 1 && !strcmp(argv[1], "--"))
		words++;
	if (!*words)
		return svf_complain(SVF_EXIT_OURS, "exec: no command is given: softvfio exec %s",
				    svf_verb_exec.usage);
	control = svf_control_connect(argv[0], &host);
	if (control < 0)
		return SVF_EXIT_OURS;
	return svf_command_run(&(struct svf_command){.name = argv[0],
						     .control = control,
						     .preload = !options->no_preload,
						     .join = host,
						     .argv = words});
}

const struct svf_verb svf_verb_exec = {
	.name = "exec",
	.usage = "[OPTION]... NAME [--] CMD [ARGUMENT]...",
	.summary = "run a command in a namespace that was started",
	.text = "Runs CMD in the namespace NAME. The exit status is as with run.",
	.examples = "  softvfio exec lab -- lspci -nnk\n"
		    "  softvfio exec lab -- sh -c 'echo 2 > "
		    "/sys/bus/pci/devices/0000:01:00.0/sriov_numvfs'\n",
	.options = {svf_exec_options},
	.target_size = sizeof(struct svf_exec_options),
	.min_operands = 1,
	.max_operands = -1,
	.failure = SVF_EXIT_OURS,
	.run = svf_exec_run,
};
