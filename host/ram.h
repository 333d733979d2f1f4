/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared memory behind BARs: a memfd each, mapped by the host for as long as it lives and by
 * clients through the preload. Sealed, so that no client can take pages away under the host.
 */
#ifndef SVF_HOST_RAM_H
#define SVF_HOST_RAM_H

#include <sys/types.h>

#include "base/list.h"
#include "core/port.h"

struct svf_host;

struct svf_host_ram {
	struct svf_ram ram;
	struct svf_list link; /* host->rams */
	int fd;
	int probe_fd; /* see linger.c; -1 until a client has been lent the memory */
	dev_t dev;
	ino_t ino;
};

int svf_host_ram_alloc(struct svf_machine *machine, uint64_t size, struct svf_ram **ret);
void svf_host_ram_free(struct svf_machine *machine, struct svf_ram *ram);
void svf_host_ram_clear(struct svf_machine *machine, struct svf_ram *ram);
/* By the identity of its file, as mappings show it; NULL. */
struct svf_host_ram *svf_host_ram_lookup(struct svf_host *host, dev_t dev, ino_t ino);

#endif
