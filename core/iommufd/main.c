/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The iommufd context: its file, its table of objects, and the way of its own commands.
 *
 * A context lives as long as anybody refers to it: the open file, a group that uses it as its
 * container, a bound device, an access, a queue. So closing /dev/iommu while devices are bound
 * changes nothing for them; when the last reference goes, so do all objects, each after those that
 * hold it.
 *
 * Commands carry their own size first. A structure smaller than the first published one is
 * -EINVAL; one that is larger than ours must end in zeroes, or the caller wants something that we
 * do not have: -E2BIG. The size is read before the number is looked at, as in the kernel.
 *
 * Ids are the lowest free ones from 1 on, and an id is taken before its object can be found.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/iommufd/access.h"
#include "core/iommufd/eventq.h"
#include "core/iommufd/hwpt.h"
#include "core/iommufd/selftest.h"
#include "core/machine.h"
#include "uapi/iommufd.h"

/* Ids are positive numbers of 31 bits. */
#define ID_MAX 0x7fffffffu

/*
 * How far behind our structure a caller's longer one is looked at for zeroes, bytes. The kernel
 * reads on to whatever length the caller gives, up to 4 GiB; here it would hold up everybody.
 */
#define TAIL_MAX 0x100000u

/* What an object is called, how it ends, and what ends its being held. */
static const struct {
	const char *name;
	void (*fini)(struct svf_iobject *object);
	const char *remedy;
} object_types[] = {
	[SVF_IOBJECT_ANY] = {"object", NULL, NULL},
	[SVF_IOBJECT_DEVICE] = {"device", svf_idevice_fini, "close the device"},
	[SVF_IOBJECT_IOAS] = {"IOAS", svf_ioas_fini,
			      "detach its devices, destroy its HWPTs and close its accesses"},
	[SVF_IOBJECT_HWPT_PAGING] = {"HWPT", svf_hwpt_paging_fini,
				     "detach its devices, destroy nested HWPTs and vIOMMUs"},
	[SVF_IOBJECT_HWPT_NESTED] = {"nested HWPT", svf_hwpt_nested_fini, "detach its devices"},
	[SVF_IOBJECT_ACCESS] = {"access", svf_access_fini, "close its file"},
	[SVF_IOBJECT_FAULT] = {"fault queue", svf_fault_fini,
			       "close its file and destroy the HWPTs that use it"},
	[SVF_IOBJECT_VIOMMU] = {"vIOMMU", svf_viommu_fini,
				"destroy its vDEVICEs, queues and nested HWPTs"},
	[SVF_IOBJECT_VDEVICE] = {"vDEVICE", svf_vdevice_fini, "end what uses it"},
	[SVF_IOBJECT_VEVENTQ] = {"event queue", svf_veventq_fini, "close its file"},
	[SVF_IOBJECT_HW_QUEUE] = {"hardware queue", svf_hw_queue_fini,
				  "destroy the queue that follows it"},
	[SVF_IOBJECT_SELFTEST] = {"test device", svf_selftest_fini, "end what uses it"},
	[SVF_IOBJECT_TOMBSTONE] = {"tombstone", NULL, NULL},
};

const char *svf_iobject_name(enum svf_iobject_type type)
{
	return object_types[type].name;
}

int svf_iobject_alloc(struct svf_ictx *ictx, struct svf_call *call, size_t size,
		      enum svf_iobject_type type, struct svf_iobject **ret)
{
	struct svf_machine *machine = ictx->file.machine;
	struct svf_iobject *object;
	int64_t id;

	if (!svf_share_left(ictx->objects.used, machine->used.objects, machine->limits.objects))
		return svf_fail(call, -ENOMEM,
				"this iommufd holds %u objects, and %u of %u are in use by all; no "
				"more for it",
				ictx->objects.used, machine->used.objects, machine->limits.objects);
	object = calloc(1, size);
	if (!object)
		return svf_fail(call, -ENOMEM, "out of memory for a new %s",
				object_types[type].name);
	id = svf_idtable_add(&ictx->objects, object, ID_MAX);
	if (id < 0) {
		free(object);
		return svf_fail(call, (int)id, "no id for a new %s", object_types[type].name);
	}
	object->type = type;
	object->id = (uint32_t)id;
	machine->used.objects++;
	*ret = object;
	return 0;
}

