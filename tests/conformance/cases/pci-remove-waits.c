/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Functions in use that are removed: who is asked for them and in which order, what a signal to
 * the one who waits does, several who wait at once, and what can be had meanwhile. Nothing depends
 * on time: the request says that the writer waits, and a writer that waits for a lock is asleep.
 */
#include "lib.h"

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>

#define TOKEN "01234567-89ab-cdef-0123-456789abcdef"

static void close_others(int keep)
{
	int fd;

	for (fd = 3; fd < 256; fd++)
		if (fd != keep)
			close(fd);
}

/* A process of its own writes value to file; its exit status is the errno. */
static pid_t writer(const char *value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static pid_t writer(const char *value, const char *fmt, ...)
{
	char file[128], path[192];
	pid_t pid;
	va_list ap;
	ssize_t n;
	int fd;

	va_start(ap, fmt);
	vsnprintf(file, sizeof(file), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "/sys/bus/pci/%s", file);
	say("in a process: write %s \"%s\"", file, value);
	pid = fork();
	if (pid != 0)
		return pid;
	close_others(-1);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		_exit(errno);
	n = write(fd, value, strlen(value));
	_exit(n < 0 ? errno : 0);
}

/* The same for a reader, of which only whether it waits is of interest. */
static pid_t reader(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static pid_t reader(const char *fmt, ...)
{
	char file[128], path[192], buf[64];
	pid_t pid;
	va_list ap;
	int fd;

	va_start(ap, fmt);
	vsnprintf(file, sizeof(file), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "/sys/bus/pci/%s", file);
	say("in a process: read %s", file);
	pid = fork();
	if (pid != 0)
		return pid;
	close_others(-1);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		_exit(errno);
	_exit(read(fd, buf, sizeof(buf)) < 0 ? errno : 0);
}

/* Its system call: 1 is write, 0 is read; -1 none, because it runs or has ended. */
static int system_call(pid_t pid)
{
	char path[64];
	FILE *f;
	int nr = -1;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "r");
	if (!f)
		return -1;
	if (fscanf(f, "%d", &nr) != 1)
		nr = -1;
	fclose(f);
	return nr;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
	return info.si_pid != 0;
}

/* Until it is asleep in that call; only for one that must sleep there. */
static void wait_asleep(pid_t pid, int nr)
{
	while (system_call(pid) != nr && !has_ended(pid))
		sched_yield();
}

static int request_eventfd(int device)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} arg = {.set = {.argsz = sizeof(arg),
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			 .index = VFIO_PCI_REQ_IRQ_INDEX,
			 .count = 1}};

	arg.fd = eventfd(0, EFD_CLOEXEC);
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, &arg) < 0)
		die("request eventfd: %s", errno_name(errno));
	return arg.fd;
}

static void wait_for_request(int event)
{
	struct pollfd p = {.fd = event, .events = POLLIN};
	uint64_t count;

	if (poll(&p, 1, -1) != 1 || read(event, &count, sizeof(count)) != sizeof(count))
		die("request eventfd: %s", errno_name(errno));
	say("asked to give the device back");
}

static void asked(const char *who, int event)
{
	say("%s: %s", who, eventfd_taken(event) ? "asked" : "not asked");
}

static void still_waits(const char *who, pid_t pid)
{
	say("%s %s", who, has_ended(pid) ? "has ended" : "waits");
}

static void ended(const char *who, pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (WIFSIGNALED(status))
		say("%s has ended: signal %d", who, WTERMSIG(status));
	else
		say("%s has ended: %s", who,
		    WEXITSTATUS(status) == 0 ? "ok" : errno_name(WEXITSTATUS(status)));
}

