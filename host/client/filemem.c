/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of files that clients map for DMA; see filemem.h. */
#include "host/client/filemem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/call.h"
#include "core/machine.h"
#include "host/client/guard.h"
#include "host/client/memfile.h"
#include "host/client/mm.h"
#include "host/client/process.h"
#include "host/client/procmap.h"
#include "host/host.h"

/* Each is one mapping of ours, of which the system allows 65530. */
#define FILEMEMS_MAX 16384u
#define PAGE	     4096u

struct svf_filemem {
	struct svf_host *host;
	struct svf_mm *owner; /* who pays, a reference */
	uint64_t charged;     /* pages */
	char *base;	      /* of [first, last]; NULL: no file that DMA can reach */
	uint64_t first, last; /* offsets in the file */
	bool writable;
	dev_t dev;
	ino_t ino;
};

/* The caller's descriptor, if it is still the file that was looked at. Return: it, negative errno. */
static int fetch(struct svf_host *host, pid_t tid, int number, const struct svf_memfile_id *id)
{
	int fd = svf_process_fetch(tid, number);
	struct svf_memfile_id now;
	char path[32];

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!svf_memfile_look(AT_FDCWD, path, &now) && now.dev == id->dev && now.ino == id->ino)
		return fd;
	svf_helper_close(&host->helper, fd);
	return -EBADF;
}

/*
 * For writing too where that can be had: the kernel pins the pages of a memfd that was opened for
 * reading for writing as well. Sealed, it can be mapped for reading only. Opening does not wait for
 * whoever has a lease on the file.
 */
static void map_file(struct svf_filemem *file, int fd)
{
	const int both = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_NORESERVE;
	size_t len = (size_t)(file->last - file->first + 1);
	void *base = mmap(NULL, len, both, flags, fd, (off_t)file->first);
	char path[32];
	int rw;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rw = base == MAP_FAILED ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
	if (rw >= 0) {
		base = mmap(NULL, len, both, flags, rw, (off_t)file->first);
		close(rw);
	}
	file->writable = base != MAP_FAILED;
	if (base == MAP_FAILED)
		base = mmap(NULL, len, PROT_READ, flags, fd, (off_t)file->first);
	if (base != MAP_FAILED)
		file->base = base;
}

/* Return: 0, also without bytes, -EBADF, -EMFILE, -ENOMEM. */
static int open_memory(struct svf_filemem *file, const struct svf_call *call, int number)
{
	struct svf_memfile_id id = {0};
	uint64_t block, last;
	char path[48];
	int err, fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)call->pid, number);
	err = svf_memfile_look(AT_FDCWD, path, &id);
	if (err == -EBADF)
		return err;
	if (err || id.dev == file->host->fuse.dev || !svf_memfile_is_memory(call->pid, id.dev))
		return 0;
	fd = fetch(file->host, call->pid, number, &id);
	if (fd < 0)
		return fd;
	/* hugetlbfs maps whole pages of its own only. */
	block = id.block > PAGE && !(id.block & (id.block - 1)) ? id.block : PAGE;
	last = file->last | (block - 1);
	if (last <= INT64_MAX && !svf_guard_install()) {
		file->first &= ~(block - 1);
		file->last = last;
		file->dev = id.dev;
		file->ino = id.ino;
		map_file(file, fd);
	}
	close(fd);
	return 0;
}

int svf_host_mm_get_file(struct svf_call *call, int fd, uint64_t first, uint64_t last, bool write,
			 struct svf_mm **ret)
{
	struct svf_host *host = call->machine->host;
	struct svf_filemem *file;
	struct svf_mm *mm;
	int err;

	(void)write;
	if (host->filemem_count >= FILEMEMS_MAX)
		return svf_fail(call, -ENOMEM, "the host maps %u files, no more can be had",
				host->filemem_count);
	mm = calloc(1, sizeof(*mm));
	file = calloc(1, sizeof(*file));
	if (!mm || !file) {
		free(mm);
		free(file);
		return svf_fail(call, -ENOMEM, "out of memory");
	}
	file->host = host;
	file->first = first;
	file->last = last;
	file->owner = svf_host_mm_get(call);
	err = file->owner ? open_memory(file, call, fd)
			  : svf_fail(call, -ENOMEM, "the process's address space cannot be had");
	if (err) {
		svf_host_mm_put(file->owner);
		free(mm);
		free(file);
		return err;
	}
	svf_list_init(&mm->link);
	mm->host = host;
	mm->refs = 1;
	mm->file = file;
	host->filemem_count++;
	*ret = mm;
	return 0;
}

void svf_filemem_destroy(struct svf_filemem *file)
{
	if (file->base)
		munmap(file->base, (size_t)(file->last - file->first + 1));
	file->host->filemem_count--;
	svf_host_mm_put(file->owner);
	free(file);
}

uint64_t svf_filemem_copy(const struct svf_filemem *file, uint64_t addr, void *ours, uint64_t len,
			  bool write)
{
	char *theirs;

	if (!file->base || addr < file->first || addr > file->last ||
	    (len && len - 1 > file->last - addr) || (write && !file->writable))
		return 0;
	theirs = file->base + (addr - file->first);
	return svf_guard_copy(write ? theirs : ours, write ? ours : theirs, len);
}

int svf_filemem_check(const struct svf_filemem *file, uint64_t first, uint64_t last, bool write)
{
	char byte;

	(void)first;
	/* Whatever lies before the last byte is there if that is. */
	if (svf_filemem_copy(file, last, &byte, 1, false) != 1)
		return -EINVAL;
	return write && !file->writable ? -EFAULT : 0;
}

int svf_filemem_account(struct svf_filemem *file, int64_t pages, uint64_t *ret_limit)
{
	int err = svf_host_mm_account(file->owner, pages, ret_limit);

	if (!err)
		file->charged += (uint64_t)pages;
	return err;
}

int svf_host_mm_change_owner(struct svf_mm *mm, struct svf_call *call)
{
	struct svf_filemem *file = mm->file;
	struct svf_mm *owner = svf_host_mm_get(call);

	if (!owner)
		return svf_fail(call, -ENOMEM, "the process's address space cannot be had");
	if (owner != file->owner && file->charged) {
		if (svf_host_mm_account(owner, (int64_t)file->charged, NULL)) {
			svf_host_mm_put(owner);
			return svf_fail(
				call, -ENOMEM,
				"%lu pages would pass the process's RLIMIT_MEMLOCK; raise it",
				(unsigned long)file->charged);
		}
		if (svf_host_mm_account(file->owner, -(int64_t)file->charged, NULL))
			return -ENOMEM; /* giving back cannot fail */
	}
	svf_host_mm_put(file->owner);
	file->owner = owner;
	return 0;
}

bool svf_filemem_locate(const struct svf_filemem *file, const struct svf_mm *process, uint64_t addr,
			uint64_t *ret_addr, uint64_t *ret_len)
{
	struct svf_vma vma;

	if (!file->base || svf_procmap_next(process->maps_fd, addr, false, &vma) ||
	    vma.first > addr || !(vma.flags & SVF_VMA_SHARED) || vma.dev != file->dev ||
	    vma.inode != file->ino)
		return false;
	*ret_addr = vma.offset + (addr - vma.first);
	*ret_len = vma.last - addr + 1;
	return true;
}
