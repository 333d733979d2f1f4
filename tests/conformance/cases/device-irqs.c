/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_DEVICE_SET_IRQS: which combinations of index, data type, action and range are valid, and
 * what makes an eventfd fire. The order of checks is: head (argsz, unknown flags, index), range,
 * data, then whether the index knows the action: none and several at once are unknown like any
 * other (ENOTTY).
 */
#include "lib.h"

#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENT	VFIO_IRQ_SET_DATA_EVENTFD
#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define ERR	VFIO_PCI_ERR_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX

static const char *const index_names[] = {"INTx", "MSI", "MSI-X", "error", "request", "5"};
static int device;

union irq_buffer {
	struct vfio_irq_set set;
	uint8_t bytes[sizeof(struct vfio_irq_set) + 64 * sizeof(int32_t)];
};

static int set_irqs_size(uint32_t argsz, uint32_t flags, uint32_t index, uint32_t start,
			 uint32_t count, const void *data, size_t len)
{
	union irq_buffer b = {.set = {.argsz = argsz,
				      .flags = flags,
				      .index = index,
				      .start = start,
				      .count = count}};

	if (len > 0)
		memcpy(b.bytes + sizeof(b.set), data, len);
	return ioctl(device, VFIO_DEVICE_SET_IRQS, &b);
}

static void describe(char *text, size_t len, uint32_t flags, uint32_t index, uint32_t start,
		     uint32_t count)
{
	snprintf(text, len, "SET_IRQS %s%s%s%s%s%s%s%s, start %u count %u",
		 index < ARRAY_SIZE(index_names) ? index_names[index] : "~0",
		 flags & ~(NONE | BOOL | EVENT | MASK | UNMASK | TRIGGER) ? " unknown" : "",
		 flags & NONE ? " NONE" : "", flags & BOOL ? " BOOL" : "",
		 flags & EVENT ? " EVENTFD" : "", flags & MASK ? " MASK" : "",
		 flags & UNMASK ? " UNMASK" : "", flags & TRIGGER ? " TRIGGER" : "", start, count);
}

static int set_irqs(uint32_t flags, uint32_t index, uint32_t start, uint32_t count)
{
	char text[160];

	describe(text, sizeof(text), flags, index, start, count);
	return say_call(set_irqs_size(sizeof(struct vfio_irq_set), flags, index, start, count, NULL,
				      0),
			"%s", text);
}

static int set_eventfds(uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
			const int32_t *fds, const char *what)
{
	size_t len = count * sizeof(*fds);
	char text[160];

	describe(text, sizeof(text), EVENT | flags, index, start, count);
	return say_call(set_irqs_size((uint32_t)(sizeof(struct vfio_irq_set) + len), EVENT | flags,
				      index, start, count, fds, len),
			"%s, %s", text, what);
}

static int set_bools(uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
		     const uint8_t *bools, const char *what)
{
	char text[160];

	describe(text, sizeof(text), BOOL | flags, index, start, count);
	return say_call(set_irqs_size((uint32_t)(sizeof(struct vfio_irq_set) + count), BOOL | flags,
				      index, start, count, bools, count),
			"%s, %s", text, what);
}

static void head(void)
{
	void *nowhere = NULL;
	uint32_t i;

	section("head");
	IOCTL(device, VFIO_DEVICE_SET_IRQS, nowhere);
	say_call(set_irqs_size(19, NONE | TRIGGER, MSIX, 0, 0, NULL, 0), "argsz 19");
	say_call(set_irqs_size(0, NONE | TRIGGER, MSIX, 0, 0, NULL, 0), "argsz 0");
	say_call(set_irqs_size(100, NONE | TRIGGER, MSIX, 0, 0, NULL, 0), "argsz 100, no data");
	set_irqs(0, MSIX, 0, 0);
	set_irqs(NONE, MSIX, 0, 0);
	set_irqs(TRIGGER, MSIX, 0, 0);
	set_irqs(NONE | 1u << 6, MSIX, 0, 0);
	set_irqs(NONE | TRIGGER | 1u << 6, MSIX, 0, 0);
	set_irqs(NONE | BOOL | TRIGGER, MSIX, 0, 1);
	set_irqs(NONE | MASK | TRIGGER, MSIX, 0, 1);
	set_irqs(NONE | MASK | UNMASK | TRIGGER, MSIX, 0, 1);
	set_irqs(NONE | TRIGGER, 5, 0, 0);
	set_irqs(NONE | TRIGGER, ~0u, 0, 0);
	for (i = 0; i < 5; i++)
		set_irqs(NONE | TRIGGER, i, 0, 0);
}

static void data_sizes(void)
{
	int32_t fds[4] = {-1, -1, -1, -1};
	uint8_t bools[4] = {0};

	section("data");
	say_call(set_irqs_size(20 + 3, EVENT | TRIGGER, MSIX, 0, 1, fds, 4), "one fd in 3 bytes");
	say_call(set_irqs_size(20 + 4, EVENT | TRIGGER, MSIX, 0, 2, fds, 8), "two fds in 4 bytes");
	say_call(set_irqs_size(20, BOOL | TRIGGER, MSIX, 0, 1, bools, 1), "a bool in no bytes");
	say_call(set_irqs_size(20 + 4, EVENT | TRIGGER, MSIX, 0, 0, fds, 4), "no fd in 4 bytes");
	say_call(set_irqs_size(20 + 64, EVENT | TRIGGER, MSIX, 0, 1, fds, 16),
		 "one fd in 64 bytes");
	set_irqs(NONE | TRIGGER, MSIX, 0, 0);
}

