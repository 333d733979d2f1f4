/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of trapped pages, and what happens at an access. See trap.h.
 *
 * The device file. A mapping keeps its device open, whatever becomes of the descriptor it was made
 * with, so each has one of its own, with a high number so that the client's come out as they would.
 * All pieces of one mapping share it. A client may close descriptors it never opened: before each
 * access the descriptor is asked whether it still is that file.
 *
 * The lock. The table is changed with all signals blocked, and read by a handler with all signals
 * blocked, so no thread waits for itself. It is held for a look, never over a system call that can
 * wait. Who takes a piece out waits for accesses under way on its descriptor, then closes that.
 * fork() holds it meanwhile, so that the child finds it free.
 *
 * Instructions are decoded once: a small cache by address, whose bytes are compared each time.
 */
#include "preload/trap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "preload/execute.h"

#define PAGE 4096u

/* The device file behind a mapping. */
struct source {
	int fd;
	dev_t dev;
	ino_t ino;
	unsigned int pieces;	   /* of the table */
	_Atomic unsigned int uses; /* accesses under way */
};

struct piece {
	uintptr_t first, last;
	uint64_t offset; /* of first, in the file */
	int prot;	 /* as the client believes */
	enum svf_trap_kind kind;
	struct source *source;
};

static struct {
	atomic_flag locked;
	_Atomic size_t count;
	size_t room;
	struct piece *pieces;
} table;

/* --- the lock --- */

static void take(void)
{
	while (atomic_flag_test_and_set_explicit(&table.locked, memory_order_acquire))
		sched_yield();
}

static void release(void)
{
	atomic_flag_clear_explicit(&table.locked, memory_order_release);
}

/* Outside of handlers; the kernel's set is 8 bytes. */
static void lock(uint64_t *ret_saved)
{
	uint64_t all = ~0ull;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, ret_saved, sizeof(all));
	take();
}

static void unlock(const uint64_t *saved)
{
	release();
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, saved, NULL, sizeof(*saved));
}

static uint64_t fork_saved;

static void before_fork(void)
{
	uint64_t saved;

	lock(&saved);
	fork_saved = saved;
}

static void after_fork(void)
{
	uint64_t saved = fork_saved;

	unlock(&saved);
}

/* --- the table --- */

bool svf_trap_any(void)
{
	return atomic_load_explicit(&table.count, memory_order_relaxed);
}

/* The first piece that reaches into the range, with the lock held. */
static struct piece *find(uintptr_t first, uintptr_t last)
{
	for (size_t i = 0; i < table.count; i++) {
		if (table.pieces[i].first <= last && table.pieces[i].last >= first)
			return &table.pieces[i];
	}
	return NULL;
}

bool svf_trap_overlaps(uintptr_t address, size_t len)
{
	uint64_t saved;
	bool found;

	if (!svf_trap_any() || !len)
		return false;
	lock(&saved);
	found = find(address, address + len - 1);
	unlock(&saved);
	return found;
}

/* Room for one more piece; not malloc, which may be the caller. */
static bool grow(void)
{
	size_t room = table.room ? table.room * 2 : PAGE / sizeof(struct piece);
	struct piece *pieces;

	if (table.count < table.room)
		return true;
	pieces =
		(struct piece *)syscall(SYS_mmap, NULL, room * sizeof(*pieces),
					PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pieces == MAP_FAILED)
		return false;
	if (table.pieces) {
		memcpy(pieces, table.pieces, table.count * sizeof(*pieces));
		syscall(SYS_munmap, table.pieces, table.room * sizeof(*pieces));
	}
	table.pieces = pieces;
	table.room = room;
	return true;
}

static void append(const struct piece *piece)
{
	table.pieces[table.count++] = *piece;
	piece->source->pieces++;
}

/* Takes a piece out. Return: its source, when that was the last of it. */
static struct source *take_out(struct piece *piece)
{
	struct source *source = piece->source;

	*piece = table.pieces[--table.count];
	return --source->pieces ? NULL : source;
}

static void source_end(struct source *source)
{
	if (!source)
		return;
	while (atomic_load(&source->uses))
		sched_yield();
	close(source->fd);
	free(source);
}

/* A descriptor with a number that no client looks at. */
static int dup_high(int fd)
{
	struct rlimit limit;
	int high = 0, copy;

	if (!getrlimit(RLIMIT_NOFILE, &limit))
		high = (int)(limit.rlim_cur < 1u << 20 ? limit.rlim_cur : 1u << 20) / 4 * 3;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, high);
	return copy >= 0 ? copy : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static struct source *source_new(int fd)
{
	struct source *source = calloc(1, sizeof(*source));
	struct stat st;

	if (!source)
		return NULL;
	source->fd = dup_high(fd);
	if (source->fd < 0 || syscall(SYS_fstat, source->fd, &st)) {
		free(source);
		return NULL;
	}
	source->dev = st.st_dev;
	source->ino = st.st_ino;
	return source;
}

