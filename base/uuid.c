/* SPDX-License-Identifier: BSD-3-Clause */
/* Text and bytes of a UUID, see base/uuid.h. */
#include "base/uuid.h"

#include <string.h>

#include "base/fmt.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_dash_position(unsigned int i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool svf_uuid_parse(const char *text, struct svf_uuid *ret)
{
	struct svf_uuid uuid = {0};
	unsigned int nibble = 0;

	for (unsigned int i = 0; i < SVF_UUID_TEXT_LEN; i++) {
		int digit = hex_digit(text[i]);

		if (is_dash_position(i) ? text[i] != '-' : digit < 0)
			return false;
		if (is_dash_position(i))
			continue;
		uuid.b[nibble / 2] = (uint8_t)(uuid.b[nibble / 2] << 4 | digit);
		nibble++;
	}
	*ret = uuid;
	return true;
}

void svf_uuid_format(const struct svf_uuid *uuid, char text[SVF_UUID_TEXT_LEN + 1])
{
	size_t n = 0;

	for (unsigned int i = 0; i < sizeof(uuid->b); i++) {
		if (is_dash_position((unsigned int)n))
			text[n++] = '-';
		n += svf_fmt(text + n, 3, "%02x", uuid->b[i]);
	}
}

bool svf_uuid_equal(const struct svf_uuid *a, const struct svf_uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
