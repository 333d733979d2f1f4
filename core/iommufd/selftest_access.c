/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver that reaches the memory of an IOAS without DMA, as the test command drives one: each
 * access is an open file, and what it has pinned are items with numbers. An UNMAP takes the items
 * away that it touches.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/checked.h"
#include "core/iommufd/access.h"
#include "core/iommufd/selftest.h"
#include "core/machine.h"

#define LENGTH_MAX  (16ull << 20)
#define PAGES_FLAGS (MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ)
#define RW_FLAGS    (MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH | MOCK_FLAGS_ACCESS_SYZ)

struct access_file {
	struct svf_file file;
	struct svf_access *access;
	uint32_t next_id;
};

struct item {
	struct svf_pin pin;
	uint32_t id;
};

static void drop_item(struct svf_pin *pin)
{
	svf_access_unpin(pin);
	free(svf_container_of(pin, struct item, pin));
}

static void unmap(struct svf_access *access, uint64_t first, uint64_t last)
{
	struct svf_pin *pin, *tmp;

	svf_list_for_each_safe(pin, tmp, &access->pins, link)
		if (pin->range.first <= last && pin->range.last >= first)
			drop_item(pin);
}

static const struct svf_access_ops ops_pin = {.needs_pin_pages = true, .unmap = unmap};
static const struct svf_access_ops ops_rw = {.unmap = unmap};

static void access_close(struct svf_file *file)
{
	struct access_file *af = svf_container_of(file, struct access_file, file);

	file->machine->used.files--;
	svf_access_destroy(af->access);
	free(af);
}

static const struct svf_file_ops access_ops = {
	.close = access_close,
};

/* The access behind a descriptor of the caller's. -EBADFD: it is none. */
static int access_of(struct svf_ucmd *ucmd, struct access_file **ret)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct svf_fd fd = {0};
	int err = svf_call_fd(ucmd->call, (int)cmd->id, &fd);

	if (err == SVF_RESTART)
		return err;
	if (err || fd.kind != SVF_FD_FILE || fd.file->kind != SVF_FILE_ACCESS)
		return svf_fail(ucmd->call, -EBADFD, "descriptor %d is no access", (int)cmd->id);
	*ret = svf_container_of(fd.file, struct access_file, file);
	return 0;
}

/* The file owns the access, and both end when the caller gets no descriptor. */
static int open_access(struct svf_ucmd *ucmd, struct svf_access *access)
{
	struct svf_machine *machine = ucmd->call->machine;
	struct access_file *af;

	if (machine->used.files >= machine->limits.files)
		return svf_fail(ucmd->call, -ENOMEM, "no more than %u open files",
				machine->limits.files);
	af = calloc(1, sizeof(*af));
	if (!af)
		return svf_fail(ucmd->call, -ENOMEM, "out of memory for an access");
	af->file =
		(struct svf_file){.kind = SVF_FILE_ACCESS, .ops = &access_ops, .machine = machine};
	af->access = access;
	access->data = af;
	machine->used.files++;
	ucmd->call->ret_file = &af->file;
	ucmd->call->ret_fd_at =
		ucmd->ubuffer + offsetof(struct iommu_test_cmd, create_access.out_access_fd);
	return 0;
}