void svf_iobject_finalize(struct svf_iobject *object)
{
	object->finalized = true;
}

void svf_iobject_abort(struct svf_ictx *ictx, struct svf_iobject *object)
{
	assert(!object->users);
	svf_idtable_remove(&ictx->objects, object->id);
	ictx->file.machine->used.objects--;
	free(object);
}

void svf_iobject_destroy(struct svf_ictx *ictx, struct svf_iobject *object)
{
	if (ictx->vfio_ioas && &ictx->vfio_ioas->obj == object)
		ictx->vfio_ioas = NULL;
	object->finalized = false;
	object_types[object->type].fini(object);
	svf_iobject_abort(ictx, object);
}

struct svf_iobject *svf_iobject_lookup(struct svf_ictx *ictx, uint32_t id,
				       enum svf_iobject_type type)
{
	struct svf_iobject *object = svf_idtable_lookup(&ictx->objects, id);

	if (!object || !object->finalized)
		return NULL;
	return type == SVF_IOBJECT_ANY || object->type == type ? object : NULL;
}

void svf_iobject_tombstone(struct svf_ictx *ictx, struct svf_iobject *object)
{
	(void)ictx;
	assert(!object->users);
	object->finalized = false;
	object_types[object->type].fini(object);
	object->type = SVF_IOBJECT_TOMBSTONE;
}

struct svf_iobject *svf_ucmd_lookup(struct svf_ucmd *ucmd, uint32_t id, enum svf_iobject_type type)
{
	struct svf_iobject *object = svf_iobject_lookup(ucmd->ictx, id, SVF_IOBJECT_ANY);

	if (object && (object->type == type || type == SVF_IOBJECT_ANY))
		return object;
	if (object)
		svf_fail(ucmd->call, -ENOENT, "object %u is of type %s, not %s", id,
			 object_types[object->type].name, object_types[type].name);
	else
		svf_fail(ucmd->call, -ENOENT,
			 "this iommufd has no object %u, which should be of type %s", id,
			 object_types[type].name);
	return NULL;
}

struct svf_ioas *svf_ioas_lookup(struct svf_ucmd *ucmd, uint32_t id)
{
	struct svf_iobject *object = svf_ucmd_lookup(ucmd, id, SVF_IOBJECT_IOAS);

	return object ? svf_container_of(object, struct svf_ioas, obj) : NULL;
}

int svf_user_data_copy(struct svf_call *call, const struct svf_user_data *data, uint32_t type,
		       void *dst, uint32_t size, uint32_t min)
{
	if (data->type != type)
		return svf_fail(call, -EINVAL, "data of type 0x%x, where 0x%x belongs", data->type,
				type);
	if (data->len < min || data->len > size)
		return svf_fail(call, -EINVAL, "%u bytes of data, where %u to %u belong", data->len,
				min, size);
	memset(dst, 0, size);
	return svf_copy_from_user(call, dst, data->uptr, data->len);
}

int svf_iommufd_destroy_object(struct svf_ucmd *ucmd)
{
	const struct iommu_destroy *cmd = ucmd->cmd;
	struct svf_iobject *object = svf_iobject_lookup(ucmd->ictx, cmd->id, SVF_IOBJECT_ANY);

	if (!object)
		return svf_fail(ucmd->call, -ENOENT, "this iommufd has no object %u", cmd->id);
	if (object->type == SVF_IOBJECT_VIOMMU && svf_viommu_check_mapped(object, ucmd->call))
		return -EBUSY;
	if (object->users)
		return svf_fail(ucmd->call, -EBUSY, "%s %u is in use, %u times; %s first",
				object_types[object->type].name, object->id, object->users,
				object_types[object->type].remedy);
	svf_iobject_destroy(ucmd->ictx, object);
	return 0;
}

