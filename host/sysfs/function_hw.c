/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a function is connected and configured: PCIe link, resets, power, decoding, interrupts, and
 * its driver_override. Attributes that the kernel shows only on some functions have a condition.
 *
 * Not here, unlike on a kernel: remove and rescan (functions come and go by sriov_numvfs only),
 * firmware_node (there is no ACPI) and reset_method as a writable file.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/call.h"
#include "core/pci/bus.h"
#include "core/pci/driver.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"
#include "host/sysfs/sysfs.h"

/* Offsets within the PCI Express capability, PCIe 5.0 section 7.5.3. */
#define EXP_LNKCAP	0x0c
#define EXP_LNKSTA	0x12
#define EXP_DEVCTL2	0x28
#define EXP_DEVCTL2_ARI 0x20

#define CMD_DECODE	0x3 /* I/O and memory space enable */
#define CMD_MASTER	0x4

static bool is_express(const struct svf_function *fn)
{
	return fn->cap_exp != 0;
}

static bool is_bridge(const struct svf_function *fn)
{
	return fn->interconnect;
}

static bool has_reset(const struct svf_function *fn)
{
	return fn->reset_methods != 0;
}

static bool has_aer(const struct svf_function *fn)
{
	return fn->ext_aer != 0;
}

static ssize_t emit_speed(unsigned int code, char *buf, size_t size)
{
	static const char *const speeds[] = {"Unknown",	      "2.5 GT/s PCIe",	"5.0 GT/s PCIe",
					     "8.0 GT/s PCIe", "16.0 GT/s PCIe", "32.0 GT/s PCIe",
					     "64.0 GT/s PCIe"};

	return svf_sysfs_emit(buf, size, "%s\n", speeds[code < SVF_ARRAY_SIZE(speeds) ? code : 0]);
}

static ssize_t show_max_link_speed(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				   size_t size)
{
	const struct svf_function *fn = object;

	return emit_speed(fn->config[fn->cap_exp + EXP_LNKCAP] & 0xf, buf, size);
}

static ssize_t show_current_link_speed(struct svf_host *host, void *object, uintptr_t arg,
				       char *buf, size_t size)
{
	const struct svf_function *fn = object;

	return emit_speed(fn->config[fn->cap_exp + EXP_LNKSTA] & 0xf, buf, size);
}

static ssize_t show_max_link_width(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				   size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n",
			      svf_get_le32(fn->config + fn->cap_exp + EXP_LNKCAP) >> 4 & 0x3f);
}

static ssize_t show_current_link_width(struct svf_host *host, void *object, uintptr_t arg,
				       char *buf, size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n",
			      svf_get_le16(fn->config + fn->cap_exp + EXP_LNKSTA) >> 4 & 0x3f);
}

/* ARI is a property of the link: the port above forwards to function numbers above 7. */
static ssize_t show_ari_enabled(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				size_t size)
{
	const struct svf_function *fn = object;
	const struct svf_function *port = fn->bus->bridge;
	bool ari = port && port->cap_exp &&
		   (port->config[port->cap_exp + EXP_DEVCTL2] & EXP_DEVCTL2_ARI);

	return svf_sysfs_emit(buf, size, "%d\n", ari);
}

#define EXT_CAP_DSN 0x0003 /* Device Serial Number, PCIe 5.0 section 7.9.3 */

static bool has_serial_number(const struct svf_function *fn)
{
	unsigned int cap = svf_config_find_ext_cap(fn, EXT_CAP_DSN);

	return cap && cap + 12 <= fn->config_size;
}

/* An EUI-64, which the capability stores with its last byte first. */
static ssize_t show_serial_number(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				  size_t size)
{
	const struct svf_function *fn = object;
	const uint8_t *eui = fn->config + svf_config_find_ext_cap(fn, EXT_CAP_DSN) + 4;

	return svf_sysfs_emit(buf, size, "%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x\n", eui[7],
			      eui[6], eui[5], eui[4], eui[3], eui[2], eui[1], eui[0]);
}

static ssize_t show_secondary(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			      size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n", fn->config[0x19]);
}

static ssize_t show_subordinate(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n", fn->config[0x1a]);
}

static ssize_t show_irq(struct svf_host *host, void *object, uintptr_t arg, char *buf, size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%u\n", fn->config[0x3d] ? fn->config[0x3c] : 0);
}

