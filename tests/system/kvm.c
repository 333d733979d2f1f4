/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kvm BDF: gives files of VFIO, and others, to KVM's "kvm-vfio" device, as a VMM does, and takes them
 * back. Prints what each call gave, one a line. Ends with status 77 when there is no KVM here; then
 * only what needs none has been printed.
 */
#include "client.h"

#include <linux/kvm.h>

/* The names of later headers. */
#define FILE_GROUP KVM_DEV_VFIO_GROUP
#define FILE_ADD   KVM_DEV_VFIO_GROUP_ADD
#define FILE_DEL   KVM_DEV_VFIO_GROUP_DEL

static void say(const char *what, int ret)
{
	printf("%s: %s\n", what, ret < 0 ? strerrorname_np(-ret) : "ok");
}

static int attribute(int kvm, uint32_t group, uint64_t which, const int *number)
{
	struct kvm_device_attr attr = {
		.group = group,
		.attr = which,
		.addr = (uintptr_t)number,
	};

	return client_ioctl(kvm, KVM_SET_DEVICE_ATTR, &attr);
}

static int set(int kvm, uint64_t which, int number)
{
	return attribute(kvm, FILE_GROUP, which, &number);
}

/* A new virtual machine's kvm-vfio device; a negative errno. */
static int kvm_device(int kvm)
{
	struct kvm_create_device create = {.type = KVM_DEV_TYPE_VFIO};
	int vm = client_ioctl(kvm, KVM_CREATE_VM, NULL);
	int ret;

	if (vm < 0)
		return vm;
	ret = client_ioctl(vm, KVM_CREATE_DEVICE, &create);
	return ret < 0 ? ret : (int)create.fd;
}

static void files_of_ours(int kvm, int other, const struct client_device *device, const char *bdf)
{
	int copy = dup(device->group), group;

	say("add a group", set(kvm, FILE_ADD, device->group));
	say("add it again", set(kvm, FILE_ADD, device->group));
	say("add a copy of its descriptor", set(kvm, FILE_ADD, copy));
	say("add it to another machine", set(other, FILE_ADD, device->group));
	say("remove it by the copy", set(kvm, FILE_DEL, copy));
	say("remove it again", set(kvm, FILE_DEL, device->group));
	say("remove it from the other machine", set(other, FILE_DEL, device->group));
	say("add a device", set(kvm, FILE_ADD, device->fd));
	say("remove it", set(kvm, FILE_DEL, device->fd));
	say("remove what was never added", set(kvm, FILE_DEL, device->fd));
	group = client_cdev_open(bdf);
	say("add a cdev", set(kvm, FILE_ADD, group));
	close(group);
	group = client_cdev_open(bdf);
	say("add the cdev, closed and opened again", set(kvm, FILE_ADD, group));
	close(group);
	close(copy);
}

static void other_files(int kvm, const struct client_device *device)
{
	const int null = client_open("/dev/null"), iommufd = client_open("/dev/iommu");
	int attribute_file = open("/sys/bus/pci/drivers_probe", O_WRONLY);

	say("add a container", set(kvm, FILE_ADD, device->container));
	say("add an iommufd", set(kvm, FILE_ADD, iommufd));
	say("add an attribute", set(kvm, FILE_ADD, attribute_file));
	say("add /dev/null", set(kvm, FILE_ADD, null));
	say("add no descriptor", set(kvm, FILE_ADD, -1));
	say("add a number nobody has", set(kvm, FILE_ADD, 4000));
	say("remove /dev/null", set(kvm, FILE_DEL, null));
	say("remove no descriptor", set(kvm, FILE_DEL, -1));
	close(attribute_file);
	close(iommufd);
	close(null);
}

static void arguments(int kvm, const struct client_device *device)
{
	say("an attribute that there is not", attribute(kvm, FILE_GROUP, 9, &device->group));
	say("a group of attributes that there is not", attribute(kvm, 9, FILE_ADD, &device->group));
	say("a bad address of the number", attribute(kvm, FILE_GROUP, FILE_ADD, NULL));
	say("a bad address of all", client_ioctl(kvm, KVM_SET_DEVICE_ATTR, NULL));
}

int main(int argc, char **argv)
{
	struct client_device device = CLIENT_DEVICE_NONE;
	int kvm = client_open("/dev/kvm"), first, second, null = client_open("/dev/null");

	if (argc != 2 || client_open_by_group(&device, argv[1], NULL) < 0)
		return 1;
	say("the command on a group", set(device.group, FILE_ADD, device.group));
	say("the command on /dev/null", set(null, FILE_ADD, device.group));
	first = kvm < 0 ? kvm : kvm_device(kvm);
	second = kvm < 0 ? kvm : kvm_device(kvm);
	if (first < 0 || second < 0)
		return 77;
	files_of_ours(first, second, &device, argv[1]);
	other_files(first, &device);
	arguments(first, &device);
	return 0;
}
