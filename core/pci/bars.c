/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of BARs, given once when the machine is built, as firmware does at boot.
 *
 * There are three address spaces: I/O ports, memory below 4 GiB, and memory above it for 64-bit
 * prefetchable BARs. A bridge forwards one window of each, so what is behind it must lie together:
 * sizes and alignments are added up from the leaves to the root, then addresses are handed down
 * from the root to the leaves. Within a bus the largest alignment comes first, which leaves no
 * holes between powers of two. VF BARs of a PF are asked for at once for all VFs it can have,
 * whether they exist or not.
 *
 * Memory BARs are spread out to pages even where they are smaller, so that each can be mapped by
 * itself.
 *
 * An address assigned here never changes. A client that writes a BAR register changes the register
 * and nothing else: what counts for the kernel, and here, is the address it assigned.
 */
#include "core/pci/bars.h"

#include <errno.h>
#include <linux/pci_regs.h>

#include "base/bytes.h"
#include "core/pci/bus.h"

/*
 * I/O ports above those of legacy devices; memory below the I/O APIC and the MSI window; memory
 * above 4 GiB.
 */
static const struct {
	uint64_t first, last;
} spaces[SVF_WINDOWS] = {
	[SVF_WINDOW_IO] = {0x1000, 0xffff},
	[SVF_WINDOW_MEM] = {0xc0000000, 0xfebfffff},
	[SVF_WINDOW_PREF] = {0x380000000000, 0x3bffffffffff},
};

/* What a bridge can forward: 4 KiB of ports, 1 MiB of memory. */
static const uint64_t granules[SVF_WINDOWS] = {
	[SVF_WINDOW_IO] = 0x1000,
	[SVF_WINDOW_MEM] = 0x100000,
	[SVF_WINDOW_PREF] = 0x100000,
};

static uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

uint32_t svf_bar_type_bits(const struct svf_bar *bar)
{
	uint32_t pref = bar->prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0;

	switch (bar->kind) {
	case SVF_BAR_IO:
		return PCI_BASE_ADDRESS_SPACE_IO;
	case SVF_BAR_MEM32:
		return PCI_BASE_ADDRESS_MEM_TYPE_32 | pref;
	case SVF_BAR_MEM64:
		return PCI_BASE_ADDRESS_MEM_TYPE_64 | pref;
	case SVF_BAR_NONE:
	case SVF_BAR_MEM64_HIGH:
	case SVF_BAR_ROM:
		break;
	}
	return 0;
}

static unsigned int bar_register(const struct svf_function *fn, unsigned int index)
{
	if (index == SVF_PCI_ROM_BAR)
		return fn->interconnect ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
	return PCI_BASE_ADDRESS_0 + 4 * index;
}

static void declare(struct svf_function *fn, const struct svf_bar *bar, unsigned int reg)
{
	uint64_t mask = ~(bar->size - 1);

	switch (bar->kind) {
	case SVF_BAR_MEM64:
		svf_put_le64(fn->config + reg, svf_bar_type_bits(bar));
		svf_put_le64(fn->wmask + reg, mask & ~0xfull);
		break;
	case SVF_BAR_MEM32:
		svf_put_le32(fn->config + reg, svf_bar_type_bits(bar));
		svf_put_le32(fn->wmask + reg, (uint32_t)mask & ~0xfu);
		break;
	case SVF_BAR_IO:
		svf_put_le32(fn->config + reg, svf_bar_type_bits(bar));
		svf_put_le32(fn->wmask + reg, (uint32_t)mask & ~0x3u);
		break;
	case SVF_BAR_ROM:
		svf_put_le32(fn->config + reg, 0);
		svf_put_le32(fn->wmask + reg,
			     ((uint32_t)mask & PCI_ROM_ADDRESS_MASK) | PCI_ROM_ADDRESS_ENABLE);
		break;
	case SVF_BAR_NONE:
	case SVF_BAR_MEM64_HIGH:
		break;
	}
}

void svf_bar_declare(struct svf_function *fn, unsigned int index)
{
	declare(fn, &fn->bars[index], bar_register(fn, index));
}

void svf_vf_bar_declare(struct svf_function *pf, unsigned int index)
{
	declare(pf, &pf->sriov.vf_bars[index], pf->sriov.cap + PCI_SRIOV_BAR + 4 * index);
}

/* --- claims: everything that wants a piece of a bus's address space --- */

struct claim {
	uint64_t size, align;
	/* Where the address goes: a BAR and its register, or the window of the bus behind a bridge. */
	struct svf_function *fn;
	struct svf_bar *bar;
	unsigned int reg;
	struct svf_window *window;
};

static enum svf_window_kind space_of(const struct svf_bar *bar)
{
	if (bar->kind == SVF_BAR_IO)
		return SVF_WINDOW_IO;
	return bar->kind == SVF_BAR_MEM64 && bar->prefetchable ? SVF_WINDOW_PREF : SVF_WINDOW_MEM;
}

/*
 * Claim number i of a function for a space: its 7 BARs, its 6 VF BARs, the window behind it. False:
 * that one claims nothing there.
 */
#define CLAIMS (SVF_PCI_BARS + 1 + SVF_PCI_BARS + 1)

static bool bar_claim(struct svf_function *fn, struct svf_bar *bar, enum svf_window_kind kind,
		      uint64_t count, unsigned int reg, struct claim *ret)
{
	if (bar->size == 0 || space_of(bar) != kind)
		return false;
	ret->align = bar->size;
	if (kind != SVF_WINDOW_IO && ret->align < SVF_PAGE_SIZE)
		ret->align = SVF_PAGE_SIZE;
	ret->size = bar->size * count;
	ret->fn = fn;
	ret->bar = bar;
	ret->reg = reg;
	ret->window = NULL;
	return true;
}

