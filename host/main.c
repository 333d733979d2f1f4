/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfiod: from its command line to its end.
 *
 * Start: read the command line, give up rights, build the machine, state the names, take up the
 * filesystem. The kernel's first request is answered by the loop; that moment the launcher is told.
 *
 * End, in this order: the filesystem is given up, which releases every process that waits for an
 * answer of ours; the processes of the namespace are killed; then everything is taken apart, so
 * that what is not accounted for shows in the sanitizers' reports.
 */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/iommu/iova_space.h"
#include "core/machine.h"
#include "core/pci/topology.h"
#include "host/client/mm.h"
#include "host/control/device_help.h"
#include "host/end.h"
#include "host/files/open.h"
#include "host/files/tree.h"
#include "host/host.h"
#include "host/topology/topology.h"

/* Unmapped mappings freed between two events: half a millisecond. */
#define REAP_SLICE 4096u

#define CAP_WORDS  _LINUX_CAPABILITY_U32S_3

/* Clients' memory and descriptors, of whatever user; their end. */
static const unsigned int kept_capabilities[] = {
	CAP_SYS_PTRACE,
	CAP_DAC_OVERRIDE,
	CAP_DAC_READ_SEARCH,
	CAP_KILL,
};

static int drop_rights(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[CAP_WORDS];

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (unsigned int word = 0; word < CAP_WORDS; word++) {
		uint32_t keep = 0;

		for (size_t i = 0; i < SVF_ARRAY_SIZE(kept_capabilities); i++) {
			if (kept_capabilities[i] / 32 == word)
				keep |= 1u << kept_capabilities[i] % 32;
		}
		data[word].permitted &= keep;
		data[word].effective = data[word].permitted;
		data[word].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* The error of a topology function, in the words of the user's file or command line. */
static int say_topology_error(const struct svf_topology *topology,
			      const struct svf_topology_error *error, int err)
{
	char text[SVF_REASON_SIZE + 256];

	svf_topology_error_format(topology, error, text, sizeof(text));
	fprintf(stderr, "softvfio: %s\n", text);
	return err;
}

static int read_topology(const struct svf_options *options, struct svf_topology *topology,
			 struct svf_topology_error *error)
{
	int err = 0;

	if (options->topology_file)
		err = svf_topology_read(topology, options->topology_file, error);
	for (unsigned int i = 0; !err && i < options->device_count; i++)
		err = svf_topology_add_spec(topology, options->devices[i], error);
	for (unsigned int i = 0; !err && i < options->param_count; i++)
		err = svf_topology_add_param(topology, options->params[i], error);
	return err;
}

static int build_machine(struct svf_host *host)
{
	struct svf_topology_error error = {.text = "out of memory"};
	struct svf_topology topology;
	int err;

	err = svf_machine_alloc(&svf_host_port, host, &host->machine);
	if (err)
		return err;
	svf_topology_init(&topology);
	topology.loader = &host->models.loader;
	err = read_topology(&host->options, &topology, &error);
	if (!err)
		err = svf_machine_build(host->machine, &topology, &error);
	if (err)
		say_topology_error(&topology, &error, err);
	svf_topology_fini(&topology);
	return err;
}

static void before_event(void *arg)
{
	svf_clock_tell(arg);
}

static void after_event(void *arg)
{
	struct svf_host *host = arg;

	if (!svf_list_empty(&host->event_watches.fired))
		svf_event_watches_run(host);
	/* What one call sets free may set free the next; each run makes progress or waits. */
	while (host->woken) {
		host->woken = false;
		svf_requests_wake(host);
	}
	svf_host_settle(host);
	host->loop.busy = svf_mappings_reap(host->machine, REAP_SLICE);
	svf_clock_set(host);
}

static void signal_ready(struct svf_source *source, uint32_t events)
{
	struct svf_host *host = svf_container_of(source, struct svf_host, signals);

	(void)events;
	host->loop.quit = true;
}

static int watch_signals(struct svf_host *host)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno
		      : svf_loop_add(&host->loop, &host->signals, fd, EPOLLIN, signal_ready);
}

/* Nothing here fails; before it, host is all zeroes. */
static void host_init(struct svf_host *host)
{
	host->loop.epoll_fd = -1;
	host->clock.source.fd = -1;
	host->fuse.source.fd = -1;
	host->signals.fd = -1;
	host->control.fd = -1;
	host->control.source.fd = -1;
	host->helper.event_fd = -1;
	host->watch.event_fd = -1;
	host->watch.source.fd = -1;
	svf_model_files_init(&host->models);
	svf_list_init(&host->opens);
	svf_list_init(&host->mms);
	svf_list_init(&host->rams);
	svf_linger_init(&host->linger);
	svf_shares_init(&host->shares);
	svf_list_init(&host->control.connections);
	svf_bounds_init(&host->bounds);
	svf_requests_init(&host->requests);
	svf_settle_init(&host->settle);
	svf_injects_init(&host->injects);
	svf_kvm_init(&host->kvm);
	svf_seccomp_init(&host->seccomp);
	svf_signaller_init(&host->signaller);
	svf_event_watches_init(&host->event_watches);
	svf_dmesg_init(&host->dmesg);
	svf_storages_init(&host->storages, host);
}

/* Return: 0, or an errno that is said here. */
static int stage(int err, const char *what)
{
	if (err)
		fprintf(stderr, "softvfiod: %s: %s\n", what, strerror(-err));
	return err;
}

static int control_start(struct svf_host *host)
{
	int err = svf_control_init(host);

	/* That the name is taken it has said itself. */
	return err == -EADDRINUSE ? err : stage(err, "cannot open the control socket");
}

static int host_start(struct svf_host *host)
{
	int err = stage(drop_rights(), "cannot drop capabilities");

	if (!err)
		err = build_machine(host); /* says it itself */
	if (!err)
		err = stage(svf_loop_init(&host->loop), "epoll");
	if (!err)
		err = stage(svf_clock_init(host), "timerfd");
	if (!err)
		err = stage(watch_signals(host), "signalfd");
	if (!err)
		err = stage(svf_helper_init(&host->helper, host), "cannot start a thread");
	if (!err)
		err = stage(svf_watch_init(&host->watch, host), "cannot start a thread");
	if (!err)
		err = stage(svf_storages_start(&host->storages), "cannot start a thread");
	if (!err)
		err = control_start(host);
	if (err)
		return err;
	host->tree = svf_tree_alloc(host);
	host->tree_changed = true;
	if (host->tree)
		svf_host_settle(host);
	if (!host->tree || host->tree_changed)
		return stage(-ENOMEM, "cannot make the file tree");
	return stage(svf_fuse_init(host), "cannot take up the filesystem");
}

static void host_end(struct svf_host *host)
{
	struct svf_open *open, *tmp;

	svf_requests_fini(host);
	svf_settle_fini(&host->settle);
	svf_fuse_fini(host);
	if (host->served)
		svf_end_processes(host->fuse.dev);
	if (host->helper.host)
		svf_helper_fini(&host->helper);
	svf_watch_fini(&host->watch);
	svf_seccomp_fini(&host->seccomp);
	svf_kvm_fini(&host->kvm);
	svf_list_for_each_safe(open, tmp, &host->opens, link)
		svf_open_end(open);
	svf_linger_fini(&host->linger, host);
	svf_machine_destroy(host->machine);
	svf_storages_fini(&host->storages);
	svf_model_files_fini(&host->models);
	svf_host_mms_fini(host);
	svf_tree_destroy(host->tree);
	/* Last, since a peer takes the end of its connection for the end of everything. */
	svf_control_fini(host);
	svf_clock_fini(host);
	if (host->signals.fd >= 0)
		close(host->signals.fd);
	svf_event_watches_fini(host);
	svf_signaller_fini(&host->signaller);
	svf_loop_fini(&host->loop);
	svf_options_fini(&host->options);
}

int main(int argc, char **argv)
{
	struct svf_host *host;
	int err;

	if (argc >= 2 && argc <= 3 && !strcmp(argv[1], "--device-help"))
		return drop_rights() || svf_device_help(argv[2]) ? EXIT_FAILURE : EXIT_SUCCESS;
	host = calloc(1, sizeof(*host));
	if (!host)
		return EXIT_FAILURE;
	host_init(host);
	err = svf_options_init(&host->options, argc, argv);
	if (!err)
		err = host_start(host);
	if (!err) {
		host->served = true;
		err = stage(svf_loop_run(&host->loop, before_event, after_event, host), "epoll");
	}
	host_end(host);
	free(host);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
