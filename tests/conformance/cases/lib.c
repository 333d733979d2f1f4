/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transcript and set-up for the conformance cases, see lib.h.
 *
 * Each line of transcript is formatted into a buffer, device addresses in it are replaced by
 * names, and it is written at once: a case that is killed leaves what it had learnt. A call that
 * blocks for ever is ended by an alarm, which is not a measure of time but the only way to end
 * such a case.
 */
#include "lib.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>

#define PCI	     "/sys/bus/pci"
#define MAX_TOUCHED  32
#define MAX_VFS	     8
#define CASE_SECONDS 120

const char *pf = "0000:01:00.0";
const char *nvme = "0000:02:00.0";
const char *edu = "0000:00:05.0";
const char *bridge = "0000:03:00.0";
const char *conv0 = "0000:04:00.0";
const char *conv1 = "0000:04:01.0";
const char *multi0 = "0000:05:00.0";
const char *multi1 = "0000:05:00.1";

/* What is replaced in the transcript. VFs are added as they are looked up. */
static struct {
	const char *name;
	const char **bdf;
} named[] = {
	{"pf", &pf},	   {"nvme", &nvme},   {"edu", &edu},	   {"bridge", &bridge},
	{"conv0", &conv0}, {"conv1", &conv1}, {"multi0", &multi0}, {"multi1", &multi1},
};

/* Functions whose driver the case has changed, and the driver they had before. */
static struct {
	char bdf[16];
	char driver[64];
} touched[MAX_TOUCHED];
static size_t nr_touched;
static pid_t main_pid;
static bool without_names;

static const struct {
	int err;
	const char *name;
} errno_names[] = {
#define E(x)                                                                                       \
	{                                                                                          \
		x, #x                                                                              \
	}
	E(EPERM),     E(ENOENT),   E(EINTR),	  E(EIO),	    E(ENXIO),	 E(E2BIG),
	E(EBADF),     E(ECHILD),   E(EAGAIN),	  E(ENOMEM),	    E(EACCES),	 E(EFAULT),
	E(EBUSY),     E(EEXIST),   E(EXDEV),	  E(ENODEV),	    E(ENOTDIR),	 E(EISDIR),
	E(EINVAL),    E(ENFILE),   E(EMFILE),	  E(ENOTTY),	    E(EFBIG),	 E(ENOSPC),
	E(ESPIPE),    E(EROFS),	   E(EPIPE),	  E(EDOM),	    E(ERANGE),	 E(EDEADLK),
	E(ENOSYS),    E(ENODATA),  E(EOVERFLOW),  E(EBADFD),	    E(EMSGSIZE), E(EOPNOTSUPP),
	E(ETIMEDOUT), E(EALREADY), E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENOLINK),	 E(EPROTO),
#undef E
};

const char *errno_name(int err)
{
	static char unknown[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errno_names); i++)
		if (errno_names[i].err == err)
			return errno_names[i].name;
	snprintf(unknown, sizeof(unknown), "errno %d", err);
	return unknown;
}

static char vf_names[2][MAX_VFS][16]; /* BDFs of the VFs that were looked up, by PF and number */

/* The length of the device address at s, with the name it stands for; 0 when s is none of ours. */
static size_t match_bdf(const char *s, char *name, size_t len)
{
	size_t i, n, p;

	if (without_names)
		return 0;
	for (i = 0; i < ARRAY_SIZE(named); i++) {
		n = strlen(*named[i].bdf);
		if (strncmp(s, *named[i].bdf, n) == 0) {
			snprintf(name, len, "<%s>", named[i].name);
			return n;
		}
	}
	for (p = 0; p < 2; p++) {
		for (i = 0; i < MAX_VFS; i++) {
			n = strlen(vf_names[p][i]);
			if (n > 0 && strncmp(s, vf_names[p][i], n) == 0) {
				snprintf(name, len, "<%svf%zu>", p ? "nvme-" : "", i);
				return n;
			}
		}
	}
	return 0;
}

