/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capabilities.
 *
 * A function's config space is written as bytes, by a model or from a dump of a real device, and
 * only then read by svf_caps_scan(): it walks header and capability lists and derives from tables
 * of layouts which bits are writable. So a capability behaves the same wherever its bytes came
 * from, and one whose layout is not in the tables is read-only.
 *
 * Lists are walked with a bound and every access is checked against the size of config space: a
 * dump may hold loops, lists that leave config space and capabilities cut off at its end.
 *
 * Masks are those of the PCI Express Base Specification for a device that implements the optional
 * bits, with two exceptions on purpose: VF Enable and NumVFs are read-only, because VFs come and
 * go by sriov_numvfs alone, and Initiate FLR is never stored, only acted upon (config.c).
 */
#include "core/pci/caps.h"

#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pci/function.h"

/* 48 capabilities of 4 bytes fit behind the header; 960 of 4 bytes in extended space. */
#define CAPS_MAX     48u
#define EXT_CAPS_MAX 960u

/* Without the registers that only some have. */
#define MSI_SIZE_MIN 10u
#define ACS_SIZE_MIN 8u

unsigned int svf_caps_add(struct svf_function *fn, uint8_t id, unsigned int len)
{
	unsigned int offset = fn->cap_free;
	unsigned int link = PCI_CAPABILITY_LIST;

	if (offset + len > SVF_PCI_CONFIG_SIZE)
		return 0;
	while (fn->config[link])
		link = fn->config[link] + PCI_CAP_LIST_NEXT;
	fn->config[link] = (uint8_t)offset;
	fn->config[offset] = id;
	fn->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	fn->cap_free = (uint16_t)((offset + len + 3) & ~3u);
	return offset;
}

unsigned int svf_caps_add_ext(struct svf_function *fn, uint16_t id, unsigned int version,
			      unsigned int len)
{
	unsigned int offset = fn->ext_free;
	unsigned int last = SVF_PCI_CONFIG_SIZE;

	if (offset + len > fn->config_size)
		return 0;
	if (offset != SVF_PCI_CONFIG_SIZE) {
		while (PCI_EXT_CAP_NEXT(svf_get_le32(fn->config + last)))
			last = PCI_EXT_CAP_NEXT(svf_get_le32(fn->config + last));
		svf_put_le16(fn->config + last + 2,
			     (uint16_t)(svf_get_le16(fn->config + last + 2) | offset << 4));
	}
	svf_put_le32(fn->config + offset, (uint32_t)id | version << 16);
	fn->ext_free = (uint16_t)((offset + len + 3) & ~3u);
	return offset;
}

/* --- layouts: { offset, size, writable, write-one-to-clear, lost } --- */

static const struct svf_reg header_regs[] = {
	{PCI_COMMAND, 2, 0x0547, 0, false},
	{PCI_STATUS, 2, 0, 0xf900, false},
	{PCI_CACHE_LINE_SIZE, 1, 0xff, 0, false},
	{PCI_INTERRUPT_LINE, 1, 0xff, 0, false},
};

/* A VF has bus mastering and nothing else of the command register; no line, no cache line. */
static const struct svf_reg vf_header_regs[] = {
	{PCI_COMMAND, 2, PCI_COMMAND_MASTER, 0, false},
	{PCI_STATUS, 2, 0, 0xf900, false},
};

static const struct svf_reg bridge_regs[] = {
	{PCI_PRIMARY_BUS, 4, 0xffffffff, 0, false},
	{PCI_IO_BASE, 2, 0xf0f0, 0, false},
	{PCI_SEC_STATUS, 2, 0, 0xf900, false},
	{PCI_MEMORY_BASE, 4, 0xfff0fff0, 0, false},
	{PCI_PREF_MEMORY_BASE, 4, 0xfff0fff0, 0, false},
	{PCI_PREF_BASE_UPPER32, 4, 0xffffffff, 0, false},
	{PCI_PREF_LIMIT_UPPER32, 4, 0xffffffff, 0, false},
	{PCI_BRIDGE_CONTROL, 2, 0x005f, 0, false},
};

