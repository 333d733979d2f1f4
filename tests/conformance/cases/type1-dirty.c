/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VFIO_IOMMU_DIRTY_PAGES and UNMAP with GET_DIRTY_BITMAP: START and STOP, the form of GET_BITMAP in
 * the order in which mistakes are found, which bits are set, and which words of the caller's bitmap
 * are written. While a device that pins its memory is attached every mapped page is dirty, always.
 */
#include "lib.h"

#define START VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP  VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
#define GET   VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP
#define WORDS 16
#define FILL  0xa5a5a5a5a5a5a5a5ull

/* The head of DIRTY_PAGES, and what follows it with GET_BITMAP. */
struct get {
	struct {
		uint32_t argsz, flags;
	} head;
	struct {
		uint64_t iova, size;
		struct vfio_bitmap bitmap;
	} range;
};

struct unmap {
	struct vfio_iommu_type1_dma_unmap head;
	struct vfio_bitmap bitmap;
};

static int container;
static uint8_t *memory;
static uint64_t words[WORDS];

static void map(unsigned int page, unsigned int nr_pages)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = VFIO_DMA_MAP_FLAG_READ,
					     .vaddr = (uintptr_t)memory,
					     .iova = IOVA(page),
					     .size = nr_pages * PAGE};

	say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP pages %u-%u", page,
		 page + nr_pages - 1);
}

static void unmap_all(void)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u),
					       .flags = VFIO_DMA_UNMAP_FLAG_ALL};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP all");
	note("size 0x%llx", (unsigned long long)u.size);
}

static void track(uint32_t flags, uint32_t argsz, const char *what)
{
	struct vfio_iommu_type1_dirty_bitmap d = {.argsz = argsz, .flags = flags};

	say_call(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &d), "DIRTY_PAGES %s", what);
}

static void restart(void)
{
	struct vfio_iommu_type1_dirty_bitmap d = {.argsz = sizeof(d), .flags = STOP};

	if (ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &d) < 0)
		die("STOP: %s", errno_name(errno));
	d.flags = START;
	if (ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &d) < 0)
		die("START: %s", errno_name(errno));
}

static void fill_words(void)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		words[i] = FILL;
}

static void show_words(void)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (words[i] != FILL)
			note("word %zu: 0x%016llx", i, (unsigned long long)words[i]);
}

static struct get get_arg(uint64_t iova, uint64_t size)
{
	return (struct get){
		.head = {.argsz = sizeof(struct get), .flags = GET},
		.range = {.iova = iova,
			  .size = size,
			  .bitmap = {.pgsize = PAGE,
				     .size = sizeof(words),
				     .data = (uintptr_t)words}},
	};
}

static void get_raw(struct get *arg, const char *what)
{
	fill_words();
	say_call(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, arg), "GET_BITMAP %s", what);
	show_words();
}

/* See left_over(): what an earlier call has left is forgotten first. */
static void get(unsigned int page, unsigned int nr_pages)
{
	struct get arg = get_arg(IOVA(page), nr_pages * PAGE);
	char what[64];

	restart();
	snprintf(what, sizeof(what), "pages %u-%u", page, page + nr_pages - 1);
	get_raw(&arg, what);
}

static void heads(void)
{
	void *nowhere = NULL;

	section("the head");
	IOCTL(container, VFIO_IOMMU_DIRTY_PAGES, nowhere);
	track(START, 7, "START argsz 7");
	track(START, 0, "START argsz 0");
	track(0, 8, "no flag");
	track(START | STOP, 8, "START STOP");
	track(START | GET, 8, "START GET");
	track(8, 8, "bit 3");
	track(1u << 31 | START, 8, "bit 31 START");
	track(GET, 8, "GET argsz 8");
	track(STOP, 8, "STOP, is off");
	track(START, 8, "START");
	track(START, 8, "START again");
	track(STOP, 4096, "STOP with a long argsz");
	track(STOP, 8, "STOP again");
}

/* Each has one mistake; tracking is on or off. */
static void forms(const char *what)
{
	struct get arg = get_arg(IOVA(0), 4 * PAGE), good = arg;

	section("GET_BITMAP, %s", what);
	arg.head.argsz = sizeof(arg) - 1;
	get_raw(&arg, "argsz one less");
	arg = good;
	arg.range.size = 0;
	get_raw(&arg, "size 0");
	arg.range.size = PAGE - 1;
	get_raw(&arg, "size one byte less than a page");
	arg.range.size = PAGE + 1;
	get_raw(&arg, "size one byte more than a page");
	arg = good;
	arg.range.iova++;
	get_raw(&arg, "iova not aligned");
	arg.range.iova = ~0ull - PAGE + 1;
	get_raw(&arg, "across 2^64");
	arg.range.size = PAGE;
	get_raw(&arg, "the last page of 2^64");
	arg = good;
	arg.range.bitmap.pgsize = 2 * PAGE;
	get_raw(&arg, "pgsize 8192");
	arg.range.bitmap.pgsize = 512;
	get_raw(&arg, "pgsize 512");
	arg.range.bitmap.pgsize = PAGE + 1;
	get_raw(&arg, "pgsize 4097");
	arg.range.bitmap.pgsize = 1ull << 63;
	get_raw(&arg, "pgsize 2^63");
	arg = good;
	arg.range.bitmap.size = 0;
	get_raw(&arg, "a bitmap of 0 bytes");
	arg.range.bitmap.size = 7;
	get_raw(&arg, "a bitmap of 7 bytes");
	arg.range.bitmap.size = (1ull << 28) + 1;
	get_raw(&arg, "a bitmap of 2^28 + 1 bytes");
	arg.range.bitmap.size = ~0ull;
	get_raw(&arg, "a bitmap of 2^64 - 1 bytes");
	arg.range.bitmap.size = 8;
	get_raw(&arg, "a bitmap of 8 bytes");
	arg.range.size = 65 * PAGE;
	get_raw(&arg, "65 pages, a bitmap of 8 bytes");
	arg = good;
	arg.range.bitmap.data = 0;
	get_raw(&arg, "a bitmap at NULL");
	arg.range.bitmap.data = 0xffff800000000000ull;
	get_raw(&arg, "a bitmap of the kernel's");
	arg = good;
	arg.range.size = (1ull << 43) - PAGE;
	get_raw(&arg, "2^43 bytes less a page, bitmap too small");
}

