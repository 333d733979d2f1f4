/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Standing in for CMD. We and CMD are in one process group, so the terminal's own signals
 * (interrupt, quit, stop, hang-up, window size) reach CMD without us: those we drop, and those that
 * somebody sent to our process we pass on. The kernel tells them apart in si_code.
 *
 * Job control: when CMD stops, we stop, so that the caller's shell sees its job stopped; when we
 * are continued, so is CMD.
 *
 * All signals of the table are blocked from before the fork until we exit and taken one at a time
 * by sigwaitinfo(); there is no handler, and nothing can come between looking and sleeping.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/launch/launch.h"

static const int svf_forwarded[] = {
	SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGTSTP, SIGCONT,
};

static sigset_t svf_caller_mask;
static struct sigaction svf_caller_child;
static bool svf_prepared;

static void svf_supervise_set(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGCHLD);
	for (size_t i = 0; i < SVF_ARRAY_SIZE(svf_forwarded); i++)
		sigaddset(ret, svf_forwarded[i]);
}

int svf_supervise_prepare(void)
{
	const struct sigaction child = {.sa_handler = SIG_DFL};
	sigset_t set;

	svf_supervise_set(&set);
	/* An ignored SIGCHLD would reap CMD without telling us its status. */
	if (sigprocmask(SIG_BLOCK, &set, &svf_caller_mask) ||
	    sigaction(SIGCHLD, &child, &svf_caller_child))
		return svf_complain(-errno, "cannot block signals: %s", strerror(errno));
	svf_prepared = true;
	return 0;
}

void svf_supervise_restore(void)
{
	if (!svf_prepared)
		return;
	sigaction(SIGCHLD, &svf_caller_child, NULL);
	sigprocmask(SIG_SETMASK, &svf_caller_mask, NULL);
}

/* CMD has stopped: so do we, and here we go on when somebody continues us. */
static void svf_supervise_stop(pid_t command)
{
	raise(SIGSTOP);
	kill(command, SIGCONT);
}

static int svf_status_of(int status)
{
	return WIFSIGNALED(status) ? SVF_EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The host is left to be reaped by who ends it; its death is noticed at once. */
static bool svf_host_died(pid_t host)
{
	siginfo_t info = {0};

	if (!host || waitid(P_PID, (id_t)host, &info, WEXITED | WNOHANG | WNOWAIT))
		return false;
	return info.si_pid == host;
}

/* Return: true when CMD has ended, with its *ret_status. */
static bool svf_supervise_reap(pid_t command, int *ret_status)
{
	int status;

	while (waitpid(command, &status, WNOHANG | WUNTRACED) == command) {
		if (!WIFSTOPPED(status)) {
			*ret_status = svf_status_of(status);
			return true;
		}
		svf_supervise_stop(command);
	}
	return false;
}

static void svf_supervise_forward(pid_t command, const siginfo_t *info)
{
	/*
	 * From the kernel: the terminal's, which CMD has too. From CMD: to its whole group, itself
	 * included.
	 */
	if (info->si_code == SI_KERNEL || info->si_pid == command)
		return;
	kill(command, info->si_signo);
}

int svf_supervise(pid_t command, pid_t host)
{
	bool host_died = false;
	siginfo_t info;
	int status = 0;
	sigset_t set;

	svf_supervise_set(&set);
	while (!svf_supervise_reap(command, &status)) {
		if (!host_died && svf_host_died(host)) {
			host_died = true;
			svf_complain(
				-EIO,
				"the host softvfiod ended; the devices of this namespace are gone");
		}
		if (sigwaitinfo(&set, &info) > 0 && info.si_signo != SIGCHLD)
			svf_supervise_forward(command, &info);
	}
	return host_died ? SVF_EXIT_OURS : status;
}
