/* SPDX-License-Identifier: BSD-3-Clause */
/* GET_IRQ_INFO, SET_IRQS, and the way of an interrupt from the function to an eventfd. */
#include "vfio_fixture.h"

#include <linux/pci_regs.h>

#define DEVICE	"0000:01:00.0"
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define VECTORS 16

#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD VFIO_IRQ_SET_DATA_EVENTFD
#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define ERR	VFIO_PCI_ERR_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX

/* Descriptors from 20 on are eventfds, 10 is something else. */
#define EVENT_FD 20
#define OTHER_FD 10

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;
static struct svf_function *fn;
static struct svf_event *events[VECTORS];

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(
		DEVICE
		" totalvfs=0 msi=8 msix=16 intx=B; 0000:02:00.0 totalvfs=0 msi=0 msix=0 intx=none");
	file = test_open_device(&client, machine, DEVICE);
	fn = test_fn(machine, DEVICE);
	test_fd_other(OTHER_FD);
	for (int i = 0; i < VECTORS; i++) {
		events[i] = test_event();
		test_fd_event(EVENT_FD + i, events[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_file_close(file);
	for (int i = 0; i < VECTORS; i++)
		assert_int_equal(test_event_refs(events[i]), 0);
	test_client_close(&client);
	test_machine_end(machine);
	return 0;
}

/* data: count bytes or descriptors, as flags say. */
static long set_irqs(uint32_t index, uint32_t flags, uint32_t start, uint32_t count,
		     const void *data)
{
	uint8_t buf[sizeof(struct vfio_irq_set) + 4 * 32] = {0};
	size_t size = flags & EVENTFD ? 4 * (size_t)count : flags & BOOL ? count : 0;
	struct vfio_irq_set set = {.argsz = (uint32_t)(sizeof(set) + size),
				   .flags = flags,
				   .index = index,
				   .start = start,
				   .count = count};

	memcpy(buf, &set, sizeof(set));
	if (data && sizeof(set) + size <= sizeof(buf))
		memcpy(buf + sizeof(set), data, size);
	return test_ioctl(file, VFIO_DEVICE_SET_IRQS, buf, sizeof(buf));
}

static long set_fds(uint32_t index, uint32_t start, uint32_t count, const int32_t *fds)
{
	return set_irqs(index, EVENTFD | TRIGGER, start, count, fds);
}

static long set_fd(uint32_t index, uint32_t start, int32_t fd)
{
	return set_fds(index, start, 1, &fd);
}

static unsigned int signals(int i)
{
	return test_event_signals(events[i]);
}

static void info(void **state)
{
	const uint32_t maskable = VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	const struct {
		uint32_t flags, count;
	} want[] = {{maskable, 1},
		    {VFIO_IRQ_INFO_NORESIZE, 8},
		    {0, 16},
		    {VFIO_IRQ_INFO_NORESIZE, 1},
		    {VFIO_IRQ_INFO_NORESIZE, 1}};
	struct vfio_irq_info arg = {.argsz = 15};

	(void)state;
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_GET_IRQ_INFO, 0), EFAULT, "cannot read");
	assert_fails(test_ioctl(file, VFIO_DEVICE_GET_IRQ_INFO, &arg, sizeof(arg)), EINVAL,
		     "argsz 15");
	for (uint32_t i = 0; i < SVF_ARRAY_SIZE(want); i++) {
		arg = (struct vfio_irq_info){.argsz = sizeof(arg), .index = i};
		assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_IRQ_INFO, &arg, sizeof(arg)), 0);
		assert_int_equal(arg.flags, VFIO_IRQ_INFO_EVENTFD | want[i].flags);
		assert_int_equal(arg.count, want[i].count);
	}
	arg.index = VFIO_PCI_NUM_IRQS;
	assert_fails(test_ioctl(file, VFIO_DEVICE_GET_IRQ_INFO, &arg, sizeof(arg)), EINVAL,
		     "index 5");
}

static void info_of_function_without(void **state)
{
	struct test_client other;
	struct svf_file *bare = test_open_device(&other, machine, "0000:02:00.0");

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct vfio_irq_info arg = {.argsz = sizeof(arg), .index = i};

		assert_int_equal(test_ioctl(bare, VFIO_DEVICE_GET_IRQ_INFO, &arg, sizeof(arg)), 0);
		assert_int_equal(arg.count, 0);
		assert_int_equal(!!(arg.flags & VFIO_IRQ_INFO_NORESIZE), i != INTX);
	}
	svf_file_close(bare);
	test_client_close(&other);
}

