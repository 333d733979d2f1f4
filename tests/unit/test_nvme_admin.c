/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Admin commands of the NVMe model but those for queues and for secondary controllers: Identify, features,
 * log pages, asynchronous events, Abort.
 */
#include <stdlib.h>

#include "nvme_host.h"
#include "topo_fixture.h"

#define DEVICE "0000:01:00.0"
#define ALL    0xffffffffu
#define BEYOND 999u /* a namespace that there is not */
#define PRP1   ((uint32_t)(HOST_IOVA + HOST_FREE))

static struct nvme_host host;

static int setup(void **state)
{
	(void)state;
	host_open(&host,
		  test_device_machine("at=" DEVICE " model=nvme queues=6 totalvfs=4 serial=S-1"),
		  DEVICE);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_close(&host);
	test_machine_end(host.machine);
	return 0;
}

/* --- what is wrong with a command as such --- */

static void test_invalid_commands(void **state)
{
	static const struct {
		uint32_t dword0;
		uint16_t status;
	} cases[] = {
		{0x03, NVME_INVALID_OPCODE},
		{0x7f, NVME_INVALID_OPCODE},
		{NVME_ADMIN_FIRMWARE_COMMIT, NVME_INVALID_OPCODE},
		{NVME_ADMIN_FIRMWARE_DOWNLOAD, NVME_INVALID_OPCODE},
		{0x0d, NVME_INVALID_OPCODE},			    /* Namespace Management */
		{0x15, NVME_INVALID_OPCODE},			    /* Namespace Attachment */
		{0x18, NVME_INVALID_OPCODE},			    /* Keep Alive */
		{0x84, NVME_INVALID_OPCODE},			    /* Sanitize */
		{NVME_ADMIN_IDENTIFY | 0x0100, NVME_INVALID_FIELD}, /* fused */
		{NVME_ADMIN_IDENTIFY | 0x4000, NVME_INVALID_FIELD}, /* SGL */
		{NVME_ADMIN_IDENTIFY | 0xc000, NVME_INVALID_FIELD},
	};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		const uint32_t command[16] = {cases[i].dword0, [10] = 1};

		assert_int_equal(host_run(&host, 0, command), cases[i].status);
		assert_false(host.retry);
	}
}

static void test_data_goes_nowhere(void **state)
{
	uint32_t command[16] = {NVME_ADMIN_IDENTIFY, [6] = (uint32_t)HOST_NOWHERE, [10] = 1};

	(void)state;
	assert_int_equal(host_run(&host, 0, command), NVME_DATA_TRANSFER_ERROR);
	assert_true(host.retry);
	command[6] = PRP1 + 2;
	assert_int_equal(host_run(&host, 0, command), NVME_PRP_OFFSET_INVALID);
	assert_int_equal(host_get(&host, NVME_CSTS), NVME_CSTS_RDY);
}

/* --- Identify --- */

static void test_identify_controller(void **state)
{
	const uint8_t *page;

	(void)state;
	assert_int_equal(host_identify(&host, 1, 0), NVME_SUCCESS);
	page = host_page(&host);
	assert_int_equal(host_page_get(&host, 0, 4), 0x1b361b36);
	assert_memory_equal(page + 4, "S-1                 ", 20);
	assert_memory_equal(page + 24, "softvfio NVMe                           ", 40);
	assert_int_equal(page[76], 0x02); /* CMIC: several controllers */
	assert_int_equal(page[77], 7);	  /* MDTS */
	assert_int_equal(host_page_get(&host, 78, 2), 0);
	assert_int_equal(host_page_get(&host, 80, 4), NVME_VERSION);
	assert_int_equal(host_page_get(&host, 92, 4), 0x100);
	assert_int_equal(host_page_get(&host, 256, 2), 0x82); /* Format NVM, virtualization */
	assert_int_equal(page[259], 3);
	assert_int_equal(page[512], 0x66);
	assert_int_equal(page[513], 0x44);
	assert_string_equal((const char *)page + 768, "nqn.2026-01.org.softvfio:S-1");
}

