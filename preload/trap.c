/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens at an access to a trapped page, in the handler of its signal: the instruction is found, decoded
 * and carried out. See trap.h.
 *
 * A client may close descriptors it never opened: before each access the descriptor of the mapping
 * is asked whether it still is that file.
 *
 * Instructions are decoded once: a small cache by address, whose bytes are compared each time.
 */
#include "preload/trap.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "preload/execute.h"
#include "preload/table.h"

#define PAGE 4096u

/* --- accesses --- */

static bool is_same_file(const struct svf_source *source)
{
	struct svf_identity now;

	return svf_identify(source->fd, &now) && now.ino == source->identity.ino &&
	       now.dev_major == source->identity.dev_major &&
	       now.dev_minor == source->identity.dev_minor;
}

/* Return: 0, SIGBUS: the device does not answer. */
static int device_access(const struct svf_piece *piece, uint64_t offset, void *buf, size_t len,
			 bool write)
{
	long n;

	if (!is_same_file(piece->source))
		return SIGBUS;
	do
		n = syscall(write ? SYS_pwrite64 : SYS_pread64, piece->source->fd, buf, len,
			    offset);
	while (n < 0 && errno == EINTR);
	return n == (long)len ? 0 : SIGBUS;
}

/* Other memory of this process, without a fault when it is not there. Return: bytes. */
static size_t plain_access(uint64_t address, void *buf, size_t len, bool write)
{
	struct iovec local = {.iov_base = buf, .iov_len = len};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = len};
	long n = syscall(write ? SYS_process_vm_writev : SYS_process_vm_readv, syscall(SYS_getpid),
			 &local, 1, &remote, 1, 0);

	return n < 0 ? 0 : (size_t)n;
}

/* A part of an access that lies in one page. */
struct part {
	uint64_t address;
	uint8_t *bytes;
	size_t len;
	bool trapped;
	struct svf_piece piece; /* its source in use, where trapped */
};

/* Return: 0, SIGSEGV: the page is not to be accessed so, as far as that is the trap's. */
static int find_part(struct part *part, bool write)
{
	/* Whoever may write may read, to the processor. */
	int need = write ? PROT_WRITE : PROT_READ | PROT_WRITE;

	part->trapped = svf_piece_get(part->address, &part->piece);
	return part->trapped && !(part->piece.prot & need) ? SIGSEGV : 0;
}

static void end_part(const struct part *part)
{
	if (part->trapped)
		svf_piece_put(&part->piece);
}

static int access_part(const struct part *part, bool write)
{
	const struct svf_piece *piece = &part->piece;

	if (part->trapped)
		return device_access(piece, piece->offset + (part->address - piece->first),
				     part->bytes, part->len, write);
	return plain_access(part->address, part->bytes, part->len, write) == part->len ? 0
										       : SIGSEGV;
}

/*
 * Two parts, where an access lies across the end of a page. Neither is made when the other is not allowed;
 * what is plain memory, where that shows only when it is tried, comes first.
 */
static int access_parts(struct part *parts, size_t count, bool write, uint64_t *ret_fault)
{
	size_t found = 0, first;
	int err = 0;

	for (; !err && found < count; found++) {
		*ret_fault = parts[found].address;
		err = find_part(&parts[found], write);
	}
	first = count == 2 && parts[0].trapped && !parts[1].trapped;
	for (size_t i = 0; !err && i < count; i++) {
		const struct part *part = &parts[i ^ first];

		*ret_fault = part->address;
		err = access_part(part, write);
	}
	while (found)
		end_part(&parts[--found]);
	return err;
}

/* Of at most a page. */
static int access_memory(uint64_t address, uint8_t *bytes, size_t len, bool write,
			 uint64_t *ret_fault)
{
	size_t n = PAGE - address % PAGE;
	struct part parts[2] = {{.address = address, .bytes = bytes, .len = n < len ? n : len}};

	if (n < len)
		parts[1] =
			(struct part){.address = address + n, .bytes = bytes + n, .len = len - n};
	return access_parts(parts, n < len ? 2 : 1, write, ret_fault);
}

static int check_write(uint64_t address, size_t len, uint64_t *ret_fault)
{
	uint64_t end = address + len;
	int err = 0;

	for (; !err && address < end; address = (address | (PAGE - 1)) + 1) {
		struct part part = {.address = address};

		*ret_fault = address;
		err = find_part(&part, true);
		end_part(&part);
	}
	return err;
}

static int read_memory(uint64_t address, void *dst, size_t len, uint64_t *ret_fault)
{
	return access_memory(address, dst, len, false, ret_fault);
}

static int write_memory(uint64_t address, const void *src, size_t len, uint64_t *ret_fault)
{
	return access_memory(address, (uint8_t *)(uintptr_t)src, len, true, ret_fault);
}

/* --- locked instructions --- */

/*
 * The process that holds the bus, 0: none. Every process has a bus of its own: threads count together,
 * and a copy of this memory that was made while a thread held it is free in the process that has the copy.
 */
static _Atomic int bus_holder;

static void bus_lock(void)
{
	int own = (int)syscall(SYS_getpid), holder = 0;

	while (!atomic_compare_exchange_weak_explicit(&bus_holder, &holder, own,
						      memory_order_acquire, memory_order_relaxed)) {
		if (holder == own) {
			sched_yield();
			holder = 0;
		}
	}
}

