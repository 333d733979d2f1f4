/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small readers of text. The core has no stdio and no locale, and the texts are hostile, so
 * nothing here runs past a NUL, accepts what it does not know, or wraps around.
 */
#include "core/pci/parse.h"

#include <string.h>

int svf_parse_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool svf_parse_hex_prefix(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && svf_parse_digit(p[2]) >= 0)
		p += 2;
	if (svf_parse_digit(*p) < 0)
		return false;
	for (; svf_parse_digit(*p) >= 0; p++) {
		if (value >> 60)
			return false;
		value = value << 4 | (uint64_t)svf_parse_digit(*p);
	}
	*text = p;
	*ret = value;
	return true;
}

/* Decimal digits from *text up to end. */
static bool parse_decimal(const char **text, const char *end, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	if (p == end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return false;
	}
	*text = p;
	*ret = value;
	return true;
}

bool svf_parse_number(const char *text, uint64_t *ret)
{
	const char *end = text + strlen(text);
	uint64_t value;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		if (!svf_parse_hex_prefix(&text, &value))
			return false;
	} else if (!parse_decimal(&text, end, &value)) {
		return false;
	}
	if (text != end)
		return false;
	*ret = value;
	return true;
}

bool svf_parse_size(const char *text, size_t len, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *end = text + len;
	const char *unit;
	uint64_t value;
	unsigned int shift = 0;

	if (!parse_decimal(&text, end, &value))
		return false;
	if (text < end) {
		unit = memchr(units, *text, sizeof(units) - 1);
		if (!unit)
			return false;
		shift = 10u * (unsigned int)(unit - units + 1);
		text++;
	}
	if (text != end || value > UINT64_MAX >> shift)
		return false;
	*ret = value << shift;
	return true;
}

bool svf_parse_bool(const char *text, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"", true},	{"on", true},	  {"off", false}, {"yes", true}, {"no", false},
		{"true", true}, {"false", false}, {"1", true},	  {"0", false},
	};

	for (size_t i = 0; i < SVF_ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i].word) == 0) {
			*ret = words[i].value;
			return true;
		}
	}
	return false;
}

size_t svf_text_span(const char *text, char stop)
{
	const char *end = strchr(text, stop);

	return end ? (size_t)(end - text) : strlen(text);
}

bool svf_text_equal(const char *a, const char *b)
{
	size_t len = strlen(b);

	if (strncmp(a, b, len) != 0)
		return false;
	return a[len] == '\0' || (a[len] == '\n' && a[len + 1] == '\0');
}
