/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtualised config space: what is seen and what a write does, by kind of register. The full
 * dumps of real devices are compared in tests/conformance (device-config, device-config-write).
 */
#include "vfio_fixture.h"

#include <linux/pci_regs.h>

#include "base/bytes.h"
#include "core/vfio/vconfig.h"

#define PF     "0000:01:00.0"
#define VF     "0000:01:10.0"
#define CONV   "0000:02:00.0"
#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;
static struct svf_function *fn;

static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(PF " vfs=1 bar0=64K bar2=1M:64:pref bar4=32:io; " CONV
				       " pcie=off totalvfs=0 msix=0 msi=1");
	fn = test_fn(machine, PF);
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

static uint32_t get(unsigned int at, unsigned int size)
{
	return test_get(file, CONFIG, at, size);
}

static void put(unsigned int at, unsigned int size, uint32_t value)
{
	test_put(file, CONFIG, at, size, value);
}

static uint32_t physical(unsigned int at, unsigned int size)
{
	return svf_config_read(fn, at, size);
}

/* Another function from now on: also after a reset. */
static void poke(struct svf_function *function, unsigned int at, uint8_t value)
{
	function->config[at] = value;
	function->reset_config[at] = value;
}

static void poke32(unsigned int at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		poke(fn, at + i, (uint8_t)(value >> 8 * i));
}

/* Another opening of the device. */
static void reopen(void)
{
	svf_file_close(file);
	assert_int_equal(test_get_device(client.group, PF, &file), 0);
}

static void pieces(void **state)
{
	uint8_t whole[64], bytes[64];

	(void)state;
	assert_int_equal(test_read(file, (uint64_t)CONFIG << 40, whole, 64), 64);
	for (unsigned int i = 0; i < 64; i++)
		bytes[i] = (uint8_t)get(i, 1);
	assert_memory_equal(whole, bytes, 64);
	assert_int_equal(get(1, 4), svf_get_le32(whole + 1));
	assert_int_equal(get(3, 2), svf_get_le16(whole + 3));
	/* An unaligned write over two registers: interrupt line and the last byte before it. */
	put(0x3b, 2, 0x5500);
	assert_int_equal(get(PCI_INTERRUPT_LINE, 1), 0x55);
}

static void limits(void **state)
{
	uint8_t buf[4097] = {0};
	uint64_t base = (uint64_t)CONFIG << 40;

	(void)state;
	assert_int_equal(test_read(file, base, buf, 4096), 4096);
	assert_int_equal(test_read(file, base, buf, 4097), -EFAULT);
	assert_int_equal(test_read(file, base + 4095, buf, 1), 1);
	assert_int_equal(test_read(file, base + 4094, buf, 4), -EFAULT);
	assert_int_equal(test_read(file, base + 4096, buf, 1), -EFAULT);
	assert_int_equal(test_read(file, base + (1ull << 40) - 1, buf, 1), -EFAULT);
	assert_int_equal(test_write(file, base + 4094, buf, 4), -EFAULT);
	assert_int_equal(test_write(file, base + 4096, buf, 1), -EFAULT);
}