static void bus_unlock(void)
{
	atomic_store_explicit(&bus_holder, 0, memory_order_release);
}

/* --- instructions --- */

#define CACHE 256u

static struct cached {
	atomic_flag busy;
	uint64_t at; /* 0: empty */
	uint8_t code[SVF_INSN_MAX];
	struct svf_insn insn;
} cache[CACHE];

/* At the instruction that faulted: as many bytes as it has were just fetched there. */
static bool decode_at(uint64_t at, struct svf_insn *ret)
{
	struct cached *entry = &cache[(at ^ at >> 8) % CACHE];
	uint8_t code[SVF_INSN_MAX];
	bool mine = !atomic_flag_test_and_set(&entry->busy), known = true;

	/* As long as the other one it may be, but no longer than the page. */
	if (mine && entry->at == at && at % PAGE + entry->insn.length <= PAGE &&
	    !memcmp(entry->code, (const void *)(uintptr_t)at, entry->insn.length)) {
		*ret = entry->insn;
	} else {
		size_t len = plain_access(at, code, sizeof(code), false);

		known = svf_decode(code, len, ret);
		if (mine && known) {
			entry->at = at;
			memcpy(entry->code, code, ret->length);
			entry->insn = *ret;
		}
	}
	if (mine)
		atomic_flag_clear(&entry->busy);
	return known;
}

void svf_trap_forked(void)
{
	for (size_t i = 0; i < CACHE; i++)
		atomic_flag_clear(&cache[i].busy);
	atomic_store(&bus_holder, 0);
}

static void append_text(char *buf, size_t size, size_t *at, const char *text)
{
	while (*text && *at < size)
		buf[(*at)++] = *text++;
}

static void append_hex(char *buf, size_t size, size_t *at, uint64_t value, unsigned int digits)
{
	while (digits-- && *at < size)
		buf[(*at)++] = "0123456789abcdef"[value >> 4 * digits & 15];
}

/* Which BAR and where in it: an offset of the device file tells. */
static void append_place(char *buf, size_t size, size_t *at, uint64_t address)
{
	struct svf_piece piece;
	uint64_t offset;

	if (!svf_piece_get(address, &piece))
		return;
	svf_piece_put(&piece);
	offset = piece.offset + (address - piece.first);
	append_text(buf, size, at, " of BAR ");
	append_hex(buf, size, at, offset >> 40, 1);
	append_text(buf, size, at, " at offset 0x");
	append_hex(buf, size, at, offset & ((1ull << 40) - 1), 6);
}

/* The one thing this library ever prints: the client ends here. */
static void say_unknown(uint64_t at, uint64_t address)
{
	char text[512], name[96];
	uint8_t code[SVF_INSN_MAX];
	size_t used = 0, len = plain_access(at, code, sizeof(code), false);

	len = svf_decode_text(code, len, at, name, sizeof(name));
	append_text(text, sizeof(text), &used, "softvfio: the instruction \"");
	append_text(text, sizeof(text), &used, name);
	append_text(text, sizeof(text), &used, "\" (");
	for (size_t i = 0; i < len; i++) {
		append_hex(text, sizeof(text), &used, code[i], 2);
		append_text(text, sizeof(text), &used, i + 1 < len ? " " : "");
	}
	append_text(text, sizeof(text), &used, ") at 0x");
	append_hex(text, sizeof(text), &used, at, 12);
	append_text(text, sizeof(text), &used, " accesses registers");
	append_place(text, sizeof(text), &used, address);
	append_text(text, sizeof(text), &used, " (address 0x");
	append_hex(text, sizeof(text), &used, address, 12);
	append_text(text, sizeof(text), &used,
		    "), and it is not known how to carry it out; use loads and stores there\n");
	len = (size_t)syscall(SYS_write, STDERR_FILENO, text, used);
	(void)len;
}

bool svf_trap_handle(int *number, siginfo_t *info, void *arg)
{
	static const struct svf_memory memory = {
		.read = read_memory, .write = write_memory, .check_write = check_write};
	ucontext_t *context = arg;
	uint64_t at = (uint64_t)context->uc_mcontext.gregs[REG_RIP], fault = 0;
	struct svf_insn insn;
	struct svf_piece piece;
	bool known;

	/* A processor without MOVDIR64B and its like has them carried out, wherever they go. */
	if (*number == SIGSEGV) {
		if (!svf_piece_get((uintptr_t)info->si_addr, &piece))
			return false;
		svf_piece_put(&piece);
	}
	known = decode_at(at, &insn);
	if (*number == SIGILL && (!known || !insn.direct))
		return false;
	if (!known) {
		say_unknown(at, (uintptr_t)info->si_addr);
		return false;
	}
	if (insn.locked)
		bus_lock();
	*number = svf_execute(&insn, context, &memory, &fault);
	if (insn.locked)
		bus_unlock();
	if (!*number)
		return true;
	info->si_signo = *number;
	info->si_code = *number == SIGBUS ? BUS_ADRERR : SEGV_ACCERR;
	info->si_addr = (void *)(uintptr_t)fault;
	return false;
}
