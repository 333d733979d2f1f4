/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The NVMe model's data: commands of all kinds, sizes and buffer shapes, in memory and in a file, against
 * a plain array; and everything that can be wrong with them.
 *
 * SOFTVFIO_TEST_NIGHTLY: a million random commands instead of some thousand.
 */
#include "nvme_host.h"

#include <stdlib.h>

#include "include/softvfio/model.h"
#include "nvme_buffer.h"
#include "topo_fixture.h"

#define PAGE	  4096u
#define DISK	  (8u << 20)
#define MDTS_LEN  (512u << 10)
#define SLOTS	  8u
#define DEVICE	  "0000:01:00.0"
#define IO_QUEUES 4u
#define MISSING	  0x7000000000ull /* not mapped */

static uint8_t model[DISK]; /* what the namespace must hold */
static uint8_t disk[DISK];  /* the file */
static unsigned int block = 512;

static struct nvme_host host;

/* words: the model's options. */
static void nvme_start(const char *words)
{
	char all[128];

	strcpy(stpcpy(all, "at=" DEVICE " model=nvme "), words);
	host_open(&host, test_device_machine(all), DEVICE);
	assert_int_equal(host_enable(&host), NVME_CSTS_RDY);
	for (unsigned int i = 1; i <= IO_QUEUES; i++)
		host_make_queue(&host, i);
}

static void nvme_stop(void)
{
	struct svf_machine *machine = host.machine;

	host_close(&host);
	test_machine_end(machine);
}

static int teardown(void **state)
{
	(void)state;
	nvme_stop();
	return 0;
}

static int setup_memory(void **state)
{
	(void)state;
	block = 512;
	memset(model, 0, DISK);
	nvme_start("size=8M");
	return 0;
}

static int setup_4k(void **state)
{
	(void)state;
	block = 4096;
	memset(model, 0, DISK);
	nvme_start("size=8M block=4096");
	return 0;
}

static void start_file(bool later, const char *words)
{
	block = 512;
	for (unsigned int i = 0; i < DISK; i++)
		disk[i] = model[i] = (uint8_t)(i / 512 * 7 + i);
	test_storage(disk, DISK, later);
	nvme_start(words);
}

static int setup_file(void **state)
{
	(void)state;
	start_file(false, "file=disk");
	return 0;
}

static int setup_slow_file(void **state)
{
	(void)state;
	start_file(true, "file=disk");
	return 0;
}

/* --- random commands --- */

struct op {
	uint32_t command[16];
	struct nvme_buffer buffer;
	size_t offset, len; /* in the namespace */
	uint8_t *data;	    /* of the host: what it writes */
	uint16_t expected;
	bool done;
};

static size_t below(size_t n)
{
	return (size_t)rand() % n;
}

static void set_range(uint32_t command[16], size_t offset, size_t len)
{
	command[10] = (uint32_t)(offset / block);
	command[12] = (uint32_t)(len / block - 1);
}

/* Blocks within [first, first + size) of the namespace, mostly few. */
static void choose_range(struct op *op, size_t first, size_t size)
{
	size_t most = (size < MDTS_LEN ? size : MDTS_LEN) / block;
	size_t count = below(16) ? below(most < 40 ? most : 40) + 1 : below(most) + 1;

	op->len = count * block;
	op->offset = first + below(size / block - count + 1) * block;
	set_range(op->command, op->offset, op->len);
}

static void make_read(struct op *op, const struct nvme_window *window)
{
	op->command[0] = NVME_IO_READ;
	nvme_buffer_make(&op->buffer, window, op->len, true, op->command);
}

static void fill(uint8_t *bytes, size_t len)
{
	uint8_t first = (uint8_t)rand(), step = (uint8_t)rand();

	for (size_t i = 0; i < len; i++, first = (uint8_t)(first + step))
		bytes[i] = (uint8_t)(first ^ i >> 8);
}

