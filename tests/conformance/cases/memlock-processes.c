/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose limit of locked memory a container's mappings count against: that of the address space which
 * MAP was called from, with what mlock has locked there. Not over fork, nor over exec; over a change of
 * owner (MAP with VADDR). What counts: each mapping, if it is of the same memory or not; BARs do not;
 * what cannot be pinned counts up to there.
 */
#include "lib.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define LIMIT_PAGES 16
#define READ	    VFIO_DMA_MAP_FLAG_READ

static int container;
static uint8_t *memory; /* 64 pages */

static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (syscall(SYS_capset, &head, none) < 0)
		die("capset: %s", errno_name(errno));
}

static void set_limit(unsigned int nr_pages)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		die("getrlimit: %s", errno_name(errno));
	limit.rlim_cur = nr_pages * PAGE;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		die("setrlimit: %s", errno_name(errno));
	say("RLIMIT_MEMLOCK: %u pages", nr_pages);
}

static int map_at(uint32_t flags, const void *at, unsigned int page, unsigned int nr_pages)
{
	struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
					     .flags = flags,
					     .vaddr = (uintptr_t)at,
					     .iova = IOVA(page),
					     .size = nr_pages * PAGE};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &m);
}

static void map(unsigned int page, unsigned int nr_pages)
{
	say_call(map_at(READ, memory, page, nr_pages), "MAP pages %u-%u", page,
		 page + nr_pages - 1);
}

static void unmap(uint32_t flags, unsigned int page, unsigned int nr_pages)
{
	struct vfio_iommu_type1_dma_unmap u = {
		.argsz = sizeof(u), .flags = flags, .iova = IOVA(page), .size = nr_pages * PAGE};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP%s pages %u-%u",
		 flags ? " VADDR" : "", page, page + nr_pages - 1);
}

static void unmap_all(void)
{
	struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u),
					       .flags = VFIO_DMA_UNMAP_FLAG_ALL};

	say_call(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP all");
	note("size 0x%llx", (unsigned long long)u.size);
}

static void in_child(void (*what)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		what();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		die("fork");
}

static void what_counts(int device)
{
	uint8_t *hole = pages(8 * PAGE), *bar;
	uint16_t command = 2;

	section("what counts");
	map(0, 8);
	note("the same memory again");
	map(8, 8);
	map(16, 1);
	unmap(0, 0, 8);
	map(0, 8);
	unmap_all();
	note("mlock");
	say_call(mlock(memory, 8 * PAGE), "mlock 8 pages");
	map(0, 9);
	map(0, 8);
	unmap_all();
	say_call(munlock(memory, 8 * PAGE), "munlock");
	map(0, 16);
	unmap_all();
	note("a hole behind 4 pages");
	munmap(hole + 4 * PAGE, PAGE);
	say_call(map_at(READ, hole, 0, 8), "MAP 8 pages");
	map(20, 12);
	say_call(map_at(READ, hole, 0, 8), "MAP 8 pages, 4 are left");
	map(40, 1);
	say_call(map_at(READ, hole, 0, 8), "MAP 8 pages, 3 are left");
	unmap_all();
	note("never touched");
	bar = mmap(NULL, 64 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say_call(map_at(READ, bar, 0, 17), "MAP 17 pages");
	say_call(map_at(READ, bar, 0, 16), "MAP 16 pages");
	note("a BAR");
	if (pwrite(device, &command, 2, ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + 4) != 2)
		die("command register");
	bar = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
	if (bar == MAP_FAILED)
		die("mmap of a BAR: %s", errno_name(errno));
	say_call(map_at(READ, bar, 100, 32), "MAP 32 pages of a BAR");
	map(16, 1);
	unmap_all();
	munmap(bar, 32 * PAGE);
}

static void child_maps(void)
{
	map(16, 12);
	map(28, 5);
	map(28, 4);
}

static void child_unmaps(void)
{
	unmap(0, 0, 8);
	map(40, 1);
}

static void fork_and_unmap(void)
{
	section("fork");
	map(0, 16);
	in_child(child_maps);
	note("it is gone; what it has mapped is there, and counts for nobody");
	map(16, 1);
	map(32, 1);
	unmap(0, 16, 12);
	map(32, 1);
	unmap_all();
	note("unmapped by another process: it is given back to who had it");
	map(0, 8);
	map(8, 8);
	in_child(child_unmaps);
	map(0, 8);
	map(50, 1);
	unmap_all();
}

static void child_takes(void)
{
	set_limit(LIMIT_PAGES - 1);
	say_call(map_at(VFIO_DMA_MAP_FLAG_VADDR, memory, 0, 16), "MAP VADDR pages 0-15");
	set_limit(LIMIT_PAGES);
	say_call(map_at(VFIO_DMA_MAP_FLAG_VADDR, memory, 0, 16), "MAP VADDR pages 0-15");
	map(20, 1);
}

static void change_owner(void)
{
	section("another owner");
	map(0, 16);
	unmap(VFIO_DMA_UNMAP_FLAG_VADDR, 0, 16);
	in_child(child_takes);
	map(20, 16);
	unmap_all();
}

/* The rest runs in the program anew: see main. */
static void exec_self(int group)
{
	char numbers[2][16];

	section("exec");
	map(0, 16);
	map(16, 1);
	/* Of the duplicates, which stay open. */
	snprintf(numbers[0], sizeof(numbers[0]), "%d", dup(container));
	snprintf(numbers[1], sizeof(numbers[1]), "%d", dup(group));
	execl("/proc/self/exe", "memlock-processes", numbers[0], numbers[1], (char *)NULL);
	die("exec: %s", errno_name(errno));
}

static void after_exec(char **argv)
{
	container = atoi(argv[1]);
	/* Root has its capabilities again. */
	drop_capabilities();
	note("another address space; the old one's mappings are there");
	map(0, 1);
	map(16, 16);
	map(32, 1);
	unmap_all();
	map(0, 16);
	map(16, 1);
	close(atoi(argv[2]));
	close(container);
}

int main(int argc, char **argv)
{
	struct vfio_user u;
	pid_t child;
	int status;

	case_begin();
	memory = pages(64 * PAGE);
	if (argc == 3) {
		after_exec(argv);
		return 0;
	}
	pci_bind(edu, "vfio-pci");
	vfio_user_open(&u, edu, VFIO_TYPE1v2_IOMMU);
	container = u.container;
	child = fork();
	if (child == 0) {
		drop_capabilities();
		set_limit(LIMIT_PAGES);
		what_counts(u.device);
		fork_and_unmap();
		change_owner();
		exec_self(u.group);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		die("fork");
	note("exit status %d", WEXITSTATUS(status));
	unmap_all();
	vfio_user_close(&u);
	return 0;
}
