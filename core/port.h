/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port: everything the core asks of the world, and the only way it touches it. The host
 * implements it with system calls, the tests with plain memory. Nothing here may call back into
 * the core, except that wake() may be acted upon after the current call has returned.
 */
#ifndef SVF_CORE_PORT_H
#define SVF_CORE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct svf_call;
struct svf_fd;
struct svf_file;
struct svf_function;
struct svf_machine;
struct svf_model_error;
struct svf_storage_request;

/* The address space of a client, kept while something of it is mapped for DMA. The host's type. */
struct svf_mm;
/* An eventfd of a client. The host's type. */
struct svf_event;
/* One being watched. The host's type. */
struct svf_event_watch;

/* A file behind clients' shared memory, kept while something of it is mapped for DMA. The host's type. */
struct svf_backing;

/* Shared memory behind a BAR's RAM pages. The host embeds it in its own. */
struct svf_ram {
	uint8_t *base; /* page-aligned, zeroed when allocated */
	uint64_t size; /* bytes, a multiple of the page size */
	bool hidden;   /* the function does not decode it: nobody else's access reaches it */
};

/* A file that a model keeps data in. The host embeds it in its own. */
struct svf_storage {
	struct svf_machine *machine;
	uint64_t size; /* bytes */
};

/* What lies behind a range of a client's addresses, for mapping it for DMA. */
struct svf_mm_range {
	uint64_t bad; /* of a range that cannot be used: the first address that cannot */
	const struct svf_ram
		*ram; /* a mapping of that BAR memory and nothing else; NULL: ordinary memory */
	/* The file behind shared memory, and behind nothing else of the range: a reference; NULL. */
	struct svf_backing *backing;
	uint64_t offset;  /* bytes into ram or backing, of the first address */
	bool some_shared; /* there is shared memory in it */
};

/* A piece of a transfer between us and a client's memory. */
struct svf_mm_piece {
	struct svf_mm *mm;
	uint64_t addr;		     /* in mm */
	struct svf_backing *backing; /* or NULL: what is at addr was there when it was mapped, */
	uint64_t offset;	     /* and where in it */
	void *ours;		     /* only read from when it is written to the client */
	uint64_t len;		     /* bytes, not 0 */
};

struct svf_port_ops {
	/* The calling process's memory. 0 or -EFAULT; nothing half-copied matters on failure. */
	int (*user_read)(struct svf_call *call, void *dst, uint64_t addr, size_t len);
	int (*user_write)(struct svf_call *call, uint64_t addr, const void *src, size_t len);

	/* See svf_call_fd(). */
	int (*fd_lookup)(struct svf_call *call, int fd, struct svf_fd *ret);

	/* Whether the calling thread has a capability (CAP_*) in the machine, as the kernel's capable(). */
	bool (*capable)(struct svf_call *call, unsigned int cap);

	/* The calling process's address space; a reference, NULL when out of memory or not to be had. */
	struct svf_mm *(*mm_get)(struct svf_call *call);
	/*
	 * Bytes first to last of a file that the caller has open, as a struct svf_mm whose addresses are offsets in the
	 * file; a reference. A file that no DMA can reach is taken too, and its bytes are not there (mm_check).
	 * Charged to the caller. Return: 0, -EBADF (no reason recorded), -EMFILE, -ENOMEM.
	 */
	int (*mm_get_file)(struct svf_call *call, int fd, uint64_t first, uint64_t last, bool write,
			   struct svf_mm **ret);
	/* A file's memory is charged to the caller from now on. Return: 0, -ENOMEM over its limit. */
	int (*mm_change_owner)(struct svf_mm *file, struct svf_call *call);
	struct svf_mm *(*mm_ref)(struct svf_mm *mm);
	void (*mm_put)(struct svf_mm *mm);
	struct svf_backing *(*backing_ref)(struct svf_backing *backing);
	void (*backing_put)(struct svf_backing *backing); /* may be NULL */
	/*
	 * Whether each byte from first to last may be read (and, with write, written) by the process.
	 * Return: 0 with *ret filled, -EFAULT with ret->bad; -EINVAL for bytes that a file does not have.
	 */
	int (*mm_check)(struct svf_mm *mm, uint64_t first, uint64_t last, bool write,
			struct svf_mm_range *ret);
	/*
	 * DMA: the pieces one after another, with as few system calls as can be. write: from us to the clients.
	 * Return: bytes until the first that is not there; all, when they are.
	 */
	uint64_t (*mm_transfer)(const struct svf_mm_piece *pieces, unsigned int count, bool write);
	/*
	 * DMA from one place to another, of from->len bytes; nobody's "ours". Return: bytes; if not all, *ret_source says whether it is from that is not there.
	 */
	uint64_t (*mm_copy)(const struct svf_mm_piece *to, const struct svf_mm_piece *from,
			    bool *ret_source);
	/* A phrase that says why memory of mm, at addr, is not there: that its process has ended, or what else. */
	void (*mm_gone)(struct svf_mm *mm, uint64_t addr, char *text, size_t size);
	/*
	 * Charges or (negative) uncharges pages against the locked-memory limit of the process.
	 * Return: 0, -ENOMEM over the limit, which *ret_limit is then set to, bytes, if not NULL.
	 */
	int (*mm_account)(struct svf_mm *mm, int64_t pages, uint64_t *ret_limit);

