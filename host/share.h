/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many open files of the core each process has made, so that one process cannot take what its
 * neighbours need: it gets one more only while it holds less than what is still free
 * (svf_share_left). Whoever has been handed a file does not pay for it; who opened it does, for as
 * long as it is open anywhere. A number that another process has by now pays for both.
 */
#ifndef SVF_HOST_SHARE_H
#define SVF_HOST_SHARE_H

#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"

struct svf_call;
struct svf_host;

#define SVF_SHARE_BUCKETS 256u /* by process number */

/* Kept while held is not 0. */
struct svf_share {
	struct svf_list link; /* a bucket of host->shares */
	pid_t pid;
	unsigned int held;
};

struct svf_shares {
	struct svf_list buckets[SVF_SHARE_BUCKETS];
};

void svf_shares_init(struct svf_shares *shares);
/* Whether the caller may open one more. Return: 0, -EMFILE. */
int svf_share_check(struct svf_host *host, struct svf_call *call) SVF_MUST_CHECK;
/* Thread tid has opened one. Return: what to release when it ends; NULL when out of memory. */
struct svf_share *svf_share_take(struct svf_host *host, pid_t tid);
/* Takes NULL. */
void svf_share_release(struct svf_share *share);

#endif
