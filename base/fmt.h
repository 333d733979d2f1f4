/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Formatting without stdio, for reasons and kernel messages made in the core. The verbs are a
 * subset of printf's, so that the compiler checks the arguments: %s %.*s %c %d %u %x with the
 * length modifiers hh, h, l, ll and z, zero-padding and field width, and %%.
 */
#ifndef SVF_BASE_FMT_H
#define SVF_BASE_FMT_H

#include <stdarg.h>
#include <stddef.h>

#include "base/compiler.h"

/*
 * Writes at most size - 1 characters and a terminating NUL (size must not be 0).
 * Return: the length of the whole text, which did not fit if it is size or more.
 */
size_t svf_vfmt(char *buf, size_t size, const char *fmt, va_list ap) SVF_PRINTF(3, 0);
size_t svf_fmt(char *buf, size_t size, const char *fmt, ...) SVF_PRINTF(3, 4);

#endif
