/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts of an open device: which there are (GET_IRQ_INFO), and the way from the function's
 * interrupts to the user's eventfds. What SET_IRQS may do with them is in irqs_set.c.
 *
 * At most one of INTx, MSI and MSI-X is enabled at a time; ERR and REQ stand apart. Enabling MSI or
 * MSI-X turns it on in the function's physical capability, where the user of MSI-X sees it. MSI has the vectors it was enabled with; MSI-X grows to any vector of its
 * table later.
 *
 * INTx is a level, and one user's eventfd may not keep a shared line busy: when it rises it is
 * masked in the function and the event signalled once. Unmasking while it is still up signals again
 * and leaves it masked. The user's own INTx disable bit of the command register masks too. A
 * function whose INTx cannot be masked in itself (module parameter nointxmask) is masked where its
 * line ends, which looks the same.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>

#include "core/command.h"
#include "core/vfio/vconfig.h"
#include "core/vfio/vfio_pci.h"

static const struct svf_port_ops *port_of(const struct svf_device *device)
{
	return device->fn->machine->port;
}

struct svf_irqs *svf_irqs_alloc(void)
{
	struct svf_irqs *irqs = calloc(1, sizeof(*irqs));

	if (irqs)
		irqs->type = VFIO_PCI_NUM_IRQS;
	return irqs;
}

void svf_irqs_set_event(struct svf_device *device, struct svf_event **slot, struct svf_event *event)
{
	struct svf_event *old = *slot;

	*slot = event ? port_of(device)->event_get(event) : NULL;
	if (old)
		port_of(device)->event_put(old);
}

