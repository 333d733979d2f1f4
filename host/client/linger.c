/* SPDX-License-Identifier: BSD-3-Clause */
/* Device files kept for the mappings of their BARs; see linger.h. */
#include "host/client/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/file.h"
#include "core/pci/function.h"
#include "core/pci/pages.h"
#include "core/vfio/device.h"
#include "host/client/ram.h"
#include "host/files/open.h"
#include "host/host.h"

void svf_linger_init(struct svf_linger *linger)
{
	linger->source.fd = -1;
}

void svf_linger_fini(struct svf_linger *linger, struct svf_host *host)
{
	int fd = linger->source.fd;

	if (fd < 0)
		return;
	svf_loop_remove(&host->loop, &linger->source);
	close(fd);
	linger->source.fd = -1;
}

/* Some description of some BAR's memory has ended; which one does not matter. */
static void description_ended(struct svf_source *source, uint32_t events)
{
	struct svf_linger *linger = svf_container_of(source, struct svf_linger, source);
	struct svf_host *host = svf_container_of(linger, struct svf_host, linger);
	char buffer[1024];

	(void)events;
	while (read(source->fd, buffer, sizeof(buffer)) > 0)
		;
	svf_linger_check(host);
}

void svf_linger_check(struct svf_host *host)
{
	struct svf_open *open, *tmp;

	svf_list_for_each_safe(open, tmp, &host->opens, link) {
		if (open->lingers && !svf_linger_holds(open->file))
			svf_open_end(open);
	}
	svf_host_settle(host);
}

bool svf_linger_any(const struct svf_host *host)
{
	const struct svf_open *open;

	svf_list_for_each(open, &host->opens, link) {
		if (open->lingers)
			return true;
	}
	return false;
}

static int watch_start(struct svf_host *host)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return -ENOMEM;
	if (svf_loop_add(&host->loop, &host->linger.source, fd, EPOLLIN, description_ended)) {
		close(fd);
		return -ENOMEM;
	}
	return 0;
}

static int reopen(const struct svf_host_ram *ram, char path[32])
{
	int fd;

	snprintf(path, 32, "/proc/self/fd/%d", ram->fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -ENOMEM : fd;
}

/* The host's own opening, to ask for a lease with: memfd_create's does not count as one. */
static int probe_start(struct svf_host *host, struct svf_host_ram *ram)
{
	char path[32];
	int fd;

	if (host->linger.source.fd < 0 && watch_start(host))
		return -ENOMEM;
	fd = reopen(ram, path);
	if (fd < 0)
		return fd;
	if (inotify_add_watch(host->linger.source.fd, path, IN_CLOSE_WRITE) < 0) {
		close(fd);
		return -ENOMEM;
	}
	ram->probe_fd = fd;
	return 0;
}

int svf_linger_lend(struct svf_host *host, struct svf_host_ram *ram)
{
	char path[32];

	if (ram->probe_fd < 0 && probe_start(host, ram))
		return -ENOMEM;
	/* Lent for the first time it may have to be hidden now. */
	svf_host_ram_hide(host->machine, &ram->ram);
	return reopen(ram, path);
}

bool svf_linger_in_use(struct svf_ram *ram)
{
	const struct svf_host_ram *own = svf_container_of(ram, const struct svf_host_ram, ram);

	if (own->probe_fd < 0)
		return false;
	if (fcntl(own->probe_fd, F_SETLEASE, F_WRLCK))
		return errno == EAGAIN;
	fcntl(own->probe_fd, F_SETLEASE, F_UNLCK);
	return false;
}

static bool has_mapped_bar(const struct svf_function *fn)
{
	for (unsigned int i = 0; i < SVF_PCI_BARS; i++) {
		for (unsigned int kind = 0; kind < SVF_PAGE_KINDS; kind++) {
			struct svf_ram *ram = svf_pages_ram(&fn->bars[i], kind);

			if (ram && svf_linger_in_use(ram))
				return true;
		}
	}
	return false;
}

bool svf_linger_holds(const struct svf_file *file)
{
	const struct svf_device_file *df;

	if (!file || file->kind != SVF_FILE_DEVICE)
		return false;
	df = svf_container_of(file, const struct svf_device_file, file);
	return has_mapped_bar(df->device->fn);
}
