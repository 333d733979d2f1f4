/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls on devices. Config space is read everywhere, and written where what comes of it is the
 * same on all devices of a kind; registers behind BARs are read for their errno only.
 */
#include "generate.h"

#include <string.h>

#include "uapi/vfio.h"

static unsigned pick_device(struct generator *g)
{
	unsigned slot = chance(g, 92) ? pick_slot(g, CLASS_DEVICE, NULL) : NO_SLOT;

	return slot != NO_SLOT ? slot : pick_slot(g, CLASS_CDEV, NULL);
}

static bool device_ioctl(struct generator *g, struct op *op, uint32_t nr)
{
	unsigned slot = pick_device(g);

	if (slot == NO_SLOT)
		return false;
	op_ioctl(op, nr, CLASS_DEVICE, slot);
	return true;
}

static bool make_info(struct generator *g, struct op *op)
{
	static const uint32_t sizes[] = {16, 20, 24, 24, 64};

	if (!device_ioctl(g, op, VFIO_DEVICE_GET_INFO))
		return false;
	put32(op, any_argsz(g, ONE_OF(g, sizes)));
	put32(op, 0);
	put64(op, 0);
	put64(op, 0);
	return true;
}

static bool make_region_info(struct generator *g, struct op *op)
{
	static const uint32_t sizes[] = {32, 32, 64, 200};

	if (!device_ioctl(g, op, VFIO_DEVICE_GET_REGION_INFO))
		return false;
	put32(op, any_argsz(g, ONE_OF(g, sizes)));
	put32(op, 0);
	put32(op, below(g, 11));
	put32(op, 0);
	put64(op, 0);
	put64(op, 0);
	return true;
}

static bool make_irq_info(struct generator *g, struct op *op)
{
	if (!device_ioctl(g, op, VFIO_DEVICE_GET_IRQ_INFO))
		return false;
	put32(op, any_argsz(g, 16));
	put32(op, 0);
	put32(op, below(g, 6));
	put32(op, 0);
	return true;
}

static void put_eventfds(struct generator *g, struct op *op, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (chance(g, 80))
			put_fd(op, classes[CLASS_EVENTFD].first +
					   below(g, classes[CLASS_EVENTFD].count));
		else if (chance(g, 60))
			put32(op, (uint32_t)-1);
		else
			put_fd(op, any_slot(g));
	}
}

static bool make_set_irqs(struct generator *g, struct op *op)
{
	static const uint32_t indexes[] = {VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
					   VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX,
					   VFIO_PCI_MSI_IRQ_INDEX,  VFIO_PCI_INTX_IRQ_INDEX,
					   VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_ERR_IRQ_INDEX,
					   VFIO_PCI_REQ_IRQ_INDEX,  5};
	static const uint32_t datas[] = {VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL,
					 VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_EVENTFD};
	static const uint32_t actions[] = {VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK,
					   VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_ACTION_TRIGGER,
					   VFIO_IRQ_SET_ACTION_TRIGGER};
	uint32_t index = ONE_OF(g, indexes), data = ONE_OF(g, datas), count, width, i;

	if (!device_ioctl(g, op, VFIO_DEVICE_SET_IRQS))
		return false;
	count = chance(g, 60) ? 1 : below(g, 5);
	width = data == VFIO_IRQ_SET_DATA_NONE ? 0 : data == VFIO_IRQ_SET_DATA_BOOL ? 1 : 4;
	put32(op, any_argsz(g, 20 + count * width));
	put32(op, chance(g, 92) ? data | ONE_OF(g, actions) : below(g, 128));
	put32(op, index);
	put32(op, chance(g, 70) ? 0 : below(g, 4));
	put32(op, count);
	for (i = 0; width == 1 && i < count; i++)
		op->bytes[op->len++] = (uint8_t)chance(g, 70);
	if (width == 4)
		put_eventfds(g, op, count);
	return true;
}

