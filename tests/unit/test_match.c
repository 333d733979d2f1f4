/* SPDX-License-Identifier: BSD-3-Clause */
/* Match strings: which are whose, and which are wrong. */
#include "vfio_fixture.h"

#define NAME "0000:01:00.0"

static struct svf_machine *machine;
static struct svf_device *pf;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(NAME "; 0000:02:00.0 totalvfs=0");
	pf = test_fn(machine, NAME)->device;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_machine_end(machine);
	return 0;
}

static void strings(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *reason;
	} cases[] = {
		{NAME, 1, ""},
		{NAME " ", 1, ""},
		{NAME "   ", 1, ""},
		{NAME " vf_token=" TOKEN_A, 1, ""},
		{NAME "  vf_token=" TOKEN_A "  ", 1, ""},
		{NAME " vf_token=6A1CF1B4-4e1b-4c7e-9d20-2c9b7b3a1f01", 1, ""},
		{"", 0, ""},
		{"0000:01:00", 0, ""},
		{"0000:01:00.1", 0, ""},
		{" " NAME, 0, ""},
		{NAME "0", 0, ""},
		{NAME "\t", 0, ""},
		{NAME ",vf_token=" TOKEN_A, 0, ""},
		{NAME "\n", 0, ""},
		{NAME " x", -EINVAL, "unknown option \"x\""},
		{NAME " vf_token", -EINVAL, "unknown option"},
		{NAME " vf_token=", -EINVAL, "takes, a UUID"},
		{NAME " vf_token=6a1cf1b4-4e1b-4c7e-9d20-2c9b7b3a1f0", -EINVAL, "takes, a UUID"},
		{NAME " vf_token=6a1cf1b44-e1b-4c7e-9d20-2c9b7b3a1f01", -EINVAL, "takes, a UUID"},
		{NAME " vf_token=ga1cf1b4-4e1b-4c7e-9d20-2c9b7b3a1f01", -EINVAL, "takes, a UUID"},
		{NAME " vf_token=" TOKEN_A "0", -EINVAL, "unknown option \"0\""},
		{NAME " vf_token=" TOKEN_A " vf_token=" TOKEN_A, -EINVAL, "given a second time"},
		{NAME " vf_token=" TOKEN_A " x", -EINVAL, "unknown option \"x\""},
		{NAME " VF_TOKEN=" TOKEN_A, -EINVAL, "unknown option"},
	};

	(void)state;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		struct svf_call call = test_call(machine);
		int result = svf_device_match(pf, &call, cases[i].text);

		if (result != cases[i].result)
			fail_msg("\"%s\" gives %d, not %d", cases[i].text, result, cases[i].result);
		if (!strstr(call.reason, cases[i].reason) ||
		    !!call.reason[0] != !!cases[i].reason[0])
			fail_msg("\"%s\": reason is \"%s\"", cases[i].text, call.reason);
	}
}

/* Tokens of strings that are wrong in another place are not taken over. */
static void wrong_string_sets_nothing(void **state)
{
	struct svf_call call = test_call(machine);
	struct svf_uuid before = pf->vf_token->uuid;

	(void)state;
	assert_int_equal(svf_device_match(pf, &call, NAME " vf_token=" TOKEN_A " x"), -EINVAL);
	assert_true(svf_uuid_equal(&before, &pf->vf_token->uuid));
	assert_int_equal(svf_device_match(pf, &call, NAME " vf_token=" TOKEN_A), 1);
	assert_false(svf_uuid_equal(&before, &pf->vf_token->uuid));
}

/* The kernel takes strings of a page with their NUL. */
static void length(void **state)
{
	struct test_client client;
	struct svf_file *file = NULL;
	char text[4097];

	(void)state;
	test_client_open(&client, pf->fn);
	memset(text, ' ', sizeof(text));
	memcpy(text, NAME, strlen(NAME));
	text[4096] = '\0';
	assert_int_equal(test_get_device(client.group, text, &file), -EINVAL);
	text[4095] = '\0';
	assert_int_equal(test_get_device(client.group, text, &file), 0);
	svf_file_close(file);
	assert_int_equal(test_ioctl_value(client.group, VFIO_GROUP_GET_DEVICE_FD, 8), -EFAULT);
	assert_int_equal(test_get_device(client.group, "0000:02:00.0", &file), -ENODEV);
	test_client_close(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strings, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_string_sets_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(length, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
