/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VFIO device, as Linux's drivers/vfio/vfio_main.c and the frame of vfio_pci_core.c: made when
 * vfio-pci is bound to a function, opened and closed by its users, ended when the driver leaves.
 *
 * A device file has no access until it has a security context: a group file's container with its
 * IOMMU set, or for a cdev an iommufd. The first file with access prepares the function: bus
 * mastering off, decoding on, a reset, the virtualised config space made anew. The last one takes
 * interrupts back, restores config space as the first one found it, and resets again. A function
 * that cannot be reset by itself is reset with its bus, once nobody on that bus is in use.
 *
 * The driver leaves in steps. No new files; the user is asked to let go (request interrupt, and a
 * line of the log); then unregister is SVF_BLOCKED until the last file is closed, also one without
 * access, and the host runs it again after wake(). The user is asked again every ten seconds, and
 * at once when the task that waits gets a signal, which changes nothing else. Meanwhile the
 * function is locked and a reset of it is -EAGAIN.
 *
 * A PF's VFs have gone before, so nobody waits for its token.
 */
#include "core/vfio/device.h"

#include <assert.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "core/command.h"
#include "core/iommu/group.h"
#include "core/iommufd/iommufd.h"
#include "core/vfio/group.h"
#include "core/vfio/vconfig.h"
#include "core/vfio/vfio_pci.h"

#define REQUEST_NS (10 * SVF_NS_PER_SEC)

#define MINORS	   (sizeof(((struct svf_machine *)0)->cdev_minors) * 8)

/* --- open files are counted --- */

int svf_file_charge(struct svf_machine *machine, struct svf_call *call)
{
	if (machine->used.files >= machine->limits.files)
		return svf_fail(call, -EMFILE, "no more than %u open files", machine->limits.files);
	machine->used.files++;
	return 0;
}

void svf_file_uncharge(struct svf_machine *machine)
{
	assert(machine->used.files);
	machine->used.files--;
}

/* --- waiting for users --- */

/* Each tenth request that has somebody to go to is worth a line, and the first that has not. */
static void request_release(struct svf_device *device)
{
	unsigned int n = device->wait.requests++;
	bool relayed = svf_irqs_signal_request(device);

	if (relayed && n % 10 == 0)
		svf_device_log(device->fn, "Relaying device request to user (#%u)", n);
	if (!relayed && n == 0)
		svf_device_log(
			device->fn,
			"No device request channel registered, blocked until released by user");
	svf_timer_arm_after(&device->fn->machine->timers, &device->wait.timer, REQUEST_NS);
}

static void request_again(struct svf_timer *timer)
{
	request_release(svf_container_of(timer, struct svf_device, wait.timer));
}

static void wait_for_users(struct svf_device *device, const struct svf_call *call)
{
	struct svf_release_wait *wait = &device->wait;

	if (wait->requests == 0) {
		wait->call_id = call->id;
		request_release(device);
	}
	if (!call->interrupted || call->id != wait->call_id || wait->deaf)
		return;
	wait->deaf = true;
	svf_device_log(device->fn,
		       "Device is in use; task \"%s\" (%d) is blocked until it is released",
		       call->comm, (int)call->pid);
	request_release(device);
}

/* --- register and unregister --- */

/* The lowest free N of vfioN. */
static int minor_alloc(struct svf_machine *machine, struct svf_call *call, unsigned int *ret)
{
	for (unsigned int minor = 0; minor < MINORS; minor++) {
		uint64_t *word = &machine->cdev_minors[minor / 64];
		uint64_t bit = 1ull << minor % 64;

		if (*word & bit)
			continue;
		*word |= bit;
		*ret = minor;
		return 0;
	}
	return svf_fail(call, -ENOSPC, "no more than %zu VFIO devices", MINORS);
}

static void minor_free(struct svf_machine *machine, unsigned int minor)
{
	machine->cdev_minors[minor / 64] &= ~(1ull << minor % 64);
}

/* A random UUID (version 4), which nobody knows until it is set. */
static struct svf_vf_token *token_alloc(struct svf_machine *machine)
{
	struct svf_vf_token *token = calloc(1, sizeof(*token));

	if (!token)
		return NULL;
	machine->port->random_bytes(machine, token->uuid.b, sizeof(token->uuid.b));
	token->uuid.b[6] = (uint8_t)((token->uuid.b[6] & 0x0f) | 0x40);
	token->uuid.b[8] = (uint8_t)((token->uuid.b[8] & 0x3f) | 0x80);
	return token;
}

