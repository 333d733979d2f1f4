/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions of a device file: what GET_REGION_INFO says of them, and access by read and write.
 *
 *   index 0 to 5  BARs      read, write; mappable as mmap.c says
 *   6             ROM       read; only shown when it begins with an image
 *   7             config    vconfig.c
 *   8             VGA       read, write; of a VGA device: legacy memory and ports
 *
 * An offset is index << 40 plus the offset in the region. Accesses to BARs end at the end of the
 * region (short), start within it (EINVAL), and are cut into naturally aligned pieces of at most
 * 8 bytes (4 in ROM and VGA) that the function sees one by one. Memory BARs and the ROM answer EIO
 * while memory decoding is off or the function is in D3hot; I/O BARs then read as ones, VGA does
 * not care. The MSI-X table belongs to the host: it reads as ones and writes to it are dropped,
 * while a mapping shows it (whoever has an interrupt remapping IOMMU can afford that;
 * MSIX_MAPPABLE tells). The ROM reads as ones behind its last image; while nothing decodes it there
 * is no image to be found, which is ENOMEM.
 */
#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "core/command.h"
#include "core/pci/pages.h"
#include "core/vfio/vconfig.h"
#include "core/vfio/vfio_pci.h"

#define PAGE_SIZE	4096u

#define MSIX_ENTRY_SIZE 16u

#define VGA_SIZE	0xc0000u /* of the region: to the end of legacy memory */

/* --- GET_REGION_INFO --- */

static bool is_memory(const struct svf_bar *bar)
{
	return bar->kind == SVF_BAR_MEM32 || bar->kind == SVF_BAR_MEM64 || bar->kind == SVF_BAR_ROM;
}

/* The capabilities of a region, one behind the other as they lie behind the info. */
struct caps {
	uint32_t len;
	uint32_t last; /* where the last one's header is, when len is not 0 */
	_Alignas(8) uint8_t bytes[sizeof(struct vfio_region_info_cap_sparse_mmap) +
				  SVF_BAR_RUNS_MAX * sizeof(struct vfio_region_sparse_mmap_area) +
				  sizeof(struct vfio_info_cap_header)];
};

/* Return: where it is, len bytes with a header and else zeroes. */
static void *add_cap(struct caps *caps, uint16_t id, size_t len)
{
	struct vfio_info_cap_header *cap = (void *)(caps->bytes + caps->len);
	struct vfio_info_cap_header *last = (void *)(caps->bytes + caps->last);

	assert(len % 8 == 0 && len <= sizeof(caps->bytes) - caps->len);
	memset(cap, 0, len);
	*cap = (struct vfio_info_cap_header){.id = id, .version = 1};
	if (caps->len)
		last->next = (uint32_t)sizeof(struct vfio_region_info) + caps->len;
	caps->last = caps->len;
	caps->len += (uint32_t)len;
	return cap;
}

static bool holds_msix_table(const struct svf_function *fn, unsigned int bar)
{
	uint64_t first, end;

	return svf_device_msix_table(fn, bar, &first, &end);
}

/* Which parts can be mapped, where that is not all. */
static void add_areas(const struct svf_bar *bar, const struct svf_call *call, struct caps *caps)
{
	struct vfio_region_sparse_mmap_area areas[SVF_BAR_RUNS_MAX];
	struct vfio_region_info_cap_sparse_mmap *cap;
	unsigned int count = 0;
	uint64_t end = 0;

	while (svf_device_mmap_area(bar, call, end, &areas[count])) {
		end = areas[count].offset + areas[count].size;
		count++;
	}
	if (count == 1 && areas[0].size == bar->size)
		return;
	cap = add_cap(caps, VFIO_REGION_INFO_CAP_SPARSE_MMAP,
		      sizeof(*cap) + count * sizeof(areas[0]));
	cap->nr_areas = count;
	memcpy(cap->areas, areas, count * sizeof(areas[0]));
}

static void describe_bar(const struct svf_function *fn, const struct svf_call *call,
			 struct vfio_region_info *info, struct caps *caps)
{
	struct vfio_region_sparse_mmap_area area;
	const struct svf_bar *bar = &fn->bars[info->index];