static void make_write(struct op *op, const struct nvme_window *window)
{
	op->command[0] = NVME_IO_WRITE;
	op->command[12] |= below(8) == 0 ? 1u << 30 : 0;
	fill(op->data, op->len);
	nvme_buffer_make(&op->buffer, window, op->len, false, op->command);
	nvme_buffer_set(&op->buffer, op->data);
	memcpy(model + op->offset, op->data, op->len);
}

static void make_compare(struct op *op, const struct nvme_window *window)
{
	op->command[0] = NVME_IO_COMPARE;
	memcpy(op->data, model + op->offset, op->len);
	if (below(3) == 0) {
		op->data[below(op->len)] ^= 1;
		op->expected = NVME_COMPARE_FAILURE;
	}
	nvme_buffer_make(&op->buffer, window, op->len, false, op->command);
	nvme_buffer_set(&op->buffer, op->data);
}

static void make_write_zeroes(struct op *op, const struct nvme_window *window)
{
	(void)window;
	op->command[0] = NVME_IO_WRITE_ZEROES;
	op->command[12] |= below(2) ? 1u << 25 : 0;
	memset(model + op->offset, 0, op->len);
}

static void make_trim(struct op *op, const struct nvme_window *window)
{
	uint8_t ranges[16 * 16] = {0};
	unsigned int count = (unsigned int)below(16) + 1;
	size_t offset = op->offset, left = op->len / block;

	op->command[0] = NVME_IO_DATASET_MANAGEMENT;
	op->command[10] = count - 1;
	op->command[11] = 1u << 2;
	op->command[12] = 0;
	for (unsigned int i = 0; i < count; i++) {
		size_t here = i + 1 == count ? left : below(left + 1);
		uint64_t first = offset / block;

		memcpy(ranges + 16 * i + 4, &here, 4);
		memcpy(ranges + 16 * i + 8, &first, 8);
		offset += here * block;
		left -= here;
	}
	nvme_buffer_make(&op->buffer, window, 16 * count, false, op->command);
	nvme_buffer_set(&op->buffer, ranges);
	memset(model + op->offset, 0, op->len);
}

static void make_verify(struct op *op, const struct nvme_window *window)
{
	(void)window;
	op->command[0] = NVME_IO_VERIFY;
}

static void make_flush(struct op *op, const struct nvme_window *window)
{
	(void)window;
	op->command[0] = NVME_IO_FLUSH;
	op->command[1] = below(2) ? 1 : NVME_ALL_NAMESPACES;
}

static void (*const makers[])(struct op *op, const struct nvme_window *window) = {
	make_read,  make_read,	 make_read,    make_read,    make_write,
	make_write, make_write,	 make_compare, make_compare, make_write_zeroes,
	make_trim,  make_verify, make_flush,
};

static void make_op(struct op *op, unsigned int slot, size_t first, size_t size)
{
	/* No page count may be a multiple of 7, see nvme_buffer.c. */
	const struct nvme_window window = {
		.host = &host,
		.data = HOST_FREE + slot * (1u << 20),
		.data_pages = 256,
		.lists = HOST_FREE + SLOTS * (1u << 20) + slot * 64 * PAGE,
		.list_pages = 64,
	};

	memset(op->command, 0, sizeof(op->command));
	op->command[1] = 1;
	op->expected = NVME_SUCCESS;
	op->done = false;
	op->buffer.count = 0;
	choose_range(op, first, size);
	makers[below(SVF_ARRAY_SIZE(makers))](op, &window);
}

static void check_answer(struct op *op, uint16_t status)
{
	assert_false(op->done);
	op->done = true;
	assert_int_equal(status, op->expected);
	if (op->command[0] % 256 == NVME_IO_READ)
		assert_true(nvme_buffer_has(&op->buffer, model + op->offset));
}

