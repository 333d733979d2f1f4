/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DMA of functions: translation, permission, faults.
 *
 * A transfer is cut at the borders of mappings; each piece is translated by the space the
 * function's requester is attached to, and goes to the memory of the process that made the mapping or
 * to a BAR's. The first piece that cannot be translated is an IOMMU fault and ends the transfer;
 * what went before has been transferred, as with real hardware. A piece that translates to memory
 * that is no longer there (the process has unmapped it or is gone, the BAR's function is gone) ends
 * the transfer too, without a fault of the IOMMU.
 *
 * A fault is a kernel message in the form that Linux's VT-d driver gives it. A device can fault as
 * fast as it can run, so a requester's messages are thinned out: the first ten, then those whose
 * number is a power of two. Attaching it elsewhere starts the count again.
 */
#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/iommu/requester.h"
#include "core/machine.h"
#include "core/pci/function.h"

#define FAULTS_LOGGED 10u

/* Fault reasons of VT-d (Intel Virtualization Technology for Directed I/O, appendix A). */
struct fault {
	uint8_t code;
	const char *text;
};
static const struct fault fault_blocked = {0x02, "the device is attached to no IOVA space"};
static const struct fault fault_beyond = {0x04, "address has more than 48 bits"};
static const struct fault fault_write = {0x05, "not mapped for writing"};
static const struct fault fault_read = {0x06, "not mapped for reading"};

struct transfer {
	struct svf_function *fn;
	uint64_t iova;
	uint8_t *buf;
	size_t len;
	bool write;
};

static int report(const struct transfer *t, const struct fault *fault)
{
	struct svf_requester *requester = t->fn->requester;
	struct svf_bdf id = svf_iommu_requester_id(t->fn);

	requester->faults++;
	if (requester->faults > FAULTS_LOGGED && !svf_is_power_of_two(requester->faults))
		return -EFAULT;
	if (requester->group->noiommu) {
		svf_log(t->fn->machine,
			"softvfio: DMA %s of " SVF_BDF_FMT
			" to 0x%lx: there is no IOMMU, and no memory behind physical addresses",
			t->write ? "Write" : "Read", SVF_BDF_ARG(t->fn->bdf),
			(unsigned long)t->iova);
		return -EFAULT;
	}
	svf_log(t->fn->machine,
		"DMAR: [DMA %s NO_PASID] Request device [" SVF_BDF_FMT
		"] fault addr 0x%lx [fault reason 0x%02x] %s",
		t->write ? "Write" : "Read", SVF_BDF_ARG(id),
		(unsigned long)(t->iova & ~(uint64_t)(SVF_IOMMU_PAGE_SIZE - 1)), fault->code,
		fault->text);
	return -EFAULT;
}

/* The transfer's first len bytes, which map covers. */
static int transfer_piece(const struct transfer *t, const struct svf_mapping *map, size_t len)
{
	const struct svf_port_ops *port = t->fn->machine->port;
	uint64_t offset = t->iova - map->node.first;
	uint8_t *ram;

	if (map->mm)
		return t->write ? port->mm_write(map->mm, map->vaddr + offset, t->buf, len)
				: port->mm_read(map->mm, t->buf, map->vaddr + offset, len);
	if (!map->ram || map->ram->hidden)
		return -EFAULT;
	offset += map->ram_offset;
	assert(offset <= map->ram->size && len <= map->ram->size - offset);
	ram = map->ram->base + offset;
	memcpy(t->write ? ram : t->buf, t->write ? t->buf : ram, len);
	return 0;
}

static const struct fault *translate(const struct transfer *t, const struct svf_mapping **ret)
{
	const struct svf_mapping *map =
		svf_iova_space_first(t->fn->requester->space, t->iova, t->iova);

	if (t->iova > SVF_IOVA_LAST && !t->fn->group->noiommu)
		return &fault_beyond;
	if (!map || !(map->prot & (t->write ? SVF_MAP_WRITE : SVF_MAP_READ)))
		return t->write ? &fault_write : &fault_read;
	*ret = map;
	return NULL;
}

static int transfer(struct transfer t)
{
	if (!(svf_get_le16(t.fn->config + PCI_COMMAND) & PCI_COMMAND_MASTER))
		return -EFAULT;
	if (!t.fn->group)
		return -EFAULT;
	if (!t.fn->requester->space)
		return report(&t, &fault_blocked);
	while (t.len) {
		const struct svf_mapping *map;
		const struct fault *fault = translate(&t, &map);
		uint64_t piece;

		if (fault)
			return report(&t, fault);
		piece = map->node.last - t.iova;
		piece = piece < t.len - 1 ? piece + 1 : t.len;
		/* Translated is written, for the IOMMU: it does not know what becomes of it. */
		if (t.write && t.fn->requester->space->dirty.on)
			svf_dirty_mark(&t.fn->requester->space->dirty, t.fn->machine, t.iova,
				       t.iova + piece - 1);
		if (transfer_piece(&t, map, (size_t)piece))
			return -EFAULT;
		t.iova += piece;
		t.buf += piece;
		t.len -= (size_t)piece;
	}
	return 0;
}

int svf_dma_read(struct svf_function *fn, uint64_t iova, void *dst, size_t len)
{
	return transfer((struct transfer){.fn = fn, .iova = iova, .buf = dst, .len = len});
}

int svf_dma_write(struct svf_function *fn, uint64_t iova, const void *src, size_t len)
{
	/* buf is only read from when write is set. */
	return transfer((struct transfer){.fn = fn,
					  .iova = iova,
					  .buf = (uint8_t *)(uintptr_t)src,
					  .len = len,
					  .write = true});
}
