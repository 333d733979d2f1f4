/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the generator believes about the machine: enough to know which calls would do something
 * now. It is no reference: where it is wrong, a sequence is only less deep.
 *
 * An object is an open file; slots (and other objects) refer to it. A device keeps its group, a
 * group its container.
 */
#ifndef CONFORMANCE_RANDOM_MODEL_H
#define CONFORMANCE_RANDOM_MODEL_H

#include "random.h"

#define MAX_OBJECTS 96
#define MAX_MAPS    12
#define NR_GROUPS   9

struct range {
	uint64_t iova, size;
};

struct object {
	enum class class;
	unsigned refs;
	int site;	      /* of groups: any of the group */
	struct object *owner; /* a group's container, a device's group */
	bool is_iommufd;      /* a container that is an iommufd */
	uint64_t iommu;	      /* type that was set, 0: none */
	unsigned groups;      /* of a container */
	bool dirty;	      /* tracking */
	unsigned nr_maps;
	struct range maps[MAX_MAPS];
};

enum driver { DRIVER_NONE, DRIVER_VFIO, DRIVER_STUB, DRIVER_NATIVE };

struct model {
	enum driver driver[NR_SITES];
	bool present[NR_SITES];
	unsigned open_devices[NR_SITES];
	struct object *group_open[NR_GROUPS];
	struct object *slots[NR_SLOTS];
	unsigned nr_objects;
	struct object objects[MAX_OBJECTS];
};

void model_init(struct model *m);

/* A slot of class without a file; the last one when all have one. */
unsigned model_free_slot(const struct model *m, enum class class);

/* Opening into a slot; NULL when too many. */
struct object *model_open(struct model *m, unsigned slot, enum class class, int site);
void model_close(struct model *m, unsigned slot);
void model_dup(struct model *m, unsigned from, unsigned to);

void model_set_container(struct model *m, struct object *group, struct object *container);
void model_unset_container(struct model *m, struct object *group);
struct object *model_get_device(struct model *m, unsigned slot, struct object *group, int site);

void model_set_vfs(struct model *m, int pf, unsigned nr);

bool model_in_use(const struct model *m, int site);
/* A group file can be opened, or would be were it not open. */
bool model_has_group(const struct model *m, int site);
bool model_is_viable(const struct model *m, int site);

#endif
