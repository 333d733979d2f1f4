/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine from nothing to nothing. What it owns is built by svf_machine_build() in core/pci and
 * torn down here in the opposite order: drivers let go, VFs before their PFs, functions before
 * the buses they are on, drivers last. By then no file is open, so nothing can be blocked.
 */
#include "core/machine.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "core/iommu/iova_space.h"
#include "core/pci/topology.h"

#define DMA_ENTRY_LIMIT 65535 /* the module's default */

/*
 * Enough for every client seen; small enough that a runaway one is stopped below 1 GiB. Files are many, so that a
 * process meets its own RLIMIT_NOFILE before it takes the last one from its neighbours.
 */
static const struct svf_limits default_limits = {
	.files = 1u << 17,
	.mappings = 4u << 20,
	.objects = 1u << 20,
	.dirty_chunks = 1u << 16,
};

int svf_machine_alloc(const struct svf_port_ops *port, void *host, struct svf_machine **ret)
{
	struct svf_machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return -ENOMEM;
	machine->port = port;
	machine->host = host;
	machine->params.enable_sriov = true;
	machine->params.iommu = true;
	machine->params.dma_entry_limit = DMA_ENTRY_LIMIT;
	machine->limits = default_limits;
	machine->drivers_autoprobe = true;
	svf_list_init(&machine->buses);
	svf_list_init(&machine->functions);
	svf_list_init(&machine->drivers);
	svf_list_init(&machine->groups);
	svf_list_init(&machine->contexts);
	*ret = machine;
	return 0;
}

void svf_machine_destroy(struct svf_machine *machine)
{
	if (!machine)
		return;
	assert(machine->used.files == 0);
	svf_machine_unbuild(machine);
	assert(svf_list_empty(&machine->groups));
	svf_mappings_reap(machine, UINT_MAX);
	assert(!machine->timers.root);
	free(machine);
}

uint64_t svf_machine_advance(struct svf_machine *machine, uint64_t now_ns)
{
	return svf_timers_advance(&machine->timers, now_ns);
}

void svf_log(struct svf_machine *machine, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	svf_vfmt(text, sizeof(text), fmt, ap);
	va_end(ap);
	machine->port->log(machine, text);
}