static int check_bindable(struct svf_function *fn, struct svf_call *call)
{
	if (fn->interconnect)
		return svf_fail(call, -EINVAL,
				SVF_BDF_FMT " is a bridge or port; vfio-pci takes endpoints only",
				SVF_BDF_ARG(fn->bdf));
	if (fn->sriov.num_vfs) {
		svf_device_log(fn, "Cannot bind to PF with SR-IOV enabled");
		return svf_fail(call, -EBUSY,
				"%u VFs of " SVF_BDF_FMT
				" exist, made under another driver; write 0 to sriov_numvfs first",
				fn->sriov.num_vfs, SVF_BDF_ARG(fn->bdf));
	}
	if (!fn->group && !fn->machine->params.enable_unsafe_noiommu_mode)
		return svf_fail(call, -EINVAL,
				SVF_BDF_FMT
				" is in no IOMMU group: the machine has no IOMMU; write Y to "
				"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
				SVF_BDF_ARG(fn->bdf));
	return 0;
}

/* Of a device that is in no group any more, or was in none yet. */
static void device_destroy(struct svf_device *device)
{
	minor_free(device->fn->machine, device->minor);
	free(device->vf_token);
	free(device);
}

static int device_alloc(struct svf_function *fn, struct svf_call *call, struct svf_device **ret)
{
	struct svf_device *device = calloc(1, sizeof(*device));
	int err = -ENOMEM;

	if (!device)
		return svf_fail(call, -ENOMEM, "out of memory for a VFIO device");
	device->fn = fn;
	svf_list_init(&device->group_link);
	svf_list_init(&device->files);
	svf_timer_init(&device->wait.timer, request_again);
	svf_list_init(&device->ioeventfds);
	err = minor_alloc(fn->machine, call, &device->minor);
	if (err) {
		free(device);
		return err;
	}
	if (svf_function_is_pf(fn))
		device->vf_token = token_alloc(fn->machine);
	if (svf_function_is_pf(fn) && !device->vf_token) {
		device_destroy(device);
		return svf_fail(call, -ENOMEM, "out of memory for a VF token");
	}
	*ret = device;
	return 0;
}

/* As the kernel: without an IOMMU the function gets a group of its own, and a warning each time. */
static int join_group(struct svf_device *device)
{
	struct svf_function *fn = device->fn;
	int err;

	device->noiommu = !fn->group;
	err = device->noiommu ? svf_iommu_group_add_noiommu(fn) : 0;
	if (err)
		return err;
	err = svf_group_join(device);
	if (!device->noiommu)
		return err;
	if (err) {
		svf_iommu_group_remove_function(fn);
		return err;
	}
	svf_device_log(fn, "Adding kernel taint for vfio-noiommu group on device");
	svf_device_log(fn, "Adding kernel taint for vfio-noiommu cdev");
	return 0;
}

static void leave_group(struct svf_device *device)
{
	svf_group_leave(device);
	if (device->noiommu)
		svf_iommu_group_remove_function(device->fn);
}

int svf_device_register(struct svf_function *fn, struct svf_call *call)
{
	struct svf_device *device = NULL;
	int err = check_bindable(fn, call);

	if (!err)
		err = device_alloc(fn, call, &device);
	if (err)
		return err;
	svf_device_set_power_state(device, 0);
	err = join_group(device);
	if (err) {
		device_destroy(device);
		return svf_fail(call, err, "out of memory for a VFIO group");
	}
	fn->device = device;
	fn->machine->port->tree_changed(fn->machine);
	return 0;
}

int svf_device_unregister(struct svf_function *fn, struct svf_call *call)
{
	struct svf_device *device = fn->device;

	if (!device->unregistering) {
		device->unregistering = true;
		svf_list_del(&device->group_link);
		fn->machine->port->tree_changed(fn->machine);
	}
	if (device->file_count) {
		wait_for_users(device, call);
		return SVF_BLOCKED;
	}
	svf_timer_disarm(&fn->machine->timers, &device->wait.timer);
	leave_group(device);
	fn->device = NULL;
	fn->machine->port->tree_changed(fn->machine);
	device_destroy(device);
	return 0;
}

struct svf_device *svf_device_lookup_minor(struct svf_machine *machine, unsigned int minor)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &machine->functions, machine_link) {
		if (fn->device && fn->device->minor == minor)
			return fn->device;
	}
	return NULL;
}

