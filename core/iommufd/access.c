/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Accesses to an IOAS without DMA; see access.h.
 *
 * Pinning keeps nothing in place here, no more than a mapping in a domain does (pages.c): the
 * memory is looked at, and the range is kept so that UNMAP can tell who uses it. Ranges are not
 * charged to anybody.
 *
 * The ranges pinned by one access are few, and are found by walking all of them.
 */
#include "core/iommufd/access.h"

#include <assert.h>
#include <errno.h>

#include "base/checked.h"
#include "core/machine.h"

int svf_access_create(struct svf_ictx *ictx, struct svf_call *call,
		      const struct svf_access_ops *ops, void *data, struct svf_access **ret)
{
	struct svf_iobject *object;
	struct svf_access *access;
	int err = svf_iobject_alloc(ictx, call, sizeof(*access), SVF_IOBJECT_ACCESS, &object);

	if (err)
		return err;
	access = svf_container_of(object, struct svf_access, obj);
	access->ictx = ops ? svf_ictx_get(ictx) : ictx;
	access->ops = ops;
	access->data = data;
	access->alignment = !ops || ops->needs_pin_pages ? SVF_IOMMU_PAGE_SIZE : 1;
	svf_list_init(&access->link);
	svf_list_init(&access->pins);
	object->users++;
	svf_iobject_finalize(object);
	*ret = access;
	return 0;
}

void svf_access_fini(struct svf_iobject *object)
{
	struct svf_access *access = svf_container_of(object, struct svf_access, obj);

	if (svf_access_change_ioas(access, NULL, NULL))
		assert(!"letting go of an IOAS failed");
	assert(svf_list_empty(&access->pins));
}

void svf_access_destroy(struct svf_access *access)
{
	struct svf_ictx *ictx;
	bool internal;

	if (!access)
		return;
	ictx = access->ictx;
	internal = !access->ops;
	access->obj.users--;
	svf_iobject_destroy(ictx, &access->obj);
	if (!internal)
		svf_ictx_put(ictx);
}

static void leave(struct svf_access *access)
{
	struct svf_ioas *ioas = access->ioas;

	if (access->ops && access->ops->unmap)
		access->ops->unmap(access, 0, UINT64_MAX);
	svf_list_del(&access->link);
	access->ioas = NULL;
	ioas->obj.users--;
	svf_ioas_relax_alignment(ioas);
}

int svf_access_change_ioas(struct svf_access *access, struct svf_call *call, struct svf_ioas *ioas)
{
	struct svf_ioas *old = access->ioas;
	struct svf_list *accesses = ioas ? &ioas->accesses : NULL;
	int err;

	if (old == ioas)
		return 0;
	if (old)
		svf_list_del(&access->link);
	if (ioas) {
		svf_list_add_tail(accesses, &access->link);
		err = svf_ioas_update_alignment(ioas, call);
		if (err) {
			svf_list_del(&access->link);
			if (old)
				svf_list_add_tail(&old->accesses, &access->link);
			return err;
		}
		svf_list_del(&access->link);
		ioas->obj.users++;
	}
	if (old)
		leave(access);
	access->ioas = ioas;
	if (ioas)
		svf_list_add_tail(accesses, &access->link);
	return 0;
}

static int check_range(const struct svf_access *access, struct svf_call *call, uint64_t iova,
		       uint64_t length, uint64_t *ret_last)
{
	if (!length)
		return svf_fail(call, -EINVAL, "length is 0");
	if (!svf_range_last(iova, length, ret_last))
		return svf_fail(call, -EOVERFLOW, "0x%lx bytes from IOVA 0x%lx pass 2^64", length,
				iova);
	if (!access->ioas)
		return svf_fail(call, -ENOENT, "access %u is attached to no IOAS", access->obj.id);
	return 0;
}

static int find_mapping(const struct svf_access *access, struct svf_call *call, uint64_t iova,
			struct svf_mapping **ret)
{
	struct svf_mapping *map = svf_iova_space_first(&access->ioas->space, iova, iova);

	if (!map)
		return svf_fail(call, -ENOENT, "IOVA 0x%lx of IOAS %u is not mapped", iova,
				access->ioas->obj.id);
	*ret = map;
	return 0;
}

