/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vital product data: by the function's own registers, as a user of the device sees them, and as the
 * kernel reads and writes it for sysfs.
 */
#include "vfio_fixture.h"

#include <errno.h>
#include <linux/pci_regs.h>

#include "base/fmt.h"
#include "core/pci/vpd.h"

#define PF     "0000:01:00.0"
#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX

/* "card", a read-only part of four bytes, a writable one of eight, the end: 28 bytes; two more. */
#define DATA                                                                                       \
	"82040063617264"                                                                           \
	"900400504e0141"                                                                           \
	"91080056315802"                                                                           \
	"61626300"                                                                                 \
	"78"                                                                                       \
	"aabb"
#define END 26u

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;
static struct svf_function *fn;

static void start(const char *options)
{
	char text[256];

	svf_fmt(text, sizeof(text), PF " %s", options);
	machine = test_vfio_machine(text);
	fn = test_fn(machine, PF);
	file = test_open_device(&client, machine, PF);
}

static int finish(void **state)
{
	(void)state;
	svf_file_close(file);
	test_client_close(&client);
	test_machine_end(machine);
	return 0;
}

static uint32_t user_fetch(unsigned int address)
{
	test_put(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 2, address);
	assert_int_equal(test_get(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 2),
			 address ^ PCI_VPD_ADDR_F);
	return test_get(file, CONFIG, fn->cap_vpd + PCI_VPD_DATA, 4);
}

static void user(void **state)
{
	uint8_t buf[4];

	(void)state;
	start("vpd=" DATA);
	assert_int_equal(user_fetch(0), 0x63000482);
	assert_int_equal(user_fetch(4), 0x90647261);
	/* Behind the end there is nothing, and nothing can be put there. */
	assert_int_equal(user_fetch(28), 0);
	test_put(file, CONFIG, fn->cap_vpd + PCI_VPD_DATA, 4, 0x44434241);
	test_put(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 2, PCI_VPD_ADDR_F | 28);
	assert_int_equal(test_get(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 2),
			 PCI_VPD_ADDR_F | 28);
	test_put(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 2, PCI_VPD_ADDR_F | 20);
	assert_int_equal(test_get(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 2), 20);
	assert_int_equal(svf_vpd_read(fn, NULL, 20, buf, 4), 4);
	assert_memory_equal(buf, "ABCD", 4);
	/* The lower byte of the address alone does nothing. */
	test_put(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 1, 4);
	assert_int_equal(test_get(file, CONFIG, fn->cap_vpd + PCI_VPD_DATA, 4), 0x44434241);
}

static void kernel(void **state)
{
	uint8_t buf[64];

	(void)state;
	start("vpd=" DATA);
	assert_true(svf_vpd_available(fn));
	assert_int_equal(svf_vpd_read(fn, NULL, 3, buf, 4), 4);
	assert_memory_equal(buf, "card", 4);
	assert_int_equal(svf_vpd_read(fn, NULL, 0, buf, sizeof(buf)), END);
	assert_int_equal(svf_vpd_read(fn, NULL, END, buf, 1), 0);
	assert_int_equal(svf_vpd_write(fn, NULL, 2, buf, 4), -EINVAL);
	assert_int_equal(svf_vpd_write(fn, NULL, 4, buf, 3), -EINVAL);
	assert_int_equal(svf_vpd_write(fn, NULL, 24, buf, 4), -EINVAL);
	assert_int_equal(svf_vpd_write(fn, NULL, 1ull << 40, buf, 4), -EINVAL);
}

/* The registers themselves, without the kernel in between. */
static void hardware(void **state)
{
	(void)state;
	start("vpd=" DATA);
	svf_config_write(fn, fn->cap_vpd + PCI_VPD_ADDR, 2, 4);
	assert_int_equal(svf_config_read(fn, fn->cap_vpd + PCI_VPD_ADDR, 2), PCI_VPD_ADDR_F | 4);
	assert_int_equal(svf_config_read(fn, fn->cap_vpd + PCI_VPD_DATA, 4), 0x90647261);
	svf_config_write(fn, fn->cap_vpd + PCI_VPD_ADDR, 2, 0x7ffc);
	assert_int_equal(svf_config_read(fn, fn->cap_vpd + PCI_VPD_DATA, 4), 0xffffffff);
}

static void broken(void **state)
{
	uint8_t buf[4];

	(void)state;
	start("vpd=ffffffff");
	assert_false(svf_vpd_available(fn));
	assert_int_equal(svf_vpd_read(fn, NULL, 0, buf, 4), -ENODEV);
	assert_int_equal(svf_vpd_write(fn, NULL, 0, buf, 4), -ENODEV);
	test_put(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 2, 0);
	assert_int_equal(test_get(file, CONFIG, fn->cap_vpd + PCI_VPD_ADDR, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(user, finish),
		cmocka_unit_test_teardown(kernel, finish),
		cmocka_unit_test_teardown(hardware, finish),
		cmocka_unit_test_teardown(broken, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
