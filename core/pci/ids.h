/* SPDX-License-Identifier: BSD-3-Clause */
/* Ids that drivers match functions by. */
#ifndef SVF_CORE_PCI_IDS_H
#define SVF_CORE_PCI_IDS_H

#include <stdbool.h>

#include "core/pci/driver.h"

struct svf_function;

/* What a function is, as an id without wildcards. */
struct svf_pci_id svf_id_of_function(const struct svf_function *fn);

/* Whether id, which may have wildcards, covers what. */
bool svf_id_matches(const struct svf_pci_id *id, const struct svf_pci_id *what);
bool svf_id_matches_function(const struct svf_pci_id *id, const struct svf_function *fn);

#endif
