/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of the test command: mock devices, what they and their page tables are asked, and accesses. */
#include "iommufd.h"

#include <string.h>

#include "uapi/iommufd_test.h"

/* The command's head; id comes next, 12 bytes in all with what is reserved, and then the operation's part. */
static bool test_command(struct iommufd *x, struct op *op, unsigned slot, uint32_t test_op)
{
	if (!command(op, IOMMU_TEST_CMD, slot, sizeof(struct iommu_test_cmd)))
		return false;
	put32(op, test_op);
	(void)x;
	return true;
}

/* What is left of the structure. */
static bool finish(struct op *op)
{
	while (op->len < sizeof(struct iommu_test_cmd))
		put32(op, 0);
	return true;
}

static uint64_t any_page(struct generator *g)
{
	return 0x10000000 + (uint64_t)below(g, 24) * PAGE;
}

static bool make_device(struct iommufd *x, struct op *op)
{
	static const uint32_t flags[] = {0, 0, 1, 4, 4, 4, 5, 2, 8};
	unsigned slot = pick_iommufd(x);
	bool plain = chance(&x->g, 30);

	if (!test_command(x, op, slot,
			  plain ? IOMMU_TEST_OP_MOCK_DOMAIN : IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS))
		return false;
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	put32(op, 0);
	put64(op, 0);
	put32(op, 0);
	put32(op, plain ? 0 : ONE_OF(&x->g, flags));
	keep_id(x, op, 24);
	keep_also(x, op, 0, 16);
	keep_also(x, op, 1, 20);
	return finish(op);
}

static bool make_replace(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot, IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE))
		return false;
	put_object(x, op, KIND_MOCK, ictx_of(x, slot));
	put32(op, 0);
	put_object(x, op, chance(&x->g, 60) ? KIND_HWPT : KIND_IOAS, ictx_of(x, slot));
	return finish(op);
}

static bool make_pasid(struct iommufd *x, struct op *op)
{
	static const uint32_t ops[] = {IOMMU_TEST_OP_PASID_ATTACH, IOMMU_TEST_OP_PASID_ATTACH,
				       IOMMU_TEST_OP_PASID_REPLACE, IOMMU_TEST_OP_PASID_DETACH,
				       IOMMU_TEST_OP_PASID_CHECK_HWPT};
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot, ONE_OF(&x->g, ops)))
		return false;
	put_object(x, op, KIND_MOCK, ictx_of(x, slot));
	put32(op, 0);
	put32(op, chance(&x->g, 90) ? 1 + below(&x->g, 2) : chance(&x->g, 50) ? 1024 : 1u << 20);
	put_object(x, op, chance(&x->g, 80) ? KIND_HWPT : KIND_IOAS, ictx_of(x, slot));
	return finish(op);
}

static bool make_check(struct iommufd *x, struct op *op)
{
	static const uint32_t ops[] = {IOMMU_TEST_OP_MD_CHECK_IOTLB, IOMMU_TEST_OP_DEV_CHECK_CACHE};
	uint32_t which = below(&x->g, 2);
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot, ops[which]))
		return false;
	put_object(x, op, which ? KIND_DEVICE : KIND_HWPT, ictx_of(x, slot));
	put32(op, 0);
	put32(op, below(&x->g, 5));
	put32(op, chance(&x->g, 60) ? IOMMU_TEST_DEV_CACHE_DEFAULT : 0);
	return finish(op);
}

static bool make_check_map(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot, IOMMU_TEST_OP_MD_CHECK_MAP))
		return false;
	put_object(x, op, KIND_HWPT, ictx_of(x, slot));
	put32(op, 0);
	put64(op, any_page(&x->g));
	put64(op, (uint64_t)(1 + below(&x->g, 2)) * PAGE);
	put_memory(op, (uint64_t)below(&x->g, 24) * PAGE);
	return finish(op);
}

static bool make_dirty(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot, IOMMU_TEST_OP_DIRTY))
		return false;
	put_object(x, op, KIND_HWPT, ictx_of(x, slot));
	put32(op, 0);
	put64(op, 0);
	put64(op, any_page(&x->g));
	put64(op, (uint64_t)below(&x->g, 8) * PAGE);
	put64(op, chance(&x->g, 90) ? PAGE : 2048);
	put_memory(op, MEMORY_BITMAP);
	memset(op->aux, 0, 16);
	op->aux[0] = (uint8_t)below(&x->g, 256);
	op->nr_aux = 16;
	return finish(op);
}

static bool make_fault(struct iommufd *x, struct op *op)
{
	bool event = chance(&x->g, 40);
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot,
			  event ? IOMMU_TEST_OP_TRIGGER_VEVENT : IOMMU_TEST_OP_TRIGGER_IOPF))
		return false;
	put32(op, 0);
	put32(op, 0);
	put_object(x, op, KIND_DEVICE, ictx_of(x, slot));
	if (!event) {
		put32(op, below(&x->g, 3));
		put32(op, below(&x->g, 3));
		put32(op, below(&x->g, 8));
		put64(op, any_page(&x->g));
	}
	return finish(op);
}

