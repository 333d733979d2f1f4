/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Match strings: what GROUP_GET_DEVICE_FD takes as the name of a device.
 *
 *	string = name [ blanks [ "vf_token=" uuid [ blanks ] ] ]
 *
 * The name is compared with the device's own and must end the string or be followed by a space;
 * anything else after it (a tab, a comma, more digits) makes it another device's name. Blanks are
 * spaces and nothing else. An unknown option, a second one, and what is no UUID are -EINVAL. Once
 * the string is in order the token rules decide (token.c), also when no token was given.
 */
#include <errno.h>
#include <string.h>

#include "base/fmt.h"
#include "core/vfio/vfio_pci.h"

#define TOKEN_OPTION "vf_token="

/* *text is at an option; moves it behind. */
static int parse_option(struct svf_call *call, const char **text, struct svf_uuid *ret)
{
	const char *value = *text + sizeof(TOKEN_OPTION) - 1;

	if (strncmp(*text, TOKEN_OPTION, sizeof(TOKEN_OPTION) - 1))
		return svf_fail(
			call, -EINVAL,
			"unknown option \"%.40s\" after the device name; only vf_token= is known",
			*text);
	if (strlen(value) < SVF_UUID_TEXT_LEN || !svf_uuid_parse(value, ret))
		return svf_fail(call, -EINVAL,
				"\"%.40s\" is not a UUID; vf_token= takes 8-4-4-4-12 hex digits",
				value);
	*text = value + SVF_UUID_TEXT_LEN;
	return 0;
}

static int parse_options(struct svf_call *call, const char *text, bool *ret_given,
			 struct svf_uuid *ret)
{
	while (*text) {
		int err;

		if (*text == ' ') {
			text++;
			continue;
		}
		if (*ret_given)
			return svf_fail(call, -EINVAL,
					"\"%.40s\" after a VF token; the token is given once and "
					"is the last",
					text);
		err = parse_option(call, &text, ret);
		if (err)
			return err;
		*ret_given = true;
	}
	return 0;
}

int svf_device_match(struct svf_device *device, struct svf_call *call, const char *text)
{
	char name[SVF_BDF_TEXT_SIZE];
	size_t len = svf_fmt(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(device->fn->bdf));
	struct svf_uuid token;
	bool given = false;
	int err;

	if (strncmp(text, name, len))
		return 0;
	if (text[len] && text[len] != ' ')
		return 0;
	err = parse_options(call, text + len, &given, &token);
	if (!err)
		err = svf_vf_token_check(device, call, given ? &token : NULL);
	return err ? err : 1;
}
