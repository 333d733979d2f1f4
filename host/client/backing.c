/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files behind clients' shared memory; see backing.h.
 *
 * Files are told apart by device and inode, per process: two processes that have the same file have
 * a backing each. Numbers are not always different where files are: a segment of System V shared
 * memory has its id for an inode number, on the device of memfds. So these have no backing; they
 * have no descriptor either.
 */
#include "host/client/backing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/client/guard.h"
#include "host/client/memfile.h"
#include "host/client/mm.h"
#include "host/host.h"

#define PAGE	    4096u
#define PER_MM_MAX  4096u /* backings of one process */
#define MAPPED_MAX  8192u /* files mapped here; the system allows 65530 mappings */
#define FILE_MAX    (UINT64_C(1) << 40)
#define BYTES_MAX   (UINT64_C(16) << 40) /* of all; there are 128 TiB of addresses */
#define LOOK_AT_MAX 512u		 /* descriptors of a client, in one search */
#define ACCESS_COST 4096u		 /* a short access counts as so many bytes */
#define WORTH_MIN   (64u << 10)		 /* after the first attempt */

/* --- which file --- */

static struct svf_backing *lookup(struct svf_mm *mm, const struct svf_vma *vma)
{
	struct svf_backing *backing;

	svf_list_for_each(backing, &mm->backings, link) {
		if (backing->ino != vma->inode || backing->dev != vma->dev)
			continue;
		svf_list_del(&backing->link);
		svf_list_add_tail(mm->backings.next, &backing->link);
		return svf_backing_ref(backing);
	}
	return NULL;
}

struct svf_backing *svf_backing_get(struct svf_mm *mm, const struct svf_vma *vma)
{
	struct svf_backing *backing;

	if (!(vma->flags & SVF_VMA_SHARED) || !vma->inode)
		return NULL;
	backing = lookup(mm, vma);
	if (backing || mm->backing_count >= PER_MM_MAX ||
	    svf_procmap_is_sysv(mm->maps_fd, vma->first))
		return backing;
	backing = calloc(1, sizeof(*backing));
	if (!backing)
		return NULL;
	*backing = (struct svf_backing){
		.mm = mm,
		.host = mm->host,
		.refs = 1,
		.dev = vma->dev,
		.ino = vma->inode,
	};
	svf_list_add_tail(mm->backings.next, &backing->link);
	mm->backing_count++;
	return backing;
}

struct svf_backing *svf_backing_ref(struct svf_backing *backing)
{
	backing->refs++;
	return backing;
}

static void unmap(struct svf_backing *backing)
{
	if (!backing->base)
		return;
	munmap(backing->base, backing->size);
	backing->host->backed.files--;
	backing->host->backed.bytes -= backing->size;
	backing->base = NULL;
}

static void orphan(struct svf_backing *backing)
{
	svf_list_del(&backing->link);
	if (backing->mm)
		backing->mm->backing_count--;
	backing->mm = NULL;
	svf_list_init(&backing->link);
}

void svf_backing_put(struct svf_backing *backing)
{
	if (!backing || --backing->refs)
		return;
	orphan(backing);
	unmap(backing);
	free(backing);
}

void svf_backings_orphan(struct svf_mm *mm)
{
	while (!svf_list_empty(&mm->backings))
		orphan(svf_list_first(&mm->backings, struct svf_backing, link));
}

/* --- finding and mapping it --- */

/* A descriptor of the client's, as good as any so far. */
struct found {
	int fd; /* or -1 */
	bool writable;
	struct svf_memfile_id id;
};

/*
 * The client may have put another file in its place meanwhile, which may be anything: so it is looked at
 * again, and closed by the helper.
 */
static bool fetch(const struct svf_backing *backing, int number, struct found *ret)
{
	char path[32];
	int flags;

	ret->fd = (int)syscall(SYS_pidfd_getfd, backing->mm->pidfd, number, 0);
	if (ret->fd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ret->fd);
	flags = fcntl(ret->fd, F_GETFL);
	ret->writable = (flags & O_ACCMODE) == O_RDWR;
	if (flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_WRONLY &&
	    !svf_memfile_look(AT_FDCWD, path, &ret->id) && ret->id.dev == backing->dev &&
	    ret->id.ino == backing->ino)
		return true;
	svf_helper_close(&backing->host->helper, ret->fd);
	return false;
}

