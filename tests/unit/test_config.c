/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Config space as setpci sees it: what can be written, what a write does, what capabilities there
 * are, also when the lists that lead to them are damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/pci_regs.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pci/bus.h"
#include "core/pci/caps.h"
#include "include/softvfio/model.h"
#include "topo_fixture.h"

#define ADDRESS "0000:01:00.0"

static struct svf_machine *machine;
static struct svf_function *fn;

static int setup(void **state)
{
	machine = test_device_machine("at=" ADDRESS
				      " bar0=1M:64:pref bar4=64:io vendor=1234 revision=7");
	fn = test_at(machine, ADDRESS);
	return 0;
}

static int teardown(void **state)
{
	test_machine_end(machine);
	return 0;
}

static uint32_t written(unsigned int offset, unsigned int size, uint32_t value)
{
	svf_config_write(fn, offset, size, value);
	return svf_config_read(fn, offset, size);
}

static void test_identity_is_read_only(void **state)
{
	assert_int_equal(written(PCI_VENDOR_ID, 4, 0), 0x00051234);
	assert_int_equal(written(PCI_CLASS_REVISION, 4, 0), 0xff000007);
	assert_int_equal(written(PCI_HEADER_TYPE, 1, 0xff), 0);
}

static void test_command_has_its_bits(void **state)
{
	assert_int_equal(written(PCI_COMMAND, 2, 0xffff), 0x0547);
	assert_int_equal(written(PCI_COMMAND, 2, 0), 0);
	/* Bytes of it alone, and a write over both command and status. */
	assert_int_equal(written(PCI_COMMAND + 1, 1, 0x04), 0x04);
	assert_int_equal(written(PCI_COMMAND, 4, 0x00000006) & 0xffff, 6);
}

static void test_bars_can_be_sized(void **state)
{
	assert_int_equal(written(PCI_BASE_ADDRESS_0, 4, 0xffffffff), 0xfff0000c);
	assert_int_equal(written(PCI_BASE_ADDRESS_1, 4, 0xffffffff), 0xffffffff);
	assert_int_equal(written(PCI_BASE_ADDRESS_4, 4, 0xffffffff), 0xffffffc1);
	assert_int_equal(written(PCI_BASE_ADDRESS_5, 4, 0xffffffff), 0);
	assert_int_equal(written(PCI_ROM_ADDRESS, 4, 0xffffffff), 0);
	/* The address the kernel goes by is the one it assigned. */
	assert_true(fn->bars[0].address > 0xffffffff);
}

