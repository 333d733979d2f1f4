/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of the device-centric model, each in both: with one attachment for the devices of a
 * group, as Linux has it, and with group-attach=per-device. Where a test asks per_device, there
 * they differ. docs/device-centric.md explains both.
 *
 * a and b are in one group and have requester ids of their own; c and d are behind a bridge to
 * conventional PCI, whose id they share. Two IOASes have different memory at the same IOVA.
 */
#include "vfio_fixture.h"

#include <linux/pci_regs.h>

#include "core/iommu/iova_space.h"
#include "core/iommu/requester.h"
#include "core/pci/hotplug.h"
#include "topo_fixture.h"

#define A	 "0000:01:00.0"
#define B	 "0000:01:00.1"
#define C	 "0000:03:00.0"
#define D	 "0000:03:01.0"
#define BRIDGE	 "0000:02:00.0"

#define OTHER_FD 5
#define IOVA	 0x100000ull
#define WINDOW	 SVF_MSI_WINDOW_FIRST
#define PAGE	 4096u

static bool per_device;
static struct svf_machine *machine;
static struct svf_file *iommufd, *other, *a, *b, *c, *d;
static uint32_t ioas[2];
static uint8_t *memory[2];

/* --- a client's calls --- */

static struct svf_file *open_iommufd(int fd)
{
	struct svf_call call = test_call(machine);
	struct svf_file *file;

	assert_int_equal(svf_iommufd_open(machine, &call, &file), 0);
	test_fd_file(fd, file);
	return file;
}

static uint32_t ioas_alloc(void)
{
	struct iommu_ioas_alloc arg = {.size = sizeof(arg)};

	assert_int_equal(test_ioctl(iommufd, IOMMU_IOAS_ALLOC, &arg, sizeof(arg)), 0);
	return arg.out_ioas_id;
}

static long map(uint32_t id, void *p, uint64_t iova)
{
	struct iommu_ioas_map arg = {.size = sizeof(arg),
				     .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
					      IOMMU_IOAS_MAP_WRITEABLE,
				     .ioas_id = id,
				     .user_va = (uintptr_t)p,
				     .length = PAGE,
				     .iova = iova};

	return test_ioctl(iommufd, IOMMU_IOAS_MAP, &arg, sizeof(arg));
}

static long unmap(uint32_t id, uint64_t iova)
{
	struct iommu_ioas_unmap arg = {
		.size = sizeof(arg), .ioas_id = id, .iova = iova, .length = PAGE};

	return test_ioctl(iommufd, IOMMU_IOAS_UNMAP, &arg, sizeof(arg));
}

static long destroy(uint32_t id)
{
	struct iommu_destroy arg = {.size = sizeof(arg), .id = id};

	return test_ioctl(iommufd, IOMMU_DESTROY, &arg, sizeof(arg));
}

static long bind_to(struct svf_file *file, int32_t fd)
{
	struct vfio_device_bind_iommufd arg = {.argsz = sizeof(arg), .iommufd = fd};

	return test_ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &arg, sizeof(arg));
}

/* Gives back the id of the HWPT. */
static long attach_pt(struct svf_file *file, uint32_t *pt)
{
	struct vfio_device_attach_iommufd_pt arg = {.argsz = sizeof(arg), .pt_id = *pt};
	long err = test_ioctl(file, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg, sizeof(arg));

	*pt = arg.pt_id;
	return err;
}

static long attach(struct svf_file *file, uint32_t pt)
{
	return attach_pt(file, &pt);
}

static long detach(struct svf_file *file)
{
	struct vfio_device_detach_iommufd_pt arg = {.argsz = sizeof(arg)};

	return test_ioctl(file, VFIO_DEVICE_DETACH_IOMMUFD_PT, &arg, sizeof(arg));
}

static struct svf_file *open_cdev(const char *address)
{
	struct svf_file *file;

	assert_int_equal(test_cdev_open(test_fn(machine, address), &file), 0);
	return file;
}

static struct svf_file *bound(const char *address)
{
	struct svf_file *file = open_cdev(address);

	assert_int_equal(bind_to(file, IOMMUFD_FD), 0);
	return file;
}

/* --- what a device reaches --- */

enum { NOTHING = -1, FIRST, SECOND };

