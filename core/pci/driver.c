/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver core, for host drivers on the PCI bus.
 *
 * Matching: a function with a driver_override is wanted by the driver of that name and by no
 * other, whatever its ids; one without by the drivers whose ids, static or added by new_id,
 * fit. Drivers marked override_only (vfio-pci) have static ids that count only with an override.
 *
 * Binding goes in two steps, as in Linux. First the function's DMA is claimed for the kernel,
 * unless the driver leaves it alone (managed_dma); that fails with -EBUSY while a user owns the
 * IOMMU group, and then no other driver is tried. Then the driver's probe may refuse; when drivers
 * are being looked for (drivers_probe, a new function) its error is only logged, when one was named
 * (bind) it is the answer.
 *
 * Unbinding may have to wait for users of a VFIO device. fn->removing is then set, which stands for
 * the kernel's device lock: whoever needs it gets SVF_BLOCKED and is run again.
 */
#include "core/pci/driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "core/iommu/group.h"
#include "core/machine.h"
#include "core/pci/function.h"
#include "core/pci/ids.h"
#include "core/pci/parse.h"

struct svf_driver *svf_driver_lookup(struct svf_machine *machine, const char *name)
{
	struct svf_driver *driver;

	svf_list_for_each(driver, &machine->drivers, link) {
		if (strcmp(driver->name, name) == 0)
			return driver;
	}
	return NULL;
}

bool svf_driver_matches(const struct svf_driver *driver, const struct svf_function *fn)
{
	const struct svf_pci_id *id;

	if (fn->driver_override)
		return strcmp(fn->driver_override, driver->name) == 0;
	svf_list_for_each(id, &driver->ids, link) {
		if ((id->dynamic || !driver->override_only) && svf_id_matches_function(id, fn))
			return true;
	}
	return false;
}

/* --- attach and release --- */

/* vfio-pci on a PF watches what its VFs are bound to. */
static void note_foreign_vf(const struct svf_function *fn)
{
	const struct svf_function *pf = fn->physfn;

	if (pf && pf->driver && pf->driver->vfio && pf->driver != fn->driver)
		svf_log(fn->machine,
			"%s " SVF_BDF_FMT ": VF " SVF_BDF_FMT
			" bound to driver %s while PF bound to driver %s",
			pf->driver->name, SVF_BDF_ARG(pf->bdf), SVF_BDF_ARG(fn->bdf),
			fn->driver->name, pf->driver->name);
}

static void log_probe_error(const struct svf_driver *driver, const struct svf_function *fn, int err)
{
	if (err != -ENODEV && err != -ENXIO)
		svf_log(fn->machine,
			"%s " SVF_BDF_FMT ": probe with driver %s failed with error %d",
			driver->name, SVF_BDF_ARG(fn->bdf), driver->name, err);
}

static bool may_probe(const struct svf_function *fn)
{
	return !fn->physfn || fn->physfn->sriov.drivers_autoprobe || fn->driver_override;
}

static int claim_dma(struct svf_driver *driver, struct svf_function *fn, struct svf_call *call)
{
	int err;

	if (driver->managed_dma || !fn->group)
		return 0;
	err = svf_iommu_group_use_kernel_dma(fn->group, call);
	fn->uses_kernel_dma = !err;
	return err;
}

static void unclaim_dma(struct svf_function *fn)
{
	if (fn->uses_kernel_dma)
		svf_iommu_group_unuse_kernel_dma(fn->group);
	fn->uses_kernel_dma = false;
}

static int call_probe(struct svf_driver *driver, struct svf_function *fn, struct svf_call *call)
{
	if (!may_probe(fn))
		return svf_fail(call, -ENODEV,
				"VF " SVF_BDF_FMT
				" is not probed: sriov_drivers_autoprobe of its PF is off; "
				"set driver_override first",
				SVF_BDF_ARG(fn->bdf));
	return driver->probe ? driver->probe(fn, call) : 0;
}

int svf_driver_attach(struct svf_driver *driver, struct svf_function *fn, struct svf_call *call,
		      bool *ret_fatal)
{
	int err;

	*ret_fatal = true;
	if (fn->driver)
		return svf_fail(call, -EBUSY, SVF_BDF_FMT " is bound to %s; unbind it first",
				SVF_BDF_ARG(fn->bdf), fn->driver->name);
	err = claim_dma(driver, fn, call);
	if (err)
		return err;
	*ret_fatal = false;
	fn->driver = driver;
	err = call_probe(driver, fn, call);
	if (err) {
		fn->driver = NULL;
		unclaim_dma(fn);
		log_probe_error(driver, fn, err);
		if (err == -ENOMEM && !call->reason[0])
			return svf_fail(call, err, "out of memory to bind " SVF_BDF_FMT " to %s",
					SVF_BDF_ARG(fn->bdf), driver->name);
		return err;
	}
	note_foreign_vf(fn);
	fn->machine->port->tree_changed(fn->machine);
	return 0;
}

