/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A command's data, by two PRPs: the first may begin anywhere in its page (at a multiple of four), the
 * second at the beginning of one. Lists of PRPs and SGLs are refused.
 */
#include "models/nvme/nvme.h"

static uint16_t transfer(struct nvme_request *rq, uint8_t *buf, size_t len, bool to_host)
{
	struct svf_function *fn = rq->controller->fn;
	uint64_t page = UINT64_C(1) << rq->controller->page_shift;
	uint64_t room = page - rq->prp1 % page;
	size_t first = len < room ? len : (size_t)room;
	int err;

	if (rq->sgl)
		return NVME_INVALID_FIELD;
	if (rq->prp1 % 4)
		return NVME_PRP_OFFSET_INVALID;
	if (len - first > page)
		return NVME_INVALID_FIELD;
	if (len > first && rq->prp2 % page)
		return NVME_PRP_OFFSET_INVALID;
	err = to_host ? svf_dma_write(fn, rq->prp1, buf, first)
		      : svf_dma_read(fn, rq->prp1, buf, first);
	if (!err && len > first)
		err = to_host ? svf_dma_write(fn, rq->prp2, buf + first, len - first)
			      : svf_dma_read(fn, rq->prp2, buf + first, len - first);
	return err ? NVME_DATA_TRANSFER_ERROR : NVME_SUCCESS;
}

uint16_t svf_nvme_send(struct nvme_request *rq, const void *src, size_t len)
{
	/* Not written to: the cast is for the direction that is. */
	return transfer(rq, (uint8_t *)(uintptr_t)src, len, true);
}

uint16_t svf_nvme_receive(struct nvme_request *rq, void *dst, size_t len)
{
	return transfer(rq, dst, len, false);
}
