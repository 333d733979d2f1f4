/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filesystem that clients see, served over /dev/fuse with libfuse's low-level interface, in
 * the loop's thread. fuse.c: the session and names; files.c: what is done with open files;
 * ioctl.c: commands.
 *
 * Nothing is cached by the kernel (timeouts of 0): a name that is gone is gone at the next look,
 * and no invalidation has to be sent, which would wait for locks that a client may hold while it
 * waits for us.
 */
#ifndef SVF_HOST_FILES_FUSE_H
#define SVF_HOST_FILES_FUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "host/loop.h"

struct fuse_session;
struct svf_file;
struct svf_host;
struct svf_machine;
struct svf_request;

struct svf_fuse {
	struct fuse_session *session;
	struct svf_source source;
	uint64_t unique;  /* the kernel's number of the request being processed; 0: none is */
	void *buffer;	  /* of the request being received; libfuse's, kept from one to the next */
	dev_t dev;	  /* of the filesystem, as stat shows it */
	bool close_waits; /* close of one of our files asks us, see svf_fuse_close() */
	struct timespec started;
	uid_t own_uid; /* of the hidden files (inject.h) */
	gid_t own_gid;
};

int svf_fuse_init(struct svf_host *host);
void svf_fuse_fini(struct svf_host *host);
/* The caller of a held-up request is told when it gets a signal: svf_request_interrupt(). */
void svf_fuse_watch_interrupt(struct svf_request *request);

/* A request as the kernel gave it, that did not come through the session's own descriptor event. */
void svf_fuse_process(struct svf_host *host, char *bytes, size_t len);

/*
 * Closes a descriptor of one of our files, or none (-1). At once, where the kernel knows files
 * whose close asks nothing and whose release nobody waits for (5.16, by the protocol's version), so
 * that it is closed before the client is answered; otherwise in the helper.
 */
void svf_fuse_close(struct svf_host *host, int fd);

/* The longest request: the kernel wants room for its header and the longest write. */
#define SVF_FUSE_WRITE_MAX   (128u << 10)
#define SVF_FUSE_REQUEST_MAX (SVF_FUSE_WRITE_MAX + (8u << 10))

/* Numbers of hidden files start here; those of nodes never get so far. */
#define SVF_INO_HIDDEN (1ull << 62)

/* The port's: what poll says of the file may have changed. */
void svf_host_file_ready(struct svf_machine *machine, struct svf_file *file);

#endif
