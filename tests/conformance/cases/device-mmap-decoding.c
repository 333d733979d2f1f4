/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mapped BAR while the function does not decode memory: the mapping stays, but an access to it is
 * SIGBUS as long as the memory bit of the command register is off or the function is in D3hot, and
 * works again afterwards; also a mapping that was made meanwhile. Low power on request does the
 * same. A reset leaves mappings usable.
 */
#include <setjmp.h>
#include <signal.h>

#include "lib.h"

#define CONFIG	       ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define COMMAND	       (CONFIG + 4)
#define COMMAND_MEMORY 0x0002
#define CAP_ID_PM      1

static int device;
static sigjmp_buf back;

static void caught(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void touch(volatile uint32_t *at, const char *what)
{
	if (sigsetjmp(back, 1) == 0) {
		(void)*at;
		say("load, %s: works", what);
	} else {
		say("load, %s: SIGBUS", what);
	}
}

static void set_memory(bool on)
{
	uint16_t command;

	if (pread(device, &command, 2, COMMAND) != 2)
		die("config: %s", errno_name(errno));
	command = (uint16_t)(on ? command | COMMAND_MEMORY : command & ~COMMAND_MEMORY);
	say_call(pwrite(device, &command, 2, COMMAND), "memory decoding %s", on ? "on" : "off");
}

static off_t pm_control(void)
{
	uint8_t at = 0x34, head[2];
	int links;

	if (pread(device, &at, 1, CONFIG + at) != 1)
		die("config: %s", errno_name(errno));
	for (links = 0; at != 0 && links < 48; links++) {
		if (pread(device, head, 2, CONFIG + at) != 2)
			die("config: %s", errno_name(errno));
		if (head[0] == CAP_ID_PM)
			return CONFIG + at + 4;
		at = head[1];
	}
	die("no power management capability");
}

static void set_state(uint16_t state)
{
	say_call(pwrite(device, &state, 2, pm_control()), "write power state %u", state);
}

static void *map_bar(const char *when)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);

	say_call(p == MAP_FAILED ? -1 : 0, "mmap BAR0, %s", when);
	return p;
}

static void map_for_dma(const struct vfio_user *u, const void *bar, const char *when)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)bar,
		.iova = IOVA(0),
		.size = PAGE,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = IOVA(0), .size = PAGE};

	say_call(ioctl(u->container, VFIO_IOMMU_MAP_DMA, &map), "MAP_DMA of the BAR, %s", when);
	ioctl(u->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

static void command_register(const struct vfio_user *u)
{
	void *before, *meanwhile;

	section("the memory bit of the command register");
	before = map_bar("decoding on");
	touch(before, "decoding on");
	map_for_dma(u, before, "decoding on");
	set_memory(false);
	touch(before, "decoding off");
	meanwhile = map_bar("decoding off");
	touch(meanwhile, "mapped while decoding is off");
	map_for_dma(u, before, "decoding off");
	set_memory(true);
	touch(before, "decoding on again");
	touch(meanwhile, "mapped while decoding was off");
	munmap(before, PAGE);
	munmap(meanwhile, PAGE);
}

static void power_state(void)
{
	void *bar;

	section("power states");
	bar = map_bar("D0");
	touch(bar, "D0");
	set_state(3);
	touch(bar, "D3hot");
	set_state(0);
	touch(bar, "D0 again");
	munmap(bar, PAGE);
}

static void set_feature(uint32_t number, const char *name)
{
	struct vfio_device_feature feature = {.argsz = sizeof(feature),
					      .flags = VFIO_DEVICE_FEATURE_SET | number};

	say_call(ioctl(device, VFIO_DEVICE_FEATURE, &feature), "%s", name);
}

static void low_power(void)
{
	void *bar;

	section("low power on request");
	bar = map_bar("full power");
	set_feature(VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, "LOW_POWER_ENTRY");
	touch(bar, "low power");
	set_feature(VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, "LOW_POWER_EXIT");
	touch(bar, "full power again");
	munmap(bar, PAGE);
}

static void reset(void)
{
	void *bar;

	section("reset");
	bar = map_bar("before a reset");
	IOCTL(device, VFIO_DEVICE_RESET, 0);
	touch(bar, "after it");
	set_memory(false);
	IOCTL(device, VFIO_DEVICE_RESET, 0);
	touch(bar, "after one with decoding off");
	set_memory(true);
	touch(bar, "decoding on again");
	munmap(bar, PAGE);
}

int main(void)
{
	struct sigaction action = {.sa_handler = caught};
	struct vfio_user u;
	void *bar;

	case_begin();
	sigaction(SIGBUS, &action, NULL);
	pci_all_to_vfio(multi0, multi1, NULL);
	vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	command_register(&u);
	power_state();
	low_power();
	reset();
	section("closed with decoding off, and opened anew");
	set_memory(false);
	vfio_user_close(&u);
	vfio_user_open(&u, multi0, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	bar = map_bar("opened anew");
	touch(bar, "opened anew");
	munmap(bar, PAGE);
	vfio_user_close(&u);
	return 0;
}
