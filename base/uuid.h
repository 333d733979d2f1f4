/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UUIDs as the VF token uses them: 16 bytes in the order of their text form (RFC 9562), compared
 * as bytes.
 */
#ifndef SVF_BASE_UUID_H
#define SVF_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define SVF_UUID_TEXT_LEN 36

struct svf_uuid {
	uint8_t b[16];
};

/*
 * Reads 8-4-4-4-12 hex digits of either case from the first 36 characters of text, which may be
 * followed by anything (the kernel's uuid_parse looks no further either).
 * Return: false when they are not a UUID.
 */
bool svf_uuid_parse(const char *text, struct svf_uuid *ret) SVF_MUST_CHECK;

/* Writes 36 lower-case characters and a NUL. */
void svf_uuid_format(const struct svf_uuid *uuid, char text[SVF_UUID_TEXT_LEN + 1]);

bool svf_uuid_equal(const struct svf_uuid *a, const struct svf_uuid *b);

#endif
