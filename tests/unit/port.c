/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port of plain memory, see port.h. Registered ranges are kept in an array and searched from
 * its end, so that what was registered last, an ioctl's argument, is found first.
 */
#include "port.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/command.h"
#include "include/softvfio/model.h"

#define RANGES	      256
#define ALLOCS	      64
#define EVENTS	      64
#define LOG_LINES     512
#define LOG_WIDTH     256
#define PAGE	      4096u
#define FIRST_MADE_FD 512

struct svf_mm {
	unsigned int refs;
	int64_t locked_pages, limit_pages;
	uint8_t *file; /* addresses are offsets in it; NULL: of a process */
	size_t file_size;
};

/* One for all memory of all processes: offsets in it are addresses. */
struct svf_backing {
	unsigned int refs;
};

struct svf_event {
	unsigned int refs, signals;
};

struct svf_event_watch {
	struct svf_event *event;
	void (*fired)(void *arg);
	void *arg;
	struct svf_event_watch *next;
	bool pending; /* while the event is fired: has not heard of it yet */
};

struct range {
	const struct svf_mm *mm;
	uint64_t first, last;
	bool write;
	const struct svf_ram *ram;
	uint64_t ram_offset;
};

static struct {
	bool without_rawio;
	struct svf_machine *machine;
	struct svf_mm mms[TEST_PROCESSES];
	struct svf_mm *current;
	struct svf_mm file; /* of test_fd_memory() */
	struct svf_backing backing;
	bool shared;
	struct svf_mm no_memory; /* of other files: none of their bytes is there */

	struct range ranges[RANGES];
	size_t range_count;
	void *allocs[ALLOCS];
	size_t alloc_count;

	unsigned long copies, fail_copy;

	struct {
		bool open, seen;
		struct svf_fd fd;
		struct svf_mm *memory;
	} fds[TEST_FDS];
	bool restart;

	struct svf_event events[EVENTS];
	size_t event_count;
	struct svf_event_watch *watches;

	char log[LOG_LINES][LOG_WIDTH];
	unsigned int log_count;
	char reason[SVF_REASON_SIZE];
	char dma_failure[2 * SVF_REASON_SIZE];

	unsigned int rams, wakes, tree_changes, ready;
	int last_fd; /* the last number given to a file that a command made */
	bool ram_in_use;
	uint8_t random;
} port;

/* Set before the machine is made, until it ends. */
static struct {
	struct svf_storage storage;
	uint8_t *bytes;
	bool later, open;
	struct svf_storage_request *first;
	unsigned int fail, counts[SVF_STORAGE_FLUSH + 1][2];
	int err;
} disk;

/* The last registered range of mm that holds addr. */
static const struct range *range_lookup(const struct svf_mm *mm, uint64_t addr)
{
	for (size_t i = port.range_count; i-- > 0;) {
		const struct range *r = &port.ranges[i];

		if (r->mm == mm && addr >= r->first && addr <= r->last)
			return r;
	}
	return NULL;
}

static bool accessible(const struct svf_mm *mm, uint64_t addr, size_t len, bool write)
{
	while (len) {
		const struct range *r = range_lookup(mm, addr);
		uint64_t here;

		if (!r || (write && !r->write))
			return false;
		here = r->last - addr + 1;
		if (here >= len)
			return true;
		addr += here;
		len -= here;
	}
	return true;
}

static bool copy_fails(void)
{
	port.copies++;
	return port.fail_copy && --port.fail_copy == 0;
}

/* Bytes from addr on that the process, or the file, has: as many as len of them. */
static uint64_t there(const struct svf_mm *mm, uint64_t addr, uint64_t len, bool write)
{
	uint64_t n = 0;

	if (mm->file)
		n = addr < mm->file_size ? mm->file_size - addr : 0;
	while (!mm->file && n < len) {
		const struct range *r = range_lookup(mm, addr + n);

		if (!r || (write && !r->write))
			break;
		n += r->last - (addr + n) + 1;
	}
	return n < len ? n : len;
}

