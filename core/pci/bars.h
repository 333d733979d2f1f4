/* SPDX-License-Identifier: BSD-3-Clause */
/* BARs and bridge windows: declaring them, and giving them addresses. */
#ifndef SVF_CORE_PCI_BARS_H
#define SVF_CORE_PCI_BARS_H

#include <stdint.h>

#include "base/compiler.h"
#include "core/pci/function.h"

struct svf_bus;
struct svf_machine;

#define SVF_PAGE_SIZE 4096u

/* Type bits in a BAR register, which are also the low bits of sysfs "resource" flags. */
uint32_t svf_bar_type_bits(const struct svf_bar *bar);

/*
 * Writes type bits and masks of one BAR, index into fn->bars / into fn->sriov.vf_bars, from its
 * description.
 */
void svf_bar_declare(struct svf_function *fn, unsigned int index);
void svf_vf_bar_declare(struct svf_function *pf, unsigned int index);

/*
 * Gives every function on the bus and behind it its addresses, and bridges their windows, as
 * firmware does at boot. Return: 0; -ENOSPC: an address space is full, its window kind in
 * *ret_full.
 */
int svf_bars_assign(struct svf_bus *root, unsigned int *ret_full) SVF_MUST_CHECK;

#endif
