/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Models in files of their own: -d ./mydev.so. Only who starts the namespace names them, on the
 * command line or in a topology file; no client can.
 */
#ifndef SVF_HOST_TOPOLOGY_MODEL_FILE_H
#define SVF_HOST_TOPOLOGY_MODEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/list.h"
#include "host/topology/topology.h"

/* They stay loaded until fini, which comes after the end of every machine that has functions of them. */
struct svf_model_files {
	struct svf_model_loader loader;
	struct svf_list files; /* struct model_file.link */
};

void svf_model_files_init(struct svf_model_files *files);
void svf_model_files_fini(struct svf_model_files *files);

/* A name with a slash is one of a file; of all others there is a list. */
static inline bool svf_model_is_file(const char *name)
{
	return strchr(name, '/') != NULL;
}

#endif
