/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Seccomp listeners: the way of the few commands that make a new descriptor for the caller, and of
 * one of KVM's (kvm.h). One listener for each tree of processes under the launcher's filter, which catches only the numbers
 * in SVF_LISTENED_COMMANDS, on whatever file. What is not about a file of ours is handed back to
 * the kernel, untouched.
 */
#ifndef SVF_HOST_CALLS_SECCOMP_H
#define SVF_HOST_CALLS_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "host/loop.h"

struct svf_host;

struct svf_listener {
	struct svf_list link;
	struct svf_source source;
	struct svf_host *host;
	int fd;
	unsigned int refs; /* the list, each request that came by it */
};

struct svf_seccomp {
	struct svf_list listeners;
	unsigned int count;
};

void svf_seccomp_init(struct svf_seccomp *seccomp);
void svf_seccomp_fini(struct svf_seccomp *seccomp);
/* Takes fd over, also on failure. Return: 0, -EINVAL (no listener), -EMFILE (too many), -ENOMEM. */
int svf_seccomp_add(struct svf_host *host, int fd) SVF_MUST_CHECK;

void svf_listener_put(struct svf_listener *listener);
/* Whether the caller still waits, so that what was read from its memory was its memory. */
bool svf_listener_valid(const struct svf_listener *listener, uint64_t notification);
/* result: value or negative errno of the call; pass: let the kernel do the call instead. */
void svf_listener_answer(const struct svf_listener *listener, uint64_t notification, long result,
			 bool pass);

#endif
