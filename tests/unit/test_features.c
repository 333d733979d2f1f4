/* SPDX-License-Identifier: BSD-3-Clause */
/* DEVICE_FEATURE: the form of a request, which features there are, and what they do. */
#include "vfio_fixture.h"

#define PF	     "0000:01:00.0"
#define PLAIN	     "0000:02:00.0"

#define GET	     VFIO_DEVICE_FEATURE_GET
#define SET	     VFIO_DEVICE_FEATURE_SET
#define PROBE	     VFIO_DEVICE_FEATURE_PROBE

#define ENTRY	     VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define ENTRY_WAKEUP VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT	     VFIO_DEVICE_FEATURE_LOW_POWER_EXIT

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(PF "; " PLAIN " totalvfs=0");
	file = test_open_device(&client, machine, PF);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_file_close(file);
	test_client_close(&client);
	test_machine_end(machine);
	return 0;
}

struct request {
	struct vfio_device_feature head;
	uint32_t data[6];
};

static long feature_with(uint32_t argsz, uint32_t flags, const uint32_t data[6])
{
	struct request rq = {.head = {.argsz = argsz, .flags = flags}};

	if (data)
		memcpy(rq.data, data, sizeof(rq.data));
	return test_ioctl(file, VFIO_DEVICE_FEATURE, &rq, sizeof(rq));
}

static long feature(uint32_t flags)
{
	return feature_with(sizeof(struct request), flags, NULL);
}

static void form(void **state)
{
	(void)state;
	assert_fails(test_ioctl_value(file, VFIO_DEVICE_FEATURE, 0), EFAULT, "cannot read 8");
	assert_fails(feature_with(7, PROBE, NULL), EINVAL, "argsz 7");
	assert_fails(feature(PROBE | 1u << 19), EINVAL, "unknown flags");
	assert_fails(feature(GET | SET), EINVAL, "at once");
	assert_fails(feature(0), EINVAL, "nothing is asked");
	assert_fails(feature_with(23, SET, NULL), EINVAL, "leaves 15 bytes");
	assert_int_equal(feature_with(8, PROBE | SET, NULL), 0);
}

static void presence(void **state)
{
	static const struct {
		uint32_t number;
		long probe, get, set;
	} want[] = {
		{0, 0, -EINVAL, 0},
		{1, -ENOTTY, -ENOTTY, -ENOTTY},
		{2, -ENOTTY, -ENOTTY, -ENOTTY},
		{3, 0, -EINVAL, 0},
		{4, 0, -EINVAL, 0},
		{5, 0, -EINVAL, 0},
		{6, -ENOTTY, -ENOTTY, -ENOTTY},
		{9, -ENOTTY, -ENOTTY, -ENOTTY},
		{10, -ENOTTY, -ENOTTY, -ENOTTY},
		{11, 0, 0, -EINVAL},
		{12, -EINVAL, -EINVAL, -EINVAL},
		{13, -ENOTTY, -ENOTTY, -ENOTTY},
		{100, -ENOTTY, -ENOTTY, -ENOTTY},
	};

	(void)state;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(want); i++) {
		assert_int_equal(feature(PROBE | want[i].number), want[i].probe);
		assert_int_equal(feature(PROBE | GET | want[i].number), want[i].get);
		assert_int_equal(feature(PROBE | SET | want[i].number), want[i].set);
		assert_int_equal(!!test_reason()[0], !!want[i].set);
	}
}

static void token_of_a_pf_only(void **state)
{
	struct test_client other;
	struct svf_file *plain = test_open_device(&other, machine, PLAIN), *pf = file;
	uint32_t data[6] = {0};
	struct svf_uuid token;

	(void)state;
	test_fail_copy(2);
	assert_fails(feature(SET), EFAULT, "cannot read 16");
	assert_true(svf_uuid_parse(TOKEN_A, &token));
	memcpy(data, token.b, sizeof(token.b));
	assert_int_equal(feature_with(24, SET, data), 0);
	assert_true(svf_uuid_equal(&token, &test_fn(machine, PF)->device->vf_token->uuid));
	file = plain;
	assert_fails(feature(PROBE), ENOTTY, "only a PF has a VF token");
	assert_fails(feature(SET), ENOTTY, "only a PF");
	file = pf;
	svf_file_close(plain);
	test_client_close(&other);
}

static void low_power(void **state)
{
	(void)state;
	assert_int_equal(feature(SET | EXIT), 0);
	assert_int_equal(feature(SET | ENTRY), 0);
	assert_fails(feature(SET | ENTRY), EINVAL, "requested already");
	/* It stands while the device is used. */
	assert_int_equal(test_get(file, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2), 0x1b36);
	assert_fails(feature(SET | ENTRY), EINVAL, "requested already");
	assert_int_equal(feature(SET | EXIT), 0);
	assert_int_equal(feature(SET | ENTRY), 0);
}

static void low_power_until_used(void **state)
{
	struct svf_event *event = test_event();

	(void)state;
	test_fd_event(20, event);
	test_fd_other(10);
	assert_fails(feature_with(32, SET | ENTRY_WAKEUP, (const uint32_t[6]){UINT32_MAX}), EINVAL,
		     "descriptor -1");
	assert_fails(feature_with(32, SET | ENTRY_WAKEUP, (const uint32_t[6]){99}), EBADF,
		     "not open");
	assert_fails(feature_with(32, SET | ENTRY_WAKEUP, (const uint32_t[6]){10}), EINVAL,
		     "no eventfd");
	assert_int_equal(feature_with(32, SET | ENTRY_WAKEUP, (const uint32_t[6]){20}), 0);
	assert_int_equal(test_event_signals(event), 0);
	test_get(file, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2);
	assert_int_equal(test_event_signals(event), 1);
	assert_int_equal(test_event_refs(event), 0);
	test_get(file, VFIO_PCI_CONFIG_REGION_INDEX, 0, 2);
	assert_int_equal(test_event_signals(event), 1);
	/* The user closes without having looked: nobody is woken. */
	assert_int_equal(feature_with(32, SET | ENTRY_WAKEUP, (const uint32_t[6]){20}), 0);
	svf_file_close(file);
	file = NULL;
	assert_int_equal(test_event_signals(event), 1);
	assert_int_equal(test_event_refs(event), 0);
}

static void dma_buf(void **state)
{
	const uint32_t number = GET | VFIO_DEVICE_FEATURE_DMA_BUF;

	(void)state;
	assert_fails(feature_with(23, number, NULL), EINVAL, "leaves 15 bytes");
	assert_fails(feature_with(32, number, (const uint32_t[6]){0, 0, 0, 0}), EINVAL,
		     "one range or more");
	assert_fails(feature_with(32, number, (const uint32_t[6]){0, 0, 1, 1}), EINVAL, "flags 0");
	assert_fails(feature_with(32, number, (const uint32_t[6]){6, 0, 0, 1}), ENODEV, "region 6");
	assert_fails(feature_with(32, number, (const uint32_t[6]){5, 0, 0, 1}), ENODEV, "region 5");
	assert_fails(feature_with(32, number, (const uint32_t[6]){0, 0, 0, 1}), EINVAL,
		     "no BAR as DMA-BUF yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(form, setup, teardown),
		cmocka_unit_test_setup_teardown(presence, setup, teardown),
		cmocka_unit_test_setup_teardown(token_of_a_pf_only, setup, teardown),
		cmocka_unit_test_setup_teardown(low_power, setup, teardown),
		cmocka_unit_test_setup_teardown(low_power_until_used, setup, teardown),
		cmocka_unit_test_setup_teardown(dma_buf, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
