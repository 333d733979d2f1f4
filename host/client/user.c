/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calling thread's memory; see user.h.
 *
 * A caller that came by a seccomp listener can be killed while it waits, and its number used again.
 * So after each copy the notification must still stand; if it does, the caller was alive all the
 * time. A FUSE request's caller cannot go before it is answered.
 *
 * A copy costs as much as a fifth of a whole round trip however short it is, and handlers read a
 * size first and then the structure. So a short read takes what follows in the same page with it,
 * which can be read if the first byte can, and the next one finds it here. It is kept for as long
 * as the request lasts: the call sees its argument as it was at one moment, also when it is run
 * again.
 */
#include "host/client/user.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/uio.h>

#include "host/host.h"

#define PAGE 4096u

/* One copy between us and the calling thread. Return: bytes. */
static size_t copy(const struct svf_request *request, bool to_user, void *ours, uint64_t addr,
		   size_t len)
{
	struct iovec local = {.iov_base = ours, .iov_len = len};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)addr, .iov_len = len};
	struct svf_watch *watch = &request->host->watch;
	ssize_t n;

	svf_watch_begin_copy(watch);
	n = to_user ? process_vm_writev(request->call.pid, &local, 1, &remote, 1, 0)
		    : process_vm_readv(request->call.pid, &local, 1, &remote, 1, 0);
	if (!svf_watch_end_copy(watch))
		return 0;
	return n < 0 ? 0 : (size_t)n;
}

static int still_there(const struct svf_request *request)
{
	if (request->listener && !svf_listener_valid(request->listener, request->notification))
		return -EFAULT;
	return 0;
}

/* Answered already: there may be no caller any more, or another one. */
static bool is_gone(const struct svf_request *request)
{
	return request->abandoned || request->host->watch.caller_gone;
}

static bool was_read(const struct svf_user_ahead *ahead, uint64_t addr, size_t len)
{
	return addr >= ahead->addr && addr - ahead->addr <= ahead->len &&
	       len <= ahead->len - (addr - ahead->addr);
}

/* Reads from addr on what one page has of it. */
static int read_ahead(struct svf_request *request, uint64_t addr)
{
	struct svf_user_ahead *ahead = &request->ahead;
	size_t in_page = PAGE - (size_t)(addr % PAGE);
	size_t len = in_page < sizeof(ahead->bytes) ? in_page : sizeof(ahead->bytes);

	ahead->len = 0;
	if (copy(request, false, ahead->bytes, addr, len) != len || still_there(request))
		return -EFAULT;
	ahead->addr = addr;
	ahead->len = len;
	return 0;
}

int svf_user_read(struct svf_call *call, void *dst, uint64_t addr, size_t len)
{
	struct svf_request *request = call->host;
	const struct svf_user_ahead *ahead = &request->ahead;

	if (is_gone(request))
		return -EFAULT;
	if (!was_read(ahead, addr, len)) {
		if (len > sizeof(ahead->bytes) || len > PAGE - addr % PAGE)
			return copy(request, false, dst, addr, len) == len ? still_there(request)
									   : -EFAULT;
		if (read_ahead(request, addr))
			return -EFAULT;
	}
	memcpy(dst, ahead->bytes + (addr - ahead->addr), len);
	return 0;
}

int svf_user_write(struct svf_call *call, uint64_t addr, const void *src, size_t len)
{
	struct svf_request *request = call->host;

	if (is_gone(request) || still_there(request))
		return -EFAULT;
	request->ahead.len = 0;
	/* Only read from. */
	return copy(request, true, (void *)(uintptr_t)src, addr, len) == len ? 0 : -EFAULT;
}

size_t svf_user_peek(const struct svf_request *request, void *dst, uint64_t addr, size_t len)
{
	return copy(request, false, dst, addr, len);
}
