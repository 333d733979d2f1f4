/* SPDX-License-Identifier: BSD-3-Clause */
/* What the passes that build a machine share. See topology.c. */
#ifndef SVF_CORE_PCI_BUILD_H
#define SVF_CORE_PCI_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "core/call.h"
#include "core/pci/topology.h"

struct svf_bus;
struct svf_function;
struct svf_machine;

/* A function and what it comes from; in order of the description. */
struct svf_plan {
	struct svf_list link;
	const struct svf_topology_node *node; /* NULL: a root port made for the device behind it */
	enum svf_topology_kind kind;
	struct svf_function *fn;
	unsigned int vfs; /* to exist from the start */
};

struct svf_build {
	struct svf_machine *machine;
	const struct svf_topology *topology;
	struct svf_topology_error *error;
	struct svf_bus *root;
	struct svf_list plans; /* struct svf_plan.link */
	struct svf_call call;
};

/* Records where and what is wrong and gives err back. */
int svf_build_fail(struct svf_build *build, int err, unsigned int line, unsigned int column,
		   const char *fmt, ...) SVF_PRINTF(5, 6);

/* Pass 1: build->root, functions and buses behind it, build->plans. */
int svf_build_functions(struct svf_build *build) SVF_MUST_CHECK;

/* Pass 2: numbers of buses, addresses of functions, bus numbers in the registers of bridges. */
int svf_build_numbers(struct svf_build *build) SVF_MUST_CHECK;

#endif
