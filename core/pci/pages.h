/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages of a memory BAR, and who answers an access to them.
 *
 *   TRAP      loads and stores reach the model
 *   READ_RAM  loads are of memory, which the model fills; stores reach the model
 *   RAM       loads and stores are of memory; the model sees none
 *
 * A BAR is cut into runs of pages of one kind. Most have a single one, which needs no list: TRAP, or RAM where the
 * BAR has memory. The two kinds of memory are two files, and nobody but the host can store to that of READ_RAM.
 * Each is as large as the BAR, and only pages of its kind ever hold anything.
 */
#ifndef SVF_CORE_PCI_PAGES_H
#define SVF_CORE_PCI_PAGES_H

#include <stdint.h>

#include "base/compiler.h"

struct svf_bar;
struct svf_function;
struct svf_ram;

#define SVF_BAR_RUNS_MAX 64u

enum svf_page_kind { SVF_PAGES_TRAP, SVF_PAGES_READ_RAM, SVF_PAGES_RAM };

struct svf_bar_run {
	uint64_t end; /* behind its last byte, which is where the next begins */
	enum svf_page_kind kind;
};

/* Of the byte at offset, which lies in the BAR; *ret_end: behind the last that is alike. */
enum svf_page_kind svf_pages_at(const struct svf_bar *bar, uint64_t offset, uint64_t *ret_end);

/* The memory of a kind; NULL: it has none, or the BAR no such pages. */
struct svf_ram *svf_pages_ram(const struct svf_bar *bar, enum svf_page_kind kind);

/* For all memory of a BAR: kind runs from 0 to below SVF_PAGE_KINDS. */
#define SVF_PAGE_KINDS 3u

/*
 * Pages of a memory BAR of at least a page become of that kind: [offset, offset + len), page-aligned and within the BAR.
 * Before clients see the function. Return: 0; -ENOMEM; -E2BIG: more than SVF_BAR_RUNS_MAX runs.
 */
int svf_pages_set(struct svf_function *fn, unsigned int bar, uint64_t offset, uint64_t len,
		  enum svf_page_kind kind) SVF_MUST_CHECK;

/* The end of all memory of a BAR. */
void svf_pages_free(struct svf_function *fn, unsigned int bar);

#endif
