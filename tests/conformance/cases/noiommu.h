/* SPDX-License-Identifier: BSD-3-Clause */
/* What the cases about machines without an IOMMU share. The machine's functions are pf, nvme and edu. */
#ifndef CONFORMANCE_NOIOMMU_H
#define CONFORMANCE_NOIOMMU_H

#include "lib.h"

#include <dirent.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#define PARAMETER "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

/* Quiet. */
static inline int write_parameter(const char *value)
{
	int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static inline void must_enable(void)
{
	int ret = write_parameter("1");

	if (ret < 0)
		die("%s: %s", PARAMETER, errno_name(-ret));
}

/* CAP_SYS_RAWIO of this process, which stays permitted, off or on again. */
static inline void rawio(bool on)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		die("capget: %s", errno_name(errno));
	if (!(data[0].permitted & 1u << CAP_SYS_RAWIO))
		skip("this user has no CAP_SYS_RAWIO to give up");
	if (on)
		data[0].effective |= 1u << CAP_SYS_RAWIO;
	else
		data[0].effective &= ~(1u << CAP_SYS_RAWIO);
	if (syscall(SYS_capset, &header, data) < 0)
		die("capset: %s", errno_name(errno));
}

static inline int open_noiommu_group(const char *bdf)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/noiommu-%d", pci_group(bdf));
	return say_fd(open(path, O_RDWR | O_CLOEXEC), "open(/dev/vfio/noiommu-{group of %s})", bdf);
}

/* The name of the cdev of a function; static storage. */
static inline const char *cdev_name(const char *bdf)
{
	static char name[NAME_MAX + 1];
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	name[0] = '\0';
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (dir == NULL)
		die("%s has no vfio-dev: %s", bdf, errno_name(errno));
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			snprintf(name, sizeof(name), "%s", entry->d_name);
	closedir(dir);
	return name;
}

static inline int open_noiommu_cdev(const char *bdf)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", cdev_name(bdf));
	return say_fd(open(path, O_RDWR | O_CLOEXEC), "open(/dev/vfio/devices/{%s})", bdf);
}

static inline void show_status(int group)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	if (IOCTL(group, VFIO_GROUP_GET_STATUS, &status) == 0)
		note("flags:%s%s", status.flags & VFIO_GROUP_FLAGS_VIABLE ? " VIABLE" : "",
		     status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET ? " CONTAINER_SET" : "");
}

#endif
