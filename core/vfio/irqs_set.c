/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SET_IRQS: enabling, disabling, masking and testing interrupts, with the kernel's errnos in the
 * kernel's order:
 *
 *   1. the header: argsz, index, flags, range, exactly one kind of data, data long enough: EINVAL
 *   2. the data is copied in: EFAULT
 *   3. the action on that index exists: ENOTTY
 *   4. the state allows it: EINVAL
 *   5. descriptors: EBADF when not open, EINVAL when no eventfd
 *
 * Descriptors of a call are all looked at before anything changes, because that may restart the
 * call. What one bad descriptor among many does is the kernel's nevertheless: the vectors of the
 * call up to and with the bad one lose their eventfds, and if the call was to enable the interrupt
 * it stays disabled.
 *
 * A negative descriptor means none (ERR and REQ: only -1). Triggering with DATA_NONE or DATA_BOOL
 * is the loopback test: it signals the eventfds without the function.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "core/command.h"
#include "core/vfio/vfio_pci.h"

/* The call's arguments, checked. */
struct request {
	struct svf_device *device;
	struct svf_call *call;
	uint32_t flags, index, start, count;
	const uint8_t *data; /* NULL: none, or none was left over for a count of 0 */
};

static const char *const index_names[] = {"INTx", "MSI", "MSI-X", "ERR", "REQ"};

static int fail_in_use(const struct request *rq)
{
	unsigned int type = rq->device->irqs->type;

	if (type >= SVF_ARRAY_SIZE(index_names))
		return svf_fail(rq->call, -EINVAL,
				"%s is not enabled; enable it with VFIO_IRQ_SET_DATA_EVENTFD first",
				index_names[rq->index]);
	return svf_fail(rq->call, -EINVAL,
			"%s cannot be used while %s is enabled; disable that first",
			index_names[rq->index], index_names[type]);
}

static int32_t fd_at(const struct request *rq, uint32_t i)
{
	return (int32_t)svf_get_le32(rq->data + 4 * (size_t)i);
}

/* *ret: NULL for a negative descriptor. */
static int resolve_event(const struct request *rq, int32_t fd, struct svf_event **ret)
{
	struct svf_fd found;
	int err;

	*ret = NULL;
	if (fd < 0)
		return 0;
	err = svf_call_fd(rq->call, fd, &found);
	if (err == -EBADF)
		return svf_fail(rq->call, -EBADF, "descriptor %d given for %s is not open", fd,
				index_names[rq->index]);
	if (err)
		return err;
	if (found.kind != SVF_FD_EVENT)
		return svf_fail(rq->call, -EINVAL, "descriptor %d given for %s is no eventfd", fd,
				index_names[rq->index]);
	*ret = found.event;
	return 0;
}

/* Whether DATA_NONE or DATA_BOOL asks for vector i of the call. */
static bool asked(const struct request *rq, uint32_t i)
{
	return rq->flags & VFIO_IRQ_SET_DATA_NONE || rq->data[i];
}

/* --- INTx --- */

static int intx_must_be_one(const struct request *rq)
{
	if (rq->device->irqs->type != VFIO_PCI_INTX_IRQ_INDEX)
		return fail_in_use(rq);
	if (rq->start || rq->count != 1)
		return svf_fail(rq->call, -EINVAL,
				"INTx is one interrupt: start must be 0 and count 1, not %u and %u",
				rq->start, rq->count);
	return 0;
}

