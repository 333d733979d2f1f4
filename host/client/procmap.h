/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is mapped in another process, from /proc/PID/maps: by the PROCMAP_QUERY ioctl where the
 * kernel has it (6.11), which costs a microsecond however many mappings there are, otherwise by
 * reading the text from its beginning.
 *
 * The descriptor stands for the address space the process had when it was opened, not for the
 * process: after an exec, or when the process is gone and its number used again, every query says
 * -ESRCH.
 */
#ifndef SVF_HOST_CLIENT_PROCMAP_H
#define SVF_HOST_CLIENT_PROCMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define SVF_VMA_READ   (1u << 0)
#define SVF_VMA_WRITE  (1u << 1)
#define SVF_VMA_EXEC   (1u << 2)
#define SVF_VMA_SHARED (1u << 3)
#define SVF_VMA_SYSV   (1u << 4) /* of System V shared memory; by svf_procmap_next_text() only */

struct svf_vma {
	uint64_t first, last;
	unsigned int flags; /* SVF_VMA_* */
	dev_t dev;	    /* of the file behind it, with inode; both 0: anonymous */
	uint64_t inode;
	uint64_t offset; /* bytes into that file, of first */
};

/* Return: a descriptor, or -ESRCH, -EACCES, ... */
int svf_procmap_open(pid_t pid) SVF_MUST_CHECK;
/*
 * The mapping that covers address or, failing that, the next above it. With executable, mappings
 * of files with execute permission only. Return: 0, -ENOENT there is none, -ESRCH.
 */
int svf_procmap_next(int fd, uint64_t address, bool executable, struct svf_vma *ret) SVF_MUST_CHECK;
/* Whether the mapping at address is System V shared memory; true also when that cannot be found out. */
bool svf_procmap_is_sysv(int fd, uint64_t address);
/* The same as svf_procmap_next() by the text, whatever the kernel has. */
int svf_procmap_next_text(int fd, uint64_t address, bool executable,
			  struct svf_vma *ret) SVF_MUST_CHECK;

#endif