static void test_identify_lists(void **state)
{
	(void)state;
	assert_int_equal(host_identify(&host, 0x13, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 2), 5);
	assert_int_equal(host_page_get(&host, 2, 2), 0);
	assert_int_equal(host_page_get(&host, 10, 2), 4);
	assert_int_equal(host_identify(&host, 0x00030013, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 2), 2);
	assert_int_equal(host_page_get(&host, 2, 2), 3);
	assert_int_equal(host_identify(&host, 0x02, ALL - 1), NVME_INVALID_NAMESPACE);
	assert_int_equal(host_identify(&host, 0x02, ALL), NVME_INVALID_NAMESPACE);
	assert_int_equal(host_identify(&host, 0x02, BEYOND), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 4), 0);
	assert_int_equal(host_identify(&host, 0x00, 0), NVME_INVALID_NAMESPACE);
	assert_int_equal(host_identify(&host, 0x00, BEYOND), NVME_INVALID_NAMESPACE);
	assert_int_equal(host_identify(&host, 0x00, ALL), NVME_INVALID_NAMESPACE);
	assert_int_equal(host_identify(&host, 0x03, 0), NVME_INVALID_NAMESPACE);
	assert_int_equal(host_identify(&host, 0x12, BEYOND), NVME_INVALID_NAMESPACE);
	assert_int_equal(host_identify(&host, 0x05, 0), NVME_INVALID_FIELD);
	assert_int_equal(host_identify(&host, 0xff, 0), NVME_INVALID_FIELD);
}

/* --- features --- */

static void test_features(void **state)
{
	/* Value given, value kept. */
	static const struct {
		uint32_t id, set, kept, initial;
	} cases[] = {
		{NVME_FEATURE_ARBITRATION, 0x01020304, 0x01020304, 7},
		{NVME_FEATURE_POWER_MANAGEMENT, 0, 0, 0},
		{NVME_FEATURE_TEMPERATURE_THRESHOLD, 345, 345, 343},
		{NVME_FEATURE_TEMPERATURE_THRESHOLD, 0x100000 | 300, 300, 0},
		{NVME_FEATURE_ERROR_RECOVERY, 0x1234, 0x1234, 0},
		{NVME_FEATURE_WRITE_CACHE, 0, 0, 1},
		{NVME_FEATURE_NUMBER_OF_QUEUES, 0, 0x00050005, 0x00050005},
		{NVME_FEATURE_INTERRUPT_COALESCING, 0xffff0203, 0x0203, 0},
		{NVME_FEATURE_INTERRUPT_VECTOR, 0x10002, 0x10002, 2},
		{NVME_FEATURE_WRITE_ATOMICITY, 1, 1, 0},
		{NVME_FEATURE_ASYNC_EVENTS, 0x101, 0x101, 0},
	};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		uint32_t id = cases[i].id, set = cases[i].set;

		assert_int_equal(host_get_feature(&host, id, set), NVME_SUCCESS);
		assert_int_equal(host.result, cases[i].initial);
		assert_int_equal(host_set_feature(&host, id, set), NVME_SUCCESS);
		assert_int_equal(host_get_feature(&host, id, set), NVME_SUCCESS);
		assert_int_equal(host.result, cases[i].kept);
		/* Default, saved, capabilities. */
		for (uint32_t select = 1; select <= 3; select++) {
			assert_int_equal(host_get_feature(&host, id | select << 8, set),
					 NVME_SUCCESS);
			assert_int_equal(host.result, select == 3 ? 4 : cases[i].initial);
		}
		assert_int_equal(host_get_feature(&host, id | 0x400, set), NVME_INVALID_FIELD);
		assert_int_equal(host_set_feature(&host, id | 0x80000000, set),
				 NVME_FEATURE_NOT_SAVEABLE);
	}
	host_put(&host, NVME_CC, 0);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		assert_int_equal(host_get_feature(&host, cases[i].id, cases[i].set), NVME_SUCCESS);
		assert_int_equal(host.result, cases[i].initial);
	}
}