/* By a write and a read of the device. */
static int reach(const char *address)
{
	static uint8_t value;
	struct svf_function *fn = test_fn(machine, address);
	uint8_t read = 0;
	int found = NOTHING;

	fn->config[PCI_COMMAND] |= PCI_COMMAND_MASTER;
	if (++value == 0)
		value++;
	memory[FIRST][0] = memory[SECOND][0] = 0;
	if (svf_dma_write(fn, IOVA, &value, 1)) {
		assert_int_equal(svf_dma_read(fn, IOVA, &read, 1), -EFAULT);
		assert_int_equal(memory[FIRST][0] + memory[SECOND][0], 0);
		return NOTHING;
	}
	for (int i = FIRST; i <= SECOND; i++)
		if (memory[i][0] == value) {
			assert_int_equal(found, NOTHING);
			found = i;
		}
	assert_int_not_equal(found, NOTHING);
	assert_int_equal(svf_dma_read(fn, IOVA, &read, 1), 0);
	assert_int_equal(read, value);
	return found;
}

static void setup_machine(void)
{
	struct svf_topology_node *port, *bridge;
	struct test_topology t;

	test_topology_init(&t);
	if (per_device)
		test_param(&t, "softvfio.group_attach", "per-device");
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" A " totalvfs=0");
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" B " totalvfs=0");
	port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "");
	bridge = test_node(&t, port, SVF_TOPOLOGY_PCIE_PCI_BRIDGE, "at=" BRIDGE);
	test_node(&t, bridge, SVF_TOPOLOGY_DEVICE, "at=" C);
	test_node(&t, bridge, SVF_TOPOLOGY_DEVICE, "at=" D);
	machine = test_topology_machine(&t);
}

static void setup(bool each)
{
	per_device = each;
	setup_machine();
	iommufd = open_iommufd(IOMMUFD_FD);
	other = open_iommufd(OTHER_FD);
	for (unsigned int i = 0; i < 2; i++) {
		ioas[i] = ioas_alloc();
		memory[i] = test_user_alloc(PAGE);
		assert_int_equal(map(ioas[i], memory[i], IOVA), 0);
	}
	a = b = c = d = NULL;
}

static int setup_shared(void **state)
{
	(void)state;
	setup(false);
	return 0;
}

static int setup_per_device(void **state)
{
	(void)state;
	setup(true);
	return 0;
}

static int teardown(void **state)
{
	struct svf_file *files[] = {a, b, c, d, other, iommufd};
	struct svf_iommu_group *group;

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(files); i++)
		if (files[i])
			svf_file_close(files[i]);
	svf_list_for_each(group, &machine->groups, link)
		assert_int_equal(group->owner_count, 0);
	assert_int_equal(machine->used.files, 0);
	assert_int_equal(machine->used.objects, 0);
	test_machine_end(machine);
	return 0;
}

static void close_file(struct svf_file **file)
{
	svf_file_close(*file);
	*file = NULL;
}

/* --- the rules --- */

static void blocked_from_bind(void **state)
{
	(void)state;
	a = open_cdev(A);
	assert_int_equal(reach(A), NOTHING);
	assert_int_equal(bind_to(a, IOMMUFD_FD), 0);
	assert_int_equal(reach(A), NOTHING);
	assert_int_equal(attach(a, ioas[0]), 0);
	assert_int_equal(reach(A), FIRST);
	assert_int_equal(attach(a, ioas[1]), 0);
	assert_int_equal(reach(A), SECOND);
	assert_int_equal(detach(a), 0);
	assert_int_equal(reach(A), NOTHING);
	assert_int_equal(attach(a, ioas[0]), 0);
	close_file(&a);
	assert_int_equal(reach(A), NOTHING);
}

static long get_info(struct svf_file *file)
{
	struct vfio_device_info arg = {.argsz = sizeof(arg)};

	return test_ioctl(file, VFIO_DEVICE_GET_INFO, &arg, sizeof(arg));
}

