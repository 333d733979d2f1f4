/* SPDX-License-Identifier: BSD-3-Clause */
/* core/iommufd/{ioas,io_pagetable,iova_alloc,allowed}.c: an IOAS without and with a domain. */
#include "iommufd.h"

#include <stdlib.h>

#define MSI_FIRST     0xfee00000ul
#define MSI_LAST      0xfeeffffful
#define APERTURE_LAST 0xfffffffffffful

/* An IOAS with a device attached to it. */
static uint32_t ioas_attached(struct fixture *f, struct svf_idevice **ret)
{
	uint32_t ioas = ioas_alloc(f), hwpt = ioas;

	*ret = device_bind(f, f->a);
	assert_int_equal(device_attach(f, *ret, &hwpt), 0);
	assert_int_not_equal(hwpt, ioas);
	return ioas;
}

static void test_ranges_bare(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_iova_ranges cmd;
	struct iommu_iova_range range = {1, 1};
	uint32_t ioas = ioas_alloc(f);

	assert_int_equal(iova_ranges(f, ioas + 1, &range, 1, &cmd), -ENOENT);
	assert_int_equal(iova_ranges(f, ioas, &range, 0, &cmd), -EMSGSIZE);
	assert_int_equal(cmd.num_iovas, 1);
	assert_int_equal(cmd.out_iova_alignment, 1);
	assert_int_equal(range.last, 1);
	assert_int_equal(iova_ranges(f, ioas, &range, 1, &cmd), 0);
	assert_int_equal(range.start, 0);
	assert_int_equal(range.last, UINT64_MAX);
	cmd.reserved = 1;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_IOVA_RANGES, &cmd), -EOPNOTSUPP);
	cmd.reserved = 0;
	cmd.num_iovas = 1;
	cmd.allowed_iovas = 8;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_IOVA_RANGES, &cmd), -EFAULT);
}

static void test_ranges_attached(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_iova_ranges cmd;
	struct iommu_iova_range range[3] = {0};
	struct svf_idevice *idevice;
	uint32_t ioas = ioas_attached(f, &idevice);

	assert_int_equal(iova_ranges(f, ioas, range, 1, &cmd), -EMSGSIZE);
	assert_int_equal(cmd.num_iovas, 2);
	assert_int_equal(range[0].last, MSI_FIRST - 1);
	assert_int_equal(range[1].last, 0);
	assert_int_equal(iova_ranges(f, ioas, range, 3, &cmd), 0);
	assert_int_equal(cmd.num_iovas, 2);
	assert_int_equal(cmd.out_iova_alignment, PAGE);
	assert_int_equal(range[0].start, 0);
	assert_int_equal(range[1].start, MSI_LAST + 1);
	assert_int_equal(range[1].last, APERTURE_LAST);
	svf_idevice_unbind(idevice);
	assert_int_equal(iova_ranges(f, ioas, range, 3, &cmd), 0);
	assert_int_equal(cmd.num_iovas, 1);
	assert_int_equal(cmd.out_iova_alignment, 1);
}

static void test_map_arguments(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	const void *p = f->memory;
	uint64_t iova = 0;
	struct iommu_ioas_map reserved = {
		.size = sizeof(reserved), .flags = FIXED, .ioas_id = ioas, .reserved = 1};

	/* In the order in which they are found. */
	assert_int_equal(ioas_map(f, 99, FIXED | 8, user(p), UINT64_MAX, &iova), -EOPNOTSUPP);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_MAP, &reserved), -EOPNOTSUPP);
	assert_int_equal(ioas_map(f, 99, IOMMU_IOAS_MAP_FIXED_IOVA, user(p), UINT64_MAX, &iova),
			 -EOVERFLOW);
	iova = UINT64_MAX;
	assert_int_equal(ioas_map(f, 99, 0, user(p), PAGE, &iova), -EOVERFLOW);
	iova = 0;
	assert_int_equal(ioas_map(f, 99, IOMMU_IOAS_MAP_FIXED_IOVA, user(p), PAGE, &iova), -EINVAL);
	assert_int_equal(ioas_map(f, 99, FIXED, user(p), 0, &iova), -ENOENT);
	assert_int_equal(ioas_map(f, ioas, FIXED, user(p), -user(p), &iova), -EOVERFLOW);
	assert_int_equal(ioas_map(f, ioas, FIXED, user(p), -user(p) - 1, &iova), 0);
	assert_int_equal(ioas_unmap(f, ioas, 0, UINT64_MAX), (long)(-user(p) - 1));
	assert_int_equal(ioas_map(f, ioas, FIXED, user(p), 0, &iova), -EINVAL);
	assert_int_equal(ioas_map(f, ioas, FIXED, 0, UINT64_MAX - PAGE + 1, &iova), -EINVAL);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, -PAGE), 0);
	assert_int_equal(map_fixed(f, ioas, p, PAGE + 1, -PAGE), -EOVERFLOW);
	assert_int_equal(map_fixed(f, ioas, p, 1, UINT64_MAX - 1), -EEXIST);
}

