/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sequence of a seed. It begins with binding some functions of one or two corners of the
 * machine; then each call is the next step to an open device, or an action by weight among those
 * that the model has something for. About one in five is spoiled: another file, a number
 * that is extreme or off by one, an argument that cannot be read or written.
 */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/vfio.h"

uint32_t below(struct generator *g, uint32_t n)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (uint32_t)((z >> 32) * n >> 32);
}

bool chance(struct generator *g, uint32_t percent)
{
	return below(g, 100) < percent;
}

unsigned pick_slot(struct generator *g, enum class class, bool (*wanted)(const struct object *))
{
	const struct class_info *info = &classes[class];
	unsigned i, slot, start = below(g, info->count);

	for (i = 0; i < info->count; i++) {
		slot = info->first + (start + i) % info->count;
		if (g->model.slots[slot] != NULL &&
		    (wanted == NULL || wanted(g->model.slots[slot])))
			return slot;
	}
	return NO_SLOT;
}

int pick_site(struct generator *g, bool (*wanted)(const struct generator *g, int site))
{
	unsigned i, start = below(g, NR_SITES), site;

	for (i = 0; i < NR_SITES; i++) {
		site = (start + i) % NR_SITES;
		if (g->seq->touched[site] && (wanted == NULL || wanted(g, (int)site)))
			return (int)site;
	}
	return NO_SITE;
}

unsigned any_slot(struct generator *g)
{
	unsigned i, slot = NO_SLOT;

	for (i = 0; i < 8 && (slot == NO_SLOT || g->model.slots[slot] == NULL); i++)
		slot = below(g, NR_SLOTS - 1);
	return slot;
}

void op_ioctl(struct op *op, uint32_t nr, enum class on, unsigned slot)
{
	op->kind = OP_IOCTL;
	op->slot = slot;
	op->command = command_find(nr, on);
	if (op->command == NULL)
		abort();
}

void put32(struct op *op, uint32_t value)
{
	memcpy(op->bytes + op->len, &value, 4);
	op->len += 4;
}

void put64(struct op *op, uint64_t value)
{
	memcpy(op->bytes + op->len, &value, 8);
	op->len += 8;
}

unsigned fixup_width(enum fix fix)
{
	return fix == FIX_FD || fix == FIX_ID ? 4 : 8;
}

void put_fixup(struct op *op, enum fix fix, uint64_t value, uint64_t add)
{
	op->fixups[op->nr_fixups++] = (struct fixup){op->len, fix, value, add};
	op->len += fixup_width(fix);
}

void put_fd(struct op *op, unsigned slot)
{
	put_fixup(op, FIX_FD, slot, 0);
}

void put_memory(struct op *op, uint64_t offset)
{
	put_fixup(op, FIX_MEMORY, offset, 0);
}

uint32_t any_argsz(struct generator *g, uint32_t size)
{
	static const uint32_t odd[] = {0, 4, 8, 12, 16, 20, 100, 0x10000, 0xffffffff};

	if (chance(g, 94))
		return size;
	return chance(g, 50) ? size - 1 + 2 * below(g, 2) : ONE_OF(g, odd);
}

/* Spoiling */

void spoil_number(struct generator *g, struct op *op)
{
	static const uint64_t extremes[] = {0,		 1,	     0x7fffffff,    0x80000000,
					    0xffffffff,	 0xfffffffe, 1ull << 63,    ~0ull,
					    0x100000000, 4095,	     0xffffffffffff};
	uint64_t number = ONE_OF(g, extremes);
	unsigned at, width, i;

	if (op->command->fields == NULL || op->len < 4) {
		op->value = number;
		return;
	}
	at = below(g, op->len / 4) * 4;
	for (i = 0; i < op->nr_fixups; i++)
		if (at >= op->fixups[i].offset &&
		    at < op->fixups[i].offset + fixup_width(op->fixups[i].fix))
			return;
	width = at % 8 == 0 && at + 8 <= op->len && chance(g, 40) ? 8 : 4;
	if (chance(g, 50)) {
		memcpy(&number, op->bytes + at, width);
		number = chance(g, 50) ? number ^ 1ull << below(g, 32) : number + below(g, 3) - 1;
	}
	memcpy(op->bytes + at, &number, width);
}

static void spoil_ioctl(struct generator *g, struct op *op)
{
	uint32_t way = below(g, 100);

	if (way < 30)
		op->slot = chance(g, 75) ? any_slot(g) : below(g, NR_SLOTS);
	else if (way < 55 && op->command->fields != NULL)
		op->place = (enum place)(1 + below(g, NR_PLACES - 1));
	else if (way < 65 && op->command->fields != NULL && op->nr_fixups == 0 && op->len >= 8)
		op->len -= 4 * (1 + below(g, op->len / 4 - 1));
	else if (way < 75 && op->nr_fixups > 0 && op->fixups[0].fix == FIX_FD)
		op->fixups[0].value = any_slot(g);
	else
		spoil_number(g, op);
}

