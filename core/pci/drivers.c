/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host drivers there are.
 *
 * vfio-pci is the one that does something. The others are placeholders under the names of drivers
 * that an administrator meets when handing devices over: they bind by a few of the ids that the
 * real ones have, claim DMA as those do, let VFs be made where those do and take them away when
 * they leave where those do, and nothing else.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"

/* --- vfio-pci --- */

/* A driver that leaves takes the VFs it made along. */
static int vfio_remove(struct svf_function *fn, struct svf_call *call)
{
	int err = svf_sriov_disable(fn, call);

	return err ? err : svf_device_unregister(fn, call);
}

/* --- placeholders --- */

static int sriov_configure(struct svf_function *fn, struct svf_call *call, unsigned int num)
{
	return num ? svf_sriov_enable(fn, call, num) : svf_sriov_disable(fn, call);
}

static int sriov_remove(struct svf_function *fn, struct svf_call *call)
{
	return svf_sriov_disable(fn, call);
}

static int stub_probe(struct svf_function *fn, struct svf_call *call)
{
	(void)call;
	svf_log(fn->machine, "pci-stub " SVF_BDF_FMT ": claimed by stub", SVF_BDF_ARG(fn->bdf));
	return 0;
}

/* Only ports of PCI Express, not bridges that merely have their class. */
static int port_probe(struct svf_function *fn, struct svf_call *call)
{
	if (fn->cap_exp &&
	    (fn->pcie_type == PCI_EXP_TYPE_ROOT_PORT || fn->pcie_type == PCI_EXP_TYPE_UPSTREAM ||
	     fn->pcie_type == PCI_EXP_TYPE_DOWNSTREAM))
		return 0;
	return svf_fail(call, -ENODEV, SVF_BDF_FMT " is no PCI Express port", SVF_BDF_ARG(fn->bdf));
}

struct id {
	uint16_t vendor, device;
	uint32_t class_code, class_mask; /* with vendor and device 0: by class alone */
};

#define IDS_MAX 6

static const struct driver_row {
	const char *name, *module;
	bool vfio, managed_dma, override_only, any_id;
	unsigned int max_vfs;
	int (*probe)(struct svf_function *fn, struct svf_call *call);
	int (*remove)(struct svf_function *fn, struct svf_call *call);
	int (*sriov_configure)(struct svf_function *fn, struct svf_call *call, unsigned int num);
	struct id ids[IDS_MAX];
} rows[] = {
	{.name = "pcieport",
	 .managed_dma = true,
	 .probe = port_probe,
	 .ids = {{0, 0, 0x060400, 0xffffff}, {0, 0, 0x060401, 0xffffff}}},
	{.name = "pci-stub", .module = "pci_stub", .managed_dma = true, .probe = stub_probe},
	{.name = "uio_pci_generic", .module = "uio_pci_generic"},
	{.name = "igb",
	 .module = "igb",
	 .remove = sriov_remove,
	 .sriov_configure = sriov_configure,
	 .max_vfs = 7, /* one of eight pools is the PF's */
	 .ids = {{0x8086, 0x10c9, 0, 0}, {0x8086, 0x1521, 0, 0}, {0x8086, 0x1533, 0, 0}}},
	{.name = "igbvf",
	 .module = "igbvf",
	 .ids = {{0x8086, 0x10ca, 0, 0}, {0x8086, 0x1520, 0, 0}}},
	{.name = "e1000",
	 .module = "e1000",
	 .ids = {{0x8086, 0x100e, 0, 0}, {0x8086, 0x100f, 0, 0}}},
	{.name = "e1000e",
	 .module = "e1000e",
	 .ids = {{0x8086, 0x10d3, 0, 0}, {0x8086, 0x1502, 0, 0}}},
	{.name = "ixgbe",
	 .module = "ixgbe",
	 .remove = sriov_remove,
	 .sriov_configure = sriov_configure,
	 .max_vfs = 63, /* one of 64 pools is the PF's */
	 .ids = {{0x8086, 0x10fb, 0, 0}, {0x8086, 0x1528, 0, 0}, {0x8086, 0x1563, 0, 0}}},
	{.name = "ixgbevf",
	 .module = "ixgbevf",
	 .ids = {{0x8086, 0x10ed, 0, 0}, {0x8086, 0x1515, 0, 0}}},
	{.name = "nvme",
	 .module = "nvme",
	 .sriov_configure = sriov_configure,
	 .ids = {{0, 0, 0x010802, 0xffffff}}},
	{.name = "ioatdma",
	 .module = "ioatdma",
	 .ids = {{0x8086, 0x2021, 0, 0}, {0x8086, 0x0b00, 0, 0}}},
	{.name = "virtio-pci",
	 .module = "virtio_pci",
	 .remove = sriov_remove,
	 .sriov_configure = sriov_configure,
	 .ids = {{0x1af4, 0x1000, 0, 0},
		 {0x1af4, 0x1001, 0, 0},
		 {0x1af4, 0x1009, 0, 0},
		 {0x1af4, 0x1041, 0, 0},
		 {0x1af4, 0x1042, 0, 0}}},
	{.name = "xhci_hcd", .module = "xhci_pci", .ids = {{0, 0, 0x0c0330, 0xffffff}}},
	{.name = "ahci", .module = "ahci", .ids = {{0, 0, 0x010601, 0xffffff}}},
	{.name = "vfio-pci",
	 .module = "vfio_pci",
	 .vfio = true,
	 .managed_dma = true,
	 .override_only = true,
	 .any_id = true,
	 .probe = svf_device_register,
	 .remove = vfio_remove,
	 .sriov_configure = svf_device_sriov_configure},
};

