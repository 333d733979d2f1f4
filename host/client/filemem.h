/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of files that clients map for DMA without having it mapped themselves (IOAS_MAP_FILE): a kind
 * of struct svf_mm whose addresses are offsets in the file. mm.c asks here wherever an svf_mm has
 * a file.
 *
 * Only memory files are taken: memfds, files on tmpfs and hugetlbfs. Whether it is one is known by its
 * device before it is touched, since any call on a file of somebody's FUSE could wait for ever.
 * Other files are taken without being held, and have no bytes: as on the kernel MAP succeeds as long
 * as nobody needs the pages.
 *
 * The bytes are mapped here, and reached by a copy within this process that fails where the file has
 * been cut off, instead of a signal.
 */
#ifndef SVF_HOST_CLIENT_FILEMEM_H
#define SVF_HOST_CLIENT_FILEMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/port.h"

struct svf_filemem;

/* The port's mm_get_file. */
int svf_host_mm_get_file(struct svf_call *call, int fd, uint64_t first, uint64_t last, bool write,
			 struct svf_mm **ret);
int svf_host_mm_change_owner(struct svf_mm *mm, struct svf_call *call);

void svf_filemem_destroy(struct svf_filemem *file);
int svf_filemem_check(const struct svf_filemem *file, uint64_t first, uint64_t last, bool write);
/* Between bytes of ours and those of the file. Return: how many, from the first on. */
uint64_t svf_filemem_copy(const struct svf_filemem *file, uint64_t addr, void *ours, uint64_t len,
			  bool write);
/* As the port's mm_account, to whom mapped it. */
int svf_filemem_account(struct svf_filemem *file, int64_t pages, uint64_t *ret_limit);
/* As the port's mm_locate, for the memory that a process has at addr. */
bool svf_filemem_locate(const struct svf_filemem *file, const struct svf_mm *process, uint64_t addr,
			uint64_t *ret_addr, uint64_t *ret_len);

#endif
