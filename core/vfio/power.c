/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Power states, low power on request, and what of the function's state outlives a user.
 *
 * D-states. The user writes them into the power management register, the driver carries them
 * out. In D3hot memory BARs answer nobody (-EIO), as with memory decoding off. A PF with VFs stays
 * in D0: the VFs would lose their power with it. A function that resets on its way from D3hot to D0
 * gets its config space back, which core/pci does for everybody.
 *
 * Mapped BARs follow: while the function does not decode memory, is in D3hot or in low power on
 * request, an access to a mapping is SIGBUS, and peer-to-peer DMA to it is aborted.
 *
 * Low power on request (DEVICE_FEATURE LOW_POWER_ENTRY). The kernel then suspends the device when
 * nobody is inside a call, and any later call or access resumes it for as long as it lasts. Here
 * nothing is suspended in between; what can be told is kept: mapped BARs are out of reach, the request
 * stands until LOW_POWER_EXIT, a second one is -EINVAL, and with a wake-up event the first call or
 * access afterwards signals it and ends the request.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pci/pages.h"
#include "core/vfio/vconfig.h"
#include "core/vfio/vfio_pci.h"

/*
 * Capabilities of the first kind lie here; the extended ones are put back by the reset, or lost
 * with it.
 */
#define SAVED_BYTES 256u

struct svf_saved_state {
	uint8_t config[SAVED_BYTES];
};

static bool state_reachable(const struct svf_function *fn, unsigned int state)
{
	uint32_t pmc = svf_config_read(fn, fn->cap_pm + PCI_PM_PMC, 2);

	if (state == 1 && !(pmc & PCI_PM_CAP_D1))
		return false;
	if (state == 2 && !(pmc & PCI_PM_CAP_D2))
		return false;
	return state == 0 || state > svf_function_power_state(fn);
}

void svf_device_set_power_state(struct svf_device *device, unsigned int state)
{
	struct svf_function *fn = device->fn;
	unsigned int at = fn->cap_pm + PCI_PM_CTRL;
	uint32_t ctrl;

	if (!fn->cap_pm || state == svf_function_power_state(fn))
		return;
	if (state && fn->sriov.num_vfs)
		return;
	if (!state_reachable(fn, state))
		return;
	ctrl = state ? svf_config_read(fn, at, 2) & ~(uint32_t)PCI_PM_CTRL_PME_STATUS : 0;
	svf_config_write(fn, at, 2, (ctrl & ~(uint32_t)PCI_PM_CTRL_STATE_MASK) | state);
}

bool svf_device_memory_enabled(const struct svf_device *device)
{
	if (svf_function_power_state(device->fn) == 3)
		return false;
	return device->fn->physfn || svf_vconfig_command(device->vconfig) & PCI_COMMAND_MEMORY;
}

static void hide(struct svf_machine *machine, struct svf_ram *ram, bool hidden)
{
	if (!ram || ram->hidden == hidden)
		return;
	ram->hidden = hidden;
	if (machine->port->ram_hide)
		machine->port->ram_hide(machine, ram);
}

void svf_device_follow_memory(struct svf_device *device)
{
	bool hidden = device->vconfig && (device->low_power || !svf_device_memory_enabled(device));

	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		for (unsigned int kind = 0; kind < SVF_PAGE_KINDS; kind++)
			hide(device->fn->machine, svf_pages_ram(&device->fn->bars[i], kind),
			     hidden);
	}
}

static void drop_wake_event(struct svf_device *device)
{
	if (device->wake_event)
		device->fn->machine->port->event_put(device->wake_event);
	device->wake_event = NULL;
}

void svf_device_low_power_exit(struct svf_device *device)
{
	device->low_power = false;
	drop_wake_event(device);
}

void svf_device_low_power_wake(struct svf_device *device)
{
	if (!device->wake_event)
		return;
	device->fn->machine->port->event_signal(device->wake_event);
	svf_device_low_power_exit(device);
}

int svf_device_low_power_entry(struct svf_device *device, struct svf_call *call,
			       struct svf_event *wake_event)
{
	if (device->low_power)
		return svf_fail(call, -EINVAL,
				"low power is requested already; use "
				"VFIO_DEVICE_FEATURE_LOW_POWER_EXIT first");
	device->low_power = true;
	device->wake_event = wake_event ? device->fn->machine->port->event_get(wake_event) : NULL;
	return 0;
}

struct svf_saved_state *svf_state_save(const struct svf_function *fn)
{
	struct svf_saved_state *state = calloc(1, sizeof(*state));

	if (state)
		memcpy(state->config, fn->config, sizeof(state->config));
	return state;
}

/* Not by svf_config_write(): putting bits back is no access and has no side effects. */
void svf_state_restore(struct svf_function *fn, const struct svf_saved_state *state)
{
	for (unsigned int i = 0; i < SAVED_BYTES; i++)
		fn->config[i] = (uint8_t)((fn->config[i] & ~fn->wmask[i]) |
					  (state->config[i] & fn->wmask[i]));
}

void svf_state_destroy(struct svf_saved_state *state)
{
	free(state);
}

void svf_device_set_command(struct svf_function *fn, uint16_t mask, uint16_t value)
{
	uint32_t command = svf_config_read(fn, PCI_COMMAND, 2);

	svf_config_write(fn, PCI_COMMAND, 2, (command & ~(uint32_t)mask) | (value & mask));
}
