/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sriov_numvfs and what it makes: values that are taken and not, links between PF and VFs, the
 * VFs' driver, the module parameter enable_sriov. Order of checks: the text (EINVAL), more than
 * there can be (ERANGE), the same number (nothing to do), no driver or one that cannot (ENOENT),
 * other than zero before (EBUSY).
 */
#include "lib.h"

#define ENABLE_SRIOV "../../module/vfio_pci/parameters/enable_sriov"

static int numvfs(const char *value)
{
	return sysfs_write(value, "devices/%s/sriov_numvfs", pf);
}

static void attributes(const char *bdf)
{
	section("attributes of %s", bdf);
	sysfs_show("devices/%s/sriov_totalvfs", bdf);
	sysfs_show("devices/%s/sriov_numvfs", bdf);
	sysfs_show("devices/%s/sriov_offset", bdf);
	sysfs_show("devices/%s/sriov_stride", bdf);
	sysfs_show("devices/%s/sriov_vf_device", bdf);
	sysfs_show("devices/%s/sriov_drivers_autoprobe", bdf);
	sysfs_write("1", "devices/%s/sriov_totalvfs", bdf);
}

static void values(void)
{
	static const char *const texts[] = {"abc", "-1",  "9",	"8x", "65535",	   "65536",
					    "1 1", "0x9", "\n", "",   "4294967296"};
	static const char *const good[] = {"0", "0\n", "0x2", "2", "02", "2\n", " 2", "2 "};
	size_t i;

	section("values");
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		numvfs(texts[i]);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		numvfs(good[i]);
		sysfs_show("devices/%s/sriov_numvfs", pf);
	}
	numvfs("0");
}

static void changes(void)
{
	section("changes");
	numvfs("2");
	numvfs("2");
	numvfs("3");
	numvfs("1");
	numvfs("9");
	numvfs("abc");
	sysfs_show("devices/%s/sriov_numvfs", pf);
	numvfs("0");
	numvfs("0");
	numvfs("8");
	numvfs("0");
}

static void links(void)
{
	const char *vf0, *vf1;
	char folder[64];
	int i;

	section("VFs of a PF on vfio-pci");
	numvfs("2");
	vf0 = pci_vf(pf, 0);
	vf1 = pci_vf(pf, 1);
	for (i = 0; i < 3; i++)
		sysfs_link("devices/%s/virtfn%d", pf, i);
	sysfs_link("devices/%s/physfn", vf0);
	sysfs_link("devices/%s/physfn", pf);
	sysfs_link("devices/%s/driver", vf0);
	sysfs_link("devices/%s/driver", vf1);
	sysfs_show("devices/%s/driver_override", vf0);
	sysfs_show("devices/%s/vendor", vf0);
	sysfs_show("devices/%s/device", vf0);
	sysfs_show("devices/%s/class", vf0);
	sysfs_show("devices/%s/subsystem_vendor", vf0);
	sysfs_show("devices/%s/subsystem_device", vf0);
	sysfs_show("devices/%s/revision", vf0);
	sysfs_show("devices/%s/modalias", vf0);
	sysfs_show("devices/%s/sriov_numvfs", vf0);
	sysfs_show("devices/%s/sriov_vf_msix_count", vf0);
	say("the VFs have %s", pci_group(vf0) == pci_group(vf1) ? "one group" : "a group each");
	numvfs("0");
	sysfs_link("devices/%s/virtfn0", pf);
	snprintf(folder, sizeof(folder), "/sys/bus/pci/devices/%s", vf0);
	say("the VF's folder is %s", access(folder, F_OK) == 0 ? "there" : "gone");

	section("all VFs");
	numvfs("8");
	for (i = 0; i < 8; i++) {
		pci_vf(pf, i);
		sysfs_link("devices/%s/virtfn%d", pf, i);
	}
	sysfs_link("devices/%s/virtfn8", pf);
	numvfs("0");
}

static void autoprobe(void)
{
	section("sriov_drivers_autoprobe");
	sysfs_write("0", "devices/%s/sriov_drivers_autoprobe", pf);
	sysfs_show("devices/%s/sriov_drivers_autoprobe", pf);
	numvfs("1");
	sysfs_link("devices/%s/driver", pci_vf(pf, 0));
	sysfs_show("devices/%s/driver_override", pci_vf(pf, 0));
	numvfs("0");
	sysfs_write("x", "devices/%s/sriov_drivers_autoprobe", pf);
	sysfs_write("2", "devices/%s/sriov_drivers_autoprobe", pf);
	sysfs_write("Y", "devices/%s/sriov_drivers_autoprobe", pf);
	sysfs_show("devices/%s/sriov_drivers_autoprobe", pf);
}

static void module_parameter(void)
{
	section("enable_sriov off");
	sysfs_show(ENABLE_SRIOV);
	sysfs_write("N", ENABLE_SRIOV);
	sysfs_show(ENABLE_SRIOV);
	numvfs("2");
	numvfs("9");
	numvfs("0");
	sysfs_write("Y", ENABLE_SRIOV);
	numvfs("2");
	note("off while VFs exist");
	sysfs_write("0", ENABLE_SRIOV);
	numvfs("0");
	numvfs("2");
	sysfs_show("devices/%s/sriov_numvfs", pf);
	sysfs_write("1", ENABLE_SRIOV);
	sysfs_show(ENABLE_SRIOV);
	sysfs_write("maybe", ENABLE_SRIOV);
	numvfs("0");
}

static void drivers(void)
{
	section("the PF's driver");
	pci_bind(pf, NULL);
	say("without driver:");
	numvfs("2");
	numvfs("0");
	numvfs("9");
	sysfs_show("devices/%s/sriov_numvfs", pf);
	pci_bind(pf, "pci-stub");
	say("on pci-stub, which has no VFs:");
	numvfs("2");
	numvfs("0");
	pci_bind(pf, "igb");
	say("on igb, VFs are not given to a driver:");
	sysfs_write("0", "devices/%s/sriov_drivers_autoprobe", pf);
	numvfs("2");
	sysfs_link("devices/%s/driver", pci_vf(pf, 0));
	sysfs_show("devices/%s/driver_override", pci_vf(pf, 0));
	numvfs("3");
	numvfs("0");
	sysfs_write("1", "devices/%s/sriov_drivers_autoprobe", pf);

	section("VFs go with the PF's driver");
	pci_bind(pf, "vfio-pci");
	numvfs("2");
	sysfs_write(pf, "drivers/vfio-pci/unbind");
	sysfs_link("devices/%s/virtfn0", pf);
	sysfs_show("devices/%s/sriov_numvfs", pf);
	pci_bind(pf, "vfio-pci");
	numvfs("2");
	note("a VF can lose its driver and get it back");
	sysfs_write(pci_vf(pf, 0), "drivers/vfio-pci/unbind");
	sysfs_link("devices/%s/driver", pci_vf(pf, 0));
	sysfs_write(pci_vf(pf, 0), "drivers_probe");
	sysfs_link("devices/%s/driver", pci_vf(pf, 0));
	numvfs("0");
}

static void others(void)
{
	section("a function without SR-IOV");
	sysfs_show("devices/%s/sriov_numvfs", edu);
	sysfs_write("1", "devices/%s/sriov_numvfs", edu);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(pf, nvme, edu, NULL);
	attributes(pf);
	attributes(nvme);
	values();
	changes();
	links();
	autoprobe();
	module_parameter();
	drivers();
	others();
	return 0;
}
