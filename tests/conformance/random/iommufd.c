/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sequences on iommufd. Like those on legacy VFIO they begin with binding some functions, and then
 * each call is the next step towards attached devices and mappings, or an action by weight. About one
 * in five is spoiled: as there, and by sizes and trailing bytes that only iommufd's commands have.
 */
#include "iommufd.h"

#include <stdio.h>
#include <string.h>

#include "uapi/iommufd_test.h"
#include "uapi/vfio.h"

bool command(struct op *op, uint32_t nr, unsigned slot, uint32_t size)
{
	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, nr, CLASS_IOMMUFD, slot);
	put32(op, size);
	return true;
}

unsigned pick_iommufd(struct iommufd *x)
{
	return pick_slot(&x->g, CLASS_IOMMUFD, NULL);
}

const struct object *ictx_of(const struct iommufd *x, unsigned slot)
{
	return x->g.model.slots[slot];
}

unsigned pick_variable(struct iommufd *x, enum kind kind, const struct object *ictx)
{
	unsigned i, at, start = below(&x->g, NR_IDS);

	for (i = 0; i < NR_IDS; i++) {
		at = (start + i) % NR_IDS;
		if (x->variables[at].kind != KIND_NONE &&
		    (kind == KIND_ANY || x->variables[at].kind == kind) &&
		    (ictx == NULL || x->variables[at].ictx == ictx))
			return at;
	}
	return NO_VARIABLE;
}

void put_id(struct iommufd *x, struct op *op, unsigned variable)
{
	static const uint32_t odd[] = {0, 1, 2, 3, 99, 0x7fffffff, 0x80000000, 0xffffffff};

	if (variable == NO_VARIABLE || chance(&x->g, 3))
		put32(op, ONE_OF(&x->g, odd));
	else
		put_fixup(op, FIX_ID, variable, 0);
}

void put_object(struct iommufd *x, struct op *op, enum kind kind, const struct object *ictx)
{
	if (chance(&x->g, 4))
		put_id(x, op, pick_variable(x, KIND_ANY, chance(&x->g, 70) ? ictx : NULL));
	else
		put_id(x, op, pick_variable(x, kind, ictx));
}

void keep_id(struct iommufd *x, struct op *op, unsigned offset)
{
	unsigned i;

	for (i = 0; i < NR_IDS && x->variables[i].kind != KIND_NONE; i++)
		;
	if (i == NR_IDS)
		i = below(&x->g, NR_IDS);
	op->keep = (struct keep){false, offset, i};
}

void keep_also(struct iommufd *x, struct op *op, unsigned n, unsigned offset)
{
	op->also[n] = (struct keep){false, offset, below(&x->g, NR_IDS)};
}

struct variable *variable_at(struct iommufd *x, const struct op *op, unsigned offset)
{
	unsigned i;

	for (i = 0; i < op->nr_fixups; i++)
		if (op->fixups[i].offset == offset && op->fixups[i].fix == FIX_ID)
			return &x->variables[op->fixups[i].value];
	return NULL;
}

/* Spoiling */

/* A structure of another size, its length as it says or not; behind the known there are zeroes or not. */
static void spoil_size(struct generator *g, struct op *op)
{
	static const uint32_t odd[] = {0, 1, 4, 7, 8, 12, 16, 4096, 0xffffffff};
	static const uint32_t more[] = {1, 4, 4, 8, 8, 16, 64, 200};
	uint32_t size, by;

	memcpy(&size, op->bytes, 4);
	if (chance(g, 30)) {
		size = ONE_OF(g, odd);
	} else if (chance(g, 35)) {
		size -= 1 + below(g, size > 24 ? 16 : 4);
	} else {
		by = ONE_OF(g, more);
		memset(op->bytes + op->len, 0, by);
		if (chance(g, 35))
			op->bytes[op->len + below(g, by)] = (uint8_t)(1 + below(g, 255));
		op->len += by;
		size += by;
	}
	memcpy(op->bytes, &size, 4);
}

static void spoil_ioctl(struct generator *g, struct op *op)
{
	uint32_t way = below(g, 100);

	if (op->command->fields == NULL || op->len < 4)
		op->slot = chance(g, 75) ? any_slot(g) : below(g, NR_SLOTS);
	else if (way < 12)
		op->slot = chance(g, 75) ? any_slot(g) : below(g, NR_SLOTS);
	else if (way < 35)
		op->place = (enum place)(1 + below(g, NR_PLACES - 1));
	else if (way < 65)
		spoil_size(g, op);
	else
		spoil_number(g, op);
}

static bool spoil(struct generator *g, struct op *op)
{
	if (op->kind != OP_IOCTL)
		return false;
	spoil_ioctl(g, op);
	return true;
}

/* A container's mapping with neither READ nor WRITE gets past Linux's checks, to a warning behind them. */
static void keep_access(struct op *op)
{
	if (op->kind == OP_IOCTL && op->command->nr == VFIO_IOMMU_MAP_DMA && op->len > 4 &&
	    (op->bytes[4] & 3) == 0)
		op->bytes[4] |= VFIO_DMA_MAP_FLAG_READ;
}

/* What calls do */

void new_object(struct iommufd *x, const struct op *op, const struct keep *keep, enum kind kind)
{
	if (keep->offset != 0 && !keep->is_iova)
		x->variables[keep->variable] =
			(struct variable){.kind = kind, .ictx = x->g.model.slots[op->slot]};
}

static void apply_destroy(struct iommufd *x, const struct op *op)
{
	struct variable *variable = variable_at(x, op, 4);

	if (variable != NULL && variable->users == 0 && variable->kind != KIND_DEVICE)
		variable->kind = KIND_NONE;
}

