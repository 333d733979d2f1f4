/* SPDX-License-Identifier: BSD-3-Clause */
/* Help on devices, from the models' own tables, so that it cannot lag behind them. */
#include "host/control/device_help.h"

#include <errno.h>
#include <stdio.h>

#include "host/topology/model_file.h"
#include "include/softvfio/builtin.h"

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
	print_row("./FILE.so", NULL, "a model that is a file; its name has a slash in it", NULL);
	return 0;
}

static void print_options(const struct svf_model_ops *ops)
{
	printf("%s: %s\nOptions:\n", ops->name, ops->help);
	for (const struct svf_model_option *o = ops->options; o && o->name; o++)
		print_row(o->name, o->value_name, o->help, o->default_text);
}

static int print_file(const char *path)
{
	const struct svf_model_ops *ops;
	struct svf_model_files files;
	char why[1024];

	svf_model_files_init(&files);
	ops = files.loader.load(&files.loader, path, why, sizeof(why));
	if (ops)
		print_options(ops);
	else
		fprintf(stderr, "softvfio: %s\n", why);
	svf_model_files_fini(&files);
	return ops ? 0 : -ENOENT;
}

int svf_device_help(const char *model)
{
	const struct svf_model_ops *ops;

	if (!model)
		return print_models();
	if (svf_model_is_file(model))
		return print_file(model);
	ops = svf_model_lookup(model);
	if (!ops) {
		fprintf(stderr, "softvfio: there is no model '%s'; -d help lists the models\n",
			model);
		return -ENOENT;
	}
	print_options(ops);
	return 0;
}
