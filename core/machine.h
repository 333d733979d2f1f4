/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine: one software PCI host, everything a namespace sees. It owns the buses and
 * functions, the drivers, the IOMMU groups, and counts what clients use up. Single-threaded: the
 * host calls in from one loop.
 */
#ifndef SVF_CORE_MACHINE_H
#define SVF_CORE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/call.h"
#include "core/port.h"
#include "core/timer.h"

struct svf_driver;
struct svf_function;
struct svf_itree_node;

/* Module parameters, named as the modules name them. */
struct svf_params {
	bool enable_sriov;	      /* vfio_pci; here on by default */
	bool disable_idle_d3;	      /* vfio_pci */
	bool nointxmask;	      /* vfio_pci */
	bool disable_vga;	      /* vfio_pci */
	unsigned int dma_entry_limit; /* vfio_iommu_type1; mappings per container, 65535 */
	bool allow_unsafe_interrupts; /* vfio_iommu_type1; without effect: interrupts are remapped */
	bool disable_hugepages;	      /* vfio_iommu_type1; without effect */
	bool enforce_memlock; /* ours: charge mappings to RLIMIT_MEMLOCK as the kernel does */
	bool exact_dirty; /* ours: type1 reports pages that devices wrote, not all that are mapped */
	bool iommufd_test; /* ours: IOMMU_TEST_CMD is served, as with CONFIG_IOMMUFD_TEST */
	bool enable_unsafe_noiommu_mode; /* vfio: without an IOMMU, too */
	bool per_device; /* ours: group-attach, see core/iommu/requester.h; fixed from the start */
	bool iommu;	 /* ours: the machine has one; on by default, fixed from the start */
	bool iommu_scalable; /* ours: it is in scalable mode; fixed from the start */
};

/*
 * Bounds on what clients can use up together; beyond them -ENOMEM or -EMFILE with a reason. Who holds
 * some already gets one more only while it holds less than what is still free (svf_share_left), so that
 * no number of hungry ones leaves nothing to a newcomer.
 */
struct svf_limits {
	unsigned int files;    /* open files of all kinds */
	unsigned int mappings; /* DMA mappings of all containers and IOASes together */
	unsigned int objects;  /* iommufd objects together */
	unsigned int
		dirty_chunks; /* records of written pages, core/iommu/dirty.c; beyond: all are written */
};

/* Who has the lock of all who add or remove functions, see core/pci/hotplug.h; fn NULL: nobody. */
struct svf_hotplug {
	const struct svf_function *fn;
	bool numvfs; /* its VFs are being removed; otherwise it */
};

/* The request that is being served. */
struct svf_doing {
	const struct svf_call *call; /* NULL between requests, and while a file is closed */
	const char *command;	     /* its name */
	uint64_t number;	     /* of requests before it */
};

struct svf_machine {
	const struct svf_port_ops *port;
	void *host;
	struct svf_doing doing;
	struct svf_params params;
	struct svf_limits limits;
	struct {
		unsigned int files, mappings, objects, dirty_chunks;
	} used;

	struct svf_list
		buses; /* struct svf_bus.machine_link: root buses and those behind bridges */
	struct svf_list functions;	 /* struct svf_function.machine_link, in order of BDF */
	struct svf_list drivers;	 /* struct svf_driver.link */
	struct svf_list groups;		 /* struct svf_iommu_group.link, in order of id */
	struct svf_itree_node *unmapped; /* core/iommu/iova_space.c: mappings yet to be freed */
	uint64_t discoveries;		 /* of functions, so far */
	struct svf_hotplug hotplug;
	unsigned int next_group_id; /* ids are not reused while the machine lives */
	struct svf_list contexts;   /* struct svf_ictx.machine_link: iommufd contexts */
	uint64_t cdev_minors[16];   /* bitmap: vfioN in use */
	bool drivers_autoprobe;	    /* /sys/bus/pci/drivers_autoprobe */
	struct svf_timers timers;   /* of everything that waits for a moment */
};

/* Whether one that holds so many of a bounded resource may have one more. */
static inline bool svf_share_left(unsigned int held, unsigned int used, unsigned int limit)
{
	return used < limit && held < limit - used;
}

/* An empty machine with default parameters and limits. port and host are borrowed. */
int svf_machine_alloc(const struct svf_port_ops *port, void *host,
		      struct svf_machine **ret) SVF_MUST_CHECK;
/* All files must have been closed. */
void svf_machine_destroy(struct svf_machine *machine);

/*
 * It is now_ns (timer.h): what waited for that happens. Return: when it next wants to be told,
 * SVF_TIME_NEVER when nothing waits; a call may change that, see svf_timers_next(). To be told
 * before each call, too, because delays are counted from the time that was told last.
 */
uint64_t svf_machine_advance(struct svf_machine *machine, uint64_t now_ns);

/* A kernel message, printf-like (base/fmt.h). At most 255 characters are kept. */
void svf_log(struct svf_machine *machine, const char *fmt, ...) SVF_PRINTF(2, 3);

#endif
