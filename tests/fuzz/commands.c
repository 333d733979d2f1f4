/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzer of the whole core by its front door: the input is a program of hostile clients in several
 * processes, an administrator and hardware, all of whom act one after the other on one machine.
 * Steps here are blunt: any command with a structure of arbitrary bytes, any read or write. Those
 * of requests.c and admin.c make long stories possible. Now and then an allocation fails, or a copy
 * from or to the client. When the program ends all files are closed and the port checks that
 * nothing is left.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/vfio/device.h"
#include "tests/fuzz/fuzz.h"

#define STRUCT_MAX 96

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* --- failing allocations: the linker diverts those of core, base and models here --- */

static unsigned long failing;

void *__wrap_calloc(size_t count, size_t size)
{
	return failing && --failing == 0 ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return failing && --failing == 0 ? NULL : __real_realloc(old, size);
}

/* --- files --- */

struct svf_function *fuzz_function(struct fuzz *f, unsigned int n)
{
	struct svf_function *fn;

	svf_list_for_each(fn, &f->machine->functions, machine_link) {
		if (n-- == 0)
			return fn;
	}
	return NULL;
}

struct svf_file *fuzz_file(struct fuzz *f, enum svf_file_kind kind, unsigned int n)
{
	for (unsigned int i = 0; i < FUZZ_FILES; i++) {
		struct svf_file *file = f->slots[(n + i) % FUZZ_FILES].file;

		if (file && file->kind == kind)
			return file;
	}
	return NULL;
}

bool fuzz_is_of(const struct svf_file *file, const struct svf_function *fn)
{
	return svf_container_of(file, struct svf_device_file, file)->device->fn == fn;
}

int fuzz_keep(struct fuzz *f, struct svf_file *file)
{
	for (int i = 0; i < FUZZ_FILES; i++) {
		if (!f->slots[i].file) {
			f->slots[i].file = file;
			test_fd_file(i, file);
			return i;
		}
	}
	svf_file_close(file);
	return -1;
}

void fuzz_close(struct fuzz *f, unsigned int n)
{
	struct fuzz_slot *slot = &f->slots[n];

	if (!slot->file)
		return;
	if (slot->length) {
		test_process(slot->process);
		test_user_remove(slot->mapped, slot->length);
		test_process(f->process);
	}
	test_fd_close((int)n);
	svf_file_close(slot->file);
	*slot = (struct fuzz_slot){0};
}

long fuzz_call(struct fuzz *f, struct svf_file *file, uint32_t command, uint64_t arg)
{
	struct svf_call call = test_call(f->machine);
	bool armed = failing || test_copy_armed();
	long ret;

	call.can_return_fd = call.offer_mmap = !f->bare;
	do {
		call.reason[0] = '\0';
		ret = svf_file_ioctl(file, &call, command, arg);
	} while (ret == SVF_RESTART);
	/* The rules of the house: no errno without a reason, and none that the table does not list. */
	if (ret < 0 && ret != SVF_BLOCKED && !call.reason[0])
		abort();
	if (ret < 0 && ret != SVF_BLOCKED && !armed)
		test_check_errno(file, command, (int)-ret);
	if (ret >= 0 && call.ret_file) {
		svf_file_installed(call.ret_file);
		(void)!fuzz_keep(f, call.ret_file);
	}
	return ret;
}

long fuzz_call_with(struct fuzz *f, struct svf_file *file, uint32_t command, const void *arg,
		    size_t size)
{
	memcpy((void *)(uintptr_t)FUZZ_MEMORY, arg, size);
	return fuzz_call(f, file, command, FUZZ_MEMORY);
}

/* --- blunt steps --- */

static void step_open(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_call call = test_call(f->machine);
	struct svf_file *file = NULL;
	unsigned int kind = fuzz_take(in) % 4, n = fuzz_take(in) % 16;
	int err;

	if (kind == 0)
		err = svf_container_open(f->machine, &call, &file);
	else if (kind == 1)
		err = svf_iommufd_open(f->machine, &call, &file);
	else if (kind == 2)
		err = svf_group_open(f->machine, &call, n, &file);
	else
		err = svf_cdev_open(f->machine, &call, n, &file);
	if (!err)
		(void)!fuzz_keep(f, file);
}

static void step_close(struct fuzz *f, struct fuzz_input *in)
{
	fuzz_close(f, fuzz_take(in) % FUZZ_FILES);
}

static const struct svf_command *pick_command(const struct svf_file *file, uint8_t choice)
{
	size_t n = 0;

	for (size_t i = 0; i < svf_commands_count; i++)
		n += svf_commands[i].kind == file->kind;
	choice = (uint8_t)(choice % n);
	for (size_t i = 0; i < svf_commands_count; i++) {
		if (svf_commands[i].kind == file->kind && choice-- == 0)
			return &svf_commands[i];
	}
	return NULL;
}

