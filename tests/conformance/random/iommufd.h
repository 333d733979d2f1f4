/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of sequences on iommufd share: what the generator believes about objects, and how
 * a command is built. An object is known by the variable that its id is kept in.
 */
#ifndef CONFORMANCE_RANDOM_IOMMUFD_H
#define CONFORMANCE_RANDOM_IOMMUFD_H

#include "generate.h"

enum kind {
	KIND_NONE,
	KIND_IOAS,
	KIND_HWPT,
	KIND_DEVICE,
	KIND_FAULT,
	KIND_VIOMMU,
	KIND_MOCK,
	KIND_ANY,
};

/* A mapping; chosen: its IOVA is in variable iova. */
struct mapped {
	bool chosen;
	uint64_t iova, size;
};

struct variable {
	enum kind kind;
	const struct object *ictx; /* the iommufd that the object is of */
	unsigned users;		   /* devices that are attached */
	unsigned nr_maps;
	struct mapped maps[MAX_MAPS];
};

/* A cdev's. */
struct bound {
	const struct object *cdev, *ictx;
	unsigned device; /* variable, NO_VARIABLE: none */
	unsigned pt;
};

#define NO_VARIABLE NR_IDS
#define MAX_BOUND   16

struct iommufd {
	struct generator g;
	struct variable variables[NR_IDS];
	struct bound bound[MAX_BOUND];
	unsigned nr_bound;
	unsigned nr_kept; /* IOVAs */
	bool test;	  /* mock devices instead of functions */
	bool groups;	  /* devices come by their groups more than by cdevs */
};

struct iommufd_action {
	unsigned weight;
	bool (*make)(struct iommufd *x, struct op *op);
};
extern const struct iommufd_action iommufd_objects[], iommufd_maps[], iommufd_devices[];
extern const struct iommufd_action iommufd_tests[];
extern const size_t nr_iommufd_tests;
extern const size_t nr_iommufd_objects, nr_iommufd_maps, nr_iommufd_devices;

/* The next call on the way to mappings that a device can use; false when there is none to be made. */
bool test_progress(struct iommufd *x, struct op *op);
bool iommufd_progress(struct iommufd *x, struct op *op);

/* A command on a slot; its size is the first thing in it. False when slot is NO_SLOT. */
bool command(struct op *op, uint32_t nr, unsigned slot, uint32_t size);
unsigned pick_iommufd(struct iommufd *x);
/* The iommufd in the slot. */
const struct object *ictx_of(const struct iommufd *x, unsigned slot);

/* An object of the kind of that iommufd (NULL: of any); NO_VARIABLE when there is none. */
unsigned pick_variable(struct iommufd *x, enum kind kind, const struct object *ictx);
/* Puts the id of a variable, or now and then another number. */
void put_id(struct iommufd *x, struct op *op, unsigned variable);
/* Puts the id of an object of the kind, mostly. */
void put_object(struct iommufd *x, struct op *op, enum kind kind, const struct object *ictx);
/* The answer is kept in a variable that is free, if there is one. */
void keep_id(struct iommufd *x, struct op *op, unsigned offset);
/* Another of the answer, in op->also[n]. */
void keep_also(struct iommufd *x, struct op *op, unsigned n, unsigned offset);
/* What was kept is an object of that kind. */
void new_object(struct iommufd *x, const struct op *op, const struct keep *keep, enum kind kind);
/* The variable whose id is at the offset; NULL. */
struct variable *variable_at(struct iommufd *x, const struct op *op, unsigned offset);

/* What the command does if it works. */
void maps_apply(struct iommufd *x, const struct op *op);
void devices_apply(struct iommufd *x, const struct op *op);
void tests_apply(struct iommufd *x, const struct op *op);
struct bound *bound_find(struct iommufd *x, const struct object *cdev);

#endif
