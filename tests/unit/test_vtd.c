/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VT-d of the machine in scalable mode: its commands, and what devices reach through first-stage
 * tables in a client's memory, hostile ones too.
 */
#include <stdlib.h>

#include "core/iommu/requester.h"
#include "iommufd.h"

/* The client's memory: GUEST in the parent's IOAS, page by page. Tables are in the first pages. */
#define GUEST	    0x100000ul
#define GUEST_PAGES 32u
#define GPA(n)	    (GUEST + (n)*PAGE)
#define DATA	    8u /* the first page that is no table */

#define P	    1ull
#define RW_BIT	    2ull
#define US	    4ull
#define A	    0x20ull
#define D	    0x40ull
#define LARGE	    0x80ull
#define EA	    0x400ull
#define ALL	    (P | RW_BIT | US)

#define WIDE	    57u
#define NORMAL	    48u

struct nesting {
	struct fixture *f;
	struct svf_idevice *idevice;
	uint32_t dev, ioas, parent, nested;
	uint8_t *memory;
};

static uint64_t *entry(struct nesting *n, unsigned int page, unsigned int index)
{
	return (uint64_t *)(void *)(n->memory + page * PAGE) + index;
}

static uint32_t device_bind_id(struct fixture *f, struct svf_function *fn, struct svf_idevice **ret)
{
	struct svf_call call = test_call(f->machine);
	uint32_t id;

	assert_int_equal(svf_idevice_bind(f->ictx, fn, &call, ret, &id), 0);
	return id;
}

static long hwpt_alloc(struct fixture *f, uint32_t dev, uint32_t pt, uint32_t flags, uint32_t *ret)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .dev_id = dev, .pt_id = pt};
	long err = COMMAND(f, IOMMU_HWPT_ALLOC, &cmd);

	*ret = cmd.out_hwpt_id;
	return err;
}

static long alloc_data(struct nesting *n, uint32_t type, uint32_t flags, void *data, uint32_t len,
		       uint32_t *ret)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = n->dev,
		.pt_id = n->parent,
		.data_type = type,
		.data_len = len,
		.data_uptr = user(data),
	};
	long err;

	test_user_add(user(data), len, false);
	err = COMMAND(n->f, IOMMU_HWPT_ALLOC, &cmd);
	test_user_remove(user(data), len);
	*ret = cmd.out_hwpt_id;
	return err;
}

static uint32_t nested_alloc(struct nesting *n, uint64_t table, uint32_t width, uint64_t flags)
{
	struct iommu_hwpt_vtd_s1 s1 = {.flags = flags, .pgtbl_addr = table, .addr_width = width};
	uint32_t id;

	assert_int_equal(alloc_data(n, IOMMU_HWPT_DATA_VTD_S1, 0, &s1, sizeof(s1), &id), 0);
	return id;
}

static void attach_to(struct nesting *n, uint32_t pt)
{
	assert_int_equal(device_replace(n->f, n->idevice, &pt), 0);
}

/* Makes a nested HWPT of the table in page 0 and attaches to it. */
static void nest(struct nesting *n, uint32_t width, uint64_t flags)
{
	uint32_t old = n->nested;

	n->nested = nested_alloc(n, GPA(0), width, flags);
	attach_to(n, n->nested);
	if (old)
		assert_int_equal(object_destroy(n->f, old), 0);
}

static void begin(struct nesting *n, struct fixture *f)
{
	uint32_t pt;

	*n = (struct nesting){.f = f};
	f->machine->params.iommu_scalable = true;
	n->dev = device_bind_id(f, f->a, &n->idevice);
	n->ioas = ioas_alloc(f);
	n->memory = test_user_alloc(GUEST_PAGES * PAGE);
	memset(n->memory, 0, GUEST_PAGES * PAGE);
	assert_int_equal(hwpt_alloc(f, n->dev, n->ioas,
				    IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
				    &n->parent),
			 0);
	for (unsigned int i = 0; i < GUEST_PAGES; i++)
		assert_int_equal(map_fixed(f, n->ioas, n->memory + i * PAGE, PAGE, GPA(i)), 0);
	pt = n->parent;
	assert_int_equal(device_attach(f, n->idevice, &pt), 0);
	nest(n, NORMAL, 0);
}

