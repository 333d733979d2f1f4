/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading what a machine is to be made of: -d options, --param options and topology files, into the
 * plain data of core/pci/topology.h. softvfio(7) documents both forms for users.
 *
 * Names, values and numbers are checked here only as far as the form goes: that a model exists and
 * has such an option, that an address is one. What a value means the model says, and what fits
 * together svf_machine_build(). Options that name a file (SVF_OPTION_FILE) get the file's content
 * as their value, because neither the core nor a model opens files.
 */
#ifndef SVF_HOST_TOPOLOGY_TOPOLOGY_H
#define SVF_HOST_TOPOLOGY_TOPOLOGY_H

#include <stddef.h>

#include "base/compiler.h"

struct svf_model_ops;
struct svf_topology;
struct svf_topology_error;

/* Who loads models that are files (model_file.h). */
struct svf_model_loader {
	/* Return: the model, valid as long as the loader; NULL with a sentence in why. */
	const struct svf_model_ops *(*load)(struct svf_model_loader *loader, const char *path,
					    char *why, size_t size);
};

#define SVF_TOPOLOGY_FILE_MAX  (1u << 20) /* bytes, of a topology file and of each file it names */
#define SVF_TOPOLOGY_NODES_MAX 1024u
#define SVF_TOPOLOGY_DEPTH_MAX 16u /* ports and bridges above each other */

/* An empty one. Without topology->loader, names of files are no models. */
void svf_topology_init(struct svf_topology *topology);
void svf_topology_fini(struct svf_topology *topology);

/*
 * All of these add to what is there. Return: 0, -ENOMEM, or -EINVAL with *error filled: line and
 * column in the file from 1; on the command line, line 0 and the text names the option.
 */

/* MODEL[@BDF][,KEY[=VALUE]]...; ",," in a value or in the name of a model's file is a comma. */
int svf_topology_add_spec(struct svf_topology *topology, const char *spec,
			  struct svf_topology_error *error) SVF_MUST_CHECK;
/* MODULE.NAME=VALUE */
int svf_topology_add_param(struct svf_topology *topology, const char *param,
			   struct svf_topology_error *error) SVF_MUST_CHECK;
/* A file. At most one for each topology. */
int svf_topology_read(struct svf_topology *topology, const char *path,
		      struct svf_topology_error *error) SVF_MUST_CHECK;
/* The text of a file; path is for messages and the base of relative names. */
int svf_topology_parse(struct svf_topology *topology, const char *path, const char *text,
		       size_t len, struct svf_topology_error *error) SVF_MUST_CHECK;

/*
 * "FILE:LINE:COLUMN: text" as far as known, at most size - 1 characters and a NUL. size must not be
 * 0.
 */
void svf_topology_error_format(const struct svf_topology *topology,
			       const struct svf_topology_error *error, char *buf, size_t size);

#endif
