/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A null device from options alone: identity, BARs, capabilities, contents, VFs.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "models/null/contents.h"
#include "models/null/null.h"

/* Bytes that table and pending bits take, as a power of two of at least a page. */
uint64_t svf_null_msix_size(unsigned int vectors)
{
	uint64_t need = 16ull * vectors + (vectors + 63) / 64 * 8ull;
	uint64_t size = 4096;

	while (size < need)
		size <<= 1;
	return size;
}

void svf_null_place_msix(struct msix *msix, unsigned int vectors, unsigned int bar,
			 uint64_t bar_size)
{
	uint64_t need = svf_null_msix_size(vectors);

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
int svf_null_add_msix_bar(struct svf_model_bar bars[BARS], unsigned int vectors,
			  unsigned int wanted, struct svf_model_bar fresh, struct msix *msix,
			  const char *option, struct svf_model_error *error)
{
	bool wide = fresh.type == SVF_MODEL_BAR_MEM64;
	unsigned int bar = wanted < BARS ? wanted : free_bar(bars, wide);

	fresh.size = svf_null_msix_size(vectors);
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
	svf_null_place_msix(msix, vectors, bar, bars[bar].size);
	return 0;
}

int svf_null_no_room(struct svf_model_error *error)
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
		return svf_model_fail(error, -EINVAL, svf_null_options[OPT_BAR0 + bar].name,
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

/* Its first pages are registers, the next are where they are looked at, the rest is memory. */
static int add_registers(struct svf_function *fn, unsigned int index,
			 const struct svf_model_bar *bar, struct svf_model_error *error)
{
	int err = 0;

	if (bar->type == SVF_MODEL_BAR_NONE)
		return 0;
	if (!is_plain_memory(bar))
		return keep_registers(fn, index, bar->size, error);
	if (bar->trap)
		err = keep_registers(fn, index, bar->trap, error);
	if (!err && bar->trap)
		err = svf_model_set_pages(fn, index, 0, bar->trap, SVF_MODEL_PAGES_TRAP, error);
	if (!err && bar->trap_stores)
		err = svf_model_set_pages(fn, index, bar->trap, bar->trap_stores,
					  SVF_MODEL_PAGES_READ_RAM, error);
	return err;
}

int svf_null_add_bars(struct svf_function *fn, const struct svf_model_bar bars[BARS],
		      struct svf_model_error *error)
{
	for (unsigned int i = 0; i < BARS; i++) {
		bool ram = is_plain_memory(&bars[i]);
		int err = svf_model_add_bar(fn, i, &bars[i], ram ? SVF_MODEL_BAR_RAM : 0, error);

		if (!err)
			err = add_registers(fn, i, &bars[i], error);
		if (err) {
			if (error && !error->option)
				error->option = svf_null_options[OPT_BAR0 + i].name;
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
		err = svf_null_add_msix_bar(bars, vectors, wanted, fresh, msix, "msixbar", error);
	return err ? err : svf_null_add_bars(fn, bars, error);
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
		return svf_null_no_room(error);
	if (msi && !svf_model_add_msi(fn, msi))
		return svf_null_no_room(error);
	if (msix->vectors &&
	    !svf_model_add_msix(fn, msix->vectors, msix->bar, msix->table, msix->pba))
		return svf_null_no_room(error);
	if (!express)
		return flr && !svf_model_add_af(fn) ? svf_null_no_room(error) : 0;
	if (!svf_model_add_pcie(fn, flr) || !svf_model_add_aer(fn) || !svf_model_add_ari(fn))
		return svf_null_no_room(error);
	return 0;
}

/* --- contents --- */

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
		error->option = svf_null_options[size->set ? OPT_ROMSIZE : OPT_ROM].name;
	return err;
}

int svf_null_build_contents(struct svf_function *fn, const struct svf_option_value *values,
			    uint64_t dumped, struct svf_model_error *error)
{
	int err = build_rom(fn, values, dumped, error);

	if (err || !values[OPT_VPD].set)
		return err;
	err = svf_null_add_vpd(fn, values[OPT_VPD].text, error);
	if (err && error && !error->option)
		error->option = svf_null_options[OPT_VPD].name;
	return err;
}

/* --- VFs --- */

static int choose_vf_bars(const struct svf_option_value *values, struct svf_model_bar bars[BARS],
			  struct svf_model_error *error)
{
	bool given = false;

	for (unsigned int i = 0; i < BARS; i++) {
		bars[i] = values[OPT_VFBAR0 + i].bar;
		if (bars[i].trapped || bars[i].trap || bars[i].trap_stores)
			return svf_model_fail(error, -EINVAL, svf_null_options[OPT_VFBAR0 + i].name,
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
		err = svf_null_add_msix_bar(sriov.bars, vectors, BARS, fresh, &null->vf_msix,
					    "vfmsix", error);
	null->vf_flr = values[OPT_FLR].number;
	return err ? err : svf_model_add_sriov(fn, &sriov, error);
}

int svf_null_build(struct svf_function *fn, struct null *null,
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
		err = svf_null_build_contents(fn, values, 0, error);
	return err ? err : build_vfs(fn, null, values, express, error);
}
