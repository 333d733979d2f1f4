/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VFIO group, as Linux's drivers/vfio/group.c.
 *
 * A group is there (/dev/vfio/N) from its first member's probe by vfio-pci to its last member's
 * remove. One file may be open; whoever opens it goes through
 *
 *   SET_CONTAINER -> (SET_IOMMU on the container) -> GET_DEVICE_FD
 *
 * The container may be an iommufd instead, whose default IOAS then plays the container; claiming
 * the DMA of the group happens with SET_CONTAINER in the one case and with the first device in the
 * other.
 *
 * Lifetimes. A device opened through a container holds the group's file: if the client closes that
 * first, the close takes effect when the last such device is closed. With an iommufd it does not,
 * and somebody else may open the group while its device is in use (and get nowhere). When the last
 * member leaves, an open file stays without an IOMMU group: it has no devices, SET_CONTAINER and
 * GET_STATUS are ENODEV, and a new group may take its name.
 *
 * While a member is bound through its cdev the group's file cannot be opened, and while the file is
 * open no member can be bound: the two ways to a device exclude one another for the whole group.
 */
#include "core/vfio/group.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/command.h"
#include "core/iommu/group.h"
#include "core/iommufd/iommufd.h"
#include "core/vfio/container.h"
#include "core/vfio/vfio_pci.h"

/* Of a match string, with its NUL: the kernel's page. */
#define MATCH_SIZE 4096u

/* What the client opened. refs: the client, and each device that keeps it. */
struct svf_group_file {
	struct svf_file file;
	struct svf_group *group;
	unsigned int refs;
};

static struct svf_group_file *group_file_of(struct svf_file *file)
{
	assert(file->kind == SVF_FILE_GROUP);
	return svf_container_of(file, struct svf_group_file, file);
}

struct svf_group *svf_group_of_file(struct svf_file *file)
{
	return group_file_of(file)->group;
}

static void group_put(struct svf_group *group)
{
	if (--group->refs)
		return;
	assert(!group->drivers && !group->container && !group->iommufd && !group->opened_file);
	free(group);
}

/* --- members --- */

static struct svf_group *group_alloc(struct svf_iommu_group *iommu_group)
{
	struct svf_group *group = calloc(1, sizeof(*group));

	if (!group)
		return NULL;
	group->iommu_group = iommu_group;
	group->noiommu = iommu_group->noiommu;
	iommu_group->vfio = group;
	svf_list_init(&group->devices);
	svf_list_init(&group->container_link);
	return group;
}

int svf_group_join(struct svf_device *device)
{
	struct svf_iommu_group *iommu_group = device->fn->group;
	struct svf_group *group = iommu_group->vfio ? iommu_group->vfio : group_alloc(iommu_group);

	if (!group)
		return -ENOMEM;
	group->drivers++;
	group->refs++;
	device->group = group;
	svf_list_add_tail(&group->devices, &device->group_link);
	return 0;
}

void svf_group_leave(struct svf_device *device)
{
	struct svf_group *group = device->group;

	svf_list_del(&device->group_link);
	device->group = NULL;
	if (--group->drivers == 0) {
		if (group->container)
			svf_container_detach_group(group);
		group->iommu_group->vfio = NULL;
		group->iommu_group = NULL;
	}
	group_put(group);
}

struct svf_group *svf_group_lookup(struct svf_machine *machine, unsigned int id)
{
	struct svf_iommu_group *iommu_group = svf_iommu_group_lookup(machine, id);

	return iommu_group ? iommu_group->vfio : NULL;
}

int svf_group_block(struct svf_group *group, struct svf_call *call)
{
	if (group->opened_file)
		return svf_fail(
			call, -EBUSY,
			"group %u is open through /dev/vfio/%u; close that before binding a cdev",
			group->iommu_group->id, group->iommu_group->id);
	group->cdev_device_open_count++;
	return 0;
}

void svf_group_unblock(struct svf_group *group)
{
	assert(group->cdev_device_open_count);
	group->cdev_device_open_count--;
}

/* --- the container --- */

static bool has_iommu(const struct svf_group *group)
{
	return group->container || group->iommufd;
}

static void put_iommufd(struct svf_group *group)
{
	if (group->iommufd)
		svf_ictx_put(group->iommufd);
	group->iommufd = NULL;
}

static void group_file_put(struct svf_group_file *gf)
{
	struct svf_group *group = gf->group;

	if (--gf->refs)
		return;
	if (group->container)
		svf_container_detach_group(group);
	put_iommufd(group);
	group->opened_file = NULL;
	svf_file_uncharge(gf->file.machine);
	free(gf);
	group_put(group);
}

