/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A BAR whose pages are of several kinds, in one mapping: trapped ones, memory whose stores the device
 * sees, and plain memory.
 *
 *	pages BDF
 *
 * BAR 0 of the function has 64 KiB: two trapped pages, three whose stores are, and memory. Prints what is
 * wrong, and "N wrong".
 */
#include "client.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>

#define PAGE   4096u
#define TRAP   0u /* pages by their first byte */
#define STORES (2 * PAGE)
#define MEMORY (5 * PAGE)

static struct client_device device = CLIENT_DEVICE_NONE;
static struct vfio_region_info bar;
static uint8_t *map;
static int failures;

static void check(bool good, const char *part, const char *what)
{
	if (!good) {
		printf("%s: %s\n", part, what);
		failures++;
	}
}

static volatile uint32_t *word(uint64_t at)
{
	return (volatile uint32_t *)(map + at);
}

static uint32_t by_file(uint64_t at)
{
	uint32_t value = 0;

	if (pread(device.fd, &value, sizeof(value), (off_t)(bar.offset + at)) != sizeof(value))
		return 0xdead0000;
	return value;
}

static bool write_file(uint64_t at, uint32_t value)
{
	return pwrite(device.fd, &value, sizeof(value), (off_t)(bar.offset + at)) == sizeof(value);
}

static void each_kind(void)
{
	static const uint32_t places[] = {TRAP,	      TRAP + 4, STORES - 4,	 STORES,
					  MEMORY - 4, MEMORY,	16 * PAGE - 4096};
	uint32_t n = sizeof(places) / sizeof(places[0]);

	for (uint32_t i = 0; i < n; i++)
		*word(places[i]) = 0x1000 + i;
	for (uint32_t i = 0; i < n; i++)
		check(by_file(places[i]) == 0x1000 + i && *word(places[i]) == 0x1000 + i,
		      "each kind", "a store and a load");
	for (uint32_t i = 0; i < n; i++)
		check(write_file(places[i], 0x2000 + i) && *word(places[i]) == 0x2000 + i,
		      "each kind", "a load of what was written");
	for (uint32_t i = 0; i < n; i++)
		*word(places[i]) += 5;
	check(by_file(STORES) == 0x2008 && by_file(MEMORY) == 0x200a && by_file(TRAP) == 0x2005,
	      "each kind", "read, modify, write");
}

static void across(void)
{
	static uint8_t in[6 * PAGE], out[6 * PAGE];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(map + 100, in, sizeof(in));
	check(pread(device.fd, out, sizeof(out), (off_t)bar.offset + 100) == sizeof(out) &&
		      !memcmp(in, out, sizeof(in)),
	      "across", "a copy to all kinds");
	memset(out, 0, sizeof(out));
	memcpy(out, map + 100, sizeof(out));
	check(!memcmp(in, out, sizeof(in)), "across", "a copy from all kinds");
	*(volatile uint32_t *)(map + STORES - 2) = 0x11223344;
	*(volatile uint32_t *)(map + MEMORY - 1) = 0x55667788;
	check(by_file(STORES - 2) == 0x11223344 && by_file(MEMORY - 1) == 0x55667788, "across",
	      "a store over two pages");
	check(*(volatile uint32_t *)(map + STORES - 2) == 0x11223344 &&
		      *(volatile uint32_t *)(map + MEMORY - 1) == 0x55667788,
	      "across", "a load over two pages");
}

/* Whoever goes around the preload cannot store to what is for loads. */
static void around(void)
{
	check(syscall(SYS_mprotect, map + STORES, (size_t)PAGE, PROT_READ | PROT_WRITE) == -1 &&
		      errno == EACCES,
	      "around", "it cannot be made writable");
}

/* --- what the kernel has mapped, as /proc/self/maps shows it --- */

static bool permissions(const void *at, char ret[5])
{
	unsigned long first, end;
	char line[256];
	bool found = false;
	FILE *file = fopen("/proc/self/maps", "r");

	while (!found && file && fgets(line, sizeof(line), file))
		found = sscanf(line, "%lx-%lx %4s", &first, &end, ret) == 3 &&
			first <= (uintptr_t)at && end > (uintptr_t)at;
	if (file)
		fclose(file);
	return found;
}

static void each_its_way(void)
{
	char text[5];

	check(permissions(map + TRAP, text) && !strncmp(text, "---", 3), "its way", "trapped");
	check(permissions(map + STORES, text) && !strcmp(text, "r--s"), "its way",
	      "trapped stores");
	check(permissions(map + MEMORY, text) && !strcmp(text, "rw-s"), "its way", "memory");
}

