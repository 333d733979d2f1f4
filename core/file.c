/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files in general: dispatch of commands by the table, and the defaults for kinds that cannot be
 * read or written. What a command number that is not in the table gives depends on the kind, as in
 * the kernel: see unknown_command().
 */
#include "core/file.h"

#include <errno.h>

#include "core/call.h"
#include "core/command.h"
#include "core/machine.h"
#include "core/vfio/container.h"
#include "core/vfio/device.h"

static long unknown_command(struct svf_file *file, struct svf_call *call, uint32_t command,
			    uint64_t arg)
{
	switch (file->kind) {
	case SVF_FILE_CONTAINER:
		return svf_container_unknown(file, call, arg);
	case SVF_FILE_GROUP:
		return svf_fail(call, -ENOTTY, "a group has no command 0x%x", command);
	case SVF_FILE_DEVICE:
		return svf_fail(call, -ENOTTY, "a vfio-pci device has no command 0x%x", command);
	case SVF_FILE_IOMMUFD:
		return svf_fail(call, -ENOTTY, "iommufd has no command 0x%x", command);
	case SVF_FILE_FAULT:
	case SVF_FILE_VEVENTQ:
	case SVF_FILE_ACCESS:
		return svf_fail(call, -ENOTTY, "this file has no commands");
	}
	return -ENOTTY;
}

/*
 * The gate of device files, the one place where it stands: without a security context nothing but
 * BIND is heard, whether the command exists or not.
 */
static bool access_granted(const struct svf_file *file, uint32_t command)
{
	const struct svf_device_file *df;

	if (file->kind != SVF_FILE_DEVICE || command == VFIO_DEVICE_BIND_IOMMUFD)
		return true;
	df = svf_container_of(file, const struct svf_device_file, file);
	return df->access_granted;
}

/* Whatever a command or access did, mapped BARs show it before the client goes on. */
static void settle(struct svf_file *file)
{
	if (file->kind == SVF_FILE_DEVICE)
		svf_device_follow_memory(
			svf_container_of(file, struct svf_device_file, file)->device);
}

/* What comes after it is not its doing. */
static void done(struct svf_machine *machine)
{
	machine->doing.call = NULL;
	machine->doing.number++;
}

static long dispatch(struct svf_file *file, struct svf_call *call, uint32_t command, uint64_t arg)
{
	const struct svf_command *row = svf_command_lookup(file->kind, command);

	if (!row || (row->flags & SVF_COMMAND_TEST && !file->machine->params.iommufd_test) ||
	    (file->kind == SVF_FILE_CONTAINER && !svf_container_hears(file, command)))
		return unknown_command(file, call, command, arg);
	call->machine->doing.command = row->name;
	if (row->handler)
		return row->handler(file, call, arg);
	return svf_iommufd_command(file, call, row, arg);
}

static int fail_no_context(struct svf_call *call)
{
	return svf_fail(call, -EINVAL,
			"the device has no security context yet; bind it to an iommufd with "
			"VFIO_DEVICE_BIND_IOMMUFD first");
}

long svf_file_ioctl(struct svf_file *file, struct svf_call *call, uint32_t command, uint64_t arg)
{
	long ret;

	if (!access_granted(file, command))
		return fail_no_context(call);
	call->machine->doing.call = call;
	ret = dispatch(file, call, command, arg);
	done(call->machine);
	settle(file);
	return ret;
}

ssize_t svf_file_read(struct svf_file *file, struct svf_call *call, void *buf, size_t len,
		      uint64_t offset)
{
	ssize_t ret;

	if (!access_granted(file, 0))
		return fail_no_context(call);
	if (!file->ops->read)
		return svf_fail(call, -EINVAL, "this file cannot be read");
	call->machine->doing.call = call;
	call->machine->doing.command = "read";
	ret = file->ops->read(file, call, buf, len, offset);
	done(call->machine);
	settle(file);
	return ret;
}

ssize_t svf_file_write(struct svf_file *file, struct svf_call *call, const void *buf, size_t len,
		       uint64_t offset)
{
	ssize_t ret;

	if (!access_granted(file, 0))
		return fail_no_context(call);
	if (!file->ops->write)
		return svf_fail(call, -EINVAL, "this file cannot be written");
	call->machine->doing.call = call;
	call->machine->doing.command = "write";
	ret = file->ops->write(file, call, buf, len, offset);
	done(call->machine);
	settle(file);
	return ret;
}

unsigned int svf_file_poll(struct svf_file *file)
{
	return file->ops->poll ? file->ops->poll(file) : SVF_POLL_IN | SVF_POLL_OUT;
}

void svf_file_installed(struct svf_file *file)
{
	if (file->ops->installed)
		file->ops->installed(file);
}

void svf_file_close(struct svf_file *file)
{
	struct svf_machine *machine;

	if (!file)
		return;
	machine = file->machine;
	file->ops->close(file);
	done(machine);
}
