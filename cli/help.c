/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio help, and what --help prints: all of it comes from the verbs' tables. A test compares
 * the options printed here with those of the man page.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* Column at which the help of an option starts. */
#define SVF_HELP_COLUMN 28

static void svf_print_option(char letter, const char *name, const char *argument, const char *help)
{
	char left[64];
	int width;

	width = snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", letter ? '-' : ' ',
			 letter ? letter : ' ', letter ? "," : " ", name, argument ? " " : "",
			 argument ? argument : "");
	printf("%-*s", SVF_HELP_COLUMN, left);
	if (width >= SVF_HELP_COLUMN)
		printf("\n%*s", SVF_HELP_COLUMN, "");
	for (const char *line = help; *line;) {
		size_t len = strcspn(line, "\n");

		printf("%.*s\n", (int)len, line);
		line += len;
		if (*line == '\n')
			printf("%*s", SVF_HELP_COLUMN, ""), line++;
	}
}

void svf_verb_print_help(const struct svf_verb *verb)
{
	printf("Usage: softvfio %s %s\n\n%s\n\nOptions:\n", verb->name, verb->usage, verb->text);
	for (size_t t = 0; t < SVF_ARRAY_SIZE(verb->options) && verb->options[t]; t++) {
		for (const struct svf_option *o = verb->options[t]; o->name; o++)
			svf_print_option(o->letter, o->name, o->argument, o->help);
	}
	svf_print_option('h', "help", NULL, "print this");
	printf("\nExamples:\n%s", verb->examples);
}

void svf_print_overview(void)
{
	printf("Usage: softvfio VERB [OPTION]... [ARGUMENT]...\n\n"
	       "A VFIO namespace: VFIO and iommufd in user space, with a private software PCI "
	       "host.\n\nVerbs:\n");
	for (size_t i = 0; svf_verbs[i]; i++)
		printf("  %-8s%s\n", svf_verbs[i]->name, svf_verbs[i]->summary);
	printf("\nOptions:\n");
	svf_print_option('h', "help", NULL, "print this; after a verb: about that verb");
	svf_print_option('\0', "version", NULL, "print the version");
	printf("\nExamples:\n"
	       "  softvfio run -- lspci -nnk\n"
	       "  softvfio run -d null,vfs=2 -- ./my-vfio-test\n"
	       "  softvfio shell\n");
}

static int svf_help_run(void *target, int argc, char **argv)
{
	const struct svf_verb *verb;

	(void)target;
	if (!argc) {
		svf_print_overview();
		return SVF_EXIT_OK;
	}
	verb = svf_verb_lookup(argv[0]);
	if (!verb)
		return svf_complain(SVF_EXIT_FAILURE, "there is no verb '%s'; see softvfio help",
				    argv[0]);
	svf_verb_print_help(verb);
	return SVF_EXIT_OK;
}

const struct svf_verb svf_verb_help = {
	.name = "help",
	.usage = "[VERB]",
	.summary = "say how a verb is used",
	.text = "Prints how VERB is used, or the list of verbs.",
	.examples = "  softvfio help run\n",
	.max_operands = 1,
	.failure = SVF_EXIT_FAILURE,
	.run = svf_help_run,
};