/* One that can be written is better than one that cannot, and ends the search. Return: whether it ends. */
static bool consider(const struct svf_backing *backing, int dir, const char *name,
		     struct found *best)
{
	struct svf_memfile_id id;
	struct found found;

	if (svf_memfile_look(dir, name, &id) || id.dev != backing->dev || id.ino != backing->ino ||
	    !fetch(backing, atoi(name), &found))
		return false;
	if (best->fd >= 0 && !found.writable) {
		svf_helper_close(&backing->host->helper, found.fd);
		return false;
	}
	svf_helper_close(&backing->host->helper, best->fd);
	*best = found;
	return found.writable;
}

static void find(const struct svf_backing *backing, struct found *best)
{
	struct dirent *entry;
	unsigned int n = 0;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)backing->mm->pid);
	dir = opendir(path);
	while (dir && n++ < LOOK_AT_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && consider(backing, dirfd(dir), entry->d_name, best))
			break;
	if (dir)
		closedir(dir);
}

static bool has_room(const struct svf_host *host, uint64_t size)
{
	return size && size <= FILE_MAX && host->backed.files < MAPPED_MAX &&
	       size <= BYTES_MAX - host->backed.bytes;
}

static void map_found(struct svf_backing *backing, const struct found *found)
{
	const int flags = MAP_SHARED | MAP_NORESERVE;
	uint64_t block = found->id.block, size = found->id.size;
	void *base = MAP_FAILED;

	/* hugetlbfs maps whole pages of its own only. */
	if (block < PAGE || (block & (block - 1)) || size > FILE_MAX)
		return;
	size = (size + block - 1) & ~(block - 1);
	if (!has_room(backing->host, size))
		return;
	backing->writable = false;
	if (found->writable)
		base = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, found->fd, 0);
	if (base != MAP_FAILED)
		backing->writable = true;
	else
		base = mmap(NULL, size, PROT_READ, flags, found->fd, 0);
	if (base == MAP_FAILED)
		return;
	madvise(base, size, MADV_DONTDUMP);
	backing->base = base;
	backing->size = size;
	backing->host->backed.files++;
	backing->host->backed.bytes += size;
}

/* Also when it is mapped already: it has become longer, or can be written now. */
static void map(struct svf_backing *backing)
{
	struct found found = {.fd = -1};

	find(backing, &found);
	if (found.fd < 0)
		return;
	/* While we have it open, its device is that of no other filesystem. */
	if (!svf_memfile_is_memory(backing->mm->pid, backing->dev)) {
		svf_helper_close(&backing->host->helper, found.fd);
		return;
	}
	unmap(backing);
	map_found(backing, &found);
	close(found.fd);
}

/* --- copying --- */

bool svf_backing_covers(const struct svf_backing *backing, uint64_t offset, uint64_t len,
			bool write)
{
	return backing->base && offset < backing->size && len <= backing->size - offset &&
	       (backing->writable || !write);
}

bool svf_backing_reach(struct svf_backing *backing, uint64_t offset, uint64_t len, bool write)
{
	if (svf_backing_covers(backing, offset, len, write))
		return true;
	backing->moved += len > ACCESS_COST ? len : ACCESS_COST;
	if (backing->moved < backing->worth || !backing->mm || svf_guard_install())
		return false;
	backing->moved = 0;
	/* What could not be had now will hardly be had soon. */
	if (backing->worth < UINT64_MAX / 8)
		backing->worth = backing->worth ? backing->worth * 8 : WORTH_MIN;
	map(backing);
	return svf_backing_covers(backing, offset, len, write);
}

uint64_t svf_backing_copy(const struct svf_backing *backing, uint64_t offset, void *ours,
			  uint64_t len, bool write)
{
	char *theirs = backing->base + offset;

	return svf_guard_copy(write ? theirs : ours, write ? ours : theirs, len);
}
