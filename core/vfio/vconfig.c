/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtualised config space of vfio-pci: built when the first user opens the device, thrown
 * away with the last.
 *
 * Every byte of config space has four planes: the user's own copy of its value, which bits are
 * read from that copy (virt), which bits the user may write (write), and which capability it
 * belongs to (owner). An access is cut into aligned pieces of 1, 2 or 4 bytes that lie in one
 * capability. A bit that is virt lives in the copy, any other in the function's physical config
 * space; writing a bit that may not be written does nothing. Some registers do more when
 * written: vconfig_write.c.
 *
 * Which capabilities are shown and what their bits are is in the tables of vconfig_perm.c. A
 * capability without a rule is left out of the chain by changing the user's copy of the link
 * before it. The first extended capability has a fixed place, so if that one is hidden its header
 * stays with id and version 0.
 *
 * BARs are the user's copy altogether. They answer sizing as hardware does: the bits below the
 * size, and the type, are put right at the first read after a write. The real BARs never change.
 *
 * A VF stores ffff as its ids and has no memory enable bit; the copy shows the ids that the kernel
 * knows and keeps the bit as written. Nothing here trusts what it finds in the physical config
 * space: a chain may loop or leave, and a length may pass the end.
 */
#include "core/vfio/vconfig.h"

#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/vfio/vfio_pci.h"

/* Capabilities are four bytes at least, so a chain without loop has no more than these. */
#define MAX_CAPS     ((256 - PCI_STD_HEADER_SIZEOF) / 4)
#define MAX_EXT_CAPS ((SVF_PCIE_CONFIG_SIZE - 256) / 4)

static bool is_bar(unsigned int pos)
{
	return (pos >= PCI_BASE_ADDRESS_0 && pos < PCI_BASE_ADDRESS_5 + 4) ||
	       (pos >= PCI_ROM_ADDRESS && pos < PCI_ROM_ADDRESS + 4);
}

static void set_reg(struct svf_vconfig *vc, unsigned int first, unsigned int end,
		    const struct svf_vreg *reg)
{
	for (unsigned int i = 0; i < reg->size && first + reg->offset + i < end; i++) {
		vc->virt[first + reg->offset + i] = (uint8_t)(reg->virt >> 8 * i);
		vc->write[first + reg->offset + i] = (uint8_t)(reg->write >> 8 * i);
	}
}

static void set_bits(struct svf_vconfig *vc, const struct svf_function *fn,
		     const struct svf_vrule *rule, unsigned int first, unsigned int end)
{
	unsigned int count = rule->nregs;
	const struct svf_vreg *regs = rule->regs_of ? rule->regs_of(fn, first, &count) : rule->regs;

	memset(vc->write + first, rule->writable ? 0xff : 0, end - first);
	for (unsigned int i = 0; i < count; i++)
		set_reg(vc, first, end, &regs[i]);
}

/*
 * Gives [first, end) to a new capability, with nothing virtual, nothing writable and the function's
 * values.
 */
static void claim(struct svf_vconfig *vc, const struct svf_function *fn,
		  const struct svf_vrule *rule, unsigned int first, unsigned int end)
{
	vc->caps[vc->ncaps] = (struct svf_vcap){.rule = rule, .first = (uint16_t)first};
	memset(vc->owner + first, (int)vc->ncaps, end - first);
	vc->ncaps++;
	memset(vc->virt + first, 0, end - first);
	memset(vc->write + first, 0, end - first);
	for (unsigned int i = first; i < end; i++)
		vc->value[i] = (uint8_t)svf_config_read(fn, i, 1);
	if (rule)
		set_bits(vc, fn, rule, first, end);
}

/* Bytes the capability takes below limit; 0: it is not shown. */
static unsigned int shown_length(const struct svf_vconfig *vc, const struct svf_function *fn,
				 const struct svf_vrule *rule, unsigned int at, unsigned int limit)
{
	unsigned int length;

	if (!rule || vc->ncaps == SVF_VCONFIG_CAPS)
		return 0;
	length = rule->length ? rule->length : rule->length_of(fn, at);
	return length < limit - at ? length : limit - at;
}

