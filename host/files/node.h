/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node of the tree, as the filesystem sees it. tree.h is how nodes come to be.
 *
 * A node is in the tree (alive) or was (its name is gone). It is kept as long as one of three
 * holds: it is alive; the kernel knows its number (lookups); something of ours points to it (refs).
 * Numbers are never used twice, so a late request of the kernel about a node that is gone finds
 * nothing instead of another node.
 */
#ifndef SVF_HOST_FILES_NODE_H
#define SVF_HOST_FILES_NODE_H

#include <sys/types.h>

#include "base/list.h"
#include "host/files/tree.h"

enum svf_node_kind { SVF_NODE_DIR, SVF_NODE_LINK, SVF_NODE_ATTR, SVF_NODE_DEV };

#define SVF_NODE_ROOT 1ull /* FUSE_ROOT_ID */

struct svf_tree_node {
	struct svf_list sibling;      /* parent's children, in order of ino; alive nodes only */
	struct svf_list children;     /* SVF_NODE_DIR */
	struct svf_tree_node *parent; /* borrowed; outlives what is alive in it; NULL: root */
	struct svf_tree_node *name_next, *ino_next; /* hash chains */
	char *name;
	uint64_t ino;
	uint64_t stated; /* the tree's round in which it was last stated */
	bool alive;
	bool fresh; /* made in the round that is under way */
	bool stale; /* not stated in a round that failed: its object may be gone */
	unsigned int refs;
	uint64_t lookups;
	enum svf_node_kind kind;
	unsigned int subdirs;
	mode_t mode; /* permission bits; chmod changes them until the node goes */
	uid_t uid;
	gid_t gid;
	union {
		char *target; /* SVF_NODE_LINK, owned */
		struct {
			const struct svf_attr *ops;
			void *object;
			uintptr_t arg;
		} attr;
		struct {
			enum svf_devnode kind;
			unsigned int number;
		} dev;
	};
};

/* Whether the node's object may be followed. */
static inline bool svf_tree_node_usable(const struct svf_tree_node *node)
{
	return node->alive && !node->stale;
}

/* By the kernel's number, alive or not; NULL. */
struct svf_tree_node *svf_tree_by_ino(struct svf_tree *tree, uint64_t ino);
/* By name, alive; NULL. */
struct svf_tree_node *svf_tree_lookup(struct svf_tree *tree, struct svf_tree_node *dir,
				      const char *name);
/* What the kernel and open files hold; the last one frees a node that is not alive. */
void svf_tree_node_get(struct svf_tree_node *node);
void svf_tree_node_put(struct svf_tree *tree, struct svf_tree_node *node);
void svf_tree_forget(struct svf_tree *tree, struct svf_tree_node *node, uint64_t lookups);

/* The path within the tree, with a leading '/', cut to size. */
void svf_tree_node_path(const struct svf_tree_node *node, char *buf, size_t size);

#endif
