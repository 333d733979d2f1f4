/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A plain VFIO client in a header: what the C programs of this folder share. It knows nothing of
 * softvfio and would run on a real machine. The numbers that Debian 12's <linux/vfio.h> (Linux 6.1)
 * does not have yet are stated here a second time, apart from the project's own uapi/, so that a
 * mistake there does not hide itself.
 *
 * Functions return 0 or a descriptor, or a negative errno. A client_device is what a program holds
 * of one PCI function: group and container, or cdev and iommufd. Closing it closes all of them in
 * the order of a well-behaved program.
 */
#ifndef TESTS_SYSTEM_CLIENT_H
#define TESTS_SYSTEM_CLIENT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>

#define CLIENT_BIND_IOMMUFD    _IO(';', VFIO_BASE + 18)
#define CLIENT_ATTACH_PT       _IO(';', VFIO_BASE + 19)
#define CLIENT_DETACH_PT       _IO(';', VFIO_BASE + 20)
#define CLIENT_BIND_FLAG_TOKEN 1u

#define CLIENT_IOMMU_DESTROY   _IO(';', 0x80)
#define CLIENT_IOAS_ALLOC      _IO(';', 0x81)
#define CLIENT_IOAS_RANGES     _IO(';', 0x84)
#define CLIENT_IOAS_MAP	       _IO(';', 0x85)
#define CLIENT_IOAS_UNMAP      _IO(';', 0x86)
#define CLIENT_MAP_FIXED       1u
#define CLIENT_MAP_WRITE       2u
#define CLIENT_MAP_READ	       4u

struct client_bind {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token;
};

struct client_attach {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id;
};

struct client_ioas_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t out_ioas_id;
};

struct client_ioas_map {
	uint32_t size;
	uint32_t flags;
	uint32_t ioas_id;
	uint32_t reserved;
	uint64_t user_va;
	uint64_t length;
	uint64_t iova;
};

struct client_ioas_unmap {
	uint32_t size;
	uint32_t ioas_id;
	uint64_t iova;
	uint64_t length;
};

struct client_device {
	int container; /* or the iommufd */
	int group;     /* -1 for a cdev */
	int fd;
	uint32_t ioas; /* of the iommufd */
};

#define CLIENT_DEVICE_NONE                                                                         \
	{                                                                                          \
		.container = -1, .group = -1, .fd = -1                                             \
	}

static inline int client_ioctl(int fd, unsigned long command, void *argument)
{
	int ret = ioctl(fd, command, argument);

	return ret < 0 ? -errno : ret;
}

static inline int client_open(const char *path)
{
	int fd = open(path, O_RDWR);

	return fd < 0 ? -errno : fd;
}

/* The group's number, from the function's iommu_group link. */
static inline int client_group_number(const char *bdf)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = 0;
	return atoi(strrchr(target, '/') + 1);
}

static inline int client_group_open(const char *bdf)
{
	char path[64];
	int number = client_group_number(bdf);

	if (number < 0)
		return number;
	snprintf(path, sizeof(path), "/dev/vfio/%d", number);
	return client_open(path);
}

static inline int client_cdev_open(const char *bdf)
{
	char path[PATH_MAX], name[NAME_MAX + 1] = "";
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder)))
		if (!strncmp(entry->d_name, "vfio", 4))
			snprintf(name, sizeof(name), "%s", entry->d_name);
	closedir(folder);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	return client_open(path);
}

/* A UUID's text to its 16 bytes, in the order of the text. */
static inline int client_uuid(const char *text, uint8_t bytes[16])
{
	for (int i = 0; i < 16; i++) {
		if (*text == '-')
			text++;
		if (sscanf(text, "%2hhx", &bytes[i]) != 1)
			return -EINVAL;
		text += 2;
	}
	return 0;
}

/* Opens a function's group with a container of type 1v2, no further. */
static inline int client_open_group(struct client_device *device, const char *bdf)
{
	int ret;

	device->container = client_open("/dev/vfio/vfio");
	if (device->container < 0)
		return device->container;
	device->group = client_group_open(bdf);
	if (device->group < 0)
		return device->group;
	ret = client_ioctl(device->group, VFIO_GROUP_SET_CONTAINER, &device->container);
	if (ret < 0)
		return ret;
	return client_ioctl(device->container, VFIO_SET_IOMMU,
			    (void *)(uintptr_t)VFIO_TYPE1v2_IOMMU);
}

/* The function by its group; token is NULL for none. */
static inline int client_open_by_group(struct client_device *device, const char *bdf,
				       const char *token)
{
	char name[128];
	int ret;

	ret = client_open_group(device, bdf);
	if (ret < 0)
		return ret;
	snprintf(name, sizeof(name), token ? "%s vf_token=%s" : "%s", bdf, token);
	device->fd = client_ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, name);
	return device->fd < 0 ? device->fd : 0;
}

