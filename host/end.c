/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ending the processes of a namespace. They are found by their mount namespace, which unlike a
 * process group or a session they cannot leave without a new namespace of their own. One that forks
 * faster than we look is caught by looking again until there is none; a zombie has no namespace and does not count.
 */
#include "host/end.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A process that does not die of SIGKILL hangs in a driver; that is not for us to wait for. */
#define DEATH_TIMEOUT_MS 2000
#define ROUNDS 100

static bool same_namespace(pid_t pid, const struct stat *own)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return !stat(path, &st) && st.st_dev == own->st_dev && st.st_ino == own->st_ino;
}

/* Return: a pidfd of the process that was killed, or -1. */
static int kill_process(pid_t pid, const struct stat *own)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return -1;
	/* Looked at again now that the number cannot mean another process. */
	if (same_namespace(pid, own) && !syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0))
		return pidfd;
	close(pidfd);
	return -1;
}

/* Kills all there are, then waits for one of them. Return: whether there was one. */
static bool end_round(DIR *proc, const struct stat *own)
{
	struct pollfd last = {.fd = -1, .events = POLLIN};
	struct dirent *entry;
	bool found = false;

	rewinddir(proc);
	while ((entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (!isdigit((unsigned char)entry->d_name[0]) || pid == getpid() || pid == getppid())
			continue;
		if (!same_namespace(pid, own))
			continue;
		found = true;
		if (last.fd >= 0)
			close(last.fd);
		last.fd = kill_process(pid, own);
	}
	if (last.fd >= 0) {
		poll(&last, 1, DEATH_TIMEOUT_MS);
		close(last.fd);
	}
	return found;
}

void svf_end_processes(void)
{
	struct stat own;
	DIR *proc;

	if (stat("/proc/self/ns/mnt", &own))
		return;
	proc = opendir("/proc");
	if (!proc)
		return;
	for (int round = 0; round < ROUNDS && end_round(proc, &own); round++)
		;
	closedir(proc);
}