static uint64_t mm_transfer(const struct svf_mm_piece *pieces, unsigned int count, bool write)
{
	uint64_t done = 0;

	for (unsigned int i = 0; i < count; i++) {
		const struct svf_mm_piece *piece = &pieces[i];
		uint64_t addr = piece->backing ? piece->offset : piece->addr;
		uint64_t n = there(piece->mm, addr, piece->len, write);
		uint8_t *theirs =
			piece->mm->file ? piece->mm->file + addr : (uint8_t *)(uintptr_t)addr;

		assert(piece->mm->refs && piece->len);
		assert(!piece->backing || piece->backing->refs);
		memcpy(write ? theirs : piece->ours, write ? piece->ours : theirs, n);
		done += n;
		if (n < piece->len)
			break;
	}
	return done;
}

static uint64_t mm_copy(const struct svf_mm_piece *to, const struct svf_mm_piece *from,
			bool *ret_source)
{
	struct svf_mm_piece in = *from, out = *to;
	uint8_t *buffer = malloc(from->len);
	uint64_t done;

	assert(buffer && to->len == from->len);
	in.ours = out.ours = buffer;
	out.len = mm_transfer(&in, 1, false);
	done = out.len ? mm_transfer(&out, 1, true) : 0;
	*ret_source = done == out.len;
	free(buffer);
	return done;
}

static void mm_gone(struct svf_mm *mm, uint64_t addr, char *text, size_t size)
{
	(void)mm;
	snprintf(text, size, "there is nothing at 0x%lx", (unsigned long)addr);
}

static int user_read(struct svf_call *call, void *dst, uint64_t addr, size_t len)
{
	(void)call;
	if (copy_fails() || !accessible(port.current, addr, len, false))
		return -EFAULT;
	memcpy(dst, (const void *)(uintptr_t)addr, len);
	return 0;
}

static int user_write(struct svf_call *call, uint64_t addr, const void *src, size_t len)
{
	(void)call;
	if (copy_fails() || !accessible(port.current, addr, len, true))
		return -EFAULT;
	memcpy((void *)(uintptr_t)addr, src, len);
	return 0;
}

static int fd_lookup(struct svf_call *call, int fd, struct svf_fd *ret)
{
	(void)call;
	if (fd < 0 || fd >= TEST_FDS)
		return -EBADF;
	if (port.restart && !port.fds[fd].seen) {
		port.fds[fd].seen = true;
		return SVF_RESTART;
	}
	if (!port.fds[fd].open)
		return -EBADF;
	*ret = port.fds[fd].fd;
	return 0;
}

static struct svf_mm *mm_get(struct svf_call *call)
{
	(void)call;
	port.current->refs++;
	return port.current;
}

static int mm_get_file(struct svf_call *call, int fd, uint64_t first, uint64_t last, bool write,
		       struct svf_mm **ret)
{
	(void)first;
	(void)last;
	(void)write;
	(void)call;
	if (fd < 0 || fd >= TEST_FDS || !port.fds[fd].open)
		return -EBADF;
	*ret = port.fds[fd].memory ? port.fds[fd].memory : &port.no_memory;
	(*ret)->refs++;
	return 0;
}

void test_fd_memory(int fd, void *bytes, size_t size)
{
	test_fd_other(fd);
	port.file.file = bytes;
	port.file.file_size = size;
	port.fds[fd].memory = &port.file;
}

static int mm_change_owner(struct svf_mm *file, struct svf_call *call)
{
	(void)file;
	(void)call;
	return 0;
}

static struct svf_mm *mm_ref(struct svf_mm *mm)
{
	assert(mm->refs);
	mm->refs++;
	return mm;
}

static void mm_put(struct svf_mm *mm)
{
	assert(mm->refs);
	mm->refs--;
}

static uint64_t first_bad(const struct svf_mm *mm, uint64_t first, uint64_t last, bool write)
{
	const struct range *r = range_lookup(mm, first);

	while (r && (!write || r->write) && r->last < last) {
		first = r->last + 1;
		r = range_lookup(mm, first);
	}
	return first;
}

static struct svf_backing *backing_ref(struct svf_backing *backing)
{
	backing->refs++;
	return backing;
}

static void backing_put(struct svf_backing *backing)
{
	assert(!backing || backing->refs);
	if (backing)
		backing->refs--;
}

void test_memory_shared(bool on)
{
	port.shared = on;
}

static int mm_check(struct svf_mm *mm, uint64_t first, uint64_t last, bool write,
		    struct svf_mm_range *ret)
{
	const struct range *r = range_lookup(mm, first);

