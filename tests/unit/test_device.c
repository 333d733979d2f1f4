/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VFIO device from probe to remove: what may be bound, GET_INFO, opening and closing, and a
 * driver that must wait.
 */
#include "vfio_fixture.h"

#include "core/pci/bus.h"

#define PF    "0000:01:00.0"
#define VF0   "0000:01:10.0"
#define PLAIN "0000:02:00.0"

static struct svf_machine *machine;
static struct svf_function *fn;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(PF " vfs=2; " PLAIN " totalvfs=0 flr=off pm=off");
	fn = test_fn(machine, PLAIN);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static int unbind(struct svf_function *function)
{
	struct svf_call call = test_call(machine);

	return svf_function_release_driver(function, &call);
}

static int bind_driver(const char *driver, const char *address)
{
	struct svf_call call = test_call(machine);
	struct svf_function *function = test_fn(machine, address);
	int err = svf_function_set_driver_override(function, &call, driver);

	assert_int_equal(err, 0);
	return svf_driver_bind(svf_driver_lookup(machine, driver), &call, address);
}

static void info(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, PF);
	struct vfio_device_info arg = {.argsz = 15};

	(void)state;
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_GET_INFO, 0), EFAULT, "cannot read 16");
	assert_fails(test_ioctl(file, VFIO_DEVICE_GET_INFO, &arg, sizeof(arg)), EINVAL, "argsz 15");
	arg = (struct vfio_device_info){.argsz = 64, .cap_offset = 7, .pad = 7};
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_INFO, &arg, sizeof(arg)), 0);
	assert_int_equal(arg.argsz, 64);
	assert_int_equal(arg.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	assert_int_equal(arg.num_regions, 9);
	assert_int_equal(arg.num_irqs, 5);
	assert_int_equal(arg.cap_offset, 0);
	/* An older caller's structure ends earlier. */
	arg = (struct vfio_device_info){.argsz = 16, .cap_offset = 7};
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_INFO, &arg, 16), 0);
	assert_int_equal(arg.cap_offset, 7);
	svf_file_close(file);
	test_client_close(&client);
}

static void minors(void **state)
{
	unsigned int minor = fn->device->minor;

	(void)state;
	assert_ptr_equal(svf_device_lookup_minor(machine, minor), fn->device);
	assert_int_equal(unbind(fn), 0);
	assert_null(svf_device_lookup_minor(machine, minor));
	assert_int_equal(bind_driver("vfio-pci", PLAIN), 0);
	/* The lowest that is free. */
	assert_int_equal(fn->device->minor, minor);
}

static void no_minor_left(void **state)
{
	uint64_t saved[SVF_ARRAY_SIZE(machine->cdev_minors)];

	(void)state;
	assert_int_equal(unbind(fn), 0);
	memcpy(saved, machine->cdev_minors, sizeof(saved));
	memset(machine->cdev_minors, 0xff, sizeof(saved));
	assert_int_equal(bind_driver("vfio-pci", PLAIN), -ENOSPC);
	assert_null(fn->device);
	memcpy(machine->cdev_minors, saved, sizeof(saved));
}

static void what_may_not_be_bound(void **state)
{
	struct svf_call call = test_call(machine);
	struct svf_function *pf = test_fn(machine, PF);

	(void)state;
	assert_int_equal(svf_device_register(pf->bus->bridge, &call), -EINVAL);
	assert_non_null(strstr(call.reason, "takes endpoints only"));
	/* A PF with VFs, which somebody else made. */
	assert_int_equal(unbind(pf), 0);
	pf->sriov.num_vfs = 2;
	assert_int_equal(bind_driver("vfio-pci", PF), -EBUSY);
	pf->sriov.num_vfs = 0;
	assert_true(test_log_has("vfio-pci 0000:01:00.0: Cannot bind to PF with SR-IOV enabled"));
}

/*
 * Without a request eventfd the user cannot know. Everybody who has a file counts, with access or
 * not.
 */