static void emit(const char *prefix, const char *text)
{
	char out[4096], name[32];
	size_t used = 0, n;

	used = (size_t)snprintf(out, sizeof(out), "%s", prefix);
	while (*text != '\0' && used < sizeof(out) - sizeof(name) - 2) {
		n = match_bdf(text, name, sizeof(name));
		if (n > 0) {
			used += (size_t)snprintf(out + used, sizeof(out) - used, "%s", name);
			text += n;
			continue;
		}
		out[used++] = *text++;
	}
	out[used++] = '\n';
	if (write(STDOUT_FILENO, out, used) != (ssize_t)used)
		_exit(2);
}

static void emitv(const char *prefix, const char *fmt, va_list ap)
{
	char text[4096];

	vsnprintf(text, sizeof(text), fmt, ap);
	emit(prefix, text);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emitv("", fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emitv("    ", fmt, ap);
	va_end(ap);
}

void section(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("", "");
	emitv("== ", fmt, ap);
	va_end(ap);
}

int say_call(long ret, const char *fmt, ...)
{
	int err = errno;
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (ret < 0)
		say("%s = -1 %s", text, errno_name(err));
	else
		say("%s = %ld", text, ret);
	errno = err;
	return (int)ret;
}

int say_fd(int fd, const char *fmt, ...)
{
	int err = errno;
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (fd < 0)
		say("%s = -1 %s", text, errno_name(err));
	else
		say("%s = fd", text);
	errno = err;
	return fd;
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emitv("set-up failed: ", fmt, ap);
	va_end(ap);
	exit(2);
}

void skip(const char *why)
{
	say("skipped: %s", why);
	exit(77);
}

static void on_alarm(int sig)
{
	static const char text[] = "BLOCKED\n";

	(void)sig;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(3);
}

static void read_name(const char **bdf, const char *variable)
{
	const char *value = getenv(variable);

	if (value != NULL)
		*bdf = value;
}

static void on_exit_restore(void)
{
	if (getpid() == main_pid)
		pci_restore();
}

void case_begin(void)
{
	main_pid = getpid();
	signal(SIGALRM, on_alarm);
	alarm(CASE_SECONDS);
	read_name(&pf, "CONFORMANCE_PF");
	read_name(&nvme, "CONFORMANCE_NVME");
	read_name(&edu, "CONFORMANCE_EDU");
	read_name(&bridge, "CONFORMANCE_BRIDGE");
	read_name(&conv0, "CONFORMANCE_CONV0");
	read_name(&conv1, "CONFORMANCE_CONV1");
	read_name(&multi0, "CONFORMANCE_MULTI0");
	read_name(&multi1, "CONFORMANCE_MULTI1");
	atexit(on_exit_restore);
}

void case_begin_without_names(void)
{
	without_names = true;
	case_begin();
}

/* sysfs */

static int write_file(const char *path, const char *value)
{
	size_t len = strlen(value);
	ssize_t n;
	int fd, err;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, len);
	err = n < 0 ? -errno : n == (ssize_t)len ? 0 : -EIO;
	close(fd);
	return err;
}

static int read_link_name(const char *path, char *name, size_t len)
{
	char target[PATH_MAX];
	const char *last;
	ssize_t n;

	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	last = strrchr(target, '/');
	last = last != NULL ? last + 1 : target;
	if (strlen(last) >= len)
		return -ENAMETOOLONG;
	memcpy(name, last, strlen(last) + 1);
	return 0;
}

static void get_driver(const char *bdf, char *driver, size_t len)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI "/devices/%s/driver", bdf);
	/* Stays empty when there is no link: the function has no driver. */
	driver[0] = '\0';
	(void)read_link_name(path, driver, len);
}

bool pci_driver_is(const char *bdf, const char *driver)
{
	char now[64];

	get_driver(bdf, now, sizeof(now));
	return strcmp(now, driver) == 0;
}

static void touch(const char *bdf)
{
	size_t i;

	for (i = 0; i < nr_touched; i++)
		if (strcmp(touched[i].bdf, bdf) == 0)
			return;
	if (nr_touched == MAX_TOUCHED)
		die("more than %d devices touched", MAX_TOUCHED);
	snprintf(touched[i].bdf, sizeof(touched[i].bdf), "%s", bdf);
	get_driver(bdf, touched[i].driver, sizeof(touched[i].driver));
	nr_touched++;
}

