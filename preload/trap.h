/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trapped pages: parts of BARs whose registers act when they are accessed. They are mapped without
 * any permission, or for loads alone; the SIGSEGV of an access is answered by carrying the instruction
 * out with reads and writes of the device file.
 */
#ifndef SVF_PRELOAD_TRAP_H
#define SVF_PRELOAD_TRAP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether there is a trapped page at all, or one in [address, address + len). */
bool svf_trap_any(void);
bool svf_trap_overlaps(uintptr_t address, size_t len);

enum svf_trap_kind {
	SVF_TRAP_ALL,	 /* mapped without permission */
	SVF_TRAP_STORES, /* mapped, but not for writing */
};

/*
 * [address, address + len) has been mapped as its kind says, and stands for the file from offset on.
 * prot: as the client believes. fd is dup'ed. Return: 0, or an errno: nothing is trapped.
 */
int svf_trap_add(uintptr_t address, size_t len, int fd, uint64_t offset, int prot,
		 enum svf_trap_kind kind);
/* The range is trapped no more; what only lay partly in it is cut. */
void svf_trap_remove(uintptr_t address, size_t len);
/*
 * mprotect on trapped pages. *ret_len: how much from address on is alike, trapped or not. Return: the
 * protection that these pages are to be given in truth.
 */
int svf_trap_protect(uintptr_t address, size_t len, int prot, size_t *ret_len);
/* How much of [address, address + len), with pages that are trapped in it, is one run of pages from its beginning. */
size_t svf_trap_alike(uintptr_t address, size_t len);
/* Pages that mremap has moved. */
void svf_trap_move(uintptr_t from, size_t len, uintptr_t to);

/*
 * For signals.c. Whether the fault of a signal was an access that has been carried out; if not,
 * *number is the signal that the client deserves for it, and info says where.
 */
bool svf_trap_handle(int *number, siginfo_t *info, void *context);

/* signals.c: SIGSEGV and SIGILL come to the trap first from now on. Return: 0, or an errno. */
int svf_signals_take(void);
/* signals.c, trap.c: in a child of fork(). */
void svf_signals_forked(void);
void svf_trap_forked(void);

#endif
