/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The story of a VF token, as a plain VFIO client would live it: nothing here knows of softvfio,
 * and the same program runs on real hardware.
 *
 *	vf-token PF VF		with addresses as 0000:01:00.0, both bound to vfio-pci
 *
 * A virtual function of a PF that is itself in user space belongs to whoever knows the PF's token.
 *   1. open the VF without a token: EACCES;
 *   2. open the PF and set a token of our choice on it;
 *   3. open the VF with that token;
 *   4. map a page for DMA into the VF's container, read the VF's config space.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOKEN_TEXT "8d7a2b64-5f0e-4e6b-9a51-7c3f5d2e1b00"

/* The same token as the 16 bytes that VFIO_DEVICE_FEATURE takes. */
static const uint8_t token_bytes[16] = {0x8d, 0x7a, 0x2b, 0x64, 0x5f, 0x0e, 0x4e, 0x6b,
					0x9a, 0x51, 0x7c, 0x3f, 0x5d, 0x2e, 0x1b, 0x00};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(err));
	exit(1);
}

/* The number of the IOMMU group a device is in: the last component of its iommu_group link. */
static int group_of(const char *bdf)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		die("%s", path);
	target[length] = '\0';
	return atoi(strrchr(target, '/') + 1);
}

struct opened {
	int container, group;
};

/* A container of its own for each device, with a type1 IOMMU. */
static struct opened open_group(const char *bdf)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	struct opened o;
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", group_of(bdf));
	o.container = open("/dev/vfio/vfio", O_RDWR);
	o.group = open(path, O_RDWR);
	if (o.container < 0 || o.group < 0)
		die("cannot open /dev/vfio/vfio and %s", path);
	if (ioctl(o.group, VFIO_GROUP_GET_STATUS, &status) ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		die("the group of %s is not viable", bdf);
	if (ioctl(o.group, VFIO_GROUP_SET_CONTAINER, &o.container) ||
	    ioctl(o.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("cannot set up a container for %s", bdf);
	return o;
}

static int get_device(struct opened o, const char *bdf, const char *token)
{
	char text[128];

	snprintf(text, sizeof(text), token ? "%s vf_token=%s" : "%s", bdf, token);
	return ioctl(o.group, VFIO_GROUP_GET_DEVICE_FD, text);
}

static void set_token(int pf)
{
	char buffer[sizeof(struct vfio_device_feature) + sizeof(token_bytes)]
		__attribute__((aligned(8))) = {0};
	struct vfio_device_feature *feature = (void *)buffer;

	feature->argsz = sizeof(buffer);
	feature->flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN;
	memcpy(feature->data, token_bytes, sizeof(token_bytes));
	if (ioctl(pf, VFIO_DEVICE_FEATURE, feature))
		die("cannot set the PF's token");
}

static void map_a_page(int container)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = 0x100000,
		.size = 4096,
	};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	map.vaddr = (uintptr_t)page;
	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map))
		die("cannot map a page for DMA");
	printf("   a page of memory is mapped for the device at IOVA 0x%llx\n",
	       (unsigned long long)map.iova);
}

static void read_ids(int device)
{
	struct vfio_region_info info = {.argsz = sizeof(info),
					.index = VFIO_PCI_CONFIG_REGION_INDEX};
	uint16_t ids[2];

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info))
		die("no config region");
	if (pread(device, ids, sizeof(ids), (off_t)info.offset) != sizeof(ids))
		die("cannot read config space");
	printf("   its config space says vendor %04x, device %04x\n", ids[0], ids[1]);
}

int main(int argc, char **argv)
{
	struct opened pf_group, vf_group;
	int pf, vf;

	if (argc != 3) {
		fprintf(stderr, "usage: vf-token PF VF, with addresses as 0000:01:00.0\n");
		return 2;
	}
	vf_group = open_group(argv[2]);
	printf("1. the VF %s without a token:\n", argv[2]);
	vf = get_device(vf_group, argv[2], NULL);
	if (vf >= 0) {
		fprintf(stderr, "the VF opened without a token: is the PF bound to vfio-pci?\n");
		return 1;
	}
	printf("   %s\n", strerror(errno));

	pf_group = open_group(argv[1]);
	pf = get_device(pf_group, argv[1], NULL);
	if (pf < 0)
		die("cannot open the PF %s", argv[1]);
	set_token(pf);
	printf("2. the PF %s is open and has the token %s\n", argv[1], TOKEN_TEXT);

	vf = get_device(vf_group, argv[2], TOKEN_TEXT);
	if (vf < 0)
		die("the VF %s with its token", argv[2]);
	printf("3. the VF %s opens with it\n", argv[2]);

	printf("4. it works:\n");
	map_a_page(vf_group.container);
	read_ids(vf);
	return 0;
}
