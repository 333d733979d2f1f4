/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The preload: what the FUSE files cannot do, done inside the client.
 *
 *   mmap of a BAR      FUSE has no device memory to map. The memory behind a BAR's RAM pages is a
 *                      memfd of the host's; the preload asks for it and maps that instead, at the
 *                      address and with the protection and flags the client wanted. What comes out is
 *                      an ordinary shared mapping: munmap, fork, MAP_FIXED over a reservation and
 *                      several maps of one page need no help.
 *   fstat of a cdev    A node of ours is a regular file to the kernel. Clients that insist on a
 *                      character device with the number sysfs shows get that.
 *
 * Nothing here is an authority: the host checks each request for a memory fd as it checks an
 * ioctl, and gives none that the region info would not have offered. There is no state, no
 * constructor, no output, and errno is touched only by a call that fails.
 *
 * Each function comes as a triple: libc_x is the system call, svf_preload_x the logic, x the symbol
 * that is exported in its place. System calls are made directly: looking up libc's own function
 * would need work at start or in a signal handler. The structures are the kernel's on LP64.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "uapi/softvfio.h"

#define SVF_EXPORT __attribute__((visibility("default")))

static void *libc_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, addr, length, prot, flags, fd, offset);
}

static int libc_fstatat(int fd, const char *path, struct stat *st, int flags)
{
	return (int)syscall(SYS_newfstatat, fd, path, st, flags);
}

static int libc_statx(int fd, const char *path, int flags, unsigned int mask, struct statx *stx)
{
	return (int)syscall(SYS_statx, fd, path, flags, mask, stx);
}

static bool is_fuse(int fd)
{
	struct statfs fs;
	int saved = errno;
	bool fuse = syscall(SYS_fstatfs, fd, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;

	errno = saved;
	return fuse;
}

/* A file of another FUSE filesystem answers the request with one of these. */
static bool not_ours(int err)
{
	return err == ENOTTY || err == ENOSYS || err == EOPNOTSUPP;
}

static void *map_ram(const struct svf_preload_ram *ram, int ram_fd, void *addr, int flags)
{
	void *map = MAP_FAILED;
	int err = EINVAL; /* a private mapping of device memory is refused, as by vfio-pci */
	int saved = errno;

	if ((flags & MAP_TYPE) != MAP_PRIVATE) {
		map = libc_mmap(addr, ram->length, (int)ram->prot, flags, ram_fd,
				(off_t)ram->ret_memory_offset);
		err = errno;
	}
	close(ram_fd);
	errno = map == MAP_FAILED ? err : saved;
	return map;
}

static void *svf_preload_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	struct svf_preload_ram ram = {
		.argsz = sizeof(ram),
		.prot = (uint32_t)prot,
		.offset = (uint64_t)offset,
		.length = length,
	};
	int saved = errno, ram_fd;

	if (flags & MAP_ANONYMOUS || fd < 0 || !is_fuse(fd))
		return libc_mmap(addr, length, prot, flags, fd, offset);
	ram_fd = ioctl(fd, SVF_PRELOAD_GET_RAM, &ram);
	if (ram_fd >= 0) {
		errno = saved;
		return map_ram(&ram, ram_fd, addr, flags);
	}
	if (!not_ours(errno))
		return MAP_FAILED;
	errno = saved;
	return libc_mmap(addr, length, prot, flags, fd, offset);
}

/* The device number a node of ours should have, 0 when it is none. */
static dev_t node_devt(int fd)
{
	int saved = errno;
	int devt = is_fuse(fd) ? ioctl(fd, SVF_NODE_DEVT) : -1;

	errno = saved;
	return devt > 0 ? makedev((unsigned int)devt >> 20, (unsigned int)devt & 0xfffff) : 0;
}

static int svf_preload_fstat(int fd, struct stat *st)
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

static int svf_preload_statx(int fd, const char *path, int flags, unsigned int mask, struct statx *stx)
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

/*
 * The exported symbols. libc declares some of them with attributes that cannot be repeated, so each is
 * defined under a name of its own and exported by its assembler name. The 64 forms are the same on LP64.
 */
#define EXPORT_AS(type, name, symbol, params)                                                      \
	SVF_EXPORT type name params __asm__(symbol);                                               \
	type name params

EXPORT_AS(void *, export_mmap, "mmap",
	  (void *addr, size_t length, int prot, int flags, int fd, off_t offset))
{
	return svf_preload_mmap(addr, length, prot, flags, fd, offset);
}

EXPORT_AS(void *, export_mmap64, "mmap64",
	  (void *addr, size_t length, int prot, int flags, int fd, off_t offset))
{
	return svf_preload_mmap(addr, length, prot, flags, fd, offset);
}

EXPORT_AS(int, export_fstat, "fstat", (int fd, struct stat *st))
{
	return svf_preload_fstat(fd, st);
}

EXPORT_AS(int, export_fstat64, "fstat64", (int fd, struct stat *st))
{
	return svf_preload_fstat(fd, st);
}

/* What programs built before glibc 2.33 call. */
EXPORT_AS(int, export_fxstat, "__fxstat", (int version, int fd, struct stat *st))
{
	(void)version;
	return svf_preload_fstat(fd, st);
}

EXPORT_AS(int, export_fxstat64, "__fxstat64", (int version, int fd, struct stat *st))
{
	(void)version;
	return svf_preload_fstat(fd, st);
}

EXPORT_AS(int, export_fstatat, "fstatat", (int fd, const char *path, struct stat *st, int flags))
{
	return names_fd(path, flags) ? svf_preload_fstat(fd, st) : libc_fstatat(fd, path, st, flags);
}

EXPORT_AS(int, export_fstatat64, "fstatat64", (int fd, const char *path, struct stat *st, int flags))
{
	return names_fd(path, flags) ? svf_preload_fstat(fd, st) : libc_fstatat(fd, path, st, flags);
}

EXPORT_AS(int, export_statx, "statx",
	  (int fd, const char *path, int flags, unsigned int mask, struct statx *stx))
{
	return svf_preload_statx(fd, path, flags, mask, stx);
}
