/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options: tables in, a filled struct out. getopt_long does the reading; its two tables are built
 * from ours, so that an option is said in one place only. With a verb that takes a CMD, reading
 * stops at the first word that is no option, because what follows is CMD's.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define SVF_OPTIONS_MAX 24
/* getopt's values for options without a letter start above every char; --help every verb has. */
#define SVF_OPTION_VALUE 256
#define SVF_OPTION_HELP	 'h'

struct svf_getopt {
	struct option long_options[SVF_OPTIONS_MAX + 2];
	char letters[2 * SVF_OPTIONS_MAX + 4];
	const struct svf_option *by_index[SVF_OPTIONS_MAX];
	size_t count;
};

int svf_strings_add(struct svf_strings *strings, const char *word)
{
	const char **bigger = realloc(strings->word, (strings->count + 1) * sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	bigger[strings->count++] = word;
	strings->word = bigger;
	return 0;
}

void svf_strings_fini(struct svf_strings *strings)
{
	free(strings->word);
	*strings = (struct svf_strings){0};
}

static void svf_getopt_add(struct svf_getopt *getopt, const struct svf_option *option)
{
	size_t i = getopt->count++;
	size_t len = strlen(getopt->letters);

	getopt->by_index[i] = option;
	getopt->long_options[i] = (struct option){
		.name = option->name,
		.has_arg = option->argument ? required_argument : no_argument,
		.val = SVF_OPTION_VALUE + (int)i,
	};
	if (!option->letter)
		return;
	getopt->letters[len++] = option->letter;
	if (option->argument)
		getopt->letters[len++] = ':';
	getopt->letters[len] = '\0';
}

static void svf_getopt_init(struct svf_getopt *getopt, const struct svf_verb *verb)
{
	/* "+": do not look for options behind the first operand, they are CMD's. */
	*getopt = (struct svf_getopt){0};
	strcpy(getopt->letters, verb->max_operands < 0 ? "+:h" : ":h");
	for (size_t t = 0; t < SVF_ARRAY_SIZE(verb->options) && verb->options[t]; t++) {
		for (const struct svf_option *o = verb->options[t]; o->name; o++)
			svf_getopt_add(getopt, o);
	}
	getopt->long_options[getopt->count] =
		(struct option){.name = "help", .val = SVF_OPTION_HELP};
}

static const struct svf_option *svf_getopt_lookup(const struct svf_getopt *getopt, int value)
{
	if (value >= SVF_OPTION_VALUE)
		return getopt->by_index[value - SVF_OPTION_VALUE];
	for (size_t i = 0; i < getopt->count; i++) {
		if (getopt->by_index[i]->letter == value)
			return getopt->by_index[i];
	}
	return NULL;
}

static int svf_option_set(const struct svf_option *option, void *target, const char *argument)
{
	void *place = (char *)target + option->offset;

	switch (option->kind) {
	case SVF_OPTION_FLAG:
		*(bool *)place = true;
		return 0;
	case SVF_OPTION_STRING:
		*(const char **)place = argument;
		return 0;
	case SVF_OPTION_LIST:
		return svf_strings_add(place, argument);
	}
	return -EINVAL;
}

static int svf_options_refuse(const struct svf_verb *verb, int value, char **argv)
{
	if (value == ':')
		return svf_complain(-EINVAL, "%s: %s wants an argument; see softvfio %s --help",
				    verb->name, argv[optind - 1], verb->name);
	if (optopt >= SVF_OPTION_VALUE || (optopt == SVF_OPTION_HELP && argv[optind - 1][1] == '-'))
		return svf_complain(-EINVAL, "%s: %s: this option takes no argument", verb->name,
				    argv[optind - 1]);
	if (optopt)
		return svf_complain(-EINVAL, "%s: there is no option -%c; see softvfio %s --help",
				    verb->name, optopt, verb->name);
	return svf_complain(-EINVAL, "%s: there is no option %s; see softvfio %s --help",
			    verb->name, argv[optind - 1], verb->name);
}

/*
 * Return: 0 and *ret_operands the index of the first operand; 1 when --help was given; negative
 * errno.
 */
static int svf_options_read(const struct svf_verb *verb, void *target, int argc, char **argv,
			    int *ret_operands)
{
	struct svf_getopt getopt;
	int value, ret;

	svf_getopt_init(&getopt, verb);
	opterr = 0;
	while ((value = getopt_long(argc, argv, getopt.letters, getopt.long_options, NULL)) != -1) {
		if (value == SVF_OPTION_HELP)
			return 1;
		if (value == '?' || value == ':')
			return svf_options_refuse(verb, value, argv);
		ret = svf_option_set(svf_getopt_lookup(&getopt, value), target, optarg);
		if (ret)
			return ret;
	}
	*ret_operands = optind;
	return 0;
}

static void svf_options_fini(const struct svf_verb *verb, void *target)
{
	for (size_t t = 0; t < SVF_ARRAY_SIZE(verb->options) && verb->options[t]; t++) {
		for (const struct svf_option *o = verb->options[t]; o->name; o++) {
			if (o->kind == SVF_OPTION_LIST)
				svf_strings_fini((void *)((char *)target + o->offset));
		}
	}
}

int svf_verb_main(const struct svf_verb *verb, int argc, char **argv)
{
	_Alignas(max_align_t) char target[SVF_TARGET_SIZE] = {0};
	int first = 0, count, ret;

	if (verb->target_size > sizeof(target))
		abort();
	ret = svf_options_read(verb, target, argc, argv, &first);
	count = argc - first;
	if (ret > 0) {
		svf_verb_print_help(verb);
		ret = SVF_EXIT_OK;
	} else if (ret < 0) {
		ret = verb->failure;
	} else if (count < verb->min_operands) {
		ret = svf_complain(verb->failure, "%s: something is missing: softvfio %s %s",
				   verb->name, verb->name, verb->usage);
	} else if (verb->max_operands >= 0 && count > verb->max_operands) {
		ret = svf_complain(verb->failure, "%s: '%s' is one word too many: softvfio %s %s",
				   verb->name, argv[first + verb->max_operands], verb->name,
				   verb->usage);
	} else {
		ret = verb->run(target, count, argv + first);
	}
	svf_options_fini(verb, target);
	return ret;
}