/* Up to eight commands at once, which touch different parts of disk and memory, on all queues. */
static unsigned int run_batch(struct op ops[SLOTS])
{
	unsigned int count = below(4) ? 1 : (unsigned int)below(SLOTS) + 1, left = count;
	size_t share = DISK / count / block * block;
	uint16_t cids[SLOTS];
	uint16_t cid;

	for (unsigned int i = 0; i < count; i++) {
		make_op(&ops[i], i, i * share, share);
		cids[i] = host_submit(&host, i % IO_QUEUES + 1, ops[i].command);
	}
	for (unsigned int q = 1; q <= IO_QUEUES && q <= count; q++)
		host_ring(&host, q);
	host_settle(&host);
	for (unsigned int q = 1; q <= IO_QUEUES; q++) {
		while (host_poll(&host, q, &cid)) {
			for (unsigned int i = 0; i < count; i++) {
				if (cids[i] == cid) {
					check_answer(&ops[i], host.status);
					left--;
				}
			}
		}
	}
	assert_int_equal(left, 0);
	return count;
}

/* All of the namespace, by plain reads. */
static void check_everything(void)
{
	for (size_t offset = 0; offset < DISK; offset += PAGE) {
		uint32_t command[16] = {
			[0] = NVME_IO_READ, [1] = 1, [6] = (uint32_t)HOST_IOVA + HOST_FREE};

		set_range(command, offset, PAGE);
		assert_int_equal(host_run(&host, 1, command), NVME_SUCCESS);
		assert_memory_equal(host.memory + HOST_FREE, model + offset, PAGE);
	}
}

static void test_random_commands(void **state)
{
	static struct op ops[SLOTS];
	unsigned long wanted = getenv("SOFTVFIO_TEST_NIGHTLY") ? 1000000 : 10000, done = 0;

	(void)state;
	srand(1);
	for (unsigned int i = 0; i < SLOTS; i++) {
		ops[i].data = malloc(MDTS_LEN);
		assert_non_null(ops[i].data);
	}
	while (done < wanted)
		done += run_batch(ops);
	for (unsigned int i = 0; i < SLOTS; i++)
		free(ops[i].data);
	check_everything();
}

/* --- what is wrong with a command --- */

static void put64(size_t at, uint64_t value)
{
	memcpy(host.memory + at, &value, sizeof(value));
}

static uint16_t run_rw(uint8_t opcode, uint64_t first, uint32_t count, uint64_t prp1, uint64_t prp2)
{
	uint32_t command[16] = {[0] = opcode,		[1] = 1,
				[6] = (uint32_t)prp1,	[7] = (uint32_t)(prp1 >> 32),
				[8] = (uint32_t)prp2,	[9] = (uint32_t)(prp2 >> 32),
				[10] = (uint32_t)first, [11] = (uint32_t)(first >> 32),
				[12] = count - 1};

	return host_run(&host, 1, command);
}

#define DATA  (HOST_IOVA + HOST_FREE)
#define LISTS (HOST_IOVA + HOST_FREE + (1u << 20))
#define LIST  (HOST_FREE + (1u << 20)) /* the same, in host.memory */

static void test_limits(void **state)
{
	uint64_t blocks = DISK / block;
	uint32_t command[16] = {[0] = NVME_IO_READ, [1] = 2, [6] = (uint32_t)DATA};

	(void)state;
	assert_int_equal(run_rw(NVME_IO_READ, blocks - 1, 1, DATA, 0), NVME_SUCCESS);
	assert_int_equal(run_rw(NVME_IO_READ, blocks - 1, 2, DATA, 0), NVME_LBA_OUT_OF_RANGE);
	assert_int_equal(run_rw(NVME_IO_READ, blocks, 1, DATA, 0), NVME_LBA_OUT_OF_RANGE);
	assert_int_equal(run_rw(NVME_IO_WRITE, UINT64_MAX, 2, DATA, 0), NVME_LBA_OUT_OF_RANGE);
	assert_int_equal(run_rw(NVME_IO_COMPARE, blocks, 1, DATA, 0), NVME_LBA_OUT_OF_RANGE);
	assert_int_equal(run_rw(NVME_IO_VERIFY, blocks, 1, DATA, 0), NVME_LBA_OUT_OF_RANGE);
	assert_int_equal(run_rw(NVME_IO_WRITE_ZEROES, blocks, 1, DATA, 0), NVME_LBA_OUT_OF_RANGE);
	/* MDTS is of commands with data. */
	assert_int_equal(run_rw(NVME_IO_READ, 0, MDTS_LEN / block + 1, DATA, LISTS),
			 NVME_INVALID_FIELD);
	assert_int_equal(run_rw(NVME_IO_WRITE, 0, MDTS_LEN / block + 1, DATA, LISTS),
			 NVME_INVALID_FIELD);
	assert_int_equal(run_rw(NVME_IO_WRITE_ZEROES, 0, MDTS_LEN / block + 1, 0, 0), NVME_SUCCESS);
	assert_int_equal(run_rw(NVME_IO_WRITE_ZEROES, 0, DISK / block, 0, 0), NVME_SUCCESS);
	assert_int_equal(host_run(&host, 1, command), NVME_INVALID_NAMESPACE);
	command[1] = NVME_ALL_NAMESPACES;
	assert_int_equal(host_run(&host, 1, command), NVME_INVALID_NAMESPACE);
	command[0] = NVME_IO_WRITE_UNCORRECTABLE;
	assert_int_equal(host_run(&host, 1, command), NVME_INVALID_OPCODE);
	command[0] = 0x7f;
	assert_int_equal(host_run(&host, 1, command), NVME_INVALID_OPCODE);
}

