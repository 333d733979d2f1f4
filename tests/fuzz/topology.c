/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzer of topology files: arbitrary text is parsed and, when it parses, built into a machine. An
 * input that begins with '-' is taken as a -d option instead. A refusal must say why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/pci/topology.h"
#include "host/topology/topology.h"
#include "tests/unit/port.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_input(struct svf_topology *topology, const char *text, size_t size,
		      struct svf_topology_error *error)
{
	if (*text == '-')
		return svf_topology_add_spec(topology, text + 1, error);
	/* A path that leads nowhere, so that no input can name a file that is there. */
	return svf_topology_parse(topology, "/nonexistent/fuzz.yaml", text, size, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct svf_topology_error error = {0};
	struct svf_topology topology;
	char *text = malloc(size + 1), line[512];
	int err;

	memcpy(text, data, size);
	text[size] = '\0';
	svf_topology_init(&topology);
	err = read_input(&topology, text, size, &error);
	if (!err) {
		struct svf_machine *machine = test_machine();

		err = svf_machine_build(machine, &topology, &error);
		test_machine_end(machine);
	}
	if (err && !error.text[0])
		abort();
	svf_topology_error_format(&topology, &error, line, sizeof(line));
	svf_topology_fini(&topology);
	free(text);
	return 0;
}
