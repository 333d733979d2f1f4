/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree of names and its reconciliation; tree.h and node.h say what is promised.
 *
 * A round goes from begin to end. Stating a node finds the one of the same parent, name and meaning
 * and marks it with the round, or makes a fresh one beside whatever has the name now. Two nodes of
 * one name exist only within a round, where nobody looks names up: end() then removes what was not
 * marked, or, when memory ran out in between, what is fresh, and so always leaves a whole tree.
 * What such a round did not come to keeps its name, but its object is not followed until it is
 * stated again.
 *
 * Two hashes over the same nodes: by (parent, name), of alive nodes; by number, of all of them.
 * Removing needs no memory and never fails.
 */
#include "host/files/tree.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/files/node.h"
#include "host/host.h"

struct svf_tree {
	struct svf_host *host;
	struct svf_tree_node *root;
	struct svf_tree_node **by_name, **by_ino; /* size chains each */
	size_t size, count;			  /* size: a power of two */
	uint64_t round, next_ino;
	bool failed; /* a node could not be made in this round */
};

#define FIRST_SIZE 256u

static size_t hash_ino(const struct svf_tree *tree, uint64_t ino)
{
	return (size_t)(ino & (tree->size - 1));
}

/* FNV-1a over the name, begun with the parent's number. */
static size_t hash_name(const struct svf_tree *tree, uint64_t parent, const char *name)
{
	uint64_t h = 0xcbf29ce484222325ull ^ parent;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ull;
	return (size_t)((h ^ h >> 32) & (tree->size - 1));
}

static void chain_name(struct svf_tree *tree, struct svf_tree_node *node)
{
	size_t slot = hash_name(tree, node->parent->ino, node->name);

	node->name_next = tree->by_name[slot];
	tree->by_name[slot] = node;
}

static void chain_ino(struct svf_tree *tree, struct svf_tree_node *node)
{
	size_t slot = hash_ino(tree, node->ino);

	node->ino_next = tree->by_ino[slot];
	tree->by_ino[slot] = node;
}

static void unchain_name(struct svf_tree *tree, struct svf_tree_node *node)
{
	struct svf_tree_node **at = &tree->by_name[hash_name(tree, node->parent->ino, node->name)];

	while (*at != node)
		at = &(*at)->name_next;
	*at = node->name_next;
}

static void unchain_ino(struct svf_tree *tree, struct svf_tree_node *node)
{
	struct svf_tree_node **at = &tree->by_ino[hash_ino(tree, node->ino)];

	while (*at != node)
		at = &(*at)->ino_next;
	*at = node->ino_next;
}

/* Doubles both hashes; without memory they stay as they are and only get slower. */
static void grow(struct svf_tree *tree)
{
	struct svf_tree_node **old_ino = tree->by_ino;
	size_t old_size = tree->size, size = old_size ? 2 * old_size : FIRST_SIZE;
	struct svf_tree_node **by_name = calloc(size, sizeof(struct svf_tree_node *));
	struct svf_tree_node **by_ino = calloc(size, sizeof(struct svf_tree_node *));

	if (!by_name || !by_ino) {
		free(by_name);
		free(by_ino);
		return;
	}
	free(tree->by_name);
	tree->by_name = by_name;
	tree->by_ino = by_ino;
	tree->size = size;
	for (size_t i = 0; i < old_size; i++) {
		for (struct svf_tree_node *node = old_ino[i], *next; node; node = next) {
			next = node->ino_next;
			chain_ino(tree, node);
			if (node->alive && node->parent)
				chain_name(tree, node);
		}
	}
	free(old_ino);
}

static void node_free(struct svf_tree_node *node)
{
	if (node->kind == SVF_NODE_LINK)
		free(node->target);
	free(node->name);
	free(node);
}

static void node_free_unused(struct svf_tree *tree, struct svf_tree_node *node)
{
	if (node->alive || node->refs || node->lookups)
		return;
	unchain_ino(tree, node);
	tree->count--;
	node_free(node);
}

/* Takes it out of the tree; its children must be out already or follow at once. */
static void node_kill(struct svf_tree *tree, struct svf_tree_node *node)
{
	unchain_name(tree, node);
	svf_list_del(&node->sibling);
	if (node->kind == SVF_NODE_DIR)
		node->parent->subdirs--;
	node->alive = false;
	node->parent = NULL;
	node_free_unused(tree, node);
}

