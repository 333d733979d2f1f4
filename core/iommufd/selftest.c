/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The test command: devices behind the mock IOMMU, and looks into what iommufd has done.
 *
 * Where the kernel compares page frames, here the memory is compared that stands behind an IOVA and
 * behind an address of the caller: the same address of the same process, or the same bytes of
 * the same file. Where it counts the pins of a page, here the MAPs are counted whose memory the
 * page is and that a domain or an access uses: nothing is pinned, but this is when the kernel
 * would.
 *
 * The memory limit is taken and has no effect: it bounds the batches in which the kernel pins. dma-bufs
 * of the test are not offered.
 */
#include "core/iommufd/selftest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/checked.h"
#include "core/iommufd/eventq.h"
#include "core/machine.h"

#define MEMORY_LIMIT_MIN   12u
#define DIRTY_BITS_MAX	   (16ull << 20 << 3)
#define DEVICE_FLAGS_KNOWN (MOCK_FLAGS_DEVICE_NO_DIRTY | MOCK_FLAGS_DEVICE_PASID)
#define PAGE_MASK	   ((uint64_t)SVF_IOMMU_PAGE_SIZE - 1)

/* --- devices --- */

static struct svf_mock_device *mock_lookup(struct svf_ucmd *ucmd, uint32_t id)
{
	struct svf_iobject *object = svf_ucmd_lookup(ucmd, id, SVF_IOBJECT_SELFTEST);

	return object ? svf_container_of(object, struct svf_mock_device, obj) : NULL;
}

void svf_selftest_fini(struct svf_iobject *object)
{
	struct svf_mock_device *mock = svf_container_of(object, struct svf_mock_device, obj);

	svf_idevice_unbind(mock->idevice);
}

static int mock_alloc(struct svf_ucmd *ucmd, uint32_t flags, struct svf_mock_device **ret)
{
	uint32_t max_pasids = flags & MOCK_FLAGS_DEVICE_PASID ? 1u << MOCK_PASID_WIDTH : 0;
	struct svf_mock_device *mock;
	struct svf_iobject *object;
	int err;

	err = svf_iobject_alloc(ucmd->ictx, ucmd->call, sizeof(*mock), SVF_IOBJECT_SELFTEST,
				&object);
	if (err)
		return err;
	mock = svf_container_of(object, struct svf_mock_device, obj);
	mock->ictx = ucmd->ictx;
	mock->flags = flags;
	for (unsigned int i = 0; i < MOCK_DEV_CACHE_NUM; i++)
		mock->cache[i] = IOMMU_TEST_DEV_CACHE_DEFAULT;
	if (flags & ~DEVICE_FLAGS_KNOWN)
		err = svf_fail(ucmd->call, -EINVAL, "device flags 0x%x are not known",
			       flags & ~DEVICE_FLAGS_KNOWN);
	else
		err = svf_idevice_bind_mock(ucmd->ictx, mock, max_pasids, ucmd->call,
					    &mock->idevice);
	if (err) {
		svf_iobject_abort(ucmd->ictx, object);
		return err;
	}
	*ret = mock;
	return 0;
}

