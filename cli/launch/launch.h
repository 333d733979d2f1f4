/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a namespace comes up, and how a command gets into one.
 *
 * The launcher, a single-threaded process, takes these stages in order; each file of this folder is
 * one of them, and each either does all of its work or says in one sentence why it cannot.
 *
 *   programs    find softvfiod and the preload
 *   namespace   leave the caller's user namespace (when not root) and mount namespace
 *   mounts      cover /dev with a tmpfs that shows the real one's entries; mount FUSE at a staging
 *               place inside it
 *   host        start softvfiod on that mount and wait until it serves
 *   mounts      put the parts of the FUSE tree to their places in /dev and /sys; drop the staging
 *               place
 *   command     fork CMD with its seccomp filter, whose listener goes to the host, and its
 *               environment
 *   supervise   stand in for CMD: signals, job control, exit status
 *
 * Nothing is created outside the mount namespace, so that nothing is to be undone: what a stage did
 * vanishes with the last process in it. All descriptors are close-on-exec; CMD gets the
 * caller's own descriptors and no other.
 */
#ifndef SVF_CLI_LAUNCH_LAUNCH_H
#define SVF_CLI_LAUNCH_LAUNCH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cli/cli.h"
#include "host/control/protocol.h"

/* What -d, -c, ... of run, shell and start fill. */
struct svf_launch_options {
	struct svf_strings devices;
	struct svf_strings params;
	const char *topology;
	const char *name;
	bool map_root;
	bool no_preload;
	bool why;
};

extern const struct svf_option svf_device_options[];

/* Whether a -d asks for help, which is then printed: *ret_status is the exit status. */
bool svf_launch_help(const struct svf_launch_options *options, int *ret_status);

/* programs.c: absolute paths. Return: 0 or a negative errno, said. */
int svf_program_find_host(char ret_path[PATH_MAX]) SVF_MUST_CHECK;
int svf_program_find_preload(char ret_path[PATH_MAX]) SVF_MUST_CHECK;

/*
 * namespace.c. Enter: a new mount namespace, within a new user namespace unless the caller may do
 * without one. map_root: user and group 0 in it instead of the caller's own.
 */
int svf_namespace_enter(bool map_root) SVF_MUST_CHECK;
/* Join the namespaces of a running host. */
int svf_namespace_join(pid_t host) SVF_MUST_CHECK;
/* Lets the capabilities that the host needs survive its exec. Call in the child that execs it. */
int svf_namespace_keep_capabilities(void) SVF_MUST_CHECK;
/* What stands in the way of an unprivileged namespace, for messages: a sentence, or NULL. */
const char *svf_namespace_obstacle(void);

/* mounts.c. The stages of assembling /dev and /sys; zeroed at first. */
struct svf_mounts {
	int fuse_fd; /* /dev/fuse, for the host */
	int root_fd; /* O_PATH, the root of the FUSE tree */
	int sys_fd;  /* O_PATH, the real sysfs; -1: there is none */
	char *cwd;   /* where the caller was */
};

int svf_mounts_prepare(struct svf_mounts *mounts) SVF_MUST_CHECK;
int svf_mounts_assemble(struct svf_mounts *mounts) SVF_MUST_CHECK;
void svf_mounts_fini(struct svf_mounts *mounts);

/* host.c. The host process as the launcher holds it. */
struct svf_host_process {
	pid_t pid;
	int control; /* a stream socket; its end of file is the host's order to end */
	char name[SVF_PROTOCOL_NAME_MAX + 1];
	bool preload;
};

/* Brings up namespace, host and mounts. detached: the host outlives the launcher (start). */
int svf_host_launch(const struct svf_launch_options *options, const char *name, bool detached,
		    struct svf_host_process *ret) SVF_MUST_CHECK;
/* Ends the host and waits for it. Return: 0, or -EIO when it crashed or hung (said). */
int svf_host_end(struct svf_host_process *host) SVF_MUST_CHECK;

/* seccomp.c: filters the calling process; the listener goes to the host over its control socket. */
int svf_seccomp_install(int control) SVF_MUST_CHECK;

/*
 * command.c: forks CMD, in the namespace that the process is in or, with join set, in that of the
 * host of that process number, and stands in for it. Return: exit status.
 */
struct svf_command {
	const char *name; /* of the namespace */
	int control;	  /* to the host; stays the caller's, but with join it is closed */
	bool preload;
	pid_t join;  /* 0: we are in the namespace */
	pid_t host;  /* our child, whose death is said; 0: not ours */
	char **argv; /* ends in NULL */
};
int svf_command_run(const struct svf_command *command);

/* supervise.c: signals and job control until CMD has ended. */
int svf_supervise_prepare(void) SVF_MUST_CHECK; /* before the fork: from here on signals wait */
void svf_supervise_restore(void);		/* in a child: signals as the caller had them */
/* host: as in struct svf_command. Return: CMD's exit status; SVF_EXIT_OURS when the host died. */
int svf_supervise(pid_t command, pid_t host);

#endif