static void test_map_bare(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);

	/* Neither alignment nor memory matter yet. */
	assert_int_equal(map_fixed(f, ioas, (void *)3, 5, 7), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0xfee00000), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 1ul << 60), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, 1, 12), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, 1, 11), -EEXIST);
	assert_int_equal(f->machine->used.mappings, 4);
	assert_int_equal(object_destroy(f, ioas), 0);
	assert_int_equal(f->machine->used.mappings, 0);
}

static void test_map_attached(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice;
	uint32_t ioas = ioas_attached(f, &idevice);
	const void *p = f->memory;
	uint64_t iova = 0;

	assert_int_equal(map_fixed(f, ioas, p, PAGE, 0), 0);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, 0), -EEXIST);
	assert_int_equal(map_fixed(f, ioas, p, PAGE + 1, 2 * PAGE), -EINVAL);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, 2 * PAGE + 1), -EINVAL);
	assert_int_equal(map_fixed(f, ioas, f->memory + 1, PAGE, 2 * PAGE), -EINVAL);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, MSI_LAST + 1), 0);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, MSI_LAST + 1 - PAGE), -EINVAL);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, MSI_FIRST), -EINVAL);
	assert_int_equal(map_fixed(f, ioas, p, 2 * PAGE, MSI_FIRST - PAGE), -EINVAL);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, MSI_FIRST - PAGE), 0);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, APERTURE_LAST + 1 - PAGE), 0);
	assert_int_equal(map_fixed(f, ioas, p, PAGE, APERTURE_LAST + 1), -EINVAL);

	/* The last page is not there; writing needs writable memory, reading does not. */
	assert_int_equal(map_fixed(f, ioas, f->memory + 15 * PAGE, 2 * PAGE, 4 * PAGE), -EFAULT);
	test_user_add(0x10000, PAGE, false);
	assert_int_equal(map_fixed(f, ioas, (void *)0x10000, PAGE, 4 * PAGE), -EFAULT);
	iova = 4 * PAGE;
	assert_int_equal(ioas_map(f, ioas, IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
				  0x10000, PAGE, &iova),
			 0);
	svf_idevice_unbind(idevice);
}

static void test_map_bar(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice;
	uint32_t bare = ioas_alloc(f), ioas = ioas_attached(f, &idevice), hwpt = bare;
	struct svf_ram *ram;

	assert_int_equal(f->machine->port->ram_alloc(f->machine, 2 * PAGE, &ram), 0);
	test_user_add_ram(ram, 0, 2 * PAGE);
	assert_int_equal(map_fixed(f, ioas, ram->base, PAGE, 0), -EFAULT);
	assert_non_null(strstr(test_reason(), "BAR"));
	assert_int_equal(map_fixed(f, bare, ram->base, PAGE, 0), 0);
	assert_int_equal(device_replace(f, idevice, &hwpt), -EFAULT);
	svf_idevice_unbind(idevice);
	f->machine->port->ram_free(f->machine, ram);
}

static void test_unmap(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);

	assert_int_equal(ioas_unmap(f, ioas + 1, 0, 0), -ENOENT);
	assert_int_equal(ioas_unmap(f, ioas, 0, UINT64_MAX), 0);
	assert_int_equal(ioas_unmap(f, ioas, 0, PAGE), -ENOENT);
	assert_int_equal(ioas_unmap(f, ioas, 0, 0), -EINVAL);
	assert_int_equal(ioas_unmap(f, ioas, 1, UINT64_MAX), -EOVERFLOW);
	assert_int_equal(ioas_unmap(f, ioas, UINT64_MAX, 1), -EOVERFLOW);
	assert_int_equal(ioas_unmap(f, ioas, UINT64_MAX - 1, 3), -EOVERFLOW);

	for (uint64_t iova = 0; iova < 8 * PAGE; iova += 2 * PAGE)
		assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, iova), 0);
	assert_int_equal(ioas_unmap(f, ioas, 0, PAGE / 2), -ENOENT);
	assert_int_equal(ioas_unmap(f, ioas, PAGE / 2, PAGE), -ENOENT);
	assert_int_equal(ioas_unmap(f, ioas, PAGE, PAGE), -ENOENT);
	assert_int_equal(ioas_unmap(f, ioas, 0, PAGE), PAGE);
	/* What comes before the one that is cut is gone, as in the kernel. */
	assert_int_equal(ioas_unmap(f, ioas, PAGE, 3 * PAGE + 1), -ENOENT);
	assert_int_equal(f->machine->used.mappings, 2);
	assert_int_equal(ioas_unmap(f, ioas, 0, 8 * PAGE), 2 * PAGE);
	assert_int_equal(f->machine->used.mappings, 0);
}

