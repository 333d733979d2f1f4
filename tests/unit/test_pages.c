/* SPDX-License-Identifier: BSD-3-Clause */
/* BARs whose pages are of several kinds: what is said of them, access by the file, and what is mapped. */
#include "core/pci/pages.h"

#include "include/softvfio/model.h"
#include "vfio_fixture.h"

#define DEVICE "0000:01:00.0"
#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX
#define PAGE   4096u

static struct svf_machine *machine;
static struct test_client client;
static struct svf_file *file;

/* BAR 0: two trapped pages, three whose stores are, eleven of memory, and in the last the MSI-X table. */
static int setup(void **state)
{
	(void)state;
	machine = test_vfio_machine(
		DEVICE
		" totalvfs=0 bar0=64K:trap=8K:trap-stores=12K msixbar=0 msix=16 bar2=64K:trap");
	file = test_open_device(&client, machine, DEVICE);
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

static void kinds_of(const struct svf_bar *bar, char *text)
{
	uint64_t end = 0;

	for (uint64_t at = 0; at < bar->size; at = end) {
		char c = "tro"[svf_pages_at(bar, at, &end)];

		assert_true(end > at && end <= bar->size);
		for (uint64_t i = at; i < end; i += PAGE)
			*text++ = c;
	}
	*text = 0;
}

static void runs(void **state)
{
	struct svf_function *fn = test_fn(machine, DEVICE);
	struct svf_model_error error;
	char kinds[17];

	(void)state;
	kinds_of(&fn->bars[0], kinds);
	assert_string_equal(kinds, "ttrrrooooooooooo");
	assert_int_equal(svf_model_set_pages(fn, 0, PAGE, 3 * PAGE, SVF_MODEL_PAGES_RAM, &error),
			 0);
	kinds_of(&fn->bars[0], kinds);
	assert_string_equal(kinds, "tooorooooooooooo");
	assert_int_equal(svf_model_set_pages(fn, 0, 0, 16 * PAGE, SVF_MODEL_PAGES_RAM, &error), 0);
	kinds_of(&fn->bars[0], kinds);
	assert_string_equal(kinds, "oooooooooooooooo");
	assert_int_equal(svf_model_set_pages(fn, 0, 15 * PAGE, PAGE, SVF_MODEL_PAGES_TRAP, &error),
			 0);
	kinds_of(&fn->bars[0], kinds);
	assert_string_equal(kinds, "ooooooooooooooot");
	assert_int_equal(svf_model_set_pages(fn, 2, PAGE, PAGE, SVF_MODEL_PAGES_RAM, &error), 0);
	kinds_of(&fn->bars[2], kinds);
	assert_string_equal(kinds, "totttttttttttttt");
	assert_non_null(svf_model_ram(fn, 2));
	assert_null(svf_model_read_ram(fn, 2));
}

static void refused(void **state)
{
	struct svf_function *fn = test_fn(machine, DEVICE);
	static const struct {
		unsigned int bar;
		uint64_t offset, len;
	} wrong[] = {{6, 0, PAGE},	   {1, 0, PAGE},    {0, 0, 0},
		     {0, 17 * PAGE, PAGE}, {0, 5, PAGE},    {0, 0, 100},
		     {0, PAGE, 16 * PAGE}, {0, PAGE, -PAGE}};

	(void)state;
	for (size_t i = 0; i < SVF_ARRAY_SIZE(wrong); i++) {
		struct svf_model_error error = {0};

		assert_int_equal(svf_model_set_pages(fn, wrong[i].bar, wrong[i].offset,
						     wrong[i].len, SVF_MODEL_PAGES_RAM, &error),
				 -EINVAL);
		assert_non_null(strstr(error.text, "has no whole pages of memory"));
	}
}

static void too_many_runs(void **state)
{
	struct svf_model_error error = {0};
	struct svf_function *fn;
	unsigned int i;
	int err = 0;

	teardown(state);
	machine = test_vfio_machine(DEVICE " totalvfs=0 bar0=1M");
	file = test_open_device(&client, machine, DEVICE);
	fn = test_fn(machine, DEVICE);
	for (i = 0; i < 128 && !err; i++)
		err = svf_model_set_pages(fn, 0, 2 * i * PAGE, PAGE, SVF_MODEL_PAGES_TRAP, &error);
	assert_int_equal(err, -EINVAL);
	assert_int_equal(i, SVF_BAR_RUNS_MAX / 2 + 1);
	assert_non_null(strstr(error.text, "more than 64 runs"));
}

/* Bytes of all kinds in one access, each to where it belongs. */
static void by_the_file(void **state)
{
	struct svf_function *fn = test_fn(machine, DEVICE);
	uint8_t in[7 * PAGE], out[7 * PAGE];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 31 + i / 256);
	assert_int_equal(test_write(file, 0, in, sizeof(in)), sizeof(in));
	assert_int_equal(test_read(file, 0, out, sizeof(out)), sizeof(out));
	assert_memory_equal(in, out, sizeof(in));
	assert_memory_equal(svf_model_read_ram(fn, 0) + 2 * PAGE, in + 2 * PAGE, 3 * PAGE);
	assert_memory_equal(svf_model_ram(fn, 0) + 5 * PAGE, in + 5 * PAGE, 2 * PAGE);
	/* Neither memory holds anything of the others. */
	assert_int_equal(svf_model_ram(fn, 0)[4 * PAGE + 1] | svf_model_ram(fn, 0)[1], 0);
	assert_int_equal(svf_model_read_ram(fn, 0)[5 * PAGE + 1] | svf_model_read_ram(fn, 0)[1], 0);
	/* Across each border, unaligned. */
	assert_int_equal(test_read(file, 2 * PAGE - 3, out, 7), 7);
	assert_memory_equal(out, in + 2 * PAGE - 3, 7);
	assert_int_equal(test_read(file, 5 * PAGE - 1, out, 2), 2);
	assert_memory_equal(out, in + 5 * PAGE - 1, 2);
}

