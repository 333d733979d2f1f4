/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of the host's that a client can take away.
 *
 * A shared mapping of a file that another process can cut shorter raises SIGBUS behind the new end.
 * A range that is guarded does not end the host then: the whole of it is replaced by private zeroed
 * memory, what was going on continues, and the guard says `lost`. Whose doing it was has lost the
 * memory of its own device; whoever owns the guard maps the range anew when that is due.
 *
 * Guards are for memory that the loop's thread touches, and only that thread.
 */
#ifndef SVF_HOST_CLIENT_GUARD_H
#define SVF_HOST_CLIENT_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/list.h"

struct svf_guard {
	struct svf_list link;
	void *base;  /* a mapping's, page-aligned */
	size_t size; /* bytes, the whole mapping */
	volatile bool lost;
};

/* Guards [base, base + size) until svf_guard_fini(). Return: 0, -errno of sigaction. */
int svf_guard_init(struct svf_guard *guard, void *base, size_t size) SVF_MUST_CHECK;
void svf_guard_fini(struct svf_guard *guard);

/*
 * The other kind: a copy that ends where memory is not there, be it on the one side or the other. It needs
 * no guard, and nothing is lost. By any thread, after the first svf_guard_install() that was fine. Return: bytes
 * copied, from the first on.
 */
int svf_guard_install(void) SVF_MUST_CHECK;
size_t svf_guard_copy(void *dst, const void *src, size_t len);

#endif
