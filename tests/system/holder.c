/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VFIO client that is told by its standard input what to do, one word or two a line, and answers
 * each line with one: "ok", an errno's name, or a value. So a shell script can have several of them
 * hold devices at once, let them meet, and kill them.
 *
 *	group BDF [TOKEN]	open the function by its group
 *	cdev BDF [TOKEN]	open it by its cdev
 *	token UUID		set the VF token (of the PF that is open)
 *	config OFFSET		read a word of config space, printed as four hex digits
 *	map, unmap		a page of memory at IOVA 0x100000
 *	irq			attach an eventfd to MSI-X vector 0, fire it, read it: the count
 *	reset			reset the function
 *	close			close everything
 *	pid			its process number
 *
 * Ends with its input.
 */
#include "client.h"

static struct client_device device = CLIENT_DEVICE_NONE;
static char page[4096] __attribute__((aligned(4096)));

static void answer(int ret)
{
	if (ret >= 0)
		puts("ok");
	else
		puts(strerrorname_np(-ret) ? strerrorname_np(-ret) : "unknown errno");
}

/* A failed open leaves nothing open, as a program that gives up would. */
static void opened(int ret)
{
	if (ret < 0)
		client_close(&device);
	answer(ret);
}

static void config(uint64_t offset)
{
	int value = client_config_word(device.fd, offset);

	if (value < 0)
		answer(value);
	else
		printf("%04x\n", (unsigned int)value);
}

static void interrupt(void)
{
	int event = eventfd(0, EFD_NONBLOCK);
	uint64_t count = 0;
	int ret = client_set_trigger(device.fd, VFIO_PCI_MSIX_IRQ_INDEX, event);

	if (ret >= 0)
		ret = client_trigger(device.fd, VFIO_PCI_MSIX_IRQ_INDEX);
	if (ret < 0)
		answer(ret);
	else if (read(event, &count, sizeof(count)) != sizeof(count))
		answer(-errno);
	else
		printf("%llu\n", (unsigned long long)count);
	close(event);
}

static void obey(const char *verb, const char *first, const char *second)
{
	if (!strcmp(verb, "group"))
		opened(client_open_by_group(&device, first, second));
	else if (!strcmp(verb, "cdev"))
		opened(client_open_by_cdev(&device, first, second));
	else if (!strcmp(verb, "token"))
		answer(client_set_token(device.fd, first));
	else if (!strcmp(verb, "config"))
		config(strtoull(first, NULL, 0));
	else if (!strcmp(verb, "map"))
		answer(client_map(&device, page, sizeof(page), 0x100000));
	else if (!strcmp(verb, "unmap"))
		answer(client_unmap(&device, sizeof(page), 0x100000));
	else if (!strcmp(verb, "irq"))
		interrupt();
	else if (!strcmp(verb, "reset"))
		answer(client_ioctl(device.fd, VFIO_DEVICE_RESET, NULL));
	else if (!strcmp(verb, "close"))
		client_close(&device), puts("ok");
	else if (!strcmp(verb, "pid"))
		printf("%d\n", getpid());
	else
		puts("unknown word");
}

int main(void)
{
	char line[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		char *verb = strtok(line, " \n");
		char *first = strtok(NULL, " \n");
		char *second = strtok(NULL, " \n");

		obey(verb ? verb : "", first ? first : "", second);
	}
	return 0;
}
