/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's own character device, /dev/vfio/devices/vfioN, as Linux's device_cdev.c and vfio's
 * iommufd.c.
 *
 * Anybody may open it, several times even and while the group is in use otherwise; all that such a
 * file can do is BIND. Bound to an iommufd it has access, as the device's only user, and keeps the
 * group's file from being opened. DMA is blocked until ATTACH. Closing the file undoes all of it.
 *
 * ATTACH of an attached device replaces what it is attached to, without a moment in between; DETACH
 * of one that is not attached does nothing. The same goes for each PASID of its own. PASID 0 is no
 * PASID to iommufd, so that what was attached with it must be detached with it, and each of the two
 * ways is -EBUSY while the device is attached by the other.
 */
#include <errno.h>

#include "core/command.h"
#include "core/iommufd/iommufd.h"
#include "core/vfio/group.h"
#include "core/vfio/vfio_pci.h"

/*
 * Bytes behind a structure that are looked at for zeroes; the kernel has no bound, but no caller
 * this long.
 */
#define TRAILING_MAX 65536u

static struct svf_device_file *device_file_of(struct svf_file *file)
{
	return svf_container_of(file, struct svf_device_file, file);
}

int svf_cdev_open(struct svf_machine *machine, struct svf_call *call, unsigned int minor,
		  struct svf_file **ret)
{
	struct svf_device *device = svf_device_lookup_minor(machine, minor);
	struct svf_device_file *df;
	int err;

	if (!device || device->unregistering)
		return svf_fail(call, -ENODEV,
				"vfio%u is gone: no function is bound to vfio-pci under that name",
				minor);
	if (device->noiommu && !svf_call_rawio(call))
		return svf_fail_rawio(call);
	err = svf_device_file_alloc(device, call, &df);
	if (err)
		return err;
	*ret = &df->file;
	return 0;
}

/* Where a device file is asked for more than it was made for, by its origin. */
static int fail_not_cdev(const struct svf_device_file *df, struct svf_call *call, int err)
{
	return svf_fail(call, err,
			"this file of " SVF_BDF_FMT
			" came from its group, whose container is its security context; open "
			"/dev/vfio/devices/vfio%u instead",
			SVF_BDF_ARG(df->device->fn->bdf), df->device->minor);
}

/* --- BIND --- */

/* A caller from a later kernel's header may give more than is known here, if it is zero. */
static int check_trailing(struct svf_call *call, uint64_t addr, size_t len)
{
	size_t left = len < TRAILING_MAX ? len : TRAILING_MAX;
	uint8_t bytes[256];

	while (left) {
		/* Within a page, so that what comes first is told: a byte that is none, or is not zero. */
		size_t n = sizeof(bytes) - addr % sizeof(bytes);
		int err;

		n = left < n ? left : n;
		err = svf_copy_from_user(call, bytes, addr, n);
		if (err)
			return err;
		for (size_t i = 0; i < n; i++)
			if (bytes[i])
				return svf_fail(
					call, -E2BIG,
					"argsz covers fields that are not known here and not zero");
		addr += n;
		left -= n;
	}
	if (len > TRAILING_MAX)
		return svf_fail(call, -E2BIG,
				"argsz is %zu bytes more than struct vfio_device_bind_iommufd has",
				len);
	return 0;
}

/* Into *bind, which is zeroes: an older caller gives less of it. */
static int read_bind(struct svf_call *call, uint64_t arg, struct vfio_device_bind_iommufd *bind)
{
	const size_t min_size = svf_offsetofend(struct vfio_device_bind_iommufd, out_devid);
	uint32_t size;
	int err = svf_copy_from_user(call, &size, arg, sizeof(size));

	if (err)
		return err;
	if (size < min_size)
		return svf_fail(call, -EINVAL,
				"argsz %u is below the %zu bytes up to out_devid of struct "
				"vfio_device_bind_iommufd",
				size, min_size);
	if (size > sizeof(*bind))
		err = check_trailing(call, arg + sizeof(*bind), size - sizeof(*bind));
	return err ? err
		   : svf_copy_from_user(call, bind, arg,
					size < sizeof(*bind) ? size : sizeof(*bind));
}

