/* SPDX-License-Identifier: BSD-3-Clause */
/* Giving a client a new descriptor; see inject.h. */
#include "host/calls/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "host/client/fds.h"
#include "host/client/ram.h"
#include "host/files/open.h"
#include "host/host.h"

struct inject {
	struct svf_list link;
	struct svf_job job;
	struct svf_request *request; /* kept, and with it the listener */
	struct svf_file *file;	     /* until its open takes it */
	struct svf_open *open;	     /* what took it, a reference; NULL */
	uint64_t id;
};

void svf_injects_init(struct svf_injects *injects)
{
	svf_list_init(&injects->waiting);
	injects->next_id = 1;
}

/*
 * The descriptor is in the caller's table. Where its number is not the result, it goes into the
 * caller's memory; that had been written to when the file was made.
 */
static int hand_over(struct inject *inject, int number)
{
	struct svf_call *call = &inject->request->call;
	uint32_t fd = (uint32_t)number;

	if (inject->open)
		svf_file_installed(inject->open->file);
	if (!call->ret_fd_at)
		return number;
	return svf_copy_to_user(call, call->ret_fd_at, &fd, sizeof(fd));
}

static void inject_done(struct svf_job *job)
{
	struct inject *inject = svf_container_of(job, struct inject, job);
	struct svf_request *request = inject->request;

	svf_list_del(&inject->link);
	if (inject->file)
		svf_file_close(inject->file);
	if (job->fd >= 0)
		close(job->fd);
	if (job->result >= 0)
		job->result = hand_over(inject, job->result);
	if (inject->open)
		svf_open_put(inject->open);
	if (job->result < 0) {
		if (job->result == -EMFILE)
			svf_fail(&request->call, -EMFILE,
				 "the caller's descriptor table is full; raise RLIMIT_NOFILE");
		else
			svf_fail(&request->call, job->result,
				 "the new descriptor could not be handed to the caller");
		/* -ENOENT: nobody waits any more. */
		if (job->result != -ENOENT)
			svf_why_record(&request->host->why, request, -job->result);
	}
	svf_fds_release(request);
	svf_listener_answer(request->listener, request->notification, job->result, false);
	svf_request_end(request);
	free(inject);
}

int svf_inject(struct svf_request *request)
{
	struct svf_host *host = request->host;
	struct inject *inject = calloc(1, sizeof(*inject));

	if (!inject)
		goto err;
	inject->job.fd = -1;
	if (request->ret_ram) {
		/* The BAR may go while the helper is at it; this descriptor stays. */
		inject->job.fd = svf_linger_lend(host, request->ret_ram);
		if (inject->job.fd < 0)
			goto err;
	}
	inject->id = host->injects.next_id++;
	inject->request = request;
	inject->file = request->call.ret_file;
	request->call.ret_file = NULL;
	svf_list_add_tail(&host->injects.waiting, &inject->link);
	inject->job.kind = SVF_JOB_INJECT;
	inject->job.done = inject_done;
	inject->job.flags = O_CLOEXEC;
	inject->job.listener_fd = request->listener->fd;
	inject->job.notification = request->notification;
	snprintf(inject->job.path, sizeof(inject->job.path), SVF_INJECT_DIR "/%" PRIu64,
		 inject->id);
	svf_helper_submit(&host->helper, &inject->job);
	return 0;
err:
	free(inject);
	if (request->call.ret_file)
		svf_file_close(request->call.ret_file);
	request->call.ret_file = NULL;
	return svf_fail(&request->call, -ENOMEM, "out of memory or descriptors for the new file");
}

struct svf_file *svf_inject_take(struct svf_injects *injects, uint64_t id, pid_t *ret_tid)
{
	struct inject *inject;
	struct svf_file *file;

	svf_list_for_each(inject, &injects->waiting, link) {
		if (inject->id != id)
			continue;
		file = inject->file;
		inject->file = NULL;
		*ret_tid = inject->request->call.pid;
		return file;
	}
	return NULL;
}

void svf_inject_opened(struct svf_injects *injects, uint64_t id, struct svf_open *open)
{
	struct inject *inject;

	svf_list_for_each(inject, &injects->waiting, link) {
		if (inject->id != id)
			continue;
		svf_open_get(open);
		inject->open = open;
		return;
	}
}
