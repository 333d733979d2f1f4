/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The devices that Linux makes an exception for when it forms IOMMU groups, as far as they are
 * common on x86: which, and what about them, taken down from Linux 7.3's drivers/pci/quirks.c,
 * where the vendors' statements and the bug reports behind each are cited. There are three kinds:
 *
 *	aliases		does DMA under the requester id of another function of its bus
 *	isolated	does not do peer-to-peer DMA among its functions or ports, but has no ACS
 *			capability to say so
 *	bridges		are PCIe-to-PCI bridges without a PCI Express capability
 *
 * Whoever describes a machine with the ids of such a device (null's vendor, device and dump, id of a
 * port) gets the groups that the real one has. Not here are: ports of ARM servers; AMD's
 * southbridges, which count only beside an AMD IOMMU; Intel's PCH ports of the 100 and 200 series,
 * whose ACS capability is laid out wrongly: as a port has it here, the standard rule gives the same
 * groups. A port with an id of the earlier Intel PCHs counts as isolated, which on real hardware the
 * kernel must switch on in the chipset first.
 */
#include "core/pci/quirks.h"

#include <linux/pci.h>
#include <linux/pci_regs.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "core/machine.h"
#include "core/pci/bus.h"
#include "core/pci/function.h"

#define ANY_FIRST 0x0000u
#define ANY_LAST  0xffffu

enum quirk {
	ALIAS_FUNCTION_0, /* of the same device */
	ALIAS_FUNCTION_1, /* of the same device, whether there is one or not */
	ALIAS_01_0,	  /* two Adaptec controllers, known by their subsystem */
	ALIAS_MIC,	  /* 10.0, 11.0 and 12.3 */
	ALIAS_VCA,	  /* functions 0 to 4 of every device number */
	ISOLATED_ENDPOINT,
	ISOLATED_RC_ENDPOINT, /* an endpoint in the root complex */
	ISOLATED_ROOT_PORT,
	ISOLATED_PORT, /* root or downstream */
	HIDES_EXPRESS,
};