static sigjmp_buf back;

static void jump(int number)
{
	siglongjmp(back, number);
}

static int store(volatile uint32_t *at)
{
	int number = sigsetjmp(back, 1);

	if (!number)
		*at = 77;
	return number;
}

static int load(volatile uint32_t *at)
{
	int number = sigsetjmp(back, 1);

	if (!number)
		(void)*at;
	return number;
}

static void protected(void)
{
	char text[5];

	signal(SIGSEGV, jump);
	mprotect(map + PAGE, 5 * PAGE, PROT_READ);
	check(store(word(PAGE)) == SIGSEGV && store(word(STORES)) == SIGSEGV &&
		      store(word(MEMORY)) == SIGSEGV,
	      "protected", "a store after mprotect to read-only");
	check(!load(word(PAGE)) && !load(word(STORES)) && !load(word(MEMORY)), "protected",
	      "loads");
	mprotect(map + PAGE, 5 * PAGE, PROT_NONE);
	check(load(word(PAGE)) == SIGSEGV && load(word(STORES)) == SIGSEGV &&
		      load(word(MEMORY)) == SIGSEGV,
	      "protected", "a load after mprotect to nothing");
	mprotect(map + PAGE, 5 * PAGE, PROT_READ | PROT_WRITE);
	check(!store(word(PAGE)) && !store(word(STORES)) && !store(word(MEMORY)) &&
		      by_file(STORES) == 77,
	      "protected", "stores are back");
	check(permissions(map + STORES, text) && !strcmp(text, "r--s"), "protected",
	      "but not for the processor");
	signal(SIGSEGV, SIG_DFL);
}

static void unmapped_in_part(void)
{
	uint8_t *other = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd,
			      (off_t)bar.offset);

	check(other != MAP_FAILED && other != map, "in part", "a second mapping");
	munmap(other + PAGE, 2 * PAGE);
	signal(SIGSEGV, jump);
	check(load((volatile uint32_t *)(other + PAGE)) == SIGSEGV &&
		      load((volatile uint32_t *)(other + STORES)) == SIGSEGV,
	      "in part", "what is unmapped is gone");
	signal(SIGSEGV, SIG_DFL);
	*(volatile uint32_t *)(other + STORES + PAGE) = 88;
	*(volatile uint32_t *)other = 89;
	check(*word(STORES + PAGE) == 88 && *word(0) == 89, "in part", "the rest is not");
	munmap(other, 16 * PAGE);
	other = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd,
		     (off_t)bar.offset + STORES + 2 * PAGE);
	check(other != MAP_FAILED, "in part", "a mapping of two kinds");
	((volatile uint32_t *)other)[5] = 90;
	((volatile uint32_t *)(other + PAGE))[5] = 91;
	check(by_file(STORES + 2 * PAGE + 20) == 90 && by_file(MEMORY + 20) == 91, "in part",
	      "each of its own");
	munmap(other, 2 * PAGE);
	check(mmap(NULL, 17 * PAGE, PROT_READ, MAP_SHARED, device.fd, (off_t)bar.offset) ==
			      MAP_FAILED &&
		      errno == EINVAL,
	      "in part", "behind the end");
}

