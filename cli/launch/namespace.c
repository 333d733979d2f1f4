/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * User and mount namespaces. Root takes a mount namespace only; everybody else, and a root that may
 * not (in a container without CAP_SYS_ADMIN), takes a user namespace as well, in which the kernel
 * gives us the right to mount.
 *
 * In the user namespace the caller keeps its own user and group number unless asked to be 0, so
 * that files, messages and permissions look as outside. Its process then has no capability after
 * exec, as outside; the host needs a few and gets them as ambient ones. All other users and groups
 * are seen as 65534, as always in such a namespace; the supplementary groups still count for
 * access.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/launch/launch.h"

/*
 * What the host does with them: reads and writes CMD's memory and takes its descriptors whatever
 * Yama says; reaches files as the namespace's owner; ends what CMD left.
 */
static const unsigned int svf_host_capabilities[] = {
	CAP_SYS_PTRACE,
	CAP_DAC_OVERRIDE,
	CAP_DAC_READ_SEARCH,
	CAP_KILL,
};

/* Settings that keep ordinary users from making namespaces, and how to lift them. */
static const struct {
	const char *file;
	long forbidding; /* value that forbids */
	const char *sentence;
} svf_obstacles[] = {
	{"/proc/sys/kernel/unprivileged_userns_clone", 0,
	 "user namespaces are switched off for ordinary users; as root: "
	 "sysctl -w kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/user/max_user_namespaces", 0,
	 "the number of user namespaces is limited to 0; as root: sysctl -w "
	 "user.max_user_namespaces=10000"},
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
	 "AppArmor restricts user namespaces of ordinary users; as root: "
	 "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
};

static bool svf_setting_read(const char *file, long *ret)
{
	char text[32];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	*ret = strtol(text, NULL, 10);
	return true;
}

const char *svf_namespace_obstacle(void)
{
	long value;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(svf_obstacles); i++) {
		if (svf_setting_read(svf_obstacles[i].file, &value) &&
		    value == svf_obstacles[i].forbidding)
			return svf_obstacles[i].sentence;
	}
	return NULL;
}

static int svf_namespace_refused(int err, const char *what)
{
	const char *obstacle = svf_namespace_obstacle();

	if (obstacle)
		return svf_complain(-err, "%s", obstacle);
	if (err == ENOSPC || err == EUSERS)
		return svf_complain(-err,
				    "%s: there are too many namespaces; end some, or as root raise "
				    "user.max_user_namespaces and user.max_mnt_namespaces",
				    what);
	if (err == EINVAL)
		return svf_complain(
			-err, "%s: the kernel has no user namespaces (CONFIG_USER_NS); run as root",
			what);
	return svf_complain(-err,
			    "%s: %s; in a container, allow it: --cap-add SYS_ADMIN --security-opt "
			    "seccomp=unconfined --security-opt apparmor=unconfined",
			    what, strerror(err));
}

static int svf_proc_write(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	ssize_t len;
	int err;

	if (fd < 0)
		return -errno;
	len = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	return len < 0 ? -err : 0;
}

static int svf_namespace_map(uid_t uid, gid_t gid, bool map_root)
{
	char text[64];
	int ret;

	/* Kernels before 3.19 have no such file and need no such word. */
	ret = svf_proc_write("/proc/self/setgroups", "deny");
	if (ret && ret != -ENOENT)
		return ret;
	snprintf(text, sizeof(text), "%u %u 1", map_root ? 0 : uid, uid);
	ret = svf_proc_write("/proc/self/uid_map", text);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%u %u 1", map_root ? 0 : gid, gid);
	return svf_proc_write("/proc/self/gid_map", text);
}

static int svf_namespace_unshare(bool map_root)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int ret;

	if (!uid && !unshare(CLONE_NEWNS))
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return svf_namespace_refused(errno, "cannot make a user namespace");
	ret = svf_namespace_map(uid, gid, map_root);
	if (ret)
		return svf_namespace_refused(-ret, "cannot map the user in a new user namespace");
	return 0;
}

int svf_namespace_enter(bool map_root)
{
	int ret = svf_namespace_unshare(map_root);

	if (ret)
		return ret;
	if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL))
		return svf_namespace_refused(errno, "cannot make the mounts private");
	return 0;
}

/*
 * Root's groups are not for a place that another user made, and must go while there is still the
 * right to drop them. Who has not that right (EPERM) cannot join another user's namespace either.
 */
static int svf_namespace_drop_groups(void)
{
	if (geteuid() || !setgroups(0, NULL) || errno == EPERM)
		return 0;
	return -errno;
}

/* Return: 1 when joined, 0 when it is ours already, or a negative errno. */
static int svf_namespace_join_fd(int fd, const char *own, int type)
{
	struct stat theirs, ours;
	int ret;

	if (fstat(fd, &theirs) || stat(own, &ours))
		return -errno;
	if (theirs.st_ino == ours.st_ino)
		return 0;
	ret = type == CLONE_NEWUSER ? svf_namespace_drop_groups() : 0;
	if (ret)
		return ret;
	return setns(fd, type) ? -errno : 1;
}

static int svf_namespace_join_one(pid_t host, const char *kind, int type)
{
	char path[64], own[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", host, kind);
	snprintf(own, sizeof(own), "/proc/self/ns/%s", kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = svf_namespace_join_fd(fd, own, type);
	close(fd);
	return ret;
}

/* Root in another user's namespace has no number there: it becomes that user. */
static int svf_namespace_become(pid_t host)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns", host);
	if (stat(path, &st))
		return -errno;
	if (st.st_gid != getegid() && setresgid(st.st_gid, st.st_gid, st.st_gid))
		return -errno;
	if (st.st_uid != geteuid() && setresuid(st.st_uid, st.st_uid, st.st_uid))
		return -errno;
	return 0;
}

static int svf_namespace_join_all(pid_t host)
{
	int ret = svf_namespace_join_one(host, "user", CLONE_NEWUSER);

	if (ret > 0)
		ret = svf_namespace_become(host);
	if (ret < 0)
		return ret;
	ret = svf_namespace_join_one(host, "mnt", CLONE_NEWNS);
	return ret < 0 ? ret : 0;
}

int svf_namespace_join(pid_t host)
{
	char *cwd = getcwd(NULL, 0);
	int ret = svf_namespace_join_all(host);

	/* A directory that is not there inside leaves us at the root, as setns does. */
	if (!ret && cwd && chdir(cwd))
		ret = chdir("/") ? -errno : 0;
	free(cwd);
	if (ret)
		return svf_complain(
			ret,
			"cannot join the namespaces of process %d: %s; use the user who started it",
			host, strerror(-ret));
	return 0;
}

int svf_namespace_keep_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (!geteuid())
		return 0;
	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(svf_host_capabilities); i++)
		data[svf_host_capabilities[i] / 32].inheritable |=
			UINT32_C(1) << (svf_host_capabilities[i] % 32);
	if (syscall(SYS_capset, &header, data))
		return -errno;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(svf_host_capabilities); i++) {
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, svf_host_capabilities[i], 0, 0))
			return -errno;
	}
	return 0;
}
