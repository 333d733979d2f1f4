/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SR-IOV: virtual functions come and go by the PF's sriov_numvfs, all at once.
 *
 * A VF is a function of its own, at the address that offset and stride give. Its config space holds
 * ffff for the ids, which are those of the PF and its SR-IOV capability; it has no BARs there, its
 * memory being slices of the PF's VF BARs; memory decoding is the PF's VF MSE. It has an IOMMU
 * group of its own where the topology isolates it. One made while the PF is on vfio-pci gets the
 * driver_override "vfio-pci" before anybody can probe it.
 *
 * Removal goes VF by VF and may have to wait for users of each. sriov.disabling is set meanwhile
 * and stands for the device lock of the PF; what was done stays done, and the call is run again.
 * num_vfs and VF Enable are cleared last, as in Linux. By sriov_numvfs it has the lock of all who
 * add or remove functions as well, so that other PFs wait for users of this one's VFs.
 *
 * sriov_numvfs finds errors in the order of Linux: range, no change, no driver, driver without
 * VFs, VFs there already, what the driver says.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/machine.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/pci/hotplug.h"
#include "include/softvfio/model.h"

static struct svf_bdf vf_address(const struct svf_function *pf, unsigned int index)
{
	unsigned int rid = (unsigned int)pf->bdf.bus << 8 | pf->bdf.devfn;

	rid += pf->sriov.offset + pf->sriov.stride * index;
	return (struct svf_bdf){pf->bdf.domain, (uint8_t)(rid >> 8), (uint8_t)rid};
}

/* --- making one VF --- */

static void fill_header(struct svf_function *vf)
{
	const struct svf_function *pf = vf->physfn;

	memset(vf->config + PCI_VENDOR_ID, 0xff, 4);
	memcpy(vf->config + PCI_CLASS_REVISION, pf->config + PCI_CLASS_REVISION, 4);
	memcpy(vf->config + PCI_SUBSYSTEM_VENDOR_ID, pf->config + PCI_SUBSYSTEM_VENDOR_ID, 4);
}

static void slice_bars(struct svf_function *vf)
{
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		vf->bars[i] = vf->physfn->sriov.vf_bars[i];
		vf->bars[i].address += vf->bars[i].size * vf->vf_index;
	}
}

static int build_vf(struct svf_function *vf, struct svf_call *call)
{
	struct svf_function *pf = vf->physfn;
	struct svf_model_error error = {NULL, ""};
	int err;

	fill_header(vf);
	slice_bars(vf);
	vf->model = pf->model;
	err = pf->model->create_vf(vf, pf, vf->vf_index, &error);
	if (err && error.text[0])
		return svf_fail(call, err, "%s", error.text);
	if (!err)
		err = svf_function_finalize(vf);
	if (err == -EBUSY)
		return svf_fail(call, err,
				"VF %u would have the requester ids of several devices of its "
				"group, which are attached apart; close them first",
				vf->vf_index);
	return err;
}

/* vfio-pci on the PF takes VFs as they appear, so that no host driver can have one before it. */
static void capture(struct svf_function *vf, struct svf_call *call)
{
	struct svf_function *pf = vf->physfn;

	if (!pf->driver || !pf->driver->vfio)
		return;
	svf_log(vf->machine,
		"%s " SVF_BDF_FMT ": Captured SR-IOV VF " SVF_BDF_FMT " driver_override",
		pf->driver->name, SVF_BDF_ARG(pf->bdf), SVF_BDF_ARG(vf->bdf));
	/* Out of memory, the VF stays without override, as in Linux. */
	if (svf_function_set_driver_override(vf, call, pf->driver->name))
		svf_log(vf->machine,
			"%s " SVF_BDF_FMT ": out of memory for the driver_override of a VF",
			pf->driver->name, SVF_BDF_ARG(pf->bdf));
}

