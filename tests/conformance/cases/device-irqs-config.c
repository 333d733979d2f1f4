/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts and config space: what SET_IRQS does to the command register and to the MSI and MSI-X
 * capabilities, as the device's user sees them and as they are (sysfs config), and what the user can
 * do to them then. Where messages go is the kernel's affair: only that there is an address is said.
 */
#include "lib.h"

#define CONFIG_OFFSET ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define CAP_MSI	      5
#define CAP_MSIX      0x11
#define INTX	      VFIO_PCI_INTX_IRQ_INDEX
#define MSI	      VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	      VFIO_PCI_MSIX_IRQ_INDEX
#define TRIGGER	      VFIO_IRQ_SET_ACTION_TRIGGER
#define MAX_FDS	      8

static const char *const index_names[] = {"INTx", "MSI", "MSI-X"};
static int device, sysfs;
static unsigned int msi, msix;

static uint32_t get_at(int fd, off_t base, unsigned int at, size_t len)
{
	uint32_t value = 0;

	if (pread(fd, &value, len, base + at) != (ssize_t)len)
		die("config read at 0x%x: %s", at, errno_name(errno));
	return value;
}

static uint32_t user(unsigned int at, size_t len)
{
	return get_at(device, CONFIG_OFFSET, at, len);
}

static uint32_t physical(unsigned int at, size_t len)
{
	return get_at(sysfs, 0, at, len);
}

static void put(unsigned int at, uint32_t value, size_t len)
{
	if (pwrite(device, &value, len, CONFIG_OFFSET + at) != (ssize_t)len)
		die("config write at 0x%x: %s", at, errno_name(errno));
}

static unsigned int find_cap(uint8_t id)
{
	unsigned int at = user(0x34, 1), links;

	for (links = 0; at != 0 && links < 48; links++) {
		if (user(at, 1) == id)
			return at;
		at = user(at + 1, 1);
	}
	return 0;
}

static void show(void)
{
	note("INTx disable: user %d, physical %d", (user(4, 2) & 0x400) != 0,
	     (physical(4, 2) & 0x400) != 0);
	if (msi != 0) {
		unsigned int data = msi + (user(msi + 2, 2) & 0x80 ? 12 : 8);

		note("MSI control: user %04x, physical %04x", user(msi + 2, 2),
		     physical(msi + 2, 2));
		note("MSI address and data: user %08x %04x, physical has an address: %d",
		     user(msi + 4, 4), user(data, 2), (physical(msi + 4, 4) >> 20) == 0xfee);
		if (user(msi + 2, 2) & 0x100)
			note("MSI masks: user %08x, physical %08x", user(data + 4, 4),
			     physical(data + 4, 4));
	}
	if (msix != 0)
		note("MSI-X control: user %04x, physical %04x", user(msix + 2, 2),
		     physical(msix + 2, 2));
}

static void set(uint32_t index, uint32_t start, uint32_t count)
{
	struct {
		struct vfio_irq_set set;
		int32_t fds[MAX_FDS];
	} arg = {.set = {.argsz = (uint32_t)(sizeof(arg.set) + count * sizeof(int32_t)),
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD | TRIGGER,
			 .index = index,
			 .start = start,
			 .count = count}};
	uint32_t i;

	for (i = 0; i < count; i++)
		arg.fds[i] = eventfd(0, EFD_CLOEXEC);
	say_call(ioctl(device, VFIO_DEVICE_SET_IRQS, &arg), "%s: eventfds for %u from %u",
		 index_names[index], count, start);
	for (i = 0; i < count; i++)
		close(arg.fds[i]);
	show();
}

static void none(uint32_t index)
{
	struct vfio_irq_set arg = {
		.argsz = sizeof(arg), .flags = VFIO_IRQ_SET_DATA_NONE | TRIGGER, .index = index};

	say_call(ioctl(device, VFIO_DEVICE_SET_IRQS, &arg), "%s: none", index_names[index]);
	show();
}