static void add_cap(struct svf_vconfig *vc, const struct svf_function *fn,
		    const struct svf_vrule *rule, unsigned int at, unsigned int length)
{
	claim(vc, fn, rule, at, at + length);
	if (length > PCI_CAP_LIST_NEXT) {
		vc->virt[at + PCI_CAP_LIST_NEXT] = 0xff;
		vc->write[at + PCI_CAP_LIST_NEXT] = 0;
	}
	if (rule->id == PCI_CAP_ID_EXP && length >= PCI_EXP_DEVCTL + 2)
		vc->read_request =
			svf_get_le16(vc->value + at + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_READRQ;
	if (rule->id == PCI_CAP_ID_PM && length >= PCI_PM_CTRL + 2) {
		vc->value[at + PCI_PM_PMC + 1] &= (uint8_t) ~(PCI_PM_CAP_PME_MASK >> 8);
		vc->value[at + PCI_PM_CTRL + 1] &=
			(uint8_t) ~((PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS) >> 8);
	}
}

/* Whether a capability says that there may be extended ones. */
static bool announces_ext_caps(const struct svf_function *fn, const struct svf_vrule *rule,
			       unsigned int length)
{
	bool may = rule->id == PCI_CAP_ID_EXP ||
		   (rule->id == PCI_CAP_ID_PCIX && length == PCI_CAP_PCIX_SIZEOF_V2);

	return may && fn->config_size > 256 && svf_config_read(fn, 256, 4);
}

/* Return: whether extended capabilities are to be looked for. */
static bool add_caps(struct svf_vconfig *vc, const struct svf_function *fn)
{
	unsigned int pos = svf_config_read(fn, PCI_CAPABILITY_LIST, 1), loops = MAX_CAPS, shown = 0;
	uint8_t *link = &vc->value[PCI_CAPABILITY_LIST];
	bool ext = false;

	if (!(svf_config_read(fn, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return false;
	while (pos >= PCI_STD_HEADER_SIZEOF && loops--) {
		unsigned int at = pos & ~3u, length;
		const struct svf_vrule *rule = svf_vrule_cap((uint8_t)svf_config_read(fn, at, 1));

		pos = svf_config_read(fn, at + PCI_CAP_LIST_NEXT, 1);
		length = shown_length(vc, fn, rule, at, 256);
		if (!length) {
			*link = (uint8_t)pos;
			continue;
		}
		add_cap(vc, fn, rule, at, length);
		ext |= announces_ext_caps(fn, rule, length);
		link = &vc->value[at + PCI_CAP_LIST_NEXT];
		shown++;
	}
	if (!shown)
		vc->value[PCI_STATUS] &= (uint8_t)~PCI_STATUS_CAP_LIST;
	return ext;
}

static void add_ext_cap(struct svf_vconfig *vc, const struct svf_function *fn,
			const struct svf_vrule *rule, unsigned int at, unsigned int length)
{
	claim(vc, fn, rule, at, at + length);
	for (unsigned int i = at; i < at + 4 && i < at + length; i++) {
		vc->virt[i] = 0xff;
		vc->write[i] = 0;
	}
}

static void set_next(struct svf_vconfig *vc, unsigned int at, unsigned int next)
{
	uint32_t header = svf_get_le32(vc->value + at);

	svf_put_le32(vc->value + at, (header & 0x000fffff) | (uint32_t)next << 20);
}

static void add_ext_caps(struct svf_vconfig *vc, const struct svf_function *fn)
{
	unsigned int at = 256, previous = 0, loops = MAX_EXT_CAPS, shown = 0;

	while (at >= 256 && at < vc->size && loops--) {
		uint32_t header = svf_config_read(fn, at, 4);
		const struct svf_vrule *rule = svf_vrule_ext_cap((uint16_t)header);
		unsigned int next = header >> 20 & 0xffc;
		unsigned int length = shown_length(vc, fn, rule, at, vc->size);

		if (length) {
			add_ext_cap(vc, fn, rule, at, length);
			shown++;
		} else if (previous) {
			set_next(vc, previous, next);
			at = next;
			continue;
		} else {
			add_ext_cap(vc, fn, NULL, at, 4);
			svf_put_le32(vc->value + at, header & 0xffc00000);
		}
		previous = at;
		at = next;
	}
	if (!shown)
		svf_put_le32(vc->value + 256, 0);
}

static void show_vf(struct svf_vconfig *vc, const struct svf_function *fn)
{
	svf_put_le16(vc->value + PCI_VENDOR_ID, svf_function_vendor(fn));
	svf_put_le16(vc->value + PCI_DEVICE_ID, svf_function_device_id(fn));
	if (vc->value[PCI_INTERRUPT_PIN])
		svf_device_log(fn, "Hardware bug: VF reports bogus INTx pin %d",
			       vc->value[PCI_INTERRUPT_PIN]);
	vc->value[PCI_INTERRUPT_PIN] = 0;
	vc->value[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
}

static void fill(struct svf_vconfig *vc, struct svf_device *device)
{
	const struct svf_function *fn = device->fn;

	memset(vc->owner, SVF_VCONFIG_NOBODY, vc->size);
	memset(vc->write, 0xff, vc->size);
	claim(vc, fn, &svf_vrule_header, 0, PCI_STD_HEADER_SIZEOF);
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++)
		vc->physical_bars[i] = svf_get_le32(vc->value + PCI_BASE_ADDRESS_0 + 4 * i);
	vc->physical_bars[SVF_PCI_ROM_BAR] = svf_get_le32(vc->value + PCI_ROM_ADDRESS);
	vc->bars_dirty = true;
	if (fn->physfn)
		show_vf(vc, fn);
	if (device->intx_hidden)
		vc->value[PCI_INTERRUPT_PIN] = 0;
	if (add_caps(vc, fn))
		add_ext_caps(vc, fn);
}

struct svf_vconfig *svf_vconfig_alloc(struct svf_device *device)
{
	unsigned int size = device->fn->config_size;
	struct svf_vconfig *vc = calloc(1, sizeof(*vc) + 4 * (size_t)size);

	if (!vc)
		return NULL;
	vc->size = size;
	vc->value = (uint8_t *)(vc + 1);
	vc->virt = vc->value + size;
	vc->write = vc->virt + size;
	vc->owner = vc->write + size;
	fill(vc, device);
	return vc;
}

void svf_vconfig_destroy(struct svf_vconfig *vconfig)
{
	free(vconfig);
}

uint16_t svf_vconfig_command(const struct svf_vconfig *vconfig)
{
	return svf_get_le16(vconfig->value + PCI_COMMAND);
}

static uint32_t bar_type(const struct svf_bar *bar)
{
	if (bar->kind == SVF_BAR_IO)
		return PCI_BASE_ADDRESS_SPACE_IO;
	return (bar->prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0u) |
	       (bar->kind == SVF_BAR_MEM64 ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0u);
}

/* Makes the copies of the BARs look like BARs of their size and type. */
static void settle_bars(struct svf_vconfig *vc, const struct svf_function *fn)
{
	const struct svf_bar *rom = &fn->bars[SVF_PCI_ROM_BAR];
	uint8_t *p = vc->value + PCI_BASE_ADDRESS_0;

	if (!vc->bars_dirty)
		return;
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++, p += 4) {
		const struct svf_bar *bar = &fn->bars[i];
		uint64_t mask = ~(bar->size - 1);
		uint32_t low;

		if (!bar->address) {
			svf_put_le32(p, 0);
			continue;
		}
		low = (svf_get_le32(p) & (uint32_t)mask) | bar_type(bar);
		svf_put_le32(p, low);
		if (low & PCI_BASE_ADDRESS_MEM_TYPE_64 && i + 1 < SVF_PCI_BARS) {
			p += 4;
			i++;
			svf_put_le32(p, svf_get_le32(p) & (uint32_t)(mask >> 32));
		}
	}
	p = vc->value + PCI_ROM_ADDRESS;
	svf_put_le32(p, rom->address ? svf_get_le32(p) & ((uint32_t) ~(rom->size - 1) |
							  PCI_ROM_ADDRESS_ENABLE)
				     : 0);
	vc->bars_dirty = false;
}

/* How much of an access of len bytes can be done at once: 1, 2 or 4. */
static unsigned int piece_len(const struct svf_vconfig *vc, unsigned int pos, size_t len)
{
	unsigned int n = 1;

	while (n < len && (pos + n) % 4 && vc->owner[pos + n] == vc->owner[pos])
		n++;
	if (n >= 4)
		return 4;
	return n >= 2 && pos % 2 == 0 ? 2 : 1;
}

static uint32_t get_plane(const uint8_t *plane, unsigned int pos, unsigned int len)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < len; i++)
		value |= (uint32_t)plane[pos + i] << 8 * i;
	return value;
}

static void put_plane(uint8_t *plane, unsigned int pos, unsigned int len, uint32_t value)
{
	for (unsigned int i = 0; i < len; i++)
		plane[pos + i] = (uint8_t)(value >> 8 * i);
}

static uint32_t all_bits(unsigned int len)
{
	return 0xffffffffu >> (32 - 8 * len);
}

static uint32_t read_piece(struct svf_device *device, unsigned int pos, unsigned int len)
{
	struct svf_vconfig *vc = device->vconfig;
	uint32_t virt = get_plane(vc->virt, pos, len), value;

	if (is_bar(pos))
		settle_bars(vc, device->fn);
	value = get_plane(vc->value, pos, len);
	if (virt != all_bits(len))
		value = (value & virt) | (svf_config_read(device->fn, pos, len) & ~virt);
	if (pos == PCI_COMMAND && device->fn->physfn)
		value |= svf_vconfig_command(vc) & PCI_COMMAND_MEMORY;
	return value;
}

static void write_piece(struct svf_device *device, unsigned int pos, unsigned int len,
			uint32_t value)
{
	struct svf_vconfig *vc = device->vconfig;
	uint32_t virt = get_plane(vc->virt, pos, len), write = get_plane(vc->write, pos, len);
	uint32_t own = write & virt, physical = write & ~virt;

	if (own)
		put_plane(vc->value, pos, len,
			  (get_plane(vc->value, pos, len) & ~own) | (value & own));
	if (physical)
		svf_config_write(device->fn, pos, len,
				 (svf_config_read(device->fn, pos, len) & ~physical) |
					 (value & physical));
}

static int check_range(const struct svf_vconfig *vc, struct svf_call *call, size_t len,
		       uint64_t offset)
{
	if (offset < vc->size && len <= vc->size - offset)
		return 0;
	return svf_fail(
		call, -EFAULT,
		"%zu bytes at offset 0x%lx pass the end of config space, which has %u bytes", len,
		(unsigned long)offset, vc->size);
}

ssize_t svf_vconfig_read(struct svf_device *device, struct svf_call *call, void *buf, size_t len,
			 uint64_t offset)
{
	uint8_t *p = buf;
	size_t done = 0;
	int err = check_range(device->vconfig, call, len, offset);

	if (err)
		return err;
	while (done < len) {
		unsigned int pos = (unsigned int)(offset + done);
		unsigned int n = piece_len(device->vconfig, pos, len - done);

		put_plane(p, (unsigned int)done, n, read_piece(device, pos, n));
		done += n;
	}
	return (ssize_t)len;
}

ssize_t svf_vconfig_write(struct svf_device *device, struct svf_call *call, const void *buf,
			  size_t len, uint64_t offset)
{
	struct svf_vconfig *vc = device->vconfig;
	size_t done = 0;
	int err = check_range(vc, call, len, offset);

	if (err)
		return err;
	while (done < len) {
		unsigned int pos = (unsigned int)(offset + done);
		unsigned int n = piece_len(vc, pos, len - done);
		uint32_t value = get_plane(buf, (unsigned int)done, n);
		uint8_t owner = vc->owner[pos];

		svf_vconfig_before_write(device, pos, value);
		write_piece(device, pos, n, value);
		if (is_bar(pos))
			vc->bars_dirty = true;
		if (owner != SVF_VCONFIG_NOBODY)
			svf_vconfig_after_write(device, &vc->caps[owner], pos, n, value);
		done += n;
	}
	return (ssize_t)len;
}
