/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_DEVICE_FEATURE: how a feature is probed, and which ones each kind of function has. An
 * unknown feature is ENOTTY, a wrong combination of flags EINVAL; the flags are looked at first.
 */
#include "lib.h"

#define GET	     VFIO_DEVICE_FEATURE_GET
#define SET	     VFIO_DEVICE_FEATURE_SET
#define PROBE	     VFIO_DEVICE_FEATURE_PROBE
#define LAST_FEATURE 15

static int device;

union feature_buffer {
	struct vfio_device_feature head;
	uint8_t bytes[64];
};

static int feature(uint32_t flags, uint32_t argsz, uint32_t value)
{
	union feature_buffer b = {.head = {.argsz = argsz, .flags = flags}};

	memcpy(b.bytes + 8, &value, sizeof(value));
	return ioctl(device, VFIO_DEVICE_FEATURE, &b);
}

static void form(void)
{
	void *nowhere = NULL;

	section("form");
	IOCTL(device, VFIO_DEVICE_FEATURE, nowhere);
	say_call(feature(PROBE | SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 7, 0), "argsz 7");
	say_call(feature(PROBE | SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 0, 0), "argsz 0");
	say_call(feature(PROBE | SET | 1u << 19 | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 8, 0),
		 "unknown flag");
	say_call(feature(VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 8, 0), "no GET, SET or PROBE");
	say_call(feature(GET | SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 8, 0), "GET SET");
	say_call(feature(GET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 8, 0),
		 "GET of what can be SET");
	say_call(feature(0xffff, 8, 0), "unknown feature, no flag");
	say_call(feature(PROBE | 0xffff, 8, 0), "unknown feature, PROBE");
	say_call(feature(GET | SET | 0xffff, 8, 0), "unknown feature, GET SET");
	say_call(feature(PROBE | 100, 8, 0), "feature 100, PROBE");
}

static const char *probe(uint32_t flags, uint32_t n)
{
	return feature(PROBE | flags | n, 8, 0) == 0 ? "yes" : errno_name(errno);
}

static void which(const char *what)
{
	uint32_t n;

	section("features of %s", what);
	for (n = 0; n <= LAST_FEATURE; n++) {
		say("feature %u: PROBE %s, GET %s, SET %s, GET SET %s", n, probe(0, n),
		    probe(GET, n), probe(SET, n), probe(GET | SET, n));
	}
}

static void low_power(void)
{
	section("low power");
	say_call(feature(SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, 8, 0), "EXIT, not entered");
	say_call(feature(SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 8, 0), "ENTRY");
	say_call(feature(SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 8, 0), "ENTRY, again");
	say_call(feature(SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, 8, 0), "EXIT");
	say_call(feature(GET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 8, 0), "GET ENTRY");
}

int main(void)
{
	struct vfio_user u;
	const char *vf;

	case_begin();
	pci_all_to_vfio(pf, edu, NULL);
	vfio_user_open(&u, pf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	form();
	which("a PF");
	low_power();
	vfio_user_close(&u);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	which("a conventional function");
	low_power();
	vfio_user_close(&u);
	pci_bind(pf, "igb");
	pci_numvfs(pf, 1);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	vfio_user_open(&u, vf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	which("a VF");
	vfio_user_close(&u);
	return 0;
}
