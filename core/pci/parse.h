/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading numbers and names out of text without stdio or locale: model options, sysfs stores,
 * config space dumps. Each function looks at a whole NUL-terminated word unless it says otherwise,
 * and writes its result only when it takes the text.
 */
#ifndef SVF_CORE_PCI_PARSE_H
#define SVF_CORE_PCI_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Value of a hex digit, or -1. */
int svf_parse_digit(char c);

/*
 * Hex digits from *text on, 0x allowed, at most 64 bits; moves *text behind them. False: none, or
 * too many.
 */
bool svf_parse_hex_prefix(const char **text, uint64_t *ret) SVF_MUST_CHECK;

/* Decimal, or hex with 0x. */
bool svf_parse_number(const char *text, uint64_t *ret) SVF_MUST_CHECK;

/* A number with an optional K, M, G or T behind it (powers of 1024), of the len bytes at text. */
bool svf_parse_size(const char *text, size_t len, uint64_t *ret) SVF_MUST_CHECK;

/* on, off, yes, no, true, false, 1, 0; "" is on. */
bool svf_parse_bool(const char *text, bool *ret) SVF_MUST_CHECK;

/* Characters before the first stop, or all there are. */
size_t svf_text_span(const char *text, char stop);

/* Equal, one newline at the end of a not counting, as the kernel compares names in stores. */
bool svf_text_equal(const char *a, const char *b);

#endif
