/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared memory behind BARs: a memfd each, mapped by the host for as long as it lives and by
 * clients through the preload.
 *
 * Hidden memory (its function decodes none) is taken out of the file: the contents move to a file
 * that is the host's alone, which it maps in the same place, and the clients' file is cut to
 * nothing, so that their accesses are SIGBUS as a kernel's are. Shown again, they move back.
 * Nothing is moved while no client has been lent the memory.
 *
 * The file cannot be sealed against that, so a client could cut it, too: it takes its own device's
 * memory away, and the host goes on (guard.h) until the next reset makes the file whole.
 *
 * Memory whose stores the function sees (protected) is sealed against writing but for the mappings that the host
 * made before: clients get it like other memory, and can neither map it for writing nor write the file. One of
 * the host's mappings stays for good, since no new one could be made.
 */
#ifndef SVF_HOST_CLIENT_RAM_H
#define SVF_HOST_CLIENT_RAM_H

#include <sys/types.h>

#include "base/list.h"
#include "core/port.h"
#include "host/client/guard.h"

struct svf_host;

struct svf_host_ram {
	struct svf_ram ram;
	struct svf_list link; /* host->rams */
	struct svf_guard guard;
	uint8_t *window; /* of protected memory: what other mappings are made from; NULL */
	int fd;		 /* what clients map */
	int store_fd;	 /* what the host maps instead while it is hidden from them; -1 */
	int probe_fd;	 /* see linger.c; -1 until a client has been lent the memory */
	dev_t dev;
	ino_t ino;
};

int svf_host_ram_alloc(struct svf_machine *machine, uint64_t size, struct svf_ram **ret);
void svf_host_ram_free(struct svf_machine *machine, struct svf_ram *ram);
void svf_host_ram_clear(struct svf_machine *machine, struct svf_ram *ram);
int svf_host_ram_protect(struct svf_machine *machine, struct svf_ram *ram);
void svf_host_ram_hide(struct svf_machine *machine, struct svf_ram *ram);
/* By the identity of its file, as mappings show it; NULL. */
struct svf_host_ram *svf_host_ram_lookup(struct svf_host *host, dev_t dev, ino_t ino);

#endif