static void is_there(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void is_there(const char *fmt, ...)
{
	char file[256], path[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(file, sizeof(file), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "/sys/bus/pci/%s", file);
	say("%s: %s", file, access(path, F_OK) == 0 ? "there" : errno_name(errno));
}

static void device_calls(int device)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_region_info region = {.argsz = sizeof(region)};
	uint32_t id;

	IOCTL(device, VFIO_DEVICE_GET_INFO, &info);
	IOCTL(device, VFIO_DEVICE_GET_REGION_INFO, &region);
	say_call(pread(device, &id, 4, (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40), "pread config");
	say_call(pread(device, &id, 4, 0), "pread BAR0");
	IOCTL(device, VFIO_DEVICE_RESET, 0);
}

/* What is there of a function whose removal waits for its user. */
static void meanwhile(void)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	struct vfio_user u;
	char group[32];
	int event, fd, cdev;
	pid_t pid;

	section("what there is while a removal waits");
	pci_all_to_vfio(edu, NULL);
	cdev = must_open_cdev(edu);
	close(cdev);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	event = request_eventfd(u.device);
	snprintf(group, sizeof(group), "/dev/vfio/%d", pci_group(edu));
	pid = writer("1", "devices/%s/remove", edu);
	wait_for_request(event);
	still_waits("the writer", pid);
	is_there("devices/%s", edu);
	is_there("devices/%s/remove", edu);
	is_there("devices/%s/rescan", edu);
	is_there("devices/%s/vfio-dev", edu);
	is_there("devices/%s/iommu_group", edu);
	is_there("drivers/vfio-pci/%s", edu);
	sysfs_link("devices/%s/driver", edu);
	sysfs_show("devices/%s/driver_override", edu);
	sysfs_show("devices/%s/vendor", edu);
	sysfs_show("devices/%s/enable", edu);
	sysfs_write("1", "devices/%s/remove", edu);
	sysfs_write("vfio-pci", "devices/%s/driver_override", edu);
	say("the group in /dev: %s", access(group, F_OK) == 0 ? "there" : errno_name(errno));
	fd = open(group, O_RDWR);
	say_fd(fd, "open group");
	group_get_device(u.group, edu);
	IOCTL(u.group, VFIO_GROUP_GET_STATUS, &status);
	say("flags 0x%x", status.flags);
	device_calls(u.device);
	still_waits("the writer", pid);
	CLOSE(u.device);
	ended("the writer", pid);
	is_there("devices/%s", edu);
	IOCTL(u.group, VFIO_GROUP_GET_STATUS, &status);
	group_get_device(u.group, edu);
	IOCTL(u.group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(u.group);
	IOCTL(u.container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU);
	CLOSE(u.container);
	close(event);
	sysfs_write("1", "rescan");
	is_there("devices/%s", edu);
	sysfs_link("devices/%s/driver", edu);
}

/* A signal does not end the wait, but makes it one that no other signal reaches. */
static void signals(void)
{
	static const int sent[] = {SIGTERM, SIGKILL};
	struct vfio_user u;
	size_t i;
	int event;
	pid_t pid;

	section("a signal to who waits");
	for (i = 0; i < ARRAY_SIZE(sent); i++) {
		pci_all_to_vfio(edu, NULL);
		vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
		event = request_eventfd(u.device);
		pid = writer("1", "devices/%s/remove", edu);
		wait_for_request(event);
		kill(pid, sent[i]);
		note("signal %d; a second request comes at once", sent[i]);
		wait_for_request(event);
		still_waits("the writer", pid);
		kill(pid, SIGKILL);
		still_waits("the writer", pid);
		CLOSE(u.device);
		ended("the writer", pid);
		is_there("devices/%s", edu);
		close(u.group);
		close(u.container);
		close(event);
		sysfs_write("1", "rescan");
	}
}

/* A mapping of a BAR is a use of the device, and so is a process that has inherited the file. */
static void mapped(void)
{
	struct vfio_user u;
	int event, pipe_fds[2];
	pid_t pid, heir;
	void *bar;
	char c;

	section("other uses than by the file that was opened");
	pci_all_to_vfio(edu, NULL);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	event = request_eventfd(u.device);
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, u.device, 0);
	if (bar == MAP_FAILED)
		die("mmap: %s", errno_name(errno));
	/* Or the writer would wait for itself. */
	if (madvise(bar, PAGE, MADV_DONTFORK) < 0)
		die("madvise: %s", errno_name(errno));
	pid = writer("1", "devices/%s/remove", edu);
	wait_for_request(event);
	CLOSE(u.device);
	note("mapped still:");
	still_waits("the writer", pid);
	is_there("devices/%s", edu);
	say_call(munmap(bar, PAGE), "munmap");
	ended("the writer", pid);
	is_there("devices/%s", edu);
	close(u.group);
	close(u.container);
	close(event);
	sysfs_write("1", "rescan");

	pci_all_to_vfio(edu, NULL);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	event = request_eventfd(u.device);
	if (pipe(pipe_fds) < 0)
		die("pipe");
	heir = fork();
	if (heir == 0) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &c, 1) < 0);
	}
	close(pipe_fds[0]);
	pid = writer(edu, "drivers/vfio-pci/unbind");
	wait_for_request(event);
	CLOSE(u.device);
	close(u.group);
	close(u.container);
	note("open in another process still:");
	still_waits("the writer", pid);
	close(pipe_fds[1]);
	ended("the heir", heir);
	ended("the writer", pid);
	close(event);
}