static void reset_clears(void **state)
{
	uint64_t ones = ~0ull, value;

	(void)state;
	for (uint64_t at = 0; at < 65536 - 4096; at += PAGE)
		assert_int_equal(test_write(file, at, &ones, 8), 8);
	assert_int_equal(test_ioctl_value(file, VFIO_DEVICE_RESET, 0), 0);
	for (uint64_t at = 0; at < 65536 - 4096; at += PAGE) {
		assert_int_equal(test_read(file, at, &value, 8), 8);
		assert_true(value == 0);
	}
}

/* --- what is said and mapped --- */

struct answer {
	struct vfio_region_info info;
	uint8_t caps[256];
};

static void ask(uint32_t index, bool traps, uint32_t argsz, struct answer *ret)
{
	struct svf_call call = test_call(machine);

	memset(ret, 0, sizeof(*ret));
	ret->info = (struct vfio_region_info){.argsz = argsz, .index = index};
	call.offer_traps = traps;
	test_user_add((uint64_t)(uintptr_t)ret, sizeof(*ret), true);
	assert_int_equal(svf_file_ioctl(file, &call, VFIO_DEVICE_GET_REGION_INFO,
					(uint64_t)(uintptr_t)ret),
			 0);
	test_user_remove((uint64_t)(uintptr_t)ret, sizeof(*ret));
}

/* The next capability of the chain. */
static const void *cap_at(const struct answer *answer, uint32_t offset, uint16_t id)
{
	const struct vfio_info_cap_header *cap = (const void *)((const uint8_t *)answer + offset);

	assert_in_range(offset, sizeof(answer->info), sizeof(*answer) - sizeof(*cap));
	assert_int_equal(cap->id, id);
	assert_int_equal(cap->version, 1);
	return cap;
}

