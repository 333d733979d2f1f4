/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Resets by users: of the function alone (DEVICE_RESET, and FLR through config space), and "hot",
 * of everything behind the bridge above it (PCI_HOT_RESET).
 *
 * A bus reset hits every function there, so the user must own them all. They are the functions on
 * the bus and behind it; those of them on vfio-pci that share the bus form the device set. All of
 * the functions must be in the set (a VF never is: its reset is its PF's; nor is a bridge), and
 * each of the set must be the user's:
 *   by group files   each is in one of the groups whose files are given
 *   by cdev          (no files) each is bound to the user's iommufd, or in a group that has one
 * that is Functions on a root bus and VFs on buses of their own have no bridge to do it.
 *
 * The function in use keeps its config space through every reset.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/command.h"
#include "core/iommu/group.h"
#include "core/iommufd/iommufd.h"
#include "core/pci/bus.h"
#include "core/vfio/group.h"
#include "core/vfio/vfio_pci.h"

int svf_device_try_reset(struct svf_device *device, struct svf_call *call)
{
	return svf_function_reset(device->fn, call);
}

long svf_device_reset(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device *device = svf_device_of_file(file);

	(void)arg;
	if (!device->reset_works)
		return svf_fail(
			call, -EINVAL,
			SVF_BDF_FMT
			" cannot be reset by itself; see VFIO_DEVICE_GET_PCI_HOT_RESET_INFO",
			SVF_BDF_ARG(device->fn->bdf));
	svf_device_set_power_state(device, 0);
	return svf_device_try_reset(device, call);
}

/* --- the functions a bus reset hits --- */

/* Calls visit for each until one does not give 0. */
static int walk(const struct svf_bus *bus, int (*visit)(struct svf_function *fn, void *arg),
		void *arg)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &bus->functions, bus_link) {
		int err = visit(fn, arg);

		if (!err && fn->subordinate)
			err = walk(fn->subordinate, visit, arg);
		if (err)
			return err;
	}
	return 0;
}

static int count_one(struct svf_function *fn, void *arg)
{
	(void)fn;
	(*(uint32_t *)arg)++;
	return 0;
}

static uint32_t count_functions(const struct svf_device *device)
{
	uint32_t count = 0;
	int err = walk(device->fn->bus, count_one, &count);

	(void)err;
	return count;
}

static int check_bus(const struct svf_device *device, struct svf_call *call)
{
	if (device->fn->bus->bridge)
		return 0;
	return svf_fail(call, -ENODEV,
			SVF_BDF_FMT " is on a bus without a bridge that could reset it",
			SVF_BDF_ARG(device->fn->bdf));
}

static bool in_set(const struct svf_device *device, const struct svf_function *fn)
{
	const struct svf_function *own = device->fn;

	if (fn == own)
		return true;
	return fn->device && !fn->physfn && !own->physfn && own->bus->bridge && fn->bus == own->bus;
}

struct set_check {
	const struct svf_device *device;
	struct svf_call *call;
};

static int check_in_set(struct svf_function *fn, void *arg)
{
	const struct set_check *check = arg;

	if (in_set(check->device, fn))
		return 0;
	return svf_fail(check->call, -EINVAL,
			SVF_BDF_FMT
			" would be reset too, and is not a device of vfio-pci beside " SVF_BDF_FMT,
			SVF_BDF_ARG(fn->bdf), SVF_BDF_ARG(check->device->fn->bdf));
}

static int check_resettable(const struct svf_device *device, struct svf_call *call)
{
	struct set_check check = {.device = device, .call = call};

	if (!device->fn->bus->bridge)
		return svf_fail(call, -EINVAL, "no bridge could reset the bus");
	return walk(device->fn->bus, check_in_set, &check);
}

static int check_unlocked(struct svf_function *fn, void *arg)
{
	if (!svf_function_is_locked(fn))
		return 0;
	return svf_fail(arg, -EAGAIN, SVF_BDF_FMT " is being unbound or its VFs removed",
			SVF_BDF_ARG(fn->bdf));
}

