/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of the virtualised config space, one for each capability that a user may see: how long
 * it is, which bits are the user's own copy and which the user may write. Everything in these
 * tables is Linux 7.3's vfio-pci, because drivers and VMMs have learnt to live with exactly that.
 *
 * Three defaults need no row: bits of a visible capability that no row names are read from the
 * function and not written; the link to the next capability is always the user's own, so that
 * hidden capabilities can be left out of the chain; bytes that belong to no visible capability
 * pass through in both directions, because some parts keep registers there.
 */
#include <linux/pci_regs.h>

#include "core/pci/function.h"
#include "core/vfio/vconfig.h"

#define ALL 0xffffffffu
/* Masks of fields whose names the registers' header lacks or spells by value. */
#define PM_PME_BITS	 (PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS)
#define AER_UNCOR_BITS	 0x03fff031u /* every error that is defined, and the bit 0 of old devices */
#define AER_COR_BITS	 0x0000f1c1u
#define AER_CAP_BITS	 (PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE)
#define EXP_V2_LENGTH	 0x34u /* endpoint with link, to the end of Slot Status 2's place */
#define EXP_V2_RC_LENGTH 0x2cu /* root complex integrated: without link registers */

#define REGS(table)	 .regs = (table), .nregs = SVF_ARRAY_SIZE(table)

static const struct svf_vreg header_regs[] = {
	{PCI_VENDOR_ID, 2, ALL, 0}, /* VFs store ffff */
	{PCI_DEVICE_ID, 2, ALL, 0},
	{PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE, ALL},
	{PCI_STATUS, 2, PCI_STATUS_CAP_LIST, 0},
	{PCI_CACHE_LINE_SIZE, 1, 0, ALL},
	{PCI_LATENCY_TIMER, 1, 0, ALL},
	{PCI_BIST, 1, 0, ALL},
	{PCI_BASE_ADDRESS_0, 4, ALL, ALL},
	{PCI_BASE_ADDRESS_1, 4, ALL, ALL},
	{PCI_BASE_ADDRESS_2, 4, ALL, ALL},
	{PCI_BASE_ADDRESS_3, 4, ALL, ALL},
	{PCI_BASE_ADDRESS_4, 4, ALL, ALL},
	{PCI_BASE_ADDRESS_5, 4, ALL, ALL},
	{PCI_ROM_ADDRESS, 4, ALL, ALL},
	{PCI_CAPABILITY_LIST, 1, ALL, 0},
	{PCI_INTERRUPT_LINE, 1, ALL, ALL},
	{PCI_INTERRUPT_PIN, 1, ALL, 0},
};
const struct svf_vrule svf_vrule_header = {.length = PCI_STD_HEADER_SIZEOF, REGS(header_regs)};

/* A user cannot be woken by PME, so it is shown as not there. The state is set by an effect. */
static const struct svf_vreg pm_regs[] = {
	{PCI_PM_PMC, 2, PCI_PM_CAP_PME_MASK, 0},
	{PCI_PM_CTRL, 4, PM_PME_BITS, ~(uint32_t)(PM_PME_BITS | PCI_PM_CTRL_STATE_MASK)},
};
/*
 * The user writes an address and waits for the flag in its top bit to change. Functions here have
 * no product data, so it never does, which is what a device without them does to a kernel driver
 * too.
 */
static const struct svf_vreg vpd_regs[] = {
	{PCI_VPD_ADDR, 2, ALL, ALL},
	{PCI_VPD_DATA, 4, ALL, ALL},
};
static const struct svf_vreg pcix_regs[] = {
	{PCI_X_CMD, 2, 0, ALL},
	{PCI_X_ECC_CSR, 4, 0, ALL},
};
/*
 * Not phantom functions (they confuse the IOMMU), not the payload size (it concerns others), not
 * ARI forwarding.
 */
