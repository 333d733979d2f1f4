/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Open, read, write and release of our files: device nodes, attributes, and the files without a
 * name that commands make.
 *
 * All are opened for direct I/O, so that each read(2) and write(2) arrives as it was made (up to
 * what FUSE carries in one request), without flush, so that no close waits for us, and for parallel
 * writes: one that waits for users of a device (unbind) must not hold up those to other devices.
 *
 * Attributes behave as sysfs files do: whether one can be read or written at all is refused at
 * open, even for root; a read at offset 0 takes the present value and later reads go on in that;
 * each write is a whole value.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/machine.h"
#include "host/calls/inject.h"
#include "host/files/fuse_ops.h"
#include "host/files/node.h"
#include "host/files/text.h"

#define PAGE	      4096u
#define WRITTEN_SHOWN 64 /* characters of a written value, in messages */

static void describe_path(const struct svf_request *request, char *path, size_t size)
{
	if (request->open)
		svf_open_describe(request->open, path, size);
	else if (request->node)
		svf_tree_node_path(request->node, path, size);
	else
		snprintf(path, size, "?");
}

/* Opening. */

/* Queues have no positions. */
static bool is_stream(const struct svf_open *open)
{
	return open->file &&
	       (open->file->kind == SVF_FILE_FAULT || open->file->kind == SVF_FILE_VEVENTQ);
}

/*
 * Answers an open, which takes what it opened with it when the caller has gone. In the kernel's own
 * words, since the library of Debian 12 has none for parallel writes.
 */
static void reply_open(fuse_req_t req, struct svf_open *open)
{
	const uint32_t stream = is_stream(open) ? FOPEN_NONSEEKABLE : 0;
	const struct fuse_open_out out = {
		.fh = (uintptr_t)open,
		.open_flags =
			FOPEN_DIRECT_IO | FOPEN_NOFLUSH | FOPEN_PARALLEL_DIRECT_WRITES | stream,
	};

	if (fuse_reply_buf(req, (const char *)&out, sizeof(out)) == -ENOENT)
		svf_open_put(open);
}

static long open_dev_run(struct svf_request *request)
{
	struct svf_machine *machine = request->call.machine;
	const struct svf_tree_node *node = request->node;
	struct svf_call *call = &request->call;
	int err;

	if (!svf_tree_node_usable(node))
		return svf_fail(call, -ENODEV, "the device is gone");
	err = svf_share_check(request->host, call);
	if (err)
		return err;
	switch (node->dev.kind) {
	case SVF_DEVNODE_CONTAINER:
		return svf_container_open(machine, call, &request->file);
	case SVF_DEVNODE_GROUP:
		return svf_group_open(machine, call, node->dev.number, &request->file);
	case SVF_DEVNODE_CDEV:
		return svf_cdev_open(machine, call, node->dev.number, &request->file);
	case SVF_DEVNODE_IOMMUFD:
		return svf_iommufd_open(machine, call, &request->file);
	}
	return -ENXIO;
}

static bool open_dev_reply(struct svf_request *request, long result)
{
	struct svf_open *open;
	int err = (int)result;

	if (!err) {
		err = svf_open_alloc(request->host, request->node, request->file, request->call.pid,
				     &open);
		if (err)
			svf_file_close(request->file);
	}
	if (err)
		fuse_reply_err(request->fuse, -err);
	else
		reply_open(request->fuse, open);
	return true;
}

static void open_describe(const struct svf_request *request, char *buf, size_t size)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "?"};
	char path[160];

	describe_path(request, path, sizeof(path));
	snprintf(buf, size, "open(%s, %s)", path, modes[request->flags & O_ACCMODE]);
}

static const struct svf_request_ops open_dev_ops = {
	.run = open_dev_run,
	.reply = open_dev_reply,
	.describe = open_describe,
};

static void open_dev(fuse_req_t req, struct svf_tree_node *node, int flags)
{
	struct svf_request *request;

	request = svf_request_alloc(svf_fuse_host(req), &open_dev_ops, fuse_req_ctx(req)->pid);
	if (!request) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	request->fuse = req;
	request->flags = flags;
	request->node = node;
	svf_tree_node_get(node);
	svf_request_run(request);
}

/* Whether an attribute can be used that way; who may is the kernel's to say, by its mode. */
static bool attr_access(const struct svf_tree_node *node, int flags)
{
	const struct svf_attr *attr = node->attr.ops;
	int access = flags & O_ACCMODE;

	if (access != O_RDONLY && (!(node->mode & 0222) || (!attr->store && !attr->write)))
		return false;
	return access == O_WRONLY || ((node->mode & 0444) && (attr->show || attr->read));
}