/*
 * Who is held waits for who holds it: rounds over all objects, each ending those that nobody holds
 * any more, until only tombstones are left.
 */
static unsigned int destroy_round(struct svf_ictx *ictx, unsigned int *ret_held)
{
	unsigned int destroyed = 0;

	*ret_held = 0;
	for (uint32_t id = 1; id <= ictx->objects.size; id++) {
		struct svf_iobject *object = svf_iobject_lookup(ictx, id, SVF_IOBJECT_ANY);

		if (!object)
			continue;
		if (object->users) {
			++*ret_held;
			continue;
		}
		svf_iobject_destroy(ictx, object);
		destroyed++;
	}
	return destroyed;
}

static void destroy_objects(struct svf_ictx *ictx)
{
	unsigned int held;

	while (destroy_round(ictx, &held))
		;
	assert(!held);
	for (uint32_t id = 1; id <= ictx->objects.size; id++) {
		struct svf_iobject *object = svf_idtable_lookup(&ictx->objects, id);

		if (!object)
			continue;
		assert(object->type == SVF_IOBJECT_TOMBSTONE);
		svf_iobject_abort(ictx, object);
	}
	assert(!ictx->objects.used && svf_list_empty(&ictx->groups));
}

struct svf_ictx *svf_ictx_get(struct svf_ictx *ictx)
{
	ictx->refs++;
	return ictx;
}

void svf_ictx_put(struct svf_ictx *ictx)
{
	if (!ictx || --ictx->refs)
		return;
	destroy_objects(ictx);
	svf_idtable_fini(&ictx->objects);
	svf_list_del(&ictx->machine_link);
	free(ictx);
}

/* --- mmap --- */

/* The vIOMMU whose memory is at the offset, or the next behind it. */
static struct svf_viommu *next_shown(const struct svf_ictx *ictx, uint64_t offset)
{
	struct svf_viommu *found = NULL;

	for (uint32_t id = 1; id <= ictx->objects.size; id++) {
		struct svf_iobject *object = svf_idtable_lookup(&ictx->objects, id);
		struct svf_viommu *viommu;

		if (!object || object->type != SVF_IOBJECT_VIOMMU)
			continue;
		viommu = svf_container_of(object, struct svf_viommu, obj);
		if (!viommu->ram || viommu->mmap_offset + viommu->ram->size <= offset)
			continue;
		if (viommu->mmap_offset && (!found || viommu->mmap_offset < found->mmap_offset))
			found = viommu;
	}
	return found;
}

/* The lowest place that is free; the first page never is. */
uint64_t svf_ictx_mmap_offset(struct svf_ictx *ictx, uint64_t size)
{
	uint64_t offset = SVF_IOMMU_PAGE_SIZE;
	const struct svf_viommu *viommu;

	while ((viommu = next_shown(ictx, offset)) && viommu->mmap_offset - offset < size)
		offset = viommu->mmap_offset + viommu->ram->size;
	return offset;
}

int svf_ictx_mmap(struct svf_file *file, struct svf_call *call, uint64_t offset, uint64_t length,
		  struct svf_ram **ret)
{
	const struct svf_ictx *ictx = svf_container_of(file, struct svf_ictx, file);
	const struct svf_viommu *viommu = next_shown(ictx, offset);

	if (!viommu || viommu->mmap_offset != offset || viommu->ram->size != length)
		return svf_fail(
			call, -ENXIO,
			"nothing of 0x%lx bytes at offset 0x%lx of this iommufd can be mapped",
			length, offset);
	*ret = viommu->ram;
	return 0;
}

static void close_file(struct svf_file *file)
{
	struct svf_ictx *ictx = svf_container_of(file, struct svf_ictx, file);

	file->machine->used.files--;
	svf_ictx_put(ictx);
}

static const struct svf_file_ops file_ops = {
	.close = close_file,
};

