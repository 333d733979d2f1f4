/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host: the one object of softvfiod, which plays the kernel for a namespace. Each part below
 * has a header of its own that says what it does; this one says only what there is.
 *
 * Three threads. Everything here belongs to the loop's thread, except the queues of the others.
 * The helper (helper.h) is the only one that opens or calls files of our own filesystem, because
 * the kernel answers such a call by asking the loop. The watch (watch.h) sleeps unless a
 * client has made the loop wait for itself all the same. Where devices keep their data in files,
 * there are some more, which do nothing but read and write these (storage.h).
 */
#ifndef SVF_HOST_HOST_H
#define SVF_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "host/bounds.h"
#include "host/calls/inject.h"
#include "host/calls/request.h"
#include "host/calls/seccomp.h"
#include "host/calls/settle.h"
#include "host/client/event.h"
#include "host/client/event_watch.h"
#include "host/client/kvm.h"
#include "host/client/linger.h"
#include "host/client/process.h"
#include "host/client/watch.h"
#include "host/clock.h"
#include "host/control/control.h"
#include "host/control/dmesg.h"
#include "host/control/why.h"
#include "host/files/fuse.h"
#include "host/helper.h"
#include "host/loop.h"
#include "host/options.h"
#include "host/share.h"
#include "host/storage.h"
#include "host/topology/model_file.h"

struct svf_machine;
struct svf_tree;

struct svf_host {
	struct svf_options options;
	struct svf_bounds bounds;
	struct svf_loop loop;
	struct svf_clock clock;
	struct svf_model_files models; /* of functions of the machine */
	struct svf_machine *machine;
	struct svf_tree *tree;

	struct svf_fuse fuse;
	struct svf_helper helper;
	struct svf_storages storages;
	struct svf_watch watch;
	struct svf_linger linger;
	struct svf_shares shares;
	struct svf_requests requests;
	struct svf_settle settle;
	struct svf_injects injects;
	struct svf_seccomp seccomp;
	struct svf_kvm kvm;
	struct svf_control control;
	struct svf_why why;
	struct svf_dmesg dmesg;
	struct svf_comm_cache comms;
	struct svf_signaller signaller;
	struct svf_event_watches event_watches;

	struct svf_list opens;	/* struct svf_open.link: open files of ours, attributes too */
	struct svf_list mms;	/* struct svf_mm.link */
	struct svf_mm *idle_mm; /* the last that nothing is mapped of any more, in mms too; NULL */
	struct svf_list rams;	/* struct svf_host_ram.link */
	unsigned int open_count, mm_count, event_count, filemem_count;
	struct {
		unsigned int files;
		uint64_t bytes;
	} backed; /* mapped of what is behind clients' memory, backing.h */

	struct svf_source signals; /* a signalfd */
	bool served;		   /* clients have seen us */
	bool tree_changed; /* the core said so; the tree is stated again before the call is answered */
	bool woken;	   /* the core said so; blocked calls run again after this event */
};

/* Makes the names what the machine says, if that changed. Called before a client is answered. */
void svf_host_settle(struct svf_host *host);
/* The kernel has begun to talk to the filesystem: tells the launcher. */
void svf_host_ready(struct svf_host *host);
/*
 * From here on the host lives without its launcher. It lets stderr go, so that whoever reads what
 * "start" prints sees its end.
 */
void svf_host_leave(struct svf_host *host);

extern const struct svf_port_ops svf_host_port;

#endif
