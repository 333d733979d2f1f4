/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * YAML as a small tree: scalars, sequences and mappings with their places in the text. Private to
 * host/topology*.c.
 */
#ifndef SVF_HOST_TOPOLOGY_YAML_H
#define SVF_HOST_TOPOLOGY_YAML_H

#include "base/list.h"
#include "host/topology/reader.h"

enum svf_yaml_kind { SVF_YAML_SCALAR, SVF_YAML_SEQUENCE, SVF_YAML_MAPPING };

struct svf_yaml {
	struct svf_list link;	  /* in children of the one above */
	struct svf_list children; /* of a sequence or mapping, in order */
	enum svf_yaml_kind kind;
	struct svf_mark at;
	char *text; /* of a scalar */
	char *key;  /* of a mapping's child */
	struct svf_mark key_at;
};

/*
 * Reads one document. Aliases, anchors, tags and repeated keys are refused. *ret is NULL when the
 * text holds nothing. Return: 0, -ENOMEM, -EINVAL with the reader's error filled.
 */
int svf_yaml_parse(struct svf_topology_reader *reader, const char *text, size_t len,
		   struct svf_yaml **ret) SVF_MUST_CHECK;
void svf_yaml_destroy(struct svf_yaml *yaml);

/* The child of a mapping with that key, or NULL. */
struct svf_yaml *svf_yaml_lookup(const struct svf_yaml *mapping, const char *key);

/* "a text", "a list", "a mapping", for messages. */
const char *svf_yaml_kind_name(enum svf_yaml_kind kind);

#endif
