/* SPDX-License-Identifier: BSD-3-Clause */
/* One declaration for each model. */
#ifndef SVF_MODELS_REGISTRY_H
#define SVF_MODELS_REGISTRY_H

#include "include/softvfio/builtin.h"

extern const struct svf_model_ops svf_model_edu;
extern const struct svf_model_ops svf_model_ioat;
extern const struct svf_model_ops svf_model_null;
extern const struct svf_model_ops svf_model_nvme;

#endif