int svf_device_sriov_configure(struct svf_function *fn, struct svf_call *call, unsigned int num)
{
	if (!fn->machine->params.enable_sriov)
		return svf_fail(call, -ENOENT,
				"vfio-pci makes no VFs: its module parameter enable_sriov is off; "
				"write Y to /sys/module/vfio_pci/parameters/enable_sriov");
	if (!num)
		return svf_sriov_disable(fn, call);
	/* VFs have their power from the PF. */
	svf_device_set_power_state(fn->device, 0);
	return svf_sriov_enable(fn, call, num);
}

/* --- the function, in use and not --- */

static uint16_t decode_bits(const struct svf_function *fn)
{
	uint16_t bits = 0;

	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		if (!fn->bars[i].address)
			continue;
		bits |= fn->bars[i].kind == SVF_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	}
	return bits;
}

/* Parts of Intel's whose INTx cannot be told from another's: XL710 and X550 families. */
static bool has_broken_intx(const struct svf_function *fn)
{
	static const struct {
		uint16_t first, last;
	} ids[] = {{0x1563, 0x1563}, {0x1572, 0x1572}, {0x1574, 0x1574},
		   {0x1580, 0x1581}, {0x1583, 0x158b}, {0x37d0, 0x37d2}};
	uint16_t id = svf_function_device_id(fn);

	for (size_t i = 0; svf_function_vendor(fn) == 0x8086 && i < SVF_ARRAY_SIZE(ids); i++) {
		if (id >= ids[i].first && id <= ids[i].last)
			return true;
	}
	return false;
}

/* Whether the function can mask INTx in itself, by asking it. */
static bool can_mask_intx(struct svf_function *fn)
{
	uint32_t command = svf_config_read(fn, PCI_COMMAND, 2), changed;

	svf_config_write(fn, PCI_COMMAND, 2, command ^ PCI_COMMAND_INTX_DISABLE);
	changed = svf_config_read(fn, PCI_COMMAND, 2) ^ command;
	svf_config_write(fn, PCI_COMMAND, 2, command);
	return changed & PCI_COMMAND_INTX_DISABLE;
}

static void probe_intx(struct svf_device *device)
{
	struct svf_function *fn = device->fn;

	device->intx_hidden = false;
	device->intx_maskable = false;
	if (fn->machine->params.nointxmask)
		return;
	if (has_broken_intx(fn)) {
		svf_device_log(fn, "Masking broken INTx support");
		device->intx_hidden = true;
		svf_device_set_command(fn, PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_INTX_DISABLE);
		return;
	}
	device->intx_maskable = can_mask_intx(fn);
	if (device->intx_maskable)
		svf_device_set_command(fn, PCI_COMMAND_INTX_DISABLE, 0);
}

static void free_open_state(struct svf_device *device)
{
	svf_irqs_destroy(device);
	svf_vconfig_destroy(device->vconfig);
	device->vconfig = NULL;
	svf_state_destroy(device->open_state);
	device->open_state = NULL;
}

static int enable(struct svf_device *device, struct svf_call *call)
{
	struct svf_function *fn = device->fn;
	int err;

	svf_device_set_power_state(device, 0);
	svf_device_set_command(fn, PCI_COMMAND_MASTER, 0);
	svf_device_set_command(fn, decode_bits(fn), decode_bits(fn));
	err = svf_function_reset(fn, NULL);
	if (err == -EAGAIN)
		return svf_fail(
			call, err,
			SVF_BDF_FMT
			" is being unbound or its VFs removed; close what uses it or its VFs",
			SVF_BDF_ARG(fn->bdf));
	device->reset_works = !err;
	device->open_state = svf_state_save(fn);
	probe_intx(device);
	device->vconfig = svf_vconfig_alloc(device);
	device->irqs = svf_irqs_alloc();
	if (!device->open_state || !device->vconfig || !device->irqs) {
		free_open_state(device);
		return svf_fail(call, -ENOMEM, "out of memory for an open device");
	}
	if (fn->physfn && fn->physfn->device)
		fn->physfn->device->vf_token->users++;
	return 0;
}

static void disable(struct svf_device *device)
{
	struct svf_function *fn = device->fn;

	if (fn->physfn && fn->physfn->device)
		fn->physfn->device->vf_token->users--;
	svf_device_low_power_exit(device);
	svf_device_set_power_state(device, 0);
	svf_device_set_command(fn, PCI_COMMAND_MASTER, 0);
	svf_irqs_disable(device);
	svf_ioeventfds_destroy(device);
	svf_state_restore(fn, device->open_state);
	device->needs_reset = !device->reset_works || svf_function_reset(fn, NULL);
	free_open_state(device);
	device->virq_disabled = false;
	svf_device_follow_memory(device);
	svf_device_try_bus_reset(device);
}

