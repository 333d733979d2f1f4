/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parameters of vfio_iommu_type1 in sysfs. dma_entry_limit acts at once, on containers whose IOMMU is
 * set from then on; those that have one keep what they had. What can be written is what a number is to
 * the kernel.
 */
#include "lib.h"

#define PARAMETERS "/sys/module/vfio_iommu_type1/parameters/"

static uint8_t *memory;

static void show_parameter(const char *name)
{
	char path[256], value[64] = "";
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, value, sizeof(value) - 1) < 0)
		die("%s: %s", path, errno_name(errno));
	close(fd);
	value[strcspn(value, "\n")] = '\0';
	note("%s is %s", name, value);
}

static void set_parameter(const char *name, const char *value)
{
	char path[256], shown[64], *c;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		die("%s: %s", path, errno_name(errno));
	n = write(fd, value, strlen(value));
	snprintf(shown, sizeof(shown), "%s", value);
	for (c = shown; *c; c++)
		if (*c == '\n')
			*c = '|';
	say_call(n, "write \"%s\" to %s", shown, name);
	close(fd);
	show_parameter(name);
}

static int map(int container, unsigned int page)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = VFIO_DMA_MAP_FLAG_READ,
					     .vaddr = (uintptr_t)memory,
					     .iova = IOVA(page),
					     .size = PAGE};

	return say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP page %u", page);
}

static void unmap(int container, unsigned int page)
{
	struct vfio_iommu_type1_dma_unmap u = {
		.argsz = sizeof(u), .iova = IOVA(page), .size = PAGE};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP page %u", page);
}

static void show_left(int container)
{
	struct {
		struct vfio_iommu_type1_info info;
		uint8_t rest[256];
	} b = {.info = {.argsz = sizeof(b)}};
	struct vfio_iommu_type1_info_dma_avail *avail;

	if (ioctl(container, VFIO_IOMMU_GET_INFO, &b) < 0)
		die("GET_INFO: %s", errno_name(errno));
	/* The second capability: see type1-info. */
	avail = (void *)((uint8_t *)&b + 56);
	note("mappings left %u", avail->avail);
}

static void containers(void)
{
	struct vfio_user u, v;

	section("when it acts");
	set_parameter("dma_entry_limit", "3");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	show_left(u.container);
	map(u.container, 0);
	set_parameter("dma_entry_limit", "1");
	show_left(u.container);
	map(u.container, 1);
	map(u.container, 2);
	map(u.container, 3);
	vfio_user_open(&v, multi0, VFIO_TYPE1v2_IOMMU);
	show_left(v.container);
	map(v.container, 0);
	map(v.container, 1);
	set_parameter("dma_entry_limit", "100");
	map(v.container, 1);
	map(u.container, 3);
	unmap(u.container, 0);
	show_left(u.container);
	map(u.container, 3);
	vfio_user_close(&v);
	vfio_user_close(&u);
	set_parameter("dma_entry_limit", "0");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	show_left(u.container);
	map(u.container, 0);
	vfio_user_close(&u);
	set_parameter("dma_entry_limit", "4294967295");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	show_left(u.container);
	map(u.container, 0);
	show_left(u.container);
	vfio_user_close(&u);
}

static void numbers(void)
{
	static const char *const values[] = {"65535",
					     "65536\n",
					     "0x10",
					     "0X20",
					     "010",
					     "+7",
					     "-1",
					     "-0",
					     "",
					     "\n",
					     " 8",
					     "8 ",
					     "8\n\n",
					     "8x",
					     "x",
					     "1e3",
					     "4294967295",
					     "4294967296",
					     "18446744073709551616",
					     "0x",
					     "08",
					     "0",
					     "65535"};
	size_t i;

	section("what a number is");
	for (i = 0; i < ARRAY_SIZE(values); i++)
		set_parameter("dma_entry_limit", values[i]);
}

int main(void)
{
	case_begin();
	pci_all_to_vfio(edu, multi0, multi1, NULL);
	memory = pages(PAGE);
	show_parameter("dma_entry_limit");
	show_parameter("allow_unsafe_interrupts");
	show_parameter("disable_hugepages");
	containers();
	numbers();
	set_parameter("allow_unsafe_interrupts", "Y");
	set_parameter("allow_unsafe_interrupts", "0");
	set_parameter("disable_hugepages", "1");
	set_parameter("disable_hugepages", "maybe");
	set_parameter("disable_hugepages", "N");
	return 0;
}
