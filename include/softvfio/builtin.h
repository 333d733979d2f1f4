/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The models that are part of softvfio, as models/registry.c lists them and the core finds them.
 * Not installed.
 */
#ifndef SOFTVFIO_BUILTIN_H
#define SOFTVFIO_BUILTIN_H

#include "include/softvfio/model.h"

/* All of them, ended by NULL. */
extern const struct svf_model_ops *const svf_models[];

/* By name, as after -d, not NULL. NULL: there is none of that name. */
const struct svf_model_ops *svf_model_lookup(const char *name);

#endif
