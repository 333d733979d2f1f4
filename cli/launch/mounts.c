/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The /dev and /sys of a namespace, in two steps around the start of the host.
 *
 * Before: /dev is covered by a tmpfs that shows the real entries, and in it the FUSE filesystem is
 * mounted at a staging place. After: the host serves the tree "dev" and "sys", and what is in it
 * goes to the places of the table below, which are looked at from the top down. Everything of the
 * FUSE tree is bound whole at the first name that is no place itself: all of sys/bus/pci is one
 * mount. Then the staging mount goes; its subtrees stay where they are bound, and the host keeps a
 * descriptor of its root.
 *
 * Real PCI devices are hidden with their whole trees, because a client must not find hardware
 * beside what the namespace has. The network interfaces and disks that they carry are kept: a link
 * to one, in the folders of a table below, is replaced by the folder it leads to, with no way from
 * there to the PCI device. Links of other classes to a real PCI device stay listed and lead
 * nowhere, as those of a device that was just removed.
 *
 * /dev/ptmx needs care: opening it looks for "pts" beside it in the mount it was opened in, and a
 * bind mount of a single file has nothing beside it. So it is a link to the ptmx of a second, whole
 * view of the real /dev. A terminal made through it is named /dev/pts/N as ever, and ttyname(3)
 * gives its path within that view.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/launch/launch.h"
#include "cli/launch/places.h"

#define SVF_OURS     "/dev/.softvfio"
#define SVF_STAGING  SVF_OURS "/fuse"
#define SVF_REAL_DEV SVF_OURS "/dev"

static const struct svf_place svf_place_dev = {"/dev", {"vfio", "iommu", "ptmx"}, false};

/* Parents before children. */
static const struct svf_place svf_sys_places[] = {
	{"/sys", {NULL}, false},
	{"/sys/bus", {"pci", "pci_express"}, false},
	{"/sys/class", {"iommu", "pci_bus", "vfio", "vfio-dev"}, false},
	{"/sys/devices", {"pci*"}, false},
	{"/sys/devices/virtual", {"iommu", "vfio", "vfio-dev"}, false},
	{"/sys/kernel", {"iommu_groups"}, false},
	{"/sys/module", {"vfio", "vfio_*", "iommufd"}, false},
};
#define SVF_SYS_PLACES SVF_ARRAY_SIZE(svf_sys_places)

/* Folders of links to what real PCI devices carry. */
static const struct svf_place svf_sys_links[] = {
	{"/sys/block", {NULL}, true},
	{"/sys/class/block", {NULL}, true},
	{"/sys/class/net", {NULL}, true},
	{"/sys/dev/block", {NULL}, true},
};

/* The path within /sys: "." or "bus". */
static const char *svf_place_below(const struct svf_place *place)
{
	return place->path[strlen("/sys")] ? place->path + strlen("/sys/") : ".";
}

static int svf_fuse_open(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	struct stat st;
	int err = errno;

	if (fd >= 0)
		return fd;
	if (err == ENOENT || err == ENODEV || err == ENXIO)
		return svf_complain(
			-err, "there is no /dev/fuse; as root: modprobe fuse (for a container: "
			      "--device /dev/fuse)");
	if (err == EACCES && !stat("/dev/fuse", &st))
		return svf_complain(
			-err,
			"/dev/fuse is not accessible to this user (its mode is %04o); as root: "
			"chmod 0666 /dev/fuse",
			st.st_mode & 07777);
	return svf_complain(-err, "cannot open /dev/fuse: %s; for a container: --device /dev/fuse",
			    strerror(err));
}

static int svf_fuse_mount(int fuse_fd)
{
	const char *obstacle;
	char options[128];
	int err;

	if (mkdir(SVF_STAGING, 0700))
		return svf_complain(-errno, "cannot make %s: %s", SVF_STAGING, strerror(errno));
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other,default_permissions",
		 fuse_fd, geteuid(), getegid());
	if (!mount("softvfio", SVF_STAGING, "fuse.softvfio", MS_NOSUID | MS_NODEV, options))
		return 0;
	err = errno;
	obstacle = svf_namespace_obstacle();
	if (obstacle)
		return svf_complain(-err, "%s", obstacle);
	return svf_complain(-err,
			    "cannot mount a FUSE filesystem: %s; it needs Linux 4.18, or root",
			    strerror(err));
}

