/* SPDX-License-Identifier: BSD-3-Clause */
/* Open files by process; see share.h. */
#include "host/share.h"

#include <errno.h>
#include <stdlib.h>

#include "core/machine.h"
#include "host/host.h"

void svf_shares_init(struct svf_shares *shares)
{
	for (size_t i = 0; i < SVF_SHARE_BUCKETS; i++)
		svf_list_init(&shares->buckets[i]);
}

/* The process of a thread; the thread itself when it is gone, which then pays by its own number. */
static pid_t payer(pid_t tid)
{
	pid_t pid;

	return svf_process_of(tid, &pid) ? tid : pid;
}

static struct svf_list *bucket_of(struct svf_shares *shares, pid_t pid)
{
	return &shares->buckets[(unsigned int)pid % SVF_SHARE_BUCKETS];
}

static struct svf_share *share_lookup(struct svf_shares *shares, pid_t pid)
{
	struct svf_share *share;

	svf_list_for_each(share, bucket_of(shares, pid), link) {
		if (share->pid == pid)
			return share;
	}
	return NULL;
}

int svf_share_check(struct svf_host *host, struct svf_call *call)
{
	const struct svf_machine *machine = host->machine;
	pid_t pid = payer(call->pid);
	const struct svf_share *share = share_lookup(&host->shares, pid);
	unsigned int held = share ? share->held : 0;

	if (svf_share_left(held, machine->used.files, machine->limits.files))
		return 0;
	return svf_fail(call, -EMFILE,
			"process %d has opened %u files, and %u of the %u there can be are open; "
			"close some first",
			(int)pid, held, machine->used.files, machine->limits.files);
}

struct svf_share *svf_share_take(struct svf_host *host, pid_t tid)
{
	pid_t pid = payer(tid);
	struct svf_share *share = share_lookup(&host->shares, pid);

	if (!share) {
		share = calloc(1, sizeof(*share));
		if (!share)
			return NULL;
		share->pid = pid;
		svf_list_add_tail(bucket_of(&host->shares, pid), &share->link);
	}
	share->held++;
	return share;
}

void svf_share_release(struct svf_share *share)
{
	if (!share || --share->held)
		return;
	svf_list_del(&share->link);
	free(share);
}
