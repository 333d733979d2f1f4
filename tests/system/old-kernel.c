/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * old-kernel COMMAND...: runs COMMAND as on a Linux of 5.18, as far as the calls that softvfio has a
 * second way for are concerned: a seccomp filter refuses what came later, as that kernel does.
 *
 *	PROCMAP_QUERY on /proc/PID/maps		6.11	ENOTTY
 *	pidfd_open of a thread			6.9	EINVAL
 *	SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV	5.19	EINVAL
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROCMAP_QUERY	   0xc0686611u
#define PIDFD_THREAD	   O_EXCL
#define WAIT_KILLABLE_RECV (1u << 5)

#define ARGUMENT(n)	   (offsetof(struct seccomp_data, args) + (n) * sizeof(uint64_t))
#define LOAD(at)	   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)(at))
#define FAIL(err)	   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err))

/* Each block is passed over unless the number is its own; all load low halves of arguments. */
static struct sock_filter program[] = {
	LOAD(offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
	LOAD(ARGUMENT(1)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROCMAP_QUERY, 0, 9),
	FAIL(ENOTTY),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 3),
	LOAD(ARGUMENT(1)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PIDFD_THREAD, 0, 5),
	FAIL(EINVAL),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 3),
	LOAD(ARGUMENT(1)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, WAIT_KILLABLE_RECV, 0, 1),
	FAIL(EINVAL),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* Whether the filter does what it is there for. */
static int is_old(void)
{
	char query[104] = {104};
	int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	return ioctl(maps, PROCMAP_QUERY, query) < 0 && errno == ENOTTY &&
	       syscall(SYS_pidfd_open, gettid(), PIDFD_THREAD) < 0 && errno == EINVAL &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, WAIT_KILLABLE_RECV, NULL) < 0 &&
	       errno == EINVAL && syscall(SYS_pidfd_open, getpid(), 0) >= 0;
}

int main(int argc, char **argv)
{
	const struct sock_fprog filter = {
		.len = sizeof(program) / sizeof(program[0]),
		.filter = program,
	};

	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) || !is_old()) {
		fprintf(stderr, "old-kernel: this kernel cannot be made old\n");
		return 125;
	}
	execvp(argv[1], argv + 1);
	return 127;
}
