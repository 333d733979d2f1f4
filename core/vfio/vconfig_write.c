/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What writing the virtualised config space does beyond changing bits.
 *
 * Command: turning memory or I/O decoding on when the user has it on but the function does not
 * means that somebody reset the function behind our back (a register of its own, setpci): its BARs
 * are put back first. INTx disable is the user's own bit and masks the interrupt.
 *
 * PM: the state is set by the driver, not by the user's write. MSI: enabling is only effective
 * while the interrupt is enabled by SET_IRQS, and no more vectors than that enabled can be
 * configured. PCIe and AF: an FLR is any reset of the function, with its state kept, and the bit
 * always reads 0. PCIe: the read request size is passed on when it changes, but never below the payload size, which
 * users do not set.
 */
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pci/vpd.h"
#include "core/vfio/vconfig.h"
#include "core/vfio/vfio_pci.h"

static bool bars_lost(const struct svf_vconfig *vc, const struct svf_function *fn)
{
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		if (vc->physical_bars[i] &&
		    vc->physical_bars[i] != svf_config_read(fn, PCI_BASE_ADDRESS_0 + 4 * i, 4))
			return true;
	}
	return false;
}

static void restore_bars(struct svf_device *device)
{
	struct svf_function *fn = device->fn;

	if (fn->physfn)
		return;
	svf_device_log(fn, "vfio_bar_restore: reset recovery - restoring BARs");
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++)
		svf_config_write(fn, PCI_BASE_ADDRESS_0 + 4 * i, 4,
				 device->vconfig->physical_bars[i]);
	svf_config_write(fn, PCI_ROM_ADDRESS, 4, device->vconfig->physical_bars[SVF_PCI_ROM_BAR]);
	if (device->intx_hidden)
		svf_device_set_command(fn, PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_INTX_DISABLE);
}

void svf_vconfig_before_write(struct svf_device *device, unsigned int pos, uint32_t value)
{
	uint32_t seen, turned_on;

	if (pos != PCI_COMMAND)
		return;
	seen = svf_config_read(device->fn, PCI_COMMAND, 2);
	turned_on = value & svf_vconfig_command(device->vconfig) & ~seen;
	if (device->fn->physfn)
		turned_on &= ~(uint32_t)PCI_COMMAND_MEMORY;
	if (turned_on & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO) ||
	    bars_lost(device->vconfig, device->fn))
		restore_bars(device);
}

static void command_written(struct svf_device *device, unsigned int pos, uint32_t value)
{
	uint8_t *command = device->vconfig->value + PCI_COMMAND;
	uint8_t decode = PCI_COMMAND_MEMORY | PCI_COMMAND_IO;

	if (pos != PCI_COMMAND && pos != PCI_COMMAND + 1)
		return;
	/* Kept for the test above, next time. */
	if (pos == PCI_COMMAND)
		command[0] = (uint8_t)((command[0] & ~decode) | (value & decode));
	svf_irqs_intx_follow(device,
			     svf_vconfig_command(device->vconfig) & PCI_COMMAND_INTX_DISABLE);
}

static void pm_written(struct svf_device *device, unsigned int offset, uint32_t value)
{
	if (offset == PCI_PM_CTRL)
		svf_device_set_power_state(device, value & PCI_PM_CTRL_STATE_MASK);
}

static void msi_written(struct svf_device *device, unsigned int first, unsigned int offset,
			unsigned int len)
{
	uint8_t *at = device->vconfig->value + first + PCI_MSI_FLAGS;
	unsigned int flags = svf_get_le16(at);

	if (offset > PCI_MSI_FLAGS || offset + len < PCI_MSI_FLAGS)
		return;
	if (device->irqs->type != VFIO_PCI_MSI_IRQ_INDEX)
		flags &= ~(unsigned int)PCI_MSI_FLAGS_ENABLE;
	if ((flags & PCI_MSI_FLAGS_QSIZE) >> 4 > device->msi_qmax)
		flags = (flags & ~(unsigned int)PCI_MSI_FLAGS_QSIZE) |
			(unsigned int)device->msi_qmax << 4;
	svf_put_le16(at, (uint16_t)flags);
	svf_config_write(device->fn, first + PCI_MSI_FLAGS, 2, flags);
}

static void user_flr(struct svf_device *device)
{
	/* Whether it worked is not told: the bit has no answer. */
	int err = svf_device_try_reset(device, NULL);

	(void)err;
}

