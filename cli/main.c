/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softvfio: finds the verb and lets it run. Everything that a verb can be told is in its table of
 * options; see cli.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

const struct svf_verb *const svf_verbs[] = {
	&svf_verb_run, &svf_verb_shell, &svf_verb_start, &svf_verb_exec, &svf_verb_stop,
	&svf_verb_ls,  &svf_verb_why,	&svf_verb_dmesg, &svf_verb_help, NULL,
};

const struct svf_verb *svf_verb_lookup(const char *name)
{
	for (size_t i = 0; svf_verbs[i]; i++) {
		if (!strcmp(svf_verbs[i]->name, name))
			return svf_verbs[i];
	}
	return NULL;
}

int svf_complain(int err, const char *fmt, ...)
{
	va_list ap;

	/* What CMD or we wrote to stdout comes first, when both go to one place. */
	fflush(stdout);
	fputs("softvfio: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return err;
}

int main(int argc, char **argv)
{
	const struct svf_verb *verb;

	if (argc < 2) {
		svf_print_overview();
		return SVF_EXIT_OURS;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		svf_print_overview();
		return SVF_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("softvfio %s\n", SVF_VERSION);
		return SVF_EXIT_OK;
	}
	verb = svf_verb_lookup(argv[1]);
	if (!verb)
		return svf_complain(SVF_EXIT_OURS, "there is no verb '%s'; see softvfio help",
				    argv[1]);
	return svf_verb_main(verb, argc - 1, argv + 1);
}
