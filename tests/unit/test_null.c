/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The null model: what its options make, and functions taken from dumps of real ones. The dumps are
 * those of the machine that the conformance cases were recorded on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/iommu/group.h"
#include "core/pci/bus.h"
#include "models/null/dump.h"
#include "topo_fixture.h"

#define DEVICE "0000:01:00.0"

static void test_defaults_suit_clients(void **state)
{
	struct svf_machine *machine = test_device_machine("at=" DEVICE);
	struct svf_function *fn = test_at(machine, DEVICE);

	/* A power of two, mapped whole: the MSI-X table is elsewhere. */
	assert_int_equal(fn->bars[0].size, 1 << 20);
	assert_non_null(fn->bars[0].ram);
	assert_int_equal(fn->bars[0].ram->size, 1 << 20);
	assert_int_equal(fn->bars[2].size, 4096);
	assert_true(fn->cap_msi && fn->cap_msix && fn->cap_exp && fn->cap_pm && fn->has_flr);
	assert_int_equal(fn->config[PCI_INTERRUPT_PIN], 1);
	assert_int_equal(fn->sriov.total_vfs, 8);
	assert_int_equal(svf_function_class(fn), 0xff0000);
	assert_int_equal(fn->config_size, 4096);
	test_machine_end(machine);
}

static void test_everything_off(void **state)
{
	struct svf_machine *machine = test_device_machine(
		"at=" DEVICE
		" bar0=none msi=0 msix=0 intx=none pm=off flr=off pcie=off vendor=8086 device=100e "
		"class=020000 subvendor=1 subdevice=2 revision=3");
	struct svf_function *fn = test_at(machine, DEVICE);

	assert_false(fn->cap_msi || fn->cap_msix || fn->cap_exp || fn->cap_pm || fn->has_flr);
	assert_int_equal(fn->config[PCI_STATUS] & PCI_STATUS_CAP_LIST, 0);
	assert_int_equal(fn->config[PCI_INTERRUPT_PIN], 0);
	assert_int_equal(fn->config_size, 256);
	assert_int_equal(svf_get_le32(fn->config + PCI_SUBSYSTEM_VENDOR_ID), 0x00020001);
	assert_int_equal(svf_get_le32(fn->config + PCI_CLASS_REVISION), 0x02000003);
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++)
		assert_int_equal(fn->bars[i].size, 0);
	test_machine_end(machine);
}

static void test_msix_in_a_bar_of_ones_choice(void **state)
{
	struct svf_machine *machine = test_device_machine(
		"at=" DEVICE " msix=2048 msixbar=0 vfbar0=1M:64:pref vfmsix=100");
	struct svf_function *fn = test_at(machine, DEVICE);
	struct svf_msix_layout msix;

	assert_true(svf_function_msix(fn, &msix));
	assert_int_equal(msix.vectors, 2048);
	assert_int_equal(msix.table_bar, 0);
	assert_int_equal(msix.table_offset, (1 << 20) - 65536);
	assert_int_equal(msix.pba_offset + 2048 / 8, 1 << 20);
	assert_int_equal(fn->bars[2].size, 0);
	test_machine_end(machine);
}

static void test_io_bar_holds_what_is_written(void **state)
{
	struct svf_machine *machine = test_device_machine("at=" DEVICE " bar3=256:io");
	struct svf_function *fn = test_at(machine, DEVICE);
	char text[4] = "";

	assert_null(fn->bars[3].ram);
	svf_bar_write(fn, 3, 252, "end", 4);
	svf_bar_read(fn, 3, 252, text, 4);
	assert_string_equal(text, "end");
	test_machine_end(machine);
}

/* --- dumps --- */

static struct test_topology t;
static char *texts[16];
static unsigned int text_count;

static int setup(void **state)
{
	test_topology_init(&t);
	text_count = 0;
	return 0;
}

static int teardown(void **state)
{
	while (text_count)
		free(texts[--text_count]);
	return 0;
}

static void add_dump(struct svf_topology_node *parent, const char *words, const char *address)
{
	struct svf_topology_node *node = test_node(&t, parent, SVF_TOPOLOGY_DEVICE, words);
	char name[80] = "tests/conformance/machine/";

	strcat(name, address);
	strcat(name, ".txt");
	texts[text_count] = test_repository_file(name);
	test_option(&t, node, "dump", texts[text_count++]);
}

static void check_bars(const struct svf_function *fn, const struct svf_bar expected[SVF_PCI_BARS])
{
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		assert_int_equal(fn->bars[i].kind, expected[i].kind);
		assert_int_equal(fn->bars[i].size, expected[i].size);
		assert_int_equal(fn->bars[i].prefetchable, expected[i].prefetchable);
	}
}

