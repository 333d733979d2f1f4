/* SPDX-License-Identifier: BSD-3-Clause */
/* SVF_PRELOAD_GET_RAM: the memory behind a range of a device file, in place of its mmap. */
#ifndef SVF_HOST_CLIENT_BARMAP_H
#define SVF_HOST_CLIENT_BARMAP_H

#include "base/compiler.h"

struct svf_file;
struct svf_request;

/* Sets request->ret_ram. Return: 0, or the errno mmap would give. */
int svf_barmap_get_ram(struct svf_request *request, struct svf_file *file) SVF_MUST_CHECK;

#endif
