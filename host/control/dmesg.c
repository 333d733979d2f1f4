/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel messages of the machine; see dmesg.h. */
#include "host/control/dmesg.h"

#include <stdio.h>

#include "host/files/text.h"

#define NS_PER_S 1000000000L

void svf_dmesg_init(struct svf_dmesg *dmesg)
{
	clock_gettime(CLOCK_MONOTONIC, &dmesg->start);
	dmesg->count = 0;
}

struct timespec svf_dmesg_now(const struct svf_dmesg *dmesg)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now.tv_sec -= dmesg->start.tv_sec;
	now.tv_nsec -= dmesg->start.tv_nsec;
	if (now.tv_nsec < 0) {
		now.tv_nsec += NS_PER_S;
		now.tv_sec--;
	}
	return now;
}

void svf_dmesg_add(struct svf_dmesg *dmesg, const char *text)
{
	struct svf_dmesg_entry *entry = &dmesg->entries[dmesg->count % SVF_DMESG_ENTRIES];

	entry->time = svf_dmesg_now(dmesg);
	snprintf(entry->text, sizeof(entry->text), "%s", text);
	svf_text_clean(entry->text);
	dmesg->count++;
}