/* Device ids first to last, both included. */
static const struct {
	uint16_t vendor, first, last;
	enum quirk quirk;
} quirks[] = {
	/* Ricoh's card readers and FireWire; Glenfly's graphics with audio. */
	{0x1180, 0xe476, 0xe476, ALIAS_FUNCTION_0},
	{0x1180, 0xe832, 0xe832, ALIAS_FUNCTION_0},
	{0x6766, 0x3d40, 0x3d41, ALIAS_FUNCTION_0},
	/* Marvell's SATA controllers, and those of HighPoint, JMicron and Plextor made of them. */
	{0x1b4b, 0x9120, 0x9120, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9123, 0x9123, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9125, 0x9125, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9128, 0x9128, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9130, 0x9130, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9170, 0x9170, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9172, 0x9172, ALIAS_FUNCTION_1},
	{0x1b4b, 0x917a, 0x917a, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9182, 0x9183, ALIAS_FUNCTION_1},
	{0x1b4b, 0x91a0, 0x91a0, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9215, 0x9215, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9220, 0x9220, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9230, 0x9230, ALIAS_FUNCTION_1},
	{0x1b4b, 0x9235, 0x9235, ALIAS_FUNCTION_1},
	{0x1103, 0x0642, 0x0642, ALIAS_FUNCTION_1},
	{0x1103, 0x0645, 0x0645, ALIAS_FUNCTION_1},
	{0x197b, 0x2392, 0x2392, ALIAS_FUNCTION_1},
	{0x1c28, 0x0122, 0x0122, ALIAS_FUNCTION_1},
	/* Adaptec 3405 and 3805; Intel's x200 coprocessor and Visual Compute Accelerator. */
	{0x9005, 0x0285, 0x0285, ALIAS_01_0},
	{0x8086, 0x2260, 0x2260, ALIAS_MIC},
	{0x8086, 0x2264, 0x2264, ALIAS_MIC},
	{0x8086, 0x2954, 0x2956, ALIAS_VCA},
	{0x8086, 0x2958, 0x295a, ALIAS_VCA},
	/* Intel's network controllers: 82571, 82575, 82576, 82580, 82598, 82599, X520, X540, I219. */
	{0x8086, 0x105e, 0x1060, ISOLATED_ENDPOINT},
	{0x8086, 0x10a7, 0x10a7, ISOLATED_ENDPOINT},
	{0x8086, 0x10a9, 0x10a9, ISOLATED_ENDPOINT},
	{0x8086, 0x10c6, 0x10c6, ISOLATED_ENDPOINT},
	{0x8086, 0x10c9, 0x10c9, ISOLATED_ENDPOINT},
	{0x8086, 0x10d6, 0x10d6, ISOLATED_ENDPOINT},
	{0x8086, 0x10d9, 0x10d9, ISOLATED_ENDPOINT},
	{0x8086, 0x10db, 0x10db, ISOLATED_ENDPOINT},
	{0x8086, 0x10dd, 0x10dd, ISOLATED_ENDPOINT},
	{0x8086, 0x10e1, 0x10e1, ISOLATED_ENDPOINT},
	{0x8086, 0x10e6, 0x10e8, ISOLATED_ENDPOINT},
	{0x8086, 0x10f1, 0x10f1, ISOLATED_ENDPOINT},
	{0x8086, 0x10f7, 0x10fc, ISOLATED_ENDPOINT},
	{0x8086, 0x1507, 0x1507, ISOLATED_ENDPOINT},
	{0x8086, 0x1509, 0x150a, ISOLATED_ENDPOINT},
	{0x8086, 0x150d, 0x1511, ISOLATED_ENDPOINT},
	{0x8086, 0x1514, 0x1514, ISOLATED_ENDPOINT},
	{0x8086, 0x1516, 0x1516, ISOLATED_ENDPOINT},
	{0x8086, 0x1518, 0x1518, ISOLATED_ENDPOINT},
	{0x8086, 0x151c, 0x151c, ISOLATED_ENDPOINT},
	{0x8086, 0x1521, 0x1524, ISOLATED_ENDPOINT},
	{0x8086, 0x1526, 0x1527, ISOLATED_ENDPOINT},
	{0x8086, 0x1529, 0x152a, ISOLATED_ENDPOINT},
	{0x8086, 0x154d, 0x154d, ISOLATED_ENDPOINT},
	{0x8086, 0x154f, 0x154f, ISOLATED_ENDPOINT},
	{0x8086, 0x1551, 0x1551, ISOLATED_ENDPOINT},
	{0x8086, 0x1558, 0x1558, ISOLATED_ENDPOINT},
	{0x8086, 0x15b7, 0x15b8, ISOLATED_ENDPOINT},
	{0x8086, ANY_FIRST, ANY_LAST, ISOLATED_RC_ENDPOINT},
	/* Network controllers of Solarflare, Emulex, Broadcom and Wangxun; Zhaoxin's USB. */
	{0x1924, 0x0903, 0x0903, ISOLATED_ENDPOINT},
	{0x1924, 0x0923, 0x0923, ISOLATED_ENDPOINT},
	{0x1924, 0x0a03, 0x0a03, ISOLATED_ENDPOINT},
	{0x19a2, 0x0710, 0x0710, ISOLATED_ENDPOINT},
	{0x10df, 0x0720, 0x0720, ISOLATED_ENDPOINT},
	{0x14e4, 0x16d7, 0x16d7, ISOLATED_ENDPOINT},
	{0x14e4, 0x1750, 0x1752, ISOLATED_ENDPOINT},
	{0x14e4, 0x1760, 0x1763, ISOLATED_ENDPOINT},
	{0x8088, 0x0100, 0x010f, ISOLATED_ENDPOINT},
	{0x8088, 0x1001, 0x1001, ISOLATED_ENDPOINT},
	{0x8088, 0x2001, 0x2001, ISOLATED_ENDPOINT},
	{0x8088, 0x5010, 0x5010, ISOLATED_ENDPOINT},
	{0x8088, 0x5025, 0x5025, ISOLATED_ENDPOINT},
	{0x8088, 0x5040, 0x5040, ISOLATED_ENDPOINT},
	{0x8088, 0x5110, 0x5110, ISOLATED_ENDPOINT},
	{0x8088, 0x5125, 0x5125, ISOLATED_ENDPOINT},
	{0x8088, 0x5140, 0x5140, ISOLATED_ENDPOINT},
	{0x1d17, 0x3038, 0x3038, ISOLATED_ENDPOINT},
	{0x1d17, 0x3104, 0x3104, ISOLATED_ENDPOINT},
	{0x1d17, 0x9083, 0x9083, ISOLATED_ENDPOINT},
	/* Root ports of Intel's PCHs: 5 to 9 series, X79 and X99. */
	{0x8086, 0x1c10, 0x1c1f, ISOLATED_ROOT_PORT},
	{0x8086, 0x1d10, 0x1d1e, ISOLATED_ROOT_PORT},
	{0x8086, 0x1e10, 0x1e1f, ISOLATED_ROOT_PORT},
	{0x8086, 0x3b42, 0x3b51, ISOLATED_ROOT_PORT},
	{0x8086, 0x8c10, 0x8c1f, ISOLATED_ROOT_PORT},
	{0x8086, 0x8c90, 0x8c9e, ISOLATED_ROOT_PORT},
	{0x8086, 0x8d10, 0x8d1e, ISOLATED_ROOT_PORT},
	{0x8086, 0x9c10, 0x9c1b, ISOLATED_ROOT_PORT},
	{0x8086, 0x9c90, 0x9c9b, ISOLATED_ROOT_PORT},
	/* Zhaoxin's ports; Annapurna's root port in Amazon's machines. */
	{0x1d17, 0x0710, 0x071e, ISOLATED_PORT},
	{0x1d17, 0x0721, 0x0721, ISOLATED_PORT},
	{0x1d17, 0x0723, 0x0752, ISOLATED_PORT},
	{0x1c36, 0x0031, 0x0031, ISOLATED_ROOT_PORT},
	/* ASMedia 1083, Tundra 8113, ITE 8892 and 8893, Intel 82801. */
	{0x1b21, 0x1080, 0x1080, HIDES_EXPRESS},
	{0x10e3, 0x8113, 0x8113, HIDES_EXPRESS},
	{0x1283, 0x8892, 0x8893, HIDES_EXPRESS},
	{0x8086, 0x244e, 0x244e, HIDES_EXPRESS},
};

