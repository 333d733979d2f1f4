/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mapping BARs. To a client a mapping is one thing; what it consists of are runs of pages (core/pci/pages.h), each of
 * which is mapped its way: memory, memory for loads only, or nothing, where each access is to reach the function.
 *
 * All of a memory BAR can be mapped where accesses to its pages can be trapped. A process that runs virtual machines cannot
 * do that: its guest's loads and stores raise no signal. It is offered the pages that are RAM, and where these are not
 * all it is told which (VFIO_REGION_INFO_CAP_SPARSE_MMAP, as drivers of Linux do whose BARs cannot be mapped whole);
 * the others it reads and writes by the file, as VMMs do anyway.
 */
#include <errno.h>

#include "core/pci/pages.h"
#include "core/vfio/vfio_pci.h"

#define PAGE_SIZE 4096u

/* Of a BAR smaller than a page all of that page is mapped, if it is memory: no other BAR is in it. */
static bool is_mappable(const struct svf_bar *bar)
{
	if (bar->kind != SVF_BAR_MEM32 && bar->kind != SVF_BAR_MEM64)
		return false;
	return bar->address && bar->address % PAGE_SIZE == 0 &&
	       (bar->size >= PAGE_SIZE || bar->ram);
}

bool svf_device_mmap_area(const struct svf_bar *bar, const struct svf_call *call, uint64_t offset,
			  struct vfio_region_sparse_mmap_area *ret)
{
	if (!is_mappable(bar))
		return false;
	if (call->offer_traps) {
		*ret = (struct vfio_region_sparse_mmap_area){.size = bar->size};
		return !offset;
	}
	while (offset < bar->size) {
		uint64_t end;

		if (svf_pages_at(bar, offset, &end) == SVF_PAGES_RAM) {
			*ret = (struct vfio_region_sparse_mmap_area){.offset = offset,
								     .size = end - offset};
			return true;
		}
		offset = end;
	}
	return false;
}

static int find_bar(const struct svf_function *fn, struct svf_call *call, uint64_t index,
		    bool shared, const struct svf_bar **ret)
{
	if (index >= VFIO_PCI_NUM_REGIONS)
		return svf_fail(call, -EINVAL, "region index %lu does not exist",
				(unsigned long)index);
	if (!shared)
		return svf_fail(call, -EINVAL, "a region can only be mapped MAP_SHARED");
	if (index >= VFIO_PCI_ROM_REGION_INDEX)
		return svf_fail(call, -EINVAL,
				"region %lu cannot be mapped, only BARs can; use pread and pwrite",
				(unsigned long)index);
	if (!is_mappable(&fn->bars[index]))
		return svf_fail(call, -EINVAL,
				"BAR %lu of " SVF_BDF_FMT
				" cannot be mapped: there is none, or it is not memory",
				(unsigned long)index, SVF_BDF_ARG(fn->bdf));
	*ret = &fn->bars[index];
	return 0;
}

/* Without trapped pages all of the range must be RAM. */
static int check_traps(struct svf_call *call, const struct svf_bar *bar, uint64_t pos,
		       uint64_t length)
{
	uint64_t end;

	if (call->offer_traps || (svf_pages_at(bar, pos, &end) == SVF_PAGES_RAM &&
				  (end == bar->size || length <= end - pos)))
		return 0;
	return svf_fail(
		call, -EINVAL,
		"accesses to part of 0x%lx bytes at 0x%lx are to reach the function, and a process "
		"that has "
		"/dev/kvm open cannot map that; map what GET_REGION_INFO says, and read and "
		"write the rest",
		(unsigned long)length, (unsigned long)pos);
}

int svf_device_mmap(struct svf_file *file, struct svf_call *call, uint64_t offset, uint64_t length,
		    bool shared, struct svf_device_map *ret)
{
	const struct svf_device *device = svf_device_of_file(file);
	uint64_t index = offset >> SVF_REGION_SHIFT, pos = offset & SVF_REGION_MASK, mappable, end;
	const struct svf_bar *bar;
	enum svf_page_kind kind;
	int err = find_bar(device->fn, call, index, shared, &bar);

	if (err)
		return err;
	mappable = (bar->size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	if (!length || pos >= mappable || length > mappable - pos)
		return svf_fail(call, -EINVAL,
				"a mapping of 0x%lx bytes at 0x%lx passes the end of BAR %lu, "
				"which has 0x%lx bytes",
				(unsigned long)length, (unsigned long)pos, (unsigned long)index,
				(unsigned long)bar->size);
	err = check_traps(call, bar, pos, length);
	if (err)
		return err;
	kind = svf_pages_at(bar, pos, &end);
	if (end == bar->size)
		end = mappable;
	*ret = (struct svf_device_map){.ram = svf_pages_ram(bar, kind),
				       .offset = pos,
				       .length = length < end - pos ? length : end - pos,
				       .loads_only = kind == SVF_PAGES_READ_RAM};
	return 0;
}