/* Everything in the set is known to be the user's, or unused. */
static int reset_bus(struct svf_device *device, struct svf_call *call)
{
	struct svf_bus *bus = device->fn->bus;
	struct svf_function *fn;
	int err = walk(bus, check_unlocked, call);

	if (err)
		return err;
	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->device)
			svf_device_set_power_state(fn->device, 0);
	}
	svf_bus_reset(bus);
	svf_list_for_each(fn, &bus->functions, bus_link) {
		if (fn->device)
			svf_device_follow_memory(fn->device);
	}
	return 0;
}

void svf_device_try_bus_reset(struct svf_device *device)
{
	struct svf_function *fn;
	unsigned int opens = 0;
	bool needed = false;

	svf_list_for_each(fn, &device->fn->bus->functions, bus_link) {
		if (!in_set(device, fn))
			continue;
		opens += fn->device->open_count;
		needed |= fn->device->needs_reset;
	}
	/* The one that is closing still counts. */
	if (!needed || opens > 1 || check_resettable(device, NULL) || reset_bus(device, NULL))
		return;
	svf_list_for_each(fn, &device->fn->bus->functions, bus_link) {
		if (in_set(device, fn))
			fn->device->needs_reset = false;
	}
}

/* --- GET_PCI_HOT_RESET_INFO --- */

/* The user's iommufd has bound the device itself or another of its group. */
static bool owned_by(struct svf_ictx *ictx, const struct svf_device *device)
{
	if (device->idevice && svf_idevice_ictx(device->idevice) == ictx)
		return true;
	return svf_ictx_has_group(ictx, device->fn->group);
}

struct fill {
	struct svf_device *device;
	struct svf_call *call;
	struct vfio_pci_dependent_device *next;
	struct svf_ictx *ictx; /* by cdev; NULL: by group */
	uint32_t flags;
};

static void fill_devid(struct fill *fill, const struct svf_function *fn)
{
	if (in_set(fill->device, fn) && fn->device->idevice &&
	    svf_idevice_ictx(fn->device->idevice) == fill->ictx) {
		fill->next->devid = fn->device->devid;
	} else if (in_set(fill->device, fn) && owned_by(fill->ictx, fn->device)) {
		fill->next->devid = VFIO_PCI_DEVID_OWNED;
	} else {
		fill->next->devid = (uint32_t)VFIO_PCI_DEVID_NOT_OWNED;
		fill->flags &= ~VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	}
}

static int fill_one(struct svf_function *fn, void *arg)
{
	struct fill *fill = arg;

	fill->next->segment = fn->bdf.domain;
	fill->next->bus = fn->bdf.bus;
	fill->next->devfn = fn->bdf.devfn;
	if (fill->ictx)
		fill_devid(fill, fn);
	else if (fn->group)
		fill->next->group_id = fn->group->id;
	else
		return svf_fail(fill->call, -EPERM,
				SVF_BDF_FMT " would be reset too, and is in no IOMMU group",
				SVF_BDF_ARG(fn->bdf));
	fill->next++;
	return 0;
}

static int put_devices(struct svf_device *device, struct svf_call *call, uint64_t arg,
		       uint32_t count, uint32_t *ret_flags)
{
	struct vfio_pci_dependent_device *devices = calloc(count, sizeof(*devices));
	struct fill fill = {.device = device, .call = call, .next = devices};
	int err;

	if (!devices)
		return svf_fail(call, -ENOMEM, "out of memory for %u devices", count);
	if (device->cdev_opened) {
		fill.ictx = svf_idevice_ictx(device->idevice);
		fill.flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	}
	err = walk(device->fn->bus, fill_one, &fill);
	if (!err)
		err = svf_copy_to_user(call, arg + sizeof(struct vfio_pci_hot_reset_info), devices,
				       count * sizeof(*devices));
	free(devices);
	*ret_flags = fill.flags;
	return err;
}

long svf_device_get_hot_reset_info(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device *device = svf_device_of_file(file);
	struct vfio_pci_hot_reset_info head;
	int err = svf_copy_from_user(call, &head, arg, sizeof(head)), copied;
	uint32_t count;

	if (err)
		return err;
	if (head.argsz < sizeof(head))
		return svf_fail(call, -EINVAL,
				"argsz %u is below the %zu bytes of struct vfio_pci_hot_reset_info",
				head.argsz, sizeof(head));
	err = check_bus(device, call);
	if (err)
		return err;
	head.flags = 0;
	count = head.count = count_functions(device);
	if (count > (head.argsz - sizeof(head)) / sizeof(struct vfio_pci_dependent_device))
		err = svf_fail(call, -ENOSPC,
			       "argsz %u has no room for the %u devices that would be reset",
			       head.argsz, count);
	else
		err = put_devices(device, call, arg, count, &head.flags);
	if (err && err != -ENOSPC)
		return err;
	copied = svf_copy_to_user(call, arg, &head, sizeof(head));
	return copied ? copied : err;
}

