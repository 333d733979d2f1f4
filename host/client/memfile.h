/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory files: memfds, files on tmpfs and on hugetlbfs. Only these does the host map for DMA: of
 * others, somebody's FUSE, a disk, a server, a page could take for ever to come.
 *
 * Whether a file is one is known by its device, before it is touched, since any call on a file of
 * somebody's FUSE could wait for ever, too.
 */
#ifndef SVF_HOST_CLIENT_MEMFILE_H
#define SVF_HOST_CLIENT_MEMFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct svf_memfile_id {
	dev_t dev;
	ino_t ino;
	uint64_t size;	/* bytes */
	uint64_t block; /* the size of its pages, bytes */
};

/*
 * dir_fd and path: a link in some /proc/N/fd. Answered by the kernel from what it has. Return: 0,
 * -EBADF: there is none; -EINVAL: not a regular file.
 */
int svf_memfile_look(int dir_fd, const char *path, struct svf_memfile_id *ret) SVF_MUST_CHECK;
/* Whether that device is a memory filesystem, of those that thread tid can have files of. */
bool svf_memfile_is_memory(pid_t tid, dev_t dev);

#endif