/* Any command of the table, now and then any number, with any bytes at almost any place. */
static void step_ioctl(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *file = f->slots[fuzz_take(in) % FUZZ_FILES].file;
	uint8_t choice = fuzz_take(in), length = (uint8_t)(fuzz_take(in) % STRUCT_MAX);
	uint8_t place = fuzz_take(in);
	uint64_t arg =
		FUZZ_MEMORY + (place < 0xf0 ? place * 8u : FUZZ_MEMORY_SIZE - (place & 15) * 4u);
	const struct svf_command *command;

	if (!file)
		return;
	command = pick_command(file, choice);
	for (uint8_t i = 0; i < length && arg + i < FUZZ_MEMORY + FUZZ_MEMORY_SIZE; i++)
		((uint8_t *)(uintptr_t)arg)[i] = fuzz_take(in);
	if (command->flags & SVF_COMMAND_ARG_VALUE)
		arg = fuzz_take(in);
	(void)fuzz_call(f, file, choice == 0xff ? (uint32_t)fuzz_take64(in) : command->number, arg);
}

static void step_io(struct fuzz *f, struct fuzz_input *in)
{
	struct svf_file *file = f->slots[fuzz_take(in) % FUZZ_FILES].file;
	struct svf_call call = test_call(f->machine);
	uint64_t offset = (uint64_t)(fuzz_take(in) % 10) << 40 | (fuzz_take64(in) & 0x1fff);
	uint8_t buf[64] = {0};
	size_t len = fuzz_take(in) % sizeof(buf);
	bool write = fuzz_take(in) & 1;

	if (!file)
		return;
	for (size_t i = 0; write && i < len; i++)
		buf[i] = fuzz_take(in);
	if ((write ? svf_file_write(file, &call, buf, len, offset)
		   : svf_file_read(file, &call, buf, len, offset)) > (ssize_t)len)
		abort();
}

static void step_process(struct fuzz *f, struct fuzz_input *in)
{
	uint8_t byte = fuzz_take(in);

	f->process = byte % TEST_PROCESSES;
	f->bare = byte & 0x40;
	test_rawio(!(byte & 0x20));
	test_process(f->process);
	test_lock_limit(f->process, byte & 0x80 ? byte & 0x1f : INT64_MAX / 2);
}

static void step_fail(struct fuzz *f, struct fuzz_input *in)
{
	uint8_t byte = fuzz_take(in);

	(void)f;
	if (byte & 0x80)
		failing = byte % 32u;
	else
		test_fail_copy(byte % 8u);
}

/* --- all of it --- */

static fuzz_step *const steps[] = {
	step_open,	 fuzz_legacy,  step_close,     step_ioctl,  step_io,	   fuzz_bound,
	step_process,	 fuzz_match,   fuzz_dma,       fuzz_dirty,  fuzz_ioas,	   fuzz_irqs,
	fuzz_feature,	 fuzz_attach,  fuzz_hot_reset, fuzz_region, fuzz_mmap,	   fuzz_ioeventfd,
	fuzz_device_dma, fuzz_sysfs,   fuzz_driver,    fuzz_numvfs, fuzz_hardware, step_ioctl,
	step_fail,	 fuzz_hotplug,
};

static void map_memory(void)
{
	static bool mapped;

	if (!mapped &&
	    mmap((void *)(uintptr_t)FUZZ_MEMORY, FUZZ_MEMORY_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		abort();
	mapped = true;
	/* What a program finds is not what the one before left. */
	memset((void *)(uintptr_t)FUZZ_MEMORY, 0, FUZZ_MEMORY_SIZE);
}

static void add_clients(struct fuzz *f)
{
	for (unsigned int i = 0; i < TEST_PROCESSES; i++) {
		test_process(i);
		test_user_add(FUZZ_MEMORY, FUZZ_MEMORY_SIZE - FUZZ_READ_ONLY, true);
		test_user_add(FUZZ_MEMORY + FUZZ_MEMORY_SIZE - FUZZ_READ_ONLY, FUZZ_READ_ONLY,
			      false);
	}
	test_process(0);
	for (int i = 0; i < FUZZ_EVENTS; i++) {
		f->events[i] = test_event();
		test_fd_event(FUZZ_FILES + i, f->events[i]);
	}
	test_fd_other(FUZZ_OTHER_FD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint8_t first = fuzz_take(&in);
	struct fuzz f = {.machine = fuzz_machine(first >> 1)};

	map_memory();
	add_clients(&f);
	test_fd_restart(first & 1);
	while (in.size)
		steps[fuzz_take(&in) % SVF_ARRAY_SIZE(steps)](&f, &in);
	failing = 0;
	test_fail_copy(0);
	for (unsigned int i = 0; i < FUZZ_FILES; i++)
		fuzz_close(&f, i);
	test_machine_end(f.machine);
	return 0;
}