static bool make_reserved(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot, IOMMU_TEST_OP_ADD_RESERVED))
		return false;
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	put32(op, 0);
	put64(op, any_page(&x->g));
	put64(op, (uint64_t)(1 + below(&x->g, 2)) * PAGE);
	return finish(op);
}

/* Accesses */

static bool make_access(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot, IOMMU_TEST_OP_CREATE_ACCESS))
		return false;
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	put32(op, 0);
	put32(op, 0);
	put32(op, below(&x->g, 2));
	op->slot2 = model_free_slot(&x->g.model, CLASS_ACCESS);
	op->fd_offset = 16;
	return finish(op);
}

static bool put_access(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_slot(&x->g, CLASS_ACCESS, NULL);

	if (slot == NO_SLOT)
		return false;
	put_fd(op, slot);
	put32(op, 0);
	return true;
}

static bool make_access_rw(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;

	if (!test_command(x, op, pick_iommufd(x), IOMMU_TEST_OP_ACCESS_RW) || !put_access(x, op))
		return false;
	put64(op, any_page(g) + (chance(g, 30) ? below(g, PAGE) : 0));
	put64(op, 1 + below(g, 256));
	put_memory(op, MEMORY_BITMAP);
	put32(op, chance(g, 50) ? MOCK_ACCESS_RW_WRITE : 0);
	return finish(op);
}

static bool make_access_pages(struct iommufd *x, struct op *op)
{
	struct generator *g = &x->g;

	if (!test_command(x, op, pick_iommufd(x), IOMMU_TEST_OP_ACCESS_PAGES) || !put_access(x, op))
		return false;
	put32(op, below(g, 2));
	put32(op, 0);
	put64(op, any_page(g));
	put64(op, (uint64_t)(1 + below(g, 3)) * PAGE);
	put_memory(op, (uint64_t)below(g, 24) * PAGE);
	return finish(op);
}

static bool make_access_let_go(struct iommufd *x, struct op *op)
{
	if (!test_command(x, op, pick_iommufd(x), IOMMU_TEST_OP_DESTROY_ACCESS_PAGES) ||
	    !put_access(x, op))
		return false;
	put32(op, 1 + below(&x->g, 4));
	return finish(op);
}

static bool make_access_replace(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (!test_command(x, op, slot, IOMMU_TEST_OP_ACCESS_REPLACE_IOAS) || !put_access(x, op))
		return false;
	put_object(x, op, KIND_IOAS, ictx_of(x, slot));
	return finish(op);
}

/* Files, as with functions. */
static bool make_file(struct iommufd *x, struct op *op)
{
	op->kind = chance(&x->g, 60) ? OP_CLOSE : OP_DUP;
	op->slot = any_slot(&x->g);
	if (x->g.model.slots[op->slot] == NULL)
		return false;
	op->slot2 = op->kind == OP_DUP ? model_free_slot(&x->g.model, slot_class(op->slot)) : 0;
	return op->kind == OP_CLOSE || x->g.model.slots[op->slot2] == NULL;
}

static bool open_iommufd(struct iommufd *x, struct op *op)
{
	op->kind = OP_OPEN;
	op->slot = model_free_slot(&x->g.model, CLASS_IOMMUFD);
	return x->g.model.slots[op->slot] == NULL;
}

bool test_progress(struct iommufd *x, struct op *op)
{
	unsigned slot = pick_iommufd(x);

	if (slot == NO_SLOT)
		return open_iommufd(x, op);
	if (pick_variable(x, KIND_IOAS, ictx_of(x, slot)) == NO_VARIABLE) {
		command(op, IOMMU_IOAS_ALLOC, slot, sizeof(struct iommu_ioas_alloc));
		put64(op, 0);
		keep_id(x, op, 8);
		return true;
	}
	return pick_variable(x, KIND_DEVICE, ictx_of(x, slot)) == NO_VARIABLE && make_device(x, op);
}

const struct iommufd_action iommufd_tests[] = {
	{4, make_file},		{1, open_iommufd},	 {10, make_device},
	{6, make_replace},	{6, make_pasid},	 {3, make_check},
	{4, make_check_map},	{3, make_dirty},	 {6, make_fault},
	{1, make_reserved},	{5, make_access},	 {5, make_access_rw},
	{6, make_access_pages}, {3, make_access_let_go}, {2, make_access_replace},
};
const size_t nr_iommufd_tests = ARRAY_SIZE(iommufd_tests);

void tests_apply(struct iommufd *x, const struct op *op)
{
	static const enum kind kinds[] = {KIND_MOCK, KIND_HWPT};
	uint32_t test_op;
	unsigned i;

	memcpy(&test_op, op->bytes + 4, 4);
	if (test_op == IOMMU_TEST_OP_CREATE_ACCESS)
		model_open(&x->g.model, op->slot2, CLASS_ACCESS, NO_SITE);
	if (test_op != IOMMU_TEST_OP_MOCK_DOMAIN && test_op != IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS)
		return;
	new_object(x, op, &op->keep, KIND_DEVICE);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		new_object(x, op, &op->also[i], kinds[i]);
}
