/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mmap of a BAR. FUSE has no device memory to map, so the host is asked with the arguments of the
 * mmap.
 *
 *   RAM pages       Their memory is a memfd of the host's, which is mapped instead, at the address
 *                   and with the protection and flags the client wanted: an ordinary shared mapping.
 *   trapped pages   There is no memory: the range is mapped without permission, and trap.c answers.
 *   trapped stores  As RAM pages, but never for writing; trap.c answers stores.
 *
 * A mapping may have pages of all kinds. The host says of one run of them after the other what it is.
 *
 * munmap, mprotect, mremap and a mapping over trapped pages keep trap.c's table true. Without trapped pages
 * they are the system call and nothing else.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "preload/preload.h"
#include "preload/trap.h"
#include "uapi/softvfio.h"

#define PAGE 4096ul

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

/* --- a mapping of a device file --- */

/* What the host says of the pages of a range, up to ret_length of them. */
struct answer {
	struct svf_preload_ram ram;
	int fd;	 /* of their memory; -1: they have none */
	int err; /* of the request; ENODATA where all is well and there is no memory */
};

static struct answer ask(int fd, int prot, uint64_t offset, size_t length)
{
	struct answer answer = {
		.ram = {.argsz = sizeof(answer.ram),
			.prot = (uint32_t)prot,
			.offset = offset,
			.length = length},
	};
	int saved = errno;

	answer.fd = ioctl(fd, SVF_PRELOAD_GET_RAM, &answer.ram);
	answer.err = answer.fd < 0 ? errno : 0;
	errno = saved;
	return answer;
}

/* Whether accesses to the pages are to reach the function, some of them at least. */
static bool is_trapped(const struct answer *answer)
{
	return answer->err == ENODATA || answer->ram.ret_flags & SVF_PRELOAD_LOADS_ONLY;
}

/*
 * Pages that are alike, at a place with these flags; the table of trapped pages knows of none there. Return: where, or
 * MAP_FAILED.
 */
static void *map_pages(const struct answer *answer, void *addr, int flags)
{
	const struct svf_preload_ram *ram = &answer->ram;
	int keep = flags & ~(MAP_TYPE | MAP_POPULATE | MAP_LOCKED), prot = (int)ram->prot;

	if (answer->fd < 0)
		return libc_mmap(addr, ram->ret_length, PROT_NONE,
				 keep | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram->ret_flags & SVF_PRELOAD_LOADS_ONLY)
		prot &= ~PROT_WRITE;
	return libc_mmap(addr, ram->ret_length, prot, flags, answer->fd,
			 (off_t)ram->ret_memory_offset);
}

/* Return: whether the pages, mapped at map, are what they are to be. */
static bool watch_pages(const struct answer *answer, void *map, int fd)
{
	const struct svf_preload_ram *ram = &answer->ram;
	int err;

	if (!is_trapped(answer))
		return true;
	err = svf_trap_add((uintptr_t)map, ram->ret_length, fd, ram->offset, (int)ram->prot,
			   answer->fd >= 0 ? SVF_TRAP_STORES : SVF_TRAP_ALL);
	if (err)
		errno = err;
	return !err;
}

static void answer_end(const struct answer *answer)
{
	int saved = errno;

	if (answer->fd >= 0)
		close(answer->fd);
	errno = saved;
}

/* The pages behind the first kind of them, where room has been reserved. */
static bool map_rest(int fd, int prot, uint64_t offset, uint8_t *map, size_t length)
{
	size_t n;

	for (; length; offset += n, map += n, length -= n) {
		struct answer answer = ask(fd, prot, offset, length);
		bool mapped;

		if (answer.err && answer.err != ENODATA) {
			errno = answer.err;
			return false;
		}
		n = answer.ram.ret_length;
		mapped = map_pages(&answer, map, MAP_SHARED | MAP_FIXED) != MAP_FAILED &&
			 watch_pages(&answer, map, fd);
		answer_end(&answer);
		if (!mapped)
			return false;
	}
	return true;
}

static void unmap(void *map, size_t length)
{
	int saved = errno;

	svf_trap_remove((uintptr_t)map, length);
	libc_munmap(map, length);
	errno = saved;
}

