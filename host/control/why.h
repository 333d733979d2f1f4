/* SPDX-License-Identifier: BSD-3-Clause */
/* The last calls, and DMA of devices, that failed, and why they failed: a ring, for `softvfio why`. */
#ifndef SVF_HOST_CONTROL_WHY_H
#define SVF_HOST_CONTROL_WHY_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "core/call.h"

struct svf_request;

#define SVF_WHY_ENTRIES	  256
#define SVF_WHY_CALL_SIZE 256 /* bytes of the call's text, with its NUL */

struct svf_why_entry {
	struct timespec time; /* since 1970 */
	pid_t pid;	      /* 0: DMA of a device, whose address is in comm */
	char comm[16];
	int err; /* positive */
	char call[SVF_WHY_CALL_SIZE];
	char reason[SVF_REASON_SIZE];
};

struct svf_why {
	uint64_t count; /* ever recorded; entry n is entries[n % SVF_WHY_ENTRIES] */
	struct svf_why_entry entries[SVF_WHY_ENTRIES];
};

/* Of a device: its DMA has failed. Told as a call of "who" that gave EFAULT, with pid 0. */
void svf_why_add(struct svf_why *why, const char *who, const char *what, const char *reason);
/* err: positive errno. The request still waits, so that strings it points to can be shown. */
void svf_why_record(struct svf_why *why, const struct svf_request *request, int err);

#endif
