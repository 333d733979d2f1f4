/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Showing real names and ours in one directory.
 *
 * Where each of our names exists in the real directory and nothing is to be hidden, ours is
 * mounted over the real one and that is all. Otherwise the place is covered: a tmpfs goes over it,
 * and each real entry is put back by a bind mount (a directory with all below it, a device node as
 * a file) or, for a symbolic link, made again. Links keep their relative targets, which stay right
 * because every directory keeps its path; ".." of a bind mount's root is the directory that it is
 * mounted in.
 *
 * A covered place is a picture of the real one at the start: a device node that appears later is
 * not seen. What lies below the entries is live.
 *
 * A real entry that cannot be put back (it vanished meanwhile, or is a stale mount) is left out;
 * running out of memory or of mounts is an error. A mount costs some 10 us, and a usual machine
 * needs 200 of them.
 */
#include "cli/launch/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Enough for names and links; what a program writes to a mistyped device name fits as well. */
#define SVF_TMPFS_OPTIONS "mode=0755,size=16m"

static int svf_name_compare(const void *a, const void *b)
{
	return strcmp(((const struct svf_name *)a)->name, ((const struct svf_name *)b)->name);
}

const struct svf_name *svf_names_lookup(const struct svf_names *names, const char *name)
{
	struct svf_name key = {.name = (char *)name};

	if (!names || !names->count)
		return NULL;
	return bsearch(&key, names->entry, names->count, sizeof(key), svf_name_compare);
}

void svf_names_drop(struct svf_names *names, const char *name)
{
	const struct svf_name *found = svf_names_lookup(names, name);
	size_t i;

	if (!found)
		return;
	i = (size_t)(found - names->entry);
	free(names->entry[i].name);
	names->count--;
	memmove(&names->entry[i], &names->entry[i + 1], (names->count - i) * sizeof(*names->entry));
}

void svf_names_fini(struct svf_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->entry[i].name);
	free(names->entry);
	*names = (struct svf_names){0};
}

static int svf_names_add(struct svf_names *names, const char *name, unsigned char type)
{
	struct svf_name *bigger;

	/* Grows when the count is a power of two. */
	if (!(names->count & (names->count - 1))) {
		bigger = reallocarray(names->entry, names->count ? 2 * names->count : 1,
				      sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		names->entry = bigger;
	}
	names->entry[names->count].name = strdup(name);
	if (!names->entry[names->count].name)
		return -ENOMEM;
	names->entry[names->count++].type = type;
	return 0;
}

static unsigned char svf_entry_type(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return DT_UNKNOWN;
	return (unsigned char)IFTODT(st.st_mode);
}

static int svf_names_read_dir(DIR *dir, struct svf_names *names)
{
	struct dirent *entry;
	int ret;

	while ((errno = 0, entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		ret = svf_names_add(names, entry->d_name, svf_entry_type(dir, entry));
		if (ret)
			return ret;
	}
	if (errno)
		return -errno;
	if (names->count)
		qsort(names->entry, names->count, sizeof(*names->entry), svf_name_compare);
	return 0;
}

int svf_names_read(int fd, struct svf_names *ret)
{
	struct svf_names names = {0};
	int listed = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;
	int err;

	if (listed < 0)
		return -errno;
	dir = fdopendir(listed);
	if (!dir) {
		err = -errno;
		close(listed);
		return err;
	}
	err = svf_names_read_dir(dir, &names);
	closedir(dir);
	if (err)
		svf_names_fini(&names);
	else
		*ret = names;
	return err;
}

static bool svf_place_hides(const struct svf_place *place, const char *name)
{
	for (size_t i = 0; i < SVF_PLACE_HIDDEN_MAX && place->hidden[i]; i++) {
		if (!fnmatch(place->hidden[i], name, 0))
			return true;
	}
	return false;
}

bool svf_place_needs_cover(const struct svf_place *place, const struct svf_names *real,
			   const struct svf_names *ours)
{
	const struct svf_name *other;

	for (size_t i = 0; i < ours->count; i++) {
		other = svf_names_lookup(real, ours->entry[i].name);
		/* A mount point must be of the same kind, and a link is none. */
		if (!other || other->type != ours->entry[i].type || other->type == DT_LNK)
			return true;
	}
	for (size_t i = 0; i < real->count; i++) {
		if (svf_place_hides(place, real->entry[i].name) &&
		    !svf_names_lookup(ours, real->entry[i].name))
			return true;
	}
	return false;
}

/* A link of sysfs to something on a real PCI device. */
static bool svf_link_is_pci(int from, const char *name)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from, name, target, sizeof(target) - 1);

	if (len < 0)
		return false;
	target[len] = '\0';
	return strstr(target, "/devices/pci");
}

