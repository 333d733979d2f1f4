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
 * One svf_mm per address space: it carries what is charged to the limit of locked memory.
 */
#include "host/mm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/host.h"
#include "host/procmap.h"
#include "host/ram.h"

#define PAGE_SHIFT 12

/*
 * Reading address 0 fails, and reading it from an address space that is gone is the end of the
 * file.
 */
static bool alive(const struct svf_mm *mm)
{
	char byte;

	return pread(mm->mem_fd, &byte, 1, 0) != 0;
}

static struct svf_mm *mm_alloc(struct svf_host *host, pid_t pid)
{
	struct svf_mm *mm;
	char path[32];

	if (host->mm_count >= host->bounds.mms)
		return NULL;
	mm = calloc(1, sizeof(*mm));
	if (!mm)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	mm->mem_fd = open(path, O_RDWR | O_CLOEXEC);
	if (mm->mem_fd < 0)
		goto err_free;
	mm->maps_fd = svf_procmap_open(pid);
	if (mm->maps_fd < 0)
		goto err_close;
	mm->host = host;
	mm->pid = pid;
	mm->refs = 1;
	svf_list_add_tail(&host->mms, &mm->link);
	host->mm_count++;
	return mm;
err_close:
	close(mm->mem_fd);
err_free:
	free(mm);
	return NULL;
}

static struct svf_mm *mm_lookup(struct svf_host *host, pid_t pid)
{
	struct svf_mm *mm;

	svf_list_for_each (mm, &host->mms, link) {
		if (mm->pid == pid && alive(mm))
			return mm;
	}
	return NULL;
}

struct svf_mm *svf_host_mm_get(struct svf_call *call)
{
	struct svf_host *host = call->machine->host;
	struct svf_mm *mm;
	pid_t pid;

	/* Most callers are the first thread of their process, which has its number. */
	mm = mm_lookup(host, call->pid);
	if (mm)
		return svf_host_mm_ref(mm);
	if (svf_process_of(call->pid, &pid))
		return NULL;
	mm = pid == call->pid ? NULL : mm_lookup(host, pid);
	return mm ? svf_host_mm_ref(mm) : mm_alloc(host, pid);
}

struct svf_mm *svf_host_mm_ref(struct svf_mm *mm)
{
	mm->refs++;
	return mm;
}

void svf_host_mm_put(struct svf_mm *mm)
{
	if (!mm || --mm->refs)
		return;
	svf_list_del(&mm->link);
	mm->host->mm_count--;
	close(mm->mem_fd);
	close(mm->maps_fd);
	free(mm);
}

/*
 * Whether the next mapping goes on with the BAR memory of the range so far.
 */
static bool continues_ram(const struct svf_vma *vma, const struct svf_host_ram *ram,
			  uint64_t offset)
{
	return (vma->flags & SVF_VMA_SHARED) && vma->dev == ram->dev && vma->inode == ram->ino &&
	       vma->offset == offset;
}

int svf_host_mm_check(struct svf_mm *mm, uint64_t first, uint64_t last, bool write,
		      struct svf_mm_range *ret)
{
	unsigned int need = write ? SVF_VMA_WRITE : SVF_VMA_READ;
	struct svf_host_ram *ram = NULL;
	uint64_t at = first, ram_first = 0;
	struct svf_vma vma;

	for (;;) {
		if (svf_procmap_next(mm->maps_fd, at, false, &vma) || vma.first > at ||
		    (vma.flags & need) != need || vma.dev == mm->host->fuse.dev)
			return -EFAULT;
		if (at == first) {
			ram_first = vma.offset + (first - vma.first);
			if (vma.flags & SVF_VMA_SHARED)
				ram = svf_host_ram_lookup(mm->host, vma.dev, vma.inode);
		} else if (ram && !continues_ram(&vma, ram, ram_first + (vma.first - first))) {
			ram = NULL;
		}
		if (vma.last >= last)
			break;
		at = vma.last + 1;
	}
	*ret = (struct svf_mm_range){.ram = ram ? &ram->ram : NULL,
				     .ram_offset = ram ? ram_first : 0};
	return 0;
}

int svf_host_mm_read(struct svf_mm *mm, void *dst, uint64_t addr, size_t len)
{
	size_t done = 0;
	ssize_t n = 1;

	svf_watch_begin_copy(&mm->host->watch);
	for (; done < len && n > 0; done += n > 0 ? (size_t)n : 0)
		n = pread(mm->mem_fd, (char *)dst + done, len - done, (off_t)(addr + done));
	svf_watch_end_copy(&mm->host->watch);
	return done == len ? 0 : -EFAULT;
}

int svf_host_mm_write(struct svf_mm *mm, uint64_t addr, const void *src, size_t len)
{
	size_t done = 0;
	ssize_t n = 1;

	svf_watch_begin_copy(&mm->host->watch);
	for (; done < len && n > 0; done += n > 0 ? (size_t)n : 0)
		n = pwrite(mm->mem_fd, (const char *)src + done, len - done, (off_t)(addr + done));
	svf_watch_end_copy(&mm->host->watch);
	return done == len ? 0 : -EFAULT;
}

int svf_host_mm_account(struct svf_mm *mm, int64_t pages)
{
	struct rlimit limit;
	uint64_t locked;

	if (pages <= 0) {
		uint64_t give_back = (uint64_t)-pages;

		mm->locked_pages -= give_back < mm->locked_pages ? give_back : mm->locked_pages;
		return 0;
	}
	if (__builtin_add_overflow(mm->locked_pages, (uint64_t)pages, &locked))
		return -ENOMEM;
	if (prlimit(mm->pid, RLIMIT_MEMLOCK, NULL, &limit))
		return -ENOMEM;
	if (limit.rlim_cur != RLIM_INFINITY && locked > limit.rlim_cur >> PAGE_SHIFT &&
	    !svf_process_capable(mm->pid, CAP_IPC_LOCK))
		return -ENOMEM;
	mm->locked_pages = locked;
	return 0;
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
