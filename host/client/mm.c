/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients' address spaces.
 *
 * An open /proc/PID/mem stands for the address space the process had at that moment: after an exec,
 * or when the process is gone and its number in use again, it reads as empty. So DMA can never
 * reach memory that was not the mapping's, where a call by process number could. It also ignores
 * the protection of pages, as DMA to pages pinned earlier does; what may be mapped is checked once,
 * when it is mapped, by mm_check.
 *
 * One svf_mm per process and program: it carries what is charged to the limit of locked memory, and
 * three descriptors that cost more to open than the rest of a MAP. So it is shared by all mappings,
 * and the last one that has no mapping left is kept for the next MAP.
 *
 * Finding it again must not be wrong, or the DMA of one program would reach the memory of another.
 * An address space can outlive its process and its program, if another process shares it (clone
 * with CLONE_VM), so that it is still there says nothing. Two things are asked each time, of the
 * calling thread, which waits:
 *	the process	is not reaped (pidfd), so its number is nobody else's;
 *	the program	still has the random bytes that the kernel gave it at its exec (AT_RANDOM).
 *			Nobody knows those of the next program before it runs, and one that forges
 *			them afterwards reaches no more than it could before its exec.
 * A program that changes its bytes gets another svf_mm. One that has wiped them before its first
 * MAP, as Go's runtime does, is known by their place alone, which the kernel chooses by chance.
 * Mappings are made by commands that come by FUSE only, whose caller cannot go before it is
 * answered (user.c).
 */
#include "host/client/mm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/client/backing.h"
#include "host/client/filemem.h"
#include "host/client/procmap.h"
#include "host/client/ram.h"
#include "host/host.h"

#define PAGE_SIZE 4096u

static void mm_destroy(struct svf_mm *mm)
{
	if (!mm)
		return;
	svf_backings_orphan(mm);
	svf_list_del(&mm->link);
	mm->host->mm_count--;
	close(mm->maps_fd);
	close(mm->mem_fd);
	close(mm->pidfd);
	free(mm);
}

void svf_host_mms_fini(struct svf_host *host)
{
	mm_destroy(host->idle_mm);
	host->idle_mm = NULL;
}

/* As the calling thread tid reads it: its pages may be protected. */
static bool read_random(struct svf_mm *mm, pid_t tid, unsigned char random[SVF_PROCESS_RANDOM_SIZE])
{
	struct iovec local = {.iov_base = random, .iov_len = SVF_PROCESS_RANDOM_SIZE};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)mm->random_at,
			       .iov_len = SVF_PROCESS_RANDOM_SIZE};
	ssize_t n;

	svf_watch_begin_copy(&mm->host->watch);
	n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
	return svf_watch_end_copy(&mm->host->watch) && n == SVF_PROCESS_RANDOM_SIZE;
}

/* Whether tid, a thread of the process that now has the number mm->pid, runs in it. */
static bool is_of(struct svf_mm *mm, pid_t tid)
{
	unsigned char random[SVF_PROCESS_RANDOM_SIZE];

	return svf_process_exists(mm->pidfd) && read_random(mm, tid, random) &&
	       !memcmp(random, mm->random, sizeof(random));
}

static int open_files(struct svf_mm *mm, pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	mm->pidfd = svf_process_open(pid);
	if (mm->pidfd < 0)
		return mm->pidfd;
	mm->mem_fd = open(path, O_RDWR | O_CLOEXEC);
	if (mm->mem_fd < 0)
		goto err_pidfd;
	mm->maps_fd = svf_procmap_open(pid);
	if (mm->maps_fd >= 0)
		return 0;
	close(mm->mem_fd);
err_pidfd:
	close(mm->pidfd);
	return -ESRCH;
}

static struct svf_mm *mm_alloc(struct svf_host *host, pid_t pid, pid_t tid)
{
	struct svf_mm *mm;

