/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio stop: ends a namespace with all that runs in it, and returns when it is gone.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/control.h"

/* What a host may take to end its clients. */
#define SVF_STOP_TIMEOUT_MS 30000

/* A process descriptor is readable when the process has ended. */
static int svf_stop_wait(struct pollfd *process)
{
	int ret;

	do
		ret = poll(process, 1, SVF_STOP_TIMEOUT_MS);
	while (ret < 0 && errno == EINTR);
	return ret > 0 ? 0 : -ETIMEDOUT;
}

static int svf_stop_run(void *target, int argc, char **argv)
{
	struct pollfd process = {.events = POLLIN};
	pid_t host;
	int control = svf_control_connect(argv[0], &host), ret;

	(void)target;
	(void)argc;
	if (control < 0)
		return SVF_EXIT_FAILURE;
	process.fd = (int)syscall(SYS_pidfd_open, host, 0);
	ret = svf_control_call(control, "stop", -1, NULL);
	close(control);
	if (!ret && process.fd >= 0) {
		ret = svf_stop_wait(&process);
		if (ret)
			svf_complain(ret,
				     "the host of '%s' (process %d) does not end; kill it: kill "
				     "-KILL %d",
				     argv[0], host, host);
	}
	if (process.fd >= 0)
		close(process.fd);
	return ret ? SVF_EXIT_FAILURE : SVF_EXIT_OK;
}

const struct svf_verb svf_verb_stop = {
	.name = "stop",
	.usage = "NAME",
	.summary = "end a namespace and all that runs in it",
	.text = "Kills the processes of the namespace NAME, ends it, and returns when it is gone.",
	.examples = "  softvfio stop lab\n",
	.min_operands = 1,
	.max_operands = 1,
	.failure = SVF_EXIT_FAILURE,
	.run = svf_stop_run,
};
