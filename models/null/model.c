/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The null device: a function that is there and does nothing.
 *
 * It has the config space, BARs, interrupts and VFs that its options say, by default what clients
 * expect of a modern device: PCIe with FLR, power management, MSI, MSI-X with a table in a BAR of
 * its own so that BAR 0 can be mapped whole, and 8 possible VFs. Memory BARs are plain memory, I/O
 * BARs hold what is written to them. It never raises an interrupt and never does DMA.
 *
 * With dump= it takes the config space of a real device instead. It then stands in for that device
 * in everything but its registers: identity, capabilities, BARs, VFs.
 *
 * What VFs are like is decided when the PF is created and kept in its state, because VFs are
 * created later and again and again.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "models/null/contents.h"
#include "models/null/dump.h"
#include "models/registry.h"

#define BARS 6u

/* Known to lspci as a PCI test device, which is what this is; no host driver claims it. */
#define DEFAULT_VENDOR "1b36"
#define DEFAULT_DEVICE "0005"

enum {
	OPT_VFS,
	OPT_TOTALVFS,
	OPT_VENDOR,
	OPT_DEVICE,
	OPT_SUBVENDOR,
	OPT_SUBDEVICE,
	OPT_CLASS,
	OPT_REVISION,
	OPT_BAR0,
	OPT_MSI = OPT_BAR0 + (int)BARS,
	OPT_MSIX,
	OPT_MSIXBAR,
	OPT_INTX,
	OPT_PM,
	OPT_FLR,
	OPT_PCIE,
	OPT_VFBAR0,
	OPT_VFMSIX = OPT_VFBAR0 + (int)BARS,
	OPT_VFDEVICE,
	OPT_OFFSET,
	OPT_STRIDE,
	OPT_DUMP,
	OPT_ROM,
	OPT_ROMSIZE,
};

#define BAR_HELP "BAR as SIZE[:32|:64|:io][:pref][:trap], or none"

