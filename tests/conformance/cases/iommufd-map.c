/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IOAS_MAP at a fixed place and anywhere, IOAS_UNMAP of whole areas only, IOAS_COPY between and
 * within IOASes, first without a device (nothing is pinned, any alignment), then with one.
 */
#include "lib.h"

#define FIXED IOMMU_IOAS_MAP_FIXED_IOVA
#define R     IOMMU_IOAS_MAP_READABLE
#define W     IOMMU_IOAS_MAP_WRITEABLE

static int iommufd;
static uint32_t ioas;
static uint8_t *memory; /* 16 pages */

static int map(uint32_t flags, const void *va, uint64_t iova, uint64_t length, const char *what)
{
	struct iommu_ioas_map m = {.size = sizeof(m),
				   .flags = flags,
				   .ioas_id = ioas,
				   .user_va = (uintptr_t)va,
				   .length = length,
				   .iova = iova};

	return say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "MAP %s", what);
}

static void unmap(uint64_t iova, uint64_t length, const char *what)
{
	struct iommu_ioas_unmap u = {
		.size = sizeof(u), .ioas_id = ioas, .iova = iova, .length = length};
	int ret;

	ret = say_call(ioctl(iommufd, IOMMU_IOAS_UNMAP, &u), "UNMAP %s", what);
	if (ret == 0)
		note("length 0x%llx", (unsigned long long)u.length);
}

static void unmap_all(void)
{
	unmap(0, ~0ull, "all");
}

static void flags(void)
{
	struct iommu_ioas_map m = {.size = sizeof(m),
				   .flags = FIXED | R,
				   .ioas_id = ioas,
				   .user_va = (uintptr_t)memory,
				   .length = PAGE,
				   .iova = IOVA(0)};

	section("flags");
	map(FIXED, memory, IOVA(0), PAGE, "neither READABLE nor WRITEABLE");
	map(FIXED | R, memory, IOVA(0), PAGE, "READABLE");
	map(FIXED | W, memory, IOVA(1), PAGE, "WRITEABLE");
	map(FIXED | R | W, memory, IOVA(2), PAGE, "both");
	map(FIXED | R | 8, memory, IOVA(3), PAGE, "bit 3");
	map(FIXED | R | 1u << 31, memory, IOVA(3), PAGE, "bit 31");
	m.reserved = 1;
	say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "MAP reserved is not 0");
	m.reserved = 0;
	m.ioas_id = 12345;
	say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "MAP no such IOAS");
	m.flags |= 8;
	say_call(ioctl(iommufd, IOMMU_IOAS_MAP, &m), "MAP no such IOAS and bit 3");
	unmap_all();
}

static void sizes(void)
{
	section("size, alignment and ends");
	map(FIXED | R, memory, IOVA(0), 0, "length 0");
	map(FIXED | R, memory, IOVA(0), 1, "one byte");
	map(FIXED | R, memory + 1, IOVA(1) + 1, 100, "100 bytes, nothing aligned");
	map(FIXED | R, memory, IOVA(2) + 1, PAGE, "iova not aligned");
	map(FIXED | R, memory + 1, IOVA(4), PAGE, "address not aligned");
	map(FIXED | R, memory, 0xfee00000, PAGE, "at 0xfee00000");
	map(FIXED | R, memory, 0, PAGE, "at 0");
	map(FIXED | R, memory, ~0ull - PAGE + 1, PAGE, "the last page of 2^64");
	map(FIXED | R, memory, ~0ull - PAGE + 1, PAGE + 1, "across 2^64");
	map(FIXED | R, (void *)(~0ull - PAGE + 1), IOVA(8), 2 * PAGE, "address wraps");
	map(FIXED | R, memory, IOVA(8), ~0ull, "length ~0");
	map(FIXED | R, NULL, IOVA(9), PAGE, "NULL");
	unmap_all();
}

static void overlap(void)
{
	section("overlap");
	map(FIXED | R, memory, IOVA(4), 4 * PAGE, "pages 4-7");
	map(FIXED | R, memory, IOVA(4), 4 * PAGE, "pages 4-7");
	map(FIXED | R, memory, IOVA(7), PAGE, "page 7");
	map(FIXED | R, memory, IOVA(0), 16 * PAGE, "pages 0-15");
	map(FIXED | R, memory, IOVA(3), PAGE, "page 3");
	map(FIXED | R, memory, IOVA(8), PAGE, "page 8");
	unmap_all();
}

static void anywhere(void)
{
	struct iommu_ioas_map m = {.size = sizeof(m),
				   .flags = R,
				   .ioas_id = ioas,
				   .user_va = (uintptr_t)memory,
				   .length = 4 * PAGE};
	uint64_t first;

	section("anywhere");
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	first = m.iova;
	note("iova is%s page aligned", first % PAGE == 0 ? "" : " not");
	m.iova = 0x123;
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	note("%s",
	     m.iova + m.length <= first || m.iova >= first + m.length ? "elsewhere" : "there");
	map(FIXED | R, memory, first, PAGE, "fixed, where the first is");
	m.length = 0;
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	m.length = ~0ull;
	IOCTL(iommufd, IOMMU_IOAS_MAP, &m);
	unmap_all();
}