static bool make_signalled(struct generator *g, struct op *op)
{
	op->kind = OP_SIGNALLED;
	return pick_device(g) != NO_SLOT;
}

static bool make_reset(struct generator *g, struct op *op)
{
	return device_ioctl(g, op, VFIO_DEVICE_RESET);
}

static bool make_hot_reset_info(struct generator *g, struct op *op)
{
	static const uint32_t sizes[] = {12, 20, 28, 36, 100, 100};

	if (!device_ioctl(g, op, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO))
		return false;
	put32(op, any_argsz(g, ONE_OF(g, sizes)));
	put32(op, 0);
	put32(op, 0);
	return true;
}

static bool make_hot_reset(struct generator *g, struct op *op)
{
	uint32_t count = chance(g, 75) ? 1 : below(g, 4), i;
	unsigned slot;

	if (!device_ioctl(g, op, VFIO_DEVICE_PCI_HOT_RESET))
		return false;
	put32(op, any_argsz(g, 12 + 4 * count));
	put32(op, 0);
	put32(op, count);
	for (i = 0; i < count; i++) {
		slot = pick_slot(g, CLASS_GROUP, NULL);
		put_fd(op, slot != NO_SLOT && chance(g, 90) ? slot : any_slot(g));
	}
	return true;
}

static void put_token(struct generator *g, struct op *op)
{
	static const uint8_t tokens[2][16] = {
		{0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x55, 0x55,
		 0x55, 0x55},
		{0xde, 0xad, 0xbe, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
		 0x45, 0x67},
	};

	memcpy(op->bytes + op->len, tokens[chance(g, 30)], 16);
	op->len += 16;
}

static bool make_feature(struct generator *g, struct op *op)
{
	static const uint32_t how[] = {
		VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_GET,
		VFIO_DEVICE_FEATURE_PROBE,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET,
	};
	static const uint32_t often[] = {VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
					 VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
					 VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
					 VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP};
	/* No eventfd for the wake-up: when a device has gone to sleep is its kernel's own time. */
	uint32_t feature = chance(g, 70) ? ONE_OF(g, often) : below(g, 20), size = 0;

	if (feature == VFIO_DEVICE_FEATURE_DMA_BUF || !device_ioctl(g, op, VFIO_DEVICE_FEATURE))
		return false;
	if (feature == VFIO_DEVICE_FEATURE_PCI_VF_TOKEN)
		size = 16;
	else if (feature > VFIO_DEVICE_FEATURE_LOW_POWER_EXIT)
		size = 8 * below(g, 5);
	else if (feature == VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP)
		size = 8;
	put32(op, any_argsz(g, 8 + size));
	put32(op, feature | ONE_OF(g, how));
	if (feature == VFIO_DEVICE_FEATURE_PCI_VF_TOKEN) {
		put_token(g, op);
	} else if (feature == VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP) {
		put32(op, 0xffffffff);
		put32(op, below(g, 2));
	}
	return true;
}

static bool make_unusual(struct generator *g, struct op *op)
{
	static const uint32_t numbers[] = {VFIO_DEVICE_QUERY_GFX_PLANE, VFIO_DEVICE_GET_GFX_DMABUF,
					   VFIO_DEVICE_IOEVENTFD, VFIO_MIG_GET_PRECOPY_INFO};

	if (!device_ioctl(g, op, ONE_OF(g, numbers)))
		return false;
	put32(op, any_argsz(g, 32));
	/* An ioeventfd that could be had is not asked for. */
	put32(op, 0x10 | below(g, 32));
	put64(op, below(g, 8192));
	put64(op, 0);
	put_fd(op, any_slot(g));
	put32(op, 0);
	return true;
}

/* Config space */

static const uint16_t places[] = {0x00, 0x04, 0x06, 0x08, 0x0c, 0x10, 0x14, 0x18,  0x1c,
				  0x20, 0x24, 0x2c, 0x30, 0x34, 0x3c, 0x3e, 0x100, 0x140};

