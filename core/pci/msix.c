/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The MSI-X table in a BAR, as hardware resets it and as the kernel fills it in.
 *
 * Messages of functions here go straight to the driver's sink, whatever address they are sent to.
 * The table is kept true all the same, for models that look at it and for whoever maps it: an entry
 * is masked until the driver wants its interrupt, and has a message while one is allocated.
 */
#include <string.h>

#include "base/bytes.h"
#include "core/pci/function.h"
#include "core/pci/pages.h"

#define ENTRY_SIZE   16u
#define ENTRY_MASKED 1u

static bool find_table(const struct svf_function *fn, struct svf_msix_layout *ret)
{
	uint64_t size;

	if (!svf_function_msix(fn, ret) || ret->table_bar >= SVF_PCI_BARS)
		return false;
	size = fn->bars[ret->table_bar].size;
	return ret->table_offset <= size && ret->vectors <= (size - ret->table_offset) / ENTRY_SIZE;
}

void svf_msix_write_entry(struct svf_function *fn, unsigned int vector, bool message, bool masked)
{
	struct svf_msix_layout msix;
	uint8_t entry[ENTRY_SIZE] = {0};

	if (!find_table(fn, &msix) || vector >= msix.vectors)
		return;
	if (message) {
		svf_put_le32(entry, SVF_MSI_ADDRESS);
		svf_put_le32(entry + 8, vector);
	}
	svf_put_le32(entry + 12, masked ? ENTRY_MASKED : 0);
	for (unsigned int i = 0; i < ENTRY_SIZE; i += 4)
		svf_bar_write(fn, msix.table_bar,
			      msix.table_offset + (uint64_t)vector * ENTRY_SIZE + i, entry + i, 4);
}

void svf_msix_reset_table(struct svf_function *fn)
{
	struct svf_msix_layout msix;
	uint64_t end;

	/* A table whose stores reach the model is the model's, which is told of resets. */
	if (!find_table(fn, &msix) ||
	    svf_pages_at(&fn->bars[msix.table_bar], msix.table_offset, &end) != SVF_PAGES_RAM)
		return;
	for (unsigned int i = 0; i < msix.vectors; i++)
		svf_msix_write_entry(fn, i, false, true);
}
