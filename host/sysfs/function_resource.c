/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Config space and BARs of a function: "config", "resource", "resource0" to "resource5", "rom".
 *
 * "config" is the physical space, all of it for whoever may open the namespace's files (the kernel
 * shows an ordinary user the first 64 bytes only; here the namespace's owner is the administrator).
 * Memory BARs have their files, which carry the size, but neither read nor mmap: on a kernel only
 * mmap works on them, and nobody here needs it. I/O BARs are read and written.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/call.h"
#include "core/pci/function.h"
#include "core/pci/vpd.h"
#include "host/sysfs/sysfs.h"

static unsigned int access_size(uint64_t offset, size_t len)
{
	if (!(offset & 3) && len >= 4)
		return 4;
	return !(offset & 1) && len >= 2 ? 2 : 1;
}

static ssize_t read_config(struct svf_host *host, void *object, uintptr_t arg,
			   struct svf_call *call, void *buf, size_t len, uint64_t offset)
{
	const struct svf_function *fn = object;
	size_t done = 0;

	if (offset >= fn->config_size)
		return 0;
	if (len > fn->config_size - offset)
		len = (size_t)(fn->config_size - offset);
	while (done < len) {
		unsigned int size = access_size(offset + done, len - done);
		uint8_t bytes[4];

		svf_put_le32(bytes, svf_config_read(fn, (unsigned int)(offset + done), size));
		memcpy((uint8_t *)buf + done, bytes, size);
		done += size;
	}
	return (ssize_t)done;
}

static ssize_t write_config(struct svf_host *host, void *object, uintptr_t arg,
			    struct svf_call *call, const void *buf, size_t len, uint64_t offset)
{
	struct svf_function *fn = object;
	size_t done = 0;

	if (offset >= fn->config_size)
		return 0;
	if (len > fn->config_size - offset)
		len = (size_t)(fn->config_size - offset);
	while (done < len) {
		unsigned int size = access_size(offset + done, len - done);
		uint8_t bytes[4] = {0};

		memcpy(bytes, (const uint8_t *)buf + done, size);
		svf_config_write(fn, (unsigned int)(offset + done), size, svf_get_le32(bytes));
		done += size;
	}
	return (ssize_t)done;
}

static uint64_t config_size(void *object, uintptr_t arg)
{
	const struct svf_function *fn = object;

	return fn->config_size;
}

/* Thirteen lines for every function, and four more for what a bridge forwards; see svf_function_resource(). */
#define RESOURCE_LINES	      13
#define RESOURCE_BRIDGE_LINES 17

static ssize_t show_resource(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			     size_t size)
{
	const struct svf_function *fn = object;
	unsigned int lines = fn->interconnect ? RESOURCE_BRIDGE_LINES : RESOURCE_LINES;
	ssize_t n = 0;

	for (unsigned int i = 0; i < lines; i++) {
		struct svf_resource r;

		if (!svf_function_resource(fn, i, &r))
			r = (struct svf_resource){0};
		n += svf_sysfs_emit(buf + n, size - (size_t)n, "0x%016lx 0x%016lx 0x%016lx\n",
				    (unsigned long)r.first, (unsigned long)r.last,
				    (unsigned long)r.flags);
	}
	return n;
}

static uint64_t resource_size(void *object, uintptr_t arg)
{
	const struct svf_function *fn = object;

	return fn->bars[arg].size;
}

/* As the kernel does for port resources: 1, 2 or 4 bytes, within the range. */
static ssize_t check_io(const struct svf_function *fn, uintptr_t bar, struct svf_call *call,
			size_t len, uint64_t offset)
{
	if (fn->bars[bar].kind != SVF_BAR_IO)
		return svf_fail(call, -EIO,
				"BAR %u is memory; only I/O BARs are read and written here",
				(unsigned int)bar);
	if (offset >= fn->bars[bar].size || len > fn->bars[bar].size - offset)
		return 0;
	if (len != 1 && len != 2 && len != 4)
		return svf_fail(call, -EINVAL, "an I/O BAR is accessed by 1, 2 or 4 bytes");
	return (ssize_t)len;
}

static ssize_t read_resource(struct svf_host *host, void *object, uintptr_t arg,
			     struct svf_call *call, void *buf, size_t len, uint64_t offset)
{
	ssize_t n = check_io(object, arg, call, len, offset);

