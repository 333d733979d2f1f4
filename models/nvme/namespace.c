/* SPDX-License-Identifier: BSD-3-Clause */
/* Namespaces: none yet. */
#include "models/nvme/nvme.h"

int svf_nvme_namespaces_alloc(const struct svf_option_value *values, struct nvme_namespaces **ret,
			      struct svf_model_error *error)
{
	(void)values;
	(void)error;
	*ret = NULL;
	return 0;
}

void svf_nvme_namespaces_destroy(struct nvme_namespaces *namespaces)
{
	(void)namespaces;
}

uint32_t svf_nvme_namespaces_max(const struct nvme_namespaces *namespaces)
{
	(void)namespaces;
	return 0;
}

uint64_t svf_nvme_namespaces_bytes(const struct nvme_namespaces *namespaces)
{
	(void)namespaces;
	return 0;
}

struct nvme_namespace *svf_nvme_namespace_lookup(const struct nvme_controller *c, uint32_t nsid)
{
	(void)c;
	(void)nsid;
	return NULL;
}

void svf_nvme_namespace_identify(const struct nvme_namespace *ns, uint8_t *page)
{
	(void)ns;
	(void)page;
}

void svf_nvme_namespace_describe(const struct nvme_namespace *ns, uint8_t *page)
{
	(void)ns;
	(void)page;
}

enum nvme_step svf_nvme_namespace_format(struct nvme_request *rq)
{
	return svf_nvme_end(rq, NVME_INVALID_NAMESPACE);
}
