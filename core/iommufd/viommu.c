/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vIOMMUs, vDEVICEs and hardware queues; see viommu.h. The software IOMMU of the machine's functions
 * offers none, as the kernel's VT-d driver has no type of vIOMMU: VIOMMU_ALLOC is -EOPNOTSUPP for
 * them. What there is belongs to the IOMMU of the selftests.
 *
 * A device has one vDEVICE at most, an id in a vIOMMU is given once. A vDEVICE whose device is
 * unbound goes with it and leaves a tombstone.
 *
 * A hardware queue is memory that the IOMMU itself reads, by physical address: the pages of its
 * range must be whole and mapped, and UNMAP of them is refused while the queue is. The kernel also
 * asks for them to be contiguous in physical memory, which here nothing is or is not.
 */
#include "core/iommufd/viommu.h"

#include <errno.h>

#include "base/checked.h"
#include "core/machine.h"
#include "uapi/iommufd.h"

/* --- vIOMMUs --- */

struct svf_viommu *svf_viommu_lookup(struct svf_ucmd *ucmd, uint32_t id)
{
	struct svf_iobject *object = svf_ucmd_lookup(ucmd, id, SVF_IOBJECT_VIOMMU);

	return object ? svf_container_of(object, struct svf_viommu, obj) : NULL;
}

void svf_viommu_fini(struct svf_iobject *object)
{
	struct svf_viommu *viommu = svf_container_of(object, struct svf_viommu, obj);
	struct svf_machine *machine = viommu->ictx->file.machine;

	machine->port->ram_free(machine, viommu->ram);
	viommu->hwpt->obj.users--;
}

/* Memory of a vIOMMU that the user has mapped holds it. */
static bool is_mapped(const struct svf_viommu *viommu)
{
	const struct svf_machine *machine = viommu->ictx->file.machine;

	return viommu->ram && machine->port->ram_in_use(viommu->ram);
}

int svf_viommu_check_mapped(struct svf_iobject *object, struct svf_call *call)
{
	if (is_mapped(svf_container_of(object, struct svf_viommu, obj)))
		return svf_fail(call, -EBUSY, "memory of vIOMMU %u is mapped; munmap it first",
				object->id);
	return 0;
}

static int check_viommu(struct svf_ucmd *ucmd, const struct iommu_viommu_alloc *cmd,
			struct svf_idevice **ret_idevice, struct svf_hwpt **ret_hwpt)
{
	struct svf_idevice *idevice;
	struct svf_hwpt *hwpt;
	int err;

	if (cmd->flags || cmd->type == IOMMU_VIOMMU_TYPE_DEFAULT)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x or type %u is not known",
				cmd->flags, cmd->type);
	idevice = svf_idevice_lookup(ucmd, cmd->dev_id);
	if (!idevice)
		return -ENOENT;
	if (!idevice->ops->viommu_check)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "the IOMMU of device %u has no vIOMMUs",
				cmd->dev_id);
	err = idevice->ops->viommu_check(ucmd->call, cmd->type);
	if (err)
		return err;
	hwpt = svf_hwpt_lookup_paging(ucmd, cmd->hwpt_id);
	if (!hwpt)
		return -ENOENT;
	if (!hwpt->nest_parent)
		return svf_fail(ucmd->call, -EINVAL,
				"HWPT %u cannot be a parent; allocate one with "
				"IOMMU_HWPT_ALLOC_NEST_PARENT",
				cmd->hwpt_id);
	*ret_idevice = idevice;
	*ret_hwpt = hwpt;
	return 0;
}

