/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_DEVICE_FEATURE_PCI_VF_TOKEN: a PF's owner sets the token at any time, also while VFs are in
 * use. It can be set, never read. A function that is no PF does not have the feature (ENOTTY).
 */
#include "lib.h"

static const uint8_t token_a[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
static const uint8_t token_b[16] = {0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33,
				    0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55};
#define TEXT_A "01234567-89ab-cdef-0123-456789abcdef"
#define TEXT_B "11111111-2222-4333-8444-555555555555"
#define GET    VFIO_DEVICE_FEATURE_GET
#define SET    VFIO_DEVICE_FEATURE_SET
#define PROBE  VFIO_DEVICE_FEATURE_PROBE

union token_feature {
	struct vfio_device_feature head;
	uint8_t bytes[8 + 16 + 16];
};

static void feature(int device, uint32_t flags, uint32_t argsz, const uint8_t *token,
		    const char *what)
{
	union token_feature f = {.head = {.argsz = argsz, .flags = flags}};

	memcpy(f.bytes + 8, token, 16);
	say_call(ioctl(device, VFIO_DEVICE_FEATURE, &f), "FEATURE PCI_VF_TOKEN, %s", what);
}

static void form(int device)
{
	section("form, on the PF");
	feature(device, PROBE, 8, token_a, "PROBE");
	feature(device, PROBE | GET, 8, token_a, "PROBE GET");
	feature(device, PROBE | SET, 8, token_a, "PROBE SET");
	feature(device, PROBE | GET | SET, 8, token_a, "PROBE GET SET");
	feature(device, PROBE | SET, 24, token_a, "PROBE SET, argsz 24");
	feature(device, GET, 24, token_a, "GET");
	feature(device, GET | SET, 24, token_a, "GET SET");
	feature(device, 0, 24, token_a, "no flag");
	feature(device, SET, 7, token_a, "SET, argsz 7");
	feature(device, SET, 8, token_a, "SET, argsz 8");
	feature(device, SET, 23, token_a, "SET, argsz 23");
	feature(device, SET, 40, token_a, "SET, argsz 40");
	feature(device, SET | 1u << 19, 24, token_a, "SET and an unknown flag");
	feature(device, SET, 24, token_a, "SET");
}

static void try_vf(const char *vf)
{
	struct vfio_user u;
	char match[128];
	size_t i;
	const char *const tokens[] = {TEXT_A, TEXT_B};

	u.container = must_open("/dev/vfio/vfio");
	u.group = must_open_group(vf);
	if (ioctl(u.group, VFIO_GROUP_SET_CONTAINER, &u.container) < 0 ||
	    ioctl(u.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("container: %s", errno_name(errno));
	for (i = 0; i < ARRAY_SIZE(tokens); i++) {
		snprintf(match, sizeof(match), "%s vf_token=%s", vf, tokens[i]);
		u.device = group_get_device(u.group, match);
		if (u.device >= 0)
			close(u.device);
	}
	close(u.group);
	close(u.container);
}

int main(void)
{
	struct vfio_user pf_user, vf0_user;
	const char *vf0, *vf1;
	char match[128];

	case_begin();
	pci_all_to_vfio(pf, edu, NULL);
	pci_numvfs(pf, 2);
	vf0 = pci_vf(pf, 0);
	vf1 = pci_vf(pf, 1);
	pci_all_to_vfio(vf0, vf1, NULL);
	vfio_user_open(&pf_user, pf, VFIO_TYPE1v2_IOMMU);

	form(pf_user.device);
	try_vf(vf0);

	section("changed while a VF is in use: the open VF stays, the next needs the new one");
	vf0_user.container = must_open("/dev/vfio/vfio");
	vf0_user.group = must_open_group(vf0);
	if (ioctl(vf0_user.group, VFIO_GROUP_SET_CONTAINER, &vf0_user.container) < 0 ||
	    ioctl(vf0_user.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("container: %s", errno_name(errno));
	snprintf(match, sizeof(match), "%s vf_token=" TEXT_A, vf0);
	vf0_user.device = group_get_device(vf0_user.group, match);
	feature(pf_user.device, SET, 24, token_b, "SET token B");
	try_vf(vf1);
	IOCTL(vf0_user.device, VFIO_DEVICE_RESET, 0);

	section("on a VF");
	feature(vf0_user.device, PROBE | SET, 8, token_a, "PROBE SET");
	feature(vf0_user.device, SET, 24, token_a, "SET");
	vfio_user_close(&vf0_user);
	vfio_user_close(&pf_user);

	section("on a function without SR-IOV");
	vfio_user_open(&pf_user, edu, VFIO_TYPE1v2_IOMMU);
	feature(pf_user.device, PROBE, 8, token_a, "PROBE");
	feature(pf_user.device, PROBE | SET, 8, token_a, "PROBE SET");
	feature(pf_user.device, SET, 24, token_a, "SET");
	vfio_user_close(&pf_user);
	return 0;
}