static void end(struct nesting *n)
{
	svf_idevice_unbind(n->idevice);
}

/* Tables in pages 0 to 3, of which the last has the page at index. */
static void map_page(struct nesting *n, uint64_t iova, uint64_t value)
{
	for (unsigned int level = 4; level > 1; level--)
		*entry(n, 4 - level, iova >> (12 + 9 * (level - 1)) & 511) = GPA(5 - level) | ALL;
	*entry(n, 3, iova >> 12 & 511) = value;
}

/* The next fault is told, however many there were. */
static void listen(struct nesting *n)
{
	test_log_clear();
	n->f->a->requester->faults = 0;
}

static int dma_write(struct nesting *n, uint64_t iova, const char *text)
{
	listen(n);
	return svf_dma_write(n->f->a, iova, text, strlen(text));
}

static int dma_read(struct nesting *n, uint64_t iova)
{
	uint8_t byte;

	listen(n);
	return svf_dma_read(n->f->a, iova, &byte, 1);
}

static void expect_fault(int ret, const char *code)
{
	char text[32] = "fault reason ";

	strcat(text, code);
	assert_int_equal(ret, -EFAULT);
	if (!test_log_has(text))
		fail_msg("not %s but %s", code,
			 test_log_count() ? test_log_line(test_log_count() - 1) : "nothing");
}

/* --- commands --- */

static void test_hw_info(void **state)
{
	struct nesting n;
	struct iommu_hw_info_vtd vtd = {0};
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd), .data_len = sizeof(vtd), .data_uptr = user(&vtd)};

	begin(&n, *state);
	cmd.dev_id = n.dev;
	test_user_add(user(&vtd), sizeof(vtd), true);
	assert_int_equal(COMMAND(n.f, IOMMU_GET_HW_INFO, &cmd), 0);
	test_user_remove(user(&vtd), sizeof(vtd));
	assert_int_equal(cmd.out_capabilities,
			 IOMMU_HW_CAP_DIRTY_TRACKING | IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED);
	/* NEST, SMTS, SSTS, FSTS; FS1GP, FS5LP. */
	for (unsigned int i = 0; i < 4; i++)
		assert_true(vtd.ecap_reg >> ((const uint8_t[]){26, 43, 46, 47})[i] & 1);
	assert_true(vtd.cap_reg >> 56 & vtd.cap_reg >> 60 & 1);
	end(&n);
}

static void test_alloc(void **state)
{
	struct iommu_hwpt_vtd_s1 s1 = {.addr_width = NORMAL};
	uint8_t longer[sizeof(s1) + 8] = {0};
	struct nesting n;
	uint32_t id;

	begin(&n, *state);
	assert_int_equal(alloc_data(&n, 2, 0, &s1, sizeof(s1), &id), -EOPNOTSUPP);
	assert_int_equal(alloc_data(&n, 1, 0, &s1, 16, &id), -EINVAL);
	assert_int_equal(alloc_data(&n, 1, 0, longer, sizeof(longer), &id), -EINVAL);
	assert_int_equal(alloc_data(&n, 1, IOMMU_HWPT_ALLOC_NEST_PARENT, &s1, sizeof(s1), &id),
			 -EOPNOTSUPP);
	assert_int_equal(alloc_data(&n, 1, IOMMU_HWPT_ALLOC_PASID, &s1, sizeof(s1), &id), 0);
	assert_int_equal(object_destroy(n.f, n.parent), -EBUSY);
	/* A nested HWPT is no parent. */
	n.parent = n.nested;
	assert_int_equal(alloc_data(&n, 1, 0, &s1, sizeof(s1), &id), -EINVAL);
	end(&n);
}

static void test_attach_refused(void **state)
{
	static const struct {
		uint32_t width;
		uint64_t flags;
	} rows[] = {{0, 0}, {39, 0}, {49, 0}, {NORMAL, IOMMU_VTD_S1_SRE}};
	struct nesting n;

	begin(&n, *state);
	map_page(&n, 0, GPA(DATA) | ALL);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(rows); i++) {
		uint32_t id = nested_alloc(&n, GPA(0), rows[i].width, rows[i].flags), pt = id;

		assert_int_equal(device_replace(n.f, n.idevice, &pt), -EINVAL);
		assert_int_equal(object_destroy(n.f, id), 0);
		assert_int_equal(dma_write(&n, 0, "as before"), 0);
	}
	end(&n);
}