	if (host->mm_count >= host->bounds.mms)
		svf_host_mms_fini(host);
	if (host->mm_count >= host->bounds.mms)
		return NULL;
	mm = calloc(1, sizeof(*mm));
	if (!mm)
		return NULL;
	svf_list_init(&mm->backings);
	mm->host = host;
	mm->pid = pid;
	mm->refs = 1;
	/* A process without the bytes has a new svf_mm each time: is_of() fails at address 0. */
	if (!svf_process_random_at(pid, &mm->random_at) && !read_random(mm, tid, mm->random))
		mm->random_at = 0;
	if (open_files(mm, pid)) {
		free(mm);
		return NULL;
	}
	svf_list_add_tail(&host->mms, &mm->link);
	host->mm_count++;
	return mm;
}

/* What tid, a thread of process pid, runs in. */
static struct svf_mm *mm_lookup(struct svf_host *host, pid_t pid, pid_t tid)
{
	struct svf_mm *mm;

	svf_list_for_each(mm, &host->mms, link) {
		if (mm->pid == pid && is_of(mm, tid))
			return mm;
	}
	return NULL;
}

struct svf_mm *svf_host_mm_get(struct svf_call *call)
{
	const struct svf_request *request = call->host;
	struct svf_host *host = call->machine->host;
	struct svf_mm *mm;
	pid_t pid;

	/* The caller has its answer, and its number may be somebody else's by now. */
	if (host->watch.caller_gone || (request && request->abandoned))
		return NULL;
	/* Most callers are the first thread of their process, which has its number. */
	mm = mm_lookup(host, call->pid, call->pid);
	if (mm)
		return svf_host_mm_ref(mm);
	if (svf_process_of(call->pid, &pid))
		return NULL;
	mm = pid == call->pid ? NULL : mm_lookup(host, pid, call->pid);
	return mm ? svf_host_mm_ref(mm) : mm_alloc(host, pid, call->pid);
}

struct svf_mm *svf_host_mm_ref(struct svf_mm *mm)
{
	if (mm == mm->host->idle_mm)
		mm->host->idle_mm = NULL;
	mm->refs++;
	return mm;
}

void svf_host_mm_put(struct svf_mm *mm)
{
	if (!mm || --mm->refs)
		return;
	if (mm->file) {
		svf_filemem_destroy(mm->file);
		free(mm);
		return;
	}
	svf_host_mms_fini(mm->host);
	mm->host->idle_mm = mm;
}

/* Whether vma, which begins where another ends, shows what follows in the same file. */
static bool continues(const struct svf_vma *vma, const struct svf_vma *before)
{
	return (vma->flags & SVF_VMA_SHARED) && vma->dev == before->dev &&
	       vma->inode == before->inode &&
	       vma->offset == before->offset + (before->last - before->first + 1);
}

/*
 * Pages of a file that lie beyond its end are mapped but not there, and the kernel, which pins
 * them, says so. The last page of the range tells for all before it.
 */
static bool is_there(struct svf_mm *mm, const struct svf_vma *vma, uint64_t last)
{
	char byte;

	if (!vma->dev && !vma->inode)
		return true;
	return !svf_host_mm_read(mm, &byte, vma->last < last ? vma->last : last, 1);
}

/* The mapping that covers at, if [at, last] can be used as far as it goes. */
static int check_vma(struct svf_mm *mm, uint64_t at, uint64_t last, bool write, struct svf_vma *ret)
{
	unsigned int need = write ? SVF_VMA_WRITE : SVF_VMA_READ;

	if (svf_procmap_next(mm->maps_fd, at, false, ret) || ret->first > at ||
	    (ret->flags & need) != need || ret->dev == mm->host->fuse.dev)
		return -EFAULT;
	return is_there(mm, ret, last) ? 0 : -EFAULT;
}

/* What a whole range shows that begins in vma, at offset of a file. Return: 0, -EFAULT. */
static int fill_range(struct svf_mm *mm, const struct svf_vma *vma, uint64_t offset, uint64_t len,
		      struct svf_mm_range *ret)
{
	struct svf_host_ram *ram = svf_host_ram_lookup(mm->host, vma->dev, vma->inode);

