/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests: run, hold up, answer. The states are in request.h. */
#include "host/calls/request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "host/client/fds.h"
#include "host/files/fuse.h"
#include "host/files/node.h"
#include "host/files/open.h"
#include "host/host.h"

void svf_requests_init(struct svf_requests *requests)
{
	svf_list_init(&requests->parked);
	svf_list_init(&requests->blocked);
	requests->count = 0;
	requests->next_id = 1;
}

void svf_requests_end_all(struct svf_list *list)
{
	struct svf_request *request, *tmp;

	svf_list_for_each_safe(request, tmp, list, link)
		svf_request_end(request);
}

void svf_requests_fini(struct svf_host *host)
{
	svf_requests_end_all(&host->requests.parked);
	svf_requests_end_all(&host->requests.blocked);
}

struct svf_request *svf_request_alloc(struct svf_host *host, const struct svf_request_ops *ops,
				      pid_t tid)
{
	struct svf_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	svf_list_init(&request->link);
	svf_list_init(&request->fetched);
	request->host = host;
	request->ops = ops;
	request->id = host->requests.next_id++;
	request->fuse_unique = host->fuse.unique;
	request->call.machine = host->machine;
	request->call.host = request;
	request->call.id = request->id;
	request->call.pid = tid;
	svf_process_comm(&host->comms, tid, request->call.comm);
	return request;
}

/* The bytes of a write are the transport's and are gone when this event is over. */
static int keep_input(struct svf_request *request)
{
	if (!request->in || request->in == request->data)
		return 0;
	request->data = malloc(request->len + 1);
	if (!request->data)
		return -ENOMEM;
	memcpy(request->data, request->in, request->len);
	request->in = request->data;
	return 0;
}

int svf_request_may_wait(struct svf_request *request)
{
	const struct svf_requests *requests = &request->host->requests;

	if (requests->count >= request->host->bounds.requests)
		return svf_fail(&request->call, -EAGAIN,
				"%u calls are waiting already, no more may", requests->count);
	if (keep_input(request))
		return svf_fail(&request->call, -ENOMEM, "out of memory");
	return 0;
}

int svf_request_hold(struct svf_request *request, struct svf_list *list)
{
	int err = svf_request_may_wait(request);

	if (err)
		return err;
	svf_list_add_tail(list, &request->link);
	request->host->requests.count++;
	return 0;
}

static void unhold(struct svf_request *request)
{
	if (svf_list_empty(&request->link))
		return;
	svf_list_del(&request->link);
	request->host->requests.count--;
}

/* May run it again, and so end it. */
static void wait_for_wake(struct svf_request *request)
{
	request->call.again = true;
	if (!request->call.interrupted)
		svf_fuse_watch_interrupt(request);
}

void svf_request_run(struct svf_request *request)
{
	struct svf_requests *requests = &request->host->requests;
	long result;
	int err;

	unhold(request);
	request->call.reason[0] = '\0';
	request->call.ret_file = NULL;
	request->call.ret_fd_at = 0;
	svf_watch_caller(&request->host->watch, request->call.pid, request->fuse_unique);
	result = request->ops->run(request);
	if (request->host->watch.caller_gone)
		request->abandoned = true;
	request->again = true;
	/* Before anybody else follows a node whose object has gone in this call. */
	svf_host_settle(request->host);
	if (result == SVF_RESTART || result == SVF_BLOCKED) {
		err = svf_request_hold(request, result == SVF_RESTART ? &requests->parked
								      : &requests->blocked);
		if (!err && result == SVF_BLOCKED)
			wait_for_wake(request);
		if (!err)
			return;
		result = err;
	}
	if (svf_settle_holds(request, result))
		return;
	svf_request_finish(request, result);
}

void svf_request_finish(struct svf_request *request, long result)
{
	if (result < 0 && !request->abandoned)
		svf_why_record(&request->host->why, request, (int)-result);
	/*
	 * The caller's files are let go before it is answered, so that its next close is the last.
	 * Where a new one is still to be handed over, that comes first (inject.c).
	 */
	if (!request->call.ret_file && !request->ret_ram)
		svf_fds_release(request);
	if (request->abandoned || request->ops->reply(request, result))
		svf_request_end(request);
}

void svf_request_end(struct svf_request *request)
{
	unhold(request);
	svf_fds_release(request);
	if (request->open)
		svf_open_put(request->open);
	svf_tree_node_put(request->host->tree, request->node);
	svf_listener_put(request->listener);
	free(request->data);
	free(request);
}

void svf_requests_wake(struct svf_host *host)
{
	struct svf_list again;
	struct svf_request *request;

	/* Those that block again go to the end of the list, behind the ones taken off here. */
	svf_list_init(&again);
	while (!svf_list_empty(&host->requests.blocked)) {
		request = svf_list_first(&host->requests.blocked, struct svf_request, link);
		svf_list_del(&request->link);
		svf_list_add_tail(&again, &request->link);
	}
	while (!svf_list_empty(&again)) {
		request = svf_list_first(&again, struct svf_request, link);
		svf_request_run(request);
	}
}

void svf_request_interrupt(struct svf_request *request)
{
	if (request->abandoned)
		return;
	request->call.interrupted = true;
	svf_request_run(request);
}

struct svf_request *svf_request_lookup(struct svf_host *host, uint64_t id)
{
	struct svf_request *request;

	svf_list_for_each(request, &host->requests.parked, link) {
		if (request->id == id)
			return request;
	}
	return NULL;
}