static int check_prot(const struct svf_access *access, struct svf_call *call,
		      const struct svf_mapping *map, bool write)
{
	if (map->prot & (write ? SVF_MAP_WRITE : SVF_MAP_READ))
		return 0;
	return svf_fail(call, -EPERM, "the mapping at IOVA 0x%lx of IOAS %u is not %s",
			map->node.first, access->ioas->obj.id, write ? "writeable" : "readable");
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Where one mapping ends and the next begins there must be the border of a page. */
static bool is_page_aligned(const struct svf_mapping *map, uint64_t iova, uint64_t last)
{
	const uint64_t page = SVF_IOMMU_PAGE_SIZE;

	return svf_is_aligned(map->vaddr + (iova - map->node.first), page) &&
	       (last <= map->node.last ||
		svf_is_aligned(map->vaddr + (map->node.last - map->node.first) + 1, page));
}

static int check_pin(const struct svf_access *access, struct svf_call *call, uint64_t iova,
		     uint64_t last, bool write)
{
	struct svf_machine *machine = access->ioas->space.machine;
	struct svf_mapping *map = NULL;
	uint64_t end;
	int err;

	for (;; iova = end + 1) {
		err = find_mapping(access, call, iova, &map);
		if (err)
			return err;
		if (!is_page_aligned(map, iova, last))
			return svf_fail(
				call, -EINVAL,
				"the memory at IOVA 0x%lx does not begin and end with a page",
				iova);
		end = lower(map->node.last, last);
		err = check_prot(access, call, map, write);
		if (!err)
			err = svf_mapping_check(machine, call, map, iova, end);
		if (err || end == last)
			return err;
	}
}

int svf_access_pin(struct svf_access *access, struct svf_call *call, struct svf_pin *pin,
		   bool write)
{
	int err;

	assert(access->alignment == SVF_IOMMU_PAGE_SIZE);
	if (!access->ioas)
		return svf_fail(call, -ENOENT, "access %u is attached to no IOAS", access->obj.id);
	err = check_pin(access, call, pin->range.first, pin->range.last, write);
	if (!err)
		svf_list_add_tail(&access->pins, &pin->link);
	return err;
}

void svf_access_unpin(struct svf_pin *pin)
{
	svf_list_del(&pin->link);
}

int svf_access_rw(struct svf_access *access, struct svf_call *call, uint64_t iova, void *buf,
		  uint64_t length, bool write)
{
	uint8_t *bytes = buf;
	uint64_t last, piece;
	int err = check_range(access, call, iova, length, &last);

	while (!err && length) {
		struct svf_mapping *map = NULL;

		err = find_mapping(access, call, iova, &map);
		if (!err)
			err = check_prot(access, call, map, write);
		if (err)
			return err;
		piece = lower(map->node.last, last) - iova + 1;
		err = svf_mapping_copy(access->ioas->space.machine, map, iova, bytes, piece, write);
		if (err)
			return svf_fail(call, err, "the memory mapped at IOVA 0x%lx is not there",
					iova);
		iova += piece;
		bytes += piece;
		length -= piece;
	}
	return err;
}

static bool touches(const struct svf_access *access, uint64_t first, uint64_t last)
{
	const struct svf_pin *pin;

	svf_list_for_each(pin, &access->pins, link)
		if (pin->range.first <= last && pin->range.last >= first)
			return true;
	return false;
}

bool svf_ioas_pinned(const struct svf_ioas *ioas, uint64_t first, uint64_t last)
{
	const struct svf_access *access;

	svf_list_for_each(access, &ioas->accesses, link)
		if (touches(access, first, last))
			return true;
	return false;
}

int svf_ioas_check_locked(struct svf_ioas *ioas, struct svf_call *call, uint64_t first,
			  uint64_t last)
{
	const struct svf_access *access;

	svf_list_for_each(access, &ioas->accesses, link)
		if (!access->ops && touches(access, first, last))
			return svf_fail(
				call, -EBUSY,
				"a hardware queue is in the mapping 0x%lx-0x%lx; destroy it "
				"first",
				first, last);
	return 0;
}

void svf_ioas_notify_unmap(struct svf_ioas *ioas, uint64_t first, uint64_t last)
{
	struct svf_access *access;

	svf_list_for_each(access, &ioas->accesses, link)
		if (access->ops && access->ops->unmap && touches(access, first, last))
			access->ops->unmap(access, first, last);
}