static bool make_config_read(struct generator *g, struct op *op)
{
	static const uint16_t odd[] = {0xfd, 0xff, 0x100, 0xffc, 0xffe, 0xfff, 0x1000, 0x2000, 3};
	static const uint16_t odd_sizes[] = {3, 5, 6, 8, 16, 64, 200, 256};
	uint64_t at = chance(g, 50) ? ONE_OF(g, places) : below(g, 0x120);
	unsigned slot = pick_device(g);

	if (slot == NO_SLOT)
		return false;
	if (chance(g, 8))
		at = ONE_OF(g, odd);
	op->kind = OP_READ;
	op->slot = slot;
	op->len = chance(g, 80) ? 1u << below(g, 3) : ONE_OF(g, odd_sizes);
	op->value = (uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40 | at;
	return true;
}

/* The I/O bit of a VF's command register is the emulated device's own matter. */
static uint32_t any_command(struct generator *g, unsigned slot)
{
	uint32_t value = below(g, 8) | (chance(g, 20) ? 0x400 : 0);

	return sites[g->model.slots[slot]->site].pf != NO_SITE ? value & ~1u : value;
}

static bool make_config_write(struct generator *g, struct op *op)
{
	static const uint16_t registers[] = {0x04, 0x04, 0x04, 0x10, 0x14, 0x18, 0x1c,
					     0x20, 0x24, 0x30, 0x3c, 0x0c, 0x00, 0x08};
	static const uint32_t values[] = {0, 0xffffffff, 0xfe000000, 0x12345678, 1};
	uint16_t at = ONE_OF(g, registers);
	unsigned slot = pick_device(g);
	uint32_t value;

	if (slot == NO_SLOT)
		return false;
	value = at == 4 ? any_command(g, slot) : ONE_OF(g, values);
	op->kind = OP_WRITE;
	op->slot = slot;
	op->len = at == 4 ? 2 : chance(g, 70) ? 4 : 1u << below(g, 3);
	op->value = (uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40 | at;
	memcpy(op->bytes, &value, 4);
	return true;
}

/* D0 or D3hot, by the power management capability of those that have one. */
static bool make_power_state(struct generator *g, struct op *op)
{
	unsigned slot = pick_device(g);
	int site;

	if (slot == NO_SLOT)
		return false;
	site = g->model.slots[slot]->site;
	if (site != SITE_MULTI0 && site != SITE_MULTI1 && site != SITE_PF)
		return false;
	op->kind = OP_WRITE;
	op->slot = slot;
	op->len = 2;
	op->value = (uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40 | (site == SITE_PF ? 0x44 : 0xcc);
	op->bytes[0] = chance(g, 50) ? 0 : 3;
	return true;
}

static bool make_region_read(struct generator *g, struct op *op)
{
	static const uint64_t offsets[] = {0, 4, 0x1000, 0x7fffffff, 0xffffffffff};
	static const unsigned sizes[] = {1, 2, 4, 4, 8};
	unsigned slot = pick_device(g);

	if (slot == NO_SLOT)
		return false;
	op->kind = OP_READ;
	op->slot = slot;
	op->len = ONE_OF(g, sizes);
	op->value = (uint64_t)below(g, 12) << 40 | ONE_OF(g, offsets);
	return true;
}

const struct action device_actions[] = {
	{3, make_info},		  {3, make_region_info}, {2, make_irq_info},
	{9, make_set_irqs},	  {3, make_signalled},	 {2, make_reset},
	{2, make_hot_reset_info}, {2, make_hot_reset},	 {6, make_feature},
	{1, make_unusual},	  {5, make_config_read}, {4, make_config_write},
	{2, make_region_read},	  {2, make_power_state},
};
const size_t nr_device_actions = ARRAY_SIZE(device_actions);
