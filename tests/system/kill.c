/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kills a client at random points, many times, and asks after each death that the next client is
 * served in full.
 *
 *	kill COUNT SEED BDF
 *
 * A victim goes through the calls of a VFIO client, by the group or by the cdev. Seeded random
 * numbers choose where it dies of SIGKILL: right before one of its calls, or during one, by a second
 * thread that spins a random number of times and then kills the process. The parent waits for the
 * death and then runs the same calls itself, at once and to the end: nothing may be busy, leaked
 * or half done. On a real kernel a dead process has closed its files before its parent can know.
 *
 * Prints TAP: one test for each hundred victims.
 */
#include "client.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define PAGES 8

struct trip {
	const char *bdf;
	bool by_cdev;
	int steps_left; /* dies when it reaches 0; negative: never */
	struct client_device device;
	char *memory;
	void *bar;
	size_t bar_size;
	int event;
};

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Counts a step of the trip, and dies when the last one has come. */
static void step(struct trip *trip)
{
	if (trip->steps_left == 0)
		die();
	trip->steps_left--;
}

static int open_device(struct trip *trip)
{
	if (trip->by_cdev)
		return client_open_by_cdev(&trip->device, trip->bdf, NULL);
	return client_open_by_group(&trip->device, trip->bdf, NULL);
}

static int map_some(struct trip *trip)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		int ret = client_map(&trip->device, trip->memory + i * 4096, 4096, i << 20);

		if (ret < 0)
			return ret;
		step(trip);
	}
	return 0;
}

static int unmap_some(struct trip *trip)
{
	for (uint64_t i = 0; i < PAGES; i += 2) {
		int ret = client_unmap(&trip->device, 4096, i << 20);

		if (ret < 0)
			return ret;
		step(trip);
	}
	return 0;
}

static int map_bar(struct trip *trip)
{
	struct vfio_region_info info;
	int ret = client_region(trip->device.fd, VFIO_PCI_BAR0_REGION_INDEX, &info);

	if (ret < 0)
		return ret;
	trip->bar_size = info.size;
	trip->bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, trip->device.fd,
			 (off_t)info.offset);
	if (trip->bar == MAP_FAILED)
		return -errno;
	*(volatile uint32_t *)trip->bar = 0x5aa5;
	return 0;
}

static int interrupt(struct trip *trip)
{
	uint64_t count = 0;
	int ret;

	trip->event = eventfd(0, EFD_NONBLOCK);
	ret = client_set_trigger(trip->device.fd, VFIO_PCI_MSIX_IRQ_INDEX, trip->event);
	if (ret < 0)
		return ret;
	step(trip);
	ret = client_trigger(trip->device.fd, VFIO_PCI_MSIX_IRQ_INDEX);
	if (ret < 0)
		return ret;
	if (read(trip->event, &count, sizeof(count)) != sizeof(count) || count != 1)
		return -EBADMSG;
	return 0;
}

static int read_config(struct trip *trip)
{
	return client_config_word(trip->device.fd, 0);
}

static int reset(struct trip *trip)
{
	return client_ioctl(trip->device.fd, VFIO_DEVICE_RESET, NULL);
}

static const struct {
	const char *name;
	int (*go)(struct trip *trip);
} calls[] = {
	{"open", open_device},	{"read config", read_config},	    {"map memory", map_some},
	{"map a BAR", map_bar}, {"interrupt", interrupt},	    {"unmap memory", unmap_some},
	{"reset", reset},	{"read config again", read_config},
};

/* All steps of a full trip: the calls and those within them. */
#define STEPS (sizeof(calls) / sizeof(calls[0]) + PAGES + PAGES / 2 + 1)

/* Goes through all calls. Returns 0, or a negative errno after saying which call failed. */
static int travel(struct trip *trip)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int ret;

		step(trip);
		ret = calls[i].go(trip);
		if (ret < 0) {
			printf("# %s by %s: %s\n", calls[i].name, trip->by_cdev ? "cdev" : "group",
			       strerrorname_np(-ret));
			return ret;
		}
	}
	return 0;
}

static void end(struct trip *trip)
{
	if (trip->bar && trip->bar != MAP_FAILED)
		munmap(trip->bar, trip->bar_size);
	if (trip->event >= 0)
		close(trip->event);
	client_close(&trip->device);
}

/* Spins for a while that does not depend on the scheduler, then kills the process. */
static void *killer(void *argument)
{
	for (volatile uint64_t left = (uintptr_t)argument; left; left--)
		;
	die();
	return NULL;
}

static void victim(struct trip *trip, uint64_t dice)
{
	pthread_t thread;

	if (dice & 1) {
		trip->steps_left = (int)((dice >> 8) % STEPS);
	} else {
		uintptr_t spins = (dice >> 8) % 2000000;

		if (pthread_create(&thread, NULL, killer, (void *)spins))
			_exit(1);
	}
	for (;;) {
		travel(trip);
		end(trip);
	}
}

/* One death. Returns 0 when it was one and the next client was served. */
static int round_of(const char *bdf, uint64_t dice, char *memory)
{
	struct trip trip = {
		.bdf = bdf,
		.by_cdev = dice & 2,
		.steps_left = -1,
		.device = CLIENT_DEVICE_NONE,
		.memory = memory,
		.event = -1,
	};
	int status, ret;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		victim(&trip, dice);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return -ECHILD;
	trip.by_cdev = dice & 4;
	ret = travel(&trip);
	end(&trip);
	return ret;
}

int main(int argc, char **argv)
{
	uint64_t count, state, failures = 0;
	char *memory;

	if (argc != 4) {
		fprintf(stderr, "usage: %s COUNT SEED BDF\n", argv[0]);
		return 2;
	}
	count = strtoull(argv[1], NULL, 0);
	state = strtoull(argv[2], NULL, 0) * 2 + 1;
	memory = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		return 2;
	for (uint64_t i = 0, before = 0; i < count; i++) {
		uint64_t dice = client_random(&state) >> 8;
		int ret = round_of(argv[3], dice, memory);

		if (ret < 0) {
			printf("# death %llu (dice %#llx): %s\n", (unsigned long long)i,
			       (unsigned long long)dice, strerrorname_np(-ret));
			failures++;
		}
		if ((i + 1) % 100 && i + 1 < count)
			continue;
		printf("%sok %llu - the next client was served after each of %llu deaths\n",
		       failures > before ? "not " : "", (unsigned long long)(i / 100 + 1),
		       (unsigned long long)(i % 100 + 1));
		before = failures;
	}
	printf("1..%llu\n", (unsigned long long)((count + 99) / 100));
	return failures > 0;
}
