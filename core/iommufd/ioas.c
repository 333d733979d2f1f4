/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOASes as commands: what is checked of the arguments, in the kernel's order. The rules of the
 * mappings themselves are in io_pagetable.c.
 *
 * A MAP or COPY whose answer cannot be written is -EFAULT, and the mapping stays, as in the kernel;
 * a new IOAS whose id cannot be written is taken back.
 */
#include <errno.h>

#include "base/checked.h"
#include "core/iommufd/objects.h"
#include "core/machine.h"
#include "uapi/iommufd.h"

#define MAP_FLAGS (IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

int svf_ioas_alloc(struct svf_ictx *ictx, struct svf_call *call, struct svf_ioas **ret)
{
	struct svf_iobject *object;
	struct svf_ioas *ioas;
	int err;

	err = svf_iobject_alloc(ictx, call, sizeof(*ioas), SVF_IOBJECT_IOAS, &object);
	if (err)
		return err;
	ioas = svf_container_of(object, struct svf_ioas, obj);
	ioas->ictx = ictx;
	svf_iova_space_init(&ioas->space, ictx->file.machine);
	svf_list_init(&ioas->hwpts);
	svf_list_init(&ioas->accesses);
	svf_list_init(&ioas->reserved);
	ioas->alignment = 1;
	*ret = ioas;
	return 0;
}

void svf_ioas_fini(struct svf_iobject *object)
{
	struct svf_ioas *ioas = svf_container_of(object, struct svf_ioas, obj);

	svf_iova_space_fini(&ioas->space);
	svf_allowed_fini(&ioas->allowed);
	svf_ioas_reserved_fini(ioas);
}

int svf_ioas_alloc_ioctl(struct svf_ucmd *ucmd)
{
	struct iommu_ioas_alloc *cmd = ucmd->cmd;
	struct svf_ioas *ioas;
	int err;

	if (cmd->flags)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known, there are none",
				cmd->flags);
	err = svf_ioas_alloc(ucmd->ictx, ucmd->call, &ioas);
	if (err)
		return err;
	cmd->out_ioas_id = ioas->obj.id;
	err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	if (err) {
		svf_iobject_destroy(ucmd->ictx, &ioas->obj);
		return err;
	}
	svf_iobject_finalize(&ioas->obj);
	return 0;
}