static int test_mock_domain(struct svf_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	bool with_flags = cmd->op == IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS;
	struct svf_mock_device *mock = NULL;
	uint32_t pt_id = cmd->id;
	int err;

	err = mock_alloc(ucmd, with_flags ? cmd->mock_domain.dev_flags : 0, &mock);
	if (err)
		return err;
	err = svf_idevice_attach(mock->idevice, ucmd->call, &pt_id);
	if (!err) {
		cmd->mock_domain.out_hwpt_id = pt_id;
		cmd->mock_domain.out_stdev_id = mock->obj.id;
		cmd->mock_domain.out_idev_id = mock->idevice->obj.id;
		err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (err)
		svf_iobject_destroy(ucmd->ictx, &mock->obj);
	else
		svf_iobject_finalize(&mock->obj);
	return err;
}

static int test_mock_domain_replace(struct svf_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct svf_mock_device *mock = mock_lookup(ucmd, cmd->id);
	int err;

	if (!mock)
		return -ENOENT;
	err = svf_idevice_replace(mock->idevice, ucmd->call, &cmd->mock_domain_replace.pt_id);
	return err ? err : svf_ucmd_respond(ucmd, sizeof(*cmd));
}

static int test_pasid_change(struct svf_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	bool attach = cmd->op == IOMMU_TEST_OP_PASID_ATTACH;
	struct svf_mock_device *mock = mock_lookup(ucmd, cmd->id);
	int err;

	if (!mock)
		return -ENOENT;
	err = (attach ? svf_idevice_attach_pasid : svf_idevice_replace_pasid)(
		mock->idevice, ucmd->call, cmd->pasid_attach.pasid, &cmd->pasid_attach.pt_id);
	if (err)
		return err;
	err = svf_ucmd_respond(ucmd, sizeof(*cmd));
	if (err && attach)
		svf_idevice_detach_pasid(mock->idevice, cmd->pasid_attach.pasid);
	return err;
}

static int test_pasid_detach(struct svf_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct svf_mock_device *mock = mock_lookup(ucmd, cmd->id);

	if (!mock)
		return -ENOENT;
	svf_idevice_detach_pasid(mock->idevice, cmd->pasid_attach.pasid);
	return 0;
}

static int test_pasid_check_hwpt(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct svf_mock_device *mock = mock_lookup(ucmd, cmd->id);
	const struct svf_hwpt *attached;
	struct svf_iobject *object;

	if (!mock)
		return -ENOENT;
	attached = svf_igroup_hwpt(mock->idevice->igroup, cmd->pasid_check.pasid);
	if (!cmd->pasid_check.hwpt_id)
		return attached ? svf_fail(ucmd->call, -EINVAL, "PASID %u is attached to HWPT %u",
					   cmd->pasid_check.pasid, attached->obj.id)
				: 0;
	object = svf_ucmd_lookup(ucmd, cmd->pasid_check.hwpt_id, SVF_IOBJECT_ANY);
	if (!object)
		return -ENOENT;
	if (!svf_iobject_is_hwpt(object) || !attached || &attached->obj != object)
		return svf_fail(ucmd->call, -EINVAL, "PASID %u is not attached to object %u",
				cmd->pasid_check.pasid, object->id);
	return 0;
}

/* --- IOAS and page tables --- */

static int test_add_reserved(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct svf_ioas *ioas;
	uint64_t last;

	if (!cmd->add_reserved.length)
		return svf_fail(ucmd->call, -EINVAL, "length is 0");
	if (!svf_range_last(cmd->add_reserved.start, cmd->add_reserved.length, &last))
		return svf_fail(ucmd->call, -EOVERFLOW, "the range passes 2^64");
	ioas = svf_ioas_lookup(ucmd, cmd->id);
	if (!ioas)
		return -ENOENT;
	return svf_ioas_reserve(ioas, ucmd->call, cmd->add_reserved.start, last,
				"that a test reserves");
}

/* A HWPT of the mock IOMMU, with a table of IOVA of its own. NULL: *ret_err. */
static struct svf_hwpt *mock_hwpt_lookup(struct svf_ucmd *ucmd, uint32_t id, int *ret_err)
{
	struct svf_hwpt *hwpt = svf_hwpt_lookup_paging(ucmd, id);

	if (hwpt && hwpt->ops == &svf_mock_ops)
		return hwpt;
	*ret_err = hwpt ? svf_fail(ucmd->call, -EINVAL, "HWPT %u is not of the mock IOMMU", id)
			: -ENOENT;
	return NULL;
}

bool svf_test_same_memory(const struct svf_mapping *map, uint64_t iova, struct svf_mm *mm,
			  uint64_t addr, uint64_t length, struct svf_machine *machine)
{
	uint64_t vaddr = map->vaddr + (iova - map->node.first), at, len;

	while (length) {
		if (!machine->port->mm_locate(map->mm, mm, addr, &at, &len) || at != vaddr)
			return false;
		if (len >= length)
			return true;
		length -= len;
		addr += len;
		vaddr += len;
	}
	return true;
}

static int check_same(struct svf_ucmd *ucmd, const struct svf_hwpt *hwpt, struct svf_mm *mm,
		      uint64_t iova, uint64_t length, uint64_t uptr)
{
	const struct svf_port_ops *port = ucmd->call->machine->port;

	while (length) {
		const struct svf_mapping *map =
			svf_iova_space_first(&hwpt->ioas->space, iova, iova);
		struct svf_mm_range range;
		uint64_t piece;

		if (port->mm_check(mm, uptr & ~PAGE_MASK, uptr | PAGE_MASK, false, &range))
			return svf_fail(ucmd->call, -EFAULT, "no memory at address 0x%lx", uptr);
		port->backing_put(range.backing);
		if (!map)
			return svf_fail(ucmd->call, -EINVAL, "IOVA 0x%lx is not mapped", iova);
		piece = map->node.last - iova + 1;
		piece = piece < length ? piece : length;
		if (!svf_test_same_memory(map, iova, mm, uptr, piece, ucmd->call->machine))
			return svf_fail(ucmd->call, -EINVAL,
					"IOVA 0x%lx leads to other memory than address 0x%lx", iova,
					uptr);
		iova += piece;
		uptr += piece;
		length -= piece;
	}
	return 0;
}

static int test_check_map(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	uint64_t iova = cmd->check_map.iova, length = cmd->check_map.length;
	uint64_t uptr = cmd->check_map.uptr, page, end;
	struct svf_machine *machine = ucmd->call->machine;
	struct svf_hwpt *hwpt;
	struct svf_mm *mm;
	int err = 0;

	hwpt = mock_hwpt_lookup(ucmd, cmd->id, &err);
	if (!hwpt)
		return err;
	page = hwpt->domain.page_sizes & -hwpt->domain.page_sizes;
	if (!svf_is_aligned(iova | length | uptr, page) ||
	    __builtin_add_overflow(uptr, length, &end))
		return svf_fail(ucmd->call, -EINVAL, "the range is not of whole pages of 0x%lx",
				page);
	mm = machine->port->mm_get(ucmd->call);
	if (!mm)
		return svf_fail(ucmd->call, -ENOMEM, "the process's address space cannot be had");
	err = check_same(ucmd, hwpt, mm, iova, length, uptr);
	machine->port->mm_put(mm);
	return err;
}

/* Whose pins are looked for: those of a page of a process. */
struct pin_count {
	struct svf_mm *mm;
	uint64_t addr;
	const void *seen[16]; /* what is shared, or the only mapping that there is */
	unsigned int count;
};

static void count_mapping(struct pin_count *pins, const struct svf_ioas *ioas,
			  const struct svf_mapping *map)
{
	const struct svf_port_ops *port = ioas->space.machine->port;
	const void *pages = map->pages ? (const void *)map->pages : map;
	uint64_t first = map->vaddr & ~PAGE_MASK, len, at, iova;
	uint64_t last = (map->vaddr + (map->node.last - map->node.first)) | PAGE_MASK;

	if (!port->mm_locate(map->mm, pins->mm, pins->addr, &at, &len) || at < first || at > last)
		return;
	iova = at > map->vaddr ? map->node.first + (at - map->vaddr) : map->node.first;
	if (!ioas->domains && !svf_ioas_pinned(ioas, iova, iova | PAGE_MASK))
		return;
	for (unsigned int n = 0; n < pins->count; n++)
		if (pins->seen[n] == pages)
			return;
	if (pins->count < SVF_ARRAY_SIZE(pins->seen))
		pins->seen[pins->count++] = pages;
}

static void count_ioas(struct pin_count *pins, const struct svf_ioas *ioas)
{
	struct svf_itree_node *node = svf_itree_first(&ioas->space.tree, 0, UINT64_MAX);

	for (; node; node = svf_itree_next(node))
		count_mapping(pins, ioas, svf_container_of(node, struct svf_mapping, node));
}

static void count_all(struct pin_count *pins, struct svf_machine *machine)
{
	struct svf_ictx *ictx;

	svf_list_for_each(ictx, &machine->contexts, machine_link) {
		for (uint32_t id = 1; id <= ictx->objects.size; id++) {
			struct svf_iobject *object = svf_iobject_lookup(ictx, id, SVF_IOBJECT_IOAS);

			if (object)
				count_ioas(pins, svf_container_of(object, struct svf_ioas, obj));
		}
	}
}

static int check_refs(struct svf_ucmd *ucmd, struct svf_mm *mm, uint64_t addr, uint32_t refs)
{
	struct svf_machine *machine = ucmd->call->machine;
	struct pin_count pins = {.mm = mm, .addr = addr};
	struct svf_mm_range range;

	if (machine->port->mm_check(mm, addr, addr | PAGE_MASK, false, &range))
		return svf_fail(ucmd->call, -EFAULT, "no memory at address 0x%lx", addr);
	machine->port->backing_put(range.backing);
	count_all(&pins, machine);
	if (pins.count != refs)
		return svf_fail(ucmd->call, -EIO, "%u MAPs use the page at 0x%lx, not %u",
				pins.count, addr, refs);
	return 0;
}

static int test_check_refs(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	uint64_t addr = cmd->check_refs.uptr, length = cmd->check_refs.length, end;
	struct svf_machine *machine = ucmd->call->machine;
	struct svf_mm *mm;
	int err = 0;

	if (((addr | length) & PAGE_MASK) || __builtin_add_overflow(addr, length, &end))
		return svf_fail(ucmd->call, -EINVAL, "the range is not of whole pages");
	mm = machine->port->mm_get(ucmd->call);
	if (!mm)
		return svf_fail(ucmd->call, -ENOMEM, "the process's address space cannot be had");
	for (; !err && addr < end; addr += SVF_IOMMU_PAGE_SIZE)
		err = check_refs(ucmd, mm, addr, cmd->check_refs.refs);
	machine->port->mm_put(mm);
	return err;
}

static int test_check_iotlb(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct svf_iobject *object = svf_ucmd_lookup(ucmd, cmd->id, SVF_IOBJECT_HWPT_NESTED);
	const struct svf_hwpt *hwpt;

	if (!object)
		return -ENOENT;
	hwpt = svf_container_of(object, const struct svf_hwpt, obj);
	if (cmd->check_iotlb.id >= SVF_IOTLB_ENTRIES ||
	    hwpt->iotlb[cmd->check_iotlb.id] != cmd->check_iotlb.iotlb)
		return svf_fail(ucmd->call, -EINVAL, "cache entry %u is not 0x%x",
				cmd->check_iotlb.id, cmd->check_iotlb.iotlb);
	return 0;
}

static int test_memory_limit(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;

	if (cmd->memory_limit.limit < MEMORY_LIMIT_MIN)
		return svf_fail(ucmd->call, -EINVAL, "limit %u is below %u",
				cmd->memory_limit.limit, MEMORY_LIMIT_MIN);
	return 0;
}

/* --- writes of devices --- */

static int set_dirty_bits(struct svf_ucmd *ucmd, struct svf_hwpt *hwpt, uint64_t bits)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	uint64_t done = 0, dirty = 0;
	uint8_t bytes[4096];
	int err;

	while (done < bits) {
		uint64_t piece = bits - done < sizeof(bytes) * 8 ? bits - done : sizeof(bytes) * 8;

		err = svf_copy_from_user(ucmd->call, bytes, cmd->dirty.uptr + done / 8,
					 (size_t)((piece + 7) / 8));
		for (uint64_t i = 0; !err && i < piece; i++) {
			if (!(bytes[i / 8] & 1u << i % 8))
				continue;
			svf_hwpt_set_dirty(hwpt,
					   cmd->dirty.iova + (done + i) * cmd->dirty.page_size);
			dirty++;
		}
		if (err)
			return err;
		done += piece;
	}
	cmd->dirty.out_nr_dirty = dirty;
	return svf_ucmd_respond(ucmd, sizeof(*cmd));
}

