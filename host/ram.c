/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared memory behind BARs; see ram.h. */
#include "host/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/host.h"

/* A memfd of size bytes that stays so. Return: descriptor or -ENOMEM. */
static int memory_file(uint64_t size, struct stat *ret_st)
{
	int fd = memfd_create("softvfio-bar", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -ENOMEM;
	if (ftruncate(fd, (off_t)size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ||
	    fstat(fd, ret_st)) {
		close(fd);
		return -ENOMEM;
	}
	return fd;
}

int svf_host_ram_alloc(struct svf_machine *machine, uint64_t size, struct svf_ram **ret)
{
	struct svf_host *host = machine->host;
	struct svf_host_ram *ram = calloc(1, sizeof(*ram));
	struct stat st;
	void *base;

	if (!ram)
		return -ENOMEM;
	ram->fd = memory_file(size, &st);
	if (ram->fd < 0)
		goto err_free;
	base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ram->fd, 0);
	if (base == MAP_FAILED)
		goto err_close;
	ram->ram = (struct svf_ram){.base = base, .size = size};
	ram->probe_fd = -1;
	ram->dev = st.st_dev;
	ram->ino = st.st_ino;
	svf_list_add_tail(&host->rams, &ram->link);
	*ret = &ram->ram;
	return 0;
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
	munmap(ram->base, ram->size);
	close(own->fd);
	if (own->probe_fd >= 0)
		close(own->probe_fd);
	free(own);
}

void svf_host_ram_clear(struct svf_machine *machine, struct svf_ram *ram)
{
	struct svf_host_ram *own = svf_container_of(ram, struct svf_host_ram, ram);

	(void)machine;
	/* A hole reads as zeroes, through every mapping, and needs no memory. */
	if (fallocate(own->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)ram->size))
		memset(ram->base, 0, ram->size);
}

struct svf_host_ram *svf_host_ram_lookup(struct svf_host *host, dev_t dev, ino_t ino)
{
	struct svf_host_ram *ram;

	svf_list_for_each (ram, &host->rams, link) {
		if (ram->ino == ino && ram->dev == dev)
			return ram;
	}
	return NULL;
}