bool svf_place_has_followed(const struct svf_place *place, int real_fd,
			    const struct svf_names *real)
{
	for (size_t i = 0; place->follow && i < real->count; i++) {
		if (real->entry[i].type == DT_LNK && svf_link_is_pci(real_fd, real->entry[i].name))
			return true;
	}
	return false;
}

static int svf_link_copy(int from, const char *name, const char *to)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from, name, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	return symlink(target, to) ? -errno : 0;
}

/* Makes the thing that a mount needs to be put on, if it is not there. */
static int svf_mount_point_make(const char *path, unsigned char type)
{
	int ret = type == DT_DIR ? mkdir(path, 0755) : mknod(path, S_IFREG | 0644, 0);

	return ret && errno != EEXIST ? -errno : 0;
}

/* The working directory is from's; mount(2) takes paths only, and a relative one saves a walk. */
static int svf_entry_put(int from, const struct svf_name *entry, const char *to)
{
	int ret;

	if (entry->type == DT_LNK)
		return svf_link_copy(from, entry->name, to);
	ret = svf_mount_point_make(to, entry->type);
	if (ret)
		return ret;
	return mount(entry->name, to, NULL, MS_BIND | MS_REC, NULL) ? -errno : 0;
}

static void svf_mount_point_remove(const char *path, unsigned char type)
{
	if (type == DT_DIR)
		rmdir(path);
	else
		unlink(path);
}

static int svf_real_put(const struct svf_place *place, int real_fd, const struct svf_name *entry)
{
	struct svf_name shown = *entry;
	char to[PATH_MAX];
	int ret;

	/* mount(2) follows the link. */
	if (place->follow && entry->type == DT_LNK && svf_link_is_pci(real_fd, entry->name))
		shown.type = DT_DIR;
	snprintf(to, sizeof(to), "%s/%s", place->path, entry->name);
	ret = svf_entry_put(real_fd, &shown, to);
	if (!ret || ret == -ENOMEM || ret == -ENOSPC)
		return ret;
	svf_mount_point_remove(to, shown.type);
	return 0;
}

static int svf_real_put_all(const struct svf_place *place, int real_fd,
			    const struct svf_names *real, const struct svf_names *ours)
{
	int ret;

	for (size_t i = 0; i < real->count; i++) {
		const struct svf_name *entry = &real->entry[i];

		if (svf_place_hides(place, entry->name) || svf_names_lookup(ours, entry->name))
			continue;
		ret = svf_real_put(place, real_fd, entry);
		if (ret)
			return ret;
	}
	return 0;
}

int svf_place_cover(const struct svf_place *place, int real_fd, const struct svf_names *ours)
{
	struct svf_names real;
	int ret = svf_names_read(real_fd, &real);

	if (ret)
		return ret;
	if (mount("softvfio", place->path, "tmpfs", MS_NOSUID, SVF_TMPFS_OPTIONS) ||
	    fchdir(real_fd))
		ret = -errno;
	else
		ret = svf_real_put_all(place, real_fd, &real, ours);
	svf_names_fini(&real);
	return ret;
}

int svf_place_fill(const struct svf_place *place, int ours_fd, const struct svf_names *ours)
{
	char to[PATH_MAX];
	int ret;

	if (fchdir(ours_fd))
		return -errno;
	for (size_t i = 0; i < ours->count; i++) {
		snprintf(to, sizeof(to), "%s/%s", place->path, ours->entry[i].name);
		ret = svf_entry_put(ours_fd, &ours->entry[i], to);
		if (ret)
			return ret;
	}
	return 0;
}