/* Each waits for what another one holds. */
static void several(void)
{
	pid_t unbind, unbind2, remove, rescan, probe;
	struct vfio_user u;
	int event;

	section("several who wait");
	pci_all_to_vfio(edu, NULL);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	event = request_eventfd(u.device);
	unbind = writer(edu, "drivers/vfio-pci/unbind");
	wait_for_request(event);
	unbind2 = writer(edu, "drivers/vfio-pci/unbind");
	wait_asleep(unbind2, 1);
	remove = writer("1", "devices/%s/remove", edu);
	wait_asleep(remove, 1);
	rescan = writer("1", "rescan");
	wait_asleep(rescan, 1);
	note("bound to its driver still, so there is nothing to probe:");
	probe = writer(edu, "drivers_probe");
	ended("probe", probe);
	still_waits("unbind", unbind);
	still_waits("second unbind", unbind2);
	still_waits("remove", remove);
	still_waits("rescan", rescan);
	asked("the user", event);
	CLOSE(u.device);
	ended("unbind", unbind);
	ended("second unbind", unbind2);
	ended("remove", remove);
	ended("rescan", rescan);
	is_there("devices/%s", edu);
	sysfs_link("devices/%s/driver", edu);
	close(u.group);
	close(u.container);
	close(event);
}