static long invalidate(struct nesting *n, uint32_t type, void *entries, uint32_t len, uint32_t num,
		       uint32_t *done)
{
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = n->nested,
		.data_uptr = user(entries),
		.data_type = type,
		.entry_len = len,
		.entry_num = num,
	};
	long ret;

	test_user_add(user(entries), len * 3ul, false);
	ret = COMMAND(n->f, IOMMU_HWPT_INVALIDATE, &cmd);
	test_user_remove(user(entries), len * 3ul);
	*done = cmd.entry_num;
	return ret;
}

static void test_invalidate(void **state)
{
	struct iommu_hwpt_vtd_s1_invalidate entries[3] = {
		{.npages = UINT64_MAX},
		{.addr = PAGE, .npages = 1, .flags = IOMMU_VTD_INV_FLAGS_LEAF},
		{.addr = 7 * PAGE, .npages = 0},
	};
	static const struct {
		struct iommu_hwpt_vtd_s1_invalidate entry;
		int err;
	} bad[] = {
		{{.flags = 2}, -EOPNOTSUPP},
		{{.reserved = 1}, -EOPNOTSUPP},
		{{.addr = 8, .npages = 1}, -EINVAL},
		{{.addr = PAGE, .npages = UINT64_MAX}, -EINVAL},
	};
	struct nesting n;
	uint32_t done;

	begin(&n, *state);
	assert_int_equal(invalidate(&n, 0, entries, sizeof(entries[0]), 3, &done), 0);
	assert_int_equal(done, 3);
	assert_int_equal(invalidate(&n, 0, entries, sizeof(entries[0]), 0, &done), 0);
	assert_int_equal(invalidate(&n, 1, entries, sizeof(entries[0]), 3, &done), -EINVAL);
	assert_int_equal(done, 0);
	assert_int_equal(invalidate(&n, 0, entries, 16, 3, &done), -EINVAL);
	assert_int_equal(invalidate(&n, 0, entries, 32, 2, &done), -EINVAL);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(bad); i++) {
		entries[2] = bad[i].entry;
		assert_int_equal(invalidate(&n, 0, entries, sizeof(entries[0]), 3, &done),
				 bad[i].err);
		assert_int_equal(done, 2);
	}
	end(&n);
}

static void test_parent_needs_write(void **state)
{
	struct nesting n;
	uint32_t other, id;
	uint64_t iova = GPA(GUEST_PAGES);

	begin(&n, *state);
	assert_int_equal(ioas_map(n.f, n.ioas, IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				  user(n.memory), PAGE, &iova),
			 -EINVAL);
	other = ioas_alloc(n.f);
	assert_int_equal(ioas_map(n.f, other, IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				  user(n.memory), PAGE, &iova),
			 0);
	assert_int_equal(hwpt_alloc(n.f, n.dev, other, IOMMU_HWPT_ALLOC_NEST_PARENT, &id), -EINVAL);
	assert_int_equal(hwpt_alloc(n.f, n.dev, other, 0, &id), 0);
	assert_int_equal(hwpt_alloc(n.f, n.dev, other, IOMMU_HWPT_ALLOC_NEST_PARENT, &id), -EINVAL);
	end(&n);
}

/* --- tables that are as they should be --- */

static void test_page(void **state)
{
	struct nesting n;
	uint64_t iova = 0x7f1234567000;

	begin(&n, *state);
	map_page(&n, iova, GPA(DATA) | ALL);
	assert_int_equal(dma_read(&n, iova + 5), 0);
	/* Read: accessed on the way, and nothing dirty. */
	assert_int_equal(*entry(&n, 0, iova >> 39 & 511), GPA(1) | ALL | A);
	assert_int_equal(*entry(&n, 3, iova >> 12 & 511), GPA(DATA) | ALL | A);
	assert_int_equal(dma_write(&n, iova + 5, "hello"), 0);
	assert_memory_equal(n.memory + DATA * PAGE + 5, "hello", 5);
	assert_int_equal(*entry(&n, 2, iova >> 21 & 511), GPA(3) | ALL | A);
	assert_int_equal(*entry(&n, 3, iova >> 12 & 511), GPA(DATA) | ALL | A | D);
	/* The upper half of the addresses is as good. */
	iova |= 0xffff800000000000;
	map_page(&n, iova, GPA(DATA) | ALL);
	assert_int_equal(dma_write(&n, iova, "upper"), 0);
	assert_memory_equal(n.memory + DATA * PAGE, "upper", 5);
	end(&n);
}

