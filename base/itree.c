/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An AVL tree keyed by the first byte of each range. The ranges never overlap, so ordering by
 * first is also ordering by last, and any range that touches a wanted one lies on the one path
 * from the root that a search for it takes; no maximum of subtrees has to be kept.
 *
 * Every node's height is that of its longest path down to a missing child, plus one. The heights
 * of two siblings differ by one at most; insertion and removal restore that from the place of the
 * change up to the root, and stop where a height did not change.
 */
#include "base/itree.h"

#include <stddef.h>

static int height(const struct svf_itree_node *node)
{
	return node ? node->height : 0;
}

static void height_update(struct svf_itree_node *node)
{
	int left = height(node->left), right = height(node->right);

	node->height = (left > right ? left : right) + 1;
}

/* Puts new, which may be NULL, where old hangs below parent. */
static void replace_child(struct svf_itree *tree, struct svf_itree_node *parent,
			  struct svf_itree_node *old, struct svf_itree_node *new)
{
	if (!parent)
		tree->root = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new)
		new->parent = parent;
}

/* node goes down to the left, its right child takes its place and is returned. */
static struct svf_itree_node *rotate_left(struct svf_itree *tree, struct svf_itree_node *node)
{
	struct svf_itree_node *up = node->right;

	replace_child(tree, node->parent, node, up);
	node->right = up->left;
	if (node->right)
		node->right->parent = node;
	up->left = node;
	node->parent = up;
	height_update(node);
	height_update(up);
	return up;
}

static struct svf_itree_node *rotate_right(struct svf_itree *tree, struct svf_itree_node *node)
{
	struct svf_itree_node *up = node->left;

	replace_child(tree, node->parent, node, up);
	node->left = up->right;
	if (node->left)
		node->left->parent = node;
	up->right = node;
	node->parent = up;
	height_update(node);
	height_update(up);
	return up;
}

/* Returns what stands at node's place afterwards, with the right height. */
static struct svf_itree_node *balance(struct svf_itree *tree, struct svf_itree_node *node)
{
	int lean = height(node->left) - height(node->right);

	if (lean > 1) {
		if (height(node->left->left) < height(node->left->right))
			rotate_left(tree, node->left);
		return rotate_right(tree, node);
	}
	if (lean < -1) {
		if (height(node->right->right) < height(node->right->left))
			rotate_right(tree, node->right);
		return rotate_left(tree, node);
	}
	height_update(node);
	return node;
}

static void balance_up(struct svf_itree *tree, struct svf_itree_node *node)
{
	while (node) {
		int before = node->height;

		node = balance(tree, node);
		if (node->height == before)
			return;
		node = node->parent;
	}
}

bool svf_itree_insert(struct svf_itree *tree, struct svf_itree_node *node)
{
	struct svf_itree_node **link = &tree->root, *parent = NULL;

	while (*link) {
		parent = *link;
		if (node->last < parent->first)
			link = &parent->left;
		else if (node->first > parent->last)
			link = &parent->right;
		else
			return false;
	}
	node->parent = parent;
	node->left = NULL;
	node->right = NULL;
	node->height = 1;
	*link = node;
	balance_up(tree, parent);
	return true;
}

/* node has two children: its successor, which has no left child, takes its place. */
static struct svf_itree_node *remove_inner(struct svf_itree *tree, struct svf_itree_node *node)
{
	struct svf_itree_node *next = svf_itree_next(node), *start = next->parent;

	if (start == node) {
		start = next;
	} else {
		replace_child(tree, start, next, next->right);
		next->right = node->right;
		next->right->parent = next;
	}
	next->left = node->left;
	next->left->parent = next;
	next->height = node->height;
	replace_child(tree, node->parent, node, next);
	return start;
}

void svf_itree_remove(struct svf_itree *tree, struct svf_itree_node *node)
{
	struct svf_itree_node *start = node->parent;

	if (node->left && node->right)
		start = remove_inner(tree, node);
	else
		replace_child(tree, node->parent, node, node->left ? node->left : node->right);
	balance_up(tree, start);
}

struct svf_itree_node *svf_itree_first(const struct svf_itree *tree, uint64_t first, uint64_t last)
{
	struct svf_itree_node *node = tree->root, *found = NULL;

	while (node) {
		if (node->last >= first) {
			found = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found && found->first <= last ? found : NULL;
}

struct svf_itree_node *svf_itree_next(const struct svf_itree_node *node)
{
	struct svf_itree_node *next;

	if (node->right) {
		next = node->right;
		while (next->left)
			next = next->left;
		return next;
	}
	while (node->parent && node->parent->right == node)
		node = node->parent;
	return node->parent;
}