static void test_invalid_features(void **state)
{
	static const struct {
		uint32_t id, value;
	} cases[] = {
		{0x00, 0},
		{0x0c, 0}, /* autonomous power states */
		{0x80, 0},
		{NVME_FEATURE_POWER_MANAGEMENT, 1},
		{NVME_FEATURE_TEMPERATURE_THRESHOLD, 0x10000},
		{NVME_FEATURE_TEMPERATURE_THRESHOLD, 0x200000},
		{NVME_FEATURE_ERROR_RECOVERY, 0x10000},
		{NVME_FEATURE_NUMBER_OF_QUEUES, 0xffff},
		{NVME_FEATURE_NUMBER_OF_QUEUES, 0xffff0000},
		{NVME_FEATURE_INTERRUPT_VECTOR, 0x100},
		{NVME_FEATURE_ASYNC_EVENTS, 0x200},
	};
	uint32_t command[16] = {NVME_ADMIN_SET_FEATURES, 1, [10] = NVME_FEATURE_ARBITRATION};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++)
		assert_int_equal(host_set_feature(&host, cases[i].id, cases[i].value),
				 NVME_INVALID_FIELD);
	assert_int_equal(host_get_feature(&host, 0x0c, 0), NVME_INVALID_FIELD);
	assert_int_equal(host_get_feature(&host, NVME_FEATURE_TEMPERATURE_THRESHOLD, 0xf0000),
			 NVME_INVALID_FIELD);
	assert_int_equal(host_run(&host, 0, command), NVME_FEATURE_NOT_NAMESPACE_SPECIFIC);
	/* But for the write cache, of a namespace that there is. */
	command[10] = NVME_FEATURE_WRITE_CACHE;
	assert_int_equal(host_run(&host, 0, command), NVME_SUCCESS);
	command[1] = BEYOND;
	assert_int_equal(host_run(&host, 0, command), NVME_FEATURE_NOT_NAMESPACE_SPECIFIC);
	host_make_queue(&host, 1);
	assert_int_equal(host_set_feature(&host, NVME_FEATURE_NUMBER_OF_QUEUES, 0),
			 NVME_COMMAND_SEQUENCE_ERROR);
}

/* --- log pages --- */

static void test_error_log(void **state)
{
	const uint32_t unknown[16] = {0x7f, 5};

	(void)state;
	assert_int_equal(host_log_page(&host, 0x03ff0001, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 8), 0);
	for (unsigned int i = 1; i <= 70; i++)
		host_run(&host, 0, unknown);
	assert_int_equal(host_log_page(&host, 0x03ff0001, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 8), 70);
	assert_int_equal(host_page_get(&host, 8, 2), 0);
	assert_int_equal(host_page_get(&host, 12, 2), NVME_INVALID_OPCODE << 1);
	assert_int_equal(host_page_get(&host, 14, 2), 0);
	assert_int_equal(host_page_get(&host, 24, 4), 5);
	assert_int_equal(host_page_get(&host, 63 * 64, 8), 7);
}

static void test_health(void **state)
{
	(void)state;
	assert_int_equal(host_log_page(&host, 0x007f0002, ALL), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 1), 0);
	assert_int_equal(host_page_get(&host, 1, 2), 308);
	assert_int_equal(host_page_get(&host, 3, 1), 100);
	/* Only what was asked for. */
	assert_int_equal(host_page_get(&host, 512, 1), 0xaa);
	assert_int_equal(host_log_page(&host, 0x00000002, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 4, 1), 0xaa);
	assert_int_equal(host_log_page(&host, 0x007f0002, 1), NVME_INVALID_FIELD);
	host_set_feature(&host, NVME_FEATURE_TEMPERATURE_THRESHOLD, 300);
	assert_int_equal(host_log_page(&host, 0x007f0002, ALL), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 1), 2);
}

