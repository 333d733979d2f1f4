/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the verbs of softvfio share: how a verb describes itself, how options are read, how
 * something that went wrong is said, and the exit statuses.
 *
 * A verb is one const struct svf_verb in its own file. Its options are tables, and the usage text,
 * the parser and the check of the man page all come from them; no verb parses an argument itself.
 */
#ifndef SVF_CLI_CLI_H
#define SVF_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

enum svf_exit {
	SVF_EXIT_OK = 0,
	SVF_EXIT_FAILURE = 1, /* a verb other than run, exec and shell did not do its work */
	SVF_EXIT_OURS = 125,  /* run, exec, shell: softvfio's own failure, CMD did not run */
	SVF_EXIT_NOT_EXECUTABLE = 126,
	SVF_EXIT_NOT_FOUND = 127,
	SVF_EXIT_SIGNAL = 128, /* plus the number of the signal that ended CMD */
};

/*
 * Words of an argument that may be given many times. Zeroed: empty. The words are borrowed from
 * argv.
 */
struct svf_strings {
	const char **word;
	size_t count;
};

enum svf_option_kind {
	SVF_OPTION_FLAG,   /* sets a bool */
	SVF_OPTION_STRING, /* sets a const char *; the last one wins */
	SVF_OPTION_LIST,   /* appends to a struct svf_strings */
};

struct svf_option {
	const char *name; /* the long one, without its dashes; NULL ends a table */
	char letter;	  /* the short one, or NUL */
	enum svf_option_kind kind;
	size_t offset;	      /* of the target within the verb's struct of options */
	const char *argument; /* how the help names the argument; NULL: a flag */
	const char *help;     /* one line, or several with '\n' */
};

#define SVF_OPTION_END                                                                             \
	{                                                                                          \
		.name = NULL                                                                       \
	}

struct svf_verb {
	const char *name;
	const char *usage;		     /* what follows "softvfio NAME " */
	const char *summary;		     /* one line, for the list of verbs */
	const char *text;		     /* a paragraph */
	const char *examples;		     /* lines, each ending in '\n' */
	const struct svf_option *options[2]; /* tables, a NULL ends them early */
	size_t target_size; /* of the struct that the options fill, at most SVF_TARGET_SIZE */
	int min_operands, max_operands; /* words after the options; max -1: any number */
	int failure;			/* exit status for a wrong command line */
	/* target is filled; argv holds the operands and ends in NULL. Return: exit status. */
	int (*run)(void *target, int argc, char **argv);
};

#define SVF_TARGET_SIZE 128

/* Every verb, in the order of the help; NULL ends. */
extern const struct svf_verb *const svf_verbs[];
extern const struct svf_verb svf_verb_run, svf_verb_shell, svf_verb_start, svf_verb_exec,
	svf_verb_stop, svf_verb_ls, svf_verb_why, svf_verb_dmesg, svf_verb_help;

const struct svf_verb *svf_verb_lookup(const char *name);
void svf_verb_print_help(const struct svf_verb *verb);
void svf_print_overview(void);

/* Reads the options of argv (argv[0] is the verb) and runs it. Return: exit status. */
int svf_verb_main(const struct svf_verb *verb, int argc, char **argv);

/*
 * Says on stderr what went wrong, "softvfio: " before it and a newline after it, and gives err
 * back: return svf_complain(-ENOENT, "..."). A complaint is one sentence that ends in what to do
 * about it.
 */
int svf_complain(int err, const char *fmt, ...) SVF_PRINTF(2, 3);

/* Appends a word. Return: 0 or -ENOMEM. */
int svf_strings_add(struct svf_strings *strings, const char *word) SVF_MUST_CHECK;
void svf_strings_fini(struct svf_strings *strings);

#endif
