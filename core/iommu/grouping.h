/* SPDX-License-Identifier: BSD-3-Clause */
/* Computing IOMMU groups from topology, ACS and DMA aliases. */
#ifndef SVF_CORE_IOMMU_GROUPING_H
#define SVF_CORE_IOMMU_GROUPING_H

#include "core/pci/bdf.h"

struct svf_function;
struct svf_iommu_group;

/* The group that a function which has none yet must join, or NULL: a new one. */
struct svf_iommu_group *svf_grouping_lookup(struct svf_function *fn);

#endif