static const struct svf_reg pm_regs[] = {
	{PCI_PM_CTRL, 2, PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_ENABLE, PCI_PM_CTRL_PME_STATUS,
	 true},
};

static const struct svf_reg msi32_regs[] = {
	{PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE, 0, false},
	{PCI_MSI_ADDRESS_LO, 4, 0xfffffffc, 0, false},
	{PCI_MSI_DATA_32, 2, 0xffff, 0, false},
};

static const struct svf_reg msi64_regs[] = {
	{PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE, 0, false},
	{PCI_MSI_ADDRESS_LO, 4, 0xfffffffc, 0, false},
	{PCI_MSI_ADDRESS_HI, 4, 0xffffffff, 0, false},
	{PCI_MSI_DATA_64, 2, 0xffff, 0, false},
};

static const struct svf_reg msix_regs[] = {
	{PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 0, false},
};

static const struct svf_reg vpd_regs[] = {
	{PCI_VPD_ADDR, 2, 0xffff, 0, true},
	{PCI_VPD_DATA, 4, 0xffffffff, 0, true},
};

static const struct svf_reg pcix_regs[] = {
	{2, 2, 0x007f, 0, false},
};

static const struct svf_reg exp_regs[] = {
	{PCI_EXP_DEVCTL, 2, 0x7fff, 0, false},
	{PCI_EXP_DEVSTA, 2, 0, 0x000f, false},
};

static const struct svf_reg exp_link_regs[] = {
	{PCI_EXP_LNKCTL, 2, 0x0fdb, 0, false},
	{PCI_EXP_LNKSTA, 2, 0, 0xc000, false},
};

static const struct svf_reg exp_slot_regs[] = {
	{PCI_EXP_SLTCTL, 2, 0x1fff, 0, false},
	{PCI_EXP_SLTSTA, 2, 0, 0x011f, false},
};

static const struct svf_reg exp_root_regs[] = {
	{PCI_EXP_RTCTL, 2, 0x001f, 0, false},
	{PCI_EXP_RTSTA, 4, 0, PCI_EXP_RTSTA_PME, false},
};

static const struct svf_reg exp_v2_regs[] = {
	{PCI_EXP_DEVCTL2, 2, 0x7fff, 0, false},
	{PCI_EXP_LNKCTL2, 2, 0xffff, 0, false},
};

static const struct svf_reg aer_regs[] = {
	{PCI_ERR_UNCOR_STATUS, 4, 0, 0x07fff030, false},
	{PCI_ERR_UNCOR_MASK, 4, 0x07fff030, 0, false},
	{PCI_ERR_UNCOR_SEVER, 4, 0x07fff030, 0, false},
	{PCI_ERR_COR_STATUS, 4, 0, 0x0000f1c1, false},
	{PCI_ERR_COR_MASK, 4, 0x0000f1c1, 0, false},
	{PCI_ERR_CAP, 4, 0x00000140, 0, false},
};

static const struct svf_reg sriov_regs[] = {
	{PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_MSE | PCI_SRIOV_CTRL_ARI, 0, false},
	{PCI_SRIOV_SYS_PGSIZE, 4, 0x00000553, 0, false},
};

static const struct svf_reg ltr_regs[] = {
	{4, 4, 0x1fff1fff, 0, false},
};

static const struct svf_reg ats_regs[] = {
	{PCI_ATS_CTRL, 2, 0x801f, 0, false},
};

static const struct svf_reg pri_regs[] = {
	{PCI_PRI_CTRL, 2, PCI_PRI_CTRL_ENABLE, 0, false},
	{PCI_PRI_ALLOC_REQ, 4, 0xffffffff, 0, false},
};