/* The last page of the space, where first + length is 2^64. */
static void test_unmap_top(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);

	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, -PAGE), 0);
	assert_int_equal(ioas_unmap(f, ioas, -PAGE, PAGE + 1), -EOVERFLOW);
	assert_int_equal(ioas_unmap(f, ioas, -PAGE, PAGE), PAGE);
}

static void test_choice(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	uint64_t iova = 0;

	/* Never 0; as aligned as the length makes useful and the address is; then the lowest. */
	assert_int_equal(ioas_map(f, ioas, RW, 0x200000, PAGE, &iova), 0);
	assert_int_equal(iova, PAGE);
	assert_int_equal(ioas_map(f, ioas, RW, 0x200000, 3 * PAGE, &iova), 0);
	assert_int_equal(iova, 4 * PAGE);
	assert_int_equal(ioas_map(f, ioas, RW, 0x203000, 3 * PAGE, &iova), 0);
	assert_int_equal(iova, 7 * PAGE);
	assert_int_equal(ioas_map(f, ioas, RW, 0x40000000, 0x40000000, &iova), 0);
	assert_int_equal(iova, 0x200000);
	assert_int_equal(ioas_map(f, ioas, RW, 0, 2 * PAGE, &iova), 0);
	assert_int_equal(iova, 2 * PAGE);
	/* The offset in the page is kept. */
	assert_int_equal(ioas_map(f, ioas, RW, 0x200080, 0x100, &iova), 0);
	assert_int_equal(iova, 10 * PAGE + 0x80);
	assert_int_equal(ioas_map(f, ioas, RW, 0x200000, UINT64_MAX / 2, &iova), -EOVERFLOW);
	assert_int_equal(ioas_map(f, ioas, RW, 0x200000, UINT64_MAX / 2 - 1, &iova), 0);
	assert_int_equal(ioas_map(f, ioas, RW, 0x200000, UINT64_MAX / 2 - 1, &iova), -ENOSPC);
}

static void test_choice_attached(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice;
	uint32_t ioas = ioas_attached(f, &idevice);
	uint64_t iova = 0;

	assert_int_equal(ioas_map(f, ioas, RW, user(f->memory), PAGE, &iova), 0);
	assert_int_equal(iova, PAGE);
	assert_int_equal(ioas_map(f, ioas, RW, user(f->memory) + 0x80, PAGE, &iova), -EINVAL);
	/* Everything below the MSI window is taken but its last page. */
	test_user_add(0x100000000000, 0x100000000, true);
	assert_int_equal(map_fixed(f, ioas, (void *)0x100000000000, MSI_FIRST - 3 * PAGE, 2 * PAGE),
			 0);
	assert_int_equal(ioas_map(f, ioas, RW, user(f->memory), 2 * PAGE, &iova), 0);
	assert_int_equal(iova, MSI_LAST + 1);
	assert_int_equal(ioas_map(f, ioas, RW, user(f->memory) + PAGE, PAGE, &iova), 0);
	assert_int_equal(iova, MSI_FIRST - PAGE);
	svf_idevice_unbind(idevice);
}