static void driver_waits_for_files(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, PLAIN), *again = NULL,
			*cdev = NULL;
	unsigned int wakes = test_wakes();

	(void)state;
	assert_int_equal(test_cdev_open(fn, &cdev), 0);
	test_log_clear();
	assert_int_equal(unbind(fn), SVF_BLOCKED);
	assert_true(test_log_has("vfio-pci 0000:02:00.0: No device request channel registered, "
				 "blocked until released by user"));
	assert_int_equal(unbind(fn), SVF_BLOCKED);
	assert_int_equal(test_log_count(), 1);
	/* No new files; those there are work on, but a reset would need the device lock. */
	assert_int_equal(test_get_device(client.group, PLAIN, &again), -ENODEV);
	assert_int_equal(test_cdev_open(fn, &again), -ENODEV);
	assert_int_equal(test_get(file, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2), 0x1b36);
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_RESET, 0), EAGAIN, "being unbound");
	svf_file_close(file);
	assert_int_equal(unbind(fn), SVF_BLOCKED);
	assert_int_equal(test_wakes(), wakes);
	svf_file_close(cdev);
	assert_int_equal(test_wakes(), wakes + 1);
	assert_int_equal(unbind(fn), 0);
	assert_null(fn->device);
	test_client_close(&client);
}

static void user_is_asked(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, PLAIN);
	struct svf_event *event = test_event();
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} arg = {.set = {.argsz = sizeof(arg),
			 .index = VFIO_PCI_REQ_IRQ_INDEX,
			 .count = 1,
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER},
		 .fd = 20};

	(void)state;
	test_fd_event(20, event);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_SET_IRQS, &arg, sizeof(arg)), 0);
	test_log_clear();
	assert_int_equal(unbind(fn), SVF_BLOCKED);
	assert_int_equal(test_event_signals(event), 1);
	assert_true(test_log_has("vfio-pci 0000:02:00.0: Relaying device request to user (#0)"));
	svf_file_close(file);
	assert_int_equal(unbind(fn), 0);
	test_client_close(&client);
}

static struct svf_event *set_request(struct svf_file *file)
{
	struct svf_event *event = test_event();
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} arg = {.set = {.argsz = sizeof(arg),
			 .index = VFIO_PCI_REQ_IRQ_INDEX,
			 .count = 1,
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER},
		 .fd = 20};

	test_fd_event(20, event);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_SET_IRQS, &arg, sizeof(arg)), 0);
	return event;
}

/* Every ten seconds, with a line for each tenth. */
static void user_is_asked_again(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, PLAIN);
	struct svf_event *event = set_request(file);
	uint64_t now = 5 * SVF_NS_PER_SEC;

	(void)state;
	assert_true(svf_machine_advance(machine, now) == SVF_TIME_NEVER);
	test_log_clear();
	assert_int_equal(unbind(fn), SVF_BLOCKED);
	for (unsigned int i = 1; i <= 10; i++) {
		now += 10 * SVF_NS_PER_SEC;
		assert_true(svf_machine_advance(machine, now - 1) == now);
		assert_int_equal(test_event_signals(event), i);
		svf_machine_advance(machine, now);
		assert_int_equal(test_event_signals(event), i + 1);
	}
	assert_int_equal(test_log_count(), 2);
	assert_true(test_log_has("Relaying device request to user (#10)"));
	/* A second one who waits asks nobody. */
	assert_int_equal(unbind(fn), SVF_BLOCKED);
	assert_int_equal(test_event_signals(event), 11);
	svf_file_close(file);
	assert_int_equal(unbind(fn), 0);
	assert_true(svf_machine_advance(machine, now) == SVF_TIME_NEVER);
	test_client_close(&client);
}

/* A signal to who waits: the user is asked at once, and who waits is named, once. */
static void waiting_task_is_interrupted(void **state)
{
	struct test_client client;
	struct svf_file *file = test_open_device(&client, machine, PLAIN);
	struct svf_event *event = set_request(file);
	struct svf_call call = test_call(machine), other = test_call(machine);

	(void)state;
	call.id = 7;
	call.pid = 77;
	strcpy(call.comm, "sh");
	other.id = 8;
	svf_machine_advance(machine, 1);
	assert_int_equal(svf_function_release_driver(fn, &call), SVF_BLOCKED);
	assert_int_equal(svf_function_release_driver(fn, &other), SVF_BLOCKED);
	test_log_clear();
	/* It waits for the first, not for the users. */
	other.interrupted = true;
	assert_int_equal(svf_function_release_driver(fn, &other), SVF_BLOCKED);
	assert_int_equal(test_event_signals(event), 1);
	assert_int_equal(svf_machine_advance(machine, 3 * SVF_NS_PER_SEC), 10 * SVF_NS_PER_SEC + 1);
	call.interrupted = true;
	assert_int_equal(svf_function_release_driver(fn, &call), SVF_BLOCKED);
	assert_int_equal(test_event_signals(event), 2);
	assert_int_equal(svf_function_release_driver(fn, &call), SVF_BLOCKED);
	assert_int_equal(test_event_signals(event), 2);
	assert_int_equal(test_log_count(), 1);
	assert_true(test_log_has("task \"sh\" (77) is blocked until it is released"));
	assert_int_equal(svf_machine_advance(machine, 4 * SVF_NS_PER_SEC), 13 * SVF_NS_PER_SEC);
	svf_file_close(file);
	assert_int_equal(svf_function_release_driver(fn, &call), 0);
	test_client_close(&client);
}

