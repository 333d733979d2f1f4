/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ids of drivers, and adding and removing them through sysfs.
 *
 * new_id takes "vendor device [subvendor subdevice [class class_mask [driver_data]]]" in
 * hexadecimal. An id that a static or an earlier dynamic one covers is -EEXIST, unless driver_data
 * is given too; driver_data must be one that the driver's table has, which for the drivers here is
 * 0. Then the driver looks at every function without one. remove_id takes away the first dynamic id
 * that fits and unbinds nobody.
 */
#include "core/pci/ids.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/machine.h"
#include "core/pci/function.h"
#include "core/pci/parse.h"

#define ID_FIELDS 7u /* with driver_data */

/* Dynamic ids are kept until the machine ends, so a client must not make them without end. */
#define DYNAMIC_IDS_MAX 1024u

struct svf_pci_id svf_id_of_function(const struct svf_function *fn)
{
	return (struct svf_pci_id){
		.vendor = svf_function_vendor(fn),
		.device = svf_function_device_id(fn),
		.subvendor = svf_get_le16(fn->config + PCI_SUBSYSTEM_VENDOR_ID),
		.subdevice = svf_get_le16(fn->config + PCI_SUBSYSTEM_ID),
		.class_code = svf_function_class(fn),
	};
}

static bool field_matches(uint32_t pattern, uint32_t value)
{
	return pattern == SVF_ID_ANY || pattern == value;
}

bool svf_id_matches(const struct svf_pci_id *id, const struct svf_pci_id *what)
{
	return field_matches(id->vendor, what->vendor) && field_matches(id->device, what->device) &&
	       field_matches(id->subvendor, what->subvendor) &&
	       field_matches(id->subdevice, what->subdevice) &&
	       ((id->class_code ^ what->class_code) & id->class_mask) == 0;
}

bool svf_id_matches_function(const struct svf_pci_id *id, const struct svf_function *fn)
{
	struct svf_pci_id what = svf_id_of_function(fn);

	return svf_id_matches(id, &what);
}

/* Up to max hexadecimal fields separated by white space. Return: how many there are. */
static unsigned int read_fields(const char *text, uint64_t fields[ID_FIELDS], unsigned int max)
{
	unsigned int n = 0;

	while (n < max) {
		while (*text == ' ' || *text == '\t' || *text == '\n')
			text++;
		if (!svf_parse_hex_prefix(&text, &fields[n]))
			break;
		n++;
	}
	return n;
}

static struct svf_pci_id id_of_fields(const uint64_t f[ID_FIELDS], unsigned int n)
{
	return (struct svf_pci_id){
		.vendor = (uint32_t)f[0],
		.device = (uint32_t)f[1],
		.subvendor = n > 2 ? (uint32_t)f[2] : SVF_ID_ANY,
		.subdevice = n > 3 ? (uint32_t)f[3] : SVF_ID_ANY,
		.class_code = n > 4 ? (uint32_t)f[4] : 0,
		.class_mask = n > 5 ? (uint32_t)f[5] : 0,
		.dynamic = true,
	};
}

/*
 * Whether static (or dynamic) ids of the driver cover the id. Those that need an override do not
 * count.
 */
static bool is_covered(const struct svf_driver *driver, const struct svf_pci_id *what, bool dynamic)
{
	const struct svf_pci_id *id;

	if (!dynamic && driver->override_only)
		return false;
	svf_list_for_each(id, &driver->ids, link) {
		if (id->dynamic == dynamic && svf_id_matches(id, what))
			return true;
	}
	return false;
}

static bool has_static_ids(const struct svf_driver *driver)
{
	return !svf_list_empty(&driver->ids) &&
	       !svf_list_first(&driver->ids, struct svf_pci_id, link)->dynamic;
}

static unsigned int count_ids(const struct svf_driver *driver)
{
	const struct svf_pci_id *id;
	unsigned int n = 0;

	svf_list_for_each(id, &driver->ids, link)
		n++;
	return n;
}

static int add_id(struct svf_driver *driver, struct svf_call *call, const struct svf_pci_id *id)
{
	struct svf_pci_id *copy;

	if (count_ids(driver) >= DYNAMIC_IDS_MAX)
		return svf_fail(call, -ENOMEM, "%s has %u ids already; take some away by remove_id",
				driver->name, DYNAMIC_IDS_MAX);
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		return svf_fail(call, -ENOMEM, "out of memory for an id");
	*copy = *id;
	svf_list_init(&copy->link);
	svf_list_add_tail(&driver->ids, &copy->link);
	return 0;
}

/* The driver looks at every function it might want; what goes wrong with one is only logged. */
static void attach_to_all(struct svf_driver *driver, struct svf_call *call)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &call->machine->functions, machine_link) {
		bool fatal;

		if (fn->driver || !svf_driver_matches(driver, fn))
			continue;
		if (svf_driver_attach(driver, fn, call, &fatal))
			call->reason[0] = '\0';
	}
}

int svf_driver_new_id(struct svf_driver *driver, struct svf_call *call, const char *text)
{
	uint64_t fields[ID_FIELDS] = {0};
	unsigned int n = read_fields(text, fields, ID_FIELDS);
	struct svf_pci_id id;
	int err;

	if (n < 2)
		return svf_fail(
			call, -EINVAL,
			"an id is at least vendor and device in hexadecimal: \"8086 10c9\"");
	id = id_of_fields(fields, n);
	if (n != ID_FIELDS && is_covered(driver, &id, false))
		return svf_fail(call, -EEXIST, "%s has static ids for %04x:%04x", driver->name,
				id.vendor, id.device);
	if (has_static_ids(driver) && fields[ID_FIELDS - 1] != 0)
		return svf_fail(call, -EINVAL, "%s knows no driver_data 0x%lx", driver->name,
				(unsigned long)fields[ID_FIELDS - 1]);
	if (n != ID_FIELDS && is_covered(driver, &id, true))
		return svf_fail(call, -EEXIST, "%s was given an id for %04x:%04x before",
				driver->name, id.vendor, id.device);
	err = add_id(driver, call, &id);
	if (err)
		return err;
	attach_to_all(driver, call);
	return 0;
}

/*
 * Whether remove_id with these fields takes id away: wildcards are in what was written, not in the
 * id.
 */
static bool removes(const struct svf_pci_id *wanted, const struct svf_pci_id *id)
{
	return id->dynamic && id->vendor == wanted->vendor && id->device == wanted->device &&
	       field_matches(wanted->subvendor, id->subvendor) &&
	       field_matches(wanted->subdevice, id->subdevice) &&
	       ((id->class_code ^ wanted->class_code) & wanted->class_mask) == 0;
}

int svf_driver_remove_id(struct svf_driver *driver, struct svf_call *call, const char *text)
{
	uint64_t fields[ID_FIELDS] = {0};
	unsigned int n = read_fields(text, fields, ID_FIELDS - 1);
	struct svf_pci_id wanted;
	struct svf_pci_id *id;

	if (n < 2)
		return svf_fail(
			call, -EINVAL,
			"an id is at least vendor and device in hexadecimal: \"8086 10c9\"");
	wanted = id_of_fields(fields, n);
	svf_list_for_each(id, &driver->ids, link) {
		if (!removes(&wanted, id))
			continue;
		svf_list_del(&id->link);
		free(id);
		return 0;
	}
	return svf_fail(call, -ENODEV, "%s was given no id %04x:%04x by new_id", driver->name,
			wanted.vendor, wanted.device);
}
