/* SPDX-License-Identifier: BSD-3-Clause */
/* The SR-IOV attributes of physical and virtual functions. sriov_numvfs is where VFs come from and go. */
#include <errno.h>

#include "core/call.h"
#include "core/pci/function.h"
#include "host/sysfs/sysfs.h"

static ssize_t show_numvfs(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			   size_t size)
{
	const struct svf_function *fn = object;

	/* The kernel takes the device lock, so that a reader sees the number before or after a change. */
	if (svf_function_is_locked(fn))
		return SVF_BLOCKED;
	return svf_sysfs_emit(buf, size, "%u\n", fn->sriov.num_vfs);
}

static int store_numvfs(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			const char *text, size_t len)
{
	uint64_t num;

	/* The kernel reads a u16 here, and passes on one error for all that is not one. */
	if (svf_sysfs_parse_number(text, UINT16_MAX, &num))
		return svf_fail(call, -EINVAL, "not a number of VFs from 0 to 65535");
	return svf_sriov_set_numvfs(object, call, (unsigned int)num);
}

static ssize_t show_totalvfs(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			     size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n", svf_sriov_totalvfs(fn));
}

static ssize_t show_offset(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			   size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n", fn->sriov.offset);
}

static ssize_t show_stride(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			   size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n", fn->sriov.stride);
}

static ssize_t show_vf_device(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			      size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%x\n", fn->sriov.vf_device);
}

static ssize_t show_autoprobe(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			      size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n", fn->sriov.drivers_autoprobe);
}

static int store_autoprobe(struct svf_host *host, void *object, uintptr_t arg,
			   struct svf_call *call, const char *text, size_t len)
{
	struct svf_function *fn = object;

	if (svf_sysfs_parse_bool(text, &fn->sriov.drivers_autoprobe))
		return svf_fail(call, -EINVAL, "not a truth value; write 0 or 1");
	return 0;
}

/* No driver here can move MSI-X vectors between VFs. */
static ssize_t show_vf_total_msix(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				  size_t size)
{
	return svf_sysfs_emit(buf, size, "0\n");
}

static int store_vf_msix_count(struct svf_host *host, void *object, uintptr_t arg,
			       struct svf_call *call, const char *text, size_t len)
{
	uint64_t count;

	if (svf_sysfs_parse_number(text, INT32_MAX, &count))
		return svf_fail(call, -EINVAL, "not a number of vectors");
	return svf_fail(call, -EOPNOTSUPP,
			"the driver of the PF cannot move MSI-X vectors between VFs");
}

static bool is_vf(const struct svf_function *fn)
{
	return fn->physfn != NULL;
}

const struct svf_sysfs_row svf_sysfs_function_sriov[] = {
	{.attr = {.name = "sriov_totalvfs", .mode = 0444, .show = show_totalvfs},
	 .when = svf_function_is_pf},
	{.attr = {.name = "sriov_numvfs",
		  .mode = 0644,
		  .show = show_numvfs,
		  .store = store_numvfs,
		  .outlives = true},
	 .when = svf_function_is_pf},
	{.attr = {.name = "sriov_offset", .mode = 0444, .show = show_offset},
	 .when = svf_function_is_pf},
	{.attr = {.name = "sriov_stride", .mode = 0444, .show = show_stride},
	 .when = svf_function_is_pf},
	{.attr = {.name = "sriov_vf_device", .mode = 0444, .show = show_vf_device},
	 .when = svf_function_is_pf},
	{.attr = {.name = "sriov_vf_total_msix", .mode = 0444, .show = show_vf_total_msix},
	 .when = svf_function_is_pf},
	{.attr = {.name = "sriov_drivers_autoprobe",
		  .mode = 0644,
		  .show = show_autoprobe,
		  .store = store_autoprobe},
	 .when = svf_function_is_pf},
	{.attr = {.name = "sriov_vf_msix_count", .mode = 0200, .store = store_vf_msix_count},
	 .when = is_vf},
};
const size_t svf_sysfs_function_sriov_count = SVF_ARRAY_SIZE(svf_sysfs_function_sriov);