static int add_vf(struct svf_function *pf, struct svf_call *call, unsigned int index)
{
	struct svf_function *vf;
	int err = svf_function_alloc(pf->machine, pf->bus, 0, &vf);

	if (err)
		return err;
	vf->bdf = vf_address(pf, index);
	vf->physfn = pf;
	vf->vf_index = index;
	err = build_vf(vf, call);
	if (err) {
		svf_function_abort(vf);
		return err;
	}
	pf->sriov.vfs[index] = vf;
	svf_log(pf->machine, "pci " SVF_BDF_FMT ": [%04x:%04x] type 00 class 0x%06x PCIe Endpoint",
		SVF_BDF_ARG(vf->bdf), svf_function_vendor(vf), svf_function_device_id(vf),
		svf_function_class(vf));
	capture(vf, call);
	return 0;
}

/* Why a VF found no driver is not an error of its making. */
static void probe_vf(struct svf_function *vf, struct svf_call *call)
{
	if (vf->machine->drivers_autoprobe && svf_function_probe(vf, call))
		call->reason[0] = '\0';
}

/* --- all of them --- */

static void set_control(struct svf_function *pf, unsigned int num)
{
	uint8_t *cap = pf->config + pf->sriov.cap;
	uint16_t control = svf_get_le16(cap + PCI_SRIOV_CTRL);
	const uint16_t enable = PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE;

	svf_put_le16(cap + PCI_SRIOV_NUM_VF, (uint16_t)num);
	svf_put_le16(cap + PCI_SRIOV_CTRL, (uint16_t)(num ? control | enable : control & ~enable));
}

/* 0; SVF_BLOCKED when the next one has users. */
static int remove_vfs(struct svf_function *pf, struct svf_call *call)
{
	for (unsigned int i = 0; i < pf->sriov.num_vfs; i++) {
		struct svf_function *vf = pf->sriov.vfs[i];
		int err;

		if (!vf)
			continue;
		if (!vf->unlinked)
			pf->machine->port->tree_changed(pf->machine);
		vf->unlinked = true;
		err = svf_function_release_driver(vf, call);
		if (err)
			return err;
		pf->sriov.vfs[i] = NULL;
		svf_function_destroy(vf);
		pf->machine->port->tree_changed(pf->machine);
	}
	return 0;
}

static void forget_vfs(struct svf_function *pf)
{
	set_control(pf, 0);
	free(pf->sriov.vfs);
	pf->sriov.vfs = NULL;
	pf->sriov.num_vfs = 0;
	pf->sriov.disabling = false;
}

int svf_sriov_disable(struct svf_function *pf, struct svf_call *call)
{
	int err;

	if (pf->sriov.num_vfs == 0)
		return 0;
	pf->sriov.disabling = true;
	err = remove_vfs(pf, call);
	if (err)
		return err;
	forget_vfs(pf);
	pf->machine->port->tree_changed(pf->machine);
	pf->machine->port->wake(pf->machine);
	return 0;
}

/* Whether there are bus numbers and free addresses for num VFs. */
static int check_addresses(struct svf_function *pf, struct svf_call *call, unsigned int num)
{
	struct svf_bdf last = vf_address(pf, num - 1);
	unsigned int rid = ((unsigned int)pf->bdf.bus << 8 | pf->bdf.devfn) + pf->sriov.offset +
			   pf->sriov.stride * (num - 1);

	if (rid > 0xffff || last.bus > pf->bus->last) {
		svf_log(pf->machine,
			"pci " SVF_BDF_FMT
			": can't enable %u VFs (bus %02x out of range of [bus %02x-%02x])",
			SVF_BDF_ARG(pf->bdf), num, rid >> 8, pf->bus->number, pf->bus->last);
		return svf_fail(
			call, -ENOMEM,
			"VF %u would be on bus %02x, beyond those kept for the PF (%02x to %02x)",
			num - 1, rid >> 8, pf->bus->number, pf->bus->last);
	}
	for (unsigned int i = 0; i < num; i++) {
		struct svf_bdf bdf = vf_address(pf, i);

		if (svf_function_lookup(pf->machine, bdf))
			return svf_fail(call, -EEXIST,
					"VF %u would be at " SVF_BDF_FMT
					", where there is another function; give the PF another "
					"offset and stride",
					i, SVF_BDF_ARG(bdf));
	}
	return 0;
}