/* A transfer goes from page to page, wherever each is, and ends at the first that is not there. */
static void test_across_pages(void **state)
{
	struct nesting n;

	begin(&n, *state);
	map_page(&n, 0x1000, GPA(DATA + 3) | ALL);
	map_page(&n, 0x2000, GPA(DATA) | ALL);
	assert_int_equal(dma_write(&n, 0x1ffe, "abcd"), 0);
	assert_memory_equal(n.memory + (DATA + 4) * PAGE - 2, "ab", 2);
	assert_memory_equal(n.memory + DATA * PAGE, "cd", 2);
	expect_fault(dma_write(&n, 0x2ffe, "wxyz"), "0x71");
	assert_memory_equal(n.memory + (DATA + 1) * PAGE - 2, "wx\0\0", 4);
	end(&n);
}

static void test_large_pages(void **state)
{
	const uint64_t gigabyte = 1ull << 30, two = 2ull << 20;
	struct nesting n;

	begin(&n, *state);
	*entry(&n, 0, 0) = GPA(1) | ALL;
	*entry(&n, 1, 3) = 0 | ALL | LARGE;
	assert_int_equal(dma_write(&n, 3 * gigabyte + GPA(DATA), "1G"), 0);
	assert_memory_equal(n.memory + DATA * PAGE, "1G", 2);
	assert_int_equal(*entry(&n, 1, 3), ALL | LARGE | A | D);
	*entry(&n, 1, 4) = GPA(2) | ALL;
	/* Bit 12 of a large page is a memory type. */
	*entry(&n, 2, 7) = 0 | ALL | LARGE | 0x1000;
	assert_int_equal(dma_write(&n, 4 * gigabyte + 7 * two + GPA(DATA) + 2, "2M"), 0);
	assert_memory_equal(n.memory + DATA * PAGE, "1G2M", 4);
	/* Behind the client's memory nothing is mapped in the parent. */
	expect_fault(dma_write(&n, 3 * gigabyte + GPA(GUEST_PAGES), "x"), "0x79");
	end(&n);
}

static void test_five_levels(void **state)
{
	uint64_t iova = 0x00a5123456789000 & ~0xfffull;
	struct nesting n;

	begin(&n, *state);
	for (unsigned int level = 5; level > 1; level--)
		*entry(&n, 5 - level, iova >> (12 + 9 * (level - 1)) & 511) = GPA(6 - level) | ALL;
	*entry(&n, 4, iova >> 12 & 511) = GPA(DATA) | ALL;
	nest(&n, WIDE, 0);
	assert_int_equal(dma_write(&n, iova, "five"), 0);
	assert_memory_equal(n.memory + DATA * PAGE, "five", 4);
	expect_fault(dma_write(&n, 1ull << 56, "x"), "0x80");
	nest(&n, NORMAL, 0);
	expect_fault(dma_write(&n, iova, "x"), "0x80");
	end(&n);
}

static void test_extended_accessed(void **state)
{
	struct nesting n;

	begin(&n, *state);
	nest(&n, NORMAL, IOMMU_VTD_S1_EAFE | IOMMU_VTD_S1_WPE);
	map_page(&n, 0, GPA(DATA) | ALL);
	assert_int_equal(dma_write(&n, 0, "x"), 0);
	for (unsigned int level = 0; level < 3; level++)
		assert_int_equal(*entry(&n, level, 0), GPA(level + 1) | ALL | A | EA);
	assert_int_equal(*entry(&n, 3, 0), GPA(DATA) | ALL | A | D | EA);
	end(&n);
}