static void test_prp_errors(void **state)
{
	(void)state;
	/* Three pages of data and their list. */
	put64(LIST + 8, DATA + PAGE);
	put64(LIST + 16, DATA + 2 * PAGE);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 24, DATA, LISTS + 8), NVME_SUCCESS);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 24, DATA, LISTS + 12), NVME_PRP_OFFSET_INVALID);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 8, DATA + 2, 0), NVME_PRP_OFFSET_INVALID);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 16, DATA, DATA + 512), NVME_PRP_OFFSET_INVALID);
	put64(LIST + 16, DATA + 2 * PAGE + 8);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 24, DATA, LISTS + 8), NVME_PRP_OFFSET_INVALID);
	put64(LIST + 16, MISSING);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 24, DATA, LISTS + 8), NVME_DATA_TRANSFER_ERROR);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 24, DATA, MISSING), NVME_DATA_TRANSFER_ERROR);
	assert_int_equal(run_rw(NVME_IO_WRITE, 0, 8, MISSING, 0), NVME_DATA_TRANSFER_ERROR);
	assert_int_equal(run_rw(NVME_IO_COMPARE, 0, 8, MISSING, 0), NVME_DATA_TRANSFER_ERROR);
	/* The last entry of a page names the next; here itself, which is the page's first entry then. */
	put64(LIST + PAGE - 8, LISTS);
	put64(LIST, DATA);
	put64(LIST + 8, DATA + PAGE);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 24, DATA, LISTS + PAGE - 8), NVME_SUCCESS);
	put64(LIST + PAGE - 8, LISTS + 8);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 24, DATA, LISTS + PAGE - 8),
			 NVME_PRP_OFFSET_INVALID);
	put64(LIST + PAGE - 8, MISSING);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 24, DATA, LISTS + PAGE - 8),
			 NVME_DATA_TRANSFER_ERROR);
}

struct sgl {
	uint64_t address;
	uint32_t len;
	uint8_t reserved[3], type;
};

enum { DATA_BLOCK = 0x00, BIT_BUCKET = 0x10, SEGMENT = 0x20, LAST_SEGMENT = 0x30 };