static int set_intx_mask(const struct request *rq)
{
	int err = intx_must_be_one(rq);

	if (err)
		return err;
	if (rq->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return svf_fail(rq->call, -ENOTTY,
				"INTx cannot be masked by an eventfd; use VFIO_IRQ_SET_DATA_NONE");
	if (asked(rq, 0))
		svf_irqs_mask_intx(rq->device);
	return 0;
}

static int set_intx_unmask(const struct request *rq)
{
	struct svf_event *event;
	int err = intx_must_be_one(rq);

	if (err)
		return err;
	if (rq->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		err = resolve_event(rq, fd_at(rq, 0), &event);
		if (err)
			return err;
		if (event)
			return svf_irqs_watch_unmask(rq->device, rq->call, event);
		svf_irqs_unwatch_unmask(rq->device);
		return 0;
	}
	if (asked(rq, 0))
		svf_irqs_unmask_intx(rq->device);
	return 0;
}

static int set_intx_event(const struct request *rq)
{
	struct svf_device *device = rq->device;
	struct svf_event *event;
	int err = resolve_event(rq, fd_at(rq, 0), &event);

	if (err)
		return err;
	if (device->irqs->type == VFIO_PCI_INTX_IRQ_INDEX)
		svf_irqs_set_event(device, &device->irqs->intx, event);
	else
		svf_irqs_enable_intx(device, event);
	return 0;
}

static int set_intx_trigger(const struct request *rq)
{
	unsigned int type = rq->device->irqs->type;

	if (type == VFIO_PCI_INTX_IRQ_INDEX && !rq->count && rq->flags & VFIO_IRQ_SET_DATA_NONE) {
		svf_irqs_disable(rq->device);
		return 0;
	}
	if (type != VFIO_PCI_INTX_IRQ_INDEX && type != VFIO_PCI_NUM_IRQS)
		return fail_in_use(rq);
	if (rq->start || rq->count != 1)
		return svf_fail(rq->call, -EINVAL,
				"INTx is one interrupt: start must be 0 and count 1, not %u and %u",
				rq->start, rq->count);
	if (rq->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return set_intx_event(rq);
	if (type != VFIO_PCI_INTX_IRQ_INDEX)
		return fail_in_use(rq);
	if (asked(rq, 0))
		svf_irqs_signal_intx(rq->device);
	return 0;
}

/* --- MSI and MSI-X --- */

/* MSI has the vectors it was enabled with, MSI-X all of its table. */
static int vector_exists(const struct request *rq, uint32_t vector)
{
	const struct svf_irqs *irqs = rq->device->irqs;

	if (rq->index == VFIO_PCI_MSIX_IRQ_INDEX || vector < irqs->allocated)
		return 0;
	return svf_fail(rq->call, -EINVAL,
			"MSI was enabled with %u vectors, so there is no vector %u; disable and "
			"enable it with more",
			irqs->allocated, vector);
}

/*
 * Looks at all descriptors, so that one restart finds them all. Return: 0, SVF_RESTART, or with
 * *ret_bad the first that is wrong and its errno.
 */
static int resolve_vectors(const struct request *rq, struct svf_event **events, uint32_t *ret_bad)
{
	bool restart = false;

	for (uint32_t i = 0; i < rq->count; i++) {
		int err = resolve_event(rq, fd_at(rq, i), &events[i]);

		if (err == SVF_RESTART) {
			restart = true;
		} else if (err && !restart) {
			*ret_bad = i;
			return err;
		}
	}
	return restart ? SVF_RESTART : 0;
}

static void clear_vectors(const struct request *rq, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		svf_irqs_set_vector(rq->device, rq->start + i, NULL);
}

/* MSI is enabled. Up to count descriptors of the call are in order, and the next one gives err. */
static int set_vectors(const struct request *rq, struct svf_event **events, uint32_t count, int err)
{
	for (uint32_t i = 0; i < count; i++) {
		int missing = events[i] ? vector_exists(rq, rq->start + i) : 0;

		if (missing) {
			clear_vectors(rq, i + 1);
			return missing;
		}
		svf_irqs_set_vector(rq->device, rq->start + i, events[i]);
	}
	if (!err)
		return 0;
	if (vector_exists(rq, rq->start + count))
		err = -EINVAL; /* found before the descriptor is looked at */
	clear_vectors(rq, count + 1);
	return err;
}

static int enable_messages(const struct request *rq)
{
	uint32_t vectors = rq->start + rq->count;
	bool msix = rq->index == VFIO_PCI_MSIX_IRQ_INDEX;

	/* The state of power is looked at before the number of MSI vectors, and after that of MSI-X. */
	if (svf_function_power_state(rq->device->fn) && (vectors || !msix))
		return svf_fail(rq->call, -EINVAL,
				"%s cannot be enabled in a low-power state; write D0 to the power "
				"management register first",
				index_names[rq->index]);
	if (!vectors)
		return svf_fail(rq->call, -ERANGE, "%s cannot be enabled with no vectors",
				index_names[rq->index]);
	return svf_irqs_enable_messages(rq->device, rq->call, msix, vectors);
}

static int set_events(const struct request *rq, struct svf_event **events)
{
	bool enabled = rq->device->irqs->type == rq->index;
	uint32_t good = rq->count;
	int bad = resolve_vectors(rq, events, &good);
	int err = bad == SVF_RESTART ? bad : 0;

	if (err)
		return err;
	if (!enabled)
		err = enable_messages(rq);
	if (err)
		return err;
	err = set_vectors(rq, events, good, bad);
	if (err && !enabled)
		svf_irqs_disable(rq->device);
	return err;
}

static int set_msi_events(const struct request *rq)
{
	struct svf_event **events = calloc(rq->count ? rq->count : 1, sizeof(struct svf_event *));
	int err;

	if (!events)
		return svf_fail(rq->call, -ENOMEM, "out of memory for %u eventfds", rq->count);
	err = set_events(rq, events);
	free(events);
	return err;
}

static int set_msi_trigger(const struct request *rq)
{
	struct svf_irqs *irqs = rq->device->irqs;

	if (irqs->type == rq->index && !rq->count && rq->flags & VFIO_IRQ_SET_DATA_NONE) {
		svf_irqs_disable(rq->device);
		return 0;
	}
	if (irqs->type != rq->index && irqs->type != VFIO_PCI_NUM_IRQS)
		return fail_in_use(rq);
	if (rq->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return set_msi_events(rq);
	if (irqs->type != rq->index)
		return fail_in_use(rq);
	for (uint32_t i = 0; i < rq->count; i++) {
		struct svf_event *event = irqs->vectors[rq->start + i];

		if (event && asked(rq, i))
			rq->device->fn->machine->port->event_signal(event);
	}
	return 0;
}

/* --- ERR and REQ --- */

static int set_single_event(const struct request *rq, struct svf_event **slot)
{
	struct svf_event *event;
	int32_t fd = fd_at(rq, 0);
	int err;

	if (fd < -1)
		return svf_fail(rq->call, -EINVAL, "descriptor %d given for %s; use -1 for none",
				fd, index_names[rq->index]);
	err = resolve_event(rq, fd, &event);
	if (!err)
		svf_irqs_set_event(rq->device, slot, event);
	return err;
}

static int set_single_trigger(const struct request *rq)
{
	struct svf_irqs *irqs = rq->device->irqs;
	struct svf_event **slot = rq->index == VFIO_PCI_ERR_IRQ_INDEX ? &irqs->err : &irqs->req;

	if (rq->flags & VFIO_IRQ_SET_DATA_NONE && !*slot)
		return svf_fail(rq->call, -EINVAL, "%s has no eventfd", index_names[rq->index]);
	if (rq->flags & VFIO_IRQ_SET_DATA_NONE && !rq->count) {
		svf_irqs_set_event(rq->device, slot, NULL);
		return 0;
	}
	if (!rq->count)
		return svf_fail(rq->call, -EINVAL, "%s is one interrupt: count must be 1, not 0",
				index_names[rq->index]);
	if (rq->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return set_single_event(rq, slot);
	if (asked(rq, 0) && *slot)
		rq->device->fn->machine->port->event_signal(*slot);
	return 0;
}

/* --- the call --- */

static const struct {
	uint32_t index, action;
	int (*set)(const struct request *rq);
} actions[] = {
	{VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_MASK, set_intx_mask},
	{VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_UNMASK, set_intx_unmask},
	{VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, set_intx_trigger},
	{VFIO_PCI_MSI_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, set_msi_trigger},
	{VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, set_msi_trigger},
	{VFIO_PCI_ERR_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, set_single_trigger},
	{VFIO_PCI_REQ_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, set_single_trigger},
};

static int run_action(const struct request *rq)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(actions); i++) {
		if (actions[i].index == rq->index &&
		    actions[i].action == (rq->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK))
			return actions[i].set(rq);
	}
	return svf_fail(rq->call, -ENOTTY,
			"%s has no such action (flags 0x%x): give exactly one, and MASK and UNMASK "
			"only for INTx",
			index_names[rq->index], rq->flags);
}

/* Bytes of data for each interrupt; -1: not exactly one kind. */
static int data_width(uint32_t flags)
{
	switch (flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		return 1;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return 4;
	default:
		return -1;
	}
}

static int check_header(struct svf_call *call, const struct vfio_irq_set *set,
			unsigned int available)
{
	int width = data_width(set->flags);

	if (set->argsz < sizeof(*set))
		return svf_fail(call, -EINVAL,
				"argsz %u is below the %zu bytes of struct vfio_irq_set",
				set->argsz, sizeof(*set));
	if (set->index >= VFIO_PCI_NUM_IRQS)
		return svf_fail(call, -EINVAL,
				"interrupt index %u does not exist; a vfio-pci device has 0 to %u",
				set->index, VFIO_PCI_NUM_IRQS - 1);
	if (set->flags & ~(VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK))
		return svf_fail(call, -EINVAL, "unknown flags 0x%x", set->flags);
	if (set->start >= available || set->count > available - set->start)
		return svf_fail(call, -EINVAL,
				"interrupts %u to %lu of %s do not exist, the device has %u",
				set->start, (unsigned long)set->start + set->count - !!set->count,
				index_names[set->index], available);
	if (width < 0)
		return svf_fail(
			call, -EINVAL,
			"flags 0x%x: give exactly one of DATA_NONE, DATA_BOOL and DATA_EVENTFD",
			set->flags);
	if (set->argsz - sizeof(*set) < (size_t)set->count * (unsigned int)width)
		return svf_fail(call, -EINVAL,
				"argsz %u leaves no room for %u times %d bytes of data", set->argsz,
				set->count, width);
	return 0;
}

static long set_irqs_with_data(struct request *rq, uint64_t arg, size_t size)
{
	uint8_t *data = calloc(1, size);
	int err;

	if (!data)
		return svf_fail(rq->call, -ENOMEM, "out of memory for %zu bytes of data", size);
	err = svf_copy_from_user(rq->call, data, arg + sizeof(struct vfio_irq_set), size);
	rq->data = data;
	if (!err)
		err = run_action(rq);
	free(data);
	return err;
}

long svf_device_set_irqs(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device *device = svf_device_of_file(file);
	struct vfio_irq_set set;
	struct request rq;
	size_t size;
	int err = svf_copy_from_user(call, &set, arg, sizeof(set));

	if (!err)
		err = check_header(call, &set, svf_irqs_count(device, set.index));
	if (err)
		return err;
	rq = (struct request){
		.device = device,
		.call = call,
		.flags = set.flags,
		.index = set.index,
		.start = set.start,
		.count = set.count,
	};
	size = (size_t)set.count * (unsigned int)data_width(set.flags);
	return size ? set_irqs_with_data(&rq, arg, size) : run_action(&rq);
}
