/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ids to pointers: the lowest free id from 1 on is given out, as iommufd's object ids are. Grows
 * by doubling up to a bound the owner sets.
 */
#ifndef SVF_BASE_IDTABLE_H
#define SVF_BASE_IDTABLE_H

#include <stdint.h>

#include "base/compiler.h"

struct svf_idtable {
	void **slots; /* slots[id - 1] */
	uint32_t size, used, lowest_free;
};

void svf_idtable_init(struct svf_idtable *table);
/* Frees the table, not what it points to. */
void svf_idtable_fini(struct svf_idtable *table);
/* Return: the id (> 0), or -ENOMEM. */
int64_t svf_idtable_add(struct svf_idtable *table, void *object, uint32_t max) SVF_MUST_CHECK;
void *svf_idtable_lookup(const struct svf_idtable *table, uint32_t id);
void svf_idtable_remove(struct svf_idtable *table, uint32_t id);

#endif
