/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of -d help and -d MODEL,help, on stdout. */
#ifndef SVF_HOST_CONTROL_DEVICE_HELP_H
#define SVF_HOST_CONTROL_DEVICE_HELP_H

/* model: a name, or that of a file; NULL: all of them, by name. Return: 0, or -ENOENT when there is no such model (said). */
int svf_device_help(const char *model);

#endif
