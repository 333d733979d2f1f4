/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the generator's files share: the source of numbers, building calls, and the actions. An
 * action makes one kind of call; it gives false when the model says that there is nothing to make
 * it on. Actions make calls that should work, mostly; generate.c spoils some of them afterwards.
 */
#ifndef CONFORMANCE_RANDOM_GENERATE_H
#define CONFORMANCE_RANDOM_GENERATE_H

#include "model.h"

#define NO_SLOT NR_SLOTS

struct generator {
	uint64_t state;
	struct model model;
	struct sequence *seq;
};

struct action {
	unsigned weight;
	bool (*make)(struct generator *g, struct op *op);
};

extern const struct action setup_actions[], group_actions[], dma_actions[], device_actions[];
extern const size_t nr_setup_actions, nr_group_actions, nr_dma_actions, nr_device_actions;

/* The next call on the way to open devices; false when there is none to be made. */
bool make_progress(struct generator *g, struct op *op);

/* Numbers: below n; true in percent of cases; one of an array. */
uint32_t below(struct generator *g, uint32_t n);
bool chance(struct generator *g, uint32_t percent);
#define ONE_OF(g, array) ((array)[below(g, (uint32_t)ARRAY_SIZE(array))])

/* A slot of class with a file for which wanted (NULL: all) is true; NO_SLOT when there is none. */
unsigned pick_slot(struct generator *g, enum class class, bool (*wanted)(const struct object *));
/* A function of the sequence; NO_SITE when wanted is true for none. */
int pick_site(struct generator *g, bool (*wanted)(const struct generator *g, int site));
/* Any slot with a file, or any slot. */
unsigned any_slot(struct generator *g);

/* Building an ioctl. */
void op_ioctl(struct op *op, uint32_t nr, enum class on, unsigned slot);
void put32(struct op *op, uint32_t value);
void put64(struct op *op, uint64_t value);
void put_fd(struct op *op, unsigned slot);
void put_memory(struct op *op, uint64_t offset);
void put_fixup(struct op *op, enum fix fix, uint64_t value, uint64_t add);
/* A size for argsz: size mostly. */
uint32_t any_argsz(struct generator *g, uint32_t size);
/* Changes a number in the argument, or the number that is the argument. */
void spoil_number(struct generator *g, struct op *op);

/* The next call of the sequence, empty; nr_ops counts it when it is accepted. */
struct op *next_op(struct generator *g);
/* What the call does to files and functions, if it works. */
void apply_op(struct model *m, const struct op *op);

#endif
