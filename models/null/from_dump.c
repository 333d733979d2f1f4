/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A null device that stands in for a real one: config space from a dump, and what a dump does not say from
 * options.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "models/null/dump.h"
#include "models/null/null.h"

/* Options that may stand beside dump=, because a dump does not say them. */
static bool goes_with_dump(unsigned int option)
{
	return option == OPT_VFS || option == OPT_DUMP || option == OPT_VFMSIX ||
	       option == OPT_ROM || option == OPT_ROMSIZE || option == OPT_VPD ||
	       (option >= OPT_BAR0 && option < OPT_BAR0 + BARS) ||
	       (option >= OPT_VFBAR0 && option < OPT_VFBAR0 + BARS);
}

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
		err = svf_null_add_msix_bar(bars, vectors, last, fresh, &null->vf_msix, "vfmsix",
					    error);
	null->vf_flr = true; /* the specification demands it of VFs */
	return err ? err : svf_model_adopt_sriov(fn, bars, error);
}

static int check_dump_options(const struct svf_option_value *values, struct svf_model_error *error)
{
	for (unsigned int i = 0; svf_null_options[i].name; i++) {
		if (values[i].given && !goes_with_dump(i))
			return svf_model_fail(
				error, -EINVAL, svf_null_options[i].name,
				"%s= cannot stand beside dump=, which says it already",
				svf_null_options[i].name);
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
		err = svf_null_add_bars(fn, bars, error);
	if (!err)
		err = svf_null_build_contents(fn, values, dump->rom_size, error);
	return err ? err : adopt_vfs(fn, null, dump, values, error);
}

int svf_null_build_from_dump(struct svf_function *fn, struct null *null,
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
