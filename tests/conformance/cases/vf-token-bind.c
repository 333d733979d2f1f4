/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VF tokens given to VFIO_DEVICE_BIND_IOMMUFD: the same rows as with the match string. The token
 * is 16 bytes in the byte order of the text. token_uuid_ptr is read only with BIND_FLAG_TOKEN, and
 * the part of it that argsz does not reach is zero.
 */
#include "lib.h"

static const uint8_t token_a[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
static const uint8_t token_b[16] = {0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33,
				    0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55};
#define TOKEN_A_TEXT "01234567-89ab-cdef-0123-456789abcdef"

static const char *vf;
static int iommufd;

/* Binds bdf's cdev with a token or none; gives the cdev back, bound or not. */
static int bind_with(const char *bdf, const uint8_t *token, const char *name)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
	int cdev = must_open_cdev(bdf);

	if (token != NULL) {
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)token;
	}
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "BIND_IOMMUFD of %s, %s", bdf, name);
	return cdev;
}

static void attempts(const char *bdf)
{
	close(bind_with(bdf, NULL, "no token"));
	close(bind_with(bdf, token_a, "token A"));
	close(bind_with(bdf, token_b, "token B"));
}

static void form(void)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
	int cdev = must_open_cdev(vf);
	size_t before_token = offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr);
	uint8_t *memory = pages(2 * PAGE);
	int bound;

	section("form of the call; token A is right");
	bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "token pointer NULL");
	munmap(memory + PAGE, PAGE);
	memcpy(memory + PAGE - 15, token_a, 15);
	bind.token_uuid_ptr = (uintptr_t)memory + PAGE - 15;
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "15 bytes of token, then nothing");
	memcpy(memory, token_a, 16);
	bind.token_uuid_ptr = (uintptr_t)memory;
	bind.argsz = (uint32_t)before_token;
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "flag set, argsz ends before it");
	bind.argsz = (uint32_t)before_token + 4;
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "flag set, argsz cuts the pointer");
	bind.argsz = sizeof(bind);
	bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN | 2;
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "an unknown flag beside it");
	bind.flags = 0;
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "pointer set, flag not");
	bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
	bind.iommufd = -1;
	memcpy(memory, token_b, 16);
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "wrong token and iommufd -1");
	bind.iommufd = must_open("/dev/null");
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "wrong token and /dev/null");
	close(bind.iommufd);
	bind.iommufd = iommufd;
	memcpy(memory, token_a, 16);
	say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "all right, after these");
	close(cdev);

	bound = bind_with(vf, token_a, "token A");
	bind.iommufd = iommufd;
	bind.token_uuid_ptr = (uintptr_t)token_b;
	say_call(ioctl(bound, VFIO_DEVICE_BIND_IOMMUFD, &bind), "bound already, wrong token");
	close(bound);
}

int main(void)
{
	char match[128];
	struct vfio_user u;
	int pf_cdev, vf_cdev;

	case_begin();
	pci_all_to_vfio(pf, edu, NULL);
	pci_numvfs(pf, 2);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	iommufd = must_open("/dev/iommu");

	section("PF on vfio-pci, never opened: its token is random");
	attempts(vf);

	section("PF bound without token");
	pf_cdev = bind_with(pf, NULL, "no token");
	attempts(vf);
	close(pf_cdev);

	section("PF bound with token A");
	pf_cdev = bind_with(pf, token_a, "token A");
	attempts(vf);
	form();

	section("PF bound again while a VF is open");
	vf_cdev = bind_with(vf, token_a, "token A");
	close(pf_cdev);
	attempts(pf);
	close(vf_cdev);

	section("PF bound again, no VF open");
	close(bind_with(pf, token_b, "token B"));
	attempts(vf);

	section("the bytes are those of the text: PF by match string, VF by BIND");
	u.container = must_open("/dev/vfio/vfio");
	u.group = must_open_group(pf);
	if (ioctl(u.group, VFIO_GROUP_SET_CONTAINER, &u.container) < 0 ||
	    ioctl(u.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		die("container: %s", errno_name(errno));
	snprintf(match, sizeof(match), "%s vf_token=" TOKEN_A_TEXT, pf);
	u.device = group_get_device(u.group, match);
	attempts(vf);
	vfio_user_close(&u);

	section("neither PF nor VF");
	attempts(edu);

	section("PF on another driver");
	pci_numvfs(pf, 0);
	pci_bind(pf, "igb");
	pci_numvfs(pf, 1);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	attempts(vf);
	return 0;
}
