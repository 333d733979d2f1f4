/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port of plain memory: how unit and scenario tests, fuzzers and fault sweeps drive the core
 * in one process. A client is this process itself, and its memory is what was registered as
 * such; every other address gives -EFAULT. There is one set of state, made anew by test_machine().
 *
 * test_machine_end() asserts that nothing is left: address spaces and events without references
 * beyond the test's, nothing charged as locked, no BAR memory.
 */
#ifndef SVF_TESTS_UNIT_PORT_H
#define SVF_TESTS_UNIT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/call.h"
#include "core/file.h"
#include "core/machine.h"
#include "core/port.h"

#define TEST_PROCESSES 4
#define TEST_FDS       1024

/* A machine on this port, empty, with default parameters; ends the process on failure. */
struct svf_machine *test_machine(void);
void test_machine_end(struct svf_machine *machine);

/* A fresh call of the current process. Descriptors seen by earlier calls are forgotten. */
struct svf_call test_call(struct svf_machine *machine);

/*
 * The whole way of an ioctl, through the command table, restarted as often as the core asks: arg
 * is size bytes that the client may read and write while it lasts. size 0: arg is passed as the
 * number it is. The reason is kept: test_reason(). An errno that the command's row in the table
 * does not list ends the process.
 */
long test_ioctl(struct svf_file *file, uint32_t command, void *arg, size_t size);
long test_ioctl_value(struct svf_file *file, uint32_t command, uint64_t arg);
const char *test_reason(void);
/* The same for calls made without these: ends the process unless the command's row lists err. */
void test_check_errno(const struct svf_file *file, uint32_t command, int err);

/* Which of the client processes calls from now on, 0 to TEST_PROCESSES - 1; 0 at the start. */
void test_process(unsigned int process);
/* Whether callers have CAP_SYS_RAWIO; they do at the start. */
void test_rawio(bool on);
/* Locked memory, in pages: charged now, and the limit (none at the start). */
int64_t test_locked_pages(unsigned int process);
void test_lock_limit(unsigned int process, int64_t pages);

/*
 * Whether clients' memory is of a file, which mappings made from now on hold and devices reach it through,
 * as it was when it was mapped; it is at the start.
 */
void test_memory_shared(bool on);

/* Memory of the current process: page-aligned and zeroed, freed by test_machine_end(). */
void *test_user_alloc(size_t len);
/*
 * Registers memory or takes a registration back (exactly as it was made). addr need not be mapped
 * when only checked.
 */
void test_user_add(uint64_t addr, size_t len, bool write);
void test_user_remove(uint64_t addr, size_t len);
/* Registers len bytes of BAR memory, from offset, at the place where they are: an mmap of a BAR. */
void test_user_add_ram(const struct svf_ram *ram, uint64_t offset, size_t len);

/* The n-th copy from or to the client from now on (1: the next) fails, once. 0: none. */
void test_fail_copy(unsigned long n);
bool test_copy_armed(void);
unsigned long test_copies(void); /* done or failed since test_machine() */

/* What descriptor numbers of the current call's process are. A number not set is not open. */
void test_fd_other(int fd);
/* A memory file of that size; one at a time. The bytes stay the test's. */
void test_fd_memory(int fd, void *bytes, size_t size);
void test_fd_event(int fd, struct svf_event *event);
void test_fd_file(int fd, struct svf_file *file);
void test_fd_close(int fd);
/*
 * What a host does with a file that a command has made (call->ret_file): the current process has it under
 * a number from 512 on. test_ioctl() does so where the number goes into the structure. Return: the number, or
 * 0 when it has gone to where the call says.
 */
long test_install(struct svf_call *call);
struct svf_file *test_fd_lookup(int fd);
/*
 * On: the first look at each number in a call gives SVF_RESTART, as a host does that has to find
 * out.
 */
void test_fd_restart(bool on);

/* An eventfd; the test holds one reference until test_machine_end(). */
struct svf_event *test_event(void);
unsigned int test_event_signals(const struct svf_event *event);
/* A client signals it: whoever watches it hears of that at once. */
void test_event_fire(struct svf_event *event);
unsigned int test_event_refs(const struct svf_event *event); /* beyond the test's own */

/*
 * The only file that a model can open (svf_storage_open()), once at a time, by any name: the test's bytes, until the
 * machine ends. To be called before the machine is made. Requests
 * are done at once; later: when test_storage_run() says so, oldest first. NULL: there is none.
 */
void test_storage(void *bytes, uint64_t size, bool later);
/* Return: how many were done. */
unsigned int test_storage_run(unsigned int count);
/* The n-th request from now on (1: the next) fails with that errno, having done half of it. */
void test_storage_fail(unsigned int n, int err);
/* Requests so far of that kind, and those of them that had to be durable. */
unsigned int test_storage_count(unsigned int op, bool durable);

/* Kernel messages so far. */
unsigned int test_log_count(void);
const char *test_log_line(unsigned int i);
bool test_log_has(const char *part);
/* "DEVICE: WHAT: REASON" of the DMA that failed last; "". */
const char *test_dma_failure(void);
void test_log_clear(void);

unsigned int test_wakes(void);
/* How often readers were told to look again. */
unsigned int test_ready(void);
/* Whether clients have memory of the host's mapped. */
void test_ram_in_use(bool on);
unsigned int test_tree_changes(void);

#endif