static ssize_t show_power_state(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				size_t size)
{
	static const char *const states[] = {"D0", "D1", "D2", "D3hot"};
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%s\n",
			      states[fn->cap_pm ? fn->config[fn->cap_pm + 4] & 3 : 0]);
}

/*
 * How many have the function enabled: its driver (pci-stub does not), a VFIO user, and whoever wrote 1
 * here. What decodes is another matter: disabling turns off nothing but bus mastering.
 */
static unsigned int enable_count(const struct svf_function *fn)
{
	const struct svf_driver *driver = fn->driver;
	bool native = driver && !driver->vfio && (!driver->managed_dma || fn->interconnect);

	return fn->enables + native + (fn->device && fn->device->open_count > 0);
}

static ssize_t show_enable(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			   size_t size)
{
	return svf_sysfs_emit(buf, size, "%u\n", enable_count(object));
}

/* Disabling leaves decoding on, as the kernel does, and ends mastering the bus. */
static int store_enable(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			const char *text, size_t len)
{
	struct svf_function *fn = object;
	uint32_t command = svf_config_read(fn, 0x04, 2);
	uint64_t value;

	if (svf_sysfs_parse_number(text, UINT64_MAX, &value))
		return svf_fail(call, -EINVAL, "not a number; write 0 or 1");
	if (svf_function_is_locked(fn))
		return SVF_BLOCKED;
	if (fn->driver)
		return svf_fail(call, -EBUSY, "driver %s has the device; unbind it first",
				fn->driver->name);
	if (value && fn->enables == UINT_MAX)
		return svf_fail(call, -EINVAL, "enabled too often");
	if (!value && !fn->enables)
		return svf_fail(call, -EIO, "the device is not enabled");
	if (value && fn->enables++ == 0)
		svf_config_write(fn, 0x04, 2, command | CMD_DECODE);
	if (!value && --fn->enables == 0)
		svf_config_write(fn, 0x04, 2, command & ~(uint32_t)CMD_MASTER);
	return 0;
}

static int store_reset(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
		       const char *text, size_t len)
{
	uint64_t value;

	if (svf_sysfs_parse_number(text, UINT64_MAX, &value) || value != 1)
		return svf_fail(call, -EINVAL, "only 1 may be written to reset");
	/* The kernel takes the device lock, which a removal that waits for users holds. */
	if (svf_function_is_locked(object))
		return SVF_BLOCKED;
	return svf_function_reset(object, call);
}

static ssize_t show_reset_method(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				 size_t size)
{
	static const struct {
		unsigned int method;
		const char *name;
	} methods[] = {
		{SVF_RESET_FLR, "flr"},
		{SVF_RESET_AF_FLR, "af_flr"},
		{SVF_RESET_PM, "pm"},
		{SVF_RESET_BUS, "bus"},
	};
	const struct svf_function *fn = object;
	ssize_t n = 0;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(methods); i++) {
		if (fn->reset_methods & methods[i].method)
			n += svf_sysfs_emit(buf + n, size - (size_t)n, "%s%s", n ? " " : "",
					    methods[i].name);
	}
	return n + svf_sysfs_emit(buf + n, size - (size_t)n, "\n");
}

static ssize_t show_driver_override(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				    size_t size)
{
	const struct svf_function *fn = object;

	return svf_sysfs_emit(buf, size, "%s\n",
			      fn->driver_override ? fn->driver_override : "(null)");
}

static int store_driver_override(struct svf_host *host, void *object, uintptr_t arg,
				 struct svf_call *call, const char *text, size_t len)
{
	return svf_function_set_driver_override(object, call, text);
}

/* All processors are local to a device that is software. */
static ssize_t show_local_cpulist(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				  size_t size)
{
	long last = sysconf(_SC_NPROCESSORS_CONF) - 1;

	return last > 0 ? svf_sysfs_emit(buf, size, "0-%ld\n", last)
			: svf_sysfs_emit(buf, size, "0\n");
}

static ssize_t show_local_cpus(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			       size_t size)
{
	long count = sysconf(_SC_NPROCESSORS_CONF);
	ssize_t length;

	/* Groups of 32 bits, highest first, separated by commas. */
	length = svf_sysfs_emit(buf, size, "%x", count % 32 ? (1u << count % 32) - 1 : 0xffffffffu);
	for (long rest = (count - 1) / 32; rest > 0; rest--)
		length += svf_sysfs_emit(buf + length, size - (size_t)length, ",ffffffff");
	return length + svf_sysfs_emit(buf + length, size - (size_t)length, "\n");
}

