/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VF token: a UUID shared by whoever drives a PF through vfio-pci and those who drive its VFs,
 * because the PF's user can take the VFs down or read what passes through them.
 *
 * The token of a PF is random until somebody sets it, so VFs cannot be opened before. The table
 * below is looked at whenever a device file is asked for, also when the device is open already, and
 * before anything else can refuse it: what was set stays set then. Each refusal is a line of the
 * kernel's log, in the kernel's words: people search for them.
 */
#include <errno.h>

#include "core/vfio/vfio_pci.h"

enum situation { VF_OF_VFIO_PF, VF_OF_OTHER_PF, PF_VFS_IN_USE, PF_ALONE, NO_SRIOV };
enum given { NONE, RIGHT, OTHER };

enum verdict {
	OPENS,
	SETS,	  /* opens, and the PF's token becomes the one given */
	REQUIRED, /* -EACCES */
	WRONG,	  /* -EACCES */
	UNWANTED, /* -EINVAL */
};

static const enum verdict verdicts[][3] = {
	/* by what is given: nothing, the token that counts, another */
	[VF_OF_VFIO_PF] = {REQUIRED, OPENS, WRONG},	/* the PF's token counts */
	[VF_OF_OTHER_PF] = {OPENS, UNWANTED, UNWANTED}, /* the kernel has the PF */
	[PF_VFS_IN_USE] = {REQUIRED, OPENS, WRONG},	/* its own; VF users rely on it */
	[PF_ALONE] = {OPENS, SETS, SETS},		/* nobody relies on it */
	[NO_SRIOV] = {OPENS, UNWANTED, UNWANTED},	/* neither PF nor VF */
};

static enum situation situation_of(const struct svf_device *device)
{
	if (device->fn->physfn)
		return device->fn->physfn->device ? VF_OF_VFIO_PF : VF_OF_OTHER_PF;
	if (!device->vf_token)
		return NO_SRIOV;
	return device->vf_token->users ? PF_VFS_IN_USE : PF_ALONE;
}

/* The token that counts for the device; NULL: none does. */
static struct svf_vf_token *token_of(const struct svf_device *device)
{
	const struct svf_function *pf = device->fn->physfn;

	if (!pf)
		return device->vf_token;
	return pf->device ? pf->device->vf_token : NULL;
}

static int fail_required(struct svf_device *device, struct svf_call *call)
{
	const struct svf_function *pf = device->fn->physfn;

	svf_device_log(device->fn, "VF token required to access device");
	if (!pf)
		return svf_fail(call, -EACCES,
				"VF token required: %u of the VFs of this PF are open; pass "
				"vf_token= with the present token",
				device->vf_token->users);
	return svf_fail(call, -EACCES,
			"VF token required: PF " SVF_BDF_FMT
			" is bound to vfio-pci; pass vf_token= (or "
			"VFIO_DEVICE_BIND_FLAG_TOKEN) with the token its owner has set",
			SVF_BDF_ARG(pf->bdf));
}

static int fail_wrong(struct svf_device *device, struct svf_call *call)
{
	const struct svf_function *pf = device->fn->physfn;

	svf_device_log(device->fn, "Incorrect VF token provided for device");
	if (!pf)
		return svf_fail(call, -EACCES,
				"wrong VF token: %u of the VFs of this PF are open under another "
				"token; pass that one",
				device->vf_token->users);
	return svf_fail(call, -EACCES,
			"wrong VF token: it is not the one set on PF " SVF_BDF_FMT
			"; use the token that the PF's owner has set",
			SVF_BDF_ARG(pf->bdf));
}

static int fail_unwanted(struct svf_device *device, struct svf_call *call)
{
	const struct svf_function *fn = device->fn, *pf = fn->physfn;

	svf_device_log(fn, "VF token incorrectly provided, %s",
		       pf ? "PF not bound to vfio-pci" : "not a PF or VF");
	if (!pf)
		return svf_fail(call, -EINVAL,
				"VF token given but not wanted: " SVF_BDF_FMT
				" is neither a PF nor a VF; open it without vf_token=",
				SVF_BDF_ARG(fn->bdf));
	return svf_fail(call, -EINVAL,
			"VF token given but not wanted: PF " SVF_BDF_FMT
			" is not bound to vfio-pci; open the VF without vf_token=",
			SVF_BDF_ARG(pf->bdf));
}

int svf_vf_token_check(struct svf_device *device, struct svf_call *call,
		       const struct svf_uuid *token)
{
	struct svf_vf_token *own = token_of(device);
	enum given given = NONE;

	if (token)
		given = own && svf_uuid_equal(token, &own->uuid) ? RIGHT : OTHER;
	switch (verdicts[situation_of(device)][given]) {
	case OPENS:
		return 0;
	case SETS:
		own->uuid = *token;
		return 0;
	case REQUIRED:
		return fail_required(device, call);
	case WRONG:
		return fail_wrong(device, call);
	case UNWANTED:
		return fail_unwanted(device, call);
	}
	return 0;
}
