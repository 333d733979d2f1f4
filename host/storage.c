/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of device models; see storage.h. The loop owns everything; a thread touches the two queues,
 * the request in hand and, of its file, the descriptor and the flag of a failed flush.
 */
#include "host/storage.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/host.h"
#include "host/thread.h"
#include "include/softvfio/model.h"

#define STACK_SIZE (256u << 10) /* bytes */
#define ZEROES	   (64u << 10)	/* written at a time where no hole can be made */

struct svf_storage_file {
	struct svf_storage storage;
	struct svf_list link;
	int fd;
	unsigned int under_way; /* requests that have not been given back */
	bool closed;		/* to be freed with the last of them */
	bool no_nowait[2];	/* [1]: of writes; the filesystem cannot say that it would wait */
	atomic_bool lost;	/* a flush has failed */
};

static struct svf_storage_file *file_of(struct svf_storage *storage)
{
	return svf_container_of(storage, struct svf_storage_file, storage);
}

/* --- queues --- */

static void queue_init(struct svf_storage_queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void queue_add(struct svf_storage_queue *queue, struct svf_storage_request *request)
{
	request->next = NULL;
	*queue->end = request;
	queue->end = &request->next;
}

static struct svf_storage_request *queue_take(struct svf_storage_queue *queue)
{
	struct svf_storage_request *request = queue->first;

	if (request) {
		queue->first = request->next;
		if (!queue->first)
			queue->end = &queue->first;
	}
	return request;
}

/* --- what the threads do --- */

static int transfer(int fd, const struct svf_storage_request *request, int flags)
{
	bool write = request->op == SVF_STORAGE_WRITE;
	uint64_t done = 0;

	while (done < request->len) {
		struct iovec piece = {.iov_base = (char *)request->buf + done,
				      .iov_len = request->len - done};
		off_t at = (off_t)(request->offset + done);
		ssize_t n = write ? pwritev2(fd, &piece, 1, at, flags)
				  : preadv2(fd, &piece, 1, at, flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* The file was cut off behind our back. */
		if (!n)
			return -EIO;
		done += (uint64_t)n;
	}
	return 0;
}

static int flush(struct svf_storage_file *file)
{
	if (atomic_load(&file->lost))
		return -EIO;
	if (!fdatasync(file->fd))
		return 0;
	atomic_store(&file->lost, true);
	return -errno;
}

static int write_zeroes(int fd, uint64_t offset, uint64_t len)
{
	static uint8_t zeroes[ZEROES];
	int err = 0;

	while (len && !err) {
		struct svf_storage_request piece = {.op = SVF_STORAGE_WRITE,
						    .offset = offset,
						    .len = len < ZEROES ? len : ZEROES,
						    .buf = zeroes};

		err = transfer(fd, &piece, 0);
		offset += piece.len;
		len -= piece.len;
	}
	return err;
}

static int clear(struct svf_storage_file *file, const struct svf_storage_request *request)
{
	static const int zero_modes[] = {FALLOC_FL_ZERO_RANGE, FALLOC_FL_PUNCH_HOLE};
	static const int trim_modes[] = {FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE};
	const int *modes = request->op == SVF_STORAGE_TRIM ? trim_modes : zero_modes;

	if (!request->len)
		return 0;
	for (unsigned int i = 0; i < 2; i++) {
		if (!fallocate(file->fd, modes[i] | FALLOC_FL_KEEP_SIZE, (off_t)request->offset,
			       (off_t)request->len))
			return 0;
		if (errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS && errno != EINTR)
			return -errno;
	}
	return write_zeroes(file->fd, request->offset, request->len);
}

static int serve(struct svf_storage_request *request)
{
	struct svf_storage_file *file = file_of(request->storage);
	int err = 0;

	switch (request->op) {
	case SVF_STORAGE_READ:
	case SVF_STORAGE_WRITE:
		err = transfer(file->fd, request, 0);
		break;
	case SVF_STORAGE_ZERO:
	case SVF_STORAGE_TRIM:
		err = clear(file, request);
		break;
	case SVF_STORAGE_FLUSH:
		return flush(file);
	}
	if (!err && request->durable && request->op != SVF_STORAGE_READ)
		err = flush(file);
	return err;
}

static void tell_loop(struct svf_storages *storages)
{
	const uint64_t one = 1;

	/* The counter cannot come near its limit: the loop empties it at each wake-up. */
	while (write(storages->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *thread_main(void *arg)
{
	struct svf_storages *storages = arg;
	struct svf_storage_request *request;

	pthread_mutex_lock(&storages->lock);
	while (!storages->stop) {
		request = queue_take(&storages->queue);
		if (!request) {
			pthread_cond_wait(&storages->work, &storages->lock);
			continue;
		}
		pthread_mutex_unlock(&storages->lock);
		request->err = serve(request);
		pthread_mutex_lock(&storages->lock);
		queue_add(&storages->done, request);
		/* Whoever finds it empty has told of those before. */
		if (storages->done.first == request)
			tell_loop(storages);
	}
	pthread_mutex_unlock(&storages->lock);
	return NULL;
}

/* --- the loop's side --- */

static void file_free(struct svf_storage_file *file)
{
	svf_list_del(&file->link);
	close(file->fd);
	free(file);
}

static void give_back(struct svf_storage_request *request)
{
	struct svf_storage_file *file = file_of(request->storage);

	request->done(request, request->err);
	file->under_way--;
	if (file->closed && !file->under_way)
		file_free(file);
}

static void give_back_all(struct svf_storages *storages)
{
	struct svf_storage_request *request;

	do {
		pthread_mutex_lock(&storages->lock);
		request = queue_take(&storages->done);
		pthread_mutex_unlock(&storages->lock);
		if (request)
			give_back(request);
	} while (request);
}

static void requests_done(struct svf_source *source, uint32_t events)
{
	struct svf_storages *storages = svf_container_of(source, struct svf_storages, source);
	uint64_t count;

	(void)events;
	if (read(storages->event_fd, &count, sizeof(count)) > 0)
		give_back_all(storages);
}

void svf_storages_init(struct svf_storages *storages, struct svf_host *host)
{
	storages->host = host;
	storages->event_fd = -1;
	storages->source.fd = -1;
	svf_list_init(&storages->files);
	queue_init(&storages->queue);
	queue_init(&storages->done);
	pthread_mutex_init(&storages->lock, NULL);
	pthread_cond_init(&storages->work, NULL);
}

int svf_storages_start(struct svf_storages *storages)
{
	int err;

	if (svf_list_empty(&storages->files))
		return 0;
	storages->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (storages->event_fd < 0)
		return -errno;
	err = svf_loop_add(&storages->host->loop, &storages->source, storages->event_fd, EPOLLIN,
			   requests_done);
	while (!err && storages->running < SVF_STORAGE_THREADS) {
		err = svf_thread_start(&storages->threads[storages->running], STACK_SIZE,
				       thread_main, storages);
		storages->running += !err;
	}
	return err;
}

void svf_storages_fini(struct svf_storages *storages)
{
	pthread_mutex_lock(&storages->lock);
	storages->stop = true;
	pthread_cond_broadcast(&storages->work);
	pthread_mutex_unlock(&storages->lock);
	while (storages->running)
		pthread_join(storages->threads[--storages->running], NULL);
	give_back_all(storages);
	assert(svf_list_empty(&storages->files));
	if (storages->event_fd >= 0) {
		svf_loop_remove(&storages->host->loop, &storages->source);
		close(storages->event_fd);
	}
	pthread_mutex_destroy(&storages->lock);
	pthread_cond_destroy(&storages->work);
}

/* --- the port --- */

static int check_open(int fd, uint64_t *ret_size)
{
	struct stat st;
	off_t size;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return -ESPIPE;
	/* Where there are no locks there is nobody to be kept out. */
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return -EBUSY;
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return -errno;
	*ret_size = (uint64_t)size;
	return 0;
}

static int open_file(const char *name, uint64_t *ret_size)
{
	int fd = open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	if (fd < 0)
		return -errno;
	err = check_open(fd, ret_size);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static const char *why_not(int err)
{
	switch (err) {
	case -EBUSY:
		return "another device has it";
	case -ESPIPE:
		return "it is neither a regular file nor a block device";
	default:
		return strerror(-err);
	}
}

int svf_host_storage_open(struct svf_machine *machine, const char *name, struct svf_storage **ret,
			  struct svf_model_error *error)
{
	struct svf_host *host = machine->host;
	struct svf_storage_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	file->fd = open_file(name, &file->storage.size);
	if (file->fd < 0) {
		svf_model_fail(error, -EINVAL, NULL, "cannot open '%s' for reading and writing: %s",
			       name, why_not(file->fd));
		free(file);
		return -EINVAL;
	}
	file->storage.machine = machine;
	svf_list_add_tail(&host->storages.files, &file->link);
	*ret = &file->storage;
	return 0;
}

/* Whether it is done, or has failed, without waiting for anything. */
static bool is_done_at_once(struct svf_storage_file *file, struct svf_storage_request *request,
			    int *ret)
{
	bool write = request->op == SVF_STORAGE_WRITE;

	if ((request->op != SVF_STORAGE_READ && !write) || file->no_nowait[write] ||
	    (write && request->durable))
		return false;
	*ret = transfer(file->fd, request, RWF_NOWAIT);
	if (*ret == -EOPNOTSUPP)
		file->no_nowait[write] = true;
	return *ret != -EAGAIN && *ret != -EOPNOTSUPP;
}

int svf_host_storage_submit(struct svf_storage *storage, struct svf_storage_request *request)
{
	struct svf_host *host = storage->machine->host;
	struct svf_storages *storages = &host->storages;
	struct svf_storage_file *file = file_of(storage);
	int err;

	if (is_done_at_once(file, request, &err))
		return err;
	file->under_way++;
	request->err = -ECANCELED;
	pthread_mutex_lock(&storages->lock);
	queue_add(&storages->queue, request);
	pthread_cond_signal(&storages->work);
	pthread_mutex_unlock(&storages->lock);
	return -EINPROGRESS;
}

/* Requests of the file that no thread has begun are done as they are. */
static void cancel(struct svf_storages *storages, struct svf_storage *storage)
{
	struct svf_storage_queue kept;
	struct svf_storage_request *request;

	queue_init(&kept);
	while ((request = queue_take(&storages->queue)))
		queue_add(request->storage == storage ? &storages->done : &kept, request);
	while ((request = queue_take(&kept)))
		queue_add(&storages->queue, request);
}

void svf_host_storage_close(struct svf_storage *storage)
{
	struct svf_host *host = storage->machine->host;
	struct svf_storage_file *file = file_of(storage);

	if (!file->under_way) {
		file_free(file);
		return;
	}
	file->closed = true;
	pthread_mutex_lock(&host->storages.lock);
	cancel(&host->storages, storage);
	if (host->storages.done.first)
		tell_loop(&host->storages);
	pthread_mutex_unlock(&host->storages.lock);
}