	info->size = bar->address ? bar->size : 0;
	info->flags = 0;
	if (!info->size)
		return;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (!call->offer_mmap || !svf_device_mmap_area(bar, call, 0, &area))
		return;
	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	add_areas(bar, call, caps);
	if (holds_msix_table(fn, info->index))
		add_cap(caps, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
			sizeof(struct vfio_info_cap_header));
}

/* Memory is decoded for as long as it takes to look. */
static void describe_rom(struct svf_function *fn, struct vfio_region_info *info)
{
	uint32_t command = svf_config_read(fn, PCI_COMMAND, 2);

	info->flags = 0;
	info->size = 0;
	svf_device_set_command(fn, PCI_COMMAND_MEMORY, PCI_COMMAND_MEMORY);
	if (svf_rom_images(fn)) {
		info->flags = VFIO_REGION_INFO_FLAG_READ;
		info->size = fn->bars[SVF_PCI_ROM_BAR].size;
	}
	svf_device_set_command(fn, PCI_COMMAND_MEMORY, (uint16_t)command);
}

static bool has_vga(const struct svf_function *fn)
{
	return svf_function_is_vga(fn) && !fn->machine->params.disable_vga;
}

static int fail_no_vga(struct svf_call *call)
{
	return svf_fail(call, -EINVAL,
			"the device has no VGA region: its class is none of VGA's, or the module "
			"parameter disable_vga is on");
}

static int describe(struct svf_function *fn, struct svf_call *call, struct vfio_region_info *info,
		    struct caps *caps)
{
	if (info->index == VFIO_PCI_VGA_REGION_INDEX && !has_vga(fn))
		return fail_no_vga(call);
	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return svf_fail(call, -EINVAL,
				"region index %u does not exist; a vfio-pci device has 0 to %u",
				info->index, VFIO_PCI_NUM_REGIONS - 1);
	info->offset = (uint64_t)info->index << SVF_REGION_SHIFT;
	if (info->index == VFIO_PCI_CONFIG_REGION_INDEX) {
		info->size = fn->config_size;
		info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	} else if (info->index == VFIO_PCI_VGA_REGION_INDEX) {
		info->size = VGA_SIZE;
		info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	} else if (info->index == VFIO_PCI_ROM_REGION_INDEX) {
		describe_rom(fn, info);
	} else {
		describe_bar(fn, call, info, caps);
	}
	return 0;
}

/* Without room for them argsz says how much is needed, and there is no offset. */
static int put_caps(struct svf_call *call, uint64_t arg, const struct caps *caps,
		    struct vfio_region_info *info)
{
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	if (info->argsz < sizeof(*info) + caps->len) {
		info->argsz = (uint32_t)sizeof(*info) + caps->len;
		info->cap_offset = 0;
		return 0;
	}
	info->cap_offset = sizeof(*info);
	return svf_copy_to_user(call, arg + sizeof(*info), caps->bytes, caps->len);
}

long svf_device_get_region_info(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device *device = svf_device_of_file(file);
	struct vfio_region_info info;
	struct caps caps = {0};
	int err = svf_copy_from_user(call, &info, arg, sizeof(info));

	if (err)
		return err;
	if (info.argsz < sizeof(info))
		return svf_fail(call, -EINVAL,
				"argsz %u is below the %zu bytes of struct vfio_region_info",
				info.argsz, sizeof(info));
	err = describe(device->fn, call, &info, &caps);
	if (!err && caps.len)
		err = put_caps(call, arg, &caps, &info);
	return err ? err : svf_copy_to_user(call, arg, &info, sizeof(info));
}

/* --- read and write --- */

/* An access to a BAR or the ROM. [hole, hole_end) of the region answers nobody. */
struct access {
	struct svf_device *device;
	struct svf_call *call;
	unsigned int bar;
	bool write;
	uint64_t hole, hole_end;
	unsigned int max_width;
};

/*
 * The widest piece the function may see: naturally aligned, outside the hole. As much as is alike when
 * it is plain memory.
 */
