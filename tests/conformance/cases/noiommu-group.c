/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * machine: noiommu
 *
 * A machine without an IOMMU. vfio-pci takes a function only while enable_unsafe_noiommu_mode of vfio is set;
 * each then has a group of its own, /dev/vfio/noiommu-N, whose
 * container has no IOMMU but VFIO_NOIOMMU_IOMMU and so no mappings. What is set up stays when the parameter is
 * unset.
 */
#include "noiommu.h"

static void show_file(const char *what, const char *fmt, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), fmt, name);
	say("%s: %s", what, access(path, F_OK) == 0 ? "there" : "not there");
}

static void show_parameter(void)
{
	char text[16] = "";
	int fd = open(PARAMETER, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n - 1 : 0] = '\0';
	say("enable_unsafe_noiommu_mode is %s", text);
}

static void store_parameter(const char *value)
{
	int ret = write_parameter(value);

	errno = -ret;
	say_call(ret < 0 ? -1 : 0, "write enable_unsafe_noiommu_mode \"%s\"", value);
	show_parameter();
}

static void check_extensions(int container)
{
	static const unsigned long types[] = {VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU,
					      VFIO_DMA_CC_IOMMU, VFIO_NOIOMMU_IOMMU,
					      VFIO_UNMAP_ALL};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		say_call(ioctl(container, VFIO_CHECK_EXTENSION, types[i]),
			 "ioctl(container, VFIO_CHECK_EXTENSION, %lu)", types[i]);
}

static void set_iommu(int container, unsigned long type)
{
	say_call(ioctl(container, VFIO_SET_IOMMU, type), "ioctl(container, VFIO_SET_IOMMU, %lu)",
		 type);
}

static void container_commands(int container)
{
	struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
					       .flags = VFIO_DMA_MAP_FLAG_READ,
					       .vaddr = (uintptr_t)pages(PAGE),
					       .size = PAGE};

	IOCTL(container, VFIO_GET_API_VERSION, 0);
	IOCTL(container, VFIO_IOMMU_GET_INFO, &info);
	IOCTL(container, VFIO_IOMMU_MAP_DMA, &map);
}

static void parameter(void)
{
	int container;

	section("not enabled");
	show_parameter();
	sysfs_link("devices/%s/iommu_group", edu);
	sysfs_write("vfio-pci", "devices/%s/driver_override", edu);
	sysfs_write(edu, "drivers/vfio-pci/bind");
	sysfs_link("devices/%s/driver", edu);
	container = open_container();
	check_extensions(container);

	section("the parameter");
	store_parameter("x");
	store_parameter("");
	store_parameter("Y");
	check_extensions(container);
	store_parameter("0");
	store_parameter("1");
	CLOSE(container);
}

static void names(void)
{
	char id[16];

	section("enabled: a group for each function");
	sysfs_write(edu, "drivers/vfio-pci/bind");
	sysfs_link("devices/%s/driver", edu);
	pci_bind(nvme, "vfio-pci");
	snprintf(id, sizeof(id), "%d", pci_group(edu));
	say("edu's group is %s, nvme's %d", id, pci_group(nvme));
	sysfs_show("../../kernel/iommu_groups/%s/name", id);
	sysfs_show("../../kernel/iommu_groups/%s/type", id);
	sysfs_show("../../kernel/iommu_groups/%s/reserved_regions", id);
	show_file("/dev/vfio/N", "/dev/vfio/%s", id);
	show_file("/dev/vfio/noiommu-N", "/dev/vfio/noiommu-%s", id);
	show_file("/sys/class/vfio/N", "/sys/class/vfio/%s", id);
	show_file("/sys/class/vfio/noiommu-N", "/sys/class/vfio/noiommu-%s", id);
	say("cdev of edu: %s", cdev_name(edu));
	say("cdev of nvme: %s", cdev_name(nvme));
	show_file("its file", "/dev/vfio/devices/%s", cdev_name(edu));
	show_file("its class folder", "/sys/class/vfio-dev/%s", cdev_name(edu));
}

static void steps(void)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	int container, group, second, device;

	section("all steps");
	container = open_container();
	group = open_noiommu_group(edu);
	show_status(group);
	second = open_noiommu_group(edu);
	group_get_device(group, edu);
	set_iommu(container, VFIO_NOIOMMU_IOMMU);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	show_status(group);
	check_extensions(container);
	group_get_device(group, edu);
	container_commands(container);
	set_iommu(container, VFIO_TYPE1_IOMMU);
	set_iommu(container, VFIO_TYPE1v2_IOMMU);
	set_iommu(container, VFIO_UNMAP_ALL);
	set_iommu(container, 77);
	set_iommu(container, VFIO_NOIOMMU_IOMMU);
	set_iommu(container, VFIO_NOIOMMU_IOMMU);
	check_extensions(container);
	container_commands(container);
	device = group_get_device(group, edu);
	if (IOCTL(device, VFIO_DEVICE_GET_INFO, &info) == 0)
		note("regions %u, interrupts %u", info.num_regions, info.num_irqs);
	IOCTL(device, VFIO_DEVICE_RESET, 0);
	group_get_device(group, nvme);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);

	section("unset while in use");
	store_parameter("0");
	check_extensions(container);
	second = group_get_device(group, edu);
	CLOSE(second);
	CLOSE(device);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	check_extensions(container);
	set_iommu(container, VFIO_NOIOMMU_IOMMU);
	CLOSE(group);
	sysfs_write("vfio-pci", "devices/%s/driver_override", pf);
	sysfs_write(pf, "drivers/vfio-pci/bind");
	CLOSE(container);
	store_parameter("1");
}

static void two_groups(void)
{
	int container, group, other, device;

	section("two groups in one container");
	container = open_container();
	group = open_noiommu_group(edu);
	other = open_noiommu_group(nvme);
	IOCTL(group, VFIO_GROUP_SET_CONTAINER, &container);
	set_iommu(container, VFIO_NOIOMMU_IOMMU);
	IOCTL(other, VFIO_GROUP_SET_CONTAINER, &container);
	device = group_get_device(other, nvme);
	IOCTL(group, VFIO_GROUP_UNSET_CONTAINER, 0);
	container_commands(container);
	CLOSE(other);
	container_commands(container);
	CLOSE(device);
	container_commands(container);
	CLOSE(group);
	CLOSE(container);
}

static void functions(void)
{
	const char *vf;

	section("VFs, and the end of a group");
	pci_bind(pf, "vfio-pci");
	pci_numvfs(pf, 1);
	vf = pci_vf(pf, 0);
	sysfs_link("devices/%s/driver", vf);
	say("the VF is in %s", pci_group(vf) == pci_group(pf) ? "its PF's group" : "its own group");
	say("cdev of the VF: %s", cdev_name(vf));
	pci_numvfs(pf, 0);
	pci_bind(pf, NULL);
	sysfs_link("devices/%s/iommu_group", pf);
	pci_bind(edu, NULL);
	sysfs_link("devices/%s/iommu_group", edu);
	pci_bind(edu, "vfio-pci");
	say("edu's group is %d again", pci_group(edu));
	pci_bind(edu, "pci-stub");
	sysfs_link("devices/%s/iommu_group", edu);
}

int main(void)
{
	case_begin();
	pci_bind(edu, NULL);
	parameter();
	names();
	steps();
	two_groups();
	functions();
	return 0;
}