static void test_power_states(void **state)
{
	unsigned int pmcsr = fn->cap_pm + PCI_PM_CTRL;

	svf_config_write(fn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_true(svf_function_memory_enabled(fn));
	assert_int_equal(written(pmcsr, 2, 3) & 3, 3);
	assert_int_equal(svf_function_power_state(fn), 3);
	assert_false(svf_function_memory_enabled(fn));
	/* No_Soft_Reset: nothing is lost on the way back. */
	assert_int_equal(written(pmcsr, 2, 0) & 3, 0);
	assert_true(svf_function_memory_enabled(fn));
}

static void test_flr_by_device_control(void **state)
{
	unsigned int devctl = fn->cap_exp + PCI_EXP_DEVCTL;
	uint32_t before = svf_config_read(fn, devctl, 2);

	svf_config_write(fn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	svf_config_write(fn, devctl, 2, before | PCI_EXP_DEVCTL_URRE);
	memset(fn->bars[0].ram->base, 0xaa, 16);
	svf_config_write(fn, devctl, 2, before | PCI_EXP_DEVCTL_BCR_FLR);

	assert_int_equal(svf_config_read(fn, devctl, 2), before);
	assert_int_equal(svf_config_read(fn, PCI_COMMAND, 2), 0);
	assert_int_equal(svf_config_read(fn, PCI_BASE_ADDRESS_0, 4), 0x0000000c);
	assert_int_equal(fn->bars[0].ram->base[15], 0);
}

static void test_msi_masks_follow_vectors(void **state)
{
	assert_int_equal(svf_function_msi_vectors(fn), 8);
	assert_int_equal(written(fn->cap_msi + PCI_MSI_MASK_64, 4, 0xffffffff), 0xff);
	assert_int_equal(written(fn->cap_msi + PCI_MSI_FLAGS, 2, 0xffff) & 0xfff1,
			 PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE | PCI_MSI_FLAGS_64BIT |
				 PCI_MSI_FLAGS_MASKBIT);
}

static void test_msix_has_its_own_bar(void **state)
{
	struct svf_msix_layout msix;

	assert_true(svf_function_msix(fn, &msix));
	assert_int_equal(msix.vectors, 16);
	assert_int_equal(msix.table_bar, 2);
	assert_int_equal(msix.pba_bar, 2);
	assert_true(msix.table_offset + 16 * 16 <= msix.pba_offset);
	assert_true(msix.pba_offset + 8 <= fn->bars[2].size);
	assert_int_equal(written(fn->cap_msix + PCI_MSIX_FLAGS, 2, 0xffff), 0xc00f);
}

static void test_vf_enable_is_not_for_setpci(void **state)
{
	unsigned int control = fn->sriov.cap + PCI_SRIOV_CTRL;

	assert_int_equal(written(control, 2, 0xffff) & PCI_SRIOV_CTRL_VFE, 0);
	assert_int_equal(written(fn->sriov.cap + PCI_SRIOV_NUM_VF, 2, 4), 0);
	/* One VF's BAR can be sized. */
	assert_int_equal(written(fn->sriov.cap + PCI_SRIOV_BAR, 4, 0xffffffff), 0xffff000c);
}

static void test_status_is_cleared_by_ones(void **state)
{
	svf_put_le16(fn->config + PCI_STATUS, 0xf910);
	assert_int_equal(written(PCI_STATUS, 2, 0x8000), 0x7910);
	assert_int_equal(written(PCI_STATUS, 2, 0), 0x7910);
	assert_int_equal(written(PCI_STATUS, 2, 0xffff), 0x0010);
}

/* --- INTx: the level at the pin --- */

static int line = -1;

static void sink_intx(struct svf_function *f, bool level)
{
	line = level;
}

static unsigned int last_vector, messages;

static void sink_msi(struct svf_function *f, unsigned int vector)
{
	last_vector = vector;
	messages++;
}

static const struct svf_irq_sink sink = {.msi = sink_msi, .intx = sink_intx};

static void test_intx_disable_masks_the_line(void **state)
{
	fn->irq_sink = &sink;
	svf_model_set_intx(fn, true);
	assert_int_equal(line, 1);
	assert_int_equal(svf_config_read(fn, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
			 PCI_STATUS_INTERRUPT);
	svf_config_write(fn, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(line, 0);
	assert_int_equal(svf_config_read(fn, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
			 PCI_STATUS_INTERRUPT);
	svf_config_write(fn, PCI_COMMAND, 2, 0);
	assert_int_equal(line, 1);
	svf_model_set_intx(fn, false);
	assert_int_equal(line, 0);
	fn->irq_sink = NULL;
}

static void test_messages_need_bus_mastering(void **state)
{
	messages = 0;
	fn->irq_sink = &sink;
	svf_model_raise_msi(fn, 3);
	assert_int_equal(messages, 0);
	svf_config_write(fn, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	svf_model_raise_msi(fn, 3);
	svf_model_raise_msi(fn, 16);
	assert_int_equal(messages, 1);
	assert_int_equal(last_vector, 3);
	fn->irq_sink = NULL;
}

/* --- damaged lists --- */

static void count_reg(struct svf_function *f, const struct svf_reg *reg, void *arg)
{
	assert_true(reg->offset + reg->size <= f->config_size);
	++*(unsigned int *)arg;
}

static void test_loops_and_cut_off_capabilities(void **state)
{
	unsigned int regs = 0;

	/* A capability that leads to itself, and an extended one likewise. */
	fn->config[PCI_CAPABILITY_LIST] = 0xfc;
	fn->config[0xfc] = PCI_CAP_ID_EXP;
	fn->config[0xfd] = 0xfc;
	svf_put_le32(fn->config + 0x100, PCI_EXT_CAP_ID_ACS | 1u << 16 | 0xffcu << 20);
	svf_put_le32(fn->config + 0xffc, PCI_EXT_CAP_ID_ACS | 1u << 16 | 0xffcu << 20);
	svf_caps_for_each_reg(fn, count_reg, &regs);
	assert_true(regs > 0);
	assert_int_equal(svf_config_find_cap(fn, PCI_CAP_ID_EXP), 0xfc);
	assert_int_equal(svf_config_find_cap(fn, PCI_CAP_ID_MSI), 0);
	assert_int_equal(svf_config_find_ext_cap(fn, PCI_EXT_CAP_ID_ERR), 0);
	svf_caps_scan(fn);
	assert_int_equal(fn->cap_exp, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		T(test_identity_is_read_only),	     T(test_command_has_its_bits),
		T(test_bars_can_be_sized),	     T(test_power_states),
		T(test_flr_by_device_control),	     T(test_msi_masks_follow_vectors),
		T(test_msix_has_its_own_bar),	     T(test_vf_enable_is_not_for_setpci),
		T(test_status_is_cleared_by_ones),   T(test_intx_disable_masks_the_line),
		T(test_messages_need_bus_mastering), T(test_loops_and_cut_off_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