/* numvfs = 0 waits for the VF that is open; its PF cannot be opened meanwhile. */
static void vfs_in_use(void **state)
{
	struct test_client client, owner;
	struct svf_file *vf = NULL, *pf = NULL;
	struct svf_function *function = test_fn(machine, PF);
	struct svf_call call = test_call(machine);

	(void)state;
	test_client_open(&owner, function);
	assert_int_equal(test_get_device(owner.group, PF " vf_token=" TOKEN_A, &pf), 0);
	test_client_open(&client, test_fn(machine, VF0));
	assert_int_equal(test_get_device(client.group, VF0 " vf_token=" TOKEN_A, &vf), 0);
	svf_file_close(pf);
	assert_int_equal(svf_sriov_set_numvfs(function, &call, 0), SVF_BLOCKED);
	assert_int_equal(test_get_device(owner.group, PF " vf_token=" TOKEN_A, &pf), -EAGAIN);
	assert_int_equal(function->device->open_count, 0);
	svf_file_close(vf);
	call = test_call(machine);
	assert_int_equal(svf_sriov_set_numvfs(function, &call, 0), 0);
	assert_int_equal(test_get_device(owner.group, PF, &pf), 0);
	svf_file_close(pf);
	test_client_close(&client);
	test_client_close(&owner);
}

static void sriov_switched_off(void **state)
{
	struct svf_function *pf = test_fn(machine, PF);
	struct svf_call call = test_call(machine);

	(void)state;
	machine->params.enable_sriov = false;
	assert_int_equal(svf_sriov_set_numvfs(pf, &call, 0), -ENOENT);
	assert_non_null(strstr(call.reason, "enable_sriov is off"));
	/* Its removal is no question of the parameter. */
	assert_int_equal(unbind(pf), 0);
	assert_int_equal(pf->sriov.num_vfs, 0);
	assert_int_equal(bind_driver("vfio-pci", PF), 0);
	assert_int_equal(svf_sriov_set_numvfs(pf, &call, 2), -ENOENT);
	machine->params.enable_sriov = true;
	test_log_clear();
	assert_int_equal(svf_sriov_set_numvfs(pf, &call, 1), 0);
	assert_true(test_log_has(
		"vfio-pci 0000:01:00.0: Captured SR-IOV VF 0000:01:10.0 driver_override"));
	assert_non_null(test_fn(machine, VF0)->device);
}

/* Its parts whose INTx lies. */
static void broken_intx(void **state)
{
	struct vfio_irq_info arg = {.argsz = sizeof(arg), .index = VFIO_PCI_INTX_IRQ_INDEX};
	struct svf_machine *other;
	struct test_client client;
	struct svf_file *file;

	(void)state;
	test_machine_end(machine);
	other = machine = test_vfio_machine(PF " totalvfs=0 vendor=8086 device=1572");
	file = test_open_device(&client, other, PF);
	assert_true(test_log_has("vfio-pci 0000:01:00.0: Masking broken INTx support"));
	assert_int_equal(test_get(file, VFIO_PCI_CONFIG_REGION_INDEX, 0x3d, 1), 0);
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_GET_IRQ_INFO, &arg, sizeof(arg)), 0);
	assert_int_equal(arg.count, 0);
	assert_int_equal(svf_config_read(test_fn(other, PF), 4, 2) & 0x400, 0x400);
	svf_file_close(file);
	test_client_close(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(info, setup, teardown),
		cmocka_unit_test_setup_teardown(minors, setup, teardown),
		cmocka_unit_test_setup_teardown(no_minor_left, setup, teardown),
		cmocka_unit_test_setup_teardown(what_may_not_be_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(driver_waits_for_files, setup, teardown),
		cmocka_unit_test_setup_teardown(user_is_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(user_is_asked_again, setup, teardown),
		cmocka_unit_test_setup_teardown(waiting_task_is_interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(vfs_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(sriov_switched_off, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_intx, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
