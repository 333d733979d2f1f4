/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client that is built with AddressSanitizer.
 *
 *	sanitizer BDF [overflow]
 *
 * Stores to and loads from a BAR, maps heap memory for DMA and unmaps it. With "overflow" it then
 * reads behind its heap memory.
 */
#include "client.h"

#define PAGE 4096u

static int bar(int device)
{
	struct vfio_region_info info;
	volatile uint32_t *registers;
	int ret = client_region(device, VFIO_PCI_BAR0_REGION_INDEX, &info);

	if (ret < 0)
		return ret;
	registers = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
			 (off_t)info.offset);
	if (registers == MAP_FAILED)
		return -errno;
	registers[1] = 0x5aa5a55a;
	printf("%#x\n", registers[1]);
	return munmap((void *)registers, info.size) ? -errno : 0;
}

int main(int argc, char **argv)
{
	struct client_device device = CLIENT_DEVICE_NONE;
	unsigned char *memory = aligned_alloc(PAGE, PAGE);

	if (argc < 2 || !memory || client_open_by_group(&device, argv[1], NULL) || bar(device.fd) ||
	    bar(device.fd) || client_map(&device, memory, PAGE, 0) ||
	    client_unmap(&device, PAGE, 0)) {
		fprintf(stderr, "usage: %s BDF [overflow]\n", argv[0]);
		return 2;
	}
	if (argc > 2)
		printf("%d\n", *(volatile unsigned char *)(memory + PAGE));
	client_close(&device);
	free(memory);
	return 0;
}