int svf_viommu_alloc(struct svf_ucmd *ucmd)
{
	struct iommu_viommu_alloc *cmd = ucmd->cmd;
	const struct svf_user_data data = {cmd->type, cmd->data_len, cmd->data_uptr};
	struct svf_idevice *idevice = NULL;
	struct svf_viommu *viommu;
	struct svf_iobject *object;
	struct svf_hwpt *hwpt = NULL;
	int err;

	err = check_viommu(ucmd, cmd, &idevice, &hwpt);
	if (!err)
		err = svf_iobject_alloc(ucmd->ictx, ucmd->call, sizeof(*viommu), SVF_IOBJECT_VIOMMU,
					&object);
	if (err)
		return err;
	viommu = svf_container_of(object, struct svf_viommu, obj);
	viommu->ictx = ucmd->ictx;
	viommu->iommu = idevice->ops;
	viommu->type = cmd->type;
	viommu->hwpt = hwpt;
	hwpt->obj.users++;
	svf_list_init(&viommu->vdevices);
	svf_list_init(&viommu->veventqs);
	err = idevice->ops->viommu_init(viommu, ucmd->call, data.len ? &data : NULL);
	if (!err) {
		cmd->out_viommu_id = object->id;
		err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (err)
		svf_iobject_destroy(ucmd->ictx, object);
	else
		svf_iobject_finalize(object);
	return err;
}

/* --- vDEVICEs --- */

struct svf_vdevice *svf_viommu_find_vdevice(const struct svf_viommu *viommu, uint64_t virt_id)
{
	struct svf_vdevice *vdevice;

	svf_list_for_each(vdevice, &viommu->vdevices, link)
		if (vdevice->virt_id == virt_id)
			return vdevice;
	return NULL;
}

void svf_vdevice_fini(struct svf_iobject *object)
{
	struct svf_vdevice *vdevice = svf_container_of(object, struct svf_vdevice, obj);

	svf_list_del(&vdevice->link);
	vdevice->viommu->obj.users--;
	vdevice->idevice->vdevice = NULL;
}

static int check_vdevice(struct svf_ucmd *ucmd, const struct iommu_vdevice_alloc *cmd,
			 struct svf_viommu **ret_viommu, struct svf_idevice **ret_idevice)
{
	struct svf_viommu *viommu = svf_viommu_lookup(ucmd, cmd->viommu_id);
	struct svf_idevice *idevice = viommu ? svf_idevice_lookup(ucmd, cmd->dev_id) : NULL;

	if (!idevice)
		return -ENOENT;
	if (viommu->iommu != idevice->ops)
		return svf_fail(ucmd->call, -EINVAL, "vIOMMU %u is of another IOMMU than device %u",
				viommu->obj.id, idevice->obj.id);
	if (idevice->vdevice)
		return svf_fail(ucmd->call, -EEXIST, "device %u has vDEVICE %u already",
				idevice->obj.id, idevice->vdevice->obj.id);
	*ret_viommu = viommu;
	*ret_idevice = idevice;
	return 0;
}

int svf_vdevice_alloc(struct svf_ucmd *ucmd)
{
	struct iommu_vdevice_alloc *cmd = ucmd->cmd;
	struct svf_idevice *idevice = NULL;
	struct svf_viommu *viommu = NULL;
	struct svf_vdevice *vdevice;
	struct svf_iobject *object;
	int err;

	err = check_vdevice(ucmd, cmd, &viommu, &idevice);
	if (!err)
		err = svf_iobject_alloc(ucmd->ictx, ucmd->call, sizeof(*vdevice),
					SVF_IOBJECT_VDEVICE, &object);
	if (err)
		return err;
	if (svf_viommu_find_vdevice(viommu, cmd->virt_id)) {
		svf_iobject_abort(ucmd->ictx, object);
		return svf_fail(ucmd->call, -EEXIST, "vIOMMU %u has a vDEVICE 0x%lx already",
				viommu->obj.id, cmd->virt_id);
	}
	vdevice = svf_container_of(object, struct svf_vdevice, obj);
	vdevice->viommu = viommu;
	viommu->obj.users++;
	vdevice->idevice = idevice;
	idevice->vdevice = vdevice;
	vdevice->virt_id = cmd->virt_id;
	svf_list_add_tail(&viommu->vdevices, &vdevice->link);
	cmd->out_vdevice_id = object->id;
	err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	if (err)
		svf_iobject_destroy(ucmd->ictx, object);
	else
		svf_iobject_finalize(object);
	return err;
}

/* --- hardware queues --- */

void svf_hw_queue_fini(struct svf_iobject *object)
{
	struct svf_hw_queue *queue = svf_container_of(object, struct svf_hw_queue, obj);

	if (queue->placed)
		queue->viommu->hw_queues[queue->index] = NULL;
	if (queue->prev)
		queue->prev->obj.users--;
	if (!svf_list_empty(&queue->pin.link))
		svf_access_unpin(&queue->pin);
	svf_access_destroy(queue->access);
	queue->viommu->obj.users--;
}

/* The whole pages that the queue is in. */
static int pin_queue(struct svf_hw_queue *queue, struct svf_call *call)
{
	const uint64_t mask = SVF_IOMMU_PAGE_SIZE - 1;
	int err;

	queue->pin.range.first = queue->base_addr & ~mask;
	queue->pin.range.last = (queue->base_addr + (queue->length - 1)) | mask;
	/* The kernel counts the bytes up to the end of the last page, and cannot count 2^64. */
	if (queue->pin.range.last == UINT64_MAX &&
	    queue->length > UINT64_MAX - mask - (queue->base_addr & mask))
		return svf_fail(call, -ERANGE, "a queue of 0x%lx bytes", queue->length);
	err = svf_access_create(queue->viommu->ictx, call, NULL, NULL, &queue->access);
	if (!err)
		err = svf_access_change_ioas(queue->access, call, queue->viommu->hwpt->ioas);
	if (!err)
		err = svf_access_pin(queue->access, call, &queue->pin, false);
	return err;
}

static int check_hw_queue(struct svf_ucmd *ucmd, const struct iommu_hw_queue_alloc *cmd,
			  struct svf_viommu **ret)
{
	uint64_t last;

	if (cmd->flags || cmd->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x or type %u is not known",
				cmd->flags, cmd->type);
	if (!cmd->length)
		return svf_fail(ucmd->call, -EINVAL, "length is 0");
	if (!svf_range_last(cmd->nesting_parent_iova, cmd->length, &last))
		return svf_fail(ucmd->call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64",
				cmd->length, cmd->nesting_parent_iova);
	*ret = svf_viommu_lookup(ucmd, cmd->viommu_id);
	if (!*ret)
		return -ENOENT;
	return (*ret)->ops->check_hw_queue_type(ucmd->call, cmd->type);
}

int svf_hw_queue_alloc(struct svf_ucmd *ucmd)
{
	struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	struct svf_viommu *viommu = NULL;
	struct svf_hw_queue *queue;
	struct svf_iobject *object;
	int err;

	err = check_hw_queue(ucmd, cmd, &viommu);
	if (!err)
		err = svf_iobject_alloc(ucmd->ictx, ucmd->call, sizeof(*queue),
					SVF_IOBJECT_HW_QUEUE, &object);
	if (err)
		return err;
	queue = svf_container_of(object, struct svf_hw_queue, obj);
	svf_list_init(&queue->pin.link);
	queue->viommu = viommu;
	viommu->obj.users++;
	queue->type = cmd->type;
	queue->index = cmd->index;
	queue->base_addr = cmd->nesting_parent_iova;
	queue->length = cmd->length;
	err = pin_queue(queue, ucmd->call);
	if (!err)
		err = viommu->ops->hw_queue_init(queue, ucmd->call);
	if (!err) {
		cmd->out_hw_queue_id = object->id;
		err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (err)
		svf_iobject_destroy(ucmd->ictx, object);
	else
		svf_iobject_finalize(object);
	return err;
}
