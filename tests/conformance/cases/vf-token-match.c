/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VF tokens given in the match string of GROUP_GET_DEVICE_FD: every row of {PF's driver vfio-pci,
 * another, no PF at all; VFs open or not; token not given, right, wrong}.
 *
 * A VF of a vfio-pci PF needs the PF's token: EACCES without it or with another. The token of a PF
 * is random until an opener of the PF gives one while no VF is open; while one is, the PF's opener
 * must know it. A token for a function that is no PF or VF, or a VF whose PF is not on vfio-pci,
 * is EINVAL.
 */
#include "lib.h"

#define TOKEN_A "01234567-89ab-cdef-0123-456789abcdef"
#define TOKEN_B "11111111-2222-4333-8444-555555555555"

static const char *vf;

/* Opens bdf with a container of its own; u->device is -1 when it was refused. */
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

static void done(struct vfio_user *u)
{
	if (u->device >= 0)
		close(u->device);
	close(u->group);
	close(u->container);
}

static void attempt(const char *bdf, const char *token)
{
	struct vfio_user u;

	try_open(&u, bdf, token);
	done(&u);
}

static void attempts(const char *bdf)
{
	attempt(bdf, NULL);
	attempt(bdf, TOKEN_A);
	attempt(bdf, TOKEN_B);
}

static void vfio_pf(void)
{
	struct vfio_user pf_user, vf_user, second;

	section("PF on vfio-pci, never opened: its token is random");
	attempts(vf);

	section("PF opened without token: still random");
	try_open(&pf_user, pf, NULL);
	attempts(vf);
	done(&pf_user);

	section("PF opened with a token: it is the token from now on");
	try_open(&pf_user, pf, TOKEN_A);
	attempts(vf);
	note("the token outlives the PF's file");
	done(&pf_user);
	attempts(vf);

	section("PF reopened with another token while no VF is open: the new one counts");
	try_open(&pf_user, pf, TOKEN_B);
	attempts(vf);
	section("PF reopened without token: unchanged");
	done(&pf_user);
	try_open(&pf_user, pf, NULL);
	attempts(vf);

	section("PF reopened while a VF is open: it must know the token");
	try_open(&vf_user, vf, TOKEN_B);
	done(&pf_user);
	attempts(pf);
	note("and so does a second opener of the PF");
	try_open(&pf_user, pf, TOKEN_B);
	second = pf_user;
	second.device = group_get_device(pf_user.group, pf);
	if (second.device >= 0)
		close(second.device);
	note("the VF opened twice through its group");
	second.device = group_get_device(vf_user.group, vf);
	if (second.device >= 0)
		close(second.device);
	done(&vf_user);

	section("the last VF closed: the PF's token can be changed by its opener again");
	done(&pf_user);
	attempt(pf, TOKEN_A);
	attempts(vf);
}

static void other_pf(void)
{
	section("PF on another driver: a VF needs no token and must not be given one");
	attempts(vf);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(pf, edu, NULL);
	pci_numvfs(pf, 2);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	vfio_pf();

	section("neither PF nor VF");
	attempts(edu);

	section("PF without VFs, on vfio-pci: it has a token all the same");
	pci_numvfs(pf, 0);
	attempts(pf);

	pci_bind(pf, "igb");
	pci_numvfs(pf, 2);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	other_pf();
	return 0;
}