static int set_driver(const char *bdf, const char *driver)
{
	char path[PATH_MAX], now[64];
	int ret;

	get_driver(bdf, now, sizeof(now));
	if (driver != NULL && strcmp(now, driver) == 0)
		return 0;
	if (now[0] != '\0') {
		snprintf(path, sizeof(path), PCI "/devices/%s/driver/unbind", bdf);
		ret = write_file(path, bdf);
		if (ret < 0)
			return ret;
	}
	snprintf(path, sizeof(path), PCI "/devices/%s/driver_override", bdf);
	ret = write_file(path, driver != NULL ? driver : "\n");
	if (ret < 0 || driver == NULL)
		return ret;
	ret = write_file(PCI "/drivers_probe", bdf);
	if (ret < 0)
		return ret;
	return pci_driver_is(bdf, driver) ? 0 : -ENODEV;
}

void pci_bind(const char *bdf, const char *driver)
{
	int ret;

	touch(bdf);
	ret = set_driver(bdf, driver);
	if (ret < 0)
		die("%s to %s: %s", bdf, driver != NULL ? driver : "no driver", errno_name(-ret));
}

void pci_all_to_vfio(const char *first, ...)
{
	const char *bdf;
	va_list ap;

	va_start(ap, first);
	for (bdf = first; bdf != NULL; bdf = va_arg(ap, const char *))
		pci_bind(bdf, "vfio-pci");
	va_end(ap);
}

void pci_numvfs(const char *bdf, int n)
{
	char path[PATH_MAX], value[16];
	int ret;

	touch(bdf);
	snprintf(path, sizeof(path), PCI "/devices/%s/sriov_numvfs", bdf);
	snprintf(value, sizeof(value), "%d", n);
	ret = write_file(path, value);
	if (ret < 0)
		die("%d VFs on %s: %s", n, bdf, errno_name(-ret));
}

const char *pci_vf(const char *bdf, int n)
{
	char *name = vf_names[bdf == nvme][n];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI "/devices/%s/virtfn%d", bdf, n);
	if (read_link_name(path, name, sizeof(vf_names[0][0])) < 0)
		die("%s has no VF %d", bdf, n);
	return name;
}

int pci_group(const char *bdf)
{
	char path[PATH_MAX], name[32];

	snprintf(path, sizeof(path), PCI "/devices/%s/iommu_group", bdf);
	if (read_link_name(path, name, sizeof(name)) < 0)
		die("%s has no IOMMU group", bdf);
	return atoi(name);
}

/* VFs go with their PF, so PFs are first emptied; a device that is gone needs nothing. */
void pci_restore(void)
{
	char path[PATH_MAX];
	size_t i;
	int fd;

	for (fd = 3; fd < 256; fd++)
		close(fd);
	for (i = 0; i < nr_touched; i++) {
		snprintf(path, sizeof(path), PCI "/devices/%s/sriov_numvfs", touched[i].bdf);
		write_file(path, "0");
	}
	for (i = 0; i < nr_touched; i++) {
		set_driver(touched[i].bdf, NULL);
		if (touched[i].driver[0] != '\0')
			set_driver(touched[i].bdf, touched[i].driver);
		snprintf(path, sizeof(path), PCI "/devices/%s/driver_override", touched[i].bdf);
		write_file(path, "\n");
	}
	nr_touched = 0;
}

static void printable(char *out, size_t len, const char *text)
{
	size_t used = 0;

	for (; *text != '\0' && used + 5 < len; text++) {
		if (*text == '\n' || *text == '\t') {
			out[used++] = '\\';
			out[used++] = *text == '\n' ? 'n' : 't';
		} else if (*text < ' ' || *text > '~') {
			used += (size_t)snprintf(out + used, len - used, "\\x%02x",
						 (unsigned int)(unsigned char)*text);
		} else {
			out[used++] = *text;
		}
	}
	out[used] = '\0';
}

int sysfs_write(const char *value, const char *file_fmt, ...)
{
	char file[512], path[PATH_MAX], shown[256];
	va_list ap;
	int ret;

	va_start(ap, file_fmt);
	vsnprintf(file, sizeof(file), file_fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), PCI "/%s", file);
	ret = write_file(path, value);
	printable(shown, sizeof(shown), value);
	errno = -ret;
	return say_call(ret < 0 ? -1 : 0, "write %s \"%s\"", file, shown);
}

