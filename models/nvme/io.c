/* SPDX-License-Identifier: BSD-3-Clause */
/* The NVM command set: no command yet. */
#include "models/nvme/nvme.h"

enum nvme_step svf_nvme_io_execute(struct nvme_request *rq)
{
	return svf_nvme_end_at(rq, NVME_INVALID_OPCODE, 0);
}

void svf_nvme_io_cancel(struct nvme_request *rq)
{
	(void)rq;
}

void svf_nvme_io_identify(const struct nvme_controller *c, uint8_t *page)
{
	(void)c;
	(void)page;
}

void svf_nvme_io_effects(uint8_t *entries)
{
	(void)entries;
}
