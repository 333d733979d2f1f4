/* SPDX-License-Identifier: BSD-3-Clause */
/* /sys/bus/pci and the folders of its drivers: where functions are bound by hand. */
#include <errno.h>

#include "core/call.h"
#include "core/machine.h"
#include "core/pci/driver.h"
#include "host/sysfs/sysfs.h"

static int store_bind(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
		      const char *text, size_t len)
{
	return svf_driver_bind(object, call, text);
}

static int store_unbind(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			const char *text, size_t len)
{
	return svf_driver_unbind(object, call, text);
}

static int store_new_id(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
			const char *text, size_t len)
{
	return svf_driver_new_id(object, call, text);
}

static int store_remove_id(struct svf_host *host, void *object, uintptr_t arg,
			   struct svf_call *call, const char *text, size_t len)
{
	return svf_driver_remove_id(object, call, text);
}

const struct svf_attr svf_sysfs_driver_attrs[] = {
	{.name = "bind", .mode = 0200, .store = store_bind},
	{.name = "unbind", .mode = 0200, .store = store_unbind},
	{.name = "new_id", .mode = 0200, .store = store_new_id},
	{.name = "remove_id", .mode = 0200, .store = store_remove_id},
};
const size_t svf_sysfs_driver_attrs_count = SVF_ARRAY_SIZE(svf_sysfs_driver_attrs);

static int store_probe(struct svf_host *host, void *object, uintptr_t arg, struct svf_call *call,
		       const char *text, size_t len)
{
	return svf_drivers_probe(object, call, text);
}

static ssize_t show_autoprobe(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			      size_t size)
{
	const struct svf_machine *machine = object;

	return svf_sysfs_emit(buf, size, "%d\n", machine->drivers_autoprobe);
}

/* The driver core takes anything here: what does not begin with '0' means on. */
static int store_autoprobe(struct svf_host *host, void *object, uintptr_t arg,
			   struct svf_call *call, const char *text, size_t len)
{
	struct svf_machine *machine = object;

	machine->drivers_autoprobe = *text != '0';
	return 0;
}

const struct svf_attr svf_sysfs_bus_attrs[] = {
	{.name = "drivers_probe", .mode = 0200, .store = store_probe},
	{.name = "drivers_autoprobe",
	 .mode = 0644,
	 .show = show_autoprobe,
	 .store = store_autoprobe},
};
const size_t svf_sysfs_bus_attrs_count = SVF_ARRAY_SIZE(svf_sysfs_bus_attrs);