/* --- PCI_HOT_RESET --- */

struct owners {
	struct svf_ictx *ictx;	  /* by cdev */
	struct svf_file **groups; /* by group: their files */
	uint32_t count;
};

/* As an open file of the group shows; a file that outlived its group has none. */
static bool is_owned(const struct owners *owners, const struct svf_device *device)
{
	if (owners->ictx)
		return owned_by(owners->ictx, device);
	for (uint32_t i = 0; i < owners->count; i++)
		if (svf_group_of_file(owners->groups[i]) == device->group)
			return true;
	return false;
}

static int hot_reset(struct svf_device *device, struct svf_call *call, const struct owners *owners)
{
	struct svf_function *fn;
	int err = check_resettable(device, call);

	if (err)
		return err;
	svf_list_for_each(fn, &device->fn->bus->functions, bus_link) {
		if (in_set(device, fn) && !is_owned(owners, fn->device))
			return svf_fail(call, -EINVAL,
					SVF_BDF_FMT " would be reset too, and is not yours: %s",
					SVF_BDF_ARG(fn->bdf),
					owners->ictx ? "bind it to the same iommufd"
						     : "give its group's file as well");
	}
	return reset_bus(device, call);
}

static int find_group(struct svf_call *call, int32_t number, struct svf_file **ret)
{
	struct svf_fd fd;
	int err = svf_call_fd(call, number, &fd);

	if (err == -EBADF)
		return svf_fail(call, err, "descriptor %d, given as a group, is not open", number);
	if (err)
		return err;
	if (fd.kind != SVF_FD_FILE || fd.file->kind != SVF_FILE_GROUP)
		return svf_fail(call, -EINVAL, "descriptor %d is no group", number);
	*ret = fd.file;
	return 0;
}

static int hot_reset_by_groups(struct svf_device *device, struct svf_call *call, uint64_t arg,
			       uint32_t count)
{
	int32_t *fds = calloc(count, sizeof(*fds));
	struct svf_file **files = calloc(count, sizeof(struct svf_file *));
	struct owners owners = {.groups = files, .count = count};
	int err;

	if (fds && files)
		err = svf_copy_from_user(call, fds, arg + sizeof(struct vfio_pci_hot_reset),
					 count * sizeof(*fds));
	else
		err = svf_fail(call, -ENOMEM, "out of memory for %u groups", count);
	for (uint32_t i = 0; !err && i < count; i++)
		err = find_group(call, fds[i], &files[i]);
	if (!err)
		err = hot_reset(device, call, &owners);
	free(fds);
	free(files);
	return err;
}

long svf_device_hot_reset(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device *device = svf_device_of_file(file);
	struct vfio_pci_hot_reset head;
	struct owners owners = {0};
	int err = svf_copy_from_user(call, &head, arg, sizeof(head));

	if (err)
		return err;
	if (head.argsz < sizeof(head) || head.flags)
		return svf_fail(call, -EINVAL,
				"argsz %u must be %zu or more and flags 0x%x must be 0", head.argsz,
				sizeof(head), head.flags);
	if (!head.count != device->cdev_opened)
		return svf_fail(call, -EINVAL,
				device->cdev_opened
					? "a device opened by its cdev is reset with no group files"
					: "a device opened by its group is reset with the files of "
					  "all groups that are hit");
	err = check_bus(device, call);
	if (err)
		return err;
	if (head.count > count_functions(device))
		return svf_fail(call, -EINVAL,
				"%u groups are given, but only %u devices would be reset",
				head.count, count_functions(device));
	if (head.count)
		return hot_reset_by_groups(device, call, arg, head.count);
	owners.ictx = svf_idevice_ictx(device->idevice);
	return hot_reset(device, call, &owners);
}
