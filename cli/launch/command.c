/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CMD: a child with the caller's descriptors, terminal, process group, directory and signal
 * dispositions, to which the filter and a few environment variables are added. It dies with the
 * launcher.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/launch/launch.h"

/* Before what the caller preloads: its wrappers of mmap should lie around ours, not below. */
static int svf_environment_preload(void)
{
	const char *others = getenv("LD_PRELOAD");
	char path[PATH_MAX], *value;
	int ret = svf_program_find_preload(path);

	if (ret)
		return ret;
	if (asprintf(&value, "%s%s%s", path, others && *others ? ":" : "", others ? others : "") <
	    0)
		return -ENOMEM;
	ret = setenv("LD_PRELOAD", value, 1) ? -errno : 0;
	free(value);
	return ret;
}

/*
 * A program with AddressSanitizer refuses to start when another library comes before the sanitizer's,
 * unless told that this is well.
 */
static int svf_environment_sanitizer(void)
{
	const char *options = getenv("ASAN_OPTIONS");
	char *value;
	int ret;

	if (options && strstr(options, "verify_asan_link_order="))
		return 0;
	if (asprintf(&value, "%s%sverify_asan_link_order=0", options ? options : "",
		     options && *options ? ":" : "") < 0)
		return -ENOMEM;
	ret = setenv("ASAN_OPTIONS", value, 1) ? -errno : 0;
	free(value);
	return ret;
}

static int svf_environment_set(const struct svf_command *command)
{
	int ret;

	if (setenv(SVF_ENV_NAMESPACE, command->name, 1))
		return -errno;
	/* libudev refuses devices whose files are not of the sysfs type, unless told so. */
	if (setenv("SYSTEMD_DEVICE_VERIFY_SYSFS", "0", 0))
		return -errno;
	if (!command->preload)
		return 0;
	ret = svf_environment_preload();
	return ret ? ret : svf_environment_sanitizer();
}

static int svf_command_enter(const struct svf_command *command, pid_t parent)
{
	int ret = svf_environment_set(command);

	if (!ret && command->join)
		ret = svf_namespace_join(command->join);
	if (ret)
		return ret;
	/* After joining, because a change of user takes it back. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	/* It died before we asked. */
	if (getppid() != parent)
		raise(SIGKILL);
	return svf_seccomp_install(command->control);
}

static _Noreturn void svf_command_exec(const struct svf_command *command, pid_t parent)
{
	int err;

	if (svf_command_enter(command, parent))
		_exit(SVF_EXIT_OURS);
	svf_supervise_restore();
	execvp(command->argv[0], command->argv);
	err = errno;
	svf_complain(err, "cannot run %s: %s", command->argv[0], strerror(err));
	_exit(err == ENOENT ? SVF_EXIT_NOT_FOUND : SVF_EXIT_NOT_EXECUTABLE);
}

int svf_command_run(const struct svf_command *command)
{
	pid_t parent = getpid(), pid;

	if (svf_supervise_prepare())
		return SVF_EXIT_OURS;
	pid = fork();
	if (pid < 0)
		return svf_complain(SVF_EXIT_OURS, "cannot fork: %s", strerror(errno));
	if (!pid)
		svf_command_exec(command, parent);
	/* A host has room for few connections, and this one does its work in the child. */
	if (command->join)
		close(command->control);
	return svf_supervise(pid, command->host);
}