/* --- files --- */

static struct svf_device_file *device_file_of(struct svf_file *file)
{
	assert(file->kind == SVF_FILE_DEVICE);
	return svf_container_of(file, struct svf_device_file, file);
}

struct svf_device *svf_device_of_file(struct svf_file *file)
{
	struct svf_device *device = device_file_of(file)->device;

	svf_device_low_power_wake(device);
	return device;
}

void svf_device_file_destroy(struct svf_device_file *df)
{
	struct svf_device *device = df->device;

	svf_file_uncharge(df->file.machine);
	free(df);
	if (--device->file_count == 0 && device->unregistering)
		device->fn->machine->port->wake(device->fn->machine);
}

static void device_file_close(struct svf_file *file)
{
	struct svf_device_file *df = device_file_of(file);

	if (df->group)
		svf_group_close_device(df);
	else
		svf_cdev_close_device(df);
	svf_device_file_destroy(df);
}

static const struct svf_file_ops device_ops = {
	.read = svf_device_read,
	.write = svf_device_write,
	.close = device_file_close,
};

int svf_device_file_alloc(struct svf_device *device, struct svf_call *call,
			  struct svf_device_file **ret)
{
	struct svf_machine *machine = device->fn->machine;
	struct svf_device_file *df;
	int err = svf_file_charge(machine, call);

	if (err)
		return err;
	df = calloc(1, sizeof(*df));
	if (!df) {
		svf_file_uncharge(machine);
		return svf_fail(call, -ENOMEM, "out of memory for an open device");
	}
	df->file =
		(struct svf_file){.kind = SVF_FILE_DEVICE, .ops = &device_ops, .machine = machine};
	df->device = device;
	svf_list_init(&df->device_link);
	device->file_count++;
	*ret = df;
	return 0;
}

static void release_context(struct svf_device_file *df)
{
	struct svf_device *device = df->device;

	if (device->unbound) {
		device->unbound = false;
		return;
	}
	if (!device->idevice) {
		svf_group_unuse_container(df->group);
		return;
	}
	svf_device_detach_pt(device);
	device->pasid_0_attached = false;
	svf_idevice_unbind(device->idevice);
	device->idevice = NULL;
	device->devid = 0;
}

static int first_open(struct svf_device_file *df, struct svf_call *call)
{
	struct svf_device *device = df->device;
	int err = 0;

	if (df->iommufd && df->group && device->noiommu)
		device->unbound = true;
	else if (df->iommufd)
		err = svf_idevice_bind(df->iommufd, device->fn, call, &device->idevice,
				       &device->devid);
	else
		err = svf_group_use_container(df->group, call);
	if (err)
		return err;
	err = enable(device, call);
	if (err)
		release_context(df);
	return err;
}

int svf_device_open(struct svf_device_file *df, struct svf_call *call)
{
	struct svf_device *device = df->device;
	int err = 0;

	if (device->open_count && !df->group)
		return svf_fail(call, -EINVAL,
				SVF_BDF_FMT
				" is open already; through its cdev a device has one user",
				SVF_BDF_ARG(device->fn->bdf));
	if (!device->open_count)
		err = first_open(df, call);
	if (err)
		return err;
	device->open_count++;
	svf_list_add_tail(&device->files, &df->device_link);
	return 0;
}

void svf_device_close(struct svf_device_file *df)
{
	struct svf_device *device = df->device;

	assert(device->open_count);
	svf_list_del(&df->device_link);
	df->access_granted = false;
	if (device->open_count == 1) {
		disable(device);
		release_context(df);
	}
	device->open_count--;
}

long svf_device_get_info(struct svf_file *file, struct svf_call *call, uint64_t arg)
{
	const struct svf_device *device = svf_device_of_file(file);
	const size_t min_size = svf_offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {0};
	int err = svf_copy_from_user(call, &info, arg, min_size);

	if (err)
		return err;
	if (info.argsz < min_size)
		return svf_fail(
			call, -EINVAL,
			"argsz %u is below the %zu bytes up to num_irqs of struct vfio_device_info",
			info.argsz, min_size);
	info.flags = VFIO_DEVICE_FLAGS_PCI | (device->reset_works ? VFIO_DEVICE_FLAGS_RESET : 0);
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return svf_copy_to_user(call, arg, &info,
				info.argsz < sizeof(info) ? info.argsz : sizeof(info));
}
