/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices of one group through cdevs of their own: what each may do and when, what its DMA
 * reaches, and what its neighbours notice. Attachment is the group's: the first device that
 * attaches takes its neighbours along, bound ones too that did not ask, and the last one that
 * detaches blocks all. On the machine per-device, which only softvfio has, each device is attached by
 * itself, but for those behind a bridge; what that changes is in differences/.
 *
 * machine: neighbours per-device
 */
#include "engine.h"

#define A "0000:01:00.0" /* edu, one group with B */
#define B "0000:01:00.1"
#define C "0000:03:00.0" /* edu behind a bridge, one group with D */
#define D "0000:03:01.0"

static int iommufd, other_iommufd;
static uint32_t ioas[2];
static struct memory *memory[2];

static int bind_to(int cdev, int fd, const char *what)
{
	struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = fd};

	return say_call(ioctl(cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind), "BIND %s", what);
}

static void attach(int cdev, uint32_t pt, const char *what)
{
	struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = pt};

	say_call(ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH %s", what);
}

static void detach(int cdev, const char *what)
{
	struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};

	say_call(ioctl(cdev, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "DETACH %s", what);
}

/* The device copies a word from IOVA to IOVA: the two IOASes have different memory there. */
static void reach(int cdev, const char *name)
{
	static const char *const reached[] = {"nothing", "the first IOAS", "the second IOAS",
					      "both IOASes"};
	static uint64_t value = 0x1234;
	struct engine engine = engine_of(cdev);
	unsigned int found = 0;

	for (unsigned int i = 0; i < 2; i++) {
		memory[i]->source = value++;
		memory[i]->destination = 0;
	}
	engine_copy(&engine);
	for (unsigned int i = 0; i < 2; i++) {
		if (memory[i]->destination == memory[i]->source)
			found |= 1u << i;
		else if (memory[i]->destination)
			die("the engine copied something else");
	}
	say("%s reaches %s", name, reached[found]);
}

static void blocked_from_bind(void)
{
	int a;

	section("a device without an attachment is DMA-blocked, from the moment of BIND");
	a = open_cdev(A);
	bind_to(a, iommufd, "A");
	reach(a, "A");
	attach(a, ioas[0], "A to the first IOAS");
	reach(a, "A");
	attach(a, ioas[1], "A to the second IOAS");
	reach(a, "A");
	detach(a, "A");
	reach(a, "A");
	CLOSE(a);
}

static void what_it_may(int a, const char *when)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_region_info region = {.argsz = sizeof(region),
					  .index = VFIO_PCI_CONFIG_REGION_INDEX};
	struct vfio_irq_info irq = {.argsz = sizeof(irq)};
	uint16_t command = 0;
	long ret;

	say("%s:", when);
	say_call(ioctl(a, VFIO_DEVICE_GET_INFO, &info), "GET_INFO");
	say_call(ioctl(a, VFIO_DEVICE_GET_REGION_INFO, &region), "GET_REGION_INFO");
	say_call(ioctl(a, VFIO_DEVICE_GET_IRQ_INFO, &irq), "GET_IRQ_INFO");
	ret = pread(a, &command, sizeof(command), (off_t)region.offset + PCI_COMMAND);
	say_call(ret, "pread of config space");
	ret = pwrite(a, &command, sizeof(command), (off_t)region.offset + PCI_COMMAND);
	say_call(ret, "pwrite of config space");
}

static void before_and_after(void)
{
	int a;

	section("what a device fd may do before BIND, after BIND, after ATTACH");
	a = open_cdev(A);
	what_it_may(a, "before BIND");
	attach(a, ioas[0], "A");
	detach(a, "A");
	bind_to(a, iommufd, "A");
	what_it_may(a, "after BIND");
	bind_to(a, iommufd, "A again");
	detach(a, "A");
	attach(a, ioas[0], "A");
	what_it_may(a, "after ATTACH");
	bind_to(a, iommufd, "A again");
	CLOSE(a);
}