static void header_errors(void **state)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set), .flags = EVENTFD | TRIGGER, .index = MSIX, .count = 1};
	const int32_t none = -1;

	(void)state;
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_SET_IRQS, 0), EFAULT, "cannot read 20");
	assert_fails(test_ioctl(file, VFIO_DEVICE_SET_IRQS, &set, sizeof(set)), EINVAL,
		     "no room for 1 times 4");
	set.argsz = 24;
	assert_fails(test_ioctl(file, VFIO_DEVICE_SET_IRQS, &set, sizeof(set)), EFAULT,
		     "cannot read 4");
	set.argsz = 19;
	assert_fails(test_ioctl(file, VFIO_DEVICE_SET_IRQS, &set, sizeof(set)), EINVAL, "argsz 19");
	assert_fails(set_irqs(5, NONE | TRIGGER, 0, 0, NULL), EINVAL, "index 5");
	assert_fails(set_irqs(MSIX, 0x100 | NONE | TRIGGER, 0, 0, NULL), EINVAL, "unknown flags");
	assert_fails(set_irqs(MSIX, NONE | TRIGGER, 16, 0, NULL), EINVAL, "do not exist");
	assert_fails(set_irqs(MSIX, NONE | TRIGGER, 1, 16, NULL), EINVAL, "has 16");
	assert_fails(set_irqs(MSIX, NONE | TRIGGER, 1, UINT32_MAX, NULL), EINVAL, "do not exist");
	assert_fails(set_irqs(MSIX, TRIGGER, 0, 1, NULL), EINVAL, "exactly one of DATA");
	assert_fails(set_irqs(MSIX, NONE | BOOL | TRIGGER, 0, 1, NULL), EINVAL,
		     "exactly one of DATA");
	assert_fails(set_irqs(MSIX, NONE, 0, 1, NULL), ENOTTY, "no such action");
	assert_fails(set_irqs(MSIX, NONE | MASK | TRIGGER, 0, 1, NULL), ENOTTY, "no such action");
	assert_fails(set_irqs(MSIX, NONE | MASK, 0, 1, NULL), ENOTTY, "no such action");
	assert_fails(set_irqs(MSI, NONE | UNMASK, 0, 1, NULL), ENOTTY, "no such action");
	assert_fails(set_irqs(ERR, NONE | MASK, 0, 1, NULL), ENOTTY, "no such action");
	assert_fails(set_irqs(MSIX, NONE | TRIGGER, 0, 1, NULL), EINVAL, "not enabled");
	assert_fails(set_irqs(MSIX, NONE | TRIGGER, 0, 0, NULL), EINVAL, "not enabled");
	assert_fails(set_fds(MSIX, 0, 0, &none), ERANGE, "no vectors");
}

static void msix(void **state)
{
	const int32_t fds[] = {EVENT_FD, -1, EVENT_FD + 2};
	const uint8_t bools[] = {0, 1, 1};

	(void)state;
	assert_int_equal(set_fds(MSIX, 0, 3, fds), 0);
	assert_int_equal(test_get(file, CONFIG, fn->cap_msix + 2u, 2), PCI_MSIX_FLAGS_ENABLE | 15);
	assert_int_equal(set_irqs(MSIX, NONE | TRIGGER, 0, 3, NULL), 0);
	assert_int_equal(signals(0), 1);
	assert_int_equal(signals(1), 0);
	assert_int_equal(signals(2), 1);
	assert_int_equal(set_irqs(MSIX, BOOL | TRIGGER, 0, 3, bools), 0);
	assert_int_equal(signals(0), 1);
	assert_int_equal(signals(2), 2);
	/* Growing, replacing, taking one out. */
	assert_int_equal(set_fd(MSIX, 15, EVENT_FD + 3), 0);
	assert_int_equal(set_fd(MSIX, 2, EVENT_FD + 4), 0);
	assert_int_equal(set_fd(MSIX, 0, -2), 0);
	assert_int_equal(set_irqs(MSIX, NONE | TRIGGER, 0, 16, NULL), 0);
	assert_int_equal(signals(0), 1);
	assert_int_equal(signals(2), 2);
	assert_int_equal(signals(3), 1);
	assert_int_equal(signals(4), 1);
	/* From the function, which needs bus mastering for it. */
	svf_function_raise_msi(fn, 15);
	assert_int_equal(signals(3), 1);
	test_put(file, CONFIG, 4, 2, 6);
	svf_function_raise_msi(fn, 15);
	assert_int_equal(signals(3), 2);
	svf_function_raise_msi(fn, 14);
	svf_function_raise_msi(fn, 16);
	assert_int_equal(set_irqs(MSIX, NONE | TRIGGER, 0, 0, NULL), 0);
	svf_function_raise_msi(fn, 15);
	assert_int_equal(signals(3), 2);
	assert_int_equal(test_get(file, CONFIG, fn->cap_msix + 2u, 2), 15);
}