void sysfs_show(const char *file_fmt, ...)
{
	char file[512], path[PATH_MAX], text[1024], shown[1200];
	va_list ap;
	ssize_t n;
	int fd;

	va_start(ap, file_fmt);
	vsnprintf(file, sizeof(file), file_fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), PCI "/%s", file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		say("read %s = -1 %s", file, errno_name(errno));
		return;
	}
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		say("read %s = -1 %s", file, errno_name(errno));
	} else {
		text[n] = '\0';
		printable(shown, sizeof(shown), text);
		say("read %s = \"%s\"", file, shown);
	}
	close(fd);
}

void sysfs_link(const char *file_fmt, ...)
{
	char file[512], path[PATH_MAX], name[256];
	va_list ap;
	int ret;

	va_start(ap, file_fmt);
	vsnprintf(file, sizeof(file), file_fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), PCI "/%s", file);
	ret = read_link_name(path, name, sizeof(name));
	if (ret < 0)
		say("readlink %s = -1 %s", file, errno_name(-ret));
	else
		say("readlink %s = .../%s", file, name);
}

/* opening */

static void cdev_path(const char *bdf, char *path, size_t len)
{
	char dir_name[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(dir_name, sizeof(dir_name), PCI "/devices/%s/vfio-dev", bdf);
	dir = opendir(dir_name);
	if (dir == NULL)
		die("%s has no vfio-dev: %s", bdf, errno_name(errno));
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, "vfio", 4) == 0)
			break;
	if (entry == NULL)
		die("%s has an empty vfio-dev", bdf);
	snprintf(path, len, "/dev/vfio/devices/%s", entry->d_name);
	closedir(dir);
}

int open_container(void)
{
	return say_fd(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "open(/dev/vfio/vfio)");
}

int open_iommufd(void)
{
	return say_fd(open("/dev/iommu", O_RDWR | O_CLOEXEC), "open(/dev/iommu)");
}

int open_group(const char *bdf)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_group(bdf));
	return say_fd(open(path, O_RDWR | O_CLOEXEC), "open(/dev/vfio/{group of %s})", bdf);
}

int open_cdev(const char *bdf)
{
	char path[PATH_MAX];

	cdev_path(bdf, path, sizeof(path));
	return say_fd(open(path, O_RDWR | O_CLOEXEC), "open(/dev/vfio/devices/{%s})", bdf);
}

int group_get_device(int group, const char *match)
{
	char shown[512];
	int fd;

	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, match);
	printable(shown, sizeof(shown), match);
	return say_fd(fd, "ioctl(group, VFIO_GROUP_GET_DEVICE_FD, \"%s\")", shown);
}

int must_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("open %s: %s", path, errno_name(errno));
	return fd;
}

int must_open_group(const char *bdf)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", pci_group(bdf));
	return must_open(path);
}

int must_open_cdev(const char *bdf)
{
	char path[PATH_MAX];

	cdev_path(bdf, path, sizeof(path));
	return must_open(path);
}

void vfio_user_open(struct vfio_user *u, const char *bdf, uint32_t iommu_type)
{
	u->container = must_open("/dev/vfio/vfio");
	u->group = must_open_group(bdf);
	if (ioctl(u->group, VFIO_GROUP_SET_CONTAINER, &u->container) < 0)
		die("SET_CONTAINER of %s: %s", bdf, errno_name(errno));
	if (ioctl(u->container, VFIO_SET_IOMMU, (unsigned long)iommu_type) < 0)
		die("SET_IOMMU: %s", errno_name(errno));
	u->device = ioctl(u->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (u->device < 0)
		die("GET_DEVICE_FD of %s: %s", bdf, errno_name(errno));
}

void vfio_user_close(struct vfio_user *u)
{
	close(u->device);
	close(u->group);
	close(u->container);
}

uint32_t must_ioas(int iommufd)
{
	struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc) < 0)
		die("IOAS_ALLOC: %s", errno_name(errno));
	return alloc.out_ioas_id;
}

void must_bind(int cdev, int iommufd)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};

	if (ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
		die("BIND_IOMMUFD: %s", errno_name(errno));
}

void *pages(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("%zu bytes of memory: %s", n, errno_name(errno));
	memset(p, 0x5a, n);
	return p;
}

int eventfd_taken(int fd)
{
	uint64_t count;
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return read(fd, &count, sizeof(count)) == sizeof(count);
}
