/* SPDX-License-Identifier: BSD-3-Clause */
/* Seccomp listeners and the calls that come by them; see seccomp.h. */
#include "host/calls/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/file.h"
#include "host/calls/ioctl.h"
#include "host/client/barmap.h"
#include "host/client/fds.h"
#include "host/client/kvm.h"
#include "host/client/user.h"
#include "host/host.h"
#include "uapi/softvfio.h"

void svf_seccomp_init(struct svf_seccomp *seccomp)
{
	svf_list_init(&seccomp->listeners);
	seccomp->count = 0;
}

void svf_listener_put(struct svf_listener *listener)
{
	if (!listener || --listener->refs)
		return;
	close(listener->fd);
	free(listener);
}

static void listener_drop(struct svf_listener *listener)
{
	svf_loop_remove(&listener->host->loop, &listener->source);
	svf_list_del(&listener->link);
	listener->host->seccomp.count--;
	svf_listener_put(listener);
}

void svf_seccomp_fini(struct svf_seccomp *seccomp)
{
	struct svf_listener *listener, *tmp;

	svf_list_for_each_safe(listener, tmp, &seccomp->listeners, link)
		listener_drop(listener);
}

bool svf_listener_valid(const struct svf_listener *listener, uint64_t notification)
{
	return !ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &notification);
}

void svf_listener_answer(const struct svf_listener *listener, uint64_t notification, long result,
			 bool pass)
{
	struct seccomp_notif_resp answer = {
		.id = notification,
		.val = result < 0 ? 0 : result,
		.error = result < 0 ? (int)result : 0,
		.flags = pass ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0,
	};
	int err = ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);

	/* The caller may be gone by now, and then nobody is waiting for it. */
	(void)err;
}

/*
 * Most operations of the test command make no descriptor, and go the shorter way of all commands.
 * What is looked at here may be another by then: it is refused there.
 */
static bool returns_fd(struct svf_request *request)
{
	uint32_t head[2] = {0}; /* size, op */

	if (request->command != IOMMU_TEST_CMD)
		return true;
	return svf_user_peek(request, head, request->arg, sizeof(head)) == sizeof(head) &&
	       (head[1] == IOMMU_TEST_OP_CREATE_ACCESS || head[1] == IOMMU_TEST_OP_DMABUF_GET);
}

static long run(struct svf_request *request)
{
	struct svf_fd fd;
	int err;

	if (request->command == KVM_SET_DEVICE_ATTR)
		return svf_kvm_set_attr(request);
	if (!returns_fd(request)) {
		request->pass = true;
		return 0;
	}
	err = svf_call_fd(&request->call, request->fd_number, &fd);
	if (err && err != -EBADF)
		return err;
	if (err || fd.kind != SVF_FD_FILE) {
		request->pass = true;
		return 0;
	}
	request->file = fd.file;
	if (request->command == SVF_PRELOAD_GET_RAM)
		return svf_barmap_get_ram(request, fd.file);
	if (fd.file->kind == SVF_FILE_GROUP || fd.file->kind == SVF_FILE_IOMMUFD)
		err = svf_share_check(request->host, &request->call);
	return err ? err : svf_file_ioctl(fd.file, &request->call, request->command, request->arg);
}

static bool reply(struct svf_request *request, long result)
{
	if (result >= 0 && !request->pass && (request->call.ret_file || request->ret_ram)) {
		result = svf_inject(request);
		if (!result)
			return false;
		svf_why_record(&request->host->why, request, (int)-result);
		svf_fds_release(request);
	}
	svf_listener_answer(request->listener, request->notification, result, request->pass);
	return true;
}

static const struct svf_request_ops listened_ops = {
	.run = run,
	.reply = reply,
	.describe = svf_ioctl_describe,
};

static void receive(struct svf_listener *listener)
{
	struct seccomp_notif notif = {0};
	struct svf_request *request;

	if (ioctl(listener->fd, SECCOMP_IOCTL_NOTIF_RECV, &notif))
		return;
	/* A thread of a process space we cannot see, or a call the filter was not to catch. */
	if (!notif.pid || notif.data.nr != SYS_ioctl) {
		svf_listener_answer(listener, notif.id, 0, true);
		return;
	}
	request = svf_request_alloc(listener->host, &listened_ops, (pid_t)notif.pid);
	if (!request) {
		svf_listener_answer(listener, notif.id, -ENOMEM, false);
		return;
	}
	listener->refs++;
	request->listener = listener;
	request->notification = notif.id;
	request->fd_number = (int)notif.data.args[0];
	request->command = (uint32_t)notif.data.args[1];
	request->arg = notif.data.args[2];
	request->call.can_return_fd = true;
	svf_request_run(request);
}

static void listener_ready(struct svf_source *source, uint32_t events)
{
	struct svf_listener *listener = svf_container_of(source, struct svf_listener, source);

	if (events & EPOLLIN)
		receive(listener);
	else
		listener_drop(listener); /* hung up: no process is under the filter any more */
}

/* By how it reads back: asking the file itself would be a call on whatever the sender has sent. */
static bool is_listener(int fd)
{
	char path[32], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return !strcmp(target, "anon_inode:seccomp notify");
}

int svf_seccomp_add(struct svf_host *host, int fd)
{
	struct svf_listener *listener;
	int err = -EMFILE;

	if (host->seccomp.count >= host->bounds.listeners)
		goto err_close;
	err = -EINVAL;
	if (!is_listener(fd))
		goto err_close;
	err = -ENOMEM;
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		goto err_close;
	listener->host = host;
	listener->fd = fd;
	listener->refs = 1;
	err = svf_loop_add(&host->loop, &listener->source, fd, EPOLLIN, listener_ready);
	if (err)
		goto err_free;
	svf_list_add_tail(&host->seccomp.listeners, &listener->link);
	host->seccomp.count++;
	return 0;
err_free:
	free(listener);
err_close:
	svf_helper_close(&host->helper, fd);
	return err;
}