static void test_sgl_errors(void **state)
{
	static const struct {
		struct sgl first, list[3], list2[2];
		uint16_t status;
	} cases[] = {
		{{DATA, 4096, {0}, DATA_BLOCK}, {{0}}, {{0}}, NVME_SUCCESS},
		{{DATA, 5000, {0}, DATA_BLOCK}, {{0}}, {{0}}, NVME_SUCCESS},
		{{DATA, 4095, {0}, DATA_BLOCK}, {{0}}, {{0}}, NVME_DATA_SGL_LENGTH_INVALID},
		{{DATA, 0, {0}, DATA_BLOCK}, {{0}}, {{0}}, NVME_DATA_SGL_LENGTH_INVALID},
		{{0, 4096, {0}, BIT_BUCKET}, {{0}}, {{0}}, NVME_SUCCESS},
		{{DATA, 4096, {0}, 0x01}, {{0}}, {{0}}, NVME_SGL_DESCRIPTOR_TYPE_INVALID},
		{{DATA, 4096, {0}, 0x40}, {{0}}, {{0}}, NVME_SGL_DESCRIPTOR_TYPE_INVALID},
		{{DATA, 4096, {0}, 0xf0}, {{0}}, {{0}}, NVME_SGL_DESCRIPTOR_TYPE_INVALID},
		{{MISSING, 4096, {0}, DATA_BLOCK}, {{0}}, {{0}}, NVME_DATA_TRANSFER_ERROR},
		{{MISSING, 16, {0}, LAST_SEGMENT}, {{0}}, {{0}}, NVME_DATA_TRANSFER_ERROR},
		{{LISTS, 0, {0}, LAST_SEGMENT}, {{0}}, {{0}}, NVME_INVALID_SGL_SEGMENT_DESCRIPTOR},
		{{LISTS, 24, {0}, SEGMENT}, {{0}}, {{0}}, NVME_INVALID_SGL_SEGMENT_DESCRIPTOR},
		{{LISTS, 32, {0}, LAST_SEGMENT},
		 {{DATA, 2048, {0}, DATA_BLOCK}, {DATA, 2048, {0}, DATA_BLOCK}},
		 {{0}},
		 NVME_SUCCESS},
		{{LISTS, 32, {0}, LAST_SEGMENT},
		 {{DATA, 2048, {0}, DATA_BLOCK}, {DATA, 2047, {0}, DATA_BLOCK}},
		 {{0}},
		 NVME_DATA_SGL_LENGTH_INVALID},
		/* A segment in the middle of another, and in the last. */
		{{LISTS, 32, {0}, SEGMENT},
		 {{LISTS + 64, 16, {0}, LAST_SEGMENT}, {DATA, 2048, {0}, DATA_BLOCK}},
		 {{DATA, 4096, {0}, DATA_BLOCK}},
		 NVME_INVALID_NUMBER_OF_SGL_DESCRIPTORS},
		{{LISTS, 16, {0}, LAST_SEGMENT},
		 {{LISTS + 64, 16, {0}, LAST_SEGMENT}},
		 {{DATA, 4096, {0}, DATA_BLOCK}},
		 NVME_INVALID_NUMBER_OF_SGL_DESCRIPTORS},
		{{LISTS, 32, {0}, SEGMENT},
		 {{DATA, 512, {0}, DATA_BLOCK}, {LISTS + 64, 16, {0}, LAST_SEGMENT}},
		 {{DATA + 512, 3584, {0}, DATA_BLOCK}},
		 NVME_SUCCESS},
		/* One that is not the last ends with data. */
		{{LISTS, 16, {0}, SEGMENT},
		 {{DATA, 512, {0}, DATA_BLOCK}},
		 {{0}},
		 NVME_INVALID_SGL_SEGMENT_DESCRIPTOR},
		/* For ever: a segment that is nothing but a link to itself. */
		{{LISTS, 16, {0}, SEGMENT},
		 {{LISTS, 16, {0}, SEGMENT}},
		 {{0}},
		 NVME_INVALID_NUMBER_OF_SGL_DESCRIPTORS},
	};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		uint32_t command[16] = {[0] = NVME_IO_READ | 1u << 14, [1] = 1, [12] = 7};

		memcpy(command + 6, &cases[i].first, 16);
		memcpy(host.memory + LIST, cases[i].list, 48);
		memcpy(host.memory + LIST + 64, cases[i].list2, 32);
		if (host_run(&host, 1, command) != cases[i].status)
			fail_msg("case %u", i);
	}
}

