/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is behind clients' shared memory: memfds, files on tmpfs and hugetlbfs. The host maps such a
 * file too, and devices then reach it by a copy within the host instead of a system call.
 *
 * Which file it is, and where in it, is found when memory is mapped for DMA, and is what the device
 * goes on reaching, whatever the client maps at the same addresses later: as on a kernel, which has
 * pinned the pages. Private memory has no backing and is reached through the process.
 *
 * Mapping a file would make each MAP dearer, and not all memory is reached by a device. So a backing
 * is a note only until the first access; then the file is looked for among the descriptors of the
 * process. One that has closed it has nothing to be found, and stays with the way through the
 * process; so do files beyond the bounds. It is tried again, ever more seldom.
 *
 * What the host maps it has from a descriptor of the client's, with the permission which that has: a
 * file that the client cannot write, the host cannot either, and sealed files are read only. What
 * a device may do is decided by the IOMMU alone.
 *
 * Where the client has cut its file off, or a huge page cannot be had, the copy ends (guard.h).
 */
#ifndef SVF_HOST_CLIENT_BACKING_H
#define SVF_HOST_CLIENT_BACKING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "host/client/procmap.h"

struct svf_host;
struct svf_mm;

struct svf_backing {
	struct svf_list link; /* mm->backings, the one that was asked for last first */
	struct svf_mm *mm;    /* NULL when that is gone */
	struct svf_host *host;
	unsigned int refs;
	dev_t dev;
	ino_t ino;

	/* Bytes that devices have moved the other way since it was last tried to map the file. */
	uint64_t moved;
	uint64_t worth; /* so many make the next attempt worth while */

	char *base;    /* the file, from its beginning; NULL: not mapped here */
	uint64_t size; /* bytes mapped */
	bool writable;
};

/*
 * Of a mapping of mm: another reference, NULL when there can be none: private memory, or out of
 * memory.
 */
struct svf_backing *svf_backing_get(struct svf_mm *mm, const struct svf_vma *vma);
struct svf_backing *svf_backing_ref(struct svf_backing *backing);
void svf_backing_put(struct svf_backing *backing);
/* The process's memory is let go; backings that DMA mappings hold stay as they are. */
void svf_backings_orphan(struct svf_mm *mm);

/*
 * Whether bytes from offset on can be copied here; counts them if not, and may map the file.
 */
bool svf_backing_reach(struct svf_backing *backing, uint64_t offset, uint64_t len, bool write);
/* The same, and nothing more. */
bool svf_backing_covers(const struct svf_backing *backing, uint64_t offset, uint64_t len,
			bool write);
/* Of bytes that are covered. Return: how many, from the first on. */
uint64_t svf_backing_copy(const struct svf_backing *backing, uint64_t offset, void *ours,
			  uint64_t len, bool write);

#endif
