/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Physical config space.
 *
 * A write changes the bits in wmask, clears the written bits in w1c, and nothing else. That is
 * already enough for BAR sizing: address bits below the size are not writable. What a register
 * does beyond holding its value is in the table of effects, looked up by the bytes a write
 * touches, after the new value is in place. Effects are the hardware's: a reset started by a write
 * here leaves nothing behind, as on a machine where somebody used setpci. The exception, on
 * purpose, is D3hot to D0 of a function without No_Soft_Reset, around which every driver of Linux
 * saves and restores config space: here it is restored for all.
 */
#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pci/bus.h"
#include "core/pci/function.h"
#include "core/pci/reset.h"
#include "core/pci/vpd.h"
#include "include/softvfio/model.h"

static uint32_t get_le(const uint8_t *p, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint32_t)p[i] << 8 * i;
	return value;
}

uint32_t svf_config_read(const struct svf_function *fn, unsigned int offset, unsigned int size)
{
	assert(size && size <= 4 && offset % size == 0 && offset + size <= fn->config_size);
	return get_le(fn->config + offset, size);
}

/*
 * --- effects; before: the register's old value, written: what was put on the bus, old where
 * nothing was ---
 */

static bool line_level(const struct svf_function *fn, uint32_t command)
{
	return fn->intx_asserted && !(command & PCI_COMMAND_INTX_DISABLE);
}

static void command_written(struct svf_function *fn, uint32_t before, uint32_t written)
{
	uint32_t now = get_le(fn->config + PCI_COMMAND, 2);
	bool level = line_level(fn, now);

	(void)written;
	if (level != line_level(fn, before) && fn->irq_sink && fn->irq_sink->intx)
		fn->irq_sink->intx(fn, level);
}

static void power_state_written(struct svf_function *fn, uint32_t before, uint32_t written)
{
	uint32_t from = before & PCI_PM_CTRL_STATE_MASK;
	uint32_t to = get_le(fn->config + fn->cap_pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK;

	(void)written;
	if (from == 3 && to == 0 && fn->has_pm_reset)
		svf_function_reset_and_restore(fn);
}

static void device_control_written(struct svf_function *fn, uint32_t before, uint32_t written)
{
	uint32_t devcap = svf_get_le32(fn->config + fn->cap_exp + PCI_EXP_DEVCAP);

	(void)before;
	if (written & PCI_EXP_DEVCTL_BCR_FLR && devcap & PCI_EXP_DEVCAP_FLR)
		svf_function_hw_reset(fn);
}

static void af_control_written(struct svf_function *fn, uint32_t before, uint32_t written)
{
	(void)before;
	if (written & PCI_AF_CTRL_FLR && fn->config[fn->cap_af + PCI_AF_CAP] & PCI_AF_CAP_FLR)
		svf_function_hw_reset(fn);
}

static void vpd_address_written(struct svf_function *fn, uint32_t before, uint32_t written)
{
	(void)before;
	(void)written;
	svf_vpd_address_written(fn);
}

static void hw_reset_bus(struct svf_bus *bus)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		svf_function_hw_reset(fn);
		if (fn->subordinate)
			hw_reset_bus(fn->subordinate);
	}
}

static void bridge_control_written(struct svf_function *fn, uint32_t before, uint32_t written)
{
	if (fn->subordinate && ~before & written & PCI_BRIDGE_CTL_BUS_RESET)
		hw_reset_bus(fn->subordinate);
}

/* --- where the registers with effects are; 0: the function has none --- */

static unsigned int where_command(const struct svf_function *fn)
{
	(void)fn;
	return PCI_COMMAND;
}

static unsigned int where_power_state(const struct svf_function *fn)
{
	return fn->cap_pm ? (unsigned int)(fn->cap_pm + PCI_PM_CTRL) : 0;
}

static unsigned int where_device_control(const struct svf_function *fn)
{
	return fn->cap_exp ? (unsigned int)(fn->cap_exp + PCI_EXP_DEVCTL) : 0;
}

static unsigned int where_af_control(const struct svf_function *fn)
{
	return fn->cap_af ? (unsigned int)(fn->cap_af + PCI_AF_CTRL) : 0;
}

static unsigned int where_vpd_address(const struct svf_function *fn)
{
	return fn->cap_vpd ? (unsigned int)(fn->cap_vpd + PCI_VPD_ADDR) : 0;
}