static size_t piece_len(const struct access *a, uint64_t pos, size_t len)
{
	size_t width = a->max_width;
	uint64_t end;
	enum svf_page_kind kind = svf_pages_at(&a->device->fn->bars[a->bar], pos, &end);

	if (pos < a->hole && len > a->hole - pos)
		len = (size_t)(a->hole - pos);
	if (kind == SVF_PAGES_RAM || (kind == SVF_PAGES_READ_RAM && !a->write))
		return len < end - pos ? len : (size_t)(end - pos);
	while (width > len || pos % width)
		width /= 2;
	return width;
}

static bool decodes_io(const struct svf_function *fn)
{
	return svf_config_read(fn, PCI_COMMAND, 2) & PCI_COMMAND_IO &&
	       svf_function_power_state(fn) != 3;
}

static int access_piece(const struct access *a, uint64_t pos, uint8_t *buf, size_t len)
{
	struct svf_function *fn = a->device->fn;

	if (is_memory(&fn->bars[a->bar]) && !svf_device_memory_enabled(a->device))
		return svf_fail(a->call, -EIO,
				"BAR %u of " SVF_BDF_FMT
				" does not answer: memory decoding is off or the function is in "
				"D3hot; set the memory bit of the command register",
				a->bar, SVF_BDF_ARG(fn->bdf));
	if (!is_memory(&fn->bars[a->bar]) && !decodes_io(fn)) {
		if (!a->write)
			memset(buf, 0xff, len);
	} else if (a->write) {
		svf_bar_write(fn, a->bar, pos, buf, len);
	} else {
		svf_bar_read(fn, a->bar, pos, buf, len);
	}
	return 0;
}

static ssize_t access_bar(const struct access *a, uint64_t pos, uint8_t *buf, size_t len)
{
	size_t done = 0, n;

	for (; done < len; done += n, pos += n) {
		int err;

		if (pos >= a->hole && pos < a->hole_end) {
			n = len - done < a->hole_end - pos ? len - done
							   : (size_t)(a->hole_end - pos);
			if (!a->write)
				memset(buf + done, 0xff, n);
			continue;
		}
		n = piece_len(a, pos, len - done);
		err = access_piece(a, pos, buf + done, n);
		if (err)
			return err;
	}
	return (ssize_t)len;
}

bool svf_device_msix_table(const struct svf_function *fn, unsigned int bar, uint64_t *ret_first,
			   uint64_t *ret_end)
{
	struct svf_msix_layout msix;

	if (!svf_function_msix(fn, &msix) || msix.table_bar != bar)
		return false;
	*ret_first = msix.table_offset;
	*ret_end = msix.table_offset + (uint64_t)msix.vectors * MSIX_ENTRY_SIZE;
	return true;
}

void svf_device_write_bar(struct svf_device *device, unsigned int bar, uint64_t pos,
			  const uint8_t *data, unsigned int width)
{
	uint64_t size = device->fn->bars[bar].size;
	struct access a = {.device = device,
			   .bar = bar,
			   .write = true,
			   .hole = size,
			   .hole_end = size,
			   .max_width = 8};
	/* Writing never changes the buffer; a BAR that does not answer drops it. */
	ssize_t done = access_bar(&a, pos, (uint8_t *)(uintptr_t)data, width);

	(void)done;
}

static int find_hole(struct access *a)
{
	struct svf_function *fn = a->device->fn;

	a->hole = a->hole_end = fn->bars[a->bar].size;
	a->max_width = 8;
	if (a->bar == SVF_PCI_ROM_BAR) {
		a->max_width = 4;
		a->hole = svf_rom_images(fn);
		if (!a->hole)
			return svf_fail(a->call, -ENOMEM,
					"the ROM of " SVF_BDF_FMT
					" holds no image, or memory decoding is off and it "
					"does not answer",
					SVF_BDF_ARG(fn->bdf));
		return 0;
	}
	/* Left as they are without a table. */
	(void)svf_device_msix_table(fn, a->bar, &a->hole, &a->hole_end);
	return 0;
}

static ssize_t bar_rw(struct access *a, uint64_t pos, uint8_t *buf, size_t len)
{
	const struct svf_bar *bar = &a->device->fn->bars[a->bar];
	int err;

	if (!bar->address)
		return svf_fail(a->call, -EINVAL, "region %u of " SVF_BDF_FMT " has no size",
				a->bar, SVF_BDF_ARG(a->device->fn->bdf));
	if (pos >= bar->size)
		return svf_fail(a->call, -EINVAL,
				"offset 0x%lx is past the end of region %u, which has 0x%lx bytes",
				(unsigned long)pos, a->bar, (unsigned long)bar->size);
	err = find_hole(a);
	if (err)
		return err;
	return access_bar(a, pos, buf, len < bar->size - pos ? len : (size_t)(bar->size - pos));
}

