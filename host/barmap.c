/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What mmap of a device file is to the kernel. FUSE files cannot be mapped onto memory of ours, so
 * the preload asks for the memory itself, with the arguments of the mmap it was called for, and
 * gets the errnos of that mmap. A range that is no RAM from end to end is refused: there is nothing
 * to map, and such a region was not offered as mappable.
 */
#include "host/barmap.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/file.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"
#include "host/host.h"
#include "host/ram.h"
#include "uapi/softvfio.h"

#define PAGE 4096ull
/*
 * VFIO's device files: the region's index above bit 40 of an offset, the offset in the region
 * below.
 */
#define REGION_SHIFT 40

/* The memory of region bytes [offset, offset + length). */
static int find_ram(struct svf_call *call, const struct svf_device_file *df,
		    struct svf_preload_ram *arg, struct svf_host_ram **ret)
{
	uint64_t index = arg->offset >> REGION_SHIFT;
	uint64_t at = arg->offset & ((1ull << REGION_SHIFT) - 1);
	uint64_t length, end;
	const struct svf_bar *bar;

	if (arg->prot & PROT_EXEC && df->group)
		return svf_fail(call, -EPERM,
				"a device file from a group cannot be mapped for execution");
	if (index >= SVF_PCI_BARS)
		return svf_fail(call, -EINVAL, "region %u is no BAR and cannot be mapped",
				(unsigned int)index);
	bar = &df->device->fn->bars[index];
	if (!bar->ram)
		return svf_fail(call, -EINVAL, "region %u has no memory that can be mapped",
				(unsigned int)index);
	if (__builtin_add_overflow(arg->length, PAGE - 1, &length))
		return svf_fail(call, -EINVAL, "length 0x%lx is too large",
				(unsigned long)arg->length);
	length &= ~(PAGE - 1);
	if (!length || at % PAGE || __builtin_add_overflow(at, length, &end) ||
	    end > bar->ram->size)
		return svf_fail(call, -EINVAL,
				"bytes 0x%lx to 0x%lx are not all in region %u of 0x%lx bytes",
				(unsigned long)at, (unsigned long)(at + length - 1),
				(unsigned int)index, (unsigned long)bar->size);
	arg->ret_memory_offset = at;
	*ret = svf_container_of(bar->ram, struct svf_host_ram, ram);
	return 0;
}

int svf_barmap_get_ram(struct svf_request *request, struct svf_file *file)
{
	struct svf_call *call = &request->call;
	const struct svf_device_file *df;
	struct svf_preload_ram arg;
	struct svf_host_ram *ram = NULL;
	int err;

	/* iommufd can map, but only what its viommu objects offer, and there are none. */
	if (file->kind == SVF_FILE_IOMMUFD)
		return svf_fail(call, -ENXIO, "nothing of this iommufd can be mapped");
	if (file->kind != SVF_FILE_DEVICE)
		return svf_fail(call, -ENODEV, "only a device file can be mapped");
	df = svf_container_of(file, const struct svf_device_file, file);
	if (!df->access_granted)
		return svf_fail(
			call, -EINVAL,
			"the device has no security context yet; bind it to an iommufd first");
	err = svf_copy_from_user(call, &arg, request->arg, sizeof(arg));
	if (err)
		return err;
	if (arg.argsz < sizeof(arg))
		return svf_fail(call, -EINVAL, "argsz is %u, at least %zu is needed", arg.argsz,
				sizeof(arg));
	err = find_ram(call, df, &arg, &ram);
	if (err)
		return err;
	err = svf_copy_to_user(call, request->arg, &arg, sizeof(arg));
	if (err)
		return err;
	request->ret_ram = ram;
	return 0;
}