static unsigned int where_bridge_control(const struct svf_function *fn)
{
	return fn->interconnect ? PCI_BRIDGE_CONTROL : 0u;
}

static const struct effect {
	unsigned int (*where)(const struct svf_function *fn);
	unsigned int size;
	void (*after)(struct svf_function *fn, uint32_t before, uint32_t written);
} effects[] = {
	{where_command, 2, command_written},
	{where_power_state, 2, power_state_written},
	{where_device_control, 2, device_control_written},
	{where_af_control, 1, af_control_written},
	{where_vpd_address, 2, vpd_address_written},
	{where_bridge_control, 2, bridge_control_written},
};

/* The register at where with the bytes that a write put on the bus in place of its old ones. */
static uint32_t bytes_written(const uint8_t *before, unsigned int where, unsigned int reg_size,
			      unsigned int offset, unsigned int size, uint32_t value)
{
	uint32_t written = get_le(before, reg_size);

	for (unsigned int i = 0; i < reg_size; i++) {
		unsigned int byte = where + i;

		if (byte < offset || byte >= offset + size)
			continue;
		written &= ~(0xffu << 8 * i);
		written |= (value >> 8 * (byte - offset) & 0xffu) << 8 * i;
	}
	return written;
}

/*
 * Registers are naturally aligned, so an access of at most 4 aligned bytes touches one aligned
 * dword.
 */
static void run_effects(struct svf_function *fn, const uint8_t before[4], unsigned int offset,
			unsigned int size, uint32_t value)
{
	unsigned int dword = offset & ~3u;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(effects); i++) {
		const struct effect *effect = &effects[i];
		unsigned int where = effect->where(fn);
		const uint8_t *old;

		if (!where || where >= offset + size || where + effect->size <= offset)
			continue;
		old = before + (where - dword);
		effect->after(fn, get_le(old, effect->size),
			      bytes_written(old, where, effect->size, offset, size, value));
	}
}

void svf_config_write(struct svf_function *fn, unsigned int offset, unsigned int size,
		      uint32_t value)
{
	uint8_t before[4];

	assert(size && size <= 4 && offset % size == 0 && offset + size <= fn->config_size);
	memcpy(before, fn->config + (offset & ~3u), sizeof(before));
	for (unsigned int i = 0; i < size; i++) {
		uint8_t *byte = &fn->config[offset + i];
		uint8_t mask = fn->wmask[offset + i];
		uint8_t put = (uint8_t)(value >> 8 * i);

		*byte = (uint8_t)((*byte & ~mask) | (put & mask));
		*byte &= (uint8_t) ~(put & fn->w1c[offset + i]);
	}
	run_effects(fn, before, offset, size, value);
	if (fn->model && fn->model->config_write)
		fn->model->config_write(fn, offset, size);
}

unsigned int svf_function_power_state(const struct svf_function *fn)
{
	if (!fn->cap_pm)
		return 0;
	return fn->config[fn->cap_pm + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK;
}

bool svf_function_memory_enabled(const struct svf_function *fn)
{
	const struct svf_function *pf = fn->physfn;

	if (svf_function_power_state(fn) == 3)
		return false;
	if (pf)
		return pf->config[pf->sriov.cap + PCI_SRIOV_CTRL] & PCI_SRIOV_CTRL_MSE;
	return fn->config[PCI_COMMAND] & PCI_COMMAND_MEMORY;
}

/* --- interrupts --- */

void svf_function_raise_msi(struct svf_function *fn, unsigned int vector)
{
	struct svf_msix_layout msix;
	unsigned int vectors = svf_function_msi_vectors(fn);

	if (svf_function_msix(fn, &msix) && msix.vectors > vectors)
		vectors = msix.vectors;
	if (vector >= vectors || !(fn->config[PCI_COMMAND] & PCI_COMMAND_MASTER))
		return;
	if (fn->irq_sink && fn->irq_sink->msi)
		fn->irq_sink->msi(fn, vector);
}

void svf_function_set_intx(struct svf_function *fn, bool level)
{
	uint32_t command = get_le(fn->config + PCI_COMMAND, 2);
	bool before = line_level(fn, command);

	if (!fn->config[PCI_INTERRUPT_PIN])
		return;
	fn->intx_asserted = level;
	if (level)
		fn->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	else
		fn->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	if (line_level(fn, command) != before && fn->irq_sink && fn->irq_sink->intx)
		fn->irq_sink->intx(fn, !before);
}
