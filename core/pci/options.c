/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading a model's options.
 *
 * The model's table says which options there are, how each is read and what it is when not given;
 * messages about unknown options list the table. A key given twice is an error, as one of the two
 * would be ignored silently.
 */
#include "core/pci/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/fmt.h"
#include "core/pci/bars.h"
#include "core/pci/parse.h"
#include "core/pci/topology.h"

unsigned int svf_options_count(const struct svf_model_option *options)
{
	unsigned int n = 0;

	while (options && options[n].name)
		n++;
	return n;
}

/* --- values; each returns what is wrong with the text, or NULL --- */

static const char *read_text(const struct svf_model_option *option, struct svf_option_value *value)
{
	(void)option;
	(void)value;
	return NULL;
}

static const char *read_bool(const struct svf_model_option *option, struct svf_option_value *value)
{
	bool on;

	(void)option;
	if (!svf_parse_bool(value->text, &on))
		return "is neither on nor off";
	value->number = on;
	return NULL;
}

static const char *check_range(const struct svf_model_option *option, uint64_t number,
			       struct svf_option_value *value)
{
	if (number < option->min || number > option->max)
		return "is out of range";
	value->number = number;
	return NULL;
}

static const char *read_number(const struct svf_model_option *option,
			       struct svf_option_value *value)
{
	uint64_t number;

	if (!svf_parse_number(value->text, &number))
		return "is not a number";
	return check_range(option, number, value);
}

static const char *read_hex(const struct svf_model_option *option, struct svf_option_value *value)
{
	const char *end = value->text;
	uint64_t number;

	if (!svf_parse_hex_prefix(&end, &number) || *end)
		return "is not a hexadecimal number";
	return check_range(option, number, value);
}

static const char *read_size(const struct svf_model_option *option, struct svf_option_value *value)
{
	uint64_t size;

	if (!svf_parse_size(value->text, strlen(value->text), &size))
		return "is not a size such as 512M or 1G";
	return check_range(option, size, value);
}

/* "name=SIZE", of whole pages. */
static bool read_pages(const char *word, size_t len, const char *name, uint64_t *ret)
{
	size_t n = strlen(name);

	return len > n && memcmp(word, name, n) == 0 && word[n] == '=' &&
	       svf_parse_size(word + n + 1, len - n - 1, ret) && *ret % SVF_PAGE_SIZE == 0;
}

/* One word of a BAR after its size. */
static bool read_bar_word(const char *word, size_t len, struct svf_model_bar *bar)
{
	if (read_pages(word, len, "trap", &bar->trap) ||
	    read_pages(word, len, "trap-stores", &bar->trap_stores))
		return true;
	if (len == 2 && memcmp(word, "32", 2) == 0)
		bar->type = SVF_MODEL_BAR_MEM32;
	else if (len == 2 && memcmp(word, "64", 2) == 0)
		bar->type = SVF_MODEL_BAR_MEM64;
	else if (len == 2 && memcmp(word, "io", 2) == 0)
		bar->type = SVF_MODEL_BAR_IO;
	else if (len == 4 && memcmp(word, "pref", 4) == 0)
		bar->prefetchable = true;
	else if (len == 4 && memcmp(word, "trap", 4) == 0)
		bar->trapped = true;
	else
		return false;
	return true;
}

static const char *read_bar(const struct svf_model_option *option, struct svf_option_value *value)
{
	struct svf_model_bar bar = {.type = SVF_MODEL_BAR_MEM32};
	const char *p = value->text;
	size_t len = svf_text_span(p, ':');

	(void)option;
	value->bar = (struct svf_model_bar){.type = SVF_MODEL_BAR_NONE};
	if (strcmp(p, "none") == 0)
		return NULL;
	if (!svf_parse_size(p, len, &bar.size) || !svf_is_power_of_two(bar.size))
		return "does not begin with a size that is a power of two, such as 64K or 1M";
	for (p += len; *p == ':'; p += len) {
		p++;
		len = svf_text_span(p, ':');
		if (!read_bar_word(p, len, &bar))
			return "has a word that is none of 32, 64, io, pref, trap, trap=SIZE and "
			       "trap-stores=SIZE (of whole pages)";
	}
	if (bar.type == SVF_MODEL_BAR_IO &&
	    (bar.prefetchable || bar.trapped || bar.trap || bar.trap_stores))
		return "cannot be both io and pref or trap";
	if (bar.trap > bar.size || bar.trap_stores > bar.size - bar.trap)
		return "is smaller than the pages of it that are to be trapped";
	value->bar = bar;
	return NULL;
}

