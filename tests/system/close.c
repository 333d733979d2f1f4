/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closing is final: what a process has closed, it and everybody else can open again at once.
 *
 *	close ROUNDS BDF OTHER-BDF
 *
 * Opens a function, closes it and opens it by the other interface, again and again, with nothing in
 * between. Each refuses the other while it is open, so a file that lives on after its close shows
 * as EBUSY. Two more processes keep the server and its threads busy with another function
 * meanwhile: they bind, fetch descriptors and map.
 */
#include "client.h"

#include <signal.h>
#include <sys/wait.h>

static char page[4096] __attribute__((aligned(4096)));

static int open_one(struct client_device *device, const char *bdf, bool by_cdev)
{
	return by_cdev ? client_open_by_cdev(device, bdf, NULL)
		       : client_open_by_group(device, bdf, NULL);
}

/* Never ends; the function may be busy, since there are two of these. */
static void disturb(const char *bdf)
{
	for (;;) {
		struct client_device device = CLIENT_DEVICE_NONE;
		int event = eventfd(0, 0);

		if (open_one(&device, bdf, false) >= 0) {
			client_set_trigger(device.fd, VFIO_PCI_MSIX_IRQ_INDEX, event);
			client_map(&device, page, sizeof(page), 0);
		}
		client_close(&device);
		close(event);
	}
}

static pid_t start_disturbing(const char *bdf)
{
	pid_t pid = fork();

	if (pid == 0)
		disturb(bdf);
	return pid;
}

int main(int argc, char **argv)
{
	unsigned long rounds, failures = 0;
	pid_t disturbers[2];

	if (argc != 4) {
		fprintf(stderr, "usage: %s ROUNDS BDF OTHER-BDF\n", argv[0]);
		return 2;
	}
	rounds = strtoul(argv[1], NULL, 0);
	for (int i = 0; i < 2; i++)
		disturbers[i] = start_disturbing(argv[3]);
	for (unsigned long i = 0; i < rounds; i++) {
		struct client_device device = CLIENT_DEVICE_NONE;
		int ret = open_one(&device, argv[2], i % 2);

		client_close(&device);
		if (ret >= 0)
			continue;
		failures++;
		printf("round %lu by %s: %s\n", i, i % 2 ? "cdev" : "group", strerrorname_np(-ret));
	}
	for (int i = 0; i < 2; i++)
		kill(disturbers[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return failures > 0;
}
