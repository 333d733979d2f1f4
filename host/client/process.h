/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calling process. A request names a thread, which sleeps in its system call as long as the
 * request lasts: its number cannot be used again meanwhile, so /proc/TID and pidfd_open(TID)
 * mean the caller and nobody else.
 */
#ifndef SVF_HOST_CLIENT_PROCESS_H
#define SVF_HOST_CLIENT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define SVF_COMM_SIZE 16

/*
 * Names of threads for messages, kept for a second: reading one costs as much as a whole call.
 */
struct svf_comm_cache {
	struct {
		pid_t tid;
		long second;
		char comm[SVF_COMM_SIZE];
	} entries[32];
};

/* "?" when it cannot be read. */
void svf_process_comm(struct svf_comm_cache *cache, pid_t tid, char comm[SVF_COMM_SIZE]);

/* The process a thread belongs to. Return: 0, -ESRCH. */
int svf_process_of(pid_t tid, pid_t *ret) SVF_MUST_CHECK;

/*
 * A descriptor that stands for the process, whatever becomes of its number. Return: it, -EMFILE,
 * -ESRCH.
 */
int svf_process_open(pid_t pid) SVF_MUST_CHECK;
/* Whether the process has not been reaped, so that its number is nobody else's. */
bool svf_process_exists(int pidfd);

/*
 * Where the kernel put the random bytes that it gives to each program at its exec (AT_RANDOM),
 * SVF_PROCESS_RANDOM_SIZE of them. Return: 0, -ESRCH.
 */
#define SVF_PROCESS_RANDOM_SIZE 16
int svf_process_random_at(pid_t pid, uint64_t *ret) SVF_MUST_CHECK;

/*
 * Whether the process of the thread has /dev/kvm or a virtual machine open. KVM cannot give a guest pages whose
 * accesses are trapped.
 */
bool svf_process_has_kvm(pid_t tid);

/*
 * A descriptor of ours for descriptor number of the thread. Return: it, -EBADF when there is none,
 * -EMFILE, -EPERM.
 */
int svf_process_fetch(pid_t tid, int number) SVF_MUST_CHECK;

/*
 * Whether the thread has effective capability cap in our own user namespace, which stands for the first
 * one of a machine: those of a namespace that it has made itself lift no limit.
 */
bool svf_process_capable(pid_t tid, unsigned int cap);
/* What the process has locked with mlock, bytes; 0 when that is not to be had. */
uint64_t svf_process_locked(pid_t pid);
/* Whether its capabilities are of the user namespace that we are in; false when it is gone. */
bool svf_process_in_our_userns(pid_t tid);

#endif
