/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call: one request of one client on its way through the core.
 *
 * The host makes one on its stack for each open, ioctl, read, write and sysfs store, and the core
 * reaches everything outside itself through it: the caller's memory, the caller's file
 * descriptors, the reason of a refusal. A call never outlives the request.
 *
 * Restarting. A handler may need to know what a file descriptor number of the caller's is, which
 * the host can find out only later (see DESIGN in ARCHITECTURE.md: the loop never waits for
 * itself). svf_call_fd() then gives SVF_RESTART, the handler returns it unchanged, and the host
 * runs the same handler again from its beginning when it knows. This is sound because a handler
 * checks everything before it changes anything: nothing has happened yet. For the same reason the
 * order in which errors are found stays the kernel's.
 *
 * Blocking. An operation that must wait (removing a VF that is open) leaves its progress in the
 * object, returns SVF_BLOCKED, and is run again by the host after svf_port_ops.wake(), or when the
 * calling task has got a signal. Several calls may wait for one thing: each drives on what has
 * begun, whoever began it. None gives up, as no task does that waits in the kernel for a device.
 */
#ifndef SVF_CORE_CALL_H
#define SVF_CORE_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct svf_machine;
struct svf_mm;
struct svf_event;
struct svf_file;

/* Outside the range of errno, never seen by a client. */
#define SVF_RESTART	(-5001)
#define SVF_BLOCKED	(-5002)

#define SVF_REASON_SIZE 320

struct svf_call {
	struct svf_machine *machine;
	void *host;	  /* the host's state of the request */
	int32_t pid;	  /* of the calling thread, for messages only */
	char comm[16];	  /* its name, for messages only */
	uint64_t id;	  /* the same each time that it is run, and no other call's; 0: run once */
	bool again;	  /* it has been SVF_BLOCKED: what is checked before waiting was checked */
	bool interrupted; /* its task has got a signal, which the wait keeps from it */
	bool can_return_fd; /* the request came by a way on which a new descriptor can be injected */
	bool offer_mmap;    /* the caller's BAR mmap works (its process carries the preload) */
	bool offer_traps;   /* also where each access is to reach the function */

	/*
	 * Set by a handler that opens a file for the caller and returns 0: the host makes a descriptor
	 * for it and returns that number, or closes the file when it cannot.
	 */
	struct svf_file *ret_file;
	/*
	 * With ret_file: where in the caller's memory the descriptor's number goes, as a uint32_t, which has been
	 * written to before; the call's result is then 0. 0: the number is the result.
	 */
	uint64_t ret_fd_at;

	char reason[SVF_REASON_SIZE]; /* why it failed; empty when it did not */
};

/*
 * Records why the call fails and gives err back: return svf_fail(call, -EINVAL, "...", facts).
 * The text is a phrase in the field's words with the facts, then the remedy after "; ", without
 * capital or full stop: "VF token required: PF 0000:03:00.0 is bound to vfio-pci; pass vf_token=".
 * call may be NULL (nothing is recorded). A macro, so that the compiler sees that it fails.
 */
#define svf_fail(call, err, ...) (svf_reason((call), __VA_ARGS__), svf_failed(err))

void svf_reason(struct svf_call *call, const char *fmt, ...) SVF_PRINTF(2, 3);

static inline int svf_failed(int err)
{
	return err;
}

/* What a descriptor number of the caller's turned out to be. All pointers are borrowed from the call. */
enum svf_fd_kind {
	SVF_FD_OTHER, /* open, and none of the below */
	SVF_FD_EVENT,
	SVF_FD_FILE,
};

struct svf_fd {
	enum svf_fd_kind kind;
	struct svf_event *event; /* SVF_FD_EVENT; svf_event_get() to keep it */
	struct svf_file *file;	 /* SVF_FD_FILE */
};

/* Return: 0, -EBADF (not open; no reason recorded, the handler knows the words), SVF_RESTART. */
int svf_call_fd(struct svf_call *call, int fd, struct svf_fd *ret) SVF_MUST_CHECK;

/* Whether the caller has CAP_SYS_RAWIO. */
bool svf_call_rawio(struct svf_call *call);
/* The refusal of one that has not: -EPERM. */
int svf_fail_rawio(struct svf_call *call);

/* The caller's memory. Return: 0, or -EFAULT with a reason. len 0 is always fine. */
int svf_copy_from_user(struct svf_call *call, void *dst, uint64_t addr, size_t len) SVF_MUST_CHECK;
int svf_copy_to_user(struct svf_call *call, uint64_t addr, const void *src,
		     size_t len) SVF_MUST_CHECK;

/*
 * As svf_copy_from_user, up to and including a NUL, as the kernel's strndup_user: at most max bytes
 * with the NUL. Return: length without the NUL, -EFAULT, -EINVAL when no NUL came in time.
 */
ssize_t svf_copy_string_from_user(struct svf_call *call, char *dst, uint64_t addr,
				  size_t max) SVF_MUST_CHECK;

#endif