	assert(mm->refs && first <= last);
	if (mm->file) {
		*ret = (struct svf_mm_range){.bad = first};
		return last < mm->file_size ? 0 : -EINVAL;
	}
	if (!accessible(mm, first, last - first + 1, write)) {
		ret->bad = first_bad(mm, first, last, write);
		return -EFAULT;
	}
	*ret = (struct svf_mm_range){.ram = r->last >= last ? r->ram : NULL};
	if (ret->ram)
		ret->offset = r->ram_offset + (first - r->first);
	else if (port.shared)
		*ret = (struct svf_mm_range){.backing = backing_ref(&port.backing),
					     .offset = first};
	ret->some_shared = port.shared;
	for (; r; r = r->last < last ? range_lookup(mm, r->last + 1) : NULL)
		ret->some_shared |= !!r->ram;
	return 0;
}

static bool capable(struct svf_call *call, unsigned int cap)
{
	(void)call;
	assert(cap == CAP_SYS_RAWIO);
	return !port.without_rawio;
}

void test_rawio(bool on)
{
	port.without_rawio = !on;
}

static int mm_account(struct svf_mm *mm, int64_t pages, uint64_t *ret_limit)
{
	assert(mm->refs);
	if (pages > 0 && mm->locked_pages + pages > mm->limit_pages) {
		if (ret_limit)
			*ret_limit = (uint64_t)mm->limit_pages * PAGE;
		return -ENOMEM;
	}
	mm->locked_pages += pages;
	assert(mm->locked_pages >= 0);
	return 0;
}

static struct svf_event *event_get(struct svf_event *event)
{
	assert(event->refs);
	event->refs++;
	return event;
}

static void event_put(struct svf_event *event)
{
	assert(event->refs > 1);
	event->refs--;
}

static void event_signal(struct svf_event *event)
{
	assert(event->refs);
	event->signals++;
}

static int event_watch(struct svf_event *event, void (*fired)(void *arg), void *arg,
		       struct svf_event_watch **ret)
{
	struct svf_event_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	*watch = (struct svf_event_watch){
		.event = event_get(event), .fired = fired, .arg = arg, .next = port.watches};
	port.watches = watch;
	*ret = watch;
	return 0;
}

static void event_unwatch(struct svf_event_watch *watch)
{
	struct svf_event_watch **link = &port.watches;

	while (*link != watch)
		link = &(*link)->next;
	*link = watch->next;
	event_put(watch->event);
	free(watch);
}

static int ram_alloc(struct svf_machine *machine, uint64_t size, struct svf_ram **ret)
{
	struct svf_ram *ram = calloc(1, sizeof(*ram));

	(void)machine;
	if (!ram)
		return -ENOMEM;
	ram->size = (size + PAGE - 1) / PAGE * PAGE;
	ram->base = aligned_alloc(PAGE, ram->size);
	if (!ram->base) {
		free(ram);
		return -ENOMEM;
	}
	memset(ram->base, 0, ram->size);
	port.rams++;
	*ret = ram;
	return 0;
}

static void ram_free(struct svf_machine *machine, struct svf_ram *ram)
{
	(void)machine;
	if (!ram)
		return;
	assert(port.rams);
	port.rams--;
	free(ram->base);
	free(ram);
}

static bool ram_in_use(struct svf_ram *ram)
{
	(void)ram;
	return port.ram_in_use;
}

void test_ram_in_use(bool on)
{
	port.ram_in_use = on;
}

static bool mm_locate(struct svf_mm *mm, struct svf_mm *other, uint64_t addr, uint64_t *ret_addr,
		      uint64_t *ret_len)
{
	if (mm != other)
		return false;
	*ret_addr = addr;
	*ret_len = UINT64_MAX - addr;
	return true;
}

static void file_ready(struct svf_machine *machine, struct svf_file *file)
{
	(void)machine;
	(void)file;
	port.ready++;
}

unsigned int test_ready(void)
{
	return port.ready;
}

void test_storage(void *bytes, uint64_t size, bool later)
{
	disk.bytes = bytes;
	disk.storage.size = size;
	disk.later = later;
}

void test_storage_fail(unsigned int n, int err)
{
	disk.fail = n;
	disk.err = err;
}

unsigned int test_storage_count(unsigned int op, bool durable)
{
	return disk.counts[op][durable];
}