/* Nothing is cached: what the client changes holds for the next transaction. */
static void test_changes(void **state)
{
	struct nesting n;

	begin(&n, *state);
	map_page(&n, 0, GPA(DATA) | ALL);
	assert_int_equal(dma_write(&n, 0, "a"), 0);
	map_page(&n, 0, GPA(DATA + 1) | ALL);
	assert_int_equal(dma_write(&n, 0, "b"), 0);
	assert_int_equal(n.memory[DATA * PAGE], 'a');
	assert_int_equal(n.memory[(DATA + 1) * PAGE], 'b');
	map_page(&n, 0, 0);
	expect_fault(dma_write(&n, 0, "c"), "0x71");
	assert_int_equal(ioas_unmap(n.f, n.ioas, GPA(1), PAGE), PAGE);
	expect_fault(dma_write(&n, 0, "c"), "0x76");
	/* Without nesting an address is one of the parent's. */
	attach_to(&n, n.parent);
	assert_int_equal(dma_write(&n, GPA(DATA), "d"), 0);
	assert_int_equal(n.memory[DATA * PAGE], 'd');
	expect_fault(dma_write(&n, 0, "e"), "0x79");
	expect_fault(dma_write(&n, 1ull << 48, "e"), "0x83");
	svf_idevice_detach(n.idevice);
	expect_fault(dma_write(&n, GPA(DATA), "f"), "0x59");
	end(&n);
}

static uint64_t dirty_bits(struct nesting *n)
{
	uint64_t bits = 0;
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get),
		.hwpt_id = n->parent,
		.iova = GUEST,
		.length = GUEST_PAGES * PAGE,
		.page_size = PAGE,
		.data = user(&bits),
	};

	test_user_add(user(&bits), sizeof(bits), true);
	assert_int_equal(COMMAND(n->f, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), 0);
	test_user_remove(user(&bits), sizeof(bits));
	return bits;
}

/* What devices write, tables included in which the IOMMU sets bits. */
static void test_dirty(void **state)
{
	struct iommu_hwpt_set_dirty_tracking set = {.size = sizeof(set), .flags = 1};
	struct nesting n;

	begin(&n, *state);
	map_page(&n, 0, GPA(DATA) | ALL);
	set.hwpt_id = n.parent;
	assert_int_equal(COMMAND(n.f, IOMMU_HWPT_SET_DIRTY_TRACKING, &set), 0);
	assert_int_equal(dirty_bits(&n), 0);
	assert_int_equal(dma_read(&n, 0), 0);
	assert_int_equal(dirty_bits(&n), 0xf);
	assert_int_equal(dma_read(&n, 0), 0);
	assert_int_equal(dirty_bits(&n), 0);
	assert_int_equal(dma_write(&n, 0, "x"), 0);
	assert_int_equal(dirty_bits(&n), 1u << DATA | 1u << 3);
	assert_int_equal(dma_write(&n, 1, "x"), 0);
	assert_int_equal(dirty_bits(&n), 1u << DATA);
	attach_to(&n, n.parent);
	assert_int_equal(dma_write(&n, GPA(9), "x"), 0);
	assert_int_equal(dirty_bits(&n), 1u << 9);
	end(&n);
}

/* --- tables that are not --- */

static void test_refused_entries(void **state)
{
	struct nesting n;

	begin(&n, *state);
	/* An entry of each level that is not there, or of the supervisor, or that has reserved bits. */
	for (unsigned int level = 0; level < 4; level++) {
		map_page(&n, 0, GPA(DATA) | ALL);
		*entry(&n, level, 0) &= ~P;
		expect_fault(dma_read(&n, 0), "0x71");
		*entry(&n, level, 0) |= P;
		*entry(&n, level, 0) &= ~US;
		expect_fault(dma_read(&n, 0), "0x81");
		*entry(&n, level, 0) |= US;
		*entry(&n, level, 0) &= ~RW_BIT;
		expect_fault(dma_write(&n, 0, "x"), "0x85");
		/* Nothing was marked by what was refused. */
		assert_int_equal(*entry(&n, 3, 0) & D, 0);
		assert_int_equal(dma_read(&n, 0), 0);
	}
	map_page(&n, 0, GPA(DATA) | ALL);
	*entry(&n, 0, 0) |= LARGE;
	expect_fault(dma_read(&n, 0), "0x72");
	*entry(&n, 0, 0) &= ~LARGE;
	/* Address bits below the size of a large page. */
	*entry(&n, 1, 0) |= LARGE;
	expect_fault(dma_read(&n, 0), "0x72");
	*entry(&n, 1, 0) &= ~LARGE;
	*entry(&n, 2, 0) = (1ull << 20) | ALL | LARGE;
	expect_fault(dma_read(&n, 0), "0x72");
	assert_int_equal(n.memory[DATA * PAGE], 0);
	end(&n);
}

