/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a handler does through its call: give a reason, copy user memory, look at a descriptor.
 * The theory of restarting and blocking is in core/call.h.
 */
#include "core/call.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <string.h>

#include "base/fmt.h"
#include "core/machine.h"

void svf_reason(struct svf_call *call, const char *fmt, ...)
{
	va_list ap;

	if (!call)
		return;
	va_start(ap, fmt);
	svf_vfmt(call->reason, sizeof(call->reason), fmt, ap);
	va_end(ap);
}

int svf_call_fd(struct svf_call *call, int fd, struct svf_fd *ret)
{
	if (fd < 0)
		return -EBADF;
	return call->machine->port->fd_lookup(call, fd, ret);
}

bool svf_call_rawio(struct svf_call *call)
{
	return call->machine->port->capable(call, CAP_SYS_RAWIO);
}

int svf_fail_rawio(struct svf_call *call)
{
	return svf_fail(call, -EPERM,
			"a device without an IOMMU can reach all memory; using it needs "
			"CAP_SYS_RAWIO");
}

int svf_copy_from_user(struct svf_call *call, void *dst, uint64_t addr, size_t len)
{
	if (len && call->machine->port->user_read(call, dst, addr, len))
		return svf_fail(call, -EFAULT,
				"cannot read %zu bytes at address 0x%lx of the caller", len,
				(unsigned long)addr);
	return 0;
}

int svf_copy_to_user(struct svf_call *call, uint64_t addr, const void *src, size_t len)
{
	if (len && call->machine->port->user_write(call, addr, src, len))
		return svf_fail(call, -EFAULT,
				"cannot write %zu bytes at address 0x%lx of the caller", len,
				(unsigned long)addr);
	return 0;
}

/*
 * Read in pieces that end at multiples of the piece size, so that a string at the end of a mapping is
 * not failed for the bytes after it.
 */
#define STRING_PIECE 64u

ssize_t svf_copy_string_from_user(struct svf_call *call, char *dst, uint64_t addr, size_t max)
{
	size_t done = 0;

	while (done < max) {
		size_t piece = STRING_PIECE - (size_t)((addr + done) % STRING_PIECE);
		const char *nul;
		int err;

		if (piece > max - done)
			piece = max - done;
		err = svf_copy_from_user(call, dst + done, addr + done, piece);
		if (err)
			return err;
		nul = memchr(dst + done, '\0', piece);
		if (nul)
			return nul - dst;
		done += piece;
	}
	return svf_fail(call, -EINVAL, "the string has no end within %zu bytes", max);
}