	ret->offset = offset;
	if (!ram) {
		ret->backing = svf_backing_get(mm, vma);
		return 0;
	}
	/* More than the file of a BAR has can be mapped. */
	if (offset >= ram->ram.size || len > ram->ram.size - offset)
		return -EFAULT;
	ret->ram = &ram->ram;
	return 0;
}

int svf_host_mm_check(struct svf_mm *mm, uint64_t first, uint64_t last, bool write,
		      struct svf_mm_range *ret)
{
	struct svf_vma vma, before = {0}, head = {0};
	uint64_t at = first;
	bool shared = true;

	*ret = (struct svf_mm_range){.bad = first};
	if (mm->file)
		return svf_filemem_check(mm->file, first, last, write);
	for (;; at = vma.last + 1) {
		if (check_vma(mm, at, last, write, &vma)) {
			ret->bad = at;
			return -EFAULT;
		}
		if (at == first)
			head = vma;
		ret->some_shared |= !!(vma.flags & SVF_VMA_SHARED);
		shared = shared && vma.flags & SVF_VMA_SHARED &&
			 (at == first || continues(&vma, &before));
		before = vma;
		if (vma.last >= last)
			break;
	}
	if (!shared)
		return 0;
	return fill_range(mm, &head, head.offset + (first - head.first), last - first + 1, ret);
}

/*
 * As on a kernel, what the process has locked itself counts too, and a mapping counts as often as it is
 * made.
 */
int svf_host_mm_account(struct svf_mm *mm, int64_t pages, uint64_t *ret_limit)
{
	struct rlimit limit;
	uint64_t locked;

	if (mm->file)
		return svf_filemem_account(mm->file, pages, ret_limit);
	if (pages <= 0) {
		uint64_t give_back = (uint64_t)-pages;

		mm->locked_pages -= give_back < mm->locked_pages ? give_back : mm->locked_pages;
		return 0;
	}
	if (__builtin_add_overflow(mm->locked_pages, (uint64_t)pages, &locked))
		return -ENOMEM;
	if (prlimit(mm->pid, RLIMIT_MEMLOCK, NULL, &limit))
		return -ENOMEM;
	if (limit.rlim_cur != RLIM_INFINITY && !svf_process_capable(mm->pid, CAP_IPC_LOCK) &&
	    locked + svf_process_locked(mm->pid) / PAGE_SIZE > limit.rlim_cur / PAGE_SIZE) {
		if (ret_limit)
			*ret_limit = limit.rlim_cur;
		return -ENOMEM;
	}
	mm->locked_pages = locked;
	return 0;
}

void svf_host_mm_gone(struct svf_mm *mm, uint64_t addr, char *text, size_t size)
{
	if (mm->file)
		snprintf(text, size, "the file that was mapped has no byte 0x%" PRIx64 " any more",
			 addr);
	else if (svf_process_exists(mm->pidfd))
		snprintf(text, size,
			 "process %d has unmapped its address 0x%" PRIx64
			 ", cut the file behind it short, or runs another program",
			 (int)mm->pid, addr);
	else
		snprintf(text, size, "process %d, whose memory it was, has ended", (int)mm->pid);
}

bool svf_host_mm_locate(struct svf_mm *mm, struct svf_mm *other, uint64_t addr, uint64_t *ret_addr,
			uint64_t *ret_len)
{
	if (mm->file && !other->file)
		return svf_filemem_locate(mm->file, other, addr, ret_addr, ret_len);
	if (mm != other)
		return false;
	*ret_addr = addr;
	*ret_len = UINT64_MAX - addr;
	return true;
}

bool svf_mm_has_preload(struct svf_host *host, pid_t tid)
{
	struct svf_vma vma = {.last = UINT64_MAX};
	bool found = false;
	int fd;

	if (!host->options.preload_ino)
		return false;
	fd = svf_procmap_open(tid);
	if (fd < 0)
		return false;
	/* last + 1 of nothing is address 0. */
	while (!found && !svf_procmap_next(fd, vma.last + 1, true, &vma))
		found = vma.dev == host->options.preload_dev &&
			vma.inode == host->options.preload_ino;
	close(fd);
	return found;
}