static void msix(void)
{
	int32_t bad = 999, minus_two = -2, null_dev = must_open("/dev/null");
	int32_t events[16];
	uint8_t bools[4] = {1, 0, 1, 0};
	struct vfio_irq_info info = {.argsz = sizeof(info), .index = MSIX};
	int i;

	for (i = 0; i < 16; i++)
		events[i] = eventfd(0, EFD_CLOEXEC);
	if (ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0)
		die("IRQ_INFO");

	section("MSI-X, %u vectors: ranges", info.count);
	set_eventfds(TRIGGER, MSIX, 0, info.count + 1, events, "eventfds");
	set_eventfds(TRIGGER, MSIX, info.count, 1, events, "eventfds");
	set_irqs(NONE | TRIGGER, MSIX, info.count, 0);
	set_irqs(NONE | TRIGGER, MSIX, 1, ~0u);
	set_irqs(NONE | TRIGGER, MSIX, ~0u, 1);

	section("MSI-X: nothing set yet");
	set_irqs(NONE | TRIGGER, MSIX, 0, 1);
	set_irqs(NONE | TRIGGER, MSIX, 1, 0);
	set_bools(TRIGGER, MSIX, 0, 1, bools, "1");
	set_eventfds(TRIGGER, MSIX, 0, 1, &bad, "no such fd");
	set_eventfds(TRIGGER, MSIX, 0, 1, &null_dev, "/dev/null");
	set_eventfds(TRIGGER, MSIX, 0, 1, &minus_two, "-2");
	set_irqs(NONE | TRIGGER, MSIX, 0, 0);

	section("MSI-X: loopback");
	set_eventfds(TRIGGER, MSIX, 0, 3, events, "3 eventfds");
	set_irqs(NONE | TRIGGER, MSIX, 0, 1);
	say("signalled: %d %d %d", eventfd_taken(events[0]), eventfd_taken(events[1]),
	    eventfd_taken(events[2]));
	set_irqs(NONE | TRIGGER, MSIX, 1, 2);
	say("signalled: %d %d %d", eventfd_taken(events[0]), eventfd_taken(events[1]),
	    eventfd_taken(events[2]));
	set_bools(TRIGGER, MSIX, 0, 3, bools, "1 0 1");
	say("signalled: %d %d %d", eventfd_taken(events[0]), eventfd_taken(events[1]),
	    eventfd_taken(events[2]));
	set_irqs(NONE | TRIGGER, MSIX, 2, 2);
	say("signalled: %d", eventfd_taken(events[2]));

	section("MSI-X: changing");
	set_eventfds(TRIGGER, MSIX, 1, 1, &minus_two, "-2");
	set_eventfds(TRIGGER, MSIX, 1, 1, &(int32_t){-1}, "-1: taken away");
	set_irqs(NONE | TRIGGER, MSIX, 1, 1);
	say("signalled: %d", eventfd_taken(events[1]));
	set_eventfds(TRIGGER, MSIX, 2, 1, &events[5], "another eventfd");
	set_irqs(NONE | TRIGGER, MSIX, 2, 1);
	say("signalled: old %d new %d", eventfd_taken(events[2]), eventfd_taken(events[5]));
	set_eventfds(TRIGGER, MSIX, 5, 2, &events[6], "beyond those set");
	set_irqs(NONE | TRIGGER, MSIX, 6, 1);
	say("signalled: %d", eventfd_taken(events[7]));
	set_eventfds(TRIGGER, MSIX, 0, 2, (int32_t[]){events[0], 999}, "a good and a bad one");
	set_irqs(NONE | TRIGGER, MSIX, 0, 1);
	say("signalled: %d", eventfd_taken(events[0]));

	section("MSI-X: no masking");
	set_irqs(NONE | MASK, MSIX, 0, 1);
	set_irqs(NONE | UNMASK, MSIX, 0, 1);
	set_bools(MASK, MSIX, 0, 1, bools, "1");
	set_eventfds(UNMASK, MSIX, 0, 1, events, "an eventfd");

	section("another kind while MSI-X is on");
	set_eventfds(TRIGGER, MSI, 0, 1, events, "an eventfd");
	set_eventfds(TRIGGER, INTX, 0, 1, events, "an eventfd");
	set_irqs(NONE | TRIGGER, MSI, 0, 0);
	set_irqs(NONE | TRIGGER, MSIX, 0, 0);
	set_irqs(NONE | TRIGGER, MSIX, 0, 1);
	set_eventfds(TRIGGER, MSI, 0, 1, events, "an eventfd");
	set_irqs(NONE | TRIGGER, MSI, 0, 1);
	say("signalled: %d", eventfd_taken(events[0]));
	set_irqs(NONE | TRIGGER, MSI, 0, 0);
	set_irqs(NONE | TRIGGER, MSI, 0, 0);
	for (i = 0; i < 16; i++)
		close(events[i]);
	close(null_dev);
}