static void before_and_after(void **state)
{
	uint32_t value;

	(void)state;
	a = open_cdev(A);
	assert_fails(get_info(a), EINVAL, "security context");
	assert_int_equal(test_read(a, 0, &value, sizeof(value)), -EINVAL);
	assert_fails(attach(a, ioas[0]), EINVAL, "security context");
	assert_fails(detach(a), EINVAL, "security context");
	assert_int_equal(bind_to(a, IOMMUFD_FD), 0);
	assert_int_equal(get_info(a), 0);
	assert_int_equal(test_read(a, 0, &value, sizeof(value)), sizeof(value));
	assert_int_equal(detach(a), 0);
	assert_fails(bind_to(a, IOMMUFD_FD), EINVAL, "bound to an iommufd already");
	assert_int_equal(attach(a, ioas[0]), 0);
	assert_int_equal(get_info(a), 0);
	assert_fails(bind_to(a, OTHER_FD), EINVAL, "bound to an iommufd already");
}

static void isolated(void **state)
{
	(void)state;
	a = bound(A);
	b = bound(B);
	assert_int_equal(reach(A), NOTHING);
	assert_int_equal(reach(B), NOTHING);
	assert_int_equal(attach(a, ioas[0]), 0);
	assert_int_equal(reach(A), FIRST);
	assert_int_equal(reach(B), per_device ? NOTHING : FIRST);
	if (!per_device) {
		assert_fails(attach(b, ioas[1]), EINVAL,
			     "has one attachment for all its devices, to HWPT");
		return;
	}
	assert_int_equal(attach(b, ioas[1]), 0);
	assert_int_equal(reach(A), FIRST);
	assert_int_equal(reach(B), SECOND);
	/* Each is told alone what is mapped, and loses alone what is unmapped. */
	assert_int_equal(unmap(ioas[0], IOVA), 0);
	assert_int_equal(reach(A), NOTHING);
	assert_int_equal(reach(B), SECOND);
	assert_int_equal(attach(a, ioas[1]), 0);
	assert_int_equal(reach(A), SECOND);
}

static void detaching(void **state)
{
	(void)state;
	a = bound(A);
	b = bound(B);
	assert_int_equal(attach(a, ioas[0]), 0);
	assert_int_equal(attach(b, ioas[0]), 0);
	assert_int_equal(detach(a), 0);
	assert_int_equal(reach(B), FIRST);
	assert_int_equal(reach(A), per_device ? NOTHING : FIRST);
	assert_int_equal(detach(a), 0);
	assert_int_equal(attach(a, ioas[0]), 0);
	close_file(&a);
	assert_int_equal(reach(B), FIRST);
	assert_fails(destroy(ioas[0]), EBUSY, "");
	assert_int_equal(detach(b), 0);
	assert_int_equal(reach(B), NOTHING);
	assert_int_equal(destroy(ioas[0]), 0);
}

static void another_iommufd(void **state)
{
	(void)state;
	a = bound(A);
	b = open_cdev(B);
	assert_fails(bind_to(b, OTHER_FD), EPERM, "already owned by another VFIO user");
	assert_int_equal(attach(a, ioas[0]), 0);
	assert_fails(bind_to(b, OTHER_FD), EPERM, "already owned by another VFIO user");
	assert_int_equal(detach(a), 0);
	assert_fails(bind_to(b, OTHER_FD), EPERM, "already owned by another VFIO user");
	close_file(&a);
	assert_int_equal(bind_to(b, OTHER_FD), 0);
	/* Ids of one iommufd mean nothing to another. */
	assert_int_equal(attach(b, 1000), -ENOENT);
}

static int bind_driver(const char *address, const char *driver)
{
	struct svf_function *fn = test_fn(machine, address);
	struct svf_call call = test_call(machine);
	int err;

	if (fn->driver)
		assert_int_equal(svf_driver_unbind(fn->driver, &call, address), 0);
	assert_int_equal(svf_function_set_driver_override(fn, &call, driver), 0);
	err = svf_driver_bind(svf_driver_lookup(machine, driver), &call, address);
	assert_int_equal(err < 0, call.reason[0] != '\0');
	return err;
}

static void native_driver(void **state)
{
	(void)state;
	a = bound(A);
	assert_int_equal(bind_driver(B, "e1000e"), -EBUSY);
	assert_int_equal(attach(a, ioas[0]), 0);
	assert_int_equal(bind_driver(B, "e1000e"), -EBUSY);
	assert_int_equal(detach(a), 0);
	assert_int_equal(bind_driver(B, "e1000e"), -EBUSY);
	close_file(&a);
	assert_int_equal(bind_driver(B, "e1000e"), 0);
	a = open_cdev(A);
	assert_fails(bind_to(a, IOMMUFD_FD), EPERM, "0000:01:00.1 is bound to e1000e");
	assert_int_equal(bind_driver(B, "vfio-pci"), 0);
	assert_int_equal(bind_to(a, IOMMUFD_FD), 0);
}