static void intx_mask(uint32_t action, const char *what)
{
	struct vfio_irq_set arg = {.argsz = sizeof(arg),
				   .flags = VFIO_IRQ_SET_DATA_NONE | action,
				   .index = INTX,
				   .count = 1};

	say_call(ioctl(device, VFIO_DEVICE_SET_IRQS, &arg), "INTx: %s", what);
	show();
}

static void infos(void)
{
	uint32_t i;

	for (i = 0; i < 6; i++) {
		struct vfio_irq_info info = {.argsz = sizeof(info), .index = i};

		say_call(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info), "IRQ_INFO %u", i);
		note("flags 0x%x count %u", info.flags, info.count);
	}
}

static void intx(void)
{
	section("INTx");
	set(INTX, 0, 1);
	intx_mask(VFIO_IRQ_SET_ACTION_MASK, "mask");
	intx_mask(VFIO_IRQ_SET_ACTION_UNMASK, "unmask");
	put(4, user(4, 2) | 0x400, 2);
	note("the user disables it in the command register");
	show();
	intx_mask(VFIO_IRQ_SET_ACTION_UNMASK, "unmask");
	none(INTX);
	set(INTX, 0, 1);
	put(4, user(4, 2) & ~0x400u, 2);
	note("and enables it again");
	show();
	none(INTX);
}

static void messages(void)
{
	section("MSI");
	set(MSI, 0, 1);
	put(msi + 4, 0xfee12340, 4);
	put(msi + 2, user(msi + 2, 2) | 0x70, 2);
	note("the user asks for all vectors and another address");
	show();
	put(msi + 2, user(msi + 2, 2) & ~1u, 2);
	note("the user disables it");
	show();
	put(msi + 2, user(msi + 2, 2) | 1u, 2);
	note("and enables it");
	show();
	IOCTL(device, VFIO_DEVICE_RESET, 0);
	show();
	none(MSI);
	put(msi + 2, user(msi + 2, 2) | 1u, 2);
	note("the user enables it");
	show();
	set(INTX, 0, 1);
	none(INTX);
}

/* The table itself, which only a mapping shows. */
static void show_table(void)
{
	uint32_t place = user(msix + 4, 4), offset = place & ~7u;
	off_t bar = (off_t)(place & 7) << 40;
	volatile uint32_t *table;
	uint8_t *map;
	unsigned int i;

	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, bar + (off_t)(offset & ~(PAGE - 1)));
	if (map == MAP_FAILED)
		die("mmap of the table: %s", errno_name(errno));
	table = (volatile uint32_t *)(void *)(map + offset % PAGE);
	for (i = 0; i < 5; i++)
		note("vector %u: control %x, an address: %d", i, table[4 * i + 3],
		     table[4 * i] >> 20 == 0xfee);
	munmap(map, PAGE);
}

static void message_table(void)
{
	section("MSI-X");
	show_table();
	set(MSIX, 0, 2);
	show_table();
	set(MSIX, 3, 1);
	show_table();
	put(msix + 2, user(msix + 2, 2) & ~0x8000u, 2);
	note("the user disables it");
	show();
	put(msix + 2, user(msix + 2, 2) | 0x4000u, 2);
	note("the user masks all");
	show();
	IOCTL(device, VFIO_DEVICE_RESET, 0);
	show();
	show_table();
	none(MSIX);
	show_table();
	set(MSIX, 2, 1);
	show_table();
	none(MSIX);
}

static void one_device(const char *bdf)
{
	struct vfio_user u;
	char path[128];

	section("%s", bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	sysfs = must_open(path);
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	msi = find_cap(CAP_MSI);
	msix = find_cap(CAP_MSIX);
	infos();
	show();
	intx();
	if (msi != 0)
		messages();
	if (msix != 0)
		message_table();
	vfio_user_close(&u);
	vfio_user_open(&u, bdf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	section("%s, opened again", bdf);
	show();
	vfio_user_close(&u);
	close(sysfs);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, conv0, conv1, pf, NULL);
	one_device(edu);
	one_device(conv0);
	one_device(pf);
	return 0;
}
