/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzer of config space: a function is made from an arbitrary lspci dump, so every capability chain
 * and every BAR may be nonsense; then its config space is written and read through a device file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/iommu/group.h"
#include "core/pci/function.h"
#include "core/pci/topology.h"
#include "core/vfio/device.h"
#include "tests/unit/port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input's first bytes drive the accesses, the rest is the text of the dump. */
#define SCRIPT 64

static struct svf_machine *machine_build(const char *dump)
{
	struct svf_machine *machine = test_machine();
	struct svf_topology topology = {0};
	struct svf_topology_error error;
	struct svf_topology_option option = {.key = "dump", .value = dump};
	struct svf_topology_node node = {.kind = SVF_TOPOLOGY_DEVICE, .model = "null", .acs = -1};

	svf_list_init(&topology.roots);
	svf_list_init(&topology.params);
	svf_list_init(&node.children);
	svf_list_init(&node.options);
	svf_list_add_tail(&node.options, &option.link);
	svf_list_add_tail(&topology.roots, &node.link);
	if (svf_machine_build(machine, &topology, &error) == 0)
		return machine;
	test_machine_end(machine);
	return NULL;
}

static struct svf_function *device_function(struct svf_machine *machine)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &machine->functions, machine_link) {
		if (fn->device)
			return fn;
	}
	return NULL;
}

static void access_config(struct svf_file *file, struct svf_machine *machine, const uint8_t *script)
{
	for (int i = 0; i + 8 <= SCRIPT; i += 8) {
		struct svf_call call = test_call(machine);
		uint64_t offset = 7ull << 40 | (script[i] << 8 & 0xf00) | script[i + 1];
		uint8_t buf[4];

		memcpy(buf, script + i + 4, sizeof(buf));
		(void)!svf_file_write(file, &call, buf, script[i + 2] % 5u, offset);
		(void)!svf_file_read(file, &call, buf, script[i + 3] % 5u, offset);
	}
}

static void drive(struct svf_machine *machine, struct svf_function *fn, const uint8_t *script)
{
	struct svf_call call = test_call(machine);
	struct svf_file *container, *group, *device = NULL;
	int32_t fd = 3;

	if (svf_container_open(machine, &call, &container))
		abort();
	test_fd_file(fd, container);
	if (svf_group_open(machine, &call, fn->group->id, &group) == 0) {
		char name[SVF_BDF_TEXT_SIZE];
		void *text = test_user_alloc(4096);
		struct svf_call get = test_call(machine);

		snprintf(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
		memcpy(text, name, sizeof(name));
		get.can_return_fd = true;
		if (test_ioctl(group, VFIO_GROUP_SET_CONTAINER, &fd, sizeof(fd)) == 0 &&
		    test_ioctl_value(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0 &&
		    svf_file_ioctl(group, &get, VFIO_GROUP_GET_DEVICE_FD, (uintptr_t)text) == 0)
			device = get.ret_file;
		if (device)
			access_config(device, machine, script);
		svf_file_close(device);
		svf_file_close(group);
	}
	svf_file_close(container);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct svf_machine *machine;
	struct svf_function *fn;
	char *dump;

	if (size < SCRIPT)
		return 0;
	dump = malloc(size - SCRIPT + 1);
	memcpy(dump, data + SCRIPT, size - SCRIPT);
	dump[size - SCRIPT] = '\0';
	machine = machine_build(dump);
	fn = machine ? device_function(machine) : NULL;
	if (fn)
		drive(machine, fn, data);
	if (machine)
		test_machine_end(machine);
	free(dump);
	return 0;
}