static void offered_whole(void **state)
{
	const uint32_t rwm = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
			     VFIO_REGION_INFO_FLAG_MMAP;
	const struct vfio_info_cap_header *cap;
	struct answer answer;

	(void)state;
	ask(0, true, sizeof(answer), &answer);
	assert_int_equal(answer.info.flags, rwm | VFIO_REGION_INFO_FLAG_CAPS);
	cap = cap_at(&answer, answer.info.cap_offset, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE);
	assert_int_equal(cap->next, 0);
	ask(2, true, sizeof(answer), &answer);
	assert_int_equal(answer.info.flags, rwm);
}

/* Only what is memory through and through, and that this is so. */
static void offered_in_part(void **state)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse;
	const struct vfio_info_cap_header *cap;
	struct answer answer;

	(void)state;
	ask(0, false, sizeof(answer), &answer);
	assert_int_equal(answer.info.flags,
			 VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
				 VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS);
	sparse = cap_at(&answer, answer.info.cap_offset, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	assert_int_equal(sparse->nr_areas, 1);
	assert_int_equal(sparse->areas[0].offset, 5 * PAGE);
	assert_int_equal(sparse->areas[0].size, 11 * PAGE);
	cap = cap_at(&answer, sparse->header.next, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE);
	assert_int_equal(cap->next, 0);
	ask(0, false, sizeof(answer.info) + 24, &answer);
	assert_int_equal(answer.info.argsz, sizeof(answer.info) + 16 + 16 + 8);
	assert_int_equal(answer.info.cap_offset, 0);
	ask(2, false, sizeof(answer), &answer);
	assert_int_equal(answer.info.flags,
			 VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
}

static int map(uint64_t offset, uint64_t length, bool traps, struct svf_device_map *ret)
{
	struct svf_call call = test_call(machine);
	int err;

	memset(ret, 0, sizeof(*ret));
	call.offer_traps = traps;
	err = svf_device_mmap(file, &call, offset, length, true, ret);
	if (err)
		assert_true(call.reason[0]);
	return err;
}

static void mapped_in_runs(void **state)
{
	struct svf_function *fn = test_fn(machine, DEVICE);
	struct svf_device_map part;

	(void)state;
	assert_int_equal(map(0, 16 * PAGE, true, &part), 0);
	assert_null(part.ram);
	assert_int_equal(part.length, 2 * PAGE);
	assert_int_equal(map(2 * PAGE, 14 * PAGE, true, &part), 0);
	assert_ptr_equal(part.ram, fn->bars[0].read_ram);
	assert_true(part.loads_only);
	assert_int_equal(part.offset, 2 * PAGE);
	assert_int_equal(part.length, 3 * PAGE);
	assert_int_equal(map(6 * PAGE, 2 * PAGE, true, &part), 0);
	assert_ptr_equal(part.ram, fn->bars[0].ram);
	assert_false(part.loads_only);
	assert_int_equal(part.length, 2 * PAGE);
	/* The end is checked for all of it. */
	assert_int_equal(map(0, 17 * PAGE, true, &part), -EINVAL);
}

static void mapped_without_traps(void **state)
{
	struct svf_device_map part;

	(void)state;
	assert_int_equal(map(5 * PAGE, 11 * PAGE, false, &part), 0);
	assert_int_equal(part.length, 11 * PAGE);
	assert_int_equal(map(4 * PAGE, 2 * PAGE, false, &part), -EINVAL);
	assert_int_equal(map(0, PAGE, false, &part), -EINVAL);
	assert_int_equal(map(0, 16 * PAGE, false, &part), -EINVAL);
	assert_int_equal(map(2ull << 40, PAGE, false, &part), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(by_the_file, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_clears, setup, teardown),
		cmocka_unit_test_setup_teardown(offered_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(offered_in_part, setup, teardown),
		cmocka_unit_test_setup_teardown(mapped_in_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(mapped_without_traps, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
