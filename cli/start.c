/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio start: a namespace that stays, for any number of commands. Its host is a process of its
 * own that nobody waits for; the namespace lives as long as the host does.
 */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/control.h"
#include "cli/launch/launch.h"

static int svf_start_run(void *target, int argc, char **argv)
{
	const struct svf_launch_options *options = target;
	struct svf_host_process host;
	int status;

	if (svf_launch_help(options, &status))
		return status;
	if (!argc)
		return svf_complain(SVF_EXIT_FAILURE, "start: no name is given: softvfio start %s",
				    svf_verb_start.usage);
	if (svf_control_name_check(argv[0]) || svf_host_launch(options, argv[0], true, &host))
		return SVF_EXIT_FAILURE;
	return SVF_EXIT_OK;
}

const struct svf_verb svf_verb_start = {
	.name = "start",
	.usage = "[OPTION]... NAME",
	.summary = "start a namespace that several commands share",
	.text = "Starts the namespace NAME and returns when it serves. Commands enter it with "
		"softvfio exec; it lasts until\n"
		"softvfio stop. Namespaces do not see one another.",
	.examples = "  softvfio start lab -d null,vfs=2\n"
		    "  softvfio exec lab -- lspci\n"
		    "  softvfio stop lab\n",
	.options = {svf_device_options},
	.target_size = sizeof(struct svf_launch_options),
	.max_operands = 1,
	.failure = SVF_EXIT_FAILURE,
	.run = svf_start_run,
};
