/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of softvfiod: what the launcher passes, see host/control/protocol.h. */
#include "host/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/client/procmap.h"
#include "host/control/protocol.h"

enum {
	OPT_FUSE = 256,
	OPT_ROOT,
	OPT_READY,
	OPT_CONTROL,
	OPT_NAME,
	OPT_UID,
	OPT_PRELOAD,
	OPT_PARAM
};

static const struct option long_options[] = {
	{"fuse-fd", required_argument, NULL, OPT_FUSE},
	{"root-fd", required_argument, NULL, OPT_ROOT},
	{"ready-fd", required_argument, NULL, OPT_READY},
	{"control-fd", required_argument, NULL, OPT_CONTROL},
	{"name", required_argument, NULL, OPT_NAME},
	{"uid", required_argument, NULL, OPT_UID},
	{"preload", required_argument, NULL, OPT_PRELOAD},
	{"device", required_argument, NULL, 'd'},
	{"config", required_argument, NULL, 'c'},
	{"param", required_argument, NULL, OPT_PARAM},
	{0},
};

static int complain(const char *text, const char *what)
{
	fprintf(stderr, "softvfiod: %s%s%s\n", text, what ? ": " : "", what ? what : "");
	return -EINVAL;
}

static int parse_number(const char *text, unsigned int max, unsigned int *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || value > max)
		return complain("not a number in range", text);
	*ret = (unsigned int)value;
	return 0;
}

static int parse_fd(const char *text, int *ret)
{
	unsigned int number;
	int err = parse_number(text, INT32_MAX, &number);

	if (err)
		return err;
	/* Ours alone: nothing that the host starts may have it. */
	if (fcntl((int)number, F_SETFD, FD_CLOEXEC))
		return complain("not an open descriptor", text);
	*ret = (int)number;
	return 0;
}

/*
 * What mappings of the preload show as their file. On some filesystems stat tells another device
 * than /proc/PID/maps does, so it is mapped here and looked up there.
 */
static int learn_preload(struct svf_options *options, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), maps_fd, err;
	struct svf_vma vma;
	void *at;

	if (fd < 0)
		return complain(strerror(errno), path);
	at = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return complain(strerror(errno), path);
	maps_fd = svf_procmap_open(getpid());
	err = maps_fd < 0 ? maps_fd : svf_procmap_next(maps_fd, (uintptr_t)at, false, &vma);
	if (maps_fd >= 0)
		close(maps_fd);
	munmap(at, 1);
	if (err)
		return complain(strerror(-err), "/proc/self/maps");
	options->preload_dev = vma.dev;
	options->preload_ino = vma.inode;
	return 0;
}

static int parse_uid(struct svf_options *options, const char *text)
{
	unsigned int number;
	int err = parse_number(text, UINT32_MAX - 1, &number);

	if (err)
		return err;
	options->uid = number;
	options->gid = getegid();
	return 0;
}

static int parse_one(struct svf_options *options, int opt, const char *value)
{
	switch (opt) {
	case OPT_FUSE:
		return parse_fd(value, &options->fuse_fd);
	case OPT_ROOT:
		return parse_fd(value, &options->root_fd);
	case OPT_READY:
		return parse_fd(value, &options->ready_fd);
	case OPT_CONTROL:
		return parse_fd(value, &options->control_fd);
	case OPT_NAME:
		options->name = value;
		return 0;
	case OPT_UID:
		return parse_uid(options, value);
	case OPT_PRELOAD:
		return learn_preload(options, value);
	case OPT_PARAM:
		options->params[options->param_count++] = value;
		return 0;
	case 'd':
		options->devices[options->device_count++] = value;
		return 0;
	case 'c':
		options->topology_file = value;
		return 0;
	default:
		return -EINVAL; /* getopt has said it */
	}
}

static int check(const struct svf_options *options)
{
	if (options->fuse_fd < 0 || options->root_fd < 0 || options->ready_fd < 0 || !options->name)
		return complain("--fuse-fd, --root-fd, --ready-fd and --name are needed; "
				"softvfio(1) starts it",
				NULL);
	if (!*options->name || strlen(options->name) > SVF_PROTOCOL_NAME_MAX)
		return complain("the name is empty or too long", options->name);
	return 0;
}

int svf_options_init(struct svf_options *options, int argc, char **argv)
{
	int opt, err;

	*options = (struct svf_options){
		.fuse_fd = -1, .root_fd = -1, .ready_fd = -1, .control_fd = -1};
	options->devices = calloc((size_t)argc + 1, sizeof(char *));
	options->params = calloc((size_t)argc + 1, sizeof(char *));
	if (!options->devices || !options->params) {
		svf_options_fini(options);
		return -ENOMEM;
	}
	while ((opt = getopt_long(argc, argv, "d:c:", long_options, NULL)) != -1) {
		err = parse_one(options, opt, optarg);
		if (err)
			goto err;
	}
	err = optind < argc ? complain("unexpected argument", argv[optind]) : check(options);
	if (!err)
		return 0;
err:
	svf_options_fini(options);
	return err;
}

void svf_options_fini(struct svf_options *options)
{
	free(options->devices);
	free(options->params);
	options->devices = NULL;
	options->params = NULL;
}