static void intx(void)
{
	int32_t event = eventfd(0, EFD_CLOEXEC), second = eventfd(0, EFD_CLOEXEC);
	uint8_t one = 1, zero = 0;

	section("INTx");
	set_irqs(NONE | MASK, INTX, 0, 1);
	set_irqs(NONE | UNMASK, INTX, 0, 1);
	set_irqs(NONE | TRIGGER, INTX, 0, 1);
	set_irqs(NONE | TRIGGER, INTX, 0, 0);
	set_eventfds(TRIGGER, INTX, 0, 2, &event, "too many");
	set_eventfds(TRIGGER, INTX, 1, 1, &event, "beyond the last");
	set_eventfds(TRIGGER, INTX, 0, 1, &event, "an eventfd");
	set_irqs(NONE | TRIGGER, INTX, 0, 1);
	say("signalled: %d", eventfd_taken(event));
	set_bools(TRIGGER, INTX, 0, 1, &one, "1");
	say("signalled: %d", eventfd_taken(event));
	set_bools(TRIGGER, INTX, 0, 1, &zero, "0");
	say("signalled: %d", eventfd_taken(event));
	set_irqs(NONE | MASK, INTX, 0, 1);
	set_irqs(NONE | MASK, INTX, 0, 0);
	set_irqs(NONE | TRIGGER, INTX, 0, 1);
	say("signalled while masked: %d", eventfd_taken(event));
	set_irqs(NONE | UNMASK, INTX, 0, 1);
	set_bools(MASK, INTX, 0, 1, &zero, "0");
	set_bools(MASK, INTX, 0, 1, &one, "1");
	set_bools(UNMASK, INTX, 0, 1, &one, "1");
	set_eventfds(MASK, INTX, 0, 1, &second, "an eventfd");
	set_eventfds(UNMASK, INTX, 0, 1, &second, "an eventfd");
	set_eventfds(UNMASK, INTX, 0, 1, &(int32_t){-1}, "-1");
	set_eventfds(TRIGGER, INTX, 0, 1, &second, "another eventfd");
	set_irqs(NONE | TRIGGER, INTX, 0, 1);
	say("signalled: old %d new %d", eventfd_taken(event), eventfd_taken(second));
	set_eventfds(TRIGGER, INTX, 0, 1, &(int32_t){-1}, "-1");
	set_irqs(NONE | TRIGGER, INTX, 0, 0);
	close(event);
	close(second);
}

static void error_and_request(uint32_t index)
{
	int32_t event = eventfd(0, EFD_CLOEXEC), bad = 999;
	uint8_t one = 1, zero = 0;

	section("%s", index_names[index]);
	set_irqs(NONE | TRIGGER, index, 0, 1);
	set_irqs(NONE | TRIGGER, index, 0, 0);
	set_irqs(NONE | MASK, index, 0, 1);
	set_irqs(NONE | UNMASK, index, 0, 1);
	set_eventfds(TRIGGER, index, 0, 2, (int32_t[]){event, event}, "two eventfds");
	set_eventfds(TRIGGER, index, 0, 1, &bad, "no such fd");
	set_eventfds(TRIGGER, index, 0, 1, &event, "an eventfd");
	set_irqs(NONE | TRIGGER, index, 0, 1);
	say("signalled: %d", eventfd_taken(event));
	set_bools(TRIGGER, index, 0, 1, &one, "1");
	say("signalled: %d", eventfd_taken(event));
	set_bools(TRIGGER, index, 0, 1, &zero, "0");
	say("signalled: %d", eventfd_taken(event));
	set_eventfds(TRIGGER, index, 0, 1, &(int32_t){-1}, "-1");
	set_irqs(NONE | TRIGGER, index, 0, 1);
	say("signalled: %d", eventfd_taken(event));
	set_eventfds(TRIGGER, index, 0, 1, &event, "an eventfd");
	set_irqs(NONE | TRIGGER, index, 0, 0);
	set_irqs(NONE | TRIGGER, index, 0, 1);
	say("signalled: %d", eventfd_taken(event));
	close(event);
}

int main(void)
{
	struct vfio_user u;

	case_begin();
	pci_all_to_vfio(pf, edu, NULL);
	vfio_user_open(&u, pf, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	head();
	data_sizes();
	msix();
	intx();
	error_and_request(ERR);
	error_and_request(REQ);
	vfio_user_close(&u);

	section("a function without MSI-X and PCIe");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	device = u.device;
	set_irqs(NONE | TRIGGER, MSIX, 0, 0);
	set_eventfds(TRIGGER, MSIX, 0, 1, &(int32_t){-1}, "-1");
	set_irqs(NONE | TRIGGER, ERR, 0, 0);
	set_irqs(NONE | TRIGGER, REQ, 0, 0);
	intx();
	vfio_user_close(&u);
	return 0;
}
