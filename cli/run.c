/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio run: a namespace for one command. It begins and ends with the command.
 */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/control.h"
#include "cli/launch/launch.h"
#include "cli/run.h"

#define SVF_R(member) offsetof(struct svf_launch_options, member)

const struct svf_option svf_run_options[] = {
	{"name", 'n', SVF_OPTION_STRING, SVF_R(name), "NAME",
	 "name of the namespace; default run-PID"},
	{"why", 'w', SVF_OPTION_FLAG, SVF_R(why), NULL,
	 "at the end, print the failed calls to stderr"},
	{"no-preload", '\0', SVF_OPTION_FLAG, SVF_R(no_preload), NULL,
	 "do without the preload: BARs cannot be mapped"},
	SVF_OPTION_END,
};

static void svf_run_print_why(int control)
{
	json_t *answer;

	if (svf_control_call(control, "why", -1, &answer))
		return;
	svf_why_print(json_object_get(answer, "calls"), stderr);
	json_decref(answer);
}

int svf_run_command(const struct svf_launch_options *options, char **argv)
{
	struct svf_host_process host;
	char name[32];
	int status;

	if (options->name && svf_control_name_check(options->name))
		return SVF_EXIT_OURS;
	snprintf(name, sizeof(name), "run-%d", getpid());
	if (svf_host_launch(options, options->name ? options->name : name, false, &host))
		return SVF_EXIT_OURS;
	status = svf_command_run(&(struct svf_command){.name = host.name,
						       .control = host.control,
						       .preload = host.preload,
						       .host = host.pid,
						       .argv = argv});
	if (options->why)
		svf_run_print_why(host.control);
	return svf_host_end(&host) ? SVF_EXIT_OURS : status;
}

static int svf_run_run(void *target, int argc, char **argv)
{
	const struct svf_launch_options *options = target;
	int status;

	if (svf_launch_help(options, &status))
		return status;
	if (!argc)
		return svf_complain(SVF_EXIT_OURS, "run: no command is given: softvfio run %s",
				    svf_verb_run.usage);
	return svf_run_command(options, argv);
}

const struct svf_verb svf_verb_run = {
	.name = "run",
	.usage = "[OPTION]... [--] CMD [ARGUMENT]...",
	.summary = "run a command in a namespace of its own",
	.text = "Runs CMD in a new VFIO namespace, with a private PCI host, /dev/vfio and "
		"/dev/iommu. When CMD ends, what is\n"
		"left of it is killed and the namespace vanishes. The exit status is CMD's, 128 "
		"plus the signal's number when\n"
		"a signal ended it, 125 when softvfio itself failed, 126 when CMD cannot be "
		"executed, 127 when there is none.",
	.examples = "  softvfio run -- lspci -nnk\n"
		    "  softvfio run -d null,vfs=2 -- ./my-vfio-test\n"
		    "  softvfio run -d null@0000:03:00.0,vfs=4 -d null -- dpdk-testpmd --no-huge\n"
		    "  softvfio run -c machine.yaml --why -- ./my-vfio-test\n"
		    "  softvfio run -d help\n"
		    "  softvfio run -d null,help\n",
	.options = {svf_device_options, svf_run_options},
	.target_size = sizeof(struct svf_launch_options),
	.max_operands = -1,
	.failure = SVF_EXIT_OURS,
	.run = svf_run_run,
};