/* The function by its cdev, bound and attached to an IOAS of its own. */
static inline int client_open_by_cdev(struct client_device *device, const char *bdf,
				      const char *token)
{
	struct client_bind bind = {.argsz = sizeof(bind)};
	struct client_ioas_alloc ioas = {.size = sizeof(ioas)};
	struct client_attach attach = {.argsz = sizeof(attach)};
	uint8_t uuid[16];
	int ret;

	device->container = client_open("/dev/iommu");
	if (device->container < 0)
		return device->container;
	device->fd = client_cdev_open(bdf);
	if (device->fd < 0)
		return device->fd;
	bind.iommufd = device->container;
	if (token) {
		ret = client_uuid(token, uuid);
		if (ret < 0)
			return ret;
		bind.flags = CLIENT_BIND_FLAG_TOKEN;
		bind.token = (uintptr_t)uuid;
	}
	ret = client_ioctl(device->fd, CLIENT_BIND_IOMMUFD, &bind);
	if (ret < 0)
		return ret;
	ret = client_ioctl(device->container, CLIENT_IOAS_ALLOC, &ioas);
	if (ret < 0)
		return ret;
	device->ioas = ioas.out_ioas_id;
	attach.pt_id = ioas.out_ioas_id;
	return client_ioctl(device->fd, CLIENT_ATTACH_PT, &attach);
}

static inline void client_close(struct client_device *device)
{
	int *fds[] = {&device->fd, &device->group, &device->container};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static inline int client_set_token(int fd, const char *token)
{
	struct {
		struct vfio_device_feature header;
		uint8_t uuid[16];
	} feature = {
		.header.argsz = sizeof(feature),
		.header.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
	};
	int ret = client_uuid(token, feature.uuid);

	if (ret < 0)
		return ret;
	return client_ioctl(fd, VFIO_DEVICE_FEATURE, &feature);
}

/* Where a region begins in the device's file, its size, and 0; or a negative errno. */
static inline int client_region(int fd, uint32_t index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){.argsz = sizeof(*info), .index = index};
	return client_ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

/* Reads a word of config space; the value or a negative errno. */
static inline int client_config_word(int fd, uint64_t offset)
{
	struct vfio_region_info info;
	uint16_t value;
	int ret = client_region(fd, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (ret < 0)
		return ret;
	if (pread(fd, &value, sizeof(value), (off_t)(info.offset + offset)) != sizeof(value))
		return -errno;
	return value;
}

static inline int client_map(const struct client_device *device, void *memory, uint64_t size,
			     uint64_t iova)
{
	struct vfio_iommu_type1_dma_map type1 = {
		.argsz = sizeof(type1),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};
	struct client_ioas_map ioas = {
		.size = sizeof(ioas),
		.flags = CLIENT_MAP_FIXED | CLIENT_MAP_WRITE | CLIENT_MAP_READ,
		.ioas_id = device->ioas,
		.user_va = (uintptr_t)memory,
		.length = size,
		.iova = iova,
	};

	if (device->group >= 0)
		return client_ioctl(device->container, VFIO_IOMMU_MAP_DMA, &type1);
	return client_ioctl(device->container, CLIENT_IOAS_MAP, &ioas);
}

static inline int client_unmap(const struct client_device *device, uint64_t size, uint64_t iova)
{
	struct vfio_iommu_type1_dma_unmap type1 = {
		.argsz = sizeof(type1),
		.iova = iova,
		.size = size,
	};
	struct client_ioas_unmap ioas = {
		.size = sizeof(ioas),
		.ioas_id = device->ioas,
		.iova = iova,
		.length = size,
	};

	if (device->group >= 0)
		return client_ioctl(device->container, VFIO_IOMMU_UNMAP_DMA, &type1);
	return client_ioctl(device->container, CLIENT_IOAS_UNMAP, &ioas);
}

/* Makes eventfd the trigger of vector 0 of an interrupt index; -1 takes it away. */
static inline int client_set_trigger(int fd, uint32_t index, int eventfd)
{
	struct {
		struct vfio_irq_set header;
		int32_t fd;
	} set = {
		.header =
			{
				.argsz = sizeof(set),
				.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
				.index = index,
				.count = 1,
			},
		.fd = eventfd,
	};

	return client_ioctl(fd, VFIO_DEVICE_SET_IRQS, &set);
}

static inline int client_trigger(int fd, uint32_t index)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = index,
		.count = 1,
	};

	return client_ioctl(fd, VFIO_DEVICE_SET_IRQS, &set);
}

/* The same numbers for the same seed on every machine (xorshift64*). */
static inline uint64_t client_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

#endif