/* The mounts of a place were refused: why. */
static int svf_place_refused(int err, const struct svf_place *place)
{
	const char *obstacle = err == -EACCES || err == -EPERM ? svf_namespace_obstacle() : NULL;

	if (obstacle)
		return svf_complain(err, "%s", obstacle);
	if (err == -EMFILE)
		return svf_complain(err, "too many open files; raise the limit: ulimit -n 1024");
	if (err == -ENOSPC)
		return svf_complain(err, "too many mounts below %s; as root raise fs.mount-max",
				    place->path);
	return svf_complain(err, "cannot assemble %s: %s", place->path, strerror(-err));
}

static int svf_mounts_return(const struct svf_mounts *mounts)
{
	/* A directory that exists no more for us (of real PCI sysfs) leaves us at the root. */
	if (mounts->cwd && !chdir(mounts->cwd))
		return 0;
	return chdir("/") ? -errno : 0;
}

/* What must not be seen in the second view either. */
static int svf_real_dev_blind(void)
{
	if (!access(SVF_REAL_DEV "/vfio", F_OK) &&
	    mount("softvfio", SVF_REAL_DEV "/vfio", "tmpfs", MS_NOSUID | MS_RDONLY, "mode=0555"))
		return -errno;
	if (!access(SVF_REAL_DEV "/iommu", F_OK) &&
	    mount(SVF_REAL_DEV "/null", SVF_REAL_DEV "/iommu", NULL, MS_BIND, NULL))
		return -errno;
	return 0;
}

static int svf_ptmx_put(int real_fd, int view_fd)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(real_fd, "ptmx", target, sizeof(target) - 1);

	if (len < 0 && errno == ENOENT)
		return 0;
	if (len >= 0) {
		/* A link to pts/ptmx does as it is. */
		target[len] = '\0';
		return symlink(target, "/dev/ptmx") ? -errno : 0;
	}
	if (mkdir(SVF_REAL_DEV, 0755) ||
	    move_mount(view_fd, "", AT_FDCWD, SVF_REAL_DEV, MOVE_MOUNT_F_EMPTY_PATH) ||
	    symlink(".softvfio/dev/ptmx", "/dev/ptmx"))
		return -errno;
	return svf_real_dev_blind();
}

/* view_fd: a copy of all mounts of the real /dev, made before it was covered. */
static int svf_dev_cover_with(int real_fd, int view_fd)
{
	int ret = svf_place_cover(&svf_place_dev, real_fd, NULL);

	/* Entered by who knows the name, not listed by others; whatever the umask. */
	if (!ret && (mkdir(SVF_OURS, 0711) || chmod(SVF_OURS, 0711)))
		ret = -errno;
	return ret ? ret : svf_ptmx_put(real_fd, view_fd);
}

static int svf_dev_cover(void)
{
	int fd = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int view, ret;

	if (fd < 0)
		return svf_complain(-errno, "there is no /dev");
	if (!access(SVF_OURS, F_OK)) {
		close(fd);
		return svf_complain(-EBUSY, "this is inside a namespace already, and one cannot "
					    "run within another; start it from outside");
	}
	view = open_tree(fd, "",
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	ret = view < 0 ? -errno : svf_dev_cover_with(fd, view);
	close(fd);
	if (view >= 0)
		close(view);
	return ret ? svf_place_refused(ret, &svf_place_dev) : 0;
}

int svf_mounts_prepare(struct svf_mounts *mounts)
{
	int ret;

	*mounts = (struct svf_mounts){
		.fuse_fd = -1, .root_fd = -1, .sys_fd = -1, .cwd = getcwd(NULL, 0)};
	mounts->fuse_fd = svf_fuse_open();
	if (mounts->fuse_fd < 0)
		return mounts->fuse_fd;
	mounts->sys_fd = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mounts->sys_fd < 0)
		return svf_complain(-errno,
				    "there is no /sys; mount it: mount -t sysfs sysfs /sys");
	ret = svf_dev_cover();
	if (ret)
		return ret;
	ret = svf_fuse_mount(mounts->fuse_fd);
	if (ret)
		return ret;
	mounts->root_fd = open(SVF_STAGING, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mounts->root_fd < 0)
		return svf_complain(-errno, "cannot open %s: %s", SVF_STAGING, strerror(errno));
	return svf_mounts_return(mounts);
}

void svf_mounts_fini(struct svf_mounts *mounts)
{
	const int fds[] = {mounts->fuse_fd, mounts->root_fd, mounts->sys_fd};

	for (size_t i = 0; i < SVF_ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(mounts->cwd);
	*mounts = (struct svf_mounts){.fuse_fd = -1, .root_fd = -1, .sys_fd = -1};
}

/* Names that are places themselves have their own turn, where the real directory has them too. */
static void svf_names_drop_places(struct svf_names *ours, const struct svf_names *real,
				  const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < SVF_SYS_PLACES; i++) {
		const char *child = svf_sys_places[i].path;

		if (strncmp(child, path, len) || child[len] != '/' || strchr(child + len + 1, '/'))
			continue;
		if (svf_names_lookup(real, child + len + 1))
			svf_names_drop(ours, child + len + 1);
	}
}

