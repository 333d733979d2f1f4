/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls on an iommufd that make and end objects, HWPTs above all, and on the queues that are files. */
#include "iommufd.h"

#include <string.h>

#include "uapi/iommufd_test.h"

static uint32_t any_flags(struct generator *g, uint32_t percent)
{
	return chance(g, percent) ? 1u << below(g, 5) : 0;
}

static bool make_ioas(struct iommufd *x, struct op *op)
{
	if (!command(op, IOMMU_IOAS_ALLOC, pick_iommufd(x), sizeof(struct iommu_ioas_alloc)))
		return false;
	put32(op, any_flags(&x->g, 2));
	put32(op, 0);
	keep_id(x, op, 8);
	return true;
}

static bool make_destroy(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_DESTROY, slot, sizeof(struct iommu_destroy)))
		return false;
	put_id(x, op, pick_variable(x, KIND_ANY, chance(&x->g, 90) ? ictx_of(x, slot) : NULL));
	return true;
}

/* A device, and the iommufd that it is bound to. */
static unsigned pick_device(struct iommufd *x, unsigned slot)
{
	return pick_variable(x, KIND_DEVICE, ictx_of(x, slot));
}

static bool make_hwpt(struct iommufd *x, struct op *op)
{
	static const uint32_t flags[] = {1, 2, 4, 8, 3, 5, 16, 9};
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x), device;
	const struct object *ictx;
	bool nested;

	if (slot == NO_SLOT)
		return false;
	ictx = ictx_of(x, slot);
	device = pick_device(x, slot);
	if (device == NO_VARIABLE && chance(g, 85))
		return false;
	command(op, IOMMU_HWPT_ALLOC, slot, sizeof(struct iommu_hwpt_alloc));
	nested = x->test && chance(g, 35);
	put32(op, chance(g, x->test && !nested ? 40 : 80) ? 0 : ONE_OF(g, flags));
	put_id(x, op, device);
	if (nested)
		put_object(x, op, chance(g, 60) ? KIND_HWPT : KIND_VIOMMU, ictx);
	else
		put_object(x, op, chance(g, 88) ? KIND_IOAS : KIND_HWPT, ictx);
	put32(op, 0);
	put32(op, chance(g, 2) ? 1 : 0);
	put32(op, nested ? IOMMU_HWPT_DATA_SELFTEST : chance(g, 6) ? below(g, 4) : 0);
	put32(op, nested ? 8 : chance(g, 6) ? 8 * below(g, 5) : 0);
	put_memory(op, MEMORY_BITMAP);
	op->nr_aux = nested ? 16 : 0;
	put_object(x, op, KIND_FAULT, ictx);
	put32(op, 0);
	keep_id(x, op, 16);
	return true;
}

static bool make_hw_info(struct iommufd *x, struct op *op)
{
	static const uint32_t lengths[] = {0, 4, 8, 16, 24, 24, 24, 32, 64, 200};
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_GET_HW_INFO, slot, sizeof(struct iommu_hw_info)))
		return false;
	put32(op, any_flags(g, 10));
	put_id(x, op, pick_device(x, slot));
	put32(op, ONE_OF(g, lengths));
	put_memory(op, chance(g, 92) ? MEMORY_BITMAP : (MEMORY_PAGES + 2) * PAGE);
	put32(op, chance(g, 15) ? below(g, 4) : 0);
	put32(op, chance(g, 4) ? 1u << below(g, 32) : 0);
	put64(op, 0);
	return true;
}

static bool make_set_dirty(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_HWPT_SET_DIRTY_TRACKING, slot,
		     sizeof(struct iommu_hwpt_set_dirty_tracking)))
		return false;
	put32(op, chance(&x->g, 92) ? below(&x->g, 2) : below(&x->g, 8));
	put_object(x, op, KIND_HWPT, ictx_of(x, slot));
	put32(op, 0);
	return true;
}

static bool make_get_dirty(struct iommufd *x, struct op *op)
{
	static const uint64_t pages[] = {4096, 4096, 4096, 0, 1, 2048, 8192, 3000, 1ull << 40};
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_HWPT_GET_DIRTY_BITMAP, slot,
		     sizeof(struct iommu_hwpt_get_dirty_bitmap)))
		return false;
	put_object(x, op, KIND_HWPT, ictx_of(x, slot));
	put32(op, chance(g, 90) ? below(g, 2) : below(g, 8));
	put32(op, chance(g, 2) ? 1 : 0);
	put64(op, 0x10000000 + (uint64_t)below(g, 8) * PAGE);
	put64(op, (uint64_t)below(g, 8) * PAGE);
	put64(op, ONE_OF(g, pages));
	put_memory(op, MEMORY_BITMAP);
	return true;
}

static bool make_invalidate(struct iommufd *x, struct op *op)
{
	static const enum kind kinds[] = {KIND_HWPT, KIND_HWPT, KIND_ANY};
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_HWPT_INVALIDATE, slot, sizeof(struct iommu_hwpt_invalidate)))
		return false;
	put_object(x, op, ONE_OF(g, kinds), ictx_of(x, slot));
	if (chance(g, 90))
		put_memory(op, MEMORY_BITMAP);
	else
		put64(op, 0);
	put32(op, x->test && chance(g, 85) ? IOMMU_HWPT_INVALIDATE_DATA_SELFTEST : below(g, 3));
	put32(op, x->test ? 8 + 4 * below(g, 2) : 8 * below(g, 5));
	put32(op, below(g, 4));
	put32(op, chance(g, 3) ? 1 : 0);
	if (x->test) {
		op->nr_aux = 36;
		for (unsigned i = 0; i < 36; i += 4)
			op->aux[i] = (uint8_t)below(g, chance(g, 90) ? 2 : 6);
	}
	return true;
}

