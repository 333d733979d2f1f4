/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Match strings: what GROUP_GET_DEVICE_FD takes as the name of a device.
 *
 *	string = name [ blanks option { blanks option } ] [ blanks ]
 *	option = key "=" value, see the table
 *
 * The name is compared with the device's own and must end the string or be followed by a space;
 * anything else after it (a tab, a comma, more digits) makes it another device's name. Blanks are
 * spaces and nothing else. A value has the length of its kind, and what follows it is the next
 * option, with or without a blank: so a value that is too long is an option that nobody knows. An
 * unknown option, a second one of a kind and a malformed value are -EINVAL. Once the string is in
 * order the token rules decide (token.c), also when no token was given.
 */
#include <errno.h>
#include <string.h>

#include "base/fmt.h"
#include "core/vfio/vfio_pci.h"

/* What a string said. */
struct match {
	bool given[1]; /* by row of the table */
	struct svf_uuid token;
};

static bool read_token(struct match *match, const char *value)
{
	return svf_uuid_parse(value, &match->token);
}

enum { OPTION_TOKEN };

static const struct option {
	const char *key;
	size_t length;	  /* of the value */
	const char *form; /* of the value, for who got it wrong */
	bool (*read)(struct match *match, const char *value);
} options[] = {
	[OPTION_TOKEN] = {"vf_token=", SVF_UUID_TEXT_LEN, "a UUID: 8-4-4-4-12 hex digits",
			  read_token},
};

static const struct option *option_lookup(const char *text)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(options); i++) {
		if (!strncmp(text, options[i].key, strlen(options[i].key)))
			return &options[i];
	}
	return NULL;
}

/* *text is at an option; moves it behind. */
static int parse_option(struct svf_call *call, const char **text, struct match *match)
{
	const struct option *option = option_lookup(*text);
	const char *value;

	if (!option)
		return svf_fail(call, -EINVAL,
				"unknown option \"%.40s\" after the device name; only %s is known",
				*text, options[OPTION_TOKEN].key);
	if (match->given[option - options])
		return svf_fail(call, -EINVAL, "\"%.40s\": %s is given a second time", *text,
				option->key);
	value = *text + strlen(option->key);
	if (strlen(value) < option->length || !option->read(match, value))
		return svf_fail(call, -EINVAL, "\"%.40s\" is not what %s takes, %s", value,
				option->key, option->form);
	match->given[option - options] = true;
	*text = value + option->length;
	return 0;
}

static int parse_options(struct svf_call *call, const char *text, struct match *match)
{
	int err = 0;

	while (*text && !err) {
		if (*text == ' ')
			text++;
		else
			err = parse_option(call, &text, match);
	}
	return err;
}

int svf_device_match(struct svf_device *device, struct svf_call *call, const char *text)
{
	char name[SVF_BDF_TEXT_SIZE];
	size_t len = svf_fmt(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(device->fn->bdf));
	struct match match = {0};
	int err;

	if (strncmp(text, name, len))
		return 0;
	if (text[len] && text[len] != ' ')
		return 0;
	err = parse_options(call, text + len, &match);
	if (!err)
		err = svf_vf_token_check(device, call,
					 match.given[OPTION_TOKEN] ? &match.token : NULL);
	return err ? err : 1;
}
