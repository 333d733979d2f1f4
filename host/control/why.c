/* SPDX-License-Identifier: BSD-3-Clause */
/* The last failed calls; see why.h. Text is made when a call fails, and costs nothing otherwise. */
#include "host/control/why.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/calls/request.h"
#include "host/files/text.h"

void svf_why_record(struct svf_why *why, const struct svf_request *request, int err)
{
	struct svf_why_entry *entry = &why->entries[why->count % SVF_WHY_ENTRIES];

	clock_gettime(CLOCK_REALTIME, &entry->time);
	entry->pid = request->call.pid;
	entry->err = err;
	memcpy(entry->comm, request->call.comm, sizeof(entry->comm));
	memcpy(entry->reason, request->call.reason, sizeof(entry->reason));
	request->ops->describe(request, entry->call, sizeof(entry->call));
	svf_text_clean(entry->reason);
	svf_text_clean(entry->call);
	why->count++;
}

void svf_why_add(struct svf_why *why, const char *who, const char *what, const char *reason)
{
	struct svf_why_entry *entry = &why->entries[why->count % SVF_WHY_ENTRIES];

	clock_gettime(CLOCK_REALTIME, &entry->time);
	entry->pid = 0;
	entry->err = EFAULT;
	snprintf(entry->comm, sizeof(entry->comm), "%s", who);
	snprintf(entry->call, sizeof(entry->call), "%s", what);
	snprintf(entry->reason, sizeof(entry->reason), "%s", reason);
	svf_text_clean(entry->reason);
	why->count++;
}