static void test_addresses(void **state)
{
	static const uint64_t not_canonical[] = {1ull << 47, 1ull << 48, 1ull << 63,
						 0xffff7fffffffffff};
	struct nesting n;

	begin(&n, *state);
	for (unsigned int i = 0; i < SVF_ARRAY_SIZE(not_canonical); i++)
		expect_fault(dma_read(&n, not_canonical[i]), "0x80");
	expect_fault(dma_read(&n, SVF_MSI_WINDOW_FIRST), "0x87");
	map_page(&n, 0, SVF_MSI_WINDOW_LAST - 0xfff + ALL);
	expect_fault(dma_write(&n, 0, "x"), "0x87");
	/* The last byte of all is followed by none. */
	map_page(&n, ~0xfffull, GPA(DATA) | ALL);
	assert_int_equal(dma_write(&n, ~0ull, "x"), 0);
	expect_fault(dma_write(&n, ~0ull, "xy"), "0x80");
	end(&n);
}

static void test_tables_elsewhere(void **state)
{
	struct nesting n;
	uint32_t top;

	begin(&n, *state);
	map_page(&n, 0, GPA(DATA) | ALL);
	/* Not mapped in the parent: a table, the page, the topmost table. */
	*entry(&n, 1, 0) = GPA(GUEST_PAGES) | ALL;
	expect_fault(dma_read(&n, 0), "0x76");
	map_page(&n, 0, GPA(GUEST_PAGES) | ALL);
	expect_fault(dma_read(&n, 0), "0x79");
	top = nested_alloc(&n, GPA(GUEST_PAGES), NORMAL, 0);
	attach_to(&n, top);
	expect_fault(dma_read(&n, 0), "0x75");
	/* Beyond what the second stage translates. */
	top = nested_alloc(&n, 1ull << 48, NORMAL, 0);
	attach_to(&n, top);
	expect_fault(dma_read(&n, 0), "0x74");
	attach_to(&n, n.nested);
	map_page(&n, 0, 1ull << 48 | ALL);
	expect_fault(dma_read(&n, 0), "0x74");
	*entry(&n, 1, 0) = 1ull << 51 | ALL;
	expect_fault(dma_read(&n, 0), "0x74");
	/* Of a table's address only bits 12 to 51 count. */
	*entry(&n, 1, 0) = GPA(2) | ALL | 0xfff0000000000e00;
	map_page(&n, 0, GPA(DATA) | ALL | 0xfff0000000000e00);
	assert_int_equal(dma_read(&n, 0), 0);
	end(&n);
}

/* Memory of the client that was there when it was mapped. */
static void test_memory_gone(void **state)
{
	struct nesting n;

	begin(&n, *state);
	map_page(&n, 0, GPA(DATA) | ALL);
	test_user_remove(user(n.memory), GUEST_PAGES * PAGE);
	expect_fault(dma_read(&n, 0), "0x73");
	test_user_add(user(n.memory), PAGE, true);
	expect_fault(dma_read(&n, 0), "0x70");
	/* Readable only: no accessed bit can be set. */
	test_user_remove(user(n.memory), PAGE);
	test_user_add(user(n.memory), GUEST_PAGES * PAGE, false);
	expect_fault(dma_read(&n, 0), "0x70");
	test_user_remove(user(n.memory), GUEST_PAGES * PAGE);
	test_user_add(user(n.memory), GUEST_PAGES * PAGE, true);
	assert_int_equal(dma_read(&n, 0), 0);
	end(&n);
}