/* What is wrong with one descriptor costs those before it, and no more. */
static void one_bad_descriptor(void **state)
{
	const int32_t bad[] = {EVENT_FD + 1, OTHER_FD, EVENT_FD + 3};
	const int32_t closed[] = {EVENT_FD + 1, 99};
	const int32_t good[] = {EVENT_FD, EVENT_FD, EVENT_FD};

	(void)state;
	assert_fails(set_fds(MSIX, 0, 3, bad), EINVAL,
		     "descriptor 10 given for MSI-X is no eventfd");
	assert_int_equal(fn->device->msi_qmax, 0);
	assert_fails(set_irqs(MSIX, NONE | TRIGGER, 0, 0, NULL), EINVAL, "not enabled");
	assert_int_equal(set_fds(MSIX, 0, 3, good), 0);
	assert_fails(set_fds(MSIX, 0, 2, closed), EBADF,
		     "descriptor 99 given for MSI-X is not open");
	assert_int_equal(test_event_refs(events[0]), 1);
	assert_int_equal(test_event_refs(events[1]), 0);
	assert_int_equal(set_irqs(MSIX, NONE | TRIGGER, 0, 3, NULL), 0);
	assert_int_equal(signals(0), 1);
}

/* The host finds descriptors out one by one: the call is run again, and nothing happens twice. */
static void restarted(void **state)
{
	int32_t fds[VECTORS];

	(void)state;
	for (int i = 0; i < VECTORS; i++)
		fds[i] = EVENT_FD + i;
	test_fd_restart(true);
	assert_int_equal(set_fds(MSIX, 0, VECTORS, fds), 0);
	assert_int_equal(set_irqs(MSIX, NONE | TRIGGER, 0, VECTORS, NULL), 0);
	for (int i = 0; i < VECTORS; i++) {
		assert_int_equal(signals(i), 1);
		assert_int_equal(test_event_refs(events[i]), 1);
	}
	assert_int_equal(set_fd(REQ, 0, EVENT_FD), 0);
	fds[3] = 99;
	assert_fails(set_fds(MSIX, 0, VECTORS, fds), EBADF, "descriptor 99");
	test_fd_restart(false);
}

/* The control word of an entry of the table, and whether it has a message. */
static void assert_entry(unsigned int vector, uint32_t control, bool message)
{
	struct svf_msix_layout msix;
	uint8_t entry[16];

	assert_true(svf_function_msix(fn, &msix));
	svf_bar_read(fn, msix.table_bar, msix.table_offset + 16 * vector, entry, sizeof(entry));
	assert_int_equal(entry[12], control);
	assert_int_equal(entry[2] == 0xe0 && entry[3] == 0xfe, message);
}

static void msix_table(void **state)
{
	const int32_t fds[] = {EVENT_FD, -1, EVENT_FD + 2};

	(void)state;
	assert_entry(0, 1, false);
	assert_int_equal(set_fds(MSIX, 0, 3, fds), 0);
	assert_entry(0, 0, true);
	assert_entry(1, 1, true);
	assert_entry(2, 0, true);
	assert_entry(3, 1, false);
	assert_int_equal(set_fd(MSIX, 5, EVENT_FD), 0);
	assert_int_equal(set_fd(MSIX, 0, -1), 0);
	assert_int_equal(test_ioctl_value(file, VFIO_DEVICE_RESET, 0), 0);
	assert_entry(0, 1, true);
	assert_entry(2, 0, true);
	assert_entry(4, 1, false);
	assert_entry(5, 0, true);
	assert_int_equal(set_irqs(MSIX, NONE | TRIGGER, 0, 0, NULL), 0);
	assert_entry(2, 1, false);
}