	if (n > 0)
		svf_bar_read(object, (unsigned int)arg, offset, buf, len);
	return n;
}

static ssize_t write_resource(struct svf_host *host, void *object, uintptr_t arg,
			      struct svf_call *call, const void *buf, size_t len, uint64_t offset)
{
	ssize_t n = check_io(object, arg, call, len, offset);

	if (n > 0)
		svf_bar_write(object, (unsigned int)arg, offset, buf, len);
	return n;
}

static uint64_t rom_size(void *object, uintptr_t arg)
{
	const struct svf_function *fn = object;

	return fn->bars[SVF_PCI_ROM_BAR].size;
}

static ssize_t read_rom(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			void *buf, size_t len, uint64_t offset)
{
	struct svf_function *fn = object;
	uint64_t images;

	if (offset >= fn->bars[SVF_PCI_ROM_BAR].size)
		return 0;
	if (!fn->rom_shown)
		return svf_fail(call, -EINVAL,
				"the ROM is not enabled here; write 1 to this file first");
	images = svf_rom_images(fn);
	if (!images)
		return svf_fail(call, -EIO, "the ROM holds no image, or memory decoding is off");
	if (offset >= images)
		return 0;
	if (len > images - offset)
		len = (size_t)(images - offset);
	svf_bar_read(fn, SVF_PCI_ROM_BAR, offset, buf, len);
	return (ssize_t)len;
}

static ssize_t write_rom(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			 const void *buf, size_t len, uint64_t offset)
{
	struct svf_function *fn = object;
	const char *text = buf;

	if (!len || !text[0])
		return len ? svf_fail(call, -EINVAL, "neither 1 nor 0") : 0;
	/* As the kernel reads truth: by the first letter, and "on" and "off" by the second. */
	if (strchr("1yYtT", text[0]) || (len > 1 && strchr("oO", text[0]) && strchr("nN", text[1])))
		fn->rom_shown = true;
	else if (strchr("0nNfF", text[0]) ||
		 (len > 1 && strchr("oO", text[0]) && strchr("fF", text[1])))
		fn->rom_shown = false;
	else
		return svf_fail(call, -EINVAL, "neither 1 nor 0");
	return (ssize_t)len;
}

static bool has_rom(const struct svf_function *fn)
{
	return fn->bars[SVF_PCI_ROM_BAR].size;
}

static uint64_t vpd_size(void *object, uintptr_t arg)
{
	return 0; /* as in the kernel, which looks for the length only when it is read */
}

static ssize_t read_vpd(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			void *buf, size_t len, uint64_t offset)
{
	return svf_vpd_read(object, call, offset, buf, len);
}

static ssize_t write_vpd(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			 const void *buf, size_t len, uint64_t offset)
{
	return svf_vpd_write(object, call, offset, buf, len);
}

static bool has_vpd(const struct svf_function *fn)
{
	return fn->cap_vpd;
}

#define RESOURCE(n)                                                                                \
	{                                                                                          \
		.name = "resource" #n, .mode = 0600, .size_of = resource_size,                     \
		.read = read_resource, .write = write_resource                                     \
	}
const struct svf_attr svf_sysfs_resource_attrs[6] = {RESOURCE(0), RESOURCE(1), RESOURCE(2),
						     RESOURCE(3), RESOURCE(4), RESOURCE(5)};

const struct svf_sysfs_row svf_sysfs_function_resource[] = {
	{.attr = {.name = "config",
		  .mode = 0644,
		  .size_of = config_size,
		  .read = read_config,
		  .write = write_config}},
	{.attr = {.name = "rom",
		  .mode = 0600,
		  .size_of = rom_size,
		  .read = read_rom,
		  .write = write_rom},
	 .when = has_rom},
	{.attr = {.name = "vpd",
		  .mode = 0600,
		  .size_of = vpd_size,
		  .read = read_vpd,
		  .write = write_vpd},
	 .when = has_vpd},
	{.attr = {.name = "resource", .mode = 0444, .show = show_resource}},
};
const size_t svf_sysfs_function_resource_count = SVF_ARRAY_SIZE(svf_sysfs_function_resource);
