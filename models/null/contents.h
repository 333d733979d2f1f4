/* SPDX-License-Identifier: BSD-3-Clause */
/* What a null device holds that comes from files: the expansion ROM, vital product data. */
#ifndef SVF_MODELS_NULL_CONTENTS_H
#define SVF_MODELS_NULL_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/softvfio/model.h"

/*
 * hex: contents, the text of an option with SVF_OPTION_BINARY; NULL: none. size: of the BAR, bytes,
 * 0: as the contents need; may_grow: size is only what there is at least. Return: 0; -EINVAL, the
 * option at fault left to the caller; -ENOMEM.
 */
int svf_null_add_rom(struct svf_function *fn, const char *hex, uint64_t size, bool may_grow,
		     struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

/* hex: as above, not NULL. */
int svf_null_add_vpd(struct svf_function *fn, const char *hex,
		     struct svf_model_error *error) SVF_MODEL_MUST_CHECK;

#endif