/* A node that is in no tree yet. */
static struct svf_tree_node *node_alloc(const char *name, enum svf_node_kind kind, mode_t mode)
{
	struct svf_tree_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->name = strdup(name);
	if (!node->name) {
		free(node);
		return NULL;
	}
	svf_list_init(&node->sibling);
	svf_list_init(&node->children);
	node->kind = kind;
	node->mode = mode;
	return node;
}

static struct svf_tree_node *node_add(struct svf_tree *tree, struct svf_tree_node *parent,
				      struct svf_tree_node *node)
{
	if (tree->count >= tree->size)
		grow(tree);
	tree->count++;
	node->ino = tree->next_ino++;
	node->alive = true;
	node->fresh = true;
	node->stated = tree->round;
	node->uid = tree->host->options.uid;
	node->gid = tree->host->options.gid;
	chain_ino(tree, node);
	if (!parent)
		return node;
	node->parent = parent;
	if (node->kind == SVF_NODE_DIR)
		parent->subdirs++;
	svf_list_add_tail(&parent->children, &node->sibling);
	chain_name(tree, node);
	return node;
}

struct svf_tree *svf_tree_alloc(struct svf_host *host)
{
	struct svf_tree *tree = calloc(1, sizeof(*tree));
	struct svf_tree_node *root;

	if (!tree)
		return NULL;
	tree->host = host;
	tree->next_ino = SVF_NODE_ROOT;
	grow(tree);
	root = node_alloc("", SVF_NODE_DIR, 0755);
	if (!tree->size || !root) {
		if (root)
			node_free(root);
		free(tree->by_name);
		free(tree->by_ino);
		free(tree);
		return NULL;
	}
	tree->root = node_add(tree, NULL, root);
	return tree;
}

void svf_tree_destroy(struct svf_tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->size; i++) {
		for (struct svf_tree_node *node = tree->by_ino[i], *next; node; node = next) {
			next = node->ino_next;
			node_free(node);
		}
	}
	free(tree->by_name);
	free(tree->by_ino);
	free(tree);
}

void svf_tree_begin(struct svf_tree *tree)
{
	tree->round++;
	tree->failed = false;
	tree->root->stated = tree->round;
}

struct svf_tree_node *svf_tree_root(struct svf_tree *tree)
{
	return tree->root;
}

/* Whether node is what like says, under whatever number. */
static bool node_same(const struct svf_tree_node *node, const struct svf_tree_node *like)
{
	if (node->kind != like->kind)
		return false;
	switch (node->kind) {
	case SVF_NODE_DIR:
		return true;
	case SVF_NODE_LINK:
		return !strcmp(node->target, like->target);
	case SVF_NODE_ATTR:
		return node->attr.ops == like->attr.ops && node->attr.object == like->attr.object &&
		       node->attr.arg == like->attr.arg;
	case SVF_NODE_DEV:
		return node->dev.kind == like->dev.kind && node->dev.number == like->dev.number;
	}
	return false;
}

/* like carries what the node is; its target, if it has one, is the caller's and is copied. */
static struct svf_tree_node *state(struct svf_tree *tree, struct svf_tree_node *parent,
				   const char *name, const struct svf_tree_node *like)
{
	struct svf_tree_node *node;

	if (!parent)
		return NULL;
	for (node = tree->by_name[hash_name(tree, parent->ino, name)]; node;
	     node = node->name_next) {
		if (node->parent == parent && !strcmp(node->name, name) && node_same(node, like)) {
			node->stated = tree->round;
			node->stale = false;
			return node;
		}
	}
	node = node_alloc(name, like->kind, like->mode);
	if (!node)
		goto err;
	if (like->kind == SVF_NODE_LINK) {
		node->target = strdup(like->target);
		if (!node->target)
			goto err;
	} else if (like->kind == SVF_NODE_ATTR) {
		node->attr = like->attr;
	} else if (like->kind == SVF_NODE_DEV) {
		node->dev = like->dev;
	}
	return node_add(tree, parent, node);
err:
	if (node)
		node_free(node);
	tree->failed = true;
	return NULL;
}

