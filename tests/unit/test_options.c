/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A model's options, against the table of the null model: each mistake is told with what would be
 * right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/pci/options.h"
#include "include/softvfio/builtin.h"
#include "topo_fixture.h"

static const struct {
	const char *words, *part; /* of the message */
} refused[] = {
	{"nonsense=1", "unknown option 'nonsense' of model null; options are vfs, totalvfs,"},
	{"vfs=1 vfs=2", "given twice"},
	{"vfs=x", "is not a number; it is a number from 0 to 256"},
	{"vfs=257", "is out of range"},
	{"vfs=9", "more than totalvfs=8"},
	{"totalvfs=2 vfs=3", "more than totalvfs=2"},
	{"vendor=10000", "is out of range"},
	{"vendor=ffff", "is out of range"},
	{"device=xyz", "is not a hexadecimal number"},
	{"bar0=", "power of two"},
	{"bar0=3K", "power of two"},
	{"bar0=8", "cannot have a size of 8 bytes"},
	{"bar0=64K:65", "none of 32, 64, io, pref, trap"},
	{"bar0=64:io:pref", "both io and pref"},
	{"bar0=64:io:trap", "both io and pref or trap"},
	{"bar0=512:io", "cannot have a size of 512 bytes"},
	{"bar5=64K:64", "there is no BAR 6"},
	{"bar1=4K", "upper half of the 64-bit BAR before it"},
	{"msi=3", "must be a power of two"},
	{"msix=2049", "is out of range"},
	{"msixbar=0 bar0=4K msix=2048", "must be memory of at least 65536 bytes"},
	{"intx=E", "none of A, B, C, D and none"},
	{"pm=maybe", "neither on nor off"},
	{"vfbar0=2K:64:pref", "memory of at least 4096 bytes"},
	{"vfbar0=64:io", "memory of at least 4096 bytes"},
	{"stride=0", "is out of range"},
	{"pcie=off totalvfs=2", "only a PCI Express function can have VFs"},
	{"dump=nothing", "no line like"},
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < SVF_ARRAY_SIZE(refused); i++) {
		struct test_topology t;

		test_topology_init(&t);
		test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, refused[i].words);
		assert_int_equal(test_topology_refused(&t), -EINVAL);
		if (!strstr(t.error.text, refused[i].part))
			fail_msg("%s: \"%s\"", refused[i].words, t.error.text);
	}
}

static void test_place_of_the_option_is_told(void **state)
{
	struct test_topology t;

	test_topology_init(&t);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, "vfs=0 msi=5 pm=on");
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	assert_int_equal(t.error.line, 1);
	assert_int_equal(t.error.column, 2); /* the second option written */
}

static void test_every_option_is_documented(void **state)
{
	for (unsigned int m = 0; svf_models[m]; m++) {
		const struct svf_model_ops *model = svf_models[m];

		assert_ptr_equal(svf_model_lookup(model->name), model);
		assert_non_null(model->help);
		for (unsigned int i = 0; i < svf_options_count(model->options); i++) {
			const struct svf_model_option *option = &model->options[i];

			assert_true(strlen(option->name) > 0 && strlen(option->help) > 0);
			assert_true(strlen(option->value_name) > 0);
			assert_true(option->min <= option->max);
			for (unsigned int j = 0; j < i; j++)
				assert_string_not_equal(option->name, model->options[j].name);
		}
	}
	assert_null(svf_model_lookup("nul"));
}

static void test_defaults_and_values(void **state)
{
	struct svf_topology_option vfs = {.key = "vfs", .value = "0x3"},
				   bar = {.key = "bar2", .value = "2M:64:pref"};
	const struct svf_topology_option *wrong = NULL;
	const struct svf_model_ops *model = svf_model_lookup("null");
	struct svf_option_value *values;
	struct svf_model_error error;
	struct svf_list list;
	unsigned int found = 0;

	svf_list_init(&list);
	svf_list_add_tail(&list, &vfs.link);
	svf_list_add_tail(&list, &bar.link);
	assert_int_equal(svf_options_parse(model, &list, &values, &error, &wrong), 0);
	for (unsigned int i = 0; model->options[i].name; i++) {
		const char *name = model->options[i].name;

		if (strcmp(name, "vfs") == 0) {
			assert_true(values[i].given);
			assert_int_equal(values[i].number, 3);
			found++;
		} else if (strcmp(name, "bar2") == 0) {
			assert_int_equal(values[i].bar.type, SVF_MODEL_BAR_MEM64);
			assert_int_equal(values[i].bar.size, 2 << 20);
			assert_true(values[i].bar.prefetchable);
			found++;
		} else {
			assert_false(values[i].given);
			assert_int_equal(values[i].set, model->options[i].default_text != NULL);
		}
	}
	assert_int_equal(found, 2);
	free(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_place_of_the_option_is_told),
		cmocka_unit_test(test_every_option_is_documented),
		cmocka_unit_test(test_defaults_and_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
