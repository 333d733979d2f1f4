/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The caller's descriptors: VFIO and iommufd commands name containers, iommufds, groups and
 * eventfds by the caller's descriptor numbers.
 *
 * What a number is can be seen from /proc/TID/fd without touching the file: an eventfd by how it
 * reads back, a file of ours by its device number (asked for without synchronisation, which the
 * kernel answers from what it has). Only those two are then fetched with pidfd_getfd, and looked at
 * again, since the caller's other threads may have put something else in its place. Anything else
 * is never held: closing a file of somebody's filesystem may wait for whoever serves it.
 *
 * Which of our open files it is, only that file itself can say: the helper calls it, the call
 * arrives in the loop with the file handle (svf_fds_identified), the request is run again. While
 * the fetched descriptor is open the file is too, so the answer holds as long as the request.
 */
#include "host/client/fds.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/files/open.h"
#include "host/host.h"

enum look { LOOK_OTHER, LOOK_EVENT, LOOK_OURS };

struct svf_fetched {
	struct svf_list link; /* request->fetched */
	int number;	      /* the caller's */
	int fd;		      /* ours, of a file of ours; otherwise -1 */
	bool known;	      /* false: the helper is asking */
	struct svf_fd what;
};

#define EVENTFD_LINK "anon_inode:[eventfd]"

/* path: a link in some /proc/N/fd. Return: enum look, or -EBADF: there is no such descriptor. */
static int look_at(const struct svf_host *host, const char *path)
{
	char target[sizeof(EVENTFD_LINK)];
	struct statx stx;
	ssize_t n;

	n = readlink(path, target, sizeof(target));
	if (n < 0)
		return -EBADF;
	if ((size_t)n == strlen(EVENTFD_LINK) && !memcmp(target, EVENTFD_LINK, (size_t)n))
		return LOOK_EVENT;
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &stx))
		return LOOK_OTHER;
	return makedev(stx.stx_dev_major, stx.stx_dev_minor) == host->fuse.dev ? LOOK_OURS
									       : LOOK_OTHER;
}

static int look_at_callers(const struct svf_request *request, int number)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)request->call.pid, number);
	return look_at(request->host, path);
}

static int look_at_own(const struct svf_host *host, int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return look_at(host, path);
}

static void identify_done(struct svf_job *job)
{
	struct svf_host *host = job->owner;
	struct svf_request *request = svf_request_lookup(host, job->cookie);
	struct svf_fetched *fetched;

	if (request) {
		/* Nobody claimed it: a directory or another file of ours that has no commands. */
		svf_list_for_each(fetched, &request->fetched, link) {
			if (!fetched->known)
				fetched->what.kind = SVF_FD_OTHER;
			fetched->known = true;
		}
		svf_request_run(request);
	}
	free(job);
}

void svf_fds_identified(struct svf_host *host, uint64_t cookie, struct svf_open *open)
{
	struct svf_request *request = svf_request_lookup(host, cookie);
	struct svf_fetched *fetched;

	if (!request || !open->file)
		return;
	svf_list_for_each(fetched, &request->fetched, link) {
		if (fetched->known)
			continue;
		fetched->known = true;
		fetched->what.kind = SVF_FD_FILE;
		fetched->what.file = open->file;
	}
}

static int ask_helper(struct svf_request *request, struct svf_fetched *fetched)
{
	struct svf_job *job = calloc(1, sizeof(*job));

	if (!job)
		return svf_fail(&request->call, -ENOMEM, "out of memory");
	job->kind = SVF_JOB_IDENTIFY;
	job->done = identify_done;
	job->owner = request->host;
	job->fd = fetched->fd;
	job->cookie = request->id;
	svf_helper_submit(&request->host->helper, job);
	return SVF_RESTART;
}

/* What the fetched fd is, which it takes over, also on failure. Return: 0, SVF_RESTART, ... */
static int recognise(struct svf_request *request, struct svf_fetched *fetched, int fd)
{
	struct svf_host *host = request->host;

	switch (look_at_own(host, fd)) {
	case LOOK_EVENT:
		fetched->what.event = svf_host_event_alloc(host, fd);
		if (!fetched->what.event) {
			close(fd);
			return svf_fail(&request->call, -EMFILE,
					"the host holds %u eventfds of clients, no more can be had",
					host->event_count);
		}
		fetched->what.kind = SVF_FD_EVENT;
		return 0;
	case LOOK_OURS:
		fetched->fd = fd;
		fetched->known = false;
		return ask_helper(request, fetched);
	default:
		svf_helper_close(&host->helper, fd);
		return 0;
	}
}

static struct svf_fetched *lookup_known(struct svf_request *request, int number)
{
	struct svf_fetched *fetched;

	svf_list_for_each(fetched, &request->fetched, link) {
		if (fetched->number == number && fetched->known)
			return fetched;
	}
	return NULL;
}

static int look_up_first_time(struct svf_request *request, int number, struct svf_fd *ret)
{
	struct svf_fetched *fetched;
	int err, fd, look = look_at_callers(request, number);

	if (look < 0)
		return look;
	if (look == LOOK_OTHER) {
		*ret = (struct svf_fd){.kind = SVF_FD_OTHER};
		return 0;
	}
	if (request->fetched_count >= SVF_MAX_FETCHED)
		return svf_fail(&request->call, -EMFILE, "one call names more than %d descriptors",
				SVF_MAX_FETCHED);
	fd = svf_process_fetch(request->call.pid, number);
	if (fd < 0)
		return fd == -EMFILE
			       ? svf_fail(&request->call, fd, "the host has no descriptor left")
			       : -EBADF;
	fetched = calloc(1, sizeof(*fetched));
	if (!fetched) {
		svf_helper_close(&request->host->helper, fd);
		return svf_fail(&request->call, -ENOMEM, "out of memory");
	}
	fetched->number = number;
	fetched->fd = -1;
	fetched->known = true;
	svf_list_add_tail(&request->fetched, &fetched->link);
	request->fetched_count++;
	err = recognise(request, fetched, fd);
	if (!err)
		*ret = fetched->what;
	return err;
}

int svf_fds_lookup(struct svf_call *call, int number, struct svf_fd *ret)
{
	struct svf_request *request = call->host;
	struct svf_fetched *fetched = request->again ? lookup_known(request, number) : NULL;

	if (!fetched)
		return look_up_first_time(request, number, ret);
	*ret = fetched->what;
	return 0;
}

void svf_fds_release(struct svf_request *request)
{
	struct svf_fetched *fetched, *tmp;

	svf_list_for_each_safe(fetched, tmp, &request->fetched, link) {
		svf_list_del(&fetched->link);
		if (fetched->what.kind == SVF_FD_EVENT)
			svf_host_event_put(fetched->what.event);
		svf_fuse_close(request->host, fetched->fd);
		free(fetched);
	}
	request->fetched_count = 0;
}
