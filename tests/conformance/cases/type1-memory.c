/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What memory VFIO_IOMMU_MAP_DMA takes: every protection, for reading and for writing by the device;
 * files and shared memory; memory of several kinds in one mapping; memory that goes away or changes
 * while it is mapped; BARs, of the device itself and of others.
 */
#include "lib.h"

#define R  VFIO_DMA_MAP_FLAG_READ
#define W  VFIO_DMA_MAP_FLAG_WRITE
#define RW (PROT_READ | PROT_WRITE)

static int container;
static unsigned int next_page;

/* By a device that reads, one that writes, and one that does both; each somewhere else. */
static void try(const void *at, size_t size, const char *what)
{
	static const struct {
		uint32_t flags;
		const char *name;
	} ways[] = {{R, "READ"}, {W, "WRITE"}, {R | W, "READ WRITE"}};
	struct vfio_iommu_type1_dma_map m = {
		.argsz = sizeof(m), .vaddr = (uintptr_t)at, .size = size};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		m.flags = ways[i].flags;
		m.iova = IOVA(next_page);
		next_page += (unsigned int)(size / PAGE);
		say_call(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP %s, %s", ways[i].name,
			 what);
	}
}

static void unmap_all(void)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u),
					       .flags = VFIO_DMA_UNMAP_FLAG_ALL};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP all");
	note("size 0x%llx", (unsigned long long)u.size);
}

static void *must_mmap(size_t size, int prot, int flags, int fd)
{
	void *p = mmap(NULL, size, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", errno_name(errno));
	return p;
}

static void protections(void)
{
	static const struct {
		int prot;
		const char *name;
	} kinds[] = {
		{PROT_NONE, "PROT_NONE"},
		{PROT_READ, "PROT_READ"},
		{PROT_WRITE, "PROT_WRITE"},
		{PROT_EXEC, "PROT_EXEC"},
		{PROT_READ | PROT_EXEC, "PROT_READ PROT_EXEC"},
		{RW | PROT_EXEC, "all"},
	};
	uint8_t *p;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		section("%s", kinds[i].name);
		try(must_mmap(PAGE, kinds[i].prot, MAP_PRIVATE | MAP_ANONYMOUS, -1), PAGE,
		    "private, never touched");
		p = pages(PAGE);
		mprotect(p, PAGE, kinds[i].prot);
		try(p, PAGE, "private, touched");
		try(must_mmap(PAGE, kinds[i].prot, MAP_SHARED | MAP_ANONYMOUS, -1), PAGE, "shared");
	}
	section("what was mapped");
	unmap_all();
}

static int must_file(int fd, off_t size)
{
	if (fd < 0 || ftruncate(fd, size) < 0)
		die("file: %s", errno_name(errno));
	return fd;
}

static void files(void)
{
	int memfd = must_file(memfd_create("case", MFD_CLOEXEC | MFD_ALLOW_SEALING), 2 * PAGE);
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), zero = must_open("/dev/zero");
	uint8_t *p;

	section("files");
	try(must_mmap(2 * PAGE, RW, MAP_SHARED, memfd), 2 * PAGE, "memfd, shared");
	try(must_mmap(2 * PAGE, RW, MAP_PRIVATE, memfd), 2 * PAGE, "memfd, private");
	try(must_mmap(3 * PAGE, RW, MAP_SHARED, memfd), 3 * PAGE, "memfd, a page beyond its end");
	try((uint8_t *)must_mmap(3 * PAGE, RW, MAP_PRIVATE, memfd) + 2 * PAGE, PAGE,
	    "memfd, private, only beyond its end");
	try(must_mmap(2 * PAGE, PROT_READ, MAP_SHARED, memfd), 2 * PAGE, "memfd, PROT_READ");
	try(must_mmap(2 * PAGE, PROT_NONE, MAP_SHARED, memfd), 2 * PAGE, "memfd, PROT_NONE");
	try(must_mmap(PAGE, PROT_READ, MAP_PRIVATE, exe), PAGE, "the program, PROT_READ");
	try(must_mmap(PAGE, RW, MAP_PRIVATE, exe), PAGE, "the program, private");
	try(must_mmap(PAGE, PROT_READ, MAP_SHARED, exe), PAGE, "the program, shared");
	try(must_mmap(PAGE, RW, MAP_PRIVATE, zero), PAGE, "/dev/zero, private");
	try(must_mmap(PAGE, RW, MAP_SHARED, zero), PAGE, "/dev/zero, shared");

	section("several kinds in a row");
	p = pages(4 * PAGE);
	if (mmap(p + PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, memfd, 0) == MAP_FAILED ||
	    mmap(p + 3 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
		die("mmap: %s", errno_name(errno));
	try(p, 3 * PAGE, "private, memfd, private");
	try(p, 4 * PAGE, "and a page that is read-only");
	mprotect(p, PAGE, PROT_NONE);
	try(p, 3 * PAGE, "the first page has PROT_NONE");
	unmap_all();
	close(memfd);
	close(exe);
	close(zero);
}

static void sealed(void)
{
	int fd = must_file(memfd_create("case", MFD_CLOEXEC | MFD_ALLOW_SEALING), PAGE);

	section("sealed");
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) < 0)
		die("F_ADD_SEALS: %s", errno_name(errno));
	try(must_mmap(PAGE, PROT_READ, MAP_SHARED, fd), PAGE, "memfd, PROT_READ");
	try(must_mmap(PAGE, RW, MAP_PRIVATE, fd), PAGE, "memfd, private");
	unmap_all();
	close(fd);
}

