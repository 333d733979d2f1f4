/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device says of itself: GET_INFO, GET_REGION_INFO and GET_IRQ_INFO of every index and one
 * beyond, for each kind of function, and the rules for argsz.
 *
 * Whether a BAR can be mapped depends on the memory behind it and on who asks, see device-mmap:
 * here the MMAP flag and the capabilities that go with it are left out.
 */
#include "lib.h"

static const char *const region_names[] = {"BAR0", "BAR1", "BAR2",   "BAR3", "BAR4",
					   "BAR5", "ROM",  "config", "VGA",  "index 9"};
static const char *const irq_names[] = {"INTx", "MSI", "MSI-X", "error", "request", "index 5"};

static void show_info(int device)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};

	IOCTL(device, VFIO_DEVICE_GET_INFO, &info);
	note("argsz %u flags 0x%x regions %u interrupts %u", info.argsz,
	     info.flags & ~VFIO_DEVICE_FLAGS_CAPS, info.num_regions, info.num_irqs);
}

static void show_region(int device, uint32_t index)
{
	struct vfio_region_info info = {.argsz = sizeof(info), .index = index};
	const uint32_t shown = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	int ret;

	ret = say_call(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), "REGION_INFO %s",
		       region_names[index]);
	if (ret == 0)
		note("flags 0x%x size 0x%llx offset 0x%llx", info.flags & shown,
		     (unsigned long long)info.size, (unsigned long long)info.offset);
}

static void show_irq(int device, uint32_t index)
{
	struct vfio_irq_info info = {.argsz = sizeof(info), .index = index};
	int ret;

	ret = say_call(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info), "IRQ_INFO %s",
		       irq_names[index]);
	if (ret == 0)
		note("flags 0x%x count %u", info.flags, info.count);
}

static void one_device(const char *bdf, const char *what)
{
	struct vfio_user u;
	uint32_t i;

	section("%s, %s", bdf, what);
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	show_info(u.device);
	for (i = 0; i < ARRAY_SIZE(region_names); i++)
		show_region(u.device, i);
	for (i = 0; i < ARRAY_SIZE(irq_names); i++)
		show_irq(u.device, i);
	vfio_user_close(&u);
}

static void sizes(void)
{
	static const uint32_t argsz[] = {0, 8, 15, 16, 17, 20, 31, 32, 64};
	struct vfio_device_info info;
	struct vfio_region_info region;
	struct vfio_irq_info irq;
	struct vfio_user u;
	void *nowhere = NULL;
	size_t i;

	section("argsz");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	for (i = 0; i < ARRAY_SIZE(argsz); i++) {
		memset(&info, 0, sizeof(info));
		memset(&region, 0, sizeof(region));
		memset(&irq, 0, sizeof(irq));
		info.argsz = region.argsz = irq.argsz = argsz[i];
		region.index = VFIO_PCI_CONFIG_REGION_INDEX;
		say_call(ioctl(u.device, VFIO_DEVICE_GET_INFO, &info), "GET_INFO argsz %u",
			 argsz[i]);
		say_call(ioctl(u.device, VFIO_DEVICE_GET_REGION_INFO, &region),
			 "REGION_INFO argsz %u", argsz[i]);
		say_call(ioctl(u.device, VFIO_DEVICE_GET_IRQ_INFO, &irq), "IRQ_INFO argsz %u",
			 argsz[i]);
	}
	region.argsz = sizeof(region);
	region.index = ~0u;
	say_call(ioctl(u.device, VFIO_DEVICE_GET_REGION_INFO, &region), "REGION_INFO index ~0");
	irq.argsz = sizeof(irq);
	irq.index = ~0u;
	say_call(ioctl(u.device, VFIO_DEVICE_GET_IRQ_INFO, &irq), "IRQ_INFO index ~0");
	IOCTL(u.device, VFIO_DEVICE_GET_INFO, nowhere);
	IOCTL(u.device, VFIO_DEVICE_GET_REGION_INFO, nowhere);
	IOCTL(u.device, VFIO_DEVICE_GET_IRQ_INFO, nowhere);
	vfio_user_close(&u);
}

static void other_commands(void)
{
	struct vfio_user u;

	section("commands that are none of a device's");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	IOCTL(u.device, VFIO_GET_API_VERSION, 0);
	IOCTL(u.device, VFIO_GROUP_GET_STATUS, 0);
	IOCTL(u.device, VFIO_DEVICE_QUERY_GFX_PLANE, 0);
	IOCTL(u.device, VFIO_DEVICE_BIND_IOMMUFD, 0);
	IOCTL(u.device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, 0);
	IOCTL(u.device, VFIO_DEVICE_DETACH_IOMMUFD_PT, 0);
	IOCTL(u.device, IOMMU_IOAS_ALLOC, 0);
	say_call(ioctl(u.device, 0x1234, 0), "an ioctl of another type");
	vfio_user_close(&u);
}

int main(void)
{
	const char *vf;

	case_begin();
	pci_all_to_vfio(nvme, edu, conv0, multi0, multi1, NULL);
	pci_bind(pf, "igb");
	pci_numvfs(pf, 1);
	vf = pci_vf(pf, 0);
	pci_bind(vf, "vfio-pci");
	one_device(vf, "a virtual function");
	pci_numvfs(pf, 0);
	pci_bind(pf, "vfio-pci");
	one_device(pf, "PCIe with SR-IOV, MSI-X and I/O ports");
	one_device(nvme, "PCIe with a 64-bit BAR");
	one_device(multi0, "PCIe, one of two functions");
	pci_bind(conv1, "vfio-pci");
	one_device(conv0, "conventional, no message interrupts");
	one_device(edu, "conventional with MSI");
	sizes();
	other_commands();
	return 0;
}
