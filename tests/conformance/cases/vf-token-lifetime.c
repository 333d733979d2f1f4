/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a VF token lasts, what sets it, and what counts as a VF in use.
 *
 * The token is looked at, and a PF's set, when a function is asked for, before what else can refuse
 * it. It lasts until the PF is unbound, whatever becomes of its files and its VFs. A VF is in use
 * while any file of it is open that has access, or any mapping of one of its BARs is left.
 */
#include "lib.h"

#include <fcntl.h>
#include <sys/resource.h>

#define A "01234567-89ab-cdef-0123-456789abcdef"
#define B "11111111-2222-4333-8444-555555555555"

static const uint8_t a_bytes[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

static void user_begin(struct vfio_user *u, const char *bdf)
{
	u->container = must_open("/dev/vfio/vfio");
	u->group = must_open_group(bdf);
	u->device = -1;
	if (ioctl(u->group, VFIO_GROUP_SET_CONTAINER, &u->container) < 0 ||
	    ioctl(u->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("container of %s: %s", bdf, errno_name(errno));
}

static int get(int group, const char *bdf, const char *token)
{
	char match[128];

	snprintf(match, sizeof(match), token != NULL ? "%s vf_token=%s" : "%s", bdf, token);
	return group_get_device(group, match);
}

static void user_open(struct vfio_user *u, const char *bdf, const char *token)
{
	user_begin(u, bdf);
	u->device = get(u->group, bdf, token);
}

static void user_end(struct vfio_user *u)
{
	if (u->device >= 0)
		close(u->device);
	close(u->group);
	close(u->container);
}

static void attempt(const char *bdf, const char *token)
{
	struct vfio_user u;

	user_open(&u, bdf, token);
	user_end(&u);
}

static int bind_to(int cdev, int iommufd)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.flags = VFIO_DEVICE_BIND_FLAG_TOKEN,
		.iommufd = iommufd,
		.token_uuid_ptr = (uintptr_t)a_bytes,
	};

	return ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static void refused_later(const char *vf)
{
	int group, cdev = must_open_cdev(pf), null = must_open("/dev/null");
	struct vfio_user u;

	section("the PF asked for with a token, and refused for another reason");
	group = must_open_group(pf);
	note("no container");
	get(group, pf, A);
	attempt(vf, A);
	note("the group is in use: the token is not looked at");
	attempt(vf, B);
	user_begin(&u, vf);
	say_call(bind_to(cdev, null), "BIND_IOMMUFD of <pf>, group open, token A");
	user_end(&u);
	close(group);
	note("malformed");
	user_begin(&u, pf);
	get(u.group, pf, B " x");
	user_end(&u);
	attempt(vf, B);
	note("no iommufd");
	user_open(&u, pf, B);
	user_end(&u);
	attempt(vf, A);
	say_call(bind_to(cdev, null), "BIND_IOMMUFD of <pf>, /dev/null, token A");
	attempt(vf, A);
	close(cdev);
	close(null);
}

/* The descriptor for the device is wanted after the token was looked at. */
static void no_descriptor(const char *vf)
{
	struct rlimit old, none;
	struct vfio_user u;
	int fd;

	section("the PF asked for by who can have no more descriptors");
	user_begin(&u, pf);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = (rlim_t)(fd = dup(u.group));
	close(fd);
	setrlimit(RLIMIT_NOFILE, &none);
	get(u.group, pf, B);
	setrlimit(RLIMIT_NOFILE, &old);
	user_end(&u);
	attempt(vf, A);
	attempt(vf, B);
}

static void in_use(const char *vf)
{
	struct vfio_user u;
	void *bar;
	int cdev, second;

	section("what counts as a VF in use");
	user_begin(&u, vf);
	note("its group file and a container do not");
	attempt(pf, A);
	cdev = must_open_cdev(vf);
	note("nor a cdev that is not bound");
	attempt(pf, A);
	close(cdev);
	u.device = get(u.group, vf, A);
	second = get(u.group, vf, A);
	note("two files of it, one, a copy of that, none");
	attempt(pf, NULL);
	close(second);
	attempt(pf, NULL);
	second = dup(u.device);
	close(u.device);
	attempt(pf, NULL);
	close(second);
	attempt(pf, NULL);
	u.device = get(u.group, vf, A);
	bar = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, u.device, 0);
	say_call(bar == MAP_FAILED ? -1 : 0, "mmap(BAR0 of <vf0>)");
	close(u.device);
	note("the mapping alone, and not even that");
	attempt(pf, NULL);
	munmap(bar, PAGE);
	attempt(pf, NULL);
	u.device = -1;
	user_end(&u);
}

static void by_cdev(const char *vf)
{
	int iommufd = must_open("/dev/iommu"), cdev;

	section("a VF in use through its cdev");
	attempt(pf, A);
	cdev = must_open_cdev(vf);
	say_call(bind_to(cdev, iommufd), "BIND_IOMMUFD of <vf0>, token A");
	attempt(pf, NULL);
	attempt(pf, B);
	attempt(pf, A);
	close(cdev);
	attempt(pf, NULL);
	close(iommufd);
}

static void held(const char *vf, const char *other)
{
	struct vfio_user pf_user, vf_user;

	section("a VF held while the PF's files come and go");
	user_open(&pf_user, pf, A);
	user_open(&vf_user, vf, A);
	close(pf_user.device);
	note("only the PF's group is open");
	attempt(other, A);
	attempt(other, B);
	pf_user.device = -1;
	user_end(&pf_user);
	note("nothing of the PF is open");
	attempt(other, A);
	attempt(other, B);
	attempt(pf, B);
	attempt(other, A);
	IOCTL(vf_user.device, VFIO_DEVICE_RESET, 0);
	user_end(&vf_user);
}

int main(void)
{
	const char *vf0, *vf1, *other;

	case_begin();
	pci_all_to_vfio(pf, nvme, NULL);
	pci_numvfs(pf, 2);
	vf0 = pci_vf(pf, 0);
	vf1 = pci_vf(pf, 1);
	pci_all_to_vfio(vf0, vf1, NULL);

	refused_later(vf0);
	no_descriptor(vf0);
	attempt(pf, A);
	in_use(vf0);
	by_cdev(vf0);
	held(vf0, vf1);

	section("each PF has a token of its own");
	pci_numvfs(nvme, 1);
	other = pci_vf(nvme, 0);
	pci_bind(other, "vfio-pci");
	attempt(pf, A);
	attempt(nvme, B);
	attempt(vf0, B);
	attempt(other, A);
	attempt(vf0, A);
	attempt(other, B);

	section("numvfs: the token stays");
	pci_numvfs(pf, 0);
	pci_numvfs(pf, 1);
	attempt(pci_vf(pf, 0), NULL);
	attempt(pci_vf(pf, 0), B);
	attempt(pci_vf(pf, 0), A);
	pci_numvfs(pf, 0);
	note("set while there are no VFs");
	attempt(pf, B);
	pci_numvfs(pf, 2);
	attempt(pci_vf(pf, 1), A);
	attempt(pci_vf(pf, 1), B);

	section("a VF bound anew: the PF's token is still the one");
	pci_bind(vf1, NULL);
	pci_bind(vf1, "vfio-pci");
	attempt(vf1, A);
	attempt(vf1, B);

	section("the PF bound anew: nobody knows its token");
	pci_bind(pf, NULL);
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 1);
	attempt(pci_vf(pf, 0), NULL);
	attempt(pci_vf(pf, 0), A);
	attempt(pci_vf(pf, 0), B);
	return 0;
}