int svf_ioas_iova_ranges(struct svf_ucmd *ucmd)
{
	struct iommu_ioas_iova_ranges *cmd = ucmd->cmd;
	struct svf_iova_range usable = {0, 0};
	uint32_t count = 0, room = cmd->num_iovas;
	struct svf_ioas *ioas;
	bool more;
	int err;

	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	ioas = svf_ioas_lookup(ucmd, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	for (more = svf_ioas_next_usable(ioas, 0, &usable); more; count++) {
		struct iommu_iova_range range = {usable.first, usable.last};

		err = count < room ? svf_copy_to_user(ucmd->call,
						      cmd->allowed_iovas + count * sizeof(range),
						      &range, sizeof(range))
				   : 0;
		if (err)
			return err;
		more = usable.last != UINT64_MAX &&
		       svf_ioas_next_usable(ioas, usable.last + 1, &usable);
	}
	cmd->num_iovas = count;
	cmd->out_iova_alignment = ioas->alignment;
	err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	if (err)
		return err;
	if (count > room)
		return svf_fail(ucmd->call, -EMSGSIZE,
				"there are %u ranges, and room for %u; ask again with more", count,
				room);
	return 0;
}

/* What MAP and COPY have in common. */
static int check_map_flags(struct svf_call *call, uint32_t flags)
{
	if (flags & ~MAP_FLAGS)
		return svf_fail(call, -EOPNOTSUPP, "flags 0x%x are not known", flags & ~MAP_FLAGS);
	return 0;
}

static int check_map_prot(struct svf_call *call, uint32_t flags)
{
	if (!(flags & (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)))
		return svf_fail(call, -EINVAL, "neither READABLE nor WRITEABLE");
	return 0;
}

static unsigned int map_prot(uint32_t flags)
{
	return (flags & IOMMU_IOAS_MAP_READABLE ? SVF_MAP_READ : 0) |
	       (flags & IOMMU_IOAS_MAP_WRITEABLE ? SVF_MAP_WRITE : 0);
}

int svf_ioas_map_ioctl(struct svf_ucmd *ucmd)
{
	struct iommu_ioas_map *cmd = ucmd->cmd;
	struct svf_ioas_map_request request;
	struct svf_ioas *ioas;
	int err;

	err = check_map_flags(ucmd->call, cmd->flags);
	if (err)
		return err;
	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	if (cmd->iova == UINT64_MAX || cmd->length == UINT64_MAX)
		return svf_fail(ucmd->call, -EOVERFLOW, "iova or length is 2^64 - 1");
	err = check_map_prot(ucmd->call, cmd->flags);
	if (err)
		return err;
	ioas = svf_ioas_lookup(ucmd, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	request = (struct svf_ioas_map_request){
		.vaddr = cmd->user_va,
		.length = cmd->length,
		.iova = cmd->iova,
		.prot = map_prot(cmd->flags),
		.fixed = cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
	};
	err = svf_ioas_map(ioas, ucmd->call, &request, &cmd->iova);
	return err ? err : svf_ucmd_respond(ucmd, sizeof(*cmd));
}

static int check_file_range(struct svf_call *call, const struct iommu_ioas_map_file *cmd,
			    uint64_t *ret_last)
{
	if (!cmd->length)
		return svf_fail(call, -EINVAL, "length is 0");
	if (!svf_range_last(cmd->start, cmd->length, ret_last))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from 0x%lx of the file pass 2^64",
				cmd->length, cmd->start);
	return 0;
}

/* The memory of a file, without anybody's having it mapped. */
static int map_file(struct svf_ucmd *ucmd, struct svf_ioas *ioas)
{
	struct iommu_ioas_map_file *cmd = ucmd->cmd;
	struct svf_machine *machine = ucmd->call->machine;
	struct svf_ioas_map_request request = {
		.vaddr = cmd->start,
		.length = cmd->length,
		.iova = cmd->iova,
		.prot = map_prot(cmd->flags),
		.fixed = cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
	};
	uint64_t last = 0;
	int err;

	err = check_file_range(ucmd->call, cmd, &last);
	if (err)
		return err;
	err = cmd->fd < 0 ? -EBADF
			  : machine->port->mm_get_file(ucmd->call, cmd->fd, cmd->start, last,
						       request.prot & SVF_MAP_WRITE, &request.file);
	if (err == -EBADF)
		return svf_fail(ucmd->call, err, "descriptor %d is not open", cmd->fd);
	if (err)
		return err;
	err = svf_ioas_map(ioas, ucmd->call, &request, &cmd->iova);
	machine->port->mm_put(request.file);
	return err;
}

int svf_ioas_map_file(struct svf_ucmd *ucmd)
{
	const struct iommu_ioas_map_file *cmd = ucmd->cmd;
	struct svf_ioas *ioas;
	int err;

	err = check_map_flags(ucmd->call, cmd->flags);
	if (err)
		return err;
	if (cmd->iova == UINT64_MAX || cmd->length == UINT64_MAX)
		return svf_fail(ucmd->call, -EOVERFLOW, "iova or length is 2^64 - 1");
	err = check_map_prot(ucmd->call, cmd->flags);
	if (err)
		return err;
	ioas = svf_ioas_lookup(ucmd, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	err = map_file(ucmd, ioas);
	return err ? err : svf_ucmd_respond(ucmd, sizeof(*cmd));
}

int svf_ioas_copy(struct svf_ucmd *ucmd)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	struct svf_ioas_map_request request;
	struct svf_ioas *src, *dst;
	int err;

	err = check_map_flags(ucmd->call, cmd->flags);
	if (err)
		return err;
	if (cmd->length == UINT64_MAX || cmd->src_iova == UINT64_MAX || cmd->dst_iova == UINT64_MAX)
		return svf_fail(ucmd->call, -EOVERFLOW, "an iova or the length is 2^64 - 1");
	err = check_map_prot(ucmd->call, cmd->flags);
	if (err)
		return err;
	src = svf_ioas_lookup(ucmd, cmd->src_ioas_id);
	if (!src)
		return -ENOENT;
	err = svf_ioas_get_pages(src, ucmd->call, cmd->src_iova, cmd->length);
	if (err)
		return err;
	dst = svf_ioas_lookup(ucmd, cmd->dst_ioas_id);
	if (!dst)
		return -ENOENT;
	request = (struct svf_ioas_map_request){
		.length = cmd->length,
		.iova = cmd->dst_iova,
		.prot = map_prot(cmd->flags),
		.fixed = cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
	};
	err = svf_ioas_map_copy(dst, ucmd->call, src, cmd->src_iova, &request, &cmd->dst_iova);
	return err ? err : svf_ucmd_respond(ucmd, sizeof(*cmd));
}

/* Unmaps a range that holds something; *unmapped: bytes. */
static int unmap_range(struct svf_ioas *ioas, struct svf_call *call, uint64_t iova, uint64_t length,
		       uint64_t *unmapped)
{
	uint64_t last;
	int err;

	if (iova == UINT64_MAX || length == UINT64_MAX)
		return svf_fail(call, -EOVERFLOW,
				"iova or length is 2^64 - 1; to unmap everything pass iova 0 with "
				"length 2^64 - 1");
	if (!length)
		return svf_fail(call, -EINVAL, "length is 0");
	if (!svf_range_last(iova, length, &last))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64", length,
				iova);
	err = svf_ioas_unmap(ioas, call, iova, last, unmapped);
	if (!err && !*unmapped)
		return svf_fail(call, -ENOENT, "nothing is mapped at IOVA 0x%lx-0x%lx of IOAS %u",
				iova, last, ioas->obj.id);
	return err;
}

