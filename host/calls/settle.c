/* SPDX-License-Identifier: BSD-3-Clause */
/* Refusals that wait until everything is settled; see settle.h. */
#include "host/calls/settle.h"

#include <errno.h>

#include "host/calls/request.h"
#include "host/client/linger.h"
#include "host/host.h"

/*
 * How often a call is run again while others keep the helper busy: what the dead have left takes the
 * helper two jobs, one to look or hand over and one to close.
 */
#define ROUNDS 4u

static void start(struct svf_host *host);

void svf_settle_init(struct svf_settle *settle)
{
	settle->under_way = false;
	svf_list_init(&settle->next);
	svf_list_init(&settle->waiting);
}

void svf_settle_fini(struct svf_settle *settle)
{
	svf_requests_end_all(&settle->next);
	svf_requests_end_all(&settle->waiting);
}

static void settled(struct svf_job *job)
{
	struct svf_host *host = job->owner;
	struct svf_settle *settle = &host->settle;
	struct svf_request *request;

	settle->under_way = false;
	svf_linger_check(host);
	while (!svf_list_empty(&settle->waiting)) {
		request = svf_list_first(&settle->waiting, struct svf_request, link);
		svf_request_run(request);
	}
	start(host);
}

static void start(struct svf_host *host)
{
	struct svf_settle *settle = &host->settle;
	struct svf_request *request;

	if (settle->under_way || svf_list_empty(&settle->next))
		return;
	while (!svf_list_empty(&settle->next)) {
		request = svf_list_first(&settle->next, struct svf_request, link);
		svf_list_del(&request->link);
		svf_list_add_tail(&settle->waiting, &request->link);
	}
	settle->under_way = true;
	settle->job.kind = SVF_JOB_PASS;
	settle->job.done = settled;
	settle->job.owner = host;
	svf_helper_submit(&host->helper, &settle->job);
}

bool svf_settle_holds(struct svf_request *request, long result)
{
	struct svf_host *host = request->host;

	if (result != -EBUSY && result != -EPERM && result != -EACCES)
		return false;
	if (request->settle_rounds >= ROUNDS || request->abandoned || request->call.interrupted)
		return false;
	if (svf_helper_idle(&host->helper) && !svf_linger_any(host))
		return false;
	if (host->requests.count >= host->bounds.requests ||
	    svf_request_hold(request, &host->settle.next))
		return false;
	request->settle_rounds++;
	start(host);
	return true;
}
