/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared memory behind BARs; see ram.h. */
#include "host/client/ram.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/host.h"

#define COPY_SIZE 32768

/* A memfd of size bytes, which nobody can seal. Return: descriptor or -ENOMEM. */
static int memory_file(const char *name, uint64_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -ENOMEM;
	if (ftruncate(fd, (off_t)size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL)) {
		close(fd);
		return -ENOMEM;
	}
	return fd;
}

/* A mapping for writing of what no one can map for writing any more: a copy of the one that there is. */
static void *map_window(struct svf_host_ram *own)
{
	return mremap(own->window, 0, own->ram.size, MREMAP_MAYMOVE | MREMAP_FIXED, own->ram.base);
}

/* Maps fd where the host has the memory. False: as before. */
static bool map_base(struct svf_host_ram *own, int fd)
{
	void *base = own->window && fd == own->fd
			     ? map_window(own)
			     : mmap(own->ram.base, own->ram.size, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_FIXED, fd, 0);

	if (base == MAP_FAILED)
		return false;
	own->guard.lost = false;
	return true;
}

int svf_host_ram_alloc(struct svf_machine *machine, uint64_t size, struct svf_ram **ret)
{
	struct svf_host *host = machine->host;
	struct svf_host_ram *ram = calloc(1, sizeof(*ram));
	struct stat st;
	void *base;

	if (!ram)
		return -ENOMEM;
	ram->fd = memory_file("softvfio-bar", size);
	if (ram->fd < 0)
		goto err_free;
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ram->fd, 0);
	if (base == MAP_FAILED)
		goto err_close;
	if (fstat(ram->fd, &st) || svf_guard_init(&ram->guard, base, size))
		goto err_unmap;
	ram->ram = (struct svf_ram){.base = base, .size = size};
	ram->store_fd = -1;
	ram->probe_fd = -1;
	ram->dev = st.st_dev;
	ram->ino = st.st_ino;
	svf_list_add_tail(&host->rams, &ram->link);
	*ret = &ram->ram;
	return 0;
err_unmap:
	munmap(base, size);
err_close:
	close(ram->fd);
err_free:
	free(ram);
	return -ENOMEM;
}

void svf_host_ram_free(struct svf_machine *machine, struct svf_ram *ram)
{
	struct svf_host_ram *own;

	(void)machine;
	if (!ram)
		return;
	own = svf_container_of(ram, struct svf_host_ram, ram);
	svf_list_del(&own->link);
	svf_guard_fini(&own->guard);
	munmap(ram->base, ram->size);
	if (own->window)
		munmap(own->window, ram->size);
	close(own->fd);
	if (own->store_fd >= 0)
		close(own->store_fd);
	if (own->probe_fd >= 0)
		close(own->probe_fd);
	free(own);
}

/* --- protected memory --- */

static int sealed_file(uint64_t size, void **ret_window)
{
	int fd = memfd_create("softvfio-bar-loads", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *window;

	if (fd < 0)
		return -ENOMEM;
	if (ftruncate(fd, (off_t)size))
		goto err_close;
	window = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (window == MAP_FAILED)
		goto err_close;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL))
		goto err_unmap;
	*ret_window = window;
	return fd;
err_unmap:
	munmap(window, size);
err_close:
	close(fd);
	return -ENOMEM;
}

int svf_host_ram_protect(struct svf_machine *machine, struct svf_ram *ram)
{
	struct svf_host_ram *own = svf_container_of(ram, struct svf_host_ram, ram);
	void *window, *old = own->window;
	int fd = sealed_file(ram->size, &window);
	struct stat st;

	(void)machine;
	if (fd < 0)
		return fd;
	own->window = window;
	if (fstat(fd, &st) || map_window(own) == MAP_FAILED) {
		own->window = old;
		munmap(window, ram->size);
		close(fd);
		return -ENOMEM;
	}
	if (old)
		munmap(old, ram->size);
	/* Who has the old file shares nothing with the host any more. */
	if (own->probe_fd >= 0)
		close(own->probe_fd);
	own->probe_fd = -1;
	close(own->fd);
	own->fd = fd;
	own->dev = st.st_dev;
	own->ino = st.st_ino;
	own->guard.lost = false;
	return 0;
}

