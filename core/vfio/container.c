/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The container, as Linux's drivers/vfio/container.c.
 *
 * A container is of no use, and has no rights, until a group is in it: that is how access to a
 * group's file becomes the right to map memory. Its states:
 *   empty -- SET_CONTAINER of a group --> with groups -- SET_IOMMU --> with an IOMMU
 * and back to empty, the IOMMU and all mappings gone, when the last group leaves. There is no other
 * way to unset the IOMMU. Groups may come while it is set.
 *
 * Closing the container's file ends nothing while groups are in it: each holds a reference, and
 * its devices go on doing DMA.
 *
 * IOMMU types 1 and 3 (type1 and type1v2) are served, and for groups of devices without an IOMMU, which do
 * not mix with others, type 8: nothing can be mapped there, and every step needs CAP_SYS_RAWIO.
 */
#include "core/vfio/container.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/command.h"
#include "core/iommu/group.h"
#include "core/machine.h"
#include "core/vfio/group.h"
#include "core/vfio/type1.h"
#include "uapi/vfio.h"

static struct svf_container *container_of_file(struct svf_file *file)
{
	assert(file->kind == SVF_FILE_CONTAINER);
	return svf_container_of(file, struct svf_container, file);
}

static void container_put(struct svf_container *container)
{
	if (--container->refs)
		return;
	assert(svf_list_empty(&container->groups) && !container->type1);
	free(container);
}

static void container_close(struct svf_file *file)
{
	file->machine->used.files--;
	container_put(container_of_file(file));
}

static const struct svf_file_ops container_ops = {
	.close = container_close,
};

int svf_container_open(struct svf_machine *machine, struct svf_call *call, struct svf_file **ret)
{
	struct svf_container *container;

	if (machine->used.files >= machine->limits.files)
		return svf_fail(call, -EMFILE, "no more than %u open files", machine->limits.files);
	container = calloc(1, sizeof(*container));
	if (!container)
		return svf_fail(call, -ENOMEM, "out of memory for a container");
	container->file = (struct svf_file){
		.kind = SVF_FILE_CONTAINER,
		.ops = &container_ops,
		.machine = machine,
	};
	svf_list_init(&container->groups);
	container->refs = 1;
	machine->used.files++;
	*ret = &container->file;
	return 0;
}

long svf_container_get_api_version(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	(void)file;
	(void)call;
	(void)arg;
	return VFIO_API_VERSION;
}

static bool has_iommu(const struct svf_container *container)
{
	return container->type1 || container->noiommu_set;
}

static bool noiommu_extension(const struct svf_machine *machine, uint64_t arg)
{
	return arg == VFIO_NOIOMMU_IOMMU && machine->params.enable_unsafe_noiommu_mode;
}

/* What is set is asked, or what can be set; that depends on the groups, once there are any. */
long svf_container_check_extension(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_container *container = container_of_file(file);
	bool any = svf_list_empty(&container->groups);
	int found = 0;

	(void)call;
	if (any || !container->noiommu)
		found = svf_type1_check_extension(container->type1, arg);
	if (!found && (any || container->noiommu))
		found = noiommu_extension(file->machine, arg);
	return found;
}

static int attach_all(struct svf_container *container, struct svf_call *call,
		      struct svf_type1 *type1)
{
	struct svf_group *group, *undo;
	int err;

	svf_list_for_each(group, &container->groups, container_link) {
		err = svf_type1_attach_group(type1, call, group->iommu_group);
		if (err)
			goto unwind;
	}
	return 0;

unwind:
	svf_list_for_each(undo, &container->groups, container_link) {
		if (undo == group)
			break;
		svf_type1_detach_group(type1, undo->iommu_group);
	}
	return err;
}

static int set_noiommu(struct svf_container *container, struct svf_call *call, uint64_t arg)
{
	if (arg != VFIO_NOIOMMU_IOMMU)
		return svf_fail(call, -ENODEV,
				"the groups in the container have no IOMMU; the only type for them "
				"is VFIO_NOIOMMU_IOMMU (8), not %lu",
				(unsigned long)arg);
	if (!noiommu_extension(container->file.machine, arg))
		return svf_fail(call, -ENODEV,
				"the parameter enable_unsafe_noiommu_mode of vfio has been unset");
	if (!svf_call_rawio(call))
		return svf_fail_rawio(call);
	container->noiommu_set = true;
	return 0;
}

