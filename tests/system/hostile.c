/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hostile client: everything that a program can do to the files it was given, without sense.
 *
 *	hostile calls COUNT SEED BDF	ioctl, read, write, mmap with random commands and arguments
 *	hostile opens COUNT BDF		opens by several processes
 *	hostile maps COUNT BDF		mappings through both interfaces
 *
 * Each call may succeed or fail, but it must return, with an errno that a kernel could give: never
 * one that says that the file system's server is gone (ENOTCONN, ECONNABORTED), has nothing to say
 * (EIO from an ioctl, ENOSYS) or has lost its place (EPROTO). The program itself survives: random
 * pointers are passed, never followed. What was opened and mapped is kept, "holding" is printed, and
 * the program ends with its input. Prints what it did, one "errno count" a line; the exit status
 * is 0 when only plausible errnos came.
 */
#include "client.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MAX_FILES 64
#define MAX_ERRNO 200
#define ARENA	  (1u << 20)

static uint64_t counts[MAX_ERRNO]; /* by errno; 0 is success */
static uint64_t state;
static char *arena; /* a page without access follows it */

static uint64_t dice(uint64_t sides)
{
	return client_random(&state) % sides;
}

static void count(long ret)
{
	int error = ret < 0 ? errno : 0;

	counts[error < MAX_ERRNO ? error : MAX_ERRNO - 1]++;
}