/* A table that is its own next: each level reads the same entry, and the page is the table. */
static void test_self_reference(void **state)
{
	struct nesting n;

	begin(&n, *state);
	*entry(&n, 0, 0) = GPA(0) | ALL;
	assert_int_equal(dma_write(&n, 8, "overwritten"), 0);
	assert_memory_equal(n.memory + 8, "overwritten", 11);
	assert_int_equal(*entry(&n, 0, 0), GPA(0) | ALL | A | D);
	/* The entry that is in use itself. */
	assert_int_equal(dma_write(&n, 0, "\0\0\0\0\0\0\0\0"), 0);
	nest(&n, WIDE, 0);
	*entry(&n, 0, 0) = GPA(0) | ALL;
	assert_int_equal(dma_write(&n, 2 * PAGE - 1, "x"), -EFAULT);
	end(&n);
}

/* Tables of arbitrary entries: no transaction goes anywhere but to the client's memory. */
static void test_random_tables(void **state)
{
	struct nesting n;
	uint8_t buf[3 * PAGE];

	begin(&n, *state);
	srand(4711);
	for (unsigned int round = 0; round < 200; round++) {
		for (unsigned int i = 0; i < DATA * 512; i++) {
			uint64_t bits =
				(uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand();
			uint64_t near = GPA(bits % (GUEST_PAGES + 2)) | (bits >> 40 & 0xf9f) | ALL;

			*entry(&n, i / 512, i % 512) = bits >> 20 & 15 ? near : bits;
		}
		nest(&n, round % 2 ? WIDE : NORMAL, round % 3 ? 0 : IOMMU_VTD_S1_EAFE);
		for (unsigned int i = 0; i < 50; i++) {
			uint64_t iova = (uint64_t)rand() << 26 ^ (uint64_t)rand();
			size_t len = (size_t)rand() % sizeof(buf) + 1;

			memset(buf, (int)i, len);
			if (i % 2 ? svf_dma_write(n.f->a, iova, buf, len)
				  : svf_dma_read(n.f->a, iova, buf, len))
				continue;
		}
	}
	end(&n);
}

/* --- without nesting --- */

/* A first-stage table cannot say that a page is only to be written. */
static void test_first_stage(void **state)
{
	struct nesting n;
	uint32_t ioas, pt;
	uint64_t iova = 0;

	begin(&n, *state);
	ioas = pt = ioas_alloc(n.f);
	assert_int_equal(device_replace(n.f, n.idevice, &pt), 0);
	assert_int_equal(ioas_map(n.f, ioas, IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE,
				  user(n.memory), PAGE, &iova),
			 0);
	assert_int_equal(dma_read(&n, 0), 0);
	iova = PAGE;
	assert_int_equal(ioas_map(n.f, ioas, IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				  user(n.memory), PAGE, &iova),
			 0);
	expect_fault(dma_write(&n, PAGE, "x"), "0x85");
	expect_fault(dma_read(&n, 2 * PAGE), "0x71");
	expect_fault(dma_read(&n, 1ull << 47), "0x80");
	iova = 1ull << 47;
	assert_int_equal(ioas_map(n.f, ioas, FIXED, user(n.memory), PAGE, &iova), -EINVAL);
	end(&n);
}

/* In legacy mode there is nothing of all this. */
static void test_legacy(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice;
	uint32_t dev = device_bind_id(f, f->a, &idevice), ioas = ioas_alloc(f), id;

	assert_int_equal(hwpt_alloc(f, dev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &id), -EOPNOTSUPP);
	assert_int_equal(hwpt_alloc(f, dev, ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &id),
			 -EOPNOTSUPP);
	svf_idevice_unbind(idevice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_hw_info),
		FIXTURE_TEST(test_alloc),
		FIXTURE_TEST(test_attach_refused),
		FIXTURE_TEST(test_invalidate),
		FIXTURE_TEST(test_parent_needs_write),
		FIXTURE_TEST(test_page),
		FIXTURE_TEST(test_across_pages),
		FIXTURE_TEST(test_large_pages),
		FIXTURE_TEST(test_five_levels),
		FIXTURE_TEST(test_extended_accessed),
		FIXTURE_TEST(test_changes),
		FIXTURE_TEST(test_dirty),
		FIXTURE_TEST(test_refused_entries),
		FIXTURE_TEST(test_addresses),
		FIXTURE_TEST(test_tables_elsewhere),
		FIXTURE_TEST(test_memory_gone),
		FIXTURE_TEST(test_self_reference),
		FIXTURE_TEST(test_random_tables),
		FIXTURE_TEST(test_first_stage),
		FIXTURE_TEST(test_legacy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
