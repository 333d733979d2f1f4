/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where our other programs are. In a build tree they lie beside the folder of this program;
 * installed, where the build was told. The first place that has the file wins, so that a build tree
 * never runs an installed host by accident.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/launch/launch.h"

struct svf_program {
	const char *what;
	const char *beside;    /* from the folder of this program, in a build tree */
	const char *installed; /* absolute */
	int mode;	       /* for access(2) */
};

static const struct svf_program svf_program_host = {
	"the host program softvfiod",
	"../host/softvfiod",
	SVF_LIBEXECDIR "/softvfiod",
	X_OK,
};

static const struct svf_program svf_program_preload = {
	"libsoftvfio-preload.so",
	"../preload/libsoftvfio-preload.so",
	SVF_LIBDIR "/libsoftvfio-preload.so",
	R_OK,
};

static int svf_program_directory(char *ret_path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", ret_path, size - 1);
	char *slash;

	if (len < 0)
		return svf_complain(-errno,
				    "/proc is not mounted; mount it: mount -t proc proc /proc");
	ret_path[len] = '\0';
	slash = strrchr(ret_path, '/');
	if (slash)
		*slash = '\0';
	return 0;
}

static int svf_program_find(const struct svf_program *program, char *ret_path)
{
	char directory[PATH_MAX], path[2 * PATH_MAX];
	int ret = svf_program_directory(directory, sizeof(directory));

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/%s", directory, program->beside);
	if (!access(path, program->mode) && realpath(path, ret_path))
		return 0;
	if (!access(program->installed, program->mode) && realpath(program->installed, ret_path))
		return 0;
	return svf_complain(-ENOENT, "%s is neither at %s/%s nor at %s; install softvfio again",
			    program->what, directory, program->beside, program->installed);
}

int svf_program_find_host(char ret_path[PATH_MAX])
{
	return svf_program_find(&svf_program_host, ret_path);
}

int svf_program_find_preload(char ret_path[PATH_MAX])
{
	return svf_program_find(&svf_program_preload, ret_path);
}