/* Pages of several kinds: all of the room is taken at once, then filled from its beginning. */
static void *map_runs(const struct answer *first, size_t length, void *addr, int flags, int fd)
{
	int keep = flags & ~(MAP_TYPE | MAP_POPULATE | MAP_LOCKED);
	int prot = (int)first->ram.prot;
	uint64_t done = first->ram.ret_length;
	void *map = map_over(addr, length, PROT_NONE,
			     keep | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return map;
	if (map_pages(first, map, MAP_SHARED | MAP_FIXED) != MAP_FAILED &&
	    watch_pages(first, map, fd) &&
	    map_rest(fd, prot, first->ram.offset + done, (uint8_t *)map + done, length - done))
		return map;
	unmap(map, length);
	return MAP_FAILED;
}

static void *map_alike(const struct answer *answer, void *addr, int flags, int fd)
{
	void *map = map_pages(answer, addr, flags);

	if (map == MAP_FAILED)
		return map;
	svf_trap_remove((uintptr_t)map, answer->ram.ret_length);
	if (watch_pages(answer, map, fd))
		return map;
	unmap(map, answer->ram.ret_length);
	return MAP_FAILED;
}

static void *map_device(const struct answer *answer, size_t length, void *addr, int flags, int fd)
{
	length = (length + PAGE - 1) & ~(PAGE - 1);
	/* A private mapping of device memory is refused, as by vfio-pci. */
	if ((flags & MAP_TYPE) == MAP_PRIVATE) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	if (answer->ram.ret_length < length)
		return map_runs(answer, length, addr, flags, fd);
	return map_alike(answer, addr, flags, fd);
}

void *svf_preload_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	struct answer answer;
	void *map;

	if (flags & MAP_ANONYMOUS || fd < 0 || !svf_is_fuse(fd))
		return map_over(addr, length, prot, flags, fd, offset);
	answer = ask(fd, prot, (uint64_t)offset, length);
	if (not_ours(answer.err))
		return map_over(addr, length, prot, flags, fd, offset);
	if (answer.err && answer.err != ENODATA) {
		errno = answer.err;
		return MAP_FAILED;
	}
	map = map_device(&answer, length, addr, flags, fd);
	answer_end(&answer);
	return map;
}

int svf_preload_munmap(void *addr, size_t length)
{
	/* First, so that no new mapping at the same place can be mistaken for it. */
	if ((uintptr_t)addr % PAGE == 0)
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
		int real = svf_trap_protect(at, end - at, prot, &piece);

		if (libc_mprotect((void *)at, piece, real))
			return -1;
		at += piece;
	}
	return 0;
}

/*
 * To a client it is one mapping, which moves as a whole; its runs are several. What cannot be moved stays, as
 * where the kernel fails half-way. Return: whether all of it has moved.
 */
static bool move_runs(uintptr_t from, size_t length, uintptr_t to)
{
	size_t n;

	for (; length; from += n, to += n, length -= n) {
		n = svf_trap_alike(from, length);
		if (libc_mremap((void *)from, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)to) ==
		    MAP_FAILED)
			return false;
		svf_trap_remove(to, n);
		svf_trap_move(from, n, to);
	}
	return true;
}

/* Device memory does not grow, nor is it left behind; it moves only where it is told to. */
static int check_move(uintptr_t from, size_t old_length, uintptr_t to, size_t length, int flags)
{
	if (from % PAGE || flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED) || !length)
		return EINVAL;
	if (flags & MREMAP_FIXED && (!(flags & MREMAP_MAYMOVE) || to % PAGE ||
				     (to < from + old_length && from < to + length)))
		return EINVAL;
	return length > old_length ? EFAULT : 0;
}

void *svf_preload_mremap(void *addr, size_t old_length, size_t length, int flags, void *new_addr)
{
	uintptr_t from = (uintptr_t)addr, to = (uintptr_t)new_addr;
	int err;

	old_length = (old_length + PAGE - 1) & ~(PAGE - 1);
	length = (length + PAGE - 1) & ~(PAGE - 1);
	if (!svf_trap_overlaps(from, old_length)) {
		addr = libc_mremap(addr, old_length, length, flags, new_addr);
		if (addr != MAP_FAILED && flags & MREMAP_FIXED)
			svf_trap_remove((uintptr_t)addr, length);
		return addr;
	}
	err = check_move(from, old_length, to, length, flags);
	if (err) {
		errno = err;
		return MAP_FAILED;
	}
	if (length < old_length)
		svf_preload_munmap((void *)(from + length), old_length - length);
	if (!(flags & MREMAP_FIXED))
		return addr;
	return move_runs(from, length, to) ? new_addr : MAP_FAILED;
}
