/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs of pages of a BAR; see pages.h. */
#include "core/pci/pages.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/iommu/iova_space.h"
#include "core/machine.h"
#include "core/pci/function.h"

enum svf_page_kind svf_pages_at(const struct svf_bar *bar, uint64_t offset, uint64_t *ret_end)
{
	const struct svf_bar_run *run = bar->runs;

	*ret_end = bar->size;
	if (!run)
		return bar->ram ? SVF_PAGES_RAM : SVF_PAGES_TRAP;
	while (run->end <= offset)
		run++;
	*ret_end = run->end;
	return run->kind;
}

struct svf_ram *svf_pages_ram(const struct svf_bar *bar, enum svf_page_kind kind)
{
	switch (kind) {
	case SVF_PAGES_RAM:
		return bar->ram;
	case SVF_PAGES_READ_RAM:
		return bar->read_ram;
	default:
		return NULL;
	}
}

/* Longer by [.., end), or one run more. */
static void extend(struct svf_bar_run *runs, unsigned int *count, uint64_t end,
		   enum svf_page_kind kind)
{
	if (*count && runs[*count - 1].kind == kind)
		runs[*count - 1].end = end;
	else
		runs[(*count)++] = (struct svf_bar_run){.end = end, .kind = kind};
}

/* The runs as they are, but for [first, end). Return: how many, into room for two more than there were. */
static unsigned int cut_in(const struct svf_bar *bar, uint64_t first, uint64_t end,
			   enum svf_page_kind kind, struct svf_bar_run *ret)
{
	unsigned int count = 0;
	uint64_t at = 0;

	while (at < bar->size) {
		uint64_t run_end;
		enum svf_page_kind old = svf_pages_at(bar, at, &run_end);

		if (at < first) {
			run_end = run_end < first ? run_end : first;
			extend(ret, &count, run_end, old);
		} else if (at < end) {
			run_end = end;
			extend(ret, &count, end, kind);
		} else {
			extend(ret, &count, run_end, old);
		}
		at = run_end;
	}
	return count;
}

static int need_ram(struct svf_function *fn, struct svf_bar *bar, enum svf_page_kind kind)
{
	struct svf_ram **ram = kind == SVF_PAGES_RAM ? &bar->ram : &bar->read_ram;
	const struct svf_port_ops *port = fn->machine->port;
	int err;

	if (kind == SVF_PAGES_TRAP || *ram)
		return 0;
	err = port->ram_alloc(fn->machine, bar->size, ram);
	if (err || kind == SVF_PAGES_RAM || !port->ram_protect)
		return err;
	err = port->ram_protect(fn->machine, *ram);
	if (err) {
		port->ram_free(fn->machine, *ram);
		*ram = NULL;
	}
	return err;
}

int svf_pages_set(struct svf_function *fn, unsigned int index, uint64_t offset, uint64_t len,
		  enum svf_page_kind kind)
{
	struct svf_bar *bar = &fn->bars[index];
	struct svf_bar_run *runs = calloc(SVF_BAR_RUNS_MAX + 2, sizeof(*runs));
	unsigned int count;
	int err;

	if (!runs)
		return -ENOMEM;
	count = cut_in(bar, offset, offset + len, kind, runs);
	err = count > SVF_BAR_RUNS_MAX ? -E2BIG : need_ram(fn, bar, kind);
	if (err) {
		free(runs);
		return err;
	}
	free(bar->runs);
	bar->runs = runs;
	return 0;
}

static void ram_end(struct svf_function *fn, struct svf_ram *ram)
{
	if (!ram)
		return;
	svf_iova_space_detach_ram(fn->machine, ram);
	fn->machine->port->ram_free(fn->machine, ram);
}

void svf_pages_free(struct svf_function *fn, unsigned int index)
{
	struct svf_bar *bar = &fn->bars[index];

	ram_end(fn, bar->ram);
	ram_end(fn, bar->read_ram);
	free(bar->runs);
}
