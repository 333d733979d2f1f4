/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA to and from clients' memory: the port's mm_transfer.
 *
 * Shared memory is copied, where the host has mapped the file behind it (backing.h). Other memory is
 * reached by /proc/PID/mem, which stands for an address space and not for a process number (mm.c): pieces
 * whose addresses follow on each other take one call. Pieces that are scattered are read with one
 * process_vm_readv, which goes by number: so it reads the random bytes of the program (mm.c) along
 * with them, in the same call and so of the same address space, and what it brought counts if they
 * are right. Nothing of the kind can be had for writing, which takes a call for each run.
 *
 * A way that does not bring everything is followed by the next, down to a piece alone, which tells
 * how far the memory goes. What was transferred is transferred again then; nothing else is different.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/client/backing.h"
#include "host/client/filemem.h"
#include "host/client/guard.h"
#include "host/client/mm.h"
#include "host/host.h"

#define BATCH	   64u
#define GATHER_MIN 16384u /* from so many bytes on it is faster, also for one piece */
#define BUFFER	   (64u << 10)

/* Leading pieces that are of the address space of the first, and cannot be reached more easily. */
static unsigned int same_mm(const struct svf_mm_piece *pieces, unsigned int count, bool write)
{
	unsigned int n = 1;

	while (n < count && n < BATCH && pieces[n].mm == pieces[0].mm &&
	       !(pieces[n].backing &&
		 svf_backing_covers(pieces[n].backing, pieces[n].offset, pieces[n].len, write)))
		n++;
	return n;
}

/* Of these, those each of which begins where the one before it ends. */
static unsigned int contiguous(const struct svf_mm_piece *pieces, unsigned int count)
{
	unsigned int n = 1;

	while (n < count && pieces[n].addr == pieces[n - 1].addr + pieces[n - 1].len)
		n++;
	return n;
}

static uint64_t sum(const struct svf_mm_piece *pieces, unsigned int count)
{
	uint64_t all = 0;

	while (count--)
		all += pieces[count].len;
	return all;
}

/* Return: bytes of all. */
static uint64_t fill_local(struct iovec *local, const struct svf_mm_piece *pieces,
			   unsigned int count)
{
	uint64_t all = 0;

	for (unsigned int i = 0; i < count; i++) {
		local[i] = (struct iovec){.iov_base = pieces[i].ours, .iov_len = pieces[i].len};
		all += pieces[i].len;
	}
	return all;
}

/* Return: bytes, if it could read them all; 0. */
static uint64_t gather(const struct svf_mm_piece *pieces, unsigned int count)
{
	const struct svf_mm *mm = pieces[0].mm;
	struct iovec local[BATCH + 1], remote[BATCH + 1];
	unsigned char random[SVF_PROCESS_RANDOM_SIZE];
	uint64_t all = fill_local(local, pieces, count);
	ssize_t n;

	if (!mm->random_at)
		return 0;
	for (unsigned int i = 0; i < count; i++)
		remote[i] = (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].addr,
					   .iov_len = pieces[i].len};
	local[count] = (struct iovec){.iov_base = random, .iov_len = sizeof(random)};
	remote[count] = (struct iovec){.iov_base = (void *)(uintptr_t)mm->random_at,
				       .iov_len = sizeof(random)};
	n = process_vm_readv(mm->pid, local, count + 1, remote, count + 1, 0);
	if (n < 0 || (uint64_t)n != all + sizeof(random) ||
	    memcmp(random, mm->random, sizeof(random)))
		return 0;
	return all;
}

/* As gather, of contiguous pieces. */
static uint64_t copy_run(const struct svf_mm_piece *pieces, unsigned int count, bool write)
{
	off_t at = (off_t)pieces[0].addr;
	int fd = pieces[0].mm->mem_fd;
	struct iovec local[BATCH];
	uint64_t all = fill_local(local, pieces, count);
	ssize_t n = write ? pwritev(fd, local, (int)count, at) : preadv(fd, local, (int)count, at);

	return n < 0 || (uint64_t)n != all ? 0 : all;
}