static bool claim_get(struct svf_function *fn, enum svf_window_kind kind, unsigned int i,
		      struct claim *ret)
{
	struct svf_window *window;

	if (i <= SVF_PCI_ROM_BAR)
		return bar_claim(fn, &fn->bars[i], kind, 1, bar_register(fn, i), ret);
	i -= SVF_PCI_ROM_BAR + 1;
	if (i < SVF_PCI_BARS)
		return bar_claim(fn, &fn->sriov.vf_bars[i], kind, fn->sriov.total_vfs,
				 fn->sriov.cap + PCI_SRIOV_BAR + 4 * i, ret);
	if (!fn->subordinate)
		return false;
	window = &fn->subordinate->windows[kind];
	*ret = (struct claim){.size = window->size, .align = window->align, .window = window};
	return window->size != 0;
}

static void claim_place(const struct claim *claim, uint64_t address)
{
	uint8_t *reg;

	if (claim->window) {
		claim->window->first = address;
		claim->window->last = address + claim->window->size - 1;
		return;
	}
	claim->bar->address = address;
	reg = claim->fn->config + claim->reg;
	if (claim->bar->kind == SVF_BAR_MEM64)
		svf_put_le64(reg, address | svf_bar_type_bits(claim->bar));
	else
		svf_put_le32(reg, (uint32_t)address | svf_bar_type_bits(claim->bar));
}

/*
 * Lays the claims of one bus out from address on, those of one alignment after another, in
 * descending order. Return: the address after the last.
 */
static uint64_t lay_out(struct svf_bus *bus, enum svf_window_kind kind, uint64_t max_align,
			uint64_t address, bool place)
{
	struct svf_function *fn;
	struct claim claim;

	for (uint64_t align = max_align; align; align >>= 1) {
		svf_list_for_each(fn, &bus->functions, bus_link) {
			for (unsigned int i = 0; i < CLAIMS; i++) {
				if (!claim_get(fn, kind, i, &claim) || claim.align != align)
					continue;
				address = align_up(address, align);
				if (place)
					claim_place(&claim, address);
				address += claim.size;
			}
		}
	}
	return address;
}

static uint64_t max_align(struct svf_bus *bus, enum svf_window_kind kind)
{
	struct svf_function *fn;
	struct claim claim;
	uint64_t max = 0;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		for (unsigned int i = 0; i < CLAIMS; i++) {
			if (claim_get(fn, kind, i, &claim) && claim.align > max)
				max = claim.align;
		}
	}
	return max;
}

/*
 * Sizes of the windows of everything behind the bus, then of the bus. False: more than an address
 * space holds.
 */
static bool size_windows(struct svf_bus *bus, enum svf_window_kind kind)
{
	struct svf_window *window = &bus->windows[kind];
	struct svf_function *fn;
	uint64_t align;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->subordinate && !size_windows(fn->subordinate, kind))
			return false;
	}
	align = max_align(bus, kind);
	window->size = align_up(lay_out(bus, kind, align, 0, false), granules[kind]);
	window->align = align > granules[kind] ? align : granules[kind];
	return window->size <= spaces[kind].last - spaces[kind].first + 1;
}

static void program_window(struct svf_function *bridge, enum svf_window_kind kind,
			   const struct svf_window *w)
{
	bool none = w->size == 0;
	uint64_t first = none ? ~0ull : w->first;
	uint64_t last = none ? 0 : w->last;
	uint8_t *config = bridge->config;

	switch (kind) {
	case SVF_WINDOW_IO:
		config[PCI_IO_BASE] = (uint8_t)(first >> 8 & 0xf0);
		config[PCI_IO_LIMIT] = (uint8_t)(last >> 8 & 0xf0);
		break;
	case SVF_WINDOW_MEM:
		svf_put_le16(config + PCI_MEMORY_BASE, (uint16_t)(first >> 16 & 0xfff0));
		svf_put_le16(config + PCI_MEMORY_LIMIT, (uint16_t)(last >> 16 & 0xfff0));
		break;
	case SVF_WINDOW_PREF:
		svf_put_le16(config + PCI_PREF_MEMORY_BASE,
			     (uint16_t)((first >> 16 & 0xfff0) | PCI_PREF_RANGE_TYPE_64));
		svf_put_le16(config + PCI_PREF_MEMORY_LIMIT,
			     (uint16_t)((last >> 16 & 0xfff0) | PCI_PREF_RANGE_TYPE_64));
		svf_put_le32(config + PCI_PREF_BASE_UPPER32, none ? 0 : (uint32_t)(first >> 32));
		svf_put_le32(config + PCI_PREF_LIMIT_UPPER32, (uint32_t)(last >> 32));
		break;
	case SVF_WINDOWS:
		break;
	}
}

static void place_bus(struct svf_bus *bus, enum svf_window_kind kind)
{
	struct svf_window *window = &bus->windows[kind];
	struct svf_function *fn;

	lay_out(bus, kind, max_align(bus, kind), window->first, true);
	if (bus->bridge)
		program_window(bus->bridge, kind, window);
	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->subordinate)
			place_bus(fn->subordinate, kind);
	}
}

int svf_bars_assign(struct svf_bus *root, unsigned int *ret_full)
{
	for (unsigned int kind = 0; kind < SVF_WINDOWS; kind++) {
		struct svf_window *window = &root->windows[kind];
		uint64_t end;

		if (!size_windows(root, kind)) {
			*ret_full = kind;
			return -ENOSPC;
		}
		window->first = align_up(spaces[kind].first, window->align);
		end = window->first + window->size;
		if (window->size && end - 1 > spaces[kind].last) {
			*ret_full = kind;
			return -ENOSPC;
		}
		window->last = end - 1;
		place_bus(root, kind);
	}
	return 0;
}