static int storage_open(struct svf_machine *machine, const char *name, struct svf_storage **ret,
			struct svf_model_error *error)
{
	if (!disk.bytes || disk.open)
		return svf_model_fail(error, -EINVAL, NULL, "cannot open '%s'", name);
	disk.open = true;
	disk.storage.machine = machine;
	*ret = &disk.storage;
	return 0;
}

static int storage_do(const struct svf_storage_request *request)
{
	uint8_t *at = disk.bytes + request->offset;
	size_t len = request->len;
	int err = 0;

	if (disk.fail && --disk.fail == 0) {
		err = disk.err;
		len /= 2;
	}
	disk.counts[request->op][request->durable]++;
	switch (request->op) {
	case SVF_STORAGE_READ:
		memcpy(request->buf, at, len);
		break;
	case SVF_STORAGE_WRITE:
		memcpy(at, request->buf, len);
		break;
	case SVF_STORAGE_ZERO:
	case SVF_STORAGE_TRIM:
		memset(at, 0, len);
		break;
	case SVF_STORAGE_FLUSH:
		break;
	}
	return err;
}

static int storage_submit(struct svf_storage *storage, struct svf_storage_request *request)
{
	struct svf_storage_request **end = &disk.first;

	assert(disk.open && storage == &disk.storage);
	if (!disk.later)
		return storage_do(request);
	while (*end)
		end = &(*end)->next;
	request->next = NULL;
	*end = request;
	return -EINPROGRESS;
}

unsigned int test_storage_run(unsigned int count)
{
	unsigned int done = 0;

	for (; done < count && disk.first; done++) {
		struct svf_storage_request *request = disk.first;

		disk.first = request->next;
		request->done(request, disk.open ? storage_do(request) : -ECANCELED);
	}
	return done;
}

static void storage_close(struct svf_storage *storage)
{
	assert(disk.open && storage == &disk.storage);
	disk.open = false;
}

static void dma_failed(struct svf_machine *machine, const char *who, const char *what,
		       const char *reason)
{
	(void)machine;
	snprintf(port.dma_failure, sizeof(port.dma_failure), "%s: %s: %s", who, what, reason);
}

static void log_line(struct svf_machine *machine, const char *text)
{
	(void)machine;
	if (port.log_count < LOG_LINES)
		snprintf(port.log[port.log_count++], LOG_WIDTH, "%s", text);
}

static void wake(struct svf_machine *machine)
{
	(void)machine;
	port.wakes++;
}

static void tree_changed(struct svf_machine *machine)
{
	(void)machine;
	port.tree_changes++;
}

/* Not random at all, but never twice the same: tests can tell two secrets apart. */
static void random_bytes(struct svf_machine *machine, void *dst, size_t len)
{
	(void)machine;
	memset(dst, ++port.random, len);
}

static const struct svf_port_ops port_ops = {
	.user_read = user_read,
	.user_write = user_write,
	.fd_lookup = fd_lookup,
	.capable = capable,
	.mm_get = mm_get,
	.mm_get_file = mm_get_file,
	.mm_change_owner = mm_change_owner,
	.mm_ref = mm_ref,
	.mm_put = mm_put,
	.backing_ref = backing_ref,
	.backing_put = backing_put,
	.mm_check = mm_check,
	.mm_transfer = mm_transfer,
	.mm_copy = mm_copy,
	.mm_gone = mm_gone,
	.mm_account = mm_account,
	.mm_locate = mm_locate,
	.file_ready = file_ready,
	.event_get = event_get,
	.event_put = event_put,
	.event_signal = event_signal,
	.event_watch = event_watch,
	.event_unwatch = event_unwatch,
	.ram_alloc = ram_alloc,
	.ram_free = ram_free,
	.ram_in_use = ram_in_use,
	.dma_failed = dma_failed,
	.storage_open = storage_open,
	.storage_submit = storage_submit,
	.storage_close = storage_close,
	.log = log_line,
	.wake = wake,
	.tree_changed = tree_changed,
	.random_bytes = random_bytes,
};

struct svf_machine *test_machine(void)
{
	int err;

	memset(&port, 0, sizeof(port));
	port.current = &port.mms[0];
	port.no_memory.file = &port.random;
	port.shared = true;
	for (unsigned int i = 0; i < TEST_PROCESSES; i++)
		port.mms[i].limit_pages = INT64_MAX / 2;
	err = svf_machine_alloc(&port_ops, &port, &port.machine);
	assert(!err);
	return port.machine;
}