static const char *read_pin(const struct svf_model_option *option, struct svf_option_value *value)
{
	char c = value->text[0];

	(void)option;
	if (strcmp(value->text, "none") == 0)
		value->number = 0;
	else if (c && !value->text[1] && c >= 'A' && c <= 'D')
		value->number = (uint64_t)(c - 'A' + 1);
	else if (c && !value->text[1] && c >= 'a' && c <= 'd')
		value->number = (uint64_t)(c - 'a' + 1);
	else
		return "is none of A, B, C, D and none";
	return NULL;
}

static const char *(*const readers[])(const struct svf_model_option *option,
				      struct svf_option_value *value) = {
	[SVF_OPTION_TEXT] = read_text,	   [SVF_OPTION_BOOL] = read_bool,
	[SVF_OPTION_NUMBER] = read_number, [SVF_OPTION_HEX] = read_hex,
	[SVF_OPTION_BAR] = read_bar,	   [SVF_OPTION_PIN] = read_pin,
	[SVF_OPTION_SIZE] = read_size,
};

bool svf_options_know(enum svf_option_type type)
{
	return (size_t)type < SVF_ARRAY_SIZE(readers);
}

/* --- messages --- */

/* "a, b and c", as far as it fits. */
static void list_names(const struct svf_model_option *options, char *buf, size_t size)
{
	unsigned int count = svf_options_count(options);
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < count && used < size; i++) {
		const char *sep = i == 0 ? "" : i + 1 == count ? " and " : ", ";

		used += svf_fmt(buf + used, size - used, "%s%s", sep, options[i].name);
	}
}

static int unknown(const struct svf_model_ops *model, const char *key,
		   struct svf_model_error *error)
{
	char names[256];

	list_names(model->options, names, sizeof(names));
	return svf_model_fail(error, -EINVAL, NULL,
			      "unknown option '%s' of model %s; options are %s", key, model->name,
			      names);
}

static int bad_value(const struct svf_model_option *option, const struct svf_option_value *value,
		     const char *what, struct svf_model_error *error)
{
	if (option->type == SVF_OPTION_NUMBER && option->max)
		return svf_model_fail(error, -EINVAL, option->name,
				      "%s=%s %s; it is a number from %lu to %lu", option->name,
				      value->text, what, (unsigned long)option->min,
				      (unsigned long)option->max);
	if (option->type == SVF_OPTION_HEX && option->max)
		return svf_model_fail(error, -EINVAL, option->name,
				      "%s=%s %s; it is hexadecimal, from 0x%lx to 0x%lx",
				      option->name, value->text, what, (unsigned long)option->min,
				      (unsigned long)option->max);
	if (option->type == SVF_OPTION_SIZE && option->max)
		return svf_model_fail(error, -EINVAL, option->name,
				      "%s=%s %s; it is from %lu to %lu bytes", option->name,
				      value->text, what, (unsigned long)option->min,
				      (unsigned long)option->max);
	return svf_model_fail(error, -EINVAL, option->name, "%s=%s %s", option->name, value->text,
			      what);
}

static int set_value(const struct svf_model_option *option, const char *text,
		     struct svf_option_value *value, struct svf_model_error *error)
{
	const char *what;

	value->text = text;
	value->set = true;
	what = readers[option->type](option, value);
	return what ? bad_value(option, value, what, error) : 0;
}

static int find_option(const struct svf_model_option *options, const char *key)
{
	for (int i = 0; options && options[i].name; i++) {
		if (strcmp(options[i].name, key) == 0)
			return i;
	}
	return -1;
}

static int parse_one(const struct svf_model_ops *model, const struct svf_topology_option *option,
		     struct svf_option_value *values, struct svf_model_error *error)
{
	int i = find_option(model->options, option->key);

	if (i < 0)
		return unknown(model, option->key, error);
	if (values[i].given)
		return svf_model_fail(error, -EINVAL, model->options[i].name,
				      "option %s is given twice", option->key);
	values[i].given = true;
	return set_value(&model->options[i], option->value, &values[i], error);
}

int svf_options_parse(const struct svf_model_ops *model, const struct svf_list *list,
		      struct svf_option_value **ret_values, struct svf_model_error *error,
		      const struct svf_topology_option **ret_option)
{
	unsigned int count = svf_options_count(model->options);
	struct svf_option_value *values = calloc(count + 1, sizeof(*values));
	const struct svf_topology_option *option;
	int err = 0;

	if (!values)
		return -ENOMEM;
	for (unsigned int i = 0; i < count && !err; i++) {
		if (model->options[i].default_text)
			err = set_value(&model->options[i], model->options[i].default_text,
					&values[i], error);
	}
	svf_list_for_each(option, list, link) {
		if (err)
			break;
		err = parse_one(model, option, values, error);
		if (err)
			*ret_option = option;
	}
	if (err) {
		free(values);
		return err;
	}
	*ret_values = values;
	return 0;
}
