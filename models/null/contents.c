/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contents that come as files. Options are text, so whoever reads the topology hands a binary file
 * over as hexadecimal digits in lower case, two a byte.
 */
#include "models/null/contents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROM_LEAST 2048u

static unsigned int digit(char c)
{
	return c >= 'a' ? (unsigned int)(c - 'a' + 10) : (unsigned int)(c - '0');
}

/* NULL: out of memory. */
static uint8_t *read_hex(const char *hex, size_t *ret_len)
{
	size_t len = hex ? strlen(hex) / 2 : 0;
	uint8_t *bytes = calloc(1, len + 1);

	for (size_t i = 0; bytes && i < len; i++)
		bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	*ret_len = len;
	return bytes;
}

int svf_null_add_rom(struct svf_function *fn, const char *hex, uint64_t size, bool may_grow,
		     struct svf_model_error *error)
{
	size_t len;
	uint8_t *bytes = read_hex(hex, &len);
	int err;

	if (!bytes)
		return -ENOMEM;
	for (uint64_t fit = ROM_LEAST; !size || (may_grow && size < len); fit <<= 1)
		size = fit;
	err = svf_model_set_rom(fn, bytes, len, size, error);
	free(bytes);
	return err;
}

int svf_null_add_vpd(struct svf_function *fn, const char *hex, struct svf_model_error *error)
{
	size_t len;
	uint8_t *bytes = read_hex(hex, &len);
	int err;

	if (!bytes)
		return -ENOMEM;
	err = svf_model_set_vpd(fn, bytes, len, error);
	free(bytes);
	return err;
}