/* A mapping of all kinds of pages moves as one, and so does a part of it that begins and ends within a kind. */
static void moved(void)
{
	uint8_t *room = mmap(NULL, 32 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *other = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd,
			      (off_t)bar.offset);

	signal(SIGSEGV, jump);
	check(mremap(other, 16 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room,
	      "moved", "all of it");
	check(load((volatile uint32_t *)other) == SIGSEGV &&
		      load((volatile uint32_t *)(other + STORES)) == SIGSEGV &&
		      load((volatile uint32_t *)(other + MEMORY)) == SIGSEGV,
	      "moved", "nothing is left behind");
	for (uint32_t at = 0; at < 16 * PAGE; at += PAGE)
		*(volatile uint32_t *)(room + at) = at + 1;
	for (uint32_t at = 0; at < 15 * PAGE; at += PAGE)
		check(by_file(at) == at + 1, "moved", "all pages are there");
	other = room + 16 * PAGE;
	check(mremap(room + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other) ==
		      other,
	      "moved", "a part");
	check(*(volatile uint32_t *)other == PAGE + 1 &&
		      *(volatile uint32_t *)(other + PAGE) == 2 * PAGE + 1 &&
		      *(volatile uint32_t *)room == 1 &&
		      *(volatile uint32_t *)(room + 3 * PAGE) == 3 * PAGE + 1,
	      "moved", "and the rest stays");
	check(load((volatile uint32_t *)(room + PAGE)) == SIGSEGV &&
		      load((volatile uint32_t *)(room + 2 * PAGE)) == SIGSEGV,
	      "moved", "without it");
	*(volatile uint32_t *)(other + PAGE) = 5;
	check(by_file(2 * PAGE) == 5, "moved", "a store to it");
	check(mremap(other, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT,
	      "moved", "it does not grow");
	check(mremap(other, 2 * PAGE, PAGE, 0) == other &&
		      load((volatile uint32_t *)(other + PAGE)) == SIGSEGV,
	      "moved", "but shrinks");
	signal(SIGSEGV, SIG_DFL);
	munmap(room, 32 * PAGE);
}

/* Decoding off: whichever page it is, SIGBUS. */
static void decoding(void)
{
	struct vfio_region_info config;
	uint16_t off = 0, on = 2;

	client_region(device.fd, VFIO_PCI_CONFIG_REGION_INDEX, &config);
	signal(SIGBUS, jump);
	*word(STORES) = 5;
	*word(MEMORY) = 6;
	check(pwrite(device.fd, &off, 2, (off_t)config.offset + 4) == 2, "decoding", "off");
	check(load(word(TRAP)) == SIGBUS && load(word(STORES)) == SIGBUS &&
		      load(word(MEMORY)) == SIGBUS,
	      "decoding", "loads");
	check(store(word(TRAP)) == SIGBUS && store(word(STORES)) == SIGBUS &&
		      store(word(MEMORY)) == SIGBUS,
	      "decoding", "stores");
	check(pwrite(device.fd, &on, 2, (off_t)config.offset + 4) == 2, "decoding", "on");
	check(*word(STORES) == 5 && *word(MEMORY) == 6, "decoding", "all is there again");
	check(!store(word(STORES)) && by_file(STORES) == 77, "decoding", "and works");
	signal(SIGBUS, SIG_DFL);
}

/* A process that runs virtual machines is offered the memory alone, and told where it is. */
static void with_kvm(void)
{
	struct {
		struct vfio_region_info info;
		struct vfio_region_info_cap_sparse_mmap cap;
		struct vfio_region_sparse_mmap_area area;
		uint8_t rest[64];
	} answer = {.info = {.argsz = sizeof(answer), .index = VFIO_PCI_BAR0_REGION_INDEX}};
	void *part;

	if (open("/dev/kvm", O_RDWR) < 0) {
		printf("no KVM: %s\n", strerror(errno));
		return;
	}
	check(!client_ioctl(device.fd, VFIO_DEVICE_GET_REGION_INFO, &answer) &&
		      answer.info.flags & VFIO_REGION_INFO_FLAG_MMAP &&
		      answer.info.flags & VFIO_REGION_INFO_FLAG_CAPS &&
		      answer.info.cap_offset == sizeof(answer.info) &&
		      answer.cap.header.id == VFIO_REGION_INFO_CAP_SPARSE_MMAP &&
		      answer.cap.nr_areas == 1 && answer.area.offset == MEMORY &&
		      answer.area.size == 11 * PAGE,
	      "with KVM", "what can be mapped");
	check(mmap(NULL, 16 * PAGE, PROT_READ, MAP_SHARED, device.fd, (off_t)bar.offset) ==
			      MAP_FAILED &&
		      errno == EINVAL,
	      "with KVM", "all of it cannot");
	check(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device.fd, (off_t)bar.offset + STORES) ==
			      MAP_FAILED &&
		      errno == EINVAL,
	      "with KVM", "nor what has trapped stores");
	part = mmap(NULL, 11 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd,
		    (off_t)bar.offset + MEMORY);
	check(part != MAP_FAILED, "with KVM", "the memory can");
}

int main(int argc, char **argv)
{
	if (argc != 2 || client_open_by_group(&device, argv[1], NULL) ||
	    client_region(device.fd, VFIO_PCI_BAR0_REGION_INDEX, &bar)) {
		fprintf(stderr, "usage: %s BDF\n", argv[0]);
		return 2;
	}
	map = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd,
		   (off_t)bar.offset);
	if (map == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	each_kind();
	across();
	each_its_way();
	around();
	protected();
	unmapped_in_part();
	moved();
	decoding();
	with_kvm();
	printf("%d wrong\n", failures);
	return failures > 0;
}
