/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mmap of a BAR. FUSE has no device memory to map, so the host is asked with the arguments of the
 * mmap.
 *
 *   RAM pages      Their memory is a memfd of the host's, which is mapped instead, at the address
 *                  and with the protection and flags the client wanted: an ordinary shared mapping.
 *   trapped pages  There is no memory: the range is mapped without permission, and trap.c answers.
 *
 * munmap, mprotect, mremap and a mapping over trapped pages keep trap.c's table true. Without trapped pages
 * they are the system call and nothing else.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "preload/preload.h"
#include "preload/trap.h"
#include "uapi/softvfio.h"

static void *libc_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, addr, length, prot, flags, fd, offset);
}

static int libc_munmap(void *addr, size_t length)
{
	return (int)syscall(SYS_munmap, addr, length);
}

static int libc_mprotect(void *addr, size_t length, int prot)
{
	return (int)syscall(SYS_mprotect, addr, length, prot);
}

static void *libc_mremap(void *addr, size_t old_length, size_t length, int flags, void *new_addr)
{
	return (void *)syscall(SYS_mremap, addr, old_length, length, flags, new_addr);
}

bool svf_is_fuse(int fd)
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

/* Something else takes the place of trapped pages. */
static void *map_over(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	void *map = libc_mmap(addr, length, prot, flags, fd, offset);

	if (map != MAP_FAILED && flags & MAP_FIXED)
		svf_trap_remove((uintptr_t)map, length);
	return map;
}

static void *map_ram(const struct svf_preload_ram *ram, int ram_fd, void *addr, int flags)
{
	void *map = MAP_FAILED;
	int err = EINVAL; /* a private mapping of device memory is refused, as by vfio-pci */
	int saved = errno;

	if ((flags & MAP_TYPE) != MAP_PRIVATE) {
		map = map_over(addr, ram->length, (int)ram->prot, flags, ram_fd,
			       (off_t)ram->ret_memory_offset);
		err = errno;
	}
	close(ram_fd);
	errno = map == MAP_FAILED ? err : saved;
	return map;
}

static void *map_trapped(const struct svf_preload_ram *request, void *addr, int flags, int fd)
{
	int keep = flags & ~(MAP_TYPE | MAP_POPULATE | MAP_LOCKED), err;
	void *map;

	if ((flags & MAP_TYPE) == MAP_PRIVATE) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	map = map_over(addr, request->length, PROT_NONE,
		       keep | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return map;
	err = svf_trap_add((uintptr_t)map, request->length, fd, request->offset,
			   (int)request->prot);
	if (!err)
		return map;
	libc_munmap(map, request->length);
	errno = err;
	return MAP_FAILED;
}

void *svf_preload_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	struct svf_preload_ram ram = {
		.argsz = sizeof(ram),
		.prot = (uint32_t)prot,
		.offset = (uint64_t)offset,
		.length = length,
	};
	int saved = errno, ram_fd;

	if (flags & MAP_ANONYMOUS || fd < 0 || !svf_is_fuse(fd))
		return map_over(addr, length, prot, flags, fd, offset);
	ram_fd = ioctl(fd, SVF_PRELOAD_GET_RAM, &ram);
	if (ram_fd >= 0) {
		errno = saved;
		return map_ram(&ram, ram_fd, addr, flags);
	}
	if (errno == ENODATA) {
		errno = saved;
		return map_trapped(&ram, addr, flags, fd);
	}
	if (!not_ours(errno))
		return MAP_FAILED;
	errno = saved;
	return map_over(addr, length, prot, flags, fd, offset);
}

int svf_preload_munmap(void *addr, size_t length)
{
	/* First, so that no new mapping at the same place can be mistaken for it. */
	if ((uintptr_t)addr % 4096 == 0)
		svf_trap_remove((uintptr_t)addr, length);
	return libc_munmap(addr, length);
}

int svf_preload_mprotect(void *addr, size_t length, int prot)
{
	uintptr_t at = (uintptr_t)addr, end = at + length;

	if (at % 4096 || !svf_trap_overlaps(at, length))
		return libc_mprotect(addr, length, prot);
	while (at < end) {
		size_t piece;

		if (!svf_trap_protect(at, end - at, prot, &piece) &&
		    libc_mprotect((void *)at, piece, prot))
			return -1;
		at += piece;
	}
	return 0;
}

void *svf_preload_mremap(void *addr, size_t old_length, size_t length, int flags, void *new_addr)
{
	uintptr_t from = (uintptr_t)addr;
	void *map;

	if (!svf_trap_overlaps(from, old_length))
		return libc_mremap(addr, old_length, length, flags, new_addr);
	/* Device memory does not grow, and keeps its old place only if it keeps its size. */
	if (length > old_length || (flags & MREMAP_DONTUNMAP)) {
		errno = EFAULT;
		return MAP_FAILED;
	}
	if (length < old_length)
		svf_trap_remove(from + length, old_length - length);
	map = libc_mremap(addr, old_length, length, flags, new_addr);
	if (map != MAP_FAILED && map != addr) {
		svf_trap_remove((uintptr_t)map, length);
		svf_trap_move(from, length, (uintptr_t)map);
	}
	return map;
}
