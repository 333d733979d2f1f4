/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The preload: what the FUSE files cannot do, done inside the client.
 *
 *   map.c      mmap of a BAR, and what the client does to such mappings
 *   trap.c     loads and stores on pages whose registers act at once, which table.c keeps; decode.c,
 *              execute.c, alu.c and vector.c know the instructions, signals.c shares SIGSEGV with the client
 *   arm64.c    loads and stores of AArch64, which the rest does not know yet; tested by itself
 *   stat.c     fstat of a cdev: a node of ours is a regular file to the kernel
 *   export.c   the symbols that take libc's place
 *
 * Nothing here is an authority: the host checks each request as it checks an ioctl, and gives
 * nothing that the region info would not have offered. There is no constructor, no output but for
 * an instruction that ends the client, and errno is touched only by a call that fails.
 *
 * Each function comes as a triple: libc_x is the system call, svf_preload_x the logic, x the symbol
 * that is exported in its place. System calls are made directly: looking up libc's own function
 * would need work at start or in a signal handler. The structures are the kernel's on LP64.
 */
#ifndef SVF_PRELOAD_PRELOAD_H
#define SVF_PRELOAD_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Whether fd is a file of a FUSE filesystem. errno stays. */
bool svf_is_fuse(int fd);

void *svf_preload_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
int svf_preload_munmap(void *addr, size_t length);
int svf_preload_mprotect(void *addr, size_t length, int prot);
void *svf_preload_mremap(void *addr, size_t old_length, size_t length, int flags, void *new_addr);

int svf_preload_fstat(int fd, struct stat *st);
int svf_preload_fstatat(int fd, const char *path, struct stat *st, int flags);
int svf_preload_statx(int fd, const char *path, int flags, unsigned int mask, struct statx *stx);

#endif
