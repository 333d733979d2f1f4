/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of softvfiod, described in host/control/protocol.h. */
#ifndef SVF_HOST_OPTIONS_H
#define SVF_HOST_OPTIONS_H

#include <sys/types.h>

#include "base/compiler.h"

struct svf_options {
	int fuse_fd, root_fd, ready_fd, control_fd; /* -1: not given */
	const char *name;
	uid_t uid; /* owner of the nodes */
	gid_t gid;
	dev_t preload_dev; /* of the preload object, both 0: none given */
	ino_t preload_ino;
	/*
	 * The machine: the arguments of -d and --param in order, borrowed from argv, and the file
	 * of -c or NULL.
	 */
	const char **devices, **params;
	unsigned int device_count, param_count;
	const char *topology_file;
};

/* Reads the command line; says on stderr what is wrong with it. Return: 0, -EINVAL, -ENOMEM. */
int svf_options_init(struct svf_options *options, int argc, char **argv) SVF_MUST_CHECK;
void svf_options_fini(struct svf_options *options);

#endif
