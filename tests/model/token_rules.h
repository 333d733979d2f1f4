/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VF tokens, as rules. This is the specification, written down as a program so that it can be run
 * beside the core; it knows nothing of groups, containers, iommufd, sysfs or how any of them works.
 *
 * Who drives a PF from user space can take its VFs down, or read what passes through them; so the
 * user of a VF must have agreed with the user of the PF. Having agreed is knowing a token, a UUID.
 *
 *  1. A PF has a token while it is bound to vfio-pci, and at no other time. When it is bound
 *     the token is a fresh secret that nobody knows; when it is unbound the token is forgotten.
 *  2. Whoever asks for a VF whose PF is bound to vfio-pci must give the PF's token.
 *  3. Whoever asks for a PF of which a VF is in use must give the PF's token. While none is in use
 *     nothing need be given, and what is given becomes the token.
 *  4. For any other function nothing may be given.
 *  5. The user of a PF may replace the token at any time. VFs that are in use stay in use.
 *  6. Asking and getting are two things: a request that is refused later for another reason has
 *     still been asked, and a token that it gave for a PF by rule 3 stays in force.
 *  7. The rules are the same whichever way one asks: by name through a group, or by binding a
 *     cdev; for the first file of a function and for every other one.
 *
 * Nothing given where something must be, and something else than the token, is EACCES; something
 * given where nothing may be, EINVAL. Replacing the token of what has none is ENOTTY.
 */
#ifndef SVF_TESTS_MODEL_TOKEN_RULES_H
#define SVF_TESTS_MODEL_TOKEN_RULES_H

#include <stdbool.h>

/* Tokens are numbers from 1. */
#define TOKEN_NONE   0	/* nothing given */
#define TOKEN_SECRET -1 /* nobody knows it, so that nobody can give it */

struct token_function {
	bool is_pf;
	struct token_function *pf; /* of a VF; NULL otherwise */
	bool on_vfio;		   /* bound to vfio-pci */
	int token;		   /* of a PF on vfio-pci */
	unsigned int files;	   /* with which it is used now */
	unsigned int vfs_in_use;   /* of a PF: how many of its VFs have any */
};

/* Bound to a driver, vfio-pci or another, or to none. It is not in use. */
void token_rules_bind(struct token_function *fn, bool to_vfio);

/* Somebody asks for the function. Return: 0, or the negative errno of the refusal. */
int token_rules_ask(struct token_function *fn, int given);

/* A request was granted in the end; one file is closed. */
void token_rules_open(struct token_function *fn);
void token_rules_close(struct token_function *fn);

/* A user of the function replaces its token. Return: 0, -ENOTTY. */
int token_rules_replace(struct token_function *fn, int token);

#endif