static void test_allowed(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	struct iommu_iova_range two[] = {{0x100000, 0x100fff}, {0x101000, 0x102fff}};
	struct iommu_iova_range overlap[] = {{5, 7}, {7, 9}};
	struct iommu_iova_range empty = {5, 5};
	struct iommu_ioas_allow_iovas cmd = {.size = sizeof(cmd), .ioas_id = ioas, .reserved = 1};
	uint64_t iova = 0;

	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOW_IOVAS, &cmd), -EOPNOTSUPP);
	assert_int_equal(allow_iovas(f, ioas + 1, NULL, 0), -ENOENT);
	assert_int_equal(allow_iovas(f, ioas, two, 2), 0);
	assert_int_equal(allow_iovas(f, ioas, overlap, 2), -EINVAL);
	assert_int_equal(allow_iovas(f, ioas, &empty, 1), -EINVAL);
	cmd.reserved = 0;
	cmd.num_iovas = 1;
	cmd.allowed_iovas = 8;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_ALLOW_IOVAS, &cmd), -EFAULT);

	/* Refused lists changed nothing; the two ranges are one to who looks for a place. */
	assert_int_equal(ioas_map(f, ioas, RW, 0x200000, 3 * PAGE, &iova), 0);
	assert_int_equal(iova, 0x100000);
	assert_int_equal(ioas_map(f, ioas, RW, 0x200000, PAGE, &iova), -ENOSPC);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0), 0);
	assert_int_equal(allow_iovas(f, ioas, NULL, 0), 0);
	assert_int_equal(ioas_map(f, ioas, RW, 0x200000, PAGE, &iova), 0);
	assert_int_equal(iova, PAGE);
}

/* Allowed ranges and reserved ones exclude each other, whichever comes first. */
static void test_allowed_and_reserved(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice = device_bind(f, f->a);
	uint32_t ioas = ioas_alloc(f), hwpt = ioas;
	struct iommu_iova_range msi = {MSI_LAST, MSI_LAST + 1};
	struct iommu_iova_range top = {APERTURE_LAST, APERTURE_LAST + 1};
	struct iommu_iova_range fine[] = {{0, MSI_FIRST - 1}, {MSI_LAST + 1, APERTURE_LAST}};

	assert_int_equal(allow_iovas(f, ioas, &msi, 1), 0);
	assert_int_equal(device_attach(f, idevice, &hwpt), -EADDRINUSE);
	assert_int_equal(allow_iovas(f, ioas, &top, 1), 0);
	assert_int_equal(device_attach(f, idevice, &hwpt), -EADDRINUSE);
	assert_int_equal(allow_iovas(f, ioas, fine, 2), 0);
	assert_int_equal(device_attach(f, idevice, &hwpt), 0);
	assert_int_equal(allow_iovas(f, ioas, &msi, 1), -EADDRINUSE);
	assert_int_equal(allow_iovas(f, ioas, &top, 1), -EADDRINUSE);
	svf_idevice_unbind(idevice);
	assert_int_equal(allow_iovas(f, ioas, &msi, 1), 0);
}

static void test_allowed_bound(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);
	struct iommu_iova_range *ranges = test_user_alloc(4097 * sizeof(*ranges));

	for (uint64_t i = 0; i < 4097; i++)
		ranges[i] = (struct iommu_iova_range){i * 4, i * 4 + 2};
	assert_int_equal(allow_iovas(f, ioas, ranges, 4097), -ENOMEM);
	assert_int_equal(allow_iovas(f, ioas, ranges, 4096), 0);
}

static long ioas_copy(struct fixture *f, uint32_t flags, uint32_t dst, uint64_t *dst_iova,
		      uint32_t src, uint64_t src_iova, uint64_t length)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dst_ioas_id = dst,
		.src_ioas_id = src,
		.length = length,
		.dst_iova = *dst_iova,
		.src_iova = src_iova,
	};
	long ret = COMMAND(f, IOMMU_IOAS_COPY, &cmd);

	*dst_iova = cmd.dst_iova;
	return ret;
}

static void test_copy_arguments(void **state)
{
	struct fixture *f = *state;
	uint32_t src = ioas_alloc(f), dst = ioas_alloc(f);
	uint64_t iova = 0;

	assert_int_equal(map_fixed(f, src, f->memory, 2 * PAGE, 0), 0);
	assert_int_equal(map_fixed(f, src, f->memory + 4 * PAGE, PAGE, 2 * PAGE), 0);
	assert_int_equal(ioas_copy(f, FIXED | 8, 98, &iova, 99, UINT64_MAX, 0), -EOPNOTSUPP);
	assert_int_equal(ioas_copy(f, 0, 98, &iova, 99, UINT64_MAX, 0), -EOVERFLOW);
	assert_int_equal(ioas_copy(f, 0, 98, &iova, 99, 0, 0), -EINVAL);
	assert_int_equal(ioas_copy(f, FIXED, 98, &iova, 99, 0, 0), -ENOENT);
	assert_int_equal(ioas_copy(f, FIXED, 98, &iova, src, 0, 0), -EINVAL);
	assert_int_equal(ioas_copy(f, FIXED, 98, &iova, src, UINT64_MAX - 1, 3), -EOVERFLOW);
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 0, 3 * PAGE + 1), -ENOENT);
	assert_int_equal(ioas_copy(f, FIXED, 98, &iova, src, 0, 3 * PAGE), -ENOENT);
	assert_int_equal(ioas_copy(f, FIXED, src, &iova, src, 0, 3 * PAGE), -EEXIST);
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 0, 3 * PAGE), 0);
	iova = UINT64_MAX - PAGE;
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 0, 2 * PAGE), -EOVERFLOW);
}