static int check_token(struct svf_device *device, struct svf_call *call,
		       const struct vfio_device_bind_iommufd *bind)
{
	struct svf_uuid token;
	int err;

	if (!(bind->flags & VFIO_DEVICE_BIND_FLAG_TOKEN))
		return svf_vf_token_check(device, call, NULL);
	err = svf_copy_from_user(call, token.b, bind->token_uuid_ptr, sizeof(token.b));
	return err ? err : svf_vf_token_check(device, call, &token);
}

static int check_iommufd(struct svf_call *call, int number, int found, const struct svf_fd *fd)
{
	if (found == -EBADF)
		return svf_fail(call, found, "descriptor %d, given as the iommufd, is not open",
				number);
	if (found)
		return found;
	if (fd->kind != SVF_FD_FILE || fd->file->kind != SVF_FILE_IOMMUFD)
		return svf_fail(call, -EBADFD, "descriptor %d is no iommufd; open /dev/iommu",
				number);
	return 0;
}

/* With the iommufd found, or known not to be one. The group's file is kept out. */
static int bind_checked(struct svf_device_file *df, struct svf_call *call,
			const struct vfio_device_bind_iommufd *bind, int found,
			const struct svf_fd *fd, uint64_t out_devid)
{
	struct svf_device *device = df->device;
	int err;

	if (df->access_granted)
		return svf_fail(call, -EINVAL, "this file is bound to an iommufd already");
	err = check_token(device, call, bind);
	if (!err)
		err = check_iommufd(call, bind->iommufd, found, fd);
	if (err)
		return err;
	df->iommufd = svf_ictx_get(svf_container_of(fd->file, struct svf_ictx, file));
	err = svf_device_open(df, call);
	if (err)
		goto put;
	err = svf_copy_to_user(call, out_devid, &device->devid, sizeof(device->devid));
	if (err)
		goto close;
	device->cdev_opened = true;
	df->access_granted = true;
	return 0;

close:
	svf_device_close(df);
put:
	svf_ictx_put(df->iommufd);
	df->iommufd = NULL;
	return err;
}

long svf_device_bind_iommufd(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device_file *df = device_file_of(file);
	struct vfio_device_bind_iommufd bind = {0};
	struct svf_fd fd = {0};
	int found, err = read_bind(call, arg, &bind);

	if (err)
		return err;
	if (bind.iommufd < 0)
		return svf_fail(call, -EINVAL,
				"descriptor %d is no iommufd; binding without one is not possible",
				bind.iommufd);
	if (bind.flags & ~VFIO_DEVICE_BIND_FLAG_TOKEN)
		return svf_fail(call, -EINVAL, "unknown flags 0x%x",
				bind.flags & ~VFIO_DEVICE_BIND_FLAG_TOKEN);
	if (df->group)
		return fail_not_cdev(df, call, -EINVAL);
	/*
	 * Asked first, because a token that is in order may change a PF's, and that is not to
	 * happen twice.
	 */
	found = svf_call_fd(call, bind.iommufd, &fd);
	if (found == SVF_RESTART)
		return found;
	err = svf_group_block(df->device->group, call);
	if (err)
		return err;
	err = bind_checked(df, call, &bind, found, &fd,
			   arg + offsetof(struct vfio_device_bind_iommufd, out_devid));
	if (err)
		svf_group_unblock(df->device->group);
	return err;
}

void svf_cdev_close_device(struct svf_device_file *df)
{
	struct svf_device *device = df->device;

	if (!df->access_granted)
		return;
	svf_device_close(df);
	svf_ictx_put(df->iommufd);
	df->iommufd = NULL;
	device->cdev_opened = false;
	svf_group_unblock(device->group);
}

/* --- ATTACH and DETACH --- */

int svf_device_attach_pt(struct svf_device *device, struct svf_call *call, uint32_t *pt_id)
{
	int err;

	if (device->iommufd_attached)
		return svf_idevice_replace(device->idevice, call, pt_id);
	err = svf_idevice_attach(device->idevice, call, pt_id);
	if (!err)
		device->iommufd_attached = true;
	return err;
}