/* Config space is written only where it is known what comes of it. */
static bool spoil(struct generator *g, struct op *op)
{
	switch (op->kind) {
	case OP_IOCTL:
		spoil_ioctl(g, op);
		return true;
	case OP_READ:
		op->slot = any_slot(g);
		return true;
	default:
		return false;
	}
}

/* What the calls do, as far as the model is concerned */

static void apply_open(struct model *m, const struct op *op)
{
	enum class class = slot_class(op->slot);

	if (class == CLASS_GROUP && (op->site == NO_SITE || !model_has_group(m, op->site) ||
				     m->group_open[sites[op->site].group] != NULL))
		return;
	if (class == CLASS_CDEV && (op->site == NO_SITE || m->driver[op->site] != DRIVER_VFIO))
		return;
	model_open(m, op->slot, class, op->site);
}

static void apply_map(struct object *container, const struct op *op)
{
	struct range range;
	unsigned i;

	memcpy(&range, op->bytes + 16, sizeof(range));
	for (i = 0; i < container->nr_maps; i++)
		if (range.iova < container->maps[i].iova + container->maps[i].size &&
		    container->maps[i].iova < range.iova + range.size)
			return;
	if (container->nr_maps < MAX_MAPS && range.size > 0)
		container->maps[container->nr_maps++] = range;
}

static void apply_unmap(struct object *container, const struct op *op)
{
	struct range range, *maps = container->maps;
	unsigned i;
	uint32_t flags;

	memcpy(&flags, op->bytes + 4, 4);
	memcpy(&range, op->bytes + 8, sizeof(range));
	for (i = container->nr_maps; i-- > 0;)
		if (flags & VFIO_DMA_UNMAP_FLAG_ALL ||
		    (maps[i].iova >= range.iova &&
		     maps[i].iova + maps[i].size <= range.iova + range.size))
			maps[i] = maps[--container->nr_maps];
}

static void apply_get_device(struct model *m, const struct op *op)
{
	struct object *group = m->slots[op->slot];

	if (group->owner != NULL && group->owner->iommu != 0 && op->site != NO_SITE &&
	    m->driver[op->site] == DRIVER_VFIO && model_is_viable(m, op->site))
		model_get_device(m, op->slot2, group, op->site);
}

static void apply_set_container(struct model *m, const struct op *op)
{
	struct object *group = m->slots[op->slot], *container;

	container = op->nr_fixups > 0 ? m->slots[op->fixups[0].value] : NULL;
	if (container != NULL && group->owner == NULL &&
	    (container->class == CLASS_CONTAINER || container->class == CLASS_IOMMUFD) &&
	    model_is_viable(m, group->site))
		model_set_container(m, group, container);
}

static void apply_ioctl(struct model *m, const struct op *op)
{
	struct object *object = m->slots[op->slot];

	if (object == NULL)
		return;
	switch (op->command->nr) {
	case VFIO_GROUP_SET_CONTAINER:
		apply_set_container(m, op);
		break;
	case VFIO_GROUP_UNSET_CONTAINER:
		if (object->refs == 1)
			model_unset_container(m, object);
		break;
	case VFIO_GROUP_GET_DEVICE_FD:
		apply_get_device(m, op);
		break;
	case VFIO_SET_IOMMU:
		if (object->groups > 0 && object->iommu == 0 && (op->value == 1 || op->value == 3))
			object->iommu = op->value;
		break;
	case VFIO_IOMMU_MAP_DMA:
		if (op->command->on == CLASS_CONTAINER)
			apply_map(object, op);
		break;
	case VFIO_IOMMU_UNMAP_DMA:
		if (op->command->on == CLASS_CONTAINER)
			apply_unmap(object, op);
		break;
	}
}

static void apply_bind(struct model *m, const struct op *op)
{
	if (m->driver[op->site] != DRIVER_NONE || !m->present[op->site])
		return;
	if (strcmp(op->text, "vfio-pci") == 0 && op->site != SITE_BRIDGE)
		m->driver[op->site] = DRIVER_VFIO;
	else if (strcmp(op->text, "pci-stub") == 0)
		m->driver[op->site] = DRIVER_STUB;
	else
		m->driver[op->site] = DRIVER_NATIVE;
}

static void apply_sysfs(struct model *m, const struct op *op)
{
	long nr;

	if (strcmp(op->attribute, "driver/unbind") == 0 && !model_in_use(m, op->site)) {
		m->driver[op->site] = DRIVER_NONE;
		model_set_vfs(m, op->site, 0);
	}
	if (strcmp(op->attribute, "sriov_numvfs") != 0 || m->driver[op->site] == DRIVER_NONE)
		return;
	nr = strtol(op->text, NULL, 0);
	if (nr == 0 && !model_in_use(m, op->site))
		model_set_vfs(m, op->site, 0);
	else if ((nr == 1 || nr == 2) && !m->present[op->site + 1])
		model_set_vfs(m, op->site, (unsigned)nr);
}

