/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI function: endpoint, virtual function, bridge or port.
 *
 * config[] is the physical config space: what sysfs "config" and setpci see, with the hardware's
 * own write rules (wmask: bits software may change; w1c: bits a written one clears). What a VFIO
 * client sees of it through a device fd is a virtualised view on top, core/vfio/vconfig.c.
 *
 * Lifetime: a function is owned by the machine (machine->functions) from svf_function_finalize()
 * to svf_function_destroy(); a VF's physfn outlives it. One that is removed by hand (hotplug.h)
 * leaves the machine's lists, but not its bus, and lives as long as the machine; VFs do not.
 */
#ifndef SVF_CORE_PCI_FUNCTION_H
#define SVF_CORE_PCI_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "core/call.h"
#include "core/pci/bdf.h"
#include "core/port.h"
#include "core/timer.h"

#define SVF_PCI_CONFIG_SIZE	 256u
#define SVF_PCIE_CONFIG_SIZE	 4096u
#define SVF_PCI_BARS		 6
#define SVF_PCI_ROM_BAR		 6
#define SVF_DRIVER_OVERRIDE_SIZE 4096 /* sysfs gives a page */

struct svf_bar_run;
struct svf_bus;
struct svf_device;
struct svf_driver;
struct svf_iommu_group;
struct svf_irq_sink;
struct svf_model_ops;
struct svf_requester;

enum svf_bar_kind {
	SVF_BAR_NONE,
	SVF_BAR_MEM32,
	SVF_BAR_MEM64,
	SVF_BAR_MEM64_HIGH,
	SVF_BAR_IO,
	SVF_BAR_ROM
};

struct svf_bar {
	enum svf_bar_kind kind; /* MEM64_HIGH: the second half of the BAR before it */
	bool prefetchable;
	uint64_t size;	     /* bytes, a power of two; 0 when kind is NONE or MEM64_HIGH */
	uint64_t address;    /* bus address assigned at start, as in sysfs "resource" */
	struct svf_ram *ram; /* of its RAM pages, NULL without; where all are that, runs is NULL */
	struct svf_ram *read_ram; /* of its READ_RAM pages, NULL without */
	struct svf_bar_run *runs; /* pages.h; NULL: RAM throughout, or without memory TRAP */
};

struct svf_sriov {
	uint16_t cap; /* offset of the extended capability */
	uint16_t total_vfs, num_vfs, offset, stride, vf_device;
	bool drivers_autoprobe;
	bool disabling; /* sriov_numvfs 0 is under way and waits for users of VFs */
	struct svf_bar vf_bars[SVF_PCI_BARS]; /* size: of one VF's; address: of VF 0's */
	/* num_vfs of them, or NULL. While disabling those that are gone already are NULL. */
	struct svf_function **vfs;
};

/* Ways to reset a function, named as in sysfs "reset_method" and tried in this order. */
#define SVF_RESET_FLR	 (1u << 0)
#define SVF_RESET_AF_FLR (1u << 1)
#define SVF_RESET_PM	 (1u << 2)
#define SVF_RESET_BUS	 (1u << 3)

struct svf_function {
	struct svf_list machine_link; /* machine->functions, sorted by BDF; while removed: none */
	struct svf_list bus_link;     /* bus->functions; while removed: bus->absent */
	struct svf_list group_link;   /* iommu_group->functions */
	struct svf_machine *machine;
	struct svf_bdf bdf;
	struct svf_bus *bus;	     /* the bus it is on */
	struct svf_bus *subordinate; /* the bus behind it, for bridges and ports */

	uint8_t config[SVF_PCIE_CONFIG_SIZE];
	uint8_t wmask[SVF_PCIE_CONFIG_SIZE];
	uint8_t w1c[SVF_PCIE_CONFIG_SIZE];
	uint16_t config_size; /* SVF_PCI_CONFIG_SIZE or SVF_PCIE_CONFIG_SIZE, bytes */