static void header(void **state)
{
	(void)state;
	assert_int_equal(get(PCI_VENDOR_ID, 4), 0x00051b36);
	put(PCI_VENDOR_ID, 4, 0);
	put(PCI_CLASS_REVISION, 4, 0);
	assert_int_equal(get(PCI_VENDOR_ID, 4), 0x00051b36);
	assert_int_equal(get(PCI_CLASS_REVISION, 4), 0xff000000);
	/* Decoding is on at open, bus mastering is not. */
	assert_int_equal(get(PCI_COMMAND, 2), PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	put(PCI_COMMAND, 2, 0xffff);
	assert_int_equal(get(PCI_COMMAND, 2) & 0x407, 0x407);
	assert_int_equal(physical(PCI_COMMAND, 2) & 7, 7);
	put(PCI_COMMAND, 1, PCI_COMMAND_MEMORY);
	assert_int_equal(get(PCI_COMMAND, 2) & 7, PCI_COMMAND_MEMORY);
	put(PCI_COMMAND, 2, 0);
	assert_int_equal(get(PCI_COMMAND, 2), 0);
	/* The user's own. */
	put(PCI_INTERRUPT_LINE, 1, 0x42);
	assert_int_equal(get(PCI_INTERRUPT_LINE, 2), 0x0142);
	assert_int_not_equal(physical(PCI_INTERRUPT_LINE, 1), 0x42);
	put(PCI_INTERRUPT_PIN, 1, 4);
	assert_int_equal(get(PCI_INTERRUPT_PIN, 1), 1);
}

static void bars(void **state)
{
	const struct {
		unsigned int at;
		uint32_t ones, zeroes;
	} want[] = {
		{0x10, 0xffff0000, 0}, {0x18, 0xfff0000c, 0xc},
		{0x1c, 0xffffffff, 0}, {0x20, 0xffffffe1, 1},
		{0x30, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(want); i++) {
		uint32_t real = physical(want[i].at, 4);

		assert_int_equal(get(want[i].at, 4), real);
		put(want[i].at, 4, 0xffffffff);
		assert_int_equal(get(want[i].at, 4), want[i].ones);
		put(want[i].at, 4, 0);
		assert_int_equal(get(want[i].at, 4), want[i].zeroes);
		assert_int_equal(physical(want[i].at, 4), real);
	}
	/* By bytes, too. */
	put(0x13, 1, 0xab);
	assert_int_equal(get(0x10, 4), 0xab000000);
	reopen();
	assert_int_equal(get(0x10, 4), physical(0x10, 4));
}

static void power_management(void **state)
{
	struct svf_call call = test_call(machine);
	unsigned int cap = fn->cap_pm;

	(void)state;
	assert_int_equal(svf_sriov_set_numvfs(fn, &call, 0), 0);
	poke(fn, cap + PCI_PM_PMC + 1, fn->config[cap + PCI_PM_PMC + 1] | 0xf8);
	poke(fn, cap + PCI_PM_CTRL + 1, 0x81);
	reopen();
	assert_int_equal(get(cap + PCI_PM_PMC, 2) & PCI_PM_CAP_PME_MASK, 0);
	assert_int_equal(get(cap + PCI_PM_CTRL, 2) & 0x8100, 0);
	put(cap + PCI_PM_CTRL, 2, 0x0103);
	assert_int_equal(get(cap + PCI_PM_CTRL, 2) & 0x0103, 3);
	assert_int_equal(svf_function_power_state(fn), 3);
	/* Leaving D3hot is possible to D0 only. */
	put(cap + PCI_PM_CTRL, 1, 2);
	assert_int_equal(svf_function_power_state(fn), 3);
	put(cap + PCI_PM_CTRL, 1, 0);
	assert_int_equal(svf_function_power_state(fn), 0);
}

/* A PF stays in D0 while it has VFs: the write is dropped. Closing wakes the function up. */
static void power_of_a_pf_with_vfs(void **state)
{
	struct svf_call call = test_call(machine);
	unsigned int ctrl = fn->cap_pm + PCI_PM_CTRL;

	(void)state;
	assert_int_equal(fn->sriov.num_vfs, 1);
	put(ctrl, 2, 3);
	assert_int_equal(get(ctrl, 2) & 3, 0);
	svf_file_close(file);
	assert_int_equal(svf_sriov_set_numvfs(fn, &call, 0), 0);
	assert_int_equal(test_get_device(client.group, PF, &file), 0);
	put(ctrl, 2, 3);
	assert_int_equal(get(ctrl, 2) & 3, 3);
	reopen();
	assert_int_equal(get(ctrl, 2) & 3, 0);
}

static void msi_without_interrupts(void **state)
{
	unsigned int flags = fn->cap_msi + PCI_MSI_FLAGS;
	uint32_t before = get(flags, 2);

	(void)state;
	put(flags, 2, before | PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	assert_int_equal(get(flags, 2), before);
	assert_int_equal(physical(flags, 2) & PCI_MSI_FLAGS_ENABLE, 0);
	put(fn->cap_msi + PCI_MSI_ADDRESS_LO, 4, 0x12345678);
	assert_int_equal(get(fn->cap_msi + PCI_MSI_ADDRESS_LO, 4), 0x12345678);
	assert_int_equal(physical(fn->cap_msi + PCI_MSI_ADDRESS_LO, 4), 0);
}

static void msix_is_the_hosts(void **state)
{
	unsigned int flags = fn->cap_msix + PCI_MSIX_FLAGS;
	uint32_t before = get(flags, 2);

	(void)state;
	put(flags, 2, before | PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	assert_int_equal(get(flags, 2), before);
	put(fn->cap_msix + PCI_MSIX_TABLE, 4, 0xffffffff);
	assert_int_equal(get(fn->cap_msix + PCI_MSIX_TABLE, 4),
			 physical(fn->cap_msix + PCI_MSIX_TABLE, 4));
}

static void express(void **state)
{
	unsigned int devctl = fn->cap_exp + PCI_EXP_DEVCTL;

	(void)state;
	/* Payload size is the user's own, so is the read request size, but that is passed on. */
	put(devctl, 2, 5u << 12 | 3u << 5);
	assert_int_equal(get(devctl, 2) & 0x70e0, 0x5060);
	assert_int_equal(physical(devctl, 2) & 0x70e0, 0x5000);
	put(devctl, 2, 7u << 12);
	assert_int_equal(get(devctl, 2) & 0x7000, 0x7000);
	assert_int_equal(physical(devctl, 2) & 0x7000, 0x5000);
	/* Never below the payload size that the host has set. */
	svf_config_write(fn, devctl, 2, 2u << 5 | 5u << 12);
	put(devctl, 2, 0);
	assert_int_equal(physical(devctl, 2) & 0x70e0, 0x2040);
	assert_int_equal(get(devctl, 2) & 0x70e0, 0);
}

static void function_level_reset(void **state)
{
	unsigned int devctl = fn->cap_exp + PCI_EXP_DEVCTL;

	(void)state;
	test_put(file, 0, 0x100, 4, 0xfeed);
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	put(PCI_BASE_ADDRESS_0, 4, 0x80000000);
	put(devctl, 2, PCI_EXP_DEVCTL_BCR_FLR);
	assert_int_equal(get(devctl, 2) & PCI_EXP_DEVCTL_BCR_FLR, 0);
	assert_int_equal(test_get(file, 0, 0x100, 4), 0);
	/* As the kernel does it, with everything around it put back. */
	assert_int_equal(get(PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(physical(PCI_COMMAND, 2) & 6, 6);
	assert_int_equal(get(PCI_BASE_ADDRESS_0, 4), 0x80000000);
}

static void function_level_reset_by_af(void **state)
{
	struct svf_function *conv = test_fn(machine, CONV);
	struct test_client other;
	struct svf_file *pf = file;
	unsigned int af = conv->cap_af;

	(void)state;
	file = test_open_device(&other, machine, CONV);
	assert_int_not_equal(af, 0);
	assert_int_equal(test_read(file, ((uint64_t)CONFIG << 40) + 256, &af, 1), -EFAULT);
	test_put(file, 0, 0x100, 4, 0xfeed);
	put(conv->cap_af + PCI_AF_CTRL, 1, PCI_AF_CTRL_FLR);
	assert_int_equal(get(conv->cap_af + PCI_AF_CTRL, 1), 0);
	assert_int_equal(test_get(file, 0, 0x100, 4), 0);
	svf_file_close(file);
	file = pf;
	test_client_close(&other);
}

static void vf_looks_like_a_function(void **state)
{
	struct svf_function *vf = test_fn(machine, VF);
	struct test_client other;
	struct svf_file *pf = file;

	(void)state;
	poke(vf, PCI_INTERRUPT_PIN, 1);
	test_client_open(&other, vf);
	fn->device->vf_token->uuid = (struct svf_uuid){{0}};
	test_log_clear();
	assert_int_equal(test_get_device(other.group,
					 VF " vf_token=00000000-0000-0000-0000-000000000000",
					 &file),
			 0);
	assert_true(
		test_log_has("vfio-pci 0000:01:10.0: Hardware bug: VF reports bogus INTx pin 1"));
	assert_int_equal(svf_config_read(vf, PCI_VENDOR_ID, 4), 0xffffffff);
	assert_int_equal(get(PCI_VENDOR_ID, 4), 0x00051b36);
	assert_int_equal(get(PCI_INTERRUPT_PIN, 1), 0);
	assert_int_equal(get(PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
	put(PCI_COMMAND, 2, 0);
	assert_int_equal(get(PCI_COMMAND, 2), 0);
	/* Its memory is switched at the PF, whatever the bit says. */
	test_put(file, 0, 0, 4, 1);
	put(PCI_COMMAND, 1, PCI_COMMAND_MEMORY);
	assert_int_equal(get(PCI_COMMAND, 1), PCI_COMMAND_MEMORY);
	put(PCI_BASE_ADDRESS_0, 4, 0xffffffff);
	assert_int_equal(get(PCI_BASE_ADDRESS_0, 4), 0xffff000c);
	svf_file_close(file);
	file = pf;
	test_client_close(&other);
}

static unsigned int count_caps(unsigned int *ret_last)
{
	unsigned int at = get(PCI_CAPABILITY_LIST, 1), n = 0;

	for (; at && n < 48; n++) {
		*ret_last = at;
		at = get(at + 1, 1);
	}
	return n;
}

static void hidden_capability(void **state)
{
	unsigned int last = 0, before = count_caps(&last), cap = fn->cap_msi;

	(void)state;
	/* Enhanced allocation is not shown; its place is handed through. */
	poke(fn, cap, PCI_CAP_ID_EA);
	reopen();
	assert_int_equal(count_caps(&last), before - 1);
	for (unsigned int at = get(PCI_CAPABILITY_LIST, 1); at; at = get(at + 1, 1))
		assert_int_not_equal(at, cap);
	assert_int_equal(get(cap, 1), PCI_CAP_ID_EA);
}

static void no_capability_shown(void **state)
{
	unsigned int at = fn->config[PCI_CAPABILITY_LIST];

	(void)state;
	poke(fn, at, PCI_CAP_ID_EA);
	poke(fn, at + 1, 0);
	reopen();
	assert_int_equal(get(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, 0);
	assert_int_equal(get(PCI_CAPABILITY_LIST, 1), 0);
}

static void hidden_extended_capabilities(void **state)
{
	uint32_t first = physical(256, 4), second;
	unsigned int at = first >> 20;

	(void)state;
	second = physical(at, 4);
	/* The second in the chain: left out. PASID is one that users do not see. */
	poke32(at, (second & 0xffff0000) | 0x1b);
	reopen();
	assert_int_equal(get(256, 4) >> 20, second >> 20);
	poke32(at, second);
	/* The first: its place stays, without name. */
	poke32(256, (first & 0xffff0000) | 0x1b);
	reopen();
	assert_int_equal(get(256, 4), first & 0xfff00000);
	put(256, 4, 0xffffffff);
	assert_int_equal(get(256, 4), first & 0xfff00000);
	/* All of them: nothing. */
	poke32(256, 0x1b);
	reopen();
	assert_int_equal(get(256, 4), 0);
	poke32(256, first);
}

/*
 * Config space that no device should have: loops, ends, lengths beyond the end. Nothing is read or
 * written elsewhere.
 */
static void absurd_chains(void **state)
{
	uint8_t saved[SVF_PCIE_CONFIG_SIZE], buf[SVF_PCIE_CONFIG_SIZE];

	(void)state;
	memcpy(saved, fn->reset_config, sizeof(saved));
	for (unsigned int seed = 0; seed < 200; seed++) {
		uint32_t x = seed * 2654435761u + 1;

		for (unsigned int i = 0x40; i < sizeof(saved); i++) {
			x = x * 1664525 + 1013904223;
			/* Small ids and links, mostly. */
			poke(fn, i, (uint8_t)(x >> 28 ? (x >> 24) % 0x25 : x >> 16));
		}
		poke(fn, PCI_CAPABILITY_LIST, (uint8_t)(x >> 8));
		reopen();
		assert_int_equal(test_read(file, (uint64_t)CONFIG << 40, buf, sizeof(buf)),
				 sizeof(buf));
		memset(buf + 0x40, 0xff, sizeof(buf) - 0x40);
		assert_int_equal(test_write(file, (uint64_t)CONFIG << 40, buf, sizeof(buf)),
				 sizeof(buf));
	}
	for (unsigned int i = 0x34; i < sizeof(saved); i++)
		poke(fn, i, saved[i]);
	reopen();
}

/* Somebody resets the function behind the driver's back. */
static void backdoor_reset(void **state)
{
	uint32_t bar0 = physical(PCI_BASE_ADDRESS_0, 4);

	(void)state;
	svf_config_write(fn, PCI_BASE_ADDRESS_0, 4, 0);
	svf_config_write(fn, PCI_COMMAND, 2, 0);
	test_log_clear();
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_true(test_log_has(
		"vfio-pci 0000:01:00.0: vfio_bar_restore: reset recovery - restoring BARs"));
	assert_int_equal(physical(PCI_BASE_ADDRESS_0, 4), bar0);
	test_log_clear();
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(test_log_count(), 0);
}

/* Once closed, the function is as it was, whatever its user wrote. */
static void restored_at_close(void **state)
{
	uint8_t before[256];

	(void)state;
	memcpy(before, fn->config, sizeof(before));
	put(PCI_COMMAND, 2, 0);
	put(PCI_CACHE_LINE_SIZE, 1, 0x10);
	put(fn->cap_exp + PCI_EXP_DEVCTL, 2, 0x201f);
	reopen();
	assert_memory_equal(before, fn->config, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(header, setup, teardown),
		cmocka_unit_test_setup_teardown(bars, setup, teardown),
		cmocka_unit_test_setup_teardown(power_management, setup, teardown),
		cmocka_unit_test_setup_teardown(power_of_a_pf_with_vfs, setup, teardown),
		cmocka_unit_test_setup_teardown(msi_without_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(msix_is_the_hosts, setup, teardown),
		cmocka_unit_test_setup_teardown(express, setup, teardown),
		cmocka_unit_test_setup_teardown(function_level_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(function_level_reset_by_af, setup, teardown),
		cmocka_unit_test_setup_teardown(vf_looks_like_a_function, setup, teardown),
		cmocka_unit_test_setup_teardown(hidden_capability, setup, teardown),
		cmocka_unit_test_setup_teardown(no_capability_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(hidden_extended_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(absurd_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(backdoor_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(restored_at_close, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
