/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What clients may use up together. Every queue and table of the host that a client can make
 * longer has its bound here; the core's own are struct svf_limits of the machine.
 */
#ifndef SVF_HOST_BOUNDS_H
#define SVF_HOST_BOUNDS_H

struct svf_bounds {
	unsigned int opens;	/* open files of ours: -ENFILE */
	unsigned int requests;	/* requests that wait: -EAGAIN */
	unsigned int listeners; /* seccomp listeners; "exec" makes one each */
	unsigned int events;	/* eventfds held: -EMFILE */
	unsigned int mms;	/* address spaces held, three descriptors each: -ENOMEM */
};

#define SVF_MAX_CONTROLS 16   /* control connections */
#define SVF_MAX_FETCHED	 4096 /* descriptors one call may name; SET_IRQS names up to 2048 */

/* Raises the limit of open files to what is allowed and divides it up. */
void svf_bounds_init(struct svf_bounds *bounds);

#endif
