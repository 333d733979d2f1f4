/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that device models keep data in (svf_storage_open(), include/softvfio/model.h): opened while
 * the topology is built, read and written without the loop ever waiting for a disk.
 *
 * A read, or where the filesystem can say so a write, is first tried at once (RWF_NOWAIT): what the
 * page cache has costs one system call. Everything else goes to a few threads, which only pread,
 * pwrite, fallocate and fdatasync, and comes back through an eventfd.
 *
 * A transfer that is cut short is gone on with; success means all of it. After a failed fdatasync the
 * kernel forgets which pages it could not write, so that the next one would succeed: here it does not,
 * nor any other on that file.
 */
#ifndef SVF_HOST_STORAGE_H
#define SVF_HOST_STORAGE_H

#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"
#include "core/port.h"
#include "host/loop.h"

struct svf_host;
struct svf_model_error;
struct svf_storage_request;

#define SVF_STORAGE_THREADS 4

/* A queue of requests, first in, first out. */
struct svf_storage_queue {
	struct svf_storage_request *first, **end;
};

struct svf_storages {
	struct svf_host *host;
	struct svf_list files; /* struct svf_storage_file.link */
	pthread_t threads[SVF_STORAGE_THREADS];
	unsigned int running;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct svf_storage_queue queue, done; /* under lock */
	bool stop;			      /* under lock */
	struct svf_source source;	      /* the eventfd */
	int event_fd;
};

/* Before the machine is built. */
void svf_storages_init(struct svf_storages *storages, struct svf_host *host);
/* After it was built: threads, if there are files. Return: 0, negative errno. */
int svf_storages_start(struct svf_storages *storages) SVF_MUST_CHECK;
/* When all files have been closed. Waits for what the threads have in hand. */
void svf_storages_fini(struct svf_storages *storages);

/* As struct svf_port_ops says. */
int svf_host_storage_open(struct svf_machine *machine, const char *name, struct svf_storage **ret,
			  struct svf_model_error *error) SVF_MUST_CHECK;
int svf_host_storage_submit(struct svf_storage *storage,
			    struct svf_storage_request *request) SVF_MUST_CHECK;
void svf_host_storage_close(struct svf_storage *storage);

#endif
