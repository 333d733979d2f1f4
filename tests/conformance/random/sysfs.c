/* SPDX-License-Identifier: BSD-3-Clause */
/* The functions' folders in sysfs: binding drivers, attributes, and where their group is. */
#include "random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PCI "/sys/bus/pci"

static int write_file(const char *path, const char *value)
{
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* The last part of what a link points to. */
static int link_name(const char *path, char *name, size_t len)
{
	char target[512];
	const char *last;
	ssize_t n;

	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	last = strrchr(target, '/');
	snprintf(name, len, "%.*s", (int)len - 1, last != NULL ? last + 1 : target);
	return 0;
}

static void function_path(enum site site, const char *attribute, char *path, size_t len)
{
	snprintf(path, len, PCI "/devices/%s/%s", sites[site].bdf, attribute);
}

int sysfs_write_value(enum site site, const char *attribute, const char *value)
{
	char path[256];

	if (strncmp(attribute, "drivers", 7) == 0)
		snprintf(path, sizeof(path), PCI "/%s", attribute);
	else
		function_path(site, attribute, path, sizeof(path));
	return write_file(path, value);
}

int sysfs_read_value(enum site site, const char *attribute, char *value, size_t len)
{
	char path[256];
	ssize_t n;
	int fd;

	function_path(site, attribute, path, sizeof(path));
	if (strcmp(attribute, "driver") == 0)
		return link_name(path, value, len);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, value, len - 1);
	close(fd);
	if (n < 0)
		return -errno;
	value[n] = '\0';
	return 0;
}

int sysfs_bind(enum site site, const char *driver, char *result, size_t len)
{
	char now[64];
	int override, probe;

	override = sysfs_write_value(site, "driver_override", driver);
	probe = write_file(PCI "/drivers_probe", sites[site].bdf);
	if (sysfs_read_value(site, "driver", now, sizeof(now)) < 0)
		snprintf(now, sizeof(now), "none");
	snprintf(result, len, "%d/%d/%s", -override, -probe, now);
	return 0;
}

int sysfs_group_path(enum site site, char *path, size_t len)
{
	char link[256], name[64];
	int ret;

	function_path(site, "iommu_group", link, sizeof(link));
	ret = link_name(link, name, sizeof(name));
	if (ret == 0)
		snprintf(path, len, "/dev/vfio/%s", name);
	return ret;
}

int sysfs_cdev_path(enum site site, char *path, size_t len)
{
	struct dirent *entry;
	char folder[256];
	int ret = -ENOENT;
	DIR *dir;

	function_path(site, "vfio-dev", folder, sizeof(folder));
	dir = opendir(folder);
	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "vfio", 4) == 0) {
			snprintf(path, len, "/dev/vfio/devices/%.32s", entry->d_name);
			ret = 0;
		}
	}
	closedir(dir);
	return ret;
}

/* A function that is gone needs nothing. */
bool sysfs_clean(enum site site)
{
	char path[256], now[64];

	function_path(site, "", path, sizeof(path));
	if (access(path, F_OK) < 0)
		return true;
	sysfs_write_value(site, "sriov_numvfs", "0");
	sysfs_write_value(site, "driver/unbind", sites[site].bdf);
	sysfs_write_value(site, "driver_override", "\n");
	sysfs_write_value(site, "sriov_drivers_autoprobe", "1");
	while (sysfs_write_value(site, "enable", "0") == 0)
		;
	return sysfs_read_value(site, "driver", now, sizeof(now)) == -ENOENT;
}
