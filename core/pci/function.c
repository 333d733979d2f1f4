/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI function from its making to its end, and what follows from its config space without
 * changing anything: ids, interrupts it has, resources as sysfs lists them, contents of BARs.
 *
 * A function is built in private and published whole: nobody can look up one that lacks its
 * addresses or its group. The order of publishing is the order of discovery, which decides group
 * numbers and ways to reset (reset.c).
 */
#include "core/pci/function.h"

#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/machine.h"
#include "core/pci/bars.h"
#include "core/pci/bus.h"
#include "core/pci/caps.h"
#include "core/pci/pages.h"
#include "core/pci/quirks.h"
#include "core/pci/reset.h"
#include "include/softvfio/model.h"

static void do_work(struct svf_timer *timer)
{
	struct svf_function *fn = svf_container_of(timer, struct svf_function, work);

	fn->model->work(fn);
}

int svf_function_alloc(struct svf_machine *machine, struct svf_bus *bus, uint8_t devfn,
		       struct svf_function **ret)
{
	struct svf_function *fn = calloc(1, sizeof(*fn));

	if (!fn)
		return -ENOMEM;
	svf_list_init(&fn->machine_link);
	svf_list_init(&fn->bus_link);
	svf_list_init(&fn->group_link);
	fn->machine = machine;
	fn->bus = bus;
	fn->bdf = (struct svf_bdf){bus->domain, bus->number, devfn};
	fn->config_size = SVF_PCI_CONFIG_SIZE;
	fn->cap_free = PCI_STD_HEADER_SIZEOF;
	fn->ext_free = SVF_PCI_CONFIG_SIZE;
	svf_timer_init(&fn->work, do_work);
	svf_list_init(&fn->model_timers);
	*ret = fn;
	return 0;
}

/*
 * As the kernel at discovery: the port above an ARI device, found by its function 0, forwards to
 * function numbers above 7, and the VFs of such a device are numbered as its functions.
 */
static void enable_ari(struct svf_function *fn)
{
	struct svf_function *port = fn->bus->bridge;
	uint8_t *control = fn->config + fn->sriov.cap + PCI_SRIOV_CTRL;
	uint8_t *exp;

	if (fn->physfn || !fn->ext_ari || !port || !port->cap_exp)
		return;
	exp = port->config + port->cap_exp;
	if (!fn->bdf.devfn && svf_get_le32(exp + PCI_EXP_DEVCAP2) & PCI_EXP_DEVCAP2_ARI)
		svf_put_le16(exp + PCI_EXP_DEVCTL2,
			     svf_get_le16(exp + PCI_EXP_DEVCTL2) | PCI_EXP_DEVCTL2_ARI);
	if (fn->sriov.cap && svf_get_le16(exp + PCI_EXP_DEVCTL2) & PCI_EXP_DEVCTL2_ARI)
		svf_put_le16(control, svf_get_le16(control) | PCI_SRIOV_CTRL_ARI);
}

/*
 * As the kernel at discovery when there is an IOMMU: what the capability can do is switched on, as far as
 * isolation needs it.
 */
static void enable_acs(struct svf_function *fn)
{
	uint8_t *acs = fn->config + fn->ext_acs;
	uint16_t controls = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;

	if (!fn->ext_acs || !fn->machine->params.iommu)
		return;
	controls &= svf_get_le16(acs + PCI_ACS_CAP);
	if (fn->acs_off)
		svf_put_le16(acs + PCI_ACS_CTRL, 0);
	else
		svf_put_le16(acs + PCI_ACS_CTRL,
			     (uint16_t)(svf_get_le16(acs + PCI_ACS_CTRL) | controls));
}

/* The config space a reset gives: what is there now, without addresses and enables. */
static int keep_reset_config(struct svf_function *fn)
{
	uint8_t *reset = calloc(1, fn->config_size);
	unsigned int cap = fn->sriov.cap;

	if (!reset)
		return -ENOMEM;
	memcpy(reset, fn->config, fn->config_size);
	for (unsigned int i = 0; i < PCI_STD_HEADER_SIZEOF; i++)
		reset[i] = (uint8_t)(reset[i] & ~fn->wmask[i]);
	for (unsigned int i = 0; cap && i < 4 * SVF_PCI_BARS; i++)
		reset[cap + PCI_SRIOV_BAR + i] &= (uint8_t)~fn->wmask[cap + PCI_SRIOV_BAR + i];
	if (cap)
		svf_put_le16(reset + cap + PCI_SRIOV_CTRL, 0);
	fn->reset_config = reset;
	return 0;
}

