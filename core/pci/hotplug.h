/* SPDX-License-Identifier: BSD-3-Clause */
/* Removing functions and finding them again: sysfs "remove" and "rescan". See hotplug.c. */
#ifndef SVF_CORE_PCI_HOTPLUG_H
#define SVF_CORE_PCI_HOTPLUG_H

#include <stdbool.h>

#include "core/call.h"

struct svf_bus;
struct svf_function;
struct svf_machine;

/*
 * Takes a function, with everything behind it and its VFs, out of the machine: drivers leave, which
 * waits for users; then nothing of it can be found until a scan of its bus. Not of a VF. Return: 0;
 * SVF_BLOCKED.
 */
int svf_function_remove(struct svf_function *fn, struct svf_call *call) SVF_MUST_CHECK;

/*
 * Finds what was removed from a bus and from those behind it, and probes it. bus NULL: from all.
 * Return: 0, SVF_BLOCKED while something is being removed.
 */
int svf_bus_rescan(struct svf_machine *machine, struct svf_bus *bus,
		   struct svf_call *call) SVF_MUST_CHECK;

/*
 * The kernel's one lock of all who add or remove functions, held by a removal that waits: of fn, or
 * (numvfs) of the VFs of fn. False: something else has it, so the caller is to be SVF_BLOCKED. Who
 * has it, gets it again.
 */
bool svf_hotplug_lock(struct svf_function *fn, bool numvfs) SVF_MUST_CHECK;
void svf_hotplug_unlock(struct svf_machine *machine);

#endif
