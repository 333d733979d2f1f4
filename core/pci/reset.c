/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resets.
 *
 * A reset as hardware does it puts every register back to its initial value, BARs and command
 * register included; what survives are the error status bits that the specification calls sticky.
 * The model is told, and memory behind BARs is zeroed unless the model keeps it.
 *
 * The kernel never lets a driver see that: it saves config space before and restores it after each
 * reset that it starts. Restored are the registers the kernel knows, which are those of the
 * layouts in caps.c; what is lost is the power state, and bits that only the model knows.
 * Virtual functions live on across a reset of their PF, as their number is restored too, but they
 * are reset with it.
 *
 * Which ways a function has to be reset is found once, when the function is discovered, and shown
 * by sysfs "reset_method" ever after. Whether one works is a question of now: the reset of a bus
 * is no reset of a function when there is another on that bus, and the first of two functions was
 * discovered while it was still alone.
 */
#include "core/pci/reset.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/machine.h"
#include "core/pci/bus.h"
#include "core/pci/caps.h"
#include "core/pci/function.h"
#include "core/pci/pages.h"
#include "include/softvfio/model.h"

static void clear_ram(struct svf_machine *machine, struct svf_ram *ram)
{
	if (!ram)
		return;
	if (machine->port->ram_clear)
		machine->port->ram_clear(machine, ram);
	else
		memset(ram->base, 0, ram->size);
}

static void clear_bars(struct svf_function *fn)
{
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		for (unsigned int kind = 0; kind < SVF_PAGE_KINDS; kind++)
			clear_ram(fn->machine, svf_pages_ram(&fn->bars[i], kind));
	}
}

static void reset_contents(struct svf_function *fn)
{
	svf_function_set_intx(fn, false);
	if (!fn->model)
		return;
	if (!(fn->model->flags & SVF_MODEL_RESET_KEEPS_RAM))
		clear_bars(fn);
	svf_msix_reset_table(fn);
	if (fn->model->reset)
		fn->model->reset(fn);
}

/* Error status that a reset does not clear: the status registers of AER. */
static void keep_sticky(struct svf_function *fn, const uint8_t *old)
{
	static const uint16_t sticky[] = {PCI_ERR_UNCOR_STATUS, PCI_ERR_COR_STATUS};

	for (size_t i = 0; fn->ext_aer && i < SVF_ARRAY_SIZE(sticky); i++)
		memcpy(fn->config + fn->ext_aer + sticky[i], old + fn->ext_aer + sticky[i], 4);
}

void svf_function_hw_reset(struct svf_function *fn)
{
	uint8_t old[SVF_PCIE_CONFIG_SIZE];

	memcpy(old, fn->config, sizeof(old));
	memcpy(fn->config, fn->reset_config, fn->config_size);
	keep_sticky(fn, old);
	reset_contents(fn);
	for (unsigned int i = 0; fn->sriov.vfs && i < fn->sriov.num_vfs; i++) {
		if (fn->sriov.vfs[i])
			svf_function_reset_and_restore(fn->sriov.vfs[i]);
	}
}

static void restore_reg(struct svf_function *fn, const struct svf_reg *reg, void *arg)
{
	const uint8_t *saved = arg;

	if (reg->lost)
		return;
	for (unsigned int i = 0; i < reg->size; i++) {
		uint8_t mask = (uint8_t)(reg->wmask >> 8 * i);
		uint8_t *byte = &fn->config[reg->offset + i];

		*byte = (uint8_t)((*byte & ~mask) | (saved[reg->offset + i] & mask));
	}
}

static void restore_bytes(struct svf_function *fn, const uint8_t *saved, unsigned int offset,
			  unsigned int len)
{
	memcpy(fn->config + offset, saved + offset, len);
}

void svf_function_reset_and_restore(struct svf_function *fn)
{
	unsigned int rom = fn->interconnect ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
	unsigned int bars = fn->interconnect ? 2 : SVF_PCI_BARS;
	uint8_t saved[SVF_PCIE_CONFIG_SIZE];
	unsigned int cap = fn->sriov.cap;

	memcpy(saved, fn->config, sizeof(saved));
	svf_function_hw_reset(fn);
	svf_caps_for_each_reg(fn, restore_reg, saved);
	restore_bytes(fn, saved, PCI_BASE_ADDRESS_0, 4 * bars);
	restore_bytes(fn, saved, rom, 4);
	if (cap) {
		restore_bytes(fn, saved, cap + PCI_SRIOV_CTRL, 2);
		restore_bytes(fn, saved, cap + PCI_SRIOV_NUM_VF, 2);
		restore_bytes(fn, saved, cap + PCI_SRIOV_BAR, 4 * SVF_PCI_BARS);
	}
	if (fn->irq_sink && fn->irq_sink->restored)
		fn->irq_sink->restored(fn);
}

void svf_bus_reset(struct svf_bus *bus)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		/* A VF is reset with its PF, which is on the same bus or on an earlier one. */
		if (!fn->physfn)
			svf_function_reset_and_restore(fn);
		if (fn->subordinate)
			svf_bus_reset(fn->subordinate);
	}
}

/* --- by itself --- */

/* Functions of the bus that are not discovered yet do not count. */
static bool alone_on_bus(const struct svf_function *fn)
{
	const struct svf_function *other;

	svf_list_for_each(other, &fn->bus->functions, bus_link) {
		if (other != fn && !svf_list_empty(&other->machine_link))
			return false;
	}
	return true;
}

static bool can_flr(const struct svf_function *fn)
{
	return fn->cap_exp &&
	       svf_get_le32(fn->config + fn->cap_exp + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR;
}

static bool can_af_flr(const struct svf_function *fn)
{
	return fn->has_flr && fn->cap_af && !can_flr(fn);
}

static bool can_pm_reset(const struct svf_function *fn)
{
	return fn->has_pm_reset;
}

static bool can_bus_reset(const struct svf_function *fn)
{
	return fn->bus->bridge && !fn->subordinate && alone_on_bus(fn);
}

static const struct {
	unsigned int method;
	bool (*works)(const struct svf_function *fn);
} methods[] = {
	{SVF_RESET_FLR, can_flr},
	{SVF_RESET_AF_FLR, can_af_flr},
	{SVF_RESET_PM, can_pm_reset},
	{SVF_RESET_BUS, can_bus_reset},
};

void svf_function_find_reset_methods(struct svf_function *fn)
{
	fn->reset_methods = 0;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(methods); i++) {
		if (methods[i].works(fn))
			fn->reset_methods |= methods[i].method;
	}
}

bool svf_function_can_reset(const struct svf_function *fn)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(methods); i++) {
		if (fn->reset_methods & methods[i].method && methods[i].works(fn))
			return true;
	}
	return false;
}

static int fail_no_reset(const struct svf_function *fn, struct svf_call *call)
{
	return svf_fail(call, -ENOTTY,
			SVF_BDF_FMT " cannot be reset by itself: no FLR, no reset by power "
				    "management, and not alone behind a port",
			SVF_BDF_ARG(fn->bdf));
}

/* A function without any way to be reset needs no lock to say so. */
int svf_function_reset(struct svf_function *fn, struct svf_call *call)
{
	if (!fn->reset_methods)
		return fail_no_reset(fn, call);
	if (svf_function_is_locked(fn))
		return svf_fail(call, -EAGAIN, SVF_BDF_FMT " is being unbound or its VFs removed",
				SVF_BDF_ARG(fn->bdf));
	if (!svf_function_can_reset(fn))
		return fail_no_reset(fn, call);
	svf_function_reset_and_restore(fn);
	return 0;
}
