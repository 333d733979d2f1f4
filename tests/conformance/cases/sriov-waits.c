/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function in use holds up its removal: writing 0 to sriov_numvfs, or unbinding, asks the user
 * through the request eventfd and waits until the last file of the device is closed. Nothing here
 * depends on time: the request says that the writer has begun, and it cannot end before the file
 * is closed.
 */
#include "lib.h"

static void close_from_3(void)
{
	int fd;

	for (fd = 3; fd < 256; fd++)
		close(fd);
}

/* A process of its own writes value to file; its exit status is the errno. */
static pid_t writer(const char *file, const char *value)
{
	pid_t pid = fork();
	ssize_t n;
	int fd;

	if (pid != 0)
		return pid;
	close_from_3();
	fd = open(file, O_WRONLY);
	if (fd < 0)
		_exit(errno);
	n = write(fd, value, strlen(value));
	_exit(n < 0 ? errno : 0);
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
	uint64_t count;

	if (read(event, &count, sizeof(count)) != sizeof(count))
		die("request eventfd: %s", errno_name(errno));
	say("asked to give the device back");
}

static void still_waits(pid_t pid)
{
	int status;

	say("the writer %s", waitpid(pid, &status, WNOHANG) == 0 ? "waits" : "has ended");
}

static void ended(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	say("the writer has ended: %s",
	    WEXITSTATUS(status) == 0 ? "ok" : errno_name(WEXITSTATUS(status)));
}

static void use(struct vfio_user *u)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_group_status status = {.argsz = sizeof(status)};
	uint32_t id;

	note("what works meanwhile:");
	IOCTL(u->device, VFIO_DEVICE_GET_INFO, &info);
	say_call(pread(u->device, &id, 4, (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40),
		 "pread config");
	say_call(pread(u->device, &id, 4, 0), "pread BAR0");
	IOCTL(u->device, VFIO_DEVICE_RESET, 0);
	IOCTL(u->group, VFIO_GROUP_GET_STATUS, &status);
	IOCTL(u->container, VFIO_GET_API_VERSION, 0);
}

static void after(struct vfio_user *u, const char *bdf)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	note("the group file is still open");
	IOCTL(u->group, VFIO_GROUP_GET_STATUS, &status);
	group_get_device(u->group, bdf);
	IOCTL(u->group, VFIO_GROUP_UNSET_CONTAINER, 0);
	CLOSE(u->group);
	CLOSE(u->container);
}

static void unbind_vf(void)
{
	struct vfio_user u;
	const char *vf;
	pid_t pid;
	int event;

	section("unbind while a VF is open");
	pci_bind(pf, "igb");
	pci_numvfs(pf, 2);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	vfio_user_open(&u, vf, VFIO_TYPE1v2_IOMMU);
	event = request_eventfd(u.device);
	pid = writer("/sys/bus/pci/drivers/vfio-pci/unbind", vf);
	wait_for_request(event);
	still_waits(pid);
	use(&u);
	CLOSE(u.device);
	ended(pid);
	sysfs_link("devices/%s/driver", vf);
	after(&u, vf);
	pci_numvfs(pf, 0);
	close(event);
}

/* A PF on vfio-pci and an open VF, which needs a token. */
static void remove_vfs(void)
{
	struct vfio_user pf_user, u;
	char path[128], match[128];
	const char *vf;
	pid_t pid;
	int event, second;

	section("numvfs=0 while a VF is open");
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 2);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");

	pf_user.container = must_open("/dev/vfio/vfio");
	pf_user.group = must_open_group(pf);
	u.container = must_open("/dev/vfio/vfio");
	u.group = must_open_group(vf);
	if (ioctl(pf_user.group, VFIO_GROUP_SET_CONTAINER, &pf_user.container) < 0 ||
	    ioctl(pf_user.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0 ||
	    ioctl(u.group, VFIO_GROUP_SET_CONTAINER, &u.container) < 0 ||
	    ioctl(u.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("containers: %s", errno_name(errno));
	snprintf(match, sizeof(match), "%s vf_token=01234567-89ab-cdef-0123-456789abcdef", pf);
	pf_user.device = group_get_device(pf_user.group, match);
	snprintf(match, sizeof(match), "%s vf_token=01234567-89ab-cdef-0123-456789abcdef", vf);
	u.device = group_get_device(u.group, match);
	event = request_eventfd(u.device);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", pf);
	pid = writer(path, "0");
	wait_for_request(event);
	still_waits(pid);
	IOCTL(pf_user.device, VFIO_DEVICE_RESET, 0);
	second = dup(u.device);
	CLOSE(u.device);
	note("a copy of the file counts");
	still_waits(pid);
	CLOSE(second);
	ended(pid);
	sysfs_link("devices/%s/virtfn0", pf);
	sysfs_show("devices/%s/sriov_numvfs", pf);
	IOCTL(pf_user.device, VFIO_DEVICE_RESET, 0);
	after(&u, vf);
	vfio_user_close(&pf_user);
	close(event);
}

static void unbind_bound_cdev(void)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	int iommufd = must_open("/dev/iommu"), cdev = must_open_cdev(edu), unused, event;
	pid_t pid;

	bind.iommufd = iommufd;

	section("unbind while a cdev is bound, and another file is only open");
	unused = must_open_cdev(edu);
	must_bind(cdev, iommufd);
	event = request_eventfd(cdev);
	pid = writer("/sys/bus/pci/drivers/vfio-pci/unbind", edu);
	wait_for_request(event);
	still_waits(pid);
	IOCTL(cdev, VFIO_DEVICE_GET_INFO, &info);
	CLOSE(cdev);
	note("a file that was never bound counts, too, and can even be bound now");
	still_waits(pid);
	IOCTL(unused, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	IOCTL(unused, VFIO_DEVICE_GET_INFO, &info);
	still_waits(pid);
	CLOSE(unused);
	ended(pid);
	CLOSE(iommufd);
	sysfs_link("devices/%s/driver", edu);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, NULL);
	unbind_vf();
	remove_vfs();
	unbind_bound_cdev();
	return 0;
}