static const struct svf_vreg exp_regs[] = {
	{PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_READRQ,
	 ~(uint32_t)PCI_EXP_DEVCTL_PHANTOM},
	{PCI_EXP_DEVCTL2, 2, 0, ~(uint32_t)PCI_EXP_DEVCTL2_ARI},
};
static const struct svf_vreg af_regs[] = {
	{PCI_AF_CTRL, 1, PCI_AF_CTRL_FLR, PCI_AF_CTRL_FLR},
};
static const struct svf_vreg aer_regs[] = {
	{PCI_ERR_UNCOR_STATUS, 4, 0, AER_UNCOR_BITS}, {PCI_ERR_UNCOR_MASK, 4, 0, AER_UNCOR_BITS},
	{PCI_ERR_UNCOR_SEVER, 4, 0, AER_UNCOR_BITS},  {PCI_ERR_COR_STATUS, 4, 0, AER_COR_BITS},
	{PCI_ERR_COR_MASK, 4, 0, AER_COR_BITS},	      {PCI_ERR_CAP, 4, 0, AER_CAP_BITS},
};
static const struct svf_vreg power_budget_regs[] = {
	{PCI_PWR_DATA, 1, 0, ALL},
};

/*
 * MSI by address size and per-vector masking. Address and data are the user's own: the host's are
 * used.
 */
static const struct svf_vreg msi_regs[2][2][6] = {
	{
		{{PCI_MSI_FLAGS, 1, ALL, ALL},
		 {PCI_MSI_ADDRESS_LO, 4, ALL, ALL},
		 {PCI_MSI_DATA_32, 2, ALL, ALL}},
		{{PCI_MSI_FLAGS, 1, ALL, ALL},
		 {PCI_MSI_ADDRESS_LO, 4, ALL, ALL},
		 {PCI_MSI_DATA_32, 2, ALL, ALL},
		 {PCI_MSI_MASK_32, 4, 0, ALL},
		 {PCI_MSI_PENDING_32, 4, 0, ALL}},
	},
	{
		{{PCI_MSI_FLAGS, 1, ALL, ALL},
		 {PCI_MSI_ADDRESS_LO, 4, ALL, ALL},
		 {PCI_MSI_ADDRESS_HI, 4, ALL, ALL},
		 {PCI_MSI_DATA_64, 2, ALL, ALL}},
		{{PCI_MSI_FLAGS, 1, ALL, ALL},
		 {PCI_MSI_ADDRESS_LO, 4, ALL, ALL},
		 {PCI_MSI_ADDRESS_HI, 4, ALL, ALL},
		 {PCI_MSI_DATA_64, 2, ALL, ALL},
		 {PCI_MSI_MASK_64, 4, 0, ALL},
		 {PCI_MSI_PENDING_64, 4, 0, ALL}},
	},
};
static const unsigned int msi_nregs[2][2] = {{3, 5}, {4, 6}};

/*
 * A register of a capability, which may lie too close to the end of config space to have it: 0
 * then.
 */
static uint32_t peek(const struct svf_function *fn, unsigned int at, unsigned int size)
{
	return at + size <= fn->config_size ? svf_config_read(fn, at, size) : 0;
}

static uint32_t flags16(const struct svf_function *fn, unsigned int at)
{
	return peek(fn, at + PCI_CAP_FLAGS, 2);
}

static const struct svf_vreg *msi_regs_of(const struct svf_function *fn, unsigned int at,
					  unsigned int *ret_count)
{
	bool wide = flags16(fn, at) & PCI_MSI_FLAGS_64BIT;
	bool mask = flags16(fn, at) & PCI_MSI_FLAGS_MASKBIT;

	*ret_count = msi_nregs[wide][mask];
	return msi_regs[wide][mask];
}

static unsigned int msi_length(const struct svf_function *fn, unsigned int at)
{
	uint32_t flags = flags16(fn, at);

	return 10u + (flags & PCI_MSI_FLAGS_64BIT ? 4u : 0u) +
	       (flags & PCI_MSI_FLAGS_MASKBIT ? 10u : 0u);
}

static unsigned int pcix_length(const struct svf_function *fn, unsigned int at)
{
	return PCI_X_CMD_VERSION(flags16(fn, at)) ? PCI_CAP_PCIX_SIZEOF_V2 : PCI_CAP_PCIX_SIZEOF_V0;
}

