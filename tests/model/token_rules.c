/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of token_rules.h, by number. Nothing here comes from any implementation. */
#include "tests/model/token_rules.h"

#include <assert.h>
#include <errno.h>

/* Rule 1. */
void token_rules_bind(struct token_function *fn, bool to_vfio)
{
	assert(fn->files == 0);
	fn->on_vfio = to_vfio;
	fn->token = TOKEN_SECRET;
}

static int must_be(int token, int given)
{
	return given == token ? 0 : -EACCES;
}

int token_rules_ask(struct token_function *fn, int given)
{
	/* Rule 2. */
	if (fn->pf && fn->pf->on_vfio)
		return must_be(fn->pf->token, given);
	/* Rule 3. */
	if (fn->is_pf && fn->vfs_in_use)
		return must_be(fn->token, given);
	if (fn->is_pf) {
		if (given != TOKEN_NONE)
			fn->token = given;
		return 0;
	}
	/* Rule 4. */
	return given == TOKEN_NONE ? 0 : -EINVAL;
}

void token_rules_open(struct token_function *fn)
{
	assert(fn->on_vfio);
	if (fn->files++ == 0 && fn->pf)
		fn->pf->vfs_in_use++;
}

void token_rules_close(struct token_function *fn)
{
	assert(fn->files);
	if (--fn->files == 0 && fn->pf)
		fn->pf->vfs_in_use--;
}

/* Rule 5. */
int token_rules_replace(struct token_function *fn, int token)
{
	if (!fn->is_pf)
		return -ENOTTY;
	fn->token = token;
	return 0;
}
