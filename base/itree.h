/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A balanced tree of disjoint inclusive ranges, ordered by first. Intrusive; nothing here
 * allocates, so removal never fails. All operations are O(log n).
 */
#ifndef SVF_BASE_ITREE_H
#define SVF_BASE_ITREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct svf_itree_node {
	struct svf_itree_node *parent, *left, *right;
	uint64_t first, last;
	int height; /* of the subtree: AVL */
};

struct svf_itree {
	struct svf_itree_node *root;
};

/* False, and nothing inserted, when the range touches one that is there. */
bool svf_itree_insert(struct svf_itree *tree, struct svf_itree_node *node) SVF_MUST_CHECK;
void svf_itree_remove(struct svf_itree *tree, struct svf_itree_node *node);
/* The lowest node that touches [first, last], or NULL. */
struct svf_itree_node *svf_itree_first(const struct svf_itree *tree, uint64_t first, uint64_t last);
/* The next in order, or NULL. */
struct svf_itree_node *svf_itree_next(const struct svf_itree_node *node);

#endif