static void apply_command(struct iommufd *x, const struct op *op)
{
	switch (op->command->nr) {
	case IOMMU_DESTROY:
		apply_destroy(x, op);
		break;
	case IOMMU_IOAS_ALLOC:
		new_object(x, op, &op->keep, KIND_IOAS);
		break;
	case IOMMU_HWPT_ALLOC:
		new_object(x, op, &op->keep, KIND_HWPT);
		break;
	case IOMMU_FAULT_QUEUE_ALLOC:
		new_object(x, op, &op->keep, KIND_FAULT);
		model_open(&x->g.model, op->slot2, CLASS_QUEUE, NO_SITE);
		break;
	case IOMMU_VIOMMU_ALLOC:
		new_object(x, op, &op->keep, KIND_VIOMMU);
		break;
	case IOMMU_VEVENTQ_ALLOC:
		if (op->fd_offset != 0)
			model_open(&x->g.model, op->slot2, CLASS_QUEUE, NO_SITE);
		break;
	case IOMMU_TEST_CMD:
		tests_apply(x, op);
		break;
	case IOMMU_VFIO_IOAS:
		if (op->bytes[8] != IOMMU_VFIO_IOAS_GET && x->g.model.slots[op->slot] != NULL)
			x->g.model.slots[op->slot]->iommu = op->bytes[8] == IOMMU_VFIO_IOAS_SET;
		break;
	default:
		maps_apply(x, op);
		break;
	}
}

/* An iommufd that is a group's container has an IOAS for it from then on. */
static void apply_group(struct iommufd *x, const struct op *op)
{
	struct object *ictx;

	apply_op(&x->g.model, op);
	if (op->command->nr != VFIO_GROUP_SET_CONTAINER || op->nr_fixups == 0)
		return;
	ictx = x->g.model.slots[op->fixups[0].value];
	if (ictx != NULL && ictx->class == CLASS_IOMMUFD)
		ictx->iommu = VFIO_TYPE1v2_IOMMU;
}

static void apply(struct iommufd *x, const struct op *op)
{
	if (op->kind != OP_IOCTL)
		apply_op(&x->g.model, op);
	else if (op->command->on == CLASS_IOMMUFD)
		apply_command(x, op);
	else if (op->command->on == CLASS_CDEV)
		devices_apply(x, op);
	else if (op->command->on == CLASS_GROUP)
		apply_group(x, op);
}

/* The sequence */

static void accept(struct iommufd *x, struct op *op, bool works)
{
	if (works)
		apply(x, op);
	x->g.seq->nr_ops++;
}

static void bind(struct iommufd *x, int site, const char *driver)
{
	struct op *op = next_op(&x->g);

	x->g.seq->touched[site] = true;
	op->kind = OP_BIND;
	op->site = site;
	snprintf(op->text, sizeof(op->text), "%s", driver);
	accept(x, op, true);
}

/* One device alone, or with others in its group. */
static void bind_some(struct iommufd *x)
{
	struct generator *g = &x->g;

	if (chance(g, 45))
		bind(x, SITE_EDU, "vfio-pci");
	if (chance(g, 45))
		bind(x, SITE_PF, "vfio-pci");
	if (chance(g, 30)) {
		bind(x, SITE_BRIDGE, "pci-stub");
		bind(x, SITE_CONV0, "vfio-pci");
		bind(x, SITE_CONV1, "vfio-pci");
	}
	if (chance(g, 40) || g->seq->nr_ops == 0) {
		bind(x, SITE_MULTI0, "vfio-pci");
		bind(x, SITE_MULTI1, chance(g, 90) ? "vfio-pci" : "e1000e");
	}
}

static bool make_action(struct iommufd *x, struct op *op)
{
	static const struct {
		uint32_t weight;
		const struct iommufd_action *actions;
		const size_t *nr;
	} kinds[] = {
		{35, iommufd_objects, &nr_iommufd_objects},
		{40, iommufd_maps, &nr_iommufd_maps},
		{25, iommufd_devices, &nr_iommufd_devices},
		{0, iommufd_tests, &nr_iommufd_tests},
	};
	uint32_t at = below(&x->g, 100), total = 0;
	size_t kind, i;

	for (kind = 0; at >= kinds[kind].weight; kind++)
		at -= kinds[kind].weight;
	if (x->test && kinds[kind].actions == iommufd_devices)
		kind++;
	for (i = 0; i < *kinds[kind].nr; i++)
		total += kinds[kind].actions[i].weight;
	at = below(&x->g, total);
	for (i = 0; at >= kinds[kind].actions[i].weight; i++)
		at -= kinds[kind].actions[i].weight;
	return kinds[kind].actions[i].make(x, op);
}

void iommufd_generate(struct sequence *seq, uint64_t seed)
{
	static struct iommufd x;
	unsigned nr;

	classes = seed >= TEST_SEEDS ? test_classes : iommufd_classes;
	memset(&x, 0, sizeof(x));
	memset(seq, 0, sizeof(*seq));
	x.g.state = seed * 0x2545f4914f6cdd1du + 1;
	x.g.seq = seq;
	model_init(&x.g.model);
	nr = 30 + below(&x.g, 31);
	x.groups = chance(&x.g, 20);
	x.test = seed >= TEST_SEEDS;
	if (!x.test)
		bind_some(&x);
	while (seq->nr_ops < nr) {
		struct op *op = next_op(&x.g);
		bool made = chance(&x.g, 35) && (x.test ? test_progress : iommufd_progress)(&x, op),
		     spoiled;

		if (!made) {
			op = next_op(&x.g);
			made = make_action(&x, op);
		}
		if (!made)
			continue;
		spoiled = chance(&x.g, 20) && spoil(&x.g, op);
		keep_access(op);
		accept(&x, op, !spoiled);
	}
}
