/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device files whose last descriptor is closed while a BAR of the device is still mapped.
 *
 * On a kernel a mapping of a BAR is a use of the device file it came from: the device stays open,
 * and its group busy, until the last process has unmapped or ended. Ours are mappings of a memfd, of
 * which FUSE knows nothing; so the host keeps such a file open itself, until the memory behind the
 * device's BARs has no user but the host. Otherwise the next user's device memory would be in reach
 * of the previous one.
 *
 * Whether it has: each client gets an open file description of its own, which its mappings keep. A
 * write lease is granted on a file only to its sole opener, so asking for one tells (the lease is
 * given back at once). When to look again: inotify reports the end of a description.
 *
 * All closed files of a device wait for all its mappings, where a kernel tells them apart; as the
 * mapping processes shared the device, they belong together anyway.
 */
#ifndef SVF_HOST_CLIENT_LINGER_H
#define SVF_HOST_CLIENT_LINGER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "host/loop.h"

struct svf_file;
struct svf_function;
struct svf_host;
struct svf_host_ram;
struct svf_ram;

struct svf_linger {
	struct svf_source source; /* inotify, from the first mapping on */
};

void svf_linger_init(struct svf_linger *linger);
void svf_linger_fini(struct svf_linger *linger, struct svf_host *host);

/* A descriptor of ram for a client, an open file description of its own. Return: it, or -ENOMEM. */
int svf_linger_lend(struct svf_host *host, struct svf_host_ram *ram) SVF_MUST_CHECK;

/* Whether anybody else can reach it: has it mapped, or a descriptor of it. */
bool svf_linger_in_use(struct svf_ram *ram);

/* Lets go of the files whose mappings have ended. */
void svf_linger_check(struct svf_host *host);
/* Whether there is any such file, kept until its mappings end. */
bool svf_linger_any(const struct svf_host *host);

/* Whether a file of the core that nobody has open any more must stay for a mapping's sake. */
bool svf_linger_holds(const struct svf_file *file);

#endif