int svf_group_use_container(struct svf_group *group, struct svf_call *call)
{
	int err = svf_container_use(group, call);

	if (!err)
		group_file_of(group->opened_file)->refs++;
	return err;
}

void svf_group_unuse_container(struct svf_group *group)
{
	svf_container_unuse(group);
	group_file_put(group_file_of(group->opened_file));
}

static int set_iommufd(struct svf_group *group, struct svf_call *call, struct svf_file *file)
{
	struct svf_ictx *ictx = svf_container_of(file, struct svf_ictx, file);
	int err = group->noiommu ? svf_vfio_compat_set_no_iommu(ictx, call)
				 : svf_vfio_compat_ioas_create(ictx, call);

	if (!err)
		group->iommufd = svf_ictx_get(ictx);
	return err;
}

static int set_container(struct svf_group *group, struct svf_call *call, int32_t number,
			 const struct svf_fd *fd)
{
	if (has_iommu(group))
		return svf_fail(
			call, -EINVAL,
			"the group has a container already; use VFIO_GROUP_UNSET_CONTAINER first");
	if (!group->iommu_group)
		return svf_fail(call, -ENODEV,
				"no device of the group is bound to vfio-pci any more; open the "
				"group anew");
	if (fd->kind == SVF_FD_FILE && fd->file->kind == SVF_FILE_CONTAINER)
		return svf_container_attach_group(
			svf_container_of(fd->file, struct svf_container, file), group, call);
	if (fd->kind == SVF_FD_FILE && fd->file->kind == SVF_FILE_IOMMUFD)
		return set_iommufd(group, call, fd->file);
	return svf_fail(
		call, -EBADFD,
		"descriptor %d is neither a container (/dev/vfio/vfio) nor an iommufd (/dev/iommu)",
		number);
}

long svf_group_set_container(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_fd fd;
	int32_t number;
	int err = svf_copy_from_user(call, &number, arg, sizeof(number));

	if (err)
		return err;
	err = svf_call_fd(call, number, &fd);
	if (err == -EBADF)
		return svf_fail(call, err, "descriptor %d, given as the container, is not open",
				number);
	return err ? err : set_container(svf_group_of_file(file), call, number, &fd);
}

long svf_group_unset_container(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_group *group = svf_group_of_file(file);

	(void)arg;
	if (!has_iommu(group))
		return svf_fail(call, -EINVAL, "the group has no container");
	if (group->container && group->container_users)
		return svf_fail(call, -EBUSY, "%u devices of the group are open; close them first",
				group->container_users);
	if (group->container)
		svf_container_detach_group(group);
	put_iommufd(group);
	return 0;
}

long svf_group_get_status(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_group *group = svf_group_of_file(file);
	struct vfio_group_status status;
	int err = svf_copy_from_user(call, &status, arg, sizeof(status));

	if (err)
		return err;
	if (status.argsz < sizeof(status))
		return svf_fail(call, -EINVAL,
				"argsz %u is below the %zu bytes of struct vfio_group_status",
				status.argsz, sizeof(status));
	if (!group->iommu_group)
		return svf_fail(call, -ENODEV,
				"no device of the group is bound to vfio-pci any more; open the "
				"group anew");
	status.flags = 0;
	if (has_iommu(group))
		status.flags = VFIO_GROUP_FLAGS_CONTAINER_SET | VFIO_GROUP_FLAGS_VIABLE;
	else if (svf_iommu_group_claimable(group->iommu_group, group))
		status.flags = VFIO_GROUP_FLAGS_VIABLE;
	return svf_copy_to_user(call, arg, &status, sizeof(status));
}

/* --- devices --- */

/* The IOAS of the compatibility mode, if there is one by now. */
static int attach_compat_ioas(struct svf_device_file *df, struct svf_call *call)
{
	uint32_t pt_id;
	int err = svf_vfio_compat_ioas_id(df->iommufd, call, &pt_id);

	return err ? err : svf_device_attach_pt(df->device, call, &pt_id);
}

/*
 * Without an IOMMU an iommufd stands for nothing but the right to the device, and the client cannot have
 * set it up for anything else.
 */
static int check_noiommu(struct svf_device_file *df, struct svf_call *call)
{
	if (!df->iommufd || !df->device->noiommu || df->device->open_count)
		return 0;
	if (!svf_call_rawio(call))
		return svf_fail_rawio(call);
	if (df->iommufd->vfio_ioas)
		return svf_fail(call, -EPERM,
				"the iommufd has an IOAS for container commands, but " SVF_BDF_FMT
				" has no IOMMU that could use it; clear it with IOMMU_VFIO_IOAS",
				SVF_BDF_ARG(df->device->fn->bdf));
	return 0;
}