int svf_ioas_unmap_ioctl(struct svf_ucmd *ucmd)
{
	struct iommu_ioas_unmap *cmd = ucmd->cmd;
	struct svf_ioas *ioas;
	uint64_t unmapped = 0;
	int err;

	ioas = svf_ioas_lookup(ucmd, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	if (cmd->iova == 0 && cmd->length == UINT64_MAX)
		err = svf_ioas_unmap(ioas, ucmd->call, 0, UINT64_MAX, &unmapped);
	else
		err = unmap_range(ioas, ucmd->call, cmd->iova, cmd->length, &unmapped);
	if (err)
		return err;
	cmd->length = unmapped;
	return svf_ucmd_respond(ucmd, sizeof(*cmd));
}

static struct svf_mapping *first_mapping(struct svf_ictx *ictx, uint32_t id)
{
	struct svf_iobject *object = svf_iobject_lookup(ictx, id, SVF_IOBJECT_IOAS);

	return object ? svf_iova_space_first(&svf_container_of(object, struct svf_ioas, obj)->space,
					     0, UINT64_MAX)
		      : NULL;
}

static struct svf_mapping *next_mapping(const struct svf_mapping *map)
{
	struct svf_itree_node *node = svf_itree_next(&map->node);

	return node ? svf_container_of(node, struct svf_mapping, node) : NULL;
}

/*
 * Maps of files can change hands, if there are no others. When the caller's limit of locked memory does
 * not allow all, those that it does allow are its own.
 */
int svf_ioas_change_process(struct svf_ucmd *ucmd)
{
	const struct iommu_ioas_change_process *cmd = ucmd->cmd;
	struct svf_ictx *ictx = ucmd->ictx;
	const struct svf_port_ops *port = ucmd->call->machine->port;
	struct svf_mapping *map;

	if (cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "reserved bits are set");
	for (uint32_t id = 1; id <= ictx->objects.size; id++)
		for (map = first_mapping(ictx, id); map; map = next_mapping(map))
			if (!map->of_file)
				return svf_fail(ucmd->call, -EINVAL,
						"IOAS %u maps memory that is not of a file", id);
	for (uint32_t id = 1; id <= ictx->objects.size; id++) {
		for (map = first_mapping(ictx, id); map; map = next_mapping(map)) {
			int err = port->mm_change_owner(map->mm, ucmd->call);

			if (err)
				return err;
		}
	}
	return 0;
}

/*
 * The physical address of what is mapped at an IOVA, for a device that no IOMMU translates for. In this
 * machine memory is, for such a device, where the IOAS it is attached to maps it.
 */
int svf_ioas_noiommu_get_pa(struct svf_ucmd *ucmd)
{
	struct iommu_ioas_noiommu_get_pa *cmd = ucmd->cmd;
	const struct svf_mapping *map;
	struct svf_ioas *ioas;

	if (!svf_call_rawio(ucmd->call))
		return svf_fail_rawio(ucmd->call);
	if (cmd->flags || cmd->reserved)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"flags 0x%x or reserved bits are not known", cmd->flags);
	if (!cmd->length)
		return svf_fail(ucmd->call, -EINVAL, "length is 0");
	if (cmd->iova == UINT64_MAX)
		return svf_fail(ucmd->call, -EOVERFLOW, "iova is 2^64 - 1");
	ioas = svf_ioas_lookup(ucmd, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	map = svf_iova_space_first(&ioas->space, cmd->iova, cmd->iova);
	if (!map)
		return svf_fail(ucmd->call, -ENOENT, "IOVA 0x%lx of IOAS %u is not mapped",
				cmd->iova, cmd->ioas_id);
	if (ucmd->call->machine->params.iommu)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"IOVA 0x%lx is translated by an IOMMU and has no address to tell",
				cmd->iova);
	if (!ioas->domains)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"no device is attached to IOAS %u, so its memory is nowhere yet",
				cmd->ioas_id);
	if (cmd->length - 1 > map->node.last - cmd->iova)
		cmd->length = map->node.last - cmd->iova + 1;
	cmd->out_phys = cmd->iova;
	return svf_ucmd_respond(ucmd, sizeof(*cmd));
}