static void isolated(void)
{
	int a, b;

	section("a group is isolated as long as each of its devices is blocked or attached within "
		"one iommufd");
	a = open_cdev(A);
	b = open_cdev(B);
	bind_to(a, iommufd, "A");
	bind_to(b, iommufd, "B");
	reach(a, "A");
	reach(b, "B");
	attach(a, ioas[0], "A to the first IOAS");
	reach(a, "A");
	reach(b, "B");
	attach(b, ioas[1], "B to the second IOAS");
	attach(b, ioas[0], "B to the first IOAS");
	reach(b, "B");

	section("detaching one device does not stop its neighbours");
	detach(a, "A");
	reach(a, "A");
	reach(b, "B");
	attach(a, ioas[0], "A to the first IOAS");
	CLOSE(b);
	reach(a, "A");
	b = open_cdev(B);
	bind_to(b, iommufd, "B");
	reach(b, "B");
	CLOSE(a);
	reach(b, "B");

	section("replacing");
	a = open_cdev(A);
	bind_to(a, iommufd, "A");
	attach(a, ioas[0], "A to the first IOAS");
	attach(b, ioas[0], "B to the first IOAS");
	attach(a, ioas[1], "A to the second IOAS");
	reach(a, "A");
	reach(b, "B");
	attach(b, ioas[1], "B to the second IOAS");
	detach(a, "A");
	attach(b, ioas[0], "B to the first IOAS");
	reach(a, "A");
	reach(b, "B");
	detach(b, "B");
	reach(a, "A");
	reach(b, "B");
	CLOSE(a);
	CLOSE(b);
}

static void another_iommufd(void)
{
	int a, b;

	section("another iommufd may not take a neighbour (EPERM)");
	a = open_cdev(A);
	b = open_cdev(B);
	bind_to(a, iommufd, "A");
	bind_to(b, other_iommufd, "B to another iommufd");
	attach(a, ioas[0], "A to the first IOAS");
	bind_to(b, other_iommufd, "B to another iommufd");
	detach(a, "A");
	bind_to(b, other_iommufd, "B to another iommufd");
	CLOSE(a);
	bind_to(b, other_iommufd, "B to another iommufd");
	attach(b, ioas[0], "B to an IOAS of the first");
	CLOSE(b);
}

static void native_driver(void)
{
	int a;

	section("a native driver may not either (EBUSY)");
	pci_bind(B, NULL);
	sysfs_write("e1000e", "devices/%s/driver_override", B);
	a = open_cdev(A);
	bind_to(a, iommufd, "A");
	sysfs_write(B, "drivers/e1000e/bind");
	attach(a, ioas[0], "A to the first IOAS");
	sysfs_write(B, "drivers/e1000e/bind");
	detach(a, "A");
	sysfs_write(B, "drivers/e1000e/bind");
	pci_bind(B, "vfio-pci");
	CLOSE(a);
}

/* B goes and is found again while A is attached. */
static void newcomer(void)
{
	int a, b;

	section("a device that joins the group of an attached one");
	a = open_cdev(A);
	bind_to(a, iommufd, "A");
	attach(a, ioas[0], "A to the first IOAS");
	sysfs_write("1", "devices/%s/remove", B);
	reach(a, "A");
	sysfs_write("1", "rescan");
	pci_bind(B, "vfio-pci");
	b = open_cdev(B);
	bind_to(b, other_iommufd, "B to another iommufd");
	bind_to(b, iommufd, "B");
	reach(b, "B");
	CLOSE(a);
	reach(b, "B");
	CLOSE(b);
}

static void behind_a_bridge(void)
{
	int c, d;

	section("behind a bridge to conventional PCI");
	c = open_cdev(C);
	d = open_cdev(D);
	bind_to(c, iommufd, "C");
	bind_to(d, iommufd, "D");
	reach(c, "C");
	attach(c, ioas[0], "C to the first IOAS");
	reach(c, "C");
	reach(d, "D");
	attach(d, ioas[1], "D to the second IOAS");
	attach(d, ioas[0], "D to the first IOAS");
	attach(d, ioas[1], "D to the second IOAS");
	reach(c, "C");
	reach(d, "D");
	detach(c, "C");
	reach(c, "C");
	detach(d, "D");
	reach(d, "D");
	CLOSE(c);
	CLOSE(d);
}

int main(void)
{
	case_begin_without_names();
	pci_all_to_vfio(A, B, C, D, NULL);
	iommufd = must_open("/dev/iommu");
	other_iommufd = must_open("/dev/iommu");
	for (unsigned int i = 0; i < 2; i++) {
		ioas[i] = must_ioas(iommufd);
		memory[i] = engine_memory(iommufd, ioas[i]);
	}
	blocked_from_bind();
	before_and_after();
	isolated();
	another_iommufd();
	native_driver();
	newcomer();
	behind_a_bridge();
	return 0;
}
