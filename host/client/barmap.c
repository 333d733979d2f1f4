/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What mmap of a device file is to the kernel. FUSE files cannot be mapped onto memory of ours, so
 * the preload asks for the memory itself, with the arguments of the mmap it was called for, and
 * gets the errnos of that mmap. Where there is no memory, since each access is to reach the function,
 * the answer is ENODATA, and the preload traps them; a process that runs virtual machines cannot.
 */
#include "host/client/barmap.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/file.h"
#include "core/iommufd/iommufd.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"
#include "host/client/process.h"
#include "host/client/ram.h"
#include "host/host.h"
#include "uapi/softvfio.h"

#define PAGE 4096ull

/* Whole pages, as mmap maps them. */
static int check_pages(struct svf_call *call, struct svf_preload_ram *arg)
{
	uint64_t length;

	if (!arg->length || arg->offset % PAGE)
		return svf_fail(call, -EINVAL, "offset 0x%lx is not that of a page, or length is 0",
				(unsigned long)arg->offset);
	if (__builtin_add_overflow(arg->length, PAGE - 1, &length))
		return svf_fail(call, -EINVAL, "length 0x%lx is too large",
				(unsigned long)arg->length);
	arg->length = length & ~(PAGE - 1);
	return 0;
}

/* What the first pages of the range are. */
static int find_pages(struct svf_request *request, struct svf_file *file,
		      struct svf_preload_ram *arg, struct svf_device_map *ret)
{
	const struct svf_device_file *df =
		svf_container_of(file, const struct svf_device_file, file);
	struct svf_call *call = &request->call;
	int err;

	if (arg->prot & PROT_EXEC && df->group)
		return svf_fail(call, -EPERM,
				"a device file from a group cannot be mapped for execution");
	err = check_pages(call, arg);
	if (err)
		return err;
	call->offer_traps = !svf_process_has_kvm(call->pid);
	return svf_device_mmap(file, call, arg->offset, arg->length, true, ret);
}

static int read_arg(struct svf_request *request, struct svf_preload_ram *arg)
{
	struct svf_call *call = &request->call;
	int err = svf_copy_from_user(call, arg, request->arg, sizeof(*arg));

	if (!err && arg->argsz < sizeof(*arg))
		err = svf_fail(call, -EINVAL, "argsz is %u, at least %zu is needed", arg->argsz,
			       sizeof(*arg));
	return err;
}

/* An iommufd maps what its vIOMMUs show, whole and not for execution. */
static int get_viommu_ram(struct svf_request *request, struct svf_file *file)
{
	struct svf_call *call = &request->call;
	struct svf_preload_ram arg;
	struct svf_ram *ram = NULL;
	int err = read_arg(request, &arg);

	if (!err && arg.prot & PROT_EXEC)
		err = svf_fail(call, -EPERM, "an iommufd cannot be mapped for execution");
	if (!err)
		err = svf_ictx_mmap(file, call, arg.offset, (arg.length + (PAGE - 1)) & ~(PAGE - 1),
				    &ram);
	if (err)
		return err;
	arg.ret_memory_offset = 0;
	arg.ret_length = arg.length;
	arg.ret_flags = 0;
	err = svf_copy_to_user(call, request->arg, &arg, sizeof(arg));
	if (!err)
		request->ret_ram = svf_container_of(ram, struct svf_host_ram, ram);
	return err;
}

int svf_barmap_get_ram(struct svf_request *request, struct svf_file *file)
{
	struct svf_call *call = &request->call;
	const struct svf_device_file *df;
	struct svf_preload_ram arg;
	struct svf_device_map map;
	int err;

	if (file->kind == SVF_FILE_IOMMUFD)
		return get_viommu_ram(request, file);
	if (file->kind != SVF_FILE_DEVICE)
		return svf_fail(call, -ENODEV, "only a device file can be mapped");
	df = svf_container_of(file, const struct svf_device_file, file);
	if (!df->access_granted)
		return svf_fail(
			call, -EINVAL,
			"the device has no security context yet; bind it to an iommufd first");
	err = read_arg(request, &arg);
	if (err)
		return err;
	err = find_pages(request, file, &arg, &map);
	if (err)
		return err;
	arg.ret_memory_offset = map.offset;
	arg.ret_length = map.length;
	arg.ret_flags = map.loads_only ? SVF_PRELOAD_LOADS_ONLY : 0;
	err = svf_copy_to_user(call, request->arg, &arg, sizeof(arg));
	if (err)
		return err;
	if (!map.ram)
		return -ENODATA; /* between us and the preload: nothing has failed */
	request->ret_ram = svf_container_of(map.ram, struct svf_host_ram, ram);
	return 0;
}