unsigned int svf_irqs_count(const struct svf_device *device, unsigned int index)
{
	struct svf_msix_layout msix;

	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return device->vconfig->value[PCI_INTERRUPT_PIN] ? 1 : 0;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return svf_function_msi_vectors(device->fn);
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return svf_function_msix(device->fn, &msix) ? msix.vectors : 0;
	case VFIO_PCI_ERR_IRQ_INDEX:
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

/* --- INTx --- */

static bool line_is_up(const struct svf_device *device)
{
	return svf_config_read(device->fn, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT;
}

/* The function's own mask follows, where it has one that is used. */
static void mask_function(struct svf_device *device, bool mask)
{
	if (device->intx_maskable)
		svf_device_set_command(device->fn, PCI_COMMAND_INTX_DISABLE,
				       mask ? PCI_COMMAND_INTX_DISABLE : 0);
}

void svf_irqs_signal_intx(struct svf_device *device)
{
	struct svf_irqs *irqs = device->irqs;

	if (irqs->type == VFIO_PCI_INTX_IRQ_INDEX && !device->virq_disabled && irqs->intx)
		port_of(device)->event_signal(irqs->intx);
}

/* The line is up and nothing masks it: as the interrupt handler does. */
static void intx_arrived(struct svf_device *device)
{
	device->irqs->intx_masked = true;
	mask_function(device, true);
	svf_irqs_signal_intx(device);
}

static void sink_intx(struct svf_function *fn, bool level)
{
	struct svf_device *device = fn->device;

	if (!level || !device || !device->irqs || device->irqs->type != VFIO_PCI_INTX_IRQ_INDEX)
		return;
	if (!device->irqs->intx_masked)
		intx_arrived(device);
}

void svf_irqs_mask_intx(struct svf_device *device)
{
	/* Also while INTx is not in use: the function's bit follows the user's. */
	mask_function(device, true);
	if (device->irqs->type == VFIO_PCI_INTX_IRQ_INDEX)
		device->irqs->intx_masked = true;
}

void svf_irqs_unmask_intx(struct svf_device *device)
{
	struct svf_irqs *irqs = device->irqs;

	if (irqs->type != VFIO_PCI_INTX_IRQ_INDEX) {
		mask_function(device, false);
		return;
	}
	if (!irqs->intx_masked || device->virq_disabled)
		return;
	if (line_is_up(device)) {
		svf_irqs_signal_intx(device);
		return;
	}
	irqs->intx_masked = false;
	mask_function(device, false);
}

static void unmask_fired(void *arg)
{
	svf_irqs_unmask_intx(arg);
}

int svf_irqs_watch_unmask(struct svf_device *device, struct svf_call *call, struct svf_event *event)
{
	struct svf_irqs *irqs = device->irqs;
	int err;

	if (irqs->unmask)
		return svf_fail(call, -EBUSY,
				"INTx is unmasked by an eventfd already; give -1 first");
	err = port_of(device)->event_watch(event, unmask_fired, device, &irqs->unmask);
	if (err)
		return svf_fail(call, err, "out of memory to watch an eventfd");
	return 0;
}

void svf_irqs_unwatch_unmask(struct svf_device *device)
{
	if (device->irqs->unmask)
		port_of(device)->event_unwatch(device->irqs->unmask);
	device->irqs->unmask = NULL;
}

void svf_irqs_intx_follow(struct svf_device *device, bool disable)
{
	if (disable == device->virq_disabled)
		return;
	device->virq_disabled = disable;
	if (disable)
		svf_irqs_mask_intx(device);
	else
		svf_irqs_unmask_intx(device);
}

/* --- MSI and MSI-X --- */

/* A message reaches nobody while the capability is off, or its function-wide mask on. */
static bool messages_on(const struct svf_device *device)
{
	const struct svf_function *fn = device->fn;

	if (device->irqs->type == VFIO_PCI_MSI_IRQ_INDEX)
		return svf_config_read(fn, fn->cap_msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE;
	return device->irqs->type == VFIO_PCI_MSIX_IRQ_INDEX &&
	       (svf_config_read(fn, fn->cap_msix + PCI_MSIX_FLAGS, 2) &
		(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL)) == PCI_MSIX_FLAGS_ENABLE;
}

static void sink_msi(struct svf_function *fn, unsigned int vector)
{
	struct svf_device *device = fn->device;
	struct svf_irqs *irqs = device ? device->irqs : NULL;

	if (irqs && vector < irqs->size && irqs->vectors[vector] && messages_on(device))
		fn->machine->port->event_signal(irqs->vectors[vector]);
}

static uint32_t log2_up(unsigned int n)
{
	uint32_t log = 0;

	while (1u << log < n)
		log++;
	return log;
}

/* Address and data of MSI: where the kernel wants the message, or nothing. */
static void put_msi_message(struct svf_function *fn, bool there)
{
	bool wide = svf_config_read(fn, fn->cap_msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_64BIT;
	unsigned int data = wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32;

	svf_config_write(fn, fn->cap_msi + PCI_MSI_ADDRESS_LO, 4, there ? SVF_MSI_ADDRESS : 0);
	if (wide)
		svf_config_write(fn, fn->cap_msi + PCI_MSI_ADDRESS_HI, 4, 0);
	svf_config_write(fn, fn->cap_msi + data, 2, 0);
}

/*
 * What the kernel's PCI core writes into the function when it makes vectors. It disables INTx, too,
 * but vfio-pci puts the command register back as it was.
 */
static void put_msi_on(struct svf_function *fn, unsigned int vectors)
{
	unsigned int at = fn->cap_msi + PCI_MSI_FLAGS;
	uint32_t flags = svf_config_read(fn, at, 2) & ~(uint32_t)PCI_MSI_FLAGS_QSIZE;

	put_msi_message(fn, true);
	svf_config_write(fn, at, 2, flags | log2_up(vectors) << 4 | PCI_MSI_FLAGS_ENABLE);
}

static void put_msix_on(struct svf_function *fn)
{
	unsigned int at = fn->cap_msix + PCI_MSIX_FLAGS;
	uint32_t flags = svf_config_read(fn, at, 2) & ~(uint32_t)PCI_MSIX_FLAGS_MASKALL;

	svf_config_write(fn, at, 2, flags | PCI_MSIX_FLAGS_ENABLE);
}

/* After a reset the kernel makes both anew, and leaves INTx disabled. */
static void sink_restored(struct svf_function *fn)
{
	struct svf_device *device = fn->device;
	struct svf_irqs *irqs = device ? device->irqs : NULL;

	if (!irqs ||
	    (irqs->type != VFIO_PCI_MSI_IRQ_INDEX && irqs->type != VFIO_PCI_MSIX_IRQ_INDEX))
		return;
	svf_device_set_command(fn, PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_INTX_DISABLE);
	if (irqs->type == VFIO_PCI_MSI_IRQ_INDEX) {
		put_msi_on(fn, irqs->allocated);
		return;
	}
	put_msix_on(fn);
	for (unsigned int i = 0; i < irqs->size; i++) {
		if (irqs->made[i])
			svf_msix_write_entry(fn, i, true, !irqs->vectors[i]);
	}
}

static const struct svf_irq_sink sink = {
	.msi = sink_msi, .intx = sink_intx, .restored = sink_restored};

static void enable_messages(struct svf_device *device, bool msix, unsigned int vectors)
{
	struct svf_function *fn = device->fn;

	if (!msix) {
		put_msi_on(fn, vectors);
		return;
	}
	for (unsigned int i = 0; i < device->irqs->size; i++) {
		device->irqs->made[i] = i < vectors;
		svf_msix_write_entry(fn, i, i < vectors, true);
	}
	put_msix_on(fn);
}

static void disable_messages(struct svf_device *device, bool msix)
{
	struct svf_function *fn = device->fn;
	unsigned int at = msix ? fn->cap_msix + PCI_MSIX_FLAGS : fn->cap_msi + PCI_MSI_FLAGS;
	uint32_t enable = msix ? PCI_MSIX_FLAGS_ENABLE : PCI_MSI_FLAGS_ENABLE;

	svf_config_write(fn, at, 2, svf_config_read(fn, at, 2) & ~enable);
	if (msix)
		svf_msix_reset_table(fn);
	else
		put_msi_message(fn, false);
	if (device->intx_hidden)
		svf_device_set_command(fn, PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_INTX_DISABLE);
}

void svf_irqs_set_vector(struct svf_device *device, unsigned int vector, struct svf_event *event)
{
	struct svf_irqs *irqs = device->irqs;
	bool had = irqs->vectors[vector];

	svf_irqs_set_event(device, &irqs->vectors[vector], event);
	if (irqs->type != VFIO_PCI_MSIX_IRQ_INDEX || (!event && !had))
		return;
	irqs->made[vector] = true;
	svf_msix_write_entry(device->fn, vector, true, !event);
}

int svf_irqs_enable_messages(struct svf_device *device, struct svf_call *call, bool msix,
			     unsigned int vectors)
{
	struct svf_irqs *irqs = device->irqs;
	unsigned int index = msix ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX;
	unsigned int size = svf_irqs_count(device, index);
	struct svf_event **slots = calloc(size, sizeof(struct svf_event *));
	bool *made = calloc(size, sizeof(*made));

	if (!slots || !made) {
		free(slots);
		free(made);
		return svf_fail(call, -ENOMEM, "out of memory for %u interrupt vectors", size);
	}
	irqs->type = index;
	irqs->vectors = slots;
	irqs->made = made;
	irqs->size = size;
	irqs->allocated = vectors;
	enable_messages(device, msix, vectors);
	if (!msix)
		device->msi_qmax = (uint8_t)log2_up(vectors);
	device->fn->irq_sink = &sink;
	return 0;
}

void svf_irqs_enable_intx(struct svf_device *device, struct svf_event *event)
{
	struct svf_irqs *irqs = device->irqs;

	irqs->intx_masked = device->virq_disabled;
	irqs->type = VFIO_PCI_INTX_IRQ_INDEX;
	svf_irqs_set_event(device, &irqs->intx, event);
	device->fn->irq_sink = &sink;
	mask_function(device, irqs->intx_masked);
	/* One that waits already arrives now; if the write above lowered the mask, it has. */
	if (!irqs->intx_masked && line_is_up(device))
		intx_arrived(device);
}

void svf_irqs_disable(struct svf_device *device)
{
	struct svf_irqs *irqs = device->irqs;

	if (irqs->type == VFIO_PCI_NUM_IRQS)
		return;
	device->fn->irq_sink = NULL;
	for (unsigned int i = 0; i < irqs->size; i++)
		svf_irqs_set_event(device, &irqs->vectors[i], NULL);
	free(irqs->vectors);
	free(irqs->made);
	irqs->vectors = NULL;
	irqs->made = NULL;
	irqs->size = 0;
	svf_irqs_set_event(device, &irqs->intx, NULL);
	svf_irqs_unwatch_unmask(device);
	if (irqs->type != VFIO_PCI_INTX_IRQ_INDEX)
		disable_messages(device, irqs->type == VFIO_PCI_MSIX_IRQ_INDEX);
	irqs->type = VFIO_PCI_NUM_IRQS;
}

void svf_irqs_destroy(struct svf_device *device)
{
	if (!device->irqs)
		return;
	svf_irqs_disable(device);
	svf_irqs_set_event(device, &device->irqs->err, NULL);
	svf_irqs_set_event(device, &device->irqs->req, NULL);
	free(device->irqs);
	device->irqs = NULL;
}

bool svf_irqs_signal_request(struct svf_device *device)
{
	if (!device->irqs || !device->irqs->req)
		return false;
	port_of(device)->event_signal(device->irqs->req);
	return true;
}

void svf_device_report_error(struct svf_function *fn)
{
	struct svf_device *device = fn->device;

	if (device && device->irqs && device->irqs->err)
		port_of(device)->event_signal(device->irqs->err);
}

long svf_device_get_irq_info(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device *device = svf_device_of_file(file);
	struct vfio_irq_info info;
	int err = svf_copy_from_user(call, &info, arg, sizeof(info));

	if (err)
		return err;
	if (info.argsz < sizeof(info))
		return svf_fail(call, -EINVAL,
				"argsz %u is below the %zu bytes of struct vfio_irq_info",
				info.argsz, sizeof(info));
	if (info.index >= VFIO_PCI_NUM_IRQS)
		return svf_fail(call, -EINVAL,
				"interrupt index %u does not exist; a vfio-pci device has 0 to %u",
				info.index, VFIO_PCI_NUM_IRQS - 1);
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	else if (info.index != VFIO_PCI_MSIX_IRQ_INDEX || !device->fn->cap_msix)
		info.flags |= VFIO_IRQ_INFO_NORESIZE;
	info.count = svf_irqs_count(device, info.index);
	return svf_copy_to_user(call, arg, &info, sizeof(info));
}
