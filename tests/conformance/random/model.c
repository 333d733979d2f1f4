/* SPDX-License-Identifier: BSD-3-Clause */
/* See model.h. */
#include "model.h"

#include <string.h>

void model_init(struct model *m)
{
	unsigned i;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < NR_SITES; i++)
		m->present[i] = sites[i].pf == NO_SITE;
}

unsigned model_free_slot(const struct model *m, enum class class)
{
	unsigned i, last = classes[class].first + classes[class].count - 1;

	for (i = classes[class].first; i < last; i++)
		if (m->slots[i] == NULL)
			break;
	return i;
}

static struct object *new_object(struct model *m, enum class class, int site)
{
	struct object *object;

	if (m->nr_objects == MAX_OBJECTS)
		return NULL;
	object = &m->objects[m->nr_objects++];
	object->class = class;
	object->site = site;
	object->is_iommufd = class == CLASS_IOMMUFD;
	return object;
}

void model_unset_container(struct model *m, struct object *group)
{
	struct object *container = group->owner;

	(void)m;
	if (container == NULL)
		return;
	group->owner = NULL;
	container->refs--;
	if (--container->groups == 0) {
		container->iommu = 0;
		container->nr_maps = 0;
		container->dirty = false;
	}
}

static void drop(struct model *m, struct object *object)
{
	if (--object->refs > 0)
		return;
	if (object->class == CLASS_DEVICE) {
		m->open_devices[object->site]--;
		drop(m, object->owner);
	} else if (object->class == CLASS_GROUP) {
		model_unset_container(m, object);
		m->group_open[sites[object->site].group] = NULL;
	} else if (object->class == CLASS_CDEV) {
		m->open_devices[object->site]--;
	}
}

void model_close(struct model *m, unsigned slot)
{
	if (m->slots[slot] != NULL)
		drop(m, m->slots[slot]);
	m->slots[slot] = NULL;
}

struct object *model_open(struct model *m, unsigned slot, enum class class, int site)
{
	struct object *object = new_object(m, class, site);

	model_close(m, slot);
	if (object == NULL)
		return NULL;
	object->refs = 1;
	m->slots[slot] = object;
	if (class == CLASS_GROUP)
		m->group_open[sites[site].group] = object;
	if (class == CLASS_CDEV)
		m->open_devices[site]++;
	return object;
}

void model_dup(struct model *m, unsigned from, unsigned to)
{
	if (from == to || m->slots[from] == NULL)
		return;
	model_close(m, to);
	m->slots[to] = m->slots[from];
	m->slots[to]->refs++;
}

void model_set_container(struct model *m, struct object *group, struct object *container)
{
	(void)m;
	group->owner = container;
	container->refs++;
	container->groups++;
}

struct object *model_get_device(struct model *m, unsigned slot, struct object *group, int site)
{
	struct object *device;

	group->refs++;
	device = model_open(m, slot, CLASS_DEVICE, site);
	if (device == NULL)
		return NULL;
	device->owner = group;
	m->open_devices[site]++;
	return device;
}

void model_set_vfs(struct model *m, int pf, unsigned nr)
{
	unsigned i;

	for (i = 0; i < NR_SITES; i++) {
		if (sites[i].pf != pf)
			continue;
		m->present[i] = nr > 0;
		m->driver[i] = nr > 0 && m->driver[pf] == DRIVER_VFIO ? DRIVER_VFIO : DRIVER_NONE;
		nr -= nr > 0;
	}
}

bool model_in_use(const struct model *m, int site)
{
	unsigned i;

	for (i = 0; i < NR_SITES; i++)
		if (m->open_devices[i] > 0 && ((int)i == site || sites[i].pf == site))
			return true;
	return false;
}

bool model_has_group(const struct model *m, int site)
{
	unsigned i;

	for (i = 0; i < NR_SITES; i++)
		if (sites[i].group == sites[site].group && m->driver[i] == DRIVER_VFIO)
			return true;
	return false;
}

bool model_is_viable(const struct model *m, int site)
{
	unsigned i;

	for (i = 0; i < NR_SITES; i++)
		if (sites[i].group == sites[site].group && m->driver[i] == DRIVER_NATIVE)
			return false;
	return true;
}
