/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Expansion ROMs, as the kernel reads them.
 *
 * A ROM is a chain of images. Each begins with 55 aa and has the offset of a data structure "PCIR",
 * which says how many sectors the image has and whether it is the last. Nobody trusts a ROM: a
 * chain that ends badly ends where it is bad.
 *
 * The kernel enables the ROM in its register before it looks. Whether the ROM answers then is a
 * question of memory decoding; of a VGA device firmware has put a copy into memory, of which the
 * kernel knows.
 */
#include <string.h>

#include "base/bytes.h"
#include "core/pci/function.h"

#define SECTOR		512u
#define HEADER_SIZE	0x1au
#define DATA_POINTER	0x18u
#define DATA_SIZE	0x18u /* the structure as it was first */
#define DATA_OWN_LENGTH 0x0au /* of the structure, bytes */
#define DATA_LENGTH	0x10u /* of the image, in sectors */
#define DATA_FLAGS	0x15u
#define LAST_IMAGE	0x80u

static bool read_header(struct svf_function *fn, uint64_t image, uint64_t size, uint64_t *ret_data)
{
	uint8_t header[HEADER_SIZE];

	if (image >= size || size - image < sizeof(header))
		return false;
	svf_bar_read(fn, SVF_PCI_ROM_BAR, image, header, sizeof(header));
	*ret_data = image + svf_get_le16(header + DATA_POINTER);
	return header[0] == 0x55 && header[1] == 0xaa;
}

static bool read_data(struct svf_function *fn, uint64_t at, uint64_t size, uint8_t data[DATA_SIZE])
{
	unsigned int length;

	if (at % 4 || at >= size || size - at < DATA_SIZE)
		return false;
	svf_bar_read(fn, SVF_PCI_ROM_BAR, at, data, DATA_SIZE);
	length = svf_get_le16(data + DATA_OWN_LENGTH);
	return memcmp(data, "PCIR", 4) == 0 && length >= DATA_SIZE && length != 0xffff &&
	       length <= size - at;
}

static uint64_t chain_end(struct svf_function *fn)
{
	uint64_t size = fn->bars[SVF_PCI_ROM_BAR].size, image = 0, at;
	uint8_t data[DATA_SIZE];

	while (read_header(fn, image, size, &at) && read_data(fn, at, size, data)) {
		uint64_t length = (uint64_t)svf_get_le16(data + DATA_LENGTH) * SECTOR;

		image += length;
		if (!length || data[DATA_FLAGS] & LAST_IMAGE)
			break;
	}
	return image < size ? image : size;
}

uint64_t svf_rom_images(struct svf_function *fn)
{
	if (!fn->bars[SVF_PCI_ROM_BAR].address)
		return 0;
	if (!svf_function_memory_enabled(fn) && !svf_function_is_vga(fn))
		return 0;
	return chain_end(fn);
}
