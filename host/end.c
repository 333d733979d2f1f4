/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ending the processes of a namespace. They are found by their mount namespace, which unlike a
 * process group or a session they cannot leave without a new one of their own; that one has copies
 * of our mounts, by which it is told. Who has unmounted those too has left us for good, and is not
 * ours to end. One that forks faster than we look is caught by looking again until there is none; a
 * zombie has no namespace and does not count.
 */
#include "host/end.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A process that does not die of SIGKILL hangs in a driver; that is not for us to wait for. */
#define DEATH_TIMEOUT_MS 2000
#define ROUNDS		 100

struct search {
	struct stat own; /* our mount namespace */
	ino_t foreign;	 /* one that has not our mounts, looked at last; most processes share one */
	dev_t fuse;	 /* our filesystem */
};

/* A line of mountinfo is "id parent major:minor ...". */
static bool mounts_have(pid_t pid, dev_t dev)
{
	unsigned int dev_major, dev_minor;
	char path[32], *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0) {
		found = sscanf(line, "%*s %*s %u:%u", &dev_major, &dev_minor) == 2 &&
			makedev(dev_major, dev_minor) == dev;
	}
	free(line);
	fclose(file);
	return found;
}

static bool belongs(pid_t pid, struct search *search)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	if (stat(path, &st))
		return false;
	if (st.st_ino == search->own.st_ino)
		return true;
	if (st.st_ino == search->foreign)
		return false;
	if (mounts_have(pid, search->fuse))
		return true;
	search->foreign = st.st_ino;
	return false;
}

/* Return: a pidfd of the process that was killed, or -1. */
static int kill_process(pid_t pid, struct search *search)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return -1;
	/* Looked at again now that the number cannot mean another process. */
	if (belongs(pid, search) && !syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0))
		return pidfd;
	close(pidfd);
	return -1;
}

/* Kills all there are, then waits for one of them. Return: whether there was one. */
static bool end_round(DIR *proc, struct search *search)
{
	struct pollfd last = {.fd = -1, .events = POLLIN};
	struct dirent *entry;
	bool found = false;

	rewinddir(proc);
	while ((entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (!isdigit((unsigned char)entry->d_name[0]) || pid == getpid() ||
		    pid == getppid())
			continue;
		if (!belongs(pid, search))
			continue;
		found = true;
		if (last.fd >= 0)
			close(last.fd);
		last.fd = kill_process(pid, search);
	}
	if (last.fd >= 0) {
		poll(&last, 1, DEATH_TIMEOUT_MS);
		close(last.fd);
	}
	return found;
}

/* In the first user namespace the map is the whole of numbers, 0 to 2^32 - 2, onto itself. */
static bool first_user_namespace(void)
{
	unsigned int inside, outside, count;
	FILE *map = fopen("/proc/self/uid_map", "re");
	bool first = true;

	if (!map)
		return true;
	if (fscanf(map, "%u %u %u", &inside, &outside, &count) == 3)
		first = count == UINT32_MAX;
	fclose(map);
	return first;
}

/*
 * Process 1 lives in the system's namespaces. Where it may not be looked at: an ordinary user has
 * made a namespace only within a user namespace of his own; root is believed to have been started
 * by the launcher.
 */
static bool namespace_is_private(const struct stat *own)
{
	struct stat first;

	if (stat("/proc/1/ns/mnt", &first))
		return geteuid() == 0 || !first_user_namespace();
	return first.st_dev != own->st_dev || first.st_ino != own->st_ino;
}

void svf_end_processes(dev_t fuse)
{
	struct search search = {.fuse = fuse};
	DIR *proc;

	if (stat("/proc/self/ns/mnt", &search.own) || !namespace_is_private(&search.own))
		return;
	proc = opendir("/proc");
	if (!proc)
		return;
	for (int round = 0; round < ROUNDS && end_round(proc, &search); round++)
		;
	closedir(proc);
}
