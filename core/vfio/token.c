/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VF token: a UUID shared by whoever drives a PF through vfio-pci and those who drive its VFs,
 * because the PF's user can take the VFs down or read what passes through them.
 *
 *   device                        no token     the PF's token   another token
 *   VF, PF on vfio-pci            EACCES       opens            EACCES
 *   VF, PF on another driver      opens        EINVAL           EINVAL
 *   PF, a VF of it open           EACCES       opens            EACCES
 *   PF, no VF of it open          opens        opens            opens, and becomes the PF's token
 *   neither                       opens        EINVAL           EINVAL
 *
 * The token of a PF is random until somebody sets it, so VFs cannot be opened before. It is
 * checked whenever a device file is asked for, also when the device is open already. Each refusal
 * is a line of the kernel's log, in the kernel's words: people search for them.
 */
#include <errno.h>

#include "core/vfio/vfio_pci.h"

static int check_vf(struct svf_device *device, struct svf_call *call, const struct svf_uuid *token)
{
	const struct svf_function *pf = device->fn->physfn;
	const struct svf_device *pf_device = pf->device;

	if (!pf_device && !token)
		return 0;
	if (!pf_device) {
		svf_device_log(device->fn,
			       "VF token incorrectly provided, PF not bound to vfio-pci");
		return svf_fail(call, -EINVAL,
				"VF token given but not wanted: PF " SVF_BDF_FMT
				" is not bound to vfio-pci; open the VF without vf_token=",
				SVF_BDF_ARG(pf->bdf));
	}
	if (!token) {
		svf_device_log(device->fn, "VF token required to access device");
		return svf_fail(call, -EACCES,
				"VF token required: PF " SVF_BDF_FMT
				" is bound to vfio-pci; pass vf_token= (or "
				"VFIO_DEVICE_BIND_FLAG_TOKEN) with the token its owner has set",
				SVF_BDF_ARG(pf->bdf));
	}
	if (!svf_uuid_equal(token, &pf_device->vf_token->uuid)) {
		svf_device_log(device->fn, "Incorrect VF token provided for device");
		return svf_fail(call, -EACCES,
				"wrong VF token: it is not the one set on PF " SVF_BDF_FMT
				"; use the token that the PF's owner has set",
				SVF_BDF_ARG(pf->bdf));
	}
	return 0;
}

static int check_pf(struct svf_device *device, struct svf_call *call, const struct svf_uuid *token)
{
	struct svf_vf_token *own = device->vf_token;

	if (!own->users) {
		if (token)
			own->uuid = *token;
		return 0;
	}
	if (!token) {
		svf_device_log(device->fn, "VF token required to access device");
		return svf_fail(call, -EACCES,
				"VF token required: %u of the VFs of this PF are open; pass "
				"vf_token= with the present token",
				own->users);
	}
	if (!svf_uuid_equal(token, &own->uuid)) {
		svf_device_log(device->fn, "Incorrect VF token provided for device");
		return svf_fail(call, -EACCES,
				"wrong VF token: %u of the VFs of this PF are open under another "
				"token; pass that one",
				own->users);
	}
	return 0;
}

int svf_vf_token_check(struct svf_device *device, struct svf_call *call,
		       const struct svf_uuid *token)
{
	if (device->fn->physfn)
		return check_vf(device, call, token);
	if (device->vf_token)
		return check_pf(device, call, token);
	if (!token)
		return 0;
	svf_device_log(device->fn, "VF token incorrectly provided, not a PF or VF");
	return svf_fail(call, -EINVAL,
			"VF token given but not wanted: " SVF_BDF_FMT
			" is neither a PF nor a VF; open it without vf_token=",
			SVF_BDF_ARG(device->fn->bdf));
}