void test_machine_end(struct svf_machine *machine)
{
	assert(machine == port.machine);
	svf_machine_destroy(machine);
	test_storage_run(UINT_MAX);
	assert(!disk.open);
	memset(&disk, 0, sizeof(disk));
	port.machine = NULL;
	for (unsigned int i = 0; i < TEST_PROCESSES; i++) {
		assert(port.mms[i].refs == 0);
		assert(port.mms[i].locked_pages == 0);
	}
	assert(!port.file.refs && !port.no_memory.refs && !port.backing.refs);
	for (size_t i = 0; i < port.event_count; i++)
		assert(port.events[i].refs == 1);
	assert(port.rams == 0);
	while (port.alloc_count)
		free(port.allocs[--port.alloc_count]);
	port.range_count = 0;
}

struct svf_call test_call(struct svf_machine *machine)
{
	for (unsigned int i = 0; i < TEST_FDS; i++)
		port.fds[i].seen = false;
	return (struct svf_call){
		.machine = machine,
		.pid = 1000 + (int32_t)(port.current - port.mms),
		.comm = "test",
		.can_return_fd = true,
		.offer_mmap = true,
	};
}

static bool is_listed(const char *errnos, const char *name)
{
	size_t length = strlen(name);

	for (; errnos; errnos = strchr(errnos, ' ')) {
		errnos += *errnos == ' ';
		if (!strncmp(errnos, name, length) && (errnos[length] == ' ' || !errnos[length]))
			return true;
	}
	return false;
}

/* The table of commands lists what each can give. What iommufd checks for all of its own is not repeated there. */
void test_check_errno(const struct svf_file *file, uint32_t command, int err)
{
	const struct svf_command *row = svf_command_lookup(file->kind, command);

	if (!row || (row->op && (err == EFAULT || err == EINVAL || err == E2BIG)))
		return;
	if (is_listed(row->errnos, strerrorname_np(err)))
		return;
	fprintf(stderr, "%s gave %s, which its row in core/command.c does not list\n", row->name,
		strerrorname_np(err));
	abort();
}

long test_install(struct svf_call *call)
{
	uint32_t fd;

	while (port.fds[FIRST_MADE_FD + port.last_fd].open)
		port.last_fd++;
	assert(FIRST_MADE_FD + port.last_fd < TEST_FDS);
	fd = (uint32_t)(FIRST_MADE_FD + port.last_fd);
	test_fd_file((int)fd, call->ret_file);
	svf_file_installed(call->ret_file);
	if (!call->ret_fd_at)
		return fd;
	memcpy((void *)(uintptr_t)call->ret_fd_at, &fd, sizeof(fd));
	return 0;
}

struct svf_file *test_fd_lookup(int fd)
{
	assert(fd >= 0 && fd < TEST_FDS && port.fds[fd].open &&
	       port.fds[fd].fd.kind == SVF_FD_FILE);
	return port.fds[fd].fd.file;
}

long test_ioctl_value(struct svf_file *file, uint32_t command, uint64_t arg)
{
	struct svf_call call = test_call(file->machine);
	long ret;

	do {
		call.reason[0] = '\0';
		ret = svf_file_ioctl(file, &call, command, arg);
	} while (ret == SVF_RESTART);
	if (ret >= 0 && call.ret_fd_at)
		ret = test_install(&call);
	memcpy(port.reason, call.reason, sizeof(port.reason));
	if (ret < 0 && ret != SVF_BLOCKED)
		test_check_errno(file, command, (int)-ret);
	return ret;
}

long test_ioctl(struct svf_file *file, uint32_t command, void *arg, size_t size)
{
	uint64_t addr = (uint64_t)(uintptr_t)arg;
	long ret;

	if (size)
		test_user_add(addr, size, true);
	ret = test_ioctl_value(file, command, addr);
	if (size)
		test_user_remove(addr, size);
	return ret;
}

const char *test_reason(void)
{
	return port.reason;
}

void test_process(unsigned int process)
{
	assert(process < TEST_PROCESSES);
	port.current = &port.mms[process];
}

int64_t test_locked_pages(unsigned int process)
{
	assert(process < TEST_PROCESSES);
	return port.mms[process].locked_pages;
}