static const struct svf_model_option null_options[] = {
	[OPT_VFS] = {"vfs", SVF_OPTION_NUMBER, 0, "N", "0", 0, 256,
		     "VFs that exist from the start"},
	[OPT_TOTALVFS] = {"totalvfs", SVF_OPTION_NUMBER, 0, "N", NULL, 0, 256,
			  "VFs the function can have (8; 0 on a conventional bus)"},
	[OPT_VENDOR] = {"vendor", SVF_OPTION_HEX, 0, "ID", DEFAULT_VENDOR, 0, 0xfffe, "vendor id"},
	[OPT_DEVICE] = {"device", SVF_OPTION_HEX, 0, "ID", DEFAULT_DEVICE, 0, 0xffff, "device id"},
	[OPT_SUBVENDOR] = {"subvendor", SVF_OPTION_HEX, 0, "ID", NULL, 0, 0xffff,
			   "subsystem vendor id (that of the device)"},
	[OPT_SUBDEVICE] = {"subdevice", SVF_OPTION_HEX, 0, "ID", NULL, 0, 0xffff,
			   "subsystem device id (that of the device)"},
	[OPT_CLASS] = {"class", SVF_OPTION_HEX, 0, "CODE", "ff0000", 0, 0xffffff,
		       "class code, 24 bits"},
	[OPT_REVISION] = {"revision", SVF_OPTION_HEX, 0, "REV", "0", 0, 0xff, "revision id"},
	[OPT_BAR0 + 0] = {"bar0", SVF_OPTION_BAR, 0, "BAR", "1M:64:pref", 0, 0, BAR_HELP},
	[OPT_BAR0 + 1] = {"bar1", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_BAR0 + 2] = {"bar2", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_BAR0 + 3] = {"bar3", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_BAR0 + 4] = {"bar4", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_BAR0 + 5] = {"bar5", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, BAR_HELP},
	[OPT_MSI] = {"msi", SVF_OPTION_NUMBER, 0, "N", "8", 0, 32,
		     "MSI vectors, a power of two; 0: no MSI"},
	[OPT_MSIX] = {"msix", SVF_OPTION_NUMBER, 0, "N", "16", 0, 2048,
		      "MSI-X vectors; 0: no MSI-X"},
	[OPT_MSIXBAR] = {"msixbar", SVF_OPTION_NUMBER, 0, "BAR", NULL, 0, 5,
			 "BAR with the MSI-X table, at its end (a free one, of its own)"},
	[OPT_INTX] = {"intx", SVF_OPTION_PIN, 0, "PIN", "A", 0, 0, "INTx pin: A to D, or none"},
	[OPT_PM] = {"pm", SVF_OPTION_BOOL, 0, "on|off", "on", 0, 0, "power management capability"},
	[OPT_FLR] = {"flr", SVF_OPTION_BOOL, 0, "on|off", "on", 0, 0, "function level reset"},
	[OPT_PCIE] = {"pcie", SVF_OPTION_BOOL, 0, "on|off", NULL, 0, 0,
		      "PCI Express, or conventional PCI (as the bus is)"},
	[OPT_VFBAR0 + 0] = {"vfbar0", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR (64K:64:pref)"},
	[OPT_VFBAR0 + 1] = {"vfbar1", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFBAR0 + 2] = {"vfbar2", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFBAR0 + 3] = {"vfbar3", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFBAR0 + 4] = {"vfbar4", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFBAR0 + 5] = {"vfbar5", SVF_OPTION_BAR, 0, "BAR", NULL, 0, 0, "VF BAR"},
	[OPT_VFMSIX] = {"vfmsix", SVF_OPTION_NUMBER, 0, "N", "8", 0, 2048,
			"MSI-X vectors of each VF; 0: no MSI-X"},
	[OPT_VFDEVICE] = {"vfdevice", SVF_OPTION_HEX, 0, "ID", NULL, 0, 0xffff,
			  "device id of VFs (that of the device)"},
	[OPT_OFFSET] = {"offset", SVF_OPTION_NUMBER, 0, "N", "128", 1, 0xffff,
			"from the PF to VF 0, in functions"},
	[OPT_STRIDE] = {"stride", SVF_OPTION_NUMBER, 0, "N", "2", 1, 0xffff,
			"from VF to VF, in functions"},
	[OPT_DUMP] = {"dump", SVF_OPTION_TEXT, SVF_OPTION_FILE, "FILE", NULL, 0, 0,
		      "config space of a real device, as lspci -vvv -xxxx prints it"},
	[OPT_ROM] = {"rom", SVF_OPTION_TEXT, SVF_OPTION_FILE | SVF_OPTION_BINARY, "FILE", NULL, 0,
		     0, "contents of the expansion ROM"},
	[OPT_ROMSIZE] = {"romsize", SVF_OPTION_NUMBER, 0, "BYTES", NULL, 2048, 16 << 20,
			 "size of the expansion ROM, a power of two (that of its contents)"},
	{NULL, SVF_OPTION_TEXT, 0, NULL, NULL, 0, 0, NULL},
};

/* Options that may stand beside dump=, because a dump does not say them. */
static bool goes_with_dump(unsigned int option)
{
	return option == OPT_VFS || option == OPT_DUMP || option == OPT_VFMSIX ||
	       option == OPT_ROM || option == OPT_ROMSIZE ||
	       (option >= OPT_BAR0 && option < OPT_BAR0 + BARS) ||
	       (option >= OPT_VFBAR0 && option < OPT_VFBAR0 + BARS);
}

/* A table of interrupts in a BAR: the last bytes of it. vectors 0: none. */
struct msix {
	unsigned int vectors, bar;
	uint32_t table, pba;
};

/* Legacy VGA: ports from 0x3b0 to 0x3df, memory from 0xa0000 to 0xbffff. */
#define VGA_PORTS  0x3b0u
#define VGA_MEMORY 0xa0000u

struct vga {
	uint8_t ports[0x30], memory[0x20000];
};

struct null {
	uint8_t *registers[BARS]; /* contents of BARs that are no RAM, NULL of others */
	size_t register_bytes[BARS];
	struct vga *vga;       /* of a VGA device */
	struct msix vf_msix;   /* of a PF */
	bool vf_flr;
};

/* Bytes that table and pending bits take, as a power of two of at least a page. */
static uint64_t msix_size(unsigned int vectors)
{
	uint64_t need = 16ull * vectors + (vectors + 63) / 64 * 8ull;
	uint64_t size = 4096;

	while (size < need)
		size <<= 1;
	return size;
}

static void place_msix(struct msix *msix, unsigned int vectors, unsigned int bar, uint64_t bar_size)
{
	uint64_t need = msix_size(vectors);

	msix->vectors = vectors;
	msix->bar = bar;
	msix->table = (uint32_t)(bar_size - need);
	/* Pending bits are 1/128 of the table, and end where the BAR ends. */
	msix->pba = (uint32_t)(bar_size - (vectors + 63) / 64 * 8ull);
}

/* A BAR that is free, with the one after it too when wide; BARS: none. */
static unsigned int free_bar(const struct svf_model_bar bars[BARS], bool wide)
{
	for (unsigned int i = 0; i < BARS; i++) {
		bool upper = i > 0 && bars[i - 1].type == SVF_MODEL_BAR_MEM64;

		if (upper || bars[i].type != SVF_MODEL_BAR_NONE)
			continue;
		if (!wide || (i + 1 < BARS && bars[i + 1].type == SVF_MODEL_BAR_NONE))
			return i;
	}
	return BARS;
}

/*
 * Finds room for a table of interrupts: in the BAR asked for, at its end, or in a new BAR. wanted
 * BARS: any free one.
 */
static int add_msix_bar(struct svf_model_bar bars[BARS], unsigned int vectors, unsigned int wanted,
			struct svf_model_bar fresh, struct msix *msix, const char *option,
			struct svf_model_error *error)
{
	bool wide = fresh.type == SVF_MODEL_BAR_MEM64;
	unsigned int bar = wanted < BARS ? wanted : free_bar(bars, wide);

	fresh.size = msix_size(vectors);
	if (bar == BARS)
		return svf_model_fail(
			error, -EINVAL, option,
			"no free BAR for the MSI-X table; say msixbar= or leave one out");
	if (bars[bar].type == SVF_MODEL_BAR_NONE)
		bars[bar] = fresh;
	if (bars[bar].type == SVF_MODEL_BAR_IO || bars[bar].size < fresh.size)
		return svf_model_fail(error, -EINVAL, option,
				      "BAR %u cannot hold the MSI-X table: it must be memory of at "
				      "least %lu bytes",
				      bar, (unsigned long)fresh.size);
	if (bars[bar].size > UINT32_MAX)
		return svf_model_fail(error, -EINVAL, option,
				      "BAR %u is too large to hold the MSI-X table at its end",
				      bar);
	place_msix(msix, vectors, bar, bars[bar].size);
	return 0;
}

static int no_room(struct svf_model_error *error)
{
	return svf_model_fail(error, -EINVAL, NULL, "config space is full");
}

/* --- the function from options --- */

static void set_ids(struct svf_function *fn, const struct svf_option_value *values)
{
	struct svf_model_ids ids = {
		.vendor = (uint16_t)values[OPT_VENDOR].number,
		.device = (uint16_t)values[OPT_DEVICE].number,
		.class_code = (uint32_t)values[OPT_CLASS].number,
		.revision = (uint8_t)values[OPT_REVISION].number,
	};

	ids.subvendor =
		values[OPT_SUBVENDOR].set ? (uint16_t)values[OPT_SUBVENDOR].number : ids.vendor;
	ids.subdevice =
		values[OPT_SUBDEVICE].set ? (uint16_t)values[OPT_SUBDEVICE].number : ids.device;
	svf_model_set_ids(fn, &ids);
	svf_model_set_pin(fn, (unsigned int)values[OPT_INTX].number);
}

/* The most that is kept for a trapped BAR, which nobody needs to be large. */
#define REGISTERS_MAX (1u << 20)

static int keep_registers(struct svf_function *fn, unsigned int bar, uint64_t size,
			  struct svf_model_error *error)
{
	struct null *null = svf_model_state(fn);

	if (size > REGISTERS_MAX)
		return svf_model_fail(error, -EINVAL, null_options[OPT_BAR0 + bar].name,
				      "a BAR with trap has at most 1M");
	null->registers[bar] = calloc(1, (size_t)size);
	null->register_bytes[bar] = (size_t)size;
	return null->registers[bar] ? 0 : -ENOMEM;
}

static bool is_plain_memory(const struct svf_model_bar *bar)
{
	return (bar->type == SVF_MODEL_BAR_MEM32 || bar->type == SVF_MODEL_BAR_MEM64) &&
	       !bar->trapped;
}

static int add_bars(struct svf_function *fn, const struct svf_model_bar bars[BARS],
		    struct svf_model_error *error)
{
	for (unsigned int i = 0; i < BARS; i++) {
		bool ram = is_plain_memory(&bars[i]);
		int err = svf_model_add_bar(fn, i, &bars[i], ram ? SVF_MODEL_BAR_RAM : 0, error);

		if (!err && !ram && bars[i].type != SVF_MODEL_BAR_NONE)
			err = keep_registers(fn, i, bars[i].size, error);
		if (err) {
			if (error && !error->option)
				error->option = null_options[OPT_BAR0 + i].name;
			return err;
		}
	}
	return 0;
}

static int build_bars(struct svf_function *fn, const struct svf_option_value *values,
		      struct msix *msix, struct svf_model_error *error)
{
	unsigned int vectors = (unsigned int)values[OPT_MSIX].number;
	unsigned int wanted =
		values[OPT_MSIXBAR].set ? (unsigned int)values[OPT_MSIXBAR].number : BARS;
	const struct svf_model_bar fresh = {.type = SVF_MODEL_BAR_MEM32};
	struct svf_model_bar bars[BARS];
	int err = 0;

	for (unsigned int i = 0; i < BARS; i++)
		bars[i] = values[OPT_BAR0 + i].bar;
	if (vectors)
		err = add_msix_bar(bars, vectors, wanted, fresh, msix, "msixbar", error);
	return err ? err : add_bars(fn, bars, error);
}

static int build_caps(struct svf_function *fn, const struct svf_option_value *values,
		      const struct msix *msix, bool express, struct svf_model_error *error)
{
	unsigned int msi = (unsigned int)values[OPT_MSI].number;
	bool flr = values[OPT_FLR].number;

	if (msi & (msi - 1))
		return svf_model_fail(error, -EINVAL, "msi",
				      "%u MSI vectors: must be a power of two", msi);
	if (values[OPT_PM].number && !svf_model_add_pm(fn, false))
		return no_room(error);
	if (msi && !svf_model_add_msi(fn, msi))
		return no_room(error);
	if (msix->vectors &&
	    !svf_model_add_msix(fn, msix->vectors, msix->bar, msix->table, msix->pba))
		return no_room(error);
	if (!express)
		return flr && !svf_model_add_af(fn) ? no_room(error) : 0;
	if (!svf_model_add_pcie(fn, flr) || !svf_model_add_aer(fn) || !svf_model_add_ari(fn))
		return no_room(error);
	return 0;
}

/* --- ROM and VGA --- */

/* dumped: the size that a dump says, 0: none. */
static int build_rom(struct svf_function *fn, const struct svf_option_value *values,
		     uint64_t dumped, struct svf_model_error *error)
{
	const struct svf_option_value *size = &values[OPT_ROMSIZE];
	int err;

	if (!dumped && !size->set && !values[OPT_ROM].set)
		return 0;
	err = svf_null_add_rom(fn, values[OPT_ROM].text, size->set ? size->number : dumped,
			       !size->set, error);
	if (err && error && !error->option)
		error->option = null_options[size->set ? OPT_ROMSIZE : OPT_ROM].name;
	return err;
}

static int build_vga(struct svf_function *fn, struct null *null)
{
	const uint8_t *config = svf_model_config(fn);

	if (config[PCI_CLASS_DEVICE + 1] != 0x03 || config[PCI_CLASS_DEVICE] != 0x00)
		return 0;
	null->vga = calloc(1, sizeof(*null->vga));
	return null->vga ? 0 : -ENOMEM;
}

/* --- VFs --- */

static int choose_vf_bars(const struct svf_option_value *values, struct svf_model_bar bars[BARS],
			  struct svf_model_error *error)
{
	bool given = false;

	for (unsigned int i = 0; i < BARS; i++) {
		bars[i] = values[OPT_VFBAR0 + i].bar;
		if (bars[i].trapped)
			return svf_model_fail(error, -EINVAL, null_options[OPT_VFBAR0 + i].name,
					      "VFs have no trapped BARs; leave trap out");
		given = given || values[OPT_VFBAR0 + i].given;
	}
	if (!given)
		bars[0] = (struct svf_model_bar){
			.type = SVF_MODEL_BAR_MEM64, .size = 64 * 1024, .prefetchable = true};
	return 0;
}

static int build_vfs(struct svf_function *fn, struct null *null,
		     const struct svf_option_value *values, bool express,
		     struct svf_model_error *error)
{
	const struct svf_model_bar fresh = {.type = SVF_MODEL_BAR_MEM64, .prefetchable = true};
	const struct svf_option_value *total = &values[OPT_TOTALVFS];
	unsigned int vectors = (unsigned int)values[OPT_VFMSIX].number;
	struct svf_model_sriov sriov = {
		.total_vfs = total->set ? (unsigned int)total->number
			     : express	? 8
					: 0,
		.vf_device = (uint16_t)values[values[OPT_VFDEVICE].set ? OPT_VFDEVICE : OPT_DEVICE]
				     .number,
		.offset = (uint16_t)values[OPT_OFFSET].number,
		.stride = (uint16_t)values[OPT_STRIDE].number,
	};
	int err;

	if (values[OPT_VFS].number > sriov.total_vfs)
		return svf_model_fail(error, -EINVAL, "vfs", "vfs=%lu is more than totalvfs=%u",
				      (unsigned long)values[OPT_VFS].number, sriov.total_vfs);
	if (sriov.total_vfs == 0)
		return 0;
	if (!express)
		return svf_model_fail(error, -EINVAL, "totalvfs",
				      "only a PCI Express function can have VFs");
	err = choose_vf_bars(values, sriov.bars, error);
	if (!err && vectors)
		err = add_msix_bar(sriov.bars, vectors, BARS, fresh, &null->vf_msix, "vfmsix",
				   error);
	null->vf_flr = values[OPT_FLR].number;
	return err ? err : svf_model_add_sriov(fn, &sriov, error);
}

static int create_from_options(struct svf_function *fn, struct null *null,
			       const struct svf_option_value *values, struct svf_model_error *error)
{
	bool on_express = svf_model_is_express(fn);
	bool express = values[OPT_PCIE].set ? (bool)values[OPT_PCIE].number : on_express;
	struct msix msix = {0};
	int err;

	if (express && !on_express)
		return svf_model_fail(error, -EINVAL, "pcie",
				      "pcie=on on a conventional PCI bus; leave it out");
	set_ids(fn, values);
	err = build_bars(fn, values, &msix, error);
	if (!err)
		err = build_caps(fn, values, &msix, express, error);
	if (!err)
		err = build_rom(fn, values, 0, error);
	return err ? err : build_vfs(fn, null, values, express, error);
}

/* --- the function from a dump --- */

static uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Where the MSI-X table or its pending bits end within BAR number bar; 0: not in that BAR. */
static uint64_t msix_end(const uint8_t *config, unsigned int cap, unsigned int bar)
{
	unsigned int vectors = ((unsigned int)config[cap + 2] | (config[cap + 3] & 7u) << 8) + 1;
	uint32_t table = get_le32(config + cap + PCI_MSIX_TABLE);
	uint32_t pba = get_le32(config + cap + PCI_MSIX_PBA);
	uint64_t end = 0;

	if ((table & 7) == bar)
		end = (table & ~7u) + 16ull * vectors;
	if ((pba & 7) == bar && (pba & ~7u) + (vectors + 63) / 64 * 8ull > end)
		end = (pba & ~7u) + (vectors + 63) / 64 * 8ull;
	return end;
}

/* Clients and drivers believe the capability, so it must be true of the BARs. */
static int check_msix(const uint8_t *config, unsigned int cap,
		      const struct svf_model_bar bars[BARS], struct svf_model_error *error)
{
	unsigned int table = config[cap + PCI_MSIX_TABLE] & 7, pba = config[cap + PCI_MSIX_PBA] & 7;

	if (table >= BARS || pba >= BARS || bars[table].type == SVF_MODEL_BAR_NONE ||
	    bars[pba].type == SVF_MODEL_BAR_NONE)
		return svf_model_fail(error, -EINVAL, "dump",
				      "MSI-X table in BAR %u and pending bits in BAR %u, which are "
				      "not both there; give barN= its size",
				      table, pba);
	if (msix_end(config, cap, table) > bars[table].size ||
	    msix_end(config, cap, pba) > bars[pba].size)
		return svf_model_fail(
			error, -EINVAL, "dump",
			"the MSI-X table does not fit into BAR %u; give bar%u= its size", table,
			table);
	return 0;
}

/* The size that is given, or what a dump without sizes needs at least. */
static uint64_t guess_size(const struct svf_model_bar *bar, uint64_t at_least)
{
	uint64_t size = bar->type == SVF_MODEL_BAR_IO ? 32 : 4096;

	if (bar->size)
		return bar->size;
	while (size < at_least)
		size <<= 1;
	return size;
}

static void take_sizes(struct svf_model_bar bars[BARS], const struct svf_option_value *given,
		       const uint8_t *config, unsigned int msix_cap)
{
	for (unsigned int i = 0; i < BARS; i++) {
		if (given[i].given && bars[i].type == SVF_MODEL_BAR_NONE)
			bars[i] = given[i].bar;
		else if (given[i].given)
			bars[i].size = given[i].bar.size;
		if (bars[i].type != SVF_MODEL_BAR_NONE)
			bars[i].size =
				guess_size(&bars[i], msix_cap ? msix_end(config, msix_cap, i) : 0);
	}
}

static int adopt_vfs(struct svf_function *fn, struct null *null, const struct svf_null_dump *dump,
		     const struct svf_option_value *values, struct svf_model_error *error)
{
	unsigned int cap = svf_model_find_ext_cap(fn, PCI_EXT_CAP_ID_SRIOV);
	unsigned int vectors = (unsigned int)values[OPT_VFMSIX].number;
	const struct svf_model_bar fresh = {.type = SVF_MODEL_BAR_NONE};
	struct svf_model_bar bars[BARS];
	unsigned int last = BARS;
	int err = 0;

	if (!cap || cap + PCI_EXT_CAP_SRIOV_SIZEOF > sizeof(dump->config)) {
		return values[OPT_VFS].number
			       ? svf_model_fail(error, -EINVAL, "vfs",
						"the dumped function has no SR-IOV capability")
			       : 0;
	}
	svf_null_dump_bars(dump, cap + PCI_SRIOV_BAR, bars);
	take_sizes(bars, &values[OPT_VFBAR0], dump->config, 0);
	for (unsigned int i = 0; i < BARS; i++) {
		if (bars[i].type != SVF_MODEL_BAR_NONE)
			last = i;
	}
	if (vectors && last < BARS)
		err = add_msix_bar(bars, vectors, last, fresh, &null->vf_msix, "vfmsix", error);
	null->vf_flr = true; /* the specification demands it of VFs */
	return err ? err : svf_model_adopt_sriov(fn, bars, error);
}

static int check_dump_options(const struct svf_option_value *values, struct svf_model_error *error)
{
	for (unsigned int i = 0; null_options[i].name; i++) {
		if (values[i].given && !goes_with_dump(i))
			return svf_model_fail(
				error, -EINVAL, null_options[i].name,
				"%s= cannot stand beside dump=, which says it already",
				null_options[i].name);
	}
	return 0;
}

static int load_dump(struct svf_function *fn, struct null *null, const struct svf_null_dump *dump,
		     const struct svf_option_value *values, struct svf_model_error *error)
{
	struct svf_model_bar bars[BARS];
	unsigned int msix;
	int err;

	svf_model_load_config(fn, dump->config, dump->len);
	msix = svf_model_find_cap(fn, PCI_CAP_ID_MSIX);
	if (svf_model_find_cap(fn, PCI_CAP_ID_EXP) && !svf_model_is_express(fn))
		return svf_model_fail(error, -EINVAL, "dump",
				      "the dump is of a PCI Express function, which a conventional "
				      "PCI bus cannot carry");
	svf_null_dump_bars(dump, PCI_BASE_ADDRESS_0, bars);
	take_sizes(bars, &values[OPT_BAR0], dump->config, msix);
	err = msix ? check_msix(dump->config, msix, bars, error) : 0;
	if (!err)
		err = add_bars(fn, bars, error);
	if (!err)
		err = build_rom(fn, values, dump->rom_size, error);
	return err ? err : adopt_vfs(fn, null, dump, values, error);
}

static int create_from_dump(struct svf_function *fn, struct null *null,
			    const struct svf_option_value *values, struct svf_model_error *error)
{
	struct svf_null_dump *dump = calloc(1, sizeof(*dump));
	int err;

	if (!dump)
		return -ENOMEM;
	err = check_dump_options(values, error);
	if (!err)
		err = svf_null_dump_read(values[OPT_DUMP].text, dump, error);
	if (!err)
		err = load_dump(fn, null, dump, values, error);
	free(dump);
	return err;
}

/* --- callbacks --- */

static int null_create(struct svf_function *fn, const struct svf_option_value *values,
		       struct svf_model_error *error)
{
	struct null *null = calloc(1, sizeof(*null));
	int err;

	if (!null)
		return -ENOMEM;
	svf_model_set_state(fn, null);
	if (values[OPT_DUMP].set)
		err = create_from_dump(fn, null, values, error);
	else
		err = create_from_options(fn, null, values, error);
	return err ? err : build_vga(fn, null);
}

static int null_create_vf(struct svf_function *vf, struct svf_function *pf, unsigned int index,
			  struct svf_model_error *error)
{
	const struct null *null = svf_model_state(pf);
	const struct msix *msix = &null->vf_msix;
	struct svf_model_bar bar;

	(void)index;
	for (unsigned int i = 0; i < BARS; i++) {
		svf_model_get_bar(vf, i, &bar);
		if (bar.type != SVF_MODEL_BAR_NONE && svf_model_back_with_ram(vf, i))
			return -ENOMEM;
	}
	if (msix->vectors &&
	    !svf_model_add_msix(vf, msix->vectors, msix->bar, msix->table, msix->pba))
		return no_room(error);
	if (!svf_model_add_pcie(vf, null->vf_flr) || !svf_model_add_ari(vf))
		return no_room(error);
	return 0;
}

static void null_destroy(struct svf_function *fn)
{
	struct null *null = svf_model_state(fn);

	if (null)
		free(null->vga);
	for (unsigned int i = 0; null && i < BARS; i++)
		free(null->registers[i]);
	free(null);
}

static void null_reset(struct svf_function *fn)
{
	struct null *null = svf_model_state(fn);

	if (null && null->vga)
		memset(null->vga, 0, sizeof(*null->vga));
	for (unsigned int i = 0; null && i < BARS; i++) {
		if (null->registers[i])
			memset(null->registers[i], 0, null->register_bytes[i]);
	}
}

static void null_bar_read(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf,
			  size_t len)
{
	const struct null *null = svf_model_state(fn);

	memcpy(buf, null->registers[bar] + offset, len);
}

static void null_bar_write(struct svf_function *fn, unsigned int bar, uint64_t offset,
			   const void *buf, size_t len)
{
	struct null *null = svf_model_state(fn);

	memcpy(null->registers[bar] + offset, buf, len);
}

static uint8_t *vga_byte(struct svf_function *fn, uint32_t address)
{
	struct null *null = svf_model_state(fn);

	return address < VGA_MEMORY ? &null->vga->ports[address - VGA_PORTS]
				    : &null->vga->memory[address - VGA_MEMORY];
}

static void null_vga_read(struct svf_function *fn, uint32_t address, void *buf, size_t len)
{
	memcpy(buf, vga_byte(fn, address), len);
}

static void null_vga_write(struct svf_function *fn, uint32_t address, const void *buf, size_t len)
{
	memcpy(vga_byte(fn, address), buf, len);
}

const struct svf_model_ops svf_model_null = {
	.size = sizeof(struct svf_model_ops),
	.version = SVF_MODEL_VERSION,
	.name = "null",
	.help = "a function that does nothing: config space, BARs of plain memory, interrupts, VFs",
	.options = null_options,
	.vfs_option = "vfs",
	.create = null_create,
	.create_vf = null_create_vf,
	.destroy = null_destroy,
	.reset = null_reset,
	.bar_read = null_bar_read,
	.bar_write = null_bar_write,
	.vga_read = null_vga_read,
	.vga_write = null_vga_write,
};
