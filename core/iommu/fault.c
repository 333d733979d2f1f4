/* SPDX-License-Identifier: BSD-3-Clause */
/* Failed DMA; see fault.h. */
#include "core/iommu/fault.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/fmt.h"
#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/iommu/requester.h"
#include "core/machine.h"
#include "core/pci/function.h"

#define FAULTS_TOLD 10u
#define PAGE_MASK   ((uint64_t)SVF_IOMMU_PAGE_SIZE - 1)
#define WHAT_SIZE   64u

/* Fault reasons of VT-d (Intel Virtualization Technology for Directed I/O, appendix A). */
#define BOTH(number, words)                                                                        \
	{                                                                                          \
		{number, number},                                                                  \
		{                                                                                  \
			words, words                                                               \
		}                                                                                  \
	}
static const struct {
	uint8_t code[2]; /* of reading, of writing */
	const char *text[2];
} reasons[] = {
	[SVF_FAULT_BLOCKED] = {{0x02, 0x02},
			       {"the device is attached to no IOVA space",
				"the device is attached to no IOVA space"}},
	[SVF_FAULT_BEYOND] = {{0x04, 0x04},
			      {"address has more than 48 bits", "address has more than 48 bits"}},
	[SVF_FAULT_UNMAPPED] = {{0x06, 0x05}, {"not mapped for reading", "not mapped for writing"}},
	[SVF_FAULT_GONE] = {{0x06, 0x05},
			    {"the memory mapped there is gone", "the memory mapped there is gone"}},
	[SVF_FAULT_SM_BLOCKED] = BOTH(0x59, "PASID table entry not present: attached to no HWPT"),
	[SVF_FAULT_FS_ACCESS] = BOTH(0x70, "first-stage table: error accessing a paging entry"),
	[SVF_FAULT_FS_NOT_PRESENT] = BOTH(0x71, "first-stage table: entry not present"),
	[SVF_FAULT_FS_RESERVED] =
		BOTH(0x72, "first-stage table: reserved bits of an entry are set"),
	[SVF_FAULT_FS_TOP_ACCESS] =
		BOTH(0x73, "first-stage table: error accessing the topmost table"),
	[SVF_FAULT_FS_BEYOND] = BOTH(0x74, "first-stage table: an address has more than 48 bits"),
	[SVF_FAULT_FS_TOP_BLOCKED] = BOTH(
		0x75, "first-stage table: the topmost table cannot be read in the second stage"),
	[SVF_FAULT_FS_BLOCKED] =
		BOTH(0x76, "first-stage table: a table cannot be read in the second stage"),
	[SVF_FAULT_FS_NOT_WRITABLE] =
		BOTH(0x77, "first-stage table: accessed and dirty bits cannot be written in the "
			   "second stage"),
	[SVF_FAULT_SS_PERMISSION] = {{0x79, 0x79},
				     {"second-stage table: no read permission",
				      "second-stage table: no write permission"}},
	[SVF_FAULT_NOT_CANONICAL] = BOTH(0x80, "address is not canonical"),
	[SVF_FAULT_FS_SUPERVISOR] = BOTH(0x81, "first-stage table: page is the supervisor's"),
	[SVF_FAULT_SM_BEYOND] = BOTH(0x83, "address has more than 48 bits"),
	[SVF_FAULT_FS_READ_ONLY] = BOTH(0x85, "first-stage table: no write permission"),
	[SVF_FAULT_INTERRUPT] = BOTH(0x87, "address is one of interrupts"),
};
#undef BOTH

static void tell_unmapped(const struct svf_dma_fault *f, char *text, size_t size)
{
	const struct svf_unmapped *unmapped;
	char deed[SVF_DEED_SIZE];

	unmapped = svf_unmapped_lookup(&f->fn->requester->space->unmapped, f->address);
	if (!unmapped)
		return;
	svf_deed_describe(&unmapped->by, f->fn->machine, deed);
	svf_fmt(text, size, "IOVA 0x%lx-0x%lx was unmapped %s", (unsigned long)unmapped->first,
		(unsigned long)unmapped->last, deed);
}

static void tell_gone(const struct svf_dma_fault *f, char *text, size_t size)
{
	const struct svf_mapping *map = f->map;

	if (map->mm)
		f->fn->machine->port->mm_gone(map->mm, map->vaddr + (f->address - map->node.first),
					      text, size);
	else
		svf_fmt(text, size, "it was a BAR of a function that is gone or decodes no memory");
}

/* The address is none of a mapping's, and not what a client's table has made of it. */
static bool is_unmapped(const struct svf_dma_fault *f)
{
	return !f->map && (f->kind == SVF_FAULT_UNMAPPED || f->kind == SVF_FAULT_SS_PERMISSION ||
			   (f->kind == SVF_FAULT_FS_NOT_PRESENT && !f->nested));
}

/* What there is to say beyond the kind, or nothing. */
static void tell_more(const struct svf_dma_fault *f, char *text, size_t size)
{
	const struct svf_requester *requester = f->fn->requester;
	char deed[SVF_DEED_SIZE];

	text[0] = '\0';
	if ((f->kind == SVF_FAULT_BLOCKED || f->kind == SVF_FAULT_SM_BLOCKED) &&
	    requester->detached.number) {
		svf_deed_describe(&requester->detached, f->fn->machine, deed);
		svf_fmt(text, size, "it was detached %s", deed);
	} else if (is_unmapped(f)) {
		tell_unmapped(f, text, size);
	} else if (f->kind == SVF_FAULT_GONE) {
		tell_gone(f, text, size);
	}
}

static void tell(const struct svf_dma_fault *f)
{
	const char *text = reasons[f->kind].text[f->write],
		   *direction = f->write ? "Write" : "Read";
	char more[SVF_REASON_SIZE / 2 + 32], reason[SVF_REASON_SIZE], who[16], what[WHAT_SIZE];
	struct svf_bdf id = svf_iommu_requester_id(f->fn);
	struct svf_machine *machine = f->fn->machine;

	tell_more(f, more, sizeof(more));
	svf_fmt(who, sizeof(who), SVF_BDF_FMT, SVF_BDF_ARG(f->fn->bdf));
	svf_fmt(what, sizeof(what), "DMA %s at IOVA 0x%lx", direction, (unsigned long)f->iova);
	svf_log(machine,
		"DMAR: [DMA %s NO_PASID] Request device [" SVF_BDF_FMT
		"] fault addr 0x%lx [fault reason 0x%02x] %s",
		direction, SVF_BDF_ARG(id), (unsigned long)(f->iova & ~PAGE_MASK),
		reasons[f->kind].code[f->write], text);
	if (*more)
		svf_log(machine, "softvfio: %s: %s: %s", who, what, more);
	svf_fmt(reason, sizeof(reason), *more ? "%s: %s" : "%s", text, more);
	machine->port->dma_failed(machine, who, what, reason);
}

static void tell_noiommu(const struct svf_dma_fault *f)
{
	svf_log(f->fn->machine,
		"softvfio: DMA %s of " SVF_BDF_FMT
		" to 0x%lx: there is no IOMMU, and no memory behind physical addresses",
		f->write ? "Write" : "Read", SVF_BDF_ARG(f->fn->bdf), (unsigned long)f->iova);
}

int svf_dma_fault_report(const struct svf_dma_fault *fault)
{
	struct svf_requester *requester = fault->fn->requester;

	requester->faults++;
	if (requester->faults > FAULTS_TOLD && !svf_is_power_of_two(requester->faults))
		return -EFAULT;
	if (requester->group->noiommu)
		tell_noiommu(fault);
	else
		tell(fault);
	return -EFAULT;
}
