/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the command fuzzer share. An input is a program: a byte says which machine, and
 * then each step takes a byte that chooses it and as many more as it needs; beyond the end all
 * bytes are zero, so that every cut of a program is a program.
 *
 * Files stand in numbered slots, and the number is the descriptor, in every process. Behind them
 * come the descriptors of a few eventfds and of something else. The client's memory lies at a fixed
 * low address, so that a mutated byte makes a pointer into it; its last part can only be read.
 */
#ifndef SVF_TESTS_FUZZ_FUZZ_H
#define SVF_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/command.h"
#include "core/file.h"
#include "core/pci/function.h"
#include "tests/unit/port.h"

#define FUZZ_FILES	 32
#define FUZZ_EVENTS	 4
#define FUZZ_OTHER_FD	 (FUZZ_FILES + FUZZ_EVENTS)
#define FUZZ_MEMORY	 ((uint64_t)0x10000000)
#define FUZZ_MEMORY_SIZE 0x10000u
#define FUZZ_READ_ONLY	 0x4000u /* the last of it */
#define FUZZ_PAGE	 0x1000u

struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

struct fuzz_slot {
	struct svf_file *file; /* NULL: free */
	/* A mapping of one of its BARs; length 0: none. It ends before the file, as in a host. */
	uint64_t mapped;
	size_t length;
	unsigned int process;
};

struct fuzz {
	struct svf_machine *machine;
	struct fuzz_slot slots[FUZZ_FILES];
	struct svf_event *events[FUZZ_EVENTS];
	unsigned int process;
	bool bare; /* the process can be given no descriptors and is offered no mappings */
};

static inline uint8_t fuzz_take(struct fuzz_input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static inline uint64_t fuzz_take64(struct fuzz_input *in)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | fuzz_take(in);
	return value;
}

/* machine.c: one of a few machines, built. */
struct svf_machine *fuzz_machine(unsigned int which);

/* commands.c */
struct svf_function *fuzz_function(struct fuzz *f, unsigned int n); /* NULL: there are fewer */
/* The first file of this kind from slot n on, around; NULL. */
struct svf_file *fuzz_file(struct fuzz *f, enum svf_file_kind kind, unsigned int n);
/* Whether a device file is of this function. */
bool fuzz_is_of(const struct svf_file *file, const struct svf_function *fn);
/* Gives the file a descriptor, which it returns; -1, and the file is closed, without a free one. */
int fuzz_keep(struct fuzz *f, struct svf_file *file);
void fuzz_close(struct fuzz *f, unsigned int slot);
/* The whole way of an ioctl; holds it to the rules of the house and keeps the file it returns. */
long fuzz_call(struct fuzz *f, struct svf_file *file, uint32_t command, uint64_t arg);
/* The same with a structure, which is copied into the client's memory. */
long fuzz_call_with(struct fuzz *f, struct svf_file *file, uint32_t command, const void *arg,
		    size_t size);

/*
 * requests.c and admin.c: steps that are well formed but for what the input says, so that programs
 * get beyond the first refusals. requests.c is a client, admin.c an administrator and the hardware.
 */
typedef void fuzz_step(struct fuzz *f, struct fuzz_input *in);
fuzz_step fuzz_legacy, fuzz_bound, fuzz_match, fuzz_dma, fuzz_dirty, fuzz_ioas, fuzz_irqs,
	fuzz_feature, fuzz_hot_reset, fuzz_ioeventfd, fuzz_region, fuzz_mmap, fuzz_attach;
fuzz_step fuzz_sysfs, fuzz_driver, fuzz_numvfs, fuzz_hotplug, fuzz_hardware, fuzz_device_dma;

#endif
