/* SPDX-License-Identifier: BSD-3-Clause */
/* Help on devices, from the models' own tables, so that it cannot lag behind them. */
#include "host/control/device_help.h"

#include <errno.h>
#include <stdio.h>

#include "include/softvfio/model.h"

#define COLUMN 26

static void print_row(const char *left, const char *value, const char *help, const char *fallback)
{
	int width = printf("  %s%s%s", left, value ? "=" : "", value ? value : "");

	printf("%*s%s", width < COLUMN ? COLUMN - width : 1, "", help);
	if (fallback)
		printf(" (default %s)", fallback);
	printf("\n");
}

static int print_models(void)
{
	printf("Models:\n");
	for (unsigned int i = 0; svf_models[i]; i++)
		print_row(svf_models[i]->name, NULL, svf_models[i]->help, NULL);
	return 0;
}

int svf_device_help(const char *model)
{
	const struct svf_model_ops *ops;

	if (!model)
		return print_models();
	ops = svf_model_lookup(model);
	if (!ops) {
		fprintf(stderr, "softvfio: there is no model '%s'; -d help lists the models\n",
			model);
		return -ENOENT;
	}
	printf("%s: %s\nOptions:\n", ops->name, ops->help);
	for (const struct svf_model_option *option = ops->options; option->name; option++)
		print_row(option->name, option->value_name, option->help, option->default_text);
	return 0;
}
