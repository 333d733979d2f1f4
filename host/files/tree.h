/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree of names that the FUSE filesystem shows: directories, symbolic links, attributes
 * (small text or binary files as in sysfs) and our device nodes. Two subtrees: "dev" (vfio/,
 * iommu) and "sys" (devices/, bus/, kernel/, class/, module/), which the launcher mounts over the
 * real places.
 *
 * The tree is reconciled, not edited: whenever the machine says that names changed, the whole
 * wanted tree is stated again between begin and end; a node stated again with the same kind keeps
 * its inode number, and a node not stated is removed (its open files stay valid but see ENODEV).
 * The kernel caches no names (fuse.h), so none has to be taken back. Stating some thousand names
 * costs well under a millisecond.
 */
#ifndef SVF_HOST_FILES_TREE_H
#define SVF_HOST_FILES_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/compiler.h"

struct svf_call;
struct svf_host;
struct svf_tree;
struct svf_tree_node;

/* An attribute: how a file of sysfs is read and written. One const object for each kind of file. */
struct svf_attr {
	const char *name;
	mode_t mode; /* permission bits, 0644 */
	bool outlives; /* the object lives on when its name has gone: a store that waits goes on then */
	/* Size that stat shows, bytes; 0 means 4096 as sysfs says. size() wins where it is set. */
	uint64_t size;
	uint64_t (*size_of)(void *object, uintptr_t arg);
	/*
	 * Text: writes the value with its newline, at most size bytes (a page). Return: length or
	 * negative errno. Read again for every read at offset 0, so that a reader always sees the
	 * present.
	 */
	ssize_t (*show)(struct svf_host *host, void *object, uintptr_t arg, char *buf, size_t size);
	/*
	 * Text: a whole value as written by one write(2), NUL added after len bytes. Return: 0 (all
	 * taken), negative errno, SVF_BLOCKED, SVF_RESTART never.
	 */
	int (*store)(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
		     const char *text, size_t len);
	/* Binary files ("config", "resourceN"): at an offset. Instead of show and store. */
	ssize_t (*read)(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			void *buf, size_t len, uint64_t offset);
	ssize_t (*write)(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			 const void *buf, size_t len, uint64_t offset);
};

/* What a device node of ours opens. */
enum svf_devnode {
	SVF_DEVNODE_CONTAINER,
	SVF_DEVNODE_GROUP,
	SVF_DEVNODE_CDEV,
	SVF_DEVNODE_IOMMUFD
};

struct svf_tree *svf_tree_alloc(struct svf_host *host) SVF_MUST_CHECK;
void svf_tree_destroy(struct svf_tree *tree);

/*
 * State the wanted tree. Each returns the node, or NULL when out of memory (end then keeps the old
 * tree and gives -ENOMEM). names are copied. object and arg identify the attribute together; object
 * is never followed by the tree, and an attribute restated with another object is a new node.
 */
void svf_tree_begin(struct svf_tree *tree);
struct svf_tree_node *svf_tree_root(struct svf_tree *tree);
struct svf_tree_node *svf_tree_dir(struct svf_tree *tree, struct svf_tree_node *parent,
				   const char *name);
/* target is relative to the link's own directory and is given as it reads back. */
struct svf_tree_node *svf_tree_link(struct svf_tree *tree, struct svf_tree_node *parent,
				    const char *name, const char *target);
struct svf_tree_node *svf_tree_attr(struct svf_tree *tree, struct svf_tree_node *parent,
				    const char *name, const struct svf_attr *attr, void *object,
				    uintptr_t arg);
struct svf_tree_node *svf_tree_devnode(struct svf_tree *tree, struct svf_tree_node *parent,
				       const char *name, mode_t mode, enum svf_devnode kind,
				       unsigned int number);
int svf_tree_end(struct svf_tree *tree) SVF_MUST_CHECK;

#endif