/* --- what follows from them --- */

static void replacing(void **state)
{
	uint32_t first = ioas[0], second = ioas[1], again = ioas[0];

	(void)state;
	a = bound(A);
	b = bound(B);
	assert_int_equal(attach_pt(a, &first), 0);
	/* One table for the IOAS, whoever attaches. */
	assert_int_equal(attach_pt(b, &again), 0);
	assert_int_equal(first, again);
	assert_int_equal(attach_pt(a, &second), 0);
	assert_int_equal(reach(A), SECOND);
	assert_int_equal(reach(B), per_device ? FIRST : SECOND);
	assert_int_equal(destroy(ioas[0]), per_device ? -EBUSY : 0);
	assert_int_equal(attach(b, second), 0);
	assert_int_equal(reach(B), SECOND);
	if (per_device)
		assert_int_equal(destroy(ioas[0]), 0);
	assert_fails(attach(b, 12345), ENOENT, "no object 12345");
	assert_int_equal(reach(B), SECOND);
}

/* The MSI window is reserved while a device is attached: once for each of them. */
static void reserved(void **state)
{
	uint32_t used = ioas_alloc();
	void *p = test_user_alloc(PAGE);

	(void)state;
	a = bound(A);
	b = bound(B);
	assert_int_equal(attach(a, ioas[0]), 0);
	assert_int_equal(attach(b, ioas[0]), 0);
	assert_int_equal(map(ioas[0], p, WINDOW), -EINVAL);
	assert_int_equal(detach(a), 0);
	assert_int_equal(map(ioas[0], p, WINDOW), -EINVAL);
	/* Where it is in use nobody attaches, and stays where they are. */
	assert_int_equal(map(used, p, WINDOW), 0);
	assert_fails(attach(b, used), EADDRINUSE, "MSI window");
	assert_int_equal(reach(B), FIRST);
	if (per_device) {
		assert_fails(attach(a, used), EADDRINUSE, "MSI window");
		assert_int_equal(reach(A), NOTHING);
	}
	assert_int_equal(detach(b), 0);
	assert_int_equal(map(ioas[0], p, WINDOW), 0);
}

static void behind_a_bridge(void **state)
{
	(void)state;
	c = bound(C);
	d = bound(D);
	assert_int_equal(attach(c, ioas[0]), 0);
	assert_int_equal(reach(C), FIRST);
	assert_int_equal(reach(D), FIRST);
	if (per_device)
		assert_fails(attach(d, ioas[1]), EINVAL,
			     "DMA of " D " and of " C
			     " arrives under one requester id, 0000:03:00.0, of the bridge " BRIDGE
			     ", to HWPT");
	else
		assert_fails(attach(d, ioas[1]), EINVAL, "has one attachment for all");
	assert_int_equal(attach(d, ioas[0]), 0);
	assert_int_equal(attach(d, ioas[1]), 0);
	assert_int_equal(reach(C), SECOND);
	assert_int_equal(detach(d), 0);
	assert_int_equal(reach(D), SECOND);
	assert_int_equal(detach(c), 0);
	assert_int_equal(reach(C), NOTHING);
}

/* B is not there when A attaches. */
static void newcomer(void **state)
{
	struct svf_call call = test_call(machine);

	(void)state;
	assert_int_equal(svf_function_remove(test_fn(machine, B), &call), 0);
	a = bound(A);
	assert_int_equal(attach(a, ioas[0]), 0);
	assert_int_equal(svf_bus_rescan(machine, NULL, &call), 0);
	assert_int_equal(bind_driver(B, "vfio-pci"), 0);
	assert_int_equal(reach(B), per_device ? NOTHING : FIRST);
	b = open_cdev(B);
	assert_int_equal(bind_to(b, OTHER_FD), -EPERM);
	assert_int_equal(bind_to(b, IOMMUFD_FD), 0);
	assert_int_equal(attach(b, ioas[1]), per_device ? 0 : -EINVAL);
	assert_int_equal(reach(A), FIRST);
}

