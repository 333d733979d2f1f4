/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random FIRST [COUNT]			makes the calls of the sequences FIRST and following, a line
 *					for each: the seed and what each call gave
 * random --verbose FIRST [COUNT]	a line for each call, with the bytes that came back
 * random --explain FIRST [COUNT]	says what the calls are and makes none
 * random --check FILE...		makes the sequences of a recording and compares; of one that
 *					differs everything up to the first difference is shown
 *
 * Exit status: 0; 1: differences; 2: it could not run; 3: a call did not come back.
 */
#include "random.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEQUENCE_SECONDS 120
#define RESULT_SIZE	 64
#define MAX_LINE	 4096
#define MAX_SHOWN	 5

static struct sequence seq;
static char results[MAX_OPS + 1][RESULT_SIZE]; /* the last one: of cleaning up */

/* A call that does not come back is found by this alone. */
static void on_alarm(int sig)
{
	static const char text[] = " BLOCKED\n";

	(void)sig;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(4);
	_exit(3);
}

static void explain(unsigned long seed)
{
	char text[512];
	unsigned i;

	sequence_generate(&seq, seed);
	for (i = 0; i < seq.nr_ops; i++) {
		op_explain(&seq.ops[i], text, sizeof(text));
		printf("%u %s\n", i + 1, text);
	}
}

/* Makes the calls of a sequence; the words of its line are in results, their number is returned. */
static unsigned run_sequence(unsigned long seed, bool verbose)
{
	char text[512], detail[1024];
	unsigned i;

	sequence_generate(&seq, seed);
	execute_sequence();
	alarm(SEQUENCE_SECONDS);
	for (i = 0; i < seq.nr_ops; i++) {
		op_execute(&seq.ops[i], results[i], RESULT_SIZE, detail, sizeof(detail));
		if (!verbose)
			continue;
		op_explain(&seq.ops[i], text, sizeof(text));
		printf("%u %s = %s%s%s\n", i + 1, text, results[i], *detail ? " | " : "", detail);
		fflush(stdout);
	}
	if (execute_clean(&seq))
		return i;
	snprintf(results[i], RESULT_SIZE, "UNCLEAN");
	return i + 1;
}

static void run(unsigned long seed, bool verbose)
{
	unsigned i, nr;

	if (verbose)
		printf("seed %lu\n", seed);
	nr = run_sequence(seed, verbose);
	if (verbose)
		return;
	printf("%lu", seed);
	for (i = 0; i < nr; i++)
		printf(" %s", results[i]);
	printf("\n");
	fflush(stdout);
}

/* --check */

static void show_difference(unsigned long seed, char *const *words, unsigned at)
{
	char text[512];
	unsigned i;

	printf("seed %lu, difference at call %u:\n", seed, at + 1);
	for (i = 0; i <= at; i++) {
		if (i < seq.nr_ops)
			op_explain(&seq.ops[i], text, sizeof(text));
		else
			snprintf(text, sizeof(text), "(cleaning up)");
		if (i < at)
			printf("  %u %s = %s\n", i + 1, text, results[i]);
		else
			printf("> %u %s = %s, on the kernel: %s\n", i + 1, text, results[i],
			       words[i]);
	}
	printf("\n");
}

/* One line of a recording. */
static bool check_line(char *line, bool show)
{
	char *words[MAX_OPS + 2], *word, *rest = line;
	unsigned nr = 0, count, i;
	unsigned long seed;

	seed = strtoul(strsep(&rest, " "), NULL, 10);
	while (nr < MAX_OPS + 1 && (word = strsep(&rest, " \n")) != NULL)
		if (*word != '\0')
			words[nr++] = word;
	words[nr] = "-";
	count = run_sequence(seed, false);
	for (i = count; i <= MAX_OPS; i++)
		strcpy(results[i], "-");
	for (i = 0; i < nr && i <= MAX_OPS && strcmp(words[i], results[i]) == 0; i++)
		;
	if (i == nr && count <= nr)
		return true;
	if (show)
		show_difference(seed, words, i);
	return false;
}

static int check_file(const char *path)
{
	unsigned long checked = 0, different = 0;
	static char line[MAX_LINE];
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		perror(path);
		return 2;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (line[0] == '#')
			continue;
		checked++;
		different += !check_line(line, different < MAX_SHOWN);
		fflush(stdout);
	}
	fclose(file);
	printf("%s: %lu sequences, %lu differ\n", path, checked, different);
	return checked == 0 ? 2 : different > 0;
}

static int check(char **paths)
{
	int worst = 0, status;

	for (; *paths != NULL; paths++) {
		status = check_file(*paths);
		worst = status > worst ? status : worst;
	}
	return worst;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 && argv[1][0] == '-' ? argv[1] : "";
	int first = *mode != '\0' ? 2 : 1;
	unsigned long seed, count;

	if (argc <= first || (*mode != '\0' && strcmp(mode, "--explain") != 0 &&
			      strcmp(mode, "--verbose") != 0 && strcmp(mode, "--check") != 0)) {
		fprintf(stderr, "usage: random [--explain | --verbose] FIRST [COUNT]\n"
				"       random --check FILE...\n");
		return 2;
	}
	signal(SIGALRM, on_alarm);
	if (strcmp(mode, "--explain") != 0)
		execute_begin();
	if (strcmp(mode, "--check") == 0)
		return check(argv + first);
	seed = strtoul(argv[first], NULL, 10);
	count = argc > first + 1 ? strtoul(argv[first + 1], NULL, 10) : 1;
	for (; count > 0; count--, seed++) {
		if (strcmp(mode, "--explain") == 0)
			explain(seed);
		else
			run(seed, strcmp(mode, "--verbose") == 0);
	}
	return 0;
}