void svf_device_detach_pt(struct svf_device *device)
{
	if (device->iommufd_attached)
		svf_idevice_detach(device->idevice);
	device->iommufd_attached = false;
}

static int attach_pasid(struct svf_device *device, struct svf_call *call, uint32_t pasid,
			uint32_t *pt_id)
{
	bool attached = pasid == SVF_NO_PASID ? device->pasid_0_attached
					      : svf_idevice_has_pasid(device->idevice, pasid);
	int err;

	if (attached)
		return svf_idevice_replace_pasid(device->idevice, call, pasid, pt_id);
	if (pasid > INT32_MAX)
		return svf_fail(call, -ENOSPC, "PASID %u has more than 31 bits", pasid);
	err = svf_idevice_attach_pasid(device->idevice, call, pasid, pt_id);
	if (!err && pasid == SVF_NO_PASID)
		device->pasid_0_attached = true;
	return err;
}

static void detach_pasid(struct svf_device *device, uint32_t pasid)
{
	if (pasid == SVF_NO_PASID && !device->pasid_0_attached)
		return;
	svf_idevice_detach_pasid(device->idevice, pasid);
	if (pasid == SVF_NO_PASID)
		device->pasid_0_attached = false;
}

/*
 * The head of both structures: argsz, flags, and for ATTACH an id, is copied in by min_size; with
 * the PASID flag (the only one there is) argsz must reach to its end. Return: 0, -EFAULT, -EINVAL.
 */
static int read_head(struct svf_call *call, uint64_t arg, void *cmd, size_t min_size,
		     size_t full_size)
{
	const uint32_t *argsz = cmd, *flags = argsz + 1;
	int err = svf_copy_from_user(call, cmd, arg, min_size);

	if (err)
		return err;
	if (*argsz < min_size)
		return svf_fail(call, -EINVAL,
				"argsz %u is below the %zu bytes of the structure's first form",
				*argsz, min_size);
	if (*flags & ~VFIO_DEVICE_ATTACH_PASID)
		return svf_fail(call, -EINVAL, "unknown flags 0x%x",
				*flags & ~VFIO_DEVICE_ATTACH_PASID);
	if (!(*flags & VFIO_DEVICE_ATTACH_PASID))
		return 0;
	if (*argsz < full_size)
		return svf_fail(call, -EINVAL, "argsz %u does not reach the end of pasid, byte %zu",
				*argsz, full_size);
	return svf_copy_from_user(call, (char *)cmd + min_size, arg + min_size,
				  full_size - min_size);
}

long svf_device_attach_iommufd_pt(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device_file *df = device_file_of(file);
	struct svf_device *device = svf_device_of_file(file);
	struct vfio_device_attach_iommufd_pt attach;
	int err;

	if (df->group)
		return fail_not_cdev(df, call, -ENOTTY);
	err = read_head(call, arg, &attach,
			svf_offsetofend(struct vfio_device_attach_iommufd_pt, pt_id),
			sizeof(attach));
	if (err)
		return err;
	if (attach.flags & VFIO_DEVICE_ATTACH_PASID)
		err = attach_pasid(device, call, attach.pasid, &attach.pt_id);
	else
		err = svf_device_attach_pt(device, call, &attach.pt_id);
	if (err)
		return err;
	/* On failure the kernel undoes the attachment without a PASID, whichever was asked for. */
	err = svf_copy_to_user(call, arg + offsetof(struct vfio_device_attach_iommufd_pt, pt_id),
			       &attach.pt_id, sizeof(attach.pt_id));
	if (err)
		svf_device_detach_pt(device);
	return err;
}

long svf_device_detach_iommufd_pt(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device_file *df = device_file_of(file);
	struct svf_device *device = svf_device_of_file(file);
	struct vfio_device_detach_iommufd_pt detach;
	int err;

	if (df->group)
		return fail_not_cdev(df, call, -ENOTTY);
	err = read_head(call, arg, &detach,
			svf_offsetofend(struct vfio_device_detach_iommufd_pt, flags),
			sizeof(detach));
	if (err)
		return err;
	if (detach.flags & VFIO_DEVICE_DETACH_PASID)
		detach_pasid(device, detach.pasid);
	else
		svf_device_detach_pt(device);
	return 0;
}
