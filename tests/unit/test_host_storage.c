/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of device models: what is asked of them is done by the loop at once or by threads, all of it,
 * also when the file is closed meanwhile; and what cannot be opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/machine.h"
#include "host/host.h"
#include "include/softvfio/model.h"

#define SIZE (256u << 10)

struct fixture {
	struct svf_machine machine;
	struct svf_host host;
	char folder[64], path[96];
	struct svf_storage *storage;
	unsigned int done, failed;
};

static struct fixture *f;

static void make_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static int setup(void **state)
{
	f = test_calloc(1, sizeof(*f));
	*state = f;
	strcpy(f->folder, "/tmp/softvfio-storage.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	strcpy(stpcpy(f->path, f->folder), "/disk");
	make_file(f->path, SIZE);
	f->machine.host = &f->host;
	f->machine.port = &svf_host_port;
	assert_int_equal(svf_loop_init(&f->host.loop), 0);
	svf_storages_init(&f->host.storages, &f->host);
	assert_int_equal(svf_host_storage_open(&f->machine, f->path, &f->storage, NULL), 0);
	assert_int_equal(svf_storages_start(&f->host.storages), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	svf_storage_close(f->storage);
	svf_storages_fini(&f->host.storages);
	svf_loop_fini(&f->host.loop);
	unlink(f->path);
	rmdir(f->folder);
	test_free(f);
	return 0;
}

static void request_done(struct svf_storage_request *request, int err)
{
	f->done++;
	f->failed += err != 0;
	request->err = err;
	f->host.loop.quit = true;
}

static void nothing(void *arg)
{
	(void)arg;
}

/* Runs the loop until so many requests were given back. */
static void wait_for(unsigned int done)
{
	while (f->done < done) {
		f->host.loop.quit = false;
		assert_int_equal(svf_loop_run(&f->host.loop, nothing, nothing, NULL), 0);
	}
}

static int submit(struct svf_storage_request *request)
{
	request->done = request_done;
	return svf_storage_submit(f->storage, request);
}

static int run(enum svf_storage_op op, bool durable, uint64_t offset, void *buf, uint64_t len)
{
	struct svf_storage_request request = {
		.op = op, .durable = durable, .offset = offset, .len = len, .buf = buf};
	int err = submit(&request);

	if (err != -EINPROGRESS)
		return err;
	wait_for(f->done + 1);
	return request.err;
}

static void test_reads_back(void **state)
{
	static uint8_t written[SIZE], got[SIZE];
	int fd = open(f->path, O_RDONLY);

	(void)state;
	assert_int_equal(svf_storage_size(f->storage), SIZE);
	for (unsigned int i = 0; i < SIZE; i++)
		written[i] = (uint8_t)rand();
	assert_int_equal(run(SVF_STORAGE_WRITE, false, 0, written, SIZE), 0);
	assert_int_equal(run(SVF_STORAGE_WRITE, true, 512, written + 512, 4096), 0);
	assert_int_equal(run(SVF_STORAGE_FLUSH, false, 0, NULL, 0), 0);
	assert_int_equal(run(SVF_STORAGE_READ, false, 1, got + 1, SIZE - 1), 0);
	got[0] = written[0];
	assert_memory_equal(got, written, SIZE);
	assert_int_equal(pread(fd, got, SIZE, 0), SIZE);
	assert_memory_equal(got, written, SIZE);
	close(fd);
}

static void test_zeroes(void **state)
{
	static const enum svf_storage_op ops[] = {SVF_STORAGE_ZERO, SVF_STORAGE_TRIM};
	static uint8_t expected[SIZE], got[SIZE];

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t offset = 512 * (i + 1), len = 65536 + 512 * i;

		memset(expected, 'x', SIZE);
		assert_int_equal(run(SVF_STORAGE_WRITE, false, 0, expected, SIZE), 0);
		memset(expected + offset, 0, len);
		assert_int_equal(run(ops[i % 2], i / 2, offset, NULL, len), 0);
		assert_int_equal(run(ops[i % 2], i / 2, offset, NULL, 0), 0);
		assert_int_equal(run(SVF_STORAGE_READ, false, 0, got, SIZE), 0);
		assert_memory_equal(got, expected, SIZE);
	}
}

static void test_cut_off(void **state)
{
	struct stat st;
	uint8_t bytes[512];

	(void)state;
	assert_int_equal(truncate(f->path, 4096), 0);
	assert_int_equal(run(SVF_STORAGE_READ, false, 8192, bytes, sizeof(bytes)), -EIO);
	assert_int_equal(run(SVF_STORAGE_READ, false, 4096 - 256, bytes, sizeof(bytes)), -EIO);
	assert_int_equal(run(SVF_STORAGE_READ, false, 0, bytes, sizeof(bytes)), 0);
	/* And a range that is cleared does not make it longer. */
	assert_int_equal(run(SVF_STORAGE_TRIM, false, 8192, NULL, 4096), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, 4096);
}

static void test_closed_meanwhile(void **state)
{
	static struct svf_storage_request requests[64];
	static uint8_t bytes[64][512];

	(void)state;
	for (unsigned int i = 0; i < 64; i++) {
		requests[i] = (struct svf_storage_request){.op = SVF_STORAGE_WRITE,
							   .durable = true,
							   .offset = 512 * i,
							   .len = 512,
							   .buf = bytes[i]};
		assert_int_equal(submit(&requests[i]), -EINPROGRESS);
	}
	svf_storage_close(f->storage);
	f->storage = NULL;
	/* Each is given back once, done or not. */
	wait_for(64);
	for (unsigned int i = 0; i < 64; i++)
		assert_true(requests[i].err == 0 || requests[i].err == -ECANCELED);
	assert_int_equal(f->done, 64);
}

static void test_end_with_work_left(void **state)
{
	static struct svf_storage_request requests[16];

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		requests[i] = (struct svf_storage_request){.op = SVF_STORAGE_FLUSH};
		assert_int_equal(submit(&requests[i]), -EINPROGRESS);
	}
	svf_storage_close(f->storage);
	f->storage = NULL;
	svf_storages_fini(&f->host.storages);
	assert_int_equal(f->done, 16);
	svf_storages_init(&f->host.storages, &f->host);
}

static void refuse(const char *path, const char *words)
{
	struct svf_model_error error;
	struct svf_storage *storage;

	assert_int_equal(svf_host_storage_open(&f->machine, path, &storage, &error), -EINVAL);
	assert_non_null(strstr(error.text, path));
	assert_non_null(strstr(error.text, words));
}

static void test_what_cannot_be_opened(void **state)
{
	char path[128];

	(void)state;
	refuse(f->path, "another device has it");
	refuse(f->folder, "Is a directory");
	refuse("/dev/null", "neither a regular file nor a block device");
	strcpy(stpcpy(path, f->folder), "/absent");
	refuse(path, "No such file or directory");
	assert_int_equal(mkfifo(path, 0600), 0);
	refuse(path, "neither a regular file nor a block device");
	unlink(path);
}

#define WITH_FILE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(test_reads_back),
		WITH_FILE(test_zeroes),
		WITH_FILE(test_cut_off),
		WITH_FILE(test_closed_meanwhile),
		WITH_FILE(test_end_with_work_left),
		WITH_FILE(test_what_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