static void test_igb(void **state)
{
	static const struct svf_bar pf_bars[SVF_PCI_BARS] = {
		{.kind = SVF_BAR_MEM32, .size = 0x20000},
		{.kind = SVF_BAR_MEM32, .size = 0x20000},
		{.kind = SVF_BAR_IO, .size = 32},
		{.kind = SVF_BAR_MEM64, .size = 0x4000},
		{.kind = SVF_BAR_MEM64_HIGH},
	};
	static const struct svf_bar vf_bars[SVF_PCI_BARS] = {
		{.kind = SVF_BAR_MEM64, .size = 0x4000, .prefetchable = true},
		{.kind = SVF_BAR_MEM64_HIGH},
		{.kind = SVF_BAR_NONE},
		{.kind = SVF_BAR_MEM64, .size = 0x4000, .prefetchable = true},
		{.kind = SVF_BAR_MEM64_HIGH},
	};
	struct svf_machine *machine;
	struct svf_function *pf, *vf;
	struct svf_msix_layout msix;

	add_dump(NULL, "at=0000:01:00.0 vfs=2", "0000:01:00.0");
	machine = test_topology_machine(&t);
	pf = test_at(machine, "0000:01:00.0");
	assert_int_equal(svf_get_le32(pf->config), 0x10c98086);
	check_bars(pf, pf_bars);
	assert_int_equal(pf->reset_methods, SVF_RESET_FLR | SVF_RESET_PM | SVF_RESET_BUS);
	assert_true(svf_function_msix(pf, &msix));
	assert_int_equal(msix.vectors, 10);
	assert_int_equal(msix.table_bar, 3);
	/* Nothing that the dumped machine had enabled is on. */
	assert_int_equal(svf_get_le16(pf->config + PCI_COMMAND), 0);
	assert_int_equal(pf->sriov.total_vfs, 8);

	vf = test_at(machine, "0000:01:10.2");
	assert_int_equal(svf_function_device_id(vf), 0x10ca);
	check_bars(vf, vf_bars);
	assert_true(svf_function_msix(vf, &msix));
	assert_int_equal(msix.table_bar, 3);
	assert_int_equal(vf->reset_methods, SVF_RESET_FLR);
	test_machine_end(machine);
}

static void test_nvme(void **state)
{
	struct svf_machine *machine;
	struct svf_function *vf;

	add_dump(NULL, "at=0000:02:00.0 vfs=2 vfmsix=3", "0000:02:00.0");
	machine = test_topology_machine(&t);
	vf = test_at(machine, "0000:02:00.2");
	assert_int_equal(svf_function_class(vf), 0x010802);
	assert_int_equal(svf_function_device_id(vf), 0x0010);
	assert_int_equal(vf->bars[0].kind, SVF_BAR_MEM64);
	assert_int_equal(vf->bars[0].size, 0x4000);
	assert_int_equal(test_at(machine, "0000:02:00.0")->reset_methods,
			 SVF_RESET_FLR | SVF_RESET_BUS);
	test_machine_end(machine);
}

static void test_conventional_ones(void **state)
{
	struct svf_topology_node *port = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, "slot=4.0");
	struct svf_topology_node *bridge = test_node(&t, port, SVF_TOPOLOGY_PCIE_PCI_BRIDGE, "");
	struct svf_function *edu, *e1000;
	struct svf_machine *machine;

	add_dump(NULL, "slot=5.0", "0000:00:05.0");
	add_dump(bridge, "at=0000:04:00.0", "0000:04:00.0");
	add_dump(bridge, "at=0000:04:01.0", "0000:04:01.0");
	machine = test_topology_machine(&t);
	edu = test_at(machine, "0000:00:05.0");
	assert_int_equal(edu->config_size, 256);
	assert_int_equal(svf_function_msi_vectors(edu), 1);
	assert_int_equal(edu->bars[0].size, 1 << 20);
	assert_int_equal(edu->reset_methods, 0);
	e1000 = test_at(machine, "0000:04:00.0");
	assert_int_equal(e1000->bars[0].size, 0x20000);
	assert_int_equal(e1000->bars[1].kind, SVF_BAR_IO);
	assert_int_equal(e1000->bars[1].size, 64);
	assert_ptr_equal(e1000->group, test_at(machine, "0000:04:01.0")->group);
	assert_int_equal(e1000->reset_methods, SVF_RESET_BUS);
	test_machine_end(machine);
}