static int begin(void)
{
	static _Atomic bool begun;
	int err = svf_signals_take();

	if (!err && !atomic_exchange(&begun, true))
		err = pthread_atfork(before_fork, after_fork, after_fork);
	return err;
}

int svf_trap_add(uintptr_t address, size_t len, int fd, uint64_t offset, int prot,
		 enum svf_trap_kind kind)
{
	struct piece piece = {.first = address,
			      .last = address + (len + PAGE - 1) / PAGE * PAGE - 1,
			      .offset = offset,
			      .prot = prot,
			      .kind = kind};
	int err = begin();
	uint64_t saved;

	if (err)
		return err;
	piece.source = source_new(fd);
	if (!piece.source)
		return errno == EMFILE ? EMFILE : ENOMEM;
	lock(&saved);
	err = grow() ? 0 : ENOMEM;
	if (!err)
		append(&piece);
	unlock(&saved);
	if (err)
		source_end(piece.source);
	return err;
}

/*
 * Cuts [first, last] out of a piece that reaches into it. A piece in the middle of which it lies becomes two; without
 * room for the second, that part is lost, and its accesses are SIGSEGV.
 */
static struct source *cut(struct piece *piece, uintptr_t first, uintptr_t last)
{
	struct piece tail = *piece;
	bool head = piece->first<first, rest = piece->last> last;

	if (rest) {
		tail.offset += last + 1 - piece->first;
		tail.first = last + 1;
	}
	if (head && rest) {
		piece->last = first - 1;
		if (grow())
			append(&tail);
		return NULL;
	}
	if (head)
		piece->last = first - 1;
	else if (rest)
		*piece = tail;
	else
		return take_out(piece);
	return NULL;
}

void svf_trap_remove(uintptr_t address, size_t len)
{
	uintptr_t last = address + (len + PAGE - 1) / PAGE * PAGE - 1;
	struct piece *piece;
	uint64_t saved;

	if (!svf_trap_any() || !len)
		return;
	lock(&saved);
	while ((piece = find(address, last))) {
		struct source *ended = cut(piece, address, last);

		if (!ended)
			continue;
		unlock(&saved);
		source_end(ended);
		lock(&saved);
	}
	unlock(&saved);
}

/* What begins at address: a piece cut to [address, last], or NULL and the bytes up to the next piece. */
static struct piece *alike(uintptr_t address, uintptr_t last, size_t *ret_len)
{
	struct piece *here = find(address, address);

	*ret_len = last - address + 1;
	if (here) {
		if (here->last < last)
			*ret_len = here->last - address + 1;
		return here;
	}
	for (size_t i = 0; i < table.count; i++) {
		uintptr_t next = table.pieces[i].first;

		if (next > address && next - address < *ret_len)
			*ret_len = next - address;
	}
	return NULL;
}

int svf_trap_protect(uintptr_t address, size_t len, int prot, size_t *ret_len)
{
	uintptr_t last = address + (len + PAGE - 1) / PAGE * PAGE - 1;
	struct piece *piece, own;
	uint64_t saved;
	int real = prot;

	lock(&saved);
	piece = alike(address, last, ret_len);
	if (piece)
		real = piece->kind == SVF_TRAP_ALL ? PROT_NONE : prot & ~PROT_WRITE;
	if (piece && piece->prot != prot) {
		/* The rest keeps the protection it had. */
		own = *piece;
		own.offset += address - piece->first;
		own.first = address;
		own.last = address + *ret_len - 1;
		own.prot = prot;
		own.source->pieces++;
		cut(piece, own.first, own.last);
		own.source->pieces--;
		if (grow())
			append(&own);
	}
	unlock(&saved);
	return real;
}

void svf_trap_move(uintptr_t from, size_t len, uintptr_t to)
{
	uintptr_t last = from + (len + PAGE - 1) / PAGE * PAGE - 1;
	uint64_t saved;

	lock(&saved);
	for (size_t i = 0; i < table.count; i++) {
		struct piece *piece = &table.pieces[i];

		if (piece->first < from || piece->last > last)
			continue;
		piece->first = piece->first - from + to;
		piece->last = piece->last - from + to;
	}
	unlock(&saved);
}

/* --- accesses, in the handler --- */

/* What an access at address meets: the piece, with its source in use, or nothing trapped. */
static bool lookup(uintptr_t address, struct piece *ret)
{
	struct piece *piece;

	take();
	piece = find(address, address);
	if (piece) {
		*ret = *piece;
		atomic_fetch_add(&piece->source->uses, 1);
	}
	release();
	return piece;
}