	struct svf_bar bars[SVF_PCI_BARS + 1]; /* [SVF_PCI_ROM_BAR]: expansion ROM */
	uint8_t *
		vpd; /* vital product data, vpd_len bytes; behind them it reads as ones; NULL: none */
	uint32_t vpd_len;
	uint8_t *
		rom; /* contents of the expansion ROM, rom_len bytes; behind them it reads as ones */
	uint32_t rom_len;
	bool rom_shown; /* sysfs "rom" has been asked for */

	/* Offsets of capabilities in config[], 0: absent. */
	uint8_t cap_pm, cap_msi, cap_msix, cap_exp, cap_af, cap_vpd;
	uint16_t ext_acs, ext_ari, ext_aer;
	uint8_t pcie_type; /* device/port type field of the PCIe capability, where cap_exp */
	bool has_flr;	   /* FLR by PCIe DEVCAP or AF */
	bool has_pm_reset; /* D3hot to D0 resets (No_Soft_Reset clear) */
	bool interconnect; /* header type 1: bridge or port */

	bool acs_off; /* discovery leaves the controls of its ACS capability off */

	/* A bit per devfn of its bus under whose requester id it does DMA, too. */
	uint64_t dma_aliases[4];

	struct svf_function *physfn; /* of a VF */
	unsigned int vf_index;
	struct svf_sriov sriov; /* of a PF: sriov.cap != 0 */

	uint8_t *reset_config;	    /* config_size bytes as after a reset, without addresses; set by
				       finalize */
	unsigned int reset_methods; /* SVF_RESET_* found at discovery; never changes afterwards */
	uint16_t cap_free, ext_free; /* where the next capability goes, while being built */

	struct svf_iommu_group *group;	 /* NULL until finalized, or without an IOMMU */
	struct svf_requester *requester; /* of the group */

	/* Driver core (core/pci/driver.c) */
	struct svf_driver *driver; /* bound, or NULL */
	char *driver_override;	   /* NULL: none */
	struct svf_device *device; /* the VFIO device, while the bound driver is vfio-pci */
	unsigned int enables; /* by sysfs "enable", on top of those by a driver or a VFIO user */
	bool removing;	      /* its driver is leaving and waits for users */
	bool leaving;	      /* its removal by hand is under way */
	bool unlinked;	      /* a VF whose removal has begun: without links to and from its PF */
	uint64_t discovered;  /* the how manieth discovery it was; 0: not in the machine */
	bool uses_kernel_dma; /* the bound driver holds a use of the group's kernel DMA */

	/* Interrupts: the sink is set and cleared by core/vfio, NULL: they go nowhere. */
	const struct svf_irq_sink *irq_sink;
	bool intx_asserted; /* by the model; what the line shows is that without INTx Disable */

	const struct svf_model_ops *model;
	void *model_state;
	struct svf_timer work;	      /* armed: the model's work() is to be called */
	struct svf_list model_timers; /* struct svf_model_timer.link */
};

/*
 * Making one, in this order: alloc, then config space, capabilities and BARs (by the model, through
 * include/softvfio/model.h), then addresses (bars.h), then finalize, which completes masks,
 * publishes the function in machine and bus and puts it into its IOMMU group. abort ends one that
 * was not finalized. finalize: 0, -ENOMEM, -EBUSY (svf_requester_join); the function is then still
 * to be aborted.
 */
int svf_function_alloc(struct svf_machine *machine, struct svf_bus *bus, uint8_t devfn,
		       struct svf_function **ret) SVF_MUST_CHECK;
int svf_function_finalize(struct svf_function *fn) SVF_MUST_CHECK;
/* The last part of finalize, for a function found again. On failure it is among its bus's, no more. */
int svf_function_discover(struct svf_function *fn) SVF_MUST_CHECK;
void svf_function_abort(struct svf_function *fn);
/* Of a finalized one without a driver. Takes NULL. A PF must have no VFs. */
void svf_function_destroy(struct svf_function *fn);

