/* SPDX-License-Identifier: BSD-3-Clause */
/* Primary and secondary controllers: what the rest of the model asks about them. */
#ifndef SVF_MODELS_NVME_VIRT_H
#define SVF_MODELS_NVME_VIRT_H

#include "models/nvme/admin.h"

#define NVME_VECTORS_MAX 256u /* one page of MSI-X table */

/* Most that the primary can have, private and flexible together. */
unsigned int svf_nvme_primary_max(const struct nvme_subsystem *subsystem,
				  enum nvme_resource resource);
/* Queues and vectors of the controller, from now on, are those it was given. */
void svf_nvme_virt_set_limits(struct nvme_controller *c);
bool svf_nvme_is_offline(const struct nvme_controller *c);
/* VF index exists, or is about to end. */
void svf_nvme_secondary_begin(struct nvme_subsystem *subsystem, unsigned int index);
void svf_nvme_secondary_end(struct nvme_subsystem *subsystem, unsigned int index);
/* The PF was reset. */
void svf_nvme_secondaries_reset(struct nvme_subsystem *subsystem);

#endif