void test_lock_limit(unsigned int process, int64_t pages)
{
	assert(process < TEST_PROCESSES);
	port.mms[process].limit_pages = pages;
}

void *test_user_alloc(size_t len)
{
	void *p;

	len = (len + PAGE - 1) / PAGE * PAGE;
	p = aligned_alloc(PAGE, len);
	assert(p && port.alloc_count < ALLOCS);
	memset(p, 0, len);
	port.allocs[port.alloc_count++] = p;
	test_user_add((uint64_t)(uintptr_t)p, len, true);
	return p;
}

static void range_add(uint64_t addr, size_t len, bool write, const struct svf_ram *ram,
		      uint64_t ram_offset)
{
	assert(len && port.range_count < RANGES);
	port.ranges[port.range_count++] = (struct range){
		.mm = port.current,
		.first = addr,
		.last = addr + len - 1,
		.write = write,
		.ram = ram,
		.ram_offset = ram_offset,
	};
}

void test_user_add(uint64_t addr, size_t len, bool write)
{
	range_add(addr, len, write, NULL, 0);
}

void test_user_add_ram(const struct svf_ram *ram, uint64_t offset, size_t len)
{
	assert(offset <= ram->size && len <= ram->size - offset);
	range_add((uint64_t)(uintptr_t)(ram->base + offset), len, true, ram, offset);
}

void test_user_remove(uint64_t addr, size_t len)
{
	for (size_t i = port.range_count; i-- > 0;) {
		struct range *r = &port.ranges[i];

		if (r->mm != port.current || r->first != addr || r->last != addr + len - 1)
			continue;
		memmove(r, r + 1, (--port.range_count - i) * sizeof(*r));
		return;
	}
	assert(!"the range was not registered");
}

void test_fail_copy(unsigned long n)
{
	port.fail_copy = n;
}

bool test_copy_armed(void)
{
	return port.fail_copy;
}

unsigned long test_copies(void)
{
	return port.copies;
}

static void fd_set_kind(int fd, struct svf_fd kind)
{
	assert(fd >= 0 && fd < TEST_FDS);
	port.fds[fd].open = true;
	port.fds[fd].fd = kind;
}

void test_fd_other(int fd)
{
	fd_set_kind(fd, (struct svf_fd){.kind = SVF_FD_OTHER});
}

void test_fd_event(int fd, struct svf_event *event)
{
	fd_set_kind(fd, (struct svf_fd){.kind = SVF_FD_EVENT, .event = event});
}

void test_fd_file(int fd, struct svf_file *file)
{
	fd_set_kind(fd, (struct svf_fd){.kind = SVF_FD_FILE, .file = file});
}

void test_fd_close(int fd)
{
	assert(fd >= 0 && fd < TEST_FDS);
	port.fds[fd].open = false;
}

void test_fd_restart(bool on)
{
	port.restart = on;
}

struct svf_event *test_event(void)
{
	struct svf_event *event = &port.events[port.event_count];

	assert(port.event_count < EVENTS);
	port.event_count++;
	event->refs = 1;
	return event;
}

unsigned int test_event_signals(const struct svf_event *event)
{
	return event->signals;
}

void test_event_fire(struct svf_event *event)
{
	struct svf_event_watch *watch;

	for (watch = port.watches; watch; watch = watch->next)
		watch->pending = watch->event == event;
	/* Whoever hears of it may end any watch, so that each time the search begins anew. */
	do {
		for (watch = port.watches; watch && !watch->pending; watch = watch->next)
			;
		if (watch) {
			watch->pending = false;
			watch->fired(watch->arg);
		}
	} while (watch);
}

unsigned int test_event_refs(const struct svf_event *event)
{
	return event->refs - 1;
}

unsigned int test_log_count(void)
{
	return port.log_count;
}

const char *test_log_line(unsigned int i)
{
	assert(i < port.log_count);
	return port.log[i];
}

const char *test_dma_failure(void)
{
	return port.dma_failure;
}

bool test_log_has(const char *part)
{
	for (unsigned int i = 0; i < port.log_count; i++)
		if (strstr(port.log[i], part))
			return true;
	return false;
}

void test_log_clear(void)
{
	port.log_count = 0;
}

unsigned int test_wakes(void)
{
	return port.wakes;
}

unsigned int test_tree_changes(void)
{
	return port.tree_changes;
}
