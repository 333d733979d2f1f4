/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of ours in KVM's hands; see kvm.h. */
#include "host/client/kvm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "host/client/user.h"
#include "host/files/open.h"
#include "host/host.h"

/* How a descriptor of the device reads back in /proc/PID/fd. */
#define KVM_VFIO_LINK "anon_inode:kvm-vfio"

void svf_kvm_init(struct svf_kvm *kvm)
{
	svf_list_init(&kvm->uses);
	kvm->count = 0;
}

static void use_destroy(struct svf_kvm *kvm, struct svf_kvm_use *use)
{
	svf_list_del(&use->link);
	kvm->count--;
	free(use);
}

void svf_kvm_fini(struct svf_kvm *kvm)
{
	struct svf_kvm_use *use, *tmp;

	svf_list_for_each_safe(use, tmp, &kvm->uses, link)
		use_destroy(kvm, use);
}

static struct svf_kvm_use *use_lookup(struct svf_kvm *kvm, pid_t pid, int number,
				      const struct svf_file *file)
{
	struct svf_kvm_use *use;

	svf_list_for_each(use, &kvm->uses, link) {
		if (use->pid == pid && use->number == number && use->file == file)
			return use;
	}
	return NULL;
}

int svf_kvm_add(struct svf_kvm *kvm, pid_t pid, int number, const struct svf_file *file)
{
	struct svf_kvm_use *use;

	if (use_lookup(kvm, pid, number, file))
		return -EEXIST;
	if (kvm->count >= SVF_KVM_USES_MAX)
		return -ENOMEM;
	use = calloc(1, sizeof(*use));
	if (!use)
		return -ENOMEM;
	use->file = file;
	use->pid = pid;
	use->number = number;
	svf_list_add_tail(&kvm->uses, &use->link);
	kvm->count++;
	return 0;
}

int svf_kvm_remove(struct svf_kvm *kvm, pid_t pid, int number, const struct svf_file *file)
{
	struct svf_kvm_use *use = use_lookup(kvm, pid, number, file);

	if (!use)
		return -ENOENT;
	use_destroy(kvm, use);
	return 0;
}

void svf_kvm_forget(struct svf_kvm *kvm, const struct svf_file *file)
{
	struct svf_kvm_use *use, *tmp;

	svf_list_for_each_safe(use, tmp, &kvm->uses, link) {
		if (file && use->file == file)
			use_destroy(kvm, use);
	}
}

static bool is_kvm_vfio(const struct svf_request *request)
{
	char path[48], target[sizeof(KVM_VFIO_LINK)];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)request->call.pid, request->fd_number);
	n = readlink(path, target, sizeof(target));
	return n == (ssize_t)strlen(KVM_VFIO_LINK) && !memcmp(target, KVM_VFIO_LINK, (size_t)n);
}

/* Whether the call adds or removes a file, and which by the caller's number. */
static bool read_arguments(struct svf_request *request, struct kvm_device_attr *ret,
			   int *ret_number)
{
	struct svf_call *call = &request->call;

	return !svf_user_read(call, ret, request->arg, sizeof(*ret)) &&
	       ret->group == KVM_DEV_VFIO_GROUP &&
	       (ret->attr == KVM_DEV_VFIO_GROUP_ADD || ret->attr == KVM_DEV_VFIO_GROUP_DEL) &&
	       !svf_user_read(call, ret_number, ret->addr, sizeof(*ret_number));
}

static int set_file(struct svf_request *request, bool add, const struct svf_file *file)
{
	struct svf_kvm *kvm = &request->host->kvm;
	struct svf_call *call = &request->call;
	int err, number = request->fd_number;
	pid_t pid;

	if (svf_process_of(call->pid, &pid))
		return -ESRCH;
	err = add ? svf_kvm_add(kvm, pid, number, file) : svf_kvm_remove(kvm, pid, number, file);
	switch (err) {
	case -EEXIST:
		return svf_fail(call, err, "the file was added to this KVM device already");
	case -ENOENT:
		return svf_fail(call, err, "the file was not added to this KVM device");
	case -ENOMEM:
		return svf_fail(call, err,
				"%u files have been added to KVM devices, no more can be",
				kvm->count);
	}
	return err;
}

long svf_kvm_set_attr(struct svf_request *request)
{
	struct kvm_device_attr attr;
	struct svf_fd fd;
	int number, err;

	request->pass = true;
	if (!is_kvm_vfio(request) || !read_arguments(request, &attr, &number))
		return 0;
	err = svf_call_fd(&request->call, number, &fd);
	if (err == -EBADF)
		return 0;
	if (!err && (fd.kind != SVF_FD_FILE ||
		     (fd.file->kind != SVF_FILE_GROUP && fd.file->kind != SVF_FILE_DEVICE)))
		return 0;
	request->pass = false;
	return err ? err : set_file(request, attr.attr == KVM_DEV_VFIO_GROUP_ADD, fd.file);
}

void svf_kvm_describe(const struct svf_request *request, char *buf, size_t size)
{
	struct kvm_device_attr attr = {0};
	int number = -1;

	svf_user_peek(request, &attr, request->arg, sizeof(attr));
	svf_user_peek(request, &number, attr.addr, sizeof(number));
	snprintf(buf, size, "ioctl(%s, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE_%s %d)",
		 KVM_VFIO_LINK, attr.attr == KVM_DEV_VFIO_GROUP_ADD ? "ADD" : "DEL", number);
}