struct svf_tree_node *svf_tree_dir(struct svf_tree *tree, struct svf_tree_node *parent,
				   const char *name)
{
	struct svf_tree_node like = {.kind = SVF_NODE_DIR, .mode = 0755};

	return state(tree, parent, name, &like);
}

struct svf_tree_node *svf_tree_link(struct svf_tree *tree, struct svf_tree_node *parent,
				    const char *name, const char *target)
{
	/* Only read through like; node_same() and strdup() take it as const. */
	struct svf_tree_node like = {
		.kind = SVF_NODE_LINK, .mode = 0777, .target = (char *)(uintptr_t)target};

	return state(tree, parent, name, &like);
}

struct svf_tree_node *svf_tree_attr(struct svf_tree *tree, struct svf_tree_node *parent,
				    const char *name, const struct svf_attr *attr, void *object,
				    uintptr_t arg)
{
	struct svf_tree_node like = {
		.kind = SVF_NODE_ATTR,
		.mode = attr->mode,
		.attr = {.ops = attr, .object = object, .arg = arg},
	};

	return state(tree, parent, name, &like);
}

struct svf_tree_node *svf_tree_devnode(struct svf_tree *tree, struct svf_tree_node *parent,
				       const char *name, mode_t mode, enum svf_devnode kind,
				       unsigned int number)
{
	struct svf_tree_node like = {
		.kind = SVF_NODE_DEV,
		.mode = mode,
		.dev = {.kind = kind, .number = number},
	};

	return state(tree, parent, name, &like);
}

/* Below dir, children before their parents: what was not stated, or (undo) what is fresh. */
static void sweep(struct svf_tree *tree, struct svf_tree_node *dir, bool undo)
{
	struct svf_tree_node *node, *tmp;

	svf_list_for_each_safe(node, tmp, &dir->children, sibling) {
		if (node->kind == SVF_NODE_DIR)
			sweep(tree, node, undo);
		node->stale = node->stated != tree->round;
		if (undo ? node->fresh : node->stale)
			node_kill(tree, node);
		else
			node->fresh = false;
	}
}

int svf_tree_end(struct svf_tree *tree)
{
	sweep(tree, tree->root, tree->failed);
	return tree->failed ? -ENOMEM : 0;
}

struct svf_tree_node *svf_tree_by_ino(struct svf_tree *tree, uint64_t ino)
{
	struct svf_tree_node *node = tree->by_ino[hash_ino(tree, ino)];

	while (node && node->ino != ino)
		node = node->ino_next;
	return node;
}

struct svf_tree_node *svf_tree_lookup(struct svf_tree *tree, struct svf_tree_node *dir,
				      const char *name)
{
	struct svf_tree_node *node = tree->by_name[hash_name(tree, dir->ino, name)];

	while (node && (node->parent != dir || strcmp(node->name, name)))
		node = node->name_next;
	return node;
}

void svf_tree_node_get(struct svf_tree_node *node)
{
	node->refs++;
}

void svf_tree_node_put(struct svf_tree *tree, struct svf_tree_node *node)
{
	if (!node)
		return;
	assert(node->refs);
	node->refs--;
	node_free_unused(tree, node);
}

void svf_tree_forget(struct svf_tree *tree, struct svf_tree_node *node, uint64_t lookups)
{
	node->lookups -= lookups < node->lookups ? lookups : node->lookups;
	node_free_unused(tree, node);
}

void svf_tree_node_path(const struct svf_tree_node *node, char *buf, size_t size)
{
	char *at = buf + size - 1;

	/* Built from its end; what does not fit is the beginning, which says least. */
	*at = '\0';
	for (; node && node->parent; node = node->parent) {
		size_t len = strlen(node->name);

		if (len + 1 > (size_t)(at - buf))
			break;
		at -= len;
		memcpy(at, node->name, len);
		*--at = '/';
	}
	/* A node that is out of the tree has nothing left but its name. */
	if (node && !node->alive && node->ino != SVF_NODE_ROOT && *at == '\0') {
		snprintf(buf, size, "%s (gone)", node->name);
		return;
	}
	memmove(buf, at, strlen(at) + 1);
}