/* Returns 1 when an errno came that only a broken server gives. */
static int report(void)
{
	static const int broken[] = {ENOTCONN, ECONNABORTED, ECONNRESET, EPROTO,
				     ENOSYS,   ESHUTDOWN,    ESTALE,	 EPIPE};
	int bad = 0;

	for (int i = 0; i < MAX_ERRNO; i++) {
		if (counts[i])
			printf("%s %llu\n", i ? strerrorname_np(i) : "success",
			       (unsigned long long)counts[i]);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		bad |= counts[broken[i]] > 0;
	return bad;
}

/* --- random calls ------------------------------------------------------------------------------ */

static int files[MAX_FILES];

/* One of the paths a client knows; the function's own group and cdev most of all. */
static int open_something(const char *bdf)
{
	static const char *const others[] = {"/dev/null", "/dev/zero", "/proc/self/mem", "/tmp"};
	char path[PATH_MAX];

	switch (dice(6)) {
	case 0:
		return open("/dev/vfio/vfio", O_RDWR);
	case 1:
		return open("/dev/iommu", O_RDWR);
	case 2:
		return client_group_open(bdf);
	case 3:
		return client_cdev_open(bdf);
	case 4:
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
		return open(path, O_RDONLY);
	default:
		return open(others[dice(4)], O_RDONLY);
	}
}

static int any_file(void)
{
	static const int strange[] = {-1, -2, INT_MAX, INT_MIN, 1000000, 0};

	if (dice(20) == 0)
		return strange[dice(6)];
	return files[dice(MAX_FILES)];
}

static void *any_pointer(void)
{
	static const uint64_t strange[] = {
		0,     1, 8, 0x7fffffffffffull, 0x7ffffffffff8ull, ~0ull, 0xffff800000000000ull,
		0x1000};

	switch (dice(8)) {
	case 0:
		return (void *)(uintptr_t)strange[dice(8)];
	case 1:
		return (void *)(uintptr_t)client_random(&state);
	default:
		return arena + dice(ARENA / 8) * 8;
	}
}

/* A value as a field of an argument may have: small, a size, a pointer, a file, or noise. */
static uint64_t any_value(void)
{
	switch (dice(10)) {
	case 0:
		return (uint64_t)(int64_t)any_file();
	case 1:
		return (uintptr_t)any_pointer();
	case 2:
		return client_random(&state);
	case 3:
		return ~0ull - dice(0x2000);
	case 4:
		return dice(1024) << 12;
	case 5:
		return 1ull << dice(64);
	default:
		return dice(70);
	}
}

/*
 * An argument: a plausible size in its first word, then 32-bit and 64-bit fields at random. Now and
 * then it ends where the memory ends, too early for its size.
 */
static void *any_argument(void)
{
	uint32_t words[40];
	size_t room = dice(8) ? sizeof(words) : dice(40) * 4;
	char *where = arena + ARENA - room;

	words[0] = (uint32_t)(dice(10) ? dice(256) : any_value());
	for (int i = 1; i < 40; i++)
		words[i] = (uint32_t)any_value();
	for (uint64_t i = 1; i < 20; i += dice(4) + 1)
		memcpy(&words[i * 2], &(uint64_t){any_value()}, 8);
	if (dice(2))
		words[1] = 0; /* flags, for most */
	memcpy(where, words, room);
	return dice(6) ? where : any_pointer();
}

static unsigned long any_command(void)
{
	static const unsigned int sizes[] = {0, 4, 8, 24, 40, 4096, 16383};

	if (dice(10))
		return _IO(';', (unsigned int)(dice(2) ? 100 + dice(30) : 128 + dice(24)));
	return _IOC((unsigned int)dice(4), dice(4) ? ';' : (unsigned int)dice(256),
		    (unsigned int)dice(256), sizes[dice(7)]);
}

static void random_mmap(int fd)
{
	size_t length = (dice(64) + 1) << 12;
	void *address = mmap(NULL, length, (int)dice(8), dice(2) ? MAP_SHARED : MAP_PRIVATE, fd,
			     (off_t)(any_value() & ~0xfffull));

	count(address == MAP_FAILED ? -1 : 0);
	if (address != MAP_FAILED)
		munmap(address, length);
}

/*
 * A command on a foreign file (a terminal, /proc/self/mem, a random number as the command) could do
 * harm to this program itself, so those files see only commands of type ';'.
 */
static void random_call(const char *bdf)
{
	int fd = any_file();

	switch (dice(60)) {
	case 0:
		if (fd > 2)
			close(fd);
		files[dice(MAX_FILES)] = open_something(bdf);
		return;
	case 1 ... 4:
		count(pread(fd, arena, (size_t)dice(9000), (off_t)any_value()));
		return;
	case 5 ... 8:
		count(pwrite(fd, any_pointer(), (size_t)dice(9000), (off_t)any_value()));
		return;
	case 9 ... 12:
		random_mmap(fd);
		return;
	default:
		count(ioctl(fd, any_command(), any_argument()));
	}
}

/*
 * Starts from a sane state again: a function that is open and attached, by the one interface or the
 * other, among other files. Random calls alone would hardly ever get that far.
 */
static void renew(const char *bdf)
{
	struct client_device device = CLIENT_DEVICE_NONE;

	for (int i = 0; i < MAX_FILES; i++)
		if (files[i] > 2)
			close(files[i]);
	if (dice(2))
		client_open_by_group(&device, bdf, NULL);
	else
		client_open_by_cdev(&device, bdf, NULL);
	for (int i = 0; i < MAX_FILES; i++)
		files[i] = -1;
	for (int i = 0; i < MAX_FILES; i += 16) {
		files[i] = device.container;
		files[i + 1] = device.group;
		files[i + 2] = files[i + 3] = device.fd;
		for (int j = 4; j < 12; j++)
			files[i + j] = open_something(bdf);
		files[i + 12] = eventfd(0, EFD_NONBLOCK);
	}
}

static int hostile_calls(uint64_t number, const char *bdf)
{
	char name[64];

	arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (arena == MAP_FAILED)
		return 2;
	mprotect(arena + ARENA, 4096, PROT_NONE);
	for (int i = 0; i < MAX_FILES; i++)
		files[i] = -1;
	snprintf(name, sizeof(name), "%s", bdf);
	for (uint64_t i = 0; i < number; i++) {
		if (i % 500 == 0)
			renew(bdf);
		if (dice(50) == 0)
			memcpy(arena + dice(ARENA / 4 / 8) * 8, name, sizeof(name));
		random_call(bdf);
	}
	return report();
}

/* --- opens and mappings, which are held until the input ends ------------------------------------- */

static void hold(void)
{
	puts("holding");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

/* Opens as many files as the limits allow, lets them go, and so on; the last ones stay open. */
static int open_many(uint64_t number, const char *bdf)
{
	struct rlimit limit;
	uint64_t most, have = 0;
	int *held;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	most = limit.rlim_max - 64;
	held = calloc(most, sizeof(*held));
	if (!held)
		return 2;
	for (uint64_t done = 0; done < number; done++) {
		int fd = done % 64 ? client_open(done % 2 ? "/dev/iommu" : "/dev/vfio/vfio")
				   : client_cdev_open(bdf);

		errno = -fd;
		count(fd < 0 ? -1 : 0);
		if (fd >= 0)
			held[have++] = fd;
		if (have < most || done + 1 == number)
			continue;
		while (have)
			close(held[--have]);
	}
	free(held);
	return report();
}

/* Opens its share, says so through the one pipe and waits for the end of the other. */
static void opener(uint64_t number, const char *bdf, int said, int wait_for)
{
	int bad = open_many(number, bdf);
	char byte = 0;

	fflush(stdout);
	if (write(said, &byte, 1) != 1 || read(wait_for, &byte, 1) != 0)
		bad = 1;
	_exit(bad);
}

static int hostile_opens(uint64_t number, const char *bdf)
{
	enum { PROCESSES = 4 };
	int said[2], done[2], bad = 0, status;
	char byte;

	if (pipe(said) || pipe(done))
		return 2;
	for (int i = 0; i < PROCESSES; i++) {
		if (fork())
			continue;
		close(done[1]);
		opener(number / PROCESSES, bdf, said[1], done[0]);
	}
	for (int i = 0; i < PROCESSES; i++)
		bad |= read(said[0], &byte, 1) != 1;
	hold();
	close(done[1]);
	while (wait(&status) > 0)
		bad |= !WIFEXITED(status) || WEXITSTATUS(status);
	return bad;
}

/* Half of them by each interface. */
static int hostile_maps(uint64_t number, const char *bdf)
{
	struct client_device type1 = CLIENT_DEVICE_NONE, ioas = CLIENT_DEVICE_NONE;
	struct client_ioas_alloc alloc = {.size = sizeof(alloc)};
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int bad;

	if (page == MAP_FAILED || client_open_group(&type1, bdf) < 0)
		return 2;
	ioas.container = client_open("/dev/iommu");
	if (ioas.container < 0 || client_ioctl(ioas.container, CLIENT_IOAS_ALLOC, &alloc) < 0)
		return 2;
	ioas.ioas = alloc.out_ioas_id;
	for (uint64_t i = 0; i < number; i++) {
		uint64_t iova = 0x100000000ull + (i << 12);
		int ret = client_map(i % 2 ? &ioas : &type1, page, 4096, iova);

		errno = -ret;
		count(ret < 0 ? -1 : 0);
	}
	bad = report();
	hold();
	return bad;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "calls")) {
		state = strtoull(argv[3], NULL, 0) * 2 + 1;
		return hostile_calls(strtoull(argv[2], NULL, 0), argv[4]);
	}
	if (argc == 4 && !strcmp(argv[1], "opens"))
		return hostile_opens(strtoull(argv[2], NULL, 0), argv[3]);
	if (argc == 4 && !strcmp(argv[1], "maps"))
		return hostile_maps(strtoull(argv[2], NULL, 0), argv[3]);
	fprintf(stderr, "usage: %s calls COUNT SEED BDF | opens COUNT BDF | maps COUNT BDF\n",
		argv[0]);
	return 2;
}