int svf_sriov_enable(struct svf_function *pf, struct svf_call *call, unsigned int num)
{
	int err;

	if (pf->sriov.num_vfs || num == 0 || num > pf->sriov.total_vfs)
		return svf_fail(call, -EINVAL, SVF_BDF_FMT " has %u VFs already, and can have %u",
				SVF_BDF_ARG(pf->bdf), pf->sriov.num_vfs, pf->sriov.total_vfs);
	err = check_addresses(pf, call, num);
	if (err)
		return err;
	pf->sriov.vfs = calloc(num, sizeof(struct svf_function *));
	if (!pf->sriov.vfs)
		return svf_fail(call, -ENOMEM, "out of memory for %u VFs", num);
	pf->sriov.num_vfs = (uint16_t)num;
	set_control(pf, num);
	for (unsigned int i = 0; i < num && !err; i++)
		err = add_vf(pf, call, i);
	if (err) {
		/* Nobody has been told of them yet, so they have no driver to wait for. */
		for (unsigned int i = 0; i < num; i++)
			svf_function_destroy(pf->sriov.vfs[i]);
		forget_vfs(pf);
		if (err == -ENOMEM && !call->reason[0])
			return svf_fail(call, err, "out of memory for %u VFs", num);
		return err;
	}
	for (unsigned int i = 0; i < num; i++)
		probe_vf(pf->sriov.vfs[i], call);
	pf->machine->port->tree_changed(pf->machine);
	return 0;
}

/* --- sriov_numvfs --- */

static int fail_no_driver(struct svf_function *pf, struct svf_call *call)
{
	svf_log(pf->machine,
		"pci " SVF_BDF_FMT ": no driver bound to device; cannot configure SR-IOV",
		SVF_BDF_ARG(pf->bdf));
	return svf_fail(call, -ENOENT, SVF_BDF_FMT " has no driver; bind one that supports SR-IOV",
			SVF_BDF_ARG(pf->bdf));
}

static int fail_no_support(struct svf_function *pf, struct svf_call *call)
{
	svf_log(pf->machine,
		"%s " SVF_BDF_FMT ": driver does not support SR-IOV configuration via sysfs",
		pf->driver->name, SVF_BDF_ARG(pf->bdf));
	return svf_fail(call, -ENOENT, "%s, bound to " SVF_BDF_FMT ", does not support SR-IOV",
			pf->driver->name, SVF_BDF_ARG(pf->bdf));
}

static int fail_busy(struct svf_function *pf, struct svf_call *call, unsigned int num)
{
	svf_log(pf->machine,
		"%s " SVF_BDF_FMT ": %u VFs already enabled. Disable before enabling %u VFs",
		pf->driver->name, SVF_BDF_ARG(pf->bdf), pf->sriov.num_vfs, num);
	return svf_fail(call, -EBUSY, "%u VFs are enabled; write 0 to sriov_numvfs first, then %u",
			pf->sriov.num_vfs, num);
}

static int configure(struct svf_function *pf, struct svf_call *call, unsigned int num)
{
	int err;

	if (!svf_hotplug_lock(pf, true))
		return SVF_BLOCKED;
	err = pf->driver->sriov_configure(pf, call, num);
	if (err != SVF_BLOCKED)
		svf_hotplug_unlock(pf->machine);
	return err;
}

unsigned int svf_sriov_totalvfs(const struct svf_function *pf)
{
	unsigned int max = pf->driver ? pf->driver->max_vfs : 0;

	return max && max < pf->sriov.total_vfs ? max : pf->sriov.total_vfs;
}

int svf_sriov_set_numvfs(struct svf_function *pf, struct svf_call *call, unsigned int num)
{
	if (num > svf_sriov_totalvfs(pf))
		return svf_fail(call, -ERANGE,
				"%u VFs asked for; " SVF_BDF_FMT " can have %u (sriov_totalvfs)",
				num, SVF_BDF_ARG(pf->bdf), svf_sriov_totalvfs(pf));
	/* Removed meanwhile, it has no VFs and no driver. */
	if (pf->removing || (pf->sriov.disabling && num))
		return SVF_BLOCKED;
	if (num == pf->sriov.num_vfs)
		return 0;
	if (!pf->driver)
		return fail_no_driver(pf, call);
	if (!pf->driver->sriov_configure)
		return fail_no_support(pf, call);
	if (num && pf->sriov.num_vfs)
		return fail_busy(pf, call, num);
	return configure(pf, call, num);
}