void apply_op(struct model *m, const struct op *op)
{
	switch (op->kind) {
	case OP_OPEN:
		apply_open(m, op);
		break;
	case OP_CLOSE:
		model_close(m, op->slot);
		break;
	case OP_DUP:
		model_dup(m, op->slot, op->slot2);
		break;
	case OP_IOCTL:
		apply_ioctl(m, op);
		break;
	case OP_BIND:
		apply_bind(m, op);
		break;
	case OP_SYSFS_WRITE:
		apply_sysfs(m, op);
		break;
	default:
		break;
	}
}

/* The sequence */

static const struct corner {
	uint32_t weight;
	uint8_t nr;
	uint8_t sites[3];
} corners[] = {
	{30, 3, {SITE_PF, SITE_VF0, SITE_VF1}},
	{12, 3, {SITE_NVME, SITE_NVF0, SITE_NVF1}},
	{14, 1, {SITE_EDU}},
	{22, 3, {SITE_BRIDGE, SITE_CONV0, SITE_CONV1}},
	{22, 2, {SITE_MULTI0, SITE_MULTI1}},
};

struct op *next_op(struct generator *g)
{
	struct op *op = &g->seq->ops[g->seq->nr_ops];

	memset(op, 0, sizeof(*op));
	op->site = NO_SITE;
	return op;
}

static void accept(struct generator *g, struct op *op, bool works)
{
	if (works)
		apply_op(&g->model, op);
	g->seq->nr_ops++;
}

static void bind_corner(struct generator *g, const struct corner *corner)
{
	struct op *op;
	unsigned i;

	for (i = 0; i < corner->nr; i++) {
		g->seq->touched[corner->sites[i]] = true;
		if (!g->model.present[corner->sites[i]] || chance(g, 12))
			continue;
		op = next_op(g);
		op->kind = OP_BIND;
		op->site = corner->sites[i];
		snprintf(op->text, sizeof(op->text), "%s",
			 op->site == SITE_BRIDGE ? "pci-stub" : "vfio-pci");
		accept(g, op, true);
	}
	if (!(corner->sites[0] == SITE_PF || corner->sites[0] == SITE_NVME) || chance(g, 25))
		return;
	op = next_op(g);
	op->kind = OP_SYSFS_WRITE;
	op->site = corner->sites[0];
	op->attribute = "sriov_numvfs";
	snprintf(op->text, sizeof(op->text), "2");
	accept(g, op, true);
}

static const struct corner *pick_corner(struct generator *g)
{
	uint32_t at = below(g, 100);
	size_t i;

	for (i = 0; at >= corners[i].weight; i++)
		at -= corners[i].weight;
	return &corners[i];
}

static bool make_action(struct generator *g, struct op *op)
{
	static const struct {
		uint32_t weight;
		const struct action *actions;
		const size_t *nr;
	} kinds[] = {
		{18, setup_actions, &nr_setup_actions},
		{17, group_actions, &nr_group_actions},
		{32, dma_actions, &nr_dma_actions},
		{33, device_actions, &nr_device_actions},
	};
	uint32_t at = below(g, 100), total = 0;
	size_t kind, i;

	for (kind = 0; at >= kinds[kind].weight; kind++)
		at -= kinds[kind].weight;
	for (i = 0; i < *kinds[kind].nr; i++)
		total += kinds[kind].actions[i].weight;
	at = below(g, total);
	for (i = 0; at >= kinds[kind].actions[i].weight; i++)
		at -= kinds[kind].actions[i].weight;
	return kinds[kind].actions[i].make(g, op);
}

void sequence_generate(struct sequence *seq, uint64_t seed)
{
	struct generator g = {.state = seed * 0x2545f4914f6cdd1du + 1, .seq = seq};
	unsigned nr;
	bool made;

	if (seed >= IOMMUFD_SEEDS) {
		iommufd_generate(seq, seed);
		return;
	}
	classes = legacy_classes;
	memset(seq, 0, sizeof(*seq));
	model_init(&g.model);
	nr = 30 + below(&g, 31);
	bind_corner(&g, pick_corner(&g));
	if (chance(&g, 50))
		bind_corner(&g, pick_corner(&g));
	while (seq->nr_ops < nr) {
		struct op *op = next_op(&g);
		bool spoiled;

		made = chance(&g, 35) && make_progress(&g, op);
		if (!made) {
			op = next_op(&g);
			made = make_action(&g, op);
		}
		if (!made)
			continue;
		spoiled = chance(&g, 20) && spoil(&g, op);
		accept(&g, op, !spoiled);
	}
}
