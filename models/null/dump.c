/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading what lspci prints.
 *
 * Of "lspci -vvv -xxxx" these lines matter, and all others are passed over:
 *
 *	01:00.0 Ethernet controller: ...
 *		a function begins; at the second one the dump ends
 *	<TAB>Region 0: Memory at fe800000 (...) [size=128K]
 *	<TAB>Expansion ROM at fe880000 [disabled] [size=256K]
 *		how large a BAR is
 *	00: 86 80 c9 10 07 05 10 00 ...
 *		16 bytes of config space
 *
 * and, as lspci has no sizes for the BARs of VFs, lines in the same style that say how much all VFs
 * take together:
 *
 *	<TAB>All VFs' region 0: Memory at c060000000 (64-bit, prefetchable) [size=128K]
 *
 * Registers tell the type of a BAR but not its size. A BAR whose register is zero was not there, or
 * had no address: only a region line can tell, so without one it is taken as not there.
 */
#include "models/null/dump.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#define LINE_BYTES 16u

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* "01:00.0 " or "0000:01:00.0 " at the beginning of a line. */
static bool begins_function(const char *line)
{
	unsigned int digits = 0, colons = 0;

	for (; hex(*line) >= 0 || *line == ':'; line++) {
		if (*line == ':')
			colons++;
		else
			digits++;
	}
	return (colons == 1 || colons == 2) && digits >= 4 && line[0] == '.' && hex(line[1]) >= 0 &&
	       line[2] == ' ';
}

/* "1f0: 00 11 ...". Return: how many bytes were put into config, 0 when it is no such line. */
static size_t read_hex_line(const char *line, struct svf_null_dump *dump)
{
	size_t offset = 0, n;
	unsigned int digits = 0;

	for (; hex(*line) >= 0 && digits < 4; line++, digits++)
		offset = offset << 4 | (size_t)hex(*line);
	if (digits < 2 || line[0] != ':' || line[1] != ' ')
		return 0;
	line += 2;
	for (n = 0; n < LINE_BYTES && hex(line[0]) >= 0 && hex(line[1]) >= 0; n++) {
		if (offset + n >= sizeof(dump->config))
			return 0;
		dump->config[offset + n] = (uint8_t)(hex(line[0]) << 4 | hex(line[1]));
		line += line[2] == ' ' ? 3 : 2;
	}
	if (n && offset + n > dump->len)
		dump->len = offset + n;
	return n;
}

/* The size in "[size=128K]" of a line that ends at end; 0 when there is none. */
static uint64_t region_size(const char *line, const char *end)
{
	static const char key[] = "[size=";
	static const char units[] = "KMGT";
	uint64_t size = 0;

	for (; line + sizeof(key) - 1 < end; line++) {
		if (memcmp(line, key, sizeof(key) - 1) == 0)
			break;
	}
	if (line + sizeof(key) - 1 >= end)
		return 0;
	for (line += sizeof(key) - 1; line < end && *line >= '0' && *line <= '9' && size < 1u << 20;
	     line++)
		size = size * 10 + (uint64_t)(*line - '0');
	for (unsigned int i = 0; line < end && i < sizeof(units) - 1; i++) {
		if (*line == units[i])
			size <<= 10 * (i + 1);
	}
	return size;
}

/* "KEYn: ... [size=128K]". A line without a size, as lspci has them for VF BARs, says nothing. */
static void read_region(const char *line, const char *end, const char *key, uint64_t sizes[6])
{
	uint64_t size = region_size(line, end);
	size_t len = strlen(key);
	int bar;

	if (strncmp(line, key, len) != 0)
		return;
	bar = hex(line[len]);
	if (bar >= 0 && bar < 6 && line[len + 1] == ':' && size)
		sizes[bar] = size;
}

static void read_region_line(const char *line, const char *end, struct svf_null_dump *dump)
{
	while (*line == '\t' || *line == ' ')
		line++;
	if (strncmp(line, "Expansion ROM", strlen("Expansion ROM")) == 0)
		dump->rom_size = region_size(line, end);
	read_region(line, end, "Region ", dump->bar_sizes);
	read_region(line, end, "All VFs' region ", dump->vf_bar_sizes);
}

int svf_null_dump_read(const char *text, struct svf_null_dump *dump, struct svf_model_error *error)
{
	unsigned int functions = 0;

	memset(dump, 0, sizeof(*dump));
	while (*text) {
		const char *end = strchr(text, '\n');

		if (!end)
			end = text + strlen(text);
		if (begins_function(text) && ++functions > 1)
			break;
		if (!read_hex_line(text, dump))
			read_region_line(text, end, dump);
		text = *end ? end + 1 : end;
	}
	if (dump->len == 0)
		return svf_model_fail(error, -EINVAL, "dump",
				      "no line like '00: 86 80 ...' in the dump; make it with "
				      "lspci -vvv -xxxx -s ADDRESS");
	if (dump->len != 64 && dump->len != 256 && dump->len != 4096)
		return svf_model_fail(
			error, -EINVAL, "dump",
			"the dump has config space up to 0x%zx; 64, 256 or 4096 bytes are needed",
			dump->len);
	if ((dump->config[PCI_HEADER_TYPE] & 0x7f) != PCI_HEADER_TYPE_NORMAL)
		return svf_model_fail(
			error, -EINVAL, "dump",
			"the dump is of a bridge or port; bridges are nodes of the topology file");
	return 0;
}

static struct svf_model_bar bar_of_register(uint32_t reg)
{
	struct svf_model_bar bar = {.type = SVF_MODEL_BAR_MEM32};

	if (reg & PCI_BASE_ADDRESS_SPACE_IO) {
		bar.type = SVF_MODEL_BAR_IO;
		return bar;
	}
	if ((reg & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64)
		bar.type = SVF_MODEL_BAR_MEM64;
	bar.prefetchable = reg & PCI_BASE_ADDRESS_MEM_PREFETCH;
	return bar;
}

void svf_null_dump_bars(const struct svf_null_dump *dump, unsigned int offset,
			struct svf_model_bar bars[6])
{
	const uint64_t *sizes = dump->bar_sizes;
	uint64_t count = 1;

	if (offset != PCI_BASE_ADDRESS_0) {
		const uint8_t *total = dump->config + offset - PCI_SRIOV_BAR + PCI_SRIOV_TOTAL_VF;

		sizes = dump->vf_bar_sizes;
		count = (uint64_t)(total[0] | total[1] << 8);
	}
	memset(bars, 0, 6 * sizeof(*bars));
	for (unsigned int i = 0; i < 6; i++) {
		uint32_t reg = get_le32(dump->config + offset + 4 * i);
		uint64_t size = count ? sizes[i] / count : 0;

		if (reg == 0 && size == 0)
			continue;
		bars[i] = bar_of_register(reg);
		bars[i].size = size;
		if (bars[i].type == SVF_MODEL_BAR_MEM64)
			i++;
	}
}
