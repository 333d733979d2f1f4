/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading the address of a function as sysfs spells it: "0000:03:00.0", lower or upper case, each
 * field at its full width, nothing before or after.
 */
#include "core/pci/bdf.h"

#include "core/pci/parse.h"

/* The digits of one field; false when one of them is none. */
static bool parse_field(const char *text, unsigned int digits, unsigned int *ret)
{
	unsigned int value = 0;

	for (unsigned int i = 0; i < digits; i++) {
		int digit = svf_parse_digit(text[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (unsigned int)digit;
	}
	*ret = value;
	return true;
}

bool svf_bdf_parse(const char *text, struct svf_bdf *ret)
{
	unsigned int domain, bus, device, function;

	/* A shorter text fails at its NUL, which is neither a digit nor a separator. */
	if (!parse_field(text, 4, &domain) || text[4] != ':' || !parse_field(text + 5, 2, &bus) ||
	    text[7] != ':' || !parse_field(text + 8, 2, &device) || text[10] != '.' ||
	    !parse_field(text + 11, 1, &function) || text[12] != '\0')
		return false;
	if (device > 31 || function > 7)
		return false;
	ret->domain = (uint16_t)domain;
	ret->bus = (uint8_t)bus;
	ret->devfn = svf_devfn(device, function);
	return true;
}