static void publish(struct svf_function *fn)
{
	struct svf_function *next;

	svf_list_for_each(next, &fn->machine->functions, machine_link) {
		if (svf_bdf_compare(fn->bdf, next->bdf) < 0)
			break;
	}
	svf_list_add_tail(&next->machine_link, &fn->machine_link);
	fn->discovered = ++fn->machine->discoveries;
	if (svf_list_empty(&fn->bus_link))
		svf_bus_add_function(fn->bus, fn);
}

int svf_function_discover(struct svf_function *fn)
{
	int err;

	enable_ari(fn);
	enable_acs(fn);
	publish(fn);
	err = fn->machine->params.iommu ? svf_iommu_group_add_function(fn) : 0;
	if (err) {
		svf_list_del(&fn->machine_link);
		fn->discovered = 0;
		return err;
	}
	svf_function_find_reset_methods(fn);
	return 0;
}

int svf_function_finalize(struct svf_function *fn)
{
	int err;

	svf_caps_scan(fn);
	err = keep_reset_config(fn);
	if (err)
		return err;
	svf_msix_reset_table(fn);
	svf_quirks_add_dma_aliases(fn);
	return svf_function_discover(fn);
}

void svf_function_abort(struct svf_function *fn)
{
	if (!fn)
		return;
	svf_timer_disarm(&fn->machine->timers, &fn->work);
	if (fn->model && fn->model->destroy)
		fn->model->destroy(fn);
	svf_function_free_timers(fn);
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++)
		svf_pages_free(fn, i);
	svf_list_del(&fn->machine_link);
	svf_list_del(&fn->bus_link);
	free(fn->sriov.vfs);
	free(fn->driver_override);
	free(fn->reset_config);
	free(fn->rom);
	free(fn->vpd);
	free(fn);
}

void svf_function_destroy(struct svf_function *fn)
{
	if (!fn)
		return;
	assert(!fn->driver && !fn->device && fn->sriov.num_vfs == 0);
	if (fn->group)
		svf_iommu_group_remove_function(fn);
	svf_function_abort(fn);
}

struct svf_function *svf_function_lookup(struct svf_machine *machine, struct svf_bdf bdf)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &machine->functions, machine_link) {
		if (svf_bdf_compare(fn->bdf, bdf) == 0)
			return fn;
	}
	return NULL;
}

uint16_t svf_function_vendor(const struct svf_function *fn)
{
	return svf_get_le16((fn->physfn ? fn->physfn : fn)->config + PCI_VENDOR_ID);
}

uint16_t svf_function_device_id(const struct svf_function *fn)
{
	if (fn->physfn)
		return fn->physfn->sriov.vf_device;
	return svf_get_le16(fn->config + PCI_DEVICE_ID);
}

uint32_t svf_function_class(const struct svf_function *fn)
{
	return svf_get_le32(fn->config + PCI_CLASS_REVISION) >> 8;
}