/* Return: bytes until the first that is not there. */
static uint64_t copy_piece(const struct svf_mm_piece *piece, bool write)
{
	uint64_t done = 0;
	ssize_t n = 1;

	if (piece->mm->file)
		return svf_filemem_copy(piece->mm->file, piece->addr, piece->ours, piece->len,
					write);
	while (done < piece->len && n > 0) {
		char *ours = (char *)piece->ours + done;
		off_t at = (off_t)(piece->addr + done);
		size_t len = piece->len - done;

		n = write ? pwrite(piece->mm->mem_fd, ours, len, at)
			  : pread(piece->mm->mem_fd, ours, len, at);
		done += n > 0 ? (uint64_t)n : 0;
	}
	return done;
}

static bool is_direct(const struct svf_mm_piece *piece, bool write)
{
	return piece->backing &&
	       svf_backing_reach(piece->backing, piece->offset, piece->len, write);
}

/* Transfers the first pieces, *ret of them. Return: bytes until the first that is not there. */
static uint64_t transfer_some(const struct svf_mm_piece *pieces, unsigned int count, bool write,
			      unsigned int *ret)
{
	unsigned int same = 1, run;
	uint64_t done = 0;

	*ret = 1;
	if (is_direct(pieces, write))
		return svf_backing_copy(pieces->backing, pieces->offset, pieces->ours, pieces->len,
					write);
	if (!pieces->mm->file)
		same = same_mm(pieces, count, write);
	run = contiguous(pieces, same);
	*ret = same;
	if (!write && (run < same || sum(pieces, same) >= GATHER_MIN))
		done = gather(pieces, same);
	if (done)
		return done;
	*ret = run;
	if (run > 1)
		done = copy_run(pieces, run, write);
	if (done)
		return done;
	*ret = 1;
	return copy_piece(pieces, write);
}

uint64_t svf_host_mm_transfer(const struct svf_mm_piece *pieces, unsigned int count, bool write)
{
	struct svf_watch *watch = &pieces[0].mm->host->watch;
	uint64_t done = 0, some, all;
	unsigned int n;

	svf_watch_begin_copy(watch);
	do {
		some = transfer_some(pieces, count, write, &n);
		all = sum(pieces, n);
		done += some;
		pieces += n;
		count -= n;
	} while (count && some == all);
	return svf_watch_end_copy(watch) ? done : 0;
}

/* Pieces of what the host has mapped; a short copy says nothing of the side that failed, a byte does. */
static uint64_t copy_direct(const struct svf_mm_piece *to, const struct svf_mm_piece *from,
			    bool *ret_source)
{
	const char *source = from->backing->base + from->offset;
	uint64_t done = svf_guard_copy(to->backing->base + to->offset, source, from->len);
	char byte;

	*ret_source = done < from->len && !svf_guard_copy(&byte, source + done, 1);
	return done;
}

uint64_t svf_host_mm_copy(const struct svf_mm_piece *to, const struct svf_mm_piece *from,
			  bool *ret_source)
{
	static char buffer[BUFFER];
	uint64_t done = 0;

	if (is_direct(from, false) && is_direct(to, true))
		return copy_direct(to, from, ret_source);
	while (done < from->len) {
		struct svf_mm_piece in = *from, out = *to;
		uint64_t read, written;

		in.addr += done;
		in.offset += done;
		in.ours = buffer;
		in.len = from->len - done < BUFFER ? from->len - done : BUFFER;
		read = svf_host_mm_transfer(&in, 1, false);
		out.addr += done;
		out.offset += done;
		out.ours = buffer;
		out.len = read;
		written = read ? svf_host_mm_transfer(&out, 1, true) : 0;
		done += written;
		*ret_source = written == read;
		if (written < in.len)
			break;
	}
	return done;
}

int svf_host_mm_read(struct svf_mm *mm, void *dst, uint64_t addr, size_t len)
{
	const struct svf_mm_piece piece = {.mm = mm, .addr = addr, .ours = dst, .len = len};

	return svf_host_mm_transfer(&piece, 1, false) == len ? 0 : -EFAULT;
}

int svf_host_mm_write(struct svf_mm *mm, uint64_t addr, const void *src, size_t len)
{
	/* Only read from. */
	const struct svf_mm_piece piece = {
		.mm = mm, .addr = addr, .ours = (void *)(uintptr_t)src, .len = len};

	return svf_host_mm_transfer(&piece, 1, true) == len ? 0 : -EFAULT;
}