static void bits(void)
{
	section("bits");
	get(0, 4);
	map(0, 1);
	map(1, 2);
	get(0, 4);
	get(0, 3);
	get(0, 2);
	get(1, 2);
	get(2, 1);
	get(2, 8);
	map(63, 2);
	get(0, 128);
	get(63, 2);
	get(60, 64);
	map(128, 64);
	map(192, 65);
	map(300, 1);
	get(0, 512);
	get(128, 128);
	get(128, 129);
	unmap_all();
	get(0, 512);
}

/*
 * Nothing is forgotten between these. The first mapping's bits are in place. To put those of the
 * second in place the kernel shifts its record of them, and what is shifted out at the top stays
 * there for the next time.
 */
static void left_over(void)
{
	struct get arg = get_arg(IOVA(0), 4 * PAGE);

	section("twice the same");
	map(0, 1);
	map(1, 2);
	restart();
	get_raw(&arg, "pages 0-3");
	get_raw(&arg, "pages 0-3");
	unmap_all();
}

static void unmap_dirty(unsigned int page, unsigned int nr_pages, uint64_t pgsize, uint64_t size,
			void *data)
{
	struct unmap arg = {.head = {.argsz = sizeof(arg),
				     .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
				     .iova = IOVA(page),
				     .size = nr_pages * PAGE},
			    .bitmap = {.pgsize = pgsize, .size = size, .data = (uintptr_t)data}};

	fill_words();
	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg),
		 "UNMAP pages %u-%u, pgsize %llu, bitmap %llu", page, page + nr_pages - 1,
		 (unsigned long long)pgsize, (unsigned long long)size);
	note("size 0x%llx", (unsigned long long)arg.head.size);
	show_words();
}

static void unmaps(void)
{
	section("UNMAP with a bitmap");
	map(0, 2);
	map(2, 2);
	map(70, 3);
	unmap_dirty(0, 4, PAGE, 0, words);
	unmap_dirty(0, 4, PAGE, 7, words);
	unmap_dirty(0, 4, 2 * PAGE, 8, words);
	unmap_dirty(0, 4, 512, 8, words);
	unmap_dirty(0, 4, PAGE, 8, (void *)0xffff800000000000ull);
	unmap_dirty(0, 65, PAGE, 8, words);
	unmap_dirty(0, 1, PAGE, 8, words);
	unmap_dirty(1, 3, PAGE, 8, words);
	unmap_dirty(0, 4, PAGE, 8, NULL);
	unmap_dirty(0, 4, PAGE, 8, words);
	unmap_dirty(0, 4, PAGE, 8, words);
	unmap_dirty(8, 128, PAGE, 16, words);
	note("what was mapped before START and after it");
	track(STOP, 8, "STOP");
	map(0, 2);
	unmap_dirty(0, 2, PAGE, 8, words);
	track(START, 8, "START");
	map(2, 1);
	unmap_dirty(0, 4, PAGE, 8, words);
	note("without a bitmap");
	map(0, 2);
	unmap_all();
}

/* A bitmap of which only the first page is there: what is written before the hole, and unmapped. */
static void partial(void)
{
	uint64_t *bitmap = pages(2 * PAGE); /* a page has PAGE / 8 words */
	struct unmap arg = {
		.head = {.argsz = sizeof(arg),
			 .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
			 .iova = IOVA(0),
			 .size = 128 * PAGE},
		.bitmap = {.pgsize = PAGE, .size = 16, .data = (uintptr_t)(bitmap + PAGE / 8 - 1)}};

	section("a bitmap that ends in a hole");
	munmap(bitmap + PAGE / 8, PAGE);
	map(0, 2);
	map(64, 2);
	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg), "UNMAP pages 0-127");
	note("size 0x%llx, bits 0x%llx", (unsigned long long)arg.head.size,
	     (unsigned long long)bitmap[PAGE / 8 - 1]);
	map(0, 2);
	map(64, 2);
	unmap_all();
}

static void with_v1(void)
{
	struct vfio_user u;

	section("type1");
	vfio_user_open(&u, edu, VFIO_TYPE1_IOMMU);
	container = u.container;
	track(START, 8, "START");
	track(START, 7, "START argsz 7");
	track(8, 8, "bit 3");
	map(0, 2);
	unmap_dirty(0, 2, PAGE, 7, words);
	unmap_dirty(0, 2, PAGE, 8, words);
	unmap_all();
	vfio_user_close(&u);
}

int main(void)
{
	struct vfio_user u;

	case_begin();
	pci_bind(edu, "vfio-pci");
	memory = pages(128 * PAGE);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	container = u.container;
	heads();
	forms("tracking is off");
	track(START, 8, "START");
	forms("tracking is on");
	bits();
	left_over();
	unmaps();
	partial();
	vfio_user_close(&u);
	with_v1();
	return 0;
}
