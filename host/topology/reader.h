/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the readers of topologies have in common: nodes, options, messages. Private to
 * host/topology*.c.
 */
#ifndef SVF_HOST_TOPOLOGY_READER_H
#define SVF_HOST_TOPOLOGY_READER_H

#include "core/pci/topology.h"
#include "host/topology/topology.h"

struct svf_model_ops;

/* Where a word was written. */
struct svf_mark {
	unsigned int line, column;
};

struct svf_topology_reader {
	struct svf_topology *topology;
	struct svf_topology_error *error;
	unsigned int nodes; /* of the topology so far */
	const char *prefix; /* of every message; "" or "-d SPEC: " */
};

void svf_reader_init(struct svf_topology_reader *reader, struct svf_topology *topology,
		     struct svf_topology_error *error, const char *prefix);

/* Fills the error and gives -EINVAL. */
int svf_reader_fail(struct svf_topology_reader *reader, struct svf_mark at, const char *fmt, ...)
	SVF_PRINTF(3, 4);

/* A new node among siblings, which own it. Return: 0, -ENOMEM, -EINVAL when there are too many. */
int svf_reader_add_node(struct svf_topology_reader *reader, struct svf_list *siblings,
			struct svf_mark at, struct svf_topology_node **ret) SVF_MUST_CHECK;
/* Copies of key and value. */
int svf_reader_add_option(struct svf_list *options, const char *key, const char *value,
			  struct svf_mark at) SVF_MUST_CHECK;

/* The parts of a node; each says what is wrong with the text. base as for svf_reader_set_option(). */
int svf_reader_set_model(struct svf_topology_reader *reader, struct svf_topology_node *node,
			 const char *text, struct svf_mark at, const char *base) SVF_MUST_CHECK;
int svf_reader_set_address(struct svf_topology_reader *reader, struct svf_topology_node *node,
			   const char *text, struct svf_mark at) SVF_MUST_CHECK;
int svf_reader_set_driver(struct svf_topology_reader *reader, struct svf_topology_node *node,
			  const char *text, struct svf_mark at) SVF_MUST_CHECK;
int svf_reader_set_acs(struct svf_topology_reader *reader, struct svf_topology_node *node,
		       const char *text, struct svf_mark at) SVF_MUST_CHECK;
/* DD.F, and more of them with + in between: of the node's bus. */
int svf_reader_set_dma_alias(struct svf_topology_reader *reader, struct svf_topology_node *node,
			     const char *text, struct svf_mark at) SVF_MUST_CHECK;
/* VVVV:DDDD, of a port or bridge. */
int svf_reader_set_id(struct svf_topology_reader *reader, struct svf_topology_node *node,
		      const char *text, struct svf_mark at) SVF_MUST_CHECK;
/*
 * An option of the node's model, which must be set. known: names beside the model's options, for
 * the message about an unknown one, each followed by ", ". base: file whose folder relative names
 * start from; NULL: the working directory.
 */
int svf_reader_set_option(struct svf_topology_reader *reader, struct svf_topology_node *node,
			  const char *key, const char *value, struct svf_mark at, const char *known,
			  const char *base) SVF_MUST_CHECK;

/* All of a regular file without NULs, NUL-terminated, to be freed. Return: 0, negative errno. */
int svf_text_read(const char *path, size_t max, char **ret_text, size_t *ret_len) SVF_MUST_CHECK;

#endif
