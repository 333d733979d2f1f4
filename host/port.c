/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The core's port (core/port.h), as this host has it: a table, and what is too small for a file of
 * its own.
 */
#include <assert.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/client/backing.h"
#include "host/client/event_watch.h"
#include "host/client/fds.h"
#include "host/client/filemem.h"
#include "host/client/mm.h"
#include "host/client/process.h"
#include "host/client/ram.h"
#include "host/client/user.h"
#include "host/host.h"

static void port_log(struct svf_machine *machine, const char *text)
{
	struct svf_host *host = machine->host;

	svf_dmesg_add(&host->dmesg, text);
}

static void port_dma_failed(struct svf_machine *machine, const char *who, const char *what,
			    const char *reason)
{
	struct svf_host *host = machine->host;

	svf_why_add(&host->why, who, what, reason);
}

static void port_wake(struct svf_machine *machine)
{
	struct svf_host *host = machine->host;

	host->woken = true;
}

static void port_tree_changed(struct svf_machine *machine)
{
	struct svf_host *host = machine->host;

	host->tree_changed = true;
}

static void port_random_bytes(struct svf_machine *machine, void *dst, size_t len)
{
	ssize_t n = getrandom(dst, len, 0);

	(void)machine;
	/* Up to 256 bytes are never cut short once the system has started. */
	assert(n == (ssize_t)len);
	(void)n;
}

/*
 * Started by root, the machine is root's: a capability counts that the thread has in our user namespace, not in
 * one that a client has made for itself. Started by an ordinary user, nobody there has capabilities, and that
 * user, who owns the namespace, has all of them over its machine.
 */
static bool port_capable(struct svf_call *call, unsigned int cap)
{
	if (geteuid())
		return true;
	return svf_process_capable(call->pid, cap) && svf_process_in_our_userns(call->pid);
}

const struct svf_port_ops svf_host_port = {
	.user_read = svf_user_read,
	.user_write = svf_user_write,
	.fd_lookup = svf_fds_lookup,
	.capable = port_capable,
	.mm_get = svf_host_mm_get,
	.mm_get_file = svf_host_mm_get_file,
	.mm_change_owner = svf_host_mm_change_owner,
	.mm_ref = svf_host_mm_ref,
	.mm_put = svf_host_mm_put,
	.backing_ref = svf_backing_ref,
	.backing_put = svf_backing_put,
	.mm_check = svf_host_mm_check,
	.mm_transfer = svf_host_mm_transfer,
	.mm_copy = svf_host_mm_copy,
	.mm_gone = svf_host_mm_gone,
	.mm_account = svf_host_mm_account,
	.mm_locate = svf_host_mm_locate,
	.file_ready = svf_host_file_ready,
	.event_get = svf_host_event_get,
	.event_put = svf_host_event_put,
	.event_signal = svf_host_event_signal,
	.event_watch = svf_host_event_watch,
	.event_unwatch = svf_host_event_unwatch,
	.ram_alloc = svf_host_ram_alloc,
	.ram_free = svf_host_ram_free,
	.ram_clear = svf_host_ram_clear,
	.ram_hide = svf_host_ram_hide,
	.ram_protect = svf_host_ram_protect,
	.ram_in_use = svf_linger_in_use,
	.storage_open = svf_host_storage_open,
	.storage_submit = svf_host_storage_submit,
	.storage_close = svf_host_storage_close,
	.log = port_log,
	.dma_failed = port_dma_failed,
	.wake = port_wake,
	.tree_changed = port_tree_changed,
	.random_bytes = port_random_bytes,
};
