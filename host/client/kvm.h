/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * KVM's "kvm-vfio" device, which VMMs tell of the groups and devices that a guest has. The real KVM
 * is asked for everything; but a file of ours it takes for no VFIO file (EINVAL, which is fatal to
 * many VMMs). So KVM_SET_DEVICE_ATTR comes by the listener, and where it adds or removes a group or
 * device file of ours it is answered here. All else, errors of every kind among it, is handed on to KVM.
 *
 * That decides nothing about safety: whoever changes the arguments after they were looked at
 * gets KVM's answer instead of ours, or the other way round.
 *
 * A KVM device says nothing of itself but that it is one, and to hold a descriptor of it would keep
 * the guest alive. So what was added is known by process and descriptor number, for as long as our
 * file is open. KVM would also keep our file open; we do not.
 */
#ifndef SVF_HOST_CLIENT_KVM_H
#define SVF_HOST_CLIENT_KVM_H

#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"

struct svf_file;
struct svf_request;

#define SVF_KVM_USES_MAX 4096u

/* A file of ours that was added to a KVM device. */
struct svf_kvm_use {
	struct svf_list link;
	const struct svf_file *file;
	pid_t pid;  /* the process, */
	int number; /* and what it calls its KVM device */
};

struct svf_kvm {
	struct svf_list uses;
	unsigned int count;
};

void svf_kvm_init(struct svf_kvm *kvm);
void svf_kvm_fini(struct svf_kvm *kvm);

/* Return: 0, -EEXIST, -ENOMEM. */
int svf_kvm_add(struct svf_kvm *kvm, pid_t pid, int number,
		const struct svf_file *file) SVF_MUST_CHECK;
/* Return: 0, -ENOENT. */
int svf_kvm_remove(struct svf_kvm *kvm, pid_t pid, int number,
		   const struct svf_file *file) SVF_MUST_CHECK;
/* The file is closed. Takes NULL. */
void svf_kvm_forget(struct svf_kvm *kvm, const struct svf_file *file);

/* A KVM_SET_DEVICE_ATTR that came by a listener. Return: as svf_request_ops.run, or request->pass. */
long svf_kvm_set_attr(struct svf_request *request);
void svf_kvm_describe(const struct svf_request *request, char *buf, size_t size);

#endif