static int test_dirty(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	uint64_t page = cmd->dirty.page_size;
	struct svf_hwpt *hwpt;
	int err = 0;

	if (!page || !cmd->dirty.length || cmd->dirty.iova % page || cmd->dirty.length % page ||
	    !cmd->dirty.uptr)
		return svf_fail(ucmd->call, -EINVAL, "the range is not of whole pages of 0x%lx",
				page);
	if (cmd->dirty.length / page > DIRTY_BITS_MAX)
		return svf_fail(ucmd->call, -EOVERFLOW, "%lu bits are too many",
				cmd->dirty.length / page);
	hwpt = mock_hwpt_lookup(ucmd, cmd->id, &err);
	if (!hwpt)
		return err;
	if (!svf_hwpt_tracks_dirty(hwpt))
		return svf_fail(ucmd->call, -EINVAL, "HWPT %u does not track dirty pages now",
				cmd->id);
	return set_dirty_bits(ucmd, hwpt, cmd->dirty.length / page);
}

/* --- requests, events and caches of devices --- */

static int test_check_cache(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	const struct svf_idevice *idevice = svf_idevice_lookup(ucmd, cmd->id);

	if (!idevice)
		return -ENOENT;
	if (!idevice->mock || cmd->check_dev_cache.id >= MOCK_DEV_CACHE_NUM ||
	    idevice->mock->cache[cmd->check_dev_cache.id] != cmd->check_dev_cache.cache)
		return svf_fail(ucmd->call, -EINVAL, "cache entry %u of the device is not 0x%x",
				cmd->check_dev_cache.id, cmd->check_dev_cache.cache);
	return 0;
}

