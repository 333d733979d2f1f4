/* SPDX-License-Identifier: BSD-3-Clause */
/* What run and shell have in common. */
#ifndef SVF_CLI_RUN_H
#define SVF_CLI_RUN_H

#include "cli/launch/launch.h"

extern const struct svf_option svf_run_options[];

/* argv: CMD and its arguments, ends in NULL. Return: exit status. */
int svf_run_command(const struct svf_launch_options *options, char **argv);

#endif