/* No holes can be made in it; what holds nothing need not be zeroed. */
static void clear_protected(struct svf_machine *machine, struct svf_host_ram *own)
{
	off_t at = 0, size = (off_t)own->ram.size;

	if (ftruncate(own->fd, size) || own->guard.lost) {
		if (!svf_host_ram_protect(machine, &own->ram))
			return;
		memset(own->ram.base, 0, own->ram.size);
		return;
	}
	while ((at = lseek(own->fd, at, SEEK_DATA)) >= 0 && at < size) {
		off_t end = lseek(own->fd, at, SEEK_HOLE);

		if (end < at || end > size)
			end = size;
		memset(own->ram.base + at, 0, (size_t)(end - at));
		at = end;
	}
}

void svf_host_ram_clear(struct svf_machine *machine, struct svf_ram *ram)
{
	struct svf_host_ram *own = svf_container_of(ram, struct svf_host_ram, ram);
	int fd = own->store_fd >= 0 ? own->store_fd : own->fd;

	if (own->window && fd == own->fd) {
		clear_protected(machine, own);
		return;
	}
	/* A client may have made its file shorter or longer. */
	if (fd == own->fd && !ftruncate(fd, (off_t)ram->size) && own->guard.lost)
		map_base(own, fd);
	/* A hole reads as zeroes, through every mapping, and needs no memory. */
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)ram->size))
		memset(ram->base, 0, ram->size);
}

/* --- hiding --- */

static bool copy_run(int from, int to, off_t at, off_t end)
{
	char buffer[COPY_SIZE];

	while (at < end) {
		size_t len = end - at < COPY_SIZE ? (size_t)(end - at) : COPY_SIZE;
		ssize_t n = pread(from, buffer, len, at);

		if (n <= 0 || pwrite(to, buffer, (size_t)n, at) != n)
			return false;
		at += n;
	}
	return true;
}

/* Into a mapping; a page that a client takes away meanwhile is EFAULT. */
static bool fill_run(int from, uint8_t *to, off_t at, off_t end)
{
	while (at < end) {
		ssize_t n = pread(from, to + at, (size_t)(end - at), at);

		if (n <= 0)
			return false;
		at += n;
	}
	return true;
}

/* What one file holds, to another that holds nothing, or to its mapping. */
static bool copy_data(int from, int to, uint8_t *window, uint64_t size)
{
	off_t at = lseek(from, 0, SEEK_DATA);

	while (at >= 0 && at < (off_t)size) {
		off_t end = lseek(from, at, SEEK_HOLE);

		if (end < 0)
			return false;
		end = end < (off_t)size ? end : (off_t)size;
		if (!(window ? fill_run(from, window, at, end) : copy_run(from, to, at, end)))
			return false;
		at = lseek(from, end, SEEK_DATA);
	}
	return at >= 0 || errno == ENXIO; /* no more data */
}

/* Without memory for it the mappings stay as they are: nothing is lost. */
static void take_away(struct svf_host_ram *own)
{
	int err, fd = memory_file("softvfio-bar-hidden", own->ram.size);

	if (fd < 0)
		return;
	if (!copy_data(own->fd, fd, NULL, own->ram.size) || !map_base(own, fd)) {
		close(fd);
		return;
	}
	own->store_fd = fd;
	err = ftruncate(own->fd, 0);
	assert(!err); /* shorter always works */
	(void)err;
}

static void give_back(struct svf_host_ram *own)
{
	if (ftruncate(own->fd, 0) || ftruncate(own->fd, (off_t)own->ram.size) ||
	    !copy_data(own->store_fd, own->fd, own->window, own->ram.size) ||
	    !map_base(own, own->fd))
		return;
	close(own->store_fd);
	own->store_fd = -1;
}

void svf_host_ram_hide(struct svf_machine *machine, struct svf_ram *ram)
{
	struct svf_host_ram *own = svf_container_of(ram, struct svf_host_ram, ram);
	bool hide = ram->hidden && own->probe_fd >= 0;

	(void)machine;
	if (hide && own->store_fd < 0)
		take_away(own);
	else if (!hide && own->store_fd >= 0)
		give_back(own);
}

struct svf_host_ram *svf_host_ram_lookup(struct svf_host *host, dev_t dev, ino_t ino)
{
	struct svf_host_ram *ram;

	svf_list_for_each(ram, &host->rams, link) {
		if (ram->ino == ino && ram->dev == dev)
			return ram;
	}
	return NULL;
}