int svf_iommufd_open(struct svf_machine *machine, struct svf_call *call, struct svf_file **ret)
{
	struct svf_ictx *ictx;

	if (machine->used.files >= machine->limits.files)
		return svf_fail(call, -EMFILE, "no more than %u open files", machine->limits.files);
	ictx = calloc(1, sizeof(*ictx));
	if (!ictx)
		return svf_fail(call, -ENOMEM, "out of memory for an iommufd");
	ictx->file =
		(struct svf_file){.kind = SVF_FILE_IOMMUFD, .ops = &file_ops, .machine = machine};
	ictx->refs = 1;
	svf_idtable_init(&ictx->objects);
	svf_list_init(&ictx->groups);
	svf_list_add_tail(&machine->contexts, &ictx->machine_link);
	machine->used.files++;
	*ret = &ictx->file;
	return 0;
}

static int check_zero(struct svf_ucmd *ucmd, uint32_t first, uint32_t len)
{
	uint32_t piece;
	uint8_t bytes[1024];
	int err;

	for (uint32_t done = 0; done < len; done += piece) {
		uint64_t addr = ucmd->ubuffer + first + done;

		/* Within a page, so that what comes first is told: a byte that is none, or is not zero. */
		piece = (uint32_t)(sizeof(bytes) - addr % sizeof(bytes));
		if (piece > len - done)
			piece = len - done;
		err = svf_copy_from_user(ucmd->call, bytes, addr, piece);
		if (err)
			return err;
		for (uint32_t i = 0; i < piece; i++)
			if (bytes[i])
				return svf_fail(ucmd->call, -E2BIG,
						"byte %u of the structure is not zero, and only %u "
						"are known",
						first + done + i, first);
	}
	return 0;
}

/* What lies behind the structure that we know. Of a very long one, that its end is there at all. */
static int check_tail(struct svf_ucmd *ucmd)
{
	uint32_t known = ucmd->command->size, left = ucmd->user_size - known;
	int err = check_zero(ucmd, known, left < TAIL_MAX ? left : TAIL_MAX);
	uint8_t last;

	if (err || left <= TAIL_MAX)
		return err;
	err = svf_copy_from_user(ucmd->call, &last, ucmd->ubuffer + ucmd->user_size - 1, 1);
	if (err)
		return err;
	return svf_fail(ucmd->call, -E2BIG, "size %u is far more than the %u bytes of this command",
			ucmd->user_size, known);
}

static int copy_in(struct svf_ucmd *ucmd)
{
	uint32_t known = ucmd->command->size;
	int err;

	if (ucmd->user_size < ucmd->command->min_size)
		return svf_fail(ucmd->call, -EINVAL,
				"size is %u, and this command needs %u bytes at least",
				ucmd->user_size, ucmd->command->min_size);
	if (ucmd->user_size < known)
		known = ucmd->user_size;
	if (ucmd->user_size > known) {
		err = check_tail(ucmd);
		if (err)
			return err;
	}
	return svf_copy_from_user(ucmd->call, ucmd->cmd, ucmd->ubuffer, known);
}

long svf_iommufd_command(struct svf_file *file, struct svf_call *call,
			 const struct svf_command *command, uint64_t arg)
{
	struct svf_ucmd ucmd = {
		.ictx = svf_container_of(file, struct svf_ictx, file),
		.call = call,
		.command = command,
		.ubuffer = arg,
	};
	int err;

	assert(command->size <= sizeof(ucmd.buffer));
	ucmd.cmd = ucmd.buffer;
	err = svf_copy_from_user(call, &ucmd.user_size, arg, sizeof(ucmd.user_size));
	if (err)
		return err;
	err = copy_in(&ucmd);
	if (err)
		return err;
	return command->op(&ucmd);
}

int svf_ucmd_respond(struct svf_ucmd *ucmd, size_t size)
{
	return svf_copy_to_user(ucmd->call, ucmd->ubuffer, ucmd->cmd,
				ucmd->user_size < size ? ucmd->user_size : size);
}
