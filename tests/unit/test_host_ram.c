/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory behind a BAR as a client's mapping of it sees it: hidden, shown again, and cut by a
 * hostile client. The client is this process, with a mapping of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/machine.h"
#include "host/client/ram.h"
#include "host/host.h"

#define PAGE 4096u
#define SIZE (64 * PAGE)

struct fixture {
	struct svf_machine machine;
	struct svf_host host;
	struct svf_ram *ram;
	struct svf_host_ram *own;
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	svf_list_init(&f->host.rams);
	f->machine.host = &f->host;
	assert_int_equal(svf_host_ram_alloc(&f->machine, SIZE, &f->ram), 0);
	f->own = svf_container_of(f->ram, struct svf_host_ram, ram);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	svf_host_ram_free(&f->machine, f->ram);
	test_free(f);
	return 0;
}

static void hide(struct fixture *f, bool hidden)
{
	f->ram->hidden = hidden;
	svf_host_ram_hide(&f->machine, f->ram);
}

/* The client's file has that many bytes now: what is mapped behind them is SIGBUS. */
static off_t file_size(const struct fixture *f)
{
	return lseek(f->own->fd, 0, SEEK_END);
}

static void lend(struct fixture *f)
{
	f->own->probe_fd = dup(f->own->fd);
	assert_true(f->own->probe_fd >= 0);
}

static void test_not_lent(void **state)
{
	struct fixture *f = *state;

	hide(f, true);
	assert_int_equal(file_size(f), SIZE);
	hide(f, false);
	/* Lent while it is hidden: linger.c asks again. */
	hide(f, true);
	lend(f);
	hide(f, true);
	assert_int_equal(file_size(f), 0);
}

static void test_hide_and_show(void **state)
{
	struct fixture *f = *state;
	uint8_t *base = f->ram->base, *client;

	lend(f);
	client = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->own->fd, 0);
	assert_ptr_not_equal(client, MAP_FAILED);
	client[0] = 1;
	client[40 * PAGE + 5] = 2;
	client[SIZE - 1] = 3;
	hide(f, true);
	assert_int_equal(file_size(f), 0);
	/* The function itself goes on with what it holds. */
	assert_int_equal(base[40 * PAGE + 5], 2);
	base[40 * PAGE + 6] = 4;
	hide(f, false);
	assert_int_equal(file_size(f), SIZE);
	assert_int_equal(client[0], 1);
	assert_int_equal(client[40 * PAGE + 5], 2);
	assert_int_equal(client[40 * PAGE + 6], 4);
	assert_int_equal(client[SIZE - 1], 3);
	/* One memory again. */
	client[7] = 5;
	assert_int_equal(base[7], 5);
	munmap(client, SIZE);
}

static void test_clear_while_hidden(void **state)
{
	struct fixture *f = *state;
	uint8_t *base = f->ram->base;

	lend(f);
	base[9] = 9;
	hide(f, true);
	svf_host_ram_clear(&f->machine, f->ram);
	assert_int_equal(base[9], 0);
	assert_int_equal(file_size(f), 0);
	hide(f, false);
	assert_int_equal(base[9], 0);
}

static void test_hostile_cut(void **state)
{
	struct fixture *f = *state;
	uint8_t *base = f->ram->base, *client;
	struct svf_ram *other;

	/* cmocka has taken SIGBUS for itself since; each new guard takes it. */
	assert_int_equal(svf_host_ram_alloc(&f->machine, PAGE, &other), 0);
	lend(f);
	base[3] = 3;
	assert_int_equal(ftruncate(f->own->fd, 0), 0);
	assert_int_equal(base[3], 0);
	assert_true(f->own->guard.lost);
	base[SIZE - 1] = 1;
	/* A reset makes it whole. */
	svf_host_ram_clear(&f->machine, f->ram);
	assert_false(f->own->guard.lost);
	assert_int_equal(file_size(f), SIZE);
	client = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->own->fd, 0);
	assert_ptr_not_equal(client, MAP_FAILED);
	client[3] = 33;
	assert_int_equal(base[3], 33);
	assert_int_equal(base[SIZE - 1], 0);
	munmap(client, SIZE);
	svf_host_ram_free(&f->machine, other);
}