static bool is_same_file(const struct source *source)
{
	struct stat st;

	return !syscall(SYS_fstat, source->fd, &st) && st.st_dev == source->dev &&
	       st.st_ino == source->ino;
}

/* Return: 0, SIGBUS: the device does not answer. */
static int device_access(const struct piece *piece, uint64_t offset, void *buf, size_t len,
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

static int access_piece(const struct piece *piece, uint64_t address, void *buf, size_t len,
			bool write)
{
	/* Whoever may write may read, to the processor. */
	int need = write ? PROT_WRITE : PROT_READ | PROT_WRITE, err = SIGSEGV;

	if (piece->prot & need)
		err = device_access(piece, piece->offset + (address - piece->first), buf, len,
				    write);
	atomic_fetch_sub(&piece->source->uses, 1);
	return err;
}

/* An access may lie across the end of the trapped pages. */
static int access_memory(uint64_t address, uint8_t *buf, size_t len, bool write,
			 uint64_t *ret_fault)
{
	while (len) {
		struct piece piece;
		size_t n = PAGE - address % PAGE;
		int err = 0;

		n = n < len ? n : len;
		if (lookup(address, &piece))
			err = access_piece(&piece, address, buf, n, write);
		else if (plain_access(address, buf, n, write) != n)
			err = SIGSEGV;
		if (err) {
			*ret_fault = address;
			return err;
		}
		address += n;
		buf += n;
		len -= n;
	}
	return 0;
}

static int read_memory(uint64_t address, void *dst, size_t len, uint64_t *ret_fault)
{
	return access_memory(address, dst, len, false, ret_fault);
}

static int write_memory(uint64_t address, const void *src, size_t len, uint64_t *ret_fault)
{
	return access_memory(address, (uint8_t *)(uintptr_t)src, len, true, ret_fault);
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
static bool decode_at(uint64_t at, struct svf_insn *ret, const char **ret_name)
{
	struct cached *entry = &cache[(at ^ at >> 8) % CACHE];
	uint8_t code[SVF_INSN_MAX];
	bool mine = !atomic_flag_test_and_set(&entry->busy), known = true;

	*ret_name = "";
	if (mine && entry->at == at &&
	    !memcmp(entry->code, (const void *)(uintptr_t)at, entry->insn.length)) {
		*ret = entry->insn;
	} else {
		size_t len = plain_access(at, code, sizeof(code), false);

		known = svf_decode(code, len, ret, ret_name);
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

/* The one thing this library ever prints: the client ends here. */
static void say_unknown(const char *name, uint64_t at, uint64_t address)
{
	char text[256];
	uint8_t code[SVF_INSN_MAX];
	size_t used = 0, len = plain_access(at, code, sizeof(code), false);

	append_text(text, sizeof(text), &used, "softvfio: ");
	append_text(text, sizeof(text), &used, name);
	append_text(text, sizeof(text), &used, " at 0x");
	append_hex(text, sizeof(text), &used, at, 12);
	append_text(text, sizeof(text), &used, " accesses device registers (0x");
	append_hex(text, sizeof(text), &used, address, 12);
	append_text(text, sizeof(text), &used,
		    "), which is not known how to carry out; its bytes begin");
	for (size_t i = 0; i < len; i++) {
		append_text(text, sizeof(text), &used, " ");
		append_hex(text, sizeof(text), &used, code[i], 2);
	}
	append_text(text, sizeof(text), &used, "\n");
	len = (size_t)syscall(SYS_write, STDERR_FILENO, text, used);
	(void)len;
}

static bool is_trapped(uint64_t address)
{
	bool found;

	take();
	found = find((uintptr_t)address, (uintptr_t)address);
	release();
	return found;
}

bool svf_trap_handle(int *number, siginfo_t *info, void *arg)
{
	static const struct svf_memory memory = {.read = read_memory, .write = write_memory};
	ucontext_t *context = arg;
	uint64_t at = (uint64_t)context->uc_mcontext.gregs[REG_RIP], fault = 0;
	struct svf_insn insn;
	const char *name;
	bool known;

	/* A processor without MOVDIR64B and its like has them carried out, wherever they go. */
	if (*number == SIGSEGV && !is_trapped((uintptr_t)info->si_addr))
		return false;
	known = decode_at(at, &insn, &name);
	if (*number == SIGILL && (!known || !insn.direct))
		return false;
	if (!known) {
		say_unknown(name, at, (uintptr_t)info->si_addr);
		return false;
	}
	*number = svf_execute(&insn, context, &memory, &fault);
	if (!*number)
		return true;
	info->si_signo = *number;
	info->si_code = *number == SIGBUS ? BUS_ADRERR : SEGV_ACCERR;
	info->si_addr = (void *)(uintptr_t)fault;
	return false;
}