int svf_test_create_access(struct svf_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	uint32_t flags = cmd->create_access.flags;
	bool pin = flags & MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	struct svf_access *access;
	struct svf_ioas *ioas;
	int err;

	if (flags & ~MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known", flags);
	if (!ucmd->call->can_return_fd)
		return svf_fail(ucmd->call, -EOPNOTSUPP,
				"this process cannot be given a new descriptor; start it under "
				"softvfio run or exec");
	err = svf_access_create(ucmd->ictx, ucmd->call, pin ? &ops_pin : &ops_rw, NULL, &access);
	if (err)
		return err;
	ioas = svf_ioas_lookup(ucmd, cmd->id);
	err = ioas ? svf_access_change_ioas(access, ucmd->call, ioas) : -ENOENT;
	if (!err)
		err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	if (!err)
		err = open_access(ucmd, access);
	if (err)
		svf_access_destroy(access);
	return err;
}

int svf_test_access_replace(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct access_file *af = NULL;
	struct svf_iobject *object;
	struct svf_ictx *ictx;
	int err = access_of(ucmd, &af);

	if (err)
		return err;
	ictx = af->access->ictx;
	object = svf_iobject_lookup(ictx, cmd->access_replace_ioas.ioas_id, SVF_IOBJECT_IOAS);
	if (!object)
		return svf_fail(ucmd->call, -ENOENT, "the access's iommufd has no IOAS %u",
				cmd->access_replace_ioas.ioas_id);
	return svf_access_change_ioas(af->access, ucmd->call,
				      svf_container_of(object, struct svf_ioas, obj));
}

/* For fuzzers, which cannot guess IOVA: the low half counts mappings, the high half is an offset. */
static uint64_t nth_mapping(const struct svf_ioas *ioas, uint64_t coded)
{
	const struct svf_itree_node *node =
		ioas ? svf_itree_first(&ioas->space.tree, 0, UINT64_MAX) : NULL;

	for (uint32_t n = (uint32_t)coded; node && n; n--)
		node = svf_itree_next(node);
	return node ? node->first + (coded >> 32) : 0;
}

/* Whether the pinned pages are those at the caller's address of the range's first byte. */
static int check_pages(struct svf_ucmd *ucmd, const struct svf_access *access,
		       const struct svf_iova_range *range, uint64_t uptr)
{
	struct svf_machine *machine = ucmd->call->machine;
	struct svf_mm *mm = machine->port->mm_get(ucmd->call);
	uint64_t iova = range->first, piece;
	bool same = true;

	if (!mm)
		return svf_fail(ucmd->call, -ENOMEM, "the process's address space cannot be had");
	for (; same && iova <= range->last; iova += piece) {
		const struct svf_mapping *map =
			svf_iova_space_first(&access->ioas->space, iova, iova);

		piece = (map->node.last < range->last ? map->node.last : range->last) - iova + 1;
		same = svf_test_same_memory(map, iova, mm, uptr + (iova - range->first), piece,
					    machine);
		if (iova + piece - 1 == range->last)
			break;
	}
	machine->port->mm_put(mm);
	if (!same)
		return svf_fail(ucmd->call, -EBADE, "IOVA 0x%lx leads to other memory than 0x%lx",
				iova, uptr);
	return 0;
}

static int pin_item(struct svf_ucmd *ucmd, struct access_file *af, struct item *item, bool write)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	int err = svf_access_pin(af->access, ucmd->call, &item->pin, write);

	if (err)
		return err;
	if (cmd->access_pages.uptr)
		err = check_pages(ucmd, af->access, &item->pin.range, cmd->access_pages.uptr);
	if (!err) {
		item->id = af->next_id++;
		cmd->access_pages.out_access_pages_id = item->id;
		err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (err)
		svf_access_unpin(&item->pin);
	return err;
}

int svf_test_access_pages(struct svf_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	uint64_t iova = cmd->access_pages.iova, length = cmd->access_pages.length;
	uint32_t flags = cmd->access_pages.flags;
	struct access_file *af = NULL;
	struct item *item;
	int err;

	if (length > LENGTH_MAX)
		return svf_fail(ucmd->call, -ENOMEM, "0x%lx bytes are too many", length);
	if (flags & ~PAGES_FLAGS)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known", flags);
	err = access_of(ucmd, &af);
	if (err)
		return err;
	if (af->access->ops != &ops_pin)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "the access was not made for pinning");
	if (flags & MOCK_FLAGS_ACCESS_SYZ)
		iova = nth_mapping(af->access->ioas, iova);
	if (!length)
		return svf_fail(ucmd->call, -EINVAL, "length is 0");
	item = calloc(1, sizeof(*item));
	if (!item)
		return svf_fail(ucmd->call, -ENOMEM, "out of memory for what is pinned");
	svf_list_init(&item->pin.link);
	item->pin.range.first = iova;
	if (!svf_range_last(iova, length, &item->pin.range.last))
		err = svf_fail(ucmd->call, -EOVERFLOW, "the range passes 2^64");
	else
		err = pin_item(ucmd, af, item, flags & MOCK_FLAGS_ACCESS_WRITE);
	if (err)
		free(item);
	return err;
}

int svf_test_destroy_access_pages(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct access_file *af = NULL;
	struct svf_pin *pin;
	int err = access_of(ucmd, &af);

	if (err)
		return err;
	svf_list_for_each(pin, &af->access->pins, link) {
		if (svf_container_of(pin, struct item, pin)->id !=
		    cmd->destroy_access_pages.access_pages_id)
			continue;
		drop_item(pin);
		return 0;
	}
	return svf_fail(ucmd->call, -ENOENT, "the access has nothing pinned under number %u",
			cmd->destroy_access_pages.access_pages_id);
}

static int read_or_write(struct svf_ucmd *ucmd, struct svf_access *access, uint8_t *bytes)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	uint64_t iova = cmd->access_rw.iova, length = cmd->access_rw.length;
	bool write = cmd->access_rw.flags & MOCK_ACCESS_RW_WRITE;
	int err = 0;

	if (write)
		err = svf_copy_from_user(ucmd->call, bytes, cmd->access_rw.uptr, (size_t)length);
	if (err)
		return err;
	if (cmd->access_rw.flags & MOCK_FLAGS_ACCESS_SYZ)
		iova = nth_mapping(access->ioas, iova);
	err = svf_access_rw(access, ucmd->call, iova, bytes, length, write);
	if (!err && !write)
		err = svf_copy_to_user(ucmd->call, cmd->access_rw.uptr, bytes, (size_t)length);
	return err;
}

int svf_test_access_rw(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct access_file *af = NULL;
	uint8_t *bytes;
	int err;

	if (cmd->access_rw.length > LENGTH_MAX)
		return svf_fail(ucmd->call, -ENOMEM, "0x%lx bytes are too many",
				cmd->access_rw.length);
	if (cmd->access_rw.flags & ~RW_FLAGS)
		return svf_fail(ucmd->call, -EOPNOTSUPP, "flags 0x%x are not known",
				cmd->access_rw.flags);
	err = access_of(ucmd, &af);
	if (err)
		return err;
	bytes = calloc(1, (size_t)cmd->access_rw.length + 1);
	if (!bytes)
		return svf_fail(ucmd->call, -ENOMEM, "out of memory for 0x%lx bytes",
				cmd->access_rw.length);
	err = read_or_write(ucmd, af->access, bytes);
	free(bytes);
	return err;
}
