/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seccomp filter of CMD: it sends the few ioctl commands that FUSE cannot carry (they return a new
 * descriptor, or are KVM's) to the host, by their number alone, and lets everything else pass. It is
 * inherited by all that CMD starts and cannot be taken off.
 *
 * libseccomp writes the program; it is loaded by hand because the flag that keeps a call in the
 * host's hands while a signal arrives (WAIT_KILLABLE_RECV, Linux 5.19) is unknown to libseccomp
 * before 2.6. no_new_privs is not set, so that set-user-ID programs work as outside: the namespace
 * gives us CAP_SYS_ADMIN in its stead.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/launch/launch.h"
#include "uapi/softvfio.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define SVF_FILTER_SIZE_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

static const uint32_t svf_listened[] = SVF_LISTENED_COMMANDS;

/* The kernel takes the command from the low half of the register, and so must we. */
static int svf_filter_add(scmp_filter_ctx filter, uint32_t command)
{
	const struct scmp_arg_cmp compare = SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, command);

	return seccomp_rule_add_array(filter, SCMP_ACT_NOTIFY, SCMP_SYS(ioctl), 1, &compare);
}

static int svf_filter_export(scmp_filter_ctx filter, struct sock_fprog *ret_program)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter *code = NULL;
	off_t size = 0;
	int ret;

	if (fd < 0)
		return -errno;
	ret = seccomp_export_bpf(filter, fd);
	if (!ret) {
		size = lseek(fd, 0, SEEK_END);
		code = size > 0 && (size_t)size <= SVF_FILTER_SIZE_MAX ? malloc((size_t)size)
								       : NULL;
		ret = code && pread(fd, code, (size_t)size, 0) == size ? 0 : -ENOMEM;
	}
	close(fd);
	if (ret) {
		free(code);
		return ret;
	}
	*ret_program = (struct sock_fprog){
		.len = (unsigned short)((size_t)size / sizeof(*code)),
		.filter = code,
	};
	return 0;
}

static int svf_filter_build(struct sock_fprog *ret_program)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int ret;

	if (!filter)
		return -ENOMEM;
	/* Programs of another ABI (32-bit) do not reach our commands, but they are to run. */
	ret = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
	for (size_t i = 0; i < SVF_ARRAY_SIZE(svf_listened) && !ret; i++)
		ret = svf_filter_add(filter, svf_listened[i]);
	if (!ret)
		ret = svf_filter_export(filter, ret_program);
	seccomp_release(filter);
	return ret;
}

/* Return: the listener, or a negative errno. */
static int svf_filter_load(const struct sock_fprog *program)
{
	const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, program);

	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
	return fd < 0 ? -errno : (int)fd;
}

static int svf_seccomp_refused(int err)
{
	if (err == -EBUSY)
		return svf_complain(err, "this process has a seccomp listener already, and Linux "
					 "allows one: a namespace "
					 "cannot run within another one, nor under a container "
					 "runtime that listens");
	if (err == -EINVAL || err == -ENOSYS)
		return svf_complain(
			err, "the kernel has no seccomp user notification; it needs Linux 5.9 with "
			     "CONFIG_SECCOMP_FILTER");
	return svf_complain(err, "cannot install the seccomp filter: %s", strerror(-err));
}

int svf_seccomp_install(int control)
{
	struct sock_fprog program;
	int listener, ret = svf_filter_build(&program);

	if (ret)
		return svf_seccomp_refused(ret);
	listener = svf_filter_load(&program);
	free(program.filter);
	if (listener < 0)
		return svf_seccomp_refused(listener);
	/* The answer says that the host serves it: CMD's first call finds it ready. */
	ret = svf_control_call(control, "listener", listener, NULL);
	close(listener);
	return ret;
}
