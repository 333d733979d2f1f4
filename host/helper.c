/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The helper thread; see helper.h. It touches nothing but its queue and the job in hand: no
 * allocation, no structure of the host's.
 */
#include "host/helper.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/calls/inject.h"
#include "host/host.h"
#include "host/thread.h"
#include "uapi/softvfio.h"

#define STACK_SIZE (256u << 10) /* bytes */

static int do_inject(const struct svf_helper *helper, const struct svf_job *job)
{
	struct seccomp_notif_addfd addfd = {
		.id = job->notification,
		.newfd_flags = (uint32_t)job->flags,
	};
	int fd = job->fd, ret;

	if (fd < 0)
		fd = openat(helper->root_fd, job->path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	addfd.srcfd = (uint32_t)fd;
	ret = ioctl(job->listener_fd, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);
	if (ret < 0)
		ret = -errno;
	if (fd != job->fd)
		close(fd);
	return ret;
}

static void do_pass(const struct svf_helper *helper)
{
	int fd = openat(helper->root_fd, SVF_INJECT_DIR "/none", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
}

static void do_job(const struct svf_helper *helper, struct svf_job *job)
{
	switch (job->kind) {
	case SVF_JOB_IDENTIFY:
		job->result = ioctl(job->fd, SVF_HOST_IDENTIFY, job->cookie) < 0 ? -errno : 0;
		break;
	case SVF_JOB_INJECT:
		job->result = do_inject(helper, job);
		break;
	case SVF_JOB_CLOSE:
		close(job->fd);
		break;
	case SVF_JOB_PASS:
		do_pass(helper);
		break;
	}
}

static void job_back(struct svf_helper *helper, struct svf_job *job)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&helper->lock);
	svf_list_add_tail(&helper->done, &job->link);
	pthread_mutex_unlock(&helper->lock);
	/* The counter cannot come near its limit: the loop empties it at each wake-up. */
	while (write(helper->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *helper_main(void *arg)
{
	struct svf_helper *helper = arg;
	struct svf_job *job;

	pthread_mutex_lock(&helper->lock);
	helper->tid = gettid();
	pthread_cond_signal(&helper->work);
	for (;;) {
		while (!helper->stop && svf_list_empty(&helper->queue))
			pthread_cond_wait(&helper->work, &helper->lock);
		if (helper->stop)
			break;
		job = svf_list_first(&helper->queue, struct svf_job, link);
		svf_list_del(&job->link);
		pthread_mutex_unlock(&helper->lock);
		do_job(helper, job);
		if (job->done) {
			job_back(helper, job);
			pthread_mutex_lock(&helper->lock);
		} else {
			free(job);
			pthread_mutex_lock(&helper->lock);
			helper->unfinished--;
		}
	}
	pthread_mutex_unlock(&helper->lock);
	return NULL;
}

static void jobs_ready(struct svf_source *source, uint32_t events)
{
	struct svf_helper *helper = svf_container_of(source, struct svf_helper, source);
	struct svf_job *job;
	uint64_t count;

	(void)events;
	if (read(helper->event_fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&helper->lock);
	while (!svf_list_empty(&helper->done)) {
		job = svf_list_first(&helper->done, struct svf_job, link);
		svf_list_del(&job->link);
		helper->unfinished--;
		pthread_mutex_unlock(&helper->lock);
		job->done(job);
		pthread_mutex_lock(&helper->lock);
	}
	pthread_mutex_unlock(&helper->lock);
}

static int start_thread(struct svf_helper *helper)
{
	int err = svf_thread_start(&helper->thread, STACK_SIZE, helper_main, helper);

	helper->running = !err;
	/* The filesystem goes by its number from the first request on. */
	pthread_mutex_lock(&helper->lock);
	while (helper->running && !helper->tid)
		pthread_cond_wait(&helper->work, &helper->lock);
	pthread_mutex_unlock(&helper->lock);
	return err;
}

int svf_helper_init(struct svf_helper *helper, struct svf_host *host)
{
	int err;

	helper->host = host;
	helper->root_fd = host->options.root_fd;
	helper->running = false;
	helper->stop = false;
	helper->unfinished = 0;
	helper->source.fd = -1;
	svf_list_init(&helper->queue);
	svf_list_init(&helper->done);
	pthread_mutex_init(&helper->lock, NULL);
	pthread_cond_init(&helper->work, NULL);
	helper->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (helper->event_fd < 0)
		return -errno;
	err = svf_loop_add(&host->loop, &helper->source, helper->event_fd, EPOLLIN, jobs_ready);
	return err ? err : start_thread(helper);
}

static void drop_jobs(struct svf_list *jobs)
{
	struct svf_job *job, *tmp;

	svf_list_for_each_safe(job, tmp, jobs, link) {
		svf_list_del(&job->link);
		if (job->done)
			job->done(job);
		else
			free(job);
	}
}

void svf_helper_fini(struct svf_helper *helper)
{
	if (helper->running) {
		pthread_mutex_lock(&helper->lock);
		helper->stop = true;
		pthread_cond_signal(&helper->work);
		pthread_mutex_unlock(&helper->lock);
		pthread_join(helper->thread, NULL);
		helper->running = false;
	}
	drop_jobs(&helper->queue);
	drop_jobs(&helper->done);
	if (helper->event_fd >= 0) {
		svf_loop_remove(&helper->host->loop, &helper->source);
		close(helper->event_fd);
		helper->event_fd = -1;
	}
	pthread_mutex_destroy(&helper->lock);
	pthread_cond_destroy(&helper->work);
}

void svf_helper_submit(struct svf_helper *helper, struct svf_job *job)
{
	svf_list_init(&job->link);
	job->result = -EIO;
	pthread_mutex_lock(&helper->lock);
	svf_list_add_tail(&helper->queue, &job->link);
	helper->unfinished++;
	pthread_cond_signal(&helper->work);
	pthread_mutex_unlock(&helper->lock);
}

void svf_helper_close(struct svf_helper *helper, int fd)
{
	struct svf_job *job;

	if (fd < 0)
		return;
	job = calloc(1, sizeof(*job));
	/* Without memory the descriptor stays open: better than a loop that waits for itself. */
	if (!job)
		return;
	job->kind = SVF_JOB_CLOSE;
	job->fd = fd;
	svf_helper_submit(helper, job);
}

bool svf_helper_idle(struct svf_helper *helper)
{
	bool idle;

	pthread_mutex_lock(&helper->lock);
	idle = !helper->unfinished;
	pthread_mutex_unlock(&helper->lock);
	return idle;
}
