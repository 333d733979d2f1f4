/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vital product data, see vpd.h.
 *
 * The data is a chain of tagged items, of which the kernel learns the length: large items have a
 * tag with bit 7 set and two bytes of length, small ones a tag with the length in its lower three bits,
 * and the small item 15 is the last. Data that begins with 00 or ff is none, and data that ends badly
 * ends there. Nobody may read or write behind the end.
 *
 * The function itself knows nothing of that: an address written with its flag clear fetches four
 * bytes and sets the flag, one written with the flag set stores them and clears it. That takes no time here.
 */
#include "core/pci/vpd.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pci/function.h"

#define LARGE	   0x80u
#define LARGE_HEAD 3u
#define SMALL_HEAD 1u
#define SMALL_LEN  0x07u
#define END_TAG	   15u

static uint8_t byte_at(const struct svf_function *fn, uint32_t at)
{
	return at < fn->vpd_len ? fn->vpd[at] : 0xff;
}

/* Where the last item ends, 0: there is no data. */
static uint32_t chain_end(const struct svf_function *fn)
{
	uint32_t at = 0, size;

	while (at < SVF_VPD_MAX) {
		uint8_t head = byte_at(fn, at);

		if (!at && (head == 0x00 || head == 0xff))
			return 0;
		if (head & LARGE) {
			if (at + LARGE_HEAD > SVF_VPD_MAX)
				return at;
			size = byte_at(fn, at + 1) | (uint32_t)byte_at(fn, at + 2) << 8;
			if (at + size > SVF_VPD_MAX)
				return at;
			at += LARGE_HEAD + size;
			continue;
		}
		size = head & SMALL_LEN;
		if (at + size > SVF_VPD_MAX)
			return at;
		at += SMALL_HEAD + size;
		if (head >> 3 == END_TAG)
			return at;
	}
	return at;
}

bool svf_vpd_available(const struct svf_function *fn)
{
	return fn->cap_vpd && fn->vpd && chain_end(fn);
}

static int check_available(const struct svf_function *fn, struct svf_call *call)
{
	if (svf_vpd_available(fn))
		return 0;
	return svf_fail(call, -ENODEV, SVF_BDF_FMT " has no vital product data",
			SVF_BDF_ARG(fn->bdf));
}

ssize_t svf_vpd_read(const struct svf_function *fn, struct svf_call *call, uint64_t offset,
		     void *buf, size_t len)
{
	uint8_t *bytes = buf;
	uint32_t end;
	int err = check_available(fn, call);

	if (err)
		return err;
	end = chain_end(fn);
	if (offset >= end)
		return 0;
	if (len > end - offset)
		len = (size_t)(end - offset);
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(fn, (uint32_t)(offset + i));
	return (ssize_t)len;
}

ssize_t svf_vpd_write(struct svf_function *fn, struct svf_call *call, uint64_t offset,
		      const void *buf, size_t len)
{
	uint32_t end;
	int err = check_available(fn, call);

	if (err)
		return err;
	end = chain_end(fn);
	if (offset % 4 || len % 4)
		return svf_fail(call, -EINVAL, "vital product data is written in whole dwords");
	if (offset > end || len > end - offset)
		return svf_fail(call, -EINVAL, "vital product data ends at byte %u", end);
	for (size_t i = 0; i < len && offset + i < fn->vpd_len; i++)
		fn->vpd[offset + i] = ((const uint8_t *)buf)[i];
	return (ssize_t)len;
}

void svf_vpd_address_written(struct svf_function *fn)
{
	uint8_t *cap = fn->config + fn->cap_vpd;
	uint16_t address = svf_get_le16(cap + PCI_VPD_ADDR);
	uint32_t at = address & (PCI_VPD_ADDR_MASK & ~3u);

	/* Without data nothing ever answers. */
	if (!fn->vpd)
		return;
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t *data = cap + PCI_VPD_DATA + i;

		if (!(address & PCI_VPD_ADDR_F))
			*data = byte_at(fn, at + i);
		else if (at + i < fn->vpd_len)
			fn->vpd[at + i] = *data;
	}
	svf_put_le16(cap + PCI_VPD_ADDR, address ^ PCI_VPD_ADDR_F);
}
