/* SPDX-License-Identifier: BSD-3-Clause */
/* Trapped pages as a signal handler finds them; table.c keeps them. */
#ifndef SVF_PRELOAD_TABLE_H
#define SVF_PRELOAD_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "preload/trap.h"

struct svf_identity {
	uint32_t dev_major, dev_minor;
	uint64_t ino;
};

/* Which file a descriptor is, as the kernel knows without asking the host. Return: whether it is one. */
bool svf_identify(int fd, struct svf_identity *ret);

/* The device file behind a mapping. */
struct svf_source {
	int fd;
	struct svf_identity identity; /* of the file that fd was when it was made */
	unsigned int pieces;	      /* of the table */
	_Atomic unsigned int uses;    /* accesses under way */
};

struct svf_piece {
	uintptr_t first, last;
	uint64_t offset; /* of first, in the file */
	int prot;	 /* as the client believes */
	enum svf_trap_kind kind;
	struct svf_source *source;
};

/*
 * The pages at an address, a copy whose source stays while it is had. Return: whether they are trapped. For
 * handlers: all signals are blocked.
 */
bool svf_piece_get(uintptr_t address, struct svf_piece *ret);
void svf_piece_put(const struct svf_piece *piece);

#endif