/* A user with its own container, or with the container of another. */
static void open_device(struct vfio_user *u, const char *bdf, const char *match, int *event)
{
	u->container = must_open("/dev/vfio/vfio");
	u->group = must_open_group(bdf);
	if (ioctl(u->group, VFIO_GROUP_SET_CONTAINER, &u->container) < 0 ||
	    ioctl(u->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("container: %s", errno_name(errno));
	u->device = ioctl(u->group, VFIO_GROUP_GET_DEVICE_FD, match);
	if (u->device < 0)
		die("device %s: %s", match, errno_name(errno));
	*event = request_eventfd(u->device);
}

static void with_token(char *match, size_t len, const char *bdf)
{
	snprintf(match, len, "%s vf_token=" TOKEN, bdf);
}

/* What numvfs=0 holds, and who waits for it. */
static void numvfs(void)
{
	char match[64];
	pid_t zero, one, show, other, rescan, vf_unbind;
	struct vfio_user u[2];
	const char *vf[2];
	int event[2], i;

	section("numvfs=0 while two VFs are open");
	pci_bind(nvme, "vfio-pci");
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 3);
	{
		int file = must_open_cdev(pf), iommufd = must_open("/dev/iommu");
		struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
		uint8_t uuid[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)uuid;
		if (ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
			die("token: %s", errno_name(errno));
		close(file);
		close(iommufd);
	}
	for (i = 0; i < 2; i++) {
		vf[i] = pci_vf(pf, i);
		with_token(match, sizeof(match), vf[i]);
		open_device(&u[i], vf[i], match, &event[i]);
	}
	pci_vf(pf, 2);
	vf_unbind = writer(vf[1], "drivers/vfio-pci/unbind");
	wait_for_request(event[1]);
	zero = writer("0", "devices/%s/sriov_numvfs", pf);
	wait_for_request(event[0]);
	is_there("devices/%s/virtfn0", pf);
	is_there("devices/%s/virtfn1", pf);
	is_there("devices/%s/virtfn2", pf);
	is_there("devices/%s/physfn", vf[0]);
	is_there("devices/%s/physfn", vf[1]);
	one = writer("1", "devices/%s/sriov_numvfs", pf);
	wait_asleep(one, 1);
	show = reader("devices/%s/sriov_numvfs", pf);
	wait_asleep(show, 0);
	note("PFs do not disturb each other, but for a lock of all");
	other = writer("2", "devices/%s/sriov_numvfs", nvme);
	wait_asleep(other, 1);
	rescan = writer("1", "rescan");
	wait_asleep(rescan, 1);
	still_waits("0", zero);
	still_waits("1", one);
	still_waits("show", show);
	still_waits("2 of another PF", other);
	still_waits("rescan", rescan);
	asked("user of VF 1, again", event[1]);
	note("first the user of VF 0 closes:");
	CLOSE(u[0].device);
	close(u[0].group);
	still_waits("unbind of VF 1", vf_unbind);
	CLOSE(u[1].device);
	ended("unbind of VF 1", vf_unbind);
	ended("0", zero);
	ended("1", one);
	ended("show", show);
	ended("2 of another PF", other);
	ended("rescan", rescan);
	sysfs_show("devices/%s/sriov_numvfs", pf);
	sysfs_show("devices/%s/sriov_numvfs", nvme);
	for (i = 0; i < 2; i++) {
		if (i)
			close(u[i].group);
		close(u[i].container);
		close(event[i]);
	}
	pci_numvfs(nvme, 0);
	pci_numvfs(pf, 0);
}

/* A PF goes after its VFs, and is asked for after them. */
static void pf_goes(const char *how, const char *value, const char *file)
{
	struct vfio_user u, pf_user;
	char match[64], path[128];
	int event, pf_event;
	const char *vf;
	pid_t pid;

	section("%s of a PF, with a VF and the PF open", how);
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 2);
	with_token(match, sizeof(match), pf);
	open_device(&pf_user, pf, match, &pf_event);
	vf = pci_vf(pf, 1);
	with_token(match, sizeof(match), vf);
	open_device(&u, vf, match, &event);
	snprintf(path, sizeof(path), file, pf);
	pid = writer(value, "%s", path);
	wait_for_request(event);
	asked("user of the PF", pf_event);
	is_there("devices/%s/vfio-dev", pf);
	is_there("devices/%s/virtfn0", pf);
	is_there("devices/%s/virtfn1", pf);
	sysfs_link("devices/%s/driver", pf);
	note("the PF's user meanwhile:");
	device_calls(pf_user.device);
	CLOSE(u.device);
	wait_for_request(pf_event);
	is_there("devices/%s/vfio-dev", pf);
	is_there("devices/%s", vf);
	CLOSE(pf_user.device);
	ended("the writer", pid);
	is_there("devices/%s", pf);
	close(event);
	close(pf_event);
	close(u.group);
	close(u.container);
	close(pf_user.group);
	close(pf_user.container);
	sysfs_write("1", "rescan");
	is_there("devices/%s", pf);
	sysfs_show("devices/%s/sriov_numvfs", pf);
	sysfs_show("devices/%s/sriov_drivers_autoprobe", pf);
	sysfs_show("devices/%s/driver_override", pf);
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 1);
	is_there("devices/%s", vf);
	is_there("devices/%s", pci_vf(pf, 0));
	pci_numvfs(pf, 0);
}

