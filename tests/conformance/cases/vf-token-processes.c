/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two processes: one owns the PF and sets the token, another uses the VF. When the PF's owner is
 * killed the VF's user goes on, the token stays, and the next owner of the PF must know it as long
 * as the VF is in use.
 */
#include "lib.h"

#include <signal.h>

#define TOKEN "01234567-89ab-cdef-0123-456789abcdef"
#define WRONG "11111111-2222-4333-8444-555555555555"

static void try_open(struct vfio_user *u, const char *bdf, const char *token)
{
	char match[128];

	u->container = must_open("/dev/vfio/vfio");
	u->group = must_open_group(bdf);
	if (ioctl(u->group, VFIO_GROUP_SET_CONTAINER, &u->container) < 0 ||
	    ioctl(u->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("container of %s: %s", bdf, errno_name(errno));
	snprintf(match, sizeof(match), token != NULL ? "%s vf_token=%s" : "%s", bdf, token);
	u->device = group_get_device(u->group, match);
}

static void attempt(const char *bdf, const char *token)
{
	struct vfio_user u;

	try_open(&u, bdf, token);
	if (u.device >= 0)
		close(u.device);
	close(u.group);
	close(u.container);
}

/* Opens the PF, says so by a byte, and stays until it is killed. */
static pid_t pf_owner(int tell)
{
	struct vfio_user u;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	try_open(&u, pf, TOKEN);
	if (write(tell, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

int main(void)
{
	struct vfio_user vf_user;
	const char *vf0, *vf1;
	int ready[2], status;
	pid_t owner;
	char byte;

	case_begin();
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 2);
	vf0 = pci_vf(pf, 0);
	vf1 = pci_vf(pf, 1);
	pci_all_to_vfio(vf0, vf1, NULL);
	if (pipe2(ready, O_CLOEXEC) < 0)
		die("pipe");

	section("another process owns the PF");
	owner = pf_owner(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("the PF's owner said nothing");
	open_group(pf);
	attempt(vf0, NULL);
	attempt(vf0, WRONG);
	try_open(&vf_user, vf0, TOKEN);

	section("the PF's owner is killed");
	kill(owner, SIGKILL);
	waitpid(owner, &status, 0);
	IOCTL(vf_user.device, VFIO_DEVICE_RESET, 0);
	sysfs_show("devices/%s/sriov_numvfs", pf);
	attempt(vf1, NULL);
	attempt(vf1, WRONG);
	attempt(vf1, TOKEN);
	attempt(pf, NULL);
	attempt(pf, WRONG);
	attempt(pf, TOKEN);

	section("the VF's user goes, too");
	vfio_user_close(&vf_user);
	attempt(pf, NULL);
	attempt(vf0, TOKEN);
	attempt(pf, WRONG);
	attempt(vf0, TOKEN);
	attempt(vf0, WRONG);

	section("VFs made anew: the PF's token stays");
	pci_numvfs(pf, 0);
	pci_numvfs(pf, 1);
	attempt(pci_vf(pf, 0), WRONG);
	note("PF bound anew: another random one");
	pci_bind(pf, NULL);
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 1);
	attempt(pci_vf(pf, 0), WRONG);
	return 0;
}
