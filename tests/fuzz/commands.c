/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzer of the whole core by its front door: the input is a program of a hostile client. Each step
 * opens a node, closes a file, makes an ioctl with a structure of arbitrary bytes, reads, writes, or
 * does what an administrator does in sysfs. The commands are those of the table, and now and then any
 * number. When the program ends all files are closed and the port checks that nothing is left.
 *
 * The client's memory lies at a fixed low address, so that a mutated byte makes a pointer into it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/command.h"
#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/pci/topology.h"
#include "core/vfio/device.h"
#include "tests/unit/port.h"
#include "uapi/iommufd.h"

#define FILES	    32
#define EVENTS	    4
#define MEMORY	    ((uint64_t)0x10000000)
#define MEMORY_SIZE 0x10000u
#define STRUCT_MAX  96

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static uint64_t take64(struct input *in)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | take(in);
	return value;
}

struct fuzz {
	struct svf_machine *machine;
	struct svf_file *files[FILES]; /* descriptor number = index */
};

#define OPTIONS 4

/* A device of the machine, with its storage. Small BARs: they are cleared for each program. */
struct device {
	struct svf_topology_node node;
	struct svf_topology_option options[OPTIONS];
};

static void add_device(struct svf_topology *topology, struct device *device, const char *const (*options)[2])
{
	device->node = (struct svf_topology_node){ .kind = SVF_TOPOLOGY_DEVICE, .model = "null", .acs = -1 };
	svf_list_init(&device->node.children);
	svf_list_init(&device->node.options);
	for (int i = 0; i < OPTIONS && options[i][0]; i++) {
		device->options[i] = (struct svf_topology_option){ .key = options[i][0],
								   .value = options[i][1] };
		svf_list_add_tail(&device->node.options, &device->options[i].link);
	}
	svf_list_add_tail(&topology->roots, &device->node.link);
}

/* A PF with two VFs, a function of its own, and a conventional one with INTx. */
static struct svf_machine *machine_build(void)
{
	static const char *const options[][OPTIONS][2] = {
		{ { "vfs", "2" }, { "bar0", "4K" }, { "vfbar0", "4K" } },
		{ { "totalvfs", "0" }, { "bar0", "4K" }, { "msi", "4" } },
		{ { "totalvfs", "0" }, { "bar0", "4K" }, { "intx", "A" }, { "pcie", "off" } },
	};
	struct svf_machine *machine = test_machine();
	struct svf_topology topology = { 0 };
	struct svf_topology_error error;
	struct device devices[SVF_ARRAY_SIZE(options)];

	svf_list_init(&topology.roots);
	svf_list_init(&topology.params);
	for (size_t i = 0; i < SVF_ARRAY_SIZE(options); i++)
		add_device(&topology, &devices[i], options[i]);
	if (svf_machine_build(machine, &topology, &error)) {
		fprintf(stderr, "%s\n", error.text);
		abort();
	}
	return machine;
}

static struct svf_function *nth_function(struct svf_machine *machine, unsigned int n)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &machine->functions, machine_link) {
		if (n-- == 0)
			return fn;
	}
	return NULL;
}

/* Gives the file a descriptor, which it returns; -1, and the file is closed, when there is none left. */
static int keep(struct fuzz *f, struct svf_file *file)
{
	for (int i = 0; i < FILES; i++) {
		if (!f->files[i]) {
			f->files[i] = file;
			test_fd_file(i, file);
			return i;
		}
	}
	svf_file_close(file);
	return -1;
}

static void step_open(struct fuzz *f, struct input *in)
{
	struct svf_call call = test_call(f->machine);
	struct svf_file *file = NULL;
	unsigned int kind = take(in) % 4, n = take(in) % 16;
	int err;

	if (kind == 0)
		err = svf_container_open(f->machine, &call, &file);
	else if (kind == 1)
		err = svf_iommufd_open(f->machine, &call, &file);
	else if (kind == 2)
		err = svf_group_open(f->machine, &call, n, &file);
	else
		err = svf_cdev_open(f->machine, &call, n, &file);
	if (!err)
		keep(f, file);
}

static void step_close(struct fuzz *f, struct input *in)
{
	unsigned int i = take(in) % FILES;

	if (!f->files[i])
		return;
	test_fd_close((int)i);
	svf_file_close(f->files[i]);
	f->files[i] = NULL;
}

static const struct svf_command *pick_command(const struct svf_file *file, uint8_t choice)
{
	size_t n = 0;

	for (size_t i = 0; i < svf_commands_count; i++)
		n += svf_commands[i].kind == file->kind;
	choice = (uint8_t)(choice % n);
	for (size_t i = 0; i < svf_commands_count; i++) {
		if (svf_commands[i].kind == file->kind && choice-- == 0)
			return &svf_commands[i];
	}
	return NULL;
}

static void step_ioctl(struct fuzz *f, struct input *in)
{
	struct svf_file *file = f->files[take(in) % FILES];
	struct svf_call call = test_call(f->machine);
	uint8_t choice = take(in), length = (uint8_t)(take(in) % STRUCT_MAX);
	uint64_t arg = MEMORY + take(in) * 8u;
	const struct svf_command *command;
	long ret;

	if (!file)
		return;
	command = pick_command(file, choice);
	for (uint8_t i = 0; i < length; i++)
		((uint8_t *)(uintptr_t)arg)[i] = take(in);
	if (command->flags & SVF_COMMAND_ARG_VALUE)
		arg = take(in);
	call.can_return_fd = true;
	call.offer_mmap = choice & 1;
	do
		ret = svf_file_ioctl(file, &call, choice == 0xff ? (uint32_t)take64(in) : command->number, arg);
	while (ret == SVF_RESTART);
	/* The rule of the house: no errno without a reason. */
	if (ret < 0 && !call.reason[0])
		abort();
	if (ret >= 0 && call.ret_file)
		keep(f, call.ret_file);
}