static void test_copy(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice;
	uint32_t src = ioas_alloc(f), dst = ioas_attached(f, &idevice);
	uint64_t iova = 0x100000;
	/* The lowest place for two pages of an address like the second page's. */
	uint64_t choice = user(f->memory) & PAGE ? 2 * PAGE : PAGE;
	char data[] = "through the copy";

	assert_int_equal(map_fixed(f, src, f->memory, 2 * PAGE, 0), 0);
	assert_int_equal(map_fixed(f, src, f->memory + 4 * PAGE, PAGE, 2 * PAGE), 0);
	/* From the second page of the first mapping to the end of the other one. */
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, PAGE, 2 * PAGE), 0);
	assert_int_equal(f->machine->used.mappings, 4);
	assert_int_equal(svf_dma_write(f->a, 0x100000 + PAGE - 4, data, sizeof(data)), 0);
	assert_memory_equal(f->memory + 2 * PAGE - 4, data, 4);
	assert_memory_equal(f->memory + 4 * PAGE, data + 4, sizeof(data) - 4);
	/* The source may go; a copy lives on its own. */
	assert_int_equal(ioas_unmap(f, src, 0, UINT64_MAX), 3 * PAGE);
	assert_int_equal(svf_dma_read(f->a, 0x100000, data, sizeof(data)), 0);
	assert_int_equal(ioas_copy(f, RW, src, &iova, dst, 0x100000, 2 * PAGE), 0);
	assert_int_equal(iova, choice);
	/* Within one IOAS. */
	assert_int_equal(ioas_copy(f, RW, dst, &iova, dst, 0x100000, 2 * PAGE), 0);
	assert_int_equal(iova, choice);
	assert_int_equal(ioas_unmap(f, dst, 0x100000, 2 * PAGE), 2 * PAGE);
	svf_idevice_unbind(idevice);
}

static void test_copy_rights(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice;
	uint32_t src = ioas_alloc(f), dst = ioas_attached(f, &idevice);
	const uint32_t readable = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE;
	uint64_t iova = 0;

	/* What counts is how the memory was given, not how the copied mapping may be used. */
	assert_int_equal(map_fixed(f, src, f->memory, PAGE, 0), 0);
	iova = PAGE;
	assert_int_equal(ioas_map(f, src, readable, user(f->memory), PAGE, &iova), 0);
	iova = 2 * PAGE;
	assert_int_equal(ioas_copy(f, readable, src, &iova, src, 0, PAGE), 0);
	iova = 0;
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 2 * PAGE, PAGE), 0);
	iova = PAGE;
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, PAGE, PAGE), -EPERM);
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 0, 2 * PAGE), -EPERM);
	assert_int_equal(ioas_copy(f, readable, dst, &iova, src, PAGE, PAGE), 0);
	svf_idevice_unbind(idevice);
}

/* A copy of several mappings is made as a whole or not at all. */
static void test_copy_undone(void **state)
{
	struct fixture *f = *state;
	struct svf_idevice *idevice;
	uint32_t src = ioas_alloc(f), dst = ioas_attached(f, &idevice);
	uint64_t iova = 0;

	assert_int_equal(map_fixed(f, src, f->memory, PAGE, 0), 0);
	assert_int_equal(map_fixed(f, src, (void *)0x10000, PAGE, PAGE), 0);
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 0, 2 * PAGE), -EFAULT);
	assert_int_equal(f->machine->used.mappings, 2);
	f->machine->limits.mappings = 3;
	test_user_add(0x10000, PAGE, true);
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 0, 2 * PAGE), -ENOMEM);
	assert_int_equal(f->machine->used.mappings, 2);
	f->machine->limits.mappings = 5;
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 0, 2 * PAGE), 0);
	/* Offsets in a page must suit the destination. */
	assert_int_equal(ioas_unmap(f, dst, 0, 2 * PAGE), 2 * PAGE);
	assert_int_equal(map_fixed(f, src, f->memory + 16, PAGE, 2 * PAGE), 0);
	assert_int_equal(ioas_copy(f, FIXED, dst, &iova, src, 2 * PAGE, PAGE), -EINVAL);
	svf_idevice_unbind(idevice);
}

