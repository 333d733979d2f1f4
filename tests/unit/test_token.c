/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VF tokens: the table at the head of token.c, row by row, with the lines of the kernel's log; and
 * the story of a PF's owner and a VF's user who share a machine.
 */
#include "vfio_fixture.h"

#define PF    "0000:01:00.0"
#define VF    "0000:01:10.0"
#define PLAIN "0000:02:00.0"

static struct svf_machine *machine;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(PF " vfs=2; " PLAIN " totalvfs=0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static int check(const char *address, const char *token)
{
	struct svf_device *device = test_fn(machine, address)->device;
	struct svf_call call = test_call(machine);
	struct svf_uuid uuid;

	assert_non_null(device);
	test_log_clear();
	if (token)
		assert_true(svf_uuid_parse(token, &uuid));
	return svf_vf_token_check(device, &call, token ? &uuid : NULL);
}

static void logged(const char *line)
{
	assert_int_equal(test_log_count(), 1);
	assert_string_equal(test_log_line(0), line);
}

static void set_token(struct svf_file *file, const char *text)
{
	struct {
		struct vfio_device_feature head;
		struct svf_uuid uuid;
	} arg = {.head = {.argsz = sizeof(arg),
			  .flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN}};

	assert_true(svf_uuid_parse(text, &arg.uuid));
	assert_int_equal(test_ioctl(file, VFIO_DEVICE_FEATURE, &arg, sizeof(arg)), 0);
}

static void vf_of_vfio_pf(void **state)
{
	(void)state;
	assert_int_equal(check(VF, NULL), -EACCES);
	logged("vfio-pci 0000:01:10.0: VF token required to access device");
	assert_int_equal(check(VF, TOKEN_A), -EACCES);
	logged("vfio-pci 0000:01:10.0: Incorrect VF token provided for device");
	assert_int_equal(check(PF, TOKEN_A), 0);
	assert_int_equal(test_log_count(), 0);
	assert_int_equal(check(VF, TOKEN_A), 0);
	assert_int_equal(check(VF, TOKEN_B), -EACCES);
	assert_int_equal(test_log_count(), 1);
}

static void vf_of_other_pf(void **state)
{
	struct svf_function *vf = test_fn(machine, VF);
	struct svf_device *pf_device = vf->physfn->device;

	(void)state;
	/* A VF whose PF is on another driver is one whose PF is no VFIO device. */
	vf->physfn->device = NULL;
	assert_int_equal(check(VF, NULL), 0);
	assert_int_equal(test_log_count(), 0);
	assert_int_equal(check(VF, TOKEN_A), -EINVAL);
	logged("vfio-pci 0000:01:10.0: VF token incorrectly provided, PF not bound to vfio-pci");
	vf->physfn->device = pf_device;
}

static void pf_with_and_without_users(void **state)
{
	struct test_client client;
	struct svf_file *file = NULL;

	(void)state;
	assert_int_equal(check(PF, NULL), 0);
	assert_int_equal(check(PF, TOKEN_A), 0);
	test_client_open(&client, test_fn(machine, VF));
	assert_int_equal(test_get_device(client.group, VF " vf_token=" TOKEN_A, &file), 0);
	assert_int_equal(check(PF, NULL), -EACCES);
	logged("vfio-pci 0000:01:00.0: VF token required to access device");
	assert_int_equal(check(PF, TOKEN_B), -EACCES);
	logged("vfio-pci 0000:01:00.0: Incorrect VF token provided for device");
	assert_int_equal(check(PF, TOKEN_A), 0);
	svf_file_close(file);
	assert_int_equal(check(PF, TOKEN_B), 0);
	assert_int_equal(check(VF, TOKEN_A), -EACCES);
	assert_int_equal(check(VF, TOKEN_B), 0);
	test_client_close(&client);
}

static void neither(void **state)
{
	(void)state;
	assert_int_equal(check(PLAIN, NULL), 0);
	assert_int_equal(check(PLAIN, TOKEN_A), -EINVAL);
	logged("vfio-pci 0000:02:00.0: VF token incorrectly provided, not a PF or VF");
}

/*
 * Two clients: the PF's owner sets the token by DEVICE_FEATURE, and is gone later without notice.
 */
static void story(void **state)
{
	struct test_client owner, user;
	struct svf_file *pf, *vf = NULL, *again = NULL;

	(void)state;
	pf = test_open_device(&owner, machine, PF);
	test_client_open(&user, test_fn(machine, VF));
	assert_int_equal(test_get_device(user.group, VF, &vf), -EACCES);
	assert_int_equal(test_get_device(user.group, VF " vf_token=" TOKEN_A, &vf), -EACCES);
	set_token(pf, TOKEN_A);
	assert_int_equal(test_get_device(user.group, VF " vf_token=" TOKEN_A, &vf), 0);
	/* An open device is no exception. */
	assert_int_equal(test_get_device(user.group, VF, &again), -EACCES);
	/* A new token leaves who is there alone. */
	set_token(pf, TOKEN_B);
	assert_int_equal(test_get(vf, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2), 0x1b36);
	svf_file_close(pf);
	assert_int_equal(test_get_device(owner.group, PF, &pf), -EACCES);
	assert_int_equal(test_get_device(owner.group, PF " vf_token=" TOKEN_A, &pf), -EACCES);
	assert_int_equal(test_get_device(owner.group, PF " vf_token=" TOKEN_B, &pf), 0);
	svf_file_close(vf);
	svf_file_close(pf);
	assert_int_equal(test_get_device(owner.group, PF, &pf), 0);
	svf_file_close(pf);
	test_client_close(&owner);
	test_client_close(&user);
}

/*
 * Nobody can guess the first token: it is the port's random bytes, marked as a version 4 UUID, and
 * each PF has its own.
 */
static void initial_token(void **state)
{
	const struct svf_uuid *uuid = &test_fn(machine, PF)->device->vf_token->uuid;

	(void)state;
	assert_int_equal(uuid->b[6] >> 4, 4);
	assert_int_equal(uuid->b[8] >> 6, 2);
	assert_int_not_equal(uuid->b[0], 0);
	assert_null(test_fn(machine, VF)->device->vf_token);
	assert_null(test_fn(machine, PLAIN)->device->vf_token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vf_of_vfio_pf, setup, teardown),
		cmocka_unit_test_setup_teardown(vf_of_other_pf, setup, teardown),
		cmocka_unit_test_setup_teardown(pf_with_and_without_users, setup, teardown),
		cmocka_unit_test_setup_teardown(neither, setup, teardown),
		cmocka_unit_test_setup_teardown(story, setup, teardown),
		cmocka_unit_test_setup_teardown(initial_token, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
