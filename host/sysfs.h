/* SPDX-License-Identifier: BSD-3-Clause */
/* The names of /dev and /sys, stated from the machine. See host/files/tree.h. */
#ifndef SVF_HOST_SYSFS_H
#define SVF_HOST_SYSFS_H

struct svf_machine;
struct svf_tree;

/* States everything between svf_tree_begin() and svf_tree_end(). */
void svf_sysfs_state(struct svf_tree *tree, struct svf_machine *machine);

#endif
