/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver that knows nothing: it writes random values to the registers of a function, whose memory is full
 * of random bytes, and reads some of them back. Only that the calls themselves go well is asked for.
 *
 *	garbage BDF SEED WRITES
 *
 * Half of the values are addresses of that memory, or small, so that the function finds descriptors,
 * queues and lists there and works on them. Now and then an NVMe controller's registers are written as its
 * driver would, so that its queues run; and the function is reset.
 *
 * Prints how many writes there were.
 */
#include "client.h"

#define MEMORY (256u << 10)
#define IOVA   0x100000ull
#define REFILL 4096u /* writes between two contents of the memory */

static struct client_device device = CLIENT_DEVICE_NONE;
static struct vfio_region_info regions[VFIO_PCI_BAR5_REGION_INDEX + 1];
static uint8_t *memory;
static uint64_t state;

static uint64_t below(uint64_t n)
{
	return client_random(&state) % n;
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "garbage: %s: %s\n", what, strerror(-err));
	return EXIT_FAILURE;
}

static uint64_t some_address(void)
{
	return IOVA + below(MEMORY / 64) * 64;
}

static uint64_t some_value(void)
{
	switch (below(4)) {
	case 0:
		return some_address();
	case 1:
		return below(64);
	case 2:
		return UINT64_C(1) << below(64);
	default:
		return client_random(&state);
	}
}

static void refill(void)
{
	uint64_t *words = (uint64_t *)(void *)memory;

	for (size_t i = 0; i < MEMORY / 8; i++)
		words[i] = some_value();
}

static int access_register(const struct vfio_region_info *region, uint64_t offset, size_t size,
			   uint64_t value)
{
	off_t at = (off_t)(region->offset + offset);

	if (pwrite(device.fd, &value, size, at) != (ssize_t)size)
		return -errno;
	if (below(4) == 0 && pread(device.fd, &value, size, at) != (ssize_t)size)
		return -errno;
	return 0;
}

static int write_something(void)
{
	const struct vfio_region_info *region;
	size_t size = (size_t)1 << below(4);
	uint64_t span, offset;

	do
		region = &regions[below(VFIO_PCI_BAR5_REGION_INDEX + 1)];
	while (!region->size);
	/* Where registers are, and where doorbells may be. */
	span = below(2) ? 256 : region->size;
	offset = below(span / size) * size;
	if (below(4) == 0 && region->size > 0x1000)
		offset = 0x1000 + below(64) * 4;
	return access_register(region, offset, size, some_value());
}

static int enable_nvme(void)
{
	const struct vfio_region_info *bar = &regions[0];
	const struct {
		uint64_t offset, value;
		size_t size;
	} writes[] = {
		{0x14, 0, 4},
		{0x24, below(64) << 16 | below(64), 4},
		{0x28, IOVA + below(MEMORY / 4096) * 4096, 8},
		{0x30, IOVA + below(MEMORY / 4096) * 4096, 8},
		{0x14, 0x00460001, 4},
		{0x1000, below(64), 4},
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(writes) / sizeof(writes[0]); i++)
		ret = access_register(bar, writes[i].offset, writes[i].size, writes[i].value);
	return ret;
}

static int enable_function(void)
{
	struct vfio_region_info config;
	uint16_t command = 0x6; /* memory, bus master */
	int ret = client_region(device.fd, VFIO_PCI_CONFIG_REGION_INDEX, &config);

	if (ret < 0)
		return ret;
	return pwrite(device.fd, &command, 2, (off_t)(config.offset + 4)) == 2 ? 0 : -errno;
}

static int reset(void)
{
	int ret = client_ioctl(device.fd, VFIO_DEVICE_RESET, NULL);

	return ret < 0 ? ret : enable_function();
}

static int open_function(const char *bdf)
{
	int ret = client_open_by_group(&device, bdf, NULL);

	for (uint32_t i = 0; ret >= 0 && i <= VFIO_PCI_BAR5_REGION_INDEX; i++)
		ret = client_region(device.fd, i, &regions[i]);
	if (ret < 0)
		return ret;
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	ret = client_map(&device, memory, MEMORY, IOVA);
	return ret < 0 ? ret : enable_function();
}

static int step(unsigned long i)
{
	if (i % REFILL == 0)
		refill();
	if (below(2048) == 0)
		return reset();
	if (below(64) == 0 && regions[0].size >= 0x4000)
		return enable_nvme();
	return write_something();
}

int main(int argc, char **argv)
{
	unsigned long writes;
	int ret;

	if (argc != 4)
		return EXIT_FAILURE;
	state = strtoull(argv[2], NULL, 0) * 2 + 1;
	writes = strtoul(argv[3], NULL, 0);
	ret = open_function(argv[1]);
	if (ret < 0)
		return fail("cannot be opened", ret);
	for (unsigned long i = 0; i < writes; i++) {
		ret = step(i);
		if (ret < 0)
			return fail("a register", ret);
	}
	client_close(&device);
	printf("%lu writes\n", writes);
	return EXIT_SUCCESS;
}