static void test_log_pages(void **state)
{
	uint32_t command[16] = {NVME_ADMIN_GET_LOG_PAGE, [6] = PRP1, [10] = 0x00030005};

	(void)state;
	assert_int_equal(host_log_page(&host, 0x007f0003, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 1), 1);
	assert_memory_equal(host_page(&host) + 8, "1.4     ", 8);
	assert_int_equal(host_log_page(&host, 0x03ff0005, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 4 * NVME_ADMIN_IDENTIFY, 4), 1);
	assert_int_equal(host_page_get(&host, 4 * NVME_ADMIN_FIRMWARE_COMMIT, 4), 0);
	assert_int_equal(host_page_get(&host, 4 * NVME_ADMIN_FORMAT_NVM, 1), 7);
	/* From an offset on: the entry of Identify. */
	command[12] = 4 * NVME_ADMIN_IDENTIFY;
	memset(host_page(&host), 0xaa, 4096);
	assert_int_equal(host_run(&host, 0, command), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 4), 1);
	assert_int_equal(host_page_get(&host, 16, 1), 0xaa);
	command[12] = 4096;
	assert_int_equal(host_run(&host, 0, command), NVME_SUCCESS);
	command[12] = 4100;
	assert_int_equal(host_run(&host, 0, command), NVME_INVALID_FIELD);
	command[12] = 2;
	assert_int_equal(host_run(&host, 0, command), NVME_INVALID_FIELD);
	command[12] = 0;
	command[13] = 1;
	assert_int_equal(host_run(&host, 0, command), NVME_INVALID_FIELD);
	/* More than there is, into three pages by a list: the second one is used, from its beginning. */
	command[6] = PRP1 + 2048;
	command[8] = PRP1 + 0x10000;
	command[10] = 2047u << 16 | 5;
	command[12] = command[13] = 0;
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t page = PRP1 + 0x20000 + 4096 * i;

		memcpy(host_page(&host) + 0x10000 + 8 * i, &page, 8);
	}
	memset(host_page(&host) + 0x20000, 0xaa, 4096);
	assert_int_equal(host_run(&host, 0, command), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 2048 + 4 * NVME_ADMIN_IDENTIFY, 4), 1);
	assert_int_equal(host_page_get(&host, 0x20000 + 2047, 1), 0);
	assert_int_equal(host_page_get(&host, 0x20000 + 2048, 1), 0xaa);
	command[6] = PRP1;
	command[10] = 0x00030005;
	/* More than MDTS. */
	command[13] = 0;
	command[11] = 0xffff;
	assert_int_equal(host_run(&host, 0, command), NVME_INVALID_FIELD);
	for (uint32_t id = 0; id < 256; id++) {
		if (id < 1 || id > 5)
			assert_int_equal(host_log_page(&host, id, 0), NVME_INVALID_LOG_PAGE);
	}
}

/* --- asynchronous events --- */

static const uint32_t request[16] = {NVME_ADMIN_ASYNC_EVENT_REQUEST};

static void leave_requests(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		host_submit(&host, 0, request);
	host_ring(&host, 0);
	host_settle(&host);
}

static void expect_event(uint32_t result)
{
	uint16_t cid;

	assert_true(host_poll(&host, 0, &cid));
	assert_int_equal(host.status, NVME_SUCCESS);
	assert_int_equal(host.result, result);
}

static void test_event_requests_are_limited(void **state)
{
	uint16_t cid;

	(void)state;
	leave_requests(5);
	assert_true(host_poll(&host, 0, &cid));
	assert_int_equal(cid, 5);
	assert_int_equal(host.status, NVME_AER_LIMIT_EXCEEDED);
	assert_false(host_poll(&host, 0, &cid));
}

static void test_doorbell_errors(void **state)
{
	uint16_t cid;

	(void)state;
	host_make_queue(&host, 1);
	leave_requests(2);
	/* No such queue, submission and completion; told once until the log page is read. */
	host_put(&host, NVME_DOORBELLS + 8 * 2, 1);
	expect_event(0x010000);
	host_put(&host, NVME_DOORBELLS + 8 * 2 + 4, 1);
	host_put(&host, NVME_DOORBELLS + 8 * 400, 1);
	assert_false(host_poll(&host, 0, &cid));
	assert_int_equal(host_log_page(&host, 0x000f8001, 0), NVME_SUCCESS);
	assert_int_equal(host_page_get(&host, 0, 8), 3);
	assert_int_equal(host_page_get(&host, 8, 2), 400);
	assert_int_equal(host_page_get(&host, 10, 2), 0xffff);
	/* That was with Retain Asynchronous Event. */
	assert_false(host_poll(&host, 0, &cid));
	leave_requests(0);
	host_submit(&host, 0,
		    (uint32_t[16]){NVME_ADMIN_GET_LOG_PAGE, [6] = PRP1, [10] = 0x000f0001});
	host_ring(&host, 0);
	expect_event(0x010000);
	assert_true(host_poll(&host, 0, &cid));
	assert_int_equal(cid, host.cid);
}