static void msi(void **state)
{
	const int32_t fds[] = {EVENT_FD, EVENT_FD + 1, EVENT_FD + 2};
	unsigned int flags = fn->cap_msi + 2u;

	(void)state;
	assert_int_equal(set_fds(MSI, 0, 3, fds), 0);
	assert_int_equal(fn->device->msi_qmax, 2);
	assert_int_equal(
		svf_config_read(fn, flags, 2) & (PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE), 0x21);
	/* INTx is as it was until a reset, after which the kernel makes MSI anew. */
	assert_int_equal(svf_config_read(fn, 4, 2) & PCI_COMMAND_INTX_DISABLE, 0);
	assert_int_equal(svf_config_read(fn, fn->cap_msi + 4u, 4), 0xfee00000);
	assert_int_equal(test_get(file, CONFIG, fn->cap_msi + 4u, 4), 0);
	assert_int_equal(test_ioctl_value(file, VFIO_DEVICE_RESET, 0), 0);
	assert_int_equal(svf_config_read(fn, 4, 2) & PCI_COMMAND_INTX_DISABLE,
			 PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(svf_config_read(fn, fn->cap_msi + 4u, 4), 0xfee00000);
	test_put(file, CONFIG, 4, 2, 6);
	svf_function_raise_msi(fn, 1);
	assert_int_equal(signals(1), 1);
	/* There are three vectors, in hardware four, and no more without enabling anew. */
	assert_int_equal(set_fd(MSI, 3, -1), 0);
	assert_fails(set_fd(MSI, 3, EVENT_FD + 3), EINVAL, "enabled with 3 vectors");
	assert_fails(set_fd(MSI, 3, 99), EINVAL, "enabled with 3 vectors");
	assert_fails(set_fd(MSIX, 0, EVENT_FD), EINVAL,
		     "MSI-X cannot be used while MSI is enabled");
	assert_fails(set_fd(INTX, 0, EVENT_FD), EINVAL, "INTx cannot be used while MSI is enabled");
	/* The user's own enable bit counts. */
	test_put(file, CONFIG, flags, 2, 0);
	svf_function_raise_msi(fn, 1);
	assert_int_equal(signals(1), 1);
	test_put(file, CONFIG, flags, 2, 0x71);
	assert_int_equal(test_get(file, CONFIG, flags, 2) & 0x71, 0x21);
	svf_function_raise_msi(fn, 1);
	assert_int_equal(signals(1), 2);
	assert_int_equal(set_irqs(MSI, NONE | TRIGGER, 0, 0, NULL), 0);
	assert_int_equal(svf_config_read(fn, flags, 2) & PCI_MSI_FLAGS_ENABLE, 0);
	assert_int_equal(svf_config_read(fn, 4, 2) & PCI_COMMAND_INTX_DISABLE,
			 PCI_COMMAND_INTX_DISABLE);
	test_put(file, CONFIG, flags, 2, 0x01);
	assert_int_equal(test_get(file, CONFIG, flags, 2) & 1, 0);
}

static void not_in_low_power(void **state)
{
	(void)state;
	test_put(file, CONFIG, fn->cap_pm + 4u, 2, 3);
	assert_fails(set_fd(MSIX, 0, EVENT_FD), EINVAL, "low-power state");
	assert_fails(set_fd(MSIX, 0, 99), EINVAL, "low-power state");
	test_put(file, CONFIG, fn->cap_pm + 4u, 2, 0);
	assert_int_equal(set_fd(MSIX, 0, EVENT_FD), 0);
}

static void intx(void **state)
{
	const uint8_t no = 0, yes = 1;

	(void)state;
	assert_fails(set_irqs(INTX, NONE | UNMASK, 0, 1, NULL), EINVAL, "INTx is not enabled");
	assert_fails(set_irqs(INTX, NONE | TRIGGER, 0, 1, NULL), EINVAL, "INTx is not enabled");
	assert_fails(set_fd(INTX, 0, OTHER_FD), EINVAL, "no eventfd");
	assert_fails(set_fd(INTX, 0, 99), EBADF, "not open");
	assert_int_equal(set_fd(INTX, 0, EVENT_FD), 0);
	assert_int_equal(set_irqs(INTX, NONE | TRIGGER, 0, 1, NULL), 0);
	assert_int_equal(set_irqs(INTX, BOOL | TRIGGER, 0, 1, &no), 0);
	assert_int_equal(signals(0), 1);
	assert_int_equal(set_irqs(INTX, BOOL | TRIGGER, 0, 1, &yes), 0);
	assert_int_equal(signals(0), 2);
	/* The line: once, then masked until unmasked. */
	svf_function_set_intx(fn, true);
	assert_int_equal(signals(0), 3);
	svf_function_set_intx(fn, false);
	svf_function_set_intx(fn, true);
	assert_int_equal(signals(0), 3);
	assert_int_equal(set_irqs(INTX, NONE | UNMASK, 0, 1, NULL), 0);
	assert_int_equal(signals(0), 4);
	svf_function_set_intx(fn, false);
	assert_int_equal(set_irqs(INTX, BOOL | UNMASK, 0, 1, &no), 0);
	assert_int_equal(set_irqs(INTX, BOOL | UNMASK, 0, 1, &yes), 0);
	assert_int_equal(signals(0), 4);
	svf_function_set_intx(fn, true);
	assert_int_equal(signals(0), 5);
	svf_function_set_intx(fn, false);
	assert_int_equal(set_irqs(INTX, NONE | UNMASK, 0, 1, NULL), 0);
	/* Masked by the client. */
	assert_int_equal(set_irqs(INTX, NONE | MASK, 0, 1, NULL), 0);
	svf_function_set_intx(fn, true);
	assert_int_equal(signals(0), 5);
	assert_int_equal(set_irqs(INTX, NONE | UNMASK, 0, 1, NULL), 0);
	assert_int_equal(signals(0), 6);
	svf_function_set_intx(fn, false);
	/* Another eventfd, none, gone. */
	assert_int_equal(set_fd(INTX, 0, EVENT_FD + 1), 0);
	assert_int_equal(test_event_refs(events[0]), 0);
	assert_int_equal(set_fd(INTX, 0, -1), 0);
	assert_int_equal(set_irqs(INTX, NONE | TRIGGER, 0, 1, NULL), 0);
	assert_int_equal(signals(1), 0);
	assert_int_equal(set_irqs(INTX, NONE | TRIGGER, 0, 0, NULL), 0);
	assert_fails(set_irqs(INTX, NONE | TRIGGER, 0, 0, NULL), EINVAL,
		     "start must be 0 and count 1");
}

static void intx_by_eventfd(void **state)
{
	const int32_t fd = EVENT_FD + 1, bad = 99, other = OTHER_FD, none = -1;

	(void)state;
	assert_fails(set_irqs(INTX, EVENTFD | UNMASK, 0, 1, &fd), EINVAL, "INTx is not enabled");
	assert_int_equal(set_fd(INTX, 0, EVENT_FD), 0);
	assert_fails(set_irqs(INTX, EVENTFD | MASK, 0, 1, &fd), ENOTTY, "masked by an eventfd");
	assert_fails(set_irqs(INTX, EVENTFD | UNMASK, 0, 1, &bad), EBADF, "not open");
	assert_fails(set_irqs(INTX, EVENTFD | UNMASK, 0, 1, &other), EINVAL, "no eventfd");
	assert_int_equal(set_irqs(INTX, EVENTFD | UNMASK, 0, 1, &fd), 0);
	assert_fails(set_irqs(INTX, EVENTFD | UNMASK, 0, 1, &fd), EBUSY, "already; give -1 first");
	svf_function_set_intx(fn, true);
	svf_function_set_intx(fn, false);
	svf_function_set_intx(fn, true);
	assert_int_equal(signals(0), 1);
	test_event_fire(events[1]);
	assert_int_equal(signals(0), 2);
	svf_function_set_intx(fn, false);
	test_event_fire(events[1]);
	svf_function_set_intx(fn, true);
	assert_int_equal(signals(0), 3);
	svf_function_set_intx(fn, false);
	assert_int_equal(set_irqs(INTX, EVENTFD | UNMASK, 0, 1, &none), 0);
	assert_int_equal(test_event_refs(events[1]), 0);
	assert_int_equal(set_irqs(INTX, EVENTFD | UNMASK, 0, 1, &fd), 0);
	assert_int_equal(set_irqs(INTX, NONE | TRIGGER, 0, 0, NULL), 0);
	assert_int_equal(test_event_refs(events[1]), 0);
}

/* The disable bit of the command register, as the user sees it. */
static void intx_by_command(void **state)
{
	(void)state;
	assert_int_equal(set_fd(INTX, 0, EVENT_FD), 0);
	test_put(file, CONFIG, 4, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(test_get(file, CONFIG, 4, 2),
			 PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	svf_function_set_intx(fn, true);
	assert_int_equal(signals(0), 0);
	assert_int_equal(set_irqs(INTX, NONE | UNMASK, 0, 1, NULL), 0);
	assert_int_equal(set_irqs(INTX, NONE | TRIGGER, 0, 1, NULL), 0);
	assert_int_equal(signals(0), 0);
	test_put(file, CONFIG, 4, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(signals(0), 1);
	/* The user's bit is not the function's, which is masked now. */
	assert_int_equal(test_get(file, CONFIG, 4, 2), PCI_COMMAND_MEMORY);
	svf_function_set_intx(fn, false);
}

/* One that waits when INTx is enabled arrives then. */
static void intx_pending(void **state)
{
	(void)state;
	svf_function_set_intx(fn, true);
	assert_int_equal(set_fd(INTX, 0, EVENT_FD), 0);
	assert_int_equal(signals(0), 1);
	svf_function_set_intx(fn, false);
}

static void err_and_req(void **state)
{
	const uint8_t no = 0, yes = 1;

	(void)state;
	assert_fails(set_irqs(REQ, NONE | TRIGGER, 0, 1, NULL), EINVAL, "REQ has no eventfd");
	assert_int_equal(set_irqs(REQ, BOOL | TRIGGER, 0, 1, &yes), 0);
	assert_fails(set_irqs(REQ, BOOL | TRIGGER, 0, 0, NULL), EINVAL, "count must be 1");
	assert_fails(set_irqs(REQ, EVENTFD | TRIGGER, 0, 0, NULL), EINVAL, "count must be 1");
	assert_fails(set_fd(REQ, 0, -2), EINVAL, "descriptor -2");
	assert_fails(set_fd(REQ, 0, 99), EBADF, "not open");
	assert_fails(set_fd(REQ, 0, OTHER_FD), EINVAL, "no eventfd");
	assert_int_equal(set_fd(REQ, 0, EVENT_FD), 0);
	assert_int_equal(set_fd(ERR, 0, EVENT_FD + 1), 0);
	assert_int_equal(set_irqs(REQ, NONE | TRIGGER, 0, 1, NULL), 0);
	assert_int_equal(set_irqs(REQ, BOOL | TRIGGER, 0, 1, &no), 0);
	assert_int_equal(signals(0), 1);
	svf_device_report_error(fn);
	assert_int_equal(signals(1), 1);
	/* They stand beside the others, and each goes alone. */
	assert_int_equal(set_fd(MSIX, 0, EVENT_FD + 2), 0);
	assert_int_equal(set_irqs(MSIX, NONE | TRIGGER, 0, 0, NULL), 0);
	assert_int_equal(set_irqs(ERR, NONE | TRIGGER, 0, 0, NULL), 0);
	assert_int_equal(test_event_refs(events[1]), 0);
	assert_int_equal(set_fd(REQ, 0, -1), 0);
	assert_int_equal(test_event_refs(events[0]), 0);
}

/* All files closed with everything enabled: nothing is held, nothing arrives. */
static void closed(void **state)
{
	const int32_t fds[] = {EVENT_FD, EVENT_FD + 1};

	(void)state;
	assert_int_equal(set_fds(MSIX, 0, 2, fds), 0);
	assert_int_equal(set_fd(REQ, 0, EVENT_FD + 2), 0);
	svf_file_close(file);
	file = NULL;
	for (int i = 0; i < 3; i++)
		assert_int_equal(test_event_refs(events[i]), 0);
	assert_null(fn->irq_sink);
	svf_function_raise_msi(fn, 0);
	svf_function_set_intx(fn, true);
	svf_function_set_intx(fn, false);
	svf_device_report_error(fn);
	assert_int_equal(signals(0), 0);
	assert_int_equal(svf_config_read(fn, fn->cap_msix + 2u, 2) & PCI_MSIX_FLAGS_ENABLE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(info, setup, teardown),
		cmocka_unit_test_setup_teardown(info_of_function_without, setup, teardown),
		cmocka_unit_test_setup_teardown(header_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(msix, setup, teardown),
		cmocka_unit_test_setup_teardown(one_bad_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(restarted, setup, teardown),
		cmocka_unit_test_setup_teardown(msi, setup, teardown),
		cmocka_unit_test_setup_teardown(msix_table, setup, teardown),
		cmocka_unit_test_setup_teardown(not_in_low_power, setup, teardown),
		cmocka_unit_test_setup_teardown(intx, setup, teardown),
		cmocka_unit_test_setup_teardown(intx_by_eventfd, setup, teardown),
		cmocka_unit_test_setup_teardown(intx_by_command, setup, teardown),
		cmocka_unit_test_setup_teardown(intx_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(err_and_req, setup, teardown),
		cmocka_unit_test_setup_teardown(closed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