static unsigned int vendor_length(const struct svf_function *fn, unsigned int at)
{
	return peek(fn, at + PCI_CAP_FLAGS, 1);
}

static unsigned int exp_length(const struct svf_function *fn, unsigned int at)
{
	uint32_t flags = flags16(fn, at);
	bool link = (flags & PCI_EXP_FLAGS_TYPE) >> 4 != PCI_EXP_TYPE_RC_END;

	if ((flags & PCI_EXP_FLAGS_VERS) == 1)
		return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V1 : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1;
	return link ? EXP_V2_LENGTH : EXP_V2_RC_LENGTH;
}

static unsigned int ht_length(const struct svf_function *fn, unsigned int at)
{
	return peek(fn, at + 3, 1) & HT_3BIT_CAP_MASK ? HT_CAP_SIZEOF_SHORT : HT_CAP_SIZEOF_LONG;
}

static unsigned int sata_length(const struct svf_function *fn, unsigned int at)
{
	uint32_t regs = peek(fn, at + PCI_SATA_REGS, 1) & PCI_SATA_REGS_MASK;

	return regs == PCI_SATA_REGS_INLINE ? PCI_SATA_SIZEOF_LONG : PCI_SATA_SIZEOF_SHORT;
}

static const struct svf_vrule cap_rules[] = {
	{.id = PCI_CAP_ID_PM, .length = PCI_PM_SIZEOF, .effect = SVF_VEFFECT_PM, REGS(pm_regs)},
	{.id = PCI_CAP_ID_AGP, .length = PCI_AGP_SIZEOF},
	{.id = PCI_CAP_ID_VPD,
	 .length = PCI_CAP_VPD_SIZEOF,
	 .effect = SVF_VEFFECT_VPD,
	 REGS(vpd_regs)},
	{.id = PCI_CAP_ID_MSI,
	 .effect = SVF_VEFFECT_MSI,
	 .length_of = msi_length,
	 .regs_of = msi_regs_of},
	{.id = PCI_CAP_ID_PCIX, .length_of = pcix_length, REGS(pcix_regs)},
	{.id = PCI_CAP_ID_HT, .length_of = ht_length},
	{.id = PCI_CAP_ID_VNDR, .length_of = vendor_length, .writable = true},
	{.id = PCI_CAP_ID_EXP, .effect = SVF_VEFFECT_EXP, .length_of = exp_length, REGS(exp_regs)},
	{.id = PCI_CAP_ID_MSIX, .length = PCI_CAP_MSIX_SIZEOF},
	{.id = PCI_CAP_ID_SATA, .length_of = sata_length},
	{.id = PCI_CAP_ID_AF, .length = PCI_CAP_AF_SIZEOF, .effect = SVF_VEFFECT_AF, REGS(af_regs)},
};

static unsigned int vsec_length(const struct svf_function *fn, unsigned int at)
{
	return peek(fn, at + 4, 4) >> 20;
}

/*
 * Arbitration tables of ports and of function 0 lie behind and are never written, so they do not
 * count.
 */
static unsigned int vc_length(const struct svf_function *fn, unsigned int at)
{
	uint32_t cap2 = peek(fn, at + PCI_VC_PORT_CAP2, 4);
	uint32_t vcs = 1 + (peek(fn, at + PCI_VC_PORT_CAP1, 4) & PCI_VC_CAP1_EVCC);
	unsigned int phases = cap2 & PCI_VC_CAP2_128_PHASE  ? 128
			      : cap2 & PCI_VC_CAP2_64_PHASE ? 64
			      : cap2 & PCI_VC_CAP2_32_PHASE ? 32
							    : 0;
	unsigned int length = PCI_CAP_VC_BASE_SIZEOF + vcs * PCI_CAP_VC_PER_VC_SIZEOF;

	return phases ? (length + 15) / 16 * 16 + phases / 2 : length;
}

