/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values of sysfs as text, both ways. The stores of the kernel read numbers by one family of
 * functions whose corners users meet: "0x2", "+2" and "2\n" are fine, " 2", "2 " and "" are EINVAL.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/sysfs/sysfs.h"

ssize_t svf_sysfs_emit(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (length < 0)
		return -EIO;
	return (size_t)length < size ? length : (ssize_t)size - 1;
}

int svf_sysfs_parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (*text == '+')
		text++;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 0);
	if (*end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	if (errno == ERANGE || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int svf_sysfs_parse_bool(const char *text, bool *ret)
{
	if (strchr("yYtT1", *text) && *text)
		*ret = true;
	else if (strchr("nNfF0", *text) && *text)
		*ret = false;
	else if (strncasecmp(text, "on", 2) == 0)
		*ret = true;
	else if (strncasecmp(text, "of", 2) == 0)
		*ret = false;
	else
		return -EINVAL;
	return 0;
}
