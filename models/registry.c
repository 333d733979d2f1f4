/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The models there are. A new one is a folder beside this file, a declaration in registry.h and
 * a row here.
 */
#include "models/registry.h"

#include <string.h>

const struct svf_model_ops *const svf_models[] = {
	&svf_model_null, &svf_model_ioat, &svf_model_edu, &svf_model_nvme, NULL,
};

const struct svf_model_ops *svf_model_lookup(const char *name)
{
	for (unsigned int i = 0; svf_models[i]; i++) {
		if (strcmp(svf_models[i]->name, name) == 0)
			return svf_models[i];
	}
	return NULL;
}