static int add_static_id(struct svf_driver *driver, const struct id *id, bool any)
{
	struct svf_pci_id *copy = calloc(1, sizeof(*copy));
	bool wild = any || id->class_mask;

	if (!copy)
		return -ENOMEM;
	*copy = (struct svf_pci_id){
		.vendor = wild ? SVF_ID_ANY : id->vendor,
		.device = wild ? SVF_ID_ANY : id->device,
		.subvendor = SVF_ID_ANY,
		.subdevice = SVF_ID_ANY,
		.class_code = id->class_code,
		.class_mask = id->class_mask,
	};
	svf_list_init(&copy->link);
	svf_list_add_tail(&driver->ids, &copy->link);
	return 0;
}

static int add_driver(struct svf_machine *machine, const struct driver_row *row)
{
	struct svf_driver *driver = calloc(1, sizeof(*driver));
	int err = 0;

	if (!driver)
		return -ENOMEM;
	svf_list_init(&driver->link);
	svf_list_init(&driver->ids);
	driver->name = row->name;
	driver->module = row->module;
	driver->vfio = row->vfio;
	driver->managed_dma = row->managed_dma;
	driver->override_only = row->override_only;
	driver->probe = row->probe;
	driver->remove = row->remove;
	driver->sriov_configure = row->sriov_configure;
	driver->max_vfs = row->max_vfs;
	svf_list_add_tail(&machine->drivers, &driver->link);
	if (row->any_id)
		err = add_static_id(driver, &row->ids[0], true);
	for (unsigned int i = 0; i < IDS_MAX && !err; i++) {
		if (row->ids[i].vendor || row->ids[i].class_mask)
			err = add_static_id(driver, &row->ids[i], false);
	}
	return err;
}

int svf_drivers_init(struct svf_machine *machine)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(rows); i++) {
		int err = add_driver(machine, &rows[i]);

		if (err)
			return err;
	}
	return 0;
}

void svf_drivers_fini(struct svf_machine *machine)
{
	struct svf_driver *driver, *next_driver;
	struct svf_pci_id *id, *next_id;

	svf_list_for_each_safe(driver, next_driver, &machine->drivers, link) {
		svf_list_for_each_safe(id, next_id, &driver->ids, link) {
			svf_list_del(&id->link);
			free(id);
		}
		svf_list_del(&driver->link);
		free(driver);
	}
}