static const struct svf_reg pasid_regs[] = {
	{PCI_PASID_CTRL, 2, 0x0007, 0, false},
};

static const struct svf_reg ptm_regs[] = {
	{8, 4, 0x0000ff03, 0, false},
};

struct layout {
	uint16_t id;
	const struct svf_reg *regs;
	unsigned int count;
};

#define LAYOUT(id, regs)                                                                           \
	{                                                                                          \
		id, regs, SVF_ARRAY_SIZE(regs)                                                     \
	}

/*
 * Capabilities whose registers do not depend on their contents; MSI and PCIe are in walk_msi and
 * walk_exp.
 */
static const struct layout layouts[] = {
	LAYOUT(PCI_CAP_ID_PM, pm_regs),
	LAYOUT(PCI_CAP_ID_VPD, vpd_regs),
	LAYOUT(PCI_CAP_ID_MSIX, msix_regs),
	LAYOUT(PCI_CAP_ID_PCIX, pcix_regs),
};

static const struct layout ext_layouts[] = {
	LAYOUT(PCI_EXT_CAP_ID_ERR, aer_regs), LAYOUT(PCI_EXT_CAP_ID_SRIOV, sriov_regs),
	LAYOUT(PCI_EXT_CAP_ID_LTR, ltr_regs), LAYOUT(PCI_EXT_CAP_ID_ATS, ats_regs),
	LAYOUT(PCI_EXT_CAP_ID_PRI, pri_regs), LAYOUT(PCI_EXT_CAP_ID_PASID, pasid_regs),
	LAYOUT(PCI_EXT_CAP_ID_PTM, ptm_regs),
};

/* --- the walk --- */

struct walk {
	struct svf_function *fn;
	void (*visit)(struct svf_function *fn, const struct svf_reg *reg, void *arg);
	void *arg;
};

static void walk_reg(const struct walk *walk, unsigned int base, struct svf_reg reg)
{
	unsigned int offset = base + reg.offset;

	if (offset + reg.size > walk->fn->config_size)
		return;
	reg.offset = (uint16_t)offset;
	walk->visit(walk->fn, &reg, walk->arg);
}

static void walk_regs(const struct walk *walk, unsigned int base, const struct svf_reg *regs,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		walk_reg(walk, base, regs[i]);
}

#define WALK(walk, base, regs) walk_regs(walk, base, regs, SVF_ARRAY_SIZE(regs))

static void walk_header(const struct walk *walk)
{
	if (walk->fn->physfn) {
		WALK(walk, 0, vf_header_regs);
		return;
	}
	WALK(walk, 0, header_regs);
	if (walk->fn->interconnect)
		WALK(walk, 0, bridge_regs);
}

static void walk_msi(const struct walk *walk, unsigned int pos)
{
	uint16_t flags = svf_get_le16(walk->fn->config + pos + PCI_MSI_FLAGS);
	unsigned int vectors = 1u << ((flags & PCI_MSI_FLAGS_QMASK) >> 1);
	bool wide = flags & PCI_MSI_FLAGS_64BIT;
	uint32_t all = vectors >= 32 ? 0xffffffffu : (1u << vectors) - 1;

	if (wide)
		WALK(walk, pos, msi64_regs);
	else
		WALK(walk, pos, msi32_regs);
	if (flags & PCI_MSI_FLAGS_MASKBIT) {
		struct svf_reg mask = {wide ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32, 4, all, 0, false};

		walk_reg(walk, pos, mask);
	}
}

