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

struct fault {
	struct svf_function *fn;
	enum svf_fault_kind kind;
	bool write;
	uint64_t iova;
	const struct svf_mapping *map;
};

/* Fault reasons of VT-d (Intel Virtualization Technology for Directed I/O, appendix A). */
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
};

static void tell_unmapped(const struct fault *f, char *text, size_t size)
{
	const struct svf_unmapped *unmapped;
	char deed[SVF_DEED_SIZE];

	unmapped = svf_unmapped_lookup(&f->fn->requester->space->unmapped, f->iova);
	if (!unmapped)
		return;
	svf_deed_describe(&unmapped->by, f->fn->machine, deed);
	svf_fmt(text, size, "IOVA 0x%lx-0x%lx was unmapped %s", (unsigned long)unmapped->first,
		(unsigned long)unmapped->last, deed);
}

static void tell_gone(const struct fault *f, char *text, size_t size)
{
	const struct svf_mapping *map = f->map;

	if (map->mm)
		f->fn->machine->port->mm_gone(map->mm, map->vaddr + (f->iova - map->node.first),
					      text, size);
	else
		svf_fmt(text, size, "it was a BAR of a function that is gone or decodes no memory");
}

/* What there is to say beyond the kind, or nothing. */
static void tell_more(const struct fault *f, char *text, size_t size)
{
	const struct svf_requester *requester = f->fn->requester;
	char deed[SVF_DEED_SIZE];

	text[0] = '\0';
	if (f->kind == SVF_FAULT_BLOCKED && requester->detached.number) {
		svf_deed_describe(&requester->detached, f->fn->machine, deed);
		svf_fmt(text, size, "it was detached %s", deed);
	} else if (f->kind == SVF_FAULT_UNMAPPED && !f->map) {
		tell_unmapped(f, text, size);
	} else if (f->kind == SVF_FAULT_GONE) {
		tell_gone(f, text, size);
	}
}

static void tell(const struct fault *f)
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

static void tell_noiommu(const struct fault *f)
{
	svf_log(f->fn->machine,
		"softvfio: DMA %s of " SVF_BDF_FMT
		" to 0x%lx: there is no IOMMU, and no memory behind physical addresses",
		f->write ? "Write" : "Read", SVF_BDF_ARG(f->fn->bdf), (unsigned long)f->iova);
}

int svf_dma_fault_report(struct svf_function *fn, enum svf_fault_kind kind, bool write,
			 uint64_t iova, const struct svf_mapping *map)
{
	const struct fault fault = {
		.fn = fn, .kind = kind, .write = write, .iova = iova, .map = map};
	struct svf_requester *requester = fn->requester;

	requester->faults++;
	if (requester->faults > FAULTS_TOLD && !svf_is_power_of_two(requester->faults))
		return -EFAULT;
	if (requester->group->noiommu)
		tell_noiommu(&fault);
	else
		tell(&fault);
	return -EFAULT;
}