int svf_function_probe(struct svf_function *fn, struct svf_call *call)
{
	struct svf_driver *driver;

	svf_list_for_each(driver, &fn->machine->drivers, link) {
		bool fatal;
		int err;

		if (!svf_driver_matches(driver, fn))
			continue;
		err = svf_driver_attach(driver, fn, call, &fatal);
		if (!err || fatal)
			return err;
	}
	return 0;
}

int svf_function_release_driver(struct svf_function *fn, struct svf_call *call)
{
	struct svf_driver *driver = fn->driver;
	struct svf_machine *machine = fn->machine;
	int err;

	if (!driver)
		return 0;
	if (!fn->removing)
		machine->port->tree_changed(machine);
	fn->removing = true;
	err = driver->remove ? driver->remove(fn, call) : 0;
	if (err)
		return err;
	fn->driver = NULL;
	fn->removing = false;
	unclaim_dma(fn);
	if (fn->sriov.num_vfs)
		svf_log(machine, "pci " SVF_BDF_FMT ": driver left SR-IOV enabled after remove",
			SVF_BDF_ARG(fn->bdf));
	machine->port->tree_changed(machine);
	machine->port->wake(machine);
	return 0;
}

/* --- sysfs stores --- */

/* The function whose name is written, one newline at the end allowed. */
static struct svf_function *find_by_name(struct svf_machine *machine, const char *text)
{
	char name[SVF_BDF_TEXT_SIZE];
	size_t len = svf_text_span(text, '\n');
	struct svf_bdf bdf;

	if (len >= sizeof(name))
		return NULL;
	memcpy(name, text, len);
	name[len] = '\0';
	if (!svf_bdf_parse(name, &bdf))
		return NULL;
	/* Names have lower-case digits only, and a second line is not a name. */
	svf_fmt(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(bdf));
	return svf_text_equal(text, name) ? svf_function_lookup(machine, bdf) : NULL;
}

static int fail_no_function(struct svf_call *call, const char *text)
{
	size_t len = svf_text_span(text, '\n');

	return svf_fail(call, -ENODEV,
			"no PCI function '%.*s'; write its full address, like 0000:01:00.0",
			(int)(len < 40 ? len : 40), text);
}

static int fail_no_match(struct svf_driver *driver, struct svf_function *fn, struct svf_call *call)
{
	if (fn->driver_override)
		return svf_fail(call, -ENODEV, "driver_override of " SVF_BDF_FMT " is %s, not %s",
				SVF_BDF_ARG(fn->bdf), fn->driver_override, driver->name);
	return svf_fail(call, -ENODEV,
			"%s has no id for %04x:%04x of " SVF_BDF_FMT
			"; write %s to its driver_override",
			driver->name, svf_function_vendor(fn), svf_function_device_id(fn),
			SVF_BDF_ARG(fn->bdf), driver->name);
}

int svf_driver_bind(struct svf_driver *driver, struct svf_call *call, const char *text)
{
	struct svf_function *fn = find_by_name(call->machine, text);
	bool fatal;

	if (!fn)
		return fail_no_function(call, text);
	if (!svf_driver_matches(driver, fn))
		return fail_no_match(driver, fn, call);
	if (svf_function_is_locked(fn))
		return SVF_BLOCKED;
	return svf_driver_attach(driver, fn, call, &fatal);
}

int svf_driver_unbind(struct svf_driver *driver, struct svf_call *call, const char *text)
{
	struct svf_function *fn = find_by_name(call->machine, text);

	/* Gone, or without a driver, since it was waited for: then there is nothing left to do. */
	if (call->again && (!fn || fn->driver != driver))
		return 0;
	if (!fn)
		return fail_no_function(call, text);
	if (fn->driver != driver)
		return svf_fail(call, -ENODEV, SVF_BDF_FMT " is bound to %s, not to %s",
				SVF_BDF_ARG(fn->bdf), fn->driver ? fn->driver->name : "no driver",
				driver->name);
	if (fn->sriov.disabling && !fn->removing)
		return SVF_BLOCKED;
	return svf_function_release_driver(fn, call);
}

int svf_drivers_probe(struct svf_machine *machine, struct svf_call *call, const char *text)
{
	struct svf_function *fn = find_by_name(machine, text);

	if (!fn)
		return fail_no_function(call, text);
	if (fn->driver)
		return 0;
	if (svf_function_is_locked(fn))
		return SVF_BLOCKED;
	/*
	 * Why there is no driver now is in the call's reason already; the interface has one errno
	 * for all of them.
	 */
	return svf_function_probe(fn, call) < 0 ? -EINVAL : 0;
}

int svf_function_set_driver_override(struct svf_function *fn, struct svf_call *call,
				     const char *text)
{
	size_t len = strlen(text);
	char *name = NULL;

	if (len >= SVF_DRIVER_OVERRIDE_SIZE - 1)
		return svf_fail(call, -EINVAL, "a driver name of %zu characters; at most %u fit",
				len, SVF_DRIVER_OVERRIDE_SIZE - 2);
	len = svf_text_span(text, '\n');
	if (len) {
		name = calloc(1, len + 1);
		if (!name)
			return svf_fail(call, -ENOMEM, "out of memory for a driver_override");
		memcpy(name, text, len);
	}
	free(fn->driver_override);
	fn->driver_override = name;
	return 0;
}