/* What is behind a port goes in the opposite order of its coming; a neighbour in the group stays owned meanwhile. */
static void neighbours(void)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	char folder[PATH_MAX], port[16], path[128];
	struct vfio_user u;
	int event, event1, device1;
	pid_t pid;

	section("two functions of a group, both open");
	pci_bind(multi0, "vfio-pci");
	pci_bind(multi1, "vfio-pci");
	vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
	event = request_eventfd(u.device);
	device1 = group_get_device(u.group, multi1);
	event1 = request_eventfd(device1);
	pid = writer("1", "devices/%s/remove", multi0);
	wait_for_request(event);
	asked("user of the other", event1);
	IOCTL(u.group, VFIO_GROUP_GET_STATUS, &status);
	say("flags 0x%x", status.flags);
	CLOSE(u.device);
	ended("the writer", pid);
	IOCTL(u.group, VFIO_GROUP_GET_STATUS, &status);
	say("flags 0x%x", status.flags);
	device_calls(device1);
	note("found again, in a group that has a user, so that its driver may not have it");
	sysfs_write("1", "rescan");
	is_there("devices/%s", multi0);
	say("in the group: %s", pci_group(multi0) == pci_group(multi1) ? "yes" : "no");
	sysfs_link("devices/%s/driver", multi0);
	sysfs_write(multi0, "drivers/e1000e/bind");
	IOCTL(u.group, VFIO_GROUP_GET_STATUS, &status);
	say("flags 0x%x", status.flags);
	sysfs_write("vfio-pci", "devices/%s/driver_override", multi0);
	sysfs_write(multi0, "drivers/vfio-pci/bind");
	u.device = group_get_device(u.group, multi0);
	event = request_eventfd(u.device);

	note("their port:");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/..", multi0);
	if (!realpath(path, folder))
		die("%s", path);
	snprintf(port, sizeof(port), "%s", strrchr(folder, '/') + 1);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", port);
	pid = fork();
	if (pid == 0) {
		int fd;

		close_others(-1);
		fd = open(path, O_WRONLY);
		_exit(fd < 0 || write(fd, "1", 1) < 0 ? errno : 0);
	}
	note("the one found last goes first:");
	wait_for_request(event);
	asked("user of the other", event1);
	CLOSE(u.device);
	wait_for_request(event1);
	is_there("devices/%s", multi0);
	sysfs_link("devices/%s/driver", multi0);
	CLOSE(device1);
	ended("the writer", pid);
	is_there("devices/%s", multi0);
	is_there("devices/%s", multi1);
	IOCTL(u.group, VFIO_GROUP_GET_STATUS, &status);
	close(u.group);
	close(u.container);
	sysfs_write("1", "rescan");
	is_there("devices/%s", multi0);
	is_there("devices/%s", multi1);
}

/* A VF goes with the number of VFs only. */
static void one_vf(void)
{
	const char *vf;

	section("a VF by itself");
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 2);
	vf = pci_vf(pf, 1);
	is_there("devices/%s/remove", vf);
	is_there("devices/%s/rescan", vf);
	sysfs_write("1", "devices/%s/remove", vf);
	sysfs_write("1", "rescan");
	is_there("devices/%s", vf);
}

int main(void)
{
	case_begin();
	meanwhile();
	signals();
	mapped();
	several();
	numvfs();
	pf_goes("unbind", pf, "drivers/vfio-pci/unbind");
	pf_goes("removal", "1", "devices/%s/remove");
	neighbours();
	one_vf();
	return 0;
}