static unsigned int acs_length(const struct svf_function *fn, unsigned int at)
{
	unsigned int bits;

	if (!(peek(fn, at + PCI_ACS_CAP, 1) & PCI_ACS_EC))
		return 8;
	bits = peek(fn, at + PCI_ACS_EGRESS_BITS, 1);
	return 8 + (bits ? (bits + 31) / 32 * 4 : 32u);
}

static unsigned int rebar_length(const struct svf_function *fn, unsigned int at)
{
	return 4 + (peek(fn, at + PCI_REBAR_CTRL, 1) & PCI_REBAR_CTRL_NBAR_MASK) / 32 * 8;
}

static unsigned int dpa_length(const struct svf_function *fn, unsigned int at)
{
	return PCI_DPA_BASE_SIZEOF + (peek(fn, at + PCI_DPA_CAP, 1) & PCI_DPA_CAP_SUBSTATE_MASK) +
	       1;
}

static unsigned int tph_length(const struct svf_function *fn, unsigned int at)
{
	uint32_t cap = peek(fn, at + PCI_TPH_CAP, 4);

	if ((cap & PCI_TPH_CAP_LOC_MASK) != PCI_TPH_LOC_CAP)
		return PCI_TPH_BASE_SIZEOF;
	return PCI_TPH_BASE_SIZEOF + ((cap & PCI_TPH_CAP_ST_MASK) >> PCI_TPH_CAP_ST_SHIFT) * 2 + 2;
}

#define EXT_CAP_ID_DVSEC 0x23

static const struct svf_vrule ext_cap_rules[] = {
	{.id = PCI_EXT_CAP_ID_ERR, .length = PCI_ERR_ROOT_COMMAND, REGS(aer_regs)},
	{.id = PCI_EXT_CAP_ID_VC, .length_of = vc_length},
	{.id = PCI_EXT_CAP_ID_DSN, .length = PCI_EXT_CAP_DSN_SIZEOF},
	{.id = PCI_EXT_CAP_ID_PWR, .length = PCI_EXT_CAP_PWR_SIZEOF, REGS(power_budget_regs)},
	{.id = PCI_EXT_CAP_ID_MFVC, .length_of = vc_length},
	{.id = PCI_EXT_CAP_ID_VC9, .length_of = vc_length},
	{.id = PCI_EXT_CAP_ID_VNDR, .length_of = vsec_length, .writable = true},
	{.id = PCI_EXT_CAP_ID_ACS, .length_of = acs_length},
	{.id = PCI_EXT_CAP_ID_ARI, .length = PCI_EXT_CAP_ARI_SIZEOF},
	{.id = PCI_EXT_CAP_ID_ATS, .length = PCI_EXT_CAP_ATS_SIZEOF},
	{.id = PCI_EXT_CAP_ID_SRIOV, .length = PCI_EXT_CAP_SRIOV_SIZEOF},
	{.id = PCI_EXT_CAP_ID_MCAST, .length = PCI_EXT_CAP_MCAST_ENDPOINT_SIZEOF},
	{.id = PCI_EXT_CAP_ID_PRI, .length = PCI_EXT_CAP_PRI_SIZEOF},
	{.id = PCI_EXT_CAP_ID_REBAR, .length_of = rebar_length},
	{.id = PCI_EXT_CAP_ID_DPA, .length_of = dpa_length},
	{.id = PCI_EXT_CAP_ID_TPH, .length_of = tph_length},
	{.id = PCI_EXT_CAP_ID_LTR, .length = PCI_EXT_CAP_LTR_SIZEOF},
	{.id = EXT_CAP_ID_DVSEC, .length_of = vsec_length, .writable = true},
};

static const struct svf_vrule *find(const struct svf_vrule *rules, size_t count, uint16_t id)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].id == id)
			return &rules[i];
	return NULL;
}

const struct svf_vrule *svf_vrule_cap(uint8_t id)
{
	return find(cap_rules, SVF_ARRAY_SIZE(cap_rules), id);
}

const struct svf_vrule *svf_vrule_ext_cap(uint16_t id)
{
	return find(ext_cap_rules, SVF_ARRAY_SIZE(ext_cap_rules), id);
}
