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

#include "models/null/null.h"
#include "models/registry.h"

/* Legacy VGA: ports from 0x3b0 to 0x3df, memory from 0xa0000 to 0xbffff. */
#define VGA_PORTS  0x3b0u
#define VGA_MEMORY 0xa0000u

static int build_vga(struct svf_function *fn, struct null *null)
{
	const uint8_t *config = svf_model_config(fn);

	if (config[PCI_CLASS_DEVICE + 1] != 0x03 || config[PCI_CLASS_DEVICE] != 0x00)
		return 0;
	null->vga = calloc(1, sizeof(*null->vga));
	return null->vga ? 0 : -ENOMEM;
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
		err = svf_null_build_from_dump(fn, null, values, error);
	else
		err = svf_null_build(fn, null, values, error);
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
		return svf_null_no_room(error);
	if (!svf_model_add_pcie(vf, null->vf_flr) || !svf_model_add_ari(vf))
		return svf_null_no_room(error);
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

	if (offset < null->register_bytes[bar])
		memcpy(null->registers[bar] + offset, buf, len);
	else
		memcpy(svf_model_read_ram(fn, bar) + offset, buf, len);
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
	.options = svf_null_options,
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
