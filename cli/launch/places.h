/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Places: directories of /dev and /sys in which real names and ours stand side by side. See
 * places.c.
 */
#ifndef SVF_CLI_LAUNCH_PLACES_H
#define SVF_CLI_LAUNCH_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define SVF_PLACE_HIDDEN_MAX 4

struct svf_place {
	const char *path;			  /* absolute */
	const char *hidden[SVF_PLACE_HIDDEN_MAX]; /* real names never shown, fnmatch(3) patterns */
	bool follow; /* real links into a tree of PCI devices are replaced by what they lead to */
};

struct svf_name {
	char *name;
	unsigned char type; /* DT_* */
};

/* The entries of a directory, sorted by name. Zeroed: empty. */
struct svf_names {
	struct svf_name *entry;
	size_t count;
};

/* Lists a directory. fd: O_PATH. Return: 0 or negative errno. */
int svf_names_read(int fd, struct svf_names *ret) SVF_MUST_CHECK;
void svf_names_fini(struct svf_names *names);
const struct svf_name *svf_names_lookup(const struct svf_names *names, const char *name);
void svf_names_drop(struct svf_names *names, const char *name);

/*
 * Covers the place with a tmpfs and shows the real entries in it, but the hidden ones and those
 * that stand in ours (may be NULL). real_fd: O_PATH, the real directory.
 */
int svf_place_cover(const struct svf_place *place, int real_fd,
		    const struct svf_names *ours) SVF_MUST_CHECK;

/* Mounts our entries, of the directory ours_fd, over or into the place. */
int svf_place_fill(const struct svf_place *place, int ours_fd,
		   const struct svf_names *ours) SVF_MUST_CHECK;

/* Whether real, the entries of real_fd, has a link that follow replaces. */
bool svf_place_has_followed(const struct svf_place *place, int real_fd,
			    const struct svf_names *real);

/* Whether the place is to be covered: real has a name to be hidden, or lacks one of ours. */
bool svf_place_needs_cover(const struct svf_place *place, const struct svf_names *real,
			   const struct svf_names *ours);

#endif
