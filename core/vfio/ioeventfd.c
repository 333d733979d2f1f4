/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes to a BAR that are made when the user signals an eventfd, as a VMM gives the doorbells of a
 * device to the hypervisor.
 *
 * An ioeventfd is named by its place, size and value: of the same there is one at most, and it is
 * removed by naming it again with descriptor -1. They belong to the open device and end with its
 * last close; closing the eventfd does not end them. The write is that of a user: dropped while the
 * BAR does not answer. The MSI-X table may not be written that way.
 *
 * There are a thousand at most, as in the kernel, and they are looked up one by one.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "core/command.h"
#include "core/vfio/vfio_pci.h"

#define MAX_IOEVENTFDS 1000u
#define MAX_WIDTH      8u

struct svf_ioeventfd {
	struct svf_list link; /* device->ioeventfds */
	struct svf_device *device;
	struct svf_event_watch *watch;
	uint64_t pos, data;
	unsigned int bar, width;
};

static void destroy(struct svf_ioeventfd *io)
{
	io->device->fn->machine->port->event_unwatch(io->watch);
	svf_list_del(&io->link);
	io->device->ioeventfd_count--;
	free(io);
}

void svf_ioeventfds_destroy(struct svf_device *device)
{
	struct svf_ioeventfd *io, *tmp;

	svf_list_for_each_safe(io, tmp, &device->ioeventfds, link)
		destroy(io);
}

static void fired(void *arg)
{
	const struct svf_ioeventfd *io = arg;
	uint8_t bytes[MAX_WIDTH];

	svf_put_le64(bytes, io->data);
	svf_device_write_bar(io->device, io->bar, io->pos, bytes, io->width);
}

static struct svf_ioeventfd *lookup(struct svf_device *device, const struct svf_ioeventfd *key)
{
	struct svf_ioeventfd *io;

	svf_list_for_each(io, &device->ioeventfds, link) {
		if (io->pos == key->pos && io->bar == key->bar && io->data == key->data &&
		    io->width == key->width)
			return io;
	}
	return NULL;
}

static int check_table(const struct svf_function *fn, struct svf_call *call,
		       const struct svf_ioeventfd *key)
{
	uint64_t table, table_end;

	if (!svf_device_msix_table(fn, key->bar, &table, &table_end) ||
	    key->pos + key->width <= table || key->pos >= table_end)
		return 0;
	return svf_fail(call, -EINVAL, "an ioeventfd may not write to the MSI-X table");
}

static int check_place(const struct svf_function *fn, struct svf_call *call, uint64_t offset,
		       const struct svf_ioeventfd *key)
{
	uint64_t index = offset >> SVF_REGION_SHIFT;
	const struct svf_bar *bar = &fn->bars[key->bar];

	if (index > VFIO_PCI_BAR5_REGION_INDEX)
		return svf_fail(call, -EINVAL, "an ioeventfd writes to a BAR, not to region %lu",
				(unsigned long)index);
	if (key->pos + key->width > (bar->address ? bar->size : 0))
		return svf_fail(call, -EINVAL, "%u bytes at 0x%lx pass the end of BAR %lu",
				key->width, (unsigned long)key->pos, (unsigned long)index);
	return check_table(fn, call, key);
}

static int find_event(struct svf_call *call, int32_t number, struct svf_event **ret)
{
	struct svf_fd found;
	int err = svf_call_fd(call, number, &found);

	if (err == -EBADF)
		return svf_fail(call, err, "descriptor %d, given as ioeventfd, is not open",
				number);
	if (err)
		return err;
	if (found.kind != SVF_FD_EVENT)
		return svf_fail(call, -EINVAL, "descriptor %d, given as ioeventfd, is no eventfd",
				number);
	*ret = found.event;
	return 0;
}

static int add(struct svf_call *call, const struct svf_ioeventfd *key, int32_t fd)
{
	struct svf_device *device = key->device;
	struct svf_ioeventfd *io;
	struct svf_event *event = NULL;
	int err;

	if (device->ioeventfd_count >= MAX_IOEVENTFDS)
		return svf_fail(call, -ENOSPC, "the device has %u ioeventfds, which is all it can",
				MAX_IOEVENTFDS);
	err = find_event(call, fd, &event);
	if (err)
		return err;
	io = calloc(1, sizeof(*io));
	if (!io)
		return svf_fail(call, -ENOMEM, "out of memory for an ioeventfd");
	*io = *key;
	err = device->fn->machine->port->event_watch(event, fired, io, &io->watch);
	if (err) {
		free(io);
		return svf_fail(call, err, "out of memory to watch an eventfd");
	}
	svf_list_add_tail(&device->ioeventfds, &io->link);
	device->ioeventfd_count++;
	return 0;
}

static int add_or_remove(struct svf_call *call, const struct svf_ioeventfd *key, int32_t fd)
{
	struct svf_ioeventfd *same = lookup(key->device, key);

	if (same && fd != -1)
		return svf_fail(call, -EEXIST,
				"there is an ioeventfd with this place, size and value already; "
				"remove it with descriptor -1");
	if (same) {
		destroy(same);
		return 0;
	}
	if (fd == -1)
		return svf_fail(call, -ENODEV,
				"there is no ioeventfd with this place, size and value to remove");
	return add(call, key, fd);
}

long svf_device_ioeventfd(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	struct svf_device *device = svf_device_of_file(file);
	const size_t min_size = svf_offsetofend(struct vfio_device_ioeventfd, fd);
	struct vfio_device_ioeventfd io;
	struct svf_ioeventfd key;
	int err = svf_copy_from_user(call, &io, arg, min_size);

	if (err)
		return err;
	if (io.argsz < min_size)
		return svf_fail(
			call, -EINVAL,
			"argsz %u is below the %zu bytes up to fd of struct vfio_device_ioeventfd",
			io.argsz, min_size);
	if (io.flags > MAX_WIDTH || !svf_is_power_of_two(io.flags))
		return svf_fail(call, -EINVAL,
				"flags 0x%x: give exactly one size, of 8, 16, 32 and 64 bits",
				io.flags);
	if (io.fd < -1)
		return svf_fail(call, -EINVAL, "descriptor %d is none", io.fd);
	key = (struct svf_ioeventfd){
		.device = device,
		.bar = (unsigned int)(io.offset >> SVF_REGION_SHIFT) % VFIO_PCI_ROM_REGION_INDEX,
		.pos = io.offset & SVF_REGION_MASK,
		.data = io.data,
		.width = io.flags,
	};
	err = check_place(device->fn, call, io.offset, &key);
	return err ? err : add_or_remove(call, &key, io.fd);
}
