/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The helper: a second thread that makes those system calls on our own files which the kernel
 * answers by asking the loop. The loop hands it a job and goes on; the job comes back through an
 * eventfd with its result.
 *
 *	identify  which open file is this descriptor? Calls SVF_HOST_IDENTIFY on it, which comes back
 *		  into the loop with the file handle while the call is under way.
 *	inject	  opens a file of ours (or takes a descriptor that is there already) and puts it into
 *		  the table of a client that waits at a seccomp listener and goes on waiting.
 *	close	  closes a descriptor of a file of which we know nothing; nobody waits for it.
 *	pass	  asks the filesystem for a name that is not there: when it comes back, the loop has
 *		  done all jobs before it, and read the releases that came of them (settle.h).
 *
 * Jobs are done in the order given. What limits their number are the requests they belong to.
 */
#ifndef SVF_HOST_HELPER_H
#define SVF_HOST_HELPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "host/loop.h"

struct svf_host;

enum svf_job_kind { SVF_JOB_IDENTIFY, SVF_JOB_INJECT, SVF_JOB_CLOSE, SVF_JOB_PASS };

struct svf_job {
	struct svf_list link;
	enum svf_job_kind kind;
	/* In the loop's thread, when done: frees the job and what it needed. Not for close. */
	void (*done)(struct svf_job *job);
	void *owner;
	int result; /* >= 0 or negative errno */

	int fd;		       /* identify: whom to ask; close; inject: what, or -1: open path */
	uint64_t cookie;       /* identify: argument of the call */
	char path[80];	       /* inject: below the root of our filesystem */
	int flags;	       /* inject: of the new descriptor, O_CLOEXEC or 0 */
	int listener_fd;       /* inject */
	uint64_t notification; /* inject */
};

struct svf_helper {
	struct svf_host *host;
	pthread_t thread;
	bool running;
	_Atomic pid_t tid;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct svf_list queue, done; /* under lock */
	bool stop;		     /* under lock */
	unsigned int unfinished;     /* under lock: submitted, and neither done() nor closed */
	struct svf_source source;    /* the eventfd */
	int event_fd;
	int root_fd; /* of our filesystem, O_PATH */
};

int svf_helper_init(struct svf_helper *helper, struct svf_host *host) SVF_MUST_CHECK;
/* The filesystem must still be answered, or be gone for good. Unfinished jobs are dropped. */
void svf_helper_fini(struct svf_helper *helper);

/* Takes the job over until done. */
void svf_helper_submit(struct svf_helper *helper, struct svf_job *job);
/* Closes fd in the helper. */
void svf_helper_close(struct svf_helper *helper, int fd);
/* Whether it has done, and the loop has taken back, all that was submitted. */
bool svf_helper_idle(struct svf_helper *helper);

#endif
