/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An array of pointers, a NULL being a free id. lowest_free is a floor: no id below it is free.
 * Adding searches upwards from it, so that filling a table costs the same for every id; the
 * worst case, a search over the whole table, is bounded by the owner's max.
 */
#include "base/idtable.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 16u

void svf_idtable_init(struct svf_idtable *table)
{
	memset(table, 0, sizeof(*table));
	table->lowest_free = 1;
}

void svf_idtable_fini(struct svf_idtable *table)
{
	free(table->slots);
	svf_idtable_init(table);
}

static int grow(struct svf_idtable *table, uint32_t max)
{
	uint32_t size = table->size ? table->size : FIRST_SIZE;
	void **slots;

	if (table->size >= max)
		return -ENOMEM;
	if (table->size)
		size = table->size > max / 2 ? max : table->size * 2;
	slots = realloc(table->slots, size * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(slots + table->size, 0, (size - table->size) * sizeof(*slots));
	table->slots = slots;
	table->size = size;
	return 0;
}

int64_t svf_idtable_add(struct svf_idtable *table, void *object, uint32_t max)
{
	uint32_t id = table->lowest_free;

	assert(object);
	if (table->used >= max)
		return -ENOMEM;
	while (id <= table->size && table->slots[id - 1])
		id++;
	if (id > table->size && grow(table, max))
		return -ENOMEM;
	table->slots[id - 1] = object;
	table->used++;
	table->lowest_free = id + 1;
	return id;
}

void *svf_idtable_lookup(const struct svf_idtable *table, uint32_t id)
{
	return id && id <= table->size ? table->slots[id - 1] : NULL;
}

void svf_idtable_remove(struct svf_idtable *table, uint32_t id)
{
	assert(svf_idtable_lookup(table, id));
	table->slots[id - 1] = NULL;
	table->used--;
	if (id < table->lowest_free)
		table->lowest_free = id;
}
