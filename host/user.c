/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calling thread's memory; see user.h.
 *
 * A caller that came by a seccomp listener can be killed while it waits, and its number used again.
 * So after each copy the notification must still stand; if it does, the caller was alive all the
 * time. A FUSE request's caller cannot go before it is answered.
 */
#include "host/user.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "host/host.h"

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
	svf_watch_end_copy(watch);
	return n < 0 ? 0 : (size_t)n;
}

static int still_there(const struct svf_request *request)
{
	if (request->listener && !svf_listener_valid(request->listener, request->notification))
		return -EFAULT;
	return 0;
}

int svf_user_read(struct svf_call *call, void *dst, uint64_t addr, size_t len)
{
	const struct svf_request *request = call->host;

	if (request->abandoned || copy(request, false, dst, addr, len) != len)
		return -EFAULT;
	return still_there(request);
}

int svf_user_write(struct svf_call *call, uint64_t addr, const void *src, size_t len)
{
	const struct svf_request *request = call->host;

	if (request->abandoned || still_there(request))
		return -EFAULT;
	/* Only read from. */
	return copy(request, true, (void *)(uintptr_t)src, addr, len) == len ? 0 : -EFAULT;
}

size_t svf_user_peek(const struct svf_request *request, void *dst, uint64_t addr, size_t len)
{
	return copy(request, false, dst, addr, len);
}