static bool is_meant(size_t i, const struct svf_function *fn)
{
	uint16_t device = svf_function_device_id(fn);

	return quirks[i].vendor == svf_function_vendor(fn) && quirks[i].first <= device &&
	       device <= quirks[i].last;
}

/* count functions from devfn on. */
static void add_aliases(struct svf_function *fn, unsigned int devfn, unsigned int count)
{
	for (unsigned int i = devfn; i < devfn + count; i++)
		svf_function_add_dma_alias(fn, (uint8_t)i);
	if (count == 1)
		svf_log(fn->machine, "pci " SVF_BDF_FMT ": Enabling fixed DMA alias to %02x.%u",
			SVF_BDF_ARG(fn->bdf), devfn >> 3, devfn & 7);
	else
		svf_log(fn->machine,
			"pci " SVF_BDF_FMT ": Enabling fixed DMA alias for devfn range from "
			"%02x.%u to %02x.%u",
			SVF_BDF_ARG(fn->bdf), devfn >> 3, devfn & 7, (devfn + count - 1) >> 3,
			(devfn + count - 1) & 7);
}

/* Of the same device, when it is not this one. */
static void alias_function(struct svf_function *fn, unsigned int function)
{
	if (PCI_FUNC(fn->bdf.devfn) != function)
		add_aliases(fn, (fn->bdf.devfn & ~7u) | function, 1);
}

static bool is_adaptec_3405(const struct svf_function *fn)
{
	uint16_t subsystem = svf_get_le16(fn->config + PCI_SUBSYSTEM_ID);

	return svf_get_le16(fn->config + PCI_SUBSYSTEM_VENDOR_ID) == 0x9005 &&
	       (subsystem == 0x02bb || subsystem == 0x02bc);
}

static void apply_alias(struct svf_function *fn, enum quirk quirk)
{
	if (quirk == ALIAS_FUNCTION_0)
		alias_function(fn, 0);
	if (quirk == ALIAS_FUNCTION_1)
		alias_function(fn, 1);
	if (quirk == ALIAS_01_0 && is_adaptec_3405(fn))
		add_aliases(fn, PCI_DEVFN(0x01, 0), 1);
	if (quirk == ALIAS_MIC) {
		add_aliases(fn, PCI_DEVFN(0x10, 0), 1);
		add_aliases(fn, PCI_DEVFN(0x11, 0), 1);
		add_aliases(fn, PCI_DEVFN(0x12, 3), 1);
	}
	for (unsigned int slot = 0; quirk == ALIAS_VCA && slot < 32; slot++)
		add_aliases(fn, PCI_DEVFN(slot, 0), 5);
}

void svf_quirks_add_dma_aliases(struct svf_function *fn)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(quirks); i++)
		if (is_meant(i, fn))
			apply_alias(fn, quirks[i].quirk);
}

bool svf_quirks_isolated(const struct svf_function *fn)
{
	bool root_port = fn->cap_exp && fn->pcie_type == PCI_EXP_TYPE_ROOT_PORT;
	bool downstream = fn->cap_exp && fn->pcie_type == PCI_EXP_TYPE_DOWNSTREAM;
	bool in_root = fn->cap_exp && fn->pcie_type == PCI_EXP_TYPE_RC_END;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(quirks); i++) {
		enum quirk quirk = quirks[i].quirk;

		if (is_meant(i, fn) &&
		    (quirk == ISOLATED_ENDPOINT || (quirk == ISOLATED_RC_ENDPOINT && in_root) ||
		     (quirk == ISOLATED_ROOT_PORT && root_port) ||
		     (quirk == ISOLATED_PORT && (root_port || downstream))))
			return true;
	}
	return false;
}

/* Some can be turned round, and are then conventional-to-Express bridges: below a PCIe-to-PCI one. */
bool svf_quirks_hides_express(const struct svf_function *bridge)
{
	const struct svf_function *above = bridge->bus->bridge;

	if (bridge->cap_exp || !above || !above->cap_exp ||
	    above->pcie_type == PCI_EXP_TYPE_PCI_BRIDGE)
		return false;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(quirks); i++)
		if (is_meant(i, bridge) && quirks[i].quirk == HIDES_EXPRESS)
			return true;
	return false;
}