/*
 * The attachment that answers for a PASID: its own, or, since the user's own table may know more
 * of them, a nested HWPT without.
 */
static const struct svf_hwpt *fault_handler(const struct svf_igroup *igroup, uint32_t *pasid)
{
	const struct svf_hwpt *hwpt = svf_igroup_hwpt(igroup, *pasid);

	if (hwpt || *pasid == SVF_NO_PASID)
		return hwpt;
	*pasid = SVF_NO_PASID;
	return igroup->hwpt && igroup->hwpt->parent ? igroup->hwpt : NULL;
}

static int test_trigger_iopf(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	const struct svf_idevice *idevice = svf_idevice_lookup(ucmd, cmd->trigger_iopf.dev_id);
	uint32_t handle_pasid = cmd->trigger_iopf.pasid;
	const struct svf_page_request request = {
		.dev_id = cmd->trigger_iopf.dev_id,
		.pasid = cmd->trigger_iopf.pasid,
		.grpid = cmd->trigger_iopf.grpid,
		.perm = cmd->trigger_iopf.perm,
		.addr = cmd->trigger_iopf.addr,
		.pasid_valid = cmd->trigger_iopf.pasid != SVF_NO_PASID,
	};
	const struct svf_hwpt *hwpt;

	if (!idevice)
		return -ENOENT;
	if (!idevice->mock)
		return svf_fail(ucmd->call, -EINVAL, "device %u makes no page requests",
				idevice->obj.id);
	hwpt = fault_handler(idevice->igroup, &handle_pasid);
	if (hwpt && hwpt->fault)
		svf_fault_report(hwpt->fault, &request, idevice->igroup, handle_pasid);
	return 0;
}

