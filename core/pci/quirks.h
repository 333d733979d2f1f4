/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices that are not what their config space says, where it decides about IOMMU groups. */
#ifndef SVF_CORE_PCI_QUIRKS_H
#define SVF_CORE_PCI_QUIRKS_H

#include <stdbool.h>

struct svf_function;

/* Notes under which requester ids the function is known to do DMA beside its own. */
void svf_quirks_add_dma_aliases(struct svf_function *fn);

/* Whether it is known to be kept from its neighbours although no ACS capability says so. */
bool svf_quirks_isolated(const struct svf_function *fn);

/*
 * Whether a bridge without a PCI Express capability is a PCIe-to-PCI bridge that hides it: what is
 * behind it does DMA as function 0 of the bus behind it.
 */
bool svf_quirks_hides_express(const struct svf_function *bridge);

#endif
