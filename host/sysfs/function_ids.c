/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a function is: the attributes of /sys/bus/pci/devices/BDF that name it. All are read from
 * the physical config space at the moment of reading.
 */
#include "base/bytes.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "host/sysfs/sysfs.h"

#define CAP_ID_SSVID 0x0d

struct ids {
	unsigned int vendor, device, subvendor, subdevice, class;
};

/* A bridge has its subsystem ids in a capability, if at all. */
static unsigned int subsystem_offset(const struct svf_function *fn)
{
	unsigned int cap;

	if (!fn->interconnect)
		return 0x2c;
	cap = svf_config_find_cap(fn, CAP_ID_SSVID);
	return cap && cap + 8 <= fn->config_size ? cap + 4 : 0;
}

static struct ids function_ids(const struct svf_function *fn)
{
	unsigned int offset = subsystem_offset(fn);

	return (struct ids){
		.vendor = svf_function_vendor(fn),
		.device = svf_function_device_id(fn),
		.subvendor = offset ? svf_get_le16(fn->config + offset) : 0,
		.subdevice = offset ? svf_get_le16(fn->config + offset + 2) : 0,
		.class = svf_function_class(fn),
	};
}

enum { ID_VENDOR, ID_DEVICE, ID_SUBVENDOR, ID_SUBDEVICE };

static ssize_t show_id(struct svf_host *host, void *object, uintptr_t arg, char *buf, size_t size)
{
	struct ids ids = function_ids(object);
	unsigned int by_arg[] = {ids.vendor, ids.device, ids.subvendor, ids.subdevice};

	return svf_sysfs_emit(buf, size, "0x%04x\n", by_arg[arg]);
}

static ssize_t show_vendor(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			   size_t size)
{
	return show_id(host, object, ID_VENDOR, buf, size);
}

static ssize_t show_device(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			   size_t size)
{
	return show_id(host, object, ID_DEVICE, buf, size);
}

static ssize_t show_subvendor(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			      size_t size)
{
	return show_id(host, object, ID_SUBVENDOR, buf, size);
}

static ssize_t show_subdevice(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			      size_t size)
{
	return show_id(host, object, ID_SUBDEVICE, buf, size);
}

static ssize_t show_class(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			  size_t size)
{
	return svf_sysfs_emit(buf, size, "0x%06x\n", svf_function_class(object));
}

static ssize_t show_revision(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			     size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "0x%02x\n", fn->config[0x08]);
}

static ssize_t emit_modalias(const struct svf_function *fn, const char *before, char *buf,
			     size_t size)
{
	struct ids ids = function_ids(fn);

	return svf_sysfs_emit(buf, size, "%spci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n", before,
			      ids.vendor, ids.device, ids.subvendor, ids.subdevice,
			      ids.class >> 16 & 0xff, ids.class >> 8 & 0xff, ids.class & 0xff);
}

static ssize_t show_modalias(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			     size_t size)
{
	return emit_modalias(object, "", buf, size);
}

static ssize_t show_uevent(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			   size_t size)
{
	const struct svf_function *fn = object;
	struct ids ids = function_ids(fn);
	ssize_t length = 0;

	if (fn->driver)
		length = svf_sysfs_emit(buf, size, "DRIVER=%s\n", fn->driver->name);
	length += svf_sysfs_emit(buf + length, size - (size_t)length,
				 "PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
				 "PCI_SLOT_NAME=" SVF_BDF_FMT "\n",
				 ids.class, ids.vendor, ids.device, ids.subvendor, ids.subdevice,
				 SVF_BDF_ARG(fn->bdf));
	return length + emit_modalias(fn, "MODALIAS=", buf + length, size - (size_t)length);
}

const struct svf_sysfs_row svf_sysfs_function_ids[] = {
	{.attr = {.name = "vendor", .mode = 0444, .show = show_vendor}},
	{.attr = {.name = "device", .mode = 0444, .show = show_device}},
	{.attr = {.name = "subsystem_vendor", .mode = 0444, .show = show_subvendor}},
	{.attr = {.name = "subsystem_device", .mode = 0444, .show = show_subdevice}},
	{.attr = {.name = "class", .mode = 0444, .show = show_class}},
	{.attr = {.name = "revision", .mode = 0444, .show = show_revision}},
	{.attr = {.name = "modalias", .mode = 0444, .show = show_modalias}},
	{.attr = {.name = "uevent", .mode = 0444, .show = show_uevent}},
};
const size_t svf_sysfs_function_ids_count = SVF_ARRAY_SIZE(svf_sysfs_function_ids);