static void open_attr(fuse_req_t req, struct svf_tree_node *node, int flags)
{
	struct svf_open *open;
	int err;

	if (!svf_tree_node_usable(node))
		err = -ENODEV;
	else if (!attr_access(node, flags))
		err = -EACCES;
	else
		err = svf_open_alloc(svf_fuse_host(req), node, NULL, fuse_req_ctx(req)->pid, &open);
	if (err)
		fuse_reply_err(req, -err);
	else
		reply_open(req, open);
}

/*
 * A file that waits to be injected; only the helper comes here (fuse.c hides the rest from
 * everybody else).
 */
static void open_hidden(fuse_req_t req, fuse_ino_t ino)
{
	struct svf_host *host = svf_fuse_host(req);
	struct svf_open *open;
	struct svf_file *file = NULL;
	int err = -ENOENT;
	pid_t tid;

	if (fuse_req_ctx(req)->pid == host->helper.tid)
		file = svf_inject_take(&host->injects, ino - SVF_INO_HIDDEN, &tid);
	if (file) {
		err = svf_open_alloc(host, NULL, file, tid, &open);
		if (err)
			svf_file_close(file);
		else
			svf_inject_opened(&host->injects, ino - SVF_INO_HIDDEN, open);
	}
	if (err)
		fuse_reply_err(req, -err);
	else
		reply_open(req, open);
}

void svf_fuse_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct svf_tree_node *node = svf_tree_by_ino(svf_fuse_host(req)->tree, ino);

	if (ino > SVF_INO_HIDDEN)
		open_hidden(req, ino);
	else if (!node)
		fuse_reply_err(req, ENOENT);
	else if (node->kind == SVF_NODE_DEV)
		open_dev(req, node, fi->flags);
	else if (node->kind == SVF_NODE_ATTR)
		open_attr(req, node, fi->flags);
	else
		fuse_reply_err(req, EISDIR);
}

void svf_fuse_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct svf_host *host = svf_fuse_host(req);

	(void)ino;
	svf_open_put(svf_fuse_open_of(fi));
	svf_host_settle(host);
	fuse_reply_err(req, 0);
}

/* Reading. */

/* Takes the present value; only then the old one goes. */
static long take_text(struct svf_open *open)
{
	const struct svf_tree_node *node = open->node;
	char page[PAGE], *text;
	ssize_t n;

	n = node->attr.ops->show(open->host, node->attr.object, node->attr.arg, page, sizeof(page));
	if (n < 0)
		return n;
	text = malloc((size_t)n + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, page, (size_t)n);
	free(open->text);
	open->text = text;
	open->text_len = (size_t)n;
	return 0;
}

static long read_text(struct svf_request *request)
{
	struct svf_open *open = request->open;
	size_t len = request->len;
	long err = request->offset == 0 || !open->text ? take_text(open) : 0;

	if (err)
		return err;
	if (request->offset >= open->text_len)
		return 0;
	if (len > open->text_len - request->offset)
		len = open->text_len - request->offset;
	memcpy(request->data, open->text + request->offset, len);
	return (long)len;
}

static long read_run(struct svf_request *request)
{
	const struct svf_open *open = request->open;
	const struct svf_tree_node *node = open->node;

	if (open->file)
		return svf_file_read(open->file, &request->call, request->data, request->len,
				     request->offset);
	if (!svf_tree_node_usable(node))
		return svf_fail(&request->call, -ENODEV, "the object of this attribute is gone");
	if (node->attr.ops->read)
		return node->attr.ops->read(open->host, node->attr.object, node->attr.arg,
					    &request->call, request->data, request->len,
					    request->offset);
	return read_text(request);
}

static bool read_reply(struct svf_request *request, long result)
{
	if (result < 0)
		fuse_reply_err(request->fuse, (int)-result);
	else
		fuse_reply_buf(request->fuse, request->data, (size_t)result);
	return true;
}

static void read_describe(const struct svf_request *request, char *buf, size_t size)
{
	char path[160];

	describe_path(request, path, sizeof(path));
	snprintf(buf, size, "pread(%s, ..., %zu, 0x%" PRIx64 ")", path, request->len,
		 request->offset);
}

static const struct svf_request_ops read_ops = {
	.run = read_run,
	.reply = read_reply,
	.describe = read_describe,
};

static struct svf_request *request_of_open(fuse_req_t req, const struct svf_request_ops *ops,
					   struct svf_open *open, size_t len, off_t offset)
{
	struct svf_request *request;

