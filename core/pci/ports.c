/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports and bridges.
 *
 * They are what the topology and the IOMMU groups are made of, and show in lspci and setpci; they
 * forward nothing themselves. Each has the identity of a device well known from virtual machines,
 * so that tools name it, and the capabilities that decide about grouping: the PCIe port type and,
 * unless it is left out on purpose, ACS with everything Linux turns on turned on. Root and
 * downstream ports can forward ARI requests, without which a VF beyond function 7 could not be reached;
 * whether one does depends on the device below, see svf_function_finalize().
 */
#include "core/pci/ports.h"

#include <assert.h>
#include <linux/pci_regs.h>

#include "base/bytes.h"
#include "core/pci/bus.h"
#include "core/pci/caps.h"
#include "core/pci/function.h"

static const struct port {
	uint16_t vendor, device;
	bool express; /* has a PCIe capability of this type */
	uint16_t pcie_type;
	bool acs, ari, slot; /* can have them */
} ports[] = {
	[SVF_TOPOLOGY_ROOT_PORT] = {0x1b36, 0x000c, true, PCI_EXP_TYPE_ROOT_PORT, true, true, true},
	[SVF_TOPOLOGY_SWITCH_UPSTREAM] = {0x104c, 0x8232, true, PCI_EXP_TYPE_UPSTREAM, false, false,
					  false},
	[SVF_TOPOLOGY_SWITCH_DOWNSTREAM] = {0x104c, 0x8233, true, PCI_EXP_TYPE_DOWNSTREAM, true,
					    true, true},
	[SVF_TOPOLOGY_PCIE_PCI_BRIDGE] = {0x1b36, 0x000e, true, PCI_EXP_TYPE_PCI_BRIDGE, false,
					  false, false},
	[SVF_TOPOLOGY_PCI_BRIDGE] = {0x1b36, 0x0001, false, 0, false, false, false},
};

#define CLASS_BRIDGE_PCI  0x060400u
#define CLASS_BRIDGE_HOST 0x060000u
#define EXP_SIZE	  60u
#define SSVID_SIZE	  8u

/*
 * What Linux enables at discovery (source validation, request and completion redirect, upstream
 * forwarding), and translation blocking, which it does not.
 */
#define ACS_CAPABLE (PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

/* Config space of a fresh function has room for the few capabilities that are added here. */
static uint8_t *add_cap(struct svf_function *fn, uint8_t id, unsigned int len)
{
	unsigned int pos = svf_caps_add(fn, id, len);

	assert(pos);
	return fn->config + pos;
}

static void add_pm(struct svf_function *fn)
{
	uint8_t *cap = add_cap(fn, PCI_CAP_ID_PM, PCI_PM_SIZEOF);

	svf_put_le16(cap + PCI_PM_PMC, 3);
	svf_put_le16(cap + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
}

static void add_exp(struct svf_function *fn, const struct port *port)
{
	uint8_t *cap = add_cap(fn, PCI_CAP_ID_EXP, EXP_SIZE);

	fn->config_size = SVF_PCIE_CONFIG_SIZE;
	svf_put_le16(cap + PCI_EXP_FLAGS,
		     (uint16_t)(2 | port->pcie_type << 4 | (port->slot ? PCI_EXP_FLAGS_SLOT : 0)));
	svf_put_le32(cap + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER);
	svf_put_le32(cap + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_2_5GB | 1u << 4);
	svf_put_le16(cap + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1 |
						   (port->slot ? PCI_EXP_LNKSTA_DLLLA : 0));
	if (port->slot)
		svf_put_le16(cap + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDS);
	if (port->ari)
		svf_put_le32(cap + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_ARI);
}

static bool add_acs(struct svf_function *fn, uint16_t capable)
{
	unsigned int pos = svf_caps_add_ext(fn, PCI_EXT_CAP_ID_ACS, 1, 8);

	if (!pos)
		return false;
	svf_put_le16(fn->config + pos + PCI_ACS_CAP, capable);
	return true;
}

bool svf_function_add_acs(struct svf_function *fn)
{
	if (svf_config_find_ext_cap(fn, PCI_EXT_CAP_ID_ACS))
		return true;
	return fn->config_size > SVF_PCI_CONFIG_SIZE &&
	       add_acs(fn, PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_DT);
}

static void set_ids(struct svf_function *fn, uint16_t vendor, uint16_t device, uint32_t class_code)
{
	svf_put_le16(fn->config + PCI_VENDOR_ID, vendor);
	svf_put_le16(fn->config + PCI_DEVICE_ID, device);
	svf_put_le32(fn->config + PCI_CLASS_REVISION, class_code << 8);
}

void svf_port_build(struct svf_function *fn, enum svf_topology_kind kind, bool acs)
{
	const struct port *port = &ports[kind];
	uint8_t *ssvid;

	set_ids(fn, port->vendor, port->device, CLASS_BRIDGE_PCI);
	fn->config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE;
	fn->interconnect = true;
	add_pm(fn);
	if (port->express)
		add_exp(fn, port);
	ssvid = add_cap(fn, PCI_CAP_ID_SSVID, SSVID_SIZE);
	svf_put_le16(ssvid + PCI_SSVID_VENDOR_ID, port->vendor);
	if (port->acs && acs && !add_acs(fn, ACS_CAPABLE))
		assert(!"extended config space of a port is empty");
}

void svf_port_set_id(struct svf_function *fn, uint16_t vendor, uint16_t device)
{
	svf_put_le16(fn->config + PCI_VENDOR_ID, vendor);
	svf_put_le16(fn->config + PCI_DEVICE_ID, device);
}

void svf_host_bridge_build(struct svf_function *fn)
{
	set_ids(fn, 0x1b36, 0x0008, CLASS_BRIDGE_HOST);
}