static void test_bit_bucket_of_a_write(void **state)
{
	uint32_t command[16] = {[0] = NVME_IO_WRITE | 1u << 14, [1] = 1};
	const struct sgl first = {LISTS, 32, {0}, LAST_SEGMENT};
	const struct sgl list[] = {{0, 512, {0}, BIT_BUCKET}, {DATA, 512, {0}, DATA_BLOCK}};

	(void)state;
	memcpy(command + 6, &first, 16);
	memcpy(host.memory + LIST, list, 32);
	memset(host.memory + HOST_FREE, 'w', 512);
	assert_int_equal(host_run(&host, 1, command), NVME_SUCCESS);
	memset(host.memory + HOST_FREE, 0, 512);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 1, DATA, 0), NVME_SUCCESS);
	assert_int_equal(host.memory[HOST_FREE + 511], 'w');
}

static void test_dataset_management(void **state)
{
	uint32_t command[16] = {[0] = NVME_IO_DATASET_MANAGEMENT,
				[1] = 1,
				[6] = (uint32_t)DATA + PAGE,
				[10] = 1,
				[11] = 1u << 2};
	uint64_t ranges[4] = {2ull << 32, 10, 1ull << 32, DISK / 512};

	(void)state;
	memset(host.memory + HOST_FREE, 'd', PAGE);
	assert_int_equal(run_rw(NVME_IO_WRITE, 8, 8, DATA, 0), NVME_SUCCESS);
	/* One range that is not there: nothing is done. */
	memcpy(host.memory + HOST_FREE + PAGE, ranges, sizeof(ranges));
	assert_int_equal(host_run(&host, 1, command), NVME_LBA_OUT_OF_RANGE);
	assert_int_equal(run_rw(NVME_IO_COMPARE, 8, 8, DATA, 0), NVME_SUCCESS);
	ranges[3]--;
	memcpy(host.memory + HOST_FREE + PAGE, ranges, sizeof(ranges));
	/* Advice alone. */
	command[11] = 1;
	assert_int_equal(host_run(&host, 1, command), NVME_SUCCESS);
	assert_int_equal(run_rw(NVME_IO_COMPARE, 8, 8, DATA, 0), NVME_SUCCESS);
	command[11] = 1u << 2;
	assert_int_equal(host_run(&host, 1, command), NVME_SUCCESS);
	memset(host.memory + HOST_FREE + 1024, 0, 1024);
	assert_int_equal(run_rw(NVME_IO_COMPARE, 8, 8, DATA, 0), NVME_SUCCESS);
	command[6] = (uint32_t)(MISSING & 0xffffffff);
	command[7] = (uint32_t)(MISSING >> 32);
	assert_int_equal(host_run(&host, 1, command), NVME_DATA_TRANSFER_ERROR);
}

/* --- Format NVM --- */

static uint16_t format(uint32_t nsid, uint32_t dword)
{
	uint32_t command[16] = {[0] = NVME_ADMIN_FORMAT_NVM, [1] = nsid, [10] = dword};

	return host_run(&host, 0, command);
}

static uint32_t identify_format(uint64_t *ret_blocks)
{
	uint32_t command[16] = {[0] = NVME_ADMIN_IDENTIFY, [1] = 1, [6] = (uint32_t)DATA};

	assert_int_equal(host_run(&host, 0, command), NVME_SUCCESS);
	memcpy(ret_blocks, host.memory + HOST_FREE, 8);
	return host.memory[HOST_FREE + 26];
}

static void test_format(void **state)
{
	uint64_t blocks;

	(void)state;
	memset(host.memory + HOST_FREE, 'f', PAGE);
	assert_int_equal(run_rw(NVME_IO_WRITE, 0, 8, DATA, 0), NVME_SUCCESS);
	assert_int_equal(format(1, 2), NVME_INVALID_FORMAT);
	assert_int_equal(format(1, 1u << 4), NVME_INVALID_FORMAT);
	assert_int_equal(format(1, 2u << 9), NVME_INVALID_FIELD);
	assert_int_equal(identify_format(&blocks), 0);
	assert_int_equal(blocks, DISK / 512);
	assert_int_equal(format(1, 1), NVME_SUCCESS);
	assert_int_equal(identify_format(&blocks), 1);
	assert_int_equal(blocks, DISK / 4096);
	assert_int_equal(run_rw(NVME_IO_READ, 0, 1, DATA, 0), NVME_SUCCESS);
	memset(host.memory + HOST_FREE + PAGE, 0, PAGE);
	assert_memory_equal(host.memory + HOST_FREE, host.memory + HOST_FREE + PAGE, PAGE);
	assert_int_equal(run_rw(NVME_IO_READ, DISK / 4096, 1, DATA, 0), NVME_LBA_OUT_OF_RANGE);
	assert_int_equal(format(NVME_ALL_NAMESPACES, 1u << 9), NVME_SUCCESS);
	assert_int_equal(identify_format(&blocks), 0);
}