static void step_io(struct fuzz *f, struct input *in)
{
	struct svf_file *file = f->files[take(in) % FILES];
	struct svf_call call = test_call(f->machine);
	uint64_t offset = (uint64_t)(take(in) % 10) << 40 | (take64(in) & 0x1fff);
	uint8_t buf[64] = { 0 };
	size_t len = take(in) % sizeof(buf);
	bool write = take(in) & 1;

	if (!file)
		return;
	for (size_t i = 0; write && i < len; i++)
		buf[i] = take(in);
	if ((write ? svf_file_write(file, &call, buf, len, offset) :
		     svf_file_read(file, &call, buf, len, offset)) > (ssize_t)len)
		abort();
}

static void step_admin(struct fuzz *f, struct input *in)
{
	struct svf_call call = test_call(f->machine);
	struct svf_function *fn = nth_function(f->machine, take(in) % 8);
	uint8_t what = take(in);
	char text[32];

	if (!fn)
		return;
	snprintf(text, sizeof(text), SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
	if (what % 4 == 0 && svf_function_is_pf(fn))
		(void)!svf_sriov_set_numvfs(fn, &call, take(in) % 10);
	else if (what % 4 == 1 && fn->driver && !fn->interconnect)
		(void)!svf_driver_unbind(fn->driver, &call, text);
	else if (what % 4 == 2)
		(void)!svf_drivers_probe(f->machine, &call, text);
	else
		svf_config_write(fn, take(in) % 64u * 4, 4, (uint32_t)take64(in));
}

static void call_with(struct fuzz *f, struct svf_file *file, uint32_t command, const void *arg, size_t size)
{
	struct svf_call call = test_call(f->machine);
	long ret;

	memcpy((void *)(uintptr_t)MEMORY, arg, size);
	call.can_return_fd = true;
	do
		ret = svf_file_ioctl(file, &call, command, MEMORY);
	while (ret == SVF_RESTART);
	if (ret >= 0 && call.ret_file)
		keep(f, call.ret_file);
}

/* The two ways to a device as an honest client goes them, so that programs get beyond the first refusals. */
static void step_legacy(struct fuzz *f, struct input *in)
{
	struct svf_function *fn = nth_function(f->machine, take(in) % 8);
	struct svf_call call = test_call(f->machine);
	struct svf_file *container, *group;
	char name[SVF_BDF_TEXT_SIZE] = "";
	int32_t fd;

	if (!fn || svf_container_open(f->machine, &call, &container))
		return;
	fd = keep(f, container);
	if (fd < 0 || svf_group_open(f->machine, &call, fn->group->id, &group) || keep(f, group) < 0)
		return;
	call_with(f, group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd));
	(void)!svf_file_ioctl(container, &call, VFIO_SET_IOMMU, take(in) & 1 ? 1 : 3);
	snprintf(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
	call_with(f, group, VFIO_GROUP_GET_DEVICE_FD, name, sizeof(name));
}

static void step_bound(struct fuzz *f, struct input *in)
{
	struct svf_function *fn = nth_function(f->machine, take(in) % 8);
	struct vfio_device_bind_iommufd bind = { .argsz = 16 };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = 12, .pt_id = take(in) % 4u };
	struct svf_call call = test_call(f->machine);
	struct svf_file *iommufd, *cdev;

	if (!fn || !fn->device || svf_iommufd_open(f->machine, &call, &iommufd))
		return;
	bind.iommufd = keep(f, iommufd);
	if (bind.iommufd < 0 || svf_cdev_open(f->machine, &call, fn->device->minor, &cdev) || keep(f, cdev) < 0)
		return;
	call_with(f, cdev, VFIO_DEVICE_BIND_IOMMUFD, &bind, sizeof(bind));
	call_with(f, iommufd, IOMMU_IOAS_ALLOC, &alloc, sizeof(alloc));
	call_with(f, cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, sizeof(attach));
}

/* What a device would do on its own, whenever. */
static void step_dma(struct fuzz *f, struct input *in)
{
	struct svf_function *fn = nth_function(f->machine, take(in) % 8);
	uint8_t buf[64] = { 0 };
	uint64_t iova = take64(in);

	if (!fn)
		return;
	(void)!svf_dma_read(fn, iova, buf, take(in) % sizeof(buf));
	(void)!svf_dma_write(fn, iova, buf, take(in) % sizeof(buf));
}

static void map_memory(void)
{
	static bool mapped;

	if (!mapped && mmap((void *)(uintptr_t)MEMORY, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		abort();
	mapped = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const steps[])(struct fuzz *, struct input *) = {
		step_open, step_close, step_ioctl, step_ioctl,	step_ioctl,
		step_io,   step_admin, step_dma,   step_legacy, step_bound,
	};
	struct input in = { data, size };
	struct fuzz f = { .machine = machine_build() };

	map_memory();
	test_user_add(MEMORY, MEMORY_SIZE, true);
	test_fd_restart(take(&in) & 1);
	for (int i = 0; i < EVENTS; i++)
		test_fd_event(FILES + i, test_event());
	while (in.size)
		steps[take(&in) % SVF_ARRAY_SIZE(steps)](&f, &in);
	for (int i = 0; i < FILES; i++)
		svf_file_close(f.files[i]);
	test_machine_end(f.machine);
	return 0;
}