static void walk_exp(const struct walk *walk, unsigned int pos)
{
	uint16_t flags = svf_get_le16(walk->fn->config + pos + PCI_EXP_FLAGS);
	unsigned int type = (unsigned int)(flags & PCI_EXP_FLAGS_TYPE) >> 4;
	bool root = type == PCI_EXP_TYPE_ROOT_PORT || type == PCI_EXP_TYPE_RC_EC;

	WALK(walk, pos, exp_regs);
	if (type != PCI_EXP_TYPE_RC_END && type != PCI_EXP_TYPE_RC_EC)
		WALK(walk, pos, exp_link_regs);
	if (flags & PCI_EXP_FLAGS_SLOT)
		WALK(walk, pos, exp_slot_regs);
	if (root)
		WALK(walk, pos, exp_root_regs);
	if ((flags & PCI_EXP_FLAGS_VERS) >= 2)
		WALK(walk, pos, exp_v2_regs);
}

/* The control bits that the capability register says exist. */
static void walk_acs(const struct walk *walk, unsigned int pos)
{
	struct svf_reg ctrl = {PCI_ACS_CTRL, 2, 0, 0, false};

	if (pos + ACS_SIZE_MIN > walk->fn->config_size)
		return;
	ctrl.wmask = svf_get_le16(walk->fn->config + pos + PCI_ACS_CAP) & 0x007fu;
	walk_reg(walk, pos, ctrl);
}

static void walk_table(const struct walk *walk, const struct layout *table, size_t count,
		       uint16_t id, unsigned int pos)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].id == id)
			walk_regs(walk, pos, table[i].regs, table[i].count);
	}
}

static void walk_cap(const struct walk *walk, uint8_t id, unsigned int pos)
{
	if (id == PCI_CAP_ID_MSI)
		walk_msi(walk, pos);
	else if (id == PCI_CAP_ID_EXP)
		walk_exp(walk, pos);
	else
		walk_table(walk, layouts, SVF_ARRAY_SIZE(layouts), id, pos);
}

static void walk_ext_cap(const struct walk *walk, uint16_t id, unsigned int pos)
{
	if (id == PCI_EXT_CAP_ID_ACS)
		walk_acs(walk, pos);
	else
		walk_table(walk, ext_layouts, SVF_ARRAY_SIZE(ext_layouts), id, pos);
}

/*
 * The capability after *pos (0: the first); 0 at the end of the list or where it leaves config
 * space.
 */
