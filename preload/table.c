/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of trapped pages. See trap.h and table.h.
 *
 * The device file. A mapping keeps its device open, whatever becomes of the descriptor it was made
 * with, so each has one of its own, with a high number so that the client's come out as they would.
 * All pieces of one mapping share it. A client may close descriptors it never opened: before each
 * access the descriptor is asked whether it still is that file.
 *
 * The lock. The table is changed with all signals blocked, and read by a handler with all signals
 * blocked, so no thread waits for itself. It is held for a look, never over a system call that can
 * wait. Who takes a piece out waits for accesses under way on its descriptor, then closes that.
 * fork() holds it meanwhile, so that the child finds it free. (A child made by a bare clone() while another thread
 * was at an access finds that access never to end.)
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

#include "preload/stack.h"
#include "preload/table.h"

#define PAGE 4096u

static struct {
	atomic_flag locked;
	_Atomic size_t count;
	size_t room;
	struct svf_piece *pieces;
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

/* The child has none of the other threads, and what they were at will not end. */
static void after_fork_in_child(void)
{
	for (size_t i = 0; i < table.count; i++)
		atomic_store(&table.pieces[i].source->uses, 0);
	svf_stacks_forked();
	svf_signals_forked();
	svf_trap_forked();
	after_fork();
}

/* --- the table --- */

bool svf_trap_any(void)
{
	return atomic_load_explicit(&table.count, memory_order_relaxed);
}

/* The first piece that reaches into the range, with the lock held. */
static struct svf_piece *find(uintptr_t first, uintptr_t last)
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
	size_t room = table.room ? table.room * 2 : PAGE / sizeof(struct svf_piece);
	struct svf_piece *pieces;

	if (table.count < table.room)
		return true;
	pieces = (struct svf_piece *)syscall(SYS_mmap, NULL, room * sizeof(*pieces),
					     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
					     -1, 0);
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

static void append(const struct svf_piece *piece)
{
	table.pieces[table.count++] = *piece;
	piece->source->pieces++;
}

/* Takes a piece out. Return: its source, when that was the last of it. */
static struct svf_source *take_out(struct svf_piece *piece)
{
	struct svf_source *source = piece->source;

	*piece = table.pieces[--table.count];
	return --source->pieces ? NULL : source;
}

static void source_end(struct svf_source *source)
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

bool svf_identify(int fd, struct svf_identity *ret)
{
	struct statx stx;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &stx))
		return false;
	*ret = (struct svf_identity){
		.dev_major = stx.stx_dev_major, .dev_minor = stx.stx_dev_minor, .ino = stx.stx_ino};
	return true;
}

static struct svf_source *source_new(int fd)
{
	struct svf_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->fd = dup_high(fd);
	if (source->fd < 0 || !svf_identify(source->fd, &source->identity)) {
		free(source);
		return NULL;
	}
	return source;
}

static int begin(void)
{
	static _Atomic bool begun;
	int err = svf_signals_take();

	if (!err && !atomic_exchange(&begun, true))
		err = pthread_atfork(before_fork, after_fork, after_fork_in_child);
	return err;
}

int svf_trap_add(uintptr_t address, size_t len, int fd, uint64_t offset, int prot,
		 enum svf_trap_kind kind)
{
	struct svf_piece piece = {.first = address,
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
static struct svf_source *cut(struct svf_piece *piece, uintptr_t first, uintptr_t last)
{
	struct svf_piece tail = *piece;
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
	struct svf_piece *piece;
	uint64_t saved;

	if (!svf_trap_any() || !len)
		return;
	lock(&saved);
	while ((piece = find(address, last))) {
		struct svf_source *ended = cut(piece, address, last);

		if (!ended)
			continue;
		unlock(&saved);
		source_end(ended);
		lock(&saved);
	}
	unlock(&saved);
}

/* [first, last] of a piece, which is taken out of the table, as a piece of its own. The lock is held. */
static struct svf_piece take_part(struct svf_piece *piece, uintptr_t first, uintptr_t last)
{
	struct svf_piece own = *piece;

	if (own.first < first) {
		own.offset += first - own.first;
		own.first = first;
	}
	if (own.last > last)
		own.last = last;
	/* The source stays, for the part. */
	own.source->pieces++;
	cut(piece, own.first, own.last);
	own.source->pieces--;
	return own;
}

/* What begins at address: a piece cut to [address, last], or NULL and the bytes up to the next piece. */
static struct svf_piece *alike(uintptr_t address, uintptr_t last, size_t *ret_len)
{
	struct svf_piece *here = find(address, address);

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

size_t svf_trap_alike(uintptr_t address, size_t len)
{
	uint64_t saved;
	size_t n;

	lock(&saved);
	alike(address, address + len - 1, &n);
	unlock(&saved);
	return n;
}

int svf_trap_protect(uintptr_t address, size_t len, int prot, size_t *ret_len)
{
	uintptr_t last = address + (len + PAGE - 1) / PAGE * PAGE - 1;
	struct svf_piece *piece, own;
	uint64_t saved;
	int real = prot;

	lock(&saved);
	piece = alike(address, last, ret_len);
	if (piece)
		real = piece->kind == SVF_TRAP_ALL ? PROT_NONE : prot & ~PROT_WRITE;
	if (piece && piece->prot != prot) {
		/* The rest keeps the protection it had. */
		own = take_part(piece, address, address + *ret_len - 1);
		own.prot = prot;
		if (grow())
			append(&own);
	}
	unlock(&saved);
	return real;
}

void svf_trap_move(uintptr_t from, size_t len, uintptr_t to)
{
	uintptr_t last = from + (len + PAGE - 1) / PAGE * PAGE - 1;
	struct svf_piece *piece;
	uint64_t saved;

	lock(&saved);
	while ((piece = find(from, last))) {
		struct svf_piece own = take_part(piece, from, last);

		own.first = own.first - from + to;
		own.last = own.last - from + to;
		if (grow())
			append(&own);
	}
	unlock(&saved);
}

/* --- in the handler, where all signals are blocked --- */

bool svf_piece_get(uintptr_t address, struct svf_piece *ret)
{
	struct svf_piece *piece;

	take();
	piece = find(address, address);
	if (piece) {
		*ret = *piece;
		atomic_fetch_add(&piece->source->uses, 1);
	}
	release();
	return piece;
}

void svf_piece_put(const struct svf_piece *piece)
{
	atomic_fetch_sub(&piece->source->uses, 1);
}