static void test_mapping_limit(void **state)
{
	struct fixture *f = *state;
	uint32_t ioas = ioas_alloc(f);

	f->machine->limits.mappings = 1;
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, 0), 0);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, PAGE), -ENOMEM);
	assert_int_equal(ioas_unmap(f, ioas, 0, PAGE), PAGE);
	assert_int_equal(map_fixed(f, ioas, f->memory, PAGE, PAGE), 0);
}

/* The answer of a MAP cannot be written: the mapping stays, as in the kernel. */
static void test_map_answer_lost(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = FIXED,
		.ioas_id = ioas_alloc(f),
		.user_va = user(f->memory),
		.length = PAGE,
	};

	test_user_add(user(&cmd), sizeof(cmd), false);
	assert_int_equal(test_ioctl_value(f->file, IOMMU_IOAS_MAP, user(&cmd)), -EFAULT);
	test_user_remove(user(&cmd), sizeof(cmd));
	assert_int_equal(ioas_unmap(f, cmd.ioas_id, 0, PAGE), PAGE);
}

static void test_files(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_map_file map = {.size = sizeof(map), .flags = FIXED, .fd = 5};
	struct iommu_ioas_change_process change = {.size = sizeof(change), .reserved = 1};

	assert_int_equal(COMMAND(f, IOMMU_IOAS_MAP_FILE, &map), -ENOENT);
	map.ioas_id = ioas_alloc(f);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_MAP_FILE, &map), -EINVAL);
	map.length = PAGE;
	map.start = UINT64_MAX - 5;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_MAP_FILE, &map), -EOVERFLOW);
	map.start = 0;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_MAP_FILE, &map), -EBADF);
	test_fd_other(5);
	/* Of no kind that DMA can reach, which shows when a device comes. */
	assert_int_equal(COMMAND(f, IOMMU_IOAS_MAP_FILE, &map), 0);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_MAP_FILE, &map), -EEXIST);
	assert_int_equal(ioas_unmap(f, map.ioas_id, map.iova, map.length), map.length);

	assert_int_equal(COMMAND(f, IOMMU_IOAS_CHANGE_PROCESS, &change), -EOPNOTSUPP);
	change.reserved = 0;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_CHANGE_PROCESS, &change), 0);
	assert_int_equal(map_fixed(f, map.ioas_id, f->memory, PAGE, 0), 0);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_CHANGE_PROCESS, &change), -EINVAL);
}

static void test_noiommu_get_pa(void **state)
{
	struct fixture *f = *state;
	struct iommu_ioas_noiommu_get_pa cmd = {
		.size = sizeof(cmd), .flags = 1, .ioas_id = ioas_alloc(f)};

	assert_int_equal(COMMAND(f, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd), -EOPNOTSUPP);
	cmd.flags = 0;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd), -EINVAL);
	cmd.length = PAGE;
	cmd.iova = UINT64_MAX;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd), -EOVERFLOW);
	cmd.iova = 0;
	assert_int_equal(COMMAND(f, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd), -ENOENT);
	assert_int_equal(map_fixed(f, cmd.ioas_id, f->memory, PAGE, 0), 0);
	assert_int_equal(COMMAND(f, IOMMU_IOAS_NOIOMMU_GET_PA, &cmd), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(test_ranges_bare),
		FIXTURE_TEST(test_ranges_attached),
		FIXTURE_TEST(test_map_arguments),
		FIXTURE_TEST(test_map_bare),
		FIXTURE_TEST(test_map_attached),
		FIXTURE_TEST(test_map_bar),
		FIXTURE_TEST(test_unmap),
		FIXTURE_TEST(test_unmap_top),
		FIXTURE_TEST(test_choice),
		FIXTURE_TEST(test_choice_attached),
		FIXTURE_TEST(test_allowed),
		FIXTURE_TEST(test_allowed_and_reserved),
		FIXTURE_TEST(test_allowed_bound),
		FIXTURE_TEST(test_copy_arguments),
		FIXTURE_TEST(test_copy),
		FIXTURE_TEST(test_copy_rights),
		FIXTURE_TEST(test_copy_undone),
		FIXTURE_TEST(test_mapping_limit),
		FIXTURE_TEST(test_map_answer_lost),
		FIXTURE_TEST(test_files),
		FIXTURE_TEST(test_noiommu_get_pa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