static void unmapping(void)
{
	struct iommu_ioas_unmap u = {.size = sizeof(u), .ioas_id = 12345, .length = PAGE};

	section("UNMAP");
	unmap(IOVA(0), PAGE, "of nothing");
	unmap(IOVA(0), 0, "length 0");
	unmap(0, ~0ull, "0, length ~0, of nothing");
	unmap(0, ~0ull - 1, "0, length ~0 - 1, of nothing");
	unmap(1, ~0ull, "1, length ~0");
	unmap(~0ull, 1, "the last byte");
	unmap(~0ull, 2, "across 2^64");
	map(FIXED | R, memory, IOVA(4), 4 * PAGE, "pages 4-7");
	unmap(IOVA(4), PAGE, "page 4");
	unmap(IOVA(7), PAGE, "page 7");
	unmap(IOVA(5), 2 * PAGE, "pages 5-6");
	unmap(IOVA(2), 4 * PAGE, "pages 2-5");
	unmap(IOVA(6), 4 * PAGE, "pages 6-9");
	unmap(IOVA(4), 4 * PAGE, "pages 4-7");
	unmap(IOVA(4), 4 * PAGE, "pages 4-7");
	map(FIXED | R, memory, IOVA(4), 2 * PAGE, "pages 4-5");
	map(FIXED | R, memory, IOVA(6), 2 * PAGE, "pages 6-7");
	map(FIXED | R, memory, IOVA(9), PAGE, "page 9");
	unmap(IOVA(4), 3 * PAGE, "pages 4-6: one and a half");
	unmap(IOVA(4), 2 * PAGE, "pages 4-5: went although it failed");
	unmap(IOVA(0), 16 * PAGE, "pages 0-15");
	say_call(ioctl(iommufd, IOMMU_IOAS_UNMAP, &u), "UNMAP no such IOAS");
}

static void copy(uint32_t flag, uint32_t dst, uint32_t src, uint64_t dst_iova, uint64_t src_iova,
		 uint64_t length, const char *what)
{
	struct iommu_ioas_copy c = {.size = sizeof(c),
				    .flags = flag,
				    .dst_ioas_id = dst,
				    .src_ioas_id = src,
				    .length = length,
				    .dst_iova = dst_iova,
				    .src_iova = src_iova};

	say_call(ioctl(iommufd, IOMMU_IOAS_COPY, &c), "COPY %s", what);
}

static void copying(void)
{
	uint32_t other = must_ioas(iommufd);

	section("COPY");
	map(FIXED | R, memory, IOVA(4), 4 * PAGE, "pages 4-7");
	copy(FIXED | R, other, ioas, IOVA(0), IOVA(4), 4 * PAGE, "all of it to another IOAS");
	copy(FIXED | R, other, ioas, IOVA(0), IOVA(4), 4 * PAGE, "again");
	copy(FIXED | R, other, ioas, IOVA(20), IOVA(5), 2 * PAGE, "a part of it");
	copy(FIXED | R, other, ioas, IOVA(30), IOVA(3), 2 * PAGE, "from before it");
	copy(FIXED | R, other, ioas, IOVA(30), IOVA(7), 2 * PAGE, "across its end");
	copy(FIXED | R, other, ioas, IOVA(30), IOVA(12), PAGE, "of nothing");
	copy(FIXED | R, other, ioas, IOVA(30), IOVA(4), 0, "length 0");
	copy(FIXED | R | W, other, ioas, IOVA(40), IOVA(4), PAGE, "READABLE to WRITEABLE");
	copy(FIXED, other, ioas, IOVA(50), IOVA(4), PAGE, "neither flag");
	copy(FIXED | R | 8, other, ioas, IOVA(50), IOVA(4), PAGE, "bit 3");
	copy(R, other, ioas, 0, IOVA(4), PAGE, "anywhere");
	copy(FIXED | R, ioas, ioas, IOVA(10), IOVA(4), PAGE, "within one IOAS");
	copy(FIXED | R, ioas, ioas, IOVA(5), IOVA(4), PAGE, "over itself");
	copy(FIXED | R, 12345, ioas, IOVA(0), IOVA(4), PAGE, "to no such IOAS");
	copy(FIXED | R, other, 12345, IOVA(60), IOVA(4), PAGE, "from no such IOAS");
	unmap_all();
	note("the copy has the memory, the first has gone");
	copy(FIXED | R, ioas, other, IOVA(4), IOVA(0), 4 * PAGE, "back");
	unmap_all();
}

static void with_device(void)
{
	struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = ioas};
	int cdev = must_open_cdev(edu);
	uint8_t *hole = pages(3 * PAGE), *read_only;

	section("with a device: memory is pinned, alignment counts");
	read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(hole + PAGE, PAGE);
	must_bind(cdev, iommufd);
	if (ioctl(cdev, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
		die("ATTACH: %s", errno_name(errno));
	map(FIXED | R, memory, IOVA(0), PAGE, "a page");
	map(FIXED | R, memory, IOVA(1), 1, "one byte");
	map(FIXED | R, memory, IOVA(1) + 1, PAGE, "iova not aligned");
	map(FIXED | R, memory + 1, IOVA(1), PAGE, "address not aligned");
	map(FIXED | R, memory, 0xfee00000, PAGE, "in the reserved window");
	map(FIXED | R, memory, 0xfedff000, 2 * PAGE, "into the reserved window");
	map(FIXED | R, memory, 1ull << 48, PAGE, "at 2^48");
	map(FIXED | R, hole, IOVA(2), 3 * PAGE, "across a hole");
	map(FIXED | R, NULL, IOVA(2), PAGE, "NULL");
	map(FIXED | R, hole, IOVA(2), PAGE, "where those failed");
	map(FIXED | R, read_only, IOVA(5), PAGE, "READABLE, read-only memory");
	map(FIXED | R | W, read_only, IOVA(6), PAGE, "WRITEABLE, read-only memory");
	unmapping();
	unmap_all();
	CLOSE(cdev);
}

int main(void)
{
	case_begin();
	pci_bind(edu, "vfio-pci");
	memory = pages(16 * PAGE);
	iommufd = open_iommufd();
	ioas = must_ioas(iommufd);
	flags();
	sizes();
	overlap();
	anywhere();
	unmapping();
	copying();
	with_device();
	return 0;
}
