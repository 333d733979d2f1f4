/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An open file of ours: one per open file description, made by FUSE's open and ended by its
 * release, which the kernel sends when the last descriptor of it is closed anywhere. Its address is
 * the file handle the kernel gives back with each request. Requests that are held up hold it too.
 */
#ifndef SVF_HOST_FILES_OPEN_H
#define SVF_HOST_FILES_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/list.h"

struct fuse_pollhandle;
struct svf_file;
struct svf_host;
struct svf_share;
struct svf_tree_node;

struct svf_open {
	struct svf_list link; /* host->opens */
	struct svf_host *host;
	unsigned int refs;
	struct svf_tree_node *node; /* a reference; NULL: made by a command, it has no name */
	struct svf_file *file;	    /* a file of the core, owned; NULL: an attribute */
	bool lingers;		    /* refs is 0, and the file is kept; see linger.h */
	struct svf_share *share;    /* of the process that pays for file; NULL: an attribute */
	pid_t pid;		    /* of the thread that opened it, for messages */
	/* Of the last poll that asked to be told: what to tell it by. NULL: nobody waits. */
	struct fuse_pollhandle *poll;
	char *text; /* an attribute's value as of the last read at its beginning */
	size_t text_len;
};

/* -ENFILE, -ENOMEM. Takes file over and a reference to node on success. */
int svf_open_alloc(struct svf_host *host, struct svf_tree_node *node, struct svf_file *file,
		   pid_t pid, struct svf_open **ret);
void svf_open_get(struct svf_open *open);
/* The last one ends it, or leaves it lingering. */
void svf_open_put(struct svf_open *open);
/* Closes the file and frees all, whoever holds it: a lingering one, or any at the end of the host. */
void svf_open_end(struct svf_open *open);
/* Whose file this is; NULL. */
struct svf_open *svf_open_lookup(struct svf_host *host, const struct svf_file *file);
/* "/dev/vfio/8", "/sys/...", "device 0000:01:10.0" */
void svf_open_describe(const struct svf_open *open, char *buf, size_t size);

#endif
