/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory files; see memfile.h. */
#include "host/client/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int svf_memfile_look(int dir_fd, const char *path, struct svf_memfile_id *ret)
{
	struct statx stx;

	if (statx(dir_fd, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_INO | STATX_SIZE, &stx))
		return errno == ENOENT ? -EBADF : -EINVAL;
	ret->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	ret->ino = stx.stx_ino;
	ret->size = stx.stx_size;
	ret->block = stx.stx_blksize;
	return S_ISREG(stx.stx_mode) ? 0 : -EINVAL;
}

/* Whether files of a memfd made with these flags are on dev. */
static bool is_memfd_dev(dev_t dev, unsigned int flags)
{
	int fd = memfd_create("softvfio-probe", MFD_CLOEXEC | flags);
	struct stat st;
	bool same;

	if (fd < 0)
		return false;
	same = !fstat(fd, &st) && st.st_dev == dev;
	close(fd);
	return same;
}

/* "25 30 0:23 / /dev/shm rw,nosuid shared:4 - tmpfs tmpfs rw": the device, and behind " - " the type. */
static bool line_is_memory(const char *line, dev_t dev)
{
	unsigned int dev_major, dev_minor;
	const char *type = strstr(line, " - ");

	if (sscanf(line, "%*d %*d %u:%u", &dev_major, &dev_minor) != 2 || !type)
		return false;
	type += strlen(" - ");
	return makedev(dev_major, dev_minor) == dev &&
	       (!strncmp(type, "tmpfs ", 6) || !strncmp(type, "hugetlbfs ", 10));
}

/* Whether the caller's mounts have a memory filesystem under that device. */
static bool is_mounted_memory(pid_t tid, dev_t dev)
{
	char path[40], *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *mounts;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)tid);
	mounts = fopen(path, "re");
	while (mounts && !found && getline(&line, &size, mounts) > 0)
		found = line_is_memory(line, dev);
	free(line);
	if (mounts)
		fclose(mounts);
	return found;
}

bool svf_memfile_is_memory(pid_t tid, dev_t dev)
{
	return is_memfd_dev(dev, 0) || is_memfd_dev(dev, MFD_HUGETLB) ||
	       is_memfd_dev(dev, MFD_HUGETLB | MFD_HUGE_1GB) || is_mounted_memory(tid, dev);
}