/* --- the file --- */

static void test_file_is_flushed(void **state)
{
	uint32_t flush[16] = {[0] = NVME_IO_FLUSH, [1] = 1};
	uint32_t fua[16] = {[0] = NVME_IO_WRITE, [1] = 1, [6] = (uint32_t)DATA, [12] = 1u << 30};

	(void)state;
	memset(host.memory + HOST_FREE, 'x', PAGE);
	assert_int_equal(run_rw(NVME_IO_WRITE, 3, 1, DATA, 0), NVME_SUCCESS);
	assert_int_equal(disk[3 * 512], 'x');
	assert_int_equal(test_storage_count(SVF_STORAGE_WRITE, false), 1);
	assert_int_equal(host_run(&host, 1, flush), NVME_SUCCESS);
	assert_int_equal(test_storage_count(SVF_STORAGE_FLUSH, false), 1);
	assert_int_equal(host_run(&host, 1, fua), NVME_SUCCESS);
	assert_int_equal(test_storage_count(SVF_STORAGE_WRITE, true), 1);
}

/* Of a long write only its last piece needs to be durable: that makes the others so, too. */
static void test_long_write_is_flushed_once(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 63; i++)
		put64(LIST + 8 * i, DATA + PAGE * (i + 1));
	assert_int_equal(run_rw(NVME_IO_WRITE, 0, 512 | 1u << 30, DATA, LISTS), NVME_SUCCESS);
	assert_int_equal(test_storage_count(SVF_STORAGE_WRITE, false), 3);
	assert_int_equal(test_storage_count(SVF_STORAGE_WRITE, true), 1);
}

static void test_file_fails(void **state)
{
	static const struct {
		uint8_t opcode;
		int err;
		uint16_t status;
	} cases[] = {
		{NVME_IO_READ, -EIO, NVME_UNRECOVERED_READ_ERROR},
		{NVME_IO_COMPARE, -EIO, NVME_UNRECOVERED_READ_ERROR},
		{NVME_IO_VERIFY, -EIO, NVME_UNRECOVERED_READ_ERROR},
		{NVME_IO_WRITE, -EIO, NVME_WRITE_FAULT},
		{NVME_IO_WRITE, -ENOSPC, NVME_CAPACITY_EXCEEDED},
		{NVME_IO_WRITE_ZEROES, -EIO, NVME_WRITE_FAULT},
		{NVME_IO_FLUSH, -EIO, NVME_WRITE_FAULT},
	};

	(void)state;
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(cases); i++) {
		test_storage_fail(1, cases[i].err);
		assert_int_equal(run_rw(cases[i].opcode, 0, 8, DATA, 0), cases[i].status);
		assert_int_equal(run_rw(NVME_IO_READ, 0, 8, DATA, 0), NVME_SUCCESS);
	}
}

static void put_cc(uint32_t value)
{
	host_put(&host, NVME_CC, value);
}

/* A file that answers after the controller was disabled: nothing reaches the client's memory. */
static void test_disabled_meanwhile(void **state)
{
	uint32_t read[16] = {[0] = NVME_IO_READ, [1] = 1, [6] = (uint32_t)DATA};

	(void)state;
	memset(host.memory + HOST_FREE, 'n', PAGE);
	for (unsigned int i = 0; i < 8; i++)
		host_submit(&host, 1, read);
	host_ring(&host, 1);
	put_cc(0);
	memset(host.memory, 0, HOST_FREE);
	host_settle(&host);
	for (unsigned int i = 0; i < HOST_FREE; i++)
		assert_int_equal(host.memory[i], 0);
	for (unsigned int i = 0; i < PAGE; i++)
		assert_int_equal(host.memory[HOST_FREE + i], 'n');
}