/* --- legacy VGA --- */

static const struct {
	uint32_t first, end;
} vga_ranges[] = {{0xa0000, 0xc0000}, {0x3b0, 0x3bc}, {0x3c0, 0x3e0}};

static void vga_piece(struct svf_function *fn, uint32_t at, uint8_t *buf, size_t len, bool write)
{
	if (write)
		svf_vga_write(fn, at, buf, len);
	else
		svf_vga_read(fn, at, buf, len);
}

static ssize_t vga_rw(const struct access *a, uint64_t pos, uint8_t *buf, size_t len)
{
	struct svf_function *fn = a->device->fn;
	size_t i = 0, done = 0, n;

	if (!has_vga(fn))
		return fail_no_vga(a->call);
	while (i < SVF_ARRAY_SIZE(vga_ranges) &&
	       (pos < vga_ranges[i].first || pos >= vga_ranges[i].end))
		i++;
	if (i == SVF_ARRAY_SIZE(vga_ranges))
		return svf_fail(
			a->call, -EINVAL,
			"0x%lx is no address of legacy VGA: they are a0000 to bffff, 3b0 to "
			"3bb and 3c0 to 3df",
			(unsigned long)pos);
	if (len > vga_ranges[i].end - pos)
		len = (size_t)(vga_ranges[i].end - pos);
	for (; done < len; done += n) {
		for (n = 4; n > len - done || (pos + done) % n; n /= 2)
			;
		vga_piece(fn, (uint32_t)(pos + done), buf + done, n, a->write);
	}
	return (ssize_t)len;
}

static int check_index(struct svf_call *call, uint64_t index, bool write)
{
	if (index >= VFIO_PCI_NUM_REGIONS)
		return svf_fail(call, -EINVAL,
				"region index %lu does not exist; the offset is (index << 40) + "
				"offset in the region",
				(unsigned long)index);
	if (index == VFIO_PCI_ROM_REGION_INDEX && write)
		return svf_fail(call, -EINVAL, "the ROM cannot be written");
	return 0;
}

ssize_t svf_device_read(struct svf_file *file, struct svf_call *call, void *buf, size_t len,
			uint64_t offset)
{
	struct access a = {.call = call, .bar = (unsigned int)(offset >> SVF_REGION_SHIFT)};
	uint64_t pos = offset & SVF_REGION_MASK;
	int err;

	if (!len)
		return 0;
	err = check_index(call, offset >> SVF_REGION_SHIFT, false);
	if (err)
		return err;
	a.device = svf_device_of_file(file);
	if (a.bar == VFIO_PCI_CONFIG_REGION_INDEX)
		return svf_vconfig_read(a.device, call, buf, len, pos);
	if (a.bar == VFIO_PCI_VGA_REGION_INDEX)
		return vga_rw(&a, pos, buf, len);
	return bar_rw(&a, pos, buf, len);
}

ssize_t svf_device_write(struct svf_file *file, struct svf_call *call, const void *buf, size_t len,
			 uint64_t offset)
{
	struct access a = {
		.call = call, .bar = (unsigned int)(offset >> SVF_REGION_SHIFT), .write = true};
	uint64_t pos = offset & SVF_REGION_MASK;
	int err;

	if (!len)
		return 0;
	err = check_index(call, offset >> SVF_REGION_SHIFT, true);
	if (err)
		return err;
	a.device = svf_device_of_file(file);
	if (a.bar == VFIO_PCI_CONFIG_REGION_INDEX)
		return svf_vconfig_write(a.device, call, buf, len, pos);
	/* Both directions share the loops; writing never changes the buffer. */
	if (a.bar == VFIO_PCI_VGA_REGION_INDEX)
		return vga_rw(&a, pos, (uint8_t *)(uintptr_t)buf, len);
	return bar_rw(&a, pos, (uint8_t *)(uintptr_t)buf, len);
}