static int svf_sys_place_mount(const struct svf_place *place, int real_fd, int ours_fd,
			       const struct svf_names *real, const struct svf_names *ours)
{
	bool covered = place->follow || svf_place_needs_cover(place, real, ours);
	int ret = 0;

	if (covered)
		ret = svf_place_cover(place, real_fd, ours);
	if (!ret && ours->count)
		ret = svf_place_fill(place, ours_fd, ours);
	/* As in sysfs, nobody makes files there. */
	if (!ret && covered &&
	    mount(NULL, place->path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL))
		ret = -errno;
	return ret;
}

static int svf_sys_place_assemble(const struct svf_mounts *mounts, const struct svf_place *place,
				  int real_fd)
{
	struct svf_names real = {0}, ours = {0};
	char path[64];
	int ours_fd, ret;

	snprintf(path, sizeof(path), "sys/%s", svf_place_below(place));
	ours_fd = openat(mounts->root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (ours_fd < 0 && errno != ENOENT)
		return -errno;
	ret = svf_names_read(real_fd, &real);
	if (!ret && ours_fd >= 0)
		ret = svf_names_read(ours_fd, &ours);
	if (!ret) {
		svf_names_drop_places(&ours, &real, place->path);
		ret = svf_sys_place_mount(place, real_fd, ours_fd, &real, &ours);
	}
	svf_names_fini(&real);
	svf_names_fini(&ours);
	if (ours_fd >= 0)
		close(ours_fd);
	return ret;
}

/* A folder of links is covered only where needed: uncovered, it shows what comes and goes. */
static int svf_sys_links_keep(const struct svf_mounts *mounts, const struct svf_place *place)
{
	int fd = openat(mounts->sys_fd, svf_place_below(place), O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct svf_names none = {0};
	struct svf_names real = {0};
	int ret;

	if (fd < 0)
		return 0;
	ret = svf_names_read(fd, &real);
	if (!ret && svf_place_has_followed(place, fd, &real))
		ret = svf_sys_place_mount(place, fd, -1, &real, &none);
	svf_names_fini(&real);
	close(fd);
	return ret ? svf_place_refused(ret, place) : 0;
}

static int svf_sys_assemble(const struct svf_mounts *mounts)
{
	int real_fd[SVF_SYS_PLACES];
	int ret = 0;

	/*
	 * First, while the links still lead to the real devices; covering a parent takes these
	 * mounts along.
	 */
	for (size_t i = 0; i < SVF_ARRAY_SIZE(svf_sys_links) && !ret; i++)
		ret = svf_sys_links_keep(mounts, &svf_sys_links[i]);

	/* All before the first mount: afterwards their paths lead to what we mounted. */
	for (size_t i = 0; i < SVF_SYS_PLACES; i++)
		real_fd[i] = openat(mounts->sys_fd, svf_place_below(&svf_sys_places[i]),
				    O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < SVF_SYS_PLACES && !ret; i++) {
		/* Not in the real sysfs: bound whole with its parent. */
		if (real_fd[i] < 0)
			continue;
		ret = svf_sys_place_assemble(mounts, &svf_sys_places[i], real_fd[i]);
		if (ret)
			svf_place_refused(ret, &svf_sys_places[i]);
	}
	for (size_t i = 0; i < SVF_SYS_PLACES; i++) {
		if (real_fd[i] >= 0)
			close(real_fd[i]);
	}
	return ret;
}

static int svf_dev_fill(const struct svf_mounts *mounts)
{
	struct svf_names ours = {0};
	int fd = openat(mounts->root_fd, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return svf_place_refused(-errno, &svf_place_dev);
	ret = svf_names_read(fd, &ours);
	if (!ret)
		ret = svf_place_fill(&svf_place_dev, fd, &ours);
	svf_names_fini(&ours);
	close(fd);
	return ret ? svf_place_refused(ret, &svf_place_dev) : 0;
}

int svf_mounts_assemble(struct svf_mounts *mounts)
{
	int ret = svf_dev_fill(mounts);

	if (!ret)
		ret = svf_sys_assemble(mounts);
	if (ret)
		return ret;
	if (umount2(SVF_STAGING, MNT_DETACH) || rmdir(SVF_STAGING))
		return svf_complain(-errno, "cannot remove %s: %s", SVF_STAGING, strerror(errno));
	return svf_mounts_return(mounts);
}
