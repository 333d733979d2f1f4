/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Power states by the PM capability's register: in D3hot configuration space answers, BARs do not
 * (EIO). A PF whose VFs are enabled stays in D0, whatever is written. A reset brings D0 back.
 */
#include "lib.h"

#define CONFIG	  ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define CAP_ID_PM 1

static int device;

static unsigned int find_pm(void)
{
	uint8_t at = 0x34, head[2];
	int links;

	if (pread(device, &at, 1, CONFIG + at) != 1)
		die("config: %s", errno_name(errno));
	for (links = 0; at != 0 && links < 48; links++) {
		if (pread(device, head, 2, CONFIG + at) != 2)
			die("config: %s", errno_name(errno));
		if (head[0] == CAP_ID_PM)
			return at;
		at = head[1];
	}
	die("no power management capability");
}

static void set_state(uint16_t state)
{
	off_t pmcsr = CONFIG + find_pm() + 4;
	uint16_t value = 0, command = 0;

	say_call(pwrite(device, &state, 2, pmcsr), "write power state %u", state);
	if (pread(device, &value, 2, pmcsr) != 2 || pread(device, &command, 2, CONFIG + 4) != 2)
		die("config: %s", errno_name(errno));
	note("state %u, command register %04x", value & 3, command & 0x0406);
}

static void use(void)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	uint32_t value;

	say_call(pread(device, &value, 4, CONFIG), "pread config");
	say_call(pread(device, &value, 4, 0), "pread BAR0");
	IOCTL(device, VFIO_DEVICE_GET_INFO, &info);
}

int main(void)
{
	struct vfio_user u;

	case_begin();
	pci_all_to_vfio(multi0, multi1, pf, NULL);
	vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	section("D3hot and back");
	set_state(3);
	use();
	set_state(0);
	use();

	section("D3hot and a reset");
	set_state(3);
	IOCTL(device, VFIO_DEVICE_RESET, 0);
	use();

	section("D3hot when it is closed");
	set_state(3);
	vfio_user_close(&u);
	vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	use();
	vfio_user_close(&u);

	section("a PF with and without VFs");
	pci_numvfs(pf, 1);
	vfio_user_open(&u, pf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	set_state(3);
	use();
	pci_numvfs(pf, 0);
	set_state(3);
	use();
	note("VFs are made while it is in D3hot");
	sysfs_write("1", "devices/%s/sriov_numvfs", pf);
	set_state(0);
	use();
	vfio_user_close(&u);
	return 0;
}
