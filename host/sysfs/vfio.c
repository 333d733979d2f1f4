/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOMMU groups, the IOMMU itself, VFIO's classes and device nodes.
 *
 * Minor numbers: a cdev's is the N of vfioN. A group's is its number too; the kernel gives out the lowest
 * free one, which nobody relies on.
 *
 * /dev/vfio/vfio and /dev/iommu are not shown in class misc: that folder stays the real machine's.
 */
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "core/iommu/group.h"
#include "core/iommu/iova_space.h"
#include "core/machine.h"
#include "core/pci/function.h"
#include "core/vfio/device.h"
#include "core/vfio/group.h"
#include "host/sysfs/sysfs.h"

static ssize_t show_reserved_regions(struct svf_host *host, void *object, uintptr_t arg, char *buf,
				     size_t size)
{
	if (((const struct svf_iommu_group *)object)->noiommu)
		return 0;
	return svf_sysfs_emit(buf, size, "0x%016lx 0x%016lx msi\n",
			      (unsigned long)SVF_MSI_WINDOW_FIRST,
			      (unsigned long)SVF_MSI_WINDOW_LAST);
}

static ssize_t show_group_type(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			       size_t size)
{
	const struct svf_iommu_group *group = object;

	return svf_sysfs_emit(buf, size, "%s\n", group->noiommu ? "unknown" : "DMA");
}

static ssize_t show_group_name(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			       size_t size)
{
	return svf_sysfs_emit(buf, size, "vfio-noiommu\n");
}

/* Of a group or cdev whose number follows, and of its device node. */
static const char *prefix(bool noiommu)
{
	return noiommu ? "noiommu-" : "";
}

static const struct svf_attr group_attrs[] = {
	{.name = "reserved_regions", .mode = 0444, .show = show_reserved_regions},
	{.name = "type", .mode = 0444, .show = show_group_type},
};

static const struct svf_attr group_name_attr = {
	.name = "name", .mode = 0444, .show = show_group_name};

static void state_iommu_group(struct svf_tree *tree, struct svf_tree_node *groups,
			      struct svf_iommu_group *group)
{
	const struct svf_function *fn;
	struct svf_tree_node *dir, *devices;
	char name[32], path[512];

	snprintf(name, sizeof(name), "%u", group->id);
	dir = svf_tree_dir(tree, groups, name);
	for (size_t i = 0; i < SVF_ARRAY_SIZE(group_attrs); i++)
		svf_tree_attr(tree, dir, group_attrs[i].name, &group_attrs[i], group, 0);
	if (group->noiommu)
		svf_tree_attr(tree, dir, "name", &group_name_attr, group, 0);
	devices = svf_tree_dir(tree, dir, "devices");
	svf_list_for_each(fn, &group->functions, group_link) {
		snprintf(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
		svf_sysfs_function_path(fn, path, sizeof(path));
		svf_sysfs_link(tree, devices, name, 4, "devices/%s", path);
	}
}

/* "dev" and "uevent" of a class device; object identifies it, arg is major << 20 | minor, and a flag. */
#define DEVT_NOIOMMU ((uintptr_t)1 << 32)
#define DEVT(major, minor, noiommu)                                                                \
	((uintptr_t)(major) << 20 | (minor) | ((noiommu) ? DEVT_NOIOMMU : 0))

static ssize_t show_dev(struct svf_host *host, void *object, uintptr_t arg, char *buf, size_t size)
{
	return svf_sysfs_emit(buf, size, "%lu:%lu\n", arg >> 20 & 0xfff, arg & 0xfffff);
}

static ssize_t show_dev_uevent(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			       size_t size)
{
	unsigned long major = arg >> 20 & 0xfff, minor = arg & 0xfffff;
	const char *noiommu = prefix(arg & DEVT_NOIOMMU);
	ssize_t n = svf_sysfs_emit(buf, size, "MAJOR=%lu\nMINOR=%lu\n", major, minor);

	buf += n;
	size -= (size_t)n;
	if (major == SVF_SYSFS_MAJOR_GROUP)
		return n + svf_sysfs_emit(buf, size, "DEVNAME=vfio/%s%lu\n", noiommu, minor);
	return n + svf_sysfs_emit(buf, size, "DEVNAME=vfio/devices/%svfio%lu\n", noiommu, minor);
}

static const struct svf_attr dev_attr = {.name = "dev", .mode = 0444, .show = show_dev};
static const struct svf_attr dev_uevent_attr = {
	.name = "uevent", .mode = 0444, .show = show_dev_uevent};

static struct svf_tree_node *state_class_device(struct svf_tree *tree, struct svf_tree_node *parent,
						const char *name, void *object, uintptr_t devt)
{
	struct svf_tree_node *dir = svf_tree_dir(tree, parent, name);

	svf_tree_attr(tree, dir, "dev", &dev_attr, object, devt);
	svf_tree_attr(tree, dir, "uevent", &dev_uevent_attr, object, devt);
	return dir;
}

void svf_sysfs_state_vfio_dev(struct svf_tree *tree, struct svf_tree_node *dir,
			      struct svf_function *fn, unsigned int depth)
{
	struct svf_tree_node *device_dir;
	char name[32];