	request = svf_request_alloc(svf_fuse_host(req), ops, fuse_req_ctx(req)->pid);
	if (!request)
		return NULL;
	request->fuse = req;
	request->open = open;
	svf_open_get(open);
	request->len = len;
	request->offset = (uint64_t)offset;
	return request;
}

void svf_fuse_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		   struct fuse_file_info *fi)
{
	struct svf_request *request =
		request_of_open(req, &read_ops, svf_fuse_open_of(fi), size, offset);

	(void)ino;
	/* Zeroed, so that a reader which fills less than it says tells nothing of ours. */
	if (request)
		request->data = calloc(1, size + 1);
	if (!request || !request->data) {
		if (request)
			svf_request_end(request);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	svf_request_run(request);
}

/* Polling: without a file of the core that says otherwise, always ready, as files are by default. */

static unsigned int poll_events(const struct svf_open *open)
{
	unsigned int ready =
		open && open->file ? svf_file_poll(open->file) : SVF_POLL_IN | SVF_POLL_OUT;

	return (ready & SVF_POLL_IN ? POLLIN | POLLRDNORM : 0u) |
	       (ready & SVF_POLL_OUT ? POLLOUT | (is_stream(open) ? 0u : POLLWRNORM) : 0u);
}

void svf_fuse_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		   struct fuse_pollhandle *handle)
{
	struct svf_open *open = svf_fuse_open_of(fi);

	(void)ino;
	if (open && handle) {
		if (open->poll)
			fuse_pollhandle_destroy(open->poll);
		open->poll = handle;
	} else if (handle) {
		fuse_pollhandle_destroy(handle);
	}
	fuse_reply_poll(req, open ? poll_events(open) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

void svf_host_file_ready(struct svf_machine *machine, struct svf_file *file)
{
	struct svf_open *open = svf_open_lookup(machine->host, file);

	if (!open || !open->poll)
		return;
	fuse_lowlevel_notify_poll(open->poll);
	fuse_pollhandle_destroy(open->poll);
	open->poll = NULL;
}

/* Writing. */

/*
 * One NUL after the value, which may be up to a page long; the rest of a longer write is not looked
 * at.
 */
static long write_text(struct svf_request *request)
{
	const struct svf_tree_node *node = request->open->node;
	size_t len = request->len < PAGE ? request->len : PAGE;
	char page[PAGE + 1];
	int err = svf_request_may_wait(request);

	if (err)
		return err;
	memcpy(page, request->in, len);
	page[len] = '\0';
	err = node->attr.ops->store(request->host, node->attr.object, node->attr.arg,
				    &request->call, page, len);
	return err ? err : (long)len;
}

static long write_run(struct svf_request *request)
{
	const struct svf_open *open = request->open;
	const struct svf_tree_node *node = open->node;

	if (open->file)
		return svf_file_write(open->file, &request->call, request->in, request->len,
				      request->offset);
	if (!svf_tree_node_usable(node) && !(request->call.again && node->attr.ops->outlives))
		return svf_fail(&request->call, -ENODEV, "the object of this attribute is gone");
	if (node->attr.ops->write)
		return node->attr.ops->write(open->host, node->attr.object, node->attr.arg,
					     &request->call, request->in, request->len,
					     request->offset);
	return write_text(request);
}

static bool write_reply(struct svf_request *request, long result)
{
	if (result < 0)
		fuse_reply_err(request->fuse, (int)-result);
	else
		fuse_reply_write(request->fuse, (size_t)result);
	return true;
}

static void write_describe(const struct svf_request *request, char *buf, size_t size)
{
	char path[160], text[WRITTEN_SHOWN + 1];
	size_t n = request->len < WRITTEN_SHOWN ? request->len : WRITTEN_SHOWN;

	describe_path(request, path, sizeof(path));
	if (request->open->file || request->open->node->attr.ops->write) {
		snprintf(buf, size, "pwrite(%s, ..., %zu, 0x%" PRIx64 ")", path, request->len,
			 request->offset);
		return;
	}
	memcpy(text, request->in, n);
	while (n && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	svf_text_clean(text);
	snprintf(buf, size, "write(%s, \"%s\")", path, text);
}

static const struct svf_request_ops write_ops = {
	.run = write_run,
	.reply = write_reply,
	.describe = write_describe,
};

void svf_fuse_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	struct svf_request *request =
		request_of_open(req, &write_ops, svf_fuse_open_of(fi), size, offset);

	(void)ino;
	if (!request) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	request->in = buf;
	svf_request_run(request);
}