/* The machine ends while the file has not answered. */
static void test_end_meanwhile(void **state)
{
	uint32_t read[16] = {[0] = NVME_IO_READ, [1] = 1, [6] = (uint32_t)DATA};

	(void)state;
	host_submit(&host, 1, read);
	host_ring(&host, 1);
}

/* --- the options --- */

static void refuse(const char *words, bool with_file, const char *part)
{
	struct test_topology t;

	test_topology_init(&t);
	if (with_file)
		test_storage(disk, DISK, false);
	test_node(&t, NULL, SVF_TOPOLOGY_DEVICE, words);
	assert_int_equal(test_topology_refused(&t), -EINVAL);
	if (!strstr(t.error.text, part))
		fail_msg("\"%s\"", t.error.text);
}

static void test_options(void **state)
{
	(void)state;
	refuse("at=" DEVICE " model=nvme size=4097", false, "not a multiple of 4096");
	refuse("at=" DEVICE " model=nvme size=1X", false, "not a size");
	refuse("at=" DEVICE " model=nvme block=1024", false, "512 or 4096");
	refuse("at=" DEVICE " model=nvme file=absent", false, "cannot open 'absent'");
	refuse("at=" DEVICE " model=nvme file=disk size=16M", true,
	       "'disk' has 8388608 bytes, fewer than 1 times size=16777216");
	refuse("at=" DEVICE " model=nvme file=disk size=8M ns=2", true, "fewer than 2 times");
}

/* Namespaces share a file in equal parts. */
static void test_namespaces_in_a_file(void **state)
{
	uint32_t write[16] = {
		[0] = NVME_IO_WRITE, [1] = 3, [6] = (uint32_t)DATA, [10] = DISK / 4 / 512 - 1};

	(void)state;
	start_file(false, "file=disk ns=4");
	memset(host.memory + HOST_FREE, 'q', 512);
	assert_int_equal(host_run(&host, 1, write), NVME_SUCCESS);
	assert_int_equal(disk[DISK / 4 * 3 - 1], 'q');
	assert_int_equal(disk[DISK / 4 * 3 - 513], model[DISK / 4 * 3 - 513]);
	assert_int_equal(disk[DISK / 4 * 3], model[DISK / 4 * 3]);
	write[10]++;
	assert_int_equal(host_run(&host, 1, write), NVME_LBA_OUT_OF_RANGE);
	nvme_stop();
}

#define IN_MEMORY(name)	   cmocka_unit_test_setup_teardown(name, setup_memory, teardown)
#define IN_4K(name)	   cmocka_unit_test_setup_teardown(name, setup_4k, teardown)
#define IN_FILE(name)	   cmocka_unit_test_setup_teardown(name, setup_file, teardown)
#define IN_SLOW_FILE(name) cmocka_unit_test_setup_teardown(name, setup_slow_file, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_MEMORY(test_limits),
		IN_FILE(test_limits),
		IN_MEMORY(test_prp_errors),
		IN_MEMORY(test_sgl_errors),
		IN_MEMORY(test_bit_bucket_of_a_write),
		IN_MEMORY(test_dataset_management),
		IN_FILE(test_dataset_management),
		IN_MEMORY(test_format),
		IN_SLOW_FILE(test_format),
		IN_FILE(test_file_is_flushed),
		IN_FILE(test_long_write_is_flushed_once),
		IN_FILE(test_file_fails),
		IN_SLOW_FILE(test_file_fails),
		IN_SLOW_FILE(test_disabled_meanwhile),
		IN_SLOW_FILE(test_end_meanwhile),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_namespaces_in_a_file),
		IN_MEMORY(test_random_commands),
		IN_4K(test_random_commands),
		IN_FILE(test_random_commands),
		IN_SLOW_FILE(test_random_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