static int open_device(struct svf_device_file *df, struct svf_call *call)
{
	struct svf_group *group = df->group;
	int err;

	if (!has_iommu(group))
		return svf_fail(call, -EINVAL,
				"the group has no container; use VFIO_GROUP_SET_CONTAINER first");
	/* Borrowed: the device's binding holds a reference of its own. */
	df->iommufd = group->iommufd;
	err = check_noiommu(df, call);
	if (!err)
		err = svf_device_open(df, call);
	if (!err && df->iommufd && !group->noiommu && df->device->open_count == 1) {
		err = attach_compat_ioas(df, call);
		if (err)
			svf_device_close(df);
	}
	if (err)
		return err;
	df->access_granted = true;
	return 0;
}

void svf_group_close_device(struct svf_device_file *df)
{
	svf_device_close(df);
	df->iommufd = NULL;
}

static int find_device(struct svf_group *group, struct svf_call *call, const char *text,
		       struct svf_device **ret)
{
	struct svf_device *device;

	svf_list_for_each(device, &group->devices, group_link) {
		int found = svf_device_match(device, call, text);

		if (found < 0)
			return found;
		if (found) {
			*ret = device;
			return 0;
		}
	}
	return svf_fail(call, -ENODEV, "no device \"%.60s\" in the group is bound to vfio-pci",
			text);
}

static int get_device_fd(struct svf_group *group, struct svf_call *call, const char *text)
{
	struct svf_device *device = NULL;
	struct svf_device_file *df;
	int err = find_device(group, call, text, &device);

	if (err)
		return err;
	err = svf_device_file_alloc(device, call, &df);
	if (err)
		return err;
	df->group = group;
	err = open_device(df, call);
	if (err) {
		svf_device_file_destroy(df);
		return err;
	}
	if (group->noiommu)
		svf_device_log(device->fn, "vfio-noiommu device opened by user (%s:%d)", call->comm,
			       (int)call->pid);
	call->ret_file = &df->file;
	return 0;
}

long svf_group_get_device_fd(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_group *group = svf_group_of_file(file);
	char *text;
	ssize_t len;
	int err;

	if (!call->can_return_fd)
		return svf_fail(call, -EOPNOTSUPP,
				"this process cannot be given a new descriptor; start it under "
				"softvfio run or exec");
	text = calloc(1, MATCH_SIZE);
	if (!text)
		return svf_fail(call, -ENOMEM, "out of memory for the device name");
	len = svf_copy_string_from_user(call, text, arg, MATCH_SIZE);
	err = len < 0 ? (int)len : get_device_fd(group, call, text);
	free(text);
	return err;
}

/* --- open and close --- */

static void group_close(struct svf_file *file)
{
	group_file_put(group_file_of(file));
}

static const struct svf_file_ops group_ops = {
	.close = group_close,
};

static int check_open(const struct svf_group *group, struct svf_call *call, unsigned int id)
{
	if (!group)
		return svf_fail(call, -ENODEV, "no device of IOMMU group %u is bound to vfio-pci",
				id);
	if (group->noiommu && !svf_call_rawio(call))
		return svf_fail_rawio(call);
	if (group->cdev_device_open_count)
		return svf_fail(call, -EBUSY,
				"%u devices of group %u are in use through /dev/vfio/devices; "
				"close those first",
				group->cdev_device_open_count, id);
	if (group->opened_file)
		return svf_fail(call, -EBUSY,
				"group %u is open already; a group has one user at a time", id);
	return 0;
}

int svf_group_open(struct svf_machine *machine, struct svf_call *call, unsigned int id,
		   struct svf_file **ret)
{
	struct svf_group *group = svf_group_lookup(machine, id);
	struct svf_group_file *gf;
	int err = check_open(group, call, id);

	if (!err)
		err = svf_file_charge(machine, call);
	if (err)
		return err;
	gf = calloc(1, sizeof(*gf));
	if (!gf) {
		svf_file_uncharge(machine);
		return svf_fail(call, -ENOMEM, "out of memory for an open group");
	}
	gf->file = (struct svf_file){.kind = SVF_FILE_GROUP, .ops = &group_ops, .machine = machine};
	gf->group = group;
	gf->refs = 1;
	group->refs++;
	group->opened_file = &gf->file;
	*ret = &gf->file;
	return 0;
}