long svf_container_set_iommu(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_container *container = container_of_file(file);
	struct svf_type1 *type1;
	int err;

	if (svf_list_empty(&container->groups))
		return svf_fail(call, -EINVAL,
				"no group is in the container; put one in with "
				"VFIO_GROUP_SET_CONTAINER first");
	if (has_iommu(container))
		return svf_fail(call, -EINVAL, "the container's IOMMU is set already, to %s",
				container->noiommu_set ? "no-IOMMU"
				: container->type1->v2 ? "type1v2"
						       : "type1");
	if (container->noiommu)
		return set_noiommu(container, call, arg);
	if (arg == VFIO_NOIOMMU_IOMMU)
		return svf_fail(call, -ENODEV,
				"the no-IOMMU type is not for groups that have an IOMMU; use "
				"VFIO_TYPE1v2_IOMMU (3)");
	if (arg != VFIO_TYPE1_IOMMU && arg != VFIO_TYPE1v2_IOMMU) {
		/* Numbers that CHECK_EXTENSION knows as extensions fail later in the kernel. */
		err = svf_type1_check_extension(NULL, arg) ? -EINVAL : -ENODEV;
		return svf_fail(call, err, "%lu is no IOMMU type; use VFIO_TYPE1v2_IOMMU (3)",
				(unsigned long)arg);
	}
	err = svf_type1_alloc(file->machine, call, arg == VFIO_TYPE1v2_IOMMU, &type1);
	if (err)
		return err;
	err = attach_all(container, call, type1);
	if (err) {
		svf_type1_destroy(type1);
		return err;
	}
	container->type1 = type1;
	return 0;
}

bool svf_container_hears(const struct svf_file *file, uint32_t command)
{
	const struct svf_container *container =
		svf_container_of(file, const struct svf_container, file);

	return !container->noiommu_set || command == VFIO_GET_API_VERSION ||
	       command == VFIO_CHECK_EXTENSION || command == VFIO_SET_IOMMU;
}

long svf_container_unknown(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	(void)arg;
	if (container_of_file(file)->noiommu_set)
		return svf_fail(
			call, -ENOTTY,
			"without an IOMMU the container has no such command: nothing can be "
			"mapped");
	if (!container_of_file(file)->type1)
		return svf_fail(
			call, -EINVAL,
			"the container has no such command, and no IOMMU set that could have it");
	return svf_fail(call, -ENOTTY, "neither the container nor type1 has such a command");
}

struct svf_type1 *svf_type1_of_file(struct svf_file *file, struct svf_call *call)
{
	struct svf_container *container = container_of_file(file);

	if (!container->type1)
		svf_fail(call, -EINVAL,
			 "the container's IOMMU is not set; put a group in it and use "
			 "VFIO_SET_IOMMU first");
	return container->type1;
}

static int check_kind(const struct svf_container *container, const struct svf_group *group,
		      struct svf_call *call)
{
	if (group->noiommu && !svf_call_rawio(call))
		return svf_fail_rawio(call);
	if (!svf_list_empty(&container->groups) && container->noiommu != group->noiommu)
		return svf_fail(call, -EPERM,
				"groups with and without an IOMMU cannot share a container");
	return 0;
}

int svf_container_attach_group(struct svf_container *container, struct svf_group *group,
			       struct svf_call *call)
{
	int err;

	assert(!group->container);
	err = check_kind(container, group, call);
	if (err)
		return err;
	if (!group->noiommu && svf_iommu_group_claim(group->iommu_group, call, group))
		return -EPERM; /* with claim's reason */
	if (container->type1) {
		err = svf_type1_attach_group(container->type1, call, group->iommu_group);
		if (err) {
			svf_iommu_group_release(group->iommu_group);
			return err;
		}
	}
	group->container = container;
	group->container_users = 0;
	container->noiommu = group->noiommu;
	svf_list_add_tail(&container->groups, &group->container_link);
	container->refs++;
	return 0;
}

void svf_container_detach_group(struct svf_group *group)
{
	struct svf_container *container = group->container;

	assert(container && !group->container_users);
	if (container->type1)
		svf_type1_detach_group(container->type1, group->iommu_group);
	if (!group->noiommu)
		svf_iommu_group_release(group->iommu_group);
	group->container = NULL;
	svf_list_del(&group->container_link);
	if (svf_list_empty(&container->groups)) {
		svf_type1_destroy(container->type1);
		container->type1 = NULL;
		container->noiommu_set = false;
	}
	container_put(container);
}

int svf_container_use(struct svf_group *group, struct svf_call *call)
{
	if (!has_iommu(group->container))
		return svf_fail(call, -EINVAL,
				"the container's IOMMU is not set; use VFIO_SET_IOMMU first");
	if (group->noiommu && !svf_call_rawio(call))
		return svf_fail_rawio(call);
	group->container_users++;
	return 0;
}

void svf_container_unuse(struct svf_group *group)
{
	assert(group->container_users);
	group->container_users--;
}
