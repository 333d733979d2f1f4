/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs the scenarios named on the command line; the exit status says whether all held. */
#include <stdio.h>

#include "tests/scenario/scenario.h"

int main(int argc, char **argv)
{
	int passed = 0;

	for (int i = 1; i < argc; i++)
		passed += scenario_run(argv[i], NULL);
	printf("%d of %d scenarios hold\n", passed, argc - 1);
	return argc < 2 || passed != argc - 1;
}
