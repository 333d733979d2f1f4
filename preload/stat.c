/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fstat of a device node. A node of ours is a regular file to the kernel; clients that insist on a
 * character device with the number that sysfs shows get that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "preload/preload.h"
#include "uapi/softvfio.h"

static int libc_fstatat(int fd, const char *path, struct stat *st, int flags)
{
	return (int)syscall(SYS_newfstatat, fd, path, st, flags);
}

static int libc_statx(int fd, const char *path, int flags, unsigned int mask, struct statx *stx)
{
	return (int)syscall(SYS_statx, fd, path, flags, mask, stx);
}

/* The device number a node of ours should have, 0 when it is none. */
static dev_t node_devt(int fd)
{
	int saved = errno;
	int devt = svf_is_fuse(fd) ? ioctl(fd, SVF_NODE_DEVT) : -1;

	errno = saved;
	return devt > 0 ? makedev((unsigned int)devt >> 20, (unsigned int)devt & 0xfffff) : 0;
}

int svf_preload_fstat(int fd, struct stat *st)
{
	int ret = libc_fstatat(fd, "", st, AT_EMPTY_PATH);
	dev_t devt;

	if (ret || !S_ISREG(st->st_mode))
		return ret;
	devt = node_devt(fd);
	if (devt) {
		st->st_mode = (st->st_mode & ~(mode_t)S_IFMT) | S_IFCHR;
		st->st_rdev = devt;
	}
	return 0;
}

static bool names_fd(const char *path, int flags)
{
	return flags & AT_EMPTY_PATH && path && !*path;
}

int svf_preload_fstatat(int fd, const char *path, struct stat *st, int flags)
{
	return names_fd(path, flags) ? svf_preload_fstat(fd, st)
				     : libc_fstatat(fd, path, st, flags);
}

int svf_preload_statx(int fd, const char *path, int flags, unsigned int mask, struct statx *stx)
{
	int ret = libc_statx(fd, path, flags, mask, stx);
	dev_t devt;

	if (ret || !names_fd(path, flags) || !S_ISREG(stx->stx_mode))
		return ret;
	devt = node_devt(fd);
	if (devt) {
		stx->stx_mode = (uint16_t)((stx->stx_mode & ~S_IFMT) | S_IFCHR);
		stx->stx_rdev_major = major(devt);
		stx->stx_rdev_minor = minor(devt);
	}
	return 0;
}