static void test_two_functions(void **state)
{
	struct svf_machine *machine;
	struct svf_function *fn;

	add_dump(NULL, "at=0000:05:00.0", "0000:05:00.0");
	add_dump(NULL, "at=0000:05:00.1", "0000:05:00.1");
	machine = test_topology_machine(&t);
	fn = test_at(machine, "0000:05:00.0");
	assert_ptr_equal(fn->group, test_at(machine, "0000:05:00.1")->group);
	assert_int_equal(fn->reset_methods, SVF_RESET_PM | SVF_RESET_BUS);
	assert_int_equal(fn->bars[3].size, 0x4000);
	test_machine_end(machine);
}

/* --- the whole machine --- */

/* "group 7: 0000:00:1f.0 0000:00:1f.2" for the group a function is in, as in groups.txt. */
static void group_line(const struct svf_iommu_group *group, char *line, size_t size)
{
	const struct svf_function *fn;
	size_t used = (size_t)snprintf(line, size, "group %u:", group->id);

	svf_list_for_each(fn, &group->functions, group_link)
		used += (size_t)snprintf(line + used, size - used, " " SVF_BDF_FMT,
					 SVF_BDF_ARG(fn->bdf));
	snprintf(line + used, size - used, "\n");
}

static void test_groups_of_the_whole_machine(void **state)
{
	static const char *const on_root[] = {"0000:00:01.0", "0000:00:05.0", "0000:00:1f.0",
					      "0000:00:1f.2", "0000:00:1f.3"};
	struct svf_topology_node *ports[4], *bridge;
	const struct svf_iommu_group *group;
	struct svf_machine *machine;
	char words[40], line[160];
	char *groups = test_repository_file("tests/conformance/machine/groups.txt");
	unsigned int count = 0;

	for (size_t i = 0; i < SVF_ARRAY_SIZE(on_root); i++) {
		snprintf(words, sizeof(words), "at=%s driver=none", on_root[i]);
		add_dump(NULL, words, on_root[i]);
	}
	for (unsigned int i = 0; i < 4; i++) {
		snprintf(words, sizeof(words), "slot=%u.0", i < 3 ? i + 2 : 6);
		ports[i] = test_node(&t, NULL, SVF_TOPOLOGY_ROOT_PORT, words);
	}
	bridge = test_node(&t, ports[2], SVF_TOPOLOGY_PCIE_PCI_BRIDGE, "at=0000:03:00.0");
	add_dump(ports[0], "at=0000:01:00.0 vfs=2", "0000:01:00.0");
	add_dump(ports[1], "at=0000:02:00.0 vfs=2", "0000:02:00.0");
	add_dump(bridge, "at=0000:04:00.0", "0000:04:00.0");
	add_dump(bridge, "at=0000:04:01.0", "0000:04:01.0");
	add_dump(ports[3], "at=0000:05:00.0", "0000:05:00.0");
	add_dump(ports[3], "at=0000:05:00.1", "0000:05:00.1");
	machine = test_topology_machine(&t);
	svf_list_for_each(group, &machine->groups, link) {
		group_line(group, line, sizeof(line));
		if (!strstr(groups, line))
			fail_msg("not on the real machine: %s", line);
		count++;
	}
	assert_int_equal(count, 16);
	test_machine_end(machine);
	free(groups);
}

#define LINE0 "00: 86 80 34 12 00 00 00 00 00 00 00 02 00 00 00 00\n"
#define ZERO  " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"

static void test_lspci_lines(void **state)
{
	static const char text[] =
		"0000:07:00.0 Ethernet controller: Example\n"
		"\tRegion 0: Memory at fe800000 (64-bit, prefetchable) [size=128K]\n"
		"\tRegion 2: I/O ports at e000 [size=32]\n"
		"\t\tRegion 3: Memory at c000000000 (64-bit)\n" LINE0
		"10: 0c 00 80 fe 00 00 00 00 01 e0 00 00 00 00 00 00\n"
		"20:" ZERO "30:" ZERO "07:00.1 Ethernet controller: Another\n"
		"\tRegion 0: Memory at fe800000 (32-bit) [size=4K]\n"
		"00: 11 11 11 11 00 00 00 00 00 00 00 00 00 00 00 00\n";
	struct svf_null_dump *dump = calloc(1, sizeof(*dump));
	struct svf_model_bar bars[6];

	assert_non_null(dump);
	assert_int_equal(svf_null_dump_read(text, dump, NULL), 0);
	assert_int_equal(dump->len, 64);
	assert_int_equal(dump->config[0], 0x86);
	svf_null_dump_bars(dump, PCI_BASE_ADDRESS_0, bars);
	assert_int_equal(bars[0].type, SVF_MODEL_BAR_MEM64);
	assert_int_equal(bars[0].size, 128 * 1024);
	assert_true(bars[0].prefetchable);
	assert_int_equal(bars[1].type, SVF_MODEL_BAR_NONE);
	assert_int_equal(bars[2].type, SVF_MODEL_BAR_IO);
	assert_int_equal(bars[2].size, 32);
	assert_int_equal(bars[3].type, SVF_MODEL_BAR_NONE);
	free(dump);
}