static void test_hostile_growth(void **state)
{
	struct fixture *f = *state;

	lend(f);
	hide(f, true);
	assert_int_equal(ftruncate(f->own->fd, 16 * SIZE), 0);
	assert_int_equal(pwrite(f->own->fd, "x", 1, 0), 1);
	hide(f, false);
	assert_int_equal(file_size(f), SIZE);
	assert_int_equal(f->ram->base[0], 0);
	assert_int_equal(ftruncate(f->own->fd, 16 * SIZE), 0);
	svf_host_ram_clear(&f->machine, f->ram);
	assert_int_equal(file_size(f), SIZE);
}

/* --- protected: clients load, the host stores --- */

static uint8_t *protect(struct fixture *f)
{
	uint8_t *client;

	assert_int_equal(svf_host_ram_protect(&f->machine, f->ram), 0);
	lend(f);
	client = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, f->own->fd, 0);
	assert_ptr_not_equal(client, MAP_FAILED);
	return client;
}

static void test_protected(void **state)
{
	struct fixture *f = *state;
	uint8_t *client = protect(f);

	f->ram->base[40 * PAGE] = 7;
	assert_int_equal(client[40 * PAGE], 7);
	assert_ptr_equal(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->own->fd, 0),
			 MAP_FAILED);
	assert_int_equal(mprotect(client, SIZE, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(pwrite(f->own->fd, "x", 1, 0), -1);
	assert_int_equal(client[0], 0);
	svf_host_ram_clear(&f->machine, f->ram);
	assert_int_equal(client[40 * PAGE], 0);
	f->ram->base[1] = 1;
	assert_int_equal(client[1], 1);
	munmap(client, SIZE);
}

static void test_protected_hidden(void **state)
{
	struct fixture *f = *state;
	uint8_t *client = protect(f);

	f->ram->base[5] = 5;
	f->ram->base[SIZE - 1] = 6;
	hide(f, true);
	assert_int_equal(file_size(f), 0);
	f->ram->base[40 * PAGE] = 8;
	hide(f, false);
	assert_int_equal(file_size(f), SIZE);
	assert_int_equal(client[5], 5);
	assert_int_equal(client[40 * PAGE], 8);
	assert_int_equal(client[SIZE - 1], 6);
	/* One memory again, and no more to be written than before. */
	f->ram->base[9] = 9;
	assert_int_equal(client[9], 9);
	assert_int_equal(pwrite(f->own->fd, "x", 1, 0), -1);
	munmap(client, SIZE);
}

static void test_protected_cut(void **state)
{
	struct fixture *f = *state;
	uint8_t *client = protect(f);
	struct svf_ram *other;

	assert_int_equal(svf_host_ram_alloc(&f->machine, PAGE, &other), 0);
	assert_int_equal(ftruncate(f->own->fd, 0), 0);
	f->ram->base[3] = 3;
	assert_true(f->own->guard.lost);
	munmap(client, SIZE);
	/* A reset makes it another. */
	svf_host_ram_clear(&f->machine, f->ram);
	assert_false(f->own->guard.lost);
	assert_int_equal(f->own->probe_fd, -1);
	lend(f);
	client = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, f->own->fd, 0);
	assert_ptr_not_equal(client, MAP_FAILED);
	assert_int_equal(client[3], 0);
	f->ram->base[3] = 4;
	assert_int_equal(client[3], 4);
	munmap(client, SIZE);
	svf_host_ram_free(&f->machine, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_lent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hide_and_show, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clear_while_hidden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_growth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_protected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_protected_hidden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_protected_cut, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