/* The mapping is of the pages that were there: it stays, and can be taken away as it was made. */
static void gone(void)
{
	int fd = must_file(memfd_create("case", MFD_CLOEXEC), PAGE);
	uint8_t *p = pages(2 * PAGE), *shared = must_mmap(PAGE, RW, MAP_SHARED, fd);

	section("memory that goes away");
	try(p, 2 * PAGE, "private");
	try(shared, PAGE, "memfd");
	say_call(mprotect(p, PAGE, PROT_NONE), "mprotect PROT_NONE");
	try(p, 2 * PAGE, "PROT_NONE by now");
	say_call(madvise(p + PAGE, PAGE, MADV_DONTNEED), "madvise MADV_DONTNEED");
	say_call(munmap(p, 2 * PAGE), "munmap");
	try(p, 2 * PAGE, "unmapped by now");
	say_call(ftruncate(fd, 0), "ftruncate");
	try(shared, PAGE, "memfd, truncated by now");
	unmap_all();
	close(fd);
}

static uint8_t *map_bar(int device, uint32_t index, size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, device, (off_t)index << 40);

	if (p == MAP_FAILED)
		die("mmap of a BAR: %s", errno_name(errno));
	return p;
}

static void set_command(int device, uint16_t value)
{
	off_t at = ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + 4;

	say_call(pwrite(device, &value, sizeof(value), at), "command register: 0x%x", value);
}

static void bars(void)
{
	struct vfio_user u, v;
	uint8_t *bar, *other, *p;

	section("BARs");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	vfio_user_open(&v, pf, VFIO_TYPE1v2_IOMMU);
	container = u.container;
	set_command(u.device, 2);
	set_command(v.device, 2);
	bar = map_bar(u.device, 0, 4 * PAGE, RW);
	other = map_bar(v.device, 0, 4 * PAGE, RW);
	try(bar, 4 * PAGE, "its own BAR");
	try(bar + PAGE, PAGE, "a page of its own BAR");
	try(other, 4 * PAGE, "the BAR of a device in another container");
	p = map_bar(u.device, 0, PAGE, PROT_READ);
	try(p, PAGE, "a BAR mapped with PROT_READ");
	munmap(p, PAGE);
	p = map_bar(u.device, 0, PAGE, PROT_NONE);
	try(p, PAGE, "a BAR mapped with PROT_NONE");
	munmap(p, PAGE);
	try(bar, 5 * PAGE, "a page more than is mapped of a BAR");
	p = pages(3 * PAGE);
	if (mmap(p + PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, u.device, 0) == MAP_FAILED)
		die("mmap: %s", errno_name(errno));
	try(p, 3 * PAGE, "memory, BAR, memory");
	try(p + PAGE, 2 * PAGE, "BAR, memory");
	munmap(p, 3 * PAGE);
	unmap_all();

	section("a BAR that goes away");
	try(bar, PAGE, "its own BAR");
	say_call(munmap(bar, 4 * PAGE), "munmap");
	unmap_all();
	try(other, PAGE, "the BAR of a device in another container");
	vfio_user_close(&v);
	note("that device is closed, its BAR is mapped");
	try(other, PAGE, "the BAR of a closed device");
	unmap_all();
	vfio_user_close(&u);
	/* Until then the function cannot be given back its driver. */
	munmap(other, 4 * PAGE);
}

int main(void)
{
	struct vfio_user u;

	case_begin();
	pci_all_to_vfio(edu, pf, NULL);
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	container = u.container;
	protections();
	files();
	sealed();
	gone();
	vfio_user_close(&u);
	bars();
	return 0;
}
