/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VF tokens, row by row: the driver of the PF (none, nvme, pci-stub, vfio-pci), whether another VF
 * is in use, and what the asker gives (nothing, the token, another one), by match string and by
 * BIND_IOMMUFD; and the same after the PF's user has set the token with DEVICE_FEATURE.
 *
 * nvme leaves its VFs behind when it goes, so that a PF with VFs can have no driver, or pci-stub;
 * vfio-pci does not take such a PF (EBUSY).
 */
#include "lib.h"

#define RIGHT "01234567-89ab-cdef-0123-456789abcdef"
#define WRONG "11111111-2222-4333-8444-555555555555"

static const uint8_t right_bytes[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
					0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
static const uint8_t wrong_bytes[16] = {0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x43, 0x33,
					0x84, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55};

static const struct given {
	const char *what, *text;
	const uint8_t *bytes;
} none = {"no token", NULL, NULL}, right = {"right token", RIGHT, right_bytes},
  wrong = {"wrong token", WRONG, wrong_bytes};

enum way { BY_STRING, BY_BIND };

struct asked {
	int group, container, iommufd, device;
};

/* Asks for a function; whatever came of it is in *a, and errno is what it failed with. */
static int ask(struct asked *a, enum way way, const char *bdf, const struct given *given)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	char match[128];
	int ret;

	*a = (struct asked){-1, -1, -1, -1};
	if (way == BY_STRING) {
		a->container = must_open("/dev/vfio/vfio");
		a->group = must_open_group(bdf);
		if (ioctl(a->group, VFIO_GROUP_SET_CONTAINER, &a->container) < 0 ||
		    ioctl(a->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
			die("container of %s: %s", bdf, errno_name(errno));
		snprintf(match, sizeof(match), given->text ? "%s vf_token=%s" : "%s", bdf,
			 given->text);
		a->device = ioctl(a->group, VFIO_GROUP_GET_DEVICE_FD, match);
		return a->device < 0 ? -1 : 0;
	}
	a->iommufd = must_open("/dev/iommu");
	a->device = must_open_cdev(bdf);
	bind.iommufd = a->iommufd;
	if (given->bytes) {
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)given->bytes;
	}
	ret = ioctl(a->device, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	return ret;
}

static void end(struct asked *a)
{
	const int fds[] = {a->device, a->group, a->container, a->iommufd};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static void row(const char *bdf, const struct given *given)
{
	static const char *const names[] = {"by string", "by BIND"};
	enum way way;

	for (way = BY_STRING; way <= BY_BIND; way++) {
		struct asked a;
		int ret = ask(&a, way, bdf, given);

		say_call(ret, "%s %s, %s", bdf, names[way], given->what);
		end(&a);
	}
}

static void rows(const char *bdf)
{
	row(bdf, &none);
	row(bdf, &right);
	row(bdf, &wrong);
}

/* The VF, while no other is in use and while one is, which was got with what it takes. */
static void vf_rows(const char *driver, const char *vf, const char *other,
		    const struct given *needed)
{
	struct asked user;
	enum way way;

	section("PF on %s, no VF in use", driver);
	rows(vf);
	for (way = BY_STRING; way <= BY_BIND; way++) {
		section("PF on %s, another VF in use %s", driver,
			way == BY_STRING ? "by its group" : "by its cdev");
		if (ask(&user, way, other, needed) < 0)
			die("the other VF: %s", errno_name(errno));
		rows(vf);
		end(&user);
	}
}

/* The PF; afterwards the token is what it was. */
static void pf_rows(const char *bdf, const char *vf)
{
	struct asked user;
	enum way way;

	section("the PF itself, no VF in use; the token it is given counts");
	row(bdf, &none);
	row(vf, &right);
	row(bdf, &wrong);
	row(vf, &right);
	row(vf, &wrong);
	row(bdf, &right);
	row(vf, &right);
	for (way = BY_STRING; way <= BY_BIND; way++) {
		section("the PF itself, a VF in use %s",
			way == BY_STRING ? "by its group" : "by its cdev");
		if (ask(&user, way, vf, &right) < 0)
			die("the VF: %s", errno_name(errno));
		rows(bdf);
		end(&user);
	}
}

static int set_token(int device, const uint8_t *bytes)
{
	union {
		struct vfio_device_feature head;
		uint8_t bytes[8 + 16];
	} f = {.head = {.argsz = sizeof(f),
			.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN}};

	memcpy(f.bytes + 8, bytes, 16);
	return ioctl(device, VFIO_DEVICE_FEATURE, &f);
}

static void feature_rows(const char *bdf, const char *vf, const char *other)
{
	struct asked owner, user;
	enum way way;

	for (way = BY_STRING; way <= BY_BIND; way++) {
		section("set by DEVICE_FEATURE of a PF opened %s",
			way == BY_STRING ? "by its group" : "by its cdev");
		if (ask(&owner, way, bdf, &none) < 0)
			die("the PF: %s", errno_name(errno));
		say_call(set_token(owner.device, wrong_bytes), "set, no VF in use");
		row(vf, &right);
		row(vf, &wrong);
		if (ask(&user, way, other, &wrong) < 0)
			die("the other VF: %s", errno_name(errno));
		say_call(set_token(owner.device, right_bytes), "set back, a VF in use");
		row(vf, &right);
		row(vf, &wrong);
		say_call(set_token(user.device, wrong_bytes), "set on the VF");
		end(&user);
		end(&owner);
	}
}

int main(void)
{
	const char *vf, *other;
	struct asked a;

	case_begin();
	pci_bind(nvme, "nvme");
	pci_numvfs(nvme, 2);
	vf = pci_vf(nvme, 0);
	other = pci_vf(nvme, 1);
	pci_all_to_vfio(vf, other, edu, NULL);
	vf_rows("nvme", vf, other, &none);
	pci_bind(nvme, NULL);
	vf_rows("no driver", vf, other, &none);
	pci_bind(nvme, "pci-stub");
	vf_rows("pci-stub", vf, other, &none);

	section("vfio-pci does not take a PF that has VFs");
	pci_bind(nvme, NULL);
	sysfs_write("vfio-pci", "devices/%s/driver_override", nvme);
	sysfs_write(nvme, "drivers/vfio-pci/bind");
	sysfs_link("devices/%s/driver", nvme);

	pci_bind(nvme, "nvme");
	pci_numvfs(nvme, 0);
	pci_bind(nvme, "vfio-pci");
	pci_numvfs(nvme, 2);
	vf = pci_vf(nvme, 0);
	other = pci_vf(nvme, 1);
	pci_all_to_vfio(vf, other, NULL);
	if (ask(&a, BY_STRING, nvme, &right) < 0)
		die("the PF: %s", errno_name(errno));
	end(&a);
	vf_rows("vfio-pci", vf, other, &right);
	pf_rows(nvme, vf);
	feature_rows(nvme, vf, other);

	section("neither PF nor VF");
	rows(edu);
	return 0;
}
