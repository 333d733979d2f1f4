/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio shell: run, with the user's shell as the command.
 */
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run.h"

static int svf_shell_run(void *target, int argc, char **argv)
{
	const char *shell = getenv("SHELL");
	char *words[] = {(char *)(shell && *shell ? shell : "/bin/sh"), NULL};
	int status;

	(void)argc;
	(void)argv;
	if (svf_launch_help(target, &status))
		return status;
	if (isatty(STDERR_FILENO))
		svf_complain(0, "a shell in a VFIO namespace; try lspci -nnk, ls -l /dev/vfio, "
				"softvfio why; exit leaves it");
	return svf_run_command(target, words);
}

const struct svf_verb svf_verb_shell = {
	.name = "shell",
	.usage = "[OPTION]...",
	.summary = "run a shell in a namespace of its own",
	.text = "Runs $SHELL, or /bin/sh, in a new VFIO namespace. Everything else is as with run.",
	.examples = "  softvfio shell\n"
		    "  softvfio shell -d null,totalvfs=4\n",
	.options = {svf_device_options, svf_run_options},
	.target_size = sizeof(struct svf_launch_options),
	.failure = SVF_EXIT_OURS,
	.run = svf_shell_run,
};
