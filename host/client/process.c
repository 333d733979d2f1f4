/* SPDX-License-Identifier: BSD-3-Clause */
/* The calling process; see process.h for why numbers of threads may be relied on. */
#include "host/client/process.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/files/text.h"

/* Since Linux 6.9: a pidfd of the thread itself, which may have a descriptor table of its own. */
#define SVF_PIDFD_THREAD O_EXCL

/* Of what the kernel tells a program at its exec; there are some 25 entries. */
#define AUXV_MAX 64

/* Reads at most size - 1 bytes of /proc/TID/NAME and terminates them. Return: length or -errno. */
static ssize_t read_proc(pid_t tid, const char *name, char *buf, size_t size)
{
	char path[48];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

void svf_process_comm(struct svf_comm_cache *cache, pid_t tid, char comm[SVF_COMM_SIZE])
{
	size_t slot = (size_t)tid % SVF_ARRAY_SIZE(cache->entries);
	char *cached = cache->entries[slot].comm;
	struct timespec now;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (cache->entries[slot].tid != tid || cache->entries[slot].second != now.tv_sec) {
		n = tid > 0 ? read_proc(tid, "comm", cached, SVF_COMM_SIZE) : -ESRCH;
		if (n <= 0)
			strcpy(cached, "?");
		else if (cached[n - 1] == '\n')
			cached[n - 1] = '\0';
		svf_text_clean(cached);
		cache->entries[slot].tid = tid;
		cache->entries[slot].second = now.tv_sec;
	}
	memcpy(comm, cached, SVF_COMM_SIZE);
}

/* The value of a line "Name:\tvalue" of /proc/TID/status, or NULL. */
static const char *status_line(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? line + strlen(name) : NULL;
}

int svf_process_of(pid_t tid, pid_t *ret)
{
	char status[2048];
	const char *value;
	ssize_t n;
	int fd;

	/* Without the flag for threads, only the first thread of a process has a pidfd. */
	fd = (int)syscall(SYS_pidfd_open, tid, 0);
	if (fd >= 0) {
		close(fd);
		*ret = tid;
		return 0;
	}
	n = read_proc(tid, "status", status, sizeof(status));
	if (n < 0)
		return -ESRCH;
	value = status_line(status, "\nTgid:");
	if (!value)
		return -ESRCH;
	*ret = (pid_t)strtol(value, NULL, 10);
	return 0;
}

int svf_process_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? -EMFILE : -ESRCH;
	return fd;
}

bool svf_process_exists(int pidfd)
{
	/* Not being allowed to signal it is an answer too. */
	return !syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) || errno == EPERM;
}

int svf_process_random_at(pid_t pid, uint64_t *ret)
{
	Elf64_auxv_t vector[AUXV_MAX];
	ssize_t n = read_proc(pid, "auxv", (char *)vector, sizeof(vector));

	for (ssize_t i = 0; n > 0 && i < n / (ssize_t)sizeof(vector[0]); i++) {
		if (vector[i].a_type == AT_RANDOM) {
			*ret = vector[i].a_un.a_val;
			return 0;
		}
	}
	return -ESRCH;
}

bool svf_process_has_kvm(pid_t tid)
{
	char path[32], link[32];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)tid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, "/dev/kvm") == 0 ||
			strncmp(link, "anon_inode:kvm-vm", 17) == 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

int svf_process_fetch(pid_t tid, int number)
{
	pid_t pid;
	int pidfd, fd;

	pidfd = (int)syscall(SYS_pidfd_open, tid, SVF_PIDFD_THREAD);
	if (pidfd < 0 && errno == EINVAL) {
		if (svf_process_of(tid, &pid))
			return -EBADF;
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	}
	if (pidfd < 0)
		return errno == EMFILE || errno == ENFILE ? -EMFILE : -EBADF;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (fd < 0)
		fd = errno == ESRCH ? -EBADF : -errno;
	close(pidfd);
	return fd;
}

/* Whether tid lives in our own user namespace, which stands for the first one of a machine. */
static bool in_our_user_namespace(pid_t tid)
{
	struct stat ours, its;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)tid);
	return !stat("/proc/self/ns/user", &ours) && !stat(path, &its) &&
	       ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

uint64_t svf_process_locked(pid_t pid)
{
	char status[2048];
	const char *value;

	if (read_proc(pid, "status", status, sizeof(status)) < 0)
		return 0;
	value = status_line(status, "\nVmLck:");
	return value ? strtoull(value, NULL, 10) * 1024 : 0;
}

bool svf_process_capable(pid_t tid, unsigned int cap)
{
	char status[2048];
	const char *value;

	if (!in_our_user_namespace(tid))
		return false;
	if (read_proc(tid, "status", status, sizeof(status)) < 0)
		return false;
	value = status_line(status, "\nCapEff:");
	return value && (strtoull(value, NULL, 16) >> cap & 1);
}

bool svf_process_in_our_userns(pid_t tid)
{
	struct stat ours, theirs;
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)tid);
	return !stat("/proc/self/ns/user", &ours) && !stat(path, &theirs) &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}