static unsigned int next_cap(const struct svf_function *fn, unsigned int pos)
{
	unsigned int next;

	if (pos == 0 && !(fn->config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return 0;
	next = fn->config[pos ? pos + PCI_CAP_LIST_NEXT : PCI_CAPABILITY_LIST] & ~3u;
	return next >= PCI_STD_HEADER_SIZEOF ? next : 0;
}

static unsigned int next_ext_cap(const struct svf_function *fn, unsigned int pos)
{
	unsigned int next = SVF_PCI_CONFIG_SIZE;
	uint32_t header;

	if (fn->config_size <= SVF_PCI_CONFIG_SIZE)
		return 0;
	if (pos)
		next = PCI_EXT_CAP_NEXT(svf_get_le32(fn->config + pos));
	if (next < SVF_PCI_CONFIG_SIZE || next > fn->config_size - 4u)
		return 0;
	header = svf_get_le32(fn->config + next);
	return header && header != 0xffffffffu ? next : 0;
}

void svf_caps_for_each_reg(struct svf_function *fn,
			   void (*visit)(struct svf_function *fn, const struct svf_reg *reg,
					 void *arg),
			   void *arg)
{
	const struct walk walk = {fn, visit, arg};
	unsigned int pos, bound;

	walk_header(&walk);
	for (pos = next_cap(fn, 0), bound = CAPS_MAX; pos && bound;
	     pos = next_cap(fn, pos), bound--)
		walk_cap(&walk, fn->config[pos], pos);
	for (pos = next_ext_cap(fn, 0), bound = EXT_CAPS_MAX; pos && bound;
	     pos = next_ext_cap(fn, pos), bound--)
		walk_ext_cap(&walk, svf_get_le16(fn->config + pos), pos);
}

unsigned int svf_config_find_cap(const struct svf_function *fn, uint8_t id)
{
	unsigned int bound = CAPS_MAX;

	for (unsigned int pos = next_cap(fn, 0); pos && bound; pos = next_cap(fn, pos), bound--) {
		if (fn->config[pos] == id)
			return pos;
	}
	return 0;
}

unsigned int svf_config_find_ext_cap(const struct svf_function *fn, uint16_t id)
{
	unsigned int bound = EXT_CAPS_MAX;

	for (unsigned int pos = next_ext_cap(fn, 0); pos && bound;
	     pos = next_ext_cap(fn, pos), bound--) {
		if (svf_get_le16(fn->config + pos) == id)
			return pos;
	}
	return 0;
}

/* --- what follows from the contents --- */

static void add_mask(struct svf_function *fn, const struct svf_reg *reg, void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < reg->size; i++) {
		fn->wmask[reg->offset + i] |= (uint8_t)(reg->wmask >> 8 * i);
		fn->w1c[reg->offset + i] |= (uint8_t)(reg->w1c >> 8 * i);
	}
}

/* Offset of a capability that is wholly inside config space, else 0. */
static uint8_t find_whole_cap(const struct svf_function *fn, uint8_t id, unsigned int len)
{
	unsigned int pos = svf_config_find_cap(fn, id);

	return pos + len <= SVF_PCI_CONFIG_SIZE ? (uint8_t)pos : 0;
}

static uint16_t find_whole_ext_cap(const struct svf_function *fn, uint16_t id, unsigned int len)
{
	unsigned int pos = svf_config_find_ext_cap(fn, id);

	return pos + len <= fn->config_size ? (uint16_t)pos : 0;
}

static void scan_reset_abilities(struct svf_function *fn)
{
	const uint8_t *config = fn->config;
	const uint8_t af_flr = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;

	fn->has_flr = false;
	if (fn->cap_exp && svf_get_le32(config + fn->cap_exp + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR)
		fn->has_flr = true;
	if (fn->cap_af && (config[fn->cap_af + PCI_AF_CAP] & af_flr) == af_flr)
		fn->has_flr = true;
	fn->has_pm_reset = fn->cap_pm && !(svf_get_le16(config + fn->cap_pm + PCI_PM_CTRL) &
					   PCI_PM_CTRL_NO_SOFT_RESET);
}

void svf_caps_scan(struct svf_function *fn)
{
	fn->interconnect =
		(fn->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK) == PCI_HEADER_TYPE_BRIDGE;
	svf_caps_for_each_reg(fn, add_mask, NULL);

	fn->cap_pm = find_whole_cap(fn, PCI_CAP_ID_PM, PCI_PM_SIZEOF);
	fn->cap_msi = find_whole_cap(fn, PCI_CAP_ID_MSI, MSI_SIZE_MIN);
	fn->cap_msix = find_whole_cap(fn, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	fn->cap_exp = find_whole_cap(fn, PCI_CAP_ID_EXP, PCI_EXP_LNKCAP);
	fn->cap_af = find_whole_cap(fn, PCI_CAP_ID_AF, PCI_CAP_AF_SIZEOF);
	fn->cap_vpd = find_whole_cap(fn, PCI_CAP_ID_VPD, PCI_CAP_VPD_SIZEOF);
	fn->ext_acs = find_whole_ext_cap(fn, PCI_EXT_CAP_ID_ACS, ACS_SIZE_MIN);
	fn->ext_ari = find_whole_ext_cap(fn, PCI_EXT_CAP_ID_ARI, PCI_EXT_CAP_ARI_SIZEOF);
	fn->ext_aer = find_whole_ext_cap(fn, PCI_EXT_CAP_ID_ERR, PCI_ERR_HEADER_LOG);
	if (fn->cap_exp)
		fn->pcie_type = fn->config[fn->cap_exp + PCI_EXP_FLAGS] >> 4;
	scan_reset_abilities(fn);
}