	struct svf_event *(*event_get)(struct svf_event *event); /* another reference */
	void (*event_put)(struct svf_event *event);
	void (*event_signal)(struct svf_event *event);
	/*
	 * Watches what a client signals: after each signal the event's counter is set back, and fired(arg) called, from
	 * outside any call and before the client's next one; also when the event is signalled already, whose counter is
	 * left alone. fired may end any watch. The watch holds a reference. Return: 0, -ENOMEM.
	 */
	int (*event_watch)(struct svf_event *event, void (*fired)(void *arg), void *arg,
			   struct svf_event_watch **ret);
	void (*event_unwatch)(struct svf_event_watch *watch);

	/*
	 * Where in mm that memory is which other has at addr: the same address of the same process, or the byte of
	 * the file behind it; *ret_len: for how many bytes from there on. False: mm does not have it.
	 */
	bool (*mm_locate)(struct svf_mm *mm, struct svf_mm *other, uint64_t addr,
			  uint64_t *ret_addr, uint64_t *ret_len);

	/* What poll says of the file may have changed. */
	void (*file_ready)(struct svf_machine *machine, struct svf_file *file);

	/* 0, -ENOMEM. */
	int (*ram_alloc)(struct svf_machine *machine, uint64_t size, struct svf_ram **ret);
	void (*ram_free)(struct svf_machine *machine, struct svf_ram *ram);
	/* Whether a client has it mapped, or holds a descriptor to map it by. */
	bool (*ram_in_use)(struct svf_ram *ram);
	/* Zeroes it, giving the pages back where that is cheaper. NULL: the core writes zeroes. */
	void (*ram_clear)(struct svf_machine *machine, struct svf_ram *ram);
	/*
	 * ram->hidden has changed. While it is set, accesses through mappings that clients have of the memory are
	 * SIGBUS there; base stays valid, with its contents. NULL: nobody maps it.
	 */
	void (*ram_hide)(struct svf_machine *machine, struct svf_ram *ram);
	/*
	 * Of memory just allocated, or NULL: clients shall load from it, but be unable to store to it. Return: 0 or
	 * -ENOMEM.
	 */
	int (*ram_protect)(struct svf_machine *machine, struct svf_ram *ram);

	/*
	 * Files of models, as include/softvfio/model.h has them: svf_storage_open, submit, close. Ranges of requests
	 * were checked. NULL: this host has none.
	 */
	int (*storage_open)(struct svf_machine *machine, const char *name, struct svf_storage **ret,
			    struct svf_model_error *error);
	int (*storage_submit)(struct svf_storage *storage, struct svf_storage_request *request);
	void (*storage_close)(struct svf_storage *storage);

	/* A kernel message, complete, without newline; the host adds the time and keeps a bounded ring. */
	void (*log)(struct svf_machine *machine, const char *text);
	/* A device's DMA has failed, for whoever asks why; who: the device, what: a phrase. */
	void (*dma_failed)(struct svf_machine *machine, const char *who, const char *what,
			   const char *reason);
	/* Something a waiting call may be waiting for has happened; run the blocked calls again. */
	void (*wake)(struct svf_machine *machine);
	/* Functions, drivers, groups or cdevs appeared or went; names in the file tree changed. */
	void (*tree_changed)(struct svf_machine *machine);
	/* 16 random bytes from a source fit for secrets (the initial VF token). */
	void (*random_bytes)(struct svf_machine *machine, void *dst, size_t len);
};

#endif
