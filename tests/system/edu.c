/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver of the edu device: what a program does with one in a course, by loads and stores on its BAR, or by
 * reads and writes of its file where the BAR cannot be mapped.
 *
 *	edu BDF group|cdev
 *
 * Prints how it reaches the registers, and a line for each part: "part: ok" or what was wrong.
 */
#include "client.h"

#define ID	    0x00
#define LIVENESS    0x04
#define FACTORIAL   0x08
#define STATUS	    0x20
#define CAUSES	    0x24
#define RAISE	    0x60
#define ACK	    0x64
#define SOURCE	    0x80
#define DESTINATION 0x88
#define COUNT	    0x90
#define COMMAND	    0x98

#define RUN	    1u
#define OUT	    2u
#define INTERRUPT   4u
#define BUFFER	    0x40000u

#define IOVA	    0x200000u
#define SIZE	    0x10000u
#define TRANSFERS   200

static struct client_device device = CLIENT_DEVICE_NONE;
static struct vfio_region_info bar;
static volatile uint8_t *registers; /* NULL: not mapped */
static uint8_t *memory;
static int failures;

static void check(bool good, const char *part)
{
	printf("%s: %s\n", part, good ? "ok" : "wrong");
	failures += !good;
}

static void access_file(uint64_t at, void *bytes, size_t size, bool write)
{
	off_t where = (off_t)(bar.offset + at);
	ssize_t done = write ? pwrite(device.fd, bytes, size, where)
			     : pread(device.fd, bytes, size, where);

	if (done != (ssize_t)size) {
		perror("an access to a register");
		exit(1);
	}
}

static uint32_t get(uint64_t at)
{
	uint32_t value;

	if (registers)
		return *(const volatile uint32_t *)(registers + at);
	access_file(at, &value, sizeof(value), false);
	return value;
}

static void put(uint64_t at, uint32_t value)
{
	if (registers)
		*(volatile uint32_t *)(registers + at) = value;
	else
		access_file(at, &value, sizeof(value), true);
}

static void put64(uint64_t at, uint64_t value)
{
	if (registers)
		*(volatile uint64_t *)(registers + at) = value;
	else
		access_file(at, &value, sizeof(value), true);
}

/* Waits for an interrupt. */
static uint64_t wait_event(int event)
{
	uint64_t count = 0;

	return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void identify(void)
{
	bool alive = true;

	check(get(ID) == 0x010000ed, "identification");
	for (uint32_t i = 1; i; i <<= 1) {
		put(LIVENESS, i);
		alive = alive && get(LIVENESS) == ~i;
	}
	check(alive, "liveness");
}

static void factorials(void)
{
	uint32_t expected = 1;
	bool good = true;

	for (uint32_t n = 1; n <= 20; n++) {
		expected *= n;
		put(FACTORIAL, n);
		while (get(STATUS) & 1)
			;
		good = good && get(FACTORIAL) == expected;
	}
	check(good, "factorials, polled");
}

static void interrupts(int event)
{
	put(STATUS, 0x80);
	put(FACTORIAL, 10);
	check(wait_event(event) == 1 && get(FACTORIAL) == 3628800 && get(CAUSES) == 1,
	      "factorial, by interrupt");
	put(ACK, 1);
	check(!get(CAUSES), "acknowledged");
	put(RAISE, 0xdead);
	check(wait_event(event) == 1 && get(CAUSES) == 0xdead, "raised by hand");
	put(ACK, 0xdead);
	check(!get(CAUSES), "acknowledged again");
}

static void transfer(int event, uint64_t source, uint64_t destination, uint64_t count,
		     uint32_t command)
{
	put64(SOURCE, source);
	put64(DESTINATION, destination);
	put64(COUNT, count);
	put(COMMAND, command | RUN | INTERRUPT);
	wait_event(event);
	put(ACK, get(CAUSES));
}

/* In by one half of memory, out to the other: all of it is what it should be, and nothing else has changed. */
static void transfers(int event)
{
	static uint8_t expected[SIZE];
	uint64_t random = 1;
	bool good = true;

	for (unsigned int i = 0; i < SIZE; i++)
		memory[i] = expected[i] = (uint8_t)client_random(&random);
	for (unsigned int i = 0; i < TRANSFERS; i++) {
		uint64_t count = client_random(&random) % 4096 + 1;
		uint64_t from = client_random(&random) % (SIZE / 2 - count);
		uint64_t to = SIZE / 2 + client_random(&random) % (SIZE / 2 - count);
		uint64_t place = BUFFER + client_random(&random) % (4097 - count);

		transfer(event, IOVA + from, place, count, 0);
		transfer(event, place, IOVA + to, count, OUT);
		memcpy(expected + to, expected + from, count);
		good = good && !memcmp(expected, memory, SIZE);
	}
	check(good, "transfers to and fro");
	/* One that reaches beyond what is mapped leaves memory alone. */
	transfer(event, BUFFER, IOVA + SIZE, 8, OUT);
	check(!memcmp(expected, memory, SIZE) && !(get(COMMAND) & RUN), "a transfer to nowhere");
}

static int open_device(const char *bdf, const char *way)
{
	int ret = strcmp(way, "cdev") ? client_open_by_group(&device, bdf, NULL)
				      : client_open_by_cdev(&device, bdf, NULL);
	struct vfio_region_info config;
	uint16_t command = 6; /* memory, bus master */

	if (ret >= 0)
		ret = client_region(device.fd, VFIO_PCI_CONFIG_REGION_INDEX, &config);
	if (ret < 0 || pwrite(device.fd, &command, 2, (off_t)config.offset + 4) != 2)
		return -1;
	return client_region(device.fd, VFIO_PCI_BAR0_REGION_INDEX, &bar);
}

int main(int argc, char **argv)
{
	int event = eventfd(0, 0);
	void *map = MAP_FAILED;

	if (argc != 3 || open_device(argv[1], argv[2]) < 0) {
		fprintf(stderr, "usage: edu BDF group|cdev, and it must open: %s\n",
			strerror(errno));
		return 1;
	}
	if (bar.flags & VFIO_REGION_INFO_FLAG_MMAP)
		map = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device.fd,
			   (off_t)bar.offset);
	registers = map == MAP_FAILED ? NULL : map;
	printf("registers: %s\n", registers ? "loads and stores" : "reads and writes");
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (client_map(&device, memory, SIZE, IOVA) < 0 ||
	    client_set_trigger(device.fd, VFIO_PCI_MSI_IRQ_INDEX, event) < 0) {
		perror("memory and interrupt");
		return 1;
	}
	identify();
	factorials();
	interrupts(event);
	transfers(event);
	printf("%d wrong\n", failures);
	client_close(&device);
	return failures != 0;
}