static const struct {
	const char *words, *text, *part;
} refused[] = {
	{"", "", "no line like"},
	{"", "07:00.0 Ethernet controller: only a title\n", "no line like"},
	{"", LINE0, "up to 0x10"},
	{"", LINE0 "10:" ZERO "20:" ZERO "30: 00\n", "up to 0x31"},
	{"", "00: 86 80 34 12 00 00 00 00 00 00 04 06 00 00 01 00\n10:" ZERO "20:" ZERO "30:" ZERO,
	 "bridge or port"},
	{"vendor=8086", LINE0 "10:" ZERO "20:" ZERO "30:" ZERO, "cannot stand beside dump="},
	{"vfs=1", LINE0 "10:" ZERO "20:" ZERO "30:" ZERO, "no SR-IOV capability"},
};

static void test_dumps_refused(void **state)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(refused); i++) {
		test_topology_init(&t);
		test_option(&t, test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, refused[i].words), "dump",
			    refused[i].text);
		assert_int_equal(test_topology_refused(&t), -EINVAL);
		if (!strstr(t.error.text, refused[i].part))
			fail_msg("%zu: \"%s\"", i, t.error.text);
	}
}

static void test_sizes_that_nobody_says(void **state)
{
	struct svf_machine *machine;
	struct svf_function *fn;

	test_option(&t, test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" DEVICE " bar4=1M"), "dump",
		    LINE0 "10: 0c 00 80 fe 00 00 00 00 01 e0 00 00 00 00 00 00\n20: 00 00 50 fe 00 "
			  "00 00 00 00 00 00 00 00 00 00 00\n"
			  "30:" ZERO);
	machine = test_topology_machine(&t);
	fn = test_at(machine, DEVICE);
	assert_int_equal(fn->bars[0].kind, SVF_BAR_MEM64);
	assert_int_equal(fn->bars[0].size, 4096);
	assert_int_equal(fn->bars[2].size, 32);
	assert_int_equal(fn->bars[4].kind, SVF_BAR_MEM32);
	assert_int_equal(fn->bars[4].size, 1 << 20);
	test_machine_end(machine);
}

/*
 * Any bytes make a function or a refusal, never a fault: each byte of the igb's first 512 in turn
 * is all ones, and software then writes all of config space.
 */
static void test_damaged_dumps(void **state)
{
	char *text = test_repository_file("tests/conformance/machine/0000:01:00.0.txt");
	char *line = strstr(text, "\n00: ");
	unsigned int built = 0;

	assert_non_null(line);
	line++;
	for (unsigned int byte = 0; byte < 512; byte++) {
		struct svf_machine *machine = test_machine();
		char *at = strchr(line, ':') + 2 + 3 * (byte % 16);
		char saved[2] = {at[0], at[1]};

		test_topology_init(&t);
		test_option(&t,
			    test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "at=" DEVICE " driver=none"),
			    "dump", text);
		at[0] = at[1] = 'f';
		if (svf_machine_build(machine, &t.topology, &t.error) == 0) {
			struct svf_function *fn = test_at(machine, DEVICE);

			for (unsigned int i = 0; i < fn->config_size; i += 4)
				svf_config_write(fn, i, 4, 0xffffffff);
			built++;
		} else {
			assert_string_not_equal(t.error.text, "");
		}
		test_machine_end(machine);
		test_topology_fini(&t);
		at[0] = saved[0];
		at[1] = saved[1];
		if (byte % 16 == 15)
			line = strchr(line, '\n') + 1;
	}
	assert_in_range(built, 256, 511);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		T(test_defaults_suit_clients),
		T(test_everything_off),
		T(test_msix_in_a_bar_of_ones_choice),
		T(test_io_bar_holds_what_is_written),
		T(test_igb),
		T(test_nvme),
		T(test_conventional_ones),
		T(test_two_functions),
		T(test_groups_of_the_whole_machine),
		T(test_lspci_lines),
		T(test_dumps_refused),
		T(test_sizes_that_nobody_says),
		T(test_damaged_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