/* A container attaches groups, whichever devices are opened, and those that come later. */
static void container(void **state)
{
	struct vfio_iommu_type1_dma_map arg = {.argsz = sizeof(arg),
					       .flags = VFIO_DMA_MAP_FLAG_READ |
							VFIO_DMA_MAP_FLAG_WRITE,
					       .vaddr = (uintptr_t)memory[0],
					       .iova = IOVA,
					       .size = PAGE};
	struct svf_call call = test_call(machine);
	struct test_client client;

	(void)state;
	test_client_open(&client, test_fn(machine, A));
	assert_int_equal(test_ioctl(client.container, VFIO_IOMMU_MAP_DMA, &arg, sizeof(arg)), 0);
	assert_int_equal(reach(A), FIRST);
	assert_int_equal(reach(B), FIRST);
	assert_int_equal(svf_function_remove(test_fn(machine, B), &call), 0);
	assert_int_equal(svf_bus_rescan(machine, NULL, &call), 0);
	assert_int_equal(reach(B), FIRST);
	test_client_close(&client);
	assert_int_equal(reach(A), NOTHING);
	assert_int_equal(reach(B), NOTHING);
}

/* With an iommufd for a container, devices are attached as they are opened. */
static void compat(void **state)
{
	struct iommu_vfio_ioas arg = {
		.size = sizeof(arg), .ioas_id = ioas[0], .op = IOMMU_VFIO_IOAS_SET};
	struct svf_file *group;
	int32_t fd = IOMMUFD_FD;

	(void)state;
	assert_int_equal(test_ioctl(iommufd, IOMMU_VFIO_IOAS, &arg, sizeof(arg)), 0);
	assert_int_equal(test_group_open(machine, test_fn(machine, A)->group->id, &group), 0);
	assert_int_equal(test_ioctl(group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd)), 0);
	assert_int_equal(test_get_device(group, A, &a), 0);
	assert_int_equal(reach(A), FIRST);
	assert_int_equal(reach(B), per_device ? NOTHING : FIRST);
	assert_int_equal(test_get_device(group, B, &b), 0);
	assert_int_equal(reach(B), FIRST);
	close_file(&a);
	assert_int_equal(reach(A), per_device ? NOTHING : FIRST);
	assert_int_equal(reach(B), FIRST);
	close_file(&b);
	svf_file_close(group);
}

/* Faults are counted where they come from, so that one device cannot hide another's. */
static void faults(void **state)
{
	struct svf_function *fn = test_fn(machine, A);
	uint8_t byte = 0;

	(void)state;
	a = bound(A);
	b = bound(B);
	assert_int_equal(reach(A), NOTHING);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(svf_dma_read(fn, IOVA, &byte, 1), -EFAULT);
	assert_true(test_log_has("Request device [" A "] fault addr 0x100000"));
	test_log_clear();
	assert_int_equal(reach(B), NOTHING);
	assert_int_equal(test_log_has("Request device [" B "] fault addr 0x100000"), per_device);
	assert_int_equal(attach(b, ioas[0]), 0);
	assert_int_equal(test_fn(machine, B)->requester->faults, 0);
	assert_int_equal(fn->requester->faults, per_device ? 22 : 0);
}

#define RULE(name, function, model)                                                                \
	{                                                                                          \
		name, function, setup_##model, teardown, NULL                                      \
	}
#define BOTH(name, function)                                                                       \
	RULE(name, function, shared), RULE(name " (per-device)", function, per_device)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH("a device without an attachment is DMA-blocked, from the moment of BIND",
		     blocked_from_bind),
		BOTH("what a device fd may do before BIND, after BIND, after ATTACH",
		     before_and_after),
		BOTH("a group is isolated as long as each of its devices is blocked or attached "
		     "within one iommufd",
		     isolated),
		BOTH("detaching one device does not stop its neighbours", detaching),
		BOTH("another iommufd may not take a neighbour (EPERM)", another_iommufd),
		BOTH("a native driver may not either (EBUSY)", native_driver),
		BOTH("replacing", replacing),
		BOTH("reserved ranges", reserved),
		BOTH("behind a bridge to conventional PCI", behind_a_bridge),
		BOTH("a device that joins the group of an attached one", newcomer),
		BOTH("a container attaches whole groups", container),
		BOTH("an iommufd as a container", compat),
		BOTH("faults", faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
