/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Refusals that wait until everything is settled.
 *
 * When a client has died, the kernel has closed its files before anybody can know of the death, so
 * nobody is ever refused what a dead process had. Here a client's file can outlive it for a moment:
 * the helper has it in hand (it was to be looked at, or handed over), or a mapping of its BARs ended
 * just now. Therefore a call that finds something taken while any of this is going on is not refused
 * at once. It is run again when the helper has done all it had to do, and the releases that come of
 * that have been read; what is still taken then is taken.
 *
 * A call that is refused has changed nothing, so running it again does no harm.
 */
#ifndef SVF_HOST_CALLS_SETTLE_H
#define SVF_HOST_CALLS_SETTLE_H

#include <stdbool.h>

#include "base/list.h"
#include "host/helper.h"

struct svf_host;
struct svf_request;

struct svf_settle {
	struct svf_job job;
	bool under_way;		       /* the job */
	struct svf_list next, waiting; /* requests: for another job, for this one */
};

void svf_settle_init(struct svf_settle *settle);
/* Ends what waits. */
void svf_settle_fini(struct svf_settle *settle);

/* Whether the request, refused with result, is kept to be run again. */
bool svf_settle_holds(struct svf_request *request, long result);

#endif
