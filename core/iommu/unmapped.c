/* SPDX-License-Identifier: BSD-3-Clause */
/* What was unmapped lately; see unmapped.h. */
#include "core/iommu/unmapped.h"

#include <string.h>

#include "base/fmt.h"
#include "core/machine.h"

#define NS_PER_MS UINT64_C(1000000)

struct svf_deed svf_deed_now(const struct svf_machine *machine)
{
	const struct svf_call *call = machine->doing.call;
	struct svf_deed deed = {
		.number = machine->doing.number + 1,
		.at_ns = machine->timers.now_ns,
		.command = machine->doing.command,
	};

	if (call) {
		deed.pid = call->pid;
		memcpy(deed.comm, call->comm, sizeof(deed.comm));
	}
	return deed;
}

void svf_deed_describe(const struct svf_deed *deed, const struct svf_machine *machine,
		       char text[SVF_DEED_SIZE])
{
	uint64_t ms = (machine->timers.now_ns - deed->at_ns) / NS_PER_MS;

	if (deed->pid)
		svf_fmt(text, SVF_DEED_SIZE, "%lu.%03lu s before, by %s of %s[%d]",
			(unsigned long)(ms / 1000), (unsigned long)(ms % 1000), deed->command,
			deed->comm, deed->pid);
	else
		svf_fmt(text, SVF_DEED_SIZE, "%lu.%03lu s before, by a close",
			(unsigned long)(ms / 1000), (unsigned long)(ms % 1000));
}

/* The entry that the request that is being served has made already. */
static struct svf_unmapped *begun(struct svf_unmap_history *history, uint64_t number)
{
	unsigned int newest = (history->next + SVF_UNMAPPED_ENTRIES - 1) % SVF_UNMAPPED_ENTRIES;

	return history->entries[newest].by.number == number ? &history->entries[newest] : NULL;
}

void svf_unmapped_add(struct svf_unmap_history *history, const struct svf_machine *machine,
		      uint64_t first, uint64_t last)
{
	struct svf_deed deed = svf_deed_now(machine);
	struct svf_unmapped *entry = begun(history, deed.number);

	if (entry) {
		entry->first = first < entry->first ? first : entry->first;
		entry->last = last > entry->last ? last : entry->last;
		return;
	}
	history->entries[history->next] =
		(struct svf_unmapped){.first = first, .last = last, .by = deed};
	history->next = (history->next + 1) % SVF_UNMAPPED_ENTRIES;
}

const struct svf_unmapped *svf_unmapped_lookup(const struct svf_unmap_history *history,
					       uint64_t iova)
{
	for (unsigned int i = 1; i <= SVF_UNMAPPED_ENTRIES; i++) {
		const struct svf_unmapped *entry =
			&history->entries[(history->next + SVF_UNMAPPED_ENTRIES - i) %
					  SVF_UNMAPPED_ENTRIES];

		if (entry->by.number && entry->first <= iova && entry->last >= iova)
			return entry;
	}
	return NULL;
}