/* model_timer.c: at the end of a function, after its model's state. */
void svf_function_free_timers(struct svf_function *fn);

/* By address; NULL when there is none. */
struct svf_function *svf_function_lookup(struct svf_machine *machine, struct svf_bdf bdf);

/* The function does DMA as this devfn of its bus, too. Before it is finalized. */
static inline void svf_function_add_dma_alias(struct svf_function *fn, uint8_t devfn)
{
	fn->dma_aliases[devfn / 64] |= 1ull << devfn % 64;
}

static inline bool svf_function_has_dma_alias(const struct svf_function *fn, uint8_t devfn)
{
	return fn->dma_aliases[devfn / 64] >> devfn % 64 & 1;
}

static inline bool svf_function_is_pf(const struct svf_function *fn)
{
	return fn->sriov.cap != 0;
}

/* A VF's vendor and device id are those sysfs shows, not the ffff in its config space. */
uint16_t svf_function_vendor(const struct svf_function *fn);
uint16_t svf_function_device_id(const struct svf_function *fn);
uint32_t svf_function_class(const struct svf_function *fn); /* 24 bits, as sysfs "class" */

/* A VGA device, which answers legacy addresses too. */
static inline bool svf_function_is_vga(const struct svf_function *fn)
{
	return !fn->physfn && svf_function_class(fn) >> 8 == 0x0300;
}

/*
 * As the kernel's device lock: held by a removal that waits. Stores to this function must wait
 * (SVF_BLOCKED).
 */
static inline bool svf_function_is_locked(const struct svf_function *fn)
{
	return fn->removing || fn->sriov.disabling;
}

/*
 * Line index of sysfs "resource": 0 to 5 BARs, 6 ROM, 7 to 12 the VF BARs of a PF (all VFs
 * together), 13 to 15 a bridge's I/O, memory and prefetchable window. False: that line is zeroes.
 * Flags as ioport.h has them.
 */
struct svf_resource {
	uint64_t first, last, flags;
};
bool svf_function_resource(const struct svf_function *fn, unsigned int index,
			   struct svf_resource *ret);

/* Memory decoding as vfio-pci judges it: in D0, and COMMAND.MEM or for a VF the PF's VF MSE. */
bool svf_function_memory_enabled(const struct svf_function *fn);
/* D-state of the power management capability, 0 without one. */
unsigned int svf_function_power_state(const struct svf_function *fn);

/*
 * Physical config space access of 1, 2 or 4 naturally aligned bytes below config_size, with the
 * hardware's side effects on write (BAR sizing, FLR, D-states, VF enable is refused here: it goes
 * by sriov_numvfs). Longer or unaligned accesses are split by the caller.
 */
uint32_t svf_config_read(const struct svf_function *fn, unsigned int offset, unsigned int size);
void svf_config_write(struct svf_function *fn, unsigned int offset, unsigned int size,
		      uint32_t value);

/* Offset of a capability (id of PCI_CAP_ID_*), 0 when absent. Bounded walk, safe on any content. */
unsigned int svf_config_find_cap(const struct svf_function *fn, uint8_t id);
unsigned int svf_config_find_ext_cap(const struct svf_function *fn, uint16_t id);

/*
 * BAR contents, bar 0 to 5 or SVF_PCI_ROM_BAR; offset + len lies within the BAR, checked by the
 * caller, as is that all of it is pages of one kind. Goes to RAM or to the model. The caller checks
 * memory decoding.
 */
void svf_bar_read(struct svf_function *fn, unsigned int bar, uint64_t offset, void *buf,
		  size_t len);
void svf_bar_write(struct svf_function *fn, unsigned int bar, uint64_t offset, const void *buf,
		   size_t len);

/*
 * Bytes of the expansion ROM from its start to the end of its last image, 0 when there is none or
 * it does not answer. It answers while memory is decoded; that of a VGA device always does, as
 * firmware has copied it into memory.
 */