static void read_request_written(struct svf_device *device, unsigned int at, unsigned int wanted)
{
	uint32_t physical = svf_config_read(device->fn, at, 2);
	uint32_t payload = (physical & PCI_EXP_DEVCTL_PAYLOAD) >> 5;
	uint32_t size = wanted > payload ? wanted : payload; /* both are 128 << n */

	/* 6 and 7 are reserved, and refused. */
	if (size <= 5)
		svf_config_write(device->fn, at, 2,
				 (physical & ~(uint32_t)PCI_EXP_DEVCTL_READRQ) | size << 12);
}

/* Whether a write of len bytes at offset of the capability reached a byte of it. */
static bool touched(unsigned int offset, unsigned int len, unsigned int byte)
{
	return offset <= byte && byte < offset + len;
}

/* FLR and the read request size are both in the upper byte of the device control register. */
static void exp_written(struct svf_device *device, unsigned int first, unsigned int offset,
			unsigned int len)
{
	struct svf_function *fn = device->fn;
	uint8_t *ctrl = device->vconfig->value + first + PCI_EXP_DEVCTL;
	unsigned int value = svf_get_le16(ctrl);

	if (!touched(offset, len, PCI_EXP_DEVCTL + 1))
		return;
	svf_put_le16(ctrl, (uint16_t)(value & ~(unsigned int)PCI_EXP_DEVCTL_BCR_FLR));
	if (value & PCI_EXP_DEVCTL_BCR_FLR &&
	    svf_config_read(fn, first + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR)
		user_flr(device);
	if (device->vconfig->read_request == (value & PCI_EXP_DEVCTL_READRQ))
		return;
	device->vconfig->read_request = (uint16_t)(value & PCI_EXP_DEVCTL_READRQ);
	read_request_written(device, first + PCI_EXP_DEVCTL, (value & PCI_EXP_DEVCTL_READRQ) >> 12);
}

static void af_written(struct svf_device *device, unsigned int first, unsigned int offset,
		       unsigned int len)
{
	uint8_t *ctrl = device->vconfig->value + first + PCI_AF_CTRL;
	uint32_t cap;

	if (!touched(offset, len, PCI_AF_CTRL) || !(*ctrl & PCI_AF_CTRL_FLR))
		return;
	*ctrl &= (uint8_t)~PCI_AF_CTRL_FLR;
	cap = svf_config_read(device->fn, first + PCI_AF_CAP, 1);
	if (cap & PCI_AF_CAP_FLR && cap & PCI_AF_CAP_TP)
		user_flr(device);
}

/*
 * The register is the user's alone; the flag turns over when the function has done it. It is written with the
 * upper byte of the address.
 */
static void vpd_written(struct svf_device *device, unsigned int first, unsigned int offset,
			unsigned int len)
{
	uint8_t *at = device->vconfig->value + first;
	uint16_t address = svf_get_le16(at + PCI_VPD_ADDR);
	uint8_t data[4] = {0};
	uint64_t where = address & PCI_VPD_ADDR_MASK;

	if (!touched(offset, len, PCI_VPD_ADDR + 1))
		return;
	if (address & PCI_VPD_ADDR_F) {
		if (svf_vpd_write(device->fn, NULL, where, at + PCI_VPD_DATA, 4) != 4)
			return;
	} else {
		if (svf_vpd_read(device->fn, NULL, where, data, sizeof(data)) < 0)
			return;
		memcpy(at + PCI_VPD_DATA, data, sizeof(data));
	}
	svf_put_le16(at + PCI_VPD_ADDR, address ^ PCI_VPD_ADDR_F);
}

void svf_vconfig_after_write(struct svf_device *device, const struct svf_vcap *cap,
			     unsigned int pos, unsigned int len, uint32_t value)
{
	unsigned int offset = pos - cap->first;

	if (cap->rule == &svf_vrule_header)
		command_written(device, pos, value);
	switch (cap->rule ? cap->rule->effect : SVF_VEFFECT_NONE) {
	case SVF_VEFFECT_NONE:
		break;
	case SVF_VEFFECT_PM:
		pm_written(device, offset, value);
		break;
	case SVF_VEFFECT_MSI:
		msi_written(device, cap->first, offset, len);
		break;
	case SVF_VEFFECT_VPD:
		vpd_written(device, cap->first, offset, len);
		break;
	case SVF_VEFFECT_EXP:
		exp_written(device, cap->first, offset, len);
		break;
	case SVF_VEFFECT_AF:
		af_written(device, cap->first, offset, len);
		break;
	}
}