static int test_trigger_vevent(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	const struct svf_idevice *idevice = svf_idevice_lookup(ucmd, cmd->trigger_vevent.dev_id);
	struct iommu_viommu_event_selftest event;

	if (!idevice)
		return -ENOENT;
	if (!idevice->mock || !idevice->mock->viommu || !idevice->mock->virt_id)
		return svf_fail(ucmd->call, -ENOENT, "device %u is in no vIOMMU", idevice->obj.id);
	event.virt_id = (uint32_t)idevice->mock->virt_id;
	return svf_viommu_report_event(idevice->mock->viommu, ucmd->call,
				       IOMMU_VEVENTQ_TYPE_SELFTEST, &event, sizeof(event));
}

static int (*const operations[])(struct svf_ucmd *ucmd) = {
	[IOMMU_TEST_OP_ADD_RESERVED] = test_add_reserved,
	[IOMMU_TEST_OP_MOCK_DOMAIN] = test_mock_domain,
	[IOMMU_TEST_OP_MD_CHECK_MAP] = test_check_map,
	[IOMMU_TEST_OP_MD_CHECK_REFS] = test_check_refs,
	[IOMMU_TEST_OP_CREATE_ACCESS] = svf_test_create_access,
	[IOMMU_TEST_OP_DESTROY_ACCESS_PAGES] = svf_test_destroy_access_pages,
	[IOMMU_TEST_OP_ACCESS_PAGES] = svf_test_access_pages,
	[IOMMU_TEST_OP_ACCESS_RW] = svf_test_access_rw,
	[IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT] = test_memory_limit,
	[IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE] = test_mock_domain_replace,
	[IOMMU_TEST_OP_ACCESS_REPLACE_IOAS] = svf_test_access_replace,
	[IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS] = test_mock_domain,
	[IOMMU_TEST_OP_DIRTY] = test_dirty,
	[IOMMU_TEST_OP_MD_CHECK_IOTLB] = test_check_iotlb,
	[IOMMU_TEST_OP_TRIGGER_IOPF] = test_trigger_iopf,
	[IOMMU_TEST_OP_DEV_CHECK_CACHE] = test_check_cache,
	[IOMMU_TEST_OP_TRIGGER_VEVENT] = test_trigger_vevent,
	[IOMMU_TEST_OP_PASID_ATTACH] = test_pasid_change,
	[IOMMU_TEST_OP_PASID_REPLACE] = test_pasid_change,
	[IOMMU_TEST_OP_PASID_DETACH] = test_pasid_detach,
	[IOMMU_TEST_OP_PASID_CHECK_HWPT] = test_pasid_check_hwpt,
};

int svf_iommufd_test(struct svf_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;

	if (cmd->op >= SVF_ARRAY_SIZE(operations) || !operations[cmd->op])
		return svf_fail(ucmd->call, -EOPNOTSUPP, "test operation %u is not known", cmd->op);
	return operations[cmd->op](ucmd);
}