uint64_t svf_rom_images(struct svf_function *fn);

/*
 * Legacy VGA of a VGA device: memory from 0xa0000 to 0xbffff, ports from 0x3b0 to 0x3bb and 0x3c0
 * to 0x3df. Within one of these ranges, checked by the caller.
 */
void svf_vga_read(struct svf_function *fn, uint32_t address, void *buf, size_t len);
void svf_vga_write(struct svf_function *fn, uint32_t address, const void *buf, size_t len);

/* MSI-X table, from the capability: bar number and byte ranges. False without MSI-X. */
struct svf_msix_layout {
	unsigned int vectors, table_bar, pba_bar;
	uint32_t table_offset, pba_offset;
};
bool svf_function_msix(const struct svf_function *fn, struct svf_msix_layout *ret);
/*
 * msix.c: what the table says of a vector; all of it as after a reset, masked and without messages.
 * Nothing happens without MSI-X.
 */
#define SVF_MSI_ADDRESS 0xfee00000u /* where messages go, as it stands in registers */
void svf_msix_write_entry(struct svf_function *fn, unsigned int vector, bool message, bool masked);
void svf_msix_reset_table(struct svf_function *fn);
unsigned int
svf_function_msi_vectors(const struct svf_function *fn); /* 0 without MSI, else 1..32 */

/*
 * Function-level reset: config space back to reset values except addresses and what survives (the
 * kernel saves and restores BARs and the like around it; so does this), model told, RAM zeroed if
 * the model says so. Return: 0, -ENOTTY when the function has no way to be reset alone.
 */
int svf_function_reset(struct svf_function *fn, struct svf_call *call) SVF_MUST_CHECK;
/*
 * Whether svf_function_reset would work now, which is what VFIO_DEVICE_FLAGS_RESET says. sysfs
 * "reset" and "reset_method" exist when reset_methods, found at discovery, is not empty: a "bus" in
 * it may have become useless.
 */
bool svf_function_can_reset(const struct svf_function *fn);

/*
 * Interrupts from the function to its driver: set by core/vfio while a client has enabled them,
 * called by the model through svf_function_raise_*. vector: MSI or MSI-X vector; INTx has level.
 */
struct svf_irq_sink {
	void (*msi)(struct svf_function *fn, unsigned int vector);
	void (*intx)(struct svf_function *fn, bool level);
	/* The function was reset, and has its config space again as the kernel saved it. */
	void (*restored)(struct svf_function *fn);
};

/*
 * From models. A message needs bus mastering and a vector the function has; otherwise it is lost,
 * as on a bus.
 */
void svf_function_raise_msi(struct svf_function *fn, unsigned int vector);
void svf_function_set_intx(struct svf_function *fn, bool level);

/* sriov_totalvfs: total_vfs, or fewer when the driver can do with no more. */
unsigned int svf_sriov_totalvfs(const struct svf_function *pf);

/*
 * sriov_numvfs. num 0 removes. Return: 0; -ERANGE above that, -EBUSY when changing non-zero to
 * non-zero, -ENOENT without a driver or without its consent (vfio_pci.enable_sriov off),
 * SVF_BLOCKED while VFs are open and being removed.
 */
int svf_sriov_set_numvfs(struct svf_function *pf, struct svf_call *call,
			 unsigned int num) SVF_MUST_CHECK;

/*
 * For a driver's sriov_configure, as pci_enable_sriov and pci_disable_sriov: make num VFs and probe
 * them; remove all. enable: 0, -EINVAL, -ENOMEM (no bus numbers, no memory). disable: 0,
 * SVF_BLOCKED; without VFs 0.
 */
int svf_sriov_enable(struct svf_function *pf, struct svf_call *call,
		     unsigned int num) SVF_MUST_CHECK;
int svf_sriov_disable(struct svf_function *pf, struct svf_call *call) SVF_MUST_CHECK;

#endif