bool svf_function_msix(const struct svf_function *fn, struct svf_msix_layout *ret)
{
	const uint8_t *cap = fn->config + fn->cap_msix;
	uint32_t table, pba;

	if (!fn->cap_msix)
		return false;
	table = svf_get_le32(cap + PCI_MSIX_TABLE);
	pba = svf_get_le32(cap + PCI_MSIX_PBA);
	*ret = (struct svf_msix_layout){
		.vectors = (svf_get_le16(cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE) + 1u,
		.table_bar = table & PCI_MSIX_TABLE_BIR,
		.table_offset = table & PCI_MSIX_TABLE_OFFSET,
		.pba_bar = pba & PCI_MSIX_PBA_BIR,
		.pba_offset = pba & PCI_MSIX_PBA_OFFSET,
	};
	return true;
}

unsigned int svf_function_msi_vectors(const struct svf_function *fn)
{
	uint16_t flags;
	unsigned int log2;

	if (!fn->cap_msi)
		return 0;
	flags = svf_get_le16(fn->config + fn->cap_msi + PCI_MSI_FLAGS);
	log2 = (unsigned int)(flags & PCI_MSI_FLAGS_QMASK) >> 1;
	return log2 > 5 ? 32 : 1u << log2;
}

/* --- resources --- */

/* As the kernel's ioport.h has them in sysfs "resource". */
#define RESOURCE_IO	    0x00000100u
#define RESOURCE_MEM	    0x00000200u
#define RESOURCE_PREFETCH   0x00002000u
#define RESOURCE_READONLY   0x00004000u
#define RESOURCE_SIZEALIGN  0x00040000u
#define RESOURCE_MEM_64	    0x00100000u
#define RESOURCE_BRIDGE_IO  13u
#define RESOURCE_BRIDGE_END 16u
#define RESOURCE_VF_BARS    7u

static uint64_t bar_flags(const struct svf_bar *bar)
{
	uint64_t flags = RESOURCE_SIZEALIGN | svf_bar_type_bits(bar);

	if (bar->kind == SVF_BAR_IO)
		return flags | RESOURCE_IO;
	if (bar->kind == SVF_BAR_ROM)
		return flags | RESOURCE_MEM | RESOURCE_PREFETCH | RESOURCE_READONLY;
	flags |= RESOURCE_MEM;
	if (bar->prefetchable)
		flags |= RESOURCE_PREFETCH;
	return bar->kind == SVF_BAR_MEM64 ? flags | RESOURCE_MEM_64 : flags;
}

static bool bar_resource(const struct svf_bar *bar, uint64_t count, struct svf_resource *ret)
{
	if (bar->size == 0)
		return false;
	*ret = (struct svf_resource){bar->address, bar->address + bar->size * count - 1,
				     bar_flags(bar)};
	return true;
}

static bool window_resource(const struct svf_bus *bus, enum svf_window_kind kind,
			    struct svf_resource *ret)
{
	static const uint64_t flags[SVF_WINDOWS] = {
		[SVF_WINDOW_IO] = RESOURCE_IO,
		[SVF_WINDOW_MEM] = RESOURCE_MEM,
		[SVF_WINDOW_PREF] =
			RESOURCE_MEM | RESOURCE_PREFETCH | RESOURCE_MEM_64 | PCI_PREF_RANGE_TYPE_64,
	};

	if (bus->windows[kind].size == 0)
		return false;
	*ret = (struct svf_resource){bus->windows[kind].first, bus->windows[kind].last,
				     flags[kind]};
	return true;
}

bool svf_function_resource(const struct svf_function *fn, unsigned int index,
			   struct svf_resource *ret)
{
	if (index < RESOURCE_VF_BARS)
		return bar_resource(&fn->bars[index], 1, ret);
	if (index < RESOURCE_BRIDGE_IO)
		return bar_resource(&fn->sriov.vf_bars[index - RESOURCE_VF_BARS],
				    fn->sriov.total_vfs, ret);
	if (index < RESOURCE_BRIDGE_END && fn->subordinate)
		return window_resource(fn->subordinate, index - RESOURCE_BRIDGE_IO, ret);
	return false;
}

/* --- contents of BARs --- */

static void rom_read(const struct svf_function *fn, uint64_t offset, uint8_t *buf, size_t len)
{
	size_t there = offset < fn->rom_len ? (size_t)(fn->rom_len - offset) : 0;

	if (there > len)
		there = len;
	if (there)
		memcpy(buf, fn->rom + offset, there);
	memset(buf + there, 0xff, len - there);
}

void svf_bar_read(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf, size_t len)
{
	const struct svf_bar *b = &fn->bars[bar];
	const struct svf_ram *ram;
	uint64_t end;

	assert(len <= b->size && offset <= b->size - len);
	ram = svf_pages_ram(b, svf_pages_at(b, offset, &end));
	assert(len <= end - offset);
	if (bar == SVF_PCI_ROM_BAR)
		rom_read(fn, offset, buf, len);
	else if (ram)
		memcpy(buf, ram->base + offset, len);
	else if (fn->model && fn->model->bar_read)
		fn->model->bar_read(fn, bar, offset, buf, len);
	else
		memset(buf, 0xff, len);
}

void svf_bar_write(struct svf_function *fn, unsigned int bar, uint64_t offset, const void *buf,
		   size_t len)
{
	const struct svf_bar *b = &fn->bars[bar];
	uint64_t end;
	bool ram;

	assert(len <= b->size && offset <= b->size - len);
	ram = svf_pages_at(b, offset, &end) == SVF_PAGES_RAM;
	assert(len <= end - offset);
	if (ram)
		memcpy(b->ram->base + offset, buf, len);
	else if (fn->model && fn->model->bar_write && bar != SVF_PCI_ROM_BAR)
		fn->model->bar_write(fn, bar, offset, buf, len);
}

void svf_vga_read(struct svf_function *fn, uint32_t address, void *buf, size_t len)
{
	if (fn->model && fn->model->vga_read)
		fn->model->vga_read(fn, address, buf, len);
	else
		memset(buf, 0xff, len);
}

void svf_vga_write(struct svf_function *fn, uint32_t address, const void *buf, size_t len)
{
	if (fn->model && fn->model->vga_write)
		fn->model->vga_write(fn, address, buf, len);
}
