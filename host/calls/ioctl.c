/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands on our files. VFIO's and iommufd's numbers say nothing of direction and size, so FUSE
 * passes number and argument and no bytes; the core copies those itself (user.c).
 */
#include "host/calls/ioctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/command.h"
#include "core/file.h"
#include "host/client/fds.h"
#include "host/client/kvm.h"
#include "host/client/mm.h"
#include "host/client/user.h"
#include "host/files/fuse_ops.h"
#include "host/files/node.h"
#include "host/files/text.h"
#include "host/sysfs/sysfs.h"
#include "uapi/softvfio.h"

#define STRING_SHOWN 128
/* Misc devices; VFIO's number is fixed, iommufd's is the second that was given out. */
#define MAJOR_MISC    10u
#define MINOR_VFIO    196u
#define MINOR_IOMMUFD 257u

static long run(struct svf_request *request)
{
	struct svf_call *call = &request->call;
	long result;

	result = svf_file_ioctl(request->open->file, call, request->command, request->arg);
	if (result >= 0 && call->ret_file) {
		/* The core makes no file where can_return_fd is not set. */
		svf_file_close(call->ret_file);
		call->ret_file = NULL;
		result = svf_fail(call, -ENOTTY, "no descriptor can be made on this way");
	}
	return result;
}

static bool reply(struct svf_request *request, long result)
{
	if (result < 0)
		fuse_reply_err(request->fuse, (int)-result);
	else
		fuse_reply_ioctl(request->fuse, (int)result, NULL, 0);
	return true;
}

static void append_string(const struct svf_request *request, char *buf, size_t size)
{
	char text[STRING_SHOWN];
	size_t used = strlen(buf), n;

	n = svf_user_peek(request, text, request->arg, sizeof(text) - 1);
	text[n] = '\0';
	svf_text_clean(text);
	snprintf(buf + used, size - used, ", \"%s\")", text);
}

/* What the client called is mmap; the preload has made a command of it. */
static void describe_mmap(const struct svf_request *request, const char *name, char *buf,
			  size_t size)
{
	struct svf_preload_ram arg = {0};

	svf_user_peek(request, &arg, request->arg, sizeof(arg));
	snprintf(buf, size, "mmap(%s, %" PRIu64 ", 0x%x, MAP_SHARED, 0x%" PRIx64 ")", name,
		 arg.length, arg.prot, arg.offset);
}

void svf_ioctl_describe(const struct svf_request *request, char *buf, size_t size)
{
	const struct svf_file *file = request->open ? request->open->file : request->file;
	const struct svf_command *row =
		file ? svf_command_lookup(file->kind, request->command) : NULL;
	struct svf_open *open =
		request->open ? request->open : svf_open_lookup(request->host, file);
	char name[160] = "?";
	size_t used;

	if (open)
		svf_open_describe(open, name, sizeof(name));
	if (request->command == KVM_SET_DEVICE_ATTR && request->listener) {
		svf_kvm_describe(request, buf, size);
		return;
	}
	if (request->command == SVF_PRELOAD_GET_RAM) {
		describe_mmap(request, name, buf, size);
		return;
	}
	if (row)
		snprintf(buf, size, "ioctl(%s, %s", name, row->name);
	else
		snprintf(buf, size, "ioctl(%s, 0x%x", name, request->command);
	used = strlen(buf);
	if (request->command == VFIO_GROUP_GET_DEVICE_FD)
		append_string(request, buf, size);
	else if (row && row->flags & SVF_COMMAND_ARG_NONE)
		snprintf(buf + used, size - used, ")");
	else if (row && row->flags & SVF_COMMAND_ARG_VALUE)
		snprintf(buf + used, size - used, ", %" PRIu64 ")", request->arg);
	else
		snprintf(buf + used, size - used, ", 0x%" PRIx64 ")", request->arg);
}

static const struct svf_request_ops ioctl_ops = {
	.run = run,
	.reply = reply,
	.describe = svf_ioctl_describe,
};

/* major << 20 | minor of a device node; 0: it is none, or a device file without a name. */
static int node_devt(const struct svf_open *open)
{
	const struct svf_tree_node *node = open->node;

	if (!node || node->kind != SVF_NODE_DEV)
		return 0;
	switch (node->dev.kind) {
	case SVF_DEVNODE_CONTAINER:
		return MAJOR_MISC << 20 | MINOR_VFIO;
	case SVF_DEVNODE_IOMMUFD:
		return MAJOR_MISC << 20 | MINOR_IOMMUFD;
	case SVF_DEVNODE_GROUP:
		return (int)(SVF_SYSFS_MAJOR_GROUP << 20 | node->dev.number);
	case SVF_DEVNODE_CDEV:
		return (int)(SVF_SYSFS_MAJOR_CDEV << 20 | node->dev.number);
	}
	return 0;
}

/*
 * Commands that are softvfio's, not the kernel's. They are no calls of the client's own and leave
 * no trace in its list of failed calls. Return: whether it was one and is answered.
 */
static bool own_command(fuse_req_t req, struct svf_host *host, struct svf_open *open,
			unsigned int cmd, uint64_t arg)
{
	int devt;

	if (cmd == SVF_NODE_DEVT) {
		devt = node_devt(open);
		if (devt)
			fuse_reply_ioctl(req, devt, NULL, 0);
		else
			fuse_reply_err(req, ENOTTY);
		return true;
	}
	if (cmd == SVF_NOOP && open->file &&
	    (open->file->kind == SVF_FILE_IOMMUFD || open->file->kind == SVF_FILE_DEVICE)) {
		fuse_reply_ioctl(req, 0, NULL, 0);
		return true;
	}
	if (cmd == SVF_HOST_IDENTIFY && fuse_req_ctx(req)->pid == host->helper.tid) {
		svf_fds_identified(host, arg, open);
		fuse_reply_ioctl(req, 0, NULL, 0);
		return true;
	}
	return false;
}

static void offer_mmap(struct svf_request *request)
{
	struct svf_call *call = &request->call;

	call->offer_mmap = svf_mm_has_preload(request->host, call->pid);
	call->offer_traps = call->offer_mmap && !svf_process_has_kvm(call->pid);
}

void svf_fuse_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
		    struct fuse_file_info *fi, unsigned int flags, const void *in_buf,
		    size_t in_size, size_t out_size)
{
	struct svf_host *host = svf_fuse_host(req);
	struct svf_open *open = svf_fuse_open_of(fi);
	struct svf_request *request;

	(void)ino;
	(void)in_buf;
	(void)in_size;
	(void)out_size;
	/* A directory has no struct svf_open. */
	if (open && own_command(req, host, open, cmd, (uintptr_t)arg))
		return;
	/* Attributes have no commands either, and 32-bit callers (other layouts) are not served. */
	if (!open || !open->file || flags & FUSE_IOCTL_COMPAT) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	request = svf_request_alloc(host, &ioctl_ops, fuse_req_ctx(req)->pid);
	if (!request) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	request->fuse = req;
	request->open = open;
	svf_open_get(open);
	request->command = cmd;
	request->arg = (uintptr_t)arg;
	if (cmd == VFIO_DEVICE_GET_REGION_INFO && open->file->kind == SVF_FILE_DEVICE)
		offer_mmap(request);
	svf_request_run(request);
}
