/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel messages of the machine: a ring, for `softvfio dmesg`. */
#ifndef SVF_HOST_CONTROL_DMESG_H
#define SVF_HOST_CONTROL_DMESG_H

#include <stdint.h>
#include <time.h>

#define SVF_DMESG_ENTRIES   512
#define SVF_DMESG_TEXT_SIZE 256 /* bytes with NUL; the core makes no longer ones */

struct svf_dmesg_entry {
	struct timespec time; /* since the host's start */
	char text[SVF_DMESG_TEXT_SIZE];
};

struct svf_dmesg {
	struct timespec start; /* of the monotonic clock */
	uint64_t count;	       /* ever logged; message n is entries[n % SVF_DMESG_ENTRIES] */
	struct svf_dmesg_entry entries[SVF_DMESG_ENTRIES];
};

void svf_dmesg_init(struct svf_dmesg *dmesg);
void svf_dmesg_add(struct svf_dmesg *dmesg, const char *text);
/* Time since init. */
struct timespec svf_dmesg_now(const struct svf_dmesg *dmesg);

#endif
