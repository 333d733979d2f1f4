/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of a model: a list of key and text against the model's table. */
#ifndef SVF_CORE_PCI_OPTIONS_H
#define SVF_CORE_PCI_OPTIONS_H

#include "base/compiler.h"
#include "base/list.h"
#include "include/softvfio/model.h"

struct svf_topology_option;

/* Rows of a model's table, without the one that ends it. */
unsigned int svf_options_count(const struct svf_model_option *options);

/* Whether there is such a type of option. */
bool svf_options_know(enum svf_option_type type);

/*
 * Reads the options of one node (struct svf_topology_option.link) into one value for each row.
 * Return: 0 with *ret_values, to be freed with free(); -ENOMEM; -EINVAL with *error and the option
 * it is about in *ret_option.
 */
int svf_options_parse(const struct svf_model_ops *model, const struct svf_list *list,
		      struct svf_option_value **ret_values, struct svf_model_error *error,
		      const struct svf_topology_option **ret_option) SVF_MUST_CHECK;

#endif
