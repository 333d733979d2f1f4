/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Giving a client a new descriptor: the answer to a notification of a seccomp listener.
 *
 * For a file of the core the helper opens a file in a directory of our filesystem that is there for
 * nobody but the helper (fuse.c goes by the number of the calling thread) and not below any place
 * where clients see the filesystem. That open takes the waiting file; SECCOMP_IOCTL_NOTIF_ADDFD
 * puts it into the client's table. If the client is gone, or has no room there, closing the
 * helper's descriptor ends the file the way every file ends.
 *
 * The client is answered only after that, when nothing of ours holds the new file or the one it was
 * asked of: what the client closes next must be closed, and not a moment later.
 */
#ifndef SVF_HOST_CALLS_INJECT_H
#define SVF_HOST_CALLS_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"

struct svf_file;
struct svf_host;
struct svf_open;
struct svf_request;

/*
 * The directory, below the root. What /proc/PID/fd shows of the new descriptor begins like the
 * kernel's.
 */
#define SVF_INJECT_DIR "anon_inode:[vfio-device]"

struct svf_injects {
	struct svf_list waiting; /* struct inject.link */
	uint64_t next_id;
};

void svf_injects_init(struct svf_injects *injects);
/*
 * Gives request->call.ret_file or request->ret_ram to the client that waits. Return: 0, and the
 * request is kept until it is done; -ENOMEM, -EMFILE with the file closed.
 */
int svf_inject(struct svf_request *request);
/* The file that waits under that number, now the caller's, and for which thread; NULL: none. */
struct svf_file *svf_inject_take(struct svf_injects *injects, uint64_t id, pid_t *ret_tid);
/* What took it; held until the caller has its descriptor or cannot have it. */
void svf_inject_opened(struct svf_injects *injects, uint64_t id, struct svf_open *open);

#endif