static bool make_fault(struct iommufd *x, struct op *op)
{
	if (!command(op, IOMMU_FAULT_QUEUE_ALLOC, pick_iommufd(x),
		     sizeof(struct iommu_fault_alloc)))
		return false;
	put32(op, any_flags(&x->g, 3));
	put32(op, 0);
	put32(op, 0);
	keep_id(x, op, 8);
	op->slot2 = model_free_slot(&x->g.model, CLASS_QUEUE);
	op->fd_offset = 12;
	return true;
}

static bool make_viommu(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_VIOMMU_ALLOC, slot, sizeof(struct iommu_viommu_alloc)))
		return false;
	put32(op, any_flags(g, 4));
	put32(op, x->test && chance(g, 90) ? IOMMU_VIOMMU_TYPE_SELFTEST : below(g, 4));
	put_id(x, op, pick_device(x, slot));
	put_object(x, op, KIND_HWPT, ictx_of(x, slot));
	put32(op, 0);
	put32(op, chance(g, 10) ? 8 : 0);
	put32(op, 0);
	put_memory(op, MEMORY_BITMAP);
	if (x->test)
		keep_id(x, op, 20);
	return true;
}

static bool make_vdevice(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_VDEVICE_ALLOC, slot, sizeof(struct iommu_vdevice_alloc)))
		return false;
	put_object(x, op, x->test ? KIND_VIOMMU : KIND_ANY, ictx_of(x, slot));
	put_id(x, op, pick_device(x, slot));
	put32(op, 0);
	put64(op, below(&x->g, 4));
	return true;
}

static bool make_veventq(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_VEVENTQ_ALLOC, slot, sizeof(struct iommu_veventq_alloc)))
		return false;
	put32(op, any_flags(g, 4));
	put_object(x, op, x->test ? KIND_VIOMMU : KIND_ANY, ictx_of(x, slot));
	put32(op, x->test && chance(g, 90) ? IOMMU_VEVENTQ_TYPE_SELFTEST : below(g, 3));
	put32(op, below(g, 3));
	put32(op, 0);
	put32(op, 0);
	put32(op, chance(g, 4) ? 1 : 0);
	if (x->test) {
		op->slot2 = model_free_slot(&g->model, CLASS_QUEUE);
		op->fd_offset = 24;
	}
	return true;
}

static bool make_hw_queue(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_HW_QUEUE_ALLOC, slot, sizeof(struct iommu_hw_queue_alloc)))
		return false;
	put32(op, any_flags(g, 4));
	put_object(x, op, x->test ? KIND_VIOMMU : KIND_ANY, ictx_of(x, slot));
	put32(op, x->test && chance(g, 90) ? IOMMU_HW_QUEUE_TYPE_SELFTEST : below(g, 3));
	put32(op, below(g, 3));
	put32(op, 0);
	put64(op, 0x10000000);
	put64(op, (uint64_t)below(g, 3) * PAGE);
	return true;
}

static bool make_option(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);
	bool rlimit = chance(g, 30);

	if (!command(op, IOMMU_OPTION, slot, sizeof(struct iommu_option)))
		return false;
	put32(op, chance(g, 96) ? !rlimit : below(g, 5));
	put32(op, chance(g, 94) ? below(g, 2) : 1u << below(g, 18));
	if (rlimit && chance(g, 95))
		put32(op, 0);
	else
		put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	put64(op, chance(g, 92) ? below(g, 2) : below(g, 4));
	return true;
}

static bool make_vfio_ioas(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_iommufd(x);

	if (!command(op, IOMMU_VFIO_IOAS, slot, sizeof(struct iommu_vfio_ioas)))
		return false;
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	put32(op, chance(g, 60) ? 1 : chance(g, 92) ? below(g, 3) : 1u << below(g, 18));
	return true;
}

static bool make_queue_io(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;
	unsigned slot = pick_slot(g, CLASS_QUEUE, NULL);

	if (slot == NO_SLOT)
		return false;
	op->slot = slot;
	op->kind = chance(g, 30) ? OP_POLL : chance(g, 50) ? OP_READ : OP_WRITE;
	op->len = chance(g, 70) ? 8 * (1 + below(g, 10)) : 1 + below(g, 100);
	op->value = chance(g, 5);
	memset(op->bytes, (int)below(g, 2), op->len);
	return true;
}

const struct iommufd_action iommufd_objects[] = {
	{9, make_ioas},	     {7, make_destroy},	  {10, make_hwpt},	{5, make_hw_info},
	{2, make_set_dirty}, {2, make_get_dirty}, {2, make_invalidate}, {3, make_fault},
	{2, make_viommu},    {1, make_vdevice},	  {1, make_veventq},	{1, make_hw_queue},
	{7, make_option},    {5, make_vfio_ioas}, {6, make_queue_io},
};
const size_t nr_iommufd_objects = ARRAY_SIZE(iommufd_objects);