	snprintf(name, sizeof(name), "%svfio%u", prefix(fn->device->noiommu), fn->device->minor);
	device_dir = state_class_device(tree, svf_tree_dir(tree, dir, "vfio-dev"), name, fn->device,
					DEVT(SVF_SYSFS_MAJOR_CDEV, fn->device->minor,
					     fn->device->noiommu));
	svf_sysfs_link(tree, device_dir, "device", 3, SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
	svf_sysfs_link(tree, device_dir, "subsystem", depth + 2, "class/vfio-dev");
}

static ssize_t show_nothing(struct svf_host *host, void *object, uintptr_t arg, char *buf,
			    size_t size)
{
	return 0;
}

/*
 * The IOMMU is one VT-d unit, dmar0. Its folder has no intel-iommu/ with raw registers: nobody programs
 * them, and DPDK reads their presence as a limit of the address width.
 */
static void state_iommu(struct svf_tree *tree, struct svf_machine *machine,
			struct svf_tree_node *iommu_dir)
{
	static const struct svf_attr uevent = {
		.name = "uevent", .mode = 0444, .show = show_nothing};
	struct svf_tree_node *dmar = svf_tree_dir(tree, iommu_dir, "dmar0");
	struct svf_tree_node *devices = svf_tree_dir(tree, dmar, "devices");
	const struct svf_function *fn;
	char name[32], path[512];

	svf_sysfs_link(tree, dmar, "subsystem", 4, "class/iommu");
	svf_tree_attr(tree, dmar, "uevent", &uevent, machine, 0);
	svf_list_for_each(fn, &machine->functions, machine_link) {
		snprintf(name, sizeof(name), SVF_BDF_FMT, SVF_BDF_ARG(fn->bdf));
		svf_sysfs_function_path(fn, path, sizeof(path));
		svf_sysfs_link(tree, devices, name, 4, "%s", path);
	}
}

/* /sys/class/C/NAME -> ../../devices/PATH. */
static void state_class_link(struct svf_tree *tree, struct svf_tree_node *class, const char *name,
			     const char *path)
{
	svf_sysfs_link(tree, class, name, 2, "devices/%s", path);
}

static void state_groups(struct svf_tree *tree, struct svf_machine *machine,
			 struct svf_tree_node *kernel, struct svf_tree_node *class,
			 struct svf_tree_node *virtual, struct svf_tree_node *dev)
{
	struct svf_tree_node *groups = svf_tree_dir(tree, kernel, "iommu_groups"), *dir;
	struct svf_iommu_group *group;
	char name[32], path[64];

	svf_list_for_each(group, &machine->groups, link) {
		state_iommu_group(tree, groups, group);
		if (!group->vfio)
			continue;
		snprintf(name, sizeof(name), "%s%u", prefix(group->noiommu), group->id);
		snprintf(path, sizeof(path), "virtual/vfio/%s", name);
		state_class_link(tree, class, name, path);
		dir = state_class_device(tree, virtual, name, group,
					 DEVT(SVF_SYSFS_MAJOR_GROUP, group->id, group->noiommu));
		svf_sysfs_link(tree, dir, "subsystem", 4, "class/vfio");
		svf_tree_devnode(tree, dev, name, 0600, SVF_DEVNODE_GROUP, group->id);
	}
}

static void state_cdevs(struct svf_tree *tree, struct svf_machine *machine,
			struct svf_tree_node *class, struct svf_tree_node *dev)
{
	const struct svf_function *fn;
	char name[32], path[512];

	svf_list_for_each(fn, &machine->functions, machine_link) {
		size_t n;

		if (!fn->device || fn->device->unregistering)
			continue;
		snprintf(name, sizeof(name), "%svfio%u", prefix(fn->device->noiommu),
			 fn->device->minor);
		svf_sysfs_function_path(fn, path, sizeof(path) - 48);
		n = (size_t)(strchr(path, '\0') - path);
		snprintf(path + n, sizeof(path) - n, "/vfio-dev/%s", name);
		state_class_link(tree, class, name, path);
		svf_tree_devnode(tree, dev, name, 0600, SVF_DEVNODE_CDEV, fn->device->minor);
	}
}

void svf_sysfs_state_vfio(struct svf_tree *tree, struct svf_machine *machine,
			  struct svf_tree_node *sys)
{
	struct svf_tree_node *dev = svf_tree_dir(tree, svf_tree_root(tree), "dev");
	struct svf_tree_node *dev_vfio = svf_tree_dir(tree, dev, "vfio");
	struct svf_tree_node *class = svf_tree_dir(tree, sys, "class");
	struct svf_tree_node *virtual = svf_tree_dir(tree, svf_tree_dir(tree, sys, "devices"),
						     "virtual");
	struct svf_tree_node *class_iommu = svf_tree_dir(tree, class, "iommu");

	svf_tree_devnode(tree, dev, "iommu", 0660, SVF_DEVNODE_IOMMUFD, 0);
	svf_tree_devnode(tree, dev_vfio, "vfio", 0666, SVF_DEVNODE_CONTAINER, 0);
	if (machine->params.iommu) {
		state_iommu(tree, machine, svf_tree_dir(tree, virtual, "iommu"));
		state_class_link(tree, class_iommu, "dmar0", "virtual/iommu/dmar0");
	}
	state_groups(tree, machine, svf_tree_dir(tree, sys, "kernel"),
		     svf_tree_dir(tree, class, "vfio"), svf_tree_dir(tree, virtual, "vfio"),
		     dev_vfio);
	state_cdevs(tree, machine, svf_tree_dir(tree, class, "vfio-dev"),
		    svf_tree_dir(tree, dev_vfio, "devices"));
}