/* What is the same on every function here. One show for each, since an attribute's arg is its object's. */
#define CONSTANT_SHOW(name_, text_)                                                                \
	static ssize_t show_##name_(struct svf_host *host, void *object, uintptr_t arg, char *buf, \
				    size_t size)                                                   \
	{                                                                                          \
		(void)host;                                                                        \
		(void)object;                                                                      \
		(void)arg;                                                                         \
		return svf_sysfs_emit(buf, size, text_ "\n");                                      \
	}

CONSTANT_SHOW(zero, "0")
CONSTANT_SHOW(one, "1")
CONSTANT_SHOW(no_node, "-1")
CONSTANT_SHOW(dma_mask, "32")

/* No error ever happened on these links; the names are those of PCIe 5.0 section 7.8.4. */
static ssize_t show_aer_correctable(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				    size_t size)
{
	return svf_sysfs_emit(buf, size,
			      "RxErr 0\nBadTLP 0\nBadDLLP 0\nRollover 0\nTimeout 0\nNonFatalErr 0\n"
			      "CorrIntErr 0\nHeaderOF 0\nTOTAL_ERR_COR 0\n");
}

static ssize_t emit_uncorrectable(const char *total, char *buf, size_t size)
{
	static const char *const names[] = {
		"Undefined",
		"DLP",
		"SDES",
		"TLP",
		"FCP",
		"CmpltTO",
		"CmpltAbrt",
		"UnxCmplt",
		"RxOF",
		"MalfTLP",
		"ECRC",
		"UnsupReq",
		"ACSViol",
		"UncorrIntErr",
		"BlockedTLP",
		"AtomicOpBlocked",
		"TLPBlockedErr",
		"PoisonTLPBlocked",
		"DMWrReqBlocked",
		"IDECheck",
		"MisIDETLP",
		"PCRC_CHECK",
		"TLPXlatBlocked",
	};
	ssize_t length = 0;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(names); i++)
		length += svf_sysfs_emit(buf + length, size - (size_t)length, "%s 0\n", names[i]);
	return length +
	       svf_sysfs_emit(buf + length, size - (size_t)length, "TOTAL_ERR_%s 0\n", total);
}

static ssize_t show_aer_fatal(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			      size_t size)
{
	return emit_uncorrectable("FATAL", buf, size);
}

static ssize_t show_aer_nonfatal(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				 size_t size)
{
	return emit_uncorrectable("NONFATAL", buf, size);
}

#define RO(name_, show_, when_)                                                                    \
	{                                                                                          \
		.attr = {.name = name_, .mode = 0444, .show = show_}, .when = when_                \
	}
const struct svf_sysfs_row svf_sysfs_function_hw[] = {
	RO("max_link_speed", show_max_link_speed, is_express),
	RO("max_link_width", show_max_link_width, is_express),
	RO("current_link_speed", show_current_link_speed, is_express),
	RO("current_link_width", show_current_link_width, is_express),
	RO("ari_enabled", show_ari_enabled, NULL),
	{.attr = {.name = "serial_number", .mode = 0400, .show = show_serial_number},
	 .when = has_serial_number},
	RO("secondary_bus_number", show_secondary, is_bridge),
	RO("subordinate_bus_number", show_subordinate, is_bridge),
	RO("irq", show_irq, NULL),
	RO("power_state", show_power_state, NULL),
	RO("reset_method", show_reset_method, has_reset),
	RO("local_cpulist", show_local_cpulist, NULL),
	RO("local_cpus", show_local_cpus, NULL),
	RO("broken_parity_status", show_zero, NULL),
	RO("msi_bus", show_one, NULL),
	RO("numa_node", show_no_node, NULL),
	RO("dma_mask_bits", show_dma_mask, NULL),
	RO("consistent_dma_mask_bits", show_dma_mask, NULL),
	RO("aer_dev_correctable", show_aer_correctable, has_aer),
	RO("aer_dev_fatal", show_aer_fatal, has_aer),
	RO("aer_dev_nonfatal", show_aer_nonfatal, has_aer),
	{.attr = {.name = "enable", .mode = 0644, .show = show_enable, .store = store_enable}},
	{.attr = {.name = "reset", .mode = 0200, .store = store_reset}, .when = has_reset},
	{.attr = {.name = "driver_override",
		  .mode = 0644,
		  .show = show_driver_override,
		  .store = store_driver_override}},
};
const size_t svf_sysfs_function_hw_count = SVF_ARRAY_SIZE(svf_sysfs_function_hw);
