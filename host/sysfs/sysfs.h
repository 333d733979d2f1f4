/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of host/sysfs/ share: the attribute tables, each with the object its rows are for,
 * and the reading of values as the kernel's stores read them.
 */
#ifndef SVF_HOST_SYSFS_SYSFS_H
#define SVF_HOST_SYSFS_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "host/files/tree.h"

struct svf_bus;
struct svf_call;
struct svf_function;
struct svf_machine;

#define SVF_SYSFS_MAJOR_GROUP 251 /* /dev/vfio/N */
#define SVF_SYSFS_MAJOR_CDEV  250 /* /dev/vfio/devices/vfioN */

/* An attribute and on which functions it is. when NULL: on all. */
struct svf_sysfs_row {
	struct svf_attr attr;
	bool (*when)(const struct svf_function *fn);
};

/* Tables of a function's attributes; object: struct svf_function. */
extern const struct svf_sysfs_row svf_sysfs_function_ids[];
extern const size_t svf_sysfs_function_ids_count;
extern const struct svf_sysfs_row svf_sysfs_function_hw[];
extern const size_t svf_sysfs_function_hw_count;
extern const struct svf_sysfs_row svf_sysfs_function_resource[];
extern const size_t svf_sysfs_function_resource_count;
extern const struct svf_sysfs_row svf_sysfs_function_sriov[];
extern const size_t svf_sysfs_function_sriov_count;

extern const struct svf_sysfs_row svf_sysfs_function_hotplug[];
extern const size_t svf_sysfs_function_hotplug_count;

/* resource0 to resource5; object: struct svf_function, arg: BAR. */
extern const struct svf_attr svf_sysfs_resource_attrs[6];

/* /sys/bus/pci and a driver's folder; object: struct svf_machine, struct svf_driver. */
extern const struct svf_attr svf_sysfs_bus_attrs[];
extern const size_t svf_sysfs_bus_attrs_count;
extern const struct svf_attr svf_sysfs_driver_attrs[];
extern const size_t svf_sysfs_driver_attrs_count;

/* /sys/bus/pci/rescan; object: struct svf_machine. */
extern const struct svf_attr svf_sysfs_rescan_attr;
/*
 * pci_bus/ of a bus, in the folder of the bridge above it or of the host bridge; path and depth: of
 * that folder, below devices/ and below /sys.
 */
void svf_sysfs_state_pci_bus(struct svf_tree *tree, struct svf_tree_node *dir,
			     struct svf_tree_node *class, const char *path, struct svf_bus *bus,
			     unsigned int depth);

/* IOMMU group, VFIO class devices, module parameters; see vfio.c. */
void svf_sysfs_state_vfio(struct svf_tree *tree, struct svf_machine *machine,
			  struct svf_tree_node *sys);
void svf_sysfs_state_modules(struct svf_tree *tree, struct svf_machine *machine,
			     struct svf_tree_node *sys);
/* The vfio-dev folder of a function that is a VFIO device, within its folder; depth: of that below /sys. */
void svf_sysfs_state_vfio_dev(struct svf_tree *tree, struct svf_tree_node *dir,
			      struct svf_function *fn, unsigned int depth);

/* "pci0000:00/0000:00:02.0/0000:01:00.0". Return: how many components. */
unsigned int svf_sysfs_function_path(const struct svf_function *fn, char *buf, size_t size);
/* up times "../" and then the formatted rest. */
struct svf_tree_node *svf_sysfs_link(struct svf_tree *tree, struct svf_tree_node *dir,
				     const char *name, unsigned int up, const char *fmt, ...)
	SVF_PRINTF(5, 6);

/* A page of text: printf into buf, giving the length for show(). */
ssize_t svf_sysfs_emit(char *buf, size_t size, const char *fmt, ...) SVF_PRINTF(3, 4);

/*
 * A number as kstrtoul reads it: decimal, 0x or 0 for octal, an optional +, one newline at the end.
 * Return: 0; -EINVAL not a number; -ERANGE above max.
 */
int svf_sysfs_parse_number(const char *text, uint64_t max, uint64_t *ret) SVF_MUST_CHECK;
/* A truth value as kstrtobool reads it: y, t, 1, on and n, f, 0, off by their first letters. */
int svf_sysfs_parse_bool(const char *text, bool *ret) SVF_MUST_CHECK;

#endif