static void test_doorbell_values(void **state)
{
	static const struct {
		unsigned int doorbell;
		uint32_t value;
	} cases[] = {
		{8, HOST_ENTRIES},  {8, 0xffff},
		{12, HOST_ENTRIES}, {12, 1}, /* a completion that there was not */
		{12, 31},
	};
	uint16_t cid;

	(void)state;
	host_make_queue(&host, 1);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		leave_requests(1);
		host_put(&host, NVME_DOORBELLS + cases[i].doorbell, cases[i].value);
		expect_event(0x010100);
		assert_int_equal(host_log_page(&host, 0x000f0001, 0), NVME_SUCCESS);
		assert_int_equal(host_page_get(&host, 8, 2), 1);
	}
	assert_false(host_poll(&host, 1, &cid));
	/* The queue is as it was. */
	assert_int_equal(host_run(&host, 1, (uint32_t[16]){0x7f}), NVME_INVALID_OPCODE);
}

static void test_health_event(void **state)
{
	uint16_t cid;

	(void)state;
	leave_requests(1);
	host_set_feature(&host, NVME_FEATURE_TEMPERATURE_THRESHOLD, 300);
	assert_false(host_poll(&host, 0, &cid));
	host_set_feature(&host, NVME_FEATURE_TEMPERATURE_THRESHOLD, 343);
	host_set_feature(&host, NVME_FEATURE_ASYNC_EVENTS, 2);
	host_submit(&host, 0,
		    (uint32_t[16]){NVME_ADMIN_SET_FEATURES,
				   [10] = NVME_FEATURE_TEMPERATURE_THRESHOLD, [11] = 300});
	host_ring(&host, 0);
	expect_event(0x020101);
	assert_true(host_poll(&host, 0, &cid));
	assert_int_equal(cid, host.cid);
}

/* Events wait for room in the admin completion queue as everything else does. */
static void test_event_without_room(void **state)
{
	uint16_t cid = 0;
	unsigned int count = 0, events = 0;

	(void)state;
	leave_requests(1);
	for (unsigned int i = 0; i < HOST_ENTRIES - 1; i++)
		host_submit(&host, 0, (uint32_t[16]){0x7f});
	host_ring(&host, 0);
	host_settle(&host);
	host_put(&host, NVME_DOORBELLS + 8 * 5, 1);
	while (host_poll(&host, 0, &cid)) {
		count++;
		events += host.status == NVME_SUCCESS;
	}
	assert_int_equal(count, HOST_ENTRIES);
	assert_int_equal(events, 1);
}

/* --- Abort --- */

static void test_abort(void **state)
{
	uint32_t abort_request[16] = {NVME_ADMIN_ABORT};
	uint16_t cid;

	(void)state;
	leave_requests(3);
	abort_request[10] = 2u << 16;
	host_submit(&host, 0, abort_request);
	host_ring(&host, 0);
	assert_true(host_poll(&host, 0, &cid));
	assert_int_equal(cid, 2);
	assert_int_equal(host.status, NVME_ABORT_REQUESTED);
	assert_true(host_poll(&host, 0, &cid));
	assert_int_equal(host.status, NVME_SUCCESS);
	assert_int_equal(host.result, 0);
	/* What is not there is not aborted. */
	assert_int_equal(host_run(&host, 0, abort_request), NVME_SUCCESS);
	assert_int_equal(host.result, 1);
	abort_request[10] = 1;
	assert_int_equal(host_run(&host, 0, abort_request), NVME_INVALID_FIELD);
	host_make_queue(&host, 1);
	assert_int_equal(host_run(&host, 0, abort_request), NVME_SUCCESS);
	assert_int_equal(host.result, 1);
	/* The other two are still there. */
	host_put(&host, NVME_DOORBELLS + 8 * 5, 1);
	expect_event(0x010000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_invalid_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_data_goes_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identify_controller, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identify_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalid_features, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_health, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event_requests_are_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doorbell_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doorbell_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_health_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event_without_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
